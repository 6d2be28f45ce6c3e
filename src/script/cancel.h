/*
 * cancel: how a task is told to stop.
 *
 * Cancellation is an error value that scripts cannot forge or hold: pcall and xpcall raise it
 * again. It is level-triggered: as long as a task is cancelled, every function that pauses raises
 * it. On its way out variables with __close are closed, and what defer() noted runs. Scopes
 * stand on the task's stack: a timeout is a cancellation with a deadline that ends with it, and a
 * shield keeps cancellation from outside away until it ends; where a task that is cancelled has had
 * its grace, no further one does. One that is shielded by nothing then is stopped (task_stop).
 */
#ifndef EBB_SCRIPT_CANCEL_H
#define EBB_SCRIPT_CANCEL_H

#include "base/clock.h"
#include "base/timers.h"

#include <lua.h>
#include <stdbool.h>

#define CANCEL_GRACE_NS (5 * NS_PER_S)

struct task;

struct scope {
	struct scope *outer;
	struct task *task;
	lua_State *L; /* that it stands on the stack of, which yields to no other meanwhile */
	bool is_shield, is_cancelled;
	struct timer deadline;
};

/* Makes the error value and replaces pcall and xpcall. In protected code. */
void cancel_open(lua_State *L);

/* Raises the cancellation; allocates nothing. */
int cancel_raise(lua_State *L);

/* Pushes the error that a task which was stopped gives who waits for it; allocates nothing. */
void cancel_push_stopped(lua_State *L);

/* Whether the value at index is the cancellation. */
bool cancel_is(lua_State *L, int index);

/* Whether a pause of t would raise: it, or a scope within the innermost shield, is cancelled. */
bool cancel_is_due(const struct task *t);

/* Cancels t: what has not started never does; a paused task is woken, unless it is shielded. */
void cancel_task(struct task *t);

/* Whether a shield holds that t enters now. */
bool cancel_may_shield(const struct task *t);

/* Ends the grace of a task that has ended. */
void cancel_forget(struct task *t);

/* Whether no code of the script may catch the error at index: the task is cancelled with it, or
 * stopped. */
bool cancel_passes(lua_State *L, int index);

/* Enters a scope of the running task in L, which ends with scope_leave: at_ns is its deadline, -1
 * for none. */
void scope_enter(struct scope *s, lua_State *L, bool is_shield, int64_t at_ns);
void scope_leave(struct scope *s);

/* Leaves the scopes of a task that is dropped. */
void scope_leave_all(struct task *t);

#endif
