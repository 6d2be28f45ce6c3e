#include "base/err.h"
#include "script/backlog.h"
#include "script/host.h"
#include "script/listen.h"
#include "script/modules.h"
#include "script/persist.h"
#include "script/sync.h"
#include "script/task.h"

#include <string.h>

/* on, once, wait, wait_all and trigger. */

/* on(event, [filter,] handler): the handler is the last argument. */
static int subscribe(lua_State *L, const char *who, bool is_once)
{
	int n = lua_gettop(L);
	if (n < 2 || n > 3 || !lua_isfunction(L, n))
		return luaL_error(
			L, "%s: (event, [filter,] handler) expected, the handler a function", who);
	struct listen_to to = {.who = who, .events = 1, .filter = n == 3 ? 2 : 0};
	listener_new(L, &to);
	listener_subscribe(L, lua_gettop(L), n, is_once);
	return 1;
}

static int lib_on(lua_State *L)
{
	return subscribe(L, "on", false);
}

static int lib_once(lua_State *L)
{
	return subscribe(L, "once", true);
}

/* nil and why the wait gave nothing. */
static int push_nothing(lua_State *L, const struct task *t)
{
	if (t->wake == WAKE_FAILED && t->code == ERR_LIMIT)
		return vm_raise(L, err_name(t->code), t->why);
	lua_pushnil(L);
	lua_pushstring(L, t->wake == WAKE_TIMER ? "timeout" : "disconnected");
	return 2;
}

static int after_wait(lua_State *L, int status, lua_KContext context)
{
	const struct task *t = task_resumed(L);
	struct listener *l = lua_touserdata(L, 1);
	(void)status;
	(void)context;
	if (t->wake != WAKE_DONE)
		return push_nothing(L, t);
	luaL_checkstack(L, LUA_MINSTACK + 32, "captures");
	lib_push_event(L, l->got);
	int n = filter_push_captures(L, l->filter, l->got);
	listener_read(l);
	return 1 + n;
}

/* (event, [filter], [timeout]): a number in the filter's place is the timeout. */
static void settle_arguments(lua_State *L)
{
	if (lua_type(L, 2) == LUA_TNUMBER && lua_isnoneornil(L, 3)) {
		lua_settop(L, 2);
		lua_pushnil(L);
		lua_insert(L, 2);
	}
	lua_settop(L, 3);
}

static int lib_wait(lua_State *L)
{
	struct task *t = task_check(L, "wait");
	settle_arguments(L);
	int64_t at_ns = lib_deadline(L, 3, "wait");
	struct listen_to to = {.who = "wait", .events = 1, .filter = 2, .is_wait = true};
	listener_new(L, &to);
	lua_replace(L, 1);
	lua_settop(L, 1);
	listener_wait(L, t, 1);
	return task_pause(L, at_ns, after_wait);
}

/* The stack holds n listeners, then the list of names. */
static int after_wait_all(lua_State *L, int status, lua_KContext context)
{
	const struct task *t = task_resumed(L);
	(void)status;
	(void)context;
	if (t->wake != WAKE_DONE)
		return push_nothing(L, t);
	int names = lua_gettop(L);
	luaL_checkstack(L, LUA_MINSTACK, "too many events");
	lua_newtable(L);
	for (int i = 1; i < names; i++) {
		struct listener *l = lua_touserdata(L, i);
		lua_geti(L, names, i);
		lib_push_event(L, l->got);
		lua_settable(L, -3);
		listener_read(l);
	}
	return 1;
}

static int lib_wait_all(lua_State *L)
{
	struct task *t = task_check(L, "wait_all");
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 2);
	int64_t at_ns = lib_deadline(L, 2, "wait_all");
	lua_settop(L, 1);
	lua_Integer n = (lua_Integer)lua_rawlen(L, 1);
	if (n < 1 || n > 64)
		return luaL_error(L, "wait_all: 1 to 64 events can be waited for");
	luaL_checkstack(L, (int)n + 4, "too many events");
	lua_createtable(L, (int)n, 0); /* the names as they are now */
	for (int i = 1; i <= n; i++) {
		lua_rawgeti(L, 1, i);
		lua_rawseti(L, 2, i);
	}
	lua_remove(L, 1);
	for (int i = 1; i <= n; i++) {
		lua_rawgeti(L, -1, i);
		struct listen_to to = {.who = "wait_all", .events = lua_gettop(L), .is_wait = true};
		listener_new(L, &to);
		lua_remove(L, -2);
		lua_insert(L, -2);
	}
	listener_wait(L, t, (int)n);
	return task_pause(L, at_ns, after_wait_all);
}

static int after_next(lua_State *L, int status, lua_KContext context);

/* The iterator of events(): the next event and its captures, or nil at the end. */
static int next_event(lua_State *L)
{
	struct listener *l = listener_check(L, 1);
	if (!l->backlog || l->is_dead)
		return 0;
	struct event *e = backlog_first(l->backlog);
	if (e) {
		luaL_checkstack(L, LUA_MINSTACK + 32, "captures");
		lib_push_event(L, e);
		int n = filter_push_captures(L, l->filter, e);
		backlog_drop_first(l->backlog);
		return 1 + n;
	}
	if (l->backlog->has_overflowed)
		return vm_raise(L, "limit", "events: more came than the buffer holds");
	if (l->backlog->is_over)
		return 0;
	struct task *t = task_check(L, "events");
	lua_getiuservalue(L, 1, 2);
	int64_t at_ns = lib_deadline(L, lua_gettop(L), "events");
	lua_settop(L, 1);
	waiter_push(L, &l->backlog->readers, t);
	return task_pause(L, at_ns, after_next);
}

static int after_next(lua_State *L, int status, lua_KContext context)
{
	const struct task *t = task_resumed(L);
	(void)status;
	(void)context;
	if (t->wake != WAKE_DONE)
		return 0;
	lua_settop(L, 1);
	return next_event(L);
}

/* events(event, [filter], [timeout]): four values for a for loop, which closes the last. */
static int lib_events(lua_State *L)
{
	settle_arguments(L);
	if (!lua_isnil(L, 3))
		lib_check_seconds(L, 3, "events");
	struct listen_to to = {.who = "events", .events = 1, .filter = 2, .is_wait = true};
	const struct listener *l = listener_new(L, &to);
	size_t max = filter_buffer(l->filter);
	lua_pushvalue(L, 3);
	lua_setiuservalue(L, -2, 2);
	listener_collect(L, 4, max ? max : BACKLOG_STANDARD);
	lua_pushcfunction(L, next_event);
	lua_pushvalue(L, 4);
	lua_pushnil(L);
	lua_pushvalue(L, 4);
	return 4;
}

/* Names and fields that only the daemon gives: a script cannot forge a line, or an account. */
static void check_own_name(lua_State *L, struct str name)
{
	int kinds[EVENT_NAME_KINDS_MAX];
	bool is_prefixed = name.n >= 7 && (str_ieq((struct str){name.p, 7}, STR("client_")) ||
						  str_ieq((struct str){name.p, 7}, STR("script_")));
	if (name.n == 0)
		luaL_error(L, "trigger: event: the name is empty");
	if (is_prefixed || event_kinds(name, kinds))
		luaL_error(L, "trigger: event: '%s' is an event of the server's or ebb's", name.p);
}

static void check_own_fields(lua_State *L, int table)
{
	static const char *const taken[] = {"event", "network", "net", "mine", "replayed", "time",
		"script", "copy", "reply", "ask", "confirm"};
	for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
		size_t n;
		if (lua_type(L, -2) != LUA_TSTRING)
			luaL_error(L, "trigger: fields: a name expected as key, got %s",
				luaL_typename(L, -2));
		const char *key = lua_tolstring(L, -2, &n);
		bool is_taken = field_find(EVENT_UNKNOWN, (struct str){key, n}) != NULL;
		for (size_t i = 0; i < COUNTOF(taken) && !is_taken; i++)
			is_taken = strcmp(key, taken[i]) == 0;
		if (is_taken)
			luaL_error(L, "trigger: fields: '%s' is a field that every event has", key);
	}
}

/* The fields, and who triggered it, into the host's scratch buffer. */
static struct str encode_fields(lua_State *L, int table)
{
	struct script *s = script_of(L);
	struct err err;
	lua_newtable(L);
	for (lua_pushnil(L); lua_next(L, table);) {
		lua_pushvalue(L, -2);
		lua_insert(L, -2);
		lua_rawset(L, -4);
	}
	lua_pushstring(L, s->name);
	lua_setfield(L, -2, "script");
	buf_reset(&s->host->scratch);
	if (persist_encode(L, -1, &s->host->scratch, "fields", &err) < 0)
		luaL_error(L, "trigger: %s", err.text);
	return buf_str(&s->host->scratch);
}

static int lib_trigger(lua_State *L)
{
	const struct script *s = script_of(L);
	struct host *h = s->host;
	const struct task *t = task_of(L);
	int kinds[EVENT_NAME_KINDS_MAX];
	struct str name;
	name.p = luaL_checklstring(L, 1, &name.n);
	lua_settop(L, 2);
	if (lua_isnil(L, 2)) {
		lua_newtable(L);
		lua_replace(L, 2);
	}
	luaL_checktype(L, 2, LUA_TTABLE);
	check_own_name(L, name);
	check_own_fields(L, 2);
	if (h->n_events >= HOST_EVENTS_MAX || h->events_bytes >= HOST_EVENTS_MAX_BYTES)
		return vm_raise(L, "limit", "trigger: too many events wait for their turn");
	const struct net *n = t ? handles_get(&h->handles, t->net) : NULL;
	if (host_kinds(h, name, kinds) == 0)
		return vm_raise(L, "limit",
			"trigger: event: the name is too long, or there are too many names");
	struct event e = {.kind = kinds[0], .wall_ns = host_wall_ns(h)};
	e.values = encode_fields(L, 2);
	e.name = host_kind_name(h, e.kind);
	if (n) {
		e.net = n->handle;
		e.net_name = str_of(n->name);
	}
	host_event(h, &e);
	return 0;
}

void lib_open_listen(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"on",       lib_on      },
                {"once",     lib_once    },
                {"wait",     lib_wait    },
                {"wait_all", lib_wait_all},
		{"events",   lib_events  },
                {"trigger",  lib_trigger },
                {NULL,       NULL        }
        };
	listen_open(L);
	modules_export_all(L, functions);
}
