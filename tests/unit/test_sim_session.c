#include "base/clock.h"
#include "irc/session.h"
#include "sim/fault.h"
#include "sim/person.h"
#include "support/check.h"

#include <string.h>

/*
 * The session that the daemon uses, in conversation with a network in memory. What either says
 * waits in a buffer until the other is done, as it would in a stream.
 */
struct bot {
	struct timers timers;
	struct sim_network *net;
	struct sim_conn *conn;
	struct session *session;
	struct buf in;   /* from the network, not fed yet */
	struct buf sent; /* from the session, not received yet */
	struct buf told; /* what the session told since it was last asked, a line each */
	struct buf seen; /* what alice saw */
	struct person *alice;
	bool is_closed;
	enum sim_end how;
};

static void append(struct buf *b, struct str text)
{
	assert_int_equal(buf_addf(b, "%" STR_F "\n", STR_A(text)), 0);
}

static void on_session_write(void *owner, struct str bytes)
{
	struct bot *b = owner;
	assert_int_equal(buf_add(&b->sent, bytes), 0);
}

static bool is_told(int kind)
{
	return kind == EVENT_PRIVMSG || kind == EVENT_NOTICE || kind == EVENT_ACTION ||
	       kind == EVENT_JOIN || kind == EVENT_QUIT || kind == EVENT_KICK ||
	       kind == EVENT_NICK || kind == EVENT_CHANNELMODE;
}

static void on_event(void *owner, const struct received *line)
{
	struct bot *b = owner;
	if (is_told(line->kind))
		assert_int_equal(buf_addf(&b->told, "%s%s %" STR_F " %" STR_F "\n",
					 event_name(line->kind), line->is_mine ? "*" : "",
					 STR_A(line->m->nick), STR_A(message_last(line->m))),
			0);
}

static void on_ready(void *owner)
{
	(void)owner;
}

static void on_usable(void *owner)
{
	append(&((struct bot *)owner)->told, STR("usable"));
}

static void on_room(void *owner)
{
	(void)owner;
}

static void on_failed(void *owner, const struct err *why)
{
	struct bot *b = owner;
	assert_int_equal(buf_addf(&b->told, "failed %s: %s\n", err_name(why->code), why->text), 0);
}

static int64_t give_wall(void *owner)
{
	(void)owner;
	return 0;
}

static void on_answered(void *owner, const struct request_result *result)
{
	const char *error = result->error < 0 ? "" : event_name(result->error);
	assert_int_equal(
		buf_addf(&((struct bot *)owner)->told, "%s%s%s\n",
			result->code ? err_name(result->code) : "ok", *error ? " " : "", error),
		0);
}

static void on_sts(void *owner, const struct sts_value *value)
{
	(void)owner;
	(void)value;
}

static uint64_t give_seed(void *owner)
{
	(void)owner;
	return 0;
}

static const struct session_ops ops = {
	.write = on_session_write,
	.event = on_event,
	.ready = on_ready,
	.usable = on_usable,
	.room = on_room,
	.answered = on_answered,
	.sts = on_sts,
	.seed = give_seed,
	.wall_ns = give_wall,
	.failed = on_failed,
};

static void on_network_write(void *owner, struct str bytes)
{
	struct bot *b = owner;
	assert_int_equal(buf_add(&b->in, bytes), 0);
}

static void on_network_closed(void *owner, enum sim_end how)
{
	struct bot *b = owner;
	b->is_closed = true;
	b->how = how;
}

static const struct sim_conn_events events = {on_network_write, on_network_closed};

static bool take_line(struct buf *from, char *line, size_t size)
{
	struct str all = buf_str(from);
	if (all.n == 0)
		return false;
	struct str first = str_cut(&all, '\n');
	assert_true(first.n > 0 && first.n < size && first.p[first.n - 1] == '\r');
	memcpy(line, first.p, first.n - 1);
	line[first.n - 1] = '\0';
	buf_consume(from, first.n + 1);
	return true;
}

static void settle(struct bot *b)
{
	char line[10000];
	for (;;) {
		if (take_line(&b->sent, line, sizeof(line)))
			sim_receive(b->conn, str_of(line));
		else if (take_line(&b->in, line, sizeof(line)))
			session_feed(b->session, str_of(line), b->timers.now_ns);
		else
			return;
	}
}

static int64_t earlier(int64_t a, int64_t b)
{
	if (a < 0 || b < 0)
		return a < 0 ? b : a;
	return a < b ? a : b;
}

static void pass(struct bot *b, int64_t ns)
{
	int64_t end_ns = b->timers.now_ns + ns, at_ns;
	settle(b);
	while ((at_ns = earlier(session_deadline(b->session), timers_next(&b->timers))) >= 0 &&
		at_ns <= end_ns) {
		timers_run(&b->timers, at_ns);
		session_tick(b->session, b->timers.now_ns);
		settle(b);
	}
	timers_run(&b->timers, end_ns);
	settle(b);
}

static void on_seen(void *data, const struct message *m)
{
	struct bot *b = data;
	if (m->numeric < 0)
		append(&b->seen, m->raw);
}

static const char *const alternatives[] = {"ebb2"};
static const struct session_channel channels[] = {
	{"#a", NULL },
        {"#b", "k3y"}
};

static const struct session_options standard = {
	.network = "sim",
	.nick = "ebb",
	.alt_nicks = alternatives,
	.n_alt_nicks = 1,
	.user = "bot",
	.realname = "a bot",
	.channels = channels,
	.n_channels = COUNTOF(channels),
	.register_timeout_ns = 60 * NS_PER_S,
	.ping_interval_ns = 120 * NS_PER_S,
	.ping_timeout_ns = 30 * NS_PER_S,
	.limits = {.max_lines = 100, .max_bytes = 100000},
};

/* A network with alice as operator of #a; the bot is not there yet. */
static void prepare(struct bot *b, struct sim_options o)
{
	memset(b, 0, sizeof(*b));
	timers_init(&b->timers, 1000 * NS_PER_S);
	buf_init(&b->in, 1024 * 1024);
	buf_init(&b->sent, 1024 * 1024);
	buf_init(&b->told, 1024 * 1024);
	buf_init(&b->seen, 1024 * 1024);
	o.name = "Net";
	b->net = sim_network_new(&o, &b->timers);
	b->alice = person_new(
		b->net, &(struct person_options){.nick = "alice", .heard = on_seen, .data = b});
	person_join(b->alice, "#a", NULL);
	b->session = session_new(&standard, &ops, b);
}

static bool dial(struct bot *b)
{
	b->is_closed = false;
	buf_reset(&b->in);
	buf_reset(&b->sent);
	b->conn = sim_connect(b->net, &events, b);
	if (!b->conn)
		return false;
	session_begin(b->session, false, b->timers.now_ns);
	pass(b, 0);
	return true;
}

static void hang_up(struct bot *b)
{
	session_end(b->session);
	sim_close(b->conn);
	b->conn = NULL;
}

static void finish(struct bot *b)
{
	sim_close(b->conn);
	session_free(b->session);
	sim_network_free(b->net);
	timers_fini(&b->timers);
	buf_fini(&b->in);
	buf_fini(&b->sent);
	buf_fini(&b->told);
	buf_fini(&b->seen);
}

/* And forgets it. */
#define assert_text(b, expected)                             \
	do {                                                 \
		assert_string_equal(buf_str(b).p, expected); \
		buf_reset(b);                                \
	} while (0)

#define AT_HOME "usable\njoin* ebb #b\njoin* ebb #a\n"

static const struct server {
	const char *name;
	const char *joins; /* extended-join puts the realname last */
	const char *source;
	enum casemap casemap;
	unsigned nicklen;
} servers[] = {
	{"inspircd", "usable\njoin* ebb a bot\njoin* ebb a bot\n", "ebb!bot@client.sim.example",
         CASEMAP_RFC1459,											30},
	{"ngircd",   AT_HOME,				      "ebb!~bot@client.sim.example", CASEMAP_ASCII, 9 },
	{"hybrid",   "usable\njoin* ebb a bot\njoin* ebb a bot\n", "ebb!~bot@client.sim.example",
         CASEMAP_ASCII,											  9 },
	{"libera",   "usable\njoin* ebb a bot\njoin* ebb a bot\n", "ebb!~bot@client.sim.example",
         CASEMAP_RFC1459,											16},
	{"ergo",     "usable\njoin* ebb a bot\njoin* ebb a bot\n", "ebb!bot@client.sim.example",
         CASEMAP_ASCII,											  32},
};

/* What the server offers and the session knows, and nothing else; a login is not configured. */
static void check_caps(const struct bot *b)
{
	const struct sim_profile *p = sim_network_profile(b->net);
	for (unsigned cap = 0; cap < CAP_COUNT; cap++) {
		struct str name = str_of(caps_name((enum cap)cap));
		bool is_had = cap != CAP_SASL && sim_profile_offers(p, name);
		assert_true(caps_has(session_caps(b->session), (enum cap)cap) == is_had);
	}
}

static void it_registers_joins_and_learns(void **state)
{
	const struct server *server = *state;
	struct bot b;
	prepare(&b, (struct sim_options){.profile = server->name, .wants_cookie = true});

	assert_true(dial(&b));

	assert_text(&b.told, server->joins);
	assert_int_equal(session_state(b.session), SESSION_READY);
	const struct isupport *is = session_isupport(b.session);
	assert_int_equal(is->casemap, server->casemap);
	assert_int_equal(is->nicklen, server->nicklen);
	assert_slice(isupport_get(is, STR("NETWORK")), "Net");
	check_caps(&b);
	assert_string_equal(sim_network_member(b.net, "#a", "ebb"), "");
	assert_string_equal(sim_network_member(b.net, "#b", "ebb"), "o");
	assert_int_equal(session_bad_lines(b.session), 0);
	finish(&b);
}

static void it_hears_and_is_heard(void **state)
{
	const struct server *server = *state;
	struct bot b;
	struct buf expected;
	prepare(&b, (struct sim_options){.profile = server->name});
	assert_true(dial(&b));
	buf_reset(&b.told);
	buf_reset(&b.seen);
	buf_init(&expected, 4096);

	person_say(b.alice, "#a", STR("hi ebb"));
	person_action(b.alice, "ebb", STR("waves"));
	person_mode(b.alice, "#a", "+o ebb");
	settle(&b);
	assert_int_equal(
		session_send(b.session, STR("PRIVMSG #a :hello"), b.timers.now_ns, NULL), 0);
	assert_int_equal(
		session_send(b.session, STR("NOTICE alice :psst"), b.timers.now_ns, NULL), 0);
	settle(&b);

	const struct sim_profile *profile = sim_network_profile(b.net);
	bool has_colon = profile->colons == SIM_COLONS_ALWAYS;
	bool has_echo = sim_profile_offers(profile, STR("echo-message"));
	assert_int_equal(buf_addf(&expected,
				 "privmsg alice hi ebb\naction alice \x01"
				 "ACTION waves\x01\n"
				 "channelmode alice ebb\n%s",
				 has_echo ? "privmsg* ebb hello\nnotice* ebb psst\n" : ""),
		0);
	assert_text(&b.told, buf_str(&expected).p);
	buf_reset(&expected);
	assert_int_equal(buf_addf(&expected,
				 ":alice!alice@alice.sim.example MODE #a +o %sebb\n"
				 ":%s PRIVMSG #a :hello\n:%s NOTICE alice :psst\n",
				 has_colon ? ":" : "", server->source, server->source),
		0);
	assert_text(&b.seen, buf_str(&expected).p);
	buf_fini(&expected);
	finish(&b);
}

/* What alice saw of the texts, put together again. A text in several lines keeps the space at the
 * end of each. */
static void collect(struct bot *b, struct str head, struct buf *text)
{
	struct str all = buf_str(&b->seen), last = STR(" ");
	while (all.n) {
		struct str line = str_cut(&all, '\n');
		assert_true(str_starts(line, head));
		assert_true(line.n <= 510);
		struct str part = str_skip(line, head.n);
		const char *gap = last.n && last.p[last.n - 1] == ' ' ? "" : " ";
		assert_int_equal(buf_addf(text, "%s%" STR_F, gap, STR_A(part)), 0);
		last = part;
	}
}

/* Names of every length, so that a wrong idea of the line's room would show. */
static void a_long_text_arrives_whole(void **state)
{
	const struct server *server = *state;
	struct bot b;
	struct buf line, head, text;
	prepare(&b, (struct sim_options){.profile = server->name});
	assert_true(dial(&b));
	buf_reset(&b.seen);
	buf_init(&line, 16384);
	buf_init(&head, 1024);
	buf_init(&text, 16384);
	assert_int_equal(buf_addf(&head, ":%s PRIVMSG #a :", server->source), 0);
	assert_int_equal(buf_addf(&line, "PRIVMSG #a :word"), 0);
	for (int i = 0; i < 600; i++)
		assert_int_equal(buf_addf(&line, " %0*d", i % 7 + 1, i), 0);

	assert_int_equal(session_send(b.session, buf_str(&line), b.timers.now_ns, NULL), 0);
	settle(&b);

	collect(&b, buf_str(&head), &text);
	assert_string_equal(buf_str(&text).p, buf_str(&line).p + strlen("PRIVMSG #a :"));
	buf_fini(&line);
	buf_fini(&head);
	buf_fini(&text);
	finish(&b);
}

static void it_stays_while_both_sides_ask(void **state)
{
	const struct server *server = *state;
	struct bot b;
	prepare(&b,
		(struct sim_options){.profile = server->name, .ping_interval_ns = 90 * NS_PER_S});
	assert_true(dial(&b));
	buf_reset(&b.told);

	fault_lag(b.net, NULL, 3 * NS_PER_S);
	pass(&b, 3600 * NS_PER_S);

	assert_text(&b.told, "");
	assert_string_equal(sim_conn_nick(b.conn), "ebb");
	finish(&b);
}

static void it_takes_another_nick(void **state)
{
	const struct server *server = *state;
	struct bot b;
	prepare(&b, (struct sim_options){.profile = server->name});
	assert_non_null(person_new(b.net, &(struct person_options){.nick = "EBB"}));
	assert_non_null(person_new(b.net, &(struct person_options){.nick = "ebb2"}));

	assert_true(dial(&b));

	assert_string_equal(session_nick(b.session), "ebb_");
	assert_string_equal(sim_conn_nick(b.conn), "ebb_");
	finish(&b);
}

static void it_comes_back_to_its_channels(void **state)
{
	const struct server *server = *state;
	struct bot b;
	prepare(&b, (struct sim_options){.profile = server->name});
	assert_true(dial(&b));
	assert_int_equal(session_send(b.session, STR("JOIN #d"), b.timers.now_ns, NULL), 0);
	settle(&b);
	fault_drop(b.net, NULL);
	settle(&b);
	assert_true(b.is_closed);
	assert_int_equal(b.how, SIM_RESET);
	hang_up(&b);

	assert_true(dial(&b));

	assert_non_null(sim_network_member(b.net, "#a", "ebb"));
	assert_non_null(sim_network_member(b.net, "#b", "ebb"));
	assert_non_null(sim_network_member(b.net, "#d", "ebb"));
	finish(&b);
}

static void it_sees_a_split_and_its_end(void **state)
{
	const struct server *server = *state;
	struct bot b;
	prepare(&b, (struct sim_options){.profile = server->name});
	assert_true(dial(&b));
	buf_reset(&b.told);

	fault_split(b.net, &b.alice, 1);
	settle(&b);
	assert_text(&b.told, "quit alice irc.sim.example far.sim.example\n");
	fault_rejoin(b.net);
	settle(&b);

	struct str told = buf_str(&b.told);
	assert_true(str_starts(told, STR("join alice ")));
	str_cut(&told, '\n');
	assert_slice(told, "channelmode  alice\n");
	finish(&b);
}

static void ban(struct bot *b)
{
	fault_refuse(b->net, 1, 465, NULL);
}

static void say_k_line(struct bot *b)
{
	fault_refuse(b->net, 1, 0, "Closing Link: client.sim.example (K-Lined)");
}

static void say_full(struct bot *b)
{
	fault_refuse(b->net, 1, 0, "No more connections allowed in your class");
}

static void refuse_nicks(struct bot *b)
{
	fault_refuse(b->net, FAULT_ALWAYS, 433, NULL);
}

static void refuse_password(struct bot *b)
{
	fault_refuse(b->net, 1, 464, NULL);
}

static void throttle(struct bot *b)
{
	sim_close(sim_connect(b->net, &events, b));
	fault_throttle(b->net, 10 * NS_PER_S);
}

static void be_silent(struct bot *b)
{
	fault_silence(b->net, NULL, FAULT_SILENT);
}

static void be_silent_later(struct bot *b)
{
	fault_silence(b->net, NULL, FAULT_SILENT_WHEN_READY);
}

static void be_half_open(struct bot *b)
{
	fault_half_open(b->net, NULL, true);
}

static void go_down(struct bot *b)
{
	fault_close(b->net, NULL, "Server going down");
}

static void kill_bot(struct bot *b)
{
	assert_true(sim_kill(b->net, "ebb", "oper", "spam"));
}

static void flood(struct bot *b)
{
	fault_flood(b->net, 5, 10 * NS_PER_S);
	for (int i = 0; i < 9; i++)
		assert_int_equal(
			session_send(b->session, STR("PRIVMSG #a :x"), b->timers.now_ns, NULL), 0);
}

static void quit(struct bot *b)
{
	session_quit(b->session, STR("bye"), b->timers.now_ns);
}

static const struct trouble {
	const char *name;
	void (*before)(struct bot *b); /* the connection begins */
	void (*after)(struct bot *b);  /* it is ready */
	const char *told;
	bool is_closed; /* by the network */
} troubles[] = {
	{"a ban is known by 465",                          ban,             NULL,
         "failed banned: You are banned from this server: Closing Link: client.sim.example (You are banned from this server)\n",
         true															   },
	{"a ban is known by its words",                    say_k_line,      NULL,
         "failed banned: Closing Link: client.sim.example (K-Lined)\n",                                                            true },
	{"a full server refuses the registration",         say_full,        NULL,
         "failed throttled: No more connections allowed in your class\n",                                                          true },
	{"no nick is good enough",                         refuse_nicks,    NULL,
         "failed nick: every nick is refused, the last for: Nickname is already in use\n",					 false},
	{"the password is wrong",                          refuse_password, NULL,
         "failed registration: server_password: Password incorrect\n",                                                             true },
	{"the network throttles",                          throttle,        NULL,
         "failed throttled: Trying to reconnect too fast.\n",								      true },
	{"the server says nothing at all",                 be_silent,       NULL,
         "failed timeout: not registered within 60 s\n",									   false},
	{"the server falls silent",                        be_silent_later, NULL,
         "usable\nfailed ping: no answer to PING within 30 s\n",                                                                   false},
	{"the connection is half open from the beginning", be_half_open,    NULL,
         "failed timeout: not registered within 60 s\n",									   false},
	{"the connection becomes half open",               NULL,            be_half_open,
         "failed ping: no answer to PING within 30 s\n",									   false},
	{"the server goes down",                           NULL,            go_down,      "failed closed: Server going down\n",    true },
	{"the bot is killed",			      NULL,            kill_bot,     "failed killed: killed by oper: spam\n", true },
	{"the bot floods",				 NULL,            flood,
         "failed throttled: Closing Link: client.sim.example (Excess Flood)\n",                                                    true },
	{"the bot quits",				  NULL,            quit,
         "failed requested: Closing Link: client.sim.example (Quit: bye)\n",                                                       true },
};

static void trouble(void **state)
{
	const struct trouble *row = *state;
	struct bot b;
	prepare(&b, (struct sim_options){.profile = "libera"});
	if (row->before)
		row->before(&b);
	assert_true(dial(&b));
	if (row->after) {
		buf_reset(&b.told);
		row->after(&b);
	}

	pass(&b, 200 * NS_PER_S);

	assert_text(&b.told, row->told);
	assert_int_equal(b.is_closed, row->is_closed);
	hang_up(&b);
	finish(&b);
}

static void a_network_that_is_down_takes_no_connection(void **state)
{
	(void)state;
	struct bot b;
	prepare(&b, (struct sim_options){0});

	fault_down(b.net, true);
	assert_false(dial(&b));
	fault_down(b.net, false);

	assert_true(dial(&b));
	assert_int_equal(session_state(b.session), SESSION_READY);
	finish(&b);
}

static void lag_is_what_the_network_makes_it(void **state)
{
	(void)state;
	struct bot b;
	prepare(&b, (struct sim_options){0});
	fault_lag(b.net, NULL, 2 * NS_PER_S);
	assert_true(dial(&b));

	pass(&b, 200 * NS_PER_S);

	assert_int_equal(session_lag_ns(b.session), 4 * NS_PER_S);
	finish(&b);
}

static const struct {
	const char *line, *result;
} requests[] = {
	{"ADMIN",          "ok"			 },
	{"INFO",           "ok"			 },
	{"ISON alice",     "ok"                         },
	{"JOIN #z",        "ok"			 },
	{"KICK #a alice",  "denied err_chanoprivsneeded"},
	{"LINKS",          "ok"			 },
	{"LIST",           "ok"			 },
	{"LUSERS",         "ok"			 },
	{"MODE #a",        "ok"			 },
	{"MODE #a b",      "ok"                         },
	{"MODE ebb",       "ok"			 },
	{"MODE #none",     "denied err_nosuchchannel"   },
	{"MOTD",           "denied err_nomotd"          },
	{"NAMES #a",       "ok"			 },
	{"PING x",         "ok"			 },
	{"TIME",           "ok"			 },
	{"TOPIC #a",       "ok"			 },
	{"TOPIC #b :t",    "ok"                         },
	{"USERHOST alice", "ok"                         },
	{"VERSION",        "ok"			 },
	{"WHO #a",         "ok"			 },
	{"WHOIS alice",    "ok"                         },
	{"WHOIS nobody",   "denied err_nosuchnick"      },
	{"WHOWAS nobody",  "denied err_wasnosuchnick"   },
	{"WHOWAS gone",    "ok"                         },
	{"NICK ebb7",      "ok"                         },
};

/* What was told last, behind the events that the answer was made of. */
static void assert_result(struct buf *told, const char *expected)
{
	struct str all = buf_str(told), line = STR("");
	while (all.n)
		line = str_cut(&all, '\n');
	assert_slice(line, expected);
	buf_reset(told);
}

static void its_requests_are_answered(void **state)
{
	const struct server *server = *state;
	struct bot b;
	struct handle id;
	prepare(&b, (struct sim_options){.profile = server->name});
	person_free(person_new(b.net, &(struct person_options){.nick = "gone"}));
	assert_true(dial(&b));
	pass(&b, 10 * NS_PER_S);
	buf_reset(&b.told);

	for (size_t i = 0; i < COUNTOF(requests); i++) {
		int r = session_request(b.session, str_of(requests[i].line), 10 * NS_PER_S, &b, &id,
			b.timers.now_ns, NULL);
		assert_int_equal(r, 0);
		pass(&b, 5 * NS_PER_S);
		assert_result(&b.told, requests[i].result);
	}

	finish(&b);
}

static void several_lines_are_one_event(void **state)
{
	(void)state;
	struct bot b;
	prepare(&b, (struct sim_options){.profile = "ergo"});
	struct person *zoe = person_new(b.net,
		&(struct person_options){.nick = "zoe", .caps = SIM_CAP_MULTILINE | SIM_CAP_BATCH});
	assert_true(dial(&b));
	buf_reset(&b.told);

	person_raw(zoe, STR("BATCH +1 draft/multiline ebb"));
	person_raw(zoe, STR("@batch=1 PRIVMSG ebb :one"));
	person_raw(zoe, STR("@batch=1;draft/multiline-concat PRIVMSG ebb : and"));
	person_raw(zoe, STR("@batch=1 PRIVMSG ebb :two"));
	settle(&b);
	assert_text(&b.told, "");
	person_raw(zoe, STR("BATCH -1"));
	settle(&b);

	assert_text(&b.told, "privmsg zoe one and\ntwo\n");
	finish(&b);
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, servers, it_registers_joins_and_learns);
	check_rows(&c, servers, it_hears_and_is_heard);
	check_rows(&c, servers, a_long_text_arrives_whole);
	check_rows(&c, servers, it_stays_while_both_sides_ask);
	check_rows(&c, servers, it_takes_another_nick);
	check_rows(&c, servers, it_comes_back_to_its_channels);
	check_rows(&c, servers, it_sees_a_split_and_its_end);
	check_rows(&c, servers, its_requests_are_answered);
	check_rows(&c, troubles, trouble);
	check_test(&c, several_lines_are_one_event);
	check_test(&c, a_network_that_is_down_takes_no_connection);
	check_test(&c, lag_is_what_the_network_makes_it);
	return check_run(&c, "sim_session");
}
