/*
 * retire: a generation of a script on its way out.
 *
 * Another has taken its place, or the script is unloaded. Its subscriptions and alarms end, and its
 * background tasks are cancelled. Handlers that an event started may go on for a while, and hear of
 * what they wait for; then they are cancelled too, and what is still there after its grace is
 * dropped. What on_unload() noted runs among them. What they do to `state` is nobody's any more: if
 * they change it, that is warned of.
 */
#ifndef EBB_SCRIPT_RETIRE_H
#define EBB_SCRIPT_RETIRE_H

#include "base/buf.h"
#include "script/script.h"

enum { RETIRED_MAX = 4 /* of one program; more reloads drop the oldest */ };

struct retirement;
struct task;

/* s, which does not run, retires. reason is static: "reload", "unload", "shutdown". drain_ns: how
 * long handlers may go on; 0: they are cancelled as well. state: what the next generation got,
 * which it takes; NULL: none did. */
void retire_begin(struct script *s, const char *reason, int64_t drain_ns, struct buf *state);

/* Handlers of a program's, in all that retired, have had their time: they are cancelled. */
void retire_hurry(const struct list *retired);

/* The host settles one that has no task any more, or is over: drops it. */
void retire_settle(struct script *s);

/* A task of the script is about to run. */
void retire_note(struct retirement *r, const struct task *t);

/* Why it retired; NULL: it did not. */
const char *retire_reason(const struct script *s);

/* Drops all of a program's. */
void retire_drop_all(struct list *retired);

/* Of a script that is dropped. */
void retire_forget(struct script *s);

#endif
