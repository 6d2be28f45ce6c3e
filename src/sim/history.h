/*
 * history: what was last said in a channel, for those who were not there.
 *
 * InspIRCd replays it at JOIN where mode H is set; who has draft/chathistory asks (CHATHISTORY
 * LATEST). Words that are still there can be taken back (REDACT).
 */
#ifndef EBB_SIM_HISTORY_H
#define EBB_SIM_HISTORY_H

#include "sim/inside.h"

enum { SIM_HISTORY_MAX = 100 }; /* in a channel; the oldest goes */

struct sim_channel;

/* c said it in ch: a line without its source. */
void sim_history_note(struct sim_channel *ch, const struct sim_client *c, uint64_t msgid,
	const char *verb, struct str text);
void sim_history_clear(struct sim_channel *ch);

/* c joined. */
void sim_history_replay(struct sim_client *c, const struct sim_channel *ch);

#endif
