#include "sim/history.h"

#include "base/mem.h"
#include "sim/channel.h"
#include "sim/client.h"
#include "sim/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct said {
	struct list node;
	int64_t at_ns;
	uint64_t msgid, by;  /* the number of a client */
	const char *verb;    /* a literal */
	char *source, *text; /* owned */
};

static void drop(struct sim_channel *ch, struct said *s)
{
	list_remove(&s->node);
	ch->n_history--;
	free(s->source);
	free(s->text);
	free(s);
}

void sim_history_clear(struct sim_channel *ch)
{
	list_each_safe (node, &ch->history)
		drop(ch, container_of(node, struct said, node));
}

void sim_history_note(struct sim_channel *ch, const struct sim_client *c, uint64_t msgid,
	const char *verb, struct str text)
{
	char source[SIM_NAME_MAX_BYTES * 3];
	if (ch->n_history == SIM_HISTORY_MAX)
		drop(ch, container_of(ch->history.next, struct said, node));
	struct said *s = mem_new(sizeof(*s));
	snprintf(source, sizeof(source), "%s!%s@%s", c->nick, c->user, c->host);
	s->at_ns = ch->net->timers->now_ns;
	s->msgid = msgid;
	s->by = c->number;
	s->verb = verb;
	s->source = mem_strdup(source);
	s->text = str_dup(text);
	list_append(&ch->history, &s->node);
	ch->n_history++;
}

/* The last `n` lines, in a batch for those who take one. */
static void show(struct sim_client *c, const struct sim_channel *ch, size_t n)
{
	struct sim_extra extra = {0};
	size_t left = ch->n_history;
	bool has_batch = c->caps & SIM_CAP_BATCH;
	if (has_batch) {
		extra.batch = ++c->net->next_batch;
		sim_tell(c, NULL, "BATCH +%llu chathistory %s", (unsigned long long)extra.batch,
			ch->name);
	}
	list_each (node, &ch->history) {
		const struct said *s = container_of(node, struct said, node);
		if (left-- > n)
			continue;
		extra.source = s->source;
		extra.at_ns = s->at_ns;
		extra.msgid = s->msgid;
		sim_relay(c, NULL, &extra, "%s %s :%s", s->verb, ch->name, s->text);
	}
	if (has_batch)
		sim_tell(c, NULL, "BATCH -%llu", (unsigned long long)extra.batch);
}

/* "+H lines:seconds"; the seconds are taken to be many. */
void sim_history_replay(struct sim_client *c, const struct sim_channel *ch)
{
	const struct sim_setting *wanted = sim_channel_setting(ch, 'H');
	int64_t n;
	if (!wanted || !wanted->value || ch->n_history == 0)
		return;
	struct str lines = str_of(wanted->value);
	lines.n = str_find(lines, ':');
	if (str_int(lines, 1, SIM_HISTORY_MAX, &n))
		show(c, ch, (size_t)n);
}

/* LATEST target * limit */
static bool read_question(const struct message *m, int64_t *n)
{
	return m->n_params == 4 && str_ieq(m->params[0], STR("LATEST")) &&
	       str_eq(m->params[2], STR("*")) && str_int(m->params[3], 1, 1000, n);
}

void sim_on_chathistory(struct sim_client *c, const struct message *m)
{
	const struct sim_channel *ch = sim_channel_find(c->net, message_param(m, 1));
	int64_t n;
	if (!(c->caps & SIM_CAP_CHATHISTORY))
		sim_unknown(c, "CHATHISTORY");
	else if (!read_question(m, &n))
		sim_fail(c, "CHATHISTORY", "INVALID_PARAMS", "", "Only LATEST target * is known");
	else if (!ch || !sim_channel_member(ch, c))
		sim_fail(c, "CHATHISTORY", "INVALID_TARGET", "LATEST", "It could not be retrieved");
	else
		show(c, ch, (size_t)n);
}

static struct said *find_said(const struct sim_channel *ch, struct str msgid)
{
	int64_t number;
	if (!msgid.n || msgid.p[0] != 'm' || !str_int(str_skip(msgid, 1), 1, INT64_MAX, &number))
		return NULL;
	list_each (node, &ch->history) {
		struct said *s = container_of(node, struct said, node);
		if (s->msgid == (uint64_t)number)
			return s;
	}
	return NULL;
}

static void redact(const struct sim_member *own, struct said *s, struct str reason)
{
	struct sim_channel *ch = own->channel;
	char words[MESSAGE_BYTES] = "";
	if (reason.n)
		snprintf(words, sizeof(words), " :%" STR_F, STR_A(reason));
	list_each (node, &ch->members) {
		struct sim_client *to = container_of(node, struct sim_member, in_channel)->client;
		if (to->caps & SIM_CAP_MESSAGE_REDACTION)
			sim_tell(to, own->client, "REDACT %s m%llu%s", ch->name,
				(unsigned long long)s->msgid, words);
	}
	drop(ch, s);
}

/* One's own words, or as an operator any. */
void sim_on_redact(struct sim_client *c, const struct message *m)
{
	const struct sim_channel *ch = sim_channel_find(c->net, m->params[0]);
	const struct sim_member *own = ch ? sim_channel_member(ch, c) : NULL;
	struct said *s = own ? find_said(ch, m->params[1]) : NULL;
	if (!(c->caps & SIM_CAP_MESSAGE_REDACTION))
		sim_unknown(c, "REDACT");
	else if (!own)
		sim_fail(c, "REDACT", "INVALID_TARGET", "*", "It is not a channel of yours");
	else if (!s)
		sim_fail(c, "REDACT", "UNKNOWN_MSGID", "*", "There is no such message");
	else if (s->by != c->number && !sim_member_at_least(own, 'o'))
		sim_fail(c, "REDACT", "REDACT_FORBIDDEN", "*", "It is not yours");
	else
		redact(own, s, message_param(m, 2));
}
