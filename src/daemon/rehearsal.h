/*
 * rehearsal: the bots of a test: a daemon's core and networks, connected to networks in this
 * process.
 */
#ifndef EBB_DAEMON_REHEARSAL_H
#define EBB_DAEMON_REHEARSAL_H

#include "daemon/core.h"
#include "script/trial.h"

/* Borrowed by the trial's operations as their data. */
struct rehearsal {
	struct loop *loop;       /* borrowed */
	const char *folder;      /* of the test's file: "" or ending in "/" */
	struct host_trial trial; /* for the bots: they have no `ebb.test` */
};

extern const struct trial_ops rehearsal_ops;

#endif
