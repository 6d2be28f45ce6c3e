/*
 * isupport: what the server said of itself in RPL_ISUPPORT (005; modern IRC documentation).
 *
 * Refcounted and copied on write: an event keeps the one that was true when it came. Until the
 * server says otherwise the defaults of RFC 1459 hold, with CHANMODES and PREFIX as all servers
 * have had them since. A token with a value that makes no sense leaves in force what was there.
 */
#ifndef EBB_IRC_ISUPPORT_H
#define EBB_IRC_ISUPPORT_H

#include "irc/casemap.h"

enum {
	ISUPPORT_TOKENS_MAX = 256,      /* a server's list stays far below */
	ISUPPORT_VALUE_MAX_BYTES = 400, /* what a line can hold */
};

struct isupport {
	unsigned refs;
	enum casemap casemap;
	char chantypes[16];                        /* "#&" */
	char statusmsg[16];                        /* "" */
	char prefix_modes[16], prefix_symbols[16]; /* "ov", "@+": highest first */
	char chanmodes[4][64];                     /* types A, B, C, D */
	/* 0: not known */
	unsigned nicklen, channellen, topiclen, kicklen, awaylen, namelen, keylen;
	unsigned userlen, hostlen; /* 10, 63 */
	unsigned linelen;          /* with CR LF, without tags; 512 or more */
	bool utf8_only;            /* takes nothing else */
	unsigned modes;            /* with parameter, in a line; 3; 0: no limit */
	char *tokens;              /* owned: for isupport_get and isupport_next */
	uint32_t tokens_bytes, n_tokens;
};

/* The defaults. Returns owned, with one reference. */
struct isupport *isupport_new(void);
struct isupport *isupport_ref(struct isupport *is);
void isupport_unref(struct isupport *is);

/* Applies one token of a 005 line: "NAME", "NAME=VALUE" (with \xHH; \x00 stays as it is) or
 * "-NAME", which brings the default back. *is is replaced by a copy when somebody else holds it.
 * False for a token that was not understood: no name, a value that makes no sense, or one of which
 * nothing is known here and for which there is no room. */
bool isupport_apply(struct isupport **is, struct str token);

/* The value of a token, "" for one without, absent for one that the server did not send. */
struct str isupport_get(const struct isupport *is, struct str name);

/* Walks the tokens, with values as sent but for \xHH: *cursor is 0 at first; each call takes a
 * step, false at the end. Both slices end in a NUL, and are borrowed until the next token is
 * applied. */
bool isupport_next(const struct isupport *is, size_t *cursor, struct str *name, struct str *value);

/* How many targets a command may have (TARGMAX, else MAXTARGETS); 0: as many as fit. */
size_t isupport_targets_max(const struct isupport *is, struct str command);

/* Whether the server does not let the client tag pass that this is the name of, without its plus
 * (CLIENTTAGDENY; IRCv3 message-tags). */
bool isupport_denies_tag(const struct isupport *is, struct str name);

/* Whether name begins as a channel's does. */
bool isupport_is_channel(const struct isupport *is, struct str name);

/* The channel that target means: what follows the STATUSMSG prefixes, which *status then is, or
 * target itself, *status being absent. Absent where target is no channel. "+#c" is for the voiced
 * in #c, even if + is a channel type. status may be NULL. */
struct str isupport_channel_of(const struct isupport *is, struct str target, struct str *status);

#endif
