#include "base/timers.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>

void timers_init(struct timers *ts, int64_t now_ns)
{
	*ts = (struct timers){.now_ns = now_ns};
}

void timers_fini(struct timers *ts)
{
	for (size_t i = 0; i < ts->n; i++)
		ts->heap[i]->slot = 0;
	free(ts->heap);
	*ts = (struct timers){0};
}

static bool is_before(const struct timer *a, const struct timer *b)
{
	return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static void put(struct timers *ts, size_t i, struct timer *t)
{
	ts->heap[i] = t;
	t->slot = i + 1;
}

static void sift_up(struct timers *ts, size_t i, struct timer *t)
{
	while (i > 0) {
		size_t parent = (i - 1) / 2;
		if (!is_before(t, ts->heap[parent]))
			break;
		put(ts, i, ts->heap[parent]);
		i = parent;
	}
	put(ts, i, t);
}

static void sift_down(struct timers *ts, size_t i, struct timer *t)
{
	for (;;) {
		size_t child = 2 * i + 1;
		if (child >= ts->n)
			break;
		if (child + 1 < ts->n && is_before(ts->heap[child + 1], ts->heap[child]))
			child++;
		if (!is_before(ts->heap[child], t))
			break;
		put(ts, i, ts->heap[child]);
		i = child;
	}
	put(ts, i, t);
}

void timers_set(struct timers *ts, struct timer *t, int64_t at_ns)
{
	assert(t->fire);
	timers_cancel(ts, t);
	if (ts->n == ts->capacity) {
		ts->capacity += ts->capacity / 2 + 64;
		ts->heap = mem_resize(ts->heap, ts->capacity, sizeof(*ts->heap));
	}
	t->at_ns = at_ns;
	t->order = ts->next_order++;
	sift_up(ts, ts->n++, t);
}

void timers_after(struct timers *ts, struct timer *t, int64_t delay_ns)
{
	timers_set(ts, t, ts->now_ns + delay_ns);
}

void timers_cancel(struct timers *ts, struct timer *t)
{
	if (!t->slot)
		return;
	size_t i = t->slot - 1;
	t->slot = 0;
	struct timer *last = ts->heap[--ts->n];
	if (last == t)
		return;
	if (is_before(last, t))
		sift_up(ts, i, last);
	else
		sift_down(ts, i, last);
}

int64_t timers_next(const struct timers *ts)
{
	return ts->n ? ts->heap[0]->at_ns : -1;
}

void timers_run(struct timers *ts, int64_t now_ns)
{
	if (now_ns > ts->now_ns)
		ts->now_ns = now_ns;
	uint64_t limit = ts->next_order;
	while (ts->n && ts->heap[0]->at_ns <= ts->now_ns && ts->heap[0]->order < limit) {
		struct timer *t = ts->heap[0];
		timers_cancel(ts, t);
		t->fire(t);
	}
}
