#include "script/remains.h"
#include "support/check.h"

#include <stdlib.h>

#ifdef __SANITIZE_ADDRESS__
enum { MB = 1024 * 1024, STEPS_MAX = 1000 }; /* each block is one of malloc's */
#else
enum { MB = 1024 * 1024, STEPS_MAX = 20 };
#endif

struct scene {
	struct timers timers;
	struct remains remains;
	struct arena arena;
};

static struct scene sc;

static int begin(void **state)
{
	(void)state;
	timers_init(&sc.timers, 0);
	remains_init(&sc.remains, &sc.timers);
	arena_init(&sc.arena, 64 * MB);
	return 0;
}

static int end(void **state)
{
	(void)state;
	remains_fini(&sc.remains);
	arena_fini(&sc.arena);
	timers_fini(&sc.timers);
	return 0;
}

static void take(size_t n_blocks, size_t n_bytes)
{
	for (size_t i = 0; i < n_blocks; i++)
		assert_non_null(arena_resize(&sc.arena, NULL, 0, n_bytes));
}

/* How many steps it takes until nothing is left. */
static int run_out(void)
{
	int n = 0;
	for (; timers_next(&sc.timers) >= 0; n++)
		timers_run(&sc.timers, 0);
	return n;
}

static void little_goes_at_once(void **state)
{
	(void)state;
	take(100, 64);
	take(10, 10000);

	remains_take(&sc.remains, &sc.arena);

	assert_null(sc.arena.chunks);
	assert_int_equal(timers_next(&sc.timers), -1);
}

static void small_blocks_go_in_steps(void **state)
{
	(void)state;
	take(20 * MB / 64, 64);

	remains_take(&sc.remains, &sc.arena);

	assert_int_equal(sc.arena.used_bytes, 0);
	assert_in_range(run_out(), 4, STEPS_MAX);
}

static void large_blocks_go_in_steps(void **state)
{
	(void)state;
	take(20, MB);

	remains_take(&sc.remains, &sc.arena);

	assert_in_range(run_out(), 4, STEPS_MAX);
}

static void the_memory_of_several_goes_in_turn(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		arena_init(&sc.arena, 64 * MB);
		take(10, MB);
		remains_take(&sc.remains, &sc.arena);
	}

	assert_in_range(run_out(), 4, STEPS_MAX);
}

static void what_is_left_goes_at_the_end(void **state)
{
	(void)state;
	take(20, MB);
	take(20 * MB / 64, 64);
	remains_take(&sc.remains, &sc.arena);
	timers_run(&sc.timers, 0);

	remains_fini(&sc.remains);

	assert_int_equal(timers_next(&sc.timers), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(little_goes_at_once, begin, end),
		cmocka_unit_test_setup_teardown(small_blocks_go_in_steps, begin, end),
		cmocka_unit_test_setup_teardown(large_blocks_go_in_steps, begin, end),
		cmocka_unit_test_setup_teardown(the_memory_of_several_goes_in_turn, begin, end),
		cmocka_unit_test_setup_teardown(what_is_left_goes_at_the_end, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
