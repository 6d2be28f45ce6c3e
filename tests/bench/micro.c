/*
 * micro: what a line costs against the least that it could, in one process without sockets.
 *
 * Prints a line for each measurement: name, value, unit, the bar that value / against is held to
 * ("-" for none), and against, of the same unit, with tabs between. The two are taken in turns, and
 * of each the median of several rounds is told, after one to warm up. Time is CPU time of the
 * process. QUICK=1 in the environment does everything a tenth as often.
 */
#include "base/clock.h"
#include "irc/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 11, LINES = 200000 };

static const char ordinary_line[] =
	":alice!alice@host.example PRIVMSG #channel :hello there, how are you today";
static const char tagged_line[] =
	"@time=2024-05-17T19:21:07.413Z;msgid=pFtQ8yYvT0iWl2Kx4Rz1bA;account=alice;"
	"+draft/reply=a7Xc09mVQk6cO5dJb3sE2w;draft/channel-context=#channel;"
	"+example.org/note=a\\sfew\\swords\\:\\snothing\\smore "
	":alice!alice@host.example PRIVMSG #channel :hello there, how are you today";

static size_t n_lines = LINES; /* of a round */
static volatile size_t kept;   /* what is counted is used, so the compiler counts it */

static NORETURN void die(const char *what)
{
	fprintf(stderr, "micro: %s\n", what);
	exit(1);
}

static int64_t cpu_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static double ns_each(int64_t start_ns)
{
	return (double)(cpu_ns() - start_ns) / (double)n_lines;
}

/* The measures: what one line costs, in ns. */

static size_t count_spaces(struct str line)
{
	const char *p = line.p, *end = line.p + line.n;
	size_t n = 0;
	for (; (p = memchr(p, ' ', (size_t)(end - p))); p++)
		n++;
	return n;
}

static double walk_ns(struct str line)
{
	size_t n = 0;
	int64_t start_ns = cpu_ns();
	for (size_t i = 0; i < n_lines; i++)
		n += count_spaces(line);
	kept = n;
	return ns_each(start_ns);
}

static double parse_ns(struct str line)
{
	struct message m;
	size_t n = 0;
	int64_t start_ns = cpu_ns();
	for (size_t i = 0; i < n_lines; i++) {
		if (message_parse(&m, line) < 0)
			die("a line that is none");
		n += m.n_params;
	}
	kept = n;
	return ns_each(start_ns);
}

static void on_write(void *owner, struct str bytes)
{
	(void)owner;
	kept = bytes.n;
}

static void on_event(void *owner, const struct received *line)
{
	(void)owner;
	kept = (size_t)line->kind;
}

static void on_told(void *owner)
{
	(void)owner;
}

static void on_failed(void *owner, const struct err *why)
{
	(void)owner;
	die(why->text);
}

static uint64_t give_seed(void *owner)
{
	(void)owner;
	return 1;
}

static const struct session_ops ops = {
	.write = on_write,
	.event = on_event,
	.ready = on_told,
	.usable = on_told,
	.room = on_told,
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

static double session_ns(struct str line)
{
	struct session *s = session_new(&options, &ops, NULL);
	session_begin(s, false, 0);
	session_feed(s, STR(":s.x 001 ebb :Welcome"), 0);
	session_feed(s, STR(":s.x 376 ebb :End"), 0);
	session_feed(s, STR(":ebb!ebb@ebb.example JOIN #channel"), 0);
	session_feed(s, STR(":s.x 353 ebb = #channel :ebb @alice"), 0);
	int64_t start_ns = cpu_ns();
	for (size_t i = 0; i < n_lines; i++)
		session_feed(s, line, 0);
	double each = ns_each(start_ns);
	if (session_state(s) != SESSION_READY || session_bad_lines(s))
		die("the conversation went wrong");
	session_free(s);
	return each;
}

static const struct row {
	const char *name, *line;
	double (*measure)(struct str line);
	double (*against)(struct str line);
	const char *bar;
} rows[] = {
	{"parse an ordinary line (memchr for its spaces)",           ordinary_line, parse_ns,   walk_ns, "4"},
	{"parse a line with 6 tags (memchr for its spaces)",         tagged_line,   parse_ns,   walk_ns, "-"},
	{"a session hears an ordinary line (memchr for its spaces)", ordinary_line, session_ns,
         walk_ns,											"-"},
	{"a session hears a line with 6 tags (memchr)",              tagged_line,   session_ns, walk_ns, "-"},
};

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median(double values[ROUNDS])
{
	qsort(values, ROUNDS, sizeof(values[0]), compare);
	return values[ROUNDS / 2];
}

static void measure_row(const struct row *r)
{
	double values[ROUNDS], against[ROUNDS];
	struct str line = str_of(r->line);
	r->measure(line);
	r->against(line);
	for (size_t i = 0; i < ROUNDS; i++) {
		values[i] = r->measure(line);
		against[i] = r->against(line);
	}
	printf("%s\t%.1f\tns\t%s\t%.1f\n", r->name, median(values), r->bar, median(against));
	fflush(stdout);
}

int main(void)
{
	const char *quick = getenv("QUICK");
	if (quick && *quick)
		n_lines /= 10;
	for (size_t i = 0; i < COUNTOF(rows); i++)
		measure_row(&rows[i]);
	return 0;
}
