/*
 * cron: times by the calendar, as crontab(5) writes them.
 *
 * Five fields: minute, hour, day of the month, month, day of the week (0 and 7 are Sunday); each
 * is *, a number, a range a-b, a list of these, with /step behind * or a range; months and days
 * also by the first three letters of their English names. Where both days are restricted, either
 * is enough. Local time; what the clock jumps over in spring is passed over, and what it shows
 * twice in autumn counts once, unless the hour begins with a star.
 */
#ifndef EBB_SCRIPT_CRON_H
#define EBB_SCRIPT_CRON_H

#include "base/err.h"
#include "base/str.h"

struct cron {
	uint64_t minutes, hours, days, months, weekdays; /* a bit for each number */
	bool any_hour, any_day, any_weekday;
};

/* ERR_INVALID: the text names the field. */
NODISCARD int cron_parse(struct str spec, struct cron *out, struct err *err);

/* Copies it member by member: two that name the same times are the same bytes where the memory was
 * zeroed. */
void cron_copy(struct cron *to, const struct cron *from);

/* The first time after wall_ns, as ns since the epoch; -1 where there is none within five years. */
int64_t cron_next(const struct cron *c, int64_t wall_ns);

#endif
