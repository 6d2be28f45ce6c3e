#include "irc/session.h"
#include "support/stage.h"

/* What scripts hear of a batch that closes: a session's lines, as a script on a stage has them. */

static struct stage st;

static void on_write(void *owner, struct str bytes)
{
	(void)owner;
	(void)bytes;
}

static void on_event(void *owner, const struct received *line)
{
	(void)owner;
	net_line(st.nets[0].net, line);
	stage_run(&st);
}

static void on_nothing(void *owner)
{
	(void)owner;
}

static uint64_t seed(void *owner)
{
	(void)owner;
	return 1;
}

static int64_t wall_ns(void *owner)
{
	(void)owner;
	return 0;
}

static const struct session_ops ops = {
	.write = on_write,
	.event = on_event,
	.ready = on_nothing,
	.usable = on_nothing,
	.room = on_nothing,
	.seed = seed,
	.wall_ns = wall_ns,
};

static const struct session_options options = {
	.network = "one",
	.nick = "ebb",
	.user = "u",
	.realname = "r",
	.is_manual = true,
	.limits = {.max_lines = 10, .max_bytes = 10000},
};

static const char script[] =
	"local function show(ev)\n"
	"  local params = ev.batch_params and table.concat(ev.batch_params, ',')\n"
	"  local n = ev.messages and #ev.messages\n"
	"  log(('%s %s %s %s'):format(ev.reference, ev.type, params, n))\n"
	"end\n"
	"on('batch', { replayed = 'any' }, show)\n"
	"on('batch', { type = 'netsplit', batch_params = 'b.example' }, function(ev)\n"
	"  show(ev:copy())\n"
	"  local m = ev.messages and ev.messages[1]\n"
	"  if m then log(('%s %s %s'):format(m.event, m.type, m.nick)) end\n"
	"end)\n";

/* name; lines, and what is logged of them */
static const struct closing_row {
	const char *name, *lines, *log;
} closing_rows[] = {
	{"closing: with type and parameters",
         "BATCH +1 netsplit a.example b.example\n@batch=1 :ann!a@h QUIT :x\nBATCH -1", "info script test: 1 netsplit a.example,b.example nil\n"
		"info script test: 1 netsplit a.example,b.example nil\n"
		"info script test: 1 netsplit a.example,b.example 1\n"
		"info script test: 1 netsplit a.example,b.example 1\n"
		"info script test: quit nil ann\n"            },
	{"closing: without parameters",         "BATCH +1 x\nBATCH -1",
         "info script test: 1 x  nil\ninfo script test: 1 x  0\n"										   },
	{"closing: one within another",
         "BATCH +1 x p\n@batch=1 BATCH +2 y q\n@batch=1 BATCH -2\nBATCH -1",           "info script test: 1 x p nil\ninfo script test: 2 y q nil\n"
		"info script test: 2 y q 0\ninfo script test: 1 x p 1\n"},
	{"closing: of a history",               "BATCH +1 chathistory :#c\nBATCH -1",
         "info script test: 1 chathistory #c nil\ninfo script test: 1 chathistory #c 0\n"                                                           },
	{"closing: of one that was not opened", "BATCH -1",                            "info script test: 1 nil nil nil\n"                          },
};

static void a_batch_that_closes_tells_what_it_was_opened_as(void **state)
{
	const struct closing_row *row = *state;
	struct str rest = str_of(row->lines);
	struct session *s = session_new(&options, &ops, NULL);
	stage_begin(&st, 1);
	assert_true(stage_load(&st, "test", script));
	session_begin(s, true, 0);

	while (rest.n)
		session_feed(s, str_cut(&rest, '\n'), 0);

	stage_expect_log(&st, row->log);
	stage_end(&st);
	session_free(s);
}

static void the_messages_of_a_batch_tell_which_are_ours(void **state)
{
	(void)state;
	stage_begin(&st, 1);
	assert_true(stage_load(&st, "test",
		"on('batch', { replayed = 'any' }, function(ev)\n"
		"  for _, m in ipairs(ev.messages or {}) do\n"
		"    log(('%s %s %s'):format(m.nick, m.mine, m.replayed))\n"
		"  end\n"
		"end)\n"));
	struct session *s = session_new(&options, &ops, NULL);
	session_begin(s, true, 0);

	session_feed(s, STR("BATCH +1 chathistory :#c"), 0);
	session_feed(s, STR("@batch=1 :EBB!u@h PRIVMSG #c :a"), 0);
	session_feed(s, STR("@batch=1 :ann!u@h PRIVMSG #c :b"), 0);
	session_feed(s, STR("BATCH -1"), 0);

	stage_expect_log(&st, "info script test: EBB true true\n"
			      "info script test: ann false true\n");
	session_free(s);
	stage_end(&st);
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, closing_rows, a_batch_that_closes_tells_what_it_was_opened_as);
	check_test(&c, the_messages_of_a_batch_tell_which_are_ours);
	return check_run(&c, "closing");
}
