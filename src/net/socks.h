/*
 * socks: from a descriptor that is connected to a SOCKS5 proxy to one that is connected to a target
 * behind it.
 *
 * The proxy's own address is dialled like any other (net/dial.h). What is said then, and how its
 * refusals are told, is in net/socks_talk.h. Names are resolved at the proxy: nothing in here asks
 * for one. Nothing is read past the proxy's reply.
 */
#ifndef EBB_NET_SOCKS_H
#define EBB_NET_SOCKS_H

#include "net/loop.h"
#include "net/socks_talk.h"

struct socks_options {
	struct socks_target target;
	const char *proxy; /* its name and port, for the words of a failure */
	uint16_t proxy_port;
	int64_t deadline_ns; /* of the loop's timers */
};

/*
 * The end, exactly once: the descriptor, which the callee takes back; or -1 and why, which names
 * the proxy and the target, and never the user. The socks is gone when it returns. Codes besides
 * those of net/socks_talk.h: ERR_TIMEOUT at the deadline, ERR_CLOSED where the proxy closes,
 * resets or is lost in the middle, ERR_SYSTEM.
 */
typedef void socks_done(void *data, int fd, const struct err *why);

/* Takes fd, connected and non-blocking. Copies the options, borrows data. done is called from the
 * loop. */
struct socks *socks_start(struct loop *loop, int fd, const struct socks_options *options,
	socks_done *done, void *data);

/* done is not called any more, and the descriptor is closed. NULL is accepted. */
void socks_cancel(struct socks *socks);

#endif
