/*
 * schema: commands by name, with named parameters.
 *
 * Every command has one or more forms, lines with holes ("KICK {channel:comma} {nick:comma}
 * :{message}"). The form with the most parameters for which every hole is given is used, and must
 * take every parameter given. The same table says what a line needs when a person asks for help.
 *
 * The kinds of a hole: {x} one value; {x:comma}, {x:space} a list, joined, or one value; {x:bool}
 * the name itself when true; {x:nospace} one word, also where {x} might be more. The hole that ends
 * a parameter with a colon, " :{message}", takes any text; all others refuse an empty value, a
 * space and a leading colon. Every hole refuses CR, LF and NUL, within a CTCP \x01 too. What is
 * joined with commas is refused one in a list's value, and {target}, {nick}, {channel},
 * {new_channel} and {server} name one, so refuse a comma.
 */
#ifndef EBB_IRC_SCHEMA_H
#define EBB_IRC_SCHEMA_H

#include "base/buf.h"
#include "base/err.h"

enum {
	SCHEMA_LIST_MAX = 256, /* values of one parameter */
	SCHEMA_FORMS_MAX = 4   /* of a command in the table; and so many more of a script's own */
};

/* A named parameter as a script gives it. */
struct schema_arg {
	struct str name;
	const struct str *values;
	size_t n_values;
	bool is_list; /* given as a list, even of one */
	bool is_true; /* the boolean true: for {x:bool}; false has no values and counts as absent */
};

struct schema_command {
	const char *name;
	const char *const *forms; /* NULL-terminated, most parameters first */
};

/* Appends the line, without CR LF, that `command` with these arguments makes. ERR_INVALID, and
 * out as it was, for an unknown command or parameter name, a value that a hole refuses, or when no
 * form fits: the text names the command and what is wrong, and lists the forms. Names of commands
 * are compared without regard to case. ERR_LIMIT, and out as it was, when out is full. */
NODISCARD int schema_build(struct buf *out, struct str command, const struct schema_arg *args,
	size_t n_args, struct err *err);

/* The same for a command that need not be in the table, and of which no order is expected: of forms
 * with as many parameters the first is used. Looks at 2 * SCHEMA_FORMS_MAX forms at most. */
NODISCARD int schema_build_from(struct buf *out, const struct schema_command *command,
	const struct schema_arg *args, size_t n_args, struct err *err);

/* Whether a form that is not from the table can be built from: ERR_INVALID for an unclosed or
 * nameless hole, an unknown kind, no command at its beginning, or a line break. */
NODISCARD int schema_check_form(const char *form, struct err *err);

/* Command i of the table, for the manual and tests; NULL past the end. */
const struct schema_command *schema_command(size_t i);

/* NULL where there is none; any case. */
const struct schema_command *schema_find(struct str name);

#endif
