#include "net/dial.h"
#include "support/dns.h"
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
static struct dns dns;
static struct resolver resolver;
static struct dial *dial;
static size_t fds_before;

static struct {
	char phases[512];
	char tried[512]; /* addresses, without ports */
	int done, fd;
	bool counts_fds;
	size_t most_fds; /* when an address was about to be tried */
	char address[ADDRESS_TEXT_BYTES];
	struct err why;
	const char *cancel_in; /* "resolving", "connecting" */
} seen;

static void note_tried(const char *address)
{
	size_t n = strlen(seen.tried);
	int host = (int)(strrchr(address, ':') - address);
	snprintf(seen.tried + n, sizeof(seen.tried) - n, "%.*s ", host, address);
}

static void on_phase(void *data, enum dial_phase phase, const char *address)
{
	(void)data;
	const char *name = phase == DIAL_RESOLVING ? "resolving" : "connecting";
	size_t n = strlen(seen.phases);
	assert_int_equal(address != NULL, phase == DIAL_CONNECTING);
	snprintf(seen.phases + n, sizeof(seen.phases) - n, "%s ", name);
	if (address)
		note_tried(address);
	size_t fds = seen.counts_fds ? count_fds() : 0;
	seen.most_fds = fds > seen.most_fds ? fds : seen.most_fds;
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

/* As the host's addresses are wanted from DNS, with spaces between them; NULL: none. */
static void start_with(const char *ipv4, const char *ipv6)
{
	memset(&seen, 0, sizeof(seen));
	seen.fd = -1;
	test_loop_init(&loop);
	dns_init(&dns, &loop);
	dns.a.addresses = ipv4;
	dns.aaaa.addresses = ipv6;
	const struct resolver_options options = {.servers = dns.csv, .timeout_ms = 60000};
	resolver_init(&resolver, &loop, &options);
	run_idle(&loop);
	fds_before = count_fds();
}

static void start(void)
{
	start_with(NULL, NULL);
}

static void end(void)
{
	resolver_fini(&resolver);
	run_idle(&loop);
	if (seen.fd >= 0)
		close(seen.fd);
	assert_int_equal(count_fds(), fds_before);
	dns_fini(&dns);
	test_loop_fini(&loop);
}

static uint16_t port_of(const struct address *a)
{
	return ntohs(((const struct sockaddr_in *)(const void *)&a->sa)->sin_port);
}

static void dial_with(const struct dial_options *options)
{
	dial = dial_start(&loop, &resolver, options, &events, NULL);
	assert_int_equal(seen.done, 0);
	assert_string_equal(seen.phases, "");
}

static void dial_host(const char *host, uint16_t port)
{
	const struct dial_options options = {
		.host = host, .port = port, .timeout_ns = 60 * NS_PER_S};
	dial_with(&options);
}

static void dial_name_within(uint16_t port, int64_t timeout_ns)
{
	const struct dial_options options = {
		.host = "irc.test", .port = port, .timeout_ns = timeout_ns};
	dial_with(&options);
}

static void dial_name(uint16_t port)
{
	dial_name_within(port, 60 * NS_PER_S);
}

/* An address that was free a moment ago. */
static struct address closed_address(void)
{
	struct address a;
	close(listen_tcp(&a));
	return a;
}

/* A listener on host; its queue is full, where it is mute: the kernel drops what asks for more. */
struct place {
	int listener, waiting[4];
	bool is_mute;
	struct address address;
};

static void fill(struct place *p)
{
	assert_int_equal(listen(p->listener, 0), 0);
	for (size_t i = 0; i < COUNTOF(p->waiting); i++) {
		p->waiting[i] = socket(
			p->address.sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		int r = connect(p->waiting[i], (struct sockaddr *)&p->address.sa, p->address.n);
		(void)r;
	}
}

/* port 0: one that is free. False where another has the port. */
static bool open_place(struct place *p, const char *host, uint16_t port, bool is_mute)
{
	const int on = 1;
	*p = (struct place){.is_mute = is_mute};
	assert_true(address_parse(host, port, &p->address));
	p->listener = socket(p->address.sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(p->listener, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(p->listener, (struct sockaddr *)&p->address.sa, p->address.n) < 0) {
		close(p->listener);
		return false;
	}
	getsockname(p->listener, (struct sockaddr *)&p->address.sa, &p->address.n);
	if (is_mute)
		fill(p);
	else
		assert_int_equal(listen(p->listener, 16), 0);
	return true;
}

static void close_place(struct place *p)
{
	close(p->listener);
	for (size_t i = 0; p->is_mute && i < COUNTOF(p->waiting); i++)
		close(p->waiting[i]);
}

enum { PLACES_MAX = 8 };

/* Places on one port. Where a word says ADDRESS alone it accepts, with a ~ in front it is mute.
 * Nobody listens on any other address of this machine. */
static uint16_t open_places(struct place places[PLACES_MAX], size_t *n, const char *words)
{
	for (;;) {
		char list[256];
		uint16_t port = 0;
		bool ok = true;
		*n = 0;
		snprintf(list, sizeof(list), "%s", words);
		char *rest = list, *word;
		while (ok && (word = strsep(&rest, " "))) {
			bool is_mute = *word == '~';
			ok = open_place(&places[*n], word + is_mute, port, is_mute);
			if (ok)
				port = port_of(&places[(*n)++].address);
		}
		if (ok)
			return port;
		while (*n > 0)
			close_place(&places[--*n]);
	}
}

static void close_places(struct place places[PLACES_MAX], size_t n)
{
	for (size_t i = 0; i < n; i++)
		close_place(&places[i]);
}

static int option_of(int fd, int level, int option)
{
	int value = 0;
	socklen_t n = sizeof(value);
	assert_int_equal(getsockopt(fd, level, option, &value, &n), 0);
	return value;
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
	assert_true(option_of(seen.fd, IPPROTO_TCP, TCP_NODELAY));
	assert_true(option_of(seen.fd, SOL_SOCKET, SO_KEEPALIVE));
	assert_int_equal(option_of(seen.fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
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

#define MANY "127.0.0.2 127.0.0.3 127.0.0.4 127.0.0.5 127.0.0.6 127.0.0.7 127.0.0.8 127.0.0.9"
#define MANY_MUTE \
	"~127.0.0.2 ~127.0.0.3 ~127.0.0.4 ~127.0.0.5 ~127.0.0.6 ~127.0.0.7 ~127.0.0.8 127.0.0.9"

#define WINS(name, places, ipv4, ipv6, tried, address, least_ms)                      \
	{                                                                             \
		name, places, ipv4, ipv6, tried, address ":PORT", 0, least_ms, LONG_S \
	}
#define FAILS(name, places, ipv4, tried, why, code, least_ms, timeout_s)        \
	{                                                                       \
		name, places, ipv4, NULL, tried, why, code, least_ms, timeout_s \
	}

enum { LONG_S = 60, DELAY_MS = DIAL_DELAY_NS / NS_PER_MS };

/* Loopback has many addresses of IPv4 and one of IPv6. PORT in an error stands for the port. */
static const struct race_row {
	const char *name, *places; /* as for open_places */
	const char *ipv4, *ipv6;   /* what the name resolves to */
	const char *tried;         /* in this order */
	const char *end;           /* the address that won, or the error */
	int code;
	int least_ms; /* how long it takes at least */
	int timeout_s;
} races[] = {
	WINS("one address", "127.0.0.1", "127.0.0.1", NULL, "127.0.0.1 ", "127.0.0.1", 0),
	WINS("the first of two", "127.0.0.2 127.0.0.3", "127.0.0.2 127.0.0.3", NULL, "127.0.0.2 ",
		"127.0.0.2", 0),
	WINS("the second at once when the first refuses", "127.0.0.3", "127.0.0.2 127.0.0.3", NULL,
		"127.0.0.2 127.0.0.3 ", "127.0.0.3", 0),
	WINS("the second after a while when the first is mute", "~127.0.0.2 127.0.0.3",
		"127.0.0.2 127.0.0.3", NULL, "127.0.0.2 127.0.0.3 ", "127.0.0.3", DELAY_MS),
	WINS("dead IPv6 beside live IPv4", "~::1 127.0.0.1", "127.0.0.1", "::1", "[::1] 127.0.0.1 ",
		"127.0.0.1", DELAY_MS),
	WINS("dead IPv4 beside live IPv6", "~127.0.0.1 ::1", "127.0.0.1", "::1", "[::1] ", "[::1]",
		0),
	WINS("IPv6 that refuses beside live IPv4", "127.0.0.1", "127.0.0.1", "::1",
		"[::1] 127.0.0.1 ", "127.0.0.1", 0),
	WINS("the families take turns", "~::1 127.0.0.3", "127.0.0.2 127.0.0.3",
		"::1 ::ffff:127.0.0.4", "[::1] 127.0.0.2 [::ffff:127.0.0.4] 127.0.0.3 ",
		"127.0.0.3", DELAY_MS),
	FAILS("several refuse", "127.0.0.9", "127.0.0.2 127.0.0.3", "127.0.0.2 127.0.0.3 ",
		"127.0.0.3:PORT: connection refused", ERR_REFUSED, 0, LONG_S),
	FAILS("two fail in two ways", "127.0.0.9", "127.0.0.2 224.0.0.1", "127.0.0.2 224.0.0.1 ",
		"224.0.0.1:PORT: network is unreachable; before that 127.0.0.2:PORT: connection "
		"refused",
		ERR_REFUSED, 0, LONG_S),
	FAILS("one mute", "~127.0.0.2", "127.0.0.2", "127.0.0.2 ", "127.0.0.2:PORT: timed out",
		ERR_TIMEOUT, 999, 1),
	FAILS("one refuses and one is mute", "~127.0.0.2", "127.0.0.3 127.0.0.2",
		"127.0.0.3 127.0.0.2 ",
		"127.0.0.2:PORT: timed out; before that 127.0.0.3:PORT: connection refused",
		ERR_TIMEOUT, 999, 1),
	{"more mute ones than may be in flight", MANY_MUTE, MANY, NULL, MANY " ", "127.0.0.9:PORT",
		   0, 7 * DELAY_MS, 5},
};

/* PORT in text becomes the port. */
static void put_port(const char *text, uint16_t port, char *out, size_t size)
{
	*out = '\0';
	while (*text) {
		const char *at = strstr(text, "PORT");
		size_t n = strlen(out);
		int plain = (int)(at ? at - text : (long)strlen(text));
		snprintf(out + n, size - n, "%.*s", plain, text);
		n = strlen(out);
		if (at)
			snprintf(out + n, size - n, "%d", port);
		text += (size_t)plain + (at ? 4 : 0);
	}
}

static void a_race_of_addresses(void **state)
{
	const struct race_row *row = *state;
	struct place places[PLACES_MAX];
	size_t n;
	char expected[512];
	uint16_t port = open_places(places, &n, row->places);
	start_with(row->ipv4, row->ipv6);
	seen.counts_fds = true;
	int64_t begin_ns = clock_mono_ns(&clock_system);

	dial_name_within(port, row->timeout_s * NS_PER_S);
	run_until(&loop, seen.done);
	int64_t took_ns = clock_mono_ns(&clock_system) - begin_ns;
	run_idle(&loop);

	put_port(row->end, port, expected, sizeof(expected));
	assert_int_equal(seen.done, 1);
	assert_string_equal(seen.fd >= 0 ? seen.address : seen.why.text, expected);
	assert_int_equal(seen.why.code, row->code);
	assert_string_equal(seen.tried, row->tried);
	assert_true(took_ns >= row->least_ms * NS_PER_MS);
	assert_int_equal(count_fds(), fds_before + (seen.fd >= 0));
	assert_true(seen.most_fds <= fds_before + DIAL_ATTEMPTS);
	end();
	close_places(places, n);
}

/* The others would hold it up for half a minute. A SYN that nobody listens for any more is refused
 * when it is sent again, after a second. */
static void one_that_fails_late_makes_room_at_once(void **state)
{
	(void)state;
	struct place places[PLACES_MAX];
	size_t n;
	uint16_t port = open_places(places, &n,
		"~127.0.0.2 ~127.0.0.3 ~127.0.0.4 ~127.0.0.5 ~127.0.0.6 ~127.0.0.7 127.0.0.8");
	start_with("127.0.0.2 127.0.0.3 127.0.0.4 127.0.0.5 127.0.0.6 127.0.0.7 127.0.0.8", NULL);

	dial_name(port);
	run_until(&loop, strstr(seen.tried, "127.0.0.7"));
	shutdown(places[2].listener, SHUT_RDWR);
	run_until(&loop, seen.done);

	assert_non_null(strstr(seen.address, "127.0.0.8"));
	end();
	close_places(places, n);
}

/* IPv6 is there first, and dead; what comes later joins in. */
static void an_address_that_is_resolved_late_joins_the_race(void **state)
{
	(void)state;
	struct place places[PLACES_MAX];
	size_t n;
	uint16_t port = open_places(places, &n, "~::1 127.0.0.1");
	start_with("127.0.0.1", "::1");
	dns.a.delay_ns = 600 * NS_PER_MS;

	dial_name(port);
	run_until(&loop, strstr(seen.tried, "[::1]"));
	assert_int_equal(dns.a.delay_ns > 0 && seen.done, 0);
	run_until(&loop, seen.done);

	assert_string_equal(seen.tried, "[::1] 127.0.0.1 ");
	assert_true(seen.fd >= 0);
	end();
	close_places(places, n);
}

/* Nothing else is left to try, so the address that refused is told only when the name is. */
static void a_refusal_waits_for_the_addresses_to_come(void **state)
{
	(void)state;
	struct place places[PLACES_MAX];
	size_t n;
	uint16_t port = open_places(places, &n, "127.0.0.1");
	start_with("127.0.0.1", "::1");
	dns.a.delay_ns = 100 * NS_PER_MS;

	dial_name(port);
	run_until(&loop, seen.done);

	assert_string_equal(seen.tried, "[::1] 127.0.0.1 ");
	assert_true(seen.fd >= 0);
	end();
	close_places(places, n);
}

static void a_refusal_is_told_where_the_rest_is_never_resolved(void **state)
{
	(void)state;
	char expected[128];
	start_with(NULL, "::1");
	dns.a.is_swallowed = true;
	struct address a = closed_address();

	dial_name_within(port_of(&a), 500 * NS_PER_MS);
	run_until(&loop, seen.done);

	put_port("resolving irc.test: timed out; before that [::1]:PORT: connection refused",
		port_of(&a), expected, sizeof(expected));
	assert_string_equal(seen.why.text, expected);
	assert_int_equal(seen.why.code, ERR_TIMEOUT);
	end();
}

static void the_losers_are_closed(void **state)
{
	(void)state;
	struct place places[PLACES_MAX];
	size_t n;
	uint16_t port = open_places(places, &n, "~127.0.0.2 ~127.0.0.3 127.0.0.4");
	start_with("127.0.0.2 127.0.0.3 127.0.0.4", NULL);

	dial_name(port);
	run_until(&loop, strstr(seen.tried, "127.0.0.3"));
	assert_true(count_fds() >= fds_before + 2);
	run_until(&loop, seen.done);

	assert_true(seen.fd >= 0);
	assert_int_equal(loop.timers.n, 0);
	end();
	close_places(places, n);
}

static void resolving_has_its_end_too(void **state)
{
	(void)state;
	start();
	dns.a.is_swallowed = dns.aaaa.is_swallowed = true;

	dial_name_within(6697, 100 * NS_PER_MS);
	run_until(&loop, seen.done);

	assert_int_equal(seen.why.code, ERR_TIMEOUT);
	assert_string_equal(seen.why.text, "resolving irc.test: timed out");
	assert_string_equal(seen.phases, "resolving ");
	end();
}

#define FAMILY(name, host, bind, family, tried, end, code) \
	{                                                  \
		name, host, bind, family, tried, end, code \
	}

static const struct family_row {
	const char *name, *host, *bind;
	int family;
	const char *tried, *end;
	int code;
} families[] = {
	FAMILY("both", "irc.test", NULL, AF_UNSPEC, "[::1] ", "[::1]:PORT", 0),
	FAMILY("IPv4 only", "irc.test", NULL, AF_INET, "127.0.0.1 ", "127.0.0.1:PORT", 0),
	FAMILY("IPv6 only", "irc.test", NULL, AF_INET6, "[::1] ", "[::1]:PORT", 0),
	FAMILY("from an IPv4 address", "irc.test", "127.0.0.5", AF_UNSPEC, "127.0.0.1 ",
		"127.0.0.1:PORT", 0),
	FAMILY("from an IPv6 address", "irc.test", "::1", AF_UNSPEC, "[::1] ", "[::1]:PORT", 0),
	FAMILY("from an IPv4 address that is not ours", "irc.test", "192.0.2.77", AF_UNSPEC,
		"127.0.0.1 ",
		"127.0.0.1:PORT: cannot bind to 192.0.2.77: cannot assign requested address",
		ERR_REFUSED),
	FAMILY("from an IPv6 address that is not ours", "irc.test", "2001:db8::77", AF_UNSPEC,
		"[::1] ",
		"[::1]:PORT: cannot bind to 2001:db8::77: cannot assign requested address",
		ERR_REFUSED),
	FAMILY("IPv6 only, to an IPv4 address", "127.0.0.1", NULL, AF_INET6, "",
		"127.0.0.1 is no IPv6 address, and no other may be used", ERR_DNS),
	FAMILY("from an IPv6 address to an IPv4 address", "127.0.0.1", "::1", AF_UNSPEC, "",
		"127.0.0.1 is no IPv6 address, and no other may be used", ERR_DNS),
};

static void assert_bound(int fd, const char *host)
{
	struct address a = {.n = sizeof(a.sa)};
	char text[ADDRESS_TEXT_BYTES];
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a.sa, &a.n), 0);
	address_format_host(&a, text);
	assert_string_equal(text, host);
}

static void only_addresses_of_a_family(void **state)
{
	const struct family_row *row = *state;
	struct place places[PLACES_MAX];
	struct address local;
	size_t n;
	char expected[128];
	uint16_t port = open_places(places, &n, "127.0.0.1 ::1");
	struct dial_options options = {.host = row->host,
		.port = port,
		.timeout_ns = 60 * NS_PER_S,
		.family = row->family};
	if (row->bind)
		assert_true(address_parse(row->bind, 0, &local));
	options.bind = row->bind ? &local : NULL;
	start_with("127.0.0.1", "::1");

	dial_with(&options);
	run_until(&loop, seen.done);

	put_port(row->end, port, expected, sizeof(expected));
	assert_string_equal(seen.fd >= 0 ? seen.address : seen.why.text, expected);
	assert_int_equal(seen.why.code, row->code);
	assert_string_equal(seen.tried, row->tried);
	if (row->bind && seen.fd >= 0)
		assert_bound(seen.fd, row->bind);
	end();
	close_places(places, n);
}

static const struct dead_row {
	const char *name;
	int64_t dead_ns;
	int idle_s, interval_s, user_ms;
} deaths[] = {
	{"dead after 150 seconds", 150 * NS_PER_S,    75,    18,    131250   },
	{"dead after a second",    NS_PER_S,          1,     1,     875      },
	{"dead after two days",    172800 * NS_PER_S, 32767, 21600, 151200000},
};

/* The last probe that finds the end is sent before dead_ns. */
static void a_dead_end_is_found_in_time(void **state)
{
	const struct dead_row *row = *state;
	struct address a;
	start();
	int listener = listen_tcp(&a);
	const struct dial_options options = {.host = "127.0.0.1",
		.port = port_of(&a),
		.timeout_ns = 60 * NS_PER_S,
		.dead_ns = row->dead_ns};

	dial_with(&options);
	run_until(&loop, seen.done);

	assert_true(seen.fd >= 0);
	assert_int_equal(option_of(seen.fd, IPPROTO_TCP, TCP_KEEPIDLE), row->idle_s);
	assert_int_equal(option_of(seen.fd, IPPROTO_TCP, TCP_KEEPINTVL), row->interval_s);
	assert_int_equal(option_of(seen.fd, IPPROTO_TCP, TCP_USER_TIMEOUT), row->user_ms);
	close(listener);
	end();
}

static void without_descriptors_it_fails_once(void **state)
{
	(void)state;
	struct rlimit limit, none;
	start();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);

	dial_host("127.0.0.1", 6697);
	while (!seen.done)
		ev_run(loop.ev, EVRUN_NOWAIT);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);

	assert_int_equal(seen.done, 1);
	assert_int_equal(seen.why.code, ERR_LIMIT);
	assert_non_null(strstr(seen.why.text, "too many open files"));
	assert_string_equal(seen.phases, "resolving connecting ");
	end();
}

/* What is in flight holds the last descriptor, and keeps it. */
static void without_a_descriptor_more_those_in_flight_go_on(void **state)
{
	(void)state;
	struct place places[PLACES_MAX];
	struct rlimit limit, few;
	size_t n;
	uint16_t port = open_places(places, &n, "~127.0.0.2 127.0.0.3");
	start_with("127.0.0.2 127.0.0.3", NULL);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	few = limit;

	dial_name(port);
	run_until(&loop, strstr(seen.tried, "127.0.0.2"));
	few.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	run_until(&loop, strstr(seen.tried, "127.0.0.3"));
	run_idle(&loop);
	assert_int_equal(seen.done, 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	run_until(&loop, seen.done);

	assert_true(seen.fd >= 0);
	assert_string_equal(seen.tried, "127.0.0.2 127.0.0.3 127.0.0.3 ");
	end();
	close_places(places, n);
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

static const struct flight_row {
	const char *name, *tried; /* the last words, when it is cancelled */
	size_t descriptors;
} flights[] = {
	{"cancelled with one in flight", "127.0.0.2 ",                     1},
	{"cancelled with two in flight", "127.0.0.2 127.0.0.3 ",           2},
	{"cancelled with all in flight", "127.0.0.2 127.0.0.3 127.0.0.4 ", 3},
};

static void cancelled_while_connecting_it_leaves_nothing(void **state)
{
	const struct flight_row *row = *state;
	struct place places[PLACES_MAX];
	size_t n;
	uint16_t port = open_places(places, &n, "~127.0.0.2 ~127.0.0.3 ~127.0.0.4");
	start_with("127.0.0.2 127.0.0.3 127.0.0.4", NULL);

	dial_name(port);
	run_until(&loop, strcmp(seen.tried, row->tried) == 0);
	resolver_fini(&resolver); /* its sockets are not what is counted */
	size_t before = count_fds();
	dial_cancel(dial);

	assert_int_equal(count_fds(), before - row->descriptors);
	assert_int_equal(loop.timers.n, 0);
	run_idle(&loop);
	assert_int_equal(seen.done, 0);
	end();
	close_places(places, n);
}

static void on_held_answer(
	void *data, const struct address *addresses, size_t n, bool is_last, const struct err *why)
{
	(void)data;
	(void)addresses;
	(void)is_last;
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
	struct resolve *r =
		resolve_start(&resolver, "127.0.0.1", 1, AF_UNSPEC, on_held_answer, NULL);
	assert_int_equal(clock.holds, 1);
	resolve_cancel(r);
	resolve_start(&resolver, "localhost", 1, AF_UNSPEC, on_held_answer, &clock);
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
	check_rows(&c, races, a_race_of_addresses);
	check_test(&c, one_that_fails_late_makes_room_at_once);
	check_test(&c, an_address_that_is_resolved_late_joins_the_race);
	check_test(&c, a_refusal_waits_for_the_addresses_to_come);
	check_test(&c, a_refusal_is_told_where_the_rest_is_never_resolved);
	check_test(&c, the_losers_are_closed);
	check_test(&c, resolving_has_its_end_too);
	check_rows(&c, families, only_addresses_of_a_family);
	check_rows(&c, deaths, a_dead_end_is_found_in_time);
	check_test(&c, without_descriptors_it_fails_once);
	check_test(&c, without_a_descriptor_more_those_in_flight_go_on);
	check_test(&c, cancelled_at_once_it_leaves_nothing);
	check_rows(&c, rows, cancelled_in_a_phase_it_leaves_nothing);
	check_rows(&c, flights, cancelled_while_connecting_it_leaves_nothing);
	check_test(&c, a_dial_holds_a_virtual_clock_until_it_is_over);
	return check_run(&c, "dial");
}
