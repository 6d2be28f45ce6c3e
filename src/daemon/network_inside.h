/*
 * network_inside: what the parts of network share; nobody else includes it.
 *
 *     network.c       its life: what begins, ends and changes it; stream and session at work
 *     network_dial.c  an attempt: its turn, its way, until there is a stream
 *     network_ask.c   what scripts see of it and ask it
 */
#ifndef EBB_DAEMON_NETWORK_INSIDE_H
#define EBB_DAEMON_NETWORK_INSIDE_H

#include "daemon/network.h"
#include "daemon/settings.h"
#include "net/dial.h"
#include "net/lines.h"
#include "net/socks.h"

enum network_state {
	NETWORK_IDLE,
	NETWORK_RESOLVING,
	NETWORK_CONNECTING,
	NETWORK_TLS,
	NETWORK_REGISTERING,
	NETWORK_READY,
	NETWORK_CLOSING
};

/* How an attempt reaches its server. */
struct way {
	int port; /* 0: nothing is under way */
	bool is_secure;
	bool verifies; /* the server; pins do, too */
};

struct network {
	struct network_parts parts;
	const struct config_network *config;
	struct tls_context *context;
	struct net *net;

	enum network_state state;
	int64_t state_ns; /* since when */
	bool is_usable;
	int64_t usable_ns;         /* since when */
	unsigned attempt;          /* since it was last usable */
	struct config_host server; /* owned: the one in use, or next to be tried */
	size_t host;    /* its index in config; past the end where it is not there any more */
	size_t dialled; /* the same of the one that was dialled last */
	bool is_held;   /* by the guard */
	int64_t held_until_ns;
	bool is_ending; /* ending is deferred, or is_usable is about to go */
	bool is_anew;   /* an attempt follows the present end */
	struct way way;
	uint16_t upgrade; /* the port with TLS that the server named; 0: none, or it was tried */

	int64_t began_ns; /* the attempt that connect_timeout counts from */
	struct dial *dial;
	struct socks *socks;
	struct stream *stream;
	struct lines lines;
	struct session *session;
	struct settings *settings; /* owned; the session's */
	struct guard_network guard;
	struct gate_pass pass;
	struct tls_memory memory;

	struct timer hold;     /* until the guard lets an attempt through */
	struct timer deadline; /* of the state */
	struct timer tick;     /* the session's */
	struct loop_sleep sleep;
	struct timer flush; /* looks whether the stream took what scripts wait for */
	struct job ending;
	int why;     /* the last end's reason; 0: there was none */
	char *words; /* owned: the reason, while is_ending */

	void (*gone)(void *data); /* NULL: it is not being removed */
	void *gone_data;
	struct job going;
};

static inline const char *name_of(const struct network *n)
{
	return n->config->name;
}

static inline const struct config_host *host_of(const struct network *n)
{
	return &n->server;
}

static inline int port_of(const struct network *n)
{
	return n->way.port ? n->way.port : host_of(n)->port;
}

static inline int64_t now_of(const struct network *n)
{
	return n->parts.loop->timers.now_ns;
}

/* What servers ask for by STS, where that is minded. */
static inline struct policies *policies_of(const struct network *n)
{
	return n->config->sts ? n->parts.policies : NULL;
}

/* network.c */

const char *network_state_name(enum network_state state);

void network_set_state(struct network *n, enum network_state state);

/* Ends what is under way, after the callback that found the reason has returned. */
void network_end_with(struct network *n, const struct err *why);

/* Ends a connection or an attempt on request, and the wait after one that failed. False: there is
 * nothing to end. */
bool network_end(struct network *n, struct str message);

/* The session is asked again when it may want a tick sooner than the one that is set. */
void network_set_tick(struct network *n);

extern const struct stream_events network_stream_events;

/* network_dial.c */

void network_dial_init(struct network *n);

/* Begins an attempt, when the guard and the gate let it through. */
void network_dial_try(struct network *n);

/* The attempt is under way for good, or is none any more. */
void network_leave_gate(struct network *n);

/* Drops what there is of it, the wait for its turn included. */
void network_dial_stop(struct network *n);

/* Of all that comes before the server's first line. */
int64_t network_dial_deadline(const struct network *n);

/* network_ask.c */

extern const struct net_ops network_net_ops;

void network_ask_init(struct network *n);

#endif
