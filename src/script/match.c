#include "script/match.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>

/*
 * An item is a single character or a class of them, with what may follow to repeat it, or one of
 * the forms beyond that. NULL from what matches says that there is no match, or that all has
 * failed: then no steps are left, and whoever could try something else looks at these first.
 */

static const char too_complex[] = "pattern too complex";

/* What fails first is what is told. */
static const char *fail(struct match *m, const char *why)
{
	if (!*m->why)
		snprintf(m->why, sizeof(m->why), "%s", why);
	m->steps = -1;
	return NULL;
}

static const char *fail_index(struct match *m, char digit)
{
	if (!*m->why)
		snprintf(m->why, sizeof(m->why), "invalid capture index %%%c", digit);
	m->steps = -1;
	return NULL;
}

static unsigned char byte(const char *p)
{
	return (unsigned char)*p;
}

/* A character of the pattern; NUL behind its end. */
static char pattern_at(const struct match *m, const char *p)
{
	return p < m->pattern_end ? *p : '\0';
}

/* Single characters. */

/* Behind the set whose [ is at p; NULL without its end. */
static const char *set_end(const char *p, const char *end)
{
	p++;
	if (p < end && *p == '^')
		p++;
	do { /* the first is a character of the set even if it is a ] */
		if (p >= end)
			return NULL;
		p += *p == '%' && end - p > 1 ? 2 : 1;
	} while (p >= end || *p != ']');
	return p + 1;
}

/* Behind the single character or class at p, which is not at the end; NULL for a broken one. */
static const char *single_end(const char *p, const char *end)
{
	if (*p == '[')
		return set_end(p, end);
	if (*p == '%')
		return end - p > 1 ? p + 2 : NULL;
	return p + 1;
}

static const char *check_single(struct match *m, const char *p)
{
	const char *end = single_end(p, m->pattern_end);
	if (!end)
		return fail(m, *p == '[' ? "malformed pattern (missing ']')"
					 : "malformed pattern (ends with '%')");
	return end;
}

/* What is to be paid for the look at a single: all of a set is gone through. */
static int64_t single_cost(const char *p, const char *end)
{
	return 1 + (end - p) / 8;
}

static bool is_class(unsigned char c, unsigned char class)
{
	bool is;
	switch (class | 0x20) { /* its small letter, where it is one */
	case 'a':
		is = isalpha(c);
		break;
	case 'c':
		is = iscntrl(c);
		break;
	case 'd':
		is = isdigit(c);
		break;
	case 'g':
		is = isgraph(c);
		break;
	case 'l':
		is = islower(c);
		break;
	case 'p':
		is = ispunct(c);
		break;
	case 's':
		is = isspace(c);
		break;
	case 'u':
		is = isupper(c);
		break;
	case 'w':
		is = isalnum(c);
		break;
	case 'x':
		is = isxdigit(c);
		break;
	case 'z': /* not in the manual, but in Lua */
		is = c == '\0';
		break;
	default:
		return class == c;
	}
	return class & 0x20 ? is : !is;
}

/* p is at the [ of a set, last at its ]. */
static bool is_in_set(unsigned char c, const char *p, const char *last)
{
	bool is = true;
	if (p[1] == '^') {
		is = false;
		p++;
	}
	while (++p < last) {
		if (*p == '%') {
			p++;
			if (is_class(c, byte(p)))
				return is;
		} else if (p[1] == '-' && p + 2 < last) {
			p += 2;
			if (byte(p - 2) <= c && c <= byte(p))
				return is;
		} else if (byte(p) == c) {
			return is;
		}
	}
	return !is;
}

/* Whether c is the single from p to end. */
static inline bool is_single(unsigned char c, const char *p, const char *end)
{
	switch (*p) {
	case '.':
		return true;
	case '%':
		return is_class(c, byte(p + 1));
	case '[':
		return is_in_set(c, p, end - 1);
	default:
		return byte(p) == c;
	}
}

/* The end of the longest run of a single from s on. */
static const char *run_end(struct match *m, const char *s, const char *p, const char *end)
{
	const char *from = s, *last = m->subject_end;
	int64_t cost = single_cost(p, end);
	switch (*p) {
	case '.':
		s = last;
		break;
	case '%':
		while (s < last && is_class(byte(s), byte(p + 1)))
			s++;
		break;
	case '[':
		if (m->steps / cost < last - s) /* a long set, or little is left */
			last = s + (m->steps > 0 ? m->steps / cost : 0);
		while (s < last && is_in_set(byte(s), p, end - 1))
			s++;
		break;
	default:
		while (s < last && *s == *p)
			s++;
	}
	m->steps -= (s - from) * cost;
	if (s == last && last < m->subject_end)
		return fail(m, too_complex);
	return s;
}

/* Items. */

static const char *match_here(struct match *m, const char *s, const char *p);

static const char *descend(struct match *m, const char *s, const char *p)
{
	if (m->depth == MATCH_DEPTH_MAX)
		return fail(m, too_complex);
	m->depth++;
	s = match_here(m, s, p);
	m->depth--;
	return s;
}

/* As much as there is from s to most, and less until the rest from p on matches too. */
static const char *match_most(struct match *m, const char *s, const char *most, const char *p)
{
	if (p == m->pattern_end && m->depth < MATCH_DEPTH_MAX)
		return most;
	for (;; most--) {
		const char *end = descend(m, most, p);
		if (end)
			return end;
		if (--m->steps < 0)
			return fail(m, too_complex);
		if (most == s)
			return NULL;
	}
}

/* As little as possible of the single from p to end, until the rest matches too. */
static const char *match_least(struct match *m, const char *s, const char *p, const char *end)
{
	int64_t cost = single_cost(p, end);
	for (;; s++) {
		const char *found = descend(m, s, end + 1);
		if (found)
			return found;
		m->steps -= cost;
		if (m->steps < 0)
			return fail(m, too_complex);
		if (s == m->subject_end || !is_single(byte(s), p, end))
			return NULL;
	}
}

static const char *open_capture(struct match *m, const char *s, const char *p)
{
	bool is_position = pattern_at(m, p + 1) == ')';
	if (m->n_captures == MATCH_CAPTURES_MAX)
		return fail(m, "too many captures");
	m->captures[m->n_captures++] =
		(struct match_capture){s, is_position ? MATCH_POSITION : MATCH_OPEN};
	const char *end = descend(m, s, p + (is_position ? 2 : 1));
	if (!end)
		m->n_captures--;
	return end;
}

/* The capture that was opened last of those that are open. */
static struct match_capture *open_one(struct match *m)
{
	for (size_t i = m->n_captures; i-- > 0;)
		if (m->captures[i].n == MATCH_OPEN)
			return &m->captures[i];
	fail(m, "invalid pattern capture");
	return NULL;
}

static const char *close_capture(struct match *m, const char *s, const char *p)
{
	struct match_capture *c = open_one(m);
	if (!c)
		return NULL;
	c->n = s - c->p;
	const char *end = descend(m, s, p + 1);
	if (!end)
		c->n = MATCH_OPEN;
	return end;
}

/* The capture that a digit means; NULL, and all has failed, if there is none. */
static const struct match_capture *capture_of(struct match *m, char digit)
{
	size_t i = (size_t)(digit - '1'); /* a 0 becomes more than there are */
	if (i >= m->n_captures || m->captures[i].n == MATCH_OPEN) {
		fail_index(m, digit);
		return NULL;
	}
	return &m->captures[i];
}

static const char *match_again(struct match *m, const char *s, char digit)
{
	const struct match_capture *c = capture_of(m, digit);
	if (!c || c->n == MATCH_POSITION || m->subject_end - s < c->n)
		return NULL;
	m->steps -= c->n / 16;
	return memcmp(c->p, s, (size_t)c->n) == 0 ? s + c->n : NULL;
}

static bool check_balance(struct match *m, const char *p)
{
	if (m->pattern_end - p >= 4)
		return true;
	fail(m, "malformed pattern (missing arguments to '%b')");
	return false;
}

/* p is at %b, which two characters follow. */
static const char *match_balance(struct match *m, const char *s, const char *p)
{
	const char *from = s, *end = m->subject_end;
	char open = p[2], close = p[3];
	size_t n_open = 1;
	if (s == end || *s != open)
		return NULL;
	while (++s < end && n_open > 0)
		if (*s == close)
			n_open--;
		else if (*s == open)
			n_open++;
	m->steps -= s - from;
	return n_open == 0 ? s : NULL;
}

/* Behind the set of the %f at p. */
static const char *check_frontier(struct match *m, const char *p)
{
	if (pattern_at(m, p + 2) != '[')
		return fail(m, "missing '[' after '%f' in pattern");
	return check_single(m, p + 2);
}

static bool is_frontier(struct match *m, const char *s, const char *set, const char *end)
{
	unsigned char before = s == m->subject.p ? '\0' : byte(s - 1);
	unsigned char behind = s == m->subject_end ? '\0' : byte(s);
	m->steps -= 2 * single_cost(set, end);
	return !is_in_set(before, set, end - 1) && is_in_set(behind, set, end - 1);
}

/* Whether what follows a % makes an item that is no single. */
static bool is_beyond_single(char c)
{
	return c == 'b' || c == 'f' || (c >= '0' && c <= '9');
}

/* Such an item at *p, which is moved behind it. */
static const char *match_beyond(struct match *m, const char *s, const char **p)
{
	const char *at = *p, *end;
	switch (at[1]) {
	case 'b':
		*p = at + 4;
		return check_balance(m, at) ? match_balance(m, s, at) : NULL;
	case 'f':
		end = *p = check_frontier(m, at);
		return end && is_frontier(m, s, at + 2, end) ? s : NULL;
	default:
		*p = at + 2;
		return match_again(m, s, at[1]);
	}
}

/* A single at p, which ends at end and fits at s, with what repeats it, and all that follows. */
static const char *match_repeated(
	struct match *m, const char *s, const char *p, const char *end, char suffix)
{
	const char *most;
	switch (suffix) {
	case '*':
		most = run_end(m, s + 1, p, end);
		return most ? match_most(m, s, most, end + 1) : NULL;
	case '+':
		most = run_end(m, s + 1, p, end);
		return most ? match_most(m, s + 1, most, end + 1) : NULL;
	default:
		return match_least(m, s, p, end);
	}
}

/* The end of the match of the pattern from p on with what is at s. */
static const char *match_here(struct match *m, const char *s, const char *p)
{
	while (p < m->pattern_end) {
		if (--m->steps < 0)
			return fail(m, too_complex);
		switch (*p) {
		case '(':
			return open_capture(m, s, p);
		case ')':
			return close_capture(m, s, p);
		case '$':
			if (p + 1 == m->pattern_end)
				return s == m->subject_end ? s : NULL;
			break;
		case '%':
			if (!is_beyond_single(pattern_at(m, p + 1)))
				break;
			s = match_beyond(m, s, &p);
			if (!s)
				return NULL;
			continue;
		}

		const char *end = check_single(m, p), *found;
		if (!end)
			return NULL;
		char suffix = pattern_at(m, end);
		bool fits = s < m->subject_end && is_single(byte(s), p, end);
		switch (suffix) {
		case '*':
		case '-':
			if (fits)
				return match_repeated(m, s, p, end, suffix);
			p = end + 1;
			break;
		case '+':
			return fits ? match_repeated(m, s, p, end, suffix) : NULL;
		case '?':
			found = fits ? descend(m, s + 1, end + 1) : NULL;
			if (found || m->steps < 0)
				return found;
			p = end + 1;
			break;
		default:
			if (!fits)
				return NULL;
			s++;
			p = end;
		}
	}
	return s;
}

/* The pattern without a subject. */

static bool check_open(struct match *m, const char **p)
{
	bool is_position = pattern_at(m, *p + 1) == ')';
	*p += is_position ? 2 : 1;
	if (m->n_captures == MATCH_CAPTURES_MAX)
		return fail(m, "too many captures");
	m->captures[m->n_captures++] =
		(struct match_capture){NULL, is_position ? MATCH_POSITION : MATCH_OPEN};
	return true;
}

static bool check_close(struct match *m, const char **p)
{
	struct match_capture *c = open_one(m);
	*p += 1;
	if (c)
		c->n = 0;
	return c;
}

static bool is_suffix(char c)
{
	return c == '*' || c == '+' || c == '-' || c == '?';
}

static bool check_item(struct match *m, const char **p)
{
	char next = pattern_at(m, *p + 1), digit = next;
	if (**p == '(')
		return check_open(m, p);
	if (**p == ')')
		return check_close(m, p);
	if (**p == '%' && next == 'b') {
		bool is_sound = check_balance(m, *p);
		*p += 4;
		return is_sound;
	}
	if (**p == '%' && next == 'f') {
		*p = check_frontier(m, *p);
		return *p;
	}
	if (**p == '%' && is_beyond_single(next)) {
		*p += 2;
		return capture_of(m, digit);
	}
	*p = check_single(m, *p);
	if (*p && is_suffix(pattern_at(m, *p)))
		++*p;
	return *p;
}

bool match_check(struct match *m)
{
	const char *p = m->pattern.p;
	m->n_captures = 0;
	while (p < m->pattern_end)
		if (!check_item(m, &p))
			return false;
	for (size_t i = 0; i < m->n_captures; i++)
		if (m->captures[i].n == MATCH_OPEN)
			return fail(m, "unfinished capture");
	return true;
}

/* Searching. */

/* Finds the single that every match begins with, if there is one: most places are passed over by
 * a look at it. */
static void look_at_first(struct match *m)
{
	const char *p = m->pattern.p, *last = m->pattern_end;
	if (p < last && *p == '(')
		p += pattern_at(m, p + 1) == ')' ? 2 : 1;
	if (p == last || *p == '(' || *p == ')' || *p == '$' ||
		(*p == '%' && is_beyond_single(pattern_at(m, p + 1))))
		return;
	const char *end = single_end(p, last);
	if (!end)
		return;
	char suffix = pattern_at(m, end);
	if (suffix == '*' || suffix == '-' || suffix == '?')
		return;
	m->first = p;
	m->first_end = end;
}

void match_init(struct match *m, struct str subject, struct str pattern, int64_t steps)
{
	m->subject = subject;
	m->subject_end = subject.p + subject.n;
	m->pattern = pattern;
	m->pattern_end = pattern.p + pattern.n;
	m->is_anchored = false;
	m->steps = steps + 2 * (int64_t)subject.n;
	m->low_steps = 0;
	m->n_captures = 0;
	m->why[0] = '\0';
	m->first = NULL;
	m->has_looked = false;
	m->depth = 0;
}

void match_anchor(struct match *m)
{
	if (!str_starts(m->pattern, STR("^")))
		return;
	m->pattern = str_skip(m->pattern, 1);
	m->is_anchored = true;
}

/* The first place from s on where a match may begin; one before it where steps run out. */
static const char *skip(struct match *m, const char *s)
{
	if (!m->has_looked) {
		m->has_looked = true;
		look_at_first(m);
	}
	if (!m->first)
		return s;
	const char *p = m->first, *end = m->first_end, *from = s;
	bool is_escaped = *p == '%' && ispunct(byte(p + 1));
	if (*p == '.')
		return s;
	if (is_escaped || (*p != '%' && *p != '[')) {
		s = memchr(s, is_escaped ? p[1] : *p, (size_t)(m->subject_end - s));
		s = s ? s : m->subject_end;
		m->steps -= s - from;
		return s;
	}
	int64_t cost = single_cost(p, end);
	while (s < m->subject_end && m->steps >= m->low_steps && !is_single(byte(s), p, end)) {
		m->steps -= cost;
		s++;
	}
	return s;
}

static enum match_result give_up(struct match *m)
{
	fail(m, too_complex);
	return MATCH_FAILED;
}

enum match_result match_find(struct match *m, size_t from, size_t not_end)
{
	const char *begin = m->subject.p;
	assert(begin);
	for (const char *s = begin + from;; s = skip(m, s + 1)) {
		m->start = (size_t)(s - begin);
		if (m->steps < m->low_steps)
			return m->steps < 0 && m->low_steps == 0 ? give_up(m) : MATCH_PAUSED;
		m->n_captures = 0;
		const char *end = descend(m, s, m->pattern.p);
		m->end = end ? (size_t)(end - begin) : not_end;
		if (m->end != not_end)
			return MATCH_FOUND;
		if (m->steps < 0)
			return give_up(m);
		if (s == m->subject_end || m->is_anchored)
			return MATCH_NONE;
	}
}

struct str match_text(const struct match *m)
{
	return (struct str){m->subject.p + m->start, m->end - m->start};
}
