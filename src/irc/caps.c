#include "irc/caps.h"

#include "base/err.h"

#include <assert.h>

static const char *const names[CAP_COUNT] = {
	[CAP_ACCOUNT_TAG] = "account-tag",
	[CAP_EXTENDED_JOIN] = "extended-join",
	[CAP_MESSAGE_TAGS] = "message-tags",
	[CAP_MULTI_PREFIX] = "multi-prefix",
	[CAP_SERVER_TIME] = "server-time",
};

const char *caps_name(enum cap cap)
{
	return names[cap];
}

bool caps_has(const struct caps *c, enum cap cap)
{
	return c->enabled & 1u << cap;
}

static void put_line(struct buf *out, const char *line)
{
	int r = buf_addf(out, "%s\r\n", line);
	assert(r == 0);
	(void)r;
}

void caps_begin(struct caps *c, struct buf *out)
{
	*c = (struct caps){.is_negotiating = true};
	put_line(out, "CAP LS 302");
}

static uint32_t bit_of(struct str name)
{
	for (unsigned i = 0; i < CAP_COUNT; i++)
		if (str_eq(name, str_of(names[i])))
			return 1u << i;
	return 0;
}

/* "-" in front of a name tells that it was taken away. */
static void note_names(struct str list, uint32_t *given, uint32_t *taken)
{
	struct str word;
	while ((word = str_word(&list, " ")).n) {
		bool minus = word.p[0] == '-';
		struct str name = str_skip(word, minus);
		uint32_t bit = bit_of(str_cut(&name, '='));
		*(minus ? taken : given) |= bit;
	}
}

/* All that is known fits one line. */
static void request(struct caps *c, uint32_t bits, struct buf *out)
{
	if (!bits)
		return;
	struct buf b;
	buf_init(&b, MESSAGE_BYTES);
	int r = buf_addf(&b, "CAP REQ :");
	const char *separator = "";
	for (unsigned i = 0; i < CAP_COUNT; i++) {
		if (!(bits & 1u << i))
			continue;
		r |= buf_addf(&b, "%s%s", separator, names[i]);
		separator = " ";
	}
	assert(r == 0);
	(void)r;
	put_line(out, buf_str(&b).p);
	buf_fini(&b);
	c->asked |= bits;
}

static void request_each(struct caps *c, uint32_t bits, struct buf *out)
{
	for (unsigned i = 0; i < CAP_COUNT; i++)
		request(c, bits & 1u << i, out);
}

static bool is_one_bit(uint32_t bits)
{
	return (bits & (bits - 1)) == 0;
}

bool caps_answer(struct caps *c, const struct message *m, struct buf *out)
{
	struct str verb = message_param(m, 1), list = message_last(m);
	bool more = m->n_params >= 4 && str_eq(message_param(m, 2), STR("*"));
	uint32_t given = 0, taken = 0;
	if (m->n_params < 3)
		return false;
	note_names(list, &given, &taken);
	if (str_ieq(verb, STR("LS"))) {
		c->offered |= given;
		if (more || !c->is_negotiating)
			return false;
		request(c, c->offered & ~c->enabled, out);
	} else if (str_ieq(verb, STR("ACK"))) {
		c->asked &= ~(given | taken);
		c->enabled = (c->enabled | given) & ~taken;
	} else if (str_ieq(verb, STR("NAK"))) {
		c->asked &= ~given;
		if (!is_one_bit(given))
			request_each(c, given, out);
	} else if (str_ieq(verb, STR("NEW"))) {
		c->offered |= given;
		request(c, given & ~c->enabled, out);
	} else if (str_ieq(verb, STR("DEL"))) {
		c->offered &= ~given;
		c->enabled &= ~given;
	}
	if (!c->is_negotiating || more || c->asked)
		return false;
	c->is_negotiating = false;
	put_line(out, "CAP END");
	return true;
}
