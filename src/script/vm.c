#include "script/vm.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>

static const char error_type[] = "ebb.error";

static void *allocate(void *data, void *p, size_t old_size, size_t new_size)
{
	struct vm *vm = data;
	void *q = NULL;
	if (!p)
		old_size = 0; /* it is the kind of the object then */
	if (new_size)
		q = realloc(p, new_size);
	else
		free(p);
	if (q || new_size == 0)
		vm->used_bytes += new_size - old_size;
	return q;
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
	vm->used_bytes = 0;
	vm->L = lua_newstate(allocate, vm);
	if (!vm->L)
		return false;
	lua_atpanic(vm->L, panic);
	*(void **)lua_getextraspace(vm->L) = NULL;
	return true;
}

void vm_fini(struct vm *vm)
{
	if (vm->L)
		lua_close(vm->L);
	vm->L = NULL;
}

struct vm *vm_of(lua_State *L)
{
	void *vm;
	lua_getallocf(L, &vm);
	return vm;
}

bool vm_call(lua_State *L, lua_CFunction fn, void *arg, int n_results)
{
	int base = lua_gettop(L);
	lua_pushcfunction(L, vm_traceback);
	lua_pushcfunction(L, fn);
	lua_pushlightuserdata(L, arg);
	int status = lua_pcall(L, 1, n_results, base + 1);
	lua_remove(L, base + 1);
	return status == LUA_OK;
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

int vm_traceback(lua_State *L)
{
	if (vm_error_kind(L, 1)) {
		lua_settop(L, 1);
		return 1;
	}
	const char *text = luaL_tolstring(L, 1, NULL);
	luaL_traceback(L, L, text, 1);
	return 1;
}

bool vm_load_file(lua_State *L, const char *path)
{
	return luaL_loadfilex(L, path, "t") == LUA_OK;
}

static int error_tostring(lua_State *L)
{
	lua_getfield(L, 1, "message");
	return 1;
}

int vm_raise(lua_State *L, const char *kind, const char *message)
{
	lua_createtable(L, 0, 2);
	lua_pushstring(L, kind);
	lua_setfield(L, -2, "kind");
	luaL_where(L, 1);
	lua_pushstring(L, message);
	lua_concat(L, 2);
	lua_setfield(L, -2, "message");
	if (luaL_newmetatable(L, error_type)) {
		lua_pushcfunction(L, error_tostring);
		lua_setfield(L, -2, "__tostring");
	}
	lua_setmetatable(L, -2);
	return lua_error(L);
}
