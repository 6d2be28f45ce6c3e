#include "script/reload.h"

#include "base/log.h"
#include "base/mem.h"
#include "script/alarm.h"
#include "script/host.h"
#include "script/load.h"
#include "script/pending.h"
#include "script/program.h"
#include "script/retire.h"
#include "script/task.h"

#include <stdio.h>
#include <stdlib.h>

#define LOOK_NS NS_PER_MS /* how soon a script that computes is looked at again */

static struct script *old_of(const struct reload *r)
{
	return r->program->script;
}

static struct host *host_of(const struct reload *r)
{
	return r->program->host;
}

void reload_refuse(struct reload *r, const char *why)
{
	if (r->phase == RELOAD_SETTLES)
		return;
	r->phase = RELOAD_SETTLES;
	r->is_refused = true;
	r->why = mem_strdup(why);
	if (!r->candidate)
		return;
	r->candidate->is_over = r->candidate->is_held = true;
	host_settle(r->candidate);
}

/* The phases: 0: it is over; 1: it goes on later; else err says why it failed. */

static int wait_for_old(struct reload *r, struct err *err)
{
	struct script *old = old_of(r);
	if (!old->is_frozen)
		host_freeze(old);
	if (!old->is_frozen)
		return 1;
	timers_after(
		host_of(r)->options.timers, &r->deadline, host_of(r)->options.reload_timeout_ns);
	return saving_begin(&r->saving, old, err);
}

static int save(struct reload *r, struct err *err)
{
	int n = saving_step(&r->saving, err);
	if (n == 0)
		restoring_begin(&r->restoring, r->candidate, buf_str(&r->saving.bytes));
	return n;
}

static int restore(struct reload *r, struct err *err)
{
	return restoring_step(&r->restoring, err);
}

static int (*const phases[])(struct reload *r, struct err *err) = {
	[RELOAD_WAITS] = wait_for_old,
	[RELOAD_SAVES] = save,
	[RELOAD_RESTORES] = restore,
};

static void go_on(struct reload *r)
{
	struct err err;
	while (r->phase < RELOAD_RUNS) {
		int n = phases[r->phase](r, &err);
		if (n < 0)
			reload_refuse(r, err.text);
		if (r->phase == RELOAD_SETTLES)
			return; /* a script may also have come to its end by this */
		if (n > 0) {
			timers_after(host_of(r)->options.timers, &r->step,
				r->phase == RELOAD_WAITS ? LOOK_NS : 0);
			return;
		}
		r->phase++;
	}
	load_run(r->candidate);
}

static void on_step(struct timer *timer)
{
	struct reload *r = container_of(timer, struct reload, step);
	struct host *h = host_of(r);
	host_enter(h);
	go_on(r);
	host_leave(h);
}

static void write_why(const struct reload *r, char *out, size_t size)
{
	char where[PENDING_TEXT_BYTES];
	double seconds = (double)host_of(r)->options.reload_timeout_ns / NS_PER_S;
	const struct task *t = handles_get(&host_of(r)->handles, r->candidate->main);
	switch (r->phase) {
	case RELOAD_WAITS:
		snprintf(out, size, "the old code has been computing for %g s", seconds);
		return;
	case RELOAD_SAVES:
	case RELOAD_RESTORES:
		snprintf(out, size, "`state` is too large to be carried over in %g s", seconds);
		return;
	case RELOAD_RUNS:
	case RELOAD_SETTLES:
		break;
	}
	if (t)
		pending_describe(t, where, sizeof(where));
	snprintf(out, size,
		"its main chunk has not ended after %g s: spawn() what goes on for long (%s)",
		seconds, t ? where : "?");
}

static void on_deadline(struct timer *timer)
{
	struct reload *r = container_of(timer, struct reload, deadline);
	struct host *h = host_of(r);
	char why[PENDING_TEXT_BYTES + 200];
	write_why(r, why, sizeof(why));
	host_enter(h);
	reload_refuse(r, why);
	host_leave(h);
}

void reload_begin(struct reload *r, struct program *p, const struct script_options *options)
{
	struct err err;
	*r = (struct reload){.program = p, .step.fire = on_step, .deadline.fire = on_deadline};
	r->candidate = script_new(p->host, p, options);
	if (!r->candidate) {
		reload_refuse(r, "not enough memory");
		return;
	}
	r->candidate->stage = SCRIPT_CANDIDATE;
	if (load_prepare(r->candidate, &err) < 0) {
		reload_refuse(r, err.text);
		return;
	}
	timers_after(p->host->options.timers, &r->deadline, p->host->options.reload_timeout_ns);
	go_on(r);
}

void reload_loaded(struct reload *r)
{
	struct script *s = r->candidate;
	s->is_loading = false;
	if (s->has_failed) {
		reload_refuse(r, s->failure);
		return;
	}
	if (r->phase == RELOAD_SETTLES)
		return;
	r->phase = RELOAD_SETTLES;
	host_freeze(s);
	host_settle(s);
}

static void refuse(struct reload *r)
{
	struct script *old = old_of(r);
	if (old && (old->is_frozen || old->is_to_freeze))
		host_thaw(old);
	script_free(r->candidate);
	r->candidate = NULL;
}

static void commit(struct reload *r)
{
	struct program *p = r->program;
	struct script *old = p->script, *s = r->candidate;
	r->candidate = NULL;
	s->stage = SCRIPT_CURRENT;
	p->script = s;
	program_place(p);
	alarm_inherit(s, old);
	inbox_share(&s->inbox, &old->inbox, p->host->queued); /* what it has started comes first */
	retire_begin(old, "reload", p->host->options.reload_drain_ns, &r->saving.bytes);
	host_thaw(s);
}

struct script *reload_settle(struct reload *r)
{
	timers_cancel(host_of(r)->options.timers, &r->step);
	timers_cancel(host_of(r)->options.timers, &r->deadline);
	saving_end(&r->saving);
	if (r->is_refused) {
		refuse(r);
		return NULL;
	}
	commit(r);
	return r->program->script;
}

void reload_fini(struct reload *r)
{
	timers_cancel(host_of(r)->options.timers, &r->step);
	timers_cancel(host_of(r)->options.timers, &r->deadline);
	saving_fini(&r->saving);
	script_free(r->candidate);
	free(r->why);
}
