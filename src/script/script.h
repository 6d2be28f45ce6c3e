/*
 * script: one generation of a script: its state, its limits, and all that C owns for it.
 *
 * A script is made by its program (program.h), which replaces it by another generation when it is
 * reloaded (reload.h). It is dropped as a whole, whatever state it is in: its memory goes with its
 * arena, and what C owns for it stands on the lists here.
 */
#ifndef EBB_SCRIPT_SCRIPT_H
#define EBB_SCRIPT_SCRIPT_H

#include "base/handle.h"
#include "base/list.h"
#include "base/map.h"
#include "base/timers.h"
#include "script/inbox.h"
#include "script/options.h"
#include "script/require.h"
#include "script/trouble.h"
#include "script/vm.h"

struct host;
struct task;
struct program;
struct retirement;

enum script_stage {
	SCRIPT_CURRENT,   /* its program's own; what the host delivers is for it */
	SCRIPT_CANDIDATE, /* loads, to become that: nothing is delivered to it, no alarm rings */
	SCRIPT_RETIRED    /* was that: what it has under way may end, and hears what it waits for */
};

struct script {
	struct host *host;
	struct program *program;
	struct list node;     /* the host's scripts; in no list as long as it loads to replace */
	struct list settling; /* the host's, while its program has to see to it */
	struct script_options options; /* owned */
	const char *name;              /* of the options */
	enum script_stage stage;
	struct retirement *retirement; /* owned: since it retired; else NULL */
	struct vm vm;
	struct script_limits limits; /* none of them 0 */
	struct handle main;          /* the task of its main chunk */
	unsigned cpu_ticks;          /* cpu_max_ns, as slice.h counts */
	bool may_slice;              /* else it runs up to its pause, as tests do */
	bool hears_all;              /* networks; else those in `heard` */
	struct map heard;            /* the names of options.networks */
	bool is_loading;             /* the main chunk has not paused yet */
	bool has_failed;             /* the main chunk raised before */
	bool has_loaded;             /* it ended, or paused without one */
	char *failure;               /* owned: that error, with its traceback; NULL */
	bool has_inherited;          /* its `state` came from a generation before */
	bool is_over;                /* it is about to be dropped */
	bool is_delivering;
	bool is_incremental; /* how it collects now */
	bool outage_is_told; /* since a connection ended, a script is told of it once */

	/* Its turns in the loop: host.h. */
	bool is_held;      /* nothing of it runs, and its events wait in the inbox */
	bool is_frozen;    /* it is held until it is thawed, whosever turn it is */
	bool is_to_freeze; /* at the end of the event that it is about */
	bool had_alarms;   /* in its last turn */
	unsigned share;    /* ticks that it took at share_ns, a turn of the loop */
	int64_t share_ns;
	int steps; /* of tasks that tasks made runnable, or of time, before its next event */
	struct list behind;  /* the host's scripts that are held, in turn */
	struct task *sliced; /* goes on before all else; NULL: none */
	struct list held;    /* struct task: runnable, in their order */
	struct list due;     /* struct alarm: their time has come */
	struct inbox inbox;

	struct list tasks, pool; /* struct task */
	size_t n_tasks, n_pool;
	size_t n_threads, most_threads; /* in their table; since it was made */
	struct list listeners;          /* struct listener: subscriptions */
	size_t n_listeners;             /* and waits */
	struct list dead;               /* those that went away during a delivery */
	struct list ending;             /* struct listener: waits that end with a connection */
	struct listeners **by_kind;     /* NULL where nothing listens */
	size_t n_kinds;
	struct list alarms; /* struct alarm: after, every and cron */
	size_t n_alarms;
	unsigned alarm_runs;   /* of them all: counts up */
	struct list resources; /* struct resource */
	size_t n_files;        /* that are open */
	struct map names;      /* interned text */
	struct require require;
	uint64_t last_event;            /* the number of the one that is at event_ref */
	struct isupport *last_isupport; /* the one that is at isupport_ref, and holds it */
	/* In the registry: the table of the threads of tasks, userdata, events' metatable, `state`,
	 * and the functions of on_reload and on_unload. */
	int threads_ref, event_ref, isupport_ref, event_meta_ref, state_ref, on_reload_ref,
		on_unload_ref;
	lua_State *carrier; /* a thread for lib_state.c's, on which no code runs */
	int spare_ref;      /* a place in the registry that is free; LUA_NOREF: none */

	struct trouble trouble;
	struct timer lint;           /* lint.h */
	int64_t warned_ns, stuck_ns; /* when it was warned of for blocking, in C too; 0: never */
	char *denied_at;             /* owned: where memory was refused last; NULL: never */
	uint64_t n_grown;            /* the arena's count when it collected last in idle time */
};

/* A script of p, without libraries, which the host does not know yet; copies the options. NULL: no
 * memory. */
struct script *script_new(struct host *h, struct program *p, const struct script_options *options);

/* Drops it. Nothing of it runs. */
void script_free(struct script *s);

struct script *script_of(lua_State *L);

/* After each run of the script's code, with the ticks that it took. */
struct slice_run;
void script_left(struct script *s, const struct slice_run *r);

/* Whether its author is told more. */
bool script_is_debug(const struct script *s);

/* Text kept for the script's life; "?" where there is no memory. */
const char *script_intern(struct script *s, const char *text);

/* Where the function at level of L's call stack stands, "karma.lua:12"; interned. */
const char *script_site(lua_State *L, int level);

bool script_hears_named(const struct script *s, struct str network);

/* Whether the script hears of that network; of no network, all do. */
static inline bool script_hears(const struct script *s, struct str network)
{
	return s->hears_all || !network.p || script_hears_named(s, network);
}

/* Switches the collector by how many threads there are, where that is left to it. */
void script_choose_gc(struct script *s);

/* While C makes much that stays, the collector is off: it would walk what is only being made, again
 * and again. When it is on again it has walked all that there is, once and in one go. */
void script_stop_gc(struct script *s);
void script_restart_gc(struct script *s);

/* Whether so much was allocated since it collected last that idle time is well spent on it; and
 * does so: false if not. */
bool script_has_grown(const struct script *s);
bool script_collect(struct script *s);

#endif
