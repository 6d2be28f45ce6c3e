/*
 * embed: a program with a loop of its own, and a bot on it.
 *
 * Its own work is to look at the machine's load, four times a second. On IRC it tells of it:
 * `!load` is answered in C; the script beside it answers `!ping`, and on `!reset` has the C code
 * forget the worst. `!leave` ends the bot, as Ctrl-C does. Its network is in a file (ebb.ini(5)).
 *
 *     cc -o embed embed.c $(pkg-config --cflags --libs ebb)
 *     ./embed bot.ini [TIMES]          one bot after the other, on the same loop
 */
#include <ebb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double load, worst;

static void on_look(struct ev_loop *loop, struct ev_timer *timer, int revents)
{
	(void)loop, (void)timer, (void)revents;
	if (getloadavg(&load, 1) == 1 && load > worst)
		worst = load;
}

static const char script[] =
	"on('privmsg', { match = '^!ping$' }, function(ev) ev:reply('pong from Lua') end)\n"
	"on('privmsg', { match = '^!reset$' }, function(ev)\n"
	"  trigger('load_reset', { by = ev.nick })\n"
	"  ev:reply('the worst is forgotten')\n"
	"end)\n";

/* In the channel where it was said, or to who said it to us alone. */
static void reply(struct ebb *e, const struct ebb_event *event, const char *text)
{
	const char *where = ebb_event_field(event, "channel", NULL);
	if (!where)
		where = ebb_event_field(event, "nick", NULL);
	if (ebb_send(e, event->network, "PRIVMSG", "target", where, "message", text, NULL) < 0)
		fprintf(stderr, "embed: not said: %s\n", ebb_error(e));
}

static void on_stopped(struct ebb *e, void *loop)
{
	(void)e;
	ev_break(loop, EVBREAK_ONE);
}

static void on_privmsg(struct ebb *e, const struct ebb_event *event, void *loop)
{
	const char *message = ebb_event_field(event, "message", NULL);
	char text[100];
	if (strcmp(message, "!load") == 0) {
		snprintf(text, sizeof(text), "the load is %.2f, at worst %.2f", load, worst);
		reply(e, event, text);
	} else if (strcmp(message, "!leave") == 0) {
		ebb_stop(e, on_stopped, loop);
	}
}

/* What a script has triggered is an event as any other. */
static void on_reset(struct ebb *e, const struct ebb_event *event, void *data)
{
	(void)e, (void)data;
	printf("embed: reset by %s\n", ebb_event_field(event, "by", NULL));
	fflush(stdout);
	worst = load;
}

static void on_interrupt(struct ev_loop *loop, struct ev_signal *interrupt, int revents)
{
	(void)revents;
	ebb_stop(interrupt->data, on_stopped, loop);
}

/* One bot, from its beginning to its end. */
static int run(struct ev_loop *loop, const char *path)
{
	struct ebb *e = ebb_new(loop);
	struct ev_signal interrupt;
	int r = ebb_load(e, path);
	if (r == 0)
		r = ebb_script(e, "beside", NULL, script);
	ebb_on(e, "privmsg", on_privmsg, loop);
	ebb_on(e, "load_reset", on_reset, NULL);
	ev_signal_init(&interrupt, on_interrupt, SIGINT);
	interrupt.data = e;
	ev_signal_start(loop, &interrupt);
	if (r == 0)
		r = ebb_start(e);
	if (r == 0)
		ev_run(loop, 0);
	else
		fprintf(stderr, "embed: %s\n", ebb_error(e));
	ev_signal_stop(loop, &interrupt);
	ebb_free(e);
	return r;
}

int main(int argc, char **argv)
{
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
	struct ev_timer look;
	int r = 0;
	if (argc < 2) {
		fprintf(stderr, "usage: embed FILE [TIMES]\n");
		return 2;
	}
	ev_timer_init(&look, on_look, 0., 0.25);
	ev_timer_start(loop, &look);
	for (int times = argc > 2 ? atoi(argv[2]) : 1; times > 0 && r == 0; times--)
		r = run(loop, argv[1]);
	ev_timer_stop(loop, &look);
	ev_run(loop, 0); /* nothing is left on it: comes back at once */
	ev_loop_destroy(loop);
	return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
