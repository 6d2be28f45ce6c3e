#include "base/mem.h"
#include "net/tls_inside.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

static void on_trim(struct timer *timer)
{
	(void)timer;
	mem_trim();
}

static const char *reason_of(unsigned long error)
{
	const char *reason = ERR_SYSTEM_ERROR(error) ? strerror(ERR_GET_REASON(error))
						     : ERR_reason_error_string(error);
	return reason ? reason : "unknown error";
}

static int load_cas(SSL_CTX *ssl, const char *ca_file, struct err *err)
{
	ERR_clear_error();
	int ok = ca_file ? SSL_CTX_load_verify_file(ssl, ca_file)
			 : SSL_CTX_set_default_verify_paths(ssl);
	if (ok == 1)
		return 0;
	int r = err_set(err, ERR_CONFIG, "tls: cannot use the CAs in %s: %s",
		ca_file ? ca_file : "the system's store", reason_of(ERR_peek_error()));
	ERR_clear_error();
	return r;
}

/* "x.pem: cannot use the certificate: ee key too small" */
static int refuse_file(const char *path, const char *what, struct err *err)
{
	unsigned long error = ERR_peek_error();
	bool is_absent = ERR_GET_REASON(error) == PEM_R_NO_START_LINE ||
			 ERR_GET_REASON(error) == ERR_R_UNSUPPORTED;
	int r = is_absent ? err_set(err, ERR_CONFIG, "%s: holds no %s in PEM", path, what)
			  : err_set(err, ERR_CONFIG, "%s: cannot use the %s: %s", path, what,
				    reason_of(error));
	ERR_clear_error();
	return r;
}

static int load_cert(SSL_CTX *ssl, const char *cert, struct err *err)
{
	ERR_clear_error();
	if (SSL_CTX_use_certificate_chain_file(ssl, cert) == 1)
		return 0;
	return refuse_file(cert, "certificate", err);
}

/* OpenSSL's own would ask at the terminal. */
static int note_lock(char *phrase, int size, int writes, void *data)
{
	(void)phrase;
	(void)size;
	(void)writes;
	*(bool *)data = true;
	return -1;
}

static bool is_mismatch(void)
{
	unsigned long error = ERR_peek_error();
	return ERR_GET_LIB(error) == ERR_LIB_X509 &&
	       (ERR_GET_REASON(error) == X509_R_KEY_VALUES_MISMATCH ||
		       ERR_GET_REASON(error) == X509_R_KEY_TYPE_MISMATCH);
}

/* A key of another type than the certificate's is taken, and does not fit. */
static int load_key(SSL_CTX *ssl, const char *cert, const char *key, struct err *err)
{
	const char *path = key ? key : cert;
	bool is_locked = false;
	ERR_clear_error();
	SSL_CTX_set_default_passwd_cb(ssl, note_lock);
	SSL_CTX_set_default_passwd_cb_userdata(ssl, &is_locked);
	bool is_taken = SSL_CTX_use_PrivateKey_file(ssl, path, SSL_FILETYPE_PEM) == 1;
	SSL_CTX_set_default_passwd_cb_userdata(ssl, NULL);
	if (is_taken && SSL_CTX_check_private_key(ssl) == 1)
		return 0;
	if (!is_locked && !is_taken && !is_mismatch())
		return refuse_file(path, "private key", err);
	ERR_clear_error();
	if (is_locked)
		return err_set(err, ERR_CONFIG,
			"%s: the key is locked with a passphrase; store it without", path);
	return err_set(err, ERR_CONFIG, "%s: is not the key of %s", path, cert);
}

static void set_up(SSL_CTX *ssl)
{
	SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
	SSL_CTX_set_options(
		ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
	SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_read_ahead(ssl, 1); /* a record costs one recv instead of two */
	SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ssl, tls_judge, NULL);
	X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ssl), X509_V_FLAG_PARTIAL_CHAIN);
	X509_VERIFY_PARAM_set_hostflags(
		SSL_CTX_get0_param(ssl), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
}

static int load_files(SSL_CTX *ssl, const struct tls_files *files, struct err *err)
{
	struct err why;
	int r = load_cas(ssl, files->ca, err);
	if (r < 0 || !files->cert)
		return r;
	r = load_cert(ssl, files->cert, &why);
	if (r == 0)
		r = load_key(ssl, files->cert, files->key, &why);
	return r < 0 ? err_set(err, r, "tls: %s", why.text) : 0;
}

void tls_context_unref(struct tls_context *context)
{
	if (--context->refs)
		return;
	if (context->loop)
		timers_cancel(&context->loop->timers, &context->trim);
	SSL_CTX_free(context->ssl);
	BIO_meth_free(context->bio);
	free(context);
}

int tls_context_new(const struct tls_files *files, struct tls_context **out, struct err *err)
{
	struct tls_context *context = mem_new(sizeof(*context));
	context->refs = 1;
	context->trim.fire = on_trim;
	context->ssl = SSL_CTX_new(TLS_client_method());
	context->bio = tls_bio_method();
	int r;
	if (context->ssl && context->bio) {
		set_up(context->ssl);
		r = load_files(context->ssl, files, err);
	} else {
		r = err_set(err, ERR_TLS, "tls: OpenSSL does not start");
		ERR_clear_error();
	}
	if (r < 0) {
		tls_context_unref(context);
		return r;
	}
	*out = context;
	return 0;
}

void tls_context_free(struct tls_context *context)
{
	if (context)
		tls_context_unref(context);
}

/* As a context would: what OpenSSL's level of security refuses, it refuses here. */
static int check_files(const char *cert, const char *key, bool has_key, struct err *err)
{
	SSL_CTX *ssl = SSL_CTX_new(TLS_client_method());
	int r = ssl ? load_cert(ssl, cert, err)
		    : err_set(err, ERR_CONFIG, "%s: OpenSSL does not start", cert);
	if (r == 0 && has_key)
		r = load_key(ssl, cert, key, err);
	SSL_CTX_free(ssl);
	ERR_clear_error();
	return r;
}

int tls_check_cert(const char *cert, struct err *err)
{
	return check_files(cert, NULL, false, err);
}

int tls_check_key(const char *cert, const char *key, struct err *err)
{
	return check_files(cert, key, true, err);
}
