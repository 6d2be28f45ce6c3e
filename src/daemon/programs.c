#include "daemon/programs.h"

#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* The policy that is loaded without being asked for. */
static const char reconnect[] = "reconnect";

static struct host *host_of(const struct programs *ps)
{
	return &ps->core->host;
}

static struct timers *timers_of(const struct programs *ps)
{
	return &ps->core->loop->timers;
}

/* What a configuration wants. */

typedef void take_wanted(void *data, const struct script_options *options);

static void take_section(
	const struct programs *ps, const struct config_script *c, take_wanted *take, void *data)
{
	const char *(*pairs)[2] = mem_resize(NULL, c->n_pairs + 1, sizeof(*pairs));
	for (size_t i = 0; i < c->n_pairs; i++) {
		pairs[i][0] = c->pairs[i].key;
		pairs[i][1] = c->pairs[i].value;
	}
	struct script_options options = {.name = c->name,
		.path = c->path,
		.source = c->source,
		.networks = c->networks.n ? (const char *const *)c->networks.names : NULL,
		.n_networks = c->networks.n,
		.pairs = (const char *const(*)[2])pairs,
		.n_pairs = c->n_pairs,
		.limits = core_limits(c),
		.lib_folders = (const char *const *)ps->libs.items,
		.n_lib_folders = ps->libs.n};
	take(data, &options);
	free(pairs);
}

/* A script without a section, if it is on script_path. */
static bool take_found(const struct programs *ps, const struct config *config, const char *name,
	take_wanted *take, void *data)
{
	char *path = config_find_script(config, str_of(name), NULL);
	struct script_options options = {.name = name,
		.path = path,
		.lib_folders = (const char *const *)ps->libs.items,
		.n_lib_folders = ps->libs.n};
	if (path)
		take(data, &options);
	free(path);
	return path != NULL;
}

/* In their order. */
static void take_all(
	const struct programs *ps, const struct config *config, take_wanted *take, void *data)
{
	bool has_section = config_script(config, str_of(reconnect)) != NULL;
	if (!has_section && !take_found(ps, config, reconnect, take, data))
		log_warn("script %s: not on script_path: lost connections stay lost", reconnect);
	for (size_t i = 0; i < config->n_scripts; i++)
		if (config->scripts[i]->enabled)
			take_section(ps, config->scripts[i], take, data);
}

static void find_libs(struct programs *ps, const struct config *config)
{
	script_paths_fini(&ps->libs);
	ps->libs = (struct script_paths){0};
	for (size_t i = 0; i < config->daemon.script_path.n; i++)
		script_paths_add(&ps->libs, config->daemon.script_path.names[i], "/lib");
}

/* The beginning. */

struct starting {
	struct host *host;
	int n_failed;
};

static void start(void *data, const struct script_options *options)
{
	struct starting *s = data;
	s->n_failed += program_start(program_new(s->host, options)) < 0;
}

int programs_start(struct programs *ps, const struct config *config)
{
	struct starting s = {host_of(ps), 0};
	find_libs(ps, config);
	take_all(ps, config, start, &s);
	return s.n_failed;
}

bool programs_are_loading(const struct programs *ps)
{
	bool are = false;
	list_each (node, &host_of(ps)->programs) {
		const struct script *s = container_of(node, struct program, node)->script;
		are = are || (s && s->is_loading);
	}
	return are;
}

void programs_stop(struct programs *ps)
{
	programs_watch(ps, false);
	host_settle_all(host_of(ps)); /* the loop frees no other program then */
	list_each_safe (node, &host_of(ps)->programs)
		program_unload(container_of(node, struct program, node), "shutdown");
	host_run(host_of(ps)); /* what they say first is sent before QUIT */
}

/* Another configuration. */

static void on_round_end(struct timer *timer)
{
	struct programs_round *r = container_of(timer, struct programs_round, end);
	r->done(r);
}

static void on_told(struct program_asker *asker, const struct err *why)
{
	struct programs_outcome *o = container_of(asker, struct programs_outcome, asker);
	o->what = why ? "refused" : o->is_new ? "loaded" : "reloaded";
	if (--o->round->n_waiting == 0)
		o->round->done(o->round);
}

static struct programs_outcome *add_outcome(struct programs_round *r, const char *name)
{
	struct programs_outcome *o = mem_new(sizeof(*o));
	o->round = r;
	o->name = mem_strdup(name);
	o->asker.told = on_told;
	list_init(&o->asker.node);
	list_append(&r->outcomes, &o->node);
	return o;
}

void programs_round_fini(struct programs *ps, struct programs_round *r)
{
	if (!r->done)
		return;
	timers_cancel(timers_of(ps), &r->end);
	list_each_safe (node, &r->outcomes) {
		struct programs_outcome *o = container_of(node, struct programs_outcome, node);
		program_forget_asker(&o->asker);
		list_remove(&o->node);
		free(o->name);
		free(o);
	}
	r->done = NULL;
}

struct applying {
	struct programs *programs;
	struct programs_round *round;
};

static bool is_to_reload(const struct program *p, const struct script_options *options)
{
	if (!script_options_equal(&p->options, options))
		return true;
	if (p->is_unloaded)
		return false;
	return !p->script || p->fault.code || follow_has_changed(&p->files);
}

static void apply(void *data, const struct script_options *options)
{
	const struct applying *a = data;
	struct program *p = program_find(host_of(a->programs), str_of(options->name));
	bool is_new = !p;
	if (is_new)
		p = program_new(host_of(a->programs), options);
	p->is_by_hand = false;
	program_to_end(p);
	if (!is_new && !is_to_reload(p, options))
		return;
	struct programs_outcome *o = add_outcome(a->round, options->name);
	o->is_new = !p->script;
	a->round->n_waiting++;
	program_reload(p, options, &o->asker);
}

static bool is_wanted(const struct config *config, const char *name)
{
	const struct config_script *c = config_script(config, str_of(name));
	return c ? c->enabled : strcmp(name, reconnect) == 0;
}

static void remove_unwanted(
	struct programs *ps, const struct config *config, struct programs_round *r)
{
	list_each_safe (node, &host_of(ps)->programs) {
		struct program *p = container_of(node, struct program, node);
		if (p->is_by_hand || p->is_leaving || is_wanted(config, p->options.name))
			continue;
		if (p->script)
			add_outcome(r, p->options.name)->what = "unloaded";
		program_remove(p);
	}
}

static void place_by_hand_last(struct host *h)
{
	struct list *last = h->programs.prev, *next;
	for (struct list *node = h->programs.next; node != &h->programs; node = next) {
		struct program *p = container_of(node, struct program, node);
		next = node == last ? &h->programs : node->next;
		if (p->is_by_hand)
			program_to_end(p);
	}
}

/* Scripts that go hear no more before others come: they may stand for the same thing. */
void programs_apply(struct programs *ps, const struct config *config, struct programs_round *r)
{
	struct applying a = {ps, r};
	list_init(&r->outcomes);
	r->n_waiting = 0;
	r->end.fire = on_round_end;
	find_libs(ps, config);
	host_settle_all(host_of(ps));
	remove_unwanted(ps, config, r);
	take_all(ps, config, apply, &a);
	place_by_hand_last(host_of(ps));
	if (r->n_waiting == 0)
		timers_after(timers_of(ps), &r->end, 0);
}

/* By hand. */

struct finding {
	struct host *host;
	struct program *program;
};

static void make_by_hand(void *data, const struct script_options *options)
{
	struct finding *f = data;
	f->program = program_new(f->host, options);
	f->program->is_by_hand = true;
}

static struct program *find_by_hand(
	struct programs *ps, const struct config *config, const char *name, struct err *err)
{
	struct finding f = {host_of(ps), NULL};
	const struct config_script *c = config_script(config, str_of(name));
	if (c && c->path)
		take_section(ps, c, make_by_hand, &f);
	else if (!take_found(ps, config, name, make_by_hand, &f))
		err_set(err, ERR_INVALID, "%s: there is no such script on script_path", name);
	return f.program;
}

struct program *programs_load(struct programs *ps, const struct config *config, const char *name,
	struct program_asker *asker, struct err *err)
{
	struct program *p = program_find(host_of(ps), str_of(name));
	if (!config_is_name(str_of(name))) {
		err_set(err, ERR_INVALID, "%s: is no name of a script", name);
		return NULL;
	}
	if (p && p->script) {
		err_set(err, ERR_INVALID, "%s: is loaded already", name);
		return NULL;
	}
	if (!p)
		p = find_by_hand(ps, config, name, err);
	if (p)
		program_reload(p, NULL, asker);
	return p;
}

/* Files. */

/* What it loads now is compared when it is done. */
static bool is_loading(const struct program *p)
{
	return p->reload || (p->script && p->script->is_loading);
}

static bool is_behind(const struct program *p)
{
	return !p->is_leaving && !p->is_unloaded && !is_loading(p) && follow_has_changed(&p->files);
}

static void look(void *data)
{
	const struct programs *ps = data;
	host_settle_all(host_of(ps));
	list_each_safe (node, &host_of(ps)->programs) {
		struct program *p = container_of(node, struct program, node);
		if (!is_behind(p))
			continue;
		log_info("script %s: its files have changed", p->options.name);
		program_reload(p, NULL, NULL);
	}
}

/* What happened to files before they were followed is seen here, and may still go on. */
static void note_changes(struct programs *ps)
{
	list_each (node, &host_of(ps)->programs) {
		if (is_behind(container_of(node, struct program, node))) {
			watch_note(&ps->watch);
			return;
		}
	}
}

static void follow(struct timer *timer)
{
	struct programs *ps = container_of(timer, struct programs, follow);
	const char **paths = NULL;
	size_t n = 0;
	list_each (node, &host_of(ps)->programs) {
		const struct program *p = container_of(node, struct program, node);
		paths = mem_resize(paths, n + p->files.n, sizeof(*paths));
		for (size_t i = 0; i < p->files.n; i++)
			paths[n++] = p->files.files[i].path;
	}
	watch_set(&ps->watch, paths, n);
	free(paths);
	note_changes(ps);
}

static void on_followed(void *data)
{
	struct programs *ps = data;
	if (ps->is_watching)
		timers_after(timers_of(ps), &ps->follow, 0);
}

void programs_watch(struct programs *ps, bool is_on)
{
	if (is_on == ps->is_watching)
		return;
	ps->is_watching = is_on;
	if (is_on)
		watch_init(&ps->watch, ps->core->loop, look, ps);
	else
		watch_fini(&ps->watch);
	timers_cancel(timers_of(ps), &ps->follow);
	on_followed(ps);
}

void programs_init(struct programs *ps, struct core *core)
{
	*ps = (struct programs){.core = core, .follow.fire = follow};
	core->followed = on_followed;
	core->followed_data = ps;
}

void programs_fini(struct programs *ps)
{
	programs_watch(ps, false);
	ps->core->followed = NULL;
	script_paths_fini(&ps->libs);
}
