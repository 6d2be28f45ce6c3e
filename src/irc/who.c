#include "irc/who.h"

#include "base/clock.h"
#include "irc/handle.h"

static bool is_asking(const struct session *s)
{
	return roster_asked_who(s->roster).generation != 0;
}

int64_t who_deadline(const struct session *s)
{
	const struct session_options *o = s->options;
	if (!o->who_ns || o->is_manual || !session_is_talking(s))
		return -1;
	if (is_asking(s))
		return s->who.asked_ns + WHO_ANSWER_NS;
	return roster_wants_who(s->roster) ? s->who.asked_ns + o->who_ns : -1;
}

static void ask(struct session *s)
{
	struct buf line;
	buf_init(&line, MESSAGE_BYTES);
	s->who.asked_ns = s->now_ns;
	if (roster_next_who(s->roster, s->isupport, &line).p &&
		!session_push_question(s, LANE_NORMAL, WHO_ANSWER_NS, "%s", buf_str(&line).p))
		roster_give_up_who(s->roster);
	buf_fini(&line);
}

void who_tick(struct session *s)
{
	int64_t at_ns = who_deadline(s);
	if (at_ns < 0 || at_ns > s->now_ns)
		return;
	if (is_asking(s))
		roster_give_up_who(s->roster);
	else
		ask(s);
}
