#include "daemon/option.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "daemon/nearest.h"
#include "daemon/proxy.h"
#include "net/address.h"
#include "net/idn.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECRET_BYTES = 4096, PEM_BYTES = 64 * 1024, HOST_BYTES = 253, NAME_BYTES = 64 };

/* What a reader gets besides the text. */
struct reading {
	const struct config_option *option;
	const struct option_place *at;
};

static void fault_at(const struct option_place *at, const char *fmt, va_list ap) PRINTF(2, 0);
static void fault_at(const struct option_place *at, const char *fmt, va_list ap)
{
	struct buf text;
	buf_init(&text, 16384);
	assert(at->entry);
	if (buf_addv(&text, fmt, ap) >= 0)
		ini_fault(at->ini, at->section, at->entry->line, "%s: %s", at->entry->key,
			buf_str(&text).p);
	else
		ini_fault(at->ini, at->section, at->entry->line, "%s: is wrong", at->entry->key);
	buf_fini(&text);
}

void option_fault(const struct option_place *at, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fault_at(at, fmt, ap);
	va_end(ap);
}

/* For readers: a fault is the failure. */
static bool fail(const struct reading *r, const char *fmt, ...) PRINTF(2, 3);
static bool fail(const struct reading *r, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fault_at(r->at, fmt, ap);
	va_end(ap);
	return false;
}

static bool has_control(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return true;
	}
	return false;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool has_any(struct str s, const char *set)
{
	for (size_t i = 0; i < s.n; i++) {
		if (str_has(str_of(set), s.p[i]))
			return true;
	}
	return false;
}

static bool read_text(const struct reading *r, struct str text, void *field)
{
	(void)r;
	*(char **)field = str_dup(text);
	return true;
}

static bool read_word(const struct reading *r, struct str text, void *field)
{
	if (has_control(text) || has_any(text, " @!:"))
		return fail(r, "%" STR_F " is not one word without @ ! :", STR_A(text));
	return read_text(r, text, field);
}

/* Servers differ in what else a nick may hold; these would end or change the command. */
static bool check_nick(const struct reading *r, struct str nick)
{
	if (!has_control(nick) && !has_any(nick, " !@:*?,.") &&
		!str_has(STR("#&$+%~-0123456789"), nick.p[0]))
		return true;
	return fail(r,
		"%" STR_F " is not a nick: no spaces, none of ! @ : * ? , . and no digit or one of "
		"# & $ + %% ~ - in front",
		STR_A(nick));
}

static bool read_nick(const struct reading *r, struct str text, void *field)
{
	return check_nick(r, text) && read_text(r, text, field);
}

static void add_name(struct config_names *list, char *name)
{
	list->names = mem_resize(list->names, list->n + 1, sizeof(*list->names));
	list->names[list->n++] = name;
}

static bool read_nicks(const struct reading *r, struct str text, void *field)
{
	bool ok = true;
	struct str nick;
	while ((nick = str_word(&text, " ,\t\n")).p) {
		if (check_nick(r, nick))
			add_name(field, str_dup(nick));
		else
			ok = false;
	}
	if (ok && ((struct config_names *)field)->n == 0)
		return fail(r, "names no nick");
	return ok;
}

/* By their numbers. */
static const char *const mechanisms[CONFIG_MECHANISM_COUNT] = {
	"external", "scram-sha-512", "scram-sha-256", "ecdsa-nist256p-challenge", "plain"};

const char *config_mechanism_name(int mechanism)
{
	return mechanisms[mechanism];
}

static int find_mechanism(struct str word)
{
	int i = 0;
	while (i < CONFIG_MECHANISM_COUNT && !str_ieq(word, str_of(mechanisms[i])))
		i++;
	return i;
}

/* The words are known in small letters. */
static bool fail_mechanism(const struct reading *r, struct str word)
{
	char small[NAME_BYTES];
	size_t n = 0;
	for (; n < word.n && n < sizeof(small); n++)
		small[n] = word.p[n] >= 'A' && word.p[n] <= 'Z' ? (char)(word.p[n] + 'a' - 'A')
								: word.p[n];
	struct nearest nearest = nearest_start((struct str){small, n});
	for (size_t i = 0; i < CONFIG_MECHANISM_COUNT; i++)
		nearest_consider(&nearest, mechanisms[i], "");
	if (*nearest.best)
		return fail(r, "%" STR_F " is unknown; do you mean %s?", STR_A(word), nearest.best);
	return fail(r, "%" STR_F " is unknown; ebb.ini(5) lists the mechanisms", STR_A(word));
}

static bool read_mechanism(const struct reading *r, struct str word, struct config_mechanisms *list)
{
	int mechanism = find_mechanism(word);
	if (mechanism == CONFIG_MECHANISM_COUNT)
		return fail_mechanism(r, word);
	for (size_t i = 0; i < list->n; i++)
		if (list->mechanisms[i] == mechanism)
			return fail(r, "%" STR_F " stands there twice", STR_A(word));
	list->mechanisms[list->n++] = mechanism;
	return true;
}

static bool read_mechanisms(const struct reading *r, struct str text, void *field)
{
	struct config_mechanisms *list = field;
	bool ok = true;
	struct str word;
	while ((word = str_word(&text, " ,\t\n")).p)
		ok &= read_mechanism(r, word, list);
	if (ok && list->n == 0)
		return fail(r, "names no mechanism");
	return ok;
}

/* These have keys of their own. */
static const char *const kept_caps[] = {"sasl", "sts"};

/* Whether a name with a minus in front or without is on the list. */
static bool has_cap(const struct config_names *list, struct str cap)
{
	for (size_t i = 0; i < list->n; i++) {
		struct str name = str_of(list->names[i]);
		if (str_eq(str_skip(name, name.p[0] == '-'), cap))
			return true;
	}
	return false;
}

static bool read_cap(const struct reading *r, struct str word, struct config_names *list)
{
	struct str cap = str_skip(word, word.p[0] == '-');
	if (cap.n == 0 || has_control(word) || has_any(cap, "=:") || str_has(STR("-~"), cap.p[0]))
		return fail(r, "%" STR_F " is not a capability: write NAME, or -NAME to refuse it",
			STR_A(word));
	for (size_t i = 0; i < COUNTOF(kept_caps); i++)
		if (str_eq(cap, str_of(kept_caps[i])))
			return fail(r, "%" STR_F " goes by the key %s", STR_A(word), kept_caps[i]);
	if (has_cap(list, cap))
		return fail(r, "%" STR_F " stands there twice", STR_A(cap));
	add_name(list, str_dup(word));
	return true;
}

static bool read_caps(const struct reading *r, struct str text, void *field)
{
	struct config_names *list = field;
	bool ok = true;
	struct str word;
	while ((word = str_word(&text, " ,\t\n")).p)
		ok &= read_cap(r, word, list);
	if (ok && list->n == 0)
		return fail(r, "names no capability");
	return ok;
}

static bool read_modes(const struct reading *r, struct str text, void *field)
{
	bool ok = str_has(STR("+-"), text.p[0]);
	for (size_t i = 0; i < text.n; i++)
		ok &= is_letter(text.p[i]) || str_has(STR("+-"), text.p[i]);
	ok &= is_letter(text.p[text.n - 1]);
	return ok ? read_text(r, text, field)
		  : fail(r, "%" STR_F " is not a change of modes such as +ix-w", STR_A(text));
}

static bool read_bool(const struct reading *r, struct str text, void *field)
{
	static const char *const words[] = {"no", "yes", "false", "true", "off", "on"};
	for (size_t i = 0; i < COUNTOF(words); i++) {
		if (str_ieq(text, str_of(words[i]))) {
			*(bool *)field = i % 2;
			return true;
		}
	}
	return fail(r, "%" STR_F " is neither yes nor no", STR_A(text));
}

static bool read_choice(const struct reading *r, struct str text, void *field)
{
	struct str words = str_of(r->option->words), word;
	for (int i = 0; (word = str_word(&words, " ")).p; i++) {
		if (str_eq(word, text)) {
			*(int *)field = i;
			return true;
		}
	}
	return fail(r, "%" STR_F " is not one of: %s", STR_A(text), r->option->words);
}

static const struct size_unit {
	char letter;
	int64_t bytes;
} size_units[] = {
	{'G', 1 << 30},
	{'M', 1 << 20},
	{'K', 1 << 10},
};

void config_bound(const struct config_option *o, double bound, char out[CONFIG_BOUND_BYTES])
{
	snprintf(out, CONFIG_BOUND_BYTES, "%g", bound);
	for (size_t i = 0; o->type == CONFIG_SIZE && i < COUNTOF(size_units); i++) {
		double n = bound / (double)size_units[i].bytes;
		if (n < 1)
			continue;
		snprintf(out, CONFIG_BOUND_BYTES, "%g%c", n, size_units[i].letter);
		break;
	}
}

static bool fail_range(const struct reading *r, struct str text)
{
	char min[CONFIG_BOUND_BYTES], max[CONFIG_BOUND_BYTES];
	config_bound(r->option, r->option->min, min);
	config_bound(r->option, r->option->max, max);
	return fail(r, "%" STR_F " is not within %s and %s", STR_A(text), min, max);
}

static bool read_whole(const struct reading *r, struct str text, void *field)
{
	int64_t value;
	if (!str_int(text, INT64_MIN, INT64_MAX, &value))
		return fail(r, "%" STR_F " is not a whole number", STR_A(text));
	if ((double)value < r->option->min || (double)value > r->option->max)
		return fail_range(r, text);
	*(int *)field = (int)value;
	return true;
}

/* Digits, possibly with a point in between: strtod would take "inf", and a locale's comma. */
static bool parse_decimal(struct str text, double *out)
{
	struct str rest = text, head = str_cut(&rest, '.');
	int64_t whole, part = 0;
	if (str_has(text, '-') || !str_int(head, 0, 1000000000, &whole))
		return false;
	if (rest.p && (rest.n > 9 || !str_int(rest, 0, INT64_MAX, &part)))
		return false;
	double value = (double)part;
	for (size_t i = 0; i < rest.n; i++)
		value /= 10;
	*out = (double)whole + value;
	return true;
}

static bool read_number(const struct reading *r, struct str text, void *field)
{
	double value;
	if (!parse_decimal(text, &value))
		return fail(r, "%" STR_F " is not a number such as 2 or 0.5", STR_A(text));
	if (value < r->option->min || value > r->option->max)
		return fail_range(r, text);
	*(double *)field = value;
	return true;
}

static bool read_seconds(const struct reading *r, struct str text, void *field)
{
	double seconds = 0;
	if (!read_number(r, text, &seconds))
		return false;
	*(int64_t *)field = clock_from_seconds(seconds);
	return true;
}

static int64_t unit_of(char letter)
{
	for (size_t i = 0; i < COUNTOF(size_units); i++)
		if (size_units[i].letter == letter)
			return size_units[i].bytes;
	return 0;
}

static bool read_size(const struct reading *r, struct str text, void *field)
{
	struct str digits = text;
	int64_t unit = text.n ? unit_of(text.p[text.n - 1]) : 0, n;
	if (unit)
		digits.n--;
	if (!str_int(digits, 0, INT64_MAX / (unit ? unit : 1), &n))
		return fail(r, "%" STR_F " is not a size such as 500K, 64M or 1G", STR_A(text));
	n *= unit ? unit : 1;
	if ((double)n < r->option->min || (double)n > r->option->max)
		return fail_range(r, text);
	*(size_t *)field = (size_t)n;
	return true;
}

static bool is_address6(struct str s)
{
	struct in6_addr unused;
	char *text = str_dup(s);
	bool ok = inet_pton(AF_INET6, text, &unused) == 1;
	free(text);
	return ok;
}

/* Letters beyond ASCII are idn_to_ascii's to judge. */
static bool is_host_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool is_beyond = (unsigned char)c >= 0x80;
		if (!is_letter(c) && !(c >= '0' && c <= '9') && !str_has(STR("-._"), c) &&
			!is_beyond)
			return false;
	}
	return s.n > 0 && s.n <= HOST_BYTES && s.p[0] != '-' && s.p[0] != '.';
}

/* host, host:port, [v6], [v6]:port or v6: leaves ":port" or nothing in *rest. */
static bool cut_host(struct str text, struct str *name, struct str *rest)
{
	if (text.p[0] == '[') {
		*rest = str_skip(text, 1);
		*name = str_cut(rest, ']');
		return rest->p && is_address6(*name);
	}
	size_t colon = str_find(text, ':');
	*name = (struct str){text.p, colon};
	*rest = str_skip(text, colon);
	if (rest->n == 0 || !str_has(str_skip(*rest, 1), ':'))
		return is_host_name(*name);
	*name = text;
	*rest = STR("");
	return is_address6(text);
}

/* Leaves *port alone where there is none. */
static bool cut_port(struct str rest, int64_t *port)
{
	if (rest.n == 0)
		return true;
	return rest.p[0] == ':' && str_int(str_skip(rest, 1), INT64_MIN, INT64_MAX, port);
}

bool option_cut_host(struct str text, struct str *name, int64_t *port)
{
	struct str rest;
	return text.n && cut_host(text, name, &rest) && cut_port(rest, port);
}

/* A letter may stand for several signs, of which not all belong into a name. */
int option_host_ascii(struct str name, char **out, struct err *err)
{
	struct err why;
	int r = idn_to_ascii(name, out, &why);
	if (r < 0)
		return err_set(err, ERR_CONFIG, "%" STR_F " is not a host name: %s", STR_A(name),
			why.text);
	if (is_address6(name) || is_host_name(str_of(*out)))
		return 0;
	r = err_set(err, ERR_CONFIG, "%" STR_F " is not a host name: it stands for %s", STR_A(name),
		*out);
	free(*out);
	*out = NULL;
	return r;
}

/* A port of 0 is replaced by the network's. */
static bool read_host(const struct reading *r, struct str text, struct config_hosts *list)
{
	struct str name, rest;
	int64_t port = 0;
	if (!cut_host(text, &name, &rest) || !cut_port(rest, &port))
		return fail(r, "%" STR_F " is not a host: write NAME, NAME:PORT or [ADDRESS]:PORT",
			STR_A(text));
	if (rest.n && (port < 1 || port > 65535))
		return fail(r, "the port of %" STR_F " is not within 1 and 65535", STR_A(text));
	char *ascii;
	struct err why;
	if (option_host_ascii(name, &ascii, &why) < 0)
		return fail(r, "%s", why.text);
	list->hosts = mem_resize(list->hosts, list->n + 1, sizeof(*list->hosts));
	list->hosts[list->n++] = (struct config_host){str_dup(name), ascii, (int)port, rest.n > 0};
	return true;
}

static bool read_hosts(const struct reading *r, struct str text, void *field)
{
	struct config_hosts *list = field;
	bool ok = true;
	struct str word;
	while ((word = str_word(&text, " ,\t\n")).p)
		ok &= read_host(r, word, list);
	if (ok && list->n == 0)
		return fail(r, "names no host");
	return ok;
}

static void fini_hosts(void *field)
{
	struct config_hosts *list = field;
	for (size_t i = 0; i < list->n; i++) {
		free(list->hosts[i].name);
		free(list->hosts[i].ascii);
	}
	free(list->hosts);
}

static bool read_address(const struct reading *r, struct str text, void *field)
{
	struct address address;
	char *copy = str_dup(text);
	*(char **)field = copy;
	return address_parse(copy, 0, &address) ||
	       fail(r, "%s is not an address such as 192.0.2.7 or 2001:db8::7", copy);
}

/* A key that looks like a channel is a comma forgotten. Keys are not told. */
static bool read_channel(const struct reading *r, struct str text, struct config_channels *list)
{
	struct str name = str_word(&text, " \t"), key = str_word(&text, " \t");
	if (!str_has(STR("#&+!"), name.p[0]) || has_control(name))
		return fail(r, "%" STR_F " is not a channel: it must begin with # & + or !",
			STR_A(name));
	if (key.p && (str_has(STR("#&"), key.p[0]) || str_trim(text).n))
		return fail(
			r, "too much follows %" STR_F ": separate channels by commas", STR_A(name));
	if (key.p && (key.p[0] == ':' || has_control(key)))
		return fail(r,
			"the key of %" STR_F " cannot be sent: it begins with a colon or "
			"holds control characters",
			STR_A(name));
	list->channels = mem_resize(list->channels, list->n + 1, sizeof(*list->channels));
	list->channels[list->n++] =
		(struct config_channel){str_dup(name), key.p ? str_dup(key) : NULL};
	return true;
}

static bool read_channels(const struct reading *r, struct str text, void *field)
{
	struct config_channels *list = field;
	bool ok = true;
	struct str part;
	while ((part = str_word(&text, ",\n")).p) {
		part = str_trim(part);
		if (part.n)
			ok &= read_channel(r, part, list);
	}
	if (ok && list->n == 0)
		return fail(r, "names no channel");
	return ok;
}

static void fini_channels(void *field)
{
	struct config_channels *list = field;
	for (size_t i = 0; i < list->n; i++) {
		free(list->channels[i].name);
		mem_wipe_free(list->channels[i].key);
	}
	free(list->channels);
}

static bool read_pins(const struct reading *r, struct str text, void *field)
{
	struct config_pins *list = field;
	bool ok = true;
	struct str word;
	while ((word = str_word(&text, " ,\t\n")).p) {
		struct pin pin;
		if (!pin_parse(word, &pin)) {
			ok = fail(r,
				"%" STR_F " is not a SHA-256 in 64 hex digits, nor spki: and one",
				STR_A(word));
			continue;
		}
		list->pins = mem_resize(list->pins, list->n + 1, sizeof(*list->pins));
		list->pins[list->n++] = pin;
	}
	if (ok && list->n == 0)
		return fail(r, "names no fingerprint");
	return ok;
}

static void fini_pins(void *field)
{
	free(((struct config_pins *)field)->pins);
}

/* What is wrong with it is told without the value: there may be a password in it. */
static bool read_proxy(const struct reading *r, struct str text, void *field)
{
	struct err why;
	return proxy_read(text, field, &why) == 0 || fail(r, "%s", why.text);
}

static void fini_proxy(void *field)
{
	proxy_fini(field);
}

char *option_path(const char *folder, struct str text)
{
	struct buf path;
	size_t n = strlen(folder);
	buf_init(&path, n + text.n);
	bool is_absolute = text.n && text.p[0] == '/';
	if (buf_addf(&path, "%s%" STR_F, is_absolute ? "" : folder, STR_A(text)) < 0)
		buf_reset(&path);
	return buf_detach(&path);
}

int option_check_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return errno;
	struct stat st;
	int why = fstat(fd, &st) < 0 ? errno : S_ISDIR(st.st_mode) ? EISDIR : 0;
	close(fd);
	return why;
}

static bool read_path(const struct reading *r, struct str text, void *field)
{
	*(char **)field = option_path(r->at->folder, text);
	return true;
}

static bool read_file(const struct reading *r, struct str text, void *field)
{
	char *path = option_path(r->at->folder, text);
	*(char **)field = path;
	int why = option_check_file(path);
	return why == 0 || fail(r, "%s: %s", path, strerror(why));
}

static bool read_folder(const struct reading *r, struct str text, void *field)
{
	struct stat st;
	char *path = option_path(r->at->folder, text);
	*(char **)field = path;
	int why = stat(path, &st) < 0 ? errno : S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
	return why == 0 || fail(r, "%s: %s", path, strerror(why));
}

/* A credential has a name, not a path. */
static char *credential_path(const char *prefix, struct str name)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	if (!folder || !*folder || str_has(name, '/'))
		return NULL;
	struct buf path;
	buf_init(&path, 16384);
	if (buf_addf(&path, "%s/%s%" STR_F, folder, prefix, STR_A(name)) < 0)
		buf_reset(&path);
	return buf_detach(&path);
}

/* The credential or the file called name, with where it is in *path, owned; -1 after a fault. A
 * pipe is not waited for. */
static int open_credential(const struct reading *r, struct str name, char **path)
{
	char *paths[] = {credential_path("", name), credential_path("secret_", name),
		option_path(r->at->folder, name)};
	int fd = -1;
	bool is_done = false;
	*path = NULL;
	for (size_t i = 0; i < COUNTOF(paths); i++) {
		if (paths[i] && !is_done) {
			fd = open(paths[i], O_RDONLY | O_CLOEXEC | O_NONBLOCK);
			is_done = fd >= 0 || errno != ENOENT;
			if (fd < 0 && is_done)
				fail(r, "%s: %s", paths[i], strerror(errno));
			else if (is_done)
				*path = mem_strdup(paths[i]);
		}
	}
	if (!is_done)
		fail(r, "%s is not there%s", paths[2],
			paths[0] ? ", nor a credential of that name" : "");
	for (size_t i = 0; i < COUNTOF(paths); i++)
		free(paths[i]);
	return fd;
}

/* What will be opened again, by its path, is a file: a pipe would be waited for. */
static bool read_credential(const struct reading *r, struct str text, void *field)
{
	char *path;
	struct stat st;
	int fd = open_credential(r, text, &path);
	if (fd < 0)
		return false;
	bool ok = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
	close(fd);
	if (ok) {
		*(char **)field = path;
		return true;
	}
	fail(r, "%s: is not a file", path);
	free(path);
	return false;
}

/* -1 with errno set; more than size bytes are not read. */
static ssize_t read_all(int fd, char *bytes, size_t size)
{
	size_t n = 0;
	while (n < size) {
		ssize_t r = read(fd, bytes + n, size - n);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -1;
		if (r == 0)
			break;
		n += (size_t)r;
	}
	return (ssize_t)n;
}

/* As read_all, of the credential or the file called name; -1 after a fault. */
static ssize_t read_bytes(const struct reading *r, struct str name, char *bytes, size_t size)
{
	char *path;
	int fd = open_credential(r, name, &path);
	if (fd < 0)
		return -1;
	ssize_t n = read_all(fd, bytes, size);
	if (n < 0)
		fail(r, "%s: %s", path, strerror(errno));
	close(fd);
	free(path);
	return n;
}

static bool check_pem(const struct reading *r, struct str name, struct str pem)
{
	if (pem.n > PEM_BYTES)
		return fail(r, "%" STR_F " is longer than %d bytes", STR_A(name), PEM_BYTES);
	if (str_has(pem, '\0') || !memmem(pem.p, pem.n, "-----BEGIN ", 11))
		return fail(r, "%" STR_F " holds nothing in PEM", STR_A(name));
	return true;
}

static bool read_pem(const struct reading *r, struct str text, void *field)
{
	char *bytes = mem_new(PEM_BYTES + 1); /* one to tell more */
	ssize_t n = read_bytes(r, text, bytes, PEM_BYTES + 1);
	struct str pem = {bytes, n < 0 ? 0 : (size_t)n};
	bool ok = n >= 0 && check_pem(r, text, pem) && read_text(r, pem, field);
	mem_wipe(bytes, PEM_BYTES + 1);
	free(bytes);
	return ok;
}

static bool read_folders(const struct reading *r, struct str text, void *field)
{
	struct config_names *list = field;
	struct str part;
	while ((part = str_word(&text, ":\n")).p) {
		part = str_trim(part);
		if (part.n)
			add_name(list, option_path(r->at->folder, part));
	}
	return list->n > 0 || fail(r, "names no folder");
}

static bool read_networks(const struct reading *r, struct str text, void *field)
{
	struct str word;
	while ((word = str_word(&text, " ,\t\n")).p)
		add_name(field, str_dup(word));
	return ((struct config_names *)field)->n > 0 || fail(r, "names no network");
}

static void fini_names(void *field)
{
	struct config_names *list = field;
	for (size_t i = 0; i < list->n; i++)
		free(list->names[i]);
	free(list->names);
}

static void fini_text(void *field)
{
	free(*(char **)field);
}

static void fini_secret(void *field)
{
	mem_wipe_free(*(char **)field);
}

/* Two values; both fields are of the reader's type. */

static bool equal_texts(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool equal_text(const void *a, const void *b)
{
	return equal_texts(*(char *const *)a, *(char *const *)b);
}

static bool equal_bool(const void *a, const void *b)
{
	return *(const bool *)a == *(const bool *)b;
}

static bool equal_whole(const void *a, const void *b)
{
	return *(const int *)a == *(const int *)b;
}

static bool equal_number(const void *a, const void *b)
{
	return *(const double *)a == *(const double *)b;
}

static bool equal_seconds(const void *a, const void *b)
{
	return *(const int64_t *)a == *(const int64_t *)b;
}

static bool equal_size(const void *a, const void *b)
{
	return *(const size_t *)a == *(const size_t *)b;
}

static bool equal_names(const void *a, const void *b)
{
	const struct config_names *x = a, *y = b;
	bool ok = x->n == y->n;
	for (size_t i = 0; ok && i < x->n; i++)
		ok = strcmp(x->names[i], y->names[i]) == 0;
	return ok;
}

/* As they are written: a port that is the network's is that key's. */
static bool equal_hosts(const void *a, const void *b)
{
	const struct config_hosts *x = a, *y = b;
	bool ok = x->n == y->n;
	for (size_t i = 0; ok && i < x->n; i++) {
		const struct config_host *h = &x->hosts[i], *k = &y->hosts[i];
		ok = strcmp(h->name, k->name) == 0 && h->has_port == k->has_port &&
		     (!h->has_port || h->port == k->port);
	}
	return ok;
}

static bool equal_channels(const void *a, const void *b)
{
	const struct config_channels *x = a, *y = b;
	bool ok = x->n == y->n;
	for (size_t i = 0; ok && i < x->n; i++)
		ok = strcmp(x->channels[i].name, y->channels[i].name) == 0 &&
		     equal_texts(x->channels[i].key, y->channels[i].key);
	return ok;
}

static bool equal_pins(const void *a, const void *b)
{
	const struct config_pins *x = a, *y = b;
	bool ok = x->n == y->n;
	for (size_t i = 0; ok && i < x->n; i++)
		ok = pin_equal(&x->pins[i], &y->pins[i]);
	return ok;
}

static bool equal_proxy(const void *a, const void *b)
{
	return proxy_equal(a, b);
}

static bool equal_mechanisms(const void *a, const void *b)
{
	const struct config_mechanisms *x = a, *y = b;
	return x->n == y->n &&
	       memcmp(x->mechanisms, y->mechanisms, x->n * sizeof(*x->mechanisms)) == 0;
}

static const struct type {
	const char *name;
	bool (*read)(const struct reading *r, struct str text, void *field);
	bool (*equal)(const void *a, const void *b);
	void (*fini)(void *field);
	bool is_list; /* may go on in indented lines */
} types[CONFIG_TYPES] = {
	[CONFIG_TEXT] = {"text",                 read_text,       equal_text,       fini_text,     false},
	[CONFIG_WORD] = {"word",                 read_word,       equal_text,       fini_text,     false},
	[CONFIG_NICK] = {"nick",                 read_nick,       equal_text,       fini_text,     false},
	[CONFIG_NICKS] = {"list of nicks",        read_nicks,      equal_names,      fini_names,    true },
	[CONFIG_BOOL] = {"yes or no",            read_bool,       equal_bool,       NULL,          false},
	[CONFIG_CHOICE] = {"one of",               read_choice,     equal_whole,      NULL,          false},
	[CONFIG_WHOLE] = {"whole number",         read_whole,      equal_whole,      NULL,          false},
	[CONFIG_NUMBER] = {"number",               read_number,     equal_number,     NULL,          false},
	[CONFIG_SECONDS] = {"seconds",              read_seconds,    equal_seconds,    NULL,          false},
	[CONFIG_SIZE] = {"size",                 read_size,       equal_size,       NULL,          false},
	[CONFIG_HOSTS] = {"list of hosts",        read_hosts,      equal_hosts,      fini_hosts,    true },
	[CONFIG_ADDRESS] = {"address",              read_address,    equal_text,       fini_text,     false},
	[CONFIG_CHANNELS] = {"list of channels",     read_channels,   equal_channels,   fini_channels,
			 true									   },
	[CONFIG_PINS] = {"list of fingerprints", read_pins,       equal_pins,       fini_pins,     true },
	[CONFIG_SECRET] = {"secret",               read_text,       equal_text,       fini_secret,   false},
	[CONFIG_PROXY] = {"proxy",                read_proxy,      equal_proxy,      fini_proxy,    false},
	[CONFIG_FILE] = {"file",                 read_file,       equal_text,       fini_text,     false},
	[CONFIG_PATH] = {"file",                 read_path,       equal_text,       fini_text,     false},
	[CONFIG_CREDENTIAL] = {"file",                 read_credential, equal_text,       fini_text,     false},
	[CONFIG_PEM] = {"file",                 read_pem,        equal_text,       fini_secret,   false},
	[CONFIG_FOLDER] = {"folder",               read_folder,     equal_text,       fini_text,     false},
	[CONFIG_MECHANISMS] = {"list of mechanisms",   read_mechanisms, equal_mechanisms, NULL,          true },
	[CONFIG_CAPS] = {"list of capabilities", read_caps,       equal_names,      fini_names,    true },
	[CONFIG_MODES] = {"modes",                read_modes,      equal_text,       fini_text,     false},
	[CONFIG_FOLDERS] = {"list of folders",      read_folders,    equal_names,      fini_names,    true },
	[CONFIG_NETWORKS] = {"list of networks",     read_networks,   equal_names,      fini_names,    true },
};

const char *config_type_name(enum config_type type)
{
	return types[type].name;
}

bool config_may_be_file(enum config_type type)
{
	return type == CONFIG_SECRET || type == CONFIG_PROXY;
}

static void *field_of(const struct config_option *o, void *base)
{
	return (char *)base + o->offset;
}

bool option_equal(const struct config_option *o, const void *a, const void *b)
{
	return types[o->type].equal((const char *)a + o->offset, (const char *)b + o->offset);
}

static bool check_lines(const struct reading *r, struct str text, bool is_list)
{
	if (is_list || !str_has(text, '\n'))
		return true;
	return fail(r, "takes one line, and an indented line below continues it");
}

void option_read(
	const struct config_option *o, const struct option_place *at, struct str text, void *base)
{
	const struct type *type = &types[o->type];
	struct reading r = {o, at};
	if (check_lines(&r, text, type->is_list))
		type->read(&r, text, field_of(o, base));
}

void option_fini(const struct config_option *o, void *base)
{
	if (types[o->type].fini)
		types[o->type].fini(field_of(o, base));
}

static bool check_secret(const struct reading *r, struct str name, struct str secret)
{
	if (secret.n == 0)
		return fail(r, "%" STR_F " is empty", STR_A(name));
	if (secret.n > SECRET_BYTES)
		return fail(r, "%" STR_F " is longer than %d bytes", STR_A(name), SECRET_BYTES);
	if (str_has(secret, '\0') || str_has(secret, '\r') || str_has(secret, '\n'))
		return fail(r, "%" STR_F " holds a second line or a NUL", STR_A(name));
	return true;
}

static void take_secret(const struct reading *r, struct str name, struct str secret, void *field)
{
	if (secret.n && secret.p[secret.n - 1] == '\n')
		secret.n--;
	if (secret.n && secret.p[secret.n - 1] == '\r')
		secret.n--;
	if (check_secret(r, name, secret))
		types[r->option->type].read(r, secret, field);
}

void option_read_file(
	const struct config_option *o, const struct option_place *at, struct str text, void *base)
{
	struct reading r = {o, at};
	char bytes[SECRET_BYTES + 3]; /* a longest secret, its line end, and one to tell more */
	if (!check_lines(&r, text, false))
		return;
	ssize_t n = read_bytes(&r, text, bytes, sizeof(bytes));
	if (n >= 0)
		take_secret(&r, text, (struct str){bytes, (size_t)n}, field_of(o, base));
	mem_wipe(bytes, sizeof(bytes));
}
