#include "ebb.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "support/check.h"
#include "support/peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * ebb.h as a program uses it: the loop is the program's own, and so is the server on it, which is
 * as small as one can be: it welcomes, writes down what it hears, and closes after QUIT.
 */
enum { CLIENTS = 4, HEARD_MAX_BYTES = 65536 };

struct client {
	struct ev_io io;
	struct server *server;
};

struct server {
	struct ev_loop *loop;
	struct ev_io listener;
	struct client clients[CLIENTS];
	size_t n_clients;
	char port[8];
	struct buf heard; /* lines of all clients */
};

static struct server srv;
static struct ev_loop *loop;
static size_t fds_before;

static void say_to(struct client *c, const char *text)
{
	assert_int_equal(send(c->io.fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void say(const char *text)
{
	say_to(&srv.clients[srv.n_clients - 1], text);
}

static void close_client(struct client *c)
{
	if (!ev_is_active(&c->io))
		return;
	ev_io_stop(c->server->loop, &c->io);
	close(c->io.fd);
}

static void on_bytes(struct ev_loop *ev, struct ev_io *io, int revents)
{
	struct client *c = container_of(io, struct client, io);
	char bytes[4096];
	(void)ev, (void)revents;
	ssize_t n = recv(io->fd, bytes, sizeof(bytes) - 1, 0);
	if (n <= 0) {
		close_client(c);
		return;
	}
	bytes[n] = '\0';
	assert_int_equal(buf_add(&c->server->heard, (struct str){bytes, (size_t)n}), 0);
	if (strstr(bytes, "USER "))
		say_to(c, ":srv 001 ebb :welcome\r\n:srv 376 ebb :end\r\n");
	if (strstr(bytes, "QUIT"))
		close_client(c);
}

static void on_client(struct ev_loop *ev, struct ev_io *io, int revents)
{
	struct server *s = container_of(io, struct server, listener);
	(void)revents;
	assert_true(s->n_clients < CLIENTS);
	struct client *c = &s->clients[s->n_clients++];
	c->server = s;
	ev_io_init(&c->io, on_bytes, accept4(io->fd, NULL, NULL, SOCK_CLOEXEC), EV_READ);
	assert_true(c->io.fd >= 0);
	ev_io_start(ev, &c->io);
}

static void server_begin(struct server *s, struct ev_loop *ev)
{
	struct address a;
	*s = (struct server){.loop = ev};
	buf_init(&s->heard, HEARD_MAX_BYTES);
	ev_io_init(&s->listener, on_client, listen_tcp(&a), EV_READ);
	struct sockaddr_in at;
	socklen_t n = sizeof(at);
	assert_int_equal(getsockname(s->listener.fd, (struct sockaddr *)&at, &n), 0);
	snprintf(s->port, sizeof(s->port), "%d", ntohs(at.sin_port));
	ev_io_start(ev, &s->listener);
}

static void server_end(struct server *s)
{
	for (size_t i = 0; i < s->n_clients; i++)
		close_client(&s->clients[i]);
	ev_io_stop(s->loop, &s->listener);
	close(s->listener.fd);
	buf_fini(&s->heard);
}

static bool has_heard(const char *text)
{
	return strstr(buf_str(&srv.heard).p, text) != NULL;
}

/* Turns the loop until the condition holds. */
#define until(condition)                                                       \
	do {                                                                   \
		int64_t end_ns = clock_mono_ns(&clock_system) + 20 * NS_PER_S; \
		while (!(condition))                                           \
			turn(end_ns, #condition);                              \
	} while (0)

static void turn(int64_t end_ns, const char *what)
{
	if (clock_mono_ns(&clock_system) > end_ns)
		fail_msg("not within 20 s: %s", what);
	ev_run(loop, EVRUN_ONCE);
}

/* The program's own work, which also keeps `until` from waiting for ever. */
static struct ev_timer work;
static unsigned n_works;
static struct ev_loop *other; /* is run by that work; NULL: there is none */

static void on_work(struct ev_loop *ev, struct ev_timer *t, int revents)
{
	(void)ev, (void)t, (void)revents;
	n_works++;
	if (other)
		ev_run(other, EVRUN_NOWAIT);
}

static int begin(void **state)
{
	(void)state;
	fds_before = count_fds();
	loop = ev_loop_new(EVFLAG_AUTO);
	server_begin(&srv, loop);
	ev_timer_init(&work, on_work, 0.01, 0.01);
	ev_timer_start(loop, &work);
	return 0;
}

/* The loop is as before: with our own watchers stopped, nothing is left for it to wait for. */
static int end(void **state)
{
	(void)state;
	server_end(&srv);
	ev_timer_stop(loop, &work);
	assert_int_equal(ev_pending_count(loop), 0);
	assert_int_equal(ev_run(loop, EVRUN_NOWAIT), 0);
	ev_loop_destroy(loop);
	assert_int_equal(count_fds(), fds_before);
	return 0;
}

/* Instances. */

static void ok(struct ebb *e, int r)
{
	if (r < 0)
		fail_msg("%s: %s", ebb_error_kind(e), ebb_error(e));
}

static void add_network(struct ebb *e, const char *name)
{
	const struct ebb_key keys[] = {
		{"host", "127.0.0.1"},
                {"port", srv.port   },
                {"tls",  "no"       },
                {"nick", "ebb"      },
		{NULL,   NULL       }
        };
	ok(e, ebb_network(e, name, keys));
}

static const struct ebb_key off[] = {
	{"enabled", "no"},
        {NULL,      NULL}
};

static const struct ebb_key trusted[] = {
	{"trust", "full"},
        {NULL,    NULL  }
};

/* With a network, and without the policy, which need not be installed. */
static struct ebb *make(struct ev_loop *ev)
{
	struct ebb *e = ebb_new(ev);
	add_network(e, "n");
	ok(e, ebb_script(e, "reconnect", off, NULL));
	return e;
}

struct notes {
	struct buf text;
	struct ebb_handler *handler; /* for those that end themselves or others */
	bool is_stopped;
};

static struct notes notes;

static void note(const char *text)
{
	assert_int_equal(buf_add(&notes.text, str_of(text)), 0);
	assert_int_equal(buf_add(&notes.text, STR("\n")), 0);
}

static void expect_notes(const char *expected)
{
	assert_string_equal(buf_str(&notes.text).p, expected);
	buf_reset(&notes.text);
}

static void on_message(struct ebb *e, const struct ebb_event *ev, void *data)
{
	(void)e, (void)data;
	note(ebb_event_field(ev, "message", NULL));
}

static void on_name(struct ebb *e, const struct ebb_event *ev, void *data)
{
	(void)e;
	note(data ? data : ev->name);
}

/* With a text as data. */
static struct ebb_handler *hear(struct ebb *e, const char *name,
	void (*run)(struct ebb *e, const struct ebb_event *ev, void *data), const char *text)
{
	return ebb_on(e, name, run, (void *)(uintptr_t)text);
}

static void on_stopped(struct ebb *e, void *data)
{
	(void)e;
	*(bool *)data = true;
}

static bool is_up(void)
{
	return strstr(buf_str(&notes.text).p, "client_connect\n") != NULL;
}

/* Started, and connected. */
static struct ebb *make_connected(void)
{
	struct ebb *e = make(loop);
	ebb_on(e, "client_connect", on_name, NULL);
	ok(e, ebb_start(e));
	until(is_up());
	expect_notes("client_connect\n");
	return e;
}

static void stop_and_free(struct ebb *e)
{
	bool is_stopped = false;
	ebb_stop(e, on_stopped, &is_stopped);
	assert_false(is_stopped);
	until(is_stopped);
	ebb_free(e);
}

static int begin_notes(void **state)
{
	notes = (struct notes){0};
	buf_init(&notes.text, 65536);
	return begin(state);
}

static int end_notes(void **state)
{
	buf_fini(&notes.text);
	return end(state);
}

/* Life. */

static void one_that_never_started_is_freed(void **state)
{
	(void)state;
	ebb_free(NULL);
	ebb_free(ebb_new(loop));
	ebb_free(make(loop));
}

static void it_is_made_run_and_freed_twice_on_one_loop(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct ebb *e = make_connected();
		unsigned before = n_works;
		until(n_works > before);
		stop_and_free(e);
		assert_true(has_heard("QUIT"));
		buf_reset(&srv.heard);
	}
}

static void it_is_dropped_at_any_time(void **state)
{
	(void)state;
	for (int turns = 0; turns < 12; turns++) {
		struct ebb *e = make(loop);
		ok(e, ebb_script(e, "busy", NULL, "every(0.001, function() sleep(1) end)"));
		ok(e, ebb_start(e));
		for (int i = 0; i < turns; i++)
			ev_run(loop, EVRUN_NOWAIT);
		if (turns % 2)
			ebb_stop(e, NULL, NULL);
		ebb_free(e);
		for (size_t i = 0; i < srv.n_clients; i++)
			close_client(&srv.clients[i]);
		srv.n_clients = 0;
	}
}

static void stop_comes_before_start_and_then_there_is_none(void **state)
{
	(void)state;
	struct ebb *e = make(loop);
	bool is_stopped = false;

	ebb_stop(e, on_stopped, &is_stopped);
	ebb_stop(e, NULL, NULL);
	until(is_stopped);

	assert_true(ebb_start(e) < 0);
	assert_string_equal(ebb_error_kind(e), "invalid");
	ebb_free(e);
}

static void free_now(struct ebb *e, void *data)
{
	(void)data;
	notes.is_stopped = true;
	ebb_free(e);
	ebb_free(e);
}

static void free_in_event(struct ebb *e, const struct ebb_event *ev, void *data)
{
	free_now(e, data);
	note(ev->name); /* what borrows lives as long as the call */
}

static void it_is_freed_within_the_call_that_says_it_stopped(void **state)
{
	(void)state;
	ebb_stop(make_connected(), free_now, NULL);
	until(notes.is_stopped);
}

static void it_is_freed_within_a_handler_and_no_other_hears_of_it(void **state)
{
	(void)state;
	struct ebb *e = make_connected();
	ebb_on(e, "privmsg", free_in_event, NULL);
	ebb_on(e, "privmsg", on_message, NULL);

	say(":bob!u@h PRIVMSG #c :one\r\n:bob!u@h PRIVMSG #c :two\r\n");
	until(notes.is_stopped);
	expect_notes("privmsg\n");
}

static void it_is_freed_while_ebb_run_runs_it(void **state)
{
	(void)state;
	struct ebb *e = make(loop);
	ebb_on(e, "client_connect", free_in_event, NULL);
	ok(e, ebb_start(e));

	ebb_run(e);

	assert_true(notes.is_stopped);
}

static void stop_in_event(struct ebb *e, const struct ebb_event *ev, void *data)
{
	(void)ev;
	ebb_stop(e, NULL, data);
}

static void ebb_run_returns_when_a_handler_had_it_stopped(void **state)
{
	(void)state;
	struct ebb *e = make(loop);
	ebb_run(e);
	ok(e, ebb_script(e, "last", NULL, "on_unload(function() raw('PRIVMSG #c :bye') end)"));
	ebb_on(e, "client_connect", stop_in_event, NULL);
	ok(e, ebb_start(e));

	ebb_run(e);

	until(has_heard("QUIT"));
	ebb_free(e);
}

static void two_on_one_loop_know_nothing_of_each_other(void **state)
{
	(void)state;
	struct ebb *a = make_connected(), *b = make_connected();
	hear(a, "privmsg", on_name, "a");
	hear(b, "privmsg", on_name, "b");

	say_to(&srv.clients[0], ":bob!u@h PRIVMSG #c :x\r\n");
	until(notes.text.n);
	expect_notes("a\n");
	ebb_free(a);
	say(":bob!u@h PRIVMSG #c :x\r\n");
	until(notes.text.n);
	expect_notes("b\n");
	stop_and_free(b);
}

static void two_run_on_two_loops_of_a_thread(void **state)
{
	static const struct ebb_key keys[] = {
		{"cpu_max", "8" },
                {NULL,      NULL}
        };
	(void)state;
	other = ev_loop_new(EVFLAG_AUTO);
	struct ebb *a = make_connected(), *b = ebb_new(other);
	ok(b, ebb_script(b, "reconnect", off, NULL));
	ok(b, ebb_script(b, "long", keys,
		      "local n = 0\nwhile n < 3e6 do n = n + 1 end\ntrigger('done')"));
	hear(b, "done", on_name, NULL);

	ok(b, ebb_start(b));
	until(notes.text.n);

	expect_notes("done\n");
	stop_and_free(a);
	ebb_free(b);
	ev_loop_destroy(other);
	other = NULL;
}

static void the_signals_of_the_program_stay_its_own(void **state)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGALRM, SIGCHLD};
	(void)state;
	stop_and_free(make_connected());
	for (size_t i = 0; i < COUNTOF(signals); i++) {
		struct sigaction now;
		assert_int_equal(sigaction(signals[i], NULL, &now), 0);
		assert_true(now.sa_handler == SIG_DFL);
	}
}

/* Configuration. */

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static int load_missing(struct ebb *e)
{
	return ebb_load(e, "missing.ini");
}

static int load_wrong(struct ebb *e)
{
	write_file("wrong.ini", "[network n]\nnick = ebb\n\n[nonsense]\n");
	return ebb_load(e, "wrong.ini");
}

static int load_late(struct ebb *e)
{
	add_network(e, "n");
	return ebb_load(e, "any.ini");
}

static int set_late(struct ebb *e)
{
	add_network(e, "n");
	return ebb_set(e, NULL);
}

static int set_unknown(struct ebb *e)
{
	const struct ebb_key keys[] = {
		{"colour", "red"},
                {NULL,     NULL }
        };
	return ebb_set(e, keys);
}

static int network_without_host(struct ebb *e)
{
	return ebb_network(e, "n", NULL);
}

static int network_twice(struct ebb *e)
{
	add_network(e, "n");
	return ebb_network(e, "n", NULL);
}

static int network_without_value(struct ebb *e)
{
	const struct ebb_key keys[] = {
		{"host", ""  },
                {NULL,   NULL}
        };
	return ebb_network(e, "n", keys);
}

static int network_with_null(struct ebb *e)
{
	const struct ebb_key keys[] = {
		{"host", NULL},
                {NULL,   NULL}
        };
	return ebb_network(e, "n", keys);
}

static int script_nowhere(struct ebb *e)
{
	return ebb_script(e, "nowhere", NULL, NULL);
}

static int script_of_no_network(struct ebb *e)
{
	const struct ebb_key keys[] = {
		{"networks", "other"},
                {NULL,       NULL   }
        };
	return ebb_script(e, "s", keys, "");
}

static int script_twice(struct ebb *e)
{
	ok(e, ebb_script(e, "s", NULL, ""));
	return ebb_script(e, "s", NULL, "");
}

static int start_twice(struct ebb *e)
{
	ok(e, ebb_start(e));
	return ebb_start(e);
}

static int network_late(struct ebb *e)
{
	ok(e, ebb_start(e));
	return ebb_network(e, "n", NULL);
}

static int authorities_gone(struct ebb *e)
{
	write_file("ca.pem", "no certificate");
	const struct ebb_key keys[] = {
		{"host",   "localhost"},
                {"nick",   "ebb"      },
                {"tls_ca", "ca.pem"   },
                {NULL,     NULL       }
        };
	ok(e, ebb_network(e, "n", keys));
	return ebb_start(e);
}

static const struct refusal {
	const char *name;
	int (*run)(struct ebb *e);
	const char *kind, *words;
} refusals[] = {
	{"a file that is not there",                 load_missing,          "config",  "missing.ini: "           },
	{"the first error of a file",                load_wrong,            "config",  "wrong.ini:1: [network n]"},
	{"a file after a network",                   load_late,             "invalid", "comes before"            },
	{"[daemon] after a network",                 set_late,              "invalid", "comes before"            },
	{"a key that there is not",                  set_unknown,           "config",  "[daemon] colour"         },
	{"a network without its host",               network_without_host,  "config",  "[network n] host"        },
	{"a network that is there",                  network_twice,         "config",  "[network n] is there"    },
	{"a key without a value",                    network_without_value, "config",  "[network n] host"        },
	{"a key whose value is NULL",                network_with_null,     "config",  "[network n] host"        },
	{"a script without a file",                  script_nowhere,        "config",  "[script nowhere] file"   },
	{"a script for a network that there is not", script_of_no_network,  "config",
         "[network other]"										       },
	{"a script that is there",                   script_twice,          "config",  "[script s] is there"     },
	{"a second start",			   start_twice,           "invalid", "started"                 },
	{"a network after the start",                network_late,          "invalid", "started"                 },
	{"certificates that cannot be read",         authorities_gone,      "config",  "n: "                     },
};

static void is_refused(void **state)
{
	const struct refusal *row = *state;
	struct ebb *e = ebb_new(loop);
	int r = row->run(e);
	assert_true(r < 0);
	assert_string_equal(ebb_error_kind(e), row->kind);
	if (!strstr(ebb_error(e), row->words))
		fail_msg("\"%s\" has not \"%s\"", ebb_error(e), row->words);
	ebb_free(e);
}

static void what_was_refused_leaves_the_rest_as_it_was(void **state)
{
	(void)state;
	struct ebb *e = ebb_new(loop);
	assert_true(load_missing(e) < 0);
	assert_true(set_unknown(e) < 0);
	assert_true(network_without_host(e) < 0);
	assert_true(script_nowhere(e) < 0);

	ok(e, ebb_set(e, NULL));
	add_network(e, "n");
	ok(e, ebb_script(e, "nowhere", NULL, "log('found')"));
	ok(e, ebb_start(e));
	ebb_free(e);
}

static void a_file_is_loaded_and_added_to(void **state)
{
	(void)state;
	char text[500];
	snprintf(text, sizeof(text),
		"[network n]\nhost = 127.0.0.1\nport = %s\ntls = no\nnick = ebb\n"
		"[script reconnect]\nenabled = no\n[script file]\nfile = file.lua\n",
		srv.port);
	write_file("ebb.ini", text);
	write_file("file.lua", "on('client_connect', function() trigger('of_file') end)");
	struct ebb *e = ebb_new(loop);
	ok(e, ebb_load(e, "ebb.ini"));
	ok(e, ebb_script(e, "added", NULL, "on('of_file', function() trigger('of_both') end)"));
	ebb_on(e, "of_both", on_name, NULL);

	ok(e, ebb_start(e));
	until(notes.text.n);

	expect_notes("of_both\n");
	stop_and_free(e);
}

static void a_script_that_fails_does_not_keep_it_from_starting(void **state)
{
	(void)state;
	struct ebb *e = make(loop);
	ok(e, ebb_script(e, "broken", NULL, "this is no Lua"));
	ebb_on(e, "client_connect", on_name, NULL);

	ok(e, ebb_start(e));
	until(is_up());

	stop_and_free(e);
}

/* Events. */

static const char *asked;

static void on_field(struct ebb *e, const struct ebb_event *ev, void *data)
{
	size_t n = 0;
	(void)e, (void)data;
	const char *text = ebb_event_field(ev, asked, &n);
	if (text)
		assert_int_equal(n, strlen(text));
	note(text ? text : "(absent)");
}

static const struct field {
	const char *name, *event, *line, *field, *text;
} fields[] = {
	{"a text",             "privmsg",       ":bob!u@h PRIVMSG #c :hi you",                           "message",  "hi you"        },
	{"one it has not",     "privmsg",       ":bob!u@h PRIVMSG ebb :hi",                              "channel",  "(absent)"      },
	{"one nobody has",     "privmsg",       ":bob!u@h PRIVMSG #c :hi",                               "nonsense", "(absent)"      },
	{"the network",        "privmsg",       ":bob!u@h PRIVMSG #c :hi",                               "network",  "n"             },
	{"a boolean",          "privmsg",       ":bob!u@h PRIVMSG #c :hi",                               "mine",     "false"         },
	{"a list",             "*",             ":bob!u@h PRIVMSG #c :hi you",                           "params",   "#c\nhi you"    },
	{"changes of modes",   "channelmode",   ":bob!u@h MODE #c +o-v+m al bo",                         "changes",
         "+o al\n-v bo\n+m"													  },
	{"tags",               "privmsg",       "@a=b\\sc;d :bob!u@h PRIVMSG #c :hi",                    "tags",     "a=b\\sc\nd"    },
	{"a tag's value",      "privmsg",       "@account=b\\sc :bob!u@h PRIVMSG #c :x",                 "account",  "b c"           },
	{"the server's time",  "privmsg",       "@time=2020-01-02T03:04:05.678Z :bob!u@h PRIVMSG #c :x",
         "time",												     "1577934245.678"},
	{"any case of a name", "PrivMsg",       ":bob!u@h PRIVMSG #c :hi",                               "nick",     "bob"           },
	{"a numeric",          "rpl_whoisuser", ":srv 311 ebb bob u h * :Bob B",                         "message",  "Bob B"         },
	{"a command unknown",  "fancy",         ":srv FANCY a :b c",                                     "params",   "a\nb c"        },
};

static void has_field(void **state)
{
	const struct field *row = *state;
	struct ebb *e = make_connected();
	char line[512];
	asked = row->field;
	assert_non_null(ebb_on(e, row->event, on_field, NULL));

	snprintf(line, sizeof(line), "%s\r\n", row->line);
	say(line);
	until(notes.text.n);
	snprintf(line, sizeof(line), "%s\n", row->text);
	expect_notes(line);
	ebb_free(e);
}

/* name; the field; its text */
static const struct triggered {
	const char *name, *field, *text;
} triggered[] = {
	{"a script's text",         "what",   "goal\n"    },
	{"a script's whole number", "count",  "42\n"      },
	{"a script's fraction",     "ratio",  "-1.25\n"   },
	{"a script's boolean",      "is_new", "true\n"    },
	{"a script's table",        "score",  "(absent)\n"},
};

static void what_a_script_triggers_is_heard_with_its_fields(void **state)
{
	const struct triggered *row = *state;
	struct ebb *e = make(loop);
	ok(e, ebb_script(e, "s", NULL,
		      "on('client_connect', function()\n"
		      "  trigger('news', { what = 'goal', count = 42, ratio = -1.25, is_new = true,\n"
		      "    score = { 1, 0 } })\n"
		      "end)"));
	ebb_on(e, "news", on_field, NULL);
	ok(e, ebb_start(e));

	asked = row->field;
	until(notes.text.n);

	expect_notes(row->text);
	ebb_free(e);
}

static void on_nul(struct ebb *e, const struct ebb_event *ev, void *data)
{
	size_t n;
	(void)e, (void)data;
	const char *text = ebb_event_field(ev, "what", &n);
	assert_int_equal(n, 3);
	assert_memory_equal(text, "a\0b", 4);
	assert_null(ev->network);
	note(ev->name);
}

static void a_field_may_hold_a_nul_and_ends_in_one(void **state)
{
	(void)state;
	struct ebb *e = make(loop);
	ok(e, ebb_script(e, "s", NULL, "trigger('nul', { what = 'a\\0b' })"));
	ebb_on(e, "nul", on_nul, NULL);

	ok(e, ebb_start(e));
	until(notes.text.n);

	expect_notes("nul\n");
	ebb_free(e);
}

static void our_own_talk_and_what_is_replayed_is_not_told(void **state)
{
	(void)state;
	struct ebb *e = make_connected();
	ebb_on(e, "*", on_name, NULL);

	say(":ebb!u@h PRIVMSG #c :mine\r\n:ebb!u@h JOIN #c\r\n:bob!u@h NOTICE #c :x\r\n");
	until(strstr(buf_str(&notes.text).p, "notice"));

	expect_notes("join\nnotice\n");
	ebb_free(e);
}

static void off_in_event(struct ebb *e, const struct ebb_event *ev, void *data)
{
	(void)e, (void)ev;
	note(data);
	ebb_off(notes.handler);
	notes.handler = NULL;
}

static void on_in_event(struct ebb *e, const struct ebb_event *ev, void *data)
{
	(void)ev, (void)data;
	hear(e, "privmsg", on_name, "new");
}

static void handlers_are_told_in_order_until_they_are_off(void **state)
{
	(void)state;
	struct ebb *e = make_connected();
	struct ebb_handler *first = hear(e, "privmsg", on_name, "first");
	hear(e, "privmsg", off_in_event, "second");
	notes.handler = hear(e, "privmsg", on_name, "third");
	hear(e, "privmsg", on_name, "last");

	say(":bob!u@h PRIVMSG #c :x\r\n");
	until(strstr(buf_str(&notes.text).p, "last"));
	expect_notes("first\nsecond\nlast\n");

	ebb_off(first);
	ebb_off(NULL);
	say(":bob!u@h PRIVMSG #c :x\r\n");
	until(strstr(buf_str(&notes.text).p, "last"));
	expect_notes("second\nlast\n");
	ebb_free(e);
}

static void a_handler_turns_itself_off(void **state)
{
	(void)state;
	struct ebb *e = make_connected();
	notes.handler = hear(e, "privmsg", off_in_event, "once");
	hear(e, "privmsg", on_name, "each");

	say(":bob!u@h PRIVMSG #c :x\r\n:bob!u@h PRIVMSG #c :x\r\n");
	until(strstr(buf_str(&notes.text).p, "each\neach"));

	expect_notes("once\neach\neach\n");
	ebb_free(e);
}

static void who_comes_while_an_event_is_told_hears_the_next(void **state)
{
	(void)state;
	struct ebb *e = make_connected();
	struct ebb_handler *maker = ebb_on(e, "privmsg", on_in_event, NULL);
	hear(e, "privmsg", on_name, "old");

	say(":bob!u@h PRIVMSG #c :x\r\n");
	until(notes.text.n);
	expect_notes("old\n");
	ebb_off(maker);
	say(":bob!u@h PRIVMSG #c :x\r\n");
	until(strstr(buf_str(&notes.text).p, "new"));
	expect_notes("old\nnew\n");
	ebb_free(e);
}

static void c_hears_before_scripts_and_after_their_filters(void **state)
{
	(void)state;
	struct ebb *e = make(loop);
	ok(e, ebb_script(e, "s", trusted,
		      "on('privmsg', function() trigger('script') end)\n"
		      "network('n'):filter_in(function(line, next) next((line:gsub('bad', 'good'))) end)"));
	ebb_on(e, "client_connect", on_name, NULL);
	ebb_on(e, "privmsg", on_message, NULL);
	ebb_on(e, "script", on_name, NULL);
	ok(e, ebb_start(e));
	until(is_up());
	buf_reset(&notes.text);

	say(":bob!u@h PRIVMSG #c :bad\r\n");
	until(strstr(buf_str(&notes.text).p, "script"));

	expect_notes("good\nscript\n");
	ebb_free(e);
}

static void a_name_that_no_event_can_have_is_refused(void **state)
{
	(void)state;
	char name[1000];
	struct ebb *e = ebb_new(loop);
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_null(ebb_on(e, name, on_name, NULL));
	assert_string_equal(ebb_error_kind(e), "limit");
	ebb_free(e);
}

/* Sending. */

static int send_text(struct ebb *e)
{
	return ebb_send(e, "n", "PRIVMSG", "target", "#c", "message", "hi you", NULL);
}

static int send_without(struct ebb *e)
{
	return ebb_send(e, "n", "part", "channel", "#c", "message", NULL, NULL);
}

static int send_list(struct ebb *e)
{
	return ebb_send(e, "n", "KICK", "channel", "#c", "nick", "al\nbo", "message", "x", NULL);
}

static int send_line(struct ebb *e)
{
	return ebb_send_line(e, "n", "WHO #c o");
}

static int send_break(struct ebb *e)
{
	return ebb_send(e, "n", "PRIVMSG", "target", "#c", "message", "a\r\nQUIT", NULL);
}

static int send_line_break(struct ebb *e)
{
	return ebb_send_line(e, "n", "PRIVMSG #c :a\r\nQUIT");
}

static int send_unknown(struct ebb *e)
{
	return ebb_send(e, "n", "PRIVMSG", "colour", "red", NULL);
}

static int send_nowhere(struct ebb *e)
{
	return ebb_send_line(e, "other", "WHO #c");
}

static int send_to_none(struct ebb *e)
{
	return ebb_send(e, NULL, "PRIVMSG", "target", "#c", "message", "hi", NULL);
}

static int send_much(struct ebb *e)
{
	int r = 0;
	for (int i = 0; i < 100000 && r == 0; i++)
		r = send_text(e);
	return r;
}

static int send_long(struct ebb *e)
{
	char line[2000] = "PRIVMSG #c :";
	memset(line + strlen(line), 'x', sizeof(line) - strlen(line) - 1);
	line[sizeof(line) - 1] = '\0';
	return ebb_send_line(e, "n", line);
}

static const struct sent {
	const char *name;
	int (*run)(struct ebb *e);
	const char *line, *kind; /* one of these */
} sents[] = {
	{"a text with spaces",            send_text,       "PRIVMSG #c :hi you\r\n", NULL     },
	{"a parameter left out",          send_without,    "PART #c\r\n",            NULL     },
	{"a list",			send_list,       "KICK #c al,bo :x\r\n",   NULL     },
	{"a line as it is",               send_line,       "WHO #c o\r\n",           NULL     },
	{"a line break in a parameter",   send_break,      NULL,                     "invalid"},
	{"a line break in a line",        send_line_break, NULL,                     "invalid"},
	{"a parameter that there is not", send_unknown,    NULL,                     "invalid"},
	{"a network that there is not",   send_nowhere,    NULL,                     "invalid"},
	{"no network",                    send_to_none,    NULL,                     "invalid"},
	{"more than the queue takes",     send_much,       NULL,                     "again"  },
	{"a line that is too long",       send_long,       NULL,                     "limit"  },
};

static void is_sent(void **state)
{
	const struct sent *row = *state;
	struct ebb *e = make_connected();
	int r = row->run(e);
	if (row->line) {
		ok(e, r);
		until(has_heard(row->line));
	} else {
		assert_true(r < 0);
		assert_string_equal(ebb_error_kind(e), row->kind);
	}
	ebb_free(e);
}

static void nothing_is_sent_without_a_connection(void **state)
{
	(void)state;
	struct ebb *e = make(loop);
	ok(e, ebb_start(e));
	assert_true(send_text(e) < 0);
	assert_string_equal(ebb_error_kind(e), "disconnected");
	ebb_free(e);
}

static void answer(struct ebb *e, const struct ebb_event *ev, void *data)
{
	(void)data;
	ok(e, ebb_send(e, ev->network, "NOTICE", "target", ebb_event_field(ev, "nick", NULL),
		      "message", ebb_event_field(ev, "message", NULL), NULL));
}

static void a_handler_answers_and_filters_see_it(void **state)
{
	(void)state;
	struct ebb *e = make(loop);
	ok(e, ebb_script(e, "s", trusted,
		      "network('n'):filter_out(function(line, next) next((line:gsub('bad', 'good'))) end)"));
	ebb_on(e, "client_connect", on_name, NULL);
	ebb_on(e, "privmsg", answer, NULL);
	ok(e, ebb_start(e));
	until(is_up());

	say(":bob!u@h PRIVMSG #c :bad day\r\n");
	until(has_heard("NOTICE bob :good day\r\n"));

	stop_and_free(e);
}

/* The log. */

static void on_log(enum ebb_level level, const char *text, size_t n, void *data)
{
	assert_int_equal(strlen(text), n);
	if (level == EBB_INFO && strstr(text, "script s: "))
		note(data);
}

static void the_log_goes_where_the_program_says(void **state)
{
	(void)state;
	static char told[] = "told";
	struct ebb *e = make(loop);
	ok(e, ebb_script(e, "s", NULL, "log('hello') log.debug('not told')"));
	ebb_log(EBB_INFO, on_log, told);

	ok(e, ebb_start(e));
	ebb_log(EBB_ERROR, NULL, NULL);

	assert_non_null(strstr(buf_str(&notes.text).p, "told\n"));
	ebb_free(e);
}

int main(void)
{
	char folder[] = "/tmp/ebb-test-embed-XXXXXX";
	static const char *const files[] = {"wrong.ini", "ca.pem", "ebb.ini", "file.lua"};
	struct check c = {0};
	if (!mkdtemp(folder) || chdir(folder) < 0)
		abort();
	ebb_log(EBB_ERROR, NULL, NULL);
	check_test(&c, one_that_never_started_is_freed);
	check_test(&c, it_is_made_run_and_freed_twice_on_one_loop);
	check_test(&c, it_is_dropped_at_any_time);
	check_test(&c, stop_comes_before_start_and_then_there_is_none);
	check_test(&c, it_is_freed_within_the_call_that_says_it_stopped);
	check_test(&c, it_is_freed_within_a_handler_and_no_other_hears_of_it);
	check_test(&c, it_is_freed_while_ebb_run_runs_it);
	check_test(&c, ebb_run_returns_when_a_handler_had_it_stopped);
	check_test(&c, two_on_one_loop_know_nothing_of_each_other);
	check_test(&c, two_run_on_two_loops_of_a_thread);
	check_test(&c, the_signals_of_the_program_stay_its_own);
	check_rows(&c, refusals, is_refused);
	check_test(&c, what_was_refused_leaves_the_rest_as_it_was);
	check_test(&c, a_file_is_loaded_and_added_to);
	check_test(&c, a_script_that_fails_does_not_keep_it_from_starting);
	check_rows(&c, fields, has_field);
	check_rows(&c, triggered, what_a_script_triggers_is_heard_with_its_fields);
	check_test(&c, a_field_may_hold_a_nul_and_ends_in_one);
	check_test(&c, our_own_talk_and_what_is_replayed_is_not_told);
	check_test(&c, handlers_are_told_in_order_until_they_are_off);
	check_test(&c, a_handler_turns_itself_off);
	check_test(&c, who_comes_while_an_event_is_told_hears_the_next);
	check_test(&c, c_hears_before_scripts_and_after_their_filters);
	check_test(&c, a_name_that_no_event_can_have_is_refused);
	check_rows(&c, sents, is_sent);
	check_test(&c, nothing_is_sent_without_a_connection);
	check_test(&c, a_handler_answers_and_filters_see_it);
	check_test(&c, the_log_goes_where_the_program_says);
	for (size_t i = 0; i < c.n; i++) {
		c.tests[i].setup_func = begin_notes;
		c.tests[i].teardown_func = end_notes;
	}
	int status = check_run(&c, "embed");
	for (size_t i = 0; i < COUNTOF(files); i++)
		unlink(files[i]);
	if (chdir("/") < 0 || rmdir(folder) < 0)
		abort();
	return status;
}
