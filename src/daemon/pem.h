/*
 * pem: whether a text in PEM is the key that it should be.
 *
 * For the time at which the configuration is read: a key that cannot be used is a mistake in the
 * file then, and not a login that fails at night.
 */
#ifndef EBB_DAEMON_PEM_H
#define EBB_DAEMON_PEM_H

#include "base/err.h"

/* Whether text holds a private key on the curve NIST P-256. ERR_CONFIG: err says what is wrong, to
 * follow the name of the file. Asks nobody for a passphrase. */
NODISCARD int pem_check_nist256p(const char *text, struct err *err);

#endif
