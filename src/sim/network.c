#include "sim/network.h"

#include "base/clock.h"
#include "base/mem.h"
#include "sim/account.h"
#include "sim/barrier.h"
#include "sim/channel.h"
#include "sim/client.h"
#include "sim/server.h"
#include "sim/whowas.h"
#include "sim/wire.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 64 * 1024 };

static const char *or_else(const char *given, const char *usual)
{
	return given ? given : usual;
}

static char **copy_lines(const char *const *lines)
{
	size_t n = 0;
	while (lines && lines[n])
		n++;
	if (n == 0)
		return NULL;
	char **copy = mem_new((n + 1) * sizeof(*copy));
	for (size_t i = 0; i < n; i++)
		copy[i] = mem_strdup(lines[i]);
	return copy;
}

static void free_lines(char **lines)
{
	for (char **line = lines; line && *line; line++)
		free(*line);
	free(lines);
}

static struct isupport *read_tokens(const struct sim_profile *p)
{
	struct isupport *is = isupport_new();
	struct str rest = str_of(p->isupport), token;
	while ((token = str_word(&rest, " ")).n) {
		bool is_known = isupport_apply(&is, token);
		assert(is_known);
		(void)is_known;
	}
	return is;
}

static void on_wire_timer(struct timer *t)
{
	sim_wire_run(container_of(t, struct sim_network, wire_timer));
}

static void copy_options(struct sim_network *net, const struct sim_options *o)
{
	struct str own_name = isupport_get(net->isupport, STR("NETWORK"));
	net->name = o->name ? mem_strdup(o->name) : str_dup(own_name);
	net->server = mem_strdup(or_else(o->server, "irc.sim.example"));
	net->host = mem_strdup(or_else(o->host, "client.sim.example"));
	net->password = mem_strdup(o->password);
	net->motd = copy_lines(o->motd);
	net->wants_cookie = o->wants_cookie;
	net->register_delay_ns = o->register_delay_ns;
	net->register_timeout_ns = o->register_timeout_ns;
	net->ping_interval_ns = o->ping_interval_ns;
	net->wall_offset_ns = o->wall_offset_ns;
	net->rand.state = o->seed;
	sim_accounts_init(net, o->accounts);
}

struct sim_network *sim_network_new(const struct sim_options *options, struct timers *timers)
{
	const struct sim_profile *profile = sim_profile_find(options->profile);
	if (!profile)
		return NULL;
	struct sim_network *net = mem_new(sizeof(*net));
	net->profile = profile;
	net->timers = timers;
	net->isupport = read_tokens(profile);
	net->created_ns = timers->now_ns;
	net->wire_timer.fire = on_wire_timer;
	list_init(&net->clients);
	list_init(&net->graves);
	list_init(&net->wire);
	list_init(&net->monitors);
	list_init(&net->gone);
	list_init(&net->barriers);
	buf_init(&net->line, LINE_MAX_BYTES);
	copy_options(net, options);
	return net;
}

static void free_clients(struct list *clients)
{
	list_each_safe (node, clients) {
		struct sim_client *c = container_of(node, struct sim_client, node);
		sim_channel_leave_all(c);
		sim_client_free(c);
	}
}

void sim_network_free(struct sim_network *net)
{
	if (!net)
		return;
	assert(!net->is_delivering);
	free_clients(&net->clients);
	free_clients(&net->graves);
	sim_wire_fini(net);
	sim_accounts_fini(net);
	sim_barriers_fini(net);
	sim_gone_fini(net);
	buf_fini(&net->label.lines);
	if (net->watcher)
		net->watcher->ops->free(net->watcher);
	map_fini(&net->nicks);
	map_fini(&net->channels);
	buf_fini(&net->line);
	isupport_unref(net->isupport);
	free(net->name);
	free(net->server);
	free(net->host);
	free(net->password);
	free_lines(net->motd);
	free(net->refusal.text);
	free(net);
}

const struct sim_profile *sim_network_profile(const struct sim_network *net)
{
	return net->profile;
}

static struct sim_member *find_member(
	const struct sim_network *net, const char *channel, const char *nick)
{
	const struct sim_channel *ch = sim_channel_find(net, str_of(channel));
	const struct sim_client *c = sim_find(net, str_of(nick));
	return ch && c ? sim_channel_member(ch, c) : NULL;
}

bool sim_grant(struct sim_network *net, const char *channel, const char *nick, const char *modes)
{
	struct sim_member *m = find_member(net, channel, nick);
	bool has_all = m != NULL;
	for (const char *mode = modes; m && *mode; mode++)
		has_all = sim_mode_by_server(m, *mode) && has_all;
	sim_wire_run(net);
	return has_all;
}

const char *sim_network_member(const struct sim_network *net, const char *channel, const char *nick)
{
	const struct sim_member *m = find_member(net, channel, nick);
	return m ? m->modes : NULL;
}

const char *sim_network_topic(const struct sim_network *net, const char *channel)
{
	const struct sim_channel *ch = sim_channel_find(net, str_of(channel));
	if (!ch)
		return NULL;
	return ch->topic ? ch->topic : "";
}

static void kill_client(struct sim_client *c, const char *oper, const char *reason)
{
	char words[MESSAGE_BYTES];
	struct buf b;
	buf_init(&b, sizeof(words) - 1);
	sim_tell_plain(c, ":%s KILL %s :%s", oper, c->nick, reason);
	if (buf_addf(&b, "Killed (%s (%s))", oper, reason) == 0)
		sim_client_close(c, buf_str(&b).p);
	else
		sim_client_close(c, "Killed");
	buf_fini(&b);
}

bool sim_kill(struct sim_network *net, const char *nick, const char *oper, const char *reason)
{
	struct sim_client *c = sim_find(net, str_of(nick));
	if (!c)
		return false;
	kill_client(c, oper, reason);
	sim_wire_run(net);
	return true;
}

struct str sim_fold(const struct sim_network *net, struct str name, char key[SIM_NAME_MAX_BYTES])
{
	if (name.n == 0 || name.n > SIM_NAME_MAX_BYTES)
		return STR_NONE;
	casemap_fold_str(net->isupport->casemap, name, key);
	return (struct str){key, name.n};
}

bool sim_same(const struct sim_network *net, struct str a, struct str b)
{
	return casemap_eq(net->isupport->casemap, a, b);
}

struct sim_client *sim_find(const struct sim_network *net, struct str nick)
{
	char key[SIM_NAME_MAX_BYTES];
	struct str folded = sim_fold(net, nick, key);
	return folded.n ? map_get(&net->nicks, folded) : NULL;
}

int64_t sim_wall_s(const struct sim_network *net, int64_t at_ns)
{
	return (at_ns + net->wall_offset_ns) / NS_PER_S;
}

unsigned sim_limit(unsigned announced, unsigned usual)
{
	return announced ? announced : usual;
}

/* A key may be a set of letters that share a number: "#&+:10". An empty number is no limit. */
unsigned sim_token_limit(
	const struct sim_network *net, const char *token, struct str key, unsigned usual)
{
	struct str rest = isupport_get(net->isupport, str_of(token));
	while (rest.n) {
		struct str number = str_cut(&rest, ',');
		struct str keys = str_cut(&number, ':');
		bool is_meant = key.n == 1 ? str_has(keys, key.p[0]) : str_ieq(keys, key);
		int64_t max;
		if (is_meant && str_int(number, 1, 100000, &max))
			return (unsigned)max;
	}
	return usual;
}

void sim_set(char **place, struct str value, size_t max)
{
	char *old = *place;
	if (value.n > max)
		value.n = max;
	*place = value.p ? str_dup(value) : NULL;
	free(old);
}
