#include "script/script.h"

#include "base/log.h"
#include "base/mem.h"
#include "script/alarm.h"
#include "script/host.h"
#include "script/lint.h"
#include "script/net.h"
#include "script/program.h"
#include "script/resource.h"
#include "script/retire.h"
#include "script/slice.h"
#include "script/task.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MB (1024 * 1024)

enum {
	MEMORY_MAX_BYTES = 64 * MB,
	TASKS_MAX = 20000,
	ALARMS_MAX = 100000,
	LISTENERS_MAX = 20000,
	SPAWNS_MAX = 10000,
	INTERNED_MORE_BYTES = 64,    /* what keeping a text takes beside it */
	INCREMENTAL_THREADS = 20000, /* from so many on; below half of them no more */
	IDLE_GROWN = 4096            /* requests for memory that are worth a collection */
};

static const int64_t cpu_max_ns[] = {
	[TRUST_RESTRICTED] = NS_PER_S,
	[TRUST_FULL] = 5 * NS_PER_S,
};

/* A test's own script computes what it likes; its bots are held to what holds outside. */
static int64_t standard_cpu(const struct host *h, enum script_trust trust)
{
	const struct host_trial *trial = h->options.trial;
	return trial && trial->trial ? 2 * cpu_max_ns[TRUST_FULL] : cpu_max_ns[trust];
}

static void set_limits(struct script *s, const struct script_limits *limits)
{
	struct script_limits *l = &s->limits;
	*l = *limits;
	if (!l->memory_max_bytes)
		l->memory_max_bytes = MEMORY_MAX_BYTES;
	if (!l->cpu_max_ns)
		l->cpu_max_ns = standard_cpu(s->host, l->trust);
	if (!l->tasks_max)
		l->tasks_max = TASKS_MAX;
	if (!l->alarms_max)
		l->alarms_max = ALARMS_MAX;
	if (!l->listeners_max)
		l->listeners_max = LISTENERS_MAX;
	if (!l->spawns_max)
		l->spawns_max = SPAWNS_MAX;
	s->may_slice = !s->host->options.trial && !s->host->options.is_check;
	s->cpu_ticks = (unsigned)((l->cpu_max_ns + SLICE_TICK_NS - 1) / SLICE_TICK_NS);
}

struct script *script_new(struct host *h, struct program *p, const struct script_options *options)
{
	struct script *s = mem_new(sizeof(*s));
	s->host = h;
	s->program = p;
	script_options_copy(&s->options, options);
	s->name = s->options.name;
	s->hears_all = !options->networks;
	for (size_t i = 0; !s->hears_all && i < options->n_networks; i++)
		map_put(&s->heard, str_of(options->networks[i]), s);
	s->is_loading = true;
	s->spare_ref = s->on_reload_ref = s->on_unload_ref = LUA_NOREF;
	set_limits(s, &options->limits);
	trouble_init(&s->trouble, s);
	list_init(&s->node);
	list_init(&s->settling);
	list_init(&s->behind);
	list_init(&s->held);
	list_init(&s->due);
	inbox_init(&s->inbox);
	list_init(&s->tasks);
	list_init(&s->pool);
	list_init(&s->listeners);
	list_init(&s->dead);
	list_init(&s->ending);
	list_init(&s->alarms);
	list_init(&s->resources);
	require_init(&s->require, options->path, options->lib_folders, options->n_lib_folders);
	arena_init(&s->vm.arena, s->limits.memory_max_bytes);
	s->vm.arena.fail_at = s->limits.fail_at;
	s->vm.arena.fail_n = s->limits.fail_n;
	if (vm_init(&s->vm)) {
		script_choose_gc(s);
		lint_begin(s);
		return s;
	}
	script_free(s);
	return NULL;
}

void script_free(struct script *s)
{
	if (!s)
		return;
	lint_end(s);
	if (s->stage != SCRIPT_CANDIDATE)
		lint_pending(s);
	trouble_fini(&s->trouble);
	s->is_over = true;
	retire_forget(s);
	list_remove(&s->node);
	list_remove(&s->settling);
	list_remove(&s->behind);
	list_each_safe (node, &s->tasks)
		task_drop(container_of(node, struct task, all));
	list_each_safe (idle, &s->pool)
		task_free(container_of(idle, struct task, all));
	listen_clear(s);
	alarm_clear(s);
	resources_release(&s->resources);
	inbox_fini(&s->inbox);
	require_fini(&s->require);
	map_fini(&s->names);
	map_fini(&s->heard);
	remains_take(&s->host->remains, &s->vm.arena);
	free(s->denied_at);
	free(s->failure);
	script_options_fini(&s->options);
	free(s);
}

struct script *script_of(lua_State *L)
{
	return container_of(vm_of(L), struct script, vm);
}

bool script_is_debug(const struct script *s)
{
	return s->limits.is_debug || log_is_on(LOG_DEBUG);
}

/* After a refusal Lua has collected all it could. A script that is still full will not recover by
 * itself. */
static bool is_exhausted(const struct script *s, const struct slice_run *r)
{
	const struct arena *a = &s->vm.arena;
	return a->n_denied != r->n_denied && a->used_bytes > a->max_bytes / 10 * 9;
}

void script_left(struct script *s, const struct slice_run *r)
{
	const struct arena *a = &s->vm.arena;
	if (r->ticks)
		host_took(s, r->ticks);
	if (script_has_grown(s))
		s->host->wants_idle = true;
	if (a->n_denied != r->n_denied && is_exhausted(s, r)) {
		char why[SLICE_TRACEBACK_BYTES + 100];
		bool is_known = s->denied_at && *s->denied_at;
		snprintf(why, sizeof(why), "it used up its memory: %.1f of %.1f MB are in use%s%s",
			(double)a->used_bytes / MB, (double)a->max_bytes / MB,
			is_known ? ", in\n" : "", is_known ? s->denied_at : "");
		program_fail(s, why);
	}
}

const char *script_intern(struct script *s, const char *text)
{
	struct str str = str_of(text);
	size_t n = map_count(&s->names);
	const char *kept = map_intern(&s->names, str);
	if (map_count(&s->names) == n || arena_charge(&s->vm.arena, str.n + INTERNED_MORE_BYTES))
		return kept;
	map_remove(&s->names, str);
	return "?";
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

bool script_hears_named(const struct script *s, struct str network)
{
	const struct net *n;
	if (map_get(&s->heard, network))
		return true;
	n = net_find(s->host, network);
	return n && n->maker && strcmp(n->maker, s->name) == 0;
}

/* A collection runs the finalizers of a trusted script, which are its code. */
static void collect(struct script *s, int what)
{
	struct slice_run run;
	slice_enter(&run, s, NULL, s->vm.L);
	lua_gc(s->vm.L, what, 0, 0, 0);
	slice_leave(&run);
	script_left(s, &run);
}

static void set_incremental(struct script *s, bool is_incremental)
{
	s->is_incremental = is_incremental;
	collect(s, is_incremental ? LUA_GCINC : LUA_GCGEN);
}

/* The collector walks every thread that sleeps: in small steps where they are many. */
void script_choose_gc(struct script *s)
{
	bool is_incremental = s->limits.gc == GC_INCREMENTAL;
	if (s->limits.gc == GC_AUTO)
		is_incremental = s->n_threads > INCREMENTAL_THREADS ||
				 (s->is_incremental && s->n_threads > INCREMENTAL_THREADS / 2);
	if (is_incremental != s->is_incremental)
		set_incremental(s, is_incremental);
}

/* Lua's generational mode would take what was made meanwhile for a script that grows fast, and walk
 * it twice: once as new, then to see what came of that. Where it is entered, all is old. */
void script_stop_gc(struct script *s)
{
	lua_gc(s->vm.L, LUA_GCSTOP);
	if (!s->is_incremental)
		collect(s, LUA_GCINC);
}

void script_restart_gc(struct script *s)
{
	lua_gc(s->vm.L, LUA_GCRESTART);
	if (!s->is_incremental)
		collect(s, LUA_GCGEN);
	s->n_grown = s->vm.arena.n_grown;
}

bool script_has_grown(const struct script *s)
{
	return s->vm.arena.n_grown - s->n_grown >= IDLE_GROWN;
}

bool script_collect(struct script *s)
{
	if (!script_has_grown(s) || s->is_over || s->is_frozen)
		return false;
	collect(s, LUA_GCSTEP);
	s->n_grown = s->vm.arena.n_grown;
	return true;
}
