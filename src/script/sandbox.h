/*
 * sandbox: what a script sees of Lua's standard library.
 *
 * What does not follow from its trust: base; table, string without dump, math and utf8. What is
 * ebb's own comes after it: load (lib_load.c), os, io and debug (lib_os.c, lib_io.c, lib_debug.c),
 * require (require.h). There is no package: no script loads C.
 */
#ifndef EBB_SCRIPT_SANDBOX_H
#define EBB_SCRIPT_SANDBOX_H

#include <lua.h>

/* In protected code. */
void sandbox_open(lua_State *L);

#endif
