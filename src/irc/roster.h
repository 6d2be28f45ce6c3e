/*
 * roster: what the server has told us of channels, their members, and the users we share one with.
 *
 * Lines go in, facts come out. A channel is here while we are in it, a user while a channel is
 * shared or it is ourselves. Both are named by handles: a user's stays the same over a change of
 * nick, and names nothing once the user is gone, also when somebody comes by that nick again.
 * Slices and facts are borrowed until the next call that changes the roster.
 *
 * What a line says is gone from the facts at once; the memory behind it may be that of 100,000
 * users, and goes in steps, by roster_sweep.
 *
 * Nothing is learnt from a line that does not hold: of a channel we are not in, of a user whom we
 * do not see, with too few parameters. Past a maximum a line is ignored and counted.
 */
#ifndef EBB_IRC_ROSTER_H
#define EBB_IRC_ROSTER_H

#include "base/handle.h"
#include "irc/isupport.h"
#include "irc/message.h"

enum {
	ROSTER_CHANNELS_MAX = 1000,
	ROSTER_USERS_MAX = 200000,   /* in all, those not swept yet included */
	ROSTER_MEMBERS_MAX = 500000, /* the same */
	ROSTER_ALIKE_MAX = 16,       /* names that differ in nothing but []\^ and {}|~ */
	ROSTER_MODES_MAX = 64,       /* of a channel, lists and prefixes apart */
	ROSTER_CHANNEL_MAX_BYTES = 512,
	ROSTER_NAME_MAX_BYTES = 255,      /* nick, user, host, account: not known when longer */
	ROSTER_WORDS_MAX_BYTES = 512,     /* real name and away message: cut */
	ROSTER_PARAM_MAX_BYTES = 512,     /* of a mode: it is not kept when longer */
	ROSTER_TOPIC_MAX_BYTES = 8191,    /* and its setter: not known when longer */
	ROSTER_TEXT_MAX_BYTES = 64 << 20, /* of all users but for nicks: not known beyond */
	ROSTER_PREFIXES_MAX = 15
};

struct roster;

struct roster_channel {
	struct str name;
	struct str topic;        /* absent: not known; empty: none */
	struct str topic_setter; /* absent: not known; a nick or nick!user@host */
	int64_t topic_s;   /* since the epoch; 0: not known, as after TOPIC without a time tag */
	int64_t created_s; /* the same */
	struct str key;    /* absent: none, or not known */
	size_t n_members;
	bool is_complete; /* NAMES has ended, and nobody was left out for a maximum */
};

struct roster_user {
	struct str nick;
	struct str user, host, real_name; /* absent: not known */
	struct str account;               /* absent: not known; empty: logged out */
	struct str away_message;          /* absent: not away, or not known */
	bool is_away, is_oper, is_bot;    /* as far as is known */
	bool is_me;
};

struct roster_member {
	struct handle user;
	char prefixes[ROSTER_PREFIXES_MAX + 1]; /* "@+": highest first */
};

/* The seed makes the order of tables unpredictable to those who choose names. */
struct roster *roster_new(uint64_t seed);

/* All at once: where that may take long, reset and sweep before. */
void roster_free(struct roster *r);

/* Forgets everything, for a connection that has ended. */
void roster_reset(struct roster *r);

/* Gives back the memory of what is gone, at most max members of it; true while something is left. A
 * thousand take a quarter of a millisecond, and seldom two. */
bool roster_sweep(struct roster *r, size_t max);

/* Whether account-tag is enabled: a line without the tag is then from somebody logged out. */
void roster_trust_account_tag(struct roster *r, bool is_enabled);

/* Takes a line of this kind (event_kind_of) after all else has seen it: who parts or quits is
 * still there for those. me is our nick, before the line or after. Lines that tell of the past are
 * not for the roster. */
void roster_hear(struct roster *r, const struct message *m, int kind, const struct isupport *is,
	struct str me);

/* How often something was not taken for a maximum. */
uint64_t roster_dropped(const struct roster *r);

/*
 * WHO, to learn what JOIN and NAMES do not tell: each channel that we join is asked about once, one
 * at a time. A question ends with 315 or with the channel, or is given up.
 */

/* Whether the next may be asked. */
bool roster_wants_who(const struct roster *r);

/* Appends the line, without CR LF, that asks about the next channel: WHOX where the server has it.
 * Absent if there is none, or no room in out; else the channel's name. */
struct str roster_next_who(struct roster *r, const struct isupport *is, struct buf *out);

/* The channel whose answers are awaited; names nothing when none are. */
struct handle roster_asked_who(const struct roster *r);
void roster_give_up_who(struct roster *r);

/* Facts. A handle that finds nothing has generation 0. */

struct handle roster_me(const struct roster *r);
struct handle roster_find_channel(const struct roster *r, struct str name);
struct handle roster_find_user(const struct roster *r, struct str nick);

/* False, and *out as it was, when it is gone, or the user is not in the channel. */
bool roster_channel(const struct roster *r, struct handle channel, struct roster_channel *out);
bool roster_user(const struct roster *r, struct handle user, struct roster_user *out);
bool roster_find_member(const struct roster *r, struct handle channel, struct handle user,
	struct roster_member *out);

/* Whether a mode other than a list or a prefix is set; *param is its parameter or absent. */
bool roster_mode(const struct roster *r, struct handle channel, char letter, struct str *param);

/* Appends "+ntl 50", or nothing when none are known. ERR_LIMIT, and out as it was. */
NODISCARD int roster_put_modes(const struct roster *r, struct handle channel, struct buf *out);

/* Appends the names of the channels shared with nick, with spaces between. ERR_LIMIT, and out as it
 * was. */
NODISCARD int roster_channels_of(const struct roster *r, struct str nick, struct buf *out);

/*
 * Walking. *cursor is 0 at first; each call takes a step, false at the end. The roster may change
 * between steps: what is there from the first to the last is met, what comes meanwhile may not be,
 * and a member may be met twice when others leave. Of members the last who came is met first.
 */
bool roster_next_channel(const struct roster *r, size_t *cursor, struct handle *out);
bool roster_next_member(
	const struct roster *r, struct handle channel, size_t *cursor, struct roster_member *out);

/* The channels shared with user. */
bool roster_next_shared(
	const struct roster *r, struct handle user, size_t *cursor, struct handle *out);

#endif
