#include "irc/text.h"

#include "base/utf8.h"

#include <assert.h>
#include <string.h>

enum { CHARACTER_MAX_BYTES = 4 };

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

bool text_is_utf8(struct str s)
{
	while (s.n) {
		size_t n = utf8_size(s);
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
	return start + utf8_size(str_skip(s, start)) > max_bytes ? start : max_bytes;
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
