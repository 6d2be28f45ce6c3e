#include "script/alarm.h"
#include "script/cron.h"
#include "script/host.h"
#include "script/lib_task.h"
#include "script/modules.h"
#include "script/task.h"

/* sleep, after, every and cron. */

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

int64_t lib_deadline(lua_State *L, int index, const char *who)
{
	if (lua_isnoneornil(L, index))
		return -1;
	return script_of(L)->host->options.timers->now_ns + lib_check_seconds(L, index, who);
}

static int after_sleep(lua_State *L, int status, lua_KContext context)
{
	task_resumed(L);
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

/* The stack holds the time, the function and its arguments. */
static int start_alarm(lua_State *L, const char *who, struct alarm_options *o)
{
	const struct task *t = task_of(L);
	luaL_checktype(L, 2, LUA_TFUNCTION);
	luaL_argcheck(L, lua_gettop(L) <= ALARM_ARGS_MAX, ALARM_ARGS_MAX, "too many arguments");
	o->what = who;
	o->site = script_site(L, 1);
	o->is_connect = lua_tocfunction(L, 2) == lib_connect;
	if (t)
		o->net = t->net;
	lua_remove(L, 1);
	task_object_push(L, who, o->site);
	alarm_new(L, o);
	return 1;
}

static int lib_after(lua_State *L)
{
	struct alarm_options o = {.delay_ns = lib_check_seconds(L, 1, "after")};
	return start_alarm(L, "after", &o);
}

static int lib_every(lua_State *L)
{
	struct alarm_options o = {
		.delay_ns = lib_check_seconds(L, 1, "every"), .is_repeated = true};
	if (o.delay_ns < ALARM_PERIOD_MIN_NS)
		return luaL_error(L, "every: a period of a millisecond at least is expected");
	return start_alarm(L, "every", &o);
}

static int lib_cron(lua_State *L)
{
	struct cron cron;
	struct err err;
	struct str spec;
	spec.p = luaL_checklstring(L, 1, &spec.n);
	if (cron_parse(spec, &cron, &err) < 0)
		return luaL_error(L, "cron: %s", err.text);
	if (cron_next(&cron, clock_wall_ns(script_of(L)->host->options.clock)) < 0)
		return luaL_error(L, "cron: '%s' never comes", spec.p);
	struct alarm_options o = {.is_repeated = true, .cron = &cron};
	return start_alarm(L, "cron", &o);
}

void lib_open_time(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"sleep", lib_sleep},
                {"after", lib_after},
                {"every", lib_every},
		{"cron",  lib_cron },
                {NULL,    NULL     }
        };
	modules_export_all(L, functions);
}
