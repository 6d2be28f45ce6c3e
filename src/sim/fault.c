#include "sim/fault.h"

#include "base/mem.h"
#include "sim/client.h"
#include "sim/split.h"
#include "sim/wire.h"

#include <stdio.h>
#include <stdlib.h>

/* The connections that a fault means: one, or all that are still there. */
static bool is_meant(const struct sim_client *c, struct sim_conn *only)
{
	return !c->is_person && (!only || c == sim_conn_client(only));
}

#define each_meant(c, net, only)                                                             \
	list_each_safe (c##_node, &(net)->clients)                                           \
		for (struct sim_client *c = container_of(c##_node, struct sim_client, node); \
			c && is_meant(c, only); c = NULL)

void fault_lag(struct sim_network *net, struct sim_conn *only, int64_t delay_ns)
{
	each_meant(c, net, only) c->faults.lag_ns = delay_ns;
	if (!only)
		net->faults.lag_ns = delay_ns;
}

void fault_drop(struct sim_network *net, struct sim_conn *only)
{
	each_meant(c, net, only) sim_client_reset(c);
	sim_wire_run(net);
}

void fault_close(struct sim_network *net, struct sim_conn *only, const char *words)
{
	each_meant(c, net, only) sim_client_error(c, words, words);
	sim_wire_run(net);
}

void fault_silence(struct sim_network *net, struct sim_conn *only, enum fault_silence how)
{
	each_meant(c, net, only) c->faults.silence = how;
	if (!only)
		net->faults.silence = how;
}

/* Whose end was lost meanwhile is gone once bytes pass again. */
static void wake(struct sim_client *c)
{
	if (c->is_forgotten)
		sim_client_lost(c, "Connection reset by peer");
}

void fault_half_open(struct sim_network *net, struct sim_conn *only, bool is_half_open)
{
	each_meant(c, net, only)
	{
		c->faults.is_half_open = is_half_open;
		if (!is_half_open)
			wake(c);
	}
	if (!only)
		net->faults.is_half_open = is_half_open;
	sim_wire_run(net);
}

void fault_down(struct sim_network *net, bool is_down)
{
	net->is_down = is_down;
}

void fault_refuse(struct sim_network *net, int count, int numeric, const char *text)
{
	free(net->refusal.text);
	net->refusal = (struct sim_refusal){count, numeric, mem_strdup(text)};
}

void fault_throttle(struct sim_network *net, int64_t window_ns)
{
	net->throttle_ns = window_ns;
}

void fault_flood(struct sim_network *net, unsigned n_lines, int64_t window_ns)
{
	net->flood_lines = n_lines;
	net->flood_ns = window_ns;
}

void fault_split(struct sim_network *net, struct person *const *people, size_t n)
{
	char reason[MESSAGE_BYTES];
	snprintf(reason, sizeof(reason), "%s far.sim.example", net->server);
	for (size_t i = 0; i < n; i++)
		sim_split_off(people[i], reason);
	sim_wire_run(net);
}

void fault_rejoin(struct sim_network *net)
{
	list_each (node, &net->clients) {
		struct sim_client *c = container_of(node, struct sim_client, node);
		if (c->is_person)
			sim_split_rejoin(c);
	}
	sim_wire_run(net);
}
