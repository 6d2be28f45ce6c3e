#include "base/clock.h"
#include "base/timers.h"
#include "support/check.h"

#include <stdlib.h>

enum { MANY = 2000 };

struct probe {
	struct timer timer;
	int id;
};

static struct timers ts;
static int fired[MANY];
static size_t n_fired;

static void note(struct timer *t)
{
	fired[n_fired++] = container_of(t, struct probe, timer)->id;
}

static void again_at_once(struct timer *t)
{
	note(t);
	timers_after(&ts, t, 0);
}

static void start(void)
{
	timers_init(&ts, 0);
	n_fired = 0;
}

static void timers_fire_in_the_order_of_their_deadlines(void **state)
{
	(void)state;
	static struct probe probes[MANY];
	start();
	unsigned x = 1;
	for (int i = 0; i < MANY; i++) {
		x = x * 1103515245u + 12345u;
		probes[i] = (struct probe){.timer.fire = note, .id = i};
		timers_set(&ts, &probes[i].timer, (x >> 16) % 500);
	}
	for (int i = 0; i < MANY; i += 3)
		timers_cancel(&ts, &probes[i].timer);

	timers_run(&ts, 1000);

	assert_int_equal(n_fired, MANY - (MANY + 2) / 3);
	for (size_t i = 1; i < n_fired; i++) {
		const struct timer *a = &probes[fired[i - 1]].timer, *b = &probes[fired[i]].timer;
		assert_true(a->at_ns < b->at_ns || (a->at_ns == b->at_ns && a->order < b->order));
	}
	assert_int_equal(timers_next(&ts), -1);
	timers_fini(&ts);
}

static void timers_of_one_deadline_fire_as_they_were_set(void **state)
{
	(void)state;
	struct probe a = {{.fire = note}, 1}, b = {{.fire = note}, 2};
	start();
	timers_set(&ts, &b.timer, 5);
	timers_set(&ts, &a.timer, 5);

	timers_run(&ts, 4);
	assert_int_equal(n_fired, 0);
	timers_run(&ts, 5);

	assert_int_equal(n_fired, 2);
	assert_int_equal(fired[0], 2);
	timers_fini(&ts);
}

static void timers_set_again_have_one_deadline(void **state)
{
	(void)state;
	struct probe a = {{.fire = note}, 1};
	start();
	timers_set(&ts, &a.timer, 5);
	timers_set(&ts, &a.timer, 9);

	assert_int_equal(timers_next(&ts), 9);
	timers_run(&ts, 8);
	assert_int_equal(n_fired, 0);
	assert_true(timer_is_set(&a.timer));
	timers_cancel(&ts, &a.timer);
	timers_cancel(&ts, &a.timer);
	assert_int_equal(timers_next(&ts), -1);
	timers_fini(&ts);
}

static void timers_run_ends_when_a_callback_sets_itself_for_now(void **state)
{
	(void)state;
	struct probe a = {{.fire = again_at_once}, 1};
	start();
	timers_set(&ts, &a.timer, 1);

	timers_run(&ts, 1);
	assert_int_equal(n_fired, 1);
	timers_run(&ts, 1);

	assert_int_equal(n_fired, 2);
	timers_fini(&ts);
	assert_false(timer_is_set(&a.timer));
}

static void timers_never_go_back(void **state)
{
	(void)state;
	start();
	timers_run(&ts, 10);
	timers_run(&ts, 5);
	assert_int_equal(ts.now_ns, 10);
	timers_fini(&ts);
}

int main(void)
{
	struct check c = {0};
	check_test(&c, timers_fire_in_the_order_of_their_deadlines);
	check_test(&c, timers_of_one_deadline_fire_as_they_were_set);
	check_test(&c, timers_set_again_have_one_deadline);
	check_test(&c, timers_run_ends_when_a_callback_sets_itself_for_now);
	check_test(&c, timers_never_go_back);
	return check_run(&c, "timers");
}
