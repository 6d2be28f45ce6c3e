#include "base/err.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

static const char *const names[] = {"ok",
#define ERR_NAME(code, name) name,
	ERR_TABLE(ERR_NAME)
#undef ERR_NAME
};

int err_set(struct err *err, int code, const char *fmt, ...)
{
	if (!err)
		return code;
	err->code = code;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return code;
}

const char *err_name(int code)
{
	assert(code <= 0 && (size_t)-code < COUNTOF(names));
	return names[-code];
}
