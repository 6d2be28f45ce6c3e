#include "sim/monitor.h"

#include "base/mem.h"
#include "sim/client.h"
#include "sim/server.h"

#include <stdio.h>
#include <stdlib.h>

enum { RPL_MONONLINE = 730, RPL_MONOFFLINE, RPL_MONLIST, RPL_ENDOFMONLIST, ERR_MONLISTFULL };

static struct sim_monitor *find_nick(const struct sim_client *c, struct str nick)
{
	list_each (node, &c->monitors) {
		struct sim_monitor *m = container_of(node, struct sim_monitor, in_client);
		if (sim_same(c->net, str_of(m->nick), nick))
			return m;
	}
	return NULL;
}

static void add_nick(struct sim_client *c, struct str nick)
{
	struct sim_monitor *m = mem_new(sizeof(*m));
	m->owner = c;
	m->nick = str_dup(nick);
	list_append(&c->net->monitors, &m->in_net);
	list_append(&c->monitors, &m->in_client);
	c->n_monitors++;
}

static void drop_nick(struct sim_monitor *m)
{
	list_remove(&m->in_net);
	list_remove(&m->in_client);
	m->owner->n_monitors--;
	free(m->nick);
	free(m);
}

void sim_monitor_clear(struct sim_client *c)
{
	list_each_safe (node, &c->monitors)
		drop_nick(container_of(node, struct sim_monitor, in_client));
}

void sim_monitor_tell(struct sim_client *c, bool is_here)
{
	list_each (node, &c->net->monitors) {
		const struct sim_monitor *m = container_of(node, struct sim_monitor, in_net);
		if (!sim_same(c->net, str_of(m->nick), str_of(c->nick)))
			continue;
		if (is_here)
			sim_reply(m->owner, RPL_MONONLINE, ":%s!%s@%s", c->nick, c->user, c->host);
		else
			sim_reply(m->owner, RPL_MONOFFLINE, ":%s", c->nick);
	}
}

/* The state of nicks: those of the list that are here, or those that are not. */
static void tell_states(struct sim_client *c, struct str nicks, bool is_here)
{
	char item[SIM_NAME_MAX_BYTES * 3];
	struct sim_listing l;
	sim_listing_begin(&l, c, is_here ? RPL_MONONLINE : RPL_MONOFFLINE, STR(""));
	l.gap = ',';
	while (nicks.n) {
		struct str nick = str_cut(&nicks, ',');
		const struct sim_client *whom = sim_find(c->net, nick);
		if (whom && is_here)
			snprintf(
				item, sizeof(item), "%s!%s@%s", whom->nick, whom->user, whom->host);
		else
			snprintf(item, sizeof(item), "%" STR_F, STR_A(nick));
		if (nick.n && nick.n < SIM_NAME_MAX_BYTES && (whom != NULL) == is_here)
			sim_listing_add(&l, str_of(item));
	}
	sim_listing_end(&l, false);
}

/* The nicks as they were taken, up to the limit; false for one past it. */
static bool take_nick(struct sim_client *c, struct str nick, struct buf *taken)
{
	unsigned max = 100;
	int64_t limit;
	if (str_int(isupport_get(c->net->isupport, STR("MONITOR")), 1, 1000, &limit))
		max = (unsigned)limit;
	if (!nick.n || nick.n >= SIM_NAME_MAX_BYTES || find_nick(c, nick))
		return true;
	if (c->n_monitors >= max)
		return false;
	add_nick(c, nick);
	return buf_addf(taken, "%" STR_F ",", STR_A(nick)) == 0;
}

static void on_add(struct sim_client *c, struct str nicks)
{
	struct buf taken;
	bool has_room = true;
	buf_init(&taken, SIM_LINE_MAX_BYTES);
	while (has_room && nicks.n) {
		struct str rest = nicks;
		has_room = take_nick(c, str_cut(&nicks, ','), &taken);
		if (!has_room)
			sim_reply(c, ERR_MONLISTFULL, "%zu %" STR_F " :Monitor list is full.",
				c->n_monitors, STR_A(rest));
	}
	tell_states(c, buf_str(&taken), true);
	tell_states(c, buf_str(&taken), false);
	buf_fini(&taken);
}

static bool is_among(const struct sim_client *c, struct str nicks, const char *nick)
{
	while (nicks.n)
		if (sim_same(c->net, str_cut(&nicks, ','), str_of(nick)))
			return true;
	return false;
}

static void on_drop(struct sim_client *c, struct str nicks)
{
	list_each_safe (node, &c->monitors) {
		struct sim_monitor *m = container_of(node, struct sim_monitor, in_client);
		if (is_among(c, nicks, m->nick))
			drop_nick(m);
	}
}

static void on_clear(struct sim_client *c, struct str nicks)
{
	(void)nicks;
	sim_monitor_clear(c);
}

static void on_list(struct sim_client *c, struct str nicks)
{
	struct sim_listing l;
	(void)nicks;
	sim_listing_begin(&l, c, RPL_MONLIST, STR(""));
	l.gap = ',';
	list_each (node, &c->monitors)
		sim_listing_add(
			&l, str_of(container_of(node, struct sim_monitor, in_client)->nick));
	sim_listing_end(&l, false);
	sim_reply(c, RPL_ENDOFMONLIST, ":End of MONITOR list");
}

static void on_state(struct sim_client *c, struct str nicks)
{
	struct buf all;
	(void)nicks;
	buf_init(&all, (size_t)SIM_NAME_MAX_BYTES * 1000);
	int r = 0;
	list_each (node, &c->monitors)
		r |= buf_addf(&all, "%s,", container_of(node, struct sim_monitor, in_client)->nick);
	(void)r; /* a list has at most as many as the token can say */
	tell_states(c, buf_str(&all), true);
	tell_states(c, buf_str(&all), false);
	buf_fini(&all);
}

void sim_on_monitor(struct sim_client *c, const struct message *m)
{
	static const struct {
		char letter;
		void (*run)(struct sim_client *c, struct str nicks);
	} verbs[] = {
		{'+', on_add  },
		{'-', on_drop },
		{'C', on_clear},
		{'L', on_list },
		{'S', on_state},
	};
	if (!isupport_get(c->net->isupport, STR("MONITOR")).p) {
		sim_unknown(c, "MONITOR");
		return;
	}
	for (size_t i = 0; i < COUNTOF(verbs); i++)
		if (str_ieq(m->params[0], (struct str){&verbs[i].letter, 1}))
			verbs[i].run(c, message_param(m, 1));
}
