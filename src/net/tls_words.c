#include "net/tls_inside.h"

#include <arpa/inet.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DATE_BYTES = 32, NAMES_BYTES = 200, NAME_BYTES = 128 };

/* the certificate in words */

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

/* A common name, or an organisation where there is none. */
static void add_subject(struct buf *names, const X509_NAME *subject)
{
	static const int kinds[] = {NID_commonName, NID_organizationName};
	char name[NAME_BYTES];
	for (size_t i = 0; i < COUNTOF(kinds); i++)
		if (X509_NAME_get_text_by_NID(subject, kinds[i], name, sizeof(name)) > 0) {
			add_name(names, str_of(name));
			return;
		}
}

static void list_names(struct buf *names, const X509 *certificate)
{
	GENERAL_NAMES *all = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	for (int i = 0; i < sk_GENERAL_NAME_num(all); i++)
		add_general_name(names, sk_GENERAL_NAME_value(all, i));
	GENERAL_NAMES_free(all);
	if (!names->n)
		add_subject(names, X509_get_subject_name(certificate));
	if (!names->n)
		add_name(names, STR("nobody"));
}

/* What the reason leaves open. at is the certificate of the chain that it is about. */

struct words {
	const struct terms *terms;
	const X509 *certificate, *at;
	struct buf names; /* of what is spoken of */
	char text[NAMES_BYTES + 400];
};

static const char *names(struct words *w)
{
	return buf_str(&w->names).p;
}

static void say_names(struct words *w)
{
	list_names(&w->names, w->certificate);
	snprintf(w->text, sizeof(w->text), ": it is for %s, not for %s", names(w), w->terms->host);
}

static void say_date(struct words *w, const char *when, const ASN1_TIME *time)
{
	char date[DATE_BYTES];
	format_date(time, date);
	if (w->at != w->certificate)
		add_subject(&w->names, X509_get_subject_name(w->at));
	snprintf(w->text, sizeof(w->text), ": %s%s%s%s %s",
		w->at == w->certificate ? "" : "that of ", names(w),
		w->at == w->certificate ? "" : ", its issuer, ", when, date);
}

static void say_end(struct words *w)
{
	say_date(w, "on", X509_get0_notAfter(w->at));
}

static void say_begin(struct words *w)
{
	say_date(w, "before", X509_get0_notBefore(w->at));
}

static void say_self(struct words *w)
{
	char from[DATE_BYTES], until[DATE_BYTES];
	list_names(&w->names, w->certificate);
	format_date(X509_get0_notBefore(w->certificate), from);
	format_date(X509_get0_notAfter(w->certificate), until);
	snprintf(w->text, sizeof(w->text), ": for %s, from %s until %s", names(w), from, until);
}

static void say_issuer(struct words *w)
{
	add_subject(&w->names, X509_get_issuer_name(w->at));
	snprintf(w->text, sizeof(w->text), ": of %s", w->names.n ? names(w) : "nobody");
}

static void say_subject(struct words *w)
{
	add_subject(&w->names, X509_get_subject_name(w->at));
	snprintf(w->text, sizeof(w->text), ": %s", w->names.n ? names(w) : "of nobody");
}

#define CLOCK_ADVICE  "look at this machine's clock; to trust it all the same, set"
#define NAME_ADVICE   "set host to a name that it is for, or"
#define CA_ADVICE     "set tls_ca to the CA's file, or"
#define CHAIN_ADVICE  "set tls_ca to the CA's file, unless the server leaves certificates out, or"
#define SERVER_ADVICE "the server needs another; to trust it all the same, set"

static const struct refusal {
	int error;
	void (*say)(struct words *w);
	const char *advice;
} refusals[] = {
	{X509_V_ERR_HOSTNAME_MISMATCH,                 say_names,   NAME_ADVICE  },
	{X509_V_ERR_IP_ADDRESS_MISMATCH,               say_names,   NAME_ADVICE  },
	{X509_V_ERR_CERT_HAS_EXPIRED,                  say_end,     CLOCK_ADVICE },
	{X509_V_ERR_CERT_NOT_YET_VALID,                say_begin,   CLOCK_ADVICE },
	{X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,       say_self,    CA_ADVICE    },
	{X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,         say_issuer,  CA_ADVICE    },
	{X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, say_issuer,  CHAIN_ADVICE },
	{X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,   say_issuer,  CHAIN_ADVICE },
	{X509_V_ERR_INVALID_CA,                        say_subject, SERVER_ADVICE},
	{X509_V_ERR_PATH_LENGTH_EXCEEDED,              say_subject, SERVER_ADVICE},
	{X509_V_ERR_INVALID_PURPOSE,                   say_subject, SERVER_ADVICE},
	{X509_V_ERR_CERT_SIGNATURE_FAILURE,            say_subject, SERVER_ADVICE},
	{X509_V_ERR_EE_KEY_TOO_SMALL,                  say_subject, SERVER_ADVICE},
	{X509_V_ERR_CA_KEY_TOO_SMALL,                  say_subject, SERVER_ADVICE},
	{X509_V_ERR_CA_MD_TOO_WEAK,                    say_subject, SERVER_ADVICE},
	{0,					    say_subject, CA_ADVICE    },
};

static const struct refusal *find_refusal(int error)
{
	const struct refusal *r = refusals;
	while (r->error && r->error != error)
		r++;
	return r;
}

static void refuse(struct terms *terms, const char *fmt, ...) PRINTF(2, 3);

static void refuse(struct terms *terms, const char *fmt, ...)
{
	char text[sizeof(((struct err *)NULL)->text)];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	free(terms->refusal);
	terms->refusal = str_dup(str_of(text));
}

void tls_refuse_pinned(struct terms *terms, const struct tls_server *server)
{
	char certificate[PIN_TEXT_BYTES], key[PIN_TEXT_BYTES];
	pin_format(&server->certificate, certificate);
	pin_format(&server->key, key);
	refuse(terms,
		"the certificate is not the pinned one (if it was renewed, set tls_fingerprint to "
		"%s, or to its key's: %s)",
		certificate, key);
}

void tls_refuse_verified(
	struct terms *terms, const struct tls_server *server, X509_STORE_CTX *store)
{
	int error = X509_STORE_CTX_get_error(store);
	const struct refusal *r = find_refusal(error);
	char certificate[PIN_TEXT_BYTES], key[PIN_TEXT_BYTES];
	struct words w = {.terms = terms,
		.certificate = X509_STORE_CTX_get0_cert(store),
		.at = X509_STORE_CTX_get_current_cert(store)};
	if (!w.at)
		w.at = w.certificate;
	buf_init(&w.names, NAMES_BYTES);
	r->say(&w);
	pin_format(&server->certificate, certificate);
	pin_format(&server->key, key);
	refuse(terms, "certificate does not verify: %s%s (%s tls_fingerprint to %s, or to %s)",
		X509_verify_cert_error_string(error), w.text, r->advice, certificate, key);
	buf_fini(&w.names);
}
