#include "script/sandbox.h"

#include "base/attr.h"
#include "script/host.h"
#include "script/lib_state.h"

#include <lauxlib.h>
#include <lualib.h>

static void remove_field(lua_State *L, const char *library, const char *name)
{
	lua_getglobal(L, library);
	lua_pushnil(L);
	lua_setfield(L, -2, name);
	lua_pop(L, 1);
}

static int get_metatable(lua_State *L)
{
	luaL_checkany(L, 1);
	state_leave_globals(L, 1);
	if (!lua_getmetatable(L, 1))
		lua_pushnil(L);
	else
		luaL_getmetafield(L, 1, "__metatable");
	return 1;
}

/* setmetatable without finalizers for who is not trusted: they would run where nothing can stop
 * them. Lua looks for __gc only here. */
static int set_metatable(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	state_leave_globals(L, 1);
	luaL_argexpected(L, lua_isnil(L, 2) || lua_istable(L, 2), 2, "nil or table");
	if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
		return luaL_error(L, "setmetatable: the metatable is protected");
	lua_settop(L, 2);
	if (lua_istable(L, 2) && script_of(L)->limits.trust != TRUST_FULL) {
		lua_pushliteral(L, "__gc");
		if (lua_rawget(L, 2) != LUA_TNIL)
			return luaL_error(L, "setmetatable: __gc is not for scripts (use __close)");
		lua_pop(L, 1);
	}
	lua_setmetatable(L, 1);
	return 1;
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
	wrap_global(L, "collectgarbage", collect);
	lua_register(L, "getmetatable", get_metatable);
	lua_register(L, "setmetatable", set_metatable);
	hide_string_metatable(L);
}
