#include "irc/sts.h"

#include "base/clock.h"
#include "support/check.h"

#include <stdio.h>
#include <string.h>

#define S(n) ((n)*NS_PER_S)
#define MAX  STS_DURATION_MAX_S

static const struct parse_row {
	const char *name;
	const char *value;
	uint16_t port;
	int64_t seconds; /* -1: none */
} parse_rows[] = {
	{"parse: both keys",                   "port=6697,duration=60",             6697,  60 },
	{"parse: in the other order",          "duration=60,port=6697",             6697,  60 },
	{"parse: a port alone",                "port=6697",                         6697,  -1 },
	{"parse: a duration alone",            "duration=60",                       0,     60 },
	{"parse: a duration of 0",             "duration=0",                        0,     0  },
	{"parse: unknown keys",                "a,port=1,preload,b=c=d,duration=2", 1,     2  },
	{"parse: nothing between commas",      ",,port=1,,",                        1,     -1 },
	{"parse: the highest port",            "port=65535",                        65535, -1 },
	{"parse: the last of several",         "port=1,port=2",                     2,     -1 },
	{"parse: the last, senseless",         "port=1,port=x,duration=1",          0,     1  },
	{"parse: the longest duration",        "duration=315360000",                0,     MAX},
	{"parse: a longer one",                "duration=315360001",                0,     MAX},
	{"parse: one over int64 seconds",      "duration=99999999999999999999999",  0,     MAX},
	{"parse: a bad port leaves the other", "port=0,duration=5",                 0,     5  },
	{"parse: a bad duration likewise",     "port=5,duration=-1",                5,     -1 },
	{"parse: keys are in small letters",   "PORT=1,duration=1",                 0,     1  },
	{"parse: refused: nothing",            "",                                  0,     -1 },
	{"parse: refused: port 0",             "port=0",                            0,     -1 },
	{"parse: refused: port 65536",         "port=65536",                        0,     -1 },
	{"parse: refused: port 4294968000",    "port=4294968000",                   0,     -1 },
	{"parse: refused: a negative port",    "port=-1",                           0,     -1 },
	{"parse: refused: a port in words",    "port=ircs",                         0,     -1 },
	{"parse: refused: a port with a unit", "port=6697x",                        0,     -1 },
	{"parse: refused: a port with a plus", "port=+6697",                        0,     -1 },
	{"parse: refused: an empty port",      "port=",                             0,     -1 },
	{"parse: refused: no value",           "port,duration",                     0,     -1 },
	{"parse: refused: below 0",            "duration=-60",                      0,     -1 },
	{"parse: refused: a minus zero",       "duration=-0",                       0,     -1 },
	{"parse: refused: a fraction",         "duration=1.5",                      0,     -1 },
	{"parse: refused: a space",            "duration= 60",                      0,     -1 },
	{"parse: refused: an empty duration",  "duration=",                         0,     -1 },
	{"parse: refused: unknown keys only",  "preload,x=y",                       0,     -1 },
};

static void sts_parses(void **state)
{
	const struct parse_row *row = *state;
	struct sts_value v;

	bool is_any = sts_parse(str_of(row->value), &v);

	assert_int_equal(v.port, row->port);
	assert_int_equal(v.duration_ns, row->seconds < 0 ? -1 : S(row->seconds));
	assert_int_equal(is_any, row->port || row->seconds >= 0);
}

static void sts_parse_finds_nothing_in_no_value(void **state)
{
	(void)state;
	struct sts_value v;
	assert_false(sts_parse(STR_NONE, &v));
	assert_int_equal(v.port, 0);
	assert_int_equal(v.duration_ns, -1);
}

static void assert_port(const struct sts *s, const char *host, int64_t now_ns, uint16_t port)
{
	assert_true(map_count(&s->policies) <= STS_HOSTS_MAX);
	assert_int_equal(sts_get(s, str_of(host), now_ns), port);
}

static void set(struct sts *s, const char *host, uint16_t port, int64_t duration_ns, int64_t now_ns)
{
	assert_true(sts_set(s, str_of(host), port, duration_ns, now_ns));
}

static void a_policy_holds_for_its_duration(void **state)
{
	(void)state;
	struct sts s = {0};

	set(&s, "irc.example", 6697, S(60), S(1000));

	assert_port(&s, "irc.example", S(1000), 6697);
	assert_port(&s, "irc.example", S(1060) - 1, 6697);
	assert_port(&s, "irc.example", S(1060), 0);
	assert_port(&s, "irc.example", S(900), 6697);
	assert_port(&s, "other.example", S(1000), 0);
	sts_fini(&s);
}

static void a_host_is_the_same_however_it_is_written(void **state)
{
	(void)state;
	struct sts s = {0};

	set(&s, "IRC.Example.", 6697, S(60), 0);

	assert_port(&s, "irc.example", 0, 6697);
	assert_port(&s, "irc.EXAMPLE", 0, 6697);
	assert_port(&s, "irc.example.", 0, 6697);
	assert_port(&s, "irc.example..", 0, 0);
	assert_port(&s, "rc.example", 0, 0);
	assert_int_equal(map_count(&s.policies), 1);
	sts_fini(&s);
}

static void a_policy_is_replaced_by_what_the_server_says_next(void **state)
{
	(void)state;
	struct sts s = {0};
	set(&s, "irc.example", 6697, S(60), S(0));

	set(&s, "irc.example", 7000, S(10), S(5));

	assert_port(&s, "irc.example", S(14), 7000);
	assert_port(&s, "irc.example", S(15), 0);
	sts_fini(&s);
}

static void a_duration_of_zero_ends_a_policy(void **state)
{
	(void)state;
	struct sts s = {0};
	set(&s, "irc.example", 6697, S(60), 0);

	set(&s, "irc.example", 6697, 0, S(1));
	set(&s, "never.example", 6697, 0, S(1));
	sts_touch(&s, STR("irc.example"), S(2));

	assert_port(&s, "irc.example", S(1), 0);
	assert_port(&s, "irc.example", 0, 0);
	assert_int_equal(map_count(&s.policies), 0);
	sts_fini(&s);
}

static void the_end_of_a_connection_sets_the_duration_anew(void **state)
{
	(void)state;
	struct sts s = {0};
	set(&s, "irc.example", 6697, S(60), 0);

	sts_touch(&s, STR("IRC.example"), S(50));
	sts_touch(&s, STR("other.example"), S(50));
	sts_touch(&s, STR_NONE, S(50));

	assert_port(&s, "irc.example", S(110) - 1, 6697);
	assert_port(&s, "irc.example", S(110), 0);
	assert_int_equal(map_count(&s.policies), 1);
	sts_fini(&s);
}

static void a_policy_that_ended_while_connected_holds_again(void **state)
{
	(void)state;
	struct sts s = {0};
	set(&s, "irc.example", 6697, S(60), 0);
	assert_port(&s, "irc.example", S(500), 0);

	sts_touch(&s, STR("irc.example"), S(500));

	assert_port(&s, "irc.example", S(559), 6697);
	sts_fini(&s);
}

static void a_clock_that_was_set_back_shortens_nothing(void **state)
{
	(void)state;
	struct sts s = {0};
	set(&s, "irc.example", 6697, S(60), S(1000));

	sts_touch(&s, STR("irc.example"), S(500));

	assert_port(&s, "irc.example", S(1059), 6697);
	sts_fini(&s);
}

static void times_at_the_edge_do_not_overflow(void **state)
{
	(void)state;
	struct sts s = {0};

	set(&s, "a", 1, INT64_MAX, 0);
	set(&s, "b", 2, S(60), INT64_MAX - 1);
	sts_touch(&s, STR("b"), INT64_MAX);

	assert_port(&s, "a", S(MAX) - 1, 1);
	assert_port(&s, "a", S(MAX), 0);
	assert_port(&s, "b", INT64_MAX - 1, 2);
	assert_port(&s, "a", INT64_MIN, 1);
	sts_fini(&s);
}

static const struct odd_row {
	const char *name, *host;
	uint16_t port;
	int64_t duration_ns;
} odd_rows[] = {
	{"refused: no host",                  "",              6697, S(60)},
	{"refused: a dot",                    ".",             6697, S(60)},
	{"refused: a host with a space",      "irc example",   6697, S(60)},
	{"refused: a host with a line break", "irc\nexample",  6697, S(60)},
	{"refused: a host of other bytes",    "irc.\xc3\xa9x", 6697, S(60)},
	{"refused: port 0",                   "irc.example",   0,    S(60)},
	{"refused: port 0, to end it",        "irc.example",   0,    0    },
	{"refused: a duration below 0",       "irc.example",   6697, -1   },
};

static void sts_refuses(void **state)
{
	const struct odd_row *row = *state;
	struct sts s = {0};
	set(&s, "irc.example", 7000, S(60), 0);

	assert_false(sts_set(&s, str_of(row->host), row->port, row->duration_ns, 0));

	assert_port(&s, "irc.example", 0, 7000);
	assert_int_equal(map_count(&s.policies), 1);
	sts_fini(&s);
}

static void the_length_of_a_host_is_bounded(void **state)
{
	(void)state;
	struct sts s = {0};
	char host[STS_HOST_MAX_BYTES + 2] = "";
	memset(host, 'h', sizeof(host) - 1);

	assert_false(sts_set(&s, str_of(host), 1, S(60), 0));
	assert_port(&s, host, 0, 0);
	host[STS_HOST_MAX_BYTES] = '\0';
	set(&s, host, 1, S(60), 0);

	assert_port(&s, host, 0, 1);
	sts_fini(&s);
}

/* All at their longest, but for the policy that ends first, h500. */
static void fill(struct sts *s)
{
	char host[STS_HOST_MAX_BYTES + 1];
	for (int i = 0; i < STS_HOSTS_MAX; i++) {
		snprintf(host, sizeof(host), i == 500 ? "h%d" : "h%0252d", i);
		set(s, host, 65535, i == 500 ? S(10) : S(MAX), S(2000000000));
	}
}

static void the_policy_that_ends_first_makes_room(void **state)
{
	(void)state;
	struct sts s = {0};
	fill(&s);
	assert_port(&s, "h500", S(2000000001), 65535);

	set(&s, "new.example", 6697, S(60), S(2000000001));

	assert_port(&s, "h500", S(2000000001), 0);
	assert_port(&s, "new.example", S(2000000001), 6697);
	assert_int_equal(map_count(&s.policies), STS_HOSTS_MAX);
	set(&s, "new.example", 6698, S(60), S(2000000001));
	assert_int_equal(map_count(&s.policies), STS_HOSTS_MAX);
	sts_fini(&s);
}

static void assert_written(const struct sts *s, int64_t now_ns, const char *expected)
{
	struct buf b;
	buf_init(&b, STS_TEXT_MAX_BYTES);
	assert_int_equal(sts_write(s, now_ns, &b), 0);
	assert_slice(buf_str(&b), expected);
	buf_fini(&b);
}

static void policies_are_written_as_a_line_each(void **state)
{
	(void)state;
	struct sts s = {0};
	assert_written(&s, 0, "ebb sts 1\n");

	set(&s, "irc.example", 6697, S(60), S(1000));
	set(&s, "B.example", 7000, S(2) + 1, S(1000) + 1);
	set(&s, "over.example", 1, S(1), S(900));

	assert_written(&s, S(1000), "ebb sts 1\nirc.example 6697 60 1060\nb.example 7000 3 1003\n");
	sts_fini(&s);
}

static void what_was_written_is_read_back(void **state)
{
	(void)state;
	static const char text[] = "ebb sts 1\nirc.example 6697 60 1060\n::1 65535 315360000 1\n";
	struct sts s = {0};
	struct err err = {0};

	assert_int_equal(sts_read(&s, str_of(text), &err), 0);

	assert_int_equal(err.code, 0);
	assert_written(&s, 0, text);
	assert_port(&s, "irc.example", S(1060) - 1, 6697);
	assert_port(&s, "irc.example", S(1060), 0);
	sts_touch(&s, STR("irc.example"), S(1030));
	assert_port(&s, "irc.example", S(1090) - 1, 6697);
	sts_fini(&s);
}

static void the_most_policies_survive_being_written(void **state)
{
	(void)state;
	struct sts s = {0}, other = {0};
	struct buf a, b;
	buf_init(&a, STS_TEXT_MAX_BYTES);
	buf_init(&b, STS_TEXT_MAX_BYTES);
	fill(&s);

	assert_int_equal(sts_write(&s, 0, &a), 0);
	assert_int_equal(sts_read(&other, buf_str(&a), NULL), 0);
	assert_int_equal(sts_write(&other, 0, &b), 0);

	assert_int_equal(map_count(&other.policies), STS_HOSTS_MAX);
	assert_true(str_eq(buf_str(&a), buf_str(&b)));
	buf_fini(&a);
	buf_fini(&b);
	sts_fini(&s);
	sts_fini(&other);
}

static void what_does_not_fit_is_not_written_in_part(void **state)
{
	(void)state;
	struct sts s = {0};
	struct buf b;
	buf_init(&b, 30);
	set(&s, "irc.example", 6697, S(60), 0);
	set(&s, "b", 6697, S(60), 0);
	assert_int_equal(buf_add(&b, STR("x")), 0);

	assert_int_equal(sts_write(&s, 0, &b), ERR_LIMIT);

	assert_slice(buf_str(&b), "x");
	buf_fini(&b);
	sts_fini(&s);
}

#define V "ebb sts 1\n"

static const struct read_row {
	const char *name, *text;
	int n_bad;
	const char *why;
	size_t n; /* policies besides */
} read_rows[] = {
	{"read: nothing to read",         V,                                    0, "",                           0},
	{"read: no version",              "a 1 1 1\n",                          1, "line 1: not \"ebb sts 1\"",  0},
	{"read: another version",         "ebb sts 2\na 1 1 1\n",               1, "line 1: not \"ebb sts 1\"",  0},
	{"read: an empty text",           "",                                   1, "line 1: not \"ebb sts 1\"",  0},
	{"read: a version cut short",     "ebb sts 1",                          1, "line 1: not \"ebb sts 1\"",  0},
	{"read: the others are read",     V "a 1 1 9\nb\nc 2 2 9\n\nd 3 3 9\n", 2, "line 3: no port",
         3													},
	{"read: no host",                 V " 1 1 1\n",                         1, "line 2: no host",            0},
	{"read: a host of control bytes", V "a\tb 1 1 1\n",                     1, "line 2: no host",            0},
	{"read: no port",                 V "a\n",                              1, "line 2: no port",            0},
	{"read: port 0",                  V "a 0 1 1\n",                        1, "line 2: no port",            0},
	{"read: port 65536",              V "a 65536 1 1\n",                    1, "line 2: no port",            0},
	{"read: no duration",             V "a 1\n",                            1, "line 2: no duration",        0},
	{"read: a duration of 0",         V "a 1 0 1\n",                        1, "line 2: no duration",        0},
	{"read: a duration too long",     V "a 1 315360001 1\n",                1, "line 2: no duration",        0},
	{"read: no end",                  V "a 1 1\n",                          1, "line 2: no time of its end", 0},
	{"read: an end below 0",          V "a 1 1 -1\n",                       1, "line 2: no time of its end", 0},
	{"read: an end beyond time",      V "a 1 1 9223372037\n",               1, "line 2: no time of its end", 0},
	{"read: the last end of time",    V "a 1 1 9223372036\n",               0, "",                           1},
	{"read: a field more",            V "a 1 1 1 1\n",                      1, "line 2: no time of its end", 0},
	{"read: carriage returns",        V "a 1 1 1\r\n",                      1, "line 2: no time of its end", 0},
	{"read: a last line cut short",   V "a 1 1 9\nb 1 1 18",                1, "line 3: cut short",          1},
	{"read: a host twice",            V "a 1 1 9\nA. 2 1 9\n",              0, "",                           1},
};

static void sts_reads(void **state)
{
	const struct read_row *row = *state;
	struct sts s = {0};
	struct err err = {0};
	set(&s, "irc.example", 6697, S(60), 0);

	assert_int_equal(sts_read(&s, str_of(row->text), &err), row->n_bad);

	assert_string_equal(err.text, row->why);
	assert_int_equal(map_count(&s.policies), row->n + 1);
	assert_port(&s, "irc.example", 0, 6697);
	sts_fini(&s);
}

static void a_text_of_too_many_policies_is_bounded(void **state)
{
	(void)state;
	struct sts s = {0};
	struct buf b;
	buf_init(&b, 1 << 20);
	assert_int_equal(buf_add(&b, STR(V)), 0);
	for (int i = 0; i < 3 * STS_HOSTS_MAX; i++)
		assert_int_equal(buf_addf(&b, "h%d 1 1 %d\n", i, i), 0);

	assert_int_equal(sts_read(&s, buf_str(&b), NULL), 0);

	assert_int_equal(map_count(&s.policies), STS_HOSTS_MAX);
	assert_port(&s, "h2000", 0, 1);
	assert_port(&s, "h1999", 0, 0);
	buf_fini(&b);
	sts_fini(&s);
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, parse_rows, sts_parses);
	check_test(&c, sts_parse_finds_nothing_in_no_value);
	check_test(&c, a_policy_holds_for_its_duration);
	check_test(&c, a_host_is_the_same_however_it_is_written);
	check_test(&c, a_policy_is_replaced_by_what_the_server_says_next);
	check_test(&c, a_duration_of_zero_ends_a_policy);
	check_test(&c, the_end_of_a_connection_sets_the_duration_anew);
	check_test(&c, a_policy_that_ended_while_connected_holds_again);
	check_test(&c, a_clock_that_was_set_back_shortens_nothing);
	check_test(&c, times_at_the_edge_do_not_overflow);
	check_rows(&c, odd_rows, sts_refuses);
	check_test(&c, the_length_of_a_host_is_bounded);
	check_test(&c, the_policy_that_ends_first_makes_room);
	check_test(&c, policies_are_written_as_a_line_each);
	check_test(&c, what_was_written_is_read_back);
	check_test(&c, the_most_policies_survive_being_written);
	check_test(&c, what_does_not_fit_is_not_written_in_part);
	check_rows(&c, read_rows, sts_reads);
	check_test(&c, a_text_of_too_many_policies_is_bounded);
	return check_run(&c, "sts");
}
