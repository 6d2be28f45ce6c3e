#include "script/program.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "script/host.h"
#include "script/modules.h"
#include "script/repeat.h"
#include "script/task.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_DELAY_NS NS_PER_S
#define FAILURES_NS    (NS_PER_S * 60 * 10)

static char *dup_or_null(const char *s)
{
	return s ? mem_strdup(s) : NULL;
}

static const char *const *copy_list(const char *const *list, size_t n)
{
	if (!list)
		return NULL;
	const char **copy = mem_new((n + 1) * sizeof(*copy));
	for (size_t i = 0; i < n; i++)
		copy[i] = mem_strdup(list[i]);
	return copy;
}

static void free_text(const char *s)
{
	free((char *)(uintptr_t)s);
}

static void free_list(const char *const *list, size_t n)
{
	for (size_t i = 0; list && i < n; i++)
		free_text(list[i]);
	free((void *)(uintptr_t)list);
}

typedef const char *pair[2];

static void copy_options(struct script_options *to, const struct script_options *from)
{
	pair *pairs = mem_new((from->n_pairs + 1) * sizeof(*pairs));
	*to = *from;
	to->name = mem_strdup(from->name);
	to->path = mem_strdup(from->path);
	to->source = dup_or_null(from->source);
	to->prelude = dup_or_null(from->prelude);
	to->networks = copy_list(from->networks, from->n_networks);
	for (size_t i = 0; i < from->n_pairs; i++)
		for (size_t k = 0; k < 2; k++)
			pairs[i][k] = mem_strdup(from->pairs[i][k]);
	to->pairs = (const char *const(*)[2])pairs;
	to->lib_folders = copy_list(from->lib_folders, from->n_lib_folders);
}

static void free_options(struct script_options *o)
{
	free_text(o->name);
	free_text(o->path);
	free_text(o->source);
	free_text(o->prelude);
	free_list(o->networks, o->n_networks);
	for (size_t i = 0; i < o->n_pairs; i++)
		for (size_t k = 0; k < 2; k++)
			free_text(o->pairs[i][k]);
	free((void *)(uintptr_t)o->pairs);
	free_list(o->lib_folders, o->n_lib_folders);
}

/* Loading. */

static int open_libraries(lua_State *L)
{
	const struct program *p = lua_touserdata(L, 1);
	const struct host_trial *trial = p->host->options.trial;
	modules_open(L);
	if (trial)
		repeat_open(L, rand_next(trial->rand));
	if (trial && trial->trial)
		lib_open_test(L);
	task_open(L);
	lua_createtable(L, 0, (int)p->options.n_pairs);
	for (size_t i = 0; i < p->options.n_pairs; i++) {
		lua_pushstring(L, p->options.pairs[i][1]);
		lua_setfield(L, -2, p->options.pairs[i][0]);
	}
	modules_export(L, "config");
	return 0;
}

static int run_prelude(lua_State *L)
{
	const struct program *p = lua_touserdata(L, 1);
	if (!p->options.prelude)
		return 0;
	if (!vm_load_text(L, p->options.prelude, "prelude"))
		return lua_error(L);
	lua_call(L, 0, 0);
	return 0;
}

static void on_main_chunk_ended(struct task *t, void *data)
{
	struct program *p = data;
	p->script->has_failed = t->failed;
	program_loaded(p->script);
}

/* The main chunk as a task: it may pause. */
static int make_main_task(lua_State *L)
{
	struct program *p = lua_touserdata(L, 1);
	const struct script_options *o = &p->options;
	if (!(o->source ? vm_load_text(L, o->source, o->name) : vm_load_file(L, o->path)))
		return lua_error(L);
	struct task *t = task_new(L, p->script, "main chunk", NULL);
	lua_xmove(L, t->T, 1);
	t->ended = on_main_chunk_ended;
	t->ended_data = p;
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

/* Up to its end or first pause; where it is sliced, that comes later. */
static void run_main_chunk(struct program *p)
{
	struct script *s = p->script;
	lua_State *L = s->vm.L;
	if (!vm_call(L, open_libraries, p, 0) || !vm_call(L, run_prelude, p, 0) ||
		!vm_call(L, make_main_task, p, 1)) {
		log_load_error(s);
		s->is_loading = false;
		s->has_failed = true;
		return;
	}
	struct task *t = lua_touserdata(L, -1);
	s->main = task_handle(t);
	lua_pop(L, 1);
	task_run(t);
}

void program_loaded(struct script *s)
{
	struct host *h = s->host;
	struct task *t = handles_get(&h->handles, s->main);
	if (t)
		t->ended = NULL; /* what it does from now on is its own affair */
	s->is_loading = false;
	if (s->is_over)
		return; /* program_fail told of it */
	if (s->has_failed) {
		log_error("script %s: not loaded", s->name);
		s->is_over = s->is_held = true;
		list_append(&h->failed, &s->program->failed);
	} else {
		log_info("script %s: loaded", s->name);
	}
	h->options.wanted(h->options.data);
}

/* Where the script of p belongs: scripts hear of events in the order of their programs. */
static void place(struct program *p)
{
	struct host *h = p->host;
	struct list *at = &h->scripts;
	for (struct list *node = p->node.next; node != &h->programs && at == &h->scripts;
		node = node->next) {
		const struct program *later = container_of(node, struct program, node);
		if (later->script)
			at = &later->script->node;
	}
	list_remove(&p->script->node);
	list_append(at, &p->script->node);
}

static void start(struct program *p)
{
	struct host *h = p->host;
	bool was_running = h->is_running;
	p->script = script_new(h, p, &p->options.limits);
	if (!p->script) {
		log_error("script %s: not loaded: not enough memory", p->options.name);
		return;
	}
	place(p);
	h->is_running = true;
	run_main_chunk(p);
	h->is_running = was_running;
	h->options.wanted(h->options.data); /* for what it has started, or where it is sliced */
	if (!p->script->has_failed && !p->script->is_over)
		return;
	list_remove(&p->failed);
	script_free(p->script);
	p->script = NULL;
}

/* Starting anew. */

static unsigned recent_failures(const struct program *p)
{
	unsigned n = 0;
	int64_t since_ns = p->host->options.timers->now_ns - FAILURES_NS;
	for (size_t i = 0; i < PROGRAM_FAILURES_MAX; i++)
		n += p->failures_ns[i] >= 0 && p->failures_ns[i] > since_ns;
	return n;
}

static void schedule(struct program *p)
{
	struct timers *timers = p->host->options.timers;
	unsigned n = recent_failures(p);
	if (n == PROGRAM_FAILURES_MAX) {
		log_error("script %s: failed %u times within ten minutes: it is disabled",
			p->options.name, n + 1);
		return;
	}
	p->failures_ns[p->n_failures++ % PROGRAM_FAILURES_MAX] = timers->now_ns;
	int64_t delay_ns = FIRST_DELAY_NS << n;
	log_warn("script %s: it is loaded anew in %d s", p->options.name,
		(int)(delay_ns / NS_PER_S));
	timers_after(timers, &p->restart, delay_ns);
}

static void on_restart(struct timer *timer)
{
	struct program *p = container_of(timer, struct program, restart);
	start(p);
	if (!p->script)
		schedule(p);
}

void program_fail(struct script *s, const char *why)
{
	struct program *p = s->program;
	if (s->is_over)
		return;
	s->is_over = s->is_held = true;
	log_error("script %s: ended: %s", s->name, why);
	list_append(&s->host->failed, &p->failed);
	s->host->options.wanted(s->host->options.data);
}

void program_drop_failed(struct program *p)
{
	bool is_new = p->script->has_failed && p->n_failures == 0;
	list_remove(&p->failed);
	script_free(p->script);
	p->script = NULL;
	if (!is_new)
		schedule(p);
}

int program_load(struct host *h, const struct script_options *options)
{
	struct program *p = mem_new(sizeof(*p));
	p->host = h;
	p->restart.fire = on_restart;
	list_init(&p->failed);
	for (size_t i = 0; i < PROGRAM_FAILURES_MAX; i++)
		p->failures_ns[i] = -1;
	copy_options(&p->options, options);
	list_append(&h->programs, &p->node);
	start(p);
	if (p->script)
		return 0;
	program_free(p);
	return ERR_INVALID;
}

void program_free(struct program *p)
{
	timers_cancel(p->host->options.timers, &p->restart);
	list_remove(&p->node);
	list_remove(&p->failed);
	script_free(p->script);
	free_options(&p->options);
	free(p);
}
