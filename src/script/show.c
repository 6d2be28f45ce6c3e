#include "script/show.h"

#include "script/repeat.h"

#include <lauxlib.h>
#include <stdio.h>

enum { SHOWN_DEPTH = 4, SHOWN_ITEMS = 20, SHOWN_BYTES = 400 };

static void add_quoted(luaL_Buffer *b, const char *p, size_t n)
{
	size_t shown = n > SHOWN_BYTES ? SHOWN_BYTES : n;
	luaL_addchar(b, '"');
	for (size_t i = 0; i < shown; i++) {
		unsigned char c = (unsigned char)p[i];
		char escape[8];
		if (c == '"' || c == '\\')
			snprintf(escape, sizeof(escape), "\\%c", c);
		else if (c < ' ' || c == 0x7f)
			snprintf(escape, sizeof(escape), "\\x%02X", c);
		else
			snprintf(escape, sizeof(escape), "%c", c);
		luaL_addstring(b, escape);
	}
	luaL_addchar(b, '"');
	if (shown < n) {
		char more[64];
		snprintf(more, sizeof(more), " and %zu bytes more", n - shown);
		luaL_addstring(b, more);
	}
}

static void push_text(lua_State *L, int index, int depth);

/* Pushes "key = value", or in a list the value alone. */
static void push_item(lua_State *L, int table, int key, lua_Integer place, int depth)
{
	if (lua_isinteger(L, key) && lua_tointeger(L, key) == place) {
		lua_pushliteral(L, "");
	} else {
		push_text(L, key, depth);
		lua_pushliteral(L, " = ");
		lua_concat(L, 2);
	}
	lua_pushvalue(L, key);
	lua_gettable(L, table);
	push_text(L, lua_gettop(L), depth);
	lua_remove(L, -2);
	lua_concat(L, 2);
}

/* Pushes what stands between the braces. */
static void push_items(lua_State *L, int table, int depth)
{
	int n = repeat_push_keys(L, table), keys = lua_gettop(L);
	lua_pushliteral(L, "");
	for (int i = 1; i <= n && i <= SHOWN_ITEMS; i++) {
		lua_pushstring(L, i > 1 ? ", " : "");
		lua_rawgeti(L, keys, i);
		push_item(L, table, lua_gettop(L), i, depth + 1);
		lua_remove(L, -2);
		lua_concat(L, 3);
	}
	lua_pushstring(L, n > SHOWN_ITEMS ? ", …" : "");
	lua_concat(L, 2);
	lua_remove(L, keys);
}

static void push_text(lua_State *L, int index, int depth)
{
	luaL_checkstack(L, 20, "a value is too deep to be told");
	if (lua_type(L, index) == LUA_TSTRING) {
		size_t n;
		const char *p = lua_tolstring(L, index, &n);
		luaL_Buffer b;
		luaL_buffinit(L, &b);
		add_quoted(&b, p, n);
		luaL_pushresult(&b);
	} else if (lua_istable(L, index) && !luaL_getmetafield(L, index, "__tostring")) {
		if (depth == SHOWN_DEPTH) {
			lua_pushliteral(L, "{…}");
			return;
		}
		lua_pushliteral(L, "{");
		push_items(L, index, depth);
		lua_pushliteral(L, "}");
		lua_concat(L, 3);
	} else if (lua_istable(L, index)) {
		lua_pop(L, 1);
		luaL_tolstring(L, index, NULL);
	} else if (lua_isfunction(L, index)) {
		lua_pushliteral(L, "a function"); /* its address is no use to anybody */
	} else {
		luaL_tolstring(L, index, NULL);
	}
}

void show_push(lua_State *L, int index)
{
	push_text(L, index, 0);
}
