/*
 * ceiling: what a client costs that does nothing but the work.
 *
 *     ceiling [OPTION...] ADDRESS:PORT...
 *
 * A bare loop on epoll: it registers, cuts lines, makes a Lua table of seven fields for each
 * PRIVMSG (eight where there are tags) and runs a handler in a recycled coroutine; replies of one
 * turn of the loop go out together. It checks nothing that a server might do wrong. What ebb costs
 * is told as a multiple of this. With --bad it makes mistakes, for the generator's own test.
 */
#include "base/attr.h"
#include "base/mem.h"
#include "support/wire.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { PARAMS = 15, EVENTS = 256, BAD_EVERY = 97, STALL_US = 1500 * 1000 };

struct piece {
	const char *p;
	size_t n;
};

struct message {
	struct piece tags, nick, user, host, command, params[PARAMS];
	size_t n_params;
};

enum bad { BAD_NOT, BAD_DROP, BAD_MANGLE, BAD_DOUBLE, BAD_REORDER, BAD_LATE };

static const char *const bad_names[] = {"not", "drop", "mangle", "double", "reorder", "late"};

struct connection {
	struct wire wire;
	char name[16]; /* of its network */
	bool is_dirty; /* it has something to flush */
};

static struct {
	const char *code; /* of the handler; NULL: C echoes */
	enum bad bad;
	unsigned long replies;
	char *held; /* a reply that was not sent in its turn */

	SSL_CTX *tls;
	int epoll;
	struct connection *connections;
	size_t n_connections, n_open;
	struct connection **dirty;
	size_t n_dirty;

	lua_State *L;
	lua_State **pool; /* coroutines that wait for an event */
	size_t n_pool;

	struct connection *current; /* whose line is handled */
	struct piece target;
} c;

static NORETURN void fail(const char *what)
{
	fprintf(stderr, "ceiling: %s\n", what);
	exit(EXIT_FAILURE);
}

/* Sending. */

static void mark_dirty(struct connection *to)
{
	if (!to->is_dirty)
		c.dirty[c.n_dirty++] = to;
	to->is_dirty = true;
}

static void say(struct connection *to, const char *line)
{
	wire_put(&to->wire, line, strlen(line));
	mark_dirty(to);
}

static char *append(char *to, const char *from, size_t n)
{
	memcpy(to, from, n);
	return to + n;
}

static void put_reply(const char *text, size_t n)
{
	char *start = wire_reserve(&c.current->wire, n + c.target.n + 12), *at = start;
	at = append(at, "PRIVMSG ", 8);
	at = append(at, c.target.p, c.target.n);
	at = append(at, " :", 2);
	at = append(at, text, n);
	at = append(at, "\r\n", 2);
	wire_commit(&c.current->wire, (size_t)(at - start));
	mark_dirty(c.current);
}

static void flush_dirty(void)
{
	for (size_t i = 0; i < c.n_dirty; i++) {
		c.dirty[i]->is_dirty = false;
		if (c.dirty[i]->wire.fd >= 0)
			wire_flush(&c.dirty[i]->wire);
	}
	c.n_dirty = 0;
}

/* Mistakes: one reply in BAD_EVERY is treated so, and with BAD_LATE only the first of these. */
static void put_bad(const char *text, size_t n)
{
	bool is_turn = ++c.replies % BAD_EVERY == 0;
	char *copy = strndup(text, n);
	if (is_turn && c.bad == BAD_MANGLE)
		copy[n - 1] ^= 1;
	if (is_turn && c.bad == BAD_LATE && c.replies == BAD_EVERY)
		usleep(STALL_US);
	if (is_turn && c.bad == BAD_REORDER)
		c.held = copy;
	else if (!is_turn || c.bad != BAD_DROP)
		put_reply(copy, n);
	if (is_turn && c.bad == BAD_DOUBLE)
		put_reply(copy, n);
	if (!is_turn && c.held) {
		put_reply(c.held, strlen(c.held));
		free(c.held);
		c.held = NULL;
	}
	if (c.held != copy)
		free(copy);
}

static void reply(const char *text, size_t n)
{
	if (c.bad)
		put_bad(text, n);
	else
		put_reply(text, n);
}

/* Lines. */

static struct piece cut(char **at, const char *end, char separator)
{
	char *start = *at, *found = memchr(start, separator, (size_t)(end - start));
	struct piece piece = {start, (size_t)((found ? found : end) - start)};
	*at = found ? found + 1 : (char *)end;
	return piece;
}

static void cut_source(struct message *m, struct piece source)
{
	char *at = (char *)source.p;
	const char *end = source.p + source.n;
	m->nick = cut(&at, end, '!');
	m->user = cut(&at, end, '@');
	m->host = (struct piece){at, (size_t)(end - at)};
}

static void parse(struct message *m, char *line, size_t n)
{
	char *at = line;
	const char *end = line + n;
	m->n_params = 0;
	m->tags = m->nick = m->user = m->host = (struct piece){"", 0};
	if (at < end && *at == '@') {
		at++;
		m->tags = cut(&at, end, ' ');
	}
	if (at < end && *at == ':') {
		at++;
		cut_source(m, cut(&at, end, ' '));
	}
	m->command = cut(&at, end, ' ');
	while (at < end && m->n_params < PARAMS) {
		if (*at == ':') {
			m->params[m->n_params++] = (struct piece){at + 1, (size_t)(end - at - 1)};
			break;
		}
		m->params[m->n_params++] = cut(&at, end, ' ');
	}
}

static bool is(struct piece piece, const char *word)
{
	return piece.n == strlen(word) && memcmp(piece.p, word, piece.n) == 0;
}

/* The handler. */

static void set_field(lua_State *L, const char *name, struct piece value)
{
	lua_pushlstring(L, value.p, value.n);
	lua_setfield(L, -2, name);
}

static void push_value(lua_State *L, struct piece value)
{
	static const char codes[] = ":s\\rn", bytes[] = "; \\\r\n";
	luaL_Buffer b;
	if (!memchr(value.p, '\\', value.n)) {
		lua_pushlstring(L, value.p, value.n);
		return;
	}
	luaL_buffinit(L, &b);
	for (size_t i = 0; i < value.n; i++) {
		const char *code = NULL;
		if (value.p[i] == '\\' && i + 1 < value.n)
			code = strchr(codes, value.p[++i]);
		luaL_addchar(&b, code && *code ? bytes[code - codes] : value.p[i]);
	}
	luaL_pushresult(&b);
}

static void set_tags(lua_State *L, struct piece tags)
{
	char *at = (char *)tags.p;
	const char *end = tags.p + tags.n;
	lua_createtable(L, 0, 4);
	while (at < end) {
		char *in = at;
		struct piece tag = cut(&at, end, ';');
		struct piece key = cut(&in, tag.p + tag.n, '=');
		lua_pushlstring(L, key.p, key.n);
		push_value(L, (struct piece){in, (size_t)(tag.p + tag.n - in)});
		lua_rawset(L, -3);
	}
	lua_setfield(L, -2, "tags");
}

static void push_event(lua_State *L, const struct message *m)
{
	lua_createtable(L, 0, 7 + (m->tags.n != 0));
	lua_pushstring(L, c.current->name);
	lua_setfield(L, -2, "network");
	set_field(L, "command", m->command);
	set_field(L, "nick", m->nick);
	set_field(L, "user", m->user);
	set_field(L, "host", m->host);
	set_field(L, "target", m->params[0]);
	set_field(L, "message", m->params[1]);
	if (m->tags.n)
		set_tags(L, m->tags);
}

static int lua_reply(lua_State *L)
{
	size_t n;
	const char *text = luaL_checklstring(L, 1, &n);
	reply(text, n);
	return 0;
}

static lua_State *new_coroutine(void)
{
	lua_State *co = lua_newthread(c.L);
	luaL_ref(c.L, LUA_REGISTRYINDEX);
	lua_getfield(c.L, LUA_REGISTRYINDEX, "loop");
	lua_xmove(c.L, co, 1);
	return co;
}

/* The handler does not pause, so one coroutine is ever out of the pool. */
static void run_handler(const struct message *m)
{
	lua_State *co = c.n_pool ? c.pool[--c.n_pool] : new_coroutine();
	int n;
	push_event(co, m);
	if (lua_resume(co, c.L, 1, &n) != LUA_YIELD)
		fail(lua_tostring(co, -1));
	lua_pop(co, n);
	c.pool[c.n_pool++] = co;
}

static void open_lua(void)
{
	static const char loop[] =
		"local handler, yield = ..., coroutine.yield\n"
		"return function(ev) while true do handler(ev) ev = yield() end end";
	lua_State *L = c.L = luaL_newstate();
	luaL_openlibs(L);
	lua_register(L, "reply", lua_reply);
	if (luaL_loadstring(L, loop) || luaL_dostring(L, c.code))
		fail(lua_tostring(L, -1));
	lua_call(L, 1, 1);
	lua_setfield(L, LUA_REGISTRYINDEX, "loop");
	c.pool = mem_resize(NULL, 1, sizeof(*c.pool));
}

/* The conversation. */

static void on_privmsg(const struct message *m)
{
	c.target = m->params[0];
	if (c.code)
		run_handler(m);
	else
		reply(m->params[1].p, m->params[1].n);
}

static void on_cap(const struct message *m)
{
	char line[512];
	if (is(m->params[1], "LS") && m->params[m->n_params - 1].n) {
		struct piece list = m->params[m->n_params - 1];
		snprintf(line, sizeof(line), "CAP REQ :%.*s\r\n", (int)list.n, list.p);
		say(c.current, line);
	} else {
		say(c.current, "CAP END\r\n");
	}
}

static void on_line(void *owner, char *line, size_t n)
{
	struct message m;
	c.current = owner;
	parse(&m, line, n);
	if (is(m.command, "PRIVMSG") && m.n_params == 2)
		on_privmsg(&m);
	else if (is(m.command, "CAP") && m.n_params >= 3)
		on_cap(&m);
	else if (is(m.command, "PING"))
		say(c.current, "PONG :bench\r\n");
	else if (is(m.command, "376") || is(m.command, "422"))
		say(c.current, "JOIN #bench\r\n");
}

static SSL *new_tls(const char *host)
{
	if (!c.tls)
		return NULL;
	SSL *ssl = SSL_new(c.tls);
	X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host);
	SSL_set_connect_state(ssl);
	return ssl;
}

/* place: ADDRESS:PORT. On loopback connecting does not wait. */
static void open_connection(struct connection *to, const char *place, size_t number)
{
	char host[64];
	struct sockaddr_in sa = {.sin_family = AF_INET};
	unsigned port;
	if (sscanf(place, "%63[^:]:%u", host, &port) != 2)
		fail("usage: ceiling [OPTION...] ADDRESS:PORT...");
	sa.sin_port = htons((uint16_t)port);
	inet_pton(AF_INET, host, &sa.sin_addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		fail("cannot connect");
	snprintf(to->name, sizeof(to->name), "n%zu", number);
	wire_open(&to->wire, fd, new_tls(host), c.epoll, to);
	char line[256];
	snprintf(line, sizeof(line), "CAP LS 302\r\nNICK b%zu\r\nUSER ebb 0 * :ebb\r\n", number);
	say(to, line);
}

static void open_tls(const char *ca)
{
	c.tls = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_min_proto_version(c.tls, TLS1_3_VERSION);
	SSL_CTX_set_verify(c.tls, SSL_VERIFY_PEER, NULL);
	if (!SSL_CTX_load_verify_locations(c.tls, ca, NULL))
		fail("cannot read the CA");
}

static void run(void)
{
	struct epoll_event events[EVENTS];
	while (c.n_open) {
		int n = epoll_wait(c.epoll, events, EVENTS, -1);
		for (int i = 0; i < n; i++) {
			struct connection *from = events[i].data.ptr;
			bool ok = wire_read(&from->wire, on_line);
			if (ok && from->wire.n_out)
				mark_dirty(from);
			if (!ok) {
				wire_close(&from->wire);
				c.n_open--;
			}
		}
		flush_dirty();
	}
}

static enum bad bad_of(const char *name)
{
	for (size_t i = 0; i < COUNTOF(bad_names); i++)
		if (strcmp(name, bad_names[i]) == 0)
			return (enum bad)i;
	fail("--bad: no such mistake");
}

static void read_options(int argc, char **argv)
{
	static const struct option options[] = {
		{"lua",         required_argument, NULL, 'l'},
                {"no-lua",      no_argument,       NULL, 'n'},
		{"bad",         required_argument, NULL, 'b'},
                {"tls",         required_argument, NULL, 't'},
		{"connections", required_argument, NULL, 'c'},
                {NULL,          0,                 NULL, 0  }
        };
	int option;
	c.n_connections = 1;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'l')
			c.code = optarg;
		else if (option == 'n')
			c.code = NULL;
		else if (option == 'b')
			c.bad = bad_of(optarg);
		else if (option == 't')
			open_tls(optarg);
		else if (option == 'c')
			c.n_connections = strtoul(optarg, NULL, 10);
		else
			exit(2);
	}
	if (optind == argc)
		fail("usage: ceiling [OPTION...] ADDRESS:PORT...");
}

int main(int argc, char **argv)
{
	read_options(argc, argv);
	if (c.code)
		open_lua();
	c.epoll = epoll_create1(EPOLL_CLOEXEC);
	c.connections = mem_new(c.n_connections * sizeof(*c.connections));
	c.dirty = mem_new(c.n_connections * sizeof(struct connection *));
	for (size_t i = 0; i < c.n_connections; i++) {
		const char *place = argv[optind + (int)(i % (size_t)(argc - optind))];
		open_connection(&c.connections[i], place, i);
	}
	c.n_open = c.n_connections;
	flush_dirty();
	run();
	return EXIT_SUCCESS;
}
