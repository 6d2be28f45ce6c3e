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
	guard_success(&g, &n, STR("a"));
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
	guard_success(&g, &n, STR("a"));

	assert_int_equal(when(&n, "a", S(195)), S(195));
}

static void a_host_has_a_burst_and_a_rate(void **state)
{
	(void)state;
	struct guard_network n[GUARD_BURST + 2] = {[0] = {.has_last = false}};
	start();

	for (int i = 0; i < GUARD_BURST; i++) {
		assert_int_equal(when(&n[i], "a", S(1)), S(1));
		attempt(&n[i], "a", S(1));
	}

	struct guard_network *next = &n[GUARD_BURST];
	assert_int_equal(when(next, "a", S(1)), S(1) + NS_PER_S / 5);
	assert_int_equal(when(next, "b", S(1)), S(1));
	attempt(next, "a", S(1) + NS_PER_S / 5);
	next++;
	assert_int_equal(when(next, "a", S(1)), S(1) + 2 * NS_PER_S / 5);
	assert_int_equal(when(next, "a", S(2)), S(2));
}

/* name; another, and whether it is the same host */
static const struct same_row {
	const char *name, *other;
	bool is_same;
} same_rows[] = {
	{"irc.example.org",  "IRC.Example.org",  true },
	{"IRC.example.ORG",  "irc.example.org.", true },
	{"irc.example.org.", "irc.example.org",  true },
	{"2001:DB8::1",      "2001:db8::1",      true },
	{"irc.example.org",  "irc2.example.org", false},
	{".",		"",                 false},
};

static void a_host_is_known_by_its_name(void **state)
{
	const struct same_row *row = *state;
	struct guard_network next = {0};
	start();

	for (int i = 0; i < GUARD_BURST; i++) {
		struct guard_network n = {0};
		attempt(&n, row->name, S(1));
	}

	assert_int_equal(when(&next, row->other, S(1)) > S(1), row->is_same);
}

/* Whoever waits asks again when it was told to, as networks do. */
static void many_networks_of_a_host_come_at_its_pace(void **state)
{
	(void)state;
	enum { N = 50 };
	struct guard_network n[N] = {[0] = {.has_last = false}};
	int64_t now_ns = S(1), last_ns = 0;
	start();

	for (int i = 0; i < N; i++) {
		now_ns = when(&n[i], i % 2 ? "irc.example" : "IRC.example.", now_ns);
		assert_int_equal(now_ns,
			S(1) + (i < GUARD_BURST ? 0 : (i - GUARD_BURST + 1) * NS_PER_S / 5));
		attempt(&n[i], "irc.example", now_ns);
		last_ns = now_ns;
	}

	assert_int_equal(last_ns, S(9));
}

/* A script that disconnects and connects, with a list of hosts that rotates. */
static void what_a_network_may_holds_over_all_its_hosts(void **state)
{
	(void)state;
	const char *const hosts[] = {"a", "b", "c"};
	struct guard_network n = {0};
	int64_t now_ns = 0;
	start();

	for (int i = 0; i < 2 * GUARD_ATTEMPTS; i++) {
		const char *host = hosts[i % 3];
		now_ns = when(&n, host, now_ns);
		assert_int_equal(now_ns, i / GUARD_ATTEMPTS * S(600) + i % GUARD_ATTEMPTS * S(2));
		attempt(&n, host, now_ns);
	}
}

static int64_t turn(struct guard_network *n, const char *host, int64_t now_ns)
{
	return guard_turn(&g, n, str_of(host), now_ns);
}

/* Whose turn it is comes, asks, and may. */
static void who_waits_for_a_host_has_a_turn(void **state)
{
	(void)state;
	enum { N = 50 };
	struct guard_network n[N] = {[0] = {.has_last = false}};
	start();
	for (int i = 0; i < GUARD_BURST; i++)
		attempt(&n[i], "a", S(1));

	for (int i = GUARD_BURST; i < N; i++)
		assert_int_equal(turn(&n[i], "A.", S(1)), S(1) + (i - GUARD_BURST + 1) * S(1) / 5);

	for (int i = GUARD_BURST; i < N; i++) {
		int64_t now_ns = turn(&n[i], "a", S(1));
		assert_int_equal(when(&n[i], "a", now_ns), now_ns);
		attempt(&n[i], "a", now_ns);
	}
}

static void a_turn_is_kept_however_often_one_asks(void **state)
{
	(void)state;
	struct guard_network one = {0}, other = {0}, third = {0}, made = {.is_made = true};
	start();
	for (int i = 0; i < GUARD_BURST; i++) {
		struct guard_network n = {0};
		attempt(&n, "a", S(1));
	}

	for (int i = 0; i < 1000; i++) {
		assert_int_equal(turn(&one, "a", S(1)), S(1) + 1 * S(1) / 5);
		assert_int_equal(turn(&made, "a", S(1)), S(1) + 1 * S(1) / 5);
	}
	assert_int_equal(turn(&other, "a", S(1)), S(1) + 2 * S(1) / 5);

	guard_set_rate(&g, 5, S(1));
	assert_int_equal(turn(&other, "a", S(1)), S(1) + 2 * S(1) / 5);
	guard_set_rate(&g, 10, S(1));
	assert_int_equal(turn(&other, "a", S(1)), S(1) + 1 * S(1) / 10);
	assert_int_equal(turn(&one, "a", S(1)), S(1) + 2 * S(1) / 10);
	assert_int_equal(turn(&third, "a", S(1)), S(1) + 3 * S(1) / 10);
}

/* The next comes when its turn is, and then has one no more. */
static void a_turn_that_is_not_taken_is_no_hindrance(void **state)
{
	(void)state;
	struct guard_network gone = {0}, next = {0}, late = {0};
	start();
	for (int i = 0; i < GUARD_BURST; i++) {
		struct guard_network n = {0};
		attempt(&n, "a", S(1));
	}

	assert_int_equal(turn(&gone, "a", S(1)), S(1) + 1 * S(1) / 5);
	assert_int_equal(turn(&next, "a", S(1)), S(1) + 2 * S(1) / 5);
	attempt(&next, "a", S(1) + 2 * S(1) / 5);

	assert_int_equal(next.turn_ns, 0);
	assert_int_equal(when(&late, "a", S(1) + 2 * S(1) / 5), S(1) + 2 * S(1) / 5);
	assert_int_equal(when(&gone, "a", S(2)), S(2));
}

static void it_tells_which_rule_makes_a_network_wait(void **state)
{
	(void)state;
	struct guard_network n = {0}, other = {0};
	start();

	attempt(&n, "a", S(1));
	assert_string_equal(guard_why(&g, &n, STR("a"), S(1)), "a network is dialled once in 2 s");
	for (int i = 1; i < GUARD_ATTEMPTS; i++)
		attempt(&n, "a", S(1));
	assert_string_equal(
		guard_why(&g, &n, STR("b"), S(1)), "it was dialled 10 times in 10 minutes in vain");
	assert_string_equal(
		guard_why(&g, &other, STR("a"), S(1)), "dial_rate: the host was dialled too often");
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

/* n networks of scripts dial host at that time, each once. */
static void attempts_of_made(unsigned n, const char *host, int64_t now_ns)
{
	for (unsigned i = 0; i < n; i++) {
		struct guard_network made = {.is_made = true};
		attempt(&made, host, now_ns);
	}
}

static void networks_of_scripts_have_ten_attempts_at_a_host_together(void **state)
{
	(void)state;
	struct guard_network made = {.is_made = true}, other = {0};
	start();

	for (int i = 0; i < 10; i++)
		attempts_of_made(1, i % 2 ? "a." : "A", S(100 + i));

	assert_int_equal(when(&made, "a", S(200)), S(700));
	assert_int_equal(when(&made, "b", S(200)), S(200));
	assert_int_equal(when(&other, "a", S(200)), S(200));
	attempt(&other, "b", S(300)); /* hosts whose bucket is full are looked through */
	assert_int_equal(when(&made, "a", S(400)), S(700));
	guard_success(&g, &made, STR("a"));
	assert_int_equal(when(&made, "a", S(400)), S(400));
}

static void networks_of_scripts_count_as_one_host(void **state)
{
	(void)state;
	struct guard_network made = {.is_made = true}, other = {0};
	start();

	for (int i = 0; i < GUARD_BURST; i++)
		attempts_of_made(1, (char[]){(char)('a' + i), '\0'}, S(1));

	assert_int_equal(when(&made, "x", S(1)), S(1) + NS_PER_S / 5);
	assert_int_equal(when(&other, "x", S(1)), S(1));
	guard_set_rate(&g, 0.1, S(1));
	assert_int_equal(when(&made, "x", S(1)), S(11));
}

static void a_network_made_anew_waits_for_the_pause_of_the_one_before(void **state)
{
	(void)state;
	struct guard_network gone = {.is_made = true}, anew = {.is_made = true}, other = {0};
	start();

	attempt(&gone, "a", S(1));
	guard_success(&g, &gone, STR("a"));
	guard_gone(&g, &gone, STR("a"), S(2));

	assert_int_equal(when(&anew, "a", S(2)), S(3));
	assert_int_equal(when(&anew, "b", S(2)), S(2));
	assert_int_equal(when(&other, "a", S(2)), S(2));
	assert_int_equal(when(&anew, "a", S(4)), S(4));
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
	check_rows(&c, same_rows, a_host_is_known_by_its_name);
	check_test(&c, many_networks_of_a_host_come_at_its_pace);
	check_test(&c, what_a_network_may_holds_over_all_its_hosts);
	check_test(&c, who_waits_for_a_host_has_a_turn);
	check_test(&c, a_turn_is_kept_however_often_one_asks);
	check_test(&c, a_turn_that_is_not_taken_is_no_hindrance);
	check_test(&c, it_tells_which_rule_makes_a_network_wait);
	check_test(&c, a_host_has_another_rate_at_once);
	check_test(&c, networks_of_scripts_have_ten_attempts_at_a_host_together);
	check_test(&c, networks_of_scripts_count_as_one_host);
	check_test(&c, a_network_made_anew_waits_for_the_pause_of_the_one_before);
	check_test(&c, hosts_are_forgotten_when_full);
	check_test(&c, hosts_are_bounded);
	return check_run(&c, "guard");
}
