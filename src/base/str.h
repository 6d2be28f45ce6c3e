/*
 * str: the borrowed slice.
 *
 * A struct str points into somebody else's bytes, goes by value and never owns. It may hold NULs.
 * An absent slice has p == NULL; an empty one has p != NULL and n == 0. Print one with
 * printf("%" STR_F, STR_A(s)).
 */
#ifndef EBB_BASE_STR_H
#define EBB_BASE_STR_H

#include "base/attr.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct str {
	const char *p;
	size_t n;
};

#define STR_F    ".*s"
#define STR_A(s) (int)(s).n, (s).p ? (s).p : ""

/* What is called for every few bytes is inline. The analyzer would take each question whether p is
 * NULL for a hint that it may be, at every caller: it is shown no bodies. */
#ifdef __clang_analyzer__
#define STR_INLINE
#else
#define STR_INLINE static inline
#endif

/* A slice of a string literal. */
#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})

/* The same in the initializer of a constant. */
#define STR_CONST(literal)                      \
	{                                       \
		"" literal, sizeof(literal) - 1 \
	}

#define STR_NONE ((struct str){NULL, 0})

/* The slice of a NUL-terminated string; NULL gives an absent slice. */
STR_INLINE struct str str_of(const char *s);

STR_INLINE bool str_eq(struct str a, struct str b);

/* Whether two NUL-terminated strings are the same; NULL is the same as NULL only. */
bool str_same(const char *a, const char *b);

/* Equality and order with A-Z folded to a-z, as RFC 1459 compares commands. */
bool str_ieq(struct str a, struct str b);
int str_icmp(struct str a, struct str b);

STR_INLINE bool str_starts(struct str s, struct str prefix);

/* The index of the first c, or s.n. */
STR_INLINE size_t str_find(struct str s, char c);

STR_INLINE bool str_has(struct str s, char c);

/* s without its first n bytes, or empty. */
STR_INLINE struct str str_skip(struct str s, size_t n);

/* s without the spaces and tabs at both ends. */
struct str str_trim(struct str s);

/* Cuts at the first c: returns what stands before it, and leaves what follows in *rest. Without
 * a c, all of *rest is returned and *rest becomes absent. */
struct str str_cut(struct str *rest, char c);

/* The next run of bytes that are not in seps; absent at the end of *rest. */
struct str str_word(struct str *rest, const char *seps);

/* Reads all of s as a decimal number within [min, max]. False leaves *out alone. */
NODISCARD bool str_int(struct str s, int64_t min, int64_t max, int64_t *out);

/* What a hexadecimal digit stands for; -1: it is none. */
int str_hex_digit(char c);

/* An owned, NUL-terminated copy. */
char *str_dup(struct str s);

#ifndef __clang_analyzer__
static inline struct str str_of(const char *s)
{
	return (struct str){s, s ? strlen(s) : 0};
}

static inline bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && str_eq((struct str){s.p, prefix.n}, prefix);
}

static inline size_t str_find(struct str s, char c)
{
	const char *at = s.n ? (const char *)memchr(s.p, c, s.n) : NULL;
	return at ? (size_t)(at - s.p) : s.n;
}

static inline bool str_has(struct str s, char c)
{
	return s.n && memchr(s.p, c, s.n);
}

static inline struct str str_skip(struct str s, size_t n)
{
	if (n > s.n)
		n = s.n;
	return (struct str){s.p ? s.p + n : NULL, s.n - n};
}
#endif

#endif
