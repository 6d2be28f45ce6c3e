/*
 * schema: commands by name, with named parameters.
 *
 * Every command has one or more forms, lines with holes ("KICK {channel:comma} {nick:comma}
 * :{message}"). The form with the most parameters for which every hole is given is used. The same
 * table says what a line needs when a person asks for help.
 *
 * A hole that is not the last refuses an empty value, a space and a leading colon; every hole
 * refuses CR, LF and NUL; a hole for one value refuses a list, and one for a target a comma. The
 * forms of a hole: {x} one value; {x:comma}, {x:space} a list, joined; {x:bool} the name itself
 * when true; {x:nospace} like {x} but trailing forms refuse spaces too.
 */
#ifndef EBB_IRC_SCHEMA_H
#define EBB_IRC_SCHEMA_H

#include "base/buf.h"
#include "base/err.h"

enum { SCHEMA_LIST_MAX = 256 }; /* values of one parameter */

/* A named parameter as a script gives it. */
struct schema_arg {
	struct str name;
	const struct str *values;
	size_t n_values;
	bool is_list; /* given as a list, even of one */
	bool is_true; /* the boolean true: for {x:bool} */
};

/* Appends the line, without CR LF, that `command` with these arguments makes. ERR_INVALID, and
 * out as it was, for an unknown command or parameter name, a value that a hole refuses, or when no
 * form fits: the text names what is wrong, and lists the command's forms. Names of commands are
 * compared without regard to case. ERR_LIMIT when out is full. */
NODISCARD int schema_build(struct buf *out, struct str command, const struct schema_arg *args,
	size_t n_args, struct err *err);

/* The forms of command i, as in the table, for the manual and tests; NULL past the end. */
struct schema_command {
	const char *name;
	const char *const *forms; /* NULL-terminated, most parameters first */
};
const struct schema_command *schema_command(size_t i);

#endif
