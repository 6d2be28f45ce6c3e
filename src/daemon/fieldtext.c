#include "daemon/fieldtext.h"

#include "base/clock.h"
#include "base/mem.h"
#include "irc/modes.h"

#include <stdlib.h>

struct fieldtext {
	struct list node;
	char *text;
};

static int end_line(struct buf *b)
{
	return b->n ? buf_add(b, STR("\n")) : 0;
}

static int put_list(struct buf *b, const struct str *list, size_t n)
{
	int r = 0;
	for (size_t i = 0; i < n && r == 0; i++) {
		r = i ? buf_add(b, STR("\n")) : 0;
		if (r == 0)
			r = buf_add(b, list[i]);
	}
	return r;
}

static int put_words(struct buf *b, struct str words, const char *separator)
{
	struct str word;
	int r = 0;
	while (r == 0 && (word = str_word(&words, separator)).n) {
		r = end_line(b);
		if (r == 0)
			r = buf_add(b, word);
	}
	return r;
}

static int put_changes(struct buf *b, const struct value *v, const struct isupport *is)
{
	struct mode_reader reader;
	struct mode_change c;
	int r = 0;
	modes_begin(&reader, is, v->str, v->list, v->n);
	while (r == 0 && modes_next(&reader, &c)) {
		r = end_line(b);
		if (r == 0)
			r = buf_addf(b, "%c%c%s%" STR_F, c.set ? '+' : '-', c.mode,
				c.param.p ? " " : "", STR_A(c.param));
	}
	return r;
}

static int put(struct buf *b, const struct value *v, const struct event *e)
{
	switch (v->type) {
	case VALUE_NONE:
		return -1;
	case VALUE_STR:
	case VALUE_LINES:
		return buf_add(b, v->str);
	case VALUE_ESCAPED:
		return message_unescape(b, v->str);
	case VALUE_INT:
		return buf_addf(b, "%lld", (long long)v->integer);
	case VALUE_FLOAT:
		return buf_addf(b, "%.14g", v->number);
	case VALUE_BOOL:
		return buf_addf(b, "%s", v->integer ? "true" : "false");
	case VALUE_LIST:
		return put_list(b, v->list, v->n);
	case VALUE_WORDS:
		return put_words(b, v->str, " ");
	case VALUE_COMMAS:
		return put_words(b, v->str, ",");
	case VALUE_TAGS:
		return put_words(b, v->str, ";");
	case VALUE_CHANGES:
		return put_changes(b, v, e->isupport);
	}
	return -1;
}

/* Of fields that scripts have, only `net` and the functions are no text. */
static int put_field(struct buf *b, const struct event *e, struct str name)
{
	struct value v;
	if (event_field(e, name, &v))
		return put(b, &v, e);
	if (!str_eq(name, STR("time")))
		return -1;
	return buf_addf(b, "%.3f", (double)event_wall_ns(e) / NS_PER_S);
}

const char *fieldtext_add(struct list *texts, const struct event *e, struct str name, size_t *n)
{
	struct buf b;
	buf_init(&b, FIELDTEXT_MAX_BYTES);
	if (put_field(&b, e, name) < 0) {
		buf_fini(&b);
		return NULL;
	}
	struct fieldtext *t = mem_new(sizeof(*t));
	if (n)
		*n = b.n;
	t->text = buf_detach(&b);
	list_init(&t->node);
	list_append(texts, &t->node);
	return t->text;
}

void fieldtext_free_all(struct list *texts)
{
	list_each_safe (node, texts) {
		struct fieldtext *t = container_of(node, struct fieldtext, node);
		list_remove(node);
		free(t->text);
		free(t);
	}
}
