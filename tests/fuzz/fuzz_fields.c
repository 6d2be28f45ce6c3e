/* The input is a few lines as a server sends them; its 005 lines are believed. */
#include "fuzz/fuzz.h"

#include "irc/fields.h"
#include "irc/modes.h"

enum { VALUE_MAX_BYTES = 64 * 1024, LINES_MAX = 8 };

static void require_words(struct str words)
{
	struct str word;
	while ((word = str_word(&words, " ")).p)
		REQUIRE(word.n);
}

static void require_tags(struct str tags)
{
	struct str key, value;
	while (message_next_tag(&tags, &key, &value))
		REQUIRE(key.n);
}

static void require_list(const struct message *m, const struct value *v)
{
	REQUIRE(v->n == 0 || (v->list >= m->params && v->list + v->n <= m->params + m->n_params));
	for (size_t i = 0; i < v->n; i++)
		REQUIRE(v->list[i].p && fuzz_is_inside(v->list[i], m->raw));
}

static void require_changes(const struct isupport *is, const struct value *v)
{
	struct mode_reader r;
	struct mode_change c;
	modes_begin(&r, is, v->str, v->list, v->n);
	while (modes_next(&r, &c))
		REQUIRE(c.mode);
}

static void require_escaped(struct str value)
{
	struct buf b;
	buf_init(&b, VALUE_MAX_BYTES);
	REQUIRE(message_unescape(&b, value) == 0);
	buf_fini(&b);
}

/* Nearly all is a slice of the line; the others are words of ebb's own. */
static void require_str(const struct message *m, struct str s)
{
	REQUIRE(s.p && fuzz_is_line(s));
	REQUIRE(fuzz_is_inside(s, m->raw) || s.n <= STR("CLIENTINFO").n);
}

static void require_value(const struct message *m, const struct isupport *is, const struct value *v)
{
	switch (v->type) {
	case VALUE_NONE:
	case VALUE_INT:
	case VALUE_BOOL:
		break;
	case VALUE_STR:
		require_str(m, v->str);
		break;
	case VALUE_ESCAPED:
		require_escaped(v->str);
		break;
	case VALUE_LIST:
		require_list(m, v);
		break;
	case VALUE_WORDS:
	case VALUE_COMMAS:
		require_words(v->str);
		break;
	case VALUE_FLOAT:
		REQUIRE(!"a message has fractions");
		break;
	case VALUE_LINES: /* of which a message is one */
		REQUIRE(!"a message has lines");
		break;
	case VALUE_TAGS:
		require_tags(v->str);
		break;
	case VALUE_CHANGES:
		require_list(m, v);
		require_changes(is, v);
		break;
	}
}

static void require_fields(const struct message *m, int kind, const struct isupport *is)
{
	const struct field *f;
	for (size_t i = 0; (f = field_at(kind, i)); i++) {
		struct value v, none;
		REQUIRE(field_find(kind, str_of(field_name(f))));
		field_read(f, m, is, &v);
		require_value(m, is, &v);
		field_read(f, NULL, is, &none);
		REQUIRE(none.type == VALUE_NONE);
	}
}

static void feed(struct isupport **is, struct str line)
{
	struct message m;
	if (message_parse(&m, line) < 0)
		return;
	int kind = event_kind_of(&m, *is), found[EVENT_NAME_KINDS_MAX];
	(void)event_kinds(m.command, found);
	if (kind < 0)
		return;
	REQUIRE(kind < EVENT_CLIENT_CONNECT && kind != EVENT_ANY && event_name(kind));
	require_fields(&m, kind, *is);
	for (size_t i = 1; kind == 5 && i < m.n_params; i++)
		(void)isupport_apply(is, m.params[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = fuzz_input(data, size);
	struct isupport *is = isupport_new();
	for (int i = 0; rest.n && i < LINES_MAX; i++)
		feed(&is, str_cut(&rest, '\n'));
	isupport_unref(is);
	return 0;
}
