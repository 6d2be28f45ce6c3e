/* The first byte of the input is how long a line may be, its first line the server's tokens, the
 * second the line to be sent. */
#include "fuzz/fuzz.h"
#include "support/spreads.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = fuzz_input(data, size), token;
	size_t bytes_max = fuzz_byte(&rest), n_lines;
	struct str tokens = str_cut(&rest, '\n'), line = str_cut(&rest, '\n');
	struct isupport *is = isupport_new();
	struct message m;
	while ((token = str_word(&tokens, " ")).p)
		(void)isupport_apply(&is, token);
	if (line.n < 4096 && message_parse(&m, line) == 0)
		REQUIRE(!spreads_fault(is, &m, bytes_max, &n_lines));
	isupport_unref(is);
	return 0;
}
