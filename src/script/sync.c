#include "script/sync.h"

#include "script/host.h"
#include "script/modules.h"

#include <lauxlib.h>

static void leave(struct task *t)
{
	struct waiter *w = t->source;
	list_remove(&w->node);
}

static const struct wait list_wait = {leave, NULL};

void waiter_join(struct list *list, struct waiter *w, struct task *t)
{
	w->task = t;
	list_append(list, &w->node);
	t->source = w;
	t->wait = &list_wait;
}

void waiter_push(lua_State *L, struct list *list, struct task *t)
{
	waiter_join(list, lua_newuserdatauv(L, sizeof(struct waiter), 0), t);
}

void waiters_wake(struct list *list)
{
	list_each_safe (node, list)
		task_wake(container_of(node, struct waiter, node)->task, WAKE_DONE);
}

void waiters_fail(struct list *list, int code, const char *why)
{
	list_each_safe (node, list)
		task_fail(container_of(node, struct waiter, node)->task, code, why);
}

struct task *waiters_wake_first(struct list *list)
{
	if (list_is_empty(list))
		return NULL;
	struct task *t = container_of(list->next, struct waiter, node)->task;
	task_wake(t, WAKE_DONE);
	return t;
}

void promise_init(struct promise *p)
{
	*p = (struct promise){0};
	list_init(&p->waiters);
}

void promise_keep(lua_State *L, int index, int n)
{
	index = lua_absindex(L, index);
	struct promise *p = lua_touserdata(L, index);
	lua_createtable(L, n, 0);
	lua_insert(L, -n - 1);
	for (int i = n; i > 0; i--)
		lua_rawseti(L, -i - 1, i);
	lua_setiuservalue(L, index, 1);
	p->n = n;
}

void promise_keep_error(lua_State *L, int index, bool with_traceback)
{
	index = lua_absindex(L, index);
	if (with_traceback)
		vm_push_traceback(L, -1);
	else
		lua_pushnil(L);
	lua_setiuservalue(L, index, 2);
	lua_setiuservalue(L, index, 1);
}

void promise_settle(struct promise *p, enum promise_state state)
{
	p->state = state;
	waiters_wake(&p->waiters);
}

int promise_push_results(lua_State *L)
{
	const struct promise *p = lua_touserdata(L, 1);
	if (p->state == PROMISE_CANCELLED) {
		lua_pushnil(L);
		lua_pushliteral(L, "cancelled");
		return 2;
	}
	lua_getiuservalue(L, 1, 1);
	if (p->state == PROMISE_FAILED) {
		lua_getiuservalue(L, 1, 2);
		vm_set_traceback(L, -2);
		return lua_error(L);
	}
	luaL_checkstack(L, p->n + 1, "too many results");
	int table = lua_gettop(L);
	for (int i = 1; i <= p->n; i++)
		lua_rawgeti(L, table, i);
	return p->n;
}

static int after_wait(lua_State *L, int status, lua_KContext context)
{
	const struct task *t = task_resumed(L);
	(void)status;
	(void)context;
	if (t->wake == WAKE_DONE)
		return promise_push_results(L);
	lua_pushnil(L);
	lua_pushliteral(L, "timeout");
	return 2;
}

int promise_wait(lua_State *L, const char *who)
{
	struct promise *p = lua_touserdata(L, 1);
	if (p->state != PROMISE_PENDING)
		return promise_push_results(L);
	struct task *t = task_check(L, who);
	int64_t at_ns = lib_deadline(L, 2, who);
	waiter_push(L, &p->waiters, t);
	return task_pause(L, at_ns, after_wait);
}
