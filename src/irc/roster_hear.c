#include "base/clock.h"
#include "base/mem.h"
#include "irc/fields.h"
#include "irc/modes.h"
#include "irc/roster_inside.h"

#include <stdlib.h>

static bool is_me(const struct roster_hearing *h)
{
	return h->user != SLOTS_NONE && h->user == h->b->me;
}

static struct channel *find_channel(const struct roster_hearing *h, size_t param)
{
	uint32_t channel = book_find_channel(h->b, message_param(h->m, param));
	return channel != SLOTS_NONE ? book_channel(h->b, channel) : NULL;
}

static char *copy_of(struct str s, size_t max)
{
	return s.p && s.n <= max ? str_dup(s) : NULL;
}

static void set_owned(char **place, struct str s, size_t max)
{
	free(*place);
	*place = copy_of(s, max);
}

static int64_t seconds_of(struct str s)
{
	int64_t seconds = 0;
	return str_int(s, 0, INT64_MAX, &seconds) ? seconds : 0;
}

/* What every line of a user's tells. */

static void learn_account_tag(const struct roster_hearing *h, struct str value)
{
	struct buf b;
	if (value.n == 0) {
		book_learn_one(
			h->b, h->user, TEXT_ACCOUNT, h->r->trusts_account_tag ? STR("") : STR_NONE);
		return;
	}
	if (!str_has(value, '\\')) {
		book_learn_one(h->b, h->user, TEXT_ACCOUNT, value);
		return;
	}
	buf_init(&b, MESSAGE_TAGS_BYTES);
	if (message_unescape(&b, value) == 0)
		book_learn_one(h->b, h->user, TEXT_ACCOUNT, buf_str(&b));
	buf_fini(&b);
}

/* Whether tag has this name; *value is what stands behind it, or empty. */
static bool is_tag(struct str tag, struct str name, struct str *value)
{
	if (!str_starts(tag, name) || (tag.n > name.n && tag.p[name.n] != '='))
		return false;
	*value = str_skip(tag, name.n + 1);
	return true;
}

static void hear_tags(const struct roster_hearing *h)
{
	struct str rest = h->m->tags, value, account = STR_NONE;
	while (rest.n) {
		struct str tag = {rest.p, str_find(rest, ';')};
		rest = str_skip(rest, tag.n + 1);
		if (is_tag(tag, STR("account"), &value))
			account = value;
		else if (is_tag(tag, STR("bot"), &value))
			book_set_flag(h->b, h->user, USER_BOT, true);
	}
	learn_account_tag(h, account);
}

static void hear_source(const struct roster_hearing *h)
{
	if (h->user == SLOTS_NONE)
		return;
	struct str user = h->m->user, host = h->m->host;
	book_learn_address(h->b, h->user, user.n ? user : STR_NONE, host.n ? host : STR_NONE);
	if (h->m->tags.p)
		hear_tags(h);
	else if (h->r->trusts_account_tag)
		learn_account_tag(h, STR_NONE);
}

/* Channels and members. */

static uint32_t enter_channel(const struct roster_hearing *h, struct str name)
{
	uint32_t channel = book_find_channel(h->b, name);
	if (channel != SLOTS_NONE || !is_me(h))
		return channel;
	channel = book_add_channel(h->b, name);
	if (channel != SLOTS_NONE)
		roster_want_who(h->r, channel);
	return channel;
}

static void on_join(struct roster_hearing *h)
{
	uint32_t channel = enter_channel(h, h->m->params[0]);
	uint32_t member = channel != SLOTS_NONE ? book_join(h->b, channel, h->m->nick) : SLOTS_NONE;
	if (member == SLOTS_NONE)
		return;
	h->user = book_member(h->b, member)->user;
	hear_source(h);
	if (h->m->n_params < 3)
		return;
	struct str texts[TEXT_COUNT] = {[TEXT_ACCOUNT] = roster_account_of(h->m->params[1]),
		[TEXT_REAL_NAME] = h->m->params[2]};
	book_learn(h->b, h->user, texts);
}

static void leave(const struct roster_hearing *h, uint32_t user)
{
	const struct channel *c = find_channel(h, 0);
	uint32_t member =
		c && user != SLOTS_NONE ? book_find_member(h->b, c->index, user) : SLOTS_NONE;
	if (c && user != SLOTS_NONE && user == h->b->me)
		book_forget_channel(h->b, c->index);
	else if (member != SLOTS_NONE)
		book_part(h->b, member);
}

static void on_part(struct roster_hearing *h)
{
	leave(h, h->user);
}

static void on_kick(struct roster_hearing *h)
{
	leave(h, book_find_user(h->b, h->m->params[1]));
}

static void on_quit(struct roster_hearing *h)
{
	if (is_me(h))
		book_clear(h->b);
	else if (h->user != SLOTS_NONE)
		book_forget_user(h->b, h->user);
}

static void on_rename(struct roster_hearing *h)
{
	const struct channel *c = find_channel(h, 0);
	if (c)
		book_rename_channel(h->b, c->index, h->m->params[1]);
}

/* The prefixes that stand before *name, which is then what follows them. */
static uint16_t take_prefixes(const struct roster_hearing *h, struct str *name)
{
	struct str symbols = str_of(h->b->prefix_symbols);
	unsigned bits = 0;
	while (name->n && str_has(symbols, name->p[0])) {
		bits |= 1u << str_find(symbols, name->p[0]);
		*name = str_skip(*name, 1);
	}
	return (uint16_t)bits;
}

static void hear_name(const struct roster_hearing *h, uint32_t channel, struct str name)
{
	uint16_t bits = take_prefixes(h, &name);
	struct str nick = str_cut(&name, '!');
	if (nick.n == 0)
		return;
	uint32_t member = book_join(h->b, channel, nick);
	if (member == SLOTS_NONE)
		return;
	book_show_prefixes(h->b, member, bits);
	struct str user = str_cut(&name, '@');
	if (user.n && name.n)
		book_learn_address(h->b, book_member(h->b, member)->user, user, name);
}

/* The type of the channel, "=", is missing here and there. */
static void on_names(struct roster_hearing *h)
{
	const struct channel *c = find_channel(h, h->m->n_params - 2);
	struct str names = message_last(h->m), name;
	if (!c)
		return;
	for (name = str_word(&names, " "); name.p; name = str_word(&names, " "))
		hear_name(h, c->index, name);
}

static void on_end_of_names(struct roster_hearing *h)
{
	struct channel *c = find_channel(h, 1);
	if (c)
		c->has_names = true;
}

/* Modes. */

static void add_mode(struct channel *c, char letter, char *param)
{
	if (c->n_modes == c->modes_capacity) {
		c->modes_capacity = (uint8_t)(c->modes_capacity * 2 + 4);
		c->modes = mem_resize(c->modes, c->modes_capacity, sizeof(*c->modes));
	}
	c->modes[c->n_modes++] = (struct mode){letter, param};
}

static void set_mode(
	const struct roster_hearing *h, struct channel *c, char letter, struct str param)
{
	struct mode *mode = book_find_mode(c, letter);
	if (mode)
		set_owned(&mode->param, param, ROSTER_PARAM_MAX_BYTES);
	else if (c->n_modes < ROSTER_MODES_MAX && param.n <= ROSTER_PARAM_MAX_BYTES)
		add_mode(c, letter, copy_of(param, ROSTER_PARAM_MAX_BYTES));
	else
		h->b->dropped++;
}

static void unset_mode(struct channel *c, char letter)
{
	struct mode *mode = book_find_mode(c, letter);
	if (!mode)
		return;
	free(mode->param);
	size_t at = (size_t)(mode - c->modes);
	memmove(mode, mode + 1, (c->n_modes - at - 1) * sizeof(*mode));
	c->n_modes--;
}

static void change_prefix(const struct roster_hearing *h, const struct channel *c, size_t position,
	const struct mode_change *change)
{
	uint32_t user = book_find_user(h->b, change->param);
	uint32_t member = user != SLOTS_NONE ? book_find_member(h->b, c->index, user) : SLOTS_NONE;
	if (member == SLOTS_NONE)
		return;
	struct member *m = book_member(h->b, member);
	unsigned bit = 1u << position;
	m->prefixes = (uint16_t)(change->set ? m->prefixes | bit : m->prefixes & ~bit);
}

static void change_modes(const struct roster_hearing *h, struct channel *c, size_t first_param)
{
	struct mode_reader reader;
	struct mode_change change;
	struct str prefixes = str_of(h->b->prefix_modes), lists = str_of(h->is->chanmodes[0]);
	const struct message *m = h->m;
	modes_begin(&reader, h->is, m->params[first_param], m->params + first_param + 1,
		m->n_params - first_param - 1);
	while (modes_next(&reader, &change)) {
		if (str_has(prefixes, change.mode))
			change_prefix(h, c, str_find(prefixes, change.mode), &change);
		else if (str_has(lists, change.mode))
			continue;
		else if (change.set)
			set_mode(h, c, change.mode, change.param);
		else
			unset_mode(c, change.mode);
	}
}

static void on_mode(struct roster_hearing *h)
{
	struct channel *c = find_channel(h, 0);
	if (c)
		change_modes(h, c, 1);
}

/* Servers hide the key from some: then the one that is known stays. */
static void keep_key(struct channel *c, char **key)
{
	struct mode *mode = book_find_mode(c, 'k');
	if (!mode || !*key || (mode->param && strcmp(mode->param, "*") != 0))
		return;
	free(mode->param);
	mode->param = *key;
	*key = NULL;
}

static void on_modes_are(struct roster_hearing *h)
{
	struct channel *c = find_channel(h, 1);
	char *key = NULL;
	if (!c)
		return;
	while (c->n_modes) {
		struct mode *last = &c->modes[--c->n_modes];
		if (last->letter == 'k')
			key = last->param;
		else
			free(last->param);
	}
	change_modes(h, c, 2);
	keep_key(c, &key);
	free(key);
}

static void on_created(struct roster_hearing *h)
{
	struct channel *c = find_channel(h, 1);
	if (c)
		c->created = seconds_of(h->m->params[2]);
}

/* Topics. */

static void set_topic(struct channel *c, struct str topic, struct str setter, int64_t seconds)
{
	set_owned(&c->topic, topic, ROSTER_TOPIC_MAX_BYTES);
	set_owned(&c->topic_setter, setter, ROSTER_TOPIC_MAX_BYTES);
	c->topic_time = seconds;
}

static void on_topic(struct roster_hearing *h)
{
	struct channel *c = find_channel(h, 0);
	int64_t wall_ns = 0;
	if (!c)
		return;
	message_time(message_tag(h->m, STR("time")), &wall_ns);
	set_topic(c, h->m->params[1], h->m->source, wall_ns / NS_PER_S);
}

static void on_topic_is(struct roster_hearing *h)
{
	struct channel *c = find_channel(h, 1);
	if (c)
		set_owned(&c->topic, h->m->params[2], ROSTER_TOPIC_MAX_BYTES);
}

static void on_no_topic(struct roster_hearing *h)
{
	struct channel *c = find_channel(h, 1);
	if (c)
		set_topic(c, STR(""), STR_NONE, 0);
}

static void on_topic_set_by(struct roster_hearing *h)
{
	struct channel *c = find_channel(h, 1);
	if (!c)
		return;
	set_owned(&c->topic_setter, h->m->params[2], ROSTER_TOPIC_MAX_BYTES);
	c->topic_time = seconds_of(message_param(h->m, 3));
}

/* Users. */

static void on_nick(struct roster_hearing *h)
{
	if (h->user != SLOTS_NONE)
		book_rename_user(h->b, h->user, h->m->params[0]);
}

static void on_account(struct roster_hearing *h)
{
	book_learn_one(h->b, h->user, TEXT_ACCOUNT, roster_account_of(h->m->params[0]));
}

static void on_away(struct roster_hearing *h)
{
	struct str message = message_param(h->m, 0);
	book_set_away(h->b, h->user, message.n > 0, message);
}

static void on_chghost(struct roster_hearing *h)
{
	book_learn_address(h->b, h->user, h->m->params[0], h->m->params[1]);
}

static void on_setname(struct roster_hearing *h)
{
	book_learn_one(h->b, h->user, TEXT_REAL_NAME, h->m->params[0]);
}

static const struct roster_row rows[EVENT_KINDS] = {
	[324] = {3, on_modes_are   },
	[329] = {3, on_created     },
	[331] = {2, on_no_topic    },
	[332] = {3, on_topic_is    },
	[333] = {3, on_topic_set_by},
	[353] = {3, on_names       },
	[366] = {2, on_end_of_names},
	[EVENT_ACCOUNT] = {1, on_account     },
	[EVENT_AWAY] = {0, on_away        },
	[EVENT_CHANNELMODE] = {2, on_mode        },
	[EVENT_CHGHOST] = {2, on_chghost     },
	[EVENT_JOIN] = {1, on_join        },
	[EVENT_KICK] = {2, on_kick        },
	[EVENT_NICK] = {1, on_nick        },
	[EVENT_PART] = {1, on_part        },
	[EVENT_QUIT] = {0, on_quit        },
	[EVENT_SETNAME] = {1, on_setname     },
	[EVENT_TOPIC] = {2, on_topic       },
	[EVENT_RENAME] = {2, on_rename      },
};

void roster_hear(struct roster *r, const struct message *m, int kind, const struct isupport *is,
	struct str me)
{
	struct roster_hearing h = {r, &r->book, m, is, SLOTS_NONE};
	book_set_casemap(h.b, is->casemap);
	book_set_prefixes(h.b, is->prefix_modes, is->prefix_symbols);
	book_set_me(h.b, me);
	h.user = book_find_user(h.b, m->nick);
	hear_source(&h);
	const struct roster_row *row = rows[kind].run ? &rows[kind] : roster_answer_find(kind);
	if (row && m->n_params >= row->min_params)
		row->run(&h);
}
