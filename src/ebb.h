/*
 * ebb: IRC bots within another program, on that program's libev loop.
 *
 * A struct ebb is what ebbd is without its signals, control socket and service manager: networks
 * that come back by themselves and scripts in Lua, as a configuration says, and beside the scripts
 * functions in C that hear of the same events. Build with `pkg-config --cflags --libs ebb`; an
 * example is doc/embed.c.
 *
 *     struct ebb *e = ebb_new(EV_DEFAULT);
 *     ebb_load(e, "bot.ini");                      or ebb_set, ebb_network, ebb_script
 *     ebb_on(e, "privmsg", on_privmsg, NULL);
 *     ebb_start(e);
 *     ev_run(EV_DEFAULT, 0);                       or ebb_run(e), where there is nothing else
 *
 *     ebb_stop(e, on_stopped, NULL);               QUIT everywhere; on_stopped is told when done
 *     ebb_free(e);
 *
 * The loop. Nothing happens but while the loop runs, and from ebb_new to ebb_free there is
 * something for it to wait for. ebb_free leaves nothing on it: no watcher, timer or descriptor. Any
 * number of these may be on a loop, or on different loops.
 *
 * Threads. All of them belong to one thread of the process, the first that runs a script: the tick
 * that shares out the processor among scripts comes to it. Call nothing here from others.
 *
 * What is global: where log lines go, and which (ebb_log); and a signal, SIGRTMIN, whose handler is
 * set for good when the first script runs: it ticks every 5 ms while scripts do. No other signal is
 * touched: SIGTERM, SIGINT and SIGHUP are the program's, and SIGPIPE is not raised. System calls of
 * the program go on after a tick (SA_RESTART), but for those that never do (signal(7)). A script
 * whose C function does not come back for ten seconds ends the process, as in ebbd.
 *
 * Errors. A function that returns an int gives 0, or a negative number where it failed: then
 * ebb_error says why, in one line for a person.
 *
 * Texts end in a NUL and are copied. What ebb.ini(5) says of a key holds here too, but that the
 * paths of keys that stand in no file begin at the process's working directory, and log_level and
 * control are ebbd's alone. Two that keep state have a state_dir each. How many files may be open
 * is the program's to say: ebbd(8) tells what many networks need, and nothing here raises the
 * limit.
 */
#ifndef EBB_H
#define EBB_H

#include <ev.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ebb;

/* Without a configuration. Borrows loop, which outlives it. Never NULL. */
struct ebb *ebb_new(struct ev_loop *loop);

/*
 * Drops what is left, connections without a word: ebb_stop is the polite way. Allowed at any time,
 * started or not, from everywhere: within one of its own functions, or ebb_run, it counts as freed
 * from there on, and its memory goes when they have returned, within the same turn of the loop, or
 * the next one where ebb_start called that function. NULL is fine.
 */
void ebb_free(struct ebb *e);

/* Why the last call that failed did; and that in a word, as scripts see it in `kind`: "config",
 * "again", "disconnected", "invalid", "limit" … Borrowed until the next call. */
const char *ebb_error(const struct ebb *e);
const char *ebb_error_kind(const struct ebb *e);

/*
 * The configuration: before ebb_start; a file, or keys, or a file and further networks and scripts.
 * Lists of keys end with one without a name; NULL is an empty one. A value that is NULL, as an
 * empty one, is refused. Where one of these fails, what was there before is unchanged.
 */
struct ebb_key {
	const char *name, *value;
};

/* A file, before anything else is said. */
int ebb_load(struct ebb *e, const char *path);

/* The keys of [daemon], before anything else is said. */
int ebb_set(struct ebb *e, const struct ebb_key *keys);

/* The keys of [network NAME]: host and nick at least. */
int ebb_network(struct ebb *e, const char *name, const struct ebb_key *keys);

/* The keys of [script NAME], after those of the networks it names. source is the script's text;
 * NULL: it is in the file that `file` says, or NAME.lua on script_path. So is the policy
 * `reconnect`, without which a lost connection stays lost: that wants a script_path where it is not
 * installed. */
int ebb_script(struct ebb *e, const char *name, const struct ebb_key *keys, const char *source);

/*
 * Loads the scripts, and has the networks connect. Once. A script that cannot be loaded is no
 * failure: the log says why, and it is loaded when its files have changed. "config": the
 * certificates of a network cannot be read; nothing has begun.
 */
int ebb_start(struct ebb *e);

/* Runs the loop until this one was stopped, or freed; at once where it has not started. For who has
 * no reason to call ev_run; other watchers on the loop run, too. Not within a callback. */
void ebb_run(struct ebb *e);

/* Scripts end, what on_unload() noted first, then every connection, with QUIT. stopped, which may
 * be NULL, is told when all are closed, at the latest after five seconds; never from within the
 * call, and not if it is freed before. Called again it does nothing. */
void ebb_stop(struct ebb *e, void (*stopped)(struct ebb *e, void *data), void *data);

/* Something that happened, borrowed for the call that tells of it. */
struct ebb_event {
	const char *name; /* "privmsg", "join", "001", "client_connect" … as ebb-lua(7) has it */
	const char *network; /* NULL for an event of none */
};

/*
 * A field by its name in ebb-lua(7): "nick", "channel", "message" … NULL where the event has it
 * not. Borrowed as long as the event; *n, where n is not NULL, is its length, for it may hold a NUL
 * where a script made the event. Numbers are decimal, booleans "true" or "false". What is a table
 * in Lua is here a line for each entry: of lists the values, of modes "+o nick", of tags
 * "name=value" as it came, of batches the lines. Tables of an event that a script made are not
 * given.
 */
const char *ebb_event_field(const struct ebb_event *event, const char *name, size_t *n);

/*
 * Has run called for every event of that name from the next on, as on() of a script: any case, "*"
 * for every line, also one that scripts trigger. It comes before the scripts, in the order of these
 * calls, after filter_in. Our own talk and what is replayed is not told of. run may call anything
 * here. Returned until ebb_off or ebb_free; NULL: the name is too long.
 */
struct ebb_handler;
struct ebb_handler *ebb_on(struct ebb *e, const char *name,
	void (*run)(struct ebb *e, const struct ebb_event *event, void *data), void *data);

/* It is not called any more, and gone. NULL is fine. */
void ebb_off(struct ebb_handler *handler);

/*
 * Sends a command with named parameters, as ebb-lua(7) lists them, to the network of that name:
 *
 *     ebb_send(e, "libera", "PRIVMSG", "target", "#ebb", "message", "hi", NULL);
 *
 * Pairs of a name and a text, then NULL; a text of NULL is a parameter left out, several lines in a
 * text are a list. What a parameter cannot hold, line breaks among it, is "invalid", so a text of
 * a stranger's adds no command of its own. Long messages go in parts, and no faster than the
 * network allows; what scripts filter by filter_out passes there.
 *
 * "again": as many lines wait as may (queue_max): later. "disconnected"; "invalid".
 */
#ifdef __GNUC__
__attribute__((sentinel))
#endif
int ebb_send(struct ebb *e, const char *network, const char *command, ...);

/* The same for one line as it is, without its end: nothing is cut. "limit": it is too long. */
int ebb_send_line(struct ebb *e, const char *network, const char *line);

enum ebb_level { EBB_ERROR, EBB_WARNING, EBB_INFO, EBB_DEBUG, EBB_TRACE };

/* For the whole process: what is logged, up to that level (EBB_INFO before), and to where: NULL is
 * stderr. A text may be several lines; write calls nothing here. */
void ebb_log(enum ebb_level level,
	void (*write)(enum ebb_level level, const char *text, size_t n, void *data), void *data);

#ifdef __cplusplus
}
#endif

#endif
