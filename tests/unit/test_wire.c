#include "ctl/wire.h"

#include "base/utf8.h"
#include "support/check.h"

#include <stdlib.h>

#define REPLACED "\xef\xbf\xbd"

static const struct text_row {
	const char *name;
	struct str bytes;
	const char *json;
} text_rows[] = {
	{"text: ASCII",                  STR_CONST("a b"),          "\"a b\""                           },
	{"text: empty",                  STR_CONST(""),             "\"\""                              },
	{"text: absent",                 {NULL, 0},                 "null"                              },
	{"text: UTF-8",                  STR_CONST("é€𝄞"),    "\"é€𝄞\""                     },
	{"text: Latin-1",                STR_CONST("caf\xe9!"),     "\"caf" REPLACED "!\""              },
	{"text: nothing but rubbish",    STR_CONST("\xff\xfe"),     "\"" REPLACED REPLACED "\""         },
	{"text: a surrogate",            STR_CONST("\xed\xa0\x80"), "\"" REPLACED REPLACED REPLACED "\""},
	{"text: cut within a character", STR_CONST("a\xe2\x82"),    "\"a" REPLACED REPLACED "\""        },
	{"text: overlong",               STR_CONST("\xc0\xaf"),     "\"" REPLACED REPLACED "\""         },
	{"text: a NUL",                  STR_CONST("a\0b"),         "\"a\\u0000b\""                     },
	{"text: a NUL and rubbish",      STR_CONST("\0\xff"),       "\"\\u0000" REPLACED "\""           },
	{"text: a newline",              STR_CONST("a\nb"),         "\"a\\nb\""                         },
};

static void text_is_always_json(void **state)
{
	const struct text_row *row = *state;

	json_t *text = wire_text(row->bytes);

	char *json = json_dumps(text, JSON_ENCODE_ANY);
	assert_string_equal(json, row->json);
	free(json);
	json_decref(text);
}

static void points_are_those_of_unicode(void **state)
{
	(void)state;
	assert_int_equal(utf8_point(STR("a")), 'a');
	assert_int_equal(utf8_point(STR("é")), 0xe9);
	assert_int_equal(utf8_point(STR("€")), 0x20ac);
	assert_int_equal(utf8_point(STR("𝄞")), 0x1d11e);
}

static const struct request_row {
	const char *name, *line;
	const char *id;   /* as JSON; NULL: none was read */
	const char *text; /* the command, or why not */
	bool is_valid;
} request_rows[] = {
	{"request: an integer",         "{\"id\":7,\"command\":\"status\"}",     "7",       "status",                   true },
	{"request: a string",           "{\"command\":\"x\",\"id\":\"a b\"}",    "\"a b\"", "x",                        true },
	{"request: spaces and CR",      " {\"id\": -1 , \"command\": \"x\"} \r", "-1",      "x",                        true },
	{"request: no id",              "{\"command\":\"x\"}",                   NULL,      "id: is missing",           false},
	{"request: an id of null",      "{\"id\":null,\"command\":\"x\"}",       NULL,
         "id: is neither an integer nor a string",								      false},
	{"request: an id with a point", "{\"id\":1.5,\"command\":\"x\"}",        NULL,
         "id: is neither an integer nor a string",								      false},
	{"request: no command",         "{\"id\":7}",                            "7",       "command: is missing",      false},
	{"request: a command of 7",     "{\"id\":7,\"command\":7}",              "7",       "command: is not a string",
         false													       },
	{"request: a list",             "[]",				    NULL,      "not a JSON object",        false},
	{"request: a number",           "7",				     NULL,      "not a JSON object",        false},
	{"request: empty",              "",				      NULL,      "not JSON: ",               false},
	{"request: words",              "status",                                NULL,      "not JSON: ",               false},
	{"request: no end",             "{\"id\":7,",                            NULL,      "not JSON: ",               false},
	{"request: two objects",        "{\"id\":7,\"command\":\"x\"}{}",        NULL,      "not JSON: ",               false},
	{"request: a member twice",     "{\"id\":7,\"id\":8,\"command\":\"x\"}", NULL,
         "not JSON: ",												  false},
	{"request: not UTF-8",          "{\"id\":7,\"command\":\"\xff\"}",       NULL,      "not JSON: ",               false},
	{"request: a NUL",              "{\"id\":7,\"command\":\"a\\u0000b\"}",  NULL,      "not JSON: ",               false},
	{"request: half a surrogate",   "{\"id\":7,\"command\":\"\\ud800\"}",    NULL,
         "not JSON: ",												  false},
};

static void request_is_read(void **state)
{
	const struct request_row *row = *state;
	struct wire_request request;
	struct err err = {0};

	int r = wire_read_request(str_of(row->line), &request, &err);

	char *id = request.id ? json_dumps(request.id, JSON_ENCODE_ANY) : NULL;
	assert_int_equal(r, row->is_valid ? 0 : ERR_INVALID);
	if (row->is_valid)
		assert_string_equal(request.command, row->text);
	else
		assert_true(str_starts(str_of(err.text), str_of(row->text)));
	assert_slice(str_of(id), row->id);
	free(id);
	wire_request_fini(&request);
}

static void what_is_nested_without_end_is_refused(void **state)
{
	(void)state;
	enum { DEPTH = 1000000 };
	static char line[DEPTH];
	struct wire_request request;
	struct err err;
	memset(line, '[', DEPTH);

	int r = wire_read_request((struct str){line, DEPTH}, &request, &err);

	assert_int_equal(r, ERR_INVALID);
	wire_request_fini(&request);
}

static void both_ends_understand_each_other(void **state)
{
	(void)state;
	struct buf b;
	struct wire_request request;
	struct wire_reply reply;
	struct err err;
	json_t *id = json_integer(7);
	buf_init(&b, 1000);

	assert_int_equal(wire_put_request(&b, id, "eval", json_pack("{ss}", "lua", "a\nb")), 0);
	assert_slice(buf_str(&b), "{\"id\":7,\"command\":\"eval\",\"lua\":\"a\\nb\"}\n");
	assert_int_equal(wire_read_request(buf_str(&b), &request, &err), 0);
	assert_string_equal(wire_argument(&request, "lua"), "a\nb");
	assert_null(wire_argument(&request, "script"));
	wire_request_fini(&request);

	buf_reset(&b);
	assert_int_equal(wire_put_result(&b, id, json_pack("[fs]", 0.007, "x")), 0);
	assert_slice(buf_str(&b), "{\"id\":7,\"ok\":true,\"result\":[0.007,\"x\"]}\n");
	assert_int_equal(wire_read_reply(buf_str(&b), &reply, &err), 0);
	assert_true(reply.is_ok);
	assert_int_equal(json_array_size(reply.result), 2);
	wire_reply_fini(&reply);

	buf_reset(&b);
	err_set(&err, ERR_DENIED, "not %s", "permitted\xff");
	assert_int_equal(wire_put_error(&b, NULL, &err), 0);
	assert_slice(buf_str(&b),
		"{\"ok\":false,\"error\":\"not permitted" REPLACED "\",\"kind\":\"denied\"}\n");
	assert_int_equal(wire_read_reply(buf_str(&b), &reply, &err), 0);
	assert_false(reply.is_ok);
	assert_string_equal(reply.error, "not permitted" REPLACED);
	assert_string_equal(reply.kind, "denied");
	wire_reply_fini(&reply);

	json_decref(id);
	buf_fini(&b);
}

static void a_result_without_anything_is_an_empty_object(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 1000);

	assert_int_equal(wire_put_result(&b, NULL, NULL), 0);

	assert_slice(buf_str(&b), "{\"ok\":true,\"result\":{}}\n");
	buf_fini(&b);
}

static void what_does_not_fit_leaves_the_buffer_as_it_was(void **state)
{
	(void)state;
	struct buf b;
	for (size_t max = 4; max < 4 + sizeof("{\"ok\":true,\"result\":\"xyz\"}\n") - 1; max++) {
		buf_init(&b, max);
		assert_int_equal(buf_add(&b, STR("old\n")), 0);
		assert_int_equal(wire_put_result(&b, NULL, json_string("xyz")), ERR_LIMIT);
		assert_slice(buf_str(&b), "old\n");
		buf_fini(&b);
	}
}

static void a_reply_that_is_neither_is_refused(void **state)
{
	(void)state;
	static const char *const lines[] = {"", "{}", "[]", "{\"ok\":true}", "{\"ok\":false}",
		"{\"ok\":1,\"result\":{}}", "{\"ok\":false,\"error\":7}"};
	for (size_t i = 0; i < COUNTOF(lines); i++) {
		struct wire_reply reply;
		struct err err;
		assert_int_equal(wire_read_reply(str_of(lines[i]), &reply, &err), ERR_INVALID);
		wire_reply_fini(&reply);
	}
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, text_rows, text_is_always_json);
	check_test(&c, points_are_those_of_unicode);
	check_rows(&c, request_rows, request_is_read);
	check_test(&c, what_is_nested_without_end_is_refused);
	check_test(&c, both_ends_understand_each_other);
	check_test(&c, a_result_without_anything_is_an_empty_object);
	check_test(&c, what_does_not_fit_leaves_the_buffer_as_it_was);
	check_test(&c, a_reply_that_is_neither_is_refused);
	return check_run(&c, "wire");
}
