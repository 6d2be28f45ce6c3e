#include "irc/multiline.h"

#include "irc/aim.h"
#include "irc/handle.h"

struct limits {
	int64_t max_bytes, max_lines; /* of a message */
};

struct writing {
	struct session *s;
	const struct message *m;
	struct str targets;
	struct measure *only;
	unsigned ref;            /* of the batch that is open */
	size_t n_lines, n_bytes; /* in the batch that is open */
};

/* "max-bytes=4096,max-lines=24"; the specification wants the former. */
static bool read_limits(const struct session *s, struct limits *l)
{
	struct str rest = caps_value(&s->caps, CAP_MULTILINE);
	*l = (struct limits){0, INT32_MAX};
	while (rest.n) {
		struct str value = str_cut(&rest, ','), key = str_cut(&value, '=');
		if (str_eq(key, STR("max-bytes")) && !str_int(value, 1, INT32_MAX, &l->max_bytes))
			return false;
		if (str_eq(key, STR("max-lines")) && !str_int(value, 2, INT32_MAX, &l->max_lines))
			return false;
	}
	return l->max_bytes >= s->isupport->linelen;
}

bool multiline_is_offered(const struct session *s)
{
	struct limits l;
	return caps_has(&s->caps, CAP_MULTILINE) && caps_has(&s->caps, CAP_BATCH) &&
	       caps_has(&s->caps, CAP_MESSAGE_TAGS) && read_limits(s, &l);
}

/* The line in scratch. While a batch is open nothing else may be said (IRCv3 client-batch). */
static int put(struct writing *w, bool is_last)
{
	struct sendq *q = &w->s->sendq;
	struct str line = buf_str(&w->s->scratch);
	if (w->only) {
		w->only->n++;
		w->only->n_bytes += line.n;
		return 0;
	}
	int r = sendq_push(q, LANE_NORMAL, line, w->targets, w->s->now_ns);
	if (r == 0 && !is_last)
		sendq_bind(q);
	return r;
}

/* The message's tags are those of the opening line. */
static int open_batch(struct writing *w)
{
	struct str tags = w->m->tags;
	w->n_lines = w->n_bytes = 0;
	buf_reset(&w->s->scratch);
	int r = buf_addf(&w->s->scratch, "%s%" STR_F "%sBATCH +%u draft/multiline %" STR_F,
		tags.n ? "@" : "", STR_A(tags), tags.n ? " " : "", w->ref, STR_A(w->m->params[0]));
	return r < 0 ? r : put(w, false);
}

static int close_batch(struct writing *w)
{
	buf_reset(&w->s->scratch);
	int r = buf_addf(&w->s->scratch, "BATCH -%u", w->ref++);
	return r < 0 ? r : put(w, true);
}

static int put_part(struct writing *w, struct str part)
{
	const char *joins = w->n_lines ? ";draft/multiline-concat" : "";
	buf_reset(&w->s->scratch);
	int r = buf_addf(&w->s->scratch, "@batch=%u%s %" STR_F " %" STR_F " :%" STR_F, w->ref,
		joins, STR_A(w->m->command), STR_A(w->m->params[0]), STR_A(part));
	w->n_lines++;
	w->n_bytes += part.n;
	return r < 0 ? r : put(w, false);
}

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* Up to a space, which is kept: the lines are put together as they are. */
static struct str take_part(struct str *rest, size_t max_bytes)
{
	struct str part = *rest;
	if (part.n > max_bytes) {
		const char *space = memrchr(part.p, ' ', max_bytes);
		part.n = space ? (size_t)(space - part.p) + 1 : max_bytes;
		while (!space && part.n > max_bytes - 3 && is_continuation(part.p[part.n]))
			part.n--;
	}
	*rest = str_skip(*rest, part.n);
	return part;
}

int multiline_send(
	struct session *s, const struct message *m, size_t max_bytes, struct measure *only)
{
	char names[AIM_MAX_BYTES];
	struct writing w = {s, m, aim_of(s->isupport, m, names), only, s->n_batches, 0, 0};
	struct str rest = m->params[1];
	struct limits l;
	bool is_offered = read_limits(s, &l);
	int r = is_offered ? open_batch(&w) : ERR_INVALID;
	while (r == 0 && rest.n) {
		struct str part = take_part(&rest, max_bytes);
		bool is_full = w.n_lines == (size_t)l.max_lines ||
			       w.n_bytes + part.n > (size_t)l.max_bytes;
		if (is_full)
			r = close_batch(&w);
		if (is_full && r == 0)
			r = open_batch(&w);
		if (r == 0)
			r = put_part(&w, part);
	}
	if (r == 0)
		r = close_batch(&w);
	if (!only)
		s->n_batches = w.ref;
	return r;
}
