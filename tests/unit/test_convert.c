#include "support/stage.h"

#include <stdio.h>
#include <string.h>

static struct stage st;

/* Client tags. */

static const struct tags_row {
	const char *name, *token, *send, *sent;
	bool has_no_tags;
} tags_rows[] = {
	{"tags: as they are",              "X",
         "'privmsg', {target = '#a', message = 'x', tags = {['+a'] = 'b c'}}",				       "@+a=b\\sc PRIVMSG #a :x\n", false},
	{"tags: true stands for no value", "X",
         "'privmsg', {target = '#a', message = 'x', tags = {['+a'] = true}}",					"@+a PRIVMSG #a :x\n",       false},
	{"tags: one is denied",            "CLIENTTAGDENY=a",
         "'privmsg', {target = '#a', message = 'x', tags = {['+a'] = 'b'}}",					 "PRIVMSG #a :x\n",           false},
	{"tags: one of two is denied",     "CLIENTTAGDENY=*,-b",
         "'privmsg', {target = '#a', message = 'x', tags = {['+a'] = 'b', ['+b'] = 'c'}}",			   "@+b=c PRIVMSG #a :x\n",     false},
	{"tags: a server without",         "X",
         "'privmsg', {target = '#a', message = 'x', tags = {['+a'] = 'b'}}",					 "PRIVMSG #a :x\n",           true },
	{"tagmsg: is sent",                "CLIENTTAGDENY=*,-a",
         "'tagmsg', {target = '#a', tags = {['+a'] = 'b'}}",                                                         "@+a=b TAGMSG #a\n",         false},
	{"tagmsg: all are denied",         "CLIENTTAGDENY=*,-b",
         "'tagmsg', {target = '#a', tags = {['+a'] = 'b'}}",                                                         "",                          false},
	{"tagmsg: a server without",       "X",                  "'TagMsg', {target = '#a', tags = {['+a'] = 'b'}}", "",
         true																	  },
	{"tagmsg: without tags",           "X",                  "'tagmsg', {target = '#a'}",                        "",                          false},
};

static void client_tags_are_sent_as_the_server_takes_them(void **state)
{
	const struct tags_row *row = *state;
	char source[400];
	stage_begin(&st, 1);
	assert_true(isupport_apply(&st.nets[0].isupport, str_of(row->token)));
	st.nets[0].has_no_tags = row->has_no_tags;
	snprintf(source, sizeof(source), "assert(send(%s) == %s)", row->send,
		row->sent[0] ? "true" : "false");

	assert_true(stage_load(&st, "test", source));

	stage_expect(&st, row->sent);
	stage_end(&st);
}

static void a_tagmsg_raises_where_nothing_is_connected(void **state)
{
	(void)state;
	stage_begin(&st, 1);
	st.nets[0].is_connected = false;
	st.nets[0].has_no_tags = true;

	assert_true(stage_load(&st, "test",
		"local ok, e = pcall(send, 'tagmsg', {target = '#a', tags = {['+a'] = 'b'}})\n"
		"assert(not ok and e.kind == 'disconnected')"));

	stage_end(&st);
}

/* Forms of a script's own. */

static const struct form_row {
	const char *name, *source, *sent;
} form_rows[] = {
	{"form: a new command",
         "register_pattern('SaJoin', 'SAJOIN {nick} {channel:comma}')\n"
		"send('sajoin', {nick = 'bob', channel = {'#a', '#b'}})",					     "SAJOIN bob #a,#b\n"},
	{"form: several of one command",
         "register_pattern('x', 'X {a}') register_pattern('X', 'X {a} :{b}')\n"
		"send('x', {a = 1}) send('x', {a = 1, b = ' 2'})",						    "X 1\nX 1 : 2\n"    },
	{"form: one more of a known command",
         "register_pattern('quit', 'QUIT {code} :{message}')\n"
		"send('quit', {code = 1, message = 'x'}) send('quit', {message = 'y'}) send('quit')",
         "QUIT 1 :x\nQUIT :y\nQUIT\n"												     },
	{"form: the script's of two equal ones",
         "register_pattern('away', 'AWAY -{message:nospace}')\n"
		"send('away', {message = 'x'})",								      "AWAY -x\n"         },
	{"form: twice the same is once",
         "for i = 1, 9 do register_pattern('x', 'X {a}') end\n"
		"send('x', {a = 1})",										 "X 1\n"             },
	{"form: four and those of the table",
         "for i = 1, 4 do register_pattern('mode', 'MODE {target} {m' .. i .. '}') end\n"
		"send('mode', {target = '#a', m4 = '+n'}) send('mode', {target = '#a', modes = '+o', params = 'b'})",
         "MODE #a +n\nMODE #a +o b\n"												     },
	{"form: no more than four",
         "for i = 1, 4 do register_pattern('x', 'X {a' .. i .. '}') end\n"
		"local ok, e = pcall(register_pattern, 'x', 'Y')\n"
		"assert(not ok and e:find('more than 4 forms'))",						     ""		  },
	{"form: no more than 256 commands",
         "for i = 1, 256 do register_pattern('x' .. i, 'X') end\n"
		"assert(not pcall(register_pattern, 'y', 'Y')) register_pattern('x7', 'Y {z}')\n"
		"send('x256') send('x7', {z = 1})",								   "X\nY 1\n"          },
	{"form: its values are checked",
         "register_pattern('x', 'X {target} {b}')\n"
		"assert(not pcall(send, 'x', {target = 'a,b', b = 'c'}))\n"
		"assert(not pcall(send, 'x', {target = 'a', b = 'c d'}))\n"
		"local ok, e = pcall(send, 'x', {target = 'a'})\n"
		"assert(not ok and e:find('x: no form fits; forms: X {target} {b}', 1, true), e)",		    ""		  },
	{"form: a name that is long",
         "local name = ('n'):rep(100)\n"
		"register_pattern(name, 'X {a}') collectgarbage() send(name:upper(), {a = 1})\n"
		"assert(not pcall(register_pattern, name .. 'n', 'X')) assert(not pcall(send, name .. 'n'))",
         "X 1\n"															  },
	{"form: a tag message of its own is one",
         "register_pattern('react', 'TAGMSG {channel}')\n"
		"assert(send('react', {channel = '#a', tags = {['+r'] = 'x'}}))\n"
		"assert(send('react', {channel = '#a'}) == false)",						   "@+r=x TAGMSG #a\n" },
};

static void a_script_has_forms_of_its_own(void **state)
{
	const struct form_row *row = *state;
	stage_begin(&st, 1);

	if (!stage_load(&st, "test", row->source))
		fail_msg("not loaded: %s", buf_str(&st.log).p);

	stage_expect(&st, row->sent);
	stage_end(&st);
}

static const struct refused_row {
	const char *name, *call, *why;
} refused_rows[] = {
	{"refused: no command",             "'x', ''",           "no command"                },
	{"refused: a hole for a command",   "'x', '{a}'",        "no command"                },
	{"refused: an unclosed hole",       "'x', 'X {a'",       "a { without }"             },
	{"refused: a nameless hole",        "'x', 'X {}'",       "a hole has no name"        },
	{"refused: an unknown kind",        "'x', 'X {a:list}'", "a hole is of no known kind"},
	{"refused: a line break",           "'x', 'X\\nY'",      "a line break"              },
	{"refused: a NUL",                  "'x', 'X\\0'",       "a form has no NUL"         },
	{"refused: an empty name",          "'', 'X'",           "a command's name expected" },
	{"refused: no form",                "'x'",               "string expected"           },
	{"refused: a name that is no text", "{}, 'X'",           "string expected"           },
};

static void a_form_that_makes_no_sense_raises_where_it_is(void **state)
{
	const struct refused_row *row = *state;
	char source[200];
	stage_begin(&st, 1);
	snprintf(source, sizeof(source), "\nregister_pattern(%s)", row->call);

	assert_false(stage_load(&st, "test", source));

	assert_non_null(strstr(buf_str(&st.log).p, "test.lua:2: "));
	assert_non_null(strstr(buf_str(&st.log).p, "register_pattern"));
	stage_expect_log(&st, row->why);
	stage_end(&st);
}

static void forms_are_of_one_script_and_one_generation(void **state)
{
	static const char *const uses = "on('join', function() send('x', {a = 1}) end)";
	(void)state;
	stage_begin(&st, 1);
	assert_true(stage_load(&st, "one",
		"register_pattern('x', 'X {a}') on('join', function() send('x', {a = 2}) end)"));
	assert_true(stage_load(&st, "two", uses));

	stage_line(&st, 0, ":a!u@h JOIN #a");
	stage_expect(&st, "X 2\n");
	stage_expect_log(&st, "no command 'x'");
	assert_string_equal(stage_reload(&st, "one", uses), "");
	stage_line(&st, 0, ":a!u@h JOIN #a");
	stage_expect(&st, "");
	stage_expect_log(&st, "no command 'x'");
	stage_end(&st);
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, tags_rows, client_tags_are_sent_as_the_server_takes_them);
	check_rows(&c, form_rows, a_script_has_forms_of_its_own);
	check_rows(&c, refused_rows, a_form_that_makes_no_sense_raises_where_it_is);
	check_test(&c, forms_are_of_one_script_and_one_generation);
	check_test(&c, a_tagmsg_raises_where_nothing_is_connected);
	return check_run(&c, "convert");
}
