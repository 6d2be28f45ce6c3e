#include "net/guard.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>

enum { HOST_MAX = 255 }; /* RFC 1035, section 2.3.4 */

struct host {
	int64_t full_ns;        /* when its bucket is full again */
	struct guard_ring made; /* of networks that scripts made */
	int64_t gone_ns;        /* the last attempt of those of them that are gone */
	int64_t turn_ns;        /* the last that was given */
};

void guard_init(struct guard *g, double rate)
{
	assert(rate > 0);
	*g = (struct guard){.interval_ns = clock_from_seconds(1 / rate)};
}

static void rescale(const struct guard *g, int64_t *full_ns, int64_t old_ns, int64_t now_ns)
{
	double missing = (double)(*full_ns - now_ns) / (double)old_ns;
	if (missing > 0)
		*full_ns = now_ns + (int64_t)(missing * (double)g->interval_ns);
}

void guard_set_rate(struct guard *g, double rate, int64_t now_ns)
{
	assert(rate > 0);
	int64_t old_ns = g->interval_ns;
	g->interval_ns = clock_from_seconds(1 / rate);
	if (g->interval_ns == old_ns)
		return;
	g->epoch++;
	rescale(g, &g->made_full_ns, old_ns, now_ns);
	for (struct map_entry *e = map_first(&g->hosts); e; e = map_next(e)) {
		struct host *h = map_value(e);
		rescale(g, &h->full_ns, old_ns, now_ns);
		h->turn_ns = 0;
	}
}

static void forget(struct guard *g, struct str folded)
{
	free(map_remove(&g->hosts, folded));
}

void guard_fini(struct guard *g)
{
	while (map_first(&g->hosts))
		forget(g, map_key(map_first(&g->hosts)));
	map_fini(&g->hosts);
}

static struct str fold(struct str host, char folded[HOST_MAX])
{
	size_t n = host.n < HOST_MAX ? host.n : HOST_MAX;
	if (n > 1 && host.p[n - 1] == '.')
		n--;
	for (size_t i = 0; i < n; i++) {
		char c = host.p[i];
		folded[i] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
	}
	return (struct str){folded, n};
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t ring_when(const struct guard_ring *ring)
{
	return ring->n < GUARD_ATTEMPTS
		       ? INT64_MIN
		       : ring->attempts_ns[ring->n % GUARD_ATTEMPTS] + GUARD_WINDOW_NS;
}

static void ring_count(struct guard_ring *ring, int64_t now_ns)
{
	ring->attempts_ns[ring->n++ % GUARD_ATTEMPTS] = now_ns;
}

static int64_t pause_when(const struct guard_network *network)
{
	return network->has_last ? network->last_ns + GUARD_PAUSE_NS : INT64_MIN;
}

static int64_t network_when(const struct guard_network *network)
{
	return later(pause_when(network), ring_when(&network->ring));
}

/* A bucket that is full at full_ns lacks one attempt for each interval until then. */
static int64_t bucket_when(const struct guard *g, int64_t full_ns)
{
	return full_ns - (GUARD_BURST - 1) * g->interval_ns;
}

/* One that was never dialled may stand in the place of one that was. */
static int64_t gone_when(const struct guard_network *network, const struct host *host)
{
	return host && host->gone_ns && !network->has_last ? host->gone_ns + GUARD_PAUSE_NS
							   : INT64_MIN;
}

static int64_t made_when(
	const struct guard *g, const struct guard_network *network, const struct host *host)
{
	int64_t when_ns = g->made_full_ns ? bucket_when(g, g->made_full_ns) : INT64_MIN;
	if (host)
		when_ns = later(when_ns, ring_when(&host->made));
	return later(when_ns, gone_when(network, host));
}

int64_t guard_when(
	struct guard *g, const struct guard_network *network, struct str host, int64_t now_ns)
{
	char folded[HOST_MAX];
	const struct host *h = map_get(&g->hosts, fold(host, folded));
	int64_t when_ns = network_when(network);
	if (h)
		when_ns = later(when_ns, bucket_when(g, h->full_ns));
	if (network->is_made)
		when_ns = later(when_ns, made_when(g, network, h));
	return later(when_ns, now_ns);
}

int64_t guard_turn(struct guard *g, struct guard_network *network, struct str host, int64_t now_ns)
{
	char folded[HOST_MAX];
	struct host *h = map_get(&g->hosts, fold(host, folded));
	int64_t when_ns = guard_when(g, network, host, now_ns);
	if (!h || network->is_made || when_ns != bucket_when(g, h->full_ns))
		return when_ns;
	if (network->turn_ns && network->turn_epoch == g->epoch)
		return later(when_ns, network->turn_ns);
	h->turn_ns = h->turn_ns ? later(when_ns, h->turn_ns + g->interval_ns) : when_ns;
	network->turn_ns = h->turn_ns;
	network->turn_epoch = g->epoch;
	return h->turn_ns;
}

const char *guard_why(
	struct guard *g, const struct guard_network *network, struct str host, int64_t now_ns)
{
	char folded[HOST_MAX];
	const struct host *h = map_get(&g->hosts, fold(host, folded));
	int64_t when_ns = guard_when(g, network, host, now_ns);
	if (when_ns == ring_when(&network->ring))
		return "it was dialled 10 times in 10 minutes in vain";
	if (when_ns == pause_when(network))
		return "a network is dialled once in 2 s";
	if (h && network->is_made && when_ns == ring_when(&h->made))
		return "networks that scripts made dialled it 10 times in 10 minutes in vain";
	if (network->is_made && when_ns == gone_when(network, h))
		return "one that is gone was dialled within 2 s";
	if (h && when_ns == bucket_when(g, h->full_ns))
		return "dial_rate: the host was dialled too often";
	return "dial_rate: networks that scripts made were dialled too often";
}

static bool counts_still(const struct host *host, int64_t now_ns)
{
	unsigned long last = host->made.n - 1;
	if (host->full_ns > now_ns || (host->gone_ns && host->gone_ns + GUARD_PAUSE_NS > now_ns))
		return true;
	return host->made.n &&
	       host->made.attempts_ns[last % GUARD_ATTEMPTS] + GUARD_WINDOW_NS > now_ns;
}

static void forget_full(struct guard *g, int64_t now_ns)
{
	for (;;) {
		struct map_entry *oldest = map_first(&g->hosts);
		if (!oldest)
			return;
		if (counts_still(map_value(oldest), now_ns) &&
			map_count(&g->hosts) < GUARD_HOSTS_MAX)
			return;
		forget(g, map_key(oldest));
	}
}

/* As the one that was dialled last. */
static struct host *put_host(struct guard *g, struct str folded, int64_t now_ns)
{
	struct host *host = map_remove(&g->hosts, folded);
	if (!host)
		host = mem_new(sizeof(*host));
	forget_full(g, now_ns);
	map_put(&g->hosts, folded, host);
	return host;
}

static void take_one(const struct guard *g, int64_t *full_ns, int64_t now_ns)
{
	*full_ns = later(*full_ns, now_ns) + g->interval_ns;
}

void guard_attempt(struct guard *g, struct guard_network *network, struct str host, int64_t now_ns)
{
	char folded[HOST_MAX];
	struct host *h = put_host(g, fold(host, folded), now_ns);
	ring_count(&network->ring, now_ns);
	network->last_ns = now_ns;
	network->has_last = true;
	network->turn_ns = 0;
	take_one(g, &h->full_ns, now_ns);
	if (!network->is_made)
		return;
	ring_count(&h->made, now_ns);
	take_one(g, &g->made_full_ns, now_ns);
}

void guard_success(struct guard *g, struct guard_network *network, struct str host)
{
	char folded[HOST_MAX];
	struct host *h = map_get(&g->hosts, fold(host, folded));
	network->ring.n = 0;
	if (h && network->is_made)
		h->made.n = 0;
}

void guard_gone(
	struct guard *g, const struct guard_network *network, struct str host, int64_t now_ns)
{
	char folded[HOST_MAX];
	if (!network->is_made || !network->has_last || network->last_ns + GUARD_PAUSE_NS <= now_ns)
		return;
	struct host *h = put_host(g, fold(host, folded), now_ns);
	h->gone_ns = later(h->gone_ns, network->last_ns);
}
