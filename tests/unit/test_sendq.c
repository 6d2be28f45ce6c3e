#include "irc/sendq.h"

#include "base/clock.h"
#include "base/err.h"
#include "support/check.h"

#include <stdio.h>

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

struct told {
	size_t n, n_bytes, n_next;
	struct str next;
};

static void tell(void *data, const struct sendq_wait *w)
{
	struct told *t = data;
	t->n++;
	t->n_bytes += w->line.n;
	assert_int_equal(w->next_ns >= 0, w->why == SENDQ_PACE);
	if (w->why == SENDQ_PACE) {
		t->n_next++;
		t->next = w->line;
	}
}

static void assert_sound(const struct sendq *q)
{
	struct told t = {.next = STR_NONE};
	sendq_each(q, 0, tell, &t);
	assert_int_equal(t.n, q->n_lines);
	assert_int_equal(t.n_bytes, q->n_bytes);
	assert_int_equal(t.n_next, q->n_lines > 0);
	assert_ptr_equal(sendq_peek(q, INT64_MAX).p, t.next.p);
	assert_true(q->n_bytes <= q->limits.max_bytes);
	assert_int_equal(sendq_next(q) == -1, q->n_lines == 0);
	assert_true(sendq_is_past(q, q->pushed) == (q->n_lines == 0));
	if (q->n_lines == 0)
		assert_int_equal(map_count(&q->targets), 0);
}

static void push_to(struct sendq *q, enum lane lane, const char *line, const char *targets)
{
	assert_int_equal(sendq_push(q, lane, str_of(line), str_of(targets), 0), 0);
	assert_sound(q);
}

static void push(struct sendq *q, const char *line)
{
	push_to(q, LANE_NORMAL, line, NULL);
}

static void push_first(struct sendq *q, const char *line)
{
	push_to(q, LANE_FIRST, line, NULL);
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

static void sendq_numbers_lines_as_they_were_pushed(void **state)
{
	(void)state;
	struct sendq *q = fresh(.line_ns = 0);
	push(q, "zero");
	push_to(q, LANE_NORMAL, "one", "#a");
	push_to(q, LANE_NORMAL, "two", "#a");
	push_first(q, "three");
	static const uint64_t numbers[] = {3, 0, 1, 2};

	for (size_t i = 0; i < COUNTOF(numbers); i++) {
		assert_true(sendq_peek(q, 0).p);
		assert_int_equal(sendq_peek_number(q), numbers[i]);
		sendq_drop(q, 0);
	}
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
	assert_int_equal(sendq_push(q, LANE_NORMAL, row->line, STR("#a"), 0), ERR_INVALID);
	assert_sound(q);
	assert_slice(sendq_peek(q, 0), NULL);
}

static void sendq_refuses_what_passes_its_bytes(void **state)
{
	(void)state;
	struct sendq *q = fresh(.max_bytes = 8);
	push(q, "12345");

	assert_int_equal(sendq_push(q, LANE_NORMAL, STR("6789"), STR("#a"), 0), ERR_LIMIT);
	assert_int_equal(sendq_push(q, LANE_FIRST, STR("6789"), STR_NONE, 0), ERR_LIMIT);
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

/*
 * Queues as words: "+ab1" pushes a line about the targets a and b, "+1" one about nobody, "u1" an
 * urgent one, "f1" one of the first lane; "-ab1" is the line that goes next. Nothing waits at the
 * end.
 */
static const struct turn_row {
	const char *name, *script;
} turn_rows[] = {
	{"turns: of two targets",					"+a1 +a2 +a3 +b1 +b2 -a1 -b1 -a2 -b2 -a3"              },
	{"turns: of three, as they began",                               "+b1 +a1 +c1 +c2 +a2 +b2 -b1 -a1 -c1 -b2 -a2 -c2"      },
	{"turns: lines about nobody share one",                          "+1 +2 +3 +a1 +b1 +a2 -1 -a1 -b1 -2 -a2 -3"            },
	{"turns: a newcomer before who had one",                         "+a1 +a2 +a3 -a1 +b1 -b1 -a2 -a3"                      },
	{"turns: newcomers before who had one",                          "+a1 +a2 +a3 -a1 -a2 +c1 +b1 +d1 -c1 -b1 -d1 -a3"      },
	{"turns: a newcomer's second line waits",
         "+a1 +a2 +a3 -a1 +b1 +b2 +b3 -b1 -a2 -b2 -a3 -b3"								      },
	{"turns: newcomers one by one do not stop who waits",
         "+a1 +a2 +a3 +a4 -a1 +b1 -b1 +c1 -a2 +d1 -c1 +e1 -d1 -a3 -e1 -a4"                                                      },
	{"turns: newcomers while others go come after one of who waits",
         "+a1 +a2 +a3 -a1 +b1 +c1 -b1 +d1 +e1 -c1 -a2 -d1 -e1 -a3"                                                              },
	{"turns: one line at a time gains nothing",
         "+a1 +a2 +a3 +a4 -a1 +b1 -b1 +b2 -a2 -b2 +b3 -a3 -b3 +b4 -a4 -b4"                                                      },
	{"turns: many who had one go before who has just had one",
         "+a1 +a2 +b1 +b2 +c1 +c2 -a1 -b1 -c1 +d1 -d1 +d2 -a2 -b2 -c2 -d2"                                                      },
	{"turns: who was quiet for a round is a newcomer again",
         "+a1 +a2 +a3 +a4 -a1 +b1 -b1 -a2 +b2 -b2 -a3 -a4"								      },
	{"turns: an empty queue forgets",                                "+a1 -a1 +b1 +a2 -b1 -a2"                              },
	{"order: of one target",					 "+a1 +a2 +a3 -a1 -a2 -a3"                              },
	{"order: two targets in one line, then each",                    "+ab1 +a1 +b1 -ab1 -a1 -b1"                            },
	{"order: each, then two targets in one line",                    "+a1 +b1 +ab1 -a1 -b1 -ab1"                            },
	{"order: a line of two waits for both",                          "+a1 +a2 +ab1 +b1 -a1 -a2 -ab1 -b1"                    },
	{"order: others go while it waits",
         "+a1 +a2 +a3 +ab1 +b1 +c1 +c2 +c3 -a1 -c1 -a2 -c2 -a3 -ab1 -c3 -b1"                                                    },
	{"order: a turn that was given away comes back first",
         "+a1 +a2 +ab1 +c1 +c2 +c3 +d1 +d2 -a1 -c1 -d1 -a2 -ab1 -c2 -d2 -c3"                                                    },
	{"order: lines of two in a chain",                               "+ab1 +bc1 +cd1 +da1 -ab1 -bc1 -cd1 -da1"              },
	{"order: lines of two in a ring",                                "+a1 +ab1 +bc1 +ca1 +c1 +b1 -a1 -ab1 -bc1 -ca1 -b1 -c1"},
	{"order: a line uses up the turns of all its targets",
         "+abc1 +a1 +b1 +c1 +d1 +d2 +d3 -abc1 -d1 -a1 -b1 -c1 -d2 -d3"                                                          },
	{"order: a target that is named twice",                          "+aa1 +aba1 +a1 -aa1 -aba1 -a1"                        },
	{"lanes: urgent lines first, in their order",
         "+a1 u1 u2 f1 +b1 -f1 -u1 u3 -u2 -u3 -a1 -b1"									  },
	{"lanes: nobody's turn is lost to urgent lines",
         "+a1 +a2 +b1 +b2 -a1 u1 -u1 -b1 u2 -u2 -a2 -b2"									},
};

/* "ab1": the targets a and b. */
static const char *targets_of(const char *name, char *out)
{
	size_t n = 0;
	for (; *name >= 'a' && *name <= 'z'; name++) {
		out[n++] = *name;
		out[n++] = ',';
	}
	out[n] = '\0';
	return n ? out : NULL;
}

static void step(struct sendq *q, const char *word)
{
	char targets[32];
	if (word[0] == '-')
		send_one(q, 0, word + 1);
	else if (word[0] == '+')
		push_to(q, LANE_NORMAL, word + 1, targets_of(word + 1, targets));
	else
		push_to(q, word[0] == 'u' ? LANE_URGENT : LANE_FIRST, word, "a,b");
}

static void sendq_keeps(void **state)
{
	const struct turn_row *row = *state;
	struct sendq *q = fresh(.line_ns = 0);
	struct str rest = str_of(row->script), word;
	while ((word = str_word(&rest, " ")).p) {
		char copy[32] = "";
		assert_true(word.n < sizeof(copy));
		memcpy(copy, word.p, word.n);
		step(q, copy);
	}
	assert_int_equal(q->n_lines, 0);
}

/* When the next line that begins with `name` goes, the queue being asked at each of its deadlines.
 */
static int64_t sent_at(struct sendq *q, int64_t now_ns, char name)
{
	for (;;) {
		int64_t next_ns = sendq_next(q);
		now_ns = next_ns > now_ns ? next_ns : now_ns;
		struct str line = sendq_peek(q, now_ns);
		assert_non_null(line.p);
		bool is_it = line.p[0] == name;
		sendq_drop(q, now_ns);
		assert_sound(q);
		if (is_it)
			return now_ns;
	}
}

static void sendq_with_two_hundred_lines_for_one_sends_a_line_for_another_in_two_line_times(
	void **state)
{
	(void)state;
	struct sendq *q = fresh(.line_ns = SECONDS(2), .burst_ns = SECONDS(8));
	int64_t now_ns = SECONDS(100);
	for (int i = 0; i < 200; i++)
		push_to(q, LANE_NORMAL, "a", "#a");
	for (int i = 0; i < 5; i++)
		send_one(q, now_ns, "a");

	for (const char *c = "bcdefghij"; *c; c++) {
		char line[] = {*c, '\0'}, target[] = {'#', *c, '\0'};
		now_ns += SECONDS(1) / 2; /* at any time between two lines */
		push_to(q, LANE_NORMAL, line, target);
		int64_t at_ns = sent_at(q, now_ns, *c);
		assert_true(at_ns <= now_ns + 2 * SECONDS(2));
		now_ns = at_ns;
	}
	assert_true(q->n_lines >= 200 - 5 - 9);
}

static void sendq_sends_a_line_for_each_of_nine_before_the_rest_of_two_hundred(void **state)
{
	(void)state;
	struct sendq *q = fresh(.line_ns = SECONDS(2), .burst_ns = SECONDS(8));
	for (int i = 0; i < 200; i++)
		push_to(q, LANE_NORMAL, "a", "#a");
	for (int i = 0; i < 5; i++)
		send_one(q, SECONDS(100), "a");
	for (const char *c = "bcdefghij"; *c; c++) {
		char line[] = {*c, '\0'}, target[] = {'#', *c, '\0'};
		push_to(q, LANE_NORMAL, line, target);
	}

	int64_t now_ns = SECONDS(100);
	for (const char *c = "bcdefghij"; *c; c++) {
		char line[] = {*c, '\0'};
		now_ns += SECONDS(2);
		send_one(q, now_ns, line);
	}
	send_one(q, now_ns + SECONDS(2), "a");
}

/* How many of 600 lines are about #a, for which 600 wait, while a line for somebody new comes with
 * every n-th that goes. */
static int sent_among_newcomers(int n)
{
	struct sendq *q = fresh(.line_ns = 0);
	int n_sent = 0;
	for (int i = 0; i < 600; i++)
		push_to(q, LANE_NORMAL, "a", "#a");
	for (int i = 0; i < 600; i++) {
		char nick[16];
		snprintf(nick, sizeof(nick), "nick%d", i);
		if (i % n == 0)
			push_to(q, LANE_NORMAL, "b", nick);
		n_sent += sendq_peek(q, 0).p[0] == 'a';
		sendq_drop(q, 0);
	}
	assert_sound(q);
	return n_sent;
}

static void sendq_goes_on_with_who_waits_whatever_newcomers_there_are(void **state)
{
	(void)state;
	assert_int_equal(sent_among_newcomers(3), 400);
	assert_int_equal(sent_among_newcomers(2), 300);
	assert_in_range(sent_among_newcomers(1), 30, 300);
}

static void sendq_remembers_only_so_many_targets(void **state)
{
	(void)state;
	struct sendq *q = fresh(.line_ns = 0, .max_bytes = 100000);
	for (int i = 0; i < 3; i++)
		push_to(q, LANE_NORMAL, "a", "#a");
	for (int i = 0; i < 2000; i++) {
		char nick[16];
		snprintf(nick, sizeof(nick), "nick%d", i);
		assert_int_equal(sendq_push(q, LANE_NORMAL, STR("b"), str_of(nick), 0), 0);
	}
	while (q->n_lines > 3) {
		sendq_drop(q, 0);
		assert_true(map_count(&q->targets) <= q->n_lines + 256);
	}
	assert_sound(q);
}

static void sendq_takes_a_line_about_hundreds(void **state)
{
	(void)state;
	struct sendq *q = fresh(.line_ns = 0);
	struct buf all;
	buf_init(&all, 10000);
	for (int i = 0; i < 500; i++)
		assert_int_equal(buf_addf(&all, "%s#%d", i ? "," : "", i), 0);

	push_to(q, LANE_NORMAL, "one", "#499");
	push_to(q, LANE_NORMAL, "all", buf_str(&all).p);
	push_to(q, LANE_NORMAL, "two", "#250");

	send_one(q, 0, "one");
	send_one(q, 0, "all");
	send_one(q, 0, "two");
	buf_fini(&all);
}

static void sendq_lets_nothing_between_bound_lines(void **state)
{
	(void)state;
	struct sendq *q = fresh(.line_ns = 0);
	push_to(q, LANE_NORMAL, "b1", "b");
	push_to(q, LANE_NORMAL, "a1", "a");
	sendq_bind(q);
	push_to(q, LANE_NORMAL, "a2", "a");
	sendq_bind(q);
	push_to(q, LANE_NORMAL, "a3", "a");
	push_to(q, LANE_NORMAL, "a4", "a");

	send_one(q, 0, "b1");
	send_one(q, 0, "a1");
	push_to(q, LANE_URGENT, "urgent", NULL);
	push_to(q, LANE_NORMAL, "c1", "c");
	send_one(q, 0, "a2");
	send_one(q, 0, "a3");
	send_one(q, 0, "urgent");
	send_one(q, 0, "c1");
	send_one(q, 0, "a4");
}

static void sendq_forgets_what_was_bound_when_it_is_cleared(void **state)
{
	(void)state;
	struct sendq *q = fresh(.line_ns = 0);
	push_to(q, LANE_NORMAL, "a1", "a");
	sendq_bind(q);
	push_to(q, LANE_NORMAL, "a2", "a");
	send_one(q, 0, "a1");

	sendq_clear(q);

	push(q, "x");
	send_one(q, 0, "x");
}

static void sendq_ignores_empty_names(void **state)
{
	(void)state;
	struct sendq *q = fresh(.line_ns = 0);
	push_to(q, LANE_NORMAL, "one", "");
	push_to(q, LANE_NORMAL, "two", ",,");
	push_to(q, LANE_NORMAL, "three", ",a,");
	push_to(q, LANE_NORMAL, "four", "a");
	send_one(q, 0, "one");
	send_one(q, 0, "three");
	send_one(q, 0, "two");
	send_one(q, 0, "four");
}

static void sendq_is_past_a_count_only_when_all_before_it_went(void **state)
{
	(void)state;
	struct sendq *q = fresh(.line_ns = 0);
	push_to(q, LANE_NORMAL, "a1", "a");
	push_to(q, LANE_NORMAL, "a2", "a");
	push_to(q, LANE_NORMAL, "b1", "b");
	uint64_t pushed = q->pushed;
	push_to(q, LANE_URGENT, "u", NULL);

	send_one(q, 0, "u");
	send_one(q, 0, "a1");
	assert_true(sendq_is_past(q, 1));
	send_one(q, 0, "b1");
	assert_false(sendq_is_past(q, 2));
	push_to(q, LANE_NORMAL, "b2", "b");
	assert_false(sendq_is_past(q, pushed));
	send_one(q, 0, "a2");
	assert_true(sendq_is_past(q, pushed));
	assert_false(sendq_is_past(q, q->pushed));
	send_one(q, 0, "b2");
	assert_true(sendq_is_past(q, q->pushed));
}

static void describe(void *data, const struct sendq_wait *w)
{
	assert_int_equal(
		buf_addf(data, "%" STR_F " lane %d %s waited %d next %d\n", STR_A(w->line),
			(int)w->lane, sendq_why_name(w->why), (int)(w->waited_ns / NS_PER_S),
			w->next_ns < 0 ? -1 : (int)(w->next_ns / NS_PER_S)),
		0);
}

static void sendq_tells_why_each_line_waits(void **state)
{
	static const struct {
		enum lane lane;
		struct str line, targets;
	} lines[] = {
		{LANE_NORMAL, STR_CONST("a1"), STR_CONST("a")  },
		{LANE_NORMAL, STR_CONST("a2"), STR_CONST("a")  },
		{LANE_NORMAL, STR_CONST("ab"), STR_CONST("a,b")},
		{LANE_NORMAL, STR_CONST("c1"), STR_CONST("c")  },
		{LANE_URGENT, STR_CONST("u1"), {NULL, 0}       },
		{LANE_URGENT, STR_CONST("u2"), {NULL, 0}       },
	};
	(void)state;
	struct sendq *q = fresh(.line_ns = SECONDS(2));
	struct buf b;
	buf_init(&b, 1000);
	assert_true(sendq_pass(q, SECONDS(10)));
	for (size_t i = 0; i < COUNTOF(lines); i++)
		assert_int_equal(sendq_push(q, lines[i].lane, lines[i].line, lines[i].targets,
					 SECONDS(10) + SECONDS((int64_t)i)),
			0);

	sendq_each(q, SECONDS(17), describe, &b);
	assert_slice(buf_str(&b), "a1 lane 2 turn waited 7 next -1\n"
				  "a2 lane 2 order waited 6 next -1\n"
				  "ab lane 2 order waited 5 next -1\n"
				  "c1 lane 2 turn waited 4 next -1\n"
				  "u1 lane 1 pace waited 3 next 12\n"
				  "u2 lane 1 order waited 2 next -1\n");
	buf_reset(&b);
	send_one(q, SECONDS(20), "u1");
	send_one(q, SECONDS(22), "u2");
	send_one(q, SECONDS(24), "a1");
	sendq_each(q, SECONDS(25), describe, &b);
	assert_slice(buf_str(&b), "a2 lane 2 turn waited 14 next -1\n"
				  "ab lane 2 order waited 13 next -1\n"
				  "c1 lane 2 pace waited 12 next 26\n");
	buf_fini(&b);
}

/* What waits, kept in the plainest way: an array in the order of the pushes. */
enum { MODEL_TARGETS = 12, MODEL_MAX = 64 };

struct model {
	struct model_line {
		unsigned targets; /* a bit each; none: about nobody */
		enum lane lane;
		uint64_t number;
		int n_passed; /* lines that went since it was the first of its targets */
	} lines[MODEL_MAX];
	size_t n;
};

static bool shares(const struct model_line *a, const struct model_line *b)
{
	if (a->lane != b->lane)
		return false;
	return a->lane != LANE_NORMAL || a->targets & b->targets || a->targets == b->targets;
}

static bool is_first(const struct model *m, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (shares(&m->lines[i], &m->lines[at]))
			return false;
	return true;
}

static unsigned draw(unsigned *seed)
{
	*seed = *seed * 1103515245 + 12345;
	return *seed >> 16;
}

static void model_push(struct model *m, struct sendq *q, unsigned *seed)
{
	struct model_line *l = &m->lines[m->n++];
	char line[32], targets[64] = "";
	*l = (struct model_line){.lane = LANE_NORMAL, .number = q->pushed};
	if (draw(seed) % 16 == 0)
		l->lane = draw(seed) % 2 ? LANE_FIRST : LANE_URGENT;
	for (unsigned n = draw(seed) % 8 ? 1 : draw(seed) % 5; n > 0; n--)
		l->targets |= 1U << draw(seed) % MODEL_TARGETS;
	for (unsigned t = 0, n = 0; t < MODEL_TARGETS; t++)
		if (l->targets & 1U << t)
			n += (unsigned)snprintf(targets + n, sizeof(targets) - n, "%u,", t);
	snprintf(line, sizeof(line), "%d", (int)l->number);
	push_to(q, l->lane, line, targets);
}

static void model_drop(struct model *m, struct sendq *q)
{
	struct str line = sendq_peek(q, 0);
	int64_t number;
	size_t at = 0;
	assert_true(str_int(line, 0, INT64_MAX, &number));
	while (at < m->n && m->lines[at].number != (uint64_t)number)
		at++;
	assert_true(at < m->n && is_first(m, at));
	for (size_t i = 0; i < m->n; i++) {
		assert_true(m->lines[at].lane <= m->lines[i].lane);
		if (m->lines[at].lane == LANE_NORMAL && i != at && is_first(m, i))
			assert_true(++m->lines[i].n_passed <= 2 * (MODEL_TARGETS + 1));
	}
	sendq_drop(q, 0);
	memmove(&m->lines[at], &m->lines[at + 1], (--m->n - at) * sizeof(m->lines[0]));
	uint64_t oldest = m->n ? m->lines[0].number : q->pushed;
	assert_true(sendq_is_past(q, oldest));
	assert_false(sendq_is_past(q, oldest + 1));
	assert_sound(q);
}

static void sendq_keeps_order_and_lets_all_have_turns_whatever_comes(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 40; seed++) {
		unsigned s = seed * 7919;
		struct sendq *q = fresh(.line_ns = 0);
		struct model m = {.n = 0};
		for (int i = 0; i < 1000; i++) {
			bool is_filling = draw(&s) % 100 < (i / 100 % 2 ? 40U : 60U);
			if (is_filling && m.n < MODEL_MAX)
				model_push(&m, q, &s);
			else if (m.n)
				model_drop(&m, q);
		}
		while (m.n)
			model_drop(&m, q);
		assert_int_equal(q->n_lines, 0);
	}
}

static void sendq_drains_targets_evenly(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 40; seed++) {
		unsigned s = seed;
		struct sendq *q = fresh(.line_ns = 0);
		int left[10] = {0}, sent[10] = {0};
		for (int i = 0; i < 100; i++) {
			unsigned t = draw(&s) % (1 + draw(&s) % 10);
			char name[] = {(char)('0' + t), '\0'};
			push_to(q, LANE_NORMAL, name, name);
			left[t]++;
		}
		while (q->n_lines) {
			int t = sendq_peek(q, 0).p[0] - '0';
			for (int i = 0; i < 10; i++)
				assert_true(left[i] == 0 || sent[t] <= sent[i]);
			sendq_drop(q, 0);
			left[t]--;
			sent[t]++;
		}
	}
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
	check_test(&c, sendq_numbers_lines_as_they_were_pushed);
	check_test(&c, sendq_paces_the_first_lane_as_well);
	check_test(&c, sendq_can_be_filled_again_after_it_was_empty);
	check_test(&c, sendq_keeps_the_pace_when_it_is_cleared);
	check_test(&c, sendq_copies_its_lines);
	check_rows(&c, refused_rows, sendq_refuses);
	check_test(&c, sendq_refuses_what_passes_its_bytes);
	check_rows(&c, room_rows, sendq_tells_whether_there_is);
	check_test(&c, sendq_lets_a_line_pass_an_empty_queue_at_its_pace);
	check_rows(&c, turn_rows, sendq_keeps);
	check_test(&c,
		sendq_with_two_hundred_lines_for_one_sends_a_line_for_another_in_two_line_times);
	check_test(&c, sendq_sends_a_line_for_each_of_nine_before_the_rest_of_two_hundred);
	check_test(&c, sendq_goes_on_with_who_waits_whatever_newcomers_there_are);
	check_test(&c, sendq_remembers_only_so_many_targets);
	check_test(&c, sendq_takes_a_line_about_hundreds);
	check_test(&c, sendq_lets_nothing_between_bound_lines);
	check_test(&c, sendq_forgets_what_was_bound_when_it_is_cleared);
	check_test(&c, sendq_ignores_empty_names);
	check_test(&c, sendq_is_past_a_count_only_when_all_before_it_went);
	check_test(&c, sendq_tells_why_each_line_waits);
	check_test(&c, sendq_keeps_order_and_lets_all_have_turns_whatever_comes);
	check_test(&c, sendq_drains_targets_evenly);
	check_test(&c, sendq_fini_takes_what_was_never_set_up);
	return check_run(&c, "sendq");
}
