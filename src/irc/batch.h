/*
 * batch: the open batches of one connection (IRCv3 batch, chathistory batch, draft/multiline).
 *
 * BATCH +ref opens one, BATCH -ref closes it, and between the two the lines with the tag batch=ref
 * belong to it. A batch is nested in the one that its own opening line belongs to, which must be
 * open; who closes the outer one closes what is open within, of which no more is heard.
 *
 * A batch keeps its lines, so that it can be told of as a whole at its close. A line counts for all
 * the batches around it, in the order they came, and so does the opening of a batch for those
 * around that. What does not fit is not kept, and the batch says that it is cut. What makes no
 * sense is skipped: an opening without a type, a reference that is open already or not at all.
 *
 * Where an opening was refused for want of room, or a batch was closed from without, nobody can
 * tell any more whether a line that names an unknown batch is new. From then on such lines count as
 * replayed: a script must not run a command of last week.
 */
#ifndef EBB_IRC_BATCH_H
#define EBB_IRC_BATCH_H

#include "base/buf.h"
#include "base/handle.h"
#include "base/map.h"
#include "irc/message.h"

enum {
	BATCHES_MAX = 64,                /* open at a time; a netsplit or a history is one */
	BATCHES_BYTES_MAX = 1024 * 1024, /* what all keep, with their opening lines */
	BATCH_BYTES_MAX = 256 * 1024,    /* the lines that one keeps: some thousand of a history */
	BATCH_DEPTH_MAX = 8              /* a line is kept once for each batch around it */
};

struct batch {
	struct message opening; /* the BATCH line; its slices stay as long as the batch */
	struct str ref, type;
	const struct str *params; /* after the type */
	unsigned n_params;
	struct batch *parent; /* NULL for none; open at least as long as this one */
	bool is_replay;       /* it or one around it is a history */
	bool is_multiline;    /* it or one around it is one message in several lines */
	bool is_cut;          /* lines are missing */
	unsigned depth;       /* how many are around it */
	struct buf lines;     /* as received, with LF between them */
	char *line;           /* owned: what opening was parsed from */

	/* request's: whose answer this is, or part of which; and whether all of it */
	struct handle request;
	bool is_answer;
};

/* Zeroed memory has none open. */
struct batches {
	struct map open; /* ref to struct batch */
	size_t n_open, n_bytes;
	bool has_lost;        /* lines may name batches that are not known */
	struct batch *closed; /* the last one, or NULL */
};

enum batch_event {
	BATCH_NONE,   /* belongs to no batch that is open */
	BATCH_LINE,   /* belongs to `batch` */
	BATCH_OPENED, /* `batch`, by this line */
	BATCH_CLOSED, /* `batch`, by this line */
	BATCH_SKIPPED /* a BATCH line that was */
};

struct batch_line {
	enum batch_event event;
	struct batch *batch; /* NULL for none; a closed one until the next call */
	bool is_replay;
	bool is_held; /* not to be told of by itself: batch_join makes the message at the close */
};

/* Forgets all, as a disconnect does. */
void batches_reset(struct batches *bs);
void batches_fini(struct batches *bs);

/* What a line is to the batches; kind is from event_kind_of. A closed batch and all it holds
 * are valid until the next call. */
void batches_hear(struct batches *bs, const struct message *m, int kind, struct batch_line *out);

/* Whether a closed batch is one message in several lines: its own type, not one around it. */
bool batch_is_message(const struct batch *b);

/*
 * Makes one message of a batch that batch_is_message: command, target and source of its first line,
 * the texts of all with LF between them, or nothing before a line with draft/multiline-concat. Its
 * tags are the first line's, without those that only say where it belongs, and those of the opening
 * line, which count where both have one. Lines with another command or target are left out.
 *
 * The line goes to out, whose content it replaces; m's slices borrow out. Its raw and its
 * params[1] may hold LFs, which no message of message_parse does. ERR_INVALID when there is no
 * line to begin with, ERR_LIMIT when out is too small.
 */
NODISCARD int batch_join(const struct batch *b, struct buf *out, struct message *m);

/* As message_parse, of a line that may be what batch_join made: a PRIVMSG or NOTICE whose text
 * holds LFs. */
NODISCARD int batch_parse(struct message *m, struct str line);

#endif
