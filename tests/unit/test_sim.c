#include "base/clock.h"
#include "base/mem.h"
#include "sim/fault.h"
#include "sim/mask.h"
#include "sim/person.h"
#include "sim/server.h"
#include "sim/watch.h"
#include "support/check.h"
#include "support/scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TWO                                                                        \
	"hear alice bob\nalice JOIN #c\n" A "JOIN #c\n" NAMES_A "bob JOIN #c\n" A2 \
	"JOIN #c\n" B_JOINS
#define ALICE ":alice!u@h "
#define BOB   ":bob!u@h "
#define A     "alice> " ALICE
#define A2    "alice> " BOB
#define B_JOINS     \
	"bob> " BOB \
	"JOIN #c\nbob> :s 353 bob = #c :@alice bob \nbob> :s 366 bob #c :End of /NAMES list\n"
#define NAMES_A "alice> :s 353 alice = #c :@alice \nalice> :s 366 alice #c :End of /NAMES list\n"
#define BOTH(x) "alice> " x "\nbob> " x "\n"

static const struct row {
	const char *name;
	const char *profile;
	const char *script;
} rows[] = {
	{"a joining client is seen, and sees who is there",                    "libera",   TWO                                                             },
	{"a channel's words reach the others",                                 "libera",
         TWO "alice PRIVMSG #C :hi all\nbob> " ALICE "PRIVMSG #c :hi all\n"
		    "bob NOTICE #c hm\n" A2 "NOTICE #c :hm\n"											      },
	{"private words reach one",					    "libera",
         TWO "alice PRIVMSG BOB :psst\nbob> " ALICE "PRIVMSG bob :psst\n"
		    "alice PRIVMSG nobody :x\nalice> :s 401 alice nobody :No such nick/channel\n"
		    "alice NOTICE nobody :x\nalice PRIVMSG #none :x\n"
		    "alice> :s 403 alice #none :No such channel\n"											 },
	{"several targets are served in order, up to a limit",                 "libera",
         TWO "alice PRIVMSG bob,#c,x,bob,bob :1\nbob> " ALICE "PRIVMSG bob :1\nbob> " ALICE
		    "PRIVMSG #c :1\nalice> :s 401 alice x :No such nick/channel\nbob> " ALICE
		    "PRIVMSG bob :1\nalice> :s 407 alice bob :Too many targets\n"                                                                          },
	{"what is missing has a numeric of its own",                           "libera",
         "hear alice\nalice PRIVMSG\nalice> :s 411 alice :No recipient given (PRIVMSG)\n"
		"alice PRIVMSG #c\nalice> :s 412 alice :No text to send\n"
		"alice NICK\nalice> :s 431 alice :No nickname given\n"
		"alice JOIN\nalice> :s 461 alice JOIN :Not enough parameters\n"
		"alice FOO bar\nalice> :s 421 alice FOO :Unknown command\n"
		"alice USER a b c d\nalice> :s 462 alice :You may not reregister\n"
		"alice NOTICE\nalice \n"														   },
	{"or 461 where the server knows nothing else",                         "ngircd",
         "hear alice\nalice PRIVMSG\nalice> :s 461 alice PRIVMSG :Not enough parameters\n"
		"alice NICK\nalice> :s 461 alice NICK :Not enough parameters\n"                                                                            },
	{"outsiders, the moderated and the banned are not heard",              "libera",
         TWO
		"carol PRIVMSG #c :x\nhear carol\ncarol PRIVMSG #c :x\n"
		"carol> :s 404 carol #c :Cannot send to channel (no external messages)\n"
		"alice MODE #c +m\n" BOTH(ALICE
			"MODE #c +m") "bob PRIVMSG #c :x\n"
				      "bob> :s 404 bob #c :Cannot send to channel (+m)\n"
				      "alice MODE #c +v-m bob\n" BOTH(ALICE
					      "MODE #c +v-m bob") "alice MODE #c -v+q bob bob\n" BOTH(ALICE
					      "MODE #c -v+q bob bob!*@*") "bob PRIVMSG #c :x\nbob> :s 404 bob #c :Cannot send to channel (you're banned)\n"},
	{"a status picks who hears",					   "libera",
         TWO "carol JOIN #c\n" BOTH(
			":carol!u@h JOIN #c") "carol PRIVMSG @#c :ops\nalice> "
					      ":carol!u@h PRIVMSG @#c :ops\ngrant bob #c v\n" BOTH(
						      ":s MODE #c +v bob") "carol PRIVMSG +#c :both\n" BOTH(":carol!u@h PRIVMSG +#c :both")                },
	{"a client parts",						     "libera",
         TWO "bob PART #c\n" BOTH(BOB
			"PART #c") "bob PART #c\n"
				   "bob> :s 442 bob #c :You're not on that channel\nbob PART #x\n"
				   "bob> :s 403 bob #x :No such channel\nalice PART #c :bye all\n" A
				   "PART #c :bye all\nalice NAMES #c\nalice> :s 366 alice #c :End of /NAMES list\n"                                        },
	{"JOIN 0 parts all",						   "libera",
         "hear alice\nalice JOIN #c\n" A "JOIN #c\n" NAMES_A "alice JOIN 0\n" A "PART #c\n"                                                                },
	{"an operator kicks",						  "libera",
         TWO
		"bob KICK #c alice\nbob> :s 482 bob #c :You're not channel operator\n"
		"alice KICK #c carol\nalice> :s 401 alice carol :No such nick/channel\n"
		"carol PING x\nalice KICK #c carol\n"
		"alice> :s 441 alice carol #c :They aren't on that channel\n"
		"alice KICK #x bob\nalice> :s 403 alice #x :No such channel\n"
		"alice KICK #c bob :go on\n" BOTH(ALICE
			"KICK #c bob :go on") "carol KICK #c alice\nhear carol\ncarol KICK #c alice\n"
					      "carol> :s 442 carol #c :You're not on that channel\n"                                                       },
	{"topics are set, asked for and kept from others",                     "libera",
         TWO
		"bob TOPIC #c\nbob> :s 331 bob #c :No topic is set\n"
		"bob TOPIC #c :x\nbob> :s 482 bob #c :You're not channel operator\n"
		"alice TOPIC #c :to pics\n" BOTH(ALICE
			"TOPIC #c :to pics") "bob TOPIC #c\nbob> :s 332 bob #c :to pics\nbob> :s 333 bob #c alice 1000\n"
					     "alice TOPIC #c :\n" BOTH(ALICE "TOPIC #c :")                                                                 },
	{"invitations let in",						 "libera",
         TWO "alice MODE #c +i\n" BOTH(ALICE
			"MODE #c +i") "hear carol\ncarol JOIN #c\n"
				      "carol> :s 473 carol #c :Cannot join channel (+i)\n"
				      "bob INVITE carol #c\nbob> :s 482 bob #c :You're not channel operator\n"
				      "alice INVITE bob #c\nalice> :s 443 alice bob #c :is already on channel\n"
				      "alice INVITE x #c\nalice> :s 401 alice x :No such nick/channel\n"
				      "alice INVITE carol #c\nalice> :s 341 alice carol #c\n"
				      "carol> " ALICE "INVITE carol :#c\ncarol JOIN #c\n" BOTH(
					      ":carol!u@h JOIN #c") "carol> :carol!u@h JOIN #c\ncarol> :s 353 carol = #c :@alice bob carol \n"
								    "carol> :s 366 carol #c :End of /NAMES list\ncarol PART #c\n" BOTH(
									    ":carol!u@h PART #c") "carol> :carol!u@h PART #c\ncarol JOIN #c\n"
												  "carol> :s 473 carol #c :Cannot join channel (+i)\n"     },
	{"keys, limits and bans keep out",                                     "libera",
         "hear alice carol\nalice JOIN #c\n" A "JOIN #c\n" NAMES_A
		"alice MODE #c +kl k3y 1\n" A "MODE #c +kl k3y 1\n"
		"carol JOIN #c\ncarol> :s 475 carol #c :Cannot join channel (+k)\n"
		"carol JOIN #c k3y\ncarol> :s 471 carol #c :Cannot join channel (+l)\n"
		"alice MODE #c -lk k3y\n" A "MODE #c -lk k3y\nalice MODE #c +b *!*@H\n" A
		"MODE #c +b *!*@H\ncarol JOIN #c\ncarol> :s 474 carol #c :Cannot join channel (+b)\n"
		"alice MODE #c +e carol\n" A "MODE #c +e carol!*@*\ncarol JOIN #c\nalice> "
		":carol!u@h JOIN #c\ncarol> :carol!u@h JOIN #c\ncarol> :s 353 carol = #c :@alice carol "
		"\ncarol> :s 366 carol #c :End of /NAMES list\n"											   },
	{"modes are asked for",						"libera",
         "hear alice\nalice JOIN #c\n" A "JOIN #c\n" NAMES_A "alice MODE #c +l 5\n" A
		"MODE #c +l 5\nalice MODE #c\nalice> :s 324 alice #c +ntl 5\nalice> :s 329 alice #c "
		"1000\nalice MODE #c +b x!*@*\n" A
		"MODE #c +b x!*@*\nalice MODE #c b\nalice> :s 367 "
		"alice #c x!*@* alice 1000\nalice> :s 368 alice #c :End of channel ban list\n"
		"alice MODE #x\nalice> :s 403 alice #x :No such channel\n"										 },
	{"modes that make no sense change nothing",                            "libera",
         TWO
		"bob MODE #c +o bob\nbob> :s 482 bob #c :You're not channel operator\n"
		"alice MODE #c +X\nalice> :s 472 alice X :is unknown mode char to me\n"
		"alice MODE #c +o carol\nalice> :s 401 alice carol :No such nick/channel\n"
		"carol PING x\nalice MODE #c +o carol\n"
		"alice> :s 441 alice carol #c :They aren't on that channel\n"
		"alice MODE #c +l x\nalice MODE #c +o\nalice MODE #c +o alice\nalice MODE #c -k x\n"
		"alice MODE #c +vvvvo bob bob bob bob bob\n" BOTH(ALICE "MODE #c +v bob")                                                                  },
	{"halfops give voice and no more",                                     "inspircd",
         "alice JOIN #c\nbob JOIN #c\ngrant bob #c h\nhear bob\nbob MODE #c +v alice\n"
		"bob> " BOB "MODE #c +v :alice\nbob MODE #c +o bob\n"
		"bob> :s 482 bob #c :You're not channel operator\nbob KICK #c alice\n"
		"bob> :s 482 bob #c :You're not channel operator\n"
		"bob TOPIC #c :t\nbob> " BOB "TOPIC #c :t\n"											       },
	{"user modes are one's own",					   "libera",
         TWO "alice MODE alice\nalice> :s 221 alice +\nalice MODE alice +iw-x\n"
		    "alice> :s 501 alice x :Unknown MODE flag\n" A "MODE alice +iw\n"
		    "alice MODE alice -i+o\n" A "MODE alice -i\nalice MODE bob +i\n"
		    "alice> :s 502 alice :Can't change mode for other users\nalice MODE x\n"
		    "alice> :s 401 alice x :No such nick/channel\n"											},
	{"nicks change for all who know them, once",                           "libera",
         TWO "alice JOIN #d\n" A "JOIN #d\nalice> :s 353 alice = #d :@alice \n"
		    "alice> :s 366 alice #d :End of /NAMES list\nbob JOIN #d\n" A2 "JOIN #d\n"
		    "bob> " BOB "JOIN #d\nbob> :s 353 bob = #d :@alice bob \n"
		    "bob> :s 366 bob #d :End of /NAMES list\n"
		    "bob NICK b\xc3\xb6"
		    "b\nbob> :s 432 bob b\xc3\xb6"
		    "b :Erroneous Nickname\n"
		    "bob NICK 1x\nbob> :s 432 bob 1x :Erroneous Nickname\n"
		    "bob NICK Alice\nbob> :s 433 bob Alice :Nickname is already in use\n"
		    "bob NICK robert\nbob> " BOB "NICK robert\n" A2 "NICK robert\n"
		    "alice PRIVMSG bob :x\nalice> :s 401 alice bob :No such nick/channel\n"
		    "alice PRIVMSG robert :x\nbob> " ALICE "PRIVMSG robert :x\n"                                                                           },
	{"a nick that is too long is cut or refused, as the server is",        "hybrid",
         "hear alice\nalice NICK abcdefghijkl\n" A "NICK abcdefghi\n"										      },
	{"a nick that is too long is refused",                                 "ngircd",
         "hear alice\nalice NICK abcdefghijkl\n"
		"alice> :s 432 alice abcdefghijkl :Erroneous Nickname\n"										   },
	{"who quits is seen by neighbours only",                               "libera",
         TWO
		"hear carol\nbob QUIT :so long\nbob> ERROR :Closing Link: h (Quit: so long)\n" A2
		"QUIT :Quit: so long\nalice NAMES #c\nalice> :s 353 alice = #c :@alice \n"
		"alice> :s 366 alice #c :End of /NAMES list\nbob JOIN #c\n"										},
	{"who is killed is told",					      "inspircd",
         "alice JOIN #c\nbob JOIN #c\nhear alice bob\nkill bob spam\nbob> :oper KILL bob :spam\n"
		"bob> ERROR :Closing link: (u@h) [Killed (oper (spam))]\n" A2
		"QUIT :Killed (oper (spam))\n"													     },
	{"away is told to who writes",					 "libera",
         TWO "alice AWAY :gone\nalice> :s 306 alice :You have been marked as being away\n"
		    "bob PRIVMSG alice :x\n" A2 "PRIVMSG alice :x\nbob> :s 301 bob alice :gone\n"
		    "alice AWAY\nalice> :s 305 alice :You are no longer marked as being away\n"                                                            },
	{"WHO shows a channel or whom a mask fits",                            "libera",
         TWO "bob WHO #c\nbob> :s 352 bob #c u h s alice H@ :0 alice\n"
		    "bob> :s 352 bob #c u h s bob H :0 bob\nbob> :s 315 bob #c :End of /WHO list\n"
		    "bob WHO al*\nbob> :s 352 bob * u h s alice H :0 alice\n"
		    "bob> :s 315 bob al* :End of /WHO list\n"											      },
	{"WHOX gives fields in its own order",                                 "libera",
         TWO "login alice acct\nbob WHO alice %afnt,42\n"
		    "bob> :s 354 bob 42 alice H acct\nbob> :s 315 bob alice :End of /WHO list\n"
		    "bob WHO #c %nr\nbob> :s 354 bob alice :alice\nbob> :s 354 bob bob :bob\n"
		    "bob> :s 315 bob #c :End of /WHO list\n"											       },
	{"WHOX is not everywhere",					     "ngircd",
         "hear alice\nalice WHO alice %n\nalice> :s 352 alice * u h s alice H :0 alice\n"
		"alice> :s 315 alice alice :End of /WHO list\n"											    },
	{"WHOIS tells all",						    "libera",
         TWO
		"login alice acct\n+ 7\nbob WHOIS ALICE\nbob> :s 311 bob alice u h * :alice\n"
		"bob> :s 319 bob alice :@#c \nbob> :s 312 bob alice s :Libera.Chat\n"
		"bob> :s 330 bob alice acct :is logged in as\n"
		"bob> :s 317 bob alice 7 1000 :seconds idle, signon time\n"
		"bob> :s 318 bob alice :End of /WHOIS list\nbob WHOIS x\n"
		"bob> :s 401 bob x :No such nick/channel\nbob> :s 318 bob x :End of /WHOIS list\n"
		"bob WHOWAS x\nbob> :s 406 bob x :There was no such nickname\n"
		"bob> :s 369 bob x :End of WHOWAS\n"												       },
	{"LIST leaves secrets out",					    "libera",
         "alice JOIN #c,#d\nalice TOPIC #c :t t\nalice MODE #d +s\nhear bob\nbob LIST\n"
		"bob> :s 321 bob Channel :Users Name\nbob> :s 322 bob #c 1 :t t\n"
		"bob> :s 323 bob :End of /LIST\nbob NAMES #d\nbob> :s 366 bob #d :End of /NAMES list\n"
		"bob LIST #e\nbob> :s 321 bob Channel :Users Name\nbob> :s 323 bob :End of /LIST\n"                                                        },
	{"small questions",						    "libera",
         "hear alice\nalice PING a b\nalice> :s PONG s :a\nalice USERHOST alice nobody\n"
		"alice> :s 302 alice :alice=+u@h \nalice ISON nobody :alice x\n"
		"alice> :s 303 alice :alice \nalice MOTD\nalice> :s 422 alice :MOTD File is missing\n"
		"alice OPER a b\n"
		"alice> :s 491 alice :No appropriate operator blocks were found for your host\n"
		"alice KILL bob\nalice> :s 481 alice :Permission Denied - You do not have the required "
		"operator privileges\n"														    },
	{"names that are none are refused in each server's way",               "inspircd",
         "hear alice\nalice JOIN foo\nalice> :s 476 alice foo :Invalid channel name\n"                                                                     },
	{"names that are none are refused as unknown",                         "ergo",
         "hear alice\nalice JOIN foo\nalice> :s 403 alice foo :No such channel\n"                                                                          },
	{"joins have a limit",						 "ngircd",
         "hear alice\nalice JOIN #1,#2,#3,#4,#5,&6,+7,#8,#9\nalice> :alice!u@h JOIN :#1\n"
		"alice> :s 353 alice = #1 :@alice\nalice> :s 366 alice #1 :End of /NAMES list\n"
		"alice> :alice!u@h JOIN :#2\nalice> :s 353 alice = #2 :@alice\n"
		"alice> :s 366 alice #2 :End of /NAMES list\nalice> :alice!u@h JOIN :#3\n"
		"alice> :s 353 alice = #3 :@alice\nalice> :s 366 alice #3 :End of /NAMES list\n"
		"alice> :alice!u@h JOIN :#4\nalice> :s 353 alice = #4 :@alice\n"
		"alice> :s 366 alice #4 :End of /NAMES list\nalice> :alice!u@h JOIN :#5\n"
		"alice> :s 353 alice = #5 :@alice\nalice> :s 366 alice #5 :End of /NAMES list\n"
		"alice> :alice!u@h JOIN :&6\nalice> :s 353 alice = &6 :@alice\n"
		"alice> :s 366 alice &6 :End of /NAMES list\nalice> :alice!u@h JOIN :+7\n"
		"alice> :s 353 alice = +7 :@alice\nalice> :s 366 alice +7 :End of /NAMES list\n"
		"alice> :alice!u@h JOIN :#8\nalice> :s 353 alice = #8 :@alice\n"
		"alice> :s 366 alice #8 :End of /NAMES list\nalice> :alice!u@h JOIN :#9\n"
		"alice> :s 353 alice = #9 :@alice\nalice> :s 366 alice #9 :End of /NAMES list\n"
		"alice JOIN #10\nalice> :alice!u@h JOIN :#10\nalice> :s 353 alice = #10 :@alice\n"
		"alice> :s 366 alice #10 :End of /NAMES list\n"
		"alice JOIN #11\nalice> :s 405 alice #11 :You have joined too many channels\n"                                                             },
	{"capabilities change what a client gets",                             "libera",
         "hear rich\nrich JOIN #c\nrich> @time=1970-01-01T00:16:40.000Z :rich!u@h JOIN #c * :rich\n"
		"rich> @time=1970-01-01T00:16:40.000Z :s 353 rich = #c :@rich \n"
		"rich> @time=1970-01-01T00:16:40.000Z :s 366 rich #c :End of /NAMES list\n"
		"login alice acct\nalice JOIN #c\n"
		"rich> @time=1970-01-01T00:16:40.000Z;account=acct :alice!u@h JOIN #c acct :alice\n"
		"+ 1\n"
		"alice @+typing=active;x=1;label=2 PRIVMSG #c :hi\n"
		"rich> @time=1970-01-01T00:16:41.000Z;account=acct;+typing=active :alice!u@h PRIVMSG "
		"#c :hi\ngrant alice #c ov\nrich> @time=1970-01-01T00:16:41.000Z :s MODE #c +o alice\n"
		"rich> @time=1970-01-01T00:16:41.000Z :s MODE #c +v alice\nrich NAMES #c\n"
		"rich> @time=1970-01-01T00:16:41.000Z :s 353 rich = #c :@rich @+alice \n"
		"rich> @time=1970-01-01T00:16:41.000Z :s 366 rich #c :End of /NAMES list\n"
		"hear alice\nalice NAMES #c\nalice> :s 353 alice = #c :@rich @alice \n"
		"alice> :s 366 alice #c :End of /NAMES list\n"											     },
	{"TAGMSG reaches who understands it",                                  "inspircd",
         "rich JOIN #c\nalice JOIN #c\nbob JOIN #c\nhear alice bob rich\n"
		"alice @+typing=done TAGMSG #c\n"
		"rich> @time=1970-01-01T00:16:40.000Z;msgid=m1;+typing=done :alice!u@h TAGMSG :#c\n"                                                       },
	{"a split takes people away and brings them back",                     "libera",
         TWO "hear carol\nalice MODE #c +v bob\n" BOTH(ALICE
			"MODE #c +v bob") "split bob carol\n" A2
					  "QUIT :s far.sim.example\nbob PRIVMSG #c :lost\n"
					  "alice PRIVMSG bob :x\nalice> :s 401 alice bob :No such nick/channel\n"
					  "rejoin\n" A2 "JOIN #c\nbob> " BOB "JOIN #c\n" BOTH(
						  ":s MODE #c +v bob") "bob PRIVMSG #c :back\n" A2
								       "PRIVMSG #c :back\n"                                                                },
	{"a nick taken during a split keeps its owner away",                   "libera",
         TWO "split bob\n" A2 "QUIT :s far.sim.example\nalice NICK bob\n" A
		    "NICK bob\nrejoin\n"														   },
	{"who listens in hears each thing once, and nothing that was refused", "libera",
         "watch\nalice JOIN #c\nw> 1 :alice!u@h JOIN #c\nbob JOIN #c\nw> 2 :bob!u@h JOIN #c\n"
		"alice PRIVMSG #c,bob :hi\nw> 1 :alice!u@h PRIVMSG #c :hi\nw> 1 :alice!u@h PRIVMSG bob :hi\n"
		"alice PRIVMSG #none,nobody :x\n"
		"alice MODE #c +m\nw> 1 :alice!u@h MODE #c +m\nbob PRIVMSG #c :gagged\n"
		"grant bob #c v\nw> 0 :s MODE #c +v bob\nbob NICK rob\nw> 2 :bob!u@h NICK rob\nalice TOPIC #c :t\nw> 1 :alice!u@h TOPIC #c :t\n"
		"alice NOTICE rob :n\nw> 1 :alice!u@h NOTICE rob :n\n"
		"alice KICK #c rob :out\nw> 1 :alice!u@h KICK #c rob :out\nalice PART #c\n"
		"w> 1 :alice!u@h PART #c\nbob QUIT :bye\nw> 2 :rob!u@h QUIT :Quit: bye\n"                                                                  },
	{"text that is not UTF-8 is refused where only that goes",             "ergo",
         "hear alice\nalice PRIVMSG alice :\xff\n"
		"alice> :s FAIL * INVALID_UTF8 :Message rejected for containing invalid UTF-8\n"                                                           },
};

static void conversation(void **state)
{
	const struct row *row = *state;
	struct scene s;
	scene_begin(&s, (struct sim_options){.profile = row->profile});

	scene_run(&s, row->script);

	scene_end(&s);
}

#define LATE(x) "1> " x "\n"

static const struct life lives[] = {
	{"NICK and USER register",					REG1 "1 PING x\n1> :s PONG s :x\n", {.profile = "libera"}                                      },
	{"what needs registration waits for it",
         "1 JOIN #c\n1> :s 451 * :You have not registered\n1 FOO\n"
		"1> :s 421 * FOO :Unknown command\n1 PING x\n1> :s PONG s :x\n" REG1,
         {.profile = "libera"}																	   },
	{"negotiation holds registration until its end",
         "1 CAP LS\n1> :s CAP * LS :multi-prefix\n" USER1 "1 CAP REQ :multi-prefix\n"
		"1> :s CAP bot ACK :multi-prefix\n1 CAP LIST\n1> :s CAP bot LIST :multi-prefix\n"
		"1 CAP REQ :-multi-prefix\n1> :s CAP bot ACK :-multi-prefix\n"
		"1 CAP REQ :multi-prefix sasl\n1> :s CAP bot NAK :multi-prefix sasl\n"
		"1 CAP LIST\n1> :s CAP bot LIST :\n1 CAP FOO\n"
		"1> :s 410 bot FOO :Invalid CAP command\n1 CAP END\n" READY1,
         {.profile = "ngircd"}																	   },
	{"who asks for the poison dies of it",
         "1 CAP LS 302\n1> :s CAP * LS :account-notify account-tag away-notify batch cap-notify "
		"chghost echo-message extended-join extended-monitor inspircd.org/poison "
		"inspircd.org/standard-replies invite-notify labeled-response message-tags "
		"multi-prefix sasl=PLAIN server-time setname userhost-in-names \n"
		"1 CAP REQ :inspircd.org/poison\n"
		"1> ERROR :Closing link: (unknown@h) [Excess capability requests]\n1! closed\n1. \n",
         {.profile = "inspircd"}																	 },
	{"a long list comes in several lines to those who can read them",
         "1 CAP LS 302\n1> :s CAP * LS * :account-notify account-tag away-notify batch cap-notify "
		"chghost draft/account-registration=before-connect draft/channel-rename "
		"draft/chathistory draft/event-playback draft/extended-isupport "
		"draft/languages=20,en,~ca-ES,~de-DE,~es-ES draft/message-redaction "
		"draft/metadata-2=max-subs=100,max-keys=100 "
		"draft/multiline=max-bytes=4096,max-lines=100 draft/no-implicit-names draft/persistence\n"
		"1> :s CAP * LS :draft/pre-away draft/read-marker draft/relaymsg=/ "
		"echo-message ergo.chat/nope extended-join extended-monitor invite-notify "
		"labeled-response message-tags multi-prefix sasl=PLAIN server-time setname standard-replies "
		"userhost-in-names znc.in/playback znc.in/self-message\n",				    {.profile = "ergo"}					},
	{"a nick in use, also by someone quicker, is refused",
         "alice PING x\n1 NICK ALICE\n1> :s 433 * ALICE :Nickname is already in use\n"
		"1 NICK 9\n1> :s 432 * 9 :Erroneous Nickname\n" USER1 READY1
		"2 USER u 0 * :r\n2 NICK bot\n2> :s 433 * bot :Nickname is already in use\n"
		"2 CAP LS\n2> :s CAP * LS :account-notify account-tag away-notify cap-notify chghost "
		"extended-join multi-prefix sasl server-time solanum.chat/identify-msg solanum.chat/oper "
		"solanum.chat/realhost \n2 NICK zoe\n3 NICK zoe\n3 USER u 0 * :r\n"
		"3> :s 001 zoe :Welcome to the Net IRC Network zoe!~u@h\n"
		"3> :s 422 zoe :MOTD File is missing\n2 CAP END\n"
		"2> :s 433 zoe zoe :Nickname is already in use\n2 NICK zoe2\n"
		"2> :s 001 zoe2 :Welcome to the Net IRC Network zoe2!~u@h\n"
		"2> :s 422 zoe2 :MOTD File is missing\n",						     {.profile = "libera"}				      },
	{"a password is asked for",
         "1 PASS wrong\n" USER1
		"1> :s 464 bot :Password incorrect\n1> ERROR :Closing Link: h (Password incorrect)\n"
		"1! closed\n1. \n1 PASS :se cret\n" REG1,
         {.profile = "libera", .password = "se cret"}														    },
	{"a cookie is to be answered",
         "1 NICK bot\n1> PING :63cbe1e459320dd7\n1 USER u 0 * :r\n1 PONG x\n"
		"1> :s 513 bot :To connect type /QUOTE PONG 63cbe1e459320dd7\n"
		"1 PONG :63cbe1e459320dd7\n" READY1,
         {.profile = "libera", .wants_cookie = true, .seed = 7}													  },
	{"a slow server welcomes late",                                   USER1 "+ 4\n+ 1\n" READY1,
         {.profile = "libera", .register_delay_ns = 5 * NS_PER_S}													},
	{"who does not register is closed",
         "1 NICK bot\n+ 9\n+ 1\n1> ERROR :Closing Link: h (Registration timeout)\n1! closed\n"
		"1 PING x\n1. \n",									    {.profile = "libera", .register_timeout_ns = 10 * NS_PER_S}},
	{"who is silent is asked, and then closed",
         REG1
		"alice JOIN #c\n1 JOIN #c\n1> :bot!~u@h JOIN #c\n1> :s 353 bot = #c :@alice bot \n"
		"1> :s 366 bot #c :End of /NAMES list\n+ 10\n1> PING :s\n1 PONG s\n+ 5\n1 PONG s\n+ 9\n"
		"+ 1\n1> PING :s\nhear alice\n+ 10\n"
		"1> ERROR :Closing Link: h (Ping timeout: 20 seconds)\n1! closed\n"
		"alice> :bot!~u@h QUIT :Ping timeout: 20 seconds\n1. \n",				     {.profile = "libera", .ping_interval_ns = 10 * NS_PER_S}   },
	{"who goes without a word is seen to go",
         REG1 "1 JOIN #c\n1> :bot!~u@h JOIN #c\n1> :s 353 bot = #c :@bot \n"
		     "1> :s 366 bot #c :End of /NAMES list\nalice JOIN #c\n1> :alice!u@h JOIN #c\n"
		     "hear alice\n1. \nalice> :bot!~u@h QUIT :Connection closed\n",			   {.profile = "libera"}				      },
	{"QUIT is answered and seen",
         REG1
		"1 QUIT\n1> ERROR :Closing Link: h (Client exited)\n1! closed\n1 PING x\n1. \n",              {.profile = "libera"}				      },
	{"lag delays both directions, in order",
         "lag 2\n1 NICK bot\n1 USER u 0 * :r\n+ 3\n+ 1\n" READY1
		"1 PING a\n1 PING b\nlag 0\n"
		"+ 1\n1 PING c\n+ 1\n1> :s PONG s :a\n1> :s PONG s :b\n1> :s PONG s :c\n",		    {.profile = "libera"}				      },
	{"a client that leaves is missed once the lag is over",
         REG1 "lag 3\n1 PRIVMSG alice :last\nhear alice\n1. \n+ 2\n+ 1\n"
		     "alice> :bot!~u@h PRIVMSG alice :last\n",						{.profile = "libera"}				      },
	{"a drop resets connections and not people",
         REG1 "lag 3\n1 PING x\nalice PING x\ndrop\n1! reset\n+ 9\n1. \n1 PING x\n+ 6\n"
		     "1> :s PONG s :x\n",								     {.profile = "libera"}				      },
	{"the server closes with any words",
         REG1 "close Server going down\n1> ERROR :Server going down\n1! closed\n1. \n",
         {.profile = "libera"}																	   },
	{"a silent server says nothing to anybody new or old",
         REG1 "silent 2\n1 PING x\n2 NICK x\n2 USER u 0 * :r\nsilent 0\n1 PING y\n"
		     "1> :s PONG s :y\n",								     {.profile = "libera"}				      },
	{"a server falls silent once it said welcome",                    "silent 1\n" REG1 "1 PING x\n",
         {.profile = "libera"}																	   },
	{"half open: nobody notices, then the nick is still there",
         REG1 "half 1\n1 PING x\n1. \nhalf 0\n1 NICK bot\n1 USER u 0 * :r\n" READY1,
         {.profile = "libera"}																	   },
	{"half open: the server's PING ends it",
         REG1
		"half 1\n1. \n+ 5\nhear alice\nalice ISON bot\nalice> :s 303 alice :bot \n+ 15\n"
		"alice ISON bot\nalice> :s 303 alice : \n",						   {.profile = "libera", .ping_interval_ns = 10 * NS_PER_S}   },
	{"down: nobody gets in",
         REG1 "down 1\n2 NICK x\n2! cannot connect\n1 PING x\n"
		     "1> :s PONG s :x\ndown 0\n2 PING x\n2> :s PONG s :x\n",				  {.profile = "libera"}				      },
	{"a ban for one registration",
         "refuse 1 465\n" USER1 "1> :s 465 bot :You are banned from this server\n"
		"1> ERROR :Closing Link: h (You are banned from this server)\n1! closed\n1. \n" REG1,
         {.profile = "libera"}																	   },
	{"words for every registration",
         "refuse -1 0 K-lined\n" USER1 "1> ERROR :K-lined\n1! closed\n1. \n" USER1
		"1> ERROR :K-lined\n1! closed\n1. \nrefuse 0 0\n" REG1,
         {.profile = "libera"}																	   },
	{"no nick is good enough for a registration",
         "refuse 1 433\n1 NICK a\n1> :s 433 * a :Nickname is already in use\n1 NICK b\n"
		"1> :s 433 * b :Nickname is already in use\n2 NICK bot\n2 USER u 0 * :r\n"
		"2> :s 001 bot :Welcome to the Net IRC Network bot!~u@h\n"
		"2> :s 422 bot :MOTD File is missing\n2 NICK c\n2> :bot!~u@h NICK c\n",		       {.profile = "libera"}				      },
	{"who connects too fast is turned away",
         "throttle 5\n1 PING x\n1> :s PONG s :x\n+ 4\n2 PING x\n"
		"2> ERROR :Trying to reconnect too fast.\n2! closed\n2. \n+ 5\n2 PING x\n2> :s PONG s :x\n",
         {.profile = "libera"}																	   },
	{"who talks too much is closed",
         "flood 3\n" REG1 "1 PING a\n1> :s PONG s :a\n1 PING b\n"
		"1> ERROR :Closing Link: h (Excess Flood)\n1! closed\n1. \n"
		"alice PING x\nalice PING x\nalice PING x\nalice PING x\nhear alice\nalice PING x\n"
		"alice> :s PONG s :x\n",								      {.profile = "libera"}				      },
	{"a split between person and connection is the person's",
         REG1
		"alice JOIN #c\n1 JOIN #c\n1> :bot!~u@h JOIN #c\n1> :s 353 bot = #c :@alice bot \n"
		"1> :s 366 bot #c :End of /NAMES list\nsplit alice\n"
		"1> :alice!u@h QUIT :s far.sim.example\n+ 60\nrejoin\n1> :alice!u@h JOIN #c\n"
		"1> :s MODE #c +o alice\n",								   {.profile = "libera"}				      },
};

static void on_numeric(void *owner, struct str bytes)
{
	struct buf *b = owner;
	str_word(&bytes, " ");
	struct str numeric = str_word(&bytes, " ");
	struct str all = buf_str(b);
	bool is_again = all.n >= 4 && memcmp(all.p + all.n - 4, numeric.p, 3) == 0;
	assert_int_equal(numeric.n, 3);
	if (!is_again)
		assert_int_equal(buf_addf(b, "%" STR_F " ", STR_A(numeric)), 0);
}

static void a_welcome_has_all_its_numerics_in_order(void **state)
{
	static const struct sim_conn_events numerics = {on_numeric, scene_on_closed};
	static const char *const motd[] = {"be nice", "to others", NULL};
	struct scene s;
	scene_begin(&s, (struct sim_options){.profile = ((const struct sim_profile *)*state)->name,
				.motd = motd});
	struct sim_conn *conn = sim_connect(s.net, &numerics, &s.out);

	sim_receive(conn, STR("NICK bot\r\n"));
	sim_receive(conn, STR("USER u 0 * :r\r\n"));

	assert_string_equal(buf_str(&s.out).p, "001 002 003 004 005 251 254 255 375 372 376 ");
	sim_close(conn);
	scene_end(&s);
}

/* A 600-byte text, and what alice sees of it. */
static void relayed_text_is_cut_with_its_source(void **state)
{
	(void)state;
	struct scene s;
	struct buf line;
	scene_begin(&s, (struct sim_options){.profile = "inspircd"});
	scene_run(&s, "bob PING x\nhear alice\n");
	buf_init(&line, 1024);
	assert_int_equal(buf_addf(&line, "bob PRIVMSG alice :%0600d", 1), 0);

	scene_act(&s, buf_str(&line));

	struct str got = str_skip(buf_str(&s.out), strlen("alice> "));
	assert_int_equal(got.n - 1, 510);
	assert_true(str_starts(got, STR(":bob!u@h PRIVMSG alice :0000")));
	buf_fini(&line);
	scene_end(&s);
}

static void ergo_cuts_between_characters(void **state)
{
	(void)state;
	struct scene s;
	struct buf line;
	scene_begin(&s, (struct sim_options){.profile = "ergo"});
	scene_run(&s, "bob PING x\nhear alice\n");
	buf_init(&line, 1024);
	assert_int_equal(buf_addf(&line, "bob PRIVMSG alice :"), 0);
	while (line.n < 490)
		assert_int_equal(buf_add(&line, STR("\xe2\x82\xac")), 0);
	buf_truncate(&line, strlen("bob PRIVMSG alice :") + 3 * 157);

	scene_act(&s, buf_str(&line));
	scene_act(&s, STR("bob PRIVMSG alice :x"));

	struct str all = buf_str(&s.out), got = str_cut(&all, '\n');
	assert_int_equal((str_skip(got, strlen("alice> :bob!u@h PRIVMSG alice :")).n) % 3, 0);
	buf_fini(&line);
	scene_end(&s);
}

static const struct {
	const char *name;
	const char *profile;
	const char *answer; /* what the one who sends 600 bytes gets */
} too_long[] = {
	{"inspircd reads the beginning", "inspircd", ":s PONG s :00"                },
	{"libera reads the beginning",   "libera",   ":s PONG s :00"                },
	{"ngircd closes",                "ngircd",   "ERROR :Request too long"      },
	{"ergo tells",                   "ergo",     ":s 417 * :Input line too long"},
};

static void a_line_that_is_too_long(void **state)
{
	const char *const *row = *state;
	struct scene s;
	struct buf line;
	scene_begin(&s, (struct sim_options){.profile = row[1]});
	buf_init(&line, 1024);
	assert_int_equal(buf_addf(&line, "1 PING %0600d", 0), 0);

	scene_act(&s, buf_str(&line));

	assert_true(str_starts(str_skip(buf_str(&s.out), strlen("1> ")), str_of(row[2])));
	buf_fini(&line);
	scene_end(&s);
}

static void commands_are_sorted(void **state)
{
	(void)state;
	for (size_t i = 1; sim_command_at(i); i++)
		assert_true(strcmp(sim_command_at(i - 1)->name, sim_command_at(i)->name) < 0);
}

static const struct {
	const char *name, *mask, *text;
	bool matches;
} masks[] = {
	{"a mask without wildcards is the text", "abc",              "aBc",                                     true },
	{"and no more",			  "abc",              "abcd",                                    false},
	{"a star is anything",                   "*",                "",					true },
	{"stars between",                        "a*b*c",            "axxbyybzc",                               true },
	{"a star's first try may be wrong",      "*ab",              "aab",                                     true },
	{"a question mark is one",               "a?c",              "abc",                                     true },
	{"and not none",			 "a?c",              "ac",				      false},
	{"many stars end soon",                  "*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         false												       },
	{"rfc1459 folds brackets",               "a[]\\",            "A{}|",                                    true },
};

static void mask(void **state)
{
	const char *const *row = *state;
	bool wanted = *(const bool *)(row + 3);
	assert_true(mask_matches(CASEMAP_RFC1459, str_of(row[1]), str_of(row[2])) == wanted);
}

/* Somebody who answers every line with a line, and somebody who does the same: it ends. */
static void answer(void *data, const struct message *m)
{
	struct somebody *who = data;
	(void)m;
	who->scene->out.n++;
	person_say(who->person, who->name[0] == 'a' ? "bob" : "alice", STR("again"));
}

static void two_who_answer_each_other_do_not_hold_a_call_for_ever(void **state)
{
	(void)state;
	struct timers timers;
	struct scene s = {0};
	struct somebody alice = {.scene = &s, .name = "alice"}, bob = {.scene = &s, .name = "bob"};
	timers_init(&timers, 0);
	struct sim_network *net = sim_network_new(&(struct sim_options){0}, &timers);
	alice.person = person_new(
		net, &(struct person_options){.nick = "alice", .heard = answer, .data = &alice});
	bob.person = person_new(
		net, &(struct person_options){.nick = "bob", .heard = answer, .data = &bob});

	person_say(bob.person, "alice", STR("hello"));

	assert_in_range(s.out.n, SIM_DELIVERIES_MAX / 3, SIM_DELIVERIES_MAX);
	assert_int_equal(timers_next(&timers), 0);
	sim_network_free(net);
	timers_fini(&timers);
}

static void leave(void *data, const struct message *m)
{
	struct somebody *who = data;
	(void)m;
	who->scene->out.n++;
	person_free(who->person);
	sim_close(who->conn);
}

static void what_an_owner_frees_in_an_event_is_not_told_of_more(void **state)
{
	(void)state;
	struct scene s;
	scene_begin(&s, (struct sim_options){.profile = "libera"});
	struct somebody bob = {.scene = &s};
	bob.conn = sim_connect(s.net, &scene_events, &bob);
	bob.person = person_new(
		s.net, &(struct person_options){.nick = "bob", .heard = leave, .data = &bob});
	scene_run(&s, "alice PING x\n");

	scene_act(&s, STR("alice PRIVMSG bob,bob,bob :x"));

	assert_int_equal(s.out.n, 1);
	assert_null(person_find(s.net, "bob"));
	s.out.n = 0;
	scene_end(&s);
}

static void a_client_for_whom_too_much_waits_is_closed(void **state)
{
	(void)state;
	struct scene s;
	scene_begin(&s, (struct sim_options){.profile = "libera"});
	scene_run(&s,
		"1 NICK bot\n1 USER u 0 * :r\n1> :s 001 bot :Welcome to the Libera.Chat IRC Network "
		"bot!~u@h\n1> :s 422 bot :MOTD File is missing\nlag 5\n");
	struct buf line;
	buf_init(&line, 1024);
	assert_int_equal(buf_addf(&line, "alice PRIVMSG bot :%0450d", 0), 0);
	for (int i = 0; i < 4000; i++)
		scene_act(&s, buf_str(&line));

	scene_pass(&s, 5 * NS_PER_S);
	scene_pass(&s, 5 * NS_PER_S);

	struct str all = buf_str(&s.out);
	assert_true(all.n <= SIM_QUEUED_MAX_BYTES + 20000);
	assert_non_null(memmem(all.p, all.n, "1! closed", 9));
	buf_fini(&line);
	scene_end(&s);
}

static void the_network_can_be_asked(void **state)
{
	(void)state;
	struct scene s;
	scene_begin(&s, (struct sim_options){.profile = "libera"});
	scene_run(&s, "alice JOIN #c\nalice TOPIC #c :t\nbob JOIN #c\n");

	assert_string_equal(sim_network_member(s.net, "#C", "alice"), "o");
	assert_string_equal(sim_network_member(s.net, "#c", "bob"), "");
	assert_null(sim_network_member(s.net, "#c", "carol"));
	assert_string_equal(sim_network_topic(s.net, "#c"), "t");
	assert_null(sim_network_topic(s.net, "#d"));
	assert_null(sim_network_new(&(struct sim_options){.profile = "none"}, &s.timers));

	scene_end(&s);
}

static uint64_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 33;
}

/* Half words that servers know, half anything. */
static void put_noise(struct buf *b, uint64_t *seed)
{
	static const char *const words[] = {"JOIN", "PART", "MODE", "PRIVMSG", "NICK", "KICK",
		"TOPIC", "#c", "#d", "alice", "bob", ",", " ", " ", " :", "+ov-b", "+lkb", "*!*@*",
		"WHO", "WHOIS", "%tcuihsnfdlaor,999", "CAP", "REQ", "LS 302", "END", "QUIT",
		"INVITE", "@+a=b ", "0", "NAMES", "LIST", "AWAY", "ISON", "USERHOST", "TAGMSG",
		"PING", "PONG", "PASS", "BATCH", "+1 draft/multiline #c", "-1", "@batch=1 ",
		"@label=x ", "MONITOR", "+ alice,bob", "AUTHENTICATE", "PLAIN", "SETNAME", "RENAME",
		"REDACT", " m1", "CHATHISTORY LATEST #c * 9", "WHOWAS", "labeled-response batch",
		"draft/multiline", "USER", "@#c", "\xff", "\xe2\x82",
		"12345678901234567890123456789012345678901234567890"};
	size_t n = next_random(seed) % 40;
	buf_reset(b);
	for (size_t i = 0; i < n; i++) {
		char byte = (char)next_random(seed);
		struct str s = next_random(seed) % 4
				       ? str_of(words[next_random(seed) % COUNTOF(words)])
				       : (struct str){&byte, 1};
		size_t times = next_random(seed) % 50 ? 1 : 400;
		for (size_t k = 0; k < times; k++)
			if (buf_add(b, s) < 0)
				return;
	}
}

static void make_trouble(struct scene *s, uint64_t *seed)
{
	switch (next_random(seed) % 60) {
	case 0:
		fault_drop(s->net, NULL);
		break;
	case 1:
		fault_lag(s->net, NULL, (int64_t)(next_random(seed) % 3) * NS_PER_S);
		break;
	case 2:
		fault_split(
			s->net, (struct person *[]){s->people[0].person, s->people[1].person}, 2);
		break;
	case 3:
		fault_rejoin(s->net);
		break;
	case 4:
		fault_half_open(s->net, NULL, next_random(seed) % 2);
		break;
	case 5:
		fault_silence(s->net, NULL, (enum fault_silence)(next_random(seed) % 3));
		break;
	case 6:
		fault_refuse(s->net, 1, (int)(next_random(seed) % 2) * 433, NULL);
		break;
	case 7:
		sim_kill(s->net, "bob", "oper", "noise");
		break;
	default:
		scene_pass(s, (int64_t)(next_random(seed) % 2000) * NS_PER_MS);
		break;
	}
}

/* Under a name that nobody had yet. */
static void replace_the_gone(struct scene *s, struct somebody *who)
{
	if (person_is_here(who->person))
		return;
	person_free(who->person);
	snprintf(who->name, sizeof(who->name), "p%d", s->n_names++);
	struct person_options o = {
		.nick = who->name, .caps = ~0u, .heard = scene_on_heard, .data = who};
	who->person = person_new(s->net, &o);
	assert_non_null(who->person);
	person_join(who->person, "#c,#d", NULL);
}

static void make_noise(struct scene *s, uint64_t seed)
{
	struct buf b;
	buf_init(&b, 20000);
	for (int i = 0; i < 3000; i++) {
		size_t who = next_random(&seed) % 4;
		put_noise(&b, &seed);
		if (who < 2)
			person_raw(s->people[who].person, buf_str(&b));
		else
			sim_receive(
				scene_conn(s, who == 2 ? STR("1") : STR("2"))->conn, buf_str(&b));
		if (i % 300 == 299) {
			sim_close(s->conns[0].conn);
			s->conns[0].conn = NULL;
			replace_the_gone(s, &s->people[0]);
			replace_the_gone(s, &s->people[1]);
		}
		make_trouble(s, &seed);
	}
	buf_fini(&b);
}

static void noise(struct scene *s, const char *profile, uint64_t seed)
{
	scene_begin(s, (struct sim_options){.profile = profile,
			       .ping_interval_ns = 30 * NS_PER_S,
			       .register_timeout_ns = 60 * NS_PER_S,
			       .wants_cookie = seed % 2,
			       .seed = seed});
	s->out.max = 64 * 1024 * 1024;
	scene_run(s, "hear alice bob\n");
	make_noise(s, seed);
}

static void noise_does_no_harm_and_is_the_same_each_time(void **state)
{
	const char *profile = ((const struct sim_profile *)*state)->name;
	for (uint64_t seed = 1; seed <= 3; seed++) {
		struct scene first, second;
		noise(&first, profile, seed);
		noise(&second, profile, seed);

		assert_int_equal(first.out.n, second.out.n);
		assert_memory_equal(buf_str(&first.out).p, buf_str(&second.out).p, first.out.n);
		assert_true(first.out.n > 10000);

		scene_end(&first);
		scene_end(&second);
	}
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, rows, conversation);
	check_rows(&c, lives, life_of_a_connection);
	check_rows(&c, too_long, a_line_that_is_too_long);
	check_rows(&c, masks, mask);
	check_test(&c, relayed_text_is_cut_with_its_source);
	check_test(&c, ergo_cuts_between_characters);
	check_test(&c, commands_are_sorted);
	check_test(&c, two_who_answer_each_other_do_not_hold_a_call_for_ever);
	check_test(&c, what_an_owner_frees_in_an_event_is_not_told_of_more);
	check_test(&c, a_client_for_whom_too_much_waits_is_closed);
	check_test(&c, the_network_can_be_asked);
	for (size_t i = 0; sim_profile_at(i); i++)
		check_add(&c, "a welcome has all its numerics in order",
			a_welcome_has_all_its_numerics_in_order,
			(void *)(uintptr_t)sim_profile_at(i));
	for (size_t i = 0; sim_profile_at(i); i++)
		check_add(&c, "noise does no harm and is the same each time",
			noise_does_no_harm_and_is_the_same_each_time,
			(void *)(uintptr_t)sim_profile_at(i));
	return check_run(&c, "sim");
}
