/*
 * lib_state: what a script leaves to its next generation.
 *
 * `state` is a table that is there before the main chunk runs. It is no value of the table of
 * globals but behind it, so that to assign the name is an error; where a script gives its globals a
 * metatable of its own it becomes an ordinary global.
 */
#ifndef EBB_SCRIPT_LIB_STATE_H
#define EBB_SCRIPT_LIB_STATE_H

#include "script/script.h"

/* Takes the table on top as the script's `state`. In protected code. */
void state_put(lua_State *L);

/* Pushes the script's `state` onto its carrier; raises where the script has put something else in
 * its place. In protected code. */
void state_push(lua_State *L);

/* Where the table at index is that of the globals: it lets go of its metatable, if that is ebb's.
 * In protected code. */
void state_leave_globals(lua_State *L, int index);

#endif
