/*
 * clock: where time comes from.
 *
 * Times are int64_t nanoseconds. The monotonic clock, from an arbitrary start, rules every
 * deadline; the wall clock, since the epoch, is for display only. Only the loop and the log read
 * a clock: everything else is given the time, so tests choose it.
 */
#ifndef EBB_BASE_CLOCK_H
#define EBB_BASE_CLOCK_H

#include <stdint.h>

#define NS_PER_MS 1000000LL
#define NS_PER_S  1000000000LL

struct clock {
	int64_t (*mono_ns)(void *data);
	int64_t (*wall_ns)(void *data);
	void *data;
};

/* The operating system's clocks. */
extern const struct clock clock_system;

int64_t clock_mono_ns(const struct clock *c);
int64_t clock_wall_ns(const struct clock *c);

/* Seconds, as configuration and scripts give them, to nanoseconds; saturates instead of
 * overflowing, and anything below 0 (or not a number) is 0. */
int64_t clock_from_seconds(double seconds);

#endif
