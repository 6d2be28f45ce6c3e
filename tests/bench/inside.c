/*
 * inside: what things cost within the process, without sockets and servers.
 *
 * Prints a line for each measurement: name, value, unit and the bar it is held to ("-" for none),
 * with tabs between. A value is the median of several rounds after one to warm up. Time is CPU time
 * of the process. `inside GROUP` measures that group only, for a profiler; QUICK=1 in the
 * environment does everything a tenth as often.
 *
 * Scripts run on a host of their own with one network, whose other end is in here: lines come as
 * soon as the one before is done with, and what scripts send is copied and forgotten. Time stands
 * still but for the wall clock, which is the system's, as in the daemon.
 */
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "irc/schema.h"
#include "irc/session.h"
#include "script/listen.h"
#include "script/load.h"
#include "script/modules.h"
#include "script/net.h"
#include "script/program.h"
#include "script/reload.h"

#include <lauxlib.h>
#include <lualib.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 5, ROWS_MAX = 32, MANY = 100000, LINES = 100000, LOAD_MAX_BYTES = 2048 };

static const char plain_line[] =
	":alice!alice@user/alice/web PRIVMSG #ebb :have you seen the new release yet?";
static const char tagged_line[] =
	"@time=2024-05-17T19:21:07.413Z;msgid=pFtQ8yYvT0iWl2Kx4Rz1bA;account=alice;"
	"+draft/reply=a7Xc09mVQk6cO5dJb3sE2w;draft/channel-context=#ebb;"
	"+example.org/note=a\\sfew\\swords\\:\\snothing\\smore "
	":alice!alice@user/alice/web PRIVMSG #ebb :have you seen the new release yet?";
static const char other_line[] = ":bob!b@host.example NOTICE #ebb :go";

/* What was measured. */

struct row {
	char name[96];
	const char *unit, *bar;
	double values[ROUNDS];
	size_t n;
};

static struct row rows[ROWS_MAX];
static size_t n_rows;
static bool is_warm_up;
static size_t divisor = 1; /* of all counts: 10 for a quick run */

static NORETURN void die(const char *what)
{
	fprintf(stderr, "inside: %s\n", what);
	exit(1);
}

static struct row *find_row(const char *name)
{
	for (size_t i = 0; i < n_rows; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	if (n_rows == ROWS_MAX)
		die("too many rows");
	struct row *row = &rows[n_rows++];
	*row = (struct row){0};
	snprintf(row->name, sizeof(row->name), "%s", name);
	return row;
}

/* Takes one round's value of a row, which is made when it is new. unit and bar are static. */
static void note(const char *name, double value, const char *unit, const char *bar)
{
	struct row *row = find_row(name);
	row->unit = unit;
	row->bar = bar;
	if (!is_warm_up)
		row->values[row->n++] = value;
}

static void note_ns(const char *name, double value)
{
	note(name, value, "ns", "-");
}

/* The same, with a count in front of the name. */
static void note_many(size_t n, const char *what, double value, const char *unit, const char *bar)
{
	char name[sizeof(rows[0].name)];
	snprintf(name, sizeof(name), "%zu %s", n, what);
	note(name, value, unit, bar);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void print_rows(void)
{
	for (size_t i = 0; i < n_rows; i++) {
		struct row *row = &rows[i];
		qsort(row->values, row->n, sizeof(row->values[0]), compare);
		double median = row->values[row->n / 2];
		printf(median < 100 ? "%s\t%.3g\t%s\t%s\n" : "%s\t%.0f\t%s\t%s\n", row->name,
			median, row->unit, row->bar);
	}
	fflush(stdout);
	n_rows = 0;
}

static int64_t cpu_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static double ns_each(int64_t start_ns, size_t n)
{
	return (double)(cpu_ns() - start_ns) / (double)n;
}

/* All that malloc has given out, Lua's included, with what it adds to each. */
static double heap_bytes(void)
{
	struct mallinfo2 info = mallinfo2();
	return (double)(info.uordblks + info.hblkhd);
}

static struct message parse(const char *line)
{
	struct message m;
	if (message_parse(&m, str_of(line)) < 0)
		die("a line that is none");
	return m;
}

/* A session that is ready for use, and does not pace. */

struct talk {
	struct session_options options;
	struct session *session;
	struct net *net; /* hears of the lines; NULL: they are only counted */
	size_t n_events, n_written;
};

static void on_write(void *owner, struct str bytes)
{
	struct talk *t = owner;
	t->n_written += bytes.n;
}

static void on_event(void *owner, const struct received *line)
{
	struct talk *t = owner;
	t->n_events++;
	if (t->net)
		net_line(t->net, line);
}

static void on_nothing(void *owner)
{
	(void)owner;
}

static uint64_t give_seed(void *owner)
{
	(void)owner;
	return 0;
}

static int64_t give_wall(void *owner)
{
	(void)owner;
	return 0;
}

static void on_failed(void *owner, const struct err *why)
{
	(void)owner;
	die(why->text);
}

static void talk_begin(struct talk *t)
{
	static const struct session_ops ops = {.write = on_write,
		.event = on_event,
		.ready = on_nothing,
		.usable = on_nothing,
		.room = on_nothing,
		.seed = give_seed,
		.wall_ns = give_wall,
		.failed = on_failed};
	static const char isupport[] =
		":irc.test 005 ebb CASEMAPPING=rfc1459 CHANTYPES=#& PREFIX=(ov)@+ STATUSMSG=@+ "
		"NICKLEN=30 CHANNELLEN=50 NETWORK=Test :are supported";
	static const char *const welcome[] = {
		":irc.test 001 ebb :Welcome", isupport, ":irc.test 376 ebb :End of MOTD"};
	*t = (struct talk){
		.options = {.network = "test",
			    .nick = "ebb",
			    .user = "ebb",
			    .realname = "ebb",
			    .register_timeout_ns = NS_PER_S,
			    .ping_interval_ns = NS_PER_S,
			    .ping_timeout_ns = NS_PER_S,
			    .limits = {.max_lines = 512, .max_bytes = 1 << 20}}
        };
	t->session = session_new(&t->options, &ops, t);
	session_begin(t->session, false, 0);
	for (size_t i = 0; i < COUNTOF(welcome); i++)
		session_feed(t->session, str_of(welcome[i]), 0);
	if (session_state(t->session) != SESSION_READY)
		die("the session did not become ready");
}

static void talk_end(struct talk *t)
{
	session_end(t->session);
	session_free(t->session);
}

/* A host with one network. */

struct scene {
	struct timers timers;
	struct clock clock;
	struct host host;
	struct net *net;
	struct talk talk;
	bool has_session; /* what scripts send goes into it */
	bool is_wanted, is_idle_wanted;
	char last[1024]; /* the line that was sent last */
	size_t n_sent;
};

static int64_t now_ns(void *data)
{
	const struct scene *sc = data;
	return sc->timers.now_ns;
}

static int64_t wall_ns(void *data)
{
	(void)data;
	return clock_wall_ns(&clock_system);
}

static void on_wanted(void *data)
{
	struct scene *sc = data;
	sc->is_wanted = true;
}

static void on_idle(void *data)
{
	struct scene *sc = data;
	sc->is_idle_wanted = true;
}

static void give_facts(void *data, struct net_facts *out)
{
	const struct scene *sc = data;
	*out = (struct net_facts){.nick = session_nick(sc->talk.session),
		.host = "irc.test",
		.state = "ready",
		.port = 6697,
		.is_connected = true,
		.is_usable = true,
		.has_tags = true,
		.lag_ns = -1,
		.isupport = session_isupport(sc->talk.session),
		.caps = session_caps(sc->talk.session)};
}

static struct isupport *give_isupport(void *data)
{
	const struct scene *sc = data;
	return session_isupport(sc->talk.session);
}

static const struct roster *give_roster(void *data)
{
	const struct scene *sc = data;
	return session_roster(sc->talk.session);
}

static int take_line(void *data, struct str line, bool is_raw, struct err *err)
{
	struct scene *sc = data;
	sc->n_sent++;
	if (sc->has_session && !is_raw)
		return session_send(sc->talk.session, line, sc->timers.now_ns, err);
	if (line.n > sizeof(sc->last))
		die("a line is too long");
	memcpy(sc->last, line.p, line.n);
	return 0;
}

static bool say(void *data, struct str target, struct str text)
{
	struct scene *sc = data;
	bool is_said =
		sc->has_session && session_say(sc->talk.session, target, text, sc->timers.now_ns);
	sc->n_sent += is_said;
	return is_said;
}

static void mark(void *data, struct net_mark *out)
{
	(void)data;
	*out = (struct net_mark){0};
}

static bool is_past(void *data, struct net_mark *at)
{
	(void)data;
	(void)at;
	return true;
}

static bool refuse_end(void *data, struct str message)
{
	(void)data;
	(void)message;
	return false;
}

static void on_log(enum log_level level, struct str text, void *data)
{
	(void)data;
	if (level > LOG_ERROR)
		return;
	fprintf(stderr, "%" STR_F "\n", STR_A(text));
	die("a script failed");
}

static void settle(struct scene *sc)
{
	while (sc->is_wanted) {
		sc->is_wanted = false;
		host_run(&sc->host);
		if (host_has_held(&sc->host))
			host_share(&sc->host);
	}
}

static void scene_begin(struct scene *sc)
{
	static const struct net_ops ops = {
		.facts = give_facts,
		.isupport = give_isupport,
		.send = take_line,
		.say = say,
		.mark = mark,
		.is_past = is_past,
		.connect = on_nothing,
		.disconnect = refuse_end,
		.roster = give_roster,
	};
	*sc = (struct scene){0};
	timers_init(&sc->timers, NS_PER_S);
	sc->clock = (struct clock){now_ns, wall_ns, sc, NULL, NULL};
	log_set_sink(on_log, NULL);
	struct host_options options = {.timers = &sc->timers,
		.clock = &sc->clock,
		.wanted = on_wanted,
		.idle = on_idle,
		.data = sc};
	host_init(&sc->host, &options);
	talk_begin(&sc->talk);
	sc->net = net_new(&sc->host, "test", &ops, sc);
}

/* What is measured here is not what a script should do. */
static const struct script_limits no_limits = {.memory_max_bytes = (size_t)4 << 30,
	.cpu_max_ns = 600 * NS_PER_S,
	.tasks_max = 10 * MANY,
	.alarms_max = 10 * MANY,
	.listeners_max = 10 * MANY,
	.spawns_max = 10 * MANY};

static void scene_load(struct scene *sc, const char *source)
{
	struct script_options options = {
		.name = "bench", .path = "bench.lua", .source = source, .limits = no_limits};
	if (program_load(&sc->host, &options) < 0)
		die("a script is refused");
	settle(sc);
}

static void scene_end(struct scene *sc)
{
	net_free(sc->net);
	host_fini(&sc->host);
	timers_fini(&sc->timers);
	talk_end(&sc->talk);
}

static void pass(struct scene *sc, int64_t ns)
{
	timers_run(&sc->timers, sc->timers.now_ns + ns);
	settle(sc);
}

/* The same, from deadline to deadline. */
static void pass_slowly(struct scene *sc, int64_t ns)
{
	int64_t end_ns = sc->timers.now_ns + ns, at_ns;
	while ((at_ns = timers_next(&sc->timers)) >= 0 && at_ns <= end_ns)
		pass(sc, at_ns - sc->timers.now_ns);
	pass(sc, end_ns - sc->timers.now_ns);
}

/* The same line n times, a microsecond apart. */
static void give(struct scene *sc, const char *line, size_t n)
{
	struct message m = parse(line);
	int kind = event_kind_of(&m, session_isupport(sc->talk.session));
	for (size_t i = 0; i < n; i++) {
		timers_run(&sc->timers, sc->timers.now_ns + 1000);
		net_line(sc->net, &(struct received){.m = &m, .kind = kind});
		settle(sc);
	}
}

/* What the same line costs each time, in the long run. */
static double line_ns(struct scene *sc, const char *line, size_t n)
{
	give(sc, line, n / 10);
	int64_t start_ns = cpu_ns();
	give(sc, line, n);
	return ns_each(start_ns, n);
}

/* The tasks of the first script that have not ended. */
static size_t count_tasks(const struct scene *sc)
{
	const struct script *s = container_of(sc->host.scripts.next, struct script, node);
	size_t n = 0;
	list_each (node, &s->tasks)
		n++;
	return n;
}

static void expect_tasks(const struct scene *sc, size_t n)
{
	if (count_tasks(sc) != n)
		die("the number of tasks is another");
}

/* All that is taken from the system, by malloc and by the arena of the first script, used or not.
 */
static double taken_bytes(const struct scene *sc)
{
	const struct arena *a = &container_of(sc->host.scripts.next, struct script, node)->vm.arena;
	return heap_bytes() + (double)a->chunk_bytes - (double)(a->bump_end - a->bump);
}

/* Lines and sessions. */

static double parse_ns(const char *line, size_t n)
{
	struct message m;
	int r = 0;
	int64_t start_ns = cpu_ns();
	for (size_t i = 0; i < n; i++)
		r |= message_parse(&m, str_of(line));
	if (r < 0)
		die("a line that is none");
	return ns_each(start_ns, n);
}

static double build_ns(size_t n)
{
	struct str target = STR("#ebb"), text = STR("have you seen the new release yet?");
	struct schema_arg args[] = {
		{.name = STR("target"),  .values = &target, .n_values = 1},
		{.name = STR("message"), .values = &text,   .n_values = 1},
	};
	struct buf out;
	int r = 0;
	buf_init(&out, 1024);
	int64_t start_ns = cpu_ns();
	for (size_t i = 0; i < n; i++) {
		buf_reset(&out);
		r |= schema_build(&out, STR("privmsg"), args, COUNTOF(args), NULL);
	}
	double each = ns_each(start_ns, n);
	if (r < 0)
		die("a line cannot be built");
	buf_fini(&out);
	return each;
}

static void measure_lines(void)
{
	size_t n = LINES / divisor * 4;
	note_ns("parse a line", parse_ns(plain_line, n));
	note_ns("parse a line with tags", parse_ns(tagged_line, n));
	note_ns("build a line", build_ns(n));
}

static double feed_ns(struct talk *t, const char *line, size_t n)
{
	size_t expected = t->n_events + n;
	int64_t start_ns = cpu_ns();
	for (size_t i = 0; i < n; i++)
		session_feed(t->session, str_of(line), 0);
	if (t->n_events != expected)
		die("the session lost lines");
	return ns_each(start_ns, n);
}

static void measure_session(void)
{
	struct talk t;
	talk_begin(&t);
	note_ns("session: line to event", feed_ns(&t, plain_line, LINES / divisor));
	note_ns("session: line with tags to event", feed_ns(&t, tagged_line, LINES / divisor));
	talk_end(&t);
}

/*
 * The yardstick: a bare Lua state and lua_pcall, with an event made as one who has nothing else to
 * care for would make it. A table holds seven fields, and the tags if the line has any; a userdata
 * borrows the message and reads a field when it is asked for one.
 */

static const struct {
	const char *name;
	size_t at; /* in struct message */
} yard_fields[] = {
	{"raw",     offsetof(struct message, raw)      },
	{"command", offsetof(struct message, command)  },
	{"nick",    offsetof(struct message, nick)     },
	{"user",    offsetof(struct message, user)     },
	{"host",    offsetof(struct message, host)     },
	{"target",  offsetof(struct message, params[0])},
	{"message", offsetof(struct message, params[1])},
};

static void push_field(lua_State *L, const struct message *m, size_t i)
{
	const char *base = (const char *)m;
	const struct str *s = (const struct str *)(const void *)(base + yard_fields[i].at);
	lua_pushlstring(L, s->p, s->n);
}

static void push_tags(lua_State *L, const struct message *m)
{
	struct str rest = m->tags, key, value;
	struct buf b;
	buf_init(&b, MESSAGE_TAGS_BYTES);
	lua_newtable(L);
	while (message_next_tag(&rest, &key, &value)) {
		buf_reset(&b);
		lua_pushlstring(L, key.p, key.n);
		if (str_has(value, '\\') && message_unescape(&b, value) == 0)
			value = buf_str(&b);
		lua_pushlstring(L, value.p, value.n);
		lua_rawset(L, -3);
	}
	buf_fini(&b);
}

static void push_table(lua_State *L, const struct message *m)
{
	lua_createtable(L, 0, COUNTOF(yard_fields) + (m->tags.p != NULL));
	for (size_t i = 0; i < COUNTOF(yard_fields); i++) {
		push_field(L, m, i);
		lua_setfield(L, -2, yard_fields[i].name);
	}
	if (m->tags.p) {
		push_tags(L, m);
		lua_setfield(L, -2, "tags");
	}
}

static int yard_index(lua_State *L)
{
	const struct message *const *place = lua_touserdata(L, 1);
	lua_pushvalue(L, 2);
	if (lua_rawget(L, lua_upvalueindex(1)) == LUA_TNUMBER)
		push_field(L, *place, (size_t)lua_tointeger(L, -1));
	return 1;
}

static void push_userdata(lua_State *L, const struct message *m)
{
	const struct message **place = lua_newuserdatauv(L, sizeof(*place), 0);
	*place = m;
	luaL_setmetatable(L, "yard");
}

/* Leaves the function that `source` returns at index 1. */
static lua_State *yard_begin(const char *source)
{
	lua_State *L = luaL_newstate();
	if (!L || luaL_dostring(L, source) != LUA_OK)
		die("no yardstick");
	luaL_newmetatable(L, "yard");
	lua_newtable(L);
	for (size_t i = 0; i < COUNTOF(yard_fields); i++) {
		lua_pushinteger(L, (lua_Integer)i);
		lua_setfield(L, -2, yard_fields[i].name);
	}
	lua_pushcclosure(L, yard_index, 1);
	lua_setfield(L, -2, "__index");
	lua_settop(L, 1);
	return L;
}

static double yard_ns(const char *source, const char *line,
	void (*push)(lua_State *L, const struct message *m), size_t n)
{
	lua_State *L = yard_begin(source);
	struct message m = parse(line);
	int64_t start_ns = 0;
	for (size_t i = 0; i < n + n / 10; i++) {
		if (i == n / 10)
			start_ns = cpu_ns();
		lua_pushvalue(L, 1);
		push(L, &m);
		if (lua_pcall(L, 1, 0, 0) != LUA_OK)
			die(lua_tostring(L, -1));
	}
	double each = ns_each(start_ns, n);
	lua_close(L);
	return each;
}

/* The same with ebb's own event object, made by hand, in a script's state. */
static double same_object_ns(const char *source, const char *line, size_t n)
{
	struct scene sc;
	struct message m = parse(line);
	int64_t start_ns = 0;
	scene_begin(&sc);
	scene_load(&sc, "");
	lua_State *L = container_of(sc.host.scripts.next, struct script, node)->vm.L;
	struct isupport *is = session_isupport(sc.talk.session);
	struct event e = {.kind = event_kind_of(&m, is),
		.is_line = true,
		.net = sc.net->handle,
		.net_name = str_of("test"),
		.name = "privmsg",
		.isupport = is,
		.m = m};
	if (luaL_dostring(L, source) != LUA_OK)
		die("no yardstick");
	for (size_t i = 0; i < n + n / 10; i++) {
		if (i == n / 10)
			start_ns = cpu_ns();
		e.number++;
		lua_pushvalue(L, -1);
		lib_push_event(L, &e);
		if (lua_pcall(L, 1, 0, 0) != LUA_OK)
			die(lua_tostring(L, -1));
	}
	double each = ns_each(start_ns, n);
	scene_end(&sc);
	return each;
}

/* Events and the scripts that hear them. */

struct handler_case {
	const char *what, *line, *body, *bar;
};

/* Beside the yardstick, in the same round. */
static void measure_handler(const struct handler_case *c)
{
	char source[LOAD_MAX_BYTES], name[sizeof(rows[0].name)];
	struct scene sc;
	size_t n = LINES / divisor;
	snprintf(source, sizeof(source), "on('privmsg', function(ev) %s end)", c->body);
	scene_begin(&sc);
	scene_load(&sc, source);
	uint64_t expected = sc.host.made + n + n / 10;
	double handler = line_ns(&sc, c->line, n);
	if (sc.host.made != expected)
		die("a handler did not run");
	scene_end(&sc);
	snprintf(source, sizeof(source), "return function(ev) %s end", c->body);
	double table = yard_ns(source, c->line, push_table, n);
	double userdata = yard_ns(source, c->line, push_userdata, n);
	double object = same_object_ns(source, c->line, n);

	snprintf(name, sizeof(name), "event to handler, %s", c->what);
	note_ns(name, handler);
	snprintf(name, sizeof(name), "lua_pcall with a table, %s", c->what);
	note_ns(name, table);
	snprintf(name, sizeof(name), "lua_pcall with a userdata, %s", c->what);
	note_ns(name, userdata);
	snprintf(name, sizeof(name), "handler against lua_pcall with a table, %s", c->what);
	note(name, handler / table, "times", c->bar);
	snprintf(name, sizeof(name), "handler against lua_pcall with a userdata, %s", c->what);
	note(name, handler / userdata, "times", "-");
	snprintf(name, sizeof(name), "lua_pcall with the same object, %s", c->what);
	note_ns(name, object);
	snprintf(name, sizeof(name), "handler against lua_pcall with the same object, %s", c->what);
	note(name, handler / object, "times", "2");
}

/* What a handler that keeps nothing leaves to the collector, which does not see what an event holds
 * outside of Lua. */
static void measure_garbage(void)
{
	struct scene sc;
	size_t n = LINES / divisor * 10;
	scene_begin(&sc);
	scene_load(&sc, "on('privmsg', function(ev) end)");
	double before = taken_bytes(&sc), most = before;
	int64_t start_ns = cpu_ns();
	for (int i = 0; i < 100; i++) {
		give(&sc, plain_line, n / 100);
		most = taken_bytes(&sc) > most ? taken_bytes(&sc) : most;
	}
	double each = ns_each(start_ns, n);
	scene_end(&sc);
	note_many(n, "events to a handler, 0 fields: each", each, "ns", "-");
	note_many(n, "events to a handler, 0 fields: most bytes", most - before, "B", "-");
}

static void measure_handlers(void)
{
	static const char two[] = "local a, b = ev.nick, ev.message";
	static const char five[] =
		"local a, b, c, d, e = ev.nick, ev.user, ev.host, ev.target, ev.message";
	static const struct handler_case cases[] = {
		{"0 fields",       plain_line,  "",   "-"},
		{"2 fields",       plain_line,  two,  "-"},
		{"5 fields",       plain_line,  five, "-"},
		{"tags, 0 fields", tagged_line, "",   "-"},
	};
	for (size_t i = 0; i < COUNTOF(cases); i++)
		measure_handler(&cases[i]);
	measure_garbage();
}

/* A line that n scripts with the same source hear, none of which has a handler for it. */
static double unheard_ns(const char *source, size_t n_scripts)
{
	struct scene sc;
	scene_begin(&sc);
	for (size_t i = 0; i < n_scripts; i++)
		scene_load(&sc, source);
	uint64_t made = sc.host.made;
	double each = line_ns(&sc, plain_line, LINES / divisor);
	if (sc.host.made != made)
		die("a handler ran that should not");
	scene_end(&sc);
	return each;
}

static void measure_filters(void)
{
	static const char others[] =
		"for _, name in ipairs { 'join', 'part', 'notice', 'topic' } do"
		"  on(name, function() end) end";
	double alone = unheard_ns("", 0), ten = unheard_ns(others, 10);
	note_ns("a line without scripts", alone);
	note_ns("a line, 10 scripts without a subscription to it", ten);
	note_ns("a script without a subscription to a line", (ten - alone) / 10);
	note_ns("a filter by channel that does not match",
		unheard_ns("on('privmsg', { channel = '#other' }, function() end)", 1) - alone);
	note_ns("a filter with match that does not match",
		unheard_ns("on('privmsg', { match = '^!tea (%d+)$' }, function() end)", 1) - alone);
	note_ns("a filter by channel with match that does not match",
		unheard_ns("on('privmsg', { channel = '#ebb', match = '^!tea (%d+)$' },"
			   "  function() end)",
			1) -
			alone);
}

/* Tasks that pause. */

/* Each line makes a task that pauses; after that `wake` ends the pauses of all. */
struct pause_case {
	const char *what, *body, *bar;
	bool is_timed; /* a time wakes them, else an event */
};

static void measure_pause(const struct pause_case *c, size_t n)
{
	char source[LOAD_MAX_BYTES];
	struct scene sc;
	snprintf(source, sizeof(source), "on('notice', function(ev) %s end)", c->body);
	scene_begin(&sc);
	scene_load(&sc, source);
	double bytes = taken_bytes(&sc);
	int64_t start_ns = cpu_ns();
	give(&sc, other_line, n);
	double made = ns_each(start_ns, n);
	bytes = taken_bytes(&sc) - bytes;
	expect_tasks(&sc, n);
	start_ns = cpu_ns();
	if (c->is_timed)
		pass(&sc, 61 * NS_PER_S);
	else
		give(&sc, plain_line, 1);
	double woken = ns_each(start_ns, n);
	expect_tasks(&sc, 0);
	scene_end(&sc);

	char what[64];
	snprintf(what, sizeof(what), "%s: make each", c->what);
	note_many(n, what, made, "ns", "-");
	snprintf(what, sizeof(what), "%s: wake each", c->what);
	note_many(n, what, woken, "ns", "-");
	snprintf(what, sizeof(what), "%s: bytes each, all told", c->what);
	note_many(n, what, bytes / (double)n, "B", c->bar);
}

static void measure_sleepers(void)
{
	static const struct pause_case sleepers = {"sleeping handlers", "sleep(60)", "1843", true};
	measure_pause(&sleepers, 10000 / divisor);
	measure_pause(&sleepers, MANY / divisor);
}

static void measure_waits(void)
{
	static const struct pause_case waits = {
		"waits for one event", "wait('privmsg')", "-", false};
	static const struct pause_case timed = {
		"waits with a timeout, won by the event", "wait('privmsg', 60)", "-", false};
	measure_pause(&waits, MANY / divisor);
	measure_pause(&timed, MANY / divisor);

	struct scene sc;
	scene_begin(&sc);
	scene_load(&sc, "spawn(function() while wait('privmsg', 60) do end end)");
	note_ns("a wait with a timeout, won by the event, in a loop",
		line_ns(&sc, plain_line, LINES / divisor));
	expect_tasks(&sc, 1);
	scene_end(&sc);
}

/* Closures that run later, a microsecond apart, or when all of them are late. */
static void measure_late_alarms(bool is_late)
{
	char source[LOAD_MAX_BYTES];
	struct scene sc;
	size_t n = MANY / divisor;
	snprintf(source, sizeof(source),
		"on('notice', function()"
		"  for i = 1, %zu do after(60 + i / 1e6, function() return i end) end "
		"end)",
		n);
	scene_begin(&sc);
	scene_load(&sc, source);
	double bytes = taken_bytes(&sc);
	int64_t start_ns = cpu_ns();
	give(&sc, other_line, 1);
	double made = ns_each(start_ns, n);
	bytes = taken_bytes(&sc) - bytes;
	uint64_t expected = sc.host.made + n;
	start_ns = cpu_ns();
	if (is_late)
		pass(&sc, 61 * NS_PER_S);
	else
		pass_slowly(&sc, 61 * NS_PER_S);
	double run = ns_each(start_ns, n);
	if (sc.host.made != expected)
		die("not every alarm went off");
	scene_end(&sc);
	if (is_late) {
		note_many(n, "calls of after: run each, all late", run, "ns", "-");
		return;
	}
	note_many(n, "calls of after: make each", made, "ns", "-");
	note_many(n, "calls of after: run each", run, "ns", "-");
	note_many(n, "calls of after: bytes each, all told", bytes / (double)n, "B", "-");
}

static void measure_alarms(void)
{
	measure_late_alarms(false);
	measure_late_alarms(true);
}

/* The heap of deadlines by itself. */

static size_t n_fired;

static void on_fire(struct timer *t)
{
	(void)t;
	n_fired++;
}

static void set_all(struct timers *ts, struct timer *all, size_t n)
{
	struct rand r = {1};
	for (size_t i = 0; i < n; i++) {
		all[i].fire = on_fire;
		timers_set(ts, &all[i], 1 + (int64_t)rand_below(&r, (uint64_t)NS_PER_S));
	}
}

static void measure_timers(void)
{
	struct timers ts;
	size_t n = MANY / divisor;
	struct timer *all = mem_new(n * sizeof(*all));
	timers_init(&ts, 0);
	int64_t start_ns = cpu_ns();
	set_all(&ts, all, n);
	note_many(n, "timers in any order: set each", ns_each(start_ns, n), "ns", "-");
	n_fired = 0;
	start_ns = cpu_ns();
	timers_run(&ts, NS_PER_S);
	note_many(n, "timers in any order: fire each", ns_each(start_ns, n), "ns", "-");
	if (n_fired != n)
		die("not every timer fired");
	set_all(&ts, all, n);
	start_ns = cpu_ns();
	for (size_t i = 0; i < n; i++)
		timers_cancel(&ts, &all[i]);
	note_many(n, "timers in any order: cancel each", ns_each(start_ns, n), "ns", "-");
	timers_fini(&ts);
	free(all);
}

/* The runtime beside Lua's own. */

static const char *const runtime_cases[][2] = {
	{"pcall of a function",             "local function f() end for i = 1, n do pcall(f) end"},
	{"resume and yield of a coroutine",
         "local co = coroutine.create(function() while true do coroutine.yield() end end)"
		" for i = 1, n do coroutine.resume(co) end"                                      },
	{"a coroutine made and run",
         "local function f() end for i = 1, n do coroutine.wrap(f)() end"                        },
};

static double stock_ns(const char *code, size_t n)
{
	lua_State *L = luaL_newstate();
	if (!L)
		die("no state");
	luaL_openlibs(L);
	lua_gc(L, LUA_GCGEN, 0, 0);
	int64_t start_ns = cpu_ns();
	if (luaL_dostring(L, code) != LUA_OK)
		die(lua_tostring(L, -1));
	double each = ns_each(start_ns, n);
	lua_close(L);
	return each;
}

static double own_ns(const char *code, size_t n)
{
	char source[LOAD_MAX_BYTES];
	struct scene sc;
	snprintf(source, sizeof(source), "on('notice', function() %s end)", code);
	scene_begin(&sc);
	scene_load(&sc, source);
	int64_t start_ns = cpu_ns();
	give(&sc, other_line, 1);
	double each = ns_each(start_ns, n);
	expect_tasks(&sc, 0);
	scene_end(&sc);
	return each;
}

static void measure_runtime(void)
{
	char code[LOAD_MAX_BYTES / 2], name[sizeof(rows[0].name)];
	size_t n = 10 * LINES / divisor;
	for (size_t i = 0; i < COUNTOF(runtime_cases); i++) {
		snprintf(code, sizeof(code), "local n = %zu %s", n, runtime_cases[i][1]);
		double own = own_ns(code, n);
		note_ns(runtime_cases[i][0], own);
		snprintf(name, sizeof(name), "%s, against Lua's", runtime_cases[i][0]);
		note(name, own / stock_ns(code, n), "times", "-");
	}
}

/* A script that keeps about 64 MB: it is loaded, and dropped as it is. */
static void measure_large_state(void)
{
	char source[LOAD_MAX_BYTES];
	struct scene sc;
	size_t n = 330000 / divisor;
	snprintf(source, sizeof(source),
		"kept = {} for i = 1, %zu do kept[i] = { i, 'number ' .. i } end", n);
	scene_begin(&sc);
	int64_t start_ns = cpu_ns();
	scene_load(&sc, source);
	note("a large state: load", ns_each(start_ns, 1) / NS_PER_MS, "ms", "-");
	note("a large state: its size", taken_bytes(&sc) / 1e6, "MB", "-");
	start_ns = cpu_ns();
	scene_end(&sc);
	note("a large state: teardown", ns_each(start_ns, 1) / NS_PER_MS, "ms", "-");
}

/* What scripts send. */

/* One line of Lua in a loop within one handler. */
static double sending_ns(const char *statement, size_t n)
{
	char source[LOAD_MAX_BYTES];
	struct scene sc;
	snprintf(source, sizeof(source),
		"on('notice', function(ev)"
		"  for i = 1, %zu do %s end "
		"end)",
		n, statement);
	scene_begin(&sc);
	scene_load(&sc, source);
	give(&sc, other_line, 1);
	size_t sent = sc.n_sent;
	int64_t start_ns = cpu_ns();
	give(&sc, other_line, 1);
	double each = ns_each(start_ns, n);
	if (sc.n_sent != sent + n)
		die("not every line was sent");
	scene_end(&sc);
	return each;
}

/* Each line in a turn of its own, a microsecond after the one before. */
static void feed_all(struct scene *sc, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		timers_run(&sc->timers, sc->timers.now_ns + 1000);
		session_feed(sc->talk.session, str_of(plain_line), 0);
		settle(sc);
	}
}

/* A line into the session, a handler that answers it, and the answer out of the session. */
static double echo_ns(size_t n)
{
	struct scene sc;
	scene_begin(&sc);
	scene_load(&sc, "on('privmsg', function(ev) ev:reply(ev.message) end)");
	sc.has_session = true;
	sc.talk.net = sc.net;
	feed_all(&sc, n / 10);
	int64_t start_ns = cpu_ns();
	feed_all(&sc, n);
	double each = ns_each(start_ns, n);
	if (sc.n_sent != n + n / 10 || sc.talk.n_written < n)
		die("not every line was answered");
	scene_end(&sc);
	return each;
}

static void measure_sending(void)
{
	size_t n = LINES / divisor;
	note_ns("send a line",
		sending_ns("send('privmsg', { target = '#ebb', message = 'hi' })", n));
	note_ns("reply to an event", sending_ns("ev:reply('hi')", n));
}

static void measure_echo(void)
{
	note_ns("echo: line in, handler, reply, line out", echo_ns(LINES / divisor));
}

/* Patterns as bots use them, beside Lua's own functions. */

static const struct pattern_case {
	const char *what, *body;
} pattern_cases[] = {
	{"a command and its arguments", "command:match('^!(%w+)%s*(.*)$')"                    },
	{"no command",                  "talk:match('^!(%w+)%s*(.*)$')"                       },
	{"a link",		      "talk:match('https?://%S+')"                          },
	{"a link by a set",             "talk:find('(https?://[%w%-%._~:/%?#@!%$&%*%+,;=]+)')"},
	{"trim",			"padded:match('^%s*(.-)%s*$')"                        },
	{"words",		       "for word in talk:gmatch('%S+') do end"               },
	{"a list",		      "for name in list:gmatch('[^,]+') do end"             },
	{"keys and values",             "for k, v in settings:gmatch('(%w+)=(%w+)') do end"   },
	{"escape specials",             "formula:gsub('[%^%$%(%)%%%.%[%]%*%+%-%?]', '%%%0')"  },
	{"a number",                    "talk:match('%d+')"                                   },
	{"a date",		      "talk:match('(%d+)-(%d+)-(%d+)')"                     },
	{"strip colours",               "colours:gsub('\\3%d?%d?,?%d?%d?', '')"               },
	{"strip formatting",            "colours:gsub('[\\2\\15\\22\\29\\31]', '')"           },
	{"a mask",		      "mask:match('^([^!]+)!([^@]+)@(.+)$')"                },
	{"a text as it is",             "talk:find('release', 1, true)"                       },
	{"a whole word",                "talk:find('%f[%w]yet%f[%W]')"                        },
	{"a template by a table",       "template:gsub('%$(%w+)', values)"                    },
	{"a template by a function",    "template:gsub('%$(%w+)', get)"                       },
};

/* A function of how often at index 1. */
static lua_State *open_patterns(const struct pattern_case *c, bool is_ours)
{
	static const char texts[] =
		"local command, padded = '!tea 5 minutes and more', '   some words in between   '\n"
		"local talk = 'have you seen https://example.org/notes?id=42 yet? it is of 2024-05-17'\n"
		"local list, settings, formula = '#a,#b,#ebb,#d', 'a=1 bc=22 def=333', '1.5 (a+b)*c?'\n"
		"local colours = '\\00304,12ebb\\3 has \\2news\\2: \\00303version 1.2\\3 is here'\n"
		"local mask, template = 'alice!al@user/alice', 'hello $nick, this is $channel'\n"
		"local values = { nick = 'alice', channel = '#ebb' }\n"
		"local function get(name) return values[name] end\n";
	char source[LOAD_MAX_BYTES];
	lua_State *L = luaL_newstate();
	snprintf(source, sizeof(source), "%s return function(n) for _ = 1, n do %s end end", texts,
		c->body);
	if (!L)
		die("no memory");
	luaL_openlibs(L);
	if (is_ours)
		lib_open_string(L);
	if (luaL_dostring(L, source) != LUA_OK)
		die(lua_tostring(L, -1));
	return L;
}

static double pattern_ns(lua_State *L, size_t n)
{
	int64_t start_ns = cpu_ns();
	lua_pushvalue(L, 1);
	lua_pushinteger(L, (lua_Integer)n);
	if (lua_pcall(L, 1, 0, 0) != LUA_OK)
		die(lua_tostring(L, -1));
	return ns_each(start_ns, n);
}

/* How many times as long it takes as Lua's own, which is asked in turn with ours. */
static double pattern_ratio(const struct pattern_case *c)
{
	enum { TURNS = 10 };
	lua_State *stock = open_patterns(c, false), *ours = open_patterns(c, true);
	double stock_ns = 0, ours_ns = 0;
	for (int i = 0; i < TURNS; i++) {
		stock_ns += pattern_ns(stock, LINES / divisor / TURNS / 4);
		ours_ns += pattern_ns(ours, LINES / divisor / TURNS / 4);
	}
	lua_close(stock);
	lua_close(ours);
	return ours_ns / stock_ns;
}

static void measure_patterns(void)
{
	char name[sizeof(rows[0].name)];
	double sum = 0;
	for (size_t i = 0; i < COUNTOF(pattern_cases); i++) {
		double ratio = pattern_ratio(&pattern_cases[i]);
		snprintf(name, sizeof(name), "pattern against Lua's: %s", pattern_cases[i].what);
		note(name, ratio, "times", "-");
		sum += ratio;
	}
	note("ordinary patterns against Lua's, on average", sum / COUNTOF(pattern_cases), "times",
		"1.10");
}

/* Reloads: a script of 200 lines, as a bot has it, with its module. */

static const char module_source[] = "local words = {}\n"
				    "\n"
				    "local units = { s = 1, m = 60, h = 3600, d = 86400 }\n"
				    "\n"
				    "function words.split(text)\n"
				    "  local all = {}\n"
				    "  for word in text:gmatch('%S+') do all[#all + 1] = word end\n"
				    "  return all\n"
				    "end\n"
				    "\n"
				    "function words.trim(text)\n"
				    "  return (text:gsub('^%s+', ''):gsub('%s+$', ''))\n"
				    "end\n"
				    "\n"
				    "-- '1h30m' as seconds; nil where it is no duration.\n"
				    "function words.duration(text)\n"
				    "  local sum = 0\n"
				    "  for number, unit in text:gmatch('(%d+)(%a)') do\n"
				    "    if not units[unit] then return nil end\n"
				    "    sum = sum + tonumber(number) * units[unit]\n"
				    "  end\n"
				    "  return sum > 0 and sum or nil\n"
				    "end\n"
				    "\n"
				    "function words.plural(n, word)\n"
				    "  return n .. ' ' .. word .. (n == 1 and '' or 's')\n"
				    "end\n"
				    "\n"
				    "return words\n";

static const char head_source[] =
	"local words = require('words')\n"
	"\n"
	"local limits = { items = 100, text = 300, wait = 5 }\n"
	"local colours = { red = 4, green = 3, blue = 2, grey = 14, black = 1, white = 0 }\n"
	"local greetings = { 'hello', 'good morning', 'welcome back', 'how are you' }\n"
	"\n"
	"state.counts = state.counts or {}\n"
	"state.lists = state.lists or {}\n"
	"\n"
	"local function count(name)\n"
	"  state.counts[name] = (state.counts[name] or 0) + 1\n"
	"  return state.counts[name]\n"
	"end\n"
	"\n"
	"local function painted(text, colour)\n"
	"  return '\\3' .. (colours[colour] or 1) .. text .. '\\3'\n"
	"end\n"
	"\n"
	"on('join', function(ev)\n"
	"  if count('join') % 100 == 0 then\n"
	"    ev:reply(greetings[count('greeting') % #greetings + 1] .. ', ' .. ev.nick)\n"
	"  end\n"
	"end)\n"
	"\n"
	"on({ 'part', 'quit' }, function(ev)\n"
	"  count('left ' .. (ev.nick or '?'))\n"
	"end)\n"
	"\n"
	"every(60, function()\n"
	"  for name, list in pairs(state.lists) do\n"
	"    while #list > limits.items do table.remove(list, 1) end\n"
	"    if #list == 0 then state.lists[name] = nil end\n"
	"  end\n"
	"end)\n"
	"\n"
	"on_reload(function(kept) kept.counts.reloads = (kept.counts.reloads or 0) + 1 end)\n";

#define COMMAND_SOURCE                                                                      \
	"\n"                                                                                \
	"-- Keeps what is said in list %1$d, and tells of it.\n"                            \
	"on('privmsg', { match = '^!list%1$d%%s*(.*)$' }, function(ev, rest)\n"             \
	"  local list = state.lists.list%1$d or {}\n"                                       \
	"  local verb, text = rest:match('^(%%w+)%%s*(.*)$')\n"                             \
	"  state.lists.list%1$d = list\n"                                                   \
	"  if verb == 'add' and #text <= limits.text then\n"                                \
	"    list[#list + 1] = { who = ev.nick, text = words.trim(text) }\n"                \
	"    ev:reply(painted('noted', 'green') .. ', ' .. words.plural(#list, 'entry'))\n" \
	"  elseif verb == 'drop' and tonumber(text) then\n"                                 \
	"    table.remove(list, tonumber(text))\n"                                          \
	"  else\n"                                                                          \
	"    ev:reply(list[1] and list[1].text or 'nothing in list %1$d')\n"                \
	"  end\n"                                                                           \
	"end)\n"

enum { COMMANDS = 9 };

/* What stands for ebb where there is only Lua. */
#define BARE_SOURCE                  \
	"package.path = '%s/?.lua' " \
	"state = {} function on() end every, on_reload = on, on"

struct bot {
	char folder[32], script[64], module[64];
};

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	if (!f || fputs(text, f) < 0 || fclose(f) != 0)
		die(path);
}

static size_t count_lines(const char *text)
{
	size_t n = 0;
	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static void bot_begin(struct bot *b)
{
	char text[16 * 1024];
	size_t n = sizeof(head_source) - 1;
	memcpy(text, head_source, n + 1);
	for (int i = 1; i <= COMMANDS; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, COMMAND_SOURCE, i);
	if (count_lines(text) + count_lines(module_source) != 200)
		die("the script has not 200 lines");
	snprintf(b->folder, sizeof(b->folder), "/tmp/ebbinside.XXXXXX");
	if (!mkdtemp(b->folder))
		die("no folder");
	snprintf(b->script, sizeof(b->script), "%s/bench.lua", b->folder);
	snprintf(b->module, sizeof(b->module), "%s/words.lua", b->folder);
	write_file(b->script, text);
	write_file(b->module, module_source);
}

static void bot_end(struct bot *b)
{
	unlink(b->script);
	unlink(b->module);
	rmdir(b->folder);
}

/* A bare state that loads the same, and is closed. */
static double bare_load_ns(const struct bot *b)
{
	char source[sizeof(BARE_SOURCE) + sizeof(b->folder)];
	snprintf(source, sizeof(source), BARE_SOURCE, b->folder);
	int64_t start_ns = cpu_ns();
	lua_State *L = luaL_newstate();
	if (!L)
		die("no state");
	luaL_openlibs(L);
	if (luaL_dostring(L, source) != LUA_OK || luaL_dofile(L, b->script) != LUA_OK)
		die(lua_tostring(L, -1));
	lua_close(L);
	return ns_each(start_ns, 1);
}

static struct program *first_program(const struct scene *sc)
{
	return container_of(sc->host.programs.next, struct program, node);
}

/* What of a reload is done before the old generation is frozen; the candidate is dropped. */
static double prepare_ns(struct program *p)
{
	struct err err;
	int64_t start_ns = cpu_ns();
	struct script *s = script_new(p->host, p, &p->options);
	if (!s || load_prepare(s, &err) < 0)
		die("a script is refused");
	double each = ns_each(start_ns, 1);
	script_free(s);
	return each;
}

/* The longest turns of a loop that does nothing but to reload, by what it was at when the turn
 * began. */
struct turns {
	double longest_ns[RELOAD_SETTLES + 1];
};

static double longest_ns(const struct turns *turns)
{
	double most = 0;
	for (size_t i = 0; i < COUNTOF(turns->longest_ns); i++)
		most = turns->longest_ns[i] > most ? turns->longest_ns[i] : most;
	return most;
}

static void take_turn(struct scene *sc)
{
	timers_run(&sc->timers, sc->timers.now_ns);
	settle(sc);
}

/* From the call to the commit. turns: NULL, or where they are noted. */
static double reload_ns(struct scene *sc, struct turns *turns)
{
	struct program *p = first_program(sc);
	unsigned n_before = p->n_generations;
	int64_t start_ns = cpu_ns();
	program_reload(p, NULL, NULL);
	double all_ns = ns_each(start_ns, 1);
	while (p->reload) {
		enum reload_phase phase = p->reload->phase;
		start_ns = cpu_ns();
		take_turn(sc);
		double ns = ns_each(start_ns, 1);
		if (turns && ns > turns->longest_ns[phase])
			turns->longest_ns[phase] = ns;
		all_ns += ns;
	}
	if (p->n_generations != n_before + 1)
		die("a script was not reloaded");
	for (bool is_over = false; !is_over;) {
		is_over = timers_next(&sc->timers) != sc->timers.now_ns;
		start_ns = cpu_ns();
		take_turn(sc);
		double ns = ns_each(start_ns, 1);
		if (turns && ns > turns->longest_ns[RELOAD_SETTLES])
			turns->longest_ns[RELOAD_SETTLES] = ns;
	}
	return all_ns;
}

static void measure_plain_reload(void)
{
	enum { TIMES = 200 };
	struct bot b;
	struct scene sc;
	double whole[TIMES], prepare[TIMES], bare[TIMES];
	size_t n = TIMES / divisor;
	bot_begin(&b);
	scene_begin(&sc);
	const char *folder = b.folder;
	struct script_options options = {.name = "bench",
		.path = b.script,
		.limits = no_limits,
		.lib_folders = &folder,
		.n_lib_folders = 1};
	if (program_load(&sc.host, &options) < 0)
		die("a script is refused");
	settle(&sc);
	for (size_t i = 0; i < n; i++) {
		whole[i] = reload_ns(&sc, NULL);
		prepare[i] = prepare_ns(first_program(&sc));
		bare[i] = bare_load_ns(&b);
	}
	scene_end(&sc);
	bot_end(&b);
	qsort(whole, n, sizeof(*whole), compare);
	qsort(prepare, n, sizeof(*prepare), compare);
	qsort(bare, n, sizeof(*bare), compare);
	double median = whole[n / 2];
	note("reload of 200 lines: median", median / 1e3, "us", "-");
	note("reload of 200 lines: p99", whole[n * 99 / 100] / 1e3, "us", "-");
	note("reload of 200 lines: events are held for", (median - prepare[n / 2]) / 1e3, "us",
		"-");
	note("a bare lua_State loads 200 lines: median", bare[n / 2] / 1e3, "us", "-");
	note("reload of 200 lines against a bare lua_State", median / bare[n / 2], "times", "5");
}

/* Makes as many tables as %zu says, and a copy of them when a line comes that says so. */
#define STATE_SOURCE                                                                              \
	"if not state.all then"                                                                   \
	"  local all = {}"                                                                        \
	"  for i = 1, %zu do"                                                                     \
	"    all[i] = { seen = 1700000000 + i, text = 'user ' .. i .. ' was last seen talking' }" \
	"  end"                                                                                   \
	"  state.all = all "                                                                      \
	"end "                                                                                    \
	"on('privmsg', function(ev) state.last = ev.message end)"

#define COPY_SOURCE                                                          \
	"state = {} function on() end " STATE_SOURCE " function copy(value)" \
	"  if type(value) ~= 'table' then return value end"                  \
	"  local to = {}"                                                    \
	"  for k, v in next, value do to[k] = copy(v) end"                   \
	"  return to "                                                       \
	"end"

static double copy_ns(size_t n)
{
	char source[LOAD_MAX_BYTES];
	lua_State *L = luaL_newstate();
	snprintf(source, sizeof(source), COPY_SOURCE, n);
	if (!L)
		die("no state");
	luaL_openlibs(L);
	lua_gc(L, LUA_GCGEN, 0, 0);
	if (luaL_dostring(L, source) != LUA_OK)
		die(lua_tostring(L, -1));
	int64_t start_ns = cpu_ns();
	if (luaL_dostring(L, "state = copy(state)") != LUA_OK)
		die(lua_tostring(L, -1));
	double each = ns_each(start_ns, 1);
	lua_close(L);
	return each;
}

static size_t encoded_bytes(const struct scene *sc)
{
	struct saving saving;
	struct err err;
	int r = saving_begin(&saving, first_program(sc)->script, &err);
	while (r >= 0 && (r = saving_step(&saving, &err)) > 0) {
	}
	if (r < 0)
		die(err.text);
	size_t n = saving.bytes.n;
	saving_fini(&saving);
	return n;
}

/* The longest turn of those in which the new generation hears its first lines, and collects in the
 * time between. */
static double longest_after_ns(struct scene *sc)
{
	double most = 0;
	for (size_t i = 0; i < LINES / divisor / 4; i++) {
		int64_t start_ns = cpu_ns();
		give(sc, plain_line, 1);
		double ns = ns_each(start_ns, 1);
		most = ns > most ? ns : most;
		start_ns = cpu_ns();
		if (sc->is_idle_wanted) {
			sc->is_idle_wanted = false;
			host_idle(&sc->host);
		}
		ns = ns_each(start_ns, 1);
		most = ns > most ? ns : most;
	}
	return most;
}

static void measure_state_reload(void)
{
	char source[LOAD_MAX_BYTES];
	struct scene sc;
	struct turns turns = {0};
	size_t n = MANY / divisor;
	snprintf(source, sizeof(source), STATE_SOURCE, n);
	scene_begin(&sc);
	scene_load(&sc, source);
	while (host_has_held(&sc.host))
		take_turn(&sc);
	size_t bytes = encoded_bytes(&sc);
	double whole = reload_ns(&sc, &turns), after = longest_after_ns(&sc);
	scene_end(&sc);
	double copy = copy_ns(n);
	const double *each = turns.longest_ns;
	note_many(n, "tables in `state`: as bytes", (double)bytes / 1e6, "MB", "-");
	note_many(n, "tables in `state`: reload", whole / 1e6, "ms", "-");
	note_many(n, "tables in `state`: a copy in Lua", copy / 1e6, "ms", "-");
	note_many(n, "tables in `state`: reload against a copy in Lua", whole / copy, "times", "5");
	note_many(n, "tables in `state`: longest turn that saves", each[RELOAD_SAVES] / 1e6, "ms",
		"-");
	note_many(n, "tables in `state`: longest turn that restores", each[RELOAD_RESTORES] / 1e6,
		"ms", "-");
	note_many(n, "tables in `state`: longest turn of a reload", longest_ns(&turns) / 1e6, "ms",
		"10");
	note_many(n, "tables in `state`: longest turn after it", after / 1e6, "ms", "10");
}

static void measure_reloads(void)
{
	measure_plain_reload();
	measure_state_reload();
}

static const struct group {
	const char *name;
	void (*measure)(void); /* one round */
} groups[] = {
	{"lines",    measure_lines      },
	{"session",  measure_session    },
	{"handlers", measure_handlers   },
	{"filters",  measure_filters    },
	{"sleepers", measure_sleepers   },
	{"waits",    measure_waits      },
	{"alarms",   measure_alarms     },
	{"timers",   measure_timers     },
	{"sending",  measure_sending    },
	{"echo",     measure_echo       },
	{"patterns", measure_patterns   },
	{"runtime",  measure_runtime    },
	{"state",    measure_large_state},
	{"reload",   measure_reloads    },
};

static void run_group(const struct group *g)
{
	for (int i = 0; i <= ROUNDS; i++) {
		is_warm_up = i == 0;
		g->measure();
	}
	print_rows();
}

int main(int argc, char **argv)
{
	const char *quick = getenv("QUICK");
	size_t n_run = 0;
	if (quick && *quick)
		divisor = 10;
	for (size_t i = 0; i < COUNTOF(groups); i++) {
		if (argc > 1 && strcmp(argv[1], groups[i].name) != 0)
			continue;
		run_group(&groups[i]);
		n_run++;
	}
	if (n_run == 0)
		die("no such group");
	return 0;
}
