#include "daemon/daemon.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/command.h"
#include "daemon/engine.h"
#include "daemon/files.h"
#include "daemon/notify.h"
#include "daemon/rehash.h"
#include "daemon/summary.h"

#include <signal.h>
#include <stdlib.h>

struct daemon {
	struct engine engine;
	struct notify notify;
	struct summary summary;
	struct rehash rehash;
	struct control control;
	struct command_parts parts; /* for the commands */
	struct loop_signal on_term, on_int, on_hup;
};

static void on_begun(void *data)
{
	struct daemon *d = data;
	notify_ready(&d->notify);
	summary_start(&d->summary, &d->notify, &d->engine.core.host);
	log_info("ebbd: running, version " EBB_VERSION);
}

static void on_ended(void *data)
{
	struct daemon *d = data;
	loop_stop(&d->engine.loop);
}

static void stop(struct daemon *d, const char *why)
{
	if (d->engine.is_stopping) { /* somebody is in a hurry */
		loop_stop(&d->engine.loop);
		return;
	}
	log_info("ebbd: %s: ending", why);
	notify_stopping(&d->notify);
	rehash_stop(&d->rehash);
	engine_stop(&d->engine);
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
	struct loop *loop = &d->engine.loop;
	signal(SIGPIPE, SIG_IGN);
	d->on_term.run = on_term;
	d->on_int.run = on_int;
	d->on_hup.run = on_hup;
	loop_signal_start(loop, &d->on_term, SIGTERM);
	loop_signal_start(loop, &d->on_int, SIGINT);
	loop_signal_start(loop, &d->on_hup, SIGHUP);
}

static void forget_signals(struct daemon *d)
{
	loop_signal_stop(&d->engine.loop, &d->on_term);
	loop_signal_stop(&d->engine.loop, &d->on_int);
	loop_signal_stop(&d->engine.loop, &d->on_hup);
}

static int open_control(struct daemon *d)
{
	struct engine *e = &d->engine;
	char *path = e->config->daemon.control ? mem_strdup(e->config->daemon.control)
					       : control_default_path();
	if (!path) {
		log_debug("control: no socket: neither configured nor in the environment");
		return 0;
	}
	d->parts = (struct command_parts){.core = &e->core,
		.programs = &e->programs,
		.rehash = &d->rehash,
		.config = &e->config,
		.start_ns = e->loop.timers.now_ns,
		.shut_down = shut_down,
		.data = d};
	struct control_options options = {
		.path = path, .commands = command_table, .data = &d->parts};
	struct err err;
	int r = control_open(&d->control, &e->loop, &options, &err);
	if (r < 0)
		log_error("control: %s", err.text);
	free(path);
	return r;
}

static int prepare(struct engine *e)
{
	struct err err;
	int r = engine_prepare(e, &err);
	if (r < 0)
		log_error("%s", err.text);
	return r;
}

static int provide_files(const struct config *config)
{
	struct err err;
	int r = files_provide(config->n_networks, &err);
	if (r < 0)
		log_error("ebbd: %s", err.text);
	return r;
}

int daemon_run(struct config *config, const char *path, bool is_verbose)
{
	struct daemon d = {0};
	struct engine_events events = {on_begun, on_ended, &d};
	engine_init(&d.engine, ev_default_loop(EVFLAG_AUTO), config, false, &events);
	watch_signals(&d);
	notify_init(&d.notify, &d.engine.loop);
	struct rehash_parts parts = {path, is_verbose, &d.engine, &d.notify};
	rehash_init(&d.rehash, &parts);
	int r = provide_files(config);
	if (r == 0)
		r = prepare(&d.engine);
	if (r == 0)
		r = open_control(&d);
	if (r == 0) {
		engine_start(&d.engine);
		loop_run(&d.engine.loop);
	}
	forget_signals(&d);
	rehash_fini(&d.rehash);
	summary_stop(&d.summary);
	notify_fini(&d.notify);
	control_close(&d.control);
	engine_fini(&d.engine);
	return r;
}

/* Who checks may have other limits than the daemon will have. */
static void check_files(const struct config *config)
{
	struct err err;
	if (files_provide(config->n_networks, &err) < 0)
		log_warn("ebbd: with the limits of this process: %s", err.text);
}

int daemon_check(struct config *config)
{
	struct engine e;
	const struct engine_events none = {0};
	engine_init(&e, ev_default_loop(EVFLAG_AUTO), config, true, &none);
	check_files(config);
	int r = prepare(&e);
	if (r == 0)
		r = engine_start(&e);
	engine_fini(&e);
	return r;
}
