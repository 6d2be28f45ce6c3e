/*
 * handle: what the session does about each line; shared by session.c and handle.c alone.
 */
#ifndef EBB_IRC_HANDLE_H
#define EBB_IRC_HANDLE_H

#include "irc/ctcp.h"
#include "irc/joins.h"
#include "irc/login.h"
#include "irc/nick.h"
#include "irc/output.h"
#include "irc/session.h"
#include "irc/who.h"

struct session {
	const struct session_options *options;
	const struct session_ops *ops;
	void *owner;

	enum session_state state;
	bool is_secure;     /* the stream is */
	bool is_registered; /* 001 came */
	bool is_over;       /* ops->failed was called */
	char *verdict;      /* owned: why the server will close; NULL: it has not said so */
	int verdict_kind;
	int64_t verdict_ns; /* when */
	struct nick nick;
	char *user, *host; /* as the server shows us to others; NULL: not known yet */
	struct caps caps;
	struct isupport *isupport;

	struct login login;
	struct joins joins;
	struct who who;
	struct ctcp_pace ctcp;

	struct roster *roster; /* owned */
	bool wants_sweep;      /* the roster does */
	struct batches batches;
	struct requests requests;

	struct sendq sendq;
	unsigned n_batches; /* opened by us */
	struct buf scratch; /* a line being made */
	struct buf extra;   /* what an event has beside its line */
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

/* Ready, and not over. */
bool session_is_talking(const struct session *s);

/* Ends the conversation, unless it is over already. */
void session_fail(struct session *s, int code, const char *fmt, ...) PRINTF(3, 4);

/* Whether name is our nick. */
bool session_is_me(const struct session *s, struct str name);

/* How the server shows us to others; what is absent or empty is not told. */
void session_learn_self(struct session *s, struct str user, struct str host);

/* Enters SESSION_READY: joins the channels and tells the owner. */
void session_become_ready(struct session *s);

#endif
