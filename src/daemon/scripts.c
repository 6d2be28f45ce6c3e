#include "daemon/scripts.h"

#include "base/attr.h"
#include "base/buf.h"
#include "base/mem.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

static void add_path(struct script_paths *ps, const char *path)
{
	ps->items = mem_resize(ps->items, ps->n + 1, sizeof(*ps->items));
	ps->items[ps->n++] = mem_strdup(path);
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static bool is_test_file(const char *path)
{
	static const struct str suffix = STR_CONST("_test.lua");
	struct str s = str_of(path);
	return s.n > suffix.n && str_eq(str_skip(s, s.n - suffix.n), suffix);
}

static bool find_tests(struct script_paths *ps, const char *path, bool is_named);

static void find_in_folder(struct script_paths *ps, const char *folder)
{
	struct dirent **entries;
	int n = scandir(folder, &entries, is_visible, alphasort);
	for (int i = 0; i < n; i++) {
		struct buf path;
		buf_init(&path, PATH_MAX_BYTES);
		bool has_slash = folder[strlen(folder) - 1] == '/';
		if (buf_addf(&path, "%s%s%s", folder, has_slash ? "" : "/", entries[i]->d_name) ==
			0)
			find_tests(ps, buf_str(&path).p, false);
		buf_fini(&path);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
}

/* A folder's *_test.lua and those of its folders; or, if it was named, any file. */
static bool find_tests(struct script_paths *ps, const char *path, bool is_named)
{
	struct stat st;
	if ((is_named ? stat(path, &st) : lstat(path, &st)) < 0)
		return false;
	if (S_ISDIR(st.st_mode))
		find_in_folder(ps, path);
	else if (is_named || (S_ISREG(st.st_mode) && is_test_file(path)))
		add_path(ps, path);
	return true;
}

bool scripts_find_tests(struct script_paths *ps, const char *path)
{
	return find_tests(ps, path, true);
}

void script_paths_fini(struct script_paths *ps)
{
	for (size_t i = 0; i < ps->n; i++)
		free(ps->items[i]);
	free(ps->items);
}
