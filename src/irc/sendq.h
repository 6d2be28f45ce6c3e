/*
 * sendq: lines waiting for the server's patience.
 *
 * Servers disconnect clients that talk too fast (RFC 1459, section 8.10). A sendq releases at
 * most a line per line_ns after a burst, urgent lanes first. It holds no clock: callers pass
 * monotonic nanoseconds, so tests choose the time.
 *
 * In the normal lane targets take turns, a line each, so that a long reply in one channel does not
 * stall the others. A target is what a line names: a channel, a nick; here only bytes that are
 * equal or not. Lines that name none share one turn. The rules:
 *
 *  - A target that begins to wait, and was not served while those of the ring had a turn, goes
 *    before all that are in the ring: what is rarely spoken to is answered at once. Several such
 *    go in the order in which they began.
 *  - After its line a target goes to the end of the ring, also when nothing of it waits any more:
 *    who says one line at a time gets no more turns than who says two hundred at once.
 *  - Once all newcomers have gone that were there when the first of them went, the ring has a line
 *    before the next: endless newcomers slow it down, but do not stop it.
 *
 * So a single line to a target that was quiet leaves within two line times, where no other such
 * waits; and of n targets that wait on, each has every nth line.
 *
 * Lines that have a target in common keep their order. A line with several targets goes when it is
 * the first of each; a target whose first line waits for another's gives its turn away until then.
 * Lines that are bound go one right after the other, before all else, the other lanes too.
 * Pushing and dropping a line costs time in proportion to its targets, however much waits.
 */
#ifndef EBB_IRC_SENDQ_H
#define EBB_IRC_SENDQ_H

#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"

enum lane {
	LANE_FIRST,  /* QUIT */
	LANE_URGENT, /* what the session itself must say soon, in its order */
	LANE_NORMAL, /* the rest: targets take turns */
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
	struct list lines;              /* in the order of their pushes */
	struct list lanes[LANE_NORMAL]; /* the lines of the lanes before the normal one */
	/* Targets: those that began to wait, those of them whose turn it is now, and those that had
	 * one. The first of each has a line that may go. */
	struct list newcomers, batch, ring;
	struct map targets;
	struct sendq_line *bound; /* goes next, whatever else waits; or NULL */
	size_t n_idle;            /* targets for which nothing waits, in the ring */
	bool owes_ring;           /* newcomers went before it */
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

/* Copies line, which comes without CR LF, and targets: the names that it is about with commas
 * between, folded so that equal ones are the same bytes; absent for a line about none. Only the
 * normal lane looks at them. ERR_INVALID for a line that is empty or holds a CR, LF or NUL;
 * ERR_LIMIT if max_bytes would be passed; the queue is then unchanged. */
NODISCARD int sendq_push(
	struct sendq *q, enum lane lane, struct str line, struct str targets, int64_t now_ns);

/* Nothing goes between the line that was pushed last and the one that is pushed next: both are of
 * the normal lane and about the same target, and only about that. */
void sendq_bind(struct sendq *q);

/* Whether a line, which sendq_takes, may go at once, past an empty queue: then it counts as if it
 * had been in there. */
bool sendq_pass(struct sendq *q, int64_t now_ns);

/* The next line that may go at now_ns, or an absent slice. Borrowed until sendq_drop. */
struct str sendq_peek(const struct sendq *q, int64_t now_ns);

/* The number of the line that sendq_peek gives: how many were pushed before it. */
uint64_t sendq_peek_number(const struct sendq *q);

/* The line that sendq_peek gave, with no push since, is on its way: forgets it and counts it
 * against the pace. */
void sendq_drop(struct sendq *q, int64_t now_ns);

/* Whether the lines are gone that were there when q->pushed was `pushed`, whatever came after. */
bool sendq_is_past(const struct sendq *q, uint64_t pushed);

/* When the next line may go: a time, possibly past; -1 when none waits. */
int64_t sendq_next(const struct sendq *q);

/* Why a line waits. */
enum sendq_why {
	SENDQ_PACE,  /* it is the next, and too soon after those that went */
	SENDQ_TURN,  /* others have their turn first */
	SENDQ_ORDER, /* behind an earlier line about the same target, or in its lane */
};

struct sendq_wait {
	struct str line;
	enum lane lane;
	enum sendq_why why;
	int64_t waited_ns;
	int64_t next_ns; /* SENDQ_PACE: when it may go; else -1 */
};

/* "pace", "turn", "order" */
const char *sendq_why_name(enum sendq_why why);

/* Tells of each line that waits, in the order of their pushes. Told borrows w, and must not change
 * the queue. */
void sendq_each(const struct sendq *q, int64_t now_ns,
	void (*told)(void *data, const struct sendq_wait *w), void *data);

#endif
