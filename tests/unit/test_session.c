#include "base/clock.h"
#include "base/mem.h"
#include "irc/session.h"
#include "support/check.h"
#include "support/talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const alternatives[] = {"ebb2"};
static const struct session_channel channels[] = {
	{"#a", NULL },
        {"#b", "key"},
        {"#c", NULL }
};

#define JOINED                                                                                    \
	HELLO "< :s 001 ebb :hi\n< :s 376 ebb :end\n> JOIN #b,#a,#c key\n*\n< :ebb!u@h JOIN #a\n" \
	      "< :ebb!u@h JOIN #b\n< :ebb!u@h JOIN #c\n"
static const struct talk_row {
	const char *name;
	const char *script;
	struct {
		bool manual, alternatives, channels, password, events, paced, umodes;
	} with;
} rows[] = {
	{"registers without CAP",						 READY,							     {0}                               },
	{"sends PASS before NICK and USER",
         "> CAP LS 302\n> PASS :s3 cret\n> NICK ebb\n> USER u 0 * :r n\n",									   {.password = true}                },
	{"is ready without a message of the day",                                 HELLO "< :s 001 ebb :hi\n< :s 422 ebb :none\n*\n",
         {0}																					   },
	{"says nothing of its own after QUIT",
         READY
		"q bye\n> QUIT :bye\n< :al!u@h PRIVMSG ebb :\1VERSION\1\n< PING x\n> PONG :x\n",						     {0}			       },
	{"is not ready before 001",					       HELLO "< :s 376 ebb :end\n",                                       {0}                               },
	{"asks only for capabilities that it knows",
         HELLO "< :s CAP * LS :inspircd.org/poison server-time ergo.chat/nope tls\n"
		      "> CAP REQ :server-time\n< :s CAP ebb ACK :server-time\n> CAP END\n",							  {0}			       },
	{"asks once the last line of LS is there",
         HELLO "< :s CAP * LS * :server-time sts=port=6697\n"
		      "< :s CAP * LS :multi-prefix extended-join=1\n"
		      "> CAP REQ :extended-join multi-prefix server-time\n"
		      "< :s CAP ebb ACK :extended-join multi-prefix server-time \n> CAP END\n",						      {0}			       },
	{"ends the negotiation where nothing is offered",                         HELLO "< :s CAP * LS :\n> CAP END\n",
         {0}																					   },
	{"asks one by one after a NAK",
         HELLO "< :s CAP * LS :server-time multi-prefix\n"
		      "> CAP REQ :multi-prefix server-time\n"
		      "< :s CAP ebb NAK :multi-prefix server-time\n"
		      "> CAP REQ :multi-prefix\n> CAP REQ :server-time\n"
		      "< :s CAP ebb NAK :multi-prefix\n< :s CAP ebb ACK :server-time\n"
		      "> CAP END\n",														 {0}			       },
	{"asks for what is offered later",
         READY "< :s CAP ebb NEW :server-time sasl\n"
		      "> CAP REQ :server-time\n"
		      "< :s CAP ebb ACK :server-time\n"
		      "< :s CAP ebb DEL :server-time\n",											     {0}			       },
	{"answers PING at once with its last parameter whole",
         HELLO "< PING :a b :c\n> PONG :a b :c\n< PING one two\n> PONG :two\n",                                                                      {0}                               },
	{"tries the alternatives, then its nick with underscores, then gives up",
         HELLO "< :s 433 * ebb :in use\n> NICK ebb2\n< :s 432 * ebb2 :bad\n> NICK ebb_\n"
		      "< :s 436 * ebb_ :collision\n> NICK ebb__\n"
		      "< :s 437 * ebb__ :held\n> NICK ebb___\n< :s 433 * ebb___ :in use\n"
		      "! nick every nick is refused, the last for: in use\n",									{.alternatives = true}            },
	{"leaves a nick refused later to scripts",                                READY "< :s 433 ebb other :in use\n",                              {0}                               },
	{"takes the nick that the server gives",
         HELLO "< :s 001 Guest1 :hi\ne rpl_welcome\n< :Guest1!u@h JOIN #a\ne join*\n",
         {.events = true}																			      },
	{"follows its nick and knows its own lines",
         HELLO "< :s 001 ebb :hi\ne rpl_welcome\n< :EBB!u@h NICK :[x]\ne nick*\n"
		      "< :{X}!u@h PRIVMSG #a :hi\ne privmsg*\n< :ebb!u@h PRIVMSG #a :hi\n"
		      "e privmsg\n",														 {.events = true}                  },
	{"compares nicks as the server says",
         HELLO "< :s 001 a[b :hi\ne rpl_welcome\n"
		      "< :s 005 a[b CASEMAPPING=ascii :are supported\ne rpl_isupport\n"
		      "< :a{b!u@h JOIN #a\ne join\n< :A[B!u@h JOIN #a\ne join*\n",								   {.events = true}                  },
	{"joins when ready, keys first",
         HELLO "< :s 001 ebb :hi\n< :s 376 ebb :end\n> JOIN #b,#a,#c key\n*\n",
         {.channels = true}																			    },
	{"joins again what it joined since, and not what it left",
         HELLO "< :s 001 ebb :hi\n< :s 376 ebb :end\n> JOIN #b,#a,#c key\n*\n"
		      "s JOIN #d secret\n> JOIN #d secret\ns JOIN #no nokey\n> JOIN #no nokey\n"
		      "< :ebb!u@h JOIN :#D\n< :ebb!u@h JOIN #e\n< :ebb!u@h PART #A :bye\n"
		      "< :ebb!u@h KICK #c ebb :no\n< :x!u@h JOIN #f\nx now\n" HELLO
		      "< :s 001 ebb :hi\n< :s 376 ebb :end\n> JOIN #b,#d,#c,#e key,secret\n*\n",						     {.channels = true}                },
	{"ends at ERROR while registering",
         HELLO "< ERROR :Closing Link: no authorization\n"
		      "! registration Closing Link: no authorization\n",									     {0}			       },
	{"tells a throttle from its words",
         HELLO "< ERROR :Trying to reconnect too fast.\n"
		      "! throttled Trying to reconnect too fast.\n",										 {0}			       },
	{"tells a ban from its words",
         HELLO "< ERROR :Closing Link: x (K-Lined)\n"
		      "! banned Closing Link: x (K-Lined)\n",											{0}			       },
	{"tells a ban by 465",
         HELLO "< :s 465 ebb :You are banned: go away\n"
		      "< ERROR :Closing Link\n! banned You are banned: go away: Closing Link\n",						     {0}			       },
	{"tells a wrong server password",
         HELLO "< :s 464 ebb :Password incorrect\n"
		      "! registration server_password: Password incorrect\n",									{0}			       },
	{"ends at ERROR when ready",
         READY "< ERROR :Server going down\n! closed Server going down\n",                                                                           {0}                               },
	{"knows that it was killed",
         READY "< :oper!o@h KILL ebb :spam\n! killed killed by oper!o@h: spam\n",                                                                    {0}                               },
	{"gives up when registration takes too long",
         HELLO "+ 59\n+ 1\n! timeout not registered within 60 s\n+ 100\n",                                                                           {0}                               },
	{"asks after silence, and hears the answer",
         READY "+ 119\n+ 1\n> PING :ebb\n+ 29\n< :s PONG s :ebb\n+ 119\n+ 1\n> PING :ebb\n",
         {0}																					   },
	{"holds a silent server dead",
         READY "+ 120\n> PING :ebb\n+ 29\n+ 1\n! ping no answer to PING within 30 s\n",                                                              {0}                               },
	{"takes any line for a sign of life",
         READY
		"+ 120\n> PING :ebb\n+ 20\n< :x!u@h PRIVMSG ebb :hi\n+ 119\n+ 1\n> PING :ebb\n",						     {0}			       },
	{"quits past all that waits",
         READY "s PRIVMSG #a :1\n> PRIVMSG #a :1\ns PRIVMSG #a :2\ns PRIVMSG #a :3\n"
		      "q gone home\n> QUIT :gone home\n+ 100\n< ERROR :Closing link\n"
		      "! requested Closing link\n",												  {.paced = true}                   },
	{"does not go on registering after QUIT",
         HELLO "q bye\n> QUIT :bye\n< :s 433 * ebb :in use\n< :s CAP * LS :server-time\n",
         {0}																					   },
	{"paces what scripts say, but not PONG",
         READY "s PRIVMSG #a :1\n> PRIVMSG #a :1\ns PRIVMSG #a :2\n< PING x\n> PONG :x\n"
		      "+ 1\n+ 1\n> PRIVMSG #a :2\n",												 {.paced = true}                   },
	{"asks to wait when the queue is full, and tells of room",
         READY "s PRIVMSG #a :1\n> PRIVMSG #a :1\ns PRIVMSG #a :2\ns PRIVMSG #a :3\n"
		      "a PRIVMSG #a :4\n+ 2\n> PRIVMSG #a :2\no\ns PRIVMSG #a :4\n"
		      "+ 4\n> PRIVMSG #a :3\n> PRIVMSG #a :4\n",										     {.paced = true}                   },
	{"drops the backlog with the connection",
         READY "s PRIVMSG #a :1\n> PRIVMSG #a :1\ns PRIVMSG #a :2\nx now\n" HELLO "+ 50\n",
         {.paced = true}																			       },
	{"sends nothing but PONG when registering by hand",
         "*\n< :s CAP * LS :server-time\n< PING :x\n> PONG :x\n"
		"s NICK me\n> NICK me\n< :s 433 * me :in use\n< :s 001 me :hi\n"
		"< :s 376 me :end\n> JOIN #b,#a,#c key\n",											   {.manual = true, .channels = true}},
	{"asks for a new nick",						   READY "c nick=new\n> NICK new\n< :ebb!u@h NICK new\nc nick=new\n",
         {0}																					   },
	{"asks for a new nick whatever it is called now",
         HELLO
		"< :s 433 * ebb :in use\n> NICK ebb_\n< :s 001 ebb_ :hi\n< :s 376 ebb_ :end\n*\n"
		"c nick=new\n> NICK new\n",													  {0}			       },
	{"does not ask for the nick that it has",                                 READY "< :ebb!u@h NICK new\nc nick=new\n",                         {0}                               },
	{"does not ask again for a nick that is not new",
         HELLO
		"< :s 433 * ebb :in use\n> NICK ebb_\n< :s 001 ebb_ :hi\n< :s 376 ebb_ :end\n*\n"
		"c channels=#x\n> JOIN #x\n",													{0}			       },
	{"asks for a nick in other capitals",                                     READY "c nick=Ebb\n> NICK Ebb\n",                                  {0}                               },
	{"keeps its nick when the new one is refused",
         READY "c nick=new\n> NICK new\n< :s 433 ebb new :in use\n"
		      "< :s 433 ebb new :in use\n< PING x\n> PONG :x\n",									     {0}			       },
	{"asks for a new nick once it is ready",
         HELLO "c nick=new\n< :s 001 ebb :hi\n< :s 376 ebb :end\n> NICK new\n*\n",                                                                   {0}                               },
	{"asks for no nick that it had meanwhile",
         HELLO "c nick=new\nc nick=ebb\n< :s 001 ebb :hi\n< :s 376 ebb :end\n*\n",                                                                   {0}                               },
	{"registers with a new nick the next time",
         READY "c nick=new\n> NICK new\nx now\n> CAP LS 302\n> NICK new\n> USER u 0 * :r n\n"
		      "< :s 001 new :hi\n< :s 376 new :end\n*\n",										    {0}			       },
	{"leaves a new nick to a script that registers",
         "*\n< :s 001 me :hi\n< :s 376 me :end\nc nick=new\n",										       {.manual = true}                  },
	{"tries new alternatives while it registers",
         HELLO "c nick=new\n< :s 433 * ebb :in use\n> NICK new_\n",										  {0}                               },
	{"joins what is new, keys first",
         JOINED "c channels=#a,#b:key,#c,#d,#e:k\n> JOIN #e,#d k\n"
		       "c channels=#a,#b:key,#c,#d,#e:k\n",											  {.channels = true}                },
	{"parts from what is no longer configured",
         JOINED "c channels=#B:key\n> PART #a\n> PART #c\n< :ebb!u@h PART #a\nx now\n" HELLO
		       "< :s 001 ebb :hi\n< :s 376 ebb :end\n> JOIN #b key\n*\n",								    {.channels = true}                },
	{"does not part from what scripts joined",
         JOINED
		"s JOIN #d\n> JOIN #d\n< :ebb!u@h JOIN #d\n"
		"c channels=#a,#b:key,#c,#d\nc channels=#a\n> PART #b\n> PART #c\nx now\n" HELLO
		"< :s 001 ebb :hi\n< :s 376 ebb :end\n> JOIN #a,#d\n*\n",									    {.channels = true}                },
	{"parts from what scripts left and joined again",
         JOINED "< :ebb!u@h PART #a\n< :ebb!u@h JOIN #a\nc channels=#b:key,#c\n> PART #a\n",
         {.channels = true}																			    },
	{"does not join again what scripts left",
         JOINED "< :ebb!u@h PART #a\nc channels=#a,#b:key,#c\nc channels=#b:key,#c\n"
		       "c channels=#a,#b:key,#c\n> JOIN #a\n",										       {.channels = true}                },
	{"stays where only the key changed, and comes back with the new one",
         JOINED "c channels=#a:k,#b,#c\nx now\n" HELLO
		       "< :s 001 ebb :hi\n< :s 376 ebb :end\n> JOIN #a,#b,#c k\n*\n",								{.channels = true}                },
	{"tries a new key where it is not in",
         HELLO "< :s 001 ebb :hi\n< :s 376 ebb :end\n> JOIN #b,#a,#c key\n*\n"
		      "< :ebb!u@h JOIN #a\n< :ebb!u@h JOIN #c\n< :s 475 ebb #b :wrong key\n"
		      "c channels=#a,#b:other,#c\n> JOIN #b other\n",										{.channels = true}                },
	{"tries a new key after a kick",
         JOINED "< :op!u@h KICK #a ebb :out\n< :op!u@h KICK #c other :out\n"
		       "c channels=#a:k,#b:key,#c:k\n> JOIN #a k\n",										 {.channels = true}                },
	{"does not come back after a kick when nothing changed",
         JOINED "< :op!u@h KICK #a ebb :out\nc channels=#a,#b:key,#c\n",                                                                             {.channels = true}                },
	{"compares channels as the server says",
         HELLO "< :s 001 ebb :hi\n< :s 005 ebb CASEMAPPING=ascii :are supported\n"
		      "< :s 376 ebb :end\n> JOIN #b,#a,#c key\n*\nc channels=#A,#B:key,#c,#[\n"
		      "> JOIN #[\nc channels=#a,#b:key,#c,#{\n> PART #[\n> JOIN #{\n",							       {.channels = true}                },
	{"joins once it is ready what became configured before",
         HELLO "c channels=#a,#d\n< :s 001 ebb :hi\n< :s 376 ebb :end\n> JOIN #a,#d\n*\n",
         {.channels = true}																			    },
	{"stays in a channel that was away for a moment",
         JOINED "c channels=#b:key,#c\n> PART #a\nc channels=#a,#b:key,#c\n> JOIN #a\n"
		       "< :ebb!u@h PART #a\n< :ebb!u@h JOIN #a\nc channels=#b:key,#c\n> PART #a\n",						  {.channels = true}                },
	{"keeps the key of a channel that was away for a moment",
         JOINED "c channels=#a,#c\n> PART #b\nc channels=#a,#b:key,#c\n> JOIN #b key\n"
		       "< :ebb!u@h PART #b\n< :ebb!u@h JOIN #b\nx now\n" HELLO
		       "< :s 001 ebb :hi\n< :s 376 ebb :end\n> JOIN #b,#a,#c key\n*\n",							      {.channels = true}                },
	{"asks for its nick back before it has the new one",
         READY "c nick=new\n> NICK new\nc nick=ebb\n> NICK ebb\n< :ebb!u@h NICK new\n"
		      "< :new!u@h NICK ebb\nc nick=ebb\n",											   {0}			       },
	{"changes nothing but its options after QUIT",
         JOINED "q bye\n> QUIT :bye\nc nick=new channels=#x\nx now\n"
		       "> CAP LS 302\n> NICK new\n> USER u 0 * :r n\n"
		       "< :s 001 new :hi\n< :s 376 new :end\n> JOIN #x\n*\n",									{.channels = true}                },
	{"changes nothing but its options once it is over",
         JOINED "< ERROR :bye\n! closed bye\nc nick=new channels=#x\n",                                                                              {.channels = true}                },
	{"takes a new pace at once, and loses nothing",
         READY "s PRIVMSG #a :1\n> PRIVMSG #a :1\ns PRIVMSG #a :2\ns PRIVMSG #a :3\n"
		      "c pace=0\n> PRIVMSG #a :2\n> PRIVMSG #a :3\n",										{.paced = true}                   },
	{"slows down at once",
         READY "s PRIVMSG #a :1\n> PRIVMSG #a :1\ns PRIVMSG #a :2\n+ 1\nc pace=10\n+ 4\n"
		      "s PRIVMSG #a :3\n+ 1\n> PRIVMSG #a :2\n+ 9\n+ 1\n> PRIVMSG #a :3\n",							  {.paced = true}                   },
	{"keeps what waits in a queue that became shorter",
         READY "s PRIVMSG #a :1\n> PRIVMSG #a :1\ns PRIVMSG #a :2\ns PRIVMSG #a :3\n"
		      "c max=1\na PRIVMSG #a :4\n+ 2\n> PRIVMSG #a :2\no\na PRIVMSG #a :4\n"
		      "+ 2\n> PRIVMSG #a :3\no\ns PRIVMSG #a :4\n+ 2\n> PRIVMSG #a :4\n",							    {.paced = true}                   },
	{"tells of room in a queue that became longer",
         READY "s PRIVMSG #a :1\n> PRIVMSG #a :1\ns PRIVMSG #a :2\ns PRIVMSG #a :3\n"
		      "a PRIVMSG #a :4\nc max=3\no\ns PRIVMSG #a :4\n",									      {.paced = true}                   },
	{"asks for the nick before what waits",
         READY "s PRIVMSG #a :1\n> PRIVMSG #a :1\ns PRIVMSG #a :2\nc nick=new channels=#x\n"
		      "+ 2\n> NICK new\n+ 2\n> PRIVMSG #a :2\n+ 2\n> JOIN #x\n",								     {.paced = true}                   },
	{"asks sooner after silence",
         READY "+ 20\nc interval=30 timeout=5\n+ 9\n+ 1\n> PING :ebb\n"
		      "+ 4\n+ 1\n! ping no answer to PING within 5 s\n",									     {0}			       },
	{"asks later after silence",					      READY "+ 20\nc interval=200\n+ 179\n+ 1\n> PING :ebb\n",           {0}                               },
	{"gives up sooner while it registers",
         HELLO "+ 20\nc register=30\n+ 9\n+ 1\n! timeout not registered within 30 s\n",                                                              {0}                               },
	{"sends UTF-8 only to a server that takes nothing else",
         HELLO
		"< :s 001 ebb :hi\n< :s 005 ebb UTF8ONLY :are supported\n< :s 376 ebb :end\n*\n"
		"s PRIVMSG #a :\xe9t\xc3\xa9\n> PRIVMSG #a :\xef\xbf\xbdt\xc3\xa9\n"
		"q \xe9t\xc3\xa9\n> QUIT :\xef\xbf\xbdt\xc3\xa9\n",										  {0}			       },
	{"sends bytes as they are where the server takes them",
         READY "s PRIVMSG #a :\xe9t\xc3\xa9\n> PRIVMSG #a :\xe9t\xc3\xa9\n",                                                                         {0}                               },
	{"says that it is a bot, and sets its modes",
         HELLO "< :s 001 ebb :hi\n< :s 005 ebb BOT=B :are supported\n< :s 376 ebb :end\n"
		      "> MODE ebb +B\n> MODE ebb +ix\n*\n",											  {.umodes = true}                  },
	{"sets no modes where a script registers",
         "*\n< :s 001 me :hi\n< :s 005 me BOT=B :are supported\n< :s 376 me :end\n",								 {.manual = true, .umodes = true}  },
	{"skips what makes no sense",
         READY "< \n< :s\n< 12 x\n< :x!u@h PRIVMSG\n< PRIVMSG #a :hi\n< :x!u@h JOIN\n"
		      "< :s 001\n",														  {.events = false}                 },
};

static struct session_options options_of(const struct talk_row *row)
{
	struct session_options o = talk_options;
	o.is_manual = row->with.manual;
	if (row->with.alternatives) {
		o.alt_nicks = alternatives;
		o.n_alt_nicks = COUNTOF(alternatives);
	}
	if (row->with.channels) {
		o.channels = channels;
		o.n_channels = COUNTOF(channels);
	}
	if (row->with.password)
		o.password = "s3 cret";
	if (row->with.umodes)
		o.umodes = "+ix";
	if (row->with.paced)
		o.limits = (struct sendq_limits){2 * NS_PER_S, 0, 2, 100000};
	return o;
}

static void conversation(void **state)
{
	const struct talk_row *row = *state;
	struct session_options o = options_of(row);
	struct talk t;
	talk_begin(&t, &o);
	t.with_events = row->with.events;

	talk_run(&t, str_of(row->script));

	talk_end(&t);
}

static void bad_lines_are_counted(void **state)
{
	(void)state;
	struct talk t;
	talk_begin(&t, &talk_options);

	talk_run(&t, STR(READY "< :s\n< :x!u@h PRIVMSG\n< 12 x\n"));

	assert_int_equal(session_bad_lines(t.s), 3);
	talk_end(&t);
}

static bool say(struct talk *t, struct str text)
{
	return session_say(t->s, STR("#a"), text, t->now_ns);
}

static void what_is_said_goes_at_once_where_nothing_is_in_its_way(void **state)
{
	static char long_text[600];
	const struct str refused[] = {
		STR(""), STR("a\nb"), STR("a\rb"), STR("a\0b"), STR("\1ACTION x\1"),
		{long_text, sizeof(long_text)}
        };
	(void)state;
	memset(long_text, 'x', sizeof(long_text));
	struct talk t;
	talk_begin(&t, &talk_options);
	assert_false(say(&t, STR("too early")));
	talk_run(&t, STR(READY));

	assert_true(say(&t, STR("hi :there")));
	assert_string_equal(buf_str(&t.out).p, "> PRIVMSG #a :hi :there\n");
	buf_reset(&t.out);
	for (size_t i = 0; i < COUNTOF(refused); i++)
		assert_false(say(&t, refused[i]));
	session_end(t.s);
	assert_false(say(&t, STR("too late")));
	assert_int_equal(buf_str(&t.out).n, 0);
	talk_end(&t);
}

/* An owner that asks on whenever it has an answer. */
struct asker {
	struct session *s;
	size_t n_lines, n_answers, n_asked;
	int r; /* of the last question */
};

static void count_write(void *owner, struct str bytes)
{
	struct asker *a = owner;
	(void)bytes;
	a->n_lines++;
}

static void ask_on(void *owner, const struct request_result *result)
{
	struct asker *a = owner;
	struct handle id;
	a->n_answers++;
	a->r = session_request(a->s, STR("VERSION"), 30 * NS_PER_S, result->data, &id, 0, NULL);
}

static void ask_once(void *owner, const struct received *line)
{
	struct asker *a = owner;
	struct handle id;
	if (line->kind == 351 && a->n_asked++ == 0)
		a->r = session_request(a->s, STR("VERSION"), NS_PER_S, a, &id, 0, NULL);
}

static void ignore(void *owner)
{
	(void)owner;
}

static uint64_t seed_none(void *owner)
{
	(void)owner;
	return 0;
}

static void nothing_is_asked_of_a_connection_that_has_ended(void **state)
{
	static const struct session_ops ops = {.write = count_write,
		.event = ask_once,
		.ready = ignore,
		.usable = ignore,
		.answered = ask_on,
		.seed = seed_none};
	(void)state;
	struct handle id;
	struct asker a = {0};
	a.s = session_new(&talk_options, &ops, &a);
	session_begin(a.s, false, 0);
	session_feed(a.s, STR(":s 001 ebb :hi"), 0);
	session_feed(a.s, STR(":s 376 ebb :end"), 0);
	assert_int_equal(session_request(a.s, STR("VERSION"), NS_PER_S, &a, &id, 0, NULL), 0);
	size_t n_lines = a.n_lines;

	session_end(a.s);

	assert_int_equal(a.n_answers, 1);
	assert_int_equal(a.r, ERR_DISCONNECTED);
	assert_int_equal(a.n_lines, n_lines);
	session_free(a.s);
}

static void count_answer(void *owner, const struct request_result *result)
{
	struct asker *a = owner;
	(void)result;
	a->n_answers++;
}

static void a_line_is_no_answer_to_what_is_asked_when_it_is_told_of(void **state)
{
	static const struct session_ops ops = {.write = count_write,
		.event = ask_once,
		.ready = ignore,
		.usable = ignore,
		.answered = count_answer,
		.seed = seed_none};
	(void)state;
	struct asker a = {0};
	a.s = session_new(&talk_options, &ops, &a);
	session_begin(a.s, false, 0);
	session_feed(a.s, STR(":s 001 ebb :hi"), 0);

	session_feed(a.s, STR(":s 351 ebb v1 s :of another question"), 0);
	assert_int_equal(a.n_asked, 1);
	assert_int_equal(a.r, 0);
	assert_int_equal(a.n_answers, 0);
	session_feed(a.s, STR(":s 351 ebb v1 s :"), 0);

	assert_int_equal(a.n_answers, 1);
	session_free(a.s);
}

static void what_is_said_keeps_the_pace_and_overtakes_nothing(void **state)
{
	(void)state;
	struct session_options o = talk_options;
	o.limits = (struct sendq_limits){2 * NS_PER_S, 0, 10, 100000};
	struct talk t;
	talk_begin(&t, &o);
	talk_run(&t, STR(READY));

	assert_true(say(&t, STR("1")));
	assert_false(say(&t, STR("2")));
	uint64_t before = session_pushed(t.s);
	assert_string_equal(buf_str(&t.out).p, "> PRIVMSG #a :1\n");
	buf_reset(&t.out);
	talk_go_on(&t, STR("s PRIVMSG #a :2\n+ 1\n"));
	assert_false(session_is_past(t.s, before + 1));
	talk_go_on(&t, STR("+ 1\n> PRIVMSG #a :2\n"));
	assert_true(session_is_past(t.s, before + 1));
	assert_false(say(&t, STR("3")));
	talk_go_on(&t, STR("+ 2\n"));
	assert_true(say(&t, STR("3")));
	assert_int_equal(session_pushed(t.s), before + 2);
	buf_reset(&t.out);
	talk_end(&t);
}

static void a_line_that_ends_the_conversation_is_not_told_of(void **state)
{
	(void)state;
	struct session_options o = talk_options;
	o.sasl = (struct sasl_options){.mechanisms = {SASL_EXTERNAL}, .n_mechanisms = 1};
	o.caps.wants_sasl = o.sasl_required = true;
	struct talk t;
	talk_begin(&t, &o);
	t.with_events = true;

	talk_run(&t, STR(HELLO "< :s CAP * LS :sasl\n> CAP REQ :sasl\ne cap\n"
			       "< :s CAP ebb ACK :sasl\n> AUTHENTICATE EXTERNAL\ne cap\n"
			       "< :s 902 ebb :locked\n! sasl external: locked\n"
			       "< :s 001 ebb :hi\n"));

	talk_end(&t);
}

static void what_the_session_says_itself_fits_a_line(void **state)
{
	(void)state;
	char nick[600], line[700];
	struct session_options o = talk_options;
	o.umodes = "+ix";
	struct talk t;
	talk_begin(&t, &o);
	memset(nick, 'x', sizeof(nick) - 1);
	nick[sizeof(nick) - 1] = '\0';
	snprintf(line, sizeof(line), HELLO "< :s 001 %s :hi\n", nick);
	talk_run(&t, str_of(line));

	talk_go_on(&t, STR("< :s 376 x :end\n*\n"));

	talk_end(&t);
}

static void a_request_is_over_in_time_before_the_session_is_ready(void **state)
{
	(void)state;
	struct handle id;
	struct err err;
	struct talk t;
	talk_begin(&t, &talk_options);
	talk_run(&t, STR(HELLO));
	assert_int_equal(
		session_request(t.s, STR("PING x"), NS_PER_S, NULL, &id, t.now_ns, &err), 0);
	buf_reset(&t.out);
	int64_t due_ns = t.now_ns + NS_PER_S;
	assert_int_equal(session_deadline(t.s), due_ns);

	session_tick(t.s, due_ns);

	assert_true(session_deadline(t.s) > due_ns);
	talk_end(&t);
}

static void lag_is_the_time_that_pong_took(void **state)
{
	(void)state;
	struct talk t;
	talk_begin(&t, &talk_options);

	talk_run(&t, STR(READY "+ 120\n> PING :ebb\n"));
	assert_int_equal(session_lag_ns(t.s), -1);
	talk_go_on(&t, STR("+ 3\n< :s PONG s :ebb\n"));

	assert_int_equal(session_lag_ns(t.s), 3 * NS_PER_S);
	talk_end(&t);
}

/* The text of every PRIVMSG sent, and that each fits once the server relays it. */
static void collect(struct talk *t, struct buf *text, size_t overhead)
{
	struct str all = buf_str(&t->out);
	while (all.n) {
		struct str line = str_cut(&all, '\n');
		struct str head = STR("> PRIVMSG #a :");
		assert_true(str_starts(line, head));
		assert_true(line.n - 2 + overhead <= 510);
		assert_int_equal(buf_addf(text, "[%" STR_F "]", STR_A(str_skip(line, head.n))), 0);
	}
	buf_reset(&t->out);
}

static void long_text_is_sent_in_parts_that_are_relayed_whole(void **state)
{
	(void)state;
	struct talk t;
	struct buf line, text;
	struct err err;
	buf_init(&line, 4096);
	buf_init(&text, 8192);
	talk_begin(&t, &talk_options);
	talk_run(&t, STR(READY "< :ebb!user@some.host.example JOIN #a\n"));
	assert_int_equal(buf_addf(&line, "PRIVMSG #a :%0*d %0*d", 440, 1, 700, 2), 0);

	assert_int_equal(session_send(t.s, buf_str(&line), t.now_ns, &err), 0);

	size_t source = strlen(":ebb!user@some.host.example ");
	size_t room = 510 - source - strlen("PRIVMSG #a :");
	collect(&t, &text, source);
	struct str rest = buf_str(&text);
	assert_int_equal(str_find(rest, ']'), 441);
	rest = str_skip(rest, 442);
	assert_int_equal(str_find(rest, ']'), 1 + room);
	buf_fini(&line);
	buf_fini(&text);
	talk_end(&t);
}

static void a_long_action_keeps_its_wrapper(void **state)
{
	(void)state;
	struct talk t;
	struct buf line;
	struct err err;
	buf_init(&line, 4096);
	talk_begin(&t, &talk_options);
	talk_run(&t, STR(READY));
	assert_int_equal(buf_addf(&line,
				 "PRIVMSG #a :\x01"
				 "ACTION %0*d\x01",
				 600, 1),
		0);

	assert_int_equal(session_send(t.s, buf_str(&line), t.now_ns, &err), 0);

	struct str sent = buf_str(&t.out);
	int parts = 0;
	while (sent.n) {
		struct str part = str_cut(&sent, '\n');
		assert_true(str_starts(part, STR("> PRIVMSG #a :\x01"
						 "ACTION 0")));
		assert_true(part.p[part.n - 1] == '\x01');
		parts++;
	}
	assert_int_equal(parts, 2);
	buf_reset(&t.out);
	buf_fini(&line);
	talk_end(&t);
}

static void what_is_too_long_is_refused(void **state)
{
	(void)state;
	struct talk t;
	struct buf line;
	struct err err;
	buf_init(&line, 8192);
	talk_begin(&t, &talk_options);
	talk_run(&t, STR(READY));
	assert_int_equal(buf_addf(&line, "TOPIC #a :%0*d", 600, 1), 0);

	assert_int_equal(session_send(t.s, buf_str(&line), t.now_ns, &err), ERR_LIMIT);
	assert_string_equal(err.text, "the line is too long: 610 bytes, the server takes 510");
	buf_reset(&line);
	assert_int_equal(buf_addf(&line, "PRIVMSG #a :%0*d", 600, 1), 0);
	assert_int_equal(session_raw(t.s, buf_str(&line), t.now_ns, &err), ERR_LIMIT);

	buf_reset(&line);
	assert_int_equal(buf_addf(&line, ":%0*d PRIVMSG #a :x", 500, 1), 0);
	assert_int_equal(session_send(t.s, buf_str(&line), t.now_ns, &err), ERR_LIMIT);
	buf_reset(&line);
	assert_int_equal(buf_addf(&line, "@+x=%0*d PRIVMSG #a :x", 4092, 1), 0);
	assert_int_equal(session_send(t.s, buf_str(&line), t.now_ns, &err), ERR_LIMIT);

	assert_slice(buf_str(&t.out), "");
	buf_fini(&line);
	talk_end(&t);
}

static void a_text_of_more_parts_than_ever_fit_is_refused(void **state)
{
	(void)state;
	struct talk t;
	struct buf line;
	struct err err;
	buf_init(&line, 128 * 1024);
	talk_begin(&t, &talk_options);
	talk_run(&t, STR(READY));
	assert_int_equal(buf_addf(&line, "PRIVMSG %0*d :%0*d", 400, 1, 60000, 2), 0);

	assert_int_equal(session_send(t.s, buf_str(&line), t.now_ns, &err), ERR_LIMIT);
	assert_slice(buf_str(&t.out), "");

	session_quit(t.s, buf_str(&line), t.now_ns); /* cut to the line */
	assert_true(str_starts(buf_str(&t.out), STR("> QUIT :PRIVMSG 000")));
	assert_true(buf_str(&t.out).n <= strlen("> ") + 510 + strlen("\n"));
	buf_fini(&line);
	talk_end(&t);
}

static void nothing_is_sent_while_not_connected(void **state)
{
	(void)state;
	struct talk t;
	struct err err;
	talk_begin(&t, &talk_options);

	assert_int_equal(session_send(t.s, STR("PRIVMSG #a :x"), t.now_ns, &err), ERR_DISCONNECTED);
	assert_string_equal(err.text, "test is not connected");
	assert_int_equal(session_deadline(t.s), -1);

	talk_end(&t);
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, rows, conversation);
	check_test(&c, bad_lines_are_counted);
	check_test(&c, what_is_said_goes_at_once_where_nothing_is_in_its_way);
	check_test(&c, nothing_is_asked_of_a_connection_that_has_ended);
	check_test(&c, a_line_is_no_answer_to_what_is_asked_when_it_is_told_of);
	check_test(&c, what_is_said_keeps_the_pace_and_overtakes_nothing);
	check_test(&c, a_line_that_ends_the_conversation_is_not_told_of);
	check_test(&c, what_the_session_says_itself_fits_a_line);
	check_test(&c, a_request_is_over_in_time_before_the_session_is_ready);
	check_test(&c, lag_is_the_time_that_pong_took);
	check_test(&c, long_text_is_sent_in_parts_that_are_relayed_whole);
	check_test(&c, a_long_action_keeps_its_wrapper);
	check_test(&c, what_is_too_long_is_refused);
	check_test(&c, a_text_of_more_parts_than_ever_fit_is_refused);
	check_test(&c, nothing_is_sent_while_not_connected);
	return check_run(&c, "session");
}
