#include "net/stream.h"

#include "net/address.h"

#include <assert.h>
#include <errno.h>
#include <unistd.h>

/* A read asks for a chunk, which is the most that a TLS record holds; after one that was not
 * filled, for a bit, so that the buffer need not grow. The share of a turn is spent by bits at
 * least: tiny TLS records are no way to hold the loop. */
enum { CHUNK = 16 * 1024, BIT = 256 };

static bool is_alive(const struct stream *s)
{
	return s->state < STREAM_CLOSED;
}

static void watch(struct stream *s)
{
	if (s->fd < 0)
		return;
	int reads = s->is_paused && s->state == STREAM_OPEN ? 0 : s->read_waits;
	loop_fd_start(s->loop, &s->watch, reads | s->write_waits);
}

static void stop(struct stream *s)
{
	loop_fd_stop(s->loop, &s->watch);
	job_cancel(&s->again);
	job_cancel(&s->job);
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

static void finish(struct stream *s, const struct err *why)
{
	const struct err requested = {ERR_REQUESTED, "closed on request"};
	if (s->state == STREAM_CLOSING)
		why = &requested;
	s->state = STREAM_CLOSED;
	stop(s);
	buf_fini(&s->out);
	s->events->on_close(s->owner, why);
}

static int discard(struct stream *s, struct err *why)
{
	char bytes[CHUNK];
	size_t spent = 0;
	while (spent < STREAM_TURN) {
		ssize_t n = s->ops->read(s, bytes, sizeof(bytes), &s->read_waits, why);
		if (n < 0)
			return (int)n;
		spent += n > BIT ? (size_t)n : BIT;
	}
	return 0;
}

/* Reads until nothing is there (ERR_AGAIN), the turn's share is spent (0) or the end came. A
 * short read from a plain descriptor has emptied it, so the question whether there is more is
 * saved. */
static int fill(struct stream *s, struct err *why)
{
	size_t spent = 0, want = CHUNK;
	while (spent < STREAM_TURN) {
		char *to = buf_reserve(&s->in, want);
		if (!to) {
			s->is_paused = true;
			return ERR_AGAIN;
		}
		ssize_t n = s->ops->read(s, to, want, &s->read_waits, why);
		if (n < 0)
			return (int)n;
		buf_commit(&s->in, (size_t)n);
		spent += n > BIT ? (size_t)n : BIT;
		bool is_short = (size_t)n < want;
		if (is_short && !s->ops->holds_bytes)
			return ERR_AGAIN;
		want = is_short ? BIT : CHUNK;
	}
	return 0;
}

static void tell_data(struct stream *s, size_t had)
{
	if (s->in.n > had && s->events->on_data)
		s->events->on_data(s->owner);
	if (is_alive(s))
		buf_trim(&s->in);
}

static void read_on(struct stream *s)
{
	struct err why = {0};
	size_t had = s->in.n;
	int r;
	if (s->state == STREAM_CLOSING) {
		r = discard(s, &why);
	} else if (s->is_paused) {
		return;
	} else {
		r = fill(s, &why);
		tell_data(s, had);
	}
	if (!is_alive(s))
		return;
	if (r == 0 && s->ops->holds_bytes)
		loop_next_turn(s->loop, &s->again);
	if (r < 0 && r != ERR_AGAIN)
		finish(s, &why);
	else
		watch(s);
}

/* What the peer said before it broke the connection is often the reason: it is read first. */
static void fail_write(struct stream *s, const struct err *why)
{
	struct err last = {0};
	size_t had = s->in.n;
	if (s->state == STREAM_OPEN && !s->is_paused) {
		fill(s, &last);
		tell_data(s, had);
	}
	if (is_alive(s))
		finish(s, why);
}

static int send_queued(struct stream *s, struct err *why)
{
	s->write_waits = 0;
	while (s->out.n) {
		ssize_t n = s->ops->write(s, buf_str(&s->out), &s->write_waits, why);
		if (n < 0)
			return (int)n;
		buf_consume(&s->out, (size_t)n);
		s->written += (uint64_t)n;
	}
	buf_trim(&s->out);
	return 0;
}

static int shut(struct stream *s, struct err *why)
{
	if (s->is_shut)
		return 0;
	int r = s->ops->shut(s, &s->write_waits, why);
	s->is_shut = r == 0;
	return r;
}

static void tell_low(struct stream *s)
{
	if (!s->is_high || s->out.n > STREAM_LOW)
		return;
	s->is_high = false;
	if (s->events->on_low && s->state == STREAM_OPEN)
		s->events->on_low(s->owner);
}

static void flush(struct stream *s)
{
	struct err why = {0};
	int r = send_queued(s, &why);
	if (r == 0 && s->state == STREAM_CLOSING)
		r = shut(s, &why);
	if (r < 0 && r != ERR_AGAIN) {
		fail_write(s, &why);
		return;
	}
	tell_low(s);
	if (is_alive(s))
		watch(s);
}

static void become_open(struct stream *s)
{
	s->state = STREAM_OPEN;
	s->was_open = true;
	s->read_waits = EV_READ;
	s->write_waits = 0;
	if (s->events->on_open)
		s->events->on_open(s->owner);
	if (!is_alive(s))
		return;
	flush(s);
	if (is_alive(s) && s->ops->holds_bytes)
		loop_next_turn(s->loop, &s->again);
}

static void advance_open(struct stream *s)
{
	struct err why = {0};
	int r = s->ops->open ? s->ops->open(s, &s->read_waits, &why) : 0;
	if (r == 0)
		become_open(s);
	else if (r == ERR_AGAIN)
		watch(s);
	else
		finish(s, &why);
}

static void on_job(struct job *job)
{
	struct stream *s = container_of(job, struct stream, job);
	switch (s->state) {
	case STREAM_OPENING:
		advance_open(s);
		break;
	case STREAM_CLOSING:
		if (!s->was_open) {
			finish(s, NULL);
			break;
		}
		flush(s);
		break;
	case STREAM_OPEN:
		flush(s);
		break;
	case STREAM_CLOSED:
		break;
	case STREAM_RELEASED:
		buf_fini(&s->in);
		buf_fini(&s->out);
		s->ops->free(s);
		break;
	}
}

static void on_again(struct job *job)
{
	read_on(container_of(job, struct stream, again));
}

static void on_ready(struct loop_fd *w, int revents)
{
	struct stream *s = container_of(w, struct stream, watch);
	if (s->state == STREAM_OPENING) {
		advance_open(s);
		return;
	}
	if (revents & s->write_waits)
		flush(s);
	bool has_share = !job_is_pending(&s->again);
	if (is_alive(s) && has_share && revents & s->read_waits)
		read_on(s);
}

void stream_init(struct stream *s, const struct stream_ops *ops, struct loop *loop, int fd,
	const struct stream_events *events, void *owner)
{
	assert(events->on_close);
	*s = (struct stream){
		.ops = ops,
		.events = events,
		.owner = owner,
		.loop = loop,
		.fd = fd,
		.read_waits = EV_READ,
	};
	buf_init(&s->in, STREAM_IN_MAX);
	buf_init(&s->out, STREAM_OUT_MAX);
	loop_fd_init(&s->watch, fd, on_ready);
	job_init(&s->job, on_job);
	job_init(&s->again, on_again);
	loop_defer(loop, &s->job);
}

void stream_readable(struct stream *s)
{
	if (s->state == STREAM_OPEN || s->state == STREAM_CLOSING)
		loop_next_turn(s->loop, &s->again);
}

int stream_write(struct stream *s, struct str bytes)
{
	if (s->state != STREAM_OPENING && s->state != STREAM_OPEN)
		return ERR_DISCONNECTED;
	int r = buf_add(&s->out, bytes);
	if (r < 0)
		return r;
	if (s->out.n >= STREAM_HIGH)
		s->is_high = true;
	if (s->state == STREAM_OPEN && !s->write_waits)
		loop_defer(s->loop, &s->job);
	return 0;
}

void stream_close(struct stream *s)
{
	if (s->state != STREAM_OPENING && s->state != STREAM_OPEN)
		return;
	s->state = STREAM_CLOSING;
	if (!s->was_open)
		loop_fd_stop(s->loop, &s->watch);
	loop_defer(s->loop, &s->job);
}

void stream_pause(struct stream *s)
{
	s->is_paused = true;
	if (s->state == STREAM_OPEN)
		watch(s);
}

void stream_resume(struct stream *s)
{
	if (!s->is_paused)
		return;
	s->is_paused = false;
	if (s->state == STREAM_OPEN)
		loop_next_turn(s->loop, &s->again);
}

void stream_free(struct stream *s)
{
	if (!s || s->state == STREAM_RELEASED)
		return;
	s->state = STREAM_RELEASED;
	stop(s);
	loop_defer(s->loop, &s->job);
}

int stream_errno(struct err *why, int error)
{
	switch (error) {
	case ECONNRESET:
	case EPIPE:
		return err_set(why, ERR_CLOSED, "connection reset by peer");
	case ETIMEDOUT:
	case EHOSTUNREACH:
	case ENETUNREACH:
	case ENETDOWN:
	case ECONNREFUSED:
		return err_set(why, ERR_CLOSED, "connection lost: %s", errno_text(error));
	default:
		return err_set(why, ERR_SYSTEM, "%s", errno_text(error));
	}
}
