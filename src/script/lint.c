#include "script/lint.h"

#include "base/log.h"
#include "script/pending.h"

enum { WAITS_TO_TELL = 100, PENDING_TOLD = 20 };

#define LOOK_NS   (NS_PER_S * 60 * 10)
#define PARKED_NS (NS_PER_S * 60 * 60)

static bool is_linted(const struct script *s)
{
	return script_is_debug(s) && !s->host->options.trial;
}

/* Each is told once: in the look after it has been paused for an hour. */
static void look(struct timer *timer)
{
	struct script *s = container_of(timer, struct script, lint);
	struct timers *timers = s->host->options.timers;
	char where[PENDING_TEXT_BYTES];
	list_each (node, &s->tasks) {
		const struct task *t = container_of(node, struct task, all);
		int64_t paused_ns = timers->now_ns - t->paused_ns;
		if (t->state != TASK_PAUSED || paused_ns < PARKED_NS ||
			paused_ns >= PARKED_NS + LOOK_NS)
			continue;
		pending_describe(t, where, sizeof(where));
		log_warn("%s: it has been paused for an hour", where);
	}
	timers_after(timers, timer, LOOK_NS);
}

void lint_begin(struct script *s)
{
	if (!is_linted(s))
		return;
	s->lint.fire = look;
	timers_after(s->host->options.timers, &s->lint, LOOK_NS);
}

void lint_end(struct script *s)
{
	timers_cancel(s->host->options.timers, &s->lint);
}

void lint_no_pause(lua_State *L, const char *name)
{
	struct script *s = script_of(L);
	const char *site = script_site(L, 1);
	if (is_linted(s))
		log_warn("script %s: %s is called at %s, where nothing can pause", s->name, name,
			site ? site : "?");
}

void lint_wait(const struct listener *l, size_t n)
{
	const struct task *t = l->task;
	if (n != WAITS_TO_TELL || !is_linted(l->script))
		return;
	log_warn("script %s: there are %d waits for one event; the last is %s in %s%s%s",
		l->script->name, WAITS_TO_TELL, l->what, t ? t->what : "a loop",
		t && t->site ? " from " : "", t && t->site ? t->site : "");
}

void lint_pending(const struct script *s)
{
	char where[PENDING_TEXT_BYTES];
	int n = 0;
	if (!is_linted(s))
		return;
	list_each (node, &s->tasks) {
		if (n++ == PENDING_TOLD)
			break;
		pending_describe(container_of(node, struct task, all), where, sizeof(where));
		log_warn("%s: it is pending while its script ends", where);
	}
	if (n > PENDING_TOLD)
		log_warn("script %s: %zu tasks were pending", s->name, s->n_tasks);
}
