/*
 * reload: one attempt to put a new generation of a script in the place of the present one.
 *
 *     read, compile          while the old generation goes on
 *     wait, freeze it        at the end of an event; what comes from then on waits in its inbox
 *     save `state`           of the old
 *     restore it             in the new
 *     run the main chunk     of the new, up to its end, and on_reload; nothing is delivered to it
 *     commit                 the new gets the inbox, and alarms their times; the old retires
 *
 * Whatever fails before the commit refuses the reload: the new generation is dropped, and the old
 * goes on with its inbox, as if nothing had been. Both the old and the new know nothing of it.
 */
#ifndef EBB_SCRIPT_RELOAD_H
#define EBB_SCRIPT_RELOAD_H

#include "script/carry.h"

enum reload_phase {
	RELOAD_WAITS,
	RELOAD_SAVES,
	RELOAD_RESTORES,
	RELOAD_RUNS,
	RELOAD_SETTLES /* it is decided; nothing is to run before it is done */
};

struct reload {
	struct program *program;
	struct script *candidate; /* owned; NULL: it could not be made */
	enum reload_phase phase;
	bool is_refused;
	char *why; /* owned: of a refusal, with its traceback */
	struct saving saving;
	struct restoring restoring;
	struct timer step, deadline;
};

/* Begins; p->script is there, and nothing of any script runs. The host's settling of the candidate
 * ends it (reload_settle); where there is none, it is refused already. */
void reload_begin(struct reload *r, struct program *p, const struct script_options *options);

/* The candidate's main chunk has ended. */
void reload_loaded(struct reload *r);

/* Refuses it; what was decided stays. */
void reload_refuse(struct reload *r, const char *why);

/* Makes the candidate the program's script, which it returns with the old one retired; NULL where
 * it was refused: the old goes on. */
struct script *reload_settle(struct reload *r);

/* Lets go of all that it owns. */
void reload_fini(struct reload *r);

#endif
