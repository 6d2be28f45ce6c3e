#include "net/stream.h"

#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

static int failure(int *waits, int readiness, struct err *why)
{
	if (errno != EAGAIN && errno != EINTR)
		return stream_errno(why, errno);
	*waits = readiness;
	return ERR_AGAIN;
}

static ssize_t plain_read(struct stream *s, char *to, size_t n, int *waits, struct err *why)
{
	ssize_t got = recv(s->fd, to, n, 0);
	if (got > 0)
		return got;
	if (got == 0)
		return err_set(why, ERR_CLOSED, "closed by the server");
	return failure(waits, EV_READ, why);
}

static ssize_t plain_write(struct stream *s, struct str bytes, int *waits, struct err *why)
{
	ssize_t sent = send(s->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
	return sent >= 0 ? sent : failure(waits, EV_WRITE, why);
}

static int plain_shut(struct stream *s, int *waits, struct err *why)
{
	return shutdown(s->fd, SHUT_WR) == 0 ? 0 : failure(waits, EV_WRITE, why);
}

static void plain_free(struct stream *s)
{
	free(s);
}

static const struct stream_ops plain_ops = {
	.read = plain_read,
	.write = plain_write,
	.shut = plain_shut,
	.free = plain_free,
};

struct stream *stream_plain_new(
	struct loop *loop, int fd, const struct stream_events *events, void *owner)
{
	struct stream *s = mem_new(sizeof(*s));
	stream_init(s, &plain_ops, loop, fd, events, owner);
	return s;
}
