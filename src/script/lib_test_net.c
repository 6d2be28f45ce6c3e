#include "script/lib_test.h"
#include "sim/fault.h"
#include "sim/person.h"

#include <string.h>

/* Networks and their faults. */

struct trial_net *test_check_net(lua_State *L, int index)
{
	return *(struct trial_net **)luaL_checkudata(L, index, test_net_type);
}

static int net_person(lua_State *L)
{
	return test_make_person(L, test_check_net(L, 1), NULL);
}

static struct sim_network *check_sim(lua_State *L)
{
	return test_check_net(L, 1)->sim;
}

/* True unless the argument at index is false. */
static bool is_on(lua_State *L, int index)
{
	return lua_isnoneornil(L, index) || lua_toboolean(L, index);
}

static int net_lag(lua_State *L)
{
	fault_lag(check_sim(L), NULL, lib_check_seconds(L, 2, "lag"));
	return 0;
}

static int net_drop(lua_State *L)
{
	fault_drop(check_sim(L), NULL);
	return 0;
}

static int net_close(lua_State *L)
{
	fault_close(check_sim(L), NULL, luaL_checkstring(L, 2));
	return 0;
}

/* net:silence([when]): true, "ready" or false. */
static int net_silence(lua_State *L)
{
	struct sim_network *sim = check_sim(L);
	bool is_later = lua_type(L, 2) == LUA_TSTRING;
	if (is_later && strcmp(lua_tostring(L, 2), "ready") != 0)
		return luaL_argerror(L, 2, "\"ready\", true or false expected");
	fault_silence(sim, NULL,
		is_later      ? FAULT_SILENT_WHEN_READY
		: is_on(L, 2) ? FAULT_SILENT
			      : FAULT_TALKS);
	return 0;
}

static int net_half_open(lua_State *L)
{
	fault_half_open(check_sim(L), NULL, is_on(L, 2));
	return 0;
}

static int net_down(lua_State *L)
{
	fault_down(check_sim(L), is_on(L, 2));
	return 0;
}

/* net:refuse(numeric | "ERROR" | false, [count], [text]) */
static int net_refuse(lua_State *L)
{
	struct sim_network *sim = check_sim(L);
	int count = (int)luaL_optinteger(L, 3, FAULT_ALWAYS);
	const char *text = luaL_optstring(L, 4, NULL);
	int64_t numeric = 0;
	if (lua_isboolean(L, 2) && !lua_toboolean(L, 2))
		count = 0;
	else if (!str_ieq(test_check_str(L, 2), STR("ERROR")) &&
		 !str_int(test_check_str(L, 2), 400, 599, &numeric))
		return luaL_argerror(
			L, 2, "a numeric from 400 to 599, \"ERROR\" or false expected");
	if (count != 0 && numeric == 0 && !text)
		return luaL_argerror(L, 4, "ERROR needs its text");
	fault_refuse(sim, count, (int)numeric, text);
	return 0;
}

/* net:refuse_join(channel, numeric | false, [count]) */
static int net_refuse_join(lua_State *L)
{
	struct sim_network *sim = check_sim(L);
	const char *channel = luaL_checkstring(L, 2);
	int count = (int)luaL_optinteger(L, 4, FAULT_ALWAYS);
	int64_t numeric = 0;
	if (lua_isboolean(L, 3) && !lua_toboolean(L, 3))
		count = 0;
	else if (!str_int(test_check_str(L, 3), 400, 599, &numeric) || numeric == 470)
		return luaL_argerror(L, 3, "a numeric from 400 to 599 but 470, or false expected");
	fault_refuse_join(sim, channel, count, (int)numeric, NULL);
	return 0;
}

/* net:forward(channel, to | false, [count]) */
static int net_forward(lua_State *L)
{
	struct sim_network *sim = check_sim(L);
	const char *channel = luaL_checkstring(L, 2);
	int count = (int)luaL_optinteger(L, 4, FAULT_ALWAYS);
	if (lua_isboolean(L, 3) && !lua_toboolean(L, 3))
		fault_refuse_join(sim, channel, 0, 0, NULL);
	else
		fault_refuse_join(sim, channel, count, 470, luaL_checkstring(L, 3));
	return 0;
}

/* net:sasl_fails([words | false]) */
static int net_sasl_fails(lua_State *L)
{
	bool is_text = lua_type(L, 2) == LUA_TSTRING;
	fault_sasl(check_sim(L), is_on(L, 2), is_text ? lua_tostring(L, 2) : NULL);
	return 0;
}

static int net_services(lua_State *L)
{
	sim_services(check_sim(L), is_on(L, 2));
	return 0;
}

/* net:login(nick, [account]) */
static int net_login(lua_State *L)
{
	struct sim_network *sim = check_sim(L);
	const char *nick = luaL_checkstring(L, 2);
	if (!sim_login(sim, nick, luaL_optstring(L, 3, NULL)))
		return luaL_error(L, "login: there is no '%s'", nick);
	return 0;
}

/* net:rename(nick, other) */
static int net_rename(lua_State *L)
{
	struct sim_network *sim = check_sim(L);
	const char *nick = luaL_checkstring(L, 2), *other = luaL_checkstring(L, 3);
	if (!sim_rename(sim, nick, other))
		return luaL_error(L, "rename: '%s' cannot become '%s'", nick, other);
	return 0;
}

/* net:chghost(nick, host, [user]) */
static int net_chghost(lua_State *L)
{
	struct sim_network *sim = check_sim(L);
	const char *nick = luaL_checkstring(L, 2), *host = luaL_checkstring(L, 3);
	if (!sim_change_host(sim, nick, luaL_optstring(L, 4, NULL), host))
		return luaL_error(L, "chghost: there is no '%s'", nick);
	return 0;
}

static int net_throttle(lua_State *L)
{
	fault_throttle(check_sim(L), lib_check_seconds(L, 2, "throttle"));
	return 0;
}

/* net:flood(lines, seconds) */
static int net_flood(lua_State *L)
{
	struct sim_network *sim = check_sim(L);
	lua_Integer lines = luaL_checkinteger(L, 2);
	luaL_argcheck(L, lines >= 0 && lines <= 1000000, 2, "a number of lines expected");
	fault_flood(sim, (unsigned)lines, lines ? lib_check_seconds(L, 3, "flood") : 0);
	return 0;
}

/* net:split{ person, … } */
static int net_split(lua_State *L)
{
	struct trial_net *net = test_check_net(L, 1);
	luaL_checktype(L, 2, LUA_TTABLE);
	size_t n = lua_rawlen(L, 2);
	luaL_argcheck(L, n > 0 && n <= SIM_CLIENTS_MAX, 2, "a list of people expected");
	struct person **people = lua_newuserdatauv(L, n * sizeof(struct person *), 0);
	for (size_t i = 0; i < n; i++) {
		lua_rawgeti(L, 2, (lua_Integer)i + 1);
		const struct test_person *h = luaL_testudata(L, -1, test_person_type);
		luaL_argcheck(L, h && h->net == net, 2, "people of this network expected");
		people[i] = h->person;
		lua_pop(L, 1);
	}
	fault_split(net->sim, people, n);
	return 0;
}

static int net_rejoin(lua_State *L)
{
	fault_rejoin(check_sim(L));
	return 0;
}

static int net_kill(lua_State *L)
{
	struct sim_network *sim = check_sim(L);
	const char *nick = luaL_checkstring(L, 2);
	if (!sim_kill(sim, nick, "oper", luaL_optstring(L, 3, "no reason")))
		return luaL_error(L, "kill: there is no '%s'", nick);
	return 0;
}

/* net:modes(channel, nick): "o", "" or, for who is not there, nil. */
static int net_modes(lua_State *L)
{
	lua_pushstring(L,
		sim_network_member(check_sim(L), luaL_checkstring(L, 2), luaL_checkstring(L, 3)));
	return 1;
}

/* net:grant(channel, nick, modes) */
static int net_grant(lua_State *L)
{
	struct sim_network *sim = check_sim(L);
	const char *channel = luaL_checkstring(L, 2), *nick = luaL_checkstring(L, 3);
	if (!sim_grant(sim, channel, nick, luaL_checkstring(L, 4)))
		return luaL_error(L, "grant: %s is not in %s", nick, channel);
	return 0;
}

static int net_topic(lua_State *L)
{
	lua_pushstring(L, sim_network_topic(check_sim(L), luaL_checkstring(L, 2)));
	return 1;
}

/* net:attempts(): the seconds at which bots tried to connect. */
static int net_attempts(lua_State *L)
{
	const struct trial_net *n = test_check_net(L, 1);
	lua_createtable(L, (int)n->n_attempts, 0);
	for (size_t i = 0; i < n->n_attempts; i++) {
		lua_pushnumber(L, trial_seconds(n->trial, n->attempts_ns[i]));
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	return 1;
}

static int net_index(lua_State *L)
{
	const struct trial_net *n = test_check_net(L, 1);
	lua_pushvalue(L, 2);
	if (lua_rawget(L, lua_upvalueindex(1)) == LUA_TNIL && lua_type(L, 2) == LUA_TSTRING &&
		strcmp(lua_tostring(L, 2), "name") == 0)
		lua_pushstring(L, n->name);
	return 1;
}

void test_open_nets(lua_State *L)
{
	static const luaL_Reg none[] = {
		{NULL, NULL}
        };
	static const luaL_Reg net_methods[] = {
		{"person",      net_person     },
		{"lag",         net_lag        },
		{"drop",        net_drop       },
		{"close",       net_close      },
		{"silence",     net_silence    },
		{"half_open",   net_half_open  },
		{"down",        net_down       },
		{"refuse",      net_refuse     },
		{"refuse_join", net_refuse_join},
		{"forward",     net_forward    },
		{"sasl_fails",  net_sasl_fails },
		{"services",    net_services   },
		{"login",       net_login      },
		{"rename",      net_rename     },
		{"chghost",     net_chghost    },
		{"throttle",    net_throttle   },
		{"flood",       net_flood      },
		{"split",       net_split      },
		{"rejoin",      net_rejoin     },
		{"kill",        net_kill       },
		{"modes",       net_modes      },
		{"grant",       net_grant      },
		{"topic",       net_topic      },
		{"attempts",    net_attempts   },
		{NULL,          NULL           },
	};
	modules_define(L, test_net_type, none, net_index, net_methods);
}
