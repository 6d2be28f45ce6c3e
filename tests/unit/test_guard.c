#include "net/guard.h"
#include "support/check.h"

#include <stdio.h>

#define S(n) ((n)*NS_PER_S)

static struct guard g;

static void start(void)
{
	guard_fini(&g);
	guard_init(&g, 5);
}

static int64_t when(const struct guard_network *n, const char *host, int64_t now_ns)
{
	return guard_when(&g, n, str_of(host), now_ns);
}

static void attempt(struct guard_network *n, const char *host, int64_t now_ns)
{
	guard_attempt(&g, n, str_of(host), now_ns);
}

static void the_first_attempt_may_be_at_once(void **state)
{
	(void)state;
	struct guard_network n = {0};
	start();
	assert_int_equal(when(&n, "a", S(7)), S(7));
	assert_int_equal(when(&n, "a", 0), 0);
}

static void a_network_pauses_between_attempts(void **state)
{
	(void)state;
	struct guard_network n = {0};
	start();

	attempt(&n, "a", S(10));

	assert_int_equal(when(&n, "b", S(10)), S(12));
	assert_int_equal(when(&n, "b", S(13)), S(13));
	guard_success(&n);
	assert_int_equal(when(&n, "b", S(10)), S(12));
}

static void a_network_has_ten_attempts_in_ten_minutes(void **state)
{
	(void)state;
	struct guard_network n = {0};
	start();

	for (int i = 0; i < 10; i++)
		attempt(&n, "a", S(100 + 10 * i));

	assert_int_equal(when(&n, "a", S(195)), S(700));
	attempt(&n, "a", S(700));
	assert_int_equal(when(&n, "a", S(705)), S(710));
}

static void a_success_clears_the_ten(void **state)
{
	(void)state;
	struct guard_network n = {0};
	start();

	for (int i = 0; i < 10; i++)
		attempt(&n, "a", S(100 + 10 * i));
	guard_success(&n);

	assert_int_equal(when(&n, "a", S(195)), S(195));
}

static void a_host_has_a_burst_and_a_rate(void **state)
{
	(void)state;
	struct guard_network n[8] = {
		{{0}, 0, 0, false}
        };
	start();

	for (int i = 0; i < 5; i++) {
		assert_int_equal(when(&n[i], "a", S(1)), S(1));
		attempt(&n[i], "a", S(1));
	}

	assert_int_equal(when(&n[5], "a", S(1)), S(1) + NS_PER_S / 5);
	assert_int_equal(when(&n[5], "b", S(1)), S(1));
	attempt(&n[5], "a", S(1) + NS_PER_S / 5);
	assert_int_equal(when(&n[6], "a", S(1)), S(1) + 2 * NS_PER_S / 5);
	assert_int_equal(when(&n[6], "a", S(2)), S(2));
}

static void a_host_is_one_in_any_case(void **state)
{
	(void)state;
	struct guard_network n[6] = {
		{{0}, 0, 0, false}
        };
	start();

	for (int i = 0; i < 5; i++)
		attempt(&n[i], i % 2 ? "IRC.Example.org" : "irc.example.ORG", S(1));

	assert_true(when(&n[5], "irc.example.org", S(1)) > S(1));
}

static void a_host_has_another_rate_at_once(void **state)
{
	(void)state;
	struct guard_network next = {0};
	start();

	for (int i = 0; i < GUARD_BURST; i++) {
		struct guard_network n = {0};
		attempt(&n, "h", S(1));
	}
	guard_set_rate(&g, 0.1, S(1));
	assert_int_equal(when(&next, "h", S(1)), S(11));
	guard_set_rate(&g, 1, S(1));
	assert_int_equal(when(&next, "h", S(1)), S(2));
	guard_fini(&g);
}

static void hosts_are_forgotten_when_full(void **state)
{
	(void)state;
	start();

	for (int i = 0; i < 1000; i++) {
		struct guard_network n = {0};
		char host[16];
		snprintf(host, sizeof(host), "host%d", i);
		attempt(&n, host, S(i));
		assert_true(map_count(&g.hosts) <= 2);
	}
}

static void hosts_are_bounded(void **state)
{
	(void)state;
	start();

	for (int i = 0; i < 2 * GUARD_HOSTS_MAX; i++) {
		struct guard_network n = {0};
		char host[16];
		snprintf(host, sizeof(host), "host%d", i);
		attempt(&n, host, S(1));
	}

	assert_int_equal(map_count(&g.hosts), GUARD_HOSTS_MAX);
	guard_fini(&g);
}

int main(void)
{
	struct check c = {0};
	check_test(&c, the_first_attempt_may_be_at_once);
	check_test(&c, a_network_pauses_between_attempts);
	check_test(&c, a_network_has_ten_attempts_in_ten_minutes);
	check_test(&c, a_success_clears_the_ten);
	check_test(&c, a_host_has_a_burst_and_a_rate);
	check_test(&c, a_host_is_one_in_any_case);
	check_test(&c, a_host_has_another_rate_at_once);
	check_test(&c, hosts_are_forgotten_when_full);
	check_test(&c, hosts_are_bounded);
	return check_run(&c, "guard");
}
