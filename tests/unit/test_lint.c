#include "base/log.h"
#include "script/program.h"
#include "support/stage.h"

#include <string.h>

static struct stage st;

static void begin(const char *source)
{
	log_set_level(LOG_DEBUG);
	stage_begin(&st, 1);
	assert_true(stage_load(&st, "test", source));
}

static void end(void)
{
	stage_end(&st);
	log_set_level(LOG_INFO);
}

static unsigned count(const char *text)
{
	unsigned n = 0;
	for (const char *p = buf_str(&st.log).p; (p = strstr(p, text)); p++)
		n++;
	return n;
}

static void a_task_that_is_paused_for_an_hour_is_told_of_once(void **state)
{
	(void)state;
	begin("spawn(function()\n  wait('never')\nend)\nevery(60, function() end)\n");

	stage_pass(&st, 3500);
	assert_int_equal(count("paused for an hour"), 0);

	stage_pass(&st, 3 * 3600);
	assert_int_equal(count("paused for an hour"), 1);
	stage_expect_log(&st, "warning script test: spawn from ");
	end();
}

static void the_hundredth_wait_for_an_event_is_told_of(void **state)
{
	(void)state;
	begin("for i = 1, 99 do spawn(function() wait('join') end) end\n"
	      "on('notice', function() for i = 1, 20 do spawn(wait, 'join') end end)\n");

	assert_int_equal(count("100 waits"), 0);

	stage_line(&st, 0, ":a!u@h NOTICE #t :x");
	assert_int_equal(count("there are 100 waits for one event; the last is wait join"), 1);
	end();
}

static void what_cannot_pause_is_told_of_though_its_error_is_caught(void **state)
{
	(void)state;
	begin("on('privmsg', function(ev)\n  return pcall(sleep, 1)\nend, function() end)\n");

	stage_line(&st, 0, ":a!u@h PRIVMSG #t :x");

	stage_expect_log(&st, "sleep is called at ");
	end();
}

static void what_is_pending_at_the_end_is_told_of(void **state)
{
	(void)state;
	begin("on('privmsg', function(ev)\n  sleep(60)\nend)\n");
	stage_line(&st, 0, ":a!u@h PRIVMSG #t :x");

	program_free(container_of(st.host.programs.next, struct program, node));

	stage_expect_log(
		&st, "test.lua:2, for another 60.000 s: it is pending while its script ends");
	end();
}

static void without_debug_mode_nobody_is_told(void **state)
{
	(void)state;
	begin("");
	log_set_level(LOG_INFO);
	assert_true(stage_load(&st, "quiet",
		"on('privmsg', function(ev) return pcall(sleep, 1) end, function() end)\n"
		"for i = 1, 150 do spawn(wait, 'join') end\n"));

	stage_line(&st, 0, ":a!u@h PRIVMSG #t :x");
	stage_pass(&st, 2 * 3600);
	program_free(container_of(st.host.programs.prev, struct program, node));

	assert_int_equal(count("warning"), 0);
	end();
}

int main(void)
{
	struct check c = {0};
	check_test(&c, a_task_that_is_paused_for_an_hour_is_told_of_once);
	check_test(&c, the_hundredth_wait_for_an_event_is_told_of);
	check_test(&c, what_cannot_pause_is_told_of_though_its_error_is_caught);
	check_test(&c, what_is_pending_at_the_end_is_told_of);
	check_test(&c, without_debug_mode_nobody_is_told);
	return check_run(&c, "lint");
}
