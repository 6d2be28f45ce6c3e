#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	LINE_MAX_BYTES = 4000, /* under PIPE_BUF */
	TEXT_MAX_BYTES = 64 * 1024,
	HEAD_BYTES = 1000 /* of a text that is longer */
};

static const struct {
	const char *name;
	int priority; /* syslog(3) */
} levels[] = {
	[LOG_ERROR] = {"error",   3},
	[LOG_WARNING] = {"warning", 4},
	[LOG_INFO] = {"info",    6},
	[LOG_DEBUG] = {"debug",   7},
	[LOG_TRACE] = {"trace",   7},
};

static struct {
	enum log_level level;
	bool to_journal;
	unsigned long dropped;
	log_sink *sink;
	void *sink_data;
} state = {.level = LOG_INFO};

static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat st;
	unsigned long long device, inode;
	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

void log_init(void)
{
	tzset(); /* once: localtime_r does not look for the file again */
	state.to_journal = stderr_is_journal();
}

void log_set_level(enum log_level level)
{
	state.level = level;
}

bool log_is_on(enum log_level level)
{
	return level <= state.level;
}

void log_set_sink(log_sink *sink, void *data)
{
	state.sink = sink;
	state.sink_data = data;
}

static int put_prefix(struct buf *b, enum log_level level)
{
	if (state.to_journal)
		return buf_addf(b, "<%d>", levels[level].priority);
	time_t now = clock_wall_ns(&clock_system) / NS_PER_S;
	struct tm tm;
	char text[32];
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", localtime_r(&now, &tm));
	return buf_addf(b, "%s %s: ", text, levels[level].name);
}

static int put_text(struct buf *b, struct str text)
{
	int r = 0;
	for (size_t i = 0; i < text.n && r == 0; i++) {
		unsigned char c = (unsigned char)text.p[i];
		if ((c < ' ' && c != '\t') || c == 0x7f)
			r = buf_addf(b, "\\x%02x", c);
		else
			r = buf_add(b, (struct str){&text.p[i], 1});
	}
	return r;
}

/* One write for the whole line, and only when stderr can take it. */
static bool write_line(struct str line)
{
	struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
	if (poll(&p, 1, 0) != 1)
		return false;
	return write(STDERR_FILENO, line.p, line.n) == (ssize_t)line.n;
}

static void to_stderr(enum log_level level, struct str text)
{
	struct buf b;
	buf_init(&b, LINE_MAX_BYTES);
	if (state.dropped && put_prefix(&b, LOG_WARNING) == 0 &&
		buf_addf(&b, "log: %lu lines dropped: stderr was not read\n", state.dropped) == 0 &&
		write_line(buf_str(&b)))
		state.dropped = 0;
	buf_reset(&b);
	b.max--; /* the newline always fits */
	int r = put_prefix(&b, level);
	if (r == 0)
		r = put_text(&b, text);
	b.max++;
	(void)r; /* what is too long is cut */
	if (buf_add(&b, STR("\n")) < 0 || !write_line(buf_str(&b)))
		state.dropped++;
	buf_fini(&b);
}

void log_write(enum log_level level, const char *fmt, ...)
{
	if (!log_is_on(level))
		return;
	struct buf b;
	buf_init(&b, TEXT_MAX_BYTES);
	char head[HEAD_BYTES];
	va_list ap;
	va_start(ap, fmt);
	int r = buf_addv(&b, fmt, ap);
	va_end(ap);
	if (r < 0) {
		va_start(ap, fmt);
		vsnprintf(head, sizeof(head), fmt, ap);
		va_end(ap);
	}
	struct str text = r == 0 ? buf_str(&b) : str_of(head);
	if (state.sink)
		state.sink(level, text, state.sink_data);
	for (struct str rest = text; !state.sink && rest.p;)
		to_stderr(level, str_cut(&rest, '\n'));
	buf_fini(&b);
}

void log_from_signal(enum log_level level, const char *text)
{
	char line[LINE_MAX_BYTES];
	struct str rest = str_of(text);
	while (rest.p) {
		struct str part = str_cut(&rest, '\n');
		int n = state.to_journal ? snprintf(line, sizeof(line), "<%d>%" STR_F "\n",
						   levels[level].priority, STR_A(part))
					 : snprintf(line, sizeof(line), "%s: %" STR_F "\n",
						   levels[level].name, STR_A(part));
		if (n < 0 || n >= (int)sizeof(line) || !write_line((struct str){line, (size_t)n}))
			state.dropped++;
	}
}

static bool is_among(struct str word, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_ieq(word, str_of(words[i])))
			return true;
	return false;
}

#define IS_AMONG(word, words) is_among((word), (words), COUNTOF(words))

/* Commands with a secret, and services' own, said to them in whatever way. */
static bool has_secret(struct str command, struct str rest)
{
	static const char *const commands[] = {"PASS", "OPER", "AUTHENTICATE", "WEBIRC", "IDENTIFY",
		"VHOST", "REGISTER", "VERIFY"};
	static const char *const speech[] = {"PRIVMSG", "NOTICE", "SQUERY", "NICKSERV", "NS",
		"CHANSERV", "CS", "AUTHSERV", "USERSERV"};
	static const char *const services[] = {"IDENTIFY", "REGISTER", "GHOST", "REGAIN", "RECOVER",
		"RELEASE", "SETPASS", "PASSWORD", "LOGIN", "AUTH", "ID"};
	struct str word;
	if (IS_AMONG(command, commands))
		return true;
	if (!IS_AMONG(command, speech))
		return false;
	for (int i = 0; i < 4 && (word = str_word(&rest, " :")).n; i++)
		if (IS_AMONG(word, services))
			return true;
	return false;
}

size_t log_wire_open(struct str line)
{
	struct str rest = line, command;
	do
		command = str_word(&rest, " ");
	while (command.n && (command.p[0] == '@' || command.p[0] == ':'));
	if (has_secret(command, rest))
		return line.n - rest.n;
	bool is_join = str_ieq(command, STR("JOIN"));
	if (!is_join && !str_ieq(command, STR("MODE")))
		return line.n;
	str_word(&rest, " "); /* the channels */
	struct str modes = rest;
	if (is_join ? line.p[0] == ':' : !str_has(str_word(&modes, " "), 'k'))
		return line.n; /* what a server tells of a JOIN is an account */
	return line.n - rest.n;
}

void log_wire(const char *who, const char *direction, struct str line)
{
	if (!log_is_on(LOG_TRACE))
		return;
	size_t n = log_wire_open(line);
	log_write(LOG_TRACE, "%s: %s %" STR_F "%s", who, direction, (int)n, line.p,
		n < line.n ? " ***" : "");
}
