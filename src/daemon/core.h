/*
 * core: what every form of the daemon has: the scripts, their turns in the loop, the guard and the
 * gate.
 */
#ifndef EBB_DAEMON_CORE_H
#define EBB_DAEMON_CORE_H

#include "daemon/config.h"
#include "net/gate.h"
#include "net/guard.h"
#include "net/loop.h"
#include "script/host.h"
#include "script/program.h"

struct core {
	struct loop *loop; /* borrowed; outlives the core */
	struct guard guard;
	struct gate gate;
	struct host host;
	struct timer run_host;
	struct job share, idle;
	void (*followed)(void *data); /* the files of a script are others now; NULL */
	void *followed_data;
};

struct core_options {
	double dial_rate;               /* connections a second to one host */
	bool is_check;                  /* scripts are loaded only to see that they do */
	const struct host_trial *trial; /* NULL: not under test; else borrowed, outlives the core */
};

/* Does not move. Scripts are on the loop's clock. */
void core_init(struct core *c, struct loop *loop, const struct core_options *options);

/* What the configuration says of a script. */
struct script_limits core_limits(const struct config_script *c);

/* The networks are gone before. */
void core_fini(struct core *c);

#endif
