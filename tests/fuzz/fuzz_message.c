/* The input is one line. */
#include "fuzz/fuzz.h"

#include "base/clock.h"
#include "base/err.h"
#include "irc/message.h"

enum { VALUE_MAX_BYTES = 64 * 1024 };

static void require_slices(const struct message *m, struct str line)
{
	const struct str parts[] = {m->tags, m->source, m->nick, m->user, m->host, m->command};
	for (size_t i = 0; i < COUNTOF(parts); i++)
		REQUIRE(fuzz_is_inside(parts[i], line));
	REQUIRE(m->raw.p == line.p && m->raw.n == line.n && fuzz_is_line(line));
	REQUIRE(m->command.n && m->numeric >= -1 && m->numeric <= 999);
	REQUIRE(m->n_params <= MESSAGE_PARAMS_MAX);
	for (unsigned i = 0; i < m->n_params; i++) {
		REQUIRE(m->params[i].p && fuzz_is_inside(m->params[i], line));
		REQUIRE(i == m->n_params - 1 || (m->params[i].n && !str_has(m->params[i], ' ')));
	}
	for (unsigned i = m->n_params; i < MESSAGE_PARAMS_MAX + 2; i++)
		REQUIRE(!message_param(m, i).p);
}

static void add(struct buf *b, const char *before, struct str part)
{
	if (part.p)
		REQUIRE(buf_addf(b, "%s%" STR_F, before, STR_A(part)) == 0);
}

static void require_same(struct str a, struct str b)
{
	REQUIRE(!a.p == !b.p && str_eq(a, b));
}

/* What was taken apart makes the same message again when it is put together. */
static void require_parts(const struct message *m)
{
	struct message again;
	struct buf b;
	buf_init(&b, VALUE_MAX_BYTES);
	add(&b, "@", m->tags);
	add(&b, m->tags.p ? " :" : ":", m->source);
	add(&b, m->tags.p || m->source.p ? " " : "", m->command);
	for (unsigned i = 0; i < m->n_params; i++)
		add(&b, i == m->n_params - 1 ? " :" : " ", m->params[i]);
	REQUIRE(message_parse(&again, buf_str(&b)) == 0);
	require_same(again.tags, m->tags);
	require_same(again.source, m->source);
	require_same(again.nick, m->nick);
	require_same(again.user, m->user);
	require_same(again.host, m->host);
	REQUIRE(again.numeric == m->numeric && again.n_params == m->n_params);
	for (unsigned i = 0; i < m->n_params; i++)
		require_same(again.params[i], m->params[i]);
	buf_fini(&b);
}

static void require_escapes(struct str value)
{
	struct buf plain, escaped, again;
	buf_init(&plain, VALUE_MAX_BYTES);
	buf_init(&escaped, VALUE_MAX_BYTES);
	buf_init(&again, VALUE_MAX_BYTES);
	REQUIRE(message_unescape(&plain, value) == 0);
	REQUIRE(buf_str(&plain).n <= value.n);
	int r = message_escape(&escaped, buf_str(&plain));
	REQUIRE(r == (str_has(buf_str(&plain), '\0') ? ERR_INVALID : 0));
	if (r == 0) {
		struct str s = buf_str(&escaped);
		REQUIRE(fuzz_is_line(s) && !str_has(s, ' ') && !str_has(s, ';'));
		REQUIRE(message_unescape(&again, s) == 0);
		REQUIRE(str_eq(buf_str(&again), buf_str(&plain)));
	}
	buf_fini(&plain);
	buf_fini(&escaped);
	buf_fini(&again);
}

static void require_time(struct str value)
{
	int64_t ns = -1;
	REQUIRE(message_time(value, &ns) ? ns >= 0 : ns == -1);
}

static void require_tags(const struct message *m)
{
	struct str rest = m->tags, key, value;
	while (message_next_tag(&rest, &key, &value)) {
		REQUIRE(key.n && !str_has(key, '=') && fuzz_is_inside(key, m->tags));
		REQUIRE(fuzz_is_inside(value, m->tags) && !str_has(value, ';'));
		require_escapes(value);
		require_time(value);
		struct str last = message_tag(m, key);
		REQUIRE(fuzz_is_inside(last, m->tags) && (!last.p || last.n));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str line = fuzz_input(data, size);
	struct message m;
	memset(&m, 0xa5, sizeof(m));
	int r = message_parse(&m, line);
	if (r == 0) {
		require_slices(&m, line);
		require_parts(&m);
		require_tags(&m);
	} else {
		REQUIRE(r == ERR_INVALID || r == ERR_LIMIT);
	}
	require_escapes(line);
	require_time(line);
	return 0;
}
