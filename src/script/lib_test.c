#include "base/mem.h"
#include "script/convert.h"
#include "script/expect.h"
#include "script/host.h"
#include "script/modules.h"
#include "script/sync.h"
#include "script/task.h"
#include "script/trial.h"
#include "sim/fault.h"
#include "sim/person.h"

#include <stdlib.h>
#include <string.h>

/* `require "ebb.test"`: tests, and the bots, networks and people that they work with. Objects of
 * the trial live as long as the state of the test's script, so userdata hold pointers to them. */

static const char bot_type[] = "ebb.test.bot", net_type[] = "ebb.test.network",
		  person_type[] = "ebb.test.person";

static struct trial *trial_of(lua_State *L)
{
	return script_of(L)->host->options.trial->trial;
}

static int64_t now_of(lua_State *L)
{
	return trial_of(L)->loop->timers.now_ns;
}

static struct str check_str(lua_State *L, int index)
{
	struct str s;
	s.p = luaL_checklstring(L, index, &s.n);
	return s;
}

static struct str opt_str(lua_State *L, int index)
{
	return lua_isnoneornil(L, index) ? STR_NONE : check_str(L, index);
}

/* Pauses until nothing else can run. The stack stays as it is. */
static int settle(lua_State *L, const char *who, lua_KFunction k)
{
	struct task *t = task_check(L, who);
	waiter_push(L, &trial_of(L)->settlers, t);
	lua_insert(L, 1); /* where nobody looks for an argument */
	trial_want_quiet(trial_of(L));
	return task_pause(L, -1, k);
}

/* After settle: the waiter goes. */
static void settled(lua_State *L)
{
	task_resumed(L);
	lua_remove(L, 1);
}

/* t.test(name, function, [{ limit = seconds }]) */
static int define_test(lua_State *L)
{
	struct trial *t = trial_of(L);
	const char *name = luaL_checkstring(L, 1);
	luaL_checktype(L, 2, LUA_TFUNCTION);
	int64_t limit_ns = TRIAL_LIMIT_NS;
	lua_settop(L, 3);
	if (!lua_isnil(L, 3)) {
		luaL_checktype(L, 3, LUA_TTABLE);
		if (lua_getfield(L, 3, "limit") != LUA_TNIL)
			limit_ns = lib_check_seconds(L, 4, "t.test: limit");
	}
	if (t->is_defined)
		return luaL_error(L, "t.test: a test cannot be defined while one runs");
	lua_settop(L, 2);
	int ref = luaL_ref(L, LUA_REGISTRYINDEX);
	t->tests = mem_resize(t->tests, t->n_tests + 1, sizeof(*t->tests));
	t->tests[t->n_tests++] = (struct trial_test){mem_strdup(name), ref, limit_ns};
	return 0;
}

static int after_settle(lua_State *L, int status, lua_KContext context)
{
	(void)status;
	(void)context;
	settled(L);
	return 0;
}

static int lib_settle(lua_State *L)
{
	return settle(L, "t.settle", after_settle);
}

static int after_advance(lua_State *L, int status, lua_KContext context)
{
	(void)status;
	(void)context;
	task_resumed(L);
	lua_settop(L, 0);
	return lib_settle(L);
}

/* t.advance(seconds): what is due by then has happened when it returns. */
static int lib_advance(lua_State *L)
{
	task_check(L, "t.advance");
	return task_pause(L, now_of(L) + lib_check_seconds(L, 1, "t.advance"), after_advance);
}

static int lib_now(lua_State *L)
{
	lua_pushnumber(L, trial_seconds(trial_of(L), now_of(L)));
	return 1;
}

/* Options. Texts that are made of values stay alive in a table at index `keep`. */
struct reading {
	int keep;
	const char *who;
};

/* Pops the value on top and gives its text, as the configuration would have it. */
static const char *keep_text(lua_State *L, const struct reading *r, const char *key)
{
	luaL_checkstack(L, 8, "too many options");
	if (lua_istable(L, -1)) {
		luaL_Buffer b;
		int list = lua_gettop(L);
		lua_Integer n = luaL_len(L, list);
		luaL_buffinit(L, &b);
		for (lua_Integer i = 1; i <= n; i++) {
			if (i > 1)
				luaL_addstring(&b, ", ");
			lua_geti(L, list, i);
			if (lua_type(L, -1) != LUA_TSTRING)
				luaL_error(L, "%s: %s: a list of texts expected", r->who, key);
			luaL_addvalue(&b);
		}
		luaL_pushresult(&b);
		lua_remove(L, list);
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

/* The fields of the table at index with text keys, but for those in `others`. */
static trial_pair *read_pairs(
	lua_State *L, const struct reading *r, int index, const char *const *others, size_t *n)
{
	int n_fields = 0;
	for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1))
		n_fields++;
	trial_pair *pairs = lua_newuserdatauv(L, ((size_t)n_fields + 1) * sizeof(*pairs), 0);
	luaL_ref(L, r->keep);
	*n = 0;
	for (lua_pushnil(L); lua_next(L, index);) {
		bool is_other = lua_type(L, -2) != LUA_TSTRING;
		for (size_t i = 0; others[i] && !is_other; i++)
			is_other = strcmp(lua_tostring(L, -2), others[i]) == 0;
		if (is_other) {
			lua_pop(L, 1);
			continue;
		}
		const char *key = lua_tostring(L, -2);
		pairs[*n][0] = key;
		pairs[(*n)++][1] = keep_text(L, r, key);
	}
	return pairs;
}

/* The text at a key of the table, or NULL. */
static const char *read_source(lua_State *L, const struct reading *r, int table, const char *key)
{
	if (lua_getfield(L, table, key) == LUA_TSTRING)
		return keep_text(L, r, key);
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
	if (lua_getfield(L, value, "name") != LUA_TSTRING)
		luaL_error(L, "%s: a script without a name", r->who);
	s.name = keep_text(L, r, "name");
	s.source = read_source(L, r, value, "code");
	s.prelude = read_source(L, r, value, "prelude");
	s.pairs = read_pairs(L, r, value, own, &s.n_pairs);
	lua_settop(L, value - 1);
	return s;
}

static void read_scripts(lua_State *L, const struct reading *r, struct trial_bot_options *o)
{
	o->n_scripts = (size_t)luaL_len(L, 1);
	o->scripts = lua_newuserdatauv(L, (o->n_scripts + 1) * sizeof(*o->scripts), 0);
	luaL_ref(L, r->keep);
	for (size_t i = 0; i < o->n_scripts; i++) {
		lua_geti(L, 1, (lua_Integer)i + 1);
		o->scripts[i] = read_script(L, r);
	}
}

static struct trial_net *check_net(lua_State *L, int index)
{
	return *(struct trial_net **)luaL_checkudata(L, index, net_type);
}

static void push_object(lua_State *L, void *object, const char *type)
{
	*(void **)lua_newuserdatauv(L, sizeof(void *), 1) = object;
	luaL_setmetatable(L, type);
}

/* Those in the list `networks`, or a new one. */
static void read_nets(lua_State *L, const struct reading *r, struct trial_bot_options *o)
{
	bool is_given = lua_getfield(L, 1, "networks") != LUA_TNIL;
	int list = lua_gettop(L);
	if (is_given)
		luaL_checktype(L, list, LUA_TTABLE);
	o->n_nets = is_given ? (size_t)luaL_len(L, list) : 1;
	if (o->n_nets == 0)
		luaL_error(L, "%s: networks: one at least is expected", r->who);
	o->nets = lua_newuserdatauv(L, o->n_nets * sizeof(struct trial_net *), 0);
	luaL_ref(L, r->keep);
	for (size_t i = 0; is_given && i < o->n_nets; i++) {
		lua_geti(L, list, (lua_Integer)i + 1);
		o->nets[i] = check_net(L, -1);
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	struct sim_options sim = {
		.wall_offset_ns = trial_of(L)->loop->clock->is_virtual->wall_offset_ns,
		.seed = rand_next(trial_of(L)->rand)};
	if (!is_given)
		o->nets[0] = trial_net_new(trial_of(L), "test", &sim);
}

static int after_bot(lua_State *L, int status, lua_KContext context)
{
	(void)status;
	(void)context;
	settled(L);
	trial_bot_settled(*(struct trial_bot **)lua_touserdata(L, 1));
	return 1;
}

/* t.bot{ scripts…, networks = { … }, keys of [network] … } */
static int lib_bot(lua_State *L)
{
	static const char *const own[] = {"networks", NULL};
	struct reading r = {.keep = 2, .who = "t.bot"};
	struct trial_bot_options o = {0};
	struct err err;
	luaL_checktype(L, 1, LUA_TTABLE);
	task_check(L, r.who);
	lua_settop(L, 1);
	lua_newtable(L);
	read_scripts(L, &r, &o);
	o.settings = read_pairs(L, &r, 1, own, &o.n_settings);
	read_nets(L, &r, &o);
	push_object(L, NULL, bot_type);
	struct trial_bot **bot = lua_touserdata(L, -1);
	*bot = trial_bot_new(trial_of(L), &o, &err);
	if (!*bot)
		return luaL_error(L, "t.bot: %s", err.text);
	lua_replace(L, 1);
	lua_settop(L, 1);
	return settle(L, r.who, after_bot);
}

static struct trial_bot *check_bot(lua_State *L)
{
	return *(struct trial_bot **)luaL_checkudata(L, 1, bot_type);
}

/* A list of texts at index as C has it, in a userdata on top; the list keeps the texts. */
static const char *const *read_motd(lua_State *L, int index)
{
	luaL_checktype(L, index, LUA_TTABLE);
	lua_Integer n = luaL_len(L, index);
	luaL_argcheck(L, n >= 0 && n <= 1000, 1, "motd: a list of texts expected");
	const char **lines = lua_newuserdatauv(L, ((size_t)n + 1) * sizeof(*lines), 0);
	for (lua_Integer i = 0; i < n; i++) {
		if (lua_geti(L, index, i + 1) != LUA_TSTRING)
			luaL_error(L, "t.network: motd: a list of texts expected");
		lines[i] = lua_tostring(L, -1);
		lua_pop(L, 1);
	}
	lines[n] = NULL;
	return lines;
}

/* t.network{ name = …, profile = …, password = …, motd = …, … } */
static int lib_network(lua_State *L)
{
	static const char *const known[] = {
		"name", "profile", "password", "register_delay", "ping_interval", "motd"};
	struct trial *t = trial_of(L);
	struct sim_options o = {.wall_offset_ns = t->loop->clock->is_virtual->wall_offset_ns,
		.seed = rand_next(t->rand)};
	lua_settop(L, 1);
	if (lua_isnil(L, 1)) {
		lua_newtable(L);
		lua_replace(L, 1);
	}
	luaL_checktype(L, 1, LUA_TTABLE);
	for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
		bool is_known = false;
		for (size_t i = 0; i < COUNTOF(known) && lua_type(L, -2) == LUA_TSTRING; i++)
			is_known |= strcmp(lua_tostring(L, -2), known[i]) == 0;
		if (!is_known)
			luaL_error(L, "t.network: '%s' is no option", luaL_tolstring(L, -2, NULL));
	}
	lua_getfield(L, 1, "name");
	const char *name = luaL_optstring(L, 2, "test");
	lua_getfield(L, 1, "profile");
	o.profile = luaL_optstring(L, 3, NULL);
	lua_getfield(L, 1, "password");
	o.password = luaL_optstring(L, 4, NULL);
	if (lua_getfield(L, 1, "register_delay") != LUA_TNIL)
		o.register_delay_ns = lib_check_seconds(L, 5, "t.network: register_delay");
	if (lua_getfield(L, 1, "ping_interval") != LUA_TNIL)
		o.ping_interval_ns = lib_check_seconds(L, 6, "t.network: ping_interval");
	if (lua_getfield(L, 1, "motd") != LUA_TNIL)
		o.motd = read_motd(L, 7);
	push_object(L, NULL, net_type);
	struct trial_net **net = lua_touserdata(L, -1);
	*net = trial_net_new(t, name, &o);
	if (!*net)
		return luaL_error(L, "t.network: profile: there is no '%s'", o.profile);
	return 1;
}

/* What a bot said and did. */

/* A place for what was said, or a command. */
struct wanted {
	struct str place, command;
};

static bool is_said(const struct message *m, const void *data)
{
	const struct wanted *w = data;
	bool is_talk = str_ieq(m->command, STR("PRIVMSG")) || str_ieq(m->command, STR("NOTICE"));
	return is_talk && m->n_params > 1 && str_ieq(m->params[0], w->place);
}

static bool is_done(const struct message *m, const void *data)
{
	const struct wanted *w = data;
	return str_ieq(m->command, w->command);
}

/* The text, and how it was said: "privmsg", "notice" or "action". */
static int push_said(lua_State *L, const struct message *m)
{
	static const struct str action = STR("\x01"
					     "ACTION ");
	struct str text = message_last(m);
	bool is_action = str_starts(text, action);
	if (is_action) {
		text = str_skip(text, action.n);
		text.n -= text.n && text.p[text.n - 1] == '\x01';
	}
	convert_push_str(L, text);
	lua_pushstring(L, is_action ? "action" : m->command.p[0] == 'N' ? "notice" : "privmsg");
	return 2;
}

static int push_done(lua_State *L, const struct message *m)
{
	lua_createtable(L, (int)m->n_params, 0);
	for (size_t i = 0; i < m->n_params; i++) {
		convert_push_str(L, m->params[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	return 1;
}

static int look_again(lua_State *L, int status, lua_KContext context);

/* Stack: the bot, the place or command, the deadline, whether it is a command. */
static int look(lua_State *L)
{
	const struct trial_bot *b = check_bot(L);
	bool is_command = lua_toboolean(L, 4);
	struct wanted w = {check_str(L, 2), check_str(L, 2)};
	struct message m;
	int64_t at_ns = lua_tointeger(L, 3);
	if (trial_next(b, is_command ? is_done : is_said, &w, &m))
		return is_command ? push_done(L, &m) : push_said(L, &m);
	if (at_ns <= now_of(L))
		return 0;
	waiter_push(L, &b->trial->hearers, task_of(L));
	return task_pause(L, at_ns, look_again);
}

static int look_settled(lua_State *L, int status, lua_KContext context)
{
	(void)status;
	(void)context;
	settled(L);
	return look(L);
}

/* A line came, or the time is over: what else is said at that moment is waited for. */
static int look_again(lua_State *L, int status, lua_KContext context)
{
	(void)status;
	(void)context;
	task_resumed(L);
	lua_settop(L, 4);
	return settle(L, "bot", look_settled);
}

/* (bot, what, [within seconds]) */
static int start_look(lua_State *L, bool is_command)
{
	check_bot(L);
	luaL_checkstring(L, 2);
	lua_settop(L, 3);
	int64_t within_ns = lua_isnil(L, 3) ? 0 : lib_check_seconds(L, 3, "within");
	lua_settop(L, 2);
	lua_pushinteger(L, now_of(L) + within_ns);
	lua_pushboolean(L, is_command);
	return settle(L, is_command ? "did" : "said", look_settled);
}

static int bot_said(lua_State *L)
{
	return start_look(L, false);
}

static int bot_did(lua_State *L)
{
	return start_look(L, true);
}

static int bot_stop(lua_State *L)
{
	trial_bot_stop(check_bot(L));
	return 0;
}

/* What the bot's core knows of a network it is on; NULL for a bot that was stopped. */
static struct net *net_of_bot(const struct trial_bot *b, const struct trial_net *n)
{
	return b->made ? net_find(b->host, str_of(n->name)) : NULL;
}

static const char *nick_of_bot(const struct trial_bot *b, const struct trial_net *n)
{
	const struct net *net = net_of_bot(b, n);
	return net ? net_facts(net).nick : NULL;
}

static int bot_index(lua_State *L)
{
	struct trial_bot *b = check_bot(L);
	const char *key = luaL_checkstring(L, 2);
	lua_pushvalue(L, 2);
	if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
		return 1;
	if (strcmp(key, "net") == 0)
		push_object(L, b->nets[0], net_type);
	else if (strcmp(key, "nick") == 0)
		lua_pushstring(L, nick_of_bot(b, b->nets[0]));
	return 1;
}

/* t.logged(pattern): the next line of the log that matches and was not taken before, or nil. */
static int after_log(lua_State *L, int status, lua_KContext context)
{
	(void)status;
	(void)context;
	settled(L);
	list_each (node, &trial_of(L)->log) {
		struct trial_entry *e = container_of(node, struct trial_entry, node);
		if (e->is_read)
			continue;
		lua_settop(L, 1);
		lua_getfield(L, LUA_REGISTRYINDEX, "ebb.match");
		lua_pushstring(L, e->text);
		lua_pushvalue(L, 1);
		lua_call(L, 2, 1);
		if (lua_isnil(L, -1))
			continue;
		e->is_read = true;
		lua_pushstring(L, e->text);
		return 1;
	}
	return 0;
}

static int lib_logged(lua_State *L)
{
	luaL_checkstring(L, 1);
	lua_settop(L, 1);
	return settle(L, "t.logged", after_log);
}

/* People. */

/* The first word of the channels that a person was given is where they talk. */
struct human {
	struct person *person;
	struct trial_net *net;
	struct trial_bot *bot; /* NULL: made for a network */
};

static struct human *check_human(lua_State *L)
{
	return luaL_checkudata(L, 1, person_type);
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
			person_nick(check_human(L)->person));
	return target;
}

static int person_says(lua_State *L)
{
	person_say(check_human(L)->person, target_of(L, 3, "says"), check_str(L, 2));
	return 0;
}

static int person_notices(lua_State *L)
{
	person_notice(check_human(L)->person, target_of(L, 3, "notices"), check_str(L, 2));
	return 0;
}

static int person_acts(lua_State *L)
{
	person_action(check_human(L)->person, target_of(L, 3, "acts"), check_str(L, 2));
	return 0;
}

/* person:tells(text): to the bot alone. */
static int person_tells(lua_State *L)
{
	const struct human *h = check_human(L);
	const char *nick = h->bot ? nick_of_bot(h->bot, h->net) : NULL;
	if (!nick)
		return luaL_error(
			L, "tells: %s knows no bot that is there", person_nick(h->person));
	person_say(h->person, nick, check_str(L, 2));
	return 0;
}

static int person_joins(lua_State *L)
{
	person_join(check_human(L)->person, luaL_checkstring(L, 2), luaL_optstring(L, 3, NULL));
	return 0;
}

static int person_parts(lua_State *L)
{
	person_part(check_human(L)->person, target_of(L, 2, "parts"), opt_str(L, 3));
	return 0;
}

static int person_quits(lua_State *L)
{
	person_quit(check_human(L)->person, opt_str(L, 2));
	return 0;
}

static int person_renames(lua_State *L)
{
	person_nick_to(check_human(L)->person, luaL_checkstring(L, 2));
	return 0;
}

static int person_kicks(lua_State *L)
{
	person_kick(check_human(L)->person, target_of(L, 4, "kicks"), luaL_checkstring(L, 2),
		opt_str(L, 3));
	return 0;
}

static int person_modes(lua_State *L)
{
	person_mode(check_human(L)->person, target_of(L, 3, "mode"), luaL_checkstring(L, 2));
	return 0;
}

static int person_topics(lua_State *L)
{
	person_topic(check_human(L)->person, target_of(L, 3, "topic"), check_str(L, 2));
	return 0;
}

static int person_invites(lua_State *L)
{
	person_invite(check_human(L)->person, luaL_checkstring(L, 2), target_of(L, 3, "invites"));
	return 0;
}

static int person_aways(lua_State *L)
{
	person_away(check_human(L)->person, opt_str(L, 2));
	return 0;
}

static int person_logs_in(lua_State *L)
{
	person_login(check_human(L)->person, luaL_optstring(L, 2, NULL));
	return 0;
}

static int person_sends(lua_State *L)
{
	person_raw(check_human(L)->person, check_str(L, 2));
	return 0;
}

static int person_index(lua_State *L)
{
	const struct human *h = check_human(L);
	lua_pushvalue(L, 2);
	if (lua_rawget(L, lua_upvalueindex(1)) == LUA_TNIL && lua_type(L, 2) == LUA_TSTRING &&
		strcmp(lua_tostring(L, 2), "nick") == 0)
		lua_pushstring(L, person_nick(h->person));
	return 1;
}

static const char *text_field(lua_State *L, int table, const char *key)
{
	lua_getfield(L, table, key);
	const char *text = lua_tostring(L, -1); /* the table keeps it */
	lua_pop(L, 1);
	return text;
}

static int after_person(lua_State *L, int status, lua_KContext context)
{
	(void)status;
	(void)context;
	settled(L);
	return 1;
}

/* The bot is there by now. */
static int join_person(lua_State *L, int status, lua_KContext context)
{
	(void)status;
	(void)context;
	settled(L);
	lua_getiuservalue(L, 1, 1);
	if (!lua_isnil(L, -1))
		person_join(check_human(L)->person, lua_tostring(L, -1), NULL);
	lua_settop(L, 1);
	return settle(L, "person", after_person);
}

/* The bot is there where somebody talks to it. */
static void join_bot(lua_State *L, const struct human *h, const char *channel)
{
	struct net *n = h->bot ? net_of_bot(h->bot, h->net) : NULL;
	struct buf line;
	struct err err;
	if (!n || sim_network_member(h->net->sim, channel, net_facts(n).nick))
		return;
	buf_init(&line, MESSAGE_BYTES);
	int r = buf_addf(&line, "JOIN %s", channel);
	if (r == 0)
		r = net_send(n, buf_str(&line), true, &err);
	buf_fini(&line);
	if (r < 0)
		luaL_error(L, "person: the bot cannot join %s", channel);
}

/* (bot or network, nick, [channel | { channel = …, account = …, user = …, host = … }]) */
static int make_person(lua_State *L, struct trial_net *n, struct trial_bot *bot)
{
	struct person_options o = {.nick = luaL_checkstring(L, 2)};
	const char *channel = NULL;
	task_check(L, "person");
	lua_settop(L, 3);
	if (lua_istable(L, 3)) {
		o.user = text_field(L, 3, "user");
		o.host = text_field(L, 3, "host");
		o.account = text_field(L, 3, "account");
		o.realname = text_field(L, 3, "realname");
		channel = text_field(L, 3, "channel");
	} else {
		channel = luaL_optstring(L, 3, NULL);
	}
	struct human *h = lua_newuserdatauv(L, sizeof(*h), 1);
	lua_pushstring(L, channel);
	lua_setiuservalue(L, 4, 1);
	*h = (struct human){person_new(n->sim, &o), n, bot};
	if (!h->person)
		return luaL_error(L, "person: '%s' is no nick, or is taken", o.nick);
	luaL_setmetatable(L, person_type);
	if (channel)
		join_bot(L, h, channel);
	lua_replace(L, 1);
	lua_settop(L, 1);
	return settle(L, "person", join_person);
}

static int bot_person(lua_State *L)
{
	struct trial_bot *b = check_bot(L);
	return make_person(L, b->nets[0], b);
}

static int net_person(lua_State *L)
{
	return make_person(L, check_net(L, 1), NULL);
}

/* Networks and their faults. */

static struct sim_network *check_sim(lua_State *L)
{
	return check_net(L, 1)->sim;
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
	else if (!str_ieq(check_str(L, 2), STR("ERROR")) &&
		 !str_int(check_str(L, 2), 400, 599, &numeric))
		return luaL_argerror(
			L, 2, "a numeric from 400 to 599, \"ERROR\" or false expected");
	if (count != 0 && numeric == 0 && !text)
		return luaL_argerror(L, 4, "ERROR needs its text");
	fault_refuse(sim, count, (int)numeric, text);
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
	struct sim_network *sim = check_sim(L);
	luaL_checktype(L, 2, LUA_TTABLE);
	lua_Integer n = luaL_len(L, 2);
	luaL_argcheck(L, n > 0 && n <= SIM_CLIENTS_MAX, 2, "a list of people expected");
	struct person **people = lua_newuserdatauv(L, (size_t)n * sizeof(struct person *), 0);
	for (lua_Integer i = 0; i < n; i++) {
		lua_geti(L, 2, i + 1);
		people[i] = ((struct human *)luaL_checkudata(L, -1, person_type))->person;
		lua_pop(L, 1);
	}
	fault_split(sim, people, (size_t)n);
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
	const struct trial_net *n = check_net(L, 1);
	lua_createtable(L, (int)n->n_attempts, 0);
	for (size_t i = 0; i < n->n_attempts; i++) {
		lua_pushnumber(L, trial_seconds(n->trial, n->attempts_ns[i]));
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	return 1;
}

static int net_index(lua_State *L)
{
	const struct trial_net *n = check_net(L, 1);
	lua_pushvalue(L, 2);
	if (lua_rawget(L, lua_upvalueindex(1)) == LUA_TNIL && lua_type(L, 2) == LUA_TSTRING &&
		strcmp(lua_tostring(L, 2), "name") == 0)
		lua_pushstring(L, n->name);
	return 1;
}

/* A test's scripts have no other modules. */
static int lib_require(lua_State *L)
{
	const char *name = luaL_checkstring(L, 1);
	if (strcmp(name, "ebb.test") != 0)
		return luaL_error(L, "require: there is no module '%s'", name);
	lua_pushvalue(L, lua_upvalueindex(1));
	return 1;
}

void lib_open_test(lua_State *L)
{
	static const luaL_Reg none[] = {
		{NULL, NULL}
        };
	static const luaL_Reg functions[] = {
		{"test",    define_test },
		{"bot",     lib_bot     },
		{"network", lib_network },
		{"expect",  expect_value},
		{"advance", lib_advance },
		{"settle",  lib_settle  },
		{"now",     lib_now     },
		{"logged",  lib_logged  },
		{NULL,      NULL        },
	};
	static const luaL_Reg bot_methods[] = {
		{"said",   bot_said  },
		{"did",    bot_did   },
		{"person", bot_person},
		{"stop",   bot_stop  },
		{NULL,     NULL      },
	};
	static const luaL_Reg net_methods[] = {
		{"person",    net_person   },
		{"lag",       net_lag      },
		{"drop",      net_drop     },
		{"close",     net_close    },
		{"silence",   net_silence  },
		{"half_open", net_half_open},
		{"down",      net_down     },
		{"refuse",    net_refuse   },
		{"throttle",  net_throttle },
		{"flood",     net_flood    },
		{"split",     net_split    },
		{"rejoin",    net_rejoin   },
		{"kill",      net_kill     },
		{"modes",     net_modes    },
		{"grant",     net_grant    },
		{"topic",     net_topic    },
		{"attempts",  net_attempts },
		{NULL,        NULL         },
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
	modules_define(L, bot_type, none, bot_index, bot_methods);
	modules_define(L, net_type, none, net_index, net_methods);
	modules_define(L, person_type, none, person_index, person_methods);
	expect_open(L);
	luaL_newlib(L, functions);
	lua_pushcclosure(L, lib_require, 1);
	lua_setglobal(L, "require");
}
