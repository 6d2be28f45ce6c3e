#include "irc/text.h"

#include "base/err.h"
#include "support/check.h"
#include "support/cuts.h"

#include <string.h>

#define BOLD    "\x02"
#define COLOUR  "\x03"
#define HEX     "\x04"
#define MONO    "\x11"
#define REVERSE "\x16"
#define ITALIC  "\x1d"
#define STRIKE  "\x1e"
#define UNDER   "\x1f"
#define RESET   "\x0f"

/* The parts with what they carry, each between brackets. é has two bytes, € three, 𝄞 four. */
static const struct cut_row {
	const char *name, *text;
	size_t max_bytes;
	const char *expected;
} cut_rows[] = {
	{"cut: all fits",			    "hello",					10, "[hello]"                              },
	{"cut: all fits exactly",                    "hello",                                        5,  "[hello]"                              },
	{"cut: an empty text",                       "",					     5,  "[]"                                   },
	{"cut: at the last space",                   "one two three",                                9,  "[one two][three]"                     },
	{"cut: a space behind the limit",            "one two three",                                7,  "[one two][three]"                     },
	{"cut: a space at the limit",                "one two three",                                8,  "[one two][three]"                     },
	{"cut: into words",                          "one two six",                                  4,  "[one][two][six]"                      },
	{"cut: several spaces at the cut",           "one    two",                                   5,  "[one][two]"                           },
	{"cut: spaces elsewhere stay",               "a  b one",                                     5,  "[a  b][one]"                          },
	{"cut: spaces at the end that fit",          "one ",                                         4,  "[one ]"                               },
	{"cut: spaces at the end, cut",              "one     ",                                     4,  "[one]"                                },
	{"cut: spaces in front stay",                "  one two",                                    5,  "[  one][two]"                         },
	{"cut: a long word after spaces",            "  abcdefgh",                                   5,  "[  abc][defgh]"                       },
	{"cut: nothing but spaces",                  "          ",                                   4,  "[    ][    ][  ]"                     },
	{"cut: a long word",                         "abcdefghij",                                   4,  "[abcd][efgh][ij]"                     },
	{"cut: a long word behind",                  "a bcdefghij",                                  4,  "[a][bcde][fghi][j]"                   },
	{"cut: a tab is no space",                   "abc\tdef",                                     5,  "[abc\td][ef]"                         },
	{"cut: two bytes fit",                       "abcé",					5,  "[abcé]"                              },
	{"cut: two bytes do not",                    "abcdéf",                                      5,  "[abcd][éf]"                          },
	{"cut: two bytes at the end",                "abcéf",                                       5,  "[abcé][f]"                           },
	{"cut: three bytes at the end",              "ab€c",                                       5,  "[ab€][c]"                           },
	{"cut: three bytes, one over",               "abc€d",                                      5,  "[abc][€d]"                          },
	{"cut: three bytes, two over",               "abcd€",                                      5,  "[abcd][€]"                          },
	{"cut: four bytes at the end",               "a𝄞b",                                       5,  "[a𝄞][b]"                           },
	{"cut: four bytes, one over",                "ab𝄞c",                                      5,  "[ab][𝄞c]"                          },
	{"cut: four bytes, two over",                "abc𝄞",                                      5,  "[abc][𝄞]"                          },
	{"cut: four bytes, three over",              "abcd𝄞",                                     5,  "[abcd][𝄞]"                         },
	{"cut: four bytes a part",                   "𝄞𝄞𝄞",                                 4,  "[𝄞][𝄞][𝄞]"                   },
	{"cut: four bytes, room for less",           "𝄞𝄞",                                     7,  "[𝄞][𝄞]"                         },
	{"cut: words of many bytes",                 "ééé €€",                                8,  "[ééé][€€]"                     },
	{"cut: continuation bytes alone",            "\x80\x80\x80\x80\x80",                         4,  "[\x80\x80\x80\x80][\x80]"             },
	{"cut: lead bytes alone",                    "ab\xf0\xf0\xf0",                               4,  "[ab\xf0\xf0][\xf0]"                   },
	{"cut: a lead byte at the limit",            "abc\xc3z",                                     4,  "[abc\xc3][z]"                         },
	{"cut: half a character",                    "abc\xe2\x82z",                                 4,  "[abc\xe2][\x82z]"                     },
	{"cut: an overlong one at the limit",        "abc\xc0\x80z",                                 4,  "[abc\xc0][\x80z]"                     },
	{"cut: a surrogate at the limit",            "abc\xed\xa0\x80",                              4,  "[abc\xed][\xa0\x80]"                  },
	{"cut: Latin-1",			     "ab\xe7\xe6\xe5",                               4,  "[ab\xe7\xe6][\xe5]"                   },
	{"cut: stray bytes, a character",            "a\x80\x80éb",                                 4,  "[a\x80\x80][éb]"                     },
	{"cut: an accent stays",                     "abce\xcc\x81z",                                5,  "[abc][e\xcc\x81z]"                    },
	{"cut: an accent that fits",                 "abe\xcc\x81z",                                 5,  "[abe\xcc\x81][z]"                     },
	{"cut: two accents",                         "abe\xcc\x81\xcc\x82",                          5,  "[ab][e\xcc\x81\xcc\x82]"              },
	{"cut: more accents than a part",            "abe\xcc\x81\xcc\x82\xcc\x83",                  5,
         "[ab][e\xcc\x81\xcc\x82][\xcc\x83]"												    },
	{"cut: an accent on a space",                "ab \xcc\x81z",                                 4,  "[ab][ \xcc\x81z]"                     },
	{"cut: an accent after what is not UTF-8",   "abc\xff\xcc\x81",                              5,  "[abc\xff][\xcc\x81]"                  },
	{"cut: an accent after a colour's digit",
         COLOUR "4\xcc\x81"
		       "abc",									6,
         "[" COLOUR "4\xcc\x81"
		"ab]["
		"c]"															    },
	{"cut: a family",			    "ab👨‍👩‍👧c",                        19, "[ab][👨‍👩‍👧c]"            },
	{"cut: CR LF stays whole",                   "abc\r\nd",                                     4,  "[abc][\r\nd]"                         },
	{"cut: a family longer than a part",         "👨‍👩‍👧",                           12, "[👨‍👩][‍👧]"               },
	{"cut: a skin",			      "abc👍🏽",                                  8,  "[abc][👍🏽]"                      },
	{"cut: a variation selector",                "ab❤️",                                     6,  "[ab][❤️]"                         },
	{"cut: flags",			       "🇩🇪🇫🇷🇬🇧",                     20, "[🇩🇪🇫🇷][🇬🇧]"         },
	{"cut: a flag of tags",                      "abc🏴󠁧󠁢󠁥󠁮󠁧󠁿",              30,
         "[abc][🏴󠁧󠁢󠁥󠁮󠁧󠁿]"												  },
	{"cut: Hangul in letters",                   "abcd\xe1\x84\x80\xe1\x85\xa1\xe1\x86\xa8",     9,
         "[abcd][\xe1\x84\x80\xe1\x85\xa1\xe1\x86\xa8]"											 },
	{"cut: Devanagari",
         "कि"
		"कि",									    10, "[कि][कि]"                     },
	{"cut: a control character",                 "abc\x01\xcc\x81",                              4,  "[abc\x01][\xcc\x81]"                  },
	{"format: that fits stays",                  BOLD "abc" COLOUR "4",                          6,  "[" BOLD "abc" COLOUR "4]"             },
	{"format: bold",			     BOLD "abcdefghij",                              8,  "[" BOLD "abcdefg][" BOLD "hij]"       },
	{"format: between words",                    BOLD "ab cd" BOLD " ef gh",                     8,  "[" BOLD "ab cd][ef gh]"               },
	{"format: bold off before the cut",          BOLD "ab" BOLD "cdefghij",                      8,
         "[" BOLD "ab" BOLD "cdef]["
		"ghij]"															 },
	{"format: bold on at the cut",               "abcdefgh" BOLD "ij",                           8,  "[abcdefgh][" BOLD "ij]"               },
	{"format: bold off at the cut",              BOLD "abcdefg" BOLD "hi",                       8,  "[" BOLD "abcdefg][hi]"                },
	{"format: on and off at the cut",            "abcdefgh" BOLD ITALIC BOLD "i",                8,
         "[abcdefgh][" ITALIC "i]"													      },
	{"format: before a space at the cut",        "abcdefgh" BOLD " ij",                          8,  "[abcdefgh][" BOLD "ij]"               },
	{"format: between spaces at the cut",        "abcdefgh " BOLD " " ITALIC " ij",              8,
         "[abcdefgh][" BOLD ITALIC "ij]"													},
	{"format: behind a space in the part",       "abc " BOLD "defghijk",                         8,
         "[abc][" BOLD "defghij][" BOLD "k]"												    },
	{"format: that does nothing at the end",     "abcdefgh" BOLD COLOUR "4",                     8,  "[abcdefgh]"                           },
	{"format: and spaces at the end",            "abcdefgh " RESET "  " BOLD,                    8,  "[abcdefgh]"                           },
	{"format: nothing but",                      BOLD BOLD BOLD BOLD BOLD BOLD,                  4,  "[" BOLD BOLD BOLD BOLD "]"            },
	{"format: all that is on or off",            BOLD ITALIC UNDER STRIKE MONO REVERSE "abcdef", 11,
         "[" BOLD ITALIC UNDER STRIKE MONO REVERSE
		"abcde][" BOLD ITALIC UNDER STRIKE MONO REVERSE "f]"									    },
	{"format: reset",			    BOLD COLOUR "4a" RESET "bcdefgh",               9,
         "[" BOLD COLOUR "4a" RESET "bcde][fgh]"												},
	{"format: a colour",                         COLOUR "04abcdefgh",                            8,  "[" COLOUR "04abcde][" COLOUR "04fgh]" },
	{"format: a colour of one digit",            COLOUR "4abcdef",                               7,  "[" COLOUR "4abcde][" COLOUR "04f]"    },
	{"format: a digit after a colour",           COLOUR "4abcde5",                               7,
         "[" COLOUR "4abcde][" COLOUR "045]"												    },
	{"format: a third digit is text",            COLOUR "041abcdef",                             8,
         "[" COLOUR "041abcd][" COLOUR "04ef]"												  },
	{"format: a comma after a colour",           COLOUR "4abcdefg,5",                            9,
         "[" COLOUR "4abcdefg][" COLOUR "04" BOLD BOLD ",5]"										    },
	{"format: a comma after a colour in bold",   BOLD COLOUR "4abcde,5",                         8,
         "[" BOLD COLOUR "4abcde][" COLOUR "04" BOLD ",5]"										      },
	{"format: a comma after two colours",        COLOUR "4,5abcdef,5",                           10,
         "[" COLOUR "4,5abcdef][" COLOUR "04,05,5]"											     },
	{"format: a comma without a digit is text",  COLOUR "4,abcdef",                              8,
         "[" COLOUR "4,abcde][" COLOUR "04f]"												   },
	{"format: a colour keeps the background",    COLOUR "4,5a" COLOUR "6bcdefg",                 11,
         "[" COLOUR "4,5a" COLOUR "6bcde][" COLOUR "06,05fg]"										   },
	{"format: no colour",                        COLOUR "4,5a" COLOUR "bcdefgh",                 10,
         "[" COLOUR "4,5a" COLOUR "bcde][fgh]"												  },
	{"format: no colour for a background alone", COLOUR ",5abcdefg",                             8,
         "[" COLOUR ",5abcde][fg]"													      },
	{"format: a code is not cut",                "abcdef" COLOUR "12,13gh",                      11, "[abcdef][" COLOUR "12,13gh]"          },
	{"format: a code that fits",                 "ab" COLOUR "12,13ghijk",                       11,
         "[ab" COLOUR "12,13ghi][" COLOUR "12,13jk]"											    },
	{"format: a code longer than a part",        HEX "12345678",                                 4,  "[78]"                                 },
	{"format: a hex colour",                     HEX "fF8000ghijklm",                            12, "[" HEX "fF8000ghijk][" HEX "fF8000lm]"},
	{"format: two hex colours",                  HEX "ff8000,00ff80ghijklm",                     19,
         "[" HEX "ff8000,00ff80ghijk][" HEX "ff8000,00ff80lm]"										  },
	{"format: a hex colour cut short is none",   HEX "ff800ghijkl",                              10, "[" HEX "ff800ghij][kl]"               },
	{"format: no hex colour",                    HEX "ff8000g" HEX "hijklm",                     12,
         "[" HEX "ff8000g" HEX "hij][klm]"												      },
	{"format: a hex colour on a colour",         COLOUR "4,5" HEX "ff8000ghijklm",               18,
         "[" COLOUR "4,5" HEX "ff8000ghijklm]"												  },
	{"format: a hex colour on a colour, cut",    COLOUR "4,5" HEX "ff8000ghijklmno",             18,
         "[" COLOUR "4,5" HEX "ff8000ghijklm][" COLOUR "99,05" HEX "ff8000no]"                                                                  },
	{"format: a colour on a hex colour, cut",    HEX "ff8000,00ff80" COLOUR "4ghijklmno",        22,
         "[" HEX "ff8000,00ff80" COLOUR "4ghijkl][" HEX "000000,00ff80" COLOUR "04mno]"                                                         },
	{"format: no room for what is carried",      COLOUR "4,5abcdefgh",                           6,
         "[" COLOUR "4,5ab][cdefgh]"													    },
};

static void text_is_cut(void **state)
{
	const struct cut_row *row = *state;
	struct text_cut cut;
	struct str carried, part;
	struct buf b;
	buf_init(&b, 256);
	text_cut_begin(&cut, str_of(row->text), row->max_bytes);
	while (text_cut_next(&cut, &carried, &part))
		assert_int_equal(
			buf_addf(&b, "[%" STR_F "%" STR_F "]", STR_A(carried), STR_A(part)), 0);
	assert_slice(buf_str(&b), row->expected);
	assert_false(text_cut_next(&cut, &carried, &part));
	buf_fini(&b);
}

static void assert_cut(struct str text, size_t max_bytes)
{
	const char *fault = cuts_fault(text, max_bytes);
	if (fault)
		fail_msg("%s: \"%" STR_F "\" in parts of %zu", fault, STR_A(text), max_bytes);
}

static void text_is_cut_as_promised(void **state)
{
	const struct cut_row *row = *state;
	for (size_t max_bytes = TEXT_PART_MIN_BYTES; max_bytes < 64; max_bytes++)
		assert_cut(str_of(row->text), max_bytes);
}

static void text_that_is_absent_has_no_part(void **state)
{
	(void)state;
	struct text_cut cut;
	struct str carried, part;
	text_cut_begin(&cut, STR_NONE, 10);
	assert_false(text_cut_next(&cut, &carried, &part));
}

static unsigned draw(unsigned *seed)
{
	*seed = *seed * 1103515245 + 12345;
	return *seed >> 16;
}

/* A text of pieces; those of the last row are broken. */
static struct str random_text(char *out, size_t max, unsigned *seed, bool is_valid)
{
	static const char *const pieces[][8] = {
		{"a",         "bc",       " ",         "é",           "€",      "𝄞",         "  ",           "def"},
		{"e\xcc\x81", "\xcc\x8a", "👨",      "‍",          "🇩🇪", "🇫",         "\xef\xb8\x8f", "각"},
		{BOLD,        ITALIC,     UNDER,       STRIKE,         MONO,       REVERSE,        RESET,          ","  },
		{COLOUR,      COLOUR "4", COLOUR "04", COLOUR "12,3",  HEX,        HEX "ff8000",
                 HEX "ff8000,0080ff",									      "5"  },
		{"\x80",      "\xc3",     "\xe2\x82",  "\xf0\x9d\x84", "\xff",     "\xed\xa0\x80", "\xc0\x80",
                 "\x01"												 },
	};
	size_t n_rows = COUNTOF(pieces) - is_valid, n = 0;
	for (;;) {
		struct str piece = str_of(pieces[draw(seed) % n_rows][draw(seed) % 8]);
		if (n + piece.n > max)
			return (struct str){out, n};
		memcpy(out + n, piece.p, piece.n);
		n += piece.n;
	}
}

static void text_is_cut_as_promised_whatever_it_holds(void **state)
{
	(void)state;
	unsigned seed = 1;
	char bytes[200];
	for (int round = 0; round < 6000; round++) {
		bool is_valid = round % 2 == 0;
		size_t max = 4 + draw(&seed) % (sizeof(bytes) - 4);
		struct str text = random_text(bytes, max, &seed, is_valid);
		if (is_valid)
			assert_true(text_is_utf8(text));
		for (int i = 0; i < 8; i++)
			assert_cut(text, TEXT_PART_MIN_BYTES + draw(&seed) % 60);
	}
}

/* Accents without end are no cluster that anybody could send. */
static void text_with_endless_clusters_and_codes_comes_to_its_end(void **state)
{
	static const char *const pieces[] = {
		"\xcc\x81", "‍", "🇩", BOLD, COLOUR "4", "a" BOLD, BOLD " ", "\xf0\x9f"};
	static char bytes[20000];
	(void)state;
	for (size_t i = 0; i < COUNTOF(pieces); i++) {
		struct str piece = str_of(pieces[i]);
		size_t n = 0;
		for (; n + piece.n <= sizeof(bytes); n += piece.n)
			memcpy(bytes + n, piece.p, piece.n);
		assert_cut((struct str){bytes, n}, TEXT_PART_MIN_BYTES);
		assert_cut((struct str){bytes, n}, 400);
		assert_cut((struct str){bytes, n}, 2000);
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

#define FFFD "\xef\xbf\xbd"

static const struct scrub_row {
	const char *name, *text, *expected;
} scrub_rows[] = {
	{"scrub: empty",			 "",                ""                   },
	{"scrub: UTF-8 as it is",                "aé€𝄞\x01",  "aé€𝄞\x01"     },
	{"scrub: Latin-1",                       "caf\xe9 au lait", "caf" FFFD " au lait"},
	{"scrub: each byte of half a character", "\xe2\x82z",       FFFD FFFD "z"        },
	{"scrub: a surrogate",                   "\xed\xa0\x80",    FFFD FFFD FFFD       },
	{"scrub: cut short at the end",          "é\xc3",          "é" FFFD            },
	{"scrub: a byte too many",               "é\x80é",        "é" FFFD "é"       },
};

static void text_scrub_replaces(void **state)
{
	const struct scrub_row *row = *state;
	struct buf b;
	buf_init(&b, 100);
	assert_int_equal(buf_add(&b, STR("x")), 0);
	assert_int_equal(text_scrub(&b, str_of(row->text)), 0);
	assert_slice(str_skip(buf_str(&b), 1), row->expected);
	assert_true(text_is_utf8(buf_str(&b)));
	buf_fini(&b);
}

static void text_scrub_leaves_alone_what_gets_too_long(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 6);
	assert_int_equal(buf_add(&b, STR("x")), 0);
	assert_int_equal(text_scrub(&b, STR("abc\xff")), ERR_LIMIT);
	assert_slice(buf_str(&b), "x");
	assert_int_equal(text_scrub(&b, STR("ab\xff")), 0);
	assert_slice(buf_str(&b), "xab" FFFD);
	buf_fini(&b);
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, cut_rows, text_is_cut);
	check_rows(&c, cut_rows, text_is_cut_as_promised);
	check_test(&c, text_that_is_absent_has_no_part);
	check_test(&c, text_is_cut_as_promised_whatever_it_holds);
	check_test(&c, text_with_endless_clusters_and_codes_comes_to_its_end);
	check_rows(&c, scrub_rows, text_scrub_replaces);
	check_test(&c, text_scrub_leaves_alone_what_gets_too_long);
	check_rows(&c, utf8_rows, text_is_utf8_tells);
	check_test(&c, text_is_utf8_takes_a_nul);
	return check_run(&c, "text");
}
