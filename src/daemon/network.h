/*
 * network: one configured network; the glue between dial, stream, session and scripts.
 *
 * Its life is one state machine, and every change is logged with how long the state lasted:
 *
 *     idle --> resolving --> connecting --> tls --> registering --> ready --> closing --> idle
 *
 * Every state has a deadline, and any of them may fall back to idle. Nothing in here decides to
 * come back: that is a script's (scripts/reconnect.lua).
 */
#ifndef EBB_DAEMON_NETWORK_H
#define EBB_DAEMON_NETWORK_H

#include "daemon/config.h"
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
	struct host *host;
	const struct network_route *route; /* NULL: the way is TCP, with TLS as configured */
};

struct network;

/* Returns owned, idle. Borrows parts, config and context (NULL where config->tls is no). */
struct network *network_new(const struct network_parts *parts, const struct config_network *config,
	struct tls_context *context);

/* Drops a connection without a word. */
void network_free(struct network *n);

/* Begins an attempt unless one is under way. */
void network_connect(struct network *n);

/* Sends QUIT and closes within NETWORK_CLOSE_NS. */
#define NETWORK_CLOSE_NS (2 * NS_PER_S)
void network_disconnect(struct network *n, struct str message);

bool network_is_idle(const struct network *n);

#endif
