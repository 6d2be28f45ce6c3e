#include "sim/channel.h"
#include "sim/client.h"
#include "sim/server.h"
#include "sim/wire.h"

/* What changes about a client while it is here: its names, by itself or by others. */

bool sim_rename(struct sim_network *net, const char *nick, const char *other)
{
	struct sim_client *c = sim_find(net, str_of(nick));
	const struct sim_client *holder = sim_find(net, str_of(other));
	if (!c || (holder && holder != c) || !sim_is_nick(net, str_of(other)))
		return false;
	sim_change_nick(c, str_of(other));
	sim_wire_run(net);
	return true;
}

/* Who does not know CHGHOST sees c leave and come back. */
static void tell_cycle(const struct sim_client *c, const struct sim_member *m)
{
	const struct sim_channel *ch = m->channel;
	list_each (node, &ch->members) {
		struct sim_client *to = container_of(node, struct sim_member, in_channel)->client;
		if (to == c || (to->caps & SIM_CAP_CHGHOST))
			continue;
		sim_channel_show_join(m, to);
		if (m->modes[0])
			sim_tell(to, NULL, "MODE %s +%c %s", ch->name, m->modes[0], c->nick);
	}
}

static void tell_quit(struct sim_client *c)
{
	c->round = ++c->net->round;
	list_each (in_client, &c->channels) {
		const struct sim_channel *ch =
			container_of(in_client, struct sim_member, in_client)->channel;
		list_each (node, &ch->members) {
			struct sim_client *to =
				container_of(node, struct sim_member, in_channel)->client;
			if (to->round == c->round || (to->caps & SIM_CAP_CHGHOST))
				continue;
			to->round = c->round;
			sim_tell(to, c, "QUIT :Changing host");
		}
	}
}

bool sim_change_host(struct sim_network *net, const char *nick, const char *user, const char *host)
{
	struct sim_client *c = sim_find(net, str_of(nick));
	if (!c)
		return false;
	tell_quit(c);
	sim_notify(c, SIM_CAP_CHGHOST, "CHGHOST %s %s", user ? user : c->user, host);
	if (c->caps & SIM_CAP_CHGHOST)
		sim_tell(c, c, "CHGHOST %s %s", user ? user : c->user, host);
	sim_set(&c->host, str_of(host), sim_limit(net->isupport->hostlen, 63));
	if (user)
		sim_set(&c->user, str_of(user), sim_limit(net->isupport->userlen, 10));
	list_each (node, &c->channels)
		tell_cycle(c, container_of(node, struct sim_member, in_client));
	sim_reply(c, 396, "%s :is now your displayed host", c->host);
	sim_wire_run(net);
	return true;
}

void sim_on_setname(struct sim_client *c, const struct message *m)
{
	struct str name = m->params[0];
	if (!sim_profile_offers(c->net->profile, STR("setname"))) {
		sim_unknown(c, "SETNAME");
		return;
	}
	if (!name.n || name.n > sim_limit(c->net->isupport->namelen, 128)) {
		sim_fail(c, "SETNAME", "INVALID_REALNAME", "", "Realname is not valid");
		return;
	}
	sim_set(&c->realname, name, MESSAGE_BYTES);
	sim_notify(c, SIM_CAP_SETNAME, "SETNAME :%s", c->realname);
	if (c->caps & SIM_CAP_SETNAME)
		sim_tell(c, c, "SETNAME :%s", c->realname);
}
