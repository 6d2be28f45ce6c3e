/*
 * reply: which replies answer which command, and what they tell.
 *
 * A question is a line that was sent; its row tells what the server may say to it. A reply is this
 * question's when parameters of both are the same under the server's casemapping, or, where replies
 * of its kind name nothing, in any case. The rows are in reply_table.h.
 */
#ifndef EBB_IRC_REPLY_H
#define EBB_IRC_REPLY_H

#include "irc/batch.h"
#include "irc/fields.h"

enum reply_role {
	ROLE_PART,   /* a part of the answer */
	ROLE_LINGER, /* the same, and all of it unless the next line is more */
	ROLE_END,    /* a part, the last */
	ROLE_CLOSE,  /* the end, which tells nothing itself */
	ROLE_ERROR,  /* no, and the end */
	ROLE_NOTED,  /* no, but an end follows */
	ROLE_OPEN    /* opens the batch that is the answer */
};

/* A line that came. kind is from event_kind_of, me our nick before it, batch what batches_hear says
 * of it. Borrowed for the call. */
struct heard {
	const struct message *m;
	int kind;
	const struct isupport *is;
	struct str me;
	const struct batch_line *batch;
	int64_t now_ns;
	uint64_t since; /* the first request that was added after it came, by number; 0: none was */
};

struct reply_row;

struct reply_question {
	struct message m;            /* as sent */
	const struct reply_row *row; /* NULL for none */
	bool is_labeled;
	struct buf left; /* what is not answered yet of a list, with commas between */
};

struct reply_answer {
	int first, last; /* kinds */
	enum reply_role role;
	bool (*fits)(const struct heard *h, const struct reply_question *q,
		const struct reply_answer *a); /* NULL: always */
	int at, of;                            /* a parameter of the reply and of the question */
};

/* What row selection looks at. */
struct asked {
	const struct message *m;
	const struct isupport *is;
	bool has_no_names; /* no-implicit-names is negotiated */
};

/* The row of a line that is to be sent; NULL where no answer is known. */
const struct reply_row *reply_row(const struct asked *asked);

/* Makes a question of line, which was parsed before and stays as long. */
void question_init(struct reply_question *q, struct str line, const struct reply_row *row);
void question_fini(struct reply_question *q);

/* What a line is to the question, or NULL. Where that is known by label only the kind is looked at;
 * NULL is then a line that is part of the answer all the same. */
const struct reply_answer *question_hear(const struct reply_question *q, const struct heard *h);

/* Whether nothing is left to be answered once `a`, which came as h, has. */
bool question_ends(struct reply_question *q, const struct heard *h, const struct reply_answer *a);

/* Adds `by` to the count of each kind that may answer q. */
void question_count(const struct reply_question *q, uint16_t counts[EVENT_KINDS], int by);

/* What an answer says, by name. Several replies make one answer. */
enum fact_type {
	FACT_SET,    /* is the field's value; of the first reply that has it */
	FACT_FLAG,   /* is true; there is no field */
	FACT_APPEND, /* a list, to which the field's words or list are added, or its text as one */
	FACT_COMMAS, /* a list, to which the field's parts between commas are added */
	FACT_ROW     /* a list: the reply is an element, the field is in it by its own name */
};

struct fact {
	const char *field; /* for field_find with the reply's kind; NULL for FACT_FLAG */
	const char *fact;
	enum fact_type type;
};

/* The facts that replies of a kind tell; NULL and *n 0 for none. Static. Those of one FACT_ROW list
 * stand together. */
const struct fact *reply_facts(int kind, size_t *n);

/* Tells of each list that an answer to a row's question may have, some more than once: where no
 * reply adds to it, it is empty. row may be NULL. */
void reply_each_list(
	const struct reply_row *row, void (*found)(void *data, const char *fact), void *data);

#endif
