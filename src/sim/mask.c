#include "sim/mask.h"

#include <stdio.h>

/* Goes back to the last star alone: what an earlier one took can stay as it is. */
bool mask_matches(enum casemap cm, struct str mask, struct str text)
{
	size_t m = 0, t = 0, star = mask.n, after_star = 0;
	while (t < text.n) {
		if (m < mask.n && mask.p[m] == '*') {
			star = m++;
			after_star = t;
		} else if (m < mask.n &&
			   (mask.p[m] == '?' ||
				   casemap_fold(cm, mask.p[m]) == casemap_fold(cm, text.p[t]))) {
			m++;
			t++;
		} else if (star < mask.n) {
			m = star + 1;
			t = ++after_star;
		} else {
			return false;
		}
	}
	while (m < mask.n && mask.p[m] == '*')
		m++;
	return m == mask.n;
}

void mask_complete(struct str s, char *out, size_t size)
{
	bool has_nick = str_has(s, '!'), has_host = str_has(s, '@');
	const char *before = has_host && !has_nick ? "*!" : "";
	const char *after = has_host ? "" : has_nick ? "@*" : "!*@*";
	snprintf(out, size, "%s%" STR_F "%s", before, STR_A(s), after);
}
