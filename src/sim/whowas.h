/*
 * whowas: who had a nick and has it no more, the last SIM_GONE_MAX of them.
 */
#ifndef EBB_SIM_WHOWAS_H
#define EBB_SIM_WHOWAS_H

#include "sim/inside.h"

/* c gives up its nick. */
void sim_gone_note(const struct sim_client *c);

void sim_gone_fini(struct sim_network *net);

#endif
