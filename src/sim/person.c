#include "sim/person.h"

#include "base/mem.h"
#include "sim/account.h"
#include "sim/channel.h"
#include "sim/client.h"
#include "sim/server.h"
#include "sim/split.h"
#include "sim/wire.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct person {
	struct sim_client client;
	person_heard *heard;
	void *data;
	struct list seats; /* struct seat: where to be after a split */
};

/* A place in a channel, kept over a split. */
struct seat {
	struct list node;
	char *channel;
	char modes[16];
};

static struct person *person_of(struct sim_client *c)
{
	return container_of(c, struct person, client);
}

static void deliver(struct sim_client *c, struct str line)
{
	const struct person *p = person_of(c);
	struct message m;
	line.n -= 2;
	if (p->heard && message_parse(&m, line) == 0)
		p->heard(p->data, &m);
}

static void ended(struct sim_client *c, enum sim_end how)
{
	(void)c;
	(void)how;
}

static void free_seat(struct seat *s)
{
	list_remove(&s->node);
	free(s->channel);
	free(s);
}

static void free_seats(struct person *p)
{
	list_each_safe (node, &p->seats)
		free_seat(container_of(node, struct seat, node));
}

static void free_person(struct sim_client *c)
{
	free_seats(person_of(c));
	free(person_of(c));
}

static const struct sim_client_ops ops = {deliver, ended, free_person};

static void copy_options(struct sim_client *c, const struct person_options *o)
{
	const struct isupport *is = c->net->isupport;
	struct str nick = str_of(o->nick);
	sim_set(&c->nick, nick, SIM_NAME_MAX_BYTES - 1);
	sim_set(&c->user, o->user ? str_of(o->user) : nick, sim_limit(is->userlen, 10));
	sim_set(&c->realname, o->realname ? str_of(o->realname) : nick,
		sim_limit(is->namelen, 128));
	sim_set(&c->account, str_of(o->account), SIM_NAME_MAX_BYTES - 1);
	c->caps = o->caps;
}

struct person *person_new(struct sim_network *net, const struct person_options *options)
{
	char host[SIM_NAME_MAX_BYTES];
	struct str nick = str_of(options->nick);
	if (net->n_clients >= SIM_CLIENTS_MAX || !sim_is_nick(net, nick) || sim_find(net, nick))
		return NULL;
	struct person *p = mem_new(sizeof(*p));
	snprintf(host, sizeof(host), "%s.sim.example", options->nick);
	sim_client_init(&p->client, net, &ops, options->host ? options->host : host);
	p->client.is_person = p->client.is_greeted = true;
	p->heard = options->heard;
	p->data = options->data;
	list_init(&p->seats);
	copy_options(&p->client, options);
	sim_client_register(&p->client);
	sim_wire_arm(net);
	return p;
}

void person_free(struct person *p)
{
	if (!p)
		return;
	struct sim_client *c = &p->client;
	struct sim_network *net = c->net;
	c->is_forgotten = true;
	if (c->stage == SIM_GONE)
		sim_client_bury(c);
	else
		sim_client_quit(c, "Client exited", SIM_GONE);
	sim_wire_run(net);
}

struct person *person_find(struct sim_network *net, const char *nick)
{
	struct sim_client *c = sim_find(net, str_of(nick));
	return c && c->is_person ? person_of(c) : NULL;
}

const char *person_nick(const struct person *p)
{
	return p->client.nick;
}

bool person_is_here(const struct person *p)
{
	return p->client.stage == SIM_READY;
}

void person_raw(struct person *p, struct str line)
{
	if (line.n > SIM_LINE_MAX_BYTES)
		line.n = SIM_LINE_MAX_BYTES;
	if (!person_is_here(p))
		return;
	sim_wire_put(&p->client, SIM_WIRE_TO_SERVER, line);
	sim_wire_run(p->client.net);
}

/* A line that would be too long for any server is not sent at all. */
static void PRINTF(2, 3) act(struct person *p, const char *fmt, ...)
{
	struct buf line;
	va_list ap;
	buf_init(&line, SIM_LINE_MAX_BYTES);
	va_start(ap, fmt);
	if (buf_addv(&line, fmt, ap) == 0)
		person_raw(p, buf_str(&line));
	va_end(ap);
	buf_fini(&line);
}

void person_join(struct person *p, const char *channel, const char *key)
{
	act(p, "JOIN %s%s%s", channel, key ? " " : "", key ? key : "");
}

void person_part(struct person *p, const char *channel, struct str reason)
{
	act(p, "PART %s%s%" STR_F, channel, reason.p ? " :" : "", STR_A(reason));
}

void person_say(struct person *p, const char *target, struct str text)
{
	act(p, "PRIVMSG %s :%" STR_F, target, STR_A(text));
}

void person_notice(struct person *p, const char *target, struct str text)
{
	act(p, "NOTICE %s :%" STR_F, target, STR_A(text));
}

void person_action(struct person *p, const char *target, struct str text)
{
	act(p,
		"PRIVMSG %s :\x01"
		"ACTION %" STR_F "\x01",
		target, STR_A(text));
}

void person_nick_to(struct person *p, const char *nick)
{
	act(p, "NICK %s", nick);
}

void person_quit(struct person *p, struct str reason)
{
	act(p, "QUIT%s%" STR_F, reason.p ? " :" : "", STR_A(reason));
}

void person_mode(struct person *p, const char *target, const char *change)
{
	act(p, "MODE %s %s", target, change);
}

void person_topic(struct person *p, const char *channel, struct str topic)
{
	act(p, "TOPIC %s :%" STR_F, channel, STR_A(topic));
}

void person_kick(struct person *p, const char *channel, const char *nick, struct str reason)
{
	act(p, "KICK %s %s%s%" STR_F, channel, nick, reason.p ? " :" : "", STR_A(reason));
}

void person_invite(struct person *p, const char *nick, const char *channel)
{
	act(p, "INVITE %s %s", nick, channel);
}

void person_away(struct person *p, struct str message)
{
	act(p, "AWAY%s%" STR_F, message.p ? " :" : "", STR_A(message));
}

void person_login(struct person *p, const char *account)
{
	sim_account_set(&p->client, account);
	sim_wire_run(p->client.net);
}

static void keep_seats(struct person *p)
{
	list_each (node, &p->client.channels) {
		const struct sim_member *m = container_of(node, struct sim_member, in_client);
		struct seat *s = mem_new(sizeof(*s));
		s->channel = mem_strdup(m->channel->name);
		memcpy(s->modes, m->modes, sizeof(s->modes));
		list_append(&p->seats, &s->node);
	}
}

void sim_split_off(struct person *p, const char *reason)
{
	if (!person_is_here(p))
		return;
	keep_seats(p);
	sim_client_quit(&p->client, reason, SIM_SPLIT);
}

static void take_seat(struct person *p, const struct seat *s)
{
	struct sim_network *net = p->client.net;
	struct sim_channel *ch = sim_channel_find(net, str_of(s->channel));
	if (!ch)
		ch = sim_channel_new(net, str_of(s->channel));
	if (!ch)
		return;
	struct sim_member *m = sim_channel_add(ch, &p->client);
	sim_channel_announce(m);
	for (const char *mode = s->modes; *mode; mode++)
		sim_mode_by_server(m, *mode);
}

void sim_split_rejoin(struct sim_client *c)
{
	struct person *p = person_of(c);
	if (c->stage != SIM_SPLIT || sim_find(c->net, str_of(c->nick)))
		return;
	sim_client_register(c);
	list_each (node, &p->seats)
		take_seat(p, container_of(node, struct seat, node));
	free_seats(p);
}
