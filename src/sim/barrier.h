/*
 * barrier: what keeps connections out of a channel on request, or sends them elsewhere.
 */
#ifndef EBB_SIM_BARRIER_H
#define EBB_SIM_BARRIER_H

#include "sim/inside.h"

/* Whether a barrier stands before the channel of that name; c was told then. */
bool sim_barrier_stops(struct sim_client *c, struct str name);

void sim_barriers_fini(struct sim_network *net);

#endif
