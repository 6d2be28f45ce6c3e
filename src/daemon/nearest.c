#include "daemon/nearest.h"

#include <stdio.h>
#include <string.h>

static size_t least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;
	return ab < c ? ab : c;
}

/* Of b, at most as long as a nearest's best. One row of Levenshtein's matrix is kept. */
static size_t distance(struct str a, struct str b)
{
	size_t row[sizeof(((struct nearest *)0)->best)];
	for (size_t k = 0; k <= b.n; k++)
		row[k] = k;
	for (size_t i = 0; i < a.n; i++) {
		size_t diagonal = row[0];
		row[0] = i + 1;
		for (size_t k = 0; k < b.n; k++) {
			size_t changed = diagonal + (a.p[i] != b.p[k]);
			diagonal = row[k + 1];
			row[k + 1] = least(changed, diagonal + 1, row[k] + 1);
		}
	}
	return row[b.n];
}

struct nearest nearest_start(struct str word)
{
	return (struct nearest){.word = word, .distance = 2 + word.n / 4};
}

void nearest_consider(struct nearest *n, const char *word, const char *suffix)
{
	char text[sizeof(n->best)];
	snprintf(text, sizeof(text), "%s%s", word, suffix);
	size_t d = distance(n->word, str_of(text));
	if (d < n->distance) {
		n->distance = d;
		memcpy(n->best, text, sizeof(text));
	}
}
