#include "net/resolve.h"

#include "net/dnssocket.h"
#include "support/dns.h"
#include "support/peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static struct loop loop;
static struct resolver resolver;
static struct dns dns;

static struct {
	int calls, done; /* done: the last of them came */
	size_t n;
	struct address addresses[2 * RESOLVE_MAX];
	char told[512]; /* each call behind a stroke, hosts without ports */
	struct err why;
	struct resolve *cancels; /* at the first call */
} answer;

static void start_with(int timeout_ms)
{
	memset(&answer, 0, sizeof(answer));
	test_loop_init(&loop);
	dns_init(&dns, &loop);
	const struct resolver_options options = {.servers = dns.csv, .timeout_ms = timeout_ms};
	resolver_init(&resolver, &loop, &options);
}

static void start(void)
{
	start_with(100);
}

static void end(void)
{
	resolver_fini(&resolver);
	dns_fini(&dns);
	test_loop_fini(&loop);
}

static void note_text(const char *text)
{
	size_t n = strlen(answer.told);
	snprintf(answer.told + n, sizeof(answer.told) - n, "%s", text);
}

static void note_address(const struct address *a, bool is_first)
{
	char text[ADDRESS_TEXT_BYTES];
	address_format_host(a, text);
	note_text(is_first ? "" : " ");
	note_text(text);
	answer.addresses[answer.n++] = *a;
}

static void note(
	void *data, const struct address *addresses, size_t n, bool is_last, const struct err *why)
{
	assert_ptr_equal(data, &answer);
	assert_true(is_last || (n > 0 && !why));
	assert_true(answer.n + n <= COUNTOF(answer.addresses));
	answer.calls++;
	answer.done += is_last;
	note_text("|");
	for (size_t i = 0; i < n; i++)
		note_address(&addresses[i], i == 0);
	if (why)
		answer.why = *why;
	resolve_cancel(answer.cancels);
	answer.cancels = NULL;
}

static struct resolve *ask_for(int family, const char *host)
{
	return resolve_start(&resolver, host, 6697, family, note, &answer);
}

static struct resolve *ask(const char *host)
{
	return ask_for(AF_UNSPEC, host);
}

static void assert_address(size_t i, const char *expected)
{
	char text[ADDRESS_TEXT_BYTES];
	assert_true(i < answer.n);
	address_format(&answer.addresses[i], text);
	assert_string_equal(text, expected);
}

static const struct row {
	const char *name, *host, *first;
} rows[] = {
	{"an IPv4 address", "127.0.0.7", "127.0.0.7:6697"},
	{"an IPv6 address", "::1",       "[::1]:6697"    },
};

static void text_needs_no_server(void **state)
{
	const struct row *row = *state;
	start();

	ask(row->host);
	assert_int_equal(answer.done, 0);
	run_until(&loop, answer.done);

	assert_int_equal(answer.n, 1);
	assert_address(0, row->first);
	assert_int_equal(dns.a.asked + dns.aaaa.asked, 0);
	end();
}

static void localhost_needs_no_server(void **state)
{
	(void)state;
	char text[ADDRESS_TEXT_BYTES];
	bool has_ipv4 = false;
	start();

	ask("localhost");
	assert_int_equal(answer.done, 0);
	run_until(&loop, answer.done);

	for (size_t i = 0; i < answer.n; i++) {
		address_format(&answer.addresses[i], text);
		assert_false(has_ipv4 && strcmp(text, "127.0.0.1:6697") == 0); /* once */
		has_ipv4 |= strcmp(text, "127.0.0.1:6697") == 0;
	}
	assert_true(has_ipv4);
	assert_int_equal(dns.a.asked + dns.aaaa.asked, 0);
	end();
}

#define SLOWLY (300 * NS_PER_MS) /* longer than IPv4 waits for IPv6 */

#define WHY(words) "cannot resolve irc.test: " words
#define ROW(name, timeout_ms, family, told, ...) \
	{                                        \
		name, timeout_ms, family, told,  \
		{                                \
			__VA_ARGS__              \
		}                                \
	}

enum { SHORT_MS = 100, LONG_MS = 60000 };

#define SLOWLY (300 * NS_PER_MS) /* longer than IPv4 waits for IPv6 */

/* What a server does, and what comes of it: each call of told behind a stroke; or why there is no
 * address. */
static const struct answer_row {
	const char *name;
	int timeout_ms;
	int family;
	const char *told;
	struct dns dns;
} answer_rows[] = {
	ROW("both families", LONG_MS, AF_UNSPEC, "|::1|127.0.0.9", .a.addresses = "127.0.0.9",
		.aaaa.addresses = "::1"),
	ROW("IPv4 a little earlier than IPv6", LONG_MS, AF_UNSPEC, "|::1 127.0.0.9",
		.a.addresses = "127.0.0.9", .aaaa = {"::1", .delay_ns = 1}),
	ROW("IPv4 much earlier than IPv6", LONG_MS, AF_UNSPEC, "|127.0.0.9|::1",
		.a.addresses = "127.0.0.9", .aaaa = {"::1", .delay_ns = SLOWLY}),
	ROW("IPv6 much earlier than IPv4", LONG_MS, AF_UNSPEC, "|::1|127.0.0.9",
		.a = {"127.0.0.9", .delay_ns = SLOWLY}, .aaaa.addresses = "::1"),
	ROW("several addresses", LONG_MS, AF_UNSPEC, "|127.0.0.8 127.0.0.9",
		.a.addresses = "127.0.0.8 127.0.0.9"),
	ROW("no IPv6, told a little later", LONG_MS, AF_UNSPEC, "|127.0.0.9",
		.a.addresses = "127.0.0.9", .aaaa.delay_ns = 1),
	ROW("no IPv6, told much later", LONG_MS, AF_UNSPEC, "|127.0.0.9|",
		.a.addresses = "127.0.0.9", .aaaa.delay_ns = SLOWLY),
	ROW("no IPv4", LONG_MS, AF_UNSPEC, "|::1|", .aaaa.addresses = "::1"),
	ROW("IPv6 that is never answered", SHORT_MS, AF_UNSPEC, "|127.0.0.9|",
		.a.addresses = "127.0.0.9", .aaaa.is_swallowed = true),
	ROW("IPv4 that is never answered", SHORT_MS, AF_UNSPEC, "|::1|", .aaaa.addresses = "::1",
		.a.is_swallowed = true),
	ROW("no address", LONG_MS, AF_UNSPEC, WHY("it has no address"), .rcode = 0),
	ROW("no such name", LONG_MS, AF_UNSPEC, WHY("domain name not found"), .rcode = 3),
	ROW("a server that fails", SHORT_MS, AF_UNSPEC, WHY("could not contact DNS servers"),
		.rcode = 2),
	ROW("no answer", SHORT_MS, AF_UNSPEC, WHY("timeout while contacting DNS servers"),
		.a.is_swallowed = true, .aaaa.is_swallowed = true),
	ROW("no IPv4, and no answer for IPv6", SHORT_MS, AF_UNSPEC,
		WHY("timeout while contacting DNS servers"), .aaaa.is_swallowed = true),
	ROW("IPv4 only", LONG_MS, AF_INET, "|127.0.0.9", .a.addresses = "127.0.0.9",
		.aaaa.addresses = "::1"),
	ROW("IPv6 only", LONG_MS, AF_INET6, "|::1", .a.addresses = "127.0.0.9",
		.aaaa.addresses = "::1"),
	ROW("IPv4 only, and there is none", LONG_MS, AF_INET, WHY("it has no IPv4 address"),
		.aaaa.addresses = "::1"),
	ROW("IPv6 only, and there is none", LONG_MS, AF_INET6, WHY("it has no IPv6 address"),
		.a.addresses = "127.0.0.9"),
	ROW("garbage", SHORT_MS, AF_UNSPEC, WHY("timeout while contacting DNS servers"),
		.a.addresses = "127.0.0.9", .sends_garbage = true),
	ROW("answers cut in the middle", SHORT_MS, AF_INET, WHY("misformatted DNS reply"),
		.a.addresses = "127.0.0.9", .is_cut = true),
	ROW("an answer too long for UDP", LONG_MS, AF_INET, "|127.0.0.9",
		.a.addresses = "127.0.0.9", .wants_tcp = true),
};

static void behave(struct dns_type *t, const struct dns_type *as)
{
	t->addresses = as->addresses;
	t->is_swallowed = as->is_swallowed;
	t->delay_ns = as->delay_ns;
}

static void a_server_answers(void **state)
{
	const struct answer_row *row = *state;
	start_with(row->timeout_ms);
	size_t before = count_fds();
	behave(&dns.a, &row->dns.a);
	behave(&dns.aaaa, &row->dns.aaaa);
	dns.rcode = row->dns.rcode;
	dns.sends_garbage = row->dns.sends_garbage;
	dns.is_cut = row->dns.is_cut;
	dns.wants_tcp = row->dns.wants_tcp;

	ask_for(row->family, "irc.test");
	assert_int_equal(answer.calls, 0);
	run_until(&loop, answer.done);
	run_idle(&loop);

	assert_string_equal(answer.why.code ? answer.why.text : answer.told, row->told);
	assert_int_equal(answer.done, 1);
	assert_int_equal(answer.why.code, row->told[0] == '|' ? 0 : ERR_DNS);
	assert_int_equal(dns.a.asked > 0, row->family != AF_INET6);
	assert_int_equal(dns.aaaa.asked > 0, row->family != AF_INET);
	assert_int_equal(dns.asked_tcp > 0, row->dns.wants_tcp);
	resolver_fini(&resolver);
	run_until(&loop, dns.tcp < 0);
	assert_int_equal(count_fds(), before);
	end();
}

static void a_name_that_cannot_be_is_an_error(void **state)
{
	(void)state;
	char host[400];
	start();
	memset(host, 'x', sizeof(host) - 1);
	host[sizeof(host) - 1] = '\0';

	ask(host);
	assert_int_equal(answer.done, 0);
	run_until(&loop, answer.done);
	assert_int_equal(answer.why.code, ERR_DNS);

	ask("");
	run_until(&loop, answer.done == 2);
	assert_int_equal(answer.why.code, ERR_DNS);
	end();
}

static const struct row cancel_rows[] = {
	{"cancelled: an address",  "127.0.0.1", ""},
	{"cancelled: a file name", "localhost", ""},
	{"cancelled: a question",  "irc.test",  ""},
};

static void a_cancelled_one_is_never_told(void **state)
{
	const struct row *row = *state;
	start();
	dns.a.addresses = "127.0.0.9";

	resolve_cancel(ask(row->host));
	run_idle(&loop);
	struct resolve *late = ask(row->host);
	ev_run(loop.ev, EVRUN_NOWAIT);
	if (!answer.done) {
		resolve_cancel(late);
		run_idle(&loop);
		assert_int_equal(answer.done, 0);
	}
	resolve_cancel(NULL);
	end();
}

/* One family is there, the other still to come. */
static void cancelled_between_two_families_it_tells_no_more(void **state)
{
	(void)state;
	start_with(LONG_MS);
	dns.a.addresses = "127.0.0.9";
	dns.aaaa.addresses = "::1";
	dns.a.delay_ns = 20 * NS_PER_MS;

	answer.cancels = ask("irc.test");
	run_until(&loop, answer.calls);
	dns.a.delay_ns = 0;
	ask("other.test");
	run_until(&loop, answer.done);
	run_until(&loop, !timer_is_set(&dns.a.late));
	run_idle(&loop);

	assert_string_equal(answer.told, "|::1|::1|127.0.0.9");
	end();
}

static void cancelled_while_ipv4_waits_for_ipv6_it_is_never_told(void **state)
{
	(void)state;
	start_with(LONG_MS);
	dns.a.addresses = "127.0.0.9";
	dns.aaaa.is_swallowed = true;

	struct resolve *r = ask("irc.test");
	size_t timers = loop.timers.n;
	run_until(&loop, loop.timers.n > timers || answer.calls);
	resolve_cancel(r);

	assert_int_equal(loop.timers.n, timers);
	run_idle(&loop);
	assert_int_equal(answer.calls, 0);
	end();
}

static void without_descriptors_nobody_is_asked(void **state)
{
	const struct row *row = *state;
	struct rlimit limit, none;
	start();
	if (row->first) /* a channel is there already */
		resolve_cancel(ask("other.test"));
	run_idle(&loop);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);

	ask(row->host);
	while (!answer.done)
		ev_run(loop.ev, EVRUN_NOWAIT);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);

	assert_string_equal(answer.why.text, "cannot resolve irc.test: too many open files");
	assert_int_equal(answer.why.code, ERR_LIMIT);
	end();
}

static const struct row limit_rows[] = {
	{"without descriptors, the first question", "irc.test", NULL},
	{"without descriptors, a later question",   "irc.test", ""  },
};

static void an_answer_is_not_kept_for_the_next_question(void **state)
{
	(void)state;
	start_with(LONG_MS);

	dns.a.addresses = "127.0.0.8";
	ask("irc.test");
	run_until(&loop, answer.done);
	dns.a.addresses = "127.0.0.9";
	ask("irc.test");
	run_until(&loop, answer.done == 2);

	assert_string_equal(answer.told, "|127.0.0.8|127.0.0.9");
	end();
}

static void what_is_beyond_the_maximum_is_passed_over(void **state)
{
	(void)state;
	char list[(RESOLVE_MAX + 1) * 16] = "";
	for (int i = 0; i <= RESOLVE_MAX; i++)
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "127.0.1.%d ", i);
	start_with(LONG_MS);
	dns.a.addresses = list;
	dns.wants_tcp = true; /* more than fits into UDP */

	ask_for(AF_INET, "irc.test");
	run_until(&loop, answer.done);

	assert_int_equal(answer.n, RESOLVE_MAX);
	end();
}

static void an_address_of_the_other_family_is_refused(void **state)
{
	(void)state;
	start();

	ask_for(AF_INET6, "192.0.2.7");
	run_until(&loop, answer.done);
	assert_string_equal(
		answer.why.text, "192.0.2.7 is no IPv6 address, and no other may be used");

	ask_for(AF_INET, "::1");
	run_until(&loop, answer.done == 2);
	assert_string_equal(answer.why.text, "::1 is no IPv4 address, and no other may be used");
	assert_int_equal(answer.why.code, ERR_DNS);
	end();
}

static void a_cancelled_one_is_released_when_its_answer_comes(void **state)
{
	(void)state;
	start();
	dns.a.addresses = "127.0.0.9";

	resolve_cancel(ask("irc.test"));
	ask("other.test");
	run_until(&loop, answer.done);

	assert_int_equal(answer.done, 1);
	end();
}

static void the_end_of_the_resolver_cancels_all(void **state)
{
	(void)state;
	start();
	dns.a.is_swallowed = dns.aaaa.is_swallowed = true;
	size_t before = count_fds();

	ask("irc.test");
	ask("127.0.0.1");
	resolve_cancel(ask("third.test"));
	run_until(&loop, dns.a.asked);
	answer.done = 0;
	resolver_fini(&resolver);

	assert_int_equal(count_fds(), before);
	run_idle(&loop);
	assert_int_equal(answer.done, 0);
	end();
}

static size_t count_channels(void)
{
	size_t n = 0;
	list_each (node, &resolver.channels)
		n++;
	return n;
}

static void write_conf(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void a_new_resolv_conf_is_read_while_old_questions_end(void **state)
{
	(void)state;
	char path[] = "/tmp/ebb-test-resolv-XXXXXX";
	close(mkstemp(path));
	start();
	const struct resolver_options options = {path, dns.csv, 100};
	resolver_fini(&resolver);
	resolver_init(&resolver, &loop, &options);
	dns.a.addresses = "127.0.0.7";
	dns.a.is_swallowed = dns.aaaa.is_swallowed = true;
	ask("irc.test");
	run_until(&loop, dns.a.asked);
	const struct resolver_channel *old = resolver.channel;

	unlink(path);
	write_conf(path, "nameserver 127.0.0.1\noptions ndots:2\n");
	dns.a.is_swallowed = dns.aaaa.is_swallowed = false;
	ask("irc.test");
	assert_ptr_not_equal(resolver.channel, old);
	assert_int_equal(count_channels(), 2);
	run_until(&loop, answer.done == 2);
	assert_string_equal(answer.told, "|127.0.0.7|127.0.0.7");
	run_until(&loop, count_channels() == 1);
	ask("irc.test");

	assert_int_equal(count_channels(), 1);
	end();
	unlink(path);
}

static void address_text_is_read_and_written(void **state)
{
	(void)state;
	struct address a;
	char text[ADDRESS_TEXT_BYTES];
	assert_true(address_parse("2001:db8::7", 6697, &a));
	address_format(&a, text);
	assert_string_equal(text, "[2001:db8::7]:6697");
	assert_false(address_parse("irc.test", 6697, &a));
	assert_false(address_parse("", 6697, &a));
	assert_false(address_parse("1.2.3", 6697, &a));
}

static void a_server_that_went_away_raises_no_signal(void **state)
{
	(void)state;
	int fds[2];
	char byte = 0;
	const struct iovec parts = {&byte, 1};
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	close(fds[1]);

	assert_int_equal(dnssocket_functions.asendv(fds[0], &parts, 1, NULL), -1);
	assert_int_equal(errno, EPIPE);
	close(fds[0]);
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, rows, text_needs_no_server);
	check_test(&c, localhost_needs_no_server);
	check_rows(&c, answer_rows, a_server_answers);
	check_test(&c, a_name_that_cannot_be_is_an_error);
	check_rows(&c, cancel_rows, a_cancelled_one_is_never_told);
	check_test(&c, cancelled_between_two_families_it_tells_no_more);
	check_test(&c, cancelled_while_ipv4_waits_for_ipv6_it_is_never_told);
	check_rows(&c, limit_rows, without_descriptors_nobody_is_asked);
	check_test(&c, an_answer_is_not_kept_for_the_next_question);
	check_test(&c, what_is_beyond_the_maximum_is_passed_over);
	check_test(&c, an_address_of_the_other_family_is_refused);
	check_test(&c, a_cancelled_one_is_released_when_its_answer_comes);
	check_test(&c, the_end_of_the_resolver_cancels_all);
	check_test(&c, a_new_resolv_conf_is_read_while_old_questions_end);
	check_test(&c, address_text_is_read_and_written);
	check_test(&c, a_server_that_went_away_raises_no_signal);
	return check_run(&c, "resolve");
}
