/*
 * fuzz_caps: what a server says about capabilities, a line each.
 *
 * Whatever it is, each request fits its line and names only what the table or the configuration
 * has, what is kept is bounded, and the negotiation is settled at most once. A line "!" begins a
 * new connection, "?" gives other options.
 */
#include "irc/caps.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char *const more[] = {"draft/pre-away", "x", "sts", "inspircd.org/poison", "sasl",
	"batch", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9", "b1", "b2", "b3", "b4", "b5",
	"b6", "b7", "b8", "b9"};
static const char *const refused[] = {"x", "chghost"};
static const struct caps_options options[] = {
	{more, COUNTOF(more), NULL,    0,                false},
	{more, 2,             refused, COUNTOF(refused), true },
};

static void must(bool is_true)
{
	if (!is_true)
		abort();
}

static bool is_known(struct str name)
{
	for (unsigned i = 0; i < CAP_COUNT; i++)
		if (str_eq(name, str_of(caps_name((enum cap)i))))
			return i != CAP_STS;
	for (size_t i = 0; i < COUNTOF(more); i++)
		if (str_eq(name, str_of(more[i])))
			return !str_eq(name, STR("inspircd.org/poison"));
	return false;
}

static void check_sent(struct str out)
{
	must(out.n <= CAPS_OUT_MAX_BYTES);
	while (out.n) {
		struct str line = str_cut(&out, '\n'), name;
		must(line.n < MESSAGE_BYTES - 1 && out.p && line.p[line.n - 1] == '\r');
		line.n--;
		must(str_starts(line, STR("CAP REQ :")));
		line = str_skip(line, strlen("CAP REQ :"));
		must(line.n > 0);
		while ((name = str_word(&line, " ")).n)
			must(is_known(name));
	}
}

static void check_state(const struct caps *c)
{
	uint64_t rest = c->enabled | c->asked | c->offered | c->news.gained | c->news.lost |
			c->news.refused;
	struct str value;
	const char *name;
	must((c->enabled & c->asked) == 0);
	must((rest & ~(CAP_BIT(CAPS_MAX) - 1)) == 0);
	while ((name = caps_next(c, &rest, &value)))
		must(strlen(name) <= CAPS_NAME_MAX_BYTES && value.n <= CAPS_VALUE_MAX_BYTES);
	for (unsigned i = 0; c->texts && i < CAPS_MAX; i++)
		must(!c->texts->values[i] || (c->offered & CAP_BIT(i)));
}

static void begin(struct caps *c, struct buf *out)
{
	buf_reset(out);
	caps_begin(c, &options[0], out);
	must(str_eq(buf_str(out), STR("CAP LS 302\r\n")));
}

static unsigned hear(struct caps *c, struct str line, struct buf *out)
{
	struct message m;
	if (message_parse(&m, line) < 0)
		return 0;
	buf_reset(out);
	enum caps_result r = caps_hear(c, &m, out);
	check_sent(buf_str(out));
	check_state(c);
	must(r == CAPS_NOTHING || c->asked == 0);
	return r == CAPS_SETTLED;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str rest = {(const char *)data, n};
	struct caps c = {0};
	struct buf out;
	unsigned n_settled = 0, other = 0;
	buf_init(&out, CAPS_OUT_MAX_BYTES);
	begin(&c, &out);
	while (rest.n) {
		struct str line = str_cut(&rest, '\n');
		if (str_eq(line, STR("!"))) {
			begin(&c, &out);
			n_settled = other = 0;
		} else if (str_eq(line, STR("?"))) {
			caps_configure(&c, &options[other ^= 1]);
		} else {
			n_settled += hear(&c, line, &out);
		}
		must(n_settled <= 1);
	}
	caps_fini(&c);
	buf_fini(&out);
	return 0;
}
