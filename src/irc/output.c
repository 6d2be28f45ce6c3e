#include "irc/output.h"

#include "base/log.h"
#include "irc/aim.h"
#include "irc/handle.h"
#include "irc/lengths.h"
#include "irc/multiline.h"
#include "irc/spread.h"
#include "irc/text.h"

#include <stdarg.h>
#include <string.h>

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

void output_give_room(struct session *s)
{
	if (!s->wants_room)
		return;
	s->wants_room = false;
	s->ops->room(s->owner);
}

/* Sends what the pace allows. */
void output_pump(struct session *s)
{
	struct str line;
	bool sent = false;
	while ((line = sendq_peek(&s->sendq, s->now_ns)).p) {
		requests_sent(&s->requests, sendq_peek_number(&s->sendq), s->now_ns);
		write_line(s, line);
		sendq_drop(&s->sendq, s->now_ns);
		sent = true;
	}
	if (sent)
		output_give_room(s);
}

static int push(struct session *s, enum lane lane, const struct message *m)
{
	char names[AIM_MAX_BYTES];
	struct str targets = aim_of(s->isupport, m, names);
	return sendq_push(&s->sendq, lane, m->raw, targets, s->now_ns);
}

/* The bytes of a line that the server can take, without CR LF. */
static size_t line_max(const struct session *s)
{
	return s->isupport->linelen - 2;
}

/* Queues the line in scratch. */
static int push_scratch(struct session *s, enum lane lane)
{
	struct message m;
	int r = message_parse(&m, buf_str(&s->scratch));
	return r < 0 ? r : push(s, lane, &m);
}

/* What follows the command may be a channel's key. */
static void log_unsent(const struct session *s, const char *why)
{
	struct str line = buf_str(&s->scratch);
	log_warn("%s: %" STR_F ": not sent: %s", s->options->network, STR_A(str_cut(&line, ' ')),
		why);
}

/* After QUIT there is nothing to say. */
static bool PRINTF(3, 0) push_own(struct session *s, enum lane lane, const char *fmt, va_list ap)
{
	if (s->state == SESSION_CLOSING)
		return false;
	buf_reset(&s->scratch);
	int r = buf_addv(&s->scratch, fmt, ap);
	bool is_long = r < 0 || buf_str(&s->scratch).n > line_max(s);
	if (!is_long)
		r = push_scratch(s, lane);
	if (is_long || r < 0)
		log_unsent(s, is_long ? "the line is too long" : "the queue is full");
	return !is_long && r == 0;
}

bool session_push(struct session *s, enum lane lane, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	bool is_pushed = push_own(s, lane, fmt, ap);
	va_end(ap);
	return is_pushed;
}

/* Expects the answer to the line in scratch, which was queued last. Where there are too many
 * questions this one is not paired. */
static void expect_own_answer(struct session *s, int64_t timeout_ns)
{
	struct handle id;
	struct request_ask ask = {
		.line = buf_str(&s->scratch), .now_ns = s->now_ns, .timeout_ns = timeout_ns};
	if (requests_add(&s->requests, &ask, s->isupport, &id, NULL, NULL) == 0)
		requests_hold(&s->requests, id, s->sendq.pushed - 1);
}

bool session_push_question(
	struct session *s, enum lane lane, int64_t timeout_ns, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	bool is_pushed = push_own(s, lane, fmt, ap);
	va_end(ap);
	if (is_pushed)
		expect_own_answer(s, timeout_ns);
	return is_pushed;
}

/* The bytes of a line that others get in full: the server puts ":nick!user@host " in front. */
static size_t relayed_max(const struct session *s)
{
	size_t user = s->user ? strlen(s->user) : s->isupport->userlen;
	size_t host = s->host ? strlen(s->host) : s->isupport->hostlen;
	size_t source = strlen(s->nick.now) + user + host + strlen(":!@ ");
	return line_max(s) > source ? line_max(s) - source : 0;
}

/* What counts toward the length of a line; tags have a limit of their own. */
static struct str without_tags(struct str line)
{
	if (str_starts(line, STR("@")))
		(void)str_cut(&line, ' ');
	return line;
}

/* A text in parts: head and tail stand around each. */
struct split {
	struct str head, text, tail;
	size_t max_bytes; /* of a part */
};

/* False where there is nothing that could be cut, or no room for a part. */
static bool split_begin(struct split *sp, const struct session *s, const struct message *m)
{
	static const struct str action = STR("\x01"
					     "ACTION ");
	if (!message_is_text(m) || m->n_params != 2)
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
	size_t around = without_tags(sp->head).n + sp->tail.n;
	if (around + TEXT_PART_MIN_BYTES > relayed_max(s))
		return false;
	sp->max_bytes = relayed_max(s) - around;
	return true;
}

/* Queues the parts, or measures them only. */
static int send_parts(struct session *s, const struct split *sp, struct measure *only)
{
	struct text_cut cut;
	struct str carried, part;
	int r = 0;
	text_cut_begin(&cut, sp->text, sp->max_bytes);
	while (r == 0 && text_cut_next(&cut, &carried, &part)) {
		if (only) {
			only->n++;
			only->n_bytes += sp->head.n + carried.n + part.n + sp->tail.n;
			continue;
		}
		buf_reset(&s->scratch);
		r = buf_addf(&s->scratch, "%" STR_F "%" STR_F "%" STR_F "%" STR_F, STR_A(sp->head),
			STR_A(carried), STR_A(part), STR_A(sp->tail));
		if (r == 0)
			r = push_scratch(s, LANE_NORMAL);
	}
	return r;
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

/* The parts of a line that is to be sent, where there is one. */
static bool is_split(struct split *sp, const struct session *s, const struct message *m)
{
	return split_begin(sp, s, m) && sp->text.n > sp->max_bytes;
}

/* In parts, or as one message in several lines, which neither a CTCP can be nor what is for many.
 */
static int send_long(
	struct session *s, const struct message *m, const struct split *sp, struct measure *only)
{
	if (sp->tail.n == 0 && !str_has(m->params[0], ',') && multiline_is_offered(s))
		return multiline_send(s, m, sp->max_bytes, only);
	return send_parts(s, sp, only);
}

/* Adds what m becomes to *size. */
static int measure_line(
	struct session *s, const struct message *m, struct measure *size, struct err *err)
{
	struct split sp;
	if (is_split(&sp, s, m))
		return send_long(s, m, &sp, size);
	size_t n_bytes = without_tags(m->raw).n;
	if (n_bytes > line_max(s))
		return too_long(err, n_bytes, line_max(s));
	size->n++;
	size->n_bytes += m->raw.n;
	return 0;
}

/* There is room for it. */
static int put_whole(struct session *s, const struct message *m)
{
	note_sent(s, m);
	if (!sendq_pass(&s->sendq, s->now_ns))
		return push(s, LANE_NORMAL, m);
	requests_sent(&s->requests, s->sendq.pushed - 1, s->now_ns);
	write_line(s, m->raw);
	return 0;
}

static int send_whole(struct session *s, const struct message *m, struct err *err)
{
	if (!sendq_has_room(&s->sendq, 1, m->raw.n))
		return wait_for_room(s, err);
	return put_whole(s, m);
}

/* The same for a line that may be split. */
static int put_line(struct session *s, const struct message *m)
{
	struct split sp;
	return is_split(&sp, s, m) ? send_long(s, m, &sp, NULL) : put_whole(s, m);
}

/* Several lines at once, or none. */
static int check_room(struct session *s, const struct measure *size, struct err *err)
{
	if (size->n_bytes > s->options->limits.max_bytes)
		return too_long(err, size->n_bytes, s->options->limits.max_bytes);
	if (!sendq_has_room(&s->sendq, size->n, size->n_bytes))
		return wait_for_room(s, err);
	return 0;
}

static int send_split(
	struct session *s, const struct message *m, const struct split *sp, struct err *err)
{
	struct measure size = {0, 0};
	(void)send_long(s, m, sp, &size);
	int r = check_room(s, &size, err);
	return r < 0 ? r : send_long(s, m, sp, NULL);
}

/* Sends the lines, or measures them only. */
static int send_lines(struct session *s, struct spread *sp, struct measure *only, struct err *err)
{
	struct buf line;
	struct message m;
	int r;
	buf_init(&line, SESSION_TEXT_MAX_BYTES);
	spread_rewind(sp);
	while ((r = spread_next(sp, &line)) > 0) {
		r = message_parse(&m, buf_str(&line));
		if (r == 0)
			r = only ? measure_line(s, &m, only, err) : put_line(s, &m);
		if (r < 0)
			break;
	}
	buf_fini(&line);
	return r;
}

static int send_spread(struct session *s, struct spread *sp, struct err *err)
{
	struct measure size = {0, 0};
	int r = send_lines(s, sp, &size, err);
	if (r == 0)
		r = check_room(s, &size, err);
	return r < 0 ? r : send_lines(s, sp, NULL, err);
}

static int parse_line(struct message *m, struct str line, struct err *err)
{
	if (!sendq_takes(line))
		return err_set(err, ERR_INVALID, "the line is empty, or has a line break or a NUL");
	if (line.n > SESSION_TEXT_MAX_BYTES)
		return too_long(err, line.n, SESSION_TEXT_MAX_BYTES);
	if (message_parse(m, line) < 0)
		return err_set(err, ERR_INVALID, "not an IRC line");
	if (m->tags.n > MESSAGE_SENT_TAGS_BYTES)
		return too_long(err, m->tags.n, MESSAGE_SENT_TAGS_BYTES);
	return 0;
}

/* Of what others are relayed, each gets what is addressed to it alone. */
static size_t spread_max(const struct session *s, const struct message *m)
{
	return message_is_text(m) ? relayed_max(s) : line_max(s);
}

static void cut_text(const struct session *s, struct message *m)
{
	size_t max = lengths_cut(s->isupport, m);
	if (max)
		log_info("%s: %" STR_F ": cut to %zu bytes, which is all that the server keeps",
			s->options->network, STR_A(m->command), max);
}

static int send_line(struct session *s, struct str line, bool may_split, struct err *err)
{
	struct message m = {0};
	struct split sp;
	struct spread lines;
	int r = parse_line(&m, line, err);
	if (r < 0)
		return r;
	if (may_split)
		cut_text(s, &m);
	size_t n_bytes = without_tags(m.raw).n;
	if (may_split && spread_begin(&lines, s->isupport, &m, spread_max(s, &m)))
		return send_spread(s, &lines, err);
	if (may_split && is_split(&sp, s, &m))
		return send_split(s, &m, &sp, err);
	if (n_bytes > line_max(s))
		return too_long(err, n_bytes, line_max(s));
	return send_whole(s, &m, err);
}

static bool is_foreign(const struct session *s, struct str line)
{
	return s->isupport->utf8_only && !text_is_utf8(line);
}

/* A server that takes UTF-8 only would drop the line, or us. */
static int send_scrubbed(struct session *s, struct str line, bool may_split, struct err *err)
{
	struct buf b;
	buf_init(&b, (size_t)4 * SESSION_TEXT_MAX_BYTES);
	int r = text_scrub(&b, line);
	r = r < 0 ? too_long(err, line.n, SESSION_TEXT_MAX_BYTES)
		  : send_line(s, buf_str(&b), may_split, err);
	buf_fini(&b);
	return r;
}

static int send_paced(
	struct session *s, struct str line, bool may_split, int64_t now_ns, struct err *err)
{
	s->now_ns = now_ns;
	int r = check_open(s, err);
	if (r == 0)
		r = is_foreign(s, line) ? send_scrubbed(s, line, may_split, err)
					: send_line(s, line, may_split, err);
	if (r == 0)
		output_pump(s);
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
		n > relayed_max(s) || is_foreign(s, text))
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

/* Puts the label in front, among the tags that are there. */
static int put_label(struct buf *out, struct str line, struct str label)
{
	if (label.n == 0)
		return buf_add(out, line);
	bool has_tags = str_starts(line, STR("@"));
	return buf_addf(out, "@label=%" STR_F "%c%" STR_F, STR_A(label), has_tags ? ';' : ' ',
		STR_A(str_skip(line, has_tags)));
}

static int send_labeled(struct session *s, struct str line, struct str label, struct err *err)
{
	struct buf b;
	buf_init(&b, SESSION_TEXT_MAX_BYTES + REQUEST_LABEL_MAX_BYTES);
	int r = put_label(&b, line, label);
	r = r < 0 ? too_long(err, line.n, SESSION_TEXT_MAX_BYTES)
		  : session_raw(s, buf_str(&b), s->now_ns, err);
	buf_fini(&b);
	return r;
}

int session_request(struct session *s, struct str line, int64_t timeout_ns, void *data,
	struct handle *id, int64_t now_ns, struct err *err)
{
	struct buf label;
	struct request_ask ask = {
		line, caps_has(&s->caps, CAP_LABELED_RESPONSE), false, now_ns, timeout_ns, data};
	s->now_ns = now_ns;
	int r = check_open(s, err);
	if (r < 0)
		return r;
	buf_init(&label, REQUEST_LABEL_MAX_BYTES);
	r = requests_add(&s->requests, &ask, s->isupport, id, &label, err);
	if (r == 0) {
		requests_hold(&s->requests, *id, s->sendq.pushed);
		r = send_labeled(s, line, buf_str(&label), err);
		if (r < 0)
			requests_cancel(&s->requests, *id);
	}
	buf_fini(&label);
	return r;
}

void session_forget_request(struct session *s, struct handle id)
{
	requests_cancel(&s->requests, id);
}

static void write_quit(struct session *s, struct str message)
{
	struct text_cut cut;
	struct str carried, first;
	text_cut_begin(&cut, message, line_max(s) - strlen("QUIT :"));
	if (message.n && text_cut_next(&cut, &carried, &first))
		session_write(s, "QUIT :%" STR_F, STR_A(first));
	else
		session_write(s, "QUIT");
}

void session_quit(struct session *s, struct str message, int64_t now_ns)
{
	struct buf clean;
	s->now_ns = now_ns;
	if (check_open(s, NULL) < 0)
		return;
	s->state = SESSION_CLOSING;
	sendq_clear(&s->sendq);
	buf_init(&clean, (size_t)4 * SESSION_TEXT_MAX_BYTES);
	if (is_foreign(s, message))
		message = text_scrub(&clean, message) < 0 ? STR_NONE : buf_str(&clean);
	write_quit(s, message);
	buf_fini(&clean);
}

void session_each_waiting(const struct session *s, int64_t now_ns,
	void (*told)(void *data, const struct sendq_wait *w), void *data)
{
	sendq_each(&s->sendq, now_ns, told, data);
}

uint64_t session_pushed(const struct session *s)
{
	return s->sendq.pushed;
}

bool session_is_past(const struct session *s, uint64_t pushed)
{
	return sendq_is_past(&s->sendq, pushed);
}
