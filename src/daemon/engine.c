#include "daemon/engine.h"

#include "daemon/statefile.h"

#include <stdlib.h>

#define POLL_NS  (20 * NS_PER_MS)
#define BEGIN_NS (9 * NS_PER_S) /* what a script may compute without a pause is less */

/* The beginning. */

static void begin(struct engine *e)
{
	networks_connect(&e->networks);
	if (e->events.begun)
		e->events.begun(e->events.data);
}

static void begin_if_loaded(struct timer *t)
{
	struct engine *e = container_of(t, struct engine, begin_poll);
	bool is_late = e->loop.timers.now_ns - e->begin_ns > BEGIN_NS;
	if (is_late || !programs_are_loading(&e->programs))
		begin(e);
	else
		timers_after(&e->loop.timers, t, POLL_NS);
}

static bool is_check(const struct engine *e)
{
	return e->core.host.options.is_check;
}

static void open_policies(struct engine *e)
{
	char *folder = statefile_folder(e->config->daemon.state_dir);
	policies_open(&e->policies, folder);
	free(folder);
}

int engine_prepare(struct engine *e, struct err *err)
{
	struct networks_plan plan;
	int r = networks_prepare(&plan, e->config, err);
	if (r < 0)
		return ERR_CONFIG;
	if (!is_check(e)) {
		engine_obey(e, &e->config->daemon);
		open_policies(e);
	}
	networks_apply(&e->networks, &plan, e->config);
	return 0;
}

int engine_start(struct engine *e)
{
	int n_failed = programs_start(&e->programs, e->config);
	e->begin_ns = e->loop.timers.now_ns;
	if (!is_check(e))
		begin_if_loaded(&e->begin_poll);
	return n_failed;
}

void engine_obey(struct engine *e, const struct config_daemon *daemon)
{
	struct host_options *options = &e->core.host.options;
	guard_set_rate(&e->core.guard, daemon->dial_rate, e->loop.timers.now_ns);
	options->reload_timeout_ns = daemon->reload_timeout_ns;
	options->reload_drain_ns = daemon->reload_drain_ns;
	programs_watch(&e->programs, daemon->watch);
}

/* The end. */

static void end(struct engine *e)
{
	timers_cancel(&e->loop.timers, &e->stop_poll);
	timers_cancel(&e->loop.timers, &e->stop_deadline);
	e->events.ended(e->events.data);
}

/* The connections are closed, and what on_unload() noted has ended. */
static void end_if_idle(struct timer *t)
{
	struct engine *e = container_of(t, struct engine, stop_poll);
	if (networks_all_idle(&e->networks) && list_is_empty(&e->core.host.scripts))
		end(e);
	else
		timers_after(&e->loop.timers, t, POLL_NS);
}

static void end_anyway(struct timer *t)
{
	end(container_of(t, struct engine, stop_deadline));
}

void engine_stop(struct engine *e)
{
	if (e->is_stopping)
		return;
	e->is_stopping = true;
	timers_cancel(&e->loop.timers, &e->begin_poll);
	host_stop(&e->core.host);
	programs_stop(&e->programs);
	networks_disconnect_all(&e->networks, STR("ebb is ending"));
	timers_after(&e->loop.timers, &e->stop_poll, 0);
	timers_after(&e->loop.timers, &e->stop_deadline, ENGINE_STOP_NS);
}

void engine_init(struct engine *e, struct ev_loop *ev, struct config *config, bool is_for_check,
	const struct engine_events *events)
{
	*e = (struct engine){.config = config,
		.events = *events,
		.begin_poll.fire = begin_if_loaded,
		.stop_poll.fire = end_if_idle,
		.stop_deadline.fire = end_anyway};
	loop_init(&e->loop, ev, &clock_system);
	resolver_init(&e->resolver, &e->loop, NULL);
	struct core_options core = {config->daemon.dial_rate, is_for_check, NULL};
	core_init(&e->core, &e->loop, &core);
	policies_init(&e->policies, &e->loop);
	struct network_parts parts = {.loop = &e->loop,
		.resolver = &e->resolver,
		.guard = &e->core.guard,
		.gate = &e->core.gate,
		.host = &e->core.host,
		.policies = &e->policies};
	networks_init(&e->networks, &parts);
	programs_init(&e->programs, &e->core);
}

void engine_fini(struct engine *e)
{
	if (!e->loop.ev)
		return;
	networks_fini(&e->networks);
	policies_fini(&e->policies);
	programs_fini(&e->programs);
	core_fini(&e->core);
	resolver_fini(&e->resolver);
	loop_fini(&e->loop);
	config_free(e->config);
	*e = (struct engine){0};
}
