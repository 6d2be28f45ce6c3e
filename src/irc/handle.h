/*
 * handle: what the session does about each line; shared by session.c and handle.c alone.
 */
#ifndef EBB_IRC_HANDLE_H
#define EBB_IRC_HANDLE_H

#include "base/list.h"
#include "irc/session.h"

/* A channel to be in: configured, or joined since. */
struct joined {
	struct list node;
	char *name, *key;   /* owned; key NULL for none */
	bool is_wanted;     /* false: a JOIN with a key was sent, and not confirmed yet */
	bool is_configured; /* the options had it when it was noted: it goes with them */
	bool is_in;         /* we are in it now */
	bool is_due;        /* to be joined by the JOIN that is being made */
};

struct session {
	const struct session_options *options;
	const struct session_ops *ops;
	void *owner;

	enum session_state state;
	bool is_registered; /* 001 came */
	bool is_over;       /* ops->failed was called */
	char *nick;
	char *user, *host; /* as the server shows us to others; NULL: not known yet */
	unsigned nick_tries;
	bool wants_nick; /* options->nick is new: to be asked for when ready */
	bool asked_nick; /* it was, and not answered yet */
	struct caps caps;
	struct isupport *isupport;

	struct list channels; /* struct joined */
	size_t n_channels;

	struct sendq sendq;
	struct buf scratch; /* a line being made */
	bool wants_room;

	int64_t now_ns;   /* what the last call was told */
	int64_t begun_ns; /* session_begin */
	int64_t heard_ns; /* the last line */
	int64_t ping_ns;  /* our unanswered PING, or -1 */
	int64_t lag_ns;
	uint64_t bad_lines;
};

/* What is done about a line; early: before scripts see it. */
struct handler {
	bool is_early;
	void (*run)(struct session *s, const struct message *m);
};

/* NULL when there is nothing to do. */
const struct handler *handle_find(int kind);

/* Sends one line past the queue: what registers, and PONG. */
void session_write(struct session *s, const char *fmt, ...) PRINTF(2, 3);

/* Ends the conversation, unless it is over already. */
void session_fail(struct session *s, int code, const char *fmt, ...) PRINTF(3, 4);

/* Whether name is our nick. */
bool session_is_me(const struct session *s, struct str name);

/* Enters SESSION_READY: joins the channels and tells the owner. */
void session_become_ready(struct session *s);

struct joined *session_find_channel(const struct session *s, struct str name);

/* Adds name, or changes what is there; key may be absent. NULL, and nothing is
 * added, past the maximum. */
struct joined *session_note_channel(
	struct session *s, struct str name, struct str key, bool is_wanted);
void session_forget_channel(struct session *s, struct joined *j);

#endif
