#include "script/seen.h"

#include "base/mem.h"

#include <stdlib.h>

/* At 4 a call, all has moved long before the larger table is full. */
enum { FIRST_SIZE = 16, MOVED_AT_ONCE = 4 };

struct seen_slot {
	const void *p;
	uint64_t number;
};

void seen_fini(struct seen *s)
{
	free(s->slots);
	free(s->old);
	*s = (struct seen){0};
}

/* The slot of p, or the free one that it is to have. */
static struct seen_slot *find(struct seen_slot *slots, size_t size, const void *p)
{
	uint64_t mixed = ((uintptr_t)p >> 4) * UINT64_C(0x9E3779B97F4A7C15);
	size_t i = (size_t)(mixed >> 32) & (size - 1);
	while (slots[i].p && slots[i].p != p)
		i = (i + 1) & (size - 1);
	return &slots[i];
}

static void grow(struct seen *s)
{
	s->old = s->slots;
	s->old_size = s->size;
	s->n_moved = 0;
	s->size = s->size ? s->size * 2 : FIRST_SIZE;
	s->slots = mem_new(s->size * sizeof(*s->slots));
}

static void move_some(struct seen *s)
{
	for (int i = 0; i < MOVED_AT_ONCE && s->n_moved < s->old_size; i++) {
		const struct seen_slot *from = &s->old[s->n_moved++];
		if (from->p)
			*find(s->slots, s->size, from->p) = *from;
	}
	if (s->n_moved == s->old_size) {
		free(s->old);
		s->old = NULL;
	}
}

uint64_t seen_note(struct seen *s, const void *p, uint64_t number)
{
	if (s->n >= s->size / 4 * 3)
		grow(s);
	if (s->old)
		move_some(s);
	struct seen_slot *slot = find(s->slots, s->size, p);
	if (slot->p)
		return slot->number;
	if (s->old) {
		const struct seen_slot *old = find(s->old, s->old_size, p);
		if (old->p)
			return old->number;
	}
	*slot = (struct seen_slot){p, number};
	s->n++;
	return 0;
}
