/*
 * eval: a piece of Lua that somebody has run within a script, and what it returns, as text.
 *
 * It is a task of the script like any other: it may pause, runs in its turn, and is stopped when it
 * takes too long between two pauses.
 */
#ifndef EBB_SCRIPT_EVAL_H
#define EBB_SCRIPT_EVAL_H

#include "base/err.h"
#include "base/str.h"
#include "script/program.h"

struct eval;

/* Who wants to know; embedded by the owner. */
struct eval_asker {
	struct eval *eval; /* NULL: nothing is under way */
	/* Once: text is what it returned, each value on a line, borrowed; or why is there. Never
	 * called from within eval_start. Runs while the script does: no Lua, and no script ends. */
	void (*told)(struct eval_asker *a, struct str text, const struct err *why);
};

/* Begins; an expression, or statements with a return. ERR_INVALID: it is no Lua, or the script does
 * not run; err begins with "eval: ", and a is not told. From the outside of any script. */
NODISCARD int eval_start(struct program *p, struct str lua, struct eval_asker *a, struct err *err);

/* Nobody wants to know any more: cancels it. */
void eval_forget(struct eval_asker *a);

#endif
