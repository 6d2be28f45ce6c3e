/*
 * persist: plain Lua values as bytes, and back.
 *
 * The one form in which a value leaves a script: for the events of one's own. Plain are nil,
 * booleans, numbers, strings, and tables of these whose keys are strings, numbers or booleans;
 * a table that is met again, in a cycle or shared, stays one table. Metatables are not looked at.
 *
 * C writes events of its own with the persist_put functions: persist_open, then a key and a
 * value in turn, then persist_close.
 */
#ifndef EBB_SCRIPT_PERSIST_H
#define EBB_SCRIPT_PERSIST_H

#include "base/buf.h"
#include "base/err.h"
#include "irc/fields.h"

#include <lua.h>

enum { PERSIST_DEPTH_MAX = 60, PERSIST_BYTES_MAX = 1024 * 1024 };

/* Appends the value at index. ERR_INVALID for what cannot be carried: the text names the path,
 * which begins with what. ERR_LIMIT when it is too deep, or out is full. Out is then as it was. May
 * raise out of memory; owns nothing meanwhile. */
NODISCARD int persist_encode(
	lua_State *L, int index, struct buf *out, const char *what, struct err *err);

/* Pushes the value that bytes hold. May raise out of memory. */
void persist_decode(lua_State *L, struct str bytes);

void persist_open(struct buf *out);
void persist_close(struct buf *out);
void persist_put_str(struct buf *out, struct str s);
void persist_put_int(struct buf *out, int64_t i);
void persist_put_bool(struct buf *out, bool b);

/* Reads the value at a string key of the table that bytes hold, without Lua: false when there is
 * none. A number with a fraction, and a table, are VALUE_NONE. */
bool persist_find(struct str bytes, struct str key, struct value *out);

#endif
