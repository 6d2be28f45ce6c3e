/*
 * text: long text cut into parts that fit a line.
 */
#ifndef EBB_IRC_TEXT_H
#define EBB_IRC_TEXT_H

#include "base/str.h"

/* Takes the next part of at most max_bytes from *rest: all of it if it fits; else up to the last
 * space that fits, the spaces at the cut dropped; else between two UTF-8 characters, never within
 * one. Bytes that are not UTF-8 count as characters of their own. Absent at the end. max_bytes is
 * at least 4, so a part is never empty; an empty text is one empty part. */
struct str text_next_part(struct str *rest, size_t max_bytes);

/* Whether s is well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool text_is_utf8(struct str s);

#endif
