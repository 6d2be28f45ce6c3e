/*
 * slice: a script's share of the loop.
 */
#ifndef EBB_SCRIPT_SLICE_H
#define EBB_SCRIPT_SLICE_H

#include <lua.h>
#include <stdbool.h>

/* Whether a C function that works for long may give others a turn here: the script goes on later,
 * and notices nothing. */
bool slice_may_yield(lua_State *L);

/* Gives the turn; the C function returns what this returns, and k goes on with context, its stack
 * as it was. Only where slice_may_yield. */
int slice_yield(lua_State *L, lua_KContext context, lua_KFunction k);

#endif
