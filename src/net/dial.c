#include "net/dial.h"

#include "base/mem.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HOST_TEXT_BYTES = 256, REASON_BYTES = 160 };

/* A connection on its way. */
struct attempt {
	struct list node;
	struct dial *dial;
	int fd; /* owned */
	char text[ADDRESS_TEXT_BYTES];
	struct loop_fd watch;
};

struct failure {
	int code; /* an ERR_*; 0: there was none */
	char what[HOST_TEXT_BYTES + 16];
	char reason[REASON_BYTES];
};

/* An address that waits for its turn. */
struct candidate {
	struct list node;
	struct address address;
};

struct dial {
	struct loop *loop;
	struct resolver *resolver;
	char *host;
	uint16_t port;
	int family;          /* AF_UNSPEC: both */
	struct address bind; /* n is 0: none */
	int64_t dead_ns;
	const struct dial_events *events;
	void *data;
	bool is_over;

	struct resolve *resolve; /* while addresses may come */
	struct list candidates;
	size_t n_candidates;
	int tried_family;    /* of the latest attempt; AF_UNSPEC: there was none */
	struct list flights; /* the attempts, oldest first */
	size_t n_flights;

	struct timer deadline;
	struct timer turn;          /* set: it is too early for the next attempt */
	struct job job;             /* begin; in the end, release */
	struct failure last, other; /* the last, and the last that had another reason */
};

/* sockets */

static int code_of(int error)
{
	switch (error) {
	case EMFILE:
	case ENFILE:
		return ERR_LIMIT;
	case ETIMEDOUT:
		return ERR_TIMEOUT;
	case ECONNREFUSED:
	case ECONNRESET:
	case EHOSTUNREACH:
	case ENETUNREACH:
	case ENETDOWN:
	case EAFNOSUPPORT:
	case EADDRNOTAVAIL:
	case EACCES:
	case EPERM:
		return ERR_REFUSED;
	default:
		return ERR_SYSTEM;
	}
}

static void set_option(int fd, int level, int option, int value)
{
	setsockopt(fd, level, option, &value, sizeof(value));
}

/* The port is chosen at connect, with the other end in view: else 28,000 connections from one local
 * address would be all there can be. */
static int bind_socket(int fd, const struct address *local)
{
	set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	return bind(fd, (const struct sockaddr *)&local->sa, local->n);
}

static int at_least_1(int64_t n)
{
	return n < 1 ? 1 : n > INT16_MAX ? INT16_MAX : (int)n;
}

/* The kernel looks at the user timeout, which stands in for TCP_KEEPCNT, when a probe is due: so it
 * is one interval less. */
static void set_liveness(int fd, int64_t dead_ns)
{
	int64_t part_ns = dead_ns / 8;
	set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	if (dead_ns == 0)
		return;
	set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, at_least_1(4 * part_ns / NS_PER_S));
	set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, at_least_1(part_ns / NS_PER_S));
	set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)(7 * part_ns / NS_PER_MS));
}

/* failures */

static void note_failure(struct dial *d, int code, const char *what, const char *reason)
{
	if (d->last.code && strcmp(d->last.reason, reason) != 0)
		d->other = d->last;
	d->last.code = code;
	snprintf(d->last.what, sizeof(d->last.what), "%s", what);
	snprintf(d->last.reason, sizeof(d->last.reason), "%s", reason);
}

static void explain(const struct dial *d, struct err *why)
{
	const struct failure *last = &d->last, *other = &d->other;
	if (other->code)
		err_set(why, last->code, "%s: %s; before that %s: %s", last->what, last->reason,
			other->what, other->reason);
	else
		err_set(why, last->code, "%s: %s", last->what, last->reason);
}

/* the end */

static void drop_attempt(struct attempt *a)
{
	struct dial *d = a->dial;
	loop_fd_stop(d->loop, &a->watch);
	if (a->fd >= 0)
		close(a->fd);
	list_remove(&a->node);
	d->n_flights--;
	free(a);
}

static void drop_candidate(struct dial *d, struct candidate *c)
{
	list_remove(&c->node);
	d->n_candidates--;
	free(c);
}

static void stop(struct dial *d)
{
	d->is_over = true;
	clock_release(d->loop->clock);
	resolve_cancel(d->resolve);
	timers_cancel(&d->loop->timers, &d->deadline);
	timers_cancel(&d->loop->timers, &d->turn);
	list_each_safe (node, &d->flights)
		drop_attempt(container_of(node, struct attempt, node));
	list_each_safe (node, &d->candidates)
		drop_candidate(d, container_of(node, struct candidate, node));
	job_cancel(&d->job);
	loop_defer(d->loop, &d->job);
}

static void fail_with(struct dial *d, const struct err *why)
{
	stop(d);
	d->events->done(d->data, -1, NULL, why);
}

static void fail(struct dial *d)
{
	struct err why;
	explain(d, &why);
	fail_with(d, &why);
}

static void succeed(struct attempt *a)
{
	struct dial *d = a->dial;
	char text[ADDRESS_TEXT_BYTES];
	int fd = a->fd;
	memcpy(text, a->text, sizeof(text));
	a->fd = -1;
	loop_fd_stop(d->loop, &a->watch);
	stop(d);
	set_liveness(fd, d->dead_ns);
	d->events->done(d->data, fd, text, NULL);
}

static void tell_phase(struct dial *d, enum dial_phase phase, const char *address)
{
	if (d->events->phase)
		d->events->phase(d->data, phase, address);
}

/* the race */

/* Of what errno says, and doing goes before. */
static int give_up(int fd, const char *doing, char reason[REASON_BYTES])
{
	int error = errno;
	if (fd >= 0)
		close(fd);
	snprintf(reason, REASON_BYTES, "%s%s", doing, errno_text(error));
	return code_of(error);
}

static int give_up_bind(int fd, const struct address *local, char reason[REASON_BYTES])
{
	char text[ADDRESS_TEXT_BYTES], doing[ADDRESS_TEXT_BYTES + 32];
	int error = errno;
	address_format_host(local, text);
	snprintf(doing, sizeof(doing), "cannot bind to %s: ", text);
	errno = error;
	return give_up(fd, doing, reason);
}

/* A descriptor on its way, or an ERR_* and the reason. */
static int begin_connect(const struct dial *d, const struct address *to, char reason[REASON_BYTES])
{
	int fd = socket(to->sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return give_up(fd, "", reason);
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	if (d->bind.n && bind_socket(fd, &d->bind) < 0)
		return give_up_bind(fd, &d->bind, reason);
	if (connect(fd, (const struct sockaddr *)&to->sa, to->n) < 0 && errno != EINPROGRESS)
		return give_up(fd, "", reason);
	return fd;
}

static void on_ready(struct loop_fd *watch, int revents);

static void add_attempt(struct dial *d, int fd, const char *text)
{
	struct attempt *a = mem_new(sizeof(*a));
	a->dial = d;
	a->fd = fd;
	snprintf(a->text, sizeof(a->text), "%s", text);
	list_append(&d->flights, &a->node);
	d->n_flights++;
	loop_fd_init(&a->watch, fd, on_ready);
	loop_fd_start(d->loop, &a->watch, EV_WRITE);
}

/* The next of the other family, if there is one. */
static struct candidate *choose(const struct dial *d)
{
	list_each (node, &d->candidates) {
		struct candidate *c = container_of(node, struct candidate, node);
		if (c->address.sa.ss_family != d->tried_family)
			return c;
	}
	return container_of(d->candidates.next, struct candidate, node);
}

static void lose(struct attempt *a, int code, const char *reason)
{
	note_failure(a->dial, code, a->text, reason);
	drop_attempt(a);
}

static void set_turn(struct dial *d)
{
	struct timers *timers = &d->loop->timers;
	int64_t left_ns = d->deadline.at_ns - timers->now_ns;
	int64_t share_ns = left_ns / (int64_t)(d->n_candidates + 1);
	bool is_full = d->n_flights == DIAL_ATTEMPTS;
	timers_after(
		timers, &d->turn, is_full && share_ns > DIAL_DELAY_NS ? share_ns : DIAL_DELAY_NS);
}

/* Where others hold the descriptors, the address has another turn. */
static void try_next(struct dial *d)
{
	struct candidate *c = choose(d);
	char text[ADDRESS_TEXT_BYTES], reason[REASON_BYTES];
	address_format(&c->address, text);
	tell_phase(d, DIAL_CONNECTING, text);
	if (d->is_over)
		return;
	if (d->n_flights == DIAL_ATTEMPTS)
		lose(container_of(d->flights.next, struct attempt, node), ERR_TIMEOUT, "timed out");
	int fd = begin_connect(d, &c->address, reason);
	if (fd == ERR_LIMIT && d->n_flights > 0) {
		set_turn(d);
		return;
	}
	d->tried_family = c->address.sa.ss_family;
	drop_candidate(d, c);
	if (fd >= 0) {
		add_attempt(d, fd, text);
		set_turn(d);
		return;
	}
	note_failure(d, fd, text, reason);
	if (fd == ERR_LIMIT)
		fail(d);
}

/* Begins what may begin now; fails when nothing is left to wait for. */
static void advance(struct dial *d)
{
	while (!d->is_over && !timer_is_set(&d->turn) && d->n_candidates > 0)
		try_next(d);
	if (!d->is_over && d->n_flights == 0 && d->n_candidates == 0 && !d->resolve)
		fail(d);
}

static void on_ready(struct loop_fd *watch, int revents)
{
	(void)revents;
	struct attempt *a = container_of(watch, struct attempt, watch);
	struct dial *d = a->dial;
	int error = 0;
	socklen_t n = sizeof(error);
	if (getsockopt(a->fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0)
		error = errno;
	if (error == 0) {
		succeed(a);
		return;
	}
	lose(a, code_of(error), errno_text(error));
	timers_cancel(&d->loop->timers, &d->turn);
	advance(d);
}

static void on_turn(struct timer *timer)
{
	advance(container_of(timer, struct dial, turn));
}

static void on_deadline(struct timer *timer)
{
	struct dial *d = container_of(timer, struct dial, deadline);
	char what[sizeof(d->last.what)];
	snprintf(what, sizeof(what), "resolving %s", d->host);
	if (d->n_flights == 0)
		note_failure(d, ERR_TIMEOUT, what, "timed out");
	list_each_safe (node, &d->flights)
		lose(container_of(node, struct attempt, node), ERR_TIMEOUT, "timed out");
	fail(d);
}

static void on_addresses(
	void *data, const struct address *addresses, size_t n, bool is_last, const struct err *why)
{
	struct dial *d = data;
	if (is_last)
		d->resolve = NULL;
	if (why) {
		fail_with(d, why);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		struct candidate *c = mem_new(sizeof(*c));
		c->address = addresses[i];
		list_append(&d->candidates, &c->node);
		d->n_candidates++;
	}
	advance(d);
}

static void begin(struct dial *d)
{
	tell_phase(d, DIAL_RESOLVING, NULL);
	if (!d->is_over)
		d->resolve =
			resolve_start(d->resolver, d->host, d->port, d->family, on_addresses, d);
}

static void on_job(struct job *job)
{
	struct dial *d = container_of(job, struct dial, job);
	if (!d->is_over) {
		begin(d);
		return;
	}
	free(d->host);
	free(d);
}

struct dial *dial_start(struct loop *loop, struct resolver *resolver,
	const struct dial_options *options, const struct dial_events *events, void *data)
{
	struct dial *d = mem_new(sizeof(*d));
	d->loop = loop;
	d->resolver = resolver;
	d->host = mem_strdup(options->host);
	d->port = options->port;
	d->family = options->family;
	if (options->bind) {
		d->bind = *options->bind;
		d->family = d->bind.sa.ss_family;
	}
	d->dead_ns = options->dead_ns;
	d->events = events;
	d->data = data;
	list_init(&d->candidates);
	list_init(&d->flights);
	d->turn.fire = on_turn;
	d->deadline.fire = on_deadline;
	timers_after(&loop->timers, &d->deadline, options->timeout_ns);
	clock_hold(loop->clock);
	job_init(&d->job, on_job);
	loop_defer(loop, &d->job);
	return d;
}

void dial_cancel(struct dial *d)
{
	if (d && !d->is_over)
		stop(d);
}
