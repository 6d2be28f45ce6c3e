#include "base/handle.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>

void handles_fini(struct handles *hs)
{
	free(hs->slots);
	*hs = (struct handles){0};
}

struct handle handles_add(struct handles *hs, void *p)
{
	assert(p);
	if (!hs->first_free) {
		if (hs->n == hs->capacity) {
			hs->capacity = hs->capacity + hs->capacity / 2 + 2;
			hs->slots = mem_resize(hs->slots, hs->capacity, sizeof(*hs->slots));
		}
		hs->slots[hs->n] = (struct handle_slot){.generation = 1};
		hs->first_free = ++hs->n;
	}
	uint32_t index = hs->first_free - 1;
	struct handle_slot *slot = &hs->slots[index];
	hs->first_free = slot->next_free;
	slot->p = p;
	return (struct handle){index, slot->generation};
}

void handles_remove(struct handles *hs, struct handle h)
{
	if (!handles_get(hs, h))
		return;
	struct handle_slot *slot = &hs->slots[h.index];
	slot->p = NULL;
	slot->generation += slot->generation == UINT32_MAX ? 2 : 1;
	slot->next_free = hs->first_free;
	hs->first_free = h.index + 1;
}
