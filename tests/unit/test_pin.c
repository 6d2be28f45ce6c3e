#include "net/pin.h"
#include "support/check.h"

#define HEX    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define UPPER  "0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF"
#define BASE64 "ASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4mrze8="

static const struct row {
	const char *name, *text;
	const char *pin; /* as it is printed; NULL: refused */
} rows[] = {
	{"hex",		       HEX,							       HEX        },
	{"capitals",                  UPPER,							     HEX        },
	{"colons between bytes",
         "01:23:45:67:89abcdef0123456789abcdef0123456789abcdef0123456789abcdef",                         HEX        },
	{"a key's in hex",            "spki:" HEX,						       "spki:" HEX},
	{"a key's with colons",
         "spki:01:23456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",		       "spki:" HEX},
	{"a key's in base64",         "spki:" BASE64,						    "spki:" HEX},
	{"nothing",                   "",								NULL       },
	{"a digit too few",           "123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
         NULL												       },
	{"a byte too many",           HEX "00",							  NULL       },
	{"a digit too many",          HEX "0",							   NULL       },
	{"a colon within a byte",
         "0:123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",                            NULL       },
	{"a letter that is no digit",
         "g123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",                             NULL       },
	{"base64 for a certificate",  BASE64,							    NULL       },
	{"base64 of 33 bytes",        "spki:ASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4mrzea0",               NULL       },
	{"base64 of 31 bytes",        "spki:ASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4mrzQ==",               NULL       },
	{"base64 that ends early",    "spki:ASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4m=ze8=",               NULL       },
	{"base64 with space",         "spki:  SNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4mrze8=",              NULL       },
	{"no digest",                 "spki:",							   NULL       },
	{"another prefix",            "sha256:" HEX,						     NULL       },
};

static void pin_is_read(void **state)
{
	const struct row *row = *state;
	struct pin pin = {.is_key = true, .sha256 = {42}};
	char text[PIN_TEXT_BYTES];

	bool ok = pin_parse(str_of(row->text), &pin);

	assert_int_equal(ok, row->pin != NULL);
	if (ok) {
		pin_format(&pin, text);
		assert_string_equal(text, row->pin);
	} else {
		assert_int_equal(pin.sha256[0], 42);
	}
}

static void pins_of_one_digest_and_two_kinds_differ(void **state)
{
	struct pin a = {.sha256 = {1}}, b = a, key = {.is_key = true, .sha256 = {1}};
	(void)state;
	assert_true(pin_equal(&a, &b));
	assert_false(pin_equal(&a, &key));
	b.sha256[31] = 1;
	assert_false(pin_equal(&a, &b));
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, rows, pin_is_read);
	check_test(&c, pins_of_one_digest_and_two_kinds_differ);
	return check_run(&c, "pin");
}
