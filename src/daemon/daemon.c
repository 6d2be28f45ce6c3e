#include "daemon/daemon.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/command.h"
#include "daemon/core.h"
#include "daemon/networks.h"
#include "daemon/notify.h"
#include "daemon/policies.h"
#include "daemon/programs.h"
#include "daemon/rehash.h"
#include "daemon/statefile.h"
#include "daemon/summary.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define STOP_NS  (4 * NS_PER_S) /* a service manager is told of five seconds */
#define BEGIN_NS (9 * NS_PER_S) /* what a script may compute without a pause is less */

struct daemon {
	struct config *config; /* owned */
	struct loop loop;
	struct resolver resolver;
	struct core core;
	struct policies policies;
	struct networks networks;
	struct notify notify;
	struct summary summary;
	struct programs programs;
	struct rehash rehash;
	struct control control;
	struct command_parts parts; /* for the commands */
	struct loop_signal on_term, on_int, on_hup;
	bool is_stopping;
	struct timer stop_deadline, stop_poll;
	struct timer begin_poll; /* until the scripts are loaded */
	int64_t begin_ns;
};

static void init(struct daemon *d, struct config *config, bool is_check)
{
	*d = (struct daemon){.config = config};
	loop_init(&d->loop, ev_default_loop(EVFLAG_AUTO), &clock_system);
	resolver_init(&d->resolver, &d->loop, NULL);
	struct core_options options = {config->daemon.dial_rate, is_check, NULL};
	core_init(&d->core, &d->loop, &options);
	policies_init(&d->policies, &d->loop);
	struct network_parts parts = {.loop = &d->loop,
		.resolver = &d->resolver,
		.guard = &d->core.guard,
		.host = &d->core.host,
		.policies = &d->policies};
	networks_init(&d->networks, &parts);
	programs_init(&d->programs, &d->core);
}

static void fini(struct daemon *d)
{
	control_close(&d->control);
	networks_fini(&d->networks);
	policies_fini(&d->policies);
	programs_fini(&d->programs);
	core_fini(&d->core);
	resolver_fini(&d->resolver);
	loop_fini(&d->loop);
	config_free(d->config);
}

static void open_policies(struct daemon *d)
{
	char *folder = statefile_folder(d->config->daemon.state_dir);
	policies_open(&d->policies, folder);
	free(folder);
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

/* The connections are closed, and what on_unload() noted has ended. */
static void stop_if_idle(struct timer *t)
{
	struct daemon *d = container_of(t, struct daemon, stop_poll);
	if (networks_all_idle(&d->networks) && list_is_empty(&d->core.host.scripts))
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
	rehash_stop(&d->rehash);
	host_stop(&d->core.host);
	programs_stop(&d->programs);
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

static void on_hup(struct loop_signal *watch)
{
	rehash_signal(&container_of(watch, struct daemon, on_hup)->rehash);
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
	d->on_hup.run = on_hup;
	loop_signal_start(&d->loop, &d->on_term, SIGTERM);
	loop_signal_start(&d->loop, &d->on_int, SIGINT);
	loop_signal_start(&d->loop, &d->on_hup, SIGHUP);
}

static int open_control(struct daemon *d)
{
	char *path = d->config->daemon.control ? mem_strdup(d->config->daemon.control)
					       : control_default_path();
	if (!path) {
		log_debug("control: no socket: neither configured nor in the environment");
		return 0;
	}
	d->parts = (struct command_parts){.core = &d->core,
		.programs = &d->programs,
		.rehash = &d->rehash,
		.config = &d->config,
		.start_ns = d->loop.timers.now_ns,
		.shut_down = shut_down,
		.data = d};
	struct control_options options = {
		.path = path, .commands = command_table, .data = &d->parts};
	struct err err;
	int r = control_open(&d->control, &d->loop, &options, &err);
	if (r < 0)
		log_error("control: %s", err.text);
	free(path);
	return r;
}

/* The scripts are loaded, or one computes on and on. */
static void begin(struct daemon *d)
{
	networks_connect(&d->networks);
	notify_ready(&d->notify);
	summary_start(&d->summary, &d->notify, &d->core.host);
	log_info("ebbd: running, version " EBB_VERSION);
}

static void begin_if_loaded(struct timer *t)
{
	struct daemon *d = container_of(t, struct daemon, begin_poll);
	bool is_late = d->loop.timers.now_ns - d->begin_ns > BEGIN_NS;
	if (d->is_stopping)
		return;
	if (is_late || !programs_are_loading(&d->programs))
		begin(d);
	else
		timers_after(&d->loop.timers, t, 20 * NS_PER_MS);
}

int daemon_run(struct config *config, const char *path, bool is_verbose)
{
	struct daemon d;
	init(&d, config, false);
	watch_signals(&d);
	notify_init(&d.notify, &d.loop);
	struct rehash_parts parts = {.path = path,
		.config = &d.config,
		.is_verbose = is_verbose,
		.core = &d.core,
		.networks = &d.networks,
		.programs = &d.programs,
		.notify = &d.notify};
	rehash_init(&d.rehash, &parts);
	rehash_apply_daemon(&parts, config);
	open_policies(&d);
	int r = add_networks(&d);
	if (r == 0)
		r = open_control(&d);
	if (r == 0) {
		programs_start(&d.programs, config);
		d.begin_poll.fire = begin_if_loaded;
		d.begin_ns = d.loop.timers.now_ns;
		begin_if_loaded(&d.begin_poll);
		loop_run(&d.loop);
	}
	loop_signal_stop(&d.loop, &d.on_term);
	loop_signal_stop(&d.loop, &d.on_int);
	loop_signal_stop(&d.loop, &d.on_hup);
	rehash_fini(&d.rehash);
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
		r = programs_start(&d.programs, config);
	fini(&d);
	return r;
}
