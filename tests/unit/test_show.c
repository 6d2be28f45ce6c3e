#include "ctl/show.h"

#include "support/check.h"

#include <stdlib.h>

static const struct show_row {
	const char *name, *json, *shown;
} show_rows[] = {
	{"show: nothing",                 "{}",								""                            },
	{"show: an empty list",           "[]",								""                            },
	{"show: a text",                  "\"a  b\"",							  "a  b\n"                      },
	{"show: a text of lines",         "\"a\\n\\tb\"",						      "a\n\tb\n"                    },
	{"show: a number",                "7",								 "7\n"                         },
	{"show: a fraction",              "0.007",							     "0.007\n"                     },
	{"show: null",                    "null",							      "-\n"                         },
	{"show: yes",                     "true",							      "yes\n"                       },
	{"show: texts",                   "[\"a\",\"b c\",7]",						 "a\nb c\n7\n"                 },
	{"show: an object",               "{\"a\":1,\"long\":\"x\",\"b\":false}",                              "a     1\nlong  x\nb     no\n"},
	{"show: a list in an object",     "{\"a\":[1,\"b\",null],\"c\":[]}",                                   "a  1, b, -\nc  -\n"          },
	{"show: an object in one",        "{\"a\":{\"b\":1}}",                                                 "a  {\"b\": 1}\n"             },
	{"show: a table",                 "[{\"name\":\"libera\",\"lag\":null},{\"name\":\"x\",\"lag\":0.5}]",
         "name    lag\nlibera  -\nx       0.5\n"											     },
	{"show: columns that come later", "[{\"a\":1},{\"b\":2,\"a\":3}]",                                     "a  b\n1  -\n3  2\n"          },
	{"show: characters, not bytes",   "[{\"a\":\"é€\",\"b\":1},{\"a\":\"xyz\",\"b\":2}]",
         "a    b\né€   1\nxyz  2\n"												       },
	{"show: a table below",           "{\"n\":[{\"a\":1}],\"v\":2}",                                       "v  2\n\nn:\n  a\n  1\n"      },
	{"show: an escape sequence",      "\"\\u001b[2J\\u007f\\r\"",                                          "\\x1b[2J\\x7f\\x0d\n"        },
	{"show: a NUL",                   "\"a\\u0000b\"",						     "a\\x00b\n"                   },
	{"show: eight-bit controls",      "\"\\u009b2J\\u0085\\u00a1\"",                                       "\\x9b2J\\x85¡\n"            },
	{"show: a newline in a table",    "[{\"a\":\"x\\ny\",\"b\":\"\\t\"},{\"a\":1,\"b\":2}]",
         "a       b\nx\\x0ay  \\x09\n1       2\n"											    },
	{"show: a key that drives",       "{\"\\u001b\":1}",                                                   "\\x1b  1\n"                  },
	{"show: a title that drives",     "[{\"\\u001b\":1,\"b\":2}]",                                         "\\x1b  b\n1     2\n"         },
};

typedef void show_function(FILE *to, const json_t *value);

static char *shown(show_function *show, const char *json)
{
	char *bytes;
	size_t n;
	FILE *f = open_memstream(&bytes, &n);
	json_t *value = json_loads(json, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	assert_non_null(value);
	show(f, value);
	fclose(f);
	json_decref(value);
	return bytes;
}

static void value_is_shown(void **state)
{
	const struct show_row *row = *state;

	char *text = shown(show_value, row->json);

	assert_string_equal(text, row->shown);
	free(text);
}

static void json_is_one_line_without_control_characters(void **state)
{
	(void)state;
	char *text =
		shown(show_json, "{\"a\": \"\\n\\u001b\\u007f\\u009b\\u0000é\", \"b\": 0.007}");
	assert_string_equal(text, "{\"a\": \"\\n\\u001B\\u007F\\u009B\\u0000é\", \"b\": 0.007}\n");
	free(text);
}

static void bytes_that_are_not_utf8_are_escaped(void **state)
{
	(void)state;
	char *bytes;
	size_t n;
	FILE *f = open_memstream(&bytes, &n);

	show_text(f, STR("a\xff\x9b"));

	fclose(f);
	assert_string_equal(bytes, "a\\xff\\x9b");
	free(bytes);
}

static void a_table_of_many_columns_ends_somewhere(void **state)
{
	(void)state;
	json_t *row = json_object();
	for (int i = 0; i < 1000; i++) {
		char name[16];
		snprintf(name, sizeof(name), "%d", i);
		json_object_set_new(row, name, json_integer(i));
	}
	json_t *rows = json_pack("[o]", row);
	char *json = json_dumps(rows, 0);

	char *text = shown(show_value, json);

	assert_non_null(strstr(text, "30  31\n"));
	free(text);
	free(json);
	json_decref(rows);
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, show_rows, value_is_shown);
	check_test(&c, json_is_one_line_without_control_characters);
	check_test(&c, bytes_that_are_not_utf8_are_escaped);
	check_test(&c, a_table_of_many_columns_ends_somewhere);
	return check_run(&c, "show");
}
