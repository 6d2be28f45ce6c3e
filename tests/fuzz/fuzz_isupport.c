/*
 * The input is lines. One that begins with a tab is a name to be asked about; '!' keeps what the
 * server said so far, which must not change from there on; anything else is a token.
 */
#include "fuzz/fuzz.h"

#include "irc/isupport.h"

enum { KEPT_MAX = 4 };

struct kept {
	struct isupport *is, was;
	size_t n_tokens;
};

static void require_string(const char *s, size_t size)
{
	REQUIRE(memchr(s, '\0', size));
	REQUIRE(fuzz_is_line(str_of(s)));
}

/* Each token is walked over once, and found by its name. */
static void require_tokens(const struct isupport *is)
{
	struct str name, value;
	size_t n = 0;
	for (size_t at = 0; isupport_next(is, &at, &name, &value); n++) {
		REQUIRE(name.n && name.p[name.n] == '\0' && value.p[value.n] == '\0');
		REQUIRE(isupport_get(is, name).p == value.p);
	}
	REQUIRE(n == is->n_tokens);
}

static void require_sane(const struct isupport *is)
{
	require_string(is->chantypes, sizeof(is->chantypes));
	require_string(is->statusmsg, sizeof(is->statusmsg));
	require_string(is->prefix_modes, sizeof(is->prefix_modes));
	require_string(is->prefix_symbols, sizeof(is->prefix_symbols));
	REQUIRE(strlen(is->prefix_modes) == strlen(is->prefix_symbols));
	for (size_t i = 0; i < COUNTOF(is->chanmodes); i++)
		require_string(is->chanmodes[i], sizeof(is->chanmodes[i]));
	REQUIRE(is->linelen >= 512 && is->linelen <= 8191);
	REQUIRE(is->nicklen <= 255 && is->channellen <= 500 && is->keylen <= 255);
	REQUIRE(is->userlen <= 64 && is->hostlen <= 255 && is->modes <= 100);
	REQUIRE(is->n_tokens <= ISUPPORT_TOKENS_MAX);
	require_tokens(is);
}

static void require_channel(const struct isupport *is, struct str name)
{
	struct str status = STR("x"), channel = isupport_channel_of(is, name, &status);
	REQUIRE(fuzz_is_inside(channel, name) && fuzz_is_inside(status, name));
	REQUIRE(!channel.p || isupport_is_channel(is, channel));
	REQUIRE(!channel.p || status.n + channel.n == name.n);
	REQUIRE(channel.p || (!status.p && !isupport_is_channel(is, name)));
}

static void apply(struct isupport **is, struct str token)
{
	bool is_understood = isupport_apply(is, token);
	bool is_negated = str_starts(token, STR("-"));
	struct str value = str_skip(token, is_negated);
	struct str name = str_cut(&value, '='), found = isupport_get(*is, name);
	REQUIRE(name.n || !is_understood);
	if (is_understood && is_negated)
		REQUIRE(!found.p);
	if (is_understood && !is_negated && (*is)->n_tokens < ISUPPORT_TOKENS_MAX)
		REQUIRE(found.p && found.n <= value.n);
}

static void keep(struct kept *k, struct isupport *is)
{
	*k = (struct kept){isupport_ref(is), *is, is->n_tokens};
}

static void require_same(const struct isupport *a, const struct isupport *b)
{
	size_t from = offsetof(struct isupport, nicklen);
	size_t end = offsetof(struct isupport, modes) + sizeof(a->modes);
	REQUIRE(a->casemap == b->casemap && str_same(a->chantypes, b->chantypes));
	REQUIRE(str_same(a->statusmsg, b->statusmsg));
	REQUIRE(str_same(a->prefix_modes, b->prefix_modes));
	REQUIRE(str_same(a->prefix_symbols, b->prefix_symbols));
	for (size_t i = 0; i < COUNTOF(a->chanmodes); i++)
		REQUIRE(str_same(a->chanmodes[i], b->chanmodes[i]));
	/* the numbers, which stand one after the other */
	REQUIRE(memcmp((const char *)a + from, (const char *)b + from, end - from) == 0);
}

static void release(struct kept *k)
{
	require_same(k->is, &k->was);
	REQUIRE(k->is->n_tokens == k->n_tokens);
	isupport_unref(k->is);
}

/* Without all that the server said, it is as if it had said nothing. */
static void forget_all(struct isupport **is)
{
	struct isupport *fresh = isupport_new();
	static const char *const known[] = {"CASEMAPPING", "CHANTYPES", "PREFIX", "CHANMODES",
		"STATUSMSG", "NICKLEN", "CHANNELLEN", "TOPICLEN", "KICKLEN", "AWAYLEN", "USERLEN",
		"HOSTLEN", "NAMELEN", "KEYLEN", "LINELEN", "MODES"};
	char negated[ISUPPORT_VALUE_MAX_BYTES + 2];
	struct str name, value;
	for (size_t at = 0; isupport_next(*is, &at, &name, &value); at = 0) {
		snprintf(negated, sizeof(negated), "-%" STR_F, STR_A(name));
		if (!isupport_apply(is, str_of(negated)))
			break; /* one of the greatest length */
	}
	for (size_t i = 0; i < COUNTOF(known); i++) {
		snprintf(negated, sizeof(negated), "-%s", known[i]);
		REQUIRE(isupport_apply(is, str_of(negated)));
	}
	require_same(*is, fresh);
	isupport_unref(fresh);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = fuzz_input(data, size);
	struct isupport *is = isupport_new();
	struct kept kept[KEPT_MAX];
	size_t n_kept = 0;
	while (rest.n) {
		struct str line = str_cut(&rest, '\n');
		if (str_starts(line, STR("\t")))
			require_channel(is, str_skip(line, 1));
		else if (str_eq(line, STR("!")) && n_kept < KEPT_MAX)
			keep(&kept[n_kept++], is);
		else
			apply(&is, line);
		require_sane(is);
	}
	forget_all(&is);
	while (n_kept)
		release(&kept[--n_kept]);
	isupport_unref(is);
	return 0;
}
