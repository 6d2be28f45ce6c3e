#include "daemon/pem.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <openssl/pem.h>
#include <stdbool.h>
#include <string.h>

enum { CURVE_BYTES = 64 };

/* OpenSSL's own would ask at the terminal. */
static int note_lock(char *phrase, int size, int writes, void *data)
{
	(void)phrase;
	(void)size;
	(void)writes;
	*(bool *)data = true;
	return -1;
}

static bool is_nist256p(const EVP_PKEY *key)
{
	char curve[CURVE_BYTES] = "";
	return EVP_PKEY_is_a(key, "EC") &&
	       EVP_PKEY_get_group_name(key, curve, sizeof(curve), NULL) == 1 &&
	       strcmp(curve, SN_X9_62_prime256v1) == 0;
}

int pem_check_nist256p(const char *text, struct err *err)
{
	bool is_locked = false;
	BIO *bio = BIO_new_mem_buf(text, -1);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, note_lock, &is_locked) : NULL;
	int r = 0;
	if (is_locked)
		r = err_set(err, ERR_CONFIG, "is locked with a passphrase; store it without");
	else if (!key)
		r = err_set(err, ERR_CONFIG, "holds no private key in PEM");
	else if (!is_nist256p(key))
		r = err_set(err, ERR_CONFIG, "holds a key that is not of the curve NIST P-256");
	EVP_PKEY_free(key);
	BIO_free(bio);
	ERR_clear_error();
	return r;
}
