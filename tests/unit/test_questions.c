#include "support/check.h"
#include "support/talk.h"

/* The questions of scripts in a session: beside its own, and in its queue. */

#define PACED  "c pace=10\n"
#define JOINED READY "< :ebb!u@h JOIN #c\n+ 2\n> WHO #c\n"

static const struct talk_row {
	const char *name;
	const char *script;
} rows[] = {
	{"asks and is answered",                               READY "k VERSION\n> VERSION\n< :s 351 ebb v s\n= ok 351\n"                            },
	{"asks in vain",				       READY "k VERSION\n> VERSION\n+ 29\n+ 1\n= timeout\n"                                  },
	{"does not take the answer to the session's own WHO",  JOINED
		"k WHO #c\n> WHO #c\n< :s 352 ebb #c u h s ann H :0 A\n< :s 315 ebb #c :end\n"
		"< :s 352 ebb #c u h s ann H :0 A\n< :s 315 ebb #c :end\n= ok 352 315\n"},
	{"is answered where the session's own WHO was not",
         JOINED "+ 119\n+ 1\nk WHO #c\n> WHO #c\n< :s 315 ebb #c :end\n= ok 315\n"                                                                   },
	{"does not take the answer to the session's own ISON",
         READY "< :ebb!u@h NICK Guest1\n+ 10\n> ISON ebb\nk ISON ann\n> ISON ann\n"
		      "< :s 303 Guest1 :ebb\n< :s 303 Guest1 :ann\n= ok 303\n"                                                                       },
	{"has its time from when it left the queue",           READY PACED
		"r A\n> A\nr B\nr C\nr D\nr E\nk VERSION\n+ 10\n> B\n+ 10\n> C\n+ 10\n> D\n"
		"+ 10\n> E\n+ 10\n> VERSION\n+ 29\n+ 1\n= timeout\n"                             },
	{"does not take what comes while it is in the queue",
         READY PACED "r A\n> A\nk VERSION\n< :s 351 ebb old s\n+ 10\n> VERSION\n"
			    "< :s 351 ebb v s\n= ok 351\n"											   },
	{"is dropped with the queue",
         READY PACED "r A\n> A\nk VERSION\nq\n> QUIT\nx\n= disconnected\n" HELLO                                                                     },
	{"ends with the connection",                           READY "k VERSION\n> VERSION\nx\n= disconnected\n" HELLO                               },
	{"may come before the session is ready",               HELLO "k VERSION\n> VERSION\n+ 30\n= timeout\n"                                       },
};

static void conversation(void **state)
{
	const struct talk_row *row = *state;
	struct session_options o = talk_options;
	o.who_ns = 2 * NS_PER_S;
	o.ping_interval_ns = 1000 * NS_PER_S;
	talk_hold(&o, row->script);
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, rows, conversation);
	return check_run(&c, "questions");
}
