/*
 * config: what the configuration file says, checked and complete.
 *
 * One table names every key: its section, type, unit, default, range and help. Reading the file
 * goes by that table; the sample file and ebb.ini(5) are tested against it. A configuration is
 * read as a whole or not at all: whatever is unknown, missing or out of range is an error with
 * file and line, all of them in one pass, and never a silent default.
 *
 * Paths are resolved against the folder of the file. Times are nanoseconds; the file has seconds.
 */
#ifndef EBB_DAEMON_CONFIG_H
#define EBB_DAEMON_CONFIG_H

#include "base/buf.h"
#include "base/err.h"
#include "net/pin.h"

enum { CONFIG_BOUND_BYTES = 24, CONFIG_MECHANISM_COUNT = 5 };

enum config_kind { CONFIG_DAEMON, CONFIG_NETWORK, CONFIG_SCRIPT, CONFIG_KINDS };

/* How the text of a value is read, and the type of its field. */
enum config_type {
	CONFIG_TEXT,       /* char * */
	CONFIG_WORD,       /* char *, no spaces */
	CONFIG_NICK,       /* char * */
	CONFIG_NICKS,      /* struct config_names */
	CONFIG_BOOL,       /* bool */
	CONFIG_CHOICE,     /* int, the index of the word: an enum in their order */
	CONFIG_WHOLE,      /* int */
	CONFIG_NUMBER,     /* double */
	CONFIG_SECONDS,    /* int64_t, nanoseconds */
	CONFIG_SIZE,       /* size_t, bytes */
	CONFIG_HOSTS,      /* struct config_hosts */
	CONFIG_ADDRESS,    /* char *, an IPv4 or IPv6 address without port */
	CONFIG_CHANNELS,   /* struct config_channels */
	CONFIG_PINS,       /* struct config_pins */
	CONFIG_SECRET,     /* char *, also as KEY_file; wiped when freed */
	CONFIG_PROXY,      /* struct config_proxy, also as KEY_file; wiped when freed */
	CONFIG_FILE,       /* char *, a path that can be read */
	CONFIG_PATH,       /* char *, a path that config_load checks by itself */
	CONFIG_CREDENTIAL, /* char *, the path of a credential or of a file that can be read */
	CONFIG_PEM,        /* char *, the text of a credential or file in PEM; wiped when freed */
	CONFIG_FOLDER,     /* char *, the path of a folder that is there */
	CONFIG_MECHANISMS, /* struct config_mechanisms */
	CONFIG_CAPS,       /* struct config_names, a minus in front of those to refuse */
	CONFIG_MODES,      /* char *, signs and letters */
	CONFIG_FOLDERS,    /* struct config_names, paths */
	CONFIG_NETWORKS,   /* struct config_names */
	CONFIG_TYPES
};

/* What a change of a network's key needs when the file is read again. */
enum config_need {
	CONFIG_LIVE,      /* nothing but to be taken over */
	CONFIG_SERVER,    /* a new connection, unless its server is still among the hosts */
	CONFIG_CONNECTION /* a new connection */
};

struct config_option {
	enum config_kind kind;
	enum config_type type;
	const char *key;
	const char *words;    /* the unit of a number, the words of a choice; else NULL */
	double min, max;      /* of numbers, both included */
	const char *standard; /* the default, as one would write it */
	const char *without;  /* where there is no such text: what holds without the key */
	const char *help;     /* one sentence */
	size_t offset;        /* of the field in the section's struct */
	enum config_need need;
};

struct config_names {
	char **names;
	size_t n;
};

struct config_hosts {
	struct config_host {
		char *name;  /* a name or an address, the latter without brackets */
		char *ascii; /* the same as DNS knows it (net/idn.h) */
		int port;
		bool has_port; /* of its own: else it is the network's */
	} * hosts;
	size_t n;
};

struct config_channels {
	struct config_channel {
		char *name, *key; /* key NULL: none */
	} * channels;
	size_t n;
};

struct config_pins {
	struct pin *pins;
	size_t n;
};

/* Of SOCKS5; it resolves the names of what is behind it. */
struct config_proxy {
	char *host; /* as `ascii` of config_host; NULL: no proxy */
	int port;
	char *user, *password; /* both or, NULL, neither */
};

/* Of SASL, in order of preference. */
struct config_mechanisms {
	int mechanisms[CONFIG_MECHANISM_COUNT];
	size_t n;
};

struct config_daemon {
	struct config_names script_path;
	char *state_dir;  /* NULL: where the environment says */
	char *control;    /* NULL: where the environment says */
	int log_level;    /* an enum log_level */
	double dial_rate; /* connections a second to one host */
	bool watch;
	int64_t reload_timeout_ns, reload_drain_ns;
};

enum config_family { CONFIG_FAMILY_ANY, CONFIG_FAMILY_IPV4, CONFIG_FAMILY_IPV6 };

enum config_register { CONFIG_REGISTER_AUTO, CONFIG_REGISTER_MANUAL };

struct config_network {
	char *name;
	int line;
	struct config_hosts host; /* at least one */
	struct config_proxy proxy;
	int port;
	int family; /* an enum config_family */
	char *bind; /* an address of family; NULL: the system's choice */
	bool tls, tls_verify, sts;
	char *tls_ca; /* NULL: the system's */
	struct config_pins tls_fingerprint;
	char *tls_cert; /* NULL: none */
	char *tls_key;  /* NULL: in tls_cert's file */
	char *nick;
	struct config_names alt_nicks;
	char *user, *realname; /* NULL: the nick */
	char *server_password; /* NULL: none */
	struct config_mechanisms sasl;
	char *account;   /* NULL: the nick */
	char *password;  /* NULL: none */
	char *ecdsa_key; /* in PEM, a secret; NULL: none */
	bool sasl_required;
	struct config_names caps; /* to ask for besides; with a minus in front: not to */
	char *umodes;             /* NULL: none */
	struct config_channels channels;
	bool autoconnect;
	int registration; /* an enum config_register */
	int64_t connect_timeout_ns, register_timeout_ns, ping_interval_ns, ping_timeout_ns;
	int flood_burst;   /* lines */
	double flood_rate; /* lines a second; 0: no pacing */
	int queue_max;     /* lines */
};

struct config_script {
	char *name;
	int line;
	char *path;                   /* the file to run; NULL only where it is not enabled */
	char *source;                 /* run instead of that file; NULL: it is read */
	struct config_names networks; /* none: all */
	bool enabled;
	size_t memory_max;
	int trust; /* an enum script_trust */
	int gc;    /* an enum script_gc */
	bool debug;
	int64_t cpu_max_ns; /* 0: the standard of its trust */
	struct config_pair {
		char *key, *value; /* a value of several lines has newlines between them */
		int line;
	} * pairs; /* the script's own keys, in order */
	size_t n_pairs;
};

/* The configured networks and scripts, in the order of the file. Who takes one over leaves NULL in
 * its place. */
struct config {
	struct config_daemon daemon;
	struct config_network **networks;
	size_t n_networks;
	struct config_script **scripts;
	size_t n_scripts;
};

/* Returns owned in *out. ERR_CONFIG: *out is NULL and errors got a line for each error, in the
 * order of the file, as "FILE:LINE: [SECTION NAME] KEY: WHY"; as many as it has room for. */
NODISCARD int config_load(const char *path, struct config **out, struct buf *errors);

/* Wipes the secrets. */
void config_free(struct config *c);

/* Whether a section may be called so: letters, digits and _ - . only, the first no _ - or . */
bool config_is_name(struct str name);

/* NULL when it is not configured. */
struct config_network *config_network(const struct config *c, struct str name);
struct config_script *config_script(const struct config *c, struct str name);

/* The first of NAME.lua and NAME/init.lua along script_path that can be read; returns owned, or
 * NULL. tried, which may be NULL, gets the places looked at, with ", " between them. */
char *config_find_script(const struct config *c, struct str name, struct buf *tried);

/* Whether a key of [network NAME] names a file that is read. */
bool config_names_file(struct str key);

/*
 * A configuration made by calls, of sections that stand in no file: pairs are the n keys of each,
 * and all is copied. Paths are as the process has them. Networks come before the scripts that name
 * them. ERR_CONFIG: err is the first of what is wrong, and c is as it was.
 */

/* What [daemon] says, without networks and scripts. Returns owned in *out; NULL on failure. */
NODISCARD int config_new(
	const struct config_pair *pairs, size_t n, struct config **out, struct err *err);

/* [network NAME] and [script NAME], as the last ones. source is run instead of the script's file,
 * which need not be there: its place is that of the modules beside it; NULL: the file is read. */
NODISCARD int config_add_network(struct config *c, const char *name,
	const struct config_pair *pairs, size_t n, struct err *err);
NODISCARD int config_add_script(struct config *c, const char *name, const struct config_pair *pairs,
	size_t n, const char *source, struct err *err);

/* A network of its own, by the keys of [network NAME]; copies all. ERR_CONFIG: err is the first of
 * what is wrong. */
NODISCARD int config_network_new(const char *name, const struct config_pair *pairs, size_t n,
	struct config_network **out, struct err *err);
void config_network_free(struct config_network *network);

/* The index of host, by name as DNS knows it and port; list->n where it is not among them. */
size_t config_find_host(const struct config_hosts *list, const struct config_host *host);

enum config_change {
	CONFIG_UNCHANGED,
	CONFIG_CHANGED_LIVE, /* in keys that can be taken over */
	CONFIG_CHANGED_CONNECTION
};

/* How new differs from old for a connection to server, by the table. keys, which may be NULL, gets
 * the keys that differ, with ", " between them. */
enum config_change config_compare_networks(const struct config_network *old,
	const struct config_network *new, const struct config_host *server, struct buf *keys);

/* As config_network_new by the keys of [script NAME]; its own are copied too. */
NODISCARD int config_script_new(const char *name, const struct config_pair *pairs, size_t n,
	struct config_script **out, struct err *err);
void config_script_free(struct config_script *script);

/* The table: row i, or NULL past the end. */
const struct config_option *config_option(size_t i);

/* A bound of a number as one would write it: "0.1", "64M". */
void config_bound(const struct config_option *o, double bound, char out[CONFIG_BOUND_BYTES]);

/* A mechanism of a config_mechanisms, as one would write it. */
const char *config_mechanism_name(int mechanism);

/* Whether a key of the type may be written KEY_file, too. */
bool config_may_be_file(enum config_type type);

/* How the manual calls a type: "whole number", "list of channels" … */
const char *config_type_name(enum config_type type);

#endif
