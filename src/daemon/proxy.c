#include "daemon/proxy.h"

#include "base/mem.h"
#include "daemon/option.h"
#include "net/socks_talk.h"

#include <stdlib.h>

#define FORMS "write socks5h://HOST:PORT or socks5h://USER:PASSWORD@HOST:PORT"

/* The first that url begins with says what is wrong with it; NULL: nothing. */
static const struct scheme {
	const char *name, *fault;
} schemes[] = {
	{"socks5h://", NULL								    },
	{"socks5://",
         "is socks5://, which has names resolved here; write socks5h://, for they are resolved at the "
		"proxy"									},
	{"",           "does not begin with socks5h://, the one kind of proxy there is; " FORMS},
};

static bool begins(struct str url, struct str name)
{
	return url.n >= name.n && str_ieq((struct str){url.p, name.n}, name);
}

/* Leaves what follows the scheme. */
static int skip_scheme(struct str *url, struct err *err)
{
	const struct scheme *s = schemes;
	while (!begins(*url, str_of(s->name)))
		s++;
	*url = str_skip(*url, strlen(s->name));
	return s->fault ? err_set(err, ERR_CONFIG, "%s", s->fault) : 0;
}

/* The byte that two digits stand for, -1 where they are none. */
static int hex_byte(struct str digits)
{
	int high = digits.n >= 2 ? str_hex_digit(digits.p[0]) : -1;
	int low = high >= 0 ? str_hex_digit(digits.p[1]) : -1;
	return low < 0 ? -1 : high << 4 | low;
}

/* Decodes %XX; *out is owned, also after a failure. */
static int decode(struct str text, char **out, struct err *err)
{
	char *to = *out = mem_new(text.n + 1);
	for (; text.n; text = str_skip(text, 1)) {
		bool is_escape = text.p[0] == '%';
		int byte = is_escape ? hex_byte(str_skip(text, 1)) : (unsigned char)text.p[0];
		if (byte <= 0)
			return err_set(err, ERR_CONFIG,
				"has a %% that two hex digits other than 00 do not follow; write "
				"%%25 for the sign itself");
		*to++ = (char)byte;
		if (is_escape)
			text = str_skip(text, 2);
	}
	if (to == *out || to > *out + SOCKS_TEXT_BYTES)
		return err_set(err, ERR_CONFIG,
			"its user and its password must have 1 to %d bytes each", SOCKS_TEXT_BYTES);
	return 0;
}

static int read_login(struct str login, struct config_proxy *out, struct err *err)
{
	struct str password = login, user = str_cut(&password, ':');
	int r = decode(user, &out->user, err);
	return r < 0 ? r : decode(password, &out->password, err);
}

static int read_place(struct str place, struct config_proxy *out, struct err *err)
{
	struct str name;
	int64_t port = PROXY_PORT;
	if (!option_cut_host(place, &name, &port))
		return err_set(err, ERR_CONFIG, "has no host behind socks5h://; " FORMS);
	if (port < 1 || port > UINT16_MAX)
		return err_set(err, ERR_CONFIG, "its port is not within 1 and 65535");
	out->port = (int)port;
	if (option_host_ascii(name, &out->host, NULL) < 0)
		return err_set(err, ERR_CONFIG, "has no host name behind socks5h://; " FORMS);
	return 0;
}

/* Of a raw @ in a password the last is the one that ends it. */
static size_t login_bytes(struct str rest)
{
	const char *at = rest.n ? memrchr(rest.p, '@', rest.n) : NULL;
	return at ? (size_t)(at - rest.p) : 0;
}

int proxy_read(struct str url, struct config_proxy *out, struct err *err)
{
	int r = skip_scheme(&url, err);
	bool has_login = str_has(url, '@');
	struct str login = {url.p, login_bytes(url)};
	if (r == 0 && has_login)
		r = read_login(login, out, err);
	return r < 0 ? r : read_place(str_skip(url, login.n + has_login), out, err);
}

bool proxy_equal(const struct config_proxy *a, const struct config_proxy *b)
{
	return str_same(a->host, b->host) && a->port == b->port && str_same(a->user, b->user) &&
	       str_same(a->password, b->password);
}

void proxy_fini(struct config_proxy *p)
{
	mem_wipe_free(p->user);
	mem_wipe_free(p->password);
	free(p->host);
}
