/*
 * trail: who changed nick or quit on a network lately, in the order of the events.
 *
 * A script keeps an event for as long as it likes; by the trail its sender is found later. The
 * oldest steps are forgotten when there are too many.
 */
#ifndef EBB_SCRIPT_TRAIL_H
#define EBB_SCRIPT_TRAIL_H

#include "base/list.h"
#include "script/event.h"

enum { TRAIL_MAX = 1024 };

struct trail {
	struct list steps;
	size_t n;
};

struct trail_step {
	struct list node;
	uint64_t number;           /* of the event */
	struct str nick, new_nick; /* in bytes; new_nick absent: they quit */
	char bytes[];
};

void trail_init(struct trail *t);
void trail_fini(struct trail *t);

/* Notes a NICK or QUIT, which has its number; nothing else, and not what is replayed. */
void trail_note(struct trail *t, const struct event *e);

#endif
