#include "daemon/summary.h"

#include "base/attr.h"
#include "script/net.h"
#include "script/program.h"

#include <stdio.h>

#define LOOK_NS NS_PER_S

static size_t count(const struct list *head)
{
	size_t n = 0;
	list_each (node, head)
		n++;
	return n;
}

/* Those that are to run. */
static size_t count_programs(const struct list *programs)
{
	size_t n = 0;
	list_each (node, programs) {
		const struct program *p = container_of(node, struct program, node);
		n += !p->is_leaving && !p->is_unloaded;
	}
	return n;
}

static size_t count_ready(const struct list *nets)
{
	size_t n = 0;
	list_each (node, nets)
		n += net_facts(container_of(node, struct net, node)).is_usable;
	return n;
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

void summary_write(const struct host *h, char out[SUMMARY_BYTES])
{
	size_t nets = count(&h->nets), programs = count_programs(&h->programs);
	size_t scripts = program_count_running(h);
	char running[32] = "";
	if (scripts != programs)
		snprintf(running, sizeof(running), "%zu of ", scripts);
	snprintf(out, SUMMARY_BYTES, "%zu of %zu network%s ready, %s%zu script%s",
		count_ready(&h->nets), nets, plural(nets), running, programs, plural(programs));
}

static void look(struct timer *t)
{
	struct summary *s = container_of(t, struct summary, look);
	char text[SUMMARY_BYTES];
	summary_write(s->host, text);
	notify_status(s->notify, text);
	timers_after(&s->notify->loop->timers, t, LOOK_NS);
}

void summary_start(struct summary *s, struct notify *notify, const struct host *host)
{
	*s = (struct summary){.host = host, .notify = notify, .look.fire = look};
	if (notify_is_heard(notify))
		look(&s->look);
}

void summary_stop(struct summary *s)
{
	if (s->notify)
		timers_cancel(&s->notify->loop->timers, &s->look);
}
