/*
 * lines: cuts incoming bytes into lines of bounded length.
 *
 * A line ends at LF, with or without CR before it. Empty lines are skipped. A line of more than
 * LINES_MAX bytes is dropped as a whole and counted, however long it goes on, and what follows it
 * is read as usual. The bytes stay in the caller's buffer; a lines holds only how far it looked,
 * so a line that arrives byte by byte is searched once. Zeroed memory is a fresh lines.
 */
#ifndef EBB_NET_LINES_H
#define EBB_NET_LINES_H

#include "base/buf.h"

/* The tags of a message and the message itself (IRCv3 message tags; RFC 1459, section 2.3). */
enum { LINES_MAX = 8191 + 512 };

struct lines {
	size_t taken;    /* bytes of the line that was handed out last, to be consumed */
	size_t searched; /* bytes that are known to hold no LF */
	bool is_skipping;
	unsigned long dropped; /* lines that were too long */
};

/* For a new connection: forgets all but the count. */
void lines_reset(struct lines *l);

/* Consumes from in. True with the next line, without its end; the line is borrowed from in until
 * the next call. False when no line is complete: in then holds at most LINES_MAX + 1 bytes. */
bool lines_next(struct lines *l, struct buf *in, struct str *line);

#endif
