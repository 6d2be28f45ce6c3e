/*
 * event: something that happened, as scripts hear of it.
 *
 * An event is a line from the server, a fact of the daemon's own (client_connect), or one that a
 * script triggered. It is made on the stack with slices of borrowed bytes, and matched against what
 * scripts listen to. A script that wants it now gets a copy in its own memory (event_copy); what
 * has to wait for its turn, or for a task's, is copied to the heap (event_hold), does not change
 * from then on, and is shared by counting references.
 */
#ifndef EBB_SCRIPT_EVENT_H
#define EBB_SCRIPT_EVENT_H

#include "base/handle.h"
#include "base/list.h"
#include "irc/fields.h"

struct event {
	unsigned refs; /* 0: on the stack, borrows; or a copy in a script */
	int kind;      /* enum event_kind, or the host's number of a script's own name */
	bool is_line;  /* m is there; else values */
	bool is_mine, is_replayed;
	bool is_end;               /* the network's connection ended with it */
	struct handle net;         /* names nothing for an event of no network */
	uint64_t number;           /* that no other event of the host has or had */
	struct str net_name;       /* absent for an event of no network */
	const char *name;          /* "privmsg": what ev.event gives; lives as long as the host */
	int64_t wall_ns;           /* of arrival */
	struct isupport *isupport; /* counted on the heap; NULL without a network */
	struct str extra,
		opening; /* of a line: what it does not say itself (fields.h), or absent */
	union {
		struct str values; /* a persist table */
		struct message m;  /* last: a copy ends with its parameters */
	};
};

/* What a copy takes, and a copy in memory of that size, which borrows isupport and name. */
size_t event_size(const struct event *e);
void event_copy(const struct event *e, void *to);

/* server-time, else the time of arrival. */
int64_t event_wall_ns(const struct event *e);

/* Makes *e one on the heap: a copy with one reference, which the caller owns, if it was on the
 * stack. */
void event_hold(struct event **e);

/* The place in a list, and what is there, of an event on the heap. */
struct list *event_node(struct event *e);
struct event *event_of(struct list *node);

/* For an event on the heap. */
struct event *event_ref(struct event *e);
void event_unref(struct event *e);

/* The field, whatever owns it; false when there is none of that name. */
bool event_field(const struct event *e, struct str name, struct value *out);

/* Whether this is heard only by who asks for it: our own talk, and what is replayed. */
bool event_is_talk(const struct event *e);

/* How many are on the heap, for tests that look for leaks. */
size_t event_count(void);

#endif
