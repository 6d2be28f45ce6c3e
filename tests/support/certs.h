/* certs: certificates for tests, made on the spot. */
#ifndef EBB_TESTS_SUPPORT_CERTS_H
#define EBB_TESTS_SUPPORT_CERTS_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <time.h>

struct cert {
	X509 *x509;
	EVP_PKEY *key;
};

/* What a certificate says. Zeroed members are the usual. */
struct cert_form {
	const char *name;          /* of the subject */
	const char *names;         /* subjectAltName; NULL: it is a CA */
	time_t from, until;        /* 0: since 1998; until tomorrow */
	const struct cert *issuer; /* NULL: itself */
	const char *usage;         /* extendedKeyUsage */
	int rsa_bits;              /* 0: a key on P-256 */
	bool is_sha1;              /* what it is signed with */
};

struct cert cert_make(const struct cert_form *form);
void cert_free(struct cert *c);

struct certs {
	struct cert ca;
	struct cert good;        /* by the CA, for localhost and 127.0.0.1 */
	struct cert wrong_name;  /* by the CA, for irc.example.org and 192.0.2.1 */
	struct cert expired;     /* by the CA, until 2001-09-09 */
	struct cert self_signed; /* for localhost, by itself */
	char ca_file[64];        /* the CA as PEM, in a temporary file */
};

void certs_make(struct certs *c);

/* Removes the file too. */
void certs_free(struct certs *c);

/* Append to the file at path, in PEM. A passphrase locks the key; NULL: none. */
void cert_append(const char *path, const struct cert *cert);
void key_append(const char *path, EVP_PKEY *key, const char *passphrase);

/* The SHA-256 of the certificate, and of its key. */
void cert_digest(const struct cert *cert, unsigned char digest[32]);
void cert_key_digest(const struct cert *cert, unsigned char digest[32]);

#endif
