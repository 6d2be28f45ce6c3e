#include "script/convert.h"
#include "script/host.h"
#include "script/lib_roster.h"

#include <string.h>

/* A user's object, which of a member knows the channel too. */

static const char user_type[] = "ebb.user";

void user_push(lua_State *L, const struct net *n, struct handle user, struct handle channel)
{
	struct user_object *u = lua_newuserdatauv(L, sizeof(*u), 0);
	*u = (struct user_object){n->handle, user, channel};
	luaL_setmetatable(L, user_type);
}

const struct user_object *user_test(lua_State *L, int index)
{
	return luaL_testudata(L, index, user_type);
}

static const struct user_object *check_user(lua_State *L, int index)
{
	return luaL_checkudata(L, index, user_type);
}

bool user_see(lua_State *L, const struct user_object *u, struct seen_user *out)
{
	out->net = roster_net(L, u->net);
	if (!out->net)
		return false;
	out->roster = out->net->ops->roster(out->net->data);
	out->handle = u->user;
	return roster_user(out->roster, u->user, &out->facts);
}

struct str user_check_nick(lua_State *L, int index, struct handle net, const char *who)
{
	struct str nick;
	struct seen_user seen;
	const struct user_object *u = user_test(L, index);
	if (!u) {
		nick.p = luaL_checklstring(L, index, &nick.n);
		return nick;
	}
	if (u->net.index != net.index || u->net.generation != net.generation)
		luaL_argerror(L, index, "a user of another network");
	if (!user_see(L, u, &seen)) {
		lua_pushfstring(L, "%s: the user is gone", who);
		vm_raise(L, "err_nosuchnick", lua_tostring(L, -1));
	}
	return seen.facts.nick;
}

/* Fields. */

static void push_nick(lua_State *L, const struct seen_user *seen)
{
	convert_push_str(L, seen->facts.nick);
}

static void push_user(lua_State *L, const struct seen_user *seen)
{
	convert_push_str(L, seen->facts.user);
}

static void push_host(lua_State *L, const struct seen_user *seen)
{
	convert_push_str(L, seen->facts.host);
}

static void push_account(lua_State *L, const struct seen_user *seen)
{
	convert_push_str(L, seen->facts.account.n ? seen->facts.account : STR_NONE);
}

static void push_realname(lua_State *L, const struct seen_user *seen)
{
	convert_push_str(L, seen->facts.real_name);
}

static void push_away(lua_State *L, const struct seen_user *seen)
{
	if (seen->facts.away_message.p)
		convert_push_str(L, seen->facts.away_message);
	else
		lua_pushboolean(L, seen->facts.is_away);
}

static void push_bot(lua_State *L, const struct seen_user *seen)
{
	lua_pushboolean(L, seen->facts.is_bot);
}

static void push_oper(lua_State *L, const struct seen_user *seen)
{
	lua_pushboolean(L, seen->facts.is_oper);
}

static void push_me(lua_State *L, const struct seen_user *seen)
{
	lua_pushboolean(L, seen->facts.is_me);
}

static void push_channels(lua_State *L, const struct seen_user *seen)
{
	struct buf *out = &script_of(L)->host->scratch;
	buf_reset(out);
	if (roster_channels_of(seen->roster, seen->facts.nick, out) < 0)
		luaL_error(L, "channels: there are too many");
	struct value words = {.type = VALUE_WORDS, .str = buf_str(out)};
	convert_push_value(L, &words, NULL);
}

static const struct user_field {
	const char *name;
	void (*push)(lua_State *L, const struct seen_user *seen);
} fields[] = {
	{"nick",     push_nick    },
	{"user",     push_user    },
	{"host",     push_host    },
	{"account",  push_account },
	{"realname", push_realname},
	{"away",     push_away    },
	{"bot",      push_bot     },
	{"oper",     push_oper    },
	{"me",       push_me      },
	{"channels", push_channels},
};

static const struct user_field *find_field(const char *name)
{
	for (size_t i = 0; i < COUNTOF(fields); i++)
		if (strcmp(fields[i].name, name) == 0)
			return &fields[i];
	return NULL;
}

/* Whether the highest prefix is this one or stands above it. */
static bool has_rank(const struct isupport *is, const char *prefixes, char symbol)
{
	const char *order = is->prefix_symbols, *wanted = strchr(order, symbol);
	const char *highest = prefixes[0] ? strchr(order, prefixes[0]) : NULL;
	return wanted && highest && highest <= wanted;
}

static void push_prefix(lua_State *L, const struct net *n, const struct roster_member *m)
{
	(void)n;
	lua_pushstring(L, m->prefixes);
}

static void push_op(lua_State *L, const struct net *n, const struct roster_member *m)
{
	lua_pushboolean(L, has_rank(n->ops->isupport(n->data), m->prefixes, '@'));
}

static void push_voice(lua_State *L, const struct net *n, const struct roster_member *m)
{
	(void)n;
	lua_pushboolean(L, strchr(m->prefixes, '+') != NULL);
}

static const struct member_field {
	const char *name;
	void (*push)(lua_State *L, const struct net *n, const struct roster_member *m);
} member_fields[] = {
	{"prefix", push_prefix},
	{"op",     push_op    },
	{"voice",  push_voice },
};

static const struct member_field *find_member_field(const char *name)
{
	for (size_t i = 0; i < COUNTOF(member_fields); i++)
		if (strcmp(member_fields[i].name, name) == 0)
			return &member_fields[i];
	return NULL;
}

static void push_fact(lua_State *L, const struct user_object *u, const char *key)
{
	struct seen_user seen;
	struct roster_member m;
	const struct user_field *f = find_field(key);
	const struct member_field *of_member = f ? NULL : find_member_field(key);
	bool is_there = (f || of_member) && user_see(L, u, &seen);
	if (is_there && f)
		f->push(L, &seen);
	else if (is_there && roster_find_member(seen.roster, u->channel, u->user, &m))
		of_member->push(L, seen.net, &m);
	else
		lua_pushnil(L);
}

static int user_index(lua_State *L)
{
	const struct user_object *u = check_user(L, 1);
	struct seen_user seen;
	if (lua_type(L, 2) != LUA_TSTRING)
		return 0;
	const char *key = lua_tostring(L, 2);
	if (strcmp(key, "net") == 0)
		lib_push_net(L, u->net);
	else if (strcmp(key, "gone") == 0)
		lua_pushboolean(L, !user_see(L, u, &seen));
	else
		push_fact(L, u, key);
	return 1;
}

static int user_newindex(lua_State *L)
{
	return luaL_error(L, "a user is read-only");
}

static int user_tostring(lua_State *L)
{
	struct seen_user seen;
	bool is_there = user_see(L, check_user(L, 1), &seen);
	lua_pushstring(L, "user ");
	convert_push_str(L, is_there ? seen.facts.nick : STR("that is gone"));
	lua_concat(L, 2);
	return 1;
}

/* A member and a user are the same person. */
static int user_eq(lua_State *L)
{
	const struct user_object *a = user_test(L, 1), *b = user_test(L, 2);
	lua_pushboolean(L,
		a && b && a->net.index == b->net.index && a->net.generation == b->net.generation &&
			a->user.index == b->user.index && a->user.generation == b->user.generation);
	return 1;
}

void lib_open_user(lua_State *L)
{
	static const luaL_Reg metamethods[] = {
		{"__newindex", user_newindex},
                {"__tostring", user_tostring},
                {"__eq",       user_eq      },
		{NULL,         NULL         }
        };
	static const luaL_Reg methods[] = {
		{NULL, NULL}
        };
	modules_define(L, user_type, metamethods, user_index, methods);
}
