#include "script/listen.h"
#include "support/stage.h"

#include <stdio.h>
#include <string.h>

/* Who answers a question, and with what: ev:ask and ev:confirm. */

#define SAY "local function say(t) send('privmsg', {target = '#log', message = tostring(t)}) end\n"

/* Asks whoever says "!…", and says who answered with what, or why nobody did. */
#define ASKER                                                                           \
	SAY "on('privmsg', {match = '^!'}, function(ev)\n"                              \
	    "  local answer, why = ev:ask(ev.message, 60)\n"                            \
	    "  say(answer and tostring(answer.nick) .. ' ' .. answer.message or why)\n" \
	    "end)\n"

#define CONFIRMER                                               \
	SAY "on('privmsg', {match = '^!'}, function(ev)\n"      \
	    "  local is, why = ev:confirm('sure?', 60)\n"       \
	    "  say(why and tostring(is) .. ' ' .. why or is)\n" \
	    "end)\n"

#define MINUTE "a minute passes"

static struct stage st;

static void begin(const char *source)
{
	stage_begin(&st, 2);
	if (!stage_load(&st, "test", source))
		fail_msg("not loaded: %s", buf_str(&st.log).p);
}

static struct script *script(void)
{
	return container_of(st.host.scripts.next, struct script, node);
}

/* Ends it; nothing may be left of what was asked. */
static void end(void)
{
	const struct script *s = script();
	assert_true(list_is_empty(&s->tasks));
	for (size_t i = 0; i < s->n_kinds; i++)
		assert_true(!s->by_kind[i] || list_is_empty(&s->by_kind[i]->waits));
	assert_int_equal(event_count(), st.n_events);
	stage_end(&st);
}

/* As net_line does. */
static void put(const char *line, bool is_replayed)
{
	struct event e = {.is_line = true, .is_replayed = is_replayed};
	assert_int_equal(message_parse(&e.m, str_of(line)), 0);
	e.net = st.nets[0].net->handle;
	e.net_name = str_of("one");
	e.isupport = st.nets[0].isupport;
	e.kind = event_kind_of(&e.m, e.isupport);
	e.name = event_name(e.kind);
	e.number = ++st.host.event_number;
	trail_note(&st.nets[0].net->trail, &e);
	host_event(&st.host, &e);
}

static void replay(const char *line)
{
	put(line, true);
	stage_run(&st);
}

/* A line from network one; "two " before it: from two; "old ": replayed. Or a minute passes. */
static void hear(const char *line)
{
	if (strcmp(line, MINUTE) == 0) {
		stage_pass(&st, 60);
		return;
	}
	if (strncmp(line, "old ", 4) == 0)
		replay(line + 4);
	else if (strncmp(line, "two ", 4) == 0)
		stage_line(&st, 1, line + 4);
	else
		stage_line(&st, 0, line);
}

/* Conversations. */

enum { LINES_MAX = 8 };

static const struct talk {
	const char *name;
	const char *lines[LINES_MAX]; /* NULL after the last */
	const char *sent;
} talks[] = {
#define TALK(name, sent, ...)             \
	{                                 \
		name, {__VA_ARGS__}, sent \
	}
#define ASKED        "PRIVMSG #t :!q\n"
#define TOLD         "PRIVMSG a :!q\n"
#define ANSWER(text) "PRIVMSG #log :" text "\n"

	/* Who, and where. */
	TALK("ask: the same person", ASKED ANSWER("a yes"), ":a!u@h PRIVMSG #t :!q",
		":a!u@h PRIVMSG #t :yes"),
	TALK("ask: an empty answer", ASKED ANSWER("a "), ":a!u@h PRIVMSG #t :!q",
		":a!u@h PRIVMSG #t :"),
	TALK("ask: somebody else", ASKED, ":a!u@h PRIVMSG #t :!q", ":b!u@h PRIVMSG #t :yes"),
	TALK("ask: only the first answer", ASKED ANSWER("a 1"), ":a!u@h PRIVMSG #t :!q",
		":a!u@h PRIVMSG #t :1", ":a!u@h PRIVMSG #t :2"),
	TALK("ask: another channel", ASKED, ":a!u@h PRIVMSG #t :!q", ":a!u@h PRIVMSG #u :yes"),
	TALK("ask: in private instead", ASKED, ":a!u@h PRIVMSG #t :!q", ":a!u@h PRIVMSG ebb :yes"),
	TALK("ask: in private", TOLD ANSWER("a yes"), ":a!u@h PRIVMSG ebb :!q",
		":b!u@h PRIVMSG ebb :no", ":a!u@h PRIVMSG ebb :yes"),
	TALK("ask: in a channel instead", TOLD, ":a!u@h PRIVMSG ebb :!q", ":a!u@h PRIVMSG #t :yes"),
	TALK("ask: to the operators of the channel", "PRIVMSG @#t :!q\n" ANSWER("a yes"),
		":s 005 ebb STATUSMSG=@+ :are supported", ":a!u@h PRIVMSG @#t :!q",
		":a!u@h PRIVMSG #t :yes"),
	TALK("ask: another network", ASKED, ":a!u@h PRIVMSG #t :!q", "two :a!u@h PRIVMSG #t :yes"),
	TALK("ask: the other network", "two: PRIVMSG #t :!q\ntwo: " ANSWER("a yes"),
		"two :a!u@h PRIVMSG #t :!q", ":a!u@h PRIVMSG #t :no", "two :a!u@h PRIVMSG #t :yes"),
	TALK("ask: nicks and channels fold", ASKED ANSWER("A{B yes"), ":a[b!u@h PRIVMSG #t :!q",
		":A{B!u@h PRIVMSG #T :yes"),
	TALK("ask: they fold as the server says", ASKED,
		":s 005 ebb CASEMAPPING=ascii :are supported", ":a[b!u@h PRIVMSG #t :!q",
		":a{b!u@h PRIVMSG #t :yes"),

	/* What is no answer. */
	TALK("ask: an action", ASKED ANSWER("a yes"), ":a!u@h PRIVMSG #t :!q",
		":a!u@h PRIVMSG #t :\1ACTION nods\1", ":a!u@h PRIVMSG #t :yes"),
	TALK("ask: a ctcp", TOLD, ":a!u@h PRIVMSG ebb :!q", ":a!u@h PRIVMSG ebb :\1VERSION\1"),
	TALK("ask: a notice", ASKED, ":a!u@h PRIVMSG #t :!q", ":a!u@h NOTICE #t :yes"),
	TALK("ask: our own words", ASKED, ":a!u@h PRIVMSG #t :!q", ":a!u@h NICK ebb",
		":ebb!u@h PRIVMSG #t :yes"),
	TALK("ask: what is replayed", ASKED, ":a!u@h PRIVMSG #t :!q", "old :a!u@h PRIVMSG #t :yes"),
	TALK("ask: a server", ASKED, ":a!u@h PRIVMSG #t :!q", ":a!u@h QUIT",
		":irc.test PRIVMSG #t :yes"),

	/* Changes of nick. */
	TALK("nick: it is followed", ASKED ANSWER("b yes"), ":a!u@h PRIVMSG #t :!q",
		":a!u@h NICK b", ":b!u@h PRIVMSG #t :yes"),
	TALK("nick: through several changes", ASKED ANSWER("d yes"), ":a!u@h PRIVMSG #t :!q",
		":a!u@h NICK b", ":b!u@h NICK :c", ":c!u@h NICK d", ":d!u@h PRIVMSG #t :yes"),
	TALK("nick: and back", ASKED ANSWER("a yes"), ":a!u@h PRIVMSG #t :!q", ":a!u@h NICK b",
		":b!u@h NICK a", ":a!u@h PRIVMSG #t :yes"),
	TALK("nick: changes fold", ASKED ANSWER("b yes"), ":a[b!u@h PRIVMSG #t :!q",
		":A{B!u@h NICK b", ":b!u@h PRIVMSG #t :yes"),
	TALK("nick: in other case", ASKED ANSWER("A yes"), ":a!u@h PRIVMSG #t :!q", ":a!u@h NICK A",
		":A!u@h PRIVMSG #t :yes"),
	TALK("nick: of somebody else", ASKED ANSWER("a yes"), ":a!u@h PRIVMSG #t :!q",
		":b!u@h NICK c", ":c!u@h PRIVMSG #t :no", ":a!u@h PRIVMSG #t :yes"),
	TALK("nick: who takes the old one", ASKED ANSWER("b yes"), ":a!u@h PRIVMSG #t :!q",
		":a!u@h NICK b", ":c!u@h NICK a", ":a!u@h PRIVMSG #t :no",
		":b!u@h PRIVMSG #t :yes"),
	TALK("nick: taken by somebody, given up unseen", ASKED, ":a!u@h PRIVMSG #t :!q",
		":b!u@h NICK a", ":a!u@h PRIVMSG #t :yes"),
	TALK("nick: on another network", ASKED ANSWER("a yes"), ":a!u@h PRIVMSG #t :!q",
		"two :a!u@h NICK b", ":b!u@h PRIVMSG #t :no", ":a!u@h PRIVMSG #t :yes"),
	TALK("nick: a replayed change", ASKED ANSWER("a yes"), ":a!u@h PRIVMSG #t :!q",
		"old :a!u@h NICK b", ":b!u@h PRIVMSG #t :no", ":a!u@h PRIVMSG #t :yes"),

	/* Who left. */
	TALK("quit: the nick is anybody's", ASKED, ":a!u@h PRIVMSG #t :!q", ":a!u@h QUIT :bye",
		":a!u@h JOIN #t", ":a!u@h PRIVMSG #t :yes"),
	TALK("quit: under the new nick", ASKED, ":a!u@h PRIVMSG #t :!q", ":a!u@h NICK b",
		":b!u@h QUIT :bye", ":b!u@h PRIVMSG #t :yes", ":a!u@h PRIVMSG #t :yes"),
	TALK("quit: who comes by that nick later", ASKED, ":a!u@h PRIVMSG #t :!q",
		":a!u@h QUIT :bye", ":b!u@h NICK a", ":a!u@h NICK c", ":c!u@h PRIVMSG #t :yes"),
	TALK("quit: of somebody else", ASKED ANSWER("a yes"), ":a!u@h PRIVMSG #t :!q",
		":b!u@h QUIT :bye", ":a!u@h PRIVMSG #t :yes"),
	TALK("quit: a replayed one", ASKED ANSWER("a yes"), ":a!u@h PRIVMSG #t :!q",
		"old :a!u@h QUIT :bye", ":a!u@h PRIVMSG #t :yes"),
	TALK("quit: who parts is still there", ASKED ANSWER("a yes"), ":a!u@h PRIVMSG #t :!q",
		":a!u@h PART #t", ":a!u@h JOIN #t", ":a!u@h PRIVMSG #t :yes"),

	/* Accounts. */
	TALK("account: the same", ASKED ANSWER("a yes"), "@account=al :a!u@h PRIVMSG #t :!q",
		"@account=al :a!u@h PRIVMSG #t :yes"),
	TALK("account: the same, under another nick", ASKED ANSWER("x yes"),
		"@account=al :a!u@h PRIVMSG #t :!q", "@account=al :x!u@h PRIVMSG #t :yes"),
	TALK("account: the same, in another channel", ASKED, "@account=al :a!u@h PRIVMSG #t :!q",
		"@account=al :a!u@h PRIVMSG #u :yes"),
	TALK("account: after a quit, under another nick", ASKED ANSWER("x yes"),
		"@account=al :a!u@h PRIVMSG #t :!q", ":a!u@h QUIT :bye", ":x!u@h JOIN #t",
		"@account=al :x!u@h PRIVMSG #t :yes"),
	TALK("account: after a quit, none", ASKED, "@account=al :a!u@h PRIVMSG #t :!q",
		":a!u@h QUIT :bye", ":a!u@h PRIVMSG #t :yes"),
	TALK("account: another, with the nick", ASKED ANSWER("a yes"),
		"@account=al :a!u@h PRIVMSG #t :!q", "@account=bo :a!u@h PRIVMSG #t :no",
		"@account=al :a!u@h PRIVMSG #t :yes"),
	TALK("account: none any more, with the nick", ASKED, "@account=al :a!u@h PRIVMSG #t :!q",
		":a!u@h PRIVMSG #t :yes"),
	TALK("account: one that was not known", ASKED ANSWER("a yes"), ":a!u@h PRIVMSG #t :!q",
		"@account=al :a!u@h PRIVMSG #t :yes"),
	TALK("account: it does not fold", ASKED, "@account=al :a!u@h PRIVMSG #t :!q",
		"@account=Al :a!u@h PRIVMSG #t :yes"),
	TALK("account: the nick is followed all the same", ASKED ANSWER("b yes"),
		"@account=al :a!u@h PRIVMSG #t :!q", "@account=al :a!u@h NICK b",
		"@account=al :b!u@h PRIVMSG #t :yes"),

	/* Several at a time. */
	TALK("two: one person asked twice", ASKED "PRIVMSG #t :!r\n" ANSWER("a !r") ANSWER("a yes"),
		":a!u@h PRIVMSG #t :!q", ":a!u@h PRIVMSG #t :!r", ":a!u@h PRIVMSG #t :yes"),
	TALK("two: persons", ASKED "PRIVMSG #t :!r\n" ANSWER("b 1") ANSWER("a 2"),
		":a!u@h PRIVMSG #t :!q", ":b!u@h PRIVMSG #t :!r", ":b!u@h PRIVMSG #t :1",
		":a!u@h PRIVMSG #t :2"),
	TALK("two: persons who swap their nicks",
		ASKED "PRIVMSG #t :!r\n" ANSWER("b 1") ANSWER("a 2"), ":a!u@h PRIVMSG #t :!q",
		":b!u@h PRIVMSG #t :!r", ":a!u@h NICK x", ":b!u@h NICK a", ":x!u@h NICK b",
		":b!u@h PRIVMSG #t :1", ":a!u@h PRIVMSG #t :2"),
};

static void hold(const char *source, const struct talk *row)
{
	begin(source);
	for (size_t i = 0; i < LINES_MAX && row->lines[i]; i++)
		hear(row->lines[i]);
	stage_expect(&st, row->sent);
	stage_pass(&st, 61);
	end();
}

static void is_held(void **state)
{
	hold(ASKER, *state);
}

/* Questions after what nobody said. */
static const struct talk deeds[] = {
	TALK("deed: a join", "PRIVMSG #t :hi\n" ANSWER("a yes"), ":a!u@h JOIN #t",
		":a!u@h PRIVMSG #t :yes"),
	TALK("deed: a join with its account", "PRIVMSG #t :hi\n" ANSWER("b yes"),
		":a!u@h JOIN #t al :Real", ":a!u@h QUIT", "@account=al :b!u@h PRIVMSG #t :yes"),
	TALK("deed: a join with its account, where lines do not tell",
		"PRIVMSG #t :hi\n" ANSWER("a yes"), ":a!u@h JOIN #t al :Real",
		":a!u@h PRIVMSG #t :yes"),
	TALK("deed: a join without account", "PRIVMSG #t :hi\n" ANSWER("a yes"),
		":a!u@h JOIN #t * :Real", "@account=al :a!u@h PRIVMSG #t :yes"),
	TALK("deed: a change of nick, answered at the new one", "PRIVMSG b :hi\n" ANSWER("b yes"),
		":a!u@h NICK b", ":a!u@h PRIVMSG ebb :no", ":b!u@h PRIVMSG ebb :yes"),
	TALK("deed: a quit, which only an account survives", "PRIVMSG a :hi\n", ":a!u@h QUIT :bye",
		":a!u@h PRIVMSG ebb :yes"),
	TALK("deed: a kick is by who kicks", "PRIVMSG #t :hi\n" ANSWER("op yes"),
		":op!u@h KICK #t a :bye", ":a!u@h PRIVMSG #t :no", ":op!u@h PRIVMSG #t :yes"),
	TALK("deed: a reply is about somebody", "PRIVMSG b :hi\n" ANSWER("b yes"),
		":s 311 ebb b u h * :Real", ":b!u@h PRIVMSG ebb :yes"),
};

static void is_held_after_a_deed(void **state)
{
	hold(SAY "once({'join', 'nick', 'quit', 'kick', 'rpl_whoisuser'}, function(ev)\n"
		 "  local answer, why = ev:ask('hi', 60)\n"
		 "  say(answer and answer.nick .. ' ' .. answer.message or why)\n"
		 "end)\n",
		*state);
}

/* Questions by an event of a minute ago. */
static const struct talk late[] = {
	TALK("late: no change", ASKED ANSWER("a yes"), ":a!u@h PRIVMSG #t :!q", MINUTE,
		":a!u@h PRIVMSG #t :yes"),
	TALK("late: what was said before is no answer", ASKED ANSWER("a yes"),
		":a!u@h PRIVMSG #t :!q", ":a!u@h PRIVMSG #t :no", MINUTE, ":a!u@h PRIVMSG #t :yes"),
	TALK("late: changes of nick are followed", ASKED ANSWER("d yes"), ":a!u@h PRIVMSG #t :!q",
		":a!u@h NICK b", ":b!u@h NICK c", MINUTE, ":c!u@h NICK d",
		":d!u@h PRIVMSG #t :yes"),
	TALK("late: who takes the nick", ASKED ANSWER("b yes"), ":a!u@h PRIVMSG #t :!q",
		":a!u@h NICK b", ":c!u@h NICK a", MINUTE, ":a!u@h PRIVMSG #t :no",
		":b!u@h PRIVMSG #t :yes"),
	TALK("late: who has quit", ASKED, ":a!u@h PRIVMSG #t :!q", ":a!u@h QUIT :bye",
		":a!u@h JOIN #t", MINUTE, ":a!u@h PRIVMSG #t :yes"),
	TALK("late: changes before the event do not count", ASKED ANSWER("a yes"), ":a!u@h NICK b",
		":b!u@h QUIT", ":c!u@h NICK a", ":a!u@h PRIVMSG #t :!q", MINUTE,
		":a!u@h PRIVMSG #t :yes"),
	TALK("late: nor do those of another network, nor replayed ones", ASKED ANSWER("a yes"),
		":a!u@h PRIVMSG #t :!q", "two :a!u@h NICK b", "old :a!u@h QUIT", MINUTE,
		":a!u@h PRIVMSG #t :yes"),
};

static void is_held_late(void **state)
{
	hold(SAY "on('privmsg', {match = '^!'}, function(ev)\n"
		 "  sleep(60)\n"
		 "  local answer, why = ev:ask(ev.message, 59)\n"
		 "  if answer then say(answer.nick .. ' ' .. answer.message) end\n"
		 "end)\n",
		*state);
}

static void an_event_serves_for_several_questions(void **state)
{
	(void)state;
	begin(SAY "once('privmsg', function(ev)\n"
		  "  for i = 1, 3 do say(ev:ask(i).message) end\n"
		  "end)\n");
	hear(":a!u@h PRIVMSG #t :x");
	hear(":a!u@h NICK b");
	hear(":b!u@h PRIVMSG #t :one");
	hear(":c!u@h NICK a");
	hear(":a!u@h PRIVMSG #t :no");
	hear(":b!u@h PRIVMSG #t :two");
	hear(":b!u@h NICK d");
	hear(":d!u@h PRIVMSG #t :three");
	stage_expect(&st, "PRIVMSG #t :1\nPRIVMSG #log :one\nPRIVMSG #t :2\n"
			  "PRIVMSG #log :two\nPRIVMSG #t :3\nPRIVMSG #log :three\n");
	end();
}

static void a_handler_of_the_change_asks_by_the_new_nick(void **state)
{
	(void)state;
	begin(SAY "local first\n"
		  "once('privmsg', function(ev) first = ev end)\n"
		  "on('nick', function() say(first:ask('hi').nick) end)\n");
	hear(":a!u@h PRIVMSG #t :x");
	hear(":a!u@h NICK b");
	hear(":a!u@h PRIVMSG #t :no");
	hear(":b!u@h PRIVMSG #t :yes");
	stage_expect(&st, "PRIVMSG #t :hi\nPRIVMSG #log :b\n");
	end();
}

static void a_change_that_waits_for_its_turn_counts_once(void **state)
{
	(void)state;
	begin(ASKER);
	st.host.is_running = true; /* what comes is queued */
	put(":a!u@h PRIVMSG #t :!q", false);
	put(":a!u@h NICK b", false);
	put(":b!u@h NICK c", false);
	st.host.is_running = false;
	stage_run(&st);
	hear(":c!u@h PRIVMSG #t :yes");
	stage_expect(&st, ASKED ANSWER("c yes"));
	end();
}

static void of_many_changes_the_latest_are_known(void **state)
{
	char line[100];
	(void)state;
	begin(SAY "local first, second\n"
		  "once('privmsg', {nick = 'a'}, function(ev) first = ev end)\n"
		  "once('privmsg', {nick = 'x0'}, function(ev) second = ev end)\n"
		  "once('topic', function() say(second:ask('who?').nick) end)\n"
		  "once('topic', function() say(first:ask('who?').nick) end)\n");
	hear(":a!u@h PRIVMSG #t :x");
	hear(":a!u@h NICK b");
	hear(":x0!u@h PRIVMSG #t :x");
	for (int i = 0; i < TRAIL_MAX; i++) {
		snprintf(line, sizeof(line), ":x%d!u@h NICK x%d", i, i + 1);
		hear(line);
	}
	assert_int_equal(st.nets[0].net->trail.n, TRAIL_MAX);
	hear(":a!u@h TOPIC #t :x");
	snprintf(line, sizeof(line), ":x%d!u@h PRIVMSG #t :yes", TRAIL_MAX);
	hear(line);
	hear(":b!u@h PRIVMSG #t :no");
	hear(":a!u@h PRIVMSG #t :yes");
	stage_expect(&st, "PRIVMSG #t :who?\nPRIVMSG #t :who?\nPRIVMSG #log :x1024\n"
			  "PRIVMSG #log :a\n");
	end();
}

/* Confirmations. */

static const struct word {
	const char *name, *text;
	const char *said; /* NULL: passed over */
} words[] = {
	{"confirm: yes",                   "yes",        "true" },
	{"confirm: y",                     "y",          "true" },
	{"confirm: yeah",                  "yeah",       "true" },
	{"confirm: ok, loudly",            "OK!",        "true" },
	{"confirm: okay",                  "okay",       "true" },
	{"confirm: with spaces",           "  Sure.  ",  "true" },
	{"confirm: plus one",              "+1",         "true" },
	{"confirm: yep, as a question",    "yep?",       "true" },
	{"confirm: no",                    "No.",        "false"},
	{"confirm: n",                     "n",          "false"},
	{"confirm: nope",                  "nope",       "false"},
	{"confirm: nah",                   "nah",        "false"},
	{"confirm: minus one",             "-1",         "false"},
	{"confirm: a word that begins so", "yesterday",  NULL   },
	{"confirm: more than a word",      "yes please", NULL   },
	{"confirm: two marks",             "yes!!",      NULL   },
	{"confirm: a mark alone",          "?",          NULL   },
	{"confirm: nothing",               "",           NULL   },
	{"confirm: another mark",          "no,",        NULL   },
};

static void is_understood(void **state)
{
	const struct word *row = *state;
	char line[100], said[100] = "";
	begin(CONFIRMER);
	hear(":a!u@h PRIVMSG #t :!q");
	stage_expect(&st, "PRIVMSG #t :sure?\n");
	snprintf(line, sizeof(line), ":a!u@h PRIVMSG #t :%s", row->text);
	hear(line);
	if (row->said)
		snprintf(said, sizeof(said), "PRIVMSG #log :%s\n", row->said);
	stage_expect(&st, said);
	stage_pass(&st, 61);
	stage_expect(&st, row->said ? "" : "PRIVMSG #log :nil timeout\n");
	end();
}

static void confirm_passes_over_other_talk_which_others_hear(void **state)
{
	(void)state;
	begin(CONFIRMER
		"on('privmsg', {match = '^h'}, function(ev) say('heard ' .. ev.message) end)\n");
	hear(":a!u@h PRIVMSG #t :!q");
	hear(":a!u@h PRIVMSG #t :hm");
	hear(":b!u@h PRIVMSG #t :no");
	hear(":a!u@h PRIVMSG #u :no");
	hear(":a!u@h NICK c");
	hear(":c!u@h PRIVMSG #t :how so?");
	stage_expect(&st, "PRIVMSG #t :sure?\nPRIVMSG #log :heard hm\n"
			  "PRIVMSG #log :heard how so?\n");
	stage_pass(&st, 59);
	hear(":c!u@h PRIVMSG #t :yes");
	stage_expect(&st, "PRIVMSG #log :true\n");
	end();
}

static void confirm_ends_with_its_time_and_with_the_connection(void **state)
{
	(void)state;
	begin(CONFIRMER);
	hear(":a!u@h PRIVMSG #t :!q");
	hear(":a!u@h PRIVMSG #t :hm");
	stage_pass(&st, 60);
	stage_expect(&st, "PRIVMSG #t :sure?\nPRIVMSG #log :nil timeout\n");
	hear("two :a!u@h PRIVMSG #t :!q");
	stage_lose(&st, 0, ERR_CLOSED, "lost");
	hear("two :a!u@h PRIVMSG #t :no");
	stage_expect(&st, "two: PRIVMSG #t :sure?\ntwo: PRIVMSG #log :false\n");
	end();
}

/* Time, connections, cancellation. */

static void ask_waits_until_its_time_has_passed(void **state)
{
	(void)state;
	begin(ASKER);
	hear(":a!u@h PRIVMSG #t :!q");
	stage_pass(&st, 59.9);
	stage_expect(&st, ASKED);
	stage_pass(&st, 0.1);
	stage_expect(&st, ANSWER("timeout"));
	hear(":a!u@h PRIVMSG #t :yes");
	stage_expect(&st, "");
	end();
}

static void ask_without_a_time_waits_for_ever(void **state)
{
	(void)state;
	begin(SAY "once('privmsg', function(ev) say(ev:ask('well?').message) end)\n");
	hear(":a!u@h PRIVMSG #t :x");
	stage_pass(&st, 1e6);
	hear(":a!u@h PRIVMSG #t :at last");
	stage_expect(&st, "PRIVMSG #t :well?\nPRIVMSG #log :at last\n");
	end();
}

static void ask_ends_with_the_connection(void **state)
{
	(void)state;
	begin("on('privmsg', function(ev)\n"
	      "  local answer, why = ev:ask('well?')\n"
	      "  log(tostring(answer) .. ' ' .. why)\n"
	      "end)\n");
	hear(":a!u@h PRIVMSG #t :x");
	stage_lose(&st, 1, ERR_CLOSED, "lost");
	assert_null(strstr(buf_str(&st.log).p, "nil"));
	stage_lose(&st, 0, ERR_CLOSED, "lost");
	stage_expect_log(&st, "nil disconnected");
	stage_connect(&st, 0);
	stage_expect(&st, "PRIVMSG #t :well?\n");
	end();
}

static void ask_that_is_cancelled_leaves_nothing(void **state)
{
	(void)state;
	begin(SAY "once('privmsg', function(ev)\n"
		  "  local t = spawn(ev.ask, ev, 'one?')\n"
		  "  local c = spawn(ev.confirm, ev, 'two?')\n"
		  "  sleep(1) t:cancel() c:cancel()\n"
		  "  say(select(2, timeout(1, ev.ask, ev, 'three?')))\n"
		  "end)\n");
	hear(":a!u@h PRIVMSG #t :x");
	stage_expect(&st, "PRIVMSG #t :one?\nPRIVMSG #t :two?\n");
	stage_pass(&st, 1);
	assert_ptr_equal(script()->tasks.next, script()->tasks.prev); /* who asks the third */
	stage_pass(&st, 1);
	stage_expect(&st, "PRIVMSG #t :three?\nPRIVMSG #log :timeout\n");
	hear(":a!u@h PRIVMSG #t :yes");
	stage_expect(&st, "");
	end();
}

static void ask_is_over_with_its_script(void **state)
{
	(void)state;
	begin("on('privmsg', function(ev) ev:ask('well?') end)\n");
	hear(":a!u@h PRIVMSG #t :x");
	hear(":b!u@h PRIVMSG #t :x");
	stage_end(&st);
}

/* The queue. */

static void what_is_said_before_the_question_is_no_answer(void **state)
{
	(void)state;
	begin(ASKER);
	st.nets[0].is_full = true;
	hear(":a!u@h PRIVMSG #t :!q");
	hear(":a!u@h PRIVMSG #t :early");
	stage_pass(&st, 100); /* its time has not begun */
	stage_expect(&st, "");
	stage_room(&st, 0);
	stage_expect(&st, ASKED);
	hear(":a!u@h PRIVMSG #t :yes");
	stage_expect(&st, ANSWER("a yes"));
	end();
}

static void who_changes_nick_before_the_question_is_followed(void **state)
{
	(void)state;
	begin(ASKER);
	st.nets[0].is_full = true;
	hear(":a!u@h PRIVMSG #t :!q");
	hear(":c!u@h PRIVMSG #t :!r");
	hear(":a!u@h NICK b");
	hear(":c!u@h QUIT :bye");
	stage_room(&st, 0);
	hear(":a!u@h PRIVMSG #t :no");
	hear(":c!u@h PRIVMSG #t :no");
	hear(":b!u@h PRIVMSG #t :yes");
	stage_expect(&st, ASKED "PRIVMSG #t :!r\n" ANSWER("b yes"));
	stage_pass(&st, 60);
	stage_expect(&st, ANSWER("timeout"));
	end();
}

static void a_question_that_cannot_be_put_raises(void **state)
{
	(void)state;
	begin(SAY "on('privmsg', function(ev)\n"
		  "  local ok, e = pcall(ev.ask, ev, 'well?') log(e.kind)\n"
		  "end)\n");
	st.nets[0].is_full = true;
	hear(":a!u@h PRIVMSG #t :x");
	stage_lose(&st, 0, ERR_CLOSED, "lost");
	stage_expect_log(&st, "info script test: disconnected");
	hear(":a!u@h PRIVMSG #t :x");
	stage_expect_log(&st, "info script test: disconnected");
	stage_expect(&st, "");
	end();
}

static void a_connection_may_end_right_after_the_question(void **state)
{
	(void)state;
	begin(ASKER);
	struct net *n = st.nets[0].net;
	st.nets[0].is_full = true;
	hear(":a!u@h PRIVMSG #t :!q");
	st.nets[0].is_full = false;
	net_room(n);
	listen_end_waits(script(), n->handle, st.host.order);
	stage_run(&st);
	stage_expect(&st, ASKED ANSWER("disconnected"));
	end();
}

static void a_task_asks_on_the_network_of_the_event(void **state)
{
	(void)state;
	begin(SAY "once('privmsg', function()\n"
		  "  local ev = wait('privmsg', {network = '*'})\n"
		  "  say(ev:ask('well?').message)\n"
		  "end)\n");
	hear(":a!u@h PRIVMSG #t :x");
	hear("two :a!u@h PRIVMSG #t :x");
	hear(":a!u@h NICK b");
	hear(":a!u@h PRIVMSG #t :no");
	stage_lose(&st, 0, ERR_CLOSED, "lost");
	stage_connect(&st, 0);
	hear("two :a!u@h PRIVMSG #t :yes");
	stage_expect(&st, "two: PRIVMSG #t :well?\nPRIVMSG #log :yes\n");
	stage_end(&st);
}

static void a_question_that_waits_can_be_cancelled(void **state)
{
	(void)state;
	begin("once('privmsg', function(ev)\n"
	      "  local t = spawn(ev.ask, ev, 'well?') sleep(1) t:cancel()\n"
	      "end)\n");
	st.nets[0].is_full = true;
	hear(":a!u@h PRIVMSG #t :x");
	hear(":a!u@h NICK b");
	stage_pass(&st, 1);
	stage_room(&st, 0);
	stage_expect(&st, "");
	end();
}

static void a_question_can_be_cancelled_just_when_it_is_put(void **state)
{
	(void)state;
	begin(SAY "once('privmsg', function(ev)\n"
		  "  local t\n"
		  "  spawn(function() say('first') t:cancel() end)\n"
		  "  t = spawn(function() ev:ask('well?') say('never') end)\n"
		  "end)\n");
	st.nets[0].is_full = true;
	hear(":a!u@h PRIVMSG #t :x");
	stage_room(&st, 0);
	hear(":a!u@h PRIVMSG #t :yes");
	stage_expect(&st, "PRIVMSG #log :first\nPRIVMSG #t :well?\n");
	end();
}

/* What is wrong. */

static const struct wrong {
	const char *name, *call, *log;
} wrongs[] = {
	{"wrong: nobody to answer",          "ev:ask('x')",                       "ask: the event has nobody to answer"                     },
	{"wrong: nobody to answer, confirm", "ev:confirm('x')",
         "confirm: the event has nobody to answer"											  },
	{"wrong: no text",                   "ev:ask()",                          "bad argument #1 to 'ask' (string expected, got no value)"},
	{"wrong: no text, confirm",          "ev:confirm({})",                    "bad argument #1 to 'confirm'"                            },
	{"wrong: a time that is none",       "ev:ask('x', 'y')",                  "ask: a number of seconds expected"                       },
	{"wrong: a time in the past",        "ev:confirm('x', -1)",               "is no time to wait"                                      },
	{"wrong: no event",                  "ev.ask({}, 'x')",                   "ebb.event expected"                                      },
	{"wrong: where nothing can pause",
         "tostring(setmetatable({}, {__tostring = function() ev:ask('x') end}))", "ask: cannot pause here"                                  },
	{"wrong: a field called ask",        "trigger('x', {ask = 1})",
         "'ask' is a field that every event has"											    },
	{"wrong: a field called confirm",    "trigger('x', {confirm = 1})",
         "'confirm' is a field that every event has"											},
};

static void is_refused(void **state)
{
	const struct wrong *row = *state;
	char source[300];
	snprintf(source, sizeof(source), "on('error', function(ev) %s end)", row->call);
	begin(source);
	hear("ERROR :x");
	stage_expect_log(&st, row->log);
	stage_expect(&st, "");
	end();
}

static void an_event_of_a_script_has_nobody_to_answer(void **state)
{
	(void)state;
	begin("on('mine', function(ev) ev:ask('x') end)\n"
	      "spawn(function() trigger('mine', {channel = '#t'}) end)\n");
	stage_expect_log(&st, "ask: the event is of no network");
	stage_expect(&st, "");
	end();
	begin("on('mine', function(ev) ev:ask('x') end)\n"
	      "on('privmsg', function() trigger('mine', {channel = '#t'}) end)\n");
	hear(":a!u@h PRIVMSG #t :x");
	stage_expect_log(&st, "ask: the event has nobody to answer");
	stage_expect(&st, "");
	end();
}

static void a_nick_that_is_too_long_never_matches(void **state)
{
	char line[600], nick[200];
	(void)state;
	memset(nick, 'n', sizeof(nick));
	begin(ASKER);
	hear(":a!u@h PRIVMSG #t :!q");
	snprintf(line, sizeof(line), ":a!u@h NICK %.128s", nick);
	hear(line);
	snprintf(line, sizeof(line), ":%.128s!u@h PRIVMSG #t :yes", nick);
	hear(line);
	assert_non_null(strstr(buf_str(&st.sent).p, "nnn yes\n"));
	buf_reset(&st.sent);
	hear(":a!u@h PRIVMSG #t :!q");
	snprintf(line, sizeof(line), ":a!u@h NICK %.129s", nick);
	hear(line);
	snprintf(line, sizeof(line), ":%.129s!u@h PRIVMSG #t :yes", nick);
	hear(line);
	stage_expect(&st, ASKED);
	stage_pass(&st, 60);
	end();
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, talks, is_held);
	check_rows(&c, deeds, is_held_after_a_deed);
	check_rows(&c, late, is_held_late);
	check_test(&c, an_event_serves_for_several_questions);
	check_test(&c, a_handler_of_the_change_asks_by_the_new_nick);
	check_test(&c, a_change_that_waits_for_its_turn_counts_once);
	check_test(&c, of_many_changes_the_latest_are_known);
	check_rows(&c, words, is_understood);
	check_test(&c, confirm_passes_over_other_talk_which_others_hear);
	check_test(&c, confirm_ends_with_its_time_and_with_the_connection);
	check_test(&c, ask_waits_until_its_time_has_passed);
	check_test(&c, ask_without_a_time_waits_for_ever);
	check_test(&c, ask_ends_with_the_connection);
	check_test(&c, ask_that_is_cancelled_leaves_nothing);
	check_test(&c, ask_is_over_with_its_script);
	check_test(&c, what_is_said_before_the_question_is_no_answer);
	check_test(&c, who_changes_nick_before_the_question_is_followed);
	check_test(&c, a_question_that_cannot_be_put_raises);
	check_test(&c, a_connection_may_end_right_after_the_question);
	check_test(&c, a_task_asks_on_the_network_of_the_event);
	check_test(&c, a_question_that_waits_can_be_cancelled);
	check_test(&c, a_question_can_be_cancelled_just_when_it_is_put);
	check_rows(&c, wrongs, is_refused);
	check_test(&c, an_event_of_a_script_has_nobody_to_answer);
	check_test(&c, a_nick_that_is_too_long_never_matches);
	return check_run(&c, "ask");
}
