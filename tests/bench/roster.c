/*
 * roster: what a great channel costs, in memory and in the time of single calls: the roster alone,
 * and a session, through which every line goes.
 *
 * Prints a line for each measurement as `inside` does: name, value, unit and bar, with tabs
 * between. Time is CPU time. The longest of many calls is the least of several rounds: what else
 * the machine does only makes it longer. QUICK=1 in the environment takes a tenth of the members.
 * The map of base/ is measured beside it, for the names alone.
 */
#include "irc/roster.h"
#include "base/clock.h"
#include "base/map.h"
#include "irc/session.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 5, NAMES_IN_A_LINE = 8, SWEEP = 1000, LINES = 100000 };

static size_t members = 100000;
static struct isupport *isupport;
static struct roster *roster;
static struct session *session; /* hears the lines, where there is one */

/* Figures. */

static void print_row(const char *name, double value, const char *unit, const char *bar)
{
	printf(value < 100 ? "%s\t%.3g\t%s\t%s\n" : "%s\t%.0f\t%s\t%s\n", name, value, unit, bar);
}

struct figure {
	double total_ns, longest_ns;
	size_t n;
};

static void figure_add(struct figure *f, double ns)
{
	f->total_ns += ns;
	f->n++;
	if (ns > f->longest_ns)
		f->longest_ns = ns;
}

/* Keeps the better round. */
static void figure_keep(struct figure *best, const struct figure *round)
{
	if (best->n == 0 || round->total_ns < best->total_ns)
		best->total_ns = round->total_ns;
	if (best->n == 0 || round->longest_ns < best->longest_ns)
		best->longest_ns = round->longest_ns;
	best->n = round->n;
}

/* Of the process: others may run meanwhile. */
static double now_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)(ts.tv_sec * NS_PER_S + ts.tv_nsec);
}

/* What the clock itself takes. */
static double clock_ns(void)
{
	enum { CALLS = 10000 };
	double start_ns = now_ns();
	for (int i = 0; i < CALLS; i++)
		now_ns();
	return (now_ns() - start_ns) / CALLS;
}

static double total_ns(const struct figure *f)
{
	return f->total_ns - (double)f->n * clock_ns();
}

static void figure_print(const struct figure *f, const char *name)
{
	char text[96];
	snprintf(text, sizeof(text), "%s, each", name);
	print_row(text, total_ns(f) / (double)f->n, "ns", "-");
	snprintf(text, sizeof(text), "%s, the longest", name);
	print_row(text, f->longest_ns / 1e6, "ms", "3");
}

/* Of all of them; no call may hold up the loop. */
static void figure_print_pauses(const struct figure *f, const char *name)
{
	char text[96];
	snprintf(text, sizeof(text), "%s, all", name);
	print_row(text, total_ns(f) / 1e6, "ms", "-");
	snprintf(text, sizeof(text), "%s, the longest pause", name);
	print_row(text, f->longest_ns / 1e6, "ms", "10");
}

static double heap_bytes(void)
{
	struct mallinfo2 info = mallinfo2();
	return (double)(info.uordblks + info.hblkhd);
}

/* Lines. */

static void feed(struct figure *f, const char *line)
{
	struct str text = str_of(line);
	double start_ns = now_ns();
	session_feed(session, text, 0);
	figure_add(f, now_ns() - start_ns);
}

static void hear(struct figure *f, const char *line)
{
	struct message m;
	if (session) {
		feed(f, line);
		return;
	}
	if (message_parse(&m, str_of(line)) < 0)
		abort();
	int kind = event_kind_of(&m, isupport);
	double start_ns = now_ns();
	roster_hear(roster, &m, kind, isupport, STR("ebb"));
	figure_add(f, now_ns() - start_ns);
}

/* One nick in eight is folded in a way that casemappings differ in. */
#define NICK_F    "nick%05zu%s"
#define NICK_A(i) (i), (i) % 8 ? "" : "|away"

static const char self_join[] = ":ebb!ebb@ebb.example JOIN #great";

static void hear_names(struct figure *f, const char *channel)
{
	char line[1024];
	for (size_t i = 0; i < members;) {
		int n = snprintf(line, sizeof(line), ":irc.test 353 ebb = %s :", channel);
		for (int k = 0; k < NAMES_IN_A_LINE && i < members; k++, i++)
			n += snprintf(line + n, sizeof(line) - (size_t)n,
				"%s" NICK_F "!user%02zu@host-%zu.example.net ", i % 10 ? "" : "+",
				NICK_A(i), i % 100, i);
		hear(f, line);
	}
}

static void hear_who(struct figure *f)
{
	char line[256];
	for (size_t i = 0; i < members; i++) {
		snprintf(line, sizeof(line),
			":irc.test 354 ebb 861 #great user%02zu host-%zu.example.net " NICK_F " H "
			"acct%05zu :Real Name %zu",
			i % 100, i, NICK_A(i), i, i);
		hear(f, line);
	}
}

static void hear_each(struct figure *f, const char *format)
{
	char line[256];
	for (size_t i = 0; i < members; i++) {
		size_t k = i * 7919 % members;
		snprintf(line, sizeof(line), ":" NICK_F "!user%02zu@host-%zu.example.net %s",
			NICK_A(k), k % 100, k, format);
		hear(f, line);
	}
}

static void hear_renames(struct figure *f)
{
	char line[128];
	for (size_t i = 0; i < members; i++) {
		snprintf(line, sizeof(line), ":" NICK_F "!u@h NICK other%05zu", NICK_A(i), i);
		hear(f, line);
	}
}

static bool sweep(struct figure *f)
{
	double start_ns = now_ns();
	bool is_left = roster_sweep(roster, SWEEP);
	figure_add(f, now_ns() - start_ns);
	return is_left;
}

static void set_token(struct figure *f, const char *token)
{
	if (!isupport_apply(&isupport, str_of(token)))
		abort();
	hear(f, "PING :x");
}

/* One round over a great channel. */

enum { NAMES, WHO, TALK, RENAMES, CASEMAPPING, PREFIX, PARTS, JOINS, WE_PART, SWEEPS, FIGURES };

static const char *const figure_names[FIGURES] = {
	"NAMES: a line of 8",
	"WHOX: a line",
	"PRIVMSG: a line",
	"NICK: a line",
	"CASEMAPPING changes: a line",
	"PREFIX changes: a line",
	"PART: a line",
	"JOIN: a line",
	"our PART of a great channel",
	"a sweep of 1000",
};

static double bare_bytes, named_bytes, full_bytes, left_bytes;

static void fill(struct figure figures[FIGURES])
{
	double start = heap_bytes();
	hear(&(struct figure){0}, self_join);
	bare_bytes = heap_bytes() - start;
	hear_names(&figures[NAMES], "#great");
	named_bytes = (heap_bytes() - start - bare_bytes) / (double)members;
	hear_who(&figures[WHO]);
	full_bytes = (heap_bytes() - start - bare_bytes) / (double)members;
}

static void empty(struct figure figures[FIGURES], double start)
{
	hear(&figures[WE_PART], ":ebb!ebb@ebb.example PART #great");
	while (sweep(&figures[SWEEPS]))
		continue;
	left_bytes = heap_bytes() - start;
}

static void run_round(struct figure figures[FIGURES])
{
	isupport = isupport_new();
	roster = roster_new(1);
	hear(&(struct figure){0}, "PING :x");
	double start = heap_bytes();
	fill(figures);
	hear_each(&figures[TALK], "PRIVMSG #great :have you seen the new release yet?");
	set_token(&figures[CASEMAPPING], "CASEMAPPING=ascii");
	set_token(&figures[CASEMAPPING], "CASEMAPPING=rfc1459");
	set_token(&figures[PREFIX], "PREFIX=(qaohv)~&@%+");
	set_token(&figures[PREFIX], "PREFIX=(ov)@+");
	hear_each(&figures[PARTS], "PART #great");
	hear_each(&figures[JOINS], "JOIN #great account :Real Name");
	hear_renames(&figures[RENAMES]);
	hear_names(&(struct figure){0}, "#great");
	empty(figures, start);
	roster_free(roster);
	isupport_unref(isupport);
}

/* A line from somebody of whom all is known, as in a channel of any size. */
static double talk_ns(void)
{
	struct message m;
	double start_ns = now_ns();
	if (message_parse(&m, STR(":alice!a@host.example PRIVMSG #c :have you seen it?")) < 0)
		abort();
	for (int i = 0; i < LINES; i++)
		roster_hear(roster, &m, EVENT_PRIVMSG, isupport, STR("ebb"));
	return (now_ns() - start_ns) / LINES;
}

static void measure_talk(void)
{
	double best_ns = 0;
	isupport = isupport_new();
	roster = roster_new(1);
	hear(&(struct figure){0}, ":ebb!ebb@ebb.example JOIN #c");
	hear(&(struct figure){0}, ":alice!a@host.example JOIN #c");
	for (int i = 0; i < ROUNDS; i++) {
		double ns = talk_ns();
		best_ns = i == 0 || ns < best_ns ? ns : best_ns;
	}
	print_row("PRIVMSG of one user, each", best_ns, "ns", "-");
	roster_free(roster);
	isupport_unref(isupport);
}

/* The names alone in a map. */

static void measure_map(struct figure *best)
{
	struct figure f = {0};
	struct map map = {0};
	double start = heap_bytes();
	for (size_t i = 0; i < members; i++) {
		char nick[32];
		snprintf(nick, sizeof(nick), "nick%05zu", i);
		double start_ns = now_ns();
		map_put(&map, str_of(nick), &map);
		figure_add(&f, now_ns() - start_ns);
	}
	if (best->n == 0)
		print_row(
			"a name in a map", (heap_bytes() - start) / (double)members, "bytes", "-");
	map_fini(&map);
	figure_keep(best, &f);
}

/* A session in a great channel: all that a line goes through but the scripts. */

enum { S_NAMES, S_WHO, S_TALK, S_LEAVE, S_SWEEP, S_QUIT_SWEEP, S_FIGURES };

static const char *const session_names[S_FIGURES] = {
	"a session hears NAMES",
	"a session hears WHOX",
	"a session hears each member say a line",
	"a session hears its own PART",
	"a session sweeps after it",
	"a session sweeps after the connection",
};

static void drop_write(void *owner, struct str bytes)
{
	(void)owner;
	(void)bytes;
}

static void drop_event(void *owner, const struct received *line)
{
	(void)owner;
	(void)line;
}

static void drop_fact(void *owner)
{
	(void)owner;
}

static uint64_t give_seed(void *owner)
{
	(void)owner;
	return 1;
}

static void on_failed(void *owner, const struct err *why)
{
	(void)owner;
	fprintf(stderr, "roster: %s\n", why->text);
	exit(1);
}

static const struct session_ops ops = {
	.write = drop_write,
	.event = drop_event,
	.ready = drop_fact,
	.usable = drop_fact,
	.room = drop_fact,
	.seed = give_seed,
	.failed = on_failed,
};

static const struct session_options options = {
	.network = "bench",
	.nick = "ebb",
	.user = "ebb",
	.realname = "ebb",
	.register_timeout_ns = NS_PER_S,
	.ping_interval_ns = NS_PER_S,
	.ping_timeout_ns = NS_PER_S,
	.limits = {0, 0, 100, 10000},
};

/* As the loop has it done, at the same time: what is due now. */
static void tick_all(struct figure *f)
{
	while (session_deadline(session) == 0) {
		double start_ns = now_ns();
		session_tick(session, 0);
		figure_add(f, now_ns() - start_ns);
	}
}

static void require_members(size_t n)
{
	const struct roster *r = session_roster(session);
	struct roster_channel c = {0};
	if (roster_channel(r, roster_find_channel(r, STR("#great")), &c) != (n > 0) ||
		c.n_members != n) {
		fprintf(stderr, "roster: %zu members, not %zu\n", c.n_members, n);
		exit(1);
	}
}

static void begin_session(void)
{
	session_begin(session, false, 0);
	hear(&(struct figure){0}, ":irc.test 001 ebb :Welcome");
	hear(&(struct figure){0}, ":irc.test 005 ebb WHOX PREFIX=(qaohv)~&@%+ :are supported");
	hear(&(struct figure){0}, ":irc.test 376 ebb :End");
	tick_all(&(struct figure){0});
	hear(&(struct figure){0}, self_join);
}

static void run_session_round(struct figure figures[S_FIGURES])
{
	session = session_new(&options, &ops, NULL);
	begin_session();
	hear_names(&figures[S_NAMES], "#great");
	hear(&figures[S_NAMES], ":irc.test 366 ebb #great :End");
	require_members(members + 1);
	hear_who(&figures[S_WHO]);
	hear_each(&figures[S_TALK], "PRIVMSG #great :have you seen the new release yet?");
	hear(&figures[S_LEAVE], ":ebb!ebb@ebb.example PART #great");
	tick_all(&figures[S_SWEEP]);
	require_members(0);
	hear(&(struct figure){0}, self_join);
	hear_names(&(struct figure){0}, "#great");
	session_end(session);
	tick_all(&figures[S_QUIT_SWEEP]);
	session_free(session);
	session = NULL;
}

static void measure_session(void)
{
	struct figure best[S_FIGURES] = {0};
	for (int i = 0; i < ROUNDS; i++) {
		struct figure figures[S_FIGURES] = {0};
		run_session_round(figures);
		for (int k = 0; k < S_FIGURES; k++)
			figure_keep(&best[k], &figures[k]);
	}
	for (int k = 0; k < S_FIGURES; k++)
		figure_print_pauses(&best[k], session_names[k]);
}

int main(void)
{
	const char *quick = getenv("QUICK");
	struct figure best[FIGURES] = {0}, map = {0};
	if (quick && *quick)
		members /= 10;
	for (int i = 0; i < ROUNDS; i++) {
		struct figure figures[FIGURES] = {0};
		run_round(figures);
		for (int k = 0; k < FIGURES; k++)
			figure_keep(&best[k], &figures[k]);
	}
	for (int i = 0; i < ROUNDS; i++)
		measure_map(&map);
	measure_talk();
	for (int k = 0; k < FIGURES; k++)
		figure_print(&best[k], figure_names[k]);
	figure_print(&map, "a name into a map");
	print_row("in one channel alone", bare_bytes, "bytes", "-");
	print_row("a member with nick, user and host", named_bytes, "bytes", "-");
	print_row("a member with account and real name too", full_bytes, "bytes", "-");
	print_row("left after the last sweep", left_bytes, "bytes", "-");
	measure_session();
	return 0;
}
