#include "script/host.h"
#include "script/modules.h"
#include "script/pairs.h"
#include "script/task.h"

#include <string.h>

/* Networks that scripts make and remove. */

/* A value is one line, as long as one may be; the keys are more than there are. */
enum { VALUE_MAX_BYTES = 4096, KEYS_MAX = 100 };

static const char *read_name(lua_State *L, const struct pairs_reader *r, int table)
{
	lua_pushliteral(L, "name");
	if (lua_rawget(L, table) != LUA_TSTRING)
		luaL_error(L, "connect: name: a text expected, got %s", luaL_typename(L, -1));
	return pairs_text(L, r, "name");
}

static void check_keys(lua_State *L, int table)
{
	if (pairs_count(L, table) > KEYS_MAX)
		luaL_error(L, "connect: more than %d keys", KEYS_MAX);
	for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1))
		if (lua_type(L, -2) != LUA_TSTRING)
			luaL_error(L, "connect: a key is a text, not %s", luaL_typename(L, -2));
}

static void check_values(lua_State *L, const struct net_wish *wish)
{
	for (size_t i = 0; i < wish->n_pairs; i++) {
		const char *key = wish->pairs[i][0];
		struct str value = str_of(wish->pairs[i][1]);
		if (value.n > VALUE_MAX_BYTES)
			luaL_error(L, "connect: %s: is longer than %d bytes", key, VALUE_MAX_BYTES);
		if (str_has(value, '\r') || str_has(value, '\n'))
			luaL_error(L, "connect: %s: has a line break", key);
	}
}

static struct net_wish read_wish(lua_State *L, int table)
{
	static const char *const own[] = {"name", NULL};
	const struct script *s = script_of(L);
	check_keys(L, table);
	lua_newtable(L);
	struct pairs_reader r = {lua_gettop(L), "connect"};
	struct net_wish wish = {.script = s->name, .reads_files = s->limits.trust == TRUST_FULL};
	wish.name = read_name(L, &r, table);
	wish.pairs = (const setting_pair *)pairs_read(L, &r, table, own, &wish.n_pairs);
	check_values(L, &wish);
	return wish;
}

/* What is wished for is on the stack until it is made. */
struct net *lib_make_net(lua_State *L)
{
	struct host *h = script_of(L)->host;
	const struct net_maker *maker = h->options.maker;
	struct err err;
	if (!maker) {
		luaL_error(L, "connect: no networks can be made here");
		return NULL;
	}
	struct net_wish wish = read_wish(L, lua_gettop(L));
	int r = maker->make(maker->data, &wish, &err);
	if (r == 0)
		return net_find(h, str_of(wish.name));
	if (r != ERR_LIMIT)
		luaL_error(L, "connect: %s", err.text);
	lua_pushnil(L);
	lua_pushstring(L, err.text);
	lua_pushstring(L, err_name(r));
	return NULL;
}

static int after_remove(lua_State *L, int status, lua_KContext context)
{
	const struct task *t = task_resumed(L);
	(void)status;
	(void)context;
	if (t->wake != WAKE_DONE)
		return task_push_failure(L, t);
	lua_pushboolean(L, 1);
	return 1;
}

int lib_remove(lua_State *L)
{
	struct net *n = lib_check_net(L, 1);
	struct str message = lib_opt_message(L, 2, "remove");
	const struct net_maker *maker = n->host->options.maker;
	struct task *t = task_check(L, "remove");
	struct waiter *w = lua_newuserdatauv(L, sizeof(*w), 0); /* before anything is begun */
	struct err err;
	if (!maker)
		return luaL_error(L, "remove: no networks can be removed here");
	if (maker->remove(maker->data, n, message, &err) < 0)
		return luaL_error(L, "remove: %s", err.text);
	waiter_join(&n->removers, w, t);
	return task_pause(L, -1, after_remove);
}
