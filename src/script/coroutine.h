/*
 * coroutine: the table `coroutine` of scripts.
 *
 * As the reference manual has it (section 6.2), and a coroutine may pause: what pauses within it
 * suspends its task, not the coroutine, which goes on where it was when the task does. For its
 * script a coroutine that is paused is "normal": only its own task goes on with it.
 */
#ifndef EBB_SCRIPT_COROUTINE_H
#define EBB_SCRIPT_COROUTINE_H

#include <lua.h>

/* In protected code. */
void coroutine_open(lua_State *L);

#endif
