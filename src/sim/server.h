/*
 * server: what the server does about a client's line: the table of commands.
 */
#ifndef EBB_SIM_SERVER_H
#define EBB_SIM_SERVER_H

#include "sim/inside.h"

enum sim_when {
	SIM_ANYTIME,
	SIM_BEFORE, /* before registration is complete; 462 after */
	SIM_AFTER   /* 451 before */
};

struct sim_command {
	const char *name;
	uint8_t min_params; /* 461 for less */
	enum sim_when when;
	void (*run)(struct sim_client *c, const struct message *m);
};

/* Row i, sorted by name; NULL past the end. */
const struct sim_command *sim_command_at(size_t i);

/* One line from c, of any length, with or without its end. */
void sim_serve(struct sim_client *c, struct str line);

/* Handlers, by the file they stand in. A handler has its parameters, and c may be gone after it. */
/* negotiate.c */
void sim_on_cap(struct sim_client *c, const struct message *m);

/* account.c */
void sim_on_authenticate(struct sim_client *c, const struct message *m);

/* register.c */
void sim_on_pass(struct sim_client *c, const struct message *m);
void sim_on_nick(struct sim_client *c, const struct message *m);
void sim_on_user(struct sim_client *c, const struct message *m);
void sim_on_pong(struct sim_client *c, const struct message *m);

/* Tells all who see it, and c. */
void sim_change_nick(struct sim_client *c, struct str nick);

/* Goes on to the welcome, or to a refusal, when the client has said all that it must. */
void sim_try_welcome(struct sim_client *c);

/* c's time has come: the registration took too long, the welcome is due, a PING. */
void sim_on_timer(struct timer *t);

/* Starts that timer, for a connection that begins. */
void sim_expect_registration(struct sim_client *c);

/* join.c */
void sim_on_join(struct sim_client *c, const struct message *m);
void sim_on_part(struct sim_client *c, const struct message *m);
void sim_on_kick(struct sim_client *c, const struct message *m);
void sim_on_invite(struct sim_client *c, const struct message *m);
void sim_on_topic(struct sim_client *c, const struct message *m);
void sim_on_names(struct sim_client *c, const struct message *m);
void sim_on_rename(struct sim_client *c, const struct message *m);

/* c joins the channel, or is told why not. */
void sim_join(struct sim_client *c, struct str name, struct str key);

/* mode.c */
void sim_on_mode(struct sim_client *c, const struct message *m);

/* The server gives a prefix mode, and all are told; whether m has it now. */
struct sim_member;
bool sim_mode_by_server(struct sim_member *m, char mode);

/* talk.c */
void sim_on_privmsg(struct sim_client *c, const struct message *m);
void sim_on_notice(struct sim_client *c, const struct message *m);
void sim_on_tagmsg(struct sim_client *c, const struct message *m);
void sim_on_away(struct sim_client *c, const struct message *m);
void sim_on_quit(struct sim_client *c, const struct message *m);
void sim_on_ping(struct sim_client *c, const struct message *m);

/* All that came as one; multiline.c has its lines. */
struct sim_batch;
void sim_say_batch(struct sim_client *c, const struct sim_batch *batch);

/* multiline.c */
void sim_on_batch(struct sim_client *c, const struct message *m);

/* history.c */
void sim_on_chathistory(struct sim_client *c, const struct message *m);
void sim_on_redact(struct sim_client *c, const struct message *m);

/* identity.c */
void sim_on_setname(struct sim_client *c, const struct message *m);

/* monitor.c */
void sim_on_monitor(struct sim_client *c, const struct message *m);

/* whowas.c */
void sim_on_whowas(struct sim_client *c, const struct message *m);

/* query.c */
void sim_on_who(struct sim_client *c, const struct message *m);
void sim_on_whois(struct sim_client *c, const struct message *m);
void sim_on_list(struct sim_client *c, const struct message *m);
void sim_on_userhost(struct sim_client *c, const struct message *m);
void sim_on_ison(struct sim_client *c, const struct message *m);

/* about.c */
void sim_on_motd(struct sim_client *c, const struct message *m);
void sim_on_lusers(struct sim_client *c, const struct message *m);
void sim_on_version(struct sim_client *c, const struct message *m);
void sim_on_time(struct sim_client *c, const struct message *m);
void sim_on_admin(struct sim_client *c, const struct message *m);
void sim_on_info(struct sim_client *c, const struct message *m);
void sim_on_links(struct sim_client *c, const struct message *m);
void sim_on_oper(struct sim_client *c, const struct message *m);
void sim_on_kill(struct sim_client *c, const struct message *m);

/* 001 to 005, LUSERS and the message of the day. */
void sim_greet(struct sim_client *c);

#endif
