/*
 * daemon: an engine (engine.h) on a loop of its own, with signals, a control socket and a service
 * manager.
 */
#ifndef EBB_DAEMON_DAEMON_H
#define EBB_DAEMON_DAEMON_H

#include "daemon/config.h"

/* Both take config. */

/* Runs with that configuration, which stands at path and is read again at HUP, until TERM or INT:
 * QUIT is sent to every network, and what is not closed within a few seconds is dropped.
 * ERR_CONFIG, or ERR_SYSTEM where the control socket cannot be opened: it did not start; the reason
 * is logged. */
NODISCARD int daemon_run(struct config *config, const char *path, bool is_verbose);

/* Loads every script, with nothing connected. How many failed; ERR_CONFIG: a network cannot be
 * made. Each reason is logged. */
NODISCARD int daemon_check(struct config *config);

#endif
