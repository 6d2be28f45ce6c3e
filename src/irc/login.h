/*
 * login: what comes before the welcome, and the account; a part of the session.
 *
 *     CAP LS 302, PASS, NICK, USER --capabilities settled--> SASL --logged in, or not--> CAP END
 *
 * Where SASL is configured and required, a server at which we cannot log in is left. Where it is
 * not required we go on, and try again every LOGIN_AGAIN_NS, and when the server offers SASL anew,
 * for as long as we are logged out.
 *
 * A connection that is not secure may be told to become so (STS): until the server has said what it
 * offers, or shown that it knows no capabilities, no password is sent.
 */
#ifndef EBB_IRC_LOGIN_H
#define EBB_IRC_LOGIN_H

#include "irc/sasl.h"

#include <stdint.h>

#define LOGIN_SASL_NS  (15 * NS_PER_S) /* for a login */
#define LOGIN_AGAIN_NS (300 * NS_PER_S)
#define LOGIN_HOLD_NS  (5 * NS_PER_S) /* for the answer to CAP LS, before a password is sent */

struct session;

struct login {
	struct sasl sasl;
	char *account;    /* owned; NULL: logged out */
	char *claimed;    /* owned: what 900 said in a login that has not ended */
	bool is_held;     /* PASS, NICK and USER wait */
	bool is_ended;    /* CAP END was sent */
	bool is_settled;  /* a login succeeded, or was given up */
	int64_t held_ns;  /* since */
	int64_t begun_ns; /* the login under way */
	int64_t again_ns; /* -1: not by time */
};

void login_begin(struct session *s);

/* Received lines. */
void login_on_cap(struct session *s, const struct message *m);
void login_on_sasl(struct session *s, const struct message *m); /* AUTHENTICATE, 902 to 908 */
void login_on_logged_in(struct session *s, const struct message *m);
void login_on_logged_out(struct session *s, const struct message *m);
void login_on_account(struct session *s, const struct message *m);
void login_on_unknown(struct session *s, const struct message *m); /* 421, 451 */

/* The welcome came: a server that knows no capabilities has not asked for a login. */
void login_on_welcome(struct session *s);

/* When login_tick is next wanted, or -1. */
int64_t login_deadline(const struct session *s);
void login_tick(struct session *s);

/* The connection is over. */
void login_end(struct session *s);

#endif
