#include "support/duet.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>

#define KB     1024
#define DAY_NS (24 * 3600 * NS_PER_S)

static struct duet d;
static struct tls_memory memory;
static SSL_CTX *server;
static int64_t ahead_ns; /* what the wall clock is before the system's */

static int64_t mono_ns(void *data)
{
	(void)data;
	return clock_mono_ns(&clock_system);
}

static int64_t wall_ns(void *data)
{
	(void)data;
	return clock_wall_ns(&clock_system) + ahead_ns;
}

static const struct clock clock_ahead = {.mono_ns = mono_ns, .wall_ns = wall_ns};

static const struct tls_options verified = {
	.host = "localhost", .port = 6697, .verify = true, .memory = &memory};

static void make_server(const struct cert *cert, int max_version)
{
	server = peer_context(cert, max_version);
}

/* One connection, in which each side says a word. Returns whether a session was resumed. */
static bool visit_as(const struct tls_options *options)
{
	struct tls_facts facts = {0};
	duet_serve_again(&d, server);
	d.loop.clock = &clock_ahead;
	duet_dial(&d, options);
	run_until(&d.loop, (d.probe.opened && d.peer.is_accepted) || d.probe.closed);
	if (!d.probe.closed) {
		tls_describe(d.probe.s, &facts);
		duet_say(&d, "up");
		peer_send(&d.peer, STR("down"));
		run_until(&d.loop, d.peer.got.n == 2 && d.probe.got.n == 4);
		assert_int_equal(facts.is_resumed, SSL_session_reused(d.peer.ssl));
	}
	SSL_shutdown(d.peer.ssl); /* a server forgets what was cut off */
	duet_hang_up(&d);
	return facts.is_resumed;
}

static bool visit(void)
{
	return visit_as(&verified);
}

static void end(void)
{
	duet_end(&d);
	SSL_CTX_free(server);
	tls_memory_fini(&memory);
	ahead_ns = 0;
}

static const struct version {
	const char *name;
	int max;
	bool has_tickets;
} versions[] = {
	{"TLS 1.3",               TLS1_3_VERSION, true },
	{"TLS 1.2 with tickets",  TLS1_2_VERSION, true },
	{"TLS 1.2 with sessions", TLS1_2_VERSION, false},
};

static void start(const struct version *v)
{
	make_server(&d.certs.good, v->max);
	if (!v->has_tickets)
		SSL_CTX_set_options(server, SSL_OP_NO_TICKET);
}

static void a_session_is_resumed(void **state)
{
	start(*state);

	assert_false(visit());
	for (int i = 0; i < 4; i++)
		assert_true(visit());

	end();
}

static void a_resumed_session_tells_whom_it_began_with(void **state)
{
	struct tls_facts facts;
	unsigned char digest[32];
	start(*state);
	visit();

	duet_serve_again(&d, server);
	duet_dial(&d, &verified);
	run_until(&d.loop, d.probe.opened);
	tls_describe(d.probe.s, &facts);

	assert_true(facts.is_resumed);
	cert_digest(&d.certs.good, digest);
	assert_memory_equal(facts.server.certificate.sha256, digest, sizeof(digest));
	end();
}

static void a_session_of_tls_1_3_is_offered_once(void **state)
{
	(void)state;
	make_server(&d.certs.good, 0);
	visit();
	assert_non_null(memory.session);

	duet_serve_again(&d, server);
	duet_dial(&d, &verified);
	assert_null(memory.session);
	duet_hang_up(&d);

	assert_false(visit());
	end();
}

static void a_session_without_the_extended_master_secret_is_not_resumed(void **state)
{
	(void)state;
	make_server(&d.certs.good, TLS1_2_VERSION);
	SSL_CTX_set_options(server, SSL_OP_NO_EXTENDED_MASTER_SECRET);
	for (int i = 0; i < 3; i++)
		assert_false(visit());
	assert_int_equal(d.probe.opened, 1);
	end();
}

static const struct pin pin = {.sha256 = {1}};

/* What a session that visit has left is not resumed under. */
static const struct {
	const char *name;
	struct tls_options options;
} terms[] = {
	{"another host",    {.host = "127.0.0.1", .port = 6697, .verify = true, .memory = &memory}},
	{"another port",    {.host = "localhost", .port = 6698, .verify = true, .memory = &memory}},
	{"no verification", {.host = "localhost", .port = 6697, .memory = &memory}                },
	{"a pin",           {.host = "localhost",
			  .port = 6697,
			  .verify = true,
			  .pins = &pin,
			  .n_pins = 1,
			  .memory = &memory}                                     },
};

static void other_terms_take_a_full_handshake(void **state)
{
	const struct {
		const char *name;
		struct tls_options options;
	} *row = *state;
	make_server(&d.certs.good, 0);
	visit();
	assert_true(visit());

	assert_false(visit_as(&row->options));

	assert_false(visit());
	end();
}

static void what_was_not_verified_is_not_resumed_where_it_is_to_be(void **state)
{
	struct tls_options lax = verified;
	(void)state;
	lax.verify = false;
	make_server(&d.certs.self_signed, 0);
	assert_false(visit_as(&lax));
	assert_true(visit_as(&lax));

	assert_false(visit());

	assert_int_equal(d.probe.opened, 0);
	assert_non_null(strstr(d.probe.why.text, "self-signed certificate"));
	end();
}

static void a_pin_that_is_taken_back_ends_its_sessions(void **state)
{
	struct pin pins[2] = {{0}};
	struct tls_options pinned = verified;
	(void)state;
	cert_digest(&d.certs.self_signed, pins[0].sha256);
	pinned.pins = pins;
	pinned.n_pins = 1;
	make_server(&d.certs.self_signed, 0);
	visit_as(&pinned);
	assert_true(visit_as(&pinned));
	pinned.pins = pins + 1;

	assert_false(visit_as(&pinned));

	assert_non_null(strstr(d.probe.why.text, "not the pinned one"));
	end();
}

static void files_that_were_read_anew_end_sessions(void **state)
{
	const struct tls_files files = {.ca = d.certs.ca_file};
	(void)state;
	make_server(&d.certs.good, 0);
	visit();
	assert_true(visit());

	duet_set_files(&d, &files);

	assert_false(visit());
	assert_true(visit());
	end();
}

static const struct {
	const char *name;
	int64_t ahead_ns;
	bool resumes;
} ages[] = {
	{"a minute",		      60 * NS_PER_S,      true },
	{"the certificate's end",         DAY_NS,             false},
	{"a time before the certificate", -30 * 365 * DAY_NS, false},
};

static void a_session_is_as_old_as_its_certificates(void **state)
{
	const struct {
		const char *name;
		int64_t ahead_ns;
		bool resumes;
	} *row = *state;
	make_server(&d.certs.good, 0);
	SSL_CTX_set_timeout(server, 6 * 24 * 3600);
	visit();

	ahead_ns = row->ahead_ns;

	assert_int_equal(visit(), row->resumes);
	end();
}

static void a_session_ends_when_the_server_said(void **state)
{
	(void)state;
	make_server(&d.certs.good, 0);
	SSL_CTX_set_timeout(server, 600);
	visit();
	ahead_ns = 599 * NS_PER_S;
	assert_true(visit());
	ahead_ns += 601 * NS_PER_S;
	assert_false(visit());
	end();
}

static void a_server_that_forgot_is_judged_anew(void **state)
{
	const struct version *v = *state;
	start(v);
	visit();
	SSL_CTX_free(server);
	start(v);
	assert_false(visit());
	assert_int_equal(d.probe.opened, 1);

	SSL_CTX_free(server);
	make_server(&d.certs.expired, v->max);
	assert_false(visit());
	assert_int_equal(d.probe.opened, 0);
	assert_non_null(strstr(d.probe.why.text, "expired"));
	end();
}

static int accept_any(int ok, X509_STORE_CTX *store)
{
	(void)ok;
	(void)store;
	return 1;
}

/* It asks for certificates and has not told OpenSSL what its sessions are for. */
static void a_server_that_fails_at_a_session_is_offered_none_again(void **state)
{
	(void)state;
	make_server(&d.certs.good, 0);
	SSL_CTX_set_verify(server, SSL_VERIFY_PEER, accept_any);
	visit();
	assert_int_equal(d.probe.opened, 1);

	assert_false(visit());
	assert_int_equal(d.probe.opened, 0);
	assert_int_equal(d.probe.why.code, ERR_TLS);

	for (int i = 0; i < 3; i++) {
		assert_false(visit());
		assert_int_equal(d.probe.opened, 1);
	}
	end();
}

/* It has taken the session up, and does not know by it who we are. */
static void a_server_that_is_of_no_use_by_a_session_is_offered_none_again(void **state)
{
	start(*state);
	visit();
	assert_true(visit());

	tls_memory_doubt(&memory);

	for (int i = 0; i < 3; i++)
		assert_false(visit());
	end();
}

static void a_server_that_falls_silent_at_a_session_is_offered_none_again(void **state)
{
	start(*state);
	visit();

	duet_serve_again(&d, server);
	duet_dial(&d, &verified);
	duet_hang_up(&d);
	tls_memory_doubt(&memory);

	for (int i = 0; i < 3; i++)
		assert_false(visit());
	end();
}

static void a_connection_without_a_session_casts_no_doubt_on_the_next(void **state)
{
	start(*state);
	assert_false(visit());

	tls_memory_doubt(&memory);

	assert_true(visit());
	end();
}

static int put_much(SSL *ssl, void *data)
{
	static const unsigned char much[9000];
	(void)data;
	return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), much, sizeof(much));
}

static bool is_good(SSL_TICKET_STATUS status)
{
	return status == SSL_TICKET_SUCCESS || status == SSL_TICKET_SUCCESS_RENEW;
}

static SSL_TICKET_RETURN take_ticket(SSL *ssl, SSL_SESSION *session, const unsigned char *name,
	size_t n, SSL_TICKET_STATUS status, void *data)
{
	(void)ssl, (void)session, (void)name, (void)n, (void)data;
	return is_good(status) ? SSL_TICKET_RETURN_USE_RENEW : SSL_TICKET_RETURN_IGNORE_RENEW;
}

static void a_session_of_many_kilobytes_is_not_kept(void **state)
{
	(void)state;
	make_server(&d.certs.good, 0);
	visit();
	assert_true(memory.n_session > 0 && memory.n_session < 600);
	SSL_CTX_set_session_ticket_cb(server, put_much, take_ticket, NULL);

	assert_true(visit());

	assert_null(memory.session);
	end();
}

static void tickets_in_great_numbers_are_one_in_the_end(void **state)
{
	(void)state;
	make_server(&d.certs.good, 0);
	duet_serve_again(&d, server);
	duet_dial(&d, &verified);
	run_until(&d.loop, d.probe.opened && d.peer.is_accepted);

	for (int i = 0; i < 200; i++) {
		assert_int_equal(SSL_new_session_ticket(d.peer.ssl), 1);
		peer_send(&d.peer, STR("x"));
	}
	run_until(&d.loop, d.probe.got.n == 200);

	assert_true(memory.n_session > 0 && memory.n_session < 600);
	duet_hang_up(&d);
	assert_true(visit());
	end();
}

static void the_certificates_of_a_server_are_not_held(void **state)
{
	enum { NAMES = 800 };
	char names[NAMES * 32];
	size_t n = 0;
	(void)state;
	for (int i = 0; i < NAMES; i++)
		n += (size_t)snprintf(names + n, sizeof(names) - n, "%sDNS:%d.example.org",
			i ? "," : "DNS:localhost,", i);
	struct cert cert =
		cert_make(&(struct cert_form){.name = "x", .names = names, .issuer = &d.certs.ca});
	make_server(&cert, 0);
	visit(); /* what is made once */
	size_t before = mallinfo2().uordblks;

	duet_serve_again(&d, server);
	tls_memory_fini(&memory);
	duet_dial(&d, &verified);
	run_until(&d.loop, d.probe.opened && d.peer.is_accepted);
	run_idle(&d.loop);

	assert_false(SSL_session_reused(d.peer.ssl));
	/* 86 KB, most of them what the server has to send; 198 with the certificate */
	assert_true(mallinfo2().uordblks < before + 140 * KB);
	end();
	cert_free(&cert);
}

/* ALPN. */

static unsigned char asked[16];
static size_t n_asked;

static int choose(SSL *ssl, const unsigned char **out, unsigned char *n_out,
	const unsigned char *in, unsigned n_in, void *data)
{
	(void)ssl;
	n_asked = n_in < sizeof(asked) ? n_in : 0;
	memcpy(asked, in, n_asked);
	*out = in + 1;
	*n_out = in[0];
	return *(const int *)data;
}

static const struct alpn {
	const char *name;
	int answer;
} answers[] = {
	{"a server that takes it",   SSL_TLSEXT_ERR_OK   },
	{"a server that ignores it", SSL_TLSEXT_ERR_NOACK},
};

static void the_protocol_is_named(void **state)
{
	struct alpn row = *(const struct alpn *)*state;
	make_server(&d.certs.good, 0);
	SSL_CTX_set_alpn_select_cb(server, choose, &row.answer);
	n_asked = 0;

	visit();

	assert_int_equal(d.probe.opened, 1);
	assert_int_equal(n_asked, 4);
	assert_memory_equal(asked, "\3irc", 4);
	end();
}

static void a_server_that_refuses_the_protocol_is_not_told_again(void **state)
{
	int answer = SSL_TLSEXT_ERR_ALERT_FATAL;
	(void)state;
	make_server(&d.certs.good, 0);
	SSL_CTX_set_alpn_select_cb(server, choose, &answer);

	visit();
	assert_int_equal(d.probe.opened, 0);
	assert_int_equal(d.probe.why.code, ERR_TLS);
	assert_string_equal(d.probe.why.text,
		"the server refuses the protocol irc (ALPN); the next attempt does not name it");

	n_asked = 0;
	assert_false(visit());
	assert_int_equal(d.probe.opened, 1);
	assert_int_equal(n_asked, 0);
	assert_true(visit());
	end();
}

int main(void)
{
	struct check c = {0};
	certs_make(&d.certs);
	check_rows(&c, versions, a_session_is_resumed);
	check_rows(&c, versions, a_resumed_session_tells_whom_it_began_with);
	check_test(&c, a_session_of_tls_1_3_is_offered_once);
	check_test(&c, a_session_without_the_extended_master_secret_is_not_resumed);
	check_rows(&c, terms, other_terms_take_a_full_handshake);
	check_test(&c, what_was_not_verified_is_not_resumed_where_it_is_to_be);
	check_test(&c, a_pin_that_is_taken_back_ends_its_sessions);
	check_test(&c, files_that_were_read_anew_end_sessions);
	check_rows(&c, ages, a_session_is_as_old_as_its_certificates);
	check_test(&c, a_session_ends_when_the_server_said);
	check_rows(&c, versions, a_server_that_forgot_is_judged_anew);
	check_test(&c, a_server_that_fails_at_a_session_is_offered_none_again);
	check_rows(&c, versions, a_server_that_is_of_no_use_by_a_session_is_offered_none_again);
	check_rows(&c, versions, a_server_that_falls_silent_at_a_session_is_offered_none_again);
	check_rows(&c, versions, a_connection_without_a_session_casts_no_doubt_on_the_next);
	check_test(&c, a_session_of_many_kilobytes_is_not_kept);
	check_test(&c, tickets_in_great_numbers_are_one_in_the_end);
	check_test(&c, the_certificates_of_a_server_are_not_held);
	check_rows(&c, answers, the_protocol_is_named);
	check_test(&c, a_server_that_refuses_the_protocol_is_not_told_again);
	int r = check_run(&c, "tls_memory");
	certs_free(&d.certs);
	return r;
}
