#include "net/dial.h"
#include "support/peer.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static struct loop loop;
static struct resolver resolver;
static struct dial *dial;
static size_t fds_before;

static struct {
	char phases[256];
	int done, fd;
	char address[ADDRESS_TEXT_BYTES];
	struct err why;
	const char *cancel_in; /* "resolving", "connecting" */
} seen;

static void on_phase(void *data, enum dial_phase phase, const char *address)
{
	(void)data;
	const char *name = phase == DIAL_RESOLVING ? "resolving" : "connecting";
	size_t n = strlen(seen.phases);
	assert_int_equal(address != NULL, phase == DIAL_CONNECTING);
	snprintf(seen.phases + n, sizeof(seen.phases) - n, "%s ", name);
	if (seen.cancel_in && strcmp(seen.cancel_in, name) == 0)
		dial_cancel(dial);
}

static void on_done(void *data, int fd, const char *address, const struct err *why)
{
	(void)data;
	seen.done++;
	seen.fd = fd;
	assert_int_equal(fd >= 0, address != NULL);
	assert_int_equal(fd < 0, why != NULL);
	if (address)
		snprintf(seen.address, sizeof(seen.address), "%s", address);
	if (why)
		seen.why = *why;
	dial_cancel(dial); /* does nothing any more */
}

static const struct dial_events events = {on_phase, on_done};

static void start(void)
{
	memset(&seen, 0, sizeof(seen));
	seen.fd = -1;
	test_loop_init(&loop);
	resolver_init(&resolver, &loop, NULL);
	run_idle(&loop);
	fds_before = count_fds();
}

static void end(void)
{
	resolver_fini(&resolver);
	run_idle(&loop);
	if (seen.fd >= 0)
		close(seen.fd);
	assert_int_equal(count_fds(), fds_before);
	test_loop_fini(&loop);
}

static uint16_t port_of(const struct address *a)
{
	return ntohs(((const struct sockaddr_in *)(const void *)&a->sa)->sin_port);
}

static void dial_host(const char *host, uint16_t port)
{
	const struct dial_options options = {host, port, 5 * NS_PER_S};
	dial = dial_start(&loop, &resolver, &options, &events, NULL);
	assert_int_equal(seen.done, 0);
	assert_string_equal(seen.phases, "");
}

static void dial_list(const struct address *addresses, size_t n, int64_t timeout_ns)
{
	const struct dial_options options = {.timeout_ns = timeout_ns};
	dial = dial_addresses(&loop, addresses, n, &options, &events, NULL);
	assert_int_equal(seen.done, 0);
}

/* An address that was free a moment ago. */
static struct address closed_address(void)
{
	struct address a;
	close(listen_tcp(&a));
	return a;
}

/* A listener whose queue is full: the kernel drops what asks for more. */
struct mute {
	int listener, waiting[8];
	struct address address;
};

static void make_mute(struct mute *m)
{
	m->listener = listen_tcp(&m->address);
	assert_int_equal(listen(m->listener, 0), 0);
	for (size_t i = 0; i < COUNTOF(m->waiting); i++) {
		m->waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		int r = connect(m->waiting[i], (struct sockaddr *)&m->address.sa, m->address.n);
		(void)r;
	}
}

static void free_mute(struct mute *m)
{
	close(m->listener);
	for (size_t i = 0; i < COUNTOF(m->waiting); i++)
		close(m->waiting[i]);
}

static void assert_option(int fd, int level, int option)
{
	int on = 0;
	socklen_t n = sizeof(on);
	assert_int_equal(getsockopt(fd, level, option, &on, &n), 0);
	assert_true(on);
}

static void a_host_is_resolved_and_connected(void **state)
{
	(void)state;
	struct address a;
	char text[ADDRESS_TEXT_BYTES];
	start();
	int listener = listen_tcp(&a);

	dial_host("localhost", port_of(&a));
	run_until(&loop, seen.done);
	run_idle(&loop);

	assert_int_equal(seen.done, 1);
	assert_true(seen.fd >= 0);
	address_format(&a, text);
	assert_string_equal(seen.address, text);
	assert_int_equal(strncmp(seen.phases, "resolving connecting ", 21), 0);
	assert_option(seen.fd, IPPROTO_TCP, TCP_NODELAY);
	assert_option(seen.fd, SOL_SOCKET, SO_KEEPALIVE);
	assert_true(fcntl(seen.fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(seen.fd, F_GETFL) & O_NONBLOCK);
	close(listener);
	end();
}

static void a_refusal_names_the_address(void **state)
{
	(void)state;
	char text[ADDRESS_TEXT_BYTES], expected[128];
	start();
	struct address a = closed_address();

	dial_host("127.0.0.1", port_of(&a));
	run_until(&loop, seen.done);

	assert_int_equal(seen.why.code, ERR_REFUSED);
	address_format(&a, text);
	snprintf(expected, sizeof(expected), "%s: connection refused", text);
	assert_string_equal(seen.why.text, expected);
	end();
}

static void a_name_that_does_not_resolve_is_an_error_of_dns(void **state)
{
	(void)state;
	char host[400];
	memset(host, 'x', sizeof(host) - 1);
	host[sizeof(host) - 1] = '\0';
	start();

	dial_host(host, 6697);
	run_until(&loop, seen.done);

	assert_int_equal(seen.why.code, ERR_DNS);
	assert_string_equal(seen.phases, "resolving ");
	end();
}

static void the_second_address_is_tried_when_the_first_refuses(void **state)
{
	(void)state;
	char text[ADDRESS_TEXT_BYTES];
	struct address list[2] = {closed_address()};
	start();
	int listener = listen_tcp(&list[1]);

	dial_list(list, 2, 5 * NS_PER_S);
	run_until(&loop, seen.done);

	address_format(&list[1], text);
	assert_string_equal(seen.address, text);
	assert_string_equal(seen.phases, "connecting connecting ");
	close(listener);
	end();
}

static void the_last_failure_is_told(void **state)
{
	(void)state;
	char text[ADDRESS_TEXT_BYTES];
	struct address list[2] = {closed_address(), closed_address()};
	start();

	dial_list(list, 2, 5 * NS_PER_S);
	run_until(&loop, seen.done);
	run_idle(&loop);

	assert_int_equal(seen.done, 1);
	assert_int_equal(seen.why.code, ERR_REFUSED);
	address_format(&list[1], text);
	assert_int_equal(strncmp(seen.why.text, text, strlen(text)), 0);
	end();
}

static void an_address_that_cannot_be_routed_is_refused(void **state)
{
	(void)state;
	struct address a = {.n = sizeof(struct sockaddr_in)};
	assert_true(address_parse("255.255.255.255", 6697, &a));
	start();

	dial_list(&a, 1, 5 * NS_PER_S);
	run_until(&loop, seen.done);

	assert_int_equal(seen.why.code, ERR_REFUSED);
	assert_non_null(strstr(seen.why.text, "255.255.255.255:6697: "));
	end();
}

static void a_mute_address_times_out(void **state)
{
	(void)state;
	struct mute mute;
	char text[ADDRESS_TEXT_BYTES], expected[128];
	make_mute(&mute);
	start();

	dial_list(&mute.address, 1, 100 * NS_PER_MS);
	run_until(&loop, seen.done);

	assert_int_equal(seen.why.code, ERR_TIMEOUT);
	address_format(&mute.address, text);
	snprintf(expected, sizeof(expected), "%s: timed out", text);
	assert_string_equal(seen.why.text, expected);
	end();
	free_mute(&mute);
}

static void a_mute_address_leaves_time_for_the_next(void **state)
{
	(void)state;
	struct mute mute;
	struct address list[2];
	make_mute(&mute);
	start();
	list[0] = mute.address;
	int listener = listen_tcp(&list[1]);
	int64_t begin_ns = clock_mono_ns(&clock_system);

	dial_list(list, 2, 1 * NS_PER_S);
	run_until(&loop, seen.done);

	int64_t took_ns = clock_mono_ns(&clock_system) - begin_ns;
	assert_true(seen.fd >= 0);
	assert_true(took_ns >= 499 * NS_PER_MS);
	assert_true(took_ns < 1 * NS_PER_S);
	close(listener);
	end();
	free_mute(&mute);
}

static void resolving_has_its_end_too(void **state)
{
	(void)state;
	struct address a;
	char csv[ADDRESS_TEXT_BYTES];
	int mute = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(address_parse("127.0.0.1", 0, &a));
	assert_int_equal(bind(mute, (struct sockaddr *)&a.sa, a.n), 0);
	assert_int_equal(getsockname(mute, (struct sockaddr *)&a.sa, &a.n), 0);
	address_format(&a, csv);
	start();
	const struct resolver_options resolver_options = {.servers = csv};
	resolver_fini(&resolver);
	resolver_init(&resolver, &loop, &resolver_options);

	const struct dial_options options = {"irc.test", 6697, 100 * NS_PER_MS};
	dial = dial_start(&loop, &resolver, &options, &events, NULL);
	run_until(&loop, seen.done);

	assert_int_equal(seen.why.code, ERR_TIMEOUT);
	assert_string_equal(seen.why.text, "resolving irc.test: timed out");
	end();
	close(mute);
}

static void without_descriptors_it_fails_once(void **state)
{
	(void)state;
	struct rlimit limit, none;
	struct address list[2] = {closed_address(), closed_address()};
	start();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);

	dial_list(list, 2, 5 * NS_PER_S);
	while (!seen.done)
		ev_run(loop.ev, EVRUN_NOWAIT);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);

	assert_int_equal(seen.done, 1);
	assert_int_equal(seen.why.code, ERR_LIMIT);
	assert_non_null(strstr(seen.why.text, "too many open files"));
	assert_string_equal(seen.phases, "connecting ");
	end();
}

static void cancelled_at_once_it_leaves_nothing(void **state)
{
	(void)state;
	start();

	dial_host("localhost", 6697);
	dial_cancel(dial);
	dial_cancel(NULL);
	run_idle(&loop);

	assert_string_equal(seen.phases, "");
	assert_int_equal(seen.done, 0);
	end();
}

static const struct row {
	const char *name, *host, *phase;
} rows[] = {
	{"cancelled in phase resolving, of a name",     "irc.test",  "resolving" },
	{"cancelled in phase resolving, of an address", "127.0.0.1", "resolving" },
	{"cancelled in phase connecting",               "127.0.0.1", "connecting"},
};

static void cancelled_in_a_phase_it_leaves_nothing(void **state)
{
	const struct row *row = *state;
	start();
	struct address a = closed_address();
	seen.cancel_in = row->phase;

	dial_host(row->host, port_of(&a));
	run_until(&loop, strstr(seen.phases, row->phase));
	run_idle(&loop);

	assert_int_equal(seen.done, 0);
	end();
}

static void cancelled_while_connecting_it_leaves_nothing(void **state)
{
	(void)state;
	struct mute mute;
	make_mute(&mute);
	start();

	dial_list(&mute.address, 1, 5 * NS_PER_S);
	run_idle(&loop);
	assert_string_equal(seen.phases, "connecting ");
	assert_int_equal(count_fds(), fds_before + 1);
	dial_cancel(dial);

	assert_int_equal(count_fds(), fds_before);
	run_idle(&loop);
	assert_int_equal(seen.done, 0);
	end();
	free_mute(&mute);
}

static void on_held_answer(
	void *data, const struct address *addresses, size_t n, const struct err *why)
{
	(void)data;
	(void)addresses;
	assert_true(n > 0 && !why);
}

/* So that a test's clock does not jump over an answer that is on its way. */
static void a_dial_holds_a_virtual_clock_until_it_is_over(void **state)
{
	(void)state;
	struct virtual_clock clock;
	struct address a = closed_address();
	start();
	virtual_clock_init(&clock, loop.timers.now_ns, 0);
	loop.clock = &clock.clock;

	dial_host("127.0.0.1", port_of(&a));
	assert_int_equal(clock.holds, 1);
	run_until(&loop, seen.done == 1);
	assert_int_equal(seen.why.code, ERR_REFUSED);
	assert_int_equal(clock.holds, 0);
	memset(&seen, 0, sizeof(seen));
	seen.fd = -1;
	dial_host("127.0.0.1", port_of(&a));
	dial_cancel(dial);
	assert_int_equal(clock.holds, 0);
	struct resolve *r = resolve_start(&resolver, "127.0.0.1", 1, on_held_answer, NULL);
	assert_int_equal(clock.holds, 1);
	resolve_cancel(r);
	resolve_start(&resolver, "localhost", 1, on_held_answer, &clock);
	assert_int_equal(clock.holds, 1);
	run_until(&loop, clock.holds == 0);

	loop.clock = &clock_system;
	end();
}

int main(void)
{
	struct check c = {0};
	check_test(&c, a_host_is_resolved_and_connected);
	check_test(&c, a_refusal_names_the_address);
	check_test(&c, a_name_that_does_not_resolve_is_an_error_of_dns);
	check_test(&c, the_second_address_is_tried_when_the_first_refuses);
	check_test(&c, the_last_failure_is_told);
	check_test(&c, an_address_that_cannot_be_routed_is_refused);
	check_test(&c, a_mute_address_times_out);
	check_test(&c, a_mute_address_leaves_time_for_the_next);
	check_test(&c, resolving_has_its_end_too);
	check_test(&c, without_descriptors_it_fails_once);
	check_test(&c, cancelled_at_once_it_leaves_nothing);
	check_rows(&c, rows, cancelled_in_a_phase_it_leaves_nothing);
	check_test(&c, cancelled_while_connecting_it_leaves_nothing);
	check_test(&c, a_dial_holds_a_virtual_clock_until_it_is_over);
	return check_run(&c, "dial");
}
