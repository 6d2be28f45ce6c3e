#include "script/program.h"
#include "support/peer.h"
#include "support/stage.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct stage st;

static void begin(enum script_trust trust)
{
	stage_begin(&st, 1);
	st.limits.trust = trust;
}

static void run(const char *source)
{
	if (!stage_load(&st, "test", source))
		fail_msg("not loaded: %s", buf_str(&st.log).p);
}

static void write_bytes(const char *name, struct str bytes)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", st.folder, name);
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes.p, 1, bytes.n, f), bytes.n);
	assert_int_equal(fclose(f), 0);
}

static void remove_file(const char *name)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", st.folder, name);
	assert_int_equal(unlink(path), 0);
}

static void end_without(const char *file)
{
	if (file)
		remove_file(file);
	stage_end(&st);
	assert_int_not_equal(access(st.folder, F_OK), 0); /* nothing was left in it */
}

/* Doors. */

#define NIL_FIELD(name) "attempt to call a nil value (field '" name "')"
#define NO_GLOBAL(name) "attempt to index a nil value (global '" name "')"
#define NO_CALL(name)   "attempt to call a nil value (global '" name "')"
#define BINARY          "binary, and only text chunks are loaded"

/* Rows in the form of a call, for what they hold takes lines of its own. */
#define DOOR(name, code, restricted, full)   \
	{                                    \
		name, code, restricted, full \
	}
#define SHUT(name, code, why) DOOR(name, code, why, why)
#define NO_DEBUG(name)        SHUT("debug." name, "debug." name "()", NIL_FIELD(name))
#define NO_IO(name)           DOOR("io." name, "io." name "()", NO_GLOBAL("io"), NIL_FIELD(name))

static const struct door {
	const char *name, *code;
	const char *restricted, *full; /* what the log says of the error; NULL: there is none */
} doors[] = {
	DOOR("os.execute", "os.execute('true')", NIL_FIELD("execute"),
		"os.execute: is not for scripts: all of ebb would wait for the program"),
	DOOR("os.exit", "os.exit(0)", NIL_FIELD("exit"),
		"os.exit: a script cannot end ebb; to end a task, use error"),
	SHUT("os.tmpname", "os.tmpname()", NIL_FIELD("tmpname")),
	SHUT("os.setlocale", "os.setlocale('C')", NIL_FIELD("setlocale")),
	DOOR("os.remove", "assert(not os.remove('nope'))", NIL_FIELD("remove"), NULL),
	DOOR("os.rename", "assert(not os.rename('nope', 'nor'))", NIL_FIELD("rename"), NULL),
	NO_IO("popen"),
	NO_IO("tmpfile"),
	NO_IO("input"),
	NO_IO("output"),
	NO_IO("read"),
	NO_IO("write"),
	NO_IO("close"),
	DOOR("io.stdout", "io.stdout:write('x')", NO_GLOBAL("io"),
		"attempt to index a nil value (field 'stdout')"),
	DOOR("io.open", "assert(io.open('/dev/null')):close()", NO_GLOBAL("io"), NULL),
	DOOR("io.open of a path with a NUL", "io.open('/dev/null\\0x')", NO_GLOBAL("io"),
		"io.open: the path is empty or has a NUL in it"),
	DOOR("io.lines", "for _ in io.lines('/dev/null') do end", NO_GLOBAL("io"), NULL),
	DOOR("io.lines of what a script may not name", "io.lines()", NO_GLOBAL("io"),
		"bad argument #1 to 'lines' (string expected, got no value)"),
	DOOR("dofile", "dofile('nope.lua')", NO_CALL("dofile"),
		"nope.lua: No such file or directory"),
	DOOR("dofile of no file", "dofile('/dev/zero')", NO_CALL("dofile"),
		"dofile: /dev/zero: is not a file"),
	DOOR("loadfile", "assert(loadfile('nope.lua'))", NO_CALL("loadfile"),
		"nope.lua: No such file or directory"),
	DOOR("loadfile of standard input", "loadfile()", NO_CALL("loadfile"),
		"bad argument #1 to 'loadfile' (string expected, got n"),
	DOOR("loadfile of bytecode", "assert(loadfile('binary', 'bt'))", NO_CALL("loadfile"),
		BINARY),
	DOOR("loadfile for bytecode", "assert(loadfile('binary', 'b'))", NO_CALL("loadfile"),
		"loadfile: only text chunks are loaded"),
	DOOR("dofile of bytecode", "dofile('binary')", NO_CALL("dofile"), BINARY),
	SHUT("load of bytecode", "assert(load(BYTES))", "load: the text is " BINARY),
	SHUT("load of bytecode, and said so", "assert(load(BYTES, 'x', 'b'))",
		"load: only text chunks are loaded"),
	SHUT("load of bytecode in pieces",
		"local i = 0 assert(load(function() i = i + 1 return BYTES:sub(i, i) end, 'x', "
		"'bt'))",
		"load: the text is " BINARY),
	SHUT("require of bytecode", "require('code')", "test/code.lua: is " BINARY),
	SHUT("string.dump", "string.dump(print)", NIL_FIELD("dump")),
	NO_DEBUG("debug"),
	NO_DEBUG("gethook"),
	NO_DEBUG("getmetatable"),
	NO_DEBUG("getregistry"),
	NO_DEBUG("getupvalue"),
	NO_DEBUG("getuservalue"),
	NO_DEBUG("setcstacklimit"),
	NO_DEBUG("sethook"),
	NO_DEBUG("setlocal"),
	NO_DEBUG("setmetatable"),
	NO_DEBUG("setupvalue"),
	NO_DEBUG("setuservalue"),
	NO_DEBUG("upvalueid"),
	NO_DEBUG("upvaluejoin"),
	DOOR("debug.getinfo", "assert(debug.getinfo(1).currentline == 1)", NIL_FIELD("getinfo"),
		NULL),
	DOOR("debug.getlocal", "local x = 5 assert(debug.getlocal(1, 2) == 'x')",
		NIL_FIELD("getlocal"), NULL),
	SHUT("debug.traceback", "assert(debug.traceback('x'):find('^x\\nstack traceback'))", NULL),
	SHUT("package.loadlib", "package.loadlib('libc.so.6', '*')", NO_GLOBAL("package")),
	SHUT("package.cpath", "package.cpath = '/tmp/?.so'", NO_GLOBAL("package")),
	SHUT("require of a library in C", "require('socket.core')",
		"require: no module 'socket.core': tried "),
	SHUT("the metatable of texts", "getmetatable('').__index = {}",
		"attempt to index a boolean value"),
	SHUT("setmetatable of a text", "setmetatable('', {})",
		"bad argument #1 to 'setmetatable' (table expected, got string)"),
	DOOR("a finalizer", "setmetatable({}, {__gc = function() end})",
		"setmetatable: __gc is not for scripts (use __close)", NULL),
	DOOR("a finalizer behind a metamethod",
		"setmetatable({}, setmetatable({}, {__index = {__gc = print}}))", NULL, NULL),
	SHUT("collectgarbage('stop')", "collectgarbage('stop')", "invalid option 'stop'"),
	SHUT("collectgarbage('generational')", "collectgarbage('generational')",
		"invalid option 'generational'"),
	SHUT("the metatables of ebb's objects",
		"local function check(x) assert(type(x) == 'userdata' and getmetatable(x) == false)\n"
		"  assert(not pcall(setmetatable, x, {})) end\n"
		"check(on('join', print)) check(spawn(print)) check(after(1, print)) check(future())\n"
		"check(queue()) check(lock()) check(networks()()) check(select(2, events('x')))",
		NULL),
	DOOR("the metatable of files", "assert(getmetatable(io.open('/dev/null')) == false)",
		NO_GLOBAL("io"), NULL),
	DOOR("the environment", "assert(os.getenv('EBB_TEST') == 'seen')", "assertion failed!",
		NULL),
	SHUT("the harmless environment", "assert(os.getenv('LANG') == 'C')", NULL),
	SHUT("credentials", "assert(not os.getenv('CREDENTIALS_DIRECTORY'))", NULL),
	SHUT("the service manager's socket", "assert(not os.getenv('NOTIFY_SOCKET'))", NULL),
};

/* A whole function as Lua dumps it, which would run. */
static struct str bytecode(lua_State *L)
{
	struct str bytes;
	luaL_requiref(L, LUA_STRLIBNAME, luaopen_string, 1);
	lua_getfield(L, -1, "dump");
	assert_int_equal(luaL_loadstring(L, "return 1"), LUA_OK);
	lua_call(L, 1, 1);
	bytes.p = lua_tolstring(L, -1, &bytes.n);
	return bytes;
}

/* "local BYTES = '\027\076…'", and then the code. */
static char *with_bytes(struct str bytes, const char *code)
{
	struct buf source;
	buf_init(&source, 65536);
	assert_int_equal(buf_addf(&source, "local BYTES = '"), 0);
	for (size_t i = 0; i < bytes.n; i++)
		assert_int_equal(buf_addf(&source, "\\%03d", (unsigned char)bytes.p[i]), 0);
	assert_int_equal(buf_addf(&source, "' %s", code), 0);
	return buf_detach(&source);
}

static void try_door(const struct door *row, enum script_trust trust, const char *why)
{
	char folder[128];
	lua_State *L = luaL_newstate();
	struct str bytes = bytecode(L);
	begin(trust);
	snprintf(folder, sizeof(folder), "%s/test", st.folder);
	assert_int_equal(mkdir(folder, 0700), 0);
	write_bytes("binary", bytes);
	write_bytes("test/code.lua", bytes);
	char *source = with_bytes(bytes, row->code);

	bool ok = stage_load(&st, "test", source);

	if (ok != !why)
		print_error("%s: %s", trust ? "full" : "restricted", buf_str(&st.log).p);
	assert_true(ok == !why);
	if (why)
		stage_expect_log(&st, why);
	free(source);
	lua_close(L);
	remove_file("binary");
	remove_file("test/code.lua");
	rmdir(folder);
	end_without(NULL);
}

static void door(void **state)
{
	const struct door *row = *state;
	try_door(row, TRUST_RESTRICTED, row->restricted);
	try_door(row, TRUST_FULL, row->full);
}

static void a_main_chunk_of_bytecode_is_refused(void **state)
{
	(void)state;
	lua_State *L = luaL_newstate();
	struct str bytes = bytecode(L);
	char path[128];
	begin(TRUST_FULL);
	write_bytes("code.lua", bytes);
	snprintf(path, sizeof(path), "%s/code.lua", st.folder);
	struct script_options options = {.name = "code", .path = path, .limits = st.limits};

	assert_int_equal(program_load(&st.host, &options), ERR_INVALID);

	stage_expect_log(&st, "script code: not loaded: ");
	lua_close(L);
	end_without("code.lua");
}

static void scripts_do_not_see_each_other(void **state)
{
	(void)state;
	begin(TRUST_FULL);
	assert_true(stage_load(&st, "one",
		"shared = 1 string.upper = nil ebb.on = nil _G.print = nil debug.traceback = nil\n"
		"package = {loaded = {}} math.pi = 3"));
	assert_true(stage_load(&st, "two",
		"assert(shared == nil and ('x'):upper() == 'X' and ebb.on == on and print)\n"
		"assert(debug.traceback and not package and math.pi > 3)"));
	end_without(NULL);
}

/* load. */

static void load_does_what_lua_promises(void **state)
{
	(void)state;
	begin(TRUST_RESTRICTED);
	run("assert(load('return 1')() == 1 and load('return x', 'c', 't', {x = 2})() == 2)\n"
	    "assert(not pcall(load('return x.y', 'c', 'bt', nil)))\n"
	    "local f, e = load('x = ', '=name') assert(not f and e:find('^load: name:1: '), e)\n"
	    "f, e = load('x = ') assert(not f and e:find('[string \"x = \"]:1: ', 1, true), e)\n"
	    "local parts, i = {'return ', 4, '2, ', '...', '', 'never'}, 0\n"
	    "local function reader() i = i + 1 return parts[i] end\n"
	    "local a, b = load(reader)(7) assert(a == 42 and b == 7 and i == 5)\n"
	    "f, e = load(function() end) assert(f and f() == nil)\n"
	    "local ok ok, e = pcall(load, function() return {} end)\n"
	    "assert(not ok and e:find('load: the reader must return text, not a table'), e)\n"
	    "ok, e = pcall(load, function() error('mine', 0) end) assert(not ok and e == 'mine')\n"
	    "y = 1 load('y = 2')() assert(y == 2)\n"
	    "ok, e = pcall(load, {}) assert(not ok and e:find('function expected'), e)\n"
	    "assert(load('return (\"%d\"):format(3)', nil, nil, {})() == '3')");
	end_without(NULL);
}

static void a_reader_of_load_may_pause(void **state)
{
	(void)state;
	begin(TRUST_RESTRICTED);
	run("local parts, i = {'return ', '...', ' + 1'}, 0\n"
	    "local f = load(function() sleep(1) i = i + 1 return parts[i] end, 'slow')\n"
	    "log('got ' .. f(41))");
	stage_pass(&st, 3.5);
	assert_null(strstr(buf_str(&st.log).p, "got"));
	stage_pass(&st, 1);
	stage_expect_log(&st, "got 42");
	end_without(NULL);
}

static void a_reader_in_c_does_not_run_for_ever(void **state)
{
	(void)state;
	begin(TRUST_RESTRICTED);
	st.limits.cpu_max_ns = 50 * NS_PER_MS;
	run("local junk = {} for i = 1, 20000 do junk[i] = {} end\n"
	    "on('privmsg', function() load(collectgarbage) log('loaded ' .. #junk) end)");
	stage_line(&st, 0, ":a!b@c PRIVMSG #t :x");
	assert_null(strstr(buf_str(&st.log).p, "loaded 20000"));
	stage_expect_log(&st, "stopped: it ran for 0.1 s without a pause, in");
	end_without(NULL);
}

static void no_text_longer_than_a_megabyte_is_loaded(void **state)
{
	(void)state;
	begin(TRUST_RESTRICTED);
	run("local max = (' '):rep(1024 * 1024) assert(load(max))\n"
	    "local f, e = load(max .. ' ')\n"
	    "assert(not f and e == 'load: the text is longer than 1 MB, too much for a program')\n"
	    "local n = 0\n"
	    "f, e = load(function() n = n + 1 return max:sub(1, 65536) end)\n"
	    "assert(not f and n == 17 and e:find('^load: the text is longer than 1 MB'))");
	end_without(NULL);
}

static void a_program_in_a_file_is_loaded_as_a_script_is(void **state)
{
	(void)state;
	begin(TRUST_FULL);
	write_bytes("part.lua",
		STR("\xef\xbb\xbf#!/usr/bin/env lua\nsleep(1) x = (x or 0) + 1 return x, debug."
		    "getinfo(1).currentline"));
	run("local f = assert(loadfile('part.lua', 't', {sleep = sleep, debug = debug}))\n"
	    "local a, line = dofile('part.lua') assert(a == 1 and x == 1 and line == 2)\n"
	    "assert(f() == 1 and f() == 2 and x == 1)\n"
	    "log('done')");
	stage_pass(&st, 5);
	stage_expect_log(&st, "done");
	end_without("part.lua");
}

/* Files. */

static void files_are_written_and_read(void **state)
{
	(void)state;
	begin(TRUST_FULL);
	run("local f <close> = assert(io.open('a.txt', 'w'))\n"
	    "assert(io.type(f) == 'file' and io.type(1) == nil)\n"
	    "assert(f:write('one\\n', 2, '\\nthree') == f and f:close() == true)\n"
	    "assert(io.type(f) == 'closed file' and not pcall(f.read, f))\n"
	    "local n, lines = 0, {}\n"
	    "for line in io.lines('a.txt') do n = n + 1 lines[n] = line end\n"
	    "assert(n == 3 and lines[2] == '2')\n"
	    "for a, b in io.lines('a.txt', 1, 'L') do assert(a == 'o' and b == 'ne\\n') break end\n"
	    "assert(os.rename('a.txt', 'b.txt') and not io.open('a.txt'))\n"
	    "local g = io.open('b.txt', 'r+b') assert(g:seek('end') == 11 and g:read('a') == '')\n"
	    "local ok, e = pcall(io.lines, 'a.txt')\n"
	    "assert(not ok and e:find('io.lines: .*/a.txt: No such file or directory'), e)\n"
	    "local none, why, code = io.open('a.txt')\n"
	    "assert(none == nil and why:find('/a.txt: No such file or directory$') and code == 2)\n"
	    "ok, e = pcall(io.open, 'a.txt', 'rw') assert(not ok and e:find('r, w or a expected'))\n"
	    "assert(os.remove('b.txt') and not os.remove('b.txt'))");
	end_without(NULL);
}

static void files_are_closed_with_their_script(void **state)
{
	(void)state;
	size_t n = count_fds();
	begin(TRUST_FULL);
	write_bytes("a.txt", STR("text\n"));
	run("files = {}\n"
	    "for i = 1, 8 do files[i] = assert(io.open('a.txt')) end\n"
	    "files[9] = io.lines('a.txt') files[9]()\n"
	    "files[10] = assert(io.open('b.txt', 'w')) files[10]:write('kept')");
	assert_int_equal(count_fds(), n + 10);
	assert_int_equal(container_of(st.host.scripts.next, struct script, node)->n_files, 10);

	remove_file("a.txt");
	end_without("b.txt");

	assert_int_equal(count_fds(), n);
}

static void lines_close_their_file_at_its_end_and_where_the_loop_is_left(void **state)
{
	(void)state;
	begin(TRUST_FULL);
	write_bytes("a.txt", STR("1\n2\n"));
	run("local next_line = io.lines('a.txt')\n"
	    "assert(next_line() == '1' and next_line() == '2' and next_line() == nil)\n"
	    "local ok, e = pcall(next_line) assert(not ok and e:find('file is already closed'), e)\n"
	    "for line in io.lines('a.txt') do break end\n"
	    "pcall(function() for line in io.lines('a.txt') do error('x') end end)");
	assert_int_equal(container_of(st.host.scripts.next, struct script, node)->n_files, 0);
	end_without("a.txt");
}

static void a_script_has_a_few_files_open_and_forgotten_ones_are_closed(void **state)
{
	(void)state;
	begin(TRUST_FULL);
	run("for i = 1, 1000 do assert(io.open('/dev/null')) end\n"
	    "local kept = {}\n"
	    "for i = 1, 64 do kept[i] = assert(io.open('/dev/null')) end\n"
	    "local f, e = io.open('/dev/null')\n"
	    "assert(f == nil and e == '/dev/null: Too many open files', e)\n"
	    "kept[1]:close() assert(io.open('/dev/null'))");
	end_without(NULL);
}

static void nothing_is_changed_under_check(void **state)
{
	(void)state;
	begin(TRUST_FULL);
	st.host.options.is_check = true;
	write_bytes("a.txt", STR("text"));
	run("assert(io.open('a.txt'):read() == 'text')\n"
	    "for _, mode in ipairs{'w', 'a', 'r+', 'w+b'} do\n"
	    "  local f, e = io.open('a.txt', mode)\n"
	    "  assert(not f and e:find('a.txt: is left as it is under %-%-check'))\n"
	    "end\n"
	    "assert(not os.remove('a.txt') and not os.rename('a.txt', 'b.txt'))");
	end_without("a.txt");
}

/* debug. */

static void debug_shows_nothing_of_what_c_has(void **state)
{
	(void)state;
	begin(TRUST_FULL);
	run("local function look()\n"
	    "  local level, c = 0, 0\n"
	    "  while true do\n"
	    "    local info = debug.getinfo(level, 'fSl')\n"
	    "    if not info then break end\n"
	    "    assert((info.what == 'C') == (info.func == nil), level)\n"
	    "    if info.what == 'C' then c = c + 1 end\n"
	    "    for i = 1, 300 do\n"
	    "      local name, value = debug.getlocal(level, i)\n"
	    "      if not name then break end\n"
	    "      assert(info.what ~= 'C' and name ~= '(temporary)')\n"
	    "    end\n"
	    "    level = level + 1\n"
	    "  end\n"
	    "  return level, c\n"
	    "end\n"
	    "local level, c = timeout(5, function() return select(2, pcall(look)), 1 end)\n"
	    "assert(level > 5)\n"
	    "local function f(a, b, ...) local x = a return debug.getlocal(1, -1), x end\n"
	    "assert(f(1, 2, 3) == '(vararg)' and debug.getlocal(f, 2) == 'b')\n"
	    "assert(debug.getinfo(f).func == f and debug.getinfo(print).func == print)\n"
	    "assert(debug.getinfo(1, 'l').currentline == 22 and debug.getinfo(1000) == nil)\n"
	    "assert(debug.getinfo(-1) == nil and debug.getinfo(math.maxinteger) == nil)\n"
	    "local ok, e = pcall(debug.getinfo, 1, '>') assert(not ok and e:find('some of S l n'), e)\n"
	    "ok, e = pcall(debug.getlocal, 1000, 1) assert(not ok and e:find('no such level'), e)\n"
	    "ok, e = pcall(debug.getlocal, 1, math.maxinteger) assert(not ok)\n"
	    "assert(debug.traceback({}) ~= nil and debug.traceback('m', 1):find('^m\\n'))\n"
	    "log('done')");
	stage_expect_log(&st, "done");
	end_without(NULL);
}

int main(void)
{
	struct check c = {0};
	setenv("EBB_TEST", "seen", 1);
	setenv("LANG", "C", 1);
	setenv("CREDENTIALS_DIRECTORY", "/nope", 1);
	setenv("NOTIFY_SOCKET", "/nope", 1);
	check_rows(&c, doors, door);
	check_test(&c, a_main_chunk_of_bytecode_is_refused);
	check_test(&c, scripts_do_not_see_each_other);
	check_test(&c, load_does_what_lua_promises);
	check_test(&c, a_reader_of_load_may_pause);
	check_test(&c, a_reader_in_c_does_not_run_for_ever);
	check_test(&c, no_text_longer_than_a_megabyte_is_loaded);
	check_test(&c, a_program_in_a_file_is_loaded_as_a_script_is);
	check_test(&c, files_are_written_and_read);
	check_test(&c, files_are_closed_with_their_script);
	check_test(&c, lines_close_their_file_at_its_end_and_where_the_loop_is_left);
	check_test(&c, a_script_has_a_few_files_open_and_forgotten_ones_are_closed);
	check_test(&c, nothing_is_changed_under_check);
	check_test(&c, debug_shows_nothing_of_what_c_has);
	return check_run(&c, "sandbox");
}
