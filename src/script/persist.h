/*
 * persist: plain Lua values as bytes, and back.
 *
 * The one form in which a value leaves a script: for the events of one's own, and for what is
 * handed from one state to another. Plain are nil, booleans, numbers, strings, and tables of these
 * whose keys are strings, numbers or booleans; a table that is met again, in a cycle or shared,
 * stays one table. Metatables are not looked at.
 *
 * A small value is written and read at once (persist_encode, persist_decode), a large one in steps,
 * between which the loop turns. A step ends after so many values: pairs, and ends of tables; a
 * string counts one more for each 4 KB, and is never divided. Nor is what Lua does in one go: to
 * make a table in its size.
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

/*
 * The writer needs no memory of the state and never raises: it may be called outside of protected
 * code (vm.h), and on a state that has none left. The exception is the stack of T, which has to
 * hold two values for each table that is open: where T was made with room for PERSIST_SLOTS
 * (lua_checkstack), it always does.
 */
enum { PERSIST_SLOTS = 2 * PERSIST_DEPTH_MAX + LUA_MINSTACK };

struct persist_writer;

/* Of the value on top of T, to the end of out. Borrows T, out and what until it is freed: T is
 * anchored, nothing else uses it or out, and the tables that the value reaches do not change. What
 * runs in the state meanwhile makes no tables if one of these is weak: a new one could be taken for
 * one that was collected. */
struct persist_writer *persist_writer_new(lua_State *T, struct buf *out, const char *what);

/* 1: there is more; else it is over, T's stack as it was: 0, all is written, or as persist_encode
 * fails, also with ERR_LIMIT where T's stack cannot grow. */
NODISCARD int persist_writer_step(struct persist_writer *w, size_t n_values, struct err *err);

/* Also midway: T's stack is then as it was, and what is written stays in out. Before the state is
 * dropped. */
void persist_writer_free(struct persist_writer *w);

/* The reader is embedded by its caller, and does not move. It owns nothing outside of the state:
 * what it has under way between two steps is kept in the registry, by its address. */
struct persist_reader {
	const char *begin; /* of the bytes, which are borrowed */
	struct str rest;
	int depth;  /* open tables */
	int n_kept; /* values in the registry */
};

/* Borrows bytes until it is over. */
void persist_reader_init(struct persist_reader *r, struct str bytes);

/* True: the value is whole, and pushed. May raise out of memory; then it can only be given up. */
bool persist_reader_step(struct persist_reader *r, lua_State *L, size_t n_values);

/* Gives up midway, for which no memory is needed. Not needed where it came to its end, or where the
 * state is dropped. */
void persist_reader_fini(struct persist_reader *r, lua_State *L);

void persist_open(struct buf *out);
void persist_close(struct buf *out);
void persist_put_str(struct buf *out, struct str s);
void persist_put_int(struct buf *out, int64_t i);
void persist_put_bool(struct buf *out, bool b);

/* Reads the value at a string key of the table that bytes hold, without Lua: false when there is
 * none. A number with a fraction, and a table, are VALUE_NONE. */
bool persist_find(struct str bytes, struct str key, struct value *out);

#endif
