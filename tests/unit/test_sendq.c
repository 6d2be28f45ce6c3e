#include "irc/sendq.h"

#include "base/clock.h"
#include "base/err.h"
#include "support/check.h"

#define SECONDS(n) ((n)*NS_PER_S)

/* The queue of the running test. */
static struct sendq queue;

/* A fresh queue with the limits given, and room enough where they say nothing. */
#define fresh(...) fresh_queue((struct sendq_limits){__VA_ARGS__})

static struct sendq *fresh_queue(struct sendq_limits limits)
{
	if (!limits.max_lines)
		limits.max_lines = 1000;
	if (!limits.max_bytes)
		limits.max_bytes = 10000;
	sendq_fini(&queue);
	sendq_init(&queue, &limits);
	return &queue;
}

static void assert_sound(const struct sendq *q)
{
	for (size_t i = 0; i < LANE_COUNT; i++) {
		assert_non_null(q->lanes[i].end);
		assert_null(*q->lanes[i].end);
	}
	assert_int_equal(q->n_lines == 0, q->n_bytes == 0);
	assert_true(q->n_bytes <= q->limits.max_bytes);
	assert_int_equal(sendq_next(q) == -1, q->n_lines == 0);
}

static void push(struct sendq *q, const char *line)
{
	assert_int_equal(sendq_push(q, LANE_NORMAL, str_of(line)), 0);
	assert_sound(q);
}

static void push_first(struct sendq *q, const char *line)
{
	assert_int_equal(sendq_push(q, LANE_FIRST, str_of(line)), 0);
	assert_sound(q);
}

static void send_one(struct sendq *q, int64_t now_ns, const char *expected)
{
	assert_slice(sendq_peek(q, now_ns), expected);
	sendq_drop(q, now_ns);
	assert_sound(q);
}

static void sendq_holds_the_third_line_until_the_clock_allows(void **state)
{
	(void)state;
	struct sendq *q = fresh(.line_ns = SECONDS(2), .burst_ns = SECONDS(2));
	push(q, "one");
	push(q, "two");
	push(q, "three");

	send_one(q, SECONDS(10), "one");
	send_one(q, SECONDS(10), "two");

	assert_slice(sendq_peek(q, SECONDS(12) - 1), NULL);
	assert_int_equal(sendq_next(q), SECONDS(12));
	assert_slice(sendq_peek(q, SECONDS(12)), "three");
}

static void sendq_keeps_the_pace_after_a_burst(void **state)
{
	(void)state;
	struct sendq *q = fresh(.line_ns = SECONDS(2), .burst_ns = SECONDS(4));
	int64_t now_ns = SECONDS(100);
	for (int i = 0; i < 10; i++)
		push(q, "x");

	for (int i = 0; i < 3; i++)
		send_one(q, now_ns, "x");
	for (int i = 0; i < 7; i++) {
		now_ns += SECONDS(2);
		assert_int_equal(sendq_next(q), now_ns);
		assert_slice(sendq_peek(q, now_ns - 1), NULL);
		send_one(q, now_ns, "x");
	}
}

static void sendq_sends_at_most_what_the_limits_say_in_any_window(void **state)
{
	(void)state;
	struct sendq *q = fresh(.line_ns = 700, .burst_ns = 2100);
	int64_t sent_at[500];
	size_t n = 0;
	unsigned seed = 3;
	for (int64_t now_ns = 0; n < COUNTOF(sent_at); now_ns += seed >> 20) {
		seed = seed * 1103515245 + 12345;
		if (q->n_lines < 10)
			push(q, "x");
		if (!sendq_peek(q, now_ns).p)
			continue;
		send_one(q, now_ns, "x");
		sent_at[n++] = now_ns;
	}
	/* four at once, and one more for each 700 ns */
	for (size_t i = 0; i < n; i++)
		for (size_t k = i + 4; k < n; k++)
			assert_true(sent_at[k] - sent_at[i] >= 700 * (int64_t)(k - i - 3));
}

static const struct limit_row {
	const char *name;
	int64_t line_ns, burst_ns; /* after three lines at once, at one in two seconds */
	int64_t next_ns;           /* when the fourth may go, after that */
} limit_rows[] = {
	{"the same pace",                   SECONDS(2),    SECONDS(4),  SECONDS(2)   },
	{"no pace",			 0,             0,           0            },
	{"twice the pace",                  SECONDS(1),    SECONDS(2),  SECONDS(1)   },
	{"half the pace",                   SECONDS(4),    SECONDS(8),  SECONDS(4)   },
	{"a burst no more",                 SECONDS(2),    0,           SECONDS(6)   },
	{"a longer burst",                  SECONDS(2),    SECONDS(20), 0            },
	{"a pace that nobody lives to see", INT64_MAX / 4, 0,           INT64_MAX / 4},
};

static void sendq_takes_other_limits(void **state)
{
	const struct limit_row *row = *state;
	struct sendq *q = fresh(.line_ns = SECONDS(2), .burst_ns = SECONDS(4));
	const int64_t now_ns = SECONDS(100);
	for (int i = 0; i < 4; i++)
		push(q, "x");
	for (int i = 0; i < 3; i++)
		send_one(q, now_ns, "x");

	struct sendq_limits limits = {row->line_ns, row->burst_ns, 1, 10000};
	sendq_limit(q, &limits, now_ns);

	assert_sound(q);
	assert_int_equal(q->n_lines, 1);
	assert_false(sendq_has_room(q, 1, 1));
	if (row->next_ns) {
		assert_int_equal(sendq_next(q), now_ns + row->next_ns);
		assert_slice(sendq_peek(q, now_ns), NULL);
	}
	send_one(q, now_ns + row->next_ns, "x");
}

static void sendq_with_a_pace_begins_with_a_whole_burst(void **state)
{
	(void)state;
	struct sendq *q = fresh(.line_ns = 0);
	for (int i = 0; i < 9; i++)
		push(q, "x");
	for (int i = 0; i < 5; i++)
		send_one(q, SECONDS(100), "x");

	struct sendq_limits limits = {SECONDS(2), SECONDS(4), 10, 10000};
	sendq_limit(q, &limits, SECONDS(100));

	for (int i = 0; i < 3; i++)
		send_one(q, SECONDS(100), "x");
	assert_int_equal(sendq_next(q), SECONDS(102));
}

static void sendq_gains_no_more_than_a_burst_by_silence(void **state)
{
	(void)state;
	struct sendq *q = fresh(.line_ns = SECONDS(2), .burst_ns = SECONDS(2));
	for (int i = 0; i < 3; i++)
		push(q, "x");

	send_one(q, SECONDS(100000), "x");
	send_one(q, SECONDS(100000), "x");

	assert_slice(sendq_peek(q, SECONDS(100000)), NULL);
}

static void sendq_without_a_burst_sends_one_at_a_time(void **state)
{
	(void)state;
	struct sendq *q = fresh(.line_ns = SECONDS(2));
	push(q, "one");
	push(q, "two");

	send_one(q, SECONDS(10), "one");

	assert_slice(sendq_peek(q, SECONDS(12) - 1), NULL);
	send_one(q, SECONDS(12), "two");
}

static void sendq_without_a_pace_sends_all(void **state)
{
	(void)state;
	struct sendq *q = fresh(.line_ns = 0);
	for (int i = 0; i < 50; i++)
		push(q, "x");
	for (int i = 0; i < 50; i++)
		send_one(q, SECONDS(10), "x");
	push(q, "y");
	assert_slice(sendq_peek(q, 0), "y");
}

static void sendq_sends_at_the_start_of_time(void **state)
{
	(void)state;
	struct sendq *q = fresh(.line_ns = SECONDS(2), .burst_ns = SECONDS(2));
	assert_int_equal(sendq_next(q), -1);
	push(q, "one");
	assert_int_equal(sendq_next(q), 0);
	send_one(q, 0, "one");
	assert_int_equal(sendq_next(q), -1);
}

static void sendq_lets_the_first_lane_go_first(void **state)
{
	(void)state;
	struct sendq *q = fresh(.line_ns = 0);
	push(q, "one");
	push(q, "two");
	push_first(q, "QUIT");
	push_first(q, "QUIT again");
	push(q, "three");

	send_one(q, 0, "QUIT");
	send_one(q, 0, "QUIT again");
	send_one(q, 0, "one");
	push_first(q, "late");
	send_one(q, 0, "late");
	send_one(q, 0, "two");
	send_one(q, 0, "three");
	assert_slice(sendq_peek(q, 0), NULL);
}

static void sendq_paces_the_first_lane_as_well(void **state)
{
	(void)state;
	struct sendq *q = fresh(.line_ns = SECONDS(2));
	push(q, "one");
	send_one(q, SECONDS(10), "one");
	push_first(q, "QUIT");
	assert_slice(sendq_peek(q, SECONDS(11)), NULL);
	assert_slice(sendq_peek(q, SECONDS(12)), "QUIT");
}

static void sendq_can_be_filled_again_after_it_was_empty(void **state)
{
	(void)state;
	struct sendq *q = fresh(.line_ns = 0);
	for (int i = 0; i < 3; i++) {
		push(q, "one");
		send_one(q, 0, "one");
		assert_slice(sendq_peek(q, 0), NULL);
	}
	assert_int_equal(q->n_bytes, 0);
}

static void sendq_keeps_the_pace_when_it_is_cleared(void **state)
{
	(void)state;
	struct sendq *q = fresh(.line_ns = SECONDS(2));
	push(q, "one");
	push(q, "two");
	push_first(q, "QUIT");
	send_one(q, SECONDS(10), "QUIT");

	sendq_clear(q);
	assert_sound(q);
	assert_slice(sendq_peek(q, SECONDS(100)), NULL);

	push(q, "three");
	assert_slice(sendq_peek(q, SECONDS(11)), NULL);
	send_one(q, SECONDS(12), "three");
}

static void sendq_copies_its_lines(void **state)
{
	(void)state;
	struct sendq *q = fresh(.line_ns = 0);
	char line[] = "one";
	push(q, line);
	line[0] = 'X';
	assert_slice(sendq_peek(q, 0), "one");
}

static const struct refused_row {
	const char *name;
	struct str line;
} refused_rows[] = {
	{"refused: an empty line",    {"", 0}             },
	{"refused: an absent line",   {NULL, 0}           },
	{"refused: CR LF at the end", {"PING x\r\n", 8}   },
	{"refused: an LF within",     {"PING x\nQUIT", 11}},
	{"refused: a CR within",      {"PING x\rQUIT", 11}},
	{"refused: a NUL",            {"PING x\0y", 8}    },
	{"refused: a NUL at the end", {"PING x", 7}       },
};

static void sendq_refuses(void **state)
{
	const struct refused_row *row = *state;
	struct sendq *q = fresh(.line_ns = 0);
	assert_int_equal(sendq_push(q, LANE_NORMAL, row->line), ERR_INVALID);
	assert_sound(q);
	assert_slice(sendq_peek(q, 0), NULL);
}

static void sendq_refuses_what_passes_its_bytes(void **state)
{
	(void)state;
	struct sendq *q = fresh(.max_bytes = 8);
	push(q, "12345");

	assert_int_equal(sendq_push(q, LANE_NORMAL, STR("6789")), ERR_LIMIT);
	assert_int_equal(sendq_push(q, LANE_FIRST, STR("6789")), ERR_LIMIT);
	assert_sound(q);
	push(q, "678");

	send_one(q, 0, "12345");
	send_one(q, 0, "678");
	assert_slice(sendq_peek(q, 0), NULL);
}

static const struct room_row {
	const char *name;
	int n_waiting; /* of three bytes each; at most 4 lines and 20 bytes fit */
	size_t n, n_bytes;
	bool has_room;
} room_rows[] = {
	{"room: for one",                      1, 1,        3,        true },
	{"room: for the last line",            3, 1,        3,        true },
	{"room: for one line too many",        3, 2,        6,        false},
	{"room: when full",                    4, 1,        3,        false},
	{"room: when full, for nothing",       4, 0,        0,        true },
	{"room: for the last byte",            1, 1,        17,       true },
	{"room: for one byte too many",        1, 1,        18,       false},
	{"room: when empty, any lines",        0, 10,       20,       true },
	{"room: when empty, not any bytes",    0, 10,       21,       false},
	{"room: for more lines than can be",   1, SIZE_MAX, 3,        false},
	{"room: for more bytes than can be",   1, 1,        SIZE_MAX, false},
	{"room: when over, after a long text", 6, 1,        1,        false},
};

static void sendq_tells_whether_there_is(void **state)
{
	const struct room_row *row = *state;
	struct sendq *q = fresh(.max_lines = 4, .max_bytes = 20);
	for (int i = 0; i < row->n_waiting; i++)
		push(q, "abc");
	assert_int_equal(sendq_has_room(q, row->n, row->n_bytes), row->has_room);
}

static void sendq_fini_takes_what_was_never_set_up(void **state)
{
	(void)state;
	struct sendq zeroed = {0};
	sendq_fini(&zeroed);
	sendq_fini(NULL);
	sendq_fini(&queue);
	sendq_fini(&queue);
}

static void sendq_lets_a_line_pass_an_empty_queue_at_its_pace(void **state)
{
	(void)state;
	struct sendq *q = fresh(.line_ns = SECONDS(2), .burst_ns = SECONDS(2));

	assert_true(sendq_pass(q, SECONDS(10)));
	assert_true(sendq_pass(q, SECONDS(10)));
	assert_false(sendq_pass(q, SECONDS(12) - 1));
	push(q, "one");
	assert_false(sendq_pass(q, SECONDS(12)));
	assert_false(sendq_is_past(q, 3));
	send_one(q, SECONDS(12), "one");
	assert_true(sendq_is_past(q, 3));
	assert_true(sendq_pass(q, SECONDS(14)));
	assert_int_equal(q->pushed, 4);
}

int main(void)
{
	struct check c = {0};
	check_test(&c, sendq_holds_the_third_line_until_the_clock_allows);
	check_test(&c, sendq_keeps_the_pace_after_a_burst);
	check_test(&c, sendq_sends_at_most_what_the_limits_say_in_any_window);
	check_test(&c, sendq_gains_no_more_than_a_burst_by_silence);
	check_rows(&c, limit_rows, sendq_takes_other_limits);
	check_test(&c, sendq_with_a_pace_begins_with_a_whole_burst);
	check_test(&c, sendq_without_a_burst_sends_one_at_a_time);
	check_test(&c, sendq_without_a_pace_sends_all);
	check_test(&c, sendq_sends_at_the_start_of_time);
	check_test(&c, sendq_lets_the_first_lane_go_first);
	check_test(&c, sendq_paces_the_first_lane_as_well);
	check_test(&c, sendq_can_be_filled_again_after_it_was_empty);
	check_test(&c, sendq_keeps_the_pace_when_it_is_cleared);
	check_test(&c, sendq_copies_its_lines);
	check_rows(&c, refused_rows, sendq_refuses);
	check_test(&c, sendq_refuses_what_passes_its_bytes);
	check_rows(&c, room_rows, sendq_tells_whether_there_is);
	check_test(&c, sendq_lets_a_line_pass_an_empty_queue_at_its_pace);
	check_test(&c, sendq_fini_takes_what_was_never_set_up);
	return check_run(&c, "sendq");
}
