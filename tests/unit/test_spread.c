#include "irc/spread.h"

#include "base/err.h"
#include "support/check.h"
#include "support/spreads.h"

#define ACTION    \
	"\x01"    \
	"ACTION " \
	"ab\x01"

/* What a line becomes, a line each; "": it stays as it is. */
static const struct spread_row {
	const char *name, *tokens;
	size_t bytes_max;
	const char *line, *expected;
} rows[] = {
	{"a line that fits stays as it is",               "TARGMAX=JOIN:2",     510, "join  #a,#b  k",                        ""											    },
	{"joins two at a time",                           "TARGMAX=JOIN:2",     510, "JOIN #a,#b,#c",                         "JOIN #a,#b\nJOIN #c"                                                                         },
	{"keys go with their channels",                   "TARGMAX=JOIN:2",     510, "JOIN #a,#b,#c,#d k1,k2,k3",
         "JOIN #a,#b k1,k2\nJOIN #c,#d k3"																						  },
	{"channels without a key go without",             "TARGMAX=JOIN:1",     510, "JOIN #a,#b k",
         "JOIN #a k\nJOIN #b"																							       },
	{"more keys than channels are not understood",    "TARGMAX=JOIN:1",     510, "JOIN #a,#b k1,k2,k3",
         ""																										 },
	{"an empty key is not understood",                "TARGMAX=JOIN:1",     510, "JOIN #a,#b ,k",                         ""											    },
	{"an empty channel is not understood",            "TARGMAX=JOIN:1",     510, "JOIN #a,,#b",                           ""											    },
	{"a name with a colon cannot come first",         "TARGMAX=PRIVMSG:1",  510, "PRIVMSG a,:b :x",                       ""                                                                                            },
	{"joins as many as fit",                          "",                   13,  "JOIN #aa,#bb,#cc",                      "JOIN #aa,#bb\nJOIN #cc"                                                                      },
	{"counts the keys",			       "",                   16,  "JOIN #aa,#bb k,l",                      ""											    },
	{"counts the keys, one too many",                 "",                   15,  "JOIN #aa,#bb k,l",                      "JOIN #aa k\nJOIN #bb l"                                                                      },
	{"a name that never fits has a line of its own",  "",                   8,   "JOIN #a,#long,#b",
         "JOIN #a\nJOIN #long\nJOIN #b"																						     },
	{"the last list may have a colon",                "TARGMAX=JOIN:1",     510, "JOIN :#a,#b c",
         "JOIN :#a\nJOIN :#b c"																							     },
	{"parts with the reason on each",                 "TARGMAX=PART:1",     510, "PART #a,#b :so long",
         "PART #a :so long\nPART #b :so long"																					       },
	{"kicks several from a channel",                  "TARGMAX=KICK:1",     510, "KICK #c a,b :why not",
         "KICK #c a :why not\nKICK #c b :why not"																					   },
	{"kicks pairs",				   "TARGMAX=KICK:1",     510, "KICK #a,#b n,m :why",
         "KICK #a n :why\nKICK #b m :why"																						   },
	{"kicks no pairs",				"TARGMAX=KICK:1",     510, "KICK #a,#b n",                          ""											    },
	{"no limit is given",                             "TARGMAX=KICK:",      510, "KICK #c a,b,c",                         ""											    },
	{"MAXTARGETS counts where TARGMAX is silent",     "MAXTARGETS=2",       510, "PRIVMSG a,b,c :x",
         "PRIVMSG a,b :x\nPRIVMSG c :x"																						     },
	{"names",					 "TARGMAX=NAMES:1",    510, "NAMES #a,#b server",                    "NAMES #a server\nNAMES #b server"                                                            },
	{"lists channels",				"TARGMAX=LIST:1",     510, "LIST #a,#b",                            "LIST #a\nLIST #b"                                                                            },
	{"conditions of LIST belong together",            "TARGMAX=LIST:1",     510, "LIST >3,<9",                            ""											    },
	{"whois",					 "TARGMAX=WHOIS:1",    510, "WHOIS a,b",                             "WHOIS a\nWHOIS b"									    },
	{"whois at a server",                             "TARGMAX=WHOIS:1",    510, "WHOIS srv a,b",                         "WHOIS srv a\nWHOIS srv b"                                                                    },
	{"whowas",					"TARGMAX=WHOWAS:1",   510, "WHOWAS a,b 3",                          "WHOWAS a 3\nWHOWAS b 3"                                                                      },
	{"tags and text are on each",                     "TARGMAX=PRIVMSG:2",  510, "@+a=b;+c PRIVMSG a,#b,c :x y ",
         "@+a=b;+c PRIVMSG a,#b :x y \n@+a=b;+c PRIVMSG c :x y "																			    },
	{"tags do not count",                             "",                   13,  "@+aaaaaaaaaaaaaaaaaaaa PRIVMSG a,b :x",
         "@+aaaaaaaaaaaaaaaaaaaa PRIVMSG a :x\n"
		"@+aaaaaaaaaaaaaaaaaaaa PRIVMSG b :x"																				       },
	{"a text that will be cut has half a line",       "",                   40,
         "NOTICE a,b,c :aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",                                                            ""											    },
	{"an action is a text",                           "",                   20,  "NOTICE aa,bb :" ACTION,
         "NOTICE aa :" ACTION "\nNOTICE bb :" ACTION																					},
	{"what else is in CTCP counts wholly",            "",                   40,
         "NOTICE a,b :\x01VERSION aaaaaaaaaaaaaaaaaaa\x01",								   "NOTICE a :\x01VERSION aaaaaaaaaaaaaaaaaaa\x01\nNOTICE b :\x01VERSION aaaaaaaaaaaaaaaaaaa\x01"},
	{"what has more parameters counts wholly",        "",                   20,  "NOTICE a,b aaaaaa bbb",
         "NOTICE a aaaaaa bbb\nNOTICE b aaaaaa bbb"																					 },
	{"tagmsg",					"TARGMAX=TAGMSG:1",   510, "@+a TAGMSG #a,#b",                      "@+a TAGMSG #a\n@+a TAGMSG #b"                                                                },
	{"a limit of the monitored is not one of a line", "TARGMAX=MONITOR:1",  510, "MONITOR + a,b",
         ""																										 },
	{"monitors as many as fit",                       "",                   13,  "MONITOR - a,b,c",                       "MONITOR - a,b\nMONITOR - c"                                                                  },
	{"other uses of MONITOR have no list",            "",                   8,   "MONITOR L a,b",                         ""											    },
	{"accepts",				       "TARGMAX=ACCEPT:2",   510, "ACCEPT a,-b,c",                         "ACCEPT a,-b\nACCEPT c"                                                                       },
	{"asks for five at once",                         "",                   510, "USERHOST a b c d e f",
         "USERHOST a b c d e\nUSERHOST f"																						   },
	{"asks for five",				 "",                   510, "USERHOST a b c d  e",                   ""											    },
	{"asks whether as many as fit are on",            "TARGMAX=ISON:1",     10,  "ISON :a b c",
         "ISON :a b\nISON :c"																							       },
	{"a word with a colon is not understood",         "",                   8,   "ISON a b :c d",                         ""											    },
	{"three modes at a time",                         "",                   510, "MODE #c +ooo-v a b c d",
         "MODE #c +ooo a b c\nMODE #c -v d"																						 },
	{"as many modes as the server takes",             "MODES=1",            510, "MODE #c +o-o a b",
         "MODE #c +o a\nMODE #c -o b"																						       },
	{"MODES without a number is no limit",            "MODES",              510, "MODE #c +ooooo a b c d e",              ""											    },
	{"no more parameters than a line has",            "MODES",              510,
         "MODE #c +oooooooooooooo 1 2 3 4 5 6 7 8 9 10 11 12 13 14",							  "MODE #c +ooooooooooooo 1 2 3 4 5 6 7 8 9 10 11 12 13\nMODE #c +o 14"                         },
	{"modes without parameter do not count",          "MODES=1",            510, "MODE #c +nto-ti a",                     ""											    },
	{"the sign is said again",                        "MODES=1",            510, "MODE #c +n-o+lt-i a 5",
         "MODE #c +n-o a\nMODE #c +lt-i 5"																						  },
	{"a list that is asked for comes last",           "MODES=1",            510, "MODE #c +oob a b",
         "MODE #c +o a\nMODE #c +ob b"																						      },
	{"the server's own letters",                      "CHANMODES=bQ,k,l,n", 510, "MODE #c +QbQb a b c d",
         "MODE #c +QbQ a b c\nMODE #c +b d"																						 },
	{"an unknown letter takes no parameter",          "MODES=1",            510, "MODE #c +Zoo a b",
         "MODE #c +Zo a\nMODE #c +o b"																						      },
	{"a parameter that nobody takes",                 "MODES=1",            510, "MODE #c +oo a b c",                     ""											    },
	{"the last parameter may have a colon",           "MODES=1",            510, "MODE #c +bb a :b",
         "MODE #c +b a\nMODE #c +b b"																						       },
	{"and need it",				   "MODES=1",            510, "MODE #c +bb a :b c",                    "MODE #c +b a\nMODE #c +b :b c"                                                               },
	{"modes as many as fit",                          "MODES",              20,  "MODE #c +bb-b aa bb cc",
         "MODE #c +bb aa bb\nMODE #c -b cc"																						 },
	{"a user's modes are no list",                    "MODES=1",            510, "MODE nick +oo a b",                     ""											    },
	{"what is no command with a list",                "TARGMAX=INVITE:1",   510, "INVITE a,b #c",                         ""											    },
	{"nothing to name",			       "TARGMAX=JOIN:1",     1,   "JOIN",                                  ""											    },
};

static struct isupport *isupport_of(const char *tokens)
{
	struct isupport *is = isupport_new();
	if (tokens[0])
		assert_true(isupport_apply(&is, str_of(tokens)));
	return is;
}

static void lines_are_spread(void **state)
{
	const struct spread_row *row = *state;
	struct isupport *is = isupport_of(row->tokens);
	struct message m;
	struct spread sp;
	struct buf line, all;
	size_t n;
	buf_init(&line, 1000);
	buf_init(&all, 1000);
	assert_int_equal(message_parse(&m, str_of(row->line)), 0);

	bool is_spread = spread_begin(&sp, is, &m, row->bytes_max);
	while (is_spread && spread_next(&sp, &line) > 0)
		assert_int_equal(
			buf_addf(&all, "%s%s", all.n ? "\n" : "", line.bytes + line.start), 0);

	assert_string_equal(all.n ? buf_str(&all).p : "", row->expected);
	const char *fault = spreads_fault(is, &m, row->bytes_max, &n);
	assert_string_equal(fault ? fault : "", "");
	buf_fini(&all);
	buf_fini(&line);
	isupport_unref(is);
}

static void check_all_lengths(const char *tokens, const char *text)
{
	struct isupport *is = isupport_of(tokens);
	struct message m;
	assert_int_equal(message_parse(&m, str_of(text)), 0);
	for (size_t max = 0; max < strlen(text) + 2; max++) {
		size_t n;
		const char *fault = spreads_fault(is, &m, max, &n);
		assert_string_equal(fault ? fault : "", "");
		assert_true(max < strlen(text) || n == 0 || tokens[0]);
	}
	isupport_unref(is);
}

static void all_names_are_there_at_any_length(void **state)
{
	(void)state;
	check_all_lengths("", "JOIN #a,#bcd,#ef,#g,#hijklm k1,key2,k");
	check_all_lengths("TARGMAX=KICK:2", "KICK #a a,bcd,ef,g,hijkl,m,n :a reason");
	check_all_lengths("", "ISON :a bcd ef g hijkl m n");
	check_all_lengths("MODES", "MODE #c +o-v+lkbbb+imt-n a b 5 key m1 mask2 :m");
	check_all_lengths(
		"MODES", "MODE #c +bbbbbbbbbbbbbbbb 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16");
}

static void a_line_of_too_many_modes_stays_as_it_is(void **state)
{
	(void)state;
	struct isupport *is = isupport_new();
	struct message m;
	struct spread sp;
	struct buf b;
	buf_init(&b, 4096);
	assert_int_equal(buf_addf(&b, "MODE #c +%0*d", SPREAD_PARAMS_MAX + 1, 0), 0);
	memset(b.bytes + strlen("MODE #c +"), 'b', SPREAD_PARAMS_MAX + 1);
	for (int i = 0; i < SPREAD_PARAMS_MAX; i++)
		assert_int_equal(buf_add(&b, STR(" m")), 0);

	assert_int_equal(message_parse(&m, buf_str(&b)), 0);
	assert_true(spread_begin(&sp, is, &m, 510));
	assert_int_equal(buf_add(&b, STR(" m")), 0);
	assert_int_equal(message_parse(&m, buf_str(&b)), 0);
	assert_false(spread_begin(&sp, is, &m, 510));

	buf_fini(&b);
	isupport_unref(is);
}

static void a_buffer_that_is_too_small_is_refused(void **state)
{
	(void)state;
	struct isupport *is = isupport_of("TARGMAX=JOIN:1");
	struct message m;
	struct spread sp;
	struct buf out;
	buf_init(&out, 8);
	assert_int_equal(message_parse(&m, STR("JOIN #a,#bcd")), 0);

	assert_true(spread_begin(&sp, is, &m, 510));
	assert_int_equal(spread_next(&sp, &out), 1);
	assert_int_equal(spread_next(&sp, &out), ERR_LIMIT);
	spread_rewind(&sp);
	assert_int_equal(spread_next(&sp, &out), 1);
	assert_slice(buf_str(&out), "JOIN #a");

	buf_fini(&out);
	isupport_unref(is);
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, rows, lines_are_spread);
	check_test(&c, all_names_are_there_at_any_length);
	check_test(&c, a_line_of_too_many_modes_stays_as_it_is);
	check_test(&c, a_buffer_that_is_too_small_is_refused);
	return check_run(&c, "spread");
}
