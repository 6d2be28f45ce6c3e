#include "script/net.h"

#include "base/log.h"
#include "base/mem.h"
#include "irc/batch.h"
#include "irc/sendq.h"
#include "script/listen.h"
#include "script/persist.h"
#include "script/task.h"

#include <stdlib.h>
#include <string.h>

struct net *net_new(struct host *h, const char *name, const struct net_ops *ops, void *data)
{
	struct net *n = mem_new(sizeof(*n));
	n->host = h;
	n->name = mem_strdup(name);
	n->ops = ops;
	n->data = data;
	list_init(&n->connectors);
	list_init(&n->followers);
	list_init(&n->closers);
	list_init(&n->removers);
	list_init(&n->senders);
	list_init(&n->askers);
	list_init(&n->flushers);
	trail_init(&n->trail);
	for (int way = 0; way < SIEVE_WAYS; way++)
		list_init(&n->sieves[way]);
	buf_init(&n->sifted, SIEVE_MAX_BYTES);
	n->handle = handles_add(&h->handles, n);
	list_append(&h->nets, &n->node);
	map_put(&h->nets_by_name, str_of(name), n);
	return n;
}

void net_free(struct net *n)
{
	if (!n)
		return;
	waiters_fail(&n->connectors, ERR_REQUESTED, "the network was removed");
	waiters_fail(&n->followers, ERR_REQUESTED, "the network was removed");
	waiters_fail(&n->senders, ERR_DISCONNECTED, "the network was removed");
	waiters_fail(&n->askers, ERR_DISCONNECTED, "the network was removed");
	waiters_fail(&n->flushers, ERR_DISCONNECTED, "the network was removed");
	waiters_wake(&n->closers);
	waiters_wake(&n->removers);
	net_made_by(n, NULL);
	list_remove(&n->node);
	map_remove(&n->host->nets_by_name, str_of(n->name));
	handles_remove(&n->host->handles, n->handle);
	host_end_waits(n->host, n->handle);
	trail_fini(&n->trail);
	sieve_end_all(n);
	buf_fini(&n->sifted);
	free(n->name);
	free(n);
}

void net_made_by(struct net *n, const char *script)
{
	if (!script)
		waiters_fail(&n->removers, ERR_REQUESTED, "the network is configured now");
	free(n->maker);
	n->maker = script ? mem_strdup(script) : NULL;
}

void net_place_last(struct net *n)
{
	list_remove(&n->node);
	list_append(&n->host->nets, &n->node);
}

struct net *net_find(const struct host *h, struct str name)
{
	return map_get(&h->nets_by_name, name);
}

struct net_facts net_facts(const struct net *n)
{
	struct net_facts facts = {0};
	n->ops->facts(n->data, &facts);
	return facts;
}

static int send_rest(struct net *n, struct str *rest, bool is_raw, struct err *err)
{
	while (rest->n) {
		struct str after = *rest, line = sieve_cut(&after);
		int r = n->ops->send(n->data, line, is_raw, err);
		if (r < 0)
			return r;
		*rest = after;
	}
	return 0;
}

/* A line for which others are in the way: before it is cut, it has to be one. */
static int send_late(struct net *n, bool is_raw, struct str *rest, struct err *err)
{
	if (!sendq_takes(*rest))
		return err_set(err, ERR_INVALID, "the line is empty, or has a line break or a NUL");
	if (n->n_sieves[SIEVE_OUT] && sieve_pass(n, SIEVE_OUT, *rest, &n->sifted))
		*rest = buf_str(&n->sifted);
	if (rest->n && !list_is_empty(&n->senders))
		return err_set(err, ERR_AGAIN, "others wait for room");
	return send_rest(n, rest, is_raw, err);
}

int net_send(struct net *n, struct str line, bool is_raw, struct str *rest, struct err *err)
{
	*rest = line;
	if (n->n_sieves[SIEVE_OUT] || !list_is_empty(&n->senders))
		return send_late(n, is_raw, rest, err);
	return n->ops->send(n->data, line, is_raw, err);
}

int net_sift_question(struct net *n, struct str *line, struct err *err)
{
	if (!n->n_sieves[SIEVE_OUT] || !sendq_takes(*line) ||
		!sieve_pass(n, SIEVE_OUT, *line, &n->sifted))
		return 0;
	struct str rest = buf_str(&n->sifted);
	if (rest.n == 0)
		return err_set(err, ERR_DENIED, "a filter has taken the line away");
	*line = sieve_cut(&rest);
	return 0;
}

/* Takes the task of an asker off what it waits for. */
static void stop_asking(struct task *t)
{
	struct net_asker *a = container_of(t->source, struct net_asker, sender.waiter);
	struct net *n = a->net;
	list_remove(&a->sender.waiter.node);
	if (a->id.generation)
		n->ops->forget_request(n->data, a->id);
	a->id = (struct handle){0};
}

static int ask(struct net *n, struct net_asker *a, struct err *err)
{
	int r = n->ops->request(n->data, a->sender.lines, a->timeout_ns, a, &a->id, err);
	if (r < 0)
		a->id = (struct handle){0};
	return r;
}

int net_ask(struct net *n, struct net_asker *a, struct task *t, struct err *err)
{
	static const struct wait asking = {stop_asking, NULL};
	int r = list_is_empty(&n->senders) ? ask(n, a, err) : ERR_AGAIN;
	if (r < 0 && r != ERR_AGAIN)
		return r;
	waiter_join(r < 0 ? &n->senders : &n->askers, &a->sender.waiter, t);
	t->wait = &asking;
	return 0;
}

/* Sends what w waits to send, and wakes its task unless that waits for the answer then. */
static int send_for(struct net *n, struct net_waiter *w, struct err *err)
{
	int r = w->asker ? ask(n, w->asker, err) : send_rest(n, &w->lines, w->is_raw, err);
	if (r < 0)
		return r;
	if (w->asker) {
		list_remove(&w->waiter.node);
		list_append(&n->askers, &w->waiter.node);
	} else {
		task_wake(w->waiter.task, WAKE_DONE);
	}
	return 0;
}

void net_room(struct net *n)
{
	struct err err;
	while (!list_is_empty(&n->senders)) {
		struct net_waiter *w =
			container_of(n->senders.next, struct net_waiter, waiter.node);
		int r = send_for(n, w, &err);
		if (r == ERR_AGAIN)
			return;
		if (r < 0)
			task_fail(w->waiter.task, r, err.text);
	}
}

void net_flushed(struct net *n)
{
	list_each_safe (node, &n->flushers) {
		struct net_flusher *f = container_of(node, struct net_flusher, waiter.node);
		if (n->ops->is_past(n->data, &f->mark))
			task_wake(f->waiter.task, WAKE_DONE);
	}
}

static void put_fact(struct buf *b, const char *key, const char *value)
{
	persist_put_str(b, str_of(key));
	persist_put_str(b, str_of(value));
}

static void put_number(struct buf *b, const char *key, int64_t value)
{
	persist_put_str(b, str_of(key));
	persist_put_int(b, value);
}

/* An event about the network itself, with the values in the host's scratch buffer. */
static struct event own_event(struct net *n, int kind)
{
	struct host *h = n->host;
	return (struct event){.kind = kind,
		.net = n->handle,
		.net_name = str_of(n->name),
		.name = event_name(kind),
		.values = buf_str(&h->scratch),
		.wall_ns = host_wall_ns(h)};
}

/* The many parameters that a message can have are not cleared first, nor copied. */
static void hear(struct net *n, const struct received *line)
{
	struct host *h = n->host;
	const struct message *m = line->m;
	struct event e;
	memset(&e, 0, offsetof(struct event, m));
	memcpy(&e.m, m, offsetof(struct message, params[m->n_params]));
	e.kind = host_line_kind(h, m, line->kind);
	e.is_line = true;
	e.is_mine = line->is_mine;
	e.is_replayed = line->is_replayed;
	e.extra = line->extra;
	e.opening = line->opening;
	e.net = n->handle;
	e.net_name = str_of(n->name);
	e.wall_ns = host_wall_ns(h);
	e.isupport = n->ops->isupport(n->data);
	e.name = host_kind_name(h, e.kind);
	e.number = ++h->event_number;
	if (e.kind == EVENT_NICK || e.kind == EVENT_QUIT)
		trail_note(&n->trail, &e);
	host_event(h, &e);
}

/* A line that filters made in the place of another. */
static void hear_made(struct net *n, struct str line, const struct received *like)
{
	struct message m;
	struct isupport *is = n->ops->isupport(n->data);
	int kind = batch_parse(&m, line) < 0 ? -1 : event_kind_of(&m, is);
	if (kind < 0) {
		log_debug("%s: filter_in: no message, dropped: %.*s", n->name,
			(int)(line.n < 200 ? line.n : 200), line.p);
		return;
	}
	bool is_mine = m.nick.n && casemap_eq(is->casemap, m.nick, str_of(net_facts(n).nick));
	struct received made = {
		.m = &m,
		.kind = kind,
		.is_mine = is_mine,
		.is_replayed = like->is_replayed,
		.extra = kind == like->kind ? like->extra : STR_NONE,
		.opening = kind == like->kind ? like->opening : STR_NONE,
	};
	hear(n, &made);
}

static void hear_sifted(struct net *n, const struct received *line)
{
	struct buf sifted;
	buf_init(&sifted, SIEVE_MAX_BYTES);
	if (!sieve_pass(n, SIEVE_IN, line->m->raw, &sifted)) {
		hear(n, line);
	} else {
		for (struct str rest = buf_str(&sifted); rest.n;) {
			struct str made = sieve_cut(&rest);
			if (str_eq(made, line->m->raw))
				hear(n, line);
			else
				hear_made(n, made, line);
		}
	}
	buf_fini(&sifted);
}

void net_line(struct net *n, const struct received *line)
{
	if (n->n_sieves[SIEVE_IN])
		hear_sifted(n, line);
	else
		hear(n, line);
}

void net_connected(struct net *n)
{
	struct buf *b = &n->host->scratch;
	struct net_facts facts = net_facts(n);
	buf_reset(b);
	persist_open(b);
	put_fact(b, "host", facts.host);
	put_number(b, "port", facts.port);
	persist_close(b);
	struct event e = own_event(n, EVENT_CLIENT_CONNECT);
	host_event(n->host, &e);
}

/* Whether somebody waits in connect: a task whose own function is connect is nobody. */
static bool has_caller(const struct net *n)
{
	list_each (node, &n->connectors)
		if (!container_of(node, struct waiter, node)->task->is_connect)
			return true;
	return false;
}

static void tell_of_end(struct net *n, const struct net_end *end)
{
	struct buf *b = &n->host->scratch;
	buf_reset(b);
	persist_open(b);
	put_fact(b, "host", end->host);
	put_number(b, "port", end->port);
	put_fact(b, "reason", end->why->text);
	put_fact(b, "kind", err_name(end->why->code));
	persist_put_str(b, STR("requested"));
	persist_put_bool(b, end->why->code == ERR_REQUESTED);
	if (end->uptime_ns >= 0)
		put_number(b, "uptime", end->uptime_ns / NS_PER_S);
	persist_close(b);
	struct event e = own_event(n, EVENT_CLIENT_DISCONNECT);
	e.is_end = true;
	host_event(n->host, &e);
}

/* Who waits in connect was told of a failure: there is no event. */
static void end_quietly(struct net *n)
{
	waiters_wake(&n->closers);
	host_end_waits(n->host, n->handle);
}

void net_moved(struct net *n, const struct err *why)
{
	waiters_fail(&n->senders, ERR_DISCONNECTED, why->text);
	waiters_fail(&n->askers, ERR_DISCONNECTED, why->text);
	waiters_fail(&n->flushers, ERR_DISCONNECTED, why->text);
}

void net_closed(struct net *n, const struct net_end *end)
{
	bool is_failure = end->uptime_ns < 0 && end->why->code != ERR_REQUESTED;
	bool has_been_told = is_failure && has_caller(n);
	net_moved(n, end->why);
	waiters_fail(&n->connectors, end->why->code, end->why->text);
	if (has_been_told)
		end_quietly(n);
	else
		tell_of_end(n, end);
	if (list_is_empty(&n->followers))
		return;
	list_splice(&n->connectors, &n->followers);
	n->ops->connect(n->data);
}

static void wake_those_of(struct list *waiters, const struct script *s)
{
	list_each_safe (node, waiters) {
		struct task *t = container_of(node, struct waiter, node)->task;
		if (t->script == s)
			task_wake(t, WAKE_DONE);
	}
}

void net_delivered(struct net *n, const struct event *e, const struct script *s)
{
	if (e->kind == EVENT_CLIENT_CONNECT)
		wake_those_of(&n->connectors, s);
	else if (e->kind == EVENT_CLIENT_DISCONNECT)
		wake_those_of(&n->closers, s);
}

static void free_answer(struct resource *owned)
{
	struct net_answer *answer = container_of(owned, struct net_answer, owned);
	arena_release(answer->arena, event_size(answer->lines));
	event_unref(answer->lines);
	free(answer);
}

/* The lines as one event, which no script sees as such. */
static struct event lines_event(struct net *n, struct str lines)
{
	struct net_facts facts = net_facts(n);
	struct event e = {.kind = EVENT_BATCH,
		.is_line = true,
		.net = n->handle,
		.net_name = str_of(n->name),
		.name = event_name(EVENT_BATCH),
		.number = ++n->host->event_number,
		.wall_ns = host_wall_ns(n->host),
		.isupport = facts.isupport,
		.extra = lines};
	e.m.raw = e.m.nick = str_of(facts.nick);
	return e;
}

/* NULL: the script has no room for it. */
static struct net_answer *keep_answer(struct net *n, struct task *t, struct str lines)
{
	struct event e = lines_event(n, lines), *kept = &e;
	struct arena *arena = &t->script->vm.arena;
	if (!arena_charge(arena, event_size(&e)))
		return NULL;
	struct net_answer *answer = mem_new(sizeof(*answer));
	event_hold(&kept);
	answer->lines = kept;
	answer->arena = arena;
	list_init(&answer->owned.node);
	resource_add(&t->holds, &answer->owned, free_answer);
	return answer;
}

static char lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static void note_kind(struct net_asker *a, const struct request_result *result)
{
	struct str kind =
		result->error_code.p ? result->error_code : str_of(event_name(result->error));
	size_t n = kind.n < NET_KIND_BYTES ? kind.n : NET_KIND_BYTES - 1;
	for (size_t i = 0; i < n; i++)
		a->kind[i] = lower(kind.p[i]);
	a->kind[n] = '\0';
}

/* The server's words for a no may be missing. */
static void tell_of_no(struct net_asker *a, const struct request_result *result)
{
	struct err err;
	note_kind(a, result);
	err_set(&err, ERR_DENIED, "%" STR_F, STR_A(result->words));
	task_fail(a->sender.waiter.task, ERR_DENIED, result->words.n ? err.text : a->kind);
}

static void tell_of_failure(struct net_asker *a, int code)
{
	struct err err;
	if (code == ERR_TIMEOUT)
		err_set(&err, code, "no answer within %g s", (double)a->timeout_ns / NS_PER_S);
	else
		err_set(&err, code, "the answer is too long");
	task_fail(a->sender.waiter.task, code, err.text);
}

void net_answered(struct net *n, const struct request_result *result)
{
	struct net_asker *a = result->data;
	struct task *t = a->sender.waiter.task;
	a->id = (struct handle){0};
	if (result->code == ERR_DISCONNECTED)
		return;
	if (result->code == ERR_DENIED) {
		tell_of_no(a, result);
	} else if (result->code < 0) {
		tell_of_failure(a, result->code);
	} else {
		a->row = result->row;
		a->answer = keep_answer(n, t, result->lines);
		task_wake(t, WAKE_DONE);
	}
}
