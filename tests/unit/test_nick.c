#include "support/check.h"
#include "support/talk.h"

#define TAKEN(isupport)                                                           \
	HELLO "< :s 433 * ebb :in use\n> NICK ebb_\n< :s 001 ebb_ :hi\n" isupport \
	      "< :s 376 ebb_ :end\n"
#define MONITOR "< :s 005 ebb MONITOR=100 :are supported\n"
#define WATCHED TAKEN(MONITOR) "> MONITOR + ebb\n*\n< :s 730 ebb_ :ebb!u@h\n"
#define RETAKEN "< :ebb_!u@h NICK ebb\n"

static const struct talk_row {
	const char *name;
	const char *script;
} rows[] = {
	{"is told when the nick is free",
         WATCHED "< :s 731 ebb_ :x,EBB\n> NICK ebb\n" RETAKEN "> MONITOR - ebb\n+ 100\n"                                               },
	{"does not ask for the nick while another has it",               WATCHED "< :s 731 ebb_ :x\n+ 100\n"                           },
	{"asks whether the nick is free, at growing intervals",
         TAKEN("") "*\n+ 59\n+ 1\n> ISON ebb\n< :s 303 ebb_ :ebb\n+ 119\n+ 1\n"
			  "> ISON ebb\n< :s 303 ebb_ :\n> NICK ebb\n" RETAKEN                                                          },
	{"takes no answer for its own that it did not ask for",
         TAKEN("") "*\n< :s 303 ebb_ :other\n"											 },
	{"sees the one who has the nick quit",                           TAKEN("") "*\n< :Ebb!u@h QUIT :bye\n> NICK ebb\n"             },
	{"sees the one who has the nick change it",
         TAKEN("") "*\n< :ebb!u@h NICK EBB\n< :ebb!u@h NICK x\n> NICK ebb\n"                                                           },
	{"goes on watching when it comes too late",
         WATCHED "< :s 731 ebb_ :ebb\n> NICK ebb\n< :s 433 ebb_ ebb :in use\n+ 20\n"
			"< :s 731 ebb_ :ebb\n> NICK ebb\n"									     },
	{"does not ask twice within ten seconds",
         WATCHED "< :s 731 ebb_ :ebb\n> NICK ebb\n< :s 433 ebb_ ebb :in use\n"
			"< :s 731 ebb_ :ebb\n+ 9\n+ 1\n> NICK ebb\n"                                                                   },
	{"asks again after a while where the server holds the nick",
         WATCHED "< :s 731 ebb_ :ebb\n> NICK ebb\n< :s 437 ebb_ ebb :held\n+ 59\n+ 1\n"
			"> NICK ebb\n"												 },
	{"gives up a nick that is none",
         WATCHED "< :s 731 ebb_ :ebb\n> NICK ebb\n< :s 432 ebb_ ebb :bad\n"
			"> MONITOR - ebb\n+ 100\n"										     },
	{"lets ten seconds pass when somebody renames it, then twenty",
         READY "< :ebb!u@h NICK Guest1\n+ 9\n+ 1\n> ISON ebb\n< :s 303 Guest1 :\n"
		      "> NICK ebb\n< :Guest1!u@h NICK ebb\n< :ebb!u@h NICK Guest2\n+ 19\n+ 1\n"
		      "> ISON ebb\n"												   },
	{"watches for its nick where it was renamed and another has it",
         HELLO "< :s 001 ebb :hi\n" MONITOR "< :s 376 ebb :end\n*\n"
		      "< :ebb!u@h NICK Guest1\n+ 10\n> NICK ebb\n> MONITOR + ebb\n"
		      "< :s 433 Guest1 ebb :in use\n< :s 730 Guest1 :ebb\n+ 10\n"
		      "< :s 731 Guest1 :ebb\n> NICK ebb\n"									     },
	{"wants the nick that a script got",                             READY "s NICK x\n> NICK x\n< :ebb!u@h NICK x\n+ 100\n"
						   "< :x!u@h NICK Guest1\n+ 10\n> ISON x\n"},
	{"keeps to its nick where a script's is refused",
         READY "s NICK x\n> NICK x\n< :s 433 ebb x :in use\n+ 100\n"                                                                   },
	{"looks after its nick as before where a script's is refused",
         TAKEN("") "*\n+ 30\ns NICK x\n> NICK x\n< :s 433 ebb_ x :in use\n+ 29\n+ 1\n"
			  "> ISON ebb\n"											       },
	{"asks again, at growing intervals, where no word comes of it",  WATCHED
		"< :s 731 ebb_ :ebb\n> NICK ebb\n< :s 438 ebb_ ebb :too fast\n+ 60\n+ 59\n+ 1\n"
		"> NICK ebb\n< :s 447 ebb_ :not while on #a\n+ 60\n+ 119\n+ 1\n> NICK ebb\n" RETAKEN
		"> MONITOR - ebb\n+ 100\n"                      },
	{"looks after its nick again where no word comes of a script's",
         TAKEN("") "*\ns NICK x\n> NICK x\n+ 60\n> ISON ebb\n< :s 303 ebb_ :\n> NICK ebb\n"                                            },
	{"has its nick where the server cuts it",                        HELLO
		"< :s 001 eb :hi\n< :s 005 eb NICKLEN=2 MONITOR=9 :are supported\n"
		"< :s 376 eb :end\n*\n< :eb!u@h NICK Guest1\n+ 10\n> NICK eb\n> MONITOR + eb\n"
		"< :Guest1!u@h NICK eb\n> MONITOR - eb\n+ 1000\n"                     },
	{"wants the nick that a script got where the server cuts it",
         HELLO "< :s 001 eb :hi\n< :s 005 eb NICKLEN=2 :are supported\n< :s 376 eb :end\n*\n"
		      "s NICK xyz\n> NICK xyz\n< :eb!u@h NICK xy\n< :eb!u@h QUIT :bye\n+ 1000\n"                                       },
	{"wants the configured nick again after a reconnect",
         READY "s NICK x\n> NICK x\n< :ebb!u@h NICK x\nx now\n" READY                                                                  },
};

static void conversation(void **state)
{
	const struct talk_row *row = *state;
	struct session_options o = talk_options;
	o.ping_interval_ns = 10000 * NS_PER_S;
	talk_hold(&o, row->script);
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, rows, conversation);
	return check_run(&c, "nick");
}
