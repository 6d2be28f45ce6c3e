#include "script/remains.h"

#include "base/mem.h"

#include <stdlib.h>

enum { BYTES_A_STEP = 4 * 1024 * 1024 };

struct remnant {
	struct list node;
	struct arena arena;
};

static void drop(struct remnant *one)
{
	list_remove(&one->node);
	arena_fini(&one->arena);
	free(one);
}

static struct remnant *first(struct remains *r)
{
	return container_of(r->all.next, struct remnant, node);
}

static void on_step(struct timer *timer)
{
	struct remains *r = container_of(timer, struct remains, step);
	if (arena_shrink(&first(r)->arena, BYTES_A_STEP))
		drop(first(r));
	if (!list_is_empty(&r->all))
		timers_after(r->timers, &r->step, 0);
}

void remains_init(struct remains *r, struct timers *timers)
{
	*r = (struct remains){.timers = timers, .step.fire = on_step};
	list_init(&r->all);
}

void remains_fini(struct remains *r)
{
	list_each_safe (node, &r->all)
		drop(container_of(node, struct remnant, node));
	timers_cancel(r->timers, &r->step);
}

void remains_take(struct remains *r, struct arena *a)
{
	if (arena_shrink(a, BYTES_A_STEP)) {
		arena_fini(a);
		return;
	}
	struct remnant *one = mem_new(sizeof(*one));
	arena_move(&one->arena, a);
	list_append(&r->all, &one->node);
	timers_after(r->timers, &r->step, 0);
}
