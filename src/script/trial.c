#include "script/trial.h"

#include "base/mem.h"
#include "script/cancel.h"
#include "script/host.h"
#include "script/match.h"
#include "script/net.h"
#include "script/sync.h"
#include "script/task.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

struct trial_conn {
	struct list node;
	const struct trial_net *net;
	uint64_t number;
};

static bool is_usable(const struct trial_bot *b)
{
	for (size_t i = 0; i < b->n_nets; i++) {
		const struct net *n = net_find(b->host, str_of(b->nets[i]->name));
		if (!n || !net_facts(n).is_usable)
			return false;
	}
	return true;
}

/* A bot that was not ready yet may do whatever it does on the way. */
static void mark_bots(struct trial *t)
{
	list_each (node, &t->bots) {
		struct trial_bot *b = container_of(node, struct trial_bot, node);
		if (!b->made || b->is_up)
			continue;
		b->since = pending_now(b->host);
		b->is_up = is_usable(b);
	}
}

static void on_quiet(struct job *job)
{
	struct trial *t = container_of(job, struct trial, quiet);
	mark_bots(t);
	waiters_wake(&t->settlers);
}

void trial_init(struct trial *t, struct loop *loop, struct rand *rand, const struct trial_ops *ops,
	void *data)
{
	*t = (struct trial){.loop = loop,
		.rand = rand,
		.ops = ops,
		.data = data,
		.start_ns = loop->timers.now_ns};
	list_init(&t->nets);
	list_init(&t->bots);
	list_init(&t->lines);
	list_init(&t->log);
	list_init(&t->settlers);
	list_init(&t->hearers);
	job_init(&t->quiet, on_quiet);
}

static void free_bot(struct trial_bot *b)
{
	list_remove(&b->node);
	list_each_safe (node, &b->conns)
		free(container_of(node, struct trial_conn, node));
	free(b->nets);
	free(b);
}

static void free_net(struct trial_net *n)
{
	list_remove(&n->node);
	sim_network_free(n->sim);
	free(n->name);
	free(n->attempts_ns);
	free(n);
}

void trial_fini(struct trial *t)
{
	job_cancel(&t->quiet);
	list_each_safe (node, &t->bots)
		free_bot(container_of(node, struct trial_bot, node));
	list_each_safe (at, &t->nets)
		free_net(container_of(at, struct trial_net, node));
	list_each_safe (line, &t->lines)
		free(container_of(line, struct trial_line, node));
	list_each_safe (entry, &t->log)
		free(container_of(entry, struct trial_entry, node));
	for (size_t i = 0; i < t->n_tests; i++)
		free(t->tests[i].name);
	free(t->tests);
}

double trial_seconds(const struct trial *t, int64_t at_ns)
{
	return (double)(at_ns - t->start_ns) / NS_PER_S;
}

static const struct trial_bot *bot_of(const struct trial_net *n, uint64_t number)
{
	list_each (node, &n->trial->bots) {
		const struct trial_bot *b = container_of(node, struct trial_bot, node);
		list_each (at, &b->conns) {
			const struct trial_conn *c = container_of(at, struct trial_conn, node);
			if (c->net == n && c->number == number)
				return b;
		}
	}
	return NULL;
}

static void on_overheard(void *data, uint64_t by, const struct message *m)
{
	struct trial_net *n = data;
	struct trial *t = n->trial;
	struct trial_line *line = mem_new(sizeof(*line) + m->raw.n + 1);
	line->at_ns = t->loop->timers.now_ns;
	line->net = n;
	line->bot = bot_of(n, by);
	memcpy(line->text, m->raw.p, m->raw.n);
	list_append(&t->lines, &line->node);
	if (line->bot)
		waiters_wake(&t->hearers);
}

struct trial_net *trial_net_new(
	struct trial *t, const char *name, const struct sim_options *options)
{
	struct sim_network *sim = sim_network_new(options, &t->loop->timers);
	if (!sim)
		return NULL;
	struct trial_net *n = mem_new(sizeof(*n));
	n->trial = t;
	n->name = mem_strdup(name);
	n->sim = sim;
	list_append(&t->nets, &n->node);
	sim_watch(sim, on_overheard, n);
	return n;
}

struct trial_bot *trial_bot_new(
	struct trial *t, const struct trial_bot_options *options, struct err *err)
{
	struct trial_bot *b = mem_new(sizeof(*b));
	b->trial = t;
	b->n_nets = options->n_nets;
	b->nets = mem_resize(NULL, options->n_nets, sizeof(struct trial_net *));
	memcpy(b->nets, options->nets, options->n_nets * sizeof(struct trial_net *));
	list_init(&b->conns);
	list_append(&t->bots, &b->node);
	b->made = t->ops->make(t->data, b, options, err);
	if (b->made)
		return b;
	free_bot(b);
	return NULL;
}

void trial_bot_stop(struct trial_bot *b)
{
	void *made = b->made;
	b->made = NULL;
	b->host = NULL;
	if (made)
		b->trial->ops->end(made);
}

void trial_stop_all(struct trial *t)
{
	list_each (node, &t->bots)
		trial_bot_stop(container_of(node, struct trial_bot, node));
}

static struct trial_net *net_of(const struct trial *t, const struct sim_network *sim)
{
	const struct list *node = t->nets.next;
	while (container_of(node, struct trial_net, node)->sim != sim)
		node = node->next;
	return container_of(node, struct trial_net, node);
}

struct sim_network *trial_find_sim(const struct trial *t, struct str name)
{
	list_each (node, &t->nets) {
		const struct trial_net *n = container_of(node, struct trial_net, node);
		if (str_eq(str_of(n->name), name))
			return n->sim;
	}
	return NULL;
}

void trial_tried(struct trial_bot *b, struct sim_network *sim, const struct sim_conn *conn)
{
	struct trial_net *n = net_of(b->trial, sim);
	n->attempts_ns = mem_resize(n->attempts_ns, n->n_attempts + 1, sizeof(*n->attempts_ns));
	n->attempts_ns[n->n_attempts++] = b->trial->loop->timers.now_ns;
	if (!conn)
		return;
	struct trial_conn *c = mem_new(sizeof(*c));
	c->net = n;
	c->number = sim_conn_number(conn);
	list_append(&b->conns, &c->node);
}

static int error_text(lua_State *T)
{
	vm_push_error_text(T, 1);
	return 1;
}

static void on_ended(struct task *task, void *data)
{
	const struct trial *t = data;
	lua_State *T = task->T;
	if (!task->failed) {
		t->ended(t->ended_data, NULL);
		return;
	}
	lua_pushcfunction(T, error_text);
	lua_pushvalue(T, -2);
	lua_pcall(T, 1, 1, 0); /* text, or what went wrong with making it */
	const char *why = lua_tostring(T, -1);
	t->ended(t->ended_data, why ? why : "an error that cannot be told");
	lua_pop(T, 1);
}

static struct script *script_in(const struct host *h)
{
	return container_of(h->scripts.next, struct script, node);
}

bool trial_is_defined(const struct host *h)
{
	return !handles_get(&h->handles, script_in(h)->main);
}

struct start {
	struct trial *trial;
	const struct trial_test *test;
};

static int make_task(lua_State *L)
{
	const struct start *s = lua_touserdata(L, 1);
	struct script *script = script_of(L);
	struct task *task = task_new(
		L, script, script_intern(script, "test"), script_intern(script, s->test->name));
	lua_rawgeti(L, LUA_REGISTRYINDEX, s->test->function_ref);
	lua_xmove(L, task->T, 1);
	task->ended = on_ended;
	task->ended_data = s->trial;
	task->is_awaited = true;
	task_enqueue(task);
	return 0;
}

bool trial_start(struct trial *t, struct host *h, const struct trial_test *test,
	void (*ended)(void *data, const char *why), void *data)
{
	struct start s = {t, test};
	lua_State *L = script_in(h)->vm.L;
	t->ended = ended;
	t->ended_data = data;
	bool ok = vm_call(L, make_task, &s, 0);
	if (!ok)
		lua_pop(L, 1);
	return ok;
}

int trial_matches(const char *name, const char *pattern)
{
	struct match m;
	match_init(&m, str_of(name), str_of(pattern), MATCH_STEPS_ASKED);
	match_anchor(&m);
	if (!match_check(&m))
		return ERR_INVALID;
	return match_find(&m, 0, MATCH_NOWHERE) == MATCH_FOUND;
}

void trial_log(struct trial *t, enum log_level level, struct str text)
{
	struct trial_entry *e = mem_new(sizeof(*e) + text.n + 1);
	e->at_ns = t->loop->timers.now_ns;
	e->level = level;
	memcpy(e->text, text.p, text.n);
	list_append(&t->log, &e->node);
}

void trial_want_quiet(struct trial *t)
{
	loop_when_quiet(t->loop, &t->quiet);
}

const struct trial_line *trial_next(
	const struct trial_bot *b, trial_wanted *is_wanted, const void *data, struct message *m)
{
	list_each (node, &b->trial->lines) {
		struct trial_line *line = container_of(node, struct trial_line, node);
		if (line->is_read || line->bot != b || message_parse(m, str_of(line->text)) < 0 ||
			!is_wanted(m, data))
			continue;
		line->is_read = true;
		return line;
	}
	return NULL;
}

unsigned trial_pending(struct trial *t, pending_tell *tell, void *data)
{
	unsigned n = 0;
	mark_bots(t);
	list_each (node, &t->bots) {
		const struct trial_bot *b = container_of(node, struct trial_bot, node);
		if (b->made)
			n += pending_each(b->host, b->since, true, tell, data);
	}
	return n;
}
