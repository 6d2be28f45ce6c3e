#include "script/vm.h"

#include "script/script.h"
#include "script/slice.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RAISED_AGAIN_MAX_BYTES = 4096, TOLD_MAX_BYTES = 4096 };

static const char error_type[] = "ebb.error";

static void *allocate(void *data, void *p, size_t old_bytes, size_t n_bytes)
{
	struct vm *vm = data;
	if (!p)
		old_bytes = 0; /* it is the kind of the object then */
	void *q = arena_resize(&vm->arena, p, old_bytes, n_bytes);
	if (!q && n_bytes)
		slice_denied();
	return q;
}

/* As Lua does by itself where it is refused a block. */
static void collect(struct arena *a)
{
	lua_gc(container_of(a, struct vm, arena)->L, LUA_GCCOLLECT);
}

/* Only for what broke the rule of vm.h. */
static int panic(lua_State *L)
{
	fprintf(stderr, "ebbd: lua: error outside of protected code: %s\n",
		lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "?");
	abort();
}

bool vm_init(struct vm *vm)
{
	vm->L = lua_newstate(allocate, vm);
	if (!vm->L)
		return false;
	vm->arena.collect = collect;
	lua_atpanic(vm->L, panic);
	lua_gc(vm->L, LUA_GCGEN, 0, 0);
	*(void **)lua_getextraspace(vm->L) = NULL;
	return true;
}

struct vm *vm_of(lua_State *L)
{
	void *vm;
	lua_getallocf(L, &vm);
	return vm;
}

static int error_text(lua_State *L)
{
	vm_push_error_text(L, 1);
	return 1;
}

bool vm_call_with(lua_State *L, lua_CFunction fn, void *arg, int n_args, int n_results)
{
	struct script *s = script_of(L);
	struct slice_run run;
	int base = lua_gettop(L) - n_args;
	lua_pushcfunction(L, vm_traceback);
	lua_pushcfunction(L, fn);
	lua_pushlightuserdata(L, arg);
	lua_rotate(L, base + 1, 3);
	slice_enter(&run, s, NULL, L);
	int status = lua_pcall(L, n_args + 1, n_results, base + 1);
	lua_remove(L, base + 1);
	if (status != LUA_OK && !run.is_stopping) {
		lua_pushcfunction(L, error_text);
		lua_insert(L, -2);
		lua_pcall(L, 1, 1, 0);
		if (lua_type(L, -1) != LUA_TSTRING) { /* what was raised instead of its text */
			lua_pop(L, 1);
			lua_pushnil(L);
		}
	}
	slice_leave(&run);
	script_left(s, &run);
	return status == LUA_OK;
}

bool vm_call(lua_State *L, lua_CFunction fn, void *arg, int n_results)
{
	return vm_call_with(L, fn, arg, 0, n_results);
}

int vm_take_error(lua_State *L, struct err *err)
{
	const char *text = lua_tostring(L, -1);
	struct str rest = str_of(text ? text : "an error that is no text");
	struct str line = str_cut(&rest, '\n');
	err_set(err, ERR_INVALID, "%" STR_F, STR_A(line));
	lua_pop(L, 1);
	return ERR_INVALID;
}

bool vm_error_kind(lua_State *L, int index)
{
	if (!lua_istable(L, index) || !lua_getmetatable(L, index))
		return false;
	luaL_getmetatable(L, error_type);
	bool is_error = lua_rawequal(L, -1, -2);
	lua_pop(L, 2);
	if (is_error)
		lua_getfield(L, index, "kind");
	return is_error;
}

/* In the registry: the last error that was thrown, and where. */
static const char error_key, traceback_key;

void vm_push_traceback(lua_State *L, int index)
{
	index = lua_absindex(L, index);
	lua_rawgetp(L, LUA_REGISTRYINDEX, &error_key);
	bool is_same = lua_rawequal(L, index, -1);
	lua_pop(L, 1);
	if (is_same)
		lua_rawgetp(L, LUA_REGISTRYINDEX, &traceback_key);
	else
		lua_pushnil(L);
}

void vm_set_traceback(lua_State *L, int index)
{
	lua_pushvalue(L, index);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &error_key);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &traceback_key);
}

void vm_forget_traceback(lua_State *L)
{
	lua_pushnil(L);
	lua_pushnil(L);
	vm_set_traceback(L, -2);
	lua_pop(L, 1);
}

/* The same text is the same error, as far as one can see: the second of two that nobody told of
 * seems raised again, hence the limit. */
int vm_traceback(lua_State *L)
{
	size_t n;
	lua_settop(L, 1);
	vm_push_traceback(L, 1);
	const char *first = lua_tolstring(L, 2, &n);
	if (first && n < RAISED_AGAIN_MAX_BYTES) {
		lua_pushfstring(L, "%s\nraised again:", first);
		luaL_traceback(L, L, lua_tostring(L, -1), 1);
	} else {
		luaL_traceback(L, L, NULL, 1);
	}
	vm_set_traceback(L, 1);
	lua_settop(L, 1);
	return 1;
}

/* Pushes the text of an error value, its beginning if it is long. An address is none. */
static const char *push_value_text(lua_State *L, int index)
{
	bool is_told = lua_isstring(L, index);
	if (!is_told && luaL_getmetafield(L, index, "__tostring") != LUA_TNIL) {
		lua_pop(L, 1);
		is_told = true;
	}
	if (is_told) {
		size_t n;
		const char *text = luaL_tolstring(L, index, &n);
		if (n <= TOLD_MAX_BYTES)
			return text;
		text = lua_pushlstring(L, text, TOLD_MAX_BYTES);
		lua_remove(L, -2);
		return text;
	}
	return lua_pushfstring(L, "(an error value that is a %s)", luaL_typename(L, index));
}

void vm_push_error_text(lua_State *L, int index)
{
	index = lua_absindex(L, index);
	const char *text = push_value_text(L, index);
	if (vm_error_kind(L, index)) {
		lua_pop(L, 1);
		return;
	}
	vm_push_traceback(L, index);
	if (lua_isstring(L, -1)) {
		lua_pushfstring(L, "%s\n%s", text, lua_tostring(L, -1));
		lua_replace(L, -3);
	}
	lua_pop(L, 1);
	vm_forget_traceback(L);
}

bool vm_load_file(lua_State *L, const char *path)
{
	return luaL_loadfilex(L, path, "t") == LUA_OK;
}

bool vm_load_text(lua_State *L, const char *text, const char *name)
{
	char chunk[512];
	snprintf(chunk, sizeof(chunk), "@%s", name);
	return luaL_loadbufferx(L, text, strlen(text), chunk, "t") == LUA_OK;
}

static int error_tostring(lua_State *L)
{
	lua_getfield(L, 1, "message");
	return 1;
}

int vm_raise_text(lua_State *L, const char *kind)
{
	lua_createtable(L, 0, 2);
	lua_insert(L, -2);
	lua_setfield(L, -2, "message");
	lua_pushstring(L, kind);
	lua_setfield(L, -2, "kind");
	if (luaL_newmetatable(L, error_type)) {
		lua_pushcfunction(L, error_tostring);
		lua_setfield(L, -2, "__tostring");
	}
	lua_setmetatable(L, -2);
	return lua_error(L);
}

int vm_raise(lua_State *L, const char *kind, const char *message)
{
	luaL_where(L, 1);
	lua_pushstring(L, message);
	lua_concat(L, 2);
	return vm_raise_text(L, kind);
}
