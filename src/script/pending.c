#include "script/pending.h"

#include "script/alarm.h"
#include "script/host.h"
#include "script/listen.h"
#include "script/task.h"

#include <stdio.h>
#include <string.h>

struct telling {
	const struct host *host;
	pending_tell *tell;
	void *data;
	unsigned n;
};

uint64_t pending_now(const struct host *h)
{
	return h->made;
}

static double left_s(const struct telling *t, const struct timer *timer)
{
	return (double)(timer->at_ns - t->host->options.timers->now_ns) / NS_PER_S;
}

static void write_text(char *out, size_t size, const struct script *s, const char *what,
	const char *site, const char *more)
{
	snprintf(out, size, "script %s: %s%s%s%s%s", s->name, what, site ? " from " : "",
		site ? site : "", *more ? ": " : "", more);
}

static void tell(struct telling *t, const struct script *s, const char *what, const char *site,
	const char *more)
{
	char text[PENDING_TEXT_BYTES];
	write_text(text, sizeof(text), s, what, site, more);
	t->tell(t->data, text);
	t->n++;
}

/* The function that pauses, "sleep", and the line that called it. */
static void find_pause(const struct task *t, char *out, size_t size)
{
	lua_Debug ar;
	const char *name = NULL;
	snprintf(out, size, "paused");
	lua_State *L = task_innermost(t);
	for (int level = 0; lua_getstack(L, level, &ar); level++) {
		lua_getinfo(L, "nSl", &ar);
		if (level == 0)
			name = ar.name;
		if (ar.currentline < 0)
			continue;
		snprintf(out, size, "in %s at %s:%d", name ? name : "?", ar.short_src,
			ar.currentline);
		return;
	}
}

void pending_describe(const struct task *t, char *out, size_t size)
{
	char more[PENDING_TEXT_BYTES / 2] = "not started";
	if (t->has_started)
		find_pause(t, more, sizeof(more));
	size_t n = strlen(more);
	if (timer_is_set(&t->timer)) {
		int64_t left_ns = t->timer.at_ns - t->script->host->options.timers->now_ns;
		snprintf(more + n, sizeof(more) - n, ", for another %.3f s",
			(double)left_ns / NS_PER_S);
	}
	write_text(out, size, t->script, t->what, t->site, more);
}

static void tell_task(struct telling *t, const struct task *task)
{
	char text[PENDING_TEXT_BYTES];
	pending_describe(task, text, sizeof(text));
	t->tell(t->data, text);
	t->n++;
}

static void tell_alarm(const struct alarm_facts *a, void *data)
{
	struct telling *t = data;
	char more[64];
	snprintf(more, sizeof(more), "due in %.3f s", left_s(t, a->timer));
	tell(t, a->script, a->what, a->site, timer_is_set(a->timer) ? more : "");
}

static void tell_of_script(
	struct telling *t, const struct script *s, uint64_t since, bool with_subs)
{
	list_each (node, &s->tasks) {
		const struct task *task = container_of(node, struct task, all);
		if (task->number > since)
			tell_task(t, task);
	}
	alarm_each(s, since, tell_alarm, t);
	list_each (at, &s->listeners) {
		const struct listener *l = container_of(at, struct listener, all);
		if (with_subs && l->number > since && !l->is_dead)
			tell(t, s, l->what, l->site, "");
	}
}

unsigned pending_each(
	const struct host *h, uint64_t since, bool with_subs, pending_tell *tell_one, void *data)
{
	struct telling t = {.host = h, .tell = tell_one, .data = data};
	list_each (node, &h->scripts)
		tell_of_script(&t, container_of(node, struct script, node), since, with_subs);
	return t.n;
}
