/*
 * base64: bytes as text and back (RFC 4648, section 4), strictly.
 *
 * With padding, without line breaks. There is one text for any bytes, and no other is accepted:
 * what a server signs must not have two readings.
 */
#ifndef EBB_IRC_BASE64_H
#define EBB_IRC_BASE64_H

#include "base/buf.h"

/* How long the text of n bytes is. */
#define BASE64_BYTES(n) (((size_t)(n) + 2) / 3 * 4)

/* Appends the text of bytes. ERR_LIMIT, and out as it was, when it does not fit. */
NODISCARD int base64_encode(struct buf *out, struct str bytes);

/* Appends the bytes of text. ERR_INVALID for what is no base64, ERR_LIMIT when it does not fit,
 * for which a full group counts as three bytes; out is then as it was. */
NODISCARD int base64_decode(struct buf *out, struct str text);

#endif
