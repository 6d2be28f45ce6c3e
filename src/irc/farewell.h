/*
 * farewell: why a server closes, as far as its words tell.
 *
 * No standard says how a server gives its reason: there is ERROR with a text (RFC 2812, section
 * 3.7.4), and every server has texts of its own. What the kinds mean is in doc/ebb.lua, `connect`.
 */
#ifndef EBB_IRC_FAREWELL_H
#define EBB_IRC_FAREWELL_H

#include "base/err.h"
#include "base/str.h"

/*
 * The kind, an ERR_*, of the text of an ERROR or of a numeric that ends a connection; otherwise
 * where it has no word that is known.
 *
 * Of several words the first decides: it is the server's own, and what people wrote (the reason of
 * a ban or of a kill, our own QUIT) stands behind it. Who is spoken to ("Closing Link: nick[host]")
 * is passed over. Before we are registered it is the server itself that kills, for a ban for
 * instance, so there every other word counts more.
 */
int farewell_kind(struct str text, bool is_registered, int otherwise);

#endif
