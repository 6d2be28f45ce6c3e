/*
 * monitor: who waits for whose coming and going (IRCv3 MONITOR).
 */
#ifndef EBB_SIM_MONITOR_H
#define EBB_SIM_MONITOR_H

#include "sim/inside.h"

/* A nick on somebody's list. */
struct sim_monitor {
	struct list in_net, in_client;
	struct sim_client *owner;
	char *nick; /* owned */
};

/* Tells those who wait for c's nick that it came, or went. */
void sim_monitor_tell(struct sim_client *c, bool is_here);

/* Empties c's list. */
void sim_monitor_clear(struct sim_client *c);

#endif
