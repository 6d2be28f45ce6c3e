#include "support/certs.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void add_extension(X509 *x509, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	assert(extension);
	X509_add_ext(x509, extension, -1);
	X509_EXTENSION_free(extension);
}

static void set_subject(X509 *x509, const char *name)
{
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
		(const unsigned char *)name, -1, -1, 0);
}

/* until: seconds since the epoch; 0: tomorrow. issuer: NULL for a certificate by itself. */
static struct cert make(
	const char *name, const char *names, time_t until, const struct cert *issuer)
{
	static long serial;
	struct cert c = {X509_new(), EVP_EC_gen("P-256")};
	if (!issuer)
		issuer = &c;
	X509_set_version(c.x509, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(c.x509), ++serial);
	set_subject(c.x509, name);
	X509_set_issuer_name(c.x509, X509_get_subject_name(issuer->x509));
	ASN1_TIME_set(X509_getm_notBefore(c.x509), 900000000);
	if (until)
		ASN1_TIME_set(X509_getm_notAfter(c.x509), until);
	else
		X509_gmtime_adj(X509_getm_notAfter(c.x509), 24L * 3600);
	X509_set_pubkey(c.x509, c.key);
	if (names)
		add_extension(c.x509, NID_subject_alt_name, names);
	else
		add_extension(c.x509, NID_basic_constraints, "critical,CA:TRUE");
	assert(X509_sign(c.x509, issuer->key, EVP_sha256()));
	return c;
}

static void write_ca(struct certs *c)
{
	snprintf(c->ca_file, sizeof(c->ca_file), "/tmp/ebb-test-ca-XXXXXX");
	int fd = mkstemp(c->ca_file);
	assert(fd >= 0);
	FILE *f = fdopen(fd, "w");
	PEM_write_X509(f, c->ca.x509);
	fclose(f);
}

void certs_make(struct certs *c)
{
	c->ca = make("Test CA", NULL, 0, NULL);
	c->good = make("localhost", "DNS:localhost,IP:127.0.0.1", 0, &c->ca);
	c->wrong_name = make("irc.example.org", "DNS:irc.example.org,IP:192.0.2.1", 0, &c->ca);
	c->expired = make("localhost", "DNS:localhost,IP:127.0.0.1", 1000000000, &c->ca);
	c->self_signed = make("localhost", "DNS:localhost", 0, NULL);
	write_ca(c);
}

static void free_cert(struct cert *c)
{
	X509_free(c->x509);
	EVP_PKEY_free(c->key);
}

void certs_free(struct certs *c)
{
	unlink(c->ca_file);
	free_cert(&c->ca);
	free_cert(&c->good);
	free_cert(&c->wrong_name);
	free_cert(&c->expired);
	free_cert(&c->self_signed);
}

void cert_append(const char *path, const struct cert *cert)
{
	FILE *f = fopen(path, "ae");
	assert(f);
	PEM_write_X509(f, cert->x509);
	fclose(f);
}

void key_append(const char *path, EVP_PKEY *key, const char *passphrase)
{
	FILE *f = fopen(path, "ae");
	const EVP_CIPHER *cipher = passphrase ? EVP_aes_128_cbc() : NULL;
	assert(f);
	PEM_write_PKCS8PrivateKey(
		f, key, cipher, passphrase, passphrase ? (int)strlen(passphrase) : 0, NULL, NULL);
	fclose(f);
}

void cert_digest(const struct cert *cert, unsigned char digest[32])
{
	X509_digest(cert->x509, EVP_sha256(), digest, NULL);
}
