#include "script/lib_test.h"

#include "base/mem.h"
#include "script/convert.h"
#include "script/expect.h"
#include "script/host.h"
#include "script/sync.h"
#include "script/task.h"

#include <stdlib.h>
#include <string.h>

const char test_bot_type[] = "ebb.test.bot", test_net_type[] = "ebb.test.network",
	   test_person_type[] = "ebb.test.person";

struct trial *test_trial(lua_State *L)
{
	return script_of(L)->host->options.trial->trial;
}

int64_t test_now(lua_State *L)
{
	return test_trial(L)->loop->timers.now_ns;
}

void test_push(lua_State *L, void *object, const char *type)
{
	*(void **)lua_newuserdatauv(L, sizeof(void *), 1) = object;
	luaL_setmetatable(L, type);
}

struct str test_check_str(lua_State *L, int index)
{
	struct str s;
	s.p = luaL_checklstring(L, index, &s.n);
	return s;
}

struct str test_check_line(lua_State *L, int index)
{
	struct str s = test_check_str(L, index);
	luaL_argcheck(L, s.n <= 400, index, "the text is too long for a line (400 bytes)");
	luaL_argcheck(L, !str_has(s, '\0') && !str_has(s, '\r') && !str_has(s, '\n'), index,
		"the text has a line break or NUL");
	return s;
}

int test_settle(lua_State *L, const char *who, lua_KFunction k)
{
	struct task *t = task_check(L, who);
	waiter_push(L, &test_trial(L)->settlers, t);
	lua_insert(L, 1); /* where nobody looks for an argument */
	trial_want_quiet(test_trial(L));
	return task_pause(L, -1, k);
}

void test_settled(lua_State *L)
{
	task_resumed(L);
	lua_remove(L, 1);
}

/* t.test(name, function, [{ limit = seconds }]) */
static int define_test(lua_State *L)
{
	static const char *const known[] = {"limit", NULL};
	struct trial *t = test_trial(L);
	const char *name = luaL_checkstring(L, 1);
	luaL_checktype(L, 2, LUA_TFUNCTION);
	int64_t limit_ns = TRIAL_LIMIT_NS;
	lua_settop(L, 3);
	if (!lua_isnil(L, 3)) {
		luaL_checktype(L, 3, LUA_TTABLE);
		test_check_keys(L, 3, known, "t.test");
		if (test_raw_field(L, 3, "limit") != LUA_TNIL)
			limit_ns = lib_check_seconds(L, -1, "t.test: limit");
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
	test_settled(L);
	return 0;
}

static int lib_settle(lua_State *L)
{
	return test_settle(L, "t.settle", after_settle);
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
	return task_pause(L, test_now(L) + lib_check_seconds(L, 1, "t.advance"), after_advance);
}

static int lib_now(lua_State *L)
{
	lua_pushnumber(L, trial_seconds(test_trial(L), test_now(L)));
	return 1;
}

static struct trial_bot *check_bot(lua_State *L)
{
	return *(struct trial_bot **)luaL_checkudata(L, 1, test_bot_type);
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
	struct wanted w = {test_check_str(L, 2), test_check_str(L, 2)};
	struct message m;
	int64_t at_ns = lua_tointeger(L, 3);
	if (trial_next(b, is_command ? is_done : is_said, &w, &m))
		return is_command ? push_done(L, &m) : push_said(L, &m);
	if (at_ns <= test_now(L))
		return 0;
	waiter_push(L, &b->trial->hearers, task_of(L));
	return task_pause(L, at_ns, look_again);
}

static int look_settled(lua_State *L, int status, lua_KContext context)
{
	(void)status;
	(void)context;
	test_settled(L);
	return look(L);
}

/* A line came, or the time is over: what else is said at that moment is waited for. */
static int look_again(lua_State *L, int status, lua_KContext context)
{
	(void)status;
	(void)context;
	task_resumed(L);
	lua_settop(L, 4);
	return test_settle(L, "bot", look_settled);
}

/* (bot, what, [within seconds]) */
static int start_look(lua_State *L, bool is_command)
{
	check_bot(L);
	luaL_checkstring(L, 2);
	lua_settop(L, 3);
	int64_t within_ns = lua_isnil(L, 3) ? 0 : lib_check_seconds(L, 3, "within");
	lua_settop(L, 2);
	lua_pushinteger(L, test_now(L) + within_ns);
	lua_pushboolean(L, is_command);
	return test_settle(L, is_command ? "did" : "said", look_settled);
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

static int bot_index(lua_State *L)
{
	struct trial_bot *b = check_bot(L);
	const char *key = luaL_checkstring(L, 2);
	lua_pushvalue(L, 2);
	if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
		return 1;
	if (strcmp(key, "net") == 0)
		test_push(L, b->nets[0], test_net_type);
	else if (strcmp(key, "nick") == 0)
		lua_pushstring(L, test_nick_of(b, b->nets[0]));
	return 1;
}

/* t.logged(pattern): the next line of the log that matches and was not taken before, or nil. */
static int after_log(lua_State *L, int status, lua_KContext context)
{
	(void)status;
	(void)context;
	test_settled(L);
	list_each (node, &test_trial(L)->log) {
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
	return test_settle(L, "t.logged", after_log);
}

static int after_bot(lua_State *L, int status, lua_KContext context)
{
	(void)status;
	(void)context;
	test_settled(L);
	return 1;
}

/* t.bot{ scripts…, networks = { … }, keys of [network] … } */
static int lib_bot(lua_State *L)
{
	struct trial_bot_options o = {0};
	struct err err;
	luaL_checktype(L, 1, LUA_TTABLE);
	task_check(L, "t.bot");
	lua_settop(L, 1);
	test_read_bot(L, &o);
	test_push(L, NULL, test_bot_type);
	struct trial_bot **bot = lua_touserdata(L, -1);
	*bot = trial_bot_new(test_trial(L), &o, &err);
	if (!*bot)
		return luaL_error(L, "t.bot: %s", err.text);
	lua_replace(L, 1);
	lua_settop(L, 1);
	return test_settle(L, "t.bot", after_bot);
}

static int lib_network(lua_State *L)
{
	lua_settop(L, 1);
	test_make_net(L);
	return 1;
}

static int bot_person(lua_State *L)
{
	struct trial_bot *b = check_bot(L);
	return test_make_person(L, b->nets[0], b);
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
	modules_define(L, test_bot_type, none, bot_index, bot_methods);
	test_open_nets(L);
	test_open_people(L);
	expect_open(L);
	luaL_newlib(L, functions);
	lua_pushcclosure(L, lib_require, 1);
	lua_setglobal(L, "require");
}
