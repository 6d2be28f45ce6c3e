#include "daemon/scripts.h"

#include "base/attr.h"
#include "base/buf.h"
#include "base/mem.h"
#include "script/require.h"

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

/* Where the daemon looks. */
static const char *const standard[] = {
	"/etc/ebb/scripts/", "/usr/share/ebb/scripts/", "/usr/local/share/ebb/scripts/"};

char *scripts_find(const char *folder, const char *name)
{
	char *path = readable(folder, name);
	for (size_t i = 0; i < COUNTOF(standard) && !path; i++)
		path = readable(standard[i], name);
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

void script_paths_add(struct script_paths *ps, const char *folder, const char *rest)
{
	struct buf path;
	buf_init(&path, PATH_MAX_BYTES);
	bool is_new = buf_addf(&path, "%s%s", folder, rest) == 0;
	for (size_t i = 0; i < ps->n; i++)
		is_new = is_new && strcmp(ps->items[i], buf_str(&path).p) != 0;
	if (is_new)
		add_path(ps, buf_str(&path).p);
	buf_fini(&path);
}

void scripts_find_libs(struct script_paths *ps, const char *path)
{
	char *own = require_own_folder(path), *folder = scripts_folder(path);
	bool is_init = strcmp(path + strlen(folder), "init.lua") == 0;
	script_paths_add(ps, own, "");
	script_paths_add(ps, folder, is_init ? "../lib" : "lib");
	for (size_t i = 0; i < COUNTOF(standard); i++)
		script_paths_add(ps, standard[i], "lib");
	free(own);
	free(folder);
}

static const struct str test_ending = STR_CONST("_test.lua");

static bool is_test_file(const char *path)
{
	struct str s = str_of(path);
	return s.n > test_ending.n && str_eq(str_skip(s, s.n - test_ending.n), test_ending);
}

void scripts_find_test_libs(struct script_paths *ps, const char *path)
{
	char *folder = scripts_folder(path), *init = readable(folder, "init");
	struct str stem = str_of(path);
	struct buf tested;
	if (is_test_file(path))
		stem.n -= test_ending.n;
	buf_init(&tested, PATH_MAX_BYTES);
	if (init)
		scripts_find_libs(ps, init);
	if (buf_addf(&tested, "%" STR_F ".lua", STR_A(stem)) == 0)
		scripts_find_libs(ps, buf_str(&tested).p);
	buf_fini(&tested);
	free(init);
	free(folder);
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
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
