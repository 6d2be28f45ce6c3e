#include "base/rand.h"
#include "script/program.h"
#include "script/slice.h"
#include "support/stage.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

/*
 * What becomes of scripts that take more than they may. The ticks are the test's: a script that
 * calls tick(n) has computed for so long.
 */

#define SAY "local function say(t) send('privmsg', {target = '#t', message = tostring(t)}) end\n"

enum { KB = 1024, TICKS_A_SECOND = 200 };

static struct stage st;

static int lua_tick(lua_State *L)
{
	for (lua_Integer n = luaL_checkinteger(L, 1); n > 0; n--)
		slice_tick();
	return 0;
}

static void give_tick(void)
{
	list_each (node, &st.host.scripts) {
		lua_State *L = container_of(node, struct script, node)->vm.L;
		lua_pushcfunction(L, lua_tick);
		lua_setglobal(L, "tick");
	}
}

/* Its source stays, so that it can be loaded anew. */
static bool is_loaded(const char *name, const char *source)
{
	char path[100];
	snprintf(path, sizeof(path), "%s.lua", name);
	struct script_options options = {
		.name = name, .path = path, .source = source, .limits = st.limits};
	return program_load(&st.host, &options) == 0;
}

static void load(const char *name, const char *source)
{
	if (!is_loaded(name, source))
		fail_msg("not loaded: %s", buf_str(&st.log).p);
	stage_run(&st);
	give_tick();
}

static void begin(const char *source)
{
	stage_begin(&st, 1);
	slice_set_tick(3600 * NS_PER_S);
	load("a", source);
}

static void end(void)
{
	stage_end(&st);
	slice_set_tick(SLICE_TICK_NS);
}

/* Says it, the host has no turn yet. */
static void say(const char *text)
{
	char line[100];
	snprintf(line, sizeof(line), ":x!u@h PRIVMSG #t :%s", text);
	stage_feed(&st, 0, line);
}

/* What was said since the last call, with a space behind each. */
static void expect_said(const char *expected)
{
	char said[1000] = "";
	struct str sent = buf_str(&st.sent);
	while (sent.n) {
		struct str line = str_skip(str_cut(&sent, '\n'), strlen("PRIVMSG #t :"));
		size_t used = strlen(said);
		snprintf(said + used, sizeof(said) - used, "%s%" STR_F, used ? " " : "",
			STR_A(line));
	}
	if (strcmp(said, expected) != 0)
		print_error("log:\n%s", buf_str(&st.log).p);
	assert_string_equal(said, expected);
	buf_reset(&st.sent);
}

/* Turns. */

static void a_script_runs_while_another_computes(void **state)
{
	(void)state;
	begin(SAY
		"on('privmsg', function() for i = 1, 3 do say('a' .. i) tick(2) end say('end') end)\n");
	load("b", SAY "on('privmsg', function() say('b') end)\n");
	say("x");
	expect_said("a1 b");
	stage_pass(&st, 0);
	expect_said("a2 a3 end");
	end();
}

static void events_of_who_is_held_come_later_in_their_order(void **state)
{
	(void)state;
	begin(SAY "on('privmsg', function(ev) say('a' .. ev.message) tick(2) say('end') end)\n");
	load("b", SAY "on('privmsg', function(ev) say('b' .. ev.message) end)\n");
	say("1");
	say("2");
	say("3");
	expect_said("a1 b1 b2 b3");
	stage_run(&st);
	expect_said("end a2 end a3 end");
	end();
}

static void an_event_goes_on_with_the_handlers_that_are_left(void **state)
{
	(void)state;
	begin(SAY "spawn(function() while true do wait('privmsg') say('wait') end end)\n"
		  "on('privmsg', function(ev)\n"
		  "  say(1 .. ev.message) tick(2)\n"
		  "  on('privmsg', function(ev) say('new' .. ev.message) end)\n"
		  "end)\n"
		  "on('*', function(ev) say(2 .. ev.message) tick(2) say('2end') end)\n"
		  "on('privmsg', function(ev) say(3 .. ev.message) end)\n");
	say("x");
	expect_said("1x");
	stage_run(&st);
	expect_said("2x 2end 3x wait");
	say("y");
	stage_run(&st);
	expect_said("1y 2y 2end 3y newy wait");
	end();
}

static void what_is_switched_off_in_between_does_not_run(void **state)
{
	(void)state;
	begin(SAY
		"local third\n"
		"once('privmsg', function(ev) say('once' .. ev.message) tick(2) third:off() end)\n"
		"on('privmsg', function(ev) say(2 .. ev.message) end)\n"
		"third = on('privmsg', function(ev) say(3 .. ev.message) end)\n");
	say("x");
	say("y");
	expect_said("oncex");
	stage_run(&st);
	expect_said("2x 2y");
	end();
}

static void time_that_passes_meanwhile_comes_later(void **state)
{
	(void)state;
	begin(SAY "on('privmsg', function() tick(2) say('computed') end)\n"
		  "after(1, say, 'after') every(1, say, 'every')\n"
		  "spawn(function() sleep(1) say('slept') end)\n");
	say("x");
	timers_run(&st.timers, st.timers.now_ns + NS_PER_S);
	expect_said("");
	stage_run(&st);
	expect_said("computed slept after every"); /* alarms come after tasks */
	end();
}

static void alarms_that_come_at_once_run_a_share_at_a_time(void **state)
{
	(void)state;
	begin("for _ = 1, 2500 do after(1, function() end) end\n");
	const struct script *s = container_of(st.host.scripts.next, struct script, node);
	assert_int_equal(s->n_alarms, 2500);
	timers_run(&st.timers, st.timers.now_ns + NS_PER_S);
	assert_int_equal(s->n_tasks, 1000);
	stage_run(&st);
	assert_int_equal(s->n_alarms, 0);
	end();
}

static void an_event_waits_a_share_for_tasks_that_come_after_it(void **state)
{
	(void)state;
	begin(SAY
		"local n = 0\n"
		"local function again() n = n + 1 tick(1) spawn(again) end\n"
		"on('privmsg', function(ev) say(ev.message .. n) if n == 0 then tick(2) again() end end)\n");
	say("a");
	say("b");
	say("c");
	for (int turn = 0; turn < 12; turn++)
		stage_turn(&st);
	expect_said("a0 b3 c5");
	end();
}

static void a_connection_that_ends_meanwhile_ends_waits_later(void **state)
{
	(void)state;
	begin(SAY
		"on('join', function() say('in') tick(2) say('out') end)\n"
		"on('privmsg', function() local _, why = wait('part') log.info('%s', why) end)\n");
	say("x");
	stage_feed(&st, 0, ":x!u@h JOIN #t");
	stage_lose(&st, 0, ERR_CLOSED, "gone");
	stage_expect_log(&st, "info script a: disconnected");
	end();
}

/* What is stopped. */

static void who_joins_a_task_that_was_stopped_gets_its_error(void **state)
{
	(void)state;
	stage_begin(&st, 1);
	slice_set_tick(3600 * NS_PER_S);
	st.limits.cpu_max_ns = 100 * NS_PER_MS;
	load("a", SAY
		"on('privmsg', function()\n"
		"  local t = spawn(function() defer(function() say('never') end) while true do tick(1) end end)\n"
		"  say(select(2, pcall(t.join, t)):match('^stopped')) say(t:status())\n"
		"end)\n");
	say("x");
	stage_run(&st);
	expect_said("stopped failed");
	stage_expect_log(&st, "stopped: it ran for 0.1 s without a pause");
	end();
}

static void a_lock_is_handed_on_by_who_is_stopped(void **state)
{
	(void)state;
	begin(SAY
		"local l = lock()\n"
		"on('privmsg', function()\n"
		"  spawn(function() l:with(function() while true do tick(5) end end) end)\n"
		"  spawn(function() coroutine.wrap(function() lock():with(function()\n"
		"    local c <close> = setmetatable({}, {__close = function() collectgarbage() end})\n"
		"    while true do tick(5) end end) end)() end)\n"
		"  spawn(l.with, l, say, 'mine')\n"
		"end)\n");
	say("x");
	stage_run(&st);
	expect_said("mine");
	end();
}

static void a_child_that_is_stopped_fails_its_group(void **state)
{
	(void)state;
	begin(SAY "local function busy() while true do tick(5) end end\n"
		  "local function asleep() defer(function() say('cancelled') end) sleep(9) end\n"
		  "on('privmsg', function()\n"
		  "  say(select(2, pcall(all, asleep, busy)):match('^stopped'))\n"
		  "  say(select(2, pcall(race, busy, asleep)):match('^stopped'))\n"
		  "  say(all(function() return 'alive' end))\n"
		  "end)\n");
	say("x");
	stage_run(&st);
	expect_said("cancelled stopped stopped alive");
	end();
}

static void what_closes_a_task_that_is_stopped_is_limited(void **state)
{
	(void)state;
	begin(SAY
		"on('privmsg', function()\n"
		"  local c <close> = setmetatable({}, {__close = function() while true do tick(1) end end})\n"
		"  coroutine.wrap(function()\n"
		"    local d <close> = setmetatable({}, {__close = function()\n"
		"      trigger('closed') collectgarbage() end})\n"
		"    timeout(5, function() while true do tick(5) end end)\n"
		"  end)()\n"
		"end)\n"
		"on('closed', function() say('closed') end)\n");
	say("x");
	stage_run(&st);
	expect_said("closed");
	stage_pass(&st, 10);
	say("y");
	stage_run(&st);
	expect_said("closed");
	end();
}

static void a_task_that_is_cancelled_and_computes_on_is_stopped(void **state)
{
	(void)state;
	begin(SAY "local l = lock()\n"
		  "on('privmsg', function()\n"
		  "  local t = spawn(function() l:with(function()\n"
		  "    local c <close> = setmetatable({}, {__close = function()\n"
		  "      while true do pcall(sleep, 1) tick(1) end end})\n"
		  "    sleep(9)\n"
		  "  end) end)\n"
		  "  sleep(1) t:cancel() say(select(2, t:join())) l:with(say, 'free')\n"
		  "end)\n");
	say("x");
	stage_pass(&st, 20);
	expect_said("cancelled free");
	end();
}

static void a_delivery_that_was_cut_is_ended_before_the_next_event(void **state)
{
	(void)state;
	begin(SAY "on('privmsg', function(ev) tick(2) say(ev.message .. 'a') end)\n"
		  "on('privmsg', function(ev) say(ev.message .. 'b') end)\n");
	say("1");
	say("2");
	say("3");
	stage_run(&st);
	expect_said("1a 1b 2a 2b 3a 3b");
	end();
}

static void a_loop_of_waits_loses_nothing_of_what_came_meanwhile(void **state)
{
	(void)state;
	begin(SAY "local n = 0\n"
		  "on('join', function() tick(2) end)\n"
		  "spawn(function() while wait('privmsg') do n = n + 1 end end)\n"
		  "on('part', function() say(n) end)\n");
	stage_feed(&st, 0, ":x!u@h JOIN #t");
	for (int i = 0; i < 20000; i++)
		say("y");
	stage_feed(&st, 0, ":x!u@h PART #t");
	expect_said("");
	stage_run(&st);
	expect_said("20000");
	end();
}

/* The end, and the next beginning. */

static void a_script_whose_inbox_is_full_is_loaded_anew(void **state)
{
	(void)state;
	begin(SAY
		"log('begun')\n"
		"on('privmsg', function(ev) if ev.message == 'x' then tick(2) end say(ev.message) end)\n");
	load("b", "local n = 0 on('privmsg', function(ev) n = n + 1 log.info('%d', n) end)\n");
	say("x");
	for (int i = 0; i <= INBOX_EVENTS_MAX; i++) {
		say("y");
		if (i % 1000 == 0)
			buf_reset(&st.log);
	}
	stage_expect_log(&st, "error script a: ended: it computes on and on");
	stage_pass(&st, 2);
	stage_expect_log(&st, "info script a: begun\ninfo script a: loaded\n");
	say("z");
	expect_said("z");
	stage_expect_log(&st, "info script b: 65539");
	end();
}

static const char greedy[] =
	"on('privmsg', function() local t = {} while true do t = {t} end end)\n";

static void a_script_is_loaded_anew_later_each_time_and_then_no_more(void **state)
{
	char expected[200];
	(void)state;
	stage_begin(&st, 1);
	slice_set_tick(3600 * NS_PER_S);
	st.limits.memory_max_bytes = 500L * KB;
	load("a", greedy);
	for (int delay = 1; delay <= 16; delay *= 2) {
		say("x");
		assert_true(list_is_empty(&st.host.scripts));
		snprintf(expected, sizeof(expected),
			"error script a: ended: it used up its memory: 0.5 of 0.5 MB are in use, in\n"
			"error \ta:1: in the function of line 1\nerror \t[C]: in ?\n"
			"warning script a: it is loaded anew in %d s\n",
			delay);
		stage_expect_log(&st, expected);
		stage_pass(&st, delay - 0.1);
		assert_true(list_is_empty(&st.host.scripts));
		stage_pass(&st, 0.1);
		stage_expect_log(&st, "info script a: loaded");
	}
	say("x");
	stage_expect_log(&st, "error script a: failed 6 times within ten minutes: it is disabled");
	stage_pass(&st, 3600);
	assert_true(list_is_empty(&st.host.scripts));
	end();
}

static void failures_of_long_ago_do_not_count(void **state)
{
	(void)state;
	stage_begin(&st, 1);
	slice_set_tick(3600 * NS_PER_S);
	st.limits.memory_max_bytes = 500L * KB;
	load("a", greedy);
	for (int i = 0; i < 10; i++) {
		say("x");
		stage_expect_log(&st, "warning script a: it is loaded anew in 1 s");
		stage_pass(&st, 601);
	}
	assert_false(list_is_empty(&st.host.scripts));
	end();
}

static void a_main_chunk_that_fails_for_want_of_memory_is_dropped_once(void **state)
{
	(void)state;
	stage_begin(&st, 1);
	slice_set_tick(3600 * NS_PER_S);
	for (long more = 0; more < 4; more++) {
		st.limits.memory_max_bytes = (200 + more) * KB;
		assert_false(is_loaded("a", "pcall(function() while true do t = {t} end end)\n"
					    "error('the end', 0)\n"));
	}
	load("b", SAY "on('privmsg', say)\n");
	end();
}

static void a_main_chunk_that_is_sliced_and_raises_is_not_loaded(void **state)
{
	struct rand rand = {1};
	(void)state;
	stage_begin(&st, 1);
	slice_set_tick(3600 * NS_PER_S);
	slice_force(&rand, 5);
	assert_true(is_loaded("a", "for i = 1, 1000 do local x = i * i end error('too late')"));
	stage_run(&st);
	slice_force(NULL, 0);
	stage_expect_log(&st, "error script a: not loaded");
	assert_true(list_is_empty(&st.host.scripts));
	stage_pass(&st, 100);
	assert_true(list_is_empty(&st.host.scripts));
	end();
}

static void a_main_chunk_that_is_sliced_is_gone_on_with(void **state)
{
	struct rand rand = {1};
	(void)state;
	stage_begin(&st, 1);
	slice_set_tick(3600 * NS_PER_S);
	slice_force(&rand, 5);
	st.is_wanted = false;
	assert_true(is_loaded("a", "for i = 1, 1000 do local x = i * i end"));
	assert_true(st.is_wanted);
	stage_run(&st);
	slice_force(NULL, 0);
	stage_expect_log(&st, "info script a: loaded");
	end();
}

static void a_function_that_cannot_pause_is_stopped_sooner(void **state)
{
	(void)state;
	begin(SAY "on('privmsg', function(ev) for i = 1, 1000 do tick(1) end return true end,\n"
		  "  function() say('never') end)\n"
		  "on('privmsg', function() say('alive') end)\n");
	say("x");
	stage_run(&st);
	expect_said("alive");
	stage_expect_log(&st, "stopped: it ran for 0.1 s where it cannot pause");
	end();
}

static void an_error_object_is_a_scripts_to_change(void **state)
{
	(void)state;
	begin("on('privmsg', function()\n"
	      "  local _, e = pcall(raw, 'x') e.kind = nil spawn(error, e)\n"
	      "  _, e = pcall(raw, 'x') e.kind = {} spawn(error, e)\n"
	      "  _, e = pcall(raw, 'x') e.message = nil error(e)\n"
	      "end)\n");
	st.nets[0].is_connected = false;
	say("x");
	stage_run(&st);
	assert_non_null(strstr(buf_str(&st.log).p, "raw: one is not connected"));
	stage_expect_log(&st, "error script a: on privmsg");
	end();
}

int main(void)
{
	struct check c = {0};
	check_test(&c, a_script_runs_while_another_computes);
	check_test(&c, events_of_who_is_held_come_later_in_their_order);
	check_test(&c, an_event_goes_on_with_the_handlers_that_are_left);
	check_test(&c, what_is_switched_off_in_between_does_not_run);
	check_test(&c, time_that_passes_meanwhile_comes_later);
	check_test(&c, alarms_that_come_at_once_run_a_share_at_a_time);
	check_test(&c, an_event_waits_a_share_for_tasks_that_come_after_it);
	check_test(&c, a_connection_that_ends_meanwhile_ends_waits_later);
	check_test(&c, who_joins_a_task_that_was_stopped_gets_its_error);
	check_test(&c, a_lock_is_handed_on_by_who_is_stopped);
	check_test(&c, a_child_that_is_stopped_fails_its_group);
	check_test(&c, what_closes_a_task_that_is_stopped_is_limited);
	check_test(&c, a_task_that_is_cancelled_and_computes_on_is_stopped);
	check_test(&c, a_function_that_cannot_pause_is_stopped_sooner);
	check_test(&c, an_error_object_is_a_scripts_to_change);
	check_test(&c, a_delivery_that_was_cut_is_ended_before_the_next_event);
	check_test(&c, a_loop_of_waits_loses_nothing_of_what_came_meanwhile);
	check_test(&c, a_script_whose_inbox_is_full_is_loaded_anew);
	check_test(&c, a_script_is_loaded_anew_later_each_time_and_then_no_more);
	check_test(&c, failures_of_long_ago_do_not_count);
	check_test(&c, a_main_chunk_that_fails_for_want_of_memory_is_dropped_once);
	check_test(&c, a_main_chunk_that_is_sliced_and_raises_is_not_loaded);
	check_test(&c, a_main_chunk_that_is_sliced_is_gone_on_with);
	return check_run(&c, "slice");
}
