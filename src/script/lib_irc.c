#include "base/clock.h"
#include "irc/sendq.h"
#include "script/convert.h"
#include "script/host.h"
#include "script/modules.h"
#include "script/task.h"

#include <stdio.h>
#include <string.h>

/* Networks: their object, and the functions that act on one. A function takes the network as its
 * first argument, as a method does, or means the task's. */

static const char net_type[] = "ebb.network";

void lib_push_net(lua_State *L, struct handle net)
{
	if (!handles_get(&script_of(L)->host->handles, net)) {
		lua_pushnil(L);
		return;
	}
	struct handle *h = lua_newuserdatauv(L, sizeof(*h), 0);
	*h = net;
	luaL_setmetatable(L, net_type);
}

/* A network may go when the configuration is read again: to use it is no script's fault. */
struct net *lib_live_net(lua_State *L, struct handle h)
{
	struct net *n = handles_get(&script_of(L)->host->handles, h);
	if (!n)
		vm_raise(L, err_name(ERR_DISCONNECTED), "the network was removed");
	return n;
}

struct net *lib_check_net(lua_State *L, int index)
{
	const struct handle *h = luaL_checkudata(L, index, net_type);
	return lib_live_net(L, *h);
}

static void push_isupport(lua_State *L, const struct isupport *is)
{
	struct str name, value;
	lua_newtable(L);
	for (size_t cursor = 0; isupport_next(is, &cursor, &name, &value);) {
		convert_push_str(L, name);
		convert_push_str(L, value);
		lua_rawset(L, -3);
	}
}

/* A name has its value, or true. */
static void push_caps(lua_State *L, const struct caps *caps)
{
	uint64_t rest = caps->enabled;
	struct str value;
	const char *name;
	lua_newtable(L);
	while ((name = caps_next(caps, &rest, &value))) {
		if (value.p)
			convert_push_str(L, value);
		else
			lua_pushboolean(L, 1);
		lua_setfield(L, -2, name);
	}
}

static void push_fact(lua_State *L, const struct net *n, const char *key)
{
	struct net_facts facts = net_facts(n);
	if (strcmp(key, "name") == 0)
		lua_pushstring(L, n->name);
	else if (strcmp(key, "nick") == 0)
		lua_pushstring(L, facts.nick);
	else if (strcmp(key, "account") == 0)
		lua_pushstring(L, facts.account);
	else if (strcmp(key, "state") == 0)
		lua_pushstring(L, facts.state);
	else if (strcmp(key, "host") == 0)
		lua_pushstring(L, facts.host);
	else if (strcmp(key, "port") == 0)
		lua_pushinteger(L, facts.port);
	else if (strcmp(key, "attempt") == 0)
		lua_pushinteger(L, facts.attempt);
	else if (strcmp(key, "lag") == 0 && facts.lag_ns >= 0)
		lua_pushnumber(L, (lua_Number)facts.lag_ns / NS_PER_S);
	else if (strcmp(key, "dial_in") == 0 && facts.dial_in_ns >= 0)
		lua_pushnumber(L, (lua_Number)facts.dial_in_ns / NS_PER_S);
	else if (strcmp(key, "caps") == 0)
		push_caps(L, facts.caps);
	else if (strcmp(key, "isupport") == 0)
		push_isupport(L, facts.isupport);
	else
		lua_pushnil(L);
}

static int net_index(lua_State *L)
{
	const struct net *n = lib_check_net(L, 1);
	if (lua_type(L, 2) != LUA_TSTRING)
		return 0;
	lua_pushvalue(L, 2);
	if (lua_rawget(L, lua_upvalueindex(1)) == LUA_TNIL)
		push_fact(L, n, lua_tostring(L, 2));
	return 1;
}

static int net_same(lua_State *L)
{
	size_t an, bn;
	struct net_facts facts = net_facts(lib_check_net(L, 1));
	const char *a = luaL_checklstring(L, 2, &an), *b = luaL_checklstring(L, 3, &bn);
	lua_pushboolean(
		L, casemap_eq(facts.isupport->casemap, (struct str){a, an}, (struct str){b, bn}));
	return 1;
}

static int net_is_channel(lua_State *L)
{
	size_t n;
	struct net_facts facts = net_facts(lib_check_net(L, 1));
	const char *name = luaL_checklstring(L, 2, &n);
	lua_pushboolean(L, isupport_is_channel(facts.isupport, (struct str){name, n}));
	return 1;
}

static int net_tostring(lua_State *L)
{
	lua_pushfstring(L, "network %s", lib_check_net(L, 1)->name);
	return 1;
}

static int net_eq(lua_State *L)
{
	const struct handle *a = luaL_testudata(L, 1, net_type);
	const struct handle *b = luaL_testudata(L, 2, net_type);
	lua_pushboolean(L, a && b && a->index == b->index && a->generation == b->generation);
	return 1;
}

static bool is_net(lua_State *L, int index)
{
	return luaL_testudata(L, index, net_type) != NULL;
}

/* The network that a task without one means: the only one that its script hears. */
static struct net *only_net(lua_State *L, const char *who)
{
	const struct script *s = script_of(L);
	struct net *found = NULL;
	list_each (node, &s->host->nets) {
		struct net *n = container_of(node, struct net, node);
		if (!script_hears(s, str_of(n->name)))
			continue;
		if (found)
			luaL_error(L,
				"%s: which network? this task belongs to none, and the script "
				"has several: use network(\"name\"):%s(…)",
				who, who);
		found = n;
	}
	if (!found)
		luaL_error(L, "%s: there is no network", who);
	return found;
}

/* A task whose network is gone means no other in its place. */
static struct net *task_net(lua_State *L, const char *who)
{
	const struct task *t = task_of(L);
	return t && t->net.generation ? lib_live_net(L, t->net) : only_net(L, who);
}

static struct net *named_net(lua_State *L, int index)
{
	size_t n;
	const char *name = lua_tolstring(L, index, &n);
	const struct script *s = script_of(L);
	struct net *net = net_find(s->host, (struct str){name, n});
	return net && script_hears(s, (struct str){name, n}) ? net : NULL;
}

struct net *lib_take_net(lua_State *L, const char *who)
{
	if (!is_net(L, 1))
		return task_net(L, who);
	struct net *n = lib_check_net(L, 1);
	lua_remove(L, 1);
	return n;
}

static int raise_unsent(lua_State *L, const char *who, const struct err *err)
{
	if (err->code != ERR_DISCONNECTED && err->code != ERR_LIMIT)
		return luaL_error(L, "%s: %s", who, err->text);
	lua_pushfstring(L, "%s: %s", who, err->text);
	return vm_raise(L, err_name(err->code), lua_tostring(L, -1));
}

/* The waiter is on top, as it was at the pause. */
static int after_send(lua_State *L, int status, lua_KContext context)
{
	const struct task *t = task_resumed(L);
	const struct net_waiter *w = lua_touserdata(L, -1);
	struct err err = {.code = t->code};
	(void)status;
	(void)context;
	if (t->wake != WAKE_DONE) {
		snprintf(err.text, sizeof(err.text), "%s", t->why);
		return raise_unsent(L, w->who, &err);
	}
	lua_pushboolean(L, 1);
	return 1;
}

/* Pauses until the queue takes the lines, which are copied. */
static int wait_to_send(lua_State *L, struct net *n, struct str lines, bool is_raw, const char *who)
{
	struct task *t = task_check(L, who);
	struct net_waiter *w = lua_newuserdatauv(L, sizeof(*w) + lines.n, 0);
	char *copy = (char *)(w + 1);
	memcpy(copy, lines.p, lines.n);
	*w = (struct net_waiter){
		.is_raw = is_raw, .lines = {copy, lines.n},
                     .who = who
        };
	waiter_join(&n->senders, &w->waiter, t);
	return task_pause(L, -1, after_send);
}

int lib_send_line(lua_State *L, struct net *n, struct str line, bool is_raw, const char *who)
{
	struct err err;
	struct str rest;
	int r = net_send(n, line, is_raw, &rest, &err);
	if (r == ERR_AGAIN)
		return wait_to_send(L, n, rest, is_raw, who);
	if (r < 0)
		return raise_unsent(L, who, &err);
	lua_pushboolean(L, 1);
	return 1;
}

static int lib_send(lua_State *L)
{
	struct net *n = lib_take_net(L, "send");
	size_t length;
	const char *command = luaL_checklstring(L, 1, &length);
	struct net_facts facts = net_facts(n);
	struct str line = convert_line(L, (struct str){command, length}, 2,
		facts.has_tags ? facts.isupport : NULL, "send");
	if (!line.p && facts.is_connected) {
		lua_pushboolean(L, 0);
		return 1;
	}
	return lib_send_line(L, n, line, false, "send");
}

static int lib_raw(lua_State *L)
{
	struct net *n = lib_take_net(L, "raw");
	struct str line;
	line.p = luaL_checklstring(L, 1, &line.n);
	if (line.n == 0 || str_has(line, '\r') || str_has(line, '\n') || str_has(line, '\0'))
		return luaL_error(L, "raw: one line is expected, without CR, LF or NUL");
	return lib_send_line(L, n, line, true, "raw");
}

static int after_flush(lua_State *L, int status, lua_KContext context)
{
	const struct task *t = task_resumed(L);
	(void)status;
	(void)context;
	if (t->wake == WAKE_FAILED)
		return task_push_failure(L, t);
	if (t->wake == WAKE_DONE) {
		lua_pushboolean(L, 1);
		return 1;
	}
	lua_pushnil(L);
	lua_pushliteral(L, "not all was sent in time");
	lua_pushstring(L, err_name(ERR_TIMEOUT));
	return 3;
}

static int lib_flush(lua_State *L)
{
	struct net *n = lib_take_net(L, "flush");
	struct task *t = task_check(L, "flush");
	int64_t at_ns = lib_deadline(L, 1, "flush");
	if (!net_facts(n).is_connected) {
		lua_pushnil(L);
		lua_pushfstring(L, "%s is not connected", n->name);
		lua_pushstring(L, err_name(ERR_DISCONNECTED));
		return 3;
	}
	struct net_flusher *f = lua_newuserdatauv(L, sizeof(*f), 0);
	n->ops->mark(n->data, &f->mark);
	if (n->ops->is_past(n->data, &f->mark)) {
		lua_pushboolean(L, 1);
		return 1;
	}
	waiter_join(&n->flushers, &f->waiter, t);
	return task_pause(L, at_ns, after_flush);
}

/* Where an answer to e goes: the place where it was said, else its sender. */
static struct str place_of(lua_State *L, const struct event *e)
{
	struct value channel = {0}, v = {0};
	if (e->is_line && event_is_talk(e) && e->m.n_params)
		return isupport_channel_of(e->isupport, e->m.params[0], NULL).p ? e->m.params[0]
										: e->m.nick;
	if (event_field(e, STR("channel"), &channel) && channel.type == VALUE_STR) {
		if (event_is_talk(e) && event_field(e, STR("target"), &v))
			return v.str; /* with its @, where it was said to operators only */
		return channel.str;
	}
	struct str who = e->kind == EVENT_NICK ? STR("new_nick") : STR("nick");
	if (!event_field(e, who, &v) || v.type != VALUE_STR)
		luaL_error(L, "reply: the event has nobody to answer");
	return v.str;
}

/* A place may come from a script's own event, with any bytes in it. */
static bool is_one_target(struct str place)
{
	return sendq_takes(place) && place.p[0] != ':' && !str_has(place, ' ') &&
	       !str_has(place, ',');
}

/* The line is simple enough to be made without the table of commands. */
int lib_reply(lua_State *L)
{
	const struct event *e = lib_check_event(L, 1);
	struct buf *out = &script_of(L)->host->scratch;
	struct str text;
	text.p = luaL_checklstring(L, 2, &text.n);
	struct net *n = handles_get(&script_of(L)->host->handles, e->net);
	if (!n)
		return luaL_error(L, "reply: the event is of no network");
	struct str place = place_of(L, e);
	if (!is_one_target(place))
		return luaL_error(L, "reply: the event has nobody to answer");
	if (list_is_empty(&n->senders) && !n->n_sieves[SIEVE_OUT] &&
		n->ops->say(n->data, place, text)) {
		lua_pushboolean(L, 1);
		return 1;
	}
	buf_reset(out);
	int r = buf_add(out, STR("PRIVMSG "));
	r |= buf_add(out, place);
	r |= buf_add(out, STR(" :"));
	r |= buf_add(out, text);
	if (r < 0)
		return luaL_error(L, "reply: the text is too long");
	return lib_send_line(L, n, buf_str(out), false, "reply");
}

static int after_connect(lua_State *L, int status, lua_KContext context)
{
	const struct task *t = task_resumed(L);
	(void)status;
	(void)context;
	if (t->wake != WAKE_DONE)
		return task_push_failure(L, t);
	lua_settop(L, 1);
	return 1;
}

static int give_up(lua_State *L, const char *why)
{
	lua_pushnil(L);
	lua_pushstring(L, why);
	lua_pushstring(L, err_name(ERR_REQUESTED));
	return 3;
}

static int connect_to(lua_State *L, struct net *n)
{
	const struct host *h = n->host;
	lua_settop(L, 0);
	lib_push_net(L, n->handle);
	if (net_facts(n).is_usable)
		return 1;
	if (h->is_stopping || h->options.is_check)
		return give_up(
			L, h->is_stopping ? "ebb is ending" : "nothing is connected in a check");
	struct task *t = task_check(L, "connect");
	if (net_facts(n).is_closing) {
		waiter_push(L, &n->followers, t);
	} else {
		waiter_push(L, &n->connectors, t);
		n->ops->connect(n->data);
	}
	return task_pause(L, -1, after_connect);
}

static int connect_new(lua_State *L)
{
	lua_settop(L, 1);
	if (script_of(L)->host->is_stopping)
		return give_up(L, "ebb is ending");
	task_check(L, "connect"); /* before anything is made */
	struct net *n = lib_make_net(L);
	return n ? connect_to(L, n) : 3;
}

int lib_connect(lua_State *L)
{
	if (lua_istable(L, 1))
		return connect_new(L);
	if (lua_isnoneornil(L, 1) || is_net(L, 1))
		return connect_to(L, lib_take_net(L, "connect"));
	luaL_checkstring(L, 1);
	struct net *n = named_net(L, 1);
	return n ? connect_to(L, n) : luaL_error(L, "connect: no network '%s'", lua_tostring(L, 1));
}

static int after_disconnect(lua_State *L, int status, lua_KContext context)
{
	task_resumed(L);
	(void)status;
	(void)context;
	lua_pushboolean(L, 1);
	return 1;
}

struct str lib_opt_message(lua_State *L, int index, const char *who)
{
	struct str message = {0};
	message.p = luaL_optlstring(L, index, "", &message.n);
	if (str_has(message, '\r') || str_has(message, '\n') || str_has(message, '\0'))
		luaL_error(L, "%s: message has a line break or NUL", who);
	return message;
}

static int lib_disconnect(lua_State *L)
{
	struct net *n;
	if (is_net(L, 1)) {
		n = lib_take_net(L, "disconnect");
	} else if (lua_type(L, 1) == LUA_TSTRING && (lua_gettop(L) > 1 || named_net(L, 1))) {
		n = named_net(L, 1);
		if (!n)
			return luaL_error(L, "disconnect: no network '%s'", lua_tostring(L, 1));
		lua_remove(L, 1);
	} else {
		n = task_net(L, "disconnect");
	}
	struct str message = lib_opt_message(L, 1, "disconnect");
	struct task *t = task_check(L, "disconnect");
	struct waiter *w = lua_newuserdatauv(L, sizeof(*w), 0); /* before anything is begun */
	if (!n->ops->disconnect(n->data, message)) {
		lua_pushboolean(L, 1);
		return 1;
	}
	waiter_join(&n->closers, w, t);
	return task_pause(L, -1, after_disconnect);
}

static int lib_network(lua_State *L)
{
	if (lua_isnoneornil(L, 1)) {
		lib_push_net(L, task_net(L, "network")->handle);
		return 1;
	}
	const struct net *n = named_net(L, (luaL_checkstring(L, 1), 1));
	if (n) {
		lib_push_net(L, n->handle);
		return 1;
	}
	lua_pushnil(L);
	lua_pushfstring(L, "no network '%s'", lua_tostring(L, 1));
	return 2;
}

/* The iterator: the networks are listed when networks() is called. */
static int next_net(lua_State *L)
{
	lua_Integer i = lua_tointeger(L, lua_upvalueindex(2)) + 1;
	lua_pushinteger(L, i);
	lua_replace(L, lua_upvalueindex(2));
	lua_rawgeti(L, lua_upvalueindex(1), i);
	return 1;
}

static int lib_networks(lua_State *L)
{
	const struct script *s = script_of(L);
	lua_Integer i = 0;
	lua_newtable(L);
	list_each (node, &s->host->nets) {
		const struct net *n = container_of(node, struct net, node);
		if (!script_hears(s, str_of(n->name)))
			continue;
		lib_push_net(L, n->handle);
		lua_rawseti(L, -2, ++i);
	}
	lua_pushinteger(L, 0);
	lua_pushcclosure(L, next_net, 2);
	return 1;
}

void lib_open_irc(lua_State *L)
{
	static const luaL_Reg metamethods[] = {
		{"__tostring", net_tostring},
                {"__eq",       net_eq      },
                {NULL,         NULL        }
        };
	static const luaL_Reg methods[] = {
		{"send",       lib_send      },
                {"raw",        lib_raw       },
                {"request",    lib_request   },
		{"flush",      lib_flush     },
                {"connect",    lib_connect   },
                {"disconnect", lib_disconnect},
		{"remove",     lib_remove    },
                {"same",       net_same      },
                {"is_channel", net_is_channel},
		{"channel",    lib_channel   },
                {"channels",   lib_channels  },
                {"user",       lib_user      },
		{"filter_in",  lib_filter_in },
                {"filter_out", lib_filter_out},
                {NULL,         NULL          }
        };
	static const luaL_Reg functions[] = {
		{"send",       lib_send      },
                {"raw",        lib_raw       },
                {"request",    lib_request   },
		{"flush",      lib_flush     },
                {"connect",    lib_connect   },
                {"disconnect", lib_disconnect},
		{"network",    lib_network   },
                {"networks",   lib_networks  },
                {NULL,         NULL          }
        };
	modules_define(L, net_type, metamethods, net_index, methods);
	modules_export_all(L, functions);
}
