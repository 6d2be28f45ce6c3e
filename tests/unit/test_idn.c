#include "net/idn.h"
#include "support/check.h"

#include <stdlib.h>
#include <string.h>

#define X63 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct row {
	const char *name, *text, *expected;
} names[] =
	{
		{"a name in ASCII",                "irc.example.net",         "irc.example.net"          },
		{"a name in capitals",             "IRC.Example.NET",         "IRC.Example.NET"          },
		{"a name with an underscore",      "_irc.my_host",            "_irc.my_host"             },
		{"an A-label",                     "xn--bcher-kva.example",   "xn--bcher-kva.example"    },
		{"nothing",                        "",                        ""                         },
		{"an umlaut",                      "bücher.example",         "xn--bcher-kva.example"    },
		{"an umlaut in capitals",          "BÜCHER.example",         "xn--bcher-kva.example"    },
		{"an umlaut of two characters",    "bu\u0308cher.example",    "xn--bcher-kva.example"    },
		{"what was mapped away once",      "faß.example",            "xn--fa-hia.example"       },
		{"an underscore beside an umlaut", "_irc.bücher.example",
                 "_irc.xn--bcher-kva.example"							    },
		{"another script",                 "例え.テスト",        "xn--r8jz45g.xn--zckzah"   },
		{"a script from right to left",    "אבג.example",          "xn--4dbcd.example"        },
		{"full-width dots",                "irc。bücher。example", "irc.xn--bcher-kva.example"},
},
  refusals[] = {
	  {"bytes that are no UTF-8", "b\xfc.example", "string encoding error"},
	  {"a label too long", "ü" X63 ".example", "punycode encoded data will be too large"},
	  {"a sign that is no letter", "♥.example", "string contains a disallowed character"},
	  {"two directions in a label", "aאb.example",
		  "string has forbidden bi-directional properties"},
};

static void a_name_becomes_ascii(void **state)
{
	const struct row *row = *state;
	char *out;

	assert_int_equal(idn_to_ascii(str_of(row->text), &out, NULL), 0);

	assert_string_equal(out, row->expected);
	free(out);
}

static void what_is_no_name_is_refused(void **state)
{
	const struct row *row = *state;
	struct err err;
	char *out;

	assert_int_equal(idn_to_ascii(str_of(row->text), &out, &err), ERR_INVALID);

	assert_null(out);
	assert_string_equal(err.text, row->expected);
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, names, a_name_becomes_ascii);
	check_rows(&c, refusals, what_is_no_name_is_refused);
	return check_run(&c, "idn");
}
