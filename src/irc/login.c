#include "irc/login.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "irc/handle.h"

#include <stdlib.h>
#include <string.h>

/* With register = manual it is the script's, and after QUIT nobody's. */
static bool is_ours(const struct session *s)
{
	return !s->options->is_manual && s->state != SESSION_CLOSING;
}

static bool wants_account(const struct session *s)
{
	return s->options->sasl.n_mechanisms > 0;
}

/* Room for a login's lines from the first: a buffer that grows leaves what it held behind. */
static void begin_sasl_lines(struct buf *out)
{
	buf_init(out, SASL_OUT_MAX_BYTES);
	(void)buf_reserve(out, SASL_OUT_MAX_BYTES);
}

/* Lines that the server is told at once; they may hold a secret. */
static void flush(struct session *s, struct buf *out)
{
	if (buf_str(out).n)
		s->ops->write(s->owner, buf_str(out));
	mem_wipe(out->bytes, out->capacity);
	buf_fini(out);
}

static void introduce(struct session *s)
{
	const struct session_options *o = s->options;
	s->login.is_held = false;
	if (o->password) {
		(void)buf_reserve(&s->scratch, strlen("PASS :\r\n") + strlen(o->password));
		session_write(s, "PASS :%s", o->password);
	}
	session_write(s, "NICK %s", s->nick.now);
	session_write(s, "USER %s 0 * :%s", o->user, o->realname);
	mem_wipe(s->scratch.bytes, s->scratch.capacity);
}

void login_begin(struct session *s)
{
	const struct session_options *o = s->options;
	struct buf out;
	buf_init(&out, CAPS_OUT_MAX_BYTES);
	caps_begin(&s->caps, &o->caps, &out);
	flush(s, &out);
	s->login.held_ns = s->now_ns;
	s->login.is_held = o->sts && !s->is_secure && o->password;
	if (!s->login.is_held)
		introduce(s);
}

static void end_negotiation(struct session *s)
{
	if (s->is_registered || s->login.is_ended)
		return;
	s->login.is_ended = true;
	session_write(s, "CAP END");
}

static void become(struct session *s, struct str account)
{
	if (str_eq(str_of(s->login.account), account))
		return;
	free(s->login.account);
	s->login.account = account.n ? str_dup(account) : NULL;
	if (account.n) {
		log_info("%s: logged in as %" STR_F, s->options->network, STR_A(account));
		s->login.again_ns = -1;
		joins_on_login(s);
	} else {
		log_warn("%s: logged out", s->options->network);
		s->login.again_ns = wants_account(s) ? s->now_ns + LOGIN_AGAIN_NS : -1;
	}
}

static void forget_claim(struct session *s)
{
	free(s->login.claimed);
	s->login.claimed = NULL;
}

/* Nobody is left waiting: where the account is required it is the end, else we go on without. */
static void give_up(struct session *s, const struct err *why)
{
	bool is_required = s->options->sasl_required && !s->login.is_settled;
	s->login.again_ns = s->now_ns + LOGIN_AGAIN_NS;
	forget_claim(s);
	if (is_required) {
		session_fail(s, ERR_SASL, "%s", why->text);
		return;
	}
	log_warn("%s: sasl: %s", s->options->network, why->text);
	s->login.is_settled = true;
	end_negotiation(s);
}

static void succeed(struct session *s)
{
	s->login.is_settled = true;
	if (s->login.claimed)
		become(s, str_of(s->login.claimed));
	forget_claim(s);
	s->login.again_ns = -1;
	end_negotiation(s);
}

static void act_on(struct session *s, enum sasl_result r, const struct err *why)
{
	switch (r) {
	case SASL_GOES_ON:
		break;
	case SASL_LOGGED_IN:
		succeed(s);
		break;
	case SASL_FAILED:
		give_up(s, why);
		break;
	}
}

static void log_in(struct session *s)
{
	struct buf out;
	struct err why = {0};
	begin_sasl_lines(&out);
	s->login.begun_ns = s->now_ns;
	s->login.again_ns = -1;
	enum sasl_result r = sasl_begin(
		&s->login.sasl, &s->options->sasl, caps_value(&s->caps, CAP_SASL), &out, &why);
	flush(s, &out);
	act_on(s, r, &why);
}

static void on_settled(struct session *s)
{
	struct err why;
	if (!wants_account(s)) {
		end_negotiation(s);
	} else if (caps_has(&s->caps, CAP_SASL)) {
		log_in(s);
	} else {
		err_set(&why, ERR_SASL, "the server does not offer it");
		give_up(s, &why);
	}
}

/* Whether the connection is to end, for one that is secure. */
static bool obeys_sts(struct session *s)
{
	struct sts_value value;
	bool is_offered = s->caps.news.offered & CAP_BIT(CAP_STS);
	if (!s->options->sts || !is_offered || !sts_parse(caps_value(&s->caps, CAP_STS), &value))
		return false;
	if (s->is_secure && value.duration_ns >= 0)
		s->ops->sts(s->owner, &value);
	if (s->is_secure || !value.port)
		return false;
	s->is_over = true;
	s->ops->sts(s->owner, &value);
	return true;
}

static void log_refused(const struct session *s)
{
	uint64_t set = s->caps.news.refused;
	const char *name;
	while ((name = caps_next(&s->caps, &set, NULL)))
		log_info("%s: capability %s: refused", s->options->network, name);
}

/* Services came back, or went. */
static void on_sasl_change(struct session *s)
{
	if (s->caps.news.lost & CAP_BIT(CAP_SASL) && sasl_is_under_way(&s->login.sasl)) {
		struct err why;
		sasl_fini(&s->login.sasl);
		err_set(&why, ERR_SASL, "the server took it back");
		give_up(s, &why);
	}
	if (s->caps.news.gained & CAP_BIT(CAP_SASL) && s->login.is_settled && !s->login.account &&
		wants_account(s))
		log_in(s);
}

void login_on_cap(struct session *s, const struct message *m)
{
	struct buf out;
	if (!is_ours(s))
		return;
	buf_init(&out, CAPS_OUT_MAX_BYTES);
	enum caps_result r = caps_hear(&s->caps, m, &out);
	roster_trust_account_tag(s->roster, caps_has(&s->caps, CAP_ACCOUNT_TAG));
	if (obeys_sts(s)) {
		buf_fini(&out);
		return;
	}
	if (s->login.is_held && s->caps.state != CAPS_LISTING)
		introduce(s);
	flush(s, &out);
	log_refused(s);
	on_sasl_change(s);
	if (r == CAPS_SETTLED && !s->is_over && !sasl_is_under_way(&s->login.sasl))
		on_settled(s);
}

void login_on_sasl(struct session *s, const struct message *m)
{
	struct buf out;
	struct err why = {0};
	if (!sasl_is_under_way(&s->login.sasl) || !is_ours(s))
		return;
	begin_sasl_lines(&out);
	enum sasl_result r = sasl_hear(&s->login.sasl, m, &out, &why);
	flush(s, &out);
	if (r == SASL_GOES_ON && why.code)
		log_warn("%s: sasl: %s", s->options->network, why.text);
	act_on(s, r, &why);
}

/* During a login the server has yet to show that it knows us. */
void login_on_logged_in(struct session *s, const struct message *m)
{
	if (!sasl_is_under_way(&s->login.sasl)) {
		become(s, message_param(m, 2));
		return;
	}
	forget_claim(s);
	s->login.claimed = str_dup(message_param(m, 2));
}

void login_on_logged_out(struct session *s, const struct message *m)
{
	(void)m;
	become(s, STR_NONE);
}

void login_on_account(struct session *s, const struct message *m)
{
	if (session_is_me(s, m->nick))
		become(s, str_eq(m->params[0], STR("*")) ? STR_NONE : m->params[0]);
}

/* CAP is unknown, or comes too early for a server that does not know it: nothing else was said.
 * Servers differ in where they name it. */
void login_on_unknown(struct session *s, const struct message *m)
{
	(void)m;
	if (s->login.is_held && is_ours(s))
		introduce(s);
}

void login_on_welcome(struct session *s)
{
	struct err why;
	s->login.is_held = false;
	if (s->login.is_settled || !wants_account(s) || !is_ours(s))
		return;
	sasl_fini(&s->login.sasl);
	err_set(&why, ERR_SASL, "the server welcomes us without a login");
	give_up(s, &why);
}

static int64_t sasl_deadline(const struct session *s)
{
	return sasl_is_under_way(&s->login.sasl) ? s->login.begun_ns + LOGIN_SASL_NS : -1;
}

int64_t login_deadline(const struct session *s)
{
	int64_t at_ns = s->login.is_held ? s->login.held_ns + LOGIN_HOLD_NS : -1;
	at_ns = clock_earlier(at_ns, sasl_deadline(s));
	return clock_earlier(at_ns, session_is_talking(s) ? s->login.again_ns : -1);
}

static bool is_due(int64_t at_ns, const struct session *s)
{
	return at_ns >= 0 && at_ns <= s->now_ns;
}

static void give_up_on_silence(struct session *s)
{
	struct buf out;
	struct err why;
	begin_sasl_lines(&out);
	sasl_abort(&s->login.sasl, &out);
	flush(s, &out);
	err_set(&why, ERR_SASL, "no answer within %lld s", (long long)(LOGIN_SASL_NS / NS_PER_S));
	give_up(s, &why);
}

void login_tick(struct session *s)
{
	if (s->login.is_held && is_due(s->login.held_ns + LOGIN_HOLD_NS, s))
		introduce(s);
	if (is_due(sasl_deadline(s), s))
		give_up_on_silence(s);
	if (!session_is_talking(s) || !is_due(s->login.again_ns, s))
		return;
	s->login.again_ns = s->now_ns + LOGIN_AGAIN_NS;
	if (caps_has(&s->caps, CAP_SASL))
		log_in(s);
}

void login_end(struct session *s)
{
	sasl_fini(&s->login.sasl);
	caps_fini(&s->caps);
	free(s->login.account);
	forget_claim(s);
	s->login = (struct login){.again_ns = -1};
}
