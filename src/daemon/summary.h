/*
 * summary: how the daemon is, in one line: "2 of 3 networks ready, 5 scripts".
 */
#ifndef EBB_DAEMON_SUMMARY_H
#define EBB_DAEMON_SUMMARY_H

#include "daemon/notify.h"
#include "script/host.h"

enum { SUMMARY_BYTES = 100 };

/* Where a script had to be ended and is to be loaded anew: "4 of 5 scripts". */
void summary_write(const struct host *h, char out[SUMMARY_BYTES]);

/* Tells the service manager. Zeroed memory is a summary that was not started. */
struct summary {
	const struct host *host; /* borrowed; outlives this */
	struct notify *notify;   /* the same */
	struct timer look;
};

/* Looks every second from now on, if there is anybody to tell. Does not move. */
void summary_start(struct summary *s, struct notify *notify, const struct host *host);

void summary_stop(struct summary *s);

#endif
