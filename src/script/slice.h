/*
 * slice: a script's share of the processor, and what becomes of one that takes more.
 *
 * Every entry from C into a script's code is a run (slice_enter). A timer's signal ticks every 5 ms
 * from the first run until nothing has run for a while, never on an idle loop, and costs a run
 * nothing but a few stores. From the second tick of a run on, its handler arms a hook in the
 * innermost running thread. There, at the next instruction of the script, is decided:
 *
 *     a task that may pause      yields, unseen by the script (YIELD_SLICE), and others have
 *                                their turn; its script is held meanwhile (host.h)
 *     50 ms since its last pause a warning with the traceback
 *     its budget is used up      it is stopped: it yields for good (YIELD_STOP), or where it cannot
 *                                yield the sentinel of cancel.h is raised, and from then on
 *                                whatever the script still runs in this run is ended at once
 *     100 ms where it cannot     the same: filters, __tostring, xpcall's handlers hold the loop up
 *     yield
 *
 * A hook cannot reach a C function that does not come back: the handler itself tells of that after
 * 50 ms, and ends the process after 10 s, so that the service manager starts it again.
 *
 * Time is counted in ticks that came, so a process that was stopped or starved is not a script's
 * fault. The signal is SIGRTMIN, the thread is the loop's.
 */
#ifndef EBB_SCRIPT_SLICE_H
#define EBB_SCRIPT_SLICE_H

#include "base/clock.h"
#include "base/rand.h"

#include <lua.h>
#include <stdbool.h>

#define SLICE_TICK_NS (5 * NS_PER_MS)

enum {
	SLICE_TRACEBACK_BYTES = 3000,
	SLICE_TICKS = 2,        /* of a run that is sliced: 5 to 10 ms */
	SLICE_WARN_TICKS = 10,  /* 50 ms */
	SLICE_BLOCK_TICKS = 20, /* 100 ms where it cannot yield */
	SLICE_CLOSE_TICKS = 4,  /* 20 ms for the __close of what was stopped */
	SLICE_ABORT_TICKS = 2000,
	SLICE_DENIALS = 8 /* of memory, in a run that then is stopped */
};

struct script;
struct task;

/* Why a thread yields. */
enum slice_yield {
	YIELD_USER,  /* coroutine.yield */
	YIELD_PAUSE, /* the task waits */
	YIELD_SLICE, /* it goes on as it is, later */
	YIELD_STOP   /* it does not go on */
};

/* A coroutine that was resumed, on the C stack of who resumed it. */
struct slice_link {
	struct slice_link *outer;
	lua_State *L; /* that resumed it */
	bool was_blocked;
};

/* One entry into a script, on the C stack of who enters. */
struct slice_run {
	struct slice_run *outer;
	struct slice_link *links;
	struct script *script;
	struct task *task;       /* NULL: a call, which cannot pause */
	lua_State *volatile L;   /* the innermost running thread */
	volatile unsigned ticks; /* in this run */
	volatile unsigned stuck; /* since a hook was reached */
	unsigned used;           /* ticks of the task since its last pause, before this run */
	unsigned budget;         /* ticks */
	unsigned n_spawned;
	unsigned n_closing;       /* coroutines that are being closed, within each other */
	unsigned blocked;         /* the tick at which it was seen where it cannot yield; 0: no */
	uint64_t n_denied;        /* the arena's count when it began */
	enum slice_yield yield;   /* of the last yield */
	bool is_blocked;          /* a coroutine of what cannot yield */
	bool is_stopping;         /* nothing of the script is to go on */
	bool is_warned, is_quiet; /* told of already; not to be told of */
	bool may_slice;           /* the host slices */
};

/* The run that is on, or NULL. */
extern struct slice_run *volatile slice_now;

void slice_enter(struct slice_run *r, struct script *s, struct task *t, lua_State *L);
void slice_leave(struct slice_run *r);

/* The run is to be ended after so many ticks, without a word of it: for closing what was stopped.
 */
void slice_limit(struct slice_run *r, unsigned ticks);

/* What it enters next. */
void slice_move(struct slice_run *r, lua_State *L);

/* A coroutine runs, resumed by L; and is back. */
void slice_link(struct slice_link *l, lua_State *L, lua_State *co);
void slice_unlink(const struct slice_link *l, lua_State *co);

/* Whether errors are on their way to the end of the run, and nothing may catch them. */
bool slice_is_stopping(void);

/* The arena refused memory: the script's denied_at says where. */
void slice_denied(void);

/* Whether the running task may yield in L: it is one, and no C call or callback stands in
 * between. */
bool slice_may_yield(lua_State *L);

/* The same, and its share is used up. */
bool slice_is_due(lua_State *L);

/* Gives the turn to others; the C function returns what this returns, and k goes on with context,
 * its stack as it was. What has used up its budget is stopped here, as in the hook, which code that
 * is always in such functions may never reach. Only where slice_may_yield. */
int slice_yield(lua_State *L, lua_KContext context, lua_KFunction k);

/* Marks the reason of a yield that follows. */
void slice_set_yield(enum slice_yield yield);

/* Writes the call stack of the run, one line a level, "\tkarma.lua:12: in upvalue 'count'"; needs
 * no memory, and changes nothing. */
void slice_traceback(const struct slice_run *r, char *out, size_t size);

/* The same of a task that does not run now. */
void slice_task_traceback(const struct task *t, char *out, size_t size);

/* The time between two ticks, where the machine is slow: under valgrind, for instance. For tests.
 */
void slice_set_tick(int64_t tick_ns);

/* A tick, as the timer's signal brings it. For tests. */
void slice_tick(void);

/* For tests: from now on a task is sliced after any number of instructions up to `most`, as rand
 * has it, and no budget holds; 0 ends that. Returns how often it came to it since the last call. */
uint64_t slice_force(struct rand *rand, unsigned most);

#endif
