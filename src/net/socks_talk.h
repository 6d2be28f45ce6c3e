/*
 * socks_talk: the conversation with a SOCKS5 proxy, bytes in and bytes out.
 *
 * RFC 1928, with the user and password of RFC 1929: greeting, login where the proxy asks for it,
 * CONNECT. A name is sent as a name, so that the proxy resolves it; an address as an address.
 *
 * What follows the proxy's last byte belongs to somebody else, and may have come with it. So the
 * talk says how many bytes may be read next; to read no more is all there is to it. A refusal
 * counts as soon as it can be told, since many a proxy closes without the rest of the reply.
 *
 * How a failure is told, and what a policy for coming back should make of it:
 *
 *     ERR_REFUSED  the target refuses, there is no way to it, the proxy failed, or what answers is
 *                  no SOCKS5 proxy: trying again soon may do
 *     ERR_DNS      the proxy does not find the host by its name; it tells that no better than by
 *                  "host unreachable": as ERR_REFUSED
 *     ERR_TIMEOUT  the proxy waited in vain for the target: as ERR_REFUSED
 *     ERR_DENIED   the proxy does not want to: the login, its rules, what it cannot do. Somebody
 *                  has to change something, there or in the configuration: trying again seldom
 */
#ifndef EBB_NET_SOCKS_TALK_H
#define EBB_NET_SOCKS_TALK_H

#include "base/err.h"
#include "base/str.h"

enum { SOCKS_TEXT_BYTES = 255, SOCKS_SENT_BYTES = 513, SOCKS_REPLY_BYTES = 262 };

enum socks_step { SOCKS_GREETING, SOCKS_LOGIN, SOCKS_REQUEST, SOCKS_CONNECTED };

/* Where to, and as whom. The texts have 1 to SOCKS_TEXT_BYTES bytes. */
struct socks_target {
	const char *host; /* a name or an address, the latter without brackets */
	uint16_t port;
	const char *user, *password; /* both or, NULL, neither */
};

struct socks_talk {
	const struct socks_target *target; /* borrowed; outlives the talk */
	enum socks_step step;
	unsigned char out[SOCKS_SENT_BYTES], in[SOCKS_REPLY_BYTES];
	size_t n_out, n_sent, n_in;
};

/* The greeting is to be sent then. */
void socks_talk_init(struct socks_talk *t, const struct socks_target *target);

/* Wipes what was sent. */
void socks_talk_fini(struct socks_talk *t);

/* What is to be sent next: empty while an answer is waited for. Borrowed until the next call. */
struct str socks_talk_out(const struct socks_talk *t);

/* So many bytes of it were sent. */
void socks_talk_sent(struct socks_talk *t, size_t n);

/* How many bytes may be read next at most; 0 once the target is connected. */
size_t socks_talk_wants(const struct socks_talk *t);

/* Takes bytes that were read, 1 to socks_talk_wants of them, all being sent. A failure ends the
 * talk; its text does not say who talked to whom. */
NODISCARD int socks_talk_feed(struct socks_talk *t, struct str bytes, struct err *err);

/* What is answered, or not, at a step: "the greeting", "the login", "the request". */
const char *socks_step_name(enum socks_step step);

#endif
