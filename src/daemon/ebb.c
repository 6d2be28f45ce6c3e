#include "ebb.h"

#include "base/log.h"
#include "base/mem.h"
#include "daemon/engine.h"
#include "daemon/fieldtext.h"
#include "irc/schema.h"
#include "script/net.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
	ERRORS_MAX_BYTES = 64 * 1024,
	LINE_MAX_BYTES = 64 * 1024 + 8192, /* a text as long as may be, and the rest */
	PARAMS_MAX = 16
};

struct ebb {
	struct engine engine;
	struct err err;
	struct list handlers; /* struct ebb_handler */
	bool is_configured;   /* something was said of the configuration */
	bool is_started, is_to_stop, is_ended;
	bool is_leaving;      /* freed while one of our callbacks runs, or ebb_run */
	unsigned depth;       /* of callbacks that run */
	unsigned runs;        /* of ebb_run */
	struct ev_prepare go; /* never started: libev calls it when the callbacks have returned */
	struct job stop;      /* not while a script runs, which may have asked for it */
	void (*stopped)(struct ebb *e, void *data);
	void *stopped_data;
};

struct ebb_handler {
	struct list node;
	struct ebb *owner;
	struct tap tap;
	void (*run)(struct ebb *e, const struct ebb_event *event, void *data);
	void *data;
};

/* Birth and death. */

static void enter(struct ebb *e)
{
	e->depth++;
}

static void leave(struct ebb *e)
{
	e->depth--;
	if (e->is_leaving && e->depth == 0 && e->runs == 0)
		ev_feed_event(e->engine.loop.ev, &e->go, EV_CUSTOM);
}

static void drop(struct ebb *e)
{
	list_each_safe (node, &e->handlers)
		ebb_off(container_of(node, struct ebb_handler, node));
	ev_clear_pending(e->engine.loop.ev, &e->go);
	job_cancel(&e->stop);
	engine_fini(&e->engine);
	free(e);
}

static void on_go(struct ev_loop *ev, struct ev_prepare *go, int revents)
{
	(void)ev;
	(void)revents;
	drop(container_of(go, struct ebb, go));
}

static void on_stop(struct job *job)
{
	struct ebb *e = container_of(job, struct ebb, stop);
	enter(e);
	engine_stop(&e->engine);
	leave(e);
}

static void on_ended(void *data)
{
	struct ebb *e = data;
	e->is_ended = true;
	if (!e->stopped || e->is_leaving)
		return;
	enter(e);
	e->stopped(e, e->stopped_data);
	leave(e);
}

struct ebb *ebb_new(struct ev_loop *loop)
{
	struct ebb *e = mem_new(sizeof(*e));
	struct engine_events events = {NULL, on_ended, e};
	struct config *config;
	log_init();
	list_init(&e->handlers);
	ev_init(&e->go, on_go);
	job_init(&e->stop, on_stop);
	int r = config_new(NULL, 0, &config, NULL);
	assert(r == 0);
	(void)r;
	engine_init(&e->engine, loop, config, false, &events);
	return e;
}

void ebb_free(struct ebb *e)
{
	if (!e || e->is_leaving)
		return;
	e->is_leaving = e->depth || e->runs;
	if (!e->is_leaving)
		drop(e);
}

const char *ebb_error(const struct ebb *e)
{
	return e->err.text;
}

const char *ebb_error_kind(const struct ebb *e)
{
	return err_name(e->err.code);
}

/* The configuration. */

static int refuse(struct ebb *e, const char *why)
{
	return err_set(&e->err, ERR_INVALID, "%s", why);
}

/* Whether more may be said of it, as the first if is_first. */
static int check_may_configure(struct ebb *e, bool is_first)
{
	if (e->is_started || e->is_leaving)
		return refuse(e, "it has started: the configuration is complete");
	if (is_first && e->is_configured)
		return refuse(e, "this comes before what else is said of the configuration");
	return 0;
}

static void take_config(struct ebb *e, struct config *config)
{
	config_free(e->engine.config);
	e->engine.config = config;
	e->is_configured = true;
}

static int load(struct ebb *e, const char *path)
{
	struct config *config;
	struct buf errors;
	buf_init(&errors, ERRORS_MAX_BYTES);
	int r = config_load(path, &config, &errors);
	struct str rest = buf_str(&errors), first = str_cut(&rest, '\n');
	if (r < 0)
		err_set(&e->err, r, "%" STR_F, STR_A(first));
	else
		take_config(e, config);
	buf_fini(&errors);
	return r;
}

int ebb_load(struct ebb *e, const char *path)
{
	int r = check_may_configure(e, true);
	return r < 0 ? r : load(e, path);
}

/* As the configuration takes them; returns owned. It only reads them. */
static struct config_pair *pairs_of(const struct ebb_key *keys, size_t *n)
{
	struct config_pair *pairs = NULL;
	for (*n = 0; keys && keys[*n].name; ++*n) {
		const char *value = keys[*n].value ? keys[*n].value : "";
		pairs = mem_resize(pairs, *n + 1, sizeof(*pairs));
		pairs[*n] = (struct config_pair){
			(char *)(uintptr_t)keys[*n].name, (char *)(uintptr_t)value, 0};
	}
	return pairs;
}

int ebb_set(struct ebb *e, const struct ebb_key *keys)
{
	size_t n;
	struct config *config;
	int r = check_may_configure(e, true);
	if (r < 0)
		return r;
	struct config_pair *pairs = pairs_of(keys, &n);
	r = config_new(pairs, n, &config, &e->err);
	if (r == 0)
		take_config(e, config);
	free(pairs);
	return r;
}

int ebb_network(struct ebb *e, const char *name, const struct ebb_key *keys)
{
	size_t n;
	int r = check_may_configure(e, false);
	if (r < 0)
		return r;
	struct config_pair *pairs = pairs_of(keys, &n);
	r = config_add_network(e->engine.config, name, pairs, n, &e->err);
	e->is_configured = e->is_configured || r == 0;
	free(pairs);
	return r;
}

int ebb_script(struct ebb *e, const char *name, const struct ebb_key *keys, const char *source)
{
	size_t n;
	int r = check_may_configure(e, false);
	if (r < 0)
		return r;
	struct config_pair *pairs = pairs_of(keys, &n);
	r = config_add_script(e->engine.config, name, pairs, n, source, &e->err);
	e->is_configured = e->is_configured || r == 0;
	free(pairs);
	return r;
}

/* Running. */

/* A main chunk may trigger events. */
int ebb_start(struct ebb *e)
{
	if (e->is_started || e->is_leaving || e->is_to_stop)
		return refuse(e, "it has started, or was stopped, already");
	loop_update(&e->engine.loop);
	int r = engine_prepare(&e->engine, &e->err);
	if (r < 0)
		return r;
	e->is_started = true;
	enter(e);
	engine_start(&e->engine);
	leave(e);
	return 0;
}

void ebb_run(struct ebb *e)
{
	loop_update(&e->engine.loop);
	e->runs++;
	while (e->is_started && !e->is_ended && !e->is_leaving)
		ev_run(e->engine.loop.ev, EVRUN_ONCE);
	e->runs--;
	if (e->is_leaving && e->depth == 0 && e->runs == 0)
		drop(e);
}

void ebb_stop(struct ebb *e, void (*stopped)(struct ebb *e, void *data), void *data)
{
	if (e->is_to_stop)
		return;
	e->is_to_stop = true;
	e->stopped = stopped;
	e->stopped_data = data;
	loop_update(&e->engine.loop);
	loop_defer(&e->engine.loop, &e->stop);
}

/* Events. */

/* What a handler is given. */
struct told {
	struct ebb_event shown;
	const struct event *event;
	struct list texts; /* struct fieldtext: those that were asked for */
};

static void on_told(struct tap *tap, const struct event *event)
{
	const struct ebb_handler *handler = container_of(tap, struct ebb_handler, tap);
	struct ebb *e = handler->owner;
	struct told told = {.event = event};
	if (e->is_leaving)
		return;
	list_init(&told.texts);
	told.shown.name = event->name;
	told.shown.network = fieldtext_add(&told.texts, event, STR("network"), NULL);
	enter(e);
	handler->run(e, &told.shown, handler->data);
	leave(e);
	fieldtext_free_all(&told.texts);
}

const char *ebb_event_field(const struct ebb_event *event, const char *name, size_t *n)
{
	/* The list is the told's own, which the handler sees only as const. */
	struct told *told = (struct told *)(uintptr_t)container_of(event, struct told, shown);
	return fieldtext_add(&told->texts, told->event, str_of(name), n);
}

struct ebb_handler *ebb_on(struct ebb *e, const char *name,
	void (*run)(struct ebb *e, const struct ebb_event *event, void *data), void *data)
{
	struct ebb_handler *h = mem_new(sizeof(*h));
	*h = (struct ebb_handler){.owner = e, .tap.told = on_told, .run = run, .data = data};
	int r = tap_on(&h->tap, &e->engine.core.host, str_of(name));
	if (r < 0) {
		err_set(&e->err, r, "%s: no event can be called so", name);
		free(h);
		return NULL;
	}
	list_init(&h->node);
	list_append(&e->handlers, &h->node);
	return h;
}

void ebb_off(struct ebb_handler *handler)
{
	if (!handler)
		return;
	tap_off(&handler->tap, &handler->owner->engine.core.host);
	list_remove(&handler->node);
	free(handler);
}

/* Sending. */

static int send_to(struct ebb *e, const char *network, struct str line, bool is_raw)
{
	struct net *n = net_find(&e->engine.core.host, str_of(network));
	struct str rest;
	if (!network)
		return err_set(&e->err, ERR_INVALID, "no network is named");
	if (!n)
		return err_set(&e->err, ERR_INVALID, "%s: there is no such network", network);
	enter(e);
	int r = net_send(n, line, is_raw, &rest, &e->err);
	leave(e);
	return r;
}

/* A command on its way into a line; all borrowed. */
struct command {
	struct schema_arg args[PARAMS_MAX];
	struct str values[SCHEMA_LIST_MAX];
	size_t n_args, n_values;
};

/* False: there are too many. */
static bool add_param(struct command *c, const char *name, const char *text)
{
	struct str rest = str_of(text);
	if (c->n_args == PARAMS_MAX)
		return false;
	struct schema_arg *arg = &c->args[c->n_args++];
	*arg = (struct schema_arg){.name = str_of(name), .values = c->values + c->n_values};
	do {
		if (c->n_values == SCHEMA_LIST_MAX)
			return false;
		c->values[c->n_values++] = str_cut(&rest, '\n');
		arg->n_values++;
	} while (rest.p);
	arg->is_list = arg->n_values > 1;
	return true;
}

static int send_command(struct ebb *e, const char *network, const char *name, struct command *c)
{
	struct buf line;
	buf_init(&line, LINE_MAX_BYTES);
	int r = schema_build(&line, str_of(name), c->args, c->n_args, &e->err);
	if (r == 0)
		r = send_to(e, network, buf_str(&line), false);
	buf_fini(&line);
	return r;
}

int ebb_send(struct ebb *e, const char *network, const char *command, ...)
{
	struct command c = {.n_args = 0};
	bool fits = true;
	va_list ap;
	va_start(ap, command);
	for (const char *name; (name = va_arg(ap, const char *));) {
		const char *text = va_arg(ap, const char *);
		if (text)
			fits = fits && add_param(&c, name, text);
	}
	va_end(ap);
	if (!fits)
		return err_set(&e->err, ERR_INVALID, "%s: too many parameters", command);
	return send_command(e, network, command, &c);
}

int ebb_send_line(struct ebb *e, const char *network, const char *line)
{
	return send_to(e, network, str_of(line), true);
}

/* The log. */

static struct {
	void (*write)(enum ebb_level level, const char *text, size_t n, void *data);
	void *data;
} sink;

static void on_log(enum log_level level, struct str text, void *data)
{
	(void)data;
	sink.write((enum ebb_level)level, text.p, text.n, sink.data);
}

void ebb_log(enum ebb_level level,
	void (*write)(enum ebb_level level, const char *text, size_t n, void *data), void *data)
{
	sink.write = write;
	sink.data = data;
	log_set_level((enum log_level)level);
	log_set_sink(write ? on_log : NULL, NULL);
}
