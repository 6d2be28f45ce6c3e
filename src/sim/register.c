#include "base/clock.h"
#include "sim/client.h"
#include "sim/server.h"
#include "sim/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { CAP_LINE_BYTES = 400 };

static void arm(struct sim_client *c, int64_t delay_ns)
{
	c->timer.fire = sim_on_timer;
	timers_after(c->net->timers, &c->timer, delay_ns);
}

void sim_expect_registration(struct sim_client *c)
{
	if (c->net->register_timeout_ns)
		arm(c, c->net->register_timeout_ns);
}

static void send_cookie(struct sim_client *c)
{
	if (!c->net->wants_cookie || c->had_cookie)
		return;
	c->had_cookie = true;
	c->cookie = sim_random(c->net) | 1;
	sim_tell_plain(c, "PING :%016" PRIx64, c->cookie);
}

static const char *usual_words(int numeric)
{
	static const struct {
		int numeric;
		const char *words;
	} rows[] = {
		{432, "Erroneous Nickname"                     },
		{433, "Nickname is already in use"             },
		{436, "Nickname collision KILL"                },
		{437, "Nick/channel is temporarily unavailable"},
		{463, "Your host isn't among the privileged"   },
		{464, "Password incorrect"                     },
		{465, "You are banned from this server"        },
	};
	for (size_t i = 0; i < COUNTOF(rows); i++)
		if (rows[i].numeric == numeric)
			return rows[i].words;
	return "Closing Link: connection refused";
}

static bool is_about_nick(int numeric)
{
	return numeric >= 431 && numeric <= 437;
}

static bool take_refusal(struct sim_refusal *r)
{
	if (r->count > 0)
		r->count--;
	else if (r->count == 0)
		return false;
	return true;
}

/* True when the fault says no to this nick. A registration that it met once stays refused. */
static bool refuse_nick(struct sim_client *c, struct str nick)
{
	struct sim_refusal *r = &c->net->refusal;
	if (c->stage != SIM_REGISTERING || !is_about_nick(r->numeric))
		return false;
	if (!c->is_nick_refused && !take_refusal(r))
		return false;
	c->is_nick_refused = true;
	sim_reply(c, r->numeric, "%" STR_F " :%s", STR_A(nick),
		r->text ? r->text : usual_words(r->numeric));
	return true;
}

/* The words of what is refused after all was said: a ban, a wrong password. */
static void refuse(struct sim_client *c, int numeric, const char *words)
{
	if (numeric == 0) {
		sim_client_error(c, words, words);
		return;
	}
	sim_reply(c, numeric, ":%s", words);
	sim_client_close(c, words);
}

static bool refuse_registration(struct sim_client *c)
{
	const struct sim_network *net = c->net;
	struct sim_refusal *r = &c->net->refusal;
	if (!is_about_nick(r->numeric) && take_refusal(r)) {
		refuse(c, r->numeric, r->text ? r->text : usual_words(r->numeric));
		return true;
	}
	if (!net->password || (c->password && strcmp(c->password, net->password) == 0))
		return false;
	refuse(c, 464, "Password incorrect");
	return true;
}

static void welcome(struct sim_client *c)
{
	if (sim_find(c->net, str_of(c->nick))) {
		c->stage = SIM_REGISTERING;
		sim_reply(c, 433, "%s :Nickname is already in use", c->nick);
		sim_set(&c->nick, STR_NONE, 0);
		return;
	}
	sim_client_register(c);
	sim_greet(c);
	c->is_greeted = true;
	if (c->net->ping_interval_ns)
		arm(c, c->net->ping_interval_ns);
}

static void try_welcome(struct sim_client *c)
{
	bool is_complete = c->nick && c->user && !c->is_negotiating && !c->cookie;
	if (c->stage != SIM_REGISTERING || !is_complete || refuse_registration(c))
		return;
	c->stage = SIM_WELCOMED;
	timers_cancel(c->net->timers, &c->timer);
	if (c->net->register_delay_ns)
		arm(c, c->net->register_delay_ns);
	else
		welcome(c);
}

static void ping(struct sim_client *c)
{
	const struct sim_network *net = c->net;
	int64_t idle_ns = net->timers->now_ns - c->heard_ns;
	char reason[64];
	if (c->is_pinged) {
		snprintf(reason, sizeof(reason), "Ping timeout: %lld seconds",
			(long long)(idle_ns / NS_PER_S));
		sim_client_close(c, reason);
		return;
	}
	if (idle_ns >= net->ping_interval_ns) {
		c->is_pinged = true;
		sim_tell_plain(c, "PING :%s", net->server);
		idle_ns = 0;
	}
	arm(c, net->ping_interval_ns - idle_ns);
}

static void act_on_time(struct sim_client *c)
{
	switch (c->stage) {
	case SIM_REGISTERING:
		sim_client_close(c, "Registration timeout");
		break;
	case SIM_WELCOMED:
		welcome(c);
		break;
	case SIM_READY:
		ping(c);
		break;
	case SIM_SPLIT:
	case SIM_GONE:
		break;
	}
}

static bool answer_cookie(struct sim_client *c, struct str answer)
{
	char wanted[17];
	snprintf(wanted, sizeof(wanted), "%016" PRIx64, c->cookie);
	if (str_eq(answer, str_of(wanted)))
		c->cookie = 0;
	else
		sim_reply(c, 513, ":To connect type /QUOTE PONG %s", wanted);
	return c->cookie == 0;
}

void sim_on_pong(struct sim_client *c, const struct message *m)
{
	if (c->cookie && answer_cookie(c, message_last(m)))
		try_welcome(c);
}

void sim_on_pass(struct sim_client *c, const struct message *m)
{
	sim_set(&c->password, m->params[0], MESSAGE_BYTES);
}

void sim_on_user(struct sim_client *c, const struct message *m)
{
	char user[SIM_NAME_MAX_BYTES];
	unsigned max = sim_limit(c->net->isupport->userlen, 10);
	const char *tilde = c->net->profile->has_tilde ? "~" : "";
	struct str name = m->params[0];
	name.n = str_find(name, '@');
	snprintf(user, sizeof(user), "%s%" STR_F, tilde, STR_A(name));
	sim_set(&c->user, str_of(user), max);
	sim_set(&c->realname, m->params[3], sim_limit(c->net->isupport->namelen, 128));
	try_welcome(c);
}

static struct str wanted_nick(const struct sim_client *c, struct str nick)
{
	size_t max = sim_limit(c->net->isupport->nicklen, 30);
	if (c->net->profile->cuts_nick && nick.n > max)
		nick.n = max;
	return nick;
}

static void change_nick(struct sim_client *c, struct str nick)
{
	if (str_eq(str_of(c->nick), nick))
		return;
	sim_tell(c, c, "NICK %" STR_F, STR_A(nick));
	sim_tell_neighbours(c, "NICK %" STR_F, STR_A(nick));
	sim_client_rename(c, nick);
}

void sim_on_nick(struct sim_client *c, const struct message *m)
{
	struct str nick = wanted_nick(c, message_param(m, 0));
	const struct sim_client *other = nick.n ? sim_find(c->net, nick) : NULL;
	if (nick.n == 0)
		sim_reply(c, c->net->profile->says_461_only ? 461 : 431, "%s",
			c->net->profile->says_461_only ? "NICK :Not enough parameters"
						       : ":No nickname given");
	else if (!sim_is_nick(c->net, nick))
		sim_reply(c, 432, "%" STR_F " :Erroneous Nickname", STR_A(nick));
	else if (other && other != c)
		sim_reply(c, 433, "%" STR_F " :Nickname is already in use", STR_A(nick));
	else if (c->stage == SIM_READY)
		change_nick(c, nick);
	else if (!refuse_nick(c, nick)) {
		sim_set(&c->nick, nick, SIM_NAME_MAX_BYTES - 1);
		send_cookie(c);
		try_welcome(c);
	}
}

/* A line of CAP LS as far as it has come. */
struct cap_list {
	struct sim_client *c;
	const char *verb;
	bool is_302;
	struct buf names;
};

static void send_caps(struct cap_list *l, bool is_last)
{
	const char *pad = l->c->net->profile->is_space_padded ? " " : "";
	sim_tell(l->c, NULL, "CAP %s %s %s:%s%s", sim_client_name(l->c), l->verb,
		is_last || !l->is_302 ? "" : "* ", buf_str(&l->names).p, pad);
	buf_reset(&l->names);
}

static void list_cap(struct cap_list *l, struct str cap)
{
	if (!l->is_302)
		cap.n = str_find(cap, '=');
	const char *gap = l->names.n ? " " : "";
	if (buf_addf(&l->names, "%s%" STR_F, gap, STR_A(cap)) == 0)
		return;
	send_caps(l, false);
	int r = buf_add(&l->names, cap);
	(void)r; /* names in the table are short */
}

static void list_caps(struct sim_client *c, const char *verb, bool is_302, bool only_enabled)
{
	struct cap_list l = {c, verb, is_302, {0}};
	buf_init(&l.names, CAP_LINE_BYTES);
	struct str rest = str_of(c->net->profile->offered), cap;
	while ((cap = str_word(&rest, " ")).n) {
		struct str value = cap, name = str_cut(&value, '=');
		if (!only_enabled || (sim_cap_find(name) & c->caps))
			list_cap(&l, only_enabled ? name : cap);
	}
	send_caps(&l, true);
	buf_fini(&l.names);
}

static void on_ls(struct sim_client *c, const struct message *m)
{
	int64_t version;
	bool is_302 = m->n_params > 1 && str_int(m->params[1], 302, 9999, &version);
	if (c->stage == SIM_REGISTERING)
		c->is_negotiating = true;
	if (is_302)
		c->caps |= SIM_CAP_CAP_NOTIFY;
	list_caps(c, "LS", is_302, false);
}

static void on_list(struct sim_client *c, const struct message *m)
{
	(void)m;
	list_caps(c, "LIST", false, true);
}

static void on_end(struct sim_client *c, const struct message *m)
{
	(void)m;
	c->is_negotiating = false;
	try_welcome(c);
}

/* What a REQ asks for; false when a name is not to be had. */
static bool read_request(const struct sim_client *c, struct str list, unsigned *on, unsigned *off)
{
	struct str word;
	*on = *off = 0;
	while ((word = str_word(&list, " ")).n) {
		bool is_minus = word.p[0] == '-';
		struct str name = str_skip(word, is_minus);
		unsigned bit = sim_cap_find(name);
		if (!bit || !sim_profile_offers(c->net->profile, name))
			return false;
		*(is_minus ? off : on) |= bit;
	}
	return true;
}

static bool asks_for_poison(const struct sim_client *c, struct str list)
{
	struct str word, poison = str_of(c->net->profile->poison);
	while (poison.n && (word = str_word(&list, " ")).n)
		if (str_eq(word, poison))
			return true;
	return false;
}

static void on_req(struct sim_client *c, const struct message *m)
{
	unsigned on, off;
	struct str list = m->n_params > 1 ? message_last(m) : STR("");
	if (c->stage == SIM_REGISTERING)
		c->is_negotiating = true;
	if (asks_for_poison(c, list)) {
		sim_client_close(c, "Excess capability requests");
		return;
	}
	bool is_had = read_request(c, list, &on, &off);
	if (is_had)
		c->caps = (c->caps | on) & ~off;
	sim_tell(c, NULL, "CAP %s %s :%" STR_F, sim_client_name(c), is_had ? "ACK" : "NAK",
		STR_A(list));
}

void sim_on_cap(struct sim_client *c, const struct message *m)
{
	static const struct {
		const char *name;
		void (*run)(struct sim_client *c, const struct message *m);
	} verbs[] = {
		{"END",  on_end },
		{"LIST", on_list},
		{"LS",   on_ls  },
		{"REQ",  on_req },
	};
	for (size_t i = 0; i < COUNTOF(verbs); i++) {
		if (str_ieq(str_of(verbs[i].name), m->params[0])) {
			verbs[i].run(c, m);
			return;
		}
	}
	sim_reply(c, 410, "%" STR_F " :Invalid CAP command", STR_A(m->params[0]));
}

void sim_on_timer(struct timer *t)
{
	struct sim_client *c = container_of(t, struct sim_client, timer);
	struct sim_network *net = c->net;
	act_on_time(c);
	sim_wire_run(net);
}
