#include "script/persist.h"

#include <assert.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

/* One byte says what follows: 8 bytes of a number; a length and bytes; for a table the keys and
 * values in turn, up to the end; the number of a table that was met before. */
enum tag {
	TAG_NIL = 'n',
	TAG_FALSE = 'f',
	TAG_TRUE = 't',
	TAG_INT = 'i',
	TAG_FLOAT = 'd',
	TAG_STR = 's',
	TAG_TABLE = '{',
	TAG_END = '}',
	TAG_AGAIN = 'r'
};

struct encoder {
	lua_State *L;
	struct buf *out;
	struct err *err;
	int seen;       /* index of the table: table to its number */
	lua_Integer n;  /* tables so far */
	char path[200]; /* of the value that is being encoded */
};

static int put(struct buf *out, enum tag tag, const void *bytes, size_t n)
{
	char t = (char)tag;
	int r = buf_add(out, (struct str){&t, 1});
	return r == 0 ? buf_add(out, (struct str){bytes, n}) : r;
}

static int put_str(struct buf *out, struct str s)
{
	uint64_t n = s.n;
	int r = put(out, TAG_STR, &n, sizeof(n));
	return r == 0 ? buf_add(out, s) : r;
}

static int put_number(struct encoder *e, int index)
{
	if (lua_isinteger(e->L, index)) {
		lua_Integer i = lua_tointeger(e->L, index);
		return put(e->out, TAG_INT, &i, sizeof(i));
	}
	lua_Number n = lua_tonumber(e->L, index);
	return put(e->out, TAG_FLOAT, &n, sizeof(n));
}

static int encode(struct encoder *e, int index, int depth);

/* Appends ".key" to the path; returns its old length, to cut it back to. */
static size_t enter_path(struct encoder *e, int key)
{
	size_t n = strlen(e->path);
	char *end = e->path + n;
	size_t room = sizeof(e->path) - n;
	if (lua_type(e->L, key) == LUA_TSTRING)
		snprintf(end, room, ".%s", lua_tostring(e->L, key));
	else if (lua_isinteger(e->L, key))
		snprintf(end, room, "[%lld]", (long long)lua_tointeger(e->L, key));
	else
		snprintf(end, room, "[%s]", luaL_typename(e->L, key));
	return n;
}

static int encode_key(struct encoder *e, int key)
{
	switch (lua_type(e->L, key)) {
	case LUA_TSTRING:
	case LUA_TNUMBER:
	case LUA_TBOOLEAN:
		return encode(e, key, 0);
	default:
		return err_set(e->err, ERR_INVALID, "%s: a %s as a key cannot be carried over",
			e->path, luaL_typename(e->L, key));
	}
}

static int encode_pairs(struct encoder *e, int index, int depth)
{
	int r = put(e->out, TAG_TABLE, NULL, 0);
	lua_pushnil(e->L);
	while (r == 0 && lua_next(e->L, index)) {
		int value = lua_gettop(e->L);
		size_t path_n = enter_path(e, value - 1);
		r = encode_key(e, value - 1);
		if (r == 0)
			r = encode(e, value, depth + 1);
		e->path[path_n] = '\0';
		lua_settop(e->L, value - 1);
	}
	return r == 0 ? put(e->out, TAG_END, NULL, 0) : r;
}

static int encode_table(struct encoder *e, int index, int depth)
{
	if (depth > PERSIST_DEPTH_MAX)
		return err_set(e->err, ERR_LIMIT, "%s: more than %d tables deep", e->path,
			PERSIST_DEPTH_MAX);
	luaL_checkstack(e->L, 4, "too deep");
	lua_pushvalue(e->L, index);
	if (lua_rawget(e->L, e->seen) != LUA_TNIL) {
		lua_Integer number = lua_tointeger(e->L, -1);
		lua_pop(e->L, 1);
		return put(e->out, TAG_AGAIN, &number, sizeof(number));
	}
	lua_pop(e->L, 1);
	lua_pushvalue(e->L, index);
	lua_pushinteger(e->L, ++e->n);
	lua_rawset(e->L, e->seen);
	int top = lua_gettop(e->L);
	int r = encode_pairs(e, index, depth);
	lua_settop(e->L, top);
	return r;
}

static int encode(struct encoder *e, int index, int depth)
{
	size_t n;
	switch (lua_type(e->L, index)) {
	case LUA_TNIL:
		return put(e->out, TAG_NIL, NULL, 0);
	case LUA_TBOOLEAN:
		return put(e->out, lua_toboolean(e->L, index) ? TAG_TRUE : TAG_FALSE, NULL, 0);
	case LUA_TNUMBER:
		return put_number(e, index);
	case LUA_TSTRING: {
		const char *p = lua_tolstring(e->L, index, &n);
		return put_str(e->out, (struct str){p, n});
	}
	case LUA_TTABLE:
		return encode_table(e, index, depth);
	default:
		return err_set(e->err, ERR_INVALID, "%s: a %s cannot be carried over", e->path,
			luaL_typename(e->L, index));
	}
}

int persist_encode(lua_State *L, int index, struct buf *out, const char *what, struct err *err)
{
	struct encoder e = {.L = L, .out = out, .err = err};
	struct err own = {0};
	if (!err)
		e.err = &own;
	e.err->code = 0;
	size_t start = out->n;
	index = lua_absindex(L, index);
	snprintf(e.path, sizeof(e.path), "%s", what);
	lua_newtable(L);
	e.seen = lua_gettop(L);
	int r = encode(&e, index, 1);
	lua_settop(L, e.seen - 1);
	if (r == 0)
		return 0;
	buf_truncate(out, start);
	if (e.err->code == 0)
		err_set(e.err, r, "%s: too large", what);
	return r;
}

struct decoder {
	lua_State *L;
	struct str rest;
	int seen;
	lua_Integer n;
};

static void take(struct str *rest, void *out, size_t n)
{
	assert(rest->n >= n);
	memcpy(out, rest->p, n);
	*rest = str_skip(*rest, n);
}

static enum tag take_tag(struct str *rest)
{
	char tag;
	take(rest, &tag, 1);
	return (enum tag)tag;
}

static struct str take_str(struct str *rest)
{
	uint64_t n;
	take(rest, &n, sizeof(n));
	struct str s = {rest->p, n};
	*rest = str_skip(*rest, n);
	return s;
}

static bool decode(struct decoder *d);

static void decode_table(struct decoder *d)
{
	luaL_checkstack(d->L, 4, "too deep");
	lua_newtable(d->L);
	lua_pushvalue(d->L, -1);
	lua_rawseti(d->L, d->seen, ++d->n);
	while (decode(d)) {
		decode(d);
		lua_rawset(d->L, -3);
	}
}

/* Pushes the next value; at the end of a table it pushes nothing and returns false. */
static bool decode(struct decoder *d)
{
	lua_Integer i;
	lua_Number n;
	struct str s;
	enum tag tag = take_tag(&d->rest);
	switch (tag) {
	case TAG_NIL:
		lua_pushnil(d->L);
		return true;
	case TAG_FALSE:
	case TAG_TRUE:
		lua_pushboolean(d->L, tag == TAG_TRUE);
		return true;
	case TAG_INT:
		take(&d->rest, &i, sizeof(i));
		lua_pushinteger(d->L, i);
		return true;
	case TAG_FLOAT:
		take(&d->rest, &n, sizeof(n));
		lua_pushnumber(d->L, n);
		return true;
	case TAG_STR:
		s = take_str(&d->rest);
		lua_pushlstring(d->L, s.p, s.n);
		return true;
	case TAG_TABLE:
		decode_table(d);
		return true;
	case TAG_AGAIN:
		take(&d->rest, &i, sizeof(i));
		lua_rawgeti(d->L, d->seen, i);
		return true;
	case TAG_END:
		return false;
	}
	return false;
}

void persist_decode(lua_State *L, struct str bytes)
{
	struct decoder d = {.L = L, .rest = bytes};
	lua_newtable(L);
	d.seen = lua_gettop(L);
	decode(&d);
	lua_remove(L, d.seen);
}

/* C writes facts of bounded size: there is always room. */
static void must(int r)
{
	assert(r == 0);
	(void)r;
}

void persist_open(struct buf *out)
{
	must(put(out, TAG_TABLE, NULL, 0));
}

void persist_close(struct buf *out)
{
	must(put(out, TAG_END, NULL, 0));
}

void persist_put_str(struct buf *out, struct str s)
{
	must(put_str(out, s));
}

void persist_put_int(struct buf *out, int64_t i)
{
	must(put(out, TAG_INT, &i, sizeof(i)));
}

void persist_put_bool(struct buf *out, bool b)
{
	must(put(out, b ? TAG_TRUE : TAG_FALSE, NULL, 0));
}

/* Takes one value off; a table is passed over. False at the end of a table. */
static bool take_value(struct str *rest, struct value *out)
{
	double number;
	enum tag tag = take_tag(rest);
	*out = (struct value){.type = VALUE_NONE};
	switch (tag) {
	case TAG_NIL:
		return true;
	case TAG_FALSE:
	case TAG_TRUE:
		*out = (struct value){.type = VALUE_BOOL, .integer = tag == TAG_TRUE};
		return true;
	case TAG_INT:
	case TAG_AGAIN:
		out->type = tag == TAG_INT ? VALUE_INT : VALUE_NONE;
		take(rest, &out->integer, sizeof(out->integer));
		return true;
	case TAG_FLOAT:
		take(rest, &number, sizeof(number));
		return true;
	case TAG_STR:
		out->type = VALUE_STR;
		out->str = take_str(rest);
		return true;
	case TAG_TABLE:
		while (take_value(rest, out)) {
		}
		out->type = VALUE_NONE;
		return true;
	case TAG_END:
		return false;
	}
	return false;
}

bool persist_find(struct str bytes, struct str key, struct value *out)
{
	struct value k;
	if (bytes.n == 0 || take_tag(&bytes) != TAG_TABLE)
		return false;
	while (take_value(&bytes, &k)) {
		take_value(&bytes, out);
		if (k.type == VALUE_STR && str_eq(k.str, key))
			return true;
	}
	return false;
}
