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

int main(void)
{
	struct check c = {0};
	check_rows(&c, tags_rows, client_tags_are_sent_as_the_server_takes_them);
	check_test(&c, a_tagmsg_raises_where_nothing_is_connected);
	return check_run(&c, "convert");
}
