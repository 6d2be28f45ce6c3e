#include "irc/base64.h"
#include "irc/scram.h"

#include "support/check.h"

#include <string.h>

/* Base64. */

static const struct encode_row {
	const char *name, *bytes, *text;
} encode_rows[] = {
	{"base64: nothing",         "",                  ""                },
	{"base64: f",               "f",                 "Zg=="            },
	{"base64: fo",              "fo",                "Zm8="            },
	{"base64: foo",             "foo",               "Zm9v"            },
	{"base64: foob",            "foob",              "Zm9vYg=="        },
	{"base64: fooba",           "fooba",             "Zm9vYmE="        },
	{"base64: foobar",          "foobar",            "Zm9vYmFy"        },
	{"base64: the last digits", "\xfb\xff\xbf~",     "+/+/fg=="        },
	{"base64: high bytes",      "\xff\xfe\xfd",      "//79"            },
	{"base64: text",            "light w\xc3\xb6rk", "bGlnaHQgd8O2cms="},
};

static void bytes_become_text_and_back(void **state)
{
	const struct encode_row *row = *state;
	struct buf text, bytes;
	buf_init(&text, 100);
	buf_init(&bytes, 100);
	assert_int_equal(buf_add(&text, STR(">")), 0);
	assert_int_equal(buf_add(&bytes, STR(">")), 0);

	assert_int_equal(base64_encode(&text, str_of(row->bytes)), 0);
	assert_int_equal(base64_decode(&bytes, str_of(row->text)), 0);

	assert_slice(str_skip(buf_str(&text), 1), row->text);
	assert_slice(str_skip(buf_str(&bytes), 1), row->bytes);
	assert_int_equal(BASE64_BYTES(strlen(row->bytes)), strlen(row->text));
	buf_fini(&text);
	buf_fini(&bytes);
}

static const struct refuse_row {
	const char *name;
	struct str text;
} refuse_rows[] = {
	{"no base64: one digit",               STR_CONST("Z")           },
	{"no base64: two digits",              STR_CONST("Zg")          },
	{"no base64: three digits",            STR_CONST("Zm8")         },
	{"no base64: five digits",             STR_CONST("Zm9vY")       },
	{"no base64: one padded",              STR_CONST("Z===")        },
	{"no base64: padding alone",           STR_CONST("====")        },
	{"no base64: two of padding alone",    STR_CONST("==")          },
	{"no base64: padding too short",       STR_CONST("Zg=")         },
	{"no base64: padding too long",        STR_CONST("Zm9v====")    },
	{"no base64: padding first",           STR_CONST("=Zm9")        },
	{"no base64: padding within a group",  STR_CONST("Zg=v")        },
	{"no base64: padding within the text", STR_CONST("Zg==Zm9v")    },
	{"no base64: bits beyond one byte",    STR_CONST("Zh==")        },
	{"no base64: bits beyond two bytes",   STR_CONST("Zm9=")        },
	{"no base64: a space within",          STR_CONST("Zm v")        },
	{"no base64: a space in front",        STR_CONST(" Zm9vYg=")    },
	{"no base64: spaces in front",         STR_CONST("    Zm9v")    },
	{"no base64: spaces at the end",       STR_CONST("Zm9v    ")    },
	{"no base64: a line break",            STR_CONST("Zm9v\r\n\r\n")},
	{"no base64: the letters of URLs",     STR_CONST("-_-_")        },
	{"no base64: a minus at the end",      STR_CONST("Zm9vZm9-")    },
	{"no base64: an asterisk",             STR_CONST("Zm9*")        },
	{"no base64: a NUL",                   STR_CONST("Zm9\0")       },
	{"no base64: a high byte",             STR_CONST("Zm9\xc3")     },
};

static void text_is_refused(void **state)
{
	const struct refuse_row *row = *state;
	struct buf out;
	buf_init(&out, 100);
	assert_int_equal(buf_add(&out, STR("as it was")), 0);

	assert_int_equal(base64_decode(&out, row->text), ERR_INVALID);

	assert_slice(buf_str(&out), "as it was");
	buf_fini(&out);
}

static void base64_stays_within_the_maximum(void **state)
{
	(void)state;
	struct buf out;
	buf_init(&out, 8);

	assert_int_equal(base64_encode(&out, STR("foobarb")), ERR_LIMIT);
	assert_slice(buf_str(&out), "");
	assert_int_equal(base64_encode(&out, STR("fooba")), 0);
	assert_slice(buf_str(&out), "Zm9vYmE=");
	assert_int_equal(base64_encode(&out, STR("f")), ERR_LIMIT);
	assert_slice(buf_str(&out), "Zm9vYmE=");
	buf_reset(&out);
	assert_int_equal(base64_decode(&out, STR("Zm9vYmFyZm9v")), ERR_LIMIT);
	assert_slice(buf_str(&out), "");
	assert_int_equal(base64_decode(&out, STR("Zm9vYmFy")), 0);
	assert_slice(buf_str(&out), "foobar");
	buf_fini(&out);
}

/* SCRAM. */

#define OURS   "rOprNGfwEbeRWgbNEkqO"
#define THEIRS OURS "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define FIRST  "r=" THEIRS ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
#define FINAL  "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="

static const struct exchange_row {
	const char *name;
	enum scram_hash hash;
	const char *account, *password, *nonce;
	const char *client_first, *server_first, *client_final, *server_final;
} exchange_rows[] = {
	{"exchange: SHA-256, the example of RFC 7677, section 3",       SCRAM_SHA_256, "user",  "pencil",
         OURS,												   "n,,n=user,r=" OURS,    FIRST,
         "c=biws,r=" THEIRS ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",                                        FINAL                                           },
 /* these two computed with Python's hashlib */
	{"exchange: SHA-512",					   SCRAM_SHA_512, "user",  "pencil", OURS,  "n,,n=user,r=" OURS,
         "r=" OURS "Xy9s0kQ,s=AAECAwQFBgcICQoLDA0ODw==,i=5000",
         "c=biws,r=" OURS
		"Xy9s0kQ,p=yn6zT+RQ7EH/8zItRuW4ioKlu6RPx2L+MA0CQebOuoxLbOgvsESF9o57FYf8UVtYD1Kn+NeduS6vKZaS4AuRCw==",
         "v=2p3xdcT8DE59jhyZg60lQWny1abiiZPrK7+7l2VSMUz2SLd3G2VbrE/MXe1O4mwi/j7nFDr/v1Sy8xbXCKs28Q=="                                                                 },
	{"exchange: a name to be escaped, a password that is no ASCII", SCRAM_SHA_256, "a,b=c",
         "p\xc3\xa4role",										 "abc", "n,,n=a=2Cb=3Dc,r=abc", "r=abcdef,s=AP8=,i=4096",
         "c=biws,r=abcdef,p=0bq7QTffsy6Z8e5I3ExysmSzRlHS88uHLvUTL/lrWJc=",					    "v=xLYTcowTFfdd4quvU1dT220hIGgNXxkjBF4qHYJu40Y="},
};

static void both_sides_agree(void **state)
{
	const struct exchange_row *row = *state;
	struct scram s = {0};
	struct err err = {0};
	struct buf out;
	buf_init(&out, 1000);

	assert_int_equal(
		scram_begin(&s, row->hash, str_of(row->account), str_of(row->nonce), &out), 0);
	assert_slice(buf_str(&out), row->client_first);
	buf_reset(&out);
	assert_int_equal(
		scram_prove(&s, str_of(row->password), str_of(row->server_first), &out, &err), 0);
	assert_slice(buf_str(&out), row->client_final);
	assert_true(s.is_proven);
	assert_false(s.is_verified);
	assert_int_equal(scram_verify(&s, str_of(row->server_final), &err), 0);
	assert_true(s.is_verified);
	assert_string_equal(err.text, "");

	scram_fini(&s);
	buf_fini(&out);
}

static const char nothing[sizeof(struct scram)];

static void nothing_is_left_of_an_exchange(void **state)
{
	(void)state;
	struct scram s = {0};
	struct buf out;
	buf_init(&out, 1000);
	assert_int_equal(scram_begin(&s, SCRAM_SHA_256, STR("user"), STR(OURS), &out), 0);
	assert_int_equal(scram_prove(&s, STR("pencil"), STR(FIRST), &out, NULL), 0);
	assert_memory_not_equal(s.expected, nothing, sizeof(s.expected));

	scram_fini(&s);

	assert_memory_equal(&s, nothing, sizeof(s));
	scram_fini(&s);
	buf_fini(&out);
}

static const struct message_row {
	const char *name;
	struct str message;
	int code;
	const char *words; /* NULL: accepted */
} first_rows[] = {
#define SALT          ",s=W22ZaJ0SNY7soEsUEjb6gQ=="
#define NO_NONCE      "the server's first message has no nonce"
#define NO_SALT       "the server gives no salt"
#define NO_COUNT      "the server gives no iteration count"
#define SOMEBODY_ELSE "the server answers somebody else: its nonce does not continue ours"
	{"server-first: the least count",                      STR_CONST("r=" THEIRS SALT ",i=4096"),                 0,           NULL         },
	{"server-first: the highest count",                    STR_CONST("r=" THEIRS SALT ",i=100000"),               0,           NULL         },
	{"server-first: an extension after it",                STR_CONST("r=" THEIRS SALT ",i=4096,x=1,y"),           0,
												  NULL																   },
	{"server-first: a salt of one byte",                   STR_CONST("r=" THEIRS ",s=Zg==,i=4096"),               0,           NULL         },
	{"server-first: one more character",                   STR_CONST("r=" OURS "x" SALT ",i=4096"),               0,           NULL         },
	{"server-first: nothing",                              STR_CONST(""),                                         ERR_INVALID, NO_NONCE     },
	{"server-first: a word",                               STR_CONST("hello"),                                    ERR_INVALID, NO_NONCE     },
	{"server-first: one letter",                           STR_CONST("r"),                                        ERR_INVALID, NO_NONCE     },
	{"server-first: no equals sign",                       STR_CONST("r:" THEIRS SALT ",i=4096"),                 ERR_INVALID,
												  NO_NONCE															       },
	{"server-first: an empty nonce",                       STR_CONST("r=" SALT ",i=4096"),                        ERR_INVALID, NO_NONCE     },
	{"server-first: a space in the nonce",                 STR_CONST("r=" THEIRS " " SALT ",i=4096"),
												  ERR_INVALID,													      NO_NONCE     },
	{"server-first: a NUL in the nonce",                   STR_CONST("r=" THEIRS "\0" SALT ",i=4096"),
												  ERR_INVALID,													      NO_NONCE     },
	{"server-first: a high byte in it",                    STR_CONST("r=" THEIRS "\xff" SALT ",i=4096"),
												  ERR_INVALID,													      NO_NONCE     },
	{"server-first: the salt first",                       STR_CONST("s=Zg==,r=" THEIRS ",i=4096"),               ERR_INVALID,
												  NO_NONCE															       },
	{"server-first: our nonce alone",                      STR_CONST("r=" OURS SALT ",i=4096"),                   ERR_DENIED,
												  SOMEBODY_ELSE															  },
	{"server-first: less than our nonce",                  STR_CONST("r=rOprNGfwEbeRWgbNEkq" SALT ",i=4096"),
												  ERR_DENIED,													       SOMEBODY_ELSE},
	{"server-first: another nonce",                        STR_CONST("r=rOprNGfwEbeRWgbNEkqPabc" SALT ",i=4096"),
												  ERR_DENIED,													       SOMEBODY_ELSE},
	{"server-first: ours in another case",
												  STR_CONST("r=ROPRNGFWEBERWGBNEKQOabc" SALT ",i=4096"),                                                       ERR_DENIED,  SOMEBODY_ELSE},
	{"server-first: ours at the end",                      STR_CONST("r=abc" OURS SALT ",i=4096"),                ERR_DENIED,
												  SOMEBODY_ELSE															  },
	{"server-first: the nonce alone",                      STR_CONST("r=" THEIRS),                                ERR_INVALID, NO_SALT      },
	{"server-first: no salt",                              STR_CONST("r=" THEIRS ",i=4096"),                      ERR_INVALID, NO_SALT      },
	{"server-first: an empty salt",                        STR_CONST("r=" THEIRS ",s=,i=4096"),                   ERR_INVALID, NO_SALT      },
	{"server-first: a salt that is no base64",             STR_CONST("r=" THEIRS ",s=W22,i=4096"),
												  ERR_INVALID,													      NO_SALT      },
	{"server-first: no count",                             STR_CONST("r=" THEIRS SALT),                           ERR_INVALID, NO_COUNT     },
	{"server-first: an empty count",                       STR_CONST("r=" THEIRS SALT ",i="),                     ERR_INVALID, NO_COUNT     },
	{"server-first: a count in words",                     STR_CONST("r=" THEIRS SALT ",i=many"),                 ERR_INVALID,
												  NO_COUNT															       },
	{"server-first: a negative count",                     STR_CONST("r=" THEIRS SALT ",i=-4096"),                ERR_INVALID,
												  NO_COUNT															       },
	{"server-first: a count with a sign",                  STR_CONST("r=" THEIRS SALT ",i=+4096"),                ERR_INVALID,
												  NO_COUNT															       },
	{"server-first: a count with a nought",                STR_CONST("r=" THEIRS SALT ",i=04096"),                ERR_INVALID,
												  NO_COUNT															       },
	{"server-first: a count beyond 64 bits",
												  STR_CONST("r=" THEIRS SALT ",i=99999999999999999999"),                                                       ERR_INVALID, NO_COUNT     },
	{"server-first: count 1",                              STR_CONST("r=" THEIRS SALT ",i=1"),                    ERR_LIMIT,
												  "the server wants 1 iterations: fewer than 4096 are not safe"                                                                          },
	{"server-first: a count just too low",                 STR_CONST("r=" THEIRS SALT ",i=4095"),                 ERR_LIMIT,
												  "the server wants 4095 iterations: fewer than 4096 are not safe"                                                                       },
	{"server-first: a count just too high",                STR_CONST("r=" THEIRS SALT ",i=100001"),               ERR_LIMIT,
												  "the server wants 100001 iterations: more than 100000 take too long"                                                                   },
	{"server-first: a count beyond 32 bits",               STR_CONST("r=" THEIRS SALT ",i=4294971392"),
												  ERR_LIMIT,
												  "the server wants 4294971392 iterations: more than 100000 take too long"                                                               },
	{"server-first: an extension that must be understood", STR_CONST("m=x," FIRST),                               ERR_INVALID,
												  "the server wants an unknown extension of SCRAM"										       },
	{"server-first: an error",                             STR_CONST("e=unknown-user"),                           ERR_SASL,
												  "the server refuses: unknown-user"												     },
	{"server-first: an error without words",               STR_CONST("e="),                                       ERR_SASL,
												  "the server refuses: no reason given"												  },
	{"server-first: an error with a break",                STR_CONST("e=a\r\nQUIT"),                              ERR_SASL,
												  "the server refuses: no reason given"												  },
};

static void check_words(const struct err *err, int code, const char *words)
{
	assert_int_equal(err->code, code);
	assert_string_equal(err->text, words ? words : "");
}

static void server_first_is(void **state)
{
	const struct message_row *row = *state;
	struct scram s = {0};
	struct err err = {0};
	struct buf out;
	buf_init(&out, 1000);
	assert_int_equal(scram_begin(&s, SCRAM_SHA_256, STR("user"), STR(OURS), &out), 0);
	buf_reset(&out);

	assert_int_equal(scram_prove(&s, STR("pencil"), row->message, &out, &err), row->code);

	check_words(&err, row->code, row->words);
	assert_int_equal(s.is_proven, row->code == 0);
	assert_int_equal(out.n > 0, row->code == 0);
	assert_false(s.is_verified);
	scram_fini(&s);
	buf_fini(&out);
}

static const struct message_row final_rows[] = {
#define WRONG    "the server does not know the password: its signature is wrong"
#define UNPROVEN "the server does not prove that it knows the password: no signature"
	{"server-final: the signature",          STR_CONST(FINAL),                                            0,          NULL    },
	{"server-final: an extension after it",  STR_CONST(FINAL ",x=1"),                                     0,          NULL    },
	{"server-final: another signature",
											     STR_CONST("v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="),                                         ERR_DENIED, WRONG   },
	{"server-final: its last bit",           STR_CONST("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G8="),
											     ERR_DENIED,												      WRONG   },
	{"server-final: a byte less",            STR_CONST("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95A=="),
											     ERR_DENIED,												      WRONG   },
	{"server-final: a byte more",            STR_CONST("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4A"),
											     ERR_DENIED,												      WRONG   },
	{"server-final: 66 bytes",
											     STR_CONST(
			"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4A6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4A"),
											     ERR_DENIED,												      WRONG   },
	{"server-final: too long by far",
											     STR_CONST(
			"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4A6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4AAAAA"),
											     ERR_DENIED,												      WRONG   },
	{"server-final: one byte",               STR_CONST("v=6g=="),                                         ERR_DENIED, WRONG   },
	{"server-final: no base64",              STR_CONST("v=6rri!"),                                        ERR_DENIED, WRONG   },
	{"server-final: an empty signature",     STR_CONST("v="),                                             ERR_DENIED, UNPROVEN},
	{"server-final: nothing",                STR_CONST(""),                                               ERR_DENIED, UNPROVEN},
	{"server-final: server-first again",     STR_CONST(FIRST),                                            ERR_DENIED, UNPROVEN},
	{"server-final: an extension before it", STR_CONST("x=1," FINAL),                                     ERR_DENIED, UNPROVEN},
	{"server-final: an error",               STR_CONST("e=invalid-proof"),                                ERR_SASL,
											     "the server refuses: invalid-proof"										      },
	{"server-final: an error and more",      STR_CONST("e=invalid-proof,x=y"),                            ERR_SASL,
											     "the server refuses: invalid-proof"										      },
};

static void server_final_is(void **state)
{
	const struct message_row *row = *state;
	struct scram s = {0};
	struct err err = {0};
	struct buf out;
	buf_init(&out, 1000);
	assert_int_equal(scram_begin(&s, SCRAM_SHA_256, STR("user"), STR(OURS), &out), 0);
	assert_int_equal(scram_prove(&s, STR("pencil"), STR(FIRST), &out, &err), 0);

	assert_int_equal(scram_verify(&s, row->message, &err), row->code);

	check_words(&err, row->code, row->words);
	assert_int_equal(s.is_verified, row->code == 0);
	scram_fini(&s);
	buf_fini(&out);
}

static void another_password_makes_another_signature(void **state)
{
	(void)state;
	struct scram s = {0};
	struct buf out;
	buf_init(&out, 1000);
	assert_int_equal(scram_begin(&s, SCRAM_SHA_256, STR("user"), STR(OURS), &out), 0);
	assert_int_equal(scram_prove(&s, STR("pencils"), STR(FIRST), &out, NULL), 0);

	assert_int_equal(scram_verify(&s, STR(FINAL), NULL), ERR_DENIED);
	scram_fini(&s);
	buf_fini(&out);
}

/* Each side's message must be whole, or none of it counts. */
static void what_does_not_fit_is_refused(void **state)
{
	(void)state;
	struct scram s = {0};
	struct err err = {0};
	struct buf out;
	const size_t first = strlen("n,,n=user,r=" OURS),
		     final = strlen("c=biws,r=" THEIRS ",p=") + 44;

	for (size_t max = 0; max <= final; max++) {
		buf_init(&out, max);
		int r = scram_begin(&s, SCRAM_SHA_256, STR("user"), STR(OURS), &out);
		assert_int_equal(r, max < first ? ERR_LIMIT : 0);
		buf_reset(&out);
		if (r == 0)
			r = scram_prove(&s, STR("pencil"), STR(FIRST), &out, &err);
		assert_int_equal(r, max < final ? ERR_LIMIT : 0);
		scram_fini(&s);
		buf_fini(&out);
	}
	assert_string_equal(err.text, "the server's nonce is too long");
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, encode_rows, bytes_become_text_and_back);
	check_rows(&c, refuse_rows, text_is_refused);
	check_test(&c, base64_stays_within_the_maximum);
	check_rows(&c, exchange_rows, both_sides_agree);
	check_test(&c, nothing_is_left_of_an_exchange);
	check_rows(&c, first_rows, server_first_is);
	check_rows(&c, final_rows, server_final_is);
	check_test(&c, another_password_makes_another_signature);
	check_test(&c, what_does_not_fit_is_refused);
	return check_run(&c, "scram");
}
