#include "daemon/notify.h"

#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STATE_MAX_BYTES = 1024 };

/* The socket's queue may be full, and the loop cannot wait for long: not at all with what comes
 * again and again. */
static const struct timeval send_timeout = {.tv_usec = 500000};

/* A path, or "@" and a name in the abstract namespace. */
static bool read_address(struct notify *n, struct str text)
{
	bool is_abstract = str_starts(text, STR("@"));
	if (!is_abstract && !str_starts(text, STR("/")))
		return false;
	if (text.n < 2 || text.n >= sizeof(n->address.sun_path))
		return false;
	n->address.sun_family = AF_UNIX;
	memcpy(n->address.sun_path, text.p, text.n);
	if (is_abstract)
		n->address.sun_path[0] = '\0';
	n->address_bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + text.n);
	return true;
}

static void open_socket(struct notify *n)
{
	struct str text = str_of(getenv("NOTIFY_SOCKET"));
	if (text.n == 0)
		return;
	if (!read_address(n, text)) {
		log_warn("notify: %" STR_F ": not the address of a socket", STR_A(text));
		return;
	}
	n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (n->fd < 0)
		log_warn("notify: socket: %s", strerror(errno));
	else
		setsockopt(n->fd, SOL_SOCKET, SO_SNDTIMEO, &send_timeout, sizeof(send_timeout));
}

/* Lines of NAME=VALUE. The receiver may have been bound anew: each message finds it by its name. */
static bool tell(struct notify *n, const char *state, int flags)
{
	if (n->fd < 0)
		return false;
	bool ok = sendto(n->fd, state, strlen(state), flags | MSG_NOSIGNAL,
			  (const struct sockaddr *)&n->address, n->address_bytes) >= 0;
	const char *path = n->address.sun_path;
	if (!ok && !n->is_failing)
		log_warn("notify: %s%s: %s", *path ? "" : "@", *path ? path : path + 1,
			strerror(errno));
	n->is_failing = !ok;
	return ok;
}

static void on_watchdog(struct timer *t)
{
	struct notify *n = container_of(t, struct notify, watchdog);
	tell(n, "WATCHDOG=1", MSG_DONTWAIT);
	timers_after(&n->loop->timers, t, n->watchdog_ns);
}

/* $WATCHDOG_PID is another's where the daemon was started by what was to be watched. */
static void start_watchdog(struct notify *n)
{
	int64_t usec, pid;
	struct str owner = str_of(getenv("WATCHDOG_PID"));
	if (!str_int(str_of(getenv("WATCHDOG_USEC")), 1, INT64_MAX / 1000, &usec))
		return;
	if (owner.p && (!str_int(owner, 1, INT64_MAX, &pid) || pid != getpid()))
		return;
	n->watchdog.fire = on_watchdog;
	n->watchdog_ns = usec * 1000 / 2;
	timers_after(&n->loop->timers, &n->watchdog, n->watchdog_ns);
}

void notify_init(struct notify *n, struct loop *loop)
{
	*n = (struct notify){.loop = loop, .fd = -1};
	open_socket(n);
	if (notify_is_heard(n))
		start_watchdog(n);
}

void notify_fini(struct notify *n)
{
	if (!n->loop)
		return;
	timers_cancel(&n->loop->timers, &n->watchdog);
	if (n->fd >= 0)
		close(n->fd);
	free(n->status);
	*n = (struct notify){0};
}

bool notify_is_heard(const struct notify *n)
{
	return n->fd >= 0;
}

void notify_ready(struct notify *n)
{
	tell(n, "READY=1", 0);
}

void notify_reloading(struct notify *n)
{
	char state[64];
	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
		clock_mono_ns(n->loop->clock) / 1000);
	tell(n, state, 0);
}

void notify_stopping(struct notify *n)
{
	tell(n, "STOPPING=1", 0);
}

void notify_status(struct notify *n, const char *text)
{
	char state[STATE_MAX_BYTES];
	struct str rest = str_of(text), line = str_cut(&rest, '\n');
	snprintf(state, sizeof(state), "STATUS=%" STR_F, STR_A(line));
	if ((n->status && strcmp(n->status, state) == 0) || !tell(n, state, MSG_DONTWAIT))
		return;
	free(n->status);
	n->status = mem_strdup(state);
}
