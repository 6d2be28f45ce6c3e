#include "net/socks.h"

#include "support/peer.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NAME_HOST   "irc.example"
#define NAME_BYTES  "\x05\x01\x00\x03\x0birc.example\x1a\x2b" /* port 6699 */
#define ANY         "\x05\x01\x00"
#define ANY_OR_USER "\x05\x02\x00\x02"
#define LOGIN      \
	"\x01\x03" \
	"bob\x06secret"
#define OK   "\x05\x00\x00\x01\x7f\x00\x00\x01\x04\x38"
#define X50  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X255 X50 X50 X50 X50 X50 "xxxxx"

/* What a proxy answers in all, and what is said to it until it is over. */
static const struct row {
	const char *name, *host, *user, *password;
	struct str answers, said;
	int code; /* 0: connected */
	const char *words;
} rows[] = {
#define ROW(name, host, user, password, answers, said, code, words)                          \
	{                                                                                    \
		name, host, user, password, STR_CONST(answers), STR_CONST(said), code, words \
	}
#define NAME(name, answers, said, code, words) \
	ROW(name, NAME_HOST, NULL, NULL, answers, said, code, words)
#define REP(name, rep, code, words)                                                             \
	NAME(name, "\x05\x00\x05" rep "\x00\x01\x00\x00\x00\x00\x00\x00", ANY NAME_BYTES, code, \
		words)
#define USER(name, answers, said, code, words) \
	ROW(name, NAME_HOST, "bob", "secret", answers, said, code, words)

	NAME("a name", "\x05\x00" OK, ANY NAME_BYTES, 0, ""),
	ROW("an IPv4 address", "192.0.2.7", NULL, NULL, "\x05\x00" OK,
		ANY "\x05\x01\x00\x01\xc0\x00\x02\x07\x1a\x2b", 0, ""),
	ROW("an IPv6 address", "2001:db8::7", NULL, NULL, "\x05\x00" OK,
		ANY "\x05\x01\x00\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07\x1a\x2b", 0, ""),
	ROW("a longest name", X255, NULL, NULL, "\x05\x00" OK,
		ANY "\x05\x01\x00\x03\xff" X255 "\x1a\x2b", 0, ""),
	NAME("a reply with an IPv6 address",
		"\x05\x00\x05\x00\x00\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x04\x38",
		ANY NAME_BYTES, 0, ""),
	NAME("a reply with a name", "\x05\x00\x05\x00\x00\x03\x05proxy\x04\x38", ANY NAME_BYTES, 0,
		""),
	NAME("a reply with an empty name", "\x05\x00\x05\x00\x00\x03\x00\x04\x38", ANY NAME_BYTES,
		0, ""),
	NAME("a reply with a longest name", "\x05\x00\x05\x00\x00\x03\xff" X255 "\x04\x38",
		ANY NAME_BYTES, 0, ""),
	USER("a login", "\x05\x02\x01\x00" OK, ANY_OR_USER LOGIN NAME_BYTES, 0, ""),
	USER("a login that is answered in version 5", "\x05\x02\x05\x00" OK,
		ANY_OR_USER LOGIN NAME_BYTES, 0, ""),
	USER("a user that nobody asks for", "\x05\x00" OK, ANY_OR_USER NAME_BYTES, 0, ""),
	ROW("a longest login", NAME_HOST, X255, X255, "\x05\x02\x01\x00" OK,
		ANY_OR_USER "\x01\xff" X255 "\xff" X255 NAME_BYTES, 0, ""),

	REP("REP 01", "\x01", ERR_REFUSED, "the proxy failed"),
	REP("REP 02", "\x02", ERR_DENIED, "the proxy's rules do not allow it"),
	REP("REP 03", "\x03", ERR_REFUSED, "network unreachable"),
	REP("REP 04", "\x04", ERR_DNS, "host unreachable, or its name is not known to the proxy"),
	ROW("REP 04 of an address", "192.0.2.7", NULL, NULL, "\x05\x00\x05\x04",
		ANY "\x05\x01\x00\x01\xc0\x00\x02\x07\x1a\x2b", ERR_REFUSED, "host unreachable"),
	REP("REP 05", "\x05", ERR_REFUSED, "connection refused"),
	REP("REP 06", "\x06", ERR_TIMEOUT, "timed out at the proxy"),
	REP("REP 07", "\x07", ERR_DENIED, "the proxy does not make connections"),
	REP("REP 08", "\x08", ERR_DENIED, "the proxy does not take addresses of this type"),
	REP("REP 09", "\x09", ERR_REFUSED, "refused, for a reason of the proxy's own (0x09)"),
	REP("REP ff", "\xff", ERR_REFUSED, "refused, for a reason of the proxy's own (0xff)"),
	NAME("a refusal without the rest of the reply", "\x05\x00\x05\x05", ANY NAME_BYTES,
		ERR_REFUSED, "connection refused"),

	NAME("no method is acceptable", "\x05\xff", ANY, ERR_DENIED,
		"the proxy wants a login (set proxy to socks5h://USER:PASSWORD@HOST:PORT)"),
	NAME("a login is wanted that was not offered", "\x05\x02", ANY, ERR_DENIED,
		"the proxy wants a login (set proxy to socks5h://USER:PASSWORD@HOST:PORT)"),
	USER("no method is acceptable, nor the user", "\x05\xff", ANY_OR_USER, ERR_DENIED,
		"the proxy takes no login by user and password"),
	NAME("GSSAPI is wanted", "\x05\x01", ANY, ERR_DENIED,
		"the proxy wants a login by method 0x01, which is not known"),
	USER("a wrong password", "\x05\x02\x01\x01", ANY_OR_USER LOGIN, ERR_DENIED,
		"the proxy refuses the user or the password"),

	NAME("SOCKS4 by its version", "\x04", ANY, ERR_REFUSED,
		"it speaks SOCKS4, and SOCKS5 is needed"),
	NAME("SOCKS4 by its reply", "\x00\x5b\x00\x00", ANY, ERR_REFUSED,
		"it speaks SOCKS4, and SOCKS5 is needed"),
	NAME("HTTP", "HTTP/1.1 400 Bad Request\r\n", ANY, ERR_REFUSED,
		"it speaks HTTP, and SOCKS5 is needed"),
	NAME("TLS", "\x15\x03\x01\x00\x02\x02\x32", ANY, ERR_REFUSED,
		"it speaks TLS, and SOCKS5 is needed"),
	NAME("garbage for a greeting", ":irc NOTICE", ANY, ERR_REFUSED,
		"it is no SOCKS5 proxy: it answered the greeting with byte 0x3a"),
	USER("garbage for a login", "\x05\x02\x02\x00", ANY_OR_USER LOGIN, ERR_REFUSED,
		"it is no SOCKS5 proxy: it answered the login with byte 0x02"),
	NAME("garbage for a reply", "\x05\x00HTTP", ANY NAME_BYTES, ERR_REFUSED,
		"it is no SOCKS5 proxy: it answered the request with byte 0x48"),
	NAME("a reply with an address of no type", "\x05\x00\x05\x00\x00\x02", ANY NAME_BYTES,
		ERR_REFUSED, "it is no SOCKS5 proxy: its reply has an address of type 0x02"),
};

static struct socks_target target_of(const struct row *row)
{
	return (struct socks_target){row->host, 6699, row->user, row->password};
}

/* The talk alone. */

static void say(struct socks_talk *t, struct buf *said)
{
	struct str out = socks_talk_out(t);
	assert_int_equal(buf_add(said, out), 0);
	socks_talk_sent(t, out.n);
	assert_int_equal(socks_talk_out(t).n, 0);
}

/* As many bytes as the talk wants of those before cut, which it passes, or of the rest. */
static struct str next_bytes(const struct socks_talk *t, struct str *rest, size_t cut, size_t at)
{
	struct str bytes = {rest->p, socks_talk_wants(t)};
	size_t there = at < cut ? cut - at : rest->n;
	if (bytes.n > there)
		bytes.n = there;
	*rest = str_skip(*rest, bytes.n);
	return bytes;
}

/* The answers come in two reads, cut there; or in reads of a byte each, where cut is 0. What is
 * left of them in *rest. */
static int hold_talk(
	const struct row *row, size_t cut, struct buf *said, struct str *rest, struct err *why)
{
	struct socks_target target = target_of(row);
	struct socks_talk t;
	int r = 0;
	size_t all = rest->n;
	socks_talk_init(&t, &target);
	while (r == 0 && socks_talk_wants(&t) > 0) {
		size_t at = all - rest->n;
		say(&t, said);
		assert_true(rest->n > 0);
		r = socks_talk_feed(&t, next_bytes(&t, rest, cut ? cut : at + 1, at), why);
	}
	socks_talk_fini(&t);
	return r;
}

#define NEXT ":irc.example NOTICE" /* belongs to who comes after the proxy */

static void a_talk_ends_the_same_wherever_it_is_cut(void **state)
{
	const struct row *row = *state;
	struct buf all;
	buf_init(&all, 4096);
	assert_int_equal(buf_add(&all, row->answers), 0);
	assert_int_equal(buf_add(&all, STR(NEXT)), 0);
	for (size_t cut = 0; cut <= row->answers.n; cut++) {
		struct buf said;
		struct err why = {0, ""};
		struct str rest = buf_str(&all);
		buf_init(&said, 4096);

		int r = hold_talk(row, cut, &said, &rest, &why);

		assert_int_equal(r, row->code);
		assert_string_equal(why.text, row->words);
		assert_true(str_eq(buf_str(&said), row->said));
		if (row->code == 0)
			assert_slice(rest, NEXT);
		buf_fini(&said);
	}
	buf_fini(&all);
}

/* On descriptors. */

static struct loop loop;
static struct peer proxy;
static struct socks *socks;
static size_t fds_before;

static struct {
	int done, fd;
	struct err why;
} seen;

static void on_done(void *data, int fd, const struct err *why)
{
	assert_ptr_equal(data, &seen);
	assert_int_equal(fd < 0, why != NULL);
	seen.done++;
	seen.fd = fd;
	if (why)
		seen.why = *why;
	socks_cancel(socks); /* does nothing any more */
}

#define TIMEOUT_NS (60 * NS_PER_S)

/* The system's clock, when the time is over. */
static int64_t late_ns(void *data)
{
	(void)data;
	return clock_mono_ns(&clock_system) + TIMEOUT_NS;
}

static const struct clock late_clock = {.mono_ns = late_ns};

static void start_loop(void)
{
	memset(&seen, 0, sizeof(seen));
	seen.fd = -1;
	test_loop_init(&loop);
	run_idle(&loop);
	fds_before = count_fds();
}

static void ask_proxy(const struct row *row, int fd)
{
	const struct socks_options options = {
		target_of(row), "proxy.test", 1080, loop.timers.now_ns + TIMEOUT_NS};
	socks = socks_start(&loop, fd, &options, on_done, &seen);
	assert_int_equal(seen.done, 0);
}

static void start_row(const struct row *row)
{
	int fds[2];
	start_loop();
	tcp_pair(fds);
	peer_init(&proxy, &loop, fds[1]);
	ask_proxy(row, fds[0]);
}

static void start(void)
{
	start_row(&rows[0]);
}

/* There may be the proxy's end, and the one that was handed on. */
static void end(void)
{
	run_idle(&loop);
	assert_int_equal(count_fds(), fds_before + (proxy.fd >= 0) + (seen.fd >= 0));
	if (seen.fd >= 0)
		close(seen.fd);
	peer_fini(&proxy);
	assert_int_equal(count_fds(), fds_before);
	test_loop_fini(&loop);
}

#define THROUGH "through proxy proxy.test:1080 to "

static void assert_failed(int code, const char *words)
{
	run_until(&loop, seen.done);
	run_idle(&loop);
	assert_int_equal(seen.done, 1);
	assert_int_equal(seen.fd, -1);
	assert_int_equal(seen.why.code, code);
	assert_string_equal(seen.why.text, words);
}

static void assert_handed_on(void)
{
	char bytes[64];
	ssize_t n = recv(seen.fd, bytes, sizeof(bytes), 0);
	assert_true(n > 0);
	assert_slice(((struct str){bytes, (size_t)n}), NEXT);
	assert_true(fcntl(seen.fd, F_GETFL) & O_NONBLOCK);
}

/* All answers wait at once, before any is asked for, and what follows with them. */
static void a_row_ends_on_a_descriptor_as_alone(void **state)
{
	const struct row *row = *state;
	char words[1024];
	start_row(row);

	peer_send(&proxy, row->answers);
	peer_send(&proxy, STR(NEXT));

	if (row->code == 0) {
		run_until(&loop, seen.done && proxy.got.n >= row->said.n);
		assert_handed_on();
	} else {
		snprintf(words, sizeof(words), THROUGH "%s:6699: %s", row->host, row->words);
		assert_failed(row->code, words);
	}
	assert_true(str_eq(buf_str(&proxy.got), row->said));
	end();
}

static void an_answer_in_single_bytes_connects_too(void **state)
{
	(void)state;
	start();
	proxy.is_dripping = true;

	peer_send(&proxy, rows[0].answers);
	run_until(&loop, seen.done);
	proxy.is_dripping = false;
	peer_send(&proxy, STR(NEXT));
	run_until(&loop, proxy.wire.n == 0);
	run_idle(&loop);

	assert_handed_on();
	end();
}

static void a_target_by_ipv6_is_told_in_brackets(void **state)
{
	(void)state;
	const struct row row = {.host = "2001:db8::7"};
	start_row(&row);

	peer_send(&proxy, STR("\x05\x00\x05\x04"));

	assert_failed(ERR_REFUSED, THROUGH "[2001:db8::7]:6699: host unreachable");
	end();
}

/* How far the proxy answers before it falls silent, closes or is not waited for any more. */
static const struct stage {
	const char *name;
	struct str answers, said;
	const char *after;
} stages[] = {
	{"after the greeting", STR_CONST(""),                         STR_CONST(ANY_OR_USER),       "the greeting"},
	{"within the method",  STR_CONST("\x05"),                     STR_CONST(ANY_OR_USER),       "the greeting"},
	{"after the login",    STR_CONST("\x05\x02"),                 STR_CONST(ANY_OR_USER LOGIN), "the login"   },
	{"after the request",  STR_CONST("\x05\x02\x01\x00"),
         STR_CONST(ANY_OR_USER LOGIN NAME_BYTES),                                                   "the request" },
	{"within the reply",   STR_CONST("\x05\x02\x01\x00\x05\x00"),
         STR_CONST(ANY_OR_USER LOGIN NAME_BYTES),                                                   "the request" },
};

static void start_stage(const struct stage *stage)
{
	const struct row row = {.host = NAME_HOST, .user = "bob", .password = "secret"};
	start_row(&row);
	peer_send(&proxy, stage->answers);
	run_until(&loop, proxy.got.n >= stage->said.n && proxy.wire.n == 0);
	run_idle(&loop);
	assert_int_equal(seen.done, 0);
	assert_true(str_eq(buf_str(&proxy.got), stage->said));
}

static void cancelled_it_leaves_nothing(void **state)
{
	start_stage(*state);
	assert_int_equal(count_fds(), fds_before + 2);

	socks_cancel(socks);

	assert_int_equal(count_fds(), fds_before + 1);
	run_until(&loop, proxy.is_eof || proxy.is_reset);
	assert_int_equal(seen.done, 0);
	end();
}

static void a_proxy_that_closes_is_told(void **state)
{
	const struct stage *stage = *state;
	char words[256];
	start_stage(stage);

	peer_close(&proxy);

	snprintf(words, sizeof(words),
		THROUGH "irc.example:6699: the proxy closed the connection after %s", stage->after);
	assert_failed(ERR_CLOSED, words);
	end();
}

static void a_proxy_that_resets_is_told(void **state)
{
	start_stage(*state);

	peer_reset(&proxy);

	run_until(&loop, seen.done);
	assert_int_equal(seen.why.code, ERR_CLOSED);
	assert_string_equal(seen.why.text, THROUGH "irc.example:6699: connection reset by peer");
	end();
}

static void a_proxy_that_falls_silent_times_out(void **state)
{
	const struct stage *stage = *state;
	char words[256];
	start_stage(stage);

	loop.clock = &late_clock;
	run_idle(&loop);

	snprintf(
		words, sizeof(words), THROUGH "irc.example:6699: timed out after %s", stage->after);
	assert_failed(ERR_TIMEOUT, words);
	end();
}

static void cancelled_at_once_it_leaves_nothing(void **state)
{
	(void)state;
	start();

	socks_cancel(socks);
	socks_cancel(NULL);
	run_idle(&loop);

	assert_int_equal(seen.done, 0);
	assert_int_equal(proxy.got.n, 0);
	end();
}

/* A connection that takes nothing for now; how much it took. */
static size_t fill(int fd)
{
	char bytes[64] = {0};
	size_t filled = 0;
	ssize_t n;
	while ((n = send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL)) > 0)
		filled += (size_t)n;
	return filled;
}

static void a_proxy_that_is_gone_before_the_greeting_is_told(void **state)
{
	(void)state;
	int fds[2];
	start_loop();
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	peer_init(&proxy, &loop, fds[1]);
	peer_fini(&proxy);

	ask_proxy(&rows[0], fds[0]);
	run_until(&loop, seen.done);

	assert_int_equal(seen.why.code, ERR_CLOSED);
	assert_string_equal(seen.why.text, THROUGH "irc.example:6699: connection reset by peer");
	end();
}

static void what_cannot_be_sent_yet_is_sent_later(void **state)
{
	(void)state;
	int fds[2];
	start_loop();
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	size_t filled = fill(fds[0]);
	ask_proxy(&rows[0], fds[0]);
	run_idle(&loop);

	peer_init(&proxy, &loop, fds[1]);
	run_until(&loop, proxy.got.n > filled);
	peer_send(&proxy, rows[0].answers);
	peer_send(&proxy, STR(NEXT));
	run_until(&loop, seen.done);

	assert_true(str_eq(str_skip(buf_str(&proxy.got), filled), rows[0].said));
	assert_handed_on();
	end();
}

static void it_holds_a_virtual_clock_until_it_is_over(void **state)
{
	(void)state;
	struct virtual_clock clock;
	int fds[2];
	start_loop();
	virtual_clock_init(&clock, loop.timers.now_ns, 0);
	loop.clock = &clock.clock;
	tcp_pair(fds);
	peer_init(&proxy, &loop, fds[1]);

	ask_proxy(&rows[0], fds[0]);
	assert_int_equal(clock.holds, 1);
	peer_send(&proxy, rows[0].answers);
	run_until(&loop, seen.done);

	assert_int_equal(clock.holds, 0);
	assert_true(seen.fd >= 0);
	loop.clock = &clock_system;
	end();
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, rows, a_talk_ends_the_same_wherever_it_is_cut);
	check_rows(&c, rows, a_row_ends_on_a_descriptor_as_alone);
	check_test(&c, an_answer_in_single_bytes_connects_too);
	check_test(&c, a_target_by_ipv6_is_told_in_brackets);
	check_rows(&c, stages, cancelled_it_leaves_nothing);
	check_rows(&c, stages, a_proxy_that_closes_is_told);
	check_rows(&c, stages, a_proxy_that_resets_is_told);
	check_rows(&c, stages, a_proxy_that_falls_silent_times_out);
	check_test(&c, cancelled_at_once_it_leaves_nothing);
	check_test(&c, a_proxy_that_is_gone_before_the_greeting_is_told);
	check_test(&c, what_cannot_be_sent_yet_is_sent_later);
	check_test(&c, it_holds_a_virtual_clock_until_it_is_over);
	return check_run(&c, "socks");
}
