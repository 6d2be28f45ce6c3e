/*
 * net: a network as scripts see it, and the tasks that wait for it.
 *
 * The daemon's network is reached through net_ops; it tells of lines and of its life through the
 * functions below. Scripts hold handles, never a struct net.
 */
#ifndef EBB_SCRIPT_NET_H
#define EBB_SCRIPT_NET_H

#include "base/err.h"
#include "irc/caps.h"
#include "irc/request.h"
#include "irc/roster.h"
#include "irc/sendq.h"
#include "script/host.h"
#include "script/options.h"
#include "script/resource.h"
#include "script/sieve.h"
#include "script/sync.h"
#include "script/trail.h"

/* What is true of a network now; all borrowed until it changes. */
struct net_facts {
	const char *nick, *host;
	const char *account; /* our own, NULL: logged out, or not known */
	const char *state;   /* idle resolving connecting tls registering ready closing */
	int port;
	bool is_connected;  /* lines can be sent */
	bool is_usable;     /* ready for use: client_connect came */
	bool is_closing;    /* it ends now, as requested */
	bool has_tags;      /* message-tags is negotiated */
	unsigned attempt;   /* since it was last usable */
	int64_t lag_ns;     /* -1: not measured */
	int64_t dial_in_ns; /* until the guard lets an attempt through; -1: none waits for it */
	struct isupport *isupport;
	const struct caps *caps;
};

/* A place in what is sent: after so many lines, and once these are out of the queue, after so many
 * bytes. */
struct net_mark {
	uint64_t lines, bytes;
	bool is_queued; /* bytes is not known yet */
};

struct net_ops {
	void (*facts)(void *data, struct net_facts *out);
	struct isupport *(*isupport)(void *data); /* the one of the facts; borrowed */
	/* One line without CR LF; is_raw: as it is. ERR_AGAIN: full, net_room will come. */
	int (*send)(void *data, struct str line, bool is_raw, struct err *err);
	/* The same for a line as it is whose answer is wanted: net_answered comes with asker and
	 * with *id, within timeout_ns of its leaving the queue, never from within the call.
	 * ERR_INVALID: it has no known answer there; ERR_LIMIT: too long, or too many questions. */
	int (*request)(void *data, struct str line, int64_t timeout_ns, void *asker,
		struct handle *id, struct err *err);
	/* Nobody waits for that answer any more. */
	void (*forget_request)(void *data, struct handle id);
	/* PRIVMSG at once, where nothing stands against it; else false, and send is to be asked. */
	bool (*say)(void *data, struct str target, struct str text);
	/* Tells of each line that waits to be sent. */
	void (*waiting)(void *data, void (*told)(void *to, const struct sendq_wait *w), void *to);
	/* What is sent by now. */
	void (*mark)(void *data, struct net_mark *out);
	/* Whether that is on the wire; where it is not, net_flushed will come when more is. */
	bool (*is_past)(void *data, struct net_mark *mark);
	/* Begins an attempt where none is under way. Its end comes by net_connected or net_closed,
	 * never from within the call. */
	void (*connect)(void *data);
	/* Ends the connection or the attempt; net_closed comes, never from within the call. False:
	 * there was nothing to end. */
	bool (*disconnect)(void *data, struct str message);
	/* What the server has told of channels and users; borrowed. */
	const struct roster *(*roster)(void *data);
};

struct net {
	struct list node; /* the host's nets */
	struct host *host;
	struct handle handle;
	char *name;
	char *maker; /* owned: the script that made it; NULL: the configuration has it */
	const struct net_ops *ops;
	void *data;
	struct list connectors; /* struct waiter: tasks in connect */
	struct list followers;  /* in connect, for the attempt after the present end */
	struct list closers;    /* in disconnect */
	struct list removers;   /* in remove */
	struct list senders;    /* struct net_waiter: in send, raw or request, with their line */
	struct list askers;     /* struct net_asker: in request, with their line sent or queued */
	struct list flushers;   /* struct net_flusher: tasks in flush */
	struct trail trail;
	struct list sieves[SIEVE_WAYS]; /* struct sieve: those that were made, and are not off */
	size_t n_sieves[SIEVE_WAYS];
	struct buf sifted; /* what became of the line that is sent */
};

/* Returns owned. Borrows ops and data. */
struct net *net_new(struct host *h, const char *name, const struct net_ops *ops, void *data);

/* Its waiting tasks get a failure. */
void net_free(struct net *n);

/* Puts it behind all others of its host, as scripts list them. */
void net_place_last(struct net *n);

struct net *net_find(const struct host *h, struct str name);

/* A script made it, which hears of it whatever networks it is configured for; NULL: none did. */
void net_made_by(struct net *n, const char *script);

/* What a script says of a network that it wants; all borrowed. */
struct net_wish {
	const char *script; /* who */
	bool reads_files;   /* whether it may have files read */
	const char *name;
	const setting_pair *pairs; /* of [network] */
	size_t n_pairs;
};

/* Who makes networks while ebb runs. */
struct net_maker {
	/* Makes it, idle; the net is the host's when this returns. One that the script made before,
	 * just so, is that. ERR_CONFIG: what is said does not stand; ERR_LIMIT: there are too many.
	 */
	int (*make)(void *data, const struct net_wish *wish, struct err *err);
	/* Ends its connection, and frees it later: never within the call. ERR_INVALID: the
	 * configuration has it. */
	int (*remove)(void *data, const struct net *n, struct str message, struct err *err);
	void *data;
};

struct net_facts net_facts(const struct net *n);

/* From the daemon's network: a line came. */
void net_line(struct net *n, const struct received *line);

/* It became ready for use. */
void net_connected(struct net *n);

/* A connection ended, or an attempt failed: why->code is the kind. */
struct net_end {
	const struct err *why;
	const char *host;
	int port;
	int64_t uptime_ns; /* since it was usable; -1: it never was */
};
void net_closed(struct net *n, const struct net_end *end);

/* The attempt goes on with another connection: what waited to be sent is gone. */
void net_moved(struct net *n, const struct err *why);

/* More of what was sent is on the wire. */
void net_flushed(struct net *n);

/* A request has its answer, or will have none. That the connection has ended is for net_closed to
 * tell. */
void net_answered(struct net *n, const struct request_result *result);

/* The queue has room again. */
void net_room(struct net *n);

/* The event was delivered to s: who of it waits in connect or disconnect goes on. */
void net_delivered(struct net *n, const struct event *e, const struct script *s);

struct net_asker;

/* A task in send or raw; it stands on the task's stack. */
struct net_waiter {
	struct waiter waiter;
	bool is_raw;
	struct str lines;        /* for sieve_cut: what is not sent yet; a question is one */
	const char *who;         /* the function that it called */
	struct net_asker *asker; /* whose part this is; NULL: no answer is wanted */
};

enum { NET_KIND_BYTES = 64 };

/* A task in request; the same. */
struct net_asker {
	struct net_waiter sender;
	struct net *net;
	int64_t timeout_ns;
	struct handle id; /* of what the server was asked; names nothing before and after */

	/* Once it is answered: */
	struct net_answer *answer;   /* NULL: the script's memory has no room for it */
	const struct reply_row *row; /* request.h */
	char kind[NET_KIND_BYTES];   /* of the server's no; else empty */
};

/* An answer on the heap, charged to the script; among what its task holds, so that it goes with
 * that. */
struct net_answer {
	struct resource owned;
	struct event *lines; /* whose extra is the lines, and whose m.nick is ours */
	struct arena *arena;
};

/* *line becomes what the filters of scripts make of it: of several lines the first, borrowed until
 * the next line is sent. ERR_DENIED: nothing is left of it. */
int net_sift_question(struct net *n, struct str *line, struct err *err);

/* Asks for t, which pauses next: it is woken with WAKE_DONE where there is an answer, else with
 * WAKE_FAILED. On failure it has not joined anything. */
int net_ask(struct net *n, struct net_asker *a, struct task *t, struct err *err);

/* A task in flush; the same. */
struct net_flusher {
	struct waiter waiter;
	struct net_mark mark;
};

/* Sends a line of a script's, or what its filters make of it. ERR_AGAIN: there is no room, or
 * others wait for it already: then *rest are the lines that are to wait for it, for sieve_cut,
 * borrowed from n or line until the next call. */
int net_send(struct net *n, struct str line, bool is_raw, struct str *rest, struct err *err);

#endif
