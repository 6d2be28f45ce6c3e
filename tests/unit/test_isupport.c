#include "irc/isupport.h"

#include "support/check.h"

#include <stdio.h>
#include <string.h>

static void apply(struct isupport **is, const char *token)
{
	assert_true(isupport_apply(is, str_of(token)));
}

static void refuse(struct isupport **is, const char *token)
{
	assert_false(isupport_apply(is, str_of(token)));
}

/* What each of the numbers is called, so that rows can name one. */
static const struct {
	const char *name;
	size_t field;
} numbers[] = {
	{"NICKLEN",    offsetof(struct isupport, nicklen)   },
	{"CHANNELLEN", offsetof(struct isupport, channellen)},
	{"TOPICLEN",   offsetof(struct isupport, topiclen)  },
	{"KICKLEN",    offsetof(struct isupport, kicklen)   },
	{"AWAYLEN",    offsetof(struct isupport, awaylen)   },
	{"USERLEN",    offsetof(struct isupport, userlen)   },
	{"HOSTLEN",    offsetof(struct isupport, hostlen)   },
	{"NAMELEN",    offsetof(struct isupport, namelen)   },
	{"KEYLEN",     offsetof(struct isupport, keylen)    },
	{"LINELEN",    offsetof(struct isupport, linelen)   },
	{"MODES",      offsetof(struct isupport, modes)     },
};

static bool put_number(const struct isupport *is, const char *name, char *out, size_t size)
{
	for (size_t i = 0; i < COUNTOF(numbers); i++) {
		if (strcmp(numbers[i].name, name) != 0)
			continue;
		const char *at = (const char *)is + numbers[i].field;
		snprintf(out, size, "%u", *(const unsigned *)(const void *)at);
		return true;
	}
	return false;
}

/* What is in force for a token, in the words of the token. */
static void put_in_force(const struct isupport *is, const char *name, char *out, size_t size)
{
	if (put_number(is, name, out, size))
		return;
	if (strcmp(name, "CASEMAPPING") == 0)
		snprintf(out, size, "%s", casemap_name(is->casemap));
	else if (strcmp(name, "CHANTYPES") == 0)
		snprintf(out, size, "%s", is->chantypes);
	else if (strcmp(name, "STATUSMSG") == 0)
		snprintf(out, size, "%s", is->statusmsg);
	else if (strcmp(name, "PREFIX") == 0)
		snprintf(out, size, "(%s)%s", is->prefix_modes, is->prefix_symbols);
	else if (strcmp(name, "CHANMODES") == 0)
		snprintf(out, size, "%s,%s,%s,%s", is->chanmodes[0], is->chanmodes[1],
			is->chanmodes[2], is->chanmodes[3]);
	else
		fail();
}

static void assert_in_force(const struct isupport *is, const char *name, const char *expected)
{
	char actual[320];
	put_in_force(is, name, actual, sizeof(actual));
	assert_string_equal(actual, expected);
}

static const struct default_row {
	const char *name, *token, *expected;
} default_rows[] = {
	{"default: CASEMAPPING",             "CASEMAPPING", "rfc1459"       },
	{"default: CHANTYPES",               "CHANTYPES",   "#&"            },
	{"default: PREFIX",                  "PREFIX",      "(ov)@+"        },
	{"default: CHANMODES",               "CHANMODES",   "beI,k,l,imnpst"},
	{"default: STATUSMSG",               "STATUSMSG",   ""              },
	{"default: NICKLEN is not known",    "NICKLEN",     "0"             },
	{"default: CHANNELLEN is not known", "CHANNELLEN",  "0"             },
	{"default: TOPICLEN is not known",   "TOPICLEN",    "0"             },
	{"default: KICKLEN is not known",    "KICKLEN",     "0"             },
	{"default: AWAYLEN is not known",    "AWAYLEN",     "0"             },
	{"default: NAMELEN is not known",    "NAMELEN",     "0"             },
	{"default: KEYLEN is not known",     "KEYLEN",      "0"             },
	{"default: USERLEN",                 "USERLEN",     "10"            },
	{"default: HOSTLEN",                 "HOSTLEN",     "63"            },
	{"default: LINELEN",                 "LINELEN",     "512"           },
	{"default: MODES",                   "MODES",       "3"             },
};

static void isupport_begins_with(void **state)
{
	const struct default_row *row = *state;
	struct isupport *is = isupport_new();
	assert_in_force(is, row->token, row->expected);
	assert_slice(isupport_get(is, str_of(row->token)), NULL);
	isupport_unref(is);
}

static const struct apply_row {
	const char *name, *token, *value, *expected; /* expected NULL: refused */
} apply_rows[] = {
	{"apply: ascii",                   "CASEMAPPING", "ascii",                "ascii"           },
	{"apply: rfc1459-strict",          "CASEMAPPING", "rfc1459-strict",       "rfc1459-strict"  },
	{"apply: no such casemapping",     "CASEMAPPING", "rfc7613",              NULL              },
	{"apply: no casemapping",          "CASEMAPPING", "",                     NULL              },

	{"apply: CHANTYPES",               "CHANTYPES",   "#&+",                  "#&+"             },
	{"apply: CHANTYPES of one",        "CHANTYPES",   "#",                    "#"               },
	{"apply: no CHANTYPES",            "CHANTYPES",   "",                     ""                },
	{"apply: CHANTYPES of fifteen",    "CHANTYPES",   "#&+!.*$%=?/<>;@",      "#&+!.*$%=?/<>;@" },
	{"apply: CHANTYPES of sixteen",    "CHANTYPES",   "#&+!.*$%=?/<>;@~",     NULL              },
	{"apply: a letter in CHANTYPES",   "CHANTYPES",   "#a",                   NULL              },
	{"apply: a comma in CHANTYPES",    "CHANTYPES",   "#,",                   NULL              },
	{"apply: a colon in CHANTYPES",    "CHANTYPES",   "#:",                   NULL              },
	{"apply: an escaped CHANTYPE",     "CHANTYPES",   "#\\x20",               NULL              },
	{"apply: CHANTYPES, a high byte",  "CHANTYPES",   "#\xc3",                NULL              },

	{"apply: PREFIX",                  "PREFIX",      "(qaohv)~&@%+",         "(qaohv)~&@%+"    },
	{"apply: PREFIX of one",           "PREFIX",      "(o)@",                 "(o)@"            },
	{"apply: no PREFIX",               "PREFIX",      "",                     "()"              },
	{"apply: PREFIX of nothing",       "PREFIX",      "()",                   "()"              },
	{"apply: PREFIX without symbols",  "PREFIX",      "(ov)",                 NULL              },
	{"apply: PREFIX, a symbol less",   "PREFIX",      "(ov)@",                NULL              },
	{"apply: PREFIX, a symbol more",   "PREFIX",      "(ov)@+%",              NULL              },
	{"apply: PREFIX without modes",    "PREFIX",      "@+",                   NULL              },
	{"apply: PREFIX not closed",       "PREFIX",      "(ov@+",                NULL              },
	{"apply: PREFIX not opened",       "PREFIX",      "ov)@+",                NULL              },
	{"apply: PREFIX of a bracket",     "PREFIX",      "(",                    NULL              },
	{"apply: PREFIX of the other",     "PREFIX",      ")",                    NULL              },
	{"apply: PREFIX with a letter",    "PREFIX",      "(ov)@a",               NULL              },
	{"apply: PREFIX with a sign",      "PREFIX",      "(o+)@+",               NULL              },
	{"apply: PREFIX with a space",     "PREFIX",      "(ov)@\\x20",           NULL              },

	{"apply: CHANMODES",               "CHANMODES",   "beI,k,l,imnpstrD",     "beI,k,l,imnpstrD"},
	{"apply: CHANMODES, empty lists",  "CHANMODES",   ",,,",                  ",,,"             },
	{"apply: CHANMODES, a fifth list", "CHANMODES",   "b,k,l,i,X",            "b,k,l,i"         },
	{"apply: CHANMODES, many lists",   "CHANMODES",   "b,k,l,i,,,,X",         "b,k,l,i"         },
	{"apply: CHANMODES, three lists",  "CHANMODES",   "b,k,l",                NULL              },
	{"apply: CHANMODES, one list",     "CHANMODES",   "b",                    NULL              },
	{"apply: no CHANMODES",            "CHANMODES",   "",                     NULL              },
	{"apply: a sign in CHANMODES",     "CHANMODES",   "b,k,l,i+",             NULL              },

	{"apply: STATUSMSG",               "STATUSMSG",   "@+",                   "@+"              },
	{"apply: no STATUSMSG",            "STATUSMSG",   "",                     ""                },
	{"apply: a letter in STATUSMSG",   "STATUSMSG",   "@n",                   NULL              },
	{"apply: STATUSMSG of sixteen",    "STATUSMSG",   "!#$%&'*+-./<=>?@",     NULL              },

	{"apply: NICKLEN",                 "NICKLEN",     "30",                   "30"              },
	{"apply: the longest NICKLEN",     "NICKLEN",     "255",                  "255"             },
	{"apply: NICKLEN too long",        "NICKLEN",     "256",                  NULL              },
	{"apply: NICKLEN of 0",            "NICKLEN",     "0",                    NULL              },
	{"apply: a negative NICKLEN",      "NICKLEN",     "-1",                   NULL              },
	{"apply: no NICKLEN",              "NICKLEN",     "",                     NULL              },
	{"apply: NICKLEN in words",        "NICKLEN",     "nine",                 NULL              },
	{"apply: NICKLEN with a unit",     "NICKLEN",     "9b",                   NULL              },
	{"apply: NICKLEN that overflows",  "NICKLEN",     "99999999999999999999", NULL              },
	{"apply: NICKLEN over 32 bits",    "NICKLEN",     "4294967305",           NULL              },
	{"apply: CHANNELLEN",              "CHANNELLEN",  "64",                   "64"              },
	{"apply: TOPICLEN",                "TOPICLEN",    "390",                  "390"             },
	{"apply: KICKLEN",                 "KICKLEN",     "307",                  "307"             },
	{"apply: AWAYLEN",                 "AWAYLEN",     "200",                  "200"             },
	{"apply: USERLEN",                 "USERLEN",     "18",                   "18"              },
	{"apply: HOSTLEN",                 "HOSTLEN",     "64",                   "64"              },
	{"apply: HOSTLEN too long",        "HOSTLEN",     "1000",                 NULL              },
	{"apply: NAMELEN",                 "NAMELEN",     "128",                  "128"             },
	{"apply: KEYLEN",                  "KEYLEN",      "32",                   "32"              },
	{"apply: LINELEN",                 "LINELEN",     "2048",                 "2048"            },
	{"apply: LINELEN of 512",          "LINELEN",     "512",                  "512"             },
	{"apply: LINELEN below 512",       "LINELEN",     "511",                  NULL              },
	{"apply: LINELEN beyond reason",   "LINELEN",     "1000000",              NULL              },
	{"apply: MODES",                   "MODES",       "20",                   "20"              },
	{"apply: MODES without limit",     "MODES",       "",                     "0"               },
	{"apply: MODES of 0",              "MODES",       "0",                    NULL              },
	{"apply: MODES in words",          "MODES",       "many",                 NULL              },
};

static void isupport_applies(void **state)
{
	const struct apply_row *row = *state;
	struct isupport *is = isupport_new();
	char before[320], token[512], raw[512];
	put_in_force(is, row->token, before, sizeof(before));
	snprintf(token, sizeof(token), "%s=%s", row->token, row->value);

	assert_int_equal(isupport_apply(&is, str_of(token)), row->expected != NULL);

	assert_in_force(is, row->token, row->expected ? row->expected : before);
	snprintf(raw, sizeof(raw), "%s", row->value);
	if (!strchr(row->value, '\\'))
		assert_slice(isupport_get(is, str_of(row->token)), raw);
	snprintf(token, sizeof(token), "-%s", row->token);
	apply(&is, token);
	assert_in_force(is, row->token, before);
	assert_slice(isupport_get(is, str_of(row->token)), NULL);
	isupport_unref(is);
}

static void isupport_bounds_the_modes_it_takes(void **state)
{
	(void)state;
	struct isupport *is = isupport_new();
	char token[] = "CHANMODES=b,k,l,"
		       "012345678901234567890123456789012345678901234567890123456789012";

	apply(&is, "PREFIX=(abcdefghijklmno)!#$%&'*+-./<=>?");
	refuse(&is, "PREFIX=(abcdefghijklmnop)!#$%&'*+-./<=>?@");
	apply(&is, token);
	assert_int_equal(strlen(is->chanmodes[3]), sizeof(is->chanmodes[3]) - 1);
	memcpy(token, "CHANMODES=b,k,,x", 16);
	refuse(&is, token);

	assert_in_force(is, "PREFIX", "(abcdefghijklmno)!#$%&'*+-./<=>?");
	assert_string_equal(is->chanmodes[2], "l");
	isupport_unref(is);
}

static void isupport_takes_a_name_alone_as_an_empty_value(void **state)
{
	(void)state;
	struct isupport *is = isupport_new();
	apply(&is, "PREFIX");
	apply(&is, "CHANTYPES");
	apply(&is, "MODES");
	apply(&is, "WHOX");
	refuse(&is, "NICKLEN");

	assert_in_force(is, "PREFIX", "()");
	assert_in_force(is, "CHANTYPES", "");
	assert_in_force(is, "MODES", "0");
	assert_slice(isupport_get(is, STR("WHOX")), "");
	isupport_unref(is);
}

static void isupport_keeps_what_it_knows_nothing_of(void **state)
{
	(void)state;
	struct isupport *is = isupport_new();
	apply(&is, "NETWORK=Example");
	apply(&is, "draft/CHATHISTORY=1000");
	apply(&is, "EXTBAN=~,a=b");
	apply(&is, "NETWORK=Other");

	assert_slice(isupport_get(is, STR("NETWORK")), "Other");
	assert_slice(isupport_get(is, STR("draft/CHATHISTORY")), "1000");
	assert_slice(isupport_get(is, STR("EXTBAN")), "~,a=b");
	assert_slice(isupport_get(is, STR("network")), NULL);
	apply(&is, "-NETWORK");
	apply(&is, "-NEVERSEEN");
	assert_slice(isupport_get(is, STR("NETWORK")), NULL);
	isupport_unref(is);
}

static const struct decode_row {
	const char *name, *value, *expected;
} decode_rows[] = {
	{"decode: a space",          "a\\x20b",    "a b"       },
	{"decode: small letters",    "\\x3d\\x5c", "=\\"       },
	{"decode: capital letters",  "\\x3D\\x5C", "=\\"       },
	{"decode: only once",        "\\x5Cx41",   "\\x41"     },
	{"decode: a high byte",      "\\xC3\\xA9", "\xc3\xa9"  },
	{"decode: a NUL stays",      "a\\x00b",    "a\\x00b"   },
	{"decode: cut short",        "a\\x2",      "a\\x2"     },
	{"decode: cut shorter",      "a\\x",       "a\\x"      },
	{"decode: a lone backslash", "a\\",        "a\\"       },
	{"decode: no digits",        "\\xG0\\x0G", "\\xG0\\x0G"},
	{"decode: a capital X",      "\\X20",      "\\X20"     },
	{"decode: an equals sign",   "a=b",        "a=b"       },
};

static void isupport_decodes(void **state)
{
	const struct decode_row *row = *state;
	struct isupport *is = isupport_new();
	char token[64];
	snprintf(token, sizeof(token), "NETWORK=%s", row->value);
	apply(&is, token);
	assert_slice(isupport_get(is, STR("NETWORK")), row->expected);
	isupport_unref(is);
}

static const struct odd_row {
	const char *name;
	struct str token;
} odd_rows[] = {
	{"odd: an empty token",             {"", 0}           },
	{"odd: an absent token",            {NULL, 0}         },
	{"odd: a lone minus",               {"-", 1}          },
	{"odd: a lone equals sign",         {"=", 1}          },
	{"odd: a value without a name",     {"=x", 2}         },
	{"odd: a minus and a value",        {"-NICKLEN=5", 10}},
	{"odd: a minus and an empty value", {"-NICKLEN=", 9}  },
	{"odd: a minus and no name",        {"-=5", 3}        },
	{"odd: a NUL",                      {"NICKLEN=5\0"
			"0",
			       11}      },
};

static void isupport_refuses(void **state)
{
	const struct odd_row *row = *state;
	struct isupport *is = isupport_new();
	apply(&is, "NICKLEN=30");

	assert_false(isupport_apply(&is, row->token));

	assert_int_equal(is->nicklen, 30);
	assert_int_equal(is->n_tokens, 1);
	isupport_unref(is);
}

static void isupport_keeps_the_last_sensible_value(void **state)
{
	(void)state;
	struct isupport *is = isupport_new();
	apply(&is, "PREFIX=(qo)~@");
	apply(&is, "CHANMODES=b,k,l,imt");
	apply(&is, "LINELEN=1024");

	refuse(&is, "PREFIX=(ohv)@");
	refuse(&is, "CHANMODES=x,y");
	refuse(&is, "LINELEN=100");

	assert_in_force(is, "PREFIX", "(qo)~@");
	assert_in_force(is, "CHANMODES", "b,k,l,imt");
	assert_in_force(is, "LINELEN", "1024");
	apply(&is, "PREFIX=(v)+");
	assert_in_force(is, "PREFIX", "(v)+");
	isupport_unref(is);
}

static void isupport_is_copied_when_somebody_else_holds_it(void **state)
{
	(void)state;
	struct isupport *is = isupport_new();
	apply(&is, "NETWORK=Old");
	apply(&is, "NICKLEN=9");
	struct isupport *held = isupport_ref(is);

	apply(&is, "NETWORK=New");
	apply(&is, "NICKLEN=30");
	apply(&is, "-CHANTYPES");

	assert_ptr_not_equal(is, held);
	assert_slice(isupport_get(held, STR("NETWORK")), "Old");
	assert_int_equal(held->nicklen, 9);
	assert_slice(isupport_get(is, STR("NETWORK")), "New");
	assert_int_equal(is->nicklen, 30);
	assert_int_equal(is->refs, 1);
	assert_int_equal(held->refs, 1);
	isupport_unref(held);
	isupport_unref(is);
}

static void isupport_is_changed_in_place_when_nobody_else_holds_it(void **state)
{
	(void)state;
	struct isupport *is = isupport_new();
	const struct isupport *first = is;
	isupport_unref(isupport_ref(is));

	apply(&is, "NICKLEN=30");

	assert_ptr_equal(is, first);
	isupport_unref(is);
	isupport_unref(NULL);
}

static void isupport_is_not_copied_for_what_it_refuses_unread(void **state)
{
	(void)state;
	struct isupport *is = isupport_new();
	struct isupport *held = isupport_ref(is);

	refuse(&is, "=x");

	assert_ptr_equal(is, held);
	isupport_unref(held);
	isupport_unref(is);
}

static void isupport_bounds_the_number_of_tokens(void **state)
{
	(void)state;
	struct isupport *is = isupport_new();
	char token[32];
	for (int i = 0; i < ISUPPORT_TOKENS_MAX; i++) {
		snprintf(token, sizeof(token), "T%d=x", i);
		apply(&is, token);
	}

	refuse(&is, "ONEMORE=x");
	apply(&is, "T7=y");
	apply(&is, "NICKLEN=30");

	assert_int_equal(is->n_tokens, ISUPPORT_TOKENS_MAX);
	assert_slice(isupport_get(is, STR("T7")), "y");
	assert_int_equal(is->nicklen, 30);
	apply(&is, "-T0");
	apply(&is, "ONEMORE=x");
	assert_slice(isupport_get(is, STR("ONEMORE")), "x");
	isupport_unref(is);
}

static void isupport_bounds_the_length_of_a_token(void **state)
{
	(void)state;
	struct isupport *is = isupport_new();
	char token[ISUPPORT_VALUE_MAX_BYTES + 2];
	memset(token, 'x', sizeof(token));
	token[1] = '=';

	assert_true(isupport_apply(&is, (struct str){token, ISUPPORT_VALUE_MAX_BYTES}));
	assert_false(isupport_apply(&is, (struct str){token, ISUPPORT_VALUE_MAX_BYTES + 1}));

	assert_int_equal(isupport_get(is, STR("x")).n, ISUPPORT_VALUE_MAX_BYTES - 2);
	isupport_unref(is);
}

static const struct channel_row {
	const char *name, *chantypes, *statusmsg, *target, *channel, *status;
} channel_rows[] = {
	{"channel: a channel",           "#&",  "@+", "#c",    "#c", NULL},
	{"channel: a local one",         "#&",  "@+", "&c",    "&c", NULL},
	{"channel: of no type here",     "#",   "@+", "&c",    NULL, NULL},
	{"channel: a nick",              "#&",  "@+", "nick",  NULL, NULL},
	{"channel: nothing",             "#&",  "@+", "",      NULL, NULL},
	{"channel: the ops of one",      "#&",  "@+", "@#c",   "#c", "@" },
	{"channel: the voiced of one",   "#&",  "@+", "+#c",   "#c", "+" },
	{"channel: two prefixes",        "#&",  "@+", "@+#c",  "#c", "@+"},
	{"channel: no such prefix",      "#&",  "@",  "+#c",   NULL, NULL},
	{"channel: a prefix on a nick",  "#&",  "@+", "@nick", NULL, NULL},
	{"channel: a prefix alone",      "#&",  "@+", "@",     NULL, NULL},
	{"channel: prefixes alone",      "#&",  "@+", "@+@+",  NULL, NULL},
	{"channel: + is a type",         "#&+", "@",  "+c",    "+c", NULL},
	{"channel: + is both",           "#&+", "@+", "+c",    "+c", NULL},
	{"channel: + is both, a prefix", "#&+", "@+", "+#c",   "#c", "+" },
	{"channel: + is both, for ops",  "#&+", "@+", "@+c",   "+c", "@" },
	{"channel: no types at all",     "",    "@+", "#c",    NULL, NULL},
	{"channel: no types, a prefix",  "",    "@+", "@#c",   NULL, NULL},
};

static void isupport_channel_of_finds(void **state)
{
	const struct channel_row *row = *state;
	struct isupport *is = isupport_new();
	char token[64];
	snprintf(token, sizeof(token), "CHANTYPES=%s", row->chantypes);
	apply(&is, token);
	snprintf(token, sizeof(token), "STATUSMSG=%s", row->statusmsg);
	apply(&is, token);

	struct str status = STR("?");
	assert_slice(isupport_channel_of(is, str_of(row->target), &status), row->channel);
	assert_slice(status, row->status);
	assert_slice(isupport_channel_of(is, str_of(row->target), NULL), row->channel);
	isupport_unref(is);
}

static void isupport_is_channel_survives_odd_names(void **state)
{
	(void)state;
	struct isupport *is = isupport_new();
	assert_true(isupport_is_channel(is, STR("#")));
	assert_false(isupport_is_channel(is, STR("")));
	assert_false(isupport_is_channel(is, STR_NONE));
	assert_false(isupport_is_channel(is, STR("\0#")));
	assert_slice(isupport_channel_of(is, STR("\0#c"), NULL), NULL);
	assert_slice(isupport_channel_of(is, STR_NONE, NULL), NULL);
	isupport_unref(is);
}

static const struct target_row {
	const char *name;
	const char *token, *command;
	size_t max;
} target_rows[] = {
	{"targets: nothing is said",        "WHOX",                           "JOIN", 0 },
	{"targets: a limit of its own",     "TARGMAX=PRIVMSG:4,JOIN:2,KICK:", "join", 2 },
	{"targets: no number is no limit",  "TARGMAX=PRIVMSG:4,KICK:",        "KICK", 0 },
	{"targets: a command not listed",   "TARGMAX=PRIVMSG:4",              "JOIN", 0 },
	{"targets: no name that begins so", "TARGMAX=JOINX:4,:3",             "JOIN", 0 },
	{"targets: an empty list",          "TARGMAX=",                       "JOIN", 0 },
	{"targets: no number at all",       "TARGMAX=JOIN:x",                 "JOIN", 0 },
	{"targets: too large a number",     "TARGMAX=JOIN:99999999999",       "JOIN", 0 },
	{"targets: one limit for all",      "MAXTARGETS=20",                  "JOIN", 20},
	{"targets: one limit that is none", "MAXTARGETS=0",                   "JOIN", 0 },
};

static void isupport_knows_how_many_targets_a_command_takes(void **state)
{
	const struct target_row *row = *state;
	struct isupport *is = isupport_new();
	isupport_apply(&is, str_of(row->token));

	assert_int_equal(isupport_targets_max(is, str_of(row->command)), row->max);

	isupport_unref(is);
}

static void isupport_takes_the_limit_of_the_command_first(void **state)
{
	(void)state;
	struct isupport *is = isupport_new();
	apply(&is, "MAXTARGETS=20");
	apply(&is, "TARGMAX=JOIN:3,KICK:");

	assert_int_equal(isupport_targets_max(is, STR("JOIN")), 3);
	assert_int_equal(isupport_targets_max(is, STR("KICK")), 0);
	assert_int_equal(isupport_targets_max(is, STR("PRIVMSG")), 20);

	isupport_unref(is);
}

static const struct tag_row {
	const char *name;
	const char *token, *tag;
	bool is_denied;
} tag_rows[] = {
	{"tags: nothing is said",       "WHOX",                                "draft/react", false},
	{"tags: no list",               "CLIENTTAGDENY",                       "draft/react", false},
	{"tags: an empty list",         "CLIENTTAGDENY=",                      "draft/react", false},
	{"tags: all",                   "CLIENTTAGDENY=*",                     "draft/react", true },
	{"tags: all but this",          "CLIENTTAGDENY=*,-draft/react",        "draft/react", false},
	{"tags: all but another",       "CLIENTTAGDENY=*,-draft/react",        "draft/reply", true },
	{"tags: all but several",       "CLIENTTAGDENY=*,-a,-draft/react,-b",  "draft/react", false},
	{"tags: all, said last",        "CLIENTTAGDENY=-draft/react,*",        "draft/react", false},
	{"tags: this",                  "CLIENTTAGDENY=typing,draft/react",    "draft/react", true },
	{"tags: another",               "CLIENTTAGDENY=typing,draft/reply",    "draft/react", false},
	{"tags: a longer name",         "CLIENTTAGDENY=draft/reactions,react", "draft/react", false},
	{"tags: case counts",           "CLIENTTAGDENY=Draft/React",           "draft/react", false},
	{"tags: a minus for itself",    "CLIENTTAGDENY=*,-",                   "draft/react", true },
	{"tags: taken back, not given", "CLIENTTAGDENY=-draft/react",          "draft/react", false},
	{"tags: a name with a minus",   "CLIENTTAGDENY=*,--a",                 "-a",          false},
};

static void isupport_denies_tags(void **state)
{
	const struct tag_row *row = *state;
	struct isupport *is = isupport_new();
	apply(&is, row->token);

	assert_int_equal(isupport_denies_tag(is, str_of(row->tag)), row->is_denied);

	isupport_unref(is);
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, tag_rows, isupport_denies_tags);
	check_rows(&c, default_rows, isupport_begins_with);
	check_rows(&c, apply_rows, isupport_applies);
	check_test(&c, isupport_bounds_the_modes_it_takes);
	check_test(&c, isupport_takes_a_name_alone_as_an_empty_value);
	check_test(&c, isupport_keeps_what_it_knows_nothing_of);
	check_rows(&c, decode_rows, isupport_decodes);
	check_rows(&c, odd_rows, isupport_refuses);
	check_test(&c, isupport_keeps_the_last_sensible_value);
	check_test(&c, isupport_is_copied_when_somebody_else_holds_it);
	check_test(&c, isupport_is_changed_in_place_when_nobody_else_holds_it);
	check_test(&c, isupport_is_not_copied_for_what_it_refuses_unread);
	check_test(&c, isupport_bounds_the_number_of_tokens);
	check_test(&c, isupport_bounds_the_length_of_a_token);
	check_rows(&c, channel_rows, isupport_channel_of_finds);
	check_test(&c, isupport_is_channel_survives_odd_names);
	check_rows(&c, target_rows, isupport_knows_how_many_targets_a_command_takes);
	check_test(&c, isupport_takes_the_limit_of_the_command_first);
	return check_run(&c, "isupport");
}
