#include "script/alarm.h"
#include "script/host.h"
#include "script/modules.h"
#include "script/task.h"

/* sleep, spawn, after and every. */

int64_t lib_check_seconds(lua_State *L, int index, const char *who)
{
	if (lua_type(L, index) != LUA_TNUMBER)
		luaL_error(L, "%s: a number of seconds expected, got %s", who,
			luaL_typename(L, index));
	lua_Number seconds = lua_tonumber(L, index);
	if (!(seconds >= 0))
		luaL_error(L, "%s: %f seconds is no time to wait", who, seconds);
	return clock_from_seconds(seconds);
}

static int after_sleep(lua_State *L, int status, lua_KContext context)
{
	(void)L;
	(void)status;
	(void)context;
	return 0;
}

static int lib_sleep(lua_State *L)
{
	const struct task *t = task_check(L, "sleep");
	int64_t now_ns = t->script->host->options.timers->now_ns;
	return task_pause(L, now_ns + lib_check_seconds(L, 1, "sleep"), after_sleep);
}

static const char task_type[] = "ebb.task";

/* The object of a task, or of an alarm: it names it, whether it still is or not. */
static void push_object(lua_State *L, const char *name)
{
	const char **place = lua_newuserdatauv(L, sizeof(*place), 0);
	*place = name;
	luaL_setmetatable(L, task_type);
}

static int object_index(lua_State *L)
{
	const char **place = luaL_checkudata(L, 1, task_type);
	const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
	if (str_eq(str_of(key), STR("name")))
		lua_pushstring(L, *place);
	else
		lua_pushnil(L);
	return 1;
}

static int object_tostring(lua_State *L)
{
	const char **place = luaL_checkudata(L, 1, task_type);
	lua_pushfstring(L, "task %s", *place);
	return 1;
}

static struct handle net_of(lua_State *L)
{
	const struct task *t = task_of(L);
	return t ? t->net : (struct handle){0};
}

static int lib_spawn(lua_State *L)
{
	struct script *s = script_of(L);
	luaL_checktype(L, 1, LUA_TFUNCTION);
	int n = lua_gettop(L);
	const char *site = script_site(L, 1);
	lua_pushfstring(L, "spawn %s", site ? site : "?");
	const char *name = script_intern(s, lua_tostring(L, -1));
	push_object(L, name);
	lua_replace(L, -2);
	lua_insert(L, 1);
	struct task *t = task_new(L, s, "spawn", site);
	if (!lua_checkstack(t->T, n)) {
		task_drop(t);
		return luaL_error(L, "spawn: too many arguments");
	}
	t->is_connect = lua_tocfunction(L, 2) == lib_connect;
	t->net = net_of(L);
	lua_xmove(L, t->T, n);
	task_enqueue(t);
	return 1;
}

/* after(seconds, fn, …) and every(seconds, fn, …). */
static int start_alarm(lua_State *L, const char *who, bool is_repeated)
{
	int64_t delay_ns = lib_check_seconds(L, 1, who);
	luaL_checktype(L, 2, LUA_TFUNCTION);
	if (is_repeated && delay_ns < ALARM_PERIOD_MIN_NS)
		return luaL_error(L, "%s: a period of a millisecond at least is expected", who);
	struct alarm_options o = {.what = who,
		.delay_ns = delay_ns,
		.is_repeated = is_repeated,
		.net = net_of(L),
		.site = script_site(L, 1)};
	o.is_connect = lua_tocfunction(L, 2) == lib_connect;
	lua_remove(L, 1);
	lua_pushfstring(L, "%s %s", who, o.site ? o.site : "?");
	const char *name = script_intern(script_of(L), lua_tostring(L, -1));
	lua_pop(L, 1);
	alarm_new(L, &o);
	push_object(L, name);
	return 1;
}

static int lib_after(lua_State *L)
{
	return start_alarm(L, "after", false);
}

static int lib_every(lua_State *L)
{
	return start_alarm(L, "every", true);
}

void lib_open_time(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"sleep", lib_sleep},
                {"spawn", lib_spawn},
                {"after", lib_after},
		{"every", lib_every},
                {NULL,    NULL     }
        };
	static const luaL_Reg metamethods[] = {
		{"__tostring", object_tostring},
                {NULL,         NULL           }
        };
	static const luaL_Reg methods[] = {
		{NULL, NULL}
        };
	modules_define(L, task_type, metamethods, object_index, methods);
	modules_export_all(L, functions);
}
