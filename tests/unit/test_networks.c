#include "daemon/networks.h"

#include "base/log.h"
#include "base/mem.h"
#include "daemon/core.h"
#include "daemon/simlink.h"
#include "sim/fault.h"
#include "sim/watch.h"
#include "support/certs.h"
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * One configuration after another is applied to networks that lead to four servers in this
 * process. What comes of it is noted, a line each:
 *
 *     n: changed: nick          what is logged of a network's settings
 *     tried a                   a connection to a server
 *     a: ebb JOIN #x            what the server saw
 *     n up / n down: requested  what scripts hear
 */
enum { SERVERS = 4 };

static const char *const hosts[SERVERS] = {"a", "b", "c", "bücher.example"};

struct server {
	struct world *world;
	struct sim_network *sim;
	const char *host;
	unsigned tries;
};

struct world {
	struct virtual_clock clock;
	struct loop loop;
	struct core core;
	struct simlink link;
	struct network_route route, inner;
	struct server servers[SERVERS];
	struct networks ns;
	struct timer stop;
	struct job apply_later;
	const char *later; /* the configuration that apply_later applies */
	struct buf out;
};

static const char watcher[] =
	"on('client_connect', function(ev) log.info('EV %s up', ev.network) end)\n"
	"on('client_disconnect', function(ev)\n"
	"  log.info('EV %s down: %s', ev.network, ev.kind)\n"
	"end)\n";

static void note(struct world *w, const char *fmt, ...) PRINTF(2, 3);
static void note(struct world *w, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	assert_int_equal(buf_addv(&w->out, fmt, ap), 0);
	va_end(ap);
	assert_int_equal(buf_add(&w->out, STR("\n")), 0);
}

static void on_log(enum log_level level, struct str text, void *data)
{
	static const char *const told[] = {": changed: ", ": added", ": removed", "verify = no: "};
	const char *ev = strstr(text.p, "EV ");
	if (level > LOG_INFO)
		return;
	if (ev)
		note(data, "%s", ev + strlen("EV "));
	for (size_t i = 0; !ev && i < COUNTOF(told); i++)
		if (strstr(text.p, told[i]))
			note(data, "%" STR_F, STR_A(text));
}

static void on_overheard(void *data, uint64_t by, const struct message *m)
{
	static const char *const told[] = {"JOIN", "PART", "NICK", "PRIVMSG"};
	const struct server *s = data;
	(void)by;
	if (str_eq(m->command, STR("QUIT")))
		note(s->world, "%s: %" STR_F " QUIT", s->host, STR_A(m->nick));
	for (size_t i = 0; i < COUNTOF(told); i++)
		if (str_eq(m->command, str_of(told[i])))
			note(s->world, "%s: %" STR_F " %s %" STR_F, s->host, STR_A(m->nick),
				told[i], STR_A(m->params[0]));
}

static void on_tried(void *data, struct sim_network *net, const struct sim_conn *conn)
{
	struct world *w = data;
	(void)conn;
	for (size_t i = 0; i < SERVERS; i++) {
		if (w->servers[i].sim != net)
			continue;
		w->servers[i].tries++;
		note(w, "tried %s", w->servers[i].host);
	}
}

/* A stream that never opens. */

static int never_open(struct stream *s, int *waits, struct err *why)
{
	(void)s;
	(void)why;
	*waits = 0;
	return ERR_AGAIN;
}

static void free_stream(struct stream *s)
{
	free(s);
}

static const struct stream_ops never_ops = {.open = never_open, .free = free_stream};

static struct stream *open_route(void *data, const char *host, const struct stream_events *events,
	void *owner, struct err *why)
{
	struct world *w = data;
	if (strcmp(host, "never") != 0)
		return w->inner.open(w->inner.data, host, events, owner, why);
	struct stream *s = mem_new(sizeof(*s));
	note(w, "tried never");
	stream_init(s, &never_ops, &w->loop, -1, events, owner);
	return s;
}

static void on_stop(struct timer *t)
{
	loop_stop(&container_of(t, struct world, stop)->loop);
}

static void pass(struct world *w, double seconds)
{
	timers_after(&w->loop.timers, &w->stop, clock_from_seconds(seconds));
	loop_run(&w->loop);
}

/* And forgets it. */
static void expect(struct world *w, const char *expected)
{
	assert_string_equal(buf_str(&w->out).p, expected);
	buf_reset(&w->out);
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static struct config *read_config(const char *text)
{
	struct buf errors;
	struct config *c;
	buf_init(&errors, 65536);
	write_file("ebb.ini", text);
	int r = config_load("ebb.ini", &c, &errors);
	assert_string_equal(buf_str(&errors).p, "");
	assert_int_equal(r, 0);
	buf_fini(&errors);
	return c;
}

static void apply(struct world *w, const char *text)
{
	struct networks_plan plan;
	struct config *c = read_config(text);
	struct err err;
	int r = networks_prepare(&plan, c, &err);
	assert_int_equal(r, 0);
	networks_apply(&w->ns, &plan, c);
	assert_null(plan.contexts);
	for (size_t i = 0; i < c->n_networks; i++)
		assert_null(c->networks[i]);
	config_free(c);
}

static void load(struct world *w, const char *name, const char *source)
{
	struct script_options o = {.name = name, .path = name, .source = source};
	assert_int_equal(program_load(&w->core.host, &o), 0);
}

static struct net *net_of(struct world *w, const char *name)
{
	return net_find(&w->core.host, str_of(name));
}

/* The stream has ended, and the network comes to it later in this turn. */
static void watch_for_end(struct job *job)
{
	struct world *w = container_of(job, struct world, apply_later);
	struct net_facts facts = net_facts(net_of(w, "n"));
	if (facts.is_connected) {
		loop_defer(&w->loop, job);
		return;
	}
	assert_string_equal(facts.state, "ready");
	apply(w, w->later);
	w->later = NULL;
}

static void world_prepare(struct world *w)
{
	memset(w, 0, sizeof(*w));
	buf_init(&w->out, 1024 * 1024);
	virtual_clock_init(&w->clock, 1000 * NS_PER_S, 0);
	loop_init(&w->loop, ev_default_loop(EVFLAG_AUTO), &w->clock.clock);
	struct core_options options = {.dial_rate = 1000};
	core_init(&w->core, &w->loop, &options);
	simlink_init(&w->link, &w->loop);
	w->link.tried = on_tried;
	w->link.data = w;
	w->inner = simlink_route(&w->link);
	w->route = (struct network_route){open_route, w};
	w->stop.fire = on_stop;
	job_init(&w->apply_later, watch_for_end);
	for (size_t i = 0; i < SERVERS; i++) {
		struct server *s = &w->servers[i];
		*s = (struct server){.world = w, .host = hosts[i]};
		s->sim = sim_network_new(&(struct sim_options){.name = hosts[i]}, &w->loop.timers);
		sim_watch(s->sim, on_overheard, s);
		simlink_add(&w->link, hosts[i], s->sim);
	}
	struct network_parts parts = {
		&w->loop, NULL, &w->core.guard, &w->core.gate, &w->core.host, &w->route, NULL};
	networks_init(&w->ns, &parts);
	log_set_sink(on_log, w);
}

/* As a daemon starts; what was noted of that is forgotten. */
static void world_begin(struct world *w, const char *text)
{
	world_prepare(w);
	apply(w, text);
	load(w, "watcher", watcher);
	networks_connect(&w->ns);
}

static void world_settle(struct world *w, const char *text)
{
	world_begin(w, text);
	pass(w, 5);
	buf_reset(&w->out);
}

static void world_end(struct world *w)
{
	log_set_sink(NULL, NULL);
	job_cancel(&w->apply_later);
	networks_fini(&w->ns);
	core_fini(&w->core);
	loop_fini(&w->loop); /* the streams end before the servers they lead to */
	for (size_t i = 0; i < SERVERS; i++)
		sim_network_free(w->servers[i].sim);
	simlink_fini(&w->link);
	buf_fini(&w->out);
}

static const char *state_of(struct world *w)
{
	const struct net *n = net_of(w, "n");
	return n ? net_facts(n).state : "gone";
}

#define SECTION(name, host, nick) "[network " name "]\nhost = " host "\nnick = " nick "\n"
#define PLAIN(name, host, nick)   SECTION(name, host, nick) "tls = no\nflood_rate = 0\n"
#define N                         PLAIN("n", "a", "ebb")
#define M                         PLAIN("m", "b", "emm")
#define AT(host)                  PLAIN("n", host, "ebb")
#define HEX                       "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define TLS                       SECTION("n", "a", "ebb") "flood_rate = 0\n"
#define ANEW(keys, host)                                                             \
	"n: changed: " keys ": connects anew\na: ebb QUIT\ntried " host "\nn down: " \
	"requested\nn up\n"
#define LIVE(keys) "n: changed: " keys "\n"
#define LOGIN      "password = p\nsasl_required = no\n"

/* Rows in the form of a call, for what they hold takes lines of its own. */
#define CHANGE(name, before, after, expected) \
	{                                     \
		name, before, after, expected \
	}
#define STATE(name, arrange, after, expected, state)  \
	{                                             \
		name, arrange, after, expected, state \
	}

static const struct change_row {
	const char *name, *before, *after, *expected;
} changes[] = {
	CHANGE("nothing", N "channels = #x\n", N "channels = #x\n", ""),
	CHANGE("nick", N, PLAIN("n", "a", "new"), LIVE("nick") "a: ebb NICK new\n"),
	CHANGE("alt_nicks", N, N "alt_nicks = e f\n", LIVE("alt_nicks")),
	CHANGE("channels", N "channels = #x\n", N "channels = #y key\n",
		LIVE("channels") "a: ebb PART #x\na: ebb JOIN #y\n"),
	CHANGE("autoconnect", N, N "autoconnect = no\n", LIVE("autoconnect")),
	CHANGE("connect_timeout", N, N "connect_timeout = 1\n", LIVE("connect_timeout")),
	CHANGE("register_timeout", N, N "register_timeout = 1\n", LIVE("register_timeout")),
	CHANGE("ping_interval", N, N "ping_interval = 1\n", LIVE("ping_interval")),
	CHANGE("ping_timeout", N, N "ping_timeout = 1\n", LIVE("ping_timeout")),
	CHANGE("flood_burst", N, N "flood_burst = 1\n", LIVE("flood_burst")),
	CHANGE("flood_rate", N, SECTION("n", "a", "ebb") "tls = no\n", LIVE("flood_rate")),
	CHANGE("queue_max", N, N "queue_max = 1\n", LIVE("queue_max")),
	CHANGE("host", N, AT("b"), ANEW("host", "b")),
	CHANGE("a host in front", N, AT("b a"), LIVE("host")),
	CHANGE("a host less", AT("a b"), AT("a"), LIVE("host")),
	CHANGE("a host as DNS has it", AT("bücher.example"), AT("xn--bcher-kva.example"),
		LIVE("host")),
	CHANGE("port", N, N "port = 7000\n", ANEW("port", "a")),
	CHANGE("port of no host", AT("a:6697"), AT("a:6697") "port = 7000\n", LIVE("port")),
	CHANGE("proxy", N, N "proxy = socks5h://h\n", ANEW("proxy", "a")),
	CHANGE("bind", N, N "bind = 127.0.0.1\n", ANEW("bind", "a")),
	CHANGE("family", N, N "family = ipv4\n", ANEW("family", "a")),
	CHANGE("tls", N, TLS, ANEW("tls", "a")),
	CHANGE("tls_ca", TLS, TLS "tls_ca = ca.pem\n", ANEW("tls_ca", "a")),
	CHANGE("tls_cert", TLS, TLS "tls_cert = ours.pem\n", ANEW("tls_cert", "a")),
	CHANGE("tls_key", TLS "tls_cert = ours.pem\n",
		TLS "tls_cert = ours.pem\ntls_key = ours.pem\n", ANEW("tls_key", "a")),
	CHANGE("sts", N, N "sts = no\n", LIVE("sts")),
	CHANGE("tls_verify", TLS, TLS "tls_verify = no\n",
		"n: changed: tls_verify: connects anew\n"
		"n: tls_verify = no: anybody can pose as this server\n"
		"a: ebb QUIT\ntried a\nn down: requested\nn up\n"),
	CHANGE("tls_fingerprint", TLS, TLS "tls_fingerprint = " HEX "\n",
		ANEW("tls_fingerprint", "a")),
	CHANGE("user", N, N "user = u\n", ANEW("user", "a")),
	CHANGE("realname", N, N "realname = r\n", ANEW("realname", "a")),
	CHANGE("server_password", N, N "server_password = s\n", ANEW("server_password", "a")),
	CHANGE("sasl", N LOGIN "sasl = plain\n", N LOGIN "sasl = scram-sha-256\n",
		ANEW("sasl", "a")),
	CHANGE("account", N LOGIN "sasl = plain\n", N LOGIN "sasl = plain\naccount = a\n",
		ANEW("account", "a")),
	CHANGE("password", N LOGIN "sasl = plain\n",
		N "password = q\nsasl_required = no\nsasl = plain\n", ANEW("password", "a")),
	CHANGE("ecdsa_key", N LOGIN "sasl = plain\n",
		N LOGIN "sasl = plain\necdsa_key = ours.pem\n", ANEW("ecdsa_key", "a")),
	CHANGE("sasl_required", N LOGIN "sasl = plain\n", N "password = p\nsasl = plain\n",
		ANEW("sasl_required", "a")),
	CHANGE("caps", N, N "caps = -away-notify\n", ANEW("caps", "a")),
	CHANGE("umodes", N, N "umodes = +i\n", LIVE("umodes")),
	CHANGE("register", N "register = manual\n", N "register = auto\n",
		"n: changed: register: connects anew\ntried a\nn down: requested\nn up\n"),
	CHANGE("several at once", N "channels = #x\n",
		PLAIN("n", "a", "new") "channels = #x, #y\nqueue_max = 9\n",
		LIVE("nick, channels, queue_max") "a: ebb NICK new\na: new JOIN #y\n"),
	CHANGE("several and a host", N "channels = #x\n",
		PLAIN("n", "b", "new") "channels = #x, #y\n",
		ANEW("host, nick, channels", "b") "b: new JOIN #x\nb: new JOIN #y\n"),
};

/* Twice the same, and the second time nothing happens. */
static void a_change_comes_to_pass(void **state)
{
	const struct change_row *row = *state;
	struct world w;
	world_settle(&w, row->before);

	apply(&w, row->after);
	pass(&w, 10);
	expect(&w, row->expected);
	apply(&w, row->after);
	pass(&w, 10);

	expect(&w, "");
	world_end(&w);
}

static void every_key_has_a_row(void **state)
{
	(void)state;
	const struct config_option *o;
	for (size_t i = 0; (o = config_option(i)); i++) {
		bool is_there = o->kind != CONFIG_NETWORK;
		for (size_t k = 0; k < COUNTOF(changes); k++)
			is_there |= strcmp(changes[k].name, o->key) == 0;
		if (!is_there)
			fail_msg("no row changes %s", o->key);
	}
}

/* States: each function brings n into one. */

static void be_ready(struct world *w)
{
	world_begin(w, N);
	pass(w, 5);
	assert_string_equal(state_of(w), "ready");
}

static void be_new(struct world *w)
{
	world_begin(w, N "autoconnect = no\n");
	pass(w, 5);
	assert_string_equal(state_of(w), "idle");
}

static void be_failed(struct world *w)
{
	world_prepare(w);
	fault_down(w->servers[0].sim, true);
	apply(w, N);
	load(w, "watcher", watcher);
	networks_connect(&w->ns);
	pass(w, 5);
	assert_string_equal(state_of(w), "idle");
	fault_down(w->servers[0].sim, false);
}

static void be_disconnected(struct world *w)
{
	be_ready(w);
	load(w, "leaver", "spawn(disconnect)");
	pass(w, 5);
	assert_string_equal(state_of(w), "idle");
}

/* A script waits in connect for what the guard holds. */
static void be_held(struct world *w)
{
	world_prepare(w);
	fault_down(w->servers[0].sim, true);
	apply(w, N);
	load(w, "watcher", watcher);
	networks_connect(&w->ns);
	pass(w, 0.5);
	load(w, "joiner",
		"spawn(function()\n"
		"  local net, why, kind = connect()\n"
		"  log.info('EV connect: %s %s', net, kind)\n"
		"end)\n");
	pass(w, 0.5);
	fault_down(w->servers[0].sim, false);
	assert_string_equal(state_of(w), "idle");
	assert_false(networks_all_idle(&w->ns));
}

static void be_connecting(struct world *w)
{
	world_begin(w, N);
	assert_string_equal(state_of(w), "connecting");
}

static void be_registering(struct world *w)
{
	world_prepare(w);
	fault_lag(w->servers[0].sim, NULL, NS_PER_S);
	apply(w, N "channels = #x\n");
	load(w, "watcher", watcher);
	networks_connect(&w->ns);
	pass(w, 1);
	assert_string_equal(state_of(w), "registering");
}

/* A script has said disconnect, and the server does not answer. */
static void be_closing(struct world *w)
{
	be_ready(w);
	fault_silence(w->servers[0].sim, NULL, FAULT_SILENT);
	load(w, "leaver", "spawn(disconnect)");
	pass(w, 0.5);
	assert_string_equal(state_of(w), "closing");
}

/* The same after a change. */
static void be_closing_for_b(struct world *w)
{
	be_ready(w);
	fault_silence(w->servers[0].sim, NULL, FAULT_SILENT);
	apply(w, AT("b"));
	pass(w, 0.5);
	assert_string_equal(state_of(w), "closing");
}

static void be_removed(struct world *w)
{
	be_ready(w);
	fault_silence(w->servers[0].sim, NULL, FAULT_SILENT);
	apply(w, "");
	pass(w, 0.5);
	assert_string_equal(state_of(w), "closing");
}

static void be_ending(struct world *w)
{
	be_ready(w);
	loop_defer(&w->loop, &w->apply_later);
	fault_drop(w->servers[0].sim, NULL);
}

#define NO_AUTO "autoconnect = no\n"

static const struct state_row {
	const char *name;
	void (*arrange)(struct world *w);
	const char *after, *expected, *state;
} states[] = {
	STATE("new, live", be_new, PLAIN("n", "a", "new") NO_AUTO, LIVE("nick"), "idle"),
	STATE("new, another host", be_new, AT("b") NO_AUTO, LIVE("host"), "idle"),
	STATE("new, autoconnect", be_new, N, LIVE("autoconnect") "tried a\nn up\n", "ready"),
	STATE("new, autoconnect and host", be_new, AT("b"),
		LIVE("host, autoconnect") "tried b\nn up\n", "ready"),
	STATE("new, removed", be_new, "", "n: removed\n", "gone"),
	STATE("failed, the same", be_failed, N, "", "idle"),
	STATE("failed, live", be_failed, N "channels = #x\n", LIVE("channels"), "idle"),
	STATE("failed, another host", be_failed, AT("b"), LIVE("host") "tried b\nn up\n", "ready"),
	STATE("failed, another host, not by itself", be_failed, AT("b") NO_AUTO,
		LIVE("host, autoconnect"), "idle"),
	STATE("failed, removed", be_failed, "", "n: removed\nn down: requested\n", "gone"),
	STATE("disconnected, another host", be_disconnected, AT("b"), LIVE("host"), "idle"),
	STATE("disconnected, removed", be_disconnected, "", "n: removed\n", "gone"),
	STATE("held, the same", be_held, N, "tried a\nn up\nconnect: network n nil\n", "ready"),
	STATE("held, live", be_held, N "channels = #x\n",
		LIVE("channels") "tried a\nn up\nconnect: network n nil\na: ebb JOIN #x\n",
		"ready"),
	STATE("held, another host", be_held, AT("b"),
		"n: changed: host: connects anew\ntried b\nn up\nconnect: network n nil\n",
		"ready"),
	STATE("held, removed", be_held, "",
		"n: removed\nconnect: nil requested\nn down: requested\n", "gone"),
	STATE("connecting, live", be_connecting, PLAIN("n", "a", "new") "channels = #x\n",
		LIVE("nick, channels") "n up\na: new JOIN #x\n", "ready"),
	STATE("connecting, another host", be_connecting, AT("b"),
		"n: changed: host: connects anew\nn down: requested\ntried b\nn up\n", "ready"),
	STATE("connecting, removed", be_connecting, "", "n: removed\nn down: requested\n", "gone"),
	STATE("registering, live", be_registering, PLAIN("n", "a", "new") "channels = #y\n",
		LIVE("nick, channels") "n up\na: ebb NICK new\na: new JOIN #y\n", "ready"),
	STATE("registering, another host", be_registering, AT("b") "channels = #x\n",
		"n: changed: host: connects anew\ntried b\nn down: requested\nn up\nb: ebb JOIN #x\n",
		"ready"),
	STATE("registering, removed", be_registering, "", "n: removed\nn down: requested\n",
		"gone"),
	STATE("ready, removed", be_ready, "", "n: removed\na: ebb QUIT\nn down: requested\n",
		"gone"),
	STATE("ready, another one in its place", be_ready, M,
		"m: added\ntried b\nn: removed\na: ebb QUIT\nn down: requested\nm up\n", "gone"),
	STATE("closing, live", be_closing, N "channels = #x\n",
		LIVE("channels") "n down: requested\na: ebb QUIT\n", "idle"),
	STATE("closing, another host", be_closing, AT("b"),
		LIVE("host") "n down: requested\na: ebb QUIT\n", "idle"),
	STATE("closing, removed", be_closing, "", "n: removed\nn down: requested\na: ebb QUIT\n",
		"gone"),
	STATE("closing for another host, a third", be_closing_for_b, AT("c"),
		LIVE("host") "tried c\nn down: requested\na: ebb QUIT\nn up\n", "ready"),
	STATE("closing for another host, removed", be_closing_for_b, "",
		"n: removed\nn down: requested\na: ebb QUIT\n", "gone"),
	STATE("removed, back as it was", be_removed, N,
		"n: added\ntried a\nn down: requested\na: ebb QUIT\n", "registering"),
	STATE("removed, back elsewhere", be_removed, AT("b") "channels = #x\n",
		"n: added\ntried b\nn down: requested\na: ebb QUIT\nn up\nb: ebb JOIN #x\n",
		"ready"),
	STATE("removed, back, not by itself", be_removed, AT("b") NO_AUTO,
		"n: added\nn down: requested\na: ebb QUIT\n", "idle"),
	STATE("ending, live", be_ending, N "channels = #x\n", LIVE("channels") "n down: closed\n",
		"idle"),
	STATE("ending, another host", be_ending, AT("b"), LIVE("host") "n down: closed\n", "idle"),
	STATE("ending, removed", be_ending, "", "n: removed\nn down: requested\n", "gone"),
};

static void a_change_is_taken_in_any_state(void **state)
{
	const struct state_row *row = *state;
	struct world w;
	row->arrange(&w);
	buf_reset(&w.out);

	w.later = row->after;
	if (!job_is_pending(&w.apply_later))
		apply(&w, row->after);
	pass(&w, 10);

	expect(&w, row->expected);
	assert_string_equal(state_of(&w), row->state);
	apply(&w, "");
	pass(&w, 10);
	assert_string_equal(state_of(&w), "gone");
	assert_true(networks_all_idle(&w.ns));
	world_end(&w);
}

/* The moments between are the ends of the connections, at the latest. */
static void everything_ends_in_any_state(void **state)
{
	const struct state_row *row = *state;
	struct world w;
	row->arrange(&w);
	w.later = row->after;
	if (!job_is_pending(&w.apply_later))
		apply(&w, row->after);

	world_end(&w);
}

static void a_silent_server_holds_a_removed_network_for_two_seconds(void **state)
{
	(void)state;
	struct world w;
	be_removed(&w);
	buf_reset(&w.out);

	pass(&w, 1.4);
	assert_string_equal(state_of(&w), "closing");
	assert_false(networks_all_idle(&w.ns));
	pass(&w, 0.2);

	assert_string_equal(state_of(&w), "gone");
	assert_true(networks_all_idle(&w.ns));
	world_end(&w);
}

static void a_name_that_comes_back_later_is_a_new_network(void **state)
{
	(void)state;
	struct world w;
	be_ready(&w);
	apply(&w, "");
	pass(&w, 5);
	buf_reset(&w.out);

	apply(&w, N);
	pass(&w, 5);

	expect(&w, "n: added\ntried a\nn up\n");
	world_end(&w);
}

static void a_script_that_disconnects_outdoes_a_change(void **state)
{
	(void)state;
	struct world w;
	be_closing_for_b(&w);
	buf_reset(&w.out);

	load(&w, "leaver", "spawn(function() disconnect() log.info('EV left') end)");
	pass(&w, 10);

	expect(&w, "n down: requested\nleft\na: ebb QUIT\n");
	assert_string_equal(state_of(&w), "idle");
	world_end(&w);
}

static void a_script_that_disconnects_at_the_end_outdoes_a_change(void **state)
{
	(void)state;
	struct world w;
	be_ready(&w);
	load(&w, "leaver", "on('client_disconnect', function(ev) ev.net:disconnect() end)");
	buf_reset(&w.out);

	apply(&w, AT("b"));
	pass(&w, 10);

	expect(&w, "n: changed: host: connects anew\na: ebb QUIT\ntried b\n"
		   "n down: requested\nn down: requested\n");
	assert_string_equal(state_of(&w), "idle");
	world_end(&w);
}

static void a_script_that_connects_while_it_changes_joins_the_attempt(void **state)
{
	(void)state;
	struct world w;
	be_closing_for_b(&w);
	buf_reset(&w.out);

	load(&w, "joiner", "spawn(function() log.info('EV got %s', connect().host) end)");
	pass(&w, 10);

	expect(&w, "tried b\nn down: requested\na: ebb QUIT\nn up\ngot b\n");
	world_end(&w);
}

static void who_waits_for_a_network_hears_that_it_was_removed(void **state)
{
	(void)state;
	struct world w;
	be_removed(&w);
	buf_reset(&w.out);

	load(&w, "joiner",
		"spawn(function()\n"
		"  local net, why, kind = connect()\n"
		"  log.info('EV %s %s %s', net, why, kind)\n"
		"end)\n");
	pass(&w, 10);

	expect(&w, "n down: requested\na: ebb QUIT\nnil the network was removed requested\n");
	world_end(&w);
}

static void a_task_of_a_removed_network_means_no_other(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w, N M);
	load(&w, "sleeper",
		"on('client_connect', {network = 'n'}, function(ev)\n"
		"  sleep(20)\n"
		"  local ok, err = pcall(send, 'privmsg', {target = '#x', message = 'hi'})\n"
		"  log.info('EV %s %s %s', ok, err.kind, err.message)\n"
		"  log.info('EV %s', pcall(function() return ev.net.name end))\n"
		"  log.info('EV %s', wait('privmsg', 5))\n"
		"end)\n");
	pass(&w, 5);
	apply(&w, M);
	pass(&w, 5);
	buf_reset(&w.out);

	pass(&w, 30);

	expect(&w, "false disconnected the network was removed\nfalse\nnil\n");
	world_end(&w);
}

static void a_failure_after_a_change_is_one_that_policies_see(void **state)
{
	(void)state;
	struct world w;
	be_ready(&w);
	struct script_options o = {.name = "reconnect", .path = "reconnect.lua"};
	assert_int_equal(program_load(&w.core.host, &o), 0);
	fault_down(w.servers[1].sim, true);
	buf_reset(&w.out);

	apply(&w, AT("b"));
	pass(&w, 0);
	expect(&w, "n: changed: host: connects anew\na: ebb QUIT\ntried b\nn down: requested\n"
		   "n down: refused\n");
	fault_down(w.servers[1].sim, false);
	pass(&w, 60);

	expect(&w, "tried b\nn up\n");
	world_end(&w);
}

static void a_policy_that_waits_is_no_hindrance(void **state)
{
	(void)state;
	struct world w;
	be_failed(&w);
	struct script_options o = {.name = "reconnect", .path = "reconnect.lua"};
	assert_int_equal(program_load(&w.core.host, &o), 0);
	fault_refuse(w.servers[0].sim, FAULT_ALWAYS, 465, NULL);
	load(&w, "starter", "spawn(connect)");
	pass(&w, 30); /* banned: the policy waits for an hour */
	buf_reset(&w.out);

	apply(&w, AT("b"));
	pass(&w, 5);
	expect(&w, LIVE("host") "tried b\nn up\n");
	fault_drop(w.servers[1].sim, NULL);
	pass(&w, 60);

	expect(&w, "b: ebb QUIT\nn down: closed\ntried b\nn up\n");
	world_end(&w);
}

static void networks_are_added_changed_and_removed_at_once(void **state)
{
	(void)state;
	struct world w;
	world_settle(&w, N M);

	apply(&w,
		PLAIN("o", "c", "eoo") "channels = #o\n" PLAIN("m", "b", "emm") "channels = #m\n");
	pass(&w, 5);

	expect(&w, "o: added\ntried c\nm: changed: channels\nn: removed\nb: emm JOIN #m\n"
		   "a: ebb QUIT\nn down: requested\no up\nc: eoo JOIN #o\n");
	world_end(&w);
}

/* As scripts list them. */
static void expect_order(struct world *w, const char *expected)
{
	struct buf names;
	buf_init(&names, 1024);
	list_each (node, &w->core.host.nets)
		assert_int_equal(
			buf_addf(&names, "%s", container_of(node, struct net, node)->name), 0);
	assert_string_equal(buf_str(&names).p, expected);
	buf_fini(&names);
}

static void networks_stand_in_the_order_of_the_configuration(void **state)
{
	(void)state;
	struct world w;
	world_settle(&w, N M);
	fault_silence(w.servers[0].sim, NULL, FAULT_SILENT);
	expect_order(&w, "nm");

	apply(&w, M N);
	expect_order(&w, "mn");
	apply(&w, PLAIN("o", "c", "eoo") M);
	expect_order(&w, "omn"); /* the last is leaving */
	apply(&w, N PLAIN("o", "c", "eoo") M);
	expect_order(&w, "nom");
	pass(&w, 10);

	expect_order(&w, "nom");
	world_end(&w);
}

static void a_new_silence_is_acted_on_when_it_is_over(void **state)
{
	(void)state;
	struct world w;
	be_ready(&w);
	fault_silence(w.servers[0].sim, NULL, FAULT_SILENT);
	buf_reset(&w.out);

	apply(&w, N "ping_interval = 10\nping_timeout = 5\n");
	pass(&w, 9.9);
	expect(&w, LIVE("ping_interval, ping_timeout"));
	pass(&w, 5.2);

	expect(&w, "n down: ping\na: ebb QUIT\n");
	world_end(&w);
}

static void what_waits_goes_at_the_new_pace(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w, SECTION("n", "a", "ebb") "tls = no\nflood_rate = 0.1\nflood_burst = 2\n");
	load(&w, "talker",
		"on('client_connect', function()\n"
		"  for i = 1, 3 do send('privmsg', {target = 'ebb', message = 'hi'}) end\n"
		"end)\n");
	pass(&w, 5);
	expect(&w, "tried a\nn up\na: ebb PRIVMSG ebb\n");

	apply(&w, N "flood_burst = 2\n");
	pass(&w, 0.1);

	expect(&w, LIVE("flood_rate") "a: ebb PRIVMSG ebb\na: ebb PRIVMSG ebb\n");
	world_end(&w);
}

static void an_attempt_has_the_new_time(void **state)
{
	(void)state;
	struct world w;
	world_settle(&w, AT("never"));

	apply(&w, AT("never") "connect_timeout = 10\n");
	pass(&w, 4.9);
	expect(&w, LIVE("connect_timeout"));
	pass(&w, 0.2);

	expect(&w, "n down: timeout\n");
	world_end(&w);
}

static void hosts_are_tried_in_turn_as_they_are_now(void **state)
{
	(void)state;
	struct world w;
	be_failed(&w);
	for (size_t i = 0; i < SERVERS; i++)
		fault_down(w.servers[i].sim, true);
	load(&w, "stubborn", "on('client_disconnect', function() sleep(5) spawn(connect) end)");
	buf_reset(&w.out);

	apply(&w, AT("b a c") "connect_timeout = 1\n");
	load(&w, "starter", "spawn(connect)");
	pass(&w, 16);

	expect(&w,
		LIVE("host, connect_timeout") "tried a\nn down: refused\n"
					      "tried c\nn down: refused\ntried b\nn down: refused\ntried a\nn down: refused\n");
	world_end(&w);
}

static void the_end_names_the_server_that_it_was_at(void **state)
{
	(void)state;
	struct world w;
	be_ready(&w);
	load(&w, "teller",
		"on('client_disconnect', function(ev)\n"
		"  log.info('EV from %s:%d, now %s', ev.host, ev.port, ev.net.host)\n"
		"end)\n");
	buf_reset(&w.out);

	apply(&w, AT("b:7000"));
	pass(&w, 5);

	expect(&w, "n: changed: host: connects anew\na: ebb QUIT\ntried b\nn down: requested\n"
		   "from a:6697, now b\nn up\n");
	world_end(&w);
}

static void all_are_disconnected_at_the_end_also_those_that_change(void **state)
{
	(void)state;
	struct world w;
	world_settle(&w, N M);
	fault_silence(w.servers[0].sim, NULL, FAULT_SILENT);
	apply(&w, AT("b") M);
	buf_reset(&w.out);

	networks_disconnect_all(&w.ns, STR("bye"));
	assert_false(networks_all_idle(&w.ns));
	pass(&w, 10);

	expect(&w, "b: emm QUIT\nm down: requested\nn down: requested\na: ebb QUIT\n");
	assert_true(networks_all_idle(&w.ns));
	world_end(&w);
}

static void nothing_is_told_or_connected_before_the_start(void **state)
{
	(void)state;
	struct world w;
	world_prepare(&w);

	apply(&w, N M);
	pass(&w, 5);
	expect(&w, "");
	networks_connect(&w.ns);
	expect(&w, "tried a\ntried b\n");

	world_end(&w);
}

#define M_WITH_CA SECTION("m", "b", "emm") "tls_ca = ca.pem\n"

/* What cannot be read any more is seen, though the file was read before. */
static void a_plan_that_fails_changes_nothing(void **state)
{
	(void)state;
	struct world w;
	struct networks_plan plan;
	struct err err;
	world_settle(&w, N M_WITH_CA);
	struct config *c = read_config(AT("b") M_WITH_CA PLAIN("o", "c", "eoo"));
	assert_int_equal(rename("ca.pem", "good.pem"), 0);
	write_file("ca.pem", "no certificate\n");

	assert_int_equal(networks_prepare(&plan, c, &err), ERR_CONFIG);
	assert_non_null(strstr(err.text, "m: "));
	assert_non_null(strstr(err.text, "ca.pem"));
	assert_null(plan.contexts);
	assert_non_null(c->networks[0]);
	config_free(c);
	pass(&w, 10);

	expect(&w, "");
	assert_int_equal(rename("good.pem", "ca.pem"), 0);
	world_end(&w);
}

/* A certificate is read anew, too. */
static void a_plan_with_a_certificate_that_went_bad_fails(void **state)
{
	(void)state;
	struct networks_plan plan;
	struct err err;
	struct config *c = read_config(TLS "tls_cert = ours.pem\n");
	assert_int_equal(rename("ours.pem", "good.pem"), 0);
	write_file("ours.pem", "no certificate\n");

	assert_int_equal(networks_prepare(&plan, c, &err), ERR_CONFIG);
	assert_string_equal(err.text, "n: tls: ours.pem: holds no certificate in PEM");
	assert_null(plan.contexts);

	config_free(c);
	assert_int_equal(rename("good.pem", "ours.pem"), 0);
}

/* Networks of scripts. */

/* n is one that a script made. */
static void be_made(struct world *w, const char *more)
{
	char source[512];
	world_begin(w, M);
	snprintf(source, sizeof(source),
		"connect{ name = 'n', host = 'a', nick = 'ebb', tls = false, flood_rate = 0 }\n%s",
		more);
	load(w, "maker", source);
	pass(w, 5);
	assert_string_equal(state_of(w), "ready");
	buf_reset(&w->out);
}

static void what_scripts_made_is_left_alone(void **state)
{
	(void)state;
	struct world w;
	be_made(&w, "");

	apply(&w, M PLAIN("l", "c", "ell"));
	pass(&w, 5);

	expect(&w, "l: added\ntried c\nl up\n");
	assert_non_null(net_of(&w, "n")->maker);
	assert_string_equal(container_of(w.core.host.nets.prev, struct net, node)->name, "n");
	networks_disconnect_all(&w.ns, STR("the end"));
	assert_false(networks_all_idle(&w.ns));
	pass(&w, 5);
	assert_true(networks_all_idle(&w.ns));
	world_end(&w);
}

static void a_configuration_takes_over_what_a_script_made(void **state)
{
	(void)state;
	struct world w;
	be_made(&w, "");

	apply(&w, M N "channels = #x\n");
	pass(&w, 5);
	expect(&w, "n: changed: channels\na: ebb JOIN #x\n");
	assert_null(net_of(&w, "n")->maker);
	assert_int_equal(w.ns.n_made, 0);

	apply(&w, M);
	pass(&w, 5);
	expect(&w, "n: removed\na: ebb QUIT\nn down: requested\n");
	world_end(&w);
}

static void one_that_is_taken_over_while_it_leaves_stays(void **state)
{
	(void)state;
	struct world w;
	be_made(&w, "sleep(10) log.info('EV %s, %s', select(2, network('n'):remove()))");
	fault_silence(w.servers[0].sim, NULL, FAULT_SILENT);
	pass(&w, 5.5);
	expect(&w, "n: removed\n");

	apply(&w, M N);
	pass(&w, 0.1);
	expect(&w, "n: added\nthe network is configured now, requested\n");
	fault_silence(w.servers[0].sim, NULL, FAULT_TALKS);
	pass(&w, 10);

	assert_string_equal(state_of(&w), "ready");
	world_end(&w);
}

/* What ns has TLS contexts for, where a script made x. */
static size_t contexts_with(struct networks *ns, const char *file)
{
	const setting_pair pairs[] = {
		{"host",   "a" },
                {"nick",   "n" },
                {"tls_ca", file}
        };
	struct net_wish wish = {"s", true, "x", pairs, COUNTOF(pairs)};
	struct err err;
	assert_int_equal(ns->maker.make(ns->maker.data, &wish, &err), 0);
	return ns->present.n_contexts;
}

static void contexts_come_and_go_with_what_scripts_make(void **state)
{
	(void)state;
	struct world w;
	struct err err;
	world_prepare(&w);
	networks_fini(&w.ns);
	struct network_parts parts = {.loop = &w.loop,
		.guard = &w.core.guard,
		.gate = &w.core.gate,
		.host = &w.core.host};
	networks_init(&w.ns, &parts);

	assert_int_equal(contexts_with(&w.ns, "ca.pem"), 1);
	apply(&w, "");
	assert_int_equal(w.ns.present.n_contexts, 1);
	apply(&w, SECTION("n", "a", "ebb") "tls_ca = ca.pem\n");
	assert_int_equal(contexts_with(&w.ns, "ca.pem"), 1);
	apply(&w, SECTION("n", "a", "ebb") "tls_cert = ours.pem\n");
	assert_int_equal(w.ns.present.n_contexts, 2);
	assert_int_equal(w.ns.maker.remove(&w.ns, net_of(&w, "x"), STR(""), &err), 0);
	pass(&w, 1);
	assert_null(net_of(&w, "x"));
	assert_int_equal(w.ns.present.n_contexts, 1);
	world_end(&w);
}

static void networks_with_the_same_files_share_a_context(void **state)
{
	(void)state;
	struct networks_plan plan;
	struct err err;
	struct config *c = read_config(TLS SECTION("o", "a", "ebb")
			SECTION("p", "a", "ebb") "tls_cert = ours.pem\n" SECTION(
				"q", "a", "ebb") "tls_cert = ours.pem\n" SECTION("r", "a",
				"ebb") "tls_cert = ours.pem\ntls_key = ours.pem\n");

	assert_int_equal(networks_prepare(&plan, c, &err), 0);
	assert_int_equal(plan.n_contexts, 3);

	networks_plan_fini(&plan);
	config_free(c);
}

static void a_plan_may_be_dropped(void **state)
{
	(void)state;
	struct world w;
	struct networks_plan plan;
	struct err err;
	world_settle(&w, N);
	struct config *c = read_config(TLS);

	assert_int_equal(networks_prepare(&plan, c, &err), 0);
	assert_int_equal(plan.n_contexts, 1);
	networks_plan_fini(&plan);
	networks_plan_fini(&plan);

	config_free(c);
	pass(&w, 10);
	expect(&w, "");
	world_end(&w);
}

/* With the CA as ca.pem, a certificate and its key as ours.pem, and the policy that ships as
 * reconnect.lua. */
static void enter_folder(char *folder, const struct certs *certs)
{
	char root[2048], path[4096];
	assert_non_null(getcwd(root, sizeof(root)));
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chdir(folder), 0);
	assert_int_equal(symlink(certs->ca_file, "ca.pem"), 0);
	cert_append("ours.pem", &certs->good);
	key_append("ours.pem", certs->good.key, NULL);
	snprintf(path, sizeof(path), "%s/scripts/reconnect.lua", root);
	assert_int_equal(symlink(path, "reconnect.lua"), 0);
}

static void leave_folder(const char *folder)
{
	static const char *const files[] = {"ca.pem", "ours.pem", "reconnect.lua", "ebb.ini"};
	for (size_t i = 0; i < COUNTOF(files); i++)
		unlink(files[i]);
	assert_int_equal(rmdir(folder), 0);
}

enum { MANY = 50 };

static void start_many(struct world *w, struct buf *text)
{
	world_prepare(w);
	guard_set_rate(&w->core.guard, 5, w->loop.timers.now_ns);
	buf_init(text, 65536);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(buf_addf(text, PLAIN("n%d", "a", "ebb%d"), i, i), 0);
	apply(w, buf_str(text).p);
	networks_connect(&w->ns);
	pass(w, 0.1);
	assert_int_equal(w->servers[0].tries, GUARD_BURST);
}

static void many_networks_of_one_host_come_at_its_pace(void **state)
{
	(void)state;
	struct world w;
	struct buf text;
	start_many(&w, &text);

	for (unsigned i = 1; i <= MANY - GUARD_BURST; i++) {
		int64_t left_ns = net_facts(net_of(&w, "n49")).dial_in_ns;
		assert_int_equal(
			left_ns, (MANY - GUARD_BURST - i + 1) * 200 * NS_PER_MS - 100 * NS_PER_MS);
		pass(&w, 0.2);
		assert_int_equal(w.servers[0].tries, GUARD_BURST + i);
	}

	buf_fini(&text);
	world_end(&w);
}

static void who_waits_comes_at_a_new_pace(void **state)
{
	(void)state;
	struct world w;
	struct buf text;
	start_many(&w, &text);

	guard_set_rate(&w.core.guard, 1000, w.loop.timers.now_ns);
	apply(&w, buf_str(&text).p);
	pass(&w, 0.1);

	assert_int_equal(w.servers[0].tries, MANY);
	buf_fini(&text);
	world_end(&w);
}

static void a_time_of_day_that_jumps_disturbs_nothing(void **state)
{
	(void)state;
	struct world w;
	world_settle(&w, N "channels = #x\n");

	for (int hours = -1000; hours <= 1000; hours += 100) {
		w.clock.wall_offset_ns += hours * 3600 * NS_PER_S;
		pass(&w, 100);
	}

	expect(&w, "");
	assert_string_equal(state_of(&w), "ready");
	assert_int_equal(w.servers[0].tries, 1);
	world_end(&w);
}

int main(void)
{
	struct check c = {0};
	struct certs certs;
	char folder[] = "/tmp/ebb-networks.XXXXXX";
	certs_make(&certs);
	log_set_level(LOG_INFO);
	enter_folder(folder, &certs);
	check_rows(&c, changes, a_change_comes_to_pass);
	check_test(&c, every_key_has_a_row);
	check_rows(&c, states, a_change_is_taken_in_any_state);
	check_rows(&c, states, everything_ends_in_any_state);
	check_test(&c, a_silent_server_holds_a_removed_network_for_two_seconds);
	check_test(&c, a_name_that_comes_back_later_is_a_new_network);
	check_test(&c, a_script_that_disconnects_outdoes_a_change);
	check_test(&c, a_script_that_disconnects_at_the_end_outdoes_a_change);
	check_test(&c, a_script_that_connects_while_it_changes_joins_the_attempt);
	check_test(&c, who_waits_for_a_network_hears_that_it_was_removed);
	check_test(&c, a_task_of_a_removed_network_means_no_other);
	check_test(&c, a_failure_after_a_change_is_one_that_policies_see);
	check_test(&c, a_policy_that_waits_is_no_hindrance);
	check_test(&c, networks_are_added_changed_and_removed_at_once);
	check_test(&c, networks_stand_in_the_order_of_the_configuration);
	check_test(&c, a_new_silence_is_acted_on_when_it_is_over);
	check_test(&c, what_waits_goes_at_the_new_pace);
	check_test(&c, an_attempt_has_the_new_time);
	check_test(&c, hosts_are_tried_in_turn_as_they_are_now);
	check_test(&c, the_end_names_the_server_that_it_was_at);
	check_test(&c, all_are_disconnected_at_the_end_also_those_that_change);
	check_test(&c, nothing_is_told_or_connected_before_the_start);
	check_test(&c, a_plan_that_fails_changes_nothing);
	check_test(&c, a_plan_with_a_certificate_that_went_bad_fails);
	check_test(&c, what_scripts_made_is_left_alone);
	check_test(&c, a_configuration_takes_over_what_a_script_made);
	check_test(&c, one_that_is_taken_over_while_it_leaves_stays);
	check_test(&c, contexts_come_and_go_with_what_scripts_make);
	check_test(&c, networks_with_the_same_files_share_a_context);
	check_test(&c, a_plan_may_be_dropped);
	check_test(&c, many_networks_of_one_host_come_at_its_pace);
	check_test(&c, who_waits_comes_at_a_new_pace);
	check_test(&c, a_time_of_day_that_jumps_disturbs_nothing);
	int failed = check_run(&c, "networks");
	leave_folder(folder);
	certs_free(&certs);
	return failed;
}
