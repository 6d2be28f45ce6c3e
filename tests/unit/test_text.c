#include "irc/text.h"

#include "base/buf.h"
#include "support/check.h"

#include <string.h>

/* The parts, each between brackets. é has two bytes, € three, 𝄞 four. */
static const struct cut_row {
	const char *name, *text;
	size_t max_bytes;
	const char *expected;
} cut_rows[] = {
	{"cut: all fits",                     "hello",                10, "[hello]"                 },
	{"cut: all fits exactly",             "hello",                5,  "[hello]"                 },
	{"cut: an empty text",                "",                     5,  "[]"                      },
	{"cut: at the last space",            "one two three",        9,  "[one two][three]"        },
	{"cut: a space behind the limit",     "one two three",        7,  "[one two][three]"        },
	{"cut: a space at the limit",         "one two three",        8,  "[one two][three]"        },
	{"cut: into words",                   "one two six",          4,  "[one][two][six]"         },
	{"cut: several spaces at the cut",    "one    two",           5,  "[one][two]"              },
	{"cut: spaces elsewhere stay",        "a  b one",             5,  "[a  b][one]"             },
	{"cut: spaces at the end that fit",   "one ",                 4,  "[one ]"                  },
	{"cut: spaces at the end, cut",       "one     ",             4,  "[one]"                   },
	{"cut: spaces in front stay",         "  one two",            5,  "[  one][two]"            },
	{"cut: a long word after spaces",     "  abcdefgh",           5,  "[  abc][defgh]"          },
	{"cut: nothing but spaces",           "          ",           4,  "[    ][    ][  ]"        },
	{"cut: a long word",                  "abcdefghij",           4,  "[abcd][efgh][ij]"        },
	{"cut: a long word behind",           "a bcdefghij",          4,  "[a][bcde][fghi][j]"      },
	{"cut: a tab is no space",            "abc\tdef",             5,  "[abc\td][ef]"            },
	{"cut: two bytes fit",                "abcé",                5,  "[abcé]"                 },
	{"cut: two bytes do not",             "abcdéf",              5,  "[abcd][éf]"             },
	{"cut: two bytes at the end",         "abcéf",               5,  "[abcé][f]"              },
	{"cut: three bytes at the end",       "ab€c",               5,  "[ab€][c]"              },
	{"cut: three bytes, one over",        "abc€d",              5,  "[abc][€d]"             },
	{"cut: three bytes, two over",        "abcd€",              5,  "[abcd][€]"             },
	{"cut: four bytes at the end",        "a𝄞b",               5,  "[a𝄞][b]"              },
	{"cut: four bytes, one over",         "ab𝄞c",              5,  "[ab][𝄞c]"             },
	{"cut: four bytes, two over",         "abc𝄞",              5,  "[abc][𝄞]"             },
	{"cut: four bytes, three over",       "abcd𝄞",             5,  "[abcd][𝄞]"            },
	{"cut: four bytes a part",            "𝄞𝄞𝄞",         4,  "[𝄞][𝄞][𝄞]"      },
	{"cut: four bytes, room for less",    "𝄞𝄞",             7,  "[𝄞][𝄞]"            },
	{"cut: words of many bytes",          "ééé €€",        8,  "[ééé][€€]"        },
	{"cut: continuation bytes alone",     "\x80\x80\x80\x80\x80", 4,  "[\x80\x80\x80\x80][\x80]"},
	{"cut: lead bytes alone",             "ab\xf0\xf0\xf0",       4,  "[ab\xf0\xf0][\xf0]"      },
	{"cut: a lead byte at the limit",     "abc\xc3z",             4,  "[abc\xc3][z]"            },
	{"cut: half a character",             "abc\xe2\x82z",         4,  "[abc\xe2][\x82z]"        },
	{"cut: an overlong one at the limit", "abc\xc0\x80z",         4,  "[abc\xc0][\x80z]"        },
	{"cut: a surrogate at the limit",     "abc\xed\xa0\x80",      4,  "[abc\xed][\xa0\x80]"     },
	{"cut: Latin-1",                      "ab\xe7\xe6\xe5",       4,  "[ab\xe7\xe6][\xe5]"      },
	{"cut: stray bytes, a character",     "a\x80\x80éb",         4,  "[a\x80\x80][éb]"        },
};

static void text_is_cut(void **state)
{
	const struct cut_row *row = *state;
	struct buf b;
	buf_init(&b, 256);
	struct str rest = str_of(row->text);
	for (;;) {
		struct str part = text_next_part(&rest, row->max_bytes);
		if (!part.p)
			break;
		assert_int_equal(buf_addf(&b, "[%" STR_F "]", STR_A(part)), 0);
	}
	assert_slice(buf_str(&b), row->expected);
	buf_fini(&b);
}

static void text_that_is_absent_has_no_part(void **state)
{
	(void)state;
	struct str rest = STR_NONE;
	assert_slice(text_next_part(&rest, 10), NULL);
}

/* A text of pieces, some of them broken. */
static struct str random_text(char *out, size_t max, unsigned *seed, bool is_valid)
{
	static const char *const pieces[] = {"a", "bc", " ", "é", "€", "𝄞", "  ", "def", "\x80",
		"\xc3", "\xe2\x82", "\xf0\x9d\x84", "\xff"};
	size_t n_pieces = is_valid ? 8 : COUNTOF(pieces), n = 0;
	for (;;) {
		*seed = *seed * 1103515245 + 12345;
		struct str piece = str_of(pieces[(*seed >> 16) % n_pieces]);
		if (n + piece.n > max)
			return (struct str){out, n};
		memcpy(out + n, piece.p, piece.n);
		n += piece.n;
	}
}

/* Every part fits; what lies between two is spaces; what was UTF-8 stays so. */
static void assert_parts(struct str text, size_t max_bytes, bool is_valid)
{
	struct str rest = text, part;
	const char *at = text.p;
	for (;;) {
		part = text_next_part(&rest, max_bytes);
		if (!part.p)
			break;
		assert_true(part.n > 0 && part.n <= max_bytes);
		for (; at < part.p; at++)
			assert_int_equal(*at, ' ');
		assert_ptr_equal(at, part.p);
		at += part.n;
		if (is_valid)
			assert_true(text_is_utf8(part));
	}
	for (; at < text.p + text.n; at++)
		assert_int_equal(*at, ' ');
}

static void text_loses_only_spaces_whatever_it_holds(void **state)
{
	(void)state;
	unsigned seed = 1;
	char bytes[64];
	for (int round = 0; round < 20000; round++) {
		bool is_valid = round % 2 == 0;
		struct str text = random_text(bytes, 4 + (size_t)round % 60, &seed, is_valid);
		if (is_valid)
			assert_true(text_is_utf8(text));
		for (size_t max_bytes = 4; max_bytes < 20; max_bytes++)
			assert_parts(text, max_bytes, is_valid);
	}
}

static const struct utf8_row {
	const char *name, *text;
	bool is_utf8;
} utf8_rows[] = {
	{"utf8: empty",			"",                     true },
	{"utf8: ASCII",			"abc\x01\x7f",          true },
	{"utf8: two bytes, the first",         "\xc2\x80",             true },
	{"utf8: two bytes, the last",          "\xdf\xbf",             true },
	{"utf8: three bytes, the first",       "\xe0\xa0\x80",         true },
	{"utf8: before the surrogates",        "\xed\x9f\xbf",         true },
	{"utf8: after the surrogates",         "\xee\x80\x80",         true },
	{"utf8: three bytes, the last",        "\xef\xbf\xbf",         true },
	{"utf8: four bytes, the first",        "\xf0\x90\x80\x80",     true },
	{"utf8: in the middle of four bytes",  "\xf2\x80\xbf\x80",     true },
	{"utf8: four bytes, the last",         "\xf4\x8f\xbf\xbf",     true },
	{"utf8: all sizes",                    "aé€𝄞z",          true },
	{"utf8: a continuation byte",          "\x80",                 false},
	{"utf8: a continuation byte too many", "é\x80",               false},
	{"utf8: an overlong NUL",              "\xc0\x80",             false},
	{"utf8: an overlong letter",           "\xc1\xbf",             false},
	{"utf8: overlong in three bytes",      "\xe0\x9f\xbf",         false},
	{"utf8: overlong in four bytes",       "\xf0\x8f\xbf\xbf",     false},
	{"utf8: the first surrogate",          "\xed\xa0\x80",         false},
	{"utf8: the last surrogate",           "\xed\xbf\xbf",         false},
	{"utf8: beyond U+10FFFF",              "\xf4\x90\x80\x80",     false},
	{"utf8: a lead byte of five",          "\xf8\x88\x80\x80\x80", false},
	{"utf8: FE and FF",                    "\xfe\xff",             false},
	{"utf8: two bytes cut short",          "a\xc3",                false},
	{"utf8: three bytes cut short",        "a\xe2\x82",            false},
	{"utf8: four bytes cut short",         "a\xf0\x9d\x84",        false},
	{"utf8: broken off by a letter",       "\xe2\x82z",            false},
	{"utf8: broken off by a lead byte",    "\xe2\x82\xc3\xa9",     false},
	{"utf8: Latin-1",                      "caf\xe9",              false},
};

static void text_is_utf8_tells(void **state)
{
	const struct utf8_row *row = *state;
	assert_int_equal(text_is_utf8(str_of(row->text)), row->is_utf8);
}

static void text_is_utf8_takes_a_nul(void **state)
{
	(void)state;
	assert_true(text_is_utf8(STR("a\0b")));
	assert_true(text_is_utf8(STR_NONE));
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, cut_rows, text_is_cut);
	check_test(&c, text_that_is_absent_has_no_part);
	check_test(&c, text_loses_only_spaces_whatever_it_holds);
	check_rows(&c, utf8_rows, text_is_utf8_tells);
	check_test(&c, text_is_utf8_takes_a_nul);
	return check_run(&c, "text");
}
