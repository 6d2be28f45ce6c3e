/*
 * simlink: the way from the daemon's networks to the ones inside the process.
 *
 * Each connection is a memory stream with a client of a simulated network (src/sim) at its other
 * end: sessions and streams are the very same that talk to real servers.
 */
#ifndef EBB_DAEMON_SIMLINK_H
#define EBB_DAEMON_SIMLINK_H

#include "daemon/network.h"
#include "sim/network.h"

/* The networks that there are, by the host name that leads to each. */
struct simlink {
	struct loop *loop; /* borrowed */
	struct map hosts;  /* struct sim_network, borrowed */
	/* Gives those that were not added; NULL: there are no others. */
	struct sim_network *(*find)(void *data, struct str host);
	/* Told of each attempt; conn NULL: it cannot be reached. NULL: nobody asks. */
	void (*tried)(void *data, struct sim_network *net, const struct sim_conn *conn);
	void *data;
};

void simlink_init(struct simlink *l, struct loop *loop);
void simlink_fini(struct simlink *l);
void simlink_add(struct simlink *l, const char *host, struct sim_network *net);

/* The route through l, for network_parts. */
struct network_route simlink_route(struct simlink *l);

#endif
