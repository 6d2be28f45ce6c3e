#include "irc/book.h"

#include "base/mem.h"
#include "base/rand.h"
#include "irc/roster.h"

#include <stdlib.h>
#include <string.h>

/* So that a channel that few were in is gone at once. */
enum { SWEPT_AT_ONCE = 64 };

void book_init(struct book *b, uint64_t seed)
{
	struct rand random = {seed};
	*b = (struct book){.me = SLOTS_NONE, .casemap = CASEMAP_RFC1459};
	b->key = (struct hash_key){
		{rand_next(&random), rand_next(&random)}
        };
	slots_init(&b->users, sizeof(struct user), 4);
	slots_init(&b->channels, sizeof(struct channel), 2);
	slots_init(&b->members, sizeof(struct member), 4);
	list_init(&b->gone);
}

void book_fini(struct book *b)
{
	book_clear(b);
	while (book_sweep(b, SIZE_MAX))
		continue;
	slots_fini(&b->users);
	slots_fini(&b->channels);
	slots_fini(&b->members);
}

static uint32_t next_generation(struct book *b)
{
	if (++b->generation == 0)
		b->generation = 1;
	return b->generation;
}

/* Names. */

/* name.n is at most ROSTER_CHANNEL_MAX_BYTES. */
static uint32_t hash_name(const struct book *b, struct str name)
{
	char folded[ROSTER_CHANNEL_MAX_BYTES];
	casemap_fold_str(CASEMAP_RFC1459, name, folded);
	return (uint32_t)hash_str(&b->key, (struct str){folded, name.n});
}

static bool is_nick(struct str s)
{
	return s.n > 0 && s.n <= ROSTER_NAME_MAX_BYTES;
}

/* Also one who is not seen any more. */
static uint32_t find_record(const struct book *b, struct str nick)
{
	if (!is_nick(nick))
		return SLOTS_NONE;
	uint32_t hash = hash_name(b, nick);
	uint32_t i = slots_first(&b->users, hash);
	for (; i != SLOTS_NONE; i = slots_next(&b->users, i)) {
		const struct user *u = book_user(b, i);
		if (u->slot.hash == hash && casemap_eq(b->casemap, book_text(u, TEXT_NICK), nick))
			break;
	}
	return i;
}

bool book_is_seen(const struct book *b, const struct user *u)
{
	if (u->flags & USER_NAMELESS)
		return false;
	if (b->me != SLOTS_NONE && u == book_user(b, b->me))
		return true;
	for (uint32_t i = u->first; i != SLOTS_NONE; i = book_member(b, i)->next)
		if (book_channel(b, book_member(b, i)->channel)->generation)
			return true;
	return false;
}

uint32_t book_find_user(const struct book *b, struct str nick)
{
	uint32_t i = find_record(b, nick);
	return i != SLOTS_NONE && book_is_seen(b, book_user(b, i)) ? i : SLOTS_NONE;
}

uint32_t book_find_channel(const struct book *b, struct str name)
{
	if (name.n == 0 || name.n > ROSTER_CHANNEL_MAX_BYTES)
		return SLOTS_NONE;
	uint32_t hash = hash_name(b, name);
	uint32_t i = slots_first(&b->channels, hash);
	for (; i != SLOTS_NONE; i = slots_next(&b->channels, i)) {
		const struct channel *c = book_channel(b, i);
		if (c->slot.hash == hash && casemap_eq(b->casemap, str_of(c->name), name))
			break;
	}
	return i;
}

struct mode *book_find_mode(const struct channel *c, char letter)
{
	for (size_t i = 0; i < c->n_modes; i++)
		if (c->modes[i].letter == letter)
			return &c->modes[i];
	return NULL;
}

static uint32_t hash_pair(const struct book *b, uint32_t channel, uint32_t user)
{
	return (uint32_t)hash_number(&b->key, (uint64_t)channel << 32 | user);
}

uint32_t book_find_member(const struct book *b, uint32_t channel, uint32_t user)
{
	uint32_t i = slots_first(&b->members, hash_pair(b, channel, user));
	for (; i != SLOTS_NONE; i = slots_next(&b->members, i)) {
		const struct member *m = book_member(b, i);
		if (m->channel == channel && m->user == user)
			break;
	}
	return i;
}

/* Users come and go. */

static bool varies(struct str nick)
{
	for (size_t i = 0; i < nick.n; i++)
		if (str_has(STR("[]\\^{}|~"), nick.p[i]))
			return true;
	return false;
}

static void link_user(struct book *b, uint32_t user, struct str nick)
{
	book_set_flag(b, user, USER_VARIES, varies(nick));
	slots_link(&b->users, user, hash_name(b, nick));
}

static uint32_t add_user(struct book *b, struct str nick)
{
	uint32_t index;
	struct user *u = slots_add(&b->users, &index);
	u->generation = next_generation(b);
	u->first = SLOTS_NONE;
	book_set_texts(b, u, (struct str[TEXT_COUNT]){nick});
	link_user(b, index, nick);
	return index;
}

static void free_user(struct book *b, uint32_t user)
{
	struct user *u = book_user(b, user);
	if (!(u->flags & USER_NAMELESS))
		slots_unlink(&b->users, user);
	book_free_texts(b, u);
	slots_drop(&b->users, user);
}

/* Nobody finds it from now on. What it still has are members of channels that are gone. */
static void release_user(struct book *b, uint32_t user)
{
	struct user *u = book_user(b, user);
	if (u->first == SLOTS_NONE) {
		free_user(b, user);
	} else if (!(u->flags & USER_NAMELESS)) {
		slots_unlink(&b->users, user);
		u->flags |= USER_NAMELESS;
	}
}

static void leave_array(struct book *b, const struct member *m)
{
	struct channel *c = book_channel(b, m->channel);
	uint32_t last = c->members[--c->n_members];
	c->members[m->position] = last;
	book_member(b, last)->position = m->position;
	if (c->n_members < c->members_capacity / 4 && c->members_capacity > 16) {
		c->members_capacity /= 2;
		c->members = mem_resize(c->members, c->members_capacity, sizeof(*c->members));
	}
}

static void leave_list(struct book *b, const struct member *m)
{
	if (m->prev != SLOTS_NONE)
		book_member(b, m->prev)->next = m->next;
	else
		book_user(b, m->user)->first = m->next;
	if (m->next != SLOTS_NONE)
		book_member(b, m->next)->prev = m->prev;
}

static void free_member(struct book *b, uint32_t member)
{
	const struct member *m = book_member(b, member);
	leave_array(b, m);
	leave_list(b, m);
	slots_unlink(&b->members, member);
	slots_drop(&b->members, member);
}

void book_forget_user(struct book *b, uint32_t user)
{
	const struct user *u = book_user(b, user);
	while (u->first != SLOTS_NONE)
		free_member(b, u->first);
	if (user == b->me)
		b->me = SLOTS_NONE;
	free_user(b, user);
}

static bool has_room(const struct slots *s, uint32_t hash)
{
	uint32_t n = 0;
	for (uint32_t i = slots_first(s, hash); i != SLOTS_NONE; i = slots_next(s, i))
		n += ((const struct slot *)slots_at(s, i))->hash == hash;
	return n < ROSTER_ALIKE_MAX;
}

static void rename_user(struct book *b, uint32_t user, struct str nick)
{
	struct user *u = book_user(b, user);
	struct str texts[TEXT_COUNT] = {nick};
	for (int i = TEXT_USER; i < TEXT_COUNT; i++)
		texts[i] = book_text(u, (enum user_text)i);
	slots_unlink(&b->users, user);
	book_set_texts(b, u, texts);
	link_user(b, user, nick);
}

/* Two cannot have one nick: what was known of the other is out of date. Nobody else has ours. */
void book_rename_user(struct book *b, uint32_t user, struct str nick)
{
	uint32_t other = find_record(b, nick);
	bool is_mine = user == b->me, is_new = other != user;
	bool is_taken = is_new && other != SLOTS_NONE && other == b->me;
	bool fits =
		is_nick(nick) && (is_mine || !is_new || has_room(&b->users, hash_name(b, nick)));
	b->dropped += !fits;
	if (is_taken || (!fits && !is_mine))
		book_forget_user(b, user);
	if (is_taken || !fits)
		return;
	if (other != SLOTS_NONE && is_new)
		book_forget_user(b, other);
	rename_user(b, user, nick);
}

/* The record of nick, made if need be. One that nobody sees any more is not revived: handles to it
 * are stale. */
static uint32_t take_user(struct book *b, struct str nick, uint32_t max)
{
	uint32_t user = find_record(b, nick);
	if (user != SLOTS_NONE && book_is_seen(b, book_user(b, user)))
		return user;
	if (user != SLOTS_NONE)
		release_user(b, user);
	if (is_nick(nick) && b->users.n < max && has_room(&b->users, hash_name(b, nick)))
		return add_user(b, nick);
	b->dropped++;
	return SLOTS_NONE;
}

void book_set_me(struct book *b, struct str nick)
{
	if (!is_nick(nick))
		return;
	if (b->me == SLOTS_NONE)
		b->me = take_user(b, nick, UINT32_MAX);
	else if (!str_eq(book_text(book_user(b, b->me), TEXT_NICK), nick))
		book_rename_user(b, b->me, nick);
}

/* Channels come and go. */

static bool is_channel_name(struct str name)
{
	return name.n > 0 && name.n <= ROSTER_CHANNEL_MAX_BYTES && !str_has(name, '\0');
}

uint32_t book_add_channel(struct book *b, struct str name)
{
	uint32_t index;
	if (!is_channel_name(name) || b->n_channels >= ROSTER_CHANNELS_MAX ||
		b->channels.n >= UINT16_MAX || !has_room(&b->channels, hash_name(b, name))) {
		b->dropped++;
		return SLOTS_NONE;
	}
	struct channel *c = slots_add(&b->channels, &index);
	c->generation = next_generation(b);
	c->index = index;
	c->name = str_dup(name);
	list_init(&c->node);
	slots_link(&b->channels, index, hash_name(b, name));
	b->n_channels++;
	return index;
}

void book_rename_channel(struct book *b, uint32_t channel, struct str name)
{
	uint32_t other = book_find_channel(b, name);
	if (!is_channel_name(name) || !has_room(&b->channels, hash_name(b, name))) {
		b->dropped++;
		return;
	}
	if (other != SLOTS_NONE && other != channel)
		book_forget_channel(b, other);
	struct channel *c = book_channel(b, channel);
	slots_unlink(&b->channels, channel);
	free(c->name);
	c->name = str_dup(name);
	slots_link(&b->channels, channel, hash_name(b, name));
}

static void free_facts(struct channel *c)
{
	for (size_t i = 0; i < c->n_modes; i++)
		free(c->modes[i].param);
	free(c->modes);
	free(c->name);
	free(c->topic);
	free(c->topic_setter);
	c->modes = NULL;
	c->name = c->topic = c->topic_setter = NULL;
	c->n_modes = 0;
}

static void retire_channel(struct book *b, uint32_t channel)
{
	struct channel *c = book_channel(b, channel);
	slots_unlink(&b->channels, channel);
	free_facts(c);
	c->generation = 0;
	list_remove(&c->node);
	list_append(&b->gone, &c->node);
	b->n_channels--;
}

void book_forget_channel(struct book *b, uint32_t channel)
{
	retire_channel(b, channel);
	book_sweep(b, SWEPT_AT_ONCE);
}

void book_clear(struct book *b)
{
	for (uint32_t i = 0; i < slots_end(&b->channels); i++) {
		const struct channel *c = slots_peek(&b->channels, i);
		if (c && c->generation)
			retire_channel(b, i);
	}
	if (b->me != SLOTS_NONE)
		book_forget_user(b, b->me);
}

static void sweep_member(struct book *b, uint32_t member)
{
	uint32_t user = book_member(b, member)->user;
	free_member(b, member);
	if (book_user(b, user)->first == SLOTS_NONE && user != b->me)
		free_user(b, user);
}

bool book_sweep(struct book *b, size_t max)
{
	for (; !list_is_empty(&b->gone) && max > 0; max--) {
		struct channel *c = container_of(b->gone.next, struct channel, node);
		if (c->n_members) {
			sweep_member(b, c->members[c->n_members - 1]);
			continue;
		}
		free(c->members);
		list_remove(&c->node);
		slots_drop(&b->channels, c->index);
	}
	return !list_is_empty(&b->gone);
}

/* Members come and go. */

static void enter_array(struct channel *c, struct member *m, uint32_t member)
{
	if (c->n_members == c->members_capacity) {
		c->members_capacity += c->members_capacity / 2 + 4;
		c->members = mem_resize(c->members, c->members_capacity, sizeof(*c->members));
	}
	m->position = c->n_members;
	c->members[c->n_members++] = member;
}

static void enter_list(struct book *b, struct member *m, uint32_t member)
{
	struct user *u = book_user(b, m->user);
	m->prev = SLOTS_NONE;
	m->next = u->first;
	if (u->first != SLOTS_NONE)
		book_member(b, u->first)->prev = member;
	u->first = member;
}

static uint32_t add_member(struct book *b, uint32_t channel, uint32_t user)
{
	uint32_t index;
	struct member *m = slots_add(&b->members, &index);
	m->channel = (uint16_t)channel;
	m->user = user;
	enter_array(book_channel(b, channel), m, index);
	enter_list(b, m, index);
	slots_link(&b->members, index, hash_pair(b, channel, user));
	return index;
}

uint32_t book_join(struct book *b, uint32_t channel, struct str nick)
{
	uint32_t user = book_find_user(b, nick);
	uint32_t member = user != SLOTS_NONE ? book_find_member(b, channel, user) : SLOTS_NONE;
	if (member != SLOTS_NONE)
		return member;
	bool is_full = b->members.n >= ROSTER_MEMBERS_MAX;
	if (!is_full)
		user = take_user(b, nick, ROSTER_USERS_MAX);
	else
		b->dropped++;
	if (is_full || user == SLOTS_NONE) {
		book_channel(b, channel)->lacks_members = true;
		return SLOTS_NONE;
	}
	return add_member(b, channel, user);
}

void book_part(struct book *b, uint32_t member)
{
	uint32_t user = book_member(b, member)->user;
	free_member(b, member);
	if (!book_is_seen(b, book_user(b, user)))
		release_user(b, user);
}
