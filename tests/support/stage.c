#include "support/stage.h"

#include "base/log.h"
#include "script/listen.h"
#include "script/program.h"
#include "script/slice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLOW_TICK_NS (100 * NS_PER_MS) /* of scripts' time, where all is so much slower */

enum { PATH_BYTES = 128 };

static const char *const names[STAGE_NETS] = {"one", "two"};

static int64_t now_ns(void *data)
{
	const struct stage *st = data;
	return st->timers.now_ns;
}

static int64_t wall_ns(void *data)
{
	const struct stage *st = data;
	return st->timers.now_ns + st->wall_offset_ns;
}

static void on_wanted(void *data)
{
	struct stage *st = data;
	st->is_wanted = true;
}

static void on_log(enum log_level level, struct str text, void *data)
{
	static const char *const levels[] = {"error", "warning", "info", "debug", "trace"};
	struct stage *st = data;
	while (text.p) {
		struct str line = str_cut(&text, '\n');
		assert_int_equal(
			buf_addf(&st->log, "%s %" STR_F "\n", levels[level], STR_A(line)), 0);
	}
}

static void give_facts(void *data, struct net_facts *out)
{
	const struct stage_net *n = data;
	*out = (struct net_facts){.nick = "ebb",
		.account = n->account,
		.host = "irc.test",
		.port = 6697,
		.state = n->state,
		.is_connected = n->is_connected,
		.is_usable = n->is_usable,
		.is_closing = n->is_closing,
		.has_tags = !n->has_no_tags,
		.attempt = (unsigned)n->attempts,
		.lag_ns = -1,
		.dial_in_ns = -1,
		.isupport = n->isupport,
		.caps = &n->caps};
}

static struct stage *stage_of(const struct stage_net *n)
{
	return container_of(n->net->host, struct stage, host);
}

static int take_line(void *data, struct str line, bool is_raw, struct err *err)
{
	const struct stage_net *n = data;
	struct stage *st = stage_of(n);
	if (!n->is_connected)
		return err_set(err, ERR_DISCONNECTED, "%s is not connected", n->net->name);
	if (n->is_full)
		return err_set(err, ERR_AGAIN, "full");
	assert_int_equal(buf_addf(&st->sent, "%s%s%" STR_F "\n",
				 n == st->nets ? "" : "two: ", is_raw ? "raw " : "", STR_A(line)),
		0);
	return 0;
}

static void set_tick(struct stage_net *n)
{
	struct timers *timers = &stage_of(n)->timers;
	int64_t at_ns = requests_deadline(&n->requests);
	timers_cancel(timers, &n->tick);
	if (at_ns >= 0)
		timers_set(timers, &n->tick, at_ns);
}

static void on_tick(struct timer *t)
{
	struct stage_net *n = container_of(t, struct stage_net, tick);
	requests_tick(&n->requests, stage_of(n)->timers.now_ns);
	set_tick(n);
}

static void on_answered(void *owner, const struct request_result *result)
{
	const struct stage_net *n = owner;
	net_answered(n->net, result);
}

static int send_question(
	struct stage_net *n, const struct request_ask *ask, struct handle *id, struct err *err)
{
	struct buf line;
	buf_init(&line, REQUEST_LABEL_MAX_BYTES + MESSAGE_BYTES);
	int r = requests_add(&n->requests, ask, n->isupport, id, &line, err);
	struct str label = buf_str(&line);
	if (r == 0 && label.n)
		r = buf_addf(&stage_of(n)->sent, "@label=%" STR_F " ", STR_A(label));
	if (r == 0)
		r = take_line(n, ask->line, false, err);
	buf_fini(&line);
	return r;
}

static int take_question(void *data, struct str line, int64_t timeout_ns, void *asker,
	struct handle *id, struct err *err)
{
	struct stage_net *n = data;
	struct request_ask ask = {.line = line,
		.has_labels = n->has_labels,
		.now_ns = stage_of(n)->timers.now_ns,
		.timeout_ns = timeout_ns,
		.data = asker};
	if (n->is_full || !n->is_connected)
		return take_line(n, line, false, err);
	int r = send_question(n, &ask, id, err);
	set_tick(n);
	return r;
}

static void forget_question(void *data, struct handle id)
{
	struct stage_net *n = data;
	assert_non_null(handles_get(&n->requests.ids, id));
	requests_cancel(&n->requests, id);
	set_tick(n);
}

static bool say(void *data, struct str target, struct str text)
{
	const struct stage_net *n = data;
	if (n->says)
		assert_int_equal(buf_addf(&stage_of(n)->sent, "said %" STR_F " %" STR_F "\n",
					 STR_A(target), STR_A(text)),
			0);
	return n->says;
}

static void mark(void *data, struct net_mark *out)
{
	(void)data;
	*out = (struct net_mark){0};
}

static bool is_past(void *data, struct net_mark *at)
{
	const struct stage_net *n = data;
	(void)at;
	return !n->is_full;
}

static void begin_attempt(void *data)
{
	struct stage_net *n = data;
	if (strcmp(n->state, "idle") != 0)
		return;
	n->state = "connecting";
	n->attempts++;
}

static bool begin_end(void *data, struct str message)
{
	struct stage_net *n = data;
	if (strcmp(n->state, "idle") == 0)
		return false;
	assert_int_equal(buf_addf(&stage_of(n)->sent, "end %" STR_F "\n", STR_A(message)), 0);
	n->state = "closing";
	n->is_usable = false;
	return true;
}

static struct isupport *give_isupport(void *data)
{
	const struct stage_net *n = data;
	return n->isupport;
}

static const struct roster *give_roster(void *data)
{
	const struct stage_net *n = data;
	return n->roster;
}

static const struct net_ops ops = {
	.facts = give_facts,
	.isupport = give_isupport,
	.send = take_line,
	.request = take_question,
	.forget_request = forget_question,
	.say = say,
	.mark = mark,
	.is_past = is_past,
	.connect = begin_attempt,
	.disconnect = begin_end,
	.roster = give_roster,
};

static void on_told(struct program_asker *asker, const struct err *why)
{
	struct stage *st = container_of(asker, struct stage, asker);
	(void)why;
	st->is_reloading = false;
}

static void begin_net(struct stage *st, struct stage_net *n, const char *name)
{
	*n = (struct stage_net){.isupport = isupport_new(),
		.roster = roster_new(1),
		.is_connected = true,
		.is_usable = true,
		.state = "ready"};
	n->tick.fire = on_tick;
	requests_init(&n->requests, on_answered, n);
	buf_init(&n->extra, 64 * 1024);
	n->net = net_new(&st->host, name, &ops, n);
}

static void end_net(struct stage_net *n)
{
	net_free(n->net);
	n->net = NULL;
	assert_int_equal(n->requests.n, 0);
	requests_fini(&n->requests);
	batches_fini(&n->batches);
	isupport_unref(n->isupport);
	roster_free(n->roster);
	buf_fini(&n->extra);
}

static int make_net(void *data, const struct net_wish *wish, struct err *err)
{
	struct stage *st = data;
	if (st->made.net)
		return err_set(err, ERR_LIMIT, "there is one");
	begin_net(st, &st->made, wish->name);
	net_made_by(st->made.net, wish->script);
	return 0;
}

static int remove_net(void *data, const struct net *n, struct str message, struct err *err)
{
	struct stage *st = data;
	(void)message;
	if (n != st->made.net)
		return err_set(err, ERR_INVALID, "%s is configured", n->name);
	timers_after(&st->timers, &st->removal, 0);
	return 0;
}

void stage_drop_made(struct stage *st)
{
	timers_cancel(&st->timers, &st->removal);
	if (st->made.net)
		end_net(&st->made);
}

static void on_removal(struct timer *t)
{
	stage_drop_made(container_of(t, struct stage, removal));
}

void stage_begin(struct stage *st, size_t n_nets)
{
	*st = (struct stage){
		.asker.told = on_told,
		.n_nets = n_nets,
		.n_events = event_count(),
		.maker = {make_net, remove_net, st},
		.removal.fire = on_removal,
		.folder = "/tmp/ebb-stage-XXXXXX"
        };
	if (getenv("VALGRIND"))
		slice_set_tick(SLOW_TICK_NS);
	assert_non_null(mkdtemp(st->folder));
	timers_init(&st->timers, 1000 * NS_PER_S);
	st->clock = (struct clock){now_ns, wall_ns, st, NULL, NULL};
	buf_init(&st->sent, 16 * 1024 * 1024);
	buf_init(&st->log, 16 * 1024 * 1024);
	log_set_sink(on_log, st);
	struct host_options options = {.timers = &st->timers,
		.clock = &st->clock,
		.wanted = on_wanted,
		.data = st,
		.maker = &st->maker,
		.reload_drain_ns = HOST_RELOAD_DRAIN_NS};
	host_init(&st->host, &options);
	for (size_t i = 0; i < n_nets; i++)
		begin_net(st, &st->nets[i], names[i]);
}

void stage_drop_net(struct stage *st)
{
	end_net(&st->nets[--st->n_nets]);
}

void stage_end(struct stage *st)
{
	while (st->n_nets)
		stage_drop_net(st);
	stage_drop_made(st);
	host_fini(&st->host);
	assert_int_equal(event_count(), st->n_events);
	assert_int_equal(timers_next(&st->timers), -1);
	timers_fini(&st->timers);
	log_set_sink(NULL, NULL);
	buf_fini(&st->sent);
	buf_fini(&st->log);
	rmdir(st->folder);
}

static void write_script(
	const struct stage *st, const char *name, const char *source, char path[PATH_BYTES])
{
	snprintf(path, PATH_BYTES, "%s/%s.lua", st->folder, name);
	if (!source)
		return;
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(source, f);
	fclose(f);
}

bool stage_load(struct stage *st, const char *name, const char *source)
{
	static const char *const pairs[][2] = {
		{"greeting", "hello"}
        };
	char path[PATH_BYTES];
	write_script(st, name, source, path);
	struct script_options options = {.name = name,
		.path = path,
		.pairs = pairs,
		.n_pairs = COUNTOF(pairs),
		.limits = st->limits,
		.lib_folders = st->lib_folders,
		.n_lib_folders = st->n_lib_folders};
	bool ok = program_load(&st->host, &options) == 0;
	unlink(path);
	stage_run(st);
	return ok;
}

const char *stage_reload(struct stage *st, const char *name, const char *source)
{
	char path[PATH_BYTES];
	struct program *p = program_find(&st->host, str_of(name));
	assert_non_null(p);
	assert_false(st->is_reloading);
	write_script(st, name, source, path);
	st->is_reloading = true;
	program_reload(p, NULL, &st->asker);
	unlink(path);
	stage_pass(st, 0);
	return stage_outcome(st);
}

const char *stage_outcome(struct stage *st)
{
	if (st->is_reloading)
		return NULL;
	return st->asker.why.code ? st->asker.why.text : "";
}

void stage_read(struct buf *out, const char *path)
{
	char bytes[4096];
	size_t n;
	FILE *f = fopen(path, "r");
	if (!f)
		fail_msg("%s: cannot be read", path);
	buf_init(out, 1024L * 1024);
	while ((n = fread(bytes, 1, sizeof(bytes), f)))
		assert_int_equal(buf_add(out, (struct str){bytes, n}), 0);
	fclose(f);
}

size_t stage_handles(const struct stage *st)
{
	size_t n = 0;
	for (uint32_t i = 0; i < st->host.handles.n; i++)
		n += st->host.handles.slots[i].p != NULL;
	return n;
}

void stage_turn(struct stage *st)
{
	st->is_wanted = false;
	host_run(&st->host);
	if (host_has_held(&st->host))
		host_share(&st->host);
}

void stage_run(struct stage *st)
{
	do
		stage_turn(st);
	while (st->is_wanted);
}

void stage_pass(struct stage *st, double seconds)
{
	int64_t end_ns = st->timers.now_ns + clock_from_seconds(seconds), at_ns;
	stage_run(st);
	while ((at_ns = timers_next(&st->timers)) >= 0 && at_ns <= end_ns) {
		timers_run(&st->timers, at_ns);
		stage_run(st);
	}
	timers_run(&st->timers, end_ns);
}

static void pair(struct stage_net *n, const struct received *line, const struct batch_line *batch)
{
	struct heard h = {
		line->m, line->kind, n->isupport, STR("ebb"), batch, stage_of(n)->timers.now_ns, 0};
	requests_hear(&n->requests, &h);
	set_tick(n);
}

void stage_feed(struct stage *st, size_t i, const char *line)
{
	struct stage_net *n = &st->nets[i];
	struct message m;
	char *copy = strdup(line); /* so that a slice that outlives the call is seen */
	assert_int_equal(message_parse(&m, str_of(copy)), 0);
	int kind = event_kind_of(&m, n->isupport);
	assert_true(kind >= 0);
	if (kind == 5)
		for (size_t k = 1; k + 1 < m.n_params; k++)
			assert_true(isupport_apply(&n->isupport, m.params[k]));
	buf_reset(&n->extra);
	if (kind == EVENT_QUIT)
		assert_int_equal(roster_channels_of(n->roster, m.nick, &n->extra), 0);
	struct received received = {
		.m = &m,
		.kind = kind,
		.is_mine = m.nick.n && str_ieq(m.nick, STR("ebb")),
		.extra = kind == EVENT_QUIT ? buf_str(&n->extra) : STR_NONE,
	};
	struct batch_line batch;
	batches_hear(&n->batches, &m, kind, &batch);
	net_line(n->net, &received);
	pair(n, &received, &batch);
	roster_hear(n->roster, &m, kind, n->isupport, STR("ebb"));
	free(copy);
}

void stage_line(struct stage *st, size_t i, const char *line)
{
	stage_feed(st, i, line);
	stage_run(st);
}

void stage_lose(struct stage *st, size_t i, int code, const char *why)
{
	struct stage_net *n = &st->nets[i];
	struct err err;
	err_set(&err, code, "%s", why);
	struct net_end end = {&err, "irc.test", 6697, n->is_connected ? 60 * NS_PER_S : -1};
	n->is_connected = n->is_usable = false;
	n->state = "idle";
	requests_disconnect(&n->requests);
	batches_reset(&n->batches);
	set_tick(n);
	roster_reset(n->roster);
	net_closed(n->net, &end);
	stage_run(st);
}

void stage_connect(struct stage *st, size_t i)
{
	struct stage_net *n = &st->nets[i];
	n->is_connected = n->is_usable = true;
	n->state = "ready";
	net_connected(n->net);
	stage_run(st);
}

void stage_room(struct stage *st, size_t i)
{
	st->nets[i].is_full = false;
	net_room(st->nets[i].net);
	net_flushed(st->nets[i].net);
	stage_run(st);
}

void stage_check(struct stage *st, const char *expected, const char *file, int line)
{
	if (strcmp(buf_str(&st->sent).p, expected) != 0) {
		print_error("%s:%d: sent:\n%sexpected:\n%slog:\n%s", file, line,
			buf_str(&st->sent).p, expected, buf_str(&st->log).p);
		_fail(file, line);
	}
	buf_reset(&st->sent);
}

void stage_check_log(struct stage *st, const char *text, const char *file, int line)
{
	if (!strstr(buf_str(&st->log).p, text)) {
		print_error("%s:%d: \"%s\" is not in the log:\n%s", file, line, text,
			buf_str(&st->log).p);
		_fail(file, line);
	}
	buf_reset(&st->log);
}
