#include "irc/session.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "irc/handle.h"
#include "irc/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCRATCH_MAX_BYTES = SESSION_TEXT_MAX_BYTES + 1024, JOIN_LINE_BYTES = 400 };

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
	sendq_init(&s->sendq, &options->limits);
	nick_init(s);
	joins_init(s);
	return s;
}

void session_free(struct session *s)
{
	if (!s)
		return;
	joins_fini(s);
	nick_fini(s);
	sendq_fini(&s->sendq);
	buf_fini(&s->scratch);
	caps_fini(&s->caps);
	isupport_unref(s->isupport);
	free(s->user);
	free(s->host);
	free(s);
}

void session_write(struct session *s, const char *fmt, ...)
{
	buf_reset(&s->scratch);
	va_list ap;
	va_start(ap, fmt);
	int r = buf_addv(&s->scratch, fmt, ap);
	va_end(ap);
	if (r == 0)
		r = buf_add(&s->scratch, STR("\r\n"));
	if (r == 0)
		s->ops->write(s->owner, buf_str(&s->scratch));
}

static void write_line(struct session *s, struct str line)
{
	buf_reset(&s->scratch);
	if (buf_add(&s->scratch, line) == 0 && buf_add(&s->scratch, STR("\r\n")) == 0)
		s->ops->write(s->owner, buf_str(&s->scratch));
}

static void give_room(struct session *s)
{
	if (!s->wants_room)
		return;
	s->wants_room = false;
	s->ops->room(s->owner);
}

/* Sends what the pace allows. */
static void pump(struct session *s)
{
	struct str line;
	bool sent = false;
	while ((line = sendq_peek(&s->sendq, s->now_ns)).p) {
		write_line(s, line);
		sendq_drop(&s->sendq, s->now_ns);
		sent = true;
	}
	if (sent)
		give_room(s);
}

bool session_push(struct session *s, enum lane lane, const char *fmt, ...)
{
	buf_reset(&s->scratch);
	va_list ap;
	va_start(ap, fmt);
	int r = buf_addv(&s->scratch, fmt, ap);
	va_end(ap);
	if (r == 0)
		r = sendq_push(&s->sendq, lane, buf_str(&s->scratch));
	if (r < 0)
		log_warn("%s: %.40s: not sent: the queue is full", s->options->network,
			buf_str(&s->scratch).p);
	return r == 0;
}

/* The bytes of a line that the server can take, without CR LF. */
static size_t line_max(const struct session *s)
{
	return s->isupport->linelen - 2;
}

/* The bytes of a line that others get in full: the server puts ":nick!user@host " in front. */
static size_t relayed_max(const struct session *s)
{
	size_t user = s->user ? strlen(s->user) : s->isupport->userlen;
	size_t host = s->host ? strlen(s->host) : s->isupport->hostlen;
	size_t source = strlen(s->nick.now) + user + host + strlen(":!@ ");
	return line_max(s) > source ? line_max(s) - source : 0;
}

/* A text in parts: head and tail stand around each. */
struct split {
	struct str head, text, tail;
	size_t max_bytes; /* of a part */
};

static bool is_text_command(struct str command)
{
	return str_ieq(command, STR("PRIVMSG")) || str_ieq(command, STR("NOTICE"));
}

/* False where there is nothing that could be cut, or no room for a part. */
static bool split_begin(struct split *sp, const struct session *s, const struct message *m)
{
	static const struct str action = STR("\x01"
					     "ACTION ");
	if (!is_text_command(m->command) || m->n_params != 2)
		return false;
	struct str text = m->params[1];
	*sp = (struct split){
		.head = {m->raw.p, (size_t)(text.p - m->raw.p)},
                  .text = text
        };
	if (str_starts(text, action)) {
		sp->head.n += action.n;
		sp->text = str_skip(text, action.n);
		sp->tail = STR("\x01");
		if (sp->text.n && sp->text.p[sp->text.n - 1] == '\x01')
			sp->text.n--;
	} else if (text.n && text.p[0] == '\x01') {
		return false;
	}
	size_t around = (size_t)(sp->head.p + sp->head.n - m->command.p) + sp->tail.n;
	if (around + TEXT_PART_MIN_BYTES > relayed_max(s))
		return false;
	sp->max_bytes = relayed_max(s) - around;
	return true;
}

static int push_parts(struct session *s, const struct split *sp)
{
	struct text_cut cut;
	struct str carried, part;
	int r = 0;
	text_cut_begin(&cut, sp->text, sp->max_bytes);
	while (r == 0 && text_cut_next(&cut, &carried, &part)) {
		buf_reset(&s->scratch);
		r = buf_add(&s->scratch, sp->head);
		if (r == 0)
			r = buf_add(&s->scratch, carried);
		if (r == 0)
			r = buf_add(&s->scratch, part);
		if (r == 0)
			r = buf_add(&s->scratch, sp->tail);
		if (r == 0)
			r = sendq_push(&s->sendq, LANE_NORMAL, buf_str(&s->scratch));
	}
	return r;
}

static void measure_parts(const struct split *sp, size_t *n, size_t *n_bytes)
{
	struct text_cut cut;
	struct str carried, part;
	*n = *n_bytes = 0;
	text_cut_begin(&cut, sp->text, sp->max_bytes);
	while (text_cut_next(&cut, &carried, &part)) {
		++*n;
		*n_bytes += sp->head.n + carried.n + part.n + sp->tail.n;
	}
}

static int wait_for_room(struct session *s, struct err *err)
{
	s->wants_room = true;
	return err_set(err, ERR_AGAIN, "the queue is full");
}

static int too_long(struct err *err, size_t n, size_t max)
{
	return err_set(
		err, ERR_LIMIT, "the line is too long: %zu bytes, the server takes %zu", n, max);
}

/* What the session follows of what scripts send. */
static void note_sent(struct session *s, const struct message *m)
{
	if (str_ieq(m->command, STR("JOIN")))
		joins_note_sent(s, m);
	else if (str_ieq(m->command, STR("NICK")))
		nick_note_sent(s, m);
}

static int check_open(const struct session *s, struct err *err)
{
	if (s->is_over || (s->state != SESSION_REGISTERING && s->state != SESSION_READY))
		return err_set(err, ERR_DISCONNECTED, "%s is not connected", s->options->network);
	return 0;
}

static int send_line(struct session *s, struct str line, bool may_split, struct err *err)
{
	struct message m;
	struct split sp;
	if (!sendq_takes(line))
		return err_set(err, ERR_INVALID, "the line is empty, or has a line break or a NUL");
	int r = message_parse(&m, line);
	if (r < 0)
		return err_set(err, ERR_INVALID, "not an IRC line");
	size_t n_bytes = (size_t)(line.p + line.n - m.command.p);
	if (line.n > SESSION_TEXT_MAX_BYTES)
		return too_long(err, line.n, SESSION_TEXT_MAX_BYTES);
	may_split = may_split && split_begin(&sp, s, &m);
	if (may_split ? sp.text.n > sp.max_bytes : n_bytes > line_max(s)) {
		size_t n;
		if (!may_split)
			return too_long(err, n_bytes, line_max(s));
		measure_parts(&sp, &n, &n_bytes);
		if (n_bytes > s->options->limits.max_bytes)
			return too_long(err, n_bytes, s->options->limits.max_bytes);
		if (!sendq_has_room(&s->sendq, n, n_bytes))
			return wait_for_room(s, err);
		return push_parts(s, &sp);
	}
	if (!sendq_has_room(&s->sendq, 1, line.n))
		return wait_for_room(s, err);
	note_sent(s, &m);
	if (!sendq_pass(&s->sendq, s->now_ns))
		return sendq_push(&s->sendq, LANE_NORMAL, line);
	write_line(s, line);
	return 0;
}

static int send_paced(
	struct session *s, struct str line, bool may_split, int64_t now_ns, struct err *err)
{
	s->now_ns = now_ns;
	int r = check_open(s, err);
	if (r == 0)
		r = send_line(s, line, may_split, err);
	if (r == 0)
		pump(s);
	return r;
}

int session_send(struct session *s, struct str line, int64_t now_ns, struct err *err)
{
	return send_paced(s, line, true, now_ns, err);
}

bool session_say(struct session *s, struct str target, struct str text, int64_t now_ns)
{
	static const struct str verb = STR_CONST("PRIVMSG ");
	size_t n = verb.n + target.n + 2 + text.n;
	s->now_ns = now_ns;
	if (check_open(s, NULL) < 0 || !sendq_takes(target) || str_has(target, ' ') ||
		target.p[0] == ':' || !sendq_takes(text) || text.p[0] == '\x01' ||
		n > relayed_max(s))
		return false;
	buf_reset(&s->scratch);
	int r = buf_add(&s->scratch, verb);
	r |= buf_add(&s->scratch, target);
	r |= buf_add(&s->scratch, STR(" :"));
	r |= buf_add(&s->scratch, text);
	r |= buf_add(&s->scratch, STR("\r\n"));
	if (r < 0 || !sendq_pass(&s->sendq, now_ns))
		return false;
	s->ops->write(s->owner, buf_str(&s->scratch));
	return true;
}

int session_raw(struct session *s, struct str line, int64_t now_ns, struct err *err)
{
	return send_paced(s, line, false, now_ns, err);
}

void session_quit(struct session *s, struct str message, int64_t now_ns)
{
	s->now_ns = now_ns;
	if (check_open(s, NULL) < 0)
		return;
	s->state = SESSION_CLOSING;
	sendq_clear(&s->sendq);
	struct text_cut cut;
	struct str carried, first;
	text_cut_begin(&cut, message, line_max(s) - strlen("QUIT :"));
	if (message.n && text_cut_next(&cut, &carried, &first))
		session_write(s, "QUIT :%" STR_F, STR_A(first));
	else
		session_write(s, "QUIT");
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
	pump(s);
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
	buf_reset(&s->scratch);
	caps_begin(&s->caps, NULL, &s->scratch);
	s->ops->write(s->owner, buf_str(&s->scratch));
	if (o->password)
		session_write(s, "PASS :%s", o->password);
	session_write(s, "NICK %s", s->nick.now);
	session_write(s, "USER %s 0 * :%s", o->user, o->realname);
	mem_wipe(s->scratch.bytes, s->scratch.capacity);
}

/* Makes fresh what belongs to one connection. */
void session_end(struct session *s)
{
	joins_end(s);
	nick_end(s);
	sendq_fini(&s->sendq);
	sendq_init(&s->sendq, &s->options->limits);
	isupport_unref(s->isupport);
	s->isupport = isupport_new();
	caps_fini(&s->caps);
	free(s->user);
	free(s->host);
	s->user = s->host = NULL;
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
	sendq_limit(&s->sendq, &options->limits, now_ns);
	nick_configure(s, strcmp(options->nick, old->nick) != 0);
	joins_configure(s, old);
	if (!session_is_talking(s))
		return;
	pump(s);
	give_room(s);
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

static void skip_line(struct session *s, struct str line)
{
	s->bad_lines++;
	log_debug("%s: line skipped: %" STR_F, s->options->network, STR_A(line));
}

static void set_owned(char **place, struct str value)
{
	if (value.n == 0 || str_eq(str_of(*place), value))
		return;
	free(*place);
	*place = str_dup(value);
}

void session_learn_self(struct session *s, struct str user, struct str host)
{
	set_owned(&s->user, user);
	set_owned(&s->host, host);
}

/* A line whose sense is known. */
static void hear(struct session *s, const struct message *m, int kind)
{
	const struct handler *h = handle_find(kind);
	struct received line = {m, kind, m->nick.n && session_is_me(s, m->nick), false, STR_NONE};
	if (line.is_mine)
		session_learn_self(s, m->user, m->host);
	if (h && h->is_early)
		h->run(s, m);
	s->ops->event(s->owner, &line);
	if (h && !h->is_early)
		h->run(s, m);
	if (!s->is_over)
		pump(s); /* what that has pushed */
}

void session_feed(struct session *s, struct str line, int64_t now_ns)
{
	struct message m;
	if (s->state == SESSION_IDLE || s->is_over)
		return;
	s->now_ns = s->heard_ns = now_ns;
	int kind = message_parse(&m, line) < 0 ? -1 : event_kind_of(&m, s->isupport);
	if (kind < 0)
		skip_line(s, line);
	else
		hear(s, &m, kind);
}

/* When the server's silence is next acted on. */
static int64_t silence_deadline(const struct session *s)
{
	const struct session_options *o = s->options;
	if (s->state == SESSION_REGISTERING)
		return s->begun_ns + o->register_timeout_ns;
	if (s->ping_ns >= 0 && s->ping_ns >= s->heard_ns)
		return s->ping_ns + o->ping_timeout_ns;
	return s->heard_ns + o->ping_interval_ns;
}

int64_t session_deadline(const struct session *s)
{
	if (s->is_over || s->state == SESSION_IDLE || s->state == SESSION_CLOSING)
		return -1;
	int64_t at_ns = clock_earlier(sendq_next(&s->sendq), silence_deadline(s));
	at_ns = clock_earlier(at_ns, joins_deadline(s));
	return clock_earlier(at_ns, nick_deadline(s));
}

static void act_on_silence(struct session *s)
{
	const struct session_options *o = s->options;
	if (s->state == SESSION_REGISTERING) {
		session_fail(s, ERR_TIMEOUT, "not registered within %g s",
			(double)o->register_timeout_ns / NS_PER_S);
	} else if (s->ping_ns >= 0 && s->ping_ns >= s->heard_ns) {
		session_fail(s, ERR_PING, "no answer to PING within %g s",
			(double)o->ping_timeout_ns / NS_PER_S);
	} else {
		s->ping_ns = s->now_ns;
		session_write(s, "PING :ebb");
	}
}

void session_tick(struct session *s, int64_t now_ns)
{
	s->now_ns = now_ns;
	if (s->is_over || s->state == SESSION_IDLE || s->state == SESSION_CLOSING)
		return;
	if (silence_deadline(s) <= now_ns)
		act_on_silence(s);
	if (session_is_talking(s)) {
		joins_tick(s);
		nick_tick(s);
	}
	if (!s->is_over)
		pump(s);
}

uint64_t session_pushed(const struct session *s)
{
	return s->sendq.pushed;
}

bool session_is_past(const struct session *s, uint64_t pushed)
{
	return sendq_is_past(&s->sendq, pushed);
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
