#include "base/clock.h"
#include "sim/client.h"
#include "sim/server.h"
#include "sim/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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
	c->cookie = rand_next(&c->net->rand) | 1;
	sim_tell_plain(c, "PING :%016" PRIx64, c->cookie);
}

static const char *words_of(const struct sim_refusal *r)
{
	return r->text ? r->text : sim_usual_words(r->numeric, "Closing Link: connection refused");
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
	sim_reply(c, r->numeric, "%" STR_F " :%s", STR_A(nick), words_of(r));
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
		refuse(c, r->numeric, words_of(r));
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
		sim_expect_registration(c);
		return;
	}
	sim_client_register(c);
	sim_greet(c);
	c->is_greeted = true;
	if (c->net->ping_interval_ns)
		arm(c, c->net->ping_interval_ns);
}

void sim_try_welcome(struct sim_client *c)
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
		sim_try_welcome(c);
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
	sim_try_welcome(c);
}

static struct str wanted_nick(const struct sim_client *c, struct str nick)
{
	size_t max = sim_limit(c->net->isupport->nicklen, 30);
	if (c->net->profile->cuts_nick && nick.n > max)
		nick.n = max;
	return nick;
}

void sim_change_nick(struct sim_client *c, struct str nick)
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
		sim_change_nick(c, nick);
	else if (!refuse_nick(c, nick)) {
		sim_set(&c->nick, nick, SIM_NAME_MAX_BYTES - 1);
		send_cookie(c);
		sim_try_welcome(c);
	}
}

void sim_on_timer(struct timer *t)
{
	struct sim_client *c = container_of(t, struct sim_client, timer);
	struct sim_network *net = c->net;
	act_on_time(c);
	sim_wire_run(net);
}
