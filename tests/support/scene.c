#include "support/scene.h"

#include "support/check.h"

#include <stdlib.h>
#include <string.h>

static void note(struct somebody *who, const char *mark, struct str text)
{
	if (!who->is_heard)
		return;
	assert_int_equal(
		buf_addf(&who->scene->out, "%s%s%" STR_F "\n", who->name, mark, STR_A(text)), 0);
}

void scene_on_heard(void *data, const struct message *m)
{
	note(data, "> ", m->raw);
}

/* What every welcome has; a test of its own reads it. */
static bool is_dull(struct str line)
{
	static const char *const dull[] = {"002", "003", "004", "005", "251", "254", "255"};
	if (str_starts(line, STR("@")))
		str_word(&line, " ");
	str_word(&line, " ");
	struct str numeric = str_word(&line, " ");
	for (size_t i = 0; i < COUNTOF(dull); i++)
		if (str_eq(numeric, str_of(dull[i])))
			return true;
	return false;
}

static void on_write(void *owner, struct str bytes)
{
	assert_true(bytes.n >= 2 && memcmp(bytes.p + bytes.n - 2, "\r\n", 2) == 0);
	assert_int_equal(str_find(bytes, '\n'), bytes.n - 1);
	if (!is_dull(bytes))
		note(owner, "> ", (struct str){bytes.p, bytes.n - 2});
}

void scene_on_closed(void *owner, enum sim_end how)
{
	note(owner, "! ", how == SIM_RESET ? STR("reset") : STR("closed"));
}

const struct sim_conn_events scene_events = {on_write, scene_on_closed};

static struct somebody *find_person(struct scene *s, struct str name)
{
	size_t i = 0;
	while (i < SCENE_PEOPLE_MAX && s->people[i].person &&
		!str_eq(str_of(s->people[i].name), name))
		i++;
	assert_true(i < SCENE_PEOPLE_MAX);
	struct somebody *who = &s->people[i];
	if (who->person)
		return who;
	*who = (struct somebody){.scene = s};
	memcpy(who->name, name.p, name.n);
	struct person_options o = {
		.nick = who->name, .user = "u", .host = "h", .heard = scene_on_heard, .data = who};
	if (str_eq(name, STR("rich")))
		o.caps = SIM_CAP_ACCOUNT_TAG | SIM_CAP_EXTENDED_JOIN | SIM_CAP_MESSAGE_TAGS |
			 SIM_CAP_MULTI_PREFIX | SIM_CAP_SERVER_TIME;
	who->person = person_new(s->net, &o);
	assert_non_null(who->person);
	return who;
}

struct somebody *scene_conn(struct scene *s, struct str name)
{
	struct somebody *who = &s->conns[name.p[0] - '1'];
	if (who->conn)
		return who;
	*who = (struct somebody){.scene = s, .name = {name.p[0]}, .is_heard = true};
	who->conn = sim_connect(s->net, &scene_events, who);
	if (!who->conn)
		note(who, "! ", STR("cannot connect"));
	return who;
}

void scene_pass(struct scene *s, int64_t ns)
{
	int64_t end_ns = s->timers.now_ns + ns, at_ns;
	while ((at_ns = timers_next(&s->timers)) >= 0 && at_ns <= end_ns)
		timers_run(&s->timers, at_ns);
	timers_run(&s->timers, end_ns);
}

static int64_t number(struct str *rest)
{
	int64_t n;
	assert_true(str_int(str_word(rest, " "), -1, 100000, &n));
	return n;
}

static char *word(struct str *rest, char out[64])
{
	struct str w = str_word(rest, " ");
	assert_true(w.n < 64);
	memcpy(out, w.p ? w.p : "", w.n);
	out[w.n] = '\0';
	return out;
}

static void do_pass(struct scene *s, struct str rest)
{
	scene_pass(s, number(&rest) * NS_PER_S);
}

static void do_hear(struct scene *s, struct str rest)
{
	struct str name;
	while ((name = str_word(&rest, " ")).n)
		find_person(s, name)->is_heard = true;
}

static void on_overheard(void *data, uint64_t by, const struct message *m)
{
	struct scene *s = data;
	assert_int_equal(buf_addf(&s->out, "w> %d %" STR_F "\n", (int)by, STR_A(m->raw)), 0);
}

static void do_watch(struct scene *s, struct str rest)
{
	(void)rest;
	sim_watch(s->net, on_overheard, s);
}

static void do_grant(struct scene *s, struct str rest)
{
	char nick[64], channel[64], modes[64];
	find_person(s, str_of(word(&rest, nick)));
	word(&rest, channel);
	assert_true(sim_grant(s->net, channel, nick, word(&rest, modes)));
}

static void do_login(struct scene *s, struct str rest)
{
	char account[64];
	struct person *p = find_person(s, str_word(&rest, " "))->person;
	person_login(p, word(&rest, account));
}

static void do_kill(struct scene *s, struct str rest)
{
	char nick[64], reason[64];
	word(&rest, nick);
	assert_true(sim_kill(s->net, nick, "oper", word(&rest, reason)));
}

static void do_lag(struct scene *s, struct str rest)
{
	fault_lag(s->net, NULL, number(&rest) * NS_PER_S);
}

static void do_drop(struct scene *s, struct str rest)
{
	(void)rest;
	fault_drop(s->net, NULL);
}

static void do_close(struct scene *s, struct str rest)
{
	fault_close(s->net, NULL, rest.p);
}

static void do_silent(struct scene *s, struct str rest)
{
	fault_silence(s->net, NULL, (enum fault_silence)number(&rest));
}

static void do_half(struct scene *s, struct str rest)
{
	fault_half_open(s->net, NULL, number(&rest));
}

static void do_down(struct scene *s, struct str rest)
{
	fault_down(s->net, number(&rest));
}

static void do_flood(struct scene *s, struct str rest)
{
	fault_flood(s->net, (unsigned)number(&rest), 10 * NS_PER_S);
}

static void do_throttle(struct scene *s, struct str rest)
{
	fault_throttle(s->net, number(&rest) * NS_PER_S);
}

static void do_refuse(struct scene *s, struct str rest)
{
	char text[64];
	int count = (int)number(&rest), numeric = (int)number(&rest);
	word(&rest, text);
	fault_refuse(s->net, count, numeric, text[0] ? text : NULL);
}

static void do_bar(struct scene *s, struct str rest)
{
	char channel[64], to[64];
	word(&rest, channel);
	int count = (int)number(&rest), numeric = (int)number(&rest);
	word(&rest, to);
	fault_refuse_join(s->net, channel, count, numeric, to[0] ? to : NULL);
}

static void do_sasl(struct scene *s, struct str rest)
{
	bool is_failing = number(&rest);
	rest = str_trim(rest);
	fault_sasl(s->net, is_failing, rest.n ? rest.p : NULL);
}

static void do_services(struct scene *s, struct str rest)
{
	sim_services(s->net, number(&rest));
}

static void do_account(struct scene *s, struct str rest)
{
	char nick[64], account[64];
	word(&rest, nick);
	word(&rest, account);
	assert_true(sim_login(s->net, nick, account[0] ? account : NULL));
}

static void do_rename(struct scene *s, struct str rest)
{
	char nick[64], other[64];
	word(&rest, nick);
	if (!sim_rename(s->net, nick, word(&rest, other)))
		assert_int_equal(buf_addf(&s->out, "%s! not renamed\n", nick), 0);
}

static void do_host(struct scene *s, struct str rest)
{
	char nick[64], host[64], user[64];
	word(&rest, nick);
	word(&rest, host);
	word(&rest, user);
	assert_true(sim_change_host(s->net, nick, user[0] ? user : NULL, host));
}

static void do_split(struct scene *s, struct str rest)
{
	struct person *people[SCENE_PEOPLE_MAX];
	struct str name;
	size_t n = 0;
	while ((name = str_word(&rest, " ")).n)
		people[n++] = find_person(s, name)->person;
	fault_split(s->net, people, n);
}

static void do_rejoin(struct scene *s, struct str rest)
{
	(void)rest;
	fault_rejoin(s->net);
}

static const struct deed {
	const char *name;
	void (*run)(struct scene *s, struct str rest);
} deeds[] = {
	{"+",        do_pass    },
	{"hear",     do_hear    },
	{"watch",    do_watch   },
	{"grant",    do_grant   },
	{"login",    do_login   },
	{"kill",     do_kill    },
	{"lag",      do_lag     },
	{"drop",     do_drop    },
	{"close",    do_close   },
	{"silent",   do_silent  },
	{"half",     do_half    },
	{"down",     do_down    },
	{"flood",    do_flood   },
	{"throttle", do_throttle},
	{"refuse",   do_refuse  },
	{"split",    do_split   },
	{"rejoin",   do_rejoin  },
	{"bar",      do_bar     },
	{"sasl",     do_sasl    },
	{"services", do_services},
	{"account",  do_account },
	{"rename",   do_rename  },
	{"host",     do_host    },
};

void scene_act(struct scene *s, struct str line)
{
	struct str rest = line, name = str_cut(&rest, ' ');
	for (size_t i = 0; i < COUNTOF(deeds); i++) {
		if (str_eq(str_of(deeds[i].name), name)) {
			deeds[i].run(s, rest);
			return;
		}
	}
	if (name.p[0] < '1' || name.p[0] > '9') {
		person_raw(find_person(s, name)->person, rest);
		return;
	}
	struct somebody *who = scene_conn(s, name);
	if (name.n == 2) {
		sim_close(who->conn);
		who->conn = NULL;
	} else if (who->conn) {
		sim_receive(who->conn, rest);
	}
}

static bool is_expectation(struct str line)
{
	struct str first = str_word(&line, " ");
	return first.n && (first.p[first.n - 1] == '>' || first.p[first.n - 1] == '!');
}

/* The script is NUL-terminated lines here, so that words can be taken as strings. */
void scene_run(struct scene *s, const char *script)
{
	struct buf expected;
	struct str rest = str_of(script);
	buf_init(&expected, 65536);
	while (rest.n) {
		struct str peek = str_cut(&rest, '\n');
		char *line = str_dup(peek);
		scene_act(s, str_of(line));
		free(line);
		for (struct str next = rest; rest.n; rest = next) {
			peek = str_cut(&next, '\n');
			if (!is_expectation(peek))
				break;
			assert_int_equal(buf_addf(&expected, "%" STR_F "\n", STR_A(peek)), 0);
		}
		assert_string_equal(buf_str(&s->out).p, buf_str(&expected).p);
		buf_reset(&s->out);
		buf_reset(&expected);
	}
	buf_fini(&expected);
}

void scene_begin(struct scene *s, struct sim_options o)
{
	memset(s, 0, sizeof(*s));
	timers_init(&s->timers, 1000 * NS_PER_S);
	buf_init(&s->out, 4 * 1024 * 1024);
	o.server = "s";
	o.host = "h";
	s->net = sim_network_new(&o, &s->timers);
	assert_non_null(s->net);
}

void scene_end(struct scene *s)
{
	sim_network_free(s->net);
	assert_int_equal(timers_next(&s->timers), -1);
	timers_fini(&s->timers);
	buf_fini(&s->out);
}

void life_of_a_connection(void **state)
{
	const struct life *row = *state;
	struct scene s;
	struct sim_options o = row->options;
	o.name = "Net";
	scene_begin(&s, o);

	scene_run(&s, row->script);

	scene_end(&s);
}
