/*
 * arena: a script's memory, which has a maximum and goes away as a whole.
 *
 * Small blocks come from mapped chunks, by classes of size, without a header: Lua says how large a
 * block was. Large ones are malloc's, and listed. So a state is dropped without being asked, also
 * one that has no memory left to be asked with. What C holds for the script is charged to the same
 * maximum (arena_charge).
 */
#ifndef EBB_SCRIPT_ARENA_H
#define EBB_SCRIPT_ARENA_H

#include "base/attr.h"
#include "base/list.h"

#include <stddef.h>
#include <stdint.h>

enum {
	ARENA_STEP_BYTES = 16, /* between two classes */
#ifdef __SANITIZE_ADDRESS__
	ARENA_SMALL_MAX_BYTES = 0, /* each block is malloc's, so that its bounds are watched */
#else
	ARENA_SMALL_MAX_BYTES = 1024, /* the stack of a thread that sleeps is one */
#endif
	ARENA_CLASSES = 1024 / ARENA_STEP_BYTES + 1
};

struct arena {
	size_t used_bytes, max_bytes; /* as blocks are rounded; charges included */
	void *free[ARENA_CLASSES];    /* lists of free blocks, linked through their first word */
	char *bump, *bump_end;        /* what is left of the newest chunk */
	struct arena_chunk *chunks;
	size_t chunk_bytes; /* of all chunks */
	struct list large;
	void (*collect)(struct arena *a); /* frees what nobody can reach; NULL: nothing can */
	size_t collected_bytes;           /* that were used after it the last time */
	uint64_t collected_at;            /* n_grown at that time */
	uint64_t n_grown;                 /* requests for more memory: counts up */
	uint64_t n_denied;                /* those of them that were refused: counts up */
	uint64_t fail_at; /* for tests: from this request on, they are refused; 0: none */
	uint64_t fail_n;  /* so many of them; 0: all */
};

void arena_init(struct arena *a, size_t max_bytes);

/* Drops all that was ever given. What is charged has to be released before. */
void arena_fini(struct arena *a);

/* to takes over what from has, which is as after arena_fini then. */
void arena_move(struct arena *to, struct arena *from);

/* Drops about so much, of one that nobody uses any more. True: nothing is left. */
bool arena_shrink(struct arena *a, size_t n_bytes);

/* As a lua_Alloc: p of old_bytes (0 for NULL) becomes n_bytes, 0 frees it. NULL when there is no
 * memory; what shrinks always succeeds. */
void *arena_resize(struct arena *a, void *p, size_t old_bytes, size_t n_bytes);

/* Counts memory that C holds for the script. False: it would pass the maximum, also after what can
 * be collected was, and is not counted. */
NODISCARD bool arena_charge(struct arena *a, size_t n_bytes);
void arena_release(struct arena *a, size_t n_bytes);

#endif
