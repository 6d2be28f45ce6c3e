/*
 * selftest: `ebbd --test`, which runs the Lua tests of scripts.
 *
 * Each test runs in a state of its own, with a virtual clock, the networks in this process
 * (src/sim) and bots that are the daemon's own networks and scripts. What it prints is TAP, with a
 * failure told in comments; with the same seed it prints the same.
 */
#ifndef EBB_DAEMON_SELFTEST_H
#define EBB_DAEMON_SELFTEST_H

#include "base/attr.h"

#include <stdbool.h>
#include <stdint.h>

struct selftest_options {
	char *const *paths; /* files, and folders in which *_test.lua are looked for */
	int n_paths;        /* 0: the present folder */
	uint64_t seed;
	bool has_seed;      /* else one is made up */
	bool shuffles;      /* runnable tasks run in any order */
	const char *filter; /* a Lua pattern on the names of tests; NULL: all */
	bool is_verbose;    /* the log and the wire, too */
};

/* How many tests failed; ERR_INVALID: there was none to run. */
NODISCARD int selftest_run(const struct selftest_options *options);

#endif
