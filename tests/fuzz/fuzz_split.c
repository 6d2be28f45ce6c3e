/* The first byte of the input is how long a part may be, the rest is the text. */
#include "fuzz/fuzz.h"
#include "support/cuts.h"

static void require_scrubbed(struct str text)
{
	struct buf out;
	buf_init(&out, 3 * text.n + 1);
	REQUIRE(text_scrub(&out, text) == 0);
	REQUIRE(text_is_utf8(buf_str(&out)));
	REQUIRE(buf_str(&out).n >= text.n);
	REQUIRE(!text_is_utf8(text) || text.n == 0 || str_eq(buf_str(&out), text));
	buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = fuzz_input(data, size);
	unsigned char max_bytes = fuzz_byte(&text);
	REQUIRE(!cuts_fault(text, TEXT_PART_MIN_BYTES + (size_t)max_bytes));
	require_scrubbed(text);
	return 0;
}
