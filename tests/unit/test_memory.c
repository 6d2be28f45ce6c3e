#include "script/alarm.h"
#include "script/listen.h"
#include "script/program.h"
#include "script/slice.h"
#include "script/task.h"
#include "support/stage.h"

#include <lauxlib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Memory that runs out: a script that uses every name there is meets a refusal at each of its
 * requests in turn. Whatever becomes of it, nothing of it stays behind, and the script beside it
 * answers every line.
 *
 * K=n runs the n-th request alone, K_STEP=n each n-th; SHOW=1 shows the log.
 */

#define SOURCE "tests/unit/every_name.lua"

static const char *const folders[] = {"tests/unit"}; /* of modules */

static const char healthy[] = "on('privmsg', { match = '^b (%d+)' }, function(ev, n)\n"
			      "  ev:reply('b' .. n)\n"
			      "end)\n"
			      "every(1, function() sleep(0.5) end)\n";

enum { SLICED_STEP = 11 };

static struct stage st;
static struct buf source;
static uint64_t k; /* that is being refused */
static bool is_only_one;
static unsigned sliced; /* after up to so many instructions; 0: not */

static void tell_of_abort(int signum)
{
	static char text[100];
	int n = snprintf(text, sizeof(text), "# aborted at K=%llu (%s)\n", (unsigned long long)k,
		is_only_one ? "only that" : "all from there on");
	(void)!write(2, text, (size_t)n);
	signal(signum, SIG_DFL);
	raise(signum);
}

#define broken(...)                                                                           \
	do {                                                                                  \
		print_error("K=%llu, %s: log:\n%s", (unsigned long long)k,                    \
			is_only_one ? "only that" : "all from there on", buf_str(&st.log).p); \
		fail_msg(__VA_ARGS__);                                                        \
	} while (0)

/* What has to hold between two runs of the host. */

static size_t count(const struct list *list)
{
	size_t n = 0;
	list_each (node, list)
		n++;
	return n;
}

static size_t check_task(const struct script *s, const struct task *t)
{
	switch (t->state) {
	case TASK_RUNNABLE:
		if (!list_is_linked(&t->run) && s->sliced != t)
			broken("%s: runnable, and in no queue", t->what);
		break;
	case TASK_PAUSED:
		if (!t->wait && !timer_is_set(&t->timer))
			broken("%s: paused, and waits for nothing", t->what);
		break;
	case TASK_RUNNING:
		broken("%s: it runs", t->what);
	}
	return count(&t->waits);
}

static void check_script(const struct script *s)
{
	size_t n_waits = 0;
	list_each (node, &s->tasks)
		n_waits += check_task(s, container_of(node, struct task, all));
	if (s->n_tasks != count(&s->tasks) || s->n_pool != count(&s->pool) ||
		s->n_threads != s->n_tasks + s->n_pool)
		broken("%s: %zu tasks, %zu idle, %zu threads, that is miscounted", s->name,
			s->n_tasks, s->n_pool, s->n_threads);
	if (s->n_alarms != count(&s->alarms))
		broken("%s: alarms are miscounted", s->name);
	if (s->n_listeners != count(&s->listeners) + n_waits)
		broken("%s: %zu listeners, that is miscounted", s->name, s->n_listeners);
}

static void check_all(void)
{
	list_each (node, &st.host.scripts)
		check_script(container_of(node, struct script, node));
	if (st.host.current || st.host.is_running)
		broken("the host believes that something runs");
}

/* The same for all. */

static unsigned n_lines;

static void ask_the_other(void)
{
	char line[100], expected[100];
	snprintf(line, sizeof(line), ":x!u@h PRIVMSG #t :b %u", ++n_lines);
	snprintf(expected, sizeof(expected), "PRIVMSG #t :b%u\n", n_lines);
	stage_line(&st, 0, line);
	if (!strstr(buf_str(&st.sent).p, expected))
		broken("the other script did not answer line %u", n_lines);
	buf_reset(&st.sent);
}

static void line(const char *text)
{
	stage_line(&st, 0, text);
	check_all();
	if (st.nets[0].is_connected && !st.nets[0].is_full)
		ask_the_other();
	check_all();
}

static void pass(double seconds)
{
	stage_pass(&st, seconds);
	check_all();
}

static void drive(void)
{
	pass(0.005);
	line(":s 005 ebb NETWORK=Net CHANTYPES=#& PREFIX=(ov)@+ CASEMAPPING=rfc1459 :are");
	line("@+draft/reply=1;account=acc;msgid=m\\:1;time=2024-01-01T00:00:00.000Z "
	     ":a!u@h PRIVMSG #t :count 1 one");
	line(":a!u@h PRIVMSG #t :ask");
	line(":a!u@h PRIVMSG #t :confirm");
	line(":a!u@h NICK aa");
	line(":aa!u@h PRIVMSG #t :an answer");
	line(":aa!u@h PRIVMSG #t :yes");
	line(":ebb!u@h JOIN #t");
	line(":s 353 ebb = #t :ebb @a +b c");
	line(":c!u@h PART #t");
	line(":a!u@h MODE #t +ov-b x y *!*@*");
	line(":a!u@h TOPIC #t :a topic");
	line(":ebb!u@h PRIVMSG #t :count 2 two");
	line(":a!u@h NOTICE #t :notice");
	line(":a!u@h PRIVMSG #t :send");
	line(":a!u@h PRIVMSG #t :query");
	line(":s 311 ebb bob u h * :Bob");
	line(":s 319 ebb bob :@#a #b");
	line(":s 318 ebb bob :end");
	line(":s 367 ebb #t *!*@x a 1");
	line(":s 368 ebb #t :end");
	line(":s 401 ebb eve :No such nick");
	line(":s 318 ebb eve :end");
	pass(1);
	st.nets[0].is_full = true;
	line(":a!u@h PRIVMSG #t :fill");
	pass(1);
	stage_room(&st, 0);
	line(":a!u@h PRIVMSG #t :count 3 three");
	stage_lose(&st, 0, ERR_CLOSED, "lost");
	pass(1);
	stage_connect(&st, 0);
	line(":a!u@h PRIVMSG #t :leave");
	stage_lose(&st, 0, ERR_REQUESTED, "as asked");
	pass(0.1);
	stage_connect(&st, 0);
	line(":a!u@h QUIT :gone");
	stage_lose(&st, 1, ERR_CLOSED, "lost");
	pass(1);
	stage_connect(&st, 1);
	pass(80);
	line(":a!u@h PRIVMSG #t :count 4 four");
}

static size_t count_files(void)
{
	size_t n = 0;
	for (int fd = 0; fd < 256; fd++)
		n += lseek(fd, 0, SEEK_CUR) >= 0;
	return n;
}

static void end_scripts(void)
{
	list_each_safe (node, &st.host.programs)
		program_free(container_of(node, struct program, node));
	stage_drop_made(&st);
	for (size_t i = 0; i < st.n_nets; i++) {
		const struct net *n = st.nets[i].net;
		if (!list_is_empty(&n->connectors) || !list_is_empty(&n->followers) ||
			!list_is_empty(&n->closers) || !list_is_empty(&n->senders) ||
			!list_is_empty(&n->flushers) || !list_is_empty(&n->askers))
			broken("somebody waits for network %zu", i);
	}
	if (!list_is_empty(&st.host.run) || !list_is_empty(&st.host.behind) ||
		!list_is_empty(&st.host.settling))
		broken("something is to run");
	stage_pass(&st, 0); /* memory goes back in steps */
	if (stage_handles(&st) != st.n_nets)
		broken("%zu handles are left", stage_handles(&st) - st.n_nets);
	if (timers_next(&st.timers) >= 0)
		broken("a deadline is left");
	if (event_count() != st.n_events)
		broken("%zu events are left", event_count() - st.n_events);
}

/* Returns how many requests there were, where the script is there at the end. */
static uint64_t run_with(uint64_t fail_at, bool only_that)
{
	uint64_t n = 0;
	size_t n_files = count_files();
	k = fail_at;
	is_only_one = only_that;
	n_lines = 0;
	stage_begin(&st, 2);
	/* what is refused is asked for again, when all that can be was collected */
	st.limits = (struct script_limits){
		.trust = TRUST_FULL, .fail_at = fail_at, .fail_n = only_that ? 2 : 0};
	struct rand rand = {fail_at};
	slice_force(&rand, sliced);
	st.lib_folders = folders;
	st.n_lib_folders = COUNTOF(folders);
	bool is_loaded = stage_load(&st, "every", buf_str(&source).p);
	st.limits = (struct script_limits){0};
	st.n_lib_folders = 0;
	assert_true(stage_load(&st, "healthy", healthy));
	drive();
	const struct script *s = container_of(st.host.scripts.next, struct script, node);
	slice_force(NULL, 0);
	if (is_loaded && !list_is_empty(&st.host.scripts) && strcmp(s->name, "every") == 0)
		n = s->vm.arena.n_grown;
	if (getenv("SHOW"))
		fprintf(stderr, "%s", buf_str(&st.log).p);
	end_scripts();
	stage_end(&st);
	assert_int_equal(count_files(), n_files);
	return n;
}

static uint64_t number(const char *name, uint64_t standard)
{
	const char *value = getenv(name);
	return value ? strtoull(value, NULL, 10) : standard;
}

static uint64_t step(void)
{
#ifdef __SANITIZE_ADDRESS__
	return number("K_STEP", 5);
#else
	return number("K_STEP", getenv("VALGRIND") ? 53 : 1);
#endif
}

static void run_for_each(bool only_that, uint64_t times)
{
	uint64_t n = run_with(0, only_that), only = number("K", 0), by = step() * times;
	assert_true(n > 1000);
	if (only) {
		run_with(only, only_that);
		return;
	}
	uint64_t first = 1 + (uint64_t)getpid() % by;
	print_message("# %llu requests, each %llu. refused from the %llu. on\n",
		(unsigned long long)n, (unsigned long long)by, (unsigned long long)first);
	for (uint64_t i = first; i <= n; i += by)
		run_with(i, only_that);
}

static void nothing_is_left_when_all_is_refused_from_some_moment_on(void **state)
{
	(void)state;
	signal(SIGABRT, tell_of_abort);
	run_for_each(false, 1);
}

static void nothing_is_left_when_one_request_is_refused(void **state)
{
	(void)state;
	signal(SIGABRT, tell_of_abort);
	run_for_each(true, 1);
}

static void nothing_is_left_when_it_is_sliced_too(void **state)
{
	(void)state;
	signal(SIGABRT, tell_of_abort);
	sliced = 50;
	run_for_each(false, SLICED_STEP);
	run_for_each(true, SLICED_STEP);
	sliced = 0;
}

/* Every name. */

static bool is_in_source(const char *name)
{
	struct str rest = buf_str(&source);
	while (rest.n) {
		struct str word = str_word(&rest, " \t\n.:,;(){}[]=\"'<>#+-*/~^%!?");
		if (str_eq(word, str_of(name)))
			return true;
	}
	return false;
}

static unsigned n_missing;

static void look_for(const char *what, const char *name)
{
	if (is_in_source(name))
		return;
	n_missing++;
	print_error("%s%s is not in " SOURCE "\n", what, name);
}

/* The keys of the table on top, which goes; of what is below in tables of functions as well. */
static void look_for_keys(lua_State *L, const char *what, bool is_deep)
{
	luaL_checkstack(L, 5, NULL);
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
		if (lua_type(L, -2) != LUA_TSTRING)
			continue;
		const char *name = lua_tostring(L, -2);
		look_for(what, name);
		if (is_deep && lua_istable(L, -1) && strcmp(name, "_G") != 0 &&
			strcmp(name, "config") != 0) {
			lua_pushvalue(L, -1);
			look_for_keys(L, name, false);
		}
	}
	lua_pop(L, 1);
}

static void every_name_is_in_the_scenario(void **state)
{
	static const char *const types[] = {"ebb.listener", "ebb.event", "ebb.network", "ebb.task",
		"ebb.future", "ebb.queue", "ebb.lock", "ebb.channel", "ebb.sieve"};
	const struct field *f;
	(void)state;
	stage_begin(&st, 1);
	st.limits.trust = TRUST_FULL;
	assert_true(stage_load(&st, "names", ""));
	lua_State *L = container_of(st.host.scripts.next, struct script, node)->vm.L;

	lua_pushglobaltable(L);
	look_for_keys(L, "", true);
	for (size_t i = 0; i < COUNTOF(types); i++) {
		luaL_getmetatable(L, types[i]);
		if (lua_getfield(L, -1, "__index") == LUA_TFUNCTION)
			lua_getupvalue(L, -1, 1);
		look_for_keys(L, types[i], false);
	}
	for (size_t i = 0; (f = field_at(EVENT_UNKNOWN, i)); i++)
		look_for("field ", field_name(f));
	lua_settop(L, 0);
	stage_end(&st);

	assert_int_equal(n_missing, 0);
}

int main(void)
{
	struct check c = {0};
	stage_read(&source, SOURCE);
	check_test(&c, every_name_is_in_the_scenario);
	check_test(&c, nothing_is_left_when_all_is_refused_from_some_moment_on);
	check_test(&c, nothing_is_left_when_one_request_is_refused);
	check_test(&c, nothing_is_left_when_it_is_sliced_too);
	int status = check_run(&c, "memory");
	buf_fini(&source);
	return status;
}
