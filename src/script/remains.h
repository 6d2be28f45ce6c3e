/*
 * remains: the memory of scripts that were dropped, on its way back to the system.
 *
 * To give back tens of megabytes takes longer than the loop should be held, so much of it goes in
 * steps, between which the loop has its turn.
 */
#ifndef EBB_SCRIPT_REMAINS_H
#define EBB_SCRIPT_REMAINS_H

#include "base/timers.h"
#include "script/arena.h"

struct remains {
	struct timers *timers; /* borrowed, outlives it */
	struct list all;
	struct timer step;
};

void remains_init(struct remains *r, struct timers *timers);

/* Drops what is left. */
void remains_fini(struct remains *r);

/* Takes all that a has; a is as after arena_fini. */
void remains_take(struct remains *r, struct arena *a);

#endif
