#include "script/host.h"
#include "script/lib_test.h"
#include "script/net.h"
#include "script/task.h"
#include "sim/person.h"

#include <string.h>

static struct str opt_str(lua_State *L, int index)
{
	return lua_isnoneornil(L, index) ? STR_NONE : test_check_str(L, index);
}

static struct test_person *check_person(lua_State *L)
{
	return luaL_checkudata(L, 1, test_person_type);
}

/* The target at index, else the place that the person was given. */
static const char *target_of(lua_State *L, int index, const char *who)
{
	const char *target = luaL_optstring(L, index, NULL);
	if (target)
		return target;
	lua_getiuservalue(L, 1, 1);
	target = lua_tostring(L, -1); /* the user value keeps it */
	lua_pop(L, 1);
	if (!target)
		luaL_error(L, "%s: where? %s was given no channel", who,
			person_nick(check_person(L)->person));
	return target;
}

static int person_says(lua_State *L)
{
	person_say(check_person(L)->person, target_of(L, 3, "says"), test_check_line(L, 2));
	return 0;
}

static int person_notices(lua_State *L)
{
	person_notice(check_person(L)->person, target_of(L, 3, "notices"), test_check_line(L, 2));
	return 0;
}

static int person_acts(lua_State *L)
{
	person_action(check_person(L)->person, target_of(L, 3, "acts"), test_check_line(L, 2));
	return 0;
}

/* person:tells(text): to the bot alone. */
static int person_tells(lua_State *L)
{
	const struct test_person *p = check_person(L);
	const char *nick = p->bot ? test_nick_of(p->bot, p->net) : NULL;
	if (!nick)
		return luaL_error(
			L, "tells: %s knows no bot that is there", person_nick(p->person));
	person_say(p->person, nick, test_check_line(L, 2));
	return 0;
}

static int person_joins(lua_State *L)
{
	person_join(check_person(L)->person, luaL_checkstring(L, 2), luaL_optstring(L, 3, NULL));
	return 0;
}

static int person_parts(lua_State *L)
{
	person_part(check_person(L)->person, target_of(L, 2, "parts"), opt_str(L, 3));
	return 0;
}

static int person_quits(lua_State *L)
{
	person_quit(check_person(L)->person, opt_str(L, 2));
	return 0;
}

static int person_renames(lua_State *L)
{
	person_nick_to(check_person(L)->person, luaL_checkstring(L, 2));
	return 0;
}

static int person_kicks(lua_State *L)
{
	person_kick(check_person(L)->person, target_of(L, 4, "kicks"), luaL_checkstring(L, 2),
		opt_str(L, 3));
	return 0;
}

static int person_modes(lua_State *L)
{
	person_mode(check_person(L)->person, target_of(L, 3, "mode"), luaL_checkstring(L, 2));
	return 0;
}

static int person_topics(lua_State *L)
{
	person_topic(check_person(L)->person, target_of(L, 3, "topic"), test_check_str(L, 2));
	return 0;
}

static int person_invites(lua_State *L)
{
	person_invite(check_person(L)->person, luaL_checkstring(L, 2), target_of(L, 3, "invites"));
	return 0;
}

static int person_aways(lua_State *L)
{
	person_away(check_person(L)->person, opt_str(L, 2));
	return 0;
}

static int person_logs_in(lua_State *L)
{
	person_login(check_person(L)->person, luaL_optstring(L, 2, NULL));
	return 0;
}

static int person_sends(lua_State *L)
{
	person_raw(check_person(L)->person, test_check_str(L, 2));
	return 0;
}

static int person_index(lua_State *L)
{
	const struct test_person *p = check_person(L);
	lua_pushvalue(L, 2);
	if (lua_rawget(L, lua_upvalueindex(1)) == LUA_TNIL && lua_type(L, 2) == LUA_TSTRING &&
		strcmp(lua_tostring(L, 2), "nick") == 0)
		lua_pushstring(L, person_nick(p->person));
	return 1;
}

static int after_person(lua_State *L, int status, lua_KContext context)
{
	(void)status;
	(void)context;
	test_settled(L);
	return 1;
}

/* The bot is there by now. */
static int join_person(lua_State *L, int status, lua_KContext context)
{
	(void)status;
	(void)context;
	test_settled(L);
	lua_getiuservalue(L, 1, 1);
	if (!lua_isnil(L, -1))
		person_join(check_person(L)->person, lua_tostring(L, -1), NULL);
	lua_settop(L, 1);
	return test_settle(L, "person", after_person);
}

/* The bot is there where somebody talks to it. */
static void join_bot(lua_State *L, const struct test_person *p, const char *channel)
{
	struct net *n = p->bot ? test_net_of(p->bot, p->net) : NULL;
	struct buf line;
	struct err err;
	if (!n || sim_network_member(p->net->sim, channel, net_facts(n).nick))
		return;
	buf_init(&line, MESSAGE_BYTES);
	int r = buf_addf(&line, "JOIN %s", channel);
	if (r == 0)
		r = n->ops->send(n->data, buf_str(&line), true, &err);
	else
		err_set(&err, r, "the name is too long");
	buf_fini(&line);
	if (r < 0)
		luaL_error(L, "person: the bot cannot join %s: %s", channel, err.text);
}

/* The options of a person at index 3, a channel or a table; its fields are left on the stack. */
static const char *read_person(lua_State *L, struct person_options *o)
{
	static const char *const known[] = {"channel", "account", "user", "host", "realname", NULL};
	const char *texts[COUNTOF(known)] = {0};
	if (!lua_istable(L, 3))
		return luaL_optstring(L, 3, NULL);
	test_check_keys(L, 3, known, "person");
	for (size_t i = 0; known[i]; i++) {
		bool is_there = test_raw_field(L, 3, known[i]) != LUA_TNIL;
		texts[i] = is_there ? lua_tostring(L, -1) : NULL;
		if (is_there && !texts[i])
			luaL_error(L, "person: %s: a text expected", known[i]);
	}
	o->account = texts[1];
	o->user = texts[2];
	o->host = texts[3];
	o->realname = texts[4];
	return texts[0];
}

/* (bot or network, nick, [channel | { channel = …, account = …, user = …, host = … }]) */
int test_make_person(lua_State *L, struct trial_net *n, struct trial_bot *bot)
{
	struct person_options o = {.nick = luaL_checkstring(L, 2)};
	task_check(L, "person");
	lua_settop(L, 3);
	const char *channel = read_person(L, &o);
	struct test_person *p = lua_newuserdatauv(L, sizeof(*p), 1);
	*p = (struct test_person){NULL, n, bot};
	lua_pushstring(L, channel);
	lua_setiuservalue(L, -2, 1);
	if (channel)
		join_bot(L, p, channel);
	p->person = person_new(n->sim, &o);
	if (!p->person)
		return luaL_error(L, "person: '%s' is no nick, or is taken", o.nick);
	luaL_setmetatable(L, test_person_type);
	lua_replace(L, 1);
	lua_settop(L, 1);
	return test_settle(L, "person", join_person);
}

void test_open_people(lua_State *L)
{
	static const luaL_Reg none[] = {
		{NULL, NULL}
        };
	static const luaL_Reg person_methods[] = {
		{"says",    person_says   },
		{"notices", person_notices},
		{"acts",    person_acts   },
		{"tells",   person_tells  },
		{"joins",   person_joins  },
		{"parts",   person_parts  },
		{"quits",   person_quits  },
		{"renames", person_renames},
		{"kicks",   person_kicks  },
		{"mode",    person_modes  },
		{"topic",   person_topics },
		{"invites", person_invites},
		{"away",    person_aways  },
		{"login",   person_logs_in},
		{"raw",     person_sends  },
		{NULL,      NULL          },
	};
	modules_define(L, test_person_type, none, person_index, person_methods);
}
