#include "sim/whowas.h"

#include "base/mem.h"
#include "sim/client.h"
#include "sim/server.h"

#include <stdlib.h>

struct sim_gone {
	struct list node;
	char *nick, *user, *host, *realname; /* owned */
	int64_t at_ns;
};

static void drop(struct sim_network *net, struct sim_gone *g)
{
	char *const owned[] = {g->nick, g->user, g->host, g->realname};
	list_remove(&g->node);
	net->n_gone--;
	for (size_t i = 0; i < COUNTOF(owned); i++)
		free(owned[i]);
	free(g);
}

void sim_gone_note(const struct sim_client *c)
{
	struct sim_network *net = c->net;
	if (net->n_gone == SIM_GONE_MAX)
		drop(net, container_of(net->gone.prev, struct sim_gone, node));
	struct sim_gone *g = mem_new(sizeof(*g));
	g->nick = mem_strdup(c->nick);
	g->user = mem_strdup(c->user);
	g->host = mem_strdup(c->host);
	g->realname = mem_strdup(c->realname);
	g->at_ns = net->timers->now_ns;
	list_append(net->gone.next, &g->node);
	net->n_gone++;
}

void sim_gone_fini(struct sim_network *net)
{
	list_each_safe (node, &net->gone)
		drop(net, container_of(node, struct sim_gone, node));
}

void sim_on_whowas(struct sim_client *c, const struct message *m)
{
	struct str nick = m->params[0];
	bool is_known = false;
	list_each (node, &c->net->gone) {
		const struct sim_gone *g = container_of(node, struct sim_gone, node);
		if (!sim_same(c->net, str_of(g->nick), nick))
			continue;
		is_known = true;
		sim_reply(c, 314, "%s %s %s * :%s", g->nick, g->user, g->host, g->realname);
		sim_reply(c, 312, "%s %s :%lld", g->nick, c->net->server,
			(long long)sim_wall_s(c->net, g->at_ns));
	}
	if (!is_known)
		sim_reply(c, 406, "%" STR_F " :There was no such nickname", STR_A(nick));
	sim_reply(c, 369, "%" STR_F " :End of WHOWAS", STR_A(nick));
}
