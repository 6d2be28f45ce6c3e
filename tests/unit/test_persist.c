#include "script/persist.h"

#include "base/mem.h"
#include "script/program.h"
#include "script/script.h"
#include "support/stage.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>

enum { SMALL_BYTES = 10000 };

static const size_t step_sizes[] = {1, 2, 7, 1000};

static lua_State *L;
static struct buf out;

/* Gives a text that is the same for two values of the same shape: of the same plain values, and of
 * tables that are the same ones in the same places. */
static const char describing[] =
	"function describe(value)\n"
	"  local seen, n = {}, 0\n"
	"  local function tell(v)\n"
	"    if math.type(v) == 'integer' then return ('%d'):format(v) end\n"
	"    if math.type(v) == 'float' then return ('%a'):format(v) end\n"
	"    if type(v) == 'string' then return ('%q'):format(v) end\n"
	"    if type(v) ~= 'table' then return tostring(v) end\n"
	"    if seen[v] then return '#' .. seen[v] end\n"
	"    n = n + 1\n"
	"    seen[v] = n\n"
	"    local keys, pairs_of = {}, {}\n"
	"    for k in next, v do keys[#keys + 1] = k end\n"
	"    table.sort(keys, function(a, b) return tell(a) < tell(b) end)\n"
	"    for i, k in ipairs(keys) do pairs_of[i] = tell(k) .. '=' .. tell(rawget(v, k)) end\n"
	"    return '{' .. table.concat(pairs_of, ',') .. '}'\n"
	"  end\n"
	"  return tell(value)\n"
	"end\n";

static void begin(size_t max_bytes)
{
	L = luaL_newstate();
	luaL_openlibs(L);
	assert_int_equal(luaL_dostring(L, describing), LUA_OK);
	buf_init(&out, max_bytes);
}

static void end(void)
{
	assert_int_equal(lua_gettop(L), 0);
	lua_close(L);
	buf_fini(&out);
}

static void push(const char *source)
{
	assert_int_equal(luaL_loadstring(L, source), LUA_OK);
	assert_int_equal(lua_pcall(L, 0, 1, 0), LUA_OK);
}

/* Takes the value on top. Returns owned. */
static char *describe(void)
{
	lua_getglobal(L, "describe");
	lua_insert(L, -2);
	assert_int_equal(lua_pcall(L, 1, 1, 0), LUA_OK);
	char *text = mem_strdup(lua_tostring(L, -1));
	lua_pop(L, 1);
	return text;
}

/* The value on top, which stays, with a step of n_values each. */
static int write_in_steps(lua_State *T, size_t n_values, size_t *n_steps, struct err *err)
{
	struct persist_writer *w = persist_writer_new(T, &out, "state");
	int r, top = lua_gettop(T);
	*n_steps = 0;
	do {
		r = persist_writer_step(w, n_values, err);
		++*n_steps;
	} while (r > 0);
	assert_int_equal(lua_gettop(T), top);
	persist_writer_free(w);
	assert_int_equal(lua_gettop(T), top);
	return r;
}

/* What out holds, with a collection after each of the first steps. */
static size_t read_in_steps(size_t n_values)
{
	struct persist_reader r;
	int top = lua_gettop(L);
	size_t n_steps = 1;
	persist_reader_init(&r, buf_str(&out));
	for (; !persist_reader_step(&r, L, n_values); n_steps++) {
		assert_int_equal(lua_gettop(L), top);
		if (n_steps < 50)
			lua_gc(L, LUA_GCCOLLECT);
	}
	assert_int_equal(lua_gettop(L), top + 1);
	lua_rawgetp(L, LUA_REGISTRYINDEX, &r);
	assert_true(lua_isnil(L, -1));
	lua_pop(L, 1);
	return n_steps;
}

/* A chain of so many tables, as source. */
#define CHAIN(n) "local t = {} local u = t for i = 2, " #n " do u.x = {} u = u.x end return t"

static const struct carried_row {
	const char *name, *source;
} carried_rows[] = {
	{"nil is carried",				 "return nil"                              },
	{"true is carried",				"return true"                             },
	{"false is carried",			       "return false"                            },
	{"an integer is carried",                          "return -7"                               },
	{"the least integer is carried",                   "return math.mininteger"                  },
	{"2^53 as a float stays a float",                  "return 2^53"                             },
	{"2^53 + 1 as an integer stays exact",             "return (1 << 53) + 1"                    },
	{"minus zero is carried",                          "return -0.0"                             },
	{"infinity is carried",                            "return -1/0"                             },
	{"what is not a number is carried",                "return {0/0}"                            },
	{"an empty string is carried",                     "return ''"                               },
	{"a string with NUL is carried",                   "return 'a\\0b'"                          },
	{"a long string is carried",                       "return ('x'):rep(100000)"                },
	{"an empty table is carried",                      "return {}"                               },
	{"tables in tables are carried",                   "return {{}, {{}}, a = {b = {c = {}}}}"   },
	{"a list with holes is carried",                   "return {1, nil, 3, nil, nil, 6}"         },
	{"keys of every kind are carried",
         "return {a = 1, [''] = 2, ['a\\0'] = 3, [1] = 4, [-1] = 5, [2.5] = 6, [1/0] = 7,\n"
		"  [true] = 8, [false] = 9}"							 },
	{"a number as text is not a number",               "return {['1'] = 'a', [1] = '1', [2] = 1}"},
	{"a table in itself is carried",                   "local t = {1} t.t = t return t"          },
	{"a cycle through others is carried",
         "local a, b, c = {}, {}, {} a.b = b b.c = c c.a = a return {c, b, a}"                       },
	{"a table in two places stays one",
         "local t = {'one'} return {t, t, {t}, [true] = {t, {}}}"                                    },
	{"equal tables stay two",                          "return {{1}, {1}}"                       },
	{"metatables are not looked at",
         "return setmetatable({1}, {__index = error, __pairs = error, __len = error})"               },
	{"sixty tables deep is carried",                   CHAIN(60)                                 },
	{"a cycle back from the deepest table is carried",
         "local t = {} local u = t for i = 2, 60 do u.x = {} u = u.x end u.t = t return t"           },
	{"a list that grows from its end is carried",
         "local t = {} for i = 100, 1, -1 do t[i] = i end return t"                                  },
	{"many tables that are met again stay the same",
         "local t, u = {}, {} for i = 1, 5000 do t[i] = {i} end\n"
		"for i = 1, 5000 do u[i] = t[i * 7 % 5000 + 1] u[-i] = t[i] end return {t, u}"       },
};

static void carried(void **state)
{
	const struct carried_row *row = *state;
	struct err err;
	size_t n_steps;
	begin(1024 * 1024);
	push(row->source);
	assert_int_equal(persist_encode(L, -1, &out, "state", &err), 0);
	char *bytes = str_dup(buf_str(&out));
	size_t n_bytes = out.n;
	persist_decode(L, buf_str(&out));
	char *decoded = describe();
	lua_pushvalue(L, -1);
	char *expected = describe();
	assert_string_equal(decoded, expected);

	for (size_t i = 0; i < COUNTOF(step_sizes); i++) {
		buf_reset(&out);
		assert_int_equal(write_in_steps(L, step_sizes[i], &n_steps, &err), 0);
		assert_true(str_eq(buf_str(&out), (struct str){bytes, n_bytes}));
		assert_int_equal(read_in_steps(step_sizes[i]), n_steps);
		char *read = describe();
		assert_string_equal(read, expected);
		free(read);
	}

	free(bytes);
	free(decoded);
	free(expected);
	lua_settop(L, 0);
	end();
}

#define KEY_40  "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
#define FOUR(x) x x x x

static const struct refusal_row {
	const char *name, *source, *text;
	int code;
} refusal_rows[] = {
	{"a function is refused",                     "return print",                                   "state: a function cannot be carried over",
         ERR_INVALID																		      },
	{"a userdata is refused",                     "return io.stdout",                               "state: a userdata cannot be carried over",
         ERR_INVALID																		      },
	{"a coroutine is refused",                    "return coroutine.create(print)",
         "state: a thread cannot be carried over",													     ERR_INVALID},
	{"a function in tables is named",             "return {a = {}, games = {alice = print}}",
         "state.games.alice: a function cannot be carried over",											       ERR_INVALID},
	{"a userdata in a list is named",             "return {1, {1, 2, io.stdout}}",
         "state[2][3]: a userdata cannot be carried over",												     ERR_INVALID},
	{"a coroutine behind a boolean key is named",
         "return {[true] = {[false] = coroutine.create(print)}}",				       "state[true][false]: a thread cannot be carried over", ERR_INVALID},
	{"a function behind a number is named",       "return {[-3] = {[2.5] = print}}",
         "state[-3][2.5]: a function cannot be carried over",												  ERR_INVALID},
	{"a function after another table is named",   "return {{{}, {1}}, print}",
         "state[2]: a function cannot be carried over",													ERR_INVALID},
	{"a table as a key is refused",               "return {a = {[{}] = 1}}",
         "state.a[table]: a table as a key cannot be carried over",											    ERR_INVALID},
	{"a function as a key is refused",            "return {[print] = 1}",
         "state[function]: a function as a key cannot be carried over",											ERR_INVALID},
	{"a userdata as a key is refused",            "return {[io.stdout] = 1}",
         "state[userdata]: a userdata as a key cannot be carried over",											ERR_INVALID},
	{"a key of forty bytes is shown",             "return {[('k'):rep(40)] = print}",
         "state." KEY_40 ": a function cannot be carried over",												ERR_INVALID},
	{"a longer key is cut",                       "return {[('k'):rep(41)] = print}",
         "state." KEY_40 "...: a function cannot be carried over",											     ERR_INVALID},
	{"no character of a key is cut",              "return {['k' .. ('\\u{e9}'):rep(20)] = print}",
         "state.k" FOUR(
			"\u00e9\u00e9\u00e9\u00e9") "\u00e9\u00e9\u00e9...: a function cannot be carried over",
         ERR_INVALID																		      },
	{"a long path is cut",
         "local t = {[('k'):rep(40)] = print} for i = 1, 50 do t = {[('k'):rep(40)] = t} end return t",
         "state" FOUR("." KEY_40) ".kkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
					 ": a function cannot be carried over",										ERR_INVALID},
	{"sixty-one tables deep is refused",          CHAIN(61),
         "state" FOUR(FOUR(".x.x.x")) ".x.x.x.x.x.x.x.x.x.x.x.x"
					     ": more than 60 tables deep",										     ERR_LIMIT  },
	{"a string that is too large is refused",     "return {('x'):rep(10000)}",                      "state: too large",
         ERR_LIMIT																			},
	{"tables that are too large are refused",
         "local t = {} for i = 1, 5000 do t[i] = {} end return {t}",                                    "state: too large",
         ERR_LIMIT																			},
};

static void refused(void **state)
{
	const struct refusal_row *row = *state;
	struct err err;
	size_t n_steps;
	begin(SMALL_BYTES);
	assert_int_equal(buf_add(&out, STR("before")), 0);
	push(row->source);

	assert_int_equal(persist_encode(L, 1, &out, "state", &err), row->code);
	assert_string_equal(err.text, row->text);
	assert_slice(buf_str(&out), "before");
	assert_int_equal(persist_encode(L, 1, &out, "state", NULL), row->code);
	for (size_t i = 0; i < COUNTOF(step_sizes); i++) {
		assert_int_equal(write_in_steps(L, step_sizes[i], &n_steps, &err), row->code);
		assert_string_equal(err.text, row->text);
		assert_slice(buf_str(&out), "before");
	}

	lua_pop(L, 1);
	end();
}

static void a_step_takes_no_more_than_it_is_asked(void **state)
{
	static const struct {
		const char *source;
		size_t n_values, n_steps;
	} rows[] = {
		{"local t = {} for i = 1, 99 do t[i] = i end return t",                10, 11},
		{"local t = {} for i = 1, 98 do t[i] = i end return t",                10, 10},
		{"local t = {} for i = 1, 10 do t[i] = ('x'):rep(40960) end return t", 11, 11},
		{"return {[('x'):rep(40960)] = ('y'):rep(40960)}",                     21, 2 },
		{"return ('x'):rep(500000)",                                           1,  1 },
		{"return {{{}}}",						      1,  6 },
	};
	struct err err;
	size_t n_steps;
	(void)state;
	begin(1024 * 1024);
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		buf_reset(&out);
		push(rows[i].source);
		assert_int_equal(write_in_steps(L, rows[i].n_values, &n_steps, &err), 0);
		assert_int_equal(n_steps, rows[i].n_steps);
		assert_int_equal(read_in_steps(rows[i].n_values), rows[i].n_steps);
		lua_settop(L, 0);
	}
	end();
}

static void a_value_is_written_behind_others(void **state)
{
	struct err err;
	(void)state;
	begin(SMALL_BYTES);
	push("local t = {1} return {t, t, {t}}");
	assert_non_null(buf_reserve(&out, 1000)); /* so that what is consumed stays */
	assert_int_equal(buf_add(&out, STR("gone")), 0);
	assert_int_equal(buf_add(&out, STR("before")), 0);
	buf_consume(&out, 4);

	assert_int_equal(persist_encode(L, -1, &out, "state", &err), 0);

	assert_true(str_starts(buf_str(&out), STR("before")));
	persist_decode(L, str_skip(buf_str(&out), 6));
	char *decoded = describe();
	char *expected = describe();
	assert_string_equal(decoded, expected);
	free(decoded);
	free(expected);
	end();
}

static void a_writer_given_up_midway_leaves_the_stack_as_it_was(void **state)
{
	struct err err;
	int r = 1;
	(void)state;
	begin(SMALL_BYTES);
	lua_pushinteger(L, 7);
	push("return {{1, {2}}, a = {b = {}}, {3, {4}}}");
	const void *root = lua_topointer(L, 2);

	for (int n_steps = 0; r > 0; n_steps++) {
		struct persist_writer *w = persist_writer_new(L, &out, "state");
		r = 1;
		for (int i = 0; i < n_steps; i++)
			r = persist_writer_step(w, 1, &err);
		persist_writer_free(w);
		buf_reset(&out);
		assert_int_equal(lua_gettop(L), 2);
		assert_ptr_equal(lua_topointer(L, 2), root);
	}

	assert_int_equal(r, 0);
	lua_settop(L, 0);
	end();
}

static void a_writer_that_is_done_leaves_the_stack_to_others(void **state)
{
	struct err err;
	(void)state;
	begin(SMALL_BYTES);
	push("return {1}");
	struct persist_writer *w = persist_writer_new(L, &out, "state");
	assert_int_equal(persist_writer_step(w, 10, &err), 0);
	lua_pushinteger(L, 7);

	persist_writer_free(w);
	persist_writer_free(NULL);

	assert_int_equal(lua_gettop(L), 2);
	lua_settop(L, 0);
	end();
}

/* A script whose memory refuses everything, and a thread of it. */

static struct stage st;

struct thread {
	lua_State *T;
	int n_slots;
};

static int make_thread(lua_State *M)
{
	struct thread *t = lua_touserdata(M, 1);
	t->T = lua_newthread(M);
	luaL_checkstack(t->T, t->n_slots, NULL);
	lua_getglobal(M, "kept");
	lua_xmove(M, t->T, 1);
	lua_rawsetp(M, LUA_REGISTRYINDEX, t);
	return 0;
}

static struct vm *begin_without_memory(struct thread *t, int n_slots, const char *source)
{
	begin(1024 * 1024);
	stage_begin(&st, 1);
	assert_true(stage_load(&st, "own", source));
	struct vm *vm = &container_of(st.host.scripts.next, struct script, node)->vm;
	t->n_slots = n_slots;
	assert_true(vm_call(vm->L, make_thread, t, 0));
	vm->arena.fail_at = 1;
	return vm;
}

static void a_writer_needs_no_memory_of_the_state(void **state)
{
	struct err err;
	struct thread t;
	size_t n_steps;
	(void)state;
	struct vm *vm = begin_without_memory(&t, PERSIST_SLOTS,
		"kept = {many = {}, text = ('x'):rep(10000), [2.5] = 1/3}\n"
		"for i = 1, 2000 do kept.many[i] = {i, tostring(i), kept} end\n"
		"local t = kept for i = 2, 60 do t.x = {} t = t.x end");
	uint64_t n_grown = vm->arena.n_grown;

	assert_int_equal(write_in_steps(t.T, 100, &n_steps, &err), 0);

	assert_int_equal(vm->arena.n_grown, n_grown);
	persist_decode(L, buf_str(&out));
	lua_setglobal(L, "state");
	push("local n, t = 0, state while t do n, t = n + 1, t.x end\n"
	     "return n == 60 and #state.many == 2000 and state.many[2000][2] == '2000' and\n"
	     "  state.many[7][3] == state and #state.text == 10000 and state[2.5] == 1/3");
	assert_true(lua_toboolean(L, -1));
	lua_settop(L, 0);
	stage_end(&st);
	end();
}

static void a_stack_that_cannot_grow_is_told_of(void **state)
{
	struct err err;
	struct thread t;
	size_t n_steps;
	(void)state;
	begin_without_memory(
		&t, 0, "kept = {} local t = kept for i = 2, 60 do t.x = {} t = t.x end");

	assert_int_equal(write_in_steps(t.T, 100, &n_steps, &err), ERR_LIMIT);

	assert_non_null(strstr(err.text, "state.x.x"));
	assert_non_null(strstr(err.text, ".x: no memory to look into it"));
	assert_int_equal(out.n, 0);
	stage_end(&st);
	end();
}

/* A reader that meets a refusal. */

static void *allocate(void *data, void *p, size_t old_bytes, size_t n_bytes)
{
	return arena_resize(data, p, p ? old_bytes : 0, n_bytes);
}

static int step(lua_State *M)
{
	lua_settop(M, 1);
	bool is_done = persist_reader_step(lua_touserdata(M, 1), M, 3);
	lua_pushboolean(M, is_done);
	return 1;
}

/* Whether it came to its end. */
static bool read_protected(lua_State *M, struct persist_reader *r)
{
	bool is_done = false;
	while (!is_done) {
		lua_pushcfunction(M, step);
		lua_pushlightuserdata(M, r);
		if (lua_pcall(M, 1, 1, 0) != LUA_OK) {
			assert_string_equal(lua_tostring(M, -1), "not enough memory");
			lua_pop(M, 1);
			return false;
		}
		is_done = lua_toboolean(M, -1);
		lua_pop(M, 1);
	}
	return true;
}

static void a_reader_refused_memory_leaves_nothing(void **state)
{
	struct arena arena;
	struct persist_reader r;
	struct err err;
	size_t used_bytes = 0, n_refused = 0;
	bool is_done = false;
	(void)state;
	begin(SMALL_BYTES);
	push("local t = {{1, 2, 3}, {a = {b = {c = {}}}}, ('x'):rep(5000)} t[4] = t\n"
	     "for i = 5, 30 do t[i] = {tostring(i)} end return t");
	assert_int_equal(persist_encode(L, -1, &out, "state", &err), 0);
	arena_init(&arena, 1024 * 1024);
	lua_State *M = lua_newstate(allocate, &arena);

	for (uint64_t k = 0; !is_done || k < 2; k++) {
		persist_reader_init(&r, buf_str(&out));
		arena.fail_at = k ? arena.n_grown + k : 0;
		is_done = read_protected(M, &r);
		persist_reader_fini(&r, M);
		arena.fail_at = 0;
		lua_gc(M, LUA_GCCOLLECT);
		n_refused += !is_done;
		assert_int_equal(lua_gettop(M), 0);
		if (k > 0)
			assert_int_equal(arena.used_bytes, used_bytes);
		used_bytes = arena.used_bytes;
	}

	assert_true(n_refused > 50);
	lua_close(M);
	assert_int_equal(arena.used_bytes, 0);
	arena_fini(&arena);
	lua_pop(L, 1);
	end();
}

/* One that grew would ask again each time that its size doubles. */
static void a_table_is_made_in_its_size(void **state)
{
	struct arena arena;
	struct err err;
	(void)state;
	begin(1024 * 1024);
	push("local t = {} for i = 1, 5000 do t[i] = i t[i + 0.5] = i end return t");
	assert_int_equal(persist_encode(L, -1, &out, "state", &err), 0);
	arena_init(&arena, 1024 * 1024);
	lua_State *M = lua_newstate(allocate, &arena);
	uint64_t n_grown = arena.n_grown;
	size_t used_bytes = arena.used_bytes;

	persist_decode(M, buf_str(&out));

	assert_in_range(arena.n_grown - n_grown, 3, 6);
	assert_true(arena.used_bytes - used_bytes < 300000); /* the list is one */
	lua_close(M);
	arena_fini(&arena);
	lua_pop(L, 1);
	end();
}

static void a_reader_given_up_midway_leaves_nothing(void **state)
{
	struct persist_reader r;
	struct err err;
	(void)state;
	begin(SMALL_BYTES);
	push("return {{{}, {}}, {}}");
	assert_int_equal(persist_encode(L, -1, &out, "state", &err), 0);
	persist_reader_init(&r, buf_str(&out));
	assert_false(persist_reader_step(&r, L, 2));
	lua_rawgetp(L, LUA_REGISTRYINDEX, &r);
	assert_true(lua_istable(L, -1));

	persist_reader_fini(&r, L);
	persist_reader_fini(&r, L);

	lua_rawgetp(L, LUA_REGISTRYINDEX, &r);
	assert_true(lua_isnil(L, -1));
	lua_settop(L, 0);
	end();
}

static void a_field_is_found_without_lua(void **state)
{
	struct err err;
	struct value v;
	(void)state;
	begin(SMALL_BYTES);
	push("local t = {t = {s = 'inner', {}}} t.again = t return {t, t, s = 'x\\0y', a = 1}");
	assert_int_equal(persist_encode(L, -1, &out, "fields", &err), 0);

	assert_true(persist_find(buf_str(&out), STR("s"), &v));
	assert_int_equal(v.type, VALUE_STR);
	assert_int_equal(v.str.n, 3);
	assert_true(persist_find(buf_str(&out), STR("a"), &v));
	assert_int_equal(v.integer, 1);
	assert_false(persist_find(buf_str(&out), STR("none"), &v));
	lua_pop(L, 1);
	end();
}

static void what_c_puts_together_is_a_table(void **state)
{
	(void)state;
	begin(SMALL_BYTES);
	persist_open(&out);
	persist_put_str(&out, STR("text"));
	persist_put_str(&out, STR("a\nb"));
	persist_put_str(&out, STR("n"));
	persist_put_int(&out, -5);
	persist_put_str(&out, STR("yes"));
	persist_put_bool(&out, true);
	persist_close(&out);

	read_in_steps(1);
	lua_setglobal(L, "t");
	push("return describe(t) == describe({text = 'a\\nb', n = -5, yes = true})");

	assert_true(lua_toboolean(L, -1));
	lua_pop(L, 1);
	end();
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, carried_rows, carried);
	check_rows(&c, refusal_rows, refused);
	check_test(&c, a_step_takes_no_more_than_it_is_asked);
	check_test(&c, a_value_is_written_behind_others);
	check_test(&c, a_writer_given_up_midway_leaves_the_stack_as_it_was);
	check_test(&c, a_writer_that_is_done_leaves_the_stack_to_others);
	check_test(&c, a_writer_needs_no_memory_of_the_state);
	check_test(&c, a_stack_that_cannot_grow_is_told_of);
	check_test(&c, a_reader_refused_memory_leaves_nothing);
	check_test(&c, a_table_is_made_in_its_size);
	check_test(&c, a_reader_given_up_midway_leaves_nothing);
	check_test(&c, a_field_is_found_without_lua);
	check_test(&c, what_c_puts_together_is_a_table);
	return check_run(&c, "persist");
}
