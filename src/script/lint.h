/*
 * lint: what the author of a script is told in debug mode, at once instead of never.
 *
 * Debug mode is `debug = yes` in the script's section, or log_level = debug for all. Each finding
 * is a warning that names the task and where it was made. What else is told is told where it
 * happens: every slice of over 50 ms (slice.c).
 */
#ifndef EBB_SCRIPT_LINT_H
#define EBB_SCRIPT_LINT_H

#include "script/listen.h"

/* Looks for tasks that have been paused for long, from now on and again. Does nothing for a script
 * that is not in debug mode, or under test. */
void lint_begin(struct script *s);
void lint_end(struct script *s);

/* name was called in L where nothing can pause. */
void lint_no_pause(lua_State *L, const char *name);

/* A wait for one event, the n-th of its script that is under way. */
void lint_wait(const struct listener *l, size_t n);

/* The script is about to go, with what it has under way. */
void lint_pending(const struct script *s);

#endif
