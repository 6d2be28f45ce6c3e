/*
 * place: where the control socket is when nobody says.
 *
 * The daemon listens at the first of the two that the environment names; the client looks for one
 * in the order of all three.
 */
#ifndef EBB_CTL_PLACE_H
#define EBB_CTL_PLACE_H

#include <stddef.h>

enum place {
	PLACE_SERVICE, /* $RUNTIME_DIRECTORY/control.sock, of the service manager */
	PLACE_SESSION, /* $XDG_RUNTIME_DIR/ebb/control.sock */
	PLACE_SYSTEM,  /* /run/ebb/control.sock, where the service of the system listens */
	PLACES
};

/* Returns owned; NULL where its variable is not set. */
char *place_path(enum place place);

#endif
