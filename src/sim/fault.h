/*
 * fault: a network that misbehaves on request.
 *
 * Where a fault takes a connection, NULL means every one there is and, if the fault lasts, every
 * one to come. People never suffer from these, but for the split. Faults last until they are
 * taken back, as each says.
 */
#ifndef EBB_SIM_FAULT_H
#define EBB_SIM_FAULT_H

#include "sim/network.h"
#include "sim/person.h"

/* What is sent from now on arrives delay_ns later, in both directions; 0 ends it. Order is kept. */
void fault_lag(struct sim_network *net, struct sim_conn *only, int64_t delay_ns);

/* The connection is reset: what is under way is lost. Others see "Connection reset by peer". */
void fault_drop(struct sim_network *net, struct sim_conn *only);

/* The server says ERROR with these words as they are, and closes. */
void fault_close(struct sim_network *net, struct sim_conn *only, const char *words);

enum fault_silence {
	FAULT_TALKS,
	FAULT_SILENT_WHEN_READY, /* once the message of the day has ended */
	FAULT_SILENT
};

/* The server reads what the client sends, and does and says nothing. */
void fault_silence(struct sim_network *net, struct sim_conn *only, enum fault_silence how);

/* Bytes vanish both ways, the end of the connection too: the server goes on to show a client that
 * is gone, until its own PING tells (ping_interval_ns), or the fault ends. */
void fault_half_open(struct sim_network *net, struct sim_conn *only, bool is_half_open);

/* sim_connect gives NULL; what is connected stays. */
void fault_down(struct sim_network *net, bool is_down);

enum { FAULT_ALWAYS = -1 };

/* The next `count` registrations are refused, or all with FAULT_ALWAYS; 0 ends it. By numeric:
 * 431 to 437 refuse the nick, each NICK of such a registration, and leave the connection open; any
 * other (465, 463, 464) comes with its text and then ERROR; 0 is ERROR alone, with text as it is.
 * text NULL: the words that servers use. */
void fault_refuse(struct sim_network *net, int count, int numeric, const char *text);

/* The next `count` joins of a channel by connections are refused with the numeric, or all with
 * FAULT_ALWAYS; 0 ends it. With 470 the channel `to` is joined instead; it is NULL otherwise. */
void fault_refuse_join(
	struct sim_network *net, const char *channel, int count, int numeric, const char *to);

/* Every login by SASL fails, with words, or the usual ones for NULL. */
void fault_sasl(struct sim_network *net, bool is_failing, const char *words);

/* Who connects within window_ns of the connection before is told "Trying to reconnect too fast."
 * and closed; 0 ends it. */
void fault_throttle(struct sim_network *net, int64_t window_ns);

/* Who sends more than n_lines within window_ns is closed for Excess Flood; 0 ends it. */
void fault_flood(struct sim_network *net, unsigned n_lines, int64_t window_ns);

/* These people quit with the words of a split, "irc.sim.example far.sim.example", and are away
 * until the rejoin. Who is not here is passed over. */
void fault_split(struct sim_network *net, struct person *const *people, size_t n);

/* All who are split off join their channels again, with the modes they had. Whose nick was taken
 * meanwhile stays away. */
void fault_rejoin(struct sim_network *net);

#endif
