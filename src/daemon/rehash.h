/*
 * rehash: the configuration read anew while the daemon runs, as one transaction.
 *
 * A file that is at fault changes nothing, and the log says why. Else networks and scripts are
 * added, changed and removed (networks.h, programs.h); a script whose new code fails stays as it
 * was. Signals that come close after each other are one rehash; one that comes during a rehash is
 * followed by another.
 */
#ifndef EBB_DAEMON_REHASH_H
#define EBB_DAEMON_REHASH_H

#include "daemon/engine.h"
#include "daemon/notify.h"

/* Signals: after so long without one, at the latest so long after the first. */
#define REHASH_QUIET_NS (100 * NS_PER_MS)
#define REHASH_MOST_NS  (2 * NS_PER_S)

/* Who wants to know what becomes of it; embedded by the owner. */
struct rehash_asker {
	struct list node;
	/* why: NULL where all went well. outcomes: struct programs_outcome of the scripts that it
	 * was about; borrowed. Never called from within the call that was given it. */
	void (*told)(struct rehash_asker *a, const struct err *why, const struct list *outcomes);
};

/* What it acts on; borrowed, outlives it. */
struct rehash_parts {
	const char *path;
	bool is_verbose; /* the log's level is debug at least */
	struct engine *engine;
	struct notify *notify;
};

struct rehash {
	struct rehash_parts parts;
	struct timer due;
	int64_t first_ns; /* of the signals that it is due for */
	bool is_running, is_stopped;
	bool is_signalled;               /* while it runs */
	struct list askers, next_askers; /* struct rehash_asker */
	struct programs_round round;
};

/* Does not move. */
void rehash_init(struct rehash *r, const struct rehash_parts *parts);
void rehash_fini(struct rehash *r);

/* A signal came. */
void rehash_signal(struct rehash *r);

/* At once, or after the one that is under way. */
void rehash_ask(struct rehash *r, struct rehash_asker *asker);
void rehash_forget_asker(struct rehash_asker *asker);

/* The daemon ends: none begins any more. */
void rehash_stop(struct rehash *r);

#endif
