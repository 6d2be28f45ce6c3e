#include "script/convert.h"

#include "irc/modes.h"
#include "script/forms.h"
#include "script/host.h"
#include "script/modules.h"
#include "script/net.h"

#include <lauxlib.h>
#include <string.h>

void convert_push_str(lua_State *L, struct str s)
{
	if (s.p)
		lua_pushlstring(L, s.p, s.n);
	else
		lua_pushnil(L);
}

static void push_words(lua_State *L, struct str words, const char *separator)
{
	struct str word;
	lua_newtable(L);
	for (lua_Integer i = 1; (word = str_word(&words, separator)).n; i++) {
		convert_push_str(L, word);
		lua_rawseti(L, -2, i);
	}
}

static void push_list(lua_State *L, const struct str *list, size_t n)
{
	lua_createtable(L, (int)n, 0);
	for (size_t i = 0; i < n; i++) {
		convert_push_str(L, list[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
}

/* A tag's value; it never grows when unescaped. */
static void push_unescaped(lua_State *L, struct str value)
{
	struct buf *b = &script_of(L)->host->scratch;
	if (!str_has(value, '\\')) {
		convert_push_str(L, value);
		return;
	}
	buf_reset(b);
	if (message_unescape(b, value) < 0)
		buf_reset(b);
	convert_push_str(L, buf_str(b));
}

static void push_tags(lua_State *L, struct str rest)
{
	struct str key, value;
	lua_newtable(L);
	while (message_next_tag(&rest, &key, &value)) {
		convert_push_str(L, key);
		push_unescaped(L, value.p ? value : STR(""));
		lua_rawset(L, -3);
	}
}

static void push_changes(lua_State *L, const struct value *v, const struct isupport *is)
{
	struct mode_reader r;
	struct mode_change c;
	lua_newtable(L);
	modes_begin(&r, is, v->str, v->list, v->n);
	for (lua_Integer i = 1; modes_next(&r, &c); i++) {
		lua_createtable(L, 0, 3);
		lua_pushboolean(L, c.set);
		lua_setfield(L, -2, "set");
		lua_pushlstring(L, &c.mode, 1);
		lua_setfield(L, -2, "mode");
		convert_push_str(L, c.param);
		lua_setfield(L, -2, "param");
		lua_rawseti(L, -2, i);
	}
}

/* A copy of an event is no longer than it needs to be. */
void convert_begin_lines(struct event *e, const struct event *like)
{
	memcpy(e, like, offsetof(struct event, m));
	e->refs = 0;
	e->is_line = true;
	e->extra = e->opening = STR_NONE;
}

static bool is_event(struct event *e, struct str line)
{
	e->kind = message_parse(&e->m, line) < 0 ? -1 : event_kind_of(&e->m, e->isupport);
	return e->kind >= 0;
}

bool convert_next_line(lua_State *L, struct str *lines, struct str me, struct event *e)
{
	struct host *h = script_of(L)->host;
	while (lines->n) {
		if (!is_event(e, str_cut(lines, '\n')))
			continue;
		e->kind = host_line_kind(h, &e->m, e->kind);
		e->name = host_kind_name(h, e->kind);
		e->number = ++h->event_number;
		e->is_mine = e->m.nick.n && casemap_eq(e->isupport->casemap, e->m.nick, me);
		return true;
	}
	return false;
}

/* Who we are now, as far as is known. */
static struct str own_nick(lua_State *L, const struct event *e)
{
	const struct net *n = handles_get(&script_of(L)->host->handles, e->net);
	return n ? str_of(net_facts(n).nick) : STR("");
}

static void push_lines(lua_State *L, struct str lines, const struct event *like)
{
	struct event e;
	struct str me = own_nick(L, like);
	convert_begin_lines(&e, like);
	lua_newtable(L);
	for (lua_Integer i = 1; convert_next_line(L, &lines, me, &e); i++) {
		lib_push_event(L, &e);
		lua_rawseti(L, -2, i);
	}
}

void convert_push_value(lua_State *L, const struct value *v, const struct event *e)
{
	luaL_checkstack(L, 6, "an event's field");
	switch (v->type) {
	case VALUE_NONE:
		lua_pushnil(L);
		break;
	case VALUE_STR:
		convert_push_str(L, v->str);
		break;
	case VALUE_ESCAPED:
		push_unescaped(L, v->str);
		break;
	case VALUE_INT:
		lua_pushinteger(L, v->integer);
		break;
	case VALUE_FLOAT:
		lua_pushnumber(L, v->number);
		break;
	case VALUE_BOOL:
		lua_pushboolean(L, v->integer != 0);
		break;
	case VALUE_LIST:
		push_list(L, v->list, v->n);
		break;
	case VALUE_WORDS:
		push_words(L, v->str, " ");
		break;
	case VALUE_COMMAS:
		push_words(L, v->str, ",");
		break;
	case VALUE_LINES:
		push_lines(L, v->str, e);
		break;
	case VALUE_TAGS:
		push_tags(L, v->str);
		break;
	case VALUE_CHANGES:
		push_changes(L, v, e->isupport);
		break;
	}
}

enum { ARGS_MAX = 16 };

/* A table of parameters while it is read; values borrow from Lua's stack and the table. */
struct params {
	lua_State *L;
	const char *who;
	struct schema_arg args[ARGS_MAX];
	size_t n_args;
	struct str values[SCHEMA_LIST_MAX];
	size_t n_values;
};

/* Numbers become text on the stack, where they stay: the table keeps its number. */
static void add_value(struct params *p, int index, const char *name)
{
	size_t n;
	int type = lua_type(p->L, index);
	if (type != LUA_TSTRING && type != LUA_TNUMBER)
		luaL_error(p->L, "%s: %s: text, a number or a list of these expected, got %s",
			p->who, name, luaL_typename(p->L, index));
	if (p->n_values == SCHEMA_LIST_MAX)
		luaL_error(p->L, "%s: %s: more than %d values", p->who, name, SCHEMA_LIST_MAX);
	luaL_checkstack(p->L, 4, "too many parameters");
	lua_pushvalue(p->L, index);
	const char *s = lua_tolstring(p->L, -1, &n);
	p->values[p->n_values++] = (struct str){s, n};
}

static void add_list(struct params *p, int index, const char *name)
{
	lua_Integer n = (lua_Integer)lua_rawlen(p->L, index);
	for (lua_Integer i = 1; i <= n; i++) {
		lua_rawgeti(p->L, index, i);
		add_value(p, lua_gettop(p->L), name);
	}
}

/* Tags are no parameter of the command's. */
static void add_param(struct params *p, int key, int value)
{
	if (lua_type(p->L, key) != LUA_TSTRING)
		luaL_error(p->L, "%s: a parameter's name expected as key, got %s", p->who,
			luaL_typename(p->L, key));
	size_t n;
	const char *name = lua_tolstring(p->L, key, &n);
	if (strcmp(name, "tags") == 0)
		return;
	if (p->n_args == ARGS_MAX)
		luaL_error(p->L, "%s: more than %d parameters", p->who, ARGS_MAX);
	if (lua_isboolean(p->L, value) && !lua_toboolean(p->L, value))
		return;
	struct schema_arg *a = &p->args[p->n_args++];
	*a = (struct schema_arg){
		.name = {name, n},
                  .values = p->values + p->n_values
        };
	size_t first = p->n_values;
	if (lua_isboolean(p->L, value))
		a->is_true = true;
	else if (lua_istable(p->L, value))
		add_list(p, value, name);
	else
		add_value(p, value, name);
	a->is_list = lua_istable(p->L, value);
	a->n_values = p->n_values - first;
}

/* Walks the table with the key kept on top, above the values that stay. */
static void read_params(struct params *p, int table)
{
	lua_pushnil(p->L);
	while (lua_next(p->L, table)) {
		int value = lua_gettop(p->L);
		add_param(p, value - 1, value);
		lua_pushvalue(p->L, value - 1);
	}
}

static void put_tag(
	struct params *p, struct buf *out, const struct isupport *is, int key, int value)
{
	size_t kn, vn = 0;
	if (lua_type(p->L, key) != LUA_TSTRING)
		luaL_error(p->L, "%s: tags: a tag's name expected as key", p->who);
	const char *k = lua_tolstring(p->L, key, &kn), *v = "";
	struct str name = {k, kn};
	if (kn < 2 || k[0] != '+' || str_has(name, ' ') || str_has(name, ';') ||
		str_has(name, '=') || str_has(name, '\r') || str_has(name, '\n') ||
		str_has(name, '\0'))
		luaL_error(p->L, "%s: tags: '%s' is no client tag (\"+name\")", p->who, k);
	if (lua_isboolean(p->L, value) && !lua_toboolean(p->L, value))
		return;
	if (!lua_isboolean(p->L, value))
		v = lua_tolstring(p->L, value, &vn);
	if (!v) {
		luaL_error(p->L, "%s: tags: %s: text or true expected", p->who, k);
		return;
	}
	if (memchr(v, '\0', vn))
		luaL_error(p->L, "%s: tags: %s has a NUL", p->who, k);
	if (isupport_denies_tag(is, str_skip(name, 1)))
		return;
	int r = buf_addf(out, "%c%s%s", buf_str(out).n ? ';' : '@', k, vn ? "=" : "");
	if (r == 0)
		r = message_escape(out, (struct str){v, vn});
	if (r < 0 || buf_str(out).n > MESSAGE_SENT_TAGS_BYTES)
		luaL_error(p->L, "%s: tags: more than %d bytes", p->who, MESSAGE_SENT_TAGS_BYTES);
}

/* Writes "@+a=b;+c " from the table `tags`, to an empty buffer; is: NULL where none are sent. */
static void put_tags(struct params *p, struct buf *out, int table, const struct isupport *is)
{
	lua_State *L = p->L;
	lua_pushliteral(L, "tags");
	if (lua_rawget(L, table) == LUA_TNIL || !is)
		return;
	if (!lua_istable(L, -1))
		luaL_error(L, "%s: tags: a table expected, got %s", p->who, luaL_typename(L, -1));
	int tags = lua_gettop(L);
	for (lua_pushnil(L); lua_next(L, tags); lua_pop(L, 1))
		put_tag(p, out, is, tags + 1, tags + 2);
	if (buf_str(out).n && buf_add(out, STR(" ")) < 0)
		luaL_error(L, "%s: tags: too long", p->who);
}

/* A line of tags without one says nothing, and a server without tags does not know it. */
static bool says_nothing(struct str line)
{
	return str_ieq(str_cut(&line, ' '), STR("TAGMSG"));
}

struct str convert_line(
	lua_State *L, struct str command, int index, const struct isupport *is, const char *who)
{
	struct params p;
	struct err err = {0};
	struct buf *out = &script_of(L)->host->scratch;
	p.L = L;
	p.who = who;
	p.n_args = p.n_values = 0;
	buf_reset(out);
	if (!lua_isnoneornil(L, index)) {
		luaL_checktype(L, index, LUA_TTABLE);
		read_params(&p, index);
		put_tags(&p, out, index, is);
	}
	struct forms_command own;
	int r = forms_find(L, command, &own)
			? schema_build_from(out, &own.command, p.args, p.n_args, &err)
			: schema_build(out, command, p.args, p.n_args, &err);
	if (r < 0)
		luaL_error(L, "%s: %s", who, err.text);
	return says_nothing(buf_str(out)) ? STR_NONE : buf_str(out);
}
