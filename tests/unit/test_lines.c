#include "base/err.h"
#include "net/lines.h"
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct buf in;

static void start(void)
{
	buf_fini(&in);
	buf_init(&in, 1024 * 1024);
}

static void feed(struct str bytes)
{
	assert_int_equal(buf_add(&in, bytes), 0);
}

static const struct row {
	const char *name, *bytes;
	const char *lines; /* each followed by | */
	const char *left;
} rows[] = {
	{"CR LF ends a line",                      "a\r\nb\r\n",    "a|b|",  ""   },
	{"a bare LF ends a line",                  "a\nb\n",        "a|b|",  ""   },
	{"empty lines are skipped",                "\r\n\na\n\r\n", "a|",    ""   },
	{"a line without end stays",               "a\nbc",         "a|",    "bc" },
	{"a CR at the end waits for its LF",       "a\r",           "",      "a\r"},
	{"several CRs before LF belong to it",     "a\r\r\nb\n",    "a|b|",  ""   },
	{"a CR in the middle belongs to the line", "a\rb\n",        "a\rb|", ""   },
	{"blanks belong to the line",              " a \r\n",       " a |",  ""   },
};

static void check_row(const struct row *row, size_t step)
{
	struct lines l = {0};
	struct str bytes = str_of(row->bytes), line;
	char seen[64] = "";
	start();
	for (size_t i = 0; i < bytes.n; i += step) {
		size_t n = bytes.n - i < step ? bytes.n - i : step;
		feed((struct str){bytes.p + i, n});
		while (lines_next(&l, &in, &line))
			snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%" STR_F "|",
				STR_A(line));
	}
	assert_string_equal(seen, row->lines);
	assert_slice(buf_str(&in), row->left);
	assert_int_equal(l.dropped, 0);
}

static void row_is_cut(void **state)
{
	check_row(*state, 1000);
	check_row(*state, 1);
	check_row(*state, 2);
}

static char *fill(size_t n, const char *end)
{
	char *s = calloc(1, n + strlen(end) + 1);
	assert_non_null(s);
	memset(s, 'x', n);
	memcpy(s + n, end, strlen(end));
	return s;
}

static void the_longest_line_passes(void **state)
{
	(void)state;
	struct lines l = {0};
	struct str line;
	char *long_line = fill(LINES_MAX, "\r\n");
	start();

	feed(str_of(long_line));

	assert_true(lines_next(&l, &in, &line));
	assert_int_equal(line.n, LINES_MAX);
	assert_false(lines_next(&l, &in, &line));
	free(long_line);
}

static void a_line_that_is_too_long_is_dropped_and_counted(void **state)
{
	(void)state;
	struct lines l = {0};
	struct str line;
	char *too_long = fill(LINES_MAX + 1, "\r\nnext\r\n");
	start();

	feed(str_of(too_long));

	assert_true(lines_next(&l, &in, &line));
	assert_slice(line, "next");
	assert_false(lines_next(&l, &in, &line));
	assert_int_equal(l.dropped, 1);
	free(too_long);
}

static void an_endless_line_does_not_grow(void **state)
{
	(void)state;
	struct lines l = {0};
	struct str line;
	char *piece = fill(1000, "");
	start();

	for (int i = 0; i < 1000; i++) {
		feed(str_of(piece));
		assert_false(lines_next(&l, &in, &line));
		assert_true(in.n <= LINES_MAX + 1);
	}
	feed(STR("tail\nnext\n"));

	assert_true(lines_next(&l, &in, &line));
	assert_slice(line, "next");
	assert_int_equal(l.dropped, 1);
	assert_true(in.capacity < 4 * LINES_MAX);
	free(piece);
}

static void an_endless_run_of_cr_does_not_grow(void **state)
{
	(void)state;
	struct lines l = {0};
	struct str line;
	start();

	for (int i = 0; i < 3 * LINES_MAX; i++) {
		feed(STR("\r"));
		assert_false(lines_next(&l, &in, &line));
		assert_true(in.n <= LINES_MAX + 1);
	}

	assert_int_equal(l.dropped, 1);
}

static void what_was_searched_is_not_searched_again(void **state)
{
	(void)state;
	struct lines l = {0};
	struct str line;
	start();

	feed(STR("abc"));
	assert_false(lines_next(&l, &in, &line));
	assert_int_equal(l.searched, 3);
	feed(STR("d"));
	assert_false(lines_next(&l, &in, &line));
	assert_int_equal(l.searched, 4);
	feed(STR("\n"));

	assert_true(lines_next(&l, &in, &line));
	assert_slice(line, "abcd");
}

static void consuming_a_line_moves_nothing(void **state)
{
	(void)state;
	struct lines l = {0};
	struct str line;
	start();
	feed(STR("one\ntwo\nthree\n"));
	const char *at = in.bytes;

	assert_true(lines_next(&l, &in, &line));
	assert_ptr_equal(line.p, at);
	assert_true(lines_next(&l, &in, &line));
	assert_ptr_equal(line.p, at + 4);
	assert_true(lines_next(&l, &in, &line));
	assert_ptr_equal(line.p, at + 8);
}

static void a_reset_keeps_the_count_only(void **state)
{
	(void)state;
	struct lines l = {.taken = 1, .searched = 2, .is_skipping = true, .dropped = 3};

	lines_reset(&l);

	assert_int_equal(l.taken + l.searched, 0);
	assert_false(l.is_skipping);
	assert_int_equal(l.dropped, 3);
	buf_fini(&in);
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, rows, row_is_cut);
	check_test(&c, the_longest_line_passes);
	check_test(&c, a_line_that_is_too_long_is_dropped_and_counted);
	check_test(&c, an_endless_line_does_not_grow);
	check_test(&c, an_endless_run_of_cr_does_not_grow);
	check_test(&c, what_was_searched_is_not_searched_again);
	check_test(&c, consuming_a_line_moves_nothing);
	check_test(&c, a_reset_keeps_the_count_only);
	return check_run(&c, "lines");
}
