/*
 * A whole conversation. The input is lines; the server says them, but for those that begin with one
 * of these marks:
 *
 *     +N       N seconds pass (or N tenths, with a t behind it)
 *     >LINE    a script sends a line        !LINE    the same, raw
 *     %TEXT    a script says TEXT to #c     ?TEXT    quits
 *     =N       other options: row N of the table below; the first line's choose those at the start
 *     ~        the connection ends, and a new one begins
 *
 * What a new op or option needs is a row here, and a line in a seed.
 */
#include "fuzz/fuzz.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "irc/session.h"

#include <sanitizer/allocator_interface.h>

enum {
	TICKS_MAX = 20000,                   /* until a time that passes has passed */
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

static const struct session_options all_options[] = {
	{PERSON,			  .nick = "ebb", TIMES,                  .channels = few_channels, .n_channels = 3,
         .limits = {2 * NS_PER_S, 8 * NS_PER_S, 10, 4000}										      },
	{PERSON,			  .nick = "ebb", TIMES,                  .is_manual = true,        .limits = {0, 0, 1000, 128 * 1024}},
	{PERSON,                .nick = "other",         TIMES, .alt_nicks = alt_nicks,         .n_alt_nicks = 2,
         .password = "secret", .channels = other_channels, .n_channels = 2,
         .limits = {NS_PER_S, 0, 3, 600}},
	{PERSON, .nick = "ebb",              .register_timeout_ns = NS_PER_S,                               .ping_interval_ns = NS_PER_S,
         .ping_timeout_ns = NS_PER_S,                                .limits = {0, 0, 100, 64 * 1024}										      },
};

struct talk {
	struct session_options *options; /* owned: what is read of old ones is found */
	struct session *s;
	int64_t now_ns;
	size_t linelen; /* the most that the server took, in this connection */
	bool has_failed;
	struct str fed; /* the line that the session is being told */
};

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
	REQUIRE(!t->has_failed && bytes.n);
	while (bytes.n) {
		size_t n = str_find(bytes, '\n') + 1;
		REQUIRE(n <= bytes.n && ++n_lines <= LINES_AT_ONCE_MAX);
		require_line(t, (struct str){bytes.p, n});
		bytes = str_skip(bytes, n);
	}
}

static void on_event(void *owner, const struct message *m, int kind, bool is_mine)
{
	const struct talk *t = owner;
	REQUIRE(!t->has_failed && kind >= 0 && kind < EVENT_CLIENT_CONNECT && kind != EVENT_ANY);
	REQUIRE(fuzz_is_inside(m->command, t->fed) && (!is_mine || m->nick.n));
}

static void on_told(void *owner)
{
	const struct talk *t = owner;
	REQUIRE(!t->has_failed);
}

static void on_failed(void *owner, const struct err *why)
{
	struct talk *t = owner;
	REQUIRE(!t->has_failed && why->code < 0 && memchr(why->text, '\0', sizeof(why->text)));
	t->has_failed = true;
}

static const struct session_ops ops = {
	.write = on_write,
	.event = on_event,
	.ready = on_told,
	.usable = on_told,
	.room = on_told,
	.failed = on_failed,
};

static void drop_log(enum log_level level, struct str text, void *data)
{
	(void)level, (void)text, (void)data;
}

static struct session_options *options_of(struct str text)
{
	struct session_options *o = mem_new(sizeof(*o));
	*o = all_options[(text.n ? (unsigned char)text.p[0] : 0) % COUNTOF(all_options)];
	return o;
}

static void begin(struct talk *t)
{
	t->has_failed = false;
	t->linelen = 0;
	note_linelen(t);
	session_begin(t->s, t->now_ns);
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
	t->options = options_of(text);
	session_configure(t->s, t->options, t->now_ns);
	free(old);
}

static void require_result(const struct talk *t, int r, const struct err *err)
{
	REQUIRE(r == 0 || err->code == r);
	REQUIRE(!t->has_failed || r == ERR_DISCONNECTED);
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
	case '%':
		REQUIRE(!session_say(t->s, STR("#c"), text, t->now_ns) || !t->has_failed);
		break;
	case '?':
		if (fuzz_is_line(text)) /* which its callers see to */
			session_quit(t->s, text, t->now_ns);
		break;
	case '=':
		configure(t, text);
		break;
	case '~':
		session_end(t->s);
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
	REQUIRE(!t->has_failed || session_deadline(s) == -1);
	REQUIRE(session_is_past(s, 0) || session_pushed(s));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = fuzz_input(data, size);
	size_t before = __sanitizer_get_current_allocated_bytes();
	struct talk t = {.now_ns = NS_PER_S};
	log_set_sink(drop_log, NULL);
	t.options = options_of(str_starts(rest, STR("=")) ? str_skip(rest, 1) : STR_NONE);
	t.s = session_new(t.options, &ops, &t);
	begin(&t);
	while (rest.n) {
		struct str line = str_cut(&rest, '\n');
		act(&t, line.n ? line.p[0] : '\0', line);
		require_facts(&t);
	}
	REQUIRE(__sanitizer_get_current_allocated_bytes() - before < CONVERSATION_MAX_BYTES);
	session_free(t.s);
	free(t.options);
	return 0;
}
