#include "net/guard.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>

enum { HOST_MAX = 255 }; /* RFC 1035, section 2.3.4 */

struct host {
	int64_t full_ns; /* when its bucket is full again */
};

void guard_init(struct guard *g, double rate)
{
	assert(rate > 0);
	*g = (struct guard){.interval_ns = clock_from_seconds(1 / rate)};
}

void guard_set_rate(struct guard *g, double rate, int64_t now_ns)
{
	assert(rate > 0);
	int64_t old_ns = g->interval_ns;
	g->interval_ns = clock_from_seconds(1 / rate);
	for (struct map_entry *e = map_first(&g->hosts); e; e = map_next(e)) {
		struct host *h = map_value(e);
		double missing = (double)(h->full_ns - now_ns) / (double)old_ns;
		if (missing > 0)
			h->full_ns = now_ns + (int64_t)(missing * (double)g->interval_ns);
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

static int64_t pause_when(const struct guard_network *network)
{
	return network->has_last ? network->last_ns + GUARD_PAUSE_NS : INT64_MIN;
}

static int64_t window_when(const struct guard_network *network)
{
	if (network->n < GUARD_ATTEMPTS)
		return INT64_MIN;
	return network->attempts_ns[network->n % GUARD_ATTEMPTS] + GUARD_WINDOW_NS;
}

static int64_t network_when(const struct guard_network *network)
{
	return later(pause_when(network), window_when(network));
}

/* A bucket that is full at full_ns lacks one attempt for each interval until then. */
static int64_t host_when(struct guard *g, struct str folded)
{
	const struct host *host = map_get(&g->hosts, folded);
	return host ? host->full_ns - (GUARD_BURST - 1) * g->interval_ns : INT64_MIN;
}

int64_t guard_when(
	struct guard *g, const struct guard_network *network, struct str host, int64_t now_ns)
{
	char folded[HOST_MAX];
	int64_t when_ns = later(network_when(network), host_when(g, fold(host, folded)));
	return later(when_ns, now_ns);
}

const char *guard_why(
	struct guard *g, const struct guard_network *network, struct str host, int64_t now_ns)
{
	int64_t when_ns = guard_when(g, network, host, now_ns);
	if (when_ns == window_when(network))
		return "it was dialled 10 times in 10 minutes in vain";
	if (when_ns == pause_when(network))
		return "a network is dialled once in 2 s";
	return "dial_rate: the host was dialled too often";
}

static void forget_full(struct guard *g, int64_t now_ns)
{
	for (;;) {
		struct map_entry *oldest = map_first(&g->hosts);
		if (!oldest)
			return;
		const struct host *host = map_value(oldest);
		if (host->full_ns > now_ns && map_count(&g->hosts) < GUARD_HOSTS_MAX)
			return;
		forget(g, map_key(oldest));
	}
}

static void count_host(struct guard *g, struct str folded, int64_t now_ns)
{
	struct host *host = map_remove(&g->hosts, folded);
	if (!host)
		host = mem_new(sizeof(*host));
	forget_full(g, now_ns);
	host->full_ns = later(host->full_ns, now_ns) + g->interval_ns;
	map_put(&g->hosts, folded, host);
}

void guard_attempt(struct guard *g, struct guard_network *network, struct str host, int64_t now_ns)
{
	char folded[HOST_MAX];
	network->attempts_ns[network->n++ % GUARD_ATTEMPTS] = now_ns;
	network->last_ns = now_ns;
	network->has_last = true;
	count_host(g, fold(host, folded), now_ns);
}

void guard_success(struct guard_network *network)
{
	network->n = 0;
}
