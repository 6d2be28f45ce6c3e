#include "net/loop.h"
#include "support/peer.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static struct loop loop;
static char story[256];

static void tell(const char *what)
{
	strncat(story, what, sizeof(story) - strlen(story) - 1);
}

static void start(void)
{
	story[0] = '\0';
	test_loop_init(&loop);
}

struct teller {
	struct job job;
	struct timer timer;
	const char *says;
	struct teller *next;
	int repeats;
};

static void on_job(struct job *job)
{
	struct teller *t = container_of(job, struct teller, job);
	tell(t->says);
	if (t->next)
		loop_defer(&loop, &t->next->job);
	if (t->repeats-- > 0)
		loop_defer(&loop, job);
}

static void on_timer(struct timer *timer)
{
	tell(container_of(timer, struct teller, timer)->says);
}

static struct teller teller(const char *says)
{
	return (struct teller){.timer.fire = on_timer, .says = says};
}

static void jobs_run_in_the_order_of_their_deferral(void **state)
{
	(void)state;
	struct teller a = teller("a"), b = teller("b"), c = teller("c");
	start();
	job_init(&a.job, on_job);
	job_init(&b.job, on_job);
	job_init(&c.job, on_job);
	a.next = &c;

	loop_defer(&loop, &a.job);
	loop_defer(&loop, &b.job);
	loop_defer(&loop, &a.job);
	assert_true(job_is_pending(&a.job));
	ev_run(loop.ev, EVRUN_NOWAIT);

	assert_string_equal(story, "abc");
	assert_false(job_is_pending(&a.job));
	test_loop_fini(&loop);
}

static void a_cancelled_job_does_not_run(void **state)
{
	(void)state;
	struct teller a = teller("a"), b = teller("b");
	start();
	job_init(&a.job, on_job);
	job_init(&b.job, on_job);
	loop_defer(&loop, &a.job);
	loop_defer(&loop, &b.job);

	job_cancel(&a.job);
	job_cancel(&a.job);
	ev_run(loop.ev, EVRUN_NOWAIT);

	assert_string_equal(story, "b");
	test_loop_fini(&loop);
}

static void fini_runs_the_jobs_that_are_left(void **state)
{
	(void)state;
	struct teller a = teller("a"), b = teller("b");
	start();
	job_init(&a.job, on_job);
	job_init(&b.job, on_job);
	a.next = &b;

	loop_defer(&loop, &a.job);
	test_loop_fini(&loop);

	assert_string_equal(story, "ab");
}

struct pipe_watch {
	struct loop_fd watch;
	int fds[2];
	int n;
	struct job *then; /* is deferred by the first event */
};

static void on_readable(struct loop_fd *watch, int revents)
{
	struct pipe_watch *p = container_of(watch, struct pipe_watch, watch);
	char c;
	assert_int_equal(revents, EV_READ);
	assert_int_equal(read(p->fds[0], &c, 1), 1);
	p->n++;
	tell("fd");
	if (p->then)
		loop_defer(&loop, p->then);
}

static void open_pipe(struct pipe_watch *p)
{
	*p = (struct pipe_watch){0};
	assert_int_equal(pipe2(p->fds, O_NONBLOCK | O_CLOEXEC), 0);
	loop_fd_init(&p->watch, p->fds[0], on_readable);
	loop_fd_start(&loop, &p->watch, EV_READ);
}

static void close_pipe(struct pipe_watch *p)
{
	loop_fd_stop(&loop, &p->watch);
	loop_fd_stop(&loop, &p->watch);
	close(p->fds[0]);
	close(p->fds[1]);
}

static void descriptors_get_a_look_while_jobs_defer_themselves(void **state)
{
	(void)state;
	struct teller endless = teller("");
	struct pipe_watch p;
	start();
	open_pipe(&p);
	job_init(&endless.job, on_job);
	endless.repeats = 5 * JOBS_A_TURN;
	loop_defer(&loop, &endless.job);
	assert_int_equal(write(p.fds[1], "x", 1), 1);

	run_until(&loop, p.n == 1);

	assert_true(endless.repeats > 2 * JOBS_A_TURN);
	run_until(&loop, endless.repeats < 0);
	close_pipe(&p);
	test_loop_fini(&loop);
}

static void a_turn_is_descriptors_then_deadlines_then_jobs(void **state)
{
	(void)state;
	struct teller due = teller(" timer"), job = teller(" job");
	struct pipe_watch p;
	start();
	open_pipe(&p);
	job_init(&job.job, on_job);
	p.then = &job.job;
	timers_after(&loop.timers, &due.timer, 1);
	assert_int_equal(write(p.fds[1], "x", 1), 1);

	ev_run(loop.ev, EVRUN_ONCE);

	assert_string_equal(story, "fd timer job");
	close_pipe(&p);
	test_loop_fini(&loop);
}

static void a_deadline_wakes_the_loop_and_not_before(void **state)
{
	(void)state;
	struct teller t = teller("t");
	start();
	int64_t begin_ns = clock_mono_ns(&clock_system);
	timers_set(&loop.timers, &t.timer, begin_ns + 30 * NS_PER_MS);

	run_until(&loop, story[0]);

	int64_t took_ns = clock_mono_ns(&clock_system) - begin_ns;
	assert_true(took_ns >= 30 * NS_PER_MS);
	test_loop_fini(&loop);
}

static void on_stop(struct timer *timer)
{
	on_timer(timer);
	loop_stop(&loop);
}

static void the_loop_runs_until_it_is_stopped(void **state)
{
	(void)state;
	struct teller t = teller("t"), j = teller("j");
	start();
	job_init(&j.job, on_job);
	t.timer.fire = on_stop;
	timers_after(&loop.timers, &t.timer, NS_PER_MS);
	loop_defer(&loop, &j.job);

	loop_run(&loop);

	assert_string_equal(story, "jt");
	test_loop_fini(&loop);
}

static int64_t fake_now_ns;

static int64_t fake_mono(void *data)
{
	(void)data;
	return fake_now_ns;
}

static void time_comes_from_the_clock_that_was_given(void **state)
{
	(void)state;
	const struct clock clock = {fake_mono, fake_mono, NULL, NULL, NULL};
	struct ev_loop *ev = ev_loop_new(EVFLAG_AUTO);
	struct teller t = teller("t");
	story[0] = '\0';
	fake_now_ns = 1000 * NS_PER_S;
	loop_init(&loop, ev, &clock);
	timers_after(&loop.timers, &t.timer, 3600 * NS_PER_S);

	ev_run(ev, EVRUN_NOWAIT);
	assert_string_equal(story, "");
	fake_now_ns += 3600 * NS_PER_S;
	ev_run(ev, EVRUN_NOWAIT);
	ev_run(ev, EVRUN_NOWAIT);

	assert_string_equal(story, "t");
	assert_int_equal(loop.timers.now_ns, fake_now_ns);
	loop_fini(&loop);
	ev_loop_destroy(ev);
}

/* Tells of a sleep, and waits for no other. */
struct sleeper {
	struct loop_sleep watch;
	const char *name;
};

static void on_slept(struct loop_sleep *watch)
{
	tell(container_of(watch, struct sleeper, watch)->name);
	loop_sleep_stop(watch);
}

static int64_t fake_asleep_ns;

static int64_t fake_asleep(void *data)
{
	(void)data;
	return fake_asleep_ns;
}

static void turn_after_sleep(int64_t ns)
{
	fake_asleep_ns += ns;
	ev_run(loop.ev, EVRUN_NOWAIT);
}

static void who_waits_for_it_hears_that_the_machine_slept(void **state)
{
	(void)state;
	struct virtual_clock no_clock = {.now_ns = 0}; /* hence no descriptor of the system's */
	const struct clock clock = {fake_mono, fake_mono, NULL, &no_clock, fake_asleep};
	struct sleeper a = {{.run = on_slept}, "a"}, b = {{.run = on_slept}, "b"};
	struct ev_loop *ev = ev_loop_new(EVFLAG_AUTO);
	story[0] = '\0';
	fake_asleep_ns = 7 * NS_PER_S; /* before the loop began */
	loop_init(&loop, ev, &clock);
	loop_sleep_start(&loop, &a.watch);
	loop_sleep_start(&loop, &b.watch);

	turn_after_sleep(0);
	turn_after_sleep(LOOP_SLEEP_NS - 1);
	turn_after_sleep(LOOP_SLEEP_NS - 1);
	assert_string_equal(story, "");
	turn_after_sleep(LOOP_SLEEP_NS);
	assert_string_equal(story, "ab");
	loop_sleep_start(&loop, &b.watch);
	turn_after_sleep(0);
	assert_string_equal(story, "ab");
	turn_after_sleep(3600 * NS_PER_S);

	assert_string_equal(story, "abb");
	loop_fini(&loop);
	ev_loop_destroy(ev);
}

static void the_systems_clock_tells_how_long_the_machine_slept(void **state)
{
	(void)state;
	int64_t first_ns = clock_asleep_ns(&clock_system);
	assert_true(first_ns >= -NS_PER_S);
	assert_true(clock_asleep_ns(&clock_system) < first_ns + 10 * NS_PER_S);
}

static void events_of_a_descriptor_can_be_changed(void **state)
{
	(void)state;
	struct pipe_watch p;
	start();
	open_pipe(&p);
	assert_int_equal(write(p.fds[1], "xy", 2), 2);

	loop_fd_start(&loop, &p.watch, 0);
	run_idle(&loop);
	assert_int_equal(p.n, 0);
	loop_fd_start(&loop, &p.watch, EV_READ);
	loop_fd_start(&loop, &p.watch, EV_READ);

	run_until(&loop, p.n == 2);
	close_pipe(&p);
	test_loop_fini(&loop);
}

struct signal_watch {
	struct loop_signal watch;
	int n;
};

static void on_signal(struct loop_signal *watch)
{
	container_of(watch, struct signal_watch, watch)->n++;
	loop_stop(&loop);
}

static void on_raise(struct timer *timer)
{
	(void)timer;
	raise(SIGUSR1);
}

static void a_signal_is_delivered_by_the_loop(void **state)
{
	(void)state;
	struct signal_watch w = {.watch.run = on_signal};
	struct timer raiser = {.fire = on_raise}, forever = {.fire = on_timer};
	start();
	loop_signal_start(&loop, &w.watch, SIGUSR1);
	timers_after(&loop.timers, &raiser, 0);
	timers_after(&loop.timers, &forever, 3600 * NS_PER_S);

	loop_run(&loop);

	assert_int_equal(w.n, 1);
	loop_signal_stop(&loop, &w.watch);
	loop_signal_stop(&loop, &w.watch);
	test_loop_fini(&loop);
}

static void fini_accepts_zeroed_memory(void **state)
{
	(void)state;
	struct loop zeroed = {0};
	loop_fini(&zeroed);
}

/* Virtual time. */

static struct virtual_clock virtual;

static void start_virtual(void)
{
	story[0] = '\0';
	virtual_clock_init(&virtual, 1000 * NS_PER_S, 0);
	struct ev_loop *ev = ev_loop_new(EVFLAG_AUTO);
	assert_non_null(ev);
	loop_init(&loop, ev, &virtual.clock);
}

static void on_last_timer(struct timer *timer)
{
	on_timer(timer);
	loop_stop(&loop);
}

static void a_virtual_clock_jumps_from_deadline_to_deadline(void **state)
{
	(void)state;
	struct teller a = teller("a"), b = teller("b"), c = teller("c");
	start_virtual();
	c.timer.fire = on_last_timer;
	timers_after(&loop.timers, &c.timer, 36000 * NS_PER_S);
	timers_after(&loop.timers, &b.timer, 3600 * NS_PER_S);
	timers_after(&loop.timers, &a.timer, 0);
	int64_t real_ns = clock_mono_ns(&clock_system);

	loop_run(&loop);

	assert_string_equal(story, "abc");
	assert_int_equal(loop.timers.now_ns, 37000 * NS_PER_S);
	assert_true(clock_mono_ns(&clock_system) - real_ns < 10 * NS_PER_S);
	test_loop_fini(&loop);
}

static void on_echo(struct loop_fd *watch, int revents)
{
	char byte;
	(void)revents;
	assert_int_equal(read(watch->io.fd, &byte, 1), 1);
	tell("read ");
}

static int to_echo;

static void on_write_timer(struct timer *timer)
{
	on_timer(timer);
	assert_int_equal(write(to_echo, "x", 1), 1);
}

static void a_virtual_clock_waits_for_what_is_ready(void **state)
{
	(void)state;
	struct teller a = teller("write "), b = teller("later");
	struct loop_fd watch;
	int fds[2];
	start_virtual();
	assert_int_equal(pipe(fds), 0);
	to_echo = fds[1];
	loop_fd_init(&watch, fds[0], on_echo);
	loop_fd_start(&loop, &watch, EV_READ);
	a.timer.fire = on_write_timer;
	b.timer.fire = on_last_timer;
	timers_after(&loop.timers, &a.timer, NS_PER_S);
	timers_after(&loop.timers, &b.timer, NS_PER_S + 1);

	loop_run(&loop);

	assert_string_equal(story, "write read later");
	loop_fd_stop(&loop, &watch);
	test_loop_fini(&loop);
	close(fds[0]);
	close(fds[1]);
}

static void quiet_comes_before_the_clock_jumps(void **state)
{
	(void)state;
	struct teller a = teller("now "), b = teller("later"), quiet = teller("quiet "),
		      c = teller("job ");
	start_virtual();
	job_init(&quiet.job, on_job);
	job_init(&c.job, on_job);
	b.timer.fire = on_last_timer;
	timers_after(&loop.timers, &b.timer, 1);
	loop_when_quiet(&loop, &quiet.job);
	assert_true(job_is_pending(&quiet.job));
	timers_after(&loop.timers, &a.timer, 0);
	loop_defer(&loop, &c.job);

	loop_run(&loop);

	assert_string_equal(story, "job now quiet later");
	test_loop_fini(&loop);
}

static void quiet_comes_by_a_real_clock_too(void **state)
{
	(void)state;
	struct teller a = teller("now "), b = teller("later"), quiet = teller("quiet ");
	start();
	job_init(&quiet.job, on_job);
	b.timer.fire = on_last_timer;
	timers_after(&loop.timers, &b.timer, 20 * NS_PER_MS);
	loop_when_quiet(&loop, &quiet.job);
	timers_after(&loop.timers, &a.timer, 0);

	loop_run(&loop);

	assert_string_equal(story, "now quiet later");
	test_loop_fini(&loop);
}

static void a_cancelled_quiet_job_does_not_run(void **state)
{
	(void)state;
	struct teller b = teller("later"), quiet = teller("quiet ");
	start_virtual();
	job_init(&quiet.job, on_job);
	b.timer.fire = on_last_timer;
	timers_after(&loop.timers, &b.timer, 1);
	loop_when_quiet(&loop, &quiet.job);
	job_cancel(&quiet.job);

	loop_run(&loop);

	assert_string_equal(story, "later");
	test_loop_fini(&loop);
}

static void on_release_timer(struct timer *timer)
{
	on_timer(timer);
	clock_release(&virtual.clock);
}

static void a_held_clock_runs_as_the_real_one_does(void **state)
{
	(void)state;
	struct teller a = teller("held "), b = teller("later");
	start_virtual();
	a.timer.fire = on_release_timer;
	b.timer.fire = on_last_timer;
	timers_after(&loop.timers, &a.timer, 30 * NS_PER_MS);
	timers_after(&loop.timers, &b.timer, 3600 * NS_PER_S);
	clock_hold(&virtual.clock);
	int64_t real_ns = clock_mono_ns(&clock_system);

	loop_run(&loop);

	assert_string_equal(story, "held later");
	assert_true(clock_mono_ns(&clock_system) - real_ns >= 30 * NS_PER_MS);
	assert_int_equal(loop.timers.now_ns, 4600 * NS_PER_S);
	test_loop_fini(&loop);
}

static void a_virtual_clock_does_not_go_back_and_holds_nest(void **state)
{
	(void)state;
	virtual_clock_init(&virtual, 1000, 5000);

	virtual_clock_jump(&virtual, 900);
	assert_int_equal(clock_mono_ns(&virtual.clock), 1000);
	virtual_clock_jump(&virtual, 1200);
	assert_int_equal(clock_mono_ns(&virtual.clock), 1200);
	assert_int_equal(clock_wall_ns(&virtual.clock), 5200);
	clock_hold(&virtual.clock);
	clock_hold(&virtual.clock);
	clock_release(&virtual.clock);
	int64_t held_ns = clock_mono_ns(&virtual.clock);
	virtual_clock_jump(&virtual, held_ns + 3600 * NS_PER_S);
	assert_true(clock_mono_ns(&virtual.clock) < held_ns + 3600 * NS_PER_S);
	clock_release(&virtual.clock);
	int64_t after_ns = clock_mono_ns(&virtual.clock);
	assert_true(after_ns >= held_ns);
	assert_int_equal(clock_mono_ns(&virtual.clock), after_ns);

	clock_hold(&clock_system);
	clock_release(&clock_system);
}

int main(void)
{
	struct check c = {0};
	check_test(&c, jobs_run_in_the_order_of_their_deferral);
	check_test(&c, a_cancelled_job_does_not_run);
	check_test(&c, fini_runs_the_jobs_that_are_left);
	check_test(&c, descriptors_get_a_look_while_jobs_defer_themselves);
	check_test(&c, a_turn_is_descriptors_then_deadlines_then_jobs);
	check_test(&c, a_deadline_wakes_the_loop_and_not_before);
	check_test(&c, the_loop_runs_until_it_is_stopped);
	check_test(&c, time_comes_from_the_clock_that_was_given);
	check_test(&c, who_waits_for_it_hears_that_the_machine_slept);
	check_test(&c, the_systems_clock_tells_how_long_the_machine_slept);
	check_test(&c, events_of_a_descriptor_can_be_changed);
	check_test(&c, a_signal_is_delivered_by_the_loop);
	check_test(&c, fini_accepts_zeroed_memory);
	check_test(&c, a_virtual_clock_jumps_from_deadline_to_deadline);
	check_test(&c, a_virtual_clock_waits_for_what_is_ready);
	check_test(&c, quiet_comes_before_the_clock_jumps);
	check_test(&c, quiet_comes_by_a_real_clock_too);
	check_test(&c, a_cancelled_quiet_job_does_not_run);
	check_test(&c, a_held_clock_runs_as_the_real_one_does);
	check_test(&c, a_virtual_clock_does_not_go_back_and_holds_nest);
	return check_run(&c, "loop");
}
