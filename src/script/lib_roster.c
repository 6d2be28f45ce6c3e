#include "script/lib_roster.h"

#include "script/host.h"

/* Where scripts get channels and users: methods of networks and of events. */

const struct net *roster_net(lua_State *L, struct handle net)
{
	return handles_get(&script_of(L)->host->handles, net);
}

static const struct roster *roster_of(const struct net *n)
{
	return n->ops->roster(n->data);
}

static struct str check_name(lua_State *L, int index)
{
	struct str name;
	name.p = luaL_checklstring(L, index, &name.n);
	return name;
}

int lib_channel(lua_State *L)
{
	const struct net *n = lib_check_net(L, 1);
	struct str name = check_name(L, 2);
	struct roster_channel facts;
	const struct roster *r = roster_of(n);
	if (roster_channel(r, roster_find_channel(r, name), &facts))
		channel_push(L, n, facts.name);
	else
		lua_pushnil(L);
	return 1;
}

/* The iterator: the network's object, and where the walk stands. */
static int next_channel(lua_State *L)
{
	const struct handle *net = lua_touserdata(L, lua_upvalueindex(1));
	size_t cursor = (size_t)lua_tointeger(L, lua_upvalueindex(2));
	const struct net *n = roster_net(L, *net);
	struct handle channel;
	struct roster_channel facts;
	if (!n || !roster_next_channel(roster_of(n), &cursor, &channel) ||
		!roster_channel(roster_of(n), channel, &facts)) {
		lua_pushnil(L);
		return 1;
	}
	lua_pushinteger(L, (lua_Integer)cursor);
	lua_replace(L, lua_upvalueindex(2));
	channel_push(L, n, facts.name);
	return 1;
}

int lib_channels(lua_State *L)
{
	lib_check_net(L, 1);
	lua_pushvalue(L, 1);
	lua_pushinteger(L, 0);
	lua_pushcclosure(L, next_channel, 2);
	return 1;
}

int lib_user(lua_State *L)
{
	const struct net *n = lib_check_net(L, 1);
	struct str nick = check_name(L, 2);
	struct handle user = roster_find_user(roster_of(n), nick);
	if (user.generation)
		user_push(L, n, user, (struct handle){0});
	else
		lua_pushnil(L);
	return 1;
}

/* Also of a channel that we are not in, or not yet, as when we join: it can be written to. */
int lib_event_channel(lua_State *L)
{
	const struct event *e = lib_check_event(L, 1);
	const struct net *n = roster_net(L, e->net);
	struct value v;
	bool has_channel = n && event_field(e, STR("channel"), &v) && v.type == VALUE_STR &&
			   isupport_is_channel(n->ops->isupport(n->data), v.str);
	if (has_channel)
		channel_push(L, n, v.str);
	else
		lua_pushnil(L);
	return 1;
}
