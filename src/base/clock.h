/*
 * clock: where time comes from.
 *
 * Times are int64_t nanoseconds. The monotonic clock, from an arbitrary start, rules every
 * deadline; the wall clock, since the epoch, is for display only. Only the loop and the log read
 * a clock: everything else is given the time, so tests choose it.
 *
 * The monotonic clock stands still while the machine sleeps, and so do all deadlines. How long it
 * slept since it was started is told beside: it never shrinks.
 */
#ifndef EBB_BASE_CLOCK_H
#define EBB_BASE_CLOCK_H

#include <stdint.h>

struct virtual_clock;

#define NS_PER_MS 1000000LL
#define NS_PER_S  1000000000LL

struct clock {
	int64_t (*mono_ns)(void *data);
	int64_t (*wall_ns)(void *data);
	void *data;
	struct virtual_clock *is_virtual; /* NULL: time passes by itself */
	int64_t (*asleep_ns)(void *data); /* NULL: it is not known to sleep */
};

/*
 * A clock that stands still until it jumps. As long as something outside of the process is under
 * way, an answer of a name server for instance, it is held: then it runs as the system's does.
 */
struct virtual_clock {
	struct clock clock;
	int64_t now_ns;         /* monotonic; while it is held, when that began */
	int64_t wall_offset_ns; /* wall less monotonic */
	int64_t asleep_ns;
	unsigned holds;
	int64_t held_ns; /* the system's time when it was held */
};

/* Does not move: clock refers to it. */
void virtual_clock_init(struct virtual_clock *v, int64_t mono_ns, int64_t wall_ns);

/* To at_ns, but never back, and not while it is held. */
void virtual_clock_jump(struct virtual_clock *v, int64_t at_ns);

/* As if the machine had slept so long: the wall clock alone goes on. */
void virtual_clock_sleep(struct virtual_clock *v, int64_t ns);

/* Something outside begins, and ends; does nothing for a clock that is not virtual. */
void clock_hold(const struct clock *c);
void clock_release(const struct clock *c);

/* The operating system's clocks. */
extern const struct clock clock_system;

int64_t clock_mono_ns(const struct clock *c);
int64_t clock_wall_ns(const struct clock *c);
int64_t clock_asleep_ns(const struct clock *c);

/* Seconds, as configuration and scripts give them, to nanoseconds; saturates instead of
 * overflowing, and anything below 0 (or not a number) is 0. */
int64_t clock_from_seconds(double seconds);

/* The earlier of two times, where -1 is none. */
int64_t clock_earlier(int64_t a_ns, int64_t b_ns);

/* A delay that has doubled so many times, but is never longer than max_ns. */
int64_t clock_doubled(int64_t delay_ns, unsigned times, int64_t max_ns);

#endif
