/*
 * log: one line an event, to stderr.
 *
 * A line reads "who: what: why", lower case, without a full stop. Error: a person must act. Warn:
 * we coped. Info: a life event. Debug: the rest. Trace: the wire. Under the journal (JOURNAL_STREAM
 * names stderr) a line begins with its priority, "<6>", as sd-daemon(3) describes; elsewhere with
 * the local time and the level. Control characters are written as \xHH, so nothing that a server
 * sends can forge a line or drive a terminal. Where stderr cannot take a line at once, the line is
 * dropped and counted: the loop never waits for who reads the log.
 *
 * The sink is process-wide.
 */
#ifndef EBB_BASE_LOG_H
#define EBB_BASE_LOG_H

#include "base/str.h"

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG, LOG_TRACE };

/* Reads JOURNAL_STREAM and TZ. The level is LOG_INFO until log_set_level. */
void log_init(void);

void log_set_level(enum log_level level);

/* Whether such a line is written, for what is dear to prepare. */
bool log_is_on(enum log_level level);

/* Takes what is logged instead of stderr; NULL gives stderr back. text may be several lines. */
typedef void log_sink(enum log_level level, struct str text, void *data);
void log_set_sink(log_sink *sink, void *data);

/* What holds newlines, a traceback for instance, becomes one line for each. */
void log_write(enum log_level level, const char *fmt, ...) PRINTF(2, 3);

#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_write(LOG_WARNING, __VA_ARGS__)
#define log_info(...)  log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)

/* Writes text, of a line or more, to stderr at once, without the time: safe in a signal's handler,
 * for what no other code will come to tell of. */
void log_from_signal(enum log_level level, const char *text);

/* A line of the wire at level trace, ">>" sent or "<<" received. What follows PASS, OPER,
 * AUTHENTICATE and their like, what is said to services' password commands, and channels' keys, is
 * masked. */
void log_wire(const char *who, const char *direction, struct str line);

/* How much of a line that shows of it: all, or what stands before a secret. */
size_t log_wire_open(struct str line);

#endif
