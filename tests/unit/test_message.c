#include "irc/message.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "support/check.h"

#include <stdlib.h>
#include <string.h>

#define FOURTEEN       "A 1 2 3 4 5 6 7 8 9 a b c d e"
#define FOURTEEN_TAKEN "A <1> <2> <3> <4> <5> <6> <7> <8> <9> <a> <b> <c> <d> <e>"

/* What the line becomes: "tags=T nick=N user=U host=H COMMAND=number <param> <param>", without
 * what is absent. NULL: it is refused. */
static const struct parse_row {
	const char *name, *line, *expected;
} parse_rows[] = {
	{"parse: a command alone",            "PING",                  "PING"                        },
	{"parse: lower case stays",           "ping x",                "ping <x>"                    },
	{"parse: one parameter",              "PING x",                "PING <x>"                    },
	{"parse: a colon before it",          "PING :x",               "PING <x>"                    },
	{"parse: spaces in the last one",     "PING :a b  c ",         "PING <a b  c >"              },
	{"parse: the last one empty",         "PING :",                "PING <>"                     },
	{"parse: empty after another",        "TOPIC #c :",            "TOPIC <#c> <>"               },
	{"parse: a colon within",             "MODE a:b c:",           "MODE <a:b> <c:>"             },
	{"parse: only the first colon goes",  "PING ::x",              "PING <:x>"                   },
	{"parse: a colon in the last one",    "PING :a :b",            "PING <a :b>"                 },
	{"parse: JOIN with a colon",          ":n JOIN :#t",           "nick=n JOIN <#t>"            },
	{"parse: JOIN without a colon",       ":n JOIN #t",            "nick=n JOIN <#t>"            },
	{"parse: spaces between parameters",  "A b   c",               "A <b> <c>"                   },
	{"parse: spaces before the last",     "A b   :c d",            "A <b> <c d>"                 },
	{"parse: spaces after the source",    ":n   A b",              "nick=n A <b>"                },
	{"parse: spaces after the tags",      "@a=b   :n A",           "tags=a=b nick=n A"           },
	{"parse: spaces at the end",          "A b   ",                "A <b>"                       },
	{"parse: a space after the command",  "A ",                    "A"                           },
	{"parse: a tab does not separate",    "A b\tc",                "A <b\tc>"                    },
	{"parse: not UTF-8",                  "A \xff\xfe :\x80 \xc3", "A <\xff\xfe> <\x80 \xc3>"    },
	{"parse: control characters",         "A \x01 :\x02\x1f\x7f",  "A <\x01> <\x02\x1f\x7f>"     },

	{"parse: a numeric",                  ":s.x 001 me :Hi you",   "host=s.x 001=1 <me> <Hi you>"},
	{"parse: numeric 000",                "000",                   "000=0"                       },
	{"parse: numeric 999",                "999 x",                 "999=999 <x>"                 },
	{"parse: two digits",                 "01 x",                  NULL                          },
	{"parse: four digits",                "0001 x",                NULL                          },
	{"parse: digits and a letter",        "00A x",                 NULL                          },
	{"parse: letters and a digit",        "PING1 x",               NULL                          },
	{"parse: a command with a dash",      "PI-NG x",               NULL                          },
	{"parse: a command with a high byte", "P\xc3\x8fNG x",         NULL                          },
	{"parse: a sign is no digit",         "+01 x",                 NULL                          },

	{"parse: nick, user and host",        ":n!u@h A",              "nick=n user=u host=h A"      },
	{"parse: nick and host",              ":n@h A",                "nick=n host=h A"             },
	{"parse: nick and user",              ":n!u A",                "nick=n user=u A"             },
	{"parse: a nick",                     ":n A",                  "nick=n A"                    },
	{"parse: a nick with brackets",       ":[n]{}|\\^` A",         "nick=[n]{}|\\^` A"           },
	{"parse: a server",                   ":irc.x.org A",          "host=irc.x.org A"            },
	{"parse: a dot in the host",          ":n!u@a.b A",            "nick=n user=u host=a.b A"    },
	{"parse: a dot in the user",          ":n!u.v A",              "nick=n user=u.v A"           },
	{"parse: a dot in nick@host",         ":n.m@h A",              "nick=n.m host=h A"           },
	{"parse: an IPv6 host",               ":n!u@::1 A",            "nick=n user=u host=::1 A"    },
	{"parse: a cloak",                    ":n!~u@x/y A",           "nick=n user=~u host=x/y A"   },
	{"parse: the last @ counts",          ":n!a@b@c A",            "nick=n user=a@b host=c A"    },
	{"parse: the first ! counts",         ":n!a!b@c A",            "nick=n user=a!b host=c A"    },
	{"parse: a ! behind the @",           ":n@a!b A",              "nick=n host=a!b A"           },
	{"parse: an empty user",              ":n!@h A",               "nick=n host=h A"             },
	{"parse: an empty host",              ":n!u@ A",               "nick=n user=u A"             },
	{"parse: an empty nick",              ":!u@h A",               "user=u host=h A"             },
	{"parse: a source of ! and @",        ":!@ A",                 "A"                           },
	{"parse: a colon in the source",      "::n A",                 "nick=:n A"                   },
	{"parse: a lone colon is no source",  ": A b",                 "A <b>"                       },
	{"parse: a source of high bytes",     ":\xff@\xfe A",          "nick=\xff host=\xfe A"       },

	{"parse: tags",                       "@a=b;c A",              "tags=a=b;c A"                },
	{"parse: tags and a source",          "@a=b :n A p",           "tags=a=b nick=n A <p>"       },
	{"parse: tags on a numeric",          "@a :s.x 001",           "tags=a host=s.x 001=1"       },
	{"parse: tags on AUTHENTICATE",       "@a AUTHENTICATE +",     "tags=a AUTHENTICATE <+>"     },
	{"parse: a lone @ is no tags",        "@ A b",                 "A <b>"                       },
	{"parse: tags of separators",         "@;=; A",                "tags=;=; A"                  },
	{"parse: an @ in a parameter",        "A @b",                  "A <@b>"                      },
	{"parse: an @ after the source",      ":n @a A",               NULL                          },
	{"parse: tags twice",                 "@a @b A",               NULL                          },
	{"parse: a source twice",             ":a :b A",               NULL                          },

	{"parse: fourteen parameters",        FOURTEEN,                FOURTEEN_TAKEN                },
	{"parse: fifteen parameters",         FOURTEEN " f",           FOURTEEN_TAKEN " <f>"         },
	{"parse: fifteen, one with a colon",  FOURTEEN " :f g",        FOURTEEN_TAKEN " <f g>"       },
	{"parse: sixteen become fifteen",     FOURTEEN " f g",         FOURTEEN_TAKEN " <f g>"       },
	{"parse: sixteen, one with a colon",  FOURTEEN " f :g h",      FOURTEEN_TAKEN " <f :g h>"    },
	{"parse: fourteen and spaces",        FOURTEEN "  ",           FOURTEEN_TAKEN                },
	{"parse: fourteen and an empty",      FOURTEEN " :",           FOURTEEN_TAKEN " <>"          },

	{"parse: an empty line",              "",                      NULL                          },
	{"parse: a space",                    " ",                     NULL                          },
	{"parse: a space in front",           " PING x",               NULL                          },
	{"parse: tags alone",                 "@a=b",                  NULL                          },
	{"parse: tags and a space",           "@a=b ",                 NULL                          },
	{"parse: a source alone",             ":n!u@h",                NULL                          },
	{"parse: a source and a space",       ":n ",                   NULL                          },
	{"parse: tags and a source alone",    "@a :n",                 NULL                          },
	{"parse: a lone colon",               ":",                     NULL                          },
	{"parse: a lone @",                   "@",                     NULL                          },
	{"parse: CR LF at the end",           "PING x\r\n",            NULL                          },
	{"parse: a bare LF at the end",       "PING x\n",              NULL                          },
	{"parse: an LF within",               "PING x\nQUIT",          NULL                          },
	{"parse: a CR within",                "PING x\rQUIT",          NULL                          },
	{"parse: an LF in the tags",          "@a=\n PING",            NULL                          },
	{"parse: a CR in the source",         ":n\r PING",             NULL                          },
};

static void assert_within(struct str part, struct str line)
{
	if (part.p)
		assert_true(part.p >= line.p && part.p + part.n <= line.p + line.n);
	else
		assert_int_equal(part.n, 0);
}

static void assert_sound(const struct message *m)
{
	const struct str parts[] = {m->tags, m->source, m->nick, m->user, m->host, m->command};
	for (size_t i = 0; i < COUNTOF(parts); i++)
		assert_within(parts[i], m->raw);
	assert_true(m->command.n > 0);
	assert_true(m->n_params <= MESSAGE_PARAMS_MAX);
	for (size_t i = 0; i < m->n_params; i++) {
		assert_within(m->params[i], m->raw);
		assert_non_null(m->params[i].p);
	}
	for (size_t i = m->n_params; i < MESSAGE_PARAMS_MAX + 2; i++)
		assert_slice(message_param(m, i), NULL);
}

static void put_part(struct buf *b, const char *name, struct str part)
{
	if (part.p)
		assert_int_equal(buf_addf(b, "%s=%" STR_F " ", name, STR_A(part)), 0);
}

static void put_message(struct buf *b, const struct message *m)
{
	put_part(b, "tags", m->tags);
	put_part(b, "nick", m->nick);
	put_part(b, "user", m->user);
	put_part(b, "host", m->host);
	assert_int_equal(buf_add(b, m->command), 0);
	if (m->numeric >= 0)
		assert_int_equal(buf_addf(b, "=%d", m->numeric), 0);
	for (size_t i = 0; i < m->n_params; i++)
		assert_int_equal(buf_addf(b, " <%" STR_F ">", STR_A(m->params[i])), 0);
}

static void message_parse_takes_apart(void **state)
{
	const struct parse_row *row = *state;
	struct message m;
	memset(&m, 0xa5, sizeof(m)); /* what is left as it was is found */
	int r = message_parse(&m, str_of(row->line));
	assert_int_equal(r, row->expected ? 0 : ERR_INVALID);
	if (r < 0)
		return;

	assert_sound(&m);
	struct buf b;
	buf_init(&b, 1024);
	put_message(&b, &m);
	assert_slice(buf_str(&b), row->expected);
	buf_fini(&b);
}

static struct message parsed(const char *line)
{
	struct message m;
	assert_int_equal(message_parse(&m, str_of(line)), 0);
	return m;
}

static void message_parse_refuses_a_nul_wherever_it_stands(void **state)
{
	(void)state;
	const struct str line = STR("@a=b :n!u@h PRIVMSG #c :hi there");
	char copy[64];
	struct message m;

	for (size_t i = 0; i < line.n; i++) {
		memcpy(copy, line.p, line.n);
		copy[i] = '\0';
		assert_int_equal(message_parse(&m, (struct str){copy, line.n}), ERR_INVALID);
	}
	assert_int_equal(message_parse(&m, STR("PING x\0")), ERR_INVALID);
	assert_int_equal(message_parse(&m, STR("\0")), ERR_INVALID);
}

static void message_parse_refuses_an_absent_line(void **state)
{
	(void)state;
	struct message m;
	assert_int_equal(message_parse(&m, STR_NONE), ERR_INVALID);
}

/* "@kkk… PING", the tags of n bytes with @ and space. */
static int parse_tags_of(size_t n)
{
	char *line = mem_new(n + 4);
	memset(line, 'k', n);
	line[0] = '@';
	line[n - 1] = ' ';
	memcpy(line + n, "PING", 4);
	struct message m;
	int r = message_parse(&m, (struct str){line, n + 4});
	if (r == 0)
		assert_sound(&m);
	free(line);
	return r;
}

static void message_parse_takes_tags_up_to_the_maximum(void **state)
{
	(void)state;
	assert_int_equal(parse_tags_of(3), 0);
	assert_int_equal(parse_tags_of(MESSAGE_TAGS_BYTES), 0);
	assert_int_equal(parse_tags_of(MESSAGE_TAGS_BYTES + 1), ERR_LIMIT);
	assert_int_equal(parse_tags_of(100000), ERR_LIMIT);
}

static void message_parse_survives_every_cut_of_a_line(void **state)
{
	(void)state;
	const struct str line = STR(
		"@time=2011-10-19T16:40:51.620Z;a\\s= :n!u@h.i 005 a b c d e f g h i j k l m n o :p");
	for (size_t n = 0; n <= line.n; n++) {
		/* in memory of its own size, so that reading past the end is seen */
		char *copy = mem_new(n);
		if (n)
			memcpy(copy, line.p, n);
		struct message m;
		if (message_parse(&m, (struct str){copy, n}) == 0)
			assert_sound(&m);
		free(copy);
	}
}

static void message_parse_survives_any_bytes(void **state)
{
	(void)state;
	static const char alphabet[] = "@:;= !.\\aZ09\x01\xff";
	unsigned seed = 7;
	unsigned n_parsed = 0;
	for (int round = 0; round < 100000; round++) {
		char line[24];
		for (size_t i = 0; i < sizeof(line); i++) {
			seed = seed * 1103515245 + 12345;
			line[i] = alphabet[(seed >> 16) % (sizeof(alphabet) - 1)];
		}
		struct message m;
		if (message_parse(&m, (struct str){line, sizeof(line)}) < 0)
			continue;
		assert_sound(&m);
		n_parsed++;
	}
	assert_true(n_parsed > 1000);
}

/* A message on the stack is parsed into again and again. */
static void message_parse_keeps_nothing_of_the_line_before(void **state)
{
	(void)state;
	struct message m;
	assert_int_equal(message_parse(&m, STR("@a=b :n!u@h 005 me B=1 C=2 :are supported")), 0);

	assert_int_equal(message_parse(&m, STR("PING")), 0);

	assert_slice(m.raw, "PING");
	assert_slice(m.tags, NULL);
	assert_slice(m.source, NULL);
	assert_slice(m.nick, NULL);
	assert_slice(m.user, NULL);
	assert_slice(m.host, NULL);
	assert_int_equal(m.numeric, -1);
	assert_int_equal(m.n_params, 0);
	assert_slice(message_param(&m, 0), NULL);
	assert_slice(message_last(&m), NULL);
}

static void message_param_is_absent_past_the_last(void **state)
{
	(void)state;
	struct message m = parsed("A b c");
	assert_slice(message_param(&m, 0), "b");
	assert_slice(message_param(&m, 1), "c");
	assert_slice(message_param(&m, 2), NULL);
	assert_slice(message_param(&m, SIZE_MAX), NULL);
	assert_slice(message_last(&m), "c");
	m = parsed("A");
	assert_slice(message_param(&m, 0), NULL);
	assert_slice(message_last(&m), NULL);
}

static const struct tag_row {
	const char *name, *line, *key, *expected;
} tag_rows[] = {
	{"tag: one of one",                  "@a=b A",      "a",      "b"    },
	{"tag: the first",                   "@a=1;b=2 A",  "a",      "1"    },
	{"tag: the last",                    "@a=1;b=2 A",  "b",      "2"    },
	{"tag: missing",                     "@a=1 A",      "b",      NULL   },
	{"tag: no tags",                     "A",           "a",      NULL   },
	{"tag: without a value",             "@a A",        "a",      NULL   },
	{"tag: with an empty value",         "@a= A",       "a",      NULL   },
	{"tag: the last duplicate counts",   "@a=1;a=2 A",  "a",      "2"    },
	{"tag: an empty duplicate counts",   "@a=1;a= A",   "a",      NULL   },
	{"tag: a bare duplicate counts",     "@a=1;a A",    "a",      NULL   },
	{"tag: a value after an empty one",  "@a;a=2 A",    "a",      "2"    },
	{"tag: keys know case",              "@A=1 A",      "a",      NULL   },
	{"tag: the start of a key",          "@time=1 A",   "tim",    NULL   },
	{"tag: a longer key",                "@tim=1 A",    "time",   NULL   },
	{"tag: a vendor",                    "@x.y/k=v A",  "x.y/k",  "v"    },
	{"tag: a client's own",              "@+reply=v A", "+reply", "v"    },
	{"tag: an equals sign in the value", "@a=b=c A",    "a",      "b=c"  },
	{"tag: the value stays escaped",     "@a=b\\sc A",  "a",      "b\\sc"},
	{"tag: a key of nothing",            "@=1;a=2 A",   "",       NULL   },
	{"tag: after empty ones",            "@;;a=2;; A",  "a",      "2"    },
};

static void message_tag_finds(void **state)
{
	const struct tag_row *row = *state;
	struct message m = parsed(row->line);
	assert_slice(message_tag(&m, str_of(row->key)), row->expected);
}

static void message_has_tag_needs_no_value(void **state)
{
	(void)state;
	struct message m = parsed("@a=1;b;c= A");
	assert_true(message_has_tag(&m, STR("a")));
	assert_true(message_has_tag(&m, STR("b")));
	assert_true(message_has_tag(&m, STR("c")));
	assert_false(message_has_tag(&m, STR("A")));
	assert_false(message_has_tag(&m, STR("")));
	m = parsed("A");
	assert_false(message_has_tag(&m, STR("a")));
}

static void message_next_tag_walks_them_all(void **state)
{
	(void)state;
	struct message m = parsed("@a=1;;=x;b;c=;a=2; A");
	struct str rest = m.tags, key, value;

	assert_true(message_next_tag(&rest, &key, &value));
	assert_slice(key, "a");
	assert_slice(value, "1");
	assert_true(message_next_tag(&rest, &key, &value));
	assert_slice(key, "b");
	assert_slice(value, "");
	assert_true(message_next_tag(&rest, &key, &value));
	assert_slice(key, "c");
	assert_slice(value, "");
	assert_true(message_next_tag(&rest, &key, &value));
	assert_slice(key, "a");
	assert_slice(value, "2");
	assert_false(message_next_tag(&rest, &key, &value));
	assert_false(message_next_tag(&rest, &key, &value));
}

static const struct unescape_row {
	const char *name, *value, *expected;
} unescape_rows[] = {
	{"unescape: nothing to do",              "abc",              "abc"         },
	{"unescape: empty",                      "",                 ""            },
	{"unescape: a semicolon",                "a\\:b",            "a;b"         },
	{"unescape: a space",                    "a\\sb",            "a b"         },
	{"unescape: a backslash",                "a\\\\b",           "a\\b"        },
	{"unescape: CR and LF",                  "a\\r\\nb",         "a\r\nb"      },
	{"unescape: all at once",                "\\:\\s\\\\\\r\\n", "; \\\r\n"    },
	{"unescape: a letter without meaning",   "a\\bc",            "abc"         },
	{"unescape: a lone backslash",           "\\",               ""            },
	{"unescape: a backslash at the end",     "abc\\",            "abc"         },
	{"unescape: two backslashes at the end", "abc\\\\",          "abc\\"       },
	{"unescape: three",                      "abc\\\\\\",        "abc\\"       },
	{"unescape: an escaped backslash, an s", "\\\\s",            "\\s"         },
	{"unescape: a colon stays",              "a:b",              "a:b"         },
	{"unescape: capital letters stay",       "\\S\\R\\N",        "SRN"         },
	{"unescape: high bytes",                 "\xc3\xa9\\\xff",   "\xc3\xa9\xff"},
};

static void message_unescape_resolves(void **state)
{
	const struct unescape_row *row = *state;
	struct buf b;
	buf_init(&b, strlen(row->expected) + 1);
	assert_int_equal(buf_add(&b, STR("=")), 0);

	assert_int_equal(message_unescape(&b, str_of(row->value)), 0);

	struct str unescaped = str_skip(buf_str(&b), 1);
	assert_slice(unescaped, row->expected);
	buf_fini(&b);
}

static void message_unescape_undoes_message_escape(void **state)
{
	(void)state;
	char all[255];
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (char)(i + 1);
	struct buf escaped, plain;
	buf_init(&escaped, 1024);
	buf_init(&plain, 1024);

	assert_int_equal(message_escape(&escaped, (struct str){all, sizeof(all)}), 0);
	assert_int_equal(message_unescape(&plain, buf_str(&escaped)), 0);

	assert_true(str_eq(buf_str(&plain), (struct str){all, sizeof(all)}));
	assert_int_equal(escaped.n, sizeof(all) + 5);
	for (const char *p = "; \r\n"; *p; p++)
		assert_false(str_has(buf_str(&escaped), *p));
	buf_fini(&escaped);
	buf_fini(&plain);
}

static void message_escape_writes_the_five(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 64);
	assert_int_equal(message_escape(&b, STR("a;b c\\d\re\nf:")), 0);
	assert_slice(buf_str(&b), "a\\:b\\sc\\\\d\\re\\nf:");
	buf_fini(&b);
}

static void message_escape_refuses_a_nul(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 64);
	assert_int_equal(message_escape(&b, STR("a\0b")), ERR_INVALID);
	assert_slice(buf_str(&b), "");
	buf_fini(&b);
}

static void message_escapes_all_or_nothing(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 5);
	assert_int_equal(buf_add(&b, STR("ab")), 0);

	assert_int_equal(message_escape(&b, STR("; ")), ERR_LIMIT);
	assert_slice(buf_str(&b), "ab");
	assert_int_equal(message_unescape(&b, STR("\\:\\:\\:\\:")), ERR_LIMIT);
	assert_slice(buf_str(&b), "ab");

	assert_int_equal(message_unescape(&b, STR("\\:\\:\\:\\")), 0);
	assert_slice(buf_str(&b), "ab;;;");
	buf_fini(&b);
}

static const struct time_row {
	const char *name, *value;
	int64_t seconds, ns;
} time_rows[] = {
	{"time: as the specification has it", "2011-10-19T16:40:51.620Z",        1319042451, 620000000},
	{"time: no fraction",                 "2011-10-19T16:40:51Z",            1319042451, 0        },
	{"time: one digit of a fraction",     "2011-10-19T16:40:51.6Z",          1319042451, 600000000},
	{"time: nine digits",                 "2011-10-19T16:40:51.000000001Z",  1319042451, 1        },
	{"time: more digits than count",      "1970-01-01T00:00:00.0000000019Z", 0,          1        },
	{"time: the epoch",                   "1970-01-01T00:00:00Z",            0,          0        },
	{"time: a leap day",                  "2012-02-29T00:00:00Z",            1330473600, 0        },
	{"time: a leap day in a century",     "2000-02-29T00:00:00Z",            951782400,  0        },
	{"time: a leap second",               "2012-06-30T23:59:60.419Z",        1341100800, 419000000},
	{"time: the last second",             "2261-12-31T23:59:59.999Z",        9214646399, 999000000},
	{"time: beyond 2038",                 "2040-06-01T00:00:00Z",            2222121600, 0        },
};

static void message_time_reads(void **state)
{
	const struct time_row *row = *state;
	int64_t wall_ns = -1;
	assert_true(message_time(str_of(row->value), &wall_ns));
	assert_int_equal(wall_ns, row->seconds * NS_PER_S + row->ns);
}

static const struct no_time_row {
	const char *name, *value;
} no_time_rows[] = {
	{"no time: empty",			   ""			     },
	{"no time: a lone Z",                        "Z"                            },
	{"no time: seconds since the epoch",         "1319042451"                   },
	{"no time: no Z",			    "2011-10-19T16:40:51.620"      },
	{"no time: another zone",                    "2011-10-19T16:40:51.620+01:00"},
	{"no time: a small z",                       "2011-10-19T16:40:51.620z"     },
	{"no time: a small t",                       "2011-10-19t16:40:51.620Z"     },
	{"no time: a space for the T",               "2011-10-19 16:40:51.620Z"     },
	{"no time: something behind",                "2011-10-19T16:40:51.620ZZ"    },
	{"no time: something behind, no fraction",   "2011-10-19T16:40:51Z.5Z"      },
	{"no time: an empty fraction",               "2011-10-19T16:40:51.Z"        },
	{"no time: a fraction twice",                "2011-10-19T16:40:51.6.2Z"     },
	{"no time: a sign in the fraction",          "2011-10-19T16:40:51.-1Z"      },
	{"no time: a letter in the fraction",        "2011-10-19T16:40:51.6x0Z"     },
	{"no time: month 0",                         "2011-00-19T16:40:51Z"         },
	{"no time: month 13",                        "2011-13-19T16:40:51Z"         },
	{"no time: day 0",			   "2011-10-00T16:40:51Z"         },
	{"no time: day 32",                          "2011-10-32T16:40:51Z"         },
	{"no time: April 31",                        "2011-04-31T16:40:51Z"         },
	{"no time: February 29 in a common year",    "2011-02-29T16:40:51Z"         },
	{"no time: February 29 in a common century", "2100-02-29T16:40:51Z"         },
	{"no time: February 30",                     "2012-02-30T16:40:51Z"         },
	{"no time: hour 24",                         "2011-10-19T24:00:00Z"         },
	{"no time: minute 60",                       "2011-10-19T16:60:51Z"         },
	{"no time: second 61",                       "2011-10-19T16:40:61Z"         },
	{"no time: a negative hour",                 "2011-10-19T-1:40:51Z"         },
	{"no time: a space for a digit",             "2011-10-19T 6:40:51Z"         },
	{"no time: one digit in a month",            "2011-1-19T16:40:51Z"          },
	{"no time: three digits in a year",          "011-10-19T16:40:51Z"          },
	{"no time: five digits in a year",           "12011-10-19T16:40:51Z"        },
	{"no time: before the epoch",                "1969-12-31T23:59:59Z"         },
	{"no time: the year 0",                      "0000-01-01T00:00:00Z"         },
	{"no time: after what can be counted",       "2262-01-01T00:00:00Z"         },
	{"no time: the year 9999",                   "9999-12-31T23:59:59Z"         },
	{"no time: no seconds",                      "2011-10-19T16:40Z"            },
	{"no time: a date alone",                    "2011-10-19"                   },
	{"no time: words",			   "yesterday"                    },
};

static void message_time_refuses(void **state)
{
	const struct no_time_row *row = *state;
	int64_t wall_ns = -1;
	assert_false(message_time(str_of(row->value), &wall_ns));
	assert_int_equal(wall_ns, -1);
}

static void message_time_does_not_depend_on_the_time_zone(void **state)
{
	(void)state;
	int64_t wall_ns = 0;
	setenv("TZ", "America/New_York", 1);
	assert_true(message_time(STR("2011-07-19T16:40:51Z"), &wall_ns));
	unsetenv("TZ");
	assert_int_equal(wall_ns, 1311093651 * NS_PER_S);
	assert_false(message_time(STR_NONE, &wall_ns));
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, parse_rows, message_parse_takes_apart);
	check_test(&c, message_parse_refuses_a_nul_wherever_it_stands);
	check_test(&c, message_parse_refuses_an_absent_line);
	check_test(&c, message_parse_takes_tags_up_to_the_maximum);
	check_test(&c, message_parse_survives_every_cut_of_a_line);
	check_test(&c, message_parse_survives_any_bytes);
	check_test(&c, message_parse_keeps_nothing_of_the_line_before);
	check_test(&c, message_param_is_absent_past_the_last);
	check_rows(&c, tag_rows, message_tag_finds);
	check_test(&c, message_has_tag_needs_no_value);
	check_test(&c, message_next_tag_walks_them_all);
	check_rows(&c, unescape_rows, message_unescape_resolves);
	check_test(&c, message_unescape_undoes_message_escape);
	check_test(&c, message_escape_writes_the_five);
	check_test(&c, message_escape_refuses_a_nul);
	check_test(&c, message_escapes_all_or_nothing);
	check_rows(&c, time_rows, message_time_reads);
	check_rows(&c, no_time_rows, message_time_refuses);
	check_test(&c, message_time_does_not_depend_on_the_time_zone);
	return check_run(&c, "message");
}
