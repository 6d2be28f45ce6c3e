#include "daemon/summary.h"

#include "script/program.h"
#include "support/stage.h"

static struct stage stage;

static void expect(const char *expected)
{
	char text[SUMMARY_BYTES];
	summary_write(&stage.host, text);
	assert_string_equal(text, expected);
}

static void networks_count_while_they_are_ready_for_use(void **state)
{
	(void)state;
	stage_begin(&stage, 2);

	expect("2 of 2 networks ready, 0 scripts");
	stage_lose(&stage, 1, ERR_CLOSED, "gone");
	expect("1 of 2 networks ready, 0 scripts");
	stage_connect(&stage, 1);
	expect("2 of 2 networks ready, 0 scripts");

	stage_end(&stage);
}

static void scripts_that_do_not_run_are_told_of(void **state)
{
	(void)state;
	stage_begin(&stage, 1);

	assert_true(stage_load(&stage, "good", "on('join', print)"));
	expect("1 of 1 network ready, 1 script");
	assert_true(stage_load(&stage, "greedy", "on('join', print)"));
	expect("1 of 1 network ready, 2 scripts");
	program_fail(container_of(stage.host.scripts.prev, struct script, node), "too much");
	stage_run(&stage);
	expect("1 of 1 network ready, 1 of 2 scripts");

	stage_end(&stage);
}

int main(void)
{
	struct check c = {0};
	check_test(&c, networks_count_while_they_are_ready_for_use);
	check_test(&c, scripts_that_do_not_run_are_told_of);
	return check_run(&c, "summary");
}
