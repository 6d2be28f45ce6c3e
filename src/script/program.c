#include "script/program.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "script/host.h"
#include "script/load.h"
#include "script/news.h"
#include "script/reload.h"
#include "script/retire.h"
#include "script/task.h"

#include <stdlib.h>

#define FIRST_DELAY_NS NS_PER_S
#define FAILURES_NS    (NS_PER_S * 60 * 10)

static struct timers *timers_of(const struct program *p)
{
	return p->host->options.timers;
}

/* True: host_leave is the caller's. */
static bool enter(struct host *h)
{
	if (h->is_running)
		return false;
	host_enter(h);
	return true;
}

static void leave(struct host *h, bool is_ours)
{
	if (is_ours)
		host_leave(h);
}

/* Who asks. */

static void on_tell(struct timer *timer)
{
	struct program *p = container_of(timer, struct program, tell);
	while (!list_is_empty(&p->told)) {
		struct program_asker *a = container_of(p->told.next, struct program_asker, node);
		list_remove(&a->node);
		a->told(a, a->why.code ? &a->why : NULL);
	}
}

/* code 0: it went well. */
static void resolve(struct program *p, int code, const char *why)
{
	err_set(&p->fault, code, "%s", why);
	while (!list_is_empty(&p->askers)) {
		struct program_asker *a = container_of(p->askers.next, struct program_asker, node);
		list_remove(&a->node);
		list_append(&p->told, &a->node);
		a->why = p->fault;
		timers_after(timers_of(p), &p->tell, 0);
	}
	list_splice(&p->askers, &p->next_askers);
}

void program_forget_asker(struct program_asker *asker)
{
	list_remove(&asker->node);
}

/* Its files. */

static void tell_of_files(struct program *p)
{
	if (p->host->options.followed)
		p->host->options.followed(p->host->options.data);
}

/* Those that an attempt to load s looked for. */
static void note_files(struct program *p, const struct script *s, bool has_failed)
{
	follow_attempt(&p->files, &s->require, has_failed);
	tell_of_files(p);
}

void program_followed(struct program *p, const char *path, uint64_t hash)
{
	follow_note(&p->files, path, hash);
	tell_of_files(p);
}

/* Loading. */

static void take_options(struct script_options *to, const struct script_options *from)
{
	struct script_options copy;
	if (to == from)
		return;
	script_options_copy(&copy, from);
	script_options_fini(to);
	*to = copy;
}

/* Scripts hear of events in the order of their programs. */
void program_place(struct program *p)
{
	struct host *h = p->host;
	struct list *at = &h->scripts;
	for (struct list *node = p->node.next; node != &h->programs && at == &h->scripts;
		node = node->next) {
		const struct program *later = container_of(node, struct program, node);
		if (later->script)
			at = &later->script->node;
	}
	list_remove(&p->script->node);
	list_append(at, &p->script->node);
}

static void drop_script(struct program *p)
{
	p->restoring.script = NULL;
	timers_cancel(timers_of(p), &p->step);
	script_free(p->script);
	p->script = NULL;
}

static void count_generation(struct program *p)
{
	p->n_generations++;
	p->loaded_ns = timers_of(p)->now_ns;
	p->is_disabled = p->is_unloaded = false;
}

/* There is none of it, and why. */
static void fail_to_load(struct script *s, const char *why)
{
	struct program *p = s->program;
	log_error("script %s: not loaded: %s", s->name, why);
	news_error(s, "load", why);
	note_files(p, s, true);
	resolve(p, ERR_INVALID, why);
	s->is_over = s->is_held = true;
	host_settle(s);
}

void program_loaded(struct script *s)
{
	struct program *p = s->program;
	struct task *t = handles_get(&s->host->handles, s->main);
	if (s->stage == SCRIPT_CANDIDATE) {
		reload_loaded(p->reload);
		return;
	}
	if (s->stage == SCRIPT_RETIRED)
		return; /* it was unloaded meanwhile */
	if (t) {
		t->ended = NULL; /* what it does from now on is its own affair */
		t->is_awaited = false;
	}
	s->is_loading = false;
	if (s->is_over)
		return; /* program_fail told of it */
	if (s->has_failed) {
		fail_to_load(s, s->failure);
		return;
	}
	s->has_loaded = true;
	count_generation(p);
	log_info("script %s: loaded", s->name);
	news_loaded(s, false);
	note_files(p, s, false);
	resolve(p, 0, "");
	if (p->wants_reload)
		host_settle(s);
	s->host->options.wanted(s->host->options.data);
}

static void restore(struct timer *timer)
{
	struct program *p = container_of(timer, struct program, step);
	struct script *s = p->script;
	struct err err;
	host_enter(p->host);
	int n = restoring_step(&p->restoring, &err);
	if (n > 0)
		timers_after(timers_of(p), timer, 0);
	else if (n < 0)
		fail_to_load(s, err.text);
	else {
		buf_fini(&p->saving.bytes);
		load_run(s);
		host_thaw(s);
	}
	host_leave(p->host);
}

static void begin_restoring(struct program *p)
{
	host_freeze(p->script);
	restoring_begin(&p->restoring, p->script, buf_str(&p->saving.bytes));
	timers_after(timers_of(p), &p->step, 0);
}

static void start(struct program *p)
{
	struct host *h = p->host;
	struct err err;
	timers_cancel(timers_of(p), &p->restart);
	p->script = script_new(h, p, &p->options);
	if (!p->script) {
		log_error("script %s: not loaded: not enough memory", p->options.name);
		resolve(p, ERR_LIMIT, "not enough memory");
		return;
	}
	program_place(p);
	bool is_ours = enter(h);
	if (load_prepare(p->script, &err) < 0)
		fail_to_load(p->script, err.text);
	else if (p->saving.bytes.n)
		begin_restoring(p);
	else
		load_run(p->script);
	leave(h, is_ours);
	h->options.wanted(h->options.data); /* for what it has started, or where it is sliced */
}

/* Failing, and starting anew. */

static unsigned recent_failures(const struct program *p)
{
	unsigned n = 0;
	int64_t since_ns = timers_of(p)->now_ns - FAILURES_NS;
	for (size_t i = 0; i < PROGRAM_FAILURES_MAX; i++)
		n += p->failures_ns[i] >= 0 && p->failures_ns[i] > since_ns;
	return n;
}

static void forgive(struct program *p)
{
	for (size_t i = 0; i < PROGRAM_FAILURES_MAX; i++)
		p->failures_ns[i] = -1;
	p->n_failures = 0;
	p->is_disabled = p->is_unloaded = false;
}

static void schedule(struct program *p)
{
	unsigned n = recent_failures(p);
	if (n == PROGRAM_FAILURES_MAX) {
		log_error("script %s: failed %u times within ten minutes: it is disabled",
			p->options.name, n + 1);
		p->is_disabled = true;
		return;
	}
	p->failures_ns[p->n_failures++ % PROGRAM_FAILURES_MAX] = timers_of(p)->now_ns;
	int64_t delay_ns = FIRST_DELAY_NS << n;
	log_warn("script %s: it is loaded anew in %d s", p->options.name,
		(int)(delay_ns / NS_PER_S));
	timers_after(timers_of(p), &p->restart, delay_ns);
}

static void on_restart(struct timer *timer)
{
	start(container_of(timer, struct program, restart));
}

/* What was to come after something else comes now. */
static void take_wish(struct program *p)
{
	p->wants_reload = false;
	list_splice(&p->askers, &p->next_askers);
}

/* After a script has failed that ran, or was started anew because of that. */
static void come_back(struct program *p, bool has_run)
{
	if (p->wants_reload) {
		take_wish(p);
		start(p);
	} else if (has_run || p->n_failures) {
		schedule(p);
	}
}

static void carry_on(struct program *p)
{
	const struct script *s = p->script;
	if (p->saving.bytes.n > s->limits.memory_max_bytes / 2) {
		log_warn("script %s: `state` is not carried over: it is what used up the memory",
			s->name);
		buf_fini(&p->saving.bytes);
	}
	drop_script(p);
	come_back(p, true);
}

static void save(struct program *p)
{
	struct err err;
	int n = saving_step(&p->saving, &err);
	if (n < 0) {
		log_warn("script %s: `state` is not carried over: %s", p->options.name, err.text);
		buf_fini(&p->saving.bytes);
	}
	if (n > 0)
		timers_after(timers_of(p), &p->step, 0);
	else
		carry_on(p);
}

static void on_step(struct timer *timer)
{
	struct program *p = container_of(timer, struct program, step);
	if (p->restoring.script) {
		restore(timer);
		return;
	}
	host_enter(p->host);
	save(p);
	host_leave(p->host);
}

/* The program's own script is over. */
static void settle_failed(struct program *p)
{
	struct script *s = p->script;
	struct err err;
	if (!s->has_loaded) {
		drop_script(p);
		come_back(p, false);
		return;
	}
	news_unloaded(s, "failed");
	if (saving_begin(&p->saving, s, &err) < 0) {
		log_warn("script %s: `state` is not carried over: %s", s->name, err.text);
		carry_on(p);
		return;
	}
	save(p);
}

/* What the reload was to bring comes by the restart instead. */
static void turn_to_restart(struct program *p)
{
	p->wants_reload = true;
	list_splice_front(&p->next_askers, &p->askers);
	reload_refuse(p->reload, "the old code ended");
}

void program_fail(struct script *s, const char *why)
{
	struct program *p = s->program;
	if (s->is_over)
		return;
	if (s->stage == SCRIPT_CANDIDATE) {
		reload_refuse(p->reload, why);
		return;
	}
	s->is_over = s->is_held = true;
	log_error("script %s: ended: %s", s->name, why);
	news_error(s, "end", why);
	if (s->stage == SCRIPT_CURRENT && p->reload)
		turn_to_restart(p);
	else if (s->stage == SCRIPT_CURRENT && !s->has_loaded)
		resolve(p, ERR_LIMIT, why);
	host_settle(s);
}

/* Reloading. */

static void begin(struct program *p);

static void tell_of_reload(struct program *p, const struct reload *r, struct script *s)
{
	if (s) {
		s->has_loaded = true;
		count_generation(p);
		log_info("script %s: reloaded", s->name);
		news_loaded(s, true);
		resolve(p, 0, "");
		return;
	}
	if (p->script && p->script->is_over) /* program_fail told of it; the new code is next */
		return;
	log_error("script %s: not reloaded, the old code goes on: %s", p->options.name, r->why);
	if (p->script)
		news_error(p->script, "reload", r->why);
	resolve(p, ERR_INVALID, r->why);
}

static void begin_again(struct program *p)
{
	if (!p->wants_reload || (p->script && p->script->is_over))
		return;
	take_wish(p);
	begin(p);
}

static void settle_reload(struct program *p)
{
	struct reload *r = p->reload;
	if (r->candidate)
		note_files(p, r->candidate, r->is_refused);
	struct script *s = reload_settle(r);
	tell_of_reload(p, r, s);
	reload_fini(r);
	free(r);
	p->reload = NULL;
	begin_again(p);
}

void program_settle(struct script *s)
{
	switch (s->stage) {
	case SCRIPT_CANDIDATE:
		settle_reload(s->program);
		return;
	case SCRIPT_RETIRED:
		retire_settle(s);
		return;
	case SCRIPT_CURRENT:
		if (s->is_over)
			settle_failed(s->program);
		else
			begin_again(s->program);
		return;
	}
}

static void begin(struct program *p)
{
	struct host *h = p->host;
	if (!p->script) {
		forgive(p);
		start(p);
		return;
	}
	bool is_ours = enter(h);
	p->reload = mem_new(sizeof(*p->reload));
	reload_begin(p->reload, p, &p->options);
	if (!p->reload->candidate)
		settle_reload(p);
	leave(h, is_ours);
}

void program_refuse_reload(struct program *p, const char *why)
{
	if (p->reload)
		reload_refuse(p->reload, why);
}

/* Something is under way that has to end first. */
static bool is_busy(const struct program *p)
{
	const struct script *s = p->script;
	return p->reload || (s && (s->is_over || (s->is_loading && !p->restoring.script)));
}

void program_reload(
	struct program *p, const struct script_options *options, struct program_asker *asker)
{
	host_settle_all(p->host);
	if (options)
		take_options(&p->options, options);
	if (asker)
		list_append(is_busy(p) ? &p->next_askers : &p->askers, &asker->node);
	if (is_busy(p)) {
		p->wants_reload = true;
		return;
	}
	if (p->restoring.script)
		drop_script(p);
	begin(p);
}

/* What is not loaded any more: a first load is under way, or the script failed. */
static void give_up(struct program *p)
{
	timers_cancel(timers_of(p), &p->restart);
	if (p->restoring.script || (p->script && p->script->is_over))
		drop_script(p);
	saving_fini(&p->saving);
	list_splice(&p->askers, &p->next_askers);
	resolve(p, ERR_INVALID, "it is unloaded");
}

static void retire_present(struct program *p, const char *reason)
{
	struct script *s = p->script;
	p->script = NULL;
	log_info("script %s: unloaded", s->name);
	news_unloaded(s, reason);
	retire_begin(s, reason, 0, NULL);
}

void program_unload(struct program *p, const char *reason)
{
	struct host *h = p->host;
	p->wants_reload = false;
	program_refuse_reload(p, "it is unloaded");
	host_settle_all(h);
	give_up(p);
	p->is_unloaded = true;
	host_enter(h);
	retire_hurry(&p->retired);
	if (p->script)
		retire_present(p, reason);
	host_leave(h);
}

void program_remove(struct program *p)
{
	program_unload(p, "unload");
	p->is_leaving = true;
	program_dropped(p);
}

void program_dropped(struct program *p)
{
	if (p->is_leaving && !p->script && list_is_empty(&p->retired))
		program_free(p);
}

/* Facts. */

struct program *program_find(const struct host *h, struct str name)
{
	list_each (node, &h->programs) {
		struct program *p = container_of(node, struct program, node);
		if (!p->is_leaving && str_eq(name, str_of(p->options.name)))
			return p;
	}
	return NULL;
}

size_t program_count_running(const struct host *h)
{
	size_t n = 0;
	list_each (node, &h->programs)
		n += container_of(node, struct program, node)->script != NULL;
	return n;
}

void program_to_end(struct program *p)
{
	list_remove(&p->node);
	list_append(&p->host->programs, &p->node);
	if (p->script)
		program_place(p);
}

const char *program_state(const struct program *p)
{
	if (p->reload)
		return "reloading";
	if (p->script && !p->script->is_over)
		return p->script->is_loading ? "loading" : "running";
	if (p->script || timer_is_set(&p->restart))
		return "restarting";
	return p->is_unloaded ? "unloaded" : p->is_disabled ? "disabled" : "failed";
}

/* Beginning and end. */

struct program *program_new(struct host *h, const struct script_options *options)
{
	struct program *p = mem_new(sizeof(*p));
	p->host = h;
	p->restart.fire = on_restart;
	p->step.fire = on_step;
	p->tell.fire = on_tell;
	list_init(&p->retired);
	list_init(&p->askers);
	list_init(&p->next_askers);
	list_init(&p->told);
	forgive(p);
	script_options_copy(&p->options, options);
	list_append(&h->programs, &p->node);
	return p;
}

int program_start(struct program *p)
{
	start(p);
	return p->script ? 0 : ERR_INVALID;
}

int program_load(struct host *h, const struct script_options *options)
{
	struct program *p = program_new(h, options);
	int r = program_start(p);
	if (r < 0)
		program_free(p);
	return r;
}

static void end_askers(struct program *p)
{
	list_splice(&p->askers, &p->next_askers);
	resolve(p, ERR_INVALID, "the script is removed");
	on_tell(&p->tell);
}

void program_free(struct program *p)
{
	end_askers(p);
	timers_cancel(timers_of(p), &p->restart);
	timers_cancel(timers_of(p), &p->step);
	timers_cancel(timers_of(p), &p->tell);
	list_remove(&p->node);
	saving_fini(&p->saving);
	if (p->reload)
		reload_fini(p->reload);
	free(p->reload);
	script_free(p->script);
	retire_drop_all(&p->retired);
	script_options_fini(&p->options);
	follow_fini(&p->files);
	free(p);
}
