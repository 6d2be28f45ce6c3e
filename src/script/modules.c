#include "script/modules.h"

#include "script/coroutine.h"
#include "script/forms.h"
#include "script/listen.h"
#include "script/require.h"
#include "script/sandbox.h"
#include "script/sieve.h"

/* In this order: what a library uses stands before it. */
static void (*const libraries[])(lua_State *L) = {
	sandbox_open,
	coroutine_open,
	lib_open_table,
	lib_open_string,
	lib_open_load,
	lib_open_log,
	lib_open_os,
	lib_open_io,
	lib_open_debug,
	require_open,
	lib_open_irc,
	lib_open_channel,
	lib_open_user,
	forms_open,
	lib_open_sieve,
	lib_open_event,
	lib_open_listen,
	lib_open_task,
	lib_open_sync,
	lib_open_time,
	lib_open_state,
};

void modules_export(lua_State *L, const char *name)
{
	luaL_getsubtable(L, LUA_REGISTRYINDEX, "ebb");
	lua_pushvalue(L, -2);
	lua_setfield(L, -2, name);
	lua_pop(L, 1);
	lua_setglobal(L, name);
}

void modules_export_all(lua_State *L, const luaL_Reg *functions)
{
	for (const luaL_Reg *f = functions; f->name; f++) {
		lua_pushcfunction(L, f->func);
		modules_export(L, f->name);
	}
}

void modules_define(lua_State *L, const char *type, const luaL_Reg *metamethods,
	lua_CFunction index, const luaL_Reg *methods)
{
	luaL_newmetatable(L, type);
	luaL_setfuncs(L, metamethods, 0);
	lua_newtable(L);
	luaL_setfuncs(L, methods, 0);
	lua_pushcclosure(L, index, 1);
	lua_setfield(L, -2, "__index");
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 1);
}

void modules_open(lua_State *L)
{
	for (size_t i = 0; i < COUNTOF(libraries); i++)
		libraries[i](L);
	luaL_getsubtable(L, LUA_REGISTRYINDEX, "ebb");
	lua_setglobal(L, "ebb");
}
