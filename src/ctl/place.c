#include "ctl/place.h"

#include "base/buf.h"

#include <stdlib.h>

enum { PATH_MAX_BYTES = 8192 };

static const struct {
	const char *variable; /* NULL: none, and rest is the whole path */
	const char *rest;
} places[PLACES] = {
	[PLACE_SERVICE] = {"RUNTIME_DIRECTORY", "/control.sock"        },
	[PLACE_SESSION] = {"XDG_RUNTIME_DIR",   "/ebb/control.sock"    },
	[PLACE_SYSTEM] = {NULL,                "/run/ebb/control.sock"},
};

char *place_path(enum place place)
{
	struct str folders = STR("");
	if (places[place].variable)
		folders = str_of(getenv(places[place].variable));
	struct str folder =
		str_cut(&folders, ':'); /* systemd.exec(5): several have colons between */
	if (places[place].variable && folder.n == 0)
		return NULL;
	struct buf path;
	buf_init(&path, PATH_MAX_BYTES);
	if (buf_addf(&path, "%" STR_F "%s", STR_A(folder), places[place].rest) < 0)
		buf_reset(&path);
	return buf_detach(&path);
}
