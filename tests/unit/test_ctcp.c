#include "support/check.h"
#include "support/talk.h"

#define ASKS(what) "< :al!u@h PRIVMSG ebb :\1" what "\1\n"
#define X190       X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10
#define X10        "xxxxxxxxxx"
#define SAYS(what) "> NOTICE al :\1" what "\1\n"

static const struct talk_row {
	const char *name;
	const char *script;
} rows[] = {
	{"says what it is",				      READY ASKS("VERSION") SAYS("VERSION ebb " EBB_VERSION)            },
	{"says what it answers",				 READY ASKS("clientinfo") SAYS(
					 "CLIENTINFO ACTION CLIENTINFO PING SOURCE TIME VERSION")  },
	{"gives a PING back",
         READY ASKS("PING 12 34") SAYS("PING 12 34") ASKS("PING") SAYS("PING")                                                     },
	{"says what time it is in Greenwich",
         READY ASKS("TIME") SAYS("TIME Sun, 29 Nov 2026 12:00:00 +0000")                                                           },
	{"says where it is from",                                READY ASKS("SOURCE") SAYS("SOURCE ebb, the event-based bot")      },
	{"takes a request without the mark at its end",
         READY "< :al!u@h PRIVMSG ebb :\1PING x\n" SAYS("PING x")                                                                  },
	{"gives back no more than one request",
         READY "< :al!u@h PRIVMSG ebb :\1PING x\1VERSION\1\n" SAYS("PING x")                                                       },
	{"cuts what is to be given back where a character ends",
         READY ASKS("PING " X190 "123456\xc3\xa9\xc3\xa9")
			SAYS("PING " X190 "123456\xc3\xa9")									},
	{"answers nothing before the welcome",                   HELLO ASKS("VERSION")                                             },
	{"does not know all",				    READY ASKS("FINGER") ASKS("DCC SEND x 1 2 3") ASKS("ACTION waves")},
	{"answers nothing that comes as NOTICE",                 READY "< :al!u@h NOTICE ebb :\1VERSION\1\n"                       },
	{"answers nothing said to a channel",                    READY "< :al!u@h PRIVMSG #a :\1VERSION\1\n"                       },
	{"answers no server",				    READY "< :s.example PRIVMSG ebb :\1VERSION\1\n"                   },
	{"does not answer itself",                               READY "< :ebb!u@h PRIVMSG ebb :\1VERSION\1\n"                     },
	{"answers no bot",				       READY "< @bot :al!u@h PRIVMSG ebb :\1VERSION\1\n"                 },
	{"answers three at once, then one in ten seconds",
         READY ASKS("PING 1") SAYS("PING 1") ASKS("PING 2") SAYS("PING 2") ASKS("PING 3")
			SAYS("PING 3") ASKS("PING 4") "+ 9\n" ASKS("PING 5") "+ 1\n" ASKS("PING 6")
				SAYS("PING 6") ASKS("PING 7")								      },
};

static void conversation(void **state)
{
	const struct talk_row *row = *state;
	talk_hold(&talk_options, row->script);
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, rows, conversation);
	return check_run(&c, "ctcp");
}
