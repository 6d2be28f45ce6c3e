#include "script/task.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "script/cancel.h"
#include "script/host.h"
#include "script/lint.h"
#include "script/news.h"
#include "script/program.h"
#include "script/resource.h"
#include "script/retire.h"
#include "script/slice.h"
#include "script/sync.h"

#include <assert.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

enum {
	THREADS_KEPT = 4 * TASK_POOL_MAX, /* a table of so many is not worth a smaller one */
	REPORT_MAX_BYTES = 64 * 1024
};

struct task *task_of(lua_State *L)
{
	return *(struct task **)lua_getextraspace(L);
}

void task_set_of(lua_State *L, struct task *t)
{
	*(struct task **)lua_getextraspace(L) = t;
}

/* A broken connection is no news for every task that meets it. */
static bool is_told(struct script *s, const char *kind)
{
	if (strcmp(kind, "disconnected") != 0)
		return false;
	bool told = s->outage_is_told;
	s->outage_is_told = true;
	return told;
}

/* Of the error that Lua raises without a traceback, maybe with a place before it; else NULL. */
static const char *place_of_denial(lua_State *L, int index, const struct script *s)
{
	const struct str words = STR("not enough memory");
	struct str text = STR_NONE;
	if (lua_type(L, index) == LUA_TSTRING)
		text.p = lua_tolstring(L, index, &text.n);
	bool is_memory = text.n >= words.n &&
			 str_eq((struct str){text.p + text.n - words.n, words.n}, words);
	return is_memory ? s->denied_at : NULL;
}

/* What the task is and the error at index 2, whose text stands on top. Allocates nothing of the
 * script's: garbage would be collected for it, and a script without memory taken for one that has.
 * Returns owned. */
static char *describe(lua_State *L, const struct task *t)
{
	struct buf out;
	const char *denied_at = place_of_denial(L, 2, t->script);
	buf_init(&out, REPORT_MAX_BYTES);
	if (buf_addf(&out, "%s%s%s: %s%s%s", t->what, t->site ? " from " : "",
		    t->site ? t->site : "", lua_tostring(L, -1),
		    denied_at ? "\nmemory was refused in\n" : "", denied_at ? denied_at : "") < 0)
		buf_reset(&out);
	return buf_detach(&out);
}

/* Tells of the error at index 2 for the task at index 1. */
static int report(lua_State *L)
{
	const struct task *t = lua_touserdata(L, 1);
	if (vm_error_kind(L, 2) && lua_isstring(L, -1) && is_told(t->script, lua_tostring(L, -1)))
		return 0;
	vm_push_error_text(L, 2);
	char *text = describe(L, t);
	log_error("script %s: %s", t->script->name, text);
	if (!t->is_told)
		news_error(t->script, "run", text);
	free(text);
	return 0;
}

struct taken {
	const struct task *task;
	char *text;
};

static int take_text(lua_State *L)
{
	struct taken *taken = lua_touserdata(L, 1);
	vm_push_error_text(L, 2);
	taken->text = describe(L, taken->task);
	return 0;
}

char *task_take_error(struct task *t)
{
	lua_State *L = t->script->vm.L;
	struct taken taken = {t, NULL};
	lua_xmove(t->T, L, 1);
	if (!vm_call_with(L, take_text, &taken, 1, 0))
		lua_pop(L, 1);
	return taken.text ? taken.text : mem_strdup("an error that cannot be told");
}

/* Takes the error on top of T, a thread of the task's. */
static void log_failure(struct task *t, lua_State *T)
{
	lua_State *L = t->script->vm.L;
	if (cancel_is(T, -1) && (t->is_cancelled || t->is_stopped)) {
		lua_pop(T, 1);
		return;
	}
	if (!trouble_is_told(t->script)) {
		vm_forget_traceback(T);
		lua_pop(T, 1);
		return;
	}
	lua_xmove(T, L, 1);
	if (vm_call_with(L, report, t, 1, 0))
		return;
	const char *why = lua_tostring(L, -1);
	if (why)
		log_error("script %s: %s%s%s: an error that cannot be told: %s", t->script->name,
			t->what, t->site ? " from " : "", t->site ? t->site : "", why);
	lua_pop(L, 1);
}

/* Pushes the function that defer() noted last; false when there is none left. */
static bool push_deferred(lua_State *T, struct task *t)
{
	if (!t->has_defers)
		return false;
	lua_rawgetp(T, LUA_REGISTRYINDEX, t);
	lua_Unsigned n = lua_rawlen(T, -1);
	if (n > 0) {
		lua_rawgeti(T, -1, (lua_Integer)n);
		lua_pushnil(T);
		lua_rawseti(T, -3, (lua_Integer)n);
		lua_remove(T, -2);
		return true;
	}
	lua_pop(T, 1);
	lua_pushnil(T);
	lua_rawsetp(T, LUA_REGISTRYINDEX, t);
	t->has_defers = false;
	return false;
}

/* The results, or the error, for who waits for the end of the task. */
static void keep_outcome(lua_State *T, struct task *t)
{
	if (!t->promise)
		return;
	int n = lua_gettop(T) - 1;
	lua_rawgeti(T, LUA_REGISTRYINDEX, t->promise_ref);
	lua_insert(T, 2);
	if (t->failed) {
		lua_pushvalue(T, -1);
		promise_keep_error(T, 2, true);
	} else {
		luaL_checkstack(T, n + 2, "too many results");
		for (int i = 0; i < n; i++)
			lua_pushvalue(T, 3 + i);
		promise_keep(T, 2, n);
	}
	lua_remove(T, 2);
}

/* After the function of the task, context 0, and after each that it deferred, 1. Stack: the message
 * handler, then what the function left. */
static int go_on(lua_State *T, int status, lua_KContext context)
{
	struct task *t = task_of(T);
	bool failed = status != LUA_OK && status != LUA_YIELD;
	if (failed || t->promise || t->has_defers)
		luaL_checkstack(T, LUA_MINSTACK, "too many results");
	if (context == 0)
		t->failed = failed;
	else if (failed)
		log_failure(t, T);
	while (!t->is_stopped && push_deferred(T, t))
		if (lua_pcallk(T, 0, 0, 1, 1, go_on) != LUA_OK)
			log_failure(t, T);
	if (!t->is_stopped)
		keep_outcome(T, t);
	return t->failed ? 1 : 0;
}

static int task_main(lua_State *T)
{
	struct task *t = task_of(T);
	int n;
	lua_pushcfunction(T, vm_traceback);
	if (t->start) {
		n = t->start->push(T, t->start);
	} else {
		lua_insert(T, 1);
		n = lua_gettop(T) - 2;
	}
	return go_on(T, lua_pcallk(T, n, LUA_MULTRET, 1, 0, go_on), 0);
}

static void on_deadline(struct timer *timer)
{
	task_wake(container_of(timer, struct task, timer), WAKE_TIMER);
}

static struct task *from_pool(struct script *s)
{
	struct task *t = container_of(s->pool.next, struct task, all);
	list_remove(&t->all);
	s->n_pool--;
	return t;
}

void task_open(lua_State *L)
{
	struct script *s = script_of(L);
	lua_newtable(L);
	s->threads_ref = luaL_ref(L, LUA_REGISTRYINDEX);
}

static struct task *with_new_thread(lua_State *L)
{
	struct script *s = script_of(L);
	lua_rawgeti(L, LUA_REGISTRYINDEX, s->threads_ref);
	lua_State *T = lua_newthread(L);
	int ref = luaL_ref(L, -2);
	lua_pop(L, 1);
	if (!arena_charge(&s->vm.arena, sizeof(struct task))) {
		lua_rawgeti(L, LUA_REGISTRYINDEX, s->threads_ref);
		luaL_unref(L, -1, ref);
		luaL_error(L, "not enough memory");
	}
	struct task *t = mem_new(sizeof(*t));
	t->script = s;
	t->T = T;
	t->ref = ref;
	t->timer.fire = on_deadline;
	list_init(&t->all);
	list_init(&t->run);
	list_init(&t->waits);
	list_init(&t->holds);
	task_set_of(T, t);
	if (++s->n_threads > s->most_threads)
		s->most_threads = s->n_threads;
	script_choose_gc(s);
	return t;
}

static void move_threads(lua_State *L, struct list *tasks, int from, int to)
{
	list_each (node, tasks) {
		struct task *t = container_of(node, struct task, all);
		lua_rawgeti(L, from, t->ref);
		t->ref = luaL_ref(L, to);
	}
}

/* A table never shrinks by itself: the threads that are left move into a new one. */
static int shrink_threads(lua_State *L)
{
	struct script *s = script_of(L);
	lua_rawgeti(L, LUA_REGISTRYINDEX, s->threads_ref);
	lua_createtable(L, (int)s->n_threads + 8, 0); /* what luaL_ref needs: nothing fails below */
	move_threads(L, &s->tasks, 2, 3);
	move_threads(L, &s->pool, 2, 3);
	lua_rawseti(L, LUA_REGISTRYINDEX, s->threads_ref);
	s->most_threads = s->n_threads;
	return 0;
}

/* Lets go of a thread; its task is in no list any more. */
static void drop_thread(struct script *s, struct task *t)
{
	lua_State *L = s->vm.L;
	lua_settop(t->T, 0); /* dead, for a script that has kept it (coroutine.running) */
	task_set_of(t->T, NULL);
	lua_rawgeti(L, LUA_REGISTRYINDEX, s->threads_ref);
	luaL_unref(L, -1, t->ref);
	lua_pop(L, 1);
	task_free(t);
	arena_release(&s->vm.arena, sizeof(*t));
	s->n_threads--;
	script_choose_gc(s);
	bool is_sparse = s->most_threads > THREADS_KEPT && s->n_threads < s->most_threads / 4;
	if (is_sparse && !vm_call(L, shrink_threads, NULL, 0))
		lua_pop(L, 1); /* no memory: it stays as it is */
}

struct task *task_new(lua_State *L, struct script *s, const char *what, const char *site)
{
	if (s->n_tasks >= s->limits.tasks_max)
		luaL_error(L, "%s: the script has %d tasks already, and may not have more", what,
			(int)s->n_tasks);
	struct task *t = list_is_empty(&s->pool) ? with_new_thread(L) : from_pool(s);
	s->n_tasks++;
	memset(&t->queued, 0, sizeof(*t) - offsetof(struct task, queued)); /* of the use before */
	t->state = TASK_RUNNABLE;
	t->what = what;
	t->site = site;
	t->number = ++s->host->made;
	list_append(&s->tasks, &t->all);
	lua_pushcfunction(t->T, task_main);
	return t;
}

struct handle task_handle(struct task *t)
{
	if (!t->handle.generation)
		t->handle = handles_add(&t->script->host->handles, t);
	return t->handle;
}

void task_enqueue(struct task *t)
{
	struct host *h = t->script->host;
	list_append(&h->run, &t->run);
	t->queued = ++h->queued;
	if (!h->is_running)
		h->options.wanted(h->options.data);
}

static void leave_wait(struct task *t)
{
	if (t->wait && t->wait->detach)
		t->wait->detach(t);
	t->wait = NULL;
}

/* Of all that stands on its stack, before what is there may be collected. */
static void let_go(struct task *t)
{
	leave_wait(t);
	resources_release(&t->holds);
	if (timer_is_set(&t->timer))
		timers_cancel(t->script->host->options.timers, &t->timer);
	if (t->scope)
		scope_leave_all(t);
}

static void forget_defers(struct task *t)
{
	lua_State *L = t->script->vm.L;
	lua_pushnil(L);
	lua_rawsetp(L, LUA_REGISTRYINDEX, t);
}

/* Off everything that refers to it. */
static void retire(struct task *t)
{
	struct script *s = t->script;
	let_go(t);
	if (t->has_defers)
		forget_defers(t);
	list_remove(&t->run);
	list_remove(&t->all);
	if (--s->n_tasks == 0 && s->stage == SCRIPT_RETIRED && !s->is_over)
		host_settle(s);
	if (s->sliced == t)
		s->sliced = NULL;
	if (t->promise)
		luaL_unref(t->T, LUA_REGISTRYINDEX, t->promise_ref);
	if (t->handle.generation)
		handles_remove(&s->host->handles, t->handle);
	if (t->grace)
		cancel_forget(t);
	if (t->why)
		free(t->why);
	t->why = NULL;
}

static void recycle(struct task *t)
{
	struct script *s = t->script;
	if (s->n_pool == TASK_POOL_MAX) {
		drop_thread(s, t);
		return;
	}
	list_append(&s->pool, &t->all);
	s->n_pool++;
}

/* Tells who waits for the end; an error that nobody waits for is logged. */
static void tell_of_end(struct task *t, bool is_cancelled)
{
	struct promise *p = t->promise;
	bool is_awaited = p && !list_is_empty(&p->waiters);
	if (t->failed && !is_cancelled && !is_awaited && !t->is_awaited && !t->is_stopped)
		log_failure(t, t->T);
	if (p)
		promise_settle(p, is_cancelled ? PROMISE_CANCELLED
				  : t->failed  ? PROMISE_FAILED
					       : PROMISE_DONE);
	if (t->ended)
		t->ended(t, t->ended_data);
}

/* What is left of a task that has ended: its thread may be used again, unless something in it was
 * stopped. */
static void bury(struct task *t)
{
	struct script *s = t->script;
	retire(t);
	if (t->is_stopped) {
		drop_thread(s, t);
		return;
	}
	if (t->failed || !t->has_started)
		lua_settop(t->T, 0);
	recycle(t);
}

static int keep_stop_error(lua_State *L)
{
	const struct task *t = lua_touserdata(L, 1);
	lua_rawgeti(L, LUA_REGISTRYINDEX, t->promise_ref);
	cancel_push_stopped(L);
	promise_keep_error(L, 2, false);
	return 0;
}

/* Who waits for a task that was stopped gets an error, which is in the log already. */
static void keep_stopped(struct task *t)
{
	lua_State *L = t->script->vm.L;
	t->failed = true;
	lua_settop(t->T, 0);
	cancel_push_stopped(t->T);
	if (t->promise && !vm_call(L, keep_stop_error, t, 0))
		lua_pop(L, 1);
}

/* The error on top of a task that failed where it would have kept its outcome. */
static void keep_error(struct task *t)
{
	lua_State *L = t->script->vm.L;
	lua_rawgeti(L, LUA_REGISTRYINDEX, t->promise_ref);
	lua_pushvalue(t->T, -1);
	lua_xmove(t->T, L, 1);
	promise_keep_error(L, -2, false);
	lua_pop(L, 1);
}

static void end(struct task *t, int status)
{
	if (status != LUA_OK)
		t->failed = true;
	if (status != LUA_OK && t->promise)
		keep_error(t);
	bool is_cancelled = t->failed && t->is_cancelled && cancel_is(t->T, -1);
	if (t->is_stopped)
		keep_stopped(t);
	tell_of_end(t, is_cancelled);
	if (status != LUA_OK && !t->is_stopped)
		lua_resetthread(t->T);
	bury(t);
}

void task_end_unstarted(struct task *t)
{
	tell_of_end(t, true);
	bury(t);
}

/* Runs the __close of all that t is in, from the inside out. Events that come of it wait: a
 * deadline may bring us here as well. */
static void close_all(struct task *t)
{
	struct host *h = t->script->host;
	bool was_running = h->is_running;
	struct slice_run run;
	h->is_running = true;
	let_go(t);
	slice_enter(&run, t->script, NULL, t->T);
	slice_limit(&run, SLICE_CLOSE_TICKS);
	for (unsigned i = 0; i < t->n_chain; i++) {
		slice_move(&run, t->chain[i]);
		task_set_of(t->chain[i], NULL);
		lua_resetthread(t->chain[i]);
	}
	t->n_chain = 0;
	slice_move(&run, t->T);
	lua_resetthread(t->T);
	slice_leave(&run);
	h->is_running = was_running;
	if (!was_running)
		h->options.wanted(h->options.data);
	script_left(t->script, &run);
}

void task_stop(struct task *t)
{
	assert(t->state != TASK_RUNNING);
	t->is_stopped = t->failed = true;
	close_all(t);
	tell_of_end(t, true);
	bury(t);
}

/* It yielded for good. */
static void end_stopped(struct task *t)
{
	close_all(t);
	keep_stopped(t);
	tell_of_end(t, false);
	bury(t);
}

lua_State *task_innermost(const struct task *t)
{
	return t->n_chain ? t->chain[0] : t->T;
}

void task_defer(lua_State *L, struct task *t)
{
	if (!t->has_defers) {
		lua_newtable(L);
		lua_rawsetp(L, LUA_REGISTRYINDEX, t);
		t->has_defers = true;
	}
	lua_rawgetp(L, LUA_REGISTRYINDEX, t);
	lua_insert(L, -2);
	lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
	lua_pop(L, 1);
}

static bool is_main(const struct task *t)
{
	return handles_get(&t->script->host->handles, t->script->main) == t;
}

static void on_yield(struct task *t, const struct slice_run *run)
{
	switch (run->yield) {
	case YIELD_PAUSE:
		t->ticks = 0;
		if (t->script->is_loading && t->script->stage == SCRIPT_CURRENT && is_main(t))
			program_loaded(t->script);
		return;
	case YIELD_SLICE:
		t->ticks = run->used + run->ticks;
		t->state = TASK_RUNNABLE;
		t->script->sliced = t;
		host_hold(t->script);
		return;
	case YIELD_STOP:
		end_stopped(t);
		return;
	case YIELD_USER:
		assert(!"a task's own thread yields to nobody");
	}
}

void task_run(struct task *t)
{
	struct script *s = t->script;
	struct host *h = s->host;
	struct slice_run run;
	assert(t->state == TASK_RUNNABLE && !h->current);
	list_remove(&t->run);
	if (s->retirement)
		retire_note(s->retirement, t);
	h->current = t;
	t->state = TASK_RUNNING;
	int n_args = t->has_started || t->start ? 0 : lua_gettop(t->T) - 1;
	t->has_started = true;
	int n_results;
	slice_enter(&run, s, t, t->T);
	run.used = t->ticks;
	int status = lua_resume(t->T, NULL, n_args, &n_results);
	slice_leave(&run);
	h->current = NULL;
	if (status == LUA_YIELD) {
		lua_pop(t->T, n_results);
		on_yield(t, &run);
	} else {
		end(t, status);
	}
	script_left(s, &run);
}

struct task *task_check(lua_State *L, const char *name)
{
	struct task *t = task_of(L);
	if (!t || !slice_may_yield(L)) {
		lint_no_pause(L, name);
		luaL_error(L,
			"%s: cannot pause here (inside a filter, or a function that C calls, "
			"as string.format and xpcall's handler do)",
			name);
		return NULL;
	}
	if (cancel_is_due(t))
		cancel_raise(L);
	return t;
}

struct task *task_resumed(lua_State *L)
{
	struct task *t = task_of(L);
	if (t->wake == WAKE_CANCEL)
		cancel_raise(L);
	return t;
}

int task_pause(lua_State *L, int64_t at_ns, lua_KFunction k)
{
	struct task *t = task_of(L);
	struct timers *timers = t->script->host->options.timers;
	t->state = TASK_PAUSED;
	t->wake = WAKE_NONE;
	t->paused_ns = timers->now_ns;
	if (at_ns >= 0)
		timers_set(timers, &t->timer, at_ns);
	slice_set_yield(YIELD_PAUSE);
	return lua_yieldk(L, 0, 0, k);
}

void task_wake(struct task *t, enum wake wake)
{
	if (t->state != TASK_PAUSED)
		return;
	leave_wait(t);
	timers_cancel(t->script->host->options.timers, &t->timer);
	t->wake = wake;
	t->state = TASK_RUNNABLE;
	task_enqueue(t);
}

void task_fail(struct task *t, int code, const char *why)
{
	if (t->state != TASK_PAUSED)
		return;
	free(t->why);
	t->why = mem_strdup(why);
	t->code = code;
	task_wake(t, WAKE_FAILED);
}

int task_push_failure(lua_State *L, const struct task *t)
{
	lua_pushnil(L);
	lua_pushstring(L, t->why);
	lua_pushstring(L, err_name(t->code));
	return 3;
}

void task_drop(struct task *t)
{
	struct script *s = t->script;
	assert(t->state != TASK_RUNNING);
	retire(t);
	if (s->is_over)
		task_free(t); /* its thread goes with the arena */
	else
		drop_thread(s, t);
}

void task_free(struct task *t)
{
	list_remove(&t->all);
	free(t->chain);
	free(t);
}
