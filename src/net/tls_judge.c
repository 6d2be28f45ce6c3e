#include "base/mem.h"
#include "net/tls_inside.h"

#include <arpa/inet.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DATE_BYTES = 32, NAMES_BYTES = 200 };

/* the certificate in words */

void tls_fingerprint(const X509 *certificate, char hex[HEX_BYTES])
{
	unsigned char digest[TLS_PIN_BYTES] = {0};
	X509_digest(certificate, EVP_sha256(), digest, NULL);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

static void format_date(const ASN1_TIME *time, char text[DATE_BYTES])
{
	struct tm tm;
	if (!ASN1_TIME_to_tm(time, &tm) || !strftime(text, DATE_BYTES, "%Y-%m-%d %H:%M UTC", &tm))
		snprintf(text, DATE_BYTES, "an unreadable date");
}

static void add_name(struct buf *names, struct str name)
{
	int r = buf_addf(names, "%s%" STR_F, names->n ? ", " : "", STR_A(name));
	(void)r; /* a list that is too long is cut */
}

static void add_general_name(struct buf *names, const GENERAL_NAME *name)
{
	char ip[INET6_ADDRSTRLEN];
	if (name->type == GEN_DNS) {
		const ASN1_IA5STRING *dns = name->d.dNSName;
		add_name(names, (struct str){(const char *)dns->data, (size_t)dns->length});
	} else if (name->type == GEN_IPADD) {
		const ASN1_OCTET_STRING *bytes = name->d.iPAddress;
		int family = bytes->length == 4 ? AF_INET : AF_INET6;
		if ((bytes->length == 4 || bytes->length == 16) &&
			inet_ntop(family, bytes->data, ip, sizeof(ip)))
			add_name(names, str_of(ip));
	}
}

static void add_common_name(struct buf *names, const X509 *certificate)
{
	char name[128];
	if (X509_NAME_get_text_by_NID(
		    X509_get_subject_name(certificate), NID_commonName, name, sizeof(name)) > 0)
		add_name(names, str_of(name));
}

static void list_names(struct buf *names, const X509 *certificate)
{
	GENERAL_NAMES *all = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	for (int i = 0; i < sk_GENERAL_NAME_num(all); i++)
		add_general_name(names, sk_GENERAL_NAME_value(all, i));
	GENERAL_NAMES_free(all);
	if (!names->n)
		add_common_name(names, certificate);
	if (!names->n)
		add_name(names, STR("nobody"));
}

/* the judgement */

static void refuse(struct terms *terms, const char *fmt, ...) PRINTF(2, 3);

static void refuse(struct terms *terms, const char *fmt, ...)
{
	struct buf text;
	va_list ap;
	buf_init(&text, sizeof(((struct err *)NULL)->text));
	va_start(ap, fmt);
	if (buf_addv(&text, fmt, ap) < 0)
		buf_reset(&text);
	va_end(ap);
	free(terms->refusal);
	terms->refusal = buf_detach(&text);
}

static bool is_pinned(struct terms *terms, const X509 *certificate)
{
	char hex[HEX_BYTES];
	unsigned char digest[TLS_PIN_BYTES];
	if (X509_digest(certificate, EVP_sha256(), digest, NULL)) {
		for (size_t i = 0; i < terms->n_pins; i++) {
			if (memcmp(digest, terms->pins[i], sizeof(digest)) == 0)
				return true;
		}
	}
	tls_fingerprint(certificate, hex);
	refuse(terms,
		"the certificate is not the pinned one (if it was renewed, set tls_fingerprint to %s)",
		hex);
	return false;
}

/* OpenSSL's reason, what is known beyond it, and what can be set. */
static void refuse_certificate(
	struct terms *terms, X509_STORE_CTX *store, const char *more, const char *advice)
{
	char hex[HEX_BYTES];
	tls_fingerprint(X509_STORE_CTX_get0_cert(store), hex);
	refuse(terms, "certificate does not verify: %s%s (%s tls_fingerprint to %s)",
		X509_verify_cert_error_string(X509_STORE_CTX_get_error(store)), more, advice, hex);
}

static void refuse_name(struct terms *terms, X509_STORE_CTX *store)
{
	struct buf more;
	buf_init(&more, NAMES_BYTES + 2 * HEX_BYTES);
	struct buf names;
	buf_init(&names, NAMES_BYTES);
	list_names(&names, X509_STORE_CTX_get0_cert(store));
	if (buf_addf(&more, ": it is for %" STR_F ", not for %s", STR_A(buf_str(&names)),
		    terms->host) < 0)
		buf_reset(&more);
	refuse_certificate(terms, store, buf_str(&more).p, "set host to a name that it is for, or");
	buf_fini(&names);
	buf_fini(&more);
}

static void refuse_date(
	struct terms *terms, X509_STORE_CTX *store, const ASN1_TIME *time, const char *words)
{
	char date[DATE_BYTES], more[DATE_BYTES + 64];
	const X509 *at = X509_STORE_CTX_get_current_cert(store);
	format_date(time, date);
	snprintf(more, sizeof(more), ": %s%s %s",
		at == X509_STORE_CTX_get0_cert(store) ? "" : "its issuer's, ", words, date);
	refuse_certificate(
		terms, store, more, "look at this machine's clock; to trust it all the same, set");
}

static void explain_refusal(struct terms *terms, X509_STORE_CTX *store)
{
	const X509 *at = X509_STORE_CTX_get_current_cert(store);
	if (!at)
		at = X509_STORE_CTX_get0_cert(store);
	switch (X509_STORE_CTX_get_error(store)) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		refuse_name(terms, store);
		break;
	case X509_V_ERR_CERT_HAS_EXPIRED:
		refuse_date(terms, store, X509_get0_notAfter(at), "on");
		break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		refuse_date(terms, store, X509_get0_notBefore(at), "before");
		break;
	default:
		refuse_certificate(terms, store, "", "set tls_ca to the CA's file, or");
	}
}

int tls_judge(X509_STORE_CTX *store, void *data)
{
	(void)data;
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	const struct tls *t = BIO_get_data(SSL_get_rbio(ssl));
	struct terms *terms = t->terms;
	if (!terms)
		return 0;
	if (terms->n_pins && !is_pinned(terms, X509_STORE_CTX_get0_cert(store))) {
		X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_UNTRUSTED);
		return 0;
	}
	if (terms->n_pins || !terms->verify) {
		X509_STORE_CTX_set_error(store, X509_V_OK);
		return 1;
	}
	int ok = X509_verify_cert(store);
	if (ok <= 0)
		explain_refusal(terms, store);
	return ok > 0;
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
