#include "irc/ctcp.h"

#include "base/clock.h"
#include "irc/fields.h"
#include "irc/handle.h"
#include "irc/text.h"

#include <stdio.h>
#include <time.h>

enum { ANSWER_MAX_BYTES = 200 };

struct answer {
	const char *command;
	void (*write)(struct session *s, struct str asked, char out[ANSWER_MAX_BYTES]);
};

static void write_clientinfo(struct session *s, struct str asked, char out[ANSWER_MAX_BYTES])
{
	(void)s;
	(void)asked;
	snprintf(out, ANSWER_MAX_BYTES, "ACTION CLIENTINFO PING SOURCE TIME VERSION");
}

static void write_ping(struct session *s, struct str asked, char out[ANSWER_MAX_BYTES])
{
	struct text_cut cut;
	struct str carried, first;
	(void)s;
	asked.n = str_find(asked, '\1');
	text_cut_begin(&cut, asked, ANSWER_MAX_BYTES - 1);
	if (text_cut_next(&cut, &carried, &first))
		snprintf(out, ANSWER_MAX_BYTES, "%" STR_F, STR_A(first));
}

static void write_source(struct session *s, struct str asked, char out[ANSWER_MAX_BYTES])
{
	(void)s;
	(void)asked;
	snprintf(out, ANSWER_MAX_BYTES, "ebb, the event-based bot");
}

/* In UTC: where the bot runs is nobody's business. */
static void write_time(struct session *s, struct str asked, char out[ANSWER_MAX_BYTES])
{
	time_t wall_s = (time_t)(s->ops->wall_ns(s->owner) / NS_PER_S);
	struct tm tm;
	(void)asked;
	gmtime_r(&wall_s, &tm);
	strftime(out, ANSWER_MAX_BYTES, "%a, %d %b %Y %H:%M:%S +0000", &tm);
}

static void write_version(struct session *s, struct str asked, char out[ANSWER_MAX_BYTES])
{
	(void)s;
	(void)asked;
	snprintf(out, ANSWER_MAX_BYTES, "ebb " EBB_VERSION);
}

static const struct answer answers[] = {
	{"CLIENTINFO", write_clientinfo},
	{"PING",       write_ping      },
	{"SOURCE",     write_source    },
	{"TIME",       write_time      },
	{"VERSION",    write_version   },
};

static bool is_in_time(struct session *s)
{
	struct ctcp_pace *p = &s->ctcp;
	if (p->ahead_ns - s->now_ns > (CTCP_BURST - 1) * CTCP_ANSWER_NS)
		return false;
	p->ahead_ns = (p->ahead_ns > s->now_ns ? p->ahead_ns : s->now_ns) + CTCP_ANSWER_NS;
	return true;
}

static struct str text_of(const struct session *s, const struct message *m, const char *field)
{
	struct value v;
	field_read(field_find(EVENT_CTCP, str_of(field)), m, s->isupport, &v);
	return v.type == VALUE_STR ? v.str : STR_NONE;
}

static bool is_from_bot(const struct session *s, const struct message *m)
{
	struct value v;
	field_read(field_find(EVENT_CTCP, STR("bot")), m, s->isupport, &v);
	return v.integer != 0;
}

void ctcp_answer(struct session *s, const struct message *m)
{
	struct str command = text_of(s, m, "ctcp");
	char text[ANSWER_MAX_BYTES] = "";
	if (!s->is_registered || !m->nick.n || !session_is_me(s, m->params[0]) ||
		session_is_me(s, m->nick) || is_from_bot(s, m))
		return;
	for (size_t i = 0; i < COUNTOF(answers); i++) {
		if (!str_eq(command, str_of(answers[i].command)) || !is_in_time(s))
			continue;
		answers[i].write(s, text_of(s, m, "message"), text);
		session_push(s, LANE_NORMAL, "NOTICE %" STR_F " :\1%s%s%s\1", STR_A(m->nick),
			answers[i].command, *text ? " " : "", text);
		return;
	}
}
