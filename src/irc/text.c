#include "irc/text.h"

#include <assert.h>
#include <string.h>

enum { CHARACTER_MAX_BYTES = 4 };

/* RFC 3629, section 4: by its first byte, the size of a character and what its second may be. */
static const struct {
	unsigned char first, last, n, low, high;
} leads[] = {
	{0xc2, 0xdf, 2, 0x80, 0xbf},
	{0xe0, 0xe0, 3, 0xa0, 0xbf},
	{0xe1, 0xec, 3, 0x80, 0xbf},
	{0xed, 0xed, 3, 0x80, 0x9f},
	{0xee, 0xef, 3, 0x80, 0xbf},
	{0xf0, 0xf0, 4, 0x90, 0xbf},
	{0xf1, 0xf3, 4, 0x80, 0xbf},
	{0xf4, 0xf4, 4, 0x80, 0x8f},
};

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* The size of the character of several bytes that s begins with, or 0. */
static size_t multibyte_size(struct str s)
{
	if (s.n < 2)
		return 0;
	unsigned char first = (unsigned char)s.p[0], second = (unsigned char)s.p[1];
	size_t i = 0;
	while (i < COUNTOF(leads) && first > leads[i].last)
		i++;
	if (i == COUNTOF(leads) || first < leads[i].first || s.n < leads[i].n ||
		second < leads[i].low || second > leads[i].high)
		return 0;
	for (size_t k = 2; k < leads[i].n; k++)
		if (!is_continuation(s.p[k]))
			return 0;
	return leads[i].n;
}

bool text_is_utf8(struct str s)
{
	while (s.n) {
		size_t n = (unsigned char)s.p[0] < 0x80 ? 1 : multibyte_size(s);
		if (n == 0)
			return false;
		s = str_skip(s, n);
	}
	return true;
}

/* The end of the last character that ends at max_bytes or before. */
static size_t character_cut(struct str s, size_t max_bytes)
{
	size_t start = max_bytes;
	while (start > max_bytes - (CHARACTER_MAX_BYTES - 1) && is_continuation(s.p[start]))
		start--;
	return start + multibyte_size(str_skip(s, start)) > max_bytes ? start : max_bytes;
}

/* The end of the last word that ends at max_bytes or before; 0 when none does. */
static size_t word_cut(struct str s, size_t max_bytes)
{
	const char *space = memrchr(s.p, ' ', max_bytes + 1);
	size_t n = space ? (size_t)(space - s.p) : 0;
	while (n && s.p[n - 1] == ' ')
		n--;
	return n;
}

struct str text_next_part(struct str *rest, size_t max_bytes)
{
	assert(max_bytes >= CHARACTER_MAX_BYTES);
	struct str text = *rest;
	if (text.n <= max_bytes) {
		*rest = STR_NONE;
		return text;
	}
	size_t n = word_cut(text, max_bytes);
	bool is_between_words = n > 0;
	if (!is_between_words)
		n = character_cut(text, max_bytes);
	*rest = str_skip(text, n);
	while (is_between_words && rest->n && rest->p[0] == ' ')
		*rest = str_skip(*rest, 1);
	if (rest->n == 0)
		*rest = STR_NONE;
	return (struct str){text.p, n};
}
