/*
 * multiline: a long text as one message (draft/multiline); a part of the session.
 *
 * The text goes in lines that fit, within a batch, and nothing of it is lost: who knows the
 * capability sees one message, the others the lines. Where a text is more than the server takes in
 * a message it becomes several.
 */
#ifndef EBB_IRC_MULTILINE_H
#define EBB_IRC_MULTILINE_H

#include "irc/message.h"
#include "irc/output.h"

/* Whether the server takes a message in several lines. */
bool multiline_is_offered(const struct session *s);

/* Queues m, a PRIVMSG or NOTICE, with its text in lines of at most max_bytes of it; or measures
 * only. ERR_LIMIT as sendq_push. */
NODISCARD int multiline_send(
	struct session *s, const struct message *m, size_t max_bytes, struct measure *only);

#endif
