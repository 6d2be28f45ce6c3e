#include "script/forms.h"

#include "script/modules.h"

#include <lauxlib.h>
#include <string.h>

/* In the registry: a name in lower case to a list of its forms, with the name at 0. Absent before
 * the first. */
static const char forms_key;

static void push_name(lua_State *L, struct str name)
{
	char low[FORMS_NAME_MAX_BYTES];
	for (size_t i = 0; i < name.n; i++) {
		bool is_upper = name.p[i] >= 'A' && name.p[i] <= 'Z';
		low[i] = (char)(is_upper ? name.p[i] + ('a' - 'A') : name.p[i]);
	}
	lua_pushlstring(L, low, name.n);
}

/* Pushes the list of a name; false, and nil, where there is none. */
static bool push_list(lua_State *L, struct str name)
{
	if (name.n > FORMS_NAME_MAX_BYTES ||
		lua_rawgetp(L, LUA_REGISTRYINDEX, &forms_key) != LUA_TTABLE) {
		lua_pushnil(L);
		return false;
	}
	push_name(L, name);
	return lua_rawget(L, -2) == LUA_TTABLE;
}

/* Text at i of the list on top, which keeps it; NULL where there is none. */
static const char *text_at(lua_State *L, lua_Integer i)
{
	lua_rawgeti(L, -1, i);
	const char *text = lua_tostring(L, -1);
	lua_pop(L, 1);
	return text;
}

static void read_list(lua_State *L, struct str name, struct forms_command *out)
{
	const struct schema_command *standard = schema_find(name);
	size_t n = 0;
	for (; n < SCHEMA_FORMS_MAX && (out->forms[n] = text_at(L, (lua_Integer)n + 1)); n++)
		;
	for (size_t i = 0; standard && i < SCHEMA_FORMS_MAX && standard->forms[i]; i++)
		out->forms[n++] = standard->forms[i];
	out->forms[n] = NULL;
	out->command = (struct schema_command){text_at(L, 0), out->forms};
}

bool forms_find(lua_State *L, struct str name, struct forms_command *out)
{
	int top = lua_gettop(L);
	luaL_checkstack(L, 4, "a command");
	bool is_there = push_list(L, name);
	if (is_there)
		read_list(L, name, out);
	lua_settop(L, top);
	return is_there;
}

static size_t count_names(lua_State *L, int table)
{
	size_t n = 0;
	for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1))
		n++;
	return n;
}

/* Pushes the list of a name, which is made where there is none. */
static void make_list(lua_State *L, struct str name)
{
	if (lua_rawgetp(L, LUA_REGISTRYINDEX, &forms_key) != LUA_TTABLE) {
		lua_newtable(L);
		lua_pushvalue(L, -1);
		lua_rawsetp(L, LUA_REGISTRYINDEX, &forms_key);
	}
	int table = lua_gettop(L);
	if (push_list(L, name))
		return;
	if (count_names(L, table) == FORMS_NAMES_MAX)
		luaL_error(L, "register_pattern: more than %d commands", FORMS_NAMES_MAX);
	lua_newtable(L);
	push_name(L, name);
	lua_rawseti(L, -2, 0);
	push_name(L, name);
	lua_pushvalue(L, -2);
	lua_rawset(L, table);
}

static struct str check_name(lua_State *L, int index)
{
	struct str name;
	name.p = luaL_checklstring(L, index, &name.n);
	luaL_argcheck(L, name.n && name.n <= FORMS_NAME_MAX_BYTES && !str_has(name, '\0'), index,
		"a command's name expected");
	return name;
}

static const char *check_form(lua_State *L, int index)
{
	struct err err;
	size_t n;
	const char *form = luaL_checklstring(L, index, &n);
	luaL_argcheck(L, strlen(form) == n, index, "a form has no NUL");
	if (schema_check_form(form, &err) < 0)
		luaL_error(L, "register_pattern: %s", err.text);
	return form;
}

static int lib_register_pattern(lua_State *L)
{
	struct str name = check_name(L, 1);
	const char *form = check_form(L, 2), *known;
	lua_Integer n = 1;
	make_list(L, name);
	for (; (known = text_at(L, n)); n++)
		if (strcmp(known, form) == 0)
			return 0;
	if (n > SCHEMA_FORMS_MAX)
		return luaL_error(
			L, "register_pattern: %s: more than %d forms", name.p, SCHEMA_FORMS_MAX);
	lua_pushvalue(L, 2);
	lua_rawseti(L, -2, n);
	return 0;
}

void forms_open(lua_State *L)
{
	lua_pushcfunction(L, lib_register_pattern);
	modules_export(L, "register_pattern");
}
