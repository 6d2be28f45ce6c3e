/*
 * mem: memory for the daemon's own structures.
 *
 * These functions never return NULL: the daemon does not go on without memory, it ends with a
 * message and the service manager starts it again. Scripts allocate through their own, capped
 * allocator, where running out is an ordinary Lua error. Everything is freed with free().
 */
#ifndef EBB_BASE_MEM_H
#define EBB_BASE_MEM_H

#include <stddef.h>

/* n bytes, zeroed. */
void *mem_new(size_t n);

/* p grown or shrunk to count elements of size bytes; aborts also when the product overflows. */
void *mem_resize(void *p, size_t count, size_t size);

/* Gives pages that nothing uses any more back to the system. It walks the heap: for now and then.
 */
void mem_trim(void);

/* A NUL-terminated copy; NULL gives NULL. Returns owned. */
char *mem_strdup(const char *s);

/* Overwrites n bytes in a way that the compiler keeps. For secrets. */
void mem_wipe(void *p, size_t n);

/* Wipes a NUL-terminated secret and frees it; NULL is accepted. */
void mem_wipe_free(char *secret);

#endif
