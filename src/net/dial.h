/*
 * dial: from a host name to one connected descriptor.
 *
 * Resolves, and races the addresses (RFC 8305): they are tried in turn, the families alternating,
 * beginning with that of the first address. The next is tried DIAL_DELAY_NS after the one before,
 * or at once when one fails; addresses that are resolved later join in. The first that connects
 * wins, and the others are closed. DIAL_ATTEMPTS are in flight at most: from there on the oldest
 * yields its place, and what is left of the time is shared evenly among those that wait.
 */
#ifndef EBB_NET_DIAL_H
#define EBB_NET_DIAL_H

#include "net/resolve.h"

#define DIAL_DELAY_NS (250 * NS_PER_MS)

enum { DIAL_ATTEMPTS = 6 };

/* What is zero is not wanted. */
struct dial_options {
	const char *host; /* a name in ASCII (net/idn.h), or an address */
	uint16_t port;
	int64_t timeout_ns;         /* over all */
	int family;                 /* AF_INET or AF_INET6: the only one; 0: both */
	const struct address *bind; /* a local address; only its family is dialled; its port is 0 */

	/* A connection whose other end is gone is found by the kernel within this time, if that is
	 * not less than eight seconds: nothing has come for so long, keep-alive probes included, or
	 * nothing sent was acknowledged. 0: as the system would. */
	int64_t dead_ns;
};

enum dial_phase { DIAL_RESOLVING, DIAL_CONNECTING };

struct dial_events {
	/* What is tried now, each address as its turn comes; address is NULL while resolving. May
	 * be NULL. */
	void (*phase)(void *data, enum dial_phase phase, const char *address);

	/* The end, exactly once: a descriptor, which the callee takes (non-blocking, close-on-exec,
	 * TCP_NODELAY, SO_KEEPALIVE), and its address; or -1, NULL and why, which names the address
	 * that failed last, and one that failed before in another way. The dial is gone when it
	 * returns. Codes: ERR_DNS (the host has no address of the family, too), ERR_TIMEOUT,
	 * ERR_REFUSED (unreachable, and a local address that is not ours, too), ERR_LIMIT (no
	 * descriptor left: trying the next address or trying at once again makes no sense),
	 * ERR_SYSTEM. */
	void (*done)(void *data, int fd, const char *address, const struct err *why);
};

/* Both are called from the loop only. Copies the options and what they point at; borrows the rest
 * until done. */
struct dial *dial_start(struct loop *loop, struct resolver *resolver,
	const struct dial_options *options, const struct dial_events *events, void *data);

/* No event comes any more, and no descriptor is left. NULL is accepted. */
void dial_cancel(struct dial *dial);

#endif
