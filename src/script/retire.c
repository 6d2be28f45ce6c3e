#include "script/retire.h"

#include "base/log.h"
#include "base/mem.h"
#include "script/alarm.h"
#include "script/cancel.h"
#include "script/carry.h"
#include "script/host.h"
#include "script/listen.h"
#include "script/program.h"
#include "script/sync.h"
#include "script/task.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HANDLERS_TOLD = 5, JOINS_DEEP = 10 };

#define DROP_NS (CANCEL_GRACE_NS + NS_PER_S)
#define STEP_NS 0

struct retirement {
	struct script *script;
	struct list node; /* the program's, the oldest first */
	const char *reason;
	struct timer end; /* of the drain, then of the grace */
	bool is_drained;
	struct saving saving; /* of the state at the end, to be compared */
	struct buf state;     /* owned: as the next generation got it */
	struct timer step;
	struct {
		const char *what, *site; /* interned */
	} ran[HANDLERS_TOLD];            /* handlers that ran since */
	size_t n_ran;
};

static const char unload_what[] = "on_unload";

const char *retire_reason(const struct script *s)
{
	return s->retirement ? s->retirement->reason : NULL;
}

void retire_forget(struct script *s)
{
	struct retirement *r = s->retirement;
	if (!r)
		return;
	timers_cancel(s->host->options.timers, &r->end);
	timers_cancel(s->host->options.timers, &r->step);
	list_remove(&r->node);
	saving_fini(&r->saving);
	buf_fini(&r->state);
	free(r);
	s->retirement = NULL;
}

/* The state at the end. */

void retire_note(struct retirement *r, const struct task *t)
{
	if (t->is_cancelled || t->what == unload_what)
		return;
	for (size_t i = 0; i < r->n_ran; i++)
		if (r->ran[i].what == t->what && r->ran[i].site == t->site)
			return;
	if (r->n_ran == HANDLERS_TOLD)
		return;
	r->ran[r->n_ran].what = t->what;
	r->ran[r->n_ran++].site = t->site;
}

static void tell_of_change(const struct retirement *r)
{
	char who[500] = "";
	size_t n = 0;
	for (size_t i = 0; i < r->n_ran && n < sizeof(who); i++)
		n += (size_t)snprintf(who + n, sizeof(who) - n, "%s%s%s%s", i ? ", or " : "",
			r->ran[i].what, r->ran[i].site ? " from " : "",
			r->ran[i].site ? r->ran[i].site : "");
	log_warn("script %s: `state` was changed by %s, in the old code after the reload: the new "
		 "code does not see that",
		r->script->name, who);
}

static bool is_same_state(const struct retirement *r)
{
	return str_eq(buf_str(&r->state), buf_str(&r->saving.bytes));
}

static void drop(struct script *s)
{
	struct program *p = s->program;
	script_free(s);
	program_dropped(p);
}

static void compare(struct timer *timer)
{
	struct retirement *r = container_of(timer, struct retirement, step);
	int n = saving_step(&r->saving, NULL);
	if (n > 0) {
		timers_after(r->script->host->options.timers, timer, STEP_NS);
		return;
	}
	if (n < 0 || !is_same_state(r))
		tell_of_change(r);
	drop(r->script);
}

static bool is_worth_comparing(const struct retirement *r)
{
	return r->n_ran && r->state.bytes && !r->script->is_over;
}

void retire_settle(struct script *s)
{
	struct retirement *r = s->retirement;
	if (s->n_tasks && !s->is_over)
		return; /* on_unload() came meanwhile */
	if (!is_worth_comparing(r) || saving_begin(&r->saving, s, NULL) < 0) {
		drop(s);
		return;
	}
	timers_cancel(s->host->options.timers, &r->end);
	timers_after(s->host->options.timers, &r->step, STEP_NS);
}

/* The tasks. */

/* Whether a handler is at work in t: it is one, or one waits for it in join. all() and race() see
 * to those that they started. */
static bool is_of_handler(const struct task *t, int depth)
{
	if (t->is_handler || t->is_awaited)
		return true;
	if (!t->promise || depth == JOINS_DEEP)
		return false;
	list_each (node, &t->promise->waiters)
		if (is_of_handler(container_of(node, struct waiter, node)->task, depth + 1))
			return true;
	return false;
}

/* Each that is cancelled may take others along, out of the list that is walked: it is turned, the
 * first to its end. One that is met twice is cancelled once. */
static void cancel_tasks(struct script *s, bool with_handlers)
{
	for (size_t n = s->n_tasks; n > 0 && !list_is_empty(&s->tasks); n--) {
		struct task *t = container_of(s->tasks.next, struct task, all);
		list_remove(&t->all);
		list_append(&s->tasks, &t->all);
		if (t->what != unload_what && (with_handlers || !is_of_handler(t, 0)))
			cancel_task(t);
	}
}

/* Handlers have had their time. */
static void end_drain(struct retirement *r)
{
	r->is_drained = true;
	timers_after(r->script->host->options.timers, &r->end, DROP_NS);
	cancel_tasks(r->script, true);
}

void retire_hurry(const struct list *retired)
{
	list_each (node, retired) {
		struct retirement *r = container_of(node, struct retirement, node);
		if (!r->is_drained && r->script->n_tasks)
			end_drain(r);
	}
}

static void on_end(struct timer *timer)
{
	struct retirement *r = container_of(timer, struct retirement, end);
	struct script *s = r->script;
	if (r->is_drained) {
		log_warn("script %s: %zu tasks of the old code do not end: dropped", s->name,
			s->n_tasks);
		drop(s);
		return;
	}
	end_drain(r);
}

static int make_unload_task(lua_State *L)
{
	struct script *s = lua_touserdata(L, 1);
	struct task *t = task_new(L, s, unload_what, NULL);
	lua_rawgeti(L, LUA_REGISTRYINDEX, s->on_unload_ref);
	lua_pushstring(L, s->retirement->reason);
	lua_xmove(L, t->T, 2);
	task_enqueue(t);
	return 0;
}

static void run_on_unload(struct script *s)
{
	struct err err;
	if (s->on_unload_ref == LUA_NOREF || vm_call(s->vm.L, make_unload_task, s, 0))
		return;
	vm_take_error(s->vm.L, &err);
	log_error("script %s: on_unload: not run: %s", s->name, err.text);
}

static struct script *oldest(const struct list *retired)
{
	return container_of(retired->next, struct retirement, node)->script;
}

void retire_drop_all(struct list *retired)
{
	while (!list_is_empty(retired))
		script_free(oldest(retired));
}

static void drop_oldest(struct program *p)
{
	size_t n = 0;
	list_each (node, &p->retired)
		n++;
	if (n <= RETIRED_MAX)
		return;
	struct script *s = oldest(&p->retired);
	log_warn("script %s: reloaded again and again: %zu tasks of old code are dropped", s->name,
		s->n_tasks);
	script_free(s);
}

void retire_begin(struct script *s, const char *reason, int64_t drain_ns, struct buf *state)
{
	struct retirement *r = s->retirement = mem_new(sizeof(*r));
	r->script = s;
	r->reason = reason;
	r->end.fire = on_end;
	r->step.fire = compare;
	if (state) {
		r->state = *state;
		*state = (struct buf){0};
	}
	list_append(&s->program->retired, &r->node);
	s->stage = SCRIPT_RETIRED;
	listen_retire(s);
	alarm_cancel_all(s);
	host_thaw(s);
	timers_after(s->host->options.timers, &r->end, drain_ns);
	cancel_tasks(s, false);
	if (drain_ns == 0)
		end_drain(r);
	run_on_unload(s);
	if (s->n_tasks == 0)
		host_settle(s);
	drop_oldest(s->program);
}
