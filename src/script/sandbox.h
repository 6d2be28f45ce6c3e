/*
 * sandbox: what a script sees of Lua's standard library.
 *
 * base without dofile and loadfile, and with text chunks only; table, string without dump, math
 * and utf8. os is ebb's own (lib_os.c). There is no io, package, debug or coroutine.
 */
#ifndef EBB_SCRIPT_SANDBOX_H
#define EBB_SCRIPT_SANDBOX_H

#include <lua.h>

/* In protected code. */
void sandbox_open(lua_State *L);

#endif
