#include "sim/barrier.h"

#include "base/mem.h"
#include "sim/client.h"
#include "sim/fault.h"
#include "sim/server.h"

#include <stdlib.h>

struct sim_barrier {
	struct list node;
	char *channel, *to; /* owned; to NULL but for 470 */
	int count;          /* joins still to be stopped, or FAULT_ALWAYS */
	int numeric;
};

static struct sim_barrier *find_barrier(const struct sim_network *net, struct str name)
{
	list_each (node, &net->barriers) {
		struct sim_barrier *b = container_of(node, struct sim_barrier, node);
		if (sim_same(net, str_of(b->channel), name))
			return b;
	}
	return NULL;
}

static void drop(struct sim_barrier *b)
{
	list_remove(&b->node);
	free(b->channel);
	free(b->to);
	free(b);
}

void sim_barriers_fini(struct sim_network *net)
{
	list_each_safe (node, &net->barriers)
		drop(container_of(node, struct sim_barrier, node));
}

void fault_refuse_join(
	struct sim_network *net, const char *channel, int count, int numeric, const char *to)
{
	struct sim_barrier *b = find_barrier(net, str_of(channel));
	if (b)
		drop(b);
	if (count == 0)
		return;
	b = mem_new(sizeof(*b));
	b->channel = mem_strdup(channel);
	b->to = mem_strdup(to);
	b->count = count;
	b->numeric = numeric;
	list_append(&net->barriers, &b->node);
}

static void forward(struct sim_client *c, const struct sim_barrier *b)
{
	sim_reply(c, 470, "%s %s :Forwarding to another channel", b->channel, b->to);
	if (!find_barrier(c->net, str_of(b->to)))
		sim_join(c, str_of(b->to), STR_NONE);
}

bool sim_barrier_stops(struct sim_client *c, struct str name)
{
	struct sim_barrier *b = c->is_person ? NULL : find_barrier(c->net, name);
	if (!b)
		return false;
	if (b->numeric == 470 && b->to)
		forward(c, b);
	else
		sim_reply(c, b->numeric, "%s :%s", b->channel,
			sim_usual_words(b->numeric, "Cannot join channel"));
	if (b->count > 0 && --b->count == 0)
		drop(b);
	return true;
}
