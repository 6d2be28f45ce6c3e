#include "base/clock.h"

#include <time.h>

static int64_t read_clock(clockid_t id)
{
	struct timespec ts;
	clock_gettime(id, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static int64_t system_mono(void *data)
{
	(void)data;
	return read_clock(CLOCK_MONOTONIC);
}

static int64_t system_wall(void *data)
{
	(void)data;
	return read_clock(CLOCK_REALTIME);
}

const struct clock clock_system = {system_mono, system_wall, NULL};

int64_t clock_mono_ns(const struct clock *c)
{
	return c->mono_ns(c->data);
}

int64_t clock_wall_ns(const struct clock *c)
{
	return c->wall_ns(c->data);
}

int64_t clock_from_seconds(double seconds)
{
	const int64_t longest = INT64_MAX / 4; /* leaves room to add a time of day */
	if (!(seconds > 0))
		return 0;
	if (seconds >= (double)longest / NS_PER_S)
		return longest;
	return (int64_t)(seconds * NS_PER_S);
}
