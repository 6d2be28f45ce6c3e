#include "daemon/control.h"

#include "base/log.h"
#include "base/mem.h"
#include "support/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LATE_MAX = 64, GOT_MAX_BYTES = 64 * 1024 * 1024, GROUP = 54321, STRANGER = 12345 };

/* A control in a folder of its own, with commands of the test's. */
struct bench {
	struct loop loop;
	struct control control;
	struct control_options options;
	char folder[32];
	char path[64];
	struct buf log;
	struct control_caller late[LATE_MAX]; /* who asked for an eval, which answers by hand */
	size_t n_late;
	size_t reply_bytes; /* of scripts */
};

static void run_now(void *data, struct control_caller caller, const struct wire_request *request)
{
	(void)data;
	(void)request;
	control_reply(caller, json_string("now"));
}

static void run_big(void *data, struct control_caller caller, const struct wire_request *request)
{
	(void)request;
	const struct bench *b = data;
	char *bytes = mem_new(b->reply_bytes);
	memset(bytes, 'x', b->reply_bytes);
	control_reply(caller, json_stringn(bytes, b->reply_bytes));
	free(bytes);
}

static void run_late(void *data, struct control_caller caller, const struct wire_request *request)
{
	struct bench *b = data;
	assert_non_null(wire_argument(request, "lua"));
	assert_true(b->n_late < LATE_MAX);
	b->late[b->n_late++] = caller;
}

static void run_fail(void *data, struct control_caller caller, const struct wire_request *request)
{
	(void)data;
	struct err err;
	err_set(&err, ERR_LIMIT, "%s: too much", wire_argument(request, "name"));
	control_fail(caller, &err);
	control_reply(caller, json_string("a second answer is dropped"));
}

static const struct control_command commands[] = {
	{"status",  run_now },
	{"scripts", run_big },
	{"eval",    run_late},
	{"load",    run_fail},
	{NULL,      NULL    },
};

static void note(enum log_level level, struct str text, void *data)
{
	struct bench *b = data;
	if (level < LOG_DEBUG)
		assert_int_equal(buf_addf(&b->log, "%" STR_F "\n", STR_A(text)), 0);
}

/* The rest of the set up, without an open control. */
static void begin_closed(struct bench *b)
{
	*b = (struct bench){.folder = "/tmp/ebb-control-XXXXXX"};
	assert_non_null(mkdtemp(b->folder));
	assert_int_equal(chmod(b->folder, 0755), 0);
	snprintf(b->path, sizeof(b->path), "%s/socket", b->folder);
	buf_init(&b->log, 1 << 20);
	log_set_sink(note, b);
	test_loop_init(&b->loop);
	b->options = (struct control_options){.path = b->path, .commands = commands, .data = b};
}

static void begin(struct bench *b)
{
	struct err err;
	begin_closed(b);
	assert_int_equal(control_open(&b->control, &b->loop, &b->options, &err), 0);
}

static void begin_with(struct bench *b, int64_t stall_ns, int64_t retry_ns)
{
	struct err err;
	begin_closed(b);
	b->options.stall_ns = stall_ns;
	b->options.retry_ns = retry_ns;
	assert_int_equal(control_open(&b->control, &b->loop, &b->options, &err), 0);
}

static void end(struct bench *b)
{
	char lock[80];
	control_close(&b->control);
	test_loop_fini(&b->loop);
	log_set_sink(NULL, NULL);
	buf_fini(&b->log);
	snprintf(lock, sizeof(lock), "%s.lock", b->path);
	unlink(lock);
	assert_int_equal(rmdir(b->folder), 0); /* nothing else was left in it */
}

static void expect_log(struct bench *b, const char *text)
{
	if (!strstr(buf_str(&b->log).p, text))
		print_error("not logged: %s\nbut: %s", text, buf_str(&b->log).p);
	assert_non_null(strstr(buf_str(&b->log).p, text));
}

/* A client on the same loop. */
struct client {
	struct bench *bench;
	int fd;
	struct buf got;
	bool is_eof;
};

static int connect_to(const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	memcpy(sa.sun_path, path, strlen(path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

static void come(struct client *k, struct bench *b)
{
	*k = (struct client){.bench = b, .fd = connect_to(b->path)};
	buf_init(&k->got, GOT_MAX_BYTES);
}

static void leave(struct client *k)
{
	if (k->fd >= 0)
		close(k->fd);
	k->fd = -1;
	buf_fini(&k->got);
}

static void hear(struct client *k)
{
	char *room = buf_reserve(&k->got, 1 << 16);
	assert_non_null(room);
	ssize_t n = recv(k->fd, room, 1 << 16, 0);
	if (n > 0)
		buf_commit(&k->got, (size_t)n);
	k->is_eof |= n == 0 || (n < 0 && errno != EAGAIN);
}

static bool has_line(struct client *k)
{
	hear(k);
	return str_has(buf_str(&k->got), '\n');
}

static bool has_ended(struct client *k)
{
	hear(k);
	return k->is_eof;
}

/* All of it, while the loop turns, as far as the other end takes it. */
static void say(struct client *k, struct str bytes)
{
	while (bytes.n) {
		ssize_t n = send(k->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN)
			return;
		bytes = str_skip(bytes, n > 0 ? (size_t)n : 0);
		ev_run(k->bench->loop.ev, EVRUN_NOWAIT);
	}
}

/* The next line. Quotes in the tests' JSON are single ones. */
static void expect(struct client *k, const char *expected)
{
	run_until(&k->bench->loop, has_line(k) || k->is_eof);
	struct str rest = buf_str(&k->got);
	char *line = str_dup(str_cut(&rest, '\n'));
	for (char *c = line; *c; c++)
		*c = *c == '"' ? '\'' : *c;
	assert_string_equal(line, expected);
	buf_consume(&k->got, k->got.n - rest.n);
	free(line);
}

static void ask(struct client *k, const char *line)
{
	char *text = str_dup(str_of(line));
	for (char *c = text; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	say(k, str_of(text));
	say(k, STR("\n"));
	free(text);
}

#define STATUS "{'id':7,'command':'status'}"
#define NOW    "{'id':7,'ok':true,'result':'now'}"
#define EVAL   "{'id':'e','command':'eval','script':'a','lua':'hunter2'}"

static const struct exchange_row {
	const char *name, *request, *reply;
} exchange_rows[] = {
	{"ask: at once",             STATUS,				     NOW							},
	{"ask: an id of letters",    "{'id':'a b','command':'status'}",
         "{'id':'a b','ok':true,'result':'now'}"											    },
	{"ask: what fails",          "{'id':1,'command':'load','name':'karma'}",
         "{'id':1,'ok':false,'error':'karma: too much','kind':'limit'}"                                                                     },
	{"ask: not JSON",            "reload karma",
         "{'ok':false,'error':'not JSON: column 6: invalid token near 'reload'',"
		"'kind':'invalid'}"													 },
	{"ask: an empty line",       "",
         "{'ok':false,'error':'not JSON: column 0: unexpected token near end of file',"
		"'kind':'invalid'}"													 },
	{"ask: not an object",       "[1]",				      "{'ok':false,'error':'not a JSON object','kind':'invalid'}"},
	{"ask: no id",               "{'command':'status'}",
         "{'ok':false,'error':'id: is missing','kind':'invalid'}"									   },
	{"ask: no command",          "{'id':7}",
         "{'id':7,'ok':false,'error':'command: is missing','kind':'invalid'}"                                                               },
	{"ask: a mistyped command",  "{'id':7,'command':'statsu'}",
         "{'id':7,'ok':false,'error':'statsu: there is no such command; do you mean status?',"
		"'kind':'invalid'}"													 },
	{"ask: an unknown command",  "{'id':7,'command':'frobnicate'}",
         "{'id':7,'ok':false,'error':'frobnicate: there is no such command',"
		"'kind':'invalid'}"													 },
	{"ask: what only others do", "{'id':7,'command':'shutdown'}",
         "{'id':7,'ok':false,'error':'shutdown: there is no such command','kind':'invalid'}"                                                },
	{"ask: a member is missing", "{'id':7,'command':'load'}",
         "{'id':7,'ok':false,'error':'load: name: is missing','kind':'invalid'}"                                                            },
	{"ask: a member of 7",       "{'id':7,'command':'load','name':7}",
         "{'id':7,'ok':false,'error':'load: name: is not a string','kind':'invalid'}"                                                       },
	{"ask: an unknown member",   "{'id':7,'command':'status','all':true}",
         "{'id':7,'ok':false,'error':'status: all: there is no such member',"
		"'kind':'invalid'}"													 },
};

static void request_is_answered_and_the_connection_stays(void **state)
{
	const struct exchange_row *row = *state;
	struct bench b;
	struct client k;
	begin(&b);
	come(&k, &b);

	ask(&k, row->request);
	expect(&k, row->reply);
	ask(&k, STATUS);
	expect(&k, NOW);

	leave(&k);
	end(&b);
}

static void a_word_of_a_megabyte_is_refused_at_once(void **state)
{
	(void)state;
	struct bench b;
	struct client k;
	begin(&b);
	come(&k, &b);
	enum { LONG = 1000000 };
	char *word = mem_new(LONG + 1);
	memset(word, 'x', LONG);

	say(&k, STR("{\"id\":7,\"command\":\""));
	say(&k, str_of(word));
	say(&k, STR("\"}\n"));

	run_until(&b.loop, has_line(&k));
	assert_true(k.got.n < 200);
	free(word);
	leave(&k);
	end(&b);
}

static void requests_come_in_pieces_and_several_at_once(void **state)
{
	(void)state;
	struct bench b;
	struct client k;
	begin(&b);
	come(&k, &b);

	for (const char *p = "{\"id\":7,\"command\":\"status\"}\n"; *p; p++) {
		say(&k, (struct str){p, 1});
		run_idle(&b.loop);
	}
	expect(&k, NOW);
	say(&k, STR("{\"id\":1,\"command\":\"status\"}\n{\"id\":2,\"command\":\"status\"}\n{\"id\""));
	expect(&k, "{'id':1,'ok':true,'result':'now'}");
	expect(&k, "{'id':2,'ok':true,'result':'now'}");
	say(&k, STR(":3,\"command\":\"status\"}\n"));
	expect(&k, "{'id':3,'ok':true,'result':'now'}");

	leave(&k);
	end(&b);
}

/* A request of so many bytes, without its newline. */
static void say_long(struct client *k, size_t n)
{
	static const struct str head = STR_CONST("{\"id\":7,\"command\":\"status\"}");
	char *line = mem_new(n + 1);
	memset(line, ' ', n);
	memcpy(line, head.p, head.n);
	say(k, (struct str){line, n});
	free(line);
}

static void a_line_may_be_as_long_as_the_limit(void **state)
{
	(void)state;
	struct bench b;
	struct client k;
	begin(&b);
	come(&k, &b);

	say_long(&k, WIRE_REQUEST_MAX_BYTES);
	say(&k, STR("\n"));

	expect(&k, NOW);
	leave(&k);
	end(&b);
}

static const struct long_row {
	const char *name;
	size_t bytes;
	const char *rest;
} long_rows[] = {
	{"too long: by one, with its end", WIRE_REQUEST_MAX_BYTES + 1,     "\n"},
	{"too long: by one, unfinished",   WIRE_REQUEST_MAX_BYTES + 1,     ""  },
	{"too long: by far",               WIRE_REQUEST_MAX_BYTES * 3 + 7, "\n"},
};

static void line_too_long_is_told_and_ends_the_connection(void **state)
{
	const struct long_row *row = *state;
	struct bench b;
	struct client k;
	begin(&b);
	come(&k, &b);

	say_long(&k, row->bytes);
	say(&k, str_of(row->rest));

	expect(&k, "{'ok':false,'error':'a request is longer than 1048576 bytes','kind':'limit'}");
	run_until(&b.loop, has_ended(&k));
	assert_int_equal(b.control.n_clients, 0);
	leave(&k);
	end(&b);
}

static void an_answer_may_come_late_and_in_another_order(void **state)
{
	(void)state;
	struct bench b;
	struct client k;
	begin(&b);
	come(&k, &b);
	ask(&k, "{'id':1,'command':'eval','script':'a','lua':''}");
	ask(&k, "{'id':2,'command':'eval','script':'a','lua':''}");
	run_until(&b.loop, b.n_late == 2);
	ask(&k, STATUS);
	expect(&k, NOW);

	assert_true(control_waits(b.late[1]));
	control_reply(b.late[1], NULL);
	assert_false(control_waits(b.late[1]));
	expect(&k, "{'id':2,'ok':true,'result':{}}");
	control_reply(b.late[0], json_string("first"));
	expect(&k, "{'id':1,'ok':true,'result':'first'}");

	leave(&k);
	end(&b);
}

static void a_caller_that_is_gone_is_nobody(void **state)
{
	(void)state;
	struct bench b;
	struct client k, other;
	struct err err;
	begin(&b);
	come(&k, &b);
	ask(&k, EVAL);
	ask(&k, EVAL);
	run_until(&b.loop, b.n_late == 2);

	leave(&k);
	run_until(&b.loop, b.control.n_clients == 0);
	come(&other, &b); /* takes the place */
	ask(&other, EVAL);
	run_until(&b.loop, b.n_late == 3);

	assert_false(control_waits(b.late[0]));
	control_reply(b.late[0], json_string("for nobody"));
	err_set(&err, ERR_INVALID, "for nobody");
	control_fail(b.late[1], &err);
	control_reply(b.late[2], json_string("for the other"));
	expect(&other, "{'id':'e','ok':true,'result':'for the other'}");
	leave(&other);
	end(&b);
}

static void after_the_control_is_closed_callers_are_nobody(void **state)
{
	(void)state;
	struct bench b;
	struct client k;
	begin(&b);
	come(&k, &b);
	ask(&k, EVAL);
	run_until(&b.loop, b.n_late == 1);

	control_close(&b.control);

	assert_false(control_waits(b.late[0]));
	control_reply(b.late[0], json_string("for nobody"));
	run_until(&b.loop, has_ended(&k));
	leave(&k);
	end(&b);
}

static void what_is_answered_is_written_before_the_control_closes(void **state)
{
	(void)state;
	struct bench b;
	struct client k;
	begin(&b);
	come(&k, &b);
	ask(&k, EVAL);
	run_until(&b.loop, b.n_late == 1);

	control_reply(b.late[0], json_string("farewell"));
	control_close(&b.control);

	expect(&k, "{'id':'e','ok':true,'result':'farewell'}");
	leave(&k);
	end(&b);
}

static void who_has_said_all_still_gets_its_replies(void **state)
{
	(void)state;
	struct bench b;
	struct client k;
	begin(&b);
	come(&k, &b);
	ask(&k, EVAL);
	ask(&k, STATUS);
	assert_int_equal(shutdown(k.fd, SHUT_WR), 0);
	expect(&k, NOW);
	run_idle(&b.loop);
	assert_int_equal(b.n_late, 1);

	control_reply(b.late[0], json_string("late"));

	expect(&k, "{'id':'e','ok':true,'result':'late'}");
	run_until(&b.loop, has_ended(&k));
	leave(&k);
	end(&b);
}

/* Nothing is read of it, so nothing is ready when it goes. */
static void who_goes_after_it_has_said_all_is_noticed(void **state)
{
	(void)state;
	struct bench b;
	struct client k;
	begin(&b);
	come(&k, &b);
	ask(&k, EVAL);
	assert_int_equal(shutdown(k.fd, SHUT_WR), 0);
	run_until(&b.loop, b.n_late == 1);
	run_idle(&b.loop);
	assert_true(control_waits(b.late[0]));

	leave(&k);

	run_until(&b.loop, b.control.n_clients == 0);
	assert_false(control_waits(b.late[0]));
	end(&b);
}

static void requests_beyond_those_under_way_wait(void **state)
{
	(void)state;
	struct bench b;
	struct client k;
	begin(&b);
	come(&k, &b);
	for (int i = 0; i < CONTROL_CALLS_MAX + 5; i++)
		ask(&k, EVAL);
	run_until(&b.loop, b.n_late == CONTROL_CALLS_MAX);
	run_idle(&b.loop);
	assert_int_equal(b.n_late, CONTROL_CALLS_MAX);

	control_reply(b.late[0], NULL);
	control_reply(b.late[1], NULL);

	run_until(&b.loop, b.n_late == CONTROL_CALLS_MAX + 2);
	for (size_t i = 2; i < b.n_late; i++) {
		control_reply(b.late[i], NULL);
		run_idle(&b.loop);
	}
	assert_int_equal(b.n_late, CONTROL_CALLS_MAX + 5);
	for (int i = 0; i < CONTROL_CALLS_MAX + 5; i++)
		expect(&k, "{'id':'e','ok':true,'result':{}}");
	leave(&k);
	end(&b);
}

static void who_asks_for_much_and_reads_it_later_gets_all(void **state)
{
	(void)state;
	struct bench b;
	struct client k;
	begin(&b);
	come(&k, &b);
	b.reply_bytes = 300000;
	enum { REQUESTS = 100 }; /* for more than the buffer holds */

	for (int i = 0; i < REQUESTS; i++)
		ask(&k, "{'id':1,'command':'scripts'}");
	run_idle(&b.loop);

	for (int i = 0; i < REQUESTS; i++) {
		run_until(&b.loop, has_line(&k));
		size_t n = str_find(buf_str(&k.got), '\n');
		assert_true(n > b.reply_bytes);
		buf_consume(&k.got, n + 1);
	}
	assert_int_equal(k.got.n, 0);
	leave(&k);
	end(&b);
}

/* Each reply is more than may wait, and less than the socket takes. */
static void what_was_asked_for_before_the_end_is_all_answered(void **state)
{
	(void)state;
	struct bench b;
	struct client k;
	begin(&b);
	come(&k, &b);
	b.reply_bytes = 100000;
	static const char three[] = "{\"id\":1,\"command\":\"scripts\"}\n"
				    "{\"id\":2,\"command\":\"scripts\"}\n"
				    "{\"id\":3,\"command\":\"scripts\"}\n";

	assert_int_equal(send(k.fd, three, strlen(three), MSG_NOSIGNAL), strlen(three));
	assert_int_equal(shutdown(k.fd, SHUT_WR), 0);

	run_until(&b.loop, has_ended(&k));
	assert_true(k.got.n > 3 * b.reply_bytes);
	leave(&k);
	end(&b);
}

static void others_have_their_turn_between_many_requests(void **state)
{
	(void)state;
	struct bench b;
	struct client k, other;
	struct buf many;
	enum { REQUESTS = 2000 };
	begin(&b);
	come(&k, &b);
	come(&other, &b);
	run_until(&b.loop, b.control.n_clients == 2);
	buf_init(&many, 1 << 20);
	for (int i = 0; i < REQUESTS; i++)
		assert_int_equal(buf_add(&many, STR("{\"id\":1,\"command\":\"status\"}\n")), 0);

	assert_int_equal(send(k.fd, buf_str(&many).p, many.n, MSG_NOSIGNAL), many.n);
	assert_int_equal(shutdown(k.fd, SHUT_WR), 0);
	ask(&other, STATUS);
	expect(&other, NOW);

	hear(&k);
	assert_true(k.got.n < REQUESTS * sizeof("{\"id\":1,\"ok\":true,\"result\":\"now\"}") / 2);
	for (int i = 0; i < REQUESTS; i++)
		expect(&k, "{'id':1,'ok':true,'result':'now'}");
	run_until(&b.loop, has_ended(&k));
	buf_fini(&many);
	leave(&other);
	leave(&k);
	end(&b);
}

static void who_does_not_read_is_dropped_and_not_waited_for(void **state)
{
	(void)state;
	struct bench b;
	struct client deaf, other;
	begin_with(&b, 50 * NS_PER_MS, 0);
	come(&deaf, &b);
	come(&other, &b);
	b.reply_bytes = 4000000;
	ask(&deaf, "{'id':1,'command':'scripts'}");
	ask(&other, STATUS);
	expect(&other, NOW);

	run_until(&b.loop, b.control.n_clients == 1);

	expect_log(&b, "is dropped: it does not read its replies");
	ask(&other, STATUS);
	expect(&other, NOW);
	leave(&deaf);
	leave(&other);
	end(&b);
}

static void pass(int64_t ns)
{
	int64_t end_ns = clock_mono_ns(&clock_system) + ns;
	while (clock_mono_ns(&clock_system) < end_ns)
		usleep(1000);
}

/* Each time it reads within the time that it has, which passes while the loop is elsewhere. */
static void who_reads_slowly_is_not_dropped(void **state)
{
	(void)state;
	struct bench b;
	struct client k;
	begin_with(&b, 20 * NS_PER_MS, 0);
	come(&k, &b);
	b.reply_bytes = 4000000;
	ask(&k, "{'id':1,'command':'scripts'}");
	run_until(&b.loop, (hear(&k), k.got.n > 0));

	for (int i = 0; i < 10; i++) {
		hear(&k);
		pass(10 * NS_PER_MS);
		ev_run(b.loop.ev, EVRUN_NOWAIT);
	}
	run_until(&b.loop, has_line(&k));

	assert_true(k.got.n > b.reply_bytes);
	assert_int_equal(b.control.n_clients, 1);
	leave(&k);
	end(&b);
}

static void whose_buffer_is_full_is_dropped_at_once(void **state)
{
	(void)state;
	struct bench b;
	struct client k;
	begin(&b);
	come(&k, &b);
	ask(&k, EVAL);
	ask(&k, EVAL);
	ask(&k, EVAL);
	run_until(&b.loop, b.n_late == 3);
	enum { BIG = 9000000 };
	char *bytes = mem_new(BIG);
	memset(bytes, 'x', BIG);

	control_reply(b.late[0], json_stringn(bytes, BIG));
	control_reply(b.late[1], json_stringn(bytes, BIG));

	run_until(&b.loop, b.control.n_clients == 0);
	assert_false(control_waits(b.late[2]));
	expect_log(&b, "is dropped: it does not read its replies");
	free(bytes);
	leave(&k);
	end(&b);
}

static void a_result_too_large_is_an_error(void **state)
{
	(void)state;
	struct bench b;
	struct client k;
	begin(&b);
	come(&k, &b);
	b.reply_bytes = WIRE_REPLY_MAX_BYTES;

	ask(&k, "{'id':1,'command':'scripts'}");

	expect(&k, "{'id':1,'ok':false,'error':'the result is larger than 16777216 bytes',"
		   "'kind':'limit'}");
	ask(&k, STATUS);
	expect(&k, NOW);
	leave(&k);
	end(&b);
}

static void clients_beyond_the_limit_are_told(void **state)
{
	(void)state;
	struct bench b;
	struct client all[CONTROL_CLIENTS_MAX], k;
	begin(&b);
	for (size_t i = 0; i < COUNTOF(all); i++) {
		come(&all[i], &b);
		run_until(&b.loop, b.control.n_clients == i + 1);
	}

	come(&k, &b);
	expect(&k, "{'ok':false,'error':'64 clients are connected already','kind':'limit'}");
	run_until(&b.loop, has_ended(&k));
	leave(&k);

	leave(&all[3]);
	run_until(&b.loop, b.control.n_clients == COUNTOF(all) - 1);
	come(&k, &b);
	ask(&k, STATUS);
	expect(&k, NOW);
	leave(&k);
	for (size_t i = 0; i < COUNTOF(all); i++)
		leave(&all[i]);
	end(&b);
}

static void set_fd_limit(rlim_t n)
{
	struct rlimit limit;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = n;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void without_descriptors_it_waits_and_does_not_spin(void **state)
{
	(void)state;
	struct rlimit before;
	struct bench b;
	struct client k, later;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	begin_with(&b, 0, 50 * NS_PER_MS);
	come(&k, &b);
	set_fd_limit(0);

	run_until(&b.loop, timer_is_set(&b.control.retry));
	run_idle(&b.loop);
	expect_log(&b, "Too many open files");
	buf_reset(&b.log);
	run_idle(&b.loop);
	assert_slice(buf_str(&b.log), "");
	set_fd_limit(before.rlim_cur);

	come(&later, &b); /* valgrind, in the kernel's place, drops who came before */
	ask(&later, STATUS);
	expect(&later, NOW);
	leave(&later);
	leave(&k);
	end(&b);
}

static void what_acts_is_logged_and_no_code(void **state)
{
	(void)state;
	struct bench b;
	struct client k;
	char expected[200];
	begin(&b);
	come(&k, &b);

	ask(&k, STATUS);
	expect(&k, NOW);
	assert_slice(buf_str(&b.log), "");
	ask(&k, "{'id':1,'command':'load','name':'karma'}");
	ask(&k, EVAL);
	run_until(&b.loop, b.n_late == 1);

	snprintf(expected, sizeof(expected),
		"control: uid %ld: load karma (pid %ld)\ncontrol: uid %ld: eval a (pid %ld)\n",
		(long)getuid(), (long)getpid(), (long)getuid(), (long)getpid());
	assert_slice(buf_str(&b.log), expected);
	leave(&k);
	end(&b);
}

/* The socket. */

static void refuse_to_open(struct bench *b, const char *path, const char *why)
{
	struct control second = {0};
	struct control_options options = b->options;
	struct err err;
	char expected[300];
	options.path = path;

	int r = control_open(&second, &b->loop, &options, &err);

	snprintf(expected, sizeof(expected), "%s: %s", path, why);
	assert_int_equal(r, ERR_SYSTEM);
	assert_string_equal(err.text, expected);
	control_close(&second);
}

static void a_second_one_is_refused_and_the_first_stays(void **state)
{
	(void)state;
	struct bench b;
	struct client k;
	begin(&b);

	refuse_to_open(&b, b.path, "another ebbd is there");

	come(&k, &b);
	ask(&k, STATUS);
	expect(&k, NOW);
	leave(&k);
	end(&b);
}

static int listen_at(const char *path, bool listens)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	memcpy(sa.sun_path, path, strlen(path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	if (listens)
		assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static void a_socket_that_was_left_is_taken_over(void **state)
{
	(void)state;
	struct bench b;
	struct client k;
	struct err err;
	begin_closed(&b);
	close(listen_at(b.path, true));
	assert_int_equal(access(b.path, F_OK), 0);

	assert_int_equal(control_open(&b.control, &b.loop, &b.options, &err), 0);

	come(&k, &b);
	ask(&k, STATUS);
	expect(&k, NOW);
	leave(&k);
	end(&b);
}

static void a_socket_that_another_program_has_stays(void **state)
{
	(void)state;
	struct bench b;
	begin_closed(&b);
	int listener = listen_at(b.path, true);

	refuse_to_open(&b, b.path, "another program listens there");

	close(connect_to(b.path));
	close(listener);
	unlink(b.path);
	end(&b);
}

static void make_file(const char *path)
{
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static void make_folder(const char *path)
{
	assert_int_equal(mkdir(path, 0700), 0);
}

static void make_link(const char *path)
{
	assert_int_equal(symlink("/nonexistent", path), 0);
}

static void make_pipe(const char *path)
{
	assert_int_equal(mkfifo(path, 0600), 0);
}

static const struct kind_row {
	const char *name;
	void (*make)(const char *path);
} kind_rows[] = {
	{"not a socket: a file",          make_file  },
	{"not a socket: a folder",        make_folder},
	{"not a socket: a link into air", make_link  },
	{"not a socket: a pipe",          make_pipe  },
};

static void what_is_no_socket_stays(void **state)
{
	const struct kind_row *row = *state;
	struct bench b;
	struct stat before, after;
	begin_closed(&b);
	row->make(b.path);
	assert_int_equal(lstat(b.path, &before), 0);

	refuse_to_open(&b, b.path, "is not a socket, and stays");

	assert_int_equal(lstat(b.path, &after), 0);
	assert_int_equal(after.st_ino, before.st_ino);
	remove(b.path);
	end(&b);
}

static void a_lock_that_is_a_link_is_not_followed(void **state)
{
	(void)state;
	struct bench b;
	char lock[80], target[80];
	begin_closed(&b);
	snprintf(lock, sizeof(lock), "%s.lock", b.path);
	snprintf(target, sizeof(target), "%s.target", b.path);
	assert_int_equal(symlink(target, lock), 0);
	struct err err;

	assert_int_equal(control_open(&b.control, &b.loop, &b.options, &err), ERR_SYSTEM);

	assert_int_equal(access(target, F_OK), -1);
	end(&b);
}

static void a_path_without_a_folder_or_too_long_is_refused(void **state)
{
	(void)state;
	struct bench b;
	char path[200];
	struct err err;
	begin_closed(&b);

	snprintf(path, sizeof(path), "%s/a/socket", b.folder);
	b.options.path = path;
	assert_int_equal(control_open(&b.control, &b.loop, &b.options, &err), ERR_SYSTEM);
	assert_non_null(strstr(err.text, "/a/socket.lock: No such file or directory"));
	memset(path, 'x', 108);
	path[108] = '\0';
	refuse_to_open(&b, path, "is longer than 107 bytes");

	end(&b);
}

static const struct mask_row {
	const char *name;
	mode_t mask;
} mask_rows[] = {
	{"umask 000", 0   },
	{"umask 022", 022 },
	{"umask 077", 077 },
	{"umask 777", 0777},
};

static void the_mode_is_0660_whatever_the_umask(void **state)
{
	const struct mask_row *row = *state;
	struct bench b;
	struct stat st;
	struct err err;
	char lock[80];
	begin_closed(&b);
	mode_t before = umask(row->mask);

	int r = control_open(&b.control, &b.loop, &b.options, &err);

	umask(before);
	assert_int_equal(r, 0);
	assert_int_equal(stat(b.path, &st), 0);
	assert_int_equal(st.st_mode, S_IFSOCK | 0660);
	snprintf(lock, sizeof(lock), "%s.lock", b.path);
	assert_int_equal(stat(lock, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600 & ~row->mask);
	end(&b);
}

static void only_its_own_socket_is_removed(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	unlink(b.path);
	int other = listen_at(b.path, false);

	control_close(&b.control);

	assert_int_equal(access(b.path, F_OK), 0);
	close(other);
	unlink(b.path);
	end(&b);
}

static void closing_leaves_no_descriptor(void **state)
{
	(void)state;
	struct bench b;
	struct client k;
	struct err err;
	begin_closed(&b);
	size_t before = count_fds();
	for (int i = 0; i < 3; i++) {
		assert_int_equal(control_open(&b.control, &b.loop, &b.options, &err), 0);
		refuse_to_open(&b, b.path, "another ebbd is there");
		come(&k, &b);
		ask(&k, STATUS);
		expect(&k, NOW);
		leave(&k);
		control_close(&b.control);
	}
	assert_int_equal(count_fds(), before);
	end(&b);
}

/* Who may ask. The socket is open to all, so that the kernel lets everybody as far as us. */

static const struct who_row {
	const char *name;
	uid_t uid;
	gid_t gid;
	gid_t others[3];
	size_t n_others;
	bool is_let_in;
} who_rows[] = {
	{"who: root",		       0,        STRANGER, {0},               0, true },
	{"who: by its group",               STRANGER, GROUP,    {0},               0, true },
	{"who: by another of its groups",   STRANGER, STRANGER, {7, GROUP, 9},     3, true },
	{"who: a stranger",                 STRANGER, STRANGER, {0},               0, false},
	{"who: a stranger of root's group", STRANGER, 0,        {0, 1},            2, false},
	{"who: a stranger of many groups",  STRANGER, STRANGER, {7, GROUP + 1, 9}, 3, false},
};

/* What the kernel does not tell of its children is told by the exit status. */
static void ask_as(const struct who_row *row, const char *path)
{
	char reply[200];
	if (getuid() == 0 && (setgroups(row->n_others, row->others) < 0 || setgid(row->gid) < 0 ||
				     setuid(row->uid) < 0))
		_exit(9);
	int fd = connect_to(path);
	fcntl(fd, F_SETFL, 0);
	ssize_t sent = send(fd, "{\"id\":7,\"command\":\"status\"}\n", 29, MSG_NOSIGNAL);
	ssize_t n = recv(fd, reply, sizeof(reply), 0);
	struct str text = {reply, n > 0 ? (size_t)n : 0};
	if (sent == 29 && str_eq(text, STR("{\"id\":7,\"ok\":true,\"result\":\"now\"}\n")))
		_exit(1);
	_exit(str_eq(text, STR("{\"ok\":false,\"error\":\"not permitted\",\"kind\":\"denied\"}\n"))
			? 2
			: 3);
}

static bool has_exited(pid_t pid, int *status)
{
	return waitpid(pid, status, WNOHANG) == pid;
}

static void peer_is_known_by_the_kernel(void **state)
{
	const struct who_row *row = *state;
	struct bench b;
	int status;
	char expected[100];
	begin(&b);
	if (getuid() == 0)
		assert_int_equal(chown(b.path, (uid_t)-1, GROUP), 0);
	assert_int_equal(chmod(b.path, 0666), 0);
	struct who_row self = {row->name, getuid(), getgid(), {0}, 0, true};
	const struct who_row *who = getuid() == 0 ? row : &self;

	pid_t pid = fork();
	if (pid == 0)
		ask_as(who, b.path);
	run_until(&b.loop, has_exited(pid, &status));

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), who->is_let_in ? 1 : 2);
	snprintf(expected, sizeof(expected), "control: uid %ld (pid %ld) is not permitted\n",
		(long)who->uid, (long)pid);
	assert_slice(buf_str(&b.log), who->is_let_in ? "" : expected);
	end(&b);
}

/* The same user is let in, whoever that is. */
static void the_user_that_it_runs_as_is_let_in(void **state)
{
	(void)state;
	struct bench b;
	struct client k;
	begin(&b);
	bool is_root = getuid() == 0;
	if (is_root) {
		assert_int_equal(chown(b.path, (uid_t)-1, GROUP), 0);
		assert_int_equal(chmod(b.path, 0666), 0);
		assert_int_equal(seteuid(STRANGER), 0);
	}

	come(&k, &b);
	ask(&k, STATUS);
	run_until(&b.loop, has_line(&k));
	if (is_root)
		assert_int_equal(seteuid(0), 0);

	expect(&k, NOW);
	leave(&k);
	end(&b);
}

static void a_socket_in_its_place_decides_nothing(void **state)
{
	(void)state;
	struct bench b;
	int status;
	if (getuid() != 0)
		return; /* only root can be somebody else */
	begin(&b);
	assert_int_equal(chown(b.path, (uid_t)-1, GROUP), 0);
	assert_int_equal(chmod(b.path, 0666), 0);
	char moved[80];
	snprintf(moved, sizeof(moved), "%s.moved", b.path);
	assert_int_equal(rename(b.path, moved), 0);
	close(listen_at(b.path, false));
	assert_int_equal(chown(b.path, (uid_t)-1, GROUP), 0);

	struct who_row member = {"", STRANGER, GROUP, {0}, 0, false};
	pid_t pid = fork();
	if (pid == 0)
		ask_as(&member, moved);
	run_until(&b.loop, has_exited(pid, &status));

	assert_int_equal(WEXITSTATUS(status), 2);
	unlink(moved);
	unlink(b.path);
	end(&b);
}

static const struct place_row {
	const char *name, *service, *session, *expected;
} place_rows[] = {
	{"place: none",                NULL,        NULL,        NULL                 },
	{"place: of a service",        "/run/x",    "/run/nope", "/run/x/control.sock"},
	{"place: of the first folder", "/run/x:/y", NULL,        "/run/x/control.sock"},
	{"place: of a session",        NULL,        ".",         "./ebb/control.sock" },
	{"place: empty variables",     "",          "",          NULL                 },
};

static void place_follows_from_the_environment(void **state)
{
	const struct place_row *row = *state;
	struct bench b;
	struct stat st;
	begin_closed(&b);
	char *cwd = getcwd(NULL, 0);
	assert_int_equal(chdir(b.folder), 0);
	unsetenv("RUNTIME_DIRECTORY");
	unsetenv("XDG_RUNTIME_DIR");
	if (row->service)
		setenv("RUNTIME_DIRECTORY", row->service, 1);
	if (row->session)
		setenv("XDG_RUNTIME_DIR", row->session, 1);

	char *path = control_default_path();

	assert_slice(str_of(path), row->expected);
	if (row->expected && row->expected[0] == '.') {
		assert_int_equal(stat("ebb", &st), 0);
		assert_int_equal(st.st_mode & 0027, 0);
		rmdir("ebb");
	}
	assert_int_equal(chdir(cwd), 0);
	free(cwd);
	free(path);
	end(&b);
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, exchange_rows, request_is_answered_and_the_connection_stays);
	check_test(&c, a_word_of_a_megabyte_is_refused_at_once);
	check_test(&c, requests_come_in_pieces_and_several_at_once);
	check_test(&c, a_line_may_be_as_long_as_the_limit);
	check_rows(&c, long_rows, line_too_long_is_told_and_ends_the_connection);
	check_test(&c, an_answer_may_come_late_and_in_another_order);
	check_test(&c, a_caller_that_is_gone_is_nobody);
	check_test(&c, after_the_control_is_closed_callers_are_nobody);
	check_test(&c, what_is_answered_is_written_before_the_control_closes);
	check_test(&c, who_has_said_all_still_gets_its_replies);
	check_test(&c, who_goes_after_it_has_said_all_is_noticed);
	check_test(&c, requests_beyond_those_under_way_wait);
	check_test(&c, who_asks_for_much_and_reads_it_later_gets_all);
	check_test(&c, what_was_asked_for_before_the_end_is_all_answered);
	check_test(&c, others_have_their_turn_between_many_requests);
	check_test(&c, who_does_not_read_is_dropped_and_not_waited_for);
	check_test(&c, who_reads_slowly_is_not_dropped);
	check_test(&c, whose_buffer_is_full_is_dropped_at_once);
	check_test(&c, a_result_too_large_is_an_error);
	check_test(&c, clients_beyond_the_limit_are_told);
	check_test(&c, without_descriptors_it_waits_and_does_not_spin);
	check_test(&c, what_acts_is_logged_and_no_code);
	check_test(&c, a_second_one_is_refused_and_the_first_stays);
	check_test(&c, a_socket_that_was_left_is_taken_over);
	check_test(&c, a_socket_that_another_program_has_stays);
	check_rows(&c, kind_rows, what_is_no_socket_stays);
	check_test(&c, a_lock_that_is_a_link_is_not_followed);
	check_test(&c, a_path_without_a_folder_or_too_long_is_refused);
	check_rows(&c, mask_rows, the_mode_is_0660_whatever_the_umask);
	check_test(&c, only_its_own_socket_is_removed);
	check_test(&c, closing_leaves_no_descriptor);
	check_rows(&c, who_rows, peer_is_known_by_the_kernel);
	check_test(&c, the_user_that_it_runs_as_is_let_in);
	check_test(&c, a_socket_in_its_place_decides_nothing);
	check_rows(&c, place_rows, place_follows_from_the_environment);
	return check_run(&c, "control");
}
