#include "script/program.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "script/chunk.h"
#include "script/host.h"
#include "script/load.h"
#include "script/news.h"
#include "script/reload.h"
#include "script/retire.h"
#include "script/task.h"

#include <stdlib.h>
#include <string.h>

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

static void forget_files(struct program_file *files, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(files[i].path);
	free(files);
}

static void add_file(struct program *p, const char *path, uint64_t hash)
{
	p->files = mem_resize(p->files, p->n_files + 1, sizeof(*p->files));
	p->files[p->n_files++] = (struct program_file){mem_strdup(path), hash};
}

static bool is_followed(const struct program *p, const char *path, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(p->files[i].path, path) == 0)
			return true;
	return false;
}

/* Those that an attempt looked for; where it failed, it may not have come to all that are used. */
static void note_files(struct program *p, const struct script *s, bool has_failed)
{
	struct program_file *old = p->files;
	size_t n_old = p->n_files, n_new;
	p->files = NULL;
	p->n_files = 0;
	for (const struct map_entry *e = map_first(&s->require.followed); e; e = map_next(e))
		add_file(p, map_key(e).p, ((const struct followed *)map_value(e))->hash);
	n_new = p->n_files;
	for (size_t i = 0; i < n_old && has_failed; i++)
		if (!is_followed(p, old[i].path, n_new))
			add_file(p, old[i].path, chunk_hash_file(old[i].path));
	forget_files(old, n_old);
	if (p->host->options.followed)
		p->host->options.followed(p->host->options.data);
}

bool program_has_changed(const struct program *p)
{
	for (size_t i = 0; i < p->n_files; i++)
		if (chunk_hash_file(p->files[i].path) != p->files[i].hash)
			return true;
	return false;
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

/* What the reload was to bring comes by the restart instead. */
static void turn_to_restart(struct program *p)
{
	const struct reload *r = p->reload;
	if (!p->wants_reload && r->candidate)
		take_options(&p->wanted, &r->candidate->options);
	p->wants_reload = true;
	list_splice_front(&p->next_askers, &p->askers);
	reload_refuse(p->reload, "the old code ended");
}

/* There is none of it, and why. */
static void fail_to_load(struct script *s, const char *why)
{
	struct program *p = s->program;
	log_error("script %s: not loaded: %s", s->name, why);
	news_error(s, "load", why);
	note_files(p, s, true);
	if (p->reload)
		turn_to_restart(p);
	else
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

/* After a script has failed that ran, or was started anew because of that. */
static void come_back(struct program *p, bool has_run)
{
	if (p->wants_reload) {
		p->wants_reload = false;
		take_options(&p->options, &p->wanted);
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

static void begin(struct program *p, const struct script_options *options);

static void tell_of_reload(struct program *p, const struct reload *r, struct script *s)
{
	if (s) {
		take_options(&p->options, &s->options);
		s->has_loaded = true;
		count_generation(p);
		log_info("script %s: reloaded", s->name);
		news_loaded(s, true);
		resolve(p, 0, "");
		return;
	}
	log_error("script %s: not reloaded, the old code goes on: %s", p->options.name, r->why);
	if (p->script)
		news_error(p->script, "reload", r->why);
	resolve(p, ERR_INVALID, r->why);
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
	bool is_over = p->script && p->script->is_over;
	if (p->wants_reload && !is_over) {
		p->wants_reload = false;
		begin(p, &p->wanted);
	}
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
		settle_failed(s->program);
		return;
	}
}

static void begin(struct program *p, const struct script_options *options)
{
	struct host *h = p->host;
	if (!p->script) {
		take_options(&p->options, options);
		forgive(p);
		start(p);
		return;
	}
	bool is_ours = enter(h);
	p->reload = mem_new(sizeof(*p->reload));
	reload_begin(p->reload, p, options);
	if (!p->reload->candidate)
		settle_reload(p);
	leave(h, is_ours);
}

void program_refuse_reload(struct program *p, const char *why)
{
	if (p->reload)
		reload_refuse(p->reload, why);
}

void program_reload(
	struct program *p, const struct script_options *options, struct program_asker *asker)
{
	host_settle_all(p->host);
	bool is_busy = p->reload || (p->script && p->script->is_over);
	if (asker)
		list_append(p->reload ? &p->next_askers : &p->askers, &asker->node);
	if (is_busy) {
		take_options(&p->wanted, options           ? options
					 : p->wants_reload ? &p->wanted
							   : &p->options);
		p->wants_reload = true;
		return;
	}
	if (p->restoring.script)
		drop_script(p);
	begin(p, options ? options : &p->options);
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
	timers_cancel(timers_of(p), &p->restart);
	if (p->restoring.script)
		drop_script(p);
	saving_fini(&p->saving);
	p->is_unloaded = true;
	if (p->script && p->script->is_over)
		drop_script(p);
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
	script_options_fini(&p->wanted);
	forget_files(p->files, p->n_files);
	free(p);
}
