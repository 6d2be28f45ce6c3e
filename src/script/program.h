/*
 * program: a script as it is configured, whether it runs or not.
 *
 * It loads its script, and loads it anew when the script used up what it may: after a second, and
 * twice as long each time; the sixth time within ten minutes it stays away. Each step is logged.
 */
#ifndef EBB_SCRIPT_PROGRAM_H
#define EBB_SCRIPT_PROGRAM_H

#include "base/timers.h"
#include "script/script.h"

enum { PROGRAM_FAILURES_MAX = 5 };

struct script_options {
	const char *name, *path;
	const char *source;          /* instead of the file at path; NULL: that file is read */
	const char *prelude;         /* source that runs before it and may not pause; NULL: none */
	const char *const *networks; /* NULL: all */
	size_t n_networks;
	const char *const (*pairs)[2]; /* the script's own keys, for `config` */
	size_t n_pairs;
	struct script_limits limits;
	const char *const *lib_folders; /* of modules, beside the script's own */
	size_t n_lib_folders;
};

struct program {
	struct list node; /* the host's programs, as configured */
	struct host *host;
	struct script_options options; /* owned */
	struct script *script;         /* NULL: it does not run */
	struct list failed;            /* the host's, while its script is about to be dropped */
	struct timer restart;
	int64_t failures_ns[PROGRAM_FAILURES_MAX]; /* the last ones; -1: none */
	unsigned n_failures;                       /* counts up */
};

/* Loads a script and runs its main chunk up to its end or first pause. What is wrong with it is
 * logged, ERR_INVALID, and the script is not there. A main chunk that computes for long goes on in
 * slices: what comes of it is logged then. Copies options. */
NODISCARD int program_load(struct host *h, const struct script_options *options);

/* The script cannot go on, and why: nothing of it runs any more, the host drops it soon, and its
 * program loads it anew. Allowed at any time, also while it runs. */
void program_fail(struct script *s, const char *why);

/* The main chunk paused for the first time, or ended. */
void program_loaded(struct script *s);

/* Drops the script that failed. Nothing of any script runs. */
void program_drop_failed(struct program *p);

/* Ends its script, if it runs. */
void program_free(struct program *p);

#endif
