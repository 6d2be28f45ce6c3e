#include "daemon/rehearsal.h"

#include "base/mem.h"
#include "daemon/networks.h"
#include "daemon/scripts.h"
#include "daemon/simlink.h"

#include <stdlib.h>
#include <string.h>

struct rehearsed {
	struct core core;
	struct simlink link;
	struct network_route route;
	struct networks networks;
};

static void end_bot(void *made)
{
	struct rehearsed *b = made;
	networks_fini(&b->networks);
	core_fini(&b->core);
	simlink_fini(&b->link);
	free(b);
}

static bool has_setting(const struct trial_bot_options *o, const char *key)
{
	for (size_t i = 0; i < o->n_settings; i++)
		if (strcmp(o->settings[i][0], key) == 0)
			return true;
	return false;
}

/* Pairs that are read only, as config_network_new takes them. */
static struct config_pair pair(const char *key, const char *value)
{
	return (struct config_pair){(char *)(uintptr_t)key, (char *)(uintptr_t)value, 0};
}

/* What a test does not say has to be said for it. A network in the process needs no TLS, and a
 * test no pace. */
static int make_config(const struct trial_bot_options *o, const struct trial_net *net,
	struct config_network **out, struct err *err)
{
	const struct config_pair standards[] = {
		pair("nick", "ebb"),
		pair("tls", "no"),
		pair("flood_rate", "0"),
		pair("host", net->name),
	};
	struct config_pair *pairs = mem_new((o->n_settings + COUNTOF(standards)) * sizeof(*pairs));
	size_t n = 0;
	for (size_t i = 0; i < o->n_settings; i++)
		pairs[n++] = pair(o->settings[i][0], o->settings[i][1]);
	for (size_t i = 0; i < COUNTOF(standards); i++)
		if (!has_setting(o, standards[i].key))
			pairs[n++] = standards[i];
	int r = config_network_new(net->name, pairs, n, out, err);
	free(pairs);
	return r;
}

static int add_network(struct rehearsed *b, const struct trial_bot_options *o,
	const struct trial_net *net, struct config *config, struct err *err)
{
	struct config_network *made;
	if (config_network(config, str_of(net->name)))
		return err_set(err, ERR_INVALID, "two networks are called '%s'", net->name);
	if (o->n_nets > 1 && has_setting(o, "host"))
		return err_set(err, ERR_INVALID, "host: makes no sense with several networks");
	int r = make_config(o, net, &made, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < made->host.n; i++)
		simlink_add(&b->link, made->host.hosts[i].name, net->sim);
	config->networks[config->n_networks++] = made;
	return 0;
}

static int add_networks(struct rehearsed *b, const struct trial_bot_options *o, struct err *err)
{
	struct config *config = mem_new(sizeof(*config));
	struct networks_plan plan = {0};
	int r = 0;
	config->networks = mem_new((o->n_nets + 1) * sizeof(struct config_network *));
	for (size_t i = 0; i < o->n_nets && r == 0; i++)
		r = add_network(b, o, o->nets[i], config, err);
	if (r == 0)
		networks_apply(&b->networks, &plan, config);
	config_free(config);
	return r;
}

/* A name, or a path that begins at the test's folder. Returns owned; NULL: there is none. Where the
 * test has the text, the path that it would have. */
static char *path_of(const struct rehearsal *r, const struct trial_script *s)
{
	size_t n = strlen(s->name);
	bool is_path = strchr(s->name, '/') || (n > 4 && strcmp(s->name + n - 4, ".lua") == 0);
	struct buf path;
	if (!is_path && !s->source)
		return scripts_find(r->folder, s->name);
	buf_init(&path, 8192);
	if (buf_addf(&path, "%s%s", s->name[0] == '/' ? "" : r->folder, s->name) < 0)
		buf_reset(&path);
	return buf_detach(&path);
}

/* As the daemon would read its section, whose name and file the test has given already. */
static int make_script(const char *name, const char *path, const struct trial_script *s,
	struct config_script **out, struct err *err)
{
	struct config_pair *pairs = mem_new((s->n_pairs + 2) * sizeof(*pairs));
	size_t n = 0;
	pairs[n++] = pair("file", path);
	pairs[n++] = pair("enabled", "no"); /* the file need not be there */
	for (size_t i = 0; i < s->n_pairs; i++)
		pairs[n++] = pair(s->pairs[i][0], s->pairs[i][1]);
	int r = config_script_new(name, pairs, n, out, err);
	free(pairs);
	return r;
}

static int load_script(
	struct rehearsed *b, const struct config_script *c, const struct trial_script *s)
{
	struct script_paths libs = {0};
	const char *(*pairs)[2] = mem_resize(NULL, c->n_pairs, sizeof(*pairs));
	for (size_t i = 0; i < c->n_pairs; i++) {
		pairs[i][0] = c->pairs[i].key;
		pairs[i][1] = c->pairs[i].value;
	}
	scripts_find_libs(&libs, c->path);
	struct script_options options = {.name = c->name,
		.path = c->path,
		.source = s->source,
		.prelude = s->prelude,
		.pairs = (const char *const(*)[2])pairs,
		.n_pairs = c->n_pairs,
		.limits = core_limits(c),
		.lib_folders = (const char *const *)libs.items,
		.n_lib_folders = libs.n};
	int result = program_load(&b->core.host, &options);
	script_paths_fini(&libs);
	free(pairs);
	return result;
}

static int load(struct rehearsed *b, const struct rehearsal *r, const struct trial_script *s,
	struct err *err)
{
	char *path = path_of(r, s), *name = scripts_name(s->name);
	struct config_script *c = NULL;
	int result = path ? make_script(name, path, s, &c, err)
			  : err_set(err, ERR_INVALID, "there is no script '%s'", s->name);
	if (c && load_script(b, c, s) < 0)
		result = err_set(
			err, ERR_INVALID, "script '%s' cannot be loaded (see the log)", s->name);
	config_script_free(c);
	free(path);
	free(name);
	return result;
}

static struct sim_network *find_sim(void *data, struct str host)
{
	const struct trial_bot *bot = data;
	return trial_find_sim(bot->trial, host);
}

static void on_tried(void *data, struct sim_network *sim, const struct sim_conn *conn)
{
	trial_tried(data, sim, conn);
}

static int fill(struct rehearsed *b, const struct rehearsal *r, struct trial_bot *bot,
	const struct trial_bot_options *o, struct err *err)
{
	int result = add_networks(b, o, err);
	for (size_t i = 0; i < o->n_scripts && result == 0; i++)
		result = load(b, r, &o->scripts[i], err);
	bot->host = &b->core.host;
	if (result == 0)
		networks_connect(&b->networks);
	return result;
}

static void *make_bot(
	void *data, struct trial_bot *bot, const struct trial_bot_options *o, struct err *err)
{
	struct rehearsal *r = data;
	struct rehearsed *b = mem_new(sizeof(*b));
	struct core_options options = {.dial_rate = 1000, .trial = &r->trial};
	core_init(&b->core, r->loop, &options);
	simlink_init(&b->link, r->loop);
	b->link.find = find_sim;
	b->link.tried = on_tried;
	b->link.data = bot;
	b->route = simlink_route(&b->link);
	struct network_parts parts = {.loop = r->loop,
		.guard = &b->core.guard,
		.gate = &b->core.gate,
		.host = &b->core.host,
		.route = &b->route};
	networks_init(&b->networks, &parts);
	if (fill(b, r, bot, o, err) == 0)
		return b;
	end_bot(b);
	return NULL;
}

const struct trial_ops rehearsal_ops = {make_bot, end_bot};
