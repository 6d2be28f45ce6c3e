/*
 * profile: the ways of real servers, a row each: what they say of themselves in RPL_ISUPPORT and
 * CAP LS, and the small manners in which they differ.
 *
 * inspircd (3.15), ngircd (26.1), hybrid (8.2.43), libera (solanum, as Libera.Chat configures it)
 * and ergo (2.15). What a network can do follows from the row: modes, prefixes, casemapping and
 * lengths are read from the tokens as a client reads them.
 */
#ifndef EBB_SIM_PROFILE_H
#define EBB_SIM_PROFILE_H

#include "base/str.h"

/* Capabilities that the network understands; bits. */
enum sim_cap {
	SIM_CAP_MESSAGE_TAGS = 1 << 0,
	SIM_CAP_SERVER_TIME = 1 << 1,
	SIM_CAP_ACCOUNT_TAG = 1 << 2,
	SIM_CAP_EXTENDED_JOIN = 1 << 3,
	SIM_CAP_MULTI_PREFIX = 1 << 4,
	SIM_CAP_CAP_NOTIFY = 1 << 5,
	SIM_CAP_ACCOUNT_NOTIFY = 1 << 6,
	SIM_CAP_AWAY_NOTIFY = 1 << 7,
	SIM_CAP_BATCH = 1 << 8,
	SIM_CAP_CHGHOST = 1 << 9,
	SIM_CAP_ECHO_MESSAGE = 1 << 10,
	SIM_CAP_EXTENDED_MONITOR = 1 << 11,
	SIM_CAP_INVITE_NOTIFY = 1 << 12,
	SIM_CAP_LABELED_RESPONSE = 1 << 13,
	SIM_CAP_SASL = 1 << 14,
	SIM_CAP_SETNAME = 1 << 15,
	SIM_CAP_STANDARD_REPLIES = 1 << 16, /* under a vendor's name too */
	SIM_CAP_USERHOST_IN_NAMES = 1 << 17,
	SIM_CAP_CHANNEL_RENAME = 1 << 18,
	SIM_CAP_CHATHISTORY = 1 << 19,
	SIM_CAP_MESSAGE_REDACTION = 1 << 20,
	SIM_CAP_MULTILINE = 1 << 21
};

/* What is done with a line of more than 512 bytes, tags left out. */
enum sim_too_long {
	SIM_TOO_LONG_CUT,  /* its beginning counts */
	SIM_TOO_LONG_417,  /* it is dropped, with ERR_INPUTTOOLONG */
	SIM_TOO_LONG_CLOSE /* the connection is closed */
};

/* How the words of an ERROR and of closing are put together. */
enum sim_closing {
	SIM_CLOSING_PLAIN, /* reason */
	SIM_CLOSING_HOST,  /* Closing Link: host (reason) */
	SIM_CLOSING_USER   /* Closing link: (user@host) [reason] */
};

/* Where the last parameter gets a colon that it does not need. */
enum sim_colons { SIM_COLONS_NEEDED, SIM_COLONS_JOIN, SIM_COLONS_ALWAYS };

struct sim_profile {
	const char *name;
	const char *version;       /* in 002, 004 and 351 */
	const char *isupport;      /* tokens, separated by spaces */
	const char *offered;       /* what CAP LS lists: NAME or NAME=VALUE, separated by spaces */
	const char *poison;        /* the capability whose REQ ends the connection, or NULL */
	const char *default_modes; /* of a new channel */
	const char *user_modes, *channel_modes; /* in 004 */
	enum sim_too_long too_long;
	enum sim_closing closing;
	int bad_channel; /* the numeric for JOIN of a name that is none */
	enum sim_colons colons;
	bool has_tilde;       /* ~user: no ident */
	bool cuts_nick;       /* to NICKLEN, rather than 432 */
	bool is_space_padded; /* lists end with a space */
	bool is_utf8_only;
	bool says_461_only; /* also where others have a numeric for what is missing (411 412 431) */
};

/* NULL when there is none; NULL as name is the first. */
const struct sim_profile *sim_profile_find(const char *name);

/* Row i; NULL past the end. */
const struct sim_profile *sim_profile_at(size_t i);

/* The bit of a capability, 0 for one that is not understood. */
unsigned sim_cap_find(struct str name);

/* Whether a CAP LS of the profile lists name. */
bool sim_profile_offers(const struct sim_profile *p, struct str name);

/* The value that it has there; absent where there is none. */
struct str sim_profile_cap_value(const struct sim_profile *p, struct str name);

#endif
