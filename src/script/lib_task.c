#include "script/lib_task.h"

#include "base/log.h"
#include "script/alarm.h"
#include "script/cancel.h"
#include "script/host.h"
#include "script/modules.h"
#include "script/slice.h"
#include "script/sync.h"
#include "script/task.h"

#include <string.h>

/* spawn and the object of a task; all, race, timeout, shield and defer. */

static const char task_type[] = "ebb.task";

struct task_object *task_object_push(lua_State *L, const char *what, const char *site)
{
	lua_pushfstring(L, "%s %s", what, site ? site : "?");
	const char *name = script_intern(script_of(L), lua_tostring(L, -1));
	struct task_object *o = lua_newuserdatauv(L, sizeof(*o), PROMISE_USER_VALUES);
	*o = (struct task_object){.name = name};
	promise_init(&o->promise);
	luaL_setmetatable(L, task_type);
	lua_replace(L, -2);
	return o;
}

void task_object_reserve(lua_State *L)
{
	struct script *s = script_of(L);
	if (s->spare_ref != LUA_NOREF)
		return;
	lua_pushboolean(L, 0);
	s->spare_ref = luaL_ref(L, LUA_REGISTRYINDEX);
}

void task_object_bind(lua_State *L, int index, struct task *t)
{
	struct task_object *o = lua_touserdata(L, index);
	t->promise_ref = t->script->spare_ref;
	t->script->spare_ref = LUA_NOREF;
	lua_pushvalue(L, index);
	lua_rawseti(L, LUA_REGISTRYINDEX, t->promise_ref);
	t->promise = &o->promise;
	o->handle = task_handle(t);
}

static struct task_object *check_object(lua_State *L)
{
	return luaL_checkudata(L, 1, task_type);
}

static int task_join(lua_State *L)
{
	const struct task_object *o = check_object(L);
	const struct task *t = task_of(L);
	if (t && t->promise == &o->promise)
		return luaL_error(L, "join: a task cannot wait for its own end");
	return promise_wait(L, "join");
}

static int task_cancel(lua_State *L)
{
	const struct task_object *o = check_object(L);
	struct handles *hs = &script_of(L)->host->handles;
	if (o->is_alarm) {
		alarm_cancel(hs, o->handle);
		return 0;
	}
	struct task *t = handles_get(hs, o->handle);
	if (t)
		cancel_task(t);
	return 0;
}

static int task_status(lua_State *L)
{
	static const char *const live[] = {"runnable", "running", "paused"};
	static const char *const settled[] = {"waiting", "done", "failed", "cancelled"};
	const struct task_object *o = check_object(L);
	const struct task *t =
		o->is_alarm ? NULL : handles_get(&script_of(L)->host->handles, o->handle);
	lua_pushstring(L, t && o->promise.state == PROMISE_PENDING ? live[t->state]
								   : settled[o->promise.state]);
	return 1;
}

static int task_index(lua_State *L)
{
	const struct task_object *o = check_object(L);
	lua_pushvalue(L, 2);
	if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
		return 1;
	if (lua_type(L, 2) == LUA_TSTRING && strcmp(lua_tostring(L, 2), "name") == 0)
		lua_pushstring(L, o->name);
	return 1;
}

static int task_tostring(lua_State *L)
{
	lua_pushfstring(L, "task %s", check_object(L)->name);
	return 1;
}

/* A task for the function below n arguments on top of L, which it takes; its object is to be bound
 * next. */
static struct task *task_from_stack(lua_State *L, int n, const char *what, const char *site)
{
	const struct task *parent = task_of(L);
	task_object_reserve(L);
	struct task *t = task_new(L, script_of(L), what, site);
	if (!lua_checkstack(t->T, n + 1)) {
		task_drop(t);
		luaL_error(L, "%s: too many arguments", what);
	}
	t->is_connect = lua_tocfunction(L, -n - 1) == lib_connect;
	if (parent) {
		t->net = parent->net;
		t->number = parent->number;
		t->is_told = parent->is_told;
	}
	lua_xmove(L, t->T, n + 1);
	return t;
}

static int lib_spawn(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TFUNCTION);
	int n = lua_gettop(L) - 1;
	if (slice_now->n_spawned++ >= script_of(L)->limits.spawns_max)
		return luaL_error(L, "spawn: more than %d tasks without a pause between them",
			(int)script_of(L)->limits.spawns_max);
	const char *site = script_site(L, 1);
	task_object_push(L, "spawn", site);
	lua_insert(L, 1);
	struct task *t = task_from_stack(L, n, "spawn", site);
	task_object_bind(L, 1, t);
	task_enqueue(t);
	return 1;
}

/* Tasks of all and race; a userdata at index 1 of their parent's stack, their objects above it. */
struct group {
	struct task *parent;
	const char *who, *site;
	bool is_race;
	int n, n_alive;
	int decided;  /* the child that won, or failed first, counted from 1; 0: none yet */
	bool is_told; /* its error was logged */
	struct child {
		struct group *group;
		struct handle handle;
	} children[];
};

static void cancel_children(struct task *parent)
{
	struct group *g = parent->source;
	for (int i = 0; i < g->n; i++) {
		struct task *t = handles_get(&parent->script->host->handles, g->children[i].handle);
		if (!t)
			continue;
		t->is_awaited = false; /* an error of its own is told by nobody else */
		cancel_task(t);
	}
}

static const struct wait group_wait = {NULL, cancel_children};

static void on_child_ended(struct task *t, void *data)
{
	const struct child *c = data;
	struct group *g = c->group;
	enum promise_state state = t->promise->state;
	g->n_alive--;
	if (!g->decided && (g->is_race || state != PROMISE_DONE)) {
		g->decided = (int)(c - g->children) + 1;
		g->is_told = !t->is_awaited;
		cancel_children(g->parent);
	}
	if (g->n_alive == 0)
		task_wake(g->parent, WAKE_DONE);
}

/* The first result of each. */
static int push_all_results(lua_State *L, const struct group *g)
{
	luaL_checkstack(L, g->n + 1, "too many results");
	int first = lua_gettop(L) + 1;
	for (int i = 0; i < g->n; i++) {
		lua_getiuservalue(L, 2 + i, 1);
		lua_rawgeti(L, -1, 1);
		lua_remove(L, -2);
	}
	return lua_gettop(L) - first + 1;
}

/* The error that decided, which would be raised if its parent were not cancelled meanwhile. */
static void log_lost(lua_State *L, const struct group *g)
{
	const struct task_object *o = g->decided ? lua_touserdata(L, 1 + g->decided) : NULL;
	if (!o || o->promise.state != PROMISE_FAILED || g->is_told ||
		!trouble_is_told(script_of(L)))
		return;
	lua_getiuservalue(L, 1 + g->decided, 1);
	lua_getiuservalue(L, 1 + g->decided, 2);
	luaL_tolstring(L, -2, NULL);
	log_error("script %s: %s: %s%s%s", script_of(L)->name, o->name, lua_tostring(L, -1),
		lua_isstring(L, -2) ? "\n" : "", lua_isstring(L, -2) ? lua_tostring(L, -2) : "");
}

static int after_group(lua_State *L, int status, lua_KContext context)
{
	const struct task *t = task_resumed(L);
	const struct group *g = lua_touserdata(L, 1);
	(void)status;
	(void)context;
	if (cancel_is_due(t)) {
		log_lost(L, g);
		return cancel_raise(L);
	}
	if (!g->decided)
		return push_all_results(L, g);
	lua_pushvalue(L, 1 + g->decided);
	lua_replace(L, 1);
	return promise_push_results(L);
}

/* The task of function i, whose object takes the function's place; it is not started yet. */
static void make_child(lua_State *L, struct group *g, int i)
{
	task_object_push(L, g->who, g->site);
	lua_pushvalue(L, 2 + i);
	struct task *t = task_from_stack(L, 0, g->who, g->site);
	task_object_bind(L, lua_gettop(L), t);
	lua_replace(L, 2 + i);
	g->children[i] = (struct child){g, task_handle(t)};
}

/* The group and the functions become the group and the objects. */
static int make_children(lua_State *L)
{
	struct group *g = lua_touserdata(L, 1);
	for (int i = 0; i < g->n; i++)
		make_child(L, g, i);
	return g->n + 1;
}

/* Where not all of them can be made. */
static void drop_children(const struct group *g)
{
	struct handles *hs = &g->parent->script->host->handles;
	for (int i = 0; i < g->n; i++) {
		struct task *t = handles_get(hs, g->children[i].handle);
		if (t)
			task_drop(t);
	}
}

static void start_children(struct group *g)
{
	for (int i = 0; i < g->n; i++) {
		struct task *t =
			handles_get(&g->parent->script->host->handles, g->children[i].handle);
		t->ended = on_child_ended;
		t->ended_data = &g->children[i];
		t->is_awaited = true;
		task_enqueue(t);
	}
}

/* all(fn, …) and race(fn, …): the parent goes on when all of them are dead. */
static int together(lua_State *L, const char *who, bool is_race)
{
	struct task *t = task_check(L, who);
	int n = lua_gettop(L);
	for (int i = 1; i <= n; i++)
		luaL_checktype(L, i, LUA_TFUNCTION);
	if (n == 0)
		return is_race ? luaL_error(L, "race: a function at least is expected") : 0;
	struct group *g = lua_newuserdatauv(L, sizeof(*g) + (size_t)n * sizeof(struct child), 0);
	memset(g, 0, sizeof(*g) + (size_t)n * sizeof(struct child));
	*g = (struct group){.parent = t, .who = who, .is_race = is_race, .n = n, .n_alive = n};
	g->site = script_site(L, 1);
	lua_insert(L, 1);
	lua_pushvalue(L, 1);
	lua_pushcfunction(L, make_children);
	lua_rotate(L, 1, 2); /* so that it is there also when the call fails */
	if (lua_pcall(L, n + 1, n + 1, 0) != LUA_OK) {
		drop_children(g);
		return lua_error(L);
	}
	lua_remove(L, 1);
	start_children(g);
	t->source = g;
	t->wait = &group_wait;
	return task_pause(L, -1, after_group);
}

static int lib_all(lua_State *L)
{
	return together(L, "all", false);
}

static int lib_race(lua_State *L)
{
	return together(L, "race", true);
}

/* Stack: the scope, the message handler, then results or an error. */
static int after_scope(lua_State *L, int status, lua_KContext context)
{
	struct scope *s = lua_touserdata(L, 1);
	(void)context;
	scope_leave(s);
	if (status == LUA_OK || status == LUA_YIELD)
		return lua_gettop(L) - 2;
	bool is_own = s->is_cancelled && cancel_is(L, -1) && !cancel_is_due(s->task);
	if (!is_own)
		return lua_error(L);
	lua_pushnil(L);
	lua_pushliteral(L, "timeout");
	return 2;
}

/* Calls the function at index 1 with the arguments above it within a scope. */
static int in_scope(lua_State *L, bool is_shield, int64_t at_ns)
{
	int n = lua_gettop(L) - 1;
	struct scope *s = lua_newuserdatauv(L, sizeof(*s), 0);
	lua_insert(L, 1);
	lua_pushcfunction(L, vm_traceback);
	lua_insert(L, 2);
	scope_enter(s, L, is_shield, at_ns);
	return after_scope(L, lua_pcallk(L, n, LUA_MULTRET, 2, 0, after_scope), 0);
}

static int lib_timeout(lua_State *L)
{
	task_check(L, "timeout");
	int64_t at_ns = lib_deadline(L, 1, "timeout");
	if (at_ns < 0)
		return luaL_error(L, "timeout: a number of seconds expected");
	luaL_checktype(L, 2, LUA_TFUNCTION);
	lua_remove(L, 1);
	return in_scope(L, false, at_ns);
}

/* Entered also when the task is cancelled: this is where it may still pause. */
static int lib_shield(lua_State *L)
{
	const struct task *t = task_of(L);
	luaL_checktype(L, 1, LUA_TFUNCTION);
	if (!t)
		return luaL_error(L, "shield: there is no task here");
	return in_scope(L, cancel_may_shield(t), -1);
}

static int lib_defer(lua_State *L)
{
	struct task *t = task_of(L);
	luaL_checktype(L, 1, LUA_TFUNCTION);
	if (!t)
		return luaL_error(L, "defer: there is no task here");
	lua_settop(L, 1);
	task_defer(L, t);
	return 0;
}

void lib_open_task(lua_State *L)
{
	static const luaL_Reg metamethods[] = {
		{"__tostring", task_tostring},
                {NULL,         NULL         }
        };
	static const luaL_Reg methods[] = {
		{"join",   task_join  },
                {"cancel", task_cancel},
                {"status", task_status},
		{NULL,     NULL       }
        };
	static const luaL_Reg functions[] = {
		{"spawn",   lib_spawn  },
                {"all",     lib_all    },
                {"race",    lib_race   },
		{"timeout", lib_timeout},
                {"shield",  lib_shield },
                {"defer",   lib_defer  },
		{NULL,      NULL       }
        };
	cancel_open(L);
	modules_define(L, task_type, metamethods, task_index, methods);
	modules_export_all(L, functions);
}
