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
	char *maker;                   /* owned: the script that made it; NULL: it is configured */
	bool is_leaving;
};

static struct member *member_of(struct list *node)
{
	return container_of(node, struct member, node);
}

/* TLS contexts. */

static bool is_for(const struct shared_context *c, const struct config_network *config)
{
	return config->tls && str_same(c->ca, config->tls_ca) &&
	       str_same(c->cert, config->tls_cert) && str_same(c->key, config->tls_key);
}

static struct shared_context *find_shared(
	const struct networks_plan *plan, const struct config_network *config)
{
	for (size_t i = 0; i < plan->n_contexts; i++)
		if (is_for(&plan->contexts[i], config))
			return &plan->contexts[i];
	return NULL;
}

static struct tls_context *find_context(
	const struct networks_plan *plan, const struct config_network *config)
{
	const struct shared_context *c = find_shared(plan, config);
	return c ? c->context : NULL;
}

static void add_shared(struct networks_plan *plan, const struct shared_context *c)
{
	plan->contexts = mem_resize(plan->contexts, plan->n_contexts + 1, sizeof(*c));
	plan->contexts[plan->n_contexts++] = *c;
}

static void free_shared(struct shared_context *c)
{
	free(c->ca);
	free(c->cert);
	free(c->key);
	tls_context_free(c->context);
}

/* Takes one out; the others move. */
static struct shared_context take_shared(struct networks_plan *plan, struct shared_context *c)
{
	struct shared_context taken = *c;
	*c = plan->contexts[--plan->n_contexts];
	return taken;
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
	add_shared(plan, &made);
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
	for (size_t i = 0; i < plan->n_contexts; i++)
		free_shared(&plan->contexts[i]);
	free(plan->contexts);
	*plan = (struct networks_plan){0};
}

/* Members. */

static void warn_of_trust(const struct networks *ns, const struct config_network *c)
{
	if (!c->tls && !ns->parts.route)
		log_warn("%s: tls = no: everything is sent in the clear", c->name);
	else if (c->tls && !c->tls_verify && c->tls_fingerprint.n == 0)
		log_warn("%s: tls_verify = no: anybody can pose as this server", c->name);
}

static void tell_of_new(const struct networks *ns, const struct config_network *config)
{
	if (ns->is_connecting)
		log_info("%s: added", config->name);
	warn_of_trust(ns, config);
}

/* Takes config. */
static struct member *member_new(struct networks *ns, struct config_network *config)
{
	struct member *m = mem_new(sizeof(*m));
	m->owner = ns;
	m->config = config;
	m->network = network_new(&ns->parts, config, find_context(&ns->present, config));
	list_init(&m->node);
	map_put(&ns->by_name, str_of(config->name), m);
	return m;
}

/* Takes config. */
static struct member *add(struct networks *ns, struct config_network *config)
{
	tell_of_new(ns, config);
	struct member *m = member_new(ns, config);
	if (ns->is_connecting && config->autoconnect)
		network_connect(m->network);
	return m;
}

static void forget_maker(struct member *m)
{
	if (!m->maker)
		return;
	m->owner->n_made--;
	free(m->maker);
	m->maker = NULL;
}

static void take_from_script(struct member *m)
{
	log_info("%s: made by script %s: is configured now", m->config->name, m->maker);
	network_made_by(m->network, NULL);
	forget_maker(m);
}

/* Takes config. */
static void change(struct member *m, struct config_network *config)
{
	struct config_network *old = m->config;
	bool is_back = m->is_leaving;
	if (m->maker)
		take_from_script(m);
	m->is_leaving = false;
	m->config = config;
	if (is_back)
		tell_of_new(m->owner, config);
	enum config_change change =
		network_configure(m->network, config, find_context(&m->owner->present, config));
	if (change == CONFIG_CHANGED_CONNECTION && !is_back)
		warn_of_trust(m->owner, config);
	config_network_free(old);
}

static void drop(struct member *m)
{
	map_remove(&m->owner->by_name, str_of(m->config->name));
	list_remove(&m->node);
	network_free(m->network);
	config_network_free(m->config);
	forget_maker(m);
	free(m);
}

static bool is_used(const struct networks *ns, const struct shared_context *c)
{
	const struct list *lists[] = {&ns->members, &ns->made};
	for (size_t i = 0; i < COUNTOF(lists); i++)
		list_each (node, lists[i])
			if (is_for(c, container_of(node, struct member, node)->config))
				return true;
	return false;
}

static void on_gone(void *data)
{
	struct member *m = data;
	struct networks *ns = m->owner;
	struct shared_context *c = find_shared(&ns->present, m->config);
	if (c && !is_used(ns, c)) {
		struct shared_context unused = take_shared(&ns->present, c);
		free_shared(&unused);
	}
	drop(m);
}

static void leave(struct member *m, struct str message)
{
	log_info("%s: removed", m->config->name);
	m->is_leaving = true;
	list_remove(&m->node);
	list_append(&m->owner->leaving, &m->node);
	network_remove(m->network, message, on_gone, m);
}

static void place(const struct list *members)
{
	list_each (node, members)
		network_place_last(member_of(node)->network);
}

/* What scripts made goes on as it is. */
static void keep_made(struct networks *ns, struct networks_plan *past)
{
	list_each (node, &ns->made) {
		const struct member *m = member_of(node);
		struct shared_context *had = find_shared(past, m->config);
		struct tls_context *anew = find_context(&ns->present, m->config);
		if (had && anew) {
			network_configure(m->network, m->config, anew);
		} else if (had) {
			struct shared_context kept = take_shared(past, had);
			add_shared(&ns->present, &kept);
		}
	}
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
		leave(member_of(node), STR("this network is no longer configured"));
	keep_made(ns, &past);
	place(&ns->members);
	place(&ns->made);
	place(&ns->leaving);
	networks_plan_fini(&past);
	if (ns->parts.policies)
		policies_refresh(ns->parts.policies);
}

/* For scripts. */

/* Pairs that are read only, as config_network_new takes them. */
static struct config_pair *copy_pairs(const struct net_wish *wish)
{
	struct config_pair *pairs = mem_new((wish->n_pairs + 1) * sizeof(*pairs));
	for (size_t i = 0; i < wish->n_pairs; i++) {
		pairs[i].key = (char *)(uintptr_t)wish->pairs[i][0];
		pairs[i].value = (char *)(uintptr_t)wish->pairs[i][1];
	}
	return pairs;
}

static int check_wish(const struct net_wish *wish, struct err *err)
{
	for (size_t i = 0; i < wish->n_pairs && !wish->reads_files; i++)
		if (config_names_file(str_of(wish->pairs[i][0])))
			return err_set(err, ERR_CONFIG,
				"%s: names a file, which needs trust = full in [script %s]",
				wish->pairs[i][0], wish->script);
	return 0;
}

/* Returns owned; NULL and why. */
static struct config_network *read_wish(const struct net_wish *wish, struct err *err)
{
	struct config_pair *pairs = copy_pairs(wish);
	struct config_network *config = NULL;
	bool ok = check_wish(wish, err) == 0 &&
		  config_network_new(wish->name, pairs, wish->n_pairs, &config, err) == 0;
	free(pairs);
	if (!ok || !config || config->autoconnect)
		return config;
	err_set(err, ERR_CONFIG, "autoconnect: does nothing here, for connect dials; leave it out");
	config_network_free(config);
	return NULL;
}

/* Whether what is there is what is wished for. */
static int compare(const struct member *m, const struct net_wish *wish,
	const struct config_network *config, struct err *err)
{
	struct buf keys;
	int r = 0;
	buf_init(&keys, sizeof(err->text));
	if (!m->maker)
		r = err_set(err, ERR_CONFIG, "name: %s is configured; use connect(\"%s\")",
			wish->name, wish->name);
	else if (m->is_leaving)
		r = err_set(err, ERR_CONFIG, "name: %s is being removed", wish->name);
	else if (strcmp(m->maker, wish->script) != 0)
		r = err_set(err, ERR_CONFIG, "name: script %s has made a %s already", m->maker,
			wish->name);
	else if (config_compare_networks(m->config, config, &m->config->host.hosts[0], &keys) !=
		 CONFIG_UNCHANGED)
		r = err_set(err, ERR_CONFIG,
			"name: %s is there already, and differs in %s; remove it first", wish->name,
			buf_str(&keys).p);
	buf_fini(&keys);
	return r;
}

static int make_room(struct networks *ns, const struct config_network *config, struct err *err)
{
	if (ns->n_made >= NETWORKS_MADE_MAX)
		return err_set(
			err, ERR_LIMIT, "scripts have made %d networks already", NETWORKS_MADE_MAX);
	return ns->parts.route ? 0 : add_context(&ns->present, config, err);
}

/* Takes config. */
static void add_made(struct networks *ns, const char *script, struct config_network *config)
{
	log_info("%s: made by script %s", config->name, script);
	warn_of_trust(ns, config);
	struct member *m = member_new(ns, config);
	m->maker = mem_strdup(script);
	network_made_by(m->network, script);
	list_append(&ns->made, &m->node);
	ns->n_made++;
}

static int make(void *data, const struct net_wish *wish, struct err *err)
{
	struct networks *ns = data;
	const struct member *m = map_get(&ns->by_name, str_of(wish->name));
	struct config_network *config = read_wish(wish, err);
	if (!config)
		return ERR_CONFIG;
	int r = m ? compare(m, wish, config, err) : make_room(ns, config, err);
	if (r == 0 && !m)
		add_made(ns, wish->script, config);
	else
		config_network_free(config);
	return r;
}

static int remove_made(void *data, const struct net *n, struct str message, struct err *err)
{
	const struct networks *ns = data;
	struct member *m = map_get(&ns->by_name, str_of(n->name));
	if (!m->maker)
		return err_set(err, ERR_INVALID,
			"%s is configured: take it out of the configuration", n->name);
	if (!m->is_leaving)
		leave(m, message);
	return 0;
}

void networks_init(struct networks *ns, const struct network_parts *parts)
{
	*ns = (struct networks){
		.parts = *parts, .maker = {make, remove_made, ns}
        };
	ns->parts.host->options.maker = &ns->maker;
	list_init(&ns->members);
	list_init(&ns->made);
	list_init(&ns->leaving);
}

void networks_fini(struct networks *ns)
{
	ns->parts.host->options.maker = NULL;
	list_splice(&ns->members, &ns->made);
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
	list_each (node, &ns->made)
		network_disconnect(member_of(node)->network, message);
}

static bool are_idle(const struct list *members)
{
	list_each (node, members)
		if (!network_is_idle(member_of(node)->network))
			return false;
	return true;
}

bool networks_all_idle(const struct networks *ns)
{
	return are_idle(&ns->members) && are_idle(&ns->made) && list_is_empty(&ns->leaving);
}
