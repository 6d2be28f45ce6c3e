/*
 * roster_inside: the roster as its own files see it; shared by roster.c, roster_hear.c and
 * roster_answers.c alone.
 */
#ifndef EBB_IRC_ROSTER_INSIDE_H
#define EBB_IRC_ROSTER_INSIDE_H

#include "irc/book.h"
#include "irc/roster.h"

struct roster {
	struct book book;
	struct list unasked; /* channels, in the order in which we joined them */
	struct handle asked;
	bool trusts_account_tag;
};

/* Our own WHOX: a script's answers bear another token. */
#define ROSTER_WHO_TOKEN "861"

/* The fields of ROSTER_WHO_FIELDS, as the parameters of a 354. */
#define ROSTER_WHO_FIELDS "%tcuhnfar"
enum who_param {
	WHO_PARAM_TOKEN = 1,
	WHO_PARAM_CHANNEL,
	WHO_PARAM_USER,
	WHO_PARAM_HOST,
	WHO_PARAM_NICK,
	WHO_PARAM_FLAGS,
	WHO_PARAM_ACCOUNT,
	WHO_PARAM_REAL_NAME,
	WHO_PARAMS
};

/* A line that is being heard. */
struct roster_hearing {
	struct roster *r;
	struct book *b;
	const struct message *m;
	const struct isupport *is;
	uint32_t user; /* who sent it; SLOTS_NONE: nobody whom we see */
};

struct roster_row {
	unsigned min_params;
	void (*run)(struct roster_hearing *h);
};

/* What is learnt from a numeric that is about users; NULL when nothing is. */
const struct roster_row *roster_answer_find(int kind);

/* Who is not logged in has the account "*", or "0" in answers to WHOX: these are empty. */
struct str roster_account_of(struct str s);

/* The channel of a handle; NULL when it is gone. */
struct channel *roster_channel_at(const struct roster *r, struct handle h);

/* A channel that we have just joined is to be asked about. */
void roster_want_who(struct roster *r, uint32_t channel);

/* The answers about the channel of this name have ended. */
void roster_end_who(struct roster *r, struct str name);

#endif
