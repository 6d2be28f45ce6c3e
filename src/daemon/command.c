#include "daemon/command.h"

#include "script/net.h"

#include <unistd.h>

/* Seconds, to a millisecond; null where it was not measured. */
static json_t *lag_of(const struct net_facts *facts)
{
	int64_t lag_ms = facts->lag_ns / NS_PER_MS;
	return facts->lag_ns < 0 ? json_null() : json_real((double)lag_ms / 1000);
}

static json_t *describe_network(const struct net *n)
{
	struct net_facts facts = net_facts(n);
	json_t *network = json_object();
	json_object_set_new(network, "name", wire_text(str_of(n->name)));
	json_object_set_new(network, "state", wire_text(str_of(facts.state)));
	json_object_set_new(network, "nick", wire_text(str_of(facts.nick)));
	json_object_set_new(network, "host", wire_text(str_of(facts.host)));
	json_object_set_new(network, "port", json_integer(facts.port));
	json_object_set_new(network, "lag", lag_of(&facts));
	return network;
}

static json_t *describe_networks(const struct host *h)
{
	json_t *networks = json_array();
	list_each (node, &h->nets)
		json_array_append_new(
			networks, describe_network(container_of(node, struct net, node)));
	return networks;
}

static json_int_t count(const struct list *list)
{
	json_int_t n = 0;
	list_each (node, list)
		n++;
	return n;
}

static void run_status(void *data, struct control_caller caller, const struct wire_request *request)
{
	(void)request;
	const struct command_parts *parts = data;
	const struct core *core = parts->core;
	int64_t uptime_ns = core->loop->timers.now_ns - parts->start_ns;
	json_t *status = json_object();
	json_object_set_new(status, "version", json_string(EBB_VERSION));
	json_object_set_new(status, "pid", json_integer(getpid()));
	json_object_set_new(status, "uptime", json_integer(uptime_ns / NS_PER_S));
	json_object_set_new(status, "scripts", json_integer(count(&core->host.scripts)));
	json_object_set_new(status, "networks", describe_networks(&core->host));
	control_reply(caller, status);
}

static void run_shutdown(
	void *data, struct control_caller caller, const struct wire_request *request)
{
	(void)request;
	const struct command_parts *parts = data;
	control_reply(caller, NULL);
	parts->shut_down(parts->data);
}

const struct control_command command_table[] = {
	{"status",   run_status  },
	{"shutdown", run_shutdown},
	{NULL,       NULL        },
};
