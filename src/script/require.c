#include "script/require.h"

#include "base/buf.h"
#include "base/mem.h"
#include "script/chunk.h"
#include "script/modules.h"
#include "script/program.h"
#include "script/resource.h"
#include "script/script.h"
#include "script/sync.h"
#include "script/task.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum {
	NAME_MAX_BYTES = 200,
	LOOP_MAX = 32,
	FOLLOWED_BYTES = 160 /* what noting a path takes beside it */
};

/* A module whose main chunk runs or pauses: a to-be-closed userdata on the stack of who loads it. A
 * task that is dropped gives it back, and a coroutine that is lets its finalizer do so. */
struct loading {
	struct list node;
	struct list waiters;  /* struct waiter: tasks that require it meanwhile */
	const char *name;     /* its user value */
	struct task *owner;   /* NULL: no task loads it */
	struct resource hold; /* the owner's */
};

static const char loading_type[] = "ebb.loading";
static const char loaded_key; /* in the registry: a table from name to { value, path } */

char *require_own_folder(const char *path)
{
	struct str s = str_of(path), init = STR("init.lua"), ending = STR(".lua");
	size_t n = s.n < init.n ? 0 : s.n - init.n;
	bool is_init = str_eq(str_skip(s, n), init) && (n == 0 || s.p[n - 1] == '/');
	if (is_init && n <= 1)
		return mem_strdup(n == 0 ? "." : "/");
	if (is_init)
		s.n = n - 1;
	else if (s.n > ending.n && str_eq(str_skip(s, s.n - ending.n), ending))
		s.n -= ending.n;
	return str_dup(s);
}

void require_init(
	struct require *r, const char *path, const char *const *lib_folders, size_t n_lib_folders)
{
	*r = (struct require){.folders = mem_resize(NULL, n_lib_folders + 1, sizeof(char *))};
	r->folders[r->n_folders++] = require_own_folder(path);
	for (size_t i = 0; i < n_lib_folders; i++)
		if (strcmp(lib_folders[i], r->folders[0]) != 0)
			r->folders[r->n_folders++] = mem_strdup(lib_folders[i]);
	list_init(&r->loading);
}

void require_fini(struct require *r)
{
	for (struct map_entry *e = map_first(&r->followed); e; e = map_next(e))
		free(map_value(e));
	map_fini(&r->followed);
	for (size_t i = 0; i < r->n_folders; i++)
		free(r->folders[i]);
	free(r->folders);
}

bool require_follow(struct script *s, const char *path, uint64_t hash)
{
	struct map *followed = &s->require.followed;
	struct followed *f = map_get(followed, str_of(path));
	if (!f && map_count(followed) == REQUIRE_FOLLOWED_MAX)
		return true;
	if (!f && !arena_charge(&s->vm.arena, FOLLOWED_BYTES + strlen(path)))
		return false;
	if (!f) {
		f = mem_new(sizeof(*f));
		map_put(followed, str_of(path), f);
	}
	f->hash = hash;
	if (s->has_loaded && s->stage == SCRIPT_CURRENT)
		program_followed(s->program, path, hash);
	return true;
}

/* Finding the file. */

static bool is_name(struct str name)
{
	bool in_part = false;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
				(c >= '0' && c <= '9') || c == '_' || c == '-';
		if (!is_plain && (c != '.' || !in_part))
			return false;
		in_part = is_plain;
	}
	return in_part && name.n <= NAME_MAX_BYTES;
}

static bool is_below(const char *path, const char *folder)
{
	char root[PATH_MAX];
	if (!realpath(folder, root))
		return false;
	size_t n = strlen(root);
	return strncmp(path, root, n) == 0 && (n == 1 || path[n] == '/');
}

/* Whether there is a file, whose path without symbolic links becomes real; raises when that is not
 * for this script. */
static bool is_there(lua_State *L, const char *path, char real[PATH_MAX])
{
	const struct require *r = &script_of(L)->require;
	if (!realpath(path, real)) {
		if (errno == ENOENT || errno == ENOTDIR)
			return false;
		luaL_error(L, "require: %s: %s", path, strerror(errno));
	}
	for (size_t i = 0; i < r->n_folders; i++)
		if (is_below(real, r->folders[i]))
			return true;
	luaL_error(L, "require: %s: leads out of the folders of modules", path);
	return false;
}

/* Pushes the path of the module at index 1 where its file is; raises when there is none. */
static const char *push_path(lua_State *L, char real[PATH_MAX])
{
	static const char *const endings[] = {".lua", "/init.lua"};
	const struct require *r = &script_of(L)->require;
	const char *name = lua_tostring(L, 1), *tried = "";
	const char *file = luaL_gsub(L, name, ".", "/");
	int base = lua_gettop(L);
	lua_pushnil(L); /* where `tried` stands */
	for (size_t i = 0; i < r->n_folders * COUNTOF(endings); i++) {
		const char *folder = r->folders[i / COUNTOF(endings)];
		const char *path =
			lua_pushfstring(L, "%s/%s%s", folder, file, endings[i % COUNTOF(endings)]);
		if (is_there(L, path, real)) {
			lua_replace(L, base);
			lua_settop(L, base);
			return path;
		}
		if (!require_follow(script_of(L), path, 0))
			luaL_error(L, "not enough memory");
		tried = lua_pushfstring(L, "%s%s%s", tried, *tried ? ", " : "", path);
		lua_replace(L, base + 1);
		lua_settop(L, base + 1);
	}
	luaL_error(L, "require: no module '%s': tried %s", name, tried);
	return NULL;
}

/* Modules that are being loaded. */

static void release(struct resource *hold)
{
	struct loading *l = container_of(hold, struct loading, hold);
	list_remove(&l->node);
	waiters_wake(&l->waiters);
}

static int end_loading(lua_State *L)
{
	struct loading *l = luaL_checkudata(L, 1, loading_type);
	resource_release(&l->hold);
	return 0;
}

/* Pushes one for the module at index 1. */
static struct loading *push_loading(lua_State *L)
{
	struct loading *l = lua_newuserdatauv(L, sizeof(*l), 1);
	*l = (struct loading){.name = lua_tostring(L, 1), .owner = task_of(L)};
	list_init(&l->node);
	list_init(&l->waiters);
	list_init(&l->hold.node);
	lua_pushvalue(L, 1);
	lua_setiuservalue(L, -2, 1);
	luaL_setmetatable(L, loading_type);
	return l;
}

static void begin_loading(struct script *s, struct loading *l)
{
	list_append(&s->require.loading, &l->node);
	resource_add(l->owner ? &l->owner->holds : &s->resources, &l->hold, release);
}

static struct loading *find_loading(const struct require *r, const char *name)
{
	list_each (node, &r->loading) {
		struct loading *l = container_of(node, struct loading, node);
		if (strcmp(l->name, name) == 0)
			return l;
	}
	return NULL;
}

/* What the task waits for, which is one of these. */
static const struct loading *awaited_by(const struct require *r, const struct task *t)
{
	list_each (node, &r->loading) {
		const struct loading *l = container_of(node, struct loading, node);
		list_each (at, &l->waiters)
			if (container_of(at, struct waiter, node)->task == t)
				return l;
	}
	return NULL;
}

/* Notes what the owner of l loads, from l on; its own modules stand in their order. */
static size_t note_names(
	const struct require *r, const struct loading *l, const char **names, size_t n)
{
	for (const struct list *node = &l->node; node != &r->loading; node = node->next) {
		const struct loading *at = container_of(node, struct loading, node);
		if (at->owner == l->owner && n < LOOP_MAX)
			names[n++] = at->name;
	}
	return n;
}

/* How many modules lie on the way from l, over what tasks wait for, to one that me loads; 0 when
 * none is. */
static size_t find_loop(const struct require *r, const struct loading *l, const struct task *me,
	const char *names[LOOP_MAX])
{
	size_t n = note_names(r, l, names, 0);
	while (l->owner != me) {
		l = awaited_by(r, l->owner);
		if (!l)
			return 0;
		n = note_names(r, l, names, n);
	}
	return n;
}

static void refuse_loop(lua_State *L, const struct loading *l)
{
	const char *names[LOOP_MAX];
	size_t n = find_loop(&script_of(L)->require, l, task_of(L), names);
	if (n == 0)
		return;
	const char *text = lua_pushfstring(L, "%s", names[0]);
	for (size_t i = 1; i <= n; i++)
		text = lua_pushfstring(L, "%s -> %s", text, names[i % n]);
	luaL_error(L, "require: loop: %s", text);
}

/* Loading. */

static void push_loaded(lua_State *L)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &loaded_key);
}

/* Keeps the value on top, with the path at index or none at 0, for the name. */
static void keep(lua_State *L, const char *name, int path)
{
	lua_createtable(L, 2, 0);
	lua_pushvalue(L, -2);
	lua_rawseti(L, -2, 1);
	if (path) {
		lua_pushvalue(L, path);
		lua_rawseti(L, -2, 2);
	}
	push_loaded(L);
	lua_insert(L, -2);
	lua_setfield(L, -2, name);
	lua_pop(L, 1);
}

/* Stack: the name, the path, the loading, the module's value. */
static int after_chunk(lua_State *L, int status, lua_KContext context)
{
	(void)status;
	(void)context;
	if (lua_isnil(L, 4)) {
		lua_pushboolean(L, 1);
		lua_replace(L, 4);
	}
	keep(L, lua_tostring(L, 1), 2);
	resource_release(&((struct loading *)lua_touserdata(L, 3))->hold);
	lua_pushvalue(L, 2);
	return 2;
}

/* Stack: the name. */
static int load_module(lua_State *L)
{
	struct script *s = script_of(L);
	char real[PATH_MAX];
	uint64_t hash;
	const char *path = push_path(L, real);
	struct loading *l = push_loading(L);
	bool ok = chunk_load_file(L, real, path, &hash);
	if (!require_follow(s, path, hash))
		return luaL_error(L, "not enough memory");
	if (!ok)
		return luaL_error(L, "require: %s", lua_tostring(L, -1));
	lua_toclose(L, 3);
	begin_loading(s, l);
	lua_pushvalue(L, 1);
	lua_pushvalue(L, 2);
	lua_callk(L, 2, 1, 0, after_chunk);
	return after_chunk(L, LUA_OK, 0);
}

static int find_module(lua_State *L);

static int after_wait(lua_State *L, int status, lua_KContext context)
{
	(void)status;
	(void)context;
	task_resumed(L);
	return find_module(L);
}

static int wait_for(lua_State *L, struct loading *l)
{
	refuse_loop(L, l);
	struct task *t = task_check(L, "require");
	waiter_push(L, &l->waiters, t);
	return task_pause(L, -1, after_wait);
}

/* Stack: the name, which is looked for among what is loaded, what is being loaded, and files. */
static int find_module(lua_State *L)
{
	lua_settop(L, 1);
	push_loaded(L);
	lua_pushvalue(L, 1);
	if (lua_rawget(L, 2) != LUA_TNIL) {
		lua_rawgeti(L, 3, 1);
		lua_rawgeti(L, 3, 2);
		return lua_isnil(L, -1) ? (lua_pop(L, 1), 1) : 2;
	}
	lua_settop(L, 1);
	struct loading *l = find_loading(&script_of(L)->require, lua_tostring(L, 1));
	return l ? wait_for(L, l) : load_module(L);
}

static int lib_require(lua_State *L)
{
	struct str name;
	name.p = luaL_checklstring(L, 1, &name.n);
	lua_settop(L, 1);
	if (!is_name(name))
		return luaL_error(L,
			"require: '%s' is no name of a module: it has letters, digits, _ and - "
			"only, in parts with a dot between",
			name.p);
	return find_module(L);
}

void require_preload(lua_State *L, const char *name)
{
	keep(L, name, 0);
	lua_pop(L, 1);
}

void require_open(lua_State *L)
{
	static const luaL_Reg metamethods[] = {
		{"__close", end_loading},
                {"__gc",    end_loading},
                {NULL,      NULL       }
        };
	luaL_newmetatable(L, loading_type);
	luaL_setfuncs(L, metamethods, 0);
	lua_pop(L, 1);
	lua_newtable(L);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &loaded_key);
	lua_pushcfunction(L, lib_require);
	modules_export(L, "require");
}
