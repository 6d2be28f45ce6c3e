#include "script/arena.h"

#include <assert.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
	CHUNK_MIN_BYTES = 64 * 1024,
	CHUNK_MAX_BYTES = 1024 * 1024,
	/* What has to be new for another collection: a part of the maximum, or so many requests. */
	COLLECT_PART = 16,
	COLLECT_GROWN = 4096
};

struct arena_chunk {
	struct arena_chunk *next;
	size_t n_bytes;
};

/* Before the bytes of a large block; keeps their alignment. */
struct large {
	struct list node;
};

void arena_init(struct arena *a, size_t max_bytes)
{
	*a = (struct arena){.max_bytes = max_bytes};
	list_init(&a->large);
}

/* What it is to the system to take a block back, beside its size. */
enum { BLOCK_COST_BYTES = 4096 };

static size_t drop_chunk(struct arena *a)
{
	struct arena_chunk *chunk = a->chunks;
	size_t n = chunk->n_bytes;
	a->chunks = chunk->next;
	a->chunk_bytes -= n;
	munmap(chunk, n);
	return n;
}

static size_t drop_large(struct list *node)
{
	struct large *l = container_of(node, struct large, node);
	size_t n = malloc_usable_size(l);
	list_remove(&l->node);
	free(l);
	return n;
}

bool arena_shrink(struct arena *a, size_t n_bytes)
{
	size_t n = 0;
	while (n < n_bytes && a->chunks)
		n += BLOCK_COST_BYTES + drop_chunk(a);
	list_each_safe (node, &a->large) {
		if (n >= n_bytes)
			break;
		n += BLOCK_COST_BYTES + drop_large(node);
	}
	return !a->chunks && list_is_empty(&a->large);
}

void arena_fini(struct arena *a)
{
	if (!a->large.next)
		return;
	arena_shrink(a, SIZE_MAX);
	*a = (struct arena){0};
}

void arena_move(struct arena *to, struct arena *from)
{
	*to = *from;
	list_init(&to->large);
	list_splice(&to->large, &from->large);
	*from = (struct arena){0};
}

static bool is_small(size_t n_bytes)
{
	return n_bytes <= ARENA_SMALL_MAX_BYTES;
}

static size_t class_of(size_t n_bytes)
{
	return (n_bytes + ARENA_STEP_BYTES - 1) / ARENA_STEP_BYTES;
}

/* What a block takes. */
static size_t cost_of(size_t n_bytes)
{
	return is_small(n_bytes) ? class_of(n_bytes) * ARENA_STEP_BYTES
				 : n_bytes + sizeof(struct large);
}

static bool add_chunk(struct arena *a)
{
	size_t n = a->chunk_bytes < CHUNK_MIN_BYTES   ? CHUNK_MIN_BYTES
		   : a->chunk_bytes < CHUNK_MAX_BYTES ? a->chunk_bytes
						      : CHUNK_MAX_BYTES;
	struct arena_chunk *chunk =
		mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (chunk == MAP_FAILED)
		return false;
	*chunk = (struct arena_chunk){a->chunks, n};
	a->chunks = chunk;
	a->chunk_bytes += n;
	a->bump = (char *)(chunk + 1);
	a->bump_end = (char *)chunk + n;
	return true;
}

static void *take_small(struct arena *a, size_t class)
{
	size_t n = class * ARENA_STEP_BYTES;
	void *p = a->free[class];
	if (p) {
		memcpy(&a->free[class], p, sizeof(p));
		return p;
	}
	if ((size_t)(a->bump_end - a->bump) < n && !add_chunk(a))
		return NULL;
	p = a->bump;
	a->bump += n;
	return p;
}

static void give_small(struct arena *a, void *p, size_t class)
{
	memcpy(p, &a->free[class], sizeof(p));
	a->free[class] = p;
}

static void *take_large(struct arena *a, size_t n_bytes)
{
	struct large *l = malloc(sizeof(*l) + n_bytes);
	if (!l)
		return NULL;
	list_append(&a->large, &l->node);
	return l + 1;
}

static void *resize_large(struct arena *a, void *p, size_t n_bytes)
{
	struct large *l = (struct large *)p - 1;
	list_remove(&l->node);
	struct large *moved = realloc(l, sizeof(*l) + n_bytes);
	list_append(&a->large, moved ? &moved->node : &l->node);
	return moved ? moved + 1 : NULL;
}

static void give(struct arena *a, void *p, size_t n_bytes)
{
	if (is_small(n_bytes)) {
		give_small(a, p, class_of(n_bytes));
		return;
	}
	struct large *l = (struct large *)p - 1;
	list_remove(&l->node);
	free(l);
}

static void *take(struct arena *a, size_t n_bytes)
{
	return is_small(n_bytes) ? take_small(a, class_of(n_bytes)) : take_large(a, n_bytes);
}

static void *move(struct arena *a, void *p, size_t old_bytes, size_t n_bytes)
{
	if (is_small(old_bytes) && is_small(n_bytes) && class_of(old_bytes) == class_of(n_bytes))
		return p;
	if (!is_small(old_bytes) && !is_small(n_bytes))
		return resize_large(a, p, n_bytes);
	void *q = take(a, n_bytes);
	if (!q)
		return NULL;
	memcpy(q, p, old_bytes < n_bytes ? old_bytes : n_bytes);
	give(a, p, old_bytes);
	return q;
}

/* Whether so much more may be had, in place of what is given back. */
static bool is_allowed(struct arena *a, size_t old_cost, size_t cost)
{
	a->n_grown++;
	bool is_failing = a->fail_at && a->n_grown >= a->fail_at &&
			  (!a->fail_n || a->n_grown < a->fail_at + a->fail_n);
	if (!is_failing && a->used_bytes - old_cost <= a->max_bytes &&
		cost <= a->max_bytes - (a->used_bytes - old_cost))
		return true;
	a->n_denied++;
	return false;
}

/* Lua takes no refusal of what shrinks: only the system's own end of memory is one. */
static void *or_abort(void *p)
{
	if (!p)
		abort();
	return p;
}

void *arena_resize(struct arena *a, void *p, size_t old_bytes, size_t n_bytes)
{
	size_t old_cost = p ? cost_of(old_bytes) : 0, cost = n_bytes ? cost_of(n_bytes) : 0;
	void *q = NULL;
	if (n_bytes > old_bytes && !is_allowed(a, old_cost, cost))
		return NULL;
	if (n_bytes == 0) {
		if (p)
			give(a, p, old_bytes);
	} else if (p) {
		q = move(a, p, old_bytes, n_bytes);
	} else {
		q = take(a, n_bytes);
	}
	if (n_bytes && n_bytes <= old_bytes)
		or_abort(q);
	if (q || n_bytes == 0)
		a->used_bytes += cost - old_cost;
	return q;
}

/* A collection takes time: only where it may find something. */
static bool has_collected(struct arena *a)
{
	bool is_worth = a->used_bytes >= a->collected_bytes + a->max_bytes / COLLECT_PART ||
			a->n_grown - a->collected_at >= COLLECT_GROWN;
	if (!a->collect || !is_worth)
		return false;
	a->collect(a);
	a->collected_bytes = a->used_bytes;
	a->collected_at = a->n_grown;
	return true;
}

bool arena_charge(struct arena *a, size_t n_bytes)
{
	if (!is_allowed(a, 0, n_bytes) && !(has_collected(a) && is_allowed(a, 0, n_bytes)))
		return false;
	a->used_bytes += n_bytes;
	return true;
}

void arena_release(struct arena *a, size_t n_bytes)
{
	assert(a->used_bytes >= n_bytes);
	a->used_bytes -= n_bytes;
}
