/*
 * nearest: the known word that a mistyped one was meant to be.
 *
 * Near is what takes few insertions, deletions and changes (Levenshtein): one, and one more for
 * every four letters. Start with the word, let it consider each known word, look at best.
 */
#ifndef EBB_DAEMON_NEAREST_H
#define EBB_DAEMON_NEAREST_H

#include "base/str.h"

struct nearest {
	struct str word; /* borrowed */
	size_t distance; /* of the best; at first the least that is too far */
	char best[64];   /* empty: nothing is near */
};

struct nearest nearest_start(struct str word);

/* Considers word followed by suffix, cut to what fits into best. Of equals the first stays. */
void nearest_consider(struct nearest *n, const char *word, const char *suffix);

#endif
