#include "base/attr.h"
#include "base/buf.h"
#include "base/rand.h"
#include "script/modules.h"
#include "support/check.h"
#include "support/eager.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>

/* The same once more, where it is always others' turn. */
#define lib_open_table eager_open_table
void eager_open_table(lua_State *L);
#include "script/lib_table.c"
#undef lib_open_table

/*
 * Code that runs in three states: with the standard library's table, with ebb's, and with ebb's
 * while others always want a turn. run(code) gives all its results, or its error, as text.
 */
enum state { STOCK, OURS, EAGER, STATES };

static const char *const state_names[] = {"stock", "ours", "eager"};

static lua_State *states[STATES];

static const char prelude[] =
	"local concat, sort, pack = table.concat, table.sort, table.pack\n"
	"function show(v, known)\n"
	"  if type(v) == 'string' then return \"'\" .. v .. \"'\" end\n"
	"  if type(v) ~= 'table' then return type(v) == 'function' and 'function' or tostring(v) end\n"
	"  known = known or {}\n"
	"  if known[v] then return 'again' end\n"
	"  known[v] = true\n"
	"  local fields = {}\n"
	"  for k, e in next, v do fields[#fields + 1] = show(k, known) .. '=' .. show(e, known) end\n"
	"  sort(fields)\n"
	"  return '{' .. concat(fields, ' ') .. '}'\n"
	"end\n"
	"function run(code)\n"
	"  local r = pack(pcall(assert(load(code, '=row'))))\n"
	"  debug.setmetatable(0, nil)\n"
	"  if not r[1] then return 'error: ' .. show(r[2]):gsub(\"^'(.*)'$\", '%1'):gsub('^row:%d+: ', '') end\n"
	"  for i = 1, r.n do r[i] = show(r[i]) end\n"
	"  return concat(r, ' ', 2, r.n)\n"
	"end\n"
	/* an empty table in front of t, and what was asked of it */
	"function proxy(t)\n"
	"  local asked = {}\n"
	"  local function note(...) asked[#asked + 1] = concat({...}, ' ') end\n"
	"  return setmetatable({}, {\n"
	"    __index = function(_, k) note('get', k) return t[k] end,\n"
	"    __newindex = function(_, k, v) note('set', k, tostring(v)) t[k] = v end,\n"
	"    __len = function() note('len') return #t end,\n"
	"  }), t, asked\n"
	"end\n"
	"function sized(n, fields)\n"
	"  return setmetatable(fields or {}, {__len = function() return n end})\n"
	"end\n"
	"function list(n) local t = {} for i = 1, n do t[i] = i end return t end\n"
	"function shuffled(n)\n"
	"  local t, x = list(n), 1\n"
	"  for i = n, 2, -1 do\n"
	"    x = (x * 1103515245 + 12345) & 0x7fffffff\n"
	"    local j = (x >> 8) % i + 1\n"
	"    t[i], t[j] = t[j], t[i]\n"
	"  end\n"
	"  return t\n"
	"end\n"
	"function sum(t, n)\n"
	"  local s = 0\n"
	"  for i = 1, n or #t do s = (s * 31 + (t[i] or 7)) % 1000007 end\n"
	"  return s\n"
	"end\n"
	/* whether t has the numbers from 1 to n, in whatever order */
	"function has_all(t, n)\n"
	"  local seen = {}\n"
	"  for _, v in ipairs(t) do seen[v] = true end\n"
	"  return #t == n and #seen == n\n"
	"end\n";

static void open_states(void)
{
	for (int i = 0; i < STATES; i++) {
		states[i] = luaL_newstate();
		luaL_openlibs(states[i]);
		assert_int_equal(luaL_dostring(states[i], prelude), LUA_OK);
	}
	lib_open_table(states[OURS]);
	eager_open_table(states[EAGER]);
}

static void close_states(void)
{
	for (int i = 0; i < STATES; i++)
		lua_close(states[i]);
}

/* What run gives, which stays on the state's stack until the next one. */
static const char *result_of(enum state which, const char *code)
{
	lua_State *L = states[which];
	int n, status;
	lua_settop(L, 0);
	lua_State *T = lua_newthread(L);
	lua_getglobal(T, "run");
	lua_pushstring(T, code);
	eager_turns = 0;
	for (status = lua_resume(T, L, 1, &n); status == LUA_YIELD;
		status = lua_resume(T, L, 0, &n))
		assert_int_equal(n, 0);
	if (!lua_isstring(T, -1) || status != LUA_OK)
		fail_msg("%s: %s: status %d", state_names[which], code, status);
	return lua_tostring(T, -1);
}

static void check_result(enum state which, const char *code, const char *expected)
{
	const char *result = result_of(which, code);
	if (strcmp(result, expected) != 0)
		fail_msg("%s: %s\n  gives    %s\n  expected %s", state_names[which], code, result,
			expected);
}

/* All that the standard library's functions give, ours give too. */

static const struct same_row {
	const char *name; /* the code */
} same_rows[] = {
	{"local t = {} table.insert(t, 'a') table.insert(t, 'b') return t"},
	{"local t = {1, 2, 3} table.insert(t, 1, 0) table.insert(t, 5, 9) table.insert(t, 3, 7) return t"},
	{"return table.insert({}, 1)"},
	{"return table.insert({1}, 1, 1)"},
	{"local t = {1, 2} table.insert(t, nil) table.insert(t, 1, nil) return t"},
	{"local t = {1, 2} table.insert(t, '2', 9) table.insert(t, 1.0, 8) return t"},
	{"table.insert({1, 2}, 4, 0)"},
	{"table.insert({1, 2}, 0, 0)"},
	{"table.insert({1, 2}, -1, 0)"},
	{"table.insert({1, 2}, math.mininteger, 0)"},
	{"table.insert({}, math.maxinteger, 0)"},
	{"table.insert()"},
	{"table.insert(nil, 1)"},
	{"table.insert('text', 1)"},
	{"table.insert(io.stdout, 1)"},
	{"table.insert(print, 1)"},
	{"table.insert({})"},
	{"table.insert({}, 1, 2, 3)"},
	{"table.insert({}, 'x', 1)"},
	{"table.insert({}, 1.5, 1)"},
	{"table.insert({}, {}, 1)"},
	{"return pcall(table.insert, nil, 1)"},
	{"local insert = table.insert insert({}, 7, 7)"},
	{"local t = {insert = table.insert} t:insert(9, 1)"},
	{"local p, t, asked = proxy {1, 2, 3} table.insert(p, 1, 0) return t, asked"},
	{"local p, t, asked = proxy {1, 2, 3} table.insert(p, 4) return t, asked"},
	{"local t = sized(2.0) table.insert(t, 1) return t"},
	{"local t = sized(-5) table.insert(t, 1) table.insert(t, 3, 2) table.insert(t, -4, 3) return t"},
	{"local t = sized(-5, {[-9] = 1, [-7] = 2}) table.insert(t, -9, 3) return t"},
	{"local t = sized(-5) table.insert(t, math.maxinteger, 1) return t"},
	{"local t = sized(-1) table.insert(t, 1) return t"},
	{"table.insert(sized(-1), 1, 1)"},
	{"table.insert(sized(-1), -1, 1)"},
	{"table.insert(sized(-2), 0, 1)"},
	{"local t = sized(math.mininteger) table.insert(t, 1) table.insert(t, 1, 2) return t"},
	{"table.insert(sized(2.5), 1)"},
	{"table.insert(sized('many'), 1)"},
	{"table.insert(sized(nil), 1)"},
	{"table.insert(setmetatable({}, {__newindex = function() error('no', 0) end}), 1)"},
	{"debug.setmetatable(0, {__index = {}, __newindex = {}}) table.insert(5, 1)"},
	{"local t = {} debug.setmetatable(0, {__index = t, __newindex = t, __len = function() return #t end})"
	 " table.insert(5, 'a') table.insert(5, 1, 'b') return t"},

	{"local t = {1, 2, 3} return table.remove(t), t"},
	{"local t = {1, 2, 3} return table.remove(t, 1), t"},
	{"local t = {1, 2, 3} return table.remove(t, 3), t"},
	{"local t = {1, 2, 3, 4} return table.remove(t, 4), t"},
	{"local t = {1, 2, 3} t[4] = nil return table.remove(t, 4), t"},
	{"local t = {1, 2, 3} return table.remove(t, nil), t"},
	{"local t = {1, 2, 3} return table.remove(t, '2'), t"},
	{"return table.remove({})"},
	{"return table.remove({}, 0)"},
	{"return table.remove({[0] = 'zero'}, 0)"},
	{"return table.remove({}, 1)"},
	{"return table.remove({}, 2)"},
	{"return table.remove({}, -1)"},
	{"return select('#', table.remove({}))"},
	{"table.remove({1, 2, 3}, 5)"},
	{"table.remove({1, 2, 3}, 0)"},
	{"table.remove({1, 2, 3}, math.mininteger)"},
	{"table.remove({1, 2, 3}, math.maxinteger)"},
	{"table.remove({1, 2, 3}, 'x')"},
	{"table.remove({1, 2, 3}, 1.5)"},
	{"table.remove()"},
	{"table.remove(nil)"},
	{"table.remove(true)"},
	{"table.remove('text')"},
	{"local p, t, asked = proxy {1, 2, 3} return table.remove(p, 1), t, asked"},
	{"local p, t, asked = proxy {1, 2, 3} return table.remove(p), t, asked"},
	{"local p, t, asked = proxy {1, 2, 3} return table.remove(p, 4), t, asked"},
	{"local t = sized(-5, {[-7] = 1, [-6] = 2, [-5] = 3}) return table.remove(t, -7), t"},
	{"local t = sized(-5, {[3] = 1}) return table.remove(t, 3), table.remove(t), t"},
	{"local t = sized(-5, {[math.maxinteger] = 1}) return table.remove(t, math.maxinteger), t"},
	{"local t = sized(-1, {1}) return table.remove(t, 1), table.remove(t, -1), t"},
	{"local t = sized(math.mininteger, {1}) return table.remove(t), table.remove(t, 1), t"},
	{"local t = sized(3, {1, nil, 3}) return table.remove(t, 1), t"},

	{"return table.move({1, 2, 3}, 1, 3, 2)"},
	{"return table.move({1, 2, 3}, 2, 3, 1)"},
	{"return table.move({1, 2, 3}, 1, 3, 1)"},
	{"return table.move({1, 2, 3}, 1, 3, 3)"},
	{"return table.move({1, 2, 3}, 1, 3, 4)"},
	{"return table.move({1, 2, 3}, 1, 3, -1)"},
	{"return table.move({1, 2, 3}, 1, 0, 5)"},
	{"return table.move({1, 2, 3}, 1, -9, 5)"},
	{"return table.move({1, 2, 3}, -1, 5, 2)"},
	{"local a, b = {1, 2, 3}, {} return table.move(a, 1, 3, 2, b) == b, a, b"},
	{"local a = {1, 2, 3} return table.move(a, 1, 2, 2, a) == a, a"},
	{"local a = {1, 2, 3} return table.move(a, 1, 2, 2, nil) == a, a"},
	{"return table.move({1, 2, 3}, '1', 2.0, 2)"},
	{"return table.move({[math.maxinteger] = 1}, math.maxinteger, math.maxinteger, 1)"},
	{"return table.move({[math.mininteger] = 1}, math.mininteger, math.mininteger, 1)"},
	{"return table.move({5}, 1, 1, math.maxinteger)"},
	{"return table.move({5}, 1, 1, math.mininteger)"},
	{"return table.move({}, math.maxinteger, math.mininteger, 1)"},
	{"table.move({}, 0, math.maxinteger, 2)"},
	{"table.move({}, -1, math.maxinteger, 2)"},
	{"table.move({}, math.mininteger, -1, 2)"},
	{"table.move({}, math.mininteger, math.maxinteger, 2)"},
	{"table.move({}, 1, math.maxinteger, 2)"},
	{"table.move({}, 1, 2, math.maxinteger)"},
	{"table.move({}, 1, math.maxinteger - 1, 3)"},
	{"table.move()"},
	{"table.move({})"},
	{"table.move({}, 1)"},
	{"table.move({}, 1, 2)"},
	{"table.move({}, 1, 2, 'x')"},
	{"table.move({}, 1, 2.5, 1)"},
	{"table.move(nil, 1, 2, 3)"},
	{"table.move('text', 1, 2, 3)"},
	{"table.move({}, 1, 2, 3, 4)"},
	{"table.move({}, 1, 0, 3, 'text')"},
	{"local t = {} return table.move('text', 1, 2, 3, t) == t, t"},
	{"return table.move(io.stdout, 1, 2, 1, {})"},
	{"local p, t, asked = proxy {1, 2, 3} return table.move(p, 1, 3, 2) == p, t, asked"},
	{"local p, t, asked = proxy {1, 2, 3} return table.move(p, 2, 3, 1) == p, t, asked"},
	{"local p, t, asked = proxy {1, 2, 3} return table.move(p, 1, 3, 2, {}), t, asked"},
	{"local p, t, asked = proxy {} table.move({1, 2, 3}, 1, 3, 2, p) return t, asked"},
	{"local t, n = {1, 2, 3}, 0\n"
	 "local m = {__eq = function() n = n + 1 return true end, __newindex = t}\n"
	 "local a, b = setmetatable({1, 2, 3}, m), setmetatable({}, m)\n"
	 "table.move(a, 1, 3, 2, b) return t, n, rawlen(b)"},

	{"return table.concat({})"},
	{"return table.concat({'a'})"},
	{"return table.concat({'a', 'b', 'c'})"},
	{"return table.concat({'a', 'b', 'c'}, ', ')"},
	{"return table.concat({'a', 2, 3.5, -0.0, 1e100}, ' ')"},
	{"return table.concat({'a', 'b', 'c'}, 7)"},
	{"return table.concat({'a', 'b', 'c'}, ',', 2)"},
	{"return table.concat({'a', 'b', 'c'}, ',', 2, 2)"},
	{"return table.concat({'a', 'b', 'c'}, ',', 3, 2)"},
	{"return table.concat({'a', 'b', 'c'}, nil, nil, 2)"},
	{"return table.concat({'a', 'b', 'c'}, ',', '2', 3.0)"},
	{"return table.concat({[-1] = 'x', [0] = 'y'}, ',', -1, 0)"},
	{"return table.concat({[math.maxinteger] = 'x'}, ',', math.maxinteger, math.maxinteger)"},
	{"return table.concat({[math.mininteger] = 'x'}, ',', math.mininteger, math.mininteger)"},
	{"return table.concat({}, ',', math.maxinteger, math.mininteger)"},
	{"return table.concat({'\\0', 'a\\0b'}, '\\0')"},
	{"return table.concat({('x'):rep(3000), ('y'):rep(3000)}, ('z'):rep(3000))"},
	{"table.concat({'a', nil, 'c'}, ',', 1, 3)"},
	{"table.concat({'a', {}, 'c'})"},
	{"table.concat({'a', true})"},
	{"table.concat({print})"},
	{"table.concat({}, ',', 1, 1)"},
	{"table.concat({}, ',', math.maxinteger - 1, math.maxinteger)"},
	{"table.concat({}, ',', math.mininteger, math.mininteger + 9)"},
	{"table.concat({'a'}, {})"},
	{"table.concat({'a'}, ',', {})"},
	{"table.concat({'a'}, ',', 1, {})"},
	{"table.concat({'a'}, ',', 1.5)"},
	{"table.concat()"},
	{"table.concat(nil, ',')"},
	{"table.concat('text', ',')"},
	{"table.concat(5, ',')"},
	{"local p, t, asked = proxy {1, 2, 3} return table.concat(p, ' '), asked"},
	{"local p, t, asked = proxy {1, 2, 3} return table.concat(p, ' ', 2, 2), asked"},
	{"return table.concat(sized(-5), ' ')"},
	{"return table.concat(sized(2.0, {1, 2, 3}), ' ')"},
	{"return table.concat(sized(2.5, {1, 2, 3}), ' ')"},
	{"return table.concat(sized(0, {1, 2, 3}), ' ', 1, 3)"},
	{"debug.setmetatable(0, {__index = function(_, k) return k * k end, __len = function(n) return n end})"
	 " return table.concat(5, ' ')"},
	{"table.concat(setmetatable({}, {__index = function() error('no', 0) end}), ' ', 1, 2)"},

	{"return table.unpack({})"},
	{"return table.unpack({1, 2, 3})"},
	{"return table.unpack({1, nil, 3}, 1, 3)"},
	{"return table.unpack({1, 2, 3}, 2)"},
	{"return table.unpack({1, 2, 3}, 2, 3)"},
	{"return table.unpack({1, 2, 3}, 2, 2)"},
	{"return table.unpack({1, 2, 3}, 3, 2)"},
	{"return table.unpack({1, 2, 3}, nil, 2)"},
	{"return table.unpack({1, 2, 3}, -1, 5)"},
	{"return table.unpack({1, 2, 3}, '2', 3.0)"},
	{"return table.unpack({1, 2, 3}, 1, 2, 'more')"},
	{"return table.unpack({}, math.maxinteger, math.maxinteger)"},
	{"return table.unpack({}, math.mininteger, math.mininteger + 1)"},
	{"return table.unpack({}, math.maxinteger, math.mininteger)"},
	{"return select('#', table.unpack({}, 1, 200))"},
	{"return table.unpack({}, 1, 1e6)"},
	{"return table.unpack({}, 1, 1 << 31)"},
	{"return table.unpack({}, 0, math.maxinteger)"},
	{"return table.unpack({}, math.mininteger, math.maxinteger)"},
	{"return table.unpack(sized(1 << 60))"},
	{"table.unpack()"},
	{"table.unpack(nil, 1, 2)"},
	{"table.unpack(5, 1, 0)"},
	{"table.unpack(true)"},
	{"return table.unpack('text')"},
	{"return table.unpack('text', 1, 2)"},
	{"table.unpack({}, 'x')"},
	{"table.unpack({}, 1, 'x')"},
	{"table.unpack({}, 1, {})"},
	{"table.unpack({}, 1.5)"},
	{"local p, t, asked = proxy {1, 2, 3} return asked, table.unpack(p)"},
	{"local p, t, asked = proxy {1, 2, 3} return asked, table.unpack(p, 2, 3)"},
	{"return table.unpack(sized(2.5))"},
	{"return table.unpack(sized(-1))"},
	{"return table.pack(table.unpack({1, nil, 3}, 1, 4))"},

	{"local t = {} return table.sort(t), t"},
	{"local t = {1} table.sort(t) return t"},
	{"local t = {2, 1} table.sort(t) return t"},
	{"local t = {3, 1, 2} table.sort(t) return t"},
	{"local t = {3, 1, 2} table.sort(t, nil) return t"},
	{"local t = {3, 1, 2} table.sort(t, function(a, b) return a > b end) return t"},
	{"local t = {3, 1, 2} table.sort(t, function(a, b) return a > b and 'yes' end, 7) return t"},
	{"local t = {0.5, 3, -1, 2.5, math.huge, -math.huge, math.maxinteger} table.sort(t) return t"},
	{"local t = {'b', 'a', 'c', '', 'B', 'a\\0b', 'aa'} table.sort(t) return t"},
	{"local t = {1, 1, 1, 0, 1, 1} table.sort(t) return t"},
	{"local t = list(200) table.sort(t) return t"},
	{"local t = list(200) table.sort(t, function(a, b) return a > b end) return t"},
	{"local t = shuffled(200) table.sort(t) return t"},
	{"local t = shuffled(200) table.sort(t, function(a, b) return a < b end) return t"},
	{"local t = {3, 1, 2} return select('#', table.sort(t))"},
	{"local m = {__lt = function(a, b) return a.v > b.v end}\n"
	 "local t = {} for i, v in ipairs(shuffled(50)) do t[i] = setmetatable({v = v}, m) end\n"
	 "table.sort(t) return t"},
	{"local p, t = proxy {3, 1, 2} table.sort(p) return t, rawlen(p)"},
	{"local t = sized(2, {3, 2, 1}) table.sort(t) return t"},
	{"local t = sized(-3, {3, 2, 1}) table.sort(t) return t"},
	{"local t = sized(2.0, {3, 2, 1}) table.sort(t) return t"},
	{"table.sort(sized(2.5, {3, 2, 1}))"},
	{"table.sort(sized(2))"},
	{"table.sort({{}, {}})"},
	{"table.sort({true, false})"},
	{"table.sort({print, print})"},
	{"table.sort({1, 2}, 'x')"},
	{"table.sort({1, 2}, {})"},
	{"table.sort({1, 2}, false)"},
	{"return table.sort({1}, 'x')"},
	{"table.sort({2, 1}, function() error('no', 0) end)"},
	{"table.sort({2, 1}, function() error({}) end)"},
	{"table.sort()"},
	{"table.sort(nil)"},
	{"table.sort('text')"},
	{"table.sort(io.stdout)"},
	{"table.sort(5)"},
	{"local t = {3, 1, 2}\n"
	 "debug.setmetatable(0, {__index = t, __newindex = t, __len = function() return #t end})\n"
	 "table.sort(5) return t"},
};

static void check_same(const char *code)
{
	const char *expected = result_of(STOCK, code);
	check_result(OURS, code, expected);
	check_result(EAGER, code, expected);
}

static void gives_what_the_standard_library_gives(void **state)
{
	const struct same_row *row = *state;
	check_same(row->name);
}

/* What takes long enough for others to have a turn: not less often than so. */
static const struct long_row {
	const char *name; /* the code */
	int turns;
} long_rows[] = {
#define ROW(code, turns)    \
	{                   \
		code, turns \
	}
	ROW("local t = list(5000) table.insert(t, 1, 0) return #t, sum(t)", 4),
	ROW("local t = list(5000) table.insert(t, 2500, 0) return #t, sum(t)", 2),
	ROW("local t = list(1001) table.insert(t, 1, 0) return #t, sum(t)", 1),
	ROW("local t = list(5000) return table.remove(t, 1), #t, sum(t)", 4),
	ROW("local t = list(5000) return table.remove(t, 2500), #t, sum(t)", 2),
	ROW("local t = table.move(list(5000), 1, 5000, 3) return #t, sum(t)", 4),
	ROW("local t = table.move(list(5000), 3, 5000, 1) return #t, sum(t)", 4),
	ROW("local t = table.move(list(5000), 1, 5000, -99, {}) return t[-99], t[4900], sum(t)", 4),
	ROW("local s = table.concat(list(5000), ', ') return #s, s", 5),
	ROW("return #table.concat(list(1000)), #table.concat(list(1001), ','), table.concat({})",
		3),
	ROW("local t = list(2500) t[2222] = {} table.concat(t)", 2),
	ROW("return sum({table.unpack(list(5000))})", 5),
	ROW("return select('#', table.unpack({}, -7000, 7000))", 14),
	ROW("local t = list(3000) table.sort(t) return sum(t)", 25),
	ROW("local t = shuffled(3000) table.sort(t) return sum(t)", 25),
	ROW("local t = shuffled(3000) table.sort(t, function(a, b) return a < b end) return sum(t)",
		30),
	ROW("local t = shuffled(3001) table.sort(t, function(a, b) return a > b end) return sum(t)",
		30),
	ROW("local t = {} for i, v in ipairs(shuffled(3000)) do t[i] = 'k' .. v end\n"
	    "table.sort(t) return table.concat(t)",
		25),
	ROW("local t = {} for i = 1, 20 do t[i] = ('x'):rep(50000) .. 20 - i end\n"
	    "table.sort(t) for i, s in ipairs(t) do t[i] = s:sub(50001) end return t",
		1),
	ROW("local p, t = proxy(shuffled(3000)) table.sort(p) return sum(t)", 25),
#undef ROW
};

static void gives_others_a_turn(void **state)
{
	const struct long_row *row = *state;

	check_same(row->name);

	assert_true(eager_turns >= row->turns);
}

/* Where ours differ. */

static const struct own_row {
	const char *name, *code, *expected;
} own_rows[] = {
#define ROW(name, code, expected)    \
	{                            \
		name, code, expected \
	}
	ROW("move has a limit", "table.move({}, 1, 1 << 62, 2)",
		"error: table.move: more than 10000000 elements"),
	ROW("move has a limit to another table", "table.move({}, 1, 10000001, 1, {})",
		"error: table.move: more than 10000000 elements"),
	ROW("insert has a limit", "table.insert(sized(1 << 60), 1, 0)",
		"error: table.insert: more than 10000000 elements"),
	ROW("insert at the end has it too", "table.insert(sized(10000001), 0)",
		"error: table.insert: more than 10000000 elements"),
	ROW("insert within the limit",
		"local t = sized(10000000) table.insert(t, 'x') return t[10000001]", "'x'"),
	ROW("insert has a limit for odd places", "table.insert(sized(-5), -(1 << 60), 0)",
		"error: table.insert: more than 10000000 elements"),
	ROW("remove has a limit", "table.remove(sized(math.maxinteger), 1)",
		"error: table.remove: more than 10000000 elements"),
	ROW("remove has a limit for odd places", "table.remove(sized(-5), -(1 << 60))",
		"error: table.remove: more than 10000000 elements"),
	ROW("remove within the limit", "return table.remove(sized(10000000, {[10000000] = 'x'}))",
		"'x'"),
	ROW("concat has a limit", "table.concat({}, '', 1, 1000001)",
		"error: table.concat: more than 1000000 elements"),
	ROW("concat has a limit to all there is",
		"table.concat({}, '', math.mininteger, math.maxinteger)",
		"error: table.concat: more than 1000000 elements"),
	ROW("concat within the limit",
		"return #table.concat(setmetatable({}, {__index = function() return 'x' end}),\n"
		"  '', -500000, 499999)",
		"1000000"),
	ROW("concat has a limit to its bytes",
		"local mb = ('x'):rep(1 << 20) local t = {} for i = 1, 17 do t[i] = mb end\n"
		"return #table.concat(t, '', 1, 16), pcall(table.concat, t)",
		"16777216 false 'table.concat: more than 16777216 bytes'"),
	ROW("the separators count", "table.concat(list(2000), ('x'):rep(1 << 14))",
		"error: table.concat: more than 16777216 bytes"),
	ROW("a length of what cannot be joined", "table.concat(sized(1 << 60), '', 1, 2)",
		"error: table.concat: more than 10000000 elements"),
	ROW("sort has a limit", "table.sort(sized(1000001))",
		"error: table.sort: more than 1000000 elements"),

	ROW("sort is stable",
		"local t = {} for i = 1, 1000 do t[i] = {key = i * 7919 % 10, i = i} end\n"
		"table.sort(t, function(a, b) return a.key < b.key end)\n"
		"for i = 2, #t do local a, b = t[i - 1], t[i]\n"
		"  assert(a.key < b.key or a.key == b.key and a.i < b.i) end\n"
		"return #t",
		"1000"),
	ROW("sort is stable without a comparator",
		"local m = {__lt = function(a, b) return a.key < b.key end}\n"
		"local t = {} for i = 1, 1000 do t[i] = setmetatable({key = i * 7919 % 10, i = i}, m) end\n"
		"table.sort(t)\n"
		"for i = 2, #t do local a, b = t[i - 1], t[i]\n"
		"  assert(a.key < b.key or a.key == b.key and a.i < b.i) end\n"
		"return #t",
		"1000"),
	ROW("the same order for numbers that are equal",
		"local t = {1, 1.0, 0, 1, 0.0} table.sort(t) return table.unpack(t)",
		"0 0.0 1 1.0 1"),
	ROW("a comparator that is always for it",
		"local t = shuffled(500) table.sort(t, function() return true end) return has_all(t, 500)",
		"true"),
	ROW("a comparator that is always against it",
		"local t = list(500) table.sort(t, function() return false end) return sum(t) == sum(list(500))",
		"true"),
	ROW("a comparator that throws dice",
		"local n = 0\n"
		"for i = 1, 100 do local t = list(i)\n"
		"  table.sort(t, function() n = n + 1 return math.random(2) == 1 end)\n"
		"  assert(has_all(t, i)) end\n"
		"return n < 100 * 100 * 7",
		"true"),
	ROW("a comparator that takes equal for less",
		"local t = shuffled(500) table.sort(t, function(a, b) return a <= b end)\n"
		"return sum(t) == sum(list(500))",
		"true"),
	ROW("no more than n log n questions",
		"local n = 0\n"
		"table.sort(shuffled(1024), function(a, b) n = n + 1 return a < b end) return n <= 10240",
		"true"),
	ROW("an error in the comparator leaves the table as it was",
		"local t, n = shuffled(300), 0\n"
		"local was = sum(t)\n"
		"local ok, e = pcall(table.sort, t, function(a, b)\n"
		"  n = n + 1 if n == 1500 then error('enough', 0) end return a < b end)\n"
		"return ok, e, sum(t) == was",
		"false 'enough' true"),
	ROW("an error of the comparison leaves the table as it was",
		"local t = shuffled(300) t[300] = 'x'\n"
		"local ok, e = pcall(table.sort, t)\n"
		"t[300] = 300 return ok, e:match('^attempt to compare %a+ with %a+$') ~= nil,\n"
		"  sum(t) == sum(table.move({300}, 1, 1, 300, shuffled(300)))",
		"false true true"),
	ROW("what is not a number",
		"local nan = 0 / 0 local t = {3, nan, 1, nan, 2} table.sort(t)\n"
		"local n, m = 0, 0\n"
		"for _, v in ipairs(t) do if v ~= v then n = n + 1 else m = m + v end end\n"
		"return n, m",
		"2 6"),
	ROW("values that are nil, with a comparator",
		"local t = sized(5, {3, nil, 1, nil, 2})\n"
		"table.sort(t, function(a, b) return (a or 9) < (b or 9) end)\n"
		"return t[1], t[2], t[3], t[4], t[5]",
		"1 2 3 nil nil"),
	ROW("what the comparator changes is written over",
		"local t = {3, 1, 2} table.sort(t, function(a, b) t[1] = 'x' return a < b end)\n"
		"return table.unpack(t)",
		"1 2 3"),
	ROW("a sort within a sort",
		"local t = shuffled(50)\n"
		"table.sort(t, function(a, b)\n"
		"  local u = {a, b} table.sort(u, function(c, d) return c < d end) return u[1] == a end)\n"
		"return sum(t) == sum(list(50))",
		"true"),
	ROW("a sort where no pause is possible",
		"local t = shuffled(3000)\n"
		";('x'):gsub('x', function() table.sort(t, function(a, b) return a < b end) end)\n"
		"return sum(t) == sum(list(3000))",
		"true"),
	ROW("insert where no pause is possible",
		"local t = list(3000); ('x'):gsub('x', function() table.insert(t, 1, 0) end) return #t, t[3001]",
		"3001 3000"),
	ROW("a C function as comparator",
		"local t = shuffled(100) table.sort(t, math.ult) return sum(t) == sum(list(100))",
		"true"),
	ROW("each element is read and written once",
		"local p, t, asked = proxy {3, 1, 2} table.sort(p) return table.concat(asked, ', ')",
		"'len, get 1, get 2, get 3, set 1 1, set 2 2, set 3 3'"),
	ROW("an error while the table is written",
		"local p, t = proxy {3, 1, 2}\n"
		"getmetatable(p).__newindex = function() error('read only', 0) end table.sort(p)",
		"error: read only"),
#undef ROW
};

static void is_as_it_says(void **state)
{
	const struct own_row *row = *state;

	check_result(OURS, row->code, row->expected);
	check_result(EAGER, row->code, row->expected);
}

static void a_comparator_may_yield(void **state)
{
	static const char code[] =
		"for n = 2, 70 do\n"
		"  local t, asked = shuffled(n), 0\n"
		"  local sorted = coroutine.wrap(function()\n"
		"    table.sort(t, function(a, b)\n"
		"      assert(coroutine.yield('asked') == 'answer') return a < b end)\n"
		"    return 'sorted'\n"
		"  end)\n"
		"  local r = sorted()\n"
		"  while r == 'asked' do asked = asked + 1 r = sorted('answer') end\n"
		"  assert(r == 'sorted' and asked >= n - 1 and sum(t) == sum(list(n)))\n"
		"end\n"
		"return 'well'";
	(void)state;

	check_result(OURS, code, "'well'");
}

static void a_comparator_may_yield_and_then_fail(void **state)
{
	static const char code[] =
		"local t, n = shuffled(70), 0\n"
		"local was = sum(t)\n"
		"local sort = coroutine.wrap(function()\n"
		"  return pcall(table.sort, t, function(a, b)\n"
		"    coroutine.yield() n = n + 1 if n == 100 then error('enough', 0) end return a < b end)\n"
		"end)\n"
		"for i = 1, 100 do assert(sort() == nil) end\n"
		"local ok, e = sort()\n"
		"return ok, e, sum(t) == was";
	(void)state;

	check_result(OURS, code, "false 'enough' true");
}

/* Arguments by chance, which are those of the same seed again: SEED=7 build/tests/test_table. */

enum { CHANCES = 4000 };

static int chance(struct rand *r, int from, int to)
{
	return from + (int)rand_below(r, (uint64_t)(to - from + 1));
}

static void put_list(struct buf *b, struct rand *r, int n)
{
	assert_int_equal(buf_add(b, STR("local t = {")), 0);
	for (int i = 0; i < n; i++)
		assert_int_equal(buf_addf(b, "%d, ", chance(r, -n, n)), 0);
	assert_int_equal(buf_add(b, STR("} ")), 0);
}

static void put_call(struct buf *b, struct rand *r, int n)
{
	static const char *const calls[] = {
		"table.insert(t, %d, 'x') return t",
		"return table.remove(t, %d), t",
		"return table.move(t, %d, %d, %d)",
		"return table.move(t, %d, %d, %d, {7, 8, 9})",
		"return table.concat(t, '+', %d, %d)",
		"return table.unpack(t, %d, %d)",
		"table.sort(t) return t",
		"table.sort(t, function(a, b) return a < b end) return t",
		"table.sort(t, function(a, b) return a > b end) return t",
		"local p = proxy(t) table.insert(p, %d, 'x') return t",
		"local p = proxy(t) return table.remove(p, %d), t",
		"local p = proxy(t) table.sort(p) return t",
	};
	const char *call = calls[rand_below(r, COUNTOF(calls))];
	for (const char *hole = strstr(call, "%d"); hole; hole = strstr(call, "%d")) {
		assert_int_equal(buf_add(b, (struct str){call, (size_t)(hole - call)}), 0);
		assert_int_equal(buf_addf(b, "%d", chance(r, -2, n + 3)), 0);
		call = hole + 2;
	}
	assert_int_equal(buf_add(b, str_of(call)), 0);
}

static void gives_the_same_for_arguments_by_chance(void **state)
{
	const char *seed = getenv("SEED");
	struct rand r = {seed ? strtoull(seed, NULL, 10) : 20240607};
	struct buf b;
	(void)state;
	print_message("# seed %llu\n", (unsigned long long)r.state);
	for (int i = 0; i < CHANCES; i++) {
		int n = chance(&r, 0, i % 10 ? 12 : 120);
		buf_init(&b, 65536);
		put_list(&b, &r, n);
		put_call(&b, &r, n);
		check_same(buf_str(&b).p);
		buf_fini(&b);
	}
}

/* Memory that runs out at each place where some is asked for. */

struct memory {
	long left; /* allocations that succeed */
};

static void *allocate(void *data, void *p, size_t old, size_t n)
{
	struct memory *m = data;
	if (!n) {
		free(p);
		return NULL;
	}
	if ((!p || n > old) && m->left-- <= 0)
		return NULL;
	return realloc(p, n);
}

static int run_all(lua_State *L)
{
	static const char code[] =
		"local t = {}\n"
		"for i = 1, 40 do table.insert(t, 1, 'element ' .. i) end\n"
		"table.sort(t) table.sort(t, function(a, b) return a > b end)\n"
		"table.remove(t, 1) table.move(t, 1, 39, 20, {})\n"
		"return table.concat(t, (' '):rep(99)) .. select('#', table.unpack(t))";
	if (luaL_dostring(L, code) != LUA_OK)
		lua_error(L);
	return 0;
}

static int call_all(lua_State *L)
{
	lua_settop(L, 0);
	lua_pushcfunction(L, run_all);
	return lua_pcall(L, 0, 0, 0);
}

static void memory_may_run_out_anywhere(void **state)
{
	struct memory m = {LONG_MAX};
	lua_State *L = lua_newstate(allocate, &m);
	int failures = 0, status;
	(void)state;
	luaL_openlibs(L);
	lib_open_table(L);
	assert_int_equal(call_all(L), LUA_OK); /* lauxlib makes its own metatable once */

	do {
		m.left = failures;
		status = call_all(L);
		m.left = LONG_MAX;
		if (status != LUA_OK) {
			assert_int_equal(status, LUA_ERRMEM);
			failures++;
		}
	} while (status != LUA_OK);

	assert_true(failures > 20);
	lua_close(L);
}

int main(void)
{
	struct check c = {0};
	open_states();
	check_rows(&c, same_rows, gives_what_the_standard_library_gives);
	check_rows(&c, long_rows, gives_others_a_turn);
	check_rows(&c, own_rows, is_as_it_says);
	check_test(&c, a_comparator_may_yield);
	check_test(&c, a_comparator_may_yield_and_then_fail);
	check_test(&c, gives_the_same_for_arguments_by_chance);
	check_test(&c, memory_may_run_out_anywhere);
	int status = check_run(&c, "table");
	close_states();
	return status;
}
