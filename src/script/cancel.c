#include "script/cancel.h"

#include "base/log.h"
#include "base/mem.h"
#include "script/host.h"
#include "script/pending.h"
#include "script/retire.h"
#include "script/slice.h"
#include "script/task.h"

#include <lauxlib.h>
#include <stdlib.h>

static const char sentinel, stopped; /* their addresses are the registry's keys */

int cancel_raise(lua_State *L)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &sentinel);
	return lua_error(L);
}

void cancel_push_stopped(lua_State *L)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &stopped);
}

bool cancel_is(lua_State *L, int index)
{
	if (lua_type(L, index) != LUA_TUSERDATA)
		return false;
	index = lua_absindex(L, index);
	lua_rawgetp(L, LUA_REGISTRYINDEX, &sentinel);
	bool is = lua_rawequal(L, index, -1);
	lua_pop(L, 1);
	return is;
}

bool cancel_is_due(const struct task *t)
{
	for (const struct scope *s = t->scope; s; s = s->outer) {
		if (s->is_cancelled)
			return true;
		if (s->is_shield)
			return false;
	}
	return t->is_cancelled;
}

/* A task that waits for others passes the word on, and is woken when they are gone. */
static void tell(struct task *t)
{
	if (t->state != TASK_PAUSED || !cancel_is_due(t))
		return;
	if (t->wait && t->wait->cancel)
		t->wait->cancel(t);
	else
		task_wake(t, WAKE_CANCEL);
}

bool cancel_passes(lua_State *L, int index)
{
	if (slice_is_stopping())
		return true;
	const struct task *t = task_of(L);
	return t && cancel_is(L, index) && cancel_is_due(t);
}

struct grace {
	struct timer timer;
	struct task *task;
	bool is_over; /* no shield begins any more */
};

/* Whether it may take longer: who it waits for has a limit of its own, its turn is still to come,
 * or it is within its last shield. */
static bool may_take_longer(struct task *t)
{
	if (t->state == TASK_RUNNABLE || (t->wait && t->wait->cancel))
		return true;
	t->grace->is_over = true;
	return !cancel_is_due(t);
}

bool cancel_may_shield(const struct task *t)
{
	return !t->grace || !t->grace->is_over;
}

static void on_grace(struct timer *timer)
{
	struct task *t = container_of(timer, struct grace, timer)->task;
	struct timers *timers = t->script->host->options.timers;
	char where[PENDING_TEXT_BYTES];
	if (may_take_longer(t)) {
		timers_after(timers, timer, CANCEL_GRACE_NS);
		return;
	}
	pending_describe(t, where, sizeof(where));
	log_warn("%s: cancelled, and still there %d s later: stopped", where,
		(int)(CANCEL_GRACE_NS / NS_PER_S));
	task_stop(t);
}

static void give_grace(struct task *t)
{
	t->grace = mem_new(sizeof(*t->grace));
	t->grace->task = t;
	t->grace->timer.fire = on_grace;
	timers_after(t->script->host->options.timers, &t->grace->timer, CANCEL_GRACE_NS);
}

void cancel_forget(struct task *t)
{
	if (!t->grace)
		return;
	timers_cancel(t->script->host->options.timers, &t->grace->timer);
	free(t->grace);
	t->grace = NULL;
}

void cancel_task(struct task *t)
{
	if (t->is_cancelled)
		return;
	t->is_cancelled = true;
	if (t->state == TASK_RUNNABLE && !t->has_started) {
		task_end_unstarted(t);
		return;
	}
	give_grace(t);
	tell(t);
}

static void on_deadline(struct timer *timer)
{
	struct scope *s = container_of(timer, struct scope, deadline);
	s->is_cancelled = true;
	tell(s->task);
}

void scope_enter(struct scope *s, lua_State *L, bool is_shield, int64_t at_ns)
{
	struct task *t = task_of(L);
	*s = (struct scope){.outer = t->scope,
		.task = t,
		.L = L,
		.is_shield = is_shield,
		.deadline.fire = on_deadline};
	t->scope = s;
	if (at_ns >= 0)
		timers_set(t->script->host->options.timers, &s->deadline, at_ns);
}

void scope_leave(struct scope *s)
{
	struct task *t = s->task;
	timers_cancel(t->script->host->options.timers, &s->deadline);
	t->scope = s->outer;
}

void scope_leave_all(struct task *t)
{
	while (t->scope)
		scope_leave(t->scope);
}

static int after_pcall(lua_State *L, int status, lua_KContext context)
{
	(void)context;
	if (status == LUA_OK || status == LUA_YIELD)
		return lua_gettop(L);
	if (cancel_passes(L, -1))
		return lua_error(L);
	lua_pushboolean(L, 0);
	lua_insert(L, -2);
	return 2;
}

static int safe_pcall(lua_State *L)
{
	luaL_checkany(L, 1);
	lua_pushboolean(L, 1);
	lua_insert(L, 1);
	return after_pcall(L, lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, after_pcall), 0);
}

/* The script's handler, upvalue 1, is not asked about a cancellation. */
static int handle_error(lua_State *L)
{
	lua_settop(L, 1);
	if (cancel_passes(L, 1))
		return 1;
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, 1, 1);
	return 1;
}

/* Stack: the handler, true, then the results. */
static int after_xpcall(lua_State *L, int status, lua_KContext context)
{
	(void)context;
	if (status == LUA_OK || status == LUA_YIELD)
		return lua_gettop(L) - 1;
	return after_pcall(L, status, 0);
}

static int safe_xpcall(lua_State *L)
{
	luaL_checktype(L, 2, LUA_TFUNCTION);
	int n = lua_gettop(L) - 2;
	lua_pushvalue(L, 2);
	lua_pushcclosure(L, handle_error, 1);
	lua_replace(L, 2);
	lua_pushboolean(L, 1);
	lua_pushvalue(L, 1);
	lua_remove(L, 1);    /* handler, arguments, true, function */
	lua_rotate(L, 2, 2); /* handler, true, function, arguments */
	return after_xpcall(L, lua_pcallk(L, n, LUA_MULTRET, 1, 0, after_xpcall), 0);
}

static int sentinel_tostring(lua_State *L)
{
	const char *reason = retire_reason(script_of(L));
	lua_pushfstring(L, "cancelled%s%s", reason ? ": " : "", reason ? reason : "");
	return 1;
}

void cancel_open(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"pcall",  safe_pcall },
                {"xpcall", safe_xpcall},
                {NULL,     NULL       }
        };
	lua_newuserdatauv(L, 0, 0);
	lua_createtable(L, 0, 2);
	lua_pushcfunction(L, sentinel_tostring);
	lua_setfield(L, -2, "__tostring");
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_setmetatable(L, -2);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &sentinel);
	lua_pushliteral(L, "stopped: it used up what a script may (the log says where)");
	lua_rawsetp(L, LUA_REGISTRYINDEX, &stopped);
	lua_pushglobaltable(L);
	luaL_setfuncs(L, functions, 0);
	lua_pop(L, 1);
}
