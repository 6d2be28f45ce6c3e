#include "irc/sendq.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct sendq_line {
	struct sendq_line *next;
	size_t n;
	char bytes[];
};

void sendq_init(struct sendq *q, const struct sendq_limits *limits)
{
	*q = (struct sendq){.limits = *limits};
	for (size_t i = 0; i < LANE_COUNT; i++)
		q->lanes[i].end = &q->lanes[i].first;
}

void sendq_fini(struct sendq *q)
{
	if (q)
		sendq_clear(q);
}

void sendq_limit(struct sendq *q, const struct sendq_limits *limits, int64_t now_ns)
{
	int64_t ahead_ns = q->ahead_ns - now_ns, line_ns = q->limits.line_ns;
	if (line_ns && ahead_ns > 0) {
		double lines = (double)ahead_ns / (double)line_ns;
		q->ahead_ns =
			now_ns + clock_from_seconds(lines * (double)limits->line_ns / NS_PER_S);
	}
	q->limits = *limits;
}

static void drop_first(struct sendq *q, struct sendq_lane *lane)
{
	struct sendq_line *line = lane->first;
	lane->first = line->next;
	if (!lane->first)
		lane->end = &lane->first;
	q->n_lines--;
	q->n_bytes -= line->n;
	free(line);
}

void sendq_clear(struct sendq *q)
{
	for (size_t i = 0; i < LANE_COUNT; i++)
		while (q->lanes[i].first)
			drop_first(q, &q->lanes[i]);
}

static bool has_bytes(const struct sendq *q, size_t n_bytes)
{
	return n_bytes <= q->limits.max_bytes - q->n_bytes;
}

bool sendq_has_room(const struct sendq *q, size_t n, size_t n_bytes)
{
	size_t max = q->limits.max_lines;
	bool has_lines = q->n_lines == 0 || (q->n_lines <= max && n <= max - q->n_lines);
	return has_lines && has_bytes(q, n_bytes);
}

bool sendq_takes(struct str line)
{
	return line.n > 0 && !str_has(line, '\0') && !str_has(line, '\r') && !str_has(line, '\n');
}

int sendq_push(struct sendq *q, enum lane lane, struct str line)
{
	if (!sendq_takes(line))
		return ERR_INVALID;
	if (!has_bytes(q, line.n))
		return ERR_LIMIT;
	struct sendq_line *l = mem_new(sizeof(*l) + line.n);
	l->n = line.n;
	memcpy(l->bytes, line.p, line.n);
	*q->lanes[lane].end = l;
	q->lanes[lane].end = &l->next;
	q->n_lines++;
	q->n_bytes += line.n;
	q->pushed++;
	return 0;
}

bool sendq_is_past(const struct sendq *q, uint64_t pushed)
{
	return q->pushed - q->n_lines >= pushed;
}

/* The most urgent lane in which a line waits, or LANE_COUNT. */
static size_t next_lane(const struct sendq *q)
{
	size_t i = 0;
	while (i < LANE_COUNT && !q->lanes[i].first)
		i++;
	return i;
}

/* When a line may go. */
static int64_t next_at(const struct sendq *q)
{
	int64_t at_ns = q->ahead_ns - q->limits.burst_ns;
	return q->limits.line_ns && at_ns > 0 ? at_ns : 0;
}

int64_t sendq_next(const struct sendq *q)
{
	return q->n_lines ? next_at(q) : -1;
}

struct str sendq_peek(const struct sendq *q, int64_t now_ns)
{
	if (q->n_lines == 0 || sendq_next(q) > now_ns)
		return STR_NONE;
	const struct sendq_line *line = q->lanes[next_lane(q)].first;
	return (struct str){line->bytes, line->n};
}

static void count_line(struct sendq *q, int64_t now_ns)
{
	if (q->ahead_ns < now_ns)
		q->ahead_ns = now_ns;
	q->ahead_ns += q->limits.line_ns;
}

void sendq_drop(struct sendq *q, int64_t now_ns)
{
	assert(q->n_lines);
	drop_first(q, &q->lanes[next_lane(q)]);
	count_line(q, now_ns);
}

bool sendq_pass(struct sendq *q, int64_t now_ns)
{
	if (q->n_lines > 0 || next_at(q) > now_ns)
		return false;
	q->pushed++;
	count_line(q, now_ns);
	return true;
}
