#include "base/rand.h"
#include "script/program.h"
#include "script/slice.h"
#include "script/task.h"
#include "support/stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A new generation of a script in the place of the present one, or not. */

#define SAY "local function say(t) send('privmsg', {target = '#t', message = tostring(t)}) end\n"

/* Answers "x" with how many there were, over all generations. */
#define COUNTER(name)                                       \
	SAY "on('privmsg', { message = 'x' }, function()\n" \
	    "  state.n = (state.n or 0) + 1 say('" name "' .. state.n) end)\n"

static struct stage st;

static void begin(const char *source)
{
	stage_begin(&st, 1);
	if (!stage_load(&st, "test", source))
		fail_msg("not loaded: %s", buf_str(&st.log).p);
	buf_reset(&st.log);
}

static void say(const char *text)
{
	char line[600];
	snprintf(line, sizeof(line), ":a!u@h PRIVMSG #t :%s", text);
	stage_line(&st, 0, line);
}

static void reload(const char *source)
{
	const char *why = stage_reload(&st, "test", source);
	if (!why || *why)
		fail_msg("not reloaded: %s\n%s", why ? why : "under way", buf_str(&st.log).p);
}

static size_t count_scripts(void)
{
	size_t n = 0;
	list_each (node, &st.host.scripts)
		n++;
	return n;
}

/* What is carried over. */

static void state_goes_on_and_the_new_code_answers(void **state)
{
	(void)state;
	begin(COUNTER("old "));
	say("x");
	reload(COUNTER("new "));
	say("x");
	stage_expect(&st, "PRIVMSG #t :old 1\nPRIVMSG #t :new 2\n");
	assert_int_equal(count_scripts(), 1);
	stage_end(&st);
}

static void state_is_there_before_the_main_chunk_runs(void **state)
{
	(void)state;
	begin("local games = state.games or {} state.games = games games.alice = { score = 3 }");
	reload(SAY "local games = state.games or {} say(games.alice.score)");
	stage_expect(&st, "PRIVMSG #t :3\n");
	stage_end(&st);
}

static void cycles_and_shared_tables_stay_what_they_are(void **state)
{
	(void)state;
	begin("state.a = { 1, 2.5, true, 'x' } state.b = state.a state.a.up = state");
	reload(SAY "local a = state.a say(a == state.b and a.up == state and math.type(a[1]) ..\n"
		   "  ' ' .. a[2] .. ' ' .. tostring(a[3]) .. a[4])");
	stage_expect(&st, "PRIVMSG #t :integer 2.5 truex\n");
	stage_end(&st);
}

static void a_large_state_is_carried_in_steps(void **state)
{
	(void)state;
	begin("for i = 1, 100000 do state[i] = { i } end");
	reload(SAY "say(#state .. ' ' .. state[77777][1])");
	stage_expect(&st, "PRIVMSG #t :100000 77777\n");
	stage_end(&st);
}

static void on_reload_changes_the_state_and_runs_only_after_a_reload(void **state)
{
	static const char source[] = SAY "on_reload(function(s) s.version = (s.version or 0) + 1\n"
					 "  say(s == state and s.version) end)\n"
					 "say('main ' .. tostring(state.version))";
	(void)state;
	begin(source);
	stage_expect(&st, "PRIVMSG #t :main nil\n");
	reload(source);
	reload(source);
	stage_expect(&st, "PRIVMSG #t :main nil\nPRIVMSG #t :1\nPRIVMSG #t :main 1\n"
			  "PRIVMSG #t :2\n");
	stage_end(&st);
}

static void the_name_state_cannot_be_assigned(void **state)
{
	(void)state;
	begin(SAY
		"on('privmsg', function() say(select(2, pcall(function() state = 1 end)):match(': .*')) end)\n"
		"other = 2 say(other) say(rawget(_G, 'other')) say(undefined)");
	say("x");
	stage_expect(&st, "PRIVMSG #t :2\nPRIVMSG #t :2\nPRIVMSG #t :nil\n"
			  "PRIVMSG #t :: state: the name cannot be assigned; "
			  "assign its fields\n");
	stage_end(&st);
}

static void globals_may_get_a_metatable_of_the_scripts_own(void **state)
{
	(void)state;
	begin(SAY "say(getmetatable(_G)) say(ebb.state == state)\n"
		  "setmetatable(_G, { __index = function(_, k) return k .. '!' end })\n"
		  "say(other) state.n = 1 say(state.n) say(getmetatable(_G).__index ~= nil)");
	stage_expect(&st, "PRIVMSG #t :nil\nPRIVMSG #t :true\nPRIVMSG #t :other!\n"
			  "PRIVMSG #t :1\nPRIVMSG #t :true\n");
	reload(SAY "say(state.n)");
	stage_expect(&st, "PRIVMSG #t :1\n");
	stage_end(&st);
}

/* What refuses a reload. */

static const struct refusal {
	const char *name;
	const char *old;    /* what the old code does in the beginning; NULL: nothing */
	const char *source; /* NULL: the file is gone */
	const char *why;    /* a part of it */
	double seconds;     /* until it is known */
} refusals[] = {
	{"a file that cannot be read",         NULL,						    NULL,                                           "test.lua: No such file or directory",      0},
	{"a syntax error",                     NULL,						    "on(",					  "test.lua:1: unexpected symbol near <eof>", 0},
	{"an error in the main chunk",         NULL,						    "local x = nil\nx.y = 1",                       "main chunk: ",                             0},
	{"an error value that is no text",     NULL,						    "error({})",                                    "an error value that is a table",           0},
	{"a main chunk that loops",            NULL,						    "while true do end",                            "main chunk: stopped",                      0},
	{"a main chunk that pauses for long",  NULL,						    "sleep(10)",
         "its main chunk has not ended after 2 s: spawn() what goes on for long (script test: "
		"main chunk: in sleep at ",																			 2},
	{"a main chunk that waits for events", NULL,                                                    "wait('privmsg')",
         "spawn() what goes on for long",																			   2},
	{"a main chunk that eats memory",      NULL,
         "local t = {} while true do t = { t, ('x'):rep(1000) } end",										   "",                                         0},
	{"on_reload that raises",              NULL,						    "on_reload(function() error('no') end)",        "test.lua:1: no",
         0																							   },
	{"on_reload that loops",               NULL,						    "on_reload(function() repeat until false end)",
         "on_reload: stopped",																				      0},
	{"on_reload that pauses",              NULL,						    "on_reload(function() sleep(9) end)",
         "script test: on_reload: in sleep at ",																		    2},
	{"a function in state",                "state.games = { alice = print }",                       "",
         "state.games.alice: a function cannot be carried over",																    0},
	{"a key that cannot be carried",       "state.games = { [{}] = 1 }",                            "",
         "state.games[table]: a table as a key cannot be carried over",															     0},
	{"a state that is too deep",           "local t = state for i = 1, 99 do t.t = {} t = t.t end", "",
         "more than 60 tables deep",																				0},
	{"another table in its place",         "rawset(_G, 'state', {})",                               "",
         "state: another value stands in its place; assign its fields",															     0},
};

/* The old code goes on as if nothing had been: with what came before, meanwhile and after. */
static void the_old_code_goes_on(void **state)
{
	const struct refusal *row = *state;
	char old[1000], expected[200];
	st.limits = (struct script_limits){0};
	stage_begin(&st, 1);
	st.limits.cpu_max_ns = 50 * NS_PER_MS;
	st.limits.memory_max_bytes = 2 * 1024 * 1024;
	snprintf(old, sizeof(old), "local state = state %s\n%s", row->old ? row->old : "",
		"local n = 0 on('privmsg', { message = 'x' }, function() n = n + 1\n"
		"send('privmsg', { target = '#t', message = 'old ' .. n }) end)\n");
	assert_true(stage_load(&st, "test", old));
	say("x");
	size_t n_handles = stage_handles(&st);

	const char *why = stage_reload(&st, "test", row->source);
	say("x");
	if (row->seconds) {
		assert_null(why);
		stage_pass(&st, row->seconds - 0.1);
		assert_null(stage_outcome(&st));
		stage_expect(&st, "PRIVMSG #t :old 1\n");
		stage_pass(&st, 0.1);
		stage_pass(&st, 0);
		why = stage_outcome(&st);
	}
	if (!why || !*why || !strstr(why, row->why))
		fail_msg("%s is not in: %s", row->why, why ? why : "under way");
	snprintf(expected, sizeof(expected),
		"error script test: not reloaded, the old code goes on: ");
	stage_expect_log(&st, expected);
	say("x");
	stage_expect(&st, row->seconds
				  ? "PRIVMSG #t :old 2\nPRIVMSG #t :old 3\n"
				  : "PRIVMSG #t :old 1\nPRIVMSG #t :old 2\nPRIVMSG #t :old 3\n");
	assert_int_equal(count_scripts(), 1);
	assert_int_equal(stage_handles(&st), n_handles);
	stage_end(&st);
}

static void a_full_inbox_refuses_the_reload_and_loses_nothing(void **state)
{
	(void)state;
	begin("local n = 0 on('privmsg', function() n = n + 1 end)\n"
	      "on('notice', function(ev) ev.net:send('notice', { target = '#t',\n"
	      "  message = 'n' .. n }) end)");
	assert_null(stage_reload(&st, "test", "sleep(1)"));
	for (int i = 0; i < 40000; i++)
		stage_feed(&st, 0, ":a!u@h PRIVMSG #t :x");
	stage_pass(&st, 0);
	assert_string_equal(stage_outcome(&st), "more events came meanwhile than are kept");
	stage_line(&st, 0, ":a!u@h NOTICE #t :how many");
	stage_expect(&st, "NOTICE #t :n40000\n");
	stage_end(&st);
}

/* Exactly once. */

static void what_comes_while_the_main_chunk_pauses_is_for_the_new_code_in_order(void **state)
{
	(void)state;
	begin(SAY "on('privmsg', function(ev) say('old ' .. ev.message) end)");
	assert_null(stage_reload(&st, "test",
		SAY "sleep(1) on('privmsg', function(ev) say('new ' .. ev.message) end)"));
	say("a");
	say("b");
	stage_expect(&st, "");
	stage_pass(&st, 1);
	say("c");
	stage_expect(&st, "PRIVMSG #t :new a\nPRIVMSG #t :new b\nPRIVMSG #t :new c\n");
	assert_string_equal(stage_outcome(&st), "");
	stage_end(&st);
}

static void what_the_new_code_has_started_hears_of_it_too(void **state)
{
	(void)state;
	begin("");
	assert_null(stage_reload(&st, "test",
		SAY
		"sleep(1) spawn(function() for ev in events('privmsg') do say(ev.message) end end)"));
	say("a");
	say("b");
	stage_pass(&st, 1);
	say("c");
	stage_expect(&st, "PRIVMSG #t :a\nPRIVMSG #t :b\nPRIVMSG #t :c\n");
	stage_end(&st);
}

static void a_script_that_computes_is_frozen_between_two_events(void **state)
{
	struct rand rand = {7};
	(void)state;
	begin(SAY "on('privmsg', function(ev) for i = 1, 500 do local x = i end\n"
		  "  state.n = (state.n or 0) + 1 for i = 1, 500 do local x = i end\n"
		  "  say('old ' .. ev.message .. state.n) end)");
	slice_force(&rand, 50);
	stage_feed(&st, 0, ":a!u@h PRIVMSG #t :a");
	stage_feed(&st, 0, ":a!u@h PRIVMSG #t :b");
	stage_turn(&st);
	stage_reload(&st, "test",
		SAY "on('privmsg', function(ev) state.n = state.n + 1\n"
		    "  say('new ' .. ev.message .. state.n) end)");
	stage_feed(&st, 0, ":a!u@h PRIVMSG #t :c");
	stage_pass(&st, 1);
	slice_force(NULL, 0);
	assert_string_equal(stage_outcome(&st), "");
	stage_expect(&st, "PRIVMSG #t :old a1\nPRIVMSG #t :new b2\nPRIVMSG #t :new c3\n");
	stage_end(&st);
}

static void a_wait_in_the_old_code_gets_what_it_waits_for(void **state)
{
	static const char quiz[] =
		SAY "on('privmsg', { message = '!quiz' }, function(ev)\n"
		    "  say(config.greeting .. ' ' .. (version or 1))\n"
		    "  local answer = wait('privmsg', { match = '^a (.*)' }, 5)\n"
		    "  say((version or 1) .. ' got ' .. tostring(answer and answer.message)) end)";
	char new[1000];
	(void)state;
	begin(quiz);
	say("!quiz");
	snprintf(new, sizeof(new), "version = 2\n%s", quiz);
	reload(new);
	say("!quiz");
	stage_expect(&st, "PRIVMSG #t :hello 1\nPRIVMSG #t :hello 2\n");
	say("a Paris");
	stage_pass(&st, 0);
	stage_expect(&st, "PRIVMSG #t :1 got a Paris\nPRIVMSG #t :2 got a Paris\n");
	assert_int_equal(count_scripts(), 1);
	stage_end(&st);
}

static void a_wait_in_the_old_code_hears_what_came_while_it_was_frozen(void **state)
{
	(void)state;
	begin(SAY "on('privmsg', { message = '!quiz' }, function()\n"
		  "  say('old got ' .. wait('privmsg', 5).message) end)");
	say("!quiz");
	assert_null(stage_reload(&st, "test",
		SAY "sleep(1) on('privmsg', function(ev) say('new got ' .. ev.message) end)"));
	say("Paris");
	stage_pass(&st, 1);
	stage_run(&st);
	say("Rome");
	stage_expect(&st, "PRIVMSG #t :old got Paris\nPRIVMSG #t :new got Paris\n"
			  "PRIVMSG #t :new got Rome\n");
	stage_end(&st);
}

/* What becomes of what the old code has under way. */

static void background_tasks_are_cancelled_at_once_and_told_why(void **state)
{
	(void)state;
	begin(SAY "spawn(function() local c <close> = setmetatable({}, { __close = function(_, e)\n"
		  "  say(e) end }) sleep(100) end)\n"
		  "spawn(function() spawn(function() defer(function() say('deferred') end)\n"
		  "  while true do pcall(sleep, 1) end end):join() end)\n"
		  "after(1, say, 'after') every(1, say, 'every')\n"
		  "on('privmsg', function() say('heard') end)");
	reload("");
	stage_expect(&st, "PRIVMSG #t :cancelled: reload\nPRIVMSG #t :deferred\n");
	assert_int_equal(count_scripts(), 1);
	say("x");
	stage_pass(&st, 10);
	stage_expect(&st, "");
	stage_end(&st);
}

static void what_a_handler_waits_for_goes_on_with_it(void **state)
{
	(void)state;
	begin(SAY
		"on('privmsg', function() local t = spawn(function() sleep(2) return 'joined' end)\n"
		"  say(t:join())\n"
		"  say(all(function() sleep(1) return 'a' end, function() return 'b' end)) end)");
	say("x");
	reload("");
	stage_pass(&st, 3);
	stage_expect(&st, "PRIVMSG #t :joined\nPRIVMSG #t :a\n");
	assert_int_equal(count_scripts(), 1);
	stage_end(&st);
}

static void handlers_have_ten_seconds_then_their_grace_and_then_they_are_dropped(void **state)
{
	(void)state;
	begin(SAY "on('privmsg', { message = 'a' }, function() sleep(9.9) say('in time') end)\n"
		  "on('privmsg', { message = 'b' }, function()\n"
		  "  defer(function() say('cancelled') end) sleep(11) say('too late') end)\n"
		  "on('privmsg', { message = 'c' }, function() shield(sleep, 1000) end)");
	say("a");
	say("b");
	say("c");
	reload("");
	stage_pass(&st, 9.95);
	stage_expect(&st, "PRIVMSG #t :in time\n");
	stage_pass(&st, 0.1);
	stage_expect(&st, "PRIVMSG #t :cancelled\n");
	assert_int_equal(count_scripts(), 2);
	stage_pass(&st, 6);
	stage_expect_log(&st, "warning script test: 1 tasks of the old code do not end: dropped");
	assert_int_equal(count_scripts(), 1);
	stage_end(&st);
}

static void on_unload_runs_in_the_old_code_after_the_commit(void **state)
{
	(void)state;
	begin(SAY "on_unload(function(why) say('unload ' .. why) sleep(1) say('later') end)");
	reload(SAY "say('main') on_unload(function(why) say('new ' .. why) end)");
	stage_expect(&st, "PRIVMSG #t :main\nPRIVMSG #t :unload reload\n");
	stage_pass(&st, 1);
	stage_expect(&st, "PRIVMSG #t :later\n");
	program_unload(program_find(&st.host, STR("test")), "unload");
	stage_run(&st);
	stage_expect(&st, "PRIVMSG #t :new unload\n");
	assert_int_equal(count_scripts(), 0);
	stage_end(&st);
}

static void on_unload_runs_where_the_last_other_task_never_started(void **state)
{
	(void)state;
	begin(SAY "on_unload(function() say('unload') end) every(1, say, 'every')");
	timers_run(&st.timers, st.timers.now_ns + NS_PER_S); /* its task waits for its turn */
	program_unload(program_find(&st.host, STR("test")), "unload");
	stage_run(&st);
	stage_expect(&st, "PRIVMSG #t :unload\n");
	stage_end(&st);
}

static void a_loop_in_a_handler_of_the_old_code_goes_on(void **state)
{
	(void)state;
	begin(SAY "on('privmsg', { message = '!go' }, function()\n"
		  "  for ev in events('privmsg', 5) do say('old ' .. ev.message) end end)");
	say("!go");
	reload("");
	say("a");
	say("b");
	stage_expect(&st, "PRIVMSG #t :old a\nPRIVMSG #t :old b\n");
	stage_end(&st);
}

/* Tasks that end unstarted make the table of threads smaller, in the midst of it. */
static void handlers_keep_their_threads_while_many_tasks_are_cancelled(void **state)
{
	(void)state;
	begin(SAY "on('privmsg', function() sleep(1) say('slept') end)\n"
		  "for i = 1, 700 do after(2, print) end");
	for (int i = 0; i < 5; i++)
		say("x");
	timers_run(&st.timers, st.timers.now_ns + 2 * NS_PER_S);
	reload(SAY "collectgarbage()");
	stage_pass(&st, 2);
	stage_expect(&st, "PRIVMSG #t :slept\nPRIVMSG #t :slept\nPRIVMSG #t :slept\n"
			  "PRIVMSG #t :slept\nPRIVMSG #t :slept\n");
	stage_end(&st);
}

static void what_is_cancelled_may_change_the_old_state(void **state)
{
	(void)state;
	begin("state.n = 1 on('privmsg', function() sleep(1) end)\n"
	      "spawn(function() defer(function() state.n = 2 end) sleep(100) end)");
	say("x");
	reload("");
	stage_pass(&st, 0);
	assert_null(strstr(buf_str(&st.log).p, "warning"));
	stage_end(&st);
}

static void a_state_that_the_old_code_changes_later_is_warned_of(void **state)
{
	(void)state;
	begin(SAY
		"state.n = 1 on('privmsg', { message = 'a' }, function() sleep(1) say(state.n) end)\n"
		"on('privmsg', { message = 'b' }, function() sleep(1) state.n = 2 end)");
	say("a");
	reload("");
	stage_pass(&st, 2);
	assert_null(strstr(buf_str(&st.log).p, "warning"));
	stage_expect(&st, "PRIVMSG #t :1\n");
	stage_end(&st);

	begin("state.n = 1 on('privmsg', function() sleep(1) state.n = 2 end)");
	say("a");
	reload("");
	stage_pass(&st, 2);
	stage_expect_log(&st, "test.lua:1, in the old code after the reload: the new code does not "
			      "see that");
	assert_int_equal(count_scripts(), 1);
	stage_end(&st);
}

static void old_code_does_not_pile_up(void **state)
{
	static const char source[] = "on('privmsg', function() sleep(9) end)";
	(void)state;
	begin(source);
	for (int i = 0; i < 20; i++) {
		say("x");
		reload(source);
		assert_true(count_scripts() <= 1 + 4);
	}
	stage_expect_log(&st, "reloaded again and again: 1 tasks of old code are dropped");
	stage_pass(&st, 20);
	assert_int_equal(count_scripts(), 1);
	stage_end(&st);
}

/* Alarms. */

static const struct rhythm {
	const char *name;
	const char *old, *new;
	double before, after; /* the reload: seconds; then, until the first time of the new code */
} rhythms[] = {
	{"every keeps its time",          "every(10, say, 'old')",                      "every(10, say, 'new')",                  4, 6 },
	{"another period begins anew",    "every(10, say, 'old')",                      "every(20, say, 'new')",                  4, 20},
	{"the second of two equal ones",
         "every(10, print) after(3, function() every(10, say, 'no') end)",              "every(10, print) every(10, say, 'new')", 4, 10},
	{"equals pair in their order",    "every(10, print) every(10, print)",
         "every(10, print) every(10, say, 'new')",										4, 6 },
	{"after does not survive",        "after(10, say, 'old')",                      "after(10, say, 'new')",                  4, 10},
	{"one of a handler is another's", "spawn(function() every(10, say, 'no') end)",
         "every(10, say, 'new')",												 4, 10},
	{"cron comes at its time",        "cron('* * * * *', say, 'old')",              "cron('* * * * *', say, 'new')",
         10,															 -1},
};

static void an_alarm_keeps_its_time(void **state)
{
	const struct rhythm *row = *state;
	char old[500], new[500];
	snprintf(old, sizeof(old), SAY "%s", row->old);
	snprintf(new, sizeof(new), SAY "%s", row->new);
	begin(old);
	double after = row->after >= 0 ? row->after : 60 - 1000 % 60 - row->before;
	stage_pass(&st, row->before);
	reload(new);
	stage_pass(&st, after - 0.1);
	stage_expect(&st, "");
	stage_pass(&st, 0.1);
	stage_expect(&st, "PRIVMSG #t :new\n");
	stage_end(&st);
}

static void a_time_that_comes_while_it_is_frozen_is_made_up_for_once(void **state)
{
	(void)state;
	begin(SAY "every(10, say, 'old')");
	stage_pass(&st, 9.5);
	assert_null(stage_reload(&st, "test", SAY "every(10, say, 'new') sleep(1)"));
	stage_pass(&st, 0.9);
	stage_expect(&st, "");
	stage_pass(&st, 0.2);
	stage_expect(&st, "PRIVMSG #t :new\n");
	stage_pass(&st, 9.3);
	stage_expect(&st, "");
	stage_pass(&st, 0.2);
	stage_expect(&st, "PRIVMSG #t :new\n");
	stage_end(&st);
}

/* Memory that the new code is refused: at each request in turn. */

static void a_reload_without_memory_is_refused_and_leaves_nothing(void **state)
{
	static const char old[] = COUNTER("old ") "state.t = { { 'a' }, { 2 } }",
			  new[] = COUNTER("new ") "on_reload(function(s) s.t[3] = {} end)\n"
						  "every(10, say) spawn(sleep, 1)";
	const char *why = "?";
	uint64_t k = 0;
	(void)state;
	begin(old);
	struct program *p = program_find(&st.host, STR("test"));
	size_t n_handles = stage_handles(&st);
	while (*why) {
		p->options.limits.fail_at = ++k;
		why = stage_reload(&st, "test", new);
		assert_non_null(why);
		say("x");
		if (*why) {
			assert_int_equal(count_scripts(), 1);
			assert_int_equal(stage_handles(&st), n_handles);
			assert_true(strstr(buf_str(&st.sent).p, "old "));
		}
		buf_reset(&st.sent);
		buf_reset(&st.log);
	}
	print_message("# %d requests\n", (int)k - 1);
	assert_true(k > 400);
	p->options.limits.fail_at = 0;
	assert_string_equal(stage_reload(&st, "test", new), "");
	say("x");
	assert_true(strstr(buf_str(&st.sent).p, "new "));
	stage_end(&st);
}

static void a_time_is_kept_once_where_both_have_come_to_it(void **state)
{
	(void)state;
	begin(SAY "every(0.5, say, 'old')");
	stage_pass(&st, 0.4);
	assert_null(stage_reload(&st, "test", SAY "every(0.5, say, 'new') sleep(0.7)"));
	stage_pass(&st, 0.69);
	stage_expect(&st, ""); /* nor does the new code ring before it is in place */
	stage_pass(&st, 0.02);
	stage_expect(&st, "PRIVMSG #t :new\n");
	stage_pass(&st, 0.5);
	stage_expect(&st, "PRIVMSG #t :new\n");
	stage_end(&st);
}

static void a_minute_that_comes_while_it_is_frozen_is_made_up_for(void **state)
{
	(void)state;
	begin(SAY "cron('* * * * *', say, 'old')");
	stage_pass(&st, 60 - 1000 % 60 - 0.5);
	assert_null(stage_reload(&st, "test", SAY "cron('* * * * *', say, 'new') sleep(1)"));
	stage_pass(&st, 0.9);
	stage_expect(&st, "");
	stage_pass(&st, 0.2);
	stage_expect(&st, "PRIVMSG #t :new\n");
	stage_pass(&st, 59);
	stage_expect(&st, "");
	stage_end(&st);
}

static void many_alarms_are_taken_over_in_no_time(void **state)
{
	static const char source[] = "for i = 1, 50000 do every(3600 + i % 7, print) end";
	(void)state;
	begin(source);
	reload(source);
	stage_end(&st);
}

/* One after another. */

static void a_reload_during_a_reload_comes_after_it(void **state)
{
	struct program_asker second = st.asker;
	(void)state;
	begin(COUNTER("one "));
	second.told = st.asker.told;
	assert_null(stage_reload(&st, "test", "sleep(1)\n" COUNTER("two ")));
	program_reload(program_find(&st.host, STR("test")), NULL, &second);
	say("x");
	stage_pass(&st, 1.1); /* its file is gone by then */
	say("x");
	stage_expect(&st, "PRIVMSG #t :two 1\nPRIVMSG #t :two 2\n");
	stage_expect_log(&st, "not reloaded, the old code goes on");
	assert_true(strstr(second.why.text, "No such file"));
	assert_int_equal(st.asker.why.code, 0);
	stage_end(&st);
}

static void a_reload_takes_the_place_of_code_that_did_not_get_through(void **state)
{
	struct script_options options = {.name = "test",
		.path = "test.lua",
		.source = "while true do end",
		.limits = {.cpu_max_ns = 50 * NS_PER_MS}};
	(void)state;
	stage_begin(&st, 1);
	assert_int_equal(program_load(&st.host, &options), 0); /* it is sliced */
	options.source = COUNTER("new ");
	st.is_reloading = true;
	program_reload(program_find(&st.host, STR("test")), &options, &st.asker);
	while (st.is_reloading)
		stage_pass(&st, 0.01);
	assert_string_equal(stage_outcome(&st), "");
	say("x");
	stage_expect(&st, "PRIVMSG #t :new 1\n");
	stage_end(&st);
}

static void a_reload_that_is_given_up_while_it_waits_freezes_nothing(void **state)
{
	struct rand rand = {7};
	(void)state;
	begin(SAY "on('privmsg', function(ev) for i = 1, 500 do local x = i end\n"
		  "  say('old ' .. ev.message) end)");
	slice_force(&rand, 50);
	stage_feed(&st, 0, ":a!u@h PRIVMSG #t :a");
	struct program *p = program_find(&st.host, STR("test"));
	program_reload(p, NULL, NULL); /* its file is gone, but that is told of later */
	program_refuse_reload(p, "given up");
	stage_pass(&st, 1);
	say("b");
	slice_force(NULL, 0);
	stage_expect(&st, "PRIVMSG #t :old a\nPRIVMSG #t :old b\n");
	stage_end(&st);
}

static void an_unload_answers_who_waits_for_a_load(void **state)
{
	struct script_options options = {.name = "test",
		.path = "test.lua",
		.source = "while true do end",
		.limits = {.cpu_max_ns = 50 * NS_PER_MS}};
	(void)state;
	stage_begin(&st, 1);
	assert_int_equal(program_load(&st.host, &options), 0);
	struct program *p = program_find(&st.host, STR("test"));
	st.is_reloading = true;
	program_reload(p, NULL, &st.asker);
	program_unload(p, "unload");
	while (st.is_reloading)
		stage_pass(&st, 0.01);
	assert_string_equal(stage_outcome(&st), "it is unloaded");
	stage_pass(&st, 10);
	assert_string_equal(program_state(p), "unloaded");
	assert_int_equal(count_scripts(), 0);
	stage_end(&st);
}

static void what_was_unloaded_is_loaded_again(void **state)
{
	(void)state;
	begin(COUNTER("one "));
	say("x");
	program_unload(program_find(&st.host, STR("test")), "unload");
	stage_run(&st);
	assert_int_equal(count_scripts(), 0);
	assert_string_equal(program_state(program_find(&st.host, STR("test"))), "unloaded");
	say("x");
	reload(COUNTER("two "));
	say("x");
	stage_expect(&st, "PRIVMSG #t :one 1\nPRIVMSG #t :two 1\n");
	stage_end(&st);
}

static void a_program_goes_when_nothing_of_it_runs(void **state)
{
	(void)state;
	begin("");
	program_remove(program_find(&st.host, STR("test")));
	assert_true(list_is_empty(&st.host.programs));
	stage_end(&st);

	begin(SAY "on('privmsg', function() defer(function() say('end') end) sleep(9) end)");
	say("x");
	program_remove(program_find(&st.host, STR("test")));
	assert_null(program_find(&st.host, STR("test")));
	assert_false(list_is_empty(&st.host.programs));
	stage_run(&st);
	stage_expect(&st, "PRIVMSG #t :end\n");
	assert_true(list_is_empty(&st.host.programs));
	stage_end(&st);
}

static void an_unload_ends_a_reload(void **state)
{
	(void)state;
	begin(COUNTER("one "));
	assert_null(stage_reload(&st, "test", "sleep(1)"));
	program_unload(program_find(&st.host, STR("test")), "unload");
	stage_pass(&st, 0);
	assert_string_equal(stage_outcome(&st), "it is unloaded");
	assert_int_equal(count_scripts(), 0);
	stage_end(&st);
}

static void an_unload_ends_handlers_of_old_code_too(void **state)
{
	(void)state;
	begin(SAY "on('privmsg', function() defer(function() say('old') end) sleep(9) end)");
	say("x");
	reload(SAY "on('privmsg', function() defer(function() say('new') end) sleep(9) end)");
	say("x");
	program_unload(program_find(&st.host, STR("test")), "unload");
	stage_run(&st);
	stage_expect(&st, "PRIVMSG #t :old\nPRIVMSG #t :new\n");
	assert_int_equal(count_scripts(), 0);
	stage_end(&st);
}

/* Starting anew. */

#define GREEDY "on('notice', function() leak = {} while true do leak = { leak } end end)\n"

static void state_survives_that_a_script_uses_up_its_memory(void **state)
{
	(void)state;
	st.limits = (struct script_limits){0};
	stage_begin(&st, 1);
	st.limits.memory_max_bytes = 500 * 1024;
	static const char source[] =
		COUNTER("") GREEDY "on_reload(function() say('came over') end)";
	assert_true(stage_load(&st, "test", source));
	say("x");
	stage_line(&st, 0, ":a!u@h NOTICE #t :x");
	stage_expect_log(&st, "ended: it used up its memory");
	stage_pass(&st, 0);
	assert_string_equal(program_state(program_find(&st.host, STR("test"))), "restarting");
	const char *why = stage_reload(&st, "test", source); /* which does not wait */
	assert_string_equal(why, "");
	say("x");
	stage_expect(&st, "PRIVMSG #t :1\nPRIVMSG #t :came over\nPRIVMSG #t :2\n");
	st.limits = (struct script_limits){0};
	stage_end(&st);
}

/* Its state is saved in steps, between which a reload is asked for. */
static void a_reload_of_a_script_that_failed_comes_at_once(void **state)
{
	static const char source[] =
		COUNTER("") GREEDY "for i = 1, 50000 do state[i] = state[i] or i end\n";
	(void)state;
	st.limits = (struct script_limits){0};
	stage_begin(&st, 1);
	st.limits.memory_max_bytes = 4 * 1024 * 1024;
	assert_true(stage_load(&st, "test", source));
	say("x");
	stage_line(&st, 0, ":a!u@h NOTICE #t :x");
	struct program *p = program_find(&st.host, STR("test"));
	assert_true(p->script->is_over);
	p->options.source = strdup(source); /* the program's own; its file is gone */
	st.is_reloading = true;
	program_reload(p, NULL, &st.asker);
	stage_pass(&st, 0);
	assert_string_equal(stage_outcome(&st), "");
	say("x");
	stage_expect(&st, "PRIVMSG #t :1\nPRIVMSG #t :2\n");
	st.limits = (struct script_limits){0};
	stage_end(&st);
}

static void a_script_that_was_disabled_begins_anew_when_it_is_reloaded(void **state)
{
	(void)state;
	st.limits = (struct script_limits){0};
	stage_begin(&st, 1);
	st.limits.memory_max_bytes = 500 * 1024;
	assert_true(stage_load(&st, "test", GREEDY));
	struct program *p = program_find(&st.host, STR("test"));
	p->options.source = strdup(GREEDY); /* the program's own; its file is gone */
	for (int i = 0; i < 6; i++) {
		stage_line(&st, 0, ":a!u@h NOTICE #t :x");
		stage_pass(&st, 20);
	}
	assert_string_equal(program_state(p), "disabled");
	program_reload(p, NULL, NULL);
	stage_pass(&st, 0);
	assert_string_equal(program_state(p), "running");
	buf_reset(&st.log);
	stage_line(&st, 0, ":a!u@h NOTICE #t :x");
	stage_expect_log(&st, "it is loaded anew in 1 s");
	st.limits = (struct script_limits){0};
	stage_end(&st);
}

/* What a reload borrows of the old code, and changes in the new, it gives back. */
static void limits_and_the_collector_are_as_they_were(void **state)
{
	(void)state;
	begin("for i = 1, 30000 do state[i] = i end");
	const struct script *s = program_find(&st.host, STR("test"))->script;
	size_t max_bytes = s->vm.arena.max_bytes;
	assert_true(*stage_reload(&st, "test", "error('no')"));
	assert_int_equal(s->vm.arena.max_bytes, max_bytes);
	reload(SAY "on('privmsg', function() for i = 1, 300000 do local t = { i } end\n"
		   "  say(collectgarbage('count') < 20000) end)");
	s = program_find(&st.host, STR("test"))->script;
	assert_int_equal(s->vm.arena.max_bytes, max_bytes);
	say("x");
	stage_expect(&st, "PRIVMSG #t :true\n");
	stage_end(&st);
}

/* What is saved in steps must not move meanwhile. */
static void a_frozen_script_is_not_collected(void **state)
{
	(void)state;
	begin("local t = {} for i = 1, 10000 do t[i] = {} end");
	struct script *s = program_find(&st.host, STR("test"))->script;
	assert_true(script_has_grown(s));
	assert_null(stage_reload(&st, "test", "sleep(1)"));
	assert_false(script_collect(s));
	stage_pass(&st, 2);
	stage_end(&st);
}

static void a_state_that_used_up_the_memory_is_not_carried_over(void **state)
{
	(void)state;
	st.limits = (struct script_limits){0};
	stage_begin(&st, 1);
	st.limits.memory_max_bytes = 1024 * 1024;
	assert_true(stage_load(&st, "test",
		"on('notice', function() for i = 1, 1e9 do state[i] = ('x'):rep(100) .. i end end)"));
	stage_line(&st, 0, ":a!u@h NOTICE #t :x");
	stage_pass(&st, 0);
	stage_expect_log(&st, "`state` is not carried over: it is what used up the memory");
	st.limits = (struct script_limits){0};
	stage_end(&st);
}

/* What scripts hear of it. */

static void other_scripts_hear_of_loads_reloads_ends_and_errors(void **state)
{
	(void)state;
	begin(SAY "on({ 'script_load', 'script_unload', 'script_error' }, function(ev)\n"
		  "  say(('%s %s %s %s %s'):format(ev.event, ev.script, ev.reload, ev.reason,\n"
		  "    ev.message and ev.doing .. ': ' .. ev.message:match('%S* ?%S*$'))) end)");
	stage_run(&st);
	buf_reset(&st.sent);
	st.limits.cpu_max_ns = 50 * NS_PER_MS;
	assert_true(stage_load(&st, "b",
		"on('privmsg', function() error('an error', 0) end)\n"
		"on('notice', function() while true do end end)\n"));
	say("x");
	stage_line(&st, 0, ":a!u@h NOTICE #t :x");
	assert_string_equal(stage_reload(&st, "b", ""), "");
	assert_true(*stage_reload(&st, "b", "error('no', 0)"));
	program_unload(program_find(&st.host, STR("b")), "unload");
	stage_run(&st);
	stage_expect(&st, "PRIVMSG #t :script_load b false nil nil\n"
			  "PRIVMSG #t :script_error b nil nil run: an error\n"
			  "PRIVMSG #t :script_error b nil nil run: pause, in\n"
			  "PRIVMSG #t :script_load b true nil nil\n"
			  "PRIVMSG #t :script_error b nil nil reload: chunk: no\n"
			  "PRIVMSG #t :script_unload b nil unload nil\n");
	st.limits = (struct script_limits){0};
	stage_end(&st);
}

static void an_error_about_an_error_is_told_of_only_once(void **state)
{
	(void)state;
	begin("on('script_error', function() spawn(error, 'again') error('too') end)\n"
	      "on('privmsg', function() error('first') end)");
	say("x");
	stage_pass(&st, 100);
	stage_expect_log(&st, "too");
	stage_end(&st);
}

int main(void)
{
	struct check c = {0};
	check_test(&c, state_goes_on_and_the_new_code_answers);
	check_test(&c, state_is_there_before_the_main_chunk_runs);
	check_test(&c, cycles_and_shared_tables_stay_what_they_are);
	check_test(&c, a_large_state_is_carried_in_steps);
	check_test(&c, on_reload_changes_the_state_and_runs_only_after_a_reload);
	check_test(&c, the_name_state_cannot_be_assigned);
	check_test(&c, globals_may_get_a_metatable_of_the_scripts_own);
	check_rows(&c, refusals, the_old_code_goes_on);
	check_test(&c, a_full_inbox_refuses_the_reload_and_loses_nothing);
	check_test(&c, what_comes_while_the_main_chunk_pauses_is_for_the_new_code_in_order);
	check_test(&c, what_the_new_code_has_started_hears_of_it_too);
	check_test(&c, a_script_that_computes_is_frozen_between_two_events);
	check_test(&c, a_wait_in_the_old_code_gets_what_it_waits_for);
	check_test(&c, a_wait_in_the_old_code_hears_what_came_while_it_was_frozen);
	check_test(&c, background_tasks_are_cancelled_at_once_and_told_why);
	check_test(&c, what_a_handler_waits_for_goes_on_with_it);
	check_test(&c, handlers_have_ten_seconds_then_their_grace_and_then_they_are_dropped);
	check_test(&c, on_unload_runs_in_the_old_code_after_the_commit);
	check_test(&c, a_state_that_the_old_code_changes_later_is_warned_of);
	check_test(&c, old_code_does_not_pile_up);
	check_rows(&c, rhythms, an_alarm_keeps_its_time);
	check_test(&c, a_time_that_comes_while_it_is_frozen_is_made_up_for_once);
	check_test(&c, a_time_is_kept_once_where_both_have_come_to_it);
	check_test(&c, a_minute_that_comes_while_it_is_frozen_is_made_up_for);
	check_test(&c, many_alarms_are_taken_over_in_no_time);
	check_test(&c, on_unload_runs_where_the_last_other_task_never_started);
	check_test(&c, a_loop_in_a_handler_of_the_old_code_goes_on);
	check_test(&c, handlers_keep_their_threads_while_many_tasks_are_cancelled);
	check_test(&c, what_is_cancelled_may_change_the_old_state);
	check_test(&c, a_reload_that_is_given_up_while_it_waits_freezes_nothing);
	check_test(&c, an_unload_answers_who_waits_for_a_load);
	check_test(&c, a_reload_of_a_script_that_failed_comes_at_once);
	check_test(&c, a_script_that_was_disabled_begins_anew_when_it_is_reloaded);
	check_test(&c, limits_and_the_collector_are_as_they_were);
	check_test(&c, a_frozen_script_is_not_collected);
	check_test(&c, a_reload_without_memory_is_refused_and_leaves_nothing);
	check_test(&c, a_reload_during_a_reload_comes_after_it);
	check_test(&c, a_reload_takes_the_place_of_code_that_did_not_get_through);
	check_test(&c, what_was_unloaded_is_loaded_again);
	check_test(&c, a_program_goes_when_nothing_of_it_runs);
	check_test(&c, an_unload_ends_a_reload);
	check_test(&c, an_unload_ends_handlers_of_old_code_too);
	check_test(&c, state_survives_that_a_script_uses_up_its_memory);
	check_test(&c, a_state_that_used_up_the_memory_is_not_carried_over);
	check_test(&c, other_scripts_hear_of_loads_reloads_ends_and_errors);
	check_test(&c, an_error_about_an_error_is_told_of_only_once);
	return check_run(&c, "reload");
}
