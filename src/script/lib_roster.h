/*
 * lib_roster: channels and users as scripts see them; shared by lib_roster.c, lib_channel.c,
 * lib_channel_send.c and lib_user.c alone.
 *
 * An object holds what names its channel or user, and nothing of what is known of them: a field is
 * looked up in the network's roster when it is asked for. A channel is found by its name again
 * after it was left and joined anew. A user who is gone stays gone, whoever comes by that nick.
 * What is looked up is borrowed until the roster hears the next line, so for the C function at
 * most.
 */
#ifndef EBB_SCRIPT_LIB_ROSTER_H
#define EBB_SCRIPT_LIB_ROSTER_H

#include "script/modules.h"

struct channel_object {
	struct handle net, channel;
	size_t n;
	char name[]; /* when the object was made */
};

struct user_object {
	struct handle net, user;
	struct handle channel; /* where a member was found; of a user it names nothing */
};

/* What the roster has of a channel. */
struct seen_channel {
	const struct roster *roster;
	struct handle handle;
	struct roster_channel facts;
};

/* The same of a user. */
struct seen_user {
	const struct net *net;
	const struct roster *roster;
	struct handle handle;
	struct roster_user facts;
};

/* lib_roster.c. NULL where the network was removed. */
const struct net *roster_net(lua_State *L, struct handle net);

/* lib_channel.c. False: we are not in it. */
bool channel_see(lua_State *L, struct channel_object *c, struct seen_channel *out);
void channel_push(lua_State *L, const struct net *n, struct str name);
struct channel_object *channel_check(lua_State *L, int index);

/* The name as it is now, else as it was last known. */
struct str channel_name(lua_State *L, struct channel_object *c);

/* lib_channel_send.c: the methods that act on a channel. */
extern const luaL_Reg channel_methods[];

/* lib_user.c. False: they are gone. */
bool user_see(lua_State *L, const struct user_object *u, struct seen_user *out);

/* channel names nothing, or where the user is a member. */
void user_push(lua_State *L, const struct net *n, struct handle user, struct handle channel);
const struct user_object *user_test(lua_State *L, int index);

/* The nick that the argument is: text, or an object of that network, else raises with who in
 * front. */
struct str user_check_nick(lua_State *L, int index, struct handle net, const char *who);

#endif
