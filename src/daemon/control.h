/*
 * control: the control socket: who is asked what, and how the answers get back.
 *
 * A client sends requests, a line each, and gets a reply to each (ctl/wire.h), in the order in
 * which they are known: a command may answer at once or later. What is wrong with a request is its
 * reply, and the connection stays; only a line that is too long ends it.
 *
 * Nobody is waited for. Replies are buffered; of a client with many requests under way, or many
 * bytes to read, no more requests are taken until it caught up; a client that reads nothing for
 * stall_ns, or whose buffer is full, is dropped. What acts is logged with who asked.
 */
#ifndef EBB_DAEMON_CONTROL_H
#define EBB_DAEMON_CONTROL_H

#include "base/handle.h"
#include "ctl/wire.h"
#include "daemon/local.h"
#include "net/loop.h"

enum {
	CONTROL_CLIENTS_MAX = 64,
	CONTROL_CALLS_MAX = 32 /* requests of one client that have no answer yet */
};

/* Who waits for an answer; by value. It is nobody once it was answered, or the client is gone:
 * then an answer is dropped. */
struct control_caller {
	struct control *control; /* borrowed */
	struct handle call;
};

/*
 * What a command does. The request was checked by the command's row (ctl/commands.h) and is
 * borrowed for the call: take its parameters by wire_argument. The caller is answered exactly
 * once, within the call or later, by one of the two functions below. A run does not close the
 * control.
 */
typedef void control_run(
	void *data, struct control_caller caller, const struct wire_request *request);

struct control_command {
	const char *name; /* has a row in ctl/commands.c; NULL: the end of the table */
	control_run *run;
};

/* Takes result; NULL: there is nothing to tell but that it worked. What is larger than
 * WIRE_REPLY_MAX_BYTES is answered by an error. */
void control_reply(struct control_caller caller, json_t *result);

/* why->text begins with what it is about: "karma: there is no such script". */
void control_fail(struct control_caller caller, const struct err *why);

/* Whether somebody still waits for that answer. */
bool control_waits(struct control_caller caller);

struct control_options {
	const char *path;                       /* of the socket */
	const struct control_command *commands; /* borrowed, outlives the control */
	void *data;                             /* for the commands */
	int64_t stall_ns;                       /* 0: ten seconds */
	int64_t retry_ns;                       /* where accept lacks descriptors; 0: a second */
};

struct control {
	struct loop *loop; /* borrowed; NULL: closed */
	struct control_options options;
	struct local local;
	struct loop_fd watch;
	struct timer retry;
	struct list clients;
	size_t n_clients;
	struct handles calls;
};

/* Does not move. Borrows loop; copies path. ERR_SYSTEM: it is not open, and err says why. */
NODISCARD int control_open(struct control *c, struct loop *loop,
	const struct control_options *options, struct err *err);

/* Writes what can be written at once, drops every client and removes the socket. Who still waits
 * for an answer is nobody from now on. Does nothing for zeroed memory. */
void control_close(struct control *c);

/* Where the socket is when the configuration does not say: by ctl/place.h. Returns owned; NULL:
 * nowhere. The folder in $XDG_RUNTIME_DIR is made. */
char *control_default_path(void);

#endif
