/*
 * check: what the unit tests share, on top of cmocka.
 *
 * A rule with many cases is a table whose rows begin with a name; each row runs as a test of its
 * own, so the name is printed when it fails and every row is counted.
 */
#ifndef EBB_TESTS_SUPPORT_CHECK_H
#define EBB_TESTS_SUPPORT_CHECK_H

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct check {
	struct CMUnitTest *tests;
	size_t n;
};

/* Adds one test; state is what the function finds at *state. */
void check_add(struct check *c, const char *name, CMUnitTestFunction run, void *state);

/* The same, named after the function. */
#define check_test(c, run) check_add((c), #run, (run), NULL)

/* A test for each row of an array of structs whose first member is `const char *name`. */
#define check_rows(c, rows, run) check_add_rows((c), (rows), COUNTOF(rows), sizeof((rows)[0]), run)
void check_add_rows(
	struct check *c, const void *rows, size_t n, size_t size, CMUnitTestFunction run);

/* Runs them all; for main to return. Frees c's memory. */
int check_run(struct check *c, const char *group);

/* A slice against a NUL-terminated string; NULL stands for an absent slice. */
#define assert_slice(actual, expected) check_slice((actual), (expected), __FILE__, __LINE__)
void check_slice(struct str actual, const char *expected, const char *file, int line);

#endif
