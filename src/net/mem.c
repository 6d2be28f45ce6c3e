#include "net/mem.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct mem_stream {
	struct stream stream;
	const struct mem_peer *peer;
	void *data;
	struct buf given;
	struct err end; /* code 0: the other end is open */
	bool is_closed; /* the peer was told */
};

static struct mem_stream *mem_of(struct stream *s)
{
	return container_of(s, struct mem_stream, stream);
}

static ssize_t mem_read(struct stream *s, char *to, size_t n, int *waits, struct err *why)
{
	struct mem_stream *m = mem_of(s);
	*waits = 0;
	if (m->given.n == 0 && m->end.code == 0)
		return ERR_AGAIN;
	if (m->given.n == 0)
		return err_set(why, m->end.code, "%s", m->end.text);
	if (n > m->given.n)
		n = m->given.n;
	memcpy(to, buf_str(&m->given).p, n);
	buf_consume(&m->given, n);
	buf_trim(&m->given);
	return (ssize_t)n;
}

static ssize_t mem_write(struct stream *s, struct str bytes, int *waits, struct err *why)
{
	struct mem_stream *m = mem_of(s);
	(void)waits;
	(void)why;
	if (m->end.code == 0)
		m->peer->take(m->data, bytes);
	return (ssize_t)bytes.n;
}

static void tell_closed(struct mem_stream *m)
{
	if (m->is_closed)
		return;
	m->is_closed = true;
	m->peer->closed(m->data);
}

static int mem_shut(struct stream *s, int *waits, struct err *why)
{
	(void)waits;
	(void)why;
	tell_closed(mem_of(s));
	mem_stream_end(s, ERR_CLOSED, "closed");
	return 0;
}

static void mem_free(struct stream *s)
{
	struct mem_stream *m = mem_of(s);
	tell_closed(m);
	buf_fini(&m->given);
	free(m);
}

static const struct stream_ops mem_ops = {
	.read = mem_read,
	.write = mem_write,
	.shut = mem_shut,
	.free = mem_free,
	.holds_bytes = true,
};

struct stream *mem_stream_new(struct loop *loop, const struct mem_peer *peer, void *data,
	const struct stream_events *events, void *owner)
{
	struct mem_stream *m = mem_new(sizeof(*m));
	m->peer = peer;
	m->data = data;
	buf_init(&m->given, STREAM_IN_MAX);
	stream_init(&m->stream, &mem_ops, loop, -1, events, owner);
	return &m->stream;
}

void mem_stream_give(struct stream *s, struct str bytes)
{
	struct mem_stream *m = mem_of(s);
	if (m->end.code == 0 && buf_add(&m->given, bytes) < 0)
		err_set(&m->end, ERR_CLOSED, "more was given than is read");
	stream_readable(s);
}

void mem_stream_end(struct stream *s, int code, const char *why)
{
	struct mem_stream *m = mem_of(s);
	if (m->end.code == 0)
		err_set(&m->end, code, "%s", why);
	stream_readable(s);
}
