/*
 * nick: what we are called, and want to be called; a part of the session.
 *
 * While registering, nicks are tried in order: the configured one, its alternatives, then the first
 * with underscores. Who is ready under another nick than the wanted one watches that: through
 * MONITOR where the server has it, else by ISON at growing intervals; and by the QUITs and NICKs
 * that it sees. When the nick is free it is asked for; servers refuse that in many ways, so one
 * that has no answer for a while is taken for refused. A nick that a script asked for and got is
 * the wanted one from then on. Who was renamed by somebody else does not fight over it: it lets a
 * time pass first, which doubles each time.
 */
#ifndef EBB_IRC_NICK_H
#define EBB_IRC_NICK_H

#include "irc/message.h"

#include <stdint.h>

struct session;

struct nick {
	char *now;    /* owned: the server's idea of ours; before 001 the one that is being tried */
	char *wanted; /* owned */
	char *asked;  /* owned: a NICK of ours was sent, and not answered yet; NULL */
	bool is_scripts; /* asked was a script's doing */
	bool is_due;     /* wanted is to be asked for when ready */
	bool is_monitored;
	bool is_ison_out; /* ISON was sent, and not answered yet */
	unsigned tries;   /* while registering */
	unsigned looks, renames;
	int64_t answer_ns; /* until then the answer to asked is waited for */
	int64_t look_ns;   /* when it is next looked after; -1: not by time */
	int64_t calm_ns;   /* not to be asked for before */
};

void nick_init(struct session *s);
void nick_fini(struct session *s);

/* The session has other options: asks for a new nick, or notes that it is to be asked for. */
void nick_configure(struct session *s, bool is_new);

/* The session is ready; pushes, as what follows does, but does not pump. */
void nick_on_ready(struct session *s);

/* A NICK line of a script's that is being sent. */
void nick_note_sent(struct session *s, const struct message *m);

/* Received lines. */
void nick_on_welcome(struct session *s, const struct message *m);
void nick_on_refusal(struct session *s, const struct message *m);
void nick_on_nick(struct session *s, const struct message *m);
void nick_on_quit(struct session *s, const struct message *m);
void nick_on_ison(struct session *s, const struct message *m);
void nick_on_offline(struct session *s, const struct message *m);

/* When nick_tick is next wanted, or -1. */
int64_t nick_deadline(const struct session *s);
void nick_tick(struct session *s);

/* The connection is over. */
void nick_end(struct session *s);

#endif
