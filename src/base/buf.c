#include "base/buf.h"

#include "base/err.h"
#include "base/mem.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){.max = max};
}

void buf_fini(struct buf *b)
{
	free(b->bytes);
	*b = (struct buf){0};
}

void buf_reset(struct buf *b)
{
	b->start = b->n = 0;
	if (b->bytes)
		b->bytes[0] = '\0';
}

struct str buf_str(const struct buf *b)
{
	return (struct str){b->bytes ? b->bytes + b->start : "", b->n};
}

static void compact(struct buf *b)
{
	if (b->start && b->n)
		memmove(b->bytes, b->bytes + b->start, b->n);
	b->start = 0;
}

char *buf_reserve(struct buf *b, size_t n)
{
	if (n > b->max - b->n)
		return NULL;
	size_t wanted = b->n + n + 1;
	if (b->start + wanted > b->capacity)
		compact(b);
	if (wanted > b->capacity) {
		size_t doubled = b->capacity * 2;
		b->capacity = wanted > doubled ? wanted : doubled;
		b->bytes = mem_resize(b->bytes, b->capacity, 1);
	}
	return b->bytes + b->start + b->n;
}

void buf_commit(struct buf *b, size_t n)
{
	assert(b->start + b->n + n < b->capacity);
	b->n += n;
	b->bytes[b->start + b->n] = '\0';
}

int buf_add(struct buf *b, struct str s)
{
	char *end = buf_reserve(b, s.n);
	if (!end)
		return ERR_LIMIT;
	if (s.n)
		memcpy(end, s.p, s.n);
	buf_commit(b, s.n);
	return 0;
}

int buf_addv(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	assert(n >= 0);
	char *end = buf_reserve(b, (size_t)n);
	if (!end)
		return ERR_LIMIT;
	vsnprintf(end, (size_t)n + 1, fmt, ap);
	buf_commit(b, (size_t)n);
	return 0;
}

int buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int r = buf_addv(b, fmt, ap);
	va_end(ap);
	return r;
}

void buf_consume(struct buf *b, size_t n)
{
	assert(n <= b->n);
	b->start += n;
	b->n -= n;
	if (b->n == 0)
		b->start = 0;
}

void buf_truncate(struct buf *b, size_t n)
{
	assert(n <= b->n);
	b->n = n;
	if (b->bytes)
		b->bytes[b->start + n] = '\0';
}

void buf_trim(struct buf *b)
{
	if (b->n)
		return;
	free(b->bytes);
	b->bytes = NULL;
	b->start = b->capacity = 0;
}

char *buf_detach(struct buf *b)
{
	char *s;
	if (b->bytes) {
		compact(b);
		b->bytes[b->n] = '\0';
		s = b->bytes;
	} else {
		s = mem_strdup("");
	}
	b->bytes = NULL;
	b->start = b->n = b->capacity = 0;
	return s;
}
