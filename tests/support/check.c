#include "support/check.h"

#include "base/mem.h"

#include <stdlib.h>

void check_add(struct check *c, const char *name, CMUnitTestFunction run, void *state)
{
	c->tests = mem_resize(c->tests, c->n + 1, sizeof(*c->tests));
	c->tests[c->n++] = (struct CMUnitTest){name, run, NULL, NULL, state};
}

void check_add_rows(
	struct check *c, const void *rows, size_t n, size_t size, CMUnitTestFunction run)
{
	for (size_t i = 0; i < n; i++) {
		const char *row = (const char *)rows + i * size;
		check_add(c, *(const char *const *)(const void *)row, run, (void *)(uintptr_t)row);
	}
}

int check_run(struct check *c, const char *group)
{
	int failed = _cmocka_run_group_tests(group, c->tests, c->n, NULL, NULL);
	free(c->tests);
	return failed ? 1 : 0;
}

void check_slice(struct str actual, const char *expected, const char *file, int line)
{
	if (!expected && !actual.p)
		return;
	if (expected && actual.p && str_eq(actual, str_of(expected)))
		return;
	print_error("%s:%d: \"%" STR_F "\"%s, expected %s%s%s\n", file, line, STR_A(actual),
		actual.p ? "" : " (absent)", expected ? "\"" : "", expected ? expected : "absent",
		expected ? "\"" : "");
	_fail(file, line);
}
