#include "base/log.h"
#include "base/mem.h"
#include "irc/handle.h"

#include <stdlib.h>

/* What the server says, line by line: session_feed. */

enum { SWEEP_AT_ONCE = 16 };

static void skip_line(struct session *s, struct str line)
{
	s->bad_lines++;
	log_debug("%s: line skipped: %" STR_F, s->options->network, STR_A(line));
}

static void set_owned(char **place, struct str value)
{
	if (value.n == 0 || str_eq(str_of(*place), value))
		return;
	free(*place);
	*place = str_dup(value);
}

void session_learn_self(struct session *s, struct str user, struct str host)
{
	set_owned(&s->user, user);
	set_owned(&s->host, host);
}

/* The channels that we share with who quits, who is in the roster still. */
static struct str shared_channels(struct session *s, const struct message *m)
{
	buf_reset(&s->extra);
	if (!m->nick.n || roster_channels_of(s->roster, m->nick, &s->extra) < 0)
		return STR_NONE;
	return buf_str(&s->extra);
}

static struct str extra_of(
	struct session *s, const struct message *m, int kind, const struct batch_line *batch)
{
	if (kind == EVENT_QUIT)
		return shared_channels(s, m);
	return batch->event == BATCH_CLOSED ? buf_str(&batch->batch->lines) : STR_NONE;
}

/* What the batch that closes was opened as. */
static struct str opening_of(struct session *s, const struct batch_line *batch)
{
	if (batch->event != BATCH_CLOSED)
		return STR_NONE;
	const struct batch *b = batch->batch;
	buf_reset(&s->extra);
	int r = buf_add(&s->extra, b->type);
	for (unsigned i = 0; i < b->n_params && r == 0; i++)
		r = buf_addf(&s->extra, " %" STR_F, STR_A(b->params[i]));
	return buf_str(&s->extra);
}

static bool is_from_me(const struct session *s, const struct message *m)
{
	return m->nick.n && session_is_me(s, m->nick);
}

static void tell(struct session *s, const struct message *m, int kind, bool is_mine,
	const struct batch_line *batch)
{
	struct received line = {
		.m = m,
		.kind = kind,
		.is_mine = is_mine,
		.is_replayed = batch->is_replay,
		.extra = extra_of(s, m, kind, batch),
		.opening = opening_of(s, batch),
	};
	s->ops->event(s->owner, &line);
}

/* A message that came in several lines. */
static void tell_joined(struct session *s, const struct batch_line *batch)
{
	struct message m;
	struct buf line;
	buf_init(&line, BATCH_BYTES_MAX + MESSAGE_TAGS_BYTES + MESSAGE_BYTES);
	int kind = batch_join(batch->batch, &line, &m) < 0 ? -1 : event_kind_of(&m, s->isupport);
	if (kind >= 0) {
		struct received joined = {
			.m = &m,
			.kind = kind,
			.is_mine = is_from_me(s, &m),
			.is_replayed = batch->is_replay,
		};
		s->ops->event(s->owner, &joined);
	}
	buf_fini(&line);
}

static void pair_with_requests(struct session *s, const struct message *m, int kind,
	const struct batch_line *batch, uint64_t since)
{
	if (s->requests.n == 0)
		return;
	struct heard h = {m, kind, s->isupport, str_of(s->nick.now), batch, s->now_ns, since};
	requests_hear(&s->requests, &h);
}

/* The memory of a few is given back at once. */
static void note_in_roster(struct session *s, const struct message *m, int kind)
{
	roster_hear(s->roster, m, kind, s->isupport, str_of(s->nick.now));
	if (kind == EVENT_PART || kind == EVENT_QUIT || kind == EVENT_KICK || kind == EVENT_KILL)
		s->wants_sweep |= roster_sweep(s->roster, SWEEP_AT_ONCE);
}

/* What is replayed tells of the past: only scripts hear of it. */
static void act(struct session *s, const struct message *m, int kind,
	const struct batch_line *batch, bool is_early)
{
	const struct handler *h = handle_find(kind);
	if (h && h->is_early == is_early && !batch->is_replay)
		h->run(s, m);
}

static void hear(struct session *s, const struct message *m, int kind)
{
	struct batch_line batch;
	bool is_mine = is_from_me(s, m);
	const uint64_t since = s->requests.n_added + 1;
	batches_hear(&s->batches, m, kind, &batch);
	if (is_mine && !batch.is_replay)
		session_learn_self(s, m->user, m->host);
	act(s, m, kind, &batch, true);
	if (s->is_over)
		return;
	if (batch.event == BATCH_CLOSED && batch_is_message(batch.batch))
		tell_joined(s, &batch);
	if (!batch.is_held)
		tell(s, m, kind, is_mine, &batch);
	pair_with_requests(s, m, kind, &batch, since);
	act(s, m, kind, &batch, false);
	if (!batch.is_replay)
		note_in_roster(s, m, kind);
	if (!s->is_over)
		output_pump(s); /* what that has pushed */
}

void session_feed(struct session *s, struct str line, int64_t now_ns)
{
	struct message m;
	if (s->state == SESSION_IDLE || s->is_over)
		return;
	s->now_ns = s->heard_ns = now_ns;
	int kind = message_parse(&m, line) < 0 ? -1 : event_kind_of(&m, s->isupport);
	if (kind < 0)
		skip_line(s, line);
	else
		hear(s, &m, kind);
}
