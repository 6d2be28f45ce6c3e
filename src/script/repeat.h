/*
 * repeat: makes what a script does the same each time, for tests.
 *
 * Lua seeds math.random by chance, and the order in which pairs walks a table depends on where the
 * process was loaded. With repeat_open random numbers follow from a seed, and pairs walks numbers
 * by value, then texts by their bytes, then false and true, then the rest as `next` has it.
 */
#ifndef EBB_SCRIPT_REPEAT_H
#define EBB_SCRIPT_REPEAT_H

#include <lua.h>
#include <stdint.h>

/* In protected code, after sandbox_open. */
void repeat_open(lua_State *L, uint64_t seed);

/* Pushes the list of the keys of the table at index, in that order, and returns how many. */
int repeat_push_keys(lua_State *L, int index);

#endif
