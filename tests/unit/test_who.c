#include "support/check.h"
#include "support/talk.h"

#define JOINED READY "< :ebb!u@h JOIN #a\n< :ebb!u@h JOIN #b\n"
#define WHOX   "< :s 005 ebb WHOX :are supported\n"

static const struct talk_row {
	const char *name;
	const char *script;
} rows[] = {
	{"asks about one channel after the other",
         JOINED "+ 0\n> WHO #a\n+ 10\n< :s 315 ebb #a :end\n+ 0\n> WHO #b\n"
		       "< :s 315 ebb #b :end\n+ 100\n"                                                  },
	{"keeps a distance between the questions",
         JOINED "+ 0\n> WHO #a\n< :s 315 ebb #a :end\n+ 4\n+ 1\n> WHO #b\n"                             },
	{"asks for accounts where the server tells them",
         READY WHOX "< :ebb!u@h JOIN #a\n+ 0\n> WHO #a %tcuhnfar,861\n"
			   "< :s 315 ebb #a :end\n+ 100\n"                                              },
	{"gives up what is not answered",                 JOINED "+ 0\n> WHO #a\n+ 119\n+ 1\n> WHO #b\n"},
	{"does not ask about what it has left",
         JOINED "< :ebb!u@h PART #a\n+ 0\n> WHO #b\n< :ebb!u@h PART #b\n+ 500\n"                        },
	{"asks again after a reconnect",
         JOINED "+ 0\n> WHO #a\nx now\n" HELLO "< :s 001 ebb :hi\n< :s 376 ebb :end\n"
		       "> JOIN #a,#b\n*\n< :ebb!u@h JOIN #a\n+ 5\n> WHO #a\n"                           },
};

static void conversation(void **state)
{
	const struct talk_row *row = *state;
	struct session_options o = talk_options;
	o.who_ns = 5 * NS_PER_S;
	o.ping_interval_ns = 10000 * NS_PER_S;
	talk_hold(&o, row->script);
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, rows, conversation);
	return check_run(&c, "who");
}
