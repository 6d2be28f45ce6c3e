/*
 * chunk: the text of a program, on its way into a Lua state.
 *
 * Text only: Lua trusts a binary chunk, and one that is damaged would end the process. At most 1 MB
 * of it, for nothing can interrupt Lua's parser.
 */
#ifndef EBB_SCRIPT_CHUNK_H
#define EBB_SCRIPT_CHUNK_H

#include "base/str.h"

#include <lua.h>

enum { CHUNK_MAX_BYTES = 1024 * 1024 };

/* Pushes text as a function, which errors call by name ("@karma.lua", "=stdin"). False: what is
 * wrong with it is pushed instead, as text. */
bool chunk_load(lua_State *L, struct str text, const char *name);

/* The same for the file at path, which errors call by name; its first line may begin with "#".
 * *hash, unless hash is NULL, is that of the content wherever it could be read, else 0. */
bool chunk_load_file(lua_State *L, const char *path, const char *name, uint64_t *hash);

/* The hash of the content of the file at path; 0 where it cannot be read. */
uint64_t chunk_hash_file(const char *path);

#endif
