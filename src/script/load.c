#include "script/load.h"

#include "script/chunk.h"
#include "script/host.h"
#include "script/modules.h"
#include "script/program.h"
#include "script/repeat.h"
#include "script/task.h"

#include <lauxlib.h>

static int open_libraries(lua_State *L)
{
	const struct script *s = lua_touserdata(L, 1);
	const struct script_options *o = &s->options;
	const struct host_trial *trial = s->host->options.trial;
	modules_open(L);
	if (trial)
		repeat_open(L, rand_next(trial->rand));
	if (trial && trial->trial)
		lib_open_test(L);
	task_open(L);
	lua_createtable(L, 0, (int)o->n_pairs);
	for (size_t i = 0; i < o->n_pairs; i++) {
		lua_pushstring(L, o->pairs[i][1]);
		lua_setfield(L, -2, o->pairs[i][0]);
	}
	modules_export(L, "config");
	return 0;
}

static int run_prelude(lua_State *L)
{
	const struct script *s = lua_touserdata(L, 1);
	if (!s->options.prelude)
		return 0;
	if (!vm_load_text(L, s->options.prelude, "prelude"))
		return lua_error(L);
	lua_call(L, 0, 0);
	return 0;
}

static int after_on_reload(lua_State *T, int status, lua_KContext context)
{
	(void)T;
	(void)status;
	(void)context;
	return 0;
}

static int after_chunk(lua_State *T, int status, lua_KContext context)
{
	const struct script *s = script_of(T);
	(void)status;
	(void)context;
	if (!s->has_inherited || s->on_reload_ref == LUA_NOREF)
		return 0;
	task_of(T)->what = "on_reload";
	lua_rawgeti(T, LUA_REGISTRYINDEX, s->on_reload_ref);
	lua_rawgeti(T, LUA_REGISTRYINDEX, s->state_ref);
	lua_callk(T, 1, 0, 0, after_on_reload);
	return 0;
}

/* Stack: the chunk. */
static int run_main(lua_State *T)
{
	lua_callk(T, 0, 0, 0, after_chunk);
	return after_chunk(T, LUA_OK, 0);
}

static bool push_chunk(lua_State *L, struct script *s)
{
	const struct script_options *o = &s->options;
	if (o->source)
		return vm_load_text(L, o->source, o->name);
	uint64_t hash;
	bool ok = chunk_load_file(L, o->path, o->path, &hash);
	return require_follow(s, o->path, hash) && ok;
}

static void on_main_ended(struct task *t, void *data)
{
	struct script *s = data;
	s->has_failed = t->failed;
	if (t->failed)
		s->failure = task_take_error(t);
	program_loaded(s);
}

/* The main chunk as a task: it may pause. */
static int make_main_task(lua_State *L)
{
	struct script *s = lua_touserdata(L, 1);
	if (!push_chunk(L, s))
		return lua_error(L);
	struct task *t = task_new(L, s, "main chunk", NULL);
	lua_pushcfunction(t->T, run_main);
	lua_xmove(L, t->T, 1);
	t->ended = on_main_ended;
	t->ended_data = s;
	t->is_awaited = true;
	s->main = task_handle(t);
	return 0;
}

int load_prepare(struct script *s, struct err *err)
{
	lua_State *L = s->vm.L;
	if (vm_call(L, open_libraries, s, 0) && vm_call(L, run_prelude, s, 0) &&
		vm_call(L, make_main_task, s, 0))
		return 0;
	s->is_loading = false;
	s->has_failed = true;
	return vm_take_error(L, err);
}

void load_run(struct script *s)
{
	task_run(handles_get(&s->host->handles, s->main));
}
