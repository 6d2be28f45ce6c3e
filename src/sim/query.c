#include "base/clock.h"
#include "sim/channel.h"
#include "sim/client.h"
#include "sim/mask.h"
#include "sim/server.h"

#include <stdio.h>
#include <string.h>

enum { WHOX_TOKEN_MAX = 3, WHOX_MAX_BYTES = 1024 };

/* A question of WHO. */
struct who {
	struct sim_client *c;
	struct str fields; /* of WHOX; absent: the plain form */
	char token[WHOX_TOKEN_MAX + 1];
};

/* "%tcuhnfar,42" */
static void read_whox(struct who *w, struct str options)
{
	struct str token = options;
	if (!str_starts(options, STR("%")) || !isupport_get(w->c->net->isupport, STR("WHOX")).p)
		return;
	w->fields = str_skip(str_cut(&token, ','), 1);
	snprintf(w->token, sizeof(w->token), "%" STR_F, STR_A(token));
}

/* WHOX gives its fields in this order, whatever the order they are asked in. */
static void show_extended(
	const struct who *w, const struct sim_client *whom, const char *channel, const char *flags)
{
	const struct {
		char field;
		const char *value;
	} columns[] = {
		{'t', w->token[0] ? w->token : "0"       },
		{'c', channel                            },
		{'u', whom->user                         },
		{'i', "255.255.255.255"                  },
		{'h', whom->host                         },
		{'s', whom->net->server                  },
		{'n', whom->nick                         },
		{'f', flags			      },
		{'d', "0"				},
		{'l', "0"				},
		{'a', whom->account ? whom->account : "0"},
		{'o', "n/a"			      },
	};
	struct buf line;
	int r = 0;
	buf_init(&line, WHOX_MAX_BYTES);
	for (size_t i = 0; i < COUNTOF(columns); i++)
		if (str_has(w->fields, columns[i].field))
			r |= buf_addf(&line, "%s%s", line.n ? " " : "", columns[i].value);
	if (str_has(w->fields, 'r'))
		r |= buf_addf(&line, "%s:%s", line.n ? " " : "", whom->realname);
	if (r == 0)
		sim_reply(w->c, 354, "%s", buf_str(&line).p);
	buf_fini(&line);
}

/* m: whom's membership through which it was found, or NULL. */
static void show_who(const struct who *w, const struct sim_client *whom, const struct sim_member *m)
{
	char symbols[16], flags[24];
	struct str marks = m ? sim_member_symbols(m, w->c, symbols) : STR("");
	const char *channel = m ? m->channel->name : "*";
	snprintf(flags, sizeof(flags), "%c%s%" STR_F, whom->away ? 'G' : 'H',
		sim_is_bot(whom) ? "B" : "", STR_A(marks));
	if (w->fields.p)
		show_extended(w, whom, channel, flags);
	else
		sim_reply(w->c, 352, "%s %s %s %s %s %s :0 %s", channel, whom->user, whom->host,
			whom->net->server, whom->nick, flags, whom->realname);
}

static void who_is_in(const struct who *w, const struct sim_channel *ch)
{
	if (sim_channel_is_secret(ch) && !sim_channel_member(ch, w->c))
		return;
	list_each (node, &ch->members) {
		const struct sim_member *m = container_of(node, struct sim_member, in_channel);
		show_who(w, m->client, m);
	}
}

static bool is_like(const struct sim_client *whom, struct str mask)
{
	enum casemap cm = whom->net->isupport->casemap;
	return mask_matches(cm, mask, str_of(whom->nick)) ||
	       mask_matches(cm, mask, str_of(whom->host)) ||
	       mask_matches(cm, mask, str_of(whom->user));
}

static void who_is_like(const struct who *w, struct str mask)
{
	list_each (node, &w->c->net->clients) {
		const struct sim_client *whom = container_of(node, struct sim_client, node);
		if (whom->stage == SIM_READY && is_like(whom, mask))
			show_who(w, whom, NULL);
	}
}

void sim_on_who(struct sim_client *c, const struct message *m)
{
	struct who w = {.c = c};
	struct str mask = m->n_params ? m->params[0] : STR("*");
	const struct sim_channel *ch = sim_channel_find(c->net, mask);
	read_whox(&w, message_param(m, 1));
	if (ch)
		who_is_in(&w, ch);
	else if (!isupport_is_channel(c->net->isupport, mask))
		who_is_like(&w, mask);
	sim_reply(c, 315, "%" STR_F " :End of /WHO list", STR_A(mask));
}

static void show_channels_of(struct sim_client *c, const struct sim_client *whom)
{
	struct sim_listing l;
	char head[SIM_NAME_MAX_BYTES + 4], item[SIM_NAME_MAX_BYTES + 16], symbols[16];
	snprintf(head, sizeof(head), "%s ", whom->nick);
	sim_listing_begin(&l, c, 319, str_of(head));
	list_each (node, &whom->channels) {
		const struct sim_member *m = container_of(node, struct sim_member, in_client);
		struct str marks = sim_member_symbols(m, c, symbols);
		snprintf(item, sizeof(item), "%" STR_F "%s", STR_A(marks), m->channel->name);
		if (!sim_channel_is_secret(m->channel) || sim_channel_member(m->channel, c))
			sim_listing_add(&l, str_of(item));
	}
	sim_listing_end(&l, false);
}

static void show_client(struct sim_client *c, const struct sim_client *whom)
{
	const struct sim_network *net = c->net;
	int64_t idle_ns = net->timers->now_ns - whom->heard_ns;
	sim_reply(c, 311, "%s %s %s * :%s", whom->nick, whom->user, whom->host, whom->realname);
	show_channels_of(c, whom);
	sim_reply(c, 312, "%s %s :%s", whom->nick, net->server, net->name);
	if (whom->away)
		sim_reply(c, 301, "%s :%s", whom->nick, whom->away);
	if (sim_is_bot(whom))
		sim_reply(c, 335, "%s :is a bot", whom->nick);
	if (whom->account)
		sim_reply(c, 330, "%s %s :is logged in as", whom->nick, whom->account);
	sim_reply(c, 317, "%s %lld %lld :seconds idle, signon time", whom->nick,
		(long long)(idle_ns / NS_PER_S), (long long)sim_wall_s(net, whom->joined_ns));
}

void sim_on_whois(struct sim_client *c, const struct message *m)
{
	struct str nicks = m->params[m->n_params > 1 ? 1 : 0];
	struct str nick = str_cut(&nicks, ',');
	const struct sim_client *whom = sim_find(c->net, nick);
	if (whom)
		show_client(c, whom);
	else
		sim_no_such_nick(c, nick);
	struct str shown = whom ? str_of(whom->nick) : nick;
	sim_reply(c, 318, "%" STR_F " :End of /WHOIS list", STR_A(shown));
}

static bool is_listed(struct str names, const struct sim_channel *ch)
{
	if (!names.p || !isupport_is_channel(ch->net->isupport, names))
		return true;
	while (names.n)
		if (sim_same(ch->net, str_cut(&names, ','), str_of(ch->name)))
			return true;
	return false;
}

void sim_on_list(struct sim_client *c, const struct message *m)
{
	struct str names = message_param(m, 0);
	sim_reply(c, 321, "Channel :Users Name");
	for (struct map_entry *e = map_first(&c->net->channels); e; e = map_next(e)) {
		const struct sim_channel *ch = map_value(e);
		bool is_hidden = sim_channel_is_secret(ch) && !sim_channel_member(ch, c);
		if (!is_hidden && is_listed(names, ch))
			sim_reply(c, 322, "%s %zu :%s", ch->name, ch->n_members,
				ch->topic ? ch->topic : "");
	}
	sim_reply(c, 323, ":End of /LIST");
}

/* The nicks that a client named, in one parameter or several. */
static void each_nick(const struct message *m, void (*see)(struct sim_listing *l, struct str nick),
	struct sim_listing *l)
{
	for (unsigned i = 0; i < m->n_params; i++) {
		struct str rest = m->params[i], nick;
		while ((nick = str_word(&rest, " ")).n)
			see(l, nick);
	}
}

static void add_userhost(struct sim_listing *l, struct str nick)
{
	char item[SIM_NAME_MAX_BYTES * 3];
	const struct sim_client *whom = sim_find(l->to->net, nick);
	if (!whom)
		return;
	snprintf(item, sizeof(item), "%s=%c%s@%s", whom->nick, whom->away ? '-' : '+', whom->user,
		whom->host);
	sim_listing_add(l, str_of(item));
}

static void add_ison(struct sim_listing *l, struct str nick)
{
	const struct sim_client *whom = sim_find(l->to->net, nick);
	if (whom)
		sim_listing_add(l, str_of(whom->nick));
}

void sim_on_userhost(struct sim_client *c, const struct message *m)
{
	struct sim_listing l;
	sim_listing_begin(&l, c, 302, STR(""));
	each_nick(m, add_userhost, &l);
	sim_listing_end(&l, true);
}

void sim_on_ison(struct sim_client *c, const struct message *m)
{
	struct sim_listing l;
	sim_listing_begin(&l, c, 303, STR(""));
	each_nick(m, add_ison, &l);
	sim_listing_end(&l, true);
}
