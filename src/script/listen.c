#include "script/listen.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "script/backlog.h"
#include "script/lint.h"
#include "script/modules.h"
#include "script/net.h"

#include <assert.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char listener_type[] = "ebb.listener";

enum { NAMES_MAX = 64, KINDS_MAX = NAMES_MAX * EVENT_NAME_KINDS_MAX };

/* The kinds of all the names at an argument, and a text that shows them. */
struct names {
	int kinds[KINDS_MAX];
	size_t n;
	bool are_lines; /* all of them the server's */
	char text[100];
};

static bool is_line_kind(int kind)
{
	return kind < EVENT_CLIENT_CONNECT;
}

/* Once, whatever names it was given by. */
static void add_kind(struct names *names, int kind)
{
	for (size_t i = 0; i < names->n; i++)
		if (names->kinds[i] == kind)
			return;
	names->kinds[names->n++] = kind;
	names->are_lines = names->are_lines && is_line_kind(kind);
}

static void add_name(lua_State *L, struct names *names, int index, const char *who)
{
	int kinds[EVENT_NAME_KINDS_MAX];
	size_t length;
	if (lua_type(L, index) != LUA_TSTRING)
		luaL_error(L, "%s: event: a name or a list of names expected, got %s", who,
			luaL_typename(L, index));
	const char *name = lua_tolstring(L, index, &length);
	if (length == 0)
		luaL_error(L, "%s: event: the name is empty", who);
	size_t n = host_kinds(script_of(L)->host, (struct str){name, length}, kinds);
	if (n == 0)
		luaL_error(L, "%s: event: the name is too long, or there are too many names", who);
	for (size_t i = 0; i < n; i++)
		add_kind(names, kinds[i]);
	size_t used = strlen(names->text);
	snprintf(names->text + used, sizeof(names->text) - used, "%s%s", used ? "," : "", name);
}

static void read_names(lua_State *L, struct names *names, int index, const char *who)
{
	names->n = 0;
	names->text[0] = '\0';
	names->are_lines = true;
	if (!lua_istable(L, index)) {
		add_name(L, names, index, who);
		return;
	}
	lua_Integer n = (lua_Integer)lua_rawlen(L, index);
	if (n < 1 || n > NAMES_MAX)
		luaL_error(L, "%s: event: the list has %d names, 1 to %d can be", who, (int)n,
			NAMES_MAX);
	for (lua_Integer i = 1; i <= n; i++) {
		lua_rawgeti(L, index, i);
		add_name(L, names, lua_gettop(L), who);
		lua_pop(L, 1);
	}
}

struct listener_owned {
	struct resource resource;
	struct arena *arena; /* which got is charged to */
	struct backlog *backlog;
	struct event *got;
};

static void release(struct resource *resource)
{
	struct listener_owned *o = container_of(resource, struct listener_owned, resource);
	if (o->got)
		arena_release(o->arena, event_size(o->got));
	event_unref(o->got);
	backlog_free(o->backlog);
	free(o);
}

void listener_read(struct listener *l)
{
	if (l->owned)
		resource_release(&l->owned->resource);
	l->owned = NULL;
	l->backlog = NULL;
	l->got = NULL;
}

/* One that never began has its handler still. */
static int listener_gc(lua_State *L)
{
	struct listener *l = lua_touserdata(L, 1);
	listener_read(l);
	luaL_unref(L, LUA_REGISTRYINDEX, l->handler_ref);
	l->handler_ref = LUA_NOREF;
	return 0;
}

static void own(struct listener *l, struct backlog *backlog, struct event *got)
{
	struct listener_owned *o = l->owned = mem_new(sizeof(*o));
	o->arena = &l->script->vm.arena;
	o->backlog = l->backlog = backlog;
	o->got = l->got = got;
	resource_add(&l->script->resources, &o->resource, release);
}

struct listener *listener_check(lua_State *L, int index)
{
	return luaL_checkudata(L, index, listener_type);
}

/* Which networks it hears: those that the filter says; else all, or a wait the task's. */
static void choose_net(lua_State *L, struct listener *l, const char *who)
{
	struct str name;
	struct task *t = task_of(L);
	l->is_for_all = true;
	switch (filter_net(l->filter, &name)) {
	case FILTER_NET_UNSAID:
		if (l->is_wait && t && t->net.generation) {
			l->net = t->net;
			l->is_for_all = false;
		}
		break;
	case FILTER_NET_ALL:
		break;
	case FILTER_NET_NAMED: {
		const struct net *n = net_find(l->script->host, name);
		if (!n || !script_hears(l->script, name)) {
			luaL_error(L, "%s: filter: network: no network '%s'", who, name.p);
			return;
		}
		l->net = n->handle;
		l->is_for_all = false;
		break;
	}
	}
}

struct listener *listener_new(lua_State *L, const struct listen_to *to)
{
	struct script *s = script_of(L);
	struct names names;
	char what[sizeof(names.text) + 8];
	if (s->n_listeners >= s->limits.listeners_max)
		luaL_error(L,
			"%s: the script has %d subscriptions and waits already, and may not "
			"have more",
			to->who, (int)s->n_listeners);
	read_names(L, &names, to->events, to->who);
	struct filter *f = filter_new(L, to->filter, names.kinds, names.n, to->who);
	struct listener *l =
		lua_newuserdatauv(L, sizeof(*l) + names.n * sizeof(struct listener_node), 2);
	*l = (struct listener){.script = s,
		.number = task_of(L) ? task_of(L)->number : ++s->host->made,
		.filter = f,
		.is_wait = to->is_wait,
		.self_ref = LUA_NOREF,
		.handler_ref = LUA_NOREF,
		.n = names.n};
	list_init(&l->all);
	list_init(&l->dead);
	list_init(&l->ending);
	for (size_t i = 0; i < l->n; i++) {
		l->nodes[i].owner = l;
		l->nodes[i].kind = names.kinds[i];
		list_init(&l->nodes[i].node);
	}
	luaL_setmetatable(L, listener_type);
	lua_insert(L, -2);
	lua_setiuservalue(L, -2, 1);
	choose_net(L, l, to->who);
	snprintf(what, sizeof(what), "%s %s", to->who, names.text);
	l->what = script_intern(s, what);
	l->site = to->is_wait ? NULL : script_site(L, 1);
	const struct net *n = handles_get(&s->host->handles, l->net);
	l->ends_with_connection = l->is_wait && names.are_lines && n && net_facts(n).is_connected;
	return l;
}

static struct listeners *listeners_of(const struct script *s, int kind)
{
	return (size_t)kind < s->n_kinds ? s->by_kind[kind] : NULL;
}

static struct listeners *make_listeners(struct script *s, int kind)
{
	size_t wanted = (size_t)kind + 1;
	if (s->n_kinds < wanted) {
		s->by_kind = mem_resize(s->by_kind, wanted, sizeof(*s->by_kind));
		memset(s->by_kind + s->n_kinds, 0, (wanted - s->n_kinds) * sizeof(*s->by_kind));
		s->n_kinds = wanted;
	}
	if (!s->by_kind[kind]) {
		struct listeners *ls = s->by_kind[kind] = mem_new(sizeof(*ls));
		list_init(&ls->subs);
		list_init(&ls->waits);
	}
	return s->by_kind[kind];
}

static void link_up(struct listener *l)
{
	l->order = ++l->script->host->order;
	l->script->n_listeners++;
	for (size_t i = 0; i < l->n; i++) {
		struct listeners *ls = make_listeners(l->script, l->nodes[i].kind);
		list_append(l->is_wait ? &ls->waits : &ls->subs, &l->nodes[i].node);
		if (l->is_wait)
			lint_wait(l, ++ls->n_waits);
	}
}

static void unlink_all(struct listener *l)
{
	for (size_t i = 0; i < l->n; i++) {
		list_remove(&l->nodes[i].node);
		if (l->is_wait)
			listeners_of(l->script, l->nodes[i].kind)->n_waits--;
	}
	list_remove(&l->dead);
	l->script->n_listeners--;
	lua_State *L = l->script->vm.L;
	luaL_unref(L, LUA_REGISTRYINDEX, l->handler_ref);
	int ref = l->self_ref;
	l->handler_ref = l->self_ref = LUA_NOREF;
	luaL_unref(L, LUA_REGISTRYINDEX, ref);
}

void listener_off(struct listener *l)
{
	if (l->is_dead)
		return;
	l->is_dead = true;
	if (l->backlog) {
		backlog_end(l->backlog);
		backlog_clear(l->backlog);
	}
	list_remove(&l->all);
	list_remove(&l->ending);
	if (l->script->is_delivering)
		list_append(&l->script->dead, &l->dead);
	else
		unlink_all(l);
}

static void begin(lua_State *L, int index, bool is_once)
{
	struct listener *l = lua_touserdata(L, index);
	lua_pushvalue(L, index);
	l->self_ref = luaL_ref(L, LUA_REGISTRYINDEX);
	l->is_once = is_once;
	list_append(&l->script->listeners, &l->all);
	link_up(l);
}

void listener_subscribe(lua_State *L, int index, int handler, bool is_once)
{
	struct listener *l = lua_touserdata(L, index);
	lua_pushvalue(L, handler);
	l->handler_ref = luaL_ref(L, LUA_REGISTRYINDEX);
	begin(L, index, is_once);
}

void listener_collect(lua_State *L, int index, size_t max)
{
	struct listener *l = lua_touserdata(L, index);
	own(l, backlog_new(&l->script->vm.arena, max), NULL);
	begin(L, index, false);
	if (l->ends_with_connection)
		list_append(&l->script->ending, &l->ending);
}

static void leave_waits(struct task *t)
{
	list_each_safe (node, &t->waits)
		listener_off(container_of(node, struct listener, all));
}

static const struct wait events_wait = {leave_waits, NULL};

void listener_wait(lua_State *L, struct task *t, int n)
{
	bool ends = true;
	for (int i = 1; i <= n; i++)
		ends = ends &&
		       ((const struct listener *)lua_touserdata(L, i))->ends_with_connection;
	for (int i = 1; i <= n; i++) {
		struct listener *l = lua_touserdata(L, i);
		l->task = t;
		l->ends_with_connection = ends;
		list_append(&t->waits, &l->all);
		link_up(l);
		if (ends && i == 1) /* the others end with it */
			list_append(&l->script->ending, &l->ending);
	}
	t->wait = &events_wait;
}

void listen_retire(struct script *s)
{
	list_each_safe (node, &s->listeners) {
		struct listener *l = container_of(node, struct listener, all);
		if (!l->backlog)
			listener_off(l);
	}
}

void listen_clear(struct script *s)
{
	list_each_safe (node, &s->listeners)
		listener_off(container_of(node, struct listener, all));
	for (size_t i = 0; i < s->n_kinds; i++)
		free(s->by_kind[i]);
	free(s->by_kind);
	s->by_kind = NULL;
	s->n_kinds = 0;
}

/* Walks the listeners of the kind and of "*" together, in their order. */
struct walk {
	struct list *heads[2], *at[2];
	const struct listener *last; /* one that is for both kinds comes once */
};

static void walk_head(struct walk *w, int i, struct list *head)
{
	w->heads[i] = head;
	w->at[i] = head ? head->next : NULL;
}

static struct listener_node *walk_node(const struct walk *w, int i)
{
	return w->at[i] == w->heads[i] ? NULL : container_of(w->at[i], struct listener_node, node);
}

/* The list whose turn it is; -1: both are at their ends. */
static int walk_side(const struct walk *w)
{
	const struct listener_node *a = walk_node(w, 0), *b = walk_node(w, 1);
	if (a && b)
		return a->owner->order <= b->owner->order ? 0 : 1;
	return a ? 0 : b ? 1 : -1;
}

static struct listener *walk_next(struct walk *w)
{
	int side;
	while ((side = walk_side(w)) >= 0) {
		struct listener *l = walk_node(w, side)->owner;
		w->at[side] = w->at[side]->next;
		if (l != w->last) {
			w->last = l;
			return l;
		}
	}
	return NULL;
}

static bool is_same(struct handle a, struct handle b)
{
	return a.index == b.index && a.generation == b.generation;
}

/* What a filter names may have been removed and made again since. */
static bool is_its_net(struct listener *l, const struct event *e)
{
	struct str name;
	if (is_same(l->net, e->net))
		return true;
	if (handles_get(&l->script->host->handles, l->net) ||
		filter_net(l->filter, &name) != FILTER_NET_NAMED || !str_eq(name, e->net_name))
		return false;
	l->net = e->net;
	return true;
}

static bool is_wanted(struct listener *l, struct event **e, uint64_t limit)
{
	const struct script *s = l->script;
	if (l->is_dead || l->order > limit)
		return false;
	if (!l->is_for_all && (*e)->net.generation && !is_its_net(l, *e))
		return false;
	if (!l->filter && !(*e)->is_mine && !(*e)->is_replayed)
		return true; /* as nearly all are */
	return filter_matches(l->filter, s->vm.L, e, l->what);
}

/* What a handler's first resume is given. */
struct start {
	struct task_start start;
	struct listener *l;
	const struct event *e;
};

/* Pushes the handler, the event, and what `match` captured. */
static int start_handler(lua_State *T, const struct task_start *start)
{
	const struct start *st = container_of(start, struct start, start);
	if (st->l->filter)
		luaL_checkstack(T, LUA_MINSTACK + 32, "captures"); /* a pattern has at most 32 */
	lua_rawgeti(T, LUA_REGISTRYINDEX, st->l->handler_ref);
	lib_push_event(T, st->e);
	return 1 + filter_push_captures(T, st->l->filter, st->e);
}

static int make_task(lua_State *L)
{
	struct start *st = lua_touserdata(L, 1);
	lua_pushlightuserdata(L, task_new(L, st->l->script, st->l->what, st->l->site));
	return 1;
}

static struct task *task_for(struct start *st)
{
	lua_State *L = st->l->script->vm.L;
	if (!list_is_empty(&st->l->script->pool))
		return task_new(L, st->l->script, st->l->what, st->l->site);
	struct task *t = NULL;
	if (vm_call(L, make_task, st, 1))
		t = lua_touserdata(L, -1);
	else
		trouble_no_task(st->l->script, st->l->what, st->l->site, lua_tostring(L, -1));
	lua_pop(L, 1);
	return t;
}

static void run_handler(struct listener *l, const struct event *e)
{
	struct start st = {{start_handler}, l, e};
	struct task *t = task_for(&st);
	if (!t)
		return;
	t->start = &st.start;
	t->net = e->net;
	t->is_handler = true;
	t->is_told = e->kind == EVENT_SCRIPT_ERROR;
	if (l->is_once)
		listener_off(l);
	task_run(t);
}

/* Whether l comes after the listener that was asked last. */
static bool is_ahead(const struct listener *l, const struct delivery *d)
{
	return l->order > d->order;
}

static void deliver_to_subs(struct walk *w, struct script *s, struct event **e, struct delivery *d)
{
	struct listener *l;
	while (!s->is_held && (l = walk_next(w))) {
		if (!is_ahead(l, d))
			continue;
		d->order = l->order;
		if (!is_wanted(l, e, d->limit))
			continue;
		if (!(*e)->is_line)
			event_hold(e); /* its values are where the handler makes its lines */
		run_handler(l, *e);
	}
}

static bool has_all(const struct task *t)
{
	list_each (node, &t->waits)
		if (!container_of(node, struct listener, all)->got)
			return false;
	return true;
}

static void deliver_to_waits(struct walk *w, struct script *s, struct event **e, struct delivery *d)
{
	struct listener *l;
	while (!s->is_held && (l = walk_next(w))) {
		if (!is_ahead(l, d))
			continue;
		d->order = l->order;
		if (l->got || !is_wanted(l, e, d->limit))
			continue;
		event_hold(e);
		if (l->backlog) {
			backlog_add(l->backlog, *e);
			continue;
		}
		if (!arena_charge(&s->vm.arena, event_size(*e))) {
			task_fail(l->task, ERR_LIMIT, "the event does not fit into the memory");
			continue;
		}
		own(l, NULL, event_ref(*e));
		if (has_all(l->task))
			task_wake(l->task, WAKE_DONE);
	}
}

static void sweep(struct script *s)
{
	list_each_safe (node, &s->dead)
		unlink_all(container_of(node, struct listener, dead));
}

/* Handlers, then waits. False: the script was held in between. */
static bool walk_all(struct script *s, struct event **e, struct delivery *d)
{
	struct listeners *of_kind = listeners_of(s, (*e)->kind);
	struct listeners *of_any = (*e)->is_line ? listeners_of(s, EVENT_ANY) : NULL;
	struct walk w = {0};
	if (!of_kind && !of_any)
		return true;
	if (!d->is_at_waits) {
		walk_head(&w, 0, of_kind ? &of_kind->subs : NULL);
		walk_head(&w, 1, of_any ? &of_any->subs : NULL);
		deliver_to_subs(&w, s, e, d);
		if (s->is_held)
			return false;
		d->is_at_waits = true;
		d->order = 0;
		w.last = NULL;
	}
	if ((!of_kind || list_is_empty(&of_kind->waits)) &&
		(!of_any || list_is_empty(&of_any->waits)))
		return true;
	walk_head(&w, 0, of_kind ? &of_kind->waits : NULL);
	walk_head(&w, 1, of_any ? &of_any->waits : NULL);
	deliver_to_waits(&w, s, e, d);
	return !s->is_held;
}

bool listen_deliver(struct script *s, struct event **e, struct delivery *d)
{
	assert(!s->is_delivering);
	if (!d->has_begun)
		d->limit = s->host->order;
	d->has_begun = true;
	s->is_delivering = true;
	bool is_done = walk_all(s, e, d);
	s->is_delivering = false;
	sweep(s);
	if (is_done && (*e)->is_end)
		listen_end_waits(s, (*e)->net, d->limit);
	return is_done;
}

static int sub_off(lua_State *L)
{
	listener_off(luaL_checkudata(L, 1, listener_type));
	return 0;
}

void listen_open(lua_State *L)
{
	static const luaL_Reg methods[] = {
		{"off", sub_off},
                {NULL,  NULL   }
        };
	luaL_newmetatable(L, listener_type);
	luaL_newlib(L, methods);
	lua_setfield(L, -2, "__index");
	lua_pushcfunction(L, listener_gc);
	lua_setfield(L, -2, "__gc");
	lua_pushcfunction(L, sub_off);
	lua_setfield(L, -2, "__close");
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 1);
}
