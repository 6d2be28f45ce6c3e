/*
 * A whole conversation. The input is lines; the server says them, but for those that begin with one
 * of these marks:
 *
 *     +N       N seconds pass (or N tenths, with a t behind it)
 *     >LINE    a script sends a line        !LINE    the same, raw
 *     &LINE    a script asks, and waits     -        it does not wait for the oldest answer any
 * more %TEXT    a script says TEXT to #c     ?TEXT    quits =N       other options: row N of the
 * table below; the first line's choose those at the start ~        the connection ends, and a new
 * one begins
 *
 * What a new op or option needs is a row here, and a line in a seed.
 */
#include "fuzz/fuzz.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "irc/session.h"
#include "support/roster_check.h"

#include <sanitizer/allocator_interface.h>

enum {
	TICKS_MAX = 20000, /* until a time that passes has passed */
	LINES_A_CHECK = 16,
	LINES_AT_ONCE_MAX = 64,              /* of one call to write */
	CONVERSATION_MAX_BYTES = 1024 * 1024 /* of memory; the input is far smaller */
};

#define TIMES                                                                     \
	.register_timeout_ns = 60 * NS_PER_S, .ping_interval_ns = 120 * NS_PER_S, \
	.ping_timeout_ns = 60 * NS_PER_S
#define PERSON .network = "net", .user = "ebb", .realname = "An ebb"

static const char *const alt_nicks[] = {"ebb_", "bbe"};
static const struct session_channel few_channels[] = {
	{"#c", NULL },
        {"#d", "key"},
        {"#E", NULL }
};
static const struct session_channel other_channels[] = {
	{"#c", "new"},
        {"#f", NULL }
};

static const char *const more_caps[] = {"x.example/one", "x.example/two", "sasl"};
static const char *const refused_caps[] = {"echo-message", "x.example/two"};

static const struct row {
	struct session_options options;
	bool is_secure;
} rows[] = {
	{{PERSON, .nick = "ebb", TIMES, .channels = few_channels, .n_channels = 3, .umodes = "+ix",
		 .who_ns = 2 * NS_PER_S, .limits = {2 * NS_PER_S, 8 * NS_PER_S, 10, 4000}},
         false},
	{{PERSON, .nick = "ebb", TIMES, .is_manual = true, .who_ns = NS_PER_S,
		 .limits = {0, 0, 1000, 128 * 1024}},
         false},
	{{PERSON, .nick = "other", TIMES, .alt_nicks = alt_nicks, .n_alt_nicks = 2,
		 .password = "secret", .channels = other_channels, .n_channels = 2,
		 .limits = {NS_PER_S, 0, 3, 600}},
         false},
	{{PERSON, .nick = "ebb", .register_timeout_ns = NS_PER_S, .ping_interval_ns = NS_PER_S,
		 .ping_timeout_ns = NS_PER_S, .limits = {0, 0, 100, 64 * 1024}},
         false},
	{{PERSON, .nick = "ebb", TIMES, .channels = few_channels, .n_channels = 3,
		 .sasl = {.mechanisms = {SASL_SCRAM_SHA_256, SASL_EXTERNAL, SASL_PLAIN},
			 .n_mechanisms = 3,
			 .account = "ebb",
			 .password = "pencil",
			 .allows_plain = true,
			 .nonce = "nonce"},
		 .caps = {.more = more_caps,
			 .n_more = COUNTOF(more_caps),
			 .refused = refused_caps,
			 .n_refused = COUNTOF(refused_caps),
			 .wants_sasl = true},
		 .sts = true, .who_ns = NS_PER_S, .limits = {0, 0, 100, 64 * 1024}},
         true },
	{{PERSON, .nick = "ebb", TIMES, .channels = few_channels, .n_channels = 1,
		 .password = "secret",
		 .sasl = {.mechanisms = {SASL_PLAIN},
			 .n_mechanisms = 1,
			 .account = "ebb",
			 .password = "pencil",
			 .allows_plain = true},
		 .sasl_required = true, .caps = {.wants_sasl = true}, .sts = true,
		 .limits = {NS_PER_S, 4 * NS_PER_S, 100, 64 * 1024}},
         false},
};

enum { ASKED_MAX = 1024, ANSWER_NS = 30 * NS_PER_S };

struct pending {
	struct handle id;
	bool is_over;
};

struct talk {
	struct session_options *options; /* owned: what is read of old ones is found */
	struct session *s;
	int64_t now_ns;
	size_t linelen; /* the most that the server took, in this connection */
	bool has_failed;
	bool has_moved;                 /* to TLS: nothing more is heard or said */
	bool is_secure, next_is_secure; /* the connections */
	bool is_asking, is_ending;
	struct str fed;        /* the line that the session is being told */
	struct pending *asked; /* owned */
	size_t n_asked;
};

static bool is_over(const struct talk *t)
{
	return t->has_failed || t->has_moved;
}

static void note_linelen(struct talk *t)
{
	size_t now = session_isupport(t->s)->linelen;
	t->linelen = now > t->linelen ? now : t->linelen;
}

/* A PONG is as long as its PING: who sends a line that long takes one. */
static bool is_echo(const struct talk *t, struct str line)
{
	return str_starts(line, STR("PONG :")) && line.n <= t->fed.n + STR(":\r\n").n;
}

/* One line, with CR LF. */
static void require_line(const struct talk *t, struct str line)
{
	REQUIRE(line.n > 2 && line.p[line.n - 2] == '\r');
	REQUIRE(fuzz_is_line((struct str){line.p, line.n - 2}));
	if (line.p[0] == '@') {
		struct str tags = str_cut(&line, ' ');
		REQUIRE(line.p && tags.n <= 1 + MESSAGE_SENT_TAGS_BYTES);
	}
	REQUIRE(line.n <= t->linelen || is_echo(t, line));
}

static void on_write(void *owner, struct str bytes)
{
	const struct talk *t = owner;
	size_t n_lines = 0;
	REQUIRE(!is_over(t) && bytes.n);
	while (bytes.n) {
		size_t n = str_find(bytes, '\n') + 1;
		REQUIRE(n <= bytes.n && ++n_lines <= LINES_AT_ONCE_MAX);
		require_line(t, (struct str){bytes.p, n});
		bytes = str_skip(bytes, n);
	}
}

/* A message made of several lines: neither the line that closed it, nor one that was said. */
static void require_joined(const struct received *line)
{
	const struct message *m = line->m;
	REQUIRE(line->kind >= EVENT_PRIVMSG && line->kind <= EVENT_ACTION);
	REQUIRE(m->n_params == 2 && !line->extra.p);
	REQUIRE(fuzz_is_inside(m->command, m->raw) && fuzz_is_inside(m->params[1], m->raw));
}

static void on_event(void *owner, const struct received *line)
{
	const struct talk *t = owner;
	REQUIRE(!is_over(t) && line->kind >= 0);
	REQUIRE(line->kind < EVENT_CLIENT_CONNECT && line->kind != EVENT_ANY);
	REQUIRE(!line->is_mine || line->m->nick.n);
	REQUIRE(!line->extra.p || line->kind == EVENT_QUIT || line->kind == EVENT_BATCH);
	if (!fuzz_is_inside(line->m->command, t->fed))
		require_joined(line);
}

/* Each request has one answer, and none from within the call that asks. */
static void on_answered(void *owner, const struct request_result *result)
{
	const struct talk *t = owner;
	struct pending *asked = result->data;
	REQUIRE(asked >= t->asked && asked < t->asked + t->n_asked && !asked->is_over);
	REQUIRE(asked->id.index == result->id.index);
	REQUIRE(asked->id.generation == result->id.generation);
	REQUIRE(!t->is_asking && t->is_ending == (result->code == ERR_DISCONNECTED));
	REQUIRE(t->is_ending || !is_over(t));
	REQUIRE((result->code == ERR_DENIED) == (result->error >= 0));
	asked->is_over = true;
}

static void on_sts(void *owner, const struct sts_value *value)
{
	struct talk *t = owner;
	REQUIRE(!is_over(t) && (t->is_secure ? value->duration_ns >= 0 : value->port > 0));
	t->has_moved = !t->is_secure;
}

static uint64_t give_seed(void *owner)
{
	(void)owner;
	return 1;
}

static int64_t give_wall(void *owner)
{
	const struct talk *t = owner;
	return t->now_ns;
}

static void on_told(void *owner)
{
	const struct talk *t = owner;
	REQUIRE(!is_over(t));
}

static void on_failed(void *owner, const struct err *why)
{
	struct talk *t = owner;
	REQUIRE(!is_over(t) && why->code < 0 && memchr(why->text, '\0', sizeof(why->text)));
	t->has_failed = true;
}

static const struct session_ops ops = {
	.write = on_write,
	.event = on_event,
	.ready = on_told,
	.usable = on_told,
	.room = on_told,
	.answered = on_answered,
	.sts = on_sts,
	.seed = give_seed,
	.wall_ns = give_wall,
	.failed = on_failed,
};

static void drop_log(enum log_level level, struct str text, void *data)
{
	(void)level, (void)text, (void)data;
}

static const struct row *row_of(struct str text)
{
	return &rows[(text.n ? (unsigned char)text.p[0] : 0) % COUNTOF(rows)];
}

static struct session_options *options_new(const struct row *row)
{
	struct session_options *o = mem_new(sizeof(*o));
	*o = row->options;
	return o;
}

static void begin(struct talk *t)
{
	t->has_failed = t->has_moved = false;
	t->is_secure = t->next_is_secure;
	t->linelen = 0;
	note_linelen(t);
	session_begin(t->s, t->is_secure, t->now_ns);
}

/* Nobody waits for an answer after that. */
static void end(struct talk *t)
{
	t->is_ending = true;
	session_end(t->s);
	t->is_ending = false;
	for (size_t i = 0; i < t->n_asked; i++)
		REQUIRE(t->asked[i].is_over);
	t->n_asked = 0;
}

static void pass(struct talk *t, struct str text)
{
	bool is_tenths = text.n && text.p[text.n - 1] == 't';
	int64_t n = 0, at_ns;
	text.n -= is_tenths;
	if (!str_int(text, 0, 1000, &n))
		n = 1;
	int64_t end_ns = t->now_ns + n * (is_tenths ? NS_PER_S / 10 : NS_PER_S);
	for (int ticks = 0; (at_ns = session_deadline(t->s)) >= 0 && at_ns <= end_ns; ticks++) {
		REQUIRE(ticks < TICKS_MAX);
		t->now_ns = at_ns > t->now_ns ? at_ns : t->now_ns;
		session_tick(t->s, t->now_ns);
	}
	t->now_ns = end_ns;
}

static void configure(struct talk *t, struct str text)
{
	struct session_options *old = t->options;
	const struct row *row = row_of(text);
	t->next_is_secure = row->is_secure;
	t->options = options_new(row);
	session_configure(t->s, t->options, t->now_ns);
	free(old);
}

static void require_result(const struct talk *t, int r, const struct err *err)
{
	REQUIRE(r == 0 || err->code == r);
	REQUIRE(!is_over(t) || r == ERR_DISCONNECTED);
}

static void ask(struct talk *t, struct str line)
{
	struct pending *asked = &t->asked[t->n_asked];
	struct err err;
	if (t->n_asked == ASKED_MAX)
		return;
	t->is_asking = true;
	int r = session_request(t->s, line, ANSWER_NS, asked, &asked->id, t->now_ns, &err);
	t->is_asking = false;
	require_result(t, r, &err);
	asked->is_over = false;
	t->n_asked += r == 0;
}

static void forget_request(struct talk *t)
{
	for (size_t i = 0; i < t->n_asked; i++) {
		if (t->asked[i].is_over)
			continue;
		session_forget_request(t->s, t->asked[i].id);
		t->asked[i].is_over = true;
		return;
	}
}

static void feed(struct talk *t, struct str line)
{
	t->fed = line;
	session_feed(t->s, line, t->now_ns);
	t->fed = STR_NONE;
}

static void act(struct talk *t, char mark, struct str line)
{
	struct str text = str_skip(line, 1);
	struct err err;
	switch (mark) {
	case '+':
		pass(t, text);
		break;
	case '>':
		require_result(t, session_send(t->s, text, t->now_ns, &err), &err);
		break;
	case '!':
		require_result(t, session_raw(t->s, text, t->now_ns, &err), &err);
		break;
	case '&':
		ask(t, text);
		break;
	case '-':
		forget_request(t);
		break;
	case '%':
		REQUIRE(!session_say(t->s, STR("#c"), text, t->now_ns) || !is_over(t));
		break;
	case '?':
		if (fuzz_is_line(text)) /* which its callers see to */
			session_quit(t->s, text, t->now_ns);
		break;
	case '=':
		configure(t, text);
		break;
	case '~':
		end(t);
		begin(t);
		break;
	default:
		feed(t, line);
	}
}

/* What holds between any two calls. */
static void require_facts(struct talk *t)
{
	const struct session *s = t->s;
	const char *nick = session_nick(s);
	note_linelen(t);
	REQUIRE(nick && fuzz_is_line(str_of(nick)));
	REQUIRE(session_state(s) != SESSION_IDLE && session_lag_ns(s) >= -1);
	REQUIRE(session_deadline(s) >= -1 && session_caps(s));
	REQUIRE(!is_over(t) || session_deadline(s) <= t->now_ns); /* the roster is swept */
	REQUIRE(!session_account(s) || fuzz_is_line(str_of(session_account(s))));
	REQUIRE(session_is_past(s, 0) || session_pushed(s));
}

/* Every so often: it takes long. */
static void require_roster(const struct talk *t)
{
	const char *fault = roster_fault(session_roster(t->s));
	if (fault)
		fprintf(stderr, "roster: %s\n", fault);
	REQUIRE(!fault);
}

static void run(struct talk *t, struct str rest)
{
	for (size_t i = 1; rest.n; i++) {
		struct str line = str_cut(&rest, '\n');
		act(t, line.n ? line.p[0] : '\0', line);
		require_facts(t);
		if (i % LINES_A_CHECK == 0)
			require_roster(t);
	}
	require_roster(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = fuzz_input(data, size);
	size_t before = __sanitizer_get_current_allocated_bytes();
	const struct row *row = row_of(str_starts(in, STR("=")) ? str_skip(in, 1) : STR_NONE);
	struct talk t = {.now_ns = NS_PER_S, .next_is_secure = row->is_secure};
	log_set_sink(drop_log, NULL);
	t.options = options_new(row);
	t.asked = mem_new(ASKED_MAX * sizeof(*t.asked));
	t.s = session_new(t.options, &ops, &t);
	begin(&t);
	run(&t, in);
	REQUIRE(__sanitizer_get_current_allocated_bytes() - before < CONVERSATION_MAX_BYTES);
	session_free(t.s);
	free(t.asked);
	free(t.options);
	return 0;
}
