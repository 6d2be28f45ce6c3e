/*
 * talk: conversations of a session as lines of text.
 *
 *     < the server sends        > the session sends, exactly that and in that order
 *     + so many seconds pass    ! the session is over: kind, then its words
 *     * it became usable        e an event's name; * behind it where it is our own, ~ where it
 *                               is replayed, [what it has beside its line]
 *     q quit with that message  s a script sends    r the same, raw    a it must wait for room
 *     o there is room again     x the connection ends, and a new one begins
 *     c other options: KEY=VALUE for each that differs from those at the start
 *     k a script asks, for thirty seconds    = how that ended, and the commands of the answer
 *     t it tells of a policy (STS): the port, and seconds, -1 for none
 *     w it warns, with_warnings only
 *
 * What the session does beyond what is written fails the test.
 */
#ifndef EBB_TESTS_SUPPORT_TALK_H
#define EBB_TESTS_SUPPORT_TALK_H

#include "base/clock.h"
#include "irc/session.h"

struct talk {
	const struct session_options *options;
	struct configured *configured; /* NULL: options are the session's */
	struct session *s;
	int64_t now_ns;
	struct buf out; /* sent and told since the last step, a mark before each line */
	bool with_events, with_warnings, is_secure;
};

/* One network, no channels, nothing paced. */
extern const struct session_options talk_options;

/* What a session with talk_options sends first; and all until it is ready. */
#define HELLO "> CAP LS 302\n> NICK ebb\n> USER u 0 * :r n\n"
#define READY HELLO "< :s 001 ebb :hi\n< :s 376 ebb :end\n*\n"

/* Options are borrowed. */
void talk_begin(struct talk *t, const struct session_options *o);
void talk_end(struct talk *t);

/* Begins the conversation; or goes on with it. */
void talk_run(struct talk *t, struct str script);
void talk_go_on(struct talk *t, struct str script);

/* All of that, with a session of its own. */
void talk_hold(const struct session_options *o, const char *script);

#endif
