#include "sim/channel.h"

#include "base/mem.h"
#include "sim/client.h"
#include "sim/history.h"
#include "sim/mask.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sim_channel *sim_channel_find(const struct sim_network *net, struct str name)
{
	char key[SIM_NAME_MAX_BYTES];
	struct str folded = sim_fold(net, name, key);
	return folded.n ? map_get(&net->channels, folded) : NULL;
}

static void set_defaults(struct sim_channel *ch)
{
	for (const char *p = ch->net->profile->default_modes; *p; p++)
		sim_channel_set(ch, *p, STR_NONE);
}

struct sim_channel *sim_channel_new(struct sim_network *net, struct str name)
{
	char key[SIM_NAME_MAX_BYTES];
	struct str folded = sim_fold(net, name, key);
	if (folded.n == 0 || map_count(&net->channels) >= SIM_CHANNELS_MAX)
		return NULL;
	struct sim_channel *ch = mem_new(sizeof(*ch));
	ch->net = net;
	ch->name = str_dup(name);
	ch->created_ns = net->timers->now_ns;
	list_init(&ch->members);
	list_init(&ch->listed);
	list_init(&ch->history);
	map_put(&net->channels, folded, ch);
	set_defaults(ch);
	return ch;
}

static void free_listed(struct sim_channel *ch, struct sim_listed *l)
{
	list_remove(&l->node);
	ch->n_listed--;
	free(l->mask);
	free(l->by);
	free(l);
}

static void free_member(struct sim_member *m)
{
	list_remove(&m->in_channel);
	list_remove(&m->in_client);
	m->channel->n_members--;
	m->client->n_channels--;
	free(m);
}

void sim_channel_free(struct sim_channel *ch)
{
	char key[SIM_NAME_MAX_BYTES];
	map_remove(&ch->net->channels, sim_fold(ch->net, str_of(ch->name), key));
	list_each_safe (node, &ch->members)
		free_member(container_of(node, struct sim_member, in_channel));
	list_each_safe (node, &ch->listed)
		free_listed(ch, container_of(node, struct sim_listed, node));
	sim_history_clear(ch);
	for (size_t i = 0; i < ch->n_settings; i++)
		free(ch->settings[i].value);
	free(ch->name);
	free(ch->topic);
	free(ch->topic_by);
	free(ch);
}

struct sim_member *sim_channel_member(const struct sim_channel *ch, const struct sim_client *c)
{
	list_each (node, &c->channels) {
		struct sim_member *m = container_of(node, struct sim_member, in_client);
		if (m->channel == ch)
			return m;
	}
	return NULL;
}

struct sim_member *sim_channel_add(struct sim_channel *ch, struct sim_client *c)
{
	struct sim_member *m = mem_new(sizeof(*m));
	m->channel = ch;
	m->client = c;
	list_append(&ch->members, &m->in_channel);
	list_append(&c->channels, &m->in_client);
	ch->n_members++;
	c->n_channels++;
	return m;
}

void sim_channel_remove(struct sim_member *m)
{
	struct sim_channel *ch = m->channel;
	free_member(m);
	if (ch->n_members == 0)
		sim_channel_free(ch);
}

void sim_channel_leave_all(struct sim_client *c)
{
	list_each_safe (node, &c->channels)
		sim_channel_remove(container_of(node, struct sim_member, in_client));
}

void sim_tell_channel(struct sim_channel *ch, const struct sim_client *except,
	const struct sim_client *from, const char *fmt, ...)
{
	char text[MESSAGE_BYTES * 2];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	sim_overhear(ch->net, from, "%s", text);
	list_each (node, &ch->members) {
		struct sim_client *to = container_of(node, struct sim_member, in_channel)->client;
		if (to != except)
			sim_tell(to, from, "%s", text);
	}
}

void sim_channel_rename(struct sim_channel *ch, struct str name)
{
	char key[SIM_NAME_MAX_BYTES];
	map_remove(&ch->net->channels, sim_fold(ch->net, str_of(ch->name), key));
	sim_set(&ch->name, name, SIM_NAME_MAX_BYTES - 1);
	map_put(&ch->net->channels, sim_fold(ch->net, str_of(ch->name), key), ch);
}

void sim_channel_show_join(const struct sim_member *joined, struct sim_client *to)
{
	const struct sim_client *c = joined->client;
	const struct sim_channel *ch = joined->channel;
	if (to->caps & SIM_CAP_EXTENDED_JOIN)
		sim_tell(to, c, "JOIN %s %s :%s", ch->name, c->account ? c->account : "*",
			c->realname);
	else
		sim_tell(to, c, "JOIN %s", ch->name);
	if (c->away && to != c && (to->caps & SIM_CAP_AWAY_NOTIFY))
		sim_tell(to, c, "AWAY :%s", c->away);
}

void sim_channel_announce(const struct sim_member *joined)
{
	const struct sim_client *c = joined->client;
	const struct sim_channel *ch = joined->channel;
	sim_overhear(ch->net, c, "JOIN %s", ch->name);
	list_each (node, &ch->members)
		sim_channel_show_join(
			joined, container_of(node, struct sim_member, in_channel)->client);
}

static struct sim_setting *find_setting(const struct sim_channel *ch, char mode)
{
	for (size_t i = 0; i < ch->n_settings; i++)
		if (ch->settings[i].mode == mode)
			return (struct sim_setting *)&ch->settings[i];
	return NULL;
}

const struct sim_setting *sim_channel_setting(const struct sim_channel *ch, char mode)
{
	return find_setting(ch, mode);
}

bool sim_channel_set(struct sim_channel *ch, char mode, struct str value)
{
	struct sim_setting *s = find_setting(ch, mode);
	if (s && !value.p)
		return false;
	if (!s) {
		if (ch->n_settings == SIM_SETTINGS_MAX)
			return false;
		s = &ch->settings[ch->n_settings++];
		*s = (struct sim_setting){.mode = mode};
	}
	if (value.p)
		sim_set(&s->value, value, SIM_NAME_MAX_BYTES - 1);
	return true;
}

bool sim_channel_unset(struct sim_channel *ch, char mode)
{
	struct sim_setting *s = find_setting(ch, mode);
	if (!s)
		return false;
	free(s->value);
	struct sim_setting *end = &ch->settings[--ch->n_settings];
	memmove(s, s + 1, (size_t)(end - s) * sizeof(*s));
	return true;
}

/* All of it fits a line that holds SIM_SETTINGS_MAX letters; what does not is left out. */
void sim_channel_describe(const struct sim_channel *ch, bool with_values, struct buf *out)
{
	int r = buf_add(out, STR("+"));
	for (size_t i = 0; i < ch->n_settings; i++)
		r |= buf_addf(out, "%c", ch->settings[i].mode);
	for (size_t i = 0; with_values && i < ch->n_settings; i++)
		if (ch->settings[i].value)
			r |= buf_addf(out, " %s", ch->settings[i].value);
	(void)r;
}

static struct sim_listed *find_listed(const struct sim_channel *ch, char mode, struct str mask)
{
	list_each (node, &ch->listed) {
		struct sim_listed *l = container_of(node, struct sim_listed, node);
		if (l->mode == mode && sim_same(ch->net, str_of(l->mask), mask))
			return l;
	}
	return NULL;
}

bool sim_channel_list(struct sim_channel *ch, char mode, struct str mask, const char *by)
{
	if (ch->n_listed == SIM_LISTED_MAX || find_listed(ch, mode, mask))
		return false;
	struct sim_listed *l = mem_new(sizeof(*l));
	l->mode = mode;
	l->mask = str_dup(mask);
	l->by = mem_strdup(by);
	l->at_ns = ch->net->timers->now_ns;
	list_append(&ch->listed, &l->node);
	ch->n_listed++;
	return true;
}

bool sim_channel_unlist(struct sim_channel *ch, char mode, struct str mask)
{
	struct sim_listed *l = find_listed(ch, mode, mask);
	if (l)
		free_listed(ch, l);
	return l != NULL;
}

bool sim_channel_lists(const struct sim_channel *ch, char mode, const struct sim_client *c)
{
	char source[SIM_NAME_MAX_BYTES * 2];
	snprintf(source, sizeof(source), "%s!%s@%s", c->nick, c->user, c->host);
	list_each (node, &ch->listed) {
		const struct sim_listed *l = container_of(node, struct sim_listed, node);
		enum casemap cm = ch->net->isupport->casemap;
		if (l->mode == mode && mask_matches(cm, str_of(l->mask), str_of(source)))
			return true;
	}
	return false;
}

bool sim_channel_takes_back_invitation(struct sim_channel *ch, const struct sim_client *c)
{
	return sim_channel_unlist(ch, SIM_INVITED, str_of(c->nick));
}

size_t sim_rank(const struct sim_network *net, char mode)
{
	return str_find(str_of(net->isupport->prefix_modes), mode);
}

size_t sim_member_rank(const struct sim_member *m)
{
	const struct sim_network *net = m->channel->net;
	return m->modes[0] ? sim_rank(net, m->modes[0]) : strlen(net->isupport->prefix_modes);
}

bool sim_member_has(const struct sim_member *m, char mode)
{
	return str_has(str_of(m->modes), mode);
}

/* Written anew in the order of PREFIX. */
void sim_member_set(struct sim_member *m, char mode, bool is_set)
{
	char modes[sizeof(m->modes)] = "";
	size_t n = 0;
	for (const char *p = m->channel->net->isupport->prefix_modes; *p; p++)
		if (*p == mode ? is_set : sim_member_has(m, *p))
			modes[n++] = *p;
	memcpy(m->modes, modes, sizeof(modes));
}

bool sim_member_at_least(const struct sim_member *m, char mode)
{
	if (!m)
		return false;
	const struct sim_network *net = m->channel->net;
	bool is_known = str_has(str_of(net->isupport->prefix_modes), mode);
	return sim_member_rank(m) <= sim_rank(net, is_known ? mode : 'o') && m->modes[0];
}

struct str sim_member_symbols(const struct sim_member *m, const struct sim_client *c, char out[16])
{
	const struct isupport *is = m->channel->net->isupport;
	size_t n = 0;
	for (const char *p = m->modes; *p && (n == 0 || (c->caps & SIM_CAP_MULTI_PREFIX)); p++)
		out[n++] = is->prefix_symbols[str_find(str_of(is->prefix_modes), *p)];
	return (struct str){out, n};
}

bool sim_channel_is_secret(const struct sim_channel *ch)
{
	return find_setting(ch, 's') || find_setting(ch, 'p');
}
