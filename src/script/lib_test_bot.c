#include "base/mem.h"
#include "script/convert.h"
#include "script/host.h"
#include "script/lib_test.h"
#include "script/net.h"
#include "script/program.h"
#include "script/resource.h"
#include "script/sync.h"
#include "script/task.h"

#include <stdlib.h>
#include <string.h>

struct net *test_net_of(const struct trial_bot *b, const struct trial_net *n)
{
	return b->made ? net_find(b->host, str_of(n->name)) : NULL;
}

const char *test_nick_of(const struct trial_bot *b, const struct trial_net *n)
{
	const struct net *net = test_net_of(b, n);
	return net ? net_facts(net).nick : NULL;
}

static struct trial_bot *check_bot(lua_State *L)
{
	return *(struct trial_bot **)luaL_checkudata(L, 1, test_bot_type);
}

/* What a bot said and did. */

static bool is_said(const struct message *m, const void *data)
{
	const struct str *place = data;
	bool is_talk = str_ieq(m->command, STR("PRIVMSG")) || str_ieq(m->command, STR("NOTICE"));
	return is_talk && m->n_params > 1 && str_ieq(m->params[0], *place);
}

static bool is_done(const struct message *m, const void *data)
{
	const struct str *command = data;
	return str_ieq(m->command, *command);
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
	struct str what = test_check_str(L, 2);
	struct message m;
	int64_t at_ns = lua_tointeger(L, 3);
	if (trial_next(b, is_command ? is_done : is_said, &what, &m))
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

/* A reload that a test waits for; C's own, on the list of its script. */
struct rehearsed_reload {
	struct resource hold;
	struct program_asker asker;
	struct list waiters;
	bool is_over;
};

static void release_reload(struct resource *hold)
{
	struct rehearsed_reload *r = container_of(hold, struct rehearsed_reload, hold);
	program_forget_asker(&r->asker);
	free(r);
}

static void on_reloaded(struct program_asker *asker, const struct err *why)
{
	struct rehearsed_reload *r = container_of(asker, struct rehearsed_reload, asker);
	(void)why;
	r->is_over = true;
	waiters_wake(&r->waiters);
}

/* Stack: the bot, the reload. What the new code has by now is its own, and may stay. */
static int finish_reload(lua_State *L, int status, lua_KContext context)
{
	(void)status;
	(void)context;
	test_settled(L);
	struct trial_bot *b = check_bot(L);
	struct rehearsed_reload *r = lua_touserdata(L, 2);
	bool ok = r->asker.why.code == 0;
	if (b->made)
		b->since = pending_now(b->host);
	if (ok)
		lua_pushboolean(L, 1);
	else
		lua_pushnil(L);
	lua_pushstring(L, r->asker.why.text);
	resource_release(&r->hold);
	return ok ? (lua_pop(L, 1), 1) : 2;
}

static int after_reload(lua_State *L, int status, lua_KContext context)
{
	(void)status;
	(void)context;
	task_resumed(L);
	lua_settop(L, 2);
	return test_settle(L, "bot:reload", finish_reload);
}

/* (bot, name, [source]) */
static int bot_reload(lua_State *L)
{
	struct trial_bot *b = check_bot(L);
	const char *name = luaL_checkstring(L, 2), *source = luaL_optstring(L, 3, NULL);
	struct task *t = task_check(L, "bot:reload");
	struct program *p = b->made ? program_find(b->host, str_of(name)) : NULL;
	if (!p)
		return luaL_error(L, "bot:reload: the bot has no script '%s'", name);
	luaL_checkstack(L, LUA_MINSTACK, NULL);
	struct rehearsed_reload *r = mem_new(sizeof(*r));
	list_init(&r->waiters);
	list_init(&r->asker.node);
	r->asker.told = on_reloaded;
	resource_add(&script_of(L)->resources, &r->hold, release_reload);
	struct script_options options = p->options;
	if (source)
		options.source = source;
	program_reload(p, &options, &r->asker);
	lua_settop(L, 1);
	lua_pushlightuserdata(L, r);
	waiter_push(L, &r->waiters, t);
	return task_pause(L, -1, after_reload);
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

static int after_bot(lua_State *L, int status, lua_KContext context)
{
	(void)status;
	(void)context;
	test_settled(L);
	return 1;
}

/* t.bot{ scripts…, networks = { … }, keys of [network] … } */
int test_make_bot(lua_State *L)
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

static int bot_person(lua_State *L)
{
	struct trial_bot *b = check_bot(L);
	return test_make_person(L, b->nets[0], b);
}

void test_open_bots(lua_State *L)
{
	static const luaL_Reg none[] = {
		{NULL, NULL}
        };
	static const luaL_Reg bot_methods[] = {
		{"said",   bot_said  },
		{"did",    bot_did   },
		{"person", bot_person},
		{"reload", bot_reload},
		{"stop",   bot_stop  },
		{NULL,     NULL      },
	};
	modules_define(L, test_bot_type, none, bot_index, bot_methods);
}
