#include "script/host.h"
#include "script/modules.h"

#include <lualib.h>

/* os.time, os.date, os.clock and os.difftime, on the clock that tests can replace. */

static lua_Integer now(lua_State *L)
{
	return clock_wall_ns(script_of(L)->host->options.clock) / NS_PER_S;
}

static int call_original(lua_State *L)
{
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
	return lua_gettop(L);
}

static int os_time(lua_State *L)
{
	if (!lua_isnoneornil(L, 1))
		return call_original(L);
	lua_pushinteger(L, now(L));
	return 1;
}

static int os_date(lua_State *L)
{
	lua_settop(L, 2);
	if (lua_isnil(L, 1)) {
		lua_pushliteral(L, "%c");
		lua_replace(L, 1);
	}
	if (lua_isnil(L, 2)) {
		lua_pushinteger(L, now(L));
		lua_replace(L, 2);
	}
	return call_original(L);
}

static int os_clock(lua_State *L)
{
	const struct host *h = script_of(L)->host;
	lua_pushnumber(L, (lua_Number)(h->options.timers->now_ns - h->start_ns) / NS_PER_S);
	return 1;
}

/* Puts the library's own function, from the table at -2, behind fn into the table on top. */
static void take(lua_State *L, const char *name, lua_CFunction fn)
{
	lua_getfield(L, -2, name);
	if (fn)
		lua_pushcclosure(L, fn, 1);
	lua_setfield(L, -2, name);
}

void lib_open_os(lua_State *L)
{
	lua_pushcfunction(L, luaopen_os);
	lua_call(L, 0, 1);
	lua_createtable(L, 0, 4);
	take(L, "time", os_time);
	take(L, "date", os_date);
	take(L, "clock", os_clock);
	take(L, "difftime", NULL);
	lua_setglobal(L, "os");
	lua_pop(L, 1);
}
