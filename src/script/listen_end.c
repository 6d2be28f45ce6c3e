#include "script/backlog.h"
#include "script/host.h"
#include "script/listen.h"
#include "script/task.h"

/* Waits and loops that end with a connection, or with its network. */

static bool ends_with(const struct listener *l, struct handle net, uint64_t limit)
{
	return l->order <= limit && l->net.index == net.index &&
	       l->net.generation == net.generation;
}

/* Whether all that it listens to comes from a network. */
static bool is_of_network(const struct listener *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->nodes[i].kind > EVENT_CLIENT_DISCONNECT)
			return false;
	return true;
}

static void end_waits_of(struct task *t, struct handle net, uint64_t limit)
{
	list_each (node, &t->waits) {
		const struct listener *l = container_of(node, struct listener, all);
		if (is_of_network(l) && ends_with(l, net, limit)) {
			task_fail(t, ERR_DISCONNECTED, "disconnected");
			return;
		}
	}
}

/* Nothing comes any more of a network that is gone. */
static void end_for_good(struct script *s, struct handle net, uint64_t limit)
{
	list_each (node, &s->listeners) {
		const struct listener *l = container_of(node, struct listener, all);
		if (l->backlog && is_of_network(l) && ends_with(l, net, limit))
			backlog_end(l->backlog);
	}
	list_each (node, &s->tasks)
		end_waits_of(container_of(node, struct task, all), net, limit);
}

void listen_end_waits(struct script *s, struct handle net, uint64_t limit)
{
	s->outage_is_told = false;
	list_each_safe (node, &s->ending) {
		struct listener *l = container_of(node, struct listener, ending);
		if (!ends_with(l, net, limit))
			continue;
		if (l->backlog)
			backlog_end(l->backlog);
		else
			task_fail(l->task, ERR_DISCONNECTED, "disconnected");
	}
	if (!handles_get(&s->host->handles, net))
		end_for_good(s, net, limit);
}
