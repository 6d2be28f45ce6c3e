/*
 * fields: what a received line is called as an event, and the named fields it has.
 *
 * An event has one kind. A numeric's kind is its number, whatever names documents give it; the
 * others are below. A name means one kind or more (rpl_bounce is 005 and 010; mode is channelmode
 * and usermode). Fields are read from the message when somebody asks, not before.
 */
#ifndef EBB_IRC_FIELDS_H
#define EBB_IRC_FIELDS_H

#include "irc/isupport.h"
#include "irc/message.h"

enum event_kind {
	/* 0 to 999: the numerics */
	EVENT_ANY = 1000, /* "*": every line; no line's own kind */
	EVENT_UNKNOWN,    /* a command that is in no table here */
	EVENT_PING,
	EVENT_PONG,
	EVENT_ERROR,
	EVENT_PRIVMSG,
	EVENT_NOTICE,
	EVENT_TAGMSG,
	EVENT_CTCP,
	EVENT_CTCP_REPLY,
	EVENT_ACTION,
	EVENT_JOIN,
	EVENT_PART,
	EVENT_QUIT,
	EVENT_KICK,
	EVENT_KILL,
	EVENT_NICK,
	EVENT_INVITE,
	EVENT_TOPIC,
	EVENT_CHANNELMODE,
	EVENT_USERMODE,
	EVENT_ACCOUNT,
	EVENT_AWAY,
	EVENT_CHGHOST,
	EVENT_SETNAME,
	EVENT_WALLOPS,
	EVENT_FAIL,
	EVENT_WARN,
	EVENT_NOTE,
	EVENT_BATCH,
	EVENT_ACK,
	EVENT_REDACT,
	EVENT_RENAME,
	EVENT_CAP,
	EVENT_AUTHENTICATE,
	EVENT_CLIENT_CONNECT, /* from here on: not lines but facts of the daemon's own */
	EVENT_CLIENT_DISCONNECT,
	EVENT_SCRIPT_LOAD,
	EVENT_SCRIPT_UNLOAD,
	EVENT_SCRIPT_ERROR,
	EVENT_KINDS
};

enum { EVENT_NAME_KINDS_MAX = 4 };

/* A line that came, and what is known of it. Borrowed for the call that tells of it. */
struct received {
	const struct message *m;
	int kind; /* from event_kind_of */
	bool is_mine, is_replayed;
	struct str extra;   /* what m does not say: the channels shared with who quits, separated by
			     * spaces; the lines of a batch that closes, by line feeds; or absent */
	struct str opening; /* of a batch that closes: its type and parameters, separated by spaces,
			     * which only its first line had; or absent */
};

/* The kinds that a name means, any case, into found; returns how many, 0 for a name that nothing
 * here owns. Three digits name a numeric. */
size_t event_kinds(struct str name, int found[EVENT_NAME_KINDS_MAX]);

/* The name of a kind: "privmsg"; a numeric's first name, or its digits where no document names
 * it. Static. */
const char *event_name(int kind);

/* The kind of a received line: CTCP and ACTION told from PRIVMSG, the two MODEs by their target.
 * -1 for a line that lacks the source or the parameters that its kind must have. */
int event_kind_of(const struct message *m, const struct isupport *is);

enum value_type {
	VALUE_NONE, /* absent */
	VALUE_STR,
	VALUE_ESCAPED, /* str, a tag's value: message_unescape it */
	VALUE_INT,
	VALUE_FLOAT, /* of events that scripts make only */
	VALUE_BOOL,
	VALUE_LIST,   /* list, n */
	VALUE_WORDS,  /* str, a list separated by spaces */
	VALUE_COMMAS, /* the same by commas */
	VALUE_LINES,  /* str, messages separated by line feeds */
	VALUE_TAGS,   /* str, walked with message_next_tag */
	VALUE_CHANGES /* str and list, n: walked with modes_begin */
};

struct value {
	enum value_type type;
	struct str str;
	int64_t integer; /* and a boolean */
	double number;
	const struct str *list;
	size_t n;
};

struct field;

/* The fields of a kind, those that every event has included: command params tags source nick user
 * host account msgid batch bot raw. (event network net mine replayed time are not a message's.)
 * A kind of which only the name is known has target and message if it is a numeric. The own field
 * of a kind hides the common one of that name. NULL: no such field, or past the end. */
const struct field *field_find(int kind, struct str name);
const struct field *field_at(int kind, size_t i);
const char *field_name(const struct field *f);

/* Reads f from m. Slices borrow m's line, but for a CTCP command that is well known, which comes
 * in upper case whatever was sent. What only the owner of an event can tell (host and port of
 * client_connect) is absent, and so is everything where m is NULL. */
void field_read(const struct field *f, const struct message *m, const struct isupport *is,
	struct value *out);

#endif
