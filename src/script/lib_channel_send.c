#include "irc/schema.h"
#include "script/host.h"
#include "script/lib_roster.h"

/* What a channel's methods send. They need no more than its name. */

/* The last argument may be absent. */
static int send_command(lua_State *L, struct channel_object *c, const char *who,
	const char *command, const struct schema_arg *args, size_t n_args)
{
	struct net *n = lib_live_net(L, c->net);
	struct buf *out = &n->host->scratch;
	struct err err;
	buf_reset(out);
	if (args[n_args - 1].n_values == 0)
		n_args--;
	if (schema_build(out, str_of(command), args, n_args, &err) < 0)
		return luaL_error(L, "%s: %s", who, err.text);
	return lib_send_line(L, n, buf_str(out), false, who);
}

static struct schema_arg arg(struct str name, const struct str *value)
{
	return (struct schema_arg){.name = name, .values = value, .n_values = value->p ? 1 : 0};
}

/* One value where the command would take several, between commas. */
static struct schema_arg one(struct str name, const struct str *value)
{
	return (struct schema_arg){.name = name, .values = value, .n_values = 1, .is_list = true};
}

static struct str check_text(lua_State *L, int index)
{
	struct str text;
	text.p = luaL_checklstring(L, index, &text.n);
	return text;
}

static struct str optional_text(lua_State *L, int index)
{
	return lua_isnoneornil(L, index) ? STR_NONE : check_text(L, index);
}

/* Talk. */

static int talk(lua_State *L, const char *who, const char *command)
{
	struct channel_object *c = channel_check(L, 1);
	struct str text = check_text(L, 2), name = channel_name(L, c);
	struct schema_arg args[] = {arg(STR("target"), &name), arg(STR("message"), &text)};
	return send_command(L, c, who, command, args, COUNTOF(args));
}

static int channel_say(lua_State *L)
{
	return talk(L, "say", "privmsg");
}

static int channel_notice(lua_State *L)
{
	return talk(L, "notice", "notice");
}

static int channel_act(lua_State *L)
{
	return talk(L, "act", "action");
}

/* Modes. */

static int send_mode(lua_State *L, struct channel_object *c, const char *who, struct str modes,
	const struct str *values, size_t n)
{
	struct str name = channel_name(L, c);
	struct schema_arg args[] = {
		arg(STR("target"), &name), arg(STR("modes"), &modes),
		{.name = STR("params"), .values = values, .n_values = n, .is_list = n > 0}
        };
	return send_command(L, c, who, "mode", args, COUNTOF(args));
}

/* The arguments from index on, each text or a user. */
static size_t check_values(lua_State *L, int index, struct handle net, const char *who,
	struct str values[SCHEMA_LIST_MAX])
{
	size_t n = 0;
	int top = lua_gettop(L);
	if (top - index >= SCHEMA_LIST_MAX)
		luaL_error(L, "%s: more than %d at once", who, SCHEMA_LIST_MAX);
	for (; index <= top; index++)
		values[n++] = user_check_nick(L, index, net, who);
	return n;
}

/* The same change for each of the arguments, of which there is one at least. */
static int change(lua_State *L, const char *who, char sign, char letter)
{
	struct channel_object *c = channel_check(L, 1);
	struct str values[SCHEMA_LIST_MAX];
	char modes[1 + SCHEMA_LIST_MAX];
	luaL_checkany(L, 2);
	size_t n = check_values(L, 2, c->net, who, values);
	modes[0] = sign;
	memset(modes + 1, letter, n);
	return send_mode(L, c, who, (struct str){modes, 1 + n}, values, n);
}

static int channel_op(lua_State *L)
{
	return change(L, "op", '+', 'o');
}

static int channel_deop(lua_State *L)
{
	return change(L, "deop", '-', 'o');
}

static int channel_voice(lua_State *L)
{
	return change(L, "voice", '+', 'v');
}

static int channel_devoice(lua_State *L)
{
	return change(L, "devoice", '-', 'v');
}

/* A ban is of a mask: one user's nick is seldom what is meant. */
static int change_ban(lua_State *L, const char *who, char sign)
{
	for (int i = 2; i <= lua_gettop(L); i++)
		luaL_checkstring(L, i);
	return change(L, who, sign, 'b');
}

static int channel_ban(lua_State *L)
{
	return change_ban(L, "ban", '+');
}

static int channel_unban(lua_State *L)
{
	return change_ban(L, "unban", '-');
}

static int channel_mode(lua_State *L)
{
	struct channel_object *c = channel_check(L, 1);
	struct str modes = check_text(L, 2), values[SCHEMA_LIST_MAX];
	size_t n = check_values(L, 3, c->net, "mode", values);
	return send_mode(L, c, "mode", modes, values, n);
}

/* The rest. */

static int channel_kick(lua_State *L)
{
	struct channel_object *c = channel_check(L, 1);
	struct str nick = user_check_nick(L, 2, c->net, "kick");
	struct str why = optional_text(L, 3), name = channel_name(L, c);
	struct schema_arg args[] = {
		one(STR("channel"), &name), one(STR("nick"), &nick), arg(STR("message"), &why)};
	return send_command(L, c, "kick", "kick", args, COUNTOF(args));
}

static int channel_invite(lua_State *L)
{
	struct channel_object *c = channel_check(L, 1);
	struct str nick = user_check_nick(L, 2, c->net, "invite"), name = channel_name(L, c);
	struct schema_arg args[] = {arg(STR("nick"), &nick), arg(STR("channel"), &name)};
	return send_command(L, c, "invite", "invite", args, COUNTOF(args));
}

static int channel_set_topic(lua_State *L)
{
	struct channel_object *c = channel_check(L, 1);
	struct str topic = check_text(L, 2), name = channel_name(L, c);
	struct schema_arg args[] = {arg(STR("channel"), &name), arg(STR("message"), &topic)};
	return send_command(L, c, "set_topic", "topic", args, COUNTOF(args));
}

static int channel_part(lua_State *L)
{
	struct channel_object *c = channel_check(L, 1);
	struct str why = optional_text(L, 2), name = channel_name(L, c);
	struct schema_arg args[] = {one(STR("channel"), &name), arg(STR("message"), &why)};
	return send_command(L, c, "part", "part", args, COUNTOF(args));
}

const luaL_Reg channel_methods[] = {
	{"say",       channel_say      },
        {"notice",    channel_notice   },
        {"act",       channel_act      },
        {"op",        channel_op       },
	{"deop",      channel_deop     },
        {"voice",     channel_voice    },
        {"devoice",   channel_devoice  },
	{"mode",      channel_mode     },
        {"ban",       channel_ban      },
        {"unban",     channel_unban    },
	{"kick",      channel_kick     },
        {"invite",    channel_invite   },
        {"set_topic", channel_set_topic},
	{"part",      channel_part     },
        {NULL,        NULL             }
};
