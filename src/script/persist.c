#include "script/persist.h"

#include "base/mem.h"
#include "script/seen.h"

#include <assert.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES_PER_VALUE = 4096, KEY_SHOWN_BYTES = 40 };

/* One byte says what follows: 8 bytes of a number; a length and bytes; for a table its size, then
 * keys and values in turn, up to the end; the place of a table that was met before. A place is
 * counted in bytes, from the beginning to behind the tag. */
enum tag {
	TAG_NIL = 'n',
	TAG_FALSE = 'f',
	TAG_TRUE = 't',
	TAG_INT = 'i',
	TAG_FLOAT = 'd',
	TAG_STR = 's',
	TAG_TABLE = '{',
	TAG_SHARED = '[', /* a table that is met again */
	TAG_END = '}',
	TAG_AGAIN = 'r'
};

/* Of a table: what it is made for, so that it need not grow. */
struct size {
	uint32_t n_list, n_others;
};

static int put(struct buf *out, enum tag tag, const void *bytes, size_t n)
{
	char *end = buf_reserve(out, 1 + n);
	if (!end)
		return ERR_LIMIT;
	*end = (char)tag;
	if (n)
		memcpy(end + 1, bytes, n);
	buf_commit(out, 1 + n);
	return 0;
}

static int put_table(struct buf *out)
{
	struct size unknown = {0};
	return put(out, TAG_TABLE, &unknown, sizeof(unknown));
}

static int put_str(struct buf *out, struct str s)
{
	uint64_t n = s.n;
	int r = put(out, TAG_STR, &n, sizeof(n));
	return r == 0 ? buf_add(out, s) : r;
}

/* What a step has left is counted in values. */
static void spend(size_t *left, size_t n)
{
	*left -= n < *left ? n : *left;
}

struct open_table {
	size_t place;
	struct size size; /* so far */
};

/* Nothing here may allocate in T's state: the header says why. On T stand, from base on, the table
 * at hand in each depth and the key at which it is, in turn; on top is a key, or the root. */
struct persist_writer {
	lua_State *T;
	struct buf *out;
	const char *what;
	struct err *err;  /* of this step */
	struct seen seen; /* tables */
	size_t start;     /* of what is written, in out */
	size_t left;      /* of this step */
	int base;         /* index of the root */
	int depth;        /* open tables */
	struct open_table open[PERSIST_DEPTH_MAX];
};

static int key_index(const struct persist_writer *w, int depth)
{
	return w->base + 2 * depth - 1;
}

/* Takes the value on top off, unless it is the root. */
static void drop_value(struct persist_writer *w)
{
	lua_settop(w->T, w->depth ? key_index(w, w->depth) : w->base);
}

struct path {
	char text[200];
};

/* A key as it is shown, cut before a character that is not whole. */
static int shown_bytes(const char *key)
{
	int n = (int)strnlen(key, KEY_SHOWN_BYTES);
	if (key[n] == '\0')
		return n;
	while (n > 0 && (key[n] & 0xC0) == 0x80)
		n--;
	return n;
}

static void add_key(struct path *path, lua_State *T, int key)
{
	size_t n = strlen(path->text), room = sizeof(path->text) - n;
	char *end = path->text + n;
	if (lua_type(T, key) == LUA_TSTRING) {
		const char *s = lua_tostring(T, key);
		int shown = shown_bytes(s);
		snprintf(end, room, ".%.*s%s", shown, s, s[shown] ? "..." : "");
	} else if (lua_isinteger(T, key)) {
		snprintf(end, room, "[%lld]", (long long)lua_tointeger(T, key));
	} else if (lua_type(T, key) == LUA_TNUMBER) {
		snprintf(end, room, "[%.14g]", lua_tonumber(T, key));
	} else if (lua_type(T, key) == LUA_TBOOLEAN) {
		snprintf(end, room, "[%s]", lua_toboolean(T, key) ? "true" : "false");
	} else {
		snprintf(end, room, "[%s]", lua_typename(T, lua_type(T, key)));
	}
}

/* Where the writer is: "state.games[3]". */
static struct path path_of(const struct persist_writer *w)
{
	struct path path;
	snprintf(path.text, sizeof(path.text), "%s", w->what);
	for (int depth = 1; depth <= w->depth; depth++)
		add_key(&path, w->T, key_index(w, depth));
	return path;
}

static int too_large(const struct persist_writer *w)
{
	return err_set(w->err, ERR_LIMIT, "%s: too large", w->what);
}

static int write_tag(struct persist_writer *w, enum tag tag, const void *bytes, size_t n)
{
	return put(w->out, tag, bytes, n) == 0 ? 0 : too_large(w);
}

static int write_number(struct persist_writer *w, int index)
{
	if (lua_isinteger(w->T, index)) {
		lua_Integer i = lua_tointeger(w->T, index);
		return write_tag(w, TAG_INT, &i, sizeof(i));
	}
	lua_Number n = lua_tonumber(w->T, index);
	return write_tag(w, TAG_FLOAT, &n, sizeof(n));
}

static int write_str(struct persist_writer *w, int index)
{
	struct str s;
	s.p = lua_tolstring(w->T, index, &s.n);
	spend(&w->left, s.n / BYTES_PER_VALUE);
	return put_str(w->out, s) == 0 ? 0 : too_large(w);
}

static bool is_plain(int type)
{
	return type == LUA_TNIL || type == LUA_TBOOLEAN || type == LUA_TNUMBER ||
	       type == LUA_TSTRING;
}

static int write_plain(struct persist_writer *w, int index)
{
	switch (lua_type(w->T, index)) {
	case LUA_TNIL:
		return write_tag(w, TAG_NIL, NULL, 0);
	case LUA_TBOOLEAN:
		return write_tag(w, lua_toboolean(w->T, index) ? TAG_TRUE : TAG_FALSE, NULL, 0);
	case LUA_TNUMBER:
		return write_number(w, index);
	default:
		return write_str(w, index);
	}
}

static int write_key(struct persist_writer *w, int index)
{
	int type = lua_type(w->T, index);
	if (is_plain(type))
		return write_plain(w, index);
	return err_set(w->err, ERR_INVALID, "%s: a %s as a key cannot be carried over",
		path_of(w).text, lua_typename(w->T, type));
}

static char *bytes_at(const struct persist_writer *w, size_t place)
{
	return w->out->bytes + w->out->start + w->start + place;
}

static int write_again(struct persist_writer *w, uint64_t place)
{
	*(bytes_at(w, place) - 1) = TAG_SHARED;
	drop_value(w);
	return write_tag(w, TAG_AGAIN, &place, sizeof(place));
}

/* The table on top: its pairs follow, unless it was met before. */
static int open_table(struct persist_writer *w)
{
	size_t here = w->out->n - w->start + 1;
	uint64_t place = seen_note(&w->seen, lua_topointer(w->T, -1), here);
	if (place)
		return write_again(w, place);
	if (w->depth == PERSIST_DEPTH_MAX)
		return err_set(w->err, ERR_LIMIT, "%s: more than %d tables deep", path_of(w).text,
			PERSIST_DEPTH_MAX);
	if (!lua_checkstack(w->T, 3))
		return err_set(w->err, ERR_LIMIT, "%s: no memory to look into it", path_of(w).text);
	w->open[w->depth++] = (struct open_table){.place = here};
	lua_pushnil(w->T);
	return put_table(w->out) == 0 ? 0 : too_large(w);
}

static int close_table(struct persist_writer *w)
{
	const struct open_table *t = &w->open[--w->depth];
	memcpy(bytes_at(w, t->place), &t->size, sizeof(t->size));
	drop_value(w);
	return write_tag(w, TAG_END, NULL, 0);
}

/* A list's keys come first, and in order. */
static void count_key(struct persist_writer *w, int key)
{
	struct size *size = &w->open[w->depth - 1].size;
	if (lua_isinteger(w->T, key) && lua_tointeger(w->T, key) == (lua_Integer)size->n_list + 1)
		size->n_list++;
	else
		size->n_others++;
}

static int write_value(struct persist_writer *w)
{
	int type = lua_type(w->T, -1);
	if (type == LUA_TTABLE)
		return open_table(w);
	if (!is_plain(type))
		return err_set(w->err, ERR_INVALID, "%s: a %s cannot be carried over",
			path_of(w).text, lua_typename(w->T, type));
	int r = write_plain(w, -1);
	drop_value(w);
	return r;
}

static int write_next(struct persist_writer *w)
{
	spend(&w->left, 1);
	if (w->depth == 0)
		return write_value(w);
	if (!lua_next(w->T, key_index(w, w->depth) - 1))
		return close_table(w);
	count_key(w, -2);
	int r = write_key(w, -2);
	return r == 0 ? write_value(w) : r;
}

/* Leaves T as it was. */
static void stop_writing(struct persist_writer *w)
{
	if (w->depth)
		lua_settop(w->T, w->base);
	w->depth = 0;
}

static void writer_init(struct persist_writer *w, lua_State *T, struct buf *out, const char *what)
{
	*w = (struct persist_writer){
		.T = T, .out = out, .what = what, .start = out->n, .base = lua_gettop(T)};
}

static void writer_fini(struct persist_writer *w)
{
	stop_writing(w);
	seen_fini(&w->seen);
}

struct persist_writer *persist_writer_new(lua_State *T, struct buf *out, const char *what)
{
	struct persist_writer *w = mem_new(sizeof(*w));
	writer_init(w, T, out, what);
	return w;
}

void persist_writer_free(struct persist_writer *w)
{
	if (!w)
		return;
	writer_fini(w);
	free(w);
}

int persist_writer_step(struct persist_writer *w, size_t n_values, struct err *err)
{
	int r;
	w->left = n_values;
	w->err = err;
	do {
		r = write_next(w);
	} while (r == 0 && w->depth > 0 && w->left > 0);
	if (r == 0)
		return w->depth > 0;
	stop_writing(w);
	buf_truncate(w->out, w->start);
	return r;
}

int persist_encode(lua_State *L, int index, struct buf *out, const char *what, struct err *err)
{
	struct persist_writer w;
	luaL_checkstack(L, 1, "too many values");
	lua_pushvalue(L, index);
	writer_init(&w, L, out, what);
	int r = persist_writer_step(&w, SIZE_MAX, err);
	writer_fini(&w);
	lua_pop(L, 1);
	return r;
}

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
	assert(rest->n >= n);
	struct str s = {rest->p, n};
	*rest = str_skip(*rest, n);
	return s;
}

void persist_reader_init(struct persist_reader *r, struct str bytes)
{
	*r = (struct persist_reader){.begin = bytes.p, .rest = bytes};
}

void persist_reader_fini(struct persist_reader *r, lua_State *L)
{
	if (r->n_kept) {
		lua_pushnil(L);
		lua_rawsetp(L, LUA_REGISTRYINDEX, r);
	}
	*r = (struct persist_reader){0};
}

/* Within a step the stack is: the shared tables by their places; the open table of each depth with
 * the key that the next one is for, in turn. Between two steps all these are in a list in the
 * registry. */
static void unpack(const struct persist_reader *r, lua_State *L)
{
	luaL_checkstack(L, r->n_kept + 6, "too deep");
	if (r->n_kept == 0) {
		lua_newtable(L);
		return;
	}
	lua_rawgetp(L, LUA_REGISTRYINDEX, r);
	int list = lua_gettop(L);
	for (int i = 1; i <= r->n_kept; i++)
		lua_rawgeti(L, list, i);
	lua_remove(L, list);
}

/* Takes all above index base off the stack. */
static void pack(struct persist_reader *r, lua_State *L, int base)
{
	int n = lua_gettop(L) - base;
	if (r->n_kept == 0) {
		lua_createtable(L, n, 0);
		lua_pushvalue(L, -1);
		lua_rawsetp(L, LUA_REGISTRYINDEX, r);
		r->n_kept = n;
	} else {
		lua_rawgetp(L, LUA_REGISTRYINDEX, r);
	}
	lua_insert(L, base + 1);
	for (int i = n; i > 0; i--)
		lua_rawseti(L, base + 1, i);
	r->n_kept = n;
	lua_settop(L, base);
}

static void push_number(struct persist_reader *r, lua_State *L, enum tag tag)
{
	lua_Integer i;
	lua_Number n;
	if (tag == TAG_INT) {
		take(&r->rest, &i, sizeof(i));
		lua_pushinteger(L, i);
	} else {
		take(&r->rest, &n, sizeof(n));
		lua_pushnumber(L, n);
	}
}

static void push_str(struct persist_reader *r, lua_State *L, size_t *left)
{
	struct str s = take_str(&r->rest);
	spend(left, s.n / BYTES_PER_VALUE);
	lua_pushlstring(L, s.p, s.n);
}

static void push_again(struct persist_reader *r, lua_State *L, int shared)
{
	lua_Integer place;
	take(&r->rest, &place, sizeof(place));
	lua_rawgeti(L, shared, place);
}

/* An empty one: its pairs follow. */
static void push_table(struct persist_reader *r, lua_State *L, enum tag tag, int shared)
{
	lua_Integer place = r->rest.p - r->begin;
	struct size size;
	take(&r->rest, &size, sizeof(size));
	luaL_checkstack(L, 6, "too deep");
	lua_createtable(L, (int)size.n_list, (int)size.n_others);
	if (tag == TAG_SHARED) {
		lua_pushvalue(L, -1);
		lua_rawseti(L, shared, place);
	}
	r->depth++;
}

/* Pushes what follows; at the end of a table that is the table, which stands on top already. */
static enum tag push_next(struct persist_reader *r, lua_State *L, int shared, size_t *left)
{
	enum tag tag = take_tag(&r->rest);
	switch (tag) {
	case TAG_NIL:
		lua_pushnil(L);
		break;
	case TAG_FALSE:
	case TAG_TRUE:
		lua_pushboolean(L, tag == TAG_TRUE);
		break;
	case TAG_INT:
	case TAG_FLOAT:
		push_number(r, L, tag);
		break;
	case TAG_STR:
		push_str(r, L, left);
		break;
	case TAG_AGAIN:
		push_again(r, L, shared);
		break;
	case TAG_TABLE:
	case TAG_SHARED:
		push_table(r, L, tag, shared);
		break;
	case TAG_END:
		r->depth--;
		break;
	}
	return tag;
}

/* A pair, up to its end or to where its table begins; or the end of a table. */
static void read_next(struct persist_reader *r, lua_State *L, int shared, size_t *left)
{
	enum tag tag = TAG_NIL;
	spend(left, 1);
	if (r->depth > 0)
		tag = push_next(r, L, shared, left);
	if (tag != TAG_END)
		tag = push_next(r, L, shared, left);
	if (tag != TAG_TABLE && tag != TAG_SHARED && r->depth > 0)
		lua_rawset(L, -3);
}

bool persist_reader_step(struct persist_reader *r, lua_State *L, size_t n_values)
{
	int base = lua_gettop(L), shared = base + 1;
	unpack(r, L);
	do {
		read_next(r, L, shared, &n_values);
	} while (r->depth > 0 && n_values > 0);
	if (r->depth > 0) {
		pack(r, L, base);
		return false;
	}
	lua_remove(L, shared);
	persist_reader_fini(r, L);
	return true;
}

void persist_decode(lua_State *L, struct str bytes)
{
	struct persist_reader r;
	persist_reader_init(&r, bytes);
	persist_reader_step(&r, L, SIZE_MAX);
}

/* C writes facts of bounded size: there is always room. */
static void must(int r)
{
	assert(r == 0);
	(void)r;
}

void persist_open(struct buf *out)
{
	must(put_table(out));
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
	struct size size;
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
		out->type = VALUE_FLOAT;
		take(rest, &out->number, sizeof(out->number));
		return true;
	case TAG_STR:
		out->type = VALUE_STR;
		out->str = take_str(rest);
		return true;
	case TAG_TABLE:
	case TAG_SHARED:
		take(rest, &size, sizeof(size));
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
	struct size size;
	if (bytes.n == 0)
		return false;
	enum tag tag = take_tag(&bytes);
	if (tag != TAG_TABLE && tag != TAG_SHARED)
		return false;
	take(&bytes, &size, sizeof(size));
	while (take_value(&bytes, &k)) {
		take_value(&bytes, out);
		if (k.type == VALUE_STR && str_eq(k.str, key))
			return true;
	}
	return false;
}
