/*
 * The input is a byte that chooses a command of the table, or one of forms that follow, a line each
 * up to an empty one; then the arguments, "NAME=VALUE" or "NAME=*VALUE;VALUE" for a list, "NAME"
 * for true, "-NAME" for false. They are ended by \x1e, so that a value may hold anything else.
 */
#include "fuzz/fuzz.h"

#include "irc/message.h"
#include "irc/schema.h"

enum { ARGS_MAX = 6, VALUES_MAX = 300, LINE_MAX_BYTES = 2048, FORM_MAX_BYTES = 256 };

struct input {
	char forms[SCHEMA_FORMS_MAX][FORM_MAX_BYTES];
	const char *form_list[SCHEMA_FORMS_MAX + 1];
	struct schema_command own;
	struct schema_arg args[ARGS_MAX];
	size_t n_args;
	struct str values[VALUES_MAX];
	size_t n_values;
};

/* Only forms that the check lets pass. */
static void take_forms(struct input *in, struct str *rest)
{
	struct err err;
	struct str line;
	size_t n = 0;
	while (n < SCHEMA_FORMS_MAX && (line = str_cut(rest, '\n')).n) {
		snprintf(in->forms[n], FORM_MAX_BYTES, "%" STR_F, STR_A(line));
		if (schema_check_form(in->forms[n], &err) < 0)
			continue;
		in->form_list[n] = in->forms[n];
		n++;
	}
	in->form_list[n] = NULL;
	in->own = (struct schema_command){"own", in->form_list};
}

static void take_values(struct input *in, struct schema_arg *a, struct str text)
{
	a->values = in->values + in->n_values;
	do {
		in->values[in->n_values++] = a->is_list ? str_cut(&text, ';') : text;
		a->n_values++;
	} while (a->is_list && text.p && in->n_values < VALUES_MAX);
}

static void take_arg(struct input *in, struct str text)
{
	struct schema_arg *a = &in->args[in->n_args++];
	bool is_false = str_starts(text, STR("-"));
	struct str value = str_skip(text, is_false);
	*a = (struct schema_arg){.name = str_cut(&value, '=')};
	a->is_true = !is_false && !value.p;
	if (is_false || a->is_true)
		return;
	a->is_list = str_starts(value, STR("*"));
	value = str_skip(value, a->is_list);
	if (!a->is_list || value.n)
		take_values(in, a, value);
}

static const struct schema_command *take_command(struct input *in, struct str *rest)
{
	size_t n_commands = 0;
	while (schema_command(n_commands))
		n_commands++;
	size_t i = fuzz_byte(rest);
	if (i > ' ')
		return schema_command((i - ' ' - 1) % n_commands);
	take_forms(in, rest);
	return &in->own;
}

static bool is_in_a_param(const struct message *m, struct str value)
{
	for (unsigned i = 0; i < m->n_params; i++)
		if (memmem(m->params[i].p, m->params[i].n, value.p, value.n))
			return true;
	return false;
}

/* Of two arguments with one name the first counts. */
static bool is_first(const struct input *in, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (str_eq(in->args[i].name, in->args[at].name))
			return false;
	return true;
}

/* A command of the table makes a message, in which a server finds what was given. */
static void require_message(const struct input *in, struct str line)
{
	struct message m;
	REQUIRE(message_parse(&m, line) == 0);
	REQUIRE(!m.source.p && !m.tags.p && m.numeric < 0);
	for (size_t i = 0; i < in->n_args; i++)
		for (size_t k = 0; is_first(in, i) && k < in->args[i].n_values; k++)
			REQUIRE(is_in_a_param(&m, in->args[i].values[k]));
}

static void build(struct input *in, const struct schema_command *c)
{
	struct buf out;
	struct err err;
	buf_init(&out, LINE_MAX_BYTES);
	REQUIRE(buf_add(&out, STR("before")) == 0);
	int r = schema_build_from(&out, c, in->args, in->n_args, &err);
	struct str line = str_skip(buf_str(&out), STR("before").n);
	if (r == 0) {
		REQUIRE(line.n && line.p[0] != ' ' && fuzz_is_line(line));
		if (c != &in->own)
			require_message(in, line);
	} else {
		REQUIRE(r == ERR_INVALID || r == ERR_LIMIT);
		REQUIRE(err.code == r && err.text[0] && line.n == 0);
	}
	buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct input in;
	struct str rest = fuzz_input(data, size);
	in.n_args = in.n_values = 0;
	const struct schema_command *c = take_command(&in, &rest);
	while (rest.n && in.n_args < ARGS_MAX && in.n_values < VALUES_MAX)
		take_arg(&in, str_cut(&rest, '\x1e'));
	build(&in, c);
	return 0;
}
