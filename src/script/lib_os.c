#include "script/host.h"
#include "script/modules.h"

#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FORMAT_MAX_BYTES = 4096 }; /* of a date: each part of it takes its time */

/* os.time, os.date, os.clock and os.difftime, on the clock that tests can replace; what there is of
 * the environment; and for trusted scripts remove and rename. */

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
	size_t n;
	lua_settop(L, 2);
	luaL_optlstring(L, 1, "", &n);
	luaL_argcheck(L, n <= FORMAT_MAX_BYTES, 1, "the format is too long");
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

static bool is_among(const char *name, const char *const *names)
{
	while (*names && strcmp(*names, name) != 0)
		names++;
	return *names;
}

static int os_getenv(lua_State *L)
{
	static const char *const harmless[] = {"TZ", "LANG", "HOME", NULL};
	lua_pushstring(
		L, is_among(luaL_checkstring(L, 1), harmless) ? getenv(lua_tostring(L, 1)) : NULL);
	return 1;
}

/* What the service manager hands to ebb alone is not for scripts. */
static int os_getenv_trusted(lua_State *L)
{
	struct str name = str_of(luaL_checkstring(L, 1));
	bool is_hidden =
		str_starts(name, STR("CREDENTIALS_")) || str_eq(name, STR("NOTIFY_SOCKET"));
	lua_pushstring(L, is_hidden ? NULL : getenv(name.p));
	return 1;
}

static int os_remove(lua_State *L)
{
	const char *path = lib_push_path(L, 1, "os.remove");
	int refused = lib_refuse_under_check(L, path);
	return refused ? refused : luaL_fileresult(L, remove(path) == 0, path);
}

static int os_rename(lua_State *L)
{
	const char *from = lib_push_path(L, 1, "os.rename");
	const char *to = lib_push_path(L, 2, "os.rename");
	int refused = lib_refuse_under_check(L, from);
	return refused ? refused : luaL_fileresult(L, rename(from, to) == 0, from);
}

static int os_exit(lua_State *L)
{
	return luaL_error(L, "os.exit: a script cannot end ebb; to end a task, use error");
}

static int os_execute(lua_State *L)
{
	return luaL_error(
		L, "os.execute: is not for scripts: all of ebb would wait for the program");
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
	static const luaL_Reg of_all[] = {
		{"getenv", os_getenv},
                {NULL,     NULL     }
        };
	static const luaL_Reg of_trusted[] = {
		{"getenv",  os_getenv_trusted},
		{"remove",  os_remove        },
		{"rename",  os_rename        },
		{"exit",    os_exit          },
		{"execute", os_execute       },
		{NULL,      NULL             },
	};
	lua_pushcfunction(L, luaopen_os);
	lua_call(L, 0, 1);
	lua_createtable(L, 0, 9);
	take(L, "time", os_time);
	take(L, "date", os_date);
	take(L, "clock", os_clock);
	take(L, "difftime", NULL);
	luaL_setfuncs(L, script_of(L)->limits.trust == TRUST_FULL ? of_trusted : of_all, 0);
	lua_setglobal(L, "os");
	lua_pop(L, 1);
}
