#include "base/rand.h"
#include "script/slice.h"
#include "support/stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Slices after any instruction: programs whose results are known give the same ones, however often
 * others have their turn in between.
 *
 * SEED=n repeats a run.
 */

#define SOURCE "tests/unit/yields.lua"

enum { YIELDS = 1000000, YIELDS_SLOW = 100000 };

enum { LINES = 4 };

static struct stage st;
static struct buf source, expected, got;

/* The lines that one of the scripts logged, without its name. */
static void lines_of(const char *script, struct buf *out)
{
	char start[50];
	struct str rest = buf_str(&st.log);
	snprintf(start, sizeof(start), "info script %s: ", script);
	buf_reset(out);
	while (rest.n) {
		struct str line = str_cut(&rest, '\n');
		if (!str_starts(line, str_of(start)))
			continue;
		assert_int_equal(buf_add(out, str_skip(line, strlen(start))), 0);
		assert_int_equal(buf_add(out, STR("\n")), 0);
	}
}

/* Two scripts do the same at the same time. */
static void run(void)
{
	char line[100];
	stage_begin(&st, 1);
	assert_true(stage_load(&st, "a", buf_str(&source).p));
	assert_true(stage_load(&st, "b", buf_str(&source).p));
	stage_pass(&st, 10);
	for (int i = 1; i <= LINES; i++) {
		snprintf(line, sizeof(line), ":x!u@h PRIVMSG #t :n%d", i);
		stage_line(&st, 0, line);
	}
	stage_pass(&st, 1);
}

static void print_difference(struct str a, struct str b)
{
	while (a.n || b.n) {
		struct str x = str_cut(&a, '\n'), y = str_cut(&b, '\n');
		if (str_eq(x, y))
			continue;
		print_error("expected: %" STR_F "\ngot:      %" STR_F "\n", STR_A(x), STR_A(y));
		return;
	}
}

static void check(const char *script, const char *how)
{
	lines_of(script, &got);
	if (str_eq(buf_str(&got), buf_str(&expected)))
		return;
	print_difference(buf_str(&expected), buf_str(&got));
	fail_msg("%s: not the same, %s", script, how);
}

static void programs_give_what_they_should(void **state)
{
	(void)state;
	run();

	lines_of("a", &expected);
	if (strstr(buf_str(&expected).p, "wrong: ") || !strstr(buf_str(&expected).p, "\n0 wrong\n"))
		fail_msg("%s", strstr(buf_str(&expected).p, "wrong: "));
	check("b", "not sliced");
	stage_end(&st);
}

static uint64_t wanted(void)
{
#ifdef __SANITIZE_ADDRESS__
	return YIELDS_SLOW;
#else
	return getenv("VALGRIND") ? YIELDS_SLOW : YIELDS;
#endif
}

static uint64_t seed(void)
{
	const char *value = getenv("SEED");
	return value ? strtoull(value, NULL, 10) : (uint64_t)getpid();
}

static void they_give_the_same_when_they_are_sliced_anywhere(void **state)
{
	static const unsigned most[] = {1000, 50, 5, 300, 2};
	uint64_t first = seed(), n = 0, rounds = 0;
	struct rand rand;
	char how[100];
	(void)state;
	for (; n < wanted(); rounds++) {
		uint64_t number = first + rounds;
		unsigned limit = most[rounds % COUNTOF(most)];
		snprintf(how, sizeof(how), "sliced after up to %u instructions, SEED=%llu", limit,
			(unsigned long long)number);
		rand = (struct rand){number};
		slice_force(&rand, limit);
		run();
		n += slice_force(NULL, 0);
		check("a", how);
		check("b", how);
		stage_end(&st);
	}
	print_message("# SEED=%llu: %llu slices in %llu runs\n", (unsigned long long)first,
		(unsigned long long)n, (unsigned long long)rounds);
}

int main(void)
{
	struct check c = {0};
	stage_read(&source, SOURCE);
	buf_init(&expected, 1024L * 1024);
	buf_init(&got, 1024L * 1024);
	check_test(&c, programs_give_what_they_should);
	check_test(&c, they_give_the_same_when_they_are_sliced_anywhere);
	int status = check_run(&c, "yields");
	buf_fini(&source);
	buf_fini(&expected);
	buf_fini(&got);
	return status;
}
