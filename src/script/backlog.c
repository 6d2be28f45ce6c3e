#include "script/backlog.h"

#include "base/mem.h"
#include "script/sync.h"

#include <stdlib.h>

struct entry {
	struct list node;
	struct event *e;
};

static size_t cost_of(const struct event *e)
{
	return sizeof(struct entry) + event_size(e);
}

struct backlog *backlog_new(struct arena *a, size_t max)
{
	struct backlog *b = mem_new(sizeof(*b));
	b->arena = a;
	b->max = max;
	list_init(&b->events);
	list_init(&b->readers);
	return b;
}

void backlog_add(struct backlog *b, struct event *e)
{
	if (b->is_over)
		return;
	if (b->n == b->max || (!b->has_overflowed && !arena_charge(b->arena, cost_of(e))))
		b->has_overflowed = true;
	if (b->has_overflowed)
		return;
	struct entry *entry = mem_new(sizeof(*entry));
	entry->e = event_ref(e);
	list_append(&b->events, &entry->node);
	b->n++;
	waiters_wake(&b->readers);
}

static struct entry *first(const struct backlog *b)
{
	return container_of(b->events.next, struct entry, node);
}

static void drop(struct backlog *b, struct entry *entry)
{
	list_remove(&entry->node);
	arena_release(b->arena, cost_of(entry->e));
	event_unref(entry->e);
	free(entry);
	b->n--;
}

void backlog_clear(struct backlog *b)
{
	list_each_safe (node, &b->events)
		drop(b, container_of(node, struct entry, node));
}

void backlog_free(struct backlog *b)
{
	if (!b)
		return;
	backlog_clear(b);
	free(b);
}

struct event *backlog_first(const struct backlog *b)
{
	return list_is_empty(&b->events) ? NULL : first(b)->e;
}

void backlog_drop_first(struct backlog *b)
{
	drop(b, first(b));
}

void backlog_end(struct backlog *b)
{
	b->is_over = true;
	waiters_wake(&b->readers);
}
