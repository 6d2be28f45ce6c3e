/*
 * What a proxy answers. The first byte of the input says who asks for what, the second how many
 * bytes are read at once, the rest are the answers. However they are cut, they come to the same
 * end.
 */
#include "fuzz/fuzz.h"
#include "net/socks_talk.h"

static const struct socks_target targets[] = {
	{"irc.example", 6697, NULL,  NULL    },
	{"irc.example", 6697, "bob", "hunter"},
	{"192.0.2.7",   6697, NULL,  NULL    },
	{"2001:db8::7", 6697, "bob", "hunter"},
};

/* What came of a talk. */
struct end {
	int code;
	size_t taken, said;
	enum socks_step step;
	struct err why;
};

static void send_all(struct socks_talk *t, struct end *end)
{
	struct str out = socks_talk_out(t);
	REQUIRE(out.n <= SOCKS_SENT_BYTES);
	socks_talk_sent(t, out.n);
	end->said += out.n;
}

static struct end talk(const struct socks_target *target, struct str answers, size_t at_once)
{
	struct end end = {0};
	struct socks_talk t;
	socks_talk_init(&t, target);
	while (end.code == 0 && socks_talk_wants(&t) > 0 && answers.n) {
		struct str bytes = answers;
		send_all(&t, &end);
		if (bytes.n > at_once)
			bytes.n = at_once;
		if (bytes.n > socks_talk_wants(&t))
			bytes.n = socks_talk_wants(&t);
		end.code = socks_talk_feed(&t, bytes, &end.why);
		end.taken += bytes.n;
		answers = str_skip(answers, bytes.n);
	}
	end.step = t.step;
	REQUIRE(end.code < 0 || (end.step == SOCKS_CONNECTED) == (socks_talk_wants(&t) == 0));
	socks_talk_fini(&t);
	return end;
}

static void check_end(const struct end *end)
{
	REQUIRE(end->code == 0 || end->code == ERR_REFUSED || end->code == ERR_DENIED ||
		end->code == ERR_DNS || end->code == ERR_TIMEOUT);
	REQUIRE(end->code == end->why.code && (end->code == 0) == !*end->why.text);
	REQUIRE(!strstr(end->why.text, "bob") && !strstr(end->why.text, "hunter"));
	REQUIRE(end->taken <= 2 + 2 + SOCKS_REPLY_BYTES);
	REQUIRE(end->code == 0 || end->step != SOCKS_CONNECTED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str answers = fuzz_input(data, size);
	const struct socks_target *target = &targets[fuzz_byte(&answers) % COUNTOF(targets)];
	size_t at_once = 1 + (size_t)fuzz_byte(&answers);

	struct end end = talk(target, answers, at_once), single = talk(target, answers, 1);

	check_end(&end);
	check_end(&single);
	REQUIRE(end.code == single.code && end.step == single.step && end.said == single.said);
	REQUIRE(strcmp(end.why.text, single.why.text) == 0);
	REQUIRE(end.code < 0 || end.taken == single.taken);
	return 0;
}
