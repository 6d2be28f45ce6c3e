#include "script/host.h"
#include "script/modules.h"

#include <limits.h>
#include <lualib.h>
#include <string.h>

/* debug.traceback; and for trusted scripts getinfo and getlocal, which only read. Neither shows
 * what C keeps on a stack, nor a C function that it finds there: with these a script could take
 * ebb apart. */

/* The thread at index 1, where there is one; *arg counts the arguments before the others. */
static lua_State *thread_of(lua_State *L, int *arg)
{
	*arg = lua_isthread(L, 1);
	return *arg ? lua_tothread(L, 1) : L;
}

/* Leaves out the function on level's C frames. Upvalue: Lua's own getinfo. */
static int get_info(lua_State *L)
{
	int arg;
	const lua_State *of = thread_of(L, &arg);
	const char *options = luaL_optstring(L, arg + 2, "SlnrutLf");
	luaL_argcheck(L, options[strspn(options, "SlnrutLf")] == '\0', arg + 2,
		"some of S l n r u t L f expected");
	bool is_level = !lua_isfunction(L, arg + 1);
	lua_Integer level = is_level ? luaL_checkinteger(L, arg + 1) : 0;
	if (level < 0 || level >= INT_MAX) {
		lua_pushnil(L);
		return 1;
	}
	lua_settop(L, arg + 1);
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	if (is_level) {
		lua_pushinteger(L, level + (of == L)); /* this function stands between */
		lua_replace(L, -2);
	}
	lua_pushstring(L, options);
	lua_call(L, lua_gettop(L) - 1, 1);
	if (is_level && lua_istable(L, -1) && lua_getfield(L, -1, "func") != LUA_TNIL &&
		lua_iscfunction(L, -1)) {
		lua_pushnil(L);
		lua_setfield(L, -3, "func");
		lua_pop(L, 1);
	}
	lua_settop(L, 1);
	return 1;
}

static int check_int(lua_State *L, int index)
{
	lua_Integer n = luaL_checkinteger(L, index);
	luaL_argcheck(L, n >= INT_MIN && n <= INT_MAX, index, "out of range");
	return (int)n;
}

/* The names of a function's parameters. */
static int get_parameter(lua_State *L, int index, int n)
{
	lua_pushvalue(L, index);
	lua_pushstring(L, lua_getlocal(L, NULL, n));
	return 1;
}

static int get_local(lua_State *L)
{
	int arg;
	lua_Debug ar;
	lua_State *of = thread_of(L, &arg);
	int n = check_int(L, arg + 2);
	if (lua_isfunction(L, arg + 1))
		return get_parameter(L, arg + 1, n);
	int level = check_int(L, arg + 1);
	luaL_argcheck(L, level >= 0 && lua_getstack(of, level, &ar), arg + 1, "no such level");
	luaL_argcheck(L, lua_checkstack(of, 4), arg + 1, "its stack is full");
	lua_getinfo(of, "S", &ar);
	const char *name = *ar.what == 'C' ? NULL : lua_getlocal(of, &ar, n);
	if (!name) {
		lua_pushnil(L);
		return 1;
	}
	lua_xmove(of, L, 1);
	if (strcmp(name, "(temporary)") == 0) {
		lua_pushnil(L);
		return 1;
	}
	lua_pushstring(L, name);
	lua_insert(L, -2);
	return 2;
}

void lib_open_debug(lua_State *L)
{
	lua_pushcfunction(L, luaopen_debug);
	lua_call(L, 0, 1);
	lua_createtable(L, 0, 3);
	lua_getfield(L, -2, "traceback");
	lua_setfield(L, -2, "traceback");
	if (script_of(L)->limits.trust == TRUST_FULL) {
		lua_getfield(L, -2, "getinfo");
		lua_pushcclosure(L, get_info, 1);
		lua_setfield(L, -2, "getinfo");
		lua_pushcfunction(L, get_local);
		lua_setfield(L, -2, "getlocal");
	}
	lua_setglobal(L, "debug");
	lua_pop(L, 1);
}
