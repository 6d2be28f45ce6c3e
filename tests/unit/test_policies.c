#include "daemon/policies.h"

#include "base/log.h"
#include "daemon/statefile.h"
#include "support/certs.h"
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BORN_NS (1000000000 * NS_PER_S) /* the wall clock at the start */
#define FORM    "ebb sts 1\n"

/* Policies in the folder of the test; what they log is noted, a line each, as it is. */
struct world {
	struct virtual_clock clock;
	struct loop loop;
	struct policies p;
	struct timer stop;
	struct buf log;
};

static struct err err;

static void on_log(enum log_level level, struct str text, void *data)
{
	struct world *w = data;
	if (level <= LOG_INFO)
		assert_int_equal(buf_addf(&w->log, "%" STR_F "\n", STR_A(text)), 0);
}

static void on_stop(struct timer *t)
{
	loop_stop(&container_of(t, struct world, stop)->loop);
}

static void pass(struct world *w, double seconds)
{
	timers_after(&w->loop.timers, &w->stop, clock_from_seconds(seconds));
	loop_run(&w->loop);
}

/* And forgets it. */
static void expect_log(struct world *w, const char *expected)
{
	assert_string_equal(buf_str(&w->log).p, expected);
	buf_reset(&w->log);
}

static void expect_file(const char *expected)
{
	struct buf text;
	buf_init(&text, STATEFILE_MAX_BYTES);
	if (statefile_read("sts", &text, &err) < 0)
		fail_msg("%s", err.text);
	assert_slice(buf_str(&text), expected);
	buf_fini(&text);
}

static void put(const char *text)
{
	FILE *f = fopen("sts", "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void world_start(struct world *w, const char *folder)
{
	policies_init(&w->p, &w->loop);
	policies_open(&w->p, folder);
}

static void world_begin(struct world *w, const char *folder)
{
	memset(w, 0, sizeof(*w));
	buf_init(&w->log, 65536);
	w->stop.fire = on_stop;
	virtual_clock_init(&w->clock, 1000 * NS_PER_S, BORN_NS);
	loop_init(&w->loop, ev_default_loop(EVFLAG_AUTO), &w->clock.clock);
	log_set_sink(on_log, w);
	world_start(w, folder);
}

static void world_end(struct world *w)
{
	log_set_sink(NULL, NULL);
	policies_fini(&w->p);
	loop_fini(&w->loop);
	buf_fini(&w->log);
	unlink("sts");
}

static void learn(struct world *w, const char *host, int64_t seconds)
{
	policies_learn(&w->p, str_of(host), 6697, seconds * NS_PER_S);
}

static unsigned port(struct world *w, const char *host)
{
	return policies_port(&w->p, str_of(host));
}

static void a_policy_holds_for_as_long_as_the_server_said(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w, ".");

	learn(&w, "irc.test", 600);

	assert_int_equal(port(&w, "IRC.test."), 6697);
	assert_int_equal(port(&w, "irc.elsewhere"), 0);
	pass(&w, 599);
	assert_int_equal(port(&w, "irc.test"), 6697);
	pass(&w, 1);
	assert_int_equal(port(&w, "irc.test"), 0);
	world_end(&w);
}

static void the_next_daemon_knows_it(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w, ".");
	learn(&w, "irc.test", 600);

	policies_fini(&w.p);
	expect_file(FORM "irc.test 6697 600 1000000600\n");
	world_start(&w, ".");

	assert_int_equal(port(&w, "irc.test"), 6697);
	pass(&w, 600);
	assert_int_equal(port(&w, "irc.test"), 0);
	expect_log(&w, "");
	world_end(&w);
}

static void the_first_is_written_at_once_and_others_no_more_often_than_the_pace(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w, ".");
	learn(&w, "a", 600);
	pass(&w, 0);
	expect_file(FORM "a 6697 600 1000000600\n");

	for (int i = 0; i < 99; i++) {
		pass(&w, 0.1);
		learn(&w, "a", 700 + i);
	}
	expect_file(FORM "a 6697 600 1000000600\n");
	pass(&w, 0.1);

	expect_file(FORM "a 6697 798 1000000808\n");
	world_end(&w);
}

static void one_that_the_server_takes_back_is_gone_from_the_file(void **state)
{
	(void)state;
	struct world w;
	put(FORM "irc.test 6697 600 1000000600\n");
	world_begin(&w, ".");

	learn(&w, "irc.test", 0);
	assert_int_equal(port(&w, "irc.test"), 0);
	pass(&w, 0);

	expect_file(FORM);
	world_end(&w);
}

static void what_changes_nothing_is_not_written(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w, ".");

	learn(&w, "irc.test", 0);
	policies_touch(&w.p, STR("irc.test"));
	policies_learn(&w.p, STR("no host"), 6697, NS_PER_S);
	pass(&w, 20);

	assert_int_equal(access("sts", F_OK), -1);
	world_end(&w);
	assert_int_equal(access("sts", F_OK), -1);
}

/* Though it came to its end while we were there. */
static void the_end_of_a_connection_makes_it_count_anew(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w, ".");
	learn(&w, "irc.test", 600);
	pass(&w, 1000);
	assert_int_equal(port(&w, "irc.test"), 0);

	policies_touch(&w.p, STR("irc.test"));
	assert_int_equal(port(&w, "irc.test"), 6697);
	policies_fini(&w.p);

	expect_file(FORM "irc.test 6697 600 1000001600\n");
	world_start(&w, ".");
	world_end(&w);
}

static void without_a_folder_they_are_in_memory_which_is_told_once(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w, NULL);
	expect_log(&w, "");

	learn(&w, "a", 600);
	learn(&w, "b", 600);
	pass(&w, 20);

	assert_int_equal(port(&w, "a"), 6697);
	expect_log(&w, "sts policies are not kept: no state_dir\n");
	world_end(&w);
}

static void a_folder_that_goes_away_is_warned_of_once_each_time(void **state)
{
	(void)state;
	struct world w;
	assert_int_equal(mkdir("gone", 0700), 0);
	world_begin(&w, "gone");
	assert_int_equal(rmdir("gone"), 0);

	learn(&w, "a", 600);
	pass(&w, 20);
	learn(&w, "b", 600);
	pass(&w, 20);

	assert_int_equal(port(&w, "a"), 6697);
	expect_log(&w, "sts policies are not kept: gone/sts: No such file or directory\n");
	assert_int_equal(mkdir("gone", 0700), 0);
	learn(&w, "c", 600);
	pass(&w, 20);
	assert_int_equal(remove("gone/sts"), 0);
	assert_int_equal(rmdir("gone"), 0);
	learn(&w, "d", 600);
	pass(&w, 20);
	expect_log(&w, "sts policies are not kept: gone/sts: No such file or directory\n");
	world_end(&w);
}

static void a_file_that_cannot_be_read_is_left_alone(void **state)
{
	(void)state;
	struct world w;
	assert_int_equal(mkdir("sts", 0700), 0);
	world_begin(&w, ".");
	expect_log(&w, "sts policies are not kept: ./sts: is not a file\n");

	learn(&w, "a", 600);
	pass(&w, 20);

	assert_int_equal(port(&w, "a"), 6697);
	expect_log(&w, "");
	assert_int_equal(rmdir("sts"), 0);
	world_end(&w);
}

static void lines_that_are_none_are_warned_of_and_the_others_hold(void **state)
{
	(void)state;
	struct world w;
	put(FORM "a 6697 600 1000000600\nb 0 600 1000000600\nc\nd 6698 600 1000000600\n");

	world_begin(&w, ".");

	expect_log(&w, "./sts: 2 lines are no policies: line 3: no port\n");
	assert_int_equal(port(&w, "a"), 6697);
	assert_int_equal(port(&w, "b"), 0);
	assert_int_equal(port(&w, "d"), 6698);
	world_end(&w);
}

static void the_context_is_made_once_and_again_when_it_is_refreshed(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w, NULL);

	struct tls_context *context = policies_context(&w.p, &err);
	assert_non_null(context);
	assert_ptr_equal(policies_context(&w.p, &err), context);
	policies_refresh(&w.p);
	assert_null(w.p.context);
	assert_non_null(policies_context(&w.p, &err));

	world_end(&w);
}

int main(void)
{
	char folder[] = "/tmp/ebb-test-policies-XXXXXX";
	struct check c = {0};
	struct certs certs;
	certs_make(&certs);
	if (!mkdtemp(folder) || chdir(folder) < 0 || setenv("SSL_CERT_FILE", certs.ca_file, 1) < 0)
		abort();
	log_set_level(LOG_INFO);
	check_test(&c, a_policy_holds_for_as_long_as_the_server_said);
	check_test(&c, the_next_daemon_knows_it);
	check_test(&c, the_first_is_written_at_once_and_others_no_more_often_than_the_pace);
	check_test(&c, one_that_the_server_takes_back_is_gone_from_the_file);
	check_test(&c, what_changes_nothing_is_not_written);
	check_test(&c, the_end_of_a_connection_makes_it_count_anew);
	check_test(&c, without_a_folder_they_are_in_memory_which_is_told_once);
	check_test(&c, a_folder_that_goes_away_is_warned_of_once_each_time);
	check_test(&c, a_file_that_cannot_be_read_is_left_alone);
	check_test(&c, lines_that_are_none_are_warned_of_and_the_others_hold);
	check_test(&c, the_context_is_made_once_and_again_when_it_is_refreshed);
	int status = check_run(&c, "policies");
	certs_free(&certs);
	if (chdir("/") < 0 || rmdir(folder) < 0)
		abort();
	return status;
}
