#include "script/chunk.h"
#include "script/host.h"
#include "script/modules.h"
#include "script/slice.h"

#include <string.h>

/* load, and for trusted scripts loadfile and dofile: text only. */

static bool is_for_text(lua_State *L, int index)
{
	return strchr(luaL_optstring(L, index, "bt"), 't');
}

static int fail(lua_State *L, const char *who, const char *why)
{
	lua_pushnil(L);
	lua_pushfstring(L, "%s: %s", who, why);
	return 2;
}

/* Gives the function on top the value at index as its globals. */
static void set_environment(lua_State *L, int index)
{
	lua_pushvalue(L, index);
	if (!lua_setupvalue(L, -2, 1))
		lua_pop(L, 1);
}

/* The environment that stands at index, or the globals in its place. */
static void complete_environment(lua_State *L, int index)
{
	if (!lua_isnone(L, index)) {
		lua_settop(L, index);
		return;
	}
	lua_settop(L, index - 1);
	lua_pushglobaltable(L);
}

/* Stack: the text or its reader, the name, the mode, the environment, and the text on top. */
static int load_text(lua_State *L, const char *standard_name)
{
	struct str text;
	text.p = lua_tolstring(L, -1, &text.n);
	if (chunk_load(L, text, luaL_optstring(L, 2, standard_name))) {
		set_environment(L, 4);
		return 1;
	}
	return fail(L, "load", lua_tostring(L, -1));
}

/* Adds the piece on top to the list at index 5; false after the last one. */
static bool take_piece(lua_State *L, size_t *total)
{
	size_t n;
	if (lua_isnil(L, -1))
		return false;
	if (!lua_isstring(L, -1))
		luaL_error(L, "load: the reader must return text, not a %s", luaL_typename(L, -1));
	lua_tolstring(L, -1, &n);
	*total += n;
	lua_rawseti(L, 5, (lua_Integer)lua_rawlen(L, 5) + 1);
	return n > 0 && *total <= CHUNK_MAX_BYTES;
}

static void join_pieces(lua_State *L)
{
	luaL_Buffer b;
	lua_Integer n = (lua_Integer)lua_rawlen(L, 5);
	luaL_buffinit(L, &b);
	for (lua_Integer i = 1; i <= n; i++) {
		lua_rawgeti(L, 5, i);
		luaL_addvalue(&b);
	}
	luaL_pushresult(&b);
}

static int after_turn(lua_State *L, int status, lua_KContext total);

/* Stack: as for load_text, but the list of pieces and the next one on top. A reader that is a C
 * function may be called for long without that Lua could stop it. */
static int after_piece(lua_State *L, int status, lua_KContext context)
{
	size_t total = (size_t)context;
	(void)status;
	while (take_piece(L, &total)) {
		if (slice_is_due(L))
			return slice_yield(L, (lua_KContext)total, after_turn);
		lua_pushvalue(L, 1);
		lua_callk(L, 0, 1, (lua_KContext)total, after_piece);
	}
	lua_settop(L, 5);
	join_pieces(L);
	return load_text(L, "=(load)");
}

static int after_turn(lua_State *L, int status, lua_KContext total)
{
	lua_settop(L, 5);
	lua_pushvalue(L, 1);
	lua_callk(L, 0, 1, total, after_piece);
	return after_piece(L, status, total);
}

/* The reader may pause. */
static int lib_load(lua_State *L)
{
	if (!is_for_text(L, 3))
		return fail(L, "load", "only text chunks are loaded");
	luaL_optstring(L, 2, "");
	complete_environment(L, 4);
	if (lua_isstring(L, 1)) {
		lua_pushvalue(L, 1);
		return load_text(L, lua_tostring(L, 1));
	}
	luaL_checktype(L, 1, LUA_TFUNCTION);
	lua_newtable(L);
	return after_turn(L, LUA_OK, 0);
}

static int lib_loadfile(lua_State *L)
{
	if (!is_for_text(L, 2))
		return fail(L, "loadfile", "only text chunks are loaded");
	complete_environment(L, 3);
	const char *path = lib_push_path(L, 1, "loadfile");
	if (!chunk_load_file(L, path, path, NULL))
		return fail(L, "loadfile", lua_tostring(L, -1));
	set_environment(L, 3);
	return 1;
}

static int after_dofile(lua_State *L, int status, lua_KContext context)
{
	(void)status;
	(void)context;
	return lua_gettop(L) - 2;
}

static int lib_dofile(lua_State *L)
{
	lua_settop(L, 1);
	const char *path = lib_push_path(L, 1, "dofile");
	if (!chunk_load_file(L, path, path, NULL))
		return luaL_error(L, "dofile: %s", lua_tostring(L, -1));
	lua_callk(L, 0, LUA_MULTRET, 0, after_dofile);
	return after_dofile(L, LUA_OK, 0);
}

void lib_open_load(lua_State *L)
{
	static const luaL_Reg of_trusted[] = {
		{"dofile",   lib_dofile  },
                {"loadfile", lib_loadfile},
                {NULL,       NULL        }
        };
	lua_pushcfunction(L, lib_load);
	lua_setglobal(L, "load");
	lua_pushglobaltable(L);
	if (script_of(L)->limits.trust == TRUST_FULL)
		luaL_setfuncs(L, of_trusted, 0);
	lua_pop(L, 1);
}
