#include "daemon/rehash.h"

#include "base/log.h"
#include "daemon/files.h"

enum { ERRORS_MAX_BYTES = 256 * 1024 };

static struct timers *timers_of(const struct rehash *r)
{
	return &r->parts.engine->loop.timers;
}

/* The end. */

static void tell(struct rehash *r, const struct err *why)
{
	struct list askers, none;
	list_init(&none);
	list_init(&askers);
	list_splice(&askers, &r->askers);
	list_splice(&r->askers, &r->next_askers);
	while (!list_is_empty(&askers)) {
		struct rehash_asker *a = container_of(askers.next, struct rehash_asker, node);
		list_remove(&a->node);
		a->told(a, why, r->round.done ? &r->round.outcomes : &none);
	}
}

static void end(struct rehash *r, const struct err *why)
{
	if (!r->is_stopped)
		notify_ready(r->parts.notify);
	tell(r, why);
	programs_round_fini(&r->parts.engine->programs, &r->round);
	r->is_running = false;
	if (!list_is_empty(&r->askers))
		timers_after(timers_of(r), &r->due, 0);
	else if (r->is_signalled)
		rehash_signal(r);
	r->is_signalled = false;
}

static void on_scripts_done(struct programs_round *round)
{
	struct rehash *r = container_of(round, struct rehash, round);
	struct err why = {0};
	size_t n_failed = 0;
	list_each (node, &round->outcomes) {
		const struct programs_outcome *o =
			container_of(node, struct programs_outcome, node);
		if (o->asker.why.code && n_failed++ == 0)
			err_set(&why, ERR_INVALID, "script %s: %s", o->name, o->asker.why.text);
	}
	if (n_failed)
		log_error(
			"ebbd: %s: reloaded, but for %zu of the scripts", r->parts.path, n_failed);
	else
		log_info("ebbd: %s: reloaded", r->parts.path);
	end(r, n_failed ? &why : NULL);
}

/* The beginning. */

static void log_errors(const struct buf *errors)
{
	struct str rest = buf_str(errors), line;
	while ((line = str_word(&rest, "\n")).n)
		log_error("%" STR_F, STR_A(line));
}

static void set_level(const struct rehash *r, int configured)
{
	enum log_level level = (enum log_level)configured;
	log_set_level(r->parts.is_verbose && level < LOG_DEBUG ? LOG_DEBUG : level);
}

static void warn_of_change(
	const struct rehash *r, const char *key, const char *before, const char *now)
{
	if (!str_same(before, now))
		log_warn(
			"ebbd: %s: [daemon] %s: counts from the next start on", r->parts.path, key);
}

static void apply(struct rehash *r, struct config *config, struct networks_plan *plan)
{
	struct engine *e = r->parts.engine;
	struct config *old = e->config;
	e->config = config;
	warn_of_change(r, "control", old->daemon.control, config->daemon.control);
	warn_of_change(r, "state_dir", old->daemon.state_dir, config->daemon.state_dir);
	set_level(r, config->daemon.log_level);
	engine_obey(e, &config->daemon);
	networks_apply(&e->networks, plan, config);
	r->round.done = on_scripts_done;
	programs_apply(&e->programs, config, &r->round);
	config_free(old);
}

/* The first line of what is wrong; all of them are logged. */
static int prepare(
	struct rehash *r, struct config **config, struct networks_plan *plan, struct err *err)
{
	struct buf errors;
	buf_init(&errors, ERRORS_MAX_BYTES);
	int code = config_load(r->parts.path, config, &errors);
	if (code < 0) {
		struct str rest = buf_str(&errors);
		struct str line = str_cut(&rest, '\n');
		err_set(err, code, "%" STR_F, STR_A(line));
		log_errors(&errors);
	} else if (files_provide((*config)->n_networks, err) < 0 ||
		   networks_prepare(plan, *config, err) < 0) {
		code = err->code;
		log_error("%s", err->text);
		config_free(*config);
	}
	buf_fini(&errors);
	return code;
}

static void on_due(struct timer *timer)
{
	struct rehash *r = container_of(timer, struct rehash, due);
	struct config *config;
	struct networks_plan plan;
	struct err err;
	r->is_running = true;
	notify_reloading(r->parts.notify);
	if (prepare(r, &config, &plan, &err) == 0) {
		apply(r, config, &plan);
		return;
	}
	log_error("ebbd: %s: not reloaded: nothing has changed", r->parts.path);
	end(r, &err);
}

void rehash_signal(struct rehash *r)
{
	int64_t now_ns = timers_of(r)->now_ns;
	if (r->is_stopped)
		return;
	if (r->is_running) {
		r->is_signalled = true;
		return;
	}
	if (!timer_is_set(&r->due))
		r->first_ns = now_ns;
	int64_t at_ns = now_ns + REHASH_QUIET_NS;
	if (at_ns > r->first_ns + REHASH_MOST_NS)
		at_ns = r->first_ns + REHASH_MOST_NS;
	timers_set(timers_of(r), &r->due, at_ns);
}

void rehash_ask(struct rehash *r, struct rehash_asker *asker)
{
	list_append(r->is_running ? &r->next_askers : &r->askers, &asker->node);
	if (!r->is_running)
		timers_after(timers_of(r), &r->due, 0);
}

void rehash_forget_asker(struct rehash_asker *asker)
{
	list_remove(&asker->node);
}

void rehash_stop(struct rehash *r)
{
	struct err why;
	timers_cancel(timers_of(r), &r->due);
	r->is_stopped = true;
	list_splice(&r->askers, &r->next_askers);
	err_set(&why, ERR_REQUESTED, "ebbd is ending");
	tell(r, &why);
}

void rehash_init(struct rehash *r, const struct rehash_parts *parts)
{
	*r = (struct rehash){.parts = *parts, .due.fire = on_due};
	list_init(&r->askers);
	list_init(&r->next_askers);
}

void rehash_fini(struct rehash *r)
{
	timers_cancel(timers_of(r), &r->due);
	programs_round_fini(&r->parts.engine->programs, &r->round);
}
