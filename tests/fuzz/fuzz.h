/*
 * fuzz: what the fuzz targets share.
 *
 * A target takes its input apart by lines or by single bytes, gives it to one part of ebb and
 * REQUIREs what must hold whatever comes. Its seeds are in corpus/NAME/, the words that its parser
 * knows in NAME.dict. It prints nothing, and keeps nothing from one input to the next.
 */
#ifndef EBB_TESTS_FUZZ_FUZZ_H
#define EBB_TESTS_FUZZ_FUZZ_H

#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>

/* What libFuzzer calls for each input; returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An assertion that stays whatever the flags are, and that libFuzzer takes for a finding. */
#define REQUIRE(condition)                                                                      \
	do {                                                                                    \
		if (!(condition)) {                                                             \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                \
		}                                                                               \
	} while (0)

/* The input, as a slice that is never absent. */
static inline struct str fuzz_input(const uint8_t *data, size_t size)
{
	return size ? (struct str){(const char *)data, size} : STR("");
}

/* The next byte, which goes; 0 at the end. */
static inline unsigned char fuzz_byte(struct str *in)
{
	unsigned char byte = in->n ? (unsigned char)in->p[0] : 0;
	*in = str_skip(*in, 1);
	return byte;
}

/* Whether every byte of part is one of whole's; of an absent part it is true. */
static inline bool fuzz_is_inside(struct str part, struct str whole)
{
	if (!part.p)
		return part.n == 0;
	return part.p >= whole.p && part.p + part.n <= whole.p + whole.n;
}

/* Whether s could be a line, or a part of one. */
static inline bool fuzz_is_line(struct str s)
{
	return !str_has(s, '\0') && !str_has(s, '\r') && !str_has(s, '\n');
}

#endif
