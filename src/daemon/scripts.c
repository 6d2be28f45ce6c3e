#include "daemon/scripts.h"

#include "base/attr.h"
#include "base/buf.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_MAX_BYTES = 8192 };

static char *readable(const char *folder, const char *name)
{
	struct buf path;
	buf_init(&path, PATH_MAX_BYTES);
	int r = buf_addf(&path, "%s%s.lua", folder, name);
	if (r < 0 || access(buf_str(&path).p, R_OK) < 0)
		buf_fini(&path);
	return buf_str(&path).n ? buf_detach(&path) : NULL;
}

char *scripts_find(const char *folder, const char *name)
{
	const char *const folders[] = {folder, "/etc/ebb/scripts/", "/usr/share/ebb/scripts/",
		"/usr/local/share/ebb/scripts/"};
	char *path = NULL;
	for (size_t i = 0; i < COUNTOF(folders) && !path; i++)
		path = readable(folders[i], name);
	return path;
}

char *scripts_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	struct str name = str_of(slash ? slash + 1 : path);
	if (name.n > 4 && str_eq(str_skip(name, name.n - 4), STR(".lua")))
		name.n -= 4;
	return str_dup(name);
}

char *scripts_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	return str_dup((struct str){path, slash ? (size_t)(slash + 1 - path) : 0});
}
