/*
 * stream: a connection as a stream of bytes, whatever carries it.
 *
 * The owner gives a table of events and is called from the loop, never from inside a function of
 * this header. The stream's life: opening, open, closing, closed.
 *
 *     on_open    the stream is usable: connected; over TLS, verified
 *     on_data    bytes are in stream->in. The owner consumes what it can use, with buf_consume;
 *                what it leaves stays, and on_data comes when there is more
 *     on_low     output went down to STREAM_LOW after it had passed STREAM_HIGH
 *     on_close   the end, and why; the last event, exactly once. What was not consumed is still in
 *                stream->in. Codes: ERR_CLOSED, ERR_TLS, ERR_REQUESTED after stream_close,
 *                ERR_SYSTEM
 *
 * All may be NULL but on_close. The owner calls stream_free in the end, after on_close or instead
 * of it, and may do so inside any event: descriptor and events end at once, and the memory,
 * stream->in with it, goes at the end of the turn.
 *
 * Output of one turn of the loop leaves in one write, at the end of the turn. A turn reads at most
 * STREAM_TURN bytes from one stream, so a fast peer does not starve the others. Buffers that are
 * empty hold no memory. Nothing here raises SIGPIPE.
 *
 * Below stand transports: a stream_ops table each (plain.c, tls.c).
 */
#ifndef EBB_NET_STREAM_H
#define EBB_NET_STREAM_H

#include "base/buf.h"
#include "base/err.h"
#include "net/loop.h"

#include <sys/types.h>

enum {
	STREAM_TURN = 64 * 1024,
	STREAM_IN_MAX = 256 * 1024,
	STREAM_OUT_MAX = 1024 * 1024,
	STREAM_HIGH = 64 * 1024,
	STREAM_LOW = 16 * 1024,
};

struct stream_events {
	void (*on_open)(void *owner);
	void (*on_data)(void *owner);
	void (*on_low)(void *owner);
	void (*on_close)(void *owner, const struct err *why); /* why is borrowed for the call */
};

enum stream_state {
	STREAM_OPENING,
	STREAM_OPEN,
	STREAM_CLOSING,  /* stream_close was called: flush, shut down, wait for the other end */
	STREAM_CLOSED,   /* on_close was called */
	STREAM_RELEASED, /* stream_free was called */
};

struct stream {
	const struct stream_ops *ops;
	const struct stream_events *events;
	void *owner;
	struct buf in, out; /* in is for the owner to consume; out belongs to the stream */

	/* the rest is the stream's own */
	struct loop *loop;
	int fd; /* owned; -1 once closed */
	enum stream_state state;
	int read_waits, write_waits; /* the readiness that each direction waits for */
	uint64_t written;            /* bytes of out that the transport took, in all */
	bool was_open, is_paused, is_high, is_shut;
	struct loop_fd watch;
	struct job job;   /* at the end of this turn: open, flush, release */
	struct job again; /* in the next turn: read on */
};

/* A plain stream over a connected, non-blocking descriptor. Takes fd; borrows loop, events and
 * owner until stream_free. Returns owned; on_open follows. */
struct stream *stream_plain_new(
	struct loop *loop, int fd, const struct stream_events *events, void *owner);

/* Queues a copy, all or nothing. ERR_LIMIT if STREAM_OUT_MAX would be passed; ERR_DISCONNECTED
 * once the stream is closing or closed. What is written before on_open waits for it. */
NODISCARD int stream_write(struct stream *s, struct str bytes);

/* Ends the stream in good order: what is queued is sent, then the end is announced (close_notify,
 * FIN), then on_close comes with ERR_REQUESTED when the other end closed too; what still arrives
 * is dropped. A stream that is not open yet is closed without a word. The other end may take for
 * ever: the owner sets a deadline and calls stream_free. */
void stream_close(struct stream *s);

/* Reads no more until stream_resume, so that the peer is slowed down. A stream whose owner left
 * STREAM_IN_MAX bytes in stream->in pauses by itself. */
void stream_pause(struct stream *s);

/* Reads on. Bytes that are in stream->in already raise no event of their own. */
void stream_resume(struct stream *s);

/* Drops everything at once, without a word to anybody. NULL is accepted. */
void stream_free(struct stream *s);

/*
 * For transports. Each function asks the kernel or OpenSSL once and returns ERR_AGAIN with
 * *waits set to the readiness (EV_READ, EV_WRITE) after which to try again, or another ERR_* with
 * the reason in why. Only free releases memory; the descriptor is closed by then.
 */
struct stream_ops {
	/* A step towards usable, 0 when done. NULL: usable from the start. */
	int (*open)(struct stream *s, int *waits, struct err *why);
	/* 1 byte or more; the end is ERR_CLOSED, never 0. */
	ssize_t (*read)(struct stream *s, char *to, size_t n, int *waits, struct err *why);
	ssize_t (*write)(struct stream *s, struct str bytes, int *waits, struct err *why);
	/* Announces the end of our output. */
	int (*shut)(struct stream *s, int *waits, struct err *why);
	void (*free)(struct stream *s);
	/* The transport may hold bytes that the descriptor no longer announces. */
	bool holds_bytes;
};

/* Fills in the part that all transports share; takes fd. on_open follows when ops->open is done. */
void stream_init(struct stream *s, const struct stream_ops *ops, struct loop *loop, int fd,
	const struct stream_events *events, void *owner);

/* For a transport without a descriptor, fd -1: there is something to read, or the end. */
void stream_readable(struct stream *s);

/* The reason of a failed read or write in words: reset, timed out, unreachable ... ERR_CLOSED, or
 * ERR_SYSTEM for what is our side's fault. */
int stream_errno(struct err *why, int error);

#endif
