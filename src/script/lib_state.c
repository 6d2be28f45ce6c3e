#include "script/lib_state.h"

#include "script/load.h"
#include "script/modules.h"
#include "script/task.h"

#include <string.h>

/* state, on_reload and on_unload. */

static const char globals_key; /* in the registry: the metatable of the globals */

static int refuse_assignment(lua_State *L)
{
	lua_settop(L, 3);
	if (lua_type(L, 2) == LUA_TSTRING && strcmp(lua_tostring(L, 2), "state") == 0)
		return luaL_error(L, "state: the name cannot be assigned; assign its fields");
	lua_rawset(L, 1);
	return 0;
}

/* The table behind the globals, which is the __index of their metatable. */
static void push_behind(lua_State *L)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &globals_key);
	lua_getfield(L, -1, "__index");
	lua_remove(L, -2);
}

static void push_state(lua_State *L)
{
	lua_rawgeti(L, LUA_REGISTRYINDEX, script_of(L)->state_ref);
}

void state_put(lua_State *L)
{
	push_behind(L);
	lua_pushvalue(L, -2);
	lua_setfield(L, -2, "state");
	lua_pop(L, 1);
	luaL_getsubtable(L, LUA_REGISTRYINDEX, "ebb");
	lua_pushvalue(L, -2);
	lua_setfield(L, -2, "state");
	lua_pop(L, 1);
	lua_rawseti(L, LUA_REGISTRYINDEX, script_of(L)->state_ref);
}

void state_push(lua_State *L)
{
	push_state(L);
	lua_pushglobaltable(L);
	lua_pushliteral(L, "state");
	bool is_replaced = lua_rawget(L, -2) != LUA_TNIL && !lua_rawequal(L, -1, -3);
	if (is_replaced)
		luaL_error(L, "state: another value stands in its place; assign its fields");
	lua_pop(L, 2);
	lua_xmove(L, script_of(L)->carrier, 1);
}

void state_leave_globals(lua_State *L, int index)
{
	index = lua_absindex(L, index);
	lua_pushglobaltable(L);
	bool are_globals = lua_rawequal(L, index, -1);
	if (are_globals && lua_getmetatable(L, -1)) {
		lua_rawgetp(L, LUA_REGISTRYINDEX, &globals_key);
		bool is_ours = lua_rawequal(L, -1, -2);
		lua_pop(L, 2);
		if (is_ours) {
			lua_pushnil(L);
			lua_setmetatable(L, -2);
			push_state(L);
			lua_setfield(L, -2, "state");
		}
	}
	lua_pop(L, 1);
}

static void guard_globals(lua_State *L)
{
	lua_createtable(L, 0, 2);
	lua_newtable(L);
	lua_setfield(L, -2, "__index");
	lua_pushcfunction(L, refuse_assignment);
	lua_setfield(L, -2, "__newindex");
	lua_pushglobaltable(L);
	lua_pushvalue(L, -2);
	lua_setmetatable(L, -2);
	lua_pop(L, 1);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &globals_key);
}

/* Notes the function at index 1 in the place of what was noted before. */
static int note(lua_State *L, int *ref)
{
	luaL_checktype(L, 1, LUA_TFUNCTION);
	lua_settop(L, 1);
	if (*ref == LUA_NOREF)
		*ref = luaL_ref(L, LUA_REGISTRYINDEX);
	else
		lua_rawseti(L, LUA_REGISTRYINDEX, *ref);
	return 0;
}

static int lib_on_reload(lua_State *L)
{
	return note(L, &script_of(L)->on_reload_ref);
}

static int lib_on_unload(lua_State *L)
{
	return note(L, &script_of(L)->on_unload_ref);
}

void lib_open_state(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"on_reload", lib_on_reload},
                {"on_unload", lib_on_unload},
                {NULL,        NULL         }
        };
	struct script *s = script_of(L);
	modules_export_all(L, functions);
	s->carrier = lua_newthread(L);
	luaL_ref(L, LUA_REGISTRYINDEX);
	lua_pushboolean(L, 0);
	s->state_ref = luaL_ref(L, LUA_REGISTRYINDEX);
	guard_globals(L);
	lua_newtable(L);
	state_put(L);
}
