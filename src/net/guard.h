/*
 * guard: how soon a network and a host may be dialled again.
 *
 * A floor under every reconnect policy, so that no script can turn the bot into a nuisance:
 *
 *     a network   one attempt in GUARD_PAUSE_NS, and GUARD_ATTEMPTS in GUARD_WINDOW_NS without a
 *                 success
 *     a host      `rate` attempts a second after a burst of GUARD_BURST, over all networks that
 *                 name it (a token bucket)
 *
 * What a network may holds over all its hosts. A host is known by its name, in any case and with or
 * without the dot of a complete name behind it, whatever the port; two names are two hosts, though
 * they be of one machine.
 *
 * Networks that scripts made could be made anew, under other names, to begin afresh. So these count
 * together, besides:
 *
 *     at a host   GUARD_ATTEMPTS in GUARD_WINDOW_NS without a success of any of them; and one that
 *                 was never dialled waits for the pause of those that are gone
 *     everywhere  as one host: a name for a host is easily had
 *
 * Who waits for a host has a turn there, one interval after that of the one before, so that
 * thousands do not all come back to ask whenever one may be dialled, and each knows how long it
 * takes. The turn of one that gives up stays empty, until it wants it again.
 *
 * It holds no clock: callers pass monotonic nanoseconds. Hosts are forgotten when nothing of them
 * counts any more.
 */
#ifndef EBB_NET_GUARD_H
#define EBB_NET_GUARD_H

#include "base/clock.h"
#include "base/map.h"

enum { GUARD_ATTEMPTS = 10, GUARD_BURST = 10, GUARD_HOSTS_MAX = 4096 };

#define GUARD_PAUSE_NS  (2 * NS_PER_S)
#define GUARD_WINDOW_NS (600 * NS_PER_S)

struct guard {
	int64_t interval_ns;  /* in which a host's bucket gains one */
	struct map hosts;     /* folded name to struct host, oldest attempt first */
	int64_t made_full_ns; /* when the bucket of the networks that scripts made is full again */
	unsigned epoch;       /* counts the rates: turns are of one */
};

/* Attempts since the last success. */
struct guard_ring {
	int64_t attempts_ns[GUARD_ATTEMPTS]; /* the latest */
	unsigned long n;
};

/* Zeroed memory is a network that was never dialled. */
struct guard_network {
	struct guard_ring ring;
	int64_t last_ns;
	bool has_last;
	bool is_made;    /* by a script */
	int64_t turn_ns; /* at the host that it waits for; 0: it has none */
	unsigned turn_epoch;
};

/* rate: attempts a second for each host, more than 0. */
void guard_init(struct guard *g, double rate);
void guard_fini(struct guard *g);

/* Another rate from now on: so many attempts as a host may not have yet, it may not have still.
 * Who waits is to ask for another turn. */
void guard_set_rate(struct guard *g, double rate, int64_t now_ns);

/* The earliest time at which host may be dialled for the network; now_ns when it may be now. */
int64_t guard_when(
	struct guard *g, const struct guard_network *network, struct str host, int64_t now_ns);

/* When a network for which that is not now is to ask again: at its turn, where it waits for the
 * host. */
int64_t guard_turn(struct guard *g, struct guard_network *network, struct str host, int64_t now_ns);

/* Which of the rules it is that makes the network wait longest, in words for the log. */
const char *guard_why(
	struct guard *g, const struct guard_network *network, struct str host, int64_t now_ns);

/* Counts an attempt that is made now. */
void guard_attempt(struct guard *g, struct guard_network *network, struct str host, int64_t now_ns);

/* The host registered us, for the network: its failures are forgotten, the pause is not. */
void guard_success(struct guard *g, struct guard_network *network, struct str host);

/* The network, whose last attempt was at host, is gone. */
void guard_gone(
	struct guard *g, const struct guard_network *network, struct str host, int64_t now_ns);

#endif
