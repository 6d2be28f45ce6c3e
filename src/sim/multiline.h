/*
 * multiline: a message of several lines as its sender's batch brings it (IRCv3 draft/multiline).
 */
#ifndef EBB_SIM_MULTILINE_H
#define EBB_SIM_MULTILINE_H

#include "sim/inside.h"

struct sim_line {
	struct list node;
	bool is_concat; /* goes on where the line before ended */
	char text[];
};

struct sim_batch {
	char *ref, *target, *label, *tags; /* owned; label and tags may be NULL */
	struct list lines;                 /* struct sim_line */
	size_t n_lines, n_bytes;
	bool is_notice;
	bool is_broken; /* it was refused: what comes of it is passed over */
};

/* NULL is accepted. */
void sim_batch_free(struct sim_batch *b);

/* Whether m is a line of the batch that c has open, and was kept with it. */
bool sim_batch_takes(struct sim_client *c, const struct message *m);

#endif
