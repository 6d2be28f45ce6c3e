/*
 * sendq: lines waiting for the server's patience.
 *
 * Servers disconnect clients that talk too fast (RFC 1459, section 8.10). A sendq releases at
 * most a line per line_ns after a burst, urgent lanes first. It holds no clock: callers pass
 * monotonic nanoseconds, so tests choose the time.
 */
#ifndef EBB_IRC_SENDQ_H
#define EBB_IRC_SENDQ_H

#include "base/buf.h"

enum lane {
	LANE_FIRST,  /* QUIT */
	LANE_URGENT, /* what the session itself must say soon */
	LANE_NORMAL, /* what scripts say, in their order */
	LANE_COUNT
};

struct sendq_limits {
	int64_t line_ns;  /* the pace; 0: no pacing */
	int64_t burst_ns; /* how far ahead of the pace a burst may run: (lines - 1) * line_ns */
	size_t max_lines; /* over all lanes */
	size_t max_bytes;
};

struct sendq {
	struct sendq_limits limits;
	int64_t ahead_ns; /* the time at which the lines sent so far would be due at an even pace */
	struct sendq_lane {
		struct sendq_line *first, **end;
	} lanes[LANE_COUNT];
	size_t n_lines, n_bytes;
	uint64_t pushed; /* lines, in all */
};

void sendq_init(struct sendq *q, const struct sendq_limits *limits);
void sendq_fini(struct sendq *q);

/* Other limits, from now on. What waits stays, also where it is more than they allow; lines that
 * went already count at the new pace. */
void sendq_limit(struct sendq *q, const struct sendq_limits *limits, int64_t now_ns);

/* Drops every line; the pace goes on. */
void sendq_clear(struct sendq *q);

/* Whether n more lines of n_bytes in all fit. Only this counts lines: ask before the first push. An
 * empty queue takes any number of lines, so a text that is split into more than max_lines parts can
 * be sent at all. */
bool sendq_has_room(const struct sendq *q, size_t n, size_t n_bytes);

/* Whether line is one: not empty, and without CR, LF and NUL. */
bool sendq_takes(struct str line);

/* Copies line, which comes without CR LF. ERR_INVALID for one that is empty or holds a CR, LF or
 * NUL; ERR_LIMIT if max_bytes would be passed; the queue is then unchanged. */
NODISCARD int sendq_push(struct sendq *q, enum lane lane, struct str line);

/* Whether a line, which sendq_takes, may go at once, past an empty queue: then it counts as if it
 * had been in there. */
bool sendq_pass(struct sendq *q, int64_t now_ns);

/* The next line that may go at now_ns, or an absent slice. Borrowed until sendq_drop. */
struct str sendq_peek(const struct sendq *q, int64_t now_ns);

/* The line that sendq_peek gave, with no push since, is on its way: forgets it and counts it
 * against the pace. */
void sendq_drop(struct sendq *q, int64_t now_ns);

/* Whether the lines are gone that were there when q->pushed was `pushed`. */
bool sendq_is_past(const struct sendq *q, uint64_t pushed);

/* When the next line may go: a time, possibly past; -1 when none waits. */
int64_t sendq_next(const struct sendq *q);

#endif
