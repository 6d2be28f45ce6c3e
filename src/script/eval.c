#include "script/eval.h"

#include "base/mem.h"
#include "script/cancel.h"
#include "script/chunk.h"
#include "script/host.h"
#include "script/resource.h"
#include "script/show.h"
#include "script/task.h"

#include <stdlib.h>

enum { TEXT_MAX_BYTES = 1024 * 1024 };

static const char chunk_name[] = "=eval", prefix[] = "return ";

/* Owned by its task, among what that holds: however the task ends, it is told of by its release,
 * after its end if that came to be told of. */
struct eval {
	struct resource hold;
	struct eval_asker *asker; /* NULL: it was forgotten */
	struct task *task;        /* which holds it */
	struct buf text;
	bool has_results;
	char *failure; /* owned; NULL: none is known */
};

/* Why a task is let go that has not ended: a slice stopped it, or its script is dropped. */
static const char *why_left(const struct task *t)
{
	return t->is_stopped ? "eval: stopped: it used up what a script may (the log says where)"
			     : "eval: cancelled: the script ends";
}

static void release(struct resource *hold)
{
	struct eval *e = container_of(hold, struct eval, hold);
	struct err why;
	e->task->ended = NULL; /* one that is stopped lets go before it ends */
	err_set(&why, ERR_INVALID, "%s", e->failure ? e->failure : why_left(e->task));
	if (e->asker) {
		e->asker->eval = NULL;
		e->asker->told(e->asker, buf_str(&e->text), e->has_results ? NULL : &why);
	}
	buf_fini(&e->text);
	free(e->failure);
	free(e);
}

static void on_ended(struct task *t, void *data)
{
	struct eval *e = data;
	if (t->failed && !e->has_results)
		e->failure = t->is_cancelled ? mem_strdup(why_left(t)) : task_take_error(t);
}

/* Stack: the results. What does not fit is cut. */
static int note_results(lua_State *T)
{
	struct eval *e = task_of(T)->ended_data;
	int n = lua_gettop(T);
	for (int i = 1; i <= n; i++) {
		size_t size;
		show_push(T, i);
		const char *text = lua_tolstring(T, -1, &size);
		if (buf_addf(&e->text, "%s%.*s", i > 1 ? "\n" : "", (int)size, text) < 0)
			break;
		lua_settop(T, n);
	}
	e->has_results = true;
	return 0;
}

static int after_chunk(lua_State *T, int status, lua_KContext context)
{
	(void)status;
	(void)context;
	return note_results(T);
}

/* Stack: the chunk. */
static int run(lua_State *T)
{
	lua_callk(T, 0, LUA_MULTRET, 0, after_chunk);
	return note_results(T);
}

struct start {
	struct str lua;
	struct eval *eval;
};

/* Pushes the chunk: that of an expression, if it is one. */
static void push_chunk(lua_State *L, struct str lua)
{
	lua_pushlstring(L, prefix, sizeof(prefix) - 1);
	lua_pushlstring(L, lua.p, lua.n);
	lua_concat(L, 2);
	struct str expression;
	expression.p = lua_tolstring(L, -1, &expression.n);
	if (chunk_load(L, expression, chunk_name))
		return;
	lua_pop(L, 1);
	if (!chunk_load(L, lua, chunk_name))
		lua_error(L);
}

static int make_task(lua_State *L)
{
	struct start *s = lua_touserdata(L, 1);
	struct script *script = script_of(L);
	push_chunk(L, s->lua);
	struct task *t = task_new(L, script, "eval", NULL);
	lua_pushcfunction(t->T, run);
	lua_xmove(L, t->T, 1);
	t->ended = on_ended;
	t->ended_data = s->eval;
	t->is_awaited = true;
	s->eval->task = t;
	resource_add(&t->holds, &s->eval->hold, release);
	task_enqueue(t);
	return 0;
}

int eval_start(struct program *p, struct str lua, struct eval_asker *a, struct err *err)
{
	struct start start = {lua, NULL};
	struct err why;
	if (!p->script || p->script->is_over)
		return err_set(err, ERR_INVALID, "eval: %s does not run", p->options.name);
	start.eval = mem_new(sizeof(*start.eval));
	start.eval->asker = a;
	list_init(&start.eval->hold.node);
	buf_init(&start.eval->text, TEXT_MAX_BYTES);
	if (vm_call(p->script->vm.L, make_task, &start, 0)) {
		a->eval = start.eval;
		return 0;
	}
	free(start.eval);
	vm_take_error(p->script->vm.L, &why);
	return err_set(err, ERR_INVALID, "eval: %s", why.text);
}

void eval_forget(struct eval_asker *a)
{
	struct eval *e = a->eval;
	if (!e)
		return;
	a->eval = NULL;
	e->asker = NULL;
	cancel_task(e->task);
}
