#include "net/gate.h"

#include "base/attr.h"

static struct gate_pass *first(const struct list *passes)
{
	return container_of(passes->next, struct gate_pass, node);
}

/* One that waits has a turn when the oldest is young no more. */
static void set_next(struct gate *g)
{
	if (list_is_empty(&g->waiting))
		timers_cancel(g->timers, &g->next);
	else if (g->n_young < GATE_MAX)
		timers_after(g->timers, &g->next, 0);
	else
		timers_set(g->timers, &g->next, first(&g->young)->until_ns);
}

static void grow_old(struct gate *g, struct gate_pass *p)
{
	list_remove(&p->node);
	p->is_young = false;
	g->n_young--;
}

static void forget_old(struct gate *g)
{
	while (!list_is_empty(&g->young) && first(&g->young)->until_ns <= g->timers->now_ns)
		grow_old(g, first(&g->young));
}

static void begin(struct gate *g, struct gate_pass *p)
{
	list_remove(&p->node);
	list_append(&g->young, &p->node);
	g->n_young++;
	p->is_young = true;
	p->until_ns = g->timers->now_ns + GATE_YOUNG_NS;
}

/* As many as there is room for now: who is opened may leave at once. */
static void on_next(struct timer *t)
{
	struct gate *g = container_of(t, struct gate, next);
	forget_old(g);
	for (unsigned n = GATE_MAX - g->n_young; n > 0 && !list_is_empty(&g->waiting); n--) {
		struct gate_pass *p = first(&g->waiting);
		begin(g, p);
		p->open(p);
	}
	set_next(g);
}

void gate_init(struct gate *g, struct timers *timers)
{
	*g = (struct gate){.timers = timers, .next.fire = on_next};
	list_init(&g->young);
	list_init(&g->waiting);
}

void gate_fini(struct gate *g)
{
	if (g->timers)
		timers_cancel(g->timers, &g->next);
}

void gate_pass_init(struct gate_pass *p, void (*open)(struct gate_pass *p))
{
	*p = (struct gate_pass){.open = open};
	list_init(&p->node);
}

bool gate_enter(struct gate *g, struct gate_pass *p)
{
	if (list_is_linked(&p->node))
		return p->is_young;
	forget_old(g);
	if (g->n_young < GATE_MAX && list_is_empty(&g->waiting)) {
		begin(g, p);
		return true;
	}
	list_append(&g->waiting, &p->node);
	set_next(g);
	return false;
}

void gate_leave(struct gate *g, struct gate_pass *p)
{
	if (p->is_young)
		grow_old(g, p);
	list_remove(&p->node);
	set_next(g);
}
