#include "irc/batch.h"

#include "base/err.h"
#include "irc/fields.h"
#include "support/check.h"

#include <stdio.h>

static struct batches batches;

static struct batches *fresh(void)
{
	batches_reset(&batches);
	return &batches;
}

/* What is open is counted, as deep as it may be, and within what is open too. */
static void assert_sound(const struct batches *bs)
{
	size_t n_bytes = 0, n = 0;
	for (struct map_entry *e = map_first(&bs->open); e; e = map_next(e), n++) {
		const struct batch *b = map_value(e);
		assert_true(str_eq(map_key(e), b->ref));
		assert_true(b->depth < BATCH_DEPTH_MAX && b->lines.n <= BATCH_BYTES_MAX);
		assert_int_equal(b->depth, b->parent ? b->parent->depth + 1 : 0);
		if (b->parent)
			assert_ptr_equal(map_get(&bs->open, b->parent->ref), b->parent);
		n_bytes += b->lines.n + b->opening.raw.n;
	}
	assert_int_equal(n, bs->n_open);
	assert_int_equal(n_bytes, bs->n_bytes);
	assert_true(n <= BATCHES_MAX && n_bytes <= BATCHES_BYTES_MAX);
}

static struct batch_line hear(struct batches *bs, struct str line)
{
	struct isupport *is = isupport_new();
	struct message m;
	struct batch_line out;
	assert_int_equal(message_parse(&m, line), 0);
	batches_hear(bs, &m, event_kind_of(&m, is), &out);
	isupport_unref(is);
	assert_sound(bs);
	return out;
}

static void add(struct buf *out, const char *s)
{
	assert_int_equal(buf_add(out, str_of(s)), 0);
}

/* The words after the command of each line */
static void show_lines(struct buf *out, struct str lines)
{
	for (const char *before = "["; lines.n; before = "|") {
		struct message m;
		assert_int_equal(message_parse(&m, str_cut(&lines, '\n')), 0);
		assert_int_equal(buf_addf(out, "%s%" STR_F, before, STR_A(message_last(&m))), 0);
	}
	add(out, "]");
}

static void show(struct buf *out, const struct batch_line *line)
{
	static const char *const names[] = {"none", "line", "opened", "closed", "skipped"};
	add(out, out->n ? " " : "");
	add(out, names[line->event]);
	if (line->batch)
		assert_int_equal(buf_addf(out, ":%" STR_F, STR_A(line->batch->ref)), 0);
	add(out, line->is_replay ? "+replay" : "");
	add(out, line->is_held ? "+held" : "");
	if (line->event != BATCH_CLOSED)
		return;
	add(out, line->batch->is_cut ? "+cut" : "");
	if (line->batch->lines.n)
		show_lines(out, buf_str(&line->batch->lines));
}

static const struct talk_row {
	const char *name, *lines, *expected;
} talk_rows[] = {
	{"a batch",					   "BATCH +1 netsplit a b\n@batch=1 :x QUIT :one\n@batch=1 :y QUIT :two\nBATCH -1",
         "opened:1 line:1 line:1 closed:1[one|two]"																						 },
	{"an empty one",				      "BATCH +1 netsplit\nBATCH -1",                                                   "opened:1 closed:1"                                                                  },
	{"lines between that are no part of it",
         "BATCH +1 x\n:a NOTICE b :n\n@time=1 :a NOTICE b :n\n@batch=2 :a NOTICE b :n\nBATCH -1",					      "opened:1 none none none closed:1"						   },
	{"two at a time",
         "BATCH +a x\nBATCH +b y\n@batch=a PING 1\n@batch=b PING 2\n@batch=a PING 3\nBATCH -a\n"
		"@batch=b PING 4\nBATCH -b",												   "opened:a opened:b line:a line:b line:a closed:a[1|3] line:b closed:b[2|4]"          },
	{"nested, with what is within in its place",
         "BATCH +o x\n@batch=o PING 1\n@batch=o BATCH +i y\n@batch=i PING 2\nBATCH -i\n"
		"@batch=o PING 3\nBATCH -o",												   "opened:o line:o opened:i line:i closed:i[2] line:o closed:o[1|y|2|3]"               },
	{"the outer one closes what is within",
         "BATCH +o x\n@batch=o BATCH +i y\n@batch=i BATCH +j y\nBATCH +k z\nBATCH -o\nBATCH -i\n"
		"BATCH -j\nBATCH -k",													  "opened:o opened:i opened:j opened:k closed:o[y|y] skipped skipped closed:k"         },
	{"what is within another stays open",
         "BATCH +o x\nBATCH +p x\n@batch=p BATCH +i y\n@batch=o BATCH +j y\nBATCH -o\n"
		"BATCH -i\nBATCH -j",													  "opened:o opened:p opened:i opened:j closed:o[y] closed:i skipped"                   },
	{"a line of what was closed from without is not new",
         "BATCH +o x\n@batch=o BATCH +i y\nBATCH -o\n@batch=i :a PRIVMSG #c :!do\n:a PRIVMSG #c :!do",
         "opened:o opened:i closed:o[y] none+replay none"																					   },
	{"a line after the close of its batch",               "BATCH +1 x\nBATCH -1\n@batch=1 :a PRIVMSG #c :hi",
         "opened:1 closed:1 none"																								   },
	{"in a parent that is not open",
         "@batch=o BATCH +i y\n@batch=i :a PRIVMSG #c :hi\nBATCH -i",									  "skipped none+replay skipped"							},
	{"opened twice",				      "BATCH +1 x\nBATCH +1 chathistory #c\n@batch=1 PING 1\nBATCH -1\nBATCH -1",
         "opened:1 skipped line:1 closed:1[1] skipped"																					      },
	{"opened again after its close",
         "BATCH +1 x\n@batch=1 PING 1\nBATCH -1\nBATCH +1 y\n@batch=1 PING 2\nBATCH -1",						       "opened:1 line:1 closed:1[1] opened:1 line:1 closed:1[2]"                            },
	{"references are compared as they are",               "BATCH +a x\nBATCH -A\nBATCH -a",
         "opened:a skipped closed:a"																								},
	{"not open",					  "BATCH -1",								      "skipped"									    },
	{"without reference",
         "BATCH + x\nBATCH -\nBATCH +\nBATCH :",											       "skipped skipped skipped skipped"                                                    },
	{"without type",				      "BATCH +1\nBATCH -1",							    "skipped skipped"								    },
	{"without sign",				      "BATCH 1 x\nBATCH x1 x",							 "skipped skipped"								    },
	{"in itself",					 "@batch=1 BATCH +1 x\nBATCH -1",                                                 "skipped skipped"                                                                    },
	{"a history",
         "BATCH +1 chathistory #c\n@batch=1 :a PRIVMSG #c :hi\n:a PRIVMSG #c :now\nBATCH -1",						  "opened:1+replay line:1+replay none closed:1+replay[hi]"                             },
	{"a bouncer's",				       "BATCH +1 znc.in/playback #c\n@batch=1 :a PRIVMSG #c :hi\nBATCH -1",
         "opened:1+replay line:1+replay closed:1+replay[hi]"																					},
	{"within a history",
         "BATCH +o chathistory #c\n@batch=o BATCH +m draft/multiline #c\n@batch=m :a PRIVMSG #c :hi\n"
		"BATCH -m\nBATCH -o",													  "opened:o+replay opened:m+replay line:m+replay+held closed:m+replay[hi] "
		"closed:o+replay[#c|hi]"																		       },
	{"a history within",
         "BATCH +o labeled-response\n@batch=o BATCH +i chathistory #c\n@batch=i :a PRIVMSG #c :hi\n"
		"@batch=o PING 1\nBATCH -i\nBATCH -o",											 "opened:o opened:i+replay line:i+replay line:o closed:i+replay[hi] closed:o[#c|hi|1]"},
	{"a message in several lines",
         "BATCH +1 draft/multiline #c\n@batch=1 :a PRIVMSG #c :x\n@batch=1 :a NOTICE #c :y\n"
		"@batch=1 :a PRIVMSG #c :\1ACTION z\1\n@batch=1 :a TAGMSG #c\nBATCH -1",						       "opened:1 line:1+held line:1+held line:1+held line:1 closed:1[x|y|\1ACTION z\1|#c]"  },
	{"a type is its whole name",                          "BATCH +1 chathistory2 #c\nBATCH +2 Chathistory #c",
         "opened:1 opened:2"																									},
};

static void batches_hear_a_talk(void **state)
{
	const struct talk_row *row = *state;
	struct batches *bs = fresh();
	struct buf out;
	buf_init(&out, 4096);

	for (struct str rest = str_of(row->lines); rest.p;) {
		struct batch_line line = hear(bs, str_cut(&rest, '\n'));
		show(&out, &line);
	}

	assert_slice(buf_str(&out), row->expected);
	buf_fini(&out);
}

static void a_closed_batch_tells_what_it_was(void **state)
{
	(void)state;
	struct batches *bs = fresh();
	hear(bs, STR("BATCH +o outer"));
	hear(bs, STR("@batch=o;label=7 :irc.example BATCH +i netsplit a.example b.example"));

	struct batch_line line = hear(bs, STR("BATCH -i"));

	assert_slice(line.batch->type, "netsplit");
	assert_int_equal(line.batch->n_params, 2);
	assert_slice(line.batch->params[1], "b.example");
	assert_slice(line.batch->parent->type, "outer");
	assert_slice(message_tag(&line.batch->opening, STR("label")), "7");
	assert_slice(line.batch->opening.source, "irc.example");
}

static struct batch_line hearf(struct batches *bs, const char *fmt, ...) PRINTF(2, 3);

static struct batch_line hearf(struct batches *bs, const char *fmt, ...)
{
	char line[600];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	return hear(bs, str_of(line));
}

static void only_so_many_are_open_and_the_lines_of_more_are_not_new(void **state)
{
	(void)state;
	struct batches *bs = fresh();
	for (unsigned i = 0; i < BATCHES_MAX; i++)
		assert_int_equal(hearf(bs, "BATCH +%u x", i).event, BATCH_OPENED);
	assert_false(hear(bs, STR("@batch=64 :a PRIVMSG #c :hi")).is_replay);

	assert_int_equal(hearf(bs, "BATCH +%u chathistory #c", BATCHES_MAX).event, BATCH_SKIPPED);

	assert_true(hear(bs, STR("@batch=64 :a PRIVMSG #c :hi")).is_replay);
	assert_int_equal(hear(bs, STR("BATCH -0")).event, BATCH_CLOSED);
	assert_int_equal(hearf(bs, "BATCH +%u x", BATCHES_MAX).event, BATCH_OPENED);
}

static void only_so_many_are_within_each_other(void **state)
{
	(void)state;
	struct batches *bs = fresh();
	hear(bs, STR("BATCH +0 x"));
	for (unsigned i = 1; i < BATCH_DEPTH_MAX; i++)
		assert_int_equal(hearf(bs, "@batch=%u BATCH +%u x", i - 1, i).event, BATCH_OPENED);

	assert_int_equal(hear(bs, STR("@batch=7 BATCH +8 x")).event, BATCH_SKIPPED);

	assert_int_equal(hear(bs, STR("BATCH -0")).event, BATCH_CLOSED);
	assert_int_equal(bs->n_open, 0);
}

/* Lines of 500 bytes until one more than max_bytes. */
static void fill(struct batches *bs, const char *ref, size_t max_bytes)
{
	char xs[500];
	memset(xs, 'x', sizeof(xs));
	int n_head = (int)STR("@batch= PING ").n + (int)strlen(ref);
	for (size_t n = 0; n <= max_bytes; n += sizeof(xs))
		hearf(bs, "@batch=%s PING %.*s", ref, (int)sizeof(xs) - n_head, xs);
}

static void what_does_not_fit_a_batch_is_cut_at_a_line(void **state)
{
	(void)state;
	struct batches *bs = fresh();
	hear(bs, STR("BATCH +1 x"));
	hear(bs, STR("BATCH +2 x"));
	fill(bs, "1", BATCH_BYTES_MAX);
	hear(bs, STR("@batch=1 PING 1"));
	hear(bs, STR("@batch=2 PING 1"));

	struct batch_line line = hear(bs, STR("BATCH -1"));

	assert_true(line.batch->is_cut);
	assert_int_equal((line.batch->lines.n + 1) % 501, 0);
	assert_true(line.batch->lines.n > BATCH_BYTES_MAX - 501);
	assert_false(hear(bs, STR("BATCH -2")).batch->is_cut);
}

static void all_of_them_keep_no_more_than_the_maximum(void **state)
{
	(void)state;
	struct batches *bs = fresh();
	char ref[8];
	for (unsigned i = 0; i < 5; i++) {
		snprintf(ref, sizeof(ref), "%u", i);
		hearf(bs, "BATCH +%u x", i);
		fill(bs, ref, BATCH_BYTES_MAX / 100 * 99);
	}

	assert_true(hear(bs, STR("BATCH -4")).batch->is_cut);
	assert_false(hear(bs, STR("BATCH -0")).batch->is_cut);
	hear(bs, STR("BATCH +6 x"));
	hear(bs, STR("@batch=6 PING 1"));
	assert_false(hear(bs, STR("BATCH -6")).batch->is_cut);
}

static void a_disconnect_forgets_all(void **state)
{
	(void)state;
	struct batches *bs = fresh();
	hear(bs, STR("BATCH +1 x"));
	hear(bs, STR("BATCH +2 x"));
	hear(bs, STR("@batch=3 BATCH +4 x"));
	hear(bs, STR("BATCH -2"));

	batches_reset(bs);

	assert_sound(bs);
	assert_int_equal(bs->n_open, 0);
	assert_false(hear(bs, STR("@batch=4 :a PRIVMSG #c :hi")).is_replay);
	assert_int_equal(hear(bs, STR("BATCH -1")).event, BATCH_SKIPPED);
}

static const struct join_row {
	const char *name, *opening, *lines, *expected; /* LFs of the text as / */
} join_rows[] = {
	{"two lines",			       "BATCH +1 draft/multiline #c",
         "@batch=1 :a!u@h PRIVMSG #c one\n@batch=1 :a!u@h PRIVMSG #c :two words",							     ":a!u@h PRIVMSG #c :one/two words"                  },
	{"one",				     "BATCH +1 draft/multiline #c",                             "@batch=1 :a PRIVMSG #c :one", ":a PRIVMSG #c :one"                                },
	{"concatenated to nothing",                 "BATCH +1 draft/multiline #c",
         "@batch=1;draft/multiline-concat :a PRIVMSG #c :one",										":a PRIVMSG #c :one"                                },
	{"concatenated",			    "BATCH +1 draft/multiline #c",
         "@batch=1 :a PRIVMSG #c :one \n@batch=1;draft/multiline-concat :a PRIVMSG #c :two\n"
		"@draft/multiline-concat=;batch=1 :a PRIVMSG #c : 3\n@batch=1 :a PRIVMSG #c :4",					      ":a PRIVMSG #c :one two 3/4"                        },
	{"empty lines",			     "BATCH +1 draft/multiline #c",
         "@batch=1 :a PRIVMSG #c :\n@batch=1 :a PRIVMSG #c :\n@batch=1 :a PRIVMSG #c :x\n"
		"@batch=1 :a PRIVMSG #c :",												   ":a PRIVMSG #c ://x/"                               },
	{"all are empty",			   "BATCH +1 draft/multiline #c",
         "@batch=1 :a PRIVMSG #c :",													  ":a PRIVMSG #c :"                                   },
	{"a notice",				"BATCH +1 draft/multiline me",
         "@batch=1 :a NOTICE me :x\n@batch=1 :a NOTICE me :y",										":a NOTICE me :x/y"                                 },
	{"the tags of the opening line",            "@msgid=7;time=t1;label=l :a BATCH +1 draft/multiline #c",
         "@batch=1 :a PRIVMSG #c :x\n@batch=1;z=1 :a PRIVMSG #c :y",									  "@msgid=7;time=t1;label=l :a PRIVMSG #c :x/y"       },
	{"and of the first line, which count less", "@time=t1;+flag BATCH +1 draft/multiline #c",
         "@time=t2;batch=1;account=an :a PRIVMSG #c :x",										      "@time=t2;account=an;time=t1;+flag :a PRIVMSG #c :x"},
	{"the source of the opening line",          "@account=an :a!u@h BATCH +1 draft/multiline #c",
         "@batch=1 PRIVMSG #c :x",													    "@account=an :a!u@h PRIVMSG #c :x"                  },
	{"no source",			       "BATCH +1 draft/multiline #c",                             "@batch=1 NOTICE #c :x",       "NOTICE #c :x"                                      },
	{"other commands and targets between",      "BATCH +1 draft/multiline #c",
         "@batch=1 :a TAGMSG #c\n@batch=1 :a PRIVMSG #c\n@batch=1 :a PRIVMSG #c :x\n"
		"@batch=1 :a PRIVMSG #d :no\n@batch=1 :a NOTICE #c :no\n@batch=1 :a privmsg #c :y",					   ":a PRIVMSG #c :x/y"                                },
	{"no text at all",                          "BATCH +1 draft/multiline #c",                             "@batch=1 :a TAGMSG #c",       NULL                                                },
};

static void replace(char *p, size_t n, char from, char to)
{
	for (size_t i = 0; i < n; i++)
		p[i] = p[i] == from ? to : p[i];
}

static struct batch_line closed(struct batches *bs, const char *opening, const char *lines)
{
	hear(bs, str_of(opening));
	for (struct str rest = str_of(lines); rest.p;)
		hear(bs, str_cut(&rest, '\n'));
	return hear(bs, STR("BATCH -1"));
}

static void a_message_in_several_lines_becomes_one(void **state)
{
	const struct join_row *row = *state;
	struct batch_line line = closed(fresh(), row->opening, row->lines);
	struct buf out;
	struct message m;
	buf_init(&out, 8192);
	assert_int_equal(buf_add(&out, STR("what was there")), 0);
	assert_true(batch_is_message(line.batch));

	int r = batch_join(line.batch, &out, &m);

	assert_int_equal(r, row->expected ? 0 : ERR_INVALID);
	if (row->expected) {
		assert_int_equal(m.n_params, 2);
		assert_ptr_equal(m.params[1].p + m.params[1].n, out.bytes + out.n);
		assert_ptr_equal(m.raw.p, out.bytes);
		replace(out.bytes, out.n, '\n', '/');
		assert_slice(m.raw, row->expected);
	}
	buf_fini(&out);
}

static void a_text_that_does_not_fit_is_not_joined(void **state)
{
	(void)state;
	struct batch_line line = closed(fresh(), "BATCH +1 draft/multiline #c",
		"@batch=1 :a PRIVMSG #c :one\n@batch=1 :a PRIVMSG #c :two");
	struct message m;
	for (size_t max = 0; max <= STR(":a PRIVMSG #c :one/two").n; max++) {
		struct buf out;
		buf_init(&out, max);
		bool fits = max == STR(":a PRIVMSG #c :one/two").n;
		assert_int_equal(batch_join(line.batch, &out, &m), fits ? 0 : ERR_LIMIT);
		buf_fini(&out);
	}
}

static void tags_that_are_too_many_together_are_the_openings(void **state)
{
	(void)state;
	static char opening[7000], first[7000];
	memset(opening, 'a', sizeof(opening) - 1);
	memset(first, 'b', sizeof(first) - 1);
	memcpy(opening, "@msgid=1;", 9);
	memcpy(first, "@batch=1;", 9);
	strncpy(opening + 6000, " :a BATCH +1 draft/multiline #c", 100);
	strncpy(first + 6000, " :a PRIVMSG #c :x", 100);
	struct batch_line line = closed(fresh(), opening, first);
	struct buf out;
	struct message m;
	buf_init(&out, 20000);

	assert_int_equal(batch_join(line.batch, &out, &m), 0);

	assert_slice(message_tag(&m, STR("msgid")), "1");
	assert_int_equal(m.tags.n, 5999);
	assert_slice(m.params[1], "x");
	buf_fini(&out);
}

static void only_a_batch_of_that_type_is_a_message(void **state)
{
	(void)state;
	struct batches *bs = fresh();
	hear(bs, STR("BATCH +m draft/multiline #c"));
	assert_false(batch_is_message(hear(bs, STR("@batch=m BATCH +i x")).batch));
	assert_true(hear(bs, STR("@batch=i :a PRIVMSG #c :x")).is_held);
	assert_true(batch_is_message(hear(bs, STR("BATCH -m")).batch));
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, talk_rows, batches_hear_a_talk);
	check_test(&c, a_closed_batch_tells_what_it_was);
	check_test(&c, only_so_many_are_open_and_the_lines_of_more_are_not_new);
	check_test(&c, only_so_many_are_within_each_other);
	check_test(&c, what_does_not_fit_a_batch_is_cut_at_a_line);
	check_test(&c, all_of_them_keep_no_more_than_the_maximum);
	check_test(&c, a_disconnect_forgets_all);
	check_rows(&c, join_rows, a_message_in_several_lines_becomes_one);
	check_test(&c, a_text_that_does_not_fit_is_not_joined);
	check_test(&c, tags_that_are_too_many_together_are_the_openings);
	check_test(&c, only_a_batch_of_that_type_is_a_message);
	int r = check_run(&c, "batch");
	batches_fini(&batches);
	return r;
}
