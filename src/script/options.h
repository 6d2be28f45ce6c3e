/*
 * options: what is said of a script before it runs: its file, its limits, its part of the
 * configuration.
 */
#ifndef EBB_SCRIPT_OPTIONS_H
#define EBB_SCRIPT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A key of the configuration, and its value. */
typedef const char *setting_pair[2];

enum script_trust { TRUST_RESTRICTED, TRUST_FULL };
enum script_gc { GC_AUTO, GC_GENERATIONAL, GC_INCREMENTAL };

/* What a script may do and use; 0 is the standard of each. */
struct script_limits {
	enum script_trust trust;
	enum script_gc gc;
	size_t memory_max_bytes;
	int64_t cpu_max_ns; /* between two pauses */
	bool is_debug;      /* its author is told more */
	size_t tasks_max, alarms_max, listeners_max;
	unsigned spawns_max;      /* between two pauses */
	uint64_t fail_at, fail_n; /* for tests: what its memory refuses (arena.h) */
};

struct script_options {
	const char *name, *path;
	const char *source;          /* instead of the file at path; NULL: that file is read */
	const char *prelude;         /* source that runs before it and may not pause; NULL: none */
	const char *const *networks; /* NULL: all */
	size_t n_networks;
	const char *const (*pairs)[2]; /* the script's own keys, for `config` */
	size_t n_pairs;
	struct script_limits limits;
	const char *const *lib_folders; /* of modules, beside the script's own */
	size_t n_lib_folders;
};

/* Copies all that from borrows. */
void script_options_copy(struct script_options *to, const struct script_options *from);

/* Frees a copy; it is zeroed then. */
void script_options_fini(struct script_options *o);

bool script_options_equal(const struct script_options *a, const struct script_options *b);

#endif
