/*
 * err: result codes and the reason of a failure.
 *
 * A function that can fail because of the world returns int: 0 or more is success, a negative
 * ERR_* is failure. If a person will read the reason, its last parameter is a struct err, which
 * may be NULL. The names are those that scripts see as `kind`.
 */
#ifndef EBB_BASE_ERR_H
#define EBB_BASE_ERR_H

#include "base/attr.h"

/* code, name */
#define ERR_TABLE(X)                                                               \
	X(AGAIN, "again")               /* later; never broken */                  \
	X(SYSTEM, "system")             /* the operating system said no */         \
	X(CONFIG, "config")             /* the configuration is at fault */        \
	X(INVALID, "invalid")           /* bad input: an argument, a line */       \
	X(LIMIT, "limit")               /* a maximum would be passed */            \
	X(DENIED, "denied")             /* who asks may not */                     \
	X(DISCONNECTED, "disconnected") /* needs a connection and there is none */ \
	/* why a connection failed or ended */                                     \
	X(DNS, "dns")                                                              \
	X(REFUSED, "refused")                                                      \
	X(TIMEOUT, "timeout")                                                      \
	X(TLS, "tls")                                                              \
	X(CLOSED, "closed")                                                        \
	X(REGISTRATION, "registration")                                            \
	X(SASL, "sasl")                                                            \
	X(BANNED, "banned")                                                        \
	X(THROTTLED, "throttled")                                                  \
	X(NICK, "nick")                                                            \
	X(KILLED, "killed")                                                        \
	X(PING, "ping")                                                            \
	X(REQUESTED, "requested")

enum err_number {
	ERR_NUMBER_OK, /* so that the codes begin at -1 */
#define ERR_NUMBER(code, name) ERR_NUMBER_##code,
	ERR_TABLE(ERR_NUMBER)
#undef ERR_NUMBER
};

enum {
#define ERR_CODE(code, name) ERR_##code = -ERR_NUMBER_##code,
	ERR_TABLE(ERR_CODE)
#undef ERR_CODE
};

struct err {
	int code; /* an ERR_*; 0: no failure */
	char text[512];
};

/* Writes the reason into err, cut to its size, and returns code. */
int err_set(struct err *err, int code, const char *fmt, ...) PRINTF(3, 4);

/* The name of an ERR_*: "timeout", "tls" … */
const char *err_name(int code);

#endif
