/*
 * joins: the channels that a session is to be in; a part of the session.
 *
 * They are those of the options, and those joined since. All are joined when the session is ready.
 * Where the server refuses, or somebody throws us out, the channel is tried again: after a time
 * that depends on the reason, and that doubles with each refusal; where no word comes of a JOIN,
 * for the server may have another for it, after ten minutes. A channel that forwards us elsewhere
 * (470) is left alone until the next connection.
 */
#ifndef EBB_IRC_JOINS_H
#define EBB_IRC_JOINS_H

#include "base/list.h"
#include "irc/message.h"

#include <stdint.h>

enum { JOINS_KICKS_MAX = 5 }; /* in a row; then the channel is left alone */

struct session;
struct session_options;

struct joined {
	struct list node;
	char *name, *key;         /* owned; key NULL for none */
	bool is_wanted;           /* false: seen, but not to be joined after a reconnect */
	bool is_configured;       /* the options had it when it was noted: it goes with them */
	bool is_in;               /* we are in it now */
	bool is_due;              /* to be joined by the JOIN that is being made */
	bool is_asked;            /* a JOIN of ours was sent, and not answered yet */
	bool is_forward;          /* we are here because another channel sent us here */
	int reason;               /* the numeric that refused us last, or 0 */
	unsigned refusals, kicks; /* in a row */
	int64_t in_ns;            /* since when we are in it */
	int64_t again_ns;         /* when it is tried again; -1: not by itself */
};

struct joins {
	struct list channels; /* struct joined */
	size_t n;
	int64_t again_ns; /* the earliest of theirs, or earlier; -1: none */
};

/* With the channels of the session's options. */
void joins_init(struct session *s);
void joins_fini(struct session *s);

/* Sends JOIN for all that are wanted; pushes, as what follows does, but does not pump. */
void joins_enter_all(struct session *s);

/* The session has other options than old: parts from what is gone, joins what is new. */
void joins_configure(struct session *s, const struct session_options *old);

/* A line that is being sent: JOIN #a,#b key. The keys are wanted again after a reconnect. */
void joins_note_sent(struct session *s, const struct message *m);

/* Received lines. */
void joins_on_join(struct session *s, const struct message *m);
void joins_on_part(struct session *s, const struct message *m);
void joins_on_kick(struct session *s, const struct message *m);
void joins_on_rename(struct session *s, const struct message *m);
void joins_on_invite(struct session *s, const struct message *m);
void joins_on_refusal(struct session *s, const struct message *m);
void joins_on_forward(struct session *s, const struct message *m);

/* What was refused for want of an account is tried at once. */
void joins_on_login(struct session *s);

/* When joins_tick is next wanted, or -1. */
int64_t joins_deadline(const struct session *s);
void joins_tick(struct session *s);

/* The connection is over. */
void joins_end(struct session *s);

#endif
