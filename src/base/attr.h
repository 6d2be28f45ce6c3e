/* Compiler attributes and the few macros that every file may use. */
#ifndef EBB_BASE_ATTR_H
#define EBB_BASE_ATTR_H

#include <stddef.h>

#define NODISCARD       __attribute__((warn_unused_result))
#define NORETURN        __attribute__((noreturn))
#define PRINTF(fmt, va) __attribute__((format(printf, fmt, va)))

#define COUNTOF(array) (sizeof(array) / sizeof((array)[0]))

/* The struct of the given type whose member is at p. */
#define container_of(p, type, member) ((type *)(void *)((char *)(p)-offsetof(type, member)))

#endif
