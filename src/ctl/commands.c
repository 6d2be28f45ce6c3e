#include "ctl/commands.h"

#include "base/buf.h"

#include <stdio.h>

#define NAME                   \
	{                      \
		.name = "name" \
	}
#define OPTIONAL_NAME                               \
	{                                           \
		.name = "name", .is_optional = true \
	}
#define SCRIPT                   \
	{                        \
		.name = "script" \
	}
#define LUA                                                        \
	{                                                          \
		.name = "lua", .takes_rest = true, .is_text = true \
	}

/* name, acts, parameters, help */
static const struct commands_row rows[] = {
	{"status",   false, {{0}},           "Tell how the daemon and its networks are"         },
	{"scripts",  false, {{0}},           "List the scripts"                                 },
	{"queue",    false, {{0}},           "List the lines that wait to be sent, and why"     },
	{"reload",   true,  {OPTIONAL_NAME}, "Load a script anew, or the configuration and all" },
	{"load",     true,  {NAME},          "Load a script that does not run"                  },
	{"unload",   true,  {NAME},          "End a script"                                     },
	{"eval",     true,  {SCRIPT, LUA},   "Run Lua within a script, and tell what it returns"},
	{"shutdown", true,  {{0}},           "End the daemon: leave every network, then exit"   },
};

const struct commands_row *commands_row(size_t i)
{
	return i < COUNTOF(rows) ? &rows[i] : NULL;
}

const struct commands_row *commands_find(struct str name)
{
	for (size_t i = 0; i < COUNTOF(rows); i++)
		if (str_eq(name, str_of(rows[i].name)))
			return &rows[i];
	return NULL;
}

const struct commands_parameter *commands_parameter(const struct commands_row *row, size_t i)
{
	return i < COMMANDS_PARAMETERS_MAX && row->parameters[i].name ? &row->parameters[i] : NULL;
}

static void upper(char *text)
{
	for (; *text; text++)
		if (*text >= 'a' && *text <= 'z')
			*text = (char)(*text - 'a' + 'A');
}

void commands_form(const struct commands_row *row, char out[COMMANDS_FORM_BYTES])
{
	const struct commands_parameter *p;
	size_t n = (size_t)snprintf(out, COMMANDS_FORM_BYTES, "%s", row->name);
	for (size_t i = 0; (p = commands_parameter(row, i)); i++) {
		char *start = out + n;
		n += (size_t)snprintf(
			start, COMMANDS_FORM_BYTES - n, p->is_optional ? " [%s]" : " %s", p->name);
		upper(start);
	}
}

static bool has_control(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return true;
	return false;
}

static int check_name(
	const struct commands_row *row, const char *parameter, struct str value, struct err *err)
{
	const char *why = NULL;
	if (value.n == 0)
		why = "is empty";
	else if (value.n > COMMANDS_NAME_MAX_BYTES)
		why = "is too long";
	else if (has_control(value))
		why = "holds a control character";
	return why ? err_set(err, ERR_INVALID, "%s: %s: %s", row->name, parameter, why) : 0;
}

static int check_member(const struct commands_row *row, const struct commands_parameter *p,
	const json_t *value, struct err *err)
{
	if (!value && p->is_optional)
		return 0;
	if (!value)
		return err_set(err, ERR_INVALID, "%s: %s: is missing", row->name, p->name);
	if (!json_is_string(value))
		return err_set(err, ERR_INVALID, "%s: %s: is not a string", row->name, p->name);
	struct str text = {json_string_value(value), json_string_length(value)};
	return p->is_text ? 0 : check_name(row, p->name, text, err);
}

static bool is_expected(const struct commands_row *row, struct str member)
{
	const struct commands_parameter *p;
	for (size_t i = 0; (p = commands_parameter(row, i)); i++)
		if (str_eq(member, str_of(p->name)))
			return true;
	return str_eq(member, STR("id")) || str_eq(member, STR("command"));
}

int commands_check(const struct commands_row *row, const json_t *members, struct err *err)
{
	const struct commands_parameter *p;
	for (size_t i = 0; (p = commands_parameter(row, i)); i++) {
		int r = check_member(row, p, json_object_get(members, p->name), err);
		if (r < 0)
			return r;
	}
	/* Only a reader: the iterators of jansson take no const. */
	json_t *object = (json_t *)(uintptr_t)members;
	for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at))
		if (!is_expected(row, str_of(json_object_iter_key(at))))
			return err_set(err, ERR_INVALID, "%s: %.64s: there is no such member",
				row->name, json_object_iter_key(at));
	return 0;
}

static json_t *joined(char *const *arguments, size_t n)
{
	struct buf b;
	buf_init(&b, SIZE_MAX / 8);
	int r = 0;
	for (size_t i = 0; i < n && r == 0; i++)
		r = buf_addf(&b, "%s%s", i ? " " : "", arguments[i]);
	json_t *text = r == 0 ? json_stringn(buf_str(&b).p, b.n) : NULL;
	buf_fini(&b);
	return text;
}

static int read_parameter(const struct commands_row *row, const struct commands_parameter *p,
	char *const *arguments, size_t n, json_t *members, struct err *err)
{
	json_t *text = joined(arguments, n);
	if (!text)
		return err_set(err, ERR_INVALID, "%s: %s: is not UTF-8", row->name, p->name);
	json_object_set_new(members, p->name, text);
	return 0;
}

static int read_all(const struct commands_row *row, char *const *arguments, size_t n,
	json_t *members, struct err *err)
{
	const struct commands_parameter *p;
	size_t taken = 0;
	for (size_t i = 0; taken < n && (p = commands_parameter(row, i)); i++) {
		size_t takes = p->takes_rest ? n - taken : 1;
		int r = read_parameter(row, p, arguments + taken, takes, members, err);
		if (r < 0)
			return r;
		taken += takes;
	}
	if (taken < n)
		return err_set(err, ERR_INVALID, "%s: %s: is an argument too many", row->name,
			arguments[taken]);
	return commands_check(row, members, err);
}

int commands_read(const struct commands_row *row, char *const *arguments, size_t n, json_t **out,
	struct err *err)
{
	*out = json_object();
	int r = read_all(row, arguments, n, *out, err);
	if (r < 0) {
		json_decref(*out);
		*out = NULL;
	}
	return r;
}
