#include "sim/wire.h"

#include "base/mem.h"
#include "sim/client.h"
#include "sim/server.h"

#include <stdlib.h>
#include <string.h>

struct delivery {
	struct list node;
	struct sim_client *client;
	enum sim_wire_kind kind;
	int64_t at_ns;
	size_t n;
	char bytes[];
};

static bool is_to_client(enum sim_wire_kind kind)
{
	return kind != SIM_WIRE_TO_SERVER && kind != SIM_WIRE_SERVER_END;
}

/* Keeps the order of what goes the same way, also when the lag has become shorter. */
static int64_t due(struct sim_client *c, enum sim_wire_kind kind)
{
	int64_t *last_ns = &c->due_ns[is_to_client(kind)];
	int64_t at_ns = c->net->timers->now_ns + c->faults.lag_ns;
	if (at_ns > *last_ns)
		*last_ns = at_ns;
	return *last_ns;
}

/* Before the first that is due later. */
static void insert(struct sim_network *net, struct delivery *d)
{
	struct list *at = &net->wire;
	while (at->prev != &net->wire &&
		container_of(at->prev, struct delivery, node)->at_ns > d->at_ns)
		at = at->prev;
	list_append(at, &d->node);
}

static void put(struct sim_client *c, enum sim_wire_kind kind, struct str bytes)
{
	struct delivery *d = mem_new(sizeof(*d) + bytes.n + 1);
	d->client = c;
	d->kind = kind;
	d->at_ns = due(c, kind);
	d->n = bytes.n;
	if (bytes.n)
		memcpy(d->bytes, bytes.p, bytes.n);
	c->queued_bytes += bytes.n;
	insert(c->net, d);
}

void sim_wire_put(struct sim_client *c, enum sim_wire_kind kind, struct str bytes)
{
	bool is_line = kind == SIM_WIRE_TO_SERVER || kind == SIM_WIRE_TO_CLIENT;
	if (!is_line || c->queued_bytes + bytes.n <= SIM_QUEUED_MAX_BYTES)
		put(c, kind, bytes);
	else if (kind == SIM_WIRE_TO_CLIENT && !c->is_overfull) {
		c->is_overfull = true;
		put(c, SIM_WIRE_SERVER_END, STR("Max SendQ exceeded"));
	}
}

static void drop(struct delivery *d)
{
	list_remove(&d->node);
	d->client->queued_bytes -= d->n;
	free(d);
}

void sim_wire_forget(struct sim_client *c)
{
	list_each_safe (node, &c->net->wire) {
		struct delivery *d = container_of(node, struct delivery, node);
		if (d->client == c)
			drop(d);
	}
}

void sim_wire_fini(struct sim_network *net)
{
	list_each_safe (node, &net->wire)
		drop(container_of(node, struct delivery, node));
	timers_cancel(net->timers, &net->wire_timer);
}

static void end_client(struct sim_client *c, enum sim_end how)
{
	if (c->is_told)
		return;
	c->is_told = true;
	c->ops->ended(c, how);
}

static void act(struct sim_client *c, const struct delivery *d)
{
	struct str bytes = {d->bytes, d->n};
	switch (d->kind) {
	case SIM_WIRE_TO_SERVER:
		sim_serve(c, bytes);
		break;
	case SIM_WIRE_SERVER_END:
		sim_client_lost(c, d->bytes);
		break;
	case SIM_WIRE_TO_CLIENT:
		c->ops->deliver(c, bytes);
		break;
	case SIM_WIRE_CLIENT_END:
		end_client(c, SIM_CLOSED);
		break;
	case SIM_WIRE_CLIENT_RESET:
		end_client(c, SIM_RESET);
		break;
	}
}

/* list_remove of the first node, in a form that the static analyzer can follow. */
static void remove_first(struct list *head)
{
	struct list *first = head->next;
	head->next = first->next;
	head->next->prev = head;
	list_init(first);
}

/* Takes the first that is due off the wire. */
static struct delivery *take_due(struct sim_network *net)
{
	if (list_is_empty(&net->wire))
		return NULL;
	struct delivery *d = container_of(net->wire.next, struct delivery, node);
	if (d->at_ns > net->timers->now_ns)
		return NULL;
	remove_first(&net->wire);
	d->client->queued_bytes -= d->n;
	return d;
}

static void deliver(const struct delivery *d)
{
	struct sim_client *c = d->client;
	if (!c->faults.is_half_open && !(is_to_client(d->kind) && c->is_forgotten))
		act(c, d);
}

static void empty_graves(struct sim_network *net)
{
	list_each_safe (node, &net->graves)
		sim_client_free(container_of(node, struct sim_client, node));
}

void sim_wire_run(struct sim_network *net)
{
	struct delivery *d;
	if (net->is_delivering)
		return;
	net->is_delivering = true;
	for (int i = 0; i < SIM_DELIVERIES_MAX && (d = take_due(net)); i++) {
		deliver(d);
		free(d);
	}
	net->is_delivering = false;
	empty_graves(net);
	sim_wire_arm(net);
}

void sim_wire_arm(struct sim_network *net)
{
	if (list_is_empty(&net->wire)) {
		timers_cancel(net->timers, &net->wire_timer);
		return;
	}
	const struct delivery *d = container_of(net->wire.next, struct delivery, node);
	timers_set(net->timers, &net->wire_timer, d->at_ns);
}
