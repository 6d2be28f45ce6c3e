#include "script/trail.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

void trail_init(struct trail *t)
{
	list_init(&t->steps);
	t->n = 0;
}

static struct trail_step *step_of(struct list *node)
{
	return container_of(node, struct trail_step, node);
}

static void drop(struct trail *t, struct trail_step *s)
{
	list_remove(&s->node);
	free(s);
	t->n--;
}

void trail_fini(struct trail *t)
{
	list_each_safe (node, &t->steps)
		drop(t, step_of(node));
}

void trail_note(struct trail *t, const struct event *e)
{
	if (e->is_replayed)
		return;
	struct str nick = e->m.nick;
	struct str new_nick = e->kind == EVENT_NICK ? e->m.params[0] : STR_NONE;
	struct trail_step *s = mem_new(sizeof(*s) + nick.n + new_nick.n);
	s->number = e->number;
	s->nick = (struct str){memcpy(s->bytes, nick.p, nick.n), nick.n};
	if (new_nick.n)
		s->new_nick =
			(struct str){memcpy(s->bytes + nick.n, new_nick.p, new_nick.n), new_nick.n};
	list_append(&t->steps, &s->node);
	if (++t->n > TRAIL_MAX)
		drop(t, step_of(t->steps.next));
}
