/*
 * output: what the session sends; a part of the session.
 *
 * What registers and answers PING goes at once, past the queue. The rest is paced: spread over
 * lines where it names more than the server takes in one, cut to what it will relay (to fewer lines
 * where it takes draft/multiline), made UTF-8 where it takes nothing else, and given to the sendq
 * under the names that it is about.
 */
#ifndef EBB_IRC_OUTPUT_H
#define EBB_IRC_OUTPUT_H

#include "irc/sendq.h"

struct session;

/* What a text becomes: how many lines, and their bytes. */
struct measure {
	size_t n, n_bytes;
};

/* Sends one line past the queue. */
void session_write(struct session *s, const char *fmt, ...) PRINTF(2, 3);

/* Queues one line of the session's own; it goes when the session next pumps. False, and it is
 * logged, when the queue is full; false after QUIT. */
bool session_push(struct session *s, enum lane lane, const char *fmt, ...) PRINTF(3, 4);

/* The same for a question, so that its answer, which the session hears like any other line, is not
 * taken for that to a script's question; for so long at most. */
bool session_push_question(
	struct session *s, enum lane lane, int64_t timeout_ns, const char *fmt, ...) PRINTF(4, 5);

/* Sends what the pace allows. */
void output_pump(struct session *s);

/* Whoever was told to wait may try again. */
void output_give_room(struct session *s);

#endif
