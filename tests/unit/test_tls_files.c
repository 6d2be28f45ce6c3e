#include "base/log.h"
#include "support/duet.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static struct duet d;

/* In a folder of their own: our certificate, and what could be taken for it. */
static char folder[] = "/tmp/ebb-test-tls-XXXXXX";
static const char *const names[] = {"ours.pem", "ours.key", "both.pem", "chain.pem", "other.key",
	"ed25519.key", "locked.key", "weak.pem", "weak.key", "text", "renewed.pem", "renewed.key",
	"live.pem", "live.key", "live-ca.pem"};

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
	c->x509 = X509_dup(d.certs.self_signed.x509);
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
	cert_append(path_of("ours.pem"), &d.certs.good);
	key_append(path_of("ours.key"), d.certs.good.key, NULL);
	cert_append(path_of("renewed.pem"), &d.certs.wrong_name);
	key_append(path_of("renewed.key"), d.certs.wrong_name.key, NULL);
	key_append(path_of("both.pem"), d.certs.good.key, NULL);
	cert_append(path_of("both.pem"), &d.certs.good);
	cert_append(path_of("chain.pem"), &d.certs.good);
	cert_append(path_of("chain.pem"), &d.certs.ca);
	key_append(path_of("other.key"), d.certs.ca.key, NULL);
	key_append(path_of("ed25519.key"), ed25519, NULL);
	key_append(path_of("locked.key"), d.certs.good.key, "open sesame");
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

static void a_ca_file_that_is_missing_is_named(void **state)
{
	(void)state;
	struct tls_context *none;
	const struct tls_files files = {.ca = "/nonexistent/ca.pem"};
	assert_int_equal(tls_context_new(&files, &none, &d.err), ERR_CONFIG);
	assert_non_null(strstr(d.err.text, "/nonexistent/ca.pem"));
}

static void the_systems_cas_do_not_know_ours(void **state)
{
	(void)state;
	duet_serve(&d, &d.certs.good, 0);
	const struct tls_files files = {.ca = NULL};
	duet_set_files(&d, &files);
	duet_dial_verified(&d);

	run_until(&d.loop, d.probe.closed);

	assert_int_equal(d.probe.why.code, ERR_TLS);
	assert_non_null(strstr(d.probe.why.text, "unable to get local issuer certificate"));
	duet_end(&d);
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
	const struct tls_files files = {d.certs.ca_file, path_of(cert), path_of(key)};
	duet_serve(&d, &d.certs.good, max_version);
	duet_set_files(&d, &files);
	SSL_set_verify(d.peer.ssl, SSL_VERIFY_PEER, accept_any);
	duet_dial_verified(&d);
	run_until(&d.loop, d.probe.opened && d.peer.is_accepted);
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
	duet_say(&d, "after it");
	run_until(&d.loop, d.peer.got.n);

	X509 *seen = SSL_get0_peer_certificate(d.peer.ssl);
	const STACK_OF(X509) *chain = SSL_get_peer_cert_chain(d.peer.ssl);
	assert_int_equal(seen != NULL, row->n > 0);
	if (seen)
		assert_int_equal(X509_cmp(seen, d.certs.good.x509), 0);
	assert_int_equal(seen ? 1 + sk_X509_num(chain) : 0, row->n);
	duet_end(&d);
}

static void the_server_sees_our_certificate_in_every_version(void **state)
{
	server_sees(*state, 0);
	server_sees(*state, TLS1_2_VERSION);
}

static int refuse_as_expired(X509_STORE_CTX *store, void *data)
{
	(void)data;
	X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_HAS_EXPIRED);
	return 0;
}

static void a_certificate_that_the_server_refuses_is_told_so(void **state)
{
	static const int versions[] = {0, TLS1_2_VERSION};
	const struct tls_files files = {d.certs.ca_file, path_of("both.pem"), NULL};
	(void)state;
	for (size_t i = 0; i < COUNTOF(versions); i++) {
		SSL_CTX *server = peer_context(&d.certs.good, versions[i]);
		SSL_CTX_set_verify(server, SSL_VERIFY_PEER, NULL);
		SSL_CTX_set_cert_verify_callback(server, refuse_as_expired, NULL);
		duet_serve_again(&d, server);
		duet_set_files(&d, &files);
		duet_dial_verified(&d);

		run_until(&d.loop, d.probe.closed);

		assert_int_equal(d.probe.why.code, ERR_TLS);
		assert_string_equal(d.probe.why.text,
			"the server does not accept our certificate (tls_cert): it has expired");
		duet_end(&d);
		SSL_CTX_free(server);
	}
}

static void a_server_that_does_not_ask_sees_no_certificate(void **state)
{
	const struct tls_files files = {d.certs.ca_file, path_of("both.pem"), NULL};
	(void)state;
	duet_serve(&d, &d.certs.good, 0);
	duet_set_files(&d, &files);
	duet_dial_verified(&d);
	run_until(&d.loop, d.probe.opened && d.peer.is_accepted);

	assert_null(SSL_get0_peer_certificate(d.peer.ssl));
	duet_end(&d);
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
	if (strncmp(d.err.text, expected, strlen(expected)) != 0)
		assert_string_equal(d.err.text, expected);
}

static void a_file_is_refused(void **state)
{
	const struct refused_file *row = *state;
	const struct tls_files files = {d.certs.ca_file, path_of(row->cert), path_of(row->key)};
	struct tls_context *none;

	assert_int_equal(tls_context_new(&files, &none, &d.err), ERR_CONFIG);
	check_refusal(row, "tls: ");

	int r = tls_check_cert(files.cert, &d.err);
	assert_int_equal(r, strstr(row->text, "certificate:") || strstr(row->text, "no certificate")
				    ? ERR_CONFIG
				    : 0);
	if (r == 0)
		assert_int_equal(tls_check_key(files.cert, files.key, &d.err), ERR_CONFIG);
	check_refusal(row, "");
	assert_int_equal(ERR_peek_error(), 0);
}

static void good_files_pass(void **state)
{
	(void)state;
	assert_int_equal(tls_check_cert(path_of("ours.pem"), &d.err), 0);
	assert_int_equal(tls_check_key(path_of("ours.pem"), path_of("ours.key"), &d.err), 0);
	assert_int_equal(tls_check_key(path_of("both.pem"), NULL, &d.err), 0);
}

/* Files that change. */

static struct buf told;

static void write_down(enum log_level level, struct str text, void *data)
{
	(void)level;
	(void)data;
	assert_int_equal(buf_addf(&told, "%" STR_F "\n", STR_A(text)), 0);
}

/* In place of what was there. */
static void put(const char *cert, const char *key)
{
	char command[300];
	snprintf(command, sizeof(command), "cp %s %s", path_of(cert ? cert : key),
		path_of(cert ? "live.pem" : "live.key"));
	assert_int_equal(system(command), 0);
}

static void start_with_live_files(void)
{
	buf_init(&told, 4096);
	log_set_sink(write_down, NULL);
	put("ours.pem", NULL);
	put(NULL, "ours.key");
	const struct tls_files files = {d.certs.ca_file, path_of("live.pem"), path_of("live.key")};
	duet_set_files(&d, &files);
}

static void end_with_live_files(void)
{
	duet_end(&d);
	log_set_sink(NULL, NULL);
	buf_fini(&told);
}

/* Whether the next connection shows that certificate. */
static bool shows(const struct cert *cert)
{
	duet_serve(&d, &d.certs.good, 0);
	SSL_set_verify(d.peer.ssl, SSL_VERIFY_PEER, accept_any);
	duet_dial_verified(&d);
	run_until(&d.loop, d.probe.opened && d.peer.is_accepted);
	const X509 *seen = SSL_get0_peer_certificate(d.peer.ssl);
	bool is_it = seen && X509_cmp(seen, cert->x509) == 0;
	duet_hang_up(&d);
	return is_it;
}

static void a_renewed_certificate_is_shown_from_the_next_connection_on(void **state)
{
	(void)state;
	start_with_live_files();
	assert_true(shows(&d.certs.good));

	put("renewed.pem", NULL);
	put(NULL, "renewed.key");

	assert_true(shows(&d.certs.wrong_name));
	assert_true(shows(&d.certs.wrong_name));
	assert_non_null(strstr(buf_str(&told).p, "tls: read anew: /tmp/ebb-test-ca-"));
	assert_null(strchr(strchr(buf_str(&told).p, '\n') + 1, '\n')); /* one line */
	end_with_live_files();
}

static void between_the_new_certificate_and_its_key_the_old_pair_is_shown(void **state)
{
	(void)state;
	char expected[300];
	start_with_live_files();

	put("renewed.pem", NULL);
	for (int i = 0; i < 3; i++)
		assert_true(shows(&d.certs.good));
	snprintf(expected, sizeof(expected),
		"tls: %s: is not the key of %s; stays with what was read before\n",
		path_of("live.key"), path_of("live.pem"));
	assert_slice(buf_str(&told), expected);

	put(NULL, "renewed.key");
	assert_true(shows(&d.certs.wrong_name));
	end_with_live_files();
}

static void a_certificate_that_is_removed_is_shown_on(void **state)
{
	(void)state;
	start_with_live_files();

	unlink(path_of("live.pem"));
	assert_true(shows(&d.certs.good));
	assert_non_null(strstr(buf_str(&told).p, "No such file"));

	put("ours.pem", NULL);
	assert_true(shows(&d.certs.good));
	assert_non_null(strstr(buf_str(&told).p, "read anew"));
	end_with_live_files();
}

/* It is read when there is one again, though nothing has changed since. */
static void a_renewed_certificate_waits_for_a_descriptor(void **state)
{
	(void)state;
	struct rlimit limit, none;
	start_with_live_files();
	put("renewed.pem", NULL);
	put(NULL, "renewed.key");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 3;

	duet_serve(&d, &d.certs.good, 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	duet_dial_verified(&d);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	duet_hang_up(&d);

	assert_non_null(strstr(buf_str(&told).p, "stays with what was read before"));
	assert_true(shows(&d.certs.wrong_name));
	end_with_live_files();
}

static void authorities_that_change_are_trusted_from_the_next_connection_on(void **state)
{
	(void)state;
	struct cert other = cert_make(&(struct cert_form){.name = "Other CA"});
	start_with_live_files();
	const struct tls_files files = {.ca = path_of("live-ca.pem")};
	cert_append(files.ca, &d.certs.ca);
	duet_set_files(&d, &files);
	assert_false(shows(&d.certs.good)); /* there is none to show, and it opens */

	unlink(path_of("live-ca.pem"));
	assert_false(shows(&d.certs.good));
	assert_non_null(
		strstr(buf_str(&told).p, "live-ca.pem: No such file or directory; stays with "
					 "what was read before"));

	cert_append(path_of("live-ca.pem"), &other);
	duet_serve(&d, &d.certs.good, 0);
	duet_dial_verified(&d);
	run_until(&d.loop, d.probe.closed);

	assert_non_null(strstr(d.probe.why.text, "unable to get local issuer certificate"));
	end_with_live_files();
	cert_free(&other);
}

int main(void)
{
	struct check c = {0};
	certs_make(&d.certs);
	make_files();
	check_test(&c, a_ca_file_that_is_missing_is_named);
	check_test(&c, the_systems_cas_do_not_know_ours);
	check_rows(&c, shown_rows, the_server_sees_our_certificate_in_every_version);
	check_test(&c, a_certificate_that_the_server_refuses_is_told_so);
	check_test(&c, a_server_that_does_not_ask_sees_no_certificate);
	check_rows(&c, refused_files, a_file_is_refused);
	check_test(&c, good_files_pass);
	check_test(&c, a_renewed_certificate_is_shown_from_the_next_connection_on);
	check_test(&c, between_the_new_certificate_and_its_key_the_old_pair_is_shown);
	check_test(&c, a_certificate_that_is_removed_is_shown_on);
	check_test(&c, a_renewed_certificate_waits_for_a_descriptor);
	check_test(&c, authorities_that_change_are_trusted_from_the_next_connection_on);
	int r = check_run(&c, "tls_files");
	remove_files();
	certs_free(&d.certs);
	return r;
}
