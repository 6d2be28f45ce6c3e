#include "script/host.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "script/alarm.h"
#include "script/listen.h"
#include "script/net.h"
#include "script/program.h"
#include "script/slice.h"
#include "script/task.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define WALL_LOOK_NS (100 * NS_PER_MS) /* how soon a clock that was set is seen */

enum {
	STEPS_A_TURN = 5000, /* tasks that tasks made runnable, before the loop has its turn */
	STEPS_A_TICK = STEPS_A_TURN / SLICE_TICKS,
	EVENTS_A_TURN = 1000,
	OWN_NAMES_MAX = 4096, /* of events that only scripts know */
};

void host_init(struct host *h, const struct host_options *options)
{
	*h = (struct host){
		.options = *options, .start_ns = options->timers->now_ns, .wall_at_ns = -1};
	if (!options->reload_timeout_ns)
		h->options.reload_timeout_ns = HOST_RELOAD_TIMEOUT_NS;
	if (options->reload_drain_ns < 0)
		h->options.reload_drain_ns = HOST_RELOAD_DRAIN_NS;
	remains_init(&h->remains, options->timers);
	list_init(&h->programs);
	list_init(&h->scripts);
	list_init(&h->settling);
	list_init(&h->behind);
	list_init(&h->nets);
	list_init(&h->run);
	list_init(&h->events);
	list_init(&h->ended_sieves);
	taps_init(&h->taps);
	buf_init(&h->news, HOST_SCRATCH_MAX_BYTES);
	buf_init(&h->scratch, HOST_SCRATCH_MAX_BYTES);
}

void host_fini(struct host *h)
{
	list_each_safe (at, &h->programs)
		program_free(container_of(at, struct program, node));
	remains_fini(&h->remains);
	list_each_safe (node, &h->events) {
		list_remove(node);
		event_unref(event_of(node));
	}
	assert(list_is_empty(&h->nets));
	taps_fini(&h->taps);
	for (size_t i = 0; i < h->n_own; i++)
		free(h->own_names[i]);
	free(h->own_names);
	map_fini(&h->own_kinds);
	map_fini(&h->nets_by_name);
	handles_fini(&h->handles);
	buf_fini(&h->news);
	buf_fini(&h->scratch);
}

void host_stop(struct host *h)
{
	h->is_stopping = true;
}

/* Events. */

/* Any of those that were queued up to limit, and then any of the others. */
static struct task *any_task(const struct host *h, uint64_t limit)
{
	struct task *chosen = NULL;
	uint64_t n = 0;
	list_each (node, &h->run) {
		struct task *t = container_of(node, struct task, run);
		if (chosen && t->queued > limit && chosen->queued <= limit)
			break;
		if (rand_below(h->options.trial->rand, ++n) == 0)
			chosen = t;
	}
	return chosen;
}

static struct task *next_task(const struct host *h, uint64_t limit)
{
	if (h->options.trial && h->options.trial->shuffles)
		return any_task(h, limit);
	return container_of(h->run.next, struct task, run);
}

/* Runs all tasks that were queued up to limit; those that these make runnable as long as there are
 * steps left. So who was woken by one event is there for the next, and tasks that start tasks for
 * ever do not hold the others up. */
static void run_up_to(struct host *h, uint64_t limit, int *steps)
{
	while (!list_is_empty(&h->run)) {
		struct task *t = next_task(h, limit);
		if (t->script->is_held) {
			list_remove(&t->run);
			list_append(&t->script->held, &t->run);
			continue;
		}
		if (t->queued > limit && *steps <= 0)
			return;
		--*steps;
		task_run(t);
	}
}

static void run_tasks(struct host *h, int *steps)
{
	run_up_to(h, h->queued, steps);
}

/* Turns. */

void host_hold(struct script *s)
{
	struct host *h = s->host;
	s->is_held = true;
	if (list_is_linked(&s->behind) || s->is_over || (s->is_frozen && !s->sliced))
		return;
	list_append(&h->behind, &s->behind);
	if (!h->is_running)
		h->options.wanted(h->options.data);
}

static bool is_between_events(const struct script *s)
{
	return !s->sliced && !inbox_has_begun(&s->inbox);
}

void host_freeze(struct script *s)
{
	s->is_to_freeze = !is_between_events(s);
	if (s->is_to_freeze)
		return;
	s->is_frozen = s->is_held = true;
	list_remove(&s->behind);
}

static bool has_fallen_behind(const struct script *s)
{
	return s->sliced || !list_is_empty(&s->held) || !list_is_empty(&s->due) ||
	       !inbox_is_empty(&s->inbox);
}

void host_thaw(struct script *s)
{
	s->is_frozen = s->is_to_freeze = false;
	s->is_held = s->is_over;
	if (has_fallen_behind(s))
		host_hold(s);
}

void host_took(struct script *s, unsigned ticks)
{
	const struct host *h = s->host;
	int64_t now_ns = h->options.timers->now_ns;
	if (s->share_ns != now_ns)
		s->share = 0;
	s->share_ns = now_ns;
	s->share += ticks;
	s->steps -= (int)ticks * STEPS_A_TICK;
	if (s->share >= SLICE_TICKS && s->may_slice)
		host_hold(s);
}

static void overflow(struct script *s)
{
	char why[SLICE_TRACEBACK_BYTES + 100], where[SLICE_TRACEBACK_BYTES] = "";
	if (s->sliced)
		slice_task_traceback(s->sliced, where, sizeof(where));
	snprintf(why, sizeof(why),
		"it computes on and on, and more events came meanwhile than are kept%s%s",
		*where ? ", in\n" : "", where);
	program_fail(s, why);
}

/* A script that is frozen for long falls behind; it needs room to catch up. */
static bool is_left_behind(const struct script *s)
{
	return s->is_frozen && inbox_is_half_full(&s->inbox);
}

/* Delivers e to s, from where its delivery stands. */
static void go_on(struct script *s, struct event **e, struct delivery *d)
{
	struct net *n;
	if (!listen_deliver(s, e, d)) {
		inbox_put_back(&s->inbox, e, d, s->host->queued);
		return;
	}
	n = (*e)->is_line ? NULL : handles_get(&s->host->handles, (*e)->net);
	if (n)
		net_delivered(n, *e, s);
}

static void deliver_to(struct script *s, struct event **e)
{
	struct delivery d = {0};
	if (!s->is_held) {
		go_on(s, e, &d);
		return;
	}
	if (is_left_behind(s))
		program_refuse_reload(s->program, "more events came meanwhile than are kept");
	if (!s->is_over && inbox_add(&s->inbox, e, s->host->queued) < 0)
		overflow(s);
}

static void deliver(struct host *h, struct event **e, int *steps)
{
	if (taps_want(&h->taps, *e))
		taps_tell(&h->taps, e);
	list_each (node, &h->scripts) {
		struct script *s = container_of(node, struct script, node);
		if (script_hears(s, (*e)->net_name))
			deliver_to(s, e);
	}
	run_tasks(h, steps);
}

void host_end_waits(struct host *h, struct handle net)
{
	list_each (node, &h->scripts) {
		struct script *s = container_of(node, struct script, node);
		if (!s->is_held)
			listen_end_waits(s, net, h->order);
		else if (!s->is_over && inbox_add_end(&s->inbox, net, h->queued) < 0)
			overflow(s);
	}
}

static void deliver_from_inbox(struct script *s)
{
	struct event *e;
	struct delivery d;
	struct handle net;
	if (!inbox_take(&s->inbox, &e, &d, &net))
		return;
	if (!e) {
		listen_end_waits(s, net, s->host->order);
		return;
	}
	go_on(s, &e, &d);
	event_unref(e);
}

/* What was runnable when the script's next event came, and some of what came of it, as far as its
 * time goes. */
static void run_before_event(struct script *s)
{
	run_up_to(s->host, inbox_queued(&s->inbox, s->host->queued), &s->steps);
}

/* Alarms may take all of a turn: every other one is without. */
static void run_alarms(struct script *s)
{
	s->had_alarms = !s->had_alarms && !list_is_empty(&s->due);
	if (s->had_alarms)
		alarm_catch_up(s);
}

static void freeze_if_wanted(struct script *s)
{
	if (s->is_to_freeze)
		host_freeze(s);
}

/* Lets one script that is held go on: what was sliced, what is runnable, then its events. */
static void give_share(struct host *h)
{
	if (list_is_empty(&h->behind))
		return;
	struct script *s = container_of(h->behind.next, struct script, behind);
	list_remove(&s->behind);
	s->is_held = s->is_over || s->is_frozen;
	s->share = 0;
	if (s->sliced && !s->is_over) {
		struct task *t = s->sliced;
		s->sliced = NULL;
		task_run(t);
	}
	freeze_if_wanted(s);
	if (s->is_held)
		return;
	list_splice_front(&h->run, &s->held);
	run_before_event(s);
	run_alarms(s);
	while (!s->is_held && !inbox_is_empty(&s->inbox)) {
		deliver_from_inbox(s);
		s->steps = STEPS_A_TURN;
		run_before_event(s);
		freeze_if_wanted(s);
	}
	if (!list_is_empty(&s->due))
		host_hold(s);
}

void host_settle(struct script *s)
{
	struct host *h = s->host;
	if (!list_is_linked(&s->settling))
		list_append(&h->settling, &s->settling);
	h->options.wanted(h->options.data);
}

void host_enter(struct host *h)
{
	assert(!h->is_running);
	h->is_running = true;
}

void host_leave(struct host *h)
{
	while (!list_is_empty(&h->settling)) {
		struct script *s = container_of(h->settling.next, struct script, settling);
		list_remove(&s->settling);
		program_settle(s);
	}
	h->is_running = false;
	bool is_done =
		list_is_empty(&h->run) && list_is_empty(&h->events) && list_is_empty(&h->behind);
	if (!is_done)
		h->options.wanted(h->options.data);
	else if (h->wants_idle && h->options.idle)
		h->options.idle(h->options.data);
}

void host_settle_all(struct host *h)
{
	host_enter(h);
	host_leave(h);
}

static void queue_event(struct host *h, struct event *e)
{
	if (e->refs)
		event_ref(e);
	else
		event_hold(&e);
	list_append(&h->events, event_node(e));
	h->n_events++;
	h->events_bytes += event_size(e);
}

static void deliver_first(struct host *h, int *steps)
{
	struct event *e = event_of(h->events.next);
	list_remove(event_node(e));
	h->n_events--;
	h->events_bytes -= event_size(e);
	deliver(h, &e, steps);
	event_unref(e);
}

void host_run(struct host *h)
{
	int steps = STEPS_A_TURN;
	host_enter(h);
	run_tasks(h, &steps);
	for (int i = 0; i < EVENTS_A_TURN && !list_is_empty(&h->events); i++)
		deliver_first(h, &steps);
	host_leave(h);
}

bool host_has_held(const struct host *h)
{
	return !list_is_empty(&h->behind);
}

void host_share(struct host *h)
{
	host_enter(h);
	give_share(h);
	host_leave(h);
}

void host_post(struct host *h, struct event *e)
{
	e->number = ++h->event_number;
	queue_event(h, e);
	if (!h->is_running)
		h->options.wanted(h->options.data);
}

void host_event(struct host *h, struct event *e)
{
	if (!e->number)
		e->number = ++h->event_number;
	if (h->is_running) {
		queue_event(h, e);
		return;
	}
	if (!list_is_empty(&h->events) || !list_is_empty(&h->run)) {
		queue_event(h, e); /* a copy: what runs before it may overwrite what it borrows */
		host_run(h);
		return;
	}
	struct event *delivered = e;
	int steps = STEPS_A_TURN;
	host_enter(h);
	deliver(h, &delivered, &steps);
	if (delivered != e)
		event_unref(delivered);
	host_leave(h);
}

void host_idle(struct host *h)
{
	h->wants_idle = false;
	list_each (node, &h->scripts) {
		if (!script_collect(container_of(node, struct script, node)))
			continue;
		h->options.idle(h->options.data); /* one at a time */
		return;
	}
}

bool host_is_busy_since(const struct host *h, uint64_t made)
{
	if (!list_is_empty(&h->run) || !list_is_empty(&h->events) || !list_is_empty(&h->behind))
		return true;
	list_each (node, &h->scripts) {
		const struct script *s = container_of(node, struct script, node);
		list_each (at, &s->tasks)
			if (container_of(at, struct task, all)->number > made)
				return true;
		if (alarm_is_due_since(s, made))
			return true;
	}
	return false;
}

int64_t host_wall_ns(struct host *h)
{
	int64_t now_ns = h->options.timers->now_ns;
	if (h->wall_at_ns < 0 || now_ns - h->wall_at_ns >= WALL_LOOK_NS) {
		h->wall_offset_ns = clock_wall_ns(h->options.clock) - now_ns;
		h->wall_at_ns = now_ns;
	}
	return now_ns + h->wall_offset_ns;
}

/* Names. */

static char *lower_dup(struct str name)
{
	char *copy = str_dup(name);
	for (char *p = copy; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p + ('a' - 'A'));
	return copy;
}

static int own_kind(const struct host *h, struct str name)
{
	char *lower = lower_dup(name);
	int kind = (int)(intptr_t)map_get(&h->own_kinds, str_of(lower));
	free(lower);
	return kind ? kind : EVENT_UNKNOWN;
}

static int make_own_kind(struct host *h, struct str name)
{
	int kind = EVENT_KINDS + (int)h->n_own;
	h->own_names = mem_resize(h->own_names, h->n_own + 1, sizeof(*h->own_names));
	h->own_names[h->n_own] = lower_dup(name);
	map_put(&h->own_kinds, str_of(h->own_names[h->n_own++]), (void *)(intptr_t)kind);
	return kind;
}

size_t host_kinds(struct host *h, struct str name, int kinds[EVENT_NAME_KINDS_MAX])
{
	size_t n = event_kinds(name, kinds);
	if (n)
		return n;
	kinds[0] = own_kind(h, name);
	if (kinds[0] == EVENT_UNKNOWN) {
		if (h->n_own == OWN_NAMES_MAX || name.n > HOST_NAME_MAX_BYTES)
			return 0;
		kinds[0] = make_own_kind(h, name);
	}
	return 1;
}

int host_line_kind(const struct host *h, const struct message *m, int kind)
{
	return kind == EVENT_UNKNOWN && h->n_own ? own_kind(h, m->command) : kind;
}

const char *host_kind_name(const struct host *h, int kind)
{
	return kind < EVENT_KINDS ? event_name(kind) : h->own_names[kind - EVENT_KINDS];
}
