/*
 * request: pairs a command that was sent with the server's answer.
 *
 * Where labeled-response is negotiated the server marks the answer itself: a line, a batch, or ACK
 * for an empty one. Any command can be asked for then. Elsewhere a table tells which replies belong
 * to a command, which of them end the answer, and which parameters must be the same on both sides.
 * Servers answer in the order in which they were asked, so a line is for the first request that it
 * fits; a replayed line is for none, and none is for a request that waits in the queue still, or
 * that was made by who heard of the line.
 *
 * Every request ends once: answered, refused by the server, past its deadline, over a limit,
 * disconnected, or cancelled. There is no clock in here; times are monotonic nanoseconds.
 */
#ifndef EBB_IRC_REQUEST_H
#define EBB_IRC_REQUEST_H

#include "base/err.h"
#include "base/handle.h"
#include "base/list.h"
#include "irc/reply.h"

enum {
	REQUESTS_MAX = 256,                    /* at a time */
	REQUESTS_FEW = 4,                      /* no table is made of what these look for */
	REQUESTS_BYTES_MAX = 16 * 1024 * 1024, /* of answers that are not complete, in all */
	REQUEST_BYTES_MAX = 4 * 1024 * 1024,   /* of one answer: a LIST of a large network */
	REQUEST_LINES_MAX = 64 * 1024,         /* of one answer */
	REQUEST_LABEL_MAX_BYTES = 64           /* IRCv3 labeled-response */
};

/* How a request ended. Slices are borrowed for the call. */
struct request_result {
	struct handle id;
	void *data;
	const struct reply_row *row; /* of the question, for reply_each_list; or NULL */
	int code;              /* 0; DENIED: the server said no; TIMEOUT, LIMIT, DISCONNECTED */
	int error;             /* with DENIED the kind of that reply, for event_name; else -1 */
	struct str error_code; /* of a FAIL: its code; else absent */
	struct str words;      /* the server's words on the error; else absent */
	struct str lines;      /* the answer as received, errors too, with LF between the lines */
};

/* May add and cancel requests; must not free them all. */
typedef void request_done(void *owner, const struct request_result *result);

struct requests {
	request_done *done;
	void *owner;         /* borrowed */
	struct list pending; /* struct request, in the order they were sent */
	size_t n, n_labeled, n_held, n_bytes;
	struct handles ids;
	uint16_t *wanted; /* by kind: how many without label look for it; NULL: they are few */
	struct request *lingering; /* complete, unless the next line is a part of it; or NULL */
	int64_t next_ns;           /* no deadline is before this one; -1: none */
	uint64_t n_added;          /* the number of the last */
};

struct request_ask {
	struct str line;   /* as it is to be sent, without CR LF */
	bool has_labels;   /* labeled-response is negotiated */
	bool has_no_names; /* no-implicit-names is: a JOIN is not followed by names */
	int64_t now_ns, timeout_ns;
	void *data; /* for the result */
};

/* Borrows owner until requests_fini. */
void requests_init(struct requests *rs, request_done *done, void *owner);

/* Forgets all without telling. */
void requests_fini(struct requests *rs);

/*
 * Expects the answer to a line that is sent now. *id names the request. label, which may be NULL
 * where has_labels is false, is set to the value of the label tag that the line must be sent with,
 * or emptied. ERR_INVALID for a line that is none, has a label already, or, without labels, is of a
 * command that has no known answer; ERR_LIMIT past the maximum. err says which.
 */
NODISCARD int requests_add(struct requests *rs, const struct request_ask *ask,
	const struct isupport *is, struct handle *id, struct buf *label, struct err *err);

/* The line waits in a queue under that number: nothing answers it, and no time passes for it, until
 * requests_sent says that it went. */
void requests_hold(struct requests *rs, struct handle id, uint64_t number);
void requests_sent(struct requests *rs, uint64_t number, int64_t now_ns);

/* Forgets one without telling; does nothing for one that has ended. */
void requests_cancel(struct requests *rs, struct handle id);

/* A line came. May call done, for one or two requests. */
void requests_hear(struct requests *rs, const struct heard *h);

/* The connection is gone: all end with ERR_DISCONNECTED, but for those that done adds. */
void requests_disconnect(struct requests *rs);

/* When requests_tick is next wanted, possibly too early; -1: not at all. */
int64_t requests_deadline(const struct requests *rs);

/* Ends those that are past their deadline. Where the server has said no, or only a line that may be
 * missing is, that is the result. */
void requests_tick(struct requests *rs, int64_t now_ns);

#endif
