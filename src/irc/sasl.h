/*
 * sasl: logs in to an account (IRCv3 sasl 3.1 and 3.2; RFC 4422).
 *
 * The configured mechanisms are tried in their order: what lacks something here (a password, TLS
 * for PLAIN) or is not among those that the server lists is left out, and none is tried twice. One
 * that the server refuses gives way to the next. The exception is a server that lies in SCRAM,
 * answering somebody else, without knowing the password, or with a success that it has not earned:
 * it would be handed the password by PLAIN, so the whole login fails.
 *
 *     idle --sasl_begin--> AUTHENTICATE SCRAM-SHA-256 --904, 905, 906--> AUTHENTICATE PLAIN ...
 *      ^                       |                                             |
 *      +-- 903, 907: logged in +---------------------------------------------+
 *      +-- 902, a lie, no mechanism left, sasl_abort: failed ----------------+
 *
 * Time is the caller's: a server that falls silent is given up with sasl_abort. Nothing that is
 * kept outlives the login, secrets are wiped, and no reason given holds one.
 */
#ifndef EBB_IRC_SASL_H
#define EBB_IRC_SASL_H

#include "base/err.h"
#include "irc/message.h"

enum {
	SASL_CHUNK_BYTES = 400,          /* of base64 in a line, both ways */
	SASL_DATA_MAX_BYTES = 16 * 1024, /* decoded: a challenge, a response */
	SASL_OUT_MAX_BYTES = 24 * 1024,  /* what one call appends at most */
	SASL_OFFERED_MAX_BYTES = 400,    /* the server's list of mechanisms; more is cut */
	SASL_WORDS_MAX_BYTES = 120       /* of a reason, for each mechanism */
};

enum sasl_mechanism {
	SASL_EXTERNAL, /* the client certificate says who we are; always an empty response */
	SASL_SCRAM_SHA_512,
	SASL_SCRAM_SHA_256,
	SASL_ECDSA_NIST256P_CHALLENGE, /* atheme's: signs 32 bytes with the account's key */
	SASL_PLAIN,
	SASL_MECHANISMS
};

/* Reads a name in any case. False leaves *out alone. */
NODISCARD bool sasl_parse(struct str name, enum sasl_mechanism *out);

/* The name as it is configured and told to people, "scram-sha-256"; the wire has it in capitals. */
const char *sasl_name(enum sasl_mechanism mechanism);

/* Copied by sasl_begin. */
struct sasl_options {
	enum sasl_mechanism mechanisms[SASL_MECHANISMS]; /* first choice first */
	size_t n_mechanisms;
	const char *account, *password; /* NULL: none */
	const char *ecdsa_key;          /* PEM, see sasl_check_ecdsa_key; NULL: none */
	bool allows_plain;              /* over TLS, or the user does without */
	const char *nonce;              /* of SCRAM, for tests; NULL: random */
};

/* Whether pem holds a private key on the curve NIST P-256, not encrypted. ERR_CONFIG: err says what
 * is wrong, to follow the name of the file. Asks nobody for a passphrase. */
NODISCARD int sasl_check_ecdsa_key(struct str pem, struct err *err);

struct sasl_login;

/* Zeroed memory is idle. */
struct sasl {
	struct sasl_login *login; /* owned; NULL: idle */
};

enum sasl_result { SASL_GOES_ON, SASL_LOGGED_IN, SASL_FAILED };

/*
 * Begins with the first mechanism that fits, in the place of any login that is under way. offered
 * is the value of the capability, "PLAIN,EXTERNAL"; absent or empty: the server has not told.
 * Appends lines with CR LF to out, which has room for SASL_OUT_MAX_BYTES, here as below.
 * SASL_FAILED, and why: no mechanism fits.
 */
NODISCARD enum sasl_result sasl_begin(struct sasl *s, const struct sasl_options *options,
	struct str offered, struct buf *out, struct err *why);

/*
 * Takes any message of the server's: AUTHENTICATE and 902 to 908 carry the login on, the rest is
 * passed over, and so is all while idle. 900 and 901 tell of the account, 903 to 907 of the login:
 * only these decide. After SASL_LOGGED_IN and SASL_FAILED s is idle. why, of kind ERR_SASL, has
 * what became of each mechanism: "scram-sha-256: Invalid credentials; plain needs TLS"; where the
 * next one is tried it has what became of the last, and is untouched otherwise.
 */
NODISCARD enum sasl_result sasl_hear(
	struct sasl *s, const struct message *m, struct buf *out, struct err *why);

/* Gives up: tells the server, and is idle. What it answers (906) may not meet a new login. */
void sasl_abort(struct sasl *s, struct buf *out);

bool sasl_is_under_way(const struct sasl *s);

/* Wipes, says nothing, and is idle: for a connection that is gone. */
void sasl_fini(struct sasl *s);

#endif
