/*
 * spread: a command that names more than the server takes in a line, as several lines.
 *
 * Servers take only so many targets at once (TARGMAX, MODES in RPL_ISUPPORT; five of USERHOST, RFC
 * 1459, section 5.7), and only so many bytes. The names, with what belongs to each, a key of JOIN
 * or a parameter of MODE, are laid out over lines in their order; all else of the line, its tags
 * and its text too, stands on each. A line that fits is not touched. Nor is one of which it is not
 * clear what belongs together: a list with an empty name or with one that begins with a colon,
 * channels and nicks of KICK that are no pairs, LIST with conditions, a MODE with parameters that
 * no letter takes.
 */
#ifndef EBB_IRC_SPREAD_H
#define EBB_IRC_SPREAD_H

#include "irc/message.h"
#include "irc/modes.h"

enum { SPREAD_PARAMS_MAX = 256 }; /* of MODE: a line with more is not touched */

struct spread_names {
	struct str names, partners; /* absent partners: they have none */
	struct mode_reader modes;   /* in their place */
};

struct spread {
	struct str head, tail; /* around the names, on each line */
	struct spread_names all, rest;
	char separator;
	bool is_modes;
	struct str params[SPREAD_PARAMS_MAX]; /* of modes */
	size_t names_max;                     /* in a line; 0: no limit */
	size_t bytes_max, n_around;
};

/* Whether m, which is to be sent, is to become several lines, each of at most bytes_max bytes
 * without tags; then spread_next gives them. Of the text of a PRIVMSG or NOTICE, which can be cut,
 * half a line is counted at most. Borrows is and m's line; sp is not to be copied. */
bool spread_begin(
	struct spread *sp, const struct isupport *is, const struct message *m, size_t bytes_max);

/* Writes the next line to out, which is reset before: 1; 0 at the end. ERR_LIMIT if it does not fit
 * there. A line with a single name may be longer than bytes_max. */
NODISCARD int spread_next(struct spread *sp, struct buf *out);

/* From the first line again. */
void spread_rewind(struct spread *sp);

#endif
