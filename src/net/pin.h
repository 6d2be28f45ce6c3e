/*
 * pin: what a person writes down of a server's certificate, to know it again.
 *
 * A pin is the SHA-256 of the certificate (DER), or of its public key (SubjectPublicKeyInfo), which
 * stays the same when a certificate is renewed with the key it had. In text:
 *
 *     64 hex digits, with or without colons between bytes      the certificate
 *     spki: and the same, or base64 as RFC 7469 has it          the key
 */
#ifndef EBB_NET_PIN_H
#define EBB_NET_PIN_H

#include "base/str.h"

enum { PIN_BYTES = 32, PIN_TEXT_BYTES = 5 + 2 * PIN_BYTES + 1 };

struct pin {
	bool is_key;
	unsigned char sha256[PIN_BYTES];
};

/* False leaves *out alone. */
NODISCARD bool pin_parse(struct str text, struct pin *out);

/* In hex, as pin_parse reads it. */
void pin_format(const struct pin *pin, char text[PIN_TEXT_BYTES]);

bool pin_equal(const struct pin *a, const struct pin *b);

#endif
