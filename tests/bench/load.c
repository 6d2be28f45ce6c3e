/*
 * load: an IRC server that measures the client which it starts.
 *
 *     load --workload NAME --listen FD[,FD...] [OPTION...] -- CLIENT [ARGUMENT...]
 *
 * It waits until the client has registered so many connections and joined #bench on each, runs one
 * workload, ends the client and prints one JSON object. The listening sockets are inherited. Client
 * and server run on a processor each, where there are two. Every reply is compared with what it
 * must be, byte by byte; what is wrong is counted, and the first of each kind is shown:
 *
 *     dropped     no reply came
 *     doubled     a second reply to the same line
 *     reordered   a reply to an earlier line than the one before
 *     mangled     not what was to be said, or not where
 *     late        later than --late-ms
 *
 * A client that is --restless has something else to do all the time: that it comes to rest is not
 * waited for.
 *
 * Every wait ends at --deadline, in seconds for the whole run. Exit status: 0 when all was
 * measured, whatever the faults; 1 when it was not, and then `error` says why.
 */
#include "base/attr.h"
#include "base/mem.h"
#include "support/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_MS   INT64_C(1000000)
#define NS_PER_S    INT64_C(1000000000)
#define SPREAD      0.4 /* of the time asleep: the lines of `sleep` are sent over it */
#define CLOSE_NS    (6 * NS_PER_S)
#define QUIET_NS    (2500 * NS_PER_MS)
#define NOBODY      ((uint32_t)-1)
#define TEXT_DIGITS 8

enum { EVENTS = 256, LISTENERS_MAX = 256, USERS = 16, LINE_BYTES = 512, SINK_BYTES = 64 * 1024 };

enum fault { DROPPED, DOUBLED, REORDERED, MANGLED, LATE, FAULTS };

static const char *const fault_names[FAULTS] = {
	"dropped", "doubled", "reordered", "mangled", "late"};

struct connection {
	struct wire wire;
	uint32_t number;
	char nick[32];
	bool has_user, is_negotiating, is_registered, is_joined;
};

/* A line's, by its number. */
enum line_state { LINE_UNSENT, LINE_SENT, LINE_GIVEN_UP, LINE_ANSWERED };

/* Lines that are answered one by one. Line i goes to connection i modulo their number. */
struct flow {
	uint8_t *states;
	int64_t *sent_ns;
	int64_t *latencies_ns; /* of those answered since flow_mark */
	size_t n_latencies;
	uint32_t size, next; /* how many may be sent, and were */
	uint32_t oldest;     /* all before it were answered */
	uint32_t newest;     /* the latest that was answered */
	uint32_t open;       /* that are waited for */
	int64_t heard_ns;
	int64_t delay_ns; /* after which an answer is on time */
	bool is_ordered;
	bool is_ping; /* PING and PONG, not what is said */
};

struct workload {
	const char *name;
	void (*run)(void);
};

static struct {
	const struct workload *workload;
	const char *cert, *key; /* NULL: plain */
	bool has_tags, is_restless;
	uint32_t n_lines, window, n_connections, rounds;
	double seconds; /* asleep */
	int64_t late_ns, deadline_ns;
	int listeners[LISTENERS_MAX];
	size_t n_listeners;
	char **client;
} options = {.n_lines = 10000, .window = 64, .n_connections = 1, .rounds = 5, .seconds = 5};

static struct {
	int epoll, notify;
	SSL_CTX *tls;
	int64_t now_ns;
	const char *phase; /* for the error, when it takes too long */
	char error[256];

	pid_t client;
	clockid_t client_clock;
	bool is_pinned, is_ending;

	struct connection *connections;
	uint32_t n_accepted, n_joined;
	struct flow flow;
	uint64_t counted; /* by the client, of `sink` */
	bool has_count;

	struct {
		uint64_t n;
		char first[LINE_BYTES];
	} faults[FAULTS];
} l = {.notify = -1, .phase = "start"};

/* What is reported; what was not measured is -1. */
static struct {
	int64_t lines, wall_ns, cpu_ns, memory_before, memory_after;
	int64_t started_ns, accepted_ns, ready_ns, joined_ns;
	int64_t rounds_ns[64], rounds_cpu_ns[64];
	uint32_t n_rounds;
} result = {.lines = -1,
	.wall_ns = -1,
	.cpu_ns = -1,
	.memory_before = -1,
	.memory_after = -1,
	.accepted_ns = -1,
	.ready_ns = -1,
	.joined_ns = -1};

static int64_t clock_ns(clockid_t clock)
{
	struct timespec ts = {0};
	clock_gettime(clock, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static int64_t mono_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

/* The end. */

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static int64_t percentile(const struct flow *f, double part)
{
	if (f->n_latencies == 0)
		return -1;
	return f->latencies_ns[(size_t)((double)(f->n_latencies - 1) * part)];
}

static void print_text(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;
		if (byte == '"' || byte == '\\')
			printf("\\%c", byte);
		else if (byte < ' ' || byte > '~')
			printf("\\u%04x", byte);
		else
			putchar(byte);
	}
	putchar('"');
}

static void print_faults(void)
{
	printf("\"faults\": {");
	for (size_t i = 0; i < FAULTS; i++) {
		printf("%s\"%s\": {\"count\": %" PRIu64 ", \"first\": ", i ? ", " : "",
			fault_names[i], l.faults[i].n);
		print_text(l.faults[i].first);
		printf("}");
	}
	printf("}, ");
}

static void print_rounds(const char *name, const int64_t *ns)
{
	printf("\"%s\": [", name);
	for (uint32_t i = 0; i < result.n_rounds; i++)
		printf("%s%" PRId64, i ? ", " : "", ns[i]);
	printf("], ");
}

static void print_result(void)
{
	const struct flow *f = &l.flow;
	if (f->n_latencies)
		qsort(f->latencies_ns, f->n_latencies, sizeof(*f->latencies_ns), by_size);
	printf("{\"workload\": \"%s\", \"connections\": %" PRIu32 ", ", options.workload->name,
		options.n_connections);
	printf("\"lines\": %" PRId64 ", \"wall_ns\": %" PRId64 ", \"cpu_ns\": %" PRId64 ", ",
		result.lines, result.wall_ns, result.cpu_ns);
	printf("\"latency_ns\": {\"min\": %" PRId64 ", \"p50\": %" PRId64 ", \"p99\": %" PRId64
	       ", \"max\": %" PRId64 "}, ",
		percentile(f, 0), percentile(f, 0.5), percentile(f, 0.99), percentile(f, 1));
	printf("\"memory\": {\"before\": %" PRId64 ", \"after\": %" PRId64 "}, ",
		result.memory_before, result.memory_after);
	printf("\"start_ns\": {\"accepted\": %" PRId64 ", \"ready\": %" PRId64
	       ", \"joined\": %" PRId64 "}, ",
		result.accepted_ns, result.ready_ns, result.joined_ns);
	print_rounds("rounds_ns", result.rounds_ns);
	print_rounds("rounds_cpu_ns", result.rounds_cpu_ns);
	print_faults();
	printf("\"pinned\": %s, \"error\": ", l.is_pinned ? "true" : "false");
	if (l.error[0])
		print_text(l.error);
	else
		printf("null");
	printf("}\n");
}

/* With the time that a service manager gives, and no more. */
static void end_client(void)
{
	if (l.client <= 0)
		return;
	int64_t end_ns = mono_ns() + CLOSE_NS;
	kill(l.client, SIGTERM);
	for (uint32_t i = 0; i < l.n_accepted; i++)
		wire_close(&l.connections[i].wire);
	while (waitpid(l.client, NULL, WNOHANG) == 0) {
		if (mono_ns() > end_ns)
			kill(l.client, SIGKILL);
		usleep(1000);
	}
	l.client = 0;
}

static NORETURN void finish(void)
{
	l.is_ending = true;
	end_client();
	print_result();
	fflush(stdout);
	exit(l.error[0] ? EXIT_FAILURE : EXIT_SUCCESS);
}

static NORETURN void fail(const char *fmt, ...) PRINTF(1, 2);

static NORETURN void fail(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(l.error, sizeof(l.error), fmt, ap);
	va_end(ap);
	finish();
}

static void note_fault(enum fault fault, const char *fmt, ...) PRINTF(2, 3);

static void note_fault(enum fault fault, const char *fmt, ...)
{
	va_list ap;
	if (l.faults[fault].n++)
		return;
	va_start(ap, fmt);
	vsnprintf(l.faults[fault].first, sizeof(l.faults[fault].first), fmt, ap);
	va_end(ap);
}

/* The client. */

/* Its memory in bytes: that of a process which may not be looked into is in statm, in pages. */
static int64_t memory_of(pid_t pid)
{
	char path[64], line[256];
	long long kilobytes = -1, size, pages;
	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	FILE *f = fopen(path, "r");
	while (f && kilobytes < 0 && fgets(line, sizeof(line), f))
		sscanf(line, "Rss: %lld kB", &kilobytes);
	if (f)
		fclose(f);
	if (kilobytes >= 0)
		return kilobytes * 1024;
	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%lld %lld", &size, &pages) != 2)
		pages = -1;
	if (f)
		fclose(f);
	return pages < 0 ? -1 : pages * sysconf(_SC_PAGESIZE);
}

/* Of all its threads. */
static int64_t cpu_ns(void)
{
	return clock_ns(l.client_clock);
}

static void pin_to(pid_t pid, int cpu)
{
	cpu_set_t one;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(pid, sizeof(one), &one) < 0)
		l.is_pinned = false;
}

/* The first processor that we may use is ours, the last the client's. */
static int choose_cpu(void)
{
	cpu_set_t all;
	int first = -1, last = -1;
	if (sched_getaffinity(0, sizeof(all), &all) < 0 || CPU_COUNT(&all) < 2)
		return -1;
	for (int i = 0; i < CPU_SETSIZE; i++) {
		if (!CPU_ISSET(i, &all))
			continue;
		first = first < 0 ? i : first;
		last = i;
	}
	l.is_pinned = true;
	pin_to(0, first);
	return last;
}

static NORETURN void become_client(int cpu)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (cpu >= 0)
		pin_to(0, cpu);
	dup2(STDERR_FILENO, STDOUT_FILENO);
	execvp(options.client[0], options.client);
	fprintf(stderr, "load: %s: %s\n", options.client[0], strerror(errno));
	_exit(127);
}

static void start_client(void)
{
	int cpu = choose_cpu();
	result.started_ns = mono_ns();
	l.client = fork();
	if (l.client == 0)
		become_client(cpu);
	if (l.client < 0 || clock_getcpuclockid(l.client, &l.client_clock) != 0)
		fail("cannot start the client");
}

/* Replies. */

static const char prose[] = "the quick brown fox jumps over the lazy dog, packs my box with five "
			    "dozen jugs & vexes bold Jack; how many more? 0123456789";

static char *put_digits(char *to, uint32_t number)
{
	for (int i = TEXT_DIGITS - 1; i >= 0; i--, number /= 10)
		to[i] = (char)('0' + number % 10);
	return to + TEXT_DIGITS;
}

/* What line `number` says. */
static size_t put_text(char *to, uint32_t number)
{
	size_t n = 20 + number % 41;
	char *at = put_digits(to, number);
	*at++ = ' ';
	memcpy(at, prose + number * 7 % 32, n);
	return (size_t)(at - to) + n;
}

static bool read_digits(const char *text, size_t n, uint32_t *number)
{
	*number = 0;
	for (size_t i = 0; i < TEXT_DIGITS; i++) {
		if (i >= n || text[i] < '0' || text[i] > '9')
			return false;
		*number = *number * 10 + (uint32_t)(text[i] - '0');
	}
	return true;
}

static void note_latency(struct flow *f, uint32_t number)
{
	int64_t ns = l.now_ns - f->sent_ns[number] - f->delay_ns;
	f->latencies_ns[f->n_latencies++] = ns;
	if (ns > options.late_ns || f->states[number] == LINE_GIVEN_UP)
		note_fault(LATE, "line %" PRIu32 " was answered after %" PRId64 " ms", number,
			ns / NS_PER_MS);
}

static void settle(struct flow *f, uint32_t number)
{
	if (f->states[number] == LINE_ANSWERED)
		return;
	note_latency(f, number);
	if (f->states[number] == LINE_SENT)
		f->open--;
	f->states[number] = LINE_ANSWERED;
	if (f->newest == NOBODY || number > f->newest)
		f->newest = number;
	while (f->oldest < f->next && f->states[f->oldest] == LINE_ANSWERED)
		f->oldest++;
}

/* What cannot be told apart stands for the line whose turn it was. */
static void take_mangled(struct flow *f, uint32_t number, const char *line, size_t n)
{
	note_fault(MANGLED, "%.*s", n < 200 ? (int)n : 200, line);
	if (number == NOBODY && f->oldest < f->next)
		number = f->oldest;
	if (number != NOBODY)
		settle(f, number);
}

static void check_answer(struct flow *f, uint32_t number, const char *text, size_t n)
{
	char wanted[LINE_BYTES];
	if (f->states[number] == LINE_ANSWERED)
		note_fault(DOUBLED, "%.*s", n < 200 ? (int)n : 200, text);
	else if (put_text(wanted, number) != n || memcmp(wanted, text, n) != 0)
		take_mangled(f, number, text, n);
	else if (f->is_ordered && f->newest != NOBODY && number < f->newest)
		note_fault(REORDERED, "%" PRIu32 " after %" PRIu32, number, f->newest);
}

static void take_answer(struct connection *from, const char *line, size_t n)
{
	struct flow *f = &l.flow;
	const char *head = f->is_ping ? "PONG :" : "PRIVMSG #bench :";
	size_t n_head = strlen(head);
	uint32_t number;
	f->heard_ns = l.now_ns;
	bool is_ours = n > n_head && memcmp(line, head, n_head) == 0 &&
		       read_digits(line + n_head, n - n_head, &number) && number < f->next &&
		       number % options.n_connections == from->number;
	if (!is_ours) {
		take_mangled(f, NOBODY, line, n);
		return;
	}
	check_answer(f, number, line + n_head, n - n_head);
	settle(f, number);
}

static void take_count(const char *line, size_t n)
{
	unsigned long long count;
	char text[LINE_BYTES];
	snprintf(text, sizeof(text), "%.*s", (int)n, line);
	if (sscanf(text, "PRIVMSG #bench :count %llu", &count) != 1) {
		note_fault(MANGLED, "%s", text);
		return;
	}
	l.counted = count;
	l.has_count = true;
}

/* The server. */

static void say(struct connection *to, const char *fmt, ...) PRINTF(2, 3);

static void say(struct connection *to, const char *fmt, ...)
{
	char line[LINE_BYTES];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(line, sizeof(line) - 2, fmt, ap);
	va_end(ap);
	memcpy(line + n, "\r\n", 2);
	wire_put(&to->wire, line, (size_t)n + 2);
}

static void welcome(struct connection *to)
{
	if (to->is_registered || to->is_negotiating || !to->nick[0] || !to->has_user)
		return;
	to->is_registered = true;
	say(to, ":irc.bench 001 %s :Welcome to the bench %s", to->nick, to->nick);
	say(to, ":irc.bench 005 %s CASEMAPPING=ascii CHANTYPES=# NETWORK=bench :are supported",
		to->nick);
	say(to, ":irc.bench 422 %s :No message of the day", to->nick);
}

static void negotiate(struct connection *to, const char *verb, const char *list)
{
	const char *offered = options.has_tags ? "message-tags server-time account-tag" : "";
	if (strcmp(verb, "LS") == 0) {
		to->is_negotiating = true;
		say(to, ":irc.bench CAP * LS :%s", offered);
	} else if (strcmp(verb, "REQ") == 0) {
		say(to, ":irc.bench CAP * ACK :%s", list + (*list == ':'));
	} else if (strcmp(verb, "END") == 0) {
		to->is_negotiating = false;
		welcome(to);
	}
}

static void join(struct connection *to, const char *channel)
{
	if (strcmp(channel, "#bench") != 0)
		fail("the client joins %.100s", channel);
	say(to, ":%s!ebb@client.example.org JOIN #bench", to->nick);
	say(to, ":irc.bench 353 %s = #bench :@alice %s", to->nick, to->nick);
	say(to, ":irc.bench 366 %s #bench :End of names", to->nick);
	l.n_joined += !to->is_joined;
	to->is_joined = true;
	result.joined_ns = l.now_ns - result.started_ns;
}

/* Lines of a conversation that is not measured. */
static void on_command(struct connection *from, char *line, size_t n)
{
	char text[LINE_BYTES], *rest = text;
	snprintf(text, sizeof(text), "%.*s", (int)n, line);
	const char *command = strsep(&rest, " "), *first = rest ? strsep(&rest, " ") : "";
	if (strcmp(command, "CAP") == 0) {
		negotiate(from, first, rest ? rest : "");
	} else if (strcmp(command, "NICK") == 0) {
		snprintf(from->nick, sizeof(from->nick), "%s", first);
		welcome(from);
	} else if (strcmp(command, "USER") == 0) {
		from->has_user = true;
		welcome(from);
	} else if (strcmp(command, "JOIN") == 0) {
		join(from, first);
	} else if (strcmp(command, "PING") == 0) {
		say(from, ":irc.bench PONG irc.bench %s", first);
	} else if (strcmp(command, "WHO") == 0) {
		say(from, ":irc.bench 315 %s %s :End of WHO", from->nick, first);
	} else {
		note_fault(MANGLED, "%.*s", n < 200 ? (int)n : 200, line);
	}
}

static void on_line(void *owner, char *line, size_t n)
{
	struct connection *from = owner;
	const char *answer = l.flow.is_ping ? "PONG " : "PRIVMSG ";
	size_t n_answer = strlen(answer);
	if (!from->is_joined || n < n_answer || memcmp(line, answer, n_answer) != 0)
		on_command(from, line, n);
	else if (l.flow.states)
		take_answer(from, line, n);
	else
		take_count(line, n);
}

static void flush(struct connection *to)
{
	if (!wire_flush(&to->wire))
		fail("%s: connection %" PRIu32 " broke", l.phase, to->number);
}

static void on_connection(struct connection *from)
{
	if (!wire_read(&from->wire, on_line))
		fail("%s: connection %" PRIu32 " was closed by the client", l.phase, from->number);
	flush(from);
}

static void take_connection(int fd)
{
	struct connection *c = &l.connections[l.n_accepted];
	SSL *ssl = NULL;
	if (l.n_accepted == options.n_connections)
		fail("more connections than there should be");
	if (l.tls) {
		ssl = SSL_new(l.tls);
		SSL_set_accept_state(ssl);
	}
	if (l.n_accepted == 0)
		result.accepted_ns = l.now_ns - result.started_ns;
	c->number = l.n_accepted++;
	wire_open(&c->wire, fd, ssl, l.epoll, c);
}

static void on_listener(int listener)
{
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0 && errno == EAGAIN)
			return;
		if (fd < 0)
			fail("accept: %s", strerror(errno));
		take_connection(fd);
	}
}

static void on_notify(void)
{
	char text[256] = "";
	ssize_t n = recv(l.notify, text, sizeof(text) - 1, MSG_DONTWAIT);
	if (n > 0 && strstr(text, "READY=1") && result.ready_ns < 0)
		result.ready_ns = l.now_ns - result.started_ns;
}

static void look_at_client(void)
{
	int status;
	if (l.client > 0 && waitpid(l.client, &status, WNOHANG) == l.client) {
		l.client = 0;
		fail("%s: the client ended: %s %d", l.phase,
			WIFSIGNALED(status) ? "signal" : "status",
			WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	}
}

static void on_event(void *source)
{
	if (source == &l.notify)
		on_notify();
	else if ((int *)source >= options.listeners &&
		 (int *)source < options.listeners + LISTENERS_MAX)
		on_listener(*(int *)source);
	else
		on_connection(source);
}

/* One turn of the loop. */
static void turn(int timeout_ms)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(l.epoll, events, EVENTS, timeout_ms);
	l.now_ns = mono_ns();
	for (int i = 0; i < n; i++)
		on_event(events[i].data.ptr);
	if (n == 0 && timeout_ms)
		look_at_client();
	if (l.now_ns > options.deadline_ns)
		fail("%s: not done before the deadline", l.phase);
}

static void turn_for(int64_t ns)
{
	int64_t end_ns = mono_ns() + ns;
	while (mono_ns() < end_ns)
		turn(1 + (int)((end_ns - mono_ns()) / NS_PER_MS));
}

/* Until the client has nothing more to do. */
static void turn_until_idle(void)
{
	int64_t before;
	do {
		before = cpu_ns();
		turn_for(50 * NS_PER_MS);
	} while (cpu_ns() - before > NS_PER_MS);
}

/* Flows. */

static void flow_open(uint32_t size)
{
	l.flow = (struct flow){.states = mem_new(size),
		.sent_ns = mem_new(size * sizeof(int64_t)),
		.latencies_ns = mem_new(size * sizeof(int64_t)),
		.size = size,
		.newest = NOBODY,
		.is_ordered = options.n_connections == 1};
}

/* What comes from here on is measured. */
static void flow_mark(struct flow *f)
{
	f->n_latencies = 0;
}

struct head {
	char bytes[LINE_BYTES];
	size_t n, msgid_at;
};

/* The part of a line before its text, by one of several users. */
static const struct head *head_of(uint32_t number)
{
	static struct head heads[USERS];
	struct head *h = &heads[number % USERS];
	if (h->n)
		return h;
	unsigned user = number % USERS;
	if (options.has_tags)
		h->n = (size_t)snprintf(h->bytes, sizeof(h->bytes),
			"@time=2024-05-01T12:34:56.%03uZ;account=user%02u;msgid=bench-00000000 ",
			user * 41, user);
	h->msgid_at = options.has_tags ? h->n - TEXT_DIGITS - 1 : 0;
	h->n += (size_t)snprintf(h->bytes + h->n, sizeof(h->bytes) - h->n,
		":user%02u!~user%02u@host-%02u.example.org PRIVMSG #bench :", user, user, user);
	return h;
}

static void put_line(struct connection *to, uint32_t number)
{
	static const struct head ping = {"PING :", 6, 0};
	const struct head *h = l.flow.is_ping ? &ping : head_of(number);
	char *start = wire_reserve(&to->wire, LINE_BYTES), *at = start;
	memcpy(at, h->bytes, h->n);
	if (h->msgid_at)
		put_digits(at + h->msgid_at, number);
	at += h->n;
	at += put_text(at, number);
	memcpy(at, "\r\n", 2);
	wire_commit(&to->wire, (size_t)(at + 2 - start));
}

/* Sends so many of the next lines. */
static void flow_send(struct flow *f, uint32_t n)
{
	int64_t now_ns = mono_ns();
	for (; n; n--) {
		struct connection *to = &l.connections[f->next % options.n_connections];
		put_line(to, f->next);
		f->sent_ns[f->next] = now_ns;
		f->states[f->next++] = LINE_SENT;
		f->open++;
		if (options.n_connections > 1)
			flush(to);
	}
	if (options.n_connections == 1)
		flush(&l.connections[0]);
}

/* So that a line which is never answered does not end the run. */
static void give_up(struct flow *f)
{
	for (uint32_t i = f->oldest; i < f->next; i++)
		if (f->states[i] == LINE_SENT)
			f->states[i] = LINE_GIVEN_UP;
	f->open = 0;
	f->heard_ns = l.now_ns;
}

static bool is_silent(const struct flow *f)
{
	return l.now_ns - f->heard_ns > options.late_ns + f->delay_ns;
}

/* Sends lines up to number `end` and takes their answers, at most `window` of them under way. With
 * a window of one we do not sleep: how we wake up is not what is measured. */
static void flow_run(struct flow *f, uint32_t end, uint32_t window)
{
	int timeout_ms = window == 1 ? 0 : 100;
	f->heard_ns = mono_ns();
	while (f->next < end || f->open) {
		uint32_t room = window > f->open ? window - f->open : 0;
		uint32_t left = end - f->next;
		if (room && left)
			flow_send(f, room < left ? room : left);
		turn(timeout_ms);
		if (f->open && is_silent(f))
			give_up(f);
	}
}

static void flow_close(struct flow *f)
{
	int64_t end_ns = mono_ns() + options.late_ns;
	l.phase = "stragglers";
	turn_for(20 * NS_PER_MS); /* a reply too many would come now */
	while (f->oldest < f->next && mono_ns() < end_ns)
		turn(20);
	for (uint32_t i = f->oldest; i < f->next; i++)
		if (f->states[i] != LINE_ANSWERED)
			note_fault(DROPPED, "line %" PRIu32, i);
}

/* Workloads. */

static void wait_joined(void)
{
	l.phase = "connect";
	while (l.n_joined < options.n_connections)
		turn(100);
	if (!options.is_restless)
		turn_until_idle();
}

static uint32_t warming(void)
{
	uint32_t tenth = options.n_lines / 10;
	return tenth > options.window ? tenth : options.window;
}

static void run_echo(void)
{
	struct flow *f = &l.flow;
	uint32_t warm = warming();
	flow_open(warm + options.n_lines);
	l.phase = "warming up";
	flow_run(f, warm, options.window);
	flow_mark(f);
	l.phase = "echo";
	int64_t wall_ns = mono_ns(), busy_ns = cpu_ns();
	flow_run(f, f->size, options.window);
	result.cpu_ns = cpu_ns() - busy_ns;
	result.wall_ns = mono_ns() - wall_ns;
	result.lines = options.n_lines;
	result.memory_after = memory_of(l.client);
	flow_close(f);
}

/* Sends n lines and the question how many lines there were; the lines counted since the last. */
static uint64_t sink(uint32_t n)
{
	struct connection *to = &l.connections[0];
	uint64_t before = l.counted;
	l.has_count = false;
	for (uint32_t i = 0; i < n; turn(to->wire.n_out ? 100 : 0)) {
		while (i < n && to->wire.n_out < SINK_BYTES)
			put_line(to, i++);
		flush(to);
	}
	say(to, ":user00!~user00@host-00.example.org PRIVMSG #bench :count");
	flush(to);
	while (!l.has_count)
		turn(100);
	return l.counted - before;
}

static void check_count(uint64_t sent, uint64_t counted)
{
	for (uint64_t i = counted; i < sent; i++)
		note_fault(DROPPED, "%" PRIu64 " of %" PRIu64 " lines were counted", counted, sent);
	for (uint64_t i = sent; i < counted; i++)
		note_fault(DOUBLED, "%" PRIu64 " of %" PRIu64 " lines were counted", counted, sent);
}

static void run_sink(void)
{
	l.phase = "warming up";
	check_count(warming(), sink(warming()));
	l.phase = "sink";
	int64_t wall_ns = mono_ns(), busy_ns = cpu_ns();
	uint64_t counted = sink(options.n_lines);
	result.cpu_ns = cpu_ns() - busy_ns;
	result.wall_ns = mono_ns() - wall_ns;
	result.lines = options.n_lines;
	result.memory_after = memory_of(l.client);
	check_count(options.n_lines, counted);
}

/* Sends the lines evenly over a time: what comes in heaps is answered in heaps. */
static void send_evenly(struct flow *f, int64_t spread_ns)
{
	int64_t start_ns = mono_ns();
	while (f->next < f->size) {
		double part = (double)(mono_ns() - start_ns) / (double)spread_ns;
		double due = part * f->size;
		uint32_t until = due < f->size ? (uint32_t)due : f->size;
		if (until > f->next)
			flow_send(f, until - f->next);
		turn(1);
	}
}

static void run_sleep(void)
{
	struct flow *f = &l.flow;
	flow_open(options.n_lines);
	f->is_ordered = false; /* timers that fire together */
	f->delay_ns = (int64_t)(options.seconds * NS_PER_S);
	result.memory_before = memory_of(l.client);
	l.phase = "sleep";
	int64_t busy_ns = cpu_ns(), spread_ns = (int64_t)((double)f->delay_ns * SPREAD);
	send_evenly(f, spread_ns);
	turn_for(spread_ns / 10);
	result.memory_after = memory_of(l.client);
	if (f->open != f->size)
		fail("some were answered before all slept");
	flow_run(f, f->size, f->size);
	result.cpu_ns = cpu_ns() - busy_ns;
	result.lines = options.n_lines;
	flow_close(f);
}

/* PINGs, evenly over the time, to a client that is busy with something else once it is told to. */
static void run_ping(void)
{
	struct flow *f = &l.flow;
	say(&l.connections[0], ":user00!~user00@host-00.example.org PRIVMSG #bench :go");
	flow_open(options.n_lines);
	f->is_ping = true;
	l.phase = "ping";
	int64_t busy_ns = cpu_ns();
	send_evenly(f, (int64_t)(options.seconds * NS_PER_S));
	flow_run(f, f->size, f->size);
	result.cpu_ns = cpu_ns() - busy_ns;
	result.lines = options.n_lines;
	flow_close(f);
}

/* The rounds after the first are counted: it makes what is kept. */
static void run_broadcast(void)
{
	struct flow *f = &l.flow;
	uint32_t n = options.n_connections;
	if (options.cert && n > 1)
		turn_for(QUIET_NS); /* what handshakes took, a client may give back when it is quiet
				     */
	result.memory_before = memory_of(l.client);
	flow_open(n * (options.rounds + 1));
	l.phase = "broadcast";
	flow_run(f, n, n);
	flow_mark(f);
	for (uint32_t i = 0; i < options.rounds; i++) {
		turn_until_idle();
		int64_t wall_ns = mono_ns(), busy_ns = cpu_ns();
		flow_run(f, n * (i + 2), n);
		result.rounds_ns[i] = mono_ns() - wall_ns;
		result.rounds_cpu_ns[i] = cpu_ns() - busy_ns;
		result.n_rounds++;
	}
	turn_until_idle();
	result.memory_after = memory_of(l.client);
	result.lines = n;
	flow_close(f);
}

static void run_idle(void)
{
	result.memory_after = memory_of(l.client);
}

static const struct workload workloads[] = {
	{"echo",      run_echo     },
	{"sink",      run_sink     },
	{"sleep",     run_sleep    },
	{"idle",      run_idle     },
	{"broadcast", run_broadcast},
	{"ping",      run_ping     },
};

/* The beginning. */

static NORETURN void usage(const char *why)
{
	fprintf(stderr,
		"load: %s\nusage: load --workload NAME --listen FD[,FD...] [OPTION...] "
		"-- CLIENT [ARGUMENT...]\n",
		why);
	exit(2);
}

static const struct workload *workload_of(const char *name)
{
	for (size_t i = 0; i < COUNTOF(workloads); i++)
		if (strcmp(workloads[i].name, name) == 0)
			return &workloads[i];
	usage("--workload: no such workload");
}

static void read_listeners(char *list)
{
	while (list) {
		if (options.n_listeners == LISTENERS_MAX)
			usage("--listen: too many");
		options.listeners[options.n_listeners++] = atoi(strsep(&list, ","));
	}
}

static uint32_t count_of(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);
	if (*end || n == 0 || n > 50 * 1000 * 1000)
		usage("a count is out of range");
	return (uint32_t)n;
}

enum {
	OPT_WORKLOAD,
	OPT_LISTEN,
	OPT_LINES,
	OPT_WINDOW,
	OPT_CONNECTIONS,
	OPT_ROUNDS,
	OPT_SECONDS,
	OPT_TAGS,
	OPT_RESTLESS,
	OPT_CERT,
	OPT_KEY,
	OPT_LATE,
	OPT_DEADLINE
};

static void take_option(int option)
{
	switch (option) {
	case OPT_WORKLOAD:
		options.workload = workload_of(optarg);
		break;
	case OPT_LISTEN:
		read_listeners(optarg);
		break;
	case OPT_LINES:
		options.n_lines = count_of(optarg);
		break;
	case OPT_WINDOW:
		options.window = count_of(optarg);
		break;
	case OPT_CONNECTIONS:
		options.n_connections = count_of(optarg);
		break;
	case OPT_ROUNDS:
		options.rounds = count_of(optarg);
		break;
	case OPT_SECONDS:
		options.seconds = strtod(optarg, NULL);
		break;
	case OPT_TAGS:
		options.has_tags = true;
		break;
	case OPT_RESTLESS:
		options.is_restless = true;
		break;
	case OPT_CERT:
		options.cert = optarg;
		break;
	case OPT_KEY:
		options.key = optarg;
		break;
	case OPT_LATE:
		options.late_ns = count_of(optarg) * NS_PER_MS;
		break;
	case OPT_DEADLINE:
		options.deadline_ns = mono_ns() + count_of(optarg) * NS_PER_S;
		break;
	default:
		usage("no such option");
	}
}

static void read_options(int argc, char **argv)
{
	static const struct option known[] = {
		{"workload",    required_argument, NULL, OPT_WORKLOAD   },
		{"listen",      required_argument, NULL, OPT_LISTEN     },
		{"lines",       required_argument, NULL, OPT_LINES      },
		{"window",      required_argument, NULL, OPT_WINDOW     },
		{"connections", required_argument, NULL, OPT_CONNECTIONS},
		{"rounds",      required_argument, NULL, OPT_ROUNDS     },
		{"seconds",     required_argument, NULL, OPT_SECONDS    },
		{"tags",        no_argument,       NULL, OPT_TAGS       },
		{"restless",    no_argument,       NULL, OPT_RESTLESS   },
		{"cert",        required_argument, NULL, OPT_CERT       },
		{"key",         required_argument, NULL, OPT_KEY        },
		{"late-ms",     required_argument, NULL, OPT_LATE       },
		{"deadline",    required_argument, NULL, OPT_DEADLINE   },
                {NULL,          0,                 NULL, 0              }
        };
	int option;
	options.late_ns = 2 * NS_PER_S;
	options.deadline_ns = mono_ns() + 60 * NS_PER_S;
	while ((option = getopt_long(argc, argv, "+", known, NULL)) != -1)
		take_option(option);
	options.client = argv + optind;
	if (!options.workload || !options.n_listeners || !*options.client)
		usage("something is missing");
	if (options.rounds > COUNTOF(result.rounds_ns))
		usage("--rounds: too many");
}

static void open_tls(void)
{
	if (!options.cert)
		return;
	l.tls = SSL_CTX_new(TLS_server_method());
	SSL_CTX_set_min_proto_version(l.tls, TLS1_3_VERSION);
	if (SSL_CTX_use_certificate_chain_file(l.tls, options.cert) != 1 ||
		SSL_CTX_use_PrivateKey_file(l.tls, options.key, SSL_FILETYPE_PEM) != 1)
		fail("cannot use the certificate or its key");
}

static void watch(int fd, void *source)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};
	if (epoll_ctl(l.epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		fail("epoll: %s", strerror(errno));
}

static void listen_on(int *listener)
{
	fcntl(*listener, F_SETFL, O_NONBLOCK);
	fcntl(*listener, F_SETFD, FD_CLOEXEC);
	watch(*listener, listener);
}

/* Where a service manager listens; the kernel chooses its name. */
static void open_notify(void)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	socklen_t n = sizeof(sa);
	l.notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (l.notify < 0 || bind(l.notify, (struct sockaddr *)&sa, sizeof(sa.sun_family)) < 0 ||
		getsockname(l.notify, (struct sockaddr *)&sa, &n) < 0)
		fail("notify: %s", strerror(errno));
	sa.sun_path[0] = '@';
	char name[sizeof(sa.sun_path) + 1] = "";
	memcpy(name, sa.sun_path, n - offsetof(struct sockaddr_un, sun_path));
	setenv("NOTIFY_SOCKET", name, 1);
	watch(l.notify, &l.notify);
}

int main(int argc, char **argv)
{
	read_options(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	l.epoll = epoll_create1(EPOLL_CLOEXEC);
	l.connections = mem_new(options.n_connections * sizeof(*l.connections));
	open_tls();
	for (size_t i = 0; i < options.n_listeners; i++)
		listen_on(&options.listeners[i]);
	open_notify();
	start_client();
	wait_joined();
	options.workload->run();
	finish();
}
