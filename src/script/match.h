/*
 * match: Lua's patterns, with a limit to what they may cost.
 *
 * Patterns are those of the Lua 5.4 reference manual, section 6.4.1, down to the words of what it
 * refuses. But each thing that is tried costs steps, and a match that uses up what it was given
 * fails: no pattern can hold up the program. Where a search may be cut into parts it can stop
 * between two places of the subject, to go on later.
 *
 * Pure: no Lua in here, nothing is allocated, and the subject and the pattern, neither of which is
 * absent, are borrowed as long as the struct is used.
 */
#ifndef EBB_SCRIPT_MATCH_H
#define EBB_SCRIPT_MATCH_H

#include "base/str.h"

enum {
	MATCH_CAPTURES_MAX = 32,
	MATCH_DEPTH_MAX = 200,       /* of items within each other, as in Lua */
	MATCH_STEPS_ASKED = 200000,  /* of ebb's own questions, where nobody can have a turn */
	MATCH_STEPS_CALLED = 2000000 /* of a script's calls */
};

/* No offset in any subject. */
#define MATCH_NOWHERE SIZE_MAX

/* What a capture holds in place of a length: it was not closed; or it is a position. */
enum { MATCH_OPEN = -1, MATCH_POSITION = -2 };

struct match_capture {
	const char *p;
	ptrdiff_t n;
};

enum match_result {
	MATCH_NONE,
	MATCH_FOUND,  /* start, end and captures say what */
	MATCH_PAUSED, /* start is where to go on */
	MATCH_FAILED  /* why says so; there is nothing more to find */
};

struct match {
	struct str subject, pattern; /* the pattern without its anchor */
	bool is_anchored;            /* only the first place is tried */
	int64_t steps;               /* that are left; below 0: it has failed */
	int64_t low_steps;           /* with less, a search pauses; 0: it fails in the end */
	size_t start, end;           /* offsets in the subject */
	size_t n_captures;
	struct match_capture captures[MATCH_CAPTURES_MAX];
	char why[48]; /* empty unless it has failed */

	/* For match.c alone. */
	const char *subject_end, *pattern_end;
	bool has_looked; /* for the next */
	const char *first,
		*first_end; /* the single that every match begins with; NULL: there is none */
	unsigned depth;
};

/* Begins with steps, and two more for each byte of the subject. A search does not pause unless
 * low_steps is set after this. */
void match_init(struct match *m, struct str subject, struct str pattern, int64_t steps);

/* Takes the ^ for an anchor that the pattern may begin with; else it is a character as any other,
 * as gmatch has it. Before anything is looked for. */
void match_anchor(struct match *m);

/* Whether the pattern is well-formed, all of it: a search finds a mistake only where it gets to
 * it. why is set if not, and the match has failed. */
NODISCARD bool match_check(struct match *m);

/* Looks for the first match that begins at the offset `from` or behind it. One that ends at not_end
 * is passed over, as gsub and gmatch do with an empty match behind another. */
NODISCARD enum match_result match_find(struct match *m, size_t from, size_t not_end);

/* All of what was found. */
struct str match_text(const struct match *m);

#endif
