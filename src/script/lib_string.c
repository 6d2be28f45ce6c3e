#include "script/match.h"
#include "script/modules.h"
#include "script/slice.h"

#include <ctype.h>
#include <lualib.h>
#include <string.h>

/*
 * The functions of `string` that can take long, in place of Lua's: the same, but what they may cost
 * is limited, and where the script can pause a long search gives others their turn.
 */

enum { REP_MAX_BYTES = 16 << 20, REP_TURN_BYTES = 64 << 10, TURN_STEPS = MATCH_STEPS_CALLED / 2 };

static struct str check_str(lua_State *L, int index)
{
	struct str s;
	s.p = luaL_checklstring(L, index, &s.n);
	return s;
}

static struct str to_str(lua_State *L, int index)
{
	struct str s;
	s.p = lua_tolstring(L, index, &s.n);
	return s;
}

/* Captures. */

static void push_capture(lua_State *L, const struct match *m, size_t i)
{
	const struct match_capture *c = &m->captures[i];
	if (c->n == MATCH_POSITION)
		lua_pushinteger(L, c->p - m->subject.p + 1);
	else if (c->n == MATCH_OPEN)
		luaL_error(L, "unfinished capture");
	else
		lua_pushlstring(L, c->p, (size_t)c->n);
}

static int push_captures(lua_State *L, const struct match *m)
{
	luaL_checkstack(L, (int)m->n_captures, "too many captures");
	for (size_t i = 0; i < m->n_captures; i++)
		push_capture(L, m, i);
	return (int)m->n_captures;
}

/* The first capture, or all of the match if there is none. */
static void push_first(lua_State *L, const struct match *m)
{
	struct str text = match_text(m);
	if (m->n_captures)
		push_capture(L, m, 0);
	else
		lua_pushlstring(L, text.p, text.n);
}

int lib_push_captures(lua_State *L, const struct match *m)
{
	if (m->n_captures)
		return push_captures(L, m);
	push_first(L, m);
	return 1;
}

/* Matching. */

int lib_match(lua_State *L, int subject, int pattern)
{
	struct match m;
	match_init(&m, to_str(L, subject), to_str(L, pattern), MATCH_STEPS_ASKED);
	match_anchor(&m);
	enum match_result r = match_find(&m, 0, MATCH_NOWHERE);
	if (r == MATCH_FAILED)
		luaL_error(L, "%s", m.why);
	return r == MATCH_FOUND ? lib_push_captures(L, &m) : 0;
}

/* With all the steps that a call may have. */
static void begin(struct match *m, struct str subject, struct str pattern)
{
	match_init(m, subject, pattern, MATCH_STEPS_CALLED);
	m->low_steps = m->steps - TURN_STEPS;
}

/* The next match. MATCH_PAUSED: others may have a turn now; where they cannot, it goes on until it
 * has no steps left. */
static enum match_result next(lua_State *L, struct match *m, size_t from, size_t not_end)
{
	for (;;) {
		enum match_result r = match_find(m, from, not_end);
		if (r == MATCH_FAILED)
			luaL_error(L, "%s", m->why);
		if (r != MATCH_PAUSED || slice_may_yield(L))
			return r;
		from = m->start;
		m->low_steps = m->steps > TURN_STEPS ? m->steps - TURN_STEPS : 0;
	}
}

/* The offset that the position at index means, 1 without one; maybe behind the n bytes of the
 * subject. */
static size_t opt_offset(lua_State *L, int index, size_t n)
{
	lua_Integer at = luaL_optinteger(L, index, 1);
	if (at > 0)
		return (size_t)at - 1;
	if (at == 0 || at < -(lua_Integer)n)
		return 0;
	return n - (size_t)-at;
}

/* string.find and string.match. */

static int find_from(lua_State *L, int status, lua_KContext context);
static int match_from(lua_State *L, int status, lua_KContext context);

static int push_place(lua_State *L, size_t start, size_t end)
{
	lua_pushinteger(L, (lua_Integer)start + 1);
	lua_pushinteger(L, (lua_Integer)end);
	return 2;
}

static int search(lua_State *L, struct str subject, struct str pattern, size_t from, bool is_find)
{
	struct match m;
	begin(&m, subject, pattern);
	match_anchor(&m);
	switch (next(L, &m, from, MATCH_NOWHERE)) {
	case MATCH_PAUSED:
		return slice_yield(L, (lua_KContext)m.start, is_find ? find_from : match_from);
	case MATCH_FOUND:
		if (!is_find)
			return lib_push_captures(L, &m);
		push_place(L, m.start, m.end);
		return 2 + push_captures(L, &m);
	case MATCH_NONE:
	case MATCH_FAILED:
		break;
	}
	lua_pushnil(L);
	return 1;
}

static int find_from(lua_State *L, int status, lua_KContext context)
{
	(void)status;
	return search(L, to_str(L, 1), to_str(L, 2), (size_t)context, true);
}

static int match_from(lua_State *L, int status, lua_KContext context)
{
	(void)status;
	return search(L, to_str(L, 1), to_str(L, 2), (size_t)context, false);
}

/* Whether a pattern is a text that stands for itself. */
static bool is_plain(struct str pattern)
{
	for (size_t i = 0; i < pattern.n; i++)
		if (pattern.p[i] && strchr("^$*+?.([%-", pattern.p[i]))
			return false;
	return true;
}

static int find_plain(lua_State *L, struct str subject, struct str text, size_t from)
{
	const char *found = memmem(subject.p + from, subject.n - from, text.p, text.n);
	if (found) {
		size_t start = (size_t)(found - subject.p);
		return push_place(L, start, start + text.n);
	}
	lua_pushnil(L);
	return 1;
}

static int lib_find(lua_State *L)
{
	struct str subject = check_str(L, 1), pattern = check_str(L, 2);
	size_t from = opt_offset(L, 3, subject.n);
	if (from > subject.n) {
		lua_pushnil(L);
		return 1;
	}
	if (lua_toboolean(L, 4) || is_plain(pattern))
		return find_plain(L, subject, pattern, from);
	return search(L, subject, pattern, from, true);
}

static int lib_match_string(lua_State *L)
{
	struct str subject = check_str(L, 1), pattern = check_str(L, 2);
	size_t from = opt_offset(L, 3, subject.n);
	if (from <= subject.n)
		return search(L, subject, pattern, from, false);
	lua_pushnil(L);
	return 1;
}

/* string.gmatch. */

/* What an iterator has as its upvalue 1; the texts are the others. */
struct each {
	struct str subject, pattern;
	size_t from, not_end; /* both where the last match ended, once there is one */
};

static int each_from(lua_State *L, int status, lua_KContext context)
{
	struct each *e = lua_touserdata(L, lua_upvalueindex(1));
	struct match m;
	(void)status;
	begin(&m, e->subject, e->pattern);
	switch (next(L, &m, (size_t)context, e->not_end)) {
	case MATCH_PAUSED:
		return slice_yield(L, (lua_KContext)m.start, each_from);
	case MATCH_FOUND:
		e->from = e->not_end = m.end;
		return lib_push_captures(L, &m);
	case MATCH_NONE:
	case MATCH_FAILED:
		break;
	}
	return 0;
}

static int each(lua_State *L)
{
	const struct each *e = lua_touserdata(L, lua_upvalueindex(1));
	return e->from > e->subject.n ? 0 : each_from(L, LUA_OK, (lua_KContext)e->from);
}

static int lib_gmatch(lua_State *L)
{
	struct str subject = check_str(L, 1), pattern = check_str(L, 2);
	size_t from = opt_offset(L, 3, subject.n);
	lua_settop(L, 2);
	struct each *e = lua_newuserdatauv(L, sizeof(*e), 0);
	*e = (struct each){subject, pattern, from, MATCH_NOWHERE};
	lua_insert(L, 1);
	lua_pushcclosure(L, each, 3);
	return 1;
}

/* string.gsub. */

/* The stack: the arguments; then the state, once it may be needed after a pause; and the memory of
 * the result, once there is more of it than has room in the state. */
enum { SUBJECT = 1, PATTERN, REPLACEMENT, MAX, STATE, BUFFER };

struct gsub {
	size_t from;        /* where the search goes on */
	size_t last;        /* where the last match ended */
	size_t n_copied;    /* bytes of the subject that are in the result, or replaced */
	size_t start, end;  /* of the match that is being replaced */
	lua_Integer n, max; /* matches */
	int type;           /* of the replacement */
	bool has_changed;
	char *out;
	size_t n_out, size;
	char room[512];
};

/* Moves the state from the C stack, which a pause does not leave, into Lua's memory. */
static struct gsub *keep(lua_State *L, struct gsub *g)
{
	if (lua_touserdata(L, STATE) == g)
		return g;
	struct gsub *kept = lua_newuserdatauv(L, sizeof(*kept), 0);
	memcpy(kept, g, offsetof(struct gsub, room));
	if (g->out == g->room)
		kept->out = memcpy(kept->room, g->room, g->n_out);
	lua_replace(L, STATE);
	return kept;
}

static void grow(lua_State *L, struct gsub *g, size_t n)
{
	size_t size = g->size * 2 > g->n_out + n ? g->size * 2 : g->n_out + n;
	char *out = lua_newuserdatauv(L, size, 0);
	memcpy(out, g->out, g->n_out);
	g->out = out;
	g->size = size;
	lua_replace(L, BUFFER);
}

static void add(lua_State *L, struct gsub *g, struct str s)
{
	if (s.n > g->size - g->n_out)
		grow(L, g, s.n);
	memcpy(g->out + g->n_out, s.p, s.n);
	g->n_out += s.n;
}

/* Adds the value on top, and takes it off. */
static void add_value(lua_State *L, struct gsub *g)
{
	add(L, g, to_str(L, -1));
	lua_pop(L, 1);
}

/* What is not replaced, up to an offset. */
static void add_between(lua_State *L, struct gsub *g, struct str subject, size_t end)
{
	add(L, g, (struct str){subject.p + g->n_copied, end - g->n_copied});
	g->n_copied = end;
}

/* What stands for %c. */
static void add_escaped(lua_State *L, struct gsub *g, const struct match *m, char c)
{
	size_t i = (size_t)(c - '1');
	if (c == '%') {
		add(L, g, STR("%"));
	} else if (c == '0' || (c == '1' && m->n_captures == 0)) {
		add(L, g, match_text(m));
	} else if (!isdigit((unsigned char)c)) {
		luaL_error(L, "invalid use of '%%' in replacement string");
	} else if (i >= m->n_captures) {
		luaL_error(L, "invalid capture index %%%c", c);
	} else if (m->captures[i].n >= 0) {
		add(L, g, (struct str){m->captures[i].p, (size_t)m->captures[i].n});
	} else {
		push_capture(L, m, i);
		add_value(L, g);
	}
}

static void replace_by_text(lua_State *L, struct gsub *g, struct match *m)
{
	struct str rest = to_str(L, REPLACEMENT);
	size_t n = str_find(rest, '%');
	add_between(L, g, m->subject, m->start);
	while (n < rest.n) {
		add(L, g, (struct str){rest.p, n});
		add_escaped(L, g, m, rest.p[n + 1]); /* a NUL at the end */
		rest = str_skip(rest, n + 2);
		n = str_find(rest, '%');
		if (--m->steps < 0)
			luaL_error(L, "pattern too complex");
	}
	add(L, g, rest);
	g->n_copied = m->end;
	g->has_changed = true;
}

/* Takes the value on top in place of the match, which stays for false and nil. */
static void replace_by_value(lua_State *L, struct gsub *g)
{
	if (!lua_toboolean(L, -1)) {
		lua_pop(L, 1);
		return;
	}
	if (!lua_isstring(L, -1))
		luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
	add_between(L, g, to_str(L, SUBJECT), g->start);
	add_value(L, g);
	g->n_copied = g->end;
	g->has_changed = true;
}

static int push_result(lua_State *L, struct gsub *g)
{
	if (g->has_changed) {
		struct str subject = to_str(L, SUBJECT);
		add_between(L, g, subject, subject.n);
		lua_pushlstring(L, g->out, g->n_out);
	} else {
		lua_pushvalue(L, SUBJECT);
	}
	lua_pushinteger(L, g->n);
	return 2;
}

static int replace_on(lua_State *L, int status, lua_KContext context);
static int after_call(lua_State *L, int status, lua_KContext context);

/* Replaces the match; g may be in Lua's memory afterwards. */
static struct gsub *replace(lua_State *L, struct gsub *g, struct match *m)
{
	switch (g->type) {
	case LUA_TFUNCTION:
		g = keep(L, g);
		lua_pushvalue(L, REPLACEMENT);
		lua_callk(L, lib_push_captures(L, m), 1, 0, after_call);
		replace_by_value(L, g);
		break;
	case LUA_TTABLE:
		push_first(L, m);
		lua_gettable(L, REPLACEMENT);
		replace_by_value(L, g);
		break;
	default:
		replace_by_text(L, g, m);
	}
	return g;
}

static int replace_all(lua_State *L, struct gsub *g)
{
	struct match m;
	begin(&m, to_str(L, SUBJECT), to_str(L, PATTERN));
	match_anchor(&m);
	if (m.is_anchored && g->max > 1)
		g->max = 1;
	while (g->n < g->max) {
		enum match_result r = next(L, &m, g->from, g->last);
		if (r == MATCH_PAUSED) {
			g->from = m.start;
			keep(L, g);
			return slice_yield(L, 0, replace_on);
		}
		if (r != MATCH_FOUND)
			break;
		g->n++;
		g->start = m.start;
		g->end = g->last = g->from = m.end;
		g = replace(L, g, &m);
	}
	return push_result(L, g);
}

static int replace_on(lua_State *L, int status, lua_KContext context)
{
	(void)status;
	(void)context;
	lua_settop(L, BUFFER);
	return replace_all(L, lua_touserdata(L, STATE));
}

static int after_call(lua_State *L, int status, lua_KContext context)
{
	(void)status;
	(void)context;
	struct gsub *g = lua_touserdata(L, STATE);
	replace_by_value(L, g);
	return replace_all(L, g);
}

static int lib_gsub(lua_State *L)
{
	struct gsub g;
	struct str subject = check_str(L, SUBJECT);
	check_str(L, PATTERN);
	int type = lua_type(L, REPLACEMENT);
	lua_Integer max = luaL_optinteger(L, MAX, (lua_Integer)subject.n + 1);
	luaL_argexpected(L,
		type == LUA_TSTRING || type == LUA_TNUMBER || type == LUA_TTABLE ||
			type == LUA_TFUNCTION,
		REPLACEMENT, "string/function/table");
	lua_settop(L, BUFFER);
	memset(&g, 0, offsetof(struct gsub, room));
	g.last = MATCH_NOWHERE;
	g.max = max;
	g.type = type;
	g.out = g.room;
	g.size = sizeof(g.room);
	return replace_all(L, &g);
}

/* string.rep. */

/* The stack: the arguments, and the memory of a long result. */
enum { TEXT = 1, TIMES, SEPARATOR, RESULT };

static void rep_begin(char *out, struct str text, struct str separator)
{
	memcpy(out, text.p, text.n);
	memcpy(out + text.n, separator.p, separator.n);
}

/* Goes on after the first so many bytes, one unit at least. Returns how many there are then. */
static size_t rep_more(char *out, size_t done, size_t size, size_t unit)
{
	size_t whole = done - done % unit, left = size - done;
	size_t n = whole < REP_TURN_BYTES ? whole : REP_TURN_BYTES;
	n = n < left ? n : left;
	memcpy(out + done, out + done % unit, n);
	return done + n;
}

static int rep_from(lua_State *L, int status, lua_KContext context)
{
	(void)status;
	struct str text = to_str(L, TEXT), separator = to_str(L, SEPARATOR);
	size_t unit = text.n + separator.n, done = (size_t)context;
	size_t size = (size_t)lua_tointeger(L, TIMES) * unit - separator.n;
	char *out = lua_touserdata(L, RESULT);
	while (done < size) {
		done = rep_more(out, done, size, unit);
		if (slice_is_due(L))
			return slice_yield(L, (lua_KContext)done, rep_from);
	}
	lua_pushlstring(L, out, size);
	return 1;
}

static int lib_rep(lua_State *L)
{
	struct str text = check_str(L, TEXT);
	lua_Integer n = luaL_checkinteger(L, TIMES);
	struct str separator = lua_isnoneornil(L, SEPARATOR) ? STR("") : check_str(L, SEPARATOR);
	size_t unit = text.n + separator.n, done = unit;
	char room[512];
	if (n <= 0 || unit == 0) {
		lua_pushliteral(L, "");
		return 1;
	}
	if (unit > (REP_MAX_BYTES + separator.n) / (size_t)n)
		return luaL_error(L, "resulting string too large");
	lua_settop(L, n == 1 ? TEXT : SEPARATOR);
	if (n == 1)
		return 1;
	size_t size = (size_t)n * unit - separator.n;
	if (size > sizeof(room)) {
		rep_begin(lua_newuserdatauv(L, size, 0), text, separator);
		return rep_from(L, LUA_OK, (lua_KContext)done);
	}
	rep_begin(room, text, separator);
	while (done < size)
		done = rep_more(room, done, size, unit);
	lua_pushlstring(L, room, size);
	return 1;
}

void lib_open_string(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"find",   lib_find        },
		{"match",  lib_match_string},
		{"gmatch", lib_gmatch      },
		{"gsub",   lib_gsub        },
		{"rep",    lib_rep         },
		{NULL,     NULL            },
	};
	lua_getglobal(L, LUA_STRLIBNAME);
	luaL_setfuncs(L, functions, 0);
	lua_pop(L, 1);
}
