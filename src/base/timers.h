/*
 * timers: the heap of deadlines.
 *
 * Every deadline of the daemon and of its scripts is a struct timer in one heap. The heap reads
 * no clock: whoever owns it says what time it is, so a test can jump. Timers with the same
 * deadline fire in the order in which they were set.
 */
#ifndef EBB_BASE_TIMERS_H
#define EBB_BASE_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timer {
	int64_t at_ns;
	uint64_t order;
	size_t slot; /* 1 + index in the heap; 0: not set */
	void (*fire)(struct timer *t);
};

struct timers {
	struct timer **heap; /* borrows the timers: each outlives its place in here */
	size_t n, capacity;
	uint64_t next_order;
	int64_t now_ns; /* what timers_run was last told */
};

void timers_init(struct timers *ts, int64_t now_ns);

/* Forgets what is still set; fires nothing. */
void timers_fini(struct timers *ts);

/* Sets t, which may be set already, to fire at at_ns or later. t->fire must be there; t stays
 * where it is until it fired or was cancelled. */
void timers_set(struct timers *ts, struct timer *t, int64_t at_ns);

/* As timers_set, delay_ns after ts->now_ns. */
void timers_after(struct timers *ts, struct timer *t, int64_t delay_ns);

/* Does nothing for a timer that is not set. */
void timers_cancel(struct timers *ts, struct timer *t);

static inline bool timer_is_set(const struct timer *t)
{
	return t->slot != 0;
}

/* The earliest deadline, or -1. */
int64_t timers_next(const struct timers *ts);

/* Sets the time, which never goes back, and fires all that is due, each after it left the heap.
 * What a callback sets for now or earlier fires at the next run, so this ends. */
void timers_run(struct timers *ts, int64_t now_ns);

#endif
