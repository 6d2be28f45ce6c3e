/*
 * require: the modules of a script.
 *
 * A module is a file of Lua text in the script's own folder, NAME/ beside NAME.lua or that of
 * NAME/init.lua, or in one of the folders of libraries; "a.b" is a/b.lua or a/b/init.lua there.
 * Each script loads a module of its own, once; the module may pause, and who requires it meanwhile
 * waits. Where files were looked for is kept in C, with a hash of what was found there.
 */
#ifndef EBB_SCRIPT_REQUIRE_H
#define EBB_SCRIPT_REQUIRE_H

#include "base/list.h"
#include "base/map.h"

#include <lua.h>
#include <stddef.h>
#include <stdint.h>

struct script;

struct require {
	char **folders; /* owned: where modules are looked for, in this order */
	size_t n_folders;
	struct map followed; /* struct followed, by the path as it was asked for */
	struct list loading; /* modules whose main chunk has not ended */
};

enum { REQUIRE_FOLLOWED_MAX = 500 };

/* A place where a file was looked for, the script's own or a module's. */
struct followed {
	uint64_t hash; /* chunk_hash_file's, of what was read last; 0: there was nothing */
};

/* The folder of the modules that a script has to itself: "quiz" of "quiz.lua" and of
 * "quiz/init.lua". Returns owned. */
char *require_own_folder(const char *path);

/* For the script at path. Copies the folders of libraries. */
void require_init(
	struct require *r, const char *path, const char *const *lib_folders, size_t n_lib_folders);

/* The Lua state is gone before. */
void require_fini(struct require *r);

/* Notes such a place, one of the first REQUIRE_FOLLOWED_MAX; false: there is no memory for it. */
bool require_follow(struct script *s, const char *path, uint64_t hash);

/* Gives the script `require`. In protected code. */
void require_open(lua_State *L);

/* Takes the value on top as that of a module, which then needs no file. */
void require_preload(lua_State *L, const char *name);

#endif
