/*
 * policies: what servers asked for by STS (irc/sts.h), kept from one start to the next.
 *
 * The file STATE_DIR/sts is read at the start and replaced as a whole when a policy has changed:
 * at once where that is seldom, never more often than every POLICIES_PACE_NS, and at the end. What
 * cannot be read or written is warned of once, until it can; meanwhile policies hold as long as the
 * daemon runs. A file that could not be read stays as it is.
 *
 * Times of expiry are of the loop's wall clock.
 */
#ifndef EBB_DAEMON_POLICIES_H
#define EBB_DAEMON_POLICIES_H

#include "irc/sts.h"
#include "net/loop.h"
#include "net/tls.h"

#define POLICIES_PACE_NS (10 * NS_PER_S)

struct policies {
	struct loop *loop; /* borrowed */
	struct sts sts;
	char *path;                  /* owned; NULL: they are in memory only */
	bool is_told;                /* that they are not kept */
	struct timer due;            /* to write */
	int64_t written_ns;          /* when it was last tried; -1: never */
	struct tls_context *context; /* owned; NULL: not made yet */
};

/* Without any, and in memory only. Does not move. */
void policies_init(struct policies *p, struct loop *loop);

/* Reads those in folder, and keeps them there from now on; NULL: nowhere. */
void policies_open(struct policies *p, const char *folder);

/* Writes what has not been written. */
void policies_fini(struct policies *p);

/* The port of the policy that holds for host, or 0. */
uint16_t policies_port(const struct policies *p, struct str host);

/* A connection to host at port, secure and with a server that was verified, was told a duration. */
void policies_learn(struct policies *p, struct str host, uint16_t port, int64_t duration_ns);

/* Such a connection ended. */
void policies_touch(struct policies *p, struct str host);

/* For networks that a policy brings to TLS, and which have no context of their own: one with the
 * system's authorities. Borrowed until the next call but policies_context; NULL, and err, where
 * they cannot be read. */
struct tls_context *policies_context(struct policies *p, struct err *err);

/* The authorities are to be read anew. */
void policies_refresh(struct policies *p);

#endif
