#include "script/slice.h"

#include "base/log.h"
#include "base/mem.h"
#include "script/cancel.h"
#include "script/host.h"
#include "script/news.h"
#include "script/task.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LEVELS_SHOWN = 20 };

#define WARN_EVERY_NS (10 * NS_PER_S)

struct slice_run *volatile slice_now;

static struct {
	timer_t timer;
	bool exists;
	volatile bool is_ticking;
	volatile unsigned entries;
	unsigned seen; /* entries at the last tick that found no run */
	int64_t tick_ns;
} ticker = {.tick_ns = SLICE_TICK_NS};

static struct {
	struct rand *rand;
	unsigned most; /* 0: nothing is forced */
	uint64_t n;
} force;

static void set_timer(int64_t period_ns)
{
	const struct timespec t = {period_ns / NS_PER_S, period_ns % NS_PER_S};
	const struct itimerspec its = {t, t};
	ticker.is_ticking = period_ns != 0;
	timer_settime(ticker.timer, 0, &its, NULL);
}

void slice_set_tick(int64_t tick_ns)
{
	ticker.tick_ns = tick_ns;
	if (ticker.is_ticking)
		set_timer(tick_ns);
}

/* The call stack. */

static size_t write_level(lua_State *L, lua_Debug *ar, char *out, size_t size)
{
	int n;
	if (!lua_getinfo(L, "Sln", ar))
		return 0;
	if (ar->currentline < 0)
		n = snprintf(out, size, "\t%s: in %s\n", ar->short_src, ar->name ? ar->name : "?");
	else if (ar->name)
		n = snprintf(out, size, "\t%s:%d: in function %s\n", ar->short_src, ar->currentline,
			ar->name);
	else if (*ar->what == 'm')
		n = snprintf(
			out, size, "\t%s:%d: in the main chunk\n", ar->short_src, ar->currentline);
	else
		n = snprintf(out, size, "\t%s:%d: in the function of line %d\n", ar->short_src,
			ar->currentline, ar->linedefined);
	return n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;
}

static size_t write_thread(lua_State *L, int *levels, char *out, size_t size)
{
	lua_Debug ar;
	size_t n = 0;
	for (int i = 0; *levels > 0 && n + 1 < size && lua_getstack(L, i, &ar); i++, --*levels)
		n += write_level(L, &ar, out + n, size - n);
	return n;
}

static void end_traceback(char *out, size_t size, size_t n)
{
	if (n > 0 && n < size)
		n--; /* the last newline */
	out[n] = '\0';
}

void slice_traceback(const struct slice_run *r, char *out, size_t size)
{
	int levels = LEVELS_SHOWN;
	size_t n = write_thread(r->L, &levels, out, size);
	for (const struct slice_link *l = r->links; l; l = l->outer)
		n += write_thread(l->L, &levels, out + n, size - n);
	end_traceback(out, size, n);
}

void slice_task_traceback(const struct task *t, char *out, size_t size)
{
	int levels = LEVELS_SHOWN;
	size_t n = 0;
	for (unsigned i = 0; i < t->n_chain; i++)
		n += write_thread(t->chain[i], &levels, out + n, size - n);
	n += write_thread(t->T, &levels, out + n, size - n);
	end_traceback(out, size, n);
}

/* What runs, "on privmsg from karma.lua:3". */
static void write_what(const struct slice_run *r, char *out, size_t size)
{
	const struct task *t = r->task;
	snprintf(out, size, "%s%s%s", t ? t->what : "a call", t && t->site ? " from " : "",
		t && t->site ? t->site : "");
}

static unsigned ms_of(unsigned ticks)
{
	return ticks * (unsigned)(SLICE_TICK_NS / NS_PER_MS);
}

/* Whether it is long ago, and notes the time. */
static bool may_warn(const struct script *s, int64_t *last_ns)
{
	int64_t now_ns = s->host->options.timers->now_ns;
	if (*last_ns && now_ns - *last_ns < WARN_EVERY_NS && !script_is_debug(s))
		return false;
	*last_ns = now_ns;
	return true;
}

/* Deciding, in the hook. */

static void warn(struct slice_run *r, unsigned ticks)
{
	struct script *s = r->script;
	char what[200], traceback[SLICE_TRACEBACK_BYTES];
	r->is_warned = true;
	if (!may_warn(s, &s->warned_ns))
		return;
	write_what(r, what, sizeof(what));
	slice_traceback(r, traceback, sizeof(traceback));
	log_warn(
		"script %s: %s: blocked for %u ms, in\n%s", s->name, what, ms_of(ticks), traceback);
}

/* Once between two pauses. */
static void warn_in_time(struct slice_run *r, unsigned ticks)
{
	bool is_told = r->is_warned || r->used >= SLICE_WARN_TICKS;
	if (ticks >= SLICE_WARN_TICKS && !is_told)
		warn(r, ticks);
}

static void tell_of_stop(const struct slice_run *r, const char *why)
{
	char what[200], traceback[SLICE_TRACEBACK_BYTES], text[SLICE_TRACEBACK_BYTES + 500];
	write_what(r, what, sizeof(what));
	slice_traceback(r, traceback, sizeof(traceback));
	snprintf(text, sizeof(text), "%s: stopped: %s, in\n%s", what, why, traceback);
	log_error("script %s: %s", r->script->name, text);
	if (r->task && !r->task->is_told)
		news_error(r->script, "run", text);
}

static void on_hook(lua_State *L, lua_Debug *ar);

static void arm(lua_State *L, int count)
{
	lua_sethook(L, on_hook, LUA_MASKCOUNT, count);
}

static void disarm(lua_State *L)
{
	if (lua_gethook(L))
		lua_sethook(L, NULL, 0, 0);
}

/* From here on every instruction of L raises. */
static void raise_stop(lua_State *L, struct slice_run *r)
{
	r->is_stopping = true;
	arm(L, 1);
	cancel_raise(L);
}

static void stop(lua_State *L, struct slice_run *r, const char *why)
{
	if (!r->is_quiet)
		tell_of_stop(r, why);
	if (r->task)
		r->task->is_stopped = true;
	if (slice_may_yield(L)) {
		r->yield = YIELD_STOP;
		lua_yield(L, 0);
	} else {
		raise_stop(L, r);
	}
}

static bool is_denied_often(const struct slice_run *r)
{
	return r->script->vm.arena.n_denied - r->n_denied >= SLICE_DENIALS;
}

static void stop_for_time(lua_State *L, struct slice_run *r, unsigned ticks)
{
	char why[100];
	snprintf(why, sizeof(why), "it ran for %.1f s without a pause", ms_of(ticks) / 1000.);
	stop(L, r, why);
}

/* Where L cannot yield: until it can, a look at every thousandth instruction. */
static void bear_with(lua_State *L, struct slice_run *r)
{
	if (!r->blocked)
		r->blocked = r->ticks;
	if (r->ticks - r->blocked >= SLICE_BLOCK_TICKS)
		stop(L, r,
			"it ran for 0.1 s where it cannot pause (in a filter, or a function "
			"that C calls)");
	else
		arm(L, 1000);
}

static void on_hook(lua_State *L, lua_Debug *ar)
{
	struct slice_run *r = slice_now;
	(void)ar;
	lua_sethook(L, NULL, 0, 0);
	if (!r || r->L != L)
		return;
	r->stuck = 0;
	if (force.most && !r->is_quiet)
		r->ticks = SLICE_TICKS;
	unsigned ticks = r->used + r->ticks;
	if (r->is_stopping)
		raise_stop(L, r);
	else if (is_denied_often(r))
		stop(L, r, "there is no memory left to the script");
	else if (ticks >= r->budget)
		stop_for_time(L, r, ticks);
	else if (r->ticks >= SLICE_TICKS) {
		warn_in_time(r, ticks);
		if (!slice_may_yield(L)) {
			bear_with(L, r);
			return;
		}
		r->blocked = 0;
		if (!r->may_slice)
			return;
		r->yield = YIELD_SLICE;
		force.n++;
		lua_yield(L, 0);
	}
}

/* The tick, in the signal's handler: whatever it calls is safe there. */

static void tell_from_handler(const struct slice_run *r, enum log_level level, const char *why)
{
	char traceback[SLICE_TRACEBACK_BYTES], what[200], text[SLICE_TRACEBACK_BYTES + 400];
	write_what(r, what, sizeof(what));
	slice_traceback(r, traceback, sizeof(traceback));
	snprintf(text, sizeof(text), "script %s: %s: %s, in\n%s", r->script->name, what, why,
		traceback);
	log_from_signal(level, text);
}

static void end_process(const struct slice_run *r)
{
	tell_from_handler(r, LOG_ERROR, "a function does not come back: ebb ends");
	abort();
}

static void on_stuck(struct slice_run *r)
{
	if (r->stuck == SLICE_WARN_TICKS && may_warn(r->script, &r->script->stuck_ns))
		tell_from_handler(r, LOG_WARNING, "blocked for 50 ms in a function");
	if (r->stuck >= SLICE_ABORT_TICKS)
		end_process(r);
}

void slice_tick(void)
{
	struct slice_run *r = slice_now;
	if (!r) {
		if (ticker.entries == ticker.seen && ticker.is_ticking)
			set_timer(0);
		ticker.seen = ticker.entries;
		return;
	}
	r->ticks++;
	r->stuck++;
	/* Once: it walks the whole stack, which may take longer than a tick where that is deep. */
	bool is_armed = lua_gethook(r->L) && lua_gethookcount(r->L) == 1;
	if ((r->ticks >= SLICE_TICKS || r->is_quiet) && !is_armed)
		arm(r->L, 1);
	on_stuck(r);
}

static void on_signal(int signum)
{
	int saved = errno;
	(void)signum;
	slice_tick();
	errno = saved;
}

/* The thread is the one that runs the loop, which enters scripts. */
static void start_ticker(void)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN};
	event._sigev_un._tid = gettid();
	sigemptyset(&action.sa_mask);
	sigaction(SIGRTMIN, &action, NULL);
	ticker.exists = true;
	if (timer_create(CLOCK_MONOTONIC, &event, &ticker.timer) < 0) {
		log_error("ebbd: timer_create: %s: scripts are not watched", strerror(errno));
		ticker.is_ticking = true; /* as if it were */
	}
}

uint64_t slice_force(struct rand *rand, unsigned most)
{
	uint64_t n = force.n;
	force.rand = rand;
	force.most = most;
	force.n = 0;
	return n;
}

static void force_run(struct slice_run *r, lua_State *L)
{
	r->budget = UINT_MAX;
	r->is_warned = true;
	arm(L, 1 + (int)rand_below(force.rand, force.most));
}

void slice_enter(struct slice_run *r, struct script *s, struct task *t, lua_State *L)
{
	*r = (struct slice_run){.outer = slice_now,
		.script = s,
		.task = t,
		.L = L,
		.budget = s->cpu_ticks,
		.n_denied = s->vm.arena.n_denied,
		.may_slice = s->may_slice};
	slice_now = r;
	if (force.most)
		force_run(r, L);
	ticker.entries++;
	if (ticker.is_ticking)
		return;
	if (!ticker.exists)
		start_ticker();
	if (!ticker.is_ticking)
		set_timer(ticker.tick_ns);
}

void slice_leave(struct slice_run *r)
{
	slice_now = r->outer;
	disarm(r->L);
}

void slice_limit(struct slice_run *r, unsigned ticks)
{
	r->budget = ticks;
	r->is_quiet = true;
}

void slice_move(struct slice_run *r, lua_State *L)
{
	disarm(r->L);
	r->L = L;
	if (r->is_stopping)
		arm(L, 1);
}

void slice_link(struct slice_link *l, lua_State *L, lua_State *co)
{
	struct slice_run *r = slice_now;
	*l = (struct slice_link){.L = L};
	if (!r)
		return;
	l->outer = r->links;
	l->was_blocked = r->is_blocked;
	r->is_blocked = r->is_blocked || !lua_isyieldable(L);
	r->links = l;
	r->L = co;
	if (force.most && !r->is_quiet)
		force_run(r, co);
}

void slice_unlink(const struct slice_link *l, lua_State *co)
{
	struct slice_run *r = slice_now;
	disarm(co);
	if (!r)
		return;
	r->L = l->L;
	r->links = l->outer;
	r->is_blocked = l->was_blocked;
	if (r->is_stopping)
		arm(l->L, 1);
}

bool slice_is_stopping(void)
{
	const struct slice_run *r = slice_now;
	return r && r->is_stopping;
}

void slice_denied(void)
{
	const struct slice_run *r = slice_now;
	if (!r)
		return;
	if (!r->script->denied_at)
		r->script->denied_at = mem_new(SLICE_TRACEBACK_BYTES);
	slice_traceback(r, r->script->denied_at, SLICE_TRACEBACK_BYTES);
	if (is_denied_often(r))
		arm(r->L, 1);
}

bool slice_may_yield(lua_State *L)
{
	const struct slice_run *r = slice_now;
	return r && r->task && !r->is_blocked && lua_isyieldable(L);
}

bool slice_is_due(lua_State *L)
{
	const struct slice_run *r = slice_now;
	return r && r->ticks >= SLICE_TICKS && r->may_slice && slice_may_yield(L);
}

int slice_yield(lua_State *L, lua_KContext context, lua_KFunction k)
{
	struct slice_run *r = slice_now;
	unsigned ticks = r->used + r->ticks;
	if (ticks >= r->budget)
		stop_for_time(L, r, ticks); /* which yields for good */
	warn_in_time(r, ticks);
	r->yield = YIELD_SLICE;
	return lua_yieldk(L, 0, context, k);
}

void slice_set_yield(enum slice_yield yield)
{
	struct slice_run *r = slice_now;
	if (r)
		r->yield = yield;
}
