/*
 * pairs: a table of settings, as the configuration would have it.
 *
 * Texts are as they are, numbers as one would write them, booleans yes or no, and a list of texts
 * is these with ", " between them. Tables are read raw: nothing of a script's runs meanwhile.
 */
#ifndef EBB_SCRIPT_PAIRS_H
#define EBB_SCRIPT_PAIRS_H

#include "script/options.h"

#include <lua.h>

struct pairs_reader {
	int keep; /* the index of a table, in which the texts stay alive that are made */
	const char *who;
};

/* Pops the value on top and gives its text; raises for what has none. */
const char *pairs_text(lua_State *L, const struct pairs_reader *r, const char *key);

/* The fields of the table at index with text keys, but for those in `others`, NULL-terminated. */
setting_pair *pairs_read(lua_State *L, const struct pairs_reader *r, int index,
	const char *const *others, size_t *n);

/* Whether key is among keys, NULL-terminated. */
bool pairs_is_among(const char *key, const char *const *keys);

/* How many fields the table at index has. */
size_t pairs_count(lua_State *L, int index);

#endif
