#include "daemon/command.h"

#include "base/log.h"
#include "base/mem.h"
#include "script/eval.h"
#include "script/net.h"

#include <stdlib.h>
#include <unistd.h>

/* To a millisecond; null where there is none. */
static json_t *seconds_of(int64_t ns)
{
	int64_t ms = ns / NS_PER_MS;
	return ns < 0 ? json_null() : json_real((double)ms / 1000);
}

static json_t *describe_network(const struct net *n)
{
	struct net_facts facts = net_facts(n);
	json_t *network = json_object();
	json_object_set_new(network, "name", wire_text(str_of(n->name)));
	json_object_set_new(network, "state", wire_text(str_of(facts.state)));
	json_object_set_new(network, "nick", wire_text(str_of(facts.nick)));
	json_object_set_new(network, "host", wire_text(str_of(facts.host)));
	json_object_set_new(network, "port", json_integer(facts.port));
	json_object_set_new(network, "lag", seconds_of(facts.lag_ns));
	json_object_set_new(network, "dial_in", seconds_of(facts.dial_in_ns));
	return network;
}

static json_t *describe_networks(const struct host *h)
{
	json_t *networks = json_array();
	list_each (node, &h->nets)
		json_array_append_new(
			networks, describe_network(container_of(node, struct net, node)));
	return networks;
}

static void run_status(void *data, struct control_caller caller, const struct wire_request *request)
{
	(void)request;
	const struct command_parts *parts = data;
	const struct core *core = parts->core;
	int64_t uptime_ns = core->loop->timers.now_ns - parts->start_ns;
	json_t *status = json_object();
	json_object_set_new(status, "version", json_string(EBB_VERSION));
	json_object_set_new(status, "pid", json_integer(getpid()));
	json_object_set_new(status, "uptime", json_integer(uptime_ns / NS_PER_S));
	json_object_set_new(
		status, "scripts", json_integer((json_int_t)program_count_running(&core->host)));
	json_object_set_new(status, "networks", describe_networks(&core->host));
	control_reply(caller, status);
}

/* The queues. A line is told of by its command and what that names: the rest may be a secret, and
 * so may a lone parameter that is no channel. */

struct listing {
	const struct net *net;
	json_t *lines;
};

static json_t *seconds(int64_t ns)
{
	int64_t ms = ns / NS_PER_MS;
	return ns < 0 ? json_null() : json_real((double)ms / 1000);
}

static json_t *target_of(const struct net *n, const struct message *m)
{
	struct str target = message_param(m, 0);
	const char *end = target.p + target.n;
	bool is_open = target.p && (size_t)(end - m->raw.p) <= log_wire_open(m->raw);
	bool is_named = m->n_params > 1 || isupport_is_channel(n->ops->isupport(n->data), target);
	return is_open && is_named ? wire_text(target) : json_null();
}

static void list_line(void *data, const struct sendq_wait *w)
{
	static const char *const lanes[] = {"first", "urgent", "normal"};
	const struct listing *l = data;
	struct message m;
	json_t *o = json_object();
	bool is_message = message_parse(&m, w->line) == 0;
	json_object_set_new(o, "network", wire_text(str_of(l->net->name)));
	json_object_set_new(o, "command", is_message ? wire_text(m.command) : json_null());
	json_object_set_new(o, "target", is_message ? target_of(l->net, &m) : json_null());
	json_object_set_new(o, "lane", json_string(lanes[w->lane]));
	json_object_set_new(o, "why", json_string(sendq_why_name(w->why)));
	json_object_set_new(o, "waited", seconds(w->waited_ns));
	json_array_append_new(l->lines, o);
}

static void run_queue(void *data, struct control_caller caller, const struct wire_request *request)
{
	(void)request;
	const struct command_parts *parts = data;
	json_t *lines = json_array();
	list_each (node, &parts->core->host.nets) {
		const struct net *n = container_of(node, struct net, node);
		struct listing l = {n, lines};
		n->ops->waiting(n->data, list_line, &l);
	}
	control_reply(caller, lines);
}

/* Scripts. */

static void put_numbers(json_t *o, const struct script *s)
{
	json_object_set_new(o, "tasks", json_integer((json_int_t)s->n_tasks));
	json_object_set_new(o, "alarms", json_integer((json_int_t)s->n_alarms));
	json_object_set_new(o, "listeners", json_integer((json_int_t)s->n_listeners));
	json_object_set_new(o, "memory", json_integer((json_int_t)s->vm.arena.used_bytes));
	json_object_set_new(o, "memory_max", json_integer((json_int_t)s->vm.arena.max_bytes));
}

static json_int_t count_retired(const struct program *p)
{
	json_int_t n = 0;
	list_each (node, &p->retired)
		n++;
	return n;
}

/* Without the traceback, for a table. */
static json_t *describe_fault(const struct err *fault)
{
	struct str rest = str_of(fault->text);
	return fault->code ? wire_text(str_cut(&rest, '\n')) : json_null();
}

static json_t *describe_program(const struct program *p, int64_t now_ns)
{
	static const struct script none;
	json_t *o = json_object();
	json_object_set_new(o, "name", wire_text(str_of(p->options.name)));
	json_object_set_new(o, "state", json_string(program_state(p)));
	json_object_set_new(o, "generation", json_integer(p->n_generations));
	json_object_set_new(o, "age",
		p->script && p->script->has_loaded
			? json_integer((now_ns - p->loaded_ns) / NS_PER_S)
			: json_null());
	put_numbers(o, p->script ? p->script : &none);
	json_object_set_new(o, "retired", json_integer(count_retired(p)));
	json_object_set_new(o, "file", wire_text(str_of(p->options.path)));
	json_object_set_new(o, "fault", describe_fault(&p->fault));
	return o;
}

static void run_scripts(
	void *data, struct control_caller caller, const struct wire_request *request)
{
	(void)request;
	const struct command_parts *parts = data;
	const struct core *core = parts->core;
	json_t *scripts = json_array();
	list_each (node, &core->host.programs) {
		const struct program *p = container_of(node, struct program, node);
		if (!p->is_leaving)
			json_array_append_new(
				scripts, describe_program(p, core->loop->timers.now_ns));
	}
	control_reply(caller, scripts);
}

static struct program *find_program(
	const struct command_parts *parts, struct control_caller caller, const char *name)
{
	struct err why;
	struct program *p = program_find(&parts->core->host, str_of(name));
	if (p)
		return p;
	err_set(&why, ERR_INVALID, "%s: there is no such script", name);
	control_fail(caller, &why);
	return NULL;
}

/* Whether nothing is to begin any more, which the caller is told. */
static bool is_ending(const struct command_parts *parts, struct control_caller caller)
{
	struct err why;
	if (!parts->core->host.is_stopping)
		return false;
	err_set(&why, ERR_REQUESTED, "ebbd is ending");
	control_fail(caller, &why);
	return true;
}

/* Who asked for a script to be loaded. */
struct loading {
	struct control_caller caller;
	struct program_asker asker;
	char *name;
};

static void on_loaded(struct program_asker *asker, const struct err *why)
{
	struct loading *l = container_of(asker, struct loading, asker);
	struct err named;
	if (why) {
		err_set(&named, why->code, "%s: %s", l->name, why->text);
		control_fail(l->caller, &named);
	} else {
		control_reply(l->caller, NULL);
	}
	free(l->name);
	free(l);
}

static struct program_asker *ask_for(struct control_caller caller, const char *name)
{
	struct loading *l = mem_new(sizeof(*l));
	l->caller = caller;
	l->name = mem_strdup(name);
	l->asker.told = on_loaded;
	return &l->asker;
}

/* Who asked for the configuration and all scripts. */
struct rehashing {
	struct control_caller caller;
	struct rehash_asker asker;
};

static json_t *describe_outcomes(const struct list *outcomes)
{
	json_t *scripts = json_array(), *result = json_object();
	list_each (node, outcomes) {
		const struct programs_outcome *o =
			container_of(node, struct programs_outcome, node);
		json_t *script = json_object();
		json_object_set_new(script, "name", wire_text(str_of(o->name)));
		json_object_set_new(script, "outcome", json_string(o->what));
		json_array_append_new(scripts, script);
	}
	json_object_set_new(result, "scripts", scripts);
	return result;
}

static void on_rehashed(
	struct rehash_asker *asker, const struct err *why, const struct list *outcomes)
{
	struct rehashing *r = container_of(asker, struct rehashing, asker);
	if (why)
		control_fail(r->caller, why);
	else
		control_reply(r->caller, describe_outcomes(outcomes));
	free(r);
}

static void reload_all(const struct command_parts *parts, struct control_caller caller)
{
	struct rehashing *r = mem_new(sizeof(*r));
	r->caller = caller;
	r->asker.told = on_rehashed;
	rehash_ask(parts->rehash, &r->asker);
}

static void run_reload(void *data, struct control_caller caller, const struct wire_request *request)
{
	const struct command_parts *parts = data;
	const char *name = wire_argument(request, "name");
	if (is_ending(parts, caller))
		return;
	if (!name) {
		reload_all(parts, caller);
		return;
	}
	struct program *p = find_program(parts, caller, name);
	if (p)
		program_reload(p, NULL, ask_for(caller, name));
}

static void run_load(void *data, struct control_caller caller, const struct wire_request *request)
{
	const struct command_parts *parts = data;
	const char *name = wire_argument(request, "name");
	struct err why;
	if (is_ending(parts, caller))
		return;
	struct program_asker *asker = ask_for(caller, name);
	if (!programs_load(parts->programs, *parts->config, name, asker, &why)) {
		free(container_of(asker, struct loading, asker)->name);
		free(container_of(asker, struct loading, asker));
		control_fail(caller, &why);
	}
}

static void run_unload(void *data, struct control_caller caller, const struct wire_request *request)
{
	const struct command_parts *parts = data;
	struct program *p = find_program(parts, caller, wire_argument(request, "name"));
	if (!p)
		return;
	if (p->is_by_hand)
		program_remove(p);
	else
		program_unload(p, "unload");
	control_reply(caller, NULL);
}

/* Who had Lua run. */
struct evaluating {
	struct control_caller caller;
	struct eval_asker asker;
	struct timers *timers;
	struct timer look; /* whether somebody still waits */
};

static void on_evaluated(struct eval_asker *asker, struct str text, const struct err *why)
{
	struct evaluating *e = container_of(asker, struct evaluating, asker);
	if (why)
		control_fail(e->caller, why);
	else
		control_reply(e->caller, wire_text(text.p ? text : STR("")));
	timers_cancel(e->timers, &e->look);
	free(e);
}

static void on_look(struct timer *timer)
{
	struct evaluating *e = container_of(timer, struct evaluating, look);
	if (control_waits(e->caller)) {
		timers_after(e->timers, timer, NS_PER_S);
		return;
	}
	eval_forget(&e->asker);
	free(e);
}

static void run_eval(void *data, struct control_caller caller, const struct wire_request *request)
{
	const struct command_parts *parts = data;
	struct program *p = find_program(parts, caller, wire_argument(request, "script"));
	struct err why;
	if (!p)
		return;
	struct evaluating *e = mem_new(sizeof(*e));
	e->caller = caller;
	e->asker.told = on_evaluated;
	e->timers = &parts->core->loop->timers;
	e->look.fire = on_look;
	if (eval_start(p, str_of(wire_argument(request, "lua")), &e->asker, &why) < 0) {
		control_fail(caller, &why);
		free(e);
		return;
	}
	timers_after(e->timers, &e->look, NS_PER_S);
}

static void run_shutdown(
	void *data, struct control_caller caller, const struct wire_request *request)
{
	(void)request;
	const struct command_parts *parts = data;
	control_reply(caller, NULL);
	parts->shut_down(parts->data);
}

const struct control_command command_table[] = {
	{"status",   run_status  },
	{"queue",    run_queue   },
	{"scripts",  run_scripts },
	{"reload",   run_reload  },
	{"load",     run_load    },
	{"unload",   run_unload  },
	{"eval",     run_eval    },
	{"shutdown", run_shutdown},
	{NULL,       NULL        },
};
