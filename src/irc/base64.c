#include "irc/base64.h"

#include "base/err.h"
#include "base/mem.h"

#include <limits.h>
#include <openssl/evp.h>

int base64_encode(struct buf *out, struct str bytes)
{
	if (bytes.n > INT_MAX / 2)
		return ERR_LIMIT;
	if (bytes.n == 0)
		return 0;
	char *end = buf_reserve(out, BASE64_BYTES(bytes.n));
	if (!end)
		return ERR_LIMIT;
	int n = EVP_EncodeBlock((unsigned char *)end, (const unsigned char *)bytes.p, (int)bytes.n);
	buf_commit(out, (size_t)n);
	return 0;
}

static size_t padding_of(struct str text)
{
	if (text.p[text.n - 1] != '=')
		return 0;
	return text.p[text.n - 2] == '=' ? 2 : 1;
}

/* libcrypto reads more than base64: spaces around it, padding within, bits that stand for nothing.
 * None of that is what it would write itself. */
static bool is_text_of(struct str text, struct str bytes)
{
	struct buf again;
	buf_init(&again, text.n);
	bool is_same = base64_encode(&again, bytes) == 0 && str_eq(buf_str(&again), text);
	mem_wipe(again.bytes, again.capacity);
	buf_fini(&again);
	return is_same;
}

int base64_decode(struct buf *out, struct str text)
{
	if (text.n == 0)
		return 0;
	if (text.n % 4 || text.n > INT_MAX / 2)
		return ERR_INVALID;
	char *end = buf_reserve(out, text.n / 4 * 3);
	if (!end)
		return ERR_LIMIT;
	int n = EVP_DecodeBlock((unsigned char *)end, (const unsigned char *)text.p, (int)text.n);
	if (n < 0 || (size_t)n != text.n / 4 * 3)
		return ERR_INVALID;
	struct str bytes = {end, (size_t)n - padding_of(text)};
	if (!is_text_of(text, bytes))
		return ERR_INVALID;
	buf_commit(out, bytes.n);
	return 0;
}
