/*
 * ctcp: what is answered to CTCP requests (modern IRC, CTCP); a part of the session.
 *
 * A person's PRIVMSG to ourselves that asks for CLIENTINFO, PING, SOURCE, TIME or VERSION is
 * answered by NOTICE, at a limited rate. What comes as NOTICE, from a server, from a bot, from a
 * history or to a channel never is.
 */
#ifndef EBB_IRC_CTCP_H
#define EBB_IRC_CTCP_H

#include "irc/message.h"

#include <stdint.h>

#define CTCP_ANSWER_NS (10 * NS_PER_S) /* one in that time, */
enum { CTCP_BURST = 3 };               /* after so many at once */

struct session;

struct ctcp_pace {
	int64_t ahead_ns; /* when the answers given so far would be due, evenly spread */
};

/* m is one of EVENT_CTCP. */
void ctcp_answer(struct session *s, const struct message *m);

#endif
