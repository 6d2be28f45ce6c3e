#include "base/mem.h"
#include "net/tls_inside.h"

#include <stdlib.h>
#include <string.h>

struct terms *terms_new(const struct tls_options *options)
{
	struct terms *terms = mem_new(sizeof(*terms));
	struct str host = str_of(options->host);
	if (host.n && host.p[host.n - 1] == '.')
		host.n--;
	terms->host = str_dup(host);
	terms->verify = options->verify;
	terms->n_pins = options->n_pins;
	if (options->n_pins) {
		terms->pins = mem_resize(NULL, options->n_pins, sizeof(*terms->pins));
		memcpy(terms->pins, options->pins, options->n_pins * sizeof(*terms->pins));
	}
	return terms;
}

void terms_free(struct terms *terms)
{
	if (!terms)
		return;
	free(terms->host);
	free(terms->pins);
	free(terms->refusal);
	free(terms);
}

static bool digest_key(const X509 *certificate, unsigned char digest[PIN_BYTES])
{
	unsigned char *der = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
	bool ok = n > 0 && EVP_Digest(der, (size_t)n, digest, NULL, EVP_sha256(), NULL);
	OPENSSL_free(der);
	return ok;
}

static bool identify(const X509 *certificate, struct tls_server *out)
{
	*out = (struct tls_server){.key.is_key = true};
	return X509_digest(certificate, EVP_sha256(), out->certificate.sha256, NULL) &&
	       digest_key(certificate, out->key.sha256);
}

static bool is_pinned(const struct terms *terms, const struct tls_server *server)
{
	for (size_t i = 0; i < terms->n_pins; i++)
		if (pin_equal(&terms->pins[i], &server->certificate) ||
			pin_equal(&terms->pins[i], &server->key))
			return true;
	return false;
}

/* OpenSSL would keep the chain as long as the connection lives. */
static bool accept(X509_STORE_CTX *store, struct tls *t, const STACK_OF(X509) * chain)
{
	tls_memory_trust(t, chain);
	X509_STORE_CTX_set0_verified_chain(store, NULL);
	X509_STORE_CTX_set_error(store, X509_V_OK);
	return true;
}

static bool judge_by_pins(X509_STORE_CTX *store, struct tls *t)
{
	if (is_pinned(t->terms, &t->server))
		return accept(store, t, NULL);
	tls_refuse_pinned(t->terms, &t->server);
	X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_UNTRUSTED);
	return false;
}

int tls_judge(X509_STORE_CTX *store, void *data)
{
	(void)data;
	struct tls *t =
		tls_of_ssl(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
	if (!t->terms || !identify(X509_STORE_CTX_get0_cert(store), &t->server))
		return 0;
	if (t->terms->n_pins)
		return judge_by_pins(store, t);
	if (!t->terms->verify)
		return accept(store, t, NULL);
	if (X509_verify_cert(store) > 0)
		return accept(store, t, X509_STORE_CTX_get0_chain(store));
	tls_refuse_verified(t->terms, &t->server, store);
	return 0;
}
