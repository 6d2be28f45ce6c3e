/*
 * caps: capability negotiation (IRCv3 capability-negotiation 302), up to CAP END.
 *
 * Only what the table in caps.c knows is asked for: servers offer traps. LS may come in several
 * lines; a NAK refuses a whole set, so its members are then asked for one by one.
 */
#ifndef EBB_IRC_CAPS_H
#define EBB_IRC_CAPS_H

#include "irc/message.h"

#include <stdint.h>

enum cap {
	CAP_ACCOUNT_TAG,
	CAP_EXTENDED_JOIN,
	CAP_MESSAGE_TAGS,
	CAP_MULTI_PREFIX,
	CAP_SERVER_TIME,
	CAP_COUNT
};

struct caps {
	uint32_t offered, asked, enabled; /* bits by enum cap */
	bool is_negotiating;              /* from LS until the last answer */
};

/* Appends the first line to out, with its CR LF, as caps_answer does; out has room. */
void caps_begin(struct caps *c, struct buf *out);

/* Takes a CAP message of the server's, appends what is to be sent. Returns true once, when the
 * negotiation is over: CAP END is then in out. */
bool caps_answer(struct caps *c, const struct message *m, struct buf *out);

bool caps_has(const struct caps *c, enum cap cap);

/* The name on the wire. */
const char *caps_name(enum cap cap);

#endif
