#include "support/stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* request: what scripts ask the server, and what they get. Which lines are the answer is
 * test_request.c's. */

#define SHOW                                                                                    \
	"local function show(v)\n"                                                              \
	"  if type(v) ~= 'table' then return tostring(v) end\n"                                 \
	"  local keys, out = {}, {}\n"                                                          \
	"  for k in pairs(v) do keys[#keys + 1] = k end\n"                                      \
	"  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)\n"             \
	"  for i, k in ipairs(keys) do\n"                                                       \
	"    out[i] = (type(k) == 'string' and k .. '=' or '') .. show(v[k])\n"                 \
	"  end\n"                                                                               \
	"  return '{' .. table.concat(out, ' ') .. '}'\n"                                       \
	"end\n"                                                                                 \
	"local function say(...)\n"                                                             \
	"  local t = table.pack(...)\n"                                                         \
	"  for i = 1, t.n do t[i] = show(t[i]) end\n"                                           \
	"  send('privmsg', {target = '#log', message = table.concat(t, ' | ')})\n"              \
	"end\n"                                                                                 \
	"local function tell(...) say(request(...)) end\n"                                      \
	"local function events(r)\n"                                                            \
	"  local out = {}\n"                                                                    \
	"  for i, ev in ipairs(r.events) do out[i] = ev.event .. (ev.mine and '*' or '') end\n" \
	"  return table.concat(out, ' ')\n"                                                     \
	"end\n"

#define BOB  "spawn(tell, 'whois', {mask = 'bob'})\n"
#define SENT "WHOIS bob\n"
#define SAID "PRIVMSG #log :"

static struct stage st;

static void begin_with(size_t n_nets, const char *source)
{
	struct buf b;
	stage_begin(&st, n_nets);
	buf_init(&b, 65536);
	assert_int_equal(buf_addf(&b, "%s%s", SHOW, source), 0);
	if (!stage_load(&st, "test", buf_str(&b).p))
		fail_msg("not loaded: %s", buf_str(&st.log).p);
	buf_fini(&b);
}

static void begin(const char *source)
{
	begin_with(1, source);
}

/* Nothing may be left of what was asked. */
static void end(void)
{
	for (size_t i = 0; i < st.n_nets; i++) {
		assert_true(list_is_empty(&st.nets[i].net->askers));
		assert_true(list_is_empty(&st.nets[i].net->senders));
		assert_int_equal(st.nets[i].requests.n, 0);
	}
	assert_int_equal(event_count(), st.n_events);
	stage_end(&st);
}

static void hear(const char *lines)
{
	char *copy = strdup(lines);
	for (char *save, *line = strtok_r(copy, "\n", &save); line;
		line = strtok_r(NULL, "\n", &save))
		stage_line(&st, 0, line);
	free(copy);
}

/* What an answer gives: `ask` is called, the lines come, `shown` is said. */
static const struct answer {
	const char *name, *ask, *lines, *shown, *expected;
} answers[] = {
	{"whois",				 "'whois', {mask = 'bob'}",
         ":s 311 ebb bob u h * :Bob B\n:s 319 ebb bob :@#a +#b\n:s 319 ebb bob :#c\n"
		":s 312 ebb bob s.net :a server\n:s 313 ebb bob :is an operator\n"
		":s 317 ebb bob 12 99 :idle\n:s 330 ebb bob bobby :is logged in as\n:s 318 ebb bob :end\n",
         "show(r), events(r)",																								 "{account=bobby channels={@#a +#b #c} host=h idle=12 nick=bob ok=true oper=true "
		"real_name=Bob B server=s.net server_info=a server signon=99 special={} user=u} | "
		"rpl_whoisuser rpl_whoischannels rpl_whoischannels rpl_whoisserver rpl_whoisoperator "
		"rpl_whoisidle rpl_whoisaccount rpl_endofwhois"																								      },
	{"whois of nobody",                       "'whois', {mask = 'bob'}",
         ":s 401 ebb bob :No such nick\n:s 318 ebb bob :end\n",											     "r, why, kind",
         "nil | No such nick | err_nosuchnick"																														     },
	{"whois of two, one of them there",       "'whois', {mask = {'bob', 'eve'}}",
         ":s 311 ebb bob u h * :Bob\n:s 401 ebb eve :No such nick\n:s 318 ebb bob,eve :end\n",							      "r.nick, r.events[2].message, r.events[2].nick",                   "bob | No such nick | eve"                                          },
	{"names",				 "'names', {channel = '#c'}",
         ":s 353 ebb = #c :@a b\n:s 353 ebb = #c :c\n:s 366 ebb #c :end\n",										 "r.channel, r.users, #r.events",                                   "#c | {@a b c} | 3"                                                 },
	{"names of two channels",                 "'names', {channel = {'#c', '#d'}}",
         ":s 353 ebb = #c :a\n:s 366 ebb #c :end\n:s 353 ebb = #d :b\n:s 366 ebb #d :end\n",								"r.channel, r.users, r.events[3].channel",                         "#c | {a b} | #d"                                                   },
	{"names of an empty channel",             "'names', {channel = '#c'}",                             ":s 366 ebb #c :end\n",                          "r",
         "{ok=true users={}}"																																      },
	{"who",				   "'who', {mask = '#c'}",
         ":s 352 ebb #c u h s.net bob H@ :3 Bob B\n:s 352 ebb #c v i s.net eve G :0 Eve\n"
		":s 315 ebb #c :end\n",														     "#r.users, r.users[1].nick, r.users[2].host, r.users[1].hopcount",
         "2 | bob | i | 3"																																	 },
	{"who finds nobody",                      "'who', {mask = 'x*'}",                                  ":s 315 ebb x* :end\n",                          "r.users",                                                         "{}"                                                                },
	{"list",				  "'list'",
         ":s 321 ebb Channel :Users\n:s 322 ebb #a 12 :all of a\n:s 322 ebb #b 3 :\n"
		":s 323 ebb :end\n",															"r.channels",						      "{{channel=#a topic=all of a users=12} {channel=#b topic= users=3}}"},
	{"a list of nothing",                     "'list'",						":s 323 ebb :end\n",                             "r",                                                               "{channels={} ok=true}"                                             },
	{"a topic",			       "'topic', {channel = '#c'}",                             ":s 332 ebb #c :hi all\n:s 333 ebb #c bob 42\n",
         "r",																										  "{channel=#c ok=true set_at=42 setter=bob topic=hi all}"            },
	{"no topic",			      "'topic', {channel = '#c'}",                             ":s 331 ebb #c :none\n",                         "r",
         "{channel=#c ok=true}"																																    },
	{"a topic is set",                        "'topic', {channel = '#c', message = 'new'}",            ":ebb!u@h TOPIC #c :new\n",
         "show(r), events(r)",																								 "{channel=#c ok=true topic=new} | topic*"                           },
	{"a topic may not be set",                "'topic', {channel = '#c', message = 'new'}",
         ":s 482 ebb #c :not an operator\n",														"r, why, kind",
         "nil | not an operator | err_chanoprivsneeded"																													    },
	{"modes",				 "'mode', {target = '#c'}",                               ":s 324 ebb #c +kl key 50\n:s 329 ebb #c 7\n",   "r",
         "{channel=#c created=7 modes=+kl ok=true params={key 50}}"																												},
	{"bans",				  "'mode', {target = '#c', modes = 'b'}",
         ":s 367 ebb #c *!*@x bob 5\n:s 367 ebb #c *!*@y\n:s 368 ebb #c :end\n",                                                                            "r.masks",
         "{{mask=*!*@x set_at=5 setter=bob} {mask=*!*@y}}"																													 },
	{"no bans",			       "'mode', {target = '#c', modes = 'b'}",                  ":s 368 ebb #c :end\n",                          "r",
         "{masks={} ok=true}"																																      },
	{"a mode is set",                         "'mode', {target = '#c', modes = '+o', params = 'bob'}",
         ":ebb!u@h MODE #c +o bob\n",														       "r.changes, r.modes, r.params",
         "{{mode=o param=bob set=true}} | +o | {bob}"																													      },
	{"join",				  "'join', {channel = '#c'}",
         ":ebb!u@h JOIN #c\n:s 332 ebb #c :hi\n:s 353 ebb = #c :@a ebb\n:s 366 ebb #c :end\n",							      "show(r), events(r)",
         "{channel=#c ok=true topic=hi users={@a ebb}} | join* rpl_topic rpl_namreply rpl_endofnames"																							      },
	{"a full channel",                        "'join', {channel = '#c'}",                              ":s 471 ebb #c :it is full\n",
         "r, why, kind",																								       "nil | it is full | err_channelisfull"                              },
	{"a nick in use",                         "'nick', {nick = 'bob'}",                                ":s 433 ebb bob :in use\n",                      "r, why, kind",
         "nil | in use | err_nicknameinuse"																															},
	{"a nick",				"'nick', {nick = 'bob'}",                                ":ebb!u@h NICK bob\n",                           "r",                                                               "{nick=bob ok=true}"                                                },
	{"ison",				  "'ison', {nick = {'a', 'b'}}",                           ":s 303 ebb :a\n",                               "r.nicks",                                                         "{a}"                                                               },
	{"ison of nobody",                        "'ison', {nick = 'a'}",                                  ":s 303 ebb :\n",                                "r.nicks",                                                         "{}"                                                                },
	{"userhost",			      "'userhost', {nick = {'a', 'b'}}",                       ":s 302 ebb :a=+u@h b*=-v@i\n",                  "r.replies",
         "{a=+u@h b*=-v@i}"																																	},
	{"version",			       "'version'",					     ":s 351 ebb v1 s.net :words\n",                  "r.version, r.server",
         "v1 | s.net"																																	      },
	{"the message of the day",                "'motd'",
         ":s 375 ebb :- s.net\n:s 372 ebb :- one\n:s 372 ebb :- two\n:s 376 ebb :end\n",								    "r.lines",							 "{- one - two}"						     },
	{"no message of the day",                 "'motd'",						":s 422 ebb :none\n",                            "r, why, kind",
         "nil | none | err_nomotd"																																 },
	{"kick",				  "'kick', {channel = '#c', nick = 'bob'}",                ":ebb!u@h KICK #c bob :ebb\n",
         "r.target, events(r)",																								"bob | kick*"						       },
	{"monitor",			       "'monitor', {modifier = '+', target = {'a', 'b'}}",
         ":s 730 ebb :a!u@h\n:s 731 ebb :b\n",													      "r",							       "{offline={b} ok=true online={a!u@h}}"                              },
	{"monitored are all there",               "'monitor', {modifier = '+', target = {'a', 'b'}}",
         ":s 730 ebb :a!u@h,b!u@h\n:s 375 ebb :x\n",													"r.online, r.offline",
         "{a!u@h b!u@h} | {}"																																      },
	{"an unknown command",                    "'version'",					     ":s 421 ebb VERSION :no\n",                      "r, why, kind",
         "nil | no | err_unknowncommand"																															   },
	{"later",				 "'list'",						":s 263 ebb LIST :wait a while\n",               "r, why, kind",
         "nil | wait a while | rpl_tryagain"																														       },
	{"FAIL gives its code",                   "'topic', {channel = '#c'}",
         ":s FAIL TOPIC INVALID_TARGET #c :no such place\n",												"r, why, kind",
         "nil | no such place | invalid_target"																														    },
	{"a no without words",                    "'motd'",						":s 422 ebb\n",                                  "r, why, kind",                                                    "nil | ebb | err_nomotd"                                            },
	{"what is unknown is nil",                "'version'",                                             ":s 351 ebb v1 s.net\n",                         "r.nothing, r[1], #r",
         "nil | nil | 0"																																	   },
	{"the events of a reply stay the same",   "'version'",                                             ":s 351 ebb v1 s.net\n",
         "r.events == r.events, r.events[1] == r.events[1], r.events[1].network",																	      "true | true | one"						 },
	{"a reply is a table",                    "'version'",					     ":s 351 ebb v1 s.net\n",
         "type(r), pcall(setmetatable, r, nil)",																					       NULL								},
	{"what comes from the world is no error", "'version', nil, 5",                                     ":s 351 ebb v1 s.net\n",
         "r.ok",																									       "true"							      },
};

static const char *said_of(const struct buf *sent)
{
	const char *said = strstr(buf_str(sent).p, SAID);
	return said ? said + strlen(SAID) : "nothing";
}

static void gives(void **state)
{
	const struct answer *a = *state;
	char source[2000], expected[1000];
	snprintf(source, sizeof(source),
		"spawn(function() local r, why, kind = request(%s)\nsay(%s) end)", a->ask,
		a->shown);
	begin(source);
	assert_string_equal(said_of(&st.sent), "nothing");

	hear(a->lines);
	stage_pass(&st, 2); /* for a line that may be missing */

	snprintf(expected, sizeof(expected), "%s\n", a->expected ? a->expected : "");
	if (a->expected)
		assert_string_equal(said_of(&st.sent), expected);
	else
		assert_string_not_equal(said_of(&st.sent), "nothing");
	end();
}

static void no_answer_is_told_of_in_time(void **state)
{
	(void)state;
	begin(BOB "spawn(tell, 'version', nil, 2.5)\n");
	stage_expect(&st, SENT "VERSION\n");
	stage_pass(&st, 2.4);
	stage_expect(&st, "");
	stage_pass(&st, 0.2);
	stage_expect(&st, SAID "nil | no answer within 2.5 s | timeout\n");
	stage_pass(&st, 27.3);
	stage_expect(&st, "");
	stage_pass(&st, 0.2);
	stage_expect(&st, SAID "nil | no answer within 30 s | timeout\n");
	end();
}

static void the_end_of_the_connection_is_told_of(void **state)
{
	(void)state;
	begin(BOB);
	stage_expect(&st, SENT);
	stage_lose(&st, 0, ERR_PING, "silence");
	stage_connect(&st, 0);
	stage_expect(&st, "");
	stage_expect_log(&st, "");
	end();
}

static void who_waits_hears_why_the_connection_ended(void **state)
{
	(void)state;
	begin("spawn(function() log(table.concat({'got', select(2, request('version'))}, ',')) end)");
	stage_lose(&st, 0, ERR_PING, "silence");
	stage_expect_log(&st, "got,silence,disconnected");
	end();
}

static void without_a_connection_nothing_is_asked(void **state)
{
	(void)state;
	begin("on('x', function() log(table.concat({'got', select(2, request('version'))}, ',')) end)");
	stage_lose(&st, 0, ERR_PING, "silence");
	stage_expect(&st, "");
	assert_true(stage_load(&st, "second", "trigger('x')"));
	stage_expect_log(&st, "got,one is not connected,disconnected");
	end();
}

static void an_unknown_answer_is_no_scripts_fault(void **state)
{
	(void)state;
	begin("spawn(tell, 'privmsg', {target = '#c', message = 'x'})");
	stage_expect(&st, SAID "nil | request: PRIVMSG has no known answer, and the server has no "
			       "labeled-response | invalid\n");
	end();
}

static void with_labels_any_command_can_be_asked_for(void **state)
{
	(void)state;
	begin("on('go', function()\n"
	      "  local r = request('privmsg', {target = '#c', message = 'x'})\n"
	      "  say(show(r), r.events)\n"
	      "end)");
	st.nets[0].has_labels = true;
	assert_true(stage_load(&st, "second", "trigger('go')"));
	stage_expect(&st, "@label=0.1 PRIVMSG #c :x\n");
	hear("@label=0.1 :s ACK\n");
	stage_expect(&st, SAID "{ok=true} | {}\n");
	end();
}

static void a_labeled_batch_is_a_reply(void **state)
{
	(void)state;
	begin("on('go', function() local r = request('whois', {mask = 'bob'})\n"
	      "say(r.account, events(r)) end)");
	st.nets[0].has_labels = true;
	assert_true(stage_load(&st, "second", "trigger('go')"));
	stage_expect(&st, "@label=0.1 " SENT);
	hear("@label=0.1 :s BATCH +b labeled-response\n@batch=b :s 330 ebb bob acc :is\n"
	     "@batch=b :s 318 ebb bob :end\n:s BATCH -b\n");
	stage_expect(&st, SAID "acc | rpl_whoisaccount rpl_endofwhois\n");
	end();
}

static void two_tasks_get_their_own_answers(void **state)
{
	(void)state;
	begin("spawn(function() say('bob', request('whois', {mask = 'bob'}).user) end)\n"
	      "spawn(function() say('eve', request('whois', {mask = 'eve'}).user) end)\n");
	stage_expect(&st, "WHOIS bob\nWHOIS eve\n");
	hear(":s 311 ebb eve E h * :x\n:s 318 ebb eve :end\n:s 311 ebb bob B h * :x\n"
	     ":s 318 ebb bob :end\n");
	stage_expect(&st, SAID "eve | E\n" SAID "bob | B\n");
	end();
}

static void two_scripts_that_ask_the_same_are_answered_in_turn(void **state)
{
	static const char *const source =
		"send('privmsg', {target = '#log', message = "
		"config.greeting .. request('whois', {mask = 'bob'}).user})";
	(void)state;
	begin("spawn(function() say(request('whois', {mask = 'bob'}).user) end)\n");
	assert_true(stage_load(&st, "second", source));
	stage_expect(&st, SENT SENT);
	hear(":s 311 ebb bob one h * :x\n:s 318 ebb bob :end\n");
	stage_expect(&st, SAID "one\n");
	hear(":s 311 ebb bob two h * :x\n:s 318 ebb bob :end\n");
	stage_expect(&st, SAID "hellotwo\n");
	end();
}

static void a_cancelled_task_asks_no_more(void **state)
{
	(void)state;
	begin("local t = " BOB "after(1, t.cancel, t)\n" BOB);
	stage_expect(&st, SENT SENT);
	stage_pass(&st, 1);
	assert_int_equal(st.nets[0].requests.n, 1);
	hear(":s 311 ebb bob u h * :x\n:s 318 ebb bob :end\n");
	assert_non_null(strstr(buf_str(&st.sent).p, SAID "{"));
	end();
}

static void a_timeout_around_it_cancels(void **state)
{
	(void)state;
	begin("spawn(function() say(timeout(3, request, 'whois', {mask = 'bob'})) end)");
	stage_pass(&st, 3);
	stage_expect(&st, SENT SAID "nil | timeout\n");
	end();
}

static void an_answer_may_come_just_when_it_is_cancelled(void **state)
{
	(void)state;
	begin("local t = " BOB "on('rpl_endofwhois', function() t:cancel() end)\n");
	stage_expect(&st, SENT);
	hear(":s 311 ebb bob u h * :x\n:s 318 ebb bob :end\n");
	stage_expect(&st, "");
	end();
}

static void an_answer_for_a_script_that_ends_is_dropped(void **state)
{
	(void)state;
	begin(BOB);
	stage_feed(&st, 0, ":s 311 ebb bob u h * :x");
	stage_feed(&st, 0, ":s 318 ebb bob :end");
	stage_end(&st);
}

static void a_full_queue_is_waited_for(void **state)
{
	(void)state;
	begin("on('go', function() spawn(send, 'join', {channel = '#a'})\n" BOB
	      "spawn(send, 'join', {channel = '#b'}) end)");
	st.nets[0].is_full = true;
	assert_true(stage_load(&st, "second", "trigger('go')"));
	stage_expect(&st, "");
	stage_pass(&st, 100);
	stage_expect(&st, "");
	stage_room(&st, 0);
	stage_expect(&st, "JOIN #a\n" SENT "JOIN #b\n");
	hear(":s 401 ebb bob :none\n:s 318 ebb bob :end\n");
	stage_expect(&st, SAID "nil | none | err_nosuchnick\n");
	end();
}

static void who_waits_for_room_may_be_refused_or_cancelled(void **state)
{
	(void)state;
	begin("local t\n"
	      "on('go', function() t = " BOB
	      "spawn(tell, 'privmsg', {target = 'x', message = 'y'}) end)\n"
	      "on('stop', function() t:cancel() end)\n");
	st.nets[0].is_full = true;
	assert_true(stage_load(&st, "second", "trigger('go')"));
	assert_true(stage_load(&st, "third", "trigger('stop')"));
	stage_expect(&st, "");
	stage_room(&st, 0);
	stage_expect(&st, SAID "nil | request: PRIVMSG has no known answer, and the server has no "
			       "labeled-response | invalid\n");
	end();
}

static void a_reload_lets_a_handler_have_its_answer(void **state)
{
	(void)state;
	begin("on('go', function() tell('whois', {mask = 'bob'}) end)\n"
	      "spawn(tell, 'version')\n");
	assert_true(stage_load(&st, "second", "trigger('go')"));
	stage_expect(&st, "VERSION\n" SENT);

	assert_string_equal(stage_reload(&st, "test", "log('new')"), "");

	assert_int_equal(st.nets[0].requests.n, 1); /* a background task is cancelled */
	hear(":s 401 ebb bob :none\n:s 318 ebb bob :end\n");
	stage_expect(&st, SAID "nil | none | err_nosuchnick\n");
	end();
}

static const struct wrong {
	const char *name, *call, *error;
} wrongs[] = {
	{"an unknown command",          "request('nonsense')",                                         "request: "                            },
	{"no command",                  "request()",						   "bad argument #1"                      },
	{"a parameter that is missing", "request('whois', {})",                                        "request: "                            },
	{"a parameter that is none",    "request('whois', {mask = 'a', x = 'b'})",                     "request: "                            },
	{"a line break",                "request('whois', {mask = 'a\\n'})",                           "request: "                            },
	{"no table",                    "request('whois', 5)",                                         "bad argument #2"                      },
	{"no time",		     "request('version', nil, 'x')",                                "request: a number of seconds expected"},
	{"a time before now",           "request('version', nil, -1)",                                 "is no time to wait"                   },
	{"where nothing can pause",
         "table.sort({1, 2}, function() end) local f = on('y', function() request('version') end, 1)",
         ""																   },
};

static void raises(void **state)
{
	const struct wrong *w = *state;
	char source[500];
	snprintf(source, sizeof(source), "log(tostring(select(2, pcall(function() %s end))))",
		w->call);
	begin(source);
	stage_expect(&st, "");
	stage_expect_log(&st, w->error);
	end();
}

static void a_network_object_asks_its_own_network(void **state)
{
	(void)state;
	begin_with(2,
		"spawn(function() local two = network('two')\n"
		"two:send('privmsg', {target = '#log', message = two:request('version').version}) end)");
	stage_expect(&st, "two: VERSION\n");
	stage_line(&st, 1, ":s 351 ebb v2 s.net");
	stage_expect(&st, "two: " SAID "v2\n");
	end();
}

static void a_coroutine_may_ask(void **state)
{
	(void)state;
	begin("spawn(function()\n"
	      "  local f = coroutine.wrap(function() coroutine.yield(request('version').version) end)\n"
	      "  say(f())\n"
	      "end)");
	hear(":s 351 ebb v s.net\n");
	stage_expect(&st, "VERSION\n" SAID "v\n");
	end();
}

/* A large answer. */

enum { CHANNELS = 20000 };

static void feed_channels(int n)
{
	char line[100];
	for (int i = 0; i < n; i++) {
		snprintf(line, sizeof(line), ":s 322 ebb #channel%d %d :the topic of a channel, %d",
			i, i % 100, i);
		stage_feed(&st, 0, line);
	}
	stage_feed(&st, 0, ":s 323 ebb :end");
}

/* How often others had their turn. */
static int count_turns(void)
{
	int n = 0;
	host_run(&st.host);
	for (; host_has_held(&st.host); n++)
		host_share(&st.host);
	return n;
}

static void a_large_answer_gives_others_their_turn(void **state)
{
	(void)state;
	begin("spawn(function()\n"
	      "  local r = request('list')\n"
	      "  local n = #r.channels\n"
	      "  say(n, r.channels[n].channel, #r.events, r.events[n].users)\n"
	      "end)");
	stage_expect(&st, "LIST\n");
	feed_channels(CHANNELS);
	assert_true(count_turns() > CHANNELS / 500);
	stage_expect(&st, SAID "20000 | #channel19999 | 20001 | 99\n");
	end();
}

static void an_answer_that_memory_has_no_room_for_is_the_scripts_error(void **state)
{
	(void)state;
	stage_begin(&st, 1);
	st.limits.memory_max_bytes = 1024L * 1024;
	assert_true(stage_load(&st, "test", "spawn(function() request('list') log('not so') end)"));
	feed_channels(CHANNELS);
	stage_run(&st);
	stage_expect_log(&st, "not enough memory");
	end();
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, answers, gives);
	check_test(&c, no_answer_is_told_of_in_time);
	check_test(&c, the_end_of_the_connection_is_told_of);
	check_test(&c, who_waits_hears_why_the_connection_ended);
	check_test(&c, without_a_connection_nothing_is_asked);
	check_test(&c, an_unknown_answer_is_no_scripts_fault);
	check_test(&c, with_labels_any_command_can_be_asked_for);
	check_test(&c, a_labeled_batch_is_a_reply);
	check_test(&c, two_tasks_get_their_own_answers);
	check_test(&c, two_scripts_that_ask_the_same_are_answered_in_turn);
	check_test(&c, a_cancelled_task_asks_no_more);
	check_test(&c, a_timeout_around_it_cancels);
	check_test(&c, an_answer_may_come_just_when_it_is_cancelled);
	check_test(&c, an_answer_for_a_script_that_ends_is_dropped);
	check_test(&c, a_full_queue_is_waited_for);
	check_test(&c, who_waits_for_room_may_be_refused_or_cancelled);
	check_test(&c, a_reload_lets_a_handler_have_its_answer);
	check_rows(&c, wrongs, raises);
	check_test(&c, a_network_object_asks_its_own_network);
	check_test(&c, a_coroutine_may_ask);
	check_test(&c, a_large_answer_gives_others_their_turn);
	check_test(&c, an_answer_that_memory_has_no_room_for_is_the_scripts_error);
	return check_run(&c, "replies");
}
