/*
 * engine: what a configuration says, at work: its networks, its scripts, and what they share.
 *
 * The daemon is an engine on a loop of its own, with signals, a control socket and a service
 * manager (daemon.h); in another program it is one on that program's loop (ebb.h).
 *
 *     engine_init --> engine_prepare --> engine_start --> begun
 *                              engine_stop --> ended --> engine_fini
 *
 * engine_fini may come at any time, but from within a callback of the engine's own.
 */
#ifndef EBB_DAEMON_ENGINE_H
#define EBB_DAEMON_ENGINE_H

#include "daemon/core.h"
#include "daemon/networks.h"
#include "daemon/policies.h"
#include "daemon/programs.h"

struct engine_events {
	/* The main chunks of all scripts have ended or paused, or one computes on and on: the
	 * networks connect. May come from within engine_start. */
	void (*begun)(void *data);
	/* After engine_stop: everything is closed, or it is too late to wait. Never from within the
	 * call. */
	void (*ended)(void *data);
	void *data;
};

struct engine {
	struct config *config; /* owned; who reads another puts it here */
	struct loop loop;
	struct resolver resolver;
	struct core core;
	struct policies policies;
	struct networks networks;
	struct programs programs;
	struct engine_events events;
	bool is_stopping;
	struct timer begin_poll; /* until the scripts are loaded */
	int64_t begin_ns;
	struct timer stop_deadline, stop_poll;
};

/* Takes config; borrows ev, which outlives the engine. is_check: scripts are loaded only to see
 * that they do, and nothing is connected. Does not move. */
void engine_init(struct engine *e, struct ev_loop *ev, struct config *config, bool is_check,
	const struct engine_events *events);

/* Makes what can fail: the networks. ERR_CONFIG: err names the one. */
NODISCARD int engine_prepare(struct engine *e, struct err *err);

/* Loads the scripts, and connects the networks when that is done. How many scripts failed: each
 * reason is logged. */
int engine_start(struct engine *e);

/* What holds of [daemon] from now on; engine_prepare does it, too. */
void engine_obey(struct engine *e, const struct config_daemon *daemon);

/* Ends all scripts, what on_unload() noted first, and sends QUIT to every network. Called again it
 * does nothing. */
#define ENGINE_STOP_NS (4 * NS_PER_S) /* a service manager is told of five seconds */
void engine_stop(struct engine *e);

/* Drops what is left without a word. Does nothing for zeroed memory. */
void engine_fini(struct engine *e);

#endif
