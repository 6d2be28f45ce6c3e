#include "support/check.h"
#include "support/talk.h"

static const struct session_channel channels[] = {
	{"#a", NULL },
        {"#b", "key"}
};

#define ASKED HELLO "< :s 001 ebb :hi\n< :s 376 ebb :end\n> JOIN #b,#a key\n*\n"
#define IN    ASKED "< :ebb!u@h JOIN #a\n< :ebb!u@h JOIN #b\n"

static const struct talk_row {
	const char *name;
	const char *script;
} rows[] = {
	{"tries a full channel again after a minute, then after two",
         ASKED "< :s 471 ebb #a :full\n+ 59\n+ 1\n> JOIN #a\n< :s 471 ebb #a :full\n+ 119\n"
		      "+ 1\n> JOIN #a\n"														 },
	{"tries with the key again",						  ASKED
		"< :ebb!u@h JOIN #a\n< :s 475 ebb #b :wrong key\n+ 599\n+ 1\n> JOIN #b key\n"                        },
	{"tries again, at growing intervals, where no word comes of it",
         ASKED "< :ebb!u@h JOIN #b\n< :s 926 ebb #a :forbidden\n+ 599\n+ 1\n> JOIN #a\n"
		      "+ 1199\n+ 1\n> JOIN #a\n< :ebb!u@h JOIN #a\n+ 2399\n"									     },
	{"tries again what the queue had no room for",                                IN
		"c bytes=5\n< :op!u@h KICK #a ebb :out\n+ 5\nc bytes=1000\n+ 595\n+ 5\n> JOIN #a\n"},
	{"begins to count anew once it was in",
         ASKED "< :s 471 ebb #a :full\n+ 60\n> JOIN #a\n< :ebb!u@h JOIN #a\n"
		      "< :op!u@h KICK #a ebb :out\n+ 5\n> JOIN #a\n< :s 471 ebb #a :full\n+ 59\n"
		      "+ 1\n> JOIN #a\n"														 },
	{"does not try again what is no channel's name",                              ASKED "< :s 479 ebb #a :bad\n+ 100\n"                              },
	{"takes a refusal for nothing where it did not ask",
         IN "< :s 403 ebb #a :no\n< :s 404 ebb #a :no\n< :s 471 ebb #x :full\n+ 100\n"                                                                   },
	{"comes at once where it is invited",
         ASKED "< :s 473 ebb #a :invitation only\n< :op!u@h INVITE other #a\n"
		      "< :op!u@h INVITE ebb #x\n< :op!u@h INVITE ebb #a\n+ 0\n> JOIN #a\n"                                                               },
	{"comes back five seconds after a kick, then after ten",
         IN "< :op!u@h KICK #a ebb :out\n+ 4\n+ 1\n> JOIN #a\n< :ebb!u@h JOIN #a\n"
		   "< :op!u@h KICK #a ebb :out\n+ 9\n+ 1\n> JOIN #a\n"										   },
	{"stays out after five kicks in a row, and is back after a reconnect",
         IN "< :op!u@h KICK #a ebb :1\n+ 5\n> JOIN #a\n< :ebb!u@h JOIN #a\n"
		   "< :op!u@h KICK #a ebb :2\n+ 10\n> JOIN #a\n< :ebb!u@h JOIN #a\n"
		   "< :op!u@h KICK #a ebb :3\n+ 20\n> JOIN #a\n< :ebb!u@h JOIN #a\n"
		   "< :op!u@h KICK #a ebb :4\n+ 40\n> JOIN #a\n< :ebb!u@h JOIN #a\n"
		   "< :op!u@h KICK #a ebb :5\n+ 80\n> JOIN #a\n< :ebb!u@h JOIN #a\n"
		   "< :op!u@h KICK #a ebb :6\n+ 1000\nx now\n" ASKED										     },
	{"forgets kicks after ten minutes in the channel",
         IN "< :op!u@h KICK #a ebb :1\n+ 5\n> JOIN #a\n< :ebb!u@h JOIN #a\n"
		   "+ 600\n"
		   "< :op!u@h KICK #a ebb :2\n+ 5\n> JOIN #a\n"											  },
	{"does not come back to where it was thrown out of by a script's join alone",
         ASKED "< :op!u@h KICK #x ebb :out\n+ 100\n"												     },
	{"follows to another channel, which it does not join after a reconnect",
         ASKED "< :s 470 ebb #a ##a :Forwarding\n< :ebb!u@h JOIN ##a\n< :ebb!u@h JOIN #b\n"
		      "+ 100\nx now\n" ASKED													     },
	{"stays in the other channel where it is wanted too",
         ASKED "< :s 470 ebb #a #b :Forwarding\n< :ebb!u@h JOIN #b\nx now\n" ASKED                                                                       },
	{"tries what wants an account as soon as there is one",
         ASKED "< :s 477 ebb #a :log in\n< :s 900 ebb ebb!u@h ebb :logged in\n+ 0\n"
		      "> JOIN #a\n"														      },
	{"waits after a kick whatever a server says meanwhile",
         IN "< :op!u@h KICK #a ebb :out\n< :s 471 ebb #a :full\n+ 4\n+ 1\n> JOIN #a\n"                                                                   },
	{"does not part from where it did not come in",
         ASKED "< :ebb!u@h JOIN #a\n< :s 475 ebb #b :wrong key\nc channels=#a\n"                                                                         },
	{"follows a channel to its new name",
         IN "< :op!u@h RENAME #a #x :why\n< :op!u@h RENAME #y #z :why\n"
		   "< :op!u@h KICK #x ebb :out\n+ 5\n> JOIN #x\nx now\n" HELLO
		   "< :s 001 ebb :hi\n< :s 376 ebb :end\n> JOIN #b,#x key\n*\n"                                                                          },
	{"follows a channel that becomes another",
         IN "< :op!u@h RENAME #a #b :why\nx now\n" HELLO
		   "< :s 001 ebb :hi\n< :s 376 ebb :end\n> JOIN #b key\n*\n"									     },
	{"joins as many at once as the server lets it",
         HELLO "< :s 001 ebb :hi\n< :s 005 ebb TARGMAX=PRIVMSG:4,JOIN:1 :are supported\n"
		      "< :s 376 ebb :end\n> JOIN #b key\n> JOIN #a\n*\n"										 },
};

static void conversation(void **state)
{
	const struct talk_row *row = *state;
	struct session_options o = talk_options;
	o.ping_interval_ns = 10000 * NS_PER_S;
	o.channels = channels;
	o.n_channels = COUNTOF(channels);
	talk_hold(&o, row->script);
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, rows, conversation);
	return check_run(&c, "joins");
}
