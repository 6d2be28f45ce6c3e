#include "script/sandbox.h"

#include "base/attr.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdbool.h>
#include <string.h>

static void remove_field(lua_State *L, const char *library, const char *name)
{
	lua_getglobal(L, library);
	lua_pushnil(L);
	lua_setfield(L, -2, name);
	lua_pop(L, 1);
}

/* load as it was, upvalue 1, but for text only and in the script's own globals. */
static int load_text(lua_State *L)
{
	bool has_env = lua_gettop(L) >= 4;
	const char *mode = luaL_optstring(L, 3, "t");
	if (!strchr(mode, 't')) {
		lua_pushnil(L);
		lua_pushliteral(L, "load: only text chunks are loaded");
		return 2;
	}
	lua_settop(L, has_env ? 4 : 3);
	lua_pushliteral(L, "t");
	lua_replace(L, 3);
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
	return lua_gettop(L);
}

/* setmetatable as it was, upvalue 1, but without finalizers: they would run where no script can.
 * Lua looks for __gc only here. */
static int set_metatable(lua_State *L)
{
	if (lua_istable(L, 2)) {
		lua_pushliteral(L, "__gc");
		if (lua_rawget(L, 2) != LUA_TNIL)
			return luaL_error(L, "setmetatable: __gc is not for scripts (use __close)");
		lua_pop(L, 1);
	}
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
	return lua_gettop(L);
}

/* The collector as it was, upvalue 1, but its mode is the daemon's. */
static int collect(lua_State *L)
{
	static const char *const options[] = {"collect", "count", "step", NULL};
	luaL_checkoption(L, 1, "collect", options);
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
	return lua_gettop(L);
}

/* Puts fn in the place of a global, which becomes its upvalue. */
static void wrap_global(lua_State *L, const char *name, lua_CFunction fn)
{
	lua_getglobal(L, name);
	lua_pushcclosure(L, fn, 1);
	lua_setglobal(L, name);
}

static void hide_string_metatable(lua_State *L)
{
	lua_pushliteral(L, "");
	lua_getmetatable(L, -1);
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 2);
}

void sandbox_open(lua_State *L)
{
	static const luaL_Reg libraries[] = {
		{LUA_GNAME,       luaopen_base  },
		{LUA_TABLIBNAME,  luaopen_table },
		{LUA_STRLIBNAME,  luaopen_string},
		{LUA_MATHLIBNAME, luaopen_math  },
		{LUA_UTF8LIBNAME, luaopen_utf8  },
	};
	for (size_t i = 0; i < COUNTOF(libraries); i++) {
		luaL_requiref(L, libraries[i].name, libraries[i].func, 1);
		lua_pop(L, 1);
	}
	lua_pushnil(L);
	lua_setfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
	remove_field(L, LUA_GNAME, "dofile");
	remove_field(L, LUA_GNAME, "loadfile");
	remove_field(L, LUA_STRLIBNAME, "dump");
	wrap_global(L, "load", load_text);
	wrap_global(L, "collectgarbage", collect);
	wrap_global(L, "setmetatable", set_metatable);
	hide_string_metatable(L);
}
