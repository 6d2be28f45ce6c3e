#include "script/follow.h"

#include "base/mem.h"
#include "script/chunk.h"

#include <stdlib.h>
#include <string.h>

static void add(struct follow *f, const char *path, uint64_t hash)
{
	f->files = mem_resize(f->files, f->n + 1, sizeof(*f->files));
	f->files[f->n++] = (struct follow_file){mem_strdup(path), hash};
}

void follow_attempt(struct follow *f, const struct require *r, bool has_failed)
{
	struct follow old = *f;
	*f = (struct follow){0};
	for (const struct map_entry *e = map_first(&r->followed); e; e = map_next(e))
		add(f, map_key(e).p, ((const struct followed *)map_value(e))->hash);
	for (size_t i = 0; i < old.n && has_failed && f->n < REQUIRE_FOLLOWED_MAX; i++)
		if (!map_get(&r->followed, str_of(old.files[i].path)))
			add(f, old.files[i].path, chunk_hash_file(old.files[i].path));
	follow_fini(&old);
}

void follow_note(struct follow *f, const char *path, uint64_t hash)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->files[i].path, path) == 0) {
			f->files[i].hash = hash;
			return;
		}
	if (f->n < REQUIRE_FOLLOWED_MAX)
		add(f, path, hash);
}

bool follow_has_changed(const struct follow *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (chunk_hash_file(f->files[i].path) != f->files[i].hash)
			return true;
	return false;
}

void follow_fini(struct follow *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->files[i].path);
	free(f->files);
	*f = (struct follow){0};
}
