#include "script/cancel.h"
#include "script/host.h"
#include "script/modules.h"
#include "script/resource.h"
#include "script/sync.h"
#include "script/task.h"

/* future, queue and lock. */

static const char future_type[] = "ebb.future", queue_type[] = "ebb.queue",
		  lock_type[] = "ebb.lock", hold_type[] = "ebb.hold";

/* A method's object has no fields: its index is the table of methods. */
static int methods_index(lua_State *L)
{
	lua_settop(L, 2);
	lua_rawget(L, lua_upvalueindex(1));
	return 1;
}

static int lib_future(lua_State *L)
{
	struct promise *p = lua_newuserdatauv(L, sizeof(*p), PROMISE_USER_VALUES);
	promise_init(p);
	luaL_setmetatable(L, future_type);
	return 1;
}

static struct promise *check_pending(lua_State *L, const char *who)
{
	struct promise *p = luaL_checkudata(L, 1, future_type);
	if (p->state != PROMISE_PENDING)
		luaL_error(L, "%s: the future is settled already", who);
	return p;
}

static int future_set(lua_State *L)
{
	struct promise *p = check_pending(L, "set");
	promise_keep(L, 1, lua_gettop(L) - 1);
	promise_settle(p, PROMISE_DONE);
	return 0;
}

static int future_fail(lua_State *L)
{
	struct promise *p = check_pending(L, "fail");
	lua_settop(L, 2);
	promise_keep_error(L, 1, false);
	promise_settle(p, PROMISE_FAILED);
	return 0;
}

static int future_wait(lua_State *L)
{
	luaL_checkudata(L, 1, future_type);
	return promise_wait(L, "wait");
}

/*
 * A queue's values stand in the table that is its user value, from first on. A value that a woken
 * popper will take is promised to it, and a place that a woken pusher will fill likewise, so that
 * nobody who comes later gets in between.
 */
struct queue {
	lua_Integer first, n, max; /* max 0: none */
	lua_Integer n_promised;    /* values */
	lua_Integer n_places;      /* promised */
	struct list poppers, pushers;
};

static int lib_queue(lua_State *L)
{
	lua_Integer max = luaL_optinteger(L, 1, 0);
	luaL_argcheck(L, max > 0 || lua_isnoneornil(L, 1), 1, "a maximum of 1 at least expected");
	struct queue *q = lua_newuserdatauv(L, sizeof(*q), 1);
	*q = (struct queue){.first = 1, .max = max};
	list_init(&q->poppers);
	list_init(&q->pushers);
	luaL_setmetatable(L, queue_type);
	lua_newtable(L);
	lua_setiuservalue(L, -2, 1);
	return 1;
}

/* Appends the value at index 2. */
static void append(lua_State *L, struct queue *q)
{
	lua_getiuservalue(L, 1, 1);
	lua_pushvalue(L, 2);
	lua_rawseti(L, -2, q->first + q->n);
	lua_pop(L, 1);
	q->n++;
	if (waiters_wake_first(&q->poppers))
		q->n_promised++;
}

static int after_push(lua_State *L, int status, lua_KContext context)
{
	(void)status;
	(void)context;
	task_resumed(L);
	struct queue *q = lua_touserdata(L, 1);
	q->n_places--;
	append(L, q);
	return 0;
}

static int queue_push(lua_State *L)
{
	struct queue *q = luaL_checkudata(L, 1, queue_type);
	lua_settop(L, 2);
	luaL_argcheck(L, !lua_isnil(L, 2), 2, "nil cannot be queued");
	if (!q->max || q->n + q->n_places < q->max) {
		append(L, q);
		return 0;
	}
	struct task *t = task_check(L, "push");
	waiter_push(L, &q->pushers, t);
	return task_pause(L, -1, after_push);
}

static int take_first(lua_State *L, struct queue *q)
{
	lua_getiuservalue(L, 1, 1);
	lua_rawgeti(L, -1, q->first);
	lua_pushnil(L);
	lua_rawseti(L, -3, q->first++);
	q->n--;
	if (waiters_wake_first(&q->pushers))
		q->n_places++;
	return 1;
}

static int after_pop(lua_State *L, int status, lua_KContext context)
{
	const struct task *t = task_resumed(L);
	struct queue *q = lua_touserdata(L, 1);
	(void)status;
	(void)context;
	if (t->wake == WAKE_DONE) {
		q->n_promised--;
		return take_first(L, q);
	}
	lua_pushnil(L);
	lua_pushliteral(L, "timeout");
	return 2;
}

static int queue_pop(lua_State *L)
{
	struct queue *q = luaL_checkudata(L, 1, queue_type);
	lua_settop(L, 2);
	if (q->n > q->n_promised)
		return take_first(L, q);
	struct task *t = task_check(L, "pop");
	int64_t at_ns = lib_deadline(L, 2, "pop");
	waiter_push(L, &q->poppers, t);
	return task_pause(L, at_ns, after_pop);
}

static int queue_len(lua_State *L)
{
	const struct queue *q = luaL_checkudata(L, 1, queue_type);
	lua_pushinteger(L, q->n);
	return 1;
}

/* A lock is handed to the first who waits: it is never free in between. */
struct lock {
	struct task *holder;
	struct list waiters; /* struct hold */
};

/* A call of `with`, which waits for the lock or holds it. It lets go however the call is left, also
 * where a coroutine is closed in the middle; of one that is forgotten, when the task ends. */
struct hold {
	struct waiter waiter;
	struct lock *lock; /* user value 1 */
	struct resource held;
	lua_State *L; /* of the script */
	int ref;      /* in the registry, as long as it holds or waits */
};

enum { WITH_LOCK = 1, WITH_HOLD, WITH_HANDLER }; /* the stack of `with` */

static int lib_lock(lua_State *L)
{
	struct lock *k = lua_newuserdatauv(L, sizeof(*k), 0);
	*k = (struct lock){0};
	list_init(&k->waiters);
	luaL_setmetatable(L, lock_type);
	return 1;
}

static void hand_on(struct resource *held);

static void give_to(struct lock *k, struct hold *h)
{
	k->holder = h->waiter.task;
	resource_add(&k->holder->holds, &h->held, hand_on);
}

static void forget(struct hold *h)
{
	int ref = h->ref;
	h->ref = LUA_NOREF;
	luaL_unref(h->L, LUA_REGISTRYINDEX, ref);
}

static void hand_on(struct resource *held)
{
	struct hold *h = container_of(held, struct hold, held);
	struct lock *k = h->lock;
	k->holder = NULL;
	forget(h);
	if (list_is_empty(&k->waiters))
		return;
	struct hold *next = container_of(k->waiters.next, struct hold, waiter.node);
	task_wake(next->waiter.task, WAKE_DONE);
	give_to(k, next);
}

static int hold_end(lua_State *L)
{
	struct hold *h = lua_touserdata(L, 1);
	resource_release(&h->held);
	forget(h);
	return 0;
}

static int after_held(lua_State *L, int status, lua_KContext context)
{
	struct hold *h = lua_touserdata(L, WITH_HOLD);
	(void)context;
	resource_release(&h->held);
	if (status != LUA_OK && status != LUA_YIELD)
		return lua_error(L);
	return lua_gettop(L) - WITH_HANDLER;
}

/* Above the hold: the function, its arguments. */
static int call_held(lua_State *L)
{
	int n = lua_gettop(L) - WITH_HANDLER;
	lua_pushcfunction(L, vm_traceback);
	lua_insert(L, WITH_HANDLER);
	return after_held(L, lua_pcallk(L, n, LUA_MULTRET, WITH_HANDLER, 0, after_held), 0);
}

static int after_locked(lua_State *L, int status, lua_KContext context)
{
	(void)status;
	(void)context;
	task_resumed(L);
	return call_held(L);
}

static int lock_with(lua_State *L)
{
	struct lock *k = luaL_checkudata(L, 1, lock_type);
	luaL_checktype(L, 2, LUA_TFUNCTION);
	struct task *t = task_check(L, "with");
	if (k->holder == t)
		return luaL_error(L, "with: this task holds the lock already");
	struct hold *h = lua_newuserdatauv(L, sizeof(*h), 1);
	*h = (struct hold){.waiter.task = t, .lock = k, .L = t->script->vm.L, .ref = LUA_NOREF};
	list_init(&h->waiter.node);
	list_init(&h->held.node);
	luaL_setmetatable(L, hold_type);
	lua_pushvalue(L, WITH_LOCK);
	lua_setiuservalue(L, -2, 1);
	lua_insert(L, WITH_HOLD);
	lua_toclose(L, WITH_HOLD);
	lua_pushvalue(L, WITH_HOLD);
	h->ref = luaL_ref(L, LUA_REGISTRYINDEX);
	if (!k->holder) {
		give_to(k, h);
		return call_held(L);
	}
	waiter_join(&k->waiters, &h->waiter, t);
	return task_pause(L, -1, after_locked);
}

void lib_open_sync(lua_State *L)
{
	static const luaL_Reg none[] = {
		{NULL, NULL}
        };
	static const luaL_Reg queue_meta[] = {
		{"__len", queue_len},
                {NULL,    NULL     }
        };
	static const luaL_Reg future_methods[] = {
		{"set",  future_set },
                {"fail", future_fail},
                {"wait", future_wait},
                {NULL,   NULL       }
        };
	static const luaL_Reg queue_methods[] = {
		{"push", queue_push},
                {"pop",  queue_pop },
                {NULL,   NULL      }
        };
	static const luaL_Reg hold_meta[] = {
		{"__close", hold_end},
                {NULL,      NULL    }
        };
	static const luaL_Reg lock_methods[] = {
		{"with", lock_with},
                {NULL,   NULL     }
        };
	static const luaL_Reg functions[] = {
		{"future", lib_future},
                {"queue",  lib_queue },
                {"lock",   lib_lock  },
                {NULL,     NULL      }
        };
	modules_define(L, future_type, none, methods_index, future_methods);
	modules_define(L, queue_type, queue_meta, methods_index, queue_methods);
	modules_define(L, lock_type, none, methods_index, lock_methods);
	luaL_newmetatable(L, hold_type);
	luaL_setfuncs(L, hold_meta, 0);
	lua_pop(L, 1);
	modules_export_all(L, functions);
}
