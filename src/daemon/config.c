#include "daemon/config.h"

#include "base/err.h"
#include "base/map.h"
#include "base/mem.h"
#include "daemon/ini.h"
#include "daemon/nearest.h"
#include "daemon/option.h"
#include "daemon/scripts.h"
#include "irc/sasl.h"
#include "net/tls.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* field, key, type, unit or words, min, max, default, what holds without, help; of a network what
 * a change needs before that */
#define ROW(section, holder, need, field, key, type, words, min, max, standard, without, help)  \
	{                                                                                       \
		CONFIG_##section, CONFIG_##type, key, words, min, max, standard, without, help, \
			offsetof(struct holder, field), CONFIG_##need                           \
	}
#define DAEMON(...)  ROW(DAEMON, config_daemon, LIVE, __VA_ARGS__)
#define NETWORK(...) ROW(NETWORK, config_network, __VA_ARGS__)
#define SCRIPT(...)  ROW(SCRIPT, config_script, LIVE, __VA_ARGS__)

static const struct config_option options[] = {
	DAEMON(script_path, "script_path", FOLDERS, NULL, 0, 0,
		"/etc/ebb/scripts:/usr/share/ebb/scripts", NULL,
		"Folders, separated by colons, in which scripts are looked for"),
	DAEMON(state_dir, "state_dir", FOLDER, NULL, 0, 0, NULL, "$STATE_DIRECTORY",
		"The folder of what is kept from one start to the next"),
	DAEMON(control, "control", PATH, NULL, 0, 0, NULL, "$RUNTIME_DIRECTORY/control.sock",
		"The socket at which ebbctl reaches the daemon"),
	DAEMON(log_level, "log_level", CHOICE, "error warning info debug trace", 0, 0, "info", NULL,
		"How much is logged; trace shows every line sent and received"),
	DAEMON(dial_rate, "dial_rate", NUMBER, "connections a second", 0.1, 1000, "5", NULL,
		"How fast one host may be dialled, over all networks"),
	DAEMON(watch, "watch", BOOL, NULL, 0, 0, "yes", NULL,
		"Whether a script is reloaded when one of its files changes"),
	DAEMON(reload_timeout_ns, "reload_timeout", SECONDS, NULL, 0.1, 60, "2", NULL,
		"How long events may wait for new code that loads before it is refused"),
	DAEMON(reload_drain_ns, "reload_drain", SECONDS, NULL, 0, 3600, "10", NULL,
		"How long handlers under way may go on in the old code after a reload"),

	NETWORK(SERVER, host, "host", HOSTS, NULL, 0, 0, NULL, NULL,
		"The servers, in order of preference, each NAME, NAME:PORT or [ADDRESS]:PORT"),
	NETWORK(SERVER, port, "port", WHOLE, NULL, 1, 65535, "6697", NULL,
		"The port of a host that has none of its own"),
	NETWORK(CONNECTION, proxy, "proxy", PROXY, NULL, 0, 0, NULL, "none",
		"A SOCKS5 proxy to go through: socks5h://HOST:PORT or "
		"socks5h://USER:PASSWORD@HOST:PORT"),
	NETWORK(CONNECTION, bind, "bind", ADDRESS, NULL, 0, 0, NULL, "the system's choice",
		"The local address to connect from"),
	NETWORK(CONNECTION, family, "family", CHOICE, "any ipv4 ipv6", 0, 0, "any", NULL,
		"Which addresses of the servers are used"),
	NETWORK(CONNECTION, tls, "tls", BOOL, NULL, 0, 0, "yes", NULL,
		"Whether the connection is encrypted"),
	NETWORK(CONNECTION, tls_ca, "tls_ca", FILE, NULL, 0, 0, NULL, "the system's",
		"Certificate authorities to trust, in PEM"),
	NETWORK(CONNECTION, tls_fingerprint, "tls_fingerprint", PINS, NULL, 0, 0, NULL, "none",
		"SHA-256 of certificates, or of their keys, that stand in for a verified chain"),
	NETWORK(CONNECTION, tls_verify, "tls_verify", BOOL, NULL, 0, 0, "yes", NULL,
		"Whether the certificate must be valid and name the host"),
	NETWORK(CONNECTION, tls_cert, "tls_cert", CREDENTIAL, NULL, 0, 0, NULL, "none",
		"The certificate to show to the server, in PEM"),
	NETWORK(CONNECTION, tls_key, "tls_key", CREDENTIAL, NULL, 0, 0, NULL, "in tls_cert's file",
		"The private key of tls_cert, in PEM"),
	NETWORK(LIVE, sts, "sts", BOOL, NULL, 0, 0, "yes", NULL,
		"Whether a server may ask to be reached over TLS only, from then on"),
	NETWORK(LIVE, nick, "nick", NICK, NULL, 0, 0, NULL, NULL, "The nick"),
	NETWORK(LIVE, alt_nicks, "alt_nicks", NICKS, NULL, 0, 0, NULL, "none",
		"Nicks to try in this order when the first is taken"),
	NETWORK(CONNECTION, user, "user", WORD, NULL, 0, 0, NULL, "the nick", "The user name"),
	NETWORK(CONNECTION, realname, "realname", TEXT, NULL, 0, 0, NULL, "the nick",
		"The real name, which WHOIS shows"),
	NETWORK(CONNECTION, server_password, "server_password", SECRET, NULL, 0, 0, NULL, "none",
		"The password of the server itself, sent with PASS"),
	NETWORK(CONNECTION, sasl, "sasl", MECHANISMS, NULL, 0, 0, NULL, "none",
		"How to log in to an account, in order of preference"),
	NETWORK(CONNECTION, account, "account", WORD, NULL, 0, 0, NULL, "the nick",
		"The account to log in to"),
	NETWORK(CONNECTION, password, "password", SECRET, NULL, 0, 0, NULL, "none",
		"The password of the account"),
	NETWORK(CONNECTION, ecdsa_key, "ecdsa_key", PEM, NULL, 0, 0, NULL, "none",
		"The private key for ecdsa-nist256p-challenge, in PEM"),
	NETWORK(CONNECTION, sasl_required, "sasl_required", BOOL, NULL, 0, 0, NULL,
		"yes where sasl is set", "Whether to give up a connection without the login"),
	NETWORK(CONNECTION, caps, "caps", CAPS, NULL, 0, 0, NULL, "none",
		"Capabilities to ask for besides, or with a minus in front never to ask for"),
	NETWORK(LIVE, umodes, "umodes", MODES, NULL, 0, 0, NULL, "none",
		"Changes of our own modes, to be made when the network is ready"),
	NETWORK(LIVE, channels, "channels", CHANNELS, NULL, 0, 0, NULL, "none",
		"Channels to join, separated by commas, each with its key behind a space"),
	NETWORK(LIVE, autoconnect, "autoconnect", BOOL, NULL, 0, 0, "yes", NULL,
		"Whether to connect at the start, without a script that asks"),
	NETWORK(CONNECTION, registration, "register", CHOICE, "auto manual", 0, 0, "auto", NULL,
		"Who sends NICK, USER and the like: ebb, or a script"),
	NETWORK(LIVE, connect_timeout_ns, "connect_timeout", SECONDS, NULL, 0.1, 86400, "30", NULL,
		"How long reaching the server may take, the proxy and TLS included"),
	NETWORK(LIVE, register_timeout_ns, "register_timeout", SECONDS, NULL, 0.1, 86400, "60",
		NULL, "How long the server may take to welcome us"),
	NETWORK(LIVE, ping_interval_ns, "ping_interval", SECONDS, NULL, 0.1, 86400, "120", NULL,
		"How long the server may be silent before it is sent a PING"),
	NETWORK(LIVE, ping_timeout_ns, "ping_timeout", SECONDS, NULL, 0.1, 86400, "30", NULL,
		"How long it may take to answer before the connection is given up"),
	NETWORK(LIVE, flood_burst, "flood_burst", WHOLE, "lines", 1, 1000, "5", NULL,
		"How many lines may go at once after a pause"),
	NETWORK(LIVE, flood_rate, "flood_rate", NUMBER, "lines a second", 0, 1000, "0.5", NULL,
		"How fast lines go after a burst; 0 sends them without pacing"),
	NETWORK(LIVE, queue_max, "queue_max", WHOLE, "lines", 1, 100000, "512", NULL,
		"How many lines may wait before the scripts that send them have to"),

	SCRIPT(path, "file", PATH, NULL, 0, 0, NULL, "NAME.lua or NAME/init.lua on script_path",
		"The file to run"),
	SCRIPT(networks, "networks", NETWORKS, NULL, 0, 0, NULL, "all",
		"The networks that the script takes part in"),
	SCRIPT(enabled, "enabled", BOOL, NULL, 0, 0, "yes", NULL, "Whether the script is loaded"),
	SCRIPT(trust, "trust", CHOICE, "restricted full", 0, 0, "restricted", NULL,
		"How much of the machine the script may reach"),
	SCRIPT(memory_max, "memory_max", SIZE, NULL, 1 << 20, 1U << 31, "64M", NULL,
		"How much memory the script may use"),
	SCRIPT(cpu_max_ns, "cpu_max", SECONDS, NULL, 0.05, 8, NULL,
		"1 where trust is restricted, 5 where it is full",
		"How much processor time a task may take between two pauses"),
	SCRIPT(gc, "gc", CHOICE, "auto generational incremental", 0, 0, "auto", NULL,
		"How the script's garbage is collected"),
	SCRIPT(debug, "debug", BOOL, NULL, 0, 0, "no", NULL,
		"Whether more is logged that helps to find mistakes in the script"),
};

/* What a later version takes for itself: until then it would do nothing, without a word. */
static const char *const reserved[] = {"command_prefix"};

struct load {
	struct ini ini;
	struct config *config;
	char *folder;       /* of the file: "" or ends in "/" */
	const char *source; /* of a script: instead of its file; NULL */
	struct map titles;  /* to the first struct ini_section that is so titled and was read */
	bool is_alone;      /* the section stands in no file: the others are in config */
};

/* One section on its way into its struct. */
struct reading {
	struct load *load;
	const struct ini_section *section;
	enum config_kind kind;
	void *base;
	bool is_again; /* there was a section of that title before */
	const struct ini_entry *seen[COUNTOF(options)];
};

static const char *const kind_names[CONFIG_KINDS] = {"daemon", "network", "script"};

const struct config_option *config_option(size_t i)
{
	return i < COUNTOF(options) ? &options[i] : NULL;
}

static const struct config_option *find_option(enum config_kind kind, struct str key)
{
	for (size_t i = 0; i < COUNTOF(options); i++) {
		if (options[i].kind == kind && str_eq(str_of(options[i].key), key))
			return &options[i];
	}
	return NULL;
}

/* The secret that KEY_file names the file of. */
static const struct config_option *find_secret(enum config_kind kind, struct str key)
{
	static const struct str suffix = {"_file", 5};
	if (key.n < suffix.n || !str_eq(str_skip(key, key.n - suffix.n), suffix))
		return NULL;
	const struct config_option *o = find_option(kind, (struct str){key.p, key.n - suffix.n});
	return o && config_may_be_file(o->type) ? o : NULL;
}

static bool is_reserved(enum config_kind kind, struct str key)
{
	for (size_t i = 0; i < COUNTOF(reserved); i++) {
		if (kind == CONFIG_SCRIPT && str_eq(key, str_of(reserved[i])))
			return true;
	}
	return false;
}

/* CONFIG_KINDS: none. */
static enum config_kind find_kind(struct str title)
{
	struct str word = str_word(&title, " \t");
	enum config_kind kind = CONFIG_DAEMON;
	while (kind < CONFIG_KINDS && !str_eq(word, str_of(kind_names[kind])))
		kind++;
	return kind;
}

static bool is_known(struct str title, struct str key)
{
	enum config_kind kind = find_kind(title);
	if (kind == CONFIG_KINDS || !key.p)
		return kind != CONFIG_KINDS;
	return find_option(kind, key) || find_secret(kind, key) || is_reserved(kind, key);
}

static void refuse_unknown_key(struct reading *r, const struct option_place *at)
{
	struct nearest n = nearest_start(str_of(at->entry->key));
	for (size_t i = 0; i < COUNTOF(options); i++) {
		if (options[i].kind != r->kind)
			continue;
		nearest_consider(&n, options[i].key, "");
		if (config_may_be_file(options[i].type))
			nearest_consider(&n, options[i].key, "_file");
	}
	if (*n.best)
		option_fault(at, "is unknown; do you mean %s?", n.best);
	else
		option_fault(at, "is unknown; ebb.ini(5) lists the keys");
}

static void refuse_unknown_section(struct load *l, const struct ini_section *section)
{
	struct str title = str_of(section->title);
	struct nearest n = nearest_start(str_word(&title, " \t"));
	for (size_t i = 0; i < CONFIG_KINDS; i++)
		nearest_consider(&n, kind_names[i], "");
	if (*n.best)
		ini_fault(&l->ini, section, section->line, "is unknown; do you mean %s?", n.best);
	else
		ini_fault(&l->ini, section, section->line,
			"is unknown; there are [daemon], [network NAME] and [script NAME]");
}

/* Takes value. */
static void add_pair(struct config_script *script, const char *key, char *value, int line)
{
	script->pairs = mem_resize(script->pairs, script->n_pairs + 1, sizeof(*script->pairs));
	script->pairs[script->n_pairs++] = (struct config_pair){mem_strdup(key), value, line};
}

static int line_of_pair(const struct config_script *script, const char *key)
{
	for (size_t i = 0; i < script->n_pairs; i++)
		if (strcmp(script->pairs[i].key, key) == 0)
			return script->pairs[i].line;
	return 0;
}

/* Notes where the option was given; false when that is the second time. */
static bool note_seen(
	struct reading *r, const struct config_option *o, const struct option_place *at)
{
	const struct ini_entry **seen = &r->seen[o - options];
	if (*seen) {
		option_fault(at, "%s in line %d says it already; keep one of the two", (*seen)->key,
			(*seen)->line);
		return false;
	}
	*seen = at->entry;
	return true;
}

static struct option_place place_of(const struct reading *r, const struct ini_entry *e)
{
	return (struct option_place){&r->load->ini, r->section, e, r->load->folder};
}

/* An empty value was refused already. A switch whose value is wrong counts as its default, so
 * that nothing else is refused for it. */
static void read_option(
	struct reading *r, const struct config_option *o, const struct option_place *at)
{
	struct str text = str_of(at->entry->value);
	if (o->type == CONFIG_BOOL && o->standard)
		option_read(o, at, str_of(o->standard), r->base);
	if (note_seen(r, o, at) && text.n)
		option_read(o, at, text, r->base);
}

static void read_secret_file(
	struct reading *r, const struct config_option *o, const struct option_place *at)
{
	struct str text = str_of(at->entry->value);
	if (note_seen(r, o, at) && text.n)
		option_read_file(o, at, text, r->base);
}

/* The one key of a script's own that may be in a file: scripts cannot read it themselves. Its
 * place is a pointer of ours. */
static const struct config_option script_secret = {
	.kind = CONFIG_SCRIPT, .type = CONFIG_SECRET, .key = "password"};

/* A key of a script's own; an empty value was refused already. */
static void read_pair(struct reading *r, const struct option_place *at)
{
	const struct ini_entry *e = at->entry;
	const char *secret = script_secret.key;
	bool is_file = strcmp(e->key, "password_file") == 0;
	int line = is_file || strcmp(e->key, secret) == 0 ? line_of_pair(r->base, secret) : 0;
	char *value = NULL;
	if (line) {
		option_fault(at, "line %d says it already; keep one of the two", line);
		return;
	}
	if (!is_file)
		value = mem_strdup(e->value);
	else if (*e->value)
		option_read_file(&script_secret, at, str_of(e->value), &value);
	if (value)
		add_pair(r->base, is_file ? secret : e->key, value, e->line);
}

static void read_entry(struct reading *r, const struct ini_entry *e)
{
	struct option_place at = place_of(r, e);
	struct str key = str_of(e->key);
	const struct config_option *option = find_option(r->kind, key);
	const struct config_option *secret = find_secret(r->kind, key);
	if (option)
		read_option(r, option, &at);
	else if (secret)
		read_secret_file(r, secret, &at);
	else if (is_reserved(r->kind, key))
		option_fault(&at, "is reserved for a later version, and would do nothing; "
				  "remove the line");
	else if (r->kind == CONFIG_SCRIPT)
		read_pair(r, &at);
	else
		refuse_unknown_key(r, &at);
}

/* The defaults; and what has none must have been there. */
static void fill_in(struct reading *r)
{
	struct option_place at = place_of(r, NULL);
	for (size_t i = 0; i < COUNTOF(options); i++) {
		const struct config_option *o = &options[i];
		if (o->kind != r->kind || r->seen[i])
			continue;
		if (o->standard)
			option_read(o, &at, str_of(o->standard), r->base);
		else if (r->section && !o->without && !r->is_again)
			ini_fault(&r->load->ini, r->section, r->section->line,
				"%s: is missing; add a line %s = ...", o->key, o->key);
	}
}

static const struct ini_entry *seen(const struct reading *r, const char *key)
{
	return r->seen[find_option(r->kind, str_of(key)) - options];
}

/* Whether a switch is on, or another key is given. */
static bool is_on(const struct reading *r, const char *key)
{
	const struct config_option *o = find_option(r->kind, str_of(key));
	if (o->type == CONFIG_BOOL)
		return *(const bool *)((const char *)r->base + o->offset);
	return seen(r, key);
}

/* Keys that do nothing without another one: who pins a certificate believes that it is looked at.
 * The rows of a key stand together, and the first that holds is told. */
static const struct dependence {
	const char *key, *other, *why;
} dependences[] = {
	{"tls_ca",          "tls",      "checks nothing where tls = no; remove one of the two"      },
	{"tls_fingerprint", "tls",      "checks nothing where tls = no; remove one of the two"      },
	{"tls_cert",        "tls",      "does nothing where tls = no; remove one of the two"        },
	{"tls_key",         "tls",      "does nothing where tls = no; remove one of the two"        },
	{"tls_key",         "tls_cert", "does nothing without tls_cert; add it, or remove tls_key"  },
	{"account",         "sasl",
         "does nothing without sasl; add sasl = scram-sha-256 plain, or remove it"                  },
	{"password",        "sasl",
         "does nothing without sasl; add sasl = scram-sha-256 plain, or remove it"                  },
	{"ecdsa_key",       "sasl",
         "does nothing without sasl; add sasl = ecdsa-nist256p-challenge, or remove it"             },
	{"sasl_required",   "sasl",     "does nothing without sasl; add it, or remove sasl_required"},
};

static void refuse_idle_keys(struct reading *r)
{
	const struct ini_entry *told = NULL;
	for (size_t i = 0; i < COUNTOF(dependences); i++) {
		const struct dependence *d = &dependences[i];
		const struct ini_entry *e = seen(r, d->key);
		if (!e || e == told || is_on(r, d->other))
			continue;
		struct option_place at = place_of(r, e);
		option_fault(&at, "%s", d->why);
		told = e;
	}
}

/* What a mechanism needs besides, in the order of the numbers; and what to do about it. */
static const struct need {
	const char *keys[2];
	const char *advice[2];
} mechanism_needs[CONFIG_MECHANISM_COUNT] = {
	{{"tls", "tls_cert"}, {"remove tls = no", "add it"}    },
	{{"password"},        {"add password or password_file"}},
	{{"password"},        {"add password or password_file"}},
	{{"ecdsa_key"},       {"add it"}                       },
	{{"password"},        {"add password or password_file"}},
};

static void check_mechanism(struct reading *r, int mechanism)
{
	const struct need *need = &mechanism_needs[mechanism];
	struct option_place at = place_of(r, seen(r, "sasl"));
	for (size_t i = 0; i < COUNTOF(need->keys) && need->keys[i]; i++) {
		if (is_on(r, need->keys[i]))
			continue;
		option_fault(&at, "%s needs %s; %s", config_mechanism_name(mechanism),
			need->keys[i], need->advice[i]);
		return;
	}
}

/* Who registers by hand logs in by hand. */
static void refuse_idle_login(struct reading *r)
{
	const struct config_network *network = r->base;
	struct option_place at = place_of(r, seen(r, "sasl"));
	if (network->sasl.n > 0 && network->registration == CONFIG_REGISTER_MANUAL)
		option_fault(&at, "does nothing where register = manual; remove one of the two");
}

static void check_login(struct reading *r)
{
	struct config_network *network = r->base;
	const struct ini_entry *key = seen(r, "ecdsa_key");
	struct err why;
	refuse_idle_login(r);
	for (size_t i = 0; i < network->sasl.n; i++)
		check_mechanism(r, network->sasl.mechanisms[i]);
	if (!seen(r, "sasl_required"))
		network->sasl_required = network->sasl.n > 0;
	if (!network->ecdsa_key || sasl_check_ecdsa_key(str_of(network->ecdsa_key), &why) == 0)
		return;
	struct option_place at = place_of(r, key);
	option_fault(&at, "%s %s", key->value, why.text);
}

/* A key that could not be read has its fault already. */
static void check_certificate(struct reading *r)
{
	const struct config_network *network = r->base;
	const struct ini_entry *cert = seen(r, "tls_cert"), *key = seen(r, "tls_key");
	struct err why;
	if (!network->tls_cert)
		return;
	struct option_place at_cert = place_of(r, cert), at_key = place_of(r, key ? key : cert);
	if (tls_check_cert(network->tls_cert, &why) < 0)
		option_fault(&at_cert, "%s", why.text);
	else if ((!key || network->tls_key) &&
		 tls_check_key(network->tls_cert, network->tls_key, &why) < 0)
		option_fault(&at_key, "%s", why.text);
}

/* From an address of one family none of the other can be reached. */
static void check_bind(struct reading *r)
{
	const struct config_network *network = r->base;
	struct option_place at = place_of(r, seen(r, "bind"));
	bool is_ipv6 = network->bind && strchr(network->bind, ':');
	int other = is_ipv6 ? CONFIG_FAMILY_IPV4 : CONFIG_FAMILY_IPV6;
	if (network->bind && network->family == other)
		option_fault(&at, "%s reaches no address of family = %s; remove one of the two",
			network->bind, is_ipv6 ? "ipv4" : "ipv6");
}

static void finish_network(struct reading *r)
{
	struct config_network *network = r->base;
	for (size_t i = 0; i < network->host.n; i++) {
		if (network->host.hosts[i].port == 0)
			network->host.hosts[i].port = network->port;
	}
	refuse_idle_keys(r);
	check_bind(r);
	check_certificate(r);
	check_login(r);
}

static bool has_network(struct load *l, const char *name)
{
	struct buf title;
	if (l->is_alone)
		return config_network(l->config, str_of(name)) != NULL;
	buf_init(&title, 1024);
	bool has = buf_addf(&title, "%s %s", kind_names[CONFIG_NETWORK], name) >= 0 &&
		   map_get(&l->titles, buf_str(&title));
	buf_fini(&title);
	return has;
}

static void check_networks(struct reading *r, const struct config_names *list)
{
	struct map names = {0};
	for (size_t i = 0; i < list->n; i++) {
		struct option_place at = place_of(r, seen(r, "networks"));
		char *name = list->names[i];
		if (map_put(&names, str_of(name), name))
			option_fault(&at, "%s stands there twice", name);
		else if (!has_network(r->load, name))
			option_fault(&at, "there is no section [network %s]", name);
	}
	map_fini(&names);
}

static void look_for_script(struct reading *r, struct config_script *script)
{
	struct buf tried;
	buf_init(&tried, 8192);
	script->path = config_find_script(r->load->config, str_of(script->name), &tried);
	if (!script->path && script->enabled && !r->is_again)
		ini_fault(&r->load->ini, r->section, r->section->line,
			"file: is not given, and there is none at %s", buf_str(&tried).p);
	buf_fini(&tried);
}

static void take_source(struct config_script *script, const char *source)
{
	struct buf path;
	script->source = mem_strdup(source);
	if (script->path)
		return;
	buf_init(&path, 8192);
	if (buf_addf(&path, "%s.lua", script->name) < 0)
		buf_reset(&path);
	script->path = buf_detach(&path);
}

static void finish_script(struct reading *r)
{
	struct config_script *script = r->base;
	const struct ini_entry *file = seen(r, "file");
	check_networks(r, &script->networks);
	if (r->load->source) {
		take_source(script, r->load->source);
		return;
	}
	if (!file) {
		look_for_script(r, script);
		return;
	}
	int why = script->path && script->enabled ? option_check_file(script->path) : 0;
	struct option_place at = place_of(r, file);
	if (why)
		option_fault(&at, "%s: %s", script->path, strerror(why));
}

static void *add_network(struct config *c, struct str name, int line)
{
	struct config_network *network = mem_new(sizeof(*network));
	network->name = str_dup(name);
	network->line = line;
	c->networks = mem_resize(c->networks, c->n_networks + 1, sizeof(struct config_network *));
	c->networks[c->n_networks++] = network;
	return network;
}

static void *add_script(struct config *c, struct str name, int line)
{
	struct config_script *script = mem_new(sizeof(*script));
	script->name = str_dup(name);
	script->line = line;
	c->scripts = mem_resize(c->scripts, c->n_scripts + 1, sizeof(struct config_script *));
	c->scripts[c->n_scripts++] = script;
	return script;
}

bool config_is_name(struct str name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		bool is_plain =
			(c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!is_plain && (i == 0 || !str_has(STR("_-."), c)))
			return false;
	}
	return name.n > 0;
}

static void check_title(const struct reading *r, struct str name)
{
	struct ini *ini = &r->load->ini;
	if (r->kind == CONFIG_DAEMON && name.n)
		ini_fault(ini, r->section, r->section->line, "takes no name; write [daemon]");
	else if (r->kind != CONFIG_DAEMON && !name.n)
		ini_fault(ini, r->section, r->section->line, "has no name; write [%s NAME]",
			kind_names[r->kind]);
	else if (r->kind != CONFIG_DAEMON && !config_is_name(name))
		ini_fault(ini, r->section, r->section->line,
			"its name may hold letters, digits and _ - . only, and begins with a "
			"letter or a digit");
}

/* Notes whether the title stands above, too. */
static void check_again(struct reading *r)
{
	struct map *titles = &r->load->titles;
	struct str title = str_of(r->section->title);
	const struct ini_section *first = map_get(titles, title);
	r->is_again = first != NULL;
	if (first)
		ini_fault(&r->load->ini, r->section, r->section->line,
			"begins in line %d already; put the keys together there", first->line);
	else
		map_put(titles, title, (void *)(uintptr_t)r->section);
}

static void start_section(struct reading *r)
{
	struct config *c = r->load->config;
	struct str name = str_of(r->section->title);
	str_cut(&name, ' ');
	check_title(r, name);
	check_again(r);
	if (r->kind == CONFIG_NETWORK)
		r->base = add_network(c, name, r->section->line);
	else if (r->kind == CONFIG_SCRIPT)
		r->base = add_script(c, name, r->section->line);
	else
		r->base = &c->daemon;
}

static void read_section(struct load *l, const struct ini_section *section, enum config_kind kind)
{
	struct reading r = {.load = l, .section = section, .kind = kind};
	start_section(&r);
	for (size_t i = 0; i < section->n_entries; i++)
		read_entry(&r, &section->entries[i]);
	fill_in(&r);
	if (kind == CONFIG_NETWORK)
		finish_network(&r);
	if (kind == CONFIG_SCRIPT)
		finish_script(&r);
}

/* Returns how many there are. */
static size_t read_sections(struct load *l, enum config_kind kind)
{
	size_t n = 0;
	for (size_t i = 0; i < l->ini.n_sections; i++) {
		const struct ini_section *section = &l->ini.sections[i];
		if (!*section->title || find_kind(str_of(section->title)) != kind)
			continue;
		read_section(l, section, kind);
		n++;
	}
	return n;
}

/* Scripts come last, for they name networks and are looked for on script_path. */
static void read_config(struct load *l)
{
	for (size_t i = 0; i < l->ini.n_sections; i++) {
		const struct ini_section *section = &l->ini.sections[i];
		if (*section->title && find_kind(str_of(section->title)) == CONFIG_KINDS)
			refuse_unknown_section(l, section);
	}
	if (read_sections(l, CONFIG_DAEMON) == 0) {
		struct reading r = {.load = l, .kind = CONFIG_DAEMON, .base = &l->config->daemon};
		fill_in(&r);
	}
	read_sections(l, CONFIG_NETWORK);
	read_sections(l, CONFIG_SCRIPT);
}

static void load_fini(struct load *l)
{
	map_fini(&l->titles);
	ini_fini(&l->ini);
	free(l->folder);
}

int config_load(const char *path, struct config **out, struct buf *errors)
{
	struct load l = {.config = mem_new(sizeof(struct config)), .folder = scripts_folder(path)};
	ini_load(&l.ini, path, is_known);
	read_config(&l);
	ini_report(&l.ini, path, errors);
	bool ok = l.ini.n_faults == 0;
	load_fini(&l);
	*out = ok ? l.config : NULL;
	if (!ok)
		config_free(l.config);
	return ok ? 0 : ERR_CONFIG;
}

static void fini_options(enum config_kind kind, void *base)
{
	for (size_t i = 0; i < COUNTOF(options); i++) {
		if (options[i].kind == kind)
			option_fini(&options[i], base);
	}
}

void config_network_free(struct config_network *network)
{
	if (!network)
		return;
	fini_options(CONFIG_NETWORK, network);
	free(network->name);
	free(network);
}

/* A script's own values may be secrets, too. */
void config_script_free(struct config_script *script)
{
	if (!script)
		return;
	fini_options(CONFIG_SCRIPT, script);
	for (size_t i = 0; i < script->n_pairs; i++) {
		free(script->pairs[i].key);
		mem_wipe_free(script->pairs[i].value);
	}
	free(script->pairs);
	free(script->source);
	free(script->name);
	free(script);
}

void config_free(struct config *c)
{
	if (!c)
		return;
	fini_options(CONFIG_DAEMON, &c->daemon);
	for (size_t i = 0; i < c->n_networks; i++)
		config_network_free(c->networks[i]);
	for (size_t i = 0; i < c->n_scripts; i++)
		config_script_free(c->scripts[i]);
	free(c->networks);
	free(c->scripts);
	free(c);
}

struct config_network *config_network(const struct config *c, struct str name)
{
	for (size_t i = 0; i < c->n_networks; i++) {
		struct config_network *network = c->networks[i];
		if (network && str_eq(name, str_of(network->name)))
			return network;
	}
	return NULL;
}

struct config_script *config_script(const struct config *c, struct str name)
{
	for (size_t i = 0; i < c->n_scripts; i++) {
		if (str_eq(name, str_of(c->scripts[i]->name)))
			return c->scripts[i];
	}
	return NULL;
}

size_t config_find_host(const struct config_hosts *list, const struct config_host *host)
{
	size_t i = 0;
	while (i < list->n && (list->hosts[i].port != host->port ||
				      !str_ieq(str_of(list->hosts[i].ascii), str_of(host->ascii))))
		i++;
	return i;
}

static void tell_key(struct buf *keys, const char *key)
{
	int r = keys ? buf_addf(keys, "%s%s", buf_str(keys).n ? ", " : "", key) : 0;
	(void)r; /* what does not fit is not told */
}

enum config_change config_compare_networks(const struct config_network *old,
	const struct config_network *new, const struct config_host *server, struct buf *keys)
{
	enum config_change change = CONFIG_UNCHANGED;
	bool has_server = config_find_host(&new->host, server) < new->host.n;
	for (size_t i = 0; i < COUNTOF(options); i++) {
		const struct config_option *o = &options[i];
		if (o->kind != CONFIG_NETWORK || option_equal(o, old, new))
			continue;
		tell_key(keys, o->key);
		if (o->need == CONFIG_CONNECTION || (o->need == CONFIG_SERVER && !has_server))
			change = CONFIG_CHANGED_CONNECTION;
		else if (change == CONFIG_UNCHANGED)
			change = CONFIG_CHANGED_LIVE;
	}
	return change;
}

enum { NAME_MAX_BYTES = 255 };

/* As the section would stand in a file. */
static void make_section(struct ini *ini, enum config_kind kind, const char *name,
	const struct config_pair *pairs, size_t n)
{
	struct buf title;
	buf_init(&title, NAME_MAX_BYTES + 16);
	ini->sections = mem_new(sizeof(*ini->sections));
	ini->n_sections = 1;
	struct ini_section *section = ini->sections;
	int r = buf_addf(
		&title, "%s%s%s", kind_names[kind], kind == CONFIG_DAEMON ? "" : " ", name);
	assert(r >= 0);
	(void)r;
	section->title = buf_detach(&title);
	section->entries = mem_new((n + 1) * sizeof(*section->entries));
	for (size_t i = 0; i < n; i++)
		section->entries[section->n_entries++] = (struct ini_entry){
			mem_strdup(pairs[i].key), mem_strdup(pairs[i].value), pairs[i].line};
}

/* Reads a section that is in no file into made. */
static int read_pairs(struct config *made, enum config_kind kind, const char *name,
	const struct config_pair *pairs, size_t n, const char *source, struct err *err)
{
	if (strlen(name) > NAME_MAX_BYTES)
		return err_set(err, ERR_CONFIG, "[%s] its name is longer than %d bytes",
			kind_names[kind], NAME_MAX_BYTES);
	for (size_t i = 0; i < n; i++)
		if (!*pairs[i].value)
			return err_set(err, ERR_CONFIG, "[%s%s%s] %s: is empty", kind_names[kind],
				*name ? " " : "", name, pairs[i].key);
	struct load l = {
		.config = made, .folder = mem_strdup(""), .source = source, .is_alone = true};
	make_section(&l.ini, kind, name, pairs, n);
	read_section(&l, l.ini.sections, kind);
	int r = l.ini.n_faults ? err_set(err, ERR_CONFIG, "%s", l.ini.faults[0].text) : 0;
	load_fini(&l);
	return r;
}

bool config_names_file(struct str key)
{
	const struct config_option *o = find_option(CONFIG_NETWORK, key);
	if (!o)
		return find_secret(CONFIG_NETWORK, key);
	return o->type == CONFIG_FILE || o->type == CONFIG_CREDENTIAL || o->type == CONFIG_PEM;
}

int config_new(const struct config_pair *pairs, size_t n, struct config **out, struct err *err)
{
	struct config *c = mem_new(sizeof(*c));
	int r = read_pairs(c, CONFIG_DAEMON, "", pairs, n, NULL, err);
	*out = r < 0 ? NULL : c;
	if (r < 0)
		config_free(c);
	return r;
}

int config_add_network(struct config *c, const char *name, const struct config_pair *pairs,
	size_t n, struct err *err)
{
	size_t before = c->n_networks;
	if (config_network(c, str_of(name)))
		return err_set(err, ERR_CONFIG, "[network %s] is there already", name);
	int r = read_pairs(c, CONFIG_NETWORK, name, pairs, n, NULL, err);
	if (r < 0 && c->n_networks > before)
		config_network_free(c->networks[--c->n_networks]);
	return r;
}

int config_network_new(const char *name, const struct config_pair *pairs, size_t n,
	struct config_network **out, struct err *err)
{
	struct config made = {0};
	int r = config_add_network(&made, name, pairs, n, err);
	*out = made.n_networks ? made.networks[0] : NULL;
	free(made.networks);
	return r;
}

int config_add_script(struct config *c, const char *name, const struct config_pair *pairs, size_t n,
	const char *source, struct err *err)
{
	size_t before = c->n_scripts;
	if (config_script(c, str_of(name)))
		return err_set(err, ERR_CONFIG, "[script %s] is there already", name);
	int r = read_pairs(c, CONFIG_SCRIPT, name, pairs, n, source, err);
	if (r < 0 && c->n_scripts > before)
		config_script_free(c->scripts[--c->n_scripts]);
	return r;
}

int config_script_new(const char *name, const struct config_pair *pairs, size_t n,
	struct config_script **out, struct err *err)
{
	struct config made = {0};
	int r = config_add_script(&made, name, pairs, n, NULL, err);
	*out = made.n_scripts ? made.scripts[0] : NULL;
	free(made.scripts);
	return r;
}

/* Returns path, or frees it and notes why in tried. */
static char *try_script(char *path, struct buf *tried)
{
	int why = option_check_file(path);
	if (why == 0)
		return path;
	bool is_absent = why == ENOENT || why == ENOTDIR;
	int r = tried ? buf_addf(tried, "%s%s%s%s%s", tried->n ? ", " : "", path,
				is_absent ? "" : " (", is_absent ? "" : strerror(why),
				is_absent ? "" : ")")
		      : 0;
	(void)r; /* what does not fit is not told */
	free(path);
	return NULL;
}

char *config_find_script(const struct config *c, struct str name, struct buf *tried)
{
	static const char *const endings[] = {".lua", "/init.lua"};
	const struct config_names *folders = &c->daemon.script_path;
	for (size_t i = 0; i < folders->n * COUNTOF(endings); i++) {
		struct buf path;
		buf_init(&path, 8192);
		if (buf_addf(&path, "%s/%" STR_F "%s", folders->names[i / COUNTOF(endings)],
			    STR_A(name), endings[i % COUNTOF(endings)]) < 0)
			buf_reset(&path);
		char *found = try_script(buf_detach(&path), tried);
		if (found)
			return found;
	}
	return NULL;
}
