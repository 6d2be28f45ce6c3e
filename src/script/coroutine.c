#include "script/coroutine.h"

#include "base/attr.h"
#include "base/mem.h"
#include "script/cancel.h"
#include "script/modules.h"
#include "script/slice.h"
#include "script/task.h"

#include <lauxlib.h>

enum { CLOSE_DEPTH_MAX = 40, CHAIN_STEP = 8 };

/* What a coroutine is to L. */
enum state { STATE_RUNNING, STATE_NORMAL, STATE_SUSPENDED, STATE_DEAD };

static const char *const state_names[] = {"running", "normal", "suspended", "dead"};

static lua_State *check_thread(lua_State *L)
{
	lua_State *co = lua_tothread(L, 1);
	luaL_argexpected(L, co, 1, "thread");
	return co;
}

/* Paused, with its task, in sleep or wait. */
static bool is_paused(lua_State *co)
{
	return task_of(co) && lua_status(co) == LUA_YIELD;
}

static bool is_root(lua_State *co)
{
	return task_of(co) && task_of(co)->T == co;
}

static enum state state_of(lua_State *L, lua_State *co)
{
	lua_Debug ar;
	if (L == co)
		return STATE_RUNNING;
	if (is_root(co) || is_paused(co))
		return STATE_NORMAL;
	if (lua_status(co) == LUA_YIELD)
		return STATE_SUSPENDED;
	if (lua_status(co) != LUA_OK)
		return STATE_DEAD;
	if (lua_getstack(co, 0, &ar))
		return STATE_NORMAL;
	return lua_gettop(co) == 0 ? STATE_DEAD : STATE_SUSPENDED;
}

/* The chain of a task that is about to pause: each coroutine adds itself on the way out, and takes
 * itself off when the task goes on. */
static void chain_push(struct task *t, lua_State *co)
{
	if (t->n_chain % CHAIN_STEP == 0) /* as many as there were once are there still */
		t->chain = mem_resize(t->chain, t->n_chain + CHAIN_STEP, sizeof(*t->chain));
	t->chain[t->n_chain++] = co;
}

static int after_pause(lua_State *L, int status, lua_KContext is_wrap);

/* Closes what co has to close; it cannot pause there. What is closed may close others, and each
 * nests in C, which Lua 5.4.4 does not count. Returns as lua_resetthread. */
static int reset(lua_State *L, lua_State *co)
{
	struct slice_link link;
	task_set_of(co, task_of(L));
	slice_link(&link, L, co);
	slice_now->is_blocked = true;
	slice_now->n_closing++;
	int status = lua_resetthread(co);
	slice_now->n_closing--;
	slice_unlink(&link, co);
	task_set_of(co, NULL);
	return status;
}

static int add_place(lua_State *L)
{
	luaL_where(L, 1);
	lua_insert(L, -2);
	lua_concat(L, 2);
	return lua_error(L);
}

/* An error ended co, and is on top of it. What was stopped in there is left as it is. */
static int fail(lua_State *L, lua_State *co, bool is_wrap)
{
	bool passes = cancel_passes(co, -1);
	if ((passes || is_wrap) && !slice_is_stopping() && slice_now->n_closing < CLOSE_DEPTH_MAX)
		reset(L, co);
	task_set_of(co, NULL);
	if (!lua_checkstack(L, 2))
		return luaL_error(L, "stack overflow");
	lua_xmove(co, L, 1);
	if (passes)
		return lua_error(L);
	if (is_wrap)
		return lua_type(L, -1) == LUA_TSTRING ? add_place(L) : lua_error(L);
	lua_pushboolean(L, 0);
	lua_insert(L, -2);
	return 2;
}

static int refuse(lua_State *L, const char *why, bool is_wrap)
{
	lua_pushstring(L, why);
	if (is_wrap)
		return add_place(L);
	lua_pushboolean(L, 0);
	lua_insert(L, -2);
	return 2;
}

static int succeed(lua_State *L, lua_State *co, int n, bool is_wrap)
{
	if (!lua_checkstack(L, n + 1)) {
		lua_pop(co, n);
		return refuse(L, "too many results to resume", is_wrap);
	}
	if (!is_wrap)
		lua_pushboolean(L, 1);
	lua_xmove(co, L, n);
	return n + !is_wrap;
}

/* Resumes co, whose arguments are on its stack. */
static int go(lua_State *L, lua_State *co, int n_args, bool is_wrap)
{
	struct task *t = task_of(L);
	struct slice_link link;
	int n;
	task_set_of(co, t);
	slice_set_yield(YIELD_USER);
	slice_link(&link, L, co);
	int status = lua_resume(co, L, n_args, &n);
	slice_unlink(&link, co);
	if (status == LUA_YIELD && t && slice_now->yield != YIELD_USER) {
		lua_pop(co, n);
		chain_push(t, co);
		return lua_yieldk(L, 0, is_wrap, after_pause);
	}
	if (status != LUA_OK && status != LUA_YIELD)
		return fail(L, co, is_wrap);
	task_set_of(co, NULL);
	return succeed(L, co, n, is_wrap);
}

static int after_pause(lua_State *L, int status, lua_KContext is_wrap)
{
	struct task *t = task_of(L);
	(void)status;
	lua_State *co = t->chain[--t->n_chain];
	return go(L, co, 0, is_wrap);
}

/* The n_args arguments are on top of L. */
static int resume(lua_State *L, lua_State *co, int n_args, bool is_wrap)
{
	enum state state = state_of(L, co);
	if (L != co && !is_root(co) && is_paused(co) && task_of(co) != task_of(L))
		return refuse(L,
			"cannot resume coroutine: it is waiting inside sleep/wait in another task",
			is_wrap);
	if (state == STATE_DEAD)
		return refuse(L, "cannot resume dead coroutine", is_wrap);
	if (state != STATE_SUSPENDED)
		return refuse(L, "cannot resume non-suspended coroutine", is_wrap);
	if (!lua_checkstack(co, n_args))
		return refuse(L, "too many arguments to resume", is_wrap);
	lua_xmove(L, co, n_args);
	return go(L, co, n_args, is_wrap);
}

static int co_create(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TFUNCTION);
	lua_State *co = lua_newthread(L);
	task_set_of(co, NULL);
	lua_pushvalue(L, 1);
	lua_xmove(L, co, 1);
	return 1;
}

static int co_resume(lua_State *L)
{
	return resume(L, check_thread(L), lua_gettop(L) - 1, false);
}

static int call_wrapped(lua_State *L)
{
	return resume(L, lua_tothread(L, lua_upvalueindex(1)), lua_gettop(L), true);
}

static int co_wrap(lua_State *L)
{
	co_create(L);
	lua_pushcclosure(L, call_wrapped, 1);
	return 1;
}

static int co_yield (lua_State *L)
{
	const struct task *t = task_of(L);
	if (t && t->T == L)
		return luaL_error(L, "coroutine.yield outside of a coroutine (use sleep(0) to let "
				     "other tasks run)");
	if (t && t->scope && t->scope->L == L)
		return luaL_error(L, "coroutine.yield: not out of timeout or shield");
	slice_set_yield(YIELD_USER);
	return lua_yield(L, lua_gettop(L));
}

static int co_status(lua_State *L)
{
	lua_pushstring(L, state_names[state_of(L, check_thread(L))]);
	return 1;
}

static int co_running(lua_State *L)
{
	bool is_main = lua_pushthread(L) || is_root(L);
	lua_pushboolean(L, is_main);
	return 2;
}

static int co_isyieldable(lua_State *L)
{
	lua_State *co = lua_isnoneornil(L, 1) ? L : check_thread(L);
	lua_pushboolean(L, lua_isyieldable(co) && !is_root(co));
	return 1;
}

static int close_coroutine(lua_State *L, lua_State *co)
{
	if (slice_now->n_closing >= CLOSE_DEPTH_MAX)
		return luaL_error(
			L, "coroutine.close: more than %d within each other", CLOSE_DEPTH_MAX);
	if (reset(L, co) == LUA_OK) {
		lua_pushboolean(L, 1);
		return 1;
	}
	lua_pushboolean(L, 0);
	lua_xmove(co, L, 1);
	return cancel_passes(L, -1) ? lua_error(L) : 2;
}

static int co_close(lua_State *L)
{
	lua_State *co = check_thread(L);
	enum state state = state_of(L, co);
	if (L != co && !is_root(co) && is_paused(co))
		return luaL_error(L, "cannot close a coroutine that is waiting inside sleep/wait");
	if (state != STATE_DEAD && state != STATE_SUSPENDED)
		return luaL_error(L, "cannot close a %s coroutine", state_names[state]);
	return close_coroutine(L, co);
}

/* lua_resume makes the text of its own errors outside of protected code: so it is there already. */
static void keep_errors_of_resume(lua_State *L)
{
	static const char *const texts[] = {"C stack overflow",
		"cannot resume non-suspended coroutine", "cannot resume dead coroutine"};
	for (size_t i = 0; i < COUNTOF(texts); i++) {
		lua_pushstring(L, texts[i]);
		lua_rawsetp(L, LUA_REGISTRYINDEX, &texts[i]);
	}
}

void coroutine_open(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"close",       co_close      },
		{"create",      co_create     },
		{"isyieldable", co_isyieldable},
		{"resume",      co_resume     },
		{"running",     co_running    },
		{"status",      co_status     },
		{"wrap",        co_wrap       },
		{"yield",       co_yield      },
		{NULL,          NULL          },
	};
	luaL_newlib(L, functions);
	lua_setglobal(L, "coroutine");
	keep_errors_of_resume(L);
}
