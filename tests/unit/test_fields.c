#include "irc/fields.h"

#include "base/err.h"
#include "irc/modes.h"
#include "irc/numeric.h"
#include "support/check.h"

#include <string.h>

static struct isupport *server(void)
{
	struct isupport *is = isupport_new();
	assert_true(isupport_apply(&is, STR("STATUSMSG=@+")));
	assert_true(isupport_apply(&is, STR("CHANTYPES=#&")));
	assert_true(isupport_apply(&is, STR("PREFIX=(ov)@+")));
	assert_true(isupport_apply(&is, STR("CHANMODES=beI,k,l,imnst")));
	return is;
}

static void show_tags(struct buf *out, struct str rest)
{
	struct str key, value;
	while (message_next_tag(&rest, &key, &value))
		assert_int_equal(
			buf_addf(out, "%" STR_F ":%" STR_F ";", STR_A(key), STR_A(value)), 0);
}

static void show_item(struct buf *out, struct str item)
{
	assert_int_equal(buf_addf(out, "[%" STR_F "]", STR_A(item)), 0);
}

static void show_changes(struct buf *out, const struct value *v, const struct isupport *is)
{
	struct mode_reader r;
	struct mode_change change;
	modes_begin(&r, is, v->str, v->list, v->n);
	while (modes_next(&r, &change)) {
		assert_int_equal(buf_addf(out, "%c%c ", change.set ? '+' : '-', change.mode), 0);
		show_item(out, change.param);
	}
}

/* A value as the tables below write it: text as it is, [lists][so], nil for none. */
static void show(struct buf *out, const struct value *v, const struct isupport *is)
{
	struct str rest = v->str;
	switch (v->type) {
	case VALUE_NONE:
		assert_int_equal(buf_add(out, STR("nil")), 0);
		break;
	case VALUE_STR:
		assert_non_null(v->str.p);
		assert_int_equal(buf_add(out, v->str), 0);
		break;
	case VALUE_ESCAPED:
		assert_int_equal(message_unescape(out, v->str), 0);
		break;
	case VALUE_INT:
		assert_int_equal(buf_addf(out, "int %lld", (long long)v->integer), 0);
		break;
	case VALUE_FLOAT:
		assert_int_equal(buf_addf(out, "float %g", v->number), 0);
		break;
	case VALUE_BOOL:
		assert_int_equal(buf_add(out, v->integer ? STR("true") : STR("false")), 0);
		break;
	case VALUE_LIST:
		for (size_t i = 0; i < v->n; i++)
			show_item(out, v->list[i]);
		break;
	case VALUE_LINES:
		show_item(out, v->str);
		break;
	case VALUE_WORDS:
		for (struct str w = str_word(&rest, " "); w.p; w = str_word(&rest, " "))
			show_item(out, w);
		break;
	case VALUE_COMMAS:
		for (struct str w = str_word(&rest, ","); w.p; w = str_word(&rest, ","))
			show_item(out, w);
		break;
	case VALUE_TAGS:
		show_tags(out, rest);
		break;
	case VALUE_CHANGES:
		show_changes(out, v, is);
		break;
	}
}

static void check_field(const struct message *m, int kind, struct str field, struct str expected)
{
	struct isupport *is = server();
	struct buf out;
	struct value v;
	buf_init(&out, 1024);
	const struct field *f = field_find(kind, field);
	assert_non_null(f);

	field_read(f, m, is, &v);
	show(&out, &v, is);

	if (!str_eq(buf_str(&out), expected))
		fail_msg("%" STR_F ": \"%" STR_F "\", expected \"%" STR_F "\"", STR_A(field),
			STR_A(buf_str(&out)), STR_A(expected));
	buf_fini(&out);
	isupport_unref(is);
}

static int kind_of(struct message *m, const char *line)
{
	struct isupport *is = server();
	assert_int_equal(message_parse(m, str_of(line)), 0);
	int kind = event_kind_of(m, is);
	isupport_unref(is);
	return kind;
}

#define READS(...)          \
	(struct line_row)   \
	{                   \
		__VA_ARGS__ \
	}

/* name is the line; fields are name=value, with a tab between them */
static const struct line_row {
	const char *name, *event, *fields;
} line_rows[] = {
	READS("PING :irc.example", "ping", "message=irc.example\tsource=nil"),
	READS("PING a b", "ping", "message=b"),
	READS(":irc.example PONG irc.example :token 1", "pong",
		"message=token 1\thost=irc.example\tnick=nil"),
	READS("ERROR :Closing Link: bot (Quit)", "error", "message=Closing Link: bot (Quit)"),
	READS("ERROR", "error", "message=nil"),
	READS(":ann!a@h PRIVMSG #c :hello there", "privmsg",
		"target=#c\tmessage=hello there\tchannel=#c\tstatusmsg=nil\tnick=ann\tuser=a\thost=h"),
	READS(":ann!a@h PRIVMSG bot :hello", "privmsg",
		"target=bot\tmessage=hello\tchannel=nil\tstatusmsg=nil"),
	READS(":ann!a@h PRIVMSG @#c :ops only", "privmsg",
		"target=@#c\tmessage=ops only\tchannel=#c\tstatusmsg=@"),
	READS(":ann!a@h PRIVMSG #c :", "privmsg", "message="),
	READS(":ann!a@h privmsg #c hello", "privmsg", "message=hello\tcommand=privmsg"),
	READS(":ann!a@h PRIVMSG #c :\1", "privmsg", "message=\1"),
	READS(":ann!a@h PRIVMSG #c :\1\1", "privmsg", "message=\1\1"),
	READS(":ann!a@h PRIVMSG #c :\1 VERSION\1", "privmsg", "message=\1 VERSION\1"),
	READS(":ann!a@h PRIVMSG #c :say \1VERSION\1", "privmsg", "message=say \1VERSION\1"),
	READS(":irc.example NOTICE bot :be welcome", "notice",
		"target=bot\tmessage=be welcome\tchannel=nil\tnick=nil\thost=irc.example"),
	READS("NOTICE AUTH :*** Looking up your hostname", "notice",
		"target=AUTH\tmessage=*** Looking up your hostname\thost=nil"),
	READS(":ann!a@h NOTICE +#c :voices", "notice",
		"target=+#c\tchannel=#c\tstatusmsg=+\tmessage=voices"),
	READS("@+typing=active :ann!a@h TAGMSG #c", "tagmsg",
		"target=#c\tchannel=#c\tmessage=nil\ttags=+typing:active;"),
	READS("@+typing=active :ann!a@h TAGMSG @#c", "tagmsg",
		"target=@#c\tchannel=#c\tstatusmsg=@"),
	READS(":ann!a@h PRIVMSG bot :\1VERSION\1", "ctcp",
		"target=bot\tchannel=nil\tctcp=VERSION\tmessage=nil\tstatusmsg=nil"),
	READS(":ann!a@h PRIVMSG bot :\1version\1", "ctcp", "ctcp=VERSION"),
	READS(":ann!a@h PRIVMSG bot :\1ping 123 4\1", "ctcp", "ctcp=PING\tmessage=123 4"),
	READS(":ann!a@h PRIVMSG bot :\1PING \1", "ctcp", "ctcp=PING\tmessage="),
	READS(":ann!a@h PRIVMSG @#c :\1Time", "ctcp", "ctcp=TIME\tchannel=#c\tstatusmsg=@"),
	READS(":ann!a@h PRIVMSG #c :\1Custom x\1", "ctcp",
		"ctcp=Custom\tmessage=x\ttarget=#c\tchannel=#c"),
	READS(":ann!a@h NOTICE bot :\1VERSION irssi 1.4\1", "ctcp_reply",
		"target=bot\tchannel=nil\tctcp=VERSION\tmessage=irssi 1.4"),
	READS(":ann!a@h NOTICE bot :\1ACTION waves\1", "ctcp_reply", "ctcp=ACTION\tmessage=waves"),
	READS(":ann!a@h PRIVMSG #c :\1ACTION waves twice\1", "action",
		"target=#c\tchannel=#c\tctcp=ACTION\tmessage=waves twice"),
	READS(":ann!a@h PRIVMSG bot :\1action waves", "action",
		"target=bot\tchannel=nil\tctcp=ACTION\tmessage=waves"),
	READS(":ann!a@h PRIVMSG bot :\1ACTION\1", "action", "message=nil"),
	READS(":ann!a@h JOIN #c", "join", "channel=#c\taccount=nil\treal_name=nil"),
	READS(":ann!a@h JOIN :#c", "join", "channel=#c"),
	READS(":ann!a@h JOIN #c annie :Ann Example", "join",
		"channel=#c\taccount=annie\treal_name=Ann Example"),
	READS(":ann!a@h JOIN #c * :Ann Example", "join", "account=nil\treal_name=Ann Example"),
	READS("@account=annie :ann!a@h JOIN #c", "join", "account=annie\treal_name=nil"),
	READS(":ann!a@h PART #c", "part", "channel=#c\tmessage="),
	READS(":ann!a@h PART #c :see you", "part", "channel=#c\tmessage=see you"),
	READS(":ann!a@h QUIT", "quit", "message="),
	READS(":ann!a@h QUIT :Ping timeout", "quit", "message=Ping timeout\tnick=ann"),
	READS(":ann!a@h KICK #c bob :spam", "kick", "channel=#c\ttarget=bob\tmessage=spam"),
	READS(":ann!a@h KICK #c bob", "kick", "channel=#c\ttarget=bob\tmessage=nil"),
	READS(":ann!a@h KICK #c bob :", "kick", "message="),
	READS(":oper!o@h KILL bot :irc.example (bye)", "kill",
		"target=bot\tmessage=irc.example (bye)"),
	READS(":ann!a@h NICK anna", "nick", "nick=ann\tnew_nick=anna"),
	READS(":ann!a@h INVITE bot #c", "invite", "target=bot\tchannel=#c"),
	READS(":ann!a@h TOPIC #c :A new day", "topic", "channel=#c\tmessage=A new day"),
	READS(":ann!a@h TOPIC #c :", "topic", "channel=#c\tmessage="),
	READS(":ann!a@h MODE #c +ov-k bob cat key", "channelmode",
		"channel=#c\tmodes=+ov-k\tparams=[bob][cat][key]\tchanges=+o [bob]+v [cat]-k [key]\tnick=ann"),
	READS(":irc.example MODE &c +nt", "channelmode",
		"channel=&c\tmodes=+nt\tparams=\tchanges=+n []+t []"),
	READS(":ann!a@h MODE #c +l-l 5", "channelmode", "params=[5]\tchanges=+l [5]-l []"),
	READS(":bot MODE bot :+i", "usermode", "nick=bot\tmodes=+i"),
	READS(":irc.example MODE bot +w", "usermode", "nick=bot\tmodes=+w\thost=irc.example"),
	READS(":ann!a@h ACCOUNT annie", "account", "account=annie"),
	READS(":ann!a@h ACCOUNT *", "account", "account=nil"),
	READS("@account=old :ann!a@h ACCOUNT annie", "account", "account=annie"),
	READS(":ann!a@h AWAY :out for lunch", "away", "message=out for lunch"),
	READS(":ann!a@h AWAY", "away", "message=nil"),
	READS(":ann!a@h CHGHOST annie cloak.example", "chghost",
		"new_user=annie\tnew_host=cloak.example\tuser=a\thost=h"),
	READS(":ann!a@h SETNAME :Ann E.", "setname", "real_name=Ann E."),
	READS(":irc.example WALLOPS :to all", "wallops", "message=to all"),
	READS("FAIL * NEED_REGISTRATION :Not yet", "fail",
		"target_command=*\tcode=NEED_REGISTRATION\tcontext=\tmessage=Not yet"),
	READS(":irc.example FAIL CHATHISTORY INVALID_TARGET LATEST #c :No such target", "fail",
		"target_command=CHATHISTORY\tcode=INVALID_TARGET\tcontext=[LATEST][#c]\tmessage=No such target"),
	READS(":irc.example WARN REHASH CERTS_EXPIRED :A certificate has expired", "warn",
		"target_command=REHASH\tcode=CERTS_EXPIRED\tcontext=\tmessage=A certificate has expired"),
	READS(":irc.example NOTE * OPER_MESSAGE x :Read this", "note",
		"target_command=*\tcode=OPER_MESSAGE\tcontext=[x]\tmessage=Read this"),
	READS(":irc.example BATCH +ref netsplit a.example b.example", "batch",
		"reference=ref\ttype=netsplit\tbatch_params=[a.example][b.example]"),
	READS(":irc.example BATCH -ref", "batch", "reference=ref\ttype=nil\tbatch_params=nil"),
	READS("@batch=outer :irc.example BATCH +inner chathistory #c", "batch",
		"reference=inner\tbatch=outer"),
	READS(":irc.example CAP * LS * :sasl=PLAIN away-notify", "cap",
		"target=*\tsubcommand=LS\tcaps=[sasl=PLAIN][away-notify]"),
	READS("AUTHENTICATE +", "authenticate", "data=+"),
	READS("@label=7 :irc.example ACK", "ack", "command=ACK\tparams="),
	READS(":ann!a@h REDACT #c id :spam", "redact",
		"target=#c\tchannel=#c\tstatusmsg=nil\ttarget_msgid=id\tmessage=spam\tmsgid=nil"),
	READS("@msgid=2 :ann!a@h REDACT bot id", "redact",
		"target=bot\tchannel=nil\ttarget_msgid=id\tmessage=nil\tmsgid=2"),
	READS(":ann!a@h RENAME #old #new :a better name", "rename",
		"channel=#old\tnew_channel=#new\tmessage=a better name"),
	READS(":ann!a@h RENAME #old #new", "rename", "new_channel=#new\tmessage=nil"),
	READS(":irc.example MARKREAD #c *", "unknown", "command=MARKREAD\tparams=[#c][*]"),
	READS("@time=2024-01-01T00:00:00.000Z;account=annie;msgid=a\\:b;batch=7;bot :ann!a@h PRIVMSG #c :hi",
		"privmsg",
		"account=annie\tmsgid=a;b\tbatch=7\tbot=true\ttags=time:2024-01-01T00:00:00.000Z;account:annie;msgid:a\\:b;batch:7;bot:;\tcommand=PRIVMSG\tparams=[#c][hi]\tsource=ann!a@h\traw=@time=2024-01-01T00:00:00.000Z;account=annie;msgid=a\\:b;batch=7;bot :ann!a@h PRIVMSG #c :hi"),
	READS("@account= :ann!a@h PRIVMSG #c :hi", "privmsg",
		"account=nil\tmsgid=nil\tbatch=nil\tbot=false"),
	READS("@bot= :ann!a@h PRIVMSG #c :hi", "privmsg", "bot=true"),
	READS(":ann PRIVMSG #c :hi", "privmsg", "nick=ann\tuser=nil\thost=nil\ttags="),
	READS(":irc.example 001 bot :Welcome bot", "rpl_welcome",
		"target=bot\tmessage=Welcome bot\tcommand=001\tnick=nil\thost=irc.example"),
	READS(":irc.example 002 bot :Your host is irc.example", "rpl_yourhost",
		"target=bot\tmessage=Your host is irc.example"),
	READS(":irc.example 003 bot :This server was created today", "rpl_created",
		"target=bot\tmessage=This server was created today"),
	READS(":irc.example 004 bot irc.example v1 iosw biklmnov bklov", "rpl_myinfo",
		"target=bot\tinfo=[irc.example][v1][iosw][biklmnov]\tmessage=bklov"),
	READS(":irc.example 005 bot CASEMAPPING=ascii WHOX :are supported", "rpl_isupport",
		"target=bot\tinfo=[CASEMAPPING=ascii][WHOX]\tmessage=are supported"),
	READS(":irc.example 010 bot other.example 6667 :Please go there", "rpl_bounce",
		"target=bot\tmessage=Please go there"),
	READS(":irc.example 043 bot 001AAAAAB :Nickname collision", "rpl_savenick",
		"nick=001AAAAAB\tmessage=Nickname collision"),
	READS(":irc.example 219 bot u :End of STATS", "rpl_endofstats", "query=u"),
	READS(":irc.example 221 bot +iw", "rpl_umodeis", "target=bot\tmodes=+iw"),
	READS(":irc.example 251 bot :There are 3 users", "rpl_luserclient",
		"target=bot\tmessage=There are 3 users"),
	READS(":irc.example 252 bot 2 :operators online", "rpl_luserop",
		"count=int 2\tmessage=operators online"),
	READS(":irc.example 253 bot 1 :unknown connections", "rpl_luserunknown",
		"count=int 1\tmessage=unknown connections"),
	READS(":irc.example 254 bot 17 :channels formed", "rpl_luserchannels",
		"count=int 17\tmessage=channels formed"),
	READS(":irc.example 254 bot :none", "rpl_luserchannels", "count=nil"),
	READS(":irc.example 255 bot :I have 3 clients", "rpl_luserme", "message=I have 3 clients"),
	READS(":irc.example 263 bot LIST :Try again", "rpl_tryagain", "target_command=LIST"),
	READS(":irc.example 265 bot 3 5 :Current local users 3, max 5", "rpl_localusers",
		"count=int 3\tmax=int 5"),
	READS(":irc.example 266 bot :Current global users 3, max 5", "rpl_globalusers",
		"count=nil\tmax=nil"),
	READS(":irc.example 276 bot ann :has client certificate fingerprint 00", "rpl_whoiscertfp",
		"nick=ann"),
	READS(":irc.example 301 bot ann :out for lunch", "rpl_away",
		"nick=ann\tmessage=out for lunch"),
	READS(":irc.example 302 bot :ann=+a@h bob=-b@h", "rpl_userhost",
		"replies=[ann=+a@h][bob=-b@h]"),
	READS(":irc.example 303 bot :ann bob", "rpl_ison", "nicks=[ann][bob]"),
	READS(":irc.example 303 bot :", "rpl_ison", "nicks="),
	READS(":irc.example 305 bot :You are back", "rpl_unaway", "message=You are back"),
	READS(":irc.example 307 bot ann :is a registered nick", "rpl_whoisregnick", "nick=ann"),
	READS(":irc.example 310 bot ann :is available for help", "rpl_whoishelpop", "nick=ann"),
	READS(":irc.example 311 bot ann a h * :Ann Example", "rpl_whoisuser",
		"target=bot\tnick=ann\tuser=a\thost=h\treal_name=Ann Example"),
	READS(":irc.example 312 bot ann irc.example :A server", "rpl_whoisserver",
		"nick=ann\tserver=irc.example\tserver_info=A server"),
	READS(":irc.example 313 bot ann :is an IRC operator", "rpl_whoisoperator",
		"nick=ann\tmessage=is an IRC operator"),
	READS(":irc.example 314 bot ann a h * :Ann Example", "rpl_whowasuser",
		"nick=ann\tuser=a\thost=h\treal_name=Ann Example"),
	READS(":irc.example 315 bot #c :End of WHO", "rpl_endofwho", "name=#c\tmessage=End of WHO"),
	READS(":irc.example 317 bot ann 42 1700000000 :seconds idle, signon time", "rpl_whoisidle",
		"nick=ann\tidle=int 42\tsignon=int 1700000000"),
	READS(":irc.example 317 bot ann 42 :seconds idle", "rpl_whoisidle",
		"idle=int 42\tsignon=nil"),
	READS(":irc.example 318 bot ann :End of WHOIS", "rpl_endofwhois", "nick=ann"),
	READS(":irc.example 319 bot ann :@#c +#d #e", "rpl_whoischannels",
		"nick=ann\tchannels=[@#c][+#d][#e]"),
	READS(":irc.example 320 bot ann :is special", "rpl_whoisspecial", "nick=ann"),
	READS(":irc.example 322 bot #c 12 :A topic", "rpl_list",
		"channel=#c\tusers=int 12\ttopic=A topic"),
	READS(":irc.example 322 bot #c 12 :", "rpl_list", "topic="),
	READS(":irc.example 323 bot :End of LIST", "rpl_listend", "message=End of LIST"),
	READS(":irc.example 324 bot #c +ntk key", "rpl_channelmodeis",
		"channel=#c\tmodes=+ntk\tparams=[key]"),
	READS(":irc.example 328 bot #c :https://c.example", "rpl_channelurl",
		"channel=#c\turl=https://c.example"),
	READS(":irc.example 329 bot #c 1700000000", "rpl_creationtime",
		"channel=#c\tcreated=int 1700000000"),
	READS(":irc.example 330 bot ann annie :is logged in as", "rpl_whoisaccount",
		"nick=ann\taccount=annie"),
	READS(":irc.example 331 bot #c :No topic is set", "rpl_notopic",
		"target=bot\tchannel=#c\tmessage=No topic is set"),
	READS(":irc.example 332 bot #c :A topic", "rpl_topic",
		"target=bot\tchannel=#c\tmessage=A topic"),
	READS(":irc.example 333 bot #c ann!a@h 1700000000", "rpl_topicwhotime",
		"channel=#c\tsetter=ann!a@h\tset_at=int 1700000000"),
	READS(":irc.example 335 bot ann :is a bot", "rpl_whoisbot", "nick=ann"),
	READS(":irc.example 338 bot ann a@h 192.0.2.1 :Actual user@host, Actual IP",
		"rpl_whoisactually", "nick=ann\tip=192.0.2.1"),
	READS(":irc.example 338 bot ann 192.0.2.1 :actually using host", "rpl_whoisactually",
		"nick=ann\tip=192.0.2.1"),
	READS(":irc.example 338 bot ann :is actually a@h", "rpl_whoisactually", "nick=ann\tip=nil"),
	READS(":irc.example 340 bot :ann=+a@192.0.2.1", "rpl_userip", "replies=[ann=+a@192.0.2.1]"),
	READS(":irc.example 341 bot ann #c", "rpl_inviting", "nick=ann\tchannel=#c"),
	READS(":irc.example 344 bot ann NL :is connecting from the Netherlands", "rpl_whoiscountry",
		"nick=ann\tcountry=NL"),
	READS(":irc.example 344 bot ann :is connecting from the Netherlands", "rpl_whoiscountry",
		"nick=ann\tcountry=nil"),
	READS(":irc.example 346 bot #c *!*@h ann 1700000000", "rpl_invitelist",
		"channel=#c\tmask=*!*@h\tsetter=ann\tset_at=int 1700000000"),
	READS(":irc.example 347 bot #c :End of list", "rpl_endofinvitelist", "channel=#c"),
	READS(":irc.example 348 bot #c *!*@h ann 1700000000", "rpl_exceptlist",
		"channel=#c\tmask=*!*@h\tsetter=ann\tset_at=int 1700000000"),
	READS(":irc.example 349 bot #c :End of list", "rpl_endofexceptlist", "channel=#c"),
	READS(":irc.example 350 bot ann * * :is connected via a gateway", "rpl_whoisgateway",
		"nick=ann"),
	READS(":irc.example 351 bot v1.2 irc.example :comments", "rpl_version",
		"version=v1.2\tserver=irc.example\tmessage=comments"),
	READS(":irc.example 352 bot #c a h irc.example ann H@ :3 Ann Example", "rpl_whoreply",
		"target=bot\tchannel=#c\tuser=a\thost=h\tserver=irc.example\tnick=ann\thg_code=H@\thopcount=int 3\treal_name=Ann Example"),
	READS(":irc.example 352 bot * a h irc.example ann G :0", "rpl_whoreply",
		"channel=*\thopcount=int 0\treal_name=nil"),
	READS(":irc.example 353 bot = #c :@ann +bob cat", "rpl_namreply",
		"target=bot\tchannel_type==\tchannel=#c\tusers=[@ann][+bob][cat]"),
	READS(":irc.example 353 bot @ #c :ann ", "rpl_namreply", "channel_type=@\tusers=[ann]"),
	READS(":irc.example 353 bot * #c :@+ann!a@h", "rpl_namreply",
		"channel_type=*\tusers=[@+ann!a@h]"),
	READS(":irc.example 353 bot #c :ann", "rpl_namreply",
		"channel_type=nil\tchannel=#c\tusers=[ann]"),
	READS(":irc.example 354 bot 42 ann annie", "rpl_whospcrpl",
		"target=bot\tparams=[bot][42][ann][annie]"),
	READS(":irc.example 364 bot far.example hub.example :1 Far away", "rpl_links",
		"mask=far.example\tserver=hub.example\thopcount=int 1\tserver_info=Far away"),
	READS(":irc.example 365 bot *.example :End of LINKS", "rpl_endoflinks", "mask=*.example"),
	READS(":irc.example 366 bot #c :End of NAMES", "rpl_endofnames",
		"target=bot\tchannel=#c\tmessage=End of NAMES"),
	READS(":irc.example 367 bot #c *!*@spam.example ann 1700000000", "rpl_banlist",
		"channel=#c\tmask=*!*@spam.example\tsetter=ann\tset_at=int 1700000000"),
	READS(":irc.example 367 bot #c *!*@spam.example", "rpl_banlist",
		"mask=*!*@spam.example\tsetter=nil\tset_at=nil"),
	READS(":irc.example 368 bot #c :End of list", "rpl_endofbanlist", "channel=#c"),
	READS(":irc.example 369 bot ann :End of WHOWAS", "rpl_endofwhowas", "nick=ann"),
	READS(":irc.example 372 bot :- be nice", "rpl_motd", "target=bot\tmessage=- be nice"),
	READS(":irc.example 375 bot :- Message of the day", "rpl_motdstart",
		"message=- Message of the day"),
	READS(":irc.example 376 bot :End of MOTD", "rpl_endofmotd", "message=End of MOTD"),
	READS(":irc.example 378 bot ann :is connecting from *@h 192.0.2.1", "rpl_whoishost",
		"nick=ann"),
	READS(":irc.example 379 bot ann :is using modes +i", "rpl_whoismodes", "nick=ann"),
	READS(":irc.example 381 bot :You are now an operator", "rpl_youreoper",
		"message=You are now an operator"),
	READS(":irc.example 391 bot irc.example :Friday", "rpl_time",
		"server=irc.example\tmessage=Friday"),
	READS(":irc.example 396 bot cloak.example :is now your displayed host", "rpl_visiblehost",
		"host=cloak.example"),
	READS(":irc.example 401 bot ann :No such nick", "err_nosuchnick",
		"nick=ann\tmessage=No such nick"),
	READS(":irc.example 402 bot far.example :No such server", "err_nosuchserver",
		"server=far.example"),
	READS(":irc.example 403 bot c :No such channel", "err_nosuchchannel",
		"channel=c\tmessage=No such channel"),
	READS(":irc.example 404 bot #c :Cannot send to channel", "err_cannotsendtochan",
		"channel=#c\tmessage=Cannot send to channel"),
	READS(":irc.example 405 bot #c :Too many channels", "err_toomanychannels", "channel=#c"),
	READS(":irc.example 406 bot ann :There was no such nick", "err_wasnosuchnick", "nick=ann"),
	READS(":irc.example 421 bot FOO :Unknown command", "err_unknowncommand",
		"unknown_command=FOO\tcommand=421"),
	READS(":irc.example 422 bot :No MOTD", "err_nomotd", "target=bot\tmessage=No MOTD"),
	READS(":irc.example 431 bot :No nickname given", "err_nonicknamegiven",
		"nick=nil\tmessage=No nickname given"),
	READS(":irc.example 432 bot 0bad :Erroneous nickname", "err_erroneusnickname",
		"nick=0bad\tmessage=Erroneous nickname"),
	READS(":irc.example 433 * bot :Nickname is already in use", "err_nicknameinuse",
		"target=*\tnick=bot\tmessage=Nickname is already in use"),
	READS(":irc.example 435 bot anna #c :Cannot change nickname while banned", "err_banonchan",
		"nick=anna\tchannel=#c"),
	READS(":irc.example 436 bot ann :Nickname collision", "err_nickcollision", "nick=ann"),
	READS(":irc.example 437 bot ann :Nick is unavailable", "err_unavailresource",
		"nick=ann\tchannel=nil"),
	READS(":irc.example 437 bot #c :Channel is unavailable", "err_unavailresource",
		"nick=nil\tchannel=#c"),
	READS(":irc.example 438 bot anna :Nick change too fast", "err_nicktoofast", "nick=anna"),
	READS(":irc.example 441 bot ann #c :They are not on that channel", "err_usernotinchannel",
		"nick=ann\tchannel=#c"),
	READS(":irc.example 442 bot #c :You are not on that channel", "err_notonchannel",
		"channel=#c"),
	READS(":irc.example 443 bot ann #c :is already on channel", "err_useronchannel",
		"nick=ann\tchannel=#c"),
	READS(":irc.example 461 bot JOIN :Not enough parameters", "err_needmoreparams",
		"target_command=JOIN"),
	READS(":irc.example 467 bot #c :Channel key already set", "err_keyset", "channel=#c"),
	READS(":irc.example 470 bot #c ##c :Forwarding to another channel", "err_linkchannel",
		"channel=#c\tnew_channel=##c"),
	READS(":irc.example 471 bot #c :Cannot join (+l)", "err_channelisfull",
		"channel=#c\tmessage=Cannot join (+l)"),
	READS(":irc.example 472 bot x :is unknown mode char", "err_unknownmode", "mode=x"),
	READS(":irc.example 473 bot #c :Cannot join (+i)", "err_inviteonlychan", "channel=#c"),
	READS(":irc.example 474 bot #c :Cannot join (+b)", "err_bannedfromchan", "channel=#c"),
	READS(":irc.example 475 bot #c :Cannot join (+k)", "err_badchannelkey", "channel=#c"),
	READS(":irc.example 476 bot #c :Bad channel mask", "err_badchanmask", "channel=#c"),
	READS(":irc.example 477 bot #c :Cannot join (+r)", "err_needreggednick", "channel=#c"),
	READS(":irc.example 478 bot #c b :Ban list is full", "err_banlistfull",
		"channel=#c\tmode=b"),
	READS(":irc.example 479 bot #c :Illegal channel name", "err_badchanname", "channel=#c"),
	READS(":irc.example 480 bot #c :Throttled", "err_cannotknock", "channel=#c"),
	READS(":irc.example 480 bot :Cannot knock on #c", "err_cannotknock", "channel=nil"),
	READS(":irc.example 482 bot #c :You are not a channel operator", "err_chanoprivsneeded",
		"channel=#c"),
	READS(":irc.example 489 bot #c :Cannot join (+S)", "err_secureonlychan", "channel=#c"),
	READS(":irc.example 524 bot foo :Help not found", "err_helpnotfound", "subject=foo"),
	READS(":irc.example 671 bot ann :is using a secure connection", "rpl_whoissecure",
		"nick=ann"),
	READS(":irc.example 696 bot #c l x :Invalid limit", "err_invalidmodeparam",
		"channel=#c\tmode=l"),
	READS(":irc.example 697 bot #c *!*@h b :Already set", "err_listmodealreadyset",
		"channel=#c\tmask=*!*@h\tmode=b"),
	READS(":irc.example 704 bot who :WHO help", "rpl_helpstart", "subject=who"),
	READS(":irc.example 710 #c #c ann!a@h :has asked for an invite", "rpl_knock",
		"target=#c\tchannel=#c\tmask=ann!a@h"),
	READS(":irc.example 711 bot #c :Your KNOCK has been delivered", "rpl_knockdlvr",
		"channel=#c"),
	READS(":irc.example 716 bot ann :is in +g mode", "rpl_targumodeg", "nick=ann"),
	READS(":irc.example 718 bot ann a@h :is messaging you", "rpl_umodegmsg",
		"nick=ann\tmask=a@h"),
	READS(":irc.example 728 bot #c q *!*@h ann 1700000000", "rpl_quietlist",
		"channel=#c\tmode=q\tmask=*!*@h\tsetter=ann\tset_at=int 1700000000"),
	READS(":irc.example 729 bot #c q :End of list", "rpl_endofquietlist", "channel=#c\tmode=q"),
	READS(":irc.example 730 bot :ann!a@h,bob!b@h", "rpl_mononline",
		"targets=[ann!a@h][bob!b@h]"),
	READS(":irc.example 731 bot :ann,bob", "rpl_monoffline", "targets=[ann][bob]"),
	READS(":irc.example 732 bot :ann", "rpl_monlist", "targets=[ann]"),
	READS(":irc.example 733 bot :End of MONITOR list", "rpl_endofmonlist",
		"message=End of MONITOR list"),
	READS(":irc.example 734 bot 100 ann,bob :Monitor list is full", "err_monlistfull",
		"limit=int 100\ttargets=[ann][bob]"),
	READS(":irc.example 900 bot bot!b@h annie :You are now logged in", "rpl_loggedin",
		"mask=bot!b@h\taccount=annie\tmessage=You are now logged in"),
	READS(":irc.example 901 bot bot!b@h :You are now logged out", "rpl_loggedout",
		"mask=bot!b@h\taccount=nil"),
	READS(":irc.example 903 bot :Authentication successful", "rpl_saslsuccess",
		"message=Authentication successful"),
	READS(":irc.example 904 bot :Authentication failed", "err_saslfail",
		"message=Authentication failed"),
	READS(":irc.example 908 bot PLAIN,EXTERNAL :are available", "rpl_saslmechs",
		"mechanisms=[PLAIN][EXTERNAL]"),
	READS(":irc.example 010 bot other.example 6697 :Please use this server", "rpl_bounce",
		"server=other.example\tport=int 6697"),
	READS(":irc.example 042 bot 0BAAAAAAB :your unique ID", "rpl_yourid", "id=0BAAAAAAB"),
	READS(":irc.example 271 bot ann *!*@spam.example", "rpl_silelist",
		"nick=ann\tmask=*!*@spam.example"),
	READS(":irc.example 306 bot :You have been marked as being away", "rpl_nowaway",
		"message=You have been marked as being away"),
	READS(":irc.example 316 bot ann :is a channel operator", "rpl_whoischanop", "nick=ann"),
	READS(":irc.example 325 bot #c :+nt", "rpl_uniqopis", "channel=#c"),
	READS(":irc.example 342 bot ann :Summoning", "rpl_summoning", "nick=ann"),
	READS(":irc.example 360 bot ann :was really a@h", "rpl_whowasreal", "nick=ann"),
	READS(":irc.example 382 bot ebb.conf :Rehashing", "rpl_rehashing", "file=ebb.conf"),
	READS(":irc.example 434 bot dict :Service name is in use", "err_servicenameinuse",
		"nick=dict"),
	READS(":irc.example 444 bot ann :User not logged in", "err_nologin", "nick=ann"),
	READS(":irc.example 448 bot #c :Cannot join", "err_forbiddenchannel", "channel=#c"),
	READS(":irc.example 451 bot :You have not registered", "err_notregistered",
		"message=You have not registered"),
	READS(":irc.example 457 bot ann :is on your accept list", "err_acceptexist", "nick=ann"),
	READS(":irc.example 458 bot ann :is not on your accept list", "err_acceptnot", "nick=ann"),
	READS(":irc.example 464 bot :Password incorrect", "err_passwdmismatch",
		"message=Password incorrect"),
	READS(":irc.example 465 bot :You are banned from this server", "err_yourebannedcreep",
		"message=You are banned from this server"),
	READS(":irc.example 484 bot :Your connection is restricted", "err_restricted",
		"nick=nil\tmessage=Your connection is restricted"),
	READS(":irc.example 485 bot #c :You are not the creator", "err_uniqopprivsneeded",
		"channel=#c"),
	READS(":irc.example 488 bot #c :Not now", "err_htmdisabled", "channel=#c"),
	READS(":irc.example 490 bot #c :Cannot join (+z)", "err_noswear", "channel=#c"),
	READS(":irc.example 494 bot #c :Not your own", "err_ownmode", "channel=#c"),
	READS(":irc.example 495 bot #c :You must wait", "err_delayrejoin", "channel=#c"),
	READS(":irc.example 499 bot #c :You are not the owner", "err_chanownprivneeded",
		"channel=#c"),
	READS(":irc.example 500 bot #c :Cannot join (+j)", "err_toomanyjoins", "channel=#c"),
	READS(":irc.example 501 bot x :is not a recognised user mode", "err_umodeunknownflag",
		"mode=x"),
	READS(":irc.example 501 bot :Unknown MODE flag", "err_umodeunknownflag",
		"mode=nil\tmessage=Unknown MODE flag"),
	READS(":irc.example 519 bot #c :Admins only", "err_admonly", "channel=#c"),
	READS(":irc.example 520 bot #c :Operators only", "err_operonly", "channel=#c"),
	READS(":irc.example 525 bot #c :Key is not well-formed", "err_invalidkey", "channel=#c"),
	READS(":irc.example 531 bot ann :You are not permitted to message this user",
		"err_cantsendtouser", "nick=ann"),
	READS(":irc.example 690 bot ann :speaks English", "rpl_whoislanguage", "nick=ann"),
	READS(":irc.example 698 bot #c *!*@h b :Not set", "err_listmodenotset",
		"channel=#c\tmask=*!*@h\tmode=b"),
	READS(":irc.example 705 bot who :lists users", "rpl_helptxt",
		"subject=who\tmessage=lists users"),
	READS(":irc.example 706 bot who :End of HELP", "rpl_endofhelp", "subject=who"),
	READS(":irc.example 712 bot #c :Too many KNOCKs", "err_toomanyknock", "channel=#c"),
	READS(":irc.example 713 bot #c :Channel is open", "err_chanopen", "channel=#c"),
	READS(":irc.example 714 bot #c :You are on it already", "err_knockonchan", "channel=#c"),
	READS(":irc.example 717 bot ann :has been told", "rpl_targnotify", "nick=ann"),
	READS(":irc.example 723 bot rehash :Insufficient oper privileges", "err_noprivs",
		"privilege=rehash"),
	READS(":irc.example 742 bot #c k ntk :MODE cannot be set", "err_mlockrestricted",
		"channel=#c\tmode=k"),
	READS(":irc.example 743 bot #c b *!* :Invalid ban", "err_invalidban", "channel=#c"),
	READS(":irc.example 744 bot #c :The topic is locked", "err_topiclock", "channel=#c"),
	READS(":irc.example 902 bot :You must use a nick assigned to you", "err_nicklocked",
		"message=You must use a nick assigned to you"),
	READS(":irc.example 905 bot :SASL message too long", "err_sasltoolong",
		"message=SASL message too long"),
	READS(":irc.example 906 bot :SASL authentication aborted", "err_saslaborted",
		"message=SASL authentication aborted"),
	READS(":irc.example 907 bot :You have already authenticated", "err_saslalready",
		"message=You have already authenticated"),
	READS(":irc.example 908 bot PLAIN :are available", "rpl_saslmechs",
		"target=bot\tmechanisms=[PLAIN]\tmessage=are available"),
	READS(":irc.example 900 bot * bot annie :You are now logged in", "rpl_loggedin",
		"mask=*\taccount=bot"),
	READS(":irc.example 730 bot bob", "rpl_mononline", "targets=[bob]\tmessage=bob"),
	READS(":irc.example 732 bot :", "rpl_monlist", "targets="),
	READS(":irc.example 354 bot 42 #c a h irc.example ann H 3 7 annie :Ann Example",
		"rpl_whospcrpl",
		"target=bot\tmessage=Ann Example\tnick=nil\tparams=[bot][42][#c][a][h][irc.example][ann][H][3][7][annie][Ann Example]"),
	READS(":irc.example 335 bot ann bot :is a bot", "rpl_whoisbot", "nick=ann"),
	READS(":irc.example 384 bot 6667 :Port to local server is", "rpl_myportis",
		"target=bot\tmessage=Port to local server is"),
	READS("@+typing=paused;+draft/reply=abc :ann!a@h TAGMSG bot", "tagmsg",
		"target=bot\tchannel=nil\tstatusmsg=nil\ttags=+typing:paused;+draft/reply:abc;"),
	READS("@+reply=abc;+draft/react=\\:) :ann!a@h TAGMSG #c", "tagmsg",
		"channel=#c\ttags=+reply:abc;+draft/react:\\:);"),
	READS("@+draft/unreact=x;+reply=abc :ann!a@h TAGMSG #c", "tagmsg",
		"tags=+draft/unreact:x;+reply:abc;"),
	READS("@+channel-context=#c :ann!a@h PRIVMSG bot :of that", "privmsg",
		"target=bot\tchannel=nil\ttags=+channel-context:#c;"),
	READS("@+reply=abc :ann!a@h PRIVMSG #c :yes", "privmsg", "message=yes\ttags=+reply:abc;"),
	READS("@msgid=m1;label=7 :bot!b@h PRIVMSG #c :an echo", "privmsg",
		"nick=bot\tmsgid=m1\tmessage=an echo\tchannel=#c"),
	READS("@msgid=m2 :bot!b@h NOTICE ann :an echo", "notice",
		"nick=bot\ttarget=ann\tchannel=nil\tmsgid=m2"),
	READS("@account=annie;bot;msgid=m3 :ann!a@h NOTICE #c :hi", "notice",
		"account=annie\tbot=true\tmsgid=m3\tstatusmsg=nil"),
	READS("@time=2024-01-01T00:00:00.000Z :ann!a@h NICK :anna", "nick",
		"new_nick=anna\tnick=ann\taccount=nil\ttags=time:2024-01-01T00:00:00.000Z;"),
	READS("@msgid=a;msgid=b :ann!a@h PRIVMSG #c :hi", "privmsg", "msgid=b"),
	READS("@draft/oper=admin;vendor.example/x :ann!a@h PRIVMSG #c :hi", "privmsg",
		"tags=draft/oper:admin;vendor.example/x:;\tbot=false"),
	READS("@batch=h1;time=2024-01-01T00:00:00.000Z :ann!a@h JOIN #c", "join",
		"batch=h1\tchannel=#c"),
	READS("@batch=n1 :ann!a@h QUIT :a.example b.example", "quit",
		"batch=n1\tmessage=a.example b.example\tchannels=nil"),
	READS(":irc.example BATCH +r netjoin a.example b.example", "batch",
		"reference=r\ttype=netjoin\tbatch_params=[a.example][b.example]\tmessages=nil"),
	READS(":irc.example BATCH +r chathistory #c", "batch",
		"reference=r\ttype=chathistory\tbatch_params=[#c]\tmessages=nil"),
	READS(":irc.example BATCH +r labeled-response", "batch",
		"reference=r\ttype=labeled-response\tbatch_params=\tmessages=nil"),
	READS(":irc.example BATCH +r draft/multiline #c", "batch",
		"reference=r\ttype=draft/multiline\tbatch_params=[#c]\tmessages=nil"),
	READS(":irc.example BATCH +r draft/isupport", "batch",
		"reference=r\ttype=draft/isupport\tbatch_params=\tmessages=nil"),
	READS(":irc.example BATCH +r draft/chathistory-targets", "batch",
		"reference=r\ttype=draft/chathistory-targets\tbatch_params=\tmessages=nil"),
	READS(":irc.example BATCH +r znc.in/playback :#c", "batch",
		"type=znc.in/playback\tbatch_params=[#c]"),
	READS("@batch=r;draft/multiline-concat :ann!a@h PRIVMSG #c :and more", "privmsg",
		"batch=r\ttags=batch:r;draft/multiline-concat:;\tmessage=and more"),
	READS("@account=annie :ann!a@h JOIN #c * :", "join", "account=nil\treal_name="),
	READS(":ann!a@h JOIN #c annie :", "join", "account=annie\treal_name="),
	READS(":bob!b@h INVITE ann #c", "invite", "target=ann\tchannel=#c\tnick=bob"),
	READS(":bot!b@h CHGHOST bot :cloak.example", "chghost",
		"new_user=bot\tnew_host=cloak.example\tnick=bot"),
	READS(":ann!a@h SETNAME :", "setname", "real_name="),
	READS(":ann!a@h AWAY :", "away", "message=nil"),
	READS(":ann!a@h ACCOUNT :annie", "account", "account=annie\tnick=ann"),
	READS(":irc.example FAIL JOIN CHANNEL_FULL #c :Full", "fail",
		"target_command=JOIN\tcode=CHANNEL_FULL\tcontext=[#c]\tmessage=Full\thost=irc.example"),
	READS("@label=7 :irc.example FAIL * INVALID_UTF8 :Not UTF-8", "fail",
		"target_command=*\tcode=INVALID_UTF8\tcontext=\tmessage=Not UTF-8"),
	READS(":irc.example WARN * INVALID_UTF8 a b :Not UTF-8", "warn",
		"target_command=*\tcode=INVALID_UTF8\tcontext=[a][b]\tmessage=Not UTF-8"),
	READS(":irc.example NOTE JOIN FORWARDED :Elsewhere", "note",
		"target_command=JOIN\tcode=FORWARDED\tcontext=\tmessage=Elsewhere"),
	READS("FAIL AUTHENTICATE ACCOUNT_REQUIRED :", "fail", "message=\thost=nil\tnick=nil"),
	READS(":irc.example CAP bot NEW :batch", "cap", "target=bot\tsubcommand=NEW\tcaps=[batch]"),
	READS(":irc.example CAP bot DEL :sasl sts", "cap", "subcommand=DEL\tcaps=[sasl][sts]"),
	READS(":irc.example CAP bot ACK :-batch chghost ", "cap",
		"subcommand=ACK\tcaps=[-batch][chghost]"),
	READS(":irc.example CAP * NAK :x", "cap", "subcommand=NAK\tcaps=[x]"),
	READS(":irc.example CAP * LS :", "cap", "subcommand=LS\tcaps="),
	READS("@time=2024-01-01T00:00:00.000Z :irc.example AUTHENTICATE dGVzdA==", "authenticate",
		"data=dGVzdA==\thost=irc.example"),
	READS("@label=7;time=x :irc.example ACK", "ack", "host=irc.example\ttags=label:7;time:x;"),
	READS(":ann!a@h REDACT @#c id :", "redact", "channel=#c\tstatusmsg=@\tmessage="),
	READS(":irc.example PONG irc.example :", "pong", "message="),
	READS("PING :a b", "ping", "message=a b\thost=nil\tnick=nil"),
	READS("ERROR :", "error", "message="),
	READS(":ann!a@h PRIVMSG @bot :hm", "privmsg", "channel=nil\tstatusmsg=nil\ttarget=@bot"),
	READS(":ann!a@h PRIVMSG $*.example :all", "privmsg", "target=$*.example\tchannel=nil"),
	READS(":ann!a@h NOTICE #c :", "notice", "message=\tchannel=#c"),
	READS(":ann!a@h PRIVMSG #c :\1ACTION \1", "action", "message=\tctcp=ACTION\tstatusmsg=nil"),
	READS(":ann!a@h PRIVMSG @#c :\1ACTION waves\1", "action",
		"statusmsg=@\tchannel=#c\ttarget=@#c\tmessage=waves"),
	READS(":ann!a@h NOTICE @#c :\1TIME now\1", "ctcp_reply",
		"statusmsg=@\tchannel=#c\tctcp=TIME\tmessage=now"),
	READS(":ann!a@h NOTICE bot :\1PING", "ctcp_reply", "ctcp=PING\tmessage=nil"),
	READS(":ann!a@h PART #c :", "part", "message="),
	READS(":ann!a@h QUIT :", "quit", "message="),
	READS(":irc.example KICK #c bob :server", "kick",
		"nick=nil\thost=irc.example\tmessage=server"),
	READS(":oper!o@h KILL bot", "kill", "message=nil\tnick=oper"),
	READS(":irc.example TOPIC #c :kept", "topic", "nick=nil\thost=irc.example\tmessage=kept"),
	READS(":ann!a@h TOPIC #c", "topic", "message="),
	READS(":ann!a@h MODE #c +b *!*@spam.example", "channelmode",
		"changes=+b [*!*@spam.example]\tparams=[*!*@spam.example]\traw=:ann!a@h MODE #c +b *!*@spam.example"),
	READS(":ann!a@h MODE #c :+o bob", "channelmode", "modes=+o bob\tparams="),
	READS(":ann!a@h WALLOPS :to all", "wallops", "message=to all\tnick=ann"),
	READS(":ann!a@h RENAME #old #new :", "rename", "message="),
	READS(":ann@h PRIVMSG #c :hi", "privmsg", "nick=ann\tuser=nil\thost=h\tsource=ann@h"),
	READS(":irc.example 353 bot = #c :", "rpl_namreply", "users="),
	READS(":irc.example 319 bot ann :", "rpl_whoischannels", "channels="),
	READS(":irc.example 005 bot :are supported", "rpl_isupport",
		"info=\tmessage=are supported"),
	READS(":irc.example 324 bot #c +", "rpl_channelmodeis", "modes=+\tparams="),
	READS(":irc.example 332 bot #c :", "rpl_topic", "message="),
	READS(":irc.example 254 bot many :channels formed", "rpl_luserchannels", "count=nil"),
	READS(":irc.example 252 bot -1 :operators online", "rpl_luserop", "count=int -1"),
	READS(":irc.example 433 * taken", "err_nicknameinuse", "nick=taken\tmessage=taken"),
	READS(":irc.example 123 bot :a number of its own", "123",
		"target=bot\tmessage=a number of its own"),
};

static void fields_are_read(void **state)
{
	const struct line_row *row = *state;
	struct message m;
	int kind = kind_of(&m, row->name);
	assert_true(kind >= 0);
	assert_string_equal(event_name(kind), row->event);

	struct str rest = str_of(row->fields);
	while (rest.n) {
		struct str value = str_cut(&rest, '\t');
		struct str field = str_cut(&value, '=');
		check_field(&m, kind, field, value.p ? value : STR(""));
	}
}

/* What is promised of the table above: that it has so many rows, and all kinds of lines. */

enum { LINES_PROMISED = 150 };

static bool has_row(const char *event, struct str wanted)
{
	for (size_t i = 0; i < COUNTOF(line_rows); i++) {
		struct str rest = str_of(line_rows[i].fields);
		while (strcmp(line_rows[i].event, event) == 0 && rest.n) {
			struct str field = str_cut(&rest, '\t');
			if (!wanted.p || str_eq(str_cut(&field, '='), wanted))
				return true;
		}
	}
	return false;
}

static bool is_of_lines(int kind)
{
	return kind > EVENT_ANY && kind < EVENT_CLIENT_CONNECT;
}

/* The fields of its own, which come before those that every line has. */
static void check_rows_of(int kind, const char *first_common)
{
	const struct field *f;
	if (!has_row(event_name(kind), STR_NONE))
		fail_msg("%s: has no row", event_name(kind));
	for (size_t i = 0; (f = field_at(kind, i)); i++) {
		if (strcmp(field_name(f), first_common) == 0)
			return;
		if (!has_row(event_name(kind), str_of(field_name(f))))
			fail_msg("%s of %s: is in no row", field_name(f), event_name(kind));
	}
}

static void the_rows_have_every_kind_of_line_with_every_field(void **state)
{
	(void)state;
	assert_true(COUNTOF(line_rows) >= LINES_PROMISED);
	for (int kind = 0; kind < EVENT_KINDS; kind++) {
		bool has_own =
			kind < EVENT_ANY && strcmp(field_name(field_at(kind, 0)), "target") != 0;
		if (is_of_lines(kind))
			check_rows_of(kind, "command");
		else if (has_own)
			check_rows_of(kind, "target");
	}
}

/* name is the line */
static const struct refused_row {
	const char *name;
} refused_rows[] = {
	{"JOIN #a"},
	{":ann!a@h JOIN"},
	{"PART #a"},
	{":ann!a@h PART"},
	{"QUIT :bye"},
	{"KICK #a ann"},
	{":bob!b@h KICK #a"},
	{"KILL bot :gone"},
	{":bob!b@h KILL"},
	{"NICK ann"},
	{":ann!a@h NICK"},
	{"INVITE bot #a"},
	{":ann!a@h INVITE bot"},
	{"TOPIC #a :new"},
	{":ann!a@h TOPIC"},
	{"MODE #a +o bot"},
	{":ann!a@h MODE #a"},
	{":bot MODE bot"},
	{"PRIVMSG bot :hello"},
	{":ann!a@h PRIVMSG bot"},
	{":ann!a@h PRIVMSG"},
	{":ann!a@h NOTICE bot"},
	{"TAGMSG bot"},
	{":ann!a@h TAGMSG"},
	{"ACCOUNT ann"},
	{":ann!a@h ACCOUNT"},
	{"AWAY :gone"},
	{"CHGHOST u h"},
	{":ann!a@h CHGHOST u"},
	{"SETNAME :Ann"},
	{":ann!a@h SETNAME"},
	{"REDACT #a id"},
	{":ann!a@h REDACT #a"},
	{"RENAME #a #b"},
	{":ann!a@h RENAME #a"},
	{"WALLOPS :hear me"},
	{":irc.example FAIL JOIN CODE"},
	{":irc.example WARN JOIN"},
	{":irc.example NOTE"},
	{":irc.example BATCH"},
	{":irc.example CAP bot"},
	{"AUTHENTICATE"},
	{"PING"},
	{"PONG"},
	{":irc.example 001"},
	{":irc.example 433"},
};

static void fields_refuse_a_line_that_lacks_what_it_must_have(void **state)
{
	const struct refused_row *row = *state;
	struct message m;
	assert_int_equal(kind_of(&m, row->name), -1);
}

/* means: numbers and names of kinds, spaces between; empty: nothing owns the name */
static const struct name_row {
	const char *name, *event, *means;
} name_rows[] = {
	{"name: of a command",             "privmsg",           "privmsg"             },
	{"name: in any case",              "PrivMsg",           "privmsg"             },
	{"name: digits",                   "433",               "433"                 },
	{"name: of a numeric",             "err_nicknameinuse", "433"                 },
	{"name: of a numeric, upper case", "ERR_NICKNAMEINUSE", "433"                 },
	{"name: leading zeros",            "001",               "1"                   },
	{"name: of the first",             "rpl_welcome",       "1"                   },
	{"name: the first of two",         "rpl_isupport",      "5"                   },
	{"name: of two numbers",           "rpl_bounce",        "5 10"                },
	{"name: of three numbers",         "rpl_statsdline",    "225 250 275"         },
	{"name: a number without a name",  "123",               "123"                 },
	{"name: the last number",          "999",               "999"                 },
	{"name: every line",               "*",                 "*"                   },
	{"name: mode",                     "mode",              "channelmode usermode"},
	{"name: mode of a channel",        "channelmode",       "channelmode"         },
	{"name: mode of a user",           "usermode",          "usermode"            },
	{"name: not a line's",             "client_connect",    "client_connect"      },
	{"name: of a script's life",       "script_error",      "script_error"        },
	{"name: four digits",              "0433",              ""                    },
	{"name: two digits",               "43",                ""                    },
	{"name: a sign",                   "-43",               ""                    },
	{"name: empty",                    "",                  ""                    },
	{"name: of a script's own",        "build_failed",      ""                    },
	{"name: unknown",                  "unknown",           ""                    },
	{"name: begins like another",      "privms",            ""                    },
};

static void show_kind(struct buf *out, int kind)
{
	const char *space = out->n > 0 ? " " : "";
	int r = kind < EVENT_ANY ? buf_addf(out, "%s%d", space, kind)
				 : buf_addf(out, "%s%s", space, event_name(kind));
	assert_int_equal(r, 0);
}

static void event_names_mean_kinds(void **state)
{
	const struct name_row *row = *state;
	int found[EVENT_NAME_KINDS_MAX];
	struct buf out;
	buf_init(&out, 100);

	size_t n = event_kinds(str_of(row->event), found);

	for (size_t i = 0; i < n; i++)
		show_kind(&out, found[i]);
	assert_slice(buf_str(&out), row->means);
	buf_fini(&out);
}

static const struct numeric {
	int number;
	const char *name, *source;
} numerics[] = {
#define NUMERIC(number, name, source) {number, #name, source},
	NUMERIC_TABLE(NUMERIC)
#undef NUMERIC
};

static bool means(const char *name, int number)
{
	int found[EVENT_NAME_KINDS_MAX];
	size_t n = event_kinds(str_of(name), found);
	for (size_t i = 0; i < n; i++) {
		if (found[i] == number)
			return true;
	}
	return false;
}

static void numerics_are_sorted_and_reachable(void **state)
{
	(void)state;
	assert_true(COUNTOF(numerics) >= 330);
	for (size_t i = 0; i < COUNTOF(numerics); i++) {
		const struct numeric *row = &numerics[i];
		bool is_first = i == 0 || row[-1].number < row->number;
		assert_true(is_first || row[-1].number == row->number);
		assert_true(row->number > 0 && row->number < 1000);
		assert_true(
			strncmp(row->name, "rpl_", 4) == 0 || strncmp(row->name, "err_", 4) == 0);
		assert_true(strlen(row->source) > 0);
		if (!means(row->name, row->number))
			fail_msg("%s does not mean %d", row->name, row->number);
		if (is_first)
			assert_string_equal(event_name(row->number), row->name);
	}
}

static void every_kind_has_a_name_that_leads_back(void **state)
{
	(void)state;
	for (int kind = 0; kind < EVENT_KINDS; kind++) {
		assert_true(strlen(event_name(kind)) > 0);
		if (kind != EVENT_UNKNOWN && !means(event_name(kind), kind))
			fail_msg("%s does not mean %d", event_name(kind), kind);
	}
	assert_string_equal(event_name(123), "123");
	assert_string_equal(event_name(0), "000");
}

static const char *const common[] = {"command", "params", "tags", "source", "nick", "user", "host",
	"account", "msgid", "batch", "bot", "raw"};

static size_t count_fields(int kind)
{
	size_t n = 0;
	for (const struct field *f = field_at(kind, 0); f; f = field_at(kind, ++n))
		assert_ptr_equal(field_find(kind, str_of(field_name(f))), f);
	return n;
}

static void every_kind_has_the_common_fields_and_each_name_once(void **state)
{
	(void)state;
	for (int kind = 0; kind < EVENT_KINDS; kind++) {
		assert_true(count_fields(kind) >= COUNTOF(common));
		for (size_t i = 0; i < COUNTOF(common); i++)
			assert_non_null(field_find(kind, str_of(common[i])));
		assert_null(field_find(kind, STR("Nick")));
		assert_null(field_find(kind, STR("")));
		if (kind < EVENT_ANY) {
			assert_non_null(field_find(kind, STR("target")));
			assert_non_null(field_find(kind, STR("message")));
		}
	}
	assert_int_equal(count_fields(EVENT_ANY), COUNTOF(common));
	assert_int_equal(count_fields(EVENT_NICK), COUNTOF(common) + 1);
	assert_int_equal(count_fields(123), COUNTOF(common) + 2);
	assert_int_equal(count_fields(EVENT_ACCOUNT), COUNTOF(common)); /* its own hides one */
}

/* name is the event */
static const struct owner_row {
	const char *name, *fields;
} owner_rows[] = {
	{"client_connect",    "host port"                             },
	{"client_disconnect", "host port reason kind requested uptime"},
	{"script_load",       "script reload"                         },
	{"script_unload",     "script reason"                         },
	{"script_error",      "script doing message traceback"        },
};

static void fields_of_the_owner_are_known_and_absent(void **state)
{
	const struct owner_row *row = *state;
	int found[EVENT_NAME_KINDS_MAX];
	assert_int_equal(event_kinds(str_of(row->name), found), 1);
	struct str rest = str_of(row->fields);
	for (struct str name = str_word(&rest, " "); name.p; name = str_word(&rest, " ")) {
		const struct field *f = field_find(found[0], name);
		struct value v;
		assert_non_null(f);
		field_read(f, NULL, NULL, &v);
		assert_int_equal(v.type, VALUE_NONE);
	}
}

static void every_kind_that_is_no_line_has_a_row(void **state)
{
	(void)state;
	assert_int_equal(COUNTOF(owner_rows), EVENT_KINDS - EVENT_CLIENT_CONNECT);
	for (size_t i = 0; i < COUNTOF(owner_rows); i++) {
		int kind = EVENT_CLIENT_CONNECT + (int)i;
		size_t n = 0;
		assert_string_equal(owner_rows[i].name, event_name(kind));
		for (struct str rest = str_of(owner_rows[i].fields); str_word(&rest, " ").p;)
			n++;
		assert_string_equal(field_name(field_at(kind, n)), "command");
	}
}

static void fields_of_an_event_without_a_line_are_absent(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(common); i++) {
		struct value v;
		field_read(field_find(EVENT_SCRIPT_LOAD, str_of(common[i])), NULL, NULL, &v);
		assert_int_equal(v.type, VALUE_NONE);
	}
}

static void read_every_field(const struct message *m, const struct isupport *is)
{
	for (int kind = 0; kind < EVENT_KINDS; kind++) {
		for (size_t i = 0; field_at(kind, i); i++) {
			struct value v;
			field_read(field_at(kind, i), m, is, &v);
			assert_true(v.n <= m->n_params);
			assert_true(v.n == 0 || v.list + v.n <= m->params + m->n_params);
		}
	}
}

/* Any field may be asked of any line: none is read beyond the parameters there are. */
static void fields_can_be_read_from_lines_of_any_length(void **state)
{
	(void)state;
	struct isupport *is = server();
	struct buf line;
	buf_init(&line, 100);
	assert_int_equal(buf_add(&line, STR("X")), 0);
	for (size_t n = 0; n <= MESSAGE_PARAMS_MAX; n++) {
		struct message m;
		assert_int_equal(message_parse(&m, buf_str(&line)), 0);
		assert_int_equal(m.n_params, n);
		read_every_field(&m, is);
		assert_int_equal(buf_add(&line, STR(" a")), 0);
	}
	buf_fini(&line);
	isupport_unref(is);
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, line_rows, fields_are_read);
	check_test(&c, the_rows_have_every_kind_of_line_with_every_field);
	check_rows(&c, refused_rows, fields_refuse_a_line_that_lacks_what_it_must_have);
	check_rows(&c, name_rows, event_names_mean_kinds);
	check_test(&c, numerics_are_sorted_and_reachable);
	check_test(&c, every_kind_has_a_name_that_leads_back);
	check_test(&c, every_kind_has_the_common_fields_and_each_name_once);
	check_rows(&c, owner_rows, fields_of_the_owner_are_known_and_absent);
	check_test(&c, every_kind_that_is_no_line_has_a_row);
	check_test(&c, fields_of_an_event_without_a_line_are_absent);
	check_test(&c, fields_can_be_read_from_lines_of_any_length);
	return check_run(&c, "fields");
}
