#include "net/tls.h"
#include "support/peer.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct certs certs;
static struct loop loop;
static struct peer peer;
static struct probe probe;
static struct tls_context *context;
static struct err err;
static int ours; /* where the next client starts */

/* In a folder of their own: our certificate, and what could be taken for it. */
static char folder[] = "/tmp/ebb-test-tls-XXXXXX";
static const char *const names[] = {"ours.pem", "ours.key", "both.pem", "chain.pem", "other.key",
	"ed25519.key", "locked.key", "weak.pem", "weak.key", "text"};

static const char *path_of(const char *name)
{
	static char paths[4][64];
	static unsigned next;
	char *path = paths[next++ % COUNTOF(paths)];
	if (!name)
		return NULL;
	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

/* A key that OpenSSL's level of security refuses in a certificate. */
static void make_weak(struct cert *c)
{
	c->key = EVP_RSA_gen(512);
	c->x509 = X509_dup(certs.self_signed.x509);
	assert_non_null(c->key);
	assert_int_equal(X509_set_pubkey(c->x509, c->key), 1);
	assert_true(X509_sign(c->x509, c->key, EVP_sha256()));
}

static void make_files(void)
{
	struct cert weak;
	EVP_PKEY *ed25519 = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	if (!mkdtemp(folder))
		abort();
	make_weak(&weak);
	cert_append(path_of("ours.pem"), &certs.good);
	key_append(path_of("ours.key"), certs.good.key, NULL);
	key_append(path_of("both.pem"), certs.good.key, NULL);
	cert_append(path_of("both.pem"), &certs.good);
	cert_append(path_of("chain.pem"), &certs.good);
	cert_append(path_of("chain.pem"), &certs.ca);
	key_append(path_of("other.key"), certs.ca.key, NULL);
	key_append(path_of("ed25519.key"), ed25519, NULL);
	key_append(path_of("locked.key"), certs.good.key, "open sesame");
	cert_append(path_of("weak.pem"), &weak);
	key_append(path_of("weak.key"), weak.key, NULL);
	FILE *f = fopen(path_of("text"), "we");
	fputs("no PEM\n", f);
	fclose(f);
	EVP_PKEY_free(ed25519);
	EVP_PKEY_free(weak.key);
	X509_free(weak.x509);
}

static void remove_files(void)
{
	for (size_t i = 0; i < COUNTOF(names); i++)
		unlink(path_of(names[i]));
	rmdir(folder);
}

static void start_loop(int fds[2])
{
	test_loop_init(&loop);
	tcp_pair(fds);
	ours = fds[0];
	probe_init(&probe);
	const struct tls_files files = {.ca = certs.ca_file};
	assert_int_equal(tls_context_new(&files, &context, &err), 0);
}

static void start_server(const struct cert *cert, int max_version)
{
	int fds[2];
	start_loop(fds);
	peer_init_tls(&peer, &loop, fds[1], cert, max_version);
}

static void start_plain_server(void)
{
	int fds[2];
	start_loop(fds);
	peer_init(&peer, &loop, fds[1]);
}

static void start_client(const struct tls_options *options)
{
	assert_int_equal(tls_stream_new(&loop, context, ours, options, &probe_events, &probe,
				 &probe.s, &err),
		0);
}

static void start_verified_client(void)
{
	const struct tls_options options = {.host = "localhost", .verify = true};
	start_client(&options);
}

/* A verified connection over the newest TLS, or the given. */
static void start_version(int max_version)
{
	start_server(&certs.good, max_version);
	start_verified_client();
	run_until(&loop, probe.opened && peer.is_accepted);
}

static void start(void)
{
	start_version(0);
}

static void end(void)
{
	probe_fini(&probe);
	peer_fini(&peer);
	tls_context_free(context);
	test_loop_fini(&loop);
}

static void say(const char *bytes)
{
	assert_int_equal(stream_write(probe.s, str_of(bytes)), 0);
}

enum pin { NO_PIN, RIGHT_PIN, WRONG_PIN, SECOND_PIN };

struct judged {
	const char *name;
	const struct cert *cert;
	const char *host;
	bool verify;
	enum pin pin;
	const char *text; /* part of the refusal; NULL: accepted */
};

static const struct judged judged_rows[] = {
	{"a good name",			 &certs.good,        "localhost",  true,  NO_PIN,     NULL},
	{"a good name in capitals",             &certs.good,        "LOCALHOST",  true,  NO_PIN,     NULL},
	{"a good name with its dot",            &certs.good,        "localhost.", true,  NO_PIN,     NULL},
	{"a good address",                      &certs.good,        "127.0.0.1",  true,  NO_PIN,     NULL},
	{"a pin for a self-signed one",         &certs.self_signed, "localhost",  true,  RIGHT_PIN,  NULL},
	{"a pin for a wrong name",              &certs.wrong_name,  "localhost",  true,  RIGHT_PIN,  NULL},
	{"a pin for an expired one",            &certs.expired,     "localhost",  true,  RIGHT_PIN,  NULL},
	{"the second of two pins",              &certs.self_signed, "localhost",  true,  SECOND_PIN, NULL},
	{"no verification",                     &certs.self_signed, "elsewhere",  false, NO_PIN,     NULL},
	{"an unknown CA",                       &certs.self_signed, "localhost",  true,  NO_PIN,
         "certificate does not verify: self-signed certificate (set tls_ca to the CA's "
		"file, or tls_fingerprint to "							   },
	{"a wrong name",                        &certs.wrong_name,  "localhost",  true,  NO_PIN,
         "certificate does not verify: hostname mismatch: it is for irc.example.org, "
		"192.0.2.1, not for localhost (set host to a name that it is for, or tls_fingerprint"    },
	{"a wrong address",                     &certs.wrong_name,  "127.0.0.1",  true,  NO_PIN,
         "certificate does not verify: IP address mismatch: it is for irc.example.org, "
		"192.0.2.1, not for 127.0.0.1 (set host"                                                 },
	{"an expired one",                      &certs.expired,     "localhost",  true,  NO_PIN,
         "certificate does not verify: certificate has expired: on 2001-09-09 01:46 UTC (look at "
		"this machine's clock; to trust it all the same, set tls_fingerprint to "                },
	{"a wrong pin",			 &certs.self_signed, "localhost",  true,  WRONG_PIN,
         "the certificate is not the pinned one (if it was renewed, set tls_fingerprint to "             },
	{"a wrong pin where the chain is good", &certs.good,        "localhost",  true,  WRONG_PIN,
         "the certificate is not the pinned one"							 },
	{"a wrong pin without verification",    &certs.good,        "localhost",  false, WRONG_PIN,
         "the certificate is not the pinned one (if it was renewed, set tls_fingerprint to "             },
};

static void certificate_is_judged(const struct judged *row, int max_version)
{
	unsigned char pins[2][TLS_PIN_BYTES] = {{0}};
	if (row->pin == RIGHT_PIN || row->pin == SECOND_PIN)
		cert_digest(row->cert, pins[row->pin == SECOND_PIN]);
	const struct tls_options options = {
		row->host, row->verify, pins, row->pin == NO_PIN ? 0 : 2};
	start_server(row->cert, max_version);
	probe.says = "secret";
	start_client(&options);
	assert_int_equal(stream_write(probe.s, STR("early ")), 0);

	run_until(&loop, probe.closed || peer.got.n == 12);
	run_idle(&loop);

	if (row->text) {
		assert_int_equal(probe.opened, 0);
		assert_int_equal(probe.why.code, ERR_TLS);
		if (!strstr(probe.why.text, row->text))
			assert_string_equal(probe.why.text, row->text);
		assert_slice(buf_str(&peer.got), "");
		assert_false(peer.is_accepted);
	} else {
		assert_int_equal(probe.closed, 0);
		assert_slice(buf_str(&peer.got), "early secret");
	}
	end();
}

static void certificate_is_judged_in_every_version(void **state)
{
	certificate_is_judged(*state, 0);
	certificate_is_judged(*state, TLS1_2_VERSION);
}

static void a_refusal_shows_the_fingerprint_to_pin(void **state)
{
	(void)state;
	unsigned char digest[32];
	char hex[65];
	cert_digest(&certs.self_signed, digest);
	for (size_t i = 0; i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	start_server(&certs.self_signed, 0);
	start_verified_client();

	run_until(&loop, probe.closed);

	assert_non_null(strstr(probe.why.text, hex));
	end();
}

static void the_name_is_sent_and_an_address_is_not(void **state)
{
	(void)state;
	const struct tls_options by_address = {.host = "127.0.0.1", .verify = true};
	start();
	assert_string_equal(SSL_get_servername(peer.ssl, TLSEXT_NAMETYPE_host_name), "localhost");
	end();

	start_server(&certs.good, 0);
	start_client(&by_address);
	run_until(&loop, peer.is_accepted);
	assert_null(SSL_get_servername(peer.ssl, TLSEXT_NAMETYPE_host_name));
	end();
}

static void a_host_that_is_no_name_is_refused(void **state)
{
	(void)state;
	char longest[300];
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	const struct tls_options options = {.host = longest, .verify = true};
	start_server(&certs.good, 0);
	size_t before = count_fds();

	assert_int_equal(tls_stream_new(&loop, context, ours, &options, &probe_events, &probe,
				 &probe.s, &err),
		ERR_INVALID);

	assert_int_equal(count_fds(), before - 1);
	run_until(&loop, peer.is_eof);
	assert_int_equal(probe.closed, 0);
	end();
}

static void a_ca_file_that_is_missing_is_named(void **state)
{
	(void)state;
	struct tls_context *none;
	const struct tls_files files = {.ca = "/nonexistent/ca.pem"};
	assert_int_equal(tls_context_new(&files, &none, &err), ERR_CONFIG);
	assert_non_null(strstr(err.text, "/nonexistent/ca.pem"));
}

static void the_systems_cas_do_not_know_ours(void **state)
{
	(void)state;
	start_server(&certs.good, 0);
	tls_context_free(context);
	const struct tls_files files = {.ca = NULL};
	assert_int_equal(tls_context_new(&files, &context, &err), 0);
	start_verified_client();

	run_until(&loop, probe.closed);

	assert_int_equal(probe.why.code, ERR_TLS);
	assert_non_null(strstr(probe.why.text, "unable to get local issuer certificate"));
	end();
}

static int accept_any(int ok, X509_STORE_CTX *store)
{
	(void)ok;
	(void)store;
	return 1;
}

/* A connection to a server that asks for a certificate. */
static void start_asked(const char *cert, const char *key, int max_version)
{
	const struct tls_files files = {certs.ca_file, path_of(cert), path_of(key)};
	start_server(&certs.good, max_version);
	tls_context_free(context);
	assert_int_equal(tls_context_new(&files, &context, &err), 0);
	SSL_set_verify(peer.ssl, SSL_VERIFY_PEER, accept_any);
	start_verified_client();
	run_until(&loop, probe.opened && peer.is_accepted);
}

static const struct shown {
	const char *name, *cert, *key;
	int n; /* certificates that the server gets */
} shown_rows[] = {
	{"no certificate is shown",                       NULL,        NULL,       0},
	{"a certificate is shown",                        "ours.pem",  "ours.key", 1},
	{"a certificate in the file of its key is shown", "both.pem",  NULL,       1},
	{"a certificate is shown with its chain",         "chain.pem", "ours.key", 2},
};

static void server_sees(const struct shown *row, int max_version)
{
	start_asked(row->cert, row->key, max_version);
	say("after it");
	run_until(&loop, peer.got.n);

	X509 *seen = SSL_get0_peer_certificate(peer.ssl);
	const STACK_OF(X509) *chain = SSL_get_peer_cert_chain(peer.ssl);
	assert_int_equal(seen != NULL, row->n > 0);
	if (seen)
		assert_int_equal(X509_cmp(seen, certs.good.x509), 0);
	assert_int_equal(seen ? 1 + sk_X509_num(chain) : 0, row->n);
	end();
}

static void the_server_sees_our_certificate_in_every_version(void **state)
{
	server_sees(*state, 0);
	server_sees(*state, TLS1_2_VERSION);
}

static void a_server_that_does_not_ask_sees_no_certificate(void **state)
{
	const struct tls_files files = {certs.ca_file, path_of("both.pem"), NULL};
	(void)state;
	start_server(&certs.good, 0);
	tls_context_free(context);
	assert_int_equal(tls_context_new(&files, &context, &err), 0);
	start_verified_client();
	run_until(&loop, probe.opened && peer.is_accepted);

	assert_null(SSL_get0_peer_certificate(peer.ssl));
	end();
}

/* %s in the text: the folder. */
static const struct refused_file {
	const char *name, *cert, *key, *at, *text;
} refused_files[] = {
	{"a certificate that is not there", "nope",     NULL,          "nope",
         ": cannot use the certificate: No such file or directory"                                                   },
	{"a certificate that is none",      "text",     "ours.key",    "text",        ": holds no certificate in PEM"},
	{"a key in place of a certificate", "ours.key", NULL,          "ours.key",
         ": holds no certificate in PEM"									     },
	{"a certificate of a weak key",     "weak.pem", "weak.key",    "weak.pem",
         ": cannot use the certificate: ee key too small"                                                            },
	{"a certificate without a key",     "ours.pem", NULL,          "ours.pem",
         ": holds no private key in PEM"									     },
	{"a key that is not there",         "ours.pem", "nope",        "nope",
         ": cannot use the private key: No such file or directory"                                                   },
	{"a key that is none",              "ours.pem", "text",        "text",        ": holds no private key in PEM"},
	{"the key of another certificate",  "ours.pem", "other.key",   "other.key",
         ": is not the key of "										      },
	{"a key of another kind",           "ours.pem", "ed25519.key", "ed25519.key", ": is not the key of "         },
	{"a key with a passphrase",         "ours.pem", "locked.key",  "locked.key",
         ": the key is locked with a passphrase; store it without"                                                   },
};

/* err is about the file, after prefix. */
static void check_refusal(const struct refused_file *row, const char *prefix)
{
	char expected[200];
	snprintf(expected, sizeof(expected), "%s%s%s", prefix, path_of(row->at), row->text);
	if (strncmp(err.text, expected, strlen(expected)) != 0)
		assert_string_equal(err.text, expected);
}

static void a_file_is_refused(void **state)
{
	const struct refused_file *row = *state;
	const struct tls_files files = {certs.ca_file, path_of(row->cert), path_of(row->key)};
	struct tls_context *none;

	assert_int_equal(tls_context_new(&files, &none, &err), ERR_CONFIG);
	check_refusal(row, "tls: ");

	int r = tls_check_cert(files.cert, &err);
	assert_int_equal(r, strstr(row->text, "certificate:") || strstr(row->text, "no certificate")
				    ? ERR_CONFIG
				    : 0);
	if (r == 0)
		assert_int_equal(tls_check_key(files.cert, files.key, &err), ERR_CONFIG);
	check_refusal(row, "");
	assert_int_equal(ERR_peek_error(), 0);
}

static void good_files_pass(void **state)
{
	(void)state;
	assert_int_equal(tls_check_cert(path_of("ours.pem"), &err), 0);
	assert_int_equal(tls_check_key(path_of("ours.pem"), path_of("ours.key"), &err), 0);
	assert_int_equal(tls_check_key(path_of("both.pem"), NULL, &err), 0);
}

static void a_context_may_be_given_up_while_streams_live(void **state)
{
	(void)state;
	start();
	tls_context_free(context);
	context = NULL;

	say("still here");
	run_until(&loop, peer.got.n);

	end();
}

static const struct {
	const char *name;
	int version;
	const char *text;
} versions[] = {
	{"TLS 1.3 is spoken", TLS1_3_VERSION, "TLSv1.3"},
	{"TLS 1.2 is spoken", TLS1_2_VERSION, "TLSv1.2"},
};

static void version_is_spoken(void **state)
{
	const struct {
		const char *name;
		int version;
		const char *text;
	} *row = *state;
	struct tls_facts facts;
	unsigned char digest[32];
	char first[3];
	start_version(row->version);

	say("to the peer");
	peer_send(&peer, STR("to us"));
	run_until(&loop, peer.got.n == 11 && probe.got.n == 5);
	tls_describe(probe.s, &facts);

	assert_string_equal(facts.version, row->text);
	cert_digest(&certs.good, digest);
	snprintf(first, sizeof(first), "%02x", digest[0]);
	assert_memory_equal(facts.fingerprint, first, 2);
	assert_int_equal(strlen(facts.fingerprint), 64);
	end();
}

static void tls_1_1_is_refused(void **state)
{
	(void)state;
	start_server(&certs.good, TLS1_1_VERSION);
	probe.says = "secret";
	start_verified_client();

	run_until(&loop, probe.closed);

	assert_int_equal(probe.why.code, ERR_TLS);
	assert_string_equal(probe.why.text, "the server offers no TLS 1.2 or newer");
	assert_int_equal(peer.got.n, 0);
	end();
}

static const struct garbage {
	const char *name, *bytes;
	bool resets;
} garbage_rows[] = {
	{"a plain IRC server",         ":irc.example NOTICE * :*** Looking up your hostname\r\n", false},
	{"a plain server that resets", "NOTICE AUTH :*** hello\r\n",                              true },
	{"a web server",               "HTTP/1.1 400 Bad Request\r\n\r\n",                        false},
	{"an SSH server",              "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",                      false},
};

static void a_server_without_tls_is_told_as_such(void **state)
{
	const struct garbage *row = *state;
	start_plain_server();
	probe.says = "secret";
	start_verified_client();

	run_until(&loop, peer.got.n);
	peer_send(&peer, str_of(row->bytes));
	if (row->resets)
		peer_reset(&peer);
	run_until(&loop, probe.closed);
	run_idle(&loop);

	assert_int_equal(probe.why.code, ERR_TLS);
	assert_string_equal(probe.why.text, "the server does not speak TLS on this port");
	assert_int_equal(str_find(buf_str(&peer.got), '\x16'), 0);
	end();
}

static void an_end_within_the_handshake_is_told_as_such(void **state)
{
	(void)state;
	start_plain_server();
	start_verified_client();

	run_until(&loop, peer.got.n);
	peer_cut(&peer);
	run_until(&loop, probe.closed);

	assert_int_equal(probe.why.code, ERR_CLOSED);
	assert_string_equal(probe.why.text, "tls handshake: closed by the server");
	end();
}

static void a_reset_within_the_handshake_is_told_as_such(void **state)
{
	(void)state;
	start_plain_server();
	start_verified_client();

	run_until(&loop, peer.got.n);
	peer_reset(&peer);
	run_until(&loop, probe.closed);

	assert_int_equal(probe.why.code, ERR_CLOSED);
	assert_string_equal(probe.why.text, "tls handshake: connection reset by peer");
	end();
}

static void everything_works_byte_by_byte(void **state)
{
	(void)state;
	start_server(&certs.good, 0);
	peer.is_dripping = true;
	start_verified_client();

	run_until(&loop, probe.opened && peer.is_accepted);
	peer_send(&peer, STR("drop by drop"));
	peer_close(&peer);
	run_until(&loop, probe.closed);

	assert_slice(buf_str(&probe.got), "drop by drop");
	assert_string_equal(probe.why.text, "closed by the server");
	end();
}

static void bytes_that_openssl_holds_are_read_without_the_socket(void **state)
{
	(void)state;
	enum { RECORDS = 1000 };
	start();
	run_idle(&loop);

	for (int i = 0; i < RECORDS; i++)
		peer_send(&peer, STR("x"));
	run_until(&loop, probe.got.n == RECORDS);

	assert_true(probe.datas > 2); /* none took more than its share */
	end();
}

static void a_pause_leaves_the_rest_in_openssl_until_it_is_resumed(void **state)
{
	(void)state;
	enum { RECORDS = 600 };
	start();
	run_idle(&loop);

	for (int i = 0; i < RECORDS; i++)
		peer_send(&peer, STR("x"));
	run_until(&loop, probe.datas == 1);
	stream_pause(probe.s);
	run_idle(&loop);
	assert_int_equal(probe.datas, 1);
	stream_resume(probe.s);
	run_until(&loop, probe.got.n == RECORDS);

	end();
}

static void what_follows_the_handshake_at_once_is_read(void **state)
{
	(void)state;
	start_server(&certs.good, TLS1_2_VERSION);
	peer_listen(&peer, false);
	start_verified_client();
	peer_listen(&peer, true);

	run_until(&loop, peer.is_accepted);
	peer_send(&peer, STR("NOTICE"));
	run_until(&loop, probe.got.n);

	assert_slice(buf_str(&probe.got), "NOTICE");
	end();
}

static void writes_of_one_turn_leave_in_one_record(void **state)
{
	(void)state;
	start();

	for (int i = 0; i < 100; i++)
		say("line\r\n");
	run_until(&loop, peer.got.n == 600);

	assert_int_equal(peer.reads, 1);
	end();
}

static void large_output_waits_for_a_slow_peer(void **state)
{
	(void)state;
	char *bytes = malloc(STREAM_OUT_MAX);
	assert_non_null(bytes);
	for (size_t i = 0; i < STREAM_OUT_MAX; i++)
		bytes[i] = (char)('a' + i % 23);
	start();
	peer_listen(&peer, false);

	for (int i = 0; i < 8; i++) {
		if (stream_write(probe.s, (struct str){bytes, STREAM_OUT_MAX}) < 0)
			break;
		run_idle(&loop);
	}
	assert_true(probe.s->out.n > STREAM_LOW);
	int lows = probe.lows;
	peer_listen(&peer, true);
	run_until(&loop, probe.s->out.n == 0);
	say("end");
	run_until(&loop, peer.got.n % STREAM_OUT_MAX == 3);

	assert_int_equal(probe.lows, lows + 1);
	assert_memory_equal(buf_str(&peer.got).p, bytes, STREAM_OUT_MAX);
	free(bytes);
	end();
}

static void a_flood_is_read_in_shares(void **state)
{
	(void)state;
	enum { FLOOD = 1024 * 1024 };
	size_t most = 0;
	char *bytes = calloc(1, FLOOD);
	assert_non_null(bytes);
	start();

	peer_send(&peer, (struct str){bytes, FLOOD});
	for (size_t had = 0; probe.got.n < FLOOD; had = probe.got.n) {
		run_until(&loop, probe.got.n > had);
		most = probe.got.n - had > most ? probe.got.n - had : most;
	}

	assert_true(most < STREAM_TURN + 16 * 1024);
	free(bytes);
	end();
}

static void a_close_of_the_server_and_a_cut_are_told_apart(void **state)
{
	(void)state;
	start();
	peer_close(&peer);
	run_until(&loop, probe.closed);
	assert_int_equal(probe.why.code, ERR_CLOSED);
	assert_string_equal(probe.why.text, "closed by the server");
	end();

	start();
	peer_send(&peer, STR("last words"));
	peer_cut(&peer);
	run_until(&loop, probe.closed);
	assert_int_equal(probe.why.code, ERR_CLOSED);
	assert_string_equal(probe.why.text, "closed without a TLS close");
	assert_slice(buf_str(&probe.got), "last words");
	end();

	start();
	run_idle(&loop);
	peer_reset(&peer);
	run_until(&loop, probe.closed);
	assert_int_equal(probe.why.code, ERR_CLOSED);
	assert_string_equal(probe.why.text, "connection reset by peer");
	end();
}

static void noise_within_an_open_connection_is_an_error_of_tls(void **state)
{
	(void)state;
	start();

	peer_send_raw(&peer, STR("\x17\x03\x03\x00\x20 this is not what was encrypted!"));
	run_until(&loop, probe.closed);

	assert_int_equal(probe.why.code, ERR_TLS);
	assert_int_equal(probe.got.n, 0);
	end();
}

static void our_close_says_so_to_the_server(void **state)
{
	(void)state;
	start();

	say("QUIT");
	stream_close(probe.s);
	run_until(&loop, peer.is_eof);
	assert_slice(buf_str(&peer.got), "QUIT");
	assert_true(peer.is_notified);
	assert_int_equal(probe.closed, 0);
	peer_close(&peer);
	run_until(&loop, probe.closed);

	assert_int_equal(probe.why.code, ERR_REQUESTED);
	end();
}

static void a_close_within_the_handshake_is_requested(void **state)
{
	(void)state;
	start_plain_server();
	start_verified_client();
	run_until(&loop, peer.got.n);

	stream_close(probe.s);
	run_until(&loop, probe.closed);

	assert_int_equal(probe.why.code, ERR_REQUESTED);
	end();
}

static void a_key_update_is_answered(void **state)
{
	(void)state;
	start();

	assert_int_equal(SSL_key_update(peer.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
	peer_send(&peer, STR("new keys"));
	run_until(&loop, probe.got.n);
	say("ours too");
	run_until(&loop, peer.got.n);

	assert_slice(buf_str(&probe.got), "new keys");
	assert_slice(buf_str(&peer.got), "ours too");
	end();
}

static void a_renegotiation_is_refused(void **state)
{
	(void)state;
	start_version(TLS1_2_VERSION);

	SSL_renegotiate(peer.ssl);
	SSL_do_handshake(peer.ssl);
	peer_flush(&peer);
	run_until(&loop, probe.closed);

	assert_int_equal(probe.why.code, ERR_TLS);
	assert_string_equal(probe.why.text, "the server says: handshake failure");
	end();
}

static const struct freed {
	const char *name, *free_in;
} free_rows[] = {
	{"freed in on_open",  "open" },
	{"freed in on_data",  "data" },
	{"freed in on_low",   "low"  },
	{"freed in on_close", "close"},
};

static void it_may_be_freed_in_an_event(void **state)
{
	const struct freed *row = *state;
	char *bytes = calloc(1, STREAM_HIGH);
	assert_non_null(bytes);
	start_server(&certs.good, 0);
	start_verified_client();
	probe.free_in = row->free_in;

	assert_int_equal(stream_write(probe.s, (struct str){bytes, STREAM_HIGH}), 0);
	run_until(&loop, !probe.s || peer.got.n);
	if (probe.s) {
		peer_send(&peer, STR("x"));
		peer_close(&peer);
	}
	run_until(&loop, !probe.s);
	run_idle(&loop);

	free(bytes);
	end();
}

static void it_may_be_freed_within_the_handshake(void **state)
{
	(void)state;
	start_plain_server();
	start_verified_client();
	size_t before = count_fds();
	run_until(&loop, peer.got.n);

	stream_free(probe.s);
	probe.s = NULL;

	assert_int_equal(count_fds(), before - 1);
	run_idle(&loop);
	assert_int_equal(probe.opened + probe.closed, 0);
	end();
}

int main(void)
{
	struct check c = {0};
	certs_make(&certs);
	make_files();
	check_rows(&c, judged_rows, certificate_is_judged_in_every_version);
	check_test(&c, a_refusal_shows_the_fingerprint_to_pin);
	check_test(&c, the_name_is_sent_and_an_address_is_not);
	check_test(&c, a_host_that_is_no_name_is_refused);
	check_test(&c, a_ca_file_that_is_missing_is_named);
	check_test(&c, the_systems_cas_do_not_know_ours);
	check_rows(&c, shown_rows, the_server_sees_our_certificate_in_every_version);
	check_test(&c, a_server_that_does_not_ask_sees_no_certificate);
	check_rows(&c, refused_files, a_file_is_refused);
	check_test(&c, good_files_pass);
	check_test(&c, a_context_may_be_given_up_while_streams_live);
	check_rows(&c, versions, version_is_spoken);
	check_test(&c, tls_1_1_is_refused);
	check_rows(&c, garbage_rows, a_server_without_tls_is_told_as_such);
	check_test(&c, an_end_within_the_handshake_is_told_as_such);
	check_test(&c, a_reset_within_the_handshake_is_told_as_such);
	check_test(&c, everything_works_byte_by_byte);
	check_test(&c, bytes_that_openssl_holds_are_read_without_the_socket);
	check_test(&c, a_pause_leaves_the_rest_in_openssl_until_it_is_resumed);
	check_test(&c, what_follows_the_handshake_at_once_is_read);
	check_test(&c, writes_of_one_turn_leave_in_one_record);
	check_test(&c, large_output_waits_for_a_slow_peer);
	check_test(&c, a_flood_is_read_in_shares);
	check_test(&c, a_close_of_the_server_and_a_cut_are_told_apart);
	check_test(&c, noise_within_an_open_connection_is_an_error_of_tls);
	check_test(&c, our_close_says_so_to_the_server);
	check_test(&c, a_close_within_the_handshake_is_requested);
	check_test(&c, a_key_update_is_answered);
	check_test(&c, a_renegotiation_is_refused);
	check_rows(&c, free_rows, it_may_be_freed_in_an_event);
	check_test(&c, it_may_be_freed_within_the_handshake);
	int r = check_run(&c, "tls");
	remove_files();
	certs_free(&certs);
	return r;
}
