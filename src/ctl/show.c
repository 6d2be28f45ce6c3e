#include "ctl/show.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <stdlib.h>

enum { COLUMNS_MAX = 32, GAP = 2, INDENT = 2 };

/* What may stand in a text, and how the rest is written. */
struct style {
	const char *kept; /* control characters that are printed */
	bool is_json;     /* \u0000, else \x00 */
};

static const struct style whole = {"\n\t", false}, cell = {"", false}, json = {"", true};

static size_t put_escape(FILE *to, unsigned point, const struct style *style)
{
	return (size_t)(style->is_json ? fprintf(to, "\\u%04X", point)
				       : fprintf(to, "\\x%02x", point));
}

static bool is_control(uint32_t point)
{
	return point < ' ' || (point >= 0x7f && point < 0xa0);
}

/* Returns how many columns it takes. A byte that is not UTF-8 is its own character. */
static size_t put_text(FILE *to, struct str s, const struct style *style)
{
	size_t width = 0;
	while (s.n) {
		size_t n = utf8_size(s);
		struct str character = {s.p, n ? n : 1};
		uint32_t point = n ? utf8_point(character) : (unsigned char)*s.p;
		bool is_shown =
			n && (!is_control(point) || (point && strchr(style->kept, (int)point)));
		if (is_shown) {
			fwrite(character.p, 1, character.n, to);
			width++;
		} else {
			width += put_escape(to, point, style);
		}
		s = str_skip(s, character.n);
	}
	return width;
}

void show_text(FILE *to, struct str text)
{
	put_text(to, text, &whole);
}

static size_t put_json(FILE *to, const json_t *value)
{
	char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
	size_t width = put_text(to, str_of(text ? text : ""), &json);
	free(text);
	return width;
}

void show_json(FILE *to, const json_t *value)
{
	put_json(to, value);
	putc('\n', to);
}

static struct str string_of(const json_t *value)
{
	return (struct str){json_string_value(value), json_string_length(value)};
}

static size_t put_cell(FILE *to, const json_t *value);

static size_t put_items(FILE *to, const json_t *list)
{
	size_t width = json_array_size(list) ? 0 : (size_t)fprintf(to, "-");
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (i)
			width += (size_t)fprintf(to, ", ");
		width += put_cell(to, json_array_get(list, i));
	}
	return width;
}

static size_t put_cell(FILE *to, const json_t *value)
{
	switch (value ? json_typeof(value) : JSON_NULL) {
	case JSON_STRING:
		return put_text(to, string_of(value), &cell);
	case JSON_ARRAY:
		return put_items(to, value);
	case JSON_TRUE:
		return (size_t)fprintf(to, "yes");
	case JSON_FALSE:
		return (size_t)fprintf(to, "no");
	case JSON_NULL:
		return (size_t)fprintf(to, "-");
	case JSON_OBJECT:
	case JSON_INTEGER:
	case JSON_REAL:
		break;
	}
	return put_json(to, value);
}

static bool is_table(const json_t *value)
{
	for (size_t i = 0; i < json_array_size(value); i++)
		if (!json_is_object(json_array_get(value, i)))
			return false;
	return json_array_size(value) > 0;
}

struct column {
	const char *name; /* borrowed */
	size_t width;
};

struct table {
	const json_t *rows;
	struct column columns[COLUMNS_MAX];
	size_t n;
};

/* The iterators of jansson take no const. */
static void *first_member(const json_t *object)
{
	return json_object_iter((json_t *)(uintptr_t)object);
}

static void *next_member(const json_t *object, void *at)
{
	return json_object_iter_next((json_t *)(uintptr_t)object, at);
}

static size_t width_of(const json_t *value)
{
	char *bytes = NULL;
	size_t n;
	FILE *f = open_memstream(&bytes, &n);
	size_t width = f ? put_cell(f, value) : 0;
	if (f)
		fclose(f);
	free(bytes);
	return width;
}

static struct column *column_of(struct table *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->columns[i].name, name) == 0)
			return &t->columns[i];
	if (t->n == COLUMNS_MAX)
		return NULL;
	t->columns[t->n] = (struct column){name, 0};
	return &t->columns[t->n++];
}

static void widen(struct table *t, const char *name, const json_t *value)
{
	struct column *column = column_of(t, name);
	json_t *title = json_string(name);
	size_t width = width_of(value), least = width_of(title);
	if (column && column->width < (width > least ? width : least))
		column->width = width > least ? width : least;
	json_decref(title);
}

static void measure(struct table *t)
{
	for (size_t i = 0; i < json_array_size(t->rows); i++) {
		const json_t *row = json_array_get(t->rows, i);
		for (void *at = first_member(row); at; at = next_member(row, at))
			widen(t, json_object_iter_key(at), json_object_iter_value(at));
	}
}

/* Nothing is padded at the end of a line. */
static void put_gap(FILE *to, size_t width, size_t wanted, bool is_last)
{
	if (is_last)
		putc('\n', to);
	else
		fprintf(to, "%*s", (int)(wanted - width + GAP), "");
}

static void put_titles(FILE *to, const struct table *t, int indent)
{
	fprintf(to, "%*s", indent, "");
	for (size_t i = 0; i < t->n; i++)
		put_gap(to, put_text(to, str_of(t->columns[i].name), &cell), t->columns[i].width,
			i + 1 == t->n);
}

static void put_row(FILE *to, const struct table *t, const json_t *row, int indent)
{
	fprintf(to, "%*s", indent, "");
	for (size_t i = 0; i < t->n; i++)
		put_gap(to, put_cell(to, json_object_get(row, t->columns[i].name)),
			t->columns[i].width, i + 1 == t->n);
}

static void put_table(FILE *to, const json_t *rows, int indent)
{
	struct table t = {.rows = rows};
	measure(&t);
	if (t.n == 0)
		return;
	put_titles(to, &t, indent);
	for (size_t i = 0; i < json_array_size(rows); i++)
		put_row(to, &t, json_array_get(rows, i), indent);
}

static size_t widest_key(const json_t *object)
{
	size_t widest = 0;
	for (void *at = first_member(object); at; at = next_member(object, at)) {
		json_t *key = json_string(json_object_iter_key(at));
		size_t width = is_table(json_object_iter_value(at)) ? 0 : width_of(key);
		widest = width > widest ? width : widest;
		json_decref(key);
	}
	return widest;
}

static void put_object(FILE *to, const json_t *object)
{
	size_t widest = widest_key(object);
	for (void *at = first_member(object); at; at = next_member(object, at)) {
		const json_t *value = json_object_iter_value(at);
		if (is_table(value))
			continue;
		size_t width = put_text(to, str_of(json_object_iter_key(at)), &cell);
		put_gap(to, width, widest, false);
		put_cell(to, value);
		putc('\n', to);
	}
	for (void *at = first_member(object); at; at = next_member(object, at)) {
		const json_t *value = json_object_iter_value(at);
		if (!is_table(value))
			continue;
		putc('\n', to);
		put_text(to, str_of(json_object_iter_key(at)), &cell);
		fputs(":\n", to);
		put_table(to, value, INDENT);
	}
}

static void put_list(FILE *to, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		put_cell(to, json_array_get(list, i));
		putc('\n', to);
	}
}

void show_value(FILE *to, const json_t *value)
{
	if (json_is_object(value)) {
		put_object(to, value);
	} else if (is_table(value)) {
		put_table(to, value, 0);
	} else if (json_is_array(value)) {
		put_list(to, value);
	} else if (json_is_string(value)) {
		put_text(to, string_of(value), &whole);
		putc('\n', to);
	} else {
		put_cell(to, value);
		putc('\n', to);
	}
}
