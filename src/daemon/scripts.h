/*
 * scripts: where scripts are found, and what they are called, without a configuration.
 */
#ifndef EBB_DAEMON_SCRIPTS_H
#define EBB_DAEMON_SCRIPTS_H

/* NAME.lua in folder ("" or ending in "/"), else in the folders in which the daemon looks. Returns
 * owned; NULL where there is none. */
char *scripts_find(const char *folder, const char *name);

/* "karma" of "/srv/bot/karma.lua". Returns owned. */
char *scripts_name(const char *path);

/* "/srv/bot/" of "/srv/bot/karma.lua", "" where there is no folder in it. Returns owned. */
char *scripts_folder(const char *path);

#endif
