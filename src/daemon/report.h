/*
 * report: what `ebbd --test` prints of a test: a line of TAP and, where it failed, comments with
 * why, what was said and done, what was logged, and the command that repeats it.
 */
#ifndef EBB_DAEMON_REPORT_H
#define EBB_DAEMON_REPORT_H

#include "script/trial.h"

struct report {
	int number;
	const char *path, *name; /* of the file and of the test */
	const char *why;         /* NULL: it passed */
	const struct trial *trial;
	uint64_t seed;
	bool shuffles;
};

void report_print(const struct report *r);

/* Each line of the text as a comment. */
void report_comment(const char *fmt, ...) PRINTF(1, 2);

#endif
