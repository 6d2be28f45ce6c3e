/*
 * program: a script as it is configured, whether it runs or not.
 *
 * It loads its script, puts new generations of it in its place (reload.h), and loads it anew, with
 * its `state`, when it used up what it may: after a second, and twice as long each time; the sixth
 * time within ten minutes it stays away, until somebody has it reloaded. Each step is logged, and
 * scripts hear of it (news.h).
 */
#ifndef EBB_SCRIPT_PROGRAM_H
#define EBB_SCRIPT_PROGRAM_H

#include "base/timers.h"
#include "script/carry.h"
#include "script/follow.h"
#include "script/script.h"

enum { PROGRAM_FAILURES_MAX = 5 };

struct reload;

/* Who wants to know what becomes of a load, a reload or an end; embedded by the owner. */
struct program_asker {
	struct list node;
	/* why: NULL where it went well. Never called from within the call that was given it. */
	void (*told)(struct program_asker *a, const struct err *why);
	struct err why;
};

struct program {
	struct list node; /* the host's programs, as configured */
	struct host *host;
	struct script_options options; /* owned: of what is loaded next; a script has its own */
	struct script *script;         /* NULL: it does not run */
	struct list retired;           /* generations on their way out, the oldest first */
	struct reload *reload;         /* owned: under way; NULL */
	bool wants_reload;             /* another, when what is under way has ended */
	struct saving saving;          /* of a script that failed; its bytes: for the next */
	struct restoring restoring;
	struct timer step;    /* of these two */
	struct timer restart; /* set: it is loaded anew then */
	struct timer tell;
	struct list askers, next_askers, told;     /* struct program_asker */
	int64_t failures_ns[PROGRAM_FAILURES_MAX]; /* the last ones; -1: none */
	unsigned n_failures;                       /* counts up */
	unsigned n_generations;                    /* counts up: those that were loaded */
	int64_t loaded_ns;                         /* when the present one was */
	bool is_disabled;                          /* it failed too often */
	bool is_unloaded;                          /* as somebody wished */
	bool is_by_hand;                           /* the configuration does not have it */
	bool is_leaving;                           /* it is forgotten when nothing of it runs */
	struct err fault;                          /* of the last attempt; code 0: it went well */
	struct follow files;
};

/* One that does not run yet, after all others. Copies options. */
struct program *program_new(struct host *h, const struct script_options *options);

/* Loads its script, which does not run, and runs the main chunk up to its end or first pause. What
 * is wrong with it is logged, ERR_INVALID. A main chunk that computes for long goes on in slices:
 * what comes of it is logged then. */
NODISCARD int program_start(struct program *p);

/* Both; where it fails there is no program. */
NODISCARD int program_load(struct host *h, const struct script_options *options);

/* A new generation of the script, or where none runs the first; from the outside of any script.
 * options: from then on; NULL: as they are. One that is under way already is followed by another.
 * asker may be NULL, else it stays until it is told or forgotten. */
void program_reload(
	struct program *p, const struct script_options *options, struct program_asker *asker);

/* Refuses the reload that is under way, if one is; allowed at any time. */
void program_refuse_reload(struct program *p, const char *why);

/* Ends its script, if it runs: what of it is under way is cancelled, and what on_unload() noted
 * runs with that reason, which is static. From the outside of any script. */
void program_unload(struct program *p, const char *reason);

/* The same; p is freed when nothing of it runs any more. */
void program_remove(struct program *p);

void program_forget_asker(struct program_asker *asker);

/* NULL: there is none of that name that is not leaving. */
struct program *program_find(const struct host *h, struct str name);

/* How many have a script that runs, or is being loaded. */
size_t program_count_running(const struct host *h);

/* Makes it the last of all programs, whose order is that of delivery. */
void program_to_end(struct program *p);

/* In a word: "running", "loading", "reloading", "restarting", "failed", "disabled", "unloaded". */
const char *program_state(const struct program *p);

/* From script, reload and retire: */

/* The script cannot go on, and why: nothing of it runs any more, the host drops it soon, and its
 * program loads it anew. Allowed at any time, also while it runs. */
void program_fail(struct script *s, const char *why);

/* The main chunk ended; or paused for the first time, where it replaces none. */
void program_loaded(struct script *s);

/* The script that runs has looked for another file, as require_follow notes it. */
void program_followed(struct program *p, const char *path, uint64_t hash);

/* Sees to a script that the host was asked to settle. Nothing of any script runs. */
void program_settle(struct script *s);

/* Puts its script where it belongs among the host's. */
void program_place(struct program *p);

/* A generation that had retired is gone; p may be, too, when this returns. */
void program_dropped(struct program *p);

/* Drops its script, and all that is under way. */
void program_free(struct program *p);

#endif
