#include "base/buf.h"
#include "irc/text.h"
#include "support/check.h"
#include "support/talk.h"

#include <string.h>

#define OFFERED(value)                                                          \
	HELLO "< :s CAP * LS :batch message-tags draft/multiline=" value "\n"   \
	      "> CAP REQ :batch draft/multiline message-tags\n"                 \
	      "< :s CAP * ACK :batch draft/multiline message-tags\n> CAP END\n" \
	      "< :s 001 ebb :hi\n< :s 376 ebb :end\n*\n"                        \
	      "< :ebb!u@h PRIVMSG ebb :so that we know who we are\n"
#define TEN   "123456789 "
#define FIFTY TEN TEN TEN TEN TEN
#define LONG  FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY
#define FITS  FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY TEN TEN TEN

static const struct talk_row {
	const char *name;
	const char *script;
} rows[] = {
	{"sends a long text as one message",
         OFFERED("max-bytes=4096,max-lines=24") "s PRIVMSG #a :" LONG FIFTY "end\n"
						       "> BATCH +0 draft/multiline #a\n> @batch=0 PRIVMSG #a :" FITS
						       "\n"
						       "> @batch=0;draft/multiline-concat PRIVMSG #a :" TEN
							       TEN "end\n"
						       "> BATCH -0\n"                      },
	{"sends a text that fits as it is",
         OFFERED("max-bytes=4096") "s PRIVMSG #a :" TEN "\n> PRIVMSG #a :" TEN "\n"        },
	{"counts its messages",
         OFFERED("max-bytes=4096") "s NOTICE #a :" LONG FIFTY
					  "x\n> BATCH +0 draft/multiline #a\n"
					  "> @batch=0 NOTICE #a :" FITS TEN "\n"
					  "> @batch=0;draft/multiline-concat NOTICE #a :" TEN
					  "x\n> BATCH -0\n"
					  "s NOTICE b :" LONG FIFTY
					  "y\n> BATCH +1 draft/multiline b\n"
					  "> @batch=1 NOTICE b :" FITS TEN "\n"
					  "> @batch=1;draft/multiline-concat NOTICE b :" TEN
					  "y\n> BATCH -1\n"                                },
	{"says by its tags what the message answers",
         OFFERED("max-bytes=4096") "s @+draft/reply=x PRIVMSG #a :" LONG FIFTY "x\n"
					  "> @+draft/reply=x BATCH +0 draft/multiline #a\n"
					  "> @batch=0 PRIVMSG #a :" FITS "\n"
					  "> @batch=0;draft/multiline-concat PRIVMSG #a :" TEN TEN
					  "x\n> BATCH -0\n"                                },
	{"makes several messages of what is too much for one",
         OFFERED("max-bytes=600") "s PRIVMSG #a :" LONG FIFTY LONG "end\n"
					 "> BATCH +0 draft/multiline #a\n> @batch=0 PRIVMSG #a :" FITS
					 "\n> BATCH -0\n"
					 "> BATCH +1 draft/multiline #a\n> @batch=1 PRIVMSG #a :" LONG
						 TEN TEN "end\n> BATCH -1\n"               },
	{"makes several messages of too many lines for one",
         OFFERED("max-bytes=4096,max-lines=2") "s PRIVMSG #a :" LONG FIFTY LONG FIFTY LONG
						      "end\n"
						      "> BATCH +0 draft/multiline #a\n> @batch=0 PRIVMSG #a :" FITS
						      "\n"
						      "> @batch=0;draft/multiline-concat PRIVMSG #a :" FITS
						      "\n> BATCH -0\n"
						      "> BATCH +1 draft/multiline #a\n> @batch=1 PRIVMSG #a :" LONG
							      TEN TEN TEN "\n"
						      "> @batch=1;draft/multiline-concat PRIVMSG #a :" TEN
						      "end\n> BATCH -1\n"                  },
	{"cuts as ever where a line is too much for a message",
         OFFERED("max-bytes=500") "s PRIVMSG #a :" LONG FIFTY "end\n> PRIVMSG #a :" FITS
					 "123456789\n> PRIVMSG #a :" TEN "end\n"           },
	{"lets nothing between the lines of a message",
         OFFERED("max-bytes=4096") "c pace=1\ns PRIVMSG #z :1\n> PRIVMSG #z :1\n"
					  "s PRIVMSG #a :" LONG FIFTY "x\ns NOTICE b :" LONG FIFTY
					  "y\ns PRIVMSG #c :1\ns PRIVMSG #a :1\n"
					  "+ 1\n> BATCH +0 draft/multiline #a\nc pace=1 nick=x\n"
					  "+ 1\n> @batch=0 PRIVMSG #a :" FITS "\n+ 1\n"
					  "> @batch=0;draft/multiline-concat PRIVMSG #a :" TEN TEN
					  "x\n+ 1\n> BATCH -0\n+ 1\n> NICK x\n"
					  "+ 1\n> BATCH +1 draft/multiline b\n"
					  "+ 1\n> @batch=1 NOTICE b :" FITS TEN "\n"
					  "+ 1\n> @batch=1;draft/multiline-concat NOTICE b :" TEN
					  "y\n+ 1\n> BATCH -1\n+ 1\n> PRIVMSG #c :1\n"
					  "+ 1\n> PRIVMSG #a :1\n"                         },
	{"cuts as ever what is for several",
         OFFERED("max-bytes=4096") "s PRIVMSG #a,b :" LONG FIFTY
					  "x\n> PRIVMSG #a,b :" LONG TEN TEN
					  "123456789\n> PRIVMSG #a,b :" TEN TEN "x\n"      },
	{"cuts an action as ever",
         OFFERED("max-bytes=4096") "s PRIVMSG #a :\1ACTION " FITS TEN
					  "\1\n> PRIVMSG #a :\1ACTION " LONG TEN TEN
					  "123456789\1\n> PRIVMSG #a :\1ACTION " TEN "\1\n"},
	{"cuts as ever where the limit makes no sense",
         OFFERED("max-bytes=x") "s PRIVMSG #a :" LONG FIFTY "end\n> PRIVMSG #a :" FITS
				       "123456789\n> PRIVMSG #a :" TEN "end\n"             },
};

static void conversation(void **state)
{
	const struct talk_row *row = *state;
	talk_hold(&talk_options, row->script);
}

static void a_character_is_never_cut(void **state)
{
	(void)state;
	char text[1003] = "x";
	struct talk t;
	struct err err;
	for (size_t i = 1; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, "\u00e9", 2);
	talk_begin(&t, &talk_options);
	talk_run(&t, STR(OFFERED("max-bytes=4096")));
	struct buf line;
	buf_init(&line, 2000);
	assert_int_equal(buf_addf(&line, "PRIVMSG #a :%.1001s", text), 0);

	assert_int_equal(session_send(t.s, buf_str(&line), t.now_ns, &err), 0);

	assert_true(text_is_utf8(buf_str(&t.out)));
	struct str rest = buf_str(&t.out);
	while (rest.n)
		assert_true(text_is_utf8(str_cut(&rest, '\n')));
	buf_reset(&t.out);
	buf_fini(&line);
	talk_end(&t);
}

static void a_message_in_several_lines_is_told_of_once(void **state)
{
	(void)state;
	struct talk t;
	talk_begin(&t, &talk_options);
	talk_run(&t, STR(OFFERED("max-bytes=4096")));
	t.with_events = true;

	talk_go_on(&t, STR("< :al!u@h BATCH +x draft/multiline #a\ne batch\n"
			   "< @batch=x :al!u@h PRIVMSG #a :a\n< @batch=x :al!u@h PRIVMSG #a :b\n"
			   "< :al!u@h BATCH -x\ne privmsg\ne batch [@batch=x :al!u@h PRIVMSG #a :a"
			   "|@batch=x :al!u@h PRIVMSG #a :b]\n"
			   "< :ebb!u@h BATCH +x draft/multiline #a\ne batch*\n"
			   "< @batch=x :ebb!u@h PRIVMSG #a :\1VERSION\1\n"
			   "< :ebb!u@h BATCH -x\ne ctcp*\n"
			   "e batch* [@batch=x :ebb!u@h PRIVMSG #a :\1VERSION\1]\n"));

	talk_end(&t);
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, rows, conversation);
	check_test(&c, a_character_is_never_cut);
	check_test(&c, a_message_in_several_lines_is_told_of_once);
	return check_run(&c, "multiline");
}
