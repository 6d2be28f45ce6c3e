#include "script/sieve.h"

#include "irc/batch.h"
#include "support/stage.h"

#include <stdio.h>
#include <string.h>

#define HEAR "on('*', function(ev) log('heard ' .. ev.event .. ' ' .. ev.raw) end)\n"

static struct stage st;

static void load(const char *name, const char *source)
{
	if (!stage_load(&st, name, source))
		fail_msg("not loaded: %s", buf_str(&st.log).p);
}

static void begin(const char *source)
{
	stage_begin(&st, 1);
	st.limits.trust = TRUST_FULL;
	load("test", source);
	buf_reset(&st.log);
}

/* What was logged, without its levels and names. */
static void expect_heard(const char *expected)
{
	struct buf heard;
	struct str log = buf_str(&st.log);
	buf_init(&heard, 64 * 1024);
	while (log.n) {
		struct str line = str_cut(&log, '\n');
		const char *at = memmem(line.p, line.n, "heard ", 6);
		size_t n = at ? (size_t)(line.p + line.n - at) - 6 : 0;
		if (at)
			assert_int_equal(buf_addf(&heard, "%.*s\n", (int)n, at + 6), 0);
	}
	assert_string_equal(heard.n ? buf_str(&heard).p : "", expected);
	buf_fini(&heard);
	buf_reset(&st.log);
}

/* What one filter makes of a line. */
static const struct way_row {
	const char *name;
	const char *body;     /* of function(line, next) */
	const char *in, *out; /* ":a!u@h PRIVMSG #t :x" as it is heard; "PRIVMSG #t :x" as sent */
} way_rows[] = {
	{"passes it on",                    "next(line)",                                 "privmsg :a!u@h PRIVMSG #t :x\n", "PRIVMSG #t :x\n"               },
	{"swallows it",                     "",					   "",                               ""                              },
	{"doubles it",                      "next(line) next(line)",
         "privmsg :a!u@h PRIVMSG #t :x\nprivmsg :a!u@h PRIVMSG #t :x\n",						    "PRIVMSG #t :x\nPRIVMSG #t :x\n"},
	{"changes it",                      "next((line:gsub(':x', ':y')))",              "privmsg :a!u@h PRIVMSG #t :y\n",
         "PRIVMSG #t :y\n"																  },
	{"makes another command of it",     "next((line:gsub('PRIVMSG', 'notice')))",
         "notice :a!u@h notice #t :x\n",										    "notice #t :x\n"                },
	{"fails",			   "error('oops')",                              "privmsg :a!u@h PRIVMSG #t :x\n", "PRIVMSG #t :x\n"               },
	{"fails when it has passed one on", "next('NOTICE #t :y') error('oops')",
         "privmsg :a!u@h PRIVMSG #t :x\n",										  "PRIVMSG #t :x\n"               },
	{"fails with what is no text",      "error({})",                                  "privmsg :a!u@h PRIVMSG #t :x\n",
         "PRIVMSG #t :x\n"																  },
	{"passes on what is no line",       "next('a\\nb')",                              "privmsg :a!u@h PRIVMSG #t :x\n",
         "PRIVMSG #t :x\n"																  },
	{"passes on nothing at all",        "next('')",                                   "privmsg :a!u@h PRIVMSG #t :x\n",
         "PRIVMSG #t :x\n"																  },
	{"passes on what is no text",       "next({})",                                   "privmsg :a!u@h PRIVMSG #t :x\n",
         "PRIVMSG #t :x\n"																  },
	{"catches its mistake",             "pcall(next, 'a\\0b') next(line)",            "privmsg :a!u@h PRIVMSG #t :x\n",
         "PRIVMSG #t :x\n"																  },
	{"pauses",			  "sleep(1) next('X')",                         "privmsg :a!u@h PRIVMSG #t :x\n", "PRIVMSG #t :x\n"               },
	{"makes too many lines",            "for i = 1, 65 do next('X ' .. i) end",
         "privmsg :a!u@h PRIVMSG #t :x\n",										  "PRIVMSG #t :x\n"               },
	{"makes too long a line",           "next(('x'):rep(1024 * 1024))",               "privmsg :a!u@h PRIVMSG #t :x\n",
         "PRIVMSG #t :x\n"																  },
	{"ends itself first",               "mine:off() mine:off() next('NOTICE #t :y')", "notice NOTICE #t :y\n",
         "NOTICE #t :y\n"																   },
	{"passes on from a coroutine",      "coroutine.wrap(next)(line)",
         "privmsg :a!u@h PRIVMSG #t :x\n",										  "PRIVMSG #t :x\n"               },
	{"returns without a word",          "return line",                                "",                               ""                              },
};

static void what_comes_passes_a_filter(void **state)
{
	const struct way_row *row = *state;
	char source[600];
	snprintf(source, sizeof(source),
		HEAR "mine = network():filter_in(function(line, next) %s end)", row->body);
	begin(source);

	stage_line(&st, 0, ":a!u@h PRIVMSG #t :x");

	expect_heard(row->in);
	stage_end(&st);
}

static void what_scripts_send_passes_a_filter(void **state)
{
	const struct way_row *row = *state;
	char source[600];
	snprintf(source, sizeof(source),
		"mine = network():filter_out(function(line, next) %s end)\n"
		"assert(send('privmsg', {target = '#t', message = 'x'}) == true)",
		row->body);
	begin(source);

	stage_expect(&st, row->out);
	stage_end(&st);
}

/* A message in several lines comes, as a session tells of it. */
static void hear_long(const char *first, const char *second)
{
	struct batches batches = {0};
	struct batch_line at;
	struct message m;
	struct buf joined;
	char lines[4][200] = {":a!u@h BATCH +1 draft/multiline #t", "", "", "BATCH -1"};
	buf_init(&joined, 1000);
	snprintf(lines[1], sizeof(lines[1]), "@batch=1 :a!u@h PRIVMSG #t :%s", first);
	snprintf(lines[2], sizeof(lines[2]), "@batch=1 :a!u@h PRIVMSG #t :%s", second);
	for (size_t i = 0; i < COUNTOF(lines); i++) {
		assert_int_equal(message_parse(&m, str_of(lines[i])), 0);
		batches_hear(&batches, &m, event_kind_of(&m, st.nets[0].isupport), &at);
	}
	assert_int_equal(batch_join(at.batch, &joined, &m), 0);
	struct received received = {.m = &m, .kind = event_kind_of(&m, st.nets[0].isupport)};
	net_line(st.nets[0].net, &received);
	stage_run(&st);
	batches_fini(&batches);
	buf_fini(&joined);
}

/* What a filter makes of the message "one" and ":x!y@z PRIVMSG #t :two", and what is heard. */
static const struct long_row {
	const char *name, *body, *heard;
} long_rows[] = {
	{"long: passes it on",                  "next(line)",                             "<one\\n:x!y@z PRIVMSG #t :two> of a"},
	{"long: fails",			 "error('oops')",                          "<one\\n:x!y@z PRIVMSG #t :two> of a"},
	{"long: changes it",                    "next((line:gsub('one', '1')))",          "<1\\n:x!y@z PRIVMSG #t :two> of a"  },
	{"long: makes one line of it",          "next((line:gsub('\\n', ' ')))",
         "<one :x!y@z PRIVMSG #t :two> of a"										   },
	{"long: swallows it",                   "",				       ""                                   },
	{"long: only a text has several lines", "assert(not pcall(next, 'A b\\nc'))",     ""                                   },
	{"long: a text has no other breaks",    "assert(not pcall(next, line .. '\\r'))", ""                                   },
};

static void a_message_in_several_lines_passes_a_filter_as_one(void **state)
{
	const struct long_row *row = *state;
	char source[600];
	snprintf(source, sizeof(source),
		"on('privmsg', function(ev)\n"
		"  log('heard <' .. ev.message:gsub('\\n', '\\\\n') .. '> of ' .. ev.nick) end)\n"
		"network():filter_in(function(line, next) %s end)",
		row->body);
	begin(source);

	hear_long("one", ":x!y@z PRIVMSG #t :two");

	char expected[200] = "";
	if (row->heard[0])
		snprintf(expected, sizeof(expected), "%s\n", row->heard);
	expect_heard(expected);
	stage_end(&st);
}

static void every_way_to_send_passes_the_filters(void **state)
{
	(void)state;
	begin("network():filter_out(function(line, next) next(line .. '!') end)\n"
	      "send('away', {message = 'a'}) raw('RAW b') network():send('away', {message = 'c'})\n"
	      "on('privmsg', function(ev) ev:reply('d') end)");
	stage_expect(&st, "AWAY :a!\nraw RAW b!\nAWAY :c!\n");
	stage_line(&st, 0, ":a!u@h PRIVMSG #t :x");
	stage_expect(&st, "PRIVMSG #t :d!\n");
	stage_end(&st);
}

static void what_is_said_at_once_passes_the_filters_too(void **state)
{
	(void)state;
	begin("on('privmsg', function(ev) ev:reply(ev.message) end)\n"
	      "on('join', function() f = network():filter_out(function(line, next) next(line .. '!') end) end)\n"
	      "on('part', function() f:off() end)\n");
	st.nets[0].says = true;
	stage_line(&st, 0, ":a!u@h PRIVMSG #t :1");
	stage_line(&st, 0, ":a!u@h JOIN #t");
	stage_line(&st, 0, ":a!u@h PRIVMSG #t :2");
	stage_line(&st, 0, ":a!u@h PART #t");
	stage_line(&st, 0, ":a!u@h PRIVMSG #t :3");
	stage_expect(&st, "said #t 1\nPRIVMSG #t :2!\nsaid #t 3\n");
	stage_end(&st);
}

#define MARK(way, mark) "network():" way "(function(line, next) next(line .. '" mark "') end)\n"

static void filters_stand_in_the_order_of_the_scripts(void **state)
{
	(void)state;
	begin(MARK("filter_in", "1") MARK("filter_out", "1") HEAR);
	load("later", MARK("filter_in", "3") MARK("filter_in", "4") MARK("filter_out",
			      "3") "on('join', function() send('away', {message = 'x'}) end)");
	buf_reset(&st.log);

	assert_string_equal(
		stage_reload(&st, "test",
			MARK("filter_in", "0") MARK("filter_in", "2") MARK("filter_out", "0") HEAR),
		"");
	buf_reset(&st.log);
	stage_line(&st, 0, ":a!u@h JOIN #t");

	expect_heard("join :a!u@h JOIN #t0234\n");
	stage_expect(&st, "AWAY :x03\n");
	stage_end(&st);
}

static void each_line_that_one_makes_passes_the_next(void **state)
{
	(void)state;
	begin("local n = network()\n"
	      "n:filter_in(function(line, next) next(line .. '1') next(line .. '2') end)\n"
	      "n:filter_in(function(line, next) if line:sub(-1) == '1' then next(line) end next(line .. 'b') end)\n" HEAR);
	stage_line(&st, 0, ":a!u@h JOIN #");
	expect_heard("join :a!u@h JOIN #1\njoin :a!u@h JOIN #1b\njoin :a!u@h JOIN #2b\n");
	stage_end(&st);
}

static void lines_do_not_grow_without_bounds(void **state)
{
	(void)state;
	begin("local n = 0 on('*', function() n = n + 1 end)\n"
	      "for i = 1, 40 do\n"
	      "  network():filter_in(function(line, next) next(line) next(line) end)\n"
	      "end\n"
	      "after(1, function() log('heard ' .. n) end)");
	stage_line(&st, 0, ":a!u@h JOIN #t");
	stage_pass(&st, 1);
	expect_heard("64\n");
	stage_end(&st);
}

static void what_is_no_message_is_dropped(void **state)
{
	(void)state;
	begin(HEAR
		"network():filter_in(function(line, next)\n"
		"  next(':only.a.source') next('@') next('1x') next(':s 433') next(':s KICK #t')\n"
		"  next(line) end)");
	stage_line(&st, 0, ":a!u@h JOIN #t");
	expect_heard("join :a!u@h JOIN #t\n");
	stage_end(&st);
}

static void a_line_that_is_made_is_ours_where_it_says_so(void **state)
{
	(void)state;
	begin("network():filter_in(function(line, next) next((line:gsub('^:a!', ':EBB!'))) end)\n"
	      "on('join', function(ev) log('heard ' .. tostring(ev.mine)) end)");
	stage_line(&st, 0, ":a!u@h JOIN #t");
	stage_line(&st, 0, ":b!u@h JOIN #t");
	expect_heard("true\nfalse\n");
	stage_end(&st);
}

static void what_waits_for_room_has_passed_the_filters_once(void **state)
{
	(void)state;
	begin("local n = 0\n"
	      "network():filter_out(function(line, next) n = n + 1 next(line .. n) next(line .. n .. 'b') end)\n"
	      "on('join', function() send('away', {message = 'x'}) log('sent') end)\n"
	      "on('part', function() raw('y') end)");
	st.nets[0].is_full = true;
	stage_line(&st, 0, ":a!u@h JOIN #t");
	stage_line(&st, 0, ":a!u@h PART #t");
	stage_expect(&st, "");
	assert_null(strstr(buf_str(&st.log).p, "sent"));
	stage_room(&st, 0);
	stage_expect(&st, "AWAY :x1\nAWAY :x1b\nraw y2\nraw y2b\n");
	stage_expect_log(&st, "sent");
	stage_end(&st);
}

static void a_line_that_breaks_waits_for_no_room(void **state)
{
	(void)state;
	begin("on('join', function() send('away', {message = 'x'}) end)\n"
	      "on('privmsg', function(ev) ev:reply('a\\nQUIT') end)");
	st.nets[0].is_full = true;
	stage_line(&st, 0, ":a!u@h JOIN #t");
	stage_line(&st, 0, ":a!u@h PRIVMSG #t :x");
	stage_expect_log(&st, "has a line break");
	stage_room(&st, 0);
	stage_expect(&st, "AWAY :x\n");
	stage_end(&st);
}

static void an_endless_filter_is_stopped(void **state)
{
	(void)state;
	begin("network():filter_in(function(line, next) while true do end end)\n"
	      "network():filter_out(function(line, next) next('X') pcall(function() while true do end end) end)\n" HEAR
	      "on('join', function() send('away', {message = 'x'}) log('went on') end)");
	stage_line(&st, 0, ":a!u@h JOIN #t");
	assert_non_null(strstr(buf_str(&st.log).p, "stopped: it ran for 0.1 s"));
	assert_non_null(strstr(buf_str(&st.log).p, "went on"));
	expect_heard("join :a!u@h JOIN #t\n");
	stage_expect(&st, "AWAY :x\n");
	stage_end(&st);
}

/* Else each line would hold up all networks. */
static void a_filter_that_was_stopped_is_over(void **state)
{
	(void)state;
	begin("f = network():filter_in(function(line, next) while true do end end)\n"
	      "network():filter_in(function(line, next) next(line .. '!') end)\n" HEAR);
	stage_line(&st, 0, ":a!u@h JOIN #t");
	stage_expect_log(&st, "error script test: filter_in: it was stopped, and is over");

	stage_line(&st, 0, ":a!u@h JOIN #u");

	assert_null(strstr(buf_str(&st.log).p, "stopped"));
	expect_heard("join :a!u@h JOIN #u!\n");
	assert_int_equal(st.nets[0].net->n_sieves[SIEVE_IN], 1);
	stage_end(&st);
}

static void errors_are_told_with_the_place_and_not_for_ever(void **state)
{
	(void)state;
	begin("network():filter_in(function() error('oops') end)");
	stage_line(&st, 0, ":a!u@h JOIN #t");
	stage_expect_log(&st, "error script test: filter_in: ");
	for (int i = 0; i < 2 * TROUBLE_TOLD; i++)
		stage_feed(&st, 0, ":a!u@h JOIN #t");
	stage_run(&st);
	const char *at = buf_str(&st.log).p;
	int n = 0;
	for (; (at = strstr(at, "test.lua:1: oops")); at++)
		n++;
	assert_int_equal(n, TROUBLE_TOLD - 1);
	buf_reset(&st.log);
	stage_pass(&st, 10);
	stage_expect_log(&st, "more errors");
	stage_end(&st);
}

static void next_is_over_with_its_filter(void **state)
{
	(void)state;
	begin("network():filter_in(function(line, next) kept = next next(line) end)\n"
	      "on('join', function() local ok, e = pcall(kept, 'x') log('heard ' .. e) end)");
	stage_line(&st, 0, ":a!u@h JOIN #t");
	expect_heard("next: the filter has returned\n");
	stage_end(&st);
}

static void filters_that_end_each_other_are_passed_over(void **state)
{
	(void)state;
	begin("local n, subs = network(), {}\n"
	      "for i = 1, 3 do\n"
	      "  subs[i] = n:filter_in(function(line, next)\n"
	      "    for k, s in ipairs(subs) do if k ~= i then s:off() end end\n"
	      "    n:filter_in(function(l, more) more(l .. 'new') end)\n"
	      "    next(line .. i) next(line) end)\n"
	      "end\n" HEAR);
	stage_line(&st, 0, ":a!u@h JOIN #");
	expect_heard("join :a!u@h JOIN #1\njoin :a!u@h JOIN #\n");
	stage_line(&st, 0, ":a!u@h JOIN #");
	expect_heard("join :a!u@h JOIN #1new\njoin :a!u@h JOIN #new\n");
	stage_end(&st);
}

static void one_that_ends_itself_lets_the_rest_of_its_lines_pass(void **state)
{
	(void)state;
	begin("local n = network()\n"
	      "n:filter_out(function(line, next) next(line) next(line) end)\n"
	      "local f f = n:filter_out(function(line, next) f:off() f = nil collectgarbage() next(line .. '!') end)\n"
	      "raw('a') raw('b')");
	stage_expect(&st, "raw a!\nraw a\nraw b\nraw b\n");
	stage_end(&st);
}

static void what_a_filter_sends_passes_none(void **state)
{
	(void)state;
	begin("local n = network()\n"
	      "n:filter_out(function(line, next) raw('from out') next(line .. '!') end)\n"
	      "n:filter_in(function(line, next) raw('from in') next(line) end)\n"
	      "on('join', function() raw('x') end)");
	stage_line(&st, 0, ":a!u@h JOIN #t");
	stage_expect(&st, "raw from in\nraw from out\nraw x!\n");
	stage_end(&st);
}

static void a_filter_is_for_its_network(void **state)
{
	(void)state;
	stage_begin(&st, 2);
	st.limits.trust = TRUST_FULL;
	load("test", "network('two'):filter_out(function(line, next) next(line .. '!') end)\n"
		     "network('two'):filter_in(function(line, next) end)\n" HEAR
		     "network('one'):raw('a') network('two'):raw('b')");
	stage_expect(&st, "raw a\ntwo: raw b!\n");
	buf_reset(&st.log);
	stage_line(&st, 0, ":a!u@h JOIN #t");
	stage_line(&st, 1, ":a!u@h JOIN #t");
	expect_heard("join :a!u@h JOIN #t\n");
	stage_end(&st);
}

static void a_reload_ends_the_filters_of_the_old_code(void **state)
{
	(void)state;
	begin("network():filter_out(function(line, next) next(line .. '-old') end)\n"
	      "network():filter_in(function(line, next) next(line .. '-old') end)\n" HEAR
	      "on('join', function() sleep(2) raw('late') end)");
	stage_line(&st, 0, ":a!u@h JOIN #t");
	expect_heard("join :a!u@h JOIN #t-old\n");

	/* The old code is asked until the new code has taken over, and no more by its own tasks. */
	assert_null(stage_reload(&st, "test",
		"network():filter_in(function(line, next) next(line .. '-new') end)\n" HEAR
		"sleep(0.5) network():filter_out(function(line, next) next(line .. '-new') end)"));
	stage_line(&st, 0, ":a!u@h PART #t");
	expect_heard("");
	stage_pass(&st, 1);
	assert_string_equal(stage_outcome(&st), "");
	expect_heard("part :a!u@h PART #t-old\n");
	stage_line(&st, 0, ":a!u@h PART #t");
	expect_heard("part :a!u@h PART #t-new\n");
	stage_pass(&st, 2);
	stage_expect(&st, "raw late-new\n");
	stage_end(&st);
}

static void a_refused_reload_leaves_the_filters(void **state)
{
	(void)state;
	begin("network():filter_in(function(line, next) next(line .. '-old') end)\n" HEAR);
	assert_string_not_equal(
		stage_reload(
			&st, "test", "network():filter_in(function(line, next) end) error('no')"),
		"");
	buf_reset(&st.log);
	stage_line(&st, 0, ":a!u@h PART #t");
	expect_heard("part :a!u@h PART #t-old\n");
	stage_end(&st);
}

static void a_script_has_so_many_filters(void **state)
{
	(void)state;
	char source[400];
	snprintf(source, sizeof(source),
		"local n, f = network()\n"
		"for i = 1, %d do f = n:filter_in(function(line, next) next(line) end) end\n"
		"local ok, e = pcall(n.filter_in, n, print)\n"
		"assert(not ok and e:find('filter_in: one has 64 already', 1, true), e)\n"
		"f:off() assert(n:filter_in(print)) assert(n:filter_out(print))\n"
		"assert(not pcall(n.filter_in, n, 'x')) assert(not pcall(n.filter_in, n))\n",
		SIEVES_MAX);
	begin(source);
	assert_string_equal(stage_reload(&st, "test", source), "");
	stage_end(&st);
}

static void a_filter_outlives_its_network_as_an_object(void **state)
{
	(void)state;
	stage_begin(&st, 2);
	st.limits.trust = TRUST_FULL;
	load("test", "f = network('two'):filter_in(print) g = network('two'):filter_out(print)\n"
		     "on('join', function() f:off() f:off() log('heard off') end)");
	stage_drop_net(&st);
	stage_line(&st, 0, ":a!u@h JOIN #t");
	expect_heard("off\n");
	stage_end(&st);
}

static void a_filter_runs_while_its_script_computes(void **state)
{
	(void)state;
	begin("network():filter_in(function(line, next) next(line .. '!') end)\n" HEAR
	      "on('join', function() local t = 0 for i = 1, 1e7 do t = t + i end log('heard done') end)");
	stage_feed(&st, 0, ":a!u@h JOIN #t");
	assert_true(host_has_held(&st.host));
	stage_feed(&st, 0, ":a!u@h PART #t");
	stage_run(&st);
	expect_heard("join :a!u@h JOIN #t!\ndone\npart :a!u@h PART #t!\n");
	stage_end(&st);
}

static void only_trusted_scripts_have_filters(void **state)
{
	(void)state;
	stage_begin(&st, 1);

	assert_false(stage_load(&st, "test", "network('one'):filter_in(function() end)"));
	assert_non_null(strstr(buf_str(&st.log).p, "filter_in: is for scripts with trust = full"));
	assert_false(stage_load(&st, "test2", "network('one'):filter_out(function() end)"));
	assert_non_null(strstr(buf_str(&st.log).p, "filter_out: is for scripts with trust = full"));

	stage_end(&st);
}

int main(void)
{
	struct check c = {0};
	check_test(&c, only_trusted_scripts_have_filters);
	check_rows(&c, way_rows, what_comes_passes_a_filter);
	check_rows(&c, way_rows, what_scripts_send_passes_a_filter);
	check_rows(&c, long_rows, a_message_in_several_lines_passes_a_filter_as_one);
	check_test(&c, every_way_to_send_passes_the_filters);
	check_test(&c, what_is_said_at_once_passes_the_filters_too);
	check_test(&c, filters_stand_in_the_order_of_the_scripts);
	check_test(&c, each_line_that_one_makes_passes_the_next);
	check_test(&c, lines_do_not_grow_without_bounds);
	check_test(&c, what_is_no_message_is_dropped);
	check_test(&c, a_line_that_is_made_is_ours_where_it_says_so);
	check_test(&c, what_waits_for_room_has_passed_the_filters_once);
	check_test(&c, a_line_that_breaks_waits_for_no_room);
	check_test(&c, an_endless_filter_is_stopped);
	check_test(&c, a_filter_that_was_stopped_is_over);
	check_test(&c, errors_are_told_with_the_place_and_not_for_ever);
	check_test(&c, next_is_over_with_its_filter);
	check_test(&c, filters_that_end_each_other_are_passed_over);
	check_test(&c, one_that_ends_itself_lets_the_rest_of_its_lines_pass);
	check_test(&c, what_a_filter_sends_passes_none);
	check_test(&c, a_filter_is_for_its_network);
	check_test(&c, a_reload_ends_the_filters_of_the_old_code);
	check_test(&c, a_refused_reload_leaves_the_filters);
	check_test(&c, a_script_has_so_many_filters);
	check_test(&c, a_filter_outlives_its_network_as_an_object);
	check_test(&c, a_filter_runs_while_its_script_computes);
	return check_run(&c, "sieve");
}
