#include "script/expect.h"

#include "base/buf.h"
#include "script/cancel.h"
#include "script/host.h"
#include "script/modules.h"
#include "script/repeat.h"
#include "script/show.h"
#include "script/trial.h"
#include "script/vm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 16, TOLD_BYTES = 4000 };

static const char expectation_type[] = "ebb.test.expectation";

struct expectation {
	struct trial *trial; /* borrowed; outlives the script */
	bool is_asked;
};

/* Where a test stands. */

/* As much of the line as there is room for; "" where it cannot be read. */
static void read_line(const char *path, int line, char *out, size_t size)
{
	FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t room = 0;
	ssize_t n = 0;
	for (int i = 0; f && i < line && n >= 0; i++)
		n = getline(&text, &room, f);
	snprintf(out, size, "%s", f && n > 0 ? text : "");
	free(text);
	if (f)
		fclose(f);
}

/* Pushes "FILE:LINE: the line there" for the test's own code that called the C function, and below
 * it the lines that called that. */
static void push_place(lua_State *L)
{
	lua_Debug ar;
	luaL_Buffer b;
	bool is_first = true;
	luaL_buffinit(L, &b);
	for (int level = 1; lua_getstack(L, level, &ar); level++) {
		char text[512], source[256];
		lua_getinfo(L, "Sl", &ar);
		if (ar.currentline < 0 || ar.source[0] != '@')
			continue;
		read_line(ar.source + 1, ar.currentline, source, sizeof(source));
		struct str line = str_trim(str_of(source));
		line = str_trim(str_cut(&line, '\n'));
		snprintf(text, sizeof(text), "%s%s:%d: %" STR_F, is_first ? "" : "\n  called from ",
			ar.source + 1, ar.currentline, STR_A(line));
		luaL_addstring(&b, text);
		is_first = false;
	}
	luaL_pushresult(&b);
}

/* What is long is no help to anybody. */
static void cut_text(lua_State *L, int index)
{
	size_t n;
	const char *text = lua_tolstring(L, index, &n);
	index = lua_absindex(L, index);
	if (n <= TOLD_BYTES)
		return;
	lua_pushlstring(L, text, TOLD_BYTES);
	lua_pushliteral(L, " …");
	lua_concat(L, 2);
	lua_replace(L, index);
}

/* Raises: what was expected is on top, as text. */
static int fail(lua_State *L, int value)
{
	show_push(L, value);
	cut_text(L, -1);
	cut_text(L, -2);
	push_place(L);
	const char *place = lua_tostring(L, -1);
	lua_pushfstring(L, "%s\n  expected: %s\n  but was:  %s", place, lua_tostring(L, -3),
		lua_tostring(L, -2));
	return vm_raise_text(L, "expectation");
}

/* The value that is expected something of, for the userdata at index 1. */
static int check_value(lua_State *L)
{
	struct expectation *e = luaL_checkudata(L, 1, expectation_type);
	e->trial->unasked -= !e->is_asked;
	e->is_asked = true;
	lua_settop(L, 3);
	lua_getiuservalue(L, 1, 1);
	return 4;
}

static bool is_equal(lua_State *L, int a, int b, int depth);

/* Whether each field of a is in b. */
static bool is_part(lua_State *L, int a, int b, int depth)
{
	for (lua_pushnil(L); lua_next(L, a); lua_pop(L, 1)) {
		lua_pushvalue(L, -2);
		lua_gettable(L, b);
		bool same = is_equal(L, lua_gettop(L) - 1, lua_gettop(L), depth + 1);
		lua_pop(L, 1);
		if (!same) {
			lua_pop(L, 2);
			return false;
		}
	}
	return true;
}

static bool is_equal(lua_State *L, int a, int b, int depth)
{
	if (lua_compare(L, a, b, LUA_OPEQ))
		return true;
	if (!lua_istable(L, a) || !lua_istable(L, b))
		return false;
	if (depth == DEPTH_MAX)
		luaL_error(L, "equals: the tables are too deep");
	luaL_checkstack(L, 10, "equals: the tables are too deep");
	return is_part(L, a, b, depth) && is_part(L, b, a, depth);
}

static int equals(lua_State *L)
{
	int value = check_value(L);
	if (is_equal(L, 2, value, 0))
		return 0;
	show_push(L, 2);
	return fail(L, value);
}

static int differs(lua_State *L)
{
	int value = check_value(L);
	if (!is_equal(L, 2, value, 0))
		return 0;
	lua_pushliteral(L, "anything but ");
	show_push(L, 2);
	lua_concat(L, 2);
	return fail(L, value);
}

static bool list_has(lua_State *L, int list, int value)
{
	bool found = false;
	lua_Integer n = luaL_len(L, list);
	for (lua_Integer i = 1; i <= n && !found; i++) {
		lua_geti(L, list, i);
		found = is_equal(L, lua_gettop(L), value, 0);
		lua_pop(L, 1);
	}
	return found;
}

/* contains(text) of a text, or contains(value) of a list. */
static int contains(lua_State *L)
{
	int value = check_value(L);
	size_t n, part_n;
	const char *whole = lua_type(L, value) == LUA_TSTRING ? lua_tolstring(L, value, &n) : NULL;
	const char *part = whole ? luaL_checklstring(L, 2, &part_n) : NULL;
	if (whole ? memmem(whole, n, part, part_n) != NULL
		  : lua_istable(L, value) && list_has(L, value, 2))
		return 0;
	lua_pushliteral(L, "something with ");
	show_push(L, 2);
	lua_concat(L, 2);
	return fail(L, value);
}

/* What the pattern at index 2 captures in the text at value, or a failure. */
static int match(lua_State *L, int value)
{
	if (lua_type(L, value) == LUA_TSTRING) {
		int n = lib_match(L, value, 2);
		if (n)
			return n;
	}
	lua_settop(L, value);
	lua_pushliteral(L, "a match of ");
	show_push(L, 2);
	lua_concat(L, 2);
	return fail(L, value);
}

static int matches(lua_State *L)
{
	int value = check_value(L);
	luaL_checkstring(L, 2);
	return match(L, value);
}

/* near(number, tolerance) */
static int near(lua_State *L)
{
	int value = check_value(L);
	lua_Number wanted = luaL_checknumber(L, 2), tolerance = luaL_optnumber(L, 3, 1e-6);
	if (lua_type(L, value) == LUA_TNUMBER) {
		lua_Number off = lua_tonumber(L, value) - wanted;
		if (off <= tolerance && off >= -tolerance)
			return 0;
	}
	lua_pushfstring(L, "%f, give or take %f", wanted, tolerance);
	return fail(L, value);
}

/* Stack: the expectation, the pattern, nil, the function, then its results or its error. */
static int after_call(lua_State *L, int status, lua_KContext context)
{
	(void)context;
	if (status == LUA_OK || status == LUA_YIELD) {
		lua_settop(L, 4);
		lua_pushliteral(L, "an error");
		lua_pushliteral(L, "no error");
		lua_replace(L, 4);
		return fail(L, 4);
	}
	if (cancel_is(L, -1))
		return lua_error(L);
	luaL_tolstring(L, -1, NULL);
	lua_replace(L, 4);
	lua_settop(L, 4);
	return lua_isnil(L, 2) ? 0 : match(L, 4);
}

/* raises([pattern]): the value is a function, which may pause. */
static int raises(lua_State *L)
{
	int value = check_value(L);
	luaL_argcheck(L, lua_isnil(L, 2) || lua_isstring(L, 2), 2, "a pattern expected");
	if (!lua_isfunction(L, value)) {
		lua_pushliteral(L, "a function that raises");
		return fail(L, value);
	}
	lua_pushvalue(L, value);
	return after_call(L, lua_pcallk(L, 0, 0, 0, 0, after_call), 0);
}

static int expectation_index(lua_State *L)
{
	lua_pushvalue(L, 2);
	lua_rawget(L, lua_upvalueindex(1));
	return 1;
}

int expect_value(lua_State *L)
{
	lua_settop(L, 1);
	struct expectation *e = lua_newuserdatauv(L, sizeof(*e), 1);
	*e = (struct expectation){script_of(L)->host->options.trial->trial, false};
	e->trial->unasked++;
	luaL_setmetatable(L, expectation_type);
	lua_insert(L, 1);
	lua_setiuservalue(L, 1, 1);
	return 1;
}

void expect_open(lua_State *L)
{
	static const luaL_Reg metamethods[] = {
		{NULL, NULL}
        };
	static const luaL_Reg methods[] = {
		{"equals",   equals  },
		{"differs",  differs },
		{"contains", contains},
		{"matches",  matches },
		{"near",     near    },
		{"raises",   raises  },
		{NULL,       NULL    },
	};
	modules_define(L, expectation_type, metamethods, expectation_index, methods);
}
