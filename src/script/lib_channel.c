#include "irc/casemap.h"
#include "script/convert.h"
#include "script/host.h"
#include "script/lib_roster.h"

#include <string.h>

/* A channel's object, and the view of who is in it. */

static const char channel_type[] = "ebb.channel";
static const char users_type[] = "ebb.users"; /* its user value is the channel's object */

void channel_push(lua_State *L, const struct net *n, struct str name)
{
	const struct roster *r = n->ops->roster(n->data);
	struct channel_object *c = lua_newuserdatauv(L, sizeof(*c) + name.n, 0);
	*c = (struct channel_object){
		.net = n->handle, .channel = roster_find_channel(r, name), .n = name.n};
	memcpy(c->name, name.p, name.n);
	luaL_setmetatable(L, channel_type);
}

struct channel_object *channel_check(lua_State *L, int index)
{
	return luaL_checkudata(L, index, channel_type);
}

bool channel_see(lua_State *L, struct channel_object *c, struct seen_channel *out)
{
	const struct net *n = roster_net(L, c->net);
	if (!n)
		return false;
	out->roster = n->ops->roster(n->data);
	bool is_there = roster_channel(out->roster, c->channel, &out->facts);
	if (!is_there) {
		c->channel = roster_find_channel(out->roster, (struct str){c->name, c->n});
		is_there = roster_channel(out->roster, c->channel, &out->facts);
	}
	out->handle = c->channel;
	return is_there;
}

struct str channel_name(lua_State *L, struct channel_object *c)
{
	struct seen_channel seen;
	return channel_see(L, c, &seen) ? seen.facts.name : (struct str){c->name, c->n};
}

/* Fields. */

static void push_time(lua_State *L, int64_t seconds)
{
	if (seconds)
		lua_pushinteger(L, seconds);
	else
		lua_pushnil(L);
}

static void push_topic(lua_State *L, const struct seen_channel *seen)
{
	convert_push_str(L, seen->facts.topic);
}

static void push_topic_setter(lua_State *L, const struct seen_channel *seen)
{
	convert_push_str(L, seen->facts.topic_setter);
}

static void push_topic_time(lua_State *L, const struct seen_channel *seen)
{
	push_time(L, seen->facts.topic_s);
}

static void push_modes(lua_State *L, const struct seen_channel *seen)
{
	struct buf *out = &script_of(L)->host->scratch;
	buf_reset(out);
	int r = roster_put_modes(seen->roster, seen->handle, out);
	convert_push_str(L, r < 0 || buf_str(out).n == 0 ? STR_NONE : buf_str(out));
}

static void push_key(lua_State *L, const struct seen_channel *seen)
{
	convert_push_str(L, seen->facts.key);
}

static void push_created(lua_State *L, const struct seen_channel *seen)
{
	push_time(L, seen->facts.created_s);
}

static void push_count(lua_State *L, const struct seen_channel *seen)
{
	lua_pushinteger(L, (lua_Integer)seen->facts.n_members);
}

static void push_complete(lua_State *L, const struct seen_channel *seen)
{
	lua_pushboolean(L, seen->facts.is_complete);
}

static const struct channel_field {
	const char *name;
	void (*push)(lua_State *L, const struct seen_channel *seen);
} fields[] = {
	{"topic",        push_topic       },
	{"topic_setter", push_topic_setter},
	{"topic_time",   push_topic_time  },
	{"modes",        push_modes       },
	{"key",          push_key         },
	{"created",      push_created     },
	{"count",        push_count       },
	{"complete",     push_complete    },
};

static void push_users(lua_State *L)
{
	lua_newuserdatauv(L, 0, 1);
	lua_pushvalue(L, 1);
	lua_setiuservalue(L, -2, 1);
	luaL_setmetatable(L, users_type);
}

static const struct channel_field *find_field(const char *name)
{
	for (size_t i = 0; i < COUNTOF(fields); i++)
		if (strcmp(fields[i].name, name) == 0)
			return &fields[i];
	return NULL;
}

/* What is known of the channel, as long as we are in it. */
static void push_fact(lua_State *L, struct channel_object *c, const char *key)
{
	struct seen_channel seen;
	const struct channel_field *f = find_field(key);
	if (f && channel_see(L, c, &seen))
		f->push(L, &seen);
	else
		lua_pushnil(L);
}

static void push_field(lua_State *L, struct channel_object *c, const char *key)
{
	struct seen_channel seen;
	if (strcmp(key, "name") == 0)
		convert_push_str(L, channel_name(L, c));
	else if (strcmp(key, "net") == 0)
		lib_push_net(L, c->net);
	else if (strcmp(key, "joined") == 0)
		lua_pushboolean(L, channel_see(L, c, &seen));
	else if (strcmp(key, "users") == 0)
		push_users(L);
	else
		push_fact(L, c, key);
}

static int channel_index(lua_State *L)
{
	struct channel_object *c = channel_check(L, 1);
	if (lua_type(L, 2) != LUA_TSTRING)
		return 0;
	lua_pushvalue(L, 2);
	if (lua_rawget(L, lua_upvalueindex(1)) == LUA_TNIL) /* no method */
		push_field(L, c, lua_tostring(L, 2));
	return 1;
}

static int channel_newindex(lua_State *L)
{
	return luaL_error(L, "a channel is read-only (ch:mode(…), ch:set_topic(…) ask the server)");
}

static int channel_tostring(lua_State *L)
{
	lua_pushstring(L, "channel ");
	convert_push_str(L, channel_name(L, channel_check(L, 1)));
	lua_concat(L, 2);
	return 1;
}

static bool is_same(lua_State *L, struct channel_object *a, struct channel_object *b)
{
	const struct net *n = roster_net(L, a->net);
	if (a->net.index != b->net.index || a->net.generation != b->net.generation)
		return false;
	struct str x = channel_name(L, a), y = channel_name(L, b);
	return n ? casemap_eq(n->ops->isupport(n->data)->casemap, x, y) : str_eq(x, y);
}

static int channel_eq(lua_State *L)
{
	struct channel_object *a = luaL_testudata(L, 1, channel_type);
	struct channel_object *b = luaL_testudata(L, 2, channel_type);
	lua_pushboolean(L, a && b && is_same(L, a, b));
	return 1;
}

/* Who is in it. */

/* Pushes the object of the channel that the view at index 1 is of. */
static struct channel_object *push_viewed(lua_State *L)
{
	luaL_checkudata(L, 1, users_type);
	lua_getiuservalue(L, 1, 1);
	return channel_check(L, -1);
}

/* The user that the key at index 2 means: a nick, or a user's object. */
static struct handle user_of(lua_State *L, const struct seen_channel *seen, struct handle net)
{
	struct str nick;
	const struct user_object *u = user_test(L, 2);
	if (u && u->net.index == net.index && u->net.generation == net.generation)
		return u->user;
	if (lua_type(L, 2) != LUA_TSTRING)
		return (struct handle){0};
	nick.p = lua_tolstring(L, 2, &nick.n);
	return roster_find_user(seen->roster, nick);
}

static int users_index(lua_State *L)
{
	struct channel_object *c = push_viewed(L);
	struct seen_channel seen;
	struct roster_member m;
	if (!channel_see(L, c, &seen) ||
		!roster_find_member(seen.roster, seen.handle, user_of(L, &seen, c->net), &m))
		return 0;
	user_push(L, roster_net(L, c->net), m.user, seen.handle);
	return 1;
}

static int users_newindex(lua_State *L)
{
	return luaL_error(L, "the users of a channel are read-only");
}

static int users_len(lua_State *L)
{
	struct seen_channel seen;
	bool is_there = channel_see(L, push_viewed(L), &seen);
	lua_pushinteger(L, is_there ? (lua_Integer)seen.facts.n_members : 0);
	return 1;
}

/* The iterator: the channel's object, and where the walk stands. */
static int next_user(lua_State *L)
{
	struct channel_object *c = lua_touserdata(L, lua_upvalueindex(1));
	size_t cursor = (size_t)lua_tointeger(L, lua_upvalueindex(2));
	struct seen_channel seen;
	struct roster_member m;
	struct roster_user user;
	if (!channel_see(L, c, &seen) ||
		!roster_next_member(seen.roster, seen.handle, &cursor, &m) ||
		!roster_user(seen.roster, m.user, &user)) {
		lua_pushnil(L);
		return 1;
	}
	lua_pushinteger(L, (lua_Integer)cursor);
	lua_replace(L, lua_upvalueindex(2));
	convert_push_str(L, user.nick);
	user_push(L, roster_net(L, c->net), m.user, seen.handle);
	return 2;
}

static int users_pairs(lua_State *L)
{
	push_viewed(L);
	lua_pushinteger(L, 0);
	lua_pushcclosure(L, next_user, 2);
	return 1;
}

static int users_tostring(lua_State *L)
{
	struct channel_object *c = push_viewed(L);
	lua_pushstring(L, "users of ");
	convert_push_str(L, channel_name(L, c));
	lua_concat(L, 2);
	return 1;
}

void lib_open_channel(lua_State *L)
{
	static const luaL_Reg metamethods[] = {
		{"__newindex", channel_newindex},
                {"__tostring", channel_tostring},
		{"__eq",       channel_eq      },
                {NULL,         NULL            }
        };
	static const luaL_Reg of_users[] = {
		{"__newindex", users_newindex},
                {"__len",      users_len     },
                {"__pairs",    users_pairs   },
		{"__tostring", users_tostring},
                {NULL,         NULL          }
        };
	static const luaL_Reg none[] = {
		{NULL, NULL}
        };
	modules_define(L, channel_type, metamethods, channel_index, channel_methods);
	modules_define(L, users_type, of_users, users_index, none);
}
