/*
 * stage: scripts on a host of their own, with a fake network and a clock that the test moves.
 *
 * The network is a struct net whose other end is the test: what scripts send is noted, and lines,
 * connections and their ends come when the test says so. What scripts request is paired with the
 * lines that come, as a session does. Nothing waits for anything real.
 */
#ifndef EBB_TESTS_SUPPORT_STAGE_H
#define EBB_TESTS_SUPPORT_STAGE_H

#include "script/net.h"
#include "script/program.h"
#include "support/check.h"

enum { STAGE_NETS = 2 };

struct stage_net {
	struct net *net;
	struct isupport *isupport;
	struct caps caps;
	struct roster *roster; /* it hears the lines that are fed */
	struct buf extra;      /* what a line does not say itself */
	const char *account;   /* our own; NULL */
	bool is_connected, is_usable, is_closing;
	bool is_full; /* what is sent has to wait */
	bool has_labels, has_no_tags;
	bool says; /* what is said at once, as "said #target text" */
	struct requests requests;
	struct batches batches;
	struct timer tick; /* of requests */
	int attempts;      /* how often connect was asked for */
	const char *state;
};

struct stage {
	struct timers timers;
	struct clock clock;
	int64_t wall_offset_ns; /* wall clock less timers */
	struct host host;
	struct stage_net nets[STAGE_NETS]; /* "one" and "two" */
	size_t n_nets;
	struct stage_net made; /* net NULL: scripts have made none */
	struct net_maker maker;
	struct timer removal; /* of it */
	struct buf sent;      /* lines that scripts sent, "\n" after each; "two: " before its own */
	struct buf log;       /* "level text\n" */
	char folder[64];      /* scripts stand in it while they are loaded */
	struct script_limits limits;    /* of those that are loaded from now on */
	const char *const *lib_folders; /* the same */
	size_t n_lib_folders;
	struct program_asker asker; /* of the last reload */
	bool is_reloading;          /* it has not been told yet */
	bool is_wanted;
	size_t n_events; /* on the heap before */
};

/* With the networks "one" and, if wanted, "two", both ready for use as nick "ebb". */
void stage_begin(struct stage *st, size_t n_nets);
void stage_end(struct stage *st);

/* The last of its networks is configured no more. */
void stage_drop_net(struct stage *st);

/* So is the one that a script made, which is there at once, and ready. */
void stage_drop_made(struct stage *st);

/* Loads a script from its source; false when it is refused. */
bool stage_load(struct stage *st, const char *name, const char *source);

/* Reloads a script from that source; NULL: its file is gone. What follows at once happens. Returns
 * why it was refused, "" where it was not, NULL as long as it is under way. */
const char *stage_reload(struct stage *st, const char *name, const char *source);

/* The same of a reload that was under way. */
const char *stage_outcome(struct stage *st);

/* What the scripts do in one turn of the loop. */
void stage_turn(struct stage *st);

/* Runs until there is nothing left to do now. */
void stage_run(struct stage *st);

/* Time passes, from deadline to deadline. */
void stage_pass(struct stage *st, double seconds);

/* The whole file, into a buffer that it begins; the caller ends it. */
void stage_read(struct buf *out, const char *path);

/* How many handles the host has given out. */
size_t stage_handles(const struct stage *st);

/* A line comes from network i, to its roster after the scripts; what does not follow at once waits
 * for stage_run. */
void stage_feed(struct stage *st, size_t i, const char *line);

/* A line comes from network i, and all that follows happens. */
void stage_line(struct stage *st, size_t i, const char *line);

/* The connection of network i ends; or, where it has none, the attempt fails. */
void stage_lose(struct stage *st, size_t i, int code, const char *why);

/* Network i becomes ready for use. */
void stage_connect(struct stage *st, size_t i);

/* The queue of network i has room again. */
void stage_room(struct stage *st, size_t i);

/* What was sent since the last call, exactly. */
#define stage_expect(st, expected) stage_check((st), (expected), __FILE__, __LINE__)
void stage_check(struct stage *st, const char *expected, const char *file, int line);

/* That the log has this text; forgets the log. */
#define stage_expect_log(st, text) stage_check_log((st), (text), __FILE__, __LINE__)
void stage_check_log(struct stage *st, const char *text, const char *file, int line);

#endif
