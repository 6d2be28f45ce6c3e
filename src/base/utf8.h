/*
 * utf8: where one character ends and the next begins (RFC 3629: no surrogates, no overlong forms).
 */
#ifndef EBB_BASE_UTF8_H
#define EBB_BASE_UTF8_H

#include "base/str.h"

/* The size of the character that s, which is not empty, begins with; 0 for what is not UTF-8. */
size_t utf8_size(struct str s);

/* The code point of a whole character of that size. */
uint32_t utf8_point(struct str character);

#endif
