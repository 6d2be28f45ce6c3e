/*
 * programs: the scripts of a daemon, as its configuration says, and the files that they follow.
 *
 * By name, scripts are loaded, reloaded where their section or one of their files is another, and
 * unloaded. The policy `reconnect` is among them without being asked for. Somebody may load others
 * by hand, and unload any: what was loaded or unloaded so stays until the configuration says
 * something else of it. Where files are watched, a change of content reloads the scripts that use
 * the file.
 */
#ifndef EBB_DAEMON_PROGRAMS_H
#define EBB_DAEMON_PROGRAMS_H

#include "daemon/core.h"
#include "daemon/scripts.h"
#include "net/watch.h"

struct programs {
	struct core *core;        /* borrowed; outlives this */
	struct script_paths libs; /* lib/ of the folders on script_path */
	struct watch watch;
	bool is_watching;
	struct timer follow; /* after files were noted */
};

/* What came of one script in a round. */
struct programs_outcome {
	struct list node;
	struct program_asker asker;
	struct programs_round *round;
	char *name;
	const char *what; /* "loaded", "reloaded", "unloaded"; NULL: it is under way */
	bool is_new;
};

/* One configuration that is applied; embedded by who does. */
struct programs_round {
	void (*done)(
		struct programs_round *r); /* each outcome is known; never from within the call */
	struct list outcomes; /* struct programs_outcome; those that failed have asker.why */
	size_t n_waiting;
	struct timer end;
};

/* Does not move. */
void programs_init(struct programs *ps, struct core *core);

/* The scripts are the host's, which is there still. */
void programs_fini(struct programs *ps);

/* Loads all. How many failed: these stay known, and are loaded when their files change. */
int programs_start(struct programs *ps, const struct config *config);

/* Whether the main chunk of one has neither ended nor paused. */
bool programs_are_loading(const struct programs *ps);

/* Ends all: what on_unload() noted runs, with the reason "shutdown". */
void programs_stop(struct programs *ps);

/* Applies another configuration; r->done is set. */
void programs_apply(struct programs *ps, const struct config *config, struct programs_round *r);

/* Forgets a round, under way or done. Does nothing for zeroed memory. */
void programs_round_fini(struct programs *ps, struct programs_round *r);

/* One by hand: that of the name which does not run, else NAME on script_path. The asker is told.
 * NULL: err says why, and it is not. */
struct program *programs_load(struct programs *ps, const struct config *config, const char *name,
	struct program_asker *asker, struct err *err);

/* From now on the files of all scripts are watched, or not. */
void programs_watch(struct programs *ps, bool is_on);

#endif
