/*
 * mask: * and ? against a text, as servers match bans.
 */
#ifndef EBB_SIM_MASK_H
#define EBB_SIM_MASK_H

#include "irc/casemap.h"

bool mask_matches(enum casemap cm, struct str mask, struct str text);

/* Writes what a ban on s means: "nick" is "nick!*@*", "user@host" is "*!user@host". Cut to size. */
void mask_complete(struct str s, char *out, size_t size);

#endif
