/*
 * notify: what the service manager is told (sd_notify(3)), without its library.
 *
 * The environment is read once, by notify_init. Where $NOTIFY_SOCKET is not there, nothing in here
 * does anything; where it cannot be written to, that is logged once and the daemon goes on.
 *
 * The watchdog is a timer on the loop, so a loop that hangs is not told to be alive.
 */
#ifndef EBB_DAEMON_NOTIFY_H
#define EBB_DAEMON_NOTIFY_H

#include "net/loop.h"

#include <sys/socket.h>
#include <sys/un.h>

struct notify {
	struct loop *loop; /* borrowed; outlives this */
	int fd;            /* owned; -1: there is nobody to tell */
	struct sockaddr_un address;
	socklen_t address_bytes;
	bool is_failing;       /* the last message could not be sent */
	char *status;          /* owned: the line that was told last; NULL: none */
	struct timer watchdog; /* set where $WATCHDOG_USEC asks for it */
	int64_t watchdog_ns;   /* between two signs of life: half of what is asked for */
};

/* Does not move. */
void notify_init(struct notify *n, struct loop *loop);

/* Does nothing for zeroed memory. */
void notify_fini(struct notify *n);

/* Whether there is anybody to tell. */
bool notify_is_heard(const struct notify *n);

/* The configuration is running: at the start, and at the end of a reload, whatever came of it. */
void notify_ready(struct notify *n);

/* A reload begins. */
void notify_reloading(struct notify *n);

/* The daemon is about to end. */
void notify_stopping(struct notify *n);

/* The daemon's state for people, of which the first line is told when it differs from the last. */
void notify_status(struct notify *n, const char *text);

#endif
