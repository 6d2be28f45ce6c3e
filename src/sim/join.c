#include "base/mem.h"
#include "sim/barrier.h"
#include "sim/channel.h"
#include "sim/client.h"
#include "sim/history.h"
#include "sim/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_channel_name(const struct sim_network *net, struct str name)
{
	bool is_short = name.n <= sim_limit(net->isupport->channellen, 50);
	return isupport_is_channel(net->isupport, name) && is_short && !str_has(name, '\a');
}

static void send_names(struct sim_client *c, const struct sim_channel *ch)
{
	char head[SIM_NAME_MAX_BYTES + 8], symbols[16], item[SIM_NAME_MAX_BYTES * 3];
	struct sim_listing l;
	bool is_in = sim_channel_member(ch, c);
	char visibility = sim_channel_setting(ch, 's')   ? '@'
			  : sim_channel_setting(ch, 'p') ? '*'
							 : '=';
	snprintf(head, sizeof(head), "%c %s ", visibility, ch->name);
	sim_listing_begin(&l, c, 353, str_of(head));
	list_each (node, &ch->members) {
		const struct sim_member *m = container_of(node, struct sim_member, in_channel);
		struct str marks = sim_member_symbols(m, c, symbols);
		const struct sim_client *whom = m->client;
		if (c->caps & SIM_CAP_USERHOST_IN_NAMES)
			snprintf(item, sizeof(item), "%" STR_F "%s!%s@%s", STR_A(marks), whom->nick,
				whom->user, whom->host);
		else
			snprintf(item, sizeof(item), "%" STR_F "%s", STR_A(marks), whom->nick);
		if (is_in || !sim_channel_is_secret(ch))
			sim_listing_add(&l, str_of(item));
	}
	sim_listing_end(&l, false);
}

static void send_all_names(struct sim_client *c, struct str name)
{
	const struct sim_channel *ch = sim_channel_find(c->net, name);
	if (ch)
		send_names(c, ch);
	struct str shown = ch ? str_of(ch->name) : name;
	sim_reply(c, 366, "%" STR_F " :End of /NAMES list", STR_A(shown));
}

void sim_on_names(struct sim_client *c, const struct message *m)
{
	struct str names = message_param(m, 0);
	if (!names.n)
		sim_reply(c, 366, "* :End of /NAMES list");
	while (names.n)
		send_all_names(c, str_cut(&names, ','));
}

static void send_topic(struct sim_client *c, const struct sim_channel *ch)
{
	if (!ch->topic)
		return;
	sim_reply(c, 332, "%s :%s", ch->name, ch->topic);
	sim_reply(c, 333, "%s %s %lld", ch->name, ch->topic_by,
		(long long)sim_wall_s(c->net, ch->topic_ns));
}

static bool has_right_key(const struct sim_channel *ch, struct str key)
{
	const struct sim_setting *wanted = sim_channel_setting(ch, 'k');
	return !wanted || (key.p && str_eq(str_of(wanted->value), key));
}

static bool is_full(const struct sim_channel *ch)
{
	const struct sim_setting *limit = sim_channel_setting(ch, 'l');
	int64_t max;
	return limit && str_int(str_of(limit->value), 0, INT64_MAX, &max) &&
	       (int64_t)ch->n_members >= max;
}

/* 0, or the numeric that keeps c out. An invitation lets in past everything. */
static int obstacle(struct sim_channel *ch, struct sim_client *c, struct str key)
{
	if (sim_channel_takes_back_invitation(ch, c))
		return 0;
	if (sim_channel_lists(ch, 'b', c) && !sim_channel_lists(ch, 'e', c))
		return 474;
	if (sim_channel_setting(ch, 'i') && !sim_channel_lists(ch, 'I', c))
		return 473;
	if (!has_right_key(ch, key))
		return 475;
	return is_full(ch) ? 471 : 0;
}

static const char *letter_of(int numeric)
{
	return numeric == 471 ? "l" : numeric == 473 ? "i" : numeric == 474 ? "b" : "k";
}

/* Whoever makes a channel rules it. */
static struct sim_member *enter(struct sim_client *c, struct str name)
{
	struct sim_channel *ch = sim_channel_find(c->net, name);
	bool is_new = !ch;
	if (is_new)
		ch = sim_channel_new(c->net, name);
	if (!ch)
		return NULL;
	struct sim_member *m = sim_channel_add(ch, c);
	if (is_new)
		sim_member_set(m, 'o', true);
	return m;
}

static void refuse_channel_name(struct sim_client *c, struct str name)
{
	if (c->net->profile->bad_channel == 403)
		sim_no_such_channel(c, name);
	else
		sim_reply(c, c->net->profile->bad_channel, "%" STR_F " :Invalid channel name",
			STR_A(name));
}

static bool has_too_many(const struct sim_client *c, struct str name)
{
	return c->n_channels >= sim_token_limit(c->net, "CHANLIMIT", (struct str){name.p, 1}, 1000);
}

void sim_join(struct sim_client *c, struct str name, struct str key)
{
	struct sim_channel *ch = sim_channel_find(c->net, name);
	if (!is_channel_name(c->net, name)) {
		refuse_channel_name(c, name);
		return;
	}
	if (ch && sim_channel_member(ch, c))
		return;
	if (sim_barrier_stops(c, name))
		return;
	int numeric = ch ? obstacle(ch, c, key) : 0;
	if (numeric) {
		sim_reply(
			c, numeric, "%s :Cannot join channel (+%s)", ch->name, letter_of(numeric));
		return;
	}
	const struct sim_member *m = has_too_many(c, name) ? NULL : enter(c, name);
	if (!m) {
		sim_reply(c, 405, "%" STR_F " :You have joined too many channels", STR_A(name));
		return;
	}
	sim_channel_announce(m);
	send_topic(c, m->channel);
	send_names(c, m->channel);
	sim_reply(c, 366, "%s :End of /NAMES list", m->channel->name);
	sim_history_replay(c, m->channel);
}

static void part(struct sim_client *c, struct str name, struct str reason)
{
	struct sim_channel *ch = sim_channel_find(c->net, name);
	struct sim_member *m = ch ? sim_channel_member(ch, c) : NULL;
	if (!ch)
		sim_no_such_channel(c, name);
	else if (!m)
		sim_reply(c, 442, "%s :You're not on that channel", ch->name);
	if (!m)
		return;
	if (reason.n)
		sim_tell_channel(ch, NULL, c, "PART %s :%" STR_F, ch->name, STR_A(reason));
	else
		sim_tell_channel(ch, NULL, c, "PART %s", ch->name);
	sim_channel_remove(m);
}

static void part_all(struct sim_client *c)
{
	list_each_safe (node, &c->channels) {
		const struct sim_member *m = container_of(node, struct sim_member, in_client);
		part(c, str_of(m->channel->name), STR_NONE);
	}
}

void sim_on_join(struct sim_client *c, const struct message *m)
{
	struct str names = m->params[0], keys = message_param(m, 1);
	if (str_eq(names, STR("0"))) {
		part_all(c);
		return;
	}
	while (names.n) {
		struct str name = str_cut(&names, ','), key = STR_NONE;
		if (keys.p)
			key = str_cut(&keys, ',');
		sim_join(c, name, key);
	}
}

void sim_on_part(struct sim_client *c, const struct message *m)
{
	struct str names = m->params[0];
	while (names.n)
		part(c, str_cut(&names, ','), message_param(m, 1));
}

/* c's membership of the channel by that name; NULL after it was told what is wrong. */
static struct sim_member *own_member(struct sim_client *c, struct str name)
{
	const struct sim_channel *ch = sim_channel_find(c->net, name);
	struct sim_member *own = ch ? sim_channel_member(ch, c) : NULL;
	if (!ch)
		sim_no_such_channel(c, name);
	else if (!own)
		sim_reply(c, 442, "%s :You're not on that channel", ch->name);
	return own;
}

static void not_op(struct sim_client *c, const struct sim_channel *ch)
{
	sim_reply(c, 482, "%s :You're not channel operator", ch->name);
}

static void kick(const struct sim_member *own, struct str nick, struct str reason)
{
	struct sim_client *c = own->client, *victim = sim_find(c->net, nick);
	struct sim_channel *ch = own->channel;
	struct sim_member *member = victim ? sim_channel_member(ch, victim) : NULL;
	if (!victim)
		sim_no_such_nick(c, nick);
	else if (!member)
		sim_reply(c, 441, "%s %s :They aren't on that channel", victim->nick, ch->name);
	else if (!sim_member_at_least(own, 'h') || sim_member_rank(member) < sim_member_rank(own))
		not_op(c, ch);
	else {
		sim_tell_channel(
			ch, NULL, c, "KICK %s %s :%" STR_F, ch->name, victim->nick, STR_A(reason));
		sim_channel_remove(member);
	}
}

/* Looked up anew for each: a client may kick itself. */
void sim_on_kick(struct sim_client *c, const struct message *m)
{
	struct str nicks = m->params[1];
	struct str reason = message_param(m, 2).n ? m->params[2] : str_of(c->nick);
	unsigned max = sim_limit(c->net->isupport->kicklen, 255);
	reason.n = reason.n > max ? max : reason.n;
	while (nicks.n) {
		const struct sim_member *own = own_member(c, m->params[0]);
		if (!own)
			return;
		kick(own, str_cut(&nicks, ','), reason);
	}
}

static void invite(const struct sim_member *own, struct sim_client *guest)
{
	struct sim_client *c = own->client;
	struct sim_channel *ch = own->channel;
	if (sim_channel_member(ch, guest)) {
		sim_reply(c, 443, "%s %s :is already on channel", guest->nick, ch->name);
		return;
	}
	if (sim_channel_setting(ch, 'i') && !sim_member_at_least(own, 'h')) {
		not_op(c, ch);
		return;
	}
	sim_channel_list(ch, SIM_INVITED, str_of(guest->nick), c->nick);
	sim_reply(c, 341, "%s %s", guest->nick, ch->name);
	sim_tell(guest, c, "INVITE %s :%s", guest->nick, ch->name);
	list_each (node, &ch->members) {
		const struct sim_member *m = container_of(node, struct sim_member, in_channel);
		if (m != own && (m->client->caps & SIM_CAP_INVITE_NOTIFY) &&
			sim_member_at_least(m, 'h'))
			sim_tell(m->client, c, "INVITE %s :%s", guest->nick, ch->name);
	}
}

void sim_on_invite(struct sim_client *c, const struct message *m)
{
	struct sim_client *guest = sim_find(c->net, m->params[0]);
	if (!guest) {
		sim_no_such_nick(c, m->params[0]);
		return;
	}
	const struct sim_member *own = own_member(c, m->params[1]);
	if (own)
		invite(own, guest);
}

static void set_topic(const struct sim_member *own, struct str topic)
{
	struct sim_channel *ch = own->channel;
	struct sim_client *c = own->client;
	if (sim_channel_setting(ch, 't') && !sim_member_at_least(own, 'h')) {
		not_op(c, ch);
		return;
	}
	sim_set(&ch->topic, topic.n ? topic : STR_NONE, sim_limit(c->net->isupport->topiclen, 300));
	sim_set(&ch->topic_by, str_of(c->nick), SIM_NAME_MAX_BYTES);
	ch->topic_ns = c->net->timers->now_ns;
	sim_tell_channel(ch, NULL, c, "TOPIC %s :%s", ch->name, ch->topic ? ch->topic : "");
}

static void show_topic(struct sim_client *c, struct str name)
{
	const struct sim_channel *ch = sim_channel_find(c->net, name);
	if (!ch)
		sim_no_such_channel(c, name);
	else if (sim_channel_is_secret(ch) && !sim_channel_member(ch, c))
		sim_reply(c, 442, "%s :You're not on that channel", ch->name);
	else if (!ch->topic)
		sim_reply(c, 331, "%s :No topic is set", ch->name);
	else
		send_topic(c, ch);
}

void sim_on_topic(struct sim_client *c, const struct message *m)
{
	if (m->n_params < 2) {
		show_topic(c, m->params[0]);
		return;
	}
	const struct sim_member *own = own_member(c, m->params[0]);
	if (own)
		set_topic(own, m->params[1]);
}

/* Those who do not know RENAME see all members leave, and find themselves in another channel. */
static void tell_renamed(
	struct sim_channel *ch, struct sim_client *c, const char *old, struct str reason)
{
	list_each (node, &ch->members) {
		const struct sim_member *m = container_of(node, struct sim_member, in_channel);
		struct sim_client *to = m->client;
		if (to->caps & SIM_CAP_CHANNEL_RENAME) {
			sim_tell(to, c, "RENAME %s %s :%" STR_F, old, ch->name, STR_A(reason));
			continue;
		}
		sim_tell(to, to, "PART %s :Changing channel name to %s", old, ch->name);
		sim_channel_show_join(m, to);
		send_topic(to, ch);
		send_names(to, ch);
		sim_reply(to, 366, "%s :End of /NAMES list", ch->name);
	}
}

void sim_on_rename(struct sim_client *c, const struct message *m)
{
	struct str name = m->params[1];
	if (!sim_profile_offers(c->net->profile, STR("draft/channel-rename"))) {
		sim_unknown(c, "RENAME");
		return;
	}
	const struct sim_member *own = own_member(c, m->params[0]);
	if (!own)
		return;
	if (!sim_member_at_least(own, 'o')) {
		not_op(c, own->channel);
	} else if (!is_channel_name(c->net, name) || sim_channel_find(c->net, name)) {
		sim_fail(c, "RENAME", "CHANNEL_NAME_IN_USE", own->channel->name,
			"It cannot have that name");
	} else {
		char *old = mem_strdup(own->channel->name);
		sim_channel_rename(own->channel, name);
		tell_renamed(own->channel, c, old, message_param(m, 2));
		free(old);
	}
}
