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

/* Files or folders, owned; zeroed memory is none. */
struct script_paths {
	char **items;
	size_t n;
};

/* Adds the folders in which a script at path looks for modules: its own; lib/ beside it, or beside
 * the folder of NAME/init.lua; and lib/ of the folders in which the daemon looks. */
void scripts_find_libs(struct script_paths *ps, const char *path);

/* The same for a test at path, NAME_test.lua: the folders of init.lua beside it, if that is there,
 * and those of NAME.lua. */
void scripts_find_test_libs(struct script_paths *ps, const char *path);

/* Adds the file at path; or, of a folder there, all files named *_test.lua and those of its
 * folders, in the order of their names. False: it cannot be read. */
bool scripts_find_tests(struct script_paths *ps, const char *path);

/* Adds folder with rest behind it, unless that is there. */
void script_paths_add(struct script_paths *ps, const char *folder, const char *rest);

void script_paths_fini(struct script_paths *ps);

#endif
