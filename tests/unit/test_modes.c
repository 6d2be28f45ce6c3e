#include "irc/modes.h"

#include "base/buf.h"
#include "support/check.h"

/* The changes of a line, "+o=nick +n -k=key", with the server's tokens. */
static const struct mode_row {
	const char *name, *tokens, *line, *expected;
} mode_rows[] = {
	{"modes: an op",                  "",                   "+o nick",        "+o=nick"               },
	{"modes: a deop",                 "",                   "-o nick",        "-o=nick"               },
	{"modes: several ops",            "",                   "+ooo a b c",     "+o=a +o=b +o=c"        },
	{"modes: op and voice",           "",                   "+o-v a b",       "+o=a -v=b"             },
	{"modes: no sign means set",      "",                   "nt",             "+n +t"                 },
	{"modes: signs within",           "",                   "+n-t+i-m",       "+n -t +i -m"           },
	{"modes: several signs",          "",                   "+-+-n",          "-n"                    },
	{"modes: a sign at the end",      "",                   "+n-",            "+n"                    },
	{"modes: a sign alone",           "",                   "+",              ""                      },
	{"modes: nothing",                "",                   "",               ""                      },
	{"modes: a ban",                  "",                   "+b *!*@h",       "+b=*!*@h"              },
	{"modes: an unban",               "",                   "-b *!*@h",       "-b=*!*@h"              },
	{"modes: a ban list",             "",                   "+b",             "+b"                    },
	{"modes: exceptions",             "",                   "+eI a b",        "+e=a +I=b"             },
	{"modes: a key",                  "",                   "+k key",         "+k=key"                },
	{"modes: a key taken back",       "",                   "-k key",         "-k=key"                },
	{"modes: a limit",                "",                   "+l 5",           "+l=5"                  },
	{"modes: a limit taken back",     "",                   "-l",             "-l"                    },
	{"modes: no limit, then an op",   "",                   "-l+o nick",      "-l +o=nick"            },
	{"modes: flags take none",        "",                   "+imnpst x",      "+i +m +n +p +s +t"     },
	{"modes: all types at once",      "",                   "+bklno b k 5 n", "+b=b +k=k +l=5 +n +o=n"},
	{"modes: a parameter too few",    "",                   "+ov nick",       "+o=nick +v"            },
	{"modes: no parameters",          "",                   "+ovk",           "+o +v +k"              },
	{"modes: a parameter too many",   "",                   "+o a b",         "+o=a"                  },
	{"modes: an unknown letter",      "",                   "+Zo nick",       "+Z +o=nick"            },
	{"modes: type C announced",       "CHANMODES=b,k,lj,n", "+j-j 3:5",       "+j=3:5 -j"             },
	{"modes: type B announced",       "CHANMODES=b,kL,l,n", "+L-L a b",       "+L=a -L=b"             },
	{"modes: o without PREFIX",       "PREFIX=",            "+o nick",        "+o"                    },
	{"modes: PREFIX announced",       "PREFIX=(qoh)~@%",    "+qh a b",        "+q=a +h=b"             },
	{"modes: q as a list",            "CHANMODES=bq,k,l,n", "+q mask",        "+q=mask"               },
	{"modes: in both lists",          "PREFIX=(n)@",        "-n nick",        "-n=nick"               },
	{"modes: the first of its lists", "CHANMODES=b,x,x,x",  "-x a",           "-x=a"                  },
	{"modes: no modes at all",        "CHANMODES=,,,",      "+bkl a b c",     "+b +k +l"              },
	{"modes: a user's",               "",                   "+iwx",           "+i +w +x"              },
	{"modes: no letters",             "",                   "+\xc3\xa9 x",    "+\xc3 +\xa9"           },
};

/* Words into slices; returns how many. */
static size_t split(struct str line, struct str *words, size_t max)
{
	size_t n = 0;
	while (line.p && n < max)
		words[n++] = str_cut(&line, ' ');
	return n;
}

static void put_changes(struct buf *b, struct mode_reader *r)
{
	struct mode_change change;
	while (modes_next(r, &change)) {
		assert_int_equal(
			buf_addf(b, "%s%c%c", b->n ? " " : "", change.set ? '+' : '-', change.mode),
			0);
		if (change.param.p)
			assert_int_equal(buf_addf(b, "=%" STR_F, STR_A(change.param)), 0);
	}
	assert_false(modes_next(r, &change));
}

static void modes_are_read(void **state)
{
	const struct mode_row *row = *state;
	struct isupport *is = isupport_new();
	if (row->tokens[0])
		assert_true(isupport_apply(&is, str_of(row->tokens)));
	struct str words[8];
	size_t n = split(str_of(row->line), words, COUNTOF(words));
	struct buf b;
	buf_init(&b, 1024);

	struct mode_reader r;
	modes_begin(&r, is, words[0], words + 1, n - 1);
	put_changes(&b, &r);

	assert_slice(buf_str(&b), row->expected);
	buf_fini(&b);
	isupport_unref(is);
}

static void modes_take_an_empty_parameter_as_one(void **state)
{
	(void)state;
	struct isupport *is = isupport_new();
	const struct str params[] = {STR(""), STR("nick")};
	struct mode_reader r;
	struct mode_change change;

	modes_begin(&r, is, STR("+kv"), params, COUNTOF(params));

	assert_true(modes_next(&r, &change));
	assert_slice(change.param, "");
	assert_true(modes_next(&r, &change));
	assert_slice(change.param, "nick");
	isupport_unref(is);
}

static void modes_of_nothing_end_at_once(void **state)
{
	(void)state;
	struct isupport *is = isupport_new();
	struct mode_reader r;
	struct mode_change change;
	modes_begin(&r, is, STR_NONE, NULL, 0);
	assert_false(modes_next(&r, &change));
	isupport_unref(is);
}

static void modes_read_a_nul_as_a_letter_without_parameter(void **state)
{
	(void)state;
	struct isupport *is = isupport_new();
	const struct str param = STR("x");
	struct mode_reader r;
	struct mode_change change;
	modes_begin(&r, is, STR("\0"), &param, 1);
	assert_true(modes_next(&r, &change));
	assert_int_equal(change.mode, '\0');
	assert_slice(change.param, NULL);
	isupport_unref(is);
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, mode_rows, modes_are_read);
	check_test(&c, modes_take_an_empty_parameter_as_one);
	check_test(&c, modes_of_nothing_end_at_once);
	check_test(&c, modes_read_a_nul_as_a_letter_without_parameter);
	return check_run(&c, "modes");
}
