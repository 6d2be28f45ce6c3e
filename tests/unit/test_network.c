#include "daemon/networks.h"

#include "base/log.h"
#include "daemon/core.h"
#include "support/peer.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * A network and two servers on real sockets, one in the clear and one over TLS; time is the
 * test's. What scripts hear, and what is logged of a policy, is noted, a line each:
 *
 *     n: HOST has a policy: ...   what is logged of it
 *     n up / n down: tls          what scripts hear
 */
struct server {
	struct world *world;
	int fd; /* listens */
	int port;
	struct loop_fd watch;
	const struct cert *cert; /* NULL: in the clear */
	struct peer peer;        /* the last that came */
	unsigned n;              /* how many came */
};

struct world {
	struct virtual_clock clock;
	struct loop loop;
	struct core core;
	struct resolver resolver;
	struct policies policies;
	struct networks ns;
	struct server clear, tls;
	struct timer stop;
	struct buf out;
};

static struct certs certs;

static const char watcher[] =
	"on('client_connect', function(ev) log.info('EV %s up', ev.network) end)\n"
	"on('client_disconnect', function(ev)\n"
	"  log.info('EV %s down: %s', ev.network, ev.kind)\n"
	"end)\n";

static void on_log(enum log_level level, struct str text, void *data)
{
	struct world *w = data;
	const char *ev = strstr(text.p, "EV ");
	if (ev)
		assert_int_equal(buf_addf(&w->out, "%s\n", ev + strlen("EV ")), 0);
	else if (level <= LOG_INFO && strstr(text.p, "has a policy"))
		assert_int_equal(buf_addf(&w->out, "%s\n", text.p), 0);
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
static void expect(struct world *w, const char *fmt, ...) PRINTF(2, 3);
static void expect(struct world *w, const char *fmt, ...)
{
	struct buf expected;
	va_list ap;
	buf_init(&expected, 65536);
	va_start(ap, fmt);
	assert_int_equal(buf_addv(&expected, fmt, ap), 0);
	va_end(ap);
	assert_string_equal(buf_str(&w->out).p, buf_str(&expected).p);
	buf_fini(&expected);
	buf_reset(&w->out);
}

static void on_caller(struct loop_fd *watch, int revents)
{
	struct server *s = container_of(watch, struct server, watch);
	int fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	const int on = 1; /* no time passes in which an acknowledgement could come */
	(void)revents;
	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
	if (s->n++)
		peer_fini(&s->peer);
	if (s->cert)
		peer_init_tls(&s->peer, &s->world->loop, fd, s->cert, 0);
	else
		peer_init(&s->peer, &s->world->loop, fd);
}

static void server_begin(struct server *s, struct world *w, const struct cert *cert)
{
	struct address a;
	*s = (struct server){.world = w, .cert = cert, .fd = listen_tcp(&a)};
	s->port = ntohs(((struct sockaddr_in *)&a.sa)->sin_port);
	loop_fd_init(&s->watch, s->fd, on_caller);
	loop_fd_start(&w->loop, &s->watch, EV_READ);
}

static void server_end(struct server *s)
{
	if (s->n)
		peer_fini(&s->peer);
	loop_fd_stop(&s->world->loop, &s->watch);
	close(s->fd);
}

static void say(struct server *s, const char *fmt, ...) PRINTF(2, 3);
static void say(struct server *s, const char *fmt, ...)
{
	struct buf text;
	va_list ap;
	buf_init(&text, 65536);
	va_start(ap, fmt);
	assert_int_equal(buf_addv(&text, fmt, ap), 0);
	va_end(ap);
	peer_send(&s->peer, buf_str(&text));
	buf_fini(&text);
	pass(s->world, 0.1);
}

static void welcome(struct server *s)
{
	say(s, ":s 001 ebb :hi\r\n:s 376 ebb :end\r\n");
}

static void say_policy(struct server *s, int seconds)
{
	say(s, ":s CAP * LS :sts=duration=%d,port=%d\r\n", seconds, s->world->tls.port);
}

static struct config *read_config(const char *text)
{
	struct buf errors;
	struct config *c;
	FILE *f = fopen("ebb.ini", "we");
	buf_init(&errors, 65536);
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	int r = config_load("ebb.ini", &c, &errors);
	assert_string_equal(buf_str(&errors).p, "");
	assert_int_equal(r, 0);
	buf_fini(&errors);
	return c;
}

/* keys: of [network n], beside host, port and nick. */
static void apply(struct world *w, const struct server *at, const char *keys)
{
	char text[1024];
	struct networks_plan plan;
	struct err err;
	snprintf(text, sizeof(text), "[network n]\nhost = 127.0.0.1\nport = %d\nnick = ebb\n%s",
		at->port, keys);
	struct config *c = read_config(text);
	assert_int_equal(networks_prepare(&plan, c, &err), 0);
	networks_apply(&w->ns, &plan, c);
	config_free(c);
}

static void load(struct world *w, const char *name, const char *source)
{
	struct script_options o = {.name = name, .path = name, .source = source};
	assert_int_equal(program_load(&w->core.host, &o), 0);
}

static void world_begin(struct world *w)
{
	memset(w, 0, sizeof(*w));
	buf_init(&w->out, 65536);
	virtual_clock_init(&w->clock, 1000 * NS_PER_S, 1000000000 * NS_PER_S);
	loop_init(&w->loop, ev_default_loop(EVFLAG_AUTO), &w->clock.clock);
	struct core_options options = {.dial_rate = 1000};
	core_init(&w->core, &w->loop, &options);
	resolver_init(&w->resolver, &w->loop, NULL);
	policies_init(&w->policies, &w->loop);
	w->stop.fire = on_stop;
	server_begin(&w->clear, w, NULL);
	server_begin(&w->tls, w, &certs.good);
	struct network_parts parts = {.loop = &w->loop,
		.resolver = &w->resolver,
		.guard = &w->core.guard,
		.gate = &w->core.gate,
		.host = &w->core.host,
		.policies = &w->policies};
	networks_init(&w->ns, &parts);
	log_set_sink(on_log, w);
	load(w, "watcher", watcher);
}

static void begin(struct world *w, const struct server *at, const char *keys)
{
	apply(w, at, keys);
	networks_connect(&w->ns);
	pass(w, 0.1);
}

static void world_end(struct world *w)
{
	log_set_sink(NULL, NULL);
	networks_fini(&w->ns);
	policies_fini(&w->policies);
	core_fini(&w->core);
	resolver_fini(&w->resolver);
	server_end(&w->clear);
	server_end(&w->tls);
	loop_fini(&w->loop);
	buf_fini(&w->out);
	unlink("ebb.ini");
}

static int policy(struct world *w)
{
	return policies_port(&w->policies, STR("127.0.0.1"));
}

static struct net_facts facts(struct world *w)
{
	return net_facts(net_find(&w->core.host, STR("n")));
}

#define HELLO   "CAP LS 302\r\nNICK ebb\r\nUSER ebb 0 * :ebb\r\n"
#define GOES_TO "n: 127.0.0.1 has a policy: connects with TLS to port %d\n"

static void a_server_in_the_clear_sends_the_attempt_to_its_port_with_tls(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w);
	begin(&w, &w.clear, "tls = no\n");
	assert_slice(buf_str(&w.clear.peer.got), HELLO);

	say_policy(&w.clear, 600);
	expect(&w, GOES_TO, w.tls.port);
	assert_true(w.clear.peer.is_eof);
	assert_int_equal(w.tls.n, 0); /* the guard lets it wait */
	pass(&w, 2);
	assert_int_equal(w.tls.n, 1);
	assert_int_equal(facts(&w).attempt, 1);
	assert_int_equal(policy(&w), 0);
	say_policy(&w.tls, 600);
	welcome(&w.tls);

	expect(&w, "n up\n");
	assert_int_equal(policy(&w), w.tls.port);
	assert_int_equal(facts(&w).port, w.tls.port);
	assert_int_equal(facts(&w).attempt, 0);
	assert_slice(buf_str(&w.clear.peer.got), HELLO);
	assert_slice(buf_str(&w.tls.peer.got), HELLO "CAP END\r\n");
	world_end(&w);
}

static void who_waits_for_the_network_goes_on_waiting(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w);
	begin(&w, &w.clear, "tls = no\n");
	load(&w, "joiner", "spawn(function() log.info('EV got %d', connect().port) end)");

	say_policy(&w.clear, 600);
	pass(&w, 2);
	welcome(&w.tls);

	expect(&w, GOES_TO "n up\ngot %d\n", w.tls.port, w.tls.port);
	assert_int_equal(policy(&w), 0); /* it did not say so over TLS */
	world_end(&w);
}

static void an_upgrade_that_fails_is_the_attempts_failure_and_the_next_is_in_the_clear(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w);
	w.tls.cert = &certs.self_signed;
	begin(&w, &w.clear, "tls = no\ntls_verify = no\n");

	say_policy(&w.clear, 600);
	pass(&w, 2);
	expect(&w, GOES_TO "n down: tls\n", w.tls.port);
	assert_int_equal(facts(&w).port, w.clear.port);
	load(&w, "joiner", "spawn(connect)");
	pass(&w, 2);

	assert_int_equal(w.out.n, 0);
	assert_int_equal(w.clear.n, 2);
	assert_slice(buf_str(&w.clear.peer.got), HELLO);
	assert_int_equal(w.tls.peer.got.n, 0);
	world_end(&w);
}

static void a_script_that_disconnects_ends_an_upgrade(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w);
	begin(&w, &w.clear, "tls = no\n");
	say_policy(&w.clear, 600);

	load(&w, "leaver", "spawn(disconnect)");
	pass(&w, 10);

	expect(&w, GOES_TO "n down: requested\n", w.tls.port);
	assert_int_equal(w.tls.n, 0);
	load(&w, "joiner", "spawn(connect)");
	pass(&w, 2);
	assert_int_equal(w.clear.n, 2);
	world_end(&w);
}

static void who_is_in_already_leaves_and_comes_again(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w);
	begin(&w, &w.clear, "tls = no\n");
	welcome(&w.clear);
	expect(&w, "n up\n");

	say(&w.clear, ":s CAP ebb NEW :sts=port=%d\r\n", w.tls.port);
	pass(&w, 2);
	welcome(&w.tls);

	expect(&w, GOES_TO "n down: requested\nn up\n", w.tls.port);
	assert_int_equal(w.clear.n, 1);
	world_end(&w);
}

static void a_change_while_the_upgrade_waits_is_minded(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w);
	begin(&w, &w.clear, "tls = no\n");
	say_policy(&w.clear, 600);

	apply(&w, &w.clear, "tls = no\nsts = no\n");
	pass(&w, 2);

	expect(&w, GOES_TO, w.tls.port);
	assert_int_equal(w.clear.n, 2);
	assert_int_equal(w.tls.n, 0);
	world_end(&w);
}

/* The other server expects TLS, and gets none. */
static void another_host_is_begun_with_anew(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w);
	begin(&w, &w.clear, "tls = no\n");
	say_policy(&w.clear, 600);

	apply(&w, &w.tls, "tls = no\n");
	pass(&w, 2);

	assert_int_equal(w.clear.n, 1);
	assert_int_equal(w.tls.n, 1);
	assert_false(w.tls.peer.is_accepted);
	world_end(&w);
}

static void what_waited_to_be_sent_is_gone(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w);
	begin(&w, &w.clear, "tls = no\nflood_rate = 0.1\nflood_burst = 1\nqueue_max = 4\n");
	load(&w, "talker",
		"spawn(function()\n"
		"  for i = 1, 4 do raw('PING ' .. i) end\n"
		"  log.info('EV flush %s', select(3, flush()))\n"
		"end)\n"
		"spawn(function()\n"
		"  local ok, why\n"
		"  repeat ok, why = pcall(raw, 'PING 5') until not ok\n"
		"  log.info('EV raw %s', why.kind)\n"
		"end)\n");
	pass(&w, 1);

	say_policy(&w.clear, 600);

	expect(&w, GOES_TO "raw disconnected\nflush disconnected\n", w.tls.port);
	world_end(&w);
}

static void the_end_of_the_connection_makes_the_policy_count_anew(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w);
	begin(&w, &w.tls, "ping_interval = 86400\n");
	say_policy(&w.tls, 600);
	welcome(&w.tls);
	pass(&w, 1000);
	assert_int_equal(policy(&w), 0);

	load(&w, "leaver", "spawn(disconnect)");
	pass(&w, 5);

	assert_int_equal(policy(&w), w.tls.port);
	world_end(&w);
}

/* A policy is there before the network is dialled. */
enum where { CLEAR, TLS, FAILS };

static const struct way_row {
	const char *name;
	const char *keys;
	bool is_tls;             /* the configured port is that with TLS */
	const char *host;        /* of the policy; NULL: 127.0.0.1 */
	int64_t age_s;           /* of 600 */
	uint16_t port;           /* of the policy; 0: that with TLS */
	const struct cert *cert; /* NULL: good */
	enum where where;
} ways[] = {
	{.name = "tls = no",				.keys = "tls = no\n", .where = TLS          },
	{							   .name = "tls = no, a server that does not verify",
         .keys = "tls = no\n",
         .cert = &certs.self_signed,
         .where = FAILS},
	{																	    .name = "tls = no, tls_verify = no",
         .keys = "tls = no\ntls_verify = no\n",
         .cert = &certs.self_signed,
         .where = FAILS},
	{																	    .name = "tls = no, the wrong name",
         .keys = "tls = no\n",
         .cert = &certs.wrong_name,
         .where = FAILS},
	{																	    .name = "tls_verify = no",
         .is_tls = true,
         .keys = "tls_verify = no\n",
         .cert = &certs.self_signed,
         .where = FAILS},
	{																	      .name = "tls_verify = no, a server that verifies",
         .is_tls = true,
         .keys = "tls_verify = no\n",
         .where = TLS},
	{																		.name = "a pin",
         .is_tls = true,
         .keys = "tls_verify = no\ntls_fingerprint = PIN\n",
         .cert = &certs.self_signed,
         .where = TLS},
	{																  .name = "TLS on another port",						 .is_tls = true,                                         .keys = "", .port = 1, .where = TLS},
	{.name = "sts = no",				     .keys = "tls = no\nsts = no\n",                                                         .where = CLEAR                                                             },
	{																					       .name = "sts = no, tls_verify = no",
         .is_tls = true,
         .keys = "sts = no\ntls_verify = no\n",
         .cert = &certs.self_signed,
         .where = TLS},
	{														       .name = "another host's",				      .keys = "tls = no\n",							  .host = "127.0.0.2",                                                         .where = CLEAR},
	{.name = "its last second",                                   .keys = "tls = no\n",                                                       .age_s = 599,.where = TLS},
	{							      .name = "its end",				     .keys = "tls = no\n",							 .age_s = 600,								   .where = CLEAR},
};

/* PIN is that of the self-signed certificate. */
static void put_pin(char *out, size_t max, const char *keys)
{
	unsigned char digest[32];
	const char *at = strstr(keys, "PIN");
	snprintf(out, max, "%s", keys);
	if (!at)
		return;
	cert_digest(&certs.self_signed, digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(out + (at - keys) + 2 * i, 4, "%02x\n", digest[i]);
}

static void a_policy_says_how_a_host_is_reached(void **state)
{
	const struct way_row *row = *state;
	struct world w;
	char keys[512];
	world_begin(&w);
	put_pin(keys, sizeof(keys), row->keys);
	w.tls.cert = row->cert ? row->cert : &certs.good;
	policies_learn(&w.policies, str_of(row->host ? row->host : "127.0.0.1"),
		row->port ? row->port : (uint16_t)w.tls.port, 600 * NS_PER_S);
	pass(&w, (double)row->age_s);

	begin(&w, row->is_tls ? &w.tls : &w.clear, keys);

	assert_int_equal(w.clear.n, row->where == CLEAR);
	assert_int_equal(w.tls.n, row->where != CLEAR);
	if (row->where == TLS)
		assert_slice(buf_str(&w.tls.peer.got), HELLO);
	buf_reset(&w.out);
	if (row->where == FAILS) {
		assert_int_equal(w.tls.peer.got.n, 0);
		load(&w, "joiner", "spawn(function() log.info('EV %s', select(3, connect())) end)");
		pass(&w, 3);
		assert_int_equal(w.clear.n, 0);
		assert_int_equal(w.tls.n, 2);
	}
	world_end(&w);
}

static const struct lesson_row {
	const char *name;
	const char *keys;
	bool is_self_signed, had_one;
	int seconds;
	bool has_one;
} lessons[] = {
	{"a duration",			   "",					 false, false, 600, true },
	{"a duration of 0",                      "",					 false, true,  0,   false},
	{"one of a server that nobody verified", "tls_verify = no\n",                        true,  false, 600, false},
	{"one of a server with a pin",           "tls_verify = no\ntls_fingerprint = PIN\n", true,  false, 600,
         true													},
	{"sts = no",			     "sts = no\n",                               false, false, 600, false},
	{"sts = no, 0",			  "sts = no\n",                               false, true,  0,   true },
};

static void a_policy_is_learnt_over_tls(void **state)
{
	const struct lesson_row *row = *state;
	struct world w;
	char keys[512];
	world_begin(&w);
	put_pin(keys, sizeof(keys), row->keys);
	w.tls.cert = row->is_self_signed ? &certs.self_signed : &certs.good;
	if (row->had_one)
		policies_learn(&w.policies, STR("127.0.0.1"), 1, 600 * NS_PER_S);
	begin(&w, &w.tls, keys);

	say_policy(&w.tls, row->seconds);

	assert_int_equal(policy(&w) != 0, row->has_one);
	world_end(&w);
}

static void a_ban_is_one_though_the_server_just_closes(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w);
	begin(&w, &w.clear, "tls = no\n");

	say(&w.clear, ":s 465 ebb :You are banned\r\n");
	expect(&w, "%s", "");
	peer_close(&w.clear.peer);
	pass(&w, 0.1);

	expect(&w, "n down: banned\n");
	world_end(&w);
}

static void a_machine_that_wakes_asks_the_server_whether_it_is_there(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w);
	begin(&w, &w.clear, "tls = no\nping_interval = 1000\nping_timeout = 30\n");
	welcome(&w.clear);
	assert_null(strstr(buf_str(&w.clear.peer.got).p, "PING "));

	virtual_clock_sleep(&w.clock, 3600 * NS_PER_S);
	pass(&w, 0.1);

	assert_non_null(strstr(buf_str(&w.clear.peer.got).p, "PING "));
	pass(&w, 30);
	expect(&w, "n up\nn down: ping\n");
	world_end(&w);
}

/* The guard counts what was in vain. */
static void who_registers_each_time_may_come_again_and_again(void **state)
{
	enum { TIMES = GUARD_ATTEMPTS + 2 };
	(void)state;
	struct world w;
	world_begin(&w);
	load(&w, "again", "on('client_disconnect', function() connect() end)");
	begin(&w, &w.clear, "tls = no\n");

	for (unsigned i = 1; i <= TIMES; i++) {
		assert_int_equal(w.clear.n, i);
		welcome(&w.clear);
		peer_close(&w.clear.peer);
		pass(&w, 2);
		expect(&w, "n up\nn down: closed\n");
	}

	world_end(&w);
}

int main(void)
{
	struct check c = {0};
	char folder[] = "/tmp/ebb-test-network-XXXXXX";
	certs_make(&certs);
	if (!mkdtemp(folder) || chdir(folder) < 0 || setenv("SSL_CERT_FILE", certs.ca_file, 1) < 0)
		abort();
	log_set_level(LOG_INFO);
	check_test(&c, a_server_in_the_clear_sends_the_attempt_to_its_port_with_tls);
	check_test(&c, who_waits_for_the_network_goes_on_waiting);
	check_test(&c, an_upgrade_that_fails_is_the_attempts_failure_and_the_next_is_in_the_clear);
	check_test(&c, a_script_that_disconnects_ends_an_upgrade);
	check_test(&c, who_is_in_already_leaves_and_comes_again);
	check_test(&c, a_change_while_the_upgrade_waits_is_minded);
	check_test(&c, another_host_is_begun_with_anew);
	check_test(&c, what_waited_to_be_sent_is_gone);
	check_test(&c, the_end_of_the_connection_makes_the_policy_count_anew);
	check_test(&c, a_ban_is_one_though_the_server_just_closes);
	check_test(&c, a_machine_that_wakes_asks_the_server_whether_it_is_there);
	check_test(&c, who_registers_each_time_may_come_again_and_again);
	check_rows(&c, ways, a_policy_says_how_a_host_is_reached);
	check_rows(&c, lessons, a_policy_is_learnt_over_tls);
	int status = check_run(&c, "network");
	certs_free(&certs);
	if (chdir("/") < 0 || rmdir(folder) < 0)
		abort();
	return status;
}
