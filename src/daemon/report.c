#include "daemon/report.h"

#include "base/buf.h"
#include "irc/message.h"

#include <stdio.h>
#include <string.h>

enum { SHOWN_LINES = 60, TEXT_MAX_BYTES = 256 * 1024 };

void report_comment(const char *fmt, ...)
{
	struct buf text;
	va_list ap;
	buf_init(&text, TEXT_MAX_BYTES);
	va_start(ap, fmt);
	int r = buf_addv(&text, fmt, ap);
	va_end(ap);
	for (struct str rest = buf_str(&text); r == 0 && rest.p;) {
		struct str line = str_cut(&rest, '\n');
		printf("# %" STR_F "\n", STR_A(line));
	}
	buf_fini(&text);
}

/* As people read it: "<alice> #quiz: !quiz". */
static void show_line(const struct trial *t, const struct trial_line *line)
{
	struct message m;
	struct buf rest;
	if (message_parse(&m, str_of(line->text)) < 0)
		return;
	bool is_talk = str_ieq(m.command, STR("PRIVMSG")) || str_ieq(m.command, STR("NOTICE"));
	struct str who = m.nick.p ? m.nick : m.source;
	double at_s = trial_seconds(t, line->at_ns);
	if (is_talk && m.n_params > 1) {
		report_comment("  %10.3f  %c%" STR_F "%c %" STR_F ": %" STR_F, at_s,
			m.command.p[0] == 'N' ? '-' : '<', STR_A(who),
			m.command.p[0] == 'N' ? '-' : '>', STR_A(m.params[0]), STR_A(m.params[1]));
		return;
	}
	buf_init(&rest, TEXT_MAX_BYTES);
	int r = 0;
	for (size_t i = 0; i < m.n_params && r == 0; i++)
		r = buf_addf(&rest, " %" STR_F, STR_A(m.params[i]));
	report_comment("  %10.3f  %" STR_F ": %" STR_F "%s", at_s, STR_A(who), STR_A(m.command),
		buf_str(&rest).p ? buf_str(&rest).p : "");
	buf_fini(&rest);
}

static size_t count(const struct list *head)
{
	size_t n = 0;
	list_each (node, head)
		n++;
	return n;
}

/* How many of n are left out, so that the last are shown. */
static size_t skipped(size_t n)
{
	if (n <= SHOWN_LINES)
		return 0;
	report_comment("  … %zu more before these", n - SHOWN_LINES);
	return n - SHOWN_LINES;
}

static void show_conversation(const struct trial *t)
{
	report_comment("what was said and done, in seconds since the test began:%s",
		list_is_empty(&t->lines) ? " nothing" : "");
	size_t skip = skipped(count(&t->lines));
	list_each (node, &t->lines) {
		if (skip > 0)
			skip--;
		else
			show_line(t, container_of(node, struct trial_line, node));
	}
}

static void show_entry(const struct trial *t, const struct trial_entry *e)
{
	struct str rest = str_of(e->text), line = str_cut(&rest, '\n');
	report_comment("  %10.3f  %" STR_F, trial_seconds(t, e->at_ns), STR_A(line));
	while (rest.p) {
		line = str_cut(&rest, '\n');
		report_comment("  %10s  %" STR_F, "", STR_A(line));
	}
}

static bool is_shown(const struct trial_entry *e)
{
	return e->level <= LOG_INFO;
}

static void show_log(const struct trial *t)
{
	size_t n = 0;
	list_each (node, &t->log)
		n += is_shown(container_of(node, struct trial_entry, node));
	if (n == 0)
		return;
	report_comment("the log:");
	size_t skip = skipped(n);
	list_each (at, &t->log) {
		const struct trial_entry *e = container_of(at, struct trial_entry, node);
		if (!is_shown(e))
			continue;
		if (skip > 0)
			skip--;
		else
			show_entry(t, e);
	}
}

/* What stands in a line of TAP must not be taken for a directive, or end it. */
static void print_name(const char *name)
{
	for (const char *p = name; *p; p++) {
		if (*p == '#' || *p == '\\')
			printf("\\%c", *p);
		else if ((unsigned char)*p < ' ' || *p == 0x7f)
			printf("\\x%02X", (unsigned char)*p);
		else
			putchar(*p);
	}
}

/* For a shell, within single quotes; as a Lua pattern, if so wanted. */
static void print_quoted(const char *text, bool is_pattern)
{
	putchar('\'');
	for (const char *p = text; *p; p++) {
		if (*p == '\'')
			fputs("'\\''", stdout);
		else if ((unsigned char)*p < ' ')
			putchar('.');
		else if (is_pattern && strchr("^$()%.[]*+-?", *p))
			printf("%%%c", *p);
		else
			putchar(*p);
	}
	putchar('\'');
}

static void print_repetition(const struct report *r)
{
	printf("# (to run it alone: ebbd --test --seed %llu%s --filter ",
		(unsigned long long)r->seed, r->shuffles ? " --shuffle" : "");
	print_quoted(r->name, true);
	printf(" -v ");
	print_quoted(r->path, false);
	printf(")\n");
}

void report_print(const struct report *r)
{
	printf("%s %d - ", r->why ? "not ok" : "ok", r->number);
	print_name(r->path);
	printf(": ");
	print_name(r->name);
	putchar('\n');
	if (!r->why)
		return;
	report_comment("%s", r->why);
	show_conversation(r->trial);
	show_log(r->trial);
	print_repetition(r);
}
