#include "irc/message.h"

#include "base/clock.h"
#include "base/err.h"

#include <string.h>
#include <time.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool has_forbidden(struct str s)
{
	return memchr(s.p, '\0', s.n) || memchr(s.p, '\r', s.n) || memchr(s.p, '\n', s.n);
}

static struct str absent_if_empty(struct str s)
{
	return s.n ? s : STR_NONE;
}

/* Takes what stands before the next space, and the spaces after it. */
static struct str take_word(struct str *rest)
{
	const char *end = rest->p + rest->n;
	const char *space = memchr(rest->p, ' ', rest->n);
	const char *next = space ? space : end;
	struct str word = {rest->p, (size_t)(next - rest->p)};
	while (next < end && *next == ' ')
		next++;
	*rest = (struct str){next, (size_t)(end - next)};
	return word;
}

/* Takes a word that begins with mark, which is left out; absent when there is none. */
static struct str take_marked(struct str *rest, char mark)
{
	if (rest->n == 0 || rest->p[0] != mark)
		return STR_NONE;
	return absent_if_empty(str_skip(take_word(rest), 1));
}

/* The last @ ends the user: a user may have chosen one that holds an @, a host never does. */
static void split_source(struct message *m)
{
	struct str s = m->source;
	const char *at = memrchr(s.p, '@', s.n);
	size_t host_at = at ? (size_t)(at - s.p) : s.n;
	struct str who = {s.p, host_at};
	size_t user_at = str_find(who, '!');
	if (!at && user_at == s.n && str_has(s, '.')) {
		m->host = s;
		return;
	}
	m->nick = absent_if_empty((struct str){s.p, user_at});
	m->user = absent_if_empty(str_skip(who, user_at + 1));
	m->host = absent_if_empty(str_skip(s, host_at + 1));
}

static int read_numeric(struct str word)
{
	const char *p = word.p;
	if (word.n != 3 || !is_digit(p[0]) || !is_digit(p[1]) || !is_digit(p[2]))
		return -1;
	return (p[0] - '0') * 100 + (p[1] - '0') * 10 + (p[2] - '0');
}

static bool is_command(struct str word)
{
	for (size_t i = 0; i < word.n; i++)
		if (!is_letter(word.p[i]))
			return false;
	return word.n > 0;
}

static void take_params(struct message *m, struct str rest)
{
	while (rest.n && rest.p[0] != ':' && m->n_params < MESSAGE_PARAMS_MAX - 1)
		m->params[m->n_params++] = take_word(&rest);
	if (rest.n)
		m->params[m->n_params++] = str_skip(rest, rest.p[0] == ':');
}

int message_parse(struct message *m, struct str line)
{
	m->raw = line;
	m->nick = m->user = m->host = STR_NONE;
	m->n_params = 0; /* to clear them all would take as long as to find them */
	if (line.n == 0 || has_forbidden(line))
		return ERR_INVALID;
	struct str rest = line;
	m->tags = take_marked(&rest, '@');
	if (m->tags.n + STR("@ ").n > MESSAGE_TAGS_BYTES)
		return ERR_LIMIT;
	m->source = take_marked(&rest, ':');
	if (m->source.n)
		split_source(m);
	m->command = take_word(&rest);
	m->numeric = read_numeric(m->command);
	if (m->numeric < 0 && !is_command(m->command))
		return ERR_INVALID;
	take_params(m, rest);
	return 0;
}

struct str message_param(const struct message *m, size_t i)
{
	return i < m->n_params ? m->params[i] : STR_NONE;
}

struct str message_last(const struct message *m)
{
	return m->n_params ? m->params[m->n_params - 1] : STR_NONE;
}

bool message_is_text(const struct message *m)
{
	return str_ieq(m->command, STR("PRIVMSG")) || str_ieq(m->command, STR("NOTICE"));
}

bool message_next_tag(struct str *rest, struct str *key, struct str *value)
{
	while (rest->n) {
		struct str tag = str_cut(rest, ';');
		size_t n = str_find(tag, '=');
		if (n == 0)
			continue;
		*key = (struct str){tag.p, n};
		*value = str_skip(tag, n + 1);
		return true;
	}
	return false;
}

struct str message_tag(const struct message *m, struct str key)
{
	struct str found = STR_NONE;
	struct str rest = m->tags, k, value;
	while (message_next_tag(&rest, &k, &value))
		if (str_eq(k, key))
			found = value;
	return absent_if_empty(found);
}

bool message_has_tag(const struct message *m, struct str key)
{
	struct str rest = m->tags, k, value;
	while (message_next_tag(&rest, &k, &value))
		if (str_eq(k, key))
			return true;
	return false;
}

static const struct {
	char plain, escaped; /* the latter after a backslash */
} escapes[] = {
	{';',  ':' },
	{' ',  's' },
	{'\\', '\\'},
	{'\r', 'r' },
	{'\n', 'n' },
};

/* What stands for c after a backslash, or NUL when c stands for itself. */
static char escape_of(char c)
{
	for (size_t i = 0; i < COUNTOF(escapes); i++)
		if (escapes[i].plain == c)
			return escapes[i].escaped;
	return '\0';
}

static char plain_of(char c)
{
	for (size_t i = 0; i < COUNTOF(escapes); i++)
		if (escapes[i].escaped == c)
			return escapes[i].plain;
	return c;
}

static size_t unescaped_size(struct str value)
{
	size_t n = 0;
	for (size_t i = 0; i < value.n; i++, n++)
		if (value.p[i] == '\\' && ++i == value.n)
			break;
	return n;
}

int message_unescape(struct buf *out, struct str value)
{
	size_t n = unescaped_size(value);
	char *to = buf_reserve(out, n);
	if (!to)
		return ERR_LIMIT;
	for (size_t i = 0, k = 0; k < n; i++, k++)
		to[k] = value.p[i] == '\\' ? plain_of(value.p[++i]) : value.p[i];
	buf_commit(out, n);
	return 0;
}

static size_t escaped_size(struct str value)
{
	size_t n = value.n;
	for (size_t i = 0; i < value.n; i++)
		n += escape_of(value.p[i]) != '\0';
	return n;
}

int message_escape(struct buf *out, struct str value)
{
	if (str_has(value, '\0'))
		return ERR_INVALID;
	size_t n = escaped_size(value);
	char *to = buf_reserve(out, n);
	if (!to)
		return ERR_LIMIT;
	for (size_t i = 0; i < value.n; i++) {
		char escaped = escape_of(value.p[i]);
		if (escaped)
			*to++ = '\\';
		*to++ = escaped ? escaped : value.p[i];
	}
	buf_commit(out, n);
	return 0;
}

/* Reads the n digits at *rest, which `after` must follow. */
static bool take_number(struct str *rest, size_t n, char after, int min, int max, int *out)
{
	struct str digits = str_cut(rest, after);
	int64_t value;
	if (!rest->p || digits.n != n || !str_int(digits, min, max, &value))
		return false;
	*out = (int)value;
	return true;
}

/* The last year that ends within int64_t nanoseconds is 2261. */
static bool take_date(struct str *rest, struct tm *tm)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int year, month, day;
	if (!take_number(rest, 4, '-', 1970, 2261, &year) ||
		!take_number(rest, 2, '-', 1, 12, &month) ||
		!take_number(rest, 2, 'T', 1, 31, &day))
		return false;
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	if (day > days[month - 1] + (month == 2 && is_leap))
		return false;
	tm->tm_year = year - 1900;
	tm->tm_mon = month - 1;
	tm->tm_mday = day;
	return true;
}

/* Digits beyond the ninth are less than a nanosecond. */
static bool read_fraction(struct str digits, int64_t *ns)
{
	int64_t unit = NS_PER_S / 10;
	*ns = 0;
	for (size_t i = 0; i < digits.n; i++, unit /= 10) {
		if (!is_digit(digits.p[i]))
			return false;
		*ns += (digits.p[i] - '0') * unit;
	}
	return digits.n > 0;
}

bool message_time(struct str value, int64_t *wall_ns)
{
	struct str rest = value;
	struct tm tm = {0};
	if (!take_date(&rest, &tm) || !take_number(&rest, 2, ':', 0, 23, &tm.tm_hour) ||
		!take_number(&rest, 2, ':', 0, 59, &tm.tm_min))
		return false;
	int64_t fraction_ns = 0;
	bool has_fraction = str_has(rest, '.');
	if (!take_number(&rest, 2, has_fraction ? '.' : 'Z', 0, 60, &tm.tm_sec))
		return false;
	if (has_fraction && (!read_fraction(str_cut(&rest, 'Z'), &fraction_ns) || !rest.p))
		return false;
	if (rest.n)
		return false;
	*wall_ns = timegm(&tm) * NS_PER_S + fraction_ns;
	return true;
}
