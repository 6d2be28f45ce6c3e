/*
 * inside: the network and its clients as the files of this folder share them.
 *
 * A handler of a command changes the network and puts lines on the wire; it never calls out. Only
 * wire.c calls owners and people, between two handlers, so whatever they do then finds everything
 * in order. Clients die into net->graves, and their memory goes when nothing is being delivered.
 */
#ifndef EBB_SIM_INSIDE_H
#define EBB_SIM_INSIDE_H

#include "base/list.h"
#include "base/map.h"
#include "base/rand.h"
#include "irc/isupport.h"
#include "irc/message.h"
#include "sim/fault.h"
#include "sim/network.h"

enum {
	SIM_NAME_MAX_BYTES = 256, /* nicks and channels that can exist are shorter */
	SIM_LINE_MAX_BYTES = MESSAGE_TAGS_BYTES + MESSAGE_BYTES,
	SIM_LABEL_MAX_BYTES = 64, /* IRCv3 labeled-response */
	SIM_GONE_MAX = 100        /* whom WHOWAS knows */
};

/* What one connection suffers. The network's own are those of connections to come. */
struct sim_faults {
	int64_t lag_ns;
	enum fault_silence silence;
	bool is_half_open;
};

struct sim_refusal {
	int count; /* registrations still to be refused, or FAULT_ALWAYS */
	int numeric;
	char *text; /* owned; NULL: the usual words */
};

/* The command that is being served, if it has a label: what its sender is told is held back until
 * it is complete. */
struct sim_label {
	struct sim_client *client; /* NULL: none */
	char text[SIM_LABEL_MAX_BYTES + 1];
	struct buf lines; /* with CR LF */
	size_t n_lines;
};

struct sim_network {
	const struct sim_profile *profile;
	struct timers *timers;     /* borrowed; outlives the network */
	struct isupport *isupport; /* what the profile's tokens say */
	char *name, *server, *host, *password;
	char **motd; /* NULL-terminated; NULL: none */
	bool wants_cookie;
	int64_t register_delay_ns, register_timeout_ns, ping_interval_ns, wall_offset_ns;
	int64_t created_ns;
	struct rand rand;

	struct list clients; /* struct sim_client, in the order they came */
	size_t n_clients;
	struct list graves;
	struct map nicks;    /* folded: struct sim_client, those who registered */
	struct map channels; /* folded: struct sim_channel */
	uint64_t round;      /* sim_client.round: who had a line already */
	struct buf line;     /* being made */

	struct sim_client *watcher; /* owned; NULL: nobody listens in */
	uint64_t next_number, next_batch, next_msgid;
	struct sim_label label;
	struct list monitors; /* struct sim_monitor, everybody's */
	struct list gone;     /* struct sim_gone, the last first */
	size_t n_gone;
	struct list accounts; /* struct sim_registered */
	bool has_accounts;    /* false: any password will do */
	bool is_without_services;
	bool is_sasl_failing;
	char *sasl_words;     /* owned; NULL: the usual ones */
	struct list barriers; /* struct sim_barrier */

	struct list wire; /* struct delivery, by time */
	struct timer wire_timer;
	bool is_delivering;

	struct sim_faults faults;
	struct sim_refusal refusal;
	bool is_down;
	bool was_connected;
	int64_t throttle_ns, connected_ns; /* the connection before */
	unsigned flood_lines;
	int64_t flood_ns;
};

enum sim_stage {
	SIM_REGISTERING,
	SIM_WELCOMED, /* all is said; 001 comes after register_delay_ns */
	SIM_READY,
	SIM_SPLIT,
	SIM_GONE
};

struct sim_client;

/* The client that a connection is. */
struct sim_client *sim_conn_client(struct sim_conn *conn);

/* What a kind of client does with what it gets. */
struct sim_client_ops {
	void (*deliver)(struct sim_client *c, struct str line); /* with CR LF */
	void (*ended)(struct sim_client *c, enum sim_end how);
	void (*free)(struct sim_client *c);
};

struct sim_client {
	struct sim_network *net;
	struct list node; /* net->clients or net->graves */
	const struct sim_client_ops *ops;
	enum sim_stage stage;
	unsigned caps;
	uint64_t number; /* that no other client of the network has or had */

	char *nick, *user, *host, *realname; /* owned; nick and user NULL until given */
	char *account, *away, *password;     /* owned; NULL: none */
	char modes[64];
	struct buf sasl;         /* what came of a login under way */
	struct sim_batch *batch; /* being received; NULL: none */
	struct list monitors;    /* struct sim_monitor */
	size_t n_monitors;
	struct list channels; /* struct sim_member */
	size_t n_channels;
	uint64_t round;
	uint64_t cookie; /* to be answered; 0: none */

	struct sim_faults faults;
	int64_t due_ns[2]; /* of the last line put on the wire, to the server and to the client */
	size_t queued_bytes;

	struct timer timer; /* of registration, of the welcome, of PING: by stage */
	int64_t joined_ns;  /* when it registered */
	int64_t heard_ns;
	int64_t flood_ns;     /* the window's begin */
	unsigned flood_lines; /* within it */

	bool is_person;
	bool is_forgotten; /* its owner let go: nothing is delivered */
	bool is_ended;     /* its end is on the wire, or was told */
	bool is_told;      /* the owner knows */
	bool is_overfull;  /* too much waits; it is being closed for that */
	bool is_negotiating;
	bool is_logging_in;
	bool had_cookie;
	bool is_nick_refused; /* by the fault, for this registration */
	bool is_greeted;      /* the message of the day has ended */
	bool is_pinged;
};

/* Puts name as it is compared into key; absent for one that is too long to exist. */
struct str sim_fold(const struct sim_network *net, struct str name, char key[SIM_NAME_MAX_BYTES]);

bool sim_same(const struct sim_network *net, struct str a, struct str b);

/* Those who registered, also while they cannot be reached. */
struct sim_client *sim_find(const struct sim_network *net, struct str nick);

int64_t sim_wall_s(const struct sim_network *net, int64_t at_ns);

/* A number of RPL_ISUPPORT, or what servers without it hold to. */
unsigned sim_limit(unsigned announced, unsigned usual);

/* The number that stands behind `key:` in a token such as CHANLIMIT=#&:20 or TARGMAX=PRIVMSG:4, or
 * usual. */
unsigned sim_token_limit(
	const struct sim_network *net, const char *token, struct str key, unsigned usual);

/* Replaces an owned text; cut to max bytes. */
void sim_set(char **place, struct str value, size_t max);

#endif
