/*
 * wire: control requests and replies as bytes, for both ends of the socket.
 *
 * Each is one JSON object on a line of its own (RFC 8259):
 *
 *     {"id": 7, "command": "reload", "name": "karma"}
 *     {"id": 7, "ok": true, "result": {}}
 *     {"id": 7, "ok": false, "error": "karma: there is no such script", "kind": "invalid"}
 *
 * id is an integer or a string that the client chooses and the reply repeats; a reply without one
 * is to a client whose request could not be read, or who may not ask. The members beside id and
 * command are the command's parameters (ctl/commands.h). kind is an err_name.
 *
 * JSON is UTF-8. What comes from IRC, from scripts or from file names need not be: wire_text is
 * the one way for it into a reply.
 */
#ifndef EBB_CTL_WIRE_H
#define EBB_CTL_WIRE_H

#include "base/buf.h"
#include "base/err.h"

#include <jansson.h>

enum {
	WIRE_REQUEST_MAX_BYTES = 1024 * 1024, /* without the newline */
	WIRE_REPLY_MAX_BYTES = 16 * 1024 * 1024
};

/* A string with U+FFFD for each byte that is not UTF-8; JSON's null for an absent slice. Returns
 * owned. */
json_t *wire_text(struct str s);

struct wire_request {
	json_t *id;          /* NULL: it could not be read */
	const char *command; /* NULL: the same */
	json_t *members;     /* all of them; owned, and so are id and command in it */
};

/* Reads a line without its newline. ERR_INVALID: out has what could be read of it all the same, so
 * that the reply can repeat the id. wire_request_fini is called in both cases. */
NODISCARD int wire_read_request(struct str line, struct wire_request *out, struct err *err);
void wire_request_fini(struct wire_request *r);

/* A member that is a string; NULL where it is absent. Borrowed from r. */
const char *wire_argument(const struct wire_request *r, const char *name);

struct wire_reply {
	bool is_ok;
	json_t *result;           /* NULL where it is not ok */
	const char *error, *kind; /* NULL where it is ok */
	json_t *members;          /* owned, and so are the others in it */
};

/* Reads a line without its newline; wire_reply_fini is called in any case. */
NODISCARD int wire_read_reply(struct str line, struct wire_reply *out, struct err *err);
void wire_reply_fini(struct wire_reply *r);

/*
 * Append a line with its newline, all or nothing: ERR_LIMIT where it does not fit, ERR_INVALID
 * where result cannot be written as JSON. id, borrowed, may be NULL.
 */

/* Takes arguments, an object. */
NODISCARD int wire_put_request(struct buf *out, json_t *id, const char *command, json_t *arguments);

/* Takes result; NULL stands for an empty object. */
NODISCARD int wire_put_result(struct buf *out, json_t *id, json_t *result);

NODISCARD int wire_put_error(struct buf *out, json_t *id, const struct err *why);

#endif
