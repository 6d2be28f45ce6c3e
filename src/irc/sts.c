#include "irc/sts.h"

#include "base/clock.h"
#include "base/mem.h"

#include <stdlib.h>

static const struct str form = STR_CONST("ebb sts 1");

struct policy {
	uint16_t port;
	int64_t duration_ns;
	int64_t expires_ns;
};

static bool are_digits(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n > 0;
}

static uint16_t read_port(struct str s)
{
	int64_t port;
	return str_int(s, 1, UINT16_MAX, &port) ? (uint16_t)port : 0;
}

/* A number that is too large for us is large. */
static int64_t read_duration(struct str s)
{
	int64_t seconds;
	if (!are_digits(s))
		return -1;
	if (!str_int(s, 0, STS_DURATION_MAX_S, &seconds))
		seconds = STS_DURATION_MAX_S;
	return seconds * NS_PER_S;
}

bool sts_parse(struct str value, struct sts_value *out)
{
	*out = (struct sts_value){.duration_ns = -1};
	while (value.p) {
		struct str token = str_cut(&value, ',');
		struct str key = str_cut(&token, '=');
		if (str_eq(key, STR("port")))
			out->port = read_port(token);
		else if (str_eq(key, STR("duration")))
			out->duration_ns = read_duration(token);
	}
	return out->port || out->duration_ns >= 0;
}

/* A host as it is kept. */
struct host {
	char bytes[STS_HOST_MAX_BYTES];
	struct str name;
};

static bool fold(struct str host, struct host *out)
{
	if (host.n && host.p[host.n - 1] == '.')
		host.n--;
	if (host.n == 0 || host.n > sizeof(out->bytes))
		return false;
	for (size_t i = 0; i < host.n; i++) {
		char c = host.p[i];
		if (c <= ' ' || c >= 0x7f) /* names are in ASCII by the time they are dialled */
			return false;
		out->bytes[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	out->name = (struct str){out->bytes, host.n};
	return true;
}

static void drop(struct sts *s, struct str name)
{
	free(map_remove(&s->policies, name));
}

void sts_fini(struct sts *s)
{
	struct map_entry *e;
	if (!s)
		return;
	while ((e = map_first(&s->policies)))
		drop(s, map_key(e));
}

static int64_t expiry_of(const struct map_entry *e)
{
	const struct policy *p = map_value(e);
	return p->expires_ns;
}

static void make_room(struct sts *s)
{
	const struct map_entry *first = map_first(&s->policies);
	for (const struct map_entry *e = first; e; e = map_next(e))
		if (expiry_of(e) < expiry_of(first))
			first = e;
	drop(s, map_key(first));
}

static void put(struct sts *s, struct str name, const struct policy *policy)
{
	struct policy *p = map_get(&s->policies, name);
	if (!p) {
		if (map_count(&s->policies) == STS_HOSTS_MAX)
			make_room(s);
		p = mem_new(sizeof(*p));
		map_put(&s->policies, name, p);
	}
	*p = *policy;
}

static int64_t after(int64_t now_ns, int64_t duration_ns)
{
	int64_t then;
	return __builtin_add_overflow(now_ns, duration_ns, &then) ? INT64_MAX : then;
}

bool sts_set(
	struct sts *s, struct str host, uint16_t port, int64_t duration_ns, int64_t now_wall_ns)
{
	struct host h;
	if (port == 0 || duration_ns < 0 || !fold(host, &h))
		return false;
	if (duration_ns > STS_DURATION_MAX_S * NS_PER_S)
		duration_ns = STS_DURATION_MAX_S * NS_PER_S;
	struct policy p = {port, duration_ns, after(now_wall_ns, duration_ns)};
	if (duration_ns)
		put(s, h.name, &p);
	else
		drop(s, h.name);
	return true;
}

uint16_t sts_get(const struct sts *s, struct str host, int64_t now_wall_ns)
{
	struct host h;
	if (!fold(host, &h))
		return 0;
	const struct policy *p = map_get(&s->policies, h.name);
	return p && p->expires_ns > now_wall_ns ? p->port : 0;
}

void sts_touch(struct sts *s, struct str host, int64_t now_wall_ns)
{
	struct host h;
	if (!fold(host, &h))
		return;
	struct policy *p = map_get(&s->policies, h.name);
	if (!p)
		return;
	int64_t then = after(now_wall_ns, p->duration_ns);
	if (then > p->expires_ns)
		p->expires_ns = then;
}

/* Up: a policy does not end sooner for having been written. */
static int64_t in_seconds(int64_t ns)
{
	return ns / NS_PER_S + (ns % NS_PER_S > 0);
}

int sts_write(const struct sts *s, int64_t now_wall_ns, struct buf *out)
{
	size_t before = buf_str(out).n;
	int r = buf_addf(out, "%" STR_F "\n", STR_A(form));
	for (const struct map_entry *e = map_first(&s->policies); r == 0 && e; e = map_next(e)) {
		const struct policy *p = map_value(e);
		if (p->expires_ns > now_wall_ns)
			r = buf_addf(out, "%" STR_F " %u %lld %lld\n", STR_A(map_key(e)), p->port,
				(long long)in_seconds(p->duration_ns),
				(long long)in_seconds(p->expires_ns));
	}
	if (r < 0)
		buf_truncate(out, before);
	return r;
}

/* NULL, or what is wrong with the line. */
static const char *read_policy(struct sts *s, struct str line)
{
	struct host h;
	struct str name = str_cut(&line, ' ');
	uint16_t port = read_port(str_cut(&line, ' '));
	struct str duration = str_cut(&line, ' ');
	int64_t seconds, expires;
	if (!fold(name, &h))
		return "no host";
	if (port == 0)
		return "no port";
	if (!str_int(duration, 1, STS_DURATION_MAX_S, &seconds))
		return "no duration";
	if (!str_int(line, 0, INT64_MAX / NS_PER_S, &expires))
		return "no time of its end";
	struct policy p = {port, seconds * NS_PER_S, expires * NS_PER_S};
	put(s, h.name, &p);
	return NULL;
}

int sts_read(struct sts *s, struct str text, struct err *err)
{
	int n_bad = 0;
	struct str line = str_cut(&text, '\n');
	if (!text.p || !str_eq(line, form)) {
		err_set(err, ERR_INVALID, "line 1: not \"%" STR_F "\"", STR_A(form));
		return 1;
	}
	for (int number = 2; text.n; number++) {
		line = str_cut(&text, '\n');
		const char *why = text.p ? read_policy(s, line) : "cut short";
		if (why && n_bad++ == 0)
			err_set(err, ERR_INVALID, "line %d: %s", number, why);
	}
	return n_bad;
}
