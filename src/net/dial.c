#include "net/dial.h"

#include "base/mem.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct dial {
	struct loop *loop;
	struct resolver *resolver; /* NULL: the addresses were given */
	char *host;
	uint16_t port;
	int64_t deadline_ns;
	const struct dial_events *events;
	void *data;
	bool is_over;

	struct resolve *resolve; /* while resolving */
	struct address *addresses;
	size_t n, next;
	int fd; /* while connecting */
	char text[ADDRESS_TEXT_BYTES];
	struct loop_fd watch;
	struct timer timer;
	struct job job; /* begin; in the end, release */
	struct err why; /* of the last failure */
};

static void stop(struct dial *d)
{
	d->is_over = true;
	clock_release(d->loop->clock);
	resolve_cancel(d->resolve);
	timers_cancel(&d->loop->timers, &d->timer);
	if (d->fd >= 0) {
		loop_fd_stop(d->loop, &d->watch);
		close(d->fd);
	}
	job_cancel(&d->job);
	loop_defer(d->loop, &d->job);
}

static void fail(struct dial *d, const struct err *why)
{
	stop(d);
	d->events->done(d->data, -1, NULL, why);
}

static void succeed(struct dial *d)
{
	int fd = d->fd;
	loop_fd_stop(d->loop, &d->watch);
	d->fd = -1;
	stop(d);
	d->events->done(d->data, fd, d->text, NULL);
}

static void tell_phase(struct dial *d, enum dial_phase phase, const char *address)
{
	if (d->events->phase)
		d->events->phase(d->data, phase, address);
}

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

static int open_socket(int family)
{
	const int on = 1;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	return fd;
}

static void on_ready(struct loop_fd *watch, int revents);

/* 0 when the answer will come on d->watch, otherwise an errno. */
static int begin_connect(struct dial *d, const struct address *a)
{
	int fd = open_socket(a->sa.ss_family);
	if (fd < 0)
		return -fd;
	if (connect(fd, (const struct sockaddr *)&a->sa, a->n) < 0 && errno != EINPROGRESS) {
		int error = errno;
		close(fd);
		return error;
	}
	d->fd = fd;
	loop_fd_init(&d->watch, fd, on_ready);
	loop_fd_start(d->loop, &d->watch, EV_WRITE);
	return 0;
}

static void set_share(struct dial *d, size_t addresses_left)
{
	int64_t left_ns = d->deadline_ns - d->loop->timers.now_ns;
	timers_after(&d->loop->timers, &d->timer, left_ns / (int64_t)addresses_left);
}

static void try_next(struct dial *d)
{
	while (d->next < d->n) {
		const struct address *a = &d->addresses[d->next++];
		address_format(a, d->text);
		tell_phase(d, DIAL_CONNECTING, d->text);
		if (d->is_over)
			return;
		int error = begin_connect(d, a);
		if (error == 0) {
			set_share(d, d->n - d->next + 1);
			return;
		}
		err_set(&d->why, code_of(error), "%s: %s", d->text, errno_text(error));
		if (d->why.code == ERR_LIMIT)
			break;
	}
	fail(d, &d->why);
}

static void give_up_address(struct dial *d)
{
	loop_fd_stop(d->loop, &d->watch);
	close(d->fd);
	d->fd = -1;
	timers_cancel(&d->loop->timers, &d->timer);
}

static void on_ready(struct loop_fd *watch, int revents)
{
	(void)revents;
	struct dial *d = container_of(watch, struct dial, watch);
	int error = 0;
	socklen_t n = sizeof(error);
	if (getsockopt(d->fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0)
		error = errno;
	if (error == 0) {
		succeed(d);
		return;
	}
	give_up_address(d);
	err_set(&d->why, code_of(error), "%s: %s", d->text, errno_text(error));
	try_next(d);
}

static void on_time(struct timer *timer)
{
	struct dial *d = container_of(timer, struct dial, timer);
	if (d->fd < 0) {
		err_set(&d->why, ERR_TIMEOUT, "resolving %s: timed out", d->host);
		fail(d, &d->why);
		return;
	}
	give_up_address(d);
	err_set(&d->why, ERR_TIMEOUT, "%s: timed out", d->text);
	try_next(d);
}

static void on_resolved(
	void *data, const struct address *addresses, size_t n, const struct err *why)
{
	struct dial *d = data;
	d->resolve = NULL;
	timers_cancel(&d->loop->timers, &d->timer);
	if (n == 0) {
		fail(d, why);
		return;
	}
	d->addresses = mem_resize(NULL, n, sizeof(*addresses));
	memcpy(d->addresses, addresses, n * sizeof(*addresses));
	d->n = n;
	try_next(d);
}

static void begin(struct dial *d)
{
	if (!d->resolver) {
		try_next(d);
		return;
	}
	tell_phase(d, DIAL_RESOLVING, NULL);
	if (d->is_over)
		return;
	timers_set(&d->loop->timers, &d->timer, d->deadline_ns);
	d->resolve = resolve_start(d->resolver, d->host, d->port, on_resolved, d);
}

static void on_job(struct job *job)
{
	struct dial *d = container_of(job, struct dial, job);
	if (!d->is_over) {
		begin(d);
		return;
	}
	free(d->addresses);
	free(d->host);
	free(d);
}

static struct dial *dial_new(struct loop *loop, const struct dial_options *options,
	const struct dial_events *events, void *data)
{
	struct dial *d = mem_new(sizeof(*d));
	d->loop = loop;
	d->host = mem_strdup(options->host);
	d->port = options->port;
	d->deadline_ns = loop->timers.now_ns + options->timeout_ns;
	d->events = events;
	d->data = data;
	d->fd = -1;
	d->timer.fire = on_time;
	clock_hold(loop->clock);
	job_init(&d->job, on_job);
	loop_defer(loop, &d->job);
	return d;
}

struct dial *dial_start(struct loop *loop, struct resolver *resolver,
	const struct dial_options *options, const struct dial_events *events, void *data)
{
	struct dial *d = dial_new(loop, options, events, data);
	d->resolver = resolver;
	return d;
}

struct dial *dial_addresses(struct loop *loop, const struct address *addresses, size_t n,
	const struct dial_options *options, const struct dial_events *events, void *data)
{
	struct dial *d = dial_new(loop, options, events, data);
	d->addresses = mem_resize(NULL, n, sizeof(*addresses));
	memcpy(d->addresses, addresses, n * sizeof(*addresses));
	d->n = n;
	return d;
}

void dial_cancel(struct dial *d)
{
	if (d && !d->is_over)
		stop(d);
}
