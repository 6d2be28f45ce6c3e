/*
 * sync: what tasks wait for that other tasks bring about.
 *
 * A waiter is a task's place in a list; it stands on the task's stack, and leaves the list when
 * the task is woken, for whatever reason. A promise is settled once, with results or an error,
 * and may be waited for by any number of tasks, before and after.
 */
#ifndef EBB_SCRIPT_SYNC_H
#define EBB_SCRIPT_SYNC_H

#include "base/list.h"
#include "script/task.h"

#include <lua.h>

struct waiter {
	struct list node;
	struct task *task;
};

/* The running task joins list, at its end; it pauses next. */
void waiter_join(struct list *list, struct waiter *w, struct task *t);

/* Pushes a waiter as a userdata, and joins. */
void waiter_push(lua_State *L, struct list *list, struct task *t);

void waiters_wake(struct list *list);
void waiters_fail(struct list *list, int code, const char *why);

/* Wakes the first; NULL when there is none. */
struct task *waiters_wake_first(struct list *list);

enum promise_state { PROMISE_PENDING, PROMISE_DONE, PROMISE_FAILED, PROMISE_CANCELLED };

/* A userdata whose user values are the table of results, or the error and its traceback. */
struct promise {
	enum promise_state state;
	struct list waiters;
	int n; /* results */
};

enum { PROMISE_USER_VALUES = 2 };

void promise_init(struct promise *p);

/* Takes the n values on top as the results of the promise at index. */
void promise_keep(lua_State *L, int index, int n);

/* Takes the error on top; with_traceback: the one that the error had when it was thrown. Without it
 * nothing is allocated. */
void promise_keep_error(lua_State *L, int index, bool with_traceback);

/* What was kept holds from now on: wakes who waits. */
void promise_settle(struct promise *p, enum promise_state state);

/* What a wait for the promise at index 1, which is settled, returns. */
int promise_push_results(lua_State *L);

/* Waits for the promise at index 1, with the seconds at index 2 as its timeout: returns its
 * results; nil and "timeout" or "cancelled"; or raises its error. */
int promise_wait(lua_State *L, const char *who);

#endif
