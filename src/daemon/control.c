#include "daemon/control.h"

#include "base/log.h"
#include "base/mem.h"
#include "ctl/commands.h"
#include "ctl/place.h"
#include "daemon/nearest.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define STALL_NS (10 * NS_PER_S)
#define RETRY_NS NS_PER_S
#define LOOK_NS  NS_PER_S

enum {
	READ_BYTES = 64 * 1024,
	OUT_HIGH_BYTES = 64 * 1024, /* no requests are taken while so much waits */
	ACCEPTS_A_TURN = 16,
	REQUESTS_A_TURN = 16, /* of one client */
	STALL_LOOKS = 5,
	LOGGED_MAX_BYTES = 1024
};

struct client {
	struct list node; /* the control's clients */
	struct control *control;
	struct local_peer who;
	int fd; /* owned */
	struct loop_fd watch;
	struct buf in, out;
	size_t scanned;    /* bytes of in that hold no newline */
	struct list calls; /* struct call */
	size_t n_calls;
	bool is_at_end;    /* it sends no more */
	bool is_refused;   /* no more is taken of it, and it goes when all is sent */
	bool is_lost;      /* it goes at once */
	bool is_working;   /* within its job */
	struct timer look; /* whether it is still there, while nothing is read of it */
	struct timer stall;
	int stall_looks; /* that found nothing read */
	struct job work;
};

/* A request that was not answered yet. */
struct call {
	struct list node; /* the client's calls */
	struct client *client;
	struct handle handle;
	json_t *id; /* owned */
};

static struct client *client_of(struct list *node)
{
	return container_of(node, struct client, node);
}

static void call_free(struct call *call)
{
	handles_remove(&call->client->control->calls, call->handle);
	list_remove(&call->node);
	call->client->n_calls--;
	json_decref(call->id);
	free(call);
}

static void drop(struct client *c)
{
	struct control *control = c->control;
	list_each_safe (node, &c->calls)
		call_free(container_of(node, struct call, node));
	loop_fd_stop(control->loop, &c->watch);
	timers_cancel(&control->loop->timers, &c->look);
	timers_cancel(&control->loop->timers, &c->stall);
	job_cancel(&c->work);
	close(c->fd);
	buf_fini(&c->in);
	buf_fini(&c->out);
	list_remove(&c->node);
	control->n_clients--;
	log_debug("control: pid %ld is gone", (long)c->who.pid);
	free(c);
}

/* Out. */

/* What happens within the job is seen at its end. */
static void wake(struct client *c)
{
	if (!c->is_working)
		loop_defer(c->control->loop, &c->work);
}

static void lose(struct client *c, const char *why)
{
	if (!c->is_lost)
		log_warn("control: uid %ld (pid %ld) is dropped: %s", (long)c->who.uid,
			(long)c->who.pid, why);
	c->is_lost = true;
	wake(c);
}

static void queue(struct client *c, struct str line)
{
	if (buf_add(&c->out, line) < 0)
		lose(c, "it does not read its replies");
	wake(c);
}

static void queue_error(struct client *c, json_t *id, const struct err *why)
{
	struct buf line;
	buf_init(&line, WIRE_REPLY_MAX_BYTES);
	if (wire_put_error(&line, id, why) < 0)
		lose(c, "an error cannot be told");
	queue(c, buf_str(&line));
	buf_fini(&line);
}

static void queue_result(struct client *c, json_t *id, json_t *result)
{
	struct buf line;
	struct err err;
	buf_init(&line, WIRE_REPLY_MAX_BYTES);
	int r = wire_put_result(&line, id, result);
	if (r == 0)
		queue(c, buf_str(&line));
	buf_fini(&line);
	if (r == 0)
		return;
	if (r == ERR_LIMIT)
		err_set(&err, r, "the result is larger than %d bytes", WIRE_REPLY_MAX_BYTES);
	else
		err_set(&err, r, "the result cannot be written as JSON");
	queue_error(c, id, &err);
}

static void flush(struct client *c)
{
	struct timers *timers = &c->control->loop->timers;
	while (c->out.n && !c->is_lost) {
		ssize_t n = send(c->fd, buf_str(&c->out).p, c->out.n, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			c->is_lost = true;
			break;
		}
		buf_consume(&c->out, (size_t)n);
		c->stall_looks = 0;
	}
	if (c->out.n == 0) {
		timers_cancel(timers, &c->stall);
		buf_trim(&c->out);
	} else if (!timer_is_set(&c->stall)) {
		timers_after(timers, &c->stall, c->control->options.stall_ns / STALL_LOOKS);
	}
}

/* Several looks, for the loop may have been away longer than the client. */
static void on_stall(struct timer *t)
{
	struct client *c = container_of(t, struct client, stall);
	c->stall_looks++;
	flush(c);
	if (c->stall_looks == STALL_LOOKS)
		lose(c, "it does not read its replies");
	loop_defer(c->control->loop, &c->work);
}

/* The answers. */

static struct call *call_of(struct control_caller caller)
{
	return handles_get(&caller.control->calls, caller.call);
}

bool control_waits(struct control_caller caller)
{
	return call_of(caller) != NULL;
}

void control_reply(struct control_caller caller, json_t *result)
{
	struct call *call = call_of(caller);
	if (!call) {
		json_decref(result);
		return;
	}
	queue_result(call->client, call->id, result);
	call_free(call);
}

void control_fail(struct control_caller caller, const struct err *why)
{
	struct call *call = call_of(caller);
	if (!call)
		return;
	queue_error(call->client, call->id, why);
	call_free(call);
}

/* The requests. */

static struct control_caller add_call(struct client *c, json_t *id)
{
	struct call *call = mem_new(sizeof(*call));
	call->client = c;
	call->id = json_incref(id);
	call->handle = handles_add(&c->control->calls, call);
	list_append(&c->calls, &call->node);
	c->n_calls++;
	return (struct control_caller){c->control, call->handle};
}

static const struct control_command *find(const struct control *control, const char *name)
{
	const struct control_command *command = control->options.commands;
	while (command->name && strcmp(command->name, name) != 0)
		command++;
	return command->name ? command : NULL;
}

static int refuse_unknown(const struct control *control, const char *name, struct err *err)
{
	struct nearest n = nearest_start(str_of(name));
	bool is_short =
		n.word.n < sizeof(n.best); /* a long word takes long, and is near to nothing */
	for (const struct control_command *c = control->options.commands; is_short && c->name; c++)
		nearest_consider(&n, c->name, "");
	if (*n.best)
		return err_set(err, ERR_INVALID, "%.64s: there is no such command; do you mean %s?",
			name, n.best);
	return err_set(err, ERR_INVALID, "%.64s: there is no such command", name);
}

/* Names only: a text may hold a secret. */
static void log_request(
	const struct client *c, const struct commands_row *row, const struct wire_request *request)
{
	const struct commands_parameter *p;
	struct buf line;
	buf_init(&line, LOGGED_MAX_BYTES);
	int r = buf_addf(&line, "%s", row->name);
	for (size_t i = 0; (p = commands_parameter(row, i)) && r == 0; i++) {
		const char *value = p->is_text ? NULL : wire_argument(request, p->name);
		if (value)
			r = buf_addf(&line, " %s", value);
	}
	log_info("control: uid %ld: %s (pid %ld)", (long)c->who.uid, buf_str(&line).p,
		(long)c->who.pid);
	buf_fini(&line);
}

static int dispatch(struct client *c, const struct wire_request *request, struct err *err)
{
	struct control *control = c->control;
	const struct control_command *command = find(control, request->command);
	if (!command)
		return refuse_unknown(control, request->command, err);
	const struct commands_row *row = commands_find(str_of(command->name));
	assert(row);
	int r = commands_check(row, request->members, err);
	if (r < 0)
		return r;
	if (row->acts)
		log_request(c, row, request);
	command->run(control->options.data, add_call(c, request->id), request);
	return 0;
}

static void answer(struct client *c, struct str line)
{
	struct wire_request request;
	struct err err;
	int r = wire_read_request(line, &request, &err);
	if (r == 0)
		r = dispatch(c, &request, &err);
	if (r < 0)
		queue_error(c, request.id, &err);
	wire_request_fini(&request);
}

static bool is_willing(const struct client *c)
{
	return !c->is_refused && !c->is_lost && c->n_calls < CONTROL_CALLS_MAX &&
	       c->out.n < OUT_HIGH_BYTES;
}

/* Whether the line that in begins with is whole. */
static bool find_line(struct client *c, struct str *line)
{
	struct str bytes = buf_str(&c->in);
	c->scanned += str_find(str_skip(bytes, c->scanned), '\n');
	*line = (struct str){bytes.p, c->scanned};
	return c->scanned < bytes.n;
}

static void refuse_long(struct client *c)
{
	struct err err;
	err_set(&err, ERR_LIMIT, "a request is longer than %d bytes", WIRE_REQUEST_MAX_BYTES);
	queue_error(c, NULL, &err);
	c->is_refused = true;
	buf_reset(&c->in);
}

static void take_lines(struct client *c)
{
	struct str line;
	for (int i = 0; i < REQUESTS_A_TURN && is_willing(c); i++) {
		bool is_whole = find_line(c, &line);
		if (line.n > WIRE_REQUEST_MAX_BYTES) {
			refuse_long(c);
			return;
		}
		if (!is_whole)
			break;
		answer(c, line);
		buf_consume(&c->in, line.n + 1);
		c->scanned = 0;
	}
	buf_trim(&c->in);
}

static bool has_hung_up(const struct client *c)
{
	struct pollfd p = {.fd = c->fd};
	return poll(&p, 1, 0) == 1 && (p.revents & (POLLHUP | POLLERR));
}

/* Who only ended its own side waits for its replies. */
static void end_input(struct client *c)
{
	c->is_at_end = true;
	c->is_lost |= has_hung_up(c);
}

static void receive(struct client *c)
{
	char *end = buf_reserve(&c->in, READ_BYTES);
	if (!end)
		return; /* whole lines are in it, which come first */
	ssize_t n = recv(c->fd, end, READ_BYTES, 0);
	if (n > 0)
		buf_commit(&c->in, (size_t)n);
	else if (n == 0)
		end_input(c);
	else if (errno != EAGAIN && errno != EINTR)
		c->is_lost = true;
}

static bool is_done(const struct client *c)
{
	return c->is_lost || ((c->is_at_end || c->is_refused) && c->out.n == 0 && c->n_calls == 0);
}

static void watch(struct client *c)
{
	bool reads = is_willing(c) && !c->is_at_end;
	if (!reads && !timer_is_set(&c->look))
		timers_after(&c->control->loop->timers, &c->look, LOOK_NS);
	loop_fd_start(
		c->control->loop, &c->watch, (reads ? EV_READ : 0) | (c->out.n ? EV_WRITE : 0));
}

static void on_look(struct timer *t)
{
	struct client *c = container_of(t, struct client, look);
	c->is_lost |= has_hung_up(c);
	loop_defer(c->control->loop, &c->work);
}

/* Requests that are left go on, but others have their turn before. */
static void on_work(struct job *job)
{
	struct client *c = container_of(job, struct client, work);
	struct str line;
	c->is_working = true;
	take_lines(c);
	flush(c);
	c->is_working = false;
	bool has_more = is_willing(c) && find_line(c, &line);
	if (is_done(c) && !has_more) {
		drop(c);
		return;
	}
	if (has_more)
		loop_next_turn(c->control->loop, &c->work);
	watch(c);
}

static void on_ready(struct loop_fd *watched, int revents)
{
	struct client *c = container_of(watched, struct client, watch);
	if (revents & EV_READ)
		receive(c);
	loop_defer(c->control->loop, &c->work);
}

/* Coming and going. */

static void add_client(struct control *control, int fd, const struct local_peer *who)
{
	struct client *c = mem_new(sizeof(*c));
	c->control = control;
	c->who = *who;
	c->fd = fd;
	c->look.fire = on_look;
	c->stall.fire = on_stall;
	buf_init(&c->in, WIRE_REQUEST_MAX_BYTES + 1 + READ_BYTES);
	buf_init(&c->out, WIRE_REPLY_MAX_BYTES);
	list_init(&c->calls);
	job_init(&c->work, on_work);
	loop_fd_init(&c->watch, fd, on_ready);
	list_append(&control->clients, &c->node);
	control->n_clients++;
	log_debug("control: uid %ld (pid %ld) is connected", (long)who->uid, (long)who->pid);
	watch(c);
}

/* A new socket has room for so little. */
static void turn_away(int fd, const struct err *why)
{
	struct buf line;
	buf_init(&line, WIRE_REPLY_MAX_BYTES);
	if (wire_put_error(&line, NULL, why) == 0 &&
		send(fd, buf_str(&line).p, line.n, MSG_NOSIGNAL) < 0)
		log_debug("control: who is turned away does not hear it: %s", strerror(errno));
	buf_fini(&line);
	close(fd);
}

static void welcome(struct control *control, int fd)
{
	struct local_peer who;
	struct err err;
	if (!local_allows(&control->local, fd, &who)) {
		log_warn("control: uid %ld (pid %ld) is not permitted", (long)who.uid,
			(long)who.pid);
		err_set(&err, ERR_DENIED, "not permitted");
		turn_away(fd, &err);
	} else if (control->n_clients == CONTROL_CLIENTS_MAX) {
		err_set(&err, ERR_LIMIT, "%d clients are connected already", CONTROL_CLIENTS_MAX);
		turn_away(fd, &err);
	} else {
		add_client(control, fd, &who);
	}
}

static void listen_again(struct timer *t)
{
	struct control *control = container_of(t, struct control, retry);
	loop_fd_start(control->loop, &control->watch, EV_READ);
}

/* Who waits would make the descriptor ready again and again. */
static void pause_listening(struct control *control, int error)
{
	log_warn("control: %s: %s", control->local.path, strerror(error));
	loop_fd_stop(control->loop, &control->watch);
	timers_after(&control->loop->timers, &control->retry, control->options.retry_ns);
}

static void on_connect(struct loop_fd *watched, int revents)
{
	(void)revents;
	struct control *control = container_of(watched, struct control, watch);
	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		int fd = accept4(control->local.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			welcome(control, fd);
		} else if (errno != ECONNABORTED && errno != EINTR) {
			if (errno != EAGAIN)
				pause_listening(control, errno);
			return;
		}
	}
}

int control_open(struct control *c, struct loop *loop, const struct control_options *options,
	struct err *err)
{
	*c = (struct control){.options = *options};
	int r = local_open(&c->local, options->path, err);
	if (r < 0)
		return r;
	json_set_alloc_funcs(mem_new, free); /* no memory ends the process, as everywhere */
	c->loop = loop;
	c->options.path = NULL;
	if (!c->options.stall_ns)
		c->options.stall_ns = STALL_NS;
	if (!c->options.retry_ns)
		c->options.retry_ns = RETRY_NS;
	c->retry.fire = listen_again;
	list_init(&c->clients);
	loop_fd_init(&c->watch, c->local.fd, on_connect);
	loop_fd_start(loop, &c->watch, EV_READ);
	log_debug("control: listening at %s", c->local.path);
	return 0;
}

void control_close(struct control *c)
{
	if (!c->loop)
		return;
	loop_fd_stop(c->loop, &c->watch);
	timers_cancel(&c->loop->timers, &c->retry);
	list_each_safe (node, &c->clients) {
		flush(client_of(node));
		drop(client_of(node));
	}
	local_close(&c->local);
	handles_fini(&c->calls);
	*c = (struct control){0};
}

char *control_default_path(void)
{
	char *path = place_path(PLACE_SERVICE);
	if (path)
		return path;
	path = place_path(PLACE_SESSION);
	char *slash = path ? strrchr(path, '/') : NULL;
	if (slash) {
		*slash = '\0';
		if (mkdir(path, 0750) < 0 && errno != EEXIST)
			log_warn("control: %s: %s", path, strerror(errno));
		*slash = '/';
	}
	return path;
}
