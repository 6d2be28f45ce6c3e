#include "irc/handle.h"

#include "base/log.h"
#include "irc/farewell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void on_welcome(struct session *s, const struct message *m)
{
	nick_on_welcome(s, m);
	s->is_registered = true;
	login_on_welcome(s);
}

static void on_isupport(struct session *s, const struct message *m)
{
	for (size_t i = 1; i + 1 < m->n_params; i++)
		if (!isupport_apply(&s->isupport, m->params[i]))
			log_debug("%s: isupport: %" STR_F ": not understood", s->options->network,
				STR_A(m->params[i]));
}

static void on_end_of_motd(struct session *s, const struct message *m)
{
	(void)m;
	if (s->state == SESSION_REGISTERING && s->is_registered)
		session_become_ready(s);
}

/* Of a nick or of a channel. */
static void on_unavailable(struct session *s, const struct message *m)
{
	if (isupport_is_channel(s->isupport, message_param(m, 1)))
		joins_on_refusal(s, m);
	else
		nick_on_refusal(s, m);
}

static void refuse(struct session *s, const struct message *m, const char *key)
{
	if (!s->is_registered)
		session_fail(s, ERR_REGISTRATION, "%s: %" STR_F, key, STR_A(message_last(m)));
}

static void on_password_wrong(struct session *s, const struct message *m)
{
	refuse(s, m, "server_password");
}

/* Some servers say so, and go on waiting for another. */
static void on_user_refused(struct session *s, const struct message *m)
{
	if (!s->options->is_manual)
		refuse(s, m, "user");
}

/* In the server's words, which tell of what kind it is. */
static void on_error(struct session *s, const struct message *m)
{
	struct str text = message_last(m);
	int otherwise = s->is_registered ? ERR_CLOSED : ERR_REGISTRATION;
	int kind = farewell_kind(text, s->is_registered, otherwise);
	if (s->state == SESSION_CLOSING)
		kind = ERR_REQUESTED;
	else if (s->verdict)
		kind = s->verdict_kind;
	session_fail(s, kind, "%s%s%" STR_F, s->verdict ? s->verdict : "", s->verdict ? ": " : "",
		STR_A(text.n ? text : STR("no reason given")));
}

/* The whole of the reason may stand in the ERROR that follows. */
static void note_verdict(struct session *s, const struct message *m, int otherwise)
{
	struct str text = message_last(m);
	if (s->verdict)
		return;
	s->verdict = str_dup(text);
	s->verdict_kind = farewell_kind(text, s->is_registered, otherwise);
	s->verdict_ns = s->now_ns + SESSION_VERDICT_NS;
}

/* Libera says with this numeric, too, that it wants a login. */
static void on_banned(struct session *s, const struct message *m)
{
	note_verdict(s, m, ERR_BANNED);
}

/* Our host is not among those that may come. */
static void on_host_refused(struct session *s, const struct message *m)
{
	if (!s->is_registered)
		note_verdict(s, m, ERR_REGISTRATION);
}

/* InspIRCd: our host as others see it from now on. */
static void on_visible_host(struct session *s, const struct message *m)
{
	session_learn_self(s, STR_NONE, message_param(m, 1));
}

static void on_chghost(struct session *s, const struct message *m)
{
	if (session_is_me(s, m->nick))
		session_learn_self(s, m->params[0], m->params[1]);
}

static void on_ping(struct session *s, const struct message *m)
{
	session_write(s, "PONG :%" STR_F, STR_A(message_last(m)));
}

static void on_pong(struct session *s, const struct message *m)
{
	(void)m;
	if (s->ping_ns < 0)
		return;
	s->lag_ns = s->now_ns - s->ping_ns;
	s->ping_ns = -1;
}

static void on_kill(struct session *s, const struct message *m)
{
	if (session_is_me(s, message_param(m, 0)))
		session_fail(s, ERR_KILLED, "killed by %" STR_F ": %" STR_F, STR_A(m->source),
			STR_A(message_last(m)));
}

static void on_join(struct session *s, const struct message *m)
{
	if (session_is_me(s, m->nick))
		joins_on_join(s, m);
}

static void on_part(struct session *s, const struct message *m)
{
	if (session_is_me(s, m->nick))
		joins_on_part(s, m);
}

static void on_kick(struct session *s, const struct message *m)
{
	if (session_is_me(s, m->params[1]))
		joins_on_kick(s, m);
}

static const struct handler handlers[EVENT_KINDS] = {
	[1] = {false, on_welcome         },
	[5] = {false, on_isupport        },
	[303] = {false, nick_on_ison       },
	[376] = {false, on_end_of_motd     },
	[396] = {false, on_visible_host    },
	[403] = {false, joins_on_refusal   },
	[405] = {false, joins_on_refusal   },
	[422] = {false, on_end_of_motd     },
	[432] = {false, nick_on_refusal    },
	[433] = {false, nick_on_refusal    },
	[436] = {false, nick_on_refusal    },
	[437] = {false, on_unavailable     },
	[463] = {false, on_host_refused    },
	[464] = {false, on_password_wrong  },
	[465] = {false, on_banned          },
	[468] = {false, on_user_refused    },
	[470] = {false, joins_on_forward   },
	[471] = {false, joins_on_refusal   },
	[473] = {false, joins_on_refusal   },
	[474] = {false, joins_on_refusal   },
	[475] = {false, joins_on_refusal   },
	[476] = {false, joins_on_refusal   },
	[477] = {false, joins_on_refusal   },
	[479] = {false, joins_on_refusal   },
	[480] = {false, joins_on_refusal   },
	[489] = {false, joins_on_refusal   },
	[495] = {false, joins_on_refusal   },
	[519] = {false, joins_on_refusal   },
	[520] = {false, joins_on_refusal   },
	[731] = {false, nick_on_offline    },
	[421] = {true,  login_on_unknown   },
	[451] = {true,  login_on_unknown   },
	[900] = {false, login_on_logged_in },
	[901] = {false, login_on_logged_out},
	[902] = {true,  login_on_sasl      },
	[903] = {true,  login_on_sasl      },
	[904] = {true,  login_on_sasl      },
	[905] = {true,  login_on_sasl      },
	[906] = {true,  login_on_sasl      },
	[907] = {true,  login_on_sasl      },
	[908] = {true,  login_on_sasl      },
	[EVENT_ACCOUNT] = {false, login_on_account   },
	[EVENT_AUTHENTICATE] = {true,  login_on_sasl      },
	[EVENT_CAP] = {true,  login_on_cap       },
	[EVENT_CHGHOST] = {false, on_chghost         },
	[EVENT_CTCP] = {false, ctcp_answer        },
	[EVENT_ERROR] = {false, on_error           },
	[EVENT_INVITE] = {false, joins_on_invite    },
	[EVENT_JOIN] = {false, on_join            },
	[EVENT_KICK] = {false, on_kick            },
	[EVENT_KILL] = {false, on_kill            },
	[EVENT_NICK] = {false, nick_on_nick       },
	[EVENT_PART] = {false, on_part            },
	[EVENT_PING] = {true,  on_ping            },
	[EVENT_PONG] = {true,  on_pong            },
	[EVENT_RENAME] = {false, joins_on_rename    },
	[EVENT_QUIT] = {false, nick_on_quit       },
};

const struct handler *handle_find(int kind)
{
	return handlers[kind].run ? &handlers[kind] : NULL;
}
