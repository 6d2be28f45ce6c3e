/*
 * network: one configured network; the glue between dial, stream, session and scripts.
 *
 * Its life is one state machine, and every change is logged with how long the state lasted:
 *
 *     idle --> resolving --> connecting --> tls --> registering --> ready --> closing --> idle
 *
 * Every state has a deadline, and any of them may fall back to idle. Nothing in here decides to
 * come back: that is a script's (scripts/reconnect.lua).
 *
 * When the machine wakes after it slept, a connection that is ready is tried by a PING at once: its
 * server may have given it up long ago. An attempt just runs into its deadline.
 *
 * Where a server in the clear says that it is to be spoken to with TLS (STS), the attempt goes on
 * there, on the port it names. As long as a policy holds for a host, no attempt is made but with
 * TLS and a server that is verified, by pins or by its chain, whatever config says: on config's
 * port where that is with TLS already, else on the policy's. A server that nobody verifies
 * (tls_verify = no) sets none.
 */
#ifndef EBB_DAEMON_NETWORK_H
#define EBB_DAEMON_NETWORK_H

#include "daemon/config.h"
#include "daemon/policies.h"
#include "net/gate.h"
#include "net/guard.h"
#include "net/loop.h"
#include "net/resolve.h"
#include "net/tls.h"
#include "script/net.h"

/* The way to networks that are in this process. */
struct network_route {
	/* A stream to host, which opens later; or NULL and why. */
	struct stream *(*open)(void *data, const char *host, const struct stream_events *events,
		void *owner, struct err *why);
	void *data;
};

/* What networks share; outlives them. */
struct network_parts {
	struct loop *loop;
	struct resolver *resolver;
	struct guard *guard;
	struct gate *gate;
	struct host *host;
	const struct network_route *route; /* NULL: the way is TCP, with TLS as configured */
	struct policies *policies;         /* NULL: what servers ask for by STS is passed over */
};

struct network;

/* Returns owned, idle. Copies parts. Borrows config and context (NULL where config->tls is no)
 * until network_configure gives others. */
struct network *network_new(const struct network_parts *parts, const struct config_network *config,
	struct tls_context *context);

/*
 * Takes over other settings of the same name; the old config and context may go after the call.
 * Returns what has changed, which is logged.
 *
 * Where that needs a new connection, the present one ends with QUIT, or the attempt that is under
 * way does, as if it had been requested, and the network begins an attempt by itself. One that
 * waits for the guard goes on under the new settings. What is closing or failing already just ends;
 * policies see to the rest.
 *
 * An idle network stays idle unless autoconnect was turned on, or its last attempt or connection
 * failed and what changed may be the remedy. One that is being removed comes back: what closes is
 * followed by an attempt, where config says autoconnect.
 */
enum config_change network_configure(
	struct network *n, const struct config_network *config, struct tls_context *context);

/* The script that made it, copied: scripts see it by that, and the guard counts it with the others
 * that scripts made. NULL: the configuration has it. */
void network_made_by(struct network *n, const char *script);

/* Ends it for good: no attempt begins any more, a connection ends as by network_disconnect, and
 * policies hear that this was requested. gone is called when it is idle, never from within the call
 * and within NETWORK_CLOSE_NS of it, unless network_configure or network_free comes before; it is
 * to call network_free. */
void network_remove(struct network *n, struct str message, void (*gone)(void *data), void *data);

/* Puts it behind all others, as scripts list them. */
void network_place_last(struct network *n);

/* Drops a connection without a word. Tasks that wait for the network get a failure. */
void network_free(struct network *n);

/* Begins an attempt unless one is under way. */
void network_connect(struct network *n);

/* Sends QUIT and closes within NETWORK_CLOSE_NS. */
#define NETWORK_CLOSE_NS (2 * NS_PER_S)
void network_disconnect(struct network *n, struct str message);

bool network_is_idle(const struct network *n);

#endif
