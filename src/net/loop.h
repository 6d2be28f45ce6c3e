/*
 * loop: one event loop, shared by everything that waits.
 *
 * It runs on the ev_loop that it is given and owns nothing of it but its own watchers, so the
 * program around it may have watchers too. All deadlines live in loop->timers (base/timers.h),
 * never in watchers of libev: only this file knows ev_timer.
 *
 * A turn of the loop is: wait; loop->timers.now_ns becomes the clock's time; the descriptors and
 * signals that are ready; the deadlines that are due; the jobs. Descriptors come before
 * deadlines, so bytes that wait in a socket are seen before the timeout that they refute.
 *
 * Where the clock is virtual (base/clock.h) the loop does not wait for it: when nothing else can
 * run, the clock jumps to the earliest deadline. Work outside of the process that is under way
 * holds the clock, and then the loop waits for both.
 *
 * A machine that sleeps stops the clock of all deadlines (base/clock.h), and nothing of what was
 * connected need be there any more when it wakes. Who has to look is told.
 *
 * The loop itself, and each watcher that is started on it, must not move in memory. What a
 * watcher belongs to is found with container_of.
 */
#ifndef EBB_NET_LOOP_H
#define EBB_NET_LOOP_H

#include "base/attr.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/timers.h"

#include <ev.h>

struct loop {
	struct ev_loop *ev;        /* borrowed; outlives the loop */
	const struct clock *clock; /* borrowed; outlives the loop */
	struct timers timers;      /* for everybody to set deadlines in */
	struct list jobs;
	struct list next;  /* jobs of the next turn */
	struct list quiet; /* jobs for when nothing else can run */
	struct list sleeps;
	int64_t asleep_ns;  /* what the clock told last */
	struct ev_io woken; /* wakes the loop when the machine wakes */
	struct ev_prepare prepare;
	struct ev_check wake, turn_end;
	struct ev_timer alarm; /* wakes the loop for the earliest deadline */
	int64_t alarm_ns;
	struct ev_idle idle; /* tells that nothing else can run */
	uint64_t done;       /* jobs run and deadlines fired: counts up */
	uint64_t done_idle;  /* what it was when the loop was idle last */
};

/* Borrows ev and clock. From here to loop_fini there is always something for ev_run to wait for. */
void loop_init(struct loop *loop, struct ev_loop *ev, const struct clock *clock);

/* Runs the jobs that are left, which releases the memory of this turn, then lets go of the
 * ev_loop. Deadlines that are still set are forgotten. Does nothing for zeroed memory. */
void loop_fini(struct loop *loop);

/* Reads the clock anew: for a call from outside of the loop's turns, which may be long ago. */
void loop_update(struct loop *loop);

/* Runs until loop_stop. Not from a callback. */
void loop_run(struct loop *loop);

/* Ends loop_run (or the ev_run of the program around) after the present turn. */
void loop_stop(struct loop *loop);

/*
 * A job is a call that comes later in the same turn, when the stack is short again: an answer
 * that is known already, a write that waits for more to write, memory to release. Jobs run in the
 * order in which they were deferred; jobs that jobs defer run too, before the loop waits again.
 * After JOBS_A_TURN of them the descriptors get a look in between.
 */
struct job {
	struct list node;
	void (*run)(struct job *job); /* may free the job's owner */
};

enum { JOBS_A_TURN = 10000 };

void job_init(struct job *job, void (*run)(struct job *job));

/* Does nothing for a job that is pending already. */
void loop_defer(struct loop *loop, struct job *job);

/* Defers job to the end of the next turn, so that the descriptors get a look in between. */
void loop_next_turn(struct loop *loop, struct job *job);

/* Defers job until nothing else can run: no descriptor is ready, no job is left, and the earliest
 * deadline is to come; a virtual clock has not jumped to it yet. */
void loop_when_quiet(struct loop *loop, struct job *job);

/* Does nothing for a job that is not pending. */
void job_cancel(struct job *job);

bool job_is_pending(const struct job *job);

/* A descriptor to watch. The descriptor is borrowed: stop before it is closed. */
struct loop_fd {
	struct ev_io io;
	void (*run)(struct loop_fd *watch, int revents); /* of EV_READ and EV_WRITE */
};

void loop_fd_init(struct loop_fd *watch, int fd, void (*run)(struct loop_fd *watch, int revents));

/* Watches for events, of EV_READ and EV_WRITE; called again it changes them; 0 stops. */
void loop_fd_start(struct loop *loop, struct loop_fd *watch, int events);

/* Does nothing for what is not started; an event that is pending is dropped. */
void loop_fd_stop(struct loop *loop, struct loop_fd *watch);

/* A signal to watch. A signal number belongs to one loop of the process at a time. */
struct loop_signal {
	struct ev_signal signal;
	void (*run)(struct loop_signal *watch);
};

/* watch->run is to be set before. */
void loop_signal_start(struct loop *loop, struct loop_signal *watch, int signum);

/* Does nothing for what is not started. */
void loop_signal_stop(struct loop *loop, struct loop_signal *watch);

/* Waits for the machine to wake after it slept LOOP_SLEEP_NS or longer. */
#define LOOP_SLEEP_NS NS_PER_S
struct loop_sleep {
	struct list node;
	void (*run)(struct loop_sleep *watch); /* may stop watch, and no other */
};

/* watch->run is to be set before; it is called after the descriptors and before the deadlines. */
void loop_sleep_start(struct loop *loop, struct loop_sleep *watch);

/* Does nothing for what was stopped. */
void loop_sleep_stop(struct loop_sleep *watch);

#endif
