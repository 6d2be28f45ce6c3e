/*
 * seen: a number noted for each address that was met.
 *
 * It grows in small steps: what is in the smaller table moves to the larger one a few at each
 * call, so that none takes long, however many there are. Zeroed memory is a valid, empty one.
 */
#ifndef EBB_SCRIPT_SEEN_H
#define EBB_SCRIPT_SEEN_H

#include <stddef.h>
#include <stdint.h>

struct seen {
	struct seen_slot *slots, *old; /* owned; old: NULL, or what moves to slots */
	size_t size, old_size;         /* powers of two */
	size_t n_moved;                /* slots of old that need no look any more */
	size_t n;                      /* addresses */
};

void seen_fini(struct seen *s);

/* The number noted for p. Where there is none, this one, which is not 0, is noted, and 0 returned.
 */
uint64_t seen_note(struct seen *s, const void *p, uint64_t number);

#endif
