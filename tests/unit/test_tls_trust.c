#include "support/duet.h"

#include <stdio.h>
#include <string.h>

static struct duet d;

/* Beside what certs.h has. */
static struct cert old_ca, future, by_no_ca, for_clients, weak_key, weak_sign, by_old_ca,
	by_stranger, forged;

enum { SECONDS_2040 = 2208988800 };

enum pinned { NO_PIN, CERT, KEY, SECOND, WRONG, WRONG_KIND };

#define SET_PIN   " tls_fingerprint to "
#define SET_CLOCK "(look at this machine's clock; to trust it all the same, set" SET_PIN
#define SET_NAME  "(set host to a name that it is for, or" SET_PIN
#define SET_CA    "(set tls_ca to the CA's file, or" SET_PIN
#define SET_CHAIN \
	"(set tls_ca to the CA's file, unless the server leaves certificates out, or" SET_PIN
#define SET_SERVER "(the server needs another; to trust it all the same, set" SET_PIN
#define VERIFY     "certificate does not verify: "
#define NOT_PINNED "the certificate is not the pinned one (if it was renewed, set" SET_PIN

static const struct judged {
	const char *name;
	const struct cert *cert;
	const char *host;
	bool verify;
	enum pinned pin;
	const char *text;         /* the refusal up to the pins; NULL: accepted */
	const struct cert *chain; /* sent with it */
} judged_rows[] = {
	{"a good name",					     &d.certs.good,        "localhost",  true,  NO_PIN,     NULL,       NULL         },
	{"a good name in capitals",                                 &d.certs.good,        "LOCALHOST",  true,  NO_PIN,     NULL,       NULL         },
	{"a good name with its dot",                                &d.certs.good,        "localhost.", true,  NO_PIN,     NULL,       NULL         },
	{"a good address",					  &d.certs.good,        "127.0.0.1",  true,  NO_PIN,     NULL,       NULL         },
	{"a pin for a self-signed one",                             &d.certs.self_signed, "localhost",  true,  CERT,       NULL,       NULL         },
	{"a pin for a wrong name",                                  &d.certs.wrong_name,  "localhost",  true,  CERT,       NULL,       NULL         },
	{"a pin for an expired one",                                &d.certs.expired,     "localhost",  true,  CERT,       NULL,       NULL         },
	{"a pin of the key of an expired one",                      &d.certs.expired,     "localhost",  true,  KEY,        NULL,
         NULL																       },
	{"a pin of the key without verification",                   &d.certs.wrong_name,  "x",          false, KEY,        NULL,       NULL         },
	{"the second of two pins",                                  &d.certs.self_signed, "localhost",  true,  SECOND,     NULL,       NULL         },
	{"no verification",					 &d.certs.self_signed, "elsewhere",  false, NO_PIN,     NULL,       NULL         },
	{"a self-signed one",				       &d.certs.self_signed, "localhost",  true,  NO_PIN,
         VERIFY "self-signed certificate: for localhost, from 1998-07-09 16:00 UTC until ",
         NULL																       },
	{"an unknown CA",					   &by_stranger,         "localhost",  true,  NO_PIN,
         VERIFY "unable to get local issuer certificate: of Test Stranger " SET_CHAIN,                                                 NULL         },
	{"a wrong name",					    &d.certs.wrong_name,  "localhost",  true,  NO_PIN,
         VERIFY
		"hostname mismatch: it is for irc.example.org, 192.0.2.1, not for localhost " SET_NAME,
         NULL																       },
	{"a wrong address",					 &d.certs.wrong_name,  "127.0.0.1",  true,  NO_PIN,
         VERIFY
		"IP address mismatch: it is for irc.example.org, 192.0.2.1, not for 127.0.0.1 " SET_NAME,
         NULL																       },
	{"an expired one",					  &d.certs.expired,     "localhost",  true,  NO_PIN,
         VERIFY "certificate has expired: on 2001-09-09 01:46 UTC " SET_CLOCK,                                                         NULL         },
	{"an expired issuer",				       &by_old_ca,           "localhost",  true,  NO_PIN,
         VERIFY "certificate has expired: that of Test Old CA, its issuer, "
		       "on 2001-09-09 01:46 UTC " SET_CLOCK,
         &old_ca																    },
	{"an issuer that is not sent",                              &by_old_ca,           "localhost",  true,  NO_PIN,
         VERIFY "unable to get local issuer certificate: of Test Old CA " SET_CHAIN,                                                   NULL         },
	{"one of the future",				       &future,              "localhost",  true,  NO_PIN,
         VERIFY "certificate is not yet valid: before 2040-01-01 00:00 UTC " SET_CLOCK,
         NULL																       },
	{"an issuer that is no CA",                                 &by_no_ca,            "localhost",  true,  NO_PIN,
         VERIFY "invalid CA certificate: localhost " SET_SERVER,                                                                       &d.certs.good},
	{"one for clients",					 &for_clients,         "localhost",  true,  NO_PIN,
         VERIFY "unsuitable certificate purpose: localhost " SET_SERVER,                                                               NULL         },
	{"a weak key",					      &weak_key,            "localhost",  true,  NO_PIN,
         VERIFY "EE certificate key too weak: localhost " SET_SERVER,                                                                  NULL         },
	{"a weak signature",					&weak_sign,           "localhost",  true,  NO_PIN,
         VERIFY "CA signature digest algorithm too weak: localhost " SET_SERVER,                                                       NULL         },
	{"a forged signature",				      &forged,              "localhost",  true,  NO_PIN,
         VERIFY "certificate signature failure: localhost " SET_SERVER,                                                                NULL         },
	{"a wrong pin",					     &d.certs.self_signed, "localhost",  true,  WRONG,      NOT_PINNED, NULL         },
	{"a wrong pin where the chain is good",                     &d.certs.good,        "localhost",  true,  WRONG,      NOT_PINNED,
         NULL																       },
	{"a wrong pin without verification",                        &d.certs.good,        "localhost",  false, WRONG,      NOT_PINNED,
         NULL																       },
	{"the pins of certificate and key mistaken for each other", &d.certs.good,        "localhost",
         true,												 WRONG_KIND, NOT_PINNED, NULL         },
};

static void fill_pins(const struct cert *cert, enum pinned kind, struct pin pins[2])
{
	memset(pins, 0, 2 * sizeof(*pins));
	pins[1].is_key = kind == KEY || kind == WRONG_KIND;
	if (kind == CERT || kind == WRONG_KIND)
		cert_digest(cert, pins[kind == WRONG_KIND].sha256);
	if (kind == KEY || kind == WRONG_KIND)
		cert_key_digest(cert, pins[kind == KEY].sha256);
	if (kind == SECOND)
		cert_digest(cert, pins[1].sha256);
}

/* Both pins of the certificate can be pasted from the text. */
static void check_refusal(const struct judged *row)
{
	struct pin pins[2] = {{.is_key = false}, {.is_key = true}};
	char text[2][PIN_TEXT_BYTES];
	cert_digest(row->cert, pins[0].sha256);
	cert_key_digest(row->cert, pins[1].sha256);
	if (!strstr(d.probe.why.text, row->text))
		assert_string_equal(d.probe.why.text, row->text);
	for (size_t i = 0; i < 2; i++) {
		pin_format(&pins[i], text[i]);
		assert_non_null(strstr(d.probe.why.text, text[i]));
	}
}

static void certificate_is_judged(const struct judged *row, int max_version)
{
	struct pin pins[2];
	fill_pins(row->cert, row->pin, pins);
	const struct tls_options options = {.host = row->host,
		.verify = row->verify,
		.pins = pins,
		.n_pins = row->pin == NO_PIN ? 0 : 2};
	duet_serve(&d, row->cert, max_version);
	if (row->chain)
		assert_int_equal(SSL_add1_chain_cert(d.peer.ssl, row->chain->x509), 1);
	d.probe.says = "secret";
	duet_dial(&d, &options);
	assert_int_equal(stream_write(d.probe.s, STR("early ")), 0);

	run_until(&d.loop, d.probe.closed || d.peer.got.n == 12);
	run_idle(&d.loop);

	if (row->text) {
		assert_int_equal(d.probe.opened, 0);
		assert_int_equal(d.probe.why.code, ERR_TLS);
		check_refusal(row);
		assert_slice(buf_str(&d.peer.got), "");
		assert_false(d.peer.is_accepted);
	} else {
		assert_int_equal(d.probe.closed, 0);
		assert_slice(buf_str(&d.peer.got), "early secret");
	}
	duet_end(&d);
}

static void certificate_is_judged_in_every_version(void **state)
{
	certificate_is_judged(*state, 0);
	certificate_is_judged(*state, TLS1_2_VERSION);
}

static void a_refusal_that_is_too_long_is_cut(void **state)
{
	char host[254], names[4096] = "DNS:a.example.org";
	(void)state;
	memset(host, 'h', sizeof(host) - 1);
	host[sizeof(host) - 1] = '\0';
	for (size_t i = 63; i < sizeof(host) - 1; i += 64)
		host[i] = '.';
	for (int i = 0; i < 100; i++)
		strcat(names, ",DNS:another.example.org");
	struct cert cert =
		cert_make(&(struct cert_form){.name = "x", .names = names, .issuer = &d.certs.ca});
	const struct tls_options options = {.host = host, .verify = true};
	duet_serve(&d, &cert, 0);
	duet_dial(&d, &options);

	run_until(&d.loop, d.probe.closed);

	assert_non_null(strstr(d.probe.why.text, "it is for a.example.org, another.example.org, "));
	duet_end(&d);
	cert_free(&cert);
}

static void make_certs(void)
{
	static const char names[] = "DNS:localhost";
	struct cert_form form = {.name = "localhost", .names = names, .issuer = &d.certs.ca};
	struct cert stranger = cert_make(&(struct cert_form){.name = "Test Stranger"});
	certs_make(&d.certs);
	old_ca = cert_make(&(struct cert_form){
		.name = "Test Old CA", .until = 1000000000, .issuer = &d.certs.ca});
	form.from = SECONDS_2040;
	form.until = SECONDS_2040 + 3600;
	future = cert_make(&form);
	form.from = form.until = 0;
	form.usage = "clientAuth";
	for_clients = cert_make(&form);
	form.usage = NULL;
	form.rsa_bits = 1024;
	weak_key = cert_make(&form);
	form.rsa_bits = 0;
	form.is_sha1 = true;
	weak_sign = cert_make(&form);
	form.is_sha1 = false;
	form.name = "server";
	form.issuer = &d.certs.good;
	by_no_ca = cert_make(&form);
	form.name = "localhost";
	form.issuer = &old_ca;
	by_old_ca = cert_make(&form);
	form.issuer = &stranger;
	by_stranger = cert_make(&form);
	const struct cert impostor = {d.certs.ca.x509, stranger.key};
	form.issuer = &impostor;
	forged = cert_make(&form);
	cert_free(&stranger);
}

static void free_certs(void)
{
	struct cert *all[] = {&old_ca, &future, &by_no_ca, &for_clients, &weak_key, &weak_sign,
		&by_old_ca, &by_stranger, &forged};
	for (size_t i = 0; i < COUNTOF(all); i++)
		cert_free(all[i]);
	certs_free(&d.certs);
}

int main(void)
{
	struct check c = {0};
	make_certs();
	check_rows(&c, judged_rows, certificate_is_judged_in_every_version);
	check_test(&c, a_refusal_that_is_too_long_is_cut);
	int r = check_run(&c, "tls_trust");
	free_certs();
	return r;
}
