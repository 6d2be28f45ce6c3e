#include "support/check.h"
#include "support/scene.h"

#include <stdio.h>

#define CAPS_AS(n, list, user, at)                                                         \
	n " CAP REQ :" list "\n" n "> " at ":s CAP * ACK :" list "\n" n " NICK b" n "\n" n \
	  " USER u 0 * :r\n" n " CAP END\n" n "> " at ":s 001 b" n                         \
	  " :Welcome to the Net IRC Network b" n "!" user "@h\n" n "> " at ":s 422 b" n    \
	  " :MOTD File is missing\n"
#define CAPS(n, list)       CAPS_AS(n, list, "~u", "")
#define CAPS_IDENT(n, list) CAPS_AS(n, list, "u", "")
#define CAPS_TIMED(n, list) CAPS_AS(n, list, "u", "@time=1970-01-01T00:16:40.000Z ")
#define T10                 "1> @time=1970-01-01T00:16:50.000Z "
#define SASL                "1 CAP REQ :sasl\n1> :s CAP * ACK :sasl\n1 AUTHENTICATE PLAIN\n1> AUTHENTICATE +\n"
#define PASSWORD            "AGViYgBzZWNyZXQ="
#define FAILED              "1> :s 904 * :SASL authentication failed\n"

static const struct sim_account secret[] = {
	{"Ebb", "secret"},
	{NULL,  NULL    },
};

/* What capabilities bring. */
static const struct life rows[] = {
	{"a login by SASL",
         SASL "1 AUTHENTICATE " PASSWORD "\n"
		     "1> :s 900 * *!*@h Ebb :You are now logged in as Ebb\n"
		     "1> :s 903 * :SASL authentication successful\n" USER1 "1 CAP END\n" READY1
		     "hear alice\nalice WHO bot %na\n"
		     "alice> :s 354 alice bot Ebb\nalice> :s 315 alice bot :End of /WHO list\n",						 {.profile = "libera", .accounts = secret}},
	{"without accounts any password will do",
         SASL "1 AUTHENTICATE " PASSWORD "\n"
		     "1> :s 900 * *!*@h ebb :You are now logged in as ebb\n"
		     "1> :s 903 * :SASL authentication successful\n",									    {.profile = "libera"}                    },
	{"logins that fail",
         SASL
		"1 AUTHENTICATE AGViYgB3cm9uZw==\n" FAILED
		"1 AUTHENTICATE PLAIN\n1> AUTHENTICATE +\n1 AUTHENTICATE eABlYmIAc2VjcmV0\n" FAILED
		"1 AUTHENTICATE PLAIN\n1> AUTHENTICATE +\n1 AUTHENTICATE ====\n" FAILED
		"1 AUTHENTICATE PLAIN\n1> AUTHENTICATE +\n1 AUTHENTICATE *\n"
		"1> :s 906 * :SASL authentication aborted\n"
		"1 AUTHENTICATE EXTERNAL\n1> :s 908 * PLAIN :are available SASL mechanisms\n" FAILED
		"1 AUTHENTICATE PLAIN\n1> AUTHENTICATE +\n" USER1 "1 CAP END\n"
		"1> :s 906 bot :SASL authentication aborted\n" READY1,
         {.profile = "libera", .accounts = secret}																	},
	{"logins that fail on request",
         "sasl 1 come back later\n" SASL "1 AUTHENTICATE " PASSWORD
		"\n1> :s 904 * :come back later\nsasl 0\n1 AUTHENTICATE PLAIN\n"
		"1> AUTHENTICATE +\n1 AUTHENTICATE " PASSWORD "\n"
		"1> :s 900 * *!*@h ebb :You are now logged in as ebb\n"
		"1> :s 903 * :SASL authentication successful\n",										 {.profile = "libera"}                    },
	{"services take the login with them",
         CAPS("1",
         "cap-notify sasl") "services 0\n1> :s CAP b1 DEL :sasl\n1 AUTHENTICATE PLAIN\n"
					   "1> :s 421 b1 AUTHENTICATE :Unknown command\n2 CAP REQ :sasl\n"
					   "2> :s CAP * NAK :sasl\nservices 1\n1> :s CAP b1 NEW :sasl=PLAIN\n",
         {.profile = "libera"}},
	{"accounts are seen",
         CAPS("1",														  "account-notify extended-join") CAPS("2",
         "multi-prefix") "1 JOIN #c\n1> :b1!~u@h JOIN #c * :r\n1> :s 353 b1 = #c :@b1 \n"
					"1> :s 366 b1 #c :End of /NAMES list\n2 JOIN #c\n1> :b2!~u@h JOIN #c * :r\n"
					"2> :b2!~u@h JOIN #c\n2> :s 353 b2 = #c :@b1 b2 \n2> :s 366 b2 #c :End of /NAMES list\n"
					"account b2 acct\n2> :s 900 b2 b2!~u@h acct :You are now logged in as acct\n"
					"1> :b2!~u@h ACCOUNT acct\naccount b2\n"
					"2> :s 901 b2 b2!~u@h :You are now logged out\n1> :b2!~u@h ACCOUNT *\n"
					"account b1 acct\n1> :s 900 b1 b1!~u@h acct :You are now logged in as acct\n",
         {.profile = "libera"}},
	{"absence, hosts and names are seen",
         "alice JOIN #c\n" CAPS_IDENT("1",
         "away-notify chghost setname userhost-in-names") "alice AWAY :tea\n1 JOIN #c\n1> :b1!u@h JOIN #c\n"
									 "1> :s 353 b1 = #c :@alice!u@h b1!u@h\n1> :s 366 b1 #c :End of /NAMES list\n"
									 "alice AWAY\n1> :alice!u@h AWAY\nalice AWAY :more tea\n1> :alice!u@h AWAY :more tea\n"
									 "host alice new.example\n1> :alice!u@h CHGHOST u new.example\n"
									 "alice SETNAME :Alice A.\n1> :alice!u@new.example SETNAME :Alice A.\n"
									 "host b1 own.example me\n1> :b1!u@h CHGHOST me own.example\n"
									 "1> :s 396 b1 own.example :is now your displayed host\n"
									 "bob AWAY :x\nbob JOIN #c\n1> :bob!u@h JOIN #c\n1> :bob!u@h AWAY :x\n",
         {.profile = "ergo"}},
	{"a new host looks like a return to others",
         "bob JOIN #c\nalice JOIN #c\ngrant alice #c v\nhear bob alice\nhost alice n\n"
		"bob> :alice!u@h QUIT :Changing host\nbob> :alice!u@n JOIN #c\n"
		"bob> :s MODE #c +v alice\nalice> :s 396 alice n :is now your displayed host\n", {.profile = "libera"}																			      },
	{"operators see invitations",
         "alice JOIN #c\n" CAPS_IDENT("1",
         "invite-notify") "1 JOIN #c\n1> :b1!u@h JOIN #c\n1> :s 353 b1 = #c :@alice b1\n"
					 "1> :s 366 b1 #c :End of /NAMES list\nbob PING x\nalice INVITE bob #c\n"
					 "alice MODE #c +o b1\n1> :alice!u@h MODE #c +o b1\nalice INVITE bob #c\n"
					 "1> :alice!u@h INVITE bob :#c\n",								     {.profile = "ergo"}},
	{"one's own words come back",
         CAPS_IDENT("1",
         "echo-message message-tags") "alice JOIN #c\n1 JOIN #c\n1> :b1!u@h JOIN #c\n1> :s 353 b1 = #c :@alice b1\n"
						     "1> :s 366 b1 #c :End of /NAMES list\n1 PRIVMSG #c :hi\n"
						     "1> @msgid=m1 :b1!u@h PRIVMSG #c :hi\n1 @+typing=done TAGMSG #c\n"
						     "1> @msgid=m2;+typing=done :b1!u@h TAGMSG #c\n1 NOTICE alice :psst\n"
						     "1> @msgid=m3 :b1!u@h NOTICE alice :psst\n1 PRIVMSG b1 :me\n"
						     "1> @msgid=m4 :b1!u@h PRIVMSG b1 :me\n1 MODE b1 +B\n1> @bot :b1!u@h MODE b1 +B\n"
						     "1 PRIVMSG #none :x\n1> :s 403 b1 #none :No such channel\n",
         {.profile = "ergo"}},
	{"bots are known as such",
         CAPS_IDENT("1",													  "message-tags") CAPS_IDENT("2",
         "message-tags") "1 MODE b1 +B\n1> @bot :b1!u@h MODE b1 +B\n1 PRIVMSG b2 :x\n"
					"2> @msgid=m1;bot :b1!u@h PRIVMSG b2 :x\nhear alice\nalice WHO b1\n"
					"alice> :s 352 alice * u h s b1 HB :0 r\nalice> :s 315 alice b1 :End of /WHO list\n",
         {.profile = "ergo"}},
	{"answers have their command's label",
         CAPS_IDENT("1",
         "batch labeled-response echo-message") "1 @label=a PING x\n1> @label=a :s PONG s :x\n1 @label=b PONG x\n1> @label=b :s ACK\n"
							       "1 @label=c ISON b1\n1> @label=c :s 303 b1 :b1\n1 @label=d WHO b1\n"
							       "1> @label=d :s BATCH +1 labeled-response\n"
							       "1> @batch=1 :s 352 b1 * u h s b1 H :0 r\n"
							       "1> @batch=1 :s 315 b1 b1 :End of /WHO list\n1> :s BATCH -1\n"
							       "alice PING x\n1 @label=e PRIVMSG alice :hi\n1> @label=e :b1!u@h PRIVMSG alice :hi\n"
							       "1 @label=f QUIT\n1> @label=f ERROR :Client exited\n1! closed\n1. \n"
							       "2 @label=g PING x\n2> :s PONG s :x\n",
         {.profile = "ergo"}},
	{"a label leaves other tags alone",
         CAPS_TIMED("1",
         "batch labeled-response message-tags server-time") "1 @label=a PING x\n1> @label=a;time=1970-01-01T00:16:40.000Z :s PONG s :x\n"
									   "1 @label=12345678901234567890123456789012345678901234567890123456789012345 PING x\n"
									   "1> @time=1970-01-01T00:16:40.000Z :s PONG s :x\n",
         {.profile = "ergo"}},
	{"several lines are one message",
         CAPS_IDENT("1",															 "batch draft/multiline message-tags") CAPS_IDENT("2",
         "batch draft/multiline") "hear alice\nwatch\n"
						 "1 @+x=y BATCH +r draft/multiline b2\n1 @batch=r PRIVMSG b2 :one\n"
						 "1 @batch=r PRIVMSG b2 :\n1 @batch=r;draft/multiline-concat PRIVMSG b2 :two\n"
						 "1 PING x\n1> :s PONG s :x\n1 BATCH -r\n"
						 "w> 1 :b1!u@h PRIVMSG b2 :one\nw> 1 :b1!u@h PRIVMSG b2 :two\n"
						 "2> :b1!u@h BATCH +1 draft/multiline b2\n2> @batch=1 :b1!u@h PRIVMSG b2 :one\n"
						 "2> @batch=1 :b1!u@h PRIVMSG b2 :\n"
						 "2> @batch=1;draft/multiline-concat :b1!u@h PRIVMSG b2 :two\n2> :b1!u@h BATCH -1\n"
						 "1 BATCH +r draft/multiline alice\n1 @batch=r NOTICE alice :one\n"
						 "1 @batch=r NOTICE alice :\n1 @batch=r NOTICE alice :two\n1 BATCH -r\n"
						 "w> 1 :b1!u@h NOTICE alice :one\nw> 1 :b1!u@h NOTICE alice :two\n"
						 "alice> :b1!u@h NOTICE alice :one\nalice> :b1!u@h NOTICE alice :two\n",
         {.profile = "ergo"}},
	{"several lines come back with the label",
         CAPS_IDENT("1",
         "batch draft/multiline echo-message labeled-response") "alice PING x\n1 @label=a BATCH +r draft/multiline alice\n"
									       "1 @batch=r PRIVMSG alice :one\n1 BATCH -r\n"
									       "1> @label=a :s BATCH +2 labeled-response\n1> @batch=2 :b1!u@h BATCH +1 draft/multiline alice\n"
									       "1> @batch=1 :b1!u@h PRIVMSG alice :one\n1> @batch=2 :b1!u@h BATCH -1\n1> :s BATCH -2\n",
         {.profile = "ergo"}},
	{"batches that are refused",
         CAPS_IDENT("1",
         "batch draft/multiline") "hear alice\n1 BATCH -r\n1> :s FAIL BATCH INVALID_PARAMS :There is no such batch\n"
						 "1 BATCH +r netsplit a b\n1> :s FAIL BATCH INVALID_PARAMS :That batch cannot be opened\n"
						 "1 BATCH +r draft/multiline alice\n1 BATCH +q draft/multiline alice\n"
						 "1> :s FAIL BATCH INVALID_PARAMS :That batch cannot be opened\n"
						 "1 @batch=r PRIVMSG bob :x\n"
						 "1> :s FAIL BATCH MULTILINE_INVALID :The lines do not belong together\n"
						 "1 @batch=r PRIVMSG alice :x\n1 BATCH -r\nalice BATCH +r draft/multiline b1\n"
						 "alice> :s 421 alice BATCH :Unknown command\n",															     {.profile = "ergo"}},
	{"who waits for a nick is told",
         CAPS("1",
         "multi-prefix") "alice PING x\n"
					"1 MONITOR + alice,zoe\n1> :s 730 b1 :alice!u@h\n1> :s 731 b1 :zoe\n"
					"1 MONITOR L\n1> :s 732 b1 :alice,zoe\n1> :s 733 b1 :End of MONITOR list\n"
					"zoe PING x\n1> :s 730 b1 :zoe!u@h\nzoe NICK zoey\n1> :s 731 b1 :zoe\n"
					"alice NICK zoe\n1> :s 731 b1 :alice\n1> :s 730 b1 :zoe!u@h\n"
					"1 MONITOR S\n1> :s 730 b1 :zoe!u@h\n1> :s 731 b1 :alice\nalice QUIT\n"
					"1> :s 731 b1 :zoe\n1 MONITOR - zoe\nzoe NICK zoe\n1 MONITOR C\n1 MONITOR L\n"
					"1> :s 733 b1 :End of MONITOR list\n",																			       {.profile = "libera"}},
	{"who waits for a nick may see more",
         CAPS_IDENT("1",
         "account-notify away-notify extended-monitor") "1 MONITOR + alice\n1> :s 731 b1 :alice\nalice AWAY :x\n1> :s 730 b1 :alice!u@h\n"
								       "1> :alice!u@h AWAY :x\nlogin alice acct\n1> :alice!u@h ACCOUNT acct\n"
								       "alice SETNAME :no\n" CAPS_IDENT(
									       "2",                    "away-notify") "2 MONITOR + alice\n2> :s 730 b2 :alice!u@h\nalice AWAY\n1> :alice!u@h AWAY\n",
         {.profile = "ergo"}},
	{"MONITOR is not everywhere",
         "hear alice\nalice MONITOR L\n"
		"alice> :s 421 alice MONITOR :Unknown command\nalice SETNAME x\n"
		"alice> :s 421 alice SETNAME :Unknown command\nalice RENAME #a #b\n"
		"alice> :s 421 alice RENAME :Unknown command\n",													   {.profile = "ngircd"}																				   },
	{"history is replayed at a join",
         CAPS_TIMED("1",
         "batch message-tags server-time") "alice JOIN #c\nalice MODE #c +H 2:60\nalice PRIVMSG #c :one\nalice PRIVMSG #c :two\n"
							  "+ 5\nalice NOTICE #c :three\n+ 5\n1 JOIN #c\n" T10
							  ":b1!u@h JOIN :#c\n" T10
							  ":s 353 b1 = #c :@alice b1 \n" T10
							  ":s 366 b1 #c :End of /NAMES list\n" T10
							  ":s BATCH +1 chathistory :#c\n"
							  "1> @batch=1;time=1970-01-01T00:16:40.000Z;msgid=m2 :alice!u@h PRIVMSG #c :two\n"
							  "1> @batch=1;time=1970-01-01T00:16:45.000Z;msgid=m3 :alice!u@h NOTICE #c :three\n" T10
							  ":s BATCH :-1\n", {.profile = "inspircd"}},
	{"history is asked for, and words are taken back",
         CAPS_IDENT("1",
         "batch draft/chathistory draft/message-redaction") "alice JOIN #c\nalice PRIVMSG #c :one\n1 JOIN #c\n1> :b1!u@h JOIN #c\n"
									   "1> :s 353 b1 = #c :@alice b1\n1> :s 366 b1 #c :End of /NAMES list\n"
									   "1 PRIVMSG #c :two\n1 CHATHISTORY LATEST #c * 9\n1> :s BATCH +1 chathistory #c\n"
									   "1> @batch=1 :alice!u@h PRIVMSG #c :one\n1> @batch=1 :b1!u@h PRIVMSG #c :two\n"
									   "1> :s BATCH -1\n1 REDACT #c m1\n1> :s FAIL REDACT REDACT_FORBIDDEN * :It is not yours\n"
									   "1 REDACT #c m2 :typo\n1> :b1!u@h REDACT #c m2 :typo\n1 REDACT #c m2\n"
									   "1> :s FAIL REDACT UNKNOWN_MSGID * :There is no such message\n"
									   "1 CHATHISTORY BEFORE #c * 9\n"
									   "1> :s FAIL CHATHISTORY INVALID_PARAMS :Only LATEST target * is known\n"
									   "1 CHATHISTORY LATEST #d * 9\n"
									   "1> :s FAIL CHATHISTORY INVALID_TARGET LATEST :It could not be retrieved\n",
         {.profile = "ergo"}},
	{"a channel gets another name",
         CAPS_IDENT("1",
         "draft/channel-rename") "alice JOIN #c\n1 JOIN #c\n1> :b1!u@h JOIN #c\n1> :s 353 b1 = #c :@alice b1\n"
						"1> :s 366 b1 #c :End of /NAMES list\n1 RENAME #c #d\n"
						"1> :s 482 b1 #c :You're not channel operator\nhear alice\nalice RENAME #c #d :why not\n"
						"alice> :alice!u@h PART #c :Changing channel name to #d\nalice> :alice!u@h JOIN #d\n"
						"alice> :s 353 alice = #d :@alice b1\nalice> :s 366 alice #d :End of /NAMES list\n"
						"1> :alice!u@h RENAME #c #d :why not\nalice RENAME #d #D\n"
						"alice> :s FAIL RENAME CHANNEL_NAME_IN_USE #d :It cannot have that name\n",
         {.profile = "ergo"}},
	{"joins are refused on request, but not people's",
         REG1
		"bar #c 2 471\n1 JOIN #c\n"
		"1> :s 471 bot #c :Cannot join channel (+l) - channel is full\nalice JOIN #c\n1 JOIN #C\n"
		"1> :s 471 bot #c :Cannot join channel (+l) - channel is full\n1 JOIN #c\n"
		"1> :bot!~u@h JOIN #c\n1> :s 353 bot = #c :@alice bot \n"
		"1> :s 366 bot #c :End of /NAMES list\nbar #d -1 470 ##d\n1 JOIN #d\n"
		"1> :s 470 bot #d ##d :Forwarding to another channel\n1> :bot!~u@h JOIN ##d\n"
		"1> :s 353 bot = ##d :@bot \n1> :s 366 bot ##d :End of /NAMES list\nbar #d 0 0\n"
		"1 JOIN #d\n1> :bot!~u@h JOIN #d\n1> :s 353 bot = #d :@bot \n"
		"1> :s 366 bot #d :End of /NAMES list\n",													  {.profile = "libera"}															   },
	{"a nick is changed by others",
         REG1
		"alice PING x\nrename bot Guest1\n"
		"1> :bot!~u@h NICK Guest1\nrename Guest1 alice\nGuest1! not renamed\nrename nobody x\n"
		"nobody! not renamed\nrename Guest1 1\nGuest1! not renamed\n",												      {.profile = "libera"}																				   },
	{"who is gone is known for a while",
         REG1
		"alice NICK alicia\nalice QUIT\n1 WHOWAS ALICE\n"
		"1> :s 314 bot alice u h * :alice\n1> :s 312 bot alice s :1000\n"
		"1> :s 369 bot ALICE :End of WHOWAS\n1 WHOWAS alicia\n1> :s 314 bot alicia u h * :alice\n"
		"1> :s 312 bot alicia s :1000\n1> :s 369 bot alicia :End of WHOWAS\n",													     {.profile = "libera"}												      },
	{"the server tells of itself",
         REG1 "1 TIME\n1> :s 391 bot s :00:16:40 Jan 01 1970\n1 ADMIN\n"
		     "1> :s 256 bot s :Administrative info\n1> :s 257 bot :Net\n"
		     "1> :s 258 bot :A network in memory\n1> :s 259 bot :admin@s\n1 INFO\n"
		     "1> :s 371 bot :solanum-1.0-dev\n1> :s 374 bot :End of /INFO list\n1 LINKS\n"
		     "1> :s 364 bot s s :0 Net\n1> :s 365 bot * :End of /LINKS list\n",														    {.profile = "libera"}																			    },
};

/* A line of a head and `times` a text. */
static void act_long(struct scene *s, const char *head, const char *text, int times)
{
	struct buf line;
	buf_init(&line, 8192);
	assert_int_equal(buf_addf(&line, "%s", head), 0);
	for (int i = 0; i < times; i++)
		assert_int_equal(buf_addf(&line, "%s", text), 0);
	scene_act(s, buf_str(&line));
	buf_fini(&line);
}

static void a_long_login_comes_in_chunks(void **state)
{
	(void)state;
	struct scene s;
	scene_begin(&s, (struct sim_options){.profile = "libera"});

	scene_run(&s, SASL);
	act_long(&s, "1 AUTHENTICATE ", "A", 400);
	act_long(&s, "1 AUTHENTICATE ", "A", 400);
	scene_run(&s, "1 AUTHENTICATE +\n" FAILED "1 AUTHENTICATE PLAIN\n1> AUTHENTICATE +\n");
	act_long(&s, "1 AUTHENTICATE ", "A", 401);
	scene_run(&s, "+ 0\n1> :s 905 * :SASL message too long\n"
		      "1 AUTHENTICATE PLAIN\n1> AUTHENTICATE +\n");
	for (int i = 0; i < 9; i++)
		act_long(&s, "1 AUTHENTICATE ", "A", 400);
	scene_run(&s, "+ 0\n1> :s 905 * :SASL message too long\n");

	scene_end(&s);
}

static void a_list_of_nicks_has_a_limit(void **state)
{
	char line[32];
	(void)state;
	struct scene s;
	scene_begin(&s, (struct sim_options){.profile = "libera"});
	for (int i = 0; i < 100; i++) {
		snprintf(line, sizeof(line), "alice MONITOR + n%d", i);
		scene_act(&s, str_of(line));
	}

	scene_run(&s, "hear alice\nalice MONITOR + n5,zoe,n100\n"
		      "alice> :s 734 alice 100 zoe,n100 :Monitor list is full.\n");

	scene_end(&s);
}

static void a_message_of_lines_has_limits(void **state)
{
	(void)state;
	struct scene s;
	scene_begin(&s, (struct sim_options){.profile = "ergo", .name = "Net"});
	scene_run(&s,
		CAPS_IDENT("1", "batch draft/multiline") "hear alice\n"
							 "1 BATCH +r draft/multiline alice\n");

	for (int i = 0; i < 100; i++)
		scene_run(&s, "1 @batch=r PRIVMSG alice :x\n");
	scene_run(&s, "1 @batch=r PRIVMSG alice :x\n"
		      "1> :s FAIL BATCH MULTILINE_MAX_LINES 100 :Too many lines\n"
		      "1 BATCH -r\n1 BATCH +r draft/multiline alice\n");
	for (int i = 0; i < 10; i++)
		act_long(&s, "1 @batch=r PRIVMSG alice :", "x", 400);
	act_long(&s, "1 @batch=r PRIVMSG alice :", "x", 400);
	scene_run(&s, "1 BATCH -r\n1> :s FAIL BATCH MULTILINE_MAX_BYTES 4096 :Too many bytes\n");

	scene_end(&s);
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, rows, life_of_a_connection);
	check_test(&c, a_long_login_comes_in_chunks);
	check_test(&c, a_list_of_nicks_has_a_limit);
	check_test(&c, a_message_of_lines_has_limits);
	return check_run(&c, "sim_caps");
}
