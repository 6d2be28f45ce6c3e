/*
 * host: the scripts, what they listen to, and the order in which they hear it.
 *
 * One host holds all scripts of a daemon. Events come in from networks and from scripts; each is
 * delivered to the taps (tap.h), then to every script in turn: first the handlers, each in a task
 * of its own up to its first pause, then the waits. Then the run queue is drained, then comes the
 * next event. While a task runs nothing is delivered: what happens meanwhile queues.
 *
 * A script that was sliced (slice.h), or took its share of this turn of the loop otherwise, is
 * held: none of its tasks runs, and its events wait in its inbox. At the end of each turn, when all
 * else is done and written, one of those that are held gets another share: what was sliced goes on,
 * then what is runnable, then the events. So it sees everything later, in the same order, and the
 * others do not wait for it.
 */
#ifndef EBB_SCRIPT_HOST_H
#define EBB_SCRIPT_HOST_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/rand.h"
#include "base/timers.h"
#include "script/event.h"
#include "script/remains.h"
#include "script/script.h"
#include "script/tap.h"

enum {
	HOST_EVENTS_MAX = 65536, /* waiting for their turn */
	HOST_EVENTS_MAX_BYTES = 64 * 1024 * 1024,
	HOST_SCRATCH_MAX_BYTES = 2 * 1024 * 1024,
	HOST_NAME_MAX_BYTES = 100 /* of an event of scripts' own: names are kept for good */
};

/* For scripts under test: what they do is the same each time with the same seed. */
struct host_trial {
	struct rand *rand;   /* borrowed: seeds what a script calls random, and what is shuffled */
	bool shuffles;       /* runnable tasks run in any order, not in theirs */
	struct trial *trial; /* borrowed: what `ebb.test` works on; NULL: the script has it not */
};

struct net_maker;

struct host_options {
	struct timers *timers;      /* borrowed, outlives the host */
	const struct clock *clock;  /* borrowed, outlives the host */
	void (*wanted)(void *data); /* host_run is wanted soon, from outside of any call in here */
	void (*idle)(void *data);   /* host_idle is wanted when nothing else can run; NULL */
	void (*followed)(void *data); /* the files of a program are others now; NULL */
	int64_t reload_timeout_ns;    /* how long a reload may hold events back; 0: the standard */
	int64_t reload_drain_ns; /* how long handlers may go on in the old code; -1: the standard */
	void *data;
	bool is_check; /* scripts are loaded only to see that they do; nothing acts on the world */
	const struct host_trial *trial; /* borrowed; NULL: scripts are not under test */
	const struct net_maker *maker;  /* borrowed, net.h; NULL: scripts can make no networks */
};

struct host {
	struct host_options options;
	struct list programs;   /* struct program, as configured */
	struct list scripts;    /* struct script: those that run, in the same order */
	struct list settling;   /* struct script: to be dropped, or to take another's place */
	struct remains remains; /* of scripts that were dropped */
	struct list behind;     /* struct script: held, each in turn */
	struct list nets;       /* struct net, as configured */
	struct map nets_by_name;
	struct handles handles; /* nets and tasks */
	struct list run;        /* struct task: the run queue */
	struct list events;     /* struct event: what waits for its turn */
	struct taps taps;       /* who in C hears of them */
	size_t n_events;
	size_t events_bytes;                /* of those */
	uint64_t event_number;              /* counts up */
	int64_t wall_offset_ns, wall_at_ns; /* wall clock less timers, and when it was looked at */
	struct map own_kinds;               /* a name that only scripts know, to its kind */
	char **own_names;                   /* owned: the name of kind EVENT_KINDS + i */
	size_t n_own;
	uint64_t order;  /* of what listens: counts up */
	uint64_t made;   /* tasks and alarms: counts up */
	uint64_t queued; /* tasks that were put into the run queue: counts up */
	bool is_running, is_stopping;
	bool is_sieving;          /* a line is passing functions of scripts (sieve.h) */
	struct list ended_sieves; /* meanwhile: it may know them still */
	bool wants_idle;          /* a script has reason to collect */
	struct task *current;
	struct buf news;    /* values of an event of news.h */
	struct buf scratch; /* a line or a value that is being made */
	int64_t start_ns;
};

/* The standards of host_options. */
#define HOST_RELOAD_TIMEOUT_NS (2 * NS_PER_S)
#define HOST_RELOAD_DRAIN_NS   (10 * NS_PER_S)

void host_init(struct host *h, const struct host_options *options);
void host_fini(struct host *h);

/* From now on connect gives up at once, so that nothing comes back while the daemon ends. */
void host_stop(struct host *h);

/* Delivers e, which may be on the stack, or queues it when its turn has not come. */
void host_event(struct host *h, struct event *e);

/* Queues e, which may be on the stack, for its turn, also where that has come. Allowed at any time.
 */
void host_post(struct host *h, struct event *e);

/* Runs what is runnable and delivers what waits. Ends, also when tasks go on for ever: then
 * options.wanted is called and the rest follows in the next call. */
void host_run(struct host *h);

/* Whether a script is held; then host_share is wanted too, at the end of the turn: one of them goes
 * on. */
bool host_has_held(const struct host *h);
void host_share(struct host *h);

/* Between the two, what happens queues; nothing of a script runs before or after. At the end
 * scripts are settled that wait for it. */
void host_enter(struct host *h);
void host_leave(struct host *h);

/* The program of s is asked to settle it as soon as nothing of any script runs. */
void host_settle(struct script *s);

/* Settles those that wait for it: programs may be gone then. From the outside of any script. */
void host_settle_all(struct host *h);

/* Holds a script until it is thawed, when its turn comes: from now on, or from the end of the event
 * on that it computes for (is_frozen). */
void host_freeze(struct script *s);
void host_thaw(struct script *s);

/* Whether there is something to run now, or a task or an alarm that runs once is not over that was
 * made after `made` was this, or descends from one. */
bool host_is_busy_since(const struct host *h, uint64_t made);

/* The time of day, to a tenth of a second where somebody has just set the clock. */
int64_t host_wall_ns(struct host *h);

/* The kind of a name for listening, made if it is new; several for some names; 0 when it is too
 * long, or there are too many names already. */
size_t host_kinds(struct host *h, struct str name, int kinds[EVENT_NAME_KINDS_MAX]);

/* The kind that a line with an unknown command has: EVENT_UNKNOWN where nobody listens to it. */
int host_line_kind(const struct host *h, const struct message *m, int kind);

/* The name of a kind, also of a script's own. */
const char *host_kind_name(const struct host *h, int kind);

/* A script took so many ticks of this turn of the loop: it is held when they are more than its
 * share. */
void host_took(struct script *s, unsigned ticks);

/* Holds a script until its turn comes. */
void host_hold(struct script *s);

/* The connection of net has ended, without an event, or net is gone: who waits for what comes from
 * it hears of it. */
void host_end_waits(struct host *h, struct handle net);

/* In idle time: lets a script collect, if one has reason to. */
void host_idle(struct host *h);

#endif
