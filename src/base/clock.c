#include "base/clock.h"

#include <assert.h>
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

/* Read in this order, a pause between the two only makes it less. */
static int64_t system_asleep(void *data)
{
	int64_t boot_ns = read_clock(CLOCK_BOOTTIME);
	return boot_ns - system_mono(data);
}

const struct clock clock_system = {system_mono, system_wall, NULL, NULL, system_asleep};

static int64_t virtual_mono(void *data)
{
	const struct virtual_clock *v = data;
	return v->now_ns + (v->holds ? system_mono(NULL) - v->held_ns : 0);
}

static int64_t virtual_wall(void *data)
{
	const struct virtual_clock *v = data;
	return virtual_mono(data) + v->wall_offset_ns;
}

static int64_t virtual_asleep(void *data)
{
	const struct virtual_clock *v = data;
	return v->asleep_ns;
}

void virtual_clock_init(struct virtual_clock *v, int64_t mono_ns, int64_t wall_ns)
{
	*v = (struct virtual_clock){
		.clock = {virtual_mono, virtual_wall, v, v, virtual_asleep},
		.now_ns = mono_ns,
		.wall_offset_ns = wall_ns - mono_ns
        };
}

void virtual_clock_jump(struct virtual_clock *v, int64_t at_ns)
{
	if (!v->holds && at_ns > v->now_ns)
		v->now_ns = at_ns;
}

void virtual_clock_sleep(struct virtual_clock *v, int64_t ns)
{
	v->asleep_ns += ns;
	v->wall_offset_ns += ns;
}

void clock_hold(const struct clock *c)
{
	struct virtual_clock *v = c->is_virtual;
	if (v && v->holds++ == 0)
		v->held_ns = system_mono(NULL);
}

void clock_release(const struct clock *c)
{
	struct virtual_clock *v = c->is_virtual;
	if (!v)
		return;
	assert(v->holds);
	v->now_ns = virtual_mono(v);
	v->held_ns = system_mono(NULL);
	v->holds--;
}

int64_t clock_mono_ns(const struct clock *c)
{
	return c->mono_ns(c->data);
}

int64_t clock_wall_ns(const struct clock *c)
{
	return c->wall_ns(c->data);
}

int64_t clock_asleep_ns(const struct clock *c)
{
	return c->asleep_ns ? c->asleep_ns(c->data) : 0;
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

int64_t clock_earlier(int64_t a_ns, int64_t b_ns)
{
	if (a_ns < 0 || b_ns < 0)
		return a_ns < 0 ? b_ns : a_ns;
	return a_ns < b_ns ? a_ns : b_ns;
}

int64_t clock_doubled(int64_t delay_ns, unsigned times, int64_t max_ns)
{
	return times < 63 && delay_ns <= max_ns >> times ? delay_ns << times : max_ns;
}
