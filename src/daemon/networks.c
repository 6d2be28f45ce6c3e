#include "daemon/networks.h"

#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* One context for all networks with the same tls_ca, tls_cert and tls_key. */
struct shared_context {
	char *ca, *cert, *key; /* owned; NULL as in struct tls_files */
	struct tls_context *context;
};

struct member {
	struct list node;
	struct networks *owner;
	struct network *network;
	struct config_network *config; /* owned; borrowed by network */
	bool is_leaving;
};

static struct member *member_of(struct list *node)
{
	return container_of(node, struct member, node);
}

/* TLS contexts. */

static struct tls_context *find_context(
	const struct networks_plan *plan, const struct config_network *config)
{
	for (size_t i = 0; config->tls && i < plan->n_contexts; i++) {
		const struct shared_context *c = &plan->contexts[i];
		if (str_same(c->ca, config->tls_ca) && str_same(c->cert, config->tls_cert) &&
			str_same(c->key, config->tls_key))
			return c->context;
	}
	return NULL;
}

static int add_context(
	struct networks_plan *plan, const struct config_network *config, struct err *err)
{
	const struct tls_files files = {config->tls_ca, config->tls_cert, config->tls_key};
	struct shared_context made = {0};
	struct err why;
	if (!config->tls || find_context(plan, config))
		return 0;
	int r = tls_context_new(&files, &made.context, &why);
	if (r < 0)
		return err_set(err, r, "%s: %s", config->name, why.text);
	made.ca = mem_strdup(files.ca);
	made.cert = mem_strdup(files.cert);
	made.key = mem_strdup(files.key);
	plan->contexts = mem_resize(plan->contexts, plan->n_contexts + 1, sizeof(made));
	plan->contexts[plan->n_contexts++] = made;
	return 0;
}

int networks_prepare(struct networks_plan *plan, const struct config *config, struct err *err)
{
	int r = 0;
	*plan = (struct networks_plan){0};
	for (size_t i = 0; i < config->n_networks && r == 0; i++)
		r = add_context(plan, config->networks[i], err);
	if (r < 0)
		networks_plan_fini(plan);
	return r;
}

void networks_plan_fini(struct networks_plan *plan)
{
	for (size_t i = 0; i < plan->n_contexts; i++) {
		free(plan->contexts[i].ca);
		free(plan->contexts[i].cert);
		free(plan->contexts[i].key);
		tls_context_free(plan->contexts[i].context);
	}
	free(plan->contexts);
	*plan = (struct networks_plan){0};
}

/* Members. */

static void warn_of_trust(const struct config_network *c)
{
	if (!c->tls)
		log_warn("%s: tls = no: everything is sent in the clear", c->name);
	else if (!c->tls_verify && c->tls_fingerprint.n == 0)
		log_warn("%s: tls_verify = no: anybody can pose as this server", c->name);
}

static void tell_of_new(const struct networks *ns, const struct config_network *config)
{
	if (ns->is_connecting)
		log_info("%s: added", config->name);
	warn_of_trust(config);
}

/* Takes config. */
static struct member *add(struct networks *ns, struct config_network *config)
{
	struct member *m = mem_new(sizeof(*m));
	tell_of_new(ns, config);
	m->owner = ns;
	m->config = config;
	m->network = network_new(&ns->parts, config, find_context(&ns->present, config));
	list_init(&m->node);
	map_put(&ns->by_name, str_of(config->name), m);
	if (ns->is_connecting && config->autoconnect)
		network_connect(m->network);
	return m;
}

/* Takes config. */
static void change(struct member *m, struct config_network *config)
{
	struct config_network *old = m->config;
	bool is_back = m->is_leaving;
	m->is_leaving = false;
	m->config = config;
	if (is_back)
		tell_of_new(m->owner, config);
	enum config_change change =
		network_configure(m->network, config, find_context(&m->owner->present, config));
	if (change == CONFIG_CHANGED_CONNECTION && !is_back)
		warn_of_trust(config);
	config_network_free(old);
}

static void drop(struct member *m)
{
	map_remove(&m->owner->by_name, str_of(m->config->name));
	list_remove(&m->node);
	network_free(m->network);
	config_network_free(m->config);
	free(m);
}

static void on_gone(void *data)
{
	drop(data);
}

static void leave(struct member *m)
{
	log_info("%s: removed", m->config->name);
	m->is_leaving = true;
	list_remove(&m->node);
	list_append(&m->owner->leaving, &m->node);
	network_remove(m->network, on_gone, m);
}

static void place(const struct list *members)
{
	list_each (node, members)
		network_place_last(member_of(node)->network);
}

void networks_apply(struct networks *ns, struct networks_plan *plan, struct config *config)
{
	struct networks_plan past = ns->present;
	struct list before;
	ns->present = *plan;
	*plan = (struct networks_plan){0};
	list_init(&before);
	list_splice(&before, &ns->members);
	for (size_t i = 0; i < config->n_networks; i++) {
		struct config_network *c = config->networks[i];
		struct member *m = map_get(&ns->by_name, str_of(c->name));
		config->networks[i] = NULL;
		if (m)
			change(m, c);
		else
			m = add(ns, c);
		list_remove(&m->node);
		list_append(&ns->members, &m->node);
	}
	list_each_safe (node, &before)
		leave(member_of(node));
	place(&ns->members);
	place(&ns->leaving);
	networks_plan_fini(&past);
	if (ns->parts.policies)
		policies_refresh(ns->parts.policies);
}

void networks_init(struct networks *ns, const struct network_parts *parts)
{
	*ns = (struct networks){.parts = *parts};
	list_init(&ns->members);
	list_init(&ns->leaving);
}

void networks_fini(struct networks *ns)
{
	list_splice(&ns->members, &ns->leaving);
	list_each_safe (node, &ns->members)
		drop(member_of(node));
	map_fini(&ns->by_name);
	networks_plan_fini(&ns->present);
}

void networks_connect(struct networks *ns)
{
	ns->is_connecting = true;
	list_each (node, &ns->members)
		if (member_of(node)->config->autoconnect)
			network_connect(member_of(node)->network);
}

void networks_disconnect_all(struct networks *ns, struct str message)
{
	list_each (node, &ns->members)
		network_disconnect(member_of(node)->network, message);
}

bool networks_all_idle(const struct networks *ns)
{
	list_each (node, &ns->members)
		if (!network_is_idle(member_of(node)->network))
			return false;
	return list_is_empty(&ns->leaving);
}
