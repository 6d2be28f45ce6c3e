#include "irc/roster.h"

#include "base/err.h"
#include "base/mem.h"
#include "irc/roster_inside.h"

#include <stdlib.h>

struct roster *roster_new(uint64_t seed)
{
	struct roster *r = mem_new(sizeof(*r));
	book_init(&r->book, seed);
	list_init(&r->unasked);
	return r;
}

void roster_free(struct roster *r)
{
	if (!r)
		return;
	book_fini(&r->book);
	free(r);
}

void roster_reset(struct roster *r)
{
	book_clear(&r->book);
	r->asked = (struct handle){0};
	r->trusts_account_tag = false;
}

bool roster_sweep(struct roster *r, size_t max)
{
	return book_sweep(&r->book, max);
}

void roster_trust_account_tag(struct roster *r, bool is_enabled)
{
	r->trusts_account_tag = is_enabled;
}

uint64_t roster_dropped(const struct roster *r)
{
	return r->book.dropped;
}

/* Handles. */

struct channel *roster_channel_at(const struct roster *r, struct handle h)
{
	const struct slots *s = &r->book.channels;
	struct channel *c = h.index < slots_end(s) ? slots_peek(s, h.index) : NULL;
	return c && h.generation && c->generation == h.generation ? c : NULL;
}

static const struct user *user_at(const struct roster *r, struct handle h)
{
	const struct slots *s = &r->book.users;
	const struct user *u = h.index < slots_end(s) ? slots_peek(s, h.index) : NULL;
	bool is_same = u && h.generation && u->generation == h.generation;
	return is_same && book_is_seen(&r->book, u) ? u : NULL;
}

static struct handle channel_handle(const struct roster *r, uint32_t index)
{
	if (index == SLOTS_NONE)
		return (struct handle){0};
	return (struct handle){index, book_channel(&r->book, index)->generation};
}

static struct handle user_handle(const struct roster *r, uint32_t index)
{
	if (index == SLOTS_NONE)
		return (struct handle){0};
	return (struct handle){index, book_user(&r->book, index)->generation};
}

struct handle roster_me(const struct roster *r)
{
	return user_handle(r, r->book.me);
}

struct handle roster_find_channel(const struct roster *r, struct str name)
{
	return channel_handle(r, book_find_channel(&r->book, name));
}

struct handle roster_find_user(const struct roster *r, struct str nick)
{
	return user_handle(r, book_find_user(&r->book, nick));
}

/* WHO. */

void roster_want_who(struct roster *r, uint32_t channel)
{
	struct channel *c = book_channel(&r->book, channel);
	list_append(&r->unasked, &c->node);
}

bool roster_wants_who(const struct roster *r)
{
	return !list_is_empty(&r->unasked) && !roster_channel_at(r, r->asked);
}

struct str roster_next_who(struct roster *r, const struct isupport *is, struct buf *out)
{
	if (!roster_wants_who(r))
		return STR_NONE;
	struct channel *c = container_of(r->unasked.next, struct channel, node);
	bool has_whox = isupport_get(is, STR("WHOX")).p;
	const char *fields = has_whox ? " " ROSTER_WHO_FIELDS "," ROSTER_WHO_TOKEN : "";
	if (buf_addf(out, "WHO %s%s", c->name, fields) < 0)
		return STR_NONE;
	list_remove(&c->node);
	r->asked = channel_handle(r, c->index);
	return str_of(c->name);
}

struct handle roster_asked_who(const struct roster *r)
{
	return roster_channel_at(r, r->asked) ? r->asked : (struct handle){0};
}

void roster_give_up_who(struct roster *r)
{
	r->asked = (struct handle){0};
}

void roster_end_who(struct roster *r, struct str name)
{
	const struct channel *c = roster_channel_at(r, r->asked);
	if (c && casemap_eq(r->book.casemap, str_of(c->name), name))
		roster_give_up_who(r);
}

/* Channels. */

bool roster_channel(const struct roster *r, struct handle channel, struct roster_channel *out)
{
	const struct channel *c = roster_channel_at(r, channel);
	if (!c)
		return false;
	const struct mode *key = book_find_mode(c, 'k');
	*out = (struct roster_channel){.name = str_of(c->name),
		.topic = str_of(c->topic),
		.topic_setter = str_of(c->topic_setter),
		.topic_s = c->topic_time,
		.created_s = c->created,
		.key = str_of(key ? key->param : NULL),
		.n_members = c->n_members,
		.is_complete = c->has_names && !c->lacks_members};
	return true;
}

bool roster_mode(const struct roster *r, struct handle channel, char letter, struct str *param)
{
	const struct channel *c = roster_channel_at(r, channel);
	const struct mode *mode = c ? book_find_mode(c, letter) : NULL;
	*param = str_of(mode ? mode->param : NULL);
	return mode;
}

static int put_modes(const struct channel *c, struct buf *out)
{
	int r = buf_addf(out, "+");
	for (size_t i = 0; i < c->n_modes && r >= 0; i++)
		r = buf_addf(out, "%c", c->modes[i].letter);
	for (size_t i = 0; i < c->n_modes && r >= 0; i++)
		if (c->modes[i].param)
			r = buf_addf(out, " %s", c->modes[i].param);
	return r;
}

int roster_put_modes(const struct roster *r, struct handle channel, struct buf *out)
{
	const struct channel *c = roster_channel_at(r, channel);
	size_t n = buf_str(out).n;
	if (!c || c->n_modes == 0)
		return 0;
	int result = put_modes(c, out);
	if (result < 0)
		buf_truncate(out, n);
	return result;
}

/* Users and members. */

static struct str known_text(const struct user *u, enum user_text which)
{
	struct str s = book_text(u, which);
	return s.n ? s : STR_NONE;
}

bool roster_user(const struct roster *r, struct handle user, struct roster_user *out)
{
	const struct user *u = user_at(r, user);
	if (!u)
		return false;
	*out = (struct roster_user){.nick = book_text(u, TEXT_NICK),
		.user = known_text(u, TEXT_USER),
		.host = known_text(u, TEXT_HOST),
		.real_name = known_text(u, TEXT_REAL_NAME),
		.account = u->flags & USER_KNOWS_ACCOUNT ? book_text(u, TEXT_ACCOUNT) : STR_NONE,
		.away_message = known_text(u, TEXT_AWAY),
		.is_away = u->flags & USER_AWAY,
		.is_oper = u->flags & USER_OPER,
		.is_bot = u->flags & USER_BOT,
		.is_me = user.index == r->book.me};
	return true;
}

static void give_member(const struct roster *r, uint32_t member, struct roster_member *out)
{
	const struct member *m = book_member(&r->book, member);
	const char *symbols = r->book.prefix_symbols;
	size_t n = 0;
	*out = (struct roster_member){.user = user_handle(r, m->user)};
	for (size_t i = 0; symbols[i]; i++)
		if (m->prefixes & 1u << i)
			out->prefixes[n++] = symbols[i];
}

bool roster_find_member(const struct roster *r, struct handle channel, struct handle user,
	struct roster_member *out)
{
	if (!roster_channel_at(r, channel) || !user_at(r, user))
		return false;
	uint32_t member = book_find_member(&r->book, channel.index, user.index);
	if (member != SLOTS_NONE)
		give_member(r, member, out);
	return member != SLOTS_NONE;
}

int roster_channels_of(const struct roster *r, struct str nick, struct buf *out)
{
	const struct book *b = &r->book;
	uint32_t user = book_find_user(b, nick);
	size_t n = buf_str(out).n;
	if (user == SLOTS_NONE)
		return 0;
	uint32_t next = SLOTS_NONE;
	for (uint32_t i = book_user(b, user)->first; i != SLOTS_NONE; i = next) {
		const struct channel *c = book_channel(b, book_member(b, i)->channel);
		next = book_member(b, i)->next;
		if (!c->generation)
			continue;
		int result = buf_addf(out, "%s%s", buf_str(out).n > n ? " " : "", c->name);
		if (result < 0) {
			buf_truncate(out, n);
			return result;
		}
	}
	return 0;
}

/* Walking. */

bool roster_next_channel(const struct roster *r, size_t *cursor, struct handle *out)
{
	const struct slots *s = &r->book.channels;
	while (*cursor < slots_end(s)) {
		uint32_t index = (uint32_t)(*cursor)++;
		const struct channel *c = slots_peek(s, index);
		if (c && c->generation) {
			*out = channel_handle(r, index);
			return true;
		}
	}
	return false;
}

bool roster_next_shared(
	const struct roster *r, struct handle user, size_t *cursor, struct handle *out)
{
	struct handle channel;
	if (!user_at(r, user))
		return false;
	while (roster_next_channel(r, cursor, &channel)) {
		if (book_find_member(&r->book, channel.index, user.index) != SLOTS_NONE) {
			*out = channel;
			return true;
		}
	}
	return false;
}

/* The array is walked from its end: when somebody leaves, the last, who was met already, takes the
 * place. The cursor is 1 + how many are left to be met. */
bool roster_next_member(
	const struct roster *r, struct handle channel, size_t *cursor, struct roster_member *out)
{
	const struct channel *c = roster_channel_at(r, channel);
	if (!c)
		return false;
	size_t left = *cursor ? *cursor - 1 : c->n_members;
	if (left > c->n_members)
		left = c->n_members;
	*cursor = left ? left : 1;
	if (left == 0)
		return false;
	give_member(r, c->members[left - 1], out);
	return true;
}
