/*
 * networks: the networks of a daemon: those of its configuration, and those that scripts make.
 *
 * A configuration is taken over in two phases, so that a failure changes nothing: networks_prepare
 * makes all that can fail, networks_apply cannot. By name, networks are added, changed and removed;
 * those that are as they were do not notice. Each owns its part of the configuration it came from.
 *
 * A network that is removed leaves with QUIT and goes when its connection has ended, at the latest
 * NETWORK_CLOSE_NS later; scripts see it until then. If its name comes back meanwhile, it is the
 * same network again.
 *
 * Those that scripts make (net_maker, which is the host's from networks_init on) stay until a
 * script removes them, whatever becomes of the script that made them. A configuration that names
 * one has it from then on; one that does not leaves it alone.
 *
 * What is added, removed or changed after networks_connect is logged, a line for each network.
 */
#ifndef EBB_DAEMON_NETWORKS_H
#define EBB_DAEMON_NETWORKS_H

#include "base/map.h"
#include "daemon/network.h"

enum { NETWORKS_MADE_MAX = 1000 }; /* by all scripts, those that leave included */

/* What a configuration needs that can fail: a TLS context for all networks with the same
 * files. Zeroed memory is an empty one. */
struct networks_plan {
	struct shared_context *contexts;
	size_t n_contexts;
};

struct networks {
	struct network_parts parts;
	struct map by_name;  /* struct member, those that leave too */
	struct list members; /* struct member, as configured */
	struct list made;    /* struct member, by scripts, the oldest first */
	struct list leaving; /* struct member */
	size_t n_made;       /* by scripts, those that leave included */
	struct net_maker maker;
	struct networks_plan present;
	bool is_connecting; /* networks_connect was called */
};

/* Does not move. */
void networks_init(struct networks *ns, const struct network_parts *parts);

/* Drops all connections without a word. The scripts are still there. */
void networks_fini(struct networks *ns);

/* Reads the authorities, certificates and keys of config's networks anew, also those that are in
 * use. ERR_CONFIG: err names the network, and plan is empty. */
NODISCARD int networks_prepare(
	struct networks_plan *plan, const struct config *config, struct err *err);

/* Drops what was prepared and not applied. */
void networks_plan_fini(struct networks_plan *plan);

/* Takes plan, which networks_prepare made for this config, and the networks out of config: NULL
 * stays in their places. Networks of scripts keep their files as they were read, unless plan has
 * the same. Once networks_connect was called, it connects what is to be. No script
 * runs within the call. */
void networks_apply(struct networks *ns, struct networks_plan *plan, struct config *config);

/* Connects those that are to connect by themselves: called once the scripts are loaded. */
void networks_connect(struct networks *ns);

/* Sends QUIT to all. */
void networks_disconnect_all(struct networks *ns, struct str message);

/* Whether no connection or attempt is left, those of removed networks included. */
bool networks_all_idle(const struct networks *ns);

#endif
