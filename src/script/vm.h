/*
 * vm: one lua_State, and the way into it from C.
 *
 * A lua_State may leave any function that allocates by longjmp, so C enters it in two ways only:
 * by a task's lua_resume (task.h), or through vm_call. Outside of these, nothing that can allocate
 * or raise is called.
 */
#ifndef EBB_SCRIPT_VM_H
#define EBB_SCRIPT_VM_H

#include "base/err.h"
#include "script/arena.h"

#include <lua.h>
#include <stdbool.h>

struct vm {
	lua_State *L;
	struct arena arena;
};

/* False: no memory. Embedded in its script; does not move. Its arena is there already, and the
 * state is dropped with it, as it is: no finalizer runs, so what C owns for it is released before
 * (resource.h). */
bool vm_init(struct vm *vm);

/* The vm that any thread of its state belongs to. */
struct vm *vm_of(lua_State *L);

/* Calls fn(arg), arg as a light userdata at index 1, with n_results results left on the stack.
 * On failure the error is left there instead, as text with its traceback, or nil where it has none,
 * and false returned. Where the script was stopped, the log tells of it already, and it has none.
 */
bool vm_call(lua_State *L, lua_CFunction fn, void *arg, int n_results);

/* The same with the n_args values on top, which it takes, as the arguments behind arg. */
bool vm_call_with(lua_State *L, lua_CFunction fn, void *arg, int n_args, int n_results);

/* Takes the error that vm_call left, and gives its first line, without the traceback. */
int vm_take_error(lua_State *L, struct err *err);

/* A message handler: leaves the error as it is, and notes where it was thrown. An error that is
 * raised again keeps its first traceback, and the second follows it. */
int vm_traceback(lua_State *L);

/* Pushes the traceback noted for the error at index, or nil. */
void vm_push_traceback(lua_State *L, int index);

/* Notes the text on top, or nil, as the traceback of the error at index, and takes it off. */
void vm_set_traceback(lua_State *L, int index);

/* The error of which it was noted last is done with. Needs no memory. */
void vm_forget_traceback(lua_State *L);

/* Pushes the error at index as text with its traceback, which is forgotten then. */
void vm_push_error_text(lua_State *L, int index);

/* Loads the text of a file as a function onto the stack. An error is left there as text. */
bool vm_load_file(lua_State *L, const char *path);

/* The same for a text, which errors call by name. */
bool vm_load_text(lua_State *L, const char *text, const char *name);

/* Raises the error object with this kind, an err_name, and message: what sends raises it. */
int vm_raise(lua_State *L, const char *kind, const char *message);

/* The same with the text on top as the message, without a place before it. */
int vm_raise_text(lua_State *L, const char *kind);

/* Whether the value at index is such an object; then its kind is pushed. */
bool vm_error_kind(lua_State *L, int index);

#endif
