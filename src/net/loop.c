#include "net/loop.h"

#include "base/log.h"

#include <assert.h>
#include <sys/timerfd.h>
#include <unistd.h>

static struct loop *loop_of(const void *watcher_data)
{
	return (struct loop *)(uintptr_t)watcher_data;
}

static void read_clock(struct loop *loop)
{
	int64_t now_ns = clock_mono_ns(loop->clock);
	if (now_ns > loop->timers.now_ns)
		loop->timers.now_ns = now_ns;
}

static void run_jobs(struct loop *loop, int most)
{
	for (int i = 0; i < most && !list_is_empty(&loop->jobs); i++) {
		struct job *job = container_of(loop->jobs.next, struct job, node);
		list_remove(&job->node);
		loop->done++;
		job->run(job);
	}
}

static bool is_due(const struct loop *loop)
{
	int64_t at_ns = timers_next(&loop->timers);
	return at_ns >= 0 && at_ns <= loop->timers.now_ns;
}

static void on_wake(struct ev_loop *ev, struct ev_check *check, int revents)
{
	(void)ev;
	(void)revents;
	struct loop *loop = loop_of(check->data);
	read_clock(loop);
	list_splice(&loop->jobs, &loop->next);
}

static void tell_of_sleep(struct loop *loop)
{
	int64_t slept_ns = clock_asleep_ns(loop->clock) - loop->asleep_ns;
	if (slept_ns <= 0)
		return;
	loop->asleep_ns += slept_ns;
	if (slept_ns < LOOP_SLEEP_NS)
		return;
	log_info("the machine slept for %lld s", (long long)(slept_ns / NS_PER_S));
	list_each_safe (node, &loop->sleeps) {
		struct loop_sleep *watch = container_of(node, struct loop_sleep, node);
		watch->run(watch);
	}
}

static void on_turn_end(struct ev_loop *ev, struct ev_check *check, int revents)
{
	(void)ev;
	(void)revents;
	struct loop *loop = loop_of(check->data);
	tell_of_sleep(loop);
	loop->done += is_due(loop);
	timers_run(&loop->timers, loop->timers.now_ns);
	run_jobs(loop, JOBS_A_TURN);
}

static bool has_jobs(const struct loop *loop)
{
	return !list_is_empty(&loop->jobs) || !list_is_empty(&loop->next);
}

static bool can_jump(const struct loop *loop)
{
	const struct virtual_clock *v = loop->clock->is_virtual;
	return v && !v->holds && timers_next(&loop->timers) >= 0;
}

/* libev calls this when a look at the descriptors found none ready; but what the end of this turn
 * did may have made one so, hence a turn that did nothing is waited for. */
static void on_idle(struct ev_loop *ev, struct ev_idle *idle, int revents)
{
	(void)ev;
	(void)revents;
	struct loop *loop = loop_of(idle->data);
	bool is_quiet = loop->done == loop->done_idle && !has_jobs(loop) && !is_due(loop);
	loop->done_idle = loop->done;
	if (!is_quiet)
		return;
	if (!list_is_empty(&loop->quiet))
		list_splice(&loop->jobs, &loop->quiet);
	else if (can_jump(loop))
		virtual_clock_jump(loop->clock->is_virtual, timers_next(&loop->timers));
}

static void set_idle(struct loop *loop)
{
	if (!list_is_empty(&loop->quiet) || can_jump(loop))
		ev_idle_start(loop->ev, &loop->idle);
	else
		ev_idle_stop(loop->ev, &loop->idle);
}

static void on_alarm(struct ev_loop *ev, struct ev_timer *alarm, int revents)
{
	(void)ev;
	(void)alarm;
	(void)revents;
}

/* The alarm counts from libev's idea of now, which is as old as timers.now_ns: both were read
 * when the last wait ended. */
static void set_alarm(struct loop *loop)
{
	int64_t at_ns = has_jobs(loop) ? 0 : timers_next(&loop->timers);
	if (can_jump(loop) && at_ns > loop->timers.now_ns)
		at_ns = -1;
	if (ev_is_active(&loop->alarm) && at_ns == loop->alarm_ns)
		return;
	ev_timer_stop(loop->ev, &loop->alarm);
	loop->alarm_ns = at_ns;
	if (at_ns < 0)
		return;
	int64_t delay_ns = at_ns - loop->timers.now_ns;
	ev_timer_set(&loop->alarm, delay_ns > 0 ? (double)delay_ns / NS_PER_S : 0., 0.);
	ev_timer_start(loop->ev, &loop->alarm);
}

/* Jobs are pending here if they were deferred before ev_run, or were too many for their turn. */
static void on_prepare(struct ev_loop *ev, struct ev_prepare *prepare, int revents)
{
	(void)ev;
	(void)revents;
	struct loop *loop = loop_of(prepare->data);
	run_jobs(loop, JOBS_A_TURN);
	set_alarm(loop);
	set_idle(loop);
}

static void start_check(struct loop *loop, struct ev_check *check, int priority,
	void (*run)(struct ev_loop *ev, struct ev_check *check, int revents))
{
	ev_check_init(check, run);
	ev_set_priority(check, priority);
	check->data = loop;
	ev_check_start(loop->ev, check);
}

static void on_woken(struct ev_loop *ev, struct ev_io *woken, int revents)
{
	uint64_t times;
	(void)ev;
	(void)revents;
	(void)!read(woken->fd, &times, sizeof(times));
}

/* A wait goes on when the machine wakes: its deadline has come no nearer. But the kernel tells of
 * clocks that were set, and that of the wall is then. Without it, it is seen in the next turn. */
static void start_woken(struct loop *loop)
{
	const struct itimerspec never = {.it_value.tv_sec = INT64_MAX};
	int fd = -1;
	if (loop->clock->asleep_ns && !loop->clock->is_virtual)
		fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	ev_io_init(&loop->woken, on_woken, fd, EV_READ);
	if (fd < 0)
		return;
	if (timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL) == 0)
		ev_io_start(loop->ev, &loop->woken);
}

static void stop_woken(struct loop *loop)
{
	ev_io_stop(loop->ev, &loop->woken);
	if (loop->woken.fd >= 0)
		close(loop->woken.fd);
}

void loop_init(struct loop *loop, struct ev_loop *ev, const struct clock *clock)
{
	*loop = (struct loop){.ev = ev, .clock = clock, .alarm_ns = -1};
	timers_init(&loop->timers, clock_mono_ns(clock));
	list_init(&loop->jobs);
	list_init(&loop->next);
	list_init(&loop->quiet);
	list_init(&loop->sleeps);
	loop->asleep_ns = clock_asleep_ns(clock);
	start_woken(loop);
	ev_idle_init(&loop->idle, on_idle);
	ev_set_priority(&loop->idle, EV_MINPRI);
	loop->idle.data = loop;
	ev_timer_init(&loop->alarm, on_alarm, 0., 0.);
	ev_prepare_init(&loop->prepare, on_prepare);
	ev_set_priority(&loop->prepare, EV_MINPRI);
	loop->prepare.data = loop;
	ev_prepare_start(ev, &loop->prepare);
	start_check(loop, &loop->wake, EV_MAXPRI, on_wake);
	start_check(loop, &loop->turn_end, EV_MINPRI, on_turn_end);
}

void loop_fini(struct loop *loop)
{
	if (!loop->ev)
		return;
	list_splice(&loop->jobs, &loop->next);
	list_splice(&loop->jobs, &loop->quiet);
	while (!list_is_empty(&loop->jobs))
		run_jobs(loop, JOBS_A_TURN);
	stop_woken(loop);
	ev_check_stop(loop->ev, &loop->wake);
	ev_check_stop(loop->ev, &loop->turn_end);
	ev_prepare_stop(loop->ev, &loop->prepare);
	ev_timer_stop(loop->ev, &loop->alarm);
	ev_idle_stop(loop->ev, &loop->idle);
	timers_fini(&loop->timers);
	*loop = (struct loop){0};
}

void loop_update(struct loop *loop)
{
	ev_now_update(loop->ev);
	read_clock(loop);
}

void loop_run(struct loop *loop)
{
	loop_update(loop);
	ev_run(loop->ev, 0);
}

void loop_stop(struct loop *loop)
{
	ev_break(loop->ev, EVBREAK_ALL);
}

void job_init(struct job *job, void (*run)(struct job *job))
{
	list_init(&job->node);
	job->run = run;
}

void loop_defer(struct loop *loop, struct job *job)
{
	if (!job_is_pending(job))
		list_append(&loop->jobs, &job->node);
}

void loop_next_turn(struct loop *loop, struct job *job)
{
	if (!job_is_pending(job))
		list_append(&loop->next, &job->node);
}

void loop_when_quiet(struct loop *loop, struct job *job)
{
	if (!job_is_pending(job))
		list_append(&loop->quiet, &job->node);
}

void job_cancel(struct job *job)
{
	list_remove(&job->node);
}

bool job_is_pending(const struct job *job)
{
	return list_is_linked(&job->node);
}

void loop_sleep_start(struct loop *loop, struct loop_sleep *watch)
{
	list_append(&loop->sleeps, &watch->node);
}

void loop_sleep_stop(struct loop_sleep *watch)
{
	list_remove(&watch->node);
}

static void on_io(struct ev_loop *ev, struct ev_io *io, int revents)
{
	(void)ev;
	struct loop_fd *watch = container_of(io, struct loop_fd, io);
	watch->run(watch, revents & (EV_READ | EV_WRITE));
}

void loop_fd_init(struct loop_fd *watch, int fd, void (*run)(struct loop_fd *watch, int revents))
{
	ev_io_init(&watch->io, on_io, fd, 0);
	watch->run = run;
}

void loop_fd_start(struct loop *loop, struct loop_fd *watch, int events)
{
	const int mask = EV_READ | EV_WRITE;
	assert((events & ~mask) == 0);
	if (ev_is_active(&watch->io) && (watch->io.events & mask) == events)
		return;
	loop_fd_stop(loop, watch);
	if (!events)
		return;
	ev_io_set(&watch->io, watch->io.fd, events);
	ev_io_start(loop->ev, &watch->io);
}

void loop_fd_stop(struct loop *loop, struct loop_fd *watch)
{
	ev_io_stop(loop->ev, &watch->io);
}

static void on_signal(struct ev_loop *ev, struct ev_signal *signal, int revents)
{
	(void)ev;
	(void)revents;
	struct loop_signal *watch = container_of(signal, struct loop_signal, signal);
	watch->run(watch);
}

void loop_signal_start(struct loop *loop, struct loop_signal *watch, int signum)
{
	ev_signal_init(&watch->signal, on_signal, signum);
	ev_signal_start(loop->ev, &watch->signal);
}

void loop_signal_stop(struct loop *loop, struct loop_signal *watch)
{
	ev_signal_stop(loop->ev, &watch->signal);
}
