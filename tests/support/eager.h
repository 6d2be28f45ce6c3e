/*
 * eager: a library of ebb's once more, in which it is always others' turn.
 *
 * To be included before the source file of the library, whose functions for others are to get other
 * names. A thread may yield wherever Lua lets it.
 */
#ifndef EBB_TESTS_EAGER_H
#define EBB_TESTS_EAGER_H

#include "script/slice.h"

#define slice_is_due eager_is_due
#define slice_yield  eager_yield

extern int eager_turns; /* that were given to others */

bool eager_is_due(lua_State *L);
int eager_yield(lua_State *L, lua_KContext context, lua_KFunction k);

#endif
