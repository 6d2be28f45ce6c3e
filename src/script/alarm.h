/*
 * alarm: a function of a script's that runs at a time, as a task of its own.
 *
 * Until then it is a closure and a place in the heap of deadlines, not a coroutine: the collector
 * walks every sleeping coroutine, and a hundred thousand closures cost it nothing of the kind. A
 * repeated alarm never overlaps itself: a time that comes while its task still runs is passed over.
 * One that comes while the script is held (host.h) waits for the script's turn; so does one of a
 * script that loads to replace another.
 */
#ifndef EBB_SCRIPT_ALARM_H
#define EBB_SCRIPT_ALARM_H

#include "base/clock.h"
#include "base/handle.h"
#include "base/timers.h"
#include "script/cron.h"

#include <lua.h>
#include <stdbool.h>

enum { ALARM_ARGS_MAX = 250 };

#define ALARM_PERIOD_MIN_NS NS_PER_MS

struct script;

struct alarm_options {
	const char *what, *site;      /* interned */
	int64_t delay_ns;             /* and the period */
	bool is_repeated, is_connect; /* its function is connect itself */
	const struct cron *cron;      /* its times; NULL: after delay_ns, and every delay_ns */
	struct handle net;            /* the network its tasks are about */
};

/* Sets an alarm for the function at index 1 and its arguments above it, which it takes, with the
 * task object on top of them, which stays: that of the alarm, and of the task that runs last. */
void alarm_new(lua_State *L, const struct alarm_options *o);

/* Ends it; its task, if it runs, is cancelled. Does nothing when it is over. */
void alarm_cancel(struct handles *hs, struct handle h);

/* Runs alarms whose time came while the script was held, as many as its turn has time for. */
void alarm_catch_up(struct script *s);

/* Whether an alarm that runs once, made after the host's count was this, has not run yet. */
bool alarm_is_due_since(const struct script *s, uint64_t made);

/* Those that are not over, made after the host's count was `made`; one whose task runs is left to
 * the task, if it does not run again. */
struct alarm_facts {
	const struct script *script;
	const char *what, *site;
	const struct timer *timer;
};
void alarm_each(const struct script *s, uint64_t made,
	void (*tell)(const struct alarm_facts *a, void *data), void *data);

/* Ends all of a script's alarms, as alarm_cancel does. */
void alarm_cancel_all(struct script *s);

/* The repeated alarms that the main chunk of s made take over when those of `from` would have come
 * next: each from the first with the same period, or the same times, that no other took over. */
void alarm_inherit(struct script *s, const struct script *from);

/* Drops all of a script's alarms. */
void alarm_clear(struct script *s);

#endif
