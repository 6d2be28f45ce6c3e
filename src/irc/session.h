/*
 * session: one conversation with one server, from the first line to the last.
 *
 * Lines and a time go in; lines, events and a next deadline come out. There is no socket, loop or
 * clock in here. The session registers (CAP, PASS, NICK, USER), answers PING, follows its own
 * nick, reads what the server is, joins its channels when ready, paces what scripts say, and asks
 * whether the server is still there.
 *
 *     idle --session_begin--> registering --376 or 422--> ready --session_quit--> closing
 *      ^                           |                        |                       |
 *      +---------------------------+---- session_end -------+-----------------------+
 *
 * What outlives the connection stays over session_end: the channels to be joined again.
 */
#ifndef EBB_IRC_SESSION_H
#define EBB_IRC_SESSION_H

#include "base/clock.h"
#include "base/err.h"
#include "base/map.h"
#include "irc/caps.h"
#include "irc/fields.h"
#include "irc/isupport.h"
#include "irc/request.h"
#include "irc/roster.h"
#include "irc/sasl.h"
#include "irc/sendq.h"
#include "irc/sts.h"

enum session_state { SESSION_IDLE, SESSION_REGISTERING, SESSION_READY, SESSION_CLOSING };

enum { SESSION_CHANNELS_MAX = 1000, SESSION_TEXT_MAX_BYTES = 64 * 1024 };

struct session_channel {
	const char *name, *key; /* key: NULL for none */
};

/* Borrowed as long as the session lives, or until session_configure gives others. */
struct session_options {
	const char *network; /* for the log */
	const char *nick;
	const char *const *alt_nicks;
	size_t n_alt_nicks;
	const char *user, *realname;
	const char *password; /* NULL: no PASS is sent */
	const char *umodes;   /* "+ix", set when registered; NULL: none */
	const struct session_channel *channels;
	size_t n_channels;
	struct sasl_options sasl; /* no mechanisms: no login */
	bool sasl_required;       /* without it we do not stay */
	struct caps_options caps;
	bool sts;       /* a server may say that it is spoken to with TLS only */
	bool is_manual; /* register = manual: until 001 nothing is sent but PONG */
	int64_t who_ns; /* between two WHO about channels that were joined; 0: none is sent */
	int64_t register_timeout_ns, ping_interval_ns, ping_timeout_ns;
	struct sendq_limits limits;
};

/* What the session tells its owner. None of these may free the session. */
struct session_ops {
	/* Send these bytes: one or more whole lines, each with CR LF. */
	void (*write)(void *owner, struct str bytes);
	/* A line came. The session's facts are still what they were before it. */
	void (*event)(void *owner, const struct received *line);
	/* Registered, and the JOINs queued. */
	void (*ready)(void *owner);
	/* Ready for use: registered and the JOINs queued; with is_manual, at session_begin. */
	void (*usable)(void *owner);
	/* The queue has room again after session_send gave ERR_AGAIN. */
	void (*room)(void *owner);
	/* A request has its answer, or will have none. */
	void (*answered)(void *owner, const struct request_result *result);
	/* The server has a policy (STS): to come again with TLS at value->port, where the stream is
	 * not secure, of which nothing more is then heard or said; else one that holds for
	 * value->duration_ns. */
	void (*sts)(void *owner, const struct sts_value *value);
	/* Something that nobody else can guess. */
	uint64_t (*seed)(void *owner);
	/* The time of day. */
	int64_t (*wall_ns)(void *owner);
	/* The conversation is over; the owner closes the stream and calls session_end. Once. */
	void (*failed)(void *owner, const struct err *why);
};

struct session;

/* Returns owned. Borrows options and ops. */
struct session *session_new(
	const struct session_options *options, const struct session_ops *ops, void *owner);
void session_free(struct session *s);

/*
 * Other options, for a session in any state; the old ones may go after the call. Limits and
 * timeouts hold at once, and nothing that is queued is lost. Who is ready asks for a new nick (not
 * with is_manual, where nicks are a script's), joins the channels that are new or have a new key,
 * as far as it is not in them, and parts from those that came with options and are no longer among
 * them; who registers does so when ready. The rest is for the next session_begin.
 */
void session_configure(struct session *s, const struct session_options *options, int64_t now_ns);

/* The stream is open, and is_secure where nobody else reads or changes what it carries:
 * registration begins. */
void session_begin(struct session *s, bool is_secure, int64_t now_ns);

/* The stream is gone. */
void session_end(struct session *s);

/* One line from the server, without CR LF. What makes no sense is counted and skipped. */
void session_feed(struct session *s, struct str line, int64_t now_ns);

/* When session_tick is next wanted; -1: not at all. Asked anew after every call. */
int64_t session_deadline(const struct session *s);
void session_tick(struct session *s, int64_t now_ns);

/* Why the stream ends that the server just closes: false where it has not said so. It may say that
 * we are banned a while before it closes, SESSION_VERDICT_NS at most. */
#define SESSION_VERDICT_NS (1 * NS_PER_S)
bool session_verdict(const struct session *s, struct err *out);

/* Asks the server at once whether it is still there, unless it is asked already or not ready: then
 * there is a deadline anyway. */
void session_probe(struct session *s, int64_t now_ns);

/* Queues one line without CR LF. A PRIVMSG or NOTICE that does not fit the line which the server
 * will relay is sent in parts. ERR_AGAIN: the queue is full, ops->room will come; ERR_DISCONNECTED;
 * ERR_LIMIT: too long, and nothing is sent. */
NODISCARD int session_send(struct session *s, struct str line, int64_t now_ns, struct err *err);

/* As session_send, for a line as it is: what does not fit is ERR_LIMIT. */
NODISCARD int session_raw(struct session *s, struct str line, int64_t now_ns, struct err *err);

/* Sends a line whose answer is wanted: ops->answered comes with data, which is not NULL, and with
 * *id, within timeout_ns of the time at which the line leaves the queue, never from within the
 * call. Fails as session_raw, and as requests_add does. */
NODISCARD int session_request(struct session *s, struct str line, int64_t timeout_ns, void *data,
	struct handle *id, int64_t now_ns, struct err *err);

/* Nobody waits for the answer any more; ops->answered does not come. */
void session_forget_request(struct session *s, struct handle id);

/* Sends QUIT before all that waits, which is dropped; the server closes the connection. message
 * may be absent. */
void session_quit(struct session *s, struct str message, int64_t now_ns);

/* PRIVMSG at once, where nothing stands against it: text is one line that need not be split, no
 * CTCP, and nothing waits. Else false, and nothing happened: session_send is to be asked. */
bool session_say(struct session *s, struct str target, struct str text, int64_t now_ns);

/* Tells of each line that waits to be sent, as sendq_each does. */
void session_each_waiting(const struct session *s, int64_t now_ns,
	void (*told)(void *data, const struct sendq_wait *w), void *data);

/* How many lines were given to be sent, and whether those are gone that were before a count. */
uint64_t session_pushed(const struct session *s);
bool session_is_past(const struct session *s, uint64_t pushed);

/* Facts. */
enum session_state session_state(const struct session *s);
const char *session_nick(const struct session *s); /* the server's idea of it, or the wanted one */
struct isupport *session_isupport(const struct session *s);   /* borrowed */
const struct roster *session_roster(const struct session *s); /* borrowed */
const char *session_account(const struct session *s);         /* NULL: logged out, or not known */
const struct caps *session_caps(const struct session *s);
int64_t session_lag_ns(const struct session *s); /* of the last PING answered; -1: none yet */
uint64_t session_bad_lines(const struct session *s);

#endif
