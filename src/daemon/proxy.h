/*
 * proxy: the URL of a proxy, as `proxy` has it.
 *
 *     socks5h://[USER:PASSWORD@]HOST[:PORT]
 *
 * HOST is as in `host`, PORT is PROXY_PORT where it is not given, and in the user and the password
 * %XX stands for a byte (RFC 3986, section 2.1). The h says that names are resolved at the proxy;
 * nothing else is done, so nothing else is taken.
 */
#ifndef EBB_DAEMON_PROXY_H
#define EBB_DAEMON_PROXY_H

#include "daemon/config.h"

enum { PROXY_PORT = 1080 };

/* Reads url into out, which is zeroed. ERR_CONFIG: out may hold a part; the reason tells nothing of
 * what url says, for that may be a password. */
NODISCARD int proxy_read(struct str url, struct config_proxy *out, struct err *err);

bool proxy_equal(const struct config_proxy *a, const struct config_proxy *b);

/* Wipes the user and the password. */
void proxy_fini(struct config_proxy *p);

#endif
