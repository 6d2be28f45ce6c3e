/*
 * slots: a great many things of one size, named by an index, found by a hash.
 *
 * Things lie in pages and never move; a page goes back when its last thing is dropped. The first
 * pages are smaller, of 1, 1, 2, 4, ... things, so that a few take little. Those that
 * are linked are found by their hash, through a table that grows and shrinks bucket by bucket, so
 * no call has to move them all (Litwin: Linear hashing, 1980). A thing begins with its struct slot.
 */
#ifndef EBB_BASE_SLOTS_H
#define EBB_BASE_SLOTS_H

#include <stddef.h>
#include <stdint.h>

#define SLOTS_NONE UINT32_MAX

struct slot {
	uint32_t hash;
	uint32_t next; /* in its bucket, or SLOTS_NONE */
};

struct slots_page {
	char *things;       /* NULL: none is in use */
	uint32_t next;      /* with room, or SLOTS_NONE */
	uint8_t n, n_fresh; /* in use; never used, at the end */
	uint8_t first_free; /* 1 + place; 0: none */
};

struct slots {
	size_t size;
	uint8_t shift; /* below 8: 1 << shift things in a page, but for the first 1 + shift pages */
	uint32_t n;    /* in use */
	struct slots_page *pages;
	uint32_t n_pages, pages_capacity;
	uint32_t roomy; /* the first page with room */
	uint32_t *buckets;
	uint32_t n_buckets, buckets_capacity, n_linked;
};

/* For things of size bytes, 1 << shift (at most 128) in a page. */
void slots_init(struct slots *s, size_t size, unsigned shift);
void slots_fini(struct slots *s);

/* A thing, zeroed; the index goes to *index. */
void *slots_add(struct slots *s, uint32_t *index);

/* The thing is not linked any more. */
void slots_drop(struct slots *s, uint32_t index);

/* The first index of a page, and how many things it has. */
static inline uint32_t slots_page_start(const struct slots *s, uint32_t page)
{
	if (page > s->shift)
		return (page - s->shift) << s->shift;
	return page ? 1u << (page - 1) : 0;
}

static inline uint32_t slots_page_size(const struct slots *s, uint32_t page)
{
	return slots_page_start(s, page + 1) - slots_page_start(s, page);
}

/* The page of an index, and the index of its first thing. */
static inline uint32_t slots_page_of(const struct slots *s, uint32_t index, uint32_t *first)
{
	if (index >> s->shift) {
		*first = index >> s->shift << s->shift;
		return (index >> s->shift) + s->shift;
	}
	uint32_t bits = index ? 32 - (uint32_t)__builtin_clz(index) : 0;
	*first = index ? 1u << (bits - 1) : 0;
	return bits;
}

/* The thing, where the index is of one in use. */
static inline void *slots_at(const struct slots *s, uint32_t index)
{
	uint32_t first, page = slots_page_of(s, index, &first);
	return s->pages[page].things + (index - first) * s->size;
}

/* For any index: NULL where there is no page; a thing that is not in use is zero but for its
 * struct slot. Indices are below slots_end. */
void *slots_peek(const struct slots *s, uint32_t index);
uint32_t slots_end(const struct slots *s);

void slots_link(struct slots *s, uint32_t index, uint32_t hash);
void slots_unlink(struct slots *s, uint32_t index);

/* The first and the next that may have this hash, or SLOTS_NONE: others are among them. */
uint32_t slots_first(const struct slots *s, uint32_t hash);
uint32_t slots_next(const struct slots *s, uint32_t index);

#endif
