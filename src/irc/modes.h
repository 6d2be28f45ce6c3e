/*
 * modes: a MODE line as single changes, as CHANMODES and PREFIX define them.
 */
#ifndef EBB_IRC_MODES_H
#define EBB_IRC_MODES_H

#include "irc/isupport.h"

struct mode_change {
	bool set; /* + or - */
	char mode;
	struct str param; /* absent where the mode takes none, or it was not given */
};

struct mode_reader {
	const struct isupport *is;
	struct str modes;
	const struct str *params;
	size_t n_params;
	bool set;
};

/* Reads the letters of modes ("+ov-k"), taking parameters in order: for a mode of PREFIX or of type
 * A or B always, type C when it is set, type D and what the server did not announce never. Borrows
 * all of it. */
void modes_begin(struct mode_reader *r, const struct isupport *is, struct str modes,
	const struct str *params, size_t n_params);

/* The next change; false at the end. */
bool modes_next(struct mode_reader *r, struct mode_change *out);

#endif
