#include "script/host.h"
#include "script/lib_test.h"

#include <string.h>

/* Options. Tables are read raw: nothing of a script's runs meanwhile. Texts that are made of values
 * stay alive in a table at index `keep`. */
struct reading {
	int keep;
	const char *who;
};

int test_raw_field(lua_State *L, int table, const char *key)
{
	lua_pushstring(L, key);
	return lua_rawget(L, table);
}

/* Puts "a, b, c" in the place of the list of texts on top. */
static void join_list(lua_State *L, const struct reading *r, const char *key)
{
	luaL_Buffer b;
	int list = lua_gettop(L);
	lua_Integer n = (lua_Integer)lua_rawlen(L, list);
	luaL_buffinit(L, &b);
	for (lua_Integer i = 1; i <= n; i++) {
		if (i > 1)
			luaL_addstring(&b, ", ");
		if (lua_rawgeti(L, list, i) != LUA_TSTRING)
			luaL_error(L, "%s: %s: a list of texts expected", r->who, key);
		luaL_addvalue(&b);
	}
	luaL_pushresult(&b);
	lua_replace(L, list);
	lua_settop(L, list);
}

/* Pops the value on top and gives its text, as the configuration would have it. */
static const char *keep_text(lua_State *L, const struct reading *r, const char *key)
{
	luaL_checkstack(L, 8, "too many options");
	if (lua_istable(L, -1)) {
		join_list(L, r, key);
	} else if (lua_isboolean(L, -1)) {
		lua_pushstring(L, lua_toboolean(L, -1) ? "yes" : "no");
		lua_remove(L, -2);
	} else if (!lua_isstring(L, -1)) {
		luaL_error(L, "%s: %s: a text, a number or a list of texts expected, got %s",
			r->who, key, luaL_typename(L, -1));
	}
	const char *text = lua_tostring(L, -1);
	luaL_ref(L, r->keep);
	return text;
}

static bool is_among(const char *key, const char *const *keys)
{
	while (*keys && strcmp(*keys, key) != 0)
		keys++;
	return *keys;
}

static int count_fields(lua_State *L, int table)
{
	int n = 0;
	for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1))
		n++;
	return n;
}

/* The fields of the table at index with text keys, but for those in `others`. */
static trial_pair *read_pairs(
	lua_State *L, const struct reading *r, int index, const char *const *others, size_t *n)
{
	size_t size = ((size_t)count_fields(L, index) + 1) * sizeof(trial_pair);
	trial_pair *pairs = lua_newuserdatauv(L, size, 0);
	luaL_ref(L, r->keep);
	*n = 0;
	for (lua_pushnil(L); lua_next(L, index);) {
		const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
		if (!key || is_among(key, others)) {
			lua_pop(L, 1);
			continue;
		}
		pairs[*n][0] = key;
		pairs[(*n)++][1] = keep_text(L, r, key);
	}
	return pairs;
}

/* The text at a key of the table, or NULL. */
static const char *read_source(lua_State *L, const struct reading *r, int table, const char *key)
{
	if (test_raw_field(L, table, key) == LUA_TSTRING)
		return keep_text(L, r, key);
	if (!lua_isnil(L, -1))
		luaL_error(L, "%s: %s: a text expected, got %s", r->who, key, luaL_typename(L, -1));
	lua_pop(L, 1);
	return NULL;
}

/* "name", or { name = …, code = …, prelude = …, further keys }. The value is on top, and popped. */
static struct trial_script read_script(lua_State *L, const struct reading *r)
{
	static const char *const own[] = {"name", "code", "prelude", NULL};
	struct trial_script s = {0};
	int value = lua_gettop(L);
	if (lua_type(L, value) == LUA_TSTRING) {
		s.name = keep_text(L, r, "script");
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
	s.pairs = read_pairs(L, r, value, own, &s.n_pairs);
	lua_settop(L, value - 1);
	return s;
}

static void read_scripts(lua_State *L, const struct reading *r, struct trial_bot_options *o)
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
static void read_nets(lua_State *L, const struct reading *r, struct trial_bot_options *o)
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
	struct reading r = {.keep = lua_gettop(L) + 1, .who = "t.bot"};
	lua_newtable(L);
	read_scripts(L, &r, o);
	o->settings = read_pairs(L, &r, 1, own, &o->n_settings);
	read_nets(L, &r, o);
}

void test_check_keys(lua_State *L, int index, const char *const *known, const char *who)
{
	for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1))
		if (lua_type(L, -2) != LUA_TSTRING || !is_among(lua_tostring(L, -2), known))
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
	size_t n = 0, size = ((size_t)count_fields(L, index) + 1) * sizeof(struct sim_account);
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
	struct reading r = {2, who};
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
