/*
 * listen: subscriptions and waits, indexed by the kind of event.
 *
 * A listener is a userdata of its script, linked into the lists of all the kinds that it is for.
 * A subscription stays in the registry until it is switched off; a wait stands on the stack of the
 * task that pauses for it. One that is made during the delivery of an event does not see it; one
 * that goes away during it does not run.
 */
#ifndef EBB_SCRIPT_LISTEN_H
#define EBB_SCRIPT_LISTEN_H

#include "script/filter.h"
#include "script/host.h"
#include "script/resource.h"
#include "script/task.h"

/* The listeners of one kind, in their order. */
struct listeners {
	struct list subs, waits;
	size_t n_waits;
};

struct listener {
	struct script *script;
	struct list all;    /* the script's listeners, or the task's waits */
	struct list dead;   /* the script's dead: to be unlinked after the delivery */
	struct list ending; /* the script's: a wait's first, or a backlog's, that
			       ends_with_connection */
	uint64_t order;
	uint64_t number; /* the host's count when it was made, or that of the task that made it */
	struct filter *filter; /* its userdata is user value 1; NULL for none */
	bool is_wait, is_once, is_dead;
	bool is_for_all; /* hears of all networks, else of net only */
	struct handle net;
	bool ends_with_connection; /* a wait that began while net was connected, for its lines only
				    */
	int self_ref, handler_ref; /* a subscription's places in the registry */
	const char *what, *site;
	struct task *task;            /* a wait's */
	struct backlog *backlog;      /* of events(); NULL for all others */
	struct event *got;            /* a wait's */
	struct listener_owned *owned; /* which owns both; NULL: there is neither */
	size_t n;
	struct listener_node {
		struct list node;
		struct listener *owner;
		int kind;
	} nodes[];
};

/* What listener_new is told; the filter's table is at a stack index. */
struct listen_to {
	const char *who; /* "on": for errors */
	int events;      /* index of a name or a list of names */
	int filter;      /* index; 0: none */
	bool is_wait;
};

/* Pushes a listener that is not linked yet. Raises for bad arguments. */
struct listener *listener_new(lua_State *L, const struct listen_to *to);

/* A subscription begins; its userdata is at index, its handler at another. */
void listener_subscribe(lua_State *L, int index, int handler, bool is_once);

/* Begins a subscription whose events are kept until they are read, as listener_subscribe. */
void listener_collect(lua_State *L, int index, size_t max);

/* The listener that events() pushed at index, or an error. */
struct listener *listener_check(lua_State *L, int index);

/* Ends a subscription; allowed at any time, also twice. */
void listener_off(struct listener *l);

/* Begins the waits at stack indices 1 to n for the running task, which pauses next: it is woken
 * with WAKE_DONE when each has its event, WAKE_FAILED with ERR_DISCONNECTED when the connection
 * ended, with ERR_LIMIT when an event does not fit into the script's memory. */
void listener_wait(lua_State *L, struct task *t, int n);

/* Lets go of the event that a wait got, or of all that was kept for a loop that is over. */
void listener_read(struct listener *l);

/* Delivers *e to one script: handlers, then waits, then the end of those waits whose connection the
 * event says has ended. *e may be replaced by its copy on the heap. False: the script is held
 * before all heard it; *d, zeroed at first, says how to go on. */
bool listen_deliver(struct script *s, struct event **e, struct delivery *d);

/* Ends the waits for lines of a connection that is no more, and where its network is gone, all that
 * wait for it alone: those made up to limit, the host's count of listeners. */
void listen_end_waits(struct script *s, struct handle net, uint64_t limit);

/* Ends a script's subscriptions with a handler; its waits and loops go on. */
void listen_retire(struct script *s);

/* Drops all of a script's listeners. */
void listen_clear(struct script *s);

/* Defines the metatable of what `on` returns. */
void listen_open(lua_State *L);

#endif
