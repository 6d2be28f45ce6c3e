#include "sim/profile.h"

static const struct {
	const char *name;
	unsigned bit;
} caps[] = {
	{"account-notify",                SIM_CAP_ACCOUNT_NOTIFY   },
	{"account-tag",                   SIM_CAP_ACCOUNT_TAG      },
	{"away-notify",                   SIM_CAP_AWAY_NOTIFY      },
	{"batch",			 SIM_CAP_BATCH            },
	{"cap-notify",                    SIM_CAP_CAP_NOTIFY       },
	{"chghost",		       SIM_CAP_CHGHOST          },
	{"draft/channel-rename",          SIM_CAP_CHANNEL_RENAME   },
	{"draft/chathistory",             SIM_CAP_CHATHISTORY      },
	{"draft/message-redaction",       SIM_CAP_MESSAGE_REDACTION},
	{"draft/multiline",               SIM_CAP_MULTILINE        },
	{"echo-message",                  SIM_CAP_ECHO_MESSAGE     },
	{"extended-join",                 SIM_CAP_EXTENDED_JOIN    },
	{"extended-monitor",              SIM_CAP_EXTENDED_MONITOR },
	{"inspircd.org/standard-replies", SIM_CAP_STANDARD_REPLIES },
	{"invite-notify",                 SIM_CAP_INVITE_NOTIFY    },
	{"labeled-response",              SIM_CAP_LABELED_RESPONSE },
	{"message-tags",                  SIM_CAP_MESSAGE_TAGS     },
	{"multi-prefix",                  SIM_CAP_MULTI_PREFIX     },
	{"sasl",			  SIM_CAP_SASL             },
	{"server-time",                   SIM_CAP_SERVER_TIME      },
	{"setname",		       SIM_CAP_SETNAME          },
	{"standard-replies",              SIM_CAP_STANDARD_REPLIES },
	{"userhost-in-names",             SIM_CAP_USERHOST_IN_NAMES},
};

/* Left out of what is offered: sts and tls, which promise what no network in memory keeps; and of
 * sasl all mechanisms but the one that needs neither keys nor arithmetic. */

static const struct sim_profile inspircd = {
	.name = "inspircd",
	.version = "InspIRCd-3",
	.isupport = "AWAYLEN=200 BOT=B CASEMAPPING=rfc1459 CHANLIMIT=#:20 "
		    "CHANMODES=Ibe,k,Hl,CKMRimnprst CHANNELLEN=64 CHANTYPES=# ELIST=CMNTU "
		    "ESILENCE=CcdiNnPpTtx EXCEPTS=e EXTBAN=,CRU HOSTLEN=64 INVEX=I "
		    "KEYLEN=32 KICKLEN=255 LINELEN=512 MAXLIST=I:100,b:100,e:100 "
		    "MAXTARGETS=20 MODES=20 MONITOR=100 NAMELEN=128 NAMESX NETWORK=InspNet "
		    "NICKLEN=30 PREFIX=(qaohv)~&@%+ SAFELIST SILENCE=32 STATUSMSG=~&@%+ "
		    "TOPICLEN=307 UHNAMES USERIP USERLEN=10 USERMODES=,,s,BIRdikorwx WHOX",
	.offered = "account-notify account-tag away-notify batch cap-notify chghost "
		   "echo-message extended-join extended-monitor inspircd.org/poison "
		   "inspircd.org/standard-replies invite-notify labeled-response "
		   "message-tags multi-prefix sasl=PLAIN server-time setname "
		   "userhost-in-names",
	.poison = "inspircd.org/poison",
	.default_modes = "nt",
	.user_modes = "BIRdikorswx",
	.channel_modes = "CHIKMRabehiklmnopqrstv HIabehkloqv",
	.too_long = SIM_TOO_LONG_CUT,
	.closing = SIM_CLOSING_USER,
	.bad_channel = 476,
	.colons = SIM_COLONS_ALWAYS,
	.is_space_padded = true,
	.says_461_only = true,
};

static const struct sim_profile ngircd = {
	.name = "ngircd",
	.version = "ngircd-26.1",
	.isupport = "NETWORK=NgNet RFC2812 IRCD=ngIRCd CHARSET=UTF-8 CASEMAPPING=ascii "
		    "PREFIX=(qaohv)~&@%+ CHANTYPES=#&+ CHANMODES=beI,k,l,imMnOPQRstVz "
		    "CHANLIMIT=#&+:10 CHANNELLEN=50 NICKLEN=9 TOPICLEN=490 AWAYLEN=127 "
		    "KICKLEN=400 MODES=5 MAXLIST=beI:50 EXCEPTS=e INVEX=I PENALTY FNC",
	.offered = "multi-prefix",
	.default_modes = "",
	.user_modes = "abBcCFiIoqrRswx",
	.channel_modes = "abehiIklmMnoOPqQrRstvVz",
	.too_long = SIM_TOO_LONG_CLOSE,
	.closing = SIM_CLOSING_PLAIN,
	.bad_channel = 403,
	.colons = SIM_COLONS_JOIN,
	.has_tilde = true,
	.says_461_only = true,
};

static const struct sim_profile hybrid = {
	.name = "hybrid",
	.version = "ircd-hybrid-8.2.43",
	.isupport = "BOT=B CALLERID CASEMAPPING=ascii DEAF=D KICKLEN=180 MODES=6 EXCEPTS "
		    "INVEX CHANTYPES=# CHANLIMIT=#:25 CHANNELLEN=50 TOPICLEN=160 "
		    "CHANMODES=beI,k,l,cimnprstuCLMNORST PREFIX=(ohv)@%+ STATUSMSG=@%+ "
		    "NETWORK=HybridNet NICKLEN=9 MAXLIST=beI:100 MAXTARGETS=4 MONITOR=100 "
		    "WHOX ELIST=CMNTU SAFELIST AWAYLEN=180 EXTBAN=$,acjmnorsuz",
	.offered = "account-notify away-notify cap-notify chghost extended-join "
		   "invite-notify multi-prefix userhost-in-names",
	.default_modes = "nt",
	.user_modes = "BDFGHRSWXabcdefgiklnopqrsuwxy",
	.channel_modes = "CLMNORSTbceghiklmnoprstuv Ibehklov",
	.too_long = SIM_TOO_LONG_CUT,
	.closing = SIM_CLOSING_HOST,
	.bad_channel = 479,
	.has_tilde = true,
	.cuts_nick = true,
	.is_space_padded = true,
};

static const struct sim_profile libera = {
	.name = "libera",
	.version = "solanum-1.0-dev",
	.isupport = "WHOX FNC KNOCK SAFELIST ELIST=CMNTU CALLERID=g MONITOR=100 ETRACE "
		    "CHANTYPES=# EXCEPTS INVEX CHANMODES=eIbq,k,flj,CFLMPQRSTcgimnprstuz "
		    "CHANLIMIT=#:250 PREFIX=(ov)@+ MAXLIST=bqeI:100 MODES=4 "
		    "NETWORK=Libera.Chat STATUSMSG=@+ CASEMAPPING=rfc1459 NICKLEN=16 "
		    "MAXNICKLEN=16 CHANNELLEN=50 TOPICLEN=390 DEAF=D "
		    "TARGMAX=NAMES:1,LIST:1,KICK:1,WHOIS:1,PRIVMSG:4,NOTICE:4,ACCEPT:,MONITOR: "
		    "EXTBAN=$,ajrxz",
	.offered = "account-notify account-tag away-notify cap-notify chghost "
		   "extended-join multi-prefix sasl=PLAIN server-time "
		   "solanum.chat/identify-msg "
		   "solanum.chat/oper solanum.chat/realhost",
	.default_modes = "nt",
	.user_modes = "DGMQRSZaghilopsuwz",
	.channel_modes = "CFILMPQRSTbcefgijklmnopqrstuvz bkloveqjfI",
	.too_long = SIM_TOO_LONG_CUT,
	.closing = SIM_CLOSING_HOST,
	.bad_channel = 479,
	.has_tilde = true,
	.cuts_nick = true,
	.is_space_padded = true,
};

static const struct sim_profile ergo = {
	.name = "ergo",
	.version = "ergo-2.15.0",
	.isupport =
		"AWAYLEN=390 BOT=B CASEMAPPING=ascii CHANLIMIT=#:100 "
		"CHANMODES=Ibe,k,fl,CEMRUimnstu CHANNELLEN=64 CHANTYPES=# "
		"CHATHISTORY=1000 ELIST=U EXCEPTS EXTBAN=,m FORWARD=f INVEX "
		"KICKLEN=390 MAXLIST=beI:100 MAXTARGETS=4 MODES MONITOR=100 "
		"MSGREFTYPES=msgid,timestamp NETWORK=ErgoNet NICKLEN=32 "
		"PREFIX=(qaohv)~&@%+ RPCHAN=E RPUSER=E SAFELIST SAFERATE "
		"STATUSMSG=~&@%+ "
		"TARGMAX=NAMES:1,LIST:1,KICK:,WHOIS:1,USERHOST:10,PRIVMSG:4,TAGMSG:4,NOTICE:4,MONITOR:100 "
		"TOPICLEN=390 UTF8ONLY WHOX draft/CHATHISTORY=1000",
	.offered = "account-notify account-tag away-notify batch cap-notify chghost "
		   "draft/account-registration=before-connect draft/channel-rename "
		   "draft/chathistory draft/event-playback draft/extended-isupport "
		   "draft/languages=20,en,~ca-ES,~de-DE,~es-ES draft/message-redaction "
		   "draft/metadata-2=max-subs=100,max-keys=100 "
		   "draft/multiline=max-bytes=4096,max-lines=100 draft/no-implicit-names "
		   "draft/persistence draft/pre-away draft/read-marker draft/relaymsg=/ "
		   "echo-message ergo.chat/nope extended-join extended-monitor "
		   "invite-notify labeled-response message-tags multi-prefix sasl=PLAIN "
		   "server-time setname standard-replies userhost-in-names znc.in/playback "
		   "znc.in/self-message",
	.poison = "ergo.chat/nope",
	.default_modes = "nt",
	.user_modes = "BERTZaioqs",
	.channel_modes = "CEIMRUabefhiklmnoqstuv Iabefhkloqv",
	.too_long = SIM_TOO_LONG_417,
	.closing = SIM_CLOSING_PLAIN,
	.bad_channel = 403,
	.is_utf8_only = true,
};

static const struct sim_profile *const profiles[] = {&inspircd, &ngircd, &hybrid, &libera, &ergo};

const struct sim_profile *sim_profile_find(const char *name)
{
	if (!name)
		return profiles[0];
	for (size_t i = 0; i < COUNTOF(profiles); i++)
		if (str_eq(str_of(profiles[i]->name), str_of(name)))
			return profiles[i];
	return NULL;
}

const struct sim_profile *sim_profile_at(size_t i)
{
	return i < COUNTOF(profiles) ? profiles[i] : NULL;
}

unsigned sim_cap_find(struct str name)
{
	for (size_t i = 0; i < COUNTOF(caps); i++)
		if (str_eq(str_of(caps[i].name), name))
			return caps[i].bit;
	return 0;
}

/* Absent: it is not offered. */
static struct str find_offer(const struct sim_profile *p, struct str name)
{
	struct str rest = str_of(p->offered), offered;
	while ((offered = str_word(&rest, " ")).n) {
		struct str value = offered;
		if (str_eq(str_cut(&value, '='), name))
			return offered;
	}
	return STR_NONE;
}

bool sim_profile_offers(const struct sim_profile *p, struct str name)
{
	return find_offer(p, name).n;
}

struct str sim_profile_cap_value(const struct sim_profile *p, struct str name)
{
	struct str value = find_offer(p, name);
	str_cut(&value, '=');
	return value.n ? value : STR_NONE;
}
