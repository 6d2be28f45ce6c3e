#include "script/task.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "script/host.h"

#include <assert.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

struct task *task_of(lua_State *T)
{
	return *(struct task **)lua_getextraspace(T);
}

static int after_pcall(lua_State *T, int status, lua_KContext context)
{
	(void)context;
	task_of(T)->failed = status != LUA_OK && status != LUA_YIELD;
	return lua_gettop(T) - 1;
}

static int task_main(lua_State *T)
{
	struct task *t = task_of(T);
	lua_pushcfunction(T, vm_traceback);
	lua_insert(T, 1);
	int n = t->start ? t->start(T, t) : lua_gettop(T) - 2;
	return after_pcall(T, lua_pcallk(T, n, LUA_MULTRET, 1, 0, after_pcall), 0);
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

static struct task *with_new_thread(lua_State *L)
{
	lua_State *T = lua_newthread(L);
	int ref = luaL_ref(L, LUA_REGISTRYINDEX);
	struct task *t = mem_new(sizeof(*t));
	t->T = T;
	t->ref = ref;
	list_init(&t->all);
	list_init(&t->run);
	list_init(&t->waits);
	*(struct task **)lua_getextraspace(T) = t;
	return t;
}

struct task *task_new(lua_State *L, struct script *s, const char *what, const char *site)
{
	struct task *t = list_is_empty(&s->pool) ? with_new_thread(L) : from_pool(s);
	t->script = s;
	t->timer.fire = on_deadline;
	t->state = TASK_RUNNABLE;
	t->what = what;
	t->site = site;
	t->handle = handles_add(&s->host->handles, t);
	list_append(&s->tasks, &t->all);
	lua_pushcfunction(t->T, task_main);
	return t;
}

void task_enqueue(struct task *t)
{
	struct host *h = t->script->host;
	list_append(&h->run, &t->run);
	if (!h->is_running)
		h->options.wanted(h->options.data);
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

/* Logs the error at index 1 for the task at index 2. */
static int report(lua_State *L)
{
	const struct task *t = lua_touserdata(L, 2);
	const char *kind = vm_error_kind(L, 1) ? lua_tostring(L, -1) : NULL;
	if (kind && is_told(t->script, kind))
		return 0;
	const char *text = luaL_tolstring(L, 1, NULL);
	log_error("script %s: %s%s%s: %s", t->script->name, t->what, t->site ? " from " : "",
		t->site ? t->site : "", text);
	return 0;
}

/* The error is on top of t->T. */
static void log_failure(struct task *t)
{
	lua_State *T = t->T;
	lua_pushcfunction(T, report);
	lua_insert(T, -2);
	lua_pushlightuserdata(T, t);
	if (lua_pcall(T, 2, 0, 0) != LUA_OK) {
		log_error("script %s: %s: an error that cannot be told", t->script->name, t->what);
		lua_pop(T, 1);
	}
}

/* Off everything that refers to it. */
static void retire(struct task *t)
{
	struct host *h = t->script->host;
	if (t->detach)
		t->detach(t);
	timers_cancel(h->options.timers, &t->timer);
	list_remove(&t->run);
	list_remove(&t->all);
	handles_remove(&h->handles, t->handle);
	free(t->why);
}

static void recycle(struct task *t)
{
	struct script *s = t->script;
	if (s->n_pool == TASK_POOL_MAX) {
		luaL_unref(t->T, LUA_REGISTRYINDEX, t->ref);
		free(t);
		return;
	}
	lua_State *T = t->T;
	int ref = t->ref;
	*t = (struct task){.T = T, .ref = ref};
	list_init(&t->run);
	list_init(&t->waits);
	list_append(&s->pool, &t->all);
	s->n_pool++;
}

static void end(struct task *t, int status)
{
	lua_State *T = t->T;
	if (status != LUA_OK)
		t->failed = true;
	if (t->failed)
		log_failure(t);
	if (status != LUA_OK)
		lua_resetthread(T);
	lua_settop(T, 0);
	void (*ended)(struct task *, void *) = t->ended;
	if (ended)
		ended(t, t->ended_data);
	retire(t);
	recycle(t);
}

void task_run(struct task *t)
{
	struct host *h = t->script->host;
	assert(t->state == TASK_RUNNABLE && !h->current);
	list_remove(&t->run);
	h->current = t;
	t->state = TASK_RUNNING;
	int n_args = lua_status(t->T) == LUA_YIELD ? 0 : lua_gettop(t->T) - 1;
	int n_results;
	int status = lua_resume(t->T, NULL, n_args, &n_results);
	h->current = NULL;
	if (status == LUA_YIELD) {
		assert(t->state == TASK_PAUSED);
		lua_pop(t->T, n_results);
	} else {
		end(t, status);
	}
}

struct task *task_check(lua_State *L, const char *name)
{
	struct task *t = task_of(L);
	if (!t || !lua_isyieldable(L))
		luaL_error(L,
			"%s: cannot pause here (inside a filter, or a function that C calls, "
			"as table.sort and string.gsub do)",
			name);
	return t;
}

int task_pause(lua_State *L, int64_t at_ns, lua_KFunction k)
{
	struct task *t = task_of(L);
	t->state = TASK_PAUSED;
	t->wake = WAKE_NONE;
	if (at_ns >= 0)
		timers_set(t->script->host->options.timers, &t->timer, at_ns);
	return lua_yieldk(L, 0, 0, k);
}

void task_wake(struct task *t, enum wake wake)
{
	if (t->state != TASK_PAUSED)
		return;
	if (t->detach)
		t->detach(t);
	t->detach = NULL;
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
	assert(t->state != TASK_RUNNING);
	luaL_unref(t->T, LUA_REGISTRYINDEX, t->ref);
	retire(t);
	free(t);
}
