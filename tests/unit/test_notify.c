#include "daemon/notify.h"

#include "base/log.h"
#include "support/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define START_NS (1000 * NS_PER_S)

/* The service manager's end, and what was logged. */
static struct manager {
	char folder[32], socket[64]; /* as $NOTIFY_SOCKET has it */
	int fd;
} manager;

static struct virtual_clock virtual;
static struct loop loop;
static struct notify notify;
static char logged[256];

static void on_log(enum log_level level, struct str text, void *data)
{
	(void)level;
	(void)data;
	snprintf(logged + strlen(logged), sizeof(logged) - strlen(logged), "%" STR_F "\n",
		STR_A(text));
}

static void bind_manager(void)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	size_t n = strlen(manager.socket);
	memcpy(sa.sun_path, manager.socket, n);
	if (sa.sun_path[0] == '@')
		sa.sun_path[0] = '\0';
	manager.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(manager.fd >= 0);
	assert_int_equal(bind(manager.fd, (struct sockaddr *)&sa,
				 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)),
		0);
	setenv("NOTIFY_SOCKET", manager.socket, 1);
}

static int start(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	logged[0] = '\0';
	log_set_sink(on_log, NULL);
	strcpy(manager.folder, "/tmp/test_notify.XXXXXX");
	assert_non_null(mkdtemp(manager.folder));
	snprintf(manager.socket, sizeof(manager.socket), "%s/notify", manager.folder);
	manager.fd = -1;
	virtual_clock_init(&virtual, START_NS, 0);
	loop_init(&loop, ev_loop_new(EVFLAG_AUTO), &virtual.clock);
	return 0;
}

static int end(void **state)
{
	(void)state;
	struct ev_loop *ev = loop.ev;
	notify_fini(&notify);
	loop_fini(&loop);
	ev_loop_destroy(ev);
	if (manager.fd >= 0)
		close(manager.fd);
	unlink(manager.socket);
	assert_int_equal(rmdir(manager.folder), 0);
	log_set_sink(NULL, NULL);
	return 0;
}

/* The next message, or "" where there is none. */
static const char *received(void)
{
	static char message[2048];
	ssize_t n = recv(manager.fd, message, sizeof(message) - 1, 0);
	assert_true(n >= 0 || errno == EAGAIN);
	message[n < 0 ? 0 : n] = '\0';
	return message;
}

static void stop_loop(struct timer *t)
{
	(void)t;
	loop_stop(&loop);
}

static void pass(int64_t ns)
{
	struct timer over = {.fire = stop_loop};
	timers_after(&loop.timers, &over, ns);
	loop_run(&loop);
}

/* What is told. */

static void tell_reloading_and_ready(struct notify *n)
{
	notify_reloading(n);
	notify_ready(n);
}

static void tell_two_statuses(struct notify *n)
{
	notify_status(n, "one");
	notify_status(n, "two");
}

static void tell_one_status_twice(struct notify *n)
{
	notify_status(n, "one");
	notify_status(n, "one");
}

static void tell_a_status_again(struct notify *n)
{
	notify_status(n, "one");
	notify_status(n, "two");
	notify_status(n, "one");
}

static void tell_two_lines(struct notify *n)
{
	notify_status(n, "one\nMAINPID=1");
}

static void tell_an_empty_status(struct notify *n)
{
	notify_status(n, "");
}

static void tell_nothing(struct notify *n)
{
	(void)n;
}

static const struct message {
	const char *name;
	void (*tell)(struct notify *n);
	const char *messages[4];
} messages[] = {
	{"nothing by itself",     tell_nothing,             {NULL}                                    },
	{"ready",                 notify_ready,             {"READY=1"}                               },
	{"stopping",              notify_stopping,          {"STOPPING=1"}                            },
	{"reloading, then ready", tell_reloading_and_ready,
         {"RELOADING=1\nMONOTONIC_USEC=1000000000", "READY=1"}                                        },
	{"each new status",       tell_two_statuses,        {"STATUS=one", "STATUS=two"}              },
	{"the same status once",  tell_one_status_twice,    {"STATUS=one"}                            },
	{"an old status again",   tell_a_status_again,      {"STATUS=one", "STATUS=two", "STATUS=one"}},
	{"no line but the first", tell_two_lines,           {"STATUS=one"}                            },
	{"a status without text", tell_an_empty_status,     {"STATUS="}                               },
};

static void expect(const char *const *expected)
{
	for (; *expected; expected++)
		assert_string_equal(received(), *expected);
	assert_string_equal(received(), "");
	assert_string_equal(logged, "");
}

static void is_told(void **state)
{
	const struct message *m = *state;
	bind_manager();
	notify_init(&notify, &loop);

	m->tell(&notify);

	expect(m->messages);
}

static void an_abstract_socket_is_found(void **state)
{
	(void)state;
	snprintf(manager.socket, sizeof(manager.socket), "@test_notify.%d", (int)getpid());
	bind_manager();
	notify_init(&notify, &loop);

	notify_ready(&notify);

	assert_string_equal(received(), "READY=1");
}

static void tell_all(void)
{
	notify_ready(&notify);
	notify_reloading(&notify);
	notify_status(&notify, "fine");
	notify_stopping(&notify);
}

static void without_a_socket_nothing_happens(void **state)
{
	(void)state;
	setenv("WATCHDOG_USEC", "1000000", 1);
	notify_init(&notify, &loop);

	tell_all();
	pass(10 * NS_PER_S);

	assert_false(notify_is_heard(&notify));
	assert_false(timer_is_set(&notify.watchdog));
	assert_string_equal(logged, "");
}

static const struct bad_socket {
	const char *name, *value, *log;
} bad_sockets[] = {
	{"an empty address",              "",       ""					     },
	{"a relative path",               "notify", "notify: notify: not the address of a socket\n"},
	{"an abstract name of no length", "@",      "notify: @: not the address of a socket\n"     },
	{"a path alone",                  "/",      "notify: /: not the address of a socket\n"     },
};

static void is_no_address(void **state)
{
	const struct bad_socket *b = *state;
	setenv("NOTIFY_SOCKET", b->value, 1);
	notify_init(&notify, &loop);

	tell_all();

	assert_false(notify_is_heard(&notify));
	assert_string_equal(logged, b->log);
}

static void a_path_longer_than_an_address_is_refused(void **state)
{
	(void)state;
	char path[sizeof(notify.address.sun_path) + 1];
	memset(path, '/', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	setenv("NOTIFY_SOCKET", path, 1);

	notify_init(&notify, &loop);

	assert_false(notify_is_heard(&notify));
	assert_non_null(strstr(logged, "not the address of a socket"));
}

static void a_manager_that_is_gone_is_logged_once_and_found_again(void **state)
{
	(void)state;
	char expected[128];
	setenv("NOTIFY_SOCKET", manager.socket, 1);
	notify_init(&notify, &loop);

	tell_all();
	snprintf(expected, sizeof(expected), "notify: %s: No such file or directory\n",
		manager.socket);
	assert_string_equal(logged, expected);
	bind_manager();
	notify_status(&notify, "fine");

	assert_string_equal(received(), "STATUS=fine");
}

/* The watchdog. */

static void begin_watchdog(const char *usec, const char *pid)
{
	bind_manager();
	setenv("WATCHDOG_USEC", usec, 1);
	if (pid)
		setenv("WATCHDOG_PID", pid, 1);
	notify_init(&notify, &loop);
}

static void the_watchdog_is_told_at_half_of_its_time(void **state)
{
	(void)state;
	begin_watchdog("30000000", NULL);

	assert_int_equal(timers_next(&loop.timers), START_NS + 15 * NS_PER_S);
	pass(14 * NS_PER_S);
	assert_string_equal(received(), "");
	pass(2 * NS_PER_S);
	assert_string_equal(received(), "WATCHDOG=1");
	assert_string_equal(received(), "");
	pass(45 * NS_PER_S);

	expect((const char *[]){"WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1", NULL});
}

static void the_watchdog_hears_nothing_while_the_loop_does_not_turn(void **state)
{
	(void)state;
	begin_watchdog("30000000", NULL);

	virtual_clock_jump(&virtual, START_NS + 100 * NS_PER_S);

	assert_string_equal(received(), "");
}

static void the_watchdog_of_our_process_is_ours(void **state)
{
	(void)state;
	char pid[16];
	snprintf(pid, sizeof(pid), "%d", (int)getpid());

	begin_watchdog("30000000", pid);

	assert_true(timer_is_set(&notify.watchdog));
}

static const struct no_watchdog {
	const char *name, *usec, *pid;
} no_watchdogs[] = {
	{"that of another process",      "30000000",             "1" },
	{"that of no process",           "30000000",             "x" },
	{"one without a time",           "",                     NULL},
	{"one of no time",               "0",                    NULL},
	{"one of words",                 "soon",                 NULL},
	{"one of more than time can be", "18446744073709551615", NULL},
};

static void is_no_watchdog(void **state)
{
	const struct no_watchdog *w = *state;
	begin_watchdog(w->usec, w->pid);

	pass(100 * NS_PER_S);

	assert_string_equal(received(), "");
}

static void fini_accepts_zeroed_memory(void **state)
{
	(void)state;
	struct notify zeroed = {0};
	notify_fini(&zeroed);
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, messages, is_told);
	check_test(&c, an_abstract_socket_is_found);
	check_test(&c, without_a_socket_nothing_happens);
	check_rows(&c, bad_sockets, is_no_address);
	check_test(&c, a_path_longer_than_an_address_is_refused);
	check_test(&c, a_manager_that_is_gone_is_logged_once_and_found_again);
	check_test(&c, the_watchdog_is_told_at_half_of_its_time);
	check_test(&c, the_watchdog_hears_nothing_while_the_loop_does_not_turn);
	check_test(&c, the_watchdog_of_our_process_is_ours);
	check_rows(&c, no_watchdogs, is_no_watchdog);
	check_test(&c, fini_accepts_zeroed_memory);
	for (size_t i = 0; i < c.n; i++) {
		c.tests[i].setup_func = start;
		c.tests[i].teardown_func = end;
	}
	return check_run(&c, "notify");
}
