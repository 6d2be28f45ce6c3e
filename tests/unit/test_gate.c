#include "net/gate.h"
#include "support/check.h"

enum { PASSES = 3 * GATE_MAX };

static struct timers timers;
static struct gate gate;
static struct gate_pass passes[PASSES];
static unsigned n_opened, leaves; /* how many leave as soon as they are opened */

static unsigned number_of(const struct gate_pass *p)
{
	return (unsigned)(p - passes);
}

/* In line: who entered first is opened first. */
static void on_open(struct gate_pass *p)
{
	assert_true(p->is_young);
	assert_true(gate.n_young <= GATE_MAX);
	assert_int_equal(number_of(p), GATE_MAX + n_opened++);
	if (leaves) {
		leaves--;
		gate_leave(&gate, p);
	}
}

/* All of them enter. */
static void start(void)
{
	timers_fini(&timers);
	timers_init(&timers, NS_PER_S);
	gate_init(&gate, &timers);
	n_opened = leaves = 0;
	for (unsigned i = 0; i < PASSES; i++) {
		gate_pass_init(&passes[i], on_open);
		assert_int_equal(gate_enter(&gate, &passes[i]), i < GATE_MAX);
	}
}

static void stop(void)
{
	for (unsigned i = 0; i < PASSES; i++)
		gate_leave(&gate, &passes[i]);
	assert_int_equal(gate.n_young, 0);
	assert_int_equal(timers_next(&timers), -1);
	gate_fini(&gate);
	timers_fini(&timers);
}

static void wait(int64_t ns)
{
	timers_run(&timers, timers.now_ns + ns);
}

static void so_many_begin_and_the_others_wait(void **state)
{
	(void)state;
	start();

	wait(GATE_YOUNG_NS - 1);

	assert_int_equal(gate.n_young, GATE_MAX);
	assert_int_equal(n_opened, 0);
	assert_true(gate_enter(&gate, &passes[0]));
	assert_false(gate_enter(&gate, &passes[GATE_MAX]));
	stop();
}

static void who_leaves_lets_the_next_in_but_not_within_the_call(void **state)
{
	(void)state;
	start();

	gate_leave(&gate, &passes[7]);
	gate_leave(&gate, &passes[7]);
	gate_leave(&gate, &passes[9]);
	assert_int_equal(n_opened, 0);
	wait(0);

	assert_int_equal(n_opened, 2);
	assert_true(passes[GATE_MAX + 1].is_young);
	wait(0);
	assert_int_equal(n_opened, 2);
	stop();
}

static void who_leads_nowhere_is_young_for_a_while_only(void **state)
{
	(void)state;
	start();
	wait(NS_PER_S);
	gate_leave(&gate, &passes[0]);
	wait(0);
	assert_int_equal(n_opened, 1);

	wait(GATE_YOUNG_NS - NS_PER_S);

	assert_int_equal(n_opened, GATE_MAX);
	assert_false(passes[1].is_young);
	stop();
}

static void who_waits_may_leave_the_line(void **state)
{
	(void)state;
	start();
	for (unsigned i = GATE_MAX; i < PASSES; i++)
		gate_leave(&gate, &passes[i]);

	assert_int_equal(timers_next(&timers), -1);
	wait(GATE_YOUNG_NS);
	assert_int_equal(n_opened, 0);
	stop();
}

static void one_turn_opens_no_more_than_have_room_though_they_leave_at_once(void **state)
{
	(void)state;
	start();
	leaves = 2;
	gate_leave(&gate, &passes[0]);

	wait(0);
	assert_int_equal(n_opened, 1);
	wait(0);
	assert_int_equal(n_opened, 2);
	wait(0);

	assert_int_equal(n_opened, 3);
	assert_int_equal(gate.n_young, GATE_MAX);
	stop();
}

static void nobody_overtakes_those_in_line(void **state)
{
	(void)state;
	start();
	struct gate_pass late;
	gate_pass_init(&late, on_open);

	gate_leave(&gate, &passes[0]);
	assert_false(gate_enter(&gate, &late));

	gate_leave(&gate, &late);
	stop();
}

int main(void)
{
	struct check c = {0};
	check_test(&c, so_many_begin_and_the_others_wait);
	check_test(&c, who_leaves_lets_the_next_in_but_not_within_the_call);
	check_test(&c, who_leads_nowhere_is_young_for_a_while_only);
	check_test(&c, who_waits_may_leave_the_line);
	check_test(&c, one_turn_opens_no_more_than_have_room_though_they_leave_at_once);
	check_test(&c, nobody_overtakes_those_in_line);
	return check_run(&c, "gate");
}
