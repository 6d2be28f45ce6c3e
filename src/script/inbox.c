#include "script/inbox.h"

#include "base/err.h"
#include "base/mem.h"

#include <stdlib.h>

struct entry {
	struct list node;
	struct event *e; /* NULL: net's connection ended */
	struct handle net;
	struct delivery d;
	uint64_t queued;
};

void inbox_init(struct inbox *b)
{
	*b = (struct inbox){0};
	list_init(&b->entries);
}

static size_t size_of(const struct entry *entry)
{
	return sizeof(*entry) + (entry->e ? event_size(entry->e) : 0);
}

static void unlink_entry(struct inbox *b, struct entry *entry)
{
	list_remove(&entry->node);
	b->n--;
	b->bytes -= size_of(entry);
}

void inbox_fini(struct inbox *b)
{
	list_each_safe (node, &b->entries) {
		struct entry *entry = container_of(node, struct entry, node);
		unlink_entry(b, entry);
		event_unref(entry->e);
		free(entry);
	}
}

bool inbox_is_empty(const struct inbox *b)
{
	return list_is_empty(&b->entries);
}

static void insert(struct inbox *b, struct list *at, const struct entry *values)
{
	struct entry *entry = mem_new(sizeof(*entry));
	*entry = *values;
	list_append(at, &entry->node);
	b->n++;
	b->bytes += size_of(entry);
}

static bool is_full(const struct inbox *b)
{
	return b->n >= INBOX_EVENTS_MAX || b->bytes >= INBOX_MAX_BYTES;
}

int inbox_add(struct inbox *b, struct event **e, uint64_t queued)
{
	if (is_full(b))
		return ERR_LIMIT;
	event_hold(e);
	struct entry entry = {.e = event_ref(*e), .queued = queued};
	insert(b, &b->entries, &entry);
	return 0;
}

int inbox_add_end(struct inbox *b, struct handle net, uint64_t queued)
{
	if (is_full(b))
		return ERR_LIMIT;
	struct entry entry = {.net = net, .queued = queued};
	insert(b, &b->entries, &entry);
	return 0;
}

void inbox_put_back(struct inbox *b, struct event **e, const struct delivery *d, uint64_t queued)
{
	event_hold(e);
	struct entry entry = {.e = event_ref(*e), .d = *d, .queued = queued};
	insert(b, b->entries.next, &entry);
}

void inbox_share(struct inbox *b, const struct inbox *from, uint64_t queued)
{
	list_each (node, &from->entries) {
		struct entry entry = *container_of(node, struct entry, node);
		entry.queued = queued;
		if (entry.e) {
			event_ref(entry.e);
			insert(b, &b->entries, &entry);
		}
	}
}

static struct entry *first(const struct inbox *b)
{
	return container_of(b->entries.next, struct entry, node);
}

bool inbox_has_begun(const struct inbox *b)
{
	return !inbox_is_empty(b) && first(b)->d.has_begun;
}

bool inbox_is_half_full(const struct inbox *b)
{
	return b->n >= INBOX_EVENTS_MAX / 2 || b->bytes >= INBOX_MAX_BYTES / 2;
}

uint64_t inbox_queued(const struct inbox *b, uint64_t otherwise)
{
	return inbox_is_empty(b) ? otherwise : first(b)->queued;
}

bool inbox_take(struct inbox *b, struct event **e, struct delivery *d, struct handle *net)
{
	if (inbox_is_empty(b))
		return false;
	struct entry *entry = first(b);
	unlink_entry(b, entry);
	*e = entry->e;
	*d = entry->d;
	*net = entry->net;
	free(entry);
	return true;
}
