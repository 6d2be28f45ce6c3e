#include "base/mem.h"
#include "base/utf8.h"
#include "irc/book.h"
#include "irc/roster.h"

#include <stdlib.h>
#include <string.h>

struct str book_text(const struct user *u, enum user_text which)
{
	size_t at = 0;
	for (int i = 0; i < (int)which; i++)
		at += u->lengths[i];
	return (struct str){u->text + at, u->lengths[which]};
}

static size_t other_bytes(const uint16_t lengths[TEXT_COUNT])
{
	size_t n = 0;
	for (int i = TEXT_USER; i < TEXT_COUNT; i++)
		n += lengths[i];
	return n;
}

static struct str cut_words(struct str words)
{
	size_t n = 0, size = 0;
	if (words.n <= ROSTER_WORDS_MAX_BYTES)
		return words;
	while (n + size <= ROSTER_WORDS_MAX_BYTES) {
		n += size;
		size = utf8_size(str_skip(words, n));
		size = size ? size : 1;
	}
	return (struct str){words.p, n};
}

static struct str fitting(enum user_text which, struct str s)
{
	if (which >= TEXT_REAL_NAME)
		return cut_words(s);
	return s.n <= ROSTER_NAME_MAX_BYTES ? s : (struct str){s.p, 0};
}

static void put_texts(struct user *u, const struct str texts[TEXT_COUNT])
{
	size_t n = 0;
	for (int i = 0; i < TEXT_COUNT; i++)
		n += texts[i].n;
	char *text = mem_new(n), *to = text;
	for (int i = 0; i < TEXT_COUNT; i++) {
		if (texts[i].n)
			memcpy(to, texts[i].p, texts[i].n);
		to += texts[i].n;
		u->lengths[i] = (uint16_t)texts[i].n;
	}
	free(u->text);
	u->text = text;
}

/* What there is no room for is left out. */
static void make_room(struct book *b, const struct user *u, const struct str texts[TEXT_COUNT],
	struct str fresh[TEXT_COUNT])
{
	size_t n = 0, room = ROSTER_TEXT_MAX_BYTES - (b->text_bytes - other_bytes(u->lengths));
	for (int i = TEXT_USER; i < TEXT_COUNT; i++)
		n += fresh[i].n;
	if (n <= room)
		return;
	b->dropped++;
	for (int i = TEXT_USER; i < TEXT_COUNT; i++)
		if (texts[i].p)
			fresh[i].n = 0;
}

static bool is_same(const struct user *u, const struct str texts[TEXT_COUNT])
{
	if (!u->text)
		return false;
	for (int i = 0; i < TEXT_COUNT; i++)
		if (!str_eq(texts[i], book_text(u, (enum user_text)i)))
			return false;
	return true;
}

void book_set_texts(struct book *b, struct user *u, const struct str texts[TEXT_COUNT])
{
	if (is_same(u, texts))
		return;
	b->text_bytes -= other_bytes(u->lengths);
	put_texts(u, texts);
	b->text_bytes += other_bytes(u->lengths);
}

/* Most lines tell what is known. */
static bool knows(const struct user *u, enum user_text which, struct str text)
{
	if (!text.p)
		return true;
	bool is_told = which != TEXT_ACCOUNT || u->flags & USER_KNOWS_ACCOUNT;
	return is_told && text.n == u->lengths[which] && str_eq(book_text(u, which), text);
}

void book_learn(struct book *b, uint32_t user, const struct str texts[TEXT_COUNT])
{
	if (user == SLOTS_NONE)
		return;
	struct user *u = book_user(b, user);
	struct str fresh[TEXT_COUNT];
	for (int i = 0; i < TEXT_COUNT; i++) {
		enum user_text which = (enum user_text)i;
		bool is_given = i != TEXT_NICK && texts[i].p;
		fresh[i] = is_given ? fitting(which, texts[i]) : book_text(u, which);
	}
	make_room(b, u, texts, fresh);
	if (texts[TEXT_ACCOUNT].p)
		book_set_flag(b, user, USER_KNOWS_ACCOUNT,
			fresh[TEXT_ACCOUNT].n == texts[TEXT_ACCOUNT].n);
	book_set_texts(b, u, fresh);
}

void book_free_texts(struct book *b, struct user *u)
{
	b->text_bytes -= other_bytes(u->lengths);
	free(u->text);
	u->text = NULL;
}

void book_learn_one(struct book *b, uint32_t user, enum user_text which, struct str text)
{
	if (user == SLOTS_NONE || knows(book_user(b, user), which, text))
		return;
	struct str texts[TEXT_COUNT] = {STR_NONE};
	texts[which] = text;
	book_learn(b, user, texts);
}

void book_learn_address(struct book *b, uint32_t user, struct str name, struct str host)
{
	if (user == SLOTS_NONE)
		return;
	const struct user *u = book_user(b, user);
	if (knows(u, TEXT_USER, name) && knows(u, TEXT_HOST, host))
		return;
	struct str texts[TEXT_COUNT] = {[TEXT_USER] = name, [TEXT_HOST] = host};
	book_learn(b, user, texts);
}

void book_set_flag(struct book *b, uint32_t user, enum user_flag flag, bool is_set)
{
	if (user == SLOTS_NONE)
		return;
	struct user *u = book_user(b, user);
	u->flags = (uint16_t)(is_set ? u->flags | flag : u->flags & ~flag);
}

void book_set_away(struct book *b, uint32_t user, bool is_away, struct str message)
{
	book_set_flag(b, user, USER_AWAY, is_away);
	book_learn_one(b, user, TEXT_AWAY, is_away ? message : STR(""));
}
