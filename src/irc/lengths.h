/*
 * lengths: texts that a server cuts (TOPICLEN, KICKLEN, AWAYLEN, NAMELEN in RPL_ISUPPORT).
 *
 * A server does so without a word, and between any two bytes. Who cuts them before they are sent
 * cuts between words or characters.
 */
#ifndef EBB_IRC_LENGTHS_H
#define EBB_IRC_LENGTHS_H

#include "irc/isupport.h"
#include "irc/message.h"

/* Cuts the text of a TOPIC, KICK, AWAY or SETNAME that is to be sent, at the end of m->raw, to what
 * the server keeps of it. Returns that many bytes where something was cut, else 0. */
size_t lengths_cut(const struct isupport *is, struct message *m);

#endif
