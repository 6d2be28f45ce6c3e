#include "irc/casemap.h"

#include "support/check.h"

static const struct eq_row {
	const char *name;
	enum casemap casemap;
	const char *a, *b;
	bool is_eq;
} eq_rows[] = {
	{"ascii: letters",                          CASEMAP_ASCII,          "azAZ",  "AZaz", true },
	{"ascii: brackets",                         CASEMAP_ASCII,          "[",     "{",    false},
	{"ascii: backslash",                        CASEMAP_ASCII,          "\\",    "|",    false},
	{"ascii: caret",			    CASEMAP_ASCII,          "^",     "~",    false},
	{"ascii: what stands before the letters",   CASEMAP_ASCII,          "@",     "`",    false},
	{"ascii: digits",			   CASEMAP_ASCII,          "1",     "\x11", false},
	{"ascii: high bytes",                       CASEMAP_ASCII,          "\xc4",  "\xe4", false},
	{"rfc1459: letters",                        CASEMAP_RFC1459,        "azAZ",  "AZaz", true },
	{"rfc1459: brackets",                       CASEMAP_RFC1459,        "a[]\\", "A{}|", true },
	{"rfc1459: caret",                          CASEMAP_RFC1459,        "^~",    "~^",   true },
	{"rfc1459: what stands before the letters", CASEMAP_RFC1459,        "@",     "`",    false},
	{"rfc1459: what stands after the caret",    CASEMAP_RFC1459,        "_",     "\x7f", false},
	{"rfc1459: high bytes",                     CASEMAP_RFC1459,        "\xdb",  "\xfb", false},
	{"strict: brackets",                        CASEMAP_RFC1459_STRICT, "a[]\\", "A{}|", true },
	{"strict: caret",			   CASEMAP_RFC1459_STRICT, "^",     "~",    false},
	{"any: a longer one",                       CASEMAP_RFC1459,        "ab",    "abc",  false},
	{"any: the empty ones",                     CASEMAP_RFC1459,        "",      "",     true },
	{"any: another letter",                     CASEMAP_RFC1459,        "ab",    "ac",   false},
};

static void casemap_compares(void **state)
{
	const struct eq_row *row = *state;
	struct str a = str_of(row->a), b = str_of(row->b);
	assert_int_equal(casemap_eq(row->casemap, a, b), row->is_eq);
	assert_int_equal(casemap_eq(row->casemap, b, a), row->is_eq);
}

static void casemap_eq_agrees_with_folding(void **state)
{
	(void)state;
	for (int cm = CASEMAP_ASCII; cm <= CASEMAP_RFC1459_STRICT; cm++) {
		for (int i = 0; i < 256; i++) {
			char c = (char)i, folded;
			casemap_fold_str(cm, (struct str){&c, 1}, &folded);
			assert_int_equal(folded, casemap_fold(cm, c));
			assert_int_equal(casemap_fold(cm, folded), folded);
			assert_true(casemap_eq(cm, (struct str){&c, 1}, (struct str){&folded, 1}));
		}
	}
}

static void casemap_fold_str_keeps_the_length(void **state)
{
	(void)state;
	char out[] = "........";
	casemap_fold_str(CASEMAP_RFC1459, STR("#A[b]^\xc4"), out);
	assert_string_equal(out, "#a{b}~\xc4.");
	casemap_fold_str(CASEMAP_ASCII, STR_NONE, out);
	assert_string_equal(out, "#a{b}~\xc4.");
}

static void casemap_knows_its_names(void **state)
{
	(void)state;
	for (int cm = CASEMAP_ASCII; cm <= CASEMAP_RFC1459_STRICT; cm++) {
		enum casemap out = (enum casemap)(CASEMAP_RFC1459_STRICT - cm);
		assert_true(casemap_parse(str_of(casemap_name(cm)), &out));
		assert_int_equal(out, cm);
	}
	assert_string_equal(casemap_name(CASEMAP_RFC1459_STRICT), "rfc1459-strict");
}

static const struct parse_row {
	const char *name, *value;
	bool is_known;
	enum casemap casemap;
} parse_rows[] = {
	{"name: ascii",            "ascii",          true,  CASEMAP_ASCII         },
	{"name: rfc1459",          "rfc1459",        true,  CASEMAP_RFC1459       },
	{"name: rfc1459-strict",   "rfc1459-strict", true,  CASEMAP_RFC1459_STRICT},
	{"name: strict-rfc1459",   "strict-rfc1459", true,  CASEMAP_RFC1459_STRICT},
	{"name: capital letters",  "ASCII",          true,  CASEMAP_ASCII         },
	{"name: rfc7613",          "rfc7613",        false, CASEMAP_RFC1459       },
	{"name: empty",            "",               false, CASEMAP_RFC1459       },
	{"name: the start of one", "asc",            false, CASEMAP_RFC1459       },
	{"name: a longer one",     "ascii2",         false, CASEMAP_RFC1459       },
};

static void casemap_parse_reads(void **state)
{
	const struct parse_row *row = *state;
	enum casemap casemap = CASEMAP_RFC1459;
	assert_int_equal(casemap_parse(str_of(row->value), &casemap), row->is_known);
	assert_int_equal(casemap, row->casemap);
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, eq_rows, casemap_compares);
	check_test(&c, casemap_eq_agrees_with_folding);
	check_test(&c, casemap_fold_str_keeps_the_length);
	check_test(&c, casemap_knows_its_names);
	check_rows(&c, parse_rows, casemap_parse_reads);
	return check_run(&c, "casemap");
}
