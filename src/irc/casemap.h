/*
 * casemap: how a server compares nicks and channel names (CASEMAPPING in RPL_ISUPPORT).
 *
 * ascii folds A-Z to a-z; rfc1459 also []\^ to {}|~; rfc1459-strict leaves ^ and ~ apart. Folding
 * keeps the length.
 */
#ifndef EBB_IRC_CASEMAP_H
#define EBB_IRC_CASEMAP_H

#include "base/str.h"

enum casemap { CASEMAP_ASCII, CASEMAP_RFC1459, CASEMAP_RFC1459_STRICT };

/* Reads the value of CASEMAPPING; false, and *out as it was, for a name that is not known. */
bool casemap_parse(struct str name, enum casemap *out);

/* The name as RPL_ISUPPORT has it. */
const char *casemap_name(enum casemap cm);

char casemap_fold(enum casemap cm, char c);
bool casemap_eq(enum casemap cm, struct str a, struct str b);

/* Writes s.n folded bytes to out. */
void casemap_fold_str(enum casemap cm, struct str s, char *out);

#endif
