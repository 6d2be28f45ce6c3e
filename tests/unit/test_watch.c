#include "base/log.h"
#include "base/mem.h"
#include "net/watch.h"
#include "support/peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* Files are real and time is not: inotify has an event before the call that made it returns, so
 * the loop's next turn reads it. */

static struct loop loop;
static struct watch w;
static char base[64]; /* the current directory */
static size_t fds;
static int calls;
static int64_t call_ns;
static int warnings;
static char warning[512];

static int64_t now_ns;

static int64_t fake_mono(void *data)
{
	(void)data;
	return now_ns;
}

static const struct clock fake_clock = {fake_mono, fake_mono, NULL, NULL, NULL};

static const char *const followed[] = {
	"quiz/bot",
	"quiz/util",
	"quiz/link",
	"quiz/dangling",
	"quiz/absent",
	"current/bot",
	"later/mod",
	"far/off/mod",
	"quiz/bot/mod",
};

static const char make_files[] =
	"mkdir quiz lib v1 v2 && ln -s v1 current &&"
	"for f in quiz/bot quiz/util lib/one lib/two v1/bot v2/bot; do echo 1 > $f; done &&"
	"ln -s ../lib/one quiz/link && ln -s ../lib/none quiz/dangling";

static void count(void *data)
{
	assert_ptr_equal(data, &calls);
	calls++;
	call_ns = loop.timers.now_ns;
}

static void on_log(enum log_level level, struct str text, void *data)
{
	(void)data;
	if (level > LOG_WARNING)
		return;
	warnings++;
	snprintf(warning, sizeof(warning), "%" STR_F, STR_A(text));
}

static void shell(const char *commands)
{
	char text[512];
	snprintf(text, sizeof(text), "save() { echo 2 > $1; }; BASE=%s; %s", base, commands);
	if (system(text) != 0)
		fail_msg("%s", commands);
}

static void make_folder(void)
{
	snprintf(base, sizeof(base), "/tmp/ebb-watch.XXXXXX");
	assert_non_null(mkdtemp(base));
	assert_int_equal(chdir(base), 0);
	shell(make_files);
}

static void set(const char *const *names, size_t n)
{
	char **paths = mem_resize(NULL, n, sizeof(*paths));
	for (size_t i = 0; i < n; i++)
		assert_true(asprintf(&paths[i], "%s/%s", base, names[i]) > 0);
	watch_set(&w, (const char *const *)paths, n);
	for (size_t i = 0; i < n; i++)
		free(paths[i]);
	free(paths);
}

static void start_on(const struct clock *clock)
{
	make_folder();
	calls = warnings = 0;
	now_ns = 1000 * NS_PER_S;
	log_set_sink(on_log, NULL);
	fds = count_fds();
	struct ev_loop *ev = ev_loop_new(EVFLAG_AUTO);
	assert_non_null(ev);
	loop_init(&loop, ev, clock);
	watch_init(&w, &loop, count, &calls);
}

static void start(void)
{
	start_on(&fake_clock);
	set(followed, COUNTOF(followed));
}

static void finish(void)
{
	watch_fini(&w);
	watch_fini(&w);
	test_loop_fini(&loop);
	assert_int_equal(count_fds(), fds);
	log_set_sink(NULL, NULL);
	assert_int_equal(chdir("/"), 0);
	shell("rm -r $BASE");
}

/* What happened so far is read at the present time. */
static void pass(int64_t ns)
{
	run_idle(&loop);
	now_ns += ns;
	run_idle(&loop);
}

/* What the kernel knows of our folders. */
static void read_places(struct buf *b)
{
	char path[64], line[512];
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", w.inotify.io.fd);
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	buf_init(b, 1 << 20);
	while (fgets(line, sizeof(line), f))
		if (str_starts(str_of(line), STR("inotify ")))
			assert_int_equal(buf_add(b, str_of(line)), 0);
	fclose(f);
}

static int count_places(void)
{
	struct buf b;
	int n = 0;
	read_places(&b);
	struct str rest = buf_str(&b);
	while (str_cut(&rest, '\n').p && rest.p)
		n++;
	buf_fini(&b);
	return n;
}

static const struct save {
	const char *name;
	const char *story; /* steps, 100 ms apart; "= 1": then it is quiet, and that is a call */
} saves[] = {
	{"written in place",              "save quiz/bot = 1, save quiz/bot = 1"                                },
	{"a temporary file renamed over", "save quiz/t, mv quiz/t quiz/bot = 1, save quiz/bot = 1"              },
	{"a file of another folder",      "mv lib/two quiz/bot = 1"                                             },
	{"renamed away, written anew",    "mv quiz/bot quiz/b~, save quiz/bot, rm quiz/b~ = 1"                  },
	{"edited by sed -i",              "sed -i s/1/2/ quiz/bot = 1, save quiz/bot = 1"                       },
	{"appended to",                   "echo 2 >> quiz/bot = 1"                                              },
	{"several files",                 "save quiz/bot, save quiz/util, save v1/bot = 1"                      },
	{"ten times in a row",            "for i in 0 1 2 3 4 5 6 7 8 9; do save quiz/bot; done = 1"            },
	{"deleted",		       "rm quiz/bot = 1, save quiz/bot = 1"                                  },
	{"renamed away",                  "mv quiz/bot quiz/old = 1, save quiz/old = 0"                         },
	{"appears",		       "save quiz/absent = 1, save quiz/absent = 1"                          },
	{"a hard link in its place",      "rm quiz/bot, ln lib/two quiz/bot = 1"                                },
	{"a hard link appears",           "ln lib/two quiz/absent = 1"                                          },

	{"link: saved through it",        "save quiz/link = 1, save quiz/link = 1"                              },
	{"link: target written",          "save lib/one = 1, save lib/two = 0"                                  },
	{"link: target renamed over",     "save lib/t, mv lib/t lib/one = 1, save lib/one = 1"                  },
	{"link: another target",
         "ln -sf ../lib/two quiz/link = 1, save lib/two = 1, save lib/one = 0"                                  },
	{"link: another folder",
         "ln -sf ../v2/bot quiz/link = 1, save v2/bot = 1, save lib/one = 0"                                    },
	{"link: becomes a file",          "rm quiz/link, save quiz/link = 1, save lib/one = 0"                  },
	{"link: made of a file",          "ln -sf ../lib/two quiz/util = 1, save lib/two = 1"                   },
	{"link: target appears",          "save lib/none = 1, save lib/none = 1"                                },
	{"link: target's folder swapped", "mv lib old, mv v2 lib = 1, save lib/one = 1"                         },
	{"folder link: another target",   "ln -sfn v2 current = 1, save v2/bot = 1, save v1/bot = 0"            },
	{"folder link: by rename",        "ln -s v2 t, mv -T t current = 1, save v2/bot = 1"                    },

	{"folder: made anew",             "rm -r quiz, mkdir quiz, save quiz/bot = 1, save quiz/bot = 1"        },
	{"folder: the same at once",
         "rm -r quiz && mkdir quiz && save quiz/bot = 1, save quiz/bot = 1"                                     },
	{"folder: swapped",               "cp -r quiz t, rm -r quiz && mv t quiz = 1, save quiz/bot = 1"        },
	{"folder: swapped and kept",
         "cp -r quiz t, mv quiz old && mv t quiz = 1, save quiz/bot = 1"                                        },
	{"folder: the one that was kept", "mv quiz old, cp -r old quiz = 1, save old/bot = 0"                   },
	{"folder: away for long",
         "mv quiz old = 1, save old/bot = 0, mv old quiz = 1, save quiz/bot = 1"                                },
	{"folder: the parent is away",
         "mv $BASE $BASE.old = 1, mv $BASE.old $BASE = 1, save quiz/bot = 1"                                    },
	{"folder: appears",               "mkdir later, save later/mod = 1, save later/mod = 1"                 },
	{"folder: appears filled",        "mkdir t, save t/mod, mv t later = 1, save later/mod = 1"             },
	{"folders: appear",               "mkdir far, mkdir far/off, save far/off/mod = 1, save far/off/mod = 1"},
	{"folders: the same at once",
         "mkdir -p far/off && save far/off/mod = 1, save far/off/mod = 1"                                       },

	{"nothing: another file",         "save quiz/notes, rm quiz/notes, save quiz/notes = 0"                 },
	{"nothing: a swap file",
         "save quiz/.bot.swp, save quiz/4913, rm quiz/4913 quiz/.bot.swp = 0"                                   },
	{"nothing: a longer name",        "save quiz/bot2 = 0, save quiz/bo = 0"                                },
	{"nothing: the name elsewhere",   "save v2/bot = 0, save bot = 0"                                       },
	{"nothing: a folder beside it",   "mkdir quiz.new, save quiz.new/bot = 0"                               },
	{"nothing: chmod",                "chmod 600 quiz/bot, chmod 700 quiz = 0"                              },
	{"nothing: read",                 "cat quiz/bot > v2/t = 0"                                             },
};

static void check_calls(struct str step, struct str expected)
{
	int64_t n;
	pass(WATCH_MOST_NS);
	assert_true(str_int(str_trim(expected), 0, 9, &n));
	if (calls != n)
		fail_msg("%" STR_F ": %d calls", STR_A(step), calls);
	calls = 0;
}

static void a_way_to_save_leads_to_its_calls(void **state)
{
	const struct save *row = *state;
	start();

	for (struct str rest = str_of(row->story); rest.p;) {
		struct str expected = str_cut(&rest, ',');
		struct str step = str_cut(&expected, '=');
		char *command = str_dup(str_trim(step));
		shell(command);
		free(command);
		pass(100 * NS_PER_MS);
		if (expected.p)
			check_calls(step, expected);
	}

	assert_int_equal(warnings, 0);
	finish();
}

static void a_call_comes_when_it_was_quiet_for_the_whole_time(void **state)
{
	(void)state;
	start();

	shell("save quiz/bot");
	pass(WATCH_QUIET_NS - 1);
	shell("save quiz/util");
	pass(WATCH_QUIET_NS - 1);
	assert_int_equal(calls, 0);
	pass(1);

	assert_int_equal(calls, 1);
	finish();
}

static void what_does_not_count_does_not_prolong_the_time(void **state)
{
	(void)state;
	start();

	shell("save quiz/bot");
	pass(WATCH_QUIET_NS - 1);
	shell("save quiz/notes");
	pass(1);

	assert_int_equal(calls, 1);
	finish();
}

static void what_its_user_notes_is_told_like_a_change(void **state)
{
	(void)state;
	start();

	watch_note(&w);
	pass(WATCH_QUIET_NS - 1);
	shell("save quiz/bot");
	pass(WATCH_QUIET_NS - 1);
	assert_int_equal(calls, 0);
	pass(1);

	assert_int_equal(calls, 1);
	finish();
}

static void changes_without_end_are_told_meanwhile(void **state)
{
	(void)state;
	const int64_t step_ns = 100 * NS_PER_MS, begin_ns = 1000 * NS_PER_S;
	start();

	for (int i = 0; i < 2 * WATCH_MOST_NS / step_ns; i++) {
		shell("save quiz/bot");
		pass(step_ns);
		assert_int_equal(calls, (now_ns - begin_ns) / WATCH_MOST_NS);
	}

	pass(WATCH_MOST_NS);
	assert_int_equal(calls, 2);
	finish();
}

static void a_call_comes_by_the_real_clock(void **state)
{
	(void)state;
	start_on(&clock_system);
	set(followed, COUNTOF(followed));

	shell("save quiz/bot");
	int64_t begin_ns = loop.timers.now_ns;
	run_until(&loop, calls == 1);

	assert_true(call_ns - begin_ns >= WATCH_QUIET_NS);
	finish();
}

static void a_path_that_is_dropped_leads_to_nothing(void **state)
{
	(void)state;
	const char *const other[] = {"v2/bot"};
	start_on(&fake_clock);
	set(other, 1);
	int places = count_places();
	set(followed, COUNTOF(followed));
	assert_true(count_places() > places);

	set(other, 1);
	shell("save quiz/bot && save lib/one && rm -r quiz && mkdir later");
	pass(WATCH_MOST_NS);

	assert_int_equal(calls, 0);
	assert_int_equal(count_places(), places);
	shell("save v2/bot");
	pass(WATCH_MOST_NS);
	assert_int_equal(calls, 1);
	finish();
}

static void without_paths_nothing_is_followed(void **state)
{
	(void)state;
	start();

	set(NULL, 0);
	shell("rm -r quiz");
	pass(WATCH_MOST_NS);

	assert_int_equal(calls, 0);
	assert_int_equal(count_places(), 0);
	finish();
}

static void the_same_paths_again_change_nothing_in_inotify(void **state)
{
	(void)state;
	struct buf before, after;
	start();
	read_places(&before);

	set(followed, COUNTOF(followed));
	set(followed, COUNTOF(followed));

	read_places(&after);
	assert_slice(buf_str(&after), buf_str(&before).p);
	pass(WATCH_MOST_NS);
	assert_int_equal(calls, 0);
	buf_fini(&before);
	buf_fini(&after);
	finish();
}

static void swapped_folders_leave_nothing_in_inotify(void **state)
{
	(void)state;
	start();
	int places = count_places();

	for (int i = 0; i < 5; i++) {
		shell("cp -r quiz q && mv quiz $(mktemp -u old.XXXXXX) && mv q quiz");
		pass(WATCH_MOST_NS);
	}

	assert_int_equal(calls, 5);
	assert_int_equal(count_places(), places);
	finish();
}

static void a_folder_in_anothers_place_is_followed_at_once(void **state)
{
	(void)state;
	start();

	shell("cp -r quiz t && rm -r quiz && mv t quiz");
	pass(WATCH_QUIET_NS - 1);
	shell("save quiz/bot");
	pass(WATCH_QUIET_NS - 1);
	assert_int_equal(calls, 0);
	pass(1);

	assert_int_equal(calls, 1);
	finish();
}

static void a_parent_may_move_and_come_back(void **state)
{
	(void)state;
	const char *const path[] = {"quiz/bot"};
	start_on(&fake_clock);
	set(path, 1);

	shell("mv $BASE $BASE.old");
	pass(WATCH_MOST_NS);
	assert_int_equal(calls, 1);
	shell("mv $BASE.old $BASE");
	pass(WATCH_MOST_NS);
	assert_int_equal(calls, 2);
	shell("save quiz/bot");
	pass(WATCH_MOST_NS);

	assert_int_equal(calls, 3);
	finish();
}

static void what_changed_place_further_up_is_found_with_the_next_call(void **state)
{
	(void)state;
	const char *const paths[] = {"a/b/c/bot", "quiz/bot"};
	start_on(&fake_clock);
	shell("mkdir -p a/b/c && save a/b/c/bot && cp -r a t");
	set(paths, 2);

	shell("mv a old && mv t a");
	pass(WATCH_MOST_NS);
	assert_int_equal(calls, 0);
	shell("save quiz/bot");
	pass(WATCH_MOST_NS);
	assert_int_equal(calls, 1);
	shell("save a/b/c/bot");
	pass(WATCH_MOST_NS);

	assert_int_equal(calls, 2);
	finish();
}

static void a_file_is_no_folder(void **state)
{
	(void)state;
	const char *const path[] = {"lib/two/mod"};
	start_on(&fake_clock);

	set(path, 1);

	assert_int_equal(count_places(), 1); /* lib */
	finish();
}

static void a_path_may_be_relative(void **state)
{
	(void)state;
	const char *const paths[] = {"quiz/bot", "plain", "../nowhere/x", "", "/", "//"};
	start_on(&fake_clock);
	watch_set(&w, paths, COUNTOF(paths));

	shell("save quiz/bot");
	pass(WATCH_MOST_NS);
	assert_int_equal(calls, 1);
	shell("save plain");
	pass(WATCH_MOST_NS);
	assert_int_equal(calls, 2);
	shell("mv quiz q && mkdir quiz");
	pass(WATCH_MOST_NS);
	assert_int_equal(calls, 3);
	shell("save quiz/bot");
	pass(WATCH_MOST_NS);
	assert_int_equal(calls, 4);
	finish();
}

static void slashes_do_not_matter(void **state)
{
	(void)state;
	const char *const paths[] = {"quiz//bot", "later///mod"};
	start_on(&fake_clock);
	set(paths, COUNTOF(paths));

	shell("mkdir later && save later/mod");
	pass(WATCH_MOST_NS);
	assert_int_equal(calls, 1);
	shell("rm -r quiz");
	pass(WATCH_MOST_NS);

	assert_int_equal(calls, 2);
	finish();
}

static void nothing_is_called_from_within_a_call(void **state)
{
	(void)state;
	start();

	shell("save quiz/bot");
	set(followed, COUNTOF(followed));
	assert_int_equal(calls, 0);
	pass(0);
	now_ns += WATCH_MOST_NS;
	set(followed, COUNTOF(followed));
	assert_int_equal(calls, 0);
	pass(0);

	assert_int_equal(calls, 1);
	finish();
}

static void what_is_due_is_forgotten_with_the_watch(void **state)
{
	(void)state;
	start();

	shell("save quiz/bot");
	pass(0);
	watch_fini(&w);
	pass(WATCH_MOST_NS);

	assert_int_equal(calls, 0);
	finish();
}

static void end(void *data)
{
	(void)data;
	calls++;
	watch_fini(&w);
}

static void narrow(void *data)
{
	const char *const other[] = {"v2/bot"};
	(void)data;
	calls++;
	set(other, 1);
}

static void a_watch_may_be_changed_and_ended_when_it_calls(void **state)
{
	(void)state;
	start();
	size_t open_fds = count_fds();
	w.changed = narrow;
	shell("save quiz/bot");
	pass(WATCH_MOST_NS);
	assert_int_equal(calls, 1);

	w.changed = end;
	shell("save quiz/bot");
	pass(WATCH_MOST_NS);
	assert_int_equal(calls, 1);
	shell("save v2/bot");
	pass(WATCH_MOST_NS);

	assert_int_equal(calls, 2);
	assert_int_equal(count_fds(), open_fds - 1);
	finish();
}

static void fini_accepts_zeroed_memory(void **state)
{
	(void)state;
	struct watch zeroed = {0};
	watch_fini(&zeroed);
}

static void an_end_of_descriptors_is_logged_once_and_not_for_good(void **state)
{
	(void)state;
	const char *const path[] = {"quiz/bot"};
	struct rlimit few, limit;
	start_on(&fake_clock);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	few = limit;
	few.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);

	set(path, 1);
	set(path, 1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);

	assert_int_equal(warnings, 2); /* the folder and its parent */
	char expected[sizeof(base) + 100];
	snprintf(expected, sizeof(expected),
		"watch: %s/quiz: too many open files: changes there are not seen", base);
	assert_string_equal(warning, expected);
	set(path, 1);
	shell("save quiz/bot");
	pass(WATCH_MOST_NS);
	assert_int_equal(calls, 1);
	finish();
}

static void there_is_a_maximum_of_folders(void **state)
{
	(void)state;
	static char names[WATCH_FOLDERS_MAX + 1][16];
	const char *paths[COUNTOF(names)];
	for (size_t i = 0; i < COUNTOF(names); i++) {
		snprintf(names[i], sizeof(names[i]), "d%zu/mod", i);
		paths[i] = names[i];
	}
	start_on(&fake_clock);

	set(paths, COUNTOF(paths));
	set(paths, COUNTOF(paths));

	assert_int_equal(map_count(&w.folders), WATCH_FOLDERS_MAX);
	assert_int_equal(warnings, 1);
	shell("mkdir d0 && save d0/mod");
	pass(WATCH_MOST_NS);
	assert_int_equal(calls, 1);
	finish();
}

static int queue_max(void)
{
	int n = 0;
	FILE *f = fopen("/proc/sys/fs/inotify/max_queued_events", "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &n), 1);
	fclose(f);
	return n;
}

static void after_too_many_events_everything_is_looked_up_anew(void **state)
{
	(void)state;
	start();

	for (int n = queue_max(); n > 0; n -= 2) {
		fclose(fopen("quiz/notes", "w"));
		assert_int_equal(unlink("quiz/notes"), 0);
	}
	shell("cp -r quiz q && mv quiz old && mv q quiz");
	run_until(&loop, timer_is_set(&w.timer));
	pass(WATCH_MOST_NS);
	assert_int_equal(calls, 1);
	shell("save quiz/bot");
	pass(WATCH_MOST_NS);

	assert_int_equal(calls, 2);
	finish();
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, saves, a_way_to_save_leads_to_its_calls);
	check_test(&c, a_call_comes_when_it_was_quiet_for_the_whole_time);
	check_test(&c, what_does_not_count_does_not_prolong_the_time);
	check_test(&c, what_its_user_notes_is_told_like_a_change);
	check_test(&c, changes_without_end_are_told_meanwhile);
	check_test(&c, a_call_comes_by_the_real_clock);
	check_test(&c, a_path_that_is_dropped_leads_to_nothing);
	check_test(&c, without_paths_nothing_is_followed);
	check_test(&c, the_same_paths_again_change_nothing_in_inotify);
	check_test(&c, swapped_folders_leave_nothing_in_inotify);
	check_test(&c, a_folder_in_anothers_place_is_followed_at_once);
	check_test(&c, a_parent_may_move_and_come_back);
	check_test(&c, what_changed_place_further_up_is_found_with_the_next_call);
	check_test(&c, a_file_is_no_folder);
	check_test(&c, a_path_may_be_relative);
	check_test(&c, slashes_do_not_matter);
	check_test(&c, nothing_is_called_from_within_a_call);
	check_test(&c, what_is_due_is_forgotten_with_the_watch);
	check_test(&c, a_watch_may_be_changed_and_ended_when_it_calls);
	check_test(&c, fini_accepts_zeroed_memory);
	check_test(&c, an_end_of_descriptors_is_logged_once_and_not_for_good);
	check_test(&c, there_is_a_maximum_of_folders);
	check_test(&c, after_too_many_events_everything_is_looked_up_anew);
	return check_run(&c, "watch");
}
