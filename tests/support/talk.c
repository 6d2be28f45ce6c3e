#include "support/talk.h"

#include "base/log.h"
#include "base/mem.h"
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct session_options talk_options = {
	.network = "test",
	.nick = "ebb",
	.user = "u",
	.realname = "r n",
	.register_timeout_ns = 60 * NS_PER_S,
	.ping_interval_ns = 120 * NS_PER_S,
	.ping_timeout_ns = 30 * NS_PER_S,
	.limits = {.max_lines = 100, .max_bytes = 100000},
};

static void note(struct talk *t, const char *mark, struct str text)
{
	assert_int_equal(buf_addf(&t->out, "%s%" STR_F "\n", mark, STR_A(text)), 0);
}

static void on_write(void *owner, struct str bytes)
{
	while (bytes.n) {
		struct str line = str_cut(&bytes, '\n');
		assert_true(line.n && line.p[line.n - 1] == '\r');
		line.n--;
		note(owner, "> ", line);
	}
}

static void on_event(void *owner, const struct received *line)
{
	struct talk *t = owner;
	char extra[512] = "";
	if (!t->with_events)
		return;
	if (line->extra.p)
		snprintf(extra, sizeof(extra), " [%" STR_F "]", STR_A(line->extra));
	for (char *c = extra; *c; c++)
		if (*c == '\n')
			*c = '|';
	assert_int_equal(buf_addf(&t->out, "e %s%s%s%s\n", event_name(line->kind),
				 line->is_mine ? "*" : "", line->is_replayed ? "~" : "", extra),
		0);
}

static void on_ready(void *owner)
{
	(void)owner;
}

static void on_usable(void *owner)
{
	note(owner, "*", STR(""));
}

static void on_room(void *owner)
{
	note(owner, "o", STR(""));
}

static void on_failed(void *owner, const struct err *why)
{
	struct talk *t = owner;
	assert_int_equal(buf_addf(&t->out, "! %s %s\n", err_name(why->code), why->text), 0);
}

/* 2026-11-29T12:00:00Z, whatever passes. */
static int64_t give_wall(void *owner)
{
	(void)owner;
	return 1795953600 * NS_PER_S;
}

static void on_answered(void *owner, const struct request_result *result)
{
	struct talk *t = owner;
	struct str rest = result->lines;
	struct message m;
	int r = buf_addf(&t->out, "= %s", result->code ? err_name(result->code) : "ok");
	while (r == 0 && rest.n) {
		assert_int_equal(message_parse(&m, str_cut(&rest, '\n')), 0);
		r = buf_addf(&t->out, " %" STR_F, STR_A(m.command));
	}
	assert_int_equal(r, 0);
	note(t, "", STR(""));
}

static void on_sts(void *owner, const struct sts_value *value)
{
	struct talk *t = owner;
	int64_t seconds = value->duration_ns < 0 ? -1 : value->duration_ns / NS_PER_S;
	assert_int_equal(buf_addf(&t->out, "t %u %lld\n", value->port, (long long)seconds), 0);
}

static void on_log(enum log_level level, struct str text, void *data)
{
	if (level <= LOG_WARNING)
		note(data, "w ", text);
}

static uint64_t give_seed(void *owner)
{
	(void)owner;
	return 0;
}

static const struct session_ops ops = {
	.write = on_write,
	.event = on_event,
	.ready = on_ready,
	.usable = on_usable,
	.room = on_room,
	.answered = on_answered,
	.sts = on_sts,
	.seed = give_seed,
	.wall_ns = give_wall,
	.failed = on_failed,
};

/* Time passes step by step, as the loop would let it. */
static void pass(struct talk *t, int64_t ns)
{
	int64_t end_ns = t->now_ns + ns, at_ns;
	while ((at_ns = session_deadline(t->s)) >= 0 && at_ns <= end_ns) {
		t->now_ns = at_ns > t->now_ns ? at_ns : t->now_ns;
		session_tick(t->s, t->now_ns);
	}
	t->now_ns = end_ns;
}

/* Options on the heap, so that what is read of them too late is found. */
struct configured {
	struct session_options o;
	char *text;
	struct session_channel *channels;
};

static void free_configured(struct configured *c)
{
	if (!c)
		return;
	free(c->text);
	free(c->channels);
	free(c);
}

/* "#a,#b:key" */
static void set_channels(struct configured *c, char *list)
{
	c->o.n_channels = 0;
	c->channels = mem_resize(NULL, 20, sizeof(*c->channels));
	for (char *save, *name = strtok_r(list, ",", &save); name;
		name = strtok_r(NULL, ",", &save)) {
		char *key = strchr(name, ':');
		if (key)
			*key++ = '\0';
		c->channels[c->o.n_channels++] = (struct session_channel){name, key};
	}
	c->o.channels = c->channels;
}

static void set_option(struct configured *c, const char *key, char *value)
{
	int64_t n = 0;
	if (strcmp(key, "nick") == 0) {
		c->o.nick = value;
		return;
	}
	if (strcmp(key, "channels") == 0) {
		set_channels(c, value);
		return;
	}
	assert_true(str_int(str_of(value), 0, 1000, &n));
	if (strcmp(key, "pace") == 0)
		c->o.limits.line_ns = n * NS_PER_S;
	else if (strcmp(key, "max") == 0)
		c->o.limits.max_lines = (size_t)n;
	else if (strcmp(key, "bytes") == 0)
		c->o.limits.max_bytes = (size_t)n;
	else if (strcmp(key, "register") == 0)
		c->o.register_timeout_ns = n * NS_PER_S;
	else if (strcmp(key, "interval") == 0)
		c->o.ping_interval_ns = n * NS_PER_S;
	else if (strcmp(key, "timeout") == 0)
		c->o.ping_timeout_ns = n * NS_PER_S;
	else
		fail_msg("no such option: %s", key);
}

static void configure(struct talk *t, struct str text)
{
	struct configured *c = mem_new(sizeof(*c)), *old = t->configured;
	c->o = *t->options;
	c->text = str_dup(text);
	for (char *save, *word = strtok_r(c->text, " ", &save); word;
		word = strtok_r(NULL, " ", &save)) {
		char *value = strchr(word, '=');
		assert_non_null(value);
		*value = '\0';
		set_option(c, word, value + 1);
	}
	t->configured = c;
	session_configure(t->s, &c->o, t->now_ns);
	free_configured(old);
}

static void act(struct talk *t, char mark, struct str text)
{
	int64_t seconds;
	struct err err;
	struct handle id;
	switch (mark) {
	case '<':
		session_feed(t->s, text, t->now_ns);
		break;
	case '+':
		assert_true(str_int(text, 0, 1000000, &seconds));
		pass(t, seconds * NS_PER_S);
		break;
	case 'c':
		configure(t, text);
		break;
	case 'q':
		session_quit(t->s, text, t->now_ns);
		break;
	case 's':
		assert_int_equal(session_send(t->s, text, t->now_ns, &err), 0);
		break;
	case 'r':
		assert_int_equal(session_raw(t->s, text, t->now_ns, &err), 0);
		break;
	case 'k':
		assert_int_equal(
			session_request(t->s, text, 30 * NS_PER_S, t, &id, t->now_ns, &err), 0);
		break;
	case 'a':
		assert_int_equal(session_send(t->s, text, t->now_ns, &err), ERR_AGAIN);
		break;
	case 'x':
		session_end(t->s);
		session_begin(t->s, t->is_secure, t->now_ns);
		break;
	default:
		fail_msg("no such mark: %c", mark);
	}
}

static bool is_expectation(char mark)
{
	return strchr(">!*eo=tw", mark) != NULL;
}

/* Everything noted so far against the expectations that follow in the script. */
static void compare(struct talk *t, struct str *script)
{
	struct buf expected;
	buf_init(&expected, 65536);
	while (script->n && is_expectation(script->p[0])) {
		struct str line = str_cut(script, '\n');
		assert_int_equal(buf_addf(&expected, "%" STR_F "\n", STR_A(line)), 0);
	}
	assert_string_equal(buf_str(&t->out).p, buf_str(&expected).p);
	buf_reset(&t->out);
	buf_fini(&expected);
}

void talk_go_on(struct talk *t, struct str script)
{
	while (script.n) {
		struct str line = str_cut(&script, '\n');
		act(t, line.p[0], str_skip(line, 2));
		compare(t, &script);
	}
}

void talk_run(struct talk *t, struct str script)
{
	if (t->with_warnings)
		log_set_sink(on_log, t);
	session_begin(t->s, t->is_secure, t->now_ns);
	compare(t, &script);
	talk_go_on(t, script);
}

void talk_begin(struct talk *t, const struct session_options *o)
{
	*t = (struct talk){.options = o, .now_ns = 1000 * NS_PER_S};
	buf_init(&t->out, 1024 * 1024);
	t->s = session_new(o, &ops, t);
}

void talk_end(struct talk *t)
{
	if (t->with_warnings)
		log_set_sink(NULL, NULL);
	session_free(t->s);
	free_configured(t->configured);
	buf_fini(&t->out);
}

void talk_hold(const struct session_options *o, const char *script)
{
	struct talk t;
	talk_begin(&t, o);

	talk_run(&t, str_of(script));

	talk_end(&t);
}
