/*
 * notify: what the service manager is told (sd_notify(3)), without its library.
 */
#ifndef EBB_DAEMON_NOTIFY_H
#define EBB_DAEMON_NOTIFY_H

/* Sends state, lines of NAME=VALUE, to $NOTIFY_SOCKET; does nothing where there is none. */
void notify_send(const char *state);

#endif
