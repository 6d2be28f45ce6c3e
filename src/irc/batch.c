#include "irc/batch.h"

#include "base/err.h"
#include "base/mem.h"
#include "irc/fields.h"

#include <stdlib.h>

static void batch_free(struct batch *b)
{
	if (!b)
		return;
	buf_fini(&b->lines);
	free(b->line);
	free(b);
}

static void forget_closed(struct batches *bs)
{
	batch_free(bs->closed);
	bs->closed = NULL;
}

/* Takes b out of the open ones, and what it keeps out of the count. */
static void detach(struct batches *bs, struct batch *b)
{
	map_remove(&bs->open, b->ref);
	bs->n_open--;
	bs->n_bytes -= b->lines.n + b->opening.raw.n;
}

static void drop(struct batches *bs, struct batch *b)
{
	detach(bs, b);
	batch_free(b);
}

void batches_reset(struct batches *bs)
{
	forget_closed(bs);
	for (struct map_entry *e = map_first(&bs->open), *next; e; e = next) {
		next = map_next(e);
		drop(bs, map_value(e));
	}
	map_fini(&bs->open);
	*bs = (struct batches){0};
}

void batches_fini(struct batches *bs)
{
	if (bs)
		batches_reset(bs);
}

static const struct batch_type {
	struct str name;
	bool is_replay, is_multiline;
} types[] = {
	{STR_CONST("chathistory"),     true,  false},
	{STR_CONST("draft/multiline"), false, true },
	{STR_CONST("znc.in/playback"), true,  false},
};

static void read_type(struct batch *b)
{
	for (size_t i = 0; i < COUNTOF(types); i++) {
		if (!str_eq(types[i].name, b->type))
			continue;
		b->is_replay |= types[i].is_replay;
		b->is_multiline |= types[i].is_multiline;
	}
}

bool batch_is_message(const struct batch *b)
{
	return str_eq(b->type, STR("draft/multiline"));
}

static void nest(struct batch *b, struct batch *parent)
{
	if (!parent)
		return;
	b->parent = parent;
	b->depth = parent->depth + 1;
	b->is_replay = parent->is_replay;
	b->is_multiline = parent->is_multiline;
	b->request = parent->request;
}

/* NULL for a line that cannot be read from its copy, which does not happen. */
static struct batch *batch_new(const struct message *m, struct batch *parent)
{
	struct batch *b = mem_new(sizeof(*b));
	b->line = str_dup(m->raw);
	buf_init(&b->lines, BATCH_BYTES_MAX);
	if (message_parse(&b->opening, (struct str){b->line, m->raw.n}) < 0) {
		batch_free(b);
		return NULL;
	}
	b->ref = str_skip(b->opening.params[0], 1);
	b->type = b->opening.params[1];
	b->params = b->opening.params + 2;
	b->n_params = b->opening.n_params - 2;
	nest(b, parent);
	read_type(b);
	return b;
}

static bool keep_line(struct batches *bs, struct batch *b, struct str line)
{
	size_t n = line.n + (b->lines.n > 0);
	if (n > BATCHES_BYTES_MAX - bs->n_bytes || n > BATCH_BYTES_MAX - b->lines.n)
		return false;
	int r = b->lines.n ? buf_add(&b->lines, STR("\n")) : 0;
	if (r >= 0)
		r = buf_add(&b->lines, line);
	bs->n_bytes += n;
	return r >= 0;
}

/* Once a line is missing no later one is kept: what there is is the beginning. */
static void keep(struct batches *bs, struct batch *b, struct str line)
{
	for (; b; b = b->parent)
		b->is_cut = b->is_cut || !keep_line(bs, b, line);
}

static bool has_room(const struct batches *bs, const struct message *m, const struct batch *parent)
{
	return bs->n_open < BATCHES_MAX && m->raw.n <= BATCHES_BYTES_MAX - bs->n_bytes &&
	       (!parent || parent->depth + 1 < BATCH_DEPTH_MAX);
}

/* NULL where the line opens nothing. */
static struct batch *opened_by(
	const struct batches *bs, const struct message *m, struct batch *parent)
{
	bool is_inside = message_tag(m, STR("batch")).p != NULL;
	if (m->params[0].n < 2 || m->n_params < 2 || (is_inside && !parent))
		return NULL;
	return has_room(bs, m, parent) ? batch_new(m, parent) : NULL;
}

static struct batch *find(const struct batches *bs, struct str ref)
{
	return ref.n ? map_get(&bs->open, ref) : NULL;
}

static struct batch *batch_of(const struct batches *bs, const struct message *m)
{
	return find(bs, message_tag(m, STR("batch")));
}

static void open_batch(struct batches *bs, const struct message *m, struct batch_line *out)
{
	struct batch *parent = batch_of(bs, m);
	if (find(bs, str_skip(m->params[0], 1)))
		return;
	struct batch *b = opened_by(bs, m, parent);
	if (!b) {
		bs->has_lost = true;
		return;
	}
	map_put(&bs->open, b->ref, b);
	bs->n_open++;
	bs->n_bytes += b->opening.raw.n;
	keep(bs, parent, m->raw);
	out->batch = b;
	out->event = BATCH_OPENED;
}

static bool is_within(const struct batch *b, const struct batch *outer)
{
	while (b && b != outer)
		b = b->parent;
	return b != NULL;
}

/* The deepest first: to be within is told by those around, which must be there. */
static void drop_children(struct batches *bs, const struct batch *outer)
{
	for (unsigned depth = BATCH_DEPTH_MAX; depth > outer->depth; depth--) {
		for (struct map_entry *e = map_first(&bs->open), *next; e; e = next) {
			struct batch *b = map_value(e);
			next = map_next(e);
			if (b->depth != depth || !is_within(b, outer))
				continue;
			drop(bs, b);
			bs->has_lost = true;
		}
	}
}

static void close_batch(struct batches *bs, const struct message *m, struct batch_line *out)
{
	struct batch *b = find(bs, str_skip(m->params[0], 1));
	if (!b)
		return;
	drop_children(bs, b);
	detach(bs, b);
	bs->closed = b;
	out->batch = b;
	out->event = BATCH_CLOSED;
}

static void hear_batch(struct batches *bs, const struct message *m, struct batch_line *out)
{
	struct str ref = m->n_params ? m->params[0] : STR("");
	out->event = BATCH_SKIPPED;
	if (str_starts(ref, STR("+")))
		open_batch(bs, m, out);
	else if (str_starts(ref, STR("-")))
		close_batch(bs, m, out);
	if (out->batch)
		out->is_replay = out->batch->is_replay;
}

static bool is_text(int kind)
{
	return kind == EVENT_PRIVMSG || kind == EVENT_NOTICE || kind == EVENT_CTCP ||
	       kind == EVENT_CTCP_REPLY || kind == EVENT_ACTION;
}

static void hear_line(struct batches *bs, const struct message *m, int kind, struct batch_line *out)
{
	struct str ref = message_tag(m, STR("batch"));
	if (!ref.p)
		return;
	out->batch = find(bs, ref);
	if (!out->batch) {
		out->is_replay = bs->has_lost;
		return;
	}
	out->event = BATCH_LINE;
	out->is_replay = out->batch->is_replay;
	out->is_held = out->batch->is_multiline && is_text(kind);
	keep(bs, out->batch, m->raw);
}

void batches_hear(struct batches *bs, const struct message *m, int kind, struct batch_line *out)
{
	*out = (struct batch_line){.event = BATCH_NONE};
	forget_closed(bs);
	if (kind == EVENT_BATCH)
		hear_batch(bs, m, out);
	else if (m->tags.p && (bs->n_open || bs->has_lost))
		hear_line(bs, m, kind, out);
}

/* The lines of a batch, one after the other, that are texts like the first. */
struct texts {
	struct str rest;
	struct message first, m;
	bool has_first;
};

static bool is_like_first(const struct texts *t)
{
	const struct message *m = &t->m, *first = &t->first;
	return str_ieq(m->command, first->command) && str_eq(m->params[0], first->params[0]);
}

static bool next_text(struct texts *t)
{
	while (t->rest.n) {
		struct str line = str_cut(&t->rest, '\n');
		if (message_parse(&t->m, line) < 0 || t->m.n_params < 2)
			continue;
		bool is_first = !t->has_first && message_is_text(&t->m);
		if (is_first)
			t->first = t->m;
		t->has_first |= is_first;
		if (t->has_first && is_like_first(t))
			return true;
	}
	return false;
}

#define CONCAT STR("draft/multiline-concat")

static int add_tags(struct buf *out, struct str tags)
{
	struct str key, value;
	int r = 0;
	while (r >= 0 && message_next_tag(&tags, &key, &value)) {
		if (str_eq(key, STR("batch")) || str_eq(key, CONCAT))
			continue;
		r = buf_addf(out, "%c%" STR_F "%s%" STR_F, out->n ? ';' : '@', STR_A(key),
			value.n ? "=" : "", STR_A(value));
	}
	return r;
}

/* What is more than a line may have leaves the first line's tags out. */
static int add_all_tags(struct buf *out, const struct batch *b, const struct message *first)
{
	int r = add_tags(out, first->tags);
	if (r >= 0)
		r = add_tags(out, b->opening.tags);
	if (r >= 0 && out->n >= MESSAGE_TAGS_BYTES) {
		buf_reset(out);
		r = add_tags(out, b->opening.tags);
	}
	if (r >= 0 && out->n)
		r = buf_add(out, STR(" "));
	return r;
}

static int add_head(struct buf *out, const struct batch *b, const struct message *first)
{
	struct str source = first->source.p ? first->source : b->opening.source;
	int r = add_all_tags(out, b, first);
	if (r >= 0 && source.p)
		r = buf_addf(out, ":%" STR_F " ", STR_A(source));
	if (r >= 0)
		r = buf_addf(out, "%" STR_F " %" STR_F " :", STR_A(first->command),
			STR_A(first->params[0]));
	return r;
}

static int add_texts(struct buf *out, struct texts *t)
{
	int r = buf_add(out, t->m.params[1]);
	while (r >= 0 && next_text(t)) {
		if (!message_has_tag(&t->m, CONCAT))
			r = buf_add(out, STR("\n"));
		if (r >= 0)
			r = buf_add(out, t->m.params[1]);
	}
	return r;
}

int batch_join(const struct batch *b, struct buf *out, struct message *m)
{
	struct texts t = {.rest = buf_str(&b->lines)};
	buf_reset(out);
	if (!next_text(&t))
		return ERR_INVALID;
	int r = add_head(out, b, &t.first);
	size_t n_head = out->n;
	if (r >= 0)
		r = add_texts(out, &t);
	if (r >= 0)
		r = message_parse(m, (struct str){buf_str(out).p, n_head});
	if (r < 0)
		return r;
	m->raw = buf_str(out);
	m->params[1].n = out->n - n_head;
	return 0;
}

int batch_parse(struct message *m, struct str line)
{
	struct str rest = line, first = str_cut(&rest, '\n');
	int r = message_parse(m, first);
	if (r < 0 || first.n == line.n)
		return r;
	if (m->n_params != 2 || !message_is_text(m) || str_has(rest, '\0') || str_has(rest, '\r'))
		return ERR_INVALID;
	m->raw = line;
	m->params[1].n = (size_t)(line.p + line.n - m->params[1].p);
	return 0;
}
