/*
 * who: asks about the channels that we joined, one after the other; a part of the session.
 *
 * What JOIN and NAMES do not tell, accounts above all, WHO does. The roster knows which channel is
 * next (roster.h); here is when: the questions keep a distance, and one that is not answered is
 * given up.
 */
#ifndef EBB_IRC_WHO_H
#define EBB_IRC_WHO_H

#include <stdint.h>

#define WHO_ANSWER_NS (120 * NS_PER_S) /* for a channel of many thousand members */

struct session;

struct who {
	int64_t asked_ns; /* the last question */
};

/* When who_tick is next wanted, or -1. */
int64_t who_deadline(const struct session *s);
void who_tick(struct session *s);

#endif
