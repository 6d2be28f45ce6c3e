#include "base/clock.h"
#include "irc/request.h"
#include "script/convert.h"
#include "script/host.h"
#include "script/modules.h"
#include "script/slice.h"
#include "script/task.h"

#include <string.h>

/*
 * request, and what it returns: a table of what the server said, by name (irc/reply.h), in which
 * `events` is made when it is first read. An answer may have tens of thousands of lines: others
 * have their turn in between.
 */

#define REQUEST_NS (30 * NS_PER_S)

enum { LINES_PER_TURN = 256 }; /* a fraction of a millisecond */

static bool is_turn_over(lua_State *L, size_t n_lines, struct str rest)
{
	return n_lines % LINES_PER_TURN == 0 && rest.n && script_of(L)->may_slice &&
	       slice_may_yield(L);
}

/* On the stack: the reply, the key, the list so far. The answer is the upvalue. */
static int list_events(lua_State *L, int status, lua_KContext done)
{
	const struct event *answer = lua_touserdata(L, lua_upvalueindex(1));
	struct str rest = str_skip(answer->extra, (size_t)done);
	lua_Integer n = (lua_Integer)lua_rawlen(L, 3);
	struct event e;
	(void)status;
	convert_begin_lines(&e, answer);
	while (convert_next_line(L, &rest, answer->m.nick, &e)) {
		lib_push_event(L, &e);
		lua_rawseti(L, 3, ++n);
		if (is_turn_over(L, (size_t)n, rest))
			return slice_yield(L, rest.p - answer->extra.p, list_events);
	}
	lua_pushvalue(L, 2);
	lua_pushvalue(L, 3);
	lua_rawset(L, 1);
	lua_pushnil(L); /* the answer is not needed any more */
	lua_replace(L, lua_upvalueindex(1));
	return 1;
}

static int reply_index(lua_State *L)
{
	bool is_made = !lua_isuserdata(L, lua_upvalueindex(1));
	if (is_made || lua_type(L, 2) != LUA_TSTRING || strcmp(lua_tostring(L, 2), "events") != 0)
		return 0;
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 2);
	lua_newtable(L);
	return list_events(L, LUA_OK, 0);
}

/* On the stack while the reply is made: */
enum { ASKER = 1, ANSWER, REPLY };

static void push_field(lua_State *L, const struct event *e, const struct fact *f)
{
	struct value v = {0};
	const struct field *field = field_find(e->kind, str_of(f->field));
	if (field)
		field_read(field, &e->m, e->isupport, &v);
	convert_push_value(L, &v, e);
}

static void set_once(lua_State *L, const struct event *e, const struct fact *f)
{
	bool is_set = lua_getfield(L, REPLY, f->fact) != LUA_TNIL;
	lua_pop(L, 1);
	if (is_set)
		return;
	push_field(L, e, f);
	lua_setfield(L, REPLY, f->fact);
}

/* Pushes the list of that name. */
static void push_list(lua_State *L, const char *name)
{
	if (lua_getfield(L, REPLY, name) == LUA_TTABLE)
		return;
	lua_pop(L, 1);
	lua_newtable(L);
	lua_pushvalue(L, -1);
	lua_setfield(L, REPLY, name);
}

/* Adds the value on top, or the elements of the list that it is, to the list below. */
static void append(lua_State *L)
{
	lua_Integer n = (lua_Integer)lua_rawlen(L, -2);
	if (lua_istable(L, -1)) {
		lua_Integer n_more = (lua_Integer)lua_rawlen(L, -1);
		for (lua_Integer i = 1; i <= n_more; i++) {
			lua_rawgeti(L, -1, i);
			lua_rawseti(L, -3, n + i);
		}
		lua_pop(L, 1);
	} else {
		lua_rawseti(L, -2, n + 1);
	}
}

static void append_parts(lua_State *L)
{
	size_t length;
	const char *p = lua_tolstring(L, -1, &length);
	struct str rest = {p, length};
	lua_Integer n = (lua_Integer)lua_rawlen(L, -2);
	while (rest.n) {
		convert_push_str(L, str_cut(&rest, ','));
		lua_rawseti(L, -3, ++n);
	}
	lua_pop(L, 1);
}

static void add_to_list(lua_State *L, const struct event *e, const struct fact *f)
{
	push_list(L, f->fact);
	push_field(L, e, f);
	if (f->type == FACT_COMMAS && lua_isstring(L, -1))
		append_parts(L);
	else
		append(L);
	lua_pop(L, 1);
}

/* The reply as an element of a list. Returns how many of the n facts, which stand together, were
 * in it. */
static size_t add_row(lua_State *L, const struct event *e, const struct fact *facts, size_t n)
{
	size_t i;
	push_list(L, facts->fact);
	lua_createtable(L, 0, 4);
	for (i = 0; i < n && facts[i].type == FACT_ROW && strcmp(facts[i].fact, facts->fact) == 0;
		i++) {
		push_field(L, e, &facts[i]);
		lua_setfield(L, -2, facts[i].field);
	}
	lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
	lua_pop(L, 1);
	return i;
}

/* Returns how many facts it took. */
static size_t add_fact(lua_State *L, const struct event *e, const struct fact *f, size_t n)
{
	switch (f->type) {
	case FACT_SET:
		set_once(L, e, f);
		return 1;
	case FACT_FLAG:
		lua_pushboolean(L, 1);
		lua_setfield(L, REPLY, f->fact);
		return 1;
	case FACT_APPEND:
	case FACT_COMMAS:
		add_to_list(L, e, f);
		return 1;
	case FACT_ROW:
		return add_row(L, e, f, n);
	}
	return n;
}

static void add_facts(lua_State *L, const struct event *e)
{
	size_t n = 0;
	const struct fact *facts = e->kind < EVENT_KINDS ? reply_facts(e->kind, &n) : NULL;
	for (size_t i = 0; i < n;)
		i += add_fact(L, e, &facts[i], n - i);
}

static void make_list(void *data, const char *fact)
{
	lua_State *L = data;
	push_list(L, fact);
	lua_pop(L, 1);
}

static void set_events(lua_State *L)
{
	lua_createtable(L, 0, 2);
	lua_pushvalue(L, ANSWER);
	lua_pushcclosure(L, reply_index, 1);
	lua_setfield(L, -2, "__index");
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_setmetatable(L, REPLY);
}

static int gather(lua_State *L, int status, lua_KContext done)
{
	const struct event *answer = lua_touserdata(L, ANSWER);
	struct str rest = str_skip(answer->extra, (size_t)done);
	size_t n = 0;
	struct event e;
	(void)status;
	convert_begin_lines(&e, answer);
	while (convert_next_line(L, &rest, answer->m.nick, &e)) {
		add_facts(L, &e);
		if (is_turn_over(L, ++n, rest))
			return slice_yield(L, rest.p - answer->extra.p, gather);
	}
	set_events(L);
	return 1;
}

static int begin_reply(lua_State *L)
{
	struct net_asker *a = lua_touserdata(L, ASKER);
	if (!a->answer)
		return luaL_error(L, "not enough memory");
	lib_push_event(L, a->answer->lines);
	resource_release(&a->answer->owned);
	lua_newtable(L);
	lua_pushboolean(L, 1);
	lua_setfield(L, REPLY, "ok");
	reply_each_list(a->row, make_list, L);
	return gather(L, LUA_OK, 0);
}

static int push_no(lua_State *L, const struct task *t, const struct net_asker *a)
{
	task_push_failure(L, t);
	if (a->kind[0]) {
		lua_pop(L, 1);
		lua_pushstring(L, a->kind);
	}
	return 3;
}

/* The asker is on top, as it was at the pause. */
static int after_request(lua_State *L, int status, lua_KContext context)
{
	const struct task *t = task_resumed(L);
	(void)status;
	(void)context;
	lua_insert(L, ASKER);
	lua_settop(L, ASKER);
	if (t->wake == WAKE_FAILED)
		return push_no(L, t, lua_touserdata(L, ASKER));
	return begin_reply(L);
}

static struct net_asker *push_asker(
	lua_State *L, struct net *n, struct str line, int64_t timeout_ns)
{
	struct net_asker *a = lua_newuserdatauv(L, sizeof(*a) + line.n, 0);
	char *copy = (char *)(a + 1);
	memcpy(copy, line.p, line.n);
	*a = (struct net_asker){.net = n, .timeout_ns = timeout_ns};
	a->sender = (struct net_waiter){
		.lines = {copy, line.n},
                  .who = "request", .asker = a
        };
	return a;
}

static int push_failure(lua_State *L, int code, const struct err *err)
{
	lua_pushnil(L);
	lua_pushstring(L, err->text);
	lua_pushstring(L, err_name(code));
	return 3;
}

int lib_request(lua_State *L)
{
	struct net *n = lib_take_net(L, "request");
	struct str command;
	struct err err;
	int64_t timeout_ns = REQUEST_NS;
	command.p = luaL_checklstring(L, 1, &command.n);
	if (!lua_isnoneornil(L, 3))
		timeout_ns = lib_check_seconds(L, 3, "request");
	struct task *t = task_check(L, "request");
	struct net_facts facts = net_facts(n);
	struct str line =
		convert_line(L, command, 2, facts.has_tags ? facts.isupport : NULL, "request");
	if (!line.p)
		return push_failure(
			L, err_set(&err, ERR_INVALID, "there is nothing to send"), &err);
	int r = net_sift_question(n, &line, &err);
	if (r < 0)
		return push_failure(L, r, &err);
	struct net_asker *a = push_asker(L, n, line, timeout_ns);
	r = net_ask(n, a, t, &err);
	return r < 0 ? push_failure(L, r, &err) : task_pause(L, -1, after_request);
}
