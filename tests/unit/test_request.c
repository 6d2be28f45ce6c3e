#include "irc/request.h"

#include "base/clock.h"
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>

enum { TIMEOUT_NS = 30 * NS_PER_S, TALK_MAX_BYTES = 64 * 1024 };

/* One conversation: what is sent and heard in it, and what was told of. */
static struct talk {
	struct requests requests;
	struct batches batches;
	struct isupport *isupport;
	bool has_labels, has_no_names;
	int64_t now_ns;
	struct handle ids[REQUESTS_MAX + 8];
	size_t n_sent;
	struct buf log;
	const char *then; /* what the next end does: a line of a talk */
} talk;

static void hear_talk(struct talk *t, struct str line);

static void add(struct buf *out, struct str s)
{
	assert_int_equal(buf_add(out, s), 0);
}

/* The command of each line */
static void show_lines(struct buf *out, struct str lines)
{
	while (lines.n) {
		struct message m;
		assert_int_equal(message_parse(&m, str_cut(&lines, '\n')), 0);
		assert_int_equal(buf_addf(out, " %" STR_F, STR_A(m.command)), 0);
	}
}

static void show(struct buf *out, const struct request_result *result)
{
	const char *end = result->code ? err_name(result->code) : "ok";
	if (result->code == ERR_DENIED)
		end = event_name(result->error);
	assert_int_equal(result->code == ERR_DENIED, result->error >= 0);
	int r = buf_addf(out, "%s%zu:%s", out->n ? "; " : "", (size_t)(intptr_t)result->data, end);
	if (r >= 0 && result->error_code.p)
		r = buf_addf(out, " %" STR_F, STR_A(result->error_code));
	if (r >= 0 && result->words.p)
		r = buf_addf(out, " '%" STR_F "'", STR_A(result->words));
	assert_int_equal(r, 0);
	show_lines(out, result->lines);
}

static void on_done(void *owner, const struct request_result *result)
{
	struct talk *t = owner;
	assert_memory_equal(
		&result->id, &t->ids[(size_t)(intptr_t)result->data], sizeof(result->id));
	assert_null(handles_get(&t->requests.ids, result->id));
	show(&t->log, result);
	if (t->then) {
		struct str then = str_of(t->then);
		t->then = NULL;
		hear_talk(t, then);
	}
}

static void end_talk(struct talk *t)
{
	requests_fini(&t->requests);
	batches_fini(&t->batches);
	buf_fini(&t->log);
	if (t->isupport)
		isupport_unref(t->isupport);
	*t = (struct talk){0};
}

static struct talk *fresh(bool has_labels)
{
	struct talk *t = &talk;
	end_talk(t);
	requests_init(&t->requests, on_done, t);
	buf_init(&t->log, TALK_MAX_BYTES);
	t->isupport = isupport_new();
	t->has_labels = has_labels;
	t->now_ns = NS_PER_S;
	return t;
}

static void assert_sound(const struct requests *rs)
{
	size_t n = 0;
	list_each (node, &rs->pending)
		n++;
	assert_int_equal(n, rs->n);
	assert_true(rs->n_labeled <= rs->n && rs->n_held <= rs->n && rs->n <= REQUESTS_MAX);
	assert_true(rs->n_bytes <= REQUESTS_BYTES_MAX);
	assert_int_equal(requests_deadline(rs) == -1, rs->n == rs->n_held);
	if (rs->wanted)
		assert_true(rs->n > rs->n_labeled);
	else
		assert_true(rs->n <= rs->n_labeled + REQUESTS_FEW);
	if (rs->n == 0) {
		assert_int_equal(rs->n_bytes, 0);
		assert_null(rs->lingering);
	}
}

static int try_to_send(struct talk *t, struct str line, struct err *err)
{
	struct buf label;
	struct request_ask ask = {.line = line,
		.has_labels = t->has_labels,
		.has_no_names = t->has_no_names,
		.now_ns = t->now_ns,
		.timeout_ns = TIMEOUT_NS,
		.data = (void *)(intptr_t)(t->n_sent + 1)};
	buf_init(&label, REQUEST_LABEL_MAX_BYTES);
	int r = requests_add(&t->requests, &ask, t->isupport, &t->ids[t->n_sent + 1], &label, err);
	assert_int_equal(r >= 0 && t->has_labels, label.n > 0);
	t->n_sent += r >= 0;
	buf_fini(&label);
	assert_sound(&t->requests);
	return r;
}

static void send(struct talk *t, struct str line)
{
	struct err err = {0};
	if (try_to_send(t, line, &err) < 0)
		fail_msg("%s", err.text);
}

static void hear(struct talk *t, struct str line)
{
	struct message m;
	struct batch_line bl;
	assert_int_equal(message_parse(&m, line), 0);
	int kind = event_kind_of(&m, t->isupport);
	assert_true(kind >= 0);
	batches_hear(&t->batches, &m, kind, &bl);
	requests_hear(&t->requests,
		&(struct heard){&m, kind, t->isupport, STR("bot"), &bl, t->now_ns, 0});
	assert_sound(&t->requests);
}

static void tick(struct talk *t, int64_t ms)
{
	t->now_ns += ms * NS_PER_MS;
	requests_tick(&t->requests, t->now_ns);
	assert_sound(&t->requests);
}

static int64_t number(struct str s)
{
	int64_t n = 0;
	assert_true(str_int(s, 0, INT64_MAX / NS_PER_S, &n));
	return n;
}

/* A line that must not matter to anybody. */
static void hear_in_vain(struct talk *t, struct str line)
{
	size_t n = t->requests.n, n_bytes = t->requests.n_bytes, n_log = t->log.n;
	hear(t, line);
	if (t->requests.n != n || t->requests.n_bytes != n_bytes || t->log.n != n_log)
		fail_msg("it matters: %" STR_F, STR_A(line));
}

/* "> LINE" is sent; "~ LINE" is heard and must not matter; "!labels" negotiates
 * them, or no more; "!cancel N",
 * "!wait MS", "!disconnect", "!hold N" and "!sent N" (by the same number) happen; "!then …" is done
 * when the next request ends; all else is heard. */
static void hear_talk(struct talk *t, struct str line)
{
	struct str rest = line, word = str_cut(&rest, ' ');
	if (str_eq(word, STR(">")))
		send(t, rest);
	else if (str_eq(word, STR("~")))
		hear_in_vain(t, rest);
	else if (str_eq(word, STR("!labels")))
		t->has_labels = !t->has_labels;
	else if (str_eq(word, STR("!cancel")))
		requests_cancel(&t->requests, t->ids[number(rest)]);
	else if (str_eq(word, STR("!hold")))
		requests_hold(&t->requests, t->ids[number(rest)], (uint64_t)number(rest));
	else if (str_eq(word, STR("!sent")))
		requests_sent(&t->requests, (uint64_t)number(rest), t->now_ns);
	else if (str_eq(word, STR("!wait")))
		tick(t, number(rest));
	else if (str_eq(word, STR("!then")))
		t->then = rest.p;
	else if (str_eq(word, STR("!disconnect")))
		requests_disconnect(&t->requests);
	else
		hear(t, line);
}

#define PLAIN(name, talk, expected)                \
	{                                          \
		name, talk, expected, false, false \
	}
#define NO_NAMES(name, talk, expected)            \
	{                                         \
		name, talk, expected, false, true \
	}
#define LABELED(name, talk, expected)             \
	{                                         \
		name, talk, expected, true, false \
	}

static const struct talk_row {
	const char *name, *talk, *expected;
	bool has_labels, has_no_names;
} talk_rows[] = {
	PLAIN("who: zero, as a star", "> WHO 0\n315 bot * :End", "1:ok 315"),
	PLAIN("who: with a token that is not asked for",
		"> WHO #c %na,42\n354 bot ann 0\n315 bot #c :End", "1:ok 354 315"),
	PLAIN("names: each is waited for once",
		"> NAMES #c,#d\n> NAMES #c\n366 bot #c :End\n366 bot #c :End\n"
		"366 bot #d :End",
		"2:ok 366; 1:ok 366 366"),
	PLAIN("many: each gets its own, and the few that stay too",
		"> TIME\n> TIME\n> TIME\n> TIME\n> TIME\n> VERSION\n351 bot v s\n"
		"391 bot s :noon\n!cancel 2\n391 bot s :one\n> VERSION\n351 bot w s\n391 bot s :two\n"
		"391 bot s :three",
		"6:ok 351; 1:ok 391; 3:ok 391; 7:ok 351; 4:ok 391; 5:ok 391"),
	PLAIN("labels are negotiated no more while one waits",
		"!labels\n> TIME\n!labels\n> TIME\n391 bot s :noon\n@label=0.1 391 bot s :noon",
		"2:ok 391; 1:ok 391"),
	PLAIN("labels are negotiated while one waits",
		"> TIME\n!labels\n> TIME\n~ @label=0.1 ACK\n391 bot s :noon\n"
		"@label=1.1 391 bot s :noon",
		"1:ok 391; 2:ok 391"),
	LABELED("label: of a name that is told otherwise",
		"> WHOIS bob\n@label=0.1 BATCH +1 labeled-response\n"
		"@batch=1 401 bot bo :No\n@batch=1 318 bot bo :End\nBATCH -1",
		"1:err_nosuchnick 'No' 401 318"),
	PLAIN("whois",
		"> WHOIS bob\n311 bot bob u h * :Bob\n319 bot bob :#a @#b\n"
		"312 bot bob s :info\n317 bot bob 1 2 :idle\n330 bot bob bo :as\n"
		"671 bot bob :secure\n318 bot bob :End",
		"1:ok 311 319 312 317 330 671 318"),
	PLAIN("whois: nobody", "> WHOIS bob\n401 bot bob :No such nick\n318 bot bob :End",
		"1:err_nosuchnick 'No such nick' 401 318"),
	PLAIN("queue: no time passes and no line is for it until it is sent",
		"> VERSION\n!hold 1\n~ 351 bot v s\n!wait 60000\n!sent 2\n!wait 1\n!sent 1\n"
		"!wait 29999\n351 bot v s",
		"1:ok 351"),
	PLAIN("queue: time passes from then on",
		"> VERSION\n!hold 1\n!wait 60000\n!sent 1\n!wait 29999\n!wait 1", "1:timeout"),
	PLAIN("queue: one that waits leaves the answer to one that does not",
		"> VERSION\n!hold 1\n> VERSION\n351 bot v s\n!sent 1\n351 bot w s",
		"2:ok 351; 1:ok 351"),
	PLAIN("queue: one that waits is cancelled", "> VERSION\n!hold 1\n!cancel 1\n!sent 1", ""),
	PLAIN("queue: the connection ends", "> VERSION\n!hold 1\n!disconnect", "1:disconnected"),
	LABELED("queue: a label that comes early",
		"> TIME\n!hold 1\n@label=0.1 391 bot s :noon\n!sent 1", "1:ok 391"),
	PLAIN("whois: nobody, and no end",
		"> WHOIS bob\n401 bot bob :No such nick\n!wait 29999\n!wait 1",
		"1:err_nosuchnick 'No such nick' 401"),
	PLAIN("whois: by server", "> WHOIS s.example bob\n311 bot bob u h * :Bob\n318 bot bob :End",
		"1:ok 311 318"),
	PLAIN("whois: no such server", "> WHOIS s.example bob\n402 bot s.example :No such server",
		"1:err_nosuchserver 'No such server' 402"),
	PLAIN("whois: as the server spells it",
		"> whois BOB[]\n311 bot bob{} u h * :B\n318 bot Bob[} :End", "1:ok 311 318"),
	PLAIN("whois: of others between",
		"> WHOIS bob\n~ 311 bot ann u h * :Ann\n~ 318 bot ann :End\n"
		"~ :x!u@h PRIVMSG bot :311\n~ :bob!u@h QUIT :x\n318 bot bob :End",
		"1:ok 318"),
	PLAIN("whois: several in one, answered one by one",
		"> WHOIS ann,bob\n311 bot ann u h * :A\n318 bot ann :End\n"
		"401 bot bob :No\n318 bot bob :End",
		"1:ok 311 318 401 318"),
	PLAIN("whois: several in one, answered as one",
		"> WHOIS ann,bob\n311 bot ann u h * :A\n311 bot bob u h * :B\n"
		"318 bot ann,bob :End",
		"1:ok 311 311 318"),
	PLAIN("whois: of two, interleaved",
		"> WHOIS ann\n> WHOIS bob\n311 bot bob u h * :B\n311 bot ann u h * :A\n"
		"318 bot bob :End\n312 bot ann s :i\n318 bot ann :End",
		"2:ok 311 318; 1:ok 311 312 318"),
	PLAIN("whois: the same twice",
		"> WHOIS bob\n> WHOIS bob\n311 bot bob u h * :B\n318 bot bob :End\n"
		"401 bot bob :No\n318 bot bob :End",
		"1:ok 311 318; 2:err_nosuchnick 'No' 401 318"),
	PLAIN("whois: of a mask",
		"> WHOIS b*\n311 bot bob u h * :B\n311 bot bill u h * :B\n318 bot b* :End",
		"1:ok 311 311 318"),
	PLAIN("whowas",
		"> WHOWAS bob 2\n314 bot bob u h * :Bob\n312 bot bob s :date\n"
		"314 bot bob v i * :Bob\n369 bot bob :End",
		"1:ok 314 312 314 369"),
	PLAIN("whowas: nobody", "> WHOWAS bob\n406 bot bob :There was none\n369 bot bob :End",
		"1:err_wasnosuchnick 'There was none' 406 369"),
	PLAIN("who: a channel",
		"> WHO #c\n~ 352 bot #d u h s ann H :0 A\n352 bot #c u h s bob H :0 B\n"
		"~ 315 bot #d :End\n~ 354 bot 1 x\n315 bot #C :End",
		"1:ok 352 315"),
	PLAIN("who: a mask", "> WHO *.example\n352 bot #c u h s bob H :0 B\n315 bot *.example :End",
		"1:ok 352 315"),
	PLAIN("who: everybody", "> WHO\n352 bot * u h s bob H :0 B\n315 bot * :End",
		"1:ok 352 315"),
	PLAIN("who: zero", "> WHO 0\n352 bot * u h s bob H :0 B\n~ 315 bot #c :End\n315 bot 0 :End",
		"1:ok 352 315"),
	PLAIN("who: with fields, by token",
		"> WHO #c %tna,42\n> WHO #c %tna,43\n354 bot 43 ann 0\n"
		"354 bot 42 bob bo\n~ 352 bot #c u h s b H :0 B\n315 bot #c :End\n"
		"315 bot #c :End",
		"1:ok 354 315; 2:ok 354 315"),
	PLAIN("who: with fields, without token", "> WHO #c %na\n354 bot ann 0\n315 bot #c :End",
		"1:ok 354 315"),
	PLAIN("who: too many", "> WHO *\n416 bot WHO :Too many",
		"1:err_toomanymatches 'Too many' 416"),
	PLAIN("names", "> NAMES #c\n353 bot = #c :@bot ann\n353 bot = #c :bob\n366 bot #c :End",
		"1:ok 353 353 366"),
	PLAIN("names: of two channels",
		"> NAMES #c,#d\n353 bot = #d :x\n366 bot #d :End\n~ 353 bot * #e :z\n"
		"353 bot = #c :y\n366 bot #c :End",
		"1:ok 353 366 353 366"),
	PLAIN("names: one twice", "> NAMES #c,#C,,#d\n366 bot #c :End\n366 bot #d :End",
		"1:ok 366 366"),
	PLAIN("names: all", "> NAMES\n353 bot = #c :x\n353 bot = #d :x\n366 bot * :End",
		"1:ok 353 353 366"),
	PLAIN("names: without a type", "> NAMES #c\n353 bot #c :x\n366 bot #c :End",
		"1:ok 353 366"),
	PLAIN("list",
		"> LIST\n321 bot Channel :Users\n322 bot #c 3 :topic\n322 bot #d 1 :\n"
		"323 bot :End",
		"1:ok 321 322 322 323"),
	PLAIN("list: not now", "> LIST\n263 bot LIST :Try again", "1:rpl_tryagain 'Try again' 263"),
	PLAIN("topic: asked", "> TOPIC #c\n332 bot #c :news\n333 bot #c ann 1", "1:ok 332 333"),
	PLAIN("topic: none", "> TOPIC #c\n331 bot #c :No topic", "1:ok 331"),
	PLAIN("topic: by nobody, then something else", "> TOPIC #c\n332 bot #c :news\nPING x",
		"1:ok 332"),
	PLAIN("topic: by nobody, then another's",
		"> TOPIC #c\n> TOPIC #d\n332 bot #c :news\n332 bot #d :x\n"
		"333 bot #d ann 1",
		"1:ok 332; 2:ok 332 333"),
	PLAIN("topic: by nobody, then silence", "> TOPIC #c\n332 bot #c :news\n!wait 999\n!wait 1",
		"1:ok 332"),
	PLAIN("topic: lingers no longer than its deadline",
		"> TOPIC #c\n!wait 29500\n332 bot #c :n\n!wait 500", "1:ok 332"),
	PLAIN("topic: not on it", "> TOPIC #c\n~ 442 bot #d :x\n442 bot #c :You are not",
		"1:err_notonchannel 'You are not' 442"),
	PLAIN("topic: set",
		"> TOPIC #c :new\n~ :ann!u@h TOPIC #c :hers\n~ :bot!u@h TOPIC #d :x\n"
		":BOT!u@h TOPIC #C :new",
		"1:ok TOPIC"),
	PLAIN("topic: not an operator", "> TOPIC #c :new\n482 bot #c :Be one",
		"1:err_chanoprivsneeded 'Be one' 482"),
	PLAIN("mode: of a channel", "> MODE #c\n324 bot #c +nt\n329 bot #c 123", "1:ok 324 329"),
	PLAIN("mode: of a channel, no date", "> MODE #c\n324 bot #c +nt\nPING x", "1:ok 324"),
	PLAIN("mode: bans",
		"> MODE #c b\n367 bot #c *!*@x ann 1\n367 bot #c *!*@y\n368 bot #c :End",
		"1:ok 367 367 368"),
	PLAIN("mode: bans, none", "> MODE #c +b\n~ 349 bot #c :x\n368 bot #c :End", "1:ok 368"),
	PLAIN("mode: exceptions", "> MODE #c e\n348 bot #c *!*@x\n349 bot #c :End", "1:ok 348 349"),
	PLAIN("mode: invitations", "> MODE #c I\n346 bot #c *!*@x\n347 bot #c :End",
		"1:ok 346 347"),
	PLAIN("mode: quiets", "> MODE #c q\n728 bot #c q *!*@x\n729 bot #c q :End", "1:ok 728 729"),
	PLAIN("mode: bans, not for you", "> MODE #c b\n482 bot #c :No",
		"1:err_chanoprivsneeded 'No' 482"),
	PLAIN("mode: change",
		"> MODE #c +o ann\n~ :bob!u@h MODE #c +o ann\n:bot!u@h MODE #c +o ann",
		"1:ok MODE"),
	PLAIN("mode: not in it", "> MODE #c +o ann\n441 bot ann #c :Not in it",
		"1:err_usernotinchannel 'Not in it' 441"),
	PLAIN("mode: a letter nobody knows", "> MODE #c +y\n472 bot y :is unknown",
		"1:err_unknownmode 'is unknown' 472"),
	PLAIN("mode: of a channel that there is not", "> MODE #c\n401 bot #c :None",
		"1:err_nosuchnick 'None' 401"),
	PLAIN("mode: q is no list here", "> MODE #c q\n696 bot #c q * :Need a nick",
		"1:err_invalidmodeparam 'Need a nick' 696"),
	PLAIN("mode: change, not heard of", "> MODE #c +o ann\n!wait 30000", "1:timeout"),
	PLAIN("mode: a ban is a change",
		"> MODE #c +b x\n~ 368 bot #c :End\n:bot!u@h MODE #c +b x!*@*", "1:ok MODE"),
	PLAIN("mode: ours", "> MODE bot\n221 bot +i", "1:ok 221"),
	PLAIN("mode: ours, changed", "> MODE bot +x\n:bot MODE bot :+x", "1:ok MODE"),
	PLAIN("mode: ours, unknown", "> MODE bot +y\n501 bot :Unknown",
		"1:err_umodeunknownflag 'Unknown' 501"),
	PLAIN("join",
		"> JOIN #c\n~ :ann!u@h JOIN #c\n:bot!u@h JOIN #c\n332 bot #c :t\n"
		"333 bot #c a 1\n353 bot = #c :bot\n366 bot #c :End",
		"1:ok JOIN 332 333 353 366"),
	NO_NAMES("join: no names follow", "> JOIN #c,#d\n:bot!u@h JOIN #c\n:bot!u@h JOIN :#d",
		"1:ok JOIN JOIN"),
	PLAIN("join: two, one refused",
		"> JOIN #c,#d key\n:bot!u@h JOIN #c\n366 bot #c :End\n475 bot #d :Key",
		"1:ok JOIN 366 475"),
	PLAIN("join: two, both refused", "> JOIN #c,#d\n473 bot #c :Invite\n475 bot #d :Key",
		"1:err_inviteonlychan 'Invite' 473 475"),
	PLAIN("join: forwarded", "> JOIN #c\n470 bot #c #d :Forwarding",
		"1:err_linkchannel 'Forwarding' 470"),
	PLAIN("join: banned, from another", "> JOIN #c\n~ 474 bot #d :x\n474 bot #c :Banned",
		"1:err_bannedfromchan 'Banned' 474"),
	PLAIN("part", "> PART #c :bye\n~ :ann!u@h PART #c\n:bot!u@h PART #c :bye", "1:ok PART"),
	PLAIN("part: not in it", "> PART #c\n442 bot #c :No", "1:err_notonchannel 'No' 442"),
	PLAIN("part: two", "> PART #c,#d\n:bot!u@h PART #d\n403 bot #c :No", "1:ok PART 403"),
	PLAIN("kick",
		"> KICK #c ann :x\n~ :bot!u@h KICK #d ann :x\n~ :bot!u@h KICK #c bob\n"
		":bot!u@h KICK #c Ann :x",
		"1:ok KICK"),
	PLAIN("kick: two", "> KICK #c ann,bob\n:bot!u@h KICK #c bob\n441 bot ann #c :No",
		"1:ok KICK 441"),
	PLAIN("kick: not an operator", "> KICK #c ann\n482 bot #c :No",
		"1:err_chanoprivsneeded 'No' 482"),
	PLAIN("kick: not an operator, one of two", "> KICK #c,#d ann,bob\n482 bot #d :No",
		"1:err_chanoprivsneeded 'No' 482"),
	PLAIN("nick", "> NICK robot\n~ :ann!u@h NICK robot\n:bot!u@h NICK robot", "1:ok NICK"),
	PLAIN("nick: cut by the server", "> NICK robotissimus\n:bot!u@h NICK robotiss",
		"1:ok NICK"),
	PLAIN("nick: another was forced",
		"> NICK robot\n~ :bot!u@h NICK guest\n433 bot robot :In use",
		"1:err_nicknameinuse 'In use' 433"),
	PLAIN("nick: too fast", "> NICK robot\n438 bot bot robot :Slow down",
		"1:err_nicktoofast 'Slow down' 438"),
	PLAIN("ison", "> ISON ann bob\n303 bot :bob", "1:ok 303"),
	PLAIN("userhost", "> USERHOST ann\n302 bot :ann=+u@h", "1:ok 302"),
	PLAIN("version", "> VERSION\n351 bot v s :c\n005 bot X :are", "1:ok 351"),
	PLAIN("motd", "> MOTD\n375 bot :-\n372 bot :- a\n376 bot :End", "1:ok 375 372 376"),
	PLAIN("motd: none", "> MOTD\n422 bot :None", "1:err_nomotd 'None' 422"),
	PLAIN("time", "> TIME\n391 bot s :noon", "1:ok 391"),
	PLAIN("lusers",
		"> LUSERS\n251 bot :a\n252 bot 1 :b\n255 bot :c\n265 bot 1 2 :d\n"
		"266 bot 1 2 :e\nPING x",
		"1:ok 251 252 255 265 266"),
	PLAIN("admin", "> ADMIN\n256 bot s :a\n257 bot :b\n258 bot :c\n259 bot :d",
		"1:ok 256 257 258 259"),
	PLAIN("info", "> INFO\n371 bot :a\n374 bot :End", "1:ok 371 374"),
	PLAIN("links", "> LINKS\n364 bot a b :0 x\n365 bot * :End", "1:ok 364 365"),
	PLAIN("stats", "> STATS u\n> STATS o\n242 bot :up\n219 bot u :End\n481 bot :No",
		"1:ok 242 219; 2:err_noprivileges 'No' 481"),
	PLAIN("monitor: add",
		"> MONITOR + ann,bob\n~ 730 bot :eve!u@h\n730 bot :Ann!u@h\n"
		"731 bot :bob\nPING x",
		"1:ok 730 731"),
	PLAIN("monitor: full", "> MONITOR + ann\n734 bot 100 ann :Full",
		"1:err_monlistfull 'Full' 734"),
	PLAIN("monitor: list", "> MONITOR L\n732 bot :ann\n733 bot :End", "1:ok 732 733"),
	PLAIN("monitor: status", "> MONITOR S\n730 bot :a!u@h\n731 bot :b\nPING x", "1:ok 730 731"),
	PLAIN("away", "> AWAY :gone\n306 bot :You are", "1:ok 306"),
	PLAIN("back", "> AWAY\n305 bot :You are not", "1:ok 305"),
	PLAIN("invite", "> INVITE ann #c\n341 bot ann #c", "1:ok 341"),
	PLAIN("invite: there already", "> INVITE ann #c\n443 bot ann #c :Is",
		"1:err_useronchannel 'Is' 443"),
	PLAIN("invite: list", "> INVITE\n336 bot #c\n337 bot :End", "1:ok 336 337"),
	PLAIN("ping", "> PING abc\n~ PONG s ABC\nPONG s abc", "1:ok PONG"),
	PLAIN("oper", "> OPER a b\n491 bot :No", "1:err_nooperhost 'No' 491"),
	PLAIN("oper: yes", "> OPER a b\n381 bot :Yes", "1:ok 381"),
	PLAIN("knock", "> KNOCK #c\n711 bot #c :Sent", "1:ok 711"),
	PLAIN("silence", "> SILENCE\n271 bot ann x!*@*\n272 bot :End", "1:ok 271 272"),
	PLAIN("accept", "> ACCEPT *\n281 bot ann\n282 bot :End", "1:ok 281 282"),
	PLAIN("redact", "> REDACT #c id\n~ :bot!u@h REDACT #c other\n:bot!u@h REDACT #c id",
		"1:ok REDACT"),
	PLAIN("setname", "> SETNAME :x\n~ :ann!u@h SETNAME :x\n:bot!u@h SETNAME :x",
		"1:ok SETNAME"),
	PLAIN("fail",
		"> REDACT #c id\n~ FAIL RENAME X :no\n"
		"FAIL REDACT UNKNOWN_MSGID #c id :No such",
		"1:fail UNKNOWN_MSGID 'No such' FAIL"),
	PLAIN("warnings are no end",
		"> TIME\n~ WARN TIME X :hm\n~ NOTE TIME X :hm\n391 bot s :noon", "1:ok 391"),
	PLAIN("unknown command", "> TIME\n> LIST\n421 bot LIST :Unknown\n391 bot s :noon",
		"2:err_unknowncommand 'Unknown' 421; 1:ok 391"),
	PLAIN("more parameters", "> WHOIS\n~ 461 bot WHO :x\n461 bot WHOIS :Not enough",
		"1:err_needmoreparams 'Not enough' 461"),
	PLAIN("not registered", "> TIME\n451 * :You are not",
		"1:err_notregistered 'You are not' 451"),
	PLAIN("the answers of several, in the order they come",
		"> TIME\n> ISON a\n> VERSION\n351 bot v s\n303 bot :\n391 bot s :noon",
		"3:ok 351; 2:ok 303; 1:ok 391"),
	PLAIN("history",
		"> CHATHISTORY LATEST #c * 50\n~ BATCH +1 chathistory #d\n"
		"~ @batch=1 :a PRIVMSG #d :x\n~ BATCH -1\nBATCH +2 chathistory #C\n"
		"@batch=2 :a PRIVMSG #c :x\n~ :a PRIVMSG #c :now\n@batch=2 :a JOIN #c\n"
		"BATCH -2",
		"1:ok PRIVMSG JOIN"),
	PLAIN("history: a message in several lines in it",
		"> CHATHISTORY LATEST #c * 50\nBATCH +1 chathistory #c\n"
		"@batch=1 BATCH +2 draft/multiline #c\n@batch=2 :a PRIVMSG #c :x\n"
		"BATCH -2\n@batch=1 :a PRIVMSG #c :y\nBATCH -1",
		"1:ok BATCH PRIVMSG PRIVMSG"),
	PLAIN("history: empty", "> CHATHISTORY LATEST #c * 50\nBATCH +1 chathistory #c\nBATCH -1",
		"1:ok"),
	PLAIN("history: targets",
		"> CHATHISTORY TARGETS a b 50\nBATCH +1 draft/chathistory-targets\n"
		"@batch=1 CHATHISTORY TARGETS #c time\nBATCH -1",
		"1:ok CHATHISTORY"),
	PLAIN("history: refused",
		"> CHATHISTORY LATEST #c * 50\n"
		"FAIL CHATHISTORY INVALID_TARGET LATEST #c :No",
		"1:fail INVALID_TARGET 'No' FAIL"),
	PLAIN("a replayed line is no answer",
		"> TOPIC #c :x\n~ BATCH +1 chathistory #c\n"
		"~ @batch=1 :bot!u@h TOPIC #c :x\n~ BATCH -1\n:bot!u@h TOPIC #c :x",
		"1:ok TOPIC"),
	PLAIN("a line of another batch is one",
		"> PART #c\nBATCH +1 x\n@batch=1 :bot!u@h PART #c\nBATCH -1", "1:ok PART"),
	PLAIN("a label that nobody gave", "> TIME\n@label=0.1 391 bot s :noon", "1:ok 391"),
	PLAIN("the deadline", "> TIME\n!wait 10000\n> ISON a\n!wait 20000\n!wait 10000",
		"1:timeout; 2:timeout"),
	PLAIN("the deadline, part of the answer is there", "> LIST\n322 bot #c 1 :x\n!wait 30000",
		"1:timeout 322"),
	PLAIN("cancelled",
		"> TIME\n> TIME\n!cancel 1\n391 bot s :noon\n391 bot s :noon\n!cancel 1\n"
		"!cancel 2",
		"2:ok 391"),
	PLAIN("cancelled while it lingers", "> TOPIC #c\n332 bot #c :x\n!cancel 1\n~ PING x", ""),
	PLAIN("disconnected", "> TIME\n> LIST\n322 bot #c 1 :x\n!disconnect\n~ 391 bot s :noon",
		"1:disconnected; 2:disconnected 322"),
	PLAIN("sent when one ends", "> TIME\n!then > TIME\n391 bot s :noon\n391 bot s :noon",
		"1:ok 391; 2:ok 391"),
	PLAIN("sent when one is too late", "> TIME\n!then > TIME\n!wait 30000\n!wait 30000",
		"1:timeout; 2:timeout"),
	PLAIN("sent when disconnected", "> TIME\n!then > TIME\n!disconnect\n!wait 30000",
		"1:disconnected; 2:timeout"),
	PLAIN("cancelled when another ends",
		"> TIME\n> LIST\n> ISON a\n!then !cancel 2\n!wait 30000", "1:timeout; 3:timeout"),
	PLAIN("cancelled when what lingered ends",
		"> TOPIC #c\n332 bot #c :x\n> TIME\n!then !cancel 2\n391 bot s :noon", "1:ok 332"),
	PLAIN("an end cancels itself", "> TIME\n!then !cancel 1\n391 bot s :noon", "1:ok 391"),

	LABELED("label: a line", "> TIME\n~ 391 bot s :x\n@label=0.1 391 bot s :noon", "1:ok 391"),
	LABELED("label: any command", "> FROB\n@label=0.1 :bot!u@h FROB yes", "1:ok FROB"),
	LABELED("label: empty", "> PONG x\n@label=0.1 ACK", "1:ok"),
	LABELED("label: a batch",
		"> WHOIS bob\n@label=0.1 BATCH +1 labeled-response\n"
		"@batch=1 311 bot bob u h * :B\n~ 312 bot bob x :y\n"
		"@batch=1 318 bot bob :End\nBATCH -1",
		"1:ok 311 318"),
	LABELED("label: an error", "> PRIVMSG bob :x\n@label=0.1 401 bot bob :No",
		"1:err_nosuchnick 'No' 401"),
	LABELED("label: an error in a batch",
		"> WHOIS bob\n@label=0.1 BATCH +1 labeled-response\n"
		"@batch=1 401 bot bob :No\n@batch=1 318 bot bob :End\nBATCH -1",
		"1:err_nosuchnick 'No' 401 318"),
	LABELED("label: an error among others",
		"> PRIVMSG ann,bob :x\n@label=0.1 BATCH +1 labeled-response\n"
		"@batch=1 401 bot bob :No\n@batch=1 :bot PRIVMSG ann :x\nBATCH -1",
		"1:ok 401 PRIVMSG"),
	LABELED("label: fail", "> FROB\n@label=0.1 FAIL FROB NO_WAY :Never",
		"1:fail NO_WAY 'Never' FAIL"),
	LABELED("label: two at a time, the second first",
		"> TIME\n> TIME\n@label=1.1 391 bot s :2\n@label=0.1 391 bot s :1",
		"2:ok 391; 1:ok 391"),
	LABELED("label: a late answer to one that is gone",
		"> TIME\n!wait 30000\n> TIME\n~ @label=0.1 391 bot s :1\n"
		"@label=0.2 391 bot s :2",
		"1:timeout; 2:ok 391"),
	LABELED("label: of nobody",
		"> TIME\n~ @label=x ACK\n~ @label=0 ACK\n~ @label=0.1.1 ACK\n"
		"~ @label=7.1 ACK\n~ @label=-1.1 ACK\n~ @label=0.0 ACK\n~ @label ACK\n"
		"~ ACK\n!wait 30000",
		"1:timeout"),
	LABELED("label: a batch within",
		"> CHATHISTORY LATEST #c * 1\n@label=0.1 BATCH +1 labeled-response\n"
		"@batch=1 BATCH +2 chathistory #c\n@batch=2 :a PRIVMSG #c :x\nBATCH -2\n"
		"@batch=1 NOTE * X :y\nBATCH -1",
		"1:ok BATCH PRIVMSG NOTE"),
	LABELED("label: the history itself",
		"> CHATHISTORY LATEST #c * 1\n@label=0.1 BATCH +1 chathistory #c\n"
		"@batch=1 :a PRIVMSG #c :x\nBATCH -1",
		"1:ok PRIVMSG"),
	LABELED("label: two batches at a time",
		"> TIME\n> LIST\n@label=0.1 BATCH +1 labeled-response\n"
		"@label=1.1 BATCH +2 labeled-response\n@batch=2 322 bot #c 1 :x\n"
		"@batch=1 391 bot s :x\nBATCH -2\nBATCH -1",
		"2:ok 322; 1:ok 391"),
	LABELED("label: of another in a batch",
		"> TIME\n> LIST\n@label=0.1 BATCH +1 labeled-response\n"
		"@batch=1;label=1.1 BATCH +2 x\n@batch=2 322 bot #c 1 :x\nBATCH -2\n"
		"@batch=1 391 bot s :x\nBATCH -1",
		"2:ok 322; 1:ok 391"),
	LABELED("label: a batch that is never closed",
		"> TIME\n@label=0.1 BATCH +1 labeled-response\n@batch=1 391 bot s :x\n"
		"!wait 30000\n@batch=1 391 bot s :x\nBATCH -1",
		"1:timeout 391"),
	LABELED("label: a batch that is none", "> TIME\n@label=0.1 BATCH +1\nBATCH -1", "1:limit"),
	LABELED("label: cancelled in the batch",
		"> TIME\n@label=0.1 BATCH +1 labeled-response\n!cancel 1\n"
		"~ @batch=1 391 bot s :x\n~ BATCH -1",
		""),
	LABELED("label: disconnected in the batch",
		"> TIME\n@label=0.1 BATCH +1 labeled-response\n@batch=1 391 bot s :x\n"
		"!disconnect\n~ BATCH -1",
		"1:disconnected 391"),
};

static void requests_end_as_the_server_answers(void **state)
{
	const struct talk_row *row = *state;
	struct talk *t = fresh(row->has_labels);
	char *lines[100];
	size_t n = 0;
	t->has_no_names = row->has_no_names;
	for (struct str rest = str_of(row->talk); rest.p; n++) {
		assert_true(n < COUNTOF(lines));
		lines[n] = str_dup(str_cut(&rest, '\n'));
	}

	for (size_t i = 0; i < n; i++)
		hear_talk(t, str_of(lines[i]));

	assert_slice(buf_str(&t->log), row->expected);
	assert_int_equal(t->requests.n, 0);
	for (size_t i = 0; i < n; i++)
		free(lines[i]);
}

static const struct refused_row {
	const char *name, *line, *expected;
	bool has_labels;
	int code;
} refused_rows[] = {
	{"refused: no answer is known",    "PRIVMSG #c :x",
         "request: PRIVMSG has no known answer, and the server has no labeled-response",           false, ERR_INVALID},
	{"refused: a form without answer", "MONITOR - ann",
         "request: MONITOR has no known answer, and the server has no labeled-response",           false, ERR_INVALID},
	{"refused: no line",               "",              "request: not a line",                 true,  ERR_INVALID},
	{"refused: two lines",             "TIME\nTIME",    "request: not a line",                 true,  ERR_INVALID},
	{"refused: a label of its own",    "@label=x TIME", "request: the tag label is ebb's own",
         true,											    ERR_INVALID},
};

static void what_cannot_be_answered_is_refused(void **state)
{
	const struct refused_row *row = *state;
	struct talk *t = fresh(row->has_labels);
	struct err err = {0};

	assert_int_equal(try_to_send(t, str_of(row->line), &err), row->code);

	assert_string_equal(err.text, row->expected);
	assert_int_equal(t->requests.n, 0);
}

static void only_so_many_wait_at_a_time(void **state)
{
	(void)state;
	struct talk *t = fresh(false);
	struct err err = {0};
	for (int i = 0; i < REQUESTS_MAX; i++)
		send(t, STR("TIME"));

	assert_int_equal(try_to_send(t, STR("TIME"), &err), ERR_LIMIT);

	assert_string_equal(err.text, "request: 256 are waiting for answers");
	hear(t, STR("391 bot s :noon"));
	send(t, STR("TIME"));
	requests_disconnect(&t->requests);
	assert_sound(&t->requests);
	assert_int_equal(t->requests.n, 0);
}

/* Hears `line` until something is told of, at most n times. */
static size_t hear_until_told(struct talk *t, const char *line, size_t n)
{
	size_t i = 0;
	for (; i < n && t->log.n == 0; i++)
		hear(t, str_of(line));
	return i;
}

static void on_limit(void *owner, const struct request_result *result)
{
	struct talk *t = owner;
	assert_int_equal(result->code, ERR_LIMIT);
	assert_true(result->lines.n <= REQUEST_BYTES_MAX);
	add(&t->log, STR("limit"));
}

static void an_answer_has_only_so_many_lines_and_bytes(void **state)
{
	(void)state;
	char line[500];
	struct talk *t = fresh(false);
	t->requests.done = on_limit;
	send(t, STR("LIST"));
	assert_int_equal(hear_until_told(t, "322 bot #c 1 :x", 100000), REQUEST_LINES_MAX + 1);

	buf_reset(&t->log);
	send(t, STR("LIST"));
	snprintf(line, sizeof(line), "322 bot #c 1 :%0480d", 0);
	size_t n = hear_until_told(t, line, 100000);
	assert_int_equal(n, (REQUEST_BYTES_MAX + 1) / (strlen(line) + 1) + 1);
}

static void all_answers_together_have_only_so_many_bytes(void **state)
{
	(void)state;
	struct talk *t = fresh(true);
	char line[600];
	t->requests.done = on_limit;
	for (int i = 0; i < 6; i++)
		send(t, STR("LIST"));
	for (int i = 0; i < 6; i++) {
		snprintf(line, sizeof(line), "@label=%d.1 BATCH +%d x", i, i);
		hear(t, str_of(line));
		snprintf(line, sizeof(line), "@batch=%d 322 bot #c 1 :%0480d", i, 0);
		hear_until_told(t, line, 8000);
	}

	assert_slice(buf_str(&t->log), "limit");
	assert_int_equal(t->requests.n, 5);
}

static void a_batch_past_the_maximum_ends_its_request(void **state)
{
	(void)state;
	struct talk *t = fresh(true);
	char line[100];
	send(t, STR("TIME"));
	for (int i = 0; i < BATCHES_MAX; i++) {
		snprintf(line, sizeof(line), "BATCH +%d x", i);
		hear(t, str_of(line));
	}

	hear(t, STR("@label=0.1 BATCH +more labeled-response"));

	assert_slice(buf_str(&t->log), "1:limit");
}

static void requests_tell_when_they_are_next_due(void **state)
{
	(void)state;
	struct talk *t = fresh(false);
	assert_int_equal(requests_deadline(&t->requests), -1);
	send(t, STR("TIME"));
	t->now_ns += 5;
	send(t, STR("LIST"));
	assert_int_equal(requests_deadline(&t->requests), NS_PER_S + TIMEOUT_NS);
	hear(t, STR("391 bot s :noon"));
	assert_int_equal(requests_deadline(&t->requests), NS_PER_S + 5 + TIMEOUT_NS);
	hear(t, STR("323 bot :End"));
	assert_int_equal(requests_deadline(&t->requests), -1);
}

static void a_timeout_may_be_longer_than_time(void **state)
{
	(void)state;
	struct talk *t = fresh(false);
	struct request_ask ask = {.line = STR("TIME"),
		.now_ns = t->now_ns,
		.timeout_ns = INT64_MAX,
		.data = (void *)1};

	assert_int_equal(requests_add(&t->requests, &ask, t->isupport, &t->ids[1], NULL, NULL), 0);

	assert_int_equal(requests_deadline(&t->requests), INT64_MAX);
	requests_disconnect(&t->requests);
	assert_slice(buf_str(&t->log), "1:disconnected");
}

/* What every field of the facts is called is known to fields. */
static void facts_are_read_from_fields_that_there_are(void **state)
{
	(void)state;
	size_t n_kinds = 0, n;
	for (int kind = 0; kind < EVENT_KINDS; kind++) {
		const struct fact *f = reply_facts(kind, &n);
		n_kinds += n > 0;
		assert_int_equal(n == 0, f == NULL);
		for (size_t i = 0; i < n; i++) {
			assert_true(strlen(f[i].fact) > 0);
			assert_int_equal(f[i].field == NULL, f[i].type == FACT_FLAG);
			if (f[i].field && !field_find(kind, str_of(f[i].field)))
				fail_msg("%s: no field %s", event_name(kind), f[i].field);
		}
	}
	assert_true(n_kinds > 50);
}

static const struct fact_row {
	const char *name;
	int kind;
	const char *expected;
} fact_rows[] = {
	{"facts: of a user",       311, "nick=nick user=user host=host real_name=real_name"},
	{"facts: of an operator",  313, "oper"					     },
	{"facts: of channels",     319, "channels+channels"                                },
	{"facts: of a topic",      332, "channel=channel topic=message"                    },
	{"facts: of who is there", 730, "online,targets"                                   },
	{"facts: of a ban",        367, "masks[mask] masks[setter] masks[set_at]"          },
	{"facts: none",            318, ""						 },
};

static void replies_tell_facts(void **state)
{
	const struct fact_row *row = *state;
	struct talk *t = fresh(false);
	size_t n;
	const struct fact *f = reply_facts(row->kind, &n);

	for (size_t i = 0; i < n; i++) {
		static const char signs[][2] = {"=", "", "+", ",", "["};
		assert_int_equal(buf_addf(&t->log, "%s%s%s%s%s", t->log.n ? " " : "", f[i].fact,
					 signs[f[i].type], f[i].field ? f[i].field : "",
					 f[i].type == FACT_ROW ? "]" : ""),
			0);
	}

	assert_slice(buf_str(&t->log), row->expected);
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, talk_rows, requests_end_as_the_server_answers);
	check_rows(&c, refused_rows, what_cannot_be_answered_is_refused);
	check_test(&c, only_so_many_wait_at_a_time);
	check_test(&c, an_answer_has_only_so_many_lines_and_bytes);
	check_test(&c, all_answers_together_have_only_so_many_bytes);
	check_test(&c, a_batch_past_the_maximum_ends_its_request);
	check_test(&c, requests_tell_when_they_are_next_due);
	check_test(&c, a_timeout_may_be_longer_than_time);
	check_test(&c, facts_are_read_from_fields_that_there_are);
	check_rows(&c, fact_rows, replies_tell_facts);
	int r = check_run(&c, "request");
	end_talk(&talk);
	return r;
}
