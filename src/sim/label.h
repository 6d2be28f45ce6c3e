/*
 * label: the answer to a labeled command, marked for who sent it (IRCv3 labeled-response): one
 * line, several in a batch, or ACK.
 *
 * Between begin and end nothing else is served, so one label is enough for the network.
 */
#ifndef EBB_SIM_LABEL_H
#define EBB_SIM_LABEL_H

#include "sim/inside.h"

/* c's command has this label; absent for none. A client that did not ask for labels has none. */
void sim_label_begin(struct sim_client *c, struct str label);

/* Whether the line, with CR LF, is held back. */
bool sim_label_holds(const struct sim_client *to, struct str line);

/* The answer is complete, and goes on the wire; does nothing for a client without label. */
void sim_label_end(struct sim_client *c);

/* Forgets the label, and returns it: the answer is still to come. Borrowed until the next begin;
 * absent for none. */
struct str sim_label_take(struct sim_client *c);

#endif
