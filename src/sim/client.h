/*
 * client: one client as the server knows it, and what it is told.
 */
#ifndef EBB_SIM_CLIENT_H
#define EBB_SIM_CLIENT_H

#include "sim/inside.h"

/* A fresh client of net in c, which the caller allocated. Copies host. */
void sim_client_init(struct sim_client *c, struct sim_network *net,
	const struct sim_client_ops *ops, const char *host);

/* Takes it off all lists, and frees it by its ops. */
void sim_client_free(struct sim_client *c);

/* To the graves, once the network and the owner have both let go. */
void sim_client_bury(struct sim_client *c);

/* What it is called in a reply: its nick, or * before it has one. */
const char *sim_client_name(const struct sim_client *c);

/* Whether nick could be somebody's: neither too long nor with letters that are not allowed. */
bool sim_is_nick(const struct sim_network *net, struct str nick);

/* Registers c under c->nick, or under another. */
void sim_client_register(struct sim_client *c);
void sim_client_rename(struct sim_client *c, struct str nick);

/* Off the network: neighbours see QUIT, the nick is free. It hears nothing of it. */
void sim_client_quit(struct sim_client *c, const char *reason, enum sim_stage stage);

/* The server closes the connection: QUIT with the reason, ERROR with the server's words around it,
 * and the end. */
void sim_client_close(struct sim_client *c, const char *reason);

/* The same with the words as they are. */
void sim_client_error(struct sim_client *c, const char *reason, const char *words);

/* The client went without a word. */
void sim_client_lost(struct sim_client *c, const char *reason);

/* The connection is reset under it; what is on the wire is lost. */
void sim_client_reset(struct sim_client *c);

/* One line to a client, from another or (NULL) from the server: source, tags and cut as the
 * client's capabilities and the profile ask for. */
void sim_tell(struct sim_client *to, const struct sim_client *from, const char *fmt, ...)
	PRINTF(3, 4);

/* What a line may have beyond its text, all zero for nothing. */
struct sim_extra {
	struct str client_tags; /* as they came; only those that pass, to those who take them */
	const char *label;
	const char *source; /* in place of from: "nick!user@host" */
	uint64_t msgid, batch;
	int64_t at_ns;  /* when it was said; 0: now */
	bool is_concat; /* draft/multiline-concat */
};

/* The same with these. */
void sim_relay(struct sim_client *to, const struct sim_client *from, const struct sim_extra *extra,
	const char *fmt, ...) PRINTF(4, 5);

/* Whether c says of itself to be a bot. */
bool sim_is_bot(const struct sim_client *c);

/* What the watcher, if there is one, hears of a deed of a client's or (NULL) of the server's. */
void sim_overhear(struct sim_network *net, const struct sim_client *from, const char *fmt, ...)
	PRINTF(3, 4);

/* To all who share a channel with c, once each, and not to c. */
void sim_tell_neighbours(struct sim_client *c, const char *fmt, ...) PRINTF(2, 3);

/* To those of them, and of those who monitor c with extended-monitor, who have this capability.
 * No watcher hears it. */
void sim_notify(struct sim_client *c, unsigned cap, const char *fmt, ...) PRINTF(3, 4);

/* A line without source: PING, ERROR. */
void sim_tell_plain(struct sim_client *to, const char *fmt, ...) PRINTF(2, 3);

/* A numeric: what follows the client's name. */
void sim_reply(struct sim_client *c, int numeric, const char *fmt, ...) PRINTF(3, 4);

/* The numerics that many commands share. */
/* What servers say by a numeric that refuses a registration or a join; otherwise: by any other. */
const char *sim_usual_words(int numeric, const char *otherwise);

void sim_no_such_nick(struct sim_client *c, struct str nick);
void sim_no_such_channel(struct sim_client *c, struct str channel);

/* A command that the server does not know, or not of this client. */
void sim_unknown(struct sim_client *c, const char *command);

/* A standard reply. context: further parameters, or "". */
void sim_fail(struct sim_client *c, const char *command, const char *code, const char *context,
	const char *words);

/* A list that is spread over as many lines as it takes: "head :item item". */
struct sim_listing {
	struct sim_client *to;
	int numeric;
	struct str head; /* borrowed; without the colon */
	struct buf items;
	char gap; /* between the items */
	bool was_sent;
};

void sim_listing_begin(struct sim_listing *l, struct sim_client *to, int numeric, struct str head);
void sim_listing_add(struct sim_listing *l, struct str item);

/* Sends what is left; an empty list only where is_wanted. */
void sim_listing_end(struct sim_listing *l, bool is_wanted);

#endif
