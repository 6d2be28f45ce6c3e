#include "net/socks.h"

#include "base/mem.h"
#include "net/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct socks {
	struct loop *loop;
	struct socks_target target;
	char *host, *user, *password, *proxy; /* the target's texts among them */
	uint16_t proxy_port;
	socks_done *done;
	void *data;
	bool is_over;

	int fd; /* owned, until it is over */
	struct socks_talk talk;
	struct loop_fd watch;
	struct timer timer;
	struct job job; /* begin; in the end, release */
};

static void stop(struct socks *s)
{
	s->is_over = true;
	clock_release(s->loop->clock);
	loop_fd_stop(s->loop, &s->watch);
	timers_cancel(&s->loop->timers, &s->timer);
	job_cancel(&s->job);
	loop_defer(s->loop, &s->job);
}

static void succeed(struct socks *s)
{
	stop(s);
	s->done(s->data, s->fd, NULL);
}

static void fail(struct socks *s, int code, const char *words)
{
	bool is_ip6 = strchr(s->host, ':');
	struct err why;
	err_set(&why, code, "through proxy %s:%d to %s%s%s:%d: %s", s->proxy, s->proxy_port,
		is_ip6 ? "[" : "", s->host, is_ip6 ? "]" : "", s->target.port, words);
	stop(s);
	close(s->fd);
	s->done(s->data, -1, &why);
}

static void fail_step(struct socks *s, int code, const char *words)
{
	struct err why;
	err_set(&why, code, "%s %s", words, socks_step_name(s->talk.step));
	fail(s, code, why.text);
}

/* An errno of the connection. */
static void fail_system(struct socks *s, int error)
{
	struct err why;
	int code = stream_errno(&why, error);
	fail(s, code, why.text);
}

static bool is_later(int error)
{
	return error == EAGAIN || error == EINTR;
}

/* Sends what can be sent, then waits for the answer. */
static void send_on(struct socks *s)
{
	struct str out = socks_talk_out(&s->talk);
	ssize_t n = out.n ? send(s->fd, out.p, out.n, MSG_NOSIGNAL) : 0;
	if (n < 0 && !is_later(errno)) {
		fail_system(s, errno);
		return;
	}
	socks_talk_sent(&s->talk, n > 0 ? (size_t)n : 0);
	out = socks_talk_out(&s->talk);
	loop_fd_start(s->loop, &s->watch, out.n ? EV_WRITE : EV_READ);
}

static void take(struct socks *s, struct str bytes)
{
	struct err why;
	if (socks_talk_feed(&s->talk, bytes, &why) < 0)
		fail(s, why.code, why.text);
	else if (socks_talk_wants(&s->talk) == 0)
		succeed(s);
	else
		send_on(s);
}

static void receive(struct socks *s)
{
	char bytes[SOCKS_REPLY_BYTES];
	ssize_t n = recv(s->fd, bytes, socks_talk_wants(&s->talk), 0);
	if (n > 0)
		take(s, (struct str){bytes, (size_t)n});
	else if (n == 0)
		fail_step(s, ERR_CLOSED, "the proxy closed the connection after");
	else if (!is_later(errno))
		fail_system(s, errno);
}

static void on_ready(struct loop_fd *watch, int revents)
{
	struct socks *s = container_of(watch, struct socks, watch);
	if (revents & EV_WRITE)
		send_on(s);
	else
		receive(s);
}

static void on_time(struct timer *timer)
{
	struct socks *s = container_of(timer, struct socks, timer);
	fail_step(s, ERR_TIMEOUT, "timed out after");
}

static void on_job(struct job *job)
{
	struct socks *s = container_of(job, struct socks, job);
	if (!s->is_over) {
		send_on(s);
		return;
	}
	socks_talk_fini(&s->talk);
	mem_wipe_free(s->user);
	mem_wipe_free(s->password);
	free(s->host);
	free(s->proxy);
	free(s);
}

struct socks *socks_start(struct loop *loop, int fd, const struct socks_options *options,
	socks_done *done, void *data)
{
	struct socks *s = mem_new(sizeof(*s));
	s->loop = loop;
	s->host = mem_strdup(options->target.host);
	s->user = mem_strdup(options->target.user);
	s->password = mem_strdup(options->target.password);
	s->target = (struct socks_target){s->host, options->target.port, s->user, s->password};
	s->proxy = mem_strdup(options->proxy);
	s->proxy_port = options->proxy_port;
	s->done = done;
	s->data = data;
	s->fd = fd;
	socks_talk_init(&s->talk, &s->target);
	loop_fd_init(&s->watch, fd, on_ready);
	s->timer.fire = on_time;
	timers_set(&loop->timers, &s->timer, options->deadline_ns);
	clock_hold(loop->clock);
	job_init(&s->job, on_job);
	loop_defer(loop, &s->job);
	return s;
}

void socks_cancel(struct socks *s)
{
	if (!s || s->is_over)
		return;
	stop(s);
	close(s->fd);
}
