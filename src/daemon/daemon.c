#include "daemon/daemon.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/command.h"
#include "daemon/core.h"
#include "daemon/network.h"
#include "daemon/notify.h"
#include "daemon/scripts.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define STOP_NS (4 * NS_PER_S) /* a service manager is told of five seconds */

/* The policy that is loaded without being asked for. */
static const char reconnect[] = "reconnect";

/* One context for all networks with the same tls_ca. */
struct shared_context {
	const char *ca_file; /* borrowed from the configuration */
	struct tls_context *context;
};

struct daemon {
	const struct config *config;
	struct loop loop;
	struct resolver resolver;
	struct core core;
	struct shared_context *contexts;
	size_t n_contexts;
	struct network **networks;
	size_t n_networks;
	struct script_paths libs; /* lib/ of the folders on script_path */
	struct control control;
	struct command_parts parts; /* for the commands */
	struct loop_signal on_term, on_int;
	bool is_stopping;
	struct timer stop_deadline, stop_poll;
};

static void init(struct daemon *d, const struct config *config, bool is_check)
{
	*d = (struct daemon){.config = config};
	loop_init(&d->loop, ev_default_loop(EVFLAG_AUTO), &clock_system);
	resolver_init(&d->resolver, &d->loop, NULL);
	struct core_options options = {config->daemon.dial_rate, is_check, NULL};
	core_init(&d->core, &d->loop, &options);
	for (size_t i = 0; i < config->daemon.script_path.n; i++)
		script_paths_add(&d->libs, config->daemon.script_path.names[i], "/lib");
}

static void fini(struct daemon *d)
{
	control_close(&d->control);
	for (size_t i = 0; i < d->n_networks; i++)
		network_free(d->networks[i]);
	free(d->networks);
	script_paths_fini(&d->libs);
	core_fini(&d->core);
	for (size_t i = 0; i < d->n_contexts; i++)
		tls_context_free(d->contexts[i].context);
	free(d->contexts);
	resolver_fini(&d->resolver);
	loop_fini(&d->loop);
}

static bool is_same_file(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static int find_context(
	struct daemon *d, const char *ca_file, struct tls_context **out, struct err *err)
{
	for (size_t i = 0; i < d->n_contexts; i++)
		if (is_same_file(d->contexts[i].ca_file, ca_file)) {
			*out = d->contexts[i].context;
			return 0;
		}
	int r = tls_context_new(ca_file, out, err);
	if (r < 0)
		return r;
	d->contexts = mem_resize(d->contexts, d->n_contexts + 1, sizeof(*d->contexts));
	d->contexts[d->n_contexts++] = (struct shared_context){ca_file, *out};
	return 0;
}

static void warn_of_trust(const struct config_network *c)
{
	if (!c->tls)
		log_warn("%s: tls = no: everything is sent in the clear", c->name);
	else if (!c->tls_verify && c->tls_fingerprint.n == 0)
		log_warn("%s: tls_verify = no: anybody can pose as this server", c->name);
}

static int add_networks(struct daemon *d)
{
	const struct config *c = d->config;
	struct network_parts parts = {&d->loop, &d->resolver, &d->core.guard, &d->core.host, NULL};
	d->networks = mem_resize(NULL, c->n_networks, sizeof(*d->networks));
	for (size_t i = 0; i < c->n_networks; i++) {
		struct tls_context *context = NULL;
		struct err err;
		if (c->networks[i]->tls &&
			find_context(d, c->networks[i]->tls_ca, &context, &err) < 0) {
			log_error("%s: %s", c->networks[i]->name, err.text);
			return ERR_CONFIG;
		}
		warn_of_trust(c->networks[i]);
		d->networks[d->n_networks++] = network_new(&parts, c->networks[i], context);
	}
	return 0;
}

static bool load_script(struct daemon *d, const struct config_script *c)
{
	const char *(*pairs)[2] = mem_resize(NULL, c->n_pairs, sizeof(*pairs));
	for (size_t i = 0; i < c->n_pairs; i++) {
		pairs[i][0] = c->pairs[i].key;
		pairs[i][1] = c->pairs[i].value;
	}
	struct script_options options = {.name = c->name,
		.path = c->path,
		.networks = c->networks.n ? (const char *const *)c->networks.names : NULL,
		.n_networks = c->networks.n,
		.pairs = (const char *const(*)[2])pairs,
		.n_pairs = c->n_pairs,
		.limits = core_limits(c),
		.lib_folders = (const char *const *)d->libs.items,
		.n_lib_folders = d->libs.n};
	bool ok = program_load(&d->core.host, &options) == 0;
	free(pairs);
	return ok;
}

static bool load_reconnect(struct daemon *d)
{
	if (config_script(d->config, str_of(reconnect)))
		return true; /* loaded, or turned off, by its section */
	char *path = config_find_script(d->config, str_of(reconnect), NULL);
	if (!path) {
		log_warn("script %s: not on script_path: lost connections stay lost", reconnect);
		return true;
	}
	struct script_options options = {.name = reconnect,
		.path = path,
		.lib_folders = (const char *const *)d->libs.items,
		.n_lib_folders = d->libs.n};
	bool ok = program_load(&d->core.host, &options) == 0;
	free(path);
	return ok;
}

/* How many failed. */
static int load_scripts(struct daemon *d)
{
	int failed = !load_reconnect(d);
	for (size_t i = 0; i < d->config->n_scripts; i++)
		if (d->config->scripts[i]->enabled)
			failed += !load_script(d, d->config->scripts[i]);
	return failed;
}

static bool all_idle(const struct daemon *d)
{
	for (size_t i = 0; i < d->n_networks; i++)
		if (!network_is_idle(d->networks[i]))
			return false;
	return true;
}

static void stop_if_idle(struct timer *t)
{
	struct daemon *d = container_of(t, struct daemon, stop_poll);
	if (all_idle(d))
		loop_stop(&d->loop);
	else
		timers_after(&d->loop.timers, t, 20 * NS_PER_MS);
}

static void stop_anyway(struct timer *t)
{
	loop_stop(&container_of(t, struct daemon, stop_deadline)->loop);
}

static void stop(struct daemon *d, const char *why)
{
	if (d->is_stopping) { /* somebody is in a hurry */
		loop_stop(&d->loop);
		return;
	}
	log_info("ebbd: %s: ending", why);
	notify_send("STOPPING=1");
	d->is_stopping = true;
	host_stop(&d->core.host);
	for (size_t i = 0; i < d->n_networks; i++)
		network_disconnect(d->networks[i], STR("ebb is ending"));
	d->stop_poll.fire = stop_if_idle;
	d->stop_deadline.fire = stop_anyway;
	timers_after(&d->loop.timers, &d->stop_poll, 0);
	timers_after(&d->loop.timers, &d->stop_deadline, STOP_NS);
}

static void on_term(struct loop_signal *watch)
{
	stop(container_of(watch, struct daemon, on_term), "SIGTERM");
}

static void on_int(struct loop_signal *watch)
{
	stop(container_of(watch, struct daemon, on_int), "SIGINT");
}

static void shut_down(void *data)
{
	stop(data, "asked by its control socket");
}

static void watch_signals(struct daemon *d)
{
	signal(SIGPIPE, SIG_IGN);
	d->on_term.run = on_term;
	d->on_int.run = on_int;
	loop_signal_start(&d->loop, &d->on_term, SIGTERM);
	loop_signal_start(&d->loop, &d->on_int, SIGINT);
}

static int open_control(struct daemon *d)
{
	char *path = d->config->daemon.control ? mem_strdup(d->config->daemon.control)
					       : control_default_path();
	if (!path) {
		log_debug("control: no socket: neither configured nor in the environment");
		return 0;
	}
	d->parts = (struct command_parts){&d->core, d->loop.timers.now_ns, shut_down, d};
	struct control_options options = {
		.path = path, .commands = command_table, .data = &d->parts};
	struct err err;
	int r = control_open(&d->control, &d->loop, &options, &err);
	if (r < 0)
		log_error("control: %s", err.text);
	free(path);
	return r;
}

int daemon_run(const struct config *config)
{
	struct daemon d;
	init(&d, config, false);
	watch_signals(&d);
	int r = add_networks(&d);
	if (r == 0)
		r = open_control(&d);
	if (r == 0) {
		load_scripts(&d);
		for (size_t i = 0; i < d.n_networks; i++)
			if (config->networks[i]->autoconnect)
				network_connect(d.networks[i]);
		notify_send("READY=1");
		log_info("ebbd: running, version " EBB_VERSION);
		loop_run(&d.loop);
	}
	loop_signal_stop(&d.loop, &d.on_term);
	loop_signal_stop(&d.loop, &d.on_int);
	fini(&d);
	return r;
}

int daemon_check(const struct config *config)
{
	struct daemon d;
	init(&d, config, true);
	int r = add_networks(&d);
	if (r == 0)
		r = load_scripts(&d);
	fini(&d);
	return r;
}
