/*
 * dial: from a host name to one connected descriptor.
 *
 * Resolves, then tries one address after the other until one accepts. The timeout covers all of
 * it, and each address gets an even share of what is left, so one that does not answer leaves
 * time for the next.
 */
#ifndef EBB_NET_DIAL_H
#define EBB_NET_DIAL_H

#include "net/resolve.h"

struct dial_options {
	const char *host;
	uint16_t port;
	int64_t timeout_ns;
};

enum dial_phase { DIAL_RESOLVING, DIAL_CONNECTING };

struct dial_events {
	/* What is tried now; address is NULL while resolving. May be NULL. */
	void (*phase)(void *data, enum dial_phase phase, const char *address);

	/* The end, exactly once: a descriptor, which the callee takes (non-blocking, close-on-exec,
	 * TCP_NODELAY, SO_KEEPALIVE), and its address; or -1, NULL and why, which names the
	 * address that failed last. The dial is gone when it returns. Codes: ERR_DNS,
	 * ERR_TIMEOUT, ERR_REFUSED (unreachable too), ERR_LIMIT (no descriptor left: trying the
	 * next address or trying at once again makes no sense), ERR_SYSTEM. */
	void (*done)(void *data, int fd, const char *address, const struct err *why);
};

/* Both are called from the loop only. Copies the options; borrows the rest until done. */
struct dial *dial_start(struct loop *loop, struct resolver *resolver,
	const struct dial_options *options, const struct dial_events *events, void *data);

/* The same where the addresses, one at least, are known: options gives only the timeout. Copies
 * them. */
struct dial *dial_addresses(struct loop *loop, const struct address *addresses, size_t n,
	const struct dial_options *options, const struct dial_events *events, void *data);

/* No event comes any more, and no descriptor is left. NULL is accepted. */
void dial_cancel(struct dial *dial);

#endif
