/*
 * local: a listening socket in the file system, and who is at the other end of it.
 *
 * The socket belongs to one process: a lock on PATH.lock is held as long as it is open, so whoever
 * has the lock may remove a socket that a dead process left. Anything else at PATH stays: what is
 * no socket, and a socket on which another program answers.
 *
 * The mode is 0660, whatever the umask, and never wider on the way there. Let in are root, the
 * user that the process runs as, and the members of the group that the socket belongs to; the
 * kernel says who they are (SO_PEERCRED, SO_PEERGROUPS), so a mode that somebody widened lets
 * nobody else in.
 */
#ifndef EBB_DAEMON_LOCAL_H
#define EBB_DAEMON_LOCAL_H

#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

/* Zeroed memory is a closed one. */
struct local {
	char *path;  /* owned; NULL: closed */
	int fd;      /* owned; does not block */
	int lock_fd; /* owned */
	dev_t device;
	ino_t inode; /* of the socket: another may take its place */
};

/* ERR_SYSTEM: err has the reason, which begins with the path, and l is closed. */
NODISCARD int local_open(struct local *l, const char *path, struct err *err);

/* Removes the socket, if it is still this one. The lock's file stays. */
void local_close(struct local *l);

/* Who connected, as the kernel knew them then. */
struct local_peer {
	uid_t uid;
	gid_t gid;
	pid_t pid;
};

/* Whether who connected by fd is let in. */
bool local_allows(const struct local *l, int fd, struct local_peer *out);

#endif
