#include "daemon/network_inside.h"

#include "base/log.h"

#include <unistd.h>

void network_leave_gate(struct network *n)
{
	gate_leave(n->parts.gate, &n->pass);
}

void network_dial_stop(struct network *n)
{
	network_leave_gate(n);
	timers_cancel(&n->parts.loop->timers, &n->hold);
	dial_cancel(n->dial);
	socks_cancel(n->socks);
	n->dial = NULL;
	n->socks = NULL;
}

static void on_phase(void *data, enum dial_phase phase, const char *address)
{
	struct network *n = data;
	if (phase == DIAL_RESOLVING)
		return;
	log_debug("%s: connecting to %s", name_of(n), address);
	if (n->state != NETWORK_CONNECTING)
		network_set_state(n, NETWORK_CONNECTING);
}

int64_t network_dial_deadline(const struct network *n)
{
	return n->began_ns + n->config->connect_timeout_ns;
}

static int open_stream(struct network *n, int fd, struct err *err)
{
	const struct config_network *c = n->config;
	if (!n->way.is_secure) {
		n->stream = stream_plain_new(n->parts.loop, fd, &network_stream_events, n);
		return 0;
	}
	struct tls_context *context =
		n->context ? n->context : policies_context(n->parts.policies, err);
	if (!context) {
		close(fd);
		return err->code;
	}
	struct tls_options options = {.host = host_of(n)->ascii,
		.verify = n->way.verifies,
		.port = (uint16_t)n->way.port,
		.pins = c->tls_fingerprint.pins,
		.n_pins = c->tls_fingerprint.n,
		.memory = &n->memory};
	network_set_state(n, NETWORK_TLS);
	timers_set(&n->parts.loop->timers, &n->deadline, network_dial_deadline(n));
	return tls_stream_new(
		n->parts.loop, context, fd, &options, &network_stream_events, n, &n->stream, err);
}

/* The way to the server stands. */
static void open_way(struct network *n, int fd)
{
	struct err err;
	if (open_stream(n, fd, &err) < 0)
		network_end_with(n, &err);
}

static void on_proxied(void *data, int fd, const struct err *why)
{
	struct network *n = data;
	n->socks = NULL;
	if (fd < 0)
		network_end_with(n, why);
	else
		open_way(n, fd);
}

static void ask_proxy(struct network *n, int fd)
{
	const struct config_proxy *proxy = &n->config->proxy;
	const struct socks_options options = {
		.target = {host_of(n)->ascii, (uint16_t)n->way.port, proxy->user, proxy->password},
		.proxy = proxy->host,
		.proxy_port = (uint16_t)proxy->port,
		.deadline_ns = network_dial_deadline(n)
        };
	log_debug("%s: through proxy %s:%d", name_of(n), proxy->host, proxy->port);
	n->socks = socks_start(n->parts.loop, fd, &options, on_proxied, n);
}

static void fail_dial(struct network *n, const struct err *why)
{
	const struct config_proxy *proxy = &n->config->proxy;
	struct err err = *why;
	if (proxy->host)
		err_set(&err, why->code, "proxy %s:%d: %s", proxy->host, proxy->port, why->text);
	network_end_with(n, &err);
}

static void on_dialled(void *data, int fd, const char *address, const struct err *why)
{
	struct network *n = data;
	n->dial = NULL;
	if (fd < 0) {
		fail_dial(n, why);
		return;
	}
	log_debug("%s: connected to %s", name_of(n), address);
	if (n->config->proxy.host)
		ask_proxy(n, fd);
	else
		open_way(n, fd);
}

static const struct dial_events dial_events = {on_phase, on_dialled};

static void start_inside(struct network *n)
{
	const struct network_route *route = n->parts.route;
	struct err why;
	network_set_state(n, NETWORK_CONNECTING);
	timers_after(&n->parts.loop->timers, &n->deadline, n->config->connect_timeout_ns);
	n->stream = route->open(route->data, host_of(n)->name, &network_stream_events, n, &why);
	if (!n->stream)
		network_end_with(n, &why);
}

/* As config says, unless the host is to be reached with TLS: then verified, and not on a port that
 * was meant for the clear. */
static struct way find_way(const struct network *n)
{
	const struct config_network *c = n->config;
	const struct policies *policies = policies_of(n);
	struct way way = {host_of(n)->port, c->tls, c->tls_verify || c->tls_fingerprint.n > 0};
	uint16_t port = policies ? policies_port(policies, str_of(host_of(n)->ascii)) : 0;
	if (n->upgrade && policies)
		port = n->upgrade;
	if (!port)
		return way;
	return (struct way){c->tls ? way.port : port, true, true};
}

static void choose_way(struct network *n)
{
	n->way = find_way(n);
	if (n->way.is_secure && !n->config->tls && !n->upgrade)
		log_info("%s: %s has a policy: connects with TLS to port %d", name_of(n),
			host_of(n)->name, n->way.port);
	if (!n->upgrade) /* else it is the same attempt still */
		n->attempt++;
	n->upgrade = 0;
}

/* The kernel is to find a dead end no later than session_tick does. */
static void start_dial(struct network *n)
{
	static const int families[] = {[CONFIG_FAMILY_ANY] = AF_UNSPEC,
		[CONFIG_FAMILY_IPV4] = AF_INET,
		[CONFIG_FAMILY_IPV6] = AF_INET6};
	const struct config_network *c = n->config;
	struct address local;
	bool is_direct = !c->proxy.host;
	struct dial_options options = {.host = is_direct ? host_of(n)->ascii : c->proxy.host,
		.port = (uint16_t)(is_direct ? n->way.port : c->proxy.port),
		.timeout_ns = c->connect_timeout_ns,
		.family = families[c->family],
		.bind = c->bind && address_parse(c->bind, 0, &local) ? &local : NULL,
		.dead_ns = c->ping_interval_ns + c->ping_timeout_ns};
	network_set_state(n, NETWORK_RESOLVING);
	n->dial = dial_start(n->parts.loop, n->parts.resolver, &options, &dial_events, n);
}

static void start(struct network *n)
{
	const struct config_host *h = host_of(n);
	timers_cancel(&n->parts.loop->timers, &n->hold);
	n->is_held = false;
	choose_way(n);
	guard_attempt(n->parts.guard, &n->guard, str_of(h->ascii), now_of(n));
	n->dialled = n->host;
	log_info("%s: connecting to %s:%d (attempt %u)", name_of(n), h->name, n->way.port,
		n->attempt);
	n->began_ns = now_of(n);
	if (n->parts.route) {
		start_inside(n);
		return;
	}
	start_dial(n);
}

static void hold(struct network *n)
{
	struct str host = str_of(host_of(n)->ascii);
	int64_t now_ns = now_of(n), at_ns = guard_turn(n->parts.guard, &n->guard, host, now_ns);
	network_leave_gate(n);
	if (!n->is_held)
		log_info("%s: %s: not dialled before %lld ms have passed: %s", name_of(n),
			host_of(n)->name, (long long)((at_ns - now_ns) / NS_PER_MS),
			guard_why(n->parts.guard, &n->guard, host, now_ns));
	n->is_held = true;
	n->held_until_ns = at_ns;
	if (n->guard.is_made && at_ns > now_ns + GUARD_PAUSE_NS)
		at_ns = now_ns + GUARD_PAUSE_NS; /* another's success may let it go sooner */
	timers_set(&n->parts.loop->timers, &n->hold, at_ns);
}

/* False: its turn comes later. */
static bool enter_gate(struct network *n)
{
	if (gate_enter(n->parts.gate, &n->pass))
		return true;
	if (!n->is_held)
		log_debug("%s: not dialled yet: %d others are connecting", name_of(n), GATE_MAX);
	n->is_held = true;
	return false;
}

void network_dial_try(struct network *n)
{
	int64_t now_ns = now_of(n);
	int64_t at_ns = guard_when(n->parts.guard, &n->guard, str_of(host_of(n)->ascii), now_ns);
	if (at_ns > now_ns)
		hold(n);
	else if (enter_gate(n))
		start(n);
}

/* The guard is asked again: others may have dialled the host meanwhile. */
static void on_gate_open(struct gate_pass *p)
{
	struct network *n = container_of(p, struct network, pass);
	n->is_held = false;
	network_dial_try(n);
}

static void on_hold_over(struct timer *t)
{
	network_dial_try(container_of(t, struct network, hold));
}

void network_dial_init(struct network *n)
{
	n->hold.fire = on_hold_over;
	gate_pass_init(&n->pass, on_gate_open);
}
