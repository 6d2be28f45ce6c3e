#include "daemon/statefile.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MODE = 0600, PATH_BYTES = 16384 };

static int fail(struct err *err, const char *path)
{
	return err_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
}

static int fail_size(struct err *err, const char *path)
{
	return err_set(
		err, ERR_LIMIT, "%s: is larger than %d bytes", path, (int)STATEFILE_MAX_BYTES);
}

char *statefile_folder(const char *configured)
{
	if (configured)
		return mem_strdup(configured);
	struct str folders = str_of(getenv("STATE_DIRECTORY"));
	struct str folder =
		str_cut(&folders, ':'); /* systemd.exec(5): several have colons between */
	return folder.n ? str_dup(folder) : NULL;
}

/* A pipe or a device would have no end, or none that comes soon. */
static int check_kind(int fd, const char *path, struct err *err)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return fail(err, path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_SYSTEM, "%s: is not a file", path);
	return st.st_size > STATEFILE_MAX_BYTES ? fail_size(err, path) : 0;
}

static int read_all(int fd, const char *path, struct buf *buf, struct err *err)
{
	char *to = buf_reserve(buf, STATEFILE_MAX_BYTES);
	size_t n = 0;
	ssize_t got = 1;
	if (!to)
		return err_set(err, ERR_LIMIT, "%s: there is no room for it", path);
	while (got != 0 && n < STATEFILE_MAX_BYTES) {
		got = read(fd, to + n, STATEFILE_MAX_BYTES - n);
		if (got < 0 && errno != EINTR)
			return fail(err, path);
		n += got > 0 ? (size_t)got : 0;
	}
	buf_commit(buf, n);
	return 0;
}

int statefile_read(const char *path, struct buf *buf, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT ? 0 : fail(err, path);
	int r = check_kind(fd, path, err);
	if (r == 0)
		r = read_all(fd, path, buf, err);
	close(fd);
	return r;
}

static int write_all(int fd, struct str text)
{
	while (text.n) {
		ssize_t n = write(fd, text.p, text.n);
		if (n < 0 && errno != EINTR)
			return -1;
		text = str_skip(text, n > 0 ? (size_t)n : 0);
	}
	return fsync(fd);
}

/* What a killed process left at temporary may have any mode and length. */
static int write_new(const char *temporary, struct str text)
{
	if (unlink(temporary) < 0 && errno != ENOENT)
		return -1;
	int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, MODE);
	if (fd < 0)
		return -1;
	int r = write_all(fd, text);
	int why = errno;
	if (close(fd) < 0 && r == 0) {
		r = -1;
		why = errno;
	}
	errno = why;
	return r;
}

/* A rename is on the disk when its folder is. */
static int sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder =
		slash ? str_dup((struct str){path, (size_t)(slash - path) + 1}) : mem_strdup(".");
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 ? -1 : fsync(fd);
	int why = errno;
	if (fd >= 0)
		close(fd);
	free(folder);
	errno = why;
	return r;
}

static int replace(const char *path, const char *temporary, struct str text, struct err *err)
{
	int r = 0;
	if (write_new(temporary, text) < 0 || rename(temporary, path) < 0) {
		r = fail(err, path);
		unlink(temporary);
	} else if (sync_folder(path) < 0) {
		r = fail(err, path);
	}
	return r;
}

int statefile_write(const char *path, struct str text, struct err *err)
{
	struct buf temporary;
	if (text.n > STATEFILE_MAX_BYTES)
		return fail_size(err, path);
	buf_init(&temporary, PATH_BYTES);
	int r = buf_addf(&temporary, "%s.new", path);
	r = r < 0 ? err_set(err, ERR_LIMIT, "%s: is too long a path", path)
		  : replace(path, buf_str(&temporary).p, text, err);
	buf_fini(&temporary);
	return r;
}
