/*
 * idn: host names with letters beyond ASCII, as DNS, certificates and proxies know them.
 *
 * IDNA2008, non-transitional, with the mappings of UTS #46: what people type in capitals or with
 * full-width dots works. libidn2 has the tables.
 */
#ifndef EBB_NET_IDN_H
#define EBB_NET_IDN_H

#include "base/err.h"
#include "base/str.h"

/* name, in UTF-8, with its labels as A-labels: "bücher.example" gives "xn--bcher-kva.example".
 * Returns owned in *out. A name in ASCII comes back as it is, unchecked. ERR_INVALID: err says
 * what is wrong, and *out is NULL. */
NODISCARD int idn_to_ascii(struct str name, char **out, struct err *err);

#endif
