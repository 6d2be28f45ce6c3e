#include "daemon/core.h"
#include "daemon/networks.h"
#include "support/peer.h"

#include "base/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * A network is brought into each phase of its life, and ended there in each way. Whatever it was
 * doing, the descriptors and the deadlines are as many as before, and in the end no watcher is
 * left. The sockets are real; time is the test's, but while a name or a connection is waited for.
 */
enum phase { HELD, IN_LINE, RESOLVING, CONNECTING, TLS, REGISTERING, READY, CLOSING, PHASES };

enum way { DISCONNECTED, CANCELLED, REMOVED, ENDED, FREED, WAYS };

static const char *const phases[PHASES] = {"held by the guard", "in line", "resolving",
	"connecting", "tls", "registering", "ready", "closing"};

static const char *const ways[WAYS] = {"a script disconnects",
	"the task that connects is cancelled", "the network is removed", "the daemon ends",
	"everything is dropped"};

enum { CROWD = 8 };

struct world {
	struct ev_loop *ev;
	struct virtual_clock clock;
	struct loop loop;
	struct core core;
	struct resolver resolver;
	struct networks ns;
	struct gate_pass others[GATE_MAX];
	struct timer stop;
	enum phase phase;
	int dns; /* swallows every question */
	char dns_csv[ADDRESS_TEXT_BYTES];
	int server, port, crowd[CROWD], client;
	struct loop_fd watch;
	bool was_held;
	unsigned n_begun; /* attempts */
	struct loop_fd ender;
	struct buf reasons;
};

static void on_log(enum log_level level, struct str text, void *data)
{
	struct world *w = data;
	const char *told = strstr(text.p, "not connected: ");
	(void)level;
	w->n_begun += strstr(text.p, ": connecting to ") != NULL;
	w->was_held |= strstr(text.p, "not dialled before") != NULL;
	if (told)
		assert_int_equal(buf_addf(&w->reasons, "%s\n", told), 0);
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

static void on_caller(struct loop_fd *watch, int revents)
{
	static const char welcome[] = ":s 001 ebb :hi\r\n:s 376 ebb :end\r\n";
	struct world *w = container_of(watch, struct world, watch);
	(void)revents;
	assert_int_equal(w->client, -1);
	w->client = accept4(w->server, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_true(w->client >= 0);
	if (w->phase == READY || w->phase == CLOSING)
		assert_int_equal(write(w->client, welcome, strlen(welcome)), strlen(welcome));
}

/* Its queue is full, so the kernel drops what asks for more. */
static void crowd(struct world *w, const struct address *a)
{
	assert_int_equal(listen(w->server, 0), 0);
	for (int i = 0; i < CROWD; i++) {
		w->crowd[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		int r = connect(w->crowd[i], (const struct sockaddr *)&a->sa, a->n);
		assert_true(r == 0 || errno == EINPROGRESS);
	}
}

static void open_server(struct world *w)
{
	struct address a;
	w->server = listen_tcp(&a);
	w->port = ntohs(((struct sockaddr_in *)&a.sa)->sin_port);
	w->client = -1;
	loop_fd_init(&w->watch, w->server, on_caller);
	if (w->phase == HELD) {
		close(w->server);
		w->server = -1;
	} else if (w->phase == CONNECTING) {
		crowd(w, &a);
	} else {
		loop_fd_start(&w->loop, &w->watch, EV_READ);
	}
}

static void open_dns(struct world *w)
{
	struct address a;
	w->dns = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(address_parse("127.0.0.1", 0, &a));
	assert_int_equal(bind(w->dns, (struct sockaddr *)&a.sa, a.n), 0);
	assert_int_equal(getsockname(w->dns, (struct sockaddr *)&a.sa, &a.n), 0);
	address_format(&a, w->dns_csv);
}

static void apply(struct world *w, const char *text)
{
	struct buf errors;
	struct config *c;
	struct networks_plan plan;
	FILE *f = fopen("ebb.ini", "we");
	buf_init(&errors, 65536);
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(config_load("ebb.ini", &c, &errors), 0);
	assert_int_equal(networks_prepare(&plan, c, NULL), 0);
	networks_apply(&w->ns, &plan, c);
	config_free(c);
	buf_fini(&errors);
}

static void load(struct world *w, const char *name, const char *source)
{
	struct script_options o = {.name = name, .path = name, .source = source};
	assert_int_equal(program_load(&w->core.host, &o), 0);
}

static void world_begin(struct world *w, enum phase phase)
{
	memset(w, 0, sizeof(*w));
	w->phase = phase;
	w->ev = ev_loop_new(EVFLAG_AUTO);
	virtual_clock_init(&w->clock, 1000 * NS_PER_S, 1000000000 * NS_PER_S);
	loop_init(&w->loop, w->ev, &w->clock.clock);
	const struct core_options options = {.dial_rate = 1000};
	core_init(&w->core, &w->loop, &options);
	open_dns(w);
	const struct resolver_options to = {.servers = w->dns_csv};
	resolver_init(&w->resolver, &w->loop, &to);
	w->stop.fire = on_stop;
	buf_init(&w->reasons, 65536);
	open_server(w);
	struct network_parts parts = {.loop = &w->loop,
		.resolver = &w->resolver,
		.guard = &w->core.guard,
		.gate = &w->core.gate,
		.host = &w->core.host};
	networks_init(&w->ns, &parts);
	log_set_sink(on_log, w);
}

static void on_gate_open(struct gate_pass *pass)
{
	(void)pass;
}

static void fill_gate(struct world *w)
{
	for (int i = 0; i < GATE_MAX; i++) {
		gate_pass_init(&w->others[i], on_gate_open);
		assert_true(gate_enter(&w->core.gate, &w->others[i]));
	}
}

/* But for the networks, which are gone. */
static void world_end(struct world *w)
{
	log_set_sink(NULL, NULL);
	for (int i = 0; i < GATE_MAX && w->phase == IN_LINE; i++)
		gate_leave(&w->core.gate, &w->others[i]);
	core_fini(&w->core);
	resolver_fini(&w->resolver);
	loop_fd_stop(&w->loop, &w->watch);
	loop_fini(&w->loop);
	assert_false(ev_run(w->ev, EVRUN_NOWAIT)); /* no watcher is left */
	ev_loop_destroy(w->ev);
	for (int i = 0; i < CROWD && w->phase == CONNECTING; i++)
		close(w->crowd[i]);
	if (w->client >= 0)
		close(w->client);
	if (w->server >= 0)
		close(w->server);
	close(w->dns);
	buf_fini(&w->reasons);
	unlink("ebb.ini");
}

static struct net_facts facts(struct world *w)
{
	return net_facts(net_find(&w->core.host, STR("n")));
}

static void configure(struct world *w)
{
	char text[512];
	snprintf(text, sizeof(text),
		"[network n]\nhost = %s\nport = %d\nnick = ebb\ntls = %s\ntls_verify = no\n"
		"autoconnect = no\nconnect_timeout = 1\nregister_timeout = 1\n",
		w->phase == RESOLVING ? "irc.test" : "127.0.0.1", w->port,
		w->phase == TLS ? "yes" : "no");
	apply(w, text);
}

/* A resolver that was asked once keeps a socket to its server. */
static void ask_resolver(struct world *w)
{
	load(w, "asker", "spawn(connect)");
	pass(w, 0.02);
	load(w, "stopper", "spawn(disconnect)");
	pass(w, 5);
}

static void begin_attempt(struct world *w)
{
	if (w->phase == HELD) {
		load(w, "first", "spawn(connect)");
		pass(w, 0.02);
	}
	if (w->phase == IN_LINE)
		fill_gate(w);
	load(w, "connector",
		"local t = spawn(function() connect() end)\n"
		"on('cancel', function() t:cancel() end)\n");
	pass(w, 0.02);
	if (w->phase == CLOSING) {
		load(w, "leaver", "spawn(disconnect)");
		pass(w, 0.02);
	}
}

/* What keeps others waiting in line. */
static unsigned young_in(enum phase phase)
{
	bool is_begun = phase == RESOLVING || phase == CONNECTING || phase == TLS;
	return phase == IN_LINE ? GATE_MAX : is_begun;
}

static void check_phase(struct world *w)
{
	bool waits = w->phase == HELD || w->phase == IN_LINE;
	assert_string_equal(facts(w).state, waits ? "idle" : phases[w->phase]);
	assert_false(networks_all_idle(&w->ns));
	assert_int_equal(w->was_held, w->phase == HELD);
	assert_int_equal(w->core.gate.n_young, young_in(w->phase));
}

static void end_it(struct world *w, enum way way)
{
	switch (way) {
	case DISCONNECTED:
		load(w, "disconnector", "spawn(disconnect)");
		break;
	case CANCELLED:
		load(w, "canceller", "trigger('cancel')");
		break;
	case REMOVED:
		apply(w, "");
		break;
	case ENDED:
		host_stop(&w->core.host);
		networks_disconnect_all(&w->ns, STR("ending"));
		break;
	case FREED:
		networks_fini(&w->ns);
		break;
	case WAYS:
		fail();
	}
}

static struct cancel_row {
	const char *name;
	enum phase phase;
	enum way way;
} rows[PHASES * WAYS];

static void nothing_is_left_behind(void **state)
{
	const struct cancel_row *row = *state;
	struct world w;
	world_begin(&w, row->phase);
	configure(&w);
	if (row->phase == RESOLVING)
		ask_resolver(&w);
	pass(&w, 1);
	size_t fds = count_fds(), timers = w.loop.timers.n;

	begin_attempt(&w);
	check_phase(&w);
	end_it(&w, row->way);
	pass(&w, 5);
	if (row->way == CANCELLED && row->phase == READY) { /* there is nothing to cancel */
		assert_string_equal(facts(&w).state, "ready");
		end_it(&w, DISCONNECTED);
		pass(&w, 5);
	}

	if (row->way != FREED)
		assert_true(networks_all_idle(&w.ns));
	assert_int_equal(count_fds(), fds + (w.client >= 0));
	assert_int_equal(w.loop.timers.n, timers);
	if (row->way != FREED)
		networks_fini(&w.ns);
	world_end(&w);
}

/* name; the phase, and the end of an attempt that stays in it */
static const struct deadline_row {
	const char *name;
	enum phase phase;
	const char *reason;
} deadlines[] = {
	{"resolving",   RESOLVING,   "not connected: timeout: resolving irc.test: timed out\n"},
	{"connecting",  CONNECTING,  "not connected: timeout: 127.0.0.1:"                     },
	{"tls",         TLS,         "not connected: timeout: no answer within 1 s (tls)\n"   },
	{"registering", REGISTERING, "not connected: timeout: not registered within 1 s\n"    },
	{"closing",     CLOSING,     ""						       },
};

static void every_phase_has_its_end(void **state)
{
	const struct deadline_row *row = *state;
	struct world w;
	world_begin(&w, row->phase);
	configure(&w);
	begin_attempt(&w);
	check_phase(&w);

	pass(&w, row->phase == CLOSING ? 2 : 1);

	assert_true(networks_all_idle(&w.ns));
	assert_non_null(strstr(buf_str(&w.reasons).p, row->reason));
	networks_fini(&w.ns);
	world_end(&w);
}

static void on_ender(struct loop_fd *watch, int revents)
{
	struct world *w = container_of(watch, struct world, ender);
	(void)revents;
	loop_fd_stop(&w->loop, watch);
	networks_disconnect_all(&w->ns, STR("ending"));
}

/* Descriptors come before deadlines: who asked is ready in the turn in which the wait is over. */
static void who_waited_for_the_guard_and_is_ended_does_not_begin_then(void **state)
{
	struct world w;
	int fds[2];
	(void)state;
	world_begin(&w, HELD);
	configure(&w);
	begin_attempt(&w);
	check_phase(&w);
	unsigned n_begun = w.n_begun;

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "", 1), 1);
	loop_fd_init(&w.ender, fds[0], on_ender);
	loop_fd_start(&w.loop, &w.ender, EV_READ);
	virtual_clock_jump(&w.clock, w.loop.timers.now_ns + facts(&w).dial_in_ns);
	pass(&w, 5);

	assert_int_equal(w.n_begun, n_begun);
	assert_true(networks_all_idle(&w.ns));
	close(fds[0]);
	close(fds[1]);
	networks_fini(&w.ns);
	world_end(&w);
}

/* While it was in line others have dialled the host. */
static void who_is_held_when_its_turn_comes_keeps_nobody_in_line(void **state)
{
	enum { DIALS = 2000 };
	struct guard_network other = {0};
	struct world w;
	(void)state;
	world_begin(&w, IN_LINE);
	configure(&w);
	begin_attempt(&w);
	check_phase(&w);
	for (int i = 0; i < DIALS; i++)
		guard_attempt(&w.core.guard, &other, STR("127.0.0.1"), w.loop.timers.now_ns);

	for (int i = 0; i < GATE_MAX; i++)
		gate_leave(&w.core.gate, &w.others[i]);
	pass(&w, 0.02);

	assert_true(w.was_held);
	assert_int_equal(w.core.gate.n_young, 0);
	pass(&w, 2.5);
	assert_string_equal(facts(&w).state, "registering");
	networks_fini(&w.ns);
	world_end(&w);
}

static void fill_rows(void)
{
	static char names[COUNTOF(rows)][128];
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		rows[i] =
			(struct cancel_row){names[i], (enum phase)(i / WAYS), (enum way)(i % WAYS)};
		snprintf(names[i], sizeof(names[i]), "%s: %s", phases[rows[i].phase],
			ways[rows[i].way]);
	}
}

int main(void)
{
	struct check c = {0};
	char folder[] = "/tmp/ebb-test-phases-XXXXXX";
	if (!mkdtemp(folder) || chdir(folder) < 0)
		abort();
	fill_rows();
	check_rows(&c, rows, nothing_is_left_behind);
	check_rows(&c, deadlines, every_phase_has_its_end);
	check_test(&c, who_is_held_when_its_turn_comes_keeps_nobody_in_line);
	check_test(&c, who_waited_for_the_guard_and_is_ended_does_not_begin_then);
	int status = check_run(&c, "phases");
	if (chdir("/") < 0 || rmdir(folder) < 0)
		abort();
	return status;
}
