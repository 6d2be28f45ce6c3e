/*
 * tap: functions in C that hear of events as scripts do, for the program around (ebb.h).
 *
 * Each event is told to those that want its kind, in the order in which they were added, before any
 * script hears of it. What filter_in took away or changed is so for them, too. Our own talk and
 * what is replayed is told only to scripts that ask for it, not here. Where nobody wants a kind, an
 * event of it costs a comparison.
 */
#ifndef EBB_SCRIPT_TAP_H
#define EBB_SCRIPT_TAP_H

#include "base/attr.h"
#include "script/event.h"

struct host;

/* Embedded by who hears. */
struct tap {
	/* The event is on the heap, borrowed for the call. May call tap_on and tap_off, also for t,
	 * and whatever a script may; does not end the host. */
	void (*told)(struct tap *t, const struct event *e);
	struct list node;
	uint64_t number;
	int kinds[EVENT_NAME_KINDS_MAX];
	size_t n_kinds;
};

/* The host's. */
struct taps {
	struct list all;   /* struct tap */
	unsigned *by_kind; /* how many want each */
	size_t n_kinds;    /* of by_kind */
	uint64_t number;   /* counts up: those that were added */
	struct list *next; /* while they are told: whose turn is next */
};

void taps_init(struct taps *ts);

/* Forgets those that are still on. */
void taps_fini(struct taps *ts);

/* Wants the events of that name from the next one on, as on() does, "*" being every line; t->told
 * is set. Stays where it is until tap_off. ERR_LIMIT: the name is too long, or there are too many
 * that scripts made up. */
NODISCARD int tap_on(struct tap *t, struct host *h, struct str name);
void tap_off(struct tap *t, struct host *h);

static inline bool taps_want_kind(const struct taps *ts, int kind)
{
	return (size_t)kind < ts->n_kinds && ts->by_kind[kind];
}

static inline bool taps_want(const struct taps *ts, const struct event *e)
{
	return ts->n_kinds &&
	       (taps_want_kind(ts, e->kind) || (e->is_line && taps_want_kind(ts, EVENT_ANY)));
}

/* Tells of *e, which is on the heap then. */
void taps_tell(struct taps *ts, struct event **e);

#endif
