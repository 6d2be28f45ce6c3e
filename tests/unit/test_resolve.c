#include "net/resolve.h"
#include "support/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { A = 1, AAAA = 28 };

/* A DNS server for one name, whatever it is. */
struct dns {
	struct loop_fd watch;
	int fd;
	char csv[ADDRESS_TEXT_BYTES]; /* its address, as resolver_options wants it */
	int asked_a, asked_aaaa;
	int rcode;
	const char *ipv4, *ipv6; /* NULL: no address of this family */
	bool swallows_all, swallows_aaaa, sends_garbage;
};

static struct loop loop;
static struct resolver resolver;
static struct dns dns;

static struct {
	int done;
	size_t n;
	struct address addresses[8];
	struct err why;
} answer;

static size_t question_end(const unsigned char *packet)
{
	size_t at = 12;
	while (packet[at])
		at += packet[at] + 1u;
	return at + 5;
}

static size_t add_record(unsigned char *packet, size_t n, int type, const void *bytes, size_t len)
{
	const unsigned char head[12] = {
		0xc0, 12, 0, (unsigned char)type, 0, 1, 0, 0, 0, 60, 0, (unsigned char)len};
	memcpy(packet + n, head, sizeof(head));
	memcpy(packet + n + sizeof(head), bytes, len);
	packet[7]++;
	return n + sizeof(head) + len;
}

static size_t reply(unsigned char *packet, int type)
{
	unsigned char bytes[16];
	size_t n = question_end(packet);
	packet[2] = 0x81;
	packet[3] = (unsigned char)(0x80 | dns.rcode);
	memset(packet + 6, 0, 6);
	if (dns.ipv4 && type == A && inet_pton(AF_INET, dns.ipv4, bytes) == 1)
		n = add_record(packet, n, A, bytes, 4);
	if (dns.ipv6 && type == AAAA && inet_pton(AF_INET6, dns.ipv6, bytes) == 1)
		n = add_record(packet, n, AAAA, bytes, 16);
	if (dns.sends_garbage)
		memset(packet + 4, 0xee, n - 4);
	return n;
}

static void on_question(struct loop_fd *watch, int revents)
{
	(void)watch;
	(void)revents;
	unsigned char packet[512];
	struct sockaddr_storage from;
	socklen_t n_from = sizeof(from);
	ssize_t got =
		recvfrom(dns.fd, packet, sizeof(packet), 0, (struct sockaddr *)&from, &n_from);
	if (got < 17)
		return;
	int type = packet[question_end(packet) - 3];
	dns.asked_a += type == A;
	dns.asked_aaaa += type == AAAA;
	if (dns.swallows_all || (dns.swallows_aaaa && type == AAAA))
		return;
	size_t n = reply(packet, type);
	sendto(dns.fd, packet, n, 0, (struct sockaddr *)&from, n_from);
}

static void start_dns(void)
{
	struct address a;
	dns = (struct dns){.fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
	assert_true(address_parse("127.0.0.1", 0, &a));
	assert_int_equal(bind(dns.fd, (struct sockaddr *)&a.sa, a.n), 0);
	assert_int_equal(getsockname(dns.fd, (struct sockaddr *)&a.sa, &a.n), 0);
	address_format(&a, dns.csv);
	loop_fd_init(&dns.watch, dns.fd, on_question);
	loop_fd_start(&loop, &dns.watch, EV_READ);
}

static void start(void)
{
	memset(&answer, 0, sizeof(answer));
	test_loop_init(&loop);
	start_dns();
	const struct resolver_options options = {.servers = dns.csv, .timeout_ms = 100};
	resolver_init(&resolver, &loop, &options);
}

static void end(void)
{
	resolver_fini(&resolver);
	loop_fd_stop(&loop, &dns.watch);
	close(dns.fd);
	test_loop_fini(&loop);
}

static void note(void *data, const struct address *addresses, size_t n, const struct err *why)
{
	assert_ptr_equal(data, &answer);
	answer.done++;
	answer.n = n;
	for (size_t i = 0; i < n && i < COUNTOF(answer.addresses); i++)
		answer.addresses[i] = addresses[i];
	if (why)
		answer.why = *why;
}

static struct resolve *ask(const char *host)
{
	return resolve_start(&resolver, host, 6697, note, &answer);
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
	assert_int_equal(dns.asked_a + dns.asked_aaaa, 0);
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
		has_ipv4 |= strcmp(text, "127.0.0.1:6697") == 0;
	}
	assert_true(has_ipv4);
	assert_int_equal(dns.asked_a + dns.asked_aaaa, 0);
	end();
}

static void a_server_is_asked_for_both_families(void **state)
{
	(void)state;
	start();
	dns.ipv4 = "127.0.0.9";
	dns.ipv6 = "::1";

	ask("irc.test");
	run_until(&loop, answer.done);

	assert_int_equal(answer.n, 2);
	assert_true(dns.asked_a >= 1 && dns.asked_aaaa >= 1);
	end();
}

static void a_name_that_is_not_there_is_an_error_with_the_name(void **state)
{
	(void)state;
	start();
	dns.rcode = 3;

	ask("irc.test");
	run_until(&loop, answer.done);

	assert_int_equal(answer.n, 0);
	assert_int_equal(answer.why.code, ERR_DNS);
	assert_string_equal(answer.why.text, "cannot resolve irc.test: domain name not found");
	end();
}

static void a_silent_server_is_an_error_in_the_end(void **state)
{
	(void)state;
	start();
	dns.swallows_all = true;

	ask("irc.test");
	run_until(&loop, answer.done);

	assert_int_equal(answer.why.code, ERR_DNS);
	assert_non_null(strstr(answer.why.text, "imeout"));
	end();
}

static void garbage_is_an_error(void **state)
{
	(void)state;
	start();
	dns.sends_garbage = true;

	ask("irc.test");
	run_until(&loop, answer.done);

	assert_int_equal(answer.n, 0);
	assert_int_equal(answer.why.code, ERR_DNS);
	end();
}

static void a_server_that_swallows_aaaa_costs_the_grace_only(void **state)
{
	(void)state;
	start();
	const struct resolver_options slow = {.servers = dns.csv, .timeout_ms = 5000};
	resolver_fini(&resolver);
	resolver_init(&resolver, &loop, &slow);
	dns.ipv4 = "127.0.0.9";
	dns.swallows_aaaa = true;
	int64_t begin_ns = clock_mono_ns(&clock_system);

	ask("irc.test");
	run_until(&loop, answer.done);

	assert_int_equal(answer.n, 1);
	assert_address(0, "127.0.0.9:6697");
	assert_true(clock_mono_ns(&clock_system) - begin_ns < NS_PER_S);
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
	dns.ipv4 = "127.0.0.9";

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

static void a_cancelled_one_is_released_when_its_answer_comes(void **state)
{
	(void)state;
	start();
	dns.ipv4 = "127.0.0.9";

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
	dns.swallows_all = true;
	size_t before = count_fds();

	ask("irc.test");
	ask("127.0.0.1");
	resolve_cancel(ask("third.test"));
	run_until(&loop, dns.asked_a);
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
	dns.swallows_all = true;
	ask("irc.test");
	run_until(&loop, dns.asked_a);
	const struct resolver_channel *old = resolver.channel;

	unlink(path);
	write_conf(path, "nameserver 127.0.0.1\noptions ndots:2\n");
	ask("irc.test");
	assert_ptr_not_equal(resolver.channel, old);
	assert_int_equal(count_channels(), 2);
	run_until(&loop, answer.done == 2);
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

int main(void)
{
	struct check c = {0};
	check_rows(&c, rows, text_needs_no_server);
	check_test(&c, localhost_needs_no_server);
	check_test(&c, a_server_is_asked_for_both_families);
	check_test(&c, a_name_that_is_not_there_is_an_error_with_the_name);
	check_test(&c, a_silent_server_is_an_error_in_the_end);
	check_test(&c, garbage_is_an_error);
	check_test(&c, a_server_that_swallows_aaaa_costs_the_grace_only);
	check_test(&c, a_name_that_cannot_be_is_an_error);
	check_rows(&c, cancel_rows, a_cancelled_one_is_never_told);
	check_test(&c, a_cancelled_one_is_released_when_its_answer_comes);
	check_test(&c, the_end_of_the_resolver_cancels_all);
	check_test(&c, a_new_resolv_conf_is_read_while_old_questions_end);
	check_test(&c, address_text_is_read_and_written);
	return check_run(&c, "resolve");
}
