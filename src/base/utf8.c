#include "base/utf8.h"

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
		if (((unsigned char)s.p[k] & 0xc0) != 0x80)
			return 0;
	return leads[i].n;
}

size_t utf8_size(struct str s)
{
	return (unsigned char)s.p[0] < 0x80 ? 1 : multibyte_size(s);
}

uint32_t utf8_point(struct str character)
{
	static const unsigned char masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t point = (unsigned char)character.p[0] & masks[character.n];
	for (size_t i = 1; i < character.n; i++)
		point = point << 6 | ((unsigned char)character.p[i] & 0x3f);
	return point;
}
