/*
 * fuzz_sasl: any lines of a server's, to a login with any mechanisms.
 *
 * The first byte chooses the mechanisms (a bit each) and what is lacking, the second the order; the
 * first line is what the server offers, each that follows one line of its own. A NUL in the
 * place of a line is the deadline.
 */
#include "irc/sasl.h"

#include <stdlib.h>

enum { HAS_NO_PASSWORD = 1 << 5, HAS_NO_TLS = 1 << 6, IS_RANDOM = 1 << 7 };

static const char key[] = "-----BEGIN PRIVATE KEY-----\n"
			  "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgnBlKZAwevTHozLLa\n"
			  "5Kjtlnzupqym45AEEpjjdziZz8yhRANCAASE1wfokMYmwQLkUdAcwwqXHe/9WH86\n"
			  "sDsq5DitJcjmcub7lC1OYuUjkRXM+g0GWUK0tiZuYZJbzNYLeaEwu75x\n"
			  "-----END PRIVATE KEY-----\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_true)
{
	if (!is_true)
		abort();
}

static struct sasl_options options_of(uint8_t choice, uint8_t order)
{
	struct sasl_options o = {.account = "user",
		.password = choice & HAS_NO_PASSWORD ? NULL : "pencil",
		.ecdsa_key = key,
		.allows_plain = !(choice & HAS_NO_TLS),
		.nonce = choice & IS_RANDOM ? NULL : "rOprNGfwEbeRWgbNEkqO"};
	for (unsigned i = 0; i < SASL_MECHANISMS; i++) {
		unsigned m = (i + order) % SASL_MECHANISMS;
		if (choice & 1u << m)
			o.mechanisms[o.n_mechanisms++] = (enum sasl_mechanism)m;
	}
	return o;
}

static void check_line(struct str line)
{
	require(line.n && line.p[line.n - 1] == '\r');
	line.n--;
	struct str word = str_cut(&line, ' ');
	require(str_eq(word, STR("AUTHENTICATE")));
	require(line.n >= 1 && line.n <= SASL_CHUNK_BYTES);
	for (size_t i = 0; i < line.n; i++)
		require(line.p[i] > ' ' && line.p[i] < 0x7f);
}

/* Every mechanism is named once at most. */
static unsigned asked_of(struct str line)
{
	enum sasl_mechanism m;
	line = str_skip((struct str){line.p, line.n - 1}, sizeof("AUTHENTICATE ") - 1);
	return sasl_parse(line, &m) ? 1u << m : 0;
}

static void check_out(struct buf *out, unsigned *asked)
{
	struct str rest = buf_str(out);
	while (rest.n) {
		struct str line = str_cut(&rest, '\n');
		require(rest.p != NULL);
		check_line(line);
		unsigned bit = asked_of(line);
		require(!(*asked & bit));
		*asked |= bit;
	}
	buf_reset(out);
}

/* A login that goes on has a reason where a mechanism gave way to the next, which was asked for. */
static void check_result(
	const struct sasl *s, enum sasl_result r, const struct buf *out, const struct err *why)
{
	struct str rest = buf_str(out);
	bool has_reason = why->code != 0;
	require(sasl_is_under_way(s) == (r == SASL_GOES_ON));
	require(why->code == 0 || why->code == ERR_SASL);
	require((why->text[0] != '\0') == has_reason);
	if (r != SASL_GOES_ON)
		require(has_reason == (r == SASL_FAILED));
	else if (has_reason)
		require(rest.n && asked_of(str_cut(&rest, '\n')) != 0);
}

static void hear(struct sasl *s, struct str line, struct buf *out)
{
	struct message m;
	struct err why = {0};
	bool was_idle = !sasl_is_under_way(s);
	if (line.n == 1 && line.p[0] == '\0')
		sasl_abort(s, out);
	if (message_parse(&m, line) < 0)
		return;
	enum sasl_result r = sasl_hear(s, &m, out, &why);
	if (was_idle)
		require(r == SASL_GOES_ON && out->n == 0 && why.code == 0);
	else
		check_result(s, r, out, &why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	struct sasl_options options = options_of(data[0], data[1]);
	struct str rest = {(const char *)data + 2, size - 2};
	struct sasl s = {0};
	struct err why = {0};
	struct buf out;
	unsigned asked = 0;
	buf_init(&out, SASL_OUT_MAX_BYTES);

	enum sasl_result r = sasl_begin(&s, &options, str_cut(&rest, '\n'), &out, &why);
	require(r == SASL_FAILED || why.code == 0);
	check_result(&s, r, &out, &why);
	check_out(&out, &asked);
	while (rest.n) {
		hear(&s, str_cut(&rest, '\n'), &out);
		check_out(&out, &asked);
	}

	sasl_fini(&s);
	buf_fini(&out);
	return 0;
}
