#include "irc/modes.h"

#include "sim/channel.h"
#include "sim/client.h"
#include "sim/mask.h"
#include "sim/server.h"

#include <stdio.h>
#include <string.h>

enum { PARAMS_MAX_BYTES = 1024 };

/* How the lists are shown. */
static const struct list_kind {
	const char *name;
	int item, end;
	char mode;
	bool names_mode; /* the letter stands after the channel */
} list_kinds[] = {
	{"channel ban",              367, 368, 'b', false},
	{"channel exception",        348, 349, 'e', false},
	{"channel invite exception", 346, 347, 'I', false},
	{"channel quiet",            728, 729, 'q', true },
};

static void show_list(struct sim_client *c, const struct sim_channel *ch, char mode)
{
	const struct list_kind *kind = &list_kinds[0];
	for (size_t i = 0; i < COUNTOF(list_kinds); i++)
		if (list_kinds[i].mode == mode)
			kind = &list_kinds[i];
	const char *letter = kind->names_mode ? " q" : "";
	list_each (node, &ch->listed) {
		const struct sim_listed *l = container_of(node, struct sim_listed, node);
		if (l->mode == mode)
			sim_reply(c, kind->item, "%s%s %s %s %lld", ch->name, letter, l->mask,
				l->by, (long long)sim_wall_s(c->net, l->at_ns));
	}
	sim_reply(c, kind->end, "%s%s :End of %s list", ch->name, letter, kind->name);
}

static void show_channel(struct sim_client *c, const struct sim_channel *ch)
{
	struct buf modes;
	buf_init(&modes, MESSAGE_BYTES);
	sim_channel_describe(ch, sim_channel_member(ch, c), &modes);
	sim_reply(c, 324, "%s %s", ch->name, buf_str(&modes).p);
	sim_reply(c, 329, "%s %lld", ch->name, (long long)sim_wall_s(c->net, ch->created_ns));
	buf_fini(&modes);
}

/* Changes that were made, to be told in one line. */
struct change_set {
	struct sim_client *c; /* NULL: the server does it */
	struct sim_channel *ch;
	struct buf letters, params;
	char sign;
	unsigned n_params;
};

static void note(struct change_set *set, const struct mode_change *change, struct str param)
{
	char sign = change->set ? '+' : '-';
	int r = 0;
	if (sign != set->sign)
		r |= buf_addf(&set->letters, "%c", sign);
	set->sign = sign;
	r |= buf_addf(&set->letters, "%c", change->mode);
	if (param.p)
		r |= buf_addf(&set->params, " %" STR_F, STR_A(param));
	(void)r; /* both have room for what one line can bring */
}

static const struct sim_member *own_member(const struct change_set *set)
{
	return set->c ? sim_channel_member(set->ch, set->c) : NULL;
}

/* Half-operators give voice; nobody gives what is above themselves. */
static bool may_give(const struct change_set *set, char mode)
{
	const struct sim_member *own = own_member(set);
	size_t rank = sim_rank(set->ch->net, mode);
	if (!set->c)
		return true;
	if (rank <= sim_rank(set->ch->net, 'o'))
		return sim_member_at_least(own, 'o') && sim_member_rank(own) <= rank;
	return sim_member_at_least(own, mode == 'v' ? 'h' : 'o');
}

static bool may_change(const struct change_set *set, char mode)
{
	bool is_prefix = str_has(str_of(set->ch->net->isupport->prefix_modes), mode);
	bool may = is_prefix ? may_give(set, mode)
			     : !set->c || sim_member_at_least(own_member(set), 'h');
	if (!may)
		sim_reply(set->c, 482, "%s :You're not channel operator", set->ch->name);
	return may;
}

static void change_prefix(struct change_set *set, const struct mode_change *change)
{
	struct sim_client *whom = change->param.n ? sim_find(set->ch->net, change->param) : NULL;
	struct sim_member *m = whom ? sim_channel_member(set->ch, whom) : NULL;
	if (!m && set->c && change->param.n) {
		if (whom)
			sim_reply(set->c, 441, "%s %s :They aren't on that channel", whom->nick,
				set->ch->name);
		else
			sim_no_such_nick(set->c, change->param);
	}
	if (!m || sim_member_has(m, change->mode) == change->set)
		return;
	sim_member_set(m, change->mode, change->set);
	note(set, change, str_of(whom->nick));
}

static void change_list(struct change_set *set, const struct mode_change *change)
{
	char mask[SIM_NAME_MAX_BYTES];
	struct sim_channel *ch = set->ch;
	const char *by = set->c ? set->c->nick : ch->net->server;
	mask_complete(change->param, mask, sizeof(mask));
	bool is_full = change->set && ch->n_listed == SIM_LISTED_MAX;
	bool is_done = change->set ? sim_channel_list(ch, change->mode, str_of(mask), by)
				   : sim_channel_unlist(ch, change->mode, str_of(mask));
	if (is_done)
		note(set, change, str_of(mask));
	else if (is_full && set->c)
		sim_reply(set->c, 478, "%s %s :Channel ban list is full", ch->name, mask);
}

static bool is_value(const struct sim_network *net, char mode, struct str value)
{
	int64_t limit;
	if (mode == 'l')
		return str_int(value, 1, 1000000, &limit);
	return value.n && value.n <= sim_limit(net->isupport->keylen, 32) && !str_has(value, ',') &&
	       !str_has(value, ' ') && value.p[0] != ':';
}

/* Types B, C and D. */
static void change_setting(struct change_set *set, const struct mode_change *change)
{
	struct sim_channel *ch = set->ch;
	struct str param = change->param;
	bool is_flag = str_has(str_of(ch->net->isupport->chanmodes[3]), change->mode);
	if (change->set && !is_flag && !is_value(ch->net, change->mode, param))
		return;
	bool is_done = change->set ? sim_channel_set(ch, change->mode, param)
				   : sim_channel_unset(ch, change->mode);
	if (is_done)
		note(set, change, param);
}

enum kind { KIND_UNKNOWN, KIND_PREFIX, KIND_LIST, KIND_SETTING };

static enum kind kind_of(const struct isupport *is, char mode)
{
	if (str_has(str_of(is->prefix_modes), mode))
		return KIND_PREFIX;
	if (str_has(str_of(is->chanmodes[0]), mode))
		return KIND_LIST;
	for (int type = 1; type < 4; type++)
		if (str_has(str_of(is->chanmodes[type]), mode))
			return KIND_SETTING;
	return KIND_UNKNOWN;
}

/* A list's letter alone asks for it. */
static bool is_question(const struct change_set *set, const struct mode_change *change)
{
	return set->c && !change->param.n &&
	       kind_of(set->ch->net->isupport, change->mode) == KIND_LIST;
}

static void apply(struct change_set *set, const struct mode_change *change)
{
	switch (kind_of(set->ch->net->isupport, change->mode)) {
	case KIND_UNKNOWN:
		if (set->c)
			sim_reply(set->c, 472, "%c :is unknown mode char to me", change->mode);
		break;
	case KIND_PREFIX:
		if (may_change(set, change->mode))
			change_prefix(set, change);
		break;
	case KIND_LIST:
		if (may_change(set, change->mode))
			change_list(set, change);
		break;
	case KIND_SETTING:
		if (may_change(set, change->mode))
			change_setting(set, change);
		break;
	}
}

/* False once a line has brought as many parameters as the server takes. */
static bool count_param(struct change_set *set, const struct mode_change *change)
{
	unsigned max = set->ch->net->isupport->modes;
	if (change->param.p)
		set->n_params++;
	return max == 0 || set->n_params <= max;
}

static void change_modes(
	struct change_set *set, struct str modes, const struct str *params, size_t n)
{
	struct mode_reader reader;
	struct mode_change change;
	buf_init(&set->letters, MESSAGE_BYTES);
	buf_init(&set->params, PARAMS_MAX_BYTES);
	modes_begin(&reader, set->ch->net->isupport, modes, params, n);
	while (modes_next(&reader, &change)) {
		if (is_question(set, &change))
			show_list(set->c, set->ch, change.mode);
		else if (count_param(set, &change))
			apply(set, &change);
	}
	if (set->letters.n)
		sim_tell_channel(set->ch, NULL, set->c, "MODE %s %s%s", set->ch->name,
			buf_str(&set->letters).p, buf_str(&set->params).p);
	buf_fini(&set->letters);
	buf_fini(&set->params);
}

static void on_channel_mode(struct sim_client *c, const struct message *m)
{
	struct sim_channel *ch = sim_channel_find(c->net, m->params[0]);
	if (!ch) {
		sim_no_such_channel(c, m->params[0]);
		return;
	}
	if (m->n_params == 1) {
		show_channel(c, ch);
		return;
	}
	struct change_set set = {.c = c, .ch = ch};
	change_modes(&set, m->params[1], m->params + 2, m->n_params - 2);
}

bool sim_mode_by_server(struct sim_member *m, char mode)
{
	struct change_set set = {.ch = m->channel};
	struct str nick = str_of(m->client->nick);
	change_modes(&set, (struct str){&mode, 1}, &nick, 1);
	return sim_member_has(m, mode);
}

/* Only the letters that the profile names, and never what only the server gives. */
static bool change_own_mode(struct sim_client *c, const struct mode_change *change)
{
	struct str own = str_of(c->modes);
	size_t at = str_find(own, change->mode);
	if (!str_has(str_of(c->net->profile->user_modes), change->mode)) {
		sim_reply(c, 501, "%c :Unknown MODE flag", change->mode);
		return false;
	}
	if ((at < own.n) == change->set || strchr("orz", change->mode))
		return false;
	if (change->set) {
		if (own.n + 1 >= sizeof(c->modes))
			return false;
		c->modes[own.n] = change->mode;
		c->modes[own.n + 1] = '\0';
	} else {
		memmove(c->modes + at, c->modes + at + 1, own.n - at);
	}
	return true;
}

static void change_own_modes(struct sim_client *c, struct str modes)
{
	struct mode_reader reader;
	struct mode_change change;
	struct buf told;
	char sign = '\0';
	buf_init(&told, MESSAGE_BYTES);
	modes_begin(&reader, c->net->isupport, modes, NULL, 0);
	while (modes_next(&reader, &change)) {
		char wanted = change.set ? '+' : '-';
		if (!change_own_mode(c, &change))
			continue;
		if (buf_addf(&told, "%s%c",
			    sign == wanted ? ""
			    : change.set   ? "+"
					   : "-",
			    change.mode) == 0)
			sign = wanted;
	}
	if (told.n)
		sim_tell(c, c, "MODE %s %s", c->nick, buf_str(&told).p);
	buf_fini(&told);
}

static void on_user_mode(struct sim_client *c, const struct message *m)
{
	const struct sim_client *whom = sim_find(c->net, m->params[0]);
	if (!whom)
		sim_no_such_nick(c, m->params[0]);
	else if (whom != c)
		sim_reply(c, 502, ":Can't change mode for other users");
	else if (m->n_params == 1)
		sim_reply(c, 221, "+%s", c->modes);
	else
		change_own_modes(c, m->params[1]);
}

void sim_on_mode(struct sim_client *c, const struct message *m)
{
	if (isupport_is_channel(c->net->isupport, m->params[0]))
		on_channel_mode(c, m);
	else
		on_user_mode(c, m);
}
