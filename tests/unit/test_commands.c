#include "ctl/commands.h"

#include "base/buf.h"
#include "daemon/command.h"
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_run(const char *name)
{
	for (const struct control_command *c = command_table; c->name; c++)
		if (strcmp(c->name, name) == 0)
			return c->run != NULL;
	return false;
}

static void every_command_has_a_row_on_both_sides(void **state)
{
	(void)state;
	const struct commands_row *row;
	for (size_t i = 0; (row = commands_row(i)); i++) {
		if (!is_run(row->name))
			fail_msg("%s: does nothing", row->name);
	}
	for (const struct control_command *c = command_table; c->name; c++)
		assert_non_null(commands_find(str_of(c->name)));
}

static void every_row_is_complete(void **state)
{
	(void)state;
	const struct commands_row *row;
	const struct commands_parameter *p;
	for (size_t i = 0; (row = commands_row(i)); i++) {
		bool may_follow = true, was_optional = false;
		assert_ptr_equal(commands_find(str_of(row->name)), row);
		assert_true(strlen(row->help) > 5);
		assert_int_not_equal(row->help[strlen(row->help) - 1], '.');
		for (size_t k = 0; (p = commands_parameter(row, k)); k++) {
			assert_true(may_follow);
			assert_true(p->is_optional || !was_optional);
			may_follow = !p->takes_rest;
			was_optional = p->is_optional;
		}
	}
}

static void the_form_shows_the_parameters(void **state)
{
	(void)state;
	static const char *const forms[] = {"status", "reload [NAME]", "eval SCRIPT LUA"};
	for (size_t i = 0; i < COUNTOF(forms); i++) {
		char form[COMMANDS_FORM_BYTES];
		struct str name = str_of(forms[i]);
		commands_form(commands_find(str_cut(&name, ' ')), form);
		assert_string_equal(form, forms[i]);
	}
}

#define X50  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X200 X50 X50 X50 X50

static const struct members_row {
	const char *name, *members, *why; /* why NULL: they are right */
} members_rows[] = {
	{"members: none",                "{'command':'status','id':1}",                        NULL                           },
	{"members: optional, absent",    "{'command':'reload','id':1}",                        NULL                           },
	{"members: optional",            "{'command':'reload','name':'a'}",                    NULL                           },
	{"members: a name in UTF-8",     "{'command':'load','name':'é'}",                     NULL                           },
	{"members: a long name",         "{'command':'load','name':'" X200 "'}",               NULL                           },
	{"members: a text is anything",  "{'command':'eval','script':'a','lua':'\\n\\u0001'}", NULL                           },
	{"members: an empty text",       "{'command':'eval','script':'a','lua':''}",           NULL                           },
	{"members: missing",             "{'command':'load'}",                                 "load: name: is missing"       },
	{"members: the second missing",  "{'command':'eval','script':'a'}",                    "eval: lua: is missing"        },
	{"members: a number",            "{'command':'load','name':7}",                        "load: name: is not a string"  },
	{"members: null",                "{'command':'reload','name':null}",                   "reload: name: is not a string"},
	{"members: an empty name",       "{'command':'load','name':''}",                       "load: name: is empty"         },
	{"members: too long a name",     "{'command':'load','name':'" X200 "x'}",
         "load: name: is too long"											    },
	{"members: a newline in a name", "{'command':'load','name':'a\\nb'}",
         "load: name: holds a control character"									      },
	{"members: DEL in a name",       "{'command':'load','name':'a\x7f'}",
         "load: name: holds a control character"									      },
	{"members: unknown",             "{'command':'status','all':true}",
         "status: all: there is no such member"									       },
	{"members: of another command",  "{'command':'load','name':'a','lua':''}",
         "load: lua: there is no such member"										 },
};

static void members_are_checked(void **state)
{
	const struct members_row *row = *state;
	struct err err = {0};
	char *text = str_dup(str_of(row->members));
	for (char *c = text; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	json_t *members = json_loads(text, 0, NULL);
	assert_non_null(members);
	const char *name = json_string_value(json_object_get(members, "command"));

	int r = commands_check(commands_find(str_of(name)), members, &err);

	assert_int_equal(r, row->why ? ERR_INVALID : 0);
	assert_string_equal(err.text, row->why ? row->why : "");
	json_decref(members);
	free(text);
}

static const struct arguments_row {
	const char *name, *arguments; /* with "|" between them, the command first */
	const char *expected;         /* the members as JSON, or why not */
} arguments_rows[] = {
	{"arguments: none",               "status",                "{}"                                  },
	{"arguments: optional, absent",   "reload",                "{}"                                  },
	{"arguments: optional",           "reload|karma",          "{\"name\":\"karma\"}"                },
	{"arguments: the rest, one",      "eval|karma|return 1",
         "{\"script\":\"karma\",\"lua\":\"return 1\"}"                                                   },
	{"arguments: the rest, several",  "eval|karma|return|-1|",
         "{\"script\":\"karma\",\"lua\":\"return -1 \"}"                                                 },
	{"arguments: one too many",       "status|all",            "status: all: is an argument too many"},
	{"arguments: one too many there", "reload|a|b",            "reload: b: is an argument too many"  },
	{"arguments: one missing",        "eval|karma",            "eval: lua: is missing"               },
	{"arguments: an empty name",      "load|",                 "load: name: is empty"                },
	{"arguments: not UTF-8",          "eval|a|'\xe9'",         "eval: lua: is not UTF-8"             },
};

static void arguments_become_members(void **state)
{
	const struct arguments_row *row = *state;
	struct str rest = str_of(row->arguments), part;
	const struct commands_row *command = commands_find(str_cut(&rest, '|'));
	char *arguments[8];
	size_t n = 0;
	while (rest.p) {
		part = str_cut(&rest, '|');
		arguments[n++] = str_dup(part);
	}
	struct err err;
	json_t *members;

	int r = commands_read(command, arguments, n, &members, &err);

	char *json = r == 0 ? json_dumps(members, JSON_COMPACT) : str_dup(str_of(err.text));
	assert_string_equal(json, row->expected);
	assert_int_equal(r == 0, members != NULL);
	free(json);
	json_decref(members);
	while (n)
		free(arguments[--n]);
}

static char *read_manual(void)
{
	struct buf b;
	buf_init(&b, 1 << 20);
	FILE *f = fopen("doc/ebbctl.1", "re");
	assert_non_null(f);
	char *end = buf_reserve(&b, 1 << 16);
	buf_commit(&b, fread(end, 1, 1 << 16, f));
	fclose(f);
	return buf_detach(&b);
}

static void the_manual_has_every_command_with_its_parameters(void **state)
{
	(void)state;
	char *manual = read_manual();
	const struct commands_row *row;
	const struct commands_parameter *p;
	for (size_t i = 0; (row = commands_row(i)); i++) {
		struct buf entry;
		buf_init(&entry, 1000);
		int r = buf_addf(&entry, "\n.It Cm %s", row->name);
		bool is_in_row = false; /* Ar stands once for several */
		for (size_t k = 0; (p = commands_parameter(row, k)) && r == 0; k++) {
			r = buf_addf(&entry, "%s%s %s", p->is_optional ? " Op" : "",
				is_in_row ? "" : " Ar", p->name);
			is_in_row = !p->is_optional;
		}
		assert_int_equal(r < 0 ? r : buf_add(&entry, STR("\n")), 0);
		if (!strstr(manual, buf_str(&entry).p))
			print_error("not in the manual: %s", buf_str(&entry).p);
		assert_non_null(strstr(manual, buf_str(&entry).p));
		buf_fini(&entry);
	}
	free(manual);
}

int main(void)
{
	struct check c = {0};
	check_test(&c, every_command_has_a_row_on_both_sides);
	check_test(&c, every_row_is_complete);
	check_test(&c, the_form_shows_the_parameters);
	check_rows(&c, members_rows, members_are_checked);
	check_rows(&c, arguments_rows, arguments_become_members);
	check_test(&c, the_manual_has_every_command_with_its_parameters);
	return check_run(&c, "commands");
}
