/*
 * caps: capability negotiation (IRCv3 capability-negotiation 302), all but CAP END.
 *
 * Only what the table in caps.c knows, and what the configuration names, is asked for: servers
 * offer traps. LS may come in several lines. A NAK refuses a whole set, so its members are then
 * asked for one by one; what is refused alone is left. What NEW offers later is asked for likewise.
 *
 * A capability is a bit in a set: the table's are at CAP_BIT(enum cap), behind them stand up to
 * CAPS_EXTRA_MAX others that the configuration names. caps_next walks any such set.
 *
 *     caps_begin --LS--> listing --last line of LS--> asking --every answer came--> settled
 *
 * Who calls decides what happens once it is settled: to log in first, then CAP END. A server that
 * does not know CAP never answers, and nothing is ever settled.
 *
 * Nothing grows with what a server sends: names and values are bounded in number and length, and
 * an LS of more than CAPS_LS_LINES_MAX lines ends there. Zeroed memory is a valid, empty struct
 * caps.
 */
#ifndef EBB_IRC_CAPS_H
#define EBB_IRC_CAPS_H

#include "irc/message.h"

/* code, name on the wire, when it is asked for; by name, which is the order of the requests */
#define CAP_TABLE(X)                                                                            \
	X(ACCOUNT_NOTIFY, "account-notify", ALWAYS)                                             \
	X(ACCOUNT_TAG, "account-tag", ALWAYS)                                                   \
	X(AWAY_NOTIFY, "away-notify", ALWAYS)                                                   \
	X(BATCH, "batch", ALWAYS)                                                               \
	X(CAP_NOTIFY, "cap-notify", ALWAYS) /* LS 302 implies it; asked for so as to be seen */ \
	X(CHGHOST, "chghost", ALWAYS)                                                           \
	X(CHANNEL_RENAME, "draft/channel-rename", ALWAYS) /* else PART and JOIN come */         \
	X(CHATHISTORY, "draft/chathistory", ALWAYS)       /* else Ergo replays at JOIN */       \
	X(MESSAGE_REDACTION, "draft/message-redaction", ALWAYS)                                 \
	X(MULTILINE, "draft/multiline", ALWAYS)                                                 \
	X(ECHO_MESSAGE, "echo-message", ALWAYS) /* tells the msgid, and what was made of it */  \
	X(EXTENDED_JOIN, "extended-join", ALWAYS)                                               \
	X(EXTENDED_MONITOR, "extended-monitor", ALWAYS)                                         \
	X(INSPIRCD_STANDARD_REPLIES, "inspircd.org/standard-replies", ALWAYS)                   \
	X(INVITE_NOTIFY, "invite-notify", ALWAYS)                                               \
	X(LABELED_RESPONSE, "labeled-response", ALWAYS)                                         \
	X(MESSAGE_TAGS, "message-tags", ALWAYS)                                                 \
	X(MULTI_PREFIX, "multi-prefix", ALWAYS)                                                 \
	X(SASL, "sasl", NAMED) /* or wants_sasl: else it is of no use */                        \
	X(SERVER_TIME, "server-time", ALWAYS)                                                   \
	X(SETNAME, "setname", ALWAYS)                                                           \
	X(STANDARD_REPLIES, "standard-replies", ALWAYS)                                         \
	X(STS, "sts", NEVER) /* its value says it all */                                        \
	X(USERHOST_IN_NAMES, "userhost-in-names", ALWAYS)

enum cap {
#define CAP_CODE(code, name, wish) CAP_##code,
	CAP_TABLE(CAP_CODE) CAP_COUNT
#undef CAP_CODE
};

enum {
	CAPS_EXTRA_MAX = 16, /* names that are not in the table */
	CAPS_MAX = CAP_COUNT + CAPS_EXTRA_MAX,
	CAPS_NAME_MAX_BYTES = 100,  /* of such a name; a longer one is never asked for */
	CAPS_VALUE_MAX_BYTES = 512, /* a longer value is as none */
	CAPS_LS_LINES_MAX = 64,
	CAPS_OUT_MAX_BYTES = 8 * 1024 /* what one call appends at most */
};

#define CAP_BIT(cap) ((uint64_t)1 << (cap))

/* Refusing is stronger than asking. */
struct caps_options {
	const char *const *more; /* names to ask for beside what the table says */
	size_t n_more;
	const char *const *refused;
	size_t n_refused;
	bool wants_sasl;
};

/* What one line brought. */
struct caps_news {
	uint64_t offered; /* by LS or NEW, maybe with another value than before */
	uint64_t gained, lost;
	uint64_t refused; /* also when asked for alone */
};

enum caps_state { CAPS_IDLE, CAPS_LISTING, CAPS_ASKING, CAPS_DONE };

/* Many connections never have any. */
struct caps_texts {
	char *extras[CAPS_EXTRA_MAX]; /* owned names; NULL: free */
	char *values[CAPS_MAX];       /* owned; NULL: none */
};

struct caps {
	const struct caps_options *options; /* borrowed; NULL: none */
	enum caps_state state;
	uint64_t offered, enabled; /* sts stays offered once it was */
	uint64_t asked;            /* and not answered yet */
	uint64_t alone;            /* of those asked: in a line of its own */
	uint64_t listed;           /* by LIST as far as it has come */
	struct caps_news news;     /* of the last line */
	unsigned n_ls_lines;
	uint8_t n_requests;         /* modulo 256 */
	uint8_t requests[CAPS_MAX]; /* of those asked: the number of the line */
	struct caps_texts *texts;   /* owned; NULL: none of them is set */
};

enum caps_result { CAPS_NOTHING, CAPS_SETTLED };

/* Makes c fresh and appends the first line to out, with its CR LF, as caps_hear does. options may
 * be NULL, and are borrowed until caps_configure or caps_fini. */
void caps_begin(struct caps *c, const struct caps_options *options, struct buf *out);

/* Other options, for what is offered from now on; the old ones may go after the call. */
void caps_configure(struct caps *c, const struct caps_options *options);

/* Frees what c owns, and leaves it empty. */
void caps_fini(struct caps *c);

/* Takes a CAP message of the server's and appends the requests that follow from it to out, which
 * has room for CAPS_OUT_MAX_BYTES; c->news then tells what it brought. CAPS_SETTLED comes once,
 * when LS is complete and every request answered. */
enum caps_result caps_hear(struct caps *c, const struct message *m, struct buf *out);

/* Whether it is enabled. */
bool caps_has(const struct caps *c, enum cap cap);

/* The value it is offered with; absent where there is none. Borrowed until the next call that
 * changes c. */
struct str caps_value(const struct caps *c, enum cap cap);

/* Takes the first capability out of set: returns its name on the wire, and its value, which may be
 * absent, in *value unless that is NULL. NULL at the end. Both are borrowed as by caps_value. */
const char *caps_next(const struct caps *c, uint64_t *set, struct str *value);

/* The name on the wire. */
const char *caps_name(enum cap cap);

#endif
