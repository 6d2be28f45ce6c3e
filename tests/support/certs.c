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

static EVP_PKEY *make_key(int rsa_bits)
{
	EVP_PKEY *key = rsa_bits ? EVP_RSA_gen((unsigned)rsa_bits) : EVP_EC_gen("P-256");
	assert(key);
	return key;
}

static void set_dates(X509 *x509, time_t from, time_t until)
{
	ASN1_TIME_set(X509_getm_notBefore(x509), from ? from : 900000000);
	if (until)
		ASN1_TIME_set(X509_getm_notAfter(x509), until);
	else
		X509_gmtime_adj(X509_getm_notAfter(x509), 24L * 3600);
}

struct cert cert_make(const struct cert_form *form)
{
	static long serial;
	struct cert c = {X509_new(), make_key(form->rsa_bits)};
	const struct cert *issuer = form->issuer ? form->issuer : &c;
	X509_set_version(c.x509, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(c.x509), ++serial);
	set_subject(c.x509, form->name);
	X509_set_issuer_name(c.x509, X509_get_subject_name(issuer->x509));
	set_dates(c.x509, form->from, form->until);
	X509_set_pubkey(c.x509, c.key);
	if (form->names)
		add_extension(c.x509, NID_subject_alt_name, form->names);
	else
		add_extension(c.x509, NID_basic_constraints, "critical,CA:TRUE");
	if (form->usage)
		add_extension(c.x509, NID_ext_key_usage, form->usage);
	assert(X509_sign(c.x509, issuer->key, form->is_sha1 ? EVP_sha1() : EVP_sha256()));
	return c;
}

void cert_free(struct cert *c)
{
	X509_free(c->x509);
	EVP_PKEY_free(c->key);
}

static struct cert make(
	const char *name, const char *names, time_t until, const struct cert *issuer)
{
	const struct cert_form form = {
		.name = name, .names = names, .until = until, .issuer = issuer};
	return cert_make(&form);
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

void certs_free(struct certs *c)
{
	unlink(c->ca_file);
	cert_free(&c->ca);
	cert_free(&c->good);
	cert_free(&c->wrong_name);
	cert_free(&c->expired);
	cert_free(&c->self_signed);
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

void cert_key_digest(const struct cert *cert, unsigned char digest[32])
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(cert->key, &der);
	assert(n > 0);
	EVP_Digest(der, (size_t)n, digest, NULL, EVP_sha256(), NULL);
	OPENSSL_free(der);
}
