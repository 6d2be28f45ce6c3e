/*
 * wire: all that is under way between clients and server, in the order in which it is due.
 */
#ifndef EBB_SIM_WIRE_H
#define EBB_SIM_WIRE_H

#include "sim/inside.h"

enum sim_wire_kind {
	SIM_WIRE_TO_SERVER,  /* a line */
	SIM_WIRE_TO_CLIENT,  /* a line with its CR LF */
	SIM_WIRE_SERVER_END, /* the server learns that the client is gone; bytes: why */
	SIM_WIRE_CLIENT_END, /* the client learns that the server closed */
	SIM_WIRE_CLIENT_RESET
};

/* Copies bytes. Due after the client's lag, never before what went the same way earlier. A client
 * for whom too much waits is closed. */
void sim_wire_put(struct sim_client *c, enum sim_wire_kind kind, struct str bytes);

/* Drops what is under way from and to a client. */
void sim_wire_forget(struct sim_client *c);

/* Delivers what is due, frees who died, and sets the timer for the rest. Within a delivery it does
 * nothing: the outermost call goes on. */
void sim_wire_run(struct sim_network *net);

/* Sets the timer alone. */
void sim_wire_arm(struct sim_network *net);

/* Frees all deliveries. */
void sim_wire_fini(struct sim_network *net);

#endif
