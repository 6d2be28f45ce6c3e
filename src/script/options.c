#include "script/options.h"

#include "base/mem.h"
#include "base/str.h"

#include <stdlib.h>

typedef const char *pair[2];

static const char *const *copy_list(const char *const *list, size_t n)
{
	if (!list)
		return NULL;
	const char **copy = mem_new((n + 1) * sizeof(*copy));
	for (size_t i = 0; i < n; i++)
		copy[i] = mem_strdup(list[i]);
	return copy;
}

static void free_text(const char *s)
{
	free((char *)(uintptr_t)s);
}

static void free_list(const char *const *list, size_t n)
{
	for (size_t i = 0; list && i < n; i++)
		free_text(list[i]);
	free((void *)(uintptr_t)list);
}

void script_options_copy(struct script_options *to, const struct script_options *from)
{
	pair *pairs = mem_new((from->n_pairs + 1) * sizeof(*pairs));
	*to = *from;
	to->name = mem_strdup(from->name);
	to->path = mem_strdup(from->path);
	to->source = mem_strdup(from->source);
	to->prelude = mem_strdup(from->prelude);
	to->networks = copy_list(from->networks, from->n_networks);
	for (size_t i = 0; i < from->n_pairs; i++)
		for (size_t k = 0; k < 2; k++)
			pairs[i][k] = mem_strdup(from->pairs[i][k]);
	to->pairs = (const char *const(*)[2])pairs;
	to->lib_folders = copy_list(from->lib_folders, from->n_lib_folders);
}

/* A script's own values may be secrets. */
void script_options_fini(struct script_options *o)
{
	free_text(o->name);
	free_text(o->path);
	free_text(o->source);
	free_text(o->prelude);
	free_list(o->networks, o->n_networks);
	for (size_t i = 0; i < o->n_pairs; i++) {
		free_text(o->pairs[i][0]);
		mem_wipe_free((char *)(uintptr_t)o->pairs[i][1]);
	}
	free((void *)(uintptr_t)o->pairs);
	free_list(o->lib_folders, o->n_lib_folders);
	*o = (struct script_options){0};
}

static bool is_same_list(const char *const *a, size_t n_a, const char *const *b, size_t n_b)
{
	bool is = n_a == n_b && !a == !b;
	for (size_t i = 0; a && b && i < n_a && is; i++)
		is = str_same(a[i], b[i]);
	return is;
}

static bool has_same_pairs(const struct script_options *a, const struct script_options *b)
{
	bool is = a->n_pairs == b->n_pairs;
	for (size_t i = 0; i < a->n_pairs && is; i++)
		is = str_same(a->pairs[i][0], b->pairs[i][0]) &&
		     str_same(a->pairs[i][1], b->pairs[i][1]);
	return is;
}

static bool has_same_limits(const struct script_limits *a, const struct script_limits *b)
{
	return a->trust == b->trust && a->gc == b->gc &&
	       a->memory_max_bytes == b->memory_max_bytes && a->cpu_max_ns == b->cpu_max_ns &&
	       a->is_debug == b->is_debug && a->tasks_max == b->tasks_max &&
	       a->alarms_max == b->alarms_max && a->listeners_max == b->listeners_max &&
	       a->spawns_max == b->spawns_max && a->fail_at == b->fail_at && a->fail_n == b->fail_n;
}

bool script_options_equal(const struct script_options *a, const struct script_options *b)
{
	return str_same(a->name, b->name) && str_same(a->path, b->path) &&
	       str_same(a->source, b->source) && str_same(a->prelude, b->prelude) &&
	       is_same_list(a->networks, a->n_networks, b->networks, b->n_networks) &&
	       has_same_pairs(a, b) && has_same_limits(&a->limits, &b->limits) &&
	       is_same_list(a->lib_folders, a->n_lib_folders, b->lib_folders, b->n_lib_folders);
}
