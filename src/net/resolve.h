/*
 * resolve: host names to addresses, without blocking the loop.
 *
 * c-ares asks: addresses as text, /etc/hosts and "localhost" are answered without a server, the
 * rest goes to the servers of /etc/resolv.conf, which is read again when it has changed. Nothing
 * is remembered from one question to the next.
 *
 * Both families are asked for at once, and told as they come (RFC 8305, section 3): IPv6 at once,
 * IPv4 with it or RESOLVE_DELAY_NS after its answer. So a server that swallows the questions of one
 * family, or is slow to answer them, keeps nobody from the addresses of the other.
 */
#ifndef EBB_NET_RESOLVE_H
#define EBB_NET_RESOLVE_H

#include "base/err.h"
#include "net/address.h"
#include "net/loop.h"

#define RESOLVE_DELAY_NS (50 * NS_PER_MS)

enum { RESOLVE_MAX = 32 }; /* addresses of a family: what is beyond is passed over */

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

/* Addresses in the order to try them, borrowed for the call. Called once for each family at most;
 * the last time is_last, perhaps without addresses. why: NULL, or with the last call, when there
 * was no address at all: ERR_DNS, or ERR_LIMIT where no descriptor was left to ask with; its text
 * names the host. */
typedef void resolve_told(
	void *data, const struct address *addresses, size_t n, bool is_last, const struct err *why);

/* Starts to look host up. family: AF_UNSPEC, or the only one to be asked for, AF_INET or AF_INET6;
 * an address as text of the other one is an error. told is called from the loop; the resolve is
 * gone when the last call returns. Copies host, borrows data. */
struct resolve *resolve_start(struct resolver *resolver, const char *host, uint16_t port,
	int family, resolve_told *told, void *data);

/* told is not called any more; it may be called from there, too. NULL is accepted. */
void resolve_cancel(struct resolve *resolve);

#endif
