#include "daemon/console.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/programs.h"
#include "daemon/simlink.h"
#include "sim/fault.h"
#include "sim/person.h"

#include <assert.h>
#include <editline/readline.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TYPED_MAX_BYTES = 64 * 1024, READ_BYTES = 4096, LINES_A_LOOK = 50, QUIET_LOOKS = 3 };

#define LOOK_NS (10 * NS_PER_MS)

static const char server[] = "irc.console.example", channel[] = "#ebb", prompt[] = "> ";

struct console {
	struct loop loop;
	struct core core;
	struct programs programs; /* at a terminal: reloaded when their files change */
	struct simlink link;
	struct network_route route;
	struct sim_network *sim;
	struct person *you;
	struct config_network config;
	struct network *network;

	struct loop_fd input;
	struct loop_signal on_term;
	struct buf typed; /* from a pipe, not cut into lines yet */
	char *entered;    /* at a terminal, owned; NULL: nothing yet */
	char *place;      /* where lines without a command go */
	bool is_terminal, is_typing, is_at_end, shows_wire;
	uint64_t made; /* the host's count before the first typed line */
	int quiet_looks;
	int64_t end_ns; /* when the end of the input is not waited out any more */
	struct timer look;
};

/* The terminal library calls back without an argument. */
static struct console *at_terminal;

/* What is shown. */

static void PRINTF(3, 0) put(const struct console *c, FILE *to, const char *fmt, va_list ap)
{
	if (c->is_terminal)
		fputs("\r\033[K", to);
	vfprintf(to, fmt, ap);
	putc('\n', to);
	fflush(to);
	if (c->is_terminal && c->is_typing)
		rl_forced_update_display();
	else if (c->is_terminal)
		fputs(prompt, to);
	fflush(to);
}

/* What is said and done. */
static void PRINTF(2, 3) show(const struct console *c, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	put(c, stdout, fmt, ap);
	va_end(ap);
}

/* What the console itself has to say. */
static void PRINTF(2, 3) tell(const struct console *c, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	put(c, c->is_terminal ? stdout : stderr, fmt, ap);
	va_end(ap);
}

/* Control characters of the bot's are shown, not obeyed. */
static void clean(struct str text, char *out, size_t size)
{
	size_t n = 0;
	for (size_t i = 0; i < text.n && n + 1 < size; i++) {
		unsigned char b = (unsigned char)text.p[i];
		if (b >= ' ' && b != 0x7f)
			out[n++] = text.p[i];
	}
	out[n] = '\0';
}

static bool is_bot(const struct console *c, struct str nick)
{
	const struct net *n = net_find(&c->core.host, str_of(c->config.name));
	return str_ieq(nick, str_of(net_facts(n).nick));
}

/* From a pipe only what the bot says is shown, as it is. */
static void show_talk(struct console *c, const struct message *m)
{
	static const struct str action = STR("\x01"
					     "ACTION ");
	struct str text = message_last(m);
	char words[MESSAGE_BYTES];
	bool is_action = str_starts(text, action);
	clean(is_action ? str_skip(text, action.n) : text, words, sizeof(words));
	if (!c->is_terminal) {
		if (is_bot(c, m->nick))
			show(c, "%s", words);
		return;
	}
	if (is_action)
		show(c, "* %" STR_F " %s", STR_A(m->nick), words);
	else if (str_ieq(m->command, STR("NOTICE")))
		show(c, "-%" STR_F "- %s", STR_A(m->source), words);
	else if (m->n_params && m->params[0].n && m->params[0].p[0] == '#')
		show(c, "<%" STR_F "> %s", STR_A(m->nick), words);
	else
		show(c, "[%" STR_F "] %s", STR_A(m->nick), words);
}

/* How people see the other lines: %s is the nick, then the rest of the parameters. */
static const struct sight {
	const char *command, *words;
} sights[] = {
	{"JOIN",   "joins"          },
	{"PART",   "leaves"         },
	{"QUIT",   "quits"          },
	{"KICK",   "kicks"          },
	{"NICK",   "is now known as"},
	{"MODE",   "sets"           },
	{"TOPIC",  "sets the topic" },
	{"INVITE", "invites"        },
};

static void show_deed(struct console *c, const struct message *m, const char *words)
{
	char rest[2 * MESSAGE_BYTES] = "", part[MESSAGE_BYTES];
	for (size_t i = 0; i < m->n_params; i++) {
		size_t n = strlen(rest);
		clean(m->params[i], part, sizeof(part));
		snprintf(rest + n, sizeof(rest) - n, " %s", part);
	}
	show(c, "-- %" STR_F " %s%s", STR_A(m->nick.p ? m->nick : m->source), words, rest);
}

static void on_heard(void *data, const struct message *m)
{
	struct console *c = data;
	if (str_ieq(m->command, STR("PRIVMSG")) || str_ieq(m->command, STR("NOTICE"))) {
		show_talk(c, m);
		return;
	}
	if (str_ieq(m->command, STR("JOIN")) && str_ieq(m->nick, str_of(person_nick(c->you)))) {
		free(c->place);
		c->place = str_dup(m->params[0]);
	}
	for (size_t i = 0; c->is_terminal && i < COUNTOF(sights); i++)
		if (str_ieq(m->command, str_of(sights[i].command)))
			show_deed(c, m, sights[i].words);
	if (c->is_terminal && m->numeric >= 400)
		show_deed(c, m, "refuses:");
}

static void on_log(enum log_level level, struct str text, void *data)
{
	(void)level;
	while (text.p) {
		struct str line = str_cut(&text, '\n');
		show(data, "   %" STR_F, STR_A(line));
	}
}

/* What is typed. */

static void say(struct console *c, const char *target, struct str text)
{
	person_say(c->you, target, text);
	if (c->is_terminal && target[0] != '#')
		show(c, "-> %s: %" STR_F, target, STR_A(text));
}

static void do_nick(struct console *c, struct str rest)
{
	char *nick = str_dup(str_word(&rest, " "));
	person_nick_to(c->you, nick);
	free(nick);
}

static void do_join(struct console *c, struct str rest)
{
	char *name = str_dup(str_word(&rest, " "));
	person_join(c->you, name, NULL); /* the place changes when it is seen to happen */
	free(name);
}

static void do_part(struct console *c, struct str rest)
{
	char *name = rest.n ? str_dup(str_word(&rest, " ")) : mem_strdup(c->place);
	person_part(c->you, name, str_trim(rest));
	free(name);
}

static void do_msg(struct console *c, struct str rest)
{
	char *target = str_dup(str_word(&rest, " "));
	say(c, target, str_trim(rest));
	free(target);
}

static void do_drop(struct console *c, struct str rest)
{
	(void)rest;
	fault_drop(c->sim, NULL);
}

static void do_raw(struct console *c, struct str rest)
{
	(void)rest;
	c->shows_wire = !c->shows_wire;
	log_set_level(c->shows_wire ? LOG_TRACE : LOG_INFO);
	tell(c, "   the wire is %s", c->shows_wire ? "shown" : "hidden");
}

static void do_quit(struct console *c, struct str rest)
{
	(void)rest;
	loop_stop(&c->loop);
}

static void do_help(struct console *c, struct str rest);

static const struct command {
	const char *name, *usage, *help;
	bool needs_text;
	void (*run)(struct console *c, struct str rest);
} commands[] = {
	{"nick", "/nick NICK",       "change your nick",                               true,  do_nick},
	{"join", "/join CHANNEL",    "join a channel, and talk there",                 true,  do_join},
	{"part", "/part [CHANNEL]",  "leave it",                                       false, do_part},
	{"msg",  "/msg TARGET TEXT", "say something to somebody, or in a channel",     true,  do_msg },
	{"drop", "/drop",            "break the bot's connection, to watch it return", false, do_drop},
	{"raw",  "/raw",             "show the wire, or hide it again",                false, do_raw },
	{"help", "/help",            "this list",                                      false, do_help},
	{"quit", "/quit",            "leave",					  false, do_quit},
};

static void do_help(struct console *c, struct str rest)
{
	(void)rest;
	for (size_t i = 0; i < COUNTOF(commands); i++)
		tell(c, "   %-18s %s", commands[i].usage, commands[i].help);
	tell(c, "   all else is said in %s", c->place);
}

static void obey(struct console *c, struct str line)
{
	struct str rest = str_skip(line, 1);
	struct str name = str_word(&rest, " ");
	rest = str_trim(rest);
	for (size_t i = 0; i < COUNTOF(commands); i++) {
		if (!str_ieq(name, str_of(commands[i].name)))
			continue;
		if (commands[i].needs_text && rest.n == 0)
			tell(c, "   %s", commands[i].usage);
		else
			commands[i].run(c, rest);
		return;
	}
	tell(c, "   no command /%" STR_F "; /help lists them", STR_A(name));
}

static void take_line(struct console *c, struct str line)
{
	line = str_trim(line);
	if (line.n == 0)
		return;
	if (line.p[0] == '/')
		obey(c, line);
	else
		say(c, c->place, line);
}

static void on_terminal_line(char *line)
{
	struct console *c = at_terminal;
	c->entered = line;
	if (!line)
		loop_stop(&c->loop);
}

/* A line is acted on when the library has let go of it: then what it brings is shown above the
 * prompt of the next. */
static void on_terminal(struct loop_fd *watch, int revents)
{
	struct console *c = container_of(watch, struct console, input);
	(void)revents;
	rl_callback_read_char();
	c->is_typing = !c->entered;
	if (!c->entered)
		return;
	if (c->entered[0])
		add_history(c->entered);
	take_line(c, str_of(c->entered));
	free(c->entered);
	c->entered = NULL;
	rl_callback_handler_install(prompt, on_terminal_line); /* it edits one line only, else */
}

static bool is_bot_there(const struct console *c)
{
	const struct net *n = net_find(&c->core.host, str_of(c->config.name));
	return sim_network_member(c->sim, channel, net_facts(n).nick) != NULL;
}

static bool is_flushed(const struct net *n)
{
	struct net_mark mark;
	n->ops->mark(n->data, &mark);
	return n->ops->is_past(n->data, &mark);
}

static bool is_quiet(const struct console *c)
{
	const struct net *n = net_find(&c->core.host, str_of(c->config.name));
	return !host_is_busy_since(&c->core.host, c->made) &&
	       (!net_facts(n).is_connected || is_flushed(n));
}

/* Lines from a pipe wait until the bot is there to hear them, and no more are said at a time than
 * it can hear. */
static void take_typed(struct console *c)
{
	struct str rest = buf_str(&c->typed);
	if (c->made == 0)
		c->made = c->core.host.made;
	for (int i = 0; i < LINES_A_LOOK && is_bot_there(c); i++) {
		if (!str_has(rest, '\n') && !(c->is_at_end && rest.n))
			break;
		take_line(c, str_cut(&rest, '\n'));
	}
	buf_consume(&c->typed, buf_str(&c->typed).n - rest.n);
}

static void on_look(struct timer *timer)
{
	struct console *c = container_of(timer, struct console, look);
	int64_t now_ns = c->loop.timers.now_ns;
	bool is_there = is_bot_there(c);
	if (is_there)
		take_typed(c);
	if (!c->is_at_end)
		loop_fd_start(&c->loop, &c->input, EV_READ);
	bool is_done = is_there && buf_str(&c->typed).n == 0 && is_quiet(c);
	c->quiet_looks = is_done ? c->quiet_looks + 1 : 0;
	if (c->is_at_end && (c->quiet_looks > QUIET_LOOKS || now_ns > c->end_ns))
		loop_stop(&c->loop);
	else
		timers_after(&c->loop.timers, timer, LOOK_NS);
}

/* What has no room is read after the next look; a line that fills it all is said in parts. */
static void on_pipe(struct loop_fd *watch, int revents)
{
	struct console *c = container_of(watch, struct console, input);
	char *to = buf_reserve(&c->typed, READ_BYTES);
	(void)revents;
	if (!to) {
		loop_fd_start(&c->loop, watch, 0);
		if (!str_has(buf_str(&c->typed), '\n') && buf_add(&c->typed, STR("\n")) < 0)
			buf_reset(&c->typed);
		return;
	}
	ssize_t n = read(STDIN_FILENO, to, READ_BYTES);
	if (n > 0) {
		buf_commit(&c->typed, (size_t)n);
		return;
	}
	loop_fd_start(&c->loop, watch, 0);
	c->is_at_end = true;
	c->end_ns = c->loop.timers.now_ns + CONSOLE_END_NS;
}

/* Beginning and end. */

static void on_term(struct loop_signal *watch)
{
	loop_stop(&container_of(watch, struct console, on_term)->loop);
}

static void make_network(struct console *c)
{
	static struct config_host host = {.name = (char *)(uintptr_t)server,
		.ascii = (char *)(uintptr_t)server,
		.port = 6667};
	static struct config_channel joined = {(char *)(uintptr_t)channel, NULL};
	static char name[] = "console", nick[] = "ebb";
	c->config = (struct config_network){
		.name = name,
		.host = {&host,   1},
		.nick = nick,
		.channels = {&joined, 1},
		.connect_timeout_ns = 30 * NS_PER_S,
		.register_timeout_ns = 60 * NS_PER_S,
		.ping_interval_ns = 120 * NS_PER_S,
		.ping_timeout_ns = 30 * NS_PER_S,
		.flood_burst = 1,
		.queue_max = 512,
	};
	struct network_parts parts = {
		&c->loop, NULL, &c->core.guard, &c->core.gate, &c->core.host, &c->route, NULL};
	c->network = network_new(&parts, &c->config, NULL);
}

static void init(struct console *c)
{
	*c = (struct console){.is_terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)};
	loop_init(&c->loop, ev_default_loop(EVFLAG_AUTO), &clock_system);
	struct core_options options = {.dial_rate = 1000};
	core_init(&c->core, &c->loop, &options);
	programs_init(&c->programs, &c->core);
	struct sim_options sim = {.name = "Console"};
	c->sim = sim_network_new(&sim, &c->loop.timers);
	simlink_init(&c->link, &c->loop);
	simlink_add(&c->link, server, c->sim);
	c->route = simlink_route(&c->link);
	make_network(c);
	struct person_options you = {.nick = "you", .heard = on_heard, .data = c};
	c->you = person_new(c->sim, &you);
	c->place = mem_strdup(channel);
	buf_init(&c->typed, TYPED_MAX_BYTES);
}

static void fini(struct console *c)
{
	network_free(c->network);
	programs_fini(&c->programs);
	core_fini(&c->core);
	loop_fini(&c->loop); /* the streams end before the network they lead to */
	sim_network_free(c->sim);
	simlink_fini(&c->link);
	buf_fini(&c->typed);
	free(c->place);
}

static bool load(struct console *c, const char *path)
{
	char *name = scripts_name(path);
	struct script_paths libs = {0};
	scripts_find_libs(&libs, path);
	struct script_options options = {.name = name,
		.path = path,
		.lib_folders = (const char *const *)libs.items,
		.n_lib_folders = libs.n};
	bool ok = program_load(&c->core.host, &options) == 0;
	script_paths_fini(&libs);
	free(name);
	return ok;
}

static bool is_given(char *const *scripts, int n)
{
	bool found = false;
	for (int i = 0; i < n && !found; i++) {
		char *name = scripts_name(scripts[i]);
		found = strcmp(name, "reconnect") == 0;
		free(name);
	}
	return found;
}

/* The policy is there without being asked for, as in the daemon. */
static bool load_reconnect(struct console *c, char *const *scripts, int n)
{
	if (is_given(scripts, n))
		return true;
	char *folder = scripts_folder(n > 0 ? scripts[0] : "");
	char *path = scripts_find(folder, "reconnect");
	bool ok = !path || load(c, path);
	free(folder);
	free(path);
	return ok;
}

static bool load_all(struct console *c, char *const *scripts, int n)
{
	bool ok = load_reconnect(c, scripts, n);
	for (int i = 0; i < n; i++)
		ok = load(c, scripts[i]) && ok;
	return ok;
}

static void begin_input(struct console *c)
{
	loop_fd_init(&c->input, STDIN_FILENO, c->is_terminal ? on_terminal : on_pipe);
	loop_fd_start(&c->loop, &c->input, EV_READ);
	if (!c->is_terminal) {
		c->look.fire = on_look;
		timers_after(&c->loop.timers, &c->look, 0);
		return;
	}
	at_terminal = c;
	programs_watch(&c->programs, true);
	puts("You are in #ebb with the bot. Type !ping, or /help for what else there is.");
	rl_callback_handler_install(prompt, on_terminal_line);
	log_set_sink(on_log, c);
}

static void end_input(struct console *c)
{
	loop_fd_stop(&c->loop, &c->input);
	timers_cancel(&c->loop.timers, &c->look);
	person_free(c->you); /* who leaves does not see the rest */
	c->you = NULL;
	if (!c->is_terminal)
		return;
	log_set_sink(NULL, NULL);
	rl_callback_handler_remove();
	putchar('\n');
}

int console_run(char *const *scripts, int n_scripts)
{
	struct console c;
	if (fcntl(STDIN_FILENO, F_GETFD) < 0) {
		log_error("ebbd: --console: there is no standard input");
		return ERR_INVALID;
	}
	setlocale(LC_CTYPE, ""); /* the line editor takes what is typed apart by it */
	init(&c);
	signal(SIGPIPE, SIG_IGN);
	c.on_term.run = on_term;
	loop_signal_start(&c.loop, &c.on_term, SIGTERM);
	if (!c.is_terminal)
		log_set_level(LOG_WARNING);
	bool ok = load_all(&c, scripts, n_scripts);
	if (ok) {
		begin_input(&c);
		person_join(c.you, channel, NULL);
		network_connect(c.network);
		loop_run(&c.loop);
		end_input(&c);
	}
	loop_signal_stop(&c.loop, &c.on_term);
	fini(&c);
	return ok ? 0 : ERR_INVALID;
}
