#include "base/log.h"
#include "script/host.h"
#include "script/modules.h"

/* log, log.debug … log.error, and print. */

static void write_line(lua_State *L, enum log_level level)
{
	log_write(level, "script %s: %s", script_of(L)->name, luaL_tolstring(L, -1, NULL));
}

/* fmt and its arguments as string.format has them, upvalue 1; text alone is taken as it is. */
static int format(lua_State *L, enum log_level level)
{
	luaL_checkany(L, 1);
	if (!log_is_on(level))
		return 0;
	if (lua_gettop(L) > 1) {
		lua_pushvalue(L, lua_upvalueindex(1));
		lua_insert(L, 1);
		lua_call(L, lua_gettop(L) - 1, 1);
	}
	write_line(L, level);
	return 0;
}

static int log_at_debug(lua_State *L)
{
	return format(L, LOG_DEBUG);
}

static int log_at_info(lua_State *L)
{
	return format(L, LOG_INFO);
}

static int log_at_warning(lua_State *L)
{
	return format(L, LOG_WARNING);
}

static int log_at_error(lua_State *L)
{
	return format(L, LOG_ERROR);
}

/* log(text): the table itself is the first argument. */
static int call_log(lua_State *L)
{
	luaL_checkany(L, 2);
	lua_settop(L, 2);
	write_line(L, LOG_INFO);
	return 0;
}

static int lib_print(lua_State *L)
{
	luaL_Buffer b;
	int n = lua_gettop(L);
	luaL_buffinit(L, &b);
	for (int i = 1; i <= n; i++) {
		if (i > 1)
			luaL_addchar(&b, '\t');
		luaL_tolstring(L, i, NULL);
		luaL_addvalue(&b);
	}
	luaL_pushresult(&b);
	write_line(L, LOG_INFO);
	return 0;
}

void lib_open_log(lua_State *L)
{
	static const luaL_Reg levels[] = {
		{"debug", log_at_debug  },
                {"info",  log_at_info   },
                {"warn",  log_at_warning},
		{"error", log_at_error  },
                {NULL,    NULL          }
        };
	luaL_newlibtable(L, levels);
	lua_getglobal(L, "string");
	lua_getfield(L, -1, "format");
	lua_remove(L, -2);
	luaL_setfuncs(L, levels, 1);
	lua_createtable(L, 0, 2);
	lua_pushcfunction(L, call_log);
	lua_setfield(L, -2, "__call");
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_setmetatable(L, -2);
	modules_export(L, "log");
	lua_pushcfunction(L, lib_print);
	lua_setglobal(L, "print");
}
