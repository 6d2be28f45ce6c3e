#include "script/alarm.h"

#include "base/list.h"
#include "base/log.h"
#include "base/timers.h"
#include "script/host.h"
#include "script/task.h"

#include <lauxlib.h>

/* A userdata that the registry holds; the function and its arguments are its user values. */
struct alarm {
	struct list node; /* the script's alarms */
	struct timer timer;
	struct script *script;
	struct alarm_options o;
	int self_ref, n_values;
	struct task *running; /* a repeated one's task; NULL: none */
};

static void drop(struct alarm *a)
{
	struct script *s = a->script;
	timers_cancel(s->host->options.timers, &a->timer);
	list_remove(&a->node);
	luaL_unref(s->vm.L, LUA_REGISTRYINDEX, a->self_ref);
}

static void on_task_ended(struct task *t, void *data)
{
	struct alarm *a = data;
	(void)t;
	a->running = NULL;
}

/* Pushes function and arguments; the task's data is the alarm, which is still in the registry. */
static int make_task(lua_State *L)
{
	struct alarm *a = lua_touserdata(L, 1);
	struct task *t = task_new(L, a->script, a->o.what, a->o.site);
	t->net = a->o.net;
	t->is_connect = a->o.is_connect;
	if (!lua_checkstack(t->T, a->n_values + 1)) {
		task_drop(t);
		return luaL_error(L, "too many arguments");
	}
	lua_rawgeti(t->T, LUA_REGISTRYINDEX, a->self_ref);
	for (int i = 1; i <= a->n_values; i++)
		lua_getiuservalue(t->T, 2, i);
	lua_remove(t->T, 2);
	if (a->o.is_repeated) {
		t->ended = on_task_ended;
		t->ended_data = a;
		a->running = t;
	}
	task_enqueue(t);
	return 0;
}

static void fire(struct timer *timer)
{
	struct alarm *a = container_of(timer, struct alarm, timer);
	struct script *s = a->script;
	if (!a->running && !vm_call(s->vm.L, make_task, a, 0)) {
		log_error("script %s: %s: not enough memory", s->name, a->o.what);
		lua_pop(s->vm.L, 1);
	}
	if (!a->o.is_repeated) {
		drop(a);
		return;
	}
	struct timers *ts = s->host->options.timers;
	int64_t next_ns = timer->at_ns + a->o.delay_ns;
	if (next_ns <= ts->now_ns) /* times that were slept through are not made up for */
		next_ns += (ts->now_ns - next_ns) / a->o.delay_ns * a->o.delay_ns + a->o.delay_ns;
	timers_set(ts, timer, next_ns);
}

void alarm_new(lua_State *L, const struct alarm_options *o)
{
	struct script *s = script_of(L);
	int n = lua_gettop(L);
	struct alarm *a = lua_newuserdatauv(L, sizeof(*a), n);
	*a = (struct alarm){.script = s, .o = *o, .n_values = n, .timer.fire = fire};
	list_init(&a->node);
	lua_insert(L, 1);
	for (int i = n; i > 0; i--)
		lua_setiuservalue(L, 1, i);
	a->self_ref = luaL_ref(L, LUA_REGISTRYINDEX);
	list_append(&s->alarms, &a->node);
	timers_after(s->host->options.timers, &a->timer, o->delay_ns);
}

void alarm_clear(struct script *s)
{
	list_each_safe (node, &s->alarms)
		drop(container_of(node, struct alarm, node));
}
