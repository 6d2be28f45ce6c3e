/*
 * scripts: where scripts and their tests are found, and what they are called, without a
 * configuration.
 */
#ifndef EBB_DAEMON_SCRIPTS_H
#define EBB_DAEMON_SCRIPTS_H

#include <stdbool.h>
#include <stddef.h>

/* NAME.lua in folder ("" or ending in "/"), else in the folders in which the daemon looks. Returns
 * owned; NULL where there is none. */
char *scripts_find(const char *folder, const char *name);

/* "karma" of "/srv/bot/karma.lua". Returns owned. */
char *scripts_name(const char *path);

/* "/srv/bot/" of "/srv/bot/karma.lua", "" where there is no folder in it. Returns owned. */
char *scripts_folder(const char *path);

/* Files, owned; zeroed memory is none. */
struct script_paths {
	char **items;
	size_t n;
};

/* Adds the file at path; or, of a folder there, all files named *_test.lua and those of its
 * folders, in the order of their names. False: it cannot be read. */
bool scripts_find_tests(struct script_paths *ps, const char *path);

void script_paths_fini(struct script_paths *ps);

#endif
