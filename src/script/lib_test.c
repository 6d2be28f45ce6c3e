#include "script/lib_test.h"

#include "base/mem.h"
#include "script/expect.h"
#include "script/host.h"
#include "script/require.h"
#include "script/sync.h"
#include "script/task.h"

#include <stdlib.h>
#include <string.h>

const char test_bot_type[] = "ebb.test.bot", test_net_type[] = "ebb.test.network",
	   test_person_type[] = "ebb.test.person";

struct trial *test_trial(lua_State *L)
{
	return script_of(L)->host->options.trial->trial;
}

int64_t test_now(lua_State *L)
{
	return test_trial(L)->loop->timers.now_ns;
}

void test_push(lua_State *L, void *object, const char *type)
{
	*(void **)lua_newuserdatauv(L, sizeof(void *), 1) = object;
	luaL_setmetatable(L, type);
}

struct str test_check_str(lua_State *L, int index)
{
	struct str s;
	s.p = luaL_checklstring(L, index, &s.n);
	return s;
}

struct str test_check_line(lua_State *L, int index)
{
	struct str s = test_check_str(L, index);
	luaL_argcheck(L, s.n <= 400, index, "the text is too long for a line (400 bytes)");
	luaL_argcheck(L, !str_has(s, '\0') && !str_has(s, '\r') && !str_has(s, '\n'), index,
		"the text has a line break or NUL");
	return s;
}

int test_settle(lua_State *L, const char *who, lua_KFunction k)
{
	struct task *t = task_check(L, who);
	waiter_push(L, &test_trial(L)->settlers, t);
	lua_insert(L, 1); /* where nobody looks for an argument */
	trial_want_quiet(test_trial(L));
	return task_pause(L, -1, k);
}

void test_settled(lua_State *L)
{
	task_resumed(L);
	lua_remove(L, 1);
}

/* t.test(name, function, [{ limit = seconds }]) */
static int define_test(lua_State *L)
{
	static const char *const known[] = {"limit", NULL};
	struct trial *t = test_trial(L);
	const char *name = luaL_checkstring(L, 1);
	luaL_checktype(L, 2, LUA_TFUNCTION);
	int64_t limit_ns = TRIAL_LIMIT_NS;
	lua_settop(L, 3);
	if (!lua_isnil(L, 3)) {
		luaL_checktype(L, 3, LUA_TTABLE);
		test_check_keys(L, 3, known, "t.test");
		if (test_raw_field(L, 3, "limit") != LUA_TNIL)
			limit_ns = lib_check_seconds(L, -1, "t.test: limit");
	}
	if (t->is_closed)
		return luaL_error(L, "t.test: a test cannot be defined while one runs");
	lua_settop(L, 2);
	int ref = luaL_ref(L, LUA_REGISTRYINDEX);
	t->tests = mem_resize(t->tests, t->n_tests + 1, sizeof(*t->tests));
	t->tests[t->n_tests++] = (struct trial_test){mem_strdup(name), ref, limit_ns};
	return 0;
}

static int after_settle(lua_State *L, int status, lua_KContext context)
{
	(void)status;
	(void)context;
	test_settled(L);
	return 0;
}

static int lib_settle(lua_State *L)
{
	return test_settle(L, "t.settle", after_settle);
}

static int after_advance(lua_State *L, int status, lua_KContext context)
{
	(void)status;
	(void)context;
	task_resumed(L);
	lua_settop(L, 0);
	return lib_settle(L);
}

/* t.advance(seconds): what is due by then has happened when it returns. */
static int lib_advance(lua_State *L)
{
	task_check(L, "t.advance");
	return task_pause(L, test_now(L) + lib_check_seconds(L, 1, "t.advance"), after_advance);
}

/* t.suspend(seconds): the machine sleeps; what follows at once has happened when it returns. */
static int lib_suspend(lua_State *L)
{
	struct virtual_clock *clock = test_trial(L)->loop->clock->is_virtual;
	task_check(L, "t.suspend");
	virtual_clock_sleep(clock, lib_check_seconds(L, 1, "t.suspend"));
	lua_settop(L, 0);
	return lib_settle(L);
}

static int lib_now(lua_State *L)
{
	lua_pushnumber(L, trial_seconds(test_trial(L), test_now(L)));
	return 1;
}

/* t.logged(pattern): the next line of the log that matches and was not taken before, or nil. */
static int after_log(lua_State *L, int status, lua_KContext context)
{
	(void)status;
	(void)context;
	test_settled(L);
	list_each (node, &test_trial(L)->log) {
		struct trial_entry *e = container_of(node, struct trial_entry, node);
		if (e->is_read)
			continue;
		lua_settop(L, 1);
		lua_pushstring(L, e->text);
		if (lib_match(L, 2, 1) == 0)
			continue;
		e->is_read = true;
		lua_pushstring(L, e->text);
		return 1;
	}
	return 0;
}

static int lib_logged(lua_State *L)
{
	luaL_checkstring(L, 1);
	lua_settop(L, 1);
	return test_settle(L, "t.logged", after_log);
}

static int lib_network(lua_State *L)
{
	lua_settop(L, 1);
	test_make_net(L);
	return 1;
}

void lib_open_test(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"test",    define_test  },
		{"bot",     test_make_bot},
		{"network", lib_network  },
		{"expect",  expect_value },
		{"advance", lib_advance  },
		{"suspend", lib_suspend  },
		{"settle",  lib_settle   },
		{"now",     lib_now      },
		{"logged",  lib_logged   },
		{NULL,      NULL         },
	};
	test_open_bots(L);
	test_open_nets(L);
	test_open_people(L);
	expect_open(L);
	luaL_newlib(L, functions);
	require_preload(L, "ebb.test");
}
