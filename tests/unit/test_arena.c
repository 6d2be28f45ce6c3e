#include "script/arena.h"
#include "support/check.h"

/* What C holds for a script, beside garbage of which the arena can only be told. */

enum { MAX = 64 * 1024, GARBAGE = MAX / 2 };

static struct {
	struct arena arena;
	unsigned collections;
	size_t garbage;
} st;

static void collect(struct arena *a)
{
	st.collections++;
	arena_release(a, st.garbage);
	st.garbage = 0;
}

static void begin(void)
{
	st.collections = 0;
	st.garbage = GARBAGE;
	arena_init(&st.arena, MAX);
	st.arena.collect = collect;
	assert_true(arena_charge(&st.arena, MAX));
}

static void end(void)
{
	arena_release(&st.arena, st.arena.used_bytes);
	arena_fini(&st.arena);
}

static void what_does_not_fit_is_collected_for(void **state)
{
	(void)state;
	begin();
	assert_true(arena_charge(&st.arena, GARBAGE));
	assert_int_equal(st.collections, 1);
	assert_int_equal(st.arena.used_bytes, MAX);
	end();
}

static void what_does_not_fit_then_is_refused(void **state)
{
	(void)state;
	begin();
	assert_false(arena_charge(&st.arena, GARBAGE + 1));
	assert_int_equal(st.arena.used_bytes, MAX - GARBAGE);
	end();
}

static void nothing_is_collected_twice_for_nothing_new(void **state)
{
	(void)state;
	begin();
	for (int i = 0; i < 1000; i++)
		assert_false(arena_charge(&st.arena, MAX));
	assert_int_equal(st.collections, 1);
	for (int i = 0; i < 4096; i++)
		assert_false(arena_charge(&st.arena, MAX));
	assert_int_equal(st.collections, 2);
	end();
}

static void what_is_new_is_collected_for(void **state)
{
	(void)state;
	begin();
	assert_false(arena_charge(&st.arena, MAX));
	assert_true(arena_charge(&st.arena, GARBAGE));
	st.garbage = GARBAGE;
	assert_true(arena_charge(&st.arena, 1));
	assert_int_equal(st.collections, 2);
	end();
}

int main(void)
{
	struct check c = {0};
	check_test(&c, what_does_not_fit_is_collected_for);
	check_test(&c, what_does_not_fit_then_is_refused);
	check_test(&c, nothing_is_collected_twice_for_nothing_new);
	check_test(&c, what_is_new_is_collected_for);
	return check_run(&c, "arena");
}
