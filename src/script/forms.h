/*
 * forms: commands of a script's own, and more forms for those that there are.
 *
 * What a script registers holds for itself, as long as its state lives. It is kept in there, so a
 * reload begins with none.
 */
#ifndef EBB_SCRIPT_FORMS_H
#define EBB_SCRIPT_FORMS_H

#include "irc/schema.h"

#include <lua.h>

enum {
	FORMS_NAMES_MAX = 256, /* of a script */
	FORMS_NAME_MAX_BYTES = 100
};

struct forms_command {
	struct schema_command command;
	const char *forms[2 * SCHEMA_FORMS_MAX + 1];
};

/* The command of that name, in any case: the forms that the script of L added, then those of the
 * table. False where it added none. Borrows from the script's state. May raise out of memory. */
bool forms_find(lua_State *L, struct str name, struct forms_command *out);

/* Defines register_pattern. */
void forms_open(lua_State *L);

#endif
