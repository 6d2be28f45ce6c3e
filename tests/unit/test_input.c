#include "support/check.h"
#include "support/talk.h"

#define JOINED                                                       \
	"< :ebb!u@h JOIN #a\ne join*\n< :ebb!u@h JOIN #b\ne join*\n" \
	"< :s 353 ebb = #a :ebb al\ne rpl_namreply\n< :s 353 ebb = #b :@al ebb\ne rpl_namreply\n"

static const struct talk_row {
	const char *name;
	const char *script;
} rows[] = {
	{"tells which channels who quits was in",
         JOINED "< :al!u@h QUIT :bye\ne quit [#b #a]\n< :al!u@h QUIT :again\ne quit []\n"
		       "< :x!u@h QUIT :bye\ne quit []\n"									  },
	{"knows who parted no longer, once that was told",
         JOINED "< :al!u@h PART #a\ne part\n< :al!u@h QUIT :bye\ne quit [#b]\n"                                                   },
	{"tells of the lines of a batch when it closes",
         JOINED "< :s BATCH +x netsplit a b\ne batch\n< @batch=x :al!u@h QUIT :a b\n"
		       "e quit [#b #a]\n< :s PRIVMSG #a :between\ne privmsg\n< :s BATCH -x\n"
		       "e batch [@batch=x :al!u@h QUIT :a b]\n"								   },
	{"tells what is replayed from what is new, and acts on the latter", JOINED
		"< :s BATCH +x chathistory #a\ne batch~\n< @batch=x :al!u@h PRIVMSG ebb :\1VERSION\1\n"
		"e ctcp~\n< @batch=x :ebb!u@h PART #a\ne part*~\n"
		"< @batch=x :al!u@h QUIT :bye\ne quit~ [#b #a]\n"
		"< @batch=x :ebb!u@h NICK other\ne nick*~\n"
		"< @batch=x ERROR :bye\ne error~\n< :s BATCH -x\ne batch~ "
		"[@batch=x :al!u@h PRIVMSG ebb :\1VERSION\1|@batch=x :ebb!u@h PART #a|"
		"@batch=x :al!u@h QUIT :bye|@batch=x :ebb!u@h NICK other|@batch=x ERROR :bye]\n"
		"< :al!u@h PRIVMSG ebb :\1VERSION\1\ne ctcp\n"
		"> NOTICE al :\1VERSION ebb " EBB_VERSION "\1\n"
		"< :al!u@h QUIT :bye\ne quit [#b #a]\n"},
	{"forgets batches with the connection",
         JOINED "< :s BATCH +x netsplit a b\ne batch\nx now\n" HELLO
		       "< @batch=x :al!u@h PRIVMSG #a :hi\ne privmsg\n< :s BATCH -x\ne batch\n"                                   },
};

static void conversation(void **state)
{
	const struct talk_row *row = *state;
	struct talk t;
	talk_begin(&t, &talk_options);
	talk_run(&t, STR(READY));
	t.with_events = true;

	talk_go_on(&t, str_of(row->script));

	talk_end(&t);
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, rows, conversation);
	return check_run(&c, "input");
}
