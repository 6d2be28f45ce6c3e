#include "script/backlog.h"
#include "script/host.h"
#include "script/listen.h"
#include "script/modules.h"
#include "script/person.h"
#include "script/sync.h"
#include "script/task.h"

/* ev:ask and ev:confirm. The person is followed from the call on, also while the question waits for
 * room in the queue: by a listener that begins before the question is said, as that of events()
 * does, and that Lua closes however the function is left. */

enum { EVENT = 1, TEXT, SECONDS, KINDS, PERSON, LISTENER }; /* the stack while it waits */

enum { ASK, CONFIRM };

static bool read_confirmation(struct str message, bool *is_yes)
{
	static const struct {
		const char *word;
		bool is_yes;
	} words[] = {
		{"y",    true },
		{"yes",  true },
		{"yeah", true },
		{"yep",  true },
		{"ok",   true },
		{"okay", true },
		{"sure", true },
		{"+1",   true },
		{"n",    false},
		{"no",   false},
		{"nope", false},
		{"nah",  false},
		{"-1",   false},
	};
	struct str word = str_trim(message);
	if (word.n && str_has(STR(".!?"), word.p[word.n - 1]))
		word.n--;
	for (size_t i = 0; i < COUNTOF(words); i++) {
		*is_yes = words[i].is_yes;
		if (str_ieq(word, str_of(words[i].word)))
			return true;
	}
	return false;
}

static bool is_anything(struct str message)
{
	(void)message;
	return true;
}

static bool is_confirmation(struct str message)
{
	bool is_yes;
	return read_confirmation(message, &is_yes);
}

static void push_confirmation(lua_State *L, const struct event *e)
{
	struct value v;
	bool is_yes = false;
	if (event_field(e, STR("message"), &v))
		read_confirmation(v.str, &is_yes);
	lua_pushboolean(L, is_yes);
}

static int finish(lua_State *L, void (*push)(lua_State *L, const struct event *answer))
{
	const struct listener *l = lua_touserdata(L, LISTENER);
	const struct event *answer = backlog_first(l->backlog);
	if (answer) {
		push(L, answer);
		backlog_drop_first(l->backlog);
		return 1;
	}
	lua_pushnil(L);
	lua_pushstring(L, l->backlog->is_over ? "disconnected" : "timeout");
	return 2;
}

static int after_ask(lua_State *L, int status, lua_KContext context)
{
	task_resumed(L);
	(void)status;
	(void)context;
	return finish(L, lib_push_event);
}

static int after_confirm(lua_State *L, int status, lua_KContext context)
{
	task_resumed(L);
	(void)status;
	(void)context;
	return finish(L, push_confirmation);
}

static const struct question {
	const char *who;
	bool (*takes)(struct str message);
	lua_KFunction after;
} questions[] = {
	[ASK] = {"ask",     is_anything,     after_ask    },
	[CONFIRM] = {"confirm", is_confirmation, after_confirm},
};

static int after_reply(lua_State *L, int status, lua_KContext context)
{
	const struct question *q = &questions[context];
	const struct listener *l = lua_touserdata(L, LISTENER);
	(void)status;
	if (l->backlog->is_over)
		return q->after(L, LUA_OK, 0);
	int64_t at_ns = lib_deadline(L, SECONDS, q->who);
	person_ask(lua_touserdata(L, PERSON), q->takes);
	waiter_push(L, &l->backlog->readers, task_check(L, q->who));
	return task_pause(L, at_ns, q->after);
}

/* Pushes what stands above the arguments; the person is followed from here on. */
static void begin(lua_State *L, const struct net *n, const char *who)
{
	static const char *const kinds[] = {"privmsg", "nick", "quit"};
	lua_createtable(L, COUNTOF(kinds), 0);
	for (size_t i = 0; i < COUNTOF(kinds); i++) {
		lua_pushstring(L, kinds[i]);
		lua_rawseti(L, KINDS, (lua_Integer)i + 1);
	}
	if (!person_push(L, lua_touserdata(L, EVENT), &n->trail))
		luaL_error(L, "%s: the event has nobody to answer", who);
	struct listen_to to = {.who = who, .events = KINDS, .filter = PERSON, .is_wait = true};
	listener_new(L, &to);
	listener_collect(L, LISTENER, 1);
	lua_toclose(L, LISTENER);
}

static int put_question(lua_State *L, lua_KContext context)
{
	const char *who = questions[context].who;
	const struct event *e = lib_check_event(L, EVENT);
	luaL_checkstring(L, TEXT);
	lua_settop(L, SECONDS);
	lib_deadline(L, SECONDS, who); /* refuses what is none before anything is said */
	task_check(L, who);
	const struct net *n = handles_get(&script_of(L)->host->handles, e->net);
	if (!n)
		return luaL_error(L, "%s: the event is of no network", who);
	begin(L, n, who);
	lua_pushcfunction(L, lib_reply);
	lua_pushvalue(L, EVENT);
	lua_pushvalue(L, TEXT);
	lua_callk(L, 2, 0, context, after_reply);
	return after_reply(L, LUA_OK, context);
}

int lib_ask(lua_State *L)
{
	return put_question(L, ASK);
}

int lib_confirm(lua_State *L)
{
	return put_question(L, CONFIRM);
}
