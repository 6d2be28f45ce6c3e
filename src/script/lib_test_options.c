#include "script/host.h"
#include "script/lib_test.h"
#include "script/pairs.h"

#include <string.h>

/* Options. Texts that are made of values stay alive in a table at the reader's index `keep`. */

int test_raw_field(lua_State *L, int table, const char *key)
{
	lua_pushstring(L, key);
	return lua_rawget(L, table);
}

/* The text at a key of the table, or NULL. */
static const char *read_source(
	lua_State *L, const struct pairs_reader *r, int table, const char *key)
{
	if (test_raw_field(L, table, key) == LUA_TSTRING)
		return pairs_text(L, r, key);
	if (!lua_isnil(L, -1))
		luaL_error(L, "%s: %s: a text expected, got %s", r->who, key, luaL_typename(L, -1));
	lua_pop(L, 1);
	return NULL;
}

/* "name", or { name = …, code = …, prelude = …, further keys }. The value is on top, and popped. */
static struct trial_script read_script(lua_State *L, const struct pairs_reader *r)
{
	static const char *const own[] = {"name", "code", "prelude", NULL};
	struct trial_script s = {0};
	int value = lua_gettop(L);
	if (lua_type(L, value) == LUA_TSTRING) {
		s.name = pairs_text(L, r, "script");
		return s;
	}
	if (!lua_istable(L, value))
		luaL_error(L, "%s: a script is a name or a table, not %s", r->who,
			luaL_typename(L, value));
	s.name = read_source(L, r, value, "name");
	if (!s.name)
		luaL_error(L, "%s: a script without a name", r->who);
	s.source = read_source(L, r, value, "code");
	s.prelude = read_source(L, r, value, "prelude");
	s.pairs = pairs_read(L, r, value, own, &s.n_pairs);
	lua_settop(L, value - 1);
	return s;
}

static void read_scripts(lua_State *L, const struct pairs_reader *r, struct trial_bot_options *o)
{
	o->n_scripts = lua_rawlen(L, 1);
	o->scripts = lua_newuserdatauv(L, (o->n_scripts + 1) * sizeof(*o->scripts), 0);
	luaL_ref(L, r->keep);
	for (size_t i = 0; i < o->n_scripts; i++) {
		lua_rawgeti(L, 1, (lua_Integer)i + 1);
		o->scripts[i] = read_script(L, r);
	}
}

static struct sim_options standard_network(lua_State *L)
{
	const struct trial *t = test_trial(L);
	return (struct sim_options){.wall_offset_ns = t->loop->clock->is_virtual->wall_offset_ns,
		.seed = rand_next(t->rand)};
}

/* Those in the list `networks`, or a new one. */
static void read_nets(lua_State *L, const struct pairs_reader *r, struct trial_bot_options *o)
{
	struct sim_options sim = standard_network(L);
	bool is_given = test_raw_field(L, 1, "networks") != LUA_TNIL;
	int list = lua_gettop(L);
	o->n_nets = !is_given ? 1 : lua_istable(L, list) ? lua_rawlen(L, list) : 0;
	if (o->n_nets == 0)
		luaL_error(L, "%s: networks: a list of one at least expected", r->who);
	o->nets = lua_newuserdatauv(L, o->n_nets * sizeof(struct trial_net *), 0);
	luaL_ref(L, r->keep);
	for (size_t i = 0; is_given && i < o->n_nets; i++) {
		lua_rawgeti(L, list, (lua_Integer)i + 1);
		struct trial_net **net = luaL_testudata(L, -1, test_net_type);
		if (net)
			o->nets[i] = *net;
		else
			luaL_error(L, "%s: networks: what t.network gives expected, got %s", r->who,
				luaL_typename(L, -1));
		lua_pop(L, 1);
	}
	lua_settop(L, list - 1);
	if (!is_given)
		o->nets[0] = trial_net_new(test_trial(L), "test", &sim);
}

void test_read_bot(lua_State *L, struct trial_bot_options *o)
{
	static const char *const own[] = {"networks", NULL};
	struct pairs_reader r = {.keep = lua_gettop(L) + 1, .who = "t.bot"};
	lua_newtable(L);
	read_scripts(L, &r, o);
	o->settings = pairs_read(L, &r, 1, own, &o->n_settings);
	read_nets(L, &r, o);
}

void test_check_keys(lua_State *L, int index, const char *const *known, const char *who)
{
	for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1))
		if (lua_type(L, -2) != LUA_TSTRING || !pairs_is_among(lua_tostring(L, -2), known))
			luaL_error(L, "%s: '%s' is no option", who, luaL_tolstring(L, -2, NULL));
}

/* A list of texts at index as C has it, in a userdata on top; the list keeps the texts. */
static const char *const *read_motd(lua_State *L, int index)
{
	size_t n = lua_istable(L, index) ? lua_rawlen(L, index) : 0;
	if (n == 0 || n > 1000)
		luaL_error(L, "t.network: motd: a list of texts expected");
	const char **lines = lua_newuserdatauv(L, (n + 1) * sizeof(*lines), 0);
	for (size_t i = 0; i < n; i++) {
		if (lua_rawgeti(L, index, (lua_Integer)i + 1) != LUA_TSTRING)
			luaL_error(L, "t.network: motd: a list of texts expected");
		lines[i] = lua_tostring(L, -1);
		lua_pop(L, 1);
	}
	lines[n] = NULL;
	return lines;
}

/* { name = "password", … } at index, in a userdata on top; the table keeps the texts. */
static const struct sim_account *read_accounts(lua_State *L, int index)
{
	static const char wrong[] = "t.network: accounts: a table of names and passwords expected";
	if (!lua_istable(L, index))
		luaL_error(L, "%s", wrong);
	size_t n = 0, size = (pairs_count(L, index) + 1) * sizeof(struct sim_account);
	struct sim_account *accounts = lua_newuserdatauv(L, size, 0);
	for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
		if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING)
			luaL_error(L, "%s", wrong);
		accounts[n++] = (struct sim_account){lua_tostring(L, -2), lua_tostring(L, -1)};
	}
	accounts[n] = (struct sim_account){NULL, NULL};
	return accounts;
}

/* t.network{ name = …, profile = …, password = …, motd = …, … } */
void test_make_net(lua_State *L)
{
	static const char *const known[] = {"name", "profile", "password", "accounts",
		"register_delay", "ping_interval", "motd", NULL};
	static const char who[] = "t.network";
	struct sim_options o = standard_network(L);
	if (lua_isnil(L, 1)) {
		lua_newtable(L);
		lua_replace(L, 1);
	}
	luaL_checktype(L, 1, LUA_TTABLE);
	test_check_keys(L, 1, known, who);
	lua_newtable(L);
	struct pairs_reader r = {2, who};
	const char *name = read_source(L, &r, 1, "name");
	o.profile = read_source(L, &r, 1, "profile");
	o.password = read_source(L, &r, 1, "password");
	if (test_raw_field(L, 1, "register_delay") != LUA_TNIL)
		o.register_delay_ns = lib_check_seconds(L, -1, "t.network: register_delay");
	if (test_raw_field(L, 1, "ping_interval") != LUA_TNIL)
		o.ping_interval_ns = lib_check_seconds(L, -1, "t.network: ping_interval");
	if (test_raw_field(L, 1, "motd") != LUA_TNIL)
		o.motd = read_motd(L, lua_gettop(L));
	if (test_raw_field(L, 1, "accounts") != LUA_TNIL)
		o.accounts = read_accounts(L, lua_gettop(L));
	test_push(L, NULL, test_net_type);
	struct trial_net **net = lua_touserdata(L, -1);
	*net = trial_net_new(test_trial(L), name ? name : "test", &o);
	if (!*net)
		luaL_error(L, "t.network: profile: there is no '%s'", o.profile);
}
