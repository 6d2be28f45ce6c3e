#include "net/pin.h"

#include <openssl/evp.h>
#include <stdio.h>

/* Of 32 bytes, the padding included. */
enum { BASE64_LENGTH = 44 };

static const struct str key_prefix = STR_CONST("spki:");

static bool parse_hex(struct str text, unsigned char *to)
{
	size_t n = 0;
	for (size_t i = 0; i < text.n; i++) {
		int digit = str_hex_digit(text.p[i]);
		if (text.p[i] == ':' && n % 2 == 0)
			continue;
		if (digit < 0 || n == (size_t)2 * PIN_BYTES)
			return false;
		to[n / 2] = (unsigned char)(to[n / 2] << 4 | digit);
		n++;
	}
	return n == (size_t)2 * PIN_BYTES;
}

/* EVP_DecodeBlock would let space around the text pass. */
static bool parse_base64(struct str text, unsigned char *to)
{
	unsigned char bytes[BASE64_LENGTH / 4 * 3];
	if (text.n != BASE64_LENGTH || str_find(text, '=') != BASE64_LENGTH - 1)
		return false;
	if (EVP_DecodeBlock(bytes, (const unsigned char *)text.p, BASE64_LENGTH) != sizeof(bytes))
		return false;
	memcpy(to, bytes, PIN_BYTES);
	return true;
}

bool pin_parse(struct str text, struct pin *out)
{
	struct pin pin = {.is_key = str_starts(text, key_prefix)};
	if (pin.is_key)
		text = str_skip(text, key_prefix.n);
	bool ok = parse_hex(text, pin.sha256) || (pin.is_key && parse_base64(text, pin.sha256));
	if (ok)
		*out = pin;
	return ok;
}

void pin_format(const struct pin *pin, char text[PIN_TEXT_BYTES])
{
	char *at = text + snprintf(text, PIN_TEXT_BYTES, "%s", pin->is_key ? key_prefix.p : "");
	for (size_t i = 0; i < PIN_BYTES; i++)
		at += snprintf(at, 3, "%02x", pin->sha256[i]);
}

bool pin_equal(const struct pin *a, const struct pin *b)
{
	return a->is_key == b->is_key && memcmp(a->sha256, b->sha256, PIN_BYTES) == 0;
}
