/*
 * person: somebody on the network who says and does things, and sees things.
 *
 * A person is a client like any other, registered from the first moment, whose lines are made by
 * calls: what the server refuses comes back as a numeric, what others do as they do it. Names are
 * NUL-terminated, texts slices of any bytes but NUL; both are cut at a line break. While a person
 * is split off (fault_split) or gone (person_quit, a kill), calls do nothing.
 */
#ifndef EBB_SIM_PERSON_H
#define EBB_SIM_PERSON_H

#include "irc/message.h"
#include "sim/network.h"

/* A line that the person received, without CR LF; borrowed for the call. */
typedef void person_heard(void *data, const struct message *m);

/* NULL but for nick stands for what is said. Copied. */
struct person_options {
	const char *nick;
	const char *user;     /* the nick */
	const char *host;     /* "NICK.sim.example" */
	const char *account;  /* not logged in */
	const char *realname; /* the nick */
	unsigned caps;        /* bits of enum sim_cap, as if requested */
	person_heard *heard;  /* nothing is told */
	void *data;
};

struct person;

/* Returns a borrowed person who lives until person_free or sim_network_free. NULL when the nick is
 * taken or no nick, or there are too many. */
struct person *person_new(struct sim_network *net, const struct person_options *options);

/* Forgets a person, who quits first if that did not happen yet. NULL is accepted. */
void person_free(struct person *p);

/* The person whose nick that is now, or NULL. */
struct person *person_find(struct sim_network *net, const char *nick);

const char *person_nick(const struct person *p); /* borrowed until the next call */
bool person_is_here(const struct person *p);

/* What people do. Channels, and targets, may be lists with commas; NULL leaves a parameter out. */
void person_join(struct person *p, const char *channel, const char *key);
void person_part(struct person *p, const char *channel, struct str reason);
void person_say(struct person *p, const char *target, struct str text);
void person_notice(struct person *p, const char *target, struct str text);
void person_action(struct person *p, const char *target, struct str text);
void person_nick_to(struct person *p, const char *nick);
void person_quit(struct person *p, struct str reason);
void person_mode(struct person *p, const char *target, const char *change); /* "+o bob" */
void person_topic(struct person *p, const char *channel, struct str topic);
void person_kick(struct person *p, const char *channel, const char *nick, struct str reason);
void person_invite(struct person *p, const char *nick, const char *channel);
void person_away(struct person *p, struct str message); /* absent: back */

/* Any line. */
void person_raw(struct person *p, struct str line);

/* Services log the person in, or out with NULL. Those hear of it who asked to (account-notify). */
void person_login(struct person *p, const char *account);

#endif
