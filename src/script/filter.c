#include "script/filter.h"

#include "base/log.h"
#include "script/backlog.h"
#include "script/host.h"
#include "script/modules.h"
#include "script/person.h"
#include "script/slice.h"

#include <lauxlib.h>
#include <string.h>

/* What a filter says of `mine` and `replayed`. */
enum say { SAY_NOTHING, SAY_ANY, SAY_TRUE, SAY_FALSE };

struct wanted {
	int type; /* LUA_TSTRING, LUA_TNUMBER or LUA_TBOOLEAN */
	struct str str;
	lua_Integer integer; /* and a boolean */
};

struct condition {
	struct str field;
	bool is_name; /* compared under the casemapping */
	const struct wanted *wanted;
	size_t n;
};

struct filter {
	enum filter_net net;
	struct str net_name;
	enum say mine, replayed;
	size_t buffer;
	struct str pattern;    /* of `match`; absent for none */
	bool has_failed;       /* `match` took too long, which was logged */
	int function;          /* in the registry; LUA_NOREF for none */
	struct person *person; /* user value 1; NULL for none */
	size_t n;
	struct condition conditions[];
};

static const char filter_type[] = "ebb.filter";

/* Where the parts of a filter are laid while it is made; measured first, with p NULL. */
struct layout {
	size_t n_conditions, n_wanted, n_bytes;
	struct filter *f;
	struct wanted *wanted;
	char *bytes;
};

static bool is_name_field(struct str field)
{
	static const char *const names[] = {"nick", "target", "channel", "new_nick"};
	for (size_t i = 0; i < COUNTOF(names); i++)
		if (str_eq(field, str_of(names[i])))
			return true;
	return false;
}

static struct str lay_str(struct layout *l, lua_State *L, int index)
{
	size_t n;
	const char *p = lua_tolstring(L, index, &n);
	l->n_bytes += n + 1;
	if (!l->f)
		return STR_NONE;
	char *copy = l->bytes;
	memcpy(copy, p, n + 1);
	l->bytes += n + 1;
	return (struct str){copy, n};
}

static void lay_wanted(
	struct layout *l, lua_State *L, int index, const char *who, const char *field)
{
	struct wanted w = {.type = lua_type(L, index)};
	if (w.type == LUA_TSTRING)
		w.str = lay_str(l, L, index);
	else if (w.type == LUA_TBOOLEAN)
		w.integer = lua_toboolean(L, index);
	else if (lua_isinteger(L, index))
		w.integer = lua_tointeger(L, index);
	else
		luaL_error(L, "%s: filter: %s: text, a whole number or a boolean expected, got %s",
			who, field, luaL_typename(L, index));
	l->n_wanted++;
	if (l->f)
		*l->wanted++ = w;
}

/* A value or a list of values. */
static size_t lay_values(
	struct layout *l, lua_State *L, int index, const char *who, const char *field)
{
	if (!lua_istable(L, index)) {
		lay_wanted(l, L, index, who, field);
		return 1;
	}
	lua_Integer n = (lua_Integer)lua_rawlen(L, index);
	for (lua_Integer i = 1; i <= n; i++) {
		lua_rawgeti(L, index, i);
		lay_wanted(l, L, lua_gettop(L), who, field);
		lua_pop(L, 1);
	}
	return (size_t)n;
}

static enum say read_say(lua_State *L, int index, const char *who, const char *field)
{
	if (lua_isboolean(L, index))
		return lua_toboolean(L, index) ? SAY_TRUE : SAY_FALSE;
	if (lua_type(L, index) == LUA_TSTRING && strcmp(lua_tostring(L, index), "any") == 0)
		return SAY_ANY;
	return (enum say)luaL_error(
		L, "%s: filter: %s: true, false or \"any\" expected", who, field);
}

static void check_text(lua_State *L, int index, const char *who, const char *field)
{
	if (lua_type(L, index) != LUA_TSTRING)
		luaL_error(L, "%s: filter: %s: text expected, got %s", who, field,
			luaL_typename(L, index));
}

/* The keys that are no field of an event. True when key is one of them. */
static bool lay_special(struct layout *l, lua_State *L, int index, const char *who, const char *key)
{
	struct filter *f = l->f;
	if (strcmp(key, "mine") == 0 || strcmp(key, "replayed") == 0) {
		enum say say = read_say(L, index, who, key);
		if (f)
			*(key[0] == 'm' ? &f->mine : &f->replayed) = say;
	} else if (strcmp(key, "buffer") == 0 && strcmp(who, "events") == 0) {
		lua_Integer n = lua_isinteger(L, index) ? lua_tointeger(L, index) : 0;
		if (n < 1 || n > BACKLOG_MAX)
			luaL_error(L, "%s: filter: buffer: 1 to %d expected", who, BACKLOG_MAX);
		if (f)
			f->buffer = (size_t)n;
	} else if (strcmp(key, "match") == 0) {
		check_text(L, index, who, key);
		struct str pattern = lay_str(l, L, index);
		if (f)
			f->pattern = pattern;
	} else if (strcmp(key, "network") == 0 && lua_istable(L, index)) {
		if (f)
			f->net = FILTER_NET_ALL; /* the list is a condition like any other */
		return false;
	} else if (strcmp(key, "network") == 0) {
		check_text(L, index, who, key);
		struct str name = lay_str(l, L, index);
		if (f) {
			f->net_name = name;
			f->net = str_eq(name, STR("*")) ? FILTER_NET_ALL : FILTER_NET_NAMED;
		}
	} else {
		return false;
	}
	return true;
}

static void lay_condition(struct layout *l, lua_State *L, int key, int value, const char *who)
{
	const char *name = lua_tostring(L, key);
	struct str field = lay_str(l, L, key);
	const struct wanted *first = l->wanted;
	size_t n = lay_values(l, L, value, who, name);
	if (l->f)
		l->f->conditions[l->f->n++] =
			(struct condition){field, is_name_field(field), first, n};
	l->n_conditions++;
}

static void lay(struct layout *l, lua_State *L, int table, const char *who)
{
	lua_pushnil(L);
	while (lua_next(L, table)) {
		int value = lua_gettop(L), key = value - 1;
		if (lua_type(L, key) != LUA_TSTRING)
			luaL_error(L, "%s: filter: a field's name expected as key, got %s", who,
				luaL_typename(L, key));
		if (!lay_special(l, L, value, who, lua_tostring(L, key)))
			lay_condition(l, L, key, value, who);
		lua_settop(L, key);
	}
}

static bool is_common(struct str field)
{
	return str_eq(field, STR("network")) || str_eq(field, STR("event"));
}

/* A mistyped field would never match: it is refused, where the events are known. */
static void check_fields(
	lua_State *L, const struct filter *f, const int *kinds, size_t n, const char *who)
{
	for (size_t i = 0; i < f->n; i++) {
		struct str field = f->conditions[i].field;
		bool is_known = is_common(field);
		for (size_t k = 0; k < n && !is_known; k++)
			is_known = kinds[k] >= EVENT_KINDS || kinds[k] == EVENT_ANY ||
				   field_find(kinds[k], field);
		if (!is_known)
			luaL_error(L, "%s: filter: %s has no field '%s'", who, event_name(kinds[0]),
				field.p);
	}
}

static void begin_match(struct match *m, const struct filter *f, struct str text)
{
	match_init(m, text, f->pattern, MATCH_STEPS_ASKED);
	match_anchor(m);
}

static void check_pattern(lua_State *L, const struct filter *f, const char *who)
{
	struct match m;
	begin_match(&m, f, STR(""));
	if (!match_check(&m))
		luaL_error(L, "%s: filter: match: %s", who, m.why);
}

static struct filter *compile(
	lua_State *L, int table, const int *kinds, size_t n_kinds, const char *who)
{
	struct layout l = {0};
	lay(&l, L, table, who);
	size_t fixed = sizeof(struct filter) + l.n_conditions * sizeof(struct condition);
	size_t n_wanted = l.n_wanted;
	struct filter *f =
		lua_newuserdatauv(L, fixed + n_wanted * sizeof(struct wanted) + l.n_bytes, 0);
	*f = (struct filter){.function = LUA_NOREF};
	l = (struct layout){.f = f, .wanted = (struct wanted *)(void *)((char *)f + fixed)};
	l.bytes = (char *)(l.wanted + n_wanted);
	lay(&l, L, table, who);
	check_fields(L, f, kinds, n_kinds, who);
	if (f->pattern.p)
		check_pattern(L, f, who);
	return f;
}

static int filter_gc(lua_State *L)
{
	struct filter *f = lua_touserdata(L, 1);
	luaL_unref(L, LUA_REGISTRYINDEX, f->function);
	return 0;
}

static void set_metatable(lua_State *L)
{
	if (luaL_newmetatable(L, filter_type)) {
		lua_pushcfunction(L, filter_gc);
		lua_setfield(L, -2, "__gc");
	}
	lua_setmetatable(L, -2);
}

static struct filter *for_person(lua_State *L, int index)
{
	struct filter *f = lua_newuserdatauv(L, sizeof(*f), 1);
	*f = (struct filter){.function = LUA_NOREF, .person = person_test(L, index)};
	f->net = FILTER_NET_NAMED;
	f->net_name = person_network(f->person);
	set_metatable(L);
	lua_pushvalue(L, index);
	lua_setiuservalue(L, -2, 1);
	return f;
}

struct filter *filter_new(
	lua_State *L, int index, const int *kinds, size_t n_kinds, const char *who)
{
	struct filter *f;
	if (index && person_test(L, index))
		return for_person(L, index);
	switch (index ? lua_type(L, index) : LUA_TNIL) {
	case LUA_TNIL:
	case LUA_TNONE:
		lua_pushnil(L);
		return NULL;
	case LUA_TTABLE:
		f = compile(L, lua_absindex(L, index), kinds, n_kinds, who);
		set_metatable(L);
		return f;
	case LUA_TFUNCTION:
		f = lua_newuserdatauv(L, sizeof(*f), 0);
		*f = (struct filter){.function = LUA_NOREF};
		set_metatable(L);
		lua_pushvalue(L, index);
		f->function = luaL_ref(L, LUA_REGISTRYINDEX);
		return f;
	default:
		luaL_error(L, "%s: filter: a table or function expected, got %s", who,
			luaL_typename(L, index));
		return NULL;
	}
}

enum filter_net filter_net(const struct filter *f, struct str *name)
{
	if (!f)
		return FILTER_NET_UNSAID;
	*name = f->net_name;
	return f->net;
}

size_t filter_buffer(const struct filter *f)
{
	return f ? f->buffer : 0;
}

static bool says(enum say say, bool is, bool is_unasked)
{
	switch (say) {
	case SAY_NOTHING:
		return !(is && is_unasked);
	case SAY_ANY:
		return true;
	case SAY_TRUE:
		return is;
	case SAY_FALSE:
		return !is;
	}
	return false;
}

static bool is_equal(
	const struct condition *c, const struct wanted *w, struct str s, const struct event *e)
{
	if (w->type != LUA_TSTRING)
		return false;
	if (c->is_name && e->isupport)
		return casemap_eq(e->isupport->casemap, w->str, s);
	return str_eq(w->str, s);
}

static bool is_among(const struct condition *c, const struct wanted *w, const struct value *v,
	const struct event *e)
{
	struct str words = v->str, word;
	switch (v->type) {
	case VALUE_STR:
	case VALUE_ESCAPED: /* names and accounts have nothing to escape */
		return is_equal(c, w, v->str, e);
	case VALUE_INT:
		return w->type == LUA_TNUMBER && w->integer == v->integer;
	case VALUE_BOOL:
		return w->type == LUA_TBOOLEAN && w->integer == v->integer;
	case VALUE_LIST:
		for (size_t i = 0; i < v->n; i++)
			if (is_equal(c, w, v->list[i], e))
				return true;
		return false;
	case VALUE_WORDS:
	case VALUE_COMMAS:
		while ((word = str_word(&words, v->type == VALUE_WORDS ? " " : ",")).n)
			if (is_equal(c, w, word, e))
				return true;
		return false;
	case VALUE_NONE:
	case VALUE_FLOAT:
	case VALUE_LINES:
	case VALUE_TAGS:
	case VALUE_CHANGES:
		return false;
	}
	return false;
}

static bool holds(const struct condition *c, const struct event *e)
{
	struct value v;
	if (!event_field(e, c->field, &v))
		return false;
	for (size_t i = 0; i < c->n; i++)
		if (is_among(c, &c->wanted[i], &v, e))
			return true;
	return false;
}

static struct str message_of(const struct event *e)
{
	struct value v;
	if (!event_field(e, STR("message"), &v) || v.type != VALUE_STR)
		return STR_NONE;
	return v.str;
}

static bool is_matched(struct filter *f, lua_State *L, const struct event *e, const char *what)
{
	struct match m;
	struct str text = message_of(e);
	if (!text.p)
		return false;
	struct script *s = script_of(L);
	struct slice_run run; /* so that its time is the script's */
	slice_enter(&run, s, NULL, L);
	begin_match(&m, f, text);
	enum match_result r = match_find(&m, 0, MATCH_NOWHERE);
	slice_leave(&run);
	script_left(s, &run);
	if (r == MATCH_FAILED && !f->has_failed) {
		f->has_failed = true;
		if (trouble_is_told(s))
			log_warn("script %s: %s: filter: match: %s", s->name, what, m.why);
	}
	return r == MATCH_FOUND;
}

/* What the protected call is given. */
struct question {
	const struct filter *f;
	struct event *e;
	bool answer;
};

static int ask_function(lua_State *L)
{
	struct question *q = lua_touserdata(L, 1);
	lua_rawgeti(L, LUA_REGISTRYINDEX, q->f->function);
	lib_push_event(L, q->e);
	lua_call(L, 1, 1);
	q->answer = lua_toboolean(L, -1);
	return 0;
}

static bool ask(const struct filter *f, lua_State *L, struct event *e, const char *what)
{
	struct question q = {f, e, false};
	if (!vm_call(L, ask_function, &q, 0)) {
		const char *text = lua_tostring(L, -1);
		if (text && trouble_is_told(script_of(L)))
			log_error("script %s: %s: filter: %s", script_of(L)->name, what, text);
		lua_pop(L, 1);
		return false;
	}
	return q.answer;
}

bool filter_matches(struct filter *f, lua_State *L, struct event **e, const char *what)
{
	bool is_talk = event_is_talk(*e);
	if (!says(f ? f->mine : SAY_NOTHING, (*e)->is_mine, is_talk) ||
		!says(f ? f->replayed : SAY_NOTHING, (*e)->is_replayed, is_talk))
		return false;
	if (!f)
		return true;
	if (f->person)
		return person_answers(f->person, *e);
	for (size_t i = 0; i < f->n; i++)
		if (!holds(&f->conditions[i], *e))
			return false;
	if (f->pattern.p && !is_matched(f, L, *e, what))
		return false;
	if (f->function == LUA_NOREF)
		return true;
	event_hold(e);
	return ask(f, L, *e, what);
}

int filter_push_captures(lua_State *L, const struct filter *f, const struct event *e)
{
	struct match m;
	struct str text = f && f->pattern.p ? message_of(e) : STR_NONE;
	if (!text.p)
		return 0;
	begin_match(&m, f, text);
	return match_find(&m, 0, MATCH_NOWHERE) == MATCH_FOUND ? lib_push_captures(L, &m) : 0;
}
