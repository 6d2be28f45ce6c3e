#include "sim/channel.h"
#include "sim/client.h"
#include "sim/history.h"
#include "sim/multiline.h"
#include "sim/server.h"

#include <stdio.h>

/* What is said, to one target after the other. */
struct speech {
	struct sim_client *c;
	const char *verb;
	struct sim_extra extra;
	struct str text;
	const struct sim_batch *batch; /* of whose lines the text is made, or NULL */
	bool has_text;
	bool is_quiet; /* NOTICE: what goes wrong is not told, so two programs never answer each
			  other */
};

static void overhear_line(const struct speech *s, struct str target, struct str text)
{
	sim_overhear(
		s->c->net, s->c, "%s %" STR_F " :%" STR_F, s->verb, STR_A(target), STR_A(text));
}

static void overhear(const struct speech *s, struct str target)
{
	if (s->batch) {
		list_each (node, &s->batch->lines) {
			const struct sim_line *l = container_of(node, struct sim_line, node);
			if (l->text[0])
				overhear_line(s, target, str_of(l->text));
		}
	} else if (s->has_text) {
		overhear_line(s, target, s->text);
	} else {
		sim_overhear(s->c->net, s->c, "%s %" STR_F, s->verb, STR_A(target));
	}
}

static void deliver_batch(const struct speech *s, struct sim_client *to, struct str target)
{
	struct sim_extra extra = {.batch = ++s->c->net->next_batch};
	unsigned long long ref = extra.batch;
	sim_relay(to, s->c, &s->extra, "BATCH +%llu draft/multiline %" STR_F, ref, STR_A(target));
	list_each (node, &s->batch->lines) {
		const struct sim_line *l = container_of(node, struct sim_line, node);
		extra.is_concat = l->is_concat;
		sim_relay(to, s->c, &extra, "%s %" STR_F " :%s", s->verb, STR_A(target), l->text);
	}
	sim_relay(to, s->c, &(struct sim_extra){0}, "BATCH -%llu", ref);
}

/* For those who know no such batch: lines by themselves, of which the first has the name. */
static void deliver_lines(const struct speech *s, struct sim_client *to, struct str target)
{
	struct sim_extra extra = s->extra;
	list_each (node, &s->batch->lines) {
		const struct sim_line *l = container_of(node, struct sim_line, node);
		if (!l->text[0])
			continue;
		sim_relay(to, s->c, &extra, "%s %" STR_F " :%s", s->verb, STR_A(target), l->text);
		extra = (struct sim_extra){0};
	}
}

static void deliver(const struct speech *s, struct sim_client *to, struct str target)
{
	unsigned all = SIM_CAP_MULTILINE | SIM_CAP_BATCH;
	if (s->batch && (to->caps & all) == all)
		deliver_batch(s, to, target);
	else if (s->batch)
		deliver_lines(s, to, target);
	else if (s->has_text)
		sim_relay(to, s->c, &s->extra, "%s %" STR_F " :%" STR_F, s->verb, STR_A(target),
			STR_A(s->text));
	else if (to->caps & SIM_CAP_MESSAGE_TAGS)
		sim_relay(to, s->c, &s->extra, "%s %" STR_F, s->verb, STR_A(target));
}

static bool has_echo(const struct speech *s)
{
	return s->c->caps & SIM_CAP_ECHO_MESSAGE;
}

static void remember(const struct speech *s, struct sim_channel *ch)
{
	if (!s->batch) {
		if (s->has_text)
			sim_history_note(ch, s->c, s->extra.msgid, s->verb, s->text);
		return;
	}
	list_each (node, &s->batch->lines) {
		const struct sim_line *l = container_of(node, struct sim_line, node);
		if (l->text[0])
			sim_history_note(ch, s->c, s->extra.msgid, s->verb, str_of(l->text));
	}
}

/* NULL, or why c may not speak. */
static const char *gag(const struct sim_channel *ch, const struct sim_client *c)
{
	const struct sim_member *own = sim_channel_member(ch, c);
	if (own && own->modes[0])
		return NULL;
	if (!own && sim_channel_setting(ch, 'n'))
		return "no external messages";
	if (sim_channel_setting(ch, 'm'))
		return "+m";
	bool is_banned = sim_channel_lists(ch, 'b', c) || sim_channel_lists(ch, 'q', c);
	return is_banned && !sim_channel_lists(ch, 'e', c) ? "you're banned" : NULL;
}

/* With a status, only those who have that prefix or a higher one hear it. */
static bool is_meant(const struct sim_member *m, struct str status)
{
	const struct isupport *is = m->channel->net->isupport;
	if (!status.n)
		return true;
	size_t rank = str_find(str_of(is->prefix_symbols), status.p[status.n - 1]);
	return sim_member_rank(m) <= rank && m->modes[0];
}

static void say_to_channel(const struct speech *s, struct sim_channel *ch, struct str status)
{
	char target[SIM_NAME_MAX_BYTES + 16];
	const char *why = gag(ch, s->c);
	if (why) {
		if (!s->is_quiet)
			sim_reply(s->c, 404, "%s :Cannot send to channel (%s)", ch->name, why);
		return;
	}
	snprintf(target, sizeof(target), "%" STR_F "%s", STR_A(status), ch->name);
	overhear(s, str_of(target));
	list_each (node, &ch->members) {
		const struct sim_member *m = container_of(node, struct sim_member, in_channel);
		if (m->client != s->c && is_meant(m, status))
			deliver(s, m->client, str_of(target));
	}
	if (has_echo(s))
		deliver(s, s->c, str_of(target));
	if (!status.n)
		remember(s, ch);
}

static void say_to_client(const struct speech *s, struct sim_client *to)
{
	overhear(s, str_of(to->nick));
	deliver(s, to, str_of(to->nick));
	if (has_echo(s) && to != s->c)
		deliver(s, s->c, str_of(to->nick));
	if (to->away && !s->is_quiet && s->has_text)
		sim_reply(s->c, 301, "%s :%s", to->nick, to->away);
}

static void say(struct speech *s, struct str target)
{
	if (sim_profile_offers(s->c->net->profile, STR("message-tags")))
		s->extra.msgid = ++s->c->net->next_msgid;
	struct str status;
	struct str name = isupport_channel_of(s->c->net->isupport, target, &status);
	struct sim_channel *ch = name.p ? sim_channel_find(s->c->net, name) : NULL;
	struct sim_client *to = name.p ? NULL : sim_find(s->c->net, target);
	if (ch)
		say_to_channel(s, ch, status);
	else if (to)
		say_to_client(s, to);
	else if (s->is_quiet)
		return;
	else if (name.p)
		sim_no_such_channel(s->c, target);
	else
		sim_no_such_nick(s->c, target);
}

static unsigned max_targets(const struct sim_network *net, const char *verb)
{
	int64_t max;
	if (str_int(isupport_get(net->isupport, STR("MAXTARGETS")), 1, 1000, &max))
		return (unsigned)max;
	return sim_token_limit(net, "TARGMAX", str_of(verb), 20);
}

static void say_to_all(struct speech *s, struct str targets)
{
	unsigned left = max_targets(s->c->net, s->verb);
	while (targets.n) {
		struct str target = str_cut(&targets, ',');
		if (left-- == 0) {
			sim_reply(s->c, 407, "%" STR_F " :Too many targets", STR_A(target));
			return;
		}
		say(s, target);
	}
}

/* Tells what is missing: in a numeric of its own, but where the server knows only 461. */
static bool is_complete(const struct speech *s, const struct message *m)
{
	bool has_target = m->n_params > 0 && m->params[0].n;
	bool has_text = !s->has_text || (m->n_params > 1 && m->params[1].n);
	if (has_target && has_text)
		return true;
	if (s->is_quiet)
		return false;
	if (s->c->net->profile->says_461_only)
		sim_reply(s->c, 461, "%s :Not enough parameters", s->verb);
	else if (!has_target)
		sim_reply(s->c, 411, ":No recipient given (%s)", s->verb);
	else
		sim_reply(s->c, 412, ":No text to send");
	return false;
}

static void speak(struct speech *s, const struct message *m)
{
	s->extra.client_tags = m->tags;
	s->text = message_param(m, 1);
	if (is_complete(s, m))
		say_to_all(s, m->params[0]);
}

void sim_on_privmsg(struct sim_client *c, const struct message *m)
{
	struct speech s = {.c = c, .verb = "PRIVMSG", .has_text = true};
	speak(&s, m);
}

void sim_on_notice(struct sim_client *c, const struct message *m)
{
	struct speech s = {.c = c, .verb = "NOTICE", .has_text = true, .is_quiet = true};
	speak(&s, m);
}

void sim_say_batch(struct sim_client *c, const struct sim_batch *batch)
{
	struct speech s = {.c = c,
		.verb = batch->is_notice ? "NOTICE" : "PRIVMSG",
		.extra = {.client_tags = str_of(batch->tags)},
		.batch = batch,
		.has_text = true,
		.is_quiet = batch->is_notice};
	say(&s, str_of(batch->target));
}

void sim_on_tagmsg(struct sim_client *c, const struct message *m)
{
	struct speech s = {.c = c, .verb = "TAGMSG"};
	if (sim_profile_offers(c->net->profile, STR("message-tags")))
		speak(&s, m);
	else
		sim_unknown(c, "TAGMSG");
}

void sim_on_away(struct sim_client *c, const struct message *m)
{
	struct str words = message_param(m, 0);
	sim_set(&c->away, words.n ? words : STR_NONE, sim_limit(c->net->isupport->awaylen, 200));
	if (words.n) {
		sim_reply(c, 306, ":You have been marked as being away");
		sim_notify(c, SIM_CAP_AWAY_NOTIFY, "AWAY :%s", c->away);
	} else {
		sim_reply(c, 305, ":You are no longer marked as being away");
		sim_notify(c, SIM_CAP_AWAY_NOTIFY, "AWAY");
	}
}

void sim_on_quit(struct sim_client *c, const struct message *m)
{
	char reason[MESSAGE_BYTES];
	struct str words = message_param(m, 0);
	snprintf(reason, sizeof(reason), "Quit: %" STR_F, STR_A(words));
	sim_client_close(c, words.n ? reason : "Client exited");
}

void sim_on_ping(struct sim_client *c, const struct message *m)
{
	sim_tell(c, NULL, "PONG %s :%" STR_F, c->net->server, STR_A(m->params[0]));
}
