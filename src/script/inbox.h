/*
 * inbox: events that a script gets later, in their order, because it is held (host.h).
 *
 * An event whose delivery was interrupted comes first, and goes on where it stopped.
 */
#ifndef EBB_SCRIPT_INBOX_H
#define EBB_SCRIPT_INBOX_H

#include "script/event.h"

enum { INBOX_EVENTS_MAX = 65536, INBOX_MAX_BYTES = 64 * 1024 * 1024 };

/* How far the delivery of an event to one script has come. */
struct delivery {
	bool has_begun, is_at_waits;
	uint64_t limit; /* the host's count of listeners when it began: later ones do not hear it */
	uint64_t order; /* of the listener that was asked last, of handlers or waits */
};

struct inbox {
	struct list entries;
	size_t n, bytes;
};

void inbox_init(struct inbox *b);
void inbox_fini(struct inbox *b);

bool inbox_is_empty(const struct inbox *b);

/* At the end; ERR_LIMIT: it is full. Holds *e, which may be replaced by its copy on the heap.
 * queued is the host's count of tasks that were put into the run queue. */
NODISCARD int inbox_add(struct inbox *b, struct event **e, uint64_t queued);

/* The same, for a connection that ended without an event. */
NODISCARD int inbox_add_end(struct inbox *b, struct handle net, uint64_t queued);

/* At the front: what was taken, or would not have waited. */
void inbox_put_back(struct inbox *b, struct event **e, const struct delivery *d, uint64_t queued);

/* The events of another, from its first on, at the end, as if they came now; without those
 * connections that ended. */
void inbox_share(struct inbox *b, const struct inbox *from, uint64_t queued);

/* Whether the first event's delivery was interrupted. */
bool inbox_has_begun(const struct inbox *b);

/* Whether half of what it may hold is taken. */
bool inbox_is_half_full(const struct inbox *b);

/* What was given as queued with the first; `otherwise` when there is none. */
uint64_t inbox_queued(const struct inbox *b, uint64_t otherwise);

/* Takes the first: the caller owns a reference to *e, or *e is NULL and net is the connection that
 * ended. False: there is none. */
bool inbox_take(struct inbox *b, struct event **e, struct delivery *d, struct handle *net);

#endif
