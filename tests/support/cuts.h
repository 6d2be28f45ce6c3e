/*
 * cuts: whether a text was cut as text.h promises, for any text and any size.
 *
 * A text is read here as a client shows it: bytes, each with the formatting that is in force. The
 * parts, each read alone, must show the same. All in the header, for the fuzz targets, which link
 * nothing else of this folder.
 */
#ifndef EBB_TESTS_SUPPORT_CUTS_H
#define EBB_TESTS_SUPPORT_CUTS_H

#include "base/mem.h"
#include "base/utf8.h"
#include "irc/text.h"

#include <stdlib.h>
#include <unigbrk.h>

struct shown {
	size_t at; /* in the text */
	char byte;
	unsigned style, fg, bg; /* a colour: 0, or its number and a bit for its kind */
};

/* A text, read. */
struct show {
	struct shown *bytes;
	size_t n;
	char *breaks; /* for each byte of the text: whether a cluster, a code or a byte begins */
};

static inline unsigned cuts_number(const char **p, const char *end, unsigned base, int max)
{
	unsigned value = 0;
	for (; *p < end && max > 0; ++*p, max--) {
		unsigned c = (unsigned char)**p | 0x20U, digit;
		if (**p >= '0' && **p <= '9')
			digit = (unsigned)(**p - '0');
		else if (base == 16 && c >= 'a' && c <= 'f')
			digit = c - 'a' + 10;
		else
			break;
		value = value * base + digit;
	}
	return value;
}

/* The colour at *p, which is passed over; 0: none. */
static inline unsigned cuts_colour(const char **p, const char *end, bool is_hex)
{
	const char *begin = *p;
	unsigned value = cuts_number(p, end, is_hex ? 16 : 10, is_hex ? 6 : 2);
	if (*p == begin || (is_hex && *p - begin < 6)) {
		*p = begin;
		return 0;
	}
	return value | (is_hex ? 1U << 24 : 1U << 25);
}

/* Takes the code at *p; false where there is none. */
static inline bool cuts_code(const char **p, const char *end, struct shown *now)
{
	char c = **p;
	if (c == '\x0f') {
		*now = (struct shown){0};
	} else if (c == '\x02' || c == '\x11' || c == '\x16' || (c >= '\x1d' && c <= '\x1f')) {
		now->style ^= 1U << c;
	} else if (c != '\x03' && c != '\x04') {
		return false;
	}
	++*p;
	if (c != '\x03' && c != '\x04')
		return true;
	unsigned fg = cuts_colour(p, end, c == '\x04'), bg = 0;
	const char *comma = *p;
	if (fg && comma < end && *comma == ',') {
		++*p;
		bg = cuts_colour(p, end, c == '\x04');
		if (!bg)
			*p = comma;
	}
	now->fg = fg;
	now->bg = !fg ? 0 : bg ? bg : now->bg;
	return true;
}

/* The bytes of UTF-8 from p on, up to a code. */
static inline size_t cuts_run(const char *p, const char *end)
{
	const char *at = p;
	while (at < end) {
		const char *after = at;
		struct shown ignored = {0};
		size_t n = utf8_size((struct str){at, (size_t)(end - at)});
		if (n == 0 || cuts_code(&after, end, &ignored))
			break;
		at += n;
	}
	return (size_t)(at - p);
}

static inline void cuts_show(struct show *s, struct str text)
{
	const char *p = text.p, *end = text.p + text.n;
	struct shown now = {0};
	*s = (struct show){mem_new(text.n * sizeof(*s->bytes)), 0, mem_new(text.n + 1)};
	s->breaks[text.n] = 1;
	while (p < end) {
		s->breaks[p - text.p] = 1;
		if (cuts_code(&p, end, &now))
			continue;
		size_t n = cuts_run(p, end);
		if (n)
			u8_grapheme_breaks((const uint8_t *)p, n, s->breaks + (p - text.p));
		for (const char *stop = p + (n ? n : 1); p < stop; p++) {
			now.byte = *p;
			now.at = (size_t)(p - text.p);
			s->bytes[s->n++] = now;
		}
	}
}

static inline void cuts_hide(struct show *s)
{
	free(s->bytes);
	free(s->breaks);
}

struct cuts {
	struct str text;
	size_t max_bytes;
	struct show whole;
	size_t at; /* of whole's bytes */
	bool is_utf8, with_style;
};

static inline bool cuts_same(const struct shown *a, const struct shown *b, bool with_style)
{
	bool is_same_style = a->style == b->style && a->fg == b->fg && a->bg == b->bg;
	return a->byte == b->byte && (!with_style || is_same_style);
}

/* What a part shows is what comes next in the text, but for spaces at the cut. */
static inline const char *cuts_check_shown(struct cuts *c, const struct show *part, size_t begin)
{
	const struct show *w = &c->whole;
	for (; c->at < w->n && w->bytes[c->at].at < begin; c->at++)
		if (w->bytes[c->at].byte != ' ')
			return "something is missing between two parts";
	for (size_t i = 0; i < part->n; i++, c->at++)
		if (c->at == w->n || !cuts_same(&part->bytes[i], &w->bytes[c->at], c->with_style))
			return "a part shows something else than the text";
	return NULL;
}

/* A cluster that is cut was too long, and began its part. */
static inline const char *cuts_check_end(const struct cuts *c, struct str carried, struct str part)
{
	size_t begin = (size_t)(part.p - c->text.p), end = begin + part.n;
	size_t first = end, last = end;
	if (c->whole.breaks[end])
		return NULL;
	while (!c->whole.breaks[first])
		first--;
	while (!c->whole.breaks[last])
		last++;
	if (last - first > TEXT_CLUSTER_MAX_BYTES)
		return NULL;
	bool is_too_long = last - first > c->max_bytes - carried.n;
	return first < begin || (first == begin && is_too_long) ? NULL : "a cluster is cut";
}

static inline const char *cuts_check_part(struct cuts *c, struct str carried, struct str part)
{
	struct show shown;
	if (carried.n + part.n > c->max_bytes)
		return "a part is too long";
	if (part.n == 0)
		return c->text.n ? "a part is empty" : NULL;
	if (part.p < c->text.p || part.p + part.n > c->text.p + c->text.n)
		return "a part is not of the text";
	if (c->is_utf8 && !text_is_utf8(part))
		return "a part is not UTF-8";
	char *bytes = mem_new(carried.n + part.n);
	memcpy(bytes, carried.p, carried.n);
	memcpy(bytes + carried.n, part.p, part.n);
	cuts_show(&shown, (struct str){bytes, carried.n + part.n});
	const char *fault = part.p > c->text.p && shown.n == 0 ? "a part shows nothing" : NULL;
	if (!fault)
		fault = cuts_check_shown(c, &shown, (size_t)(part.p - c->text.p));
	cuts_hide(&shown);
	free(bytes);
	return fault ? fault : cuts_check_end(c, carried, part);
}

/* What is wrong with how text, which is not absent, is cut; NULL: nothing. */
static inline const char *cuts_fault(struct str text, size_t max_bytes)
{
	struct cuts c = {.text = text, .max_bytes = max_bytes, .is_utf8 = text_is_utf8(text)};
	struct text_cut cut;
	struct str carried, part;
	const char *fault = NULL;
	c.with_style = max_bytes >= TEXT_CARRIED_MAX_BYTES + TEXT_PART_MIN_BYTES;
	cuts_show(&c.whole, text);
	text_cut_begin(&cut, text, max_bytes);
	while (!fault && text_cut_next(&cut, &carried, &part))
		fault = cuts_check_part(&c, carried, part);
	while (!fault && c.at < c.whole.n)
		if (c.whole.bytes[c.at++].byte != ' ')
			fault = "the end is missing";
	cuts_hide(&c.whole);
	return fault;
}

#endif
