#include "daemon/daemon.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/command.h"
#include "daemon/core.h"
#include "daemon/networks.h"
#include "daemon/notify.h"
#include "daemon/scripts.h"
#include "daemon/summary.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define STOP_NS (4 * NS_PER_S) /* a service manager is told of five seconds */

/* The policy that is loaded without being asked for. */
static const char reconnect[] = "reconnect";

struct daemon {
	struct config *config;
	struct loop loop;
	struct resolver resolver;
	struct core core;
	struct networks networks;
	struct notify notify;
	struct summary summary;
	struct script_paths libs; /* lib/ of the folders on script_path */
	struct control control;
	struct command_parts parts; /* for the commands */
	struct loop_signal on_term, on_int;
	bool is_stopping;
	struct timer stop_deadline, stop_poll;
};

static void init(struct daemon *d, struct config *config, bool is_check)
{
	*d = (struct daemon){.config = config};
	loop_init(&d->loop, ev_default_loop(EVFLAG_AUTO), &clock_system);
	resolver_init(&d->resolver, &d->loop, NULL);
	struct core_options options = {config->daemon.dial_rate, is_check, NULL};
	core_init(&d->core, &d->loop, &options);
	struct network_parts parts = {&d->loop, &d->resolver, &d->core.guard, &d->core.host, NULL};
	networks_init(&d->networks, &parts);
	for (size_t i = 0; i < config->daemon.script_path.n; i++)
		script_paths_add(&d->libs, config->daemon.script_path.names[i], "/lib");
}

static void fini(struct daemon *d)
{
	control_close(&d->control);
	networks_fini(&d->networks);
	script_paths_fini(&d->libs);
	core_fini(&d->core);
	resolver_fini(&d->resolver);
	loop_fini(&d->loop);
}

static int add_networks(struct daemon *d)
{
	struct networks_plan plan;
	struct err err;
	int r = networks_prepare(&plan, d->config, &err);
	if (r < 0)
		log_error("%s", err.text);
	else
		networks_apply(&d->networks, &plan, d->config);
	return r < 0 ? ERR_CONFIG : 0;
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

static void stop_if_idle(struct timer *t)
{
	struct daemon *d = container_of(t, struct daemon, stop_poll);
	if (networks_all_idle(&d->networks))
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
	notify_stopping(&d->notify);
	d->is_stopping = true;
	host_stop(&d->core.host);
	networks_disconnect_all(&d->networks, STR("ebb is ending"));
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

int daemon_run(struct config *config)
{
	struct daemon d;
	init(&d, config, false);
	watch_signals(&d);
	notify_init(&d.notify, &d.loop);
	int r = add_networks(&d);
	if (r == 0)
		r = open_control(&d);
	if (r == 0) {
		load_scripts(&d);
		networks_connect(&d.networks);
		notify_ready(&d.notify);
		summary_start(&d.summary, &d.notify, &d.core.host);
		log_info("ebbd: running, version " EBB_VERSION);
		loop_run(&d.loop);
	}
	loop_signal_stop(&d.loop, &d.on_term);
	loop_signal_stop(&d.loop, &d.on_int);
	summary_stop(&d.summary);
	notify_fini(&d.notify);
	fini(&d);
	return r;
}

int daemon_check(struct config *config)
{
	struct daemon d;
	init(&d, config, true);
	int r = add_networks(&d);
	if (r == 0)
		r = load_scripts(&d);
	fini(&d);
	return r;
}
