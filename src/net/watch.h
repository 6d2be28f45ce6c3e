/*
 * watch: says that files may have changed, for reload.
 *
 * A watch follows a set of paths by inotify(7). It says that something happened, not what: its
 * user compares contents. Followed are folders, never the files, so it does not matter how a file
 * is saved: written in place, renamed over, removed and made anew. Of a path these are looked at:
 *
 *     its folder         for the file's name
 *     that one's parent  for the folder's name: it may be removed and made anew, or swapped
 *     the same two       of what realpath(3) makes of it: a link's target may be rewritten
 *     what is missing    where folders are: the first of them, in the one that is there
 *
 * All paths are looked up anew after each change of names and before each call, so a folder that
 * took another's place is followed without being asked for. Names that no path leads to, editors'
 * swap files for instance, lead to nothing, and so does a change of mode or owner.
 *
 * Not seen are: what a program writes before it closes the file; what is written under another
 * name of the same file (a hard link elsewhere); folders and links that change places further up,
 * or between a link and its target; what other machines do on a network file system; what happens
 * to a file before the watch_set that names it.
 *
 * Where inotify has come to a limit, that is logged, once for each folder and reason, and the rest
 * goes on. Folders that are not there or must not be read are passed over.
 */
#ifndef EBB_NET_WATCH_H
#define EBB_NET_WATCH_H

#include "base/map.h"
#include "net/loop.h"

enum { WATCH_FOLDERS_MAX = 4096 };

#define WATCH_QUIET_NS (250 * NS_PER_MS)
#define WATCH_MOST_NS  (2 * NS_PER_S)

typedef void watch_changed(void *data);

struct watch {
	struct loop *loop; /* borrowed; outlives the watch */
	watch_changed *changed;
	void *data;
	struct loop_fd inotify; /* its descriptor is -1 until a folder is to be followed */
	struct timer timer;     /* set: something happened that is to be told */
	int64_t first_ns;       /* when the first of that happened */
	char **paths;           /* owned, with the texts */
	size_t n;
	struct map folders; /* path to struct folder, whether inotify took it or not */
	struct map spots;   /* watch descriptors with the names that count there; a set */
	bool is_full;
};

/* changed comes from the loop, never from within a call into the watch, when something happened
 * to the files and then nothing more for WATCH_QUIET_NS; while things go on happening, after
 * WATCH_MOST_NS. It may call watch_set and watch_fini. */
void watch_init(struct watch *w, struct loop *loop, watch_changed *changed, void *data);

/* Forgets a change that was not told yet. Does nothing for zeroed memory. */
void watch_fini(struct watch *w);

/* From now on the n paths are the ones that are followed; they are copied. A path that is relative
 * counts from the current directory, and need not exist. Folders that stay keep their place in
 * inotify; a change that was not told yet will be. Above WATCH_FOLDERS_MAX folders the last paths
 * are not followed, which is logged. */
void watch_set(struct watch *w, const char *const *paths, size_t n);

/* Its user knows of a change that may not have been seen: as if it happened now. */
void watch_note(struct watch *w);

#endif
