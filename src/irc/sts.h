/*
 * sts: strict transport security (IRCv3 sts): which hosts are spoken to with TLS only.
 *
 * A policy is a port and a time until which it holds, under the name of a host, as it was dialled;
 * capitals and a dot at the end make no difference. As long as it holds, nobody connects to the
 * host but with TLS, verified, on that port. Its duration counts anew whenever the server tells it,
 * and when a connection that was secure ends.
 *
 * Times are wall-clock nanoseconds since the epoch, and arguments. There are at most STS_HOSTS_MAX
 * policies: then the one that ends first makes room. Zeroed memory is a valid, empty struct sts.
 */
#ifndef EBB_IRC_STS_H
#define EBB_IRC_STS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/map.h"

enum {
	STS_HOSTS_MAX = 1000,
	STS_HOST_MAX_BYTES = 253,
	STS_TEXT_MAX_BYTES = 64 + STS_HOSTS_MAX * (STS_HOST_MAX_BYTES + 48) /* of sts_write */
};

/* No server binds anybody for longer. */
#define STS_DURATION_MAX_S (10LL * 365 * 24 * 3600)

/* What a server says, by `sts=port=6697,duration=2592000`. */
struct sts_value {
	uint16_t port;       /* 0: not told */
	int64_t duration_ns; /* -1: not told */
};

struct sts {
	struct map policies; /* struct policy, owned, by host */
};

void sts_fini(struct sts *s);

/*
 * Reads the value of the capability. Keys that are unknown, or whose value makes no sense, are as
 * if they were not there; the last of several with one key counts; a duration over the maximum is
 * the maximum. False when nothing is left. Where the connection is not secure only the port
 * matters, and without one there is no policy; where it is secure, only the duration.
 */
bool sts_parse(struct str value, struct sts_value *out);

/* A secure connection to host at port was told a duration: from now on a policy holds for that
 * long, in place of an older one; 0 ends it. False, and nothing changes, for what is no host or
 * port, and a duration below 0. */
bool sts_set(
	struct sts *s, struct str host, uint16_t port, int64_t duration_ns, int64_t now_wall_ns);

/* The port of the policy that holds for host, or 0. */
uint16_t sts_get(const struct sts *s, struct str host, int64_t now_wall_ns);

/* A secure connection to host ended: its duration counts anew, also of a policy that came to its
 * end in the meantime. Never shortens one: the clock may have been set back. */
void sts_touch(struct sts *s, struct str host, int64_t now_wall_ns);

/* Appends the policies that hold as text: a line that names the form, and a line for each.
 * ERR_LIMIT when it does not fit; STS_TEXT_MAX_BYTES always do. */
NODISCARD int sts_write(const struct sts *s, int64_t now_wall_ns, struct buf *out);

/* Adds the policies of a text that sts_write made. What is no policy is skipped: returns the number
 * of such lines, with the reason of the first in err. Of a text of another form nothing is read. */
NODISCARD int sts_read(struct sts *s, struct str text, struct err *err);

#endif
