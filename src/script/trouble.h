/*
 * trouble: how much of a script's errors is told.
 *
 * A script that fails for every line of a busy channel, or a thousand times a second by an alarm,
 * would fill the log and bury in it what others say. So some of its errors within a while are
 * logged, and then how many more there were.
 */
#ifndef EBB_SCRIPT_TROUBLE_H
#define EBB_SCRIPT_TROUBLE_H

#include "base/clock.h"
#include "base/timers.h"

#include <stdbool.h>

enum { TROUBLE_TOLD = 100 }; /* within TROUBLE_NS */

#define TROUBLE_NS (10 * NS_PER_S)

struct script;

struct trouble {
	struct timer timer; /* the while ends */
	struct script *script;
	unsigned n; /* errors in it */
};

void trouble_init(struct trouble *t, struct script *s);

/* Tells of those that were not, if there are. */
void trouble_fini(struct trouble *t);

/* An error of the script: whether it is to be logged. Under test each is. */
bool trouble_is_told(struct script *s);

/* Logs that no task could be made, and the first line of why; NULL: it was stopped. site: where it
 * was asked for, or NULL. */
void trouble_no_task(struct script *s, const char *what, const char *site, const char *why);

#endif
