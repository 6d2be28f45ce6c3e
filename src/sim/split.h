/*
 * split: the half of a split that people know: where they were, and with which modes.
 */
#ifndef EBB_SIM_SPLIT_H
#define EBB_SIM_SPLIT_H

#include "sim/inside.h"
#include "sim/person.h"

/* Quits a person who is here, with the reason, and keeps the places. */
void sim_split_off(struct person *p, const char *reason);

/* A person who is split off comes back, unless the nick was taken meanwhile. */
void sim_split_rejoin(struct sim_client *c);

#endif
