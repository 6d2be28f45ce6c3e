/*
 * host: the scripts, what they listen to, and the order in which they hear it.
 *
 * One host holds all scripts of a daemon. Events come in from networks and from scripts; each is
 * delivered to every script in turn: first the handlers, each in a task of its own up to its first
 * pause, then the waits. Then the run queue is drained, then comes the next event. While a task
 * runs nothing is delivered: what happens meanwhile queues.
 */
#ifndef EBB_SCRIPT_HOST_H
#define EBB_SCRIPT_HOST_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/rand.h"
#include "base/timers.h"
#include "script/event.h"
#include "script/vm.h"

#include <lua.h>

enum {
	HOST_EVENTS_MAX = 65536, /* waiting for their turn */
	HOST_SCRATCH_MAX_BYTES = 2 * 1024 * 1024
};

/* For scripts under test: what they do is the same each time with the same seed. */
struct host_trial {
	struct rand *rand; /* borrowed: seeds what a script calls random, and what is shuffled */
	bool shuffles;     /* runnable tasks run in any order, not in theirs */
	int64_t end_ns; /* of the system's clock: what computes then, and does not pause, is ended
			 */
	struct trial *trial; /* borrowed: what `ebb.test` works on; NULL: the script has it not */
};

struct host_options {
	struct timers *timers;      /* borrowed, outlives the host */
	const struct clock *clock;  /* borrowed, outlives the host */
	void (*wanted)(void *data); /* host_run is wanted soon, from outside of any call in here */
	void *data;
	bool is_check; /* scripts are loaded only to see that they do; nothing acts on the world */
	const struct host_trial *trial; /* borrowed; NULL: scripts are not under test */
};

struct host {
	struct host_options options;
	struct list scripts;    /* struct script, as configured */
	struct list nets;       /* struct net, as configured */
	struct handles handles; /* nets and tasks */
	struct list run;        /* struct task: the run queue */
	struct list events;     /* struct event: what waits for its turn */
	size_t n_events;
	uint64_t event_number;       /* counts up */
	int64_t wall_ns, wall_at_ns; /* the time of day at a monotonic time */
	struct map own_kinds;        /* a name that only scripts know, to its kind */
	char **own_names;            /* owned: the name of kind EVENT_KINDS + i */
	size_t n_own;
	uint64_t order;  /* of what listens: counts up */
	uint64_t made;   /* tasks and alarms: counts up */
	uint64_t queued; /* tasks that were put into the run queue: counts up */
	bool is_running, is_stopping;
	struct task *current;
	struct buf scratch; /* a line or a value that is being made */
	int64_t start_ns;
};

/* What a script may do and use. */
enum script_trust { TRUST_RESTRICTED, TRUST_FULL };
enum script_gc { GC_AUTO, GC_GENERATIONAL, GC_INCREMENTAL };

struct script_limits {
	enum script_trust trust;
	enum script_gc gc;
	size_t memory_max_bytes; /* 0: the standard */
	int64_t cpu_max_ns;      /* between two pauses; 0: the standard of its trust */
	bool is_debug;           /* its author is told more */
};

/* One script: its state and all that it owns. */
struct script {
	struct host *host;
	struct list node;
	struct vm vm;
	char *name, *path;
	char **networks; /* owned; NULL: all */
	size_t n_networks;
	struct script_limits limits;
	struct list tasks, pool; /* struct task */
	size_t n_pool;
	int threads_ref; /* in the registry: the table that holds the threads of tasks */
	size_t n_threads, most_threads; /* in it; since it was made */
	struct list listeners;          /* struct listener: subscriptions */
	struct list dead;               /* those that went away during a delivery */
	struct listeners **by_kind;     /* NULL where nothing listens */
	size_t n_kinds;
	struct list alarms; /* struct alarm: after and every */
	struct map names;   /* interned text */
	bool is_delivering;
	uint64_t last_event; /* the number of the one whose userdata is in the registry at event_ref
			      */
	int event_ref, event_meta_ref;
	struct isupport *last_isupport; /* the same; its userdata holds it */
	int isupport_ref;
	struct handle main;  /* the task of its main chunk */
	bool outage_is_told; /* since a connection ended, a script is told of it once */
};

struct script_options {
	const char *name, *path;
	const char *source;          /* instead of the file at path; NULL: that file is read */
	const char *prelude;         /* source that runs before it and may not pause; NULL: none */
	const char *const *networks; /* NULL: all */
	size_t n_networks;
	const char *const (*pairs)[2]; /* the script's own keys, for `config` */
	size_t n_pairs;
	struct script_limits limits;
};

void host_init(struct host *h, const struct host_options *options);
void host_fini(struct host *h);

/* Loads a script and runs its main chunk up to its end or first pause. What is wrong with it is
 * logged, ERR_INVALID, and the script is not there. Copies options. */
NODISCARD int host_load(struct host *h, const struct script_options *options);

/* From now on connect gives up at once, so that nothing comes back while the daemon ends. */
void host_stop(struct host *h);

/* Delivers e, which may be on the stack, or queues it when its turn has not come. */
void host_event(struct host *h, struct event *e);

/* Runs what is runnable and delivers what waits. Ends, also when tasks go on for ever: then
 * options.wanted is called and the rest follows in the next call. */
void host_run(struct host *h);

/* Whether there is something to run now, or a task or an alarm that runs once is not over that was
 * made after `made` was this, or descends from one. */
bool host_is_busy_since(const struct host *h, uint64_t made);

/* The time of day, which is asked for once a turn of the loop. */
int64_t host_wall_ns(struct host *h);

/* The kind of a name for listening, made if it is new; several for some names; 0 when there are too
 * many names already. */
size_t host_kinds(struct host *h, struct str name, int kinds[EVENT_NAME_KINDS_MAX]);

/* The kind that a line with an unknown command has: EVENT_UNKNOWN where nobody listens to it. */
int host_line_kind(const struct host *h, const struct message *m, int kind);

/* The name of a kind, also of a script's own. */
const char *host_kind_name(const struct host *h, int kind);

struct script *script_of(lua_State *L);

/* Text kept for the script's life. NULL where there is no memory is never returned. */
const char *script_intern(struct script *s, const char *text);

/* Where the function at level of L's call stack stands, "karma.lua:12"; interned. */
const char *script_site(lua_State *L, int level);

/* Whether the script hears of that network. */
bool script_hears(const struct script *s, struct str network);

#endif
