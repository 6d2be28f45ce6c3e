#include "script/trouble.h"

#include "base/attr.h"
#include "base/log.h"
#include "script/host.h"

static void tell_the_rest(struct trouble *t)
{
	if (t->n > TROUBLE_TOLD)
		log_error("script %s: %u more errors within %d s are not in the log",
			t->script->name, t->n - TROUBLE_TOLD, (int)(TROUBLE_NS / NS_PER_S));
	t->n = 0;
}

static void on_end(struct timer *timer)
{
	tell_the_rest(container_of(timer, struct trouble, timer));
}

void trouble_init(struct trouble *t, struct script *s)
{
	*t = (struct trouble){.timer.fire = on_end, .script = s};
}

void trouble_fini(struct trouble *t)
{
	timers_cancel(t->script->host->options.timers, &t->timer);
	tell_the_rest(t);
}

bool trouble_is_told(struct script *s)
{
	struct trouble *t = &s->trouble;
	if (s->host->options.trial)
		return true;
	if (t->n++ == 0)
		timers_after(s->host->options.timers, &t->timer, TROUBLE_NS);
	return t->n <= TROUBLE_TOLD;
}

void trouble_no_task(struct script *s, const char *what, const char *site, const char *why)
{
	struct str rest = str_of(why ? why : "stopped");
	struct str line = str_cut(&rest, '\n');
	if (trouble_is_told(s))
		log_error("script %s: %s%s%s: not run: %" STR_F, s->name, what,
			site ? " from " : "", site ? site : "", STR_A(line));
}
