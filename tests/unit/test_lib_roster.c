#include "script/listen.h"
#include "support/stage.h"

#include <stdio.h>
#include <string.h>

/* Channels and users as scripts see them, and what a channel's methods send. */

/* Answers "= code" with its values, and does what "do code" says. */
#define EVALUATES                                                                   \
	"local function say(...)\n"                                                 \
	"  local words = {}\n"                                                      \
	"  for i = 1, select('#', ...) do\n"                                        \
	"    words[i] = tostring((select(i, ...)))\n"                               \
	"  end\n"                                                                   \
	"  send('notice', {target = '#log', message = table.concat(words, ' ')})\n" \
	"end\n"                                                                     \
	"kept, net = {}, network('one')\n"                                          \
	"local env = setmetatable({say = say}, {__index = function(_, key)\n"       \
	"  if key == 'ch' then return net:channel('#c') end\n"                      \
	"  if key == 'alice' then return net:user('alice') end\n"                   \
	"  return _G[key]\n"                                                        \
	"end})\n"                                                                   \
	"function run(code) return assert(load(code, '=code', 't', env))() end\n"   \
	"on('privmsg', {match = '^= (.*)'}, function(_, code)\n"                    \
	"  say(run('return ' .. code))\n"                                           \
	"end)\n"                                                                    \
	"on('privmsg', {match = '^do (.*)'}, function(ev, code)\n"                  \
	"  env.ev = ev\n"                                                           \
	"  run(code)\n"                                                             \
	"end)\n"

#define JOINED ":ebb!bot@h JOIN #c"
#define NAMES  ":s 353 ebb = #c :ebb @+Alice +bob carol"
#define ENDED  ":s 366 ebb #c :End of /NAMES list"

static struct stage st;

enum { CODE_BYTES = 1000, LINE_BYTES = 1100 };

static void hear(const char *line)
{
	if (strncmp(line, "two ", 4) == 0)
		stage_line(&st, 1, line + 4);
	else
		stage_line(&st, 0, line);
}

static void do_this(const char *code)
{
	char line[LINE_BYTES];
	snprintf(line, sizeof(line), ":x!u@h PRIVMSG ebb :do %s", code);
	hear(line);
}

static void begin(void)
{
	stage_begin(&st, 2);
	if (!stage_load(&st, "test", EVALUATES))
		fail_msg("not loaded: %s", buf_str(&st.log).p);
	hear(":s 005 ebb PREFIX=(qaohv)~&@%+ CHANMODES=beI,k,l,imnpst CHANTYPES=# :are supported");
	hear(JOINED);
	hear(NAMES);
	hear(ENDED);
}

static void expect_eval(const char *code, const char *value)
{
	char line[LINE_BYTES];
	snprintf(line, sizeof(line), ":x!u@h PRIVMSG ebb := %s", code);
	hear(line);
	snprintf(line, sizeof(line), "NOTICE #log :%s\n", value);
	if (strcmp(buf_str(&st.sent).p, line) != 0)
		print_error("%s:\n%s", code, buf_str(&st.log).p);
	stage_expect(&st, line);
}

/* Fields. */

enum { LINES_MAX = 4 };

static const struct known {
	const char *name;
	const char *code, *value;
	const char *lines[LINES_MAX];
} facts[] = {
#define FACT(name, code, value, ...) \
	{                            \
		name, code, value,   \
		{                    \
			__VA_ARGS__  \
		}                    \
	}
	/* Where they are from. */
	FACT("a channel by another case", "net:channel('#C').name", "#c", NULL),
	FACT("a channel that we are not in", "net:channel('#d')", "nil", NULL),
	FACT("a channel of another network", "network('two'):channel('#c')", "nil", NULL),
	FACT("no channel at all", "net:channel(''), net:channel('c')", "nil nil", NULL),
	FACT("the channels", "net:channels()().name", "#c", NULL),
	FACT("a user by another case", "net:user('ALICE').nick", "Alice", NULL),
	FACT("ourselves", "net:user('ebb').me, alice.me", "true false", NULL),
	FACT("somebody whom we do not see", "net:user('dave')", "nil", NULL),
	FACT("a wrong name", "pcall(net.channel, net, {})",
		"false bad argument #2 to '?' (string expected, got table)", NULL),
	FACT("our account", "net.account", "nil", NULL),

	/* Channels. */
	FACT("a topic that is not known", "ch.topic, ch.topic_setter, ch.topic_time", "nil nil nil",
		NULL),
	FACT("no topic", "ch.topic == ''", "true", ":s 331 ebb #c :No topic is set"),
	FACT("a topic that was set before", "ch.topic, ch.topic_setter, ch.topic_time",
		"a topic bob!u@h 1700000000", ":s 332 ebb #c :a topic",
		":s 333 ebb #c bob!u@h 1700000000"),
	FACT("modes that are not known", "ch.modes, ch.key, ch.created", "nil nil nil", NULL),
	FACT("modes", "ch.modes, ch.key", "+ntlk 50 secret secret", ":s 324 ebb #c +ntl 50",
		":Alice!u@h MODE #c +k secret"),
	FACT("a list is no mode", "ch.modes", "+n", ":s 324 ebb #c +n",
		":Alice!u@h MODE #c +bo *!*@h bob"),
	FACT("when it was created", "math.type(ch.created), ch.created", "integer 1700000000",
		":s 329 ebb #c 1700000000"),
	FACT("how many", "ch.count, #ch.users, ch.complete", "4 4 true", NULL),
	FACT("its network", "ch.net == net, ch.joined", "true true", NULL),
	FACT("what there is not", "ch.nothing, ch[1], ch.users[1], alice.nothing, alice[1]",
		"nil nil nil nil nil", NULL),
	FACT("not all are known", "ch.complete", "false", ":Alice!u@h PART #c",
		":ebb!bot@h PART #c", JOINED),

	/* Users. */
	FACT("hardly anything is known", "alice.user, alice.host, alice.account, alice.realname",
		"nil nil nil nil", NULL),
	FACT("who joins", "net:user('dave').user, net:user('dave').host", "u h.example",
		":dave!u@h.example JOIN #c"),
	FACT("an account", "net:user('dave').account, net:user('dave').realname", "acc Dave",
		":dave!u@h JOIN #c acc :Dave"),
	FACT("logged out", "alice.account", "nil", ":Alice!u@h ACCOUNT acc",
		":Alice!u@h ACCOUNT *"),
	FACT("not away", "alice.away, alice.oper, alice.bot", "false false false", NULL),
	FACT("away", "alice.away", "true", ":s 354 ebb 861 #c u h Alice G 0 :Alice"),
	FACT("away with a message", "alice.away", "for lunch", ":Alice!u@h AWAY :for lunch"),
	FACT("back again", "alice.away", "false", ":Alice!u@h AWAY :for lunch", ":Alice!u@h AWAY"),
	FACT("an operator of the server", "alice.oper, alice.away", "true false",
		":s 354 ebb 861 #c u h Alice H* 0 :Alice"),
	FACT("the channels of a user", "table.concat(alice.channels, ' ')", "#d #c",
		":ebb!bot@h JOIN #d", ":Alice!u@h JOIN #d"),
	FACT("the network of a user", "alice.net == net, alice.gone", "true false", NULL),

	/* Members. */
	FACT("a member", "ch.users.ALICE.nick, ch.users['alice'] == alice", "Alice true", NULL),
	FACT("no member", "ch.users.dave, ch.users['']", "nil nil", NULL),
	FACT("a user who is no member", "net:channel('#d').users.bob, alice.prefix", "nil nil",
		":ebb!bot@h JOIN #d"),
	FACT("a member by object", "ch.users[alice].op, network('two'):user('alice')", "true nil",
		NULL),
	FACT("a user of another network is no member", "ch.users[network('two'):user('ebb')]",
		"nil", "two " JOINED),
	FACT("prefixes", "ch.users.alice.prefix, ch.users.carol.prefix == ''", "@+ true", NULL),
	FACT("an operator", "ch.users.alice.op, ch.users.alice.voice", "true true", NULL),
	FACT("one with voice", "ch.users.bob.op, ch.users.bob.voice", "false true", NULL),
	FACT("a common user", "ch.users.carol.op, ch.users.carol.voice", "false false", NULL),
	FACT("above operators", "ch.users.carol.op, ch.users.carol.prefix", "true &",
		":Alice!u@h MODE #c +a carol"),
	FACT("below operators", "ch.users.carol.op, ch.users.carol.voice", "false false",
		":Alice!u@h MODE #c +h carol"),

	/* What an object is. */
	FACT("a channel as text", "ch, ch.users", "channel #c users of #c", NULL),
	FACT("a user as text", "alice, ch.users.bob", "user Alice user bob", NULL),
	FACT("equal channels", "ch == net:channel('#C'), ch == net:channel('#d'), ch == 1",
		"true false false", ":ebb!bot@h JOIN #d"),
	FACT("channels of two networks", "ch == network('two'):channel('#c')", "false",
		"two " JOINED),
	FACT("equal users", "alice == net:user('Alice'), alice == net:user('bob'), alice == 1",
		"true false false", NULL),
	FACT("a channel cannot be changed", "pcall(function() ch.topic = 'x' end)",
		"false code:1: a channel is read-only (ch:mode(…), ch:set_topic(…) ask the server)",
		NULL),
	FACT("a user cannot be changed", "pcall(function() alice.nick = 'x' end)",
		"false code:1: a user is read-only", NULL),
	FACT("members cannot be changed", "pcall(function() ch.users.x = 'x' end)",
		"false code:1: the users of a channel are read-only", NULL),
	FACT("metatables are hidden",
		"getmetatable(ch), getmetatable(alice), "
		"getmetatable(ch.users)",
		"false false false", NULL),
};

static void is_told(void **state)
{
	const struct known *f = *state;
	begin();
	for (size_t i = 0; i < LINES_MAX && f->lines[i]; i++)
		hear(f->lines[i]);
	expect_eval(f->code, f->value);
	stage_end(&st);
}

/* The state as it was when the event came, until the first pause. */

static const struct moment {
	const char *name;
	const char *event, *code;
	const char *line;
	const char *at_first, *later;
} moments[] = {
	{"part",         "part",        "ch.users.bob, net:user('bob'), ch.count",              ":bob!u@h PART #c",
         "user bob user bob 4",														 "nil nil 3"           },
	{"kick",         "kick",        "ch.users.bob, ch.count",                               ":Alice!u@h KICK #c bob :out", "user bob 4",
         "nil 3"																		      },
	{"quit",         "quit",        "net:user('bob'), table.concat(ev.channels)",           ":bob!u@h QUIT :bye",
         "user bob #c",															 "nil #c"              },
	{"join",         "join",        "ch.users.dave, ch.count",                              ":dave!u@h JOIN #c",           "nil 4",         "user dave 5"         },
	{"nick",         "nick",        "net:user('bob'), net:user('rob')",                     ":bob!u@h NICK rob",           "user bob nil",
         "nil user rob"																	       },
	{"mode",         "channelmode", "ch.users.bob.op, ch.modes",                            ":Alice!u@h MODE #c +mo bob",
         "false nil",															   "true +m"             },
	{"topic",        "topic",       "ch.topic",					     ":Alice!u@h TOPIC #c :new",    "nil",           "new"                 },
	{"our own part", "part",        "ch, ev:chan().joined, ev:chan()",                      ":ebb!bot@h PART #c",
         "channel #c true channel #c",													  "nil false channel #c"},
	{"our own join", "join",        "net:channel('#d'), ev:chan().joined, ev:chan().count",
         ":ebb!bot@h JOIN #d",												 "nil false nil", "channel #d true 1"   },
};

static void is_as_it_was(void **state)
{
	const struct moment *m = *state;
	char code[CODE_BYTES], sent[200];
	begin();
	snprintf(code, sizeof(code),
		"local say, run = say, run on('%s', function(e) ev = e say(run([[return %s]])) "
		"sleep(0) say(run([[return %s]])) end)",
		m->event, m->code, m->code);
	do_this(code);
	hear(m->line);
	stage_pass(&st, 0);
	snprintf(sent, sizeof(sent), "NOTICE #log :%s\nNOTICE #log :%s\n", m->at_first, m->later);
	stage_expect(&st, sent);
	stage_end(&st);
}

static void a_wait_sees_the_state_as_a_handler_does(void **state)
{
	(void)state;
	begin();
	do_this("local say = say spawn(function() local e = wait('part') say(net:user(e.nick)) "
		"sleep(0) say(net:user(e.nick)) end)");
	hear(":bob!u@h PART #c");
	stage_pass(&st, 0);
	stage_expect(&st, "NOTICE #log :user bob\nNOTICE #log :nil\n");
	stage_end(&st);
}

/* Also where tasks and events of scripts' own stand before it. */
static void an_event_sees_its_state_behind_others(void **state)
{
	(void)state;
	begin();
	do_this("local say = say on('part', function(e) say(net:user(e.nick)) end) "
		"on('own', function() sleep(0) sleep(0) end)");
	stage_feed(&st, 0, ":x!u@h PRIVMSG ebb :do trigger('own') trigger('own') sleep(0)");
	stage_feed(&st, 0, ":bob!u@h PART #c");
	stage_run(&st);
	stage_expect(&st, "NOTICE #log :user bob\n");
	stage_end(&st);
}

/* Its events come later, and find what has come of them since; what they say themselves stays. */
static void a_script_that_is_behind_sees_what_came_since(void **state)
{
	(void)state;
	begin();
	do_this("local say = say on('quit', function(ev) "
		"say(net:user(ev.nick), table.concat(ev.channels)) end)");
	struct script *s = container_of(st.host.scripts.next, struct script, node);
	host_freeze(s);
	hear(":bob!u@h QUIT :bye");
	stage_expect(&st, "");
	host_thaw(s);
	stage_run(&st);
	stage_expect(&st, "NOTICE #log :nil #c\n");
	stage_end(&st);
}

/* Objects outlive what they mean. */

static void a_user_is_followed_through_changes_of_nick(void **state)
{
	(void)state;
	begin();
	do_this("kept.bob, kept.member = net:user('bob'), ch.users.bob");
	hear(":bob!u@h NICK rob");
	expect_eval("kept.bob, kept.member.nick, kept.member.voice", "user rob rob true");
	hear(":carol!u@h NICK bob");
	expect_eval("kept.bob, net:user('bob') == kept.bob", "user rob false");
	hear(":rob!u@h QUIT :bye");
	hear(":rob!u@h JOIN #c");
	expect_eval(
		"kept.bob, kept.bob.gone, kept.bob.nick, kept.bob.channels, kept.bob.net == net",
		"user that is gone true nil nil true");
	expect_eval("kept.bob == kept.member, kept.bob == net:user('rob')", "true false");
	stage_end(&st);
}

static void a_member_who_leaves_one_channel_is_a_user_still(void **state)
{
	(void)state;
	begin();
	hear(":ebb!bot@h JOIN #d");
	hear(":bob!u@h JOIN #d");
	do_this("kept.bob = ch.users.bob");
	hear(":bob!u@h PART #c");
	expect_eval(
		"kept.bob.nick, kept.bob.voice, kept.bob.op, kept.bob.prefix", "bob nil nil nil");
	stage_end(&st);
}

static void a_channel_is_there_again_when_we_are(void **state)
{
	(void)state;
	begin();
	do_this("kept.ch, kept.users = ch, ch.users");
	hear(":ebb!bot@h PART #c");
	expect_eval("kept.ch.joined, kept.ch.name, kept.ch.count, kept.ch.topic, #kept.users",
		"false #c nil nil 0");
	expect_eval("kept.users.bob, pairs(kept.users)()", "nil nil");
	do_this("kept.ch:say('anybody there?')");
	stage_expect(&st, "PRIVMSG #c :anybody there?\n");
	hear(":ebb!bot@h JOIN #C");
	expect_eval("kept.ch.joined, kept.ch.name, kept.ch.count, #kept.users", "true #C 1 1");
	expect_eval("kept.ch == ch", "true");
	stage_end(&st);
}

static void a_channel_is_followed_through_changes_of_name(void **state)
{
	(void)state;
	begin();
	do_this("kept.ch = ch");
	hear(":s RENAME #c #new :tidy");
	expect_eval("kept.ch.name, kept.ch.count, kept.ch == net:channel('#new')", "#new 4 true");
	do_this("kept.ch:say('hello')");
	stage_expect(&st, "PRIVMSG #new :hello\n");
	stage_end(&st);
}

static void nothing_is_known_after_the_connection(void **state)
{
	(void)state;
	begin();
	do_this("kept.ch, kept.bob = ch, net:user('bob') on('client_disconnect', function() "
		"log.info('%s %s %s', kept.ch.joined, kept.bob.gone, net:user('bob')) end)");
	stage_lose(&st, 0, ERR_CLOSED, "lost");
	stage_expect_log(&st, "false true nil");
	stage_connect(&st, 0);
	expect_eval("net:channel('#c'), net:user('bob'), net:channels()()", "nil nil nil");
	expect_eval("kept.ch, kept.ch.joined, kept.bob.gone, kept.bob", "channel #c false true "
									"user that is gone");
	hear(JOINED);
	hear(NAMES);
	expect_eval("kept.ch.count, kept.bob.gone", "4 true");
	stage_end(&st);
}

static void an_object_may_outlive_its_network(void **state)
{
	(void)state;
	begin();
	hear("two " JOINED);
	do_this("local two = network('two') kept.ch, kept.me = two:channel('#c'), two:user('ebb') "
		"kept.step = two:channels() kept.walk = pairs(kept.ch.users)");
	stage_drop_net(&st);
	expect_eval("kept.ch, kept.ch.net, kept.ch.joined, kept.ch.count, #kept.ch.users",
		"channel #c nil false nil 0");
	expect_eval("kept.me, kept.me.gone, kept.me.net", "user that is gone true nil");
	expect_eval("kept.step(), kept.walk(), kept.ch == kept.ch, kept.ch == ch",
		"nil nil true false");
	do_this("local ok, e = pcall(kept.ch.say, kept.ch, 'x') say(e.kind, e.message)");
	stage_expect(&st, "NOTICE #log :disconnected the network was removed\n");
	stage_end(&st);
}

static void an_object_is_not_carried_over(void **state)
{
	static const char *const codes[] = {
		"state.x = ch", "state.x = net:user('bob')", "state.x = ch.users"};
	(void)state;
	for (size_t i = 0; i < COUNTOF(codes); i++) {
		begin();
		do_this(codes[i]);
		const char *why = stage_reload(&st, "test", EVALUATES);
		assert_non_null(why);
		assert_non_null(strstr(why, "a userdata cannot be carried over"));
		stage_end(&st);
	}
}

/* Walks. */

enum { CROWD = 2000 };

static void gather(void)
{
	char line[100];
	for (int i = 0; i < CROWD; i++) {
		snprintf(line, sizeof(line), ":s 353 ebb = #c :user%d", i);
		stage_feed(&st, 0, line);
	}
	stage_run(&st);
}

static void a_walk_meets_everybody(void **state)
{
	(void)state;
	begin();
	gather();
	do_this("local n, seen = 0, {} for nick, user in pairs(ch.users) do n = n + 1 "
		"assert(user.nick == nick and not seen[nick]) seen[nick] = true end say(n)");
	stage_expect(&st, "NOTICE #log :2004\n");
	hear(":ebb!bot@h JOIN #d");
	do_this("local names = {} for c in net:channels() do names[#names + 1] = c.name end "
		"table.sort(names) say(table.concat(names, ' '))");
	stage_expect(&st, "NOTICE #log :#c #d\n");
	stage_end(&st);
}

/* Of each three users one leaves, one changes nick and one stays, while the walk pauses; others
 * come. */
static void a_walk_goes_on_while_people_come_and_go(void **state)
{
	char line[100];
	(void)state;
	begin();
	gather();
	do_this("kept.seen, kept.n = {}, 0 for _, user in pairs(ch.users) do "
		"kept.seen[#kept.seen + 1] = user kept.n = kept.n + 1 sleep(0.001) end kept.over = true");
	for (int i = 0; i < CROWD; i++) {
		snprintf(line, sizeof(line),
			i % 3 == 0   ? ":user%d!u@h PART #c"
			: i % 3 == 1 ? ":user%d!u@h NICK other%d"
				     : ":guest%d!u@h JOIN #c",
			i, i);
		hear(line);
		stage_pass(&st, 0.001);
	}
	stage_pass(&st, 10);
	do_this("local met, missed = {}, 0 for _, u in ipairs(kept.seen) do "
		"if not u.gone then met[u.nick] = true end end "
		"for i = 0, 1999 do local nick = (i % 3 == 1 and 'other' or 'user') .. i "
		"if i % 3 ~= 0 and not met[nick] then missed = missed + 1 end end "
		"say(kept.over, missed, kept.n < 4000)");
	stage_expect(&st, "NOTICE #log :true 0 true\n");
	stage_end(&st);
}

static void a_walk_ends_with_the_channel(void **state)
{
	(void)state;
	begin();
	do_this("local say = say for nick in pairs(ch.users) do say(nick) sleep(1) end say('over')");
	hear(":ebb!bot@h PART #c");
	stage_pass(&st, 2);
	stage_expect(&st, "NOTICE #log :carol\nNOTICE #log :over\n");
	stage_end(&st);
}

/* What an event's channel is. */

static const struct place {
	const char *name;
	const char *line, *said;
} places[] = {
	{"said in a channel",            ":Alice!u@h PRIVMSG #c :x",       "channel #c 4"  },
	{"said to its operators",        ":Alice!u@h PRIVMSG @#c :x",      "channel #c 4"  },
	{"said to us",                   ":Alice!u@h PRIVMSG ebb :x",      "nil"           },
	{"a channel that we are not in", ":Alice!u@h INVITE ebb #d",       "channel #d nil"},
	{"no channel's event",           ":Alice!u@h NICK x",              "nil"           },
	{"what is no channel's name",    ":s 315 ebb * :End of /WHO list", "nil"           },
};

static void has_its_channel(void **state)
{
	const struct place *p = *state;
	char sent[100];
	begin();
	hear(":s 005 ebb STATUSMSG=@+ :are supported");
	do_this("local say = say once('*', function(ev) local c = ev:chan() "
		"if c then say(c, c.count) else say(c) end end)");
	hear(p->line);
	snprintf(sent, sizeof(sent), "NOTICE #log :%s\n", p->said);
	stage_expect(&st, sent);
	stage_end(&st);
}

static void an_event_of_a_script_may_name_a_channel(void **state)
{
	(void)state;
	begin();
	do_this("local say = say on('own', function(ev) say(ev:chan()) end) "
		"for _, name in ipairs({'#c', 'alice', ''}) do trigger('own', {channel = name}) end "
		"trigger('own', {channel = 5}) trigger('own')");
	stage_expect(&st, "NOTICE #log :channel #c\nNOTICE #log :nil\nNOTICE #log :nil\n"
			  "NOTICE #log :nil\nNOTICE #log :nil\n");
	stage_end(&st);
}

/* Methods. */

static const struct act {
	const char *name;
	const char *code, *sent;
} acts[] = {
	{"say",		  "ch:say('hello there')",               "PRIVMSG #c :hello there\n"          },
	{"say a number",         "ch:say(5)",                           "PRIVMSG #c :5\n"                    },
	{"notice",               "ch:notice('hello')",                  "NOTICE #c :hello\n"                 },
	{"act",		  "ch:act('waves')",                     "PRIVMSG #c :\001ACTION waves\001\n" },
	{"op",		   "ch:op('bob')",                        "MODE #c +o bob\n"                   },
	{"op several",           "ch:op('bob', alice, ch.users.carol)", "MODE #c +ooo bob Alice carol\n"     },
	{"deop",		 "ch:deop('bob', 'carol')",             "MODE #c -oo bob carol\n"            },
	{"voice",                "ch:voice('bob')",                     "MODE #c +v bob\n"                   },
	{"devoice",              "ch:devoice('bob')",                   "MODE #c -v bob\n"                   },
	{"ban",		  "ch:ban('*!*@a', '*!*@b')",            "MODE #c +bb *!*@a *!*@b\n"          },
	{"unban",                "ch:unban('*!*@a')",                   "MODE #c -b *!*@a\n"                 },
	{"mode",		 "ch:mode('+m')",                       "MODE #c +m\n"                       },
	{"mode with parameters", "ch:mode('+lo-k', 50, alice, '*')",    "MODE #c +lo-k 50 Alice *\n"         },
	{"kick",		 "ch:kick('bob')",                      "KICK #c bob\n"                      },
	{"kick with a reason",   "ch:kick(alice, 'not here')",          "KICK #c Alice :not here\n"          },
	{"invite",               "ch:invite('dave')",                   "INVITE dave #c\n"                   },
	{"set_topic",            "ch:set_topic('news today')",          "TOPIC #c :news today\n"             },
	{"set_topic to none",    "ch:set_topic('')",                    "TOPIC #c :\n"                       },
	{"part",		 "ch:part()",                           "PART #c\n"                          },
	{"part with a reason",   "ch:part('so long')",                  "PART #c :so long\n"                 },
	{"what it returns",      "local r = ch:op('bob') say(r)",       "MODE #c +o bob\nNOTICE #log :true\n"},
};

static void is_sent(void **state)
{
	const struct act *a = *state;
	begin();
	do_this(a->code);
	stage_expect(&st, a->sent);
	stage_end(&st);
}

static const struct wrong {
	const char *name;
	const char *code, *why;
} wrongs[] = {
	{"say nothing",                  "ch:say()",							     "bad argument #1 to 'say' (string expected, got no value)"  },
	{"two lines",                    "ch:say('a\\nb')",						      "say: "						     },
	{"op nobody",                    "ch:op()",							      "bad argument #1 to 'op' (value expected)"                  },
	{"op a table",                   "ch:op({})",							    "bad argument #1 to 'op' (string expected, got table)"      },
	{"op with a space",              "ch:op('a b')",							 "op: "						      },
	{"op an empty nick",             "ch:op('')",							    "op: "						      },
	{"op too many",                  "local t = {} for i = 1, 257 do t[i] = 'x' end ch:op(table.unpack(t))",
         "op: more than 256 at once"																	 },
	{"op a user of another network", "ch:op(network('two'):user('ebb'))",
         "bad argument #1 to 'op' (a user of another network)"													       },
	{"op a channel",                 "ch:op(ch)",							    "bad argument #1 to 'op' (string expected, got ebb.channel)"},
	{"ban a user",                   "ch:ban(alice)",							"bad argument #1 to 'ban' (string expected, got ebb.user)"  },
	{"mode of two words",            "ch:mode('+o bob')",						    "mode: "                                                    },
	{"kick two",		     "ch:kick('a,b')",						       "kick: "						    },
	{"kick nobody",                  "ch:kick()",							    "bad argument #1 to 'kick' (string expected, got no value)" },
	{"a method of something else",   "ch.say(alice, 'x')",
         "bad argument #1 to 'say' (ebb.channel expected, got ebb.user)"												     },
	{"a field of nothing",           "net.channel(5)",						       "bad argument #1 to 'channel'"                              },
};

static void is_refused(void **state)
{
	const struct wrong *w = *state;
	begin();
	hear("two " JOINED);
	do_this(w->code);
	stage_expect(&st, "");
	stage_expect_log(&st, w->why);
	stage_end(&st);
}

static void a_method_waits_for_room(void **state)
{
	(void)state;
	begin();
	st.nets[0].is_full = true;
	do_this("kept.ch = ch kept.ch:op('bob', alice) kept.done = true");
	hear(":Alice!u@h QUIT :bye");
	stage_expect(&st, "");
	stage_room(&st, 0);
	stage_expect(&st, "MODE #c +oo bob Alice\n");
	expect_eval("kept.done", "true");
	stage_end(&st);
}

static void a_method_tells_why_nothing_is_sent(void **state)
{
	(void)state;
	begin();
	do_this("kept.bob, kept.ch = net:user('bob'), ch");
	hear(":bob!u@h QUIT :bye");
	do_this("local _, e = pcall(ch.kick, ch, kept.bob) say(e.kind, e.message)");
	stage_expect(&st, "NOTICE #log :err_nosuchnick kick: the user is gone\n");
	do_this("on('own', function() local _, e = pcall(kept.ch.op, kept.ch, 'x') "
		"log(e.kind .. ', ' .. e.message) end)");
	do_this("after(1, trigger, 'own')");
	stage_lose(&st, 0, ERR_CLOSED, "lost");
	stage_pass(&st, 2);
	stage_expect_log(&st, "disconnected, op: one is not connected");
	stage_end(&st);
}

static void a_network_tells_our_account(void **state)
{
	(void)state;
	begin();
	st.nets[0].account = "services";
	expect_eval("net.account", "services");
	stage_end(&st);
}

static void in_a_check_there_is_nobody(void **state)
{
	(void)state;
	stage_begin(&st, 1);
	st.host.options.is_check = true;
	assert_true(stage_load(&st, "check",
		"local net = network()\n"
		"assert(net:channel('#c') == nil and net:user('x') == nil)\n"
		"assert(net.account == nil)\n"
		"for _ in net:channels() do error('there is one') end\n"));
	stage_end(&st);
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, facts, is_told);
	check_rows(&c, moments, is_as_it_was);
	check_test(&c, a_wait_sees_the_state_as_a_handler_does);
	check_test(&c, an_event_sees_its_state_behind_others);
	check_test(&c, a_script_that_is_behind_sees_what_came_since);
	check_test(&c, a_user_is_followed_through_changes_of_nick);
	check_test(&c, a_member_who_leaves_one_channel_is_a_user_still);
	check_test(&c, a_channel_is_there_again_when_we_are);
	check_test(&c, a_channel_is_followed_through_changes_of_name);
	check_test(&c, nothing_is_known_after_the_connection);
	check_test(&c, an_object_may_outlive_its_network);
	check_test(&c, an_object_is_not_carried_over);
	check_test(&c, a_walk_meets_everybody);
	check_test(&c, a_walk_goes_on_while_people_come_and_go);
	check_test(&c, a_walk_ends_with_the_channel);
	check_rows(&c, places, has_its_channel);
	check_test(&c, an_event_of_a_script_may_name_a_channel);
	check_rows(&c, acts, is_sent);
	check_rows(&c, wrongs, is_refused);
	check_test(&c, a_method_waits_for_room);
	check_test(&c, a_method_tells_why_nothing_is_sent);
	check_test(&c, a_network_tells_our_account);
	check_test(&c, in_a_check_there_is_nobody);
	return check_run(&c, "lib_roster");
}
