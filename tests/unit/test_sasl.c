#include "irc/sasl.h"

#include "base/mem.h"
#include "base/rand.h"
#include "irc/base64.h"
#include "support/check.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NONCE    "rOprNGfwEbeRWgbNEkqO"
#define ACCOUNT  "user"
#define PASSWORD "pencil"

/* Keys, made once. */

static EVP_PKEY *p256;
static char *p256_pem, *traditional_pem, *p384_pem, *ed25519_pem, *encrypted_pem, *public_pem;

static char *read_all(BIO *bio)
{
	char *bytes;
	long n = BIO_get_mem_data(bio, &bytes);
	char *copy = str_dup((struct str){bytes, (size_t)n});
	BIO_free(bio);
	return copy;
}

static char *pem_of(EVP_PKEY *key, const EVP_CIPHER *cipher)
{
	BIO *bio = BIO_new(BIO_s_mem());
	unsigned char phrase[] = "phrase";
	assert_int_equal(
		PEM_write_bio_PrivateKey(bio, key, cipher, phrase, (int)sizeof(phrase), NULL, NULL),
		1);
	return read_all(bio);
}

/* As `openssl ecparam -genkey` writes it. */
static char *traditional_pem_of(EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	BIO_puts(bio, "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"
		      "-----END EC PARAMETERS-----\n");
	assert_int_equal(
		PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0, NULL, NULL), 1);
	return read_all(bio);
}

static char *public_pem_of(EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	assert_int_equal(PEM_write_bio_PUBKEY(bio, key), 1);
	return read_all(bio);
}

static char *take_pem(EVP_PKEY *key)
{
	char *pem = pem_of(key, NULL);
	EVP_PKEY_free(key);
	return pem;
}

static void make_keys(void)
{
	p256 = EVP_EC_gen("P-256");
	p256_pem = pem_of(p256, NULL);
	traditional_pem = traditional_pem_of(p256);
	encrypted_pem = pem_of(p256, EVP_aes_128_cbc());
	public_pem = public_pem_of(p256);
	p384_pem = take_pem(EVP_EC_gen("P-384"));
	ed25519_pem = take_pem(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
}

static void free_keys(void)
{
	char *const pems[] = {
		p256_pem, traditional_pem, encrypted_pem, public_pem, p384_pem, ed25519_pem};
	for (size_t i = 0; i < COUNTOF(pems); i++)
		free(pems[i]);
	EVP_PKEY_free(p256);
}

static const struct key_row {
	const char *name;
	char *const *pem; /* NULL: what is text */
	const char *text, *words;
} key_rows[] = {
#define NO_KEY  "holds no private key in PEM"
#define LOCKED  "is locked with a passphrase; store it without"
#define NO_P256 "holds a key that is not of the curve NIST P-256"
	{"key: P-256",                  &p256_pem,        NULL,						       NULL   },
	{"key: P-256, with parameters", &traditional_pem, NULL,                                                       NULL   },
	{"key: P-384",                  &p384_pem,        NULL,						       NO_P256},
	{"key: Ed25519",                &ed25519_pem,     NULL,						       NO_P256},
	{"key: with a passphrase",      &encrypted_pem,   NULL,                                                       LOCKED },
	{"key: the public half",        &public_pem,      NULL,						       NO_KEY },
	{"key: nothing",                NULL,             "",							 NO_KEY },
	{"key: a word",                 NULL,             "key",						      NO_KEY },
	{"key: an empty block",         NULL,             "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
									 NO_KEY													      },
	{"key: an unknown block",       NULL,
									 "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",                                            NO_KEY },
};

static void a_key_is(void **state)
{
	const struct key_row *row = *state;
	struct err err = {0};
	struct str pem = str_of(row->pem ? *row->pem : row->text);

	assert_int_equal(sasl_check_ecdsa_key(pem, &err), row->words ? ERR_CONFIG : 0);

	assert_string_equal(err.text, row->words ? row->words : "");
	assert_int_equal(sasl_check_ecdsa_key(pem, NULL), row->words ? ERR_CONFIG : 0);
}

/*
 * Conversations. A script has one line for each that the server sends, "<"; what ebb sends, ">",
 * and what became of the login, "=", is put between them, and the whole compared. "<64 x" is
 * AUTHENTICATE with x in base64; "abort" is the deadline.
 */

struct talk {
	struct sasl sasl;
	struct sasl_options options;
	struct buf out, script;
	enum sasl_result result;
	struct err setback; /* of the last line that went on */
};

static void add(struct buf *b, const char *prefix, struct str line)
{
	assert_int_equal(buf_addf(b, "%s%" STR_F "\n", prefix, STR_A(line)), 0);
}

/* Well-formed, and no longer than the specification has it. */
static void check_line(struct str line)
{
	struct str word = str_cut(&line, ' ');
	assert_slice(word, "AUTHENTICATE");
	assert_in_range(line.n, 1, SASL_CHUNK_BYTES);
	for (size_t i = 0; i < line.n; i++)
		assert_true(line.p[i] > ' ' && line.p[i] < 0x7f);
}

static void take_out(struct talk *t)
{
	struct str rest = buf_str(&t->out);
	assert_true(rest.n <= SASL_OUT_MAX_BYTES);
	while (rest.n) {
		struct str line = str_cut(&rest, '\n');
		assert_non_null(rest.p);
		assert_true(line.n > 0 && line.p[line.n - 1] == '\r');
		line.n--;
		check_line(line);
		add(&t->script, "> ", line);
	}
	buf_reset(&t->out);
}

static void note_result(struct talk *t, enum sasl_result result, const struct err *why)
{
	take_out(t);
	t->result = result;
	assert_int_equal(sasl_is_under_way(&t->sasl), result == SASL_GOES_ON);
	if (result == SASL_GOES_ON)
		t->setback = *why;
	else
		assert_int_equal(why->code, result == SASL_FAILED ? ERR_SASL : 0);
	assert_null(strstr(why->text, PASSWORD));
	if (result == SASL_LOGGED_IN)
		add(&t->script, "= logged in", STR(""));
	if (result == SASL_FAILED)
		add(&t->script, "= failed: ", str_of(why->text));
}

static void begin(struct talk *t, struct str offered)
{
	struct err why = {0};
	enum sasl_result r = sasl_begin(&t->sasl, &t->options, offered, &t->out, &why);
	note_result(t, r, &why);
}

static void hear(struct talk *t, struct str line)
{
	struct message m;
	struct err why = {0};
	assert_int_equal(message_parse(&m, line), 0);
	bool was_idle = !sasl_is_under_way(&t->sasl);
	enum sasl_result r = sasl_hear(&t->sasl, &m, &t->out, &why);
	if (was_idle) {
		assert_int_equal(r, SASL_GOES_ON);
		assert_int_equal(t->out.n, 0);
		return;
	}
	note_result(t, r, &why);
}

static void hear_base64(struct talk *t, struct str text)
{
	struct buf line;
	buf_init(&line, 8192);
	assert_int_equal(buf_add(&line, STR("AUTHENTICATE ")), 0);
	assert_int_equal(base64_encode(&line, text), 0);
	hear(t, buf_str(&line));
	buf_fini(&line);
}

static void run_line(struct talk *t, struct str line)
{
	add(&t->script, "", line);
	if (str_starts(line, STR("<64 "))) {
		hear_base64(t, str_skip(line, 4));
	} else if (str_starts(line, STR("< "))) {
		hear(t, str_skip(line, 2));
	} else {
		assert_slice(line, "abort");
		sasl_abort(&t->sasl, &t->out);
		take_out(t);
		assert_false(sasl_is_under_way(&t->sasl));
	}
}

/* "scram-sha-256 plain" */
static void configure(struct talk *t, struct str names)
{
	struct str name;
	t->options = (struct sasl_options){.account = ACCOUNT,
		.password = PASSWORD,
		.ecdsa_key = p256_pem,
		.allows_plain = true,
		.nonce = NONCE};
	while ((name = str_word(&names, " ")).n)
		assert_true(sasl_parse(name, &t->options.mechanisms[t->options.n_mechanisms++]));
}

static void init(struct talk *t, const char *mechanisms)
{
	*t = (struct talk){0};
	buf_init(&t->out, SASL_OUT_MAX_BYTES);
	buf_init(&t->script, 256 * 1024);
	configure(t, str_of(mechanisms));
}

static void fini(struct talk *t)
{
	sasl_fini(&t->sasl);
	assert_false(sasl_is_under_way(&t->sasl));
	buf_fini(&t->out);
	buf_fini(&t->script);
}

/* The lines of the script that are the server's are fed, and all of it is expected. */
static void run_script(struct talk *t, struct str script)
{
	while (script.n) {
		struct str line = str_cut(&script, '\n');
		if (line.n && line.p[0] != '>' && line.p[0] != '=')
			run_line(t, line);
	}
}

#define HI        "< AUTHENTICATE +\n"
#define OK        "< :s 903 bot :SASL authentication successful\n= logged in\n"
#define DENIED    "< :s 904 bot :Invalid credentials\n"
#define ABORTED   "< :s 906 bot :SASL authentication aborted\n"
#define STARRED   "> AUTHENTICATE *\n"
#define EXTERNAL  "> AUTHENTICATE EXTERNAL\n"
#define PLAIN     "> AUTHENTICATE PLAIN\n"
#define PLAINLY   PLAIN HI "> AUTHENTICATE AHVzZXIAcGVuY2ls\n"
#define SCRAM     "> AUTHENTICATE SCRAM-SHA-256\n"
#define SCRAM_512 "> AUTHENTICATE SCRAM-SHA-512\n"
#define ECDSA     "> AUTHENTICATE ECDSA-NIST256P-CHALLENGE\n"
#define FIRST     HI "> AUTHENTICATE biwsbj11c2VyLHI9ck9wck5HZndFYmVSV2diTkVrcU8=\n"
#define PROOF                                                                                 \
	"<64 r=" NONCE "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096\n"   \
	"> AUTHENTICATE Yz1iaXdzLHI9ck9wck5HZndFYmVSV2diTkVrcU8laHZZRHBXVWEyUmFUQ0FmdXhGSWxq" \
	"KWhObEYkazAscD1kSHpiWmFwV0lrNGpVaE4rVXRlOXl0YWc5empmTUhnc3FtbWl6N0FuZFZRPQ==\n"
#define VERIFIED "<64 v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=\n> AUTHENTICATE +\n"
#define NO_PROOF "the server lets us in without having shown that it knows the password\n"
#define ALL      "external scram-sha-512 scram-sha-256 ecdsa-nist256p-challenge plain"

static const struct talk_row {
	const char *name, *mechanisms, *offered, *script;
} talk_rows[] = {
  /* each mechanism */
	{"external: logs in",				"external",                          "",                      EXTERNAL HI "> AUTHENTICATE +\n" OK                  },
	{"external: the account comes first",                "external",                          "",
         EXTERNAL HI
		"> AUTHENTICATE +\n< :s 900 bot bot!b@h user :You are now logged in\n" OK                                                                                       },
	{"plain: logs in",				   "plain",                             "",                      PLAINLY OK                                           },
	{"plain: with a source",                             "plain",                             "",
         PLAIN "< :s AUTHENTICATE +\n> AUTHENTICATE AHVzZXIAcGVuY2ls\n" OK												      },
	{"plain: in small letters",                          "plain",                             "",
         PLAIN "< authenticate :+\n> AUTHENTICATE AHVzZXIAcGVuY2ls\n" OK													},
	{"scram-sha-256: logs in",                           "scram-sha-256",                     "",                      SCRAM FIRST PROOF VERIFIED OK                        },
	{"scram-sha-512: logs in",                           "scram-sha-512",                     "",
         SCRAM_512 FIRST
		"<64 r=" NONCE "Xy9s0kQ,s=AAECAwQFBgcICQoLDA0ODw==,i=5000\n"
		"> AUTHENTICATE "
		"Yz1iaXdzLHI9ck9wck5HZndFYmVSV2diTkVrcU9YeTlzMGtRLHA9eW42elQrUlE3RUgvOHpJdFJ1VzRpb0ts"
		"dTZSUHgyTCtNQTBDUWViT3VveExiT2d2c0VTRjlvNTdGWWY4VVZ0WUQxS24rTmVkdVM2dktaYVM0QXVSQ3c9"
		"PQ==\n"
		"<64 v=2p3xdcT8DE59jhyZg60lQWny1abiiZPrK7+7l2VSMUz2SLd3G2VbrE/MXe1O4mwi/j7nFDr/v1Sy8xbXCKs28Q==\n"
		"> AUTHENTICATE +\n" OK																	 },

 /* each numeric */
	{"900 decides nothing",                              "plain",                             "",
         PLAIN "< :s 900 bot bot!b@h user :You are now logged in\n" HI
		      "> AUTHENTICATE AHVzZXIAcGVuY2ls\n" OK														    },
	{"901 decides nothing",                              "plain",                             "",
         PLAINLY "< :s 901 bot bot!b@h :You are now logged out\n" OK													    },
	{"902 fails, whatever could be tried",               "external plain",                    "",
         EXTERNAL "< :s 902 bot :You must use a nick assigned to you\n"
			 "= failed: external: You must use a nick assigned to you\n"											    },
	{"903 before anything was asked",                    "plain",                             "",                      PLAIN OK                                             },
	{"904 at once",				      "plain",                             "",                      PLAIN DENIED "= failed: plain: Invalid credentials\n"},
	{"904 after the password",                           "plain",                             "",
         PLAINLY DENIED "= failed: plain: Invalid credentials\n"														},
	{"904 without words",				"plain",                             "",
         PLAIN "< :s 904 bot\n= failed: plain: the server says 904\n"													   },
	{"904 with empty words",                             "plain",                             "",
         PLAIN "< :s 904 bot :\n= failed: plain: the server says 904\n"													 },
	{"904 with no parameter",                            "plain",                             "",
         PLAIN "< 904\n= failed: plain: the server says 904\n"														  },
	{"904 with many words",                              "plain",                             "",
         PLAIN
		"< :s 904 bot :one two three four five six seven eight nine ten eleven twelve "
		"thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty\n"
		"= failed: plain: one two three four five six seven eight nine ten eleven twelve "
		"thirteen fourteen fifteen sixteen seventeen eighteen\n"													},
	{"905 is a failure",				 "plain",                             "",
         PLAINLY
		"< :s 905 bot :SASL message too long\n= failed: plain: SASL message too long\n"                                                                                 },
	{"906 is a failure",				 "plain",                             "",
         PLAIN ABORTED "= failed: plain: SASL authentication aborted\n"													 },
	{"907 is a success",				 "plain",                             "",
         PLAIN "< :s 907 bot :You have already authenticated\n= logged in\n"												    },
	{"907 is a success for SCRAM that has not begun",    "scram-sha-256",                     "",
         SCRAM "< :s 907 bot :You have already authenticated\n= logged in\n"												    },
	{"908 restricts what comes next",                    ALL,                                 "",
         EXTERNAL
		"< :s 908 bot PLAIN,SCRAM-SHA-256 :are available SASL mechanisms\n" DENIED SCRAM
			DENIED PLAINLY OK																       },
	{"908 does not let one be tried again",              "external",                          "",
         EXTERNAL "< :s 908 bot EXTERNAL :are available SASL mechanisms\n" DENIED
			 "= failed: external: Invalid credentials\n"													    },
	{"908 has the last word",                            "external plain",                    "EXTERNAL,PLAIN",
         EXTERNAL "< :s 908 bot EXTERNAL :are available SASL mechanisms\n" DENIED
			 "= failed: external: Invalid credentials; plain is not offered\n"                                                                                      },
	{"908 names what was not listed",                    "external plain",                    "EXTERNAL",
         EXTERNAL "< :s 908 bot EXTERNAL,PLAIN :are available\n" DENIED PLAINLY OK											      },
	{"908 without a list",			       "external plain",                    "",
         EXTERNAL "< :s 908 bot\n< :s 908\n" DENIED PLAINLY OK														  },
	{"908 with an empty list",                           "external plain",                    "",
         EXTERNAL "< :s 908 bot  :\n" DENIED PLAINLY OK															 },
	{"908 after 904",				    "external scram-sha-256 plain",      "",
         EXTERNAL DENIED SCRAM "< :s 908 bot PLAIN :are available\n" DENIED PLAINLY OK                                                                                          },

 /* which mechanism */
	{"the first that is configured",                     ALL,                                 "",                      EXTERNAL                                             },
	{"the order is the configuration's",                 "plain external",                    "EXTERNAL,PLAIN",        PLAIN                                                },
	{"the first that is offered",                        ALL,                                 "PLAIN,SCRAM-SHA-256",   SCRAM                                                },
	{"offered in small letters",                         ALL,                                 "plain",                 PLAIN                                                },
	{"offered with spaces",                              ALL,                                 "X, PLAIN",              PLAIN                                                },
	{"offered with empty words",                         ALL,                                 ",,PLAIN,",              PLAIN                                                },
	{"part of a name is not offered",                    "plain",                             "PLAINTEXT,XPLAIN,PLAI",
         "= failed: plain is not offered; the server offers PLAINTEXT,XPLAIN,PLAI\n"											    },
	{"nothing fits",				     "scram-sha-256 plain",               "EXTERNAL,X",
         "= failed: scram-sha-256 is not offered; plain is not offered; the server offers "
		"EXTERNAL,X\n"																		  },
	{"nothing is configured",                            "",                                  "",                      "= failed: no mechanism is configured\n"             },
	{"nothing is configured, much offered",              "",                                  "PLAIN",
         "= failed: no mechanism is configured; the server offers PLAIN\n"												      },
	{"one after the other",                              ALL,                                 "",
         EXTERNAL DENIED SCRAM_512 DENIED SCRAM DENIED ECDSA DENIED PLAIN DENIED
		"= failed: external: Invalid credentials; scram-sha-512: Invalid credentials; "
		"scram-sha-256: Invalid credentials; ecdsa-nist256p-challenge: Invalid credentials; "
		"plain: Invalid credentials\n"																  },
	{"one that is named twice is tried once",            "plain plain",                       "",
         PLAIN DENIED "= failed: plain: Invalid credentials; plain: Invalid credentials\n"                                                                                      },
	{"a wrong password may go on to PLAIN",              "scram-sha-256 plain",               "",
         SCRAM FIRST PROOF DENIED PLAINLY OK																    },
	{"an error of SCRAM's, then 904",                    "scram-sha-256 plain",               "",
         SCRAM FIRST PROOF "<64 e=invalid-proof\n" DENIED PLAINLY OK													    },
	{"an error of SCRAM's has the better words",         "scram-sha-256",                     "",
         SCRAM FIRST PROOF "<64 e=invalid-proof\n" DENIED
				  "= failed: scram-sha-256: the server refuses: invalid-proof\n"                                                                                },
	{"an error of SCRAM's instead of a salt",            "scram-sha-256",                     "",
         SCRAM FIRST "<64 e=unknown-user\n" DENIED
			    "= failed: scram-sha-256: the server refuses: unknown-user\n"                                                                                       },
	{"an error of SCRAM's, then more of it",             "scram-sha-256",                     "",
         SCRAM FIRST PROOF "<64 e=invalid-proof\n<64 x\n" STARRED ABORTED
				  "= failed: scram-sha-256: the server refuses: invalid-proof\n"                                                                                },
	{"904 after the signature",                          "scram-sha-256 plain",               "",
         SCRAM FIRST PROOF VERIFIED DENIED PLAINLY OK															   },
	{"another hash after a failure",                     "scram-sha-512 scram-sha-256",       "",
         SCRAM_512 FIRST DENIED SCRAM FIRST PROOF VERIFIED OK														   },

 /* a server that lies */
	{"lies: a wrong nonce",                              "scram-sha-256 plain",               "",
         SCRAM FIRST
		"<64 r=abcdef,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096\n" STARRED
		"= failed: scram-sha-256: the server answers somebody else: its nonce does not continue "
		"ours\n" ABORTED																		},
	{"lies: a wrong signature",                          "scram-sha-256 plain",               "",
         SCRAM FIRST PROOF
		"<64 v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=\n" STARRED
		"= failed: scram-sha-256: the server does not know the password: its signature is wrong\n" DENIED
			HI																		      },
	{"lies: no signature",			       "scram-sha-256 plain",               "",
         SCRAM FIRST PROOF HI STARRED
		"= failed: scram-sha-256: the server does not prove that it knows the password: no "
		"signature\n"																		   },
	{"lies: 903 at once",				"scram-sha-256 plain",               "",
         SCRAM "< :s 903 bot :ok\n" STARRED "= failed: scram-sha-256: " NO_PROOF												},
	{"lies: 903 before the proof",                       "scram-sha-512 plain",               "",
         SCRAM_512 FIRST "< :s 903 bot :ok\n" STARRED "= failed: scram-sha-512: " NO_PROOF                                                                                      },
	{"lies: 903 before the signature",                   "scram-sha-256 plain",               "",
         SCRAM FIRST PROOF "< :s 903 bot :ok\n" STARRED
				  "= failed: scram-sha-256: " NO_PROOF													  },
	{"lies: 903 after an error",                         "scram-sha-256 plain",               "",
         SCRAM FIRST PROOF "<64 e=other-error\n< :s 903 bot :ok\n" STARRED
				  "= failed: scram-sha-256: " NO_PROOF													  },
	{"lies: 903 after an abort",                         "scram-sha-256 plain",               "",
         SCRAM FIRST "<64 x\n" STARRED
			    "< :s 903 bot :ok\n= failed: scram-sha-256: " NO_PROOF											      },
	{"lies: 907 before the signature",                   "scram-sha-256 plain",               "",
         SCRAM FIRST PROOF "< :s 907 bot :ok\n" STARRED
				  "= failed: scram-sha-256: " NO_PROOF													  },
	{"lies: after one mechanism failed",                 "scram-sha-512 scram-sha-256 plain", "",
         SCRAM_512 DENIED SCRAM "< :s 903 bot :ok\n" STARRED
				       "= failed: scram-sha-256: " NO_PROOF												     },
	{"a signature does not outlive its mechanism",       "scram-sha-256 scram-sha-512",       "",
         SCRAM FIRST PROOF VERIFIED DENIED SCRAM_512 "< :s 903 bot :ok\n" STARRED
							    "= failed: scram-sha-512: " NO_PROOF                                                                                },

 /* nonsense */
	{"no base64",					"plain",                             "",
         PLAIN "< AUTHENTICATE abc\n" STARRED ABORTED
		      "= failed: plain: what the server sends is no base64\n"												   },
	{"no base64, then the next",                         "external plain",                    "",
         EXTERNAL "< AUTHENTICATE !\n" STARRED ABORTED PLAINLY OK													       },
	{"a plus sign and more",                             "plain",                             "",
         PLAIN "< AUTHENTICATE +++\n" STARRED ABORTED
		      "= failed: plain: what the server sends is no base64\n"												   },
	{"a star of the server's",                           "plain",                             "",
         PLAIN "< AUTHENTICATE *\n" STARRED ABORTED
		      "= failed: plain: what the server sends is no base64\n"												   },
	{"AUTHENTICATE without a parameter",                 "plain",                             "",
         PLAIN "< AUTHENTICATE\n< AUTHENTICATE :\n" HI
		      "> AUTHENTICATE AHVzZXIAcGVuY2ls\n" OK														    },
	{"a challenge where none is expected",               "plain",                             "",
         PLAIN "<64 hello\n> AUTHENTICATE AHVzZXIAcGVuY2ls\n" OK														},
	{"a challenge too many",                             "plain",                             "",
         PLAINLY HI STARRED ABORTED
		"= failed: plain: the server asks for more than there is\n"												     },
	{"a challenge too many of EXTERNAL",                 "external",                          "",
         EXTERNAL HI "> AUTHENTICATE +\n" HI STARRED ABORTED
			    "= failed: external: the server asks for more than there is\n"                                                                                      },
	{"a challenge too many of SCRAM",                    "scram-sha-256",                     "",
         SCRAM FIRST PROOF VERIFIED HI STARRED DENIED
		"= failed: scram-sha-256: the server asks for more than there is\n"											     },
	{"a challenge too many, then success",               "scram-sha-256",                     "",
         SCRAM FIRST PROOF VERIFIED HI STARRED OK															       },
	{"no SCRAM at all",				  "scram-sha-256 plain",               "",
         SCRAM FIRST "<64 hello\n" STARRED ABORTED PLAINLY OK														   },
	{"too few iterations",			       "scram-sha-256",                     "",
         SCRAM FIRST
		"<64 r=" NONCE "x,s=AAAA,i=1\n" STARRED ABORTED
		"= failed: scram-sha-256: the server wants 1 iterations: fewer than 4096 are not safe\n"                                                                        },
	{"too many iterations",                              "scram-sha-256",                     "",
         SCRAM FIRST
		"<64 r=" NONCE "x,s=AAAA,i=1000000\n" STARRED ABORTED
		"= failed: scram-sha-256: the server wants 1000000 iterations: more than 100000 take too "
		"long\n"																			},
	{"a challenge of ECDSA that is too short",           "ecdsa-nist256p-challenge",          "",
         ECDSA HI
		"> AUTHENTICATE dXNlcg==\n<64 1234567890123456789012345678901\n" STARRED ABORTED
		"= failed: ecdsa-nist256p-challenge: the challenge has 31 bytes, not 32\n"                                                                                      },
	{"a challenge of ECDSA that is too long",            "ecdsa-nist256p-challenge",          "",
         ECDSA HI
		"> AUTHENTICATE dXNlcg==\n<64 123456789012345678901234567890123\n" STARRED ABORTED
		"= failed: ecdsa-nist256p-challenge: the challenge has 33 bytes, not 32\n"                                                                                      },
	{"no challenge of ECDSA",                            "ecdsa-nist256p-challenge",          "",
         ECDSA HI "> AUTHENTICATE dXNlcg==\n" HI STARRED ABORTED
			 "= failed: ecdsa-nist256p-challenge: the challenge has 0 bytes, not 32\n"                                                                              },
	{"while aborting, challenges are not heard",         "external plain",                    "",
         EXTERNAL "< AUTHENTICATE !\n" STARRED HI
			 "< AUTHENTICATE !\n<64 x\n" DENIED PLAINLY OK													  },
	{"while aborting, 902 is",                           "external plain",                    "",
         EXTERNAL "< AUTHENTICATE !\n" STARRED "< :s 902 bot :no\n= failed: external: no\n"                                                                                     },
	{"while aborting, the deadline sends no other star", "plain",                             "",
         PLAIN "< AUTHENTICATE !\n" STARRED "abort\n"															   },
	{"other lines are passed over",                      "plain",                             "",
         PLAIN
		"< PING x\n< :s 001 bot :hi\n< :s 909 bot :hi\n< :s 899 bot :hi\n< CAP * LS :sasl\n" HI
		"> AUTHENTICATE AHVzZXIAcGVuY2ls\n" OK															  },

 /* unsolicited */
	{"what comes after success is not heard",            "plain",                             "",
         PLAINLY OK HI DENIED "< :s 903 bot :again\n"															   },
	{"what comes after failure is not heard",            "plain",                             "",
         PLAIN DENIED "= failed: plain: Invalid credentials\n" HI "< :s 903 bot :ok\n"                                                                                          },
	{"what comes after the deadline is not heard",       "external plain",                    "",
         EXTERNAL "abort\n" STARRED ABORTED HI "< :s 903 bot :ok\nabort\n"												      },
};

static void a_conversation_goes(void **state)
{
	const struct talk_row *row = *state;
	struct talk t;
	init(&t, row->mechanisms);

	begin(&t, str_of(row->offered));
	run_script(&t, str_of(row->script));

	assert_string_equal(buf_str(&t.script).p, row->script);
	fini(&t);
}

/* Each line of a conversation, when nothing is under way. */
static void what_is_unsolicited_is_not_heard(void **state)
{
	(void)state;
	struct talk t;
	init(&t, ALL);

	for (size_t i = 0; i < COUNTOF(talk_rows); i++)
		run_script(&t, str_of(talk_rows[i].script));

	assert_null(strchr(buf_str(&t.script).p, '>'));
	assert_null(strstr(buf_str(&t.script).p, "\n="));
	fini(&t);
}

static void a_server_that_has_not_told_what_it_offers(void **state)
{
	(void)state;
	struct talk t;
	init(&t, "plain");

	begin(&t, STR_NONE);

	assert_string_equal(buf_str(&t.script).p, PLAIN);
	fini(&t);
}

/* What a mechanism lacks. */

static void no_account(struct sasl_options *o)
{
	o->account = NULL;
}

static void empty_account(struct sasl_options *o)
{
	o->account = "";
}

static void no_password(struct sasl_options *o)
{
	o->password = NULL;
}

static void no_key(struct sasl_options *o)
{
	o->ecdsa_key = NULL;
}

static void no_tls(struct sasl_options *o)
{
	o->allows_plain = false;
}

static const struct lack_row {
	const char *name, *mechanisms, *script;
	void (*change)(struct sasl_options *o);
} lack_rows[] = {
	{"lacks: an account",                      ALL,
         EXTERNAL DENIED
		"= failed: external: Invalid credentials; scram-sha-512 has no account; "
		"scram-sha-256 has no account; ecdsa-nist256p-challenge has no account; plain has no "
		"account\n",											     no_account },
	{"lacks: a name of the account",           "plain",                          "= failed: plain has no account\n",
         empty_account													      },
	{"lacks: a password",                      ALL,
         EXTERNAL DENIED ECDSA DENIED
		"= failed: external: Invalid credentials; scram-sha-512 has no password; "
		"scram-sha-256 has no password; ecdsa-nist256p-challenge: Invalid credentials; plain has "
		"no password\n",											 no_password},
	{"lacks: a key",			   "ecdsa-nist256p-challenge plain", PLAIN,                              no_key     },
	{"lacks: a key, and nothing else is left", "ecdsa-nist256p-challenge",
         "= failed: ecdsa-nist256p-challenge has no key\n",                                                              no_key     },
	{"lacks: TLS",			     "plain scram-sha-256",
         SCRAM DENIED "= failed: plain needs TLS; scram-sha-256: Invalid credentials\n",
         no_tls														     },
	{"lacks: TLS, and nothing else is left",   "plain",                          "= failed: plain needs TLS\n",      no_tls     },
};

static void a_mechanism_lacks(void **state)
{
	const struct lack_row *row = *state;
	struct talk t;
	init(&t, row->mechanisms);
	row->change(&t.options);

	begin(&t, STR(""));
	run_script(&t, str_of(row->script));

	assert_string_equal(buf_str(&t.script).p, row->script);
	fini(&t);
}

/* The options may go once the login has begun. */
static void options_are_copied(void **state)
{
	(void)state;
	struct talk t;
	init(&t, "plain");
	char account[] = ACCOUNT, password[] = PASSWORD;
	t.options.account = account;
	t.options.password = password;

	begin(&t, STR(""));
	memset(account, 'x', sizeof(account) - 1);
	memset(password, 'x', sizeof(password) - 1);
	memset(&t.options, 0, sizeof(t.options));
	run_script(&t, STR(HI));

	assert_string_equal(buf_str(&t.script).p, PLAINLY);
	fini(&t);
}

static void a_new_login_takes_the_place_of_the_old(void **state)
{
	(void)state;
	struct talk t;
	init(&t, "external plain");

	begin(&t, STR(""));
	run_script(&t, STR(DENIED));
	begin(&t, STR(""));

	assert_string_equal(buf_str(&t.script).p, EXTERNAL DENIED PLAIN EXTERNAL);
	fini(&t);
}

static void a_mechanism_that_gives_way_is_told_of(void **state)
{
	(void)state;
	struct talk t;
	init(&t, "external plain");

	begin(&t, STR(""));
	assert_int_equal(t.setback.code, 0);
	run_script(&t, STR(DENIED));
	assert_int_equal(t.setback.code, ERR_SASL);
	assert_string_equal(t.setback.text, "external: Invalid credentials");
	run_script(&t, STR(HI));
	assert_int_equal(t.setback.code, 0);

	fini(&t);
}

/* Chunks. What is sent: a PLAIN response of so many bytes as lines of so many. */

static const struct sent_row {
	const char *name;
	size_t password_bytes;
	const char *lengths;
} sent_rows[] = {
	{"sent: 396 characters",  297 - 6,  "396"            },
	{"sent: 400 characters",  298 - 6,  "400 +"          },
	{"sent: 400, two short",  299 - 6,  "400 +"          },
	{"sent: 400, full",       300 - 6,  "400 +"          },
	{"sent: 404 characters",  301 - 6,  "400 4"          },
	{"sent: 800 characters",  600 - 6,  "400 400 +"      },
	{"sent: 804 characters",  601 - 6,  "400 400 4"      },
	{"sent: 1596 characters", 1197 - 6, "400 400 400 396"},
};

static char *filled(size_t n)
{
	char *s = mem_new(n + 1);
	memset(s, 'p', n);
	return s;
}

/* The lengths of what follows AUTHENTICATE, and all of it together, decoded. */
static void measure(struct str out, struct buf *lengths, struct buf *decoded)
{
	struct buf text;
	buf_init(&text, SASL_OUT_MAX_BYTES);
	while (out.n) {
		struct str line = str_cut(&out, '\n');
		line = str_skip((struct str){line.p, line.n - 1}, strlen("AUTHENTICATE "));
		const char *space = lengths->n ? " " : "";
		if (str_eq(line, STR("+"))) {
			assert_int_equal(buf_addf(lengths, "%s+", space), 0);
			continue;
		}
		assert_int_equal(buf_addf(lengths, "%s%zu", space, line.n), 0);
		assert_int_equal(buf_add(&text, line), 0);
	}
	assert_int_equal(base64_decode(decoded, buf_str(&text)), 0);
	buf_fini(&text);
}

static void hear_raw(struct talk *t, struct str line)
{
	struct message m;
	struct err why = {0};
	assert_int_equal(message_parse(&m, line), 0);
	t->result = sasl_hear(&t->sasl, &m, &t->out, &why);
}

static void a_response_is_sent_in_chunks(void **state)
{
	const struct sent_row *row = *state;
	struct talk t;
	init(&t, "plain");
	char *password = filled(row->password_bytes);
	t.options.password = password;
	struct buf lengths, decoded;
	buf_init(&lengths, 1000);
	buf_init(&decoded, SASL_DATA_MAX_BYTES);

	begin(&t, STR(""));
	hear_raw(&t, STR("AUTHENTICATE +"));
	measure(buf_str(&t.out), &lengths, &decoded);

	assert_string_equal(buf_str(&lengths).p, row->lengths);
	assert_int_equal(decoded.n, row->password_bytes + 6);
	assert_memory_equal(buf_str(&decoded).p, "\0user\0", 6);
	assert_string_equal(buf_str(&decoded).p + 6, password);
	take_out(&t);
	free(password);
	buf_fini(&lengths);
	buf_fini(&decoded);
	fini(&t);
}

static void a_response_has_a_maximum(void **state)
{
	(void)state;
	struct talk t;
	for (size_t n = SASL_DATA_MAX_BYTES - 6; n <= SASL_DATA_MAX_BYTES - 5; n++) {
		init(&t, "plain");
		char *password = filled(n);
		t.options.password = password;

		begin(&t, STR(""));
		run_script(&t, STR(HI));

		bool is_refused = strstr(buf_str(&t.script).p, STARRED) != NULL;
		assert_int_equal(is_refused, n > SASL_DATA_MAX_BYTES - 6);
		free(password);
		if (is_refused)
			run_script(&t, STR(ABORTED));
		if (is_refused)
			assert_non_null(strstr(buf_str(&t.script).p,
				"= failed: plain: account and password are too long\n"));
		fini(&t);
	}
}

/* What is received: server-first of so many characters of base64, in lines of so many. */

static const struct received_row {
	const char *name;
	size_t chars;
	const char *lengths; /* +: an empty chunk; x: the last one is not sent */
	bool is_understood;
} received_rows[] = {
	{"received: 396 characters",     396, "396",       true },
	{"received: 400 characters",     400, "400 +",     true },
	{"received: 400, and no end",    400, "400",       false},
	{"received: 404 characters",     404, "400 4",     true },
	{"received: 404, in one line",   404, "404",       false},
	{"received: 800 characters",     800, "400 400 +", true },
	{"received: 800, and no end",    800, "400 400",   false},
	{"received: 804 characters",     804, "400 400 4", true },
	{"received: cut within a group", 404, "400 2 2",   false},
	{"received: 399 first",          400, "399 1",     false},
	{"received: 401 first",          404, "401 3",     false},
};

/* Its extension makes it as long as is wanted. */
static void put_first(struct buf *text, size_t chars)
{
	static const char head[] = "r=" NONCE "x,s=AAAA,i=4096,x=";
	struct buf bytes;
	buf_init(&bytes, 64 * 1024);
	assert_int_equal(buf_add(&bytes, STR("r=" NONCE "x,s=AAAA,i=4096,x=")), 0);
	char *filler = filled(chars / 4 * 3 - strlen(head));
	assert_int_equal(buf_add(&bytes, str_of(filler)), 0);
	assert_int_equal(base64_encode(text, buf_str(&bytes)), 0);
	assert_int_equal(text->n, chars);
	free(filler);
	buf_fini(&bytes);
}

static void hear_chunk(struct talk *t, struct str chunk)
{
	struct buf line;
	buf_init(&line, 8192);
	assert_int_equal(buf_addf(&line, "AUTHENTICATE %" STR_F, STR_A(chunk)), 0);
	hear_raw(t, buf_str(&line));
	buf_fini(&line);
}

static void hear_chunks(struct talk *t, struct str text, struct str lengths)
{
	struct str word;
	while ((word = str_word(&lengths, " ")).n) {
		int64_t n = 0;
		assert_true(str_eq(word, STR("+")) || str_int(word, 1, 1000, &n));
		hear_chunk(t, n ? (struct str){text.p, (size_t)n} : STR("+"));
		text = str_skip(text, (size_t)n);
	}
	assert_int_equal(text.n, 0);
}

static bool is_proof(struct str out)
{
	return str_starts(out, STR("AUTHENTICATE Yz1iaXdzLHI9"));
}

static void a_challenge_is_joined(void **state)
{
	const struct received_row *row = *state;
	struct talk t;
	init(&t, "scram-sha-256");
	struct buf text;
	buf_init(&text, 64 * 1024);
	put_first(&text, row->chars);
	begin(&t, STR(""));
	run_script(&t, STR(HI));

	hear_chunks(&t, buf_str(&text), str_of(row->lengths));

	assert_int_equal(is_proof(buf_str(&t.out)), row->is_understood);
	assert_int_equal(t.result, SASL_GOES_ON);
	take_out(&t);
	buf_fini(&text);
	fini(&t);
}

/* The largest challenge, and one chunk more. */
static void a_challenge_has_a_maximum(void **state)
{
	(void)state;
	struct talk t;
	const size_t most = BASE64_BYTES(SASL_DATA_MAX_BYTES);
	for (size_t chars = most - 4; chars <= most + 400; chars += 404) {
		init(&t, "scram-sha-256 plain");
		struct buf text;
		buf_init(&text, 64 * 1024);
		put_first(&text, chars);
		begin(&t, STR(""));
		run_script(&t, STR(HI));

		struct str rest = buf_str(&text);
		for (; rest.n && !t.out.n; rest = str_skip(rest, SASL_CHUNK_BYTES))
			hear_chunk(
				&t, (struct str){rest.p,
					    rest.n < SASL_CHUNK_BYTES ? rest.n : SASL_CHUNK_BYTES});

		bool fits = chars <= most;
		assert_int_equal(is_proof(buf_str(&t.out)), fits);
		if (!fits) {
			buf_reset(&t.script);
			take_out(&t);
			run_script(&t, STR(ABORTED HI));
			assert_string_equal(buf_str(&t.script).p, STARRED ABORTED PLAINLY);
		}
		buf_fini(&text);
		fini(&t);
	}
}

static void endless_chunks_are_refused_once(void **state)
{
	(void)state;
	struct talk t;
	init(&t, "external");
	char *chunk = filled(SASL_CHUNK_BYTES);
	begin(&t, STR(""));
	buf_reset(&t.script);

	for (int i = 0; i < 10000; i++)
		hear_chunk(&t, str_of(chunk));
	take_out(&t);
	run_script(&t, STR(ABORTED));

	assert_string_equal(buf_str(&t.script).p,
		STARRED ABORTED "= failed: external: the server sends too much\n");
	free(chunk);
	fini(&t);
}

static void half_a_challenge_does_not_outlive_its_mechanism(void **state)
{
	(void)state;
	struct talk t;
	init(&t, "external plain");
	char *chunk = filled(SASL_CHUNK_BYTES);
	memset(chunk, '!', SASL_CHUNK_BYTES);
	begin(&t, STR(""));
	hear_chunk(&t, str_of(chunk));

	run_script(&t, STR(DENIED HI));

	assert_string_equal(buf_str(&t.script).p, EXTERNAL DENIED PLAINLY);
	free(chunk);
	fini(&t);
}

/* ECDSA: the signature is another one each time. */

static bool is_signature(struct str signature, const char *challenge)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(p256, NULL);
	bool is = EVP_PKEY_verify_init(c) == 1 &&
		  EVP_PKEY_verify(c, (const unsigned char *)signature.p, signature.n,
			  (const unsigned char *)challenge, 32) == 1;
	EVP_PKEY_CTX_free(c);
	return is;
}

static void ecdsa_signs_with(const char *pem)
{
	static const char challenge[] = "0123456789abcdef\0\xff"
					"0123456789ABCD";
	struct talk t;
	init(&t, "ecdsa-nist256p-challenge");
	t.options.ecdsa_key = pem;
	struct buf lengths, signature;
	buf_init(&lengths, 100);
	buf_init(&signature, 200);
	begin(&t, STR(""));
	run_script(&t, STR(HI));
	assert_string_equal(buf_str(&t.script).p, ECDSA HI "> AUTHENTICATE dXNlcg==\n");

	struct buf text;
	buf_init(&text, 100);
	assert_int_equal(base64_encode(&text, (struct str){challenge, 32}), 0);
	hear_chunk(&t, buf_str(&text));
	measure(buf_str(&t.out), &lengths, &signature);

	assert_true(is_signature(buf_str(&signature), challenge));
	assert_false(is_signature(buf_str(&signature), "0123456789abcdef0123456789abcdef"));
	buf_reset(&t.out);
	buf_reset(&t.script);
	run_script(&t, STR(OK));
	assert_string_equal(buf_str(&t.script).p, OK);
	buf_fini(&text);
	buf_fini(&lengths);
	buf_fini(&signature);
	fini(&t);
}

static void ecdsa_signs_the_challenge(void **state)
{
	(void)state;
	ecdsa_signs_with(p256_pem);
	ecdsa_signs_with(traditional_pem);
}

static void ecdsa_with_a_key_of_another_curve_fails(void **state)
{
	(void)state;
	struct talk t;
	init(&t, "ecdsa-nist256p-challenge");
	t.options.ecdsa_key = p384_pem;

	begin(&t, STR(""));
	run_script(&t, STR(HI "<64 12345678901234567890123456789012\n" ABORTED));

	assert_non_null(strstr(buf_str(&t.script).p,
		STARRED ABORTED "= failed: ecdsa-nist256p-challenge: ecdsa_key " NO_P256 "\n"));
	fini(&t);
}

/* Names. */

static void names_are_read_in_any_case(void **state)
{
	(void)state;
	static const char *const names[] = {
		"external", "scram-sha-512", "scram-sha-256", "ecdsa-nist256p-challenge", "plain"};
	static const char *const wire[] = {
		"EXTERNAL", "SCRAM-SHA-512", "Scram-Sha-256", "ECDSA-NIST256P-CHALLENGE", "Plain"};
	enum sasl_mechanism m;
	for (unsigned i = 0; i < SASL_MECHANISMS; i++) {
		assert_true(sasl_parse(str_of(names[i]), &m));
		assert_int_equal(m, i);
		assert_true(sasl_parse(str_of(wire[i]), &m));
		assert_int_equal(m, i);
		assert_string_equal(sasl_name((enum sasl_mechanism)i), names[i]);
	}
	assert_false(sasl_parse(STR("scram-sha-1"), &m));
	assert_false(sasl_parse(STR(""), &m));
	assert_false(sasl_parse(STR_NONE, &m));
	assert_int_equal(m, SASL_PLAIN);
}

/* SCRAM's nonce, where it is not given. */
static void nonces_are_random(void **state)
{
	(void)state;
	struct talk t[2];
	for (size_t i = 0; i < COUNTOF(t); i++) {
		init(&t[i], "scram-sha-256");
		t[i].options.nonce = NULL;
		begin(&t[i], STR(""));
		run_script(&t[i], STR(HI));
	}

	assert_int_equal(t[0].script.n, strlen(SCRAM HI "> AUTHENTICATE \n") + 60);
	assert_int_equal(t[0].script.n, t[1].script.n);
	assert_string_not_equal(buf_str(&t[0].script).p, buf_str(&t[1].script).p);
	fini(&t[0]);
	fini(&t[1]);
}

/* Lines in any order: every mechanism is asked for once at most, PLAIN never after a lie, and the
 * login ends. */
static void any_order_of_lines_ends(void **state)
{
	(void)state;
	static const char *const lines[] = {"< AUTHENTICATE +\n", "< AUTHENTICATE +\n",
		"< AUTHENTICATE +\n", PROOF, "<64 r=" NONCE "abc,s=AAAA,i=5000\n",
		"<64 v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=\n", "<64 e=other-error\n",
		"<64 12345678901234567890123456789012\n", "< AUTHENTICATE !\n", "< AUTHENTICATE\n",
		"< :s 900 b b!b@h user :in\n", "< :s 901 b b!b@h :out\n", "< :s 904 b :no\n",
		"< :s 905 b :long\n", "< :s 906 b :aborted\n",
		"< :s 908 b PLAIN,SCRAM-SHA-256,EXTERNAL :are\n", "< :s 908\n", "< :s 903\n",
		"< :s 902\n", "< 907 b\n"};
	struct rand random = {7};
	for (int i = 0; i < 1000; i++) {
		struct talk t;
		init(&t, ALL);
		begin(&t, STR(""));
		for (int j = 0; j < 200 && sasl_is_under_way(&t.sasl); j++) {
			/* the four that end a login are rarer */
			size_t n = j % 8 ? COUNTOF(lines) - 3 : COUNTOF(lines);
			run_script(&t, str_of(lines[rand_below(&random, n)]));
		}
		assert_false(sasl_is_under_way(&t.sasl));
		const char *plain = strstr(buf_str(&t.script).p, PLAIN);
		assert_true(!plain || !strstr(plain + 1, PLAIN));
		const char *lie = strstr(buf_str(&t.script).p, "= failed: scram-sha");
		assert_true(!lie || !plain);
		fini(&t);
	}
}

int main(void)
{
	struct check c = {0};
	make_keys();
	check_rows(&c, key_rows, a_key_is);
	check_rows(&c, talk_rows, a_conversation_goes);
	check_test(&c, what_is_unsolicited_is_not_heard);
	check_test(&c, a_server_that_has_not_told_what_it_offers);
	check_rows(&c, lack_rows, a_mechanism_lacks);
	check_test(&c, options_are_copied);
	check_test(&c, a_new_login_takes_the_place_of_the_old);
	check_test(&c, a_mechanism_that_gives_way_is_told_of);
	check_rows(&c, sent_rows, a_response_is_sent_in_chunks);
	check_test(&c, a_response_has_a_maximum);
	check_rows(&c, received_rows, a_challenge_is_joined);
	check_test(&c, a_challenge_has_a_maximum);
	check_test(&c, endless_chunks_are_refused_once);
	check_test(&c, half_a_challenge_does_not_outlive_its_mechanism);
	check_test(&c, ecdsa_signs_the_challenge);
	check_test(&c, ecdsa_with_a_key_of_another_curve_fails);
	check_test(&c, names_are_read_in_any_case);
	check_test(&c, nonces_are_random);
	check_test(&c, any_order_of_lines_ends);
	int failed = check_run(&c, "sasl");
	free_keys();
	return failed;
}
