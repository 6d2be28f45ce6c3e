#include "daemon/network.h"

#include "base/log.h"
#include "base/mem.h"
#include "daemon/settings.h"
#include "net/dial.h"
#include "net/lines.h"
#include "net/socks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { CHANGED_KEYS_BYTES = 1024 };

#define FLUSH_LOOK_NS (10 * NS_PER_MS)

enum network_state {
	NETWORK_IDLE,
	NETWORK_RESOLVING,
	NETWORK_CONNECTING,
	NETWORK_TLS,
	NETWORK_REGISTERING,
	NETWORK_READY,
	NETWORK_CLOSING
};

static const char *const state_names[] = {
	"idle", "resolving", "connecting", "tls", "registering", "ready", "closing"};

/* How an attempt reaches its server. */
struct way {
	int port; /* 0: nothing is under way */
	bool is_secure;
	bool verifies; /* the server; pins do, too */
};

struct network {
	struct network_parts parts;
	const struct config_network *config;
	struct tls_context *context;
	struct net *net;

	enum network_state state;
	int64_t state_ns; /* since when */
	bool is_usable;
	int64_t usable_ns;         /* since when */
	unsigned attempt;          /* since it was last usable */
	struct config_host server; /* owned: the one in use, or next to be tried */
	size_t host;    /* its index in config; past the end where it is not there any more */
	size_t dialled; /* the same of the one that was dialled last */
	bool is_held;   /* by the guard */
	int64_t held_until_ns;
	bool is_ending; /* ending is deferred, or is_usable is about to go */
	bool is_anew;   /* an attempt follows the present end */
	struct way way;
	uint16_t upgrade; /* the port with TLS that the server named; 0: none, or it was tried */

	int64_t began_ns; /* the attempt that connect_timeout counts from */
	struct dial *dial;
	struct socks *socks;
	struct stream *stream;
	struct lines lines;
	struct session *session;
	struct settings *settings; /* owned; the session's */
	struct guard_network guard;
	struct gate_pass pass;
	struct tls_memory memory;

	struct timer hold;     /* until the guard lets an attempt through */
	struct timer deadline; /* of the state */
	struct timer tick;     /* the session's */
	struct loop_sleep sleep;
	struct timer flush; /* looks whether the stream took what scripts wait for */
	struct job ending;
	int why;     /* the last end's reason; 0: there was none */
	char *words; /* owned: the reason, while is_ending */

	void (*gone)(void *data); /* NULL: it is not being removed */
	void *gone_data;
	struct job going;
};

static const char *name_of(const struct network *n)
{
	return n->config->name;
}

static const struct config_host *host_of(const struct network *n)
{
	return &n->server;
}

static int port_of(const struct network *n)
{
	return n->way.port ? n->way.port : host_of(n)->port;
}

static int64_t now_of(const struct network *n)
{
	return n->parts.loop->timers.now_ns;
}

static void set_state(struct network *n, enum network_state state)
{
	log_debug("%s: %s after %lld ms %s", name_of(n), state_names[state],
		(long long)((now_of(n) - n->state_ns) / NS_PER_MS), state_names[n->state]);
	n->state = state;
	n->state_ns = now_of(n);
}

/* The session is asked again when it may want a tick sooner than the one that is set. */
static void set_tick(struct network *n)
{
	int64_t at_ns = session_deadline(n->session);
	if (at_ns >= 0 && (!timer_is_set(&n->tick) || at_ns < n->tick.at_ns))
		timers_set(&n->parts.loop->timers, &n->tick, at_ns);
}

static void ask_mark(void *data, struct net_mark *out)
{
	const struct network *n = data;
	*out = (struct net_mark){.lines = session_pushed(n->session), .is_queued = true};
}

static bool ask_is_past(void *data, struct net_mark *mark)
{
	struct network *n = data;
	if (mark->is_queued && n->stream && session_is_past(n->session, mark->lines)) {
		mark->is_queued = false;
		mark->bytes = n->stream->written + n->stream->out.n;
	}
	if (!mark->is_queued && n->stream && n->stream->written >= mark->bytes)
		return true;
	if (!timer_is_set(&n->flush))
		timers_after(&n->parts.loop->timers, &n->flush, FLUSH_LOOK_NS);
	return false;
}

static void on_flush_look(struct timer *t)
{
	struct network *n = container_of(t, struct network, flush);
	net_flushed(n->net);
}

static void on_tick(struct timer *t)
{
	struct network *n = container_of(t, struct network, tick);
	session_tick(n->session, now_of(n));
	set_tick(n);
}

static void on_woken(struct loop_sleep *watch)
{
	struct network *n = container_of(watch, struct network, sleep);
	session_probe(n->session, now_of(n));
	set_tick(n);
}

static void set_reason(struct network *n, int why, const char *words)
{
	free(n->words);
	n->words = mem_strdup(words);
	n->why = why;
}

/* The attempt is under way for good, or is none any more. */
static void leave_gate(struct network *n)
{
	gate_leave(n->parts.gate, &n->pass);
}

static void stop_dialling(struct network *n)
{
	leave_gate(n);
	dial_cancel(n->dial);
	socks_cancel(n->socks);
	n->dial = NULL;
	n->socks = NULL;
}

/* Ends what is under way, after the callback that found the reason has returned. */
static void end_with(struct network *n, const struct err *why)
{
	if (n->is_ending)
		return;
	n->is_ending = true;
	stop_dialling(n);
	if (n->state == NETWORK_CLOSING) /* whatever the server makes of it */
		set_reason(n, ERR_REQUESTED, "requested");
	else
		set_reason(n, why->code, why->text);
	loop_defer(n->parts.loop, &n->ending);
}

static void log_end(const struct network *n, const struct err *why, int64_t uptime_ns)
{
	const char *host = host_of(n)->name;
	if (why->code == ERR_REQUESTED)
		log_info("%s: disconnected as requested", name_of(n));
	else if (uptime_ns >= 0)
		log_warn("%s: disconnected from %s:%d after %lld s: %s: %s", name_of(n), host,
			port_of(n), (long long)(uptime_ns / NS_PER_S), err_name(why->code),
			why->text);
	else
		log_warn("%s: %s:%d: not connected: %s: %s", name_of(n), host, port_of(n),
			err_name(why->code), why->text);
}

/* What servers ask for by STS, where that is minded. */
static struct policies *policies_of(const struct network *n)
{
	return n->config->sts ? n->parts.policies : NULL;
}

/* Whether we know whom we speak to, and nobody else does. */
static bool is_trusted(const struct network *n)
{
	return n->way.is_secure && n->way.verifies;
}

static void let_go(struct network *n)
{
	struct timers *ts = &n->parts.loop->timers;
	if (session_state(n->session) != SESSION_IDLE && is_trusted(n) && policies_of(n))
		policies_touch(policies_of(n), str_of(host_of(n)->ascii));
	timers_cancel(ts, &n->hold);
	timers_cancel(ts, &n->deadline);
	timers_cancel(ts, &n->tick);
	timers_cancel(ts, &n->flush);
	stop_dialling(n);
	stream_free(n->stream);
	n->stream = NULL;
	n->is_held = false;
	session_end(n->session);
	lines_reset(&n->lines);
}

static void free_server(struct config_host *server)
{
	free(server->name);
	free(server->ascii);
}

/* Where the next attempt goes. */
static void choose_host(struct network *n, bool has_failed)
{
	const struct config_hosts *list = &n->config->host;
	n->way = (struct way){0};
	if (n->host >= list->n)
		n->host = n->upgrade = 0;
	else if (has_failed)
		n->host = (n->host + 1) % list->n;
	n->server = list->hosts[n->host];
	n->server.name = mem_strdup(n->server.name);
	n->server.ascii = mem_strdup(n->server.ascii);
}

/* The attempt that follows is under way before scripts hear of the end, so that what they ask for
 * is asked of it. */
static void on_ending(struct job *job)
{
	struct network *n = container_of(job, struct network, ending);
	struct err why;
	err_set(&why, n->why, "%s", n->words);
	free(n->words);
	n->words = NULL;
	int64_t uptime_ns = n->is_usable ? now_of(n) - n->usable_ns : -1;
	struct net_end end = {&why, host_of(n)->name, port_of(n), uptime_ns};
	struct config_host server = n->server;
	bool is_anew = n->is_anew;
	log_end(n, &why, uptime_ns);
	let_go(n);
	n->upgrade = is_anew ? n->upgrade : 0;
	n->is_ending = n->is_usable = n->is_anew = false;
	set_state(n, NETWORK_IDLE);
	choose_host(n, why.code != ERR_REQUESTED);
	if (is_anew)
		network_connect(n);
	net_closed(n->net, &end);
	free_server(&server);
	if (n->gone)
		loop_defer(n->parts.loop, &n->going);
}

static void on_going(struct job *job)
{
	struct network *n = container_of(job, struct network, going);
	n->gone(n->gone_data);
}

static void on_deadline(struct timer *t)
{
	struct network *n = container_of(t, struct network, deadline);
	struct err why;
	err_set(&why, ERR_TIMEOUT, "no answer within %g s (%s)",
		(double)n->config->connect_timeout_ns / NS_PER_S, state_names[n->state]);
	end_with(n, &why);
}

/* The stream. */

static void describe_tls(const struct network *n)
{
	struct tls_facts facts;
	char certificate[PIN_TEXT_BYTES], key[PIN_TEXT_BYTES];
	tls_describe(n->stream, &facts);
	pin_format(&facts.server.certificate, certificate);
	pin_format(&facts.server.key, key);
	log_info("%s: %s, %s, certificate %s, key %s%s", name_of(n), facts.version, facts.cipher,
		certificate, key, facts.is_resumed ? ", resumed" : "");
}

static void on_open(void *owner)
{
	struct network *n = owner;
	leave_gate(n);
	timers_cancel(&n->parts.loop->timers, &n->deadline);
	bool is_inside = n->parts.route;
	if (n->way.is_secure && !is_inside)
		describe_tls(n);
	set_state(n, NETWORK_REGISTERING);
	session_begin(n->session, n->way.is_secure || is_inside, now_of(n));
	set_tick(n);
}

static void try_start(struct network *n);

/* The server in the clear has named a port with TLS. Who is there already has to leave first. */
static void go_to_tls(struct network *n)
{
	struct err why;
	err_set(&why, ERR_REQUESTED, "requested");
	log_info("%s: %s has a policy: connects with TLS to port %u", name_of(n), host_of(n)->name,
		n->upgrade);
	if (n->is_usable) {
		n->is_anew = true;
		end_with(n, &why);
		return;
	}
	let_go(n);
	net_moved(n->net, &why);
	set_state(n, NETWORK_IDLE);
	try_start(n);
}

static void on_data(void *owner)
{
	struct network *n = owner;
	struct str line;
	while (!n->is_ending && lines_next(&n->lines, &n->stream->in, &line)) {
		log_wire(name_of(n), "<<", line);
		session_feed(n->session, line, now_of(n));
	}
	if (n->upgrade && !n->is_ending)
		go_to_tls(n);
	else
		set_tick(n);
}

static void on_close(void *owner, const struct err *why)
{
	struct network *n = owner;
	struct err verdict;
	end_with(n, session_verdict(n->session, &verdict) ? &verdict : why);
}

static void on_low(void *owner)
{
	(void)owner; /* the pace of the sendq is far below what a stream holds */
}

static const struct stream_events stream_events = {on_open, on_data, on_low, on_close};

/* The session. */

static void on_write(void *owner, struct str bytes)
{
	struct network *n = owner;
	struct err why;
	if (log_is_on(LOG_TRACE))
		for (struct str rest = bytes; rest.n;) {
			struct str line = str_cut(&rest, '\n');
			log_wire(name_of(n), ">>", (struct str){line.p, line.n - 1});
		}
	if (stream_write(n->stream, bytes) == ERR_LIMIT) {
		err_set(&why, ERR_CLOSED, "the server does not read what is sent");
		end_with(n, &why);
	}
}

static void on_event(void *owner, const struct received *line)
{
	struct network *n = owner;
	net_line(n->net, line);
}

static void on_usable(void *owner)
{
	struct network *n = owner;
	bool is_welcome = session_state(n->session) == SESSION_READY; /* else a script registers */
	log_info("%s: %s:%d: connected%s%s", name_of(n), host_of(n)->name, port_of(n),
		is_welcome ? " as " : "", is_welcome ? session_nick(n->session) : "");
	n->is_usable = true;
	n->usable_ns = now_of(n);
	n->attempt = 0;
	guard_success(n->parts.guard, &n->guard, str_of(host_of(n)->ascii));
	net_connected(n->net);
}

static void on_ready(void *owner)
{
	set_state(owner, NETWORK_READY);
}

static void on_room(void *owner)
{
	struct network *n = owner;
	net_room(n->net);
}

static void on_failed(void *owner, const struct err *why)
{
	end_with(owner, why);
}

static int64_t give_wall(void *owner)
{
	const struct network *n = owner;
	return host_wall_ns(n->parts.host);
}

static void on_answered(void *owner, const struct request_result *result)
{
	struct network *n = owner;
	net_answered(n->net, result);
}

/* In the clear, what follows is on_data's: the session is at work. */
static void on_sts(void *owner, const struct sts_value *value)
{
	struct network *n = owner;
	if (!n->way.is_secure)
		n->upgrade = value->port;
	else if (is_trusted(n))
		policies_learn(policies_of(n), str_of(host_of(n)->ascii), (uint16_t)n->way.port,
			value->duration_ns);
}

static uint64_t give_seed(void *owner)
{
	uint64_t seed = 0;
	(void)owner;
	(void)!getrandom(&seed, sizeof(seed), 0);
	return seed;
}

static const struct session_ops session_ops = {
	.write = on_write,
	.event = on_event,
	.ready = on_ready,
	.usable = on_usable,
	.room = on_room,
	.answered = on_answered,
	.sts = on_sts,
	.seed = give_seed,
	.wall_ns = give_wall,
	.failed = on_failed,
};

/* Connecting. */

static void on_phase(void *data, enum dial_phase phase, const char *address)
{
	struct network *n = data;
	if (phase == DIAL_RESOLVING)
		return;
	log_debug("%s: connecting to %s", name_of(n), address);
	if (n->state != NETWORK_CONNECTING)
		set_state(n, NETWORK_CONNECTING);
}

/* Of all that comes before the server's first line. */
static int64_t deadline_of(const struct network *n)
{
	return n->began_ns + n->config->connect_timeout_ns;
}

static int open_stream(struct network *n, int fd, struct err *err)
{
	const struct config_network *c = n->config;
	if (!n->way.is_secure) {
		n->stream = stream_plain_new(n->parts.loop, fd, &stream_events, n);
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
	set_state(n, NETWORK_TLS);
	timers_set(&n->parts.loop->timers, &n->deadline, deadline_of(n));
	return tls_stream_new(
		n->parts.loop, context, fd, &options, &stream_events, n, &n->stream, err);
}

/* The way to the server stands. */
static void open_way(struct network *n, int fd)
{
	struct err err;
	if (open_stream(n, fd, &err) < 0)
		end_with(n, &err);
}

static void on_proxied(void *data, int fd, const struct err *why)
{
	struct network *n = data;
	n->socks = NULL;
	if (fd < 0)
		end_with(n, why);
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
		.deadline_ns = deadline_of(n)
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
	end_with(n, &err);
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
	set_state(n, NETWORK_CONNECTING);
	timers_after(&n->parts.loop->timers, &n->deadline, n->config->connect_timeout_ns);
	n->stream = route->open(route->data, host_of(n)->name, &stream_events, n, &why);
	if (!n->stream)
		end_with(n, &why);
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
	set_state(n, NETWORK_RESOLVING);
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
	leave_gate(n);
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

static void try_start(struct network *n)
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
	try_start(n);
}

static void on_hold_over(struct timer *t)
{
	try_start(container_of(t, struct network, hold));
}

void network_connect(struct network *n)
{
	if (network_is_idle(n) && !n->gone)
		try_start(n);
}

void network_disconnect(struct network *n, struct str message)
{
	struct err why;
	n->is_anew = false;
	if (n->is_ending || n->state == NETWORK_CLOSING || network_is_idle(n))
		return;
	if (!n->upgrade && (n->state == NETWORK_REGISTERING || n->state == NETWORK_READY)) {
		session_quit(n->session, message, now_of(n));
		set_state(n, NETWORK_CLOSING);
		timers_after(&n->parts.loop->timers, &n->deadline, NETWORK_CLOSE_NS);
		return;
	}
	err_set(&why, ERR_REQUESTED, "requested");
	end_with(n, &why);
}

bool network_is_idle(const struct network *n)
{
	return n->state == NETWORK_IDLE && !n->is_held && !n->is_ending;
}

/* The network, or the attempt before, ended by itself, and a policy may be asleep. */
static bool has_failed(const struct network *n)
{
	return network_is_idle(n) && n->why != 0 && n->why != ERR_REQUESTED;
}

/* False: there is nothing to end. */
static bool end(struct network *n, struct str message)
{
	struct err why;
	if (!network_is_idle(n)) {
		network_disconnect(n, message);
		return true;
	}
	if (!has_failed(n))
		return false;
	err_set(&why, ERR_REQUESTED, "requested");
	end_with(n, &why);
	return true;
}

void network_made_by(struct network *n, const char *script)
{
	n->guard.is_made = script != NULL;
	net_made_by(n->net, script);
}

void network_remove(struct network *n, struct str message, void (*gone)(void *data), void *data)
{
	n->gone = gone;
	n->gone_data = data;
	n->context = NULL;
	if (n->is_ending)
		set_reason(n, ERR_REQUESTED, "requested");
	if (!end(n, message))
		loop_defer(n->parts.loop, &n->going);
}

void network_place_last(struct network *n)
{
	net_place_last(n->net);
}

/* What scripts see and ask. */

/* In line for its turn it has no time. */
static int64_t dial_in_ns(const struct network *n)
{
	int64_t left_ns = n->held_until_ns - now_of(n);
	if (!n->is_held)
		return -1;
	return left_ns > 0 ? left_ns : 0;
}

static void give_facts(void *data, struct net_facts *out)
{
	const struct network *n = data;
	enum session_state s = session_state(n->session);
	*out = (struct net_facts){
		.nick = session_nick(n->session),
		.account = session_account(n->session),
		.host = host_of(n)->name,
		.port = port_of(n),
		.state = state_names[n->state],
		.is_connected = !n->is_ending && (s == SESSION_REGISTERING || s == SESSION_READY),
		.is_usable = n->is_usable && !n->is_ending && n->state != NETWORK_CLOSING,
		.is_closing = n->state == NETWORK_CLOSING,
		.has_tags = caps_has(session_caps(n->session), CAP_MESSAGE_TAGS),
		.attempt = n->attempt,
		.lag_ns = session_lag_ns(n->session),
		.dial_in_ns = dial_in_ns(n),
		.isupport = session_isupport(n->session),
		.caps = session_caps(n->session),
	};
}

static struct isupport *give_isupport(void *data)
{
	const struct network *n = data;
	return session_isupport(n->session);
}

static const struct roster *give_roster(void *data)
{
	const struct network *n = data;
	return session_roster(n->session);
}

static int ask_send(void *data, struct str line, bool is_raw, struct err *err)
{
	struct network *n = data;
	if (n->is_ending)
		return err_set(err, ERR_DISCONNECTED, "%s is not connected", name_of(n));
	int r = is_raw ? session_raw(n->session, line, now_of(n), err)
		       : session_send(n->session, line, now_of(n), err);
	set_tick(n);
	return r;
}

static int ask_request(void *data, struct str line, int64_t timeout_ns, void *asker,
	struct handle *id, struct err *err)
{
	struct network *n = data;
	if (n->is_ending)
		return err_set(err, ERR_DISCONNECTED, "%s is not connected", name_of(n));
	int r = session_request(n->session, line, timeout_ns, asker, id, now_of(n), err);
	set_tick(n);
	return r;
}

static void ask_forget_request(void *data, struct handle id)
{
	const struct network *n = data;
	session_forget_request(n->session, id);
}

static bool ask_say(void *data, struct str target, struct str text)
{
	struct network *n = data;
	return !n->is_ending && session_say(n->session, target, text, now_of(n));
}

static void give_waiting(void *data, void (*told)(void *to, const struct sendq_wait *w), void *to)
{
	const struct network *n = data;
	session_each_waiting(n->session, now_of(n), told, to);
}

static void ask_connect(void *data)
{
	network_connect(data);
}

static bool ask_disconnect(void *data, struct str message)
{
	return end(data, message);
}

static const struct net_ops net_ops = {
	.facts = give_facts,
	.isupport = give_isupport,
	.send = ask_send,
	.request = ask_request,
	.forget_request = ask_forget_request,
	.say = ask_say,
	.waiting = give_waiting,
	.mark = ask_mark,
	.is_past = ask_is_past,
	.connect = ask_connect,
	.disconnect = ask_disconnect,
	.roster = give_roster,
};

/* Settings. */

static bool is_under_way(const struct network *n)
{
	return !network_is_idle(n) && !n->is_ending && n->state != NETWORK_CLOSING;
}

static void set_deadline_anew(struct network *n)
{
	if (timer_is_set(&n->deadline) && n->state != NETWORK_CLOSING)
		timers_set(&n->parts.loop->timers, &n->deadline, deadline_of(n));
}

static void take_over(
	struct network *n, const struct config_network *config, struct tls_context *context)
{
	struct settings *old = n->settings;
	n->config = config;
	n->context = context;
	n->host = config_find_host(&config->host, &n->server);
	n->settings = settings_new(config, n->parts.policies != NULL);
	session_configure(n->session, &n->settings->options, now_of(n));
	settings_free(old);
	set_tick(n);
	set_deadline_anew(n);
	if (n->state != NETWORK_IDLE || n->is_ending)
		return;
	free_server(&n->server);
	choose_host(n, false);
}

/* Ends what is under way, for another attempt. What only waits for the guard goes on waiting. */
static void end_for_another(struct network *n)
{
	if (n->is_held)
		return;
	network_disconnect(n, STR("connecting anew, with other settings"));
	n->is_anew = true;
}

/* An attempt now, or when it has ended. */
static void connect_next(struct network *n)
{
	if (n->is_ending || n->state == NETWORK_CLOSING)
		n->is_anew = true;
	else
		network_connect(n);
}

static void log_change(const struct network *n, const struct buf *keys, bool is_anew)
{
	log_info("%s: changed: %" STR_F "%s", name_of(n), STR_A(buf_str(keys)),
		is_anew ? ": connects anew" : "");
}

enum config_change network_configure(
	struct network *n, const struct config_network *config, struct tls_context *context)
{
	struct buf keys;
	buf_init(&keys, CHANGED_KEYS_BYTES);
	enum config_change change = config_compare_networks(n->config, config, &n->server, &keys);
	bool needs_connection = change == CONFIG_CHANGED_CONNECTION;
	bool is_back = n->gone != NULL, is_anew = needs_connection && is_under_way(n);
	bool wants = is_back || !n->config->autoconnect || (needs_connection && has_failed(n));
	n->gone = NULL;
	job_cancel(&n->going);
	if (change != CONFIG_UNCHANGED && !is_back)
		log_change(n, &keys, is_anew);
	if (is_anew)
		end_for_another(n); /* before it would tell the server of what is new */
	take_over(n, config, context);
	if (n->is_held && !n->is_ending) /* the rate may have changed, too */
		try_start(n);
	else if (!is_anew && wants && config->autoconnect)
		connect_next(n);
	buf_fini(&keys);
	return change;
}

struct network *network_new(const struct network_parts *parts, const struct config_network *config,
	struct tls_context *context)
{
	struct network *n = mem_new(sizeof(*n));
	n->parts = *parts;
	n->config = config;
	n->context = context;
	n->hold.fire = on_hold_over;
	n->deadline.fire = on_deadline;
	n->tick.fire = on_tick;
	n->flush.fire = on_flush_look;
	n->state_ns = now_of(n);
	gate_pass_init(&n->pass, on_gate_open);
	job_init(&n->ending, on_ending);
	job_init(&n->going, on_going);
	choose_host(n, false);
	n->settings = settings_new(config, parts->policies != NULL);
	n->session = session_new(&n->settings->options, &session_ops, n);
	n->net = net_new(parts->host, config->name, &net_ops, n);
	n->sleep.run = on_woken;
	loop_sleep_start(parts->loop, &n->sleep);
	return n;
}

static void tell_guard(const struct network *n)
{
	const struct config_hosts *list = &n->config->host;
	if (n->dialled < list->n)
		guard_gone(n->parts.guard, &n->guard, str_of(list->hosts[n->dialled].ascii),
			now_of(n));
}

void network_free(struct network *n)
{
	if (!n)
		return;
	job_cancel(&n->ending);
	job_cancel(&n->going);
	loop_sleep_stop(&n->sleep);
	let_go(n);
	tell_guard(n);
	net_free(n->net);
	session_free(n->session);
	settings_free(n->settings);
	free_server(&n->server);
	tls_memory_fini(&n->memory);
	free(n->words);
	free(n);
}
