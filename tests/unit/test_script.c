#include "script/listen.h"
#include "script/task.h"
#include "support/stage.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <string.h>

#define SAY "local function say(t) send('privmsg', {target = '#t', message = tostring(t)}) end\n"

static struct stage st;

static void begin(const char *source)
{
	stage_begin(&st, 1);
	if (!stage_load(&st, "test", source))
		fail_msg("not loaded: %s", buf_str(&st.log).p);
}

static void say(const char *who, const char *text)
{
	char line[600];
	snprintf(line, sizeof(line), ":%s!u@h PRIVMSG #t :%s", who, text);
	stage_line(&st, 0, line);
}

/* Handlers and their order. */

static void handlers_run_as_registered_then_waits_then_what_was_spawned(void **state)
{
	(void)state;
	begin(SAY "spawn(function() wait('privmsg') say('wait') end)\n"
		  "on('privmsg', function() say(1) spawn(say, 'spawned') end)\n"
		  "on('*', function(ev) say(2) end)\n"
		  "on('PrivMsg', function() say(3) end)\n");
	say("a", "x");
	stage_expect(&st, "PRIVMSG #t :1\nPRIVMSG #t :2\nPRIVMSG #t :3\nPRIVMSG #t :spawned\n"
			  "PRIVMSG #t :wait\n");
	stage_end(&st);
}

static void a_handler_that_sleeps_does_not_hold_the_next(void **state)
{
	(void)state;
	begin(SAY "on('privmsg', function() sleep(5) say('late') end)\n"
		  "on('privmsg', function() say('now') end)\n");
	say("a", "x");
	stage_expect(&st, "PRIVMSG #t :now\n");
	stage_pass(&st, 4.9);
	stage_expect(&st, "");
	stage_pass(&st, 0.1);
	stage_expect(&st, "PRIVMSG #t :late\n");
	stage_end(&st);
}

static void what_is_made_during_an_event_does_not_see_it(void **state)
{
	(void)state;
	begin(SAY "on('privmsg', function()\n"
		  "  on('privmsg', function() say('new') end)\n"
		  "  wait('privmsg') say('waited')\n"
		  "end)\n");
	say("a", "x");
	stage_expect(&st, "");
	say("a", "y");
	stage_expect(&st, "PRIVMSG #t :new\nPRIVMSG #t :waited\n");
	stage_end(&st);
}

static void what_goes_away_during_an_event_does_not_run(void **state)
{
	(void)state;
	begin(SAY "local second\n"
		  "on('privmsg', function() second:off() second:off() say('first') end)\n"
		  "second = on('privmsg', function() say('second') end)\n");
	say("a", "x");
	say("a", "y");
	stage_expect(&st, "PRIVMSG #t :first\nPRIVMSG #t :first\n");
	stage_end(&st);
}

static void once_runs_once_even_when_it_causes_its_event_again(void **state)
{
	(void)state;
	begin(SAY
		"once('ping_pong', function(ev) say(ev.n) trigger('ping_pong', {n = ev.n + 1}) end)\n"
		"spawn(function() trigger('ping_pong', {n = 1}) end)\n");
	stage_expect(&st, "PRIVMSG #t :1\n");
	stage_end(&st);
}

static void a_list_of_events_is_one_subscription(void **state)
{
	(void)state;
	begin(SAY "local s = on({'join', 'part', '433'}, function(ev) say(ev.event) end)\n"
		  "once('quit', function() s:off() end)\n");
	stage_line(&st, 0, ":a!u@h JOIN #t");
	stage_line(&st, 0, ":s 433 ebb x :in use");
	stage_line(&st, 0, ":a!u@h QUIT :bye");
	stage_line(&st, 0, ":a!u@h PART #t");
	stage_expect(&st, "PRIVMSG #t :join\nPRIVMSG #t :err_nicknameinuse\n");
	stage_end(&st);
}

/* Filters. */

static const struct filter_row {
	const char *name, *filter, *line;
	bool matches;
} filter_rows[] = {
	{"filter: none",                   "nil",				    ":a!u@h PRIVMSG #t :x",             true },
	{"filter: a field",                "{nick = 'a'}",                           ":a!u@h PRIVMSG #t :x",             true },
	{"filter: another value",          "{nick = 'b'}",                           ":a!u@h PRIVMSG #t :x",             false},
	{"filter: a list",                 "{nick = {'b', 'a'}}",                    ":a!u@h PRIVMSG #t :x",             true },
	{"filter: an empty list",          "{nick = {}}",                            ":a!u@h PRIVMSG #t :x",             false},
	{"filter: two fields",             "{nick = 'a', channel = '#u'}",           ":a!u@h PRIVMSG #t :x",             false},
	{"filter: nicks fold",             "{nick = 'A[B'}",                         ":a{b!u@h PRIVMSG #t :x",           true },
	{"filter: channels fold",          "{channel = '#T'}",                       ":a!u@h PRIVMSG #t :x",             true },
	{"filter: text does not fold",     "{message = 'X'}",                        ":a!u@h PRIVMSG #t :x",             false},
	{"filter: an absent field",        "{account = 'a'}",                        ":a!u@h PRIVMSG #t :x",             false},
	{"filter: an account",             "{account = 'al'}",                       "@account=al :a!u@h PRIVMSG #t :x", true },
	{"filter: a private message",      "{channel = '#t'}",                       ":a!u@h PRIVMSG ebb :x",            false},
	{"filter: match",                  "{match = '^!q'}",                        ":a!u@h PRIVMSG #t :!quiz",         true },
	{"filter: no match",               "{match = '^!q'}",                        ":a!u@h PRIVMSG #t :quiz",          false},
	{"filter: a function says yes",    "function(ev) return ev.nick == 'a' end",
         ":a!u@h PRIVMSG #t :x",											 true },
	{"filter: a function says no",     "function(ev) end",                       ":a!u@h PRIVMSG #t :x",             false},
	{"filter: a function that raises", "function(ev) error('x') end",            ":a!u@h PRIVMSG #t :x",
         false														},
	{"filter: a function that pauses", "function(ev) sleep(1) return true end",
         ":a!u@h PRIVMSG #t :x",											 false},
	{"filter: our own is not heard",   "nil",                                    ":ebb!u@h PRIVMSG #t :x",           false},
	{"filter: our own on request",     "{mine = true}",                          ":ebb!u@h PRIVMSG #t :x",           true },
	{"filter: nothing but our own",    "{mine = true}",                          ":a!u@h PRIVMSG #t :x",             false},
	{"filter: anybody's",              "{mine = 'any'}",                         ":a!u@h PRIVMSG #t :x",             true },
	{"filter: this network",           "{network = 'one'}",                      ":a!u@h PRIVMSG #t :x",             true },
	{"filter: all networks",           "{network = '*'}",                        ":a!u@h PRIVMSG #t :x",             true },
	{"filter: a boolean",              "{bot = true}",                           "@bot :a!u@h PRIVMSG #t :x",        true },
};

static void filter_lets_through(void **state)
{
	const struct filter_row *row = *state;
	char source[500];
	snprintf(source, sizeof(source), SAY "on('privmsg', %s, function() say('yes') end)",
		row->filter);
	if (strcmp(row->filter, "nil") == 0)
		snprintf(source, sizeof(source), SAY "on('privmsg', function() say('yes') end)");
	begin(source);
	stage_line(&st, 0, row->line);
	stage_expect(&st, row->matches ? "PRIVMSG #t :yes\n" : "");
	stage_end(&st);
}

static const struct refusal_row {
	const char *name, *source, *log;
} refusal_rows[] = {
	{"refused: a filter's field that no such event has",
         "on('privmsg', {chanel = '#t'}, print)",								   "on: filter: privmsg has no field 'chanel'" },
	{"refused: a filter's value that is no text",        "on('privmsg', {nick = {print}}, print)",
         "on: filter: nick: text, a whole number or a boolean expected, got function"                                                                           },
	{"refused: a malformed pattern",                     "on('privmsg', {match = '('}, print)",
         "unfinished capture"																   },
	{"refused: a malformed pattern at its end",          "on('privmsg', {match = '^!x [a-z+'}, print)",
         "test.lua:1: on: filter: match: malformed pattern (missing ']')"										       },
	{"refused: an unknown network",                      "on('privmsg', {network = 'x'}, print)",
         "on: filter: network: no network 'x'"														  },
	{"refused: no handler",                              "on('privmsg')",                                       "(event, [filter,] handler) expected"       },
	{"refused: a handler that is none",                  "on('privmsg', {}, 3)",                                "the handler a function"                    },
	{"refused: a name that is no text",                  "on({1, {}}, print)",
         "event: a name or a list of names"														     },
	{"refused: mine that is neither",                    "on('privmsg', {mine = 'yes'}, print)",
         "on: filter: mine: true, false or \"any\" expected"												    },
	{"refused: sleep without a number",                  "sleep('x')",                                          "sleep: a number of seconds expected"       },
	{"refused: sleep in the past",                       "sleep(-1)",                                           "is no time to wait"                        },
	{"refused: sleep for no number",                     "sleep(0/0)",                                          "is no time to wait"                        },
	{"refused: spawn of no function",                    "spawn(3)",                                            "function expected"                         },
	{"refused: every without a period",                  "every(0, print)",                                     "a period of a millisecond"                 },
	{"refused: trigger of a server's event",             "trigger('privmsg', {})",
         "is an event of the server's"															  },
	{"refused: trigger of a numeric",                    "trigger('433', {})",                                  "is an event of the server's"               },
	{"refused: trigger of ebb's event",                  "trigger('client_connect', {})",
         "is an event of the server's"															  },
	{"refused: trigger with a forged account",           "trigger('x', {account = 'admin'})",
         "'account' is a field that every event has"													    },
	{"refused: trigger with a function",                 "trigger('x', {a = {b = print}})",
         "fields.a.b: a function cannot be carried over"													},
	{"refused: send of an unknown command",              "send('privmsgs', {})",                                "privmsgs"                                  },
	{"refused: send with an unknown parameter",          "send('privmsg', {target = '#t', text = 'x'})",
         "text"																		 },
	{"refused: send with a line break",                  "send('privmsg', {target = '#t', message = 'a\\nb'})",
         "message"																	      },
	{"refused: send with a space in the target",
         "send('privmsg', {target = '#t x', message = 'b'})",                                                       "target"                                    },
	{"refused: raw of two lines",                        "raw('PING a\\r\\nPING b')",                           "raw: one line is expected"                 },
	{"refused: binary chunks",                           "assert(load('\\27Lua', 'x', 'b'))",
         "only text chunks are loaded"															  },
	{"refused: a finalizer",                             "setmetatable({}, {__gc = print})",                    "__gc is not for scripts"                   },
	{"refused: io",				      "io.open('/etc/passwd')",                              "attempt to index a nil value (global 'io')"},
	{"refused: a syntax error",                          "on(",						 "not loaded: "                              },
	{"refused: an error in the main chunk",              "error('boom')",                                       "boom"                                      },
};

static void refused(void **state)
{
	const struct refusal_row *row = *state;
	stage_begin(&st, 1);
	assert_false(stage_load(&st, "test", row->source));
	stage_expect_log(&st, row->log);
	stage_expect(&st, "");
	stage_end(&st);
}

static void an_event_runs_a_handler_once_whatever_names_it_has(void **state)
{
	(void)state;
	begin(SAY "on({'part', 'PART', '*'}, function(ev) say('part') end)\n"
		  "on({'rpl_isupport', 'rpl_bounce'}, function(ev) say('005') end)\n"
		  "spawn(function() wait({'part', '*'}) say('waited') end)\n");
	stage_line(&st, 0, ":a!u@h PART #t");
	stage_expect(&st, "PRIVMSG #t :part\nPRIVMSG #t :waited\n");
	stage_line(&st, 0, ":s 005 ebb NICKLEN=9 :are supported");
	stage_expect(&st, "PRIVMSG #t :part\nPRIVMSG #t :005\n");
	stage_end(&st);
}

static void match_passes_its_captures_on(void **state)
{
	(void)state;
	begin(SAY
		"on('privmsg', {match = '^!add (%d+) (%d+)'}, function(ev, a, b) say(a + b) end)\n"
		"spawn(function()\n"
		"  local ev, word = wait('privmsg', {match = '^say (%w+)'})\n"
		"  say(ev.nick .. word)\n"
		"end)");
	say("a", "!add 40 2");
	say("a", "say hi");
	stage_expect(&st, "PRIVMSG #t :42\nPRIVMSG #t :ahi\n");
	stage_end(&st);
}

static void a_match_that_costs_too_much_is_none_and_logged_once(void **state)
{
	char text[400];
	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	begin(SAY "on('privmsg', {match = '.-.-.-.-b'}, function() say('found') end)");
	say("a", text);
	stage_expect_log(
		&st, "warning script test: on privmsg: filter: match: pattern too complex");
	say("a", text);
	assert_int_equal(st.log.n, 0);
	stage_expect(&st, "");
	say("a", "ab");
	stage_expect(&st, "PRIVMSG #t :found\n");
	stage_end(&st);
}

/* Waits. */

static void the_loser_of_two_waits_works_later(void **state)
{
	(void)state;
	begin(SAY "spawn(function()\n"
		  "  local ev, why = wait('privmsg', {nick = 'a'}, 5) say(why)\n"
		  "end)\n"
		  "spawn(function()\n"
		  "  local ev = wait('privmsg', {nick = 'a'}, 10) say(ev.message)\n"
		  "end)\n");
	stage_pass(&st, 6);
	stage_expect(&st, "PRIVMSG #t :timeout\n");
	say("b", "no");
	say("a", "yes");
	stage_expect(&st, "PRIVMSG #t :yes\n");
	stage_pass(&st, 20);
	stage_expect(&st, "");
	stage_end(&st);
}

static void the_loser_of_a_first_of_several_works_later(void **state)
{
	(void)state;
	begin(SAY "spawn(function()\n"
		  "  while true do\n"
		  "    local ev = wait({'join', 'part'}) say(ev.event)\n"
		  "    ev = wait({'part', 'quit'}) say(ev.event)\n"
		  "  end\n"
		  "end)\n");
	for (int i = 0; i < 3; i++) {
		stage_line(&st, 0, ":a!u@h JOIN #t");
		stage_line(&st, 0, ":a!u@h PART #t");
	}
	stage_expect(&st, "PRIVMSG #t :join\nPRIVMSG #t :part\nPRIVMSG #t :join\nPRIVMSG #t :part\n"
			  "PRIVMSG #t :join\nPRIVMSG #t :part\n");
	stage_end(&st);
}

static void one_event_wakes_every_wait_for_it(void **state)
{
	(void)state;
	begin(SAY "for i = 1, 3 do spawn(function() wait('join') say(i) end) end");
	stage_line(&st, 0, ":a!u@h JOIN #t");
	stage_expect(&st, "PRIVMSG #t :1\nPRIVMSG #t :2\nPRIVMSG #t :3\n");
	stage_end(&st);
}

static void an_event_and_the_timeout_at_once_wake_once(void **state)
{
	(void)state;
	begin(SAY
		"spawn(function() local ev, why = wait('join', 5) say(ev and 'ev' or why) sleep(1) say('end') end)");
	timers_run(&st.timers, st.timers.now_ns + 5 * NS_PER_S); /* due, and not yet run */
	stage_line(&st, 0, ":a!u@h JOIN #t");
	stage_expect(&st, "PRIVMSG #t :timeout\n");
	stage_pass(&st, 10);
	stage_expect(&st, "PRIVMSG #t :end\n");
	stage_end(&st);
}

static void a_deadline_goes_with_the_wait_that_it_was_for(void **state)
{
	(void)state;
	begin(SAY "spawn(function()\n"
		  "  wait('join', 5) say('joined')\n"
		  "  local ev, why = wait('part') say(ev and 'left' or why)\n"
		  "end)\n");
	stage_line(&st, 0, ":a!u@h JOIN #t");
	stage_pass(&st, 60);
	stage_expect(&st, "PRIVMSG #t :joined\n");
	stage_line(&st, 0, ":a!u@h PART #t");
	stage_expect(&st, "PRIVMSG #t :left\n");
	stage_end(&st);
}

static void wait_all_gives_each_event(void **state)
{
	(void)state;
	begin(SAY "spawn(function()\n"
		  "  local all = wait_all({'join', 'PART'}, 10)\n"
		  "  say(all.join.nick .. all.PART.nick)\n"
		  "  local none, why = wait_all({'join', 'quit'}, 10) say(why)\n"
		  "end)\n");
	stage_line(&st, 0, ":a!u@h PART #t");
	stage_line(&st, 0, ":b!u@h PART #t");
	stage_line(&st, 0, ":c!u@h JOIN #t");
	stage_expect(&st, "PRIVMSG #t :ca\n");
	stage_line(&st, 0, ":c!u@h JOIN #t");
	stage_pass(&st, 11);
	stage_expect(&st, "PRIVMSG #t :timeout\n");
	stage_end(&st);
}

static void three_thousand_waits_lose_nothing_between_two_lines(void **state)
{
	(void)state;
	begin("n = 0\n"
	      "for i = 1, 3000 do spawn(function() wait('privmsg') wait('privmsg') n = n + 1 end) end\n"
	      "on('join', function() log('all ' .. n) end)\n");
	struct message m;
	assert_int_equal(message_parse(&m, STR(":a!u@h PRIVMSG #t :x")), 0);
	net_line(st.nets[0].net, &(struct received){.m = &m, .kind = EVENT_PRIVMSG});
	net_line(st.nets[0].net, &(struct received){.m = &m, .kind = EVENT_PRIVMSG});
	stage_run(&st);
	stage_line(&st, 0, ":a!u@h JOIN #t");
	stage_expect_log(&st, "info script test: all 3000\n");
	stage_end(&st);
}

static void a_wait_ends_with_an_attempt_that_somebody_waits_for(void **state)
{
	(void)state;
	begin("on('privmsg', function() local ev, why = wait('join') log('wait: ' .. why) end)\n"
	      "on('notice', function() local net, why, kind = connect() log('connect: ' .. kind) end)\n");
	st.nets[0].is_usable = false; /* registering: lines come */
	say("a", "x");
	stage_line(&st, 0, ":a!u@h NOTICE #t :x");
	struct err err;
	err_set(&err, ERR_BANNED, "no");
	struct net_end end = {&err, "irc.test", 6697, -1};
	st.nets[0].is_connected = false;
	net_closed(st.nets[0].net, &end);
	stage_run(&st);
	stage_expect_log(
		&st, "info script test: connect: banned\ninfo script test: wait: disconnected\n");
	stage_end(&st);
}

static void connect_while_it_closes_means_the_next_attempt(void **state)
{
	(void)state;
	begin("on('privmsg', function() disconnect() log('closed') end)\n"
	      "on('notice', function() local net, why = connect() log('connect: ' .. tostring(net)) end)\n");
	say("a", "x");
	st.nets[0].is_closing = true;
	stage_line(&st, 0, ":a!u@h NOTICE #t :x");
	assert_int_equal(st.nets[0].attempts, 0);
	st.nets[0].is_closing = false;
	stage_lose(&st, 0, ERR_REQUESTED, "requested");
	assert_int_equal(st.nets[0].attempts, 1);
	stage_connect(&st, 0);
	stage_expect_log(&st, "info script test: connect: network one\n");
	stage_end(&st);
}

static void a_wait_for_lines_ends_with_the_connection(void **state)
{
	(void)state;
	begin("on('privmsg', function() local ev, why = wait('join') log(why) end)\n"
	      "on('privmsg', function() local ev, why = wait({'join', 'client_connect'}) log(ev.event) end)\n"
	      "on('client_disconnect', function() local ev = wait('join') log('later ' .. ev.nick) end)\n");
	say("a", "x");
	stage_lose(&st, 0, ERR_CLOSED, "gone");
	stage_expect_log(&st, "info script test: disconnected\n");
	stage_connect(&st, 0);
	stage_expect_log(&st, "info script test: client_connect\n");
	stage_line(&st, 0, ":z!u@h JOIN #t");
	stage_expect_log(&st, "info script test: later z\n");
	stage_end(&st);
}

static void the_same_wait_works_through_a_thousand_reconnects(void **state)
{
	(void)state;
	begin(SAY "local n = 0\n"
		  "spawn(function()\n"
		  "  while true do\n"
		  "    wait('client_connect') n = n + 1\n"
		  "    local ev, why = wait('join', 30)\n"
		  "    if ev then say(n) end\n"
		  "  end\n"
		  "end)\n"
		  "on('client_disconnect', function() repeat sleep(2) until connect() end)\n");
	for (int i = 1; i <= 1000; i++) {
		char expected[64];
		stage_lose(&st, 0, ERR_CLOSED, "gone");
		stage_pass(&st, 3);
		stage_lose(&st, 0, ERR_REFUSED, "refused"); /* the first attempt fails */
		stage_pass(&st, 3);
		stage_connect(&st, 0);
		stage_line(&st, 0, ":a!u@h JOIN #t");
		snprintf(expected, sizeof(expected), "PRIVMSG #t :%d\n", i);
		stage_expect(&st, expected);
		buf_reset(&st.log);
	}
	assert_int_equal(st.nets[0].attempts, 2000);
	stage_end(&st);
}

/* Tasks and time. */

/* The memory in use after a full collection; what has a finalizer goes with the second. */
static size_t collected_bytes(struct script *s)
{
	lua_gc(s->vm.L, LUA_GCCOLLECT);
	lua_gc(s->vm.L, LUA_GCCOLLECT);
	return s->vm.arena.used_bytes;
}

/* n handlers, asleep at once; the last to wake says so. */
static void sleep_in_handlers(struct script *s, size_t n)
{
	size_t asleep = 0;
	char go[64];
	for (size_t i = 0; i < n; i++)
		say("a", "x");
	list_each (node, &s->tasks)
		asleep++;
	assert_int_equal(asleep, n);
	stage_pass(&st, 1001);
	snprintf(go, sizeof(go), "PRIVMSG #t :%zu woke\n", n);
	stage_expect(&st, go);
	assert_true(list_is_empty(&s->tasks));
}

static void ten_thousand_handlers_sleep_in_order_and_leave_no_memory(void **state)
{
	(void)state;
	begin(SAY "local last, asleep, woken, x = 0, 0, 0, 1\n"
		  "on('privmsg', function()\n"
		  "  x = (x * 1103515245 + 12345) % 2147483648\n"
		  "  local at = os.clock() + x % 1000 + 1\n"
		  "  asleep = asleep + 1 sleep(at - os.clock())\n"
		  "  assert(at >= last, 'out of order') last = at\n"
		  "  asleep = asleep - 1 woken = woken + 1\n"
		  "  if asleep == 0 then say(woken .. ' woke') woken = 0 end\n"
		  "end)\n");
	struct script *s = container_of(st.host.scripts.next, struct script, node);
	sleep_in_handlers(s, 2 * TASK_POOL_MAX); /* fills the pool */
	size_t before = collected_bytes(s);

	sleep_in_handlers(s, 10000);

	size_t after = collected_bytes(s);
	assert_true(after < before + before / 10);
	assert_int_equal(s->n_pool, TASK_POOL_MAX);
	assert_int_equal(s->n_threads, TASK_POOL_MAX);
	stage_end(&st);
}

static void spawned_tasks_start_from_the_run_queue_with_their_arguments(void **state)
{
	(void)state;
	begin(SAY "local t = spawn(function(a, b, c) say(a .. tostring(b) .. c) end, 1, nil, 3)\n"
		  "say(t.name)");
	stage_expect_log(&st, "");
	assert_non_null(strstr(buf_str(&st.sent).p, "PRIVMSG #t :spawn /tmp/"));
	assert_non_null(strstr(buf_str(&st.sent).p, "test.lua:2\nPRIVMSG #t :1nil3\n"));
	stage_end(&st);
}

static void after_runs_once_and_every_keeps_its_period(void **state)
{
	(void)state;
	begin(SAY
		"after(1.5, say, 'after')\n"
		"local n = 0\n"
		"every(2, function(word) n = n + 1 say(word .. n) if n == 2 then sleep(5) end end, 'n')\n");
	stage_pass(&st, 4);
	stage_expect(&st, "PRIVMSG #t :after\nPRIVMSG #t :n1\nPRIVMSG #t :n2\n");
	stage_pass(&st, 4.9); /* the second still sleeps */
	stage_expect(&st, "");
	stage_pass(&st, 1.1);
	stage_expect(&st, "PRIVMSG #t :n3\n");
	stage_end(&st);
}

static void every_does_not_make_up_for_times_slept_through(void **state)
{
	(void)state;
	begin(SAY "every(2, function() say('tick') end)");
	timers_run(&st.timers, st.timers.now_ns + 3600 * NS_PER_S);
	stage_run(&st);
	stage_expect(&st, "PRIVMSG #t :tick\n");
	stage_pass(&st, 2);
	stage_expect(&st, "PRIVMSG #t :tick\n");
	stage_end(&st);
}

static void what_a_task_starts_inherits_its_network(void **state)
{
	(void)state;
	stage_begin(&st, 2);
	assert_true(stage_load(&st, "test",
		"on('privmsg', function(ev)\n"
		"  send('privmsg', {target = '#t', message = 'direct'})\n"
		"  spawn(function() send('privmsg', {target = '#t', message = 'spawned'}) end)\n"
		"  after(1, function() raw('X after') end)\n"
		"  sleep(2) ev:reply('slept')\n"
		"  network('one'):send('privmsg', {target = '#t', message = 'by name'})\n"
		"end)\n"));
	stage_line(&st, 1, ":a!u@h PRIVMSG #t :x");
	stage_pass(&st, 3);
	stage_expect(&st, "two: PRIVMSG #t :direct\ntwo: PRIVMSG #t :spawned\ntwo: raw X after\n"
			  "two: PRIVMSG #t :slept\nPRIVMSG #t :by name\n");
	stage_end(&st);
}

static void a_task_without_a_network_needs_a_name_among_several(void **state)
{
	(void)state;
	stage_begin(&st, 2);
	assert_false(stage_load(&st, "test", "raw('X')"));
	stage_expect_log(&st, "raw: which network? this task belongs to none");
	assert_true(stage_load(&st, "test",
		"for n in networks() do n:raw('NAME ' .. n.name .. ' ' .. n.nick) end\n"
		"assert(network('one') ~= network('two') and network('one') == network('one'))\n"
		"assert(network('three') == nil)\n"
		"assert(network('one'):same('a[', 'A{') and network('one'):is_channel('#x'))"));
	stage_expect(&st, "raw NAME one ebb\ntwo: raw NAME two ebb\n");
	stage_end(&st);
}

static void a_task_that_makes_tasks_for_ever_starves_nobody(void **state)
{
	(void)state;
	begin(SAY "local n, function_again = 0\n"
		  "function again() n = n + 1 if n < 100000 then spawn(again) end end\n"
		  "spawn(again)\n"
		  "on('privmsg', function() say('here') end)\n");
	stage_end(&st);
	stage_begin(&st, 1);
	assert_true(stage_load(&st, "other",
		"on('x', function() trigger('x') end) after(1, trigger, 'x')\n" SAY
		"on('privmsg', function() say('here') end)\n"));
	timers_run(&st.timers, st.timers.now_ns + NS_PER_S);
	stage_turn(&st);
	assert_true(st.is_wanted);
	struct message m;
	assert_int_equal(message_parse(&m, STR(":a!u@h PRIVMSG #t :x")), 0);
	net_line(st.nets[0].net, &(struct received){.m = &m, .kind = EVENT_PRIVMSG});
	for (int i = 0; i < 100 && st.sent.n == 0; i++) /* it may be sliced meanwhile */
		stage_turn(&st);
	stage_expect(&st, "PRIVMSG #t :here\n");
	stage_end(&st);
}

/* Connecting. */

static void connect_returns_the_network_once_its_handlers_ran(void **state)
{
	(void)state;
	begin("on('client_connect', function() log('handler') end)\n"
	      "on('client_disconnect', function(ev)\n"
	      "  local net, why, kind = connect() log(tostring(net) .. tostring(why))\n"
	      "  assert(connect() == net)\n"
	      "end)\n");
	stage_lose(&st, 0, ERR_CLOSED, "gone");
	stage_connect(&st, 0);
	stage_expect_log(&st, "info script test: handler\ninfo script test: network onenil\n");
	stage_end(&st);
}

static void a_failure_goes_to_its_callers_and_is_no_event(void **state)
{
	(void)state;
	begin("on('client_disconnect', function(ev) log('event ' .. ev.kind) end)\n"
	      "on('privmsg', function() local n, why, kind = connect() log(tostring(n) .. why .. kind) end)\n"
	      "on('privmsg', function() local n, why, kind = connect() log(tostring(n) .. why .. kind) end)\n");
	st.nets[0].is_usable = st.nets[0].is_connected = false;
	st.nets[0].state = "idle";
	say("a", "x");
	stage_lose(&st, 0, ERR_REFUSED, "no! ");
	assert_int_equal(st.nets[0].attempts, 1);
	assert_null(strstr(buf_str(&st.log).p, "event"));
	stage_expect_log(
		&st, "info script test: nilno! refused\ninfo script test: nilno! refused\n");
	stage_end(&st);
}

static void a_failure_of_spawn_connect_is_an_event(void **state)
{
	(void)state;
	begin("on('client_disconnect', function(ev)\n"
	      "  log(ev.kind .. ' ' .. tostring(ev.requested) .. ' ' .. tostring(ev.uptime))\n"
	      "  spawn(connect) log('returned')\n"
	      "end)\n"
	      "on('client_connect', function(ev) log('back at ' .. ev.host .. ':' .. ev.port) end)\n");
	stage_lose(&st, 0, ERR_PING, "silent");
	stage_expect_log(&st, "info script test: ping false 60\ninfo script test: returned\n");
	stage_lose(&st, 0, ERR_REFUSED, "refused");
	stage_expect_log(&st, "info script test: refused false nil\ninfo script test: returned\n");
	stage_connect(&st, 0);
	stage_expect_log(&st, "back at irc.test:6697");
	assert_int_equal(st.nets[0].attempts, 2);
	stage_end(&st);
}

static void disconnect_returns_when_it_is_closed(void **state)
{
	(void)state;
	begin("on('privmsg', function() assert(disconnect('so long')) log('closed') end)\n"
	      "on('client_disconnect', function(ev) log(tostring(ev.requested)) end)\n");
	say("a", "x");
	stage_expect(&st, "end so long\n");
	assert_null(strstr(buf_str(&st.log).p, "closed"));
	stage_lose(&st, 0, ERR_REQUESTED, "requested");
	stage_expect_log(&st, "info script test: true\ninfo script test: closed\n");
	stage_end(&st);
}

static void connect_gives_up_while_ebb_ends(void **state)
{
	(void)state;
	begin("on('client_disconnect', function() local n, why, kind = connect() log(kind) end)");
	host_stop(&st.host);
	stage_lose(&st, 0, ERR_CLOSED, "gone");
	stage_expect_log(&st, "info script test: requested\n");
	assert_int_equal(st.nets[0].attempts, 0);
	stage_end(&st);
}

static void send_pauses_while_the_queue_is_full(void **state)
{
	(void)state;
	begin(SAY "on('privmsg', function(ev) say(ev.message .. 1) say(ev.message .. 2) end)");
	st.nets[0].is_full = true;
	say("a", "x");
	say("a", "y");
	stage_expect(&st, "");
	stage_room(&st, 0);
	stage_expect(&st, "PRIVMSG #t :x1\nPRIVMSG #t :y1\nPRIVMSG #t :x2\nPRIVMSG #t :y2\n");
	stage_end(&st);
}

static void a_sender_that_waits_fails_with_the_connection(void **state)
{
	(void)state;
	begin("on('privmsg', function(ev)\n"
	      "  local ok, e = pcall(send, 'privmsg', {target = '#t', message = 'x'})\n"
	      "  log(tostring(ok) .. e.kind)\n"
	      "  send('privmsg', {target = '#t', message = 'x'})\n"
	      "end)\n");
	st.nets[0].is_full = true;
	say("a", "x");
	say("a", "y");
	stage_lose(&st, 0, ERR_CLOSED, "gone");
	const char *log = strstr(buf_str(&st.log).p, "error ");
	assert_non_null(log);
	assert_null(strstr(log + 1, "error ")); /* told once for both */
	assert_null(strstr(log, "traceback"));
	stage_expect_log(&st, "info script test: falsedisconnected\n");
	stage_end(&st);
}

/* Events as objects. */

static void an_event_is_read_only_and_can_be_copied(void **state)
{
	(void)state;
	begin("on('privmsg', function(ev)\n"
	      "  assert(not pcall(function() ev.nick = 'x' end))\n"
	      "  local copy = ev:copy() copy.nick = 'other'\n"
	      "  assert(copy.message == ev.message and ev.nick == 'a' and copy.params[1] == '#t')\n"
	      "  local seen = {}\n"
	      "  for k, v in pairs(ev) do seen[k] = v end\n"
	      "  for _, k in ipairs{'event', 'network', 'command', 'params', 'source', 'nick', 'user',\n"
	      "      'host', 'mine', 'replayed', 'time', 'raw', 'target', 'message', 'channel'} do\n"
	      "    assert(seen[k] ~= nil, k)\n"
	      "  end\n"
	      "  assert(ev.net == network('one') and ev.nothing == nil and ev[1] == nil)\n"
	      "  assert(ev.tags['+a'] == 'b c' and ev.params[2] == 'hi' and #ev.params == 2)\n"
	      "  ev.params[2] = 'x' assert(ev.params[2] == 'hi')\n"
	      "  log(tostring(ev) .. ' ' .. ev.time)\n"
	      "end)\n"
	      "on('privmsg', function(ev) kept = ev end)\n"
	      "on('join', function(ev) assert(kept.message == 'hi') log('kept') end)\n");
	stage_line(&st, 0, "@time=1970-01-01T00:00:01.5Z;+a=b\\sc :a!u@h PRIVMSG #t hi");
	stage_expect_log(&st,
		"event privmsg: @time=1970-01-01T00:00:01.5Z;+a=b\\sc :a!u@h PRIVMSG #t hi 1.5");
	stage_line(&st, 0, ":a!u@h JOIN #t");
	stage_expect_log(&st, "kept");
	stage_end(&st);
}

static void mode_changes_are_read_as_the_server_defines_them(void **state)
{
	(void)state;
	begin(SAY
		"on('mode', function(ev)\n"
		"  local t = {}\n"
		"  for _, c in ipairs(ev.changes) do t[#t + 1] = (c.set and '+' or '-') .. c.mode .. (c.param or '') end\n"
		"  say(ev.event .. ' ' .. table.concat(t, ' '))\n"
		"end)");
	stage_line(&st, 0, ":a!u@h MODE #t +ov-lk al bo key");
	stage_expect(&st, "PRIVMSG #t :channelmode +oal +vbo -l -kkey\n");
	stage_end(&st);
}

static void an_event_of_ones_own_reaches_every_script(void **state)
{
	(void)state;
	begin(SAY
		"on('score', {points = 3, who = {'bob', 'alice'}}, function(ev)\n"
		"  say(ev.script .. ev.who .. ev.points .. ev.list[2].x .. ev.f .. ev.event .. tostring(ev.network))\n"
		"end)\n");
	assert_true(stage_load(&st, "giver",
		"local shared = {x = 'deep'}\n"
		"trigger('score', {who = 'bob', points = 2})\n"
		"trigger('Score', {who = 'alice', points = 3, f = 1.5, list = {shared, shared}})\n"));
	stage_expect(&st, "PRIVMSG #t :giveralice3deep1.5scorenil\n");
	stage_end(&st);
}

static void reply_goes_where_it_was_said(void **state)
{
	(void)state;
	begin("on({'privmsg', 'join', 'nick'}, function(ev) ev:reply('re') end)\n"
	      "on('error', function(ev) local ok, e = pcall(ev.reply, ev, 'x') log(e) end)\n");
	stage_line(&st, 0, ":s 005 ebb STATUSMSG=@+ :are supported");
	stage_line(&st, 0, ":a!u@h PRIVMSG #t :x");
	stage_line(&st, 0, ":a!u@h PRIVMSG ebb :x");
	stage_line(&st, 0, ":a!u@h PRIVMSG @#t :x");
	stage_line(&st, 0, ":a!u@h JOIN #j");
	stage_line(&st, 0, ":a!u@h NICK b");
	stage_expect(&st, "PRIVMSG #t :re\nPRIVMSG a :re\nPRIVMSG @#t :re\nPRIVMSG #j :re\n"
			  "PRIVMSG b :re\n");
	stage_line(&st, 0, "ERROR :x");
	stage_expect_log(&st, "the event has nobody to answer");
	stage_end(&st);
}

/* Errors. */

static void an_error_is_told_with_all_that_finds_it(void **state)
{
	(void)state;
	begin(SAY "on('privmsg', function(ev)\n"
		  "  local x\n"
		  "  x.y = 1\n"
		  "end)\n"
		  "on('privmsg', function() say('goes on') end)\n");
	say("a", "x");
	stage_expect(&st, "PRIVMSG #t :goes on\n");
	assert_non_null(strstr(buf_str(&st.log).p, "error script test: on privmsg from /tmp/"));
	assert_non_null(
		strstr(buf_str(&st.log).p, "test.lua:4: attempt to index a nil value (local 'x')"));
	stage_expect_log(&st, "error stack traceback:\n");
	stage_end(&st);
}

static void an_error_that_is_no_text_is_told(void **state)
{
	(void)state;
	begin("spawn(error, {}) spawn(error) spawn(error, setmetatable({}, {__tostring = function() error('x') end}))");
	stage_expect_log(&st, "error script test: spawn");
	stage_end(&st);
}

static void a_task_pauses_under_pcall_and_in_metamethods_and_iterators(void **state)
{
	(void)state;
	begin(SAY
		"spawn(function()\n"
		"  local ok, e = pcall(function() sleep(1) error('after') end)\n"
		"  say(e:match('after'))\n"
		"  local t = setmetatable({}, {__index = function(_, k) sleep(1) return k end})\n"
		"  say(t.key)\n"
		"  for i in function(_, i) sleep(1) i = (i or 0) + 1 return i < 3 and i or nil end do say(i) end\n"
		"  do local c <close> = setmetatable({}, {__close = function() sleep(1) say('closed') end}) end\n"
		"  say((('a b'):gsub('%a', function(c) sleep(1) return c:upper() end)))\n"
		"  local l = {2, 1} table.sort(l, function(a, b) sleep(1) return a < b end) say(l[1])\n"
		"  for i in coroutine.wrap(function() sleep(1) coroutine.yield(7) end) do say(i) end\n"
		"  ok, e = pcall(tostring, setmetatable({}, {__tostring = function() sleep(1) end}))\n"
		"  say(e:match('cannot pause here'))\n"
		"end)\n");
	stage_pass(&st, 20);
	stage_expect(&st, "PRIVMSG #t :after\nPRIVMSG #t :key\nPRIVMSG #t :1\nPRIVMSG #t :2\n"
			  "PRIVMSG #t :closed\nPRIVMSG #t :A B\nPRIVMSG #t :1\nPRIVMSG #t :7\n"
			  "PRIVMSG #t :cannot pause here\n");
	stage_end(&st);
}

static void a_script_sees_a_world_of_its_own(void **state)
{
	(void)state;
	begin("assert(config.greeting == 'hello' and ebb.on == on and ebb.log == log)\n"
	      "for _, name in ipairs{'io', 'package', 'dofile', 'loadfile'} do\n"
	      "  assert(_G[name] == nil, name)\n"
	      "end\n"
	      "assert(string.dump == nil and os.execute == nil and os.exit == nil and debug.sethook == nil)\n"
	      "assert(os.time() == 1000 and os.date('!%S') == '40' and os.difftime(3, 1) == 2)\n"
	      "assert(os.clock() == 0 and os.time{year = 2000, month = 1, day = 1} > 0)\n"
	      "assert(getmetatable('') == false and load('return 1')() == 1 and load('return x', 'c', 't', {x = 2})() == 2)\n"
	      "assert(not pcall(collectgarbage, 'stop') and collectgarbage('count') > 0)\n"
	      "log.info('%d%%', 5) log.warn('100%') log('as %d it is') print('a', nil, 3)\n");
	stage_expect_log(&st,
		"info script test: 5%\nwarning script test: 100%\ninfo script test: as %d it is\n"
		"info script test: a\tnil\t3\n");
	stage_end(&st);
}

static void errors_and_events_leave_nothing(void **state)
{
	(void)state;
	begin("on('*', function(ev) kept = ev sleep(1) error('x') end)\n"
	      "on('privmsg', {match = '(x)'}, function(ev, x) wait('join', 5) end)\n"
	      "every(1, function() local e = wait('part', 0.5) end)\n");
	for (int i = 0; i < 300; i++) {
		say("a", "xyz");
		stage_pass(&st, 0.1);
		buf_reset(&st.log);
	}
	stage_end(&st); /* asserts that no event and no timer is left */
}

static void tables_are_read_without_their_metamethods(void **state)
{
	(void)state;
	begin("local n = 0\n"
	      "local function liar() return setmetatable({}, {__len = function() n = n + 1 return n * 9 end,\n"
	      "  __index = function(_, i) return ('x'):rep(500 * n) end}) end\n"
	      "pcall(on, 'privmsg', {nick = liar()}, print)\n"
	      "pcall(on, liar(), print)\n"
	      "pcall(send, 'join', {channel = liar()})\n"
	      "pcall(wait_all, liar())\n"
	      "send('privmsg', setmetatable({target = '#t', message = 'outer'}, {__index = function(_, k)\n"
	      "  if k == 'tags' then send('privmsg', {target = '#t', message = 'inner'}) end end}))\n"
	      "assert(network('one') ~= {} and not pcall(after, 1, print, table.unpack({}, 1, 300)))\n");
	stage_expect(&st, "PRIVMSG #t :outer\n");
	stage_end(&st);
}

static size_t used(void)
{
	return container_of(st.host.scripts.next, struct script, node)->vm.arena.used_bytes;
}

/* What was collected is given back at once, and the collector keeps up. */
static void steady_lines_take_no_more_memory(void **state)
{
	(void)state;
	begin("on('privmsg', function(ev) last = ev.message end)");
	for (int i = 0; i < 2000; i++)
		stage_line(&st, 0, ":a!u@h PRIVMSG #t :warm");
	size_t most = 0, before = used();

	for (int i = 0; i < 50000; i++) {
		stage_line(&st, 0, ":a!u@h PRIVMSG #t :a line of some forty bytes, as they are");
		if (used() > most)
			most = used();
	}

	assert_true(most < before + 512 * 1024);
	stage_end(&st);
}

/* The tokens that an event was read by are replaced: it goes on to be read by them. */
static void an_event_keeps_what_the_server_said_of_itself(void **state)
{
	(void)state;
	begin("on('privmsg', function(ev)\n"
	      "  kept = kept or ev\n"
	      "  send('privmsg', {target = 'x', message = tostring(kept.channel) .. ' ' ..\n"
	      "    tostring(ev.channel) .. ' ' .. tostring(kept == ev)})\n"
	      "end)");
	stage_line(&st, 0, ":a!u@h PRIVMSG #t :x");
	stage_expect(&st, "PRIVMSG x :#t #t true\n");
	for (int i = 0; i < 3; i++) {
		isupport_unref(st.nets[0].isupport);
		st.nets[0].isupport = isupport_new();
		assert_true(isupport_apply(&st.nets[0].isupport, STR("CHANTYPES=!")));
		stage_line(&st, 0, ":a!u@h PRIVMSG #t :x");
		stage_expect(&st, "PRIVMSG x :#t nil false\n");
	}
	stage_end(&st);
}

int main(void)
{
	struct check c = {0};
	check_test(&c, handlers_run_as_registered_then_waits_then_what_was_spawned);
	check_test(&c, a_handler_that_sleeps_does_not_hold_the_next);
	check_test(&c, what_is_made_during_an_event_does_not_see_it);
	check_test(&c, what_goes_away_during_an_event_does_not_run);
	check_test(&c, once_runs_once_even_when_it_causes_its_event_again);
	check_test(&c, a_list_of_events_is_one_subscription);
	check_rows(&c, filter_rows, filter_lets_through);
	check_rows(&c, refusal_rows, refused);
	check_test(&c, an_event_runs_a_handler_once_whatever_names_it_has);
	check_test(&c, match_passes_its_captures_on);
	check_test(&c, a_match_that_costs_too_much_is_none_and_logged_once);
	check_test(&c, three_thousand_waits_lose_nothing_between_two_lines);
	check_test(&c, a_wait_ends_with_an_attempt_that_somebody_waits_for);
	check_test(&c, connect_while_it_closes_means_the_next_attempt);
	check_test(&c, tables_are_read_without_their_metamethods);
	check_test(&c, the_loser_of_two_waits_works_later);
	check_test(&c, the_loser_of_a_first_of_several_works_later);
	check_test(&c, one_event_wakes_every_wait_for_it);
	check_test(&c, an_event_and_the_timeout_at_once_wake_once);
	check_test(&c, a_deadline_goes_with_the_wait_that_it_was_for);
	check_test(&c, wait_all_gives_each_event);
	check_test(&c, a_wait_for_lines_ends_with_the_connection);
	check_test(&c, the_same_wait_works_through_a_thousand_reconnects);
	check_test(&c, ten_thousand_handlers_sleep_in_order_and_leave_no_memory);
	check_test(&c, spawned_tasks_start_from_the_run_queue_with_their_arguments);
	check_test(&c, after_runs_once_and_every_keeps_its_period);
	check_test(&c, every_does_not_make_up_for_times_slept_through);
	check_test(&c, what_a_task_starts_inherits_its_network);
	check_test(&c, a_task_without_a_network_needs_a_name_among_several);
	check_test(&c, a_task_that_makes_tasks_for_ever_starves_nobody);
	check_test(&c, connect_returns_the_network_once_its_handlers_ran);
	check_test(&c, a_failure_goes_to_its_callers_and_is_no_event);
	check_test(&c, a_failure_of_spawn_connect_is_an_event);
	check_test(&c, disconnect_returns_when_it_is_closed);
	check_test(&c, connect_gives_up_while_ebb_ends);
	check_test(&c, send_pauses_while_the_queue_is_full);
	check_test(&c, a_sender_that_waits_fails_with_the_connection);
	check_test(&c, an_event_is_read_only_and_can_be_copied);
	check_test(&c, mode_changes_are_read_as_the_server_defines_them);
	check_test(&c, an_event_of_ones_own_reaches_every_script);
	check_test(&c, reply_goes_where_it_was_said);
	check_test(&c, an_error_is_told_with_all_that_finds_it);
	check_test(&c, an_error_that_is_no_text_is_told);
	check_test(&c, a_task_pauses_under_pcall_and_in_metamethods_and_iterators);
	check_test(&c, a_script_sees_a_world_of_its_own);
	check_test(&c, errors_and_events_leave_nothing);
	check_test(&c, steady_lines_take_no_more_memory);
	check_test(&c, an_event_keeps_what_the_server_said_of_itself);
	return check_run(&c, "script");
}
