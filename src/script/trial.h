/*
 * trial: what one test of scripts works with: networks in the process, bots on them, and all that
 * was said, done and logged.
 *
 * Bots are made by whoever runs the test (trial_ops), for a bot is a daemon's network and scripts
 * of its own. Everything in here lives until trial_fini; times are the loop's, whose clock is
 * virtual.
 */
#ifndef EBB_SCRIPT_TRIAL_H
#define EBB_SCRIPT_TRIAL_H

#include "base/err.h"
#include "base/log.h"
#include "net/loop.h"
#include "script/options.h"
#include "script/pending.h"
#include "sim/network.h"
#include "sim/watch.h"

struct trial_script {
	const char *name; /* or a path, relative to the folder of the test */
	const char *source;
	/* Lua source that runs in the script's state before it: what a test cannot bring about or
	 * cannot foresee is changed here, as in `math.random = function() return 0.5 end`. */
	const char *prelude;
	setting_pair *pairs; /* the script's own keys */
	size_t n_pairs;
};

struct trial_bot_options {
	struct trial_script *scripts;
	size_t n_scripts;
	struct trial_net **nets;
	size_t n_nets;
	setting_pair *settings; /* keys of [network] */
	size_t n_settings;
};

struct trial_bot {
	struct list node;
	struct trial *trial;
	void *made;        /* by trial_ops; NULL: it was stopped */
	struct host *host; /* made's */
	uint64_t since;    /* what is older is its own, and may stay */
	bool is_up;        /* since does not move any more */
	struct trial_net **nets;
	size_t n_nets;
	struct list conns; /* struct trial_conn: all it ever had */
};

struct trial_net {
	struct list node;
	struct trial *trial;
	char *name;
	struct sim_network *sim;
	int64_t *attempts_ns; /* when bots tried to connect */
	size_t n_attempts;
};

/* Something said or done. */
struct trial_line {
	struct list node;
	int64_t at_ns;
	const struct trial_net *net;
	const struct trial_bot *bot; /* NULL: a person's deed, or the server's */
	bool is_read;
	char text[]; /* a line as others get it */
};

struct trial_entry {
	struct list node;
	int64_t at_ns;
	enum log_level level;
	bool is_read;
	char text[];
};

struct trial_ops {
	/* Makes the bot: fills in its host and returns what is to be ended; NULL and why. */
	void *(*make)(void *data, struct trial_bot *bot, const struct trial_bot_options *options,
		struct err *err);
	void (*end)(void *made);
};

struct trial_test {
	char *name;
	int function_ref; /* in the registry of the test's script */
	int64_t limit_ns;
};

struct trial {
	struct loop *loop;           /* borrowed; outlives the trial */
	struct rand *rand;           /* borrowed */
	const struct trial_ops *ops; /* borrowed */
	void *data;
	int64_t start_ns;
	struct list nets, bots;
	struct list lines, log; /* in their order */
	struct list settlers;   /* struct waiter: tasks that wait until nothing else can run */
	struct list hearers;    /* struct waiter: until a bot says or does something */
	struct job quiet;
	struct trial_test *tests; /* that the script defined */
	size_t n_tests;
	unsigned unasked;                           /* expectations that nothing was asked of */
	bool is_closed;                             /* no test is defined any more */
	void (*ended)(void *data, const char *why); /* of the test that runs */
	void *ended_data;
};

#define TRIAL_LIMIT_NS (604800 * NS_PER_S) /* a week */

void trial_init(struct trial *t, struct loop *loop, struct rand *rand, const struct trial_ops *ops,
	void *data);

/* The bots were ended, and the loop was quiet since. */
void trial_fini(struct trial *t);

/* The seconds since the trial began. */
double trial_seconds(const struct trial *t, int64_t at_ns);

/* Copies name; NULL for a profile that there is not. */
struct trial_net *trial_net_new(
	struct trial *t, const char *name, const struct sim_options *options);

/* The first of that name; NULL: there is none. */
struct sim_network *trial_find_sim(const struct trial *t, struct str name);

/* NULL and why. What its scripts have when nothing else can run, and all its networks have been
 * ready, is its own; what comes later is expected to end. */
struct trial_bot *trial_bot_new(
	struct trial *t, const struct trial_bot_options *options, struct err *err);

/* Does nothing for one that was stopped. */
void trial_bot_stop(struct trial_bot *b);
void trial_stop_all(struct trial *t);

/* A bot tried to connect; conn NULL: in vain. */
void trial_tried(struct trial_bot *b, struct sim_network *sim, const struct sim_conn *conn);

/* Whether the only script of h, which was loaded, has defined all its tests: its main chunk ended.
 */
bool trial_is_defined(const struct host *h);

/* Begins a test, one of t->tests, in the host whose only script defined it. ended is told once,
 * with why it failed or NULL, borrowed for the call. False: there is no memory. */
NODISCARD bool trial_start(struct trial *t, struct host *h, const struct trial_test *test,
	void (*ended)(void *data, const char *why), void *data);

/* Whether a Lua pattern matches a name; ERR_INVALID for what is no pattern. */
NODISCARD int trial_matches(const char *name, const char *pattern);

/* Something was logged. Copies text. */
void trial_log(struct trial *t, enum log_level level, struct str text);

/* Wakes the settlers when nothing else can run. */
void trial_want_quiet(struct trial *t);

/* The first line of the bot's, not read before, that is `is_wanted`, which it then counts as
 * read; parsed into *m. NULL when there is none. */
typedef bool trial_wanted(const struct message *m, const void *data);
const struct trial_line *trial_next(
	const struct trial_bot *b, trial_wanted *is_wanted, const void *data, struct message *m);

/* What the bots' scripts have under way since they settled; returns how many there are. */
unsigned trial_pending(struct trial *t, pending_tell *tell, void *data);

#endif
