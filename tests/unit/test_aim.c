#include "irc/aim.h"

#include "support/check.h"

#include <string.h>

static const struct aim_row {
	const char *name;
	const char *token; /* of RPL_ISUPPORT */
	const char *line;
	const char *expected; /* NULL: about nobody */
} rows[] = {
	{"aim: a channel",                        NULL,                "PRIVMSG #a :hi, #b",         "#a"       },
	{"aim: a nick",			   NULL,                "NOTICE bob :hi",             "bob"      },
	{"aim: several",			  NULL,                "PRIVMSG #a,bob,#c :hi",      "#a,bob,#c"},
	{"aim: any case of a command",            NULL,                "privmsg #a :hi",             "#a"       },
	{"aim: tags and a source",                NULL,                "@+a=b :me TAGMSG #a",        "#a"       },
	{"aim: folded",			   NULL,                "PRIVMSG #A[],Bob :HI",       "#a{},bob" },
	{"aim: folded as the server does",        "CASEMAPPING=ascii", "PRIVMSG #A[] :hi",           "#a[]"     },
	{"aim: the ops of a channel",             "STATUSMSG=@+",      "PRIVMSG @#a,@+#B :hi",       "#a,#b"    },
	{"aim: no ops where there are none",      NULL,                "PRIVMSG @#a :hi",            "@#a"      },
	{"aim: what is joined, without the keys", NULL,                "JOIN #a,#b key,other",       "#a,#b"    },
	{"aim: a channel of modes",               NULL,                "MODE #a +o bob",             "#a"       },
	{"aim: a channel of a kick",              NULL,                "KICK #a bob :#b",            "#a"       },
	{"aim: a channel that one is invited to", NULL,                "INVITE bob #a",              "#a"       },
	{"aim: both names of a channel",          NULL,                "RENAME #a #b :why",          "#a,#b"    },
	{"aim: whose history",                    NULL,                "CHATHISTORY LATEST #a * 10", "#a"       },
	{"aim: a parameter with a colon",         NULL,                "PART :#a,#b",                "#a,#b"    },
	{"aim: a topic",			  NULL,                "TOPIC #a",                   "#a"       },
	{"aim: empty names",                      NULL,                "JOIN ,#a,,#b,",              "#a,#b"    },
	{"aim: no names",                         NULL,                "JOIN ,",                     NULL       },
	{"aim: no parameter",                     NULL,                "JOIN",                       NULL       },
	{"aim: too few parameters",               NULL,                "INVITE",                     NULL       },
	{"aim: a nick of our own",                NULL,                "NICK bob",                   NULL       },
	{"aim: nobody",			   NULL,                "AWAY :#a",                   NULL       },
	{"aim: a numeric",                        NULL,                "001 #a :hi",                 NULL       },
	{"aim: an unknown command",               NULL,                "FROB #a",                    NULL       },
};

static void is_read(void **state)
{
	const struct aim_row *row = *state;
	struct isupport *is = isupport_new();
	struct message m;
	char out[AIM_MAX_BYTES];
	if (row->token)
		assert_true(isupport_apply(&is, str_of(row->token)));
	assert_int_equal(message_parse(&m, str_of(row->line)), 0);

	assert_slice(aim_of(is, &m, out), row->expected);

	isupport_unref(is);
}

static void names_that_do_not_fit_are_left_out(void **state)
{
	(void)state;
	static char line[2 * AIM_MAX_BYTES];
	char out[AIM_MAX_BYTES];
	struct isupport *is = isupport_new();
	struct message m;
	size_t n = STR("JOIN ").n;
	memcpy(line, "JOIN ", n);
	for (; n + 10 < sizeof(line); n += 10)
		memcpy(line + n, "#12345678,", 10);
	assert_int_equal(message_parse(&m, (struct str){line, n}), 0);

	struct str names = aim_of(is, &m, out);

	assert_int_equal(names.n, AIM_MAX_BYTES / 10 * 10 - 1);
	assert_true(str_starts(names, STR("#12345678,#12345678,")));
	isupport_unref(is);
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, rows, is_read);
	check_test(&c, names_that_do_not_fit_are_left_out);
	return check_run(&c, "aim");
}
