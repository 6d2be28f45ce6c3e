#include "irc/book.h"

#include <string.h>

/* Names that are one and the same now. */

static bool outlives(const struct book *b, uint32_t one, uint32_t other)
{
	const struct user *u = book_user(b, one), *v = book_user(b, other);
	if (one == b->me || other == b->me)
		return one == b->me;
	if (book_is_seen(b, u) != book_is_seen(b, v))
		return book_is_seen(b, u);
	return u->generation > v->generation;
}

/* Who has the same nick and is to go, which may be the user itself. */
static uint32_t find_losing_user(const struct book *b, uint32_t user)
{
	const struct user *u = book_user(b, user);
	struct str nick = book_text(u, TEXT_NICK);
	uint32_t i = slots_first(&b->users, u->slot.hash);
	for (; i != SLOTS_NONE; i = slots_next(&b->users, i)) {
		const struct user *other = book_user(b, i);
		if (other != u && other->slot.hash == u->slot.hash &&
			casemap_eq(b->casemap, nick, book_text(other, TEXT_NICK)))
			return outlives(b, user, i) ? i : user;
	}
	return SLOTS_NONE;
}

static void part_users(struct book *b)
{
	for (uint32_t i = 0; i < slots_end(&b->users); i++) {
		const struct user *u = slots_peek(&b->users, i);
		uint32_t loser = SLOTS_NONE;
		while (loser != i && u &&
			(u->flags & (USER_VARIES | USER_NAMELESS)) == USER_VARIES) {
			loser = find_losing_user(b, i);
			if (loser == SLOTS_NONE)
				break;
			book_forget_user(b, loser);
		}
	}
}

static uint32_t find_losing_channel(const struct book *b, const struct channel *c)
{
	uint32_t i = slots_first(&b->channels, c->slot.hash);
	for (; i != SLOTS_NONE; i = slots_next(&b->channels, i)) {
		const struct channel *other = book_channel(b, i);
		if (other != c && casemap_eq(b->casemap, str_of(c->name), str_of(other->name)))
			return c->generation > other->generation ? i : c->index;
	}
	return SLOTS_NONE;
}

static void part_channels(struct book *b)
{
	for (uint32_t i = 0; i < slots_end(&b->channels); i++) {
		const struct channel *c = slots_peek(&b->channels, i);
		uint32_t loser = SLOTS_NONE;
		while (loser != i && c && c->generation) {
			loser = find_losing_channel(b, c);
			if (loser == SLOTS_NONE)
				break;
			book_forget_channel(b, loser);
		}
	}
}

void book_set_casemap(struct book *b, enum casemap casemap)
{
	if (casemap == b->casemap)
		return;
	bool is_finer = b->casemap == CASEMAP_RFC1459 || casemap == CASEMAP_ASCII;
	b->casemap = casemap;
	if (is_finer)
		return;
	part_channels(b);
	part_users(b);
}

/* Prefixes that stand elsewhere now, or nowhere. */

static uint16_t moved_bits(uint16_t bits, const uint16_t to[16])
{
	uint16_t moved = 0;
	for (int i = 0; i < 16; i++)
		if (bits & 1 << i)
			moved |= to[i];
	return moved;
}

static void move_prefixes(struct book *b, const uint16_t to[16])
{
	for (uint32_t i = 0; i < slots_end(&b->members); i++) {
		struct member *m = slots_peek(&b->members, i);
		if (m && m->prefixes)
			m->prefixes = moved_bits(m->prefixes, to);
	}
}

static void set_prefix_modes(struct book *b, const char *modes)
{
	uint16_t to[16] = {0};
	for (int i = 0; b->prefix_modes[i]; i++) {
		const char *at = strchr(modes, b->prefix_modes[i]);
		to[i] = (uint16_t)(at ? 1u << (at - modes) : 0);
	}
	move_prefixes(b, to);
}

/* For each line: bytes behind the NUL are compared as well, which is quicker, and copied. */
void book_set_prefixes(struct book *b, const char modes[16], const char symbols[16])
{
	if (memcmp(b->prefix_modes, modes, 16) == 0 && memcmp(b->prefix_symbols, symbols, 16) == 0)
		return;
	if (strcmp(b->prefix_modes, modes) != 0)
		set_prefix_modes(b, modes);
	memcpy(b->prefix_modes, modes, 16);
	memcpy(b->prefix_symbols, symbols, 16);
}

void book_show_prefixes(struct book *b, uint32_t member, uint16_t shown)
{
	struct member *m = book_member(b, member);
	bool is_one = shown && (shown & (shown - 1)) == 0;
	unsigned lower = is_one ? m->prefixes & ~(2u * shown - 1) : 0;
	m->prefixes = (uint16_t)(shown | lower);
}
