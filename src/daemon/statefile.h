/*
 * statefile: a small text that outlasts the process.
 *
 * A file is replaced as a whole or not at all: the new text goes to a file of its own beside it
 * ("PATH.new"), is on the disk before it takes the old one's name, and that too is on the disk when
 * the call returns. Whoever is killed in between leaves the old text, and a rest that the next
 * write removes. Only the owner can read it (0600).
 *
 * Writing waits for the disk: it is for what changes seldom. One process writes at a time.
 */
#ifndef EBB_DAEMON_STATEFILE_H
#define EBB_DAEMON_STATEFILE_H

#include "base/buf.h"
#include "base/err.h"

enum { STATEFILE_MAX_BYTES = 1 << 20 };

/* The folder for such files: configured, which may be NULL, else the first of $STATE_DIRECTORY,
 * where the service manager names one. Returns owned; NULL: nothing is to be kept. */
char *statefile_folder(const char *configured);

/* Appends the text to buf, which has room for STATEFILE_MAX_BYTES and is empty. A file that is not
 * there is one without text. ERR_SYSTEM, or ERR_LIMIT where it is larger: err begins with path, and
 * buf is as it was. */
NODISCARD int statefile_read(const char *path, struct buf *buf, struct err *err);

/* ERR_SYSTEM, ERR_LIMIT: err begins with path, and the file is as it was; but where only the folder
 * could not be brought to the disk, the new text is there and a loss of power may undo it. */
NODISCARD int statefile_write(const char *path, struct str text, struct err *err);

#endif
