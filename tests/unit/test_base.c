#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/handle.h"
#include "base/log.h"
#include "base/map.h"
#include "support/check.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static void buf_keeps_what_was_not_consumed(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 8);

	assert_int_equal(buf_add(&b, STR("abcdef")), 0);
	buf_consume(&b, 4);
	assert_int_equal(buf_addf(&b, "%d", 123456), 0);

	assert_slice(buf_str(&b), "ef123456");
	buf_fini(&b);
}

static void buf_refuses_what_passes_its_maximum(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 3);

	assert_int_equal(buf_add(&b, STR("abc")), 0);
	assert_int_equal(buf_add(&b, STR("d")), ERR_LIMIT);
	assert_int_equal(buf_addf(&b, "%s", "d"), ERR_LIMIT);

	assert_slice(buf_str(&b), "abc");
	buf_fini(&b);
}

static void buf_gives_its_bytes_away(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 8);
	assert_int_equal(buf_add(&b, STR("abc")), 0);
	buf_consume(&b, 1);

	char *s = buf_detach(&b);

	assert_string_equal(s, "bc");
	assert_slice(buf_str(&b), "");
	free(s);
	s = buf_detach(&b);
	assert_string_equal(s, "");
	free(s);
	buf_fini(&b);
}

static void handle_names_nothing_once_its_thing_is_gone(void **state)
{
	(void)state;
	struct handles hs = {0};
	int a = 1, b = 2;

	struct handle first = handles_add(&hs, &a);
	assert_ptr_equal(handles_get(&hs, first), &a);
	handles_remove(&hs, first);
	struct handle second = handles_add(&hs, &b);

	assert_int_equal(second.index, first.index);
	assert_null(handles_get(&hs, first));
	handles_remove(&hs, first);
	assert_ptr_equal(handles_get(&hs, second), &b);
	assert_null(handles_get(&hs, (struct handle){0}));
	handles_fini(&hs);
}

static void map_keeps_the_order_of_insertion(void **state)
{
	(void)state;
	struct map m = {0};
	int values[3];

	assert_null(map_put(&m, STR("b"), &values[0]));
	assert_null(map_put(&m, STR("a"), &values[1]));
	assert_ptr_equal(map_put(&m, STR("b"), &values[2]), &values[0]);

	const struct map_entry *e = map_first(&m);
	assert_slice(map_key(e), "b");
	assert_ptr_equal(map_value(e), &values[2]);
	assert_slice(map_key(map_next(e)), "a");
	assert_ptr_equal(map_remove(&m, STR("b")), &values[2]);
	assert_null(map_get(&m, STR("b")));
	assert_int_equal(map_count(&m), 1);
	map_fini(&m);
}

static const struct int_row {
	const char *name, *text;
	int64_t min, max;
	bool ok;
	int64_t value;
} int_rows[] = {
	{"int: plain",             "42",                   0,         100,       true,  42       },
	{"int: negative",          "-7",                   -10,       10,        true,  -7       },
	{"int: zero",              "0",                    0,         0,         true,  0        },
	{"int: the largest",       "9223372036854775807",  0,         INT64_MAX, true,  INT64_MAX},
	{"int: the smallest",      "-9223372036854775808", INT64_MIN, 0,         true,  INT64_MIN},
	{"int: one too many",      "9223372036854775808",  0,         INT64_MAX, false, 0        },
	{"int: empty",             "",                     0,         9,         false, 0        },
	{"int: a sign alone",      "-",                    -9,        9,         false, 0        },
	{"int: a plus sign",       "+1",                   0,         9,         false, 0        },
	{"int: a space in front",  " 1",                   0,         9,         false, 0        },
	{"int: something behind",  "1x",                   0,         9,         false, 0        },
	{"int: over the maximum",  "10",                   0,         9,         false, 0        },
	{"int: under the minimum", "-1",                   0,         9,         false, 0        },
};

static void str_int_reads(void **state)
{
	const struct int_row *row = *state;
	int64_t value = 0;
	assert_int_equal(str_int(str_of(row->text), row->min, row->max, &value), row->ok);
	assert_int_equal(value, row->value);
}

static void str_cut_takes_a_head_off(void **state)
{
	(void)state;
	struct str rest = STR("a,,b");
	assert_slice(str_cut(&rest, ','), "a");
	assert_slice(str_cut(&rest, ','), "");
	assert_slice(str_cut(&rest, ','), "b");
	assert_slice(rest, NULL);
}

static void str_word_passes_runs_of_separators(void **state)
{
	(void)state;
	struct str rest = STR("  one, two  ");
	assert_slice(str_word(&rest, " ,"), "one");
	assert_slice(str_word(&rest, " ,"), "two");
	assert_slice(str_word(&rest, " ,"), NULL);
}

static void str_compares(void **state)
{
	(void)state;
	assert_true(str_ieq(STR("PrivMsg"), STR("PRIVMSG")));
	assert_false(str_ieq(STR("a["), STR("A{")));
	assert_true(str_icmp(STR("abc"), STR("ABD")) < 0);
	assert_true(str_icmp(STR("ab"), STR("abc")) < 0);
	assert_slice(str_trim(STR(" \t a b ")), "a b");
}

static void clock_saturates(void **state)
{
	(void)state;
	assert_int_equal(clock_from_seconds(1.5), 1500 * NS_PER_MS);
	assert_int_equal(clock_from_seconds(-1), 0);
	assert_int_equal(clock_from_seconds(0.0 / 0.0), 0);
	assert_true(clock_from_seconds(1e300) > 60LL * 365 * 86400 * NS_PER_S);
}

static void clock_doubles(void **state)
{
	(void)state;
	assert_int_equal(clock_doubled(5, 0, 60), 5);
	assert_int_equal(clock_doubled(5, 3, 60), 40);
	assert_int_equal(clock_doubled(5, 4, 60), 60);
	assert_int_equal(clock_doubled(15, 2, 60), 60);
	assert_int_equal(clock_doubled(90, 0, 60), 60);
	assert_int_equal(clock_doubled(1, 62, INT64_MAX), 1LL << 62);
	assert_int_equal(clock_doubled(2, 62, INT64_MAX), INT64_MAX);
	assert_int_equal(clock_doubled(5, 63, 60), 60);
	assert_int_equal(clock_doubled(5, UINT_MAX, 60), 60);
}

static void on_wire(enum log_level level, struct str text, void *data)
{
	(void)level;
	assert_int_equal(buf_addf(data, "%" STR_F, STR_A(text)), 0);
}

static const struct wire_row {
	const char *name, *line;
	bool is_masked;
} wire_rows[] = {
	{"wire: talk",                   "PRIVMSG #a :hello secret",                  false},
	{"wire: PASS",                   "PASS :secret",                              true },
	{"wire: AUTHENTICATE",           "AUTHENTICATE secret",                       true },
	{"wire: OPER",                   "OPER me secret",                            true },
	{"wire: WEBIRC",                 "WEBIRC secret gateway host 192.0.2.1",      true },
	{"wire: behind tags and source", "@+a=b :me PASS secret",                     true },
	{"wire: to NickServ",            "PRIVMSG NickServ :IDENTIFY me secret",      true },
	{"wire: to ChanServ",            "CS :IDENTIFY #a secret",                    true },
	{"wire: to services by name",    "PRIVMSG NickServ@services :ghost a secret", true },
	{"wire: a bare command",         "IDENTIFY secret",                           true },
	{"wire: a channel's key",        "JOIN #a secret",                            true },
	{"wire: a key that is set",      "MODE #a +k secret",                         true },
	{"wire: another mode",           "MODE #a +o secret",                         false},
	{"wire: somebody's account",     ":a!u@h JOIN #a secret :real",               false},
};

static void log_masks(void **state)
{
	const struct wire_row *row = *state;
	struct buf b;
	buf_init(&b, 1000);
	log_set_level(LOG_TRACE);
	log_set_sink(on_wire, &b);
	log_wire("net", ">>", str_of(row->line));
	log_set_sink(NULL, NULL);
	log_set_level(LOG_INFO);
	assert_int_equal(strstr(buf_str(&b).p, "secret") == NULL, row->is_masked);
	assert_true(str_starts(buf_str(&b), STR("net: >> ")));
	buf_fini(&b);
}

static void err_names_every_code(void **state)
{
	(void)state;
	struct err err = {0};
	assert_int_equal(err_set(&err, ERR_TLS, "no %s", "luck"), ERR_TLS);
	assert_int_equal(err_set(NULL, ERR_TLS, "no %s", "luck"), ERR_TLS);
	assert_string_equal(err.text, "no luck");
	assert_string_equal(err_name(ERR_AGAIN), "again");
	assert_string_equal(err_name(ERR_TLS), "tls");
	assert_string_equal(err_name(ERR_REQUESTED), "requested");
}

int main(void)
{
	struct check c = {0};
	check_test(&c, buf_keeps_what_was_not_consumed);
	check_test(&c, buf_refuses_what_passes_its_maximum);
	check_test(&c, buf_gives_its_bytes_away);
	check_test(&c, handle_names_nothing_once_its_thing_is_gone);
	check_test(&c, map_keeps_the_order_of_insertion);
	check_rows(&c, int_rows, str_int_reads);
	check_test(&c, str_cut_takes_a_head_off);
	check_test(&c, str_word_passes_runs_of_separators);
	check_test(&c, str_compares);
	check_test(&c, clock_saturates);
	check_test(&c, clock_doubles);
	check_rows(&c, wire_rows, log_masks);
	check_test(&c, err_names_every_code);
	return check_run(&c, "base");
}
