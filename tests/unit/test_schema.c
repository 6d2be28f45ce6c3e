#include "irc/schema.h"
#include "support/check.h"

#include <string.h>

enum { ORIGINAL_COMMANDS = 45, ORIGINAL_FORMS = 83, ARGS_MAX = 8, ROWS_PROMISED = 150 };

struct call {
	struct schema_arg args[ARGS_MAX];
	struct str values[ARGS_MAX][4];
	size_t n;
};

static void read_list(struct schema_arg *a, struct str *values, struct str text)
{
	a->is_list = true;
	a->values = values;
	while (text.p)
		values[a->n_values++] = str_cut(&text, '|');
}

/* Arguments are written name=value, name[]=first|second, name! for true and name? for false, with &
 * between them. */
static void read_args(struct call *c, const char *text)
{
	struct str rest = str_of(text);
	while (rest.n) {
		struct str value = str_cut(&rest, '&');
		struct schema_arg *a = &c->args[c->n];
		a->name = str_cut(&value, '=');
		char last = a->name.p[a->name.n - 1];
		a->is_true = last == '!';
		if (last == '!' || last == '?') {
			a->name.n--;
		} else if (last == ']') {
			a->name.n -= 2;
			read_list(a, c->values[c->n], value);
		} else {
			c->values[c->n][0] = value;
			a->values = c->values[c->n];
			a->n_values = 1;
		}
		c->n++;
	}
}

static int build(struct buf *out, const char *command, const char *args, struct err *err)
{
	struct call c = {.n = 0};
	read_args(&c, args);
	return schema_build(out, str_of(command), c.args, c.n, err);
}

/* Wide rows as calls, which wrap better than nested braces. */
#define BUILDS(...)         \
	(struct build_row)  \
	{                   \
		__VA_ARGS__ \
	}
#define REFUSES(...)        \
	(struct refuse_row) \
	{                   \
		__VA_ARGS__ \
	}

/* name is the line that shall come out */
static const struct build_row {
	const char *name, *command, *args;
} build_rows[] = {
	BUILDS("PASS secret", "pass", "password=secret"),
	BUILDS("NICK bot", "nick", "nick=bot"),
	BUILDS("USER bot 8 * :A bot", "user", "nick=bot&mode=8&realname=A bot"),
	BUILDS("USER bot 0 * :A bot", "user", "nick=bot&realname=A bot"),
	BUILDS("OPER root secret", "oper", "nick=root&password=secret"),
	BUILDS("MODE bot +i", "usermode", "nick=bot&modes=+i"),
	BUILDS("MODE bot", "usermode", "nick=bot"),
	BUILDS("SERVICE dict * *.fr 0 0 :French words", "service",
		"nick=dict&distribution=*.fr&type=0&info=French words"),
	BUILDS("QUIT :good bye", "quit", "message=good bye"),
	BUILDS("QUIT", "quit", ""),
	BUILDS("SQUIT far.example :bad link", "squit", "server=far.example&message=bad link"),
	BUILDS("SQUIT far.example", "squit", "server=far.example"),
	BUILDS("JOIN #a,#b k1,k2", "join", "channel[]=#a|#b&key[]=k1|k2"),
	BUILDS("JOIN #a,#b", "join", "channel[]=#a|#b"),
	BUILDS("PART #a,#b :see you", "part", "channel[]=#a|#b&message=see you"),
	BUILDS("PART #a", "part", "channel=#a"),
	BUILDS("MODE #a +k secret", "channelmode", "channel=#a&params[]=+k|secret"),
	BUILDS("TOPIC #a :a new day", "topic", "channel=#a&message=a new day"),
	BUILDS("TOPIC #a", "topic", "channel=#a"),
	BUILDS("NAMES #a,#b far.example", "names", "channel[]=#a|#b&target=far.example"),
	BUILDS("NAMES #a", "names", "channel=#a"),
	BUILDS("NAMES", "names", ""),
	BUILDS("LIST #a,#b far.example", "list", "channel[]=#a|#b&target=far.example"),
	BUILDS("LIST #a", "list", "channel=#a"),
	BUILDS("LIST", "list", ""),
	BUILDS("INVITE ann #a", "invite", "nick=ann&channel=#a"),
	BUILDS("KICK #a,#b ann,bob :out with you", "kick",
		"channel[]=#a|#b&nick[]=ann|bob&message=out with you"),
	BUILDS("KICK #a ann", "kick", "channel=#a&nick=ann"),
	BUILDS("PRIVMSG #a :hello there", "privmsg", "target=#a&message=hello there"),
	BUILDS("NOTICE #a :hello there", "notice", "target=#a&message=hello there"),
	BUILDS("MOTD far.example", "motd", "target=far.example"),
	BUILDS("MOTD", "motd", ""),
	BUILDS("LUSERS *.fr far.example", "lusers", "mask=*.fr&target=far.example"),
	BUILDS("LUSERS *.fr", "lusers", "mask=*.fr"),
	BUILDS("LUSERS", "lusers", ""),
	BUILDS("VERSION far.example", "version", "target=far.example"),
	BUILDS("VERSION", "version", ""),
	BUILDS("STATS u far.example", "stats", "query=u&target=far.example"),
	BUILDS("STATS u", "stats", "query=u"),
	BUILDS("STATS", "stats", ""),
	BUILDS("LINKS far.example *.fr", "links", "remote=far.example&mask=*.fr"),
	BUILDS("LINKS *.fr", "links", "mask=*.fr"),
	BUILDS("LINKS", "links", ""),
	BUILDS("TIME far.example", "time", "target=far.example"),
	BUILDS("TIME", "time", ""),
	BUILDS("CONNECT far.example 6667 hub.example", "connect",
		"target=far.example&port=6667&remote=hub.example"),
	BUILDS("CONNECT far.example 6667", "connect", "target=far.example&port=6667"),
	BUILDS("TRACE far.example", "trace", "target=far.example"),
	BUILDS("TRACE", "trace", ""),
	BUILDS("ADMIN far.example", "admin", "target=far.example"),
	BUILDS("ADMIN", "admin", ""),
	BUILDS("INFO far.example", "info", "target=far.example"),
	BUILDS("INFO", "info", ""),
	BUILDS("SERVLIST d* 0", "servlist", "mask=d*&type=0"),
	BUILDS("SERVLIST d*", "servlist", "mask=d*"),
	BUILDS("SERVLIST", "servlist", ""),
	BUILDS("SQUERY dict :fr en chien", "squery", "target=dict&message=fr en chien"),
	BUILDS("WHO *.fr o", "who", "mask=*.fr&o!"),
	BUILDS("WHO *.fr", "who", "mask=*.fr"),
	BUILDS("WHO", "who", ""),
	BUILDS("WHOIS far.example ann,bob", "whois", "target=far.example&mask[]=ann|bob"),
	BUILDS("WHOIS ann", "whois", "mask=ann"),
	BUILDS("WHOWAS ann,bob 5 far.example", "whowas",
		"nick[]=ann|bob&count=5&target=far.example"),
	BUILDS("WHOWAS ann 5", "whowas", "nick=ann&count=5"),
	BUILDS("WHOWAS ann,bob", "whowas", "nick[]=ann|bob"),
	BUILDS("KILL ann :spam and more", "kill", "nick=ann&message=spam and more"),
	BUILDS("PING token far.example", "ping", "message=token&target=far.example"),
	BUILDS("PING token", "ping", "message=token"),
	BUILDS("PONG :token 2", "pong", "message=token 2"),
	BUILDS("PONG", "pong", ""),
	BUILDS("AWAY :out for lunch", "away", "message=out for lunch"),
	BUILDS("AWAY", "away", ""),
	BUILDS("REHASH", "rehash", ""),
	BUILDS("DIE", "die", ""),
	BUILDS("RESTART", "restart", ""),
	BUILDS("SUMMON ann far.example #a", "summon", "nick=ann&target=far.example&channel=#a"),
	BUILDS("SUMMON ann far.example", "summon", "nick=ann&target=far.example"),
	BUILDS("SUMMON ann", "summon", "nick=ann"),
	BUILDS("USERS far.example", "users", "target=far.example"),
	BUILDS("USERS", "users", ""),
	BUILDS("WALLOPS :to all of you", "wallops", "message=to all of you"),
	BUILDS("USERHOST ann bob", "userhost", "nick[]=ann|bob"),
	BUILDS("ISON ann bob", "ison", "nick[]=ann|bob"),
	BUILDS("MODE #a +ov ann bob", "channelmode", "channel=#a&modes=+ov&params[]=ann|bob"),
	BUILDS("MODE #a +nt", "channelmode", "channel=#a&modes=+nt"),
	BUILDS("MODE #a", "channelmode", "channel=#a"),
	BUILDS("ACCEPT ann,-bob", "accept", "nick[]=ann|-bob"),
	BUILDS("PRIVMSG #a :\1ACTION waves twice\1", "action", "target=#a&message=waves twice"),
	BUILDS("AUTHENTICATE PLAIN", "authenticate", "data=PLAIN"),
	BUILDS("CAP REQ :sasl away-notify", "cap", "subcommand=REQ&caps[]=sasl|away-notify"),
	BUILDS("CAP LS 302", "cap", "subcommand=LS&version=302"),
	BUILDS("CAP END", "cap", "subcommand=END"),
	BUILDS("CHATHISTORY BETWEEN #a msgid=1 msgid=9 50", "chathistory",
		"subcommand=BETWEEN&target=#a&from=msgid=1&to=msgid=9&limit=50"),
	BUILDS("CHATHISTORY LATEST #a * 50", "chathistory",
		"subcommand=LATEST&target=#a&from=*&limit=50"),
	BUILDS("CHATHISTORY TARGETS timestamp=1 timestamp=2 50", "chathistory",
		"subcommand=TARGETS&from=timestamp=1&to=timestamp=2&limit=50"),
	BUILDS("PRIVMSG ann :\1PING 123 4\1", "ctcp", "target=ann&command=PING&message=123 4"),
	BUILDS("PRIVMSG ann :\1VERSION\1", "ctcp", "target=ann&command=VERSION"),
	BUILDS("NOTICE ann :\1VERSION ebb 0.1\1", "ctcp_reply",
		"target=ann&command=VERSION&message=ebb 0.1"),
	BUILDS("NOTICE ann :\1PING\1", "ctcp_reply", "target=ann&command=PING"),
	BUILDS("HELP :user modes", "help", "subject=user modes"),
	BUILDS("HELP", "help", ""),
	BUILDS("KNOCK #a :let me in", "knock", "channel=#a&message=let me in"),
	BUILDS("KNOCK #a", "knock", "channel=#a"),
	BUILDS("MODE #a +b *!*@spam.example", "mode",
		"target=#a&modes=+b&params[]=*!*@spam.example"),
	BUILDS("MODE bot +i", "mode", "target=bot&modes=+i"),
	BUILDS("MODE bot", "mode", "target=bot"),
	BUILDS("MONITOR + ann,bob", "monitor", "modifier=+&target[]=ann|bob"),
	BUILDS("MONITOR L", "monitor", "modifier=L"),
	BUILDS("REDACT #a id :spam and more", "redact",
		"target=#a&target_msgid=id&message=spam and more"),
	BUILDS("REDACT ann id", "redact", "target=ann&target_msgid=id"),
	BUILDS("RENAME #a #b :a better name", "rename",
		"channel=#a&new_channel=#b&message=a better name"),
	BUILDS("RENAME #a #b", "rename", "channel=#a&new_channel=#b"),
	BUILDS("SETNAME :Another name", "setname", "realname=Another name"),
	BUILDS("SETNAME :Another name", "setname", "real_name=Another name"),
	BUILDS("SILENCE *!*@spam.example pn", "silence", "mask=*!*@spam.example&flags=pn"),
	BUILDS("SILENCE a!*@*,~b!*@*", "silence", "mask[]=a!*@*|~b!*@*"),
	BUILDS("SILENCE", "silence", ""),
	BUILDS("TAGMSG #a", "tagmsg", "target=#a"),
	BUILDS("WEBIRC secret gate host.example 192.0.2.1 :secure x=y", "webirc",
		"password=secret&gateway=gate&hostname=host.example&ip=192.0.2.1&options[]=secure|x=y"),
	BUILDS("WEBIRC secret gate host.example 192.0.2.1", "webirc",
		"password=secret&gateway=gate&hostname=host.example&ip=192.0.2.1"),
	BUILDS("WHO #a %tuhna,42", "whox", "mask=#a&fields=%tuhna,42"),
	BUILDS("PRIVMSG #a :", "privmsg", "target=#a&message="),
	BUILDS("PRIVMSG #a ::)", "privmsg", "target=#a&message=:)"),
	BUILDS("PRIVMSG #a :\2bold\2", "PrivMsg", "message=\2bold\2&target=#a"),
	BUILDS("TOPIC #a :", "topic", "channel=#a&message="),
	BUILDS("JOIN #a,#b", "join", "channel=#a,#b"),
	BUILDS("JOIN #a", "join", "channel[]=#a"),
	BUILDS("WHO #a", "who", "mask=#a&o?"),
	BUILDS("CAP REQ :sasl away-notify", "cap", "subcommand=REQ&caps=sasl away-notify"),
	BUILDS("PRIVMSG ann :\1PING \1", "ctcp", "target=ann&command=PING&message="),
	BUILDS("PRIVMSG #a :\1ACTION \1", "action", "target=#a&message="),
	BUILDS("PRIVMSG @#a :ops only", "privmsg", "target=@#a&message=ops only"),
	BUILDS("NOTICE ann :", "notice", "target=ann&message="),
	BUILDS("PRIVMSG #a : ", "privmsg", "target=#a&message= "),
	BUILDS("PRIVMSG #a :\xff\xfe", "privmsg", "target=#a&message=\xff\xfe"),
	BUILDS("QUIT :", "QUIT", "message="),
	BUILDS("AWAY :", "away", "message="),
	BUILDS("PART #a :", "part", "channel=#a&message="),
	BUILDS("KICK #a ann ::(", "kick", "channel=#a&nick=ann&message=:("),
	BUILDS("JOIN #a,#b k1", "join", "channel[]=#a|#b&key=k1"),
	BUILDS("PART #a,#b", "part", "channel[]=#a|#b"),
	BUILDS("KICK #a ann,bob", "kick", "channel=#a&nick[]=ann|bob"),
	BUILDS("MODE #a -l", "channelmode", "channel=#a&params=-l"),
	BUILDS("MODE #a +k secret", "channelmode", "channel=#a&modes=+k&params=secret"),
	BUILDS("MODE #a +b", "mode", "target=#a&modes=+b"),
	BUILDS("WHOIS ann ann", "whois", "target=ann&mask=ann"),
	BUILDS("WHOIS ann,bob", "whois", "mask[]=ann|bob"),
	BUILDS("USERHOST ann", "userhost", "nick=ann"),
	BUILDS("ISON ann", "ison", "nick=ann"),
	BUILDS("ACCEPT *", "accept", "nick=*"),
	BUILDS("MONITOR - ann", "monitor", "modifier=-&target=ann"),
	BUILDS("MONITOR C", "monitor", "modifier=C"),
	BUILDS("CAP LS", "cap", "subcommand=LS"),
	BUILDS("CAP REQ :-batch", "cap", "subcommand=REQ&caps[]=-batch"),
	BUILDS("AUTHENTICATE +", "authenticate", "data=+"),
	BUILDS("SILENCE +*!*@spam.example", "silence", "mask=+*!*@spam.example"),
	BUILDS("PONG :", "pong", "message="),
	BUILDS("PING 1", "ping", "message=1"),
	BUILDS("NICK bot", "NICK", "nick=bot"),
	BUILDS("USER bot 0 * :", "user", "nick=bot&realname="),
};

static void schema_builds(void **state)
{
	const struct build_row *row = *state;
	struct buf out;
	struct err err = {0};
	buf_init(&out, 512);

	int r = build(&out, row->command, row->args, &err);

	assert_string_equal(err.text, "");
	assert_int_equal(r, 0);
	assert_slice(buf_str(&out), row->name);
	buf_fini(&out);
}

static const struct refuse_row {
	const char *name, *command, *args, *text;
} refuse_rows[] = {
	REFUSES("refuse: unknown command", "privmgs", "target=#a", "no command 'privmgs'"),
	REFUSES("refuse: empty command", "", "", "no command ''"),
	REFUSES("refuse: unknown parameter", "privmsg", "target=#a&mesage=x",
		"privmsg: no parameter 'mesage'; forms: PRIVMSG {target} :{message}"),
	REFUSES("refuse: unknown beside a full form", "quit", "message=x&target=y",
		"quit: no parameter 'target'; forms: QUIT :{message} | QUIT"),
	REFUSES("refuse: names are exact", "nick", "Nick=ann",
		"nick: no parameter 'Nick'; forms: NICK {nick}"),
	REFUSES("refuse: no form fits", "kick", "channel=#a",
		"kick: no form fits; forms: KICK {channel:comma} {nick:comma} :{message} | KICK {channel:comma} {nick:comma}"),
	REFUSES("refuse: nothing given", "nick", "", "nick: no form fits; forms: NICK {nick}"),
	REFUSES("refuse: a parameter left over", "list", "target=far.example",
		"list: no form fits with 'target'; forms: LIST {channel:comma} {target} | LIST {channel:comma} | LIST"),
	REFUSES("refuse: two left over", "connect", "target=a&remote=b",
		"connect: no form fits; forms: CONNECT {target} {port} {remote} | CONNECT {target} {port}"),
	REFUSES("refuse: both of two forms", "setname", "realname=a&real_name=b",
		"setname: no form fits with 'real_name'; forms: SETNAME :{realname} | SETNAME :{real_name}"),
	REFUSES("refuse: \\x01 is shown as such", "action", "target=#a",
		"action: no form fits; forms: PRIVMSG {target} :\\x01ACTION {message}\\x01"),
	REFUSES("refuse: space", "privmsg", "target=#a b&message=x", "privmsg: target has a space"),
	REFUSES("refuse: empty", "privmsg", "target=&message=x", "privmsg: target is empty"),
	REFUSES("refuse: leading colon", "join", "channel=:#a",
		"join: channel begins with a colon"),
	REFUSES("refuse: LF in the last", "privmsg", "target=#a&message=x\nQUIT",
		"privmsg: message has a line break"),
	REFUSES("refuse: CR in the last", "privmsg", "target=#a&message=x\rQUIT",
		"privmsg: message has a line break"),
	REFUSES("refuse: LF in the middle", "privmsg", "target=#a\n&message=x",
		"privmsg: target has a line break"),
	REFUSES("refuse: LF in a list", "ison", "nick[]=ann|b\nQUIT",
		"ison: nick has a line break"),
	REFUSES("refuse: list for one", "privmsg", "target[]=#a|#b&message=x",
		"privmsg: target takes one value, not a list"),
	REFUSES("refuse: list of one for one", "privmsg", "target=#a&message[]=x",
		"privmsg: message takes one value, not a list"),
	REFUSES("refuse: list for a word", "ping", "message[]=a|b",
		"ping: message takes one value, not a list"),
	REFUSES("refuse: comma for target", "privmsg", "target=#a,#b&message=x",
		"privmsg: target takes one name, and has a comma"),
	REFUSES("refuse: comma for nick", "nick", "nick=a,b",
		"nick: nick takes one name, and has a comma"),
	REFUSES("refuse: comma for channel", "topic", "channel=#a,#b",
		"topic: channel takes one name, and has a comma"),
	REFUSES("refuse: comma for server", "squit", "server=a,b",
		"squit: server takes one name, and has a comma"),
	REFUSES("refuse: comma within a list", "join", "channel[]=#a|#b,#c",
		"join: channel has a comma within a list"),
	REFUSES("refuse: empty list", "join", "channel[]", "join: channel is an empty list"),
	REFUSES("refuse: empty in a list", "join", "channel[]=#a|", "join: channel is empty"),
	REFUSES("refuse: space in a list", "ison", "nick[]=ann|b c", "ison: nick has a space"),
	REFUSES("refuse: space in a joined value", "ison", "nick=ann bob",
		"ison: nick has a space"),
	REFUSES("refuse: colon in a list", "channelmode", "channel=#a&modes=+b&params[]=:x",
		"channelmode: params begins with a colon"),
	REFUSES("refuse: space in a last list", "cap", "subcommand=REQ&caps[]=a|b c",
		"cap: caps has a space"),
	REFUSES("refuse: space in nospace", "ping", "message=a b", "ping: message has a space"),
	REFUSES("refuse: space in a ctcp command", "ctcp", "target=#a&command=PING 1",
		"ctcp: command has a space"),
	REFUSES("refuse: an empty ctcp command", "ctcp", "target=#a&command=&message=x",
		"ctcp: command is empty"),
	REFUSES("refuse: \\x01 in an action", "action", "target=#a&message=a\1b",
		"action: message has a \\x01"),
	REFUSES("refuse: text for a boolean", "who", "mask=#a&o=o", "who: o takes true or false"),
	REFUSES("refuse: true for text", "privmsg", "target=#a&message!",
		"privmsg: message is a boolean"),
	REFUSES("refuse: false for text", "topic", "channel=#a&message?",
		"topic: message is a boolean"),
	REFUSES("refuse: comma for a new channel", "rename", "channel=#a&new_channel=#b,#c",
		"rename: new_channel takes one name, and has a comma"),
	REFUSES("refuse: a password of two words", "pass", "password=two words",
		"pass: password has a space"),
	REFUSES("refuse: \\x01 in a ctcp command", "ctcp", "target=ann&command=A\1B",
		"ctcp: command has a \\x01"),
	REFUSES("refuse: \\x01 in an answer", "ctcp_reply", "target=ann&command=A&message=\1",
		"ctcp_reply: message has a \\x01"),
	REFUSES("refuse: a key without a channel", "join", "key=x",
		"join: no form fits; forms: JOIN {channel:comma} {key:comma} | JOIN {channel:comma}"),
	REFUSES("refuse: a message that goes to nobody", "privmsg", "message=x",
		"privmsg: no form fits; forms: PRIVMSG {target} :{message}"),
	REFUSES("refuse: empty text for a middle parameter", "nick",
		"nick=", "nick: nick is empty"),
	REFUSES("refuse: a boolean without its mask", "who", "o!",
		"who: no form fits with 'o'; forms: WHO {mask} {o:bool} | WHO {mask} | WHO"),
};

/* What is wrong; and behind it what can be written instead. */
static void assert_refusal(const char *text, const char *what)
{
	if (strstr(what, "; forms: ")) {
		assert_string_equal(text, what);
		return;
	}
	assert_int_equal(strncmp(text, what, strlen(what)), 0);
	assert_true(strncmp(text + strlen(what), "; forms: ", 9) == 0 ||
		    strncmp(text + strlen(what), "; there are: pass nick ", 23) == 0);
}

static void schema_refuses(void **state)
{
	const struct refuse_row *row = *state;
	struct buf out;
	struct err err = {0};
	buf_init(&out, 512);
	assert_int_equal(buf_add(&out, STR("before")), 0);

	assert_int_equal(build(&out, row->command, row->args, &err), ERR_INVALID);

	assert_refusal(err.text, row->text);
	assert_int_equal(err.code, ERR_INVALID);
	assert_slice(buf_str(&out), "before");
	assert_int_equal(build(&out, row->command, row->args, NULL), ERR_INVALID);
	buf_fini(&out);
}

static void schema_refuses_a_nul(void **state)
{
	(void)state;
	const struct str values[] = {STR("#a"), STR("x\0y")};
	const struct schema_arg args[] = {
		{.name = STR("target"),  .values = &values[0], .n_values = 1},
		{.name = STR("message"), .values = &values[1], .n_values = 1},
	};
	struct buf out;
	struct err err = {0};
	buf_init(&out, 512);

	assert_int_equal(schema_build(&out, STR("privmsg"), args, 2, &err), ERR_INVALID);

	assert_refusal(err.text, "privmsg: message has a NUL");
	assert_slice(buf_str(&out), "");
	buf_fini(&out);
}

static void schema_refuses_more_values_than_it_takes(void **state)
{
	(void)state;
	struct str values[SCHEMA_LIST_MAX + 1];
	for (size_t i = 0; i < COUNTOF(values); i++)
		values[i] = STR("a");
	struct schema_arg arg = {.name = STR("nick"),
		.values = values,
		.n_values = SCHEMA_LIST_MAX,
		.is_list = true};
	struct buf out;
	struct err err = {0};
	buf_init(&out, 1024);

	assert_int_equal(schema_build(&out, STR("ison"), &arg, 1, &err), 0);
	assert_int_equal(buf_str(&out).n, strlen("ISON") + 2 * SCHEMA_LIST_MAX);
	arg.n_values++;
	assert_int_equal(schema_build(&out, STR("ison"), &arg, 1, &err), ERR_INVALID);

	assert_refusal(err.text, "ison: nick has too many values");
	buf_fini(&out);
}

static void schema_leaves_a_full_buffer_alone(void **state)
{
	(void)state;
	struct buf out;
	struct err err = {0};
	buf_init(&out, 20);
	assert_int_equal(buf_add(&out, STR("before")), 0);

	int r = build(&out, "privmsg", "target=#a&message=hello there", &err);

	assert_int_equal(r, ERR_LIMIT);
	assert_string_equal(err.text, "privmsg: the line is too long");
	assert_slice(buf_str(&out), "before");
	assert_int_equal(build(&out, "privmsg", "target=#a&message=x", &err), 0);
	assert_slice(buf_str(&out), "beforePRIVMSG #a :x");
	buf_fini(&out);
}

static void schema_builds_from_forms_of_the_caller(void **state)
{
	(void)state;
	const struct schema_command command = {
		"relay", (const char *const[]){"RELAYMSG {channel} {nick}",
					       "RELAYMSG {channel} {nick} :{message}", NULL}
        };
	struct call c = {.n = 0};
	read_args(&c, "channel=#a&nick=ann/x&message=hello there");
	struct buf out;
	struct err err = {0};
	buf_init(&out, 512);

	assert_int_equal(schema_build_from(&out, &command, c.args, c.n, &err), 0);

	assert_slice(buf_str(&out), "RELAYMSG #a ann/x :hello there");
	buf_fini(&out);
}

static const struct form_row {
	const char *name, *form, *text; /* NULL: good */
} form_rows[] = {
	{"form: no holes",      "MOTD",						NULL					   },
	{"form: every kind",    "X {a} {b:comma} {c:space} {d:bool} {e:nospace} :{f}", NULL                                           },
	{"form: empty",         "",						    "form '': no command"                          },
	{"form: a hole first",  "{a} b",					       "form '{a} b': no command"                     },
	{"form: a space first", " X",						  "form ' X': no command"                        },
	{"form: unclosed",      "X {a",						"form 'X {a': a { without }"                   },
	{"form: unopened",      "X a}",						"form 'X a}': a } without {"                   },
	{"form: no name",       "X {}",						"form 'X {}': a hole has no name"              },
	{"form: no name, kind", "X {:comma}",                                          "form 'X {:comma}': a hole has no name"        },
	{"form: unknown kind",  "X {a:list}",                                          "form 'X {a:list}': a hole is of no known kind"},
	{"form: too many",      "X {a} {b} {c} {d} {e} {f} {g} {h} {i}",
         "form 'X {a} {b} {c} {d} {e} {f} {g} {h} {i}': too many holes"                                                               },
	{"form: a line break",  "X {a}\n",					     "form 'X {a}\n': a line break"                 },
};

static void schema_checks_a_form(void **state)
{
	const struct form_row *row = *state;
	struct err err = {0};
	assert_int_equal(schema_check_form(row->form, &err), row->text ? ERR_INVALID : 0);
	assert_string_equal(err.text, row->text ? row->text : "");
}

static size_t count_holes(const char *form)
{
	size_t n = 0;
	for (; *form; form++)
		n += *form == '{';
	return n;
}

static size_t check_forms(const struct schema_command *c)
{
	size_t n = 0;
	for (; c->forms[n]; n++) {
		assert_int_equal(schema_check_form(c->forms[n], NULL), 0);
		if (n > 0)
			assert_true(count_holes(c->forms[n]) <= count_holes(c->forms[n - 1]));
	}
	assert_in_range(n, 1, SCHEMA_FORMS_MAX);
	return n;
}

static void schema_table_is_whole(void **state)
{
	(void)state;
	size_t n_forms = 0, i = 0;
	for (const struct schema_command *c = schema_command(0); c; c = schema_command(++i)) {
		n_forms += check_forms(c);
		assert_ptr_equal(schema_find(str_of(c->name)), c);
		if (i + 1 == ORIGINAL_COMMANDS) {
			assert_string_equal(c->name, "ison");
			assert_int_equal(n_forms, ORIGINAL_FORMS + 3); /* channelmode's */
		}
	}
	assert_true(i > ORIGINAL_COMMANDS);
	assert_null(schema_command(i));
	assert_null(schema_find(STR("")));
}

/* A hole of a form in the table, read as schema.h says. */
struct hole {
	struct str name, kind;
	bool is_free;
};

static size_t read_holes(const char *form, struct hole holes[ARGS_MAX])
{
	size_t n = 0;
	struct str rest = str_of(form);
	for (;;) {
		str_cut(&rest, '{');
		if (!rest.p)
			return n;
		assert_true(n < ARGS_MAX);
		struct hole *h = &holes[n++];
		h->kind = str_cut(&rest, '}');
		h->name = str_cut(&h->kind, ':');
		const char *last = strstr(form, " :");
		h->is_free = last && last < h->name.p && !str_has(rest, '{') &&
			     !str_eq(h->kind, STR("nospace"));
	}
}

/* Every hole of the form is filled with a word but one, which has this value. */
static int build_with(const struct schema_command *c, const struct hole *holes, size_t n, size_t at,
	struct str value)
{
	struct schema_arg args[ARGS_MAX] = {0};
	struct str values[ARGS_MAX];
	struct buf out;
	buf_init(&out, 512);
	for (size_t i = 0; i < n; i++) {
		values[i] = i == at ? value : STR("word");
		args[i].name = holes[i].name;
		args[i].is_true = str_eq(holes[i].kind, STR("bool"));
		args[i].values = args[i].is_true ? NULL : &values[i];
		args[i].n_values = !args[i].is_true;
	}
	int r = schema_build_from(&out, c, args, n, NULL);
	assert_false(r < 0 && buf_str(&out).n);
	buf_fini(&out);
	return r;
}

static const struct {
	const char *name;
	struct str value;
	bool is_for_words; /* and not for the text at the end */
} bad_values[] = {
	{"empty",   STR_CONST(""),     true },
	{"a space", STR_CONST("a b"),  true },
	{"a colon", STR_CONST(":a"),   true },
	{"a CR",    STR_CONST("a\r"),  false},
	{"a LF",    STR_CONST("a\nb"), false},
	{"a NUL",   STR_CONST("a\0b"), false},
};

static void check_hole(
	const struct schema_command *c, const struct hole *holes, size_t n, size_t at)
{
	const struct hole *h = &holes[at];
	if (str_eq(h->kind, STR("bool")))
		return;
	for (size_t i = 0; i < COUNTOF(bad_values); i++) {
		bool is_refused = build_with(c, holes, n, at, bad_values[i].value) == ERR_INVALID;
		if (is_refused == (h->is_free && bad_values[i].is_for_words))
			fail_msg("%s: %" STR_F ": %s is %s", c->name, STR_A(h->name),
				bad_values[i].name, is_refused ? "refused" : "taken");
	}
}

static void every_hole_of_every_form_refuses_what_would_break_the_line(void **state)
{
	(void)state;
	const struct schema_command *c;
	struct hole holes[ARGS_MAX];
	for (size_t i = 0; (c = schema_command(i)); i++) {
		for (const char *const *form = c->forms; *form; form++) {
			size_t n = read_holes(*form, holes);
			for (size_t at = 0; at < n; at++)
				check_hole(c, holes, n, at);
		}
	}
}

static bool has_build_row(const char *command)
{
	for (size_t i = 0; i < COUNTOF(build_rows); i++)
		if (strcmp(build_rows[i].command, command) == 0)
			return true;
	return false;
}

static void the_rows_have_every_command(void **state)
{
	(void)state;
	const struct schema_command *c;
	assert_true(COUNTOF(build_rows) >= ROWS_PROMISED);
	for (size_t i = 0; (c = schema_command(i)); i++)
		if (!has_build_row(c->name))
			fail_msg("%s: has no row", c->name);
}

/* The rows above, all in all, use each form once. */
static void schema_rows_cover_every_form(void **state)
{
	(void)state;
	size_t n_forms = 0, n_rows = 0, i = 0;
	for (const struct schema_command *c = schema_command(0); c; c = schema_command(++i))
		n_forms += check_forms(c);
	while (strcmp(build_rows[n_rows].name, "PRIVMSG #a :") != 0)
		n_rows++;
	assert_int_equal(n_rows, n_forms);
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, build_rows, schema_builds);
	check_rows(&c, refuse_rows, schema_refuses);
	check_test(&c, schema_refuses_a_nul);
	check_test(&c, schema_refuses_more_values_than_it_takes);
	check_test(&c, schema_leaves_a_full_buffer_alone);
	check_test(&c, schema_builds_from_forms_of_the_caller);
	check_rows(&c, form_rows, schema_checks_a_form);
	check_test(&c, schema_table_is_whole);
	check_test(&c, every_hole_of_every_form_refuses_what_would_break_the_line);
	check_test(&c, the_rows_have_every_command);
	check_test(&c, schema_rows_cover_every_form);
	return check_run(&c, "schema");
}
