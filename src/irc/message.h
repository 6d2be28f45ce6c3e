/*
 * message: one line of IRC in slices (RFC 1459 and 2812, section 2.3; IRCv3 message-tags).
 *
 * All slices borrow the line that was parsed. Accepted as servers send it: several spaces between
 * the parts, a last parameter with or without colon, tags on any message. A line has at most 15
 * parameters: what follows the fourteenth is the fifteenth. A source with a dot and without ! and @
 * names a server.
 */
#ifndef EBB_IRC_MESSAGE_H
#define EBB_IRC_MESSAGE_H

#include "base/buf.h"

enum {
	MESSAGE_PARAMS_MAX = 15,
	MESSAGE_BYTES = 512,           /* a line with CR LF, without tags */
	MESSAGE_TAGS_BYTES = 8191,     /* the tags of a received line, with @ and space */
	MESSAGE_SENT_TAGS_BYTES = 4094 /* the tags of a sent line, without @ and space */
};

struct message {
	struct str raw;              /* the whole line, without CR LF */
	struct str tags;             /* escaped, without @; absent when there are none */
	struct str source;           /* without colon; absent when there is none */
	struct str nick, user, host; /* the source's parts; a server's name is host, nick absent */
	struct str command;          /* as received */
	int numeric;                 /* 0 to 999 for three digits; -1 otherwise */
	unsigned n_params;
	struct str params[MESSAGE_PARAMS_MAX]; /* what lies beyond n_params is not set */
};

/* Takes line apart. ERR_INVALID for what is no message: an empty line, a command that is neither
 * letters nor three digits, a NUL, CR or LF. ERR_LIMIT for tags over MESSAGE_TAGS_BYTES. m is
 * worth nothing then. */
NODISCARD int message_parse(struct message *m, struct str line);

/* Parameter i, or absent. */
struct str message_param(const struct message *m, size_t i);

/* The last parameter, or absent. */
struct str message_last(const struct message *m);

/* Whether it is a PRIVMSG or a NOTICE. */
bool message_is_text(const struct message *m);

/* The value of a tag, still escaped; absent where the tag is missing or empty, which the
 * specification holds the same. The last of several with one key counts. */
struct str message_tag(const struct message *m, struct str key);

/* Also for a tag without a value. */
bool message_has_tag(const struct message *m, struct str key);

/* Takes the next tag from *rest, which begins as m->tags; false at the end. A tag without a value
 * has an empty one; what has no key is passed over. */
bool message_next_tag(struct str *rest, struct str *key, struct str *value);

/* Appends value with \: \s \\ \r \n resolved; before anything else a backslash is dropped, also a
 * lone one at the end. ERR_LIMIT, and out as it was, when it does not fit. */
NODISCARD int message_unescape(struct buf *out, struct str value);

/* Appends value escaped. ERR_INVALID for a NUL, which no escape stands for; ERR_LIMIT, and out as
 * it was, when it does not fit. */
NODISCARD int message_escape(struct buf *out, struct str value);

/* Reads the value of a server-time tag, 2011-10-19T16:40:51.620Z, as ns since the epoch; a leap
 * second (:60) is the one after it. False, and *wall_ns as it was, for anything else, and for
 * years before 1970 or after 2261. */
bool message_time(struct str value, int64_t *wall_ns);

#endif
