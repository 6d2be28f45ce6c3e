#include "script/chunk.h"
#include "script/program.h"
#include "script/require.h"
#include "script/task.h"
#include "support/stage.h"

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The scripts' folder, with these beside them, and one for a second lib/. */
static const char *const folders[] = {"test", "test/deep", "test/deep/er", "lib", "more",
	"more/lib", "packed", "packed/part", "elsewhere"};

static struct stage st;
static char lib[PATH_MAX], more_lib[PATH_MAX];
static const char *libs[] = {lib, more_lib};

static void path_of(char path[PATH_MAX], const char *name)
{
	snprintf(path, PATH_MAX, "%s/%s", st.folder, name);
}

static void write_file(const char *name, const char *text)
{
	char path[PATH_MAX];
	path_of(path, name);
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void begin(void)
{
	char path[PATH_MAX];
	stage_begin(&st, 1);
	for (size_t i = 0; i < COUNTOF(folders); i++) {
		path_of(path, folders[i]);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	path_of(lib, "lib");
	path_of(more_lib, "more/lib");
	st.lib_folders = libs;
	st.n_lib_folders = COUNTOF(libs);
}

static int remove_one(const char *path, const struct stat *s, int kind, struct FTW *ftw)
{
	(void)s, (void)kind, (void)ftw;
	return remove(path);
}

static void end(void)
{
	char folder[sizeof(st.folder)];
	memcpy(folder, st.folder, sizeof(folder));
	stage_end(&st);
	assert_int_equal(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void run(const char *source)
{
	if (!stage_load(&st, "test", source))
		fail_msg("not loaded: %s", buf_str(&st.log).p);
}

static struct script *script(void)
{
	return container_of(st.host.scripts.next, struct script, node);
}

/* Finding. */

static void modules_are_found_in_the_own_folder_and_then_in_libraries(void **state)
{
	(void)state;
	begin();
	write_file("test/a.lua", "return 'own'");
	write_file("lib/a.lua", "return 'lib'");
	write_file("lib/b.lua", "return 'lib'");
	write_file("more/lib/b.lua", "return 'more'");
	write_file("more/lib/c.lua", "return 'more'");
	write_file("test/deep/init.lua", "return 'folder'");
	write_file("test/deep/er/x-1_y.lua", "return 'deeper'");
	write_file("d.lua", "return 'beside the script'");
	run("assert(require 'a' == 'own' and require 'b' == 'lib' and require 'c' == 'more')\n"
	    "assert(require 'deep' == 'folder' and require 'deep.er.x-1_y' == 'deeper')\n"
	    "assert(not pcall(require, 'd') and ebb.require == require)");
	end();
}

static void the_modules_of_a_folder_script_stand_beside_its_file(void **state)
{
	(void)state;
	static const char source[] = "assert(require 'part' == 1 and require 'lone' == 2)";
	struct script_options options = {.name = "any", .source = source};
	char path[PATH_MAX];
	begin();
	write_file("packed/part/init.lua", "return 1");
	write_file("packed/lone.lua", "return 2");
	path_of(path, "packed/init.lua");
	options.path = path;

	assert_int_equal(program_load(&st.host, &options), 0);

	end();
}

static const struct own_row {
	const char *name, *folder;
} own_rows[] = {
	{"karma.lua",           "karma"         },
	{"/srv/karma.lua",      "/srv/karma"    },
	{"../a.b/karma.lua",    "../a.b/karma"  },
	{"karma",               "karma"         },
	{"karma/init.lua",      "karma"         },
	{"./init.lua",          "."             },
	{"init.lua",            "."             },
	{"/init.lua",           "/"             },
	{"/srv/karma/init.lua", "/srv/karma"    },
	{"/srv/my-init.lua",    "/srv/my-init"  },
	{"init.lua/karma.lua",  "init.lua/karma"},
	{".lua",                ".lua"          },
};

static void own_folder(void **state)
{
	const struct own_row *row = *state;
	char *folder = require_own_folder(row->name);
	assert_string_equal(folder, row->folder);
	free(folder);
}

static void what_was_searched_is_told_when_nothing_is_found(void **state)
{
	(void)state;
	char expected[4 * PATH_MAX];
	begin();
	snprintf(expected, sizeof(expected),
		"test.lua:1: require: no module 'a.b': tried %s/test/a/b.lua, "
		"%s/test/a/b/init.lua, %s/lib/a/b.lua, %s/lib/a/b/init.lua, "
		"%s/more/lib/a/b.lua, %s/more/lib/a/b/init.lua\n",
		st.folder, st.folder, st.folder, st.folder, st.folder, st.folder);
	assert_false(stage_load(&st, "test", "require 'a.b'"));
	stage_expect_log(&st, expected);
	end();
}

/* Names that are none, each as Lua writes it. */
static const struct name_row {
	const char *name;
} name_rows[] = {
	{"''"},
	{"'..'"},
	{"'../lib/a'"},
	{"'/etc/a'"},
	{"'a..b'"},
	{"'.a'"},
	{"'a.'"},
	{"'a/b'"},
	{"'a\\0b'"},
	{"'a b'"},
	{"'a\\\\b'"},
	{"'\xc3\xa4'"},
	{"('a'):rep(201)"},
};

static void name_is_refused(void **state)
{
	const struct name_row *row = *state;
	char source[100];
	begin();
	write_file("lib/a.lua", "");
	snprintf(source, sizeof(source), "require(%s)", row->name);
	assert_false(stage_load(&st, "test", source));
	stage_expect_log(&st, "is no name of a module: it has letters, digits, _ and - only");
	end();
}

static void a_link_may_not_lead_out_of_the_folders(void **state)
{
	(void)state;
	char path[PATH_MAX], to[PATH_MAX];
	begin();
	write_file("elsewhere/out.lua", "return 'out'");
	write_file("more/lib/in.lua", "return 'in'");
	path_of(path, "lib/out.lua");
	assert_int_equal(symlink("../elsewhere/out.lua", path), 0);
	path_of(path, "lib/whole");
	path_of(to, "elsewhere");
	assert_int_equal(symlink(to, path), 0);
	path_of(path, "test/linked.lua");
	assert_int_equal(symlink("../more/lib/in.lua", path), 0);
	path_of(path, "test/round.lua");
	assert_int_equal(symlink("round.lua", path), 0);
	run("local ok, e = pcall(require, 'out')\n"
	    "assert(not ok and e:find('out.lua: leads out of the folders of modules'), e)\n"
	    "ok, e = pcall(require, 'whole.out')\n"
	    "assert(not ok and e:find('whole/out.lua: leads out of the folders of modules'), e)\n"
	    "ok, e = pcall(require, 'round')\n"
	    "assert(not ok and e:find('round.lua: Too many levels of symbolic links'), e)\n"
	    "assert(require 'linked' == 'in')");
	end();
}

static void what_is_no_program_is_refused(void **state)
{
	(void)state;
	char path[PATH_MAX];
	begin();
	path_of(path, "lib/folder.lua");
	assert_int_equal(mkdir(path, 0700), 0);
	path_of(path, "lib/pipe.lua");
	assert_int_equal(mkfifo(path, 0600), 0);
	write_file("lib/bad.lua", "return 1 +");
	write_file("lib/code.lua", "\033Lua");
	char *text = malloc((1 << 20) + 2);
	memset(text, ' ', (1 << 20) + 1);
	text[(1 << 20) + 1] = '\0';
	write_file("lib/long.lua", text);
	text[1 << 20] = '\0';
	write_file("lib/longest.lua", text);
	free(text);
	run("local function refused(name, why)\n"
	    "  local ok, e = pcall(require, name)\n"
	    "  assert(not ok and e:find('require: .*' .. why), e)\n"
	    "end\n"
	    "refused('folder', 'lib/folder.lua: is not a file$')\n"
	    "refused('pipe', 'lib/pipe.lua: is not a file$')\n"
	    "refused('bad', 'lib/bad.lua:1: unexpected symbol near <eof>$')\n"
	    "refused('code', 'lib/code.lua: is binary, and only text chunks are loaded$')\n"
	    "refused('long', 'lib/long.lua: is longer than 1 MB, too much for a program$')\n"
	    "assert(require 'longest' == true)");
	end();
}

/* Values. */

static void a_module_is_loaded_once(void **state)
{
	(void)state;
	begin();
	write_file("lib/a.lua", "n = (n or 0) + 1 return {name = (...), path = select(2, ...)}");
	write_file("lib/none.lua", "m = (m or 0) + 1");
	write_file("lib/no.lua", "k = (k or 0) + 1 return false");
	run("local a, path = require 'a'\n"
	    "assert(a.name == 'a' and a.path == path and path:find('/lib/a.lua$'))\n"
	    "local b, again = require 'a' assert(b == a and again == path and n == 1)\n"
	    "assert(require 'none' == true and require 'none' == true and m == 1)\n"
	    "assert(require 'no' == false and require 'no' == false and k == 1)");
	assert_true(stage_load(&st, "other", "assert(require 'a' and n == 1)")); /* its own */
	end();
}

static void a_module_that_raises_can_be_required_again(void **state)
{
	(void)state;
	begin();
	write_file("lib/a.lua", "tries = (tries or 0) + 1 if tries < 3 then error({tries}) end");
	run("local ok, e = pcall(require, 'a') assert(not ok and e[1] == 1)\n"
	    "ok, e = pcall(require, 'a') assert(not ok and e[1] == 2)\n"
	    "assert(require 'a' and require 'a' and tries == 3)");
	assert_true(list_is_empty(&script()->require.loading));
	end();
}

static void a_value_may_be_there_without_a_file(void **state)
{
	(void)state;
	begin();
	run("on('privmsg', function() log(require('made.up') .. select('#', require('made.up'))) end)");
	lua_pushliteral(script()->vm.L, "made");
	require_preload(script()->vm.L, "made.up");
	stage_line(&st, 0, ":a!b@c PRIVMSG #t :x");
	stage_expect_log(&st, "made1");
	end();
}

/* Modules that pause. */

static void a_module_may_pause_and_who_requires_it_meanwhile_waits(void **state)
{
	(void)state;
	begin();
	write_file("lib/slow.lua", "n = (n or 0) + 1 sleep(1) return 'value ' .. n");
	run("for i = 1, 3 do spawn(function() log(i .. ' got ' .. require('slow')) end) end");
	assert_null(strstr(buf_str(&st.log).p, "got"));
	stage_pass(&st, 1);
	stage_expect_log(&st, "info script test: 1 got value 1\ninfo script test: 2 got value 1\n"
			      "info script test: 3 got value 1\n");
	end();
}

static void who_waits_for_a_module_that_raises_tries_it_again(void **state)
{
	(void)state;
	begin();
	write_file(
		"lib/slow.lua", "n = (n or 0) + 1 sleep(1) if n < 3 then error('no ' .. n, 0) end");
	run("for i = 1, 3 do spawn(function()\n"
	    "  local ok, e = pcall(require, 'slow') log(i .. ' ' .. tostring(e))\n"
	    "end) end");
	stage_pass(&st, 1);
	stage_expect_log(&st, "1 no 1");
	stage_pass(&st, 1);
	stage_expect_log(&st, "2 no 2");
	stage_pass(&st, 1);
	stage_expect_log(&st, "3 true");
	end();
}

static void a_wait_for_a_module_can_be_cancelled(void **state)
{
	(void)state;
	begin();
	write_file("lib/slow.lua", "sleep(5) return 'there'");
	run("spawn(function() log('first ' .. require('slow')) end)\n"
	    "spawn(function()\n"
	    "  local ok, why = timeout(1, require, 'slow') log('second ' .. tostring(why))\n"
	    "end)");
	stage_pass(&st, 2);
	stage_expect_log(&st, "second timeout");
	stage_pass(&st, 4);
	stage_expect_log(&st, "first there");
	end();
}

static void a_module_whose_task_is_cancelled_is_loaded_by_the_next(void **state)
{
	(void)state;
	begin();
	write_file("lib/slow.lua", "n = (n or 0) + 1 sleep(5) return 'there ' .. n");
	run("local first = spawn(require, 'slow')\n"
	    "spawn(function() log('second ' .. require('slow')) end)\n"
	    "after(1, first.cancel, first)");
	stage_pass(&st, 5.5);
	assert_null(strstr(buf_str(&st.log).p, "second"));
	stage_pass(&st, 1);
	stage_expect_log(&st, "second there 2");
	end();
}

static void a_module_whose_task_was_dropped_is_loaded_by_the_next(void **state)
{
	(void)state;
	begin();
	write_file("lib/slow.lua", "n = (n or 0) + 1 if n == 1 then wait('x') end return n");
	run("first = spawn(require, 'slow')\n"
	    "on('privmsg', function() log('got ' .. require('slow')) end)");
	list_each_safe (node, &script()->tasks)
		task_drop(container_of(node, struct task, all));

	stage_line(&st, 0, ":a!b@c PRIVMSG #t :x");

	stage_expect_log(&st, "got 2");
	end();
}

static void a_script_may_end_while_modules_are_being_loaded(void **state)
{
	(void)state;
	begin();
	write_file("lib/a.lua", "require 'b'");
	write_file("lib/b.lua", "sleep(100)");
	run("spawn(require, 'a') spawn(require, 'a') spawn(require, 'b')");
	end();
}

/* Loops. */

static void a_loop_is_refused_with_all_its_names(void **state)
{
	(void)state;
	begin();
	write_file("lib/a.lua", "return require 'b'");
	write_file("lib/b.lua", "return require 'c'");
	write_file("lib/c.lua", "return require 'a'");
	write_file("lib/me.lua", "return require 'me'");
	run("local ok, e = pcall(require, 'a')\n"
	    "assert(not ok and e:find('require: loop: a -> b -> c -> a', 1, true), e)\n"
	    "ok, e = pcall(require, 'b')\n"
	    "assert(not ok and e:find('require: loop: b -> c -> a -> b', 1, true), e)\n"
	    "ok, e = pcall(require, 'me')\n"
	    "assert(not ok and e:find('require: loop: me -> me', 1, true), e)");
	end();
}

static void a_loop_of_tasks_that_wait_for_each_other_is_refused(void **state)
{
	(void)state;
	begin();
	write_file("lib/a.lua", "sleep(1) return require 'b'");
	write_file("lib/b.lua", "sleep(2) local ok, e = pcall(require, 'a') log(e) return 'b'");
	run("spawn(function() log('first ' .. require('a')) end)\n"
	    "spawn(function() log('second ' .. require('b')) end)");
	stage_pass(&st, 3);
	stage_expect_log(&st, "require: loop: a -> b -> a\n"
			      "info script test: second b\ninfo script test: first b\n");
	end();
}

static void where_nothing_can_pause_a_module_that_does_is_refused(void **state)
{
	(void)state;
	begin();
	write_file("lib/slow.lua", "sleep(1)");
	write_file("lib/slower.lua", "sleep(5)");
	write_file("lib/quick.lua", "return 'at once'");
	run("spawn(require, 'slower')\n"
	    "on('privmsg', function()\n"
	    "  log(select(2, pcall(require, 'slow')))\n"
	    "  log(select(2, pcall(require, 'slower')))\n"
	    "  log(require 'quick')\n"
	    "end, print)");
	buf_reset(&st.log);
	stage_line(&st, 0, ":a!b@c PRIVMSG #t :x");
	assert_non_null(strstr(buf_str(&st.log).p, "slow.lua:1: sleep: cannot pause here"));
	assert_non_null(strstr(buf_str(&st.log).p, "require: cannot pause here"));
	stage_expect_log(&st, "at once");
	end();
}

static void a_module_may_be_loaded_in_a_coroutine(void **state)
{
	(void)state;
	begin();
	write_file("lib/gives.lua", "sleep(1) coroutine.yield('half') sleep(1) return 'whole'");
	run("local co = coroutine.wrap(function() return require 'gives' end)\n"
	    "assert(co() == 'half')\n"
	    "local ok, e = pcall(require, 'gives')\n"
	    "assert(not ok and e:find('require: loop: gives -> gives', 1, true), e)\n"
	    "assert(co() == 'whole' and require 'gives' == 'whole')\n"
	    "log('done')");
	stage_pass(&st, 2);
	stage_expect_log(&st, "done");
	end();
}

static void a_module_whose_coroutine_is_forgotten_is_loaded_by_the_next(void **state)
{
	(void)state;
	begin();
	write_file(
		"lib/gives.lua", "n = (n or 0) + 1 if n == 1 then coroutine.yield() end return n");
	run("coroutine.wrap(function() return require 'gives' end)()\n"
	    "collectgarbage() collectgarbage() assert(require 'gives' == 2)");
	assert_true(list_is_empty(&script()->require.loading));
	end();
}

/* What is recorded. */

/* A script whose file stays. */
static void run_kept(const char *source)
{
	run(source);
	write_file("test.lua", source);
}

/* Whether it was looked for there, and is remembered as it is. */
static void assert_followed(const char *file)
{
	char path[PATH_MAX];
	path_of(path, file);
	const struct followed *f = map_get(&script()->require.followed, str_of(path));
	if (!f)
		fail_msg("%s: is not followed", file);
	assert_true(f->hash == chunk_hash_file(path));
}

static void the_files_that_a_script_looks_for_are_recorded(void **state)
{
	static const char *const files[] = {"test/a.lua", "test/b.lua", "test/b/init.lua",
		"lib/b.lua", "lib/bad.lua", "lib/nope.lua", "lib/nope/init.lua", "lib/link.lua"};
	(void)state;
	char path[PATH_MAX];
	begin();
	write_file("test/a.lua", "require 'b' require 'b'");
	write_file("lib/b.lua", "");
	write_file("lib/bad.lua", "return +");
	path_of(path, "lib/link.lua");
	assert_int_equal(symlink("b.lua", path), 0);
	run("require 'a' pcall(require, 'bad') pcall(require, 'nope') require 'link'");

	for (size_t i = 0; i < COUNTOF(files); i++)
		assert_followed(files[i]);
	path_of(path, "lib/a.lua"); /* it was found before */
	assert_null(map_get(&script()->require.followed, str_of(path)));
	end();
}

static void a_record_tells_what_was_read_last(void **state)
{
	(void)state;
	begin();
	write_file("lib/a.lua", "return +");
	run_kept("pcall(require, 'a') on('privmsg', function() require 'a' end)");
	const struct program *p = script()->program;
	assert_false(follow_has_changed(&p->files));
	write_file("lib/a.lua", "return 1");
	assert_true(follow_has_changed(&p->files));

	stage_line(&st, 0, ":a!b@c PRIVMSG #t :x");

	assert_followed("lib/a.lua");
	assert_false(follow_has_changed(&p->files));
	end();
}

static void an_attempt_that_fails_forgets_no_file(void **state)
{
	(void)state;
	begin();
	write_file("lib/a.lua", "return 1");
	run_kept("require 'a'");
	struct program *p = script()->program;
	write_file("test.lua", "syntax error");
	program_reload(p, NULL, NULL);
	stage_pass(&st, 0);
	assert_false(follow_has_changed(&p->files));
	write_file("lib/a.lua", "return 2");
	assert_true(follow_has_changed(&p->files));
	end();
}

static void a_module_of_later_is_followed_too(void **state)
{
	(void)state;
	begin();
	write_file("lib/late.lua", "return 1");
	run_kept("on('privmsg', function() require 'late' end)");
	write_file("lib/late.lua", "return 2");
	const struct program *p = script()->program;
	assert_false(follow_has_changed(&p->files));
	stage_line(&st, 0, ":a!b@c PRIVMSG #t :x");
	write_file("lib/late.lua", "return 3");
	assert_true(follow_has_changed(&p->files));
	end();
}

static void what_is_looked_for_in_vain_without_end_is_followed_to_a_limit(void **state)
{
	(void)state;
	begin();
	run("for i = 1, 2000 do pcall(require, 'nope' .. i) end");
	assert_int_equal(script()->program->files.n, REQUIRE_FOLLOWED_MAX);
	end();
}

int main(void)
{
	struct check c = {0};
	check_test(&c, modules_are_found_in_the_own_folder_and_then_in_libraries);
	check_test(&c, the_modules_of_a_folder_script_stand_beside_its_file);
	check_rows(&c, own_rows, own_folder);
	check_test(&c, what_was_searched_is_told_when_nothing_is_found);
	check_rows(&c, name_rows, name_is_refused);
	check_test(&c, a_link_may_not_lead_out_of_the_folders);
	check_test(&c, what_is_no_program_is_refused);
	check_test(&c, a_module_is_loaded_once);
	check_test(&c, a_module_that_raises_can_be_required_again);
	check_test(&c, a_value_may_be_there_without_a_file);
	check_test(&c, a_module_may_pause_and_who_requires_it_meanwhile_waits);
	check_test(&c, who_waits_for_a_module_that_raises_tries_it_again);
	check_test(&c, a_wait_for_a_module_can_be_cancelled);
	check_test(&c, a_module_whose_task_is_cancelled_is_loaded_by_the_next);
	check_test(&c, a_module_whose_task_was_dropped_is_loaded_by_the_next);
	check_test(&c, a_script_may_end_while_modules_are_being_loaded);
	check_test(&c, a_loop_is_refused_with_all_its_names);
	check_test(&c, a_loop_of_tasks_that_wait_for_each_other_is_refused);
	check_test(&c, where_nothing_can_pause_a_module_that_does_is_refused);
	check_test(&c, a_module_may_be_loaded_in_a_coroutine);
	check_test(&c, a_module_whose_coroutine_is_forgotten_is_loaded_by_the_next);
	check_test(&c, the_files_that_a_script_looks_for_are_recorded);
	check_test(&c, a_record_tells_what_was_read_last);
	check_test(&c, an_attempt_that_fails_forgets_no_file);
	check_test(&c, a_module_of_later_is_followed_too);
	check_test(&c, what_is_looked_for_in_vain_without_end_is_followed_to_a_limit);
	return check_run(&c, "require");
}
