/*
 * files: whether the process may open as many files as its networks need.
 *
 * A network has one connection, and while it is being made some more: addresses are raced. The
 * loop, the log, the control socket, the resolver and scripts have their part. How many a process
 * may open is its limit RLIMIT_NOFILE, a soft one that it may raise up to a hard one. This is the
 * daemon's: a library leaves the limits of its program alone.
 */
#ifndef EBB_DAEMON_FILES_H
#define EBB_DAEMON_FILES_H

#include "base/attr.h"
#include "base/err.h"

#include <stddef.h>

/* Raises the soft limit to the hard one where so many networks need it. ERR_CONFIG: err says how
 * many files they need, what the limit is, and what to set. */
NODISCARD int files_provide(size_t n_networks, struct err *err);

#endif
