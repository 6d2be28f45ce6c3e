/*
 * channel: a channel, who is in it, and what its modes say.
 *
 * Modes are what the profile's PREFIX and CHANMODES make them; those with a meaning here are k l i
 * m n t s p, the lists b e I q, and every prefix. A channel lives as long as it has members.
 */
#ifndef EBB_SIM_CHANNEL_H
#define EBB_SIM_CHANNEL_H

#include "sim/inside.h"

enum { SIM_SETTINGS_MAX = 64 };

struct sim_channel {
	struct sim_network *net;
	char *name;
	char *topic, *topic_by; /* NULL: none */
	int64_t topic_ns, created_ns;
	struct list members; /* struct sim_member, in the order of joining */
	size_t n_members;
	struct sim_setting {
		char mode;
		char *value; /* owned; NULL for a mode without parameter */
	} settings[SIM_SETTINGS_MAX];
	size_t n_settings;
	struct list listed; /* struct sim_listed */
	size_t n_listed;
	struct list history; /* struct said, of history.c, in order */
	size_t n_history;
};

struct sim_member {
	struct list in_channel, in_client;
	struct sim_channel *channel;
	struct sim_client *client;
	char modes[16]; /* in the order of PREFIX */
};

/* A mask in a list; or, with SIM_INVITED as its mode, the nick of somebody invited. */
enum { SIM_INVITED = 1 };

struct sim_listed {
	struct list node;
	char mode;
	char *mask, *by;
	int64_t at_ns;
};

struct sim_channel *sim_channel_find(const struct sim_network *net, struct str name);

/* NULL when there are too many. */
struct sim_channel *sim_channel_new(struct sim_network *net, struct str name);

/* Frees what is left of one, without a word to its members. */
void sim_channel_free(struct sim_channel *ch);

struct sim_member *sim_channel_member(const struct sim_channel *ch, const struct sim_client *c);
struct sim_member *sim_channel_add(struct sim_channel *ch, struct sim_client *c);

/* Frees m, and the channel with its last member. */
void sim_channel_remove(struct sim_member *m);
void sim_channel_leave_all(struct sim_client *c);

/* To all members but `except`, which may be NULL. */
void sim_tell_channel(struct sim_channel *ch, const struct sim_client *except,
	const struct sim_client *from, const char *fmt, ...) PRINTF(4, 5);

/* Tells all members, the new one too, of a JOIN, each in the form it asked for. */
void sim_channel_announce(const struct sim_member *joined);

/* Shows one client that JOIN. */
void sim_channel_show_join(const struct sim_member *joined, struct sim_client *to);

/* Gives it another name, which no channel has; nobody is told. */
void sim_channel_rename(struct sim_channel *ch, struct str name);

/* Settings: NULL when not set; value may be absent. False when there is no room. */
const struct sim_setting *sim_channel_setting(const struct sim_channel *ch, char mode);
bool sim_channel_set(struct sim_channel *ch, char mode, struct str value);
bool sim_channel_unset(struct sim_channel *ch, char mode);

/* "+nt" or "+klnt 5"; the key's place holds it only for members. */
void sim_channel_describe(const struct sim_channel *ch, bool with_values, struct buf *out);

/* Lists: false for what was there, or was not, or has no room. */
bool sim_channel_list(struct sim_channel *ch, char mode, struct str mask, const char *by);
bool sim_channel_unlist(struct sim_channel *ch, char mode, struct str mask);
bool sim_channel_lists(const struct sim_channel *ch, char mode, const struct sim_client *c);
bool sim_channel_takes_back_invitation(struct sim_channel *ch, const struct sim_client *c);

/* Prefix modes. Rank 0 is the highest that the profile has; who has none ranks below all. */
size_t sim_rank(const struct sim_network *net, char mode);
size_t sim_member_rank(const struct sim_member *m);
bool sim_member_has(const struct sim_member *m, char mode);
void sim_member_set(struct sim_member *m, char mode, bool is_set);

/* Whether m, which may be NULL, has mode or a higher one; false where the profile lacks mode and
 * m has no higher one than o. */
bool sim_member_at_least(const struct sim_member *m, char mode);

/* The symbols in front of a nick as c sees them: all, or the highest. */
struct str sim_member_symbols(const struct sim_member *m, const struct sim_client *c, char out[16]);

/* Whether outsiders may know of it. */
bool sim_channel_is_secret(const struct sim_channel *ch);

#endif
