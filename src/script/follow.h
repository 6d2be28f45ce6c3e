/*
 * follow: the files that a script came of, and whether they are others now.
 *
 * They are those that the last attempt to load it looked for, also in vain: its own, and its
 * modules in each folder where they could be.
 */
#ifndef EBB_SCRIPT_FOLLOW_H
#define EBB_SCRIPT_FOLLOW_H

#include "script/require.h"

#include <stdbool.h>

struct follow_file {
	char *path;
	uint64_t hash; /* chunk_hash_file's; 0: it was not there */
};

/* Zeroed memory follows nothing. */
struct follow {
	struct follow_file *files; /* owned */
	size_t n;
};

/* Takes over what an attempt looked for. One that failed may not have come to all the files that
 * are used: those that were followed before still are, as they are now. */
void follow_attempt(struct follow *f, const struct require *r, bool has_failed);

/* One more, or what was read there since. */
void follow_note(struct follow *f, const char *path, uint64_t hash);

/* Whether the content of one of them is another than it was. Reads all of them. */
bool follow_has_changed(const struct follow *f);

void follow_fini(struct follow *f);

#endif
