#include "base/map.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

/* Most maps hold a few. uthash begins with 32 buckets, and makes them more as they fill. */
#undef HASH_INITIAL_NUM_BUCKETS
#undef HASH_INITIAL_NUM_BUCKETS_LOG2
#define HASH_INITIAL_NUM_BUCKETS      8U
#define HASH_INITIAL_NUM_BUCKETS_LOG2 3U

struct map_entry {
	UT_hash_handle hh;
	void *value;
	size_t n;
	char key[];
};

static struct map_entry *find(const struct map *m, struct str key)
{
	struct map_entry *e;
	HASH_FIND(hh, m->first, key.p, key.n, e);
	return e;
}

static void drop(struct map *m, struct map_entry *e)
{
	HASH_DELETE(hh, m->first, e);
	free(e);
}

void map_fini(struct map *m)
{
	while (m->first)
		drop(m, m->first);
}

void *map_get(const struct map *m, struct str key)
{
	const struct map_entry *e = find(m, key);
	return e ? e->value : NULL;
}

static struct map_entry *add(struct map *m, struct str key, void *value)
{
	struct map_entry *e = mem_new(sizeof(*e) + key.n + 1);
	e->value = value;
	e->n = key.n;
	if (key.n)
		memcpy(e->key, key.p, key.n);
	HASH_ADD_KEYPTR(hh, m->first, e->key, e->n, e);
	return e;
}

void *map_put(struct map *m, struct str key, void *value)
{
	assert(value);
	struct map_entry *e = find(m, key);
	if (!e) {
		add(m, key, value);
		return NULL;
	}
	void *old = e->value;
	e->value = value;
	return old;
}

const char *map_intern(struct map *m, struct str key)
{
	const struct map_entry *e = find(m, key);
	return e ? e->key : add(m, key, NULL)->key;
}

void *map_remove(struct map *m, struct str key)
{
	struct map_entry *e = find(m, key);
	if (!e)
		return NULL;
	void *value = e->value;
	drop(m, e);
	return value;
}

size_t map_count(const struct map *m)
{
	return HASH_COUNT(m->first);
}

struct map_entry *map_first(const struct map *m)
{
	return m->first;
}

struct map_entry *map_next(const struct map_entry *e)
{
	return e->hh.next;
}

struct str map_key(const struct map_entry *e)
{
	return (struct str){e->key, e->n};
}

void *map_value(const struct map_entry *e)
{
	return e->value;
}
