#include "base/mem.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *or_abort(void *p)
{
	if (p)
		return p;
	fputs("ebbd: out of memory\n", stderr);
	abort();
}

void *mem_new(size_t n)
{
	return or_abort(calloc(1, n ? n : 1));
}

void *mem_resize(void *p, size_t count, size_t size)
{
	return or_abort(reallocarray(p, count ? count : 1, size));
}

void mem_trim(void)
{
	malloc_trim(0);
}

char *mem_strdup(const char *s)
{
	return s ? or_abort(strdup(s)) : NULL;
}

void mem_wipe(void *p, size_t n)
{
	if (n)
		explicit_bzero(p, n);
}

void mem_wipe_free(char *secret)
{
	if (secret)
		mem_wipe(secret, strlen(secret));
	free(secret);
}
