#include "script/modules.h"
#include "script/slice.h"

#include <limits.h>
#include <stdbool.h>

/*
 * table, but for pack: functions that are as the standard library's, and no script can hold the
 * daemon up with. What they work on is limited, and long work gives others a turn. A function's
 * arguments and what it must know after a turn are on the stack, in an order of its own.
 */

enum {
	MAX_ELEMENTS = 10000000,
	MAX_SORTED = 1000000,
	MAX_JOINED = 1000000,
	MAX_JOINED_BYTES = 16 * 1024 * 1024,
	STEPS_PER_TURN = 1000,
	SORT_RUN = 16,        /* elements that are put in order as they are read */
	BYTES_PER_STEP = 1024 /* of strings that are compared */
};

/* What a function does with a table: one that is none needs the metamethods for it. */
enum { READS = 1, WRITES = 2, MEASURES = 4 };

static void check_table(lua_State *L, int arg, unsigned uses)
{
	static const struct {
		unsigned use;
		const char *metamethod;
	} needs[] = {
		{READS,    "__index"   },
		{WRITES,   "__newindex"},
		{MEASURES, "__len"     },
	};
	if (lua_istable(L, arg))
		return;
	for (size_t i = 0; i < COUNTOF(needs); i++) {
		if (!(uses & needs[i].use))
			continue;
		if (luaL_getmetafield(L, arg, needs[i].metamethod) == LUA_TNIL)
			luaL_checktype(L, arg, LUA_TTABLE);
		lua_pop(L, 1);
	}
}

static void check_span(lua_State *L, const char *who, lua_Integer first, lua_Integer last, int max)
{
	if (first <= last && (lua_Unsigned)last - (lua_Unsigned)first >= (lua_Unsigned)max)
		luaL_error(L, "table.%s: more than %d elements", who, max);
}

/* The length of the first argument. */
static lua_Integer check_length(lua_State *L, const char *who, unsigned uses, int max)
{
	check_table(L, 1, uses | MEASURES);
	lua_Integer n = luaL_len(L, 1);
	check_span(L, who, 1, n, max);
	return n;
}

/* Elements to be moved between tables, which have these places on the stack. */
struct move {
	int source, target;
	lua_Integer from, to, n;
	bool is_backward; /* the last one goes first */
};

/* Goes on after the first so many steps. Returns how many are done: n, or it is others' turn. */
static lua_Integer move_on(lua_State *L, const struct move *m, lua_Integer done)
{
	while (done < m->n) {
		lua_Integer i = m->is_backward ? m->n - 1 - done : done;
		lua_geti(L, m->source, m->from + i);
		lua_seti(L, m->target, m->to + i);
		if (++done % STEPS_PER_TURN == 0 && slice_is_due(L))
			break;
	}
	return done;
}

/* On the stack: table, position, value, length of the table. */
static int insert_on(lua_State *L, int status, lua_KContext done)
{
	(void)status;
	lua_Integer position = lua_tointeger(L, 2), n = lua_tointeger(L, 4);
	struct move m = {1, 1, position, position + 1, n - position + 1, true};
	done = move_on(L, &m, done);
	if (done < m.n)
		return slice_yield(L, done, insert_on);
	lua_settop(L, 3);
	lua_seti(L, 1, position);
	return 0;
}

static int table_insert(lua_State *L)
{
	lua_Integer n = check_length(L, "insert", READS | WRITES, MAX_ELEMENTS), position = n + 1;
	if (lua_gettop(L) == 3) {
		position = luaL_checkinteger(L, 2);
		luaL_argcheck(L, (lua_Unsigned)position - 1 < (lua_Unsigned)n + 1, 2,
			"position out of bounds");
	} else if (lua_gettop(L) != 2) {
		return luaL_error(L, "wrong number of arguments to 'insert'");
	}
	check_span(L, "insert", position, n, MAX_ELEMENTS);
	if (position <= n) {
		lua_pushinteger(L, n);
		return insert_on(L, LUA_OK, 0);
	}
	lua_seti(L, 1, position);
	return 0;
}

/* On the stack: table, the value that is removed, its position, length of the table. */
static int remove_on(lua_State *L, int status, lua_KContext done)
{
	(void)status;
	lua_Integer position = lua_tointeger(L, 3), n = lua_tointeger(L, 4);
	struct move m = {1, 1, position + 1, position, n - position, false};
	done = move_on(L, &m, done);
	if (done < m.n)
		return slice_yield(L, done, remove_on);
	lua_pushnil(L);
	lua_seti(L, 1, n);
	lua_settop(L, 2);
	return 1;
}

static int table_remove(lua_State *L)
{
	lua_Integer n = check_length(L, "remove", READS | WRITES, MAX_ELEMENTS);
	lua_Integer position = luaL_optinteger(L, 2, n);
	luaL_argcheck(L, position == n || (lua_Unsigned)position - 1 <= (lua_Unsigned)n, 1,
		"position out of bounds");
	check_span(L, "remove", position, n, MAX_ELEMENTS);
	lua_settop(L, 1);
	lua_geti(L, 1, position);
	if (position < n) {
		lua_pushinteger(L, position);
		lua_pushinteger(L, n);
		return remove_on(L, LUA_OK, 0);
	}
	lua_pushnil(L);
	lua_seti(L, 1, position);
	return 1;
}

/* On the stack: source, first, last, place of the first, target, whether to go backward. */
static int copy_on(lua_State *L, int status, lua_KContext done)
{
	(void)status;
	lua_Integer first = lua_tointeger(L, 2), last = lua_tointeger(L, 3);
	struct move m = {1, 5, first, lua_tointeger(L, 4), last - first + 1, lua_toboolean(L, 6)};
	done = move_on(L, &m, done);
	if (done < m.n)
		return slice_yield(L, done, copy_on);
	lua_settop(L, 5);
	return 1;
}

static int table_move(lua_State *L)
{
	lua_Integer first = luaL_checkinteger(L, 2), last = luaL_checkinteger(L, 3);
	lua_Integer to = luaL_checkinteger(L, 4);
	int target = lua_isnoneornil(L, 5) ? 1 : 5;
	check_table(L, 1, READS);
	check_table(L, target, WRITES);
	lua_settop(L, 5);
	if (target == 1) {
		lua_pushvalue(L, 1);
		lua_replace(L, 5);
	}
	if (last < first)
		return 1;
	luaL_argcheck(
		L, first > 0 || last < LUA_MAXINTEGER + first, 3, "too many elements to move");
	luaL_argcheck(L, to <= LUA_MAXINTEGER - (last - first), 4, "destination wrap around");
	check_span(L, "move", first, last, MAX_ELEMENTS);
	bool is_free = to > last || to <= first; /* no element goes where one is still to be read */
	lua_pushboolean(L, !is_free && (target == 1 || lua_compare(L, 1, 5, LUA_OPEQ)));
	return copy_on(L, LUA_OK, 0);
}

/* On the stack: table, separator, first, number of elements; then the strings so far, each of the
 * elements of a turn. */
enum { JOIN_FIRST = 3, JOIN_COUNT, JOIN_OTHERS };

/* Pushes a string of the next elements, each but the very last followed by the separator. Returns
 * how many are done. */
static lua_Integer join_some(lua_State *L, lua_Integer done)
{
	lua_Integer first = lua_tointeger(L, JOIN_FIRST), n = lua_tointeger(L, JOIN_COUNT);
	size_t separator_bytes, bytes, total = 0;
	const char *separator = lua_tolstring(L, 2, &separator_bytes);
	luaL_Buffer b;
	for (int i = JOIN_OTHERS; i <= lua_gettop(L); i++)
		total += lua_rawlen(L, i);
	luaL_buffinit(L, &b);
	do {
		lua_geti(L, 1, first + done);
		if (!lua_isstring(L, -1))
			luaL_error(L, "invalid value (%s) at index %I in table for 'concat'",
				luaL_typename(L, -1), (LUAI_UACINT)(first + done));
		lua_tolstring(L, -1, &bytes);
		done++;
		total += bytes + (done < n ? separator_bytes : 0);
		if (total > MAX_JOINED_BYTES)
			luaL_error(L, "table.concat: more than %d bytes", MAX_JOINED_BYTES);
		luaL_addvalue(&b);
		if (done < n)
			luaL_addlstring(&b, separator, separator_bytes);
	} while (done < n && done % STEPS_PER_TURN != 0);
	luaL_pushresult(&b);
	return done;
}

static int join_on(lua_State *L, int status, lua_KContext done)
{
	(void)status;
	while (done < lua_tointeger(L, JOIN_COUNT)) {
		luaL_checkstack(L, LUA_MINSTACK, "too many strings to join");
		done = join_some(L, done);
		if (slice_is_due(L))
			return slice_yield(L, done, join_on);
	}
	lua_concat(L, lua_gettop(L) - JOIN_COUNT);
	return 1;
}

static int table_concat(lua_State *L)
{
	lua_Integer n = check_length(L, "concat", READS, MAX_ELEMENTS);
	luaL_optstring(L, 2, "");
	lua_Integer first = luaL_optinteger(L, 3, 1), last = luaL_optinteger(L, 4, n);
	check_span(L, "concat", first, last, MAX_JOINED);
	lua_settop(L, 2);
	if (lua_isnil(L, 2)) {
		lua_pushliteral(L, "");
		lua_replace(L, 2);
	}
	lua_pushinteger(L, first);
	lua_pushinteger(L, first <= last ? last - first + 1 : 0);
	return join_on(L, LUA_OK, 0);
}

/* On the stack: table, first, number of results, the results so far. */
static int unpack_on(lua_State *L, int status, lua_KContext done)
{
	(void)status;
	lua_Integer first = lua_tointeger(L, 2), n = lua_tointeger(L, 3);
	while (done < n) {
		lua_geti(L, 1, first + done);
		if (++done % STEPS_PER_TURN == 0 && slice_is_due(L))
			return slice_yield(L, done, unpack_on);
	}
	return (int)n;
}

static int table_unpack(lua_State *L)
{
	lua_Integer first = luaL_optinteger(L, 2, 1);
	lua_Integer last = luaL_opt(L, luaL_checkinteger, 3, luaL_len(L, 1));
	if (first > last)
		return 0;
	lua_Unsigned gap = (lua_Unsigned)last - (lua_Unsigned)first;
	lua_settop(L, 1);
	if (gap >= INT_MAX - LUA_MINSTACK || !lua_checkstack(L, (int)gap + LUA_MINSTACK))
		return luaL_error(L, "too many results to unpack");
	lua_pushinteger(L, first);
	lua_pushinteger(L, (lua_Integer)gap + 1);
	return unpack_on(L, LUA_OK, 0);
}

/*
 * A merge sort from the bottom up: in each pass, runs of width elements that are in order make runs
 * of twice that, in the other of two tables. Whatever a comparator answers, each element goes to
 * one place, and there is a limit to the questions. A comparator may pause: what is known between
 * two steps is in here, and on the stack.
 */
struct sort {
	lua_Integer n, n_read, n_written;
	lua_Integer width;
	lua_Integer left, left_end;   /* the rest of a run, from its head on */
	lua_Integer right, right_end; /* of the run behind it, with which it is merged */
	lua_Integer to;               /* where the next element goes */
	int source, target;           /* the tables' places on the stack */
	bool has_comparator;
	bool is_right_on_top; /* of the heads */
	size_t steps;         /* since it was others' turn */
};

/* On the stack: these; then the heads of the runs that have a rest. */
enum { SORT_TABLE = 1, SORT_COMPARATOR, SORT_SOURCE, SORT_TARGET, SORT_STATE, SORT_HEADS };

static bool sort_turn_is_due(lua_State *L, struct sort *s)
{
	if (++s->steps < STEPS_PER_TURN)
		return false;
	s->steps = 0;
	return slice_is_due(L);
}

static void sort_push_head(lua_State *L, struct sort *s, bool is_right)
{
	lua_rawgeti(L, s->source, is_right ? s->right : s->left);
	s->is_right_on_top = is_right;
}

static void sort_begin_pass(struct sort *s)
{
	int source = s->source;
	s->source = s->target;
	s->target = source;
	s->width *= 2;
	s->to = 1;
	s->right_end = 0;
}

static lua_Integer sort_min(lua_Integer a, lua_Integer b)
{
	return a < b ? a : b;
}

static void sort_begin_runs(lua_State *L, struct sort *s)
{
	lua_Integer end = s->n + 1;
	s->left = s->to;
	s->left_end = s->right = sort_min(s->left + s->width, end);
	s->right_end = sort_min(s->right + s->width, end);
	sort_push_head(L, s, false);
	if (s->right < s->right_end)
		sort_push_head(L, s, true);
}

/* Whether there is an element to merge: of these runs, of the next two, or of the next pass. */
static bool sort_has_next(lua_State *L, struct sort *s)
{
	if (s->to > s->n)
		sort_begin_pass(s);
	if (s->width >= s->n)
		return false;
	if (s->to >= s->right_end)
		sort_begin_runs(L, s);
	return true;
}

/* Moves a head to its place, and takes the next one from the same run. */
static void sort_take(lua_State *L, struct sort *s, bool is_right)
{
	bool is_last = is_right ? ++s->right == s->right_end : ++s->left == s->left_end;
	if (is_right != s->is_right_on_top)
		lua_insert(L, SORT_HEADS);
	lua_rawseti(L, s->target, s->to++);
	if (is_last)
		s->is_right_on_top = !is_right;
	else
		sort_push_head(L, s, is_right);
}

/* Whether, without a comparator, the value at a goes before that at b. */
static bool sort_is_less(lua_State *L, struct sort *s, int a, int b)
{
	if (lua_type(L, a) == LUA_TSTRING)
		s->steps += lua_rawlen(L, a) / BYTES_PER_STEP;
	return lua_compare(L, a, b, LUA_OPLT);
}

static int sort_answered(lua_State *L, int status, lua_KContext context);

/* Whether the right head goes before the left one. The comparator may pause: then this does not
 * return, and sort_answered goes on. */
static bool sort_ask(lua_State *L, struct sort *s)
{
	int right = SORT_HEADS + s->is_right_on_top, left = SORT_HEADS + !s->is_right_on_top;
	if (!s->has_comparator)
		return sort_is_less(L, s, right, left);
	lua_pushvalue(L, SORT_COMPARATOR);
	lua_pushvalue(L, right);
	lua_pushvalue(L, left);
	lua_callk(L, 2, 1, 0, sort_answered);
	bool is_less = lua_toboolean(L, -1);
	lua_pop(L, 1);
	return is_less;
}

/* Puts the value on top where it belongs among the sorted ones from SORT_HEADS on. */
static void sort_insert(lua_State *L, struct sort *s)
{
	int low = SORT_HEADS, high = lua_gettop(L);
	while (low < high) {
		int middle = (low + high) / 2;
		if (sort_is_less(L, s, -1, middle))
			high = middle;
		else
			low = middle + 1;
	}
	lua_insert(L, low);
}

/* Reads the elements of a run; without a comparator it is sorted here, which is faster. */
static void sort_read(lua_State *L, struct sort *s)
{
	lua_Integer end = sort_min(s->n, s->n_read + s->width);
	for (lua_Integer i = s->n_read; i < end; i++) {
		lua_geti(L, SORT_TABLE, i + 1);
		sort_insert(L, s);
	}
	for (lua_Integer i = end; i > s->n_read; i--)
		lua_rawseti(L, s->source, i);
	s->steps += (size_t)s->width;
	s->n_read = end;
}

static int sort_on(lua_State *L, int status, lua_KContext context)
{
	(void)status;
	(void)context;
	struct sort *s = lua_touserdata(L, SORT_STATE);
	while (s->n_read < s->n) {
		if (sort_turn_is_due(L, s))
			return slice_yield(L, 0, sort_on);
		sort_read(L, s);
	}
	while (sort_has_next(L, s)) {
		if (sort_turn_is_due(L, s))
			return slice_yield(L, 0, sort_on);
		bool has_both = s->left < s->left_end && s->right < s->right_end;
		sort_take(L, s, has_both ? sort_ask(L, s) : s->is_right_on_top);
	}
	while (s->n_written < s->n) {
		if (sort_turn_is_due(L, s))
			return slice_yield(L, 0, sort_on);
		lua_rawgeti(L, s->source, ++s->n_written);
		lua_seti(L, SORT_TABLE, s->n_written);
	}
	return 0;
}

static int sort_answered(lua_State *L, int status, lua_KContext context)
{
	bool is_less = lua_toboolean(L, -1);
	lua_pop(L, 1);
	sort_take(L, lua_touserdata(L, SORT_STATE), is_less);
	return sort_on(L, status, context);
}

static int table_sort(lua_State *L)
{
	lua_Integer n = check_length(L, "sort", READS | WRITES, MAX_SORTED);
	if (n < 2)
		return 0;
	if (!lua_isnoneornil(L, 2))
		luaL_checktype(L, 2, LUA_TFUNCTION);
	lua_settop(L, SORT_COMPARATOR);
	luaL_checkstack(L, SORT_RUN + LUA_MINSTACK, "no room to sort");
	lua_createtable(L, (int)n, 0);
	lua_createtable(L, (int)n, 0);
	struct sort *s = lua_newuserdatauv(L, sizeof(*s), 0);
	*s = (struct sort){.n = n,
		.width = lua_isnil(L, SORT_COMPARATOR) ? SORT_RUN : 1,
		.to = 1,
		.source = SORT_SOURCE,
		.target = SORT_TARGET,
		.has_comparator = !lua_isnil(L, SORT_COMPARATOR)};
	return sort_on(L, LUA_OK, 0);
}

void lib_open_table(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"concat", table_concat},
		{"insert", table_insert},
		{"move",   table_move  },
		{"remove", table_remove},
		{"sort",   table_sort  },
		{"unpack", table_unpack},
		{NULL,     NULL        },
	};
	lua_getglobal(L, "table");
	luaL_setfuncs(L, functions, 0);
	lua_pop(L, 1);
}
