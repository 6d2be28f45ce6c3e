#include "daemon/network_inside.h"

#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>
#include <sys/random.h>

enum { CHANGED_KEYS_BYTES = 1024 };

static const char *const state_names[] = {
	"idle", "resolving", "connecting", "tls", "registering", "ready", "closing"};

const char *network_state_name(enum network_state state)
{
	return state_names[state];
}

void network_set_state(struct network *n, enum network_state state)
{
	log_debug("%s: %s after %lld ms %s", name_of(n), state_names[state],
		(long long)((now_of(n) - n->state_ns) / NS_PER_MS), state_names[n->state]);
	n->state = state;
	n->state_ns = now_of(n);
}

void network_set_tick(struct network *n)
{
	int64_t at_ns = session_deadline(n->session);
	if (at_ns >= 0 && (!timer_is_set(&n->tick) || at_ns < n->tick.at_ns))
		timers_set(&n->parts.loop->timers, &n->tick, at_ns);
}

static void on_tick(struct timer *t)
{
	struct network *n = container_of(t, struct network, tick);
	session_tick(n->session, now_of(n));
	network_set_tick(n);
}

static void on_woken(struct loop_sleep *watch)
{
	struct network *n = container_of(watch, struct network, sleep);
	session_probe(n->session, now_of(n));
	network_set_tick(n);
}

static void set_reason(struct network *n, int why, const char *words)
{
	free(n->words);
	n->words = mem_strdup(words);
	n->why = why;
}

void network_end_with(struct network *n, const struct err *why)
{
	if (n->is_ending)
		return;
	n->is_ending = true;
	network_dial_stop(n);
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
	timers_cancel(ts, &n->deadline);
	timers_cancel(ts, &n->tick);
	timers_cancel(ts, &n->flush);
	network_dial_stop(n);
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
	if (n->stream && n->way.is_secure && uptime_ns < 0 && why.code != ERR_REQUESTED)
		tls_memory_doubt(&n->memory);
	let_go(n);
	n->upgrade = is_anew ? n->upgrade : 0;
	n->is_ending = n->is_usable = n->is_anew = false;
	network_set_state(n, NETWORK_IDLE);
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
	network_end_with(n, &why);
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
	network_leave_gate(n);
	timers_cancel(&n->parts.loop->timers, &n->deadline);
	bool is_inside = n->parts.route;
	if (n->way.is_secure && !is_inside)
		describe_tls(n);
	network_set_state(n, NETWORK_REGISTERING);
	session_begin(n->session, n->way.is_secure || is_inside, now_of(n));
	network_set_tick(n);
}

/* The server in the clear has named a port with TLS. Who is there already has to leave first. */
static void go_to_tls(struct network *n)
{
	struct err why;
	err_set(&why, ERR_REQUESTED, "requested");
	log_info("%s: %s has a policy: connects with TLS to port %u", name_of(n), host_of(n)->name,
		n->upgrade);
	if (n->is_usable) {
		n->is_anew = true;
		network_end_with(n, &why);
		return;
	}
	let_go(n);
	net_moved(n->net, &why);
	network_set_state(n, NETWORK_IDLE);
	network_dial_try(n);
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
		network_set_tick(n);
}

static void on_close(void *owner, const struct err *why)
{
	struct network *n = owner;
	struct err verdict;
	network_end_with(n, session_verdict(n->session, &verdict) ? &verdict : why);
}

static void on_low(void *owner)
{
	(void)owner; /* the pace of the sendq is far below what a stream holds */
}

const struct stream_events network_stream_events = {on_open, on_data, on_low, on_close};

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
		network_end_with(n, &why);
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
	network_set_state(owner, NETWORK_READY);
}

static void on_room(void *owner)
{
	struct network *n = owner;
	net_room(n->net);
}

static void on_failed(void *owner, const struct err *why)
{
	network_end_with(owner, why);
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

void network_connect(struct network *n)
{
	if (network_is_idle(n) && !n->gone)
		network_dial_try(n);
}

void network_disconnect(struct network *n, struct str message)
{
	struct err why;
	n->is_anew = false;
	if (n->is_ending || n->state == NETWORK_CLOSING || network_is_idle(n))
		return;
	if (!n->upgrade && (n->state == NETWORK_REGISTERING || n->state == NETWORK_READY)) {
		session_quit(n->session, message, now_of(n));
		network_set_state(n, NETWORK_CLOSING);
		timers_after(&n->parts.loop->timers, &n->deadline, NETWORK_CLOSE_NS);
		return;
	}
	err_set(&why, ERR_REQUESTED, "requested");
	network_end_with(n, &why);
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

bool network_end(struct network *n, struct str message)
{
	struct err why;
	if (!network_is_idle(n)) {
		network_disconnect(n, message);
		return true;
	}
	if (!has_failed(n))
		return false;
	err_set(&why, ERR_REQUESTED, "requested");
	network_end_with(n, &why);
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
	if (!network_end(n, message))
		loop_defer(n->parts.loop, &n->going);
}

void network_place_last(struct network *n)
{
	net_place_last(n->net);
}

/* Settings. */

static bool is_under_way(const struct network *n)
{
	return !network_is_idle(n) && !n->is_ending && n->state != NETWORK_CLOSING;
}

static void set_deadline_anew(struct network *n)
{
	if (timer_is_set(&n->deadline) && n->state != NETWORK_CLOSING)
		timers_set(&n->parts.loop->timers, &n->deadline, network_dial_deadline(n));
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
	network_set_tick(n);
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
		network_dial_try(n);
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
	n->deadline.fire = on_deadline;
	n->tick.fire = on_tick;
	n->state_ns = now_of(n);
	network_dial_init(n);
	job_init(&n->ending, on_ending);
	job_init(&n->going, on_going);
	choose_host(n, false);
	n->settings = settings_new(config, parts->policies != NULL);
	n->session = session_new(&n->settings->options, &session_ops, n);
	network_ask_init(n);
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
