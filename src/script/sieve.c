#include "script/sieve.h"

#include "base/log.h"
#include "base/mem.h"
#include "irc/batch.h"
#include "irc/sendq.h"
#include "script/cancel.h"
#include "script/net.h"
#include "script/resource.h"
#include "script/slice.h"

#include <lauxlib.h>
#include <stdlib.h>

struct sieve {
	struct list node; /* its network's, or the host's, of those that ended */
	struct resource resource;
	struct script *script;
	struct net *net; /* NULL: it is gone */
	enum sieve_way way;
	struct sieve_object *object;
	int ref; /* which holds the object */
	bool is_off;
	struct pass *pass; /* that it runs for; NULL: it does not run */
};

/* A line on its way, on the C stack. */
struct pass {
	struct buf from, to; /* lines: before a sieve, and behind it */
	size_t n_from, n_to; /* lines; of from, those that it has not seen yet */
	size_t n_from_bytes; /* of those */
};

static const char *const names[SIEVE_WAYS] = {"filter_in", "filter_out"};

static void release(struct resource *resource)
{
	struct sieve *sv = container_of(resource, struct sieve, resource);
	if (sv->net && !sv->is_off)
		sv->net->n_sieves[sv->way]--;
	list_remove(&sv->node);
	free(sv);
}

static size_t count_own(const struct script *s, const struct net *n, enum sieve_way way)
{
	size_t count = 0;
	list_each (node, &n->sieves[way])
		count += container_of(node, struct sieve, node)->script == s;
	return count;
}

struct sieve *sieve_begin(
	lua_State *L, struct net *n, enum sieve_way way, struct sieve_object *object, int ref)
{
	struct script *s = script_of(L);
	if (count_own(s, n, way) == SIEVES_MAX)
		return NULL;
	struct sieve *sv = mem_new(sizeof(*sv));
	sv->script = s;
	sv->net = n;
	sv->way = way;
	sv->object = object;
	sv->ref = ref;
	resource_add(&sv->script->resources, &sv->resource, release);
	list_append(&n->sieves[way], &sv->node);
	n->n_sieves[way]++;
	return sv;
}

static void forget(struct sieve *sv)
{
	sv->object->sieve = NULL;
	luaL_unref(sv->script->vm.L, LUA_REGISTRYINDEX, sv->ref);
	resource_release(&sv->resource);
}

static void turn_off(struct sieve *sv)
{
	if (!sv->is_off && sv->net)
		sv->net->n_sieves[sv->way]--;
	sv->is_off = true;
}

void sieve_end(struct sieve *sv)
{
	struct host *h = sv->script->host;
	turn_off(sv);
	if (!h->is_sieving) {
		forget(sv);
		return;
	}
	list_remove(&sv->node);
	list_append(&h->ended_sieves, &sv->node);
}

/* The objects stay, for their scripts to call off. */
void sieve_end_all(struct net *n)
{
	for (int way = 0; way < SIEVE_WAYS; way++) {
		list_each_safe (node, &n->sieves[way]) {
			struct sieve *sv = container_of(node, struct sieve, node);
			turn_off(sv);
			sv->net = NULL;
			list_remove(node);
		}
	}
}

static int add_line(struct pass *p, struct str line)
{
	size_t n = p->to.n;
	int r = p->n_to ? buf_add(&p->to, (struct str){"", 1}) : 0;
	if (r == 0)
		r = buf_add(&p->to, line);
	if (r < 0)
		buf_truncate(&p->to, n);
	else
		p->n_to++;
	return r;
}

static const char *fault_of(enum sieve_way way, struct str line)
{
	struct message m;
	if (sendq_takes(line))
		return NULL;
	if (way == SIEVE_IN && str_has(line, '\n') && batch_parse(&m, line) == 0)
		return NULL;
	return "one line is expected, without CR, LF or NUL";
}

/* There is always room left for the lines that come after, as they are. */
const char *sieve_next(struct sieve *sv, struct str line)
{
	struct pass *p = sv ? sv->pass : NULL;
	if (!p)
		return "the filter has returned";
	const char *fault = fault_of(sv->way, line);
	if (fault)
		return fault;
	if (p->n_to + 1 + p->n_from > SIEVE_LINES_MAX)
		return "too many lines of one";
	if (p->to.n + 1 + line.n + p->n_from_bytes > SIEVE_MAX_BYTES || add_line(p, line) < 0)
		return "too many bytes of one line";
	return NULL;
}

/* What the protected call is given. */
struct question {
	const struct sieve *sieve;
	struct str line;
};

static int call_function(lua_State *L)
{
	const struct question *q = lua_touserdata(L, 1);
	lua_rawgeti(L, LUA_REGISTRYINDEX, q->sieve->ref);
	lua_getiuservalue(L, 2, 1);
	lua_pushlstring(L, q->line.p, q->line.n);
	lua_getiuservalue(L, 2, 2);
	lua_call(L, 2, 0);
	return 0;
}

/* A script that sends runs already: the function runs on top of it. */
static lua_State *thread_of(const struct script *s)
{
	const struct slice_run *run = slice_now;
	return run && run->script == s ? run->L : s->vm.L;
}

static void tell_of_failure(const struct sieve *sv, const char *text)
{
	if (text && trouble_is_told(sv->script))
		log_error("script %s: %s: %s", sv->script->name, names[sv->way], text);
}

static bool run(struct pass *p, struct sieve *sv, struct str line)
{
	lua_State *L = thread_of(sv->script);
	struct question q = {sv, line};
	if (!lua_checkstack(L, LUA_MINSTACK))
		return false;
	sv->pass = p;
	bool is_done = vm_call(L, call_function, &q, 0);
	sv->pass = NULL;
	if (is_done)
		return true;
	if (cancel_is(L, -1)) { /* for its time: it would hold up the next line as well */
		tell_of_failure(sv, "it was stopped, and is over");
		sieve_end(sv);
	} else {
		tell_of_failure(sv, lua_tostring(L, -1));
	}
	lua_pop(L, 1);
	return false;
}

static void pass_line(struct pass *p, struct sieve *sv, struct str line)
{
	size_t n_to = p->n_to, n_bytes = p->to.n;
	if (!sv->is_off && !sv->script->is_over && run(p, sv, line))
		return;
	buf_truncate(&p->to, n_bytes);
	p->n_to = n_to;
	(void)add_line(p, line); /* there is room */
}

static void swap(struct pass *p)
{
	struct buf b = p->from;
	p->from = p->to;
	p->to = b;
	buf_reset(&p->to);
	p->n_from = p->n_to;
	p->n_to = 0;
}

static void pass_all(struct pass *p, struct sieve *sv)
{
	struct str rest = buf_str(&p->from);
	while (rest.n) {
		struct str line = sieve_cut(&rest);
		p->n_from--;
		p->n_from_bytes = rest.n;
		pass_line(p, sv, line);
	}
	swap(p);
}

/* The sieves as they are now, in their order. Of a reload, those of the old code or of the new. */
static size_t list_sieves(const struct net *n, enum sieve_way way, struct sieve **chain)
{
	size_t n_chain = 0;
	list_each (at, &n->host->scripts) {
		const struct script *s = container_of(at, struct script, node);
		if (s->is_over || s->stage != SCRIPT_CURRENT)
			continue;
		list_each (node, &n->sieves[way]) {
			struct sieve *sv = container_of(node, struct sieve, node);
			if (sv->script == s)
				chain[n_chain++] = sv;
		}
	}
	return n_chain;
}

static void begin_pass(struct pass *p, struct host *h)
{
	*p = (struct pass){0};
	buf_init(&p->from, SIEVE_MAX_BYTES);
	buf_init(&p->to, SIEVE_MAX_BYTES);
	h->is_sieving = true;
}

static void end_pass(struct pass *p, struct host *h)
{
	h->is_sieving = false;
	buf_fini(&p->from);
	buf_fini(&p->to);
	while (!list_is_empty(&h->ended_sieves))
		forget(container_of(h->ended_sieves.next, struct sieve, node));
}

/* Runs the chain over line; false where it does not fit. */
static bool pass_through(
	struct net *n, struct sieve **chain, size_t n_chain, struct str line, struct buf *out)
{
	struct pass p;
	begin_pass(&p, n->host);
	bool is_done = add_line(&p, line) == 0;
	if (is_done) {
		swap(&p);
		for (size_t i = 0; i < n_chain; i++)
			pass_all(&p, chain[i]);
		buf_reset(out);
		is_done = buf_add(out, buf_str(&p.from)) == 0;
	}
	end_pass(&p, n->host);
	return is_done;
}

static bool pass_from_outside(
	struct net *n, struct sieve **chain, size_t n_chain, struct str line, struct buf *out)
{
	struct host *h = n->host;
	if (h->is_running)
		return pass_through(n, chain, n_chain, line, out);
	host_enter(h);
	bool is_done = pass_through(n, chain, n_chain, line, out);
	host_leave(h);
	return is_done;
}

bool sieve_pass(struct net *n, enum sieve_way way, struct str line, struct buf *out)
{
	if (n->n_sieves[way] == 0 || n->host->is_sieving) /* what a function sends passes none */
		return false;
	struct sieve **chain = mem_resize(NULL, n->n_sieves[way], sizeof(struct sieve *));
	size_t n_chain = list_sieves(n, way, chain);
	bool is_done = n_chain && pass_from_outside(n, chain, n_chain, line, out);
	free(chain);
	return is_done;
}
