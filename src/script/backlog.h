/*
 * backlog: events that wait to be read, in their order, up to a maximum.
 *
 * What comes after the maximum, or does not fit into the script's memory, is not kept, and that it
 * came is not forgotten: the reader gets what is there, then hears of the overflow.
 */
#ifndef EBB_SCRIPT_BACKLOG_H
#define EBB_SCRIPT_BACKLOG_H

#include "base/list.h"
#include "script/arena.h"
#include "script/event.h"

enum { BACKLOG_STANDARD = 256, BACKLOG_MAX = 65536 };

struct backlog {
	struct arena *arena; /* borrowed, outlives it: what is charged */
	struct list events;
	size_t n, max;
	bool has_overflowed, is_over; /* over: its connection ended, nothing comes any more */
	struct list readers;          /* struct waiter */
};

/* Returns owned. */
struct backlog *backlog_new(struct arena *a, size_t max);
void backlog_free(struct backlog *b);

/* Drops what nobody will read any more. */
void backlog_clear(struct backlog *b);

/* Takes a reference to e, which is on the heap, and wakes the readers. */
void backlog_add(struct backlog *b, struct event *e);

/* The first event, borrowed until it is dropped; NULL when there is none. */
struct event *backlog_first(const struct backlog *b);
void backlog_drop_first(struct backlog *b);

/* Nothing comes any more: readers get the rest, then the end. */
void backlog_end(struct backlog *b);

#endif
