/*
 * text: long text cut into parts that fit a line, and bytes made UTF-8.
 *
 * A text is cut at the last space that fits, the spaces at the cut dropped; else between two
 * grapheme clusters (UAX #29: what a reader takes for one character, such as a letter with its
 * accents, a flag, a family of emoji). A cluster that is longer than a part, or than
 * TEXT_CLUSTER_MAX_BYTES, is cut between characters. Bytes that are not UTF-8 count as characters
 * of their own.
 *
 * Formatting (modern IRC formatting: bold, italic, underline, strikethrough, monospace, reverse,
 * colour, hex colour, reset) that is in force at a cut goes on in the next part: its codes are put
 * in front. A code is never cut, and codes that stand at a cut are in no part: what they do is in
 * what the next one carries. So formatting behind the last part makes no part of its own.
 */
#ifndef EBB_IRC_TEXT_H
#define EBB_IRC_TEXT_H

#include "base/buf.h"

enum {
	TEXT_PART_MIN_BYTES = 4,      /* any character fits */
	TEXT_CARRIED_MAX_BYTES = 24,  /* two colours and all that is on or off */
	TEXT_CLUSTER_MAX_BYTES = 512, /* far more than any script or emoji needs */
};

/* A colour in force: the byte of its code, 0 for none, and its digits in the text. */
struct text_colour {
	char code;
	struct str digits;
};

struct text_format {
	unsigned toggles; /* a bit for each that is on */
	struct text_colour fg, bg;
};

/* A text being cut. Borrows the text. */
struct text_cut {
	struct str rest; /* absent at the end */
	size_t max_bytes;
	struct text_format format; /* where rest begins */
	char carried[TEXT_CARRIED_MAX_BYTES];
};

/* Begins to cut text into parts of at most max_bytes, TEXT_PART_MIN_BYTES or more. */
void text_cut_begin(struct text_cut *c, struct str text, size_t max_bytes);

/*
 * The next part is *carried, codes that are borrowed from c until the next call, and then *part, a
 * piece of the text; both fit into max_bytes. False at the end. Nothing is carried into the first.
 * A text that fits is one part, as it is, also where it is empty; an absent one has none. Where
 * what is carried would leave no room for a character it is left out. Takes time in proportion to
 * the text over all parts.
 */
bool text_cut_next(struct text_cut *c, struct str *carried, struct str *part);

/* Whether s is well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool text_is_utf8(struct str s);

/* Appends text with U+FFFD for each byte that is not UTF-8. ERR_LIMIT, and out as it was, when it
 * does not fit. */
NODISCARD int text_scrub(struct buf *out, struct str text);

#endif
