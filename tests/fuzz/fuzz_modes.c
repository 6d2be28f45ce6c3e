/* The input is a line of ISUPPORT tokens, and one of the modes and their parameters. */
#include "fuzz/fuzz.h"

#include "irc/message.h"
#include "irc/modes.h"

static bool takes_param(const struct isupport *is, struct mode_change c)
{
	if (str_has(str_of(is->prefix_modes), c.mode) || str_has(str_of(is->chanmodes[0]), c.mode))
		return true;
	return str_has(str_of(is->chanmodes[1]), c.mode) ||
	       (c.set && str_has(str_of(is->chanmodes[2]), c.mode));
}

/* Every letter is a change, and every parameter is somebody's, in their order. */
static void require_changes(
	const struct isupport *is, struct str modes, const struct str *params, size_t n_params)
{
	struct mode_reader r;
	struct mode_change c;
	size_t at = 0, used = 0;
	bool set = true;
	modes_begin(&r, is, modes, params, n_params);
	while (modes_next(&r, &c)) {
		for (; at < modes.n && (modes.p[at] == '+' || modes.p[at] == '-'); at++)
			set = modes.p[at] == '+';
		REQUIRE(at < modes.n && c.mode == modes.p[at++] && c.set == set);
		if (!takes_param(is, c) || used == n_params) {
			REQUIRE(!c.param.p);
			continue;
		}
		REQUIRE(c.param.p == params[used].p && c.param.n == params[used].n);
		used++;
	}
	for (; at < modes.n; at++)
		REQUIRE(modes.p[at] == '+' || modes.p[at] == '-');
	REQUIRE(!modes_next(&r, &c));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = fuzz_input(data, size), tokens = str_cut(&rest, '\n');
	struct str line = str_cut(&rest, '\n'), token, words[MESSAGE_PARAMS_MAX];
	struct isupport *is = isupport_new();
	size_t n = 0;
	while ((token = str_word(&tokens, " ")).p)
		(void)isupport_apply(&is, token);
	while (n < COUNTOF(words) && (words[n] = str_word(&line, " ")).p)
		n++;
	if (n)
		require_changes(is, words[0], words + 1, n - 1);
	isupport_unref(is);
	return 0;
}
