#include "script/pairs.h"

#include <lauxlib.h>
#include <string.h>

/* Puts "a, b, c" in the place of the list of texts on top. */
static void join_list(lua_State *L, const struct pairs_reader *r, const char *key)
{
	luaL_Buffer b;
	int list = lua_gettop(L);
	lua_Integer n = (lua_Integer)lua_rawlen(L, list);
	luaL_buffinit(L, &b);
	for (lua_Integer i = 1; i <= n; i++) {
		if (i > 1)
			luaL_addstring(&b, ", ");
		if (lua_rawgeti(L, list, i) != LUA_TSTRING)
			luaL_error(L, "%s: %s: a list of texts expected", r->who, key);
		luaL_addvalue(&b);
	}
	luaL_pushresult(&b);
	lua_replace(L, list);
	lua_settop(L, list);
}

/* 2.0 is written as 2, where a whole number is wanted. */
static void write_number(lua_State *L)
{
	int is_whole;
	lua_Integer whole = lua_tointegerx(L, -1, &is_whole);
	if (is_whole) {
		lua_pushinteger(L, whole);
		lua_replace(L, -2);
	}
}

const char *pairs_text(lua_State *L, const struct pairs_reader *r, const char *key)
{
	luaL_checkstack(L, 8, "too many options");
	if (lua_istable(L, -1)) {
		join_list(L, r, key);
	} else if (lua_isboolean(L, -1)) {
		lua_pushstring(L, lua_toboolean(L, -1) ? "yes" : "no");
		lua_remove(L, -2);
	} else if (lua_type(L, -1) == LUA_TNUMBER) {
		write_number(L);
	} else if (!lua_isstring(L, -1)) {
		luaL_error(L, "%s: %s: a text, a number or a list of texts expected, got %s",
			r->who, key, luaL_typename(L, -1));
	}
	size_t length;
	const char *text = lua_tolstring(L, -1, &length);
	if (strlen(text) != length)
		luaL_error(L, "%s: %s: holds a NUL", r->who, key);
	luaL_ref(L, r->keep);
	return text;
}

bool pairs_is_among(const char *key, const char *const *keys)
{
	while (*keys && strcmp(*keys, key) != 0)
		keys++;
	return *keys;
}

size_t pairs_count(lua_State *L, int index)
{
	size_t n = 0;
	for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1))
		n++;
	return n;
}

setting_pair *pairs_read(
	lua_State *L, const struct pairs_reader *r, int index, const char *const *others, size_t *n)
{
	size_t size = (pairs_count(L, index) + 1) * sizeof(setting_pair);
	setting_pair *pairs = lua_newuserdatauv(L, size, 0);
	luaL_ref(L, r->keep);
	*n = 0;
	for (lua_pushnil(L); lua_next(L, index);) {
		const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
		if (!key || pairs_is_among(key, others)) {
			lua_pop(L, 1);
			continue;
		}
		pairs[*n][0] = key;
		pairs[(*n)++][1] = pairs_text(L, r, key);
	}
	return pairs;
}
