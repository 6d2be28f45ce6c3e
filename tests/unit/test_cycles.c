#include "script/program.h"
#include "script/slice.h"
#include "script/task.h"
#include "support/peer.h"
#include "support/stage.h"

#include "base/rand.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Scripts that are loaded and ended, again and again, with all that they can have under way. */

enum { CYCLES = 10000, CYCLES_SLOW = 300, CYCLES_WARM = 100, KB_MORE = 1024 };

static const char source[] =
	"local q, l, f = queue(1), lock(), future()\n"
	"on('privmsg', { match = '^(%w+)' }, function(ev, word) ev:reply(word) sleep(50) end)\n"
	"on('*', { mine = 'any' }, function(ev) return ev:copy() end)\n"
	"once('join', function() end)\n"
	"on('privmsg', function(ev) return ev.message == 'x' end, function() wait('part') end)\n"
	"local off = on('quit', print) off:off()\n"
	"on('own', function(ev) local t = ev.list sleep(9) return t end)\n"
	"after(0.1, function() sleep(100) end)\n"
	"after(1000, print, {}, 'an argument')\n"
	"every(0.1, function() l:with(sleep, 0.01) end)\n"
	"cron('* * * * *', print)\n"
	"spawn(function() for ev in events({ 'privmsg', 'notice' }, { buffer = 2 }) do f:wait(9) end end)\n"
	"spawn(function() for ev in events('privmsg') do end end)\n"
	"spawn(function() local e = events('privmsg') sleep(100) end)\n"
	"spawn(function() wait('privmsg', { nick = 'nobody' }) end)\n"
	"spawn(function() wait_all({ 'join', 'part', 'privmsg' }, 100) end)\n"
	"spawn(function() f:wait() end)\n"
	"spawn(function() q:push(1) q:push(2) end)\n"
	"local empty = queue()\n"
	"for i = 1, 5 do spawn(empty.pop, empty, 100) end\n"
	"spawn(function() l:with(function() for i in coroutine.wrap(function()\n"
	"  sleep(0.5) coroutine.yield(1) sleep(100) end) do end end) end)\n"
	"for i = 1, 3 do spawn(l.with, l, sleep, 1) end\n"
	"spawn(function() defer(print) timeout(100, function() shield(sleep, 200) end) end)\n"
	"spawn(function() all(function() sleep(1) end, function() race(function() sleep(50) end,\n"
	"  function() local c <close> = setmetatable({}, { __close = print }) wait('kick') end) end) end)\n"
	"local t = spawn(function() shield(sleep, 100) end) sleep(0) t:cancel()\n"
	"spawn(function() t:join() end)\n"
	"spawn(function() error('an error') end)\n"
	"spawn(function() network():flush() connect() end)\n"
	"trigger('own', { list = { 1, 2, 3 } })\n"
	"parked = coroutine.wrap(function() lock():with(coroutine.yield) end) parked()\n"
	"big = ('x'):rep(100000)\n";

static struct stage st;
static struct rand dice = {1};

static unsigned cycles(void)
{
#ifdef __SANITIZE_ADDRESS__
	return CYCLES_SLOW;
#else
	return getenv("VALGRIND") ? CYCLES_SLOW : CYCLES;
#endif
}

static long resident_kb(void)
{
	long all, resident;
	FILE *f = fopen("/proc/self/statm", "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%ld %ld", &all, &resident), 2);
	fclose(f);
	return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static void nothing_is_left(void)
{
	const struct net *n = st.nets[0].net;
	assert_true(list_is_empty(&st.host.scripts));
	assert_true(list_is_empty(&st.host.run));
	assert_true(list_is_empty(&st.host.behind));
	assert_true(list_is_empty(&n->senders));
	assert_true(list_is_empty(&n->flushers));
	assert_true(list_is_empty(&n->connectors));
	assert_int_equal(stage_handles(&st), st.n_nets);
	assert_int_equal(timers_next(&st.timers), -1);
	assert_int_equal(event_count(), st.n_events);
}

static void cycle(unsigned i)
{
	assert_true(stage_load(&st, "cycle", source));
	stage_line(&st, 0, ":a!u@h PRIVMSG #t :x");
	stage_pass(&st, 0.05 * (i % 10)); /* it is ended in the middle of this or that */
	stage_line(&st, 0, ":a!u@h PRIVMSG #t :y");
	st.nets[0].is_full = i % 3 == 0;
	slice_force(&dice, i % 4 ? 0 : 20); /* or while it computes */
	stage_feed(&st, 0, ":a!u@h PRIVMSG #t :z");
	for (unsigned turns = i % 40; turns > 0; turns--)
		host_run(&st.host);
	slice_force(NULL, 0);
	const struct script *s = container_of(st.host.scripts.next, struct script, node);
	assert_true(s->n_tasks > 20);
	program_free(container_of(st.host.programs.next, struct program, node));
	nothing_is_left();
	buf_reset(&st.sent);
	buf_reset(&st.log);
}

/* What the cycles add to the memory of the process, and to its descriptors. */
static void run_cycles(void (*run)(unsigned i), void (*end)(void))
{
	size_t n_files = count_fds();
	long kb = 0;
	for (unsigned i = 0; i < cycles(); i++) {
		run(i);
		if (i == CYCLES_WARM)
			kb = resident_kb();
	}
	long more = resident_kb() - kb;
	end();

	print_message("# %ld KB resident after %d cycles, %ld KB more after %u\n", kb, CYCLES_WARM,
		more, cycles());
	assert_int_equal(count_fds(), n_files);
	if (cycles() == CYCLES)
		assert_true(more <= KB_MORE);
}

static void end_stage(void)
{
	stage_end(&st);
}

static void nothing_is_left_of_scripts_that_were_ended(void **state)
{
	(void)state;
	stage_begin(&st, 1);
	run_cycles(cycle, end_stage);
}

/* The old generation goes in the middle of this or that; some are refused, some have to be waited
 * for. */
static void reload_cycle(unsigned i)
{
	static const char *const endings[] = {"", "state.n = (state.n or 0) + 1\n", "sleep(0.1)\n",
		"error('no')\n", "on_unload(function() sleep(1) end)\n",
		"on_reload(function(s) s.t = s.t or { s } end)\n", "syntax error\n"};
	char text[sizeof(source) + 100];
	snprintf(text, sizeof(text), "%s%s", source, endings[i % COUNTOF(endings)]);
	stage_line(&st, 0, ":a!u@h PRIVMSG #t :x");
	st.nets[0].is_full = i % 3 == 0;
	slice_force(&dice, i % 4 ? 0 : 20);
	stage_feed(&st, 0, ":a!u@h PRIVMSG #t :y");
	stage_reload(&st, "cycle", text);
	stage_feed(&st, 0, ":a!u@h PRIVMSG #t :z");
	stage_pass(&st, 0.2);
	slice_force(NULL, 0);
	stage_pass(&st, 0.05 * (i % 10));
	assert_non_null(stage_outcome(&st));
	assert_int_equal(*stage_outcome(&st) != '\0',
		i % COUNTOF(endings) == 3 || i % COUNTOF(endings) == 6);
	buf_reset(&st.sent);
	buf_reset(&st.log);
}

static size_t count_tasks(void)
{
	size_t n = 0;
	list_each (node, &st.host.scripts)
		n += container_of(node, struct script, node)->n_tasks;
	return n;
}

static void end_generations(void)
{
	size_t n_tasks = count_tasks();
	stage_pass(&st, 60);
	assert_ptr_equal(st.host.scripts.next->next, &st.host.scripts); /* no other generation */
	assert_true(count_tasks() < n_tasks);
	program_free(container_of(st.host.programs.next, struct program, node));
	nothing_is_left();
	stage_end(&st);
}

static void nothing_is_left_of_generations_that_were_replaced(void **state)
{
	(void)state;
	stage_begin(&st, 1);
	assert_true(stage_load(&st, "cycle", source));
	run_cycles(reload_cycle, end_generations);
}

int main(void)
{
	struct check c = {0};
	check_test(&c, nothing_is_left_of_scripts_that_were_ended);
	check_test(&c, nothing_is_left_of_generations_that_were_replaced);
	return check_run(&c, "cycles");
}
