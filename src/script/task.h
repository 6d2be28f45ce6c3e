/*
 * task: a script's coroutine, from its start to its end.
 *
 * Every entry into a script's code is a task: a pooled Lua thread whose first frame is task_main,
 * a C function, so that errors get their traceback where they are thrown. A task waits for one
 * thing at a time. It is woken by task_wake, which takes it off whatever it waits for and puts it
 * into the host's run queue, and by nothing else; only the host runs tasks, and never one from
 * within another. What a task gets from its pause is made by the continuation that it resumes in,
 * from the C data that task_wake left in it.
 *
 *     task_new --> runnable --> running --> paused
 *                     ^            |           |
 *                     |            v           |
 *                     |          (gone)        |
 *                     +------- task_wake ------+
 */
#ifndef EBB_SCRIPT_TASK_H
#define EBB_SCRIPT_TASK_H

#include "base/handle.h"
#include "base/list.h"
#include "base/timers.h"

#include <lua.h>
#include <stdbool.h>

struct script;
struct event;

enum { TASK_POOL_MAX = 64 }; /* idle threads that a script keeps */

enum task_state { TASK_RUNNABLE, TASK_RUNNING, TASK_PAUSED };

/* Why a paused task runs again. */
enum wake {
	WAKE_NONE,
	WAKE_CANCEL, /* it is cancelled: task_resumed raises */
	WAKE_TIMER,  /* its deadline passed */
	WAKE_DONE,   /* what it waited for is there */
	WAKE_FAILED  /* it cannot come: code and why say more */
};

struct task;

/* A kind of thing to wait for. */
struct wait {
	void (*detach)(struct task *t); /* takes t off it; NULL: nothing to do */
	void (*cancel)(struct task *t); /* instead of waking t when it is cancelled; NULL */
};

/* What a task begins with: pushes its function and arguments onto T, and returns how many of
 * these. */
struct task_start {
	int (*push)(lua_State *T, const struct task_start *start);
};

struct task {
	struct script *script;
	lua_State *T;
	int ref;         /* of T in the script's table of threads, as long as the thread is used */
	struct list all; /* of the script's tasks, or of its pool */
	struct list run; /* in the host's run queue, or among what its script holds */
	struct list waits; /* struct listener: the events that it waits for */
	struct list holds; /* struct resource: given back at its end, however it ends */
	struct timer timer;
	lua_State **chain; /* owned: the coroutines it is paused in, the innermost first */

	/* From here on it is new for each task that uses the thread. */
	uint64_t queued;       /* the host's count when it was put into the run queue */
	struct handle handle;  /* task_handle makes it */
	unsigned char n_chain; /* no more than Lua nests, 200 */
	uint64_t number; /* the host's count when it was made, or the task that it descends from */
	struct scope *scope;     /* the innermost of timeout and shield; on its stack */
	struct promise *promise; /* who is told of its end; NULL: nobody */

	const struct wait *wait; /* the kind of what it waits for; NULL for a deadline alone */
	char *why;               /* owned: what it was woken with, of WAKE_FAILED */

	union {
		const struct task_start *start; /* until it starts; NULL: all is on T already */
		void *source;                   /* what it waits for, from then on */
	};
	void (*ended)(struct task *t, void *data); /* told of its end; NULL */
	void *ended_data;

	struct grace *grace; /* owned: since it was cancelled; NULL: it was not */
	int64_t paused_ns;   /* when it paused last */

	struct handle net; /* the network it is about, inherited by what it starts */
	const char *what;  /* "on privmsg", "spawn": interned by the script */
	const char *site;  /* where it was made, "karma.lua:12": interned, or NULL */

	int promise_ref; /* of the promise's userdata */
	int code;        /* an ERR_*, of WAKE_FAILED */
	unsigned ticks;  /* that it ran since its last pause: slice.h */
	enum wake wake;
	enum task_state state;
	bool failed; /* its function raised; the error is on T */
	bool has_started;
	bool is_awaited; /* its error goes to who started it, and is not logged */
	bool is_handler; /* an event started it */
	bool is_connect; /* its own function is connect: nobody, when an attempt fails */
	bool is_told;    /* it hears of an error: its own is not told of to scripts */
	bool is_cancelled;
	bool is_stopped; /* it used up what it may, or its grace: nothing of it goes on */
	bool has_defers; /* functions of defer() are in the registry */
};

/* The task that runs, or is paused, in L; NULL for a coroutine that is not under way, and for the
 * main thread. */
struct task *task_of(lua_State *L);
void task_set_of(lua_State *L, struct task *t);

/* A runnable task without a function yet, in no queue. L is any thread of the script that runs in
 * protected code; raises when there is no memory, and when the script has too many tasks. what and
 * site are interned. */
struct task *task_new(lua_State *L, struct script *s, const char *what, const char *site);

/* What names it for as long as it is there. */
struct handle task_handle(struct task *t);

/* Makes the table that holds the script's threads. In protected code. */
void task_open(lua_State *L);

/* Puts a runnable task at the end of the run queue. */
void task_enqueue(struct task *t);

/* Runs t up to its next pause or its end. Not from within a task. */
void task_run(struct task *t);

/* Raises unless the running task may pause here, and when it is cancelled: name is the function
 * that wants to. */
struct task *task_check(lua_State *L, const char *name);

/* At the start of a continuation: the task, or its cancellation is raised. */
struct task *task_resumed(lua_State *L);

/* Ends a task that never ran, as cancelled. */
void task_end_unstarted(struct task *t);

/* Takes the error that a failed task left on its thread, as text that begins with what the task is;
 * returns owned. */
char *task_take_error(struct task *t);

/* Notes the function on top of L, to run when the task ends. */
void task_defer(lua_State *L, struct task *t);

/* Pauses the running task until task_wake, at the latest until at_ns (-1: no deadline). The caller
 * set source and wait. Returns what a C function must return; k goes on from there. */
int task_pause(lua_State *L, int64_t at_ns, lua_KFunction k);

/* Makes a paused task runnable; does nothing for one that is not paused. */
void task_wake(struct task *t, enum wake wake);

/* The same with WAKE_FAILED, the code and a copy of why. */
void task_fail(struct task *t, int code, const char *why);

/* Pushes nil, why and the kind that task_fail left; returns 3. */
int task_push_failure(lua_State *L, const struct task *t);

/* Ends t, which does not run, now: of its code only what has to be closed runs, and not for long.
 * Who waits for it learns that it was cancelled. */
void task_stop(struct task *t);

/* The innermost of the threads that t is paused in. */
lua_State *task_innermost(const struct task *t);

/* Drops t in whatever state but running; its code does not go on. */
void task_drop(struct task *t);

/* Frees an idle one. */
void task_free(struct task *t);

#endif
