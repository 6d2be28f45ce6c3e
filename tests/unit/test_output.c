#include "support/check.h"
#include "support/talk.h"

#define SAYS(tokens) READY "< :s 005 ebb " tokens " :are supported\n"

static const struct talk_row {
	const char *name;
	const char *script;
} rows[] = {
	{"names as many targets as the server takes",
         SAYS("TARGMAX=PRIVMSG:2,KICK:1") "s PRIVMSG a,b,c :x\n> PRIVMSG a,b :x\n> PRIVMSG c :x\n"
						 "s KICK #c a,b :y\n> KICK #c a :y\n> KICK #c b :y\n"                                     },
	{"changes as many modes as the server takes",
         SAYS("MODES=2") "s MODE #c +oov a b c\n> MODE #c +oo a b\n> MODE #c +v c\n"                                                      },
	{"leaves a raw line as it is",
         SAYS("TARGMAX=PRIVMSG:2,JOIN:1") "r PRIVMSG a,b,c :x\n> PRIVMSG a,b,c :x\n"                                                      },
	{"spreads what a server takes that says nothing",
         READY "s JOIN #a,#b\n> JOIN #a,#b\n"
		      "s MODE #c +bbbb 1 2 3 4\n"
		      "> MODE #c +bbb 1 2 3\n> MODE #c +b 4\n"									    },
	{"joins again what it joined on several lines",
         SAYS("TARGMAX=JOIN:1") "s JOIN #a,#b k\n> JOIN #a k\n> JOIN #b\n< :ebb!u@h JOIN #a\n"
				       "< :ebb!u@h JOIN #b\nx now\n" HELLO
				       "< :s 001 ebb :hi\n< :s 376 ebb :end\n> JOIN #a,#b k\n*\n"                                         },
	{"spreads a line over the queue, in order",
         SAYS("TARGMAX=PRIVMSG:1") "c pace=2\ns PRIVMSG a,b :x\n> PRIVMSG a :x\ns PRIVMSG b :y\n"
					  "+ 2\n> PRIVMSG b :x\n+ 2\n> PRIVMSG b :y\n"                                                    },
	{"cuts a text to what the server keeps of it",
         SAYS("TOPICLEN=10 KICKLEN=5 AWAYLEN=4 NAMELEN=7") "s TOPIC #a :one two three\n"
								  "> TOPIC #a :one two\ns @+x=y KICK #a,#b al,bo :abcdefgh\n"
								  "> @+x=y KICK #a,#b al,bo :abcde\ns AWAY :\xc3\xa9\xc3\xa9\xc3\xa9\n"
								  "> AWAY :\xc3\xa9\xc3\xa9\ns SETNAME :robot of mine\n> SETNAME :robot\n"},
	{"sends a text whole where the server keeps it",
         SAYS("TOPICLEN=10 AWAYLEN=1") "s TOPIC #a :0123456789\n> TOPIC #a :0123456789\n"
					      "s TOPIC #a\n> TOPIC #a\ns AWAY :gone home\n> AWAY :gone home\n"
					      "s KICK #a al :0123456789x\n> KICK #a al :0123456789x\n"
					      "r TOPIC #a :0123456789x\n> TOPIC #a :0123456789x\n"                                        },
	{"waits until there is room for all of the lines",
         SAYS("TARGMAX=PRIVMSG:1") "c pace=2 max=2\ns PRIVMSG a :1\n> PRIVMSG a :1\ns PRIVMSG a :2\n"
					  "a PRIVMSG b,c :x\n+ 2\n> PRIVMSG a :2\no\ns PRIVMSG b,c :x\n"
					  "+ 4\n> PRIVMSG b :x\n> PRIVMSG c :x\n"                                                         },
};

static void conversations_go_as_written(void **state)
{
	const struct talk_row *row = *state;
	talk_hold(&talk_options, row->script);
}

/* Sends a line of `line`, with n names of name_bytes each put in the place of its star. */
static int send_names(struct talk *t, const char *line, int n, int name_bytes, struct err *err)
{
	struct str tail = str_of(line), head = str_cut(&tail, '*');
	struct buf b;
	buf_init(&b, 128 * 1024);
	assert_int_equal(buf_add(&b, head), 0);
	for (int i = 0; i < n; i++)
		assert_int_equal(buf_addf(&b, "%s#%0*d", i ? "," : "", name_bytes - 1, i), 0);
	assert_int_equal(buf_add(&b, tail), 0);
	int r = session_send(t->s, buf_str(&b), t->now_ns, err);
	buf_fini(&b);
	return r;
}

static size_t count_lines(struct talk *t, size_t max)
{
	struct str sent = buf_str(&t->out);
	size_t n = 0;
	for (; sent.n; n++)
		assert_true(str_cut(&sent, '\n').n <= max + strlen("> "));
	buf_reset(&t->out);
	return n;
}

static void more_names_than_a_line_holds_become_lines(void **state)
{
	(void)state;
	struct talk t;
	struct err err;
	talk_begin(&t, &talk_options);
	talk_run(&t, STR(READY));

	assert_int_equal(send_names(&t, "JOIN *", 100, 9, &err), 0);
	assert_int_equal(count_lines(&t, 510), 2);
	assert_int_equal(send_names(&t, "PRIVMSG * :short", 100, 9, &err), 0);
	assert_int_equal(count_lines(&t, 510), 3);

	talk_end(&t);
}

static void each_line_of_a_long_text_is_cut(void **state)
{
	(void)state;
	struct talk t;
	struct buf line;
	struct err err;
	buf_init(&line, 4096);
	talk_begin(&t, &talk_options);
	talk_run(&t, STR(SAYS("TARGMAX=PRIVMSG:2")));
	assert_int_equal(buf_addf(&line, "PRIVMSG a,b,c :%0*d", 600, 1), 0);

	assert_int_equal(session_send(t.s, buf_str(&line), t.now_ns, &err), 0);

	assert_int_equal(count_lines(&t, 510), 4);
	buf_fini(&line);
	talk_end(&t);
}

static void nothing_is_sent_where_one_line_is_too_long(void **state)
{
	(void)state;
	struct talk t;
	struct err err;
	talk_begin(&t, &talk_options);
	talk_run(&t, STR(READY));

	assert_int_equal(send_names(&t, "JOIN #a,*", 1, 600, &err), ERR_LIMIT);
	assert_string_equal(err.text, "the line is too long: 605 bytes, the server takes 510");
	assert_slice(buf_str(&t.out), "");
	talk_end(&t);
}

static void nothing_is_sent_where_the_lines_never_fit_the_queue(void **state)
{
	(void)state;
	struct session_options o = talk_options;
	struct talk t;
	struct err err;
	o.limits.max_bytes = 1000;
	talk_begin(&t, &o);
	talk_run(&t, STR(READY));

	assert_int_equal(send_names(&t, "PART * :with a reason", 99, 9, &err), ERR_LIMIT);
	assert_slice(buf_str(&t.out), "");
	assert_int_equal(send_names(&t, "PART * :with a reason", 90, 9, &err), 0);
	assert_int_equal(count_lines(&t, 510), 2);

	talk_end(&t);
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, rows, conversations_go_as_written);
	check_test(&c, more_names_than_a_line_holds_become_lines);
	check_test(&c, each_line_of_a_long_text_is_cut);
	check_test(&c, nothing_is_sent_where_one_line_is_too_long);
	check_test(&c, nothing_is_sent_where_the_lines_never_fit_the_queue);
	return check_run(&c, "output");
}
