#include "daemon/local.h"

#include "base/buf.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { MODE = 0660, LOCK_MODE = 0600, BACKLOG = 16 };

static int fail(struct err *err, const char *path)
{
	return err_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
}

static int take_lock(struct local *l, struct err *err)
{
	struct buf path;
	buf_init(&path, sizeof(((struct sockaddr_un *)0)->sun_path) + sizeof(".lock"));
	int r = buf_addf(&path, "%s.lock", l->path);
	if (r == 0)
		l->lock_fd = open(
			buf_str(&path).p, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, LOCK_MODE);
	if (l->lock_fd < 0)
		r = fail(err, buf_str(&path).p);
	else if (flock(l->lock_fd, LOCK_EX | LOCK_NB) < 0)
		r = errno == EWOULDBLOCK
			    ? err_set(err, ERR_SYSTEM, "%s: another ebbd is there", l->path)
			    : fail(err, buf_str(&path).p);
	buf_fini(&path);
	return r;
}

static int fill_address(struct sockaddr_un *sa, const char *path, struct err *err)
{
	size_t n = strlen(path);
	*sa = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (n >= sizeof(sa->sun_path))
		return err_set(err, ERR_SYSTEM, "%s: is longer than %zu bytes", path,
			sizeof(sa->sun_path) - 1);
	memcpy(sa->sun_path, path, n);
	return 0;
}

/* Only a socket that nobody listens on refuses. */
static bool is_stale(const struct sockaddr_un *sa)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool refuses = fd >= 0 && connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) < 0 &&
		       errno == ECONNREFUSED;
	if (fd >= 0)
		close(fd);
	return refuses;
}

static int make_room(const struct local *l, const struct sockaddr_un *sa, struct err *err)
{
	struct stat st;
	if (lstat(l->path, &st) < 0)
		return errno == ENOENT ? 0 : fail(err, l->path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(err, ERR_SYSTEM, "%s: is not a socket, and stays", l->path);
	if (!is_stale(sa))
		return err_set(err, ERR_SYSTEM, "%s: another program listens there", l->path);
	return unlink(l->path) < 0 ? fail(err, l->path) : 0;
}

/* The mode of the descriptor is what bind takes the umask from; what that took away is given back
 * afterwards. */
static int bind_there(struct local *l, const struct sockaddr_un *sa, struct err *err)
{
	struct stat st;
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0 || fchmod(l->fd, MODE) < 0 ||
		bind(l->fd, (const struct sockaddr *)sa, sizeof(*sa)) < 0)
		return fail(err, l->path);
	if (lstat(l->path, &st) < 0)
		return fail(err, l->path);
	l->device = st.st_dev;
	l->inode = st.st_ino;
	if (chmod(l->path, MODE) < 0 || listen(l->fd, BACKLOG) < 0)
		return fail(err, l->path);
	return 0;
}

int local_open(struct local *l, const char *path, struct err *err)
{
	struct sockaddr_un sa;
	*l = (struct local){.path = mem_strdup(path), .fd = -1, .lock_fd = -1};
	int r = fill_address(&sa, path, err);
	if (r == 0)
		r = take_lock(l, err);
	if (r == 0)
		r = make_room(l, &sa, err);
	if (r == 0)
		r = bind_there(l, &sa, err);
	if (r < 0)
		local_close(l);
	return r;
}

static bool is_ours(const struct local *l, struct stat *st)
{
	return l->inode && lstat(l->path, st) == 0 && st->st_dev == l->device &&
	       st->st_ino == l->inode;
}

void local_close(struct local *l)
{
	struct stat st;
	if (!l->path)
		return;
	if (is_ours(l, &st))
		unlink(l->path);
	if (l->fd >= 0)
		close(l->fd);
	if (l->lock_fd >= 0)
		close(l->lock_fd);
	free(l->path);
	*l = (struct local){0};
}

/* The kernel tells how much room the list takes when it is given too little. */
static bool is_member(int fd, gid_t group)
{
	socklen_t n = 0;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &n) == 0 || errno != ERANGE)
		return false;
	gid_t *groups = mem_new(n);
	bool found = false;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &n) == 0)
		for (size_t i = 0; i < n / sizeof(*groups) && !found; i++)
			found = groups[i] == group;
	free(groups);
	return found;
}

bool local_allows(const struct local *l, int fd, struct local_peer *out)
{
	struct ucred who;
	socklen_t n = sizeof(who);
	struct stat st;
	*out = (struct local_peer){(uid_t)-1, (gid_t)-1, 0};
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) < 0)
		return false;
	*out = (struct local_peer){who.uid, who.gid, who.pid};
	if (who.uid == 0 || who.uid == geteuid())
		return true;
	return is_ours(l, &st) && (who.gid == st.st_gid || is_member(fd, st.st_gid));
}
