#include "irc/nick.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "irc/handle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NICK_SUFFIXES = 3 }; /* ebb_ ebb__ ebb___ after the alternatives */

#define LOOK_FIRST_NS (60 * NS_PER_S)
#define LOOK_MAX_NS   (600 * NS_PER_S)
#define ISON_NS       (30 * NS_PER_S) /* for its answer */
#define ANSWER_NS     (60 * NS_PER_S) /* for that to NICK, which may wait in the queue */
#define TRY_AGAIN_NS  (10 * NS_PER_S) /* between two requests for the wanted nick */
#define CALM_FIRST_NS (10 * NS_PER_S)
#define CALM_MAX_NS   (3600 * NS_PER_S)

static void set_owned(char **place, struct str value)
{
	char *copy = str_dup(value);
	free(*place);
	*place = copy;
}

static void forget_asked(struct session *s)
{
	free(s->nick.asked);
	s->nick.asked = NULL;
}

void nick_init(struct session *s)
{
	s->nick = (struct nick){.look_ns = -1};
	set_owned(&s->nick.now, str_of(s->options->nick));
	set_owned(&s->nick.wanted, str_of(s->options->nick));
}

void nick_fini(struct session *s)
{
	free(s->nick.now);
	free(s->nick.wanted);
	free(s->nick.asked);
}

void nick_end(struct session *s)
{
	nick_fini(s);
	nick_init(s);
}

/* As the server will have it. */
static struct str fitting(const struct session *s, struct str nick)
{
	size_t max = s->isupport->nicklen;
	return max && nick.n > max ? (struct str){nick.p, max} : nick;
}

static struct str wanted(const struct session *s)
{
	return fitting(s, str_of(s->nick.wanted));
}

/* Other capitals are another nick. */
static bool is_had(const struct session *s)
{
	return str_eq(str_of(s->nick.now), wanted(s));
}

static bool is_wanted(const struct session *s, struct str name)
{
	return casemap_eq(s->isupport->casemap, wanted(s), name);
}

static void expect(struct session *s, struct str nick, bool is_scripts)
{
	set_owned(&s->nick.asked, fitting(s, nick));
	s->nick.is_scripts = is_scripts;
	s->nick.answer_ns = s->now_ns + ANSWER_NS;
}

static void ask(struct session *s)
{
	s->nick.is_due = false;
	if (!session_push(s, LANE_URGENT, "NICK %" STR_F, STR_A(wanted(s))))
		return;
	expect(s, wanted(s), false);
	s->nick.calm_ns = s->now_ns + TRY_AGAIN_NS;
}

static void unwatch(struct session *s)
{
	s->nick.look_ns = -1;
	s->nick.looks = 0;
	if (!s->nick.is_monitored)
		return;
	s->nick.is_monitored = false;
	session_push(s, LANE_URGENT, "MONITOR - %" STR_F, STR_A(wanted(s)));
}

static bool has_monitor(const struct session *s)
{
	return isupport_get(s->isupport, STR("MONITOR")).p != NULL;
}

/* The server tells us once whether the nick is there, and then when that changes; where it cannot,
 * it is asked. */
static void watch(struct session *s)
{
	if (s->options->is_manual || is_had(s) || s->nick.is_monitored)
		return;
	if (has_monitor(s))
		s->nick.is_monitored =
			session_push(s, LANE_URGENT, "MONITOR + %" STR_F, STR_A(wanted(s)));
	int64_t after_ns = clock_doubled(LOOK_FIRST_NS, s->nick.looks, LOOK_MAX_NS);
	s->nick.look_ns = s->nick.is_monitored ? -1 : s->now_ns + after_ns;
}

/* Nobody will tell when it is worth asking again. */
static void look_later(struct session *s)
{
	watch(s);
	s->nick.look_ns = s->now_ns + clock_doubled(LOOK_FIRST_NS, s->nick.looks++, LOOK_MAX_NS);
}

/* The wanted nick is free, as far as one can see. */
static void take(struct session *s)
{
	if (!session_is_talking(s) || s->options->is_manual || is_had(s) || s->nick.asked)
		return;
	if (s->now_ns < s->nick.calm_ns)
		s->nick.look_ns = clock_earlier(s->nick.look_ns, s->nick.calm_ns);
	else
		ask(s);
}

void nick_on_ready(struct session *s)
{
	if (s->options->is_manual || is_had(s))
		return;
	if (s->nick.is_due)
		ask(s);
	else
		watch(s);
}

/* Who is idle is called by the wanted nick. */
void nick_configure(struct session *s, bool is_new)
{
	if (s->state == SESSION_IDLE) {
		nick_end(s);
		return;
	}
	if (!is_new || s->options->is_manual)
		return;
	unwatch(s);
	set_owned(&s->nick.wanted, str_of(s->options->nick));
	s->nick.is_due = !is_had(s) || s->nick.asked;
	if (s->nick.is_due && session_is_talking(s))
		ask(s);
}

void nick_note_sent(struct session *s, const struct message *m)
{
	if (m->n_params)
		expect(s, m->params[0], true);
}

void nick_on_welcome(struct session *s, const struct message *m)
{
	set_owned(&s->nick.now, m->params[0]);
	forget_asked(s);
}

static void try_nick(struct session *s, const char *nick)
{
	set_owned(&s->nick.now, str_of(nick));
	session_write(s, "NICK %s", s->nick.now);
}

static void try_next(struct session *s, struct str why)
{
	const struct session_options *o = s->options;
	unsigned i = s->nick.tries++;
	char suffixed[64];
	log_info("%s: nick %s: refused: %" STR_F, o->network, s->nick.now, STR_A(why));
	if (i < o->n_alt_nicks) {
		try_nick(s, o->alt_nicks[i]);
	} else if (i - o->n_alt_nicks < NICK_SUFFIXES) {
		int underscores = (int)(i - o->n_alt_nicks) + 1;
		snprintf(suffixed, sizeof(suffixed), "%.50s%.*s", o->nick, underscores, "___");
		try_nick(s, suffixed);
	} else {
		session_fail(
			s, ERR_NICK, "every nick is refused, the last for: %" STR_F, STR_A(why));
	}
}

/* A refusal does not always say of what. What scripts ask for is theirs to follow. */
static void on_late_refusal(struct session *s, const struct message *m)
{
	struct str refused = message_param(m, 1);
	if (!s->nick.asked || !str_eq(refused, str_of(s->nick.asked)))
		return;
	forget_asked(s);
	if (s->nick.is_scripts)
		return;
	log_info("%s: nick %" STR_F ": refused: %" STR_F, s->options->network, STR_A(refused),
		STR_A(message_last(m)));
	if (m->numeric == 432) {
		unwatch(s); /* it would be no nick later either */
		return;
	}
	if (m->numeric == 437) /* held by the server */
		look_later(s);
	else
		watch(s);
}

void nick_on_refusal(struct session *s, const struct message *m)
{
	if (s->is_registered)
		on_late_refusal(s, m);
	else if (!s->options->is_manual && s->state == SESSION_REGISTERING)
		try_next(s, message_last(m));
}

static void on_renamed(struct session *s)
{
	int64_t calm_ns = clock_doubled(CALM_FIRST_NS, s->nick.renames++, CALM_MAX_NS);
	log_info("%s: renamed to %s", s->options->network, s->nick.now);
	s->nick.calm_ns = s->now_ns + calm_ns;
	if (s->options->is_manual || is_had(s) || s->nick.is_monitored)
		return;
	s->nick.look_ns = clock_earlier(s->nick.look_ns, s->nick.calm_ns);
}

static void on_own_nick(struct session *s, struct str name)
{
	bool was_asked = s->nick.asked != NULL;
	bool is_answer = was_asked && str_eq(str_of(s->nick.asked), name);
	set_owned(&s->nick.now, name);
	if (is_answer) {
		forget_asked(s);
		if (s->nick.is_scripts && !is_had(s)) {
			unwatch(s);
			set_owned(&s->nick.wanted, name);
		}
	}
	if (is_had(s))
		unwatch(s);
	else if (!was_asked)
		on_renamed(s);
}

void nick_on_nick(struct session *s, const struct message *m)
{
	if (session_is_me(s, m->nick))
		on_own_nick(s, m->params[0]);
	else if (is_wanted(s, m->nick) && !is_wanted(s, m->params[0]))
		take(s);
}

void nick_on_quit(struct session *s, const struct message *m)
{
	if (is_wanted(s, m->nick))
		take(s);
}

void nick_on_ison(struct session *s, const struct message *m)
{
	struct str rest = message_last(m), name;
	if (!s->nick.is_ison_out)
		return;
	s->nick.is_ison_out = false;
	while ((name = str_word(&rest, " ")).n)
		if (is_wanted(s, name))
			return;
	take(s);
}

/* "nick" or "nick!user@host", separated by commas */
void nick_on_offline(struct session *s, const struct message *m)
{
	struct str rest = message_last(m);
	while (s->nick.is_monitored && rest.p) {
		struct str name = str_cut(&rest, ',');
		if (is_wanted(s, str_cut(&name, '!')))
			take(s);
	}
}

int64_t nick_deadline(const struct session *s)
{
	if (!session_is_talking(s))
		return -1;
	return clock_earlier(s->nick.look_ns, s->nick.asked ? s->nick.answer_ns : -1);
}

static void give_up_asked(struct session *s)
{
	forget_asked(s);
	if (!s->nick.is_scripts && !is_had(s))
		look_later(s);
}

/* Under MONITOR the time that is waited for is that of the next request; else ISON goes out. */
void nick_tick(struct session *s)
{
	if (s->nick.asked && s->nick.answer_ns <= s->now_ns)
		give_up_asked(s);
	if (s->nick.look_ns < 0 || s->nick.look_ns > s->now_ns)
		return;
	s->nick.look_ns = -1;
	if (is_had(s))
		return;
	if (s->nick.is_monitored || has_monitor(s)) {
		take(s);
		watch(s);
		return;
	}
	s->nick.is_ison_out =
		session_push_question(s, LANE_URGENT, ISON_NS, "ISON %" STR_F, STR_A(wanted(s)));
	s->nick.looks++;
	watch(s);
}
