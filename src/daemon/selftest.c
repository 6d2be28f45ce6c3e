#include "daemon/selftest.h"

#include "base/log.h"
#include "base/mem.h"
#include "daemon/rehearsal.h"
#include "daemon/report.h"
#include "daemon/scripts.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum { REAL_LIMIT_S = 10, TEXT_MAX_BYTES = 256 * 1024 };

/* The first of January 2026, 00:00:00 UTC: a day like any other for who asks for the date. */
#define WALL_NS (1767225600 * NS_PER_S)

struct selftest {
	const struct selftest_options *o;
	uint64_t seed;
	struct virtual_clock clock;
	struct loop loop;
	struct rand rand;
	struct loop_signal on_alarm;
	int n, n_failed;
	struct run *run; /* NULL: none */
};

/* One test, in a state of its own. */
struct run {
	struct selftest *st;
	const char *path;
	struct rehearsal rehearsal;
	struct host_trial host_trial;
	struct trial trial;
	struct core core;
	struct timer limit;
	struct job quiet;
	bool is_hung;
	char *why; /* owned; NULL: it passed so far */
};

static void on_log(enum log_level level, struct str text, void *data)
{
	struct selftest *st = data;
	struct run *run = st->run;
	double at_s = run ? trial_seconds(&run->trial, st->loop.timers.now_ns) : 0;
	if (st->o->is_verbose)
		report_comment("%12.6f %" STR_F, at_s, STR_A(text));
	if (run && level < LOG_TRACE)
		trial_log(&run->trial, level, text);
}

/* Faults of a test; the first is why it failed. */

static void fail(struct run *run, const char *fmt, ...) PRINTF(2, 3);

static void fail(struct run *run, const char *fmt, ...)
{
	struct buf text;
	va_list ap;
	buf_init(&text, TEXT_MAX_BYTES);
	va_start(ap, fmt);
	int r = run->why ? buf_addf(&text, "%s\n", run->why) : 0;
	if (r == 0)
		r = buf_addv(&text, fmt, ap);
	va_end(ap);
	char *why =
		r == 0 ? buf_detach(&text) : mem_strdup("it failed, with a text that is too long");
	free(run->why);
	run->why = why;
	buf_fini(&text);
}

static void on_pending(void *data, const char *text)
{
	fail(data, "  %s", text);
}

static void on_left(void *data, const char *text)
{
	struct run *run = data;
	if (!run->why)
		fail(run, "left over when the test ended:");
	fail(run, "  %s", text);
}

static void hang(struct run *run, const char *what)
{
	run->is_hung = true;
	fail(run, "the test did not end within %s; what there is:", what);
	pending_each(&run->core.host, 0, false, on_pending, run);
	list_each (node, &run->trial.bots) {
		const struct trial_bot *b = container_of(node, struct trial_bot, node);
		if (b->made)
			pending_each(b->host, 0, false, on_pending, run);
	}
	loop_stop(&run->st->loop);
}

static void on_limit(struct timer *timer)
{
	struct run *run = container_of(timer, struct run, limit);
	char what[64];
	snprintf(what, sizeof(what), "its limit of %g virtual seconds",
		trial_seconds(&run->trial, timer->at_ns));
	hang(run, what);
}

/* In real time: tasks that never let the clock jump. */
static void on_alarm(struct loop_signal *watch)
{
	struct selftest *st = container_of(watch, struct selftest, on_alarm);
	char what[64];
	snprintf(what, sizeof(what), "%d real seconds", REAL_LIMIT_S);
	if (st->run && !st->run->is_hung)
		hang(st->run, what);
}

/* How long a test may take, in real time; 0: no test runs. */
static void limit_real_time(unsigned seconds)
{
	fflush(stdout);
	alarm(seconds);
}

/* A script's error that no test took note of. */
static void check_log(struct run *run)
{
	list_each (node, &run->trial.log) {
		const struct trial_entry *e = container_of(node, struct trial_entry, node);
		if (e->level == LOG_ERROR && !e->is_read) {
			fail(run, "an error was logged that the test does not take (t.logged):");
			fail(run, "  %s", e->text);
			return;
		}
	}
}

/* Running. */

static void on_test_ended(void *data, const char *why)
{
	struct run *run = data;
	if (why)
		fail(run, "%s", why);
	loop_stop(&run->st->loop);
}

static void on_quiet(struct job *job)
{
	loop_stop(&container_of(job, struct run, quiet)->st->loop);
}

/* Runs until nothing else can, at this moment of virtual time. */
static void run_until_quiet(struct run *run)
{
	loop_when_quiet(&run->st->loop, &run->quiet);
	loop_run(&run->st->loop);
	job_cancel(&run->quiet);
}

/* Everything is as it was for the test before: the seed, the date. */
static void begin(struct run *run, struct selftest *st, const char *path, const char *folder)
{
	*run = (struct run){.st = st, .path = path, .limit.fire = on_limit};
	limit_real_time(REAL_LIMIT_S);
	st->run = run;
	st->rand.state = st->seed;
	st->clock.wall_offset_ns = WALL_NS - st->clock.now_ns;
	job_init(&run->quiet, on_quiet);
	run->host_trial = (struct host_trial){.rand = &st->rand, .shuffles = st->o->shuffles};
	run->rehearsal = (struct rehearsal){&st->loop, folder, run->host_trial};
	run->host_trial.trial = &run->trial;
	trial_init(&run->trial, &st->loop, &st->rand, &rehearsal_ops, &run->rehearsal);
	struct core_options options = {.dial_rate = 1, .trial = &run->host_trial};
	core_init(&run->core, &st->loop, &options);
}

static void end(struct run *run)
{
	limit_real_time(0);
	timers_cancel(&run->st->loop.timers, &run->limit);
	trial_stop_all(&run->trial);
	core_fini(&run->core);
	run_until_quiet(run); /* what was connected is let go */
	run->st->run = NULL;
	trial_fini(&run->trial);
	free(run->why);
}

static bool load(struct run *run)
{
	char *name = scripts_name(run->path);
	struct script_paths libs = {0};
	scripts_find_test_libs(&libs, run->path);
	struct script_options options = {.name = name,
		.path = run->path,
		.lib_folders = (const char *const *)libs.items,
		.n_lib_folders = libs.n};
	bool ok = program_load(&run->core.host, &options) == 0;
	run->trial.is_closed = true;
	script_paths_fini(&libs);
	free(name);
	return ok;
}

static void run_test(struct run *run, const struct trial_test *test)
{
	uint64_t since = pending_now(&run->core.host);
	if (!trial_start(&run->trial, &run->core.host, test, on_test_ended, run)) {
		fail(run, "not enough memory");
		return;
	}
	timers_after(&run->st->loop.timers, &run->limit, test->limit_ns);
	loop_run(&run->st->loop);
	timers_cancel(&run->st->loop.timers, &run->limit);
	if (!run->is_hung)
		run_until_quiet(run);
	if (run->is_hung || run->why)
		return;
	pending_each(&run->core.host, since, true, on_left, run);
	trial_pending(&run->trial, on_left, run);
	check_log(run);
	if (run->trial.unasked && !run->why)
		fail(run, "%u times t.expect was called, and nothing expected of what it gave",
			run->trial.unasked);
}

static void report(struct run *run, const char *name)
{
	struct selftest *st = run->st;
	st->n++;
	st->n_failed += run->why != NULL;
	struct report r = {.number = st->n,
		.path = run->path,
		.name = name,
		.why = run->why,
		.trial = &run->trial,
		.seed = st->seed,
		.shuffles = st->o->shuffles};
	report_print(&r);
}

static bool is_wanted(struct run *run, const char *name)
{
	const char *pattern = run->st->o->filter;
	int found = pattern ? trial_matches(name, pattern) : 1;
	if (found < 0)
		fail(run, "--filter: '%s' is no pattern", pattern);
	return found != 0;
}

/* Runs test i of a file, and returns how many there are. */
static size_t run_one(struct selftest *st, const char *path, const char *folder, size_t i)
{
	struct run run;
	size_t n = 0;
	begin(&run, st, path, folder);
	if (!load(&run)) {
		fail(&run, "the file cannot be loaded");
		report(&run, "is loaded");
	} else if (!trial_is_defined(&run.core.host)) {
		fail(&run, "the file pauses: only its tests may");
		pending_each(&run.core.host, 0, false, on_pending, &run);
		report(&run, "defines its tests");
	} else if (i > 0 && i >= run.trial.n_tests) {
		fail(&run, "the file was changed while its tests ran");
		report(&run, "stays as it is");
	} else if (run.trial.n_tests == 0) {
		fail(&run, "the file defines no test: t.test(name, function)");
		report(&run, "has tests");
	} else {
		const struct trial_test *test = &run.trial.tests[i];
		n = run.trial.n_tests;
		if (is_wanted(&run, test->name)) {
			if (!run.why)
				run_test(&run, test);
			report(&run, test->name);
		}
	}
	end(&run);
	fflush(stdout);
	return n;
}

static void run_file(struct selftest *st, const char *path)
{
	char *folder = scripts_folder(path);
	for (size_t i = 0, n = 1; i < n; i++)
		n = run_one(st, path, folder, i);
	free(folder);
}

static bool find_tests(const struct selftest_options *o, struct script_paths *ps)
{
	bool ok = o->n_paths > 0 || scripts_find_tests(ps, ".");
	for (int i = 0; i < o->n_paths; i++) {
		if (scripts_find_tests(ps, o->paths[i]))
			continue;
		fprintf(stderr, "ebbd: --test: %s: cannot be read\n", o->paths[i]);
		ok = false;
	}
	if (ok && ps->n == 0)
		fprintf(stderr, "ebbd: --test: no file named *_test.lua\n");
	return ok && ps->n > 0;
}

static uint64_t make_seed(const struct selftest_options *o)
{
	uint32_t seed = 1;
	if (o->has_seed)
		return o->seed;
	ssize_t n = getrandom(&seed, sizeof(seed), 0);
	(void)n; /* any seed will do */
	return seed;
}

static void run_files(struct selftest *st, const struct script_paths *ps)
{
	virtual_clock_init(&st->clock, NS_PER_S, WALL_NS);
	loop_init(&st->loop, ev_default_loop(EVFLAG_AUTO), &st->clock.clock);
	st->on_alarm.run = on_alarm;
	loop_signal_start(&st->loop, &st->on_alarm, SIGALRM);
	log_set_level(st->o->is_verbose ? LOG_TRACE : LOG_DEBUG);
	log_set_sink(on_log, st);
	printf("TAP version 13\n# seed %llu\n", (unsigned long long)st->seed);
	for (size_t i = 0; i < ps->n; i++)
		run_file(st, ps->items[i]);
	printf("1..%d\n# %d tests, %d failed\n", st->n, st->n, st->n_failed);
	log_set_sink(NULL, NULL);
	loop_signal_stop(&st->loop, &st->on_alarm);
	loop_fini(&st->loop);
}

int selftest_run(const struct selftest_options *options)
{
	struct selftest st = {.o = options, .seed = make_seed(options)};
	struct script_paths ps = {0};
	bool ok = find_tests(options, &ps);
	setenv("TZ", "UTC", 1); /* the date is the same wherever the test runs */
	tzset();
	if (ok)
		run_files(&st, &ps);
	if (ok && st.n == 0)
		fprintf(stderr, "ebbd: --test: no test matches\n");
	script_paths_fini(&ps);
	return ok && st.n > 0 ? st.n_failed : ERR_INVALID;
}
