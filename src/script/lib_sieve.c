#include "script/modules.h"
#include "script/script.h"
#include "script/sieve.h"

/* net:filter_in and net:filter_out. Who has them can speak for the server and for others, to every
 * script: so they are for trusted scripts. */

static const char sieve_type[] = "ebb.sieve";

enum { VALUE_FUNCTION = 1, VALUE_NEXT, N_VALUES = 2 };

static int lib_next(lua_State *L)
{
	const struct sieve_object *o = lua_touserdata(L, lua_upvalueindex(1));
	struct str line;
	line.p = luaL_checklstring(L, 1, &line.n);
	const char *fault = sieve_next(o->sieve, line);
	return fault ? luaL_error(L, "next: %s", fault) : 0;
}

/* Pushes the object of the function at index. */
static struct sieve_object *push_object(lua_State *L, int index)
{
	struct sieve_object *o = lua_newuserdatauv(L, sizeof(*o), N_VALUES);
	o->sieve = NULL;
	luaL_setmetatable(L, sieve_type);
	lua_pushvalue(L, index);
	lua_setiuservalue(L, -2, VALUE_FUNCTION);
	lua_pushvalue(L, -1);
	lua_pushcclosure(L, lib_next, 1);
	lua_setiuservalue(L, -2, VALUE_NEXT);
	return o;
}

static int begin(lua_State *L, enum sieve_way way, const char *who)
{
	struct net *n = lib_take_net(L, who);
	if (script_of(L)->limits.trust != TRUST_FULL)
		return luaL_error(L, "%s: is for scripts with trust = full only", who);
	luaL_checktype(L, 1, LUA_TFUNCTION);
	struct sieve_object *o = push_object(L, 1);
	lua_pushvalue(L, -1);
	int ref = luaL_ref(L, LUA_REGISTRYINDEX);
	o->sieve = sieve_begin(L, n, way, o, ref);
	if (o->sieve)
		return 1;
	luaL_unref(L, LUA_REGISTRYINDEX, ref);
	return luaL_error(L, "%s: %s has %d already", who, n->name, SIEVES_MAX);
}

int lib_filter_in(lua_State *L)
{
	return begin(L, SIEVE_IN, "filter_in");
}

int lib_filter_out(lua_State *L)
{
	return begin(L, SIEVE_OUT, "filter_out");
}

static int sieve_off(lua_State *L)
{
	struct sieve_object *o = luaL_checkudata(L, 1, sieve_type);
	if (o->sieve)
		sieve_end(o->sieve);
	return 0;
}

static int sieve_index(lua_State *L)
{
	lua_pushvalue(L, 2);
	lua_rawget(L, lua_upvalueindex(1));
	return 1;
}

void lib_open_sieve(lua_State *L)
{
	static const luaL_Reg metamethods[] = {
		{NULL, NULL}
        };
	static const luaL_Reg methods[] = {
		{"off", sieve_off},
                {NULL,  NULL     }
        };
	modules_define(L, sieve_type, metamethods, sieve_index, methods);
}
