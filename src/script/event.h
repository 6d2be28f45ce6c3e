/*
 * event: something that happened, as scripts hear of it.
 *
 * An event is a line from the server, a fact of the daemon's own (client_connect), or one that a
 * script triggered. It is made on the stack with slices of borrowed bytes, matched against what
 * scripts listen to, and copied to the heap only when somebody wants it: event_hold. From then on
 * it does not change, and is shared by counting references.
 */
#ifndef EBB_SCRIPT_EVENT_H
#define EBB_SCRIPT_EVENT_H

#include "base/handle.h"
#include "base/list.h"
#include "irc/fields.h"

struct event {
	unsigned refs; /* 0: on the stack, borrows */
	int kind;      /* enum event_kind, or the host's number of a script's own name */
	bool is_line;  /* m is there; else values */
	bool is_mine, is_replayed;
	bool is_end;               /* the network's connection ended with it */
	struct handle net;         /* names nothing for an event of no network */
	struct str net_name;       /* absent then */
	struct str name;           /* "privmsg": what ev.event gives */
	int64_t wall_ns;           /* server-time, else of arrival */
	struct isupport *isupport; /* counted once kept; NULL without a network */
	struct message m;
	struct str values; /* a persist table */
	struct list queue; /* the host's, while it waits for its turn */
};

/* Makes *e one on the heap: a copy with one reference, which the caller owns, if it was on the
 * stack. */
void event_hold(struct event **e);

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
