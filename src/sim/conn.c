#include "base/mem.h"
#include "sim/client.h"
#include "sim/server.h"
#include "sim/watch.h"
#include "sim/wire.h"

#include <stdlib.h>

struct sim_conn {
	struct sim_client client;
	const struct sim_conn_events *events;
	void *owner;
};

static struct sim_conn *conn_of(struct sim_client *c)
{
	return container_of(c, struct sim_conn, client);
}

static void deliver(struct sim_client *c, struct str line)
{
	conn_of(c)->events->write(conn_of(c)->owner, line);
}

static void ended(struct sim_client *c, enum sim_end how)
{
	conn_of(c)->events->closed(conn_of(c)->owner, how);
}

static void free_conn(struct sim_client *c)
{
	free(conn_of(c));
}

static const struct sim_client_ops ops = {deliver, ended, free_conn};

/* A connection that comes too soon after another is closed before it said anything. */
static void throttle(struct sim_client *c)
{
	struct sim_network *net = c->net;
	int64_t now_ns = net->timers->now_ns;
	bool is_too_fast = net->throttle_ns && net->was_connected &&
			   now_ns - net->connected_ns < net->throttle_ns;
	net->was_connected = true;
	net->connected_ns = now_ns;
	if (is_too_fast)
		sim_client_error(c, "Throttled", "Trying to reconnect too fast.");
}

struct sim_conn *sim_connect(
	struct sim_network *net, const struct sim_conn_events *events, void *owner)
{
	if (net->is_down || net->n_clients >= SIM_CLIENTS_MAX)
		return NULL;
	struct sim_conn *conn = mem_new(sizeof(*conn));
	conn->events = events;
	conn->owner = owner;
	sim_client_init(&conn->client, net, &ops, net->host);
	conn->client.faults = net->faults;
	sim_expect_registration(&conn->client);
	throttle(&conn->client);
	sim_wire_arm(net);
	return conn;
}

void sim_receive(struct sim_conn *conn, struct str line)
{
	if (conn->client.is_told)
		return;
	if (line.n > SIM_LINE_MAX_BYTES)
		line.n = SIM_LINE_MAX_BYTES;
	sim_wire_put(&conn->client, SIM_WIRE_TO_SERVER, line);
	sim_wire_run(conn->client.net);
}

void sim_close(struct sim_conn *conn)
{
	if (!conn)
		return;
	struct sim_client *c = &conn->client;
	struct sim_network *net = c->net;
	c->is_forgotten = true;
	if (c->stage == SIM_GONE)
		sim_client_bury(c);
	else
		sim_wire_put(c, SIM_WIRE_SERVER_END, STR("Connection closed"));
	sim_wire_run(net);
}

const char *sim_conn_nick(const struct sim_conn *conn)
{
	return conn->client.stage == SIM_READY ? conn->client.nick : NULL;
}

uint64_t sim_conn_number(const struct sim_conn *conn)
{
	return conn->client.number;
}

struct sim_client *sim_conn_client(struct sim_conn *conn)
{
	return &conn->client;
}
