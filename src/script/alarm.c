#include "script/alarm.h"

#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "base/timers.h"
#include "script/cancel.h"
#include "script/host.h"
#include "script/lib_task.h"
#include "script/slice.h"
#include "script/task.h"

#include <lauxlib.h>
#include <string.h>

enum { RUNS_A_SHARE = 1000 }; /* as their tasks take memory and time */

#define LOOK_NS (60 * NS_PER_S)

/* A userdata that the registry holds; the function, its arguments and the task object are its user
 * values. */
struct alarm {
	struct list node; /* the script's alarms */
	struct list due;  /* the script's, while its time has come and the script is held */
	struct timer timer;
	struct script *script;
	struct handle handle;
	uint64_t number;
	struct alarm_options o;
	struct cron cron;
	int64_t wall_ns; /* cron's next time; -1: none comes */
	int self_ref, n_values;
	struct task_object *object;
	struct task *running;    /* NULL: none */
	bool is_over;            /* no time comes any more */
	bool is_of_main;         /* the main chunk made it */
	struct alarm *next_heir; /* alarm_inherit's: the next with the same times */
};

static void drop(struct alarm *a)
{
	struct script *s = a->script;
	timers_cancel(s->host->options.timers, &a->timer);
	list_remove(&a->node);
	list_remove(&a->due);
	s->n_alarms--;
	handles_remove(&s->host->handles, a->handle);
	luaL_unref(s->vm.L, LUA_REGISTRYINDEX, a->self_ref);
}

/* A time of a calendar is one of the wall clock, which may be set: it is looked at again within
 * LOOK_NS, and when its time has come. */
static int64_t next_look(const struct alarm *a)
{
	const struct host *h = a->script->host;
	int64_t left_ns = a->wall_ns - clock_wall_ns(h->options.clock);
	if (a->wall_ns < 0)
		return INT64_MAX;
	return h->options.timers->now_ns + (left_ns < LOOK_NS ? left_ns : LOOK_NS);
}

/* Sets the next time of the calendar, after the last and after now. */
static void turn_calendar(struct alarm *a)
{
	int64_t wall_ns = clock_wall_ns(a->script->host->options.clock);
	a->wall_ns = cron_next(&a->cron, wall_ns > a->wall_ns ? wall_ns : a->wall_ns);
}

/* The next time: of a calendar, or a multiple of the period, none of which is made up for. */
static int64_t next_time(struct alarm *a, int64_t last_ns)
{
	int64_t now_ns = a->script->host->options.timers->now_ns;
	if (a->o.cron) {
		turn_calendar(a);
		return next_look(a);
	}
	int64_t next_ns = last_ns + a->o.delay_ns;
	if (next_ns <= now_ns)
		next_ns += ((now_ns - next_ns) / a->o.delay_ns + 1) * a->o.delay_ns;
	return next_ns;
}

static void on_task_ended(struct task *t, void *data)
{
	struct alarm *a = data;
	(void)t;
	a->running = NULL;
	if (a->is_over)
		drop(a);
}

/* The last task of an alarm is who its object speaks of: of after's the only one. */
static int make_task(lua_State *L)
{
	struct alarm *a = lua_touserdata(L, 1);
	luaL_checkstack(L, a->n_values + LUA_MINSTACK, "too many arguments");
	task_object_reserve(L);
	struct task *t = task_new(L, a->script, a->o.what, a->o.site);
	t->net = a->o.net;
	t->is_connect = a->o.is_connect;
	t->number = a->number;
	if (!lua_checkstack(t->T, a->n_values + 1)) {
		task_drop(t);
		return luaL_error(L, "too many arguments");
	}
	lua_rawgeti(L, LUA_REGISTRYINDEX, a->self_ref);
	for (int i = 1; i < a->n_values; i++)
		lua_getiuservalue(L, 2, i);
	lua_xmove(L, t->T, a->n_values - 1);
	if (!a->o.is_repeated) {
		lua_getiuservalue(L, 2, a->n_values);
		task_object_bind(L, lua_gettop(L), t);
		a->object->is_alarm = false;
	}
	t->ended = on_task_ended;
	t->ended_data = a;
	a->running = t;
	task_enqueue(t);
	return 0;
}

/* There is no task, nor, where it runs once, will there be one: who waits for it gets the error on
 * top. */
static void fail(struct alarm *a)
{
	lua_State *L = a->script->vm.L;
	trouble_no_task(a->script, a->o.what, a->o.site, lua_tostring(L, -1));
	if (a->o.is_repeated) {
		lua_pop(L, 1);
		return;
	}
	lua_rawgeti(L, LUA_REGISTRYINDEX, a->self_ref);
	lua_getiuservalue(L, -1, a->n_values);
	lua_rotate(L, -3, 2);
	promise_keep_error(L, -2, false);
	lua_pop(L, 2);
	promise_settle(&a->object->promise, PROMISE_FAILED);
}

static void run(struct alarm *a)
{
	struct script *s = a->script;
	if (!a->running && !vm_call(s->vm.L, make_task, a, 0))
		fail(a);
	if (++s->alarm_runs % RUNS_A_SHARE == 0)
		host_took(s, SLICE_TICKS);
	a->is_over = !a->o.is_repeated;
	if (!a->is_over)
		timers_set(s->host->options.timers, &a->timer, next_time(a, a->timer.at_ns));
	else if (!a->running)
		drop(a);
}

static void fire(struct timer *timer)
{
	struct alarm *a = container_of(timer, struct alarm, timer);
	struct script *s = a->script;
	if (a->o.cron && clock_wall_ns(s->host->options.clock) < a->wall_ns)
		timers_set(s->host->options.timers, timer, next_look(a));
	else if (s->is_held || s->stage == SCRIPT_CANDIDATE)
		list_append(&s->due, &a->due);
	else
		run(a);
}

void alarm_catch_up(struct script *s)
{
	while (!s->is_held && !list_is_empty(&s->due)) {
		struct alarm *a = container_of(s->due.next, struct alarm, due);
		list_remove(&a->due);
		run(a);
	}
}

void alarm_new(lua_State *L, const struct alarm_options *o)
{
	struct script *s = script_of(L);
	int n = lua_gettop(L);
	if (s->n_alarms >= s->limits.alarms_max)
		luaL_error(L, "%s: the script has %d alarms already, and may not have more",
			o->what, (int)s->n_alarms);
	struct alarm *a = lua_newuserdatauv(L, sizeof(*a), n);
	*a = (struct alarm){.script = s, .o = *o, .n_values = n, .timer.fire = fire};
	if (o->cron)
		a->cron = *o->cron;
	a->object = lua_touserdata(L, n);
	a->number = task_of(L) ? task_of(L)->number : ++s->host->made;
	a->is_of_main = task_of(L) && task_of(L) == handles_get(&s->host->handles, s->main);
	list_init(&a->node);
	list_init(&a->due);
	lua_pushvalue(L, n);
	lua_insert(L, 1); /* the object, for the caller */
	lua_insert(L, 2); /* the alarm */
	for (int i = n; i > 0; i--)
		lua_setiuservalue(L, 2, i);
	a->self_ref = luaL_ref(L, LUA_REGISTRYINDEX);
	a->handle = handles_add(&s->host->handles, a);
	a->object->handle = a->handle;
	a->object->is_alarm = true;
	list_append(&s->alarms, &a->node);
	s->n_alarms++;
	int64_t now_ns = s->host->options.timers->now_ns;
	timers_set(s->host->options.timers, &a->timer,
		o->is_repeated ? next_time(a, now_ns) : now_ns + o->delay_ns);
}

static void cancel(struct alarm *a)
{
	if (a->is_over)
		return;
	a->is_over = true;
	timers_cancel(a->script->host->options.timers, &a->timer);
	list_remove(&a->due);
	promise_settle(&a->object->promise, PROMISE_CANCELLED);
	if (a->running)
		cancel_task(a->running);
	else
		drop(a);
}

void alarm_cancel(struct handles *hs, struct handle h)
{
	struct alarm *a = handles_get(hs, h);
	if (a)
		cancel(a);
}

void alarm_cancel_all(struct script *s)
{
	list_each_safe (node, &s->alarms)
		cancel(container_of(node, struct alarm, node));
}

/* When alarms come, as bytes that are the same for the same. */
struct rhythm {
	int64_t delay_ns; /* 0: by the calendar */
	struct cron cron;
};

static struct str rhythm_of(const struct alarm *a, struct rhythm *out)
{
	memset(out, 0, sizeof(*out));
	if (a->o.cron)
		cron_copy(&out->cron, &a->cron);
	else
		out->delay_ns = a->o.delay_ns;
	return (struct str){(const char *)out, sizeof(*out)};
}

static bool is_heritable(const struct alarm *a)
{
	return a->o.is_repeated && a->is_of_main && !a->is_over;
}

/* The first of each rhythm is in the map, the others of it behind that, in their order. */
static void find_heritage(struct map *by_rhythm, const struct script *from)
{
	struct rhythm rhythm;
	for (struct list *node = from->alarms.prev; node != &from->alarms; node = node->prev) {
		struct alarm *a = container_of(node, struct alarm, node);
		if (is_heritable(a))
			a->next_heir = map_put(by_rhythm, rhythm_of(a, &rhythm), a);
	}
}

static void take_over(struct alarm *a, const struct alarm *old)
{
	a->wall_ns = old->wall_ns;
	list_remove(&a->due);
	timers_set(a->script->host->options.timers, &a->timer, old->timer.at_ns);
}

void alarm_inherit(struct script *s, const struct script *from)
{
	struct map by_rhythm = {0};
	struct rhythm rhythm;
	find_heritage(&by_rhythm, from);
	list_each (node, &s->alarms) {
		struct alarm *a = container_of(node, struct alarm, node), *old = NULL;
		if (is_heritable(a))
			old = map_remove(&by_rhythm, rhythm_of(a, &rhythm));
		if (!old)
			continue;
		take_over(a, old);
		if (old->next_heir)
			map_put(&by_rhythm, rhythm_of(a, &rhythm), old->next_heir);
	}
	map_fini(&by_rhythm);
}

bool alarm_is_due_since(const struct script *s, uint64_t made)
{
	list_each (node, &s->alarms) {
		const struct alarm *a = container_of(node, struct alarm, node);
		if (!a->o.is_repeated && a->number > made)
			return true;
	}
	return false;
}

void alarm_each(const struct script *s, uint64_t made,
	void (*tell)(const struct alarm_facts *a, void *data), void *data)
{
	list_each (node, &s->alarms) {
		const struct alarm *a = container_of(node, struct alarm, node);
		struct alarm_facts facts = {s, a->o.what, a->o.site, &a->timer};
		if (!a->is_over && a->number > made)
			tell(&facts, data);
	}
}

void alarm_clear(struct script *s)
{
	list_each_safe (node, &s->alarms)
		drop(container_of(node, struct alarm, node));
}
