/*
 * settings: what the configuration says of a network, as its session wants it.
 */
#ifndef EBB_DAEMON_SETTINGS_H
#define EBB_DAEMON_SETTINGS_H

#include "daemon/config.h"
#include "irc/session.h"

/* What a session borrows; it borrows from the configuration. */
struct settings {
	struct session_options options;
	struct session_channel *channels;
	const char **more, **refused; /* capabilities */
};

/* Returns owned. has_policies: somebody keeps what servers ask for by STS. */
struct settings *settings_new(const struct config_network *c, bool has_policies);
void settings_free(struct settings *settings);

#endif
