#include "script/repeat.h"

#include "base/str.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A key of a table, as it is sorted; its value stays in a list at index. */
struct key {
	int rank, index;
	lua_Number number;
	struct str text;
};

static int rank_of(lua_State *L, int index)
{
	switch (lua_type(L, index)) {
	case LUA_TNUMBER:
		return 0;
	case LUA_TSTRING:
		return 1;
	case LUA_TBOOLEAN:
		return 2;
	default:
		return 3;
	}
}

static struct key key_of(lua_State *L, int at, int index)
{
	struct key k = {.rank = rank_of(L, at), .index = index};
	if (k.rank == 0)
		k.number = lua_tonumber(L, at);
	else if (k.rank == 1)
		k.text.p = lua_tolstring(L, at, &k.text.n);
	else if (k.rank == 2)
		k.number = lua_toboolean(L, at);
	return k;
}

static int compare(const void *one, const void *other)
{
	const struct key *a = one, *b = other;
	if (a->rank != b->rank)
		return a->rank - b->rank;
	if (a->rank == 1) {
		int r = memcmp(a->text.p, b->text.p, a->text.n < b->text.n ? a->text.n : b->text.n);
		return r ? r : (a->text.n > b->text.n) - (a->text.n < b->text.n);
	}
	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	return a->index - b->index; /* whole numbers that no double tells apart, and the rest */
}

static int push_keys(lua_State *L, int table)
{
	int n = 0;
	lua_newtable(L);
	for (lua_pushnil(L); lua_next(L, table); n++) {
		lua_pop(L, 1);
		lua_pushvalue(L, -1);
		lua_rawseti(L, -3, n + 1);
	}
	return n;
}

int repeat_push_keys(lua_State *L, int table)
{
	int n = push_keys(L, table), list = lua_gettop(L);
	struct key *keys = lua_newuserdatauv(L, ((size_t)n + 1) * sizeof(*keys), 0);
	for (int i = 0; i < n; i++) {
		lua_rawgeti(L, list, i + 1);
		keys[i] = key_of(L, -1, i + 1); /* the list keeps the text */
		lua_pop(L, 1);
	}
	qsort(keys, (size_t)n, sizeof(*keys), compare);
	lua_createtable(L, n, 0);
	for (int i = 0; i < n; i++) {
		lua_rawgeti(L, list, keys[i].index);
		lua_rawseti(L, -2, i + 1);
	}
	lua_replace(L, list);
	lua_settop(L, list);
	return n;
}

/* Upvalues: the keys in order, and how many were passed. A key whose value has gone is left out. */
static int next_in_order(lua_State *L)
{
	lua_Integer i = lua_tointeger(L, lua_upvalueindex(2));
	luaL_checktype(L, 1, LUA_TTABLE);
	do {
		lua_settop(L, 1);
		if (lua_rawgeti(L, lua_upvalueindex(1), ++i) == LUA_TNIL)
			return 1;
		lua_pushvalue(L, -1);
	} while (lua_rawget(L, 1) == LUA_TNIL);
	lua_pushinteger(L, i);
	lua_replace(L, lua_upvalueindex(2));
	return 2;
}

/* Upvalue: pairs as it was. */
static int pairs_in_order(lua_State *L)
{
	luaL_checkany(L, 1);
	if (luaL_getmetafield(L, 1, "__pairs") != LUA_TNIL || !lua_istable(L, 1)) {
		lua_settop(L, 1);
		lua_pushvalue(L, lua_upvalueindex(1));
		lua_insert(L, 1);
		lua_call(L, 1, 3);
		return 3;
	}
	lua_settop(L, 1);
	repeat_push_keys(L, 1);
	lua_pushinteger(L, 0);
	lua_pushcclosure(L, next_in_order, 2);
	lua_pushvalue(L, 1);
	lua_pushnil(L);
	return 3;
}

void repeat_open(lua_State *L, uint64_t seed)
{
	lua_getglobal(L, "math");
	lua_getfield(L, -1, "randomseed");
	lua_pushinteger(L, (lua_Integer)seed);
	lua_call(L, 1, 0);
	lua_pop(L, 1);
	lua_getglobal(L, "pairs");
	lua_pushcclosure(L, pairs_in_order, 1);
	lua_setglobal(L, "pairs");
}
