#include "irc/session.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "irc/handle.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	SCRATCH_MAX_BYTES = SESSION_TEXT_MAX_BYTES + 1024,
	SHARED_MAX_BYTES = 16 * 1024, /* the names of channels */
	SWEEP_MAX = 1000
};

static void on_answered(void *owner, const struct request_result *result)
{
	struct session *s = owner;
	if (result->data) /* else the question was the session's own */
		s->ops->answered(s->owner, result);
}

struct session *session_new(
	const struct session_options *options, const struct session_ops *ops, void *owner)
{
	struct session *s = mem_new(sizeof(*s));
	s->options = options;
	s->ops = ops;
	s->owner = owner;
	s->isupport = isupport_new();
	s->lag_ns = s->ping_ns = -1;
	buf_init(&s->scratch, SCRATCH_MAX_BYTES);
	buf_init(&s->extra, SHARED_MAX_BYTES);
	sendq_init(&s->sendq, &options->limits);
	nick_init(s);
	joins_init(s);
	s->login.again_ns = -1;
	s->roster = roster_new(ops->seed(owner));
	requests_init(&s->requests, on_answered, s);
	return s;
}

void session_free(struct session *s)
{
	if (!s)
		return;
	joins_fini(s);
	nick_fini(s);
	login_end(s);
	requests_fini(&s->requests);
	batches_fini(&s->batches);
	roster_free(s->roster);
	sendq_fini(&s->sendq);
	buf_fini(&s->scratch);
	buf_fini(&s->extra);
	isupport_unref(s->isupport);
	free(s->user);
	free(s->host);
	free(s->verdict);
	free(s);
}

static void set_modes(struct session *s)
{
	struct str bot = isupport_get(s->isupport, STR("BOT"));
	if (s->options->is_manual)
		return;
	if (bot.n == 1)
		session_push(s, LANE_URGENT, "MODE %s +%c", s->nick.now, bot.p[0]);
	if (s->options->umodes)
		session_push(s, LANE_URGENT, "MODE %s %s", s->nick.now, s->options->umodes);
}

void session_become_ready(struct session *s)
{
	s->state = SESSION_READY;
	set_modes(s);
	joins_enter_all(s);
	nick_on_ready(s);
	output_pump(s);
	s->ops->ready(s->owner);
	if (!s->options->is_manual)
		s->ops->usable(s->owner);
}

void session_begin(struct session *s, bool is_secure, int64_t now_ns)
{
	const struct session_options *o = s->options;
	assert(s->state == SESSION_IDLE);
	s->state = SESSION_REGISTERING;
	s->is_secure = is_secure;
	s->now_ns = s->begun_ns = s->heard_ns = now_ns;
	if (o->is_manual) {
		s->ops->usable(s->owner);
		return;
	}
	login_begin(s);
}

/* Makes fresh what belongs to one connection. */
void session_end(struct session *s)
{
	s->is_over = true; /* what that tells of must not ask anew */
	requests_disconnect(&s->requests);
	batches_reset(&s->batches);
	roster_reset(s->roster);
	s->wants_sweep = true;
	joins_end(s);
	nick_end(s);
	login_end(s);
	sendq_fini(&s->sendq);
	sendq_init(&s->sendq, &s->options->limits);
	isupport_unref(s->isupport);
	s->isupport = isupport_new();
	free(s->user);
	free(s->host);
	free(s->verdict);
	s->user = s->host = s->verdict = NULL;
	s->ping_ns = s->lag_ns = -1;
	s->is_registered = s->is_over = s->wants_room = false;
	s->state = SESSION_IDLE;
}

bool session_is_talking(const struct session *s)
{
	return s->state == SESSION_READY && !s->is_over;
}

void session_configure(struct session *s, const struct session_options *options, int64_t now_ns)
{
	const struct session_options *old = s->options;
	s->now_ns = now_ns;
	s->options = options;
	caps_configure(&s->caps, &options->caps);
	sendq_limit(&s->sendq, &options->limits, now_ns);
	nick_configure(s, strcmp(options->nick, old->nick) != 0);
	joins_configure(s, old);
	if (!session_is_talking(s))
		return;
	output_pump(s);
	output_give_room(s);
}

void session_fail(struct session *s, int code, const char *fmt, ...)
{
	if (s->is_over)
		return;
	s->is_over = true;
	struct err err = {.code = code};
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(err.text, sizeof(err.text), fmt, ap);
	va_end(ap);
	s->ops->failed(s->owner, &err);
}

bool session_is_me(const struct session *s, struct str name)
{
	return casemap_eq(s->isupport->casemap, str_of(s->nick.now), name);
}

bool session_verdict(const struct session *s, struct err *out)
{
	if (s->verdict)
		err_set(out, s->verdict_kind, "%s", s->verdict);
	return s->verdict != NULL;
}

static bool awaits_pong(const struct session *s)
{
	return s->ping_ns >= 0 && s->ping_ns >= s->heard_ns;
}

static void ping(struct session *s)
{
	s->ping_ns = s->now_ns;
	session_write(s, "PING :ebb");
}

void session_probe(struct session *s, int64_t now_ns)
{
	s->now_ns = now_ns;
	if (session_is_talking(s) && !awaits_pong(s))
		ping(s);
}

/* When the server's silence is next acted on. */
static int64_t silence_deadline(const struct session *s)
{
	const struct session_options *o = s->options;
	if (s->state == SESSION_REGISTERING)
		return s->begun_ns + o->register_timeout_ns;
	if (awaits_pong(s))
		return s->ping_ns + o->ping_timeout_ns;
	return s->heard_ns + o->ping_interval_ns;
}

int64_t session_deadline(const struct session *s)
{
	if (s->wants_sweep)
		return s->now_ns;
	if (s->is_over || s->state == SESSION_IDLE || s->state == SESSION_CLOSING)
		return -1;
	int64_t at_ns = clock_earlier(sendq_next(&s->sendq), silence_deadline(s));
	at_ns = clock_earlier(at_ns, s->verdict ? s->verdict_ns : -1);
	at_ns = clock_earlier(at_ns, requests_deadline(&s->requests));
	at_ns = clock_earlier(at_ns, login_deadline(s));
	at_ns = clock_earlier(at_ns, joins_deadline(s));
	at_ns = clock_earlier(at_ns, nick_deadline(s));
	return clock_earlier(at_ns, who_deadline(s));
}

static void act_on_silence(struct session *s)
{
	const struct session_options *o = s->options;
	if (s->state == SESSION_REGISTERING) {
		session_fail(s, ERR_TIMEOUT, "not registered within %g s",
			(double)o->register_timeout_ns / NS_PER_S);
	} else if (awaits_pong(s)) {
		session_fail(s, ERR_PING, "no answer to PING within %g s",
			(double)o->ping_timeout_ns / NS_PER_S);
	} else {
		ping(s);
	}
}

void session_tick(struct session *s, int64_t now_ns)
{
	s->now_ns = now_ns;
	s->wants_sweep = s->wants_sweep && roster_sweep(s->roster, SWEEP_MAX);
	if (s->is_over || s->state == SESSION_IDLE || s->state == SESSION_CLOSING)
		return;
	if (s->verdict && s->verdict_ns <= now_ns)
		session_fail(s, s->verdict_kind, "%s", s->verdict);
	else if (silence_deadline(s) <= now_ns)
		act_on_silence(s);
	if (!s->is_over)
		login_tick(s);
	if (!s->is_over)
		requests_tick(&s->requests, now_ns);
	if (session_is_talking(s)) {
		joins_tick(s);
		nick_tick(s);
		who_tick(s);
	}
	if (!s->is_over)
		output_pump(s);
}

enum session_state session_state(const struct session *s)
{
	return s->state;
}

const char *session_nick(const struct session *s)
{
	return s->nick.now;
}

struct isupport *session_isupport(const struct session *s)
{
	return s->isupport;
}

const struct roster *session_roster(const struct session *s)
{
	return s->roster;
}

const char *session_account(const struct session *s)
{
	return s->login.account;
}

const struct caps *session_caps(const struct session *s)
{
	return &s->caps;
}

int64_t session_lag_ns(const struct session *s)
{
	return s->lag_ns;
}

uint64_t session_bad_lines(const struct session *s)
{
	return s->bad_lines;
}
