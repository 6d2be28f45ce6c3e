/*
 * show: a value of Lua as text for a person: as one would write it, cut where it is long or deep.
 */
#ifndef EBB_SCRIPT_SHOW_H
#define EBB_SCRIPT_SHOW_H

#include <lua.h>

/* Pushes the text of the value at index. In protected code. */
void show_push(lua_State *L, int index);

#endif
