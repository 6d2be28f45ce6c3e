#include "net/idn.h"

#include "base/mem.h"

#include <idn2.h>
#include <stdlib.h>

static bool is_ascii(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	}
	return true;
}

int idn_to_ascii(struct str name, char **out, struct err *err)
{
	char *text = str_dup(name), *found = NULL;
	*out = NULL;
	if (is_ascii(name)) {
		*out = text;
		return 0;
	}
	int r = idn2_to_ascii_8z(text, &found, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	free(text);
	if (r != IDN2_OK)
		return err_set(err, ERR_INVALID, "%s", idn2_strerror(r));
	*out = mem_strdup(found);
	idn2_free(found);
	return 0;
}
