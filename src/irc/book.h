/*
 * book: the records behind the roster; for roster.c, roster_hear.c and their kin alone.
 *
 * Users, channels and members are named by their indices, SLOTS_NONE for none. A member links one
 * user and one channel: it stands in the channel's array, in the user's list, and in a table of its
 * own. A channel that we leave is gone for whoever looks from that moment on, its generation being
 * 0, and so is every user who shares no other channel with us; their memory goes in steps, by
 * book_sweep.
 *
 * Names are hashed as rfc1459 folds them, whatever the server's casemapping: what is the same under
 * any casemapping is the same under that one. So a change of it moves nothing.
 */
#ifndef EBB_IRC_BOOK_H
#define EBB_IRC_BOOK_H

#include "base/hash.h"
#include "base/list.h"
#include "base/slots.h"
#include "irc/isupport.h"

enum user_text {
	TEXT_NICK,
	TEXT_USER,
	TEXT_HOST,
	TEXT_ACCOUNT,
	TEXT_REAL_NAME,
	TEXT_AWAY,
	TEXT_COUNT
};

enum user_flag {
	USER_AWAY = 1,
	USER_OPER = 2,
	USER_BOT = 4,
	USER_KNOWS_ACCOUNT = 8, /* an empty account is then none at all */
	USER_NAMELESS = 16,     /* gone; waits for its last member to be swept */
	USER_VARIES = 32        /* its nick is folded one way or another, as casemappings differ */
};

struct user {
	struct slot slot;
	uint32_t generation; /* of its handle; never 0 */
	uint32_t first;      /* member */
	char *text;          /* owned: all of them, one after the other */
	uint16_t lengths[TEXT_COUNT];
	uint16_t flags;
};

struct member {
	struct slot slot;
	uint32_t user, next, prev; /* of the user's */
	uint32_t position;         /* in the channel's array */
	uint16_t channel;
	uint16_t prefixes; /* bit i: mode i of PREFIX */
};

struct mode {
	char letter;
	char *param; /* owned; NULL for none */
};

struct channel {
	struct slot slot;
	uint32_t generation; /* of its handle; 0: we are in it no more */
	uint32_t index;
	struct list node; /* of those to be asked about, or of those to be swept */
	char *name;
	char *topic, *topic_setter; /* NULL: not known */
	int64_t topic_time, created;
	struct mode *modes; /* in the order in which they were set */
	uint32_t *members;
	uint32_t n_members, members_capacity;
	uint8_t n_modes, modes_capacity;
	bool has_names;
	bool lacks_members; /* some are left out, for a maximum */
};

struct book {
	struct slots users, channels, members;
	struct hash_key key;
	enum casemap casemap;
	char prefix_modes[16], prefix_symbols[16];
	struct list gone; /* channels to be swept */
	uint32_t n_channels, generation;
	uint32_t me; /* user */
	size_t text_bytes;
	uint64_t dropped;
};

void book_init(struct book *b, uint64_t seed);
void book_fini(struct book *b);

static inline struct user *book_user(const struct book *b, uint32_t index)
{
	return slots_at(&b->users, index);
}

static inline struct channel *book_channel(const struct book *b, uint32_t index)
{
	return slots_at(&b->channels, index);
}

static inline struct member *book_member(const struct book *b, uint32_t index)
{
	return slots_at(&b->members, index);
}

struct str book_text(const struct user *u, enum user_text which);

/* Whether u is us or shares a channel with us. */
bool book_is_seen(const struct book *b, const struct user *u);

/* Those who are seen. */
uint32_t book_find_user(const struct book *b, struct str nick);
uint32_t book_find_channel(const struct book *b, struct str name);
uint32_t book_find_member(const struct book *b, uint32_t channel, uint32_t user);

/* NULL: it is not set, or not known. */
struct mode *book_find_mode(const struct channel *c, char letter);

/* Us, by this nick. */
void book_set_me(struct book *b, struct str nick);

void book_forget_user(struct book *b, uint32_t user);

/* Forgets who had that nick before; and the user itself where the nick is ours or is none. */
void book_rename_user(struct book *b, uint32_t user, struct str nick);

/* A channel that is not there yet; SLOTS_NONE past the maximum, or for a name that is none. */
uint32_t book_add_channel(struct book *b, struct str name);
void book_rename_channel(struct book *b, uint32_t channel, struct str name);
void book_forget_channel(struct book *b, uint32_t channel);

/* The member, made if need be, and the user as well; SLOTS_NONE past a maximum. */
uint32_t book_join(struct book *b, uint32_t channel, struct str nick);
void book_part(struct book *b, uint32_t member);

/* All of it, us too. */
void book_clear(struct book *b);

/* Frees what is gone, at most max members; true when something is left. */
bool book_sweep(struct book *b, size_t max);

/* What is known of a user, who may be SLOTS_NONE here. Takes what is present of texts (nick apart);
 * an empty one is none, of an account: logged out. What is too long, or for which there is no room,
 * is not known from then on; words are cut instead. */
void book_learn(struct book *b, uint32_t user, const struct str texts[TEXT_COUNT]);
void book_learn_one(struct book *b, uint32_t user, enum user_text which, struct str text);
void book_learn_address(struct book *b, uint32_t user, struct str name, struct str host);
void book_set_flag(struct book *b, uint32_t user, enum user_flag flag, bool is_set);

/* An absent message leaves the one that is known. */
void book_set_away(struct book *b, uint32_t user, bool is_away, struct str message);

/* All texts as they are. */
void book_set_texts(struct book *b, struct user *u, const struct str texts[TEXT_COUNT]);
void book_free_texts(struct book *b, struct user *u);

/* The server's idea of names and of prefixes, which may be another now: as isupport has them. */
void book_set_casemap(struct book *b, enum casemap casemap);
void book_set_prefixes(struct book *b, const char modes[16], const char symbols[16]);

/* The bits of PREFIX that a reply shows. Without multi-prefix that is the highest only, so lower
 * ones that are known stay beside a single one. */
void book_show_prefixes(struct book *b, uint32_t member, uint16_t shown);

#endif
