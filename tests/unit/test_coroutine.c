#include "support/stage.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <string.h>

/* What the reference manual promises: the same code in Lua's own state and in a script, where a
 * task is the main thread. Each row returns values, which are compared as text. */
static const struct stock_row {
	const char *name, *code;
} stock_rows[] = {
	{"a generator",                      "local g = coroutine.wrap(function(a) local b = coroutine.yield(a + 1) "
			"return b * 2 end) return g(1), g(5)"                                               },
	{"arguments and results",            "local co = coroutine.create(function(...) "
				  "return select('#', ...), coroutine.yield(...) end) "
				  "local a = {coroutine.resume(co, 1, nil, nil)} "
				  "return #a, select('#', coroutine.resume(co, nil, nil))"        },
	{"no arguments, no results",
         "local co = coroutine.create(function() coroutine.yield() end) "
		"return select('#', coroutine.resume(co)), "
		"select('#', coroutine.resume(co))"										},
	{"status, suspended at first",       "return coroutine.status(coroutine.create(print))"                                    },
	{"status, running",                  "local co co = coroutine.create(function() return coroutine.status(co) "
			    "end) return coroutine.resume(co)"                                          },
	{"status, normal",
         "local a a = coroutine.create(function() return coroutine.wrap(function() "
		"return coroutine.status(a) end)() end) return coroutine.resume(a)"                                                },
	{"status, dead",                     "local co = coroutine.create(function() end) coroutine.resume(co) "
			 "return coroutine.status(co)"                                                     },
	{"status, dead of an error",         "local co = coroutine.create(error) coroutine.resume(co) "
				     "return coroutine.status(co)"                             },
	{"status, suspended in a yield",     "local co = coroutine.create(coroutine.yield) "
					 "coroutine.resume(co) return coroutine.status(co)"},
	{"resume, dead",                     "local co = coroutine.create(function() end) coroutine.resume(co) "
			 "return coroutine.resume(co)"                                                     },
	{"resume, itself",                   "local co co = coroutine.create(function() return coroutine.resume(co) "
			   "end) return coroutine.resume(co)"                                            },
	{"resume, who resumed it",           "local a a = coroutine.create(function() "
				   "return coroutine.wrap(function() return coroutine.resume(a) "
				   "end)() end) return coroutine.resume(a)"                      },
	{"resume, an error",
         "return coroutine.resume(coroutine.create(function() error('x', 0) end))"                                                 },
	{"resume, an error that is no text", "local t = {} local ok, e = coroutine.resume("
					     "coroutine.create(function() error(t) end)) "
					     "return ok, e == t"                       },
	{"resume, an error after a yield",   "local co = coroutine.create(function() "
					   "coroutine.yield(1) error('x', 0) end) "
					   "return select(2, coroutine.resume(co)), "
					   "coroutine.resume(co)"                        },
	{"resume, no coroutine",             "return pcall(coroutine.resume, 5)"                                                   },
	{"resume, nothing",                  "return pcall(coroutine.resume)"                                                      },
	{"create, no function",              "return pcall(coroutine.create, {})"                                                  },
	{"wrap, no function",                "return pcall(coroutine.wrap)"                                                        },
	{"wrap, an error",                   "return pcall(coroutine.wrap(function() error('x', 0) end))"                          },
	{"wrap, an error that is no text",   "local t = {} local ok, e = pcall(coroutine.wrap("
					   "function() error(t) end)) return ok, e == t" },
	{"wrap, dead",		       "local f = coroutine.wrap(function() end) f() "
		       "return select(2, pcall(f)):match('cannot.*')"                                        },
	{"wrap, an error closes",            "local log = '' local f = coroutine.wrap(function() "
				  "local c <close> = setmetatable({}, {__close = function(_, e) "
				  "log = log .. tostring(e) end}) error('x', 0) end) "
				  "return pcall(f), log"                                          },
	{"yield across pcall",               "local f = coroutine.wrap(function() "
			       "return pcall(function() return coroutine.yield(1) + 1 end) end) "
			       "return f(), f(2)"						    },
	{"an error across pcall",            "local f = coroutine.wrap(function() return pcall(function() "
				  "coroutine.yield(1) error('x', 0) end) end) return f(), f()"    },
	{"yield in a metamethod",            "local t = setmetatable({}, {__index = function(_, k) "
				  "return coroutine.yield(k) end}) "
				  "local f = coroutine.wrap(function() return t.key end) "
				  "return f(), f('value')"                                        },
	{"yield in an iterator",             "local f = coroutine.wrap(function() for i in coroutine.yield do "
				 "coroutine.yield(i * 2) end return 'end' end) "
				 "return f(), f(4), f(), f(nil)"                                   },
	{"yield in __close",
         "local f = coroutine.wrap(function() do local c <close> = setmetatable("
		"{}, {__close = function() coroutine.yield('closing') end}) end "
		"return 'closed' end) return f(), f()"									     },
	{"nested",
         "local function gen(n) return coroutine.wrap(function() if n > 0 then "
		"for v in gen(n - 1) do coroutine.yield(v + 1) end end coroutine.yield(n) end) end "
		"local s = 0 for v in gen(20) do s = s + v end return s"                                                           },
	{"running",			  "local co, main co = coroutine.create(function() local me me, main = "
		    "coroutine.running() return me == co, main end) return coroutine.resume(co)"                },
	{"running, at the top",              "return select(2, coroutine.running())"                                               },
	{"isyieldable, at the top",          "return coroutine.isyieldable()"                                                      },
	{"isyieldable, within",              "return coroutine.wrap(coroutine.isyieldable)()"                                      },
	{"isyieldable, of another",          "return coroutine.isyieldable(coroutine.create(print))"                               },
	{"close, never run",                 "local co = coroutine.create(print) "
			     "return coroutine.close(co), coroutine.status(co)"                        },
	{"close, closes",
         "local log = '' local co = coroutine.create(function() "
		"local a <close> = setmetatable({}, {__close = function() log = log .. 'a' "
		"end}) local b <close> = setmetatable({}, {__close = function() "
		"log = log .. 'b' end}) coroutine.yield() end) coroutine.resume(co) "
		"return coroutine.close(co), log, coroutine.status(co)"                                                            },
	{"close, an error in __close",       "local co = coroutine.create(function() "
				       "local a <close> = setmetatable({}, {__close = function() "
				       "error('x', 0) end}) coroutine.yield() end) "
				       "coroutine.resume(co) return coroutine.close(co)"     },
	{"close, dead",                      "local co = coroutine.create(function() end) coroutine.resume(co) "
			"return coroutine.close(co)"							},
	{"close, dead of an error",          "local co = coroutine.create(function() error('x', 0) end) "
				    "coroutine.resume(co) return coroutine.close(co)"           },
	{"close, running",
         "local co co = coroutine.create(function() return pcall(coroutine.close, "
		"co) end) return coroutine.resume(co)"									     },
	{"close, normal",                    "local co co = coroutine.create(function() return coroutine.wrap("
			  "function() return pcall(coroutine.close, co) end)() end) "
			  "return coroutine.resume(co)"                                                   },
	{"too deep",			 "local function f() return coroutine.wrap(f)() end "
		     "return (select(2, pcall(f)):match('C stack overflow'))"                                  },
};

static struct stage st;

static const char show[] = "local function show(...) local t = table.pack(...) for i = 1, t.n do "
			   "t[i] = tostring(t[i]):gsub(\"to '[%w.?]+'\", 'to it') end "
			   "return table.concat(t, ' ') end\n";

static void is_as_lua_has_it(void **state)
{
	const struct stock_row *row = *state;
	char source[4000], expected[1000];
	lua_State *L = luaL_newstate();
	luaL_openlibs(L);
	snprintf(source, sizeof(source), "%sreturn show((function() %s end)())", show, row->code);
	assert_int_equal(luaL_dostring(L, source), LUA_OK);
	snprintf(expected, sizeof(expected), "PRIVMSG #t :%s\n", lua_tostring(L, -1));
	lua_close(L);

	stage_begin(&st, 1);
	snprintf(source, sizeof(source),
		"%sspawn(function() send('privmsg', {target = '#t', "
		"message = show((function() %s end)())}) end)",
		show, row->code);
	assert_true(stage_load(&st, "test", source));
	stage_expect(&st, expected);
	stage_end(&st);
}

/* What is ebb's own: pauses within coroutines. */
static const struct own_row {
	const char *name, *code, *said;
} own_rows[] = {
	{"a generator sleeps",
         "for i in coroutine.wrap(function() for i = 1, 3 do sleep(1) coroutine.yield(i) end end) do say(i) end",
         "1 2 3"																									     },
	{"a generator waits",
         "spawn(function() sleep(1) trigger('x', {n = 7}) end) say(coroutine.wrap(function() return wait('x').n end)())",
         "7"																										 },
	{"one within another sleeps",
         "local function gen(n) return coroutine.wrap(function() if n > 0 then for v in gen(n - 1) do "
		"coroutine.yield(v) end end sleep(0.01) coroutine.yield(n) end) end "
		"local s = 0 for v in gen(50) do s = s + v end say(s)",						   "1275"											     },
	{"while it sleeps it is normal, and nobody else resumes it",
         "local co = coroutine.create(function() sleep(1) return 'done' end) "
		"spawn(function() say(coroutine.status(co)) say(select(2, coroutine.resume(co))) "
		"say(select(2, pcall(coroutine.close, co)):match('waiting')) end) "
		"say(select(2, coroutine.resume(co))) say(coroutine.status(co))",					 "normal cannot resume coroutine: it is waiting inside sleep/wait in another task waiting done dead"},
	{"a yield at the top is an error",
         "say(select(2, pcall(coroutine.yield)):match('outside of a coroutine'))",					"outside of a coroutine"									   },
	{"a timeout cancels a generator, which closes before its consumer",
         "say(select(2, timeout(1, function() "
		"local a <close> = setmetatable({}, {__close = function() say('consumer') end}) "
		"for _ in coroutine.wrap(function() "
		"local b <close> = setmetatable({}, {__close = function() say('generator') end}) "
		"sleep(9) end) do end end)))",									    "generator consumer timeout"								       },
	{"no coroutine holds a cancellation",
         "local t = spawn(function() local co = coroutine.create(function() while true do pcall(sleep, 9) end end) "
		"say(coroutine.resume(co)) say('never') end) sleep(1) t:cancel() say(select(2, t:join()))",
         "cancelled"																									 },
	{"nested closes are bounded",
         "local co for i = 1, 1000 do local prev = co co = coroutine.create(function() "
		"local c <close> = setmetatable({}, {__close = function() if prev then "
		"local ok, e = coroutine.close(prev) if not ok then error(e, 0) end end end}) "
		"coroutine.yield() end) coroutine.resume(co) end "
		"local ok, e = coroutine.close(co) say(tostring(e):match('more than 40'))",			       "more than 40"										     },
	{"the thread of a task that has ended is dead, or its pool's",
         "local kept = {} for i = 1, 200 do spawn(function() kept[i] = coroutine.running() sleep(1) end) end "
		"sleep(2) local n = 0 for i = 1, 200 do if coroutine.status(kept[i]) == 'dead' then n = n + 1 end "
		"assert(not coroutine.resume(kept[i])) end say(n > 100)",						 "true"											     },
	{"an error of a sleeping generator is its consumer's",
         "local f = coroutine.wrap(function() sleep(1) error('x', 0) end) say(select(2, pcall(f)))",		      "x"												},
	{"what is resumed where nothing can pause cannot either",
         "say(select(2, pcall(tostring, setmetatable({}, {__tostring = function() "
		"return coroutine.wrap(function() sleep(1) end)() end}))):match('cannot pause here'))",
         "cannot pause here"																								 },
};

static void pauses(void **state)
{
	const struct own_row *row = *state;
	char source[4000];
	stage_begin(&st, 1);
	snprintf(source, sizeof(source),
		"local said = {} local function say(t) said[#said + 1] = tostring(t) end\n"
		"spawn(function() %s sleep(0) send('privmsg', {target = '#t', "
		"message = table.concat(said, ' ')}) end)",
		row->code);
	assert_true(stage_load(&st, "test", source));
	stage_pass(&st, 20);
	snprintf(source, sizeof(source), "PRIVMSG #t :%s\n", row->said);
	stage_expect(&st, source);
	stage_end(&st);
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, stock_rows, is_as_lua_has_it);
	check_rows(&c, own_rows, pauses);
	return check_run(&c, "coroutine");
}
