#include "irc/handle.h"

#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NICK_SUFFIXES = 3 }; /* made-up nicks after the configured ones: ebb_ ebb__ ebb___ */

static void set_owned(char **place, struct str value)
{
	free(*place);
	*place = str_dup(value);
}

static void on_welcome(struct session *s, const struct message *m)
{
	set_owned(&s->nick, m->params[0]);
	s->is_registered = true;
	s->caps.is_negotiating = false; /* a server without CAP never answered */
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

static void try_nick(struct session *s, struct str nick)
{
	set_owned(&s->nick, nick);
	session_write(s, "NICK %s", s->nick);
}

/* Who is registered keeps its nick; what scripts ask for is theirs to follow. */
static void on_new_nick_refused(struct session *s, const struct message *m)
{
	const char *nick = s->options->nick;
	if (!s->asked_nick || !str_eq(message_param(m, 1), str_of(nick)))
		return;
	s->asked_nick = false;
	log_warn(
		"%s: nick %s: refused: %" STR_F, s->options->network, nick, STR_A(message_last(m)));
}

static void on_nick_refused(struct session *s, const struct message *m)
{
	const struct session_options *o = s->options;
	if (s->is_registered)
		on_new_nick_refused(s, m);
	if (s->is_registered || o->is_manual || s->state != SESSION_REGISTERING)
		return;
	log_info("%s: nick %s: refused: %" STR_F, o->network, s->nick, STR_A(message_last(m)));
	unsigned i = s->nick_tries++;
	if (i < o->n_alt_nicks) {
		try_nick(s, str_of(o->alt_nicks[i]));
	} else if (i - o->n_alt_nicks < NICK_SUFFIXES) {
		char suffixed[64];
		int underscores = (int)(i - o->n_alt_nicks) + 1;
		snprintf(suffixed, sizeof(suffixed), "%.50s%.*s", o->nick, underscores, "___");
		try_nick(s, str_of(suffixed));
	} else {
		session_fail(s, ERR_NICK, "every nick is refused, the last for: %" STR_F,
			STR_A(message_last(m)));
	}
}

static void on_password_wrong(struct session *s, const struct message *m)
{
	if (!s->is_registered)
		session_fail(
			s, ERR_REGISTRATION, "server_password: %" STR_F, STR_A(message_last(m)));
}

static void on_banned(struct session *s, const struct message *m)
{
	session_fail(s, ERR_BANNED, "%" STR_F, STR_A(message_last(m)));
}

/* InspIRCd: our host as others see it from now on. */
static void on_visible_host(struct session *s, const struct message *m)
{
	struct str host = message_param(m, 1);
	if (host.n)
		set_owned(&s->host, host);
}

static void on_chghost(struct session *s, const struct message *m)
{
	if (!session_is_me(s, m->nick))
		return;
	set_owned(&s->user, message_param(m, 0));
	set_owned(&s->host, message_param(m, 1));
}

static void on_cap(struct session *s, const struct message *m)
{
	if (s->options->is_manual || s->state == SESSION_CLOSING)
		return;
	buf_reset(&s->scratch);
	caps_answer(&s->caps, m, &s->scratch);
	if (buf_str(&s->scratch).n)
		s->ops->write(s->owner, buf_str(&s->scratch));
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

static bool holds(struct str text, struct str word)
{
	for (; text.n >= word.n; text = str_skip(text, 1))
		if (str_ieq((struct str){text.p, word.n}, word))
			return true;
	return false;
}

/* Servers tell why they close in words only. */
static int kind_of_error(const struct session *s, struct str text)
{
	static const struct {
		const char *word;
		int kind;
	} words[] = {
		{"throttl",      ERR_THROTTLED},
		{"too fast",     ERR_THROTTLED},
		{"too quickly",  ERR_THROTTLED},
		{"too many con", ERR_THROTTLED},
		{"k-line",       ERR_BANNED   },
		{"k:line",       ERR_BANNED   },
		{"g-line",       ERR_BANNED   },
		{"g:line",       ERR_BANNED   },
		{"z-line",       ERR_BANNED   },
		{"z:line",       ERR_BANNED   },
		{"d-line",       ERR_BANNED   },
		{"klined",       ERR_BANNED   },
		{"glined",       ERR_BANNED   },
		{"zlined",       ERR_BANNED   },
		{"banned",       ERR_BANNED   },
		{"akill",        ERR_BANNED   },
		{"killed",       ERR_KILLED   },
	};
	if (s->state == SESSION_CLOSING)
		return ERR_REQUESTED;
	for (size_t i = 0; i < COUNTOF(words); i++)
		if (holds(text, str_of(words[i].word)))
			return words[i].kind;
	return s->is_registered ? ERR_CLOSED : ERR_REGISTRATION;
}

static void on_error(struct session *s, const struct message *m)
{
	struct str text = message_last(m);
	session_fail(s, kind_of_error(s, text), "%" STR_F, STR_A(text));
}

static void on_kill(struct session *s, const struct message *m)
{
	if (session_is_me(s, message_param(m, 0)))
		session_fail(s, ERR_KILLED, "killed by %" STR_F ": %" STR_F, STR_A(m->source),
			STR_A(message_last(m)));
}

static void on_join(struct session *s, const struct message *m)
{
	if (!session_is_me(s, m->nick))
		return;
	if (m->user.n)
		set_owned(&s->user, m->user);
	if (m->host.n)
		set_owned(&s->host, m->host);
	struct joined *j = session_note_channel(s, m->params[0], STR_NONE, true);
	if (j)
		j->is_in = true;
}

static void on_part(struct session *s, const struct message *m)
{
	struct joined *j = session_find_channel(s, m->params[0]);
	if (j && session_is_me(s, m->nick))
		session_forget_channel(s, j);
}

/* The channel is joined again after a reconnect, not before. */
static void on_kick(struct session *s, const struct message *m)
{
	struct joined *j = session_find_channel(s, m->params[0]);
	if (j && session_is_me(s, m->params[1]))
		j->is_in = false;
}

static void on_nick(struct session *s, const struct message *m)
{
	if (!session_is_me(s, m->nick))
		return;
	set_owned(&s->nick, m->params[0]);
	if (strcmp(s->nick, s->options->nick) == 0)
		s->asked_nick = false;
}

static const struct handler handlers[EVENT_KINDS] = {
	[1] = {false, on_welcome       },
	[5] = {false, on_isupport      },
	[376] = {false, on_end_of_motd   },
	[396] = {false, on_visible_host  },
	[422] = {false, on_end_of_motd   },
	[432] = {false, on_nick_refused  },
	[433] = {false, on_nick_refused  },
	[436] = {false, on_nick_refused  },
	[437] = {false, on_nick_refused  },
	[464] = {false, on_password_wrong},
	[465] = {false, on_banned        },
	[EVENT_CAP] = {true,  on_cap           },
	[EVENT_CHGHOST] = {false, on_chghost       },
	[EVENT_ERROR] = {false, on_error         },
	[EVENT_JOIN] = {false, on_join          },
	[EVENT_KICK] = {false, on_kick          },
	[EVENT_KILL] = {false, on_kill          },
	[EVENT_NICK] = {false, on_nick          },
	[EVENT_PART] = {false, on_part          },
	[EVENT_PING] = {true,  on_ping          },
	[EVENT_PONG] = {true,  on_pong          },
};

const struct handler *handle_find(int kind)
{
	return handlers[kind].run ? &handlers[kind] : NULL;
}
