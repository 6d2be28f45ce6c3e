#include "support/duet.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static struct duet d;

static void the_name_is_sent_and_an_address_is_not(void **state)
{
	(void)state;
	const struct tls_options by_address = {.host = "127.0.0.1", .verify = true};
	duet_open(&d, 0);
	assert_string_equal(SSL_get_servername(d.peer.ssl, TLSEXT_NAMETYPE_host_name), "localhost");
	duet_end(&d);

	duet_serve(&d, &d.certs.good, 0);
	duet_dial(&d, &by_address);
	run_until(&d.loop, d.peer.is_accepted);
	assert_null(SSL_get_servername(d.peer.ssl, TLSEXT_NAMETYPE_host_name));
	duet_end(&d);
}

static void a_host_that_is_no_name_is_refused(void **state)
{
	(void)state;
	char longest[300];
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	const struct tls_options options = {.host = longest, .verify = true};
	duet_serve(&d, &d.certs.good, 0);
	size_t before = count_fds();

	assert_int_equal(tls_stream_new(&d.loop, d.context, d.ours, &options, &probe_events,
				 &d.probe, &d.probe.s, &d.err),
		ERR_INVALID);

	assert_int_equal(count_fds(), before - 1);
	run_until(&d.loop, d.peer.is_eof);
	assert_int_equal(d.probe.closed, 0);
	duet_end(&d);
}

static void a_context_may_be_given_up_while_streams_live(void **state)
{
	(void)state;
	duet_open(&d, 0);
	tls_context_free(d.context);
	d.context = NULL;

	duet_say(&d, "still here");
	run_until(&d.loop, d.peer.got.n);

	duet_end(&d);
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
	duet_open(&d, row->version);

	duet_say(&d, "to the peer");
	peer_send(&d.peer, STR("to us"));
	run_until(&d.loop, d.peer.got.n == 11 && d.probe.got.n == 5);
	tls_describe(d.probe.s, &facts);

	assert_string_equal(facts.version, row->text);
	assert_false(facts.is_resumed);
	cert_digest(&d.certs.good, digest);
	assert_memory_equal(facts.server.certificate.sha256, digest, sizeof(digest));
	cert_key_digest(&d.certs.good, digest);
	assert_memory_equal(facts.server.key.sha256, digest, sizeof(digest));
	assert_true(facts.server.key.is_key && !facts.server.certificate.is_key);
	duet_end(&d);
}

static void tls_1_1_is_refused(void **state)
{
	(void)state;
	duet_serve(&d, &d.certs.good, TLS1_1_VERSION);
	d.probe.says = "secret";
	duet_dial_verified(&d);

	run_until(&d.loop, d.probe.closed);

	assert_int_equal(d.probe.why.code, ERR_TLS);
	assert_string_equal(d.probe.why.text, "the server offers no TLS 1.2 or newer");
	assert_int_equal(d.peer.got.n, 0);
	duet_end(&d);
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
	duet_serve_plain(&d);
	d.probe.says = "secret";
	duet_dial_verified(&d);

	run_until(&d.loop, d.peer.got.n);
	peer_send(&d.peer, str_of(row->bytes));
	if (row->resets)
		peer_reset(&d.peer);
	run_until(&d.loop, d.probe.closed);
	run_idle(&d.loop);

	assert_int_equal(d.probe.why.code, ERR_TLS);
	assert_string_equal(d.probe.why.text, "the server does not speak TLS on this port");
	assert_int_equal(str_find(buf_str(&d.peer.got), '\x16'), 0);
	duet_end(&d);
}

static const struct cut {
	const char *name;
	void (*end)(struct peer *p);
	const char *words;
} cuts[] = {
	{"an end within the handshake",  peer_cut,   "tls handshake: closed by the server"    },
	{"a reset within the handshake", peer_reset, "tls handshake: connection reset by peer"},
};

static void who_ends_within_the_handshake_is_told_as_such(void **state)
{
	const struct cut *row = *state;
	duet_serve_plain(&d);
	duet_dial_verified(&d);

	run_until(&d.loop, d.peer.got.n);
	row->end(&d.peer);
	run_until(&d.loop, d.probe.closed);

	assert_int_equal(d.probe.why.code, ERR_CLOSED);
	assert_string_equal(d.probe.why.text, row->words);
	duet_end(&d);
}

/* A server that ends the handshake, and its words. */

static void only_odd_ciphers(SSL *ssl)
{
	SSL_set_max_proto_version(ssl, TLS1_2_VERSION);
	assert_int_equal(SSL_set_cipher_list(ssl, "NULL@SECLEVEL=0"), 1);
}

static void only_odd_curves(SSL *ssl)
{
	assert_int_equal(SSL_set1_groups_list(ssl, "brainpoolP256r1"), 1);
	SSL_set_ciphersuites(ssl, "TLS_AES_128_GCM_SHA256");
}

static void want_certificate(SSL *ssl)
{
	SSL_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
}

static void want_certificate_1_2(SSL *ssl)
{
	SSL_set_max_proto_version(ssl, TLS1_2_VERSION);
	want_certificate(ssl);
}

/* Diffie-Hellman over 1536 bits, which nobody but a server of old would choose. */
static void be_weak(SSL *ssl)
{
	EVP_PKEY *key = NULL;
	EVP_PKEY_CTX *make = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);
	assert_int_equal(EVP_PKEY_keygen_init(make), 1);
	assert_int_equal(EVP_PKEY_CTX_set_group_name(make, "modp_1536"), 1);
	assert_int_equal(EVP_PKEY_keygen(make, &key), 1);
	EVP_PKEY_CTX_free(make);
	SSL_set_max_proto_version(ssl, TLS1_2_VERSION);
	assert_int_equal(SSL_set0_tmp_dh_pkey(ssl, key), 1);
	assert_int_equal(SSL_set_cipher_list(ssl, "DHE@SECLEVEL=0"), 1);
}

static int refuse_name(SSL *ssl, int *alert, void *data)
{
	(void)ssl;
	(void)data;
	*alert = SSL_AD_UNRECOGNIZED_NAME;
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static void know_no_name(SSL *ssl)
{
	SSL_CTX_set_tlsext_servername_callback(SSL_get_SSL_CTX(ssl), refuse_name);
}

#define NOTHING_IN_COMMON \
	"the server finds no version, cipher or curve in common, or wants a certificate (tls_cert)"

static const struct ending {
	const char *name;
	void (*prepare)(SSL *ssl);
	const char *text;
	bool is_late; /* TLS 1.3: the client is through when the server looks at its certificate */
} endings[] = {
	{"no cipher in common",                  only_odd_ciphers,     NOTHING_IN_COMMON, false},
	{"no curve in common",                   only_odd_curves,      NOTHING_IN_COMMON, false},
	{"no certificate for the name",          know_no_name,
         "the server has no certificate for this host name",                              false},
	{"a weak key exchange",                  be_weak,
         "the server's key exchange is too weak: it needs a newer configuration",         false},
	{"a certificate is wanted",              want_certificate,
         "the server wants a certificate of ours: set tls_cert",                          true },
	{"a certificate is wanted over TLS 1.2", want_certificate_1_2, NOTHING_IN_COMMON, false},
};

static void a_server_that_ends_the_handshake_says_why(void **state)
{
	const struct ending *row = *state;
	struct cert rsa = cert_make(&(struct cert_form){
		.name = "x", .names = "DNS:localhost", .issuer = &d.certs.ca, .rsa_bits = 2048});
	duet_serve(&d, &rsa, 0);
	row->prepare(d.peer.ssl);
	duet_dial_verified(&d);

	run_until(&d.loop, d.probe.closed);

	assert_int_equal(d.probe.opened, row->is_late);
	assert_int_equal(d.probe.why.code, ERR_TLS);
	assert_string_equal(d.probe.why.text, row->text);
	duet_end(&d);
	cert_free(&rsa);
}

static void everything_works_byte_by_byte(void **state)
{
	(void)state;
	duet_serve(&d, &d.certs.good, 0);
	d.peer.is_dripping = true;
	duet_dial_verified(&d);

	run_until(&d.loop, d.probe.opened && d.peer.is_accepted);
	peer_send(&d.peer, STR("drop by drop"));
	peer_close(&d.peer);
	run_until(&d.loop, d.probe.closed);

	assert_slice(buf_str(&d.probe.got), "drop by drop");
	assert_string_equal(d.probe.why.text, "closed by the server");
	duet_end(&d);
}

static void bytes_that_openssl_holds_are_read_without_the_socket(void **state)
{
	(void)state;
	enum { RECORDS = 1000 };
	duet_open(&d, 0);
	run_idle(&d.loop);

	for (int i = 0; i < RECORDS; i++)
		peer_send(&d.peer, STR("x"));
	run_until(&d.loop, d.probe.got.n == RECORDS);

	assert_true(d.probe.datas > 2); /* none took more than its share */
	duet_end(&d);
}

static void a_pause_leaves_the_rest_in_openssl_until_it_is_resumed(void **state)
{
	(void)state;
	enum { RECORDS = 600 };
	duet_open(&d, 0);
	run_idle(&d.loop);

	for (int i = 0; i < RECORDS; i++)
		peer_send(&d.peer, STR("x"));
	run_until(&d.loop, d.probe.datas == 1);
	stream_pause(d.probe.s);
	run_idle(&d.loop);
	assert_int_equal(d.probe.datas, 1);
	stream_resume(d.probe.s);
	run_until(&d.loop, d.probe.got.n == RECORDS);

	duet_end(&d);
}

static void what_follows_the_handshake_at_once_is_read(void **state)
{
	(void)state;
	duet_serve(&d, &d.certs.good, TLS1_2_VERSION);
	peer_listen(&d.peer, false);
	duet_dial_verified(&d);
	peer_listen(&d.peer, true);

	run_until(&d.loop, d.peer.is_accepted);
	peer_send(&d.peer, STR("NOTICE"));
	run_until(&d.loop, d.probe.got.n);

	assert_slice(buf_str(&d.probe.got), "NOTICE");
	duet_end(&d);
}

static void writes_of_one_turn_leave_in_one_record(void **state)
{
	(void)state;
	duet_open(&d, 0);

	for (int i = 0; i < 100; i++)
		duet_say(&d, "line\r\n");
	run_until(&d.loop, d.peer.got.n == 600);

	assert_int_equal(d.peer.reads, 1);
	duet_end(&d);
}

static void large_output_waits_for_a_slow_peer(void **state)
{
	(void)state;
	char *bytes = malloc(STREAM_OUT_MAX);
	assert_non_null(bytes);
	for (size_t i = 0; i < STREAM_OUT_MAX; i++)
		bytes[i] = (char)('a' + i % 23);
	duet_open(&d, 0);
	peer_listen(&d.peer, false);

	for (int i = 0; i < 8; i++) {
		if (stream_write(d.probe.s, (struct str){bytes, STREAM_OUT_MAX}) < 0)
			break;
		run_idle(&d.loop);
	}
	assert_true(d.probe.s->out.n > STREAM_LOW);
	int lows = d.probe.lows;
	peer_listen(&d.peer, true);
	run_until(&d.loop, d.probe.s->out.n == 0);
	duet_say(&d, "end");
	run_until(&d.loop, d.peer.got.n % STREAM_OUT_MAX == 3);

	assert_int_equal(d.probe.lows, lows + 1);
	assert_memory_equal(buf_str(&d.peer.got).p, bytes, STREAM_OUT_MAX);
	free(bytes);
	duet_end(&d);
}

static void a_flood_is_read_in_shares(void **state)
{
	(void)state;
	enum { FLOOD = 1024 * 1024 };
	size_t most = 0;
	char *bytes = calloc(1, FLOOD);
	assert_non_null(bytes);
	duet_open(&d, 0);

	peer_send(&d.peer, (struct str){bytes, FLOOD});
	for (size_t had = 0; d.probe.got.n < FLOOD; had = d.probe.got.n) {
		run_until(&d.loop, d.probe.got.n > had);
		most = d.probe.got.n - had > most ? d.probe.got.n - had : most;
	}

	assert_true(most < STREAM_TURN + 16 * 1024);
	free(bytes);
	duet_end(&d);
}

static int waiting(void)
{
	int n = 0;
	assert_int_equal(ioctl(d.ours, FIONREAD, &n), 0);
	return n;
}

/* Into the socket, as much as it takes; the client does not read meanwhile. */
static void send_tickets(int n)
{
	for (int i = 0; i < n; i++) {
		assert_int_equal(SSL_new_session_ticket(d.peer.ssl), 1);
		assert_int_equal(SSL_do_handshake(d.peer.ssl), 1);
	}
	peer_flush(&d.peer);
	struct str bytes = buf_str(&d.peer.wire);
	ssize_t sent = send(d.peer.fd, bytes.p, bytes.n, MSG_NOSIGNAL);
	assert_true(sent > 0);
	buf_consume(&d.peer.wire, (size_t)sent);
}

static void a_flood_of_tickets_is_read_in_shares(void **state)
{
	(void)state;
	duet_open(&d, 0);
	run_idle(&d.loop);

	send_tickets(1000);
	for (int had = waiting(), left; had > 0; had = left) {
		ev_run(d.loop.ev, EVRUN_NOWAIT);
		left = waiting();
		assert_true(had - left <= STREAM_TURN);
	}
	peer_send(&d.peer, STR("after it"));
	run_until(&d.loop, d.probe.got.n == 8);

	duet_end(&d);
}

static void a_close_of_the_server_and_a_cut_are_told_apart(void **state)
{
	(void)state;
	duet_open(&d, 0);
	peer_close(&d.peer);
	run_until(&d.loop, d.probe.closed);
	assert_int_equal(d.probe.why.code, ERR_CLOSED);
	assert_string_equal(d.probe.why.text, "closed by the server");
	duet_end(&d);

	duet_open(&d, 0);
	peer_send(&d.peer, STR("last words"));
	peer_cut(&d.peer);
	run_until(&d.loop, d.probe.closed);
	assert_int_equal(d.probe.why.code, ERR_CLOSED);
	assert_string_equal(d.probe.why.text, "closed without a TLS close");
	assert_slice(buf_str(&d.probe.got), "last words");
	duet_end(&d);

	duet_open(&d, 0);
	run_idle(&d.loop);
	peer_reset(&d.peer);
	run_until(&d.loop, d.probe.closed);
	assert_int_equal(d.probe.why.code, ERR_CLOSED);
	assert_string_equal(d.probe.why.text, "connection reset by peer");
	duet_end(&d);
}

static void noise_within_an_open_connection_is_an_error_of_tls(void **state)
{
	(void)state;
	duet_open(&d, 0);

	peer_send_raw(&d.peer, STR("\x17\x03\x03\x00\x20 this is not what was encrypted!"));
	run_until(&d.loop, d.probe.closed);

	assert_int_equal(d.probe.why.code, ERR_TLS);
	assert_int_equal(d.probe.got.n, 0);
	duet_end(&d);
}

static void our_close_says_so_to_the_server(void **state)
{
	(void)state;
	duet_open(&d, 0);

	duet_say(&d, "QUIT");
	stream_close(d.probe.s);
	run_until(&d.loop, d.peer.is_eof);
	assert_slice(buf_str(&d.peer.got), "QUIT");
	assert_true(d.peer.is_notified);
	assert_int_equal(d.probe.closed, 0);
	peer_close(&d.peer);
	run_until(&d.loop, d.probe.closed);

	assert_int_equal(d.probe.why.code, ERR_REQUESTED);
	duet_end(&d);
}

static void a_close_within_the_handshake_is_requested(void **state)
{
	(void)state;
	duet_serve_plain(&d);
	duet_dial_verified(&d);
	run_until(&d.loop, d.peer.got.n);

	stream_close(d.probe.s);
	run_until(&d.loop, d.probe.closed);

	assert_int_equal(d.probe.why.code, ERR_REQUESTED);
	duet_end(&d);
}

static const struct key_update {
	const char *name;
	int kind, times;
	size_t piece; /* bytes of a record between two updates */
} key_updates[] = {
	{"one that is to be answered",                     SSL_KEY_UPDATE_REQUESTED,     1,   100},
	{"one that is not",				SSL_KEY_UPDATE_NOT_REQUESTED, 1,   100},
	{"one in the middle of a line",                    SSL_KEY_UPDATE_REQUESTED,     2,   4  },
	{"one after each byte",                            SSL_KEY_UPDATE_REQUESTED,     100, 1  },
	{"one that is not to be answered after each byte", SSL_KEY_UPDATE_NOT_REQUESTED, 100, 1  },
};

static void a_key_update_goes_unseen(void **state)
{
	const struct key_update *row = *state;
	const struct str line = STR("PING :are you there\r\n");
	struct str rest = line;
	duet_open(&d, 0);

	for (int i = 0; rest.n; i++) {
		size_t n = rest.n < row->piece ? rest.n : row->piece;
		if (i < row->times)
			assert_int_equal(SSL_key_update(d.peer.ssl, row->kind), 1);
		peer_send(&d.peer, (struct str){rest.p, n});
		rest = str_skip(rest, n);
		if (i % 2)
			run_until(&d.loop, d.probe.got.n == line.n - rest.n);
		if (i == 0)
			duet_say(&d, "PONG ");
	}
	run_until(&d.loop, d.probe.got.n == line.n);
	duet_say(&d, ":here");
	run_until(&d.loop, d.peer.got.n == 10);

	assert_slice(buf_str(&d.probe.got), line.p);
	assert_slice(buf_str(&d.peer.got), "PONG :here");
	duet_end(&d);
}

static void a_renegotiation_is_refused(void **state)
{
	(void)state;
	duet_open(&d, TLS1_2_VERSION);

	SSL_renegotiate(d.peer.ssl);
	SSL_do_handshake(d.peer.ssl);
	peer_flush(&d.peer);
	run_until(&d.loop, d.probe.closed);

	assert_int_equal(d.probe.why.code, ERR_TLS);
	assert_string_equal(d.probe.why.text, "the server says: handshake failure");
	duet_end(&d);
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
	duet_serve(&d, &d.certs.good, 0);
	duet_dial_verified(&d);
	d.probe.free_in = row->free_in;

	assert_int_equal(stream_write(d.probe.s, (struct str){bytes, STREAM_HIGH}), 0);
	run_until(&d.loop, !d.probe.s || d.peer.got.n);
	if (d.probe.s) {
		peer_send(&d.peer, STR("x"));
		peer_close(&d.peer);
	}
	run_until(&d.loop, !d.probe.s);
	run_idle(&d.loop);

	free(bytes);
	duet_end(&d);
}

static void it_may_be_freed_within_the_handshake(void **state)
{
	(void)state;
	duet_serve_plain(&d);
	duet_dial_verified(&d);
	size_t before = count_fds();
	run_until(&d.loop, d.peer.got.n);

	stream_free(d.probe.s);
	d.probe.s = NULL;

	assert_int_equal(count_fds(), before - 1);
	run_idle(&d.loop);
	assert_int_equal(d.probe.opened + d.probe.closed, 0);
	duet_end(&d);
}

int main(void)
{
	struct check c = {0};
	certs_make(&d.certs);
	check_test(&c, the_name_is_sent_and_an_address_is_not);
	check_test(&c, a_host_that_is_no_name_is_refused);
	check_test(&c, a_context_may_be_given_up_while_streams_live);
	check_rows(&c, versions, version_is_spoken);
	check_test(&c, tls_1_1_is_refused);
	check_rows(&c, garbage_rows, a_server_without_tls_is_told_as_such);
	check_rows(&c, cuts, who_ends_within_the_handshake_is_told_as_such);
	check_rows(&c, endings, a_server_that_ends_the_handshake_says_why);
	check_test(&c, everything_works_byte_by_byte);
	check_test(&c, bytes_that_openssl_holds_are_read_without_the_socket);
	check_test(&c, a_pause_leaves_the_rest_in_openssl_until_it_is_resumed);
	check_test(&c, what_follows_the_handshake_at_once_is_read);
	check_test(&c, writes_of_one_turn_leave_in_one_record);
	check_test(&c, large_output_waits_for_a_slow_peer);
	check_test(&c, a_flood_is_read_in_shares);
	check_test(&c, a_flood_of_tickets_is_read_in_shares);
	check_test(&c, a_close_of_the_server_and_a_cut_are_told_apart);
	check_test(&c, noise_within_an_open_connection_is_an_error_of_tls);
	check_test(&c, our_close_says_so_to_the_server);
	check_test(&c, a_close_within_the_handshake_is_requested);
	check_rows(&c, key_updates, a_key_update_goes_unseen);
	check_test(&c, a_renegotiation_is_refused);
	check_rows(&c, free_rows, it_may_be_freed_in_an_event);
	check_test(&c, it_may_be_freed_within_the_handshake);
	int r = check_run(&c, "tls");
	certs_free(&d.certs);
	return r;
}
