#include "script/cron.h"

#include "base/clock.h"

#include <time.h>

enum { NAME_LETTERS = 3, YEARS_AHEAD = 5 };

static const char month_names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
static const char weekday_names[] = "sunmontuewedthufrisat";

static const struct field {
	const char *name;
	int64_t min, max;
	const char *names; /* three letters each, from min on; NULL for none */
} fields[] = {
	{"minute",           0, 59, NULL         },
	{"hour",             0, 23, NULL         },
	{"day of the month", 1, 31, NULL         },
	{"month",            1, 12, month_names  },
	{"day of the week",  0, 7,  weekday_names},
};

static bool read_name(const struct field *f, struct str s, int64_t *out)
{
	struct str rest = str_of(f->names);
	for (int64_t i = f->min; rest.n; i++, rest = str_skip(rest, NAME_LETTERS)) {
		if (s.n == NAME_LETTERS && str_ieq(s, (struct str){rest.p, NAME_LETTERS})) {
			*out = i;
			return true;
		}
	}
	return false;
}

static bool read_value(const struct field *f, struct str s, int64_t *out)
{
	return str_int(s, f->min, f->max, out) || read_name(f, s, out);
}

/* "*", "5", "1-5", each with or without "/2". */
static bool read_item(const struct field *f, struct str item, uint64_t *bits)
{
	struct str step_text = item;
	struct str range = str_cut(&step_text, '/');
	int64_t first = f->min, last = f->max, step = 1;
	if (step_text.p && !str_int(step_text, 1, f->max, &step))
		return false;
	if (!str_eq(range, STR("*"))) {
		struct str end = range;
		struct str begin = str_cut(&end, '-');
		if (!read_value(f, begin, &first))
			return false;
		last = step_text.p ? f->max : first;
		if (end.p && (!read_value(f, end, &last) || last < first))
			return false;
	}
	for (int64_t i = first; i <= last; i += step)
		*bits |= UINT64_C(1) << i;
	return true;
}

static bool read_field(const struct field *f, struct str text, uint64_t *bits)
{
	*bits = 0;
	while (text.p)
		if (!read_item(f, str_cut(&text, ','), bits))
			return false;
	return true;
}

int cron_parse(struct str spec, struct cron *out, struct err *err)
{
	uint64_t *places[] = {&out->minutes, &out->hours, &out->days, &out->months, &out->weekdays};
	for (size_t i = 0; i < COUNTOF(fields); i++) {
		struct str word = str_word(&spec, " \t");
		if (word.n == 0)
			return err_set(err, ERR_INVALID, "the %s is missing", fields[i].name);
		if (!read_field(&fields[i], word, places[i]))
			return err_set(err, ERR_INVALID, "%s: '%" STR_F "' makes no sense",
				fields[i].name, STR_A(word));
		if (places[i] == &out->hours)
			out->any_hour = word.p[0] == '*';
		if (places[i] == &out->days)
			out->any_day = word.p[0] == '*';
		if (places[i] == &out->weekdays)
			out->any_weekday = word.p[0] == '*';
	}
	if (str_word(&spec, " \t").n)
		return err_set(err, ERR_INVALID, "more than five fields");
	out->weekdays |= out->weekdays >> 7 & 1; /* 7 is Sunday too */
	return 0;
}

static bool has(uint64_t bits, int i)
{
	return bits >> i & 1;
}

static bool is_day(const struct cron *c, const struct tm *tm)
{
	bool day = has(c->days, tm->tm_mday), weekday = has(c->weekdays, tm->tm_wday);
	if (c->any_day || c->any_weekday)
		return day && weekday;
	return day || weekday;
}

/* Whether the clock showed the same before it was set back: by one hour nearly everywhere. */
static bool is_second_time(time_t at, const struct tm *tm)
{
	static const int shifts_s[] = {3600, 1800, 7200};
	for (size_t i = 0; i < COUNTOF(shifts_s); i++) {
		time_t before = at - shifts_s[i];
		struct tm then;
		localtime_r(&before, &then);
		if (then.tm_mday == tm->tm_mday && then.tm_hour == tm->tm_hour &&
			then.tm_min == tm->tm_min)
			return true;
	}
	return false;
}

static int to_next_hour(const struct tm *tm)
{
	return 3600 - tm->tm_min * 60 - tm->tm_sec;
}

/* How many seconds to go on, at least to the next minute that may fit; 0 where this one does. The
 * clock may be set on these seconds, hence no step of a day: none passes over a midnight. */
static int step_s(const struct cron *c, time_t at, const struct tm *tm)
{
	enum { EVENING = 20 };
	if (!has(c->months, tm->tm_mon + 1) || !is_day(c, tm))
		return tm->tm_hour < EVENING ? (EVENING - 1 - tm->tm_hour) * 3600 + to_next_hour(tm)
					     : to_next_hour(tm);
	if (!has(c->hours, tm->tm_hour))
		return to_next_hour(tm);
	bool fits = has(c->minutes, tm->tm_min) && (c->any_hour || !is_second_time(at, tm));
	return fits ? 0 : 60 - tm->tm_sec;
}

void cron_copy(struct cron *to, const struct cron *from)
{
	to->minutes = from->minutes;
	to->hours = from->hours;
	to->days = from->days;
	to->months = from->months;
	to->weekdays = from->weekdays;
	to->any_hour = from->any_hour;
	to->any_day = from->any_day;
	to->any_weekday = from->any_weekday;
}

int64_t cron_next(const struct cron *c, int64_t wall_ns)
{
	time_t at = wall_ns / NS_PER_S;
	struct tm tm;
	localtime_r(&at, &tm);
	int last_year = tm.tm_year + YEARS_AHEAD;
	for (int s = 60 - tm.tm_sec; s > 0; s = step_s(c, at, &tm)) {
		at += s;
		localtime_r(&at, &tm);
		if (tm.tm_year > last_year)
			return -1;
	}
	return (int64_t)at * NS_PER_S;
}
