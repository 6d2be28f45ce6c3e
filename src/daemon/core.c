#include "daemon/core.h"

/* In the next turn of the loop, so that sockets and signals get their look in between. */
static void on_host_wanted(void *data)
{
	struct core *c = data;
	if (!timer_is_set(&c->run_host))
		timers_after(&c->loop->timers, &c->run_host, 0);
}

/* What others write in this turn is written before a script that was held goes on. */
static void run_host(struct timer *timer)
{
	struct core *c = container_of(timer, struct core, run_host);
	host_run(&c->host);
	if (host_has_held(&c->host))
		loop_defer(c->loop, &c->share);
}

static void run_share(struct job *job)
{
	host_share(&container_of(job, struct core, share)->host);
}

/* A virtual clock has no idle time. */
static void on_host_idle(void *data)
{
	struct core *c = data;
	if (!c->loop->clock->is_virtual)
		loop_when_quiet(c->loop, &c->idle);
}

static void on_followed(void *data)
{
	const struct core *c = data;
	if (c->followed)
		c->followed(c->followed_data);
}

static void run_idle(struct job *job)
{
	host_idle(&container_of(job, struct core, idle)->host);
}

void core_init(struct core *c, struct loop *loop, const struct core_options *options)
{
	*c = (struct core){.loop = loop, .run_host.fire = run_host};
	job_init(&c->share, run_share);
	job_init(&c->idle, run_idle);
	guard_init(&c->guard, options->dial_rate);
	gate_init(&c->gate, &loop->timers);
	struct host_options host = {.timers = &loop->timers,
		.clock = loop->clock,
		.wanted = on_host_wanted,
		.idle = on_host_idle,
		.followed = on_followed,
		.reload_drain_ns = HOST_RELOAD_DRAIN_NS,
		.data = c,
		.is_check = options->is_check,
		.trial = options->trial};
	host_init(&c->host, &host);
}

struct script_limits core_limits(const struct config_script *c)
{
	return (struct script_limits){.trust = (enum script_trust)c->trust,
		.gc = (enum script_gc)c->gc,
		.memory_max_bytes = c->memory_max,
		.cpu_max_ns = c->cpu_max_ns,
		.is_debug = c->debug};
}

void core_fini(struct core *c)
{
	host_fini(&c->host);
	job_cancel(&c->share);
	job_cancel(&c->idle);
	timers_cancel(&c->loop->timers, &c->run_host);
	guard_fini(&c->guard);
	gate_fini(&c->gate);
}
