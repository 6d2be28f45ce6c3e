/*
 * commands: what can be asked of a daemon that runs, in one table.
 *
 * A row names a command and its parameters. The daemon checks requests by it before a command is
 * run, and knows by it what to log; the client makes a request of its arguments by it, and prints
 * its help from it. What each does stands in daemon/command.c, under the same name.
 */
#ifndef EBB_CTL_COMMANDS_H
#define EBB_CTL_COMMANDS_H

#include "base/err.h"
#include "base/str.h"

#include <jansson.h>

enum { COMMANDS_PARAMETERS_MAX = 3, COMMANDS_FORM_BYTES = 100, COMMANDS_NAME_MAX_BYTES = 200 };

/* All are strings. */
struct commands_parameter {
	const char *name; /* of the member of a request */
	bool is_optional;
	bool takes_rest; /* all the arguments that are left, with a space between them */
	bool is_text;    /* anything, and never logged; else a name */
};

struct commands_row {
	const char *name;
	bool acts; /* changes something, and is logged with who asked */
	struct commands_parameter parameters[COMMANDS_PARAMETERS_MAX]; /* up to one without name */
	const char *help; /* one sentence, without a full stop */
};

/* Row i, or NULL past the end. */
const struct commands_row *commands_row(size_t i);

/* NULL when there is none. */
const struct commands_row *commands_find(struct str name);

/* Parameter i, or NULL past the end. */
const struct commands_parameter *commands_parameter(const struct commands_row *row, size_t i);

/* How it is called: "eval SCRIPT LUA", "reload [NAME]". */
void commands_form(const struct commands_row *row, char out[COMMANDS_FORM_BYTES]);

/* Whether the members of a request are the command's parameters. ERR_INVALID: one is missing, is
 * unknown, is not a string; or it is a name and is empty, too long or holds a control character. */
NODISCARD int commands_check(
	const struct commands_row *row, const json_t *members, struct err *err);

/* The members that stand for n arguments; returns owned in *out. ERR_INVALID: they are too few or
 * too many, or not UTF-8; *out is NULL. */
NODISCARD int commands_read(const struct commands_row *row, char *const *arguments, size_t n,
	json_t **out, struct err *err);

#endif
