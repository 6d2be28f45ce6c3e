/*
 * watch: somebody who hears all that people and bots say and do on a network, each thing once.
 *
 * Lines are as a plain client in the right place would get them: PRIVMSG NOTICE TAGMSG JOIN PART
 * KICK TOPIC MODE NICK QUIT, in the order in which the server took them. What it refused is not
 * among them. The watcher is on no list and in no channel, and no fault touches it.
 */
#ifndef EBB_SIM_WATCH_H
#define EBB_SIM_WATCH_H

#include "irc/message.h"
#include "sim/network.h"

/* by: the number of the client whose deed it is (sim_conn_number for connections), 0 for the
 * server. m is borrowed for the call. */
typedef void sim_overheard(void *data, uint64_t by, const struct message *m);

/* From now on; one for each network. */
void sim_watch(struct sim_network *net, sim_overheard *heard, void *data);

/* A number that no other client of the network has or had. */
uint64_t sim_conn_number(const struct sim_conn *conn);

#endif
