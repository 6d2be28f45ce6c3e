/*
 * network: an IRC network inside the process, for a console and for tests.
 *
 * Clients are connections, whose bytes a program carries (the bot's), and people (person.h), whose
 * deeds are calls; the network treats them alike. It behaves as the server of its profile does
 * (profile.h), and badly on request (fault.h). There is no socket, clock or global state in here:
 * lines and calls go in, bytes come out, and time is what the timers were last told, so the same
 * calls at the same times give the same bytes.
 *
 * Every line in either direction passes one queue, ordered by when it is due. A call that gives
 * the network something to do delivers all that is due before it returns, so events may come from
 * within the call; what is given from within an event waits its turn, and is delivered before the
 * outermost call returns. So a callback may call everything in here but sim_network_free, and
 * never finds the network half-way through a command. sim_connect alone brings no event before it
 * returned.
 *
 * Everything is bounded: SIM_*_MAX below, names and lines by the profile. Any bytes are accepted.
 */
#ifndef EBB_SIM_NETWORK_H
#define EBB_SIM_NETWORK_H

#include "base/str.h"
#include "base/timers.h"
#include "sim/profile.h"

enum {
	SIM_CLIENTS_MAX = 2000,             /* connections and people */
	SIM_CHANNELS_MAX = 1000,            /* in a network */
	SIM_LISTED_MAX = 100,               /* masks in a channel's list, and invitations */
	SIM_QUEUED_MAX_BYTES = 1024 * 1024, /* for one client, in both directions */
	SIM_DELIVERIES_MAX = 10000 /* in one call; the rest comes when the timers run next */
};

struct sim_account {
	const char *name, *password;
};

/* Zero and NULL stand for what is said in the comment. Read at sim_network_new and not kept. */
struct sim_options {
	/* The last has no name: any name and password will do. */
	const struct sim_account *accounts;
	const char *profile;         /* "inspircd"; one of profile.h */
	const char *name;            /* the network's: the profile's own */
	const char *server;          /* the server that connections reach: "irc.sim.example" */
	const char *host;            /* where connections come from: "client.sim.example" */
	const char *password;        /* what PASS must give: none */
	const char *const *motd;     /* lines, NULL-terminated: none, so 422 */
	bool wants_cookie;           /* registration takes the answer to a PING */
	int64_t register_delay_ns;   /* between the client's last line of registration and 001 */
	int64_t register_timeout_ns; /* 0: none */
	int64_t ping_interval_ns; /* a client silent for so long is asked, then dropped; 0: never */
	int64_t wall_offset_ns;   /* wall clock less timers, for times that are shown */
	uint64_t seed;            /* of cookies */
};

struct sim_network;

/* Returns owned; NULL for a profile that there is not. Borrows timers until sim_network_free. */
struct sim_network *sim_network_new(const struct sim_options *options, struct timers *timers);

/* Frees its connections and people too, without any event. Not from within an event. */
void sim_network_free(struct sim_network *net);

/* Borrowed. */
const struct sim_profile *sim_network_profile(const struct sim_network *net);

/* How a connection ended for the client. */
enum sim_end {
	SIM_CLOSED, /* in order: the server sent ERROR, or read the end of what the client sent */
	SIM_RESET
};

/* What a connection tells its owner. */
struct sim_conn_events {
	/* One line with its CR LF. */
	void (*write)(void *owner, struct str bytes);
	/* No more events come, and what is sent goes nowhere. sim_close is still to be called. */
	void (*closed)(void *owner, enum sim_end how);
};

struct sim_conn;

/* Connects to the server. NULL when it cannot be reached: fault_down, or SIM_CLIENTS_MAX. Borrows
 * events, and owner for them. */
struct sim_conn *sim_connect(
	struct sim_network *net, const struct sim_conn_events *events, void *owner);

/* One line of the client's, with or without its line end. */
void sim_receive(struct sim_conn *conn, struct str line);

/* The client closes the connection, or forgets one that is closed: no event comes any more, and
 * conn is not to be used. Others see it quit. NULL is accepted. */
void sim_close(struct sim_conn *conn);

/* The nick it has registered, or NULL; borrowed until the next call. */
const char *sim_conn_nick(const struct sim_conn *conn);

/* An operator kills whoever has the nick; false where nobody has. */
bool sim_kill(struct sim_network *net, const char *nick, const char *oper, const char *reason);

/* The server gives prefix modes to who is in a channel: "o", "ov". False where nick is not. */
bool sim_grant(struct sim_network *net, const char *channel, const char *nick, const char *modes);

/* Services log who has the nick in, or out with NULL, and tell it; false where nobody has it. */
bool sim_login(struct sim_network *net, const char *nick, const char *account);

/* Services are up at first. Where the profile has a login, they take it with them (CAP DEL). */
void sim_services(struct sim_network *net, bool is_up);

/* Somebody gives who has the nick another; false where nobody has it, or the other is none or is
 * taken. */
bool sim_rename(struct sim_network *net, const char *nick, const char *other);

/* Changes user, which may be NULL, and host of who has the nick; false where nobody has. */
bool sim_change_host(struct sim_network *net, const char *nick, const char *user, const char *host);

/* Whether nick is in channel, and with which prefix modes ("ov"); NULL when it is not there.
 * Borrowed until the next call. */
const char *sim_network_member(
	const struct sim_network *net, const char *channel, const char *nick);

/* The topic, "" for none; NULL where there is no such channel. Borrowed until the next call. */
const char *sim_network_topic(const struct sim_network *net, const char *channel);

#endif
