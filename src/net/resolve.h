/*
 * resolve: host names to addresses, without blocking the loop.
 *
 * c-ares asks: addresses as text, /etc/hosts and "localhost" are answered without a server, the
 * rest goes to the servers of /etc/resolv.conf, which is read again when it has changed. Both
 * families are asked for. Once IPv4 has answered, IPv6 gets RESOLVE_GRACE_NS more: a server that
 * swallows AAAA questions costs no more than that.
 */
#ifndef EBB_NET_RESOLVE_H
#define EBB_NET_RESOLVE_H

#include "base/err.h"
#include "net/address.h"
#include "net/loop.h"

#define RESOLVE_GRACE_NS (250 * NS_PER_MS)

/* Zeroed memory means: as the system is configured. Strings are borrowed. */
struct resolver_options {
	const char *resolv_conf; /* instead of /etc/resolv.conf */
	const char *servers;     /* instead of those in there: "127.0.0.1:5353,[::1]:53" */
	int timeout_ms;          /* of the first try, doubled for the last; 0: 2000 */
};

struct resolver {
	struct loop *loop; /* borrowed; outlives the resolver */
	struct resolver_options options;
	struct resolver_channel *channel; /* the present one, made when first needed */
	struct list channels;             /* the present one, and older ones with answers to come */
	struct list resolves;
};

/* Borrows loop and what options point at; options may be NULL. */
void resolver_init(
	struct resolver *resolver, struct loop *loop, const struct resolver_options *options);

/* Cancels what is under way; those struct resolve are gone afterwards. */
void resolver_fini(struct resolver *resolver);

/* One or more addresses in the order to try them, borrowed for the call; or none, and why:
 * ERR_DNS, its text names the host. */
typedef void resolve_done(
	void *data, const struct address *addresses, size_t n, const struct err *why);

/* Starts to look host up. done is called once, from the loop; the resolve is gone when it
 * returns. Copies host, borrows data. */
struct resolve *resolve_start(
	struct resolver *resolver, const char *host, uint16_t port, resolve_done *done, void *data);

/* done is not called any more. NULL is accepted. */
void resolve_cancel(struct resolve *resolve);

#endif
