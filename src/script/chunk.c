#include "script/chunk.h"

#include "base/buf.h"
#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_BYTES = 64 * 1024 };

/* FNV-1a, which is never 0 for what is read. */
static uint64_t hash_of(struct str text)
{
	uint64_t hash = 0xcbf29ce484222325;
	for (size_t i = 0; i < text.n; i++)
		hash = (hash ^ (unsigned char)text.p[i]) * 0x100000001b3;
	return hash ? hash : 1;
}

static int open_file(const char *path, struct err *err)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	close(fd);
	return err_set(err, ERR_SYSTEM, "%s: is not a file", path);
}

static int read_all(int fd, const char *path, struct buf *out, struct err *err)
{
	char *end = NULL;
	while (buf_str(out).n <= CHUNK_MAX_BYTES && (end = buf_reserve(out, READ_BYTES))) {
		ssize_t n = read(fd, end, READ_BYTES);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
		if (n == 0)
			break;
		buf_commit(out, (size_t)n);
	}
	return 0;
}

/* Into out, which is empty after a failure. */
static int read_file(const char *path, struct buf *out, struct err *err)
{
	buf_init(out, CHUNK_MAX_BYTES + 2 * READ_BYTES);
	int fd = open_file(path, err);
	if (fd < 0)
		return fd;
	int r = read_all(fd, path, out, err);
	close(fd);
	if (r < 0)
		buf_fini(out);
	return r;
}

/* Without a byte order mark, and a first line that is for who starts programs; its end stays, so
 * that lines are counted as they stand in the file. */
static struct str program_of(struct str content)
{
	struct str mark = STR("\xef\xbb\xbf");
	if (str_starts(content, mark))
		content = str_skip(content, mark.n);
	if (str_starts(content, STR("#")))
		content = str_skip(content, str_find(content, '\n'));
	return content;
}

/* Why text is none for a program, or NULL. */
static const char *refusal(struct str text)
{
	if (str_starts(text, STR(LUA_SIGNATURE)))
		return "is binary, and only text chunks are loaded";
	return text.n > CHUNK_MAX_BYTES ? "is longer than 1 MB, too much for a program" : NULL;
}

/* Raises nothing. */
static bool load_text(lua_State *L, struct str text, const char *name)
{
	return luaL_loadbufferx(L, text.n ? text.p : "", text.n, name, "t") == LUA_OK;
}

bool chunk_load(lua_State *L, struct str text, const char *name)
{
	const char *why = refusal(text);
	if (!why)
		return load_text(L, text, name);
	lua_pushfstring(L, "the text %s", why);
	return false;
}

bool chunk_load_file(lua_State *L, const char *path, const char *name, uint64_t *hash)
{
	struct buf content;
	struct err err;
	uint64_t unused;
	hash = hash ? hash : &unused;
	*hash = 0;
	name = lua_pushfstring(L, "@%s", name);
	bool ok = false;
	int r = read_file(path, &content, &err);
	if (r == 0) {
		const char *why = refusal(program_of(buf_str(&content)));
		*hash = hash_of(buf_str(&content));
		r = why ? err_set(&err, ERR_INVALID, "%s: %s", path, why) : 0;
		ok = !why && load_text(L, program_of(buf_str(&content)), name);
	}
	buf_fini(&content);
	if (r < 0)
		lua_pushstring(L, err.text);
	lua_remove(L, -2);
	return ok;
}

uint64_t chunk_hash_file(const char *path)
{
	struct buf content;
	if (read_file(path, &content, NULL) < 0)
		return 0;
	uint64_t hash = hash_of(buf_str(&content));
	buf_fini(&content);
	return hash;
}
