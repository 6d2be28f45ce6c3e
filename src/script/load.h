/*
 * load: a script's program on its way into its state.
 */
#ifndef EBB_SCRIPT_LOAD_H
#define EBB_SCRIPT_LOAD_H

#include "base/err.h"
#include "script/script.h"

/* Opens the libraries, runs the prelude, reads and compiles the file. */
NODISCARD int load_prepare(struct script *s, struct err *err);

/* After load_prepare: runs the main chunk up to its end or first pause, and then, where `state`
 * came from a generation before, what on_reload() noted. Where it computes for long it goes on in
 * slices. program_loaded tells of the end. */
void load_run(struct script *s);

#endif
