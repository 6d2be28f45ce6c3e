/*
 * map: a hash map from byte strings to pointers, in insertion order.
 *
 * Keys are copied and compared byte for byte; who compares names under a casemapping folds them
 * first. Zeroed memory is a valid, empty map. Values are borrowed.
 */
#ifndef EBB_BASE_MAP_H
#define EBB_BASE_MAP_H

#include "base/str.h"

struct map {
	struct map_entry *first;
};

void map_fini(struct map *m);

/* NULL when there is none. */
void *map_get(const struct map *m, struct str key);

/* Value is not NULL. Returns the value that it replaces, or NULL. */
void *map_put(struct map *m, struct str key, void *value);

/* Returns the value that was there, or NULL. */
void *map_remove(struct map *m, struct str key);

/* The map as a set of texts: a NUL-terminated copy of key that stays as long as the map. Such a map
 * is for nothing else. */
const char *map_intern(struct map *m, struct str key);

size_t map_count(const struct map *m);

/* Walking: the first entry and the next, NULL at the end. The entry that one stands on may be
 * removed once the next is known. */
struct map_entry *map_first(const struct map *m);
struct map_entry *map_next(const struct map_entry *e);
struct str map_key(const struct map_entry *e);
void *map_value(const struct map_entry *e);

#endif
