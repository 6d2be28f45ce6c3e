/*
 * mem: a stream whose other end is in this process, for the console and for tests.
 *
 * It keeps the rules of every stream: what is written goes out at the end of the turn, what comes
 * in is told in a later one, and nothing is told within a call of the owner's.
 */
#ifndef EBB_NET_MEM_H
#define EBB_NET_MEM_H

#include "net/stream.h"

/* The other end. */
struct mem_peer {
	void (*take)(void *data, struct str bytes); /* what was written */
	void (*closed)(void *data);                 /* the stream was closed or freed; once */
};

/* Returns owned; opens in the next turn. Borrows all but what data points at until closed. */
struct stream *mem_stream_new(struct loop *loop, const struct mem_peer *peer, void *data,
	const struct stream_events *events, void *owner);

/* Bytes from the other end. What passes STREAM_IN_MAX ends the stream. */
void mem_stream_give(struct stream *s, struct str bytes);

/* The other end closed: told after what it gave. */
void mem_stream_end(struct stream *s, int code, const char *why);

#endif
