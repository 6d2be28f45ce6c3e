#include "base/attr.h"
#include "script/host.h"
#include "script/modules.h"
#include "script/resource.h"
#include "script/script.h"

#include <errno.h>
#include <lualib.h>
#include <string.h>

/* io, for trusted scripts: what opens files. What is done with an open one is Lua's own. */

const char *lib_push_path(lua_State *L, int index, const char *who)
{
	struct str path, folder = str_of(script_of(L)->options.path);
	path.p = luaL_checklstring(L, index, &path.n);
	if (path.n == 0 || str_has(path, '\0'))
		luaL_error(L, "%s: the path is empty or has a NUL in it", who);
	const char *slash = strrchr(folder.p, '/');
	folder.n = slash && path.p[0] != '/' ? (size_t)(slash + 1 - folder.p) : 0;
	lua_pushlstring(L, folder.p, folder.n);
	lua_pushvalue(L, index);
	lua_concat(L, 2);
	return lua_tostring(L, -1);
}

int lib_refuse_under_check(lua_State *L, const char *path)
{
	if (!script_of(L)->host->options.is_check)
		return 0;
	lua_pushnil(L);
	lua_pushfstring(L, "%s: is left as it is under --check", path);
	lua_pushinteger(L, EROFS);
	return 3;
}

enum { FILES_MAX = 64 };

/* What Lua calls a file. */
struct file {
	luaL_Stream stream; /* first, as Lua's own functions find it */
	struct script *script;
	struct resource owned;
	int closed; /* what fclose gave */
};

static void release(struct resource *r)
{
	struct file *f = container_of(r, struct file, owned);
	f->script->n_files--;
	f->stream.closef = NULL;
	f->closed = fclose(f->stream.f);
}

static int close_file(lua_State *L)
{
	struct file *f = luaL_checkudata(L, 1, LUA_FILEHANDLE);
	resource_release(&f->owned);
	return luaL_fileresult(L, f->closed == 0, NULL);
}

/* As fopen; what scripts start does not inherit it. */
static FILE *open_stream(const struct script *s, const char *path, const char *mode)
{
	char full_mode[8];
	if (s->n_files >= FILES_MAX) {
		errno = EMFILE;
		return NULL;
	}
	snprintf(full_mode, sizeof(full_mode), "%se", mode);
	return fopen(path, full_mode);
}

/* One that nobody refers to any more is closed by its finalizer. */
static void collect_if_full(lua_State *L)
{
	if (script_of(L)->n_files >= FILES_MAX)
		lua_gc(L, LUA_GCCOLLECT);
}

/* Pushes the file, or what luaL_fileresult gives; returns how many values. */
static int open_path(lua_State *L, const char *path, const char *mode)
{
	collect_if_full(L);
	struct file *f = lua_newuserdatauv(L, sizeof(*f), 0);
	*f = (struct file){.script = script_of(L)};
	list_init(&f->owned.node);
	luaL_setmetatable(L, LUA_FILEHANDLE);
	f->stream.f = open_stream(f->script, path, mode);
	if (!f->stream.f)
		return luaL_fileresult(L, 0, path);
	resource_add(&f->script->resources, &f->owned, release);
	f->script->n_files++;
	f->stream.closef = close_file;
	return 1;
}

static bool is_mode(const char *mode)
{
	static const char *const modes[] = {
		"r", "w", "a", "r+", "w+", "a+", "rb", "wb", "ab", "r+b", "w+b", "a+b"};
	for (size_t i = 0; i < COUNTOF(modes); i++)
		if (strcmp(mode, modes[i]) == 0)
			return true;
	return false;
}

static int io_open(lua_State *L)
{
	const char *mode = luaL_optstring(L, 2, "r");
	luaL_argcheck(
		L, is_mode(mode), 2, "r, w or a expected, then + or nothing, then b or nothing");
	const char *path = lib_push_path(L, 1, "io.open");
	bool writes = mode[0] != 'r' || mode[1] == '+';
	int refused = writes ? lib_refuse_under_check(L, path) : 0;
	return refused ? refused : open_path(L, path, mode);
}

/* Upvalues: what the file's own `lines` gave, and the file, which is closed at its end. */
static int next_line(lua_State *L)
{
	lua_settop(L, 0);
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_call(L, 0, LUA_MULTRET);
	if (lua_isnoneornil(L, 1))
		resource_release(&((struct file *)lua_touserdata(L, lua_upvalueindex(2)))->owned);
	return lua_gettop(L);
}

static int io_lines(lua_State *L)
{
	int n = lua_gettop(L) > 1 ? lua_gettop(L) - 1 : 0;
	const char *path = lib_push_path(L, 1, "io.lines");
	if (open_path(L, path, "r") > 1)
		return luaL_error(L, "io.lines: %s", lua_tostring(L, -2));
	lua_replace(L, 1);
	lua_settop(L, n + 1);
	lua_getfield(L, 1, "lines");
	lua_pushvalue(L, 1);
	lua_rotate(L, 2, 2); /* the file, its function, itself, what is read at a time */
	lua_call(L, n + 1, 1);
	lua_pushvalue(L, 1);
	lua_pushcclosure(L, next_line, 2);
	lua_pushnil(L);
	lua_pushnil(L);
	lua_pushvalue(L, 1);
	return 4;
}

/* Lua's own library leaves the three standard files where scripts do not get at them. */
static void forget_standard_files(lua_State *L)
{
	static const char *const keys[] = {"_IO_input", "_IO_output"};
	for (size_t i = 0; i < COUNTOF(keys); i++) {
		lua_pushnil(L);
		lua_setfield(L, LUA_REGISTRYINDEX, keys[i]);
	}
}

void lib_open_io(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"open",  io_open },
                {"lines", io_lines},
                {NULL,    NULL    }
        };
	if (script_of(L)->limits.trust != TRUST_FULL)
		return;
	lua_pushcfunction(L, luaopen_io);
	lua_call(L, 0, 1);
	luaL_newlib(L, functions);
	lua_getfield(L, -2, "type");
	lua_setfield(L, -2, "type");
	lua_setglobal(L, "io");
	lua_pop(L, 1);
	forget_standard_files(L);
	luaL_getmetatable(L, LUA_FILEHANDLE);
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 1);
}
