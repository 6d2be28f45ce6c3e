#include "base/slots.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BUCKETS = 8 };

void slots_init(struct slots *s, size_t size, unsigned shift)
{
	assert(shift < 8 && size >= sizeof(struct slot));
	*s = (struct slots){.size = size, .shift = (uint8_t)shift, .roomy = SLOTS_NONE};
}

void slots_fini(struct slots *s)
{
	for (uint32_t i = 0; i < s->n_pages; i++)
		free(s->pages[i].things);
	free(s->pages);
	free(s->buckets);
	slots_init(s, s->size, s->shift);
}

static struct slot *slot_at(const struct slots *s, uint32_t index)
{
	return slots_at(s, index);
}

static void add_page(struct slots *s)
{
	if (s->n_pages == s->pages_capacity) {
		s->pages_capacity = s->pages_capacity * 2 + 1;
		s->pages = mem_resize(s->pages, s->pages_capacity, sizeof(*s->pages));
	}
	s->pages[s->n_pages] = (struct slots_page){.next = SLOTS_NONE};
	s->roomy = s->n_pages++;
}

static uint32_t take_place(struct slots *s, uint32_t number)
{
	struct slots_page *page = &s->pages[number];
	if (!page->first_free)
		return slots_page_size(s, number) - page->n_fresh--;
	uint32_t place = page->first_free - 1u;
	const struct slot *slot = (const void *)(page->things + place * s->size);
	page->first_free = (uint8_t)slot->next;
	return place;
}

void *slots_add(struct slots *s, uint32_t *index)
{
	if (s->roomy == SLOTS_NONE)
		add_page(s);
	uint32_t number = s->roomy;
	struct slots_page *page = &s->pages[number];
	if (!page->things) {
		page->n_fresh = (uint8_t)slots_page_size(s, number);
		page->things = mem_new(s->size * page->n_fresh);
	}
	*index = slots_page_start(s, number) + take_place(s, number);
	if (++page->n == slots_page_size(s, number))
		s->roomy = page->next;
	s->n++;
	void *thing = slots_at(s, *index);
	*(struct slot *)thing = (struct slot){0, SLOTS_NONE};
	return thing;
}

static void free_page(struct slots_page *page)
{
	free(page->things);
	*page = (struct slots_page){.next = page->next};
}

void slots_drop(struct slots *s, uint32_t index)
{
	uint32_t first, number = slots_page_of(s, index, &first);
	struct slots_page *page = &s->pages[number];
	struct slot *slot = slot_at(s, index);
	memset(slot, 0, s->size);
	slot->next = page->first_free;
	page->first_free = (uint8_t)(index - first + 1);
	if (page->n-- == slots_page_size(s, number)) {
		page->next = s->roomy;
		s->roomy = number;
	}
	if (page->n == 0)
		free_page(page);
	if (--s->n == 0)
		slots_fini(s);
}

void *slots_peek(const struct slots *s, uint32_t index)
{
	uint32_t first;
	return s->pages[slots_page_of(s, index, &first)].things ? slots_at(s, index) : NULL;
}

uint32_t slots_end(const struct slots *s)
{
	return slots_page_start(s, s->n_pages);
}

/* The greatest power of two that is not above n. */
static uint32_t power_below(uint32_t n)
{
	return 1u << (31 - __builtin_clz(n));
}

static uint32_t *bucket_of(const struct slots *s, uint32_t hash)
{
	uint32_t power = power_below(s->n_buckets);
	uint32_t i = hash & (2 * power - 1);
	return &s->buckets[i < s->n_buckets ? i : i - power];
}

static void reserve_buckets(struct slots *s, uint32_t capacity)
{
	s->buckets = mem_resize(s->buckets, capacity, sizeof(*s->buckets));
	s->buckets_capacity = capacity;
}

/* What the new bucket gets was in the one that differs from it in the highest bit. */
static void split_bucket(struct slots *s)
{
	if (s->n_buckets == s->buckets_capacity)
		reserve_buckets(s, s->buckets_capacity * 2);
	uint32_t added = s->n_buckets++;
	uint32_t *to = &s->buckets[added];
	uint32_t *from = &s->buckets[added - power_below(added)];
	*to = SLOTS_NONE;
	while (*from != SLOTS_NONE) {
		struct slot *slot = slot_at(s, *from);
		if (bucket_of(s, slot->hash) != to) {
			from = &slot->next;
			continue;
		}
		uint32_t moved = *from;
		*from = slot->next;
		slot->next = *to;
		*to = moved;
	}
}

static void join_bucket(struct slots *s)
{
	uint32_t last = --s->n_buckets;
	uint32_t *end = &s->buckets[last - power_below(last)];
	while (*end != SLOTS_NONE)
		end = &slot_at(s, *end)->next;
	*end = s->buckets[last];
	if (s->n_buckets < s->buckets_capacity / 4)
		reserve_buckets(s, s->buckets_capacity / 2);
}

static void begin_buckets(struct slots *s)
{
	reserve_buckets(s, FIRST_BUCKETS);
	s->buckets[0] = SLOTS_NONE;
	s->n_buckets = 1;
}

void slots_link(struct slots *s, uint32_t index, uint32_t hash)
{
	if (s->n_buckets == 0)
		begin_buckets(s);
	if (++s->n_linked > s->n_buckets)
		split_bucket(s);
	uint32_t *bucket = bucket_of(s, hash);
	*slot_at(s, index) = (struct slot){hash, *bucket};
	*bucket = index;
}

void slots_unlink(struct slots *s, uint32_t index)
{
	struct slot *slot = slot_at(s, index);
	uint32_t *place = bucket_of(s, slot->hash);
	while (*place != index)
		place = &slot_at(s, *place)->next;
	*place = slot->next;
	slot->next = SLOTS_NONE;
	s->n_linked--;
	for (int i = 0; i < 2; i++)
		if (s->n_linked < s->n_buckets / 2 && s->n_buckets > FIRST_BUCKETS)
			join_bucket(s);
}

uint32_t slots_first(const struct slots *s, uint32_t hash)
{
	return s->n_buckets ? *bucket_of(s, hash) : SLOTS_NONE;
}

uint32_t slots_next(const struct slots *s, uint32_t index)
{
	return slot_at(s, index)->next;
}
