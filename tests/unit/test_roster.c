#include "irc/roster.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/rand.h"
#include "irc/fields.h"
#include "irc/roster_inside.h"
#include "support/check.h"
#include "support/roster_check.h"

#include <stdio.h>
#include <stdlib.h>

/* A roster and what the session around it knows. */
struct talk {
	struct roster *roster;
	struct isupport *isupport;
	char nick[64];
	bool is_late; /* our nick is told after the line only */
};

static void begin(struct talk *t)
{
	*t = (struct talk){.roster = roster_new(7), .isupport = isupport_new(), .nick = "ebb"};
}

static void end(struct talk *t)
{
	roster_free(t->roster);
	isupport_unref(t->isupport);
}

static void assert_whole(const struct talk *t)
{
	const char *fault = roster_fault(t->roster);
	if (fault)
		print_error("%s\n", fault);
	assert_null(fault);
}

static void follow_nick(struct talk *t, const struct message *m, int kind)
{
	if (kind == EVENT_NICK && casemap_eq(t->isupport->casemap, m->nick, str_of(t->nick)))
		snprintf(t->nick, sizeof(t->nick), "%" STR_F, STR_A(m->params[0]));
}

static void follow_isupport(struct talk *t, const struct message *m)
{
	for (size_t i = 1; i + 1 < m->n_params; i++)
		if (!isupport_apply(&t->isupport, m->params[i]))
			continue;
}

static void hear_unchecked(struct talk *t, struct str line)
{
	struct message m;
	if (message_parse(&m, line) < 0)
		return;
	int kind = event_kind_of(&m, t->isupport);
	if (kind < 0)
		return;
	if (kind == 5)
		follow_isupport(t, &m);
	if (!t->is_late)
		follow_nick(t, &m, kind);
	roster_hear(t->roster, &m, kind, t->isupport, str_of(t->nick));
	if (t->is_late)
		follow_nick(t, &m, kind);
}

static void hear(struct talk *t, const char *line)
{
	hear_unchecked(t, str_of(line));
	assert_whole(t);
}

static void hear_all(struct talk *t, const char *lines)
{
	struct str rest = str_of(lines);
	while (rest.p) {
		hear_unchecked(t, str_cut(&rest, '\n'));
		assert_whole(t);
	}
}

static void assert_dump(const struct talk *t, const char *expected)
{
	struct buf out;
	buf_init(&out, SIZE_MAX / 2);
	roster_dump(t->roster, &out);
	assert_string_equal(buf_str(&out).p, expected);
	buf_fini(&out);
}

#define ME     ":ebb!e@me.example "
#define ALICE  ":alice!a@a.example "
#define BOB    ":bob!b@b.example "
#define IRC    ":irc.example "
#define JOINED ME "JOIN #c\n" IRC "353 ebb = #c :ebb @alice +bob\n" IRC "366 ebb #c :End of NAMES\n"
#define US     "ebb!e@me.example me\n"

static const struct conversation_row {
	const char *name, *lines, *expected;
} conversation_rows[] = {
  /* JOIN */
	{"join: we",			    ME "JOIN #c",											 "#c 1? ebb\n" US                                                 },
	{"join: with a colon",                  ME "JOIN :#c",											"#c 1? ebb\n" US                                                 },
	{"join: we, twice",                     ME "JOIN #c\n" ME "JOIN #C",									  "#c 1? ebb\n" US                                                 },
	{"join: another",                       ME "JOIN #c\n" ALICE "JOIN #c",
         "#c 2? alice ebb\nalice!a@a.example\n" US																				     },
	{"join: another, twice",                ME "JOIN #c\n" ALICE "JOIN #c\n" ALICE "JOIN #C",
         "#c 2? alice ebb\nalice!a@a.example\n" US																				     },
	{"join: another where we are not",      ALICE "JOIN #c",										      "ebb me\n"                                                       },
	{"join: extended",                      ME "JOIN #c\n" ALICE "JOIN #c acc :Alice A.",
         "#c 2? alice ebb\nalice!a@a.example account=acc \"Alice A.\"\n" US																	    },
	{"join: extended, logged out",          ME "JOIN #c\n" ALICE "JOIN #c * :Alice",
         "#c 2? alice ebb\nalice!a@a.example account= \"Alice\"\n" US																		  },
	{"join: extended, no real name",        ME "JOIN #c\n" ALICE "JOIN #c acc :",
         "#c 2? alice ebb\nalice!a@a.example account=acc\n" US																			 },
	{"join: extended, half of it",          ME "JOIN #c\n" ALICE "JOIN #c acc",
         "#c 2? alice ebb\nalice!a@a.example\n" US																				     },
	{"join: ours, extended",                ME "JOIN #c acc :A bot",
         "#c 1? ebb\nebb!e@me.example account=acc me \"A bot\"\n"																		      },
	{"join: no name",                       ME "JOIN :",											  US							       },
	{"join: no user and host",              ":ebb JOIN #c\n:alice JOIN #c",
         "#c 2? alice ebb\nalice\nebb me\n"																					    },
	{"join: a server's",                    ME "JOIN #c\n:irc.example JOIN #c",								   "#c 1? ebb\n" US                                                 },
	{"join: nobody's",                      "JOIN #c\nPING :x",										   "ebb me\n"                                                       },
 /* PART, KICK, QUIT */
	{"part: another",                       JOINED ALICE "PART #c :bye",									  "#c 2: +bob ebb\nbob\n" US                                       },
	{"part: we",			    JOINED ME "PART #c",										  US							       },
	{"part: any case",                      JOINED ME "PART #C",										  US							       },
	{"part: where we are not",              JOINED ALICE "PART #d\n" ME "PART #d",
         "#c 3: +bob @alice ebb\nalice!a@a.example\nbob\n" US																			  },
	{"part: who is not there",              JOINED ":carol!c@c PART #c",
         "#c 3: +bob @alice ebb\nalice\nbob\n" US																				      },
	{"part: of two channels",               JOINED ME "JOIN #d\n" ALICE "JOIN #d\n" ALICE "PART #c",
         "#c 2: +bob ebb\n#d 2? alice ebb\nalice!a@a.example\nbob\n" US																		},
	{"part: we, and one is elsewhere",      JOINED ME "JOIN #d\n" ALICE "JOIN #d\n" ME "PART #c",
         "#d 2? alice ebb\nalice!a@a.example\n" US																				     },
	{"kick: another",                       JOINED ALICE "KICK #c bob :out",
         "#c 2: @alice ebb\nalice!a@a.example\n" US																				    },
	{"kick: we",			    JOINED ALICE "KICK #c ebb :out",								      US							       },
	{"kick: who kicks",                     JOINED ALICE "KICK #c alice",									 "#c 2: +bob ebb\nbob\n" US                                       },
	{"kick: unknown",                       JOINED ALICE "KICK #c carol",
         "#c 3: +bob @alice ebb\nalice!a@a.example\nbob\n" US																			  },
	{"kick: where we are not",              JOINED ALICE "KICK #d bob",
         "#c 3: +bob @alice ebb\nalice!a@a.example\nbob\n" US																			  },
	{"kick: nobody",                        JOINED ALICE "KICK #c",									       "#c 3: +bob @alice ebb\nalice\nbob\n" US                         },
	{"quit: another",                       JOINED ME "JOIN #d\n" ALICE "JOIN #d\n" ALICE "QUIT :x",
         "#c 2: +bob ebb\n#d 1? ebb\nbob\n" US																					 },
	{"quit: unknown",                       JOINED ":carol!c@c QUIT :x",									  "#c 3: +bob @alice ebb\nalice\nbob\n" US                         },
	{"quit: we",			    JOINED ME "QUIT :x",										  ""							       },
	{"quit: we, then a line",               JOINED ME "QUIT :x\nPING :x",									 "ebb me\n"                                                       },
	{"quit: a netsplit",                    JOINED ALICE "QUIT :a.b c.d\n" BOB "QUIT :a.b c.d\n" ALICE "JOIN #c",
         "#c 2: alice ebb\nalice!a@a.example\n" US																				     },
 /* NICK */
	{"nick: another",                       JOINED ALICE "NICK alicia",
         "#c 3: +bob @alicia ebb\nalicia!a@a.example\nbob\n" US																			},
	{"nick: its case",                      JOINED ALICE "NICK ALICE",
         "#c 3: +bob @ALICE ebb\nALICE!a@a.example\nbob\n" US																			  },
	{"nick: the same",                      JOINED ALICE "NICK alice",
         "#c 3: +bob @alice ebb\nalice!a@a.example\nbob\n" US																			  },
	{"nick: unknown",                       JOINED ":carol!c@c NICK caro",									"#c 3: +bob @alice ebb\nalice\nbob\n" US                         },
	{"nick: we",			    JOINED ME "NICK ebb2",
         "#c 3: +bob @alice ebb2\nalice\nbob\nebb2!e@me.example me\n"																		  },
	{"nick: somebody else's",               JOINED ALICE "NICK bob",									      "#c 2: @bob ebb\nbob!a@a.example\n" US                           },
	{"nick: we, somebody else's",           JOINED ME "NICK bob",
         "#c 2: @alice bob\nalice\nbob!e@me.example me\n"																			      },
	{"nick: ours",			  JOINED ALICE "NICK ebb",									      "#c 2: +bob ebb\nbob\n" US                                       },
	{"nick: none",			  JOINED ALICE "NICK :",										"#c 2: +bob ebb\nbob\n" US                                       },
	{"nick: who was it before",             JOINED ALICE "NICK carol\n" BOB "NICK alice",
         "#c 3: +alice @carol ebb\nalice!b@b.example\ncarol!a@a.example\n" US																	  },
 /* NAMES */
	{"names: all prefixes",                 ME "JOIN #c\n" IRC "353 ebb = #c :@+alice +@bob",
         "#c 3? @+alice @+bob ebb\nalice\nbob\n" US																				    },
	{"names: user and host",                ME "JOIN #c\n" IRC "353 ebb = #c :@alice!a@h.x bob!~b@i",
         "#c 3? @alice bob ebb\nalice!a@h.x\nbob!~b@i\n" US																			    },
	{"names: no type",                      ME "JOIN #c\n" IRC "353 ebb #c :alice",                                                               "#c 2? alice ebb\nalice\n" US                                    },
	{"names: several lines",
         ME "JOIN #c\n" IRC "353 ebb @ #c :a b\n" IRC "353 ebb @ #c :c\n" IRC
		   "366 ebb #c :End",														 "#c 4: a b c ebb\na\nb\nc\n" US                                  },
	{"names: spaces",                       ME "JOIN #c\n" IRC "353 ebb = #c :  a   b  ",                                                         "#c 3? a b ebb\na\nb\n" US                                       },
	{"names: prefixes alone",               ME "JOIN #c\n" IRC "353 ebb = #c :@ @+ !x@y",                                                         "#c 1? ebb\n" US                                                 },
	{"names: none",			 ME "JOIN #c\n" IRC "353 ebb = #c :",								  "#c 1? ebb\n" US                                                 },
	{"names: where we are not",             IRC "353 ebb = #c :alice\n" IRC "366 ebb #c :End",                                                    "ebb me\n"                                                       },
	{"names: after we left",                JOINED ME "PART #c\n" IRC "353 ebb = #c :alice",                                                      US                                                               },
	{"names: too few",
         ME "JOIN #c\n" IRC "353 ebb\n" IRC "353 ebb #c\n" IRC "366\n" IRC "366 ebb",
         "#c 1? ebb\n" US																							      },
	{"names: half an address",              ME "JOIN #c\n" IRC "353 ebb = #c :a!b c!@d e!f@",
         "#c 4? a c e ebb\na\nc\ne\n" US																					       },
	{"names: the highest only",
         JOINED ALICE "MODE #c +v alice\n" IRC "353 ebb = #c :@alice bob",
         "#c 3: @+alice bob ebb\nalice!a@a.example\nbob\n" US																			  },
	{"names: a lower one",                  JOINED IRC "353 ebb = #c :+alice",
         "#c 3: +alice +bob ebb\nalice\nbob\n" US																				      },
 /* MODE */
	{"mode: an op",			 JOINED ALICE "MODE #c +o bob",
         "#c 3: @+bob @alice ebb\nalice!a@a.example\nbob\n" US																			 },
	{"mode: taken back",                    JOINED ALICE "MODE #c -o+v-v alice alice bob",
         "#c 3: +alice bob ebb\nalice!a@a.example\nbob\n" US																			   },
	{"mode: of an unknown nick",            JOINED ALICE "MODE #c +o carol",
         "#c 3: +bob @alice ebb\nalice!a@a.example\nbob\n" US																			  },
	{"mode: of nobody",                     JOINED ALICE "MODE #c +o",
         "#c 3: +bob @alice ebb\nalice!a@a.example\nbob\n" US																			  },
	{"mode: where we are not",              ALICE "MODE #d +nt",										  "ebb me\n"                                                       },
	{"mode: flags and parameters",          ME "JOIN #c\n" IRC "MODE #c +ntlk 50 key",
         "#c +ntlk 50 key 1? ebb\n" US																						 },
	{"mode: a limit anew",                  ME "JOIN #c\n" IRC "MODE #c +l 5\n" IRC "MODE #c +l 7",
         "#c +l 7 1? ebb\n" US																							 },
	{"mode: unset",			 ME "JOIN #c\n" IRC "MODE #c +nltk 5 key\n" IRC "MODE #c -lk key",
         "#c +nt 1? ebb\n" US																							  },
	{"mode: lists are not kept",            ME "JOIN #c\n" IRC "MODE #c +beI a b c\n" IRC "MODE #c +bn x",
         "#c +n 1? ebb\n" US																							   },
	{"mode: unset what is not set",         ME "JOIN #c\n" IRC "MODE #c -ntlk x",                                                                 "#c 1? ebb\n" US                                                 },
	{"mode: ours as a user",                ME "JOIN #c\n" ME "MODE ebb +iB",								     "#c 1? ebb\n" US                                                 },
	{"mode: 324",			   ME "JOIN #c\n" IRC "MODE #c +m\n" IRC "324 ebb #c +ntl 50",
         "#c +ntl 50 1? ebb\n" US																						      },
	{"mode: 324 hides the key",             ME "JOIN #c\n" IRC "MODE #c +k key\n" IRC "324 ebb #c +kn *",
         "#c +kn key 1? ebb\n" US																						      },
	{"mode: 324 leaves the key out",        ME "JOIN #c\n" IRC "MODE #c +k key\n" IRC "324 ebb #c +k",
         "#c +k key 1? ebb\n" US																						       },
	{"mode: 324 has another key",           ME "JOIN #c\n" IRC "MODE #c +k key\n" IRC "324 ebb #c +k new",
         "#c +k new 1? ebb\n" US																						       },
	{"mode: 324 without a key",             ME "JOIN #c\n" IRC "MODE #c +k key\n" IRC "324 ebb #c +n",
         "#c +n 1? ebb\n" US																							   },
	{"mode: 324 with none",                 ME "JOIN #c\n" IRC "MODE #c +m\n" IRC "324 ebb #c +",
         "#c 1? ebb\n" US																							      },
	{"mode: 324 too short",
         ME "JOIN #c\n" IRC "MODE #c +m\n" IRC "324 ebb #c\n" IRC "324 ebb\n" IRC "324",
         "#c +m 1? ebb\n" US																							   },
	{"mode: as CHANMODES has it",
         IRC "005 ebb CHANMODES=b,k,lH,n :are\n" ME "JOIN #c\n" IRC "MODE #c +Hnl 5:3 9",
         "#c +Hnl 5:3 9 1? ebb\n" US																						   },
 /* TOPIC and times */
	{"topic: set",			  ME "JOIN #c\n" ALICE "TOPIC #c :hello there",
         "#c 1? ebb | hello there (alice!a@a.example 0)\n" US																			  },
	{"topic: with a time",                  ME "JOIN #c\n@time=2011-10-19T16:40:51.620Z " ALICE "TOPIC #c :x",
         "#c 1? ebb | x (alice!a@a.example 1319042451)\n" US																			   },
	{"topic: removed",
         ME "JOIN #c\n" ALICE "TOPIC #c :",													   "#c 1? ebb |  (alice!a@a.example 0)\n" US                        },
	{"topic: 332 and 333",
         ME "JOIN #c\n" IRC "332 ebb #c :x y\n" IRC "333 ebb #c alice!a@h 123",
         "#c 1? ebb | x y (alice!a@h 123)\n" US																					},
	{"topic: 333 without time",
         ME "JOIN #c\n" IRC "332 ebb #c :x\n" IRC "333 ebb #c alice\n" IRC
		   "333 ebb #c bob soon",													     "#c 1? ebb | x (bob 0)\n" US                                     },
	{"topic: 331",
         ME "JOIN #c\n" IRC "332 ebb #c :x\n" IRC "333 ebb #c a 1\n" IRC
		   "331 ebb #c :No topic",													    "#c 1? ebb | \n" US					      },
	{"topic: anew after 333",               ME "JOIN #c\n" IRC "333 ebb #c a 1\n" ALICE "TOPIC #c :x",
         "#c 1? ebb | x (alice!a@a.example 0)\n" US																				    },
	{"topic: where we are not",
         ALICE "TOPIC #d :x\n" IRC "332 ebb #d :x\n" IRC "333 ebb #d a 1\n" IRC
		      "331 ebb #d :x",														"ebb me\n"						       },
	{"topic: too short",
         ME "JOIN #c\n" ALICE "TOPIC #c\n" IRC "332 ebb #c\n" IRC "333 ebb #c\n" IRC
		   "331 ebb",															 "#c 1? ebb\n" US						 },
	{"created: 329",                        ME "JOIN #c\n" IRC "329 ebb #c 1319042451",
         "#c 1? ebb since 1319042451\n" US																					     },
	{"created: no number",
         ME "JOIN #c\n" IRC "329 ebb #c -5\n" IRC "329 ebb #c x\n" IRC "329 ebb #c",
         "#c 1? ebb\n" US																							      },
 /* RENAME */
	{"rename: a channel",                   JOINED IRC "RENAME #c #d :why",
         "#d 3: +bob @alice ebb\nalice\nbob\n" US																				      },
	{"rename: its case",                    ME "JOIN #c\n" IRC "RENAME #c #C :",								  "#C 1? ebb\n" US                                                 },
	{"rename: in small letters",            ME "JOIN #c\n" IRC "rename #c #d",                                                                    "#d 1? ebb\n" US                                                 },
	{"rename: where we are not",            ME "JOIN #c\n" IRC "RENAME #x #d :why",                                                               "#c 1? ebb\n" US                                                 },
	{"rename: onto another",                JOINED ME "JOIN #d\n" IRC "RENAME #d #c :why",                                                        "#c 1? ebb\n" US                                                 },
	{"rename: to nothing",                  ME "JOIN #c\n" IRC "RENAME #c :\n" IRC "RENAME #c",
         "#c 1? ebb\n" US																							      },
	{"rename: another command",             ME "JOIN #c\n" IRC "RENAMED #c #d",                                                                   "#c 1? ebb\n" US                                                 },
 /* what is told of users */
	{"user: ACCOUNT",                       JOINED ALICE "ACCOUNT acc\n" BOB "ACCOUNT *",
         "#c 3: +bob @alice ebb\nalice!a@a.example account=acc\nbob!b@b.example account=\n" US															 },
	{"user: ACCOUNT of a stranger",         ":carol!c@c ACCOUNT acc",									     "ebb me\n"                                                       },
	{"user: AWAY",			  JOINED ALICE "AWAY :at lunch\n" BOB "AWAY :x\n" BOB "AWAY",
         "#c 3: +bob @alice ebb\nalice!a@a.example away(at lunch)\nbob!b@b.example\n" US															       },
	{"user: AWAY without words",            JOINED ALICE "AWAY :x\n" ALICE "AWAY :",
         "#c 3: +bob @alice ebb\nalice!a@a.example\nbob\n" US																			  },
	{"user: CHGHOST",                       JOINED ALICE "CHGHOST new new.example",
         "#c 3: +bob @alice ebb\nalice!new@new.example\nbob\n" US																		      },
	{"user: SETNAME",                       JOINED ALICE "SETNAME :New Name",
         "#c 3: +bob @alice ebb\nalice!a@a.example \"New Name\"\nbob\n" US																	     },
	{"user: an address is followed",        JOINED ALICE "PRIVMSG #c :x\n:alice!a@else PRIVMSG #c :x",
         "#c 3: +bob @alice ebb\nalice!a@else\nbob\n" US																			       },
	{"user: the account tag",
         JOINED "@account=acc " ALICE "PRIVMSG #c :x\n" ALICE "PRIVMSG #c :x",
         "#c 3: +bob @alice ebb\nalice!a@a.example account=acc\nbob\n" US																	      },
	{"user: an empty account tag",          JOINED "@account= " ALICE "PRIVMSG #c :x",
         "#c 3: +bob @alice ebb\nalice!a@a.example\nbob\n" US																			  },
	{"user: an escaped account tag",        JOINED "@account=a\\sb " ALICE "PRIVMSG #c :x",
         "#c 3: +bob @alice ebb\nalice!a@a.example account=a b\nbob\n" US																	      },
	{"user: two account tags",              JOINED "@account=a;account=b " ALICE "PRIVMSG #c :x",
         "#c 3: +bob @alice ebb\nalice!a@a.example account=b\nbob\n" US																		},
	{"user: the account tag at JOIN",       ME "JOIN #c\n@account=acc " ALICE "JOIN #c",
         "#c 2? alice ebb\nalice!a@a.example account=acc\n" US																			 },
	{"user: the bot tag",                   JOINED "@bot " ALICE "NOTICE ebb :x",
         "#c 3: +bob @alice ebb\nalice!a@a.example bot\nbob\n" US																		      },
	{"user: 301",			   JOINED IRC "301 ebb alice :gone fishing",
         "#c 3: +bob @alice ebb\nalice away(gone fishing)\nbob\n" US																		   },
	{"user: 302",			   JOINED IRC "302 ebb :alice*=-a@h bob=+b@i carol=+c@j ebb=+x@y",
         "#c 3: +bob @alice ebb\nalice!a@h away() oper\nbob!b@i\nebb!x@y me\n"																	 },
	{"user: 302, odd",                      JOINED IRC "302 ebb :alice bob= = * *= alice=+ bob=+x alice=-@",
         "#c 3: +bob @alice ebb\nalice away()\nbob\n" US																			       },
	{"user: WHOIS",
         JOINED IRC "311 ebb alice u h * :Real\n" IRC "313 ebb alice :is an op\n" IRC
			   "330 ebb alice acc :is\n" IRC "335 ebb alice :is a bot",
         "#c 3: +bob @alice ebb\nalice!u@h account=acc bot oper \"Real\"\nbob\n" US																    },
	{"user: WHOIS of a stranger",
         IRC "311 ebb carol u h * :Real\n" IRC "313 ebb carol :x\n" IRC
		    "330 ebb carol a :x\n" IRC "335 ebb carol :x\n" IRC "301 ebb carol :x",
         "ebb me\n"																								    },
	{"user: WHOIS, too short",
         JOINED IRC "311 ebb alice u\n" IRC "313 ebb\n" IRC "330 ebb alice\n" IRC
			   "335 ebb\n" IRC "301 ebb\n" IRC "302 ebb",
         "#c 3: +bob @alice ebb\nalice\nbob\n" US																				      },
 /* what is told of us */
	{"me: 306 and 305",                     ME "JOIN #c\n" IRC "306 ebb :away\n" IRC "305 ebb :back",
         "#c 1? ebb\n" US																							      },
	{"me: 306",			     ME "JOIN #c\n" IRC "306 ebb :away",								   "#c 1? ebb\nebb!e@me.example away() me\n"                        },
	{"me: 900",			     ME "JOIN #c\n" IRC "900 ebb ebb!e@me.example acc :You are",
         "#c 1? ebb\nebb!e@me.example account=acc me\n"																				},
	{"me: 901",			     ME "JOIN #c\n" IRC "900 ebb x acc :You\n" IRC "901 ebb x :You",
         "#c 1? ebb\nebb!e@me.example account= me\n"																				   },
	{"me: 396",			     ME "JOIN #c\n" IRC "396 ebb cloak.example :is now your host",
         "#c 1? ebb\nebb!e@cloak.example me\n"																					 },
	{"me: 396 with a user",                 ME "JOIN #c\n" IRC "396 ebb u@cloak :is now",
         "#c 1? ebb\nebb!u@cloak me\n"																						 },
	{"me: before any channel",              IRC "900 * *!*@* acc :You are\n" IRC "396 ebb h :is",
         "ebb!@h account=acc me\n"																						     },
 /* WHO */
	{"who: 352",			    JOINED IRC "352 ebb #c u h irc.example alice G*@ :0 Real Name",
         "#c 3: +bob @alice ebb\nalice!u@h away() oper \"Real Name\"\nbob\n" US																	},
	{"who: back again",                     JOINED ALICE "AWAY :x\n" IRC "352 ebb #c u h s alice H@ :0 R",
         "#c 3: +bob @alice ebb\nalice!u@h \"R\"\nbob\n" US																			    },
	{"who: the message stays",              JOINED ALICE "AWAY :x\n" IRC "352 ebb #c u h s alice G@ :0 R",
         "#c 3: +bob @alice ebb\nalice!u@h away(x) \"R\"\nbob\n" US																		    },
	{"who: prefixes",
         JOINED IRC "352 ebb #c u h s alice H+ :0 R\n" IRC "352 ebb #c u h s bob H@+ :0 R",
         "#c 3: +alice @+bob ebb\nalice!u@h \"R\"\nbob!u@h \"R\"\n" US																		 },
	{"who: no channel",                     JOINED IRC "352 ebb * u h s alice H :0 R",
         "#c 3: +bob @alice ebb\nalice!u@h \"R\"\nbob\n" US																			    },
	{"who: a bot",			  JOINED IRC "352 ebb #c u h s alice HB@ :0 R",
         "#c 3: +bob @alice ebb\nalice!u@h bot \"R\"\nbob\n" US																			},
	{"who: the bot's letter",
         IRC "005 ebb BOT=b :are\n" JOINED IRC "352 ebb #c u h s alice HBb@ :0 R\n" IRC
		    "352 ebb #c u h s bob HB+ :0 R",												  "#c 3: +bob @alice ebb\nalice!u@h bot \"R\"\nbob!u@h \"R\"\n" US },
	{"who: a bot no more",
         IRC "005 ebb BOT=B :are\n" JOINED "@bot " ALICE "NOTICE #c :x\n" IRC
		    "352 ebb #c u h s alice H@ :0 R",												 "#c 3: +bob @alice ebb\nalice!u@h \"R\"\nbob\n" US               },
	{"who: no real name",                   JOINED IRC "352 ebb #c u h s alice H@ :0",
         "#c 3: +bob @alice ebb\nalice!u@h\nbob\n" US																				  },
	{"who: an empty real name",             JOINED IRC "352 ebb #c u h s alice H@ :0 ",
         "#c 3: +bob @alice ebb\nalice!u@h\nbob\n" US																				  },
	{"who: no flags",
         JOINED IRC "352 ebb #c u h s alice\n" IRC "352 ebb #c u h s\n" IRC "352 ebb",
         "#c 3: +bob @alice ebb\nalice\nbob\n" US																				      },
	{"who: a stranger",                     JOINED IRC "352 ebb #c u h s carol H@ :0 R",
         "#c 3: +bob @alice ebb\nalice\nbob\n" US																				      },
	{"whox: ours",			  JOINED IRC "354 ebb 861 #c u h alice G@ acc :Real Name",
         "#c 3: +bob @alice ebb\nalice!u@h account=acc away() \"Real Name\"\nbob\n" US																 },
	{"whox: logged out",                    JOINED IRC "354 ebb 861 #c u h alice H@ 0 :R",
         "#c 3: +bob @alice ebb\nalice!u@h account= \"R\"\nbob\n" US																		   },
	{"whox: another's",                     JOINED IRC "354 ebb 7 #c u h alice G@ acc :R",
         "#c 3: +bob @alice ebb\nalice\nbob\n" US																				      },
	{"whox: too short",
         JOINED IRC "354 ebb 861 #c u h alice G@ acc\n" IRC "354 ebb 861\n" IRC "354 ebb",
         "#c 3: +bob @alice ebb\nalice\nbob\n" US																				      },
	{"whox: too long",                      JOINED IRC "354 ebb 861 #c u h s alice G@ acc :R",
         "#c 3: +bob @alice ebb\nalice\nbob\n" US																				      },
 /* servers */
	{"server: ngircd",
         ":ebb!~e@localhost JOIN :#t\n:s.x 353 ebb = #t :@ebb\n:s.x 366 ebb #t :End of NAMES list\n:alice!~a@l JOIN :#t\n:ebb!~e@l MODE #t +o alice",
         "#t 2: @alice @ebb\nalice!~a@l\nebb!~e@l me\n"																				},
	{"server: hybrid",
         ":ebb!~e@x JOIN :#t\n:s.x MODE #t +nt\n:s.x 353 ebb = #t :@ebb \n:s.x 366 ebb #t :End of /NAMES list.\n:s.x 329 ebb #t 1700000000",
         "#t +nt 1: @ebb since 1700000000\nebb!~e@x me\n"																			      },
	{"server: inspircd",
         "@time=2024-01-01T00:00:00.000Z :ebb!e@x JOIN #t * :ebb\n:s.x 353 ebb = #t :@ebb!e@x alice!a@y\n:s.x 366 ebb #t :End",
         "#t 2: @ebb alice\nalice!a@y\nebb!e@x account= me \"ebb\"\n"																		  },
 /* what changes in mid-session */
	{"casemapping: rfc1459",                JOINED ":x[]\\~!u@h JOIN #C\n:X{}|^!u@h PART #c",
         "#c 3: +bob @alice ebb\nalice\nbob\n" US																				      },
	{"casemapping: ascii",
         IRC "005 ebb CASEMAPPING=ascii :are\n" JOINED
		    ":x[!u@h JOIN #c\n:x{!u@h JOIN #c\n:X[!u@i PRIVMSG #c :x",									"#c 5: +bob @alice ebb x[ x{\nalice\nbob\n" US "x[!u@i\nx{!u@h\n"},
	{"casemapping: strict",
         IRC "005 ebb CASEMAPPING=rfc1459-strict :are\n" ME
		    "JOIN #c\n:x[!u@h JOIN #c\n:x{!u@i JOIN #c\n:x^!u@h JOIN #c\n:x~!u@h JOIN #c",						    "#c 4? ebb x[ x^ x~\n" US "x[!u@i\nx^!u@h\nx~!u@h\n"             },
	{"casemapping: users fall together",
         IRC "005 ebb CASEMAPPING=ascii :are\n" ME
		    "JOIN #c\n:x[!u@h JOIN #c\n:x{!u@i JOIN #c\n" IRC
		    "005 ebb CASEMAPPING=rfc1459 :are",											       "#c 2? ebb x{\n" US "x{!u@i\n"                                   },
	{"casemapping: one of them is us",
         IRC "005 ebb CASEMAPPING=ascii :are\n" ME "JOIN #c\n" ME
		    "NICK e[\n:e{!u@i JOIN #c\n" IRC "005 e[ CASEMAPPING=rfc1459 :are",
         "#c 1? e[\ne[!e@me.example me\n"																					      },
	{"casemapping: channels fall together",
         IRC "005 ebb CASEMAPPING=ascii :are\n" ME "JOIN #[\n" ALICE "JOIN #[\n" ME
		    "JOIN #{\n" BOB "JOIN #{\n" IRC "005 ebb CASEMAPPING=rfc1459 :are",
         "#{ 2? bob ebb\nbob!b@b.example\n" US																					 },
	{"casemapping: and back again",
         JOINED IRC "005 ebb CASEMAPPING=ascii :are\n" IRC "005 ebb -CASEMAPPING :are\n"
			   ":ALICE!x@y PRIVMSG #C :x",												"#c 3: +bob @alice ebb\nalice!x@y\nbob\n" US                     },
	{"prefix: others are added",
         JOINED IRC "005 ebb PREFIX=(qaohv)~&@%+ :are\n" IRC "MODE #c +q alice",
         "#c 3: +bob ebb ~@alice\nalice\nbob\n" US																				     },
	{"prefix: some are gone",               JOINED IRC "MODE #c +v alice\n" IRC "005 ebb PREFIX=(v)+ :are",
         "#c 3: +alice +bob ebb\nalice\nbob\n" US																				      },
	{"prefix: none are left",               JOINED IRC "005 ebb PREFIX= :are\n" IRC "MODE #c +o alice",
         "#c +o 3: alice bob ebb\nalice\nbob\n" US																				     },
	{"prefix: gone and come back",
         JOINED IRC "005 ebb PREFIX=(v)+ :are\n" IRC "005 ebb -PREFIX :are",
         "#c 3: +bob alice ebb\nalice\nbob\n" US																				       },
	{"prefix: other symbols",               JOINED IRC "005 ebb PREFIX=(ov)!- :are",
         "#c 3: !alice -bob ebb\nalice\nbob\n" US																				      },
	{"prefix: the other way round",
         JOINED IRC "005 ebb PREFIX=(vo)+@ :are\n" IRC "MODE #c +v alice",
         "#c 3: +@alice +bob ebb\nalice\nbob\n" US																				     },
	{"prefix: as many as there can be",
         IRC "005 ebb PREFIX=(abcdefghijklmno)!#$%&'*+-./<=>? :are\n" ME "JOIN #c\n" IRC
		    "353 ebb = #c :!#$%&'*+-./<=>?ebb\n" IRC "MODE #c -a ebb",
         "#c 1? #$%&'*+-./<=>?ebb\n" US																						},
};

static void roster_hears(void **state)
{
	const struct conversation_row *row = *state;
	struct talk t;
	begin(&t);

	hear_all(&t, row->lines);

	assert_dump(&t, row->expected);
	assert_true(!roster_sweep(t.roster, SIZE_MAX));
	assert_whole(&t);
	assert_dump(&t, row->expected);
	end(&t);
}

/* Our nick may be told to the roster before the line or after. */
static void roster_hears_late(void **state)
{
	const struct conversation_row *row = *state;
	struct talk t;
	begin(&t);
	t.is_late = true;

	hear_all(&t, row->lines);

	hear(&t, "PING :x");
	if (strstr(row->lines, ME "QUIT") == NULL)
		assert_dump(&t, row->expected);
	end(&t);
}

static const struct handle nothing;

static bool is_nothing(struct handle h)
{
	return h.generation == 0;
}

static bool is_same(struct handle a, struct handle b)
{
	return a.index == b.index && a.generation == b.generation;
}

static void roster_account_tag_counts_when_absent(void **state)
{
	(void)state;
	struct talk t;
	struct roster_user u;
	begin(&t);
	hear_all(&t, JOINED "@account=acc " ALICE "PRIVMSG #c :x");
	roster_trust_account_tag(t.roster, true);

	hear(&t, ALICE "PRIVMSG #c :x");

	assert_true(roster_user(t.roster, roster_find_user(t.roster, STR("alice")), &u));
	assert_slice(u.account, "");
	hear(&t, "@account=acc;x=y " ALICE "AWAY");
	assert_true(roster_user(t.roster, roster_find_user(t.roster, STR("alice")), &u));
	assert_slice(u.account, "acc");
	assert_true(roster_user(t.roster, roster_find_user(t.roster, STR("bob")), &u));
	assert_slice(u.account, NULL);
	end(&t);
}

static void roster_handle_follows_a_nick(void **state)
{
	(void)state;
	struct talk t;
	struct roster_user u;
	begin(&t);
	hear_all(&t, JOINED);
	struct handle alice = roster_find_user(t.roster, STR("Alice"));

	hear(&t, ALICE "NICK carol");

	assert_true(is_nothing(roster_find_user(t.roster, STR("alice"))));
	assert_true(is_same(roster_find_user(t.roster, STR("CAROL")), alice));
	assert_true(roster_user(t.roster, alice, &u));
	assert_slice(u.nick, "carol");
	end(&t);
}

static void roster_handle_names_nothing_once_its_user_is_gone(void **state)
{
	(void)state;
	static const char *const ends[] = {ALICE "QUIT :x", ALICE "PART #c", BOB "KICK #c alice",
		ME "PART #c", BOB "KICK #c ebb", BOB "NICK alice"};
	for (size_t i = 0; i < COUNTOF(ends); i++) {
		struct talk t;
		struct roster_user u;
		struct roster_member m;
		begin(&t);
		hear_all(&t, JOINED);
		struct handle alice = roster_find_user(t.roster, STR("alice"));
		struct handle channel = roster_find_channel(t.roster, STR("#c"));

		hear(&t, ends[i]);
		assert_false(roster_user(t.roster, alice, &u));
		hear_all(&t, JOINED ALICE "JOIN #c");

		assert_false(roster_user(t.roster, alice, &u));
		assert_false(roster_find_member(t.roster, channel, alice, &m));
		assert_false(is_same(roster_find_user(t.roster, STR("alice")), alice));
		end(&t);
	}
}

static void roster_handle_of_a_channel_names_nothing_once_we_left(void **state)
{
	(void)state;
	struct talk t;
	struct roster_channel c;
	struct roster_member m;
	struct str param;
	struct buf out;
	size_t cursor = 0;
	begin(&t);
	buf_init(&out, 64);
	hear_all(&t, JOINED);
	struct handle old = roster_find_channel(t.roster, STR("#C"));

	hear_all(&t, ME "PART #c\n" JOINED);

	assert_false(roster_channel(t.roster, old, &c));
	assert_false(roster_mode(t.roster, old, 'n', &param));
	assert_int_equal(roster_put_modes(t.roster, old, &out), 0);
	assert_false(roster_next_member(t.roster, old, &cursor, &m));
	assert_false(roster_channel(t.roster, nothing, &c));
	assert_false(roster_channel(t.roster, (struct handle){99999, 1}, &c));
	assert_true(roster_channel(t.roster, roster_find_channel(t.roster, STR("#c")), &c));
	buf_fini(&out);
	end(&t);
}

static void roster_knows_us(void **state)
{
	(void)state;
	struct talk t;
	struct roster_user u;
	begin(&t);
	assert_true(is_nothing(roster_me(t.roster)));

	hear(&t, "PING :x");
	struct handle me = roster_me(t.roster);
	hear_all(&t, JOINED ME "PART #c\n" ME "NICK other\n"
			       ":other!e@h NICK another");

	assert_true(is_same(roster_me(t.roster), me));
	assert_true(roster_user(t.roster, me, &u));
	assert_slice(u.nick, "another");
	assert_true(u.is_me);
	end(&t);
}

static void roster_tells_modes(void **state)
{
	(void)state;
	struct talk t;
	struct roster_channel c;
	struct str param;
	struct buf out;
	begin(&t);
	buf_init(&out, 8);
	hear_all(&t, ME "JOIN #c\n" IRC "MODE #c +ntk secret");
	struct handle h = roster_find_channel(t.roster, STR("#c"));

	assert_true(roster_mode(t.roster, h, 'k', &param));
	assert_slice(param, "secret");
	assert_true(roster_mode(t.roster, h, 'n', &param));
	assert_slice(param, NULL);
	assert_false(roster_mode(t.roster, h, 'i', &param));
	assert_true(roster_channel(t.roster, h, &c));
	assert_slice(c.key, "secret");
	assert_int_equal(buf_add(&out, STR("x")), 0);
	assert_int_equal(roster_put_modes(t.roster, h, &out), ERR_LIMIT);
	assert_slice(buf_str(&out), "x");
	buf_fini(&out);
	end(&t);
}

static void roster_tells_shared_channels(void **state)
{
	(void)state;
	struct talk t;
	struct buf out;
	struct handle channel;
	size_t cursor = 0, n = 0;
	begin(&t);
	buf_init(&out, 8);
	hear_all(&t, JOINED ME "JOIN #d\n" ALICE "JOIN #d\n" ME "JOIN #e");

	assert_int_equal(roster_channels_of(t.roster, STR("ALICE"), &out), 0);
	assert_slice(buf_str(&out), "#d #c");
	assert_int_equal(roster_channels_of(t.roster, STR("alice"), &out), ERR_LIMIT);
	assert_slice(buf_str(&out), "#d #c");
	assert_int_equal(roster_channels_of(t.roster, STR("carol"), &out), 0);
	assert_slice(buf_str(&out), "#d #c");
	struct handle alice = roster_find_user(t.roster, STR("alice"));
	while (roster_next_shared(t.roster, alice, &cursor, &channel))
		n++;
	assert_int_equal(n, 2);
	cursor = n = 0;
	while (roster_next_channel(t.roster, &cursor, &channel))
		n++;
	assert_int_equal(n, 3);
	assert_false(roster_next_shared(t.roster, nothing, &cursor, &channel));
	buf_fini(&out);
	end(&t);
}

/* Walking while others leave and come. */

static void hear_many(struct talk *t, const char *channel, size_t first, size_t n)
{
	char line[512];
	for (size_t i = first; i < first + n;) {
		int at = snprintf(line, sizeof(line), IRC "353 ebb = %s :", channel);
		for (int k = 0; k < 16 && i < first + n; k++, i++)
			at += snprintf(line + at, sizeof(line) - (size_t)at, "n%zu!u@h ", i);
		hear_unchecked(t, str_of(line));
	}
}

static size_t number_of(const struct talk *t, struct handle user)
{
	struct roster_user u;
	int64_t n = 0;
	assert_true(roster_user(t->roster, user, &u));
	if (u.is_me || !str_int(str_skip(u.nick, 1), 0, 1000000, &n))
		return 0;
	return (size_t)n;
}

static void roster_walk_misses_nobody_who_stays(void **state)
{
	(void)state;
	enum { N = 100 };
	struct talk t;
	struct roster_member m;
	size_t cursor = 0, steps = 0;
	unsigned met[2 * N + 1] = {0};
	struct rand random = {3};
	begin(&t);
	hear(&t, ME "JOIN #c");
	hear_many(&t, "#c", 1, N);
	struct handle channel = roster_find_channel(t.roster, STR("#c"));

	while (roster_next_member(t.roster, channel, &cursor, &m)) {
		char line[64];
		met[number_of(&t, m.user)]++;
		snprintf(line, sizeof(line), ":n%u!u@h PART #c",
			2 * (unsigned)rand_below(&random, N / 2) + 1);
		hear(&t, line);
		hear_many(&t, "#c", N + steps % N, 1);
		assert_true(++steps < 4 * N);
	}

	for (size_t i = 2; i < N; i += 2)
		assert_true(met[i] > 0);
	assert_false(roster_next_member(t.roster, channel, &cursor, &m));
	end(&t);
}

static void roster_walk_ends_when_we_leave(void **state)
{
	(void)state;
	struct talk t;
	struct roster_member m;
	size_t cursor = 0;
	begin(&t);
	hear_all(&t, JOINED);
	struct handle channel = roster_find_channel(t.roster, STR("#c"));
	assert_true(roster_next_member(t.roster, channel, &cursor, &m));

	hear_all(&t, ME "PART #c\n" JOINED);

	assert_false(roster_next_member(t.roster, channel, &cursor, &m));
	end(&t);
}

static void roster_walk_goes_on_when_many_leave_at_once(void **state)
{
	(void)state;
	struct talk t;
	struct roster_member m;
	size_t cursor = 0;
	begin(&t);
	hear_all(&t, JOINED);
	struct handle channel = roster_find_channel(t.roster, STR("#c"));
	assert_true(roster_next_member(t.roster, channel, &cursor, &m));

	hear_all(&t, ALICE "QUIT :x\n" BOB "QUIT :x");

	assert_true(roster_next_member(t.roster, channel, &cursor, &m));
	assert_true(is_same(m.user, roster_me(t.roster)));
	assert_false(roster_next_member(t.roster, channel, &cursor, &m));
	assert_false(roster_next_member(t.roster, channel, &cursor, &m));
	end(&t);
}

/* WHO. */

static void assert_who(struct talk *t, const char *line)
{
	struct buf out;
	buf_init(&out, 600);
	struct str name = roster_next_who(t->roster, t->isupport, &out);
	assert_slice(buf_str(&out), line ? line : "");
	assert_int_equal(name.p != NULL, line != NULL);
	buf_fini(&out);
}

static void roster_who_is_asked_one_at_a_time(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	assert_false(roster_wants_who(t.roster));
	hear_all(&t, ME "JOIN #a\n" ME "JOIN #b\n" ME "JOIN #c\n" ME "JOIN #a");

	assert_who(&t, "WHO #a");
	assert_false(roster_wants_who(t.roster));
	assert_who(&t, NULL);
	hear(&t, IRC "315 ebb #other :End of WHO");
	assert_false(roster_wants_who(t.roster));
	hear(&t, IRC "315 ebb #A :End of WHO");
	assert_true(is_nothing(roster_asked_who(t.roster)));
	hear(&t, IRC "005 ebb WHOX :are");
	assert_who(&t, "WHO #b %tcuhnfar,861");
	assert_true(is_same(roster_asked_who(t.roster), roster_find_channel(t.roster, STR("#b"))));
	roster_give_up_who(t.roster);
	assert_who(&t, "WHO #c %tcuhnfar,861");
	hear(&t, IRC "315 ebb #c :End of WHO");
	assert_who(&t, NULL);
	end(&t);
}

static void roster_who_forgets_channels_that_we_left(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	hear_all(&t, ME "JOIN #a\n" ME "JOIN #b\n" ME "JOIN #c\n" ME "PART #b");
	assert_who(&t, "WHO #a");

	hear(&t, ALICE "KICK #a ebb :out");

	assert_true(is_nothing(roster_asked_who(t.roster)));
	assert_who(&t, "WHO #c");
	roster_reset(t.roster);
	assert_whole(&t);
	assert_who(&t, NULL);
	end(&t);
}

static void roster_who_follows_a_rename_and_waits_for_room(void **state)
{
	(void)state;
	struct talk t;
	struct buf small;
	begin(&t);
	buf_init(&small, 5);
	hear_all(&t, ME "JOIN #a\n" IRC "RENAME #a #b :x");

	assert_slice(roster_next_who(t.roster, t.isupport, &small), NULL);
	assert_true(roster_wants_who(t.roster));
	assert_who(&t, "WHO #b");
	hear_all(&t, IRC "RENAME #b #c :x\n" IRC "315 ebb #c :End");
	assert_true(is_nothing(roster_asked_who(t.roster)));
	buf_fini(&small);
	end(&t);
}

/* Maxima. */

static void roster_bounds_channels(void **state)
{
	(void)state;
	struct talk t;
	char line[64];
	begin(&t);
	for (int i = 0; i < ROSTER_CHANNELS_MAX; i++) {
		snprintf(line, sizeof(line), ME "JOIN #%d", i);
		hear_unchecked(&t, str_of(line));
	}
	assert_int_equal(roster_dropped(t.roster), 0);

	hear(&t, ME "JOIN #more");

	assert_int_equal(roster_dropped(t.roster), 1);
	assert_true(is_nothing(roster_find_channel(t.roster, STR("#more"))));
	hear_all(&t, ME "PART #7\n" ME "JOIN #more");
	assert_false(is_nothing(roster_find_channel(t.roster, STR("#more"))));
	end(&t);
}

static void roster_bounds_users_and_members(void **state)
{
	(void)state;
	struct talk t;
	struct roster_channel c;
	begin(&t);
	hear_all(&t, ME "JOIN #a\n" ME "JOIN #b\n" ME "JOIN #c");
	hear_many(&t, "#a", 1, ROSTER_USERS_MAX - 1);
	assert_int_equal(roster_dropped(t.roster), 0);

	hear(&t, ALICE "JOIN #a");

	assert_int_equal(roster_dropped(t.roster), 1);
	hear(&t, IRC "366 ebb #a :End");
	assert_true(roster_channel(t.roster, roster_find_channel(t.roster, STR("#a")), &c));
	assert_int_equal(c.n_members, ROSTER_USERS_MAX);
	assert_false(c.is_complete);
	hear_many(&t, "#b", 1, ROSTER_USERS_MAX - 1);
	hear_many(&t, "#c", 1, ROSTER_MEMBERS_MAX - 2 * ROSTER_USERS_MAX - 1);
	assert_int_equal(roster_dropped(t.roster), 1);
	hear_many(&t, "#c", 150000, 2);
	assert_int_equal(roster_dropped(t.roster), 3);
	hear_all(&t, ":n5!u@h PART #a\n:n150000!u@h JOIN #c");
	assert_int_equal(roster_dropped(t.roster), 3);
	end(&t);
}

static void roster_bounds_modes(void **state)
{
	(void)state;
	struct talk t;
	struct str param;
	char line[1024];
	begin(&t);
	hear(&t, ME "JOIN #c");
	struct handle h = roster_find_channel(t.roster, STR("#c"));
	for (int c = 0x80; c < 0x80 + ROSTER_MODES_MAX; c++) {
		snprintf(line, sizeof(line), IRC "MODE #c +%c", c);
		hear(&t, line);
	}
	hear(&t, IRC "MODE #c +z");
	assert_int_equal(roster_dropped(t.roster), 1);
	assert_false(roster_mode(t.roster, h, 'z', &param));
	hear(&t, IRC "MODE #c -\x80+k key");
	assert_true(roster_mode(t.roster, h, 'k', &param));

	snprintf(line, sizeof(line), IRC "MODE #c -\x81+l %0*d", ROSTER_PARAM_MAX_BYTES + 1, 1);
	hear(&t, line);
	assert_false(roster_mode(t.roster, h, 'l', &param));
	end(&t);
}

static void roster_bounds_names(void **state)
{
	(void)state;
	struct talk t;
	struct roster_user u;
	char line[4096];
	begin(&t);
	hear(&t, ME "JOIN #c");
	snprintf(line, sizeof(line), ME "JOIN #%0*d", ROSTER_CHANNEL_MAX_BYTES, 1);
	hear(&t, line);
	snprintf(line, sizeof(line), ":a%0*d!u@h JOIN #c", ROSTER_NAME_MAX_BYTES, 1);
	hear(&t, line);
	assert_dump(&t, "#c 1? ebb\n" US);
	assert_int_equal(roster_dropped(t.roster), 2);

	snprintf(line, sizeof(line), ":alice!u@%0*d JOIN #c %0*d :%0*d\xc3\xa4",
		ROSTER_NAME_MAX_BYTES + 1, 1, ROSTER_NAME_MAX_BYTES + 1, 1,
		ROSTER_WORDS_MAX_BYTES - 1, 1);
	hear(&t, line);
	assert_true(roster_user(t.roster, roster_find_user(t.roster, STR("alice")), &u));
	assert_slice(u.host, NULL);
	assert_slice(u.account, NULL);
	assert_int_equal(u.real_name.n, ROSTER_WORDS_MAX_BYTES - 1);
	snprintf(line, sizeof(line), ":alice NICK a%0*d", ROSTER_NAME_MAX_BYTES, 1);
	hear(&t, line);
	assert_dump(&t, "#c 1? ebb\n" US);
	end(&t);
}

static void roster_does_not_keep_an_account_that_it_cannot_replace(void **state)
{
	(void)state;
	struct talk t;
	struct roster_user u;
	char line[512];
	begin(&t);
	hear_all(&t, JOINED ALICE "ACCOUNT acc");

	snprintf(line, sizeof(line), ALICE "ACCOUNT %0*d", ROSTER_NAME_MAX_BYTES + 1, 1);
	hear(&t, line);

	assert_true(roster_user(t.roster, roster_find_user(t.roster, STR("alice")), &u));
	assert_slice(u.account, NULL);
	end(&t);
}

static void roster_bounds_texts(void **state)
{
	(void)state;
	enum { N = 140000 };
	struct talk t;
	struct roster_user u;
	char line[1024];
	begin(&t);
	hear(&t, ME "JOIN #c");
	hear_many(&t, "#c", 1, N);
	for (int i = 1; i <= N; i++) {
		snprintf(line, sizeof(line), ":n%d AWAY :%0*d", i, ROSTER_WORDS_MAX_BYTES, 1);
		hear_unchecked(&t, str_of(line));
	}

	assert_whole(&t);
	assert_in_range(N - roster_dropped(t.roster), 130000, N);
	assert_true(roster_dropped(t.roster) > 0);
	snprintf(line, sizeof(line), "n%d", N);
	assert_true(roster_user(t.roster, roster_find_user(t.roster, str_of(line)), &u));
	assert_true(u.is_away);
	assert_slice(u.away_message, NULL);
	end(&t);
}

/* Names that fall together under rfc1459 alone, and so have one hash. */
static void hear_alike(struct talk *t, const char *before, const char *after, unsigned bits)
{
	char line[128], name[17] = {0};
	for (int i = 0; i < 16; i++)
		name[i] = bits >> i & 1 ? '[' : '{';
	snprintf(line, sizeof(line), "%s%s%s", before, name, after);
	hear(t, line);
}

static void roster_bounds_names_that_are_alike(void **state)
{
	(void)state;
	struct talk t;
	struct roster_channel c;
	begin(&t);
	hear_all(&t, IRC "005 ebb CASEMAPPING=ascii :are\n" ME "JOIN #c");
	for (unsigned i = 0; i < 2 * ROSTER_ALIKE_MAX; i++) {
		hear_alike(&t, ":", "!u@h JOIN #c", i);
		hear_alike(&t, ME "JOIN #", "", i);
	}
	assert_true(roster_channel(t.roster, roster_find_channel(t.roster, STR("#c")), &c));
	assert_int_equal(c.n_members, 1 + ROSTER_ALIKE_MAX);
	assert_int_equal(roster_dropped(t.roster), 2 * ROSTER_ALIKE_MAX);

	hear(&t, IRC "005 ebb CASEMAPPING=rfc1459 :are");

	assert_true(roster_channel(t.roster, roster_find_channel(t.roster, STR("#c")), &c));
	assert_int_equal(c.n_members, 2);
	end(&t);
}

/* Great channels, and what is left of them. */

static void assert_empty(const struct talk *t)
{
	const struct book *b = &t->roster->book;
	assert_int_equal(b->users.n, b->me != SLOTS_NONE);
	assert_int_equal(b->members.n, 0);
	assert_int_equal(b->channels.n, 0);
	assert_null(b->members.pages);
	assert_null(b->channels.buckets);
}

static size_t sweep_all(struct talk *t, size_t max)
{
	size_t n = 1;
	while (roster_sweep(t->roster, max))
		n++;
	assert_whole(t);
	return n;
}

static void roster_leaves_a_great_channel_in_steps(void **state)
{
	(void)state;
	enum { N = 100000 };
	static const char *const ends[] = {ME "PART #c", ALICE "KICK #c ebb", NULL};
	for (size_t i = 0; i < COUNTOF(ends); i++) {
		struct talk t;
		struct roster_channel c;
		begin(&t);
		hear_all(&t, ME "JOIN #c\n" ME "JOIN #d");
		hear_many(&t, "#c", 1, N);
		hear_many(&t, "#d", 1, 10);
		assert_whole(&t);
		struct handle old = roster_find_user(t.roster, STR("n5"));
		struct handle lost = roster_find_user(t.roster, STR("n50000"));
		struct roster_user u;
		assert_true(roster_channel(t.roster, roster_find_channel(t.roster, STR("#c")), &c));
		assert_int_equal(c.n_members, N + 1);

		if (ends[i])
			hear(&t, ends[i]);
		else
			roster_reset(t.roster);

		assert_true(is_nothing(roster_find_channel(t.roster, STR("#c"))));
		assert_true(is_nothing(roster_find_user(t.roster, STR("n50000"))));
		assert_false(roster_user(t.roster, lost, &u));
		assert_int_equal(roster_user(t.roster, old, &u), ends[i] != NULL);
		assert_true(t.roster->book.users.n > N - 100);
		if (ends[i])
			hear(&t, ME "PART #d");
		assert_in_range(sweep_all(&t, 1000), N / 1000, N / 1000 + 2);
		assert_empty(&t);
		end(&t);
	}
}

static void roster_comes_back_before_all_is_swept(void **state)
{
	(void)state;
	struct talk t;
	struct roster_user u;
	struct roster_channel c;
	begin(&t);
	hear(&t, ME "JOIN #c");
	hear_many(&t, "#c", 1, 1000);
	hear(&t, ":n7!u@h ACCOUNT acc");
	struct handle old = roster_find_user(t.roster, STR("n7"));

	hear_all(&t, ME "PART #c\n" ME "JOIN #c");
	hear_many(&t, "#c", 1, 500);

	assert_whole(&t);
	assert_true(roster_channel(t.roster, roster_find_channel(t.roster, STR("#c")), &c));
	assert_int_equal(c.n_members, 501);
	assert_false(roster_user(t.roster, old, &u));
	assert_true(roster_user(t.roster, roster_find_user(t.roster, STR("n7")), &u));
	assert_slice(u.account, NULL);
	assert_true(is_nothing(roster_find_user(t.roster, STR("n900"))));
	hear(&t, ":n8!u@h NICK n900");
	sweep_all(&t, 7);
	assert_int_equal(t.roster->book.users.n, 501);
	hear(&t, ME "PART #c");
	sweep_all(&t, 7);
	assert_empty(&t);
	end(&t);
}

static void roster_of_many_in_many_channels_is_swept(void **state)
{
	(void)state;
	struct talk t;
	char line[64], name[16];
	begin(&t);
	for (int i = 0; i < 200; i++) {
		snprintf(line, sizeof(line), ME "JOIN #%d", i);
		hear_unchecked(&t, str_of(line));
		snprintf(name, sizeof(name), "#%d", i);
		hear_many(&t, name, 1, 200);
	}
	assert_whole(&t);
	hear_all(&t, ":n1!u@h QUIT :x\n:n2!u@h NICK other");

	roster_reset(t.roster);
	hear_all(&t, JOINED ":n3!u@h JOIN #c");

	while (roster_sweep(t.roster, 500))
		assert_whole(&t);
	assert_dump(&t, "#c 4: +bob @alice ebb n3\nalice\nbob\n" US "n3!u@h\n");
	end(&t);
}

static void roster_gives_back_what_quits_had(void **state)
{
	(void)state;
	enum { N = 2000 };
	struct talk t;
	char line[64];
	begin(&t);
	hear(&t, ME "JOIN #c");
	hear_many(&t, "#c", 1, N);
	for (int i = 1; i <= N; i++) {
		snprintf(line, sizeof(line), ":n%d!u@h QUIT :irc.a irc.b", i);
		hear_unchecked(&t, str_of(line));
	}

	assert_dump(&t, "#c 1? ebb\n" US);
	assert_whole(&t);
	assert_true(t.roster->book.users.buckets_capacity < 64);
	assert_true(t.roster->book.members.buckets_capacity < 64);
	end(&t);
}

/* Lines at random over few names, so that they meet. */

static const char *pick(struct rand *r, const char *const *from, size_t n)
{
	return from[rand_below(r, n)];
}

#define PICK(r, from) pick((r), (from), COUNTOF(from))

static void must(int result)
{
	assert_true(result >= 0);
}

/* $n and $m stand for a nick, $c for a channel, $f for modes. */
static void make_line(struct rand *r, struct buf *line)
{
	static const char *const nicks[] = {
		"ebb", "EBB", "a", "A", "b", "c[", "c{", "C[", "d^", "d~", "e", "irc.x", "ebb_"};
	static const char *const channels[] = {"#a", "#A", "#b", "#c[", "#c{", "#d", "#e", "x"};
	static const char *const modes[] = {"+o", "-o", "+ov", "+ntk", "-k", "+lv", "+bqa", "x"};
	static const char *const forms[] = {":$n!u@h JOIN $c", ":ebb!e@m JOIN $c",
		":$n!u@h JOIN $c $m :Real", ":$n!u@h PART $c", ":$n QUIT :x", ":$n!v@i NICK $m",
		":x KICK $c $m", ":s MODE $c $f $n $m",
		":s.x 353 ebb = $c :@$n +$m a b c[ c{ d^ d~", ":s.x 366 ebb $c :End",
		":s.x 352 ebb $c u h s $n G*@+B :0 R", ":s.x 315 ebb $c :End",
		":s.x 354 ebb 861 $c u h $m H@ acc :R", ":s.x 324 ebb $c $f 1 2 3",
		":$n!u@h AWAY :x", "@account=$m;bot :$n!w@j PRIVMSG $c :x", ":s.x RENAME $c #a :x",
		":s.x RENAME #b $c :x", ":s.x 302 ebb :$n=+$m@h", ":$n TOPIC $c :x",
		":s.x 005 ebb CASEMAPPING=ascii :x", ":s.x 005 ebb CASEMAPPING=rfc1459 :x",
		":s.x 005 ebb CASEMAPPING=rfc1459-strict :x", ":s.x 005 ebb PREFIX=(qaohv)~&@%+ :x",
		":s.x 005 ebb PREFIX=(vo)+@ :x", ":s.x 005 ebb -PREFIX :x",
		":$n!$m@$c CHGHOST $m $n"};
	const char *form = PICK(r, forms);
	for (; *form; form++) {
		if (*form != '$') {
			must(buf_addf(line, "%c", *form));
			continue;
		}
		form++;
		must(buf_add(line, str_of(*form == 'c'    ? PICK(r, channels)
					   : *form == 'f' ? PICK(r, modes)
							  : PICK(r, nicks))));
	}
}

static void walk_all(const struct talk *t)
{
	struct handle channel, shared;
	struct roster_member m, same;
	size_t channels = 0;
	while (roster_next_channel(t->roster, &channels, &channel)) {
		size_t members = 0, n = 0;
		struct roster_channel c;
		assert_true(roster_channel(t->roster, channel, &c));
		while (roster_next_member(t->roster, channel, &members, &m)) {
			size_t cursor = 0;
			assert_true(roster_find_member(t->roster, channel, m.user, &same));
			assert_string_equal(m.prefixes, same.prefixes);
			while (roster_next_shared(t->roster, m.user, &cursor, &shared) &&
				!is_same(shared, channel))
				continue;
			assert_true(is_same(shared, channel));
			n++;
		}
		assert_int_equal(n, c.n_members);
	}
}

static void roster_stays_whole_whatever_comes(void **state)
{
	(void)state;
	struct buf line;
	buf_init(&line, 1024);
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct rand random = {seed};
		struct talk t;
		begin(&t);
		for (int i = 0; i < 3000; i++) {
			buf_reset(&line);
			make_line(&random, &line);
			hear_unchecked(&t, buf_str(&line));
			const char *fault = roster_fault(t.roster);
			if (fault)
				print_error("seed %d, line %d, %s: %s\n", (int)seed, i,
					buf_str(&line).p, fault);
			assert_null(fault);
			walk_all(&t);
			if (rand_below(&random, 200) == 0)
				roster_reset(t.roster);
			if (rand_below(&random, 8) == 0)
				roster_sweep(t.roster, (size_t)rand_below(&random, 4));
			if (roster_wants_who(t.roster) && rand_below(&random, 4) == 0)
				hear(&t, "PING :x");
		}
		roster_reset(t.roster);
		sweep_all(&t, 3);
		assert_empty(&t);
		end(&t);
	}
	buf_fini(&line);
}

static void roster_free_accepts_nothing(void **state)
{
	(void)state;
	roster_free(NULL);
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, conversation_rows, roster_hears);
	check_rows(&c, conversation_rows, roster_hears_late);
	check_test(&c, roster_account_tag_counts_when_absent);
	check_test(&c, roster_handle_follows_a_nick);
	check_test(&c, roster_handle_names_nothing_once_its_user_is_gone);
	check_test(&c, roster_handle_of_a_channel_names_nothing_once_we_left);
	check_test(&c, roster_knows_us);
	check_test(&c, roster_tells_modes);
	check_test(&c, roster_tells_shared_channels);
	check_test(&c, roster_walk_misses_nobody_who_stays);
	check_test(&c, roster_walk_ends_when_we_leave);
	check_test(&c, roster_walk_goes_on_when_many_leave_at_once);
	check_test(&c, roster_who_is_asked_one_at_a_time);
	check_test(&c, roster_who_forgets_channels_that_we_left);
	check_test(&c, roster_who_follows_a_rename_and_waits_for_room);
	check_test(&c, roster_bounds_channels);
	check_test(&c, roster_bounds_users_and_members);
	check_test(&c, roster_bounds_modes);
	check_test(&c, roster_bounds_names);
	check_test(&c, roster_does_not_keep_an_account_that_it_cannot_replace);
	check_test(&c, roster_bounds_texts);
	check_test(&c, roster_bounds_names_that_are_alike);
	check_test(&c, roster_leaves_a_great_channel_in_steps);
	check_test(&c, roster_comes_back_before_all_is_swept);
	check_test(&c, roster_of_many_in_many_channels_is_swept);
	check_test(&c, roster_gives_back_what_quits_had);
	check_test(&c, roster_stays_whole_whatever_comes);
	check_test(&c, roster_free_accepts_nothing);
	return check_run(&c, "roster");
}
