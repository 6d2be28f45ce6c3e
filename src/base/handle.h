/*
 * handle: a name for what may go away.
 *
 * A handle is an index and a generation. Its table answers with the pointer as long as the thing
 * is there, and with NULL ever after, also when the place is used again. Zeroed memory is a valid,
 * empty table; the zeroed handle names nothing.
 */
#ifndef EBB_BASE_HANDLE_H
#define EBB_BASE_HANDLE_H

#include <stddef.h>
#include <stdint.h>

struct handle {
	uint32_t index, generation; /* generation 0: names nothing */
};

struct handle_slot {
	void *p; /* NULL: free */
	uint32_t generation;
	uint32_t next_free; /* 1 + index; 0: the last */
};

struct handles {
	struct handle_slot *slots;
	uint32_t n, capacity, first_free;
};

void handles_fini(struct handles *hs);

/* Borrows p, which is not NULL, until handles_remove. */
struct handle handles_add(struct handles *hs, void *p);

/* NULL when the thing is gone. */
static inline void *handles_get(const struct handles *hs, struct handle h)
{
	const struct handle_slot *slot = h.index < hs->n ? &hs->slots[h.index] : NULL;
	return slot && slot->generation == h.generation ? slot->p : NULL;
}

/* Does nothing for a handle that is stale. */
void handles_remove(struct handles *hs, struct handle h);

#endif
