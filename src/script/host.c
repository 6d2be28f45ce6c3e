#include "script/host.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "script/alarm.h"
#include "script/listen.h"
#include "script/modules.h"
#include "script/net.h"
#include "script/repeat.h"
#include "script/task.h"
#include "script/trial.h"

#include <assert.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	STEPS_A_TURN = 5000, /* tasks that tasks made runnable, before the loop has its turn */
	EVENTS_A_TURN = 1000,
	OWN_NAMES_MAX = 4096, /* of events that only scripts know */
};

void host_init(struct host *h, const struct host_options *options)
{
	*h = (struct host){
		.options = *options, .start_ns = options->timers->now_ns, .wall_at_ns = -1};
	list_init(&h->scripts);
	list_init(&h->nets);
	list_init(&h->run);
	list_init(&h->events);
	buf_init(&h->scratch, HOST_SCRATCH_MAX_BYTES);
}

static void script_free(struct script *s)
{
	list_remove(&s->node);
	list_each_safe (node, &s->tasks)
		task_drop(container_of(node, struct task, all));
	listen_clear(s);
	alarm_clear(s);
	vm_fini(&s->vm);
	list_each_safe (node, &s->pool)
		free(container_of(node, struct task, all));
	map_fini(&s->names);
	for (size_t i = 0; i < s->n_networks; i++)
		free(s->networks[i]);
	free(s->networks);
	free(s->name);
	free(s->path);
	free(s);
}

void host_fini(struct host *h)
{
	list_each_safe (node, &h->scripts)
		script_free(container_of(node, struct script, node));
	list_each_safe (node, &h->events) {
		list_remove(node);
		event_unref(event_of(node));
	}
	assert(list_is_empty(&h->nets));
	for (size_t i = 0; i < h->n_own; i++)
		free(h->own_names[i]);
	free(h->own_names);
	map_fini(&h->own_kinds);
	handles_fini(&h->handles);
	buf_fini(&h->scratch);
}

void host_stop(struct host *h)
{
	h->is_stopping = true;
}

static struct script *script_new(struct host *h, const struct script_options *o)
{
	struct script *s = mem_new(sizeof(*s));
	s->host = h;
	s->name = mem_strdup(o->name);
	s->path = mem_strdup(o->path);
	s->limits = o->limits;
	s->networks = o->networks ? mem_new((o->n_networks + 1) * sizeof(char *)) : NULL;
	for (size_t i = 0; o->networks && i < o->n_networks; i++)
		s->networks[s->n_networks++] = mem_strdup(o->networks[i]);
	list_init(&s->tasks);
	list_init(&s->pool);
	list_init(&s->listeners);
	list_init(&s->dead);
	list_init(&s->alarms);
	list_append(&h->scripts, &s->node);
	return s;
}

/* What the protected calls of a load are given. */
struct load {
	struct script *s;
	const struct script_options *o;
	bool failed;
};

static int open_libraries(lua_State *L)
{
	const struct load *l = lua_touserdata(L, 1);
	const struct host_trial *trial = l->s->host->options.trial;
	modules_open(L);
	if (trial) {
		repeat_open(L, rand_next(trial->rand));
		trial_bound(L);
	}
	if (trial && trial->trial)
		lib_open_test(L);
	task_open(L);
	lua_createtable(L, 0, (int)l->o->n_pairs);
	for (size_t i = 0; i < l->o->n_pairs; i++) {
		lua_pushstring(L, l->o->pairs[i][1]);
		lua_setfield(L, -2, l->o->pairs[i][0]);
	}
	modules_export(L, "config");
	return 0;
}

static void on_main_chunk_ended(struct task *t, void *data)
{
	struct load *l = data;
	l->failed = t->failed;
}

static int run_prelude(lua_State *L)
{
	const struct load *l = lua_touserdata(L, 1);
	if (!l->o->prelude)
		return 0;
	if (!vm_load_text(L, l->o->prelude, "prelude"))
		return lua_error(L);
	lua_call(L, 0, 0);
	return 0;
}

/* The main chunk as a task: it may pause. */
static int make_main_task(lua_State *L)
{
	struct load *l = lua_touserdata(L, 1);
	if (!(l->o->source ? vm_load_text(L, l->o->source, l->s->path)
			   : vm_load_file(L, l->s->path)))
		return lua_error(L);
	struct task *t = task_new(L, l->s, "main chunk", NULL);
	lua_xmove(L, t->T, 1);
	t->ended = on_main_chunk_ended;
	t->ended_data = l;
	lua_pushlightuserdata(L, t);
	return 1;
}

static void log_load_error(const struct script *s)
{
	const char *text = lua_tostring(s->vm.L, -1);
	struct str rest = str_of(text ? text : "an error that is no text");
	struct str line = str_cut(&rest, '\n'); /* without the traceback */
	log_error("script %s: not loaded: %" STR_F, s->name, STR_A(line));
	lua_pop(s->vm.L, 1);
}

static bool run_main_chunk(struct load *l)
{
	lua_State *L = l->s->vm.L;
	if (!vm_call(L, open_libraries, l, 0) || !vm_call(L, run_prelude, l, 0) ||
		!vm_call(L, make_main_task, l, 1)) {
		log_load_error(l->s);
		return false;
	}
	struct task *t = lua_touserdata(L, -1);
	l->s->main = t->handle;
	lua_pop(L, 1);
	task_run(t);
	t = handles_get(&l->s->host->handles, l->s->main);
	if (t)
		t->ended = NULL; /* it paused; what it does later is its own affair */
	if (l->failed)
		log_error("script %s: not loaded", l->s->name);
	return !l->failed;
}

int host_load(struct host *h, const struct script_options *options)
{
	struct load l = {.s = script_new(h, options), .o = options};
	if (!vm_init(&l.s->vm)) {
		log_error("script %s: not loaded: not enough memory", options->name);
		script_free(l.s);
		return ERR_INVALID;
	}
	h->is_running = true;
	bool ok = run_main_chunk(&l);
	h->is_running = false;
	if (!ok) {
		script_free(l.s);
		return ERR_INVALID;
	}
	log_info("script %s: loaded", options->name);
	h->options.wanted(h->options.data);
	return 0;
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

/* Runs all tasks that are runnable now; those that these make runnable as long as there are steps
 * left. So who was woken by one event is there for the next, and tasks that start tasks for ever
 * do not hold the others up. */
static void run_tasks(struct host *h, int *steps)
{
	uint64_t limit = h->queued;
	while (!list_is_empty(&h->run)) {
		struct task *t = next_task(h, limit);
		if (t->queued > limit && *steps <= 0)
			return;
		--*steps;
		task_run(t);
	}
}

static void deliver(struct host *h, struct event **e, int *steps)
{
	list_each (node, &h->scripts) {
		struct script *s = container_of(node, struct script, node);
		if (script_hears(s, (*e)->net_name))
			listen_deliver(s, e);
	}
	struct net *n = handles_get(&h->handles, (*e)->net);
	if (n)
		net_delivered(n, *e);
	run_tasks(h, steps);
}

static void want_more(struct host *h)
{
	if (!list_is_empty(&h->run) || !list_is_empty(&h->events))
		h->options.wanted(h->options.data);
}

static void queue_event(struct host *h, struct event *e)
{
	if (e->refs)
		event_ref(e);
	else
		event_hold(&e);
	list_append(&h->events, event_node(e));
	h->n_events++;
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
	h->is_running = true;
	deliver(h, &delivered, &steps);
	h->is_running = false;
	if (delivered != e)
		event_unref(delivered);
	want_more(h);
}

static void deliver_first(struct host *h, int *steps)
{
	struct event *e = event_of(h->events.next);
	list_remove(event_node(e));
	h->n_events--;
	deliver(h, &e, steps);
	event_unref(e);
}

void host_run(struct host *h)
{
	assert(!h->is_running);
	int steps = STEPS_A_TURN;
	h->is_running = true;
	run_tasks(h, &steps);
	for (int i = 0; i < EVENTS_A_TURN && !list_is_empty(&h->events); i++)
		deliver_first(h, &steps);
	h->is_running = false;
	want_more(h);
}

bool host_is_busy_since(const struct host *h, uint64_t made)
{
	if (!list_is_empty(&h->run) || !list_is_empty(&h->events))
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
	if (h->wall_at_ns != now_ns)
		h->wall_ns = clock_wall_ns(h->options.clock);
	h->wall_at_ns = now_ns;
	return h->wall_ns;
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
		if (h->n_own == OWN_NAMES_MAX)
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

/* Scripts. */

struct script *script_of(lua_State *L)
{
	return container_of(vm_of(L), struct script, vm);
}

const char *script_intern(struct script *s, const char *text)
{
	return map_intern(&s->names, str_of(text));
}

const char *script_site(lua_State *L, int level)
{
	lua_Debug ar;
	char site[LUA_IDSIZE + 16];
	if (!lua_getstack(L, level, &ar) || !lua_getinfo(L, "Sl", &ar) || ar.currentline < 0)
		return NULL;
	snprintf(site, sizeof(site), "%s:%d", ar.short_src, ar.currentline);
	return script_intern(script_of(L), site);
}

bool script_hears(const struct script *s, struct str network)
{
	if (!s->networks || !network.p)
		return true;
	for (size_t i = 0; i < s->n_networks; i++)
		if (str_eq(str_of(s->networks[i]), network))
			return true;
	return false;
}
