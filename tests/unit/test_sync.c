#include "script/cron.h"
#include "support/stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Tasks, cancellation and what tasks wait for each other with: scripts that say what they do. */

static const struct row {
	const char *name, *source;
	double seconds;   /* that pass after the script is loaded */
	const char *said; /* in that order */
} rows[] = {
#define ROW(name, source, seconds, said)    \
	{                                   \
		name, source, seconds, said \
	}
	ROW("join gives the results",
		"local t = spawn(function() sleep(1) return 1, nil, 3 end)\n"
		"say(t:status()) local a, b, c = t:join() say(a) say(b) say(c) say(t:status())\n"
		"say(select('#', t:join()))",
		2, "runnable 1 nil 3 done 3"),
	ROW("join raises the error, which is not logged as well",
		"local t = spawn(function() sleep(1) error({code = 7}) end)\n"
		"local ok, e = pcall(t.join, t) say(e.code) say(t:status())",
		2, "7 failed"),
	ROW("join times out and the task goes on",
		"local t = spawn(function() sleep(5) say('end') return 1 end)\n"
		"local r, why = t:join(2) say(why) say(t:join())",
		9, "timeout end 1"),
	ROW("of two timeouts that pass, the outer one counts",
		"local r, why = timeout(1, function()\n"
		"  local _, inner = timeout(1, function() shield(sleep, 2) sleep(1) end)\n"
		"  say('inner ' .. tostring(inner))\n"
		"end) say(why)",
		5, "timeout"),
	ROW("the comparator of a sort may pause",
		"local t = {3, 1, 2} local function slow(a, b) sleep(1) return a < b end\n"
		"spawn(function() table.sort(t, slow) say(table.concat(t)) end)\n"
		"sleep(1.5) say(table.concat(t))\n"
		"say(select(2, timeout(1.2, table.sort, {2, 1, 3}, slow)))",
		9, "312 timeout 123"),
	ROW("a cancellation goes before a timeout that passed",
		"local t = spawn(function()\n"
		"  timeout(1, function() shield(sleep, 3) sleep(1) end) say('never')\n"
		"end) sleep(2) t:cancel() sleep(5) say(t:status())",
		9, "cancelled"),
	ROW("who pushes late does not overtake who was woken",
		"local q = queue(1) q:push(1) spawn(function() q:push('a') end) sleep(0)\n"
		"spawn(function() sleep(1) say(q:pop()) say(q:pop()) end)\n"
		"say(q:pop()) q:push('b')",
		3, "1 a b"),
	ROW("a coroutine does not yield out of timeout or shield",
		"local co = coroutine.create(function() timeout(5, coroutine.yield) end)\n"
		"say(select(2, coroutine.resume(co)))\n"
		"for i in coroutine.wrap(function() shield(coroutine.yield, 1) end) do end",
		9, "coroutine.yield: not out of timeout or shield"),
	ROW("a task that hides in one shield after the other ends after its grace",
		"local n = 0 local t = spawn(function()\n"
		"  local c <close> = setmetatable({}, {__close = function() while true do\n"
		"    shield(sleep, 2) n = n + 2 end end})\n"
		"  sleep(9)\n"
		"end) sleep(1) t:cancel() t:join() say(n)",
		20, "6"),
	ROW("a shield that holds when the grace ends holds to its end",
		"local t = spawn(function() shield(function() sleep(8) say('shielded') end) sleep(1) say('never') end)\n"
		"sleep(1) t:cancel() t:join() say('over')",
		20, "shielded over"),
	ROW("a lock is let go by a coroutine that is closed, or forgotten",
		"local l = lock() local function hold() l:with(coroutine.yield) end\n"
		"local co = coroutine.create(hold) coroutine.resume(co)\n"
		"say(pcall(l.with, l, print)) coroutine.close(co) l:with(say, 'closed')\n"
		"spawn(function() coroutine.wrap(hold)() collectgarbage() end):join() l:with(say, 'forgotten')",
		9, "false closed forgotten"),
	ROW("an alarm takes many arguments",
		"after(0, function(...) say(select('#', ...)) end, table.unpack({}, 1, 240)) sleep(1)",
		9, "240"),
	ROW("many events can be waited for",
		"local names = {} for i = 1, 64 do names[i] = 'own' .. i end\n"
		"spawn(function() sleep(1) for i = 1, 64 do trigger(names[i], { n = i }) end end)\n"
		"local got, n = wait_all(names), 0 for _, ev in pairs(got) do n = n + ev.n end say(n)",
		9, "2080"),
	ROW("a coroutine yields to its consumer within a timeout",
		"say(timeout(5, function()\n"
		"  for i in coroutine.wrap(function() sleep(1) coroutine.yield(1) end) do return i end\n"
		"end))",
		9, "1"),
	ROW("a cancellation that a script kept is an error like any other",
		"local stolen\n"
		"local t = spawn(function()\n"
		"  local c <close> = setmetatable({}, {__close = function(_, e) stolen = e end}) sleep(9)\n"
		"end) sleep(1) t:cancel() sleep(1)\n"
		"say(select(2, pcall(all, function() return 1 end, function() error(stolen) end)))\n"
		"say(select(2, pcall(race, function() error(stolen) end, function() sleep(1) end)))\n"
		"say(select(2, pcall(error, stolen)))",
		9, "cancelled cancelled cancelled"),
	ROW("a task cannot join itself",
		"local t t = spawn(function() say(select(2, pcall(t.join, t)):match('its own end')) end)",
		1, "its own end"),
	ROW("cancel wakes a sleeper, and join tells",
		"local t = spawn(function() sleep(100) say('never') end)\n"
		"sleep(1) t:cancel() local r, why = t:join() say(why) say(t:status())",
		3, "cancelled cancelled"),
	ROW("what is cancelled before it starts never does",
		"local t = spawn(function() say('never') end) t:cancel() say(t:status())", 1,
		"cancelled"),
	ROW("pcall does not hold a cancellation",
		"local n = 0\n"
		"local t = spawn(function() while true do n = n + 1 pcall(sleep, 10) end end)\n"
		"sleep(1) t:cancel() t:join() say(n)\n"
		"t = spawn(function() while true do xpcall(sleep, function() say('never') end, 10) end end)\n"
		"sleep(1) t:cancel() t:join() say('gone')",
		5, "1 gone"),
	ROW("close and defer run, the innermost first",
		"local t = spawn(function()\n"
		"  defer(function() say('d1') end)\n"
		"  local c <close> = setmetatable({}, {__close = function(_, e) say(tostring(e)) end})\n"
		"  defer(function() say('d2') end)\n"
		"  sleep(10)\n"
		"end)\n"
		"sleep(1) t:cancel()",
		3, "cancelled d2 d1"),
	ROW("defer runs at a good end and after an error",
		"spawn(function() defer(say, 'x') defer(function() sleep(1) say('a') end) say('body') end)\n"
		"spawn(function() defer(function() say('b') end) sleep(2) local x = nil + 1 end)",
		5, "body a nil b"),
	ROW("every pause of a cancelled task raises, but not within a shield",
		"local t = spawn(function()\n"
		"  defer(function() shield(function() sleep(3) say('shielded') end) sleep(1) say('never') end)\n"
		"  sleep(10)\n"
		"end)\n"
		"sleep(1) t:cancel() t:join() say('over')",
		9, "shielded over"),
	ROW("a shield finishes first",
		"local t = spawn(function() shield(sleep, 5) say('shielded') sleep(1) say('never') end)\n"
		"sleep(1) t:cancel() t:join() say('over')",
		9, "shielded over"),
	ROW("timeout gives nil and why",
		"local r, why = timeout(2, function() sleep(10) say('never') end)\n"
		"say(r) say(why) say(timeout(2, function(a) sleep(1) return a + 1 end, 41))",
		9, "nil timeout 42"),
	ROW("of two timeouts the outer one is told outside",
		"say(select(2, timeout(1, function() say(select(2, timeout(5, sleep, 10))) say('never') end)))\n"
		"say(select(2, timeout(5, function() say(select(2, timeout(1, sleep, 10))) return 1, 'in' end)))",
		9, "timeout timeout in"),
	ROW("a timeout passes errors on, and leaves no deadline",
		"say(select(2, pcall(timeout, 1, error, 'boom'))) sleep(3) say('alive')", 9,
		"boom alive"),
	ROW("cancelling a task within a timeout is no timeout",
		"local t = spawn(function() timeout(50, sleep, 40) say('never') end)\n"
		"sleep(1) t:cancel() say(select(2, t:join()))",
		9, "cancelled"),
	ROW("all waits for each and gives their first results",
		"say(table.concat({all(function() sleep(2) return 'a' end, function() return 'b', 'x' end)}, ','))",
		9, "a,b"),
	ROW("of all the first failure cancels the rest, which end before it is raised",
		"local ok, e = pcall(all, function() sleep(1) error('boom', 0) end,\n"
		"  function() local c <close> = setmetatable({}, {__close = function()\n"
		"    shield(sleep, 2) say('closed') end}) sleep(9) end)\n"
		"say(e)",
		9, "closed boom"),
	ROW("race gives what is first and cancels the rest",
		"say(race(function() sleep(3) return 'slow' end, function() sleep(1) return 'fast' end))\n"
		"sleep(5) say('end')",
		9, "fast end"),
	ROW("cancelling the parent cancels the children first",
		"local t = spawn(function() defer(function() say('parent') end)\n"
		"  all(function() defer(function() say('child') end) sleep(9) end, function() sleep(9) end) end)\n"
		"sleep(1) t:cancel() say(select(2, t:join()))",
		9, "child parent cancelled"),
	ROW("a timeout around all ends the children",
		"say(select(2, timeout(1, all, function() defer(function() say('child') end) sleep(9) end)))",
		9, "child timeout"),
	ROW("a future is waited for before and after",
		"local f = future() spawn(function() say(f:wait()) end) sleep(1) f:set('x', 'y') sleep(0)\n"
		"say(select(2, f:wait())) say(pcall(f.set, f, 1))",
		9, "x y false"),
	ROW("a future fails, or is too late",
		"local f = future() local r, why = f:wait(1) say(why) f:fail('bad') say(select(2, pcall(f.wait, f)))",
		9, "timeout bad"),
	ROW("a queue is in order and bounded",
		"local q = queue(2)\n"
		"spawn(function() for i = 1, 5 do q:push(i) say('in' .. i) end end)\n"
		"sleep(1) for i = 1, 5 do say(q:pop()) end say(select(2, q:pop(1))) say(#q)",
		9, "in1 in2 1 2 in3 in4 3 4 in5 5 timeout 0"),
	ROW("who waits longest for a queue gets the first value",
		"local q = queue()\n"
		"for i = 1, 3 do spawn(function() say(i .. q:pop()) end) end\n"
		"sleep(1) q:push('a') q:push('b') say(select(2, q:pop(0.5))) q:push('c')",
		9, "1a 2b timeout 3c"),
	ROW("a lock is held by one at a time, in their order",
		"local l = lock()\n"
		"for i = 1, 3 do spawn(function() l:with(function(x) say('in' .. x) sleep(1) say('out' .. x) end, i) end) end\n"
		"sleep(0.5) say(select(2, pcall(l.with, l, function() l:with(print) end)):match('already'))",
		9, "in1 out1 in2 out2 in3 out3 already"),
	ROW("a lock is let go by an error and by a cancellation",
		"local l = lock() pcall(l.with, l, error)\n"
		"local t = spawn(function() l:with(sleep, 100) end) sleep(1)\n"
		"local u = spawn(function() l:with(say, 'never') end) sleep(1) u:cancel() t:cancel() sleep(0)\n"
		"l:with(say, 'free')",
		9, "free"),
	ROW("after can be cancelled, and joined",
		"local a = after(5, say, 'never') a:cancel() say(a:status())\n"
		"local b = after(1, function() sleep(1) return 'b' end) say(b:status()) say(b:join())",
		9, "cancelled waiting b"),
	ROW("every can be cancelled, its task with it",
		"local n = 0 local e e = every(1, function() n = n + 1 say(n) if n == 2 then e:cancel() sleep(1) say('never') end end)\n"
		"e:join() say('over')",
		9, "1 2 over"),
	ROW("cron keeps to the calendar",
		"cron('*/5 * * * *', function() say(os.date('!%H:%M:%S')) end)", 700,
		"00:20:00 00:25:00"),
#undef ROW
};

static struct stage st;

/* What was said, the words of each line with a space between them. */
static void read_said(char *out, size_t size)
{
	struct str sent = buf_str(&st.sent);
	out[0] = '\0';
	while (sent.n) {
		struct str line = str_skip(str_cut(&sent, '\n'), strlen("PRIVMSG #t :"));
		size_t used = strlen(out);
		snprintf(out + used, size - used, "%s%" STR_F, used ? " " : "", STR_A(line));
	}
}

static void says(void **state)
{
	const struct row *row = *state;
	char source[3000], said[1000];
	snprintf(source, sizeof(source),
		"local function say(t) send('privmsg', {target = '#t', message = tostring(t)}) end\n"
		"spawn(function() %s end)",
		row->source);
	stage_begin(&st, 1);
	if (!stage_load(&st, "test", source))
		fail_msg("not loaded: %s", buf_str(&st.log).p);

	stage_pass(&st, row->seconds);

	read_said(said, sizeof(said));
	if (strcmp(said, row->said) != 0)
		print_error("log:\n%s", buf_str(&st.log).p);
	assert_string_equal(said, row->said);
	stage_end(&st);
}

#define SAY "local function say(t) send('privmsg', {target = '#t', message = tostring(t)}) end\n"

static void expect_said(const char *expected)
{
	char said[1000];
	read_said(said, sizeof(said));
	buf_reset(&st.sent);
	assert_string_equal(said, expected);
}

static void speak(const char *text)
{
	char line[100];
	snprintf(line, sizeof(line), ":a!u@h PRIVMSG #t :%s", text);
	stage_line(&st, 0, line);
}

static void begin(const char *source)
{
	stage_begin(&st, 1);
	if (!stage_load(&st, "test", source))
		fail_msg("not loaded: %s", buf_str(&st.log).p);
}

static void events_loses_nothing_between_two_rounds(void **state)
{
	(void)state;
	begin(SAY
		"spawn(function()\n"
		"  for ev, n in events('privmsg', {match = '^n(%d)'}) do sleep(1) say(n) if n == '4' then break end end\n"
		"  say('left')\n"
		"end)\n");
	speak("n1");
	speak("other");
	speak("n2");
	speak("n3");
	stage_pass(&st, 2);
	speak("n4");
	stage_pass(&st, 5);
	speak("n5");
	stage_pass(&st, 5);
	expect_said("1 2 3 4 left");
	stage_end(&st);
}

static void events_ends_with_its_timeout_and_its_connection(void **state)
{
	(void)state;
	begin(SAY
		"on('go', function() for ev in events('privmsg', nil, 5) do say(ev.message) end say('late') end)\n"
		"on('join', function() for ev in events('privmsg') do sleep(1) log(ev.message) end log('over') end)\n"
		"trigger('go')");
	speak("1");
	stage_pass(&st, 4);
	speak("2");
	stage_pass(&st, 6);
	expect_said("1 2 late");
	stage_line(&st, 0, ":a!u@h JOIN #t");
	speak("3");
	speak("4");
	stage_lose(&st, 0, ERR_CLOSED, "gone");
	stage_pass(&st, 3);
	stage_expect_log(&st, "info script test: 3\ninfo script test: 4\ninfo script test: over\n");
	stage_end(&st);
}

static void events_tells_of_what_it_could_not_hold(void **state)
{
	(void)state;
	begin(SAY
		"spawn(function()\n"
		"  local ok, e = pcall(function() for ev in events('privmsg', {buffer = 2}) do say(ev.message) sleep(1) end end)\n"
		"  say(e.kind)\n"
		"end)\n");
	speak("1");
	speak("2");
	speak("3");
	speak("4");
	stage_pass(&st, 9);
	expect_said("1 2 3 limit");
	stage_end(&st);
}

static void flush_waits_for_what_was_sent(void **state)
{
	(void)state;
	begin(SAY
		"on('privmsg', function() assert(flush() == true) log('nothing to wait for') end)\n"
		"on('join', function()\n"
		"  local ok, why, kind = flush(1) log(kind)\n"
		"  spawn(say, 'late') sleep(0) ok = flush() log(tostring(ok))\n"
		"end)\n");
	speak("x");
	stage_expect_log(&st, "nothing to wait for");
	st.nets[0].is_full = true;
	stage_line(&st, 0, ":a!u@h JOIN #t");
	stage_pass(&st, 2);
	stage_expect_log(&st, "timeout");
	stage_room(&st, 0);
	expect_said("late");
	stage_expect_log(&st, "true");
	stage_end(&st);
}

static void events_is_closed_when_its_task_is_cancelled(void **state)
{
	(void)state;
	begin(SAY
		"local t = spawn(function() for ev in events('privmsg') do say(ev.message) end end)\n"
		"once('join', function() t:cancel() end)\n");
	speak("1");
	stage_line(&st, 0, ":a!u@h JOIN #t");
	speak("2");
	expect_said("1");
	const struct script *s = container_of(st.host.scripts.next, struct script, node);
	assert_true(list_is_empty(&s->listeners));
	stage_end(&st);
}

static void an_error_that_is_raised_again_keeps_its_first_traceback(void **state)
{
	(void)state;
	begin("local function deep() local x = nil + 1 end\n"
	      "spawn(function() spawn(deep):join() end)\n"
	      "spawn(function() timeout(5, deep) end)\n");
	const char *log = buf_str(&st.log).p;
	assert_non_null(strstr(log, "in upvalue 'deep'") ? log : strstr(log, "in function <"));
	stage_expect_log(&st, "raised again:");
	stage_end(&st);
}

#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"
#define HOWE   "LHST-10:30LHDT-11,M10.1.0,M4.1.0"

static const struct cron_row {
	const char *name, *spec, *after, *next; /* times in UTC; next NULL: refused */
	const char *zone;                       /* NULL: UTC */
} cron_rows[] = {
	{"cron: every minute",                          "* * * * *",       "2026-01-31 23:59:30", "2026-02-01 00:00:00", NULL  },
	{"cron: never at once",                         "* * * * *",       "2026-01-31 23:59:00", "2026-02-01 00:00:00", NULL  },
	{"cron: a list and a range",                    "5,10-12 3 * * *", "2026-01-01 03:05:00",
         "2026-01-01 03:10:00",											  NULL  },
	{"cron: a step",				"*/20 * * * *",    "2026-01-01 03:41:00", "2026-01-01 04:00:00", NULL  },
	{"cron: a step from a start",                   "10/25 * * * *",   "2026-01-01 03:11:00", "2026-01-01 03:35:00",
         NULL														  },
	{"cron: a leap day",                            "0 0 29 2 *",      "2026-01-01 00:00:00", "2028-02-29 00:00:00", NULL  },
	{"cron: a weekday",			     "0 9 * * mon",     "2026-11-20 10:00:00", "2026-11-23 09:00:00", NULL  },
	{"cron: Sunday as 7",                           "0 9 * * 7",       "2026-11-20 10:00:00", "2026-11-22 09:00:00", NULL  },
	{"cron: either day is enough",                  "0 0 1 * fri",     "2026-11-20 10:00:00", "2026-11-27 00:00:00",
         NULL														  },
	{"cron: a month's name",                        "0 0 1 Mar *",     "2026-11-20 10:00:00", "2027-03-01 00:00:00", NULL  },
	{"cron: a day that never comes",                "0 0 31 2 *",      "2026-01-01 00:00:00", "",                    NULL  },
	{"cron: a minute of the hour that comes twice", "* * * * *",       "2026-10-25 00:59:30",
         "2026-10-25 01:00:00",											  BERLIN},
	{"cron: each minute of the second one",         "*/5 * * * *",     "2026-10-25 01:26:00",
         "2026-10-25 01:30:00",											  BERLIN},
	{"cron: the first of two",                      "30 2 * * *",      "2026-10-24 12:00:00", "2026-10-25 00:30:00",
         BERLIN														},
	{"cron: not the second of two",                 "30 2 * * *",      "2026-10-25 00:30:00", "2026-10-26 01:30:00",
         BERLIN														},
	{"cron: what the clock jumps over",             "30 2 * * *",      "2026-03-28 12:00:00",
         "2026-03-30 00:30:00",											  BERLIN},
	{"cron: after what it jumps over",              "0 3 * * *",       "2026-03-28 12:00:00",
         "2026-03-29 01:00:00",											  BERLIN},
	{"cron: half an hour twice",                    "45 1 * * *",      "2026-04-04 14:45:00", "2026-04-05 15:15:00",
         HOWE														  },
	{"cron: midnight over a shift",                 "0 0 * * *",       "2026-10-24 22:00:00", "2026-10-25 23:00:00",
         BERLIN														},
	{"cron: a day over a shift",                    "15 23 25 oct *",  "2026-03-01 00:00:00", "2026-10-25 22:15:00",
         BERLIN														},
	{"cron refuses: four fields",                   "* * * *",         "",                    NULL,                  NULL  },
	{"cron refuses: six fields",                    "* * * * * *",     "",                    NULL,                  NULL  },
	{"cron refuses: a minute of 60",                "60 * * * *",      "",                    NULL,                  NULL  },
	{"cron refuses: day 0",                         "* * 0 * *",       "",                    NULL,                  NULL  },
	{"cron refuses: backwards",                     "9-3 * * * *",     "",                    NULL,                  NULL  },
	{"cron refuses: a step of 0",                   "*/0 * * * *",     "",                    NULL,                  NULL  },
	{"cron refuses: an empty item",                 "1,,2 * * * *",    "",                    NULL,                  NULL  },
	{"cron refuses: a name",                        "* * * foo *",     "",                    NULL,                  NULL  },
};

static void cron_comes(void **state)
{
	const struct cron_row *row = *state;
	struct cron c;
	struct err err;
	struct tm tm = {0};
	int r = cron_parse(str_of(row->spec), &c, &err);
	if (!row->next) {
		assert_int_equal(r, ERR_INVALID);
		return;
	}
	assert_int_equal(r, 0);
	setenv("TZ", row->zone ? row->zone : "UTC", 1);
	tzset();
	assert_non_null(strptime(row->after, "%Y-%m-%d %H:%M:%S", &tm));

	int64_t next_ns = cron_next(&c, timegm(&tm) * NS_PER_S);

	char text[40] = "";
	time_t next = next_ns / NS_PER_S;
	if (next_ns >= 0)
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", gmtime(&next));
	assert_string_equal(text, row->next);
	setenv("TZ", "UTC", 1);
	tzset();
}

/* Every minute of a year, by a clock that goes forward only and one that is asked from each minute:
 * always later, never more than a minute where every minute counts. */
static void cron_goes_forward_in_every_zone(void **state)
{
	static const char *const zones[] = {BERLIN, HOWE, "GMT0BST,M3.5.0/1,M10.5.0", "<-03>3",
		"<-04>4<-03>,M9.1.6/24,M4.1.6/24", "EET-2EEST,M4.5.5/0,M10.5.4/24",
		"<+00>0<+02>-2,M3.5.0/1,M10.5.0/3"};
	struct cron each, noon;
	(void)state;
	assert_int_equal(cron_parse(STR("* * * * *"), &each, NULL), 0);
	assert_int_equal(cron_parse(STR("0 12 * * *"), &noon, NULL), 0);
	for (size_t i = 0; i < COUNTOF(zones); i++) {
		int64_t at_ns = 1767225600 * NS_PER_S, end_ns = at_ns + 366 * 86400 * NS_PER_S;
		int noons = 0;
		setenv("TZ", zones[i], 1);
		tzset();
		for (int64_t ns = at_ns; ns < end_ns; ns += 3600 * NS_PER_S + 61 * NS_PER_S)
			assert_int_equal(
				cron_next(&each, ns), (ns / NS_PER_S / 60 + 1) * 60 * NS_PER_S);
		for (int64_t ns = cron_next(&noon, at_ns); ns < end_ns; ns = cron_next(&noon, ns)) {
			assert_true(ns > at_ns);
			at_ns = ns;
			noons++;
		}
		assert_int_equal(noons, 366);
	}
	setenv("TZ", "UTC", 1);
	tzset();
}

static size_t count_in_log(const char *text)
{
	size_t n = 0;
	for (const char *p = buf_str(&st.log).p; (p = strstr(p, text)); p++)
		n++;
	return n;
}

#define SECOND                                                                                       \
	"function() local c <close> = setmetatable({}, {__close = function() error('second') end}) " \
	"sleep(10) end"

/* Of an error that somebody gets nothing is logged, of all others once. */
static void each_error_in_a_group_is_told_once(void **state)
{
	(void)state;
	begin("pcall(all, function() error('first') end, function() sleep(5) end)\n");
	stage_pass(&st, 9);
	assert_int_equal(count_in_log("first"), 0);
	stage_end(&st);

	begin("pcall(all, function() sleep(1) error('first') end, " SECOND ")\n");
	stage_pass(&st, 20);
	assert_int_equal(count_in_log("first"), 0);
	assert_int_equal(count_in_log(":1: second"), 1);
	stage_end(&st);

	begin("timeout(1, all, " SECOND ")\n");
	stage_pass(&st, 20);
	assert_int_equal(count_in_log(":1: second"), 1);
	stage_end(&st);

	begin("timeout(1, all, function() error('first') end, function() shield(sleep, 3) end)\n");
	stage_pass(&st, 20);
	assert_int_equal(count_in_log(":1: first"), 1);
	stage_end(&st);
}

static void a_script_that_goes_leaves_no_deadline(void **state)
{
	(void)state;
	begin("spawn(timeout, 50, sleep, 100) spawn(sleep, 100) after(9, print) every(9, print)\n"
	      "cron('* * * * *', print) spawn(wait, 'x', 99)\n");
	stage_run(&st);
	assert_true(timers_next(&st.timers) >= 0);
	stage_end(&st);
}

static void events_does_not_hear_of_the_next_connection(void **state)
{
	(void)state;
	begin(SAY "on('join', function()\n"
		  "  for ev in events('privmsg') do say(ev.message) sleep(6) end say('over')\n"
		  "end)\n");
	stage_line(&st, 0, ":a!u@h JOIN #t");
	speak("1");
	speak("2");
	stage_lose(&st, 0, ERR_CLOSED, "gone");
	stage_connect(&st, 0);
	speak("3");
	stage_pass(&st, 30);
	expect_said("1 2 over");
	stage_end(&st);
}

static void a_send_that_waits_names_itself_when_the_connection_ends(void **state)
{
	(void)state;
	begin("on('privmsg', function(ev) ev:reply('x') end)\n");
	st.nets[0].is_full = true;
	speak("go");
	stage_lose(&st, 0, ERR_CLOSED, "gone");
	stage_expect_log(&st, "reply: gone");
	stage_end(&st);
}

/* The wall clock is not the one that deadlines go by: it may be set, and is read at another
 * moment. */
static void cron_follows_a_wall_clock_that_is_set(void **state)
{
	(void)state;
	begin(SAY "cron('* * * * *', function() say(os.date('!%M:%S')) end)\n");
	stage_pass(&st, 120 - (double)(st.timers.now_ns % (60 * NS_PER_S)) / NS_PER_S);
	buf_reset(&st.sent);

	st.wall_offset_ns -= NS_PER_S / 2; /* a little behind: the deadline comes too soon */
	stage_pass(&st, 60);
	expect_said("");
	stage_pass(&st, 0.5);
	stage_pass(&st, 59);
	buf_reset(&st.sent);
	st.wall_offset_ns += 3600 * NS_PER_S; /* an hour on: what was missed is not made up for */
	stage_pass(&st, 61.5);
	size_t n = 0;
	for (const char *p = buf_str(&st.sent).p; (p = strchr(p, '\n')); p++)
		n++;
	assert_int_equal(n, 2);
	buf_reset(&st.sent);
	st.wall_offset_ns -= 600 * NS_PER_S; /* ten minutes back: no minute comes twice */
	stage_pass(&st, 590);
	expect_said("");
	stage_pass(&st, 70);
	assert_true(st.sent.n > 0);
	stage_end(&st);
}

int main(void)
{
	struct check c = {0};
	setenv("TZ", "UTC", 1);
	tzset();
	check_rows(&c, rows, says);
	check_rows(&c, cron_rows, cron_comes);
	check_test(&c, cron_goes_forward_in_every_zone);
	check_test(&c, each_error_in_a_group_is_told_once);
	check_test(&c, a_script_that_goes_leaves_no_deadline);
	check_test(&c, events_does_not_hear_of_the_next_connection);
	check_test(&c, a_send_that_waits_names_itself_when_the_connection_ends);
	check_test(&c, cron_follows_a_wall_clock_that_is_set);
	check_test(&c, events_loses_nothing_between_two_rounds);
	check_test(&c, events_ends_with_its_timeout_and_its_connection);
	check_test(&c, events_tells_of_what_it_could_not_hold);
	check_test(&c, flush_waits_for_what_was_sent);
	check_test(&c, events_is_closed_when_its_task_is_cancelled);
	check_test(&c, an_error_that_is_raised_again_keeps_its_first_traceback);
	return check_run(&c, "sync");
}
