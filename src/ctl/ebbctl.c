#include "base/mem.h"
#include "ctl/commands.h"
#include "ctl/place.h"
#include "ctl/show.h"
#include "ctl/wire.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	EXIT_USAGE = 2,
	EXIT_UNREACHABLE = 3,
	REQUEST_ID = 1,
	READ_BYTES = 64 * 1024,
	TRIED_MAX_BYTES = 65536
};

static const char usage[] = "usage: ebbctl [-s SOCKET] [--json] COMMAND [ARGUMENT...]\n"
			    "       ebbctl help [COMMAND]\n"
			    "       ebbctl --version | --help\n";

/* What the command line asks for. */
struct request {
	const char *path; /* NULL: where it is found */
	bool is_json;
	const struct commands_row *row;
	json_t *arguments; /* owned; taken by what sends it */
};

static void PRINTF(1, 2) complain(const char *fmt, ...)
{
	struct buf text;
	va_list ap;
	buf_init(&text, WIRE_REPLY_MAX_BYTES);
	va_start(ap, fmt);
	if (buf_addv(&text, fmt, ap) < 0)
		buf_reset(&text);
	va_end(ap);
	fputs("ebbctl: ", stderr);
	show_text(stderr, buf_str(&text));
	putc('\n', stderr);
	buf_fini(&text);
}

static void list_commands(FILE *to)
{
	const struct commands_row *row;
	fputs(usage, to);
	fputs("\ncommands:\n", to);
	for (size_t i = 0; (row = commands_row(i)); i++) {
		char form[COMMANDS_FORM_BYTES];
		commands_form(row, form);
		fprintf(to, "  %-18s %s\n", form, row->help);
	}
}

static const struct commands_row *find(const char *name)
{
	const struct commands_row *row = commands_find(str_of(name));
	if (!row)
		complain("%s: there is no such command; \"ebbctl help\" lists them", name);
	return row;
}

static int help(char *const *arguments, int n)
{
	char form[COMMANDS_FORM_BYTES];
	if (n > 1) {
		complain("help: %s: is an argument too many", arguments[1]);
		return EXIT_USAGE;
	}
	if (n == 0) {
		list_commands(stdout);
		return EXIT_SUCCESS;
	}
	const struct commands_row *row = find(arguments[0]);
	if (!row)
		return EXIT_USAGE;
	commands_form(row, form);
	printf("ebbctl %s\n    %s.\n", form, row->help);
	return EXIT_SUCCESS;
}

/* The socket. */

static int try_path(const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(sa.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(sa.sun_path, path, strlen(path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
		int error = errno;
		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

static int reach_path(const char *path)
{
	int fd = try_path(path);
	if (fd < 0)
		complain("%s: %s", path, strerror(errno));
	return fd;
}

/* The first that exists, whether anybody listens there or not. */
static int reach(const char *path)
{
	struct buf tried;
	int fd = -1;
	bool found = false;
	if (path)
		return reach_path(path);
	buf_init(&tried, TRIED_MAX_BYTES);
	for (size_t i = 0; i < PLACES && !found; i++) {
		char *place = place_path((enum place)i);
		found = place && access(place, F_OK) == 0;
		if (found)
			fd = reach_path(place);
		else if (place && buf_addf(&tried, "%s%s", tried.n ? ", " : "", place) < 0)
			buf_reset(&tried);
		free(place);
	}
	if (!found)
		complain("no socket at %s; is ebbd running?", buf_str(&tried).p);
	buf_fini(&tried);
	return fd;
}

/* A daemon that turns us away may have closed already: its reply tells why. */
static bool send_all(int fd, struct str bytes)
{
	while (bytes.n) {
		ssize_t n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);
		if (n < 0 && errno != EINTR)
			return errno == EPIPE || errno == ECONNRESET;
		bytes = str_skip(bytes, n > 0 ? (size_t)n : 0);
	}
	return true;
}

/* 1 a line is in the buffer, 0 the end came before, -1 with errno set. */
static int receive_line(int fd, struct buf *in)
{
	while (!str_has(buf_str(in), '\n')) {
		char *end = buf_reserve(in, READ_BYTES);
		if (!end) {
			errno = EMSGSIZE;
			return -1;
		}
		ssize_t n = recv(fd, end, READ_BYTES, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != ECONNRESET)
			return -1;
		if (n <= 0)
			return 0;
		buf_commit(in, (size_t)n);
	}
	return 1;
}

/* The reply. */

static json_t *error_of(const struct wire_reply *reply)
{
	json_t *error = json_object();
	json_object_set_new(error, "error", wire_text(str_of(reply->error)));
	json_object_set_new(error, "kind", wire_text(str_of(reply->kind)));
	return error;
}

static void show_error(const struct wire_reply *reply, bool is_json)
{
	if (!is_json) {
		complain("%s", reply->error);
		return;
	}
	json_t *error = error_of(reply);
	show_json(stdout, error);
	json_decref(error);
}

static int show(const struct wire_reply *reply, bool is_json)
{
	if (!reply->is_ok)
		show_error(reply, is_json);
	else if (is_json)
		show_json(stdout, reply->result);
	else
		show_value(stdout, reply->result);
	if (fflush(stdout) == 0)
		return reply->is_ok ? EXIT_SUCCESS : EXIT_FAILURE;
	complain("the answer cannot be written: %s", strerror(errno));
	return EXIT_FAILURE;
}

static int receive(int fd, bool is_json)
{
	struct buf in;
	struct wire_reply reply = {0};
	struct err err;
	buf_init(&in, WIRE_REPLY_MAX_BYTES + READ_BYTES);
	int status = EXIT_UNREACHABLE;
	int r = receive_line(fd, &in);
	struct str rest = buf_str(&in);
	if (r < 0)
		complain("the daemon's answer: %s", strerror(errno));
	else if (r == 0)
		complain("the daemon closed the connection");
	else if (wire_read_reply(str_cut(&rest, '\n'), &reply, &err) < 0)
		complain("the daemon's answer: %s", err.text);
	else
		status = show(&reply, is_json);
	wire_reply_fini(&reply);
	buf_fini(&in);
	return status;
}

static int talk(const struct request *request, struct str line)
{
	int fd = reach(request->path);
	if (fd < 0)
		return EXIT_UNREACHABLE;
	int status = EXIT_UNREACHABLE;
	if (send_all(fd, line))
		status = receive(fd, request->is_json);
	else
		complain("the request cannot be sent: %s", strerror(errno));
	close(fd);
	return status;
}

static int ask(const struct request *request)
{
	struct buf line;
	json_t *id = json_integer(REQUEST_ID);
	buf_init(&line, SIZE_MAX / 8);
	int r = wire_put_request(&line, id, request->row->name, request->arguments);
	json_decref(id);
	int status = EXIT_USAGE;
	if (r == 0 && line.n <= WIRE_REQUEST_MAX_BYTES)
		status = talk(request, buf_str(&line));
	else
		complain("the request is longer than %d bytes", WIRE_REQUEST_MAX_BYTES);
	buf_fini(&line);
	return status;
}

/* The command line. */

static bool take_option(struct request *r, int c, int *status)
{
	*status = EXIT_SUCCESS;
	switch (c) {
	case 's':
		r->path = optarg;
		return true;
	case 'j':
		r->is_json = true;
		return true;
	case 'V':
		puts("ebbctl " EBB_VERSION);
		return false;
	case 'h':
		list_commands(stdout);
		return false;
	default:
		fputs(usage, stderr);
		*status = EXIT_USAGE;
		return false;
	}
}

static int obey(struct request *r, char *const *arguments, int n)
{
	struct err err;
	if (n == 0) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	if (strcmp(arguments[0], "help") == 0)
		return help(arguments + 1, n - 1);
	r->row = find(arguments[0]);
	if (!r->row)
		return EXIT_USAGE;
	if (commands_read(r->row, arguments + 1, (size_t)n - 1, &r->arguments, &err) < 0) {
		char form[COMMANDS_FORM_BYTES];
		commands_form(r->row, form);
		complain("%s\nusage: ebbctl %s", err.text, form);
		return EXIT_USAGE;
	}
	return ask(r);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"socket",  required_argument, NULL, 's'},
		{"json",    no_argument,       NULL, 'j'},
		{"version", no_argument,       NULL, 'V'},
		{"help",    no_argument,       NULL, 'h'},
		{NULL,      0,                 NULL, 0  },
	};
	struct request r = {0};
	int c, status;
	/* The "+": what follows the command is its own, whatever it begins with. */
	while ((c = getopt_long(argc, argv, "+s:h", options, NULL)) != -1)
		if (!take_option(&r, c, &status))
			return status;
	signal(SIGPIPE, SIG_IGN);
	json_set_alloc_funcs(mem_new, free);
	return obey(&r, argv + optind, argc - optind);
}
