/*
 * buf: the one growing byte buffer.
 *
 * Bytes are appended at the end and consumed from the front. Between the two stands one
 * contiguous slice, always followed by a NUL that is not counted; it may hold NULs itself. A hard
 * maximum is set at buf_init: what would pass it is refused as a whole. Zeroed memory is a valid,
 * empty buffer whose maximum is 0.
 */
#ifndef EBB_BASE_BUF_H
#define EBB_BASE_BUF_H

#include "base/str.h"

#include <stdarg.h>

struct buf {
	char *bytes; /* owned; NULL until the first append */
	size_t start, n, capacity, max;
};

void buf_init(struct buf *b, size_t max);
void buf_fini(struct buf *b);

/* Forgets the content, keeps the memory. */
void buf_reset(struct buf *b);

/* The content; borrowed until the next call that changes b. */
struct str buf_str(const struct buf *b);

/* Appends all or nothing: ERR_LIMIT if the maximum would be passed. */
NODISCARD int buf_add(struct buf *b, struct str s);
NODISCARD int buf_addf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
NODISCARD int buf_addv(struct buf *b, const char *fmt, va_list ap) PRINTF(2, 0);

/* Room for n more bytes at the end, to be filled by the caller and then counted with
 * buf_commit; NULL if the maximum would be passed. */
char *buf_reserve(struct buf *b, size_t n);
void buf_commit(struct buf *b, size_t n);

/* Drops n bytes from the front. */
void buf_consume(struct buf *b, size_t n);

/* Cuts the content to its first n bytes. */
void buf_truncate(struct buf *b, size_t n);

/* Gives the memory of an empty buffer back. */
void buf_trim(struct buf *b);

/* The content as an owned, NUL-terminated string; b is empty afterwards. */
char *buf_detach(struct buf *b);

#endif
