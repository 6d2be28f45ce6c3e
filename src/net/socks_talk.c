#include "net/socks_talk.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <assert.h>

enum { VERSION = 5, LOGIN_VERSION = 1, CONNECT = 1 };
enum { METHOD_NONE = 0, METHOD_PASSWORD = 2, METHOD_NO_OTHER = 0xff };
enum { TYPE_IPV4 = 1, TYPE_NAME = 3, TYPE_IPV6 = 4 };

/* By the REP of RFC 1928, section 6; the first is for those that it does not have. */
static const struct refusal {
	int code;
	const char *words;
} refusals[] = {
	{ERR_REFUSED, "refused, for a reason of the proxy's own"      },
	{ERR_REFUSED, "the proxy failed"                              },
	{ERR_DENIED,  "the proxy's rules do not allow it"             },
	{ERR_REFUSED, "network unreachable"                           },
	{ERR_REFUSED, "host unreachable"                              },
	{ERR_REFUSED, "connection refused"                            },
	{ERR_TIMEOUT, "timed out at the proxy"                        },
	{ERR_DENIED,  "the proxy does not make connections"           },
	{ERR_DENIED,  "the proxy does not take addresses of this type"},
};

enum { REP_UNREACHABLE = 4 };

/* What answers in place of a SOCKS5 proxy, by its first byte. */
static const struct stranger {
	unsigned char first;
	const char *words;
} strangers[] = {
	{0x00, "it speaks SOCKS4, and SOCKS5 is needed"},
	{0x04, "it speaks SOCKS4, and SOCKS5 is needed"},
	{'H',  "it speaks HTTP, and SOCKS5 is needed"  },
	{0x15, "it speaks TLS, and SOCKS5 is needed"   },
};

static const char *const step_names[] = {"the greeting", "the login", "the request", ""};

const char *socks_step_name(enum socks_step step)
{
	return step_names[step];
}

/* What is sent. */

static void put(struct socks_talk *t, const void *bytes, size_t n)
{
	memcpy(t->out + t->n_out, bytes, n);
	t->n_out += n;
}

static void put_byte(struct socks_talk *t, unsigned char byte)
{
	put(t, &byte, 1);
}

static void put_text(struct socks_talk *t, const char *text)
{
	size_t n = strlen(text);
	assert(n > 0 && n <= SOCKS_TEXT_BYTES);
	put_byte(t, (unsigned char)n);
	put(t, text, n);
}

static void begin(struct socks_talk *t, enum socks_step step)
{
	mem_wipe(t->out, sizeof(t->out));
	t->n_out = t->n_sent = t->n_in = 0;
	t->step = step;
}

static void greet(struct socks_talk *t)
{
	bool has_user = t->target->user;
	begin(t, SOCKS_GREETING);
	put_byte(t, VERSION);
	put_byte(t, has_user ? 2 : 1);
	put_byte(t, METHOD_NONE);
	if (has_user)
		put_byte(t, METHOD_PASSWORD);
}

static void log_in(struct socks_talk *t)
{
	begin(t, SOCKS_LOGIN);
	put_byte(t, LOGIN_VERSION);
	put_text(t, t->target->user);
	put_text(t, t->target->password);
}

static void put_host(struct socks_talk *t)
{
	struct in_addr ip4;
	struct in6_addr ip6;
	const char *host = t->target->host;
	if (inet_pton(AF_INET, host, &ip4) == 1) {
		put_byte(t, TYPE_IPV4);
		put(t, &ip4, sizeof(ip4));
	} else if (inet_pton(AF_INET6, host, &ip6) == 1) {
		put_byte(t, TYPE_IPV6);
		put(t, &ip6, sizeof(ip6));
	} else {
		put_byte(t, TYPE_NAME);
		put_text(t, host);
	}
}

static void request(struct socks_talk *t)
{
	begin(t, SOCKS_REQUEST);
	put_byte(t, VERSION);
	put_byte(t, CONNECT);
	put_byte(t, 0);
	put_host(t);
	put_byte(t, (unsigned char)(t->target->port >> 8));
	put_byte(t, (unsigned char)t->target->port);
}

void socks_talk_init(struct socks_talk *t, const struct socks_target *target)
{
	*t = (struct socks_talk){.target = target};
	greet(t);
}

void socks_talk_fini(struct socks_talk *t)
{
	mem_wipe(t, sizeof(*t));
}

struct str socks_talk_out(const struct socks_talk *t)
{
	return (struct str){(const char *)t->out + t->n_sent, t->n_out - t->n_sent};
}

void socks_talk_sent(struct socks_talk *t, size_t n)
{
	assert(n <= t->n_out - t->n_sent);
	t->n_sent += n;
}

/* What is answered. */

/* How long a reply is, as far as it can be told: the address that it ends with has a type and, if
 * that is a name, a length of its own. */
static size_t reply_bytes(const struct socks_talk *t)
{
	enum { HEAD = 4, PORT = 2 };
	if (t->n_in < HEAD)
		return HEAD;
	if (t->in[3] == TYPE_IPV4)
		return HEAD + 4 + PORT;
	if (t->in[3] == TYPE_IPV6)
		return HEAD + 16 + PORT;
	return t->n_in == HEAD ? HEAD + 1 : HEAD + 1 + (size_t)t->in[4] + PORT;
}

static size_t answer_bytes(const struct socks_talk *t)
{
	return t->step == SOCKS_CONNECTED ? 0 : t->step == SOCKS_REQUEST ? reply_bytes(t) : 2;
}

size_t socks_talk_wants(const struct socks_talk *t)
{
	return answer_bytes(t) - t->n_in;
}

static int check_version(const struct socks_talk *t, struct err *err)
{
	unsigned char first = t->in[0];
	/* some answer the login with the version of SOCKS */
	if (first == VERSION || (t->step == SOCKS_LOGIN && first == LOGIN_VERSION))
		return 0;
	for (size_t i = 0; t->step == SOCKS_GREETING && i < COUNTOF(strangers); i++)
		if (strangers[i].first == first)
			return err_set(err, ERR_REFUSED, "%s", strangers[i].words);
	return err_set(err, ERR_REFUSED, "it is no SOCKS5 proxy: it answered %s with byte 0x%02x",
		step_names[t->step], first);
}

static int take_method(struct socks_talk *t, struct err *err)
{
	unsigned char method = t->in[1];
	if (method == METHOD_NONE)
		request(t);
	else if (method == METHOD_PASSWORD && t->target->user)
		log_in(t);
	else if (method != METHOD_NO_OTHER && method != METHOD_PASSWORD)
		return err_set(err, ERR_DENIED,
			"the proxy wants a login by method 0x%02x, which is not known", method);
	else if (t->target->user)
		return err_set(err, ERR_DENIED, "the proxy takes no login by user and password");
	else
		return err_set(err, ERR_DENIED,
			"the proxy wants a login (set proxy to "
			"socks5h://USER:PASSWORD@HOST:PORT)");
	return 0;
}

static int take_login(struct socks_talk *t, struct err *err)
{
	if (t->in[1] != 0)
		return err_set(err, ERR_DENIED, "the proxy refuses the user or the password");
	request(t);
	return 0;
}

static int refuse(const struct socks_talk *t, unsigned char rep, struct err *err)
{
	const struct refusal *r = &refusals[rep < COUNTOF(refusals) ? rep : 0];
	bool is_name = t->out[3] == TYPE_NAME;
	if (r == refusals)
		return err_set(err, r->code, "%s (0x%02x)", r->words, rep);
	if (rep == REP_UNREACHABLE && is_name)
		return err_set(err, ERR_DNS, "%s, or its name is not known to the proxy", r->words);
	return err_set(err, r->code, "%s", r->words);
}

static int check_type(const struct socks_talk *t, struct err *err)
{
	unsigned char type = t->in[3];
	if (type == TYPE_IPV4 || type == TYPE_NAME || type == TYPE_IPV6)
		return 0;
	return err_set(err, ERR_REFUSED,
		"it is no SOCKS5 proxy: its reply has an address of type 0x%02x", type);
}

/* What is known of an answer that is still coming. */
static int check_part(const struct socks_talk *t, struct err *err)
{
	int r = check_version(t, err);
	if (r == 0 && t->step == SOCKS_REQUEST && t->n_in >= 2 && t->in[1] != 0)
		r = refuse(t, t->in[1], err);
	if (r == 0 && t->step == SOCKS_REQUEST && t->n_in >= 4)
		r = check_type(t, err);
	return r;
}

static int take_answer(struct socks_talk *t, struct err *err)
{
	switch (t->step) {
	case SOCKS_GREETING:
		return take_method(t, err);
	case SOCKS_LOGIN:
		return take_login(t, err);
	case SOCKS_REQUEST:
		begin(t, SOCKS_CONNECTED);
		return 0;
	case SOCKS_CONNECTED:
		break;
	}
	return 0;
}

int socks_talk_feed(struct socks_talk *t, struct str bytes, struct err *err)
{
	assert(bytes.n > 0 && bytes.n <= socks_talk_wants(t) && t->n_sent == t->n_out);
	memcpy(t->in + t->n_in, bytes.p, bytes.n);
	t->n_in += bytes.n;
	int r = check_part(t, err);
	return r < 0 || t->n_in < answer_bytes(t) ? r : take_answer(t, err);
}
