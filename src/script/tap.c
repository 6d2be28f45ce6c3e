#include "script/tap.h"

#include "base/err.h"
#include "base/mem.h"
#include "script/host.h"

#include <stdlib.h>
#include <string.h>

void taps_init(struct taps *ts)
{
	*ts = (struct taps){0};
	list_init(&ts->all);
}

void taps_fini(struct taps *ts)
{
	list_each_safe (node, &ts->all)
		list_remove(node);
	free(ts->by_kind);
	taps_init(ts);
}

static unsigned *count_of(struct taps *ts, int kind)
{
	size_t n = (size_t)kind + 1;
	if (n > ts->n_kinds) {
		ts->by_kind = mem_resize(ts->by_kind, n, sizeof(*ts->by_kind));
		memset(ts->by_kind + ts->n_kinds, 0, (n - ts->n_kinds) * sizeof(*ts->by_kind));
		ts->n_kinds = n;
	}
	return &ts->by_kind[kind];
}

int tap_on(struct tap *t, struct host *h, struct str name)
{
	struct taps *ts = &h->taps;
	t->n_kinds = host_kinds(h, name, t->kinds);
	if (t->n_kinds == 0)
		return ERR_LIMIT;
	t->number = ++ts->number;
	list_init(&t->node);
	list_append(&ts->all, &t->node);
	for (size_t i = 0; i < t->n_kinds; i++)
		++*count_of(ts, t->kinds[i]);
	return 0;
}

void tap_off(struct tap *t, struct host *h)
{
	struct taps *ts = &h->taps;
	if (!list_is_linked(&t->node))
		return;
	if (ts->next == &t->node)
		ts->next = t->node.next;
	list_remove(&t->node);
	for (size_t i = 0; i < t->n_kinds; i++)
		--*count_of(ts, t->kinds[i]);
}

static bool wants(const struct tap *t, const struct event *e)
{
	for (size_t i = 0; i < t->n_kinds; i++)
		if (t->kinds[i] == e->kind || (t->kinds[i] == EVENT_ANY && e->is_line))
			return true;
	return false;
}

/* Those that are added meanwhile are not told of this one. */
void taps_tell(struct taps *ts, struct event **e)
{
	uint64_t last = ts->number;
	if (event_is_talk(*e) && ((*e)->is_mine || (*e)->is_replayed))
		return;
	event_hold(e);
	for (ts->next = ts->all.next; ts->next != &ts->all;) {
		struct tap *t = container_of(ts->next, struct tap, node);
		ts->next = ts->next->next;
		if (t->number <= last && wants(t, *e))
			t->told(t, *e);
	}
}
