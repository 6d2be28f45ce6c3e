#include "irc/sendq.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Targets that are remembered although nothing of them waits; more count as newcomers again. */
enum { IDLE_MAX = 256 };

/* A line's place among those of one target. */
struct sendq_link {
	struct sendq_link *next;
	struct sendq_line *line;
	struct sendq_target *target;
};

struct sendq_line {
	struct list node;      /* in q->lines */
	struct list lane_node; /* in its lane, unless that is the normal one */
	enum lane lane;
	bool is_binding; /* the next one of its target follows at once */
	uint64_t number; /* of its push, from 0 on */
	int64_t since_ns;
	size_t n_behind; /* targets of which it is not the first line */
	size_t n;
	const char *bytes; /* behind the links */
	size_t n_links;
	struct sendq_link links[];
};

struct sendq_target {
	struct list node; /* in a list of q's, or in none while its first line is not the first of
			   * all its targets */
	struct sendq_link *first, *last;
	size_t n;
	char name[];
};

void sendq_init(struct sendq *q, const struct sendq_limits *limits)
{
	*q = (struct sendq){.limits = *limits};
	list_init(&q->lines);
	for (size_t i = 0; i < COUNTOF(q->lanes); i++)
		list_init(&q->lanes[i]);
	list_init(&q->newcomers);
	list_init(&q->batch);
	list_init(&q->ring);
}

void sendq_fini(struct sendq *q)
{
	if (q && q->lines.next)
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

static struct sendq_line *line_of(const struct list *node)
{
	return container_of(node, struct sendq_line, node);
}

static struct sendq_target *target_of(const struct list *node)
{
	return container_of(node, struct sendq_target, node);
}

static void free_line(struct sendq *q, struct sendq_line *l)
{
	list_remove(&l->node);
	list_remove(&l->lane_node);
	q->n_lines--;
	q->n_bytes -= l->n;
	free(l);
}

static void free_target(struct sendq *q, struct sendq_target *t)
{
	list_remove(&t->node);
	map_remove(&q->targets, (struct str){t->name, t->n});
	free(t);
}

static void free_targets(struct sendq *q)
{
	struct map_entry *e;
	while ((e = map_first(&q->targets)))
		free_target(q, map_value(e));
}

void sendq_clear(struct sendq *q)
{
	free_targets(q);
	q->bound = NULL;
	q->n_idle = 0;
	q->owes_ring = false;
	list_each_safe (node, &q->lines)
		free_line(q, line_of(node));
}

static bool has_bytes(const struct sendq *q, size_t n_bytes)
{
	size_t max = q->limits.max_bytes;
	return q->n_bytes <= max && n_bytes <= max - q->n_bytes;
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

static void forget_idle(struct sendq *q, struct sendq_target *t)
{
	q->n_idle--;
	free_target(q, t);
}

/* Sees to it that the first target of a list has a line that may go. */
static void tidy(struct sendq *q, struct list *targets)
{
	while (!list_is_empty(targets)) {
		struct sendq_target *t = target_of(targets->next);
		if (!t->first)
			forget_idle(q, t);
		else if (t->first->line->n_behind)
			list_remove(&t->node);
		else
			return;
	}
}

static void tidy_all(struct sendq *q)
{
	tidy(q, &q->newcomers);
	tidy(q, &q->batch);
	tidy(q, &q->ring);
}

static struct sendq_target *find_target(struct sendq *q, struct str name)
{
	struct sendq_target *t = map_get(&q->targets, name);
	if (t)
		return t;
	t = mem_new(sizeof(*t) + name.n);
	t->n = name.n;
	memcpy(t->name, name.p, name.n);
	list_append(&q->newcomers, &t->node);
	map_put(&q->targets, name, t);
	q->n_idle++;
	return t;
}

static void add_target(struct sendq *q, struct sendq_line *l, struct str name)
{
	struct sendq_target *t = find_target(q, name);
	if (t->first && t->last->line == l)
		return; /* named twice */
	struct sendq_link *link = &l->links[l->n_links++];
	*link = (struct sendq_link){.line = l, .target = t};
	if (t->first) {
		l->n_behind++;
		t->last->next = link;
	} else {
		q->n_idle--;
		t->first = link;
	}
	t->last = link;
}

static void add_targets(struct sendq *q, struct sendq_line *l, struct str names)
{
	while (names.n) {
		struct str name = str_cut(&names, ',');
		if (name.n)
			add_target(q, l, name);
	}
	if (l->n_links == 0)
		add_target(q, l, STR(""));
	tidy_all(q);
}

static size_t count_names(struct str names)
{
	size_t n = 1;
	for (size_t i = 0; i < names.n; i++)
		n += names.p[i] == ',';
	return n;
}

static struct sendq_line *new_line(enum lane lane, struct str line, size_t max_links)
{
	struct sendq_line *l = mem_new(sizeof(*l) + max_links * sizeof(l->links[0]) + line.n);
	char *bytes = (char *)(l->links + max_links);
	memcpy(bytes, line.p, line.n);
	l->bytes = bytes;
	l->n = line.n;
	l->lane = lane;
	list_init(&l->node);
	list_init(&l->lane_node);
	return l;
}

int sendq_push(struct sendq *q, enum lane lane, struct str line, struct str targets, int64_t now_ns)
{
	if (!sendq_takes(line))
		return ERR_INVALID;
	if (!has_bytes(q, line.n))
		return ERR_LIMIT;
	bool is_normal = lane == LANE_NORMAL;
	struct sendq_line *l = new_line(lane, line, is_normal ? count_names(targets) : 0);
	l->number = q->pushed++;
	l->since_ns = now_ns;
	list_append(&q->lines, &l->node);
	q->n_lines++;
	q->n_bytes += line.n;
	if (is_normal)
		add_targets(q, l, targets);
	else
		list_append(&q->lanes[lane], &l->lane_node);
	return 0;
}

void sendq_bind(struct sendq *q)
{
	struct sendq_line *l = line_of(q->lines.prev);
	assert(q->n_lines && l->n_links == 1);
	l->is_binding = true;
}

bool sendq_is_past(const struct sendq *q, uint64_t pushed)
{
	uint64_t oldest = q->n_lines ? line_of(q->lines.next)->number : q->pushed;
	return oldest >= pushed;
}

/* The targets whose first is served next, in the normal lane. */
static const struct list *next_targets(const struct sendq *q)
{
	if (!list_is_empty(&q->batch))
		return &q->batch;
	bool is_ring_due = q->owes_ring && !list_is_empty(&q->ring);
	return list_is_empty(&q->newcomers) || is_ring_due ? &q->ring : &q->newcomers;
}

static struct sendq_line *next_line(const struct sendq *q)
{
	if (q->bound)
		return q->bound;
	for (size_t i = 0; i < COUNTOF(q->lanes); i++)
		if (!list_is_empty(&q->lanes[i]))
			return container_of(q->lanes[i].next, struct sendq_line, lane_node);
	const struct list *targets = next_targets(q);
	return list_is_empty(targets) ? NULL : target_of(targets->next)->first->line;
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
	const struct sendq_line *l = next_line(q);
	return (struct str){l->bytes, l->n};
}

uint64_t sendq_peek_number(const struct sendq *q)
{
	return next_line(q)->number;
}

/* Newcomers that came after the first of a batch went are not of it. */
static void begin_turn(struct sendq *q)
{
	const struct list *targets = next_targets(q);
	if (targets == &q->newcomers) {
		q->owes_ring = !list_is_empty(&q->ring);
		list_splice(&q->batch, &q->newcomers);
	} else if (targets == &q->ring) {
		q->owes_ring = false;
	}
}

/* The line has become the first of all its targets: those that gave their turn away for it have it
 * now. */
static void call_back(struct sendq *q, struct sendq_line *l)
{
	for (size_t i = 0; i < l->n_links; i++)
		if (!list_is_linked(&l->links[i].target->node))
			list_append(q->ring.next, &l->links[i].target->node);
}

static void end_turn(struct sendq *q, struct sendq_target *t)
{
	list_remove(&t->node);
	list_append(&q->ring, &t->node);
	t->first = t->first->next;
	if (t->first) {
		if (--t->first->line->n_behind == 0)
			call_back(q, t->first->line);
		return;
	}
	q->n_idle++;
	if (q->n_idle > IDLE_MAX)
		forget_idle(q, t);
}

static void take_turn(struct sendq *q, struct sendq_line *l)
{
	const struct sendq_link *next = l->n_links ? l->links[0].next : NULL;
	if (l != q->bound)
		begin_turn(q);
	q->bound = l->is_binding && next ? next->line : NULL;
	for (size_t i = 0; i < l->n_links; i++)
		end_turn(q, l->links[i].target);
	tidy_all(q);
}

static void count_line(struct sendq *q, int64_t now_ns)
{
	if (q->ahead_ns < now_ns)
		q->ahead_ns = now_ns;
	q->ahead_ns += q->limits.line_ns;
}

void sendq_drop(struct sendq *q, int64_t now_ns)
{
	struct sendq_line *l = next_line(q);
	assert(l);
	if (l->lane == LANE_NORMAL)
		take_turn(q, l);
	free_line(q, l);
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

const char *sendq_why_name(enum sendq_why why)
{
	static const char *const names[] = {
		[SENDQ_PACE] = "pace",
		[SENDQ_TURN] = "turn",
		[SENDQ_ORDER] = "order",
	};
	return names[why];
}

static enum sendq_why why_waits(const struct sendq *q, const struct sendq_line *l)
{
	if (l == next_line(q))
		return SENDQ_PACE;
	bool is_first =
		l->lane == LANE_NORMAL ? l->n_behind == 0 : q->lanes[l->lane].next == &l->lane_node;
	return is_first ? SENDQ_TURN : SENDQ_ORDER;
}

void sendq_each(const struct sendq *q, int64_t now_ns,
	void (*told)(void *data, const struct sendq_wait *w), void *data)
{
	list_each (node, &q->lines) {
		const struct sendq_line *l = line_of(node);
		struct sendq_wait w = {
			{l->bytes, l->n},
                        l->lane, why_waits(q, l), now_ns - l->since_ns, -1
                };
		if (w.why == SENDQ_PACE)
			w.next_ns = next_at(q);
		told(data, &w);
	}
}
