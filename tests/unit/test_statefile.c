#include "daemon/statefile.h"

#include "support/check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Every test begins in an empty folder of its own process. */
enum { NOBODY = 65534 };

static struct err err;

static void remove_all(const char *folder)
{
	DIR *d = opendir(folder);
	const struct dirent *e;
	while (d && (e = readdir(d))) {
		char path[512];
		snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		if (e->d_name[0] != '.' && remove(path) < 0)
			remove_all(path);
	}
	if (d)
		closedir(d);
	if (strcmp(folder, ".") != 0)
		rmdir(folder);
}

static void empty(void **state)
{
	(void)state;
	remove_all(".");
}

static void put(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void assert_text(const char *path, const char *expected)
{
	struct buf text;
	buf_init(&text, STATEFILE_MAX_BYTES);
	if (statefile_read(path, &text, &err) < 0)
		fail_msg("%s", err.text);
	assert_slice(buf_str(&text), expected);
	buf_fini(&text);
}

static void assert_files(const char *const *names, size_t n)
{
	DIR *d = opendir(".");
	const struct dirent *e;
	size_t found = 0;
	assert_non_null(d);
	while ((e = readdir(d)))
		found += e->d_name[0] != '.';
	closedir(d);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(access(names[i], F_OK), 0);
	assert_int_equal(found, n);
}

/* There is the file, and nothing beside it. */
static void assert_alone(const char *name)
{
	assert_files(&name, 1);
}

static void write_text(const char *path, const char *text)
{
	if (statefile_write(path, str_of(text), &err) < 0)
		fail_msg("%s", err.text);
	assert_text(path, text);
}

static void what_is_written_is_read(void **state)
{
	empty(state);
	write_text("sts", "irc.example.net 6697 1000\n");
	write_text("sts", "another\n");
	write_text("./sts", "");
	assert_alone("sts");
}

static void a_text_may_hold_any_byte(void **state)
{
	struct buf text;
	struct str bytes = STR("a\0b\r\n\xff");
	empty(state);
	buf_init(&text, STATEFILE_MAX_BYTES);

	assert_int_equal(statefile_write("sts", bytes, &err), 0);
	assert_int_equal(statefile_read("sts", &text, &err), 0);

	assert_true(str_eq(buf_str(&text), bytes));
	buf_fini(&text);
}

static void a_file_that_is_not_there_is_empty(void **state)
{
	empty(state);
	assert_text("sts", "");
	assert_files(NULL, 0);
}

static void only_the_owner_can_read_it(void **state)
{
	struct stat st;
	mode_t before = umask(0);
	empty(state);
	put("sts", "old\n", 0666);
	put("sts.new", "half of an old o", 0666);

	write_text("sts", "secret\n");
	umask(before);

	assert_int_equal(stat("sts", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void the_rest_of_a_killed_process_is_no_hindrance(void **state)
{
	empty(state);
	put("sts", "old\n", 0600);
	put("sts.new", "half of something that was longer than what is wr", 0400);

	assert_text("sts", "old\n");
	write_text("sts", "new\n");

	assert_alone("sts");
}

/* Else what is at its other end would be written to. */
static void a_link_in_the_way_is_removed(void **state)
{
	static const char *const left[] = {"sts", "other"};
	empty(state);
	put("other", "stays\n", 0600);
	assert_int_equal(symlink("other", "sts.new"), 0);

	write_text("sts", "new\n");

	assert_text("other", "stays\n");
	assert_files(left, 2);
}

static void who_reads_keeps_the_old_text(void **state)
{
	char bytes[16];
	empty(state);
	write_text("sts", "old\n");
	int fd = open("sts", O_RDONLY | O_CLOEXEC);

	write_text("sts", "new and longer\n");

	assert_int_equal(read(fd, bytes, sizeof(bytes)), 4);
	assert_memory_equal(bytes, "old\n", 4);
	close(fd);
}

static void a_text_may_be_as_long_as_the_bound_and_no_longer(void **state)
{
	struct buf read;
	char *bytes = calloc(1, STATEFILE_MAX_BYTES + 1);
	empty(state);
	buf_init(&read, STATEFILE_MAX_BYTES);
	assert_non_null(bytes);
	memset(bytes, 'x', STATEFILE_MAX_BYTES + 1);

	assert_int_equal(statefile_write("sts", (struct str){bytes, STATEFILE_MAX_BYTES}, &err), 0);
	assert_int_equal(statefile_write("sts", (struct str){bytes, STATEFILE_MAX_BYTES + 1}, &err),
		ERR_LIMIT);
	assert_string_equal(err.text, "sts: is larger than 1048576 bytes");
	assert_int_equal(statefile_read("sts", &read, &err), 0);

	assert_int_equal(read.n, STATEFILE_MAX_BYTES);
	assert_alone("sts");
	buf_fini(&read);
	free(bytes);
}

/* A full disk takes a part and then refuses. */
static void a_text_that_does_not_fit_on_the_disk_leaves_the_old(void **state)
{
	struct rlimit before, little;
	empty(state);
	write_text("sts", "old\n");
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	little = before;
	little.rlim_cur = 10;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);

	int r = statefile_write("sts", STR("a text of more than ten bytes\n"), &err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);

	assert_int_equal(r, ERR_SYSTEM);
	assert_string_equal(err.text, "sts: File too large");
	assert_text("sts", "old\n");
	assert_alone("sts");
	write_text("sts", "a text of more than ten bytes\n");
}

/* Root may write anywhere: it becomes nobody meanwhile. */
static void a_folder_that_is_read_only_keeps_its_file(void **state)
{
	bool is_root = geteuid() == 0;
	empty(state);
	assert_int_equal(mkdir("locked", 0755), 0);
	put("locked/sts", "old\n", 0644);
	assert_int_equal(chmod("locked", 0555), 0);
	assert_int_equal(chmod(".", 0755), 0);
	if (is_root)
		assert_int_equal(seteuid(NOBODY), 0);

	int r = statefile_write("locked/sts", STR("new\n"), &err);
	if (is_root)
		assert_int_equal(seteuid(0), 0);

	assert_int_equal(r, ERR_SYSTEM);
	assert_string_equal(err.text, "locked/sts: Permission denied");
	assert_text("locked/sts", "old\n");
	assert_int_equal(chmod("locked", 0755), 0);
}

/* Each row arranges what is in the way. */
typedef void arrange(void);

static void arrange_nothing(void)
{
}

static void make_folder(void)
{
	assert_int_equal(mkdir("sts", 0700), 0);
}

static void make_folder_in_the_way(void)
{
	assert_int_equal(mkdir("sts.new", 0700), 0);
	put("sts.new/full", "", 0600);
}

static void make_file(void)
{
	put("sts", "old\n", 0600);
}

static void make_pipe(void)
{
	assert_int_equal(mkfifo("sts", 0600), 0);
}

static void make_large(void)
{
	put("sts", "", 0600);
	assert_int_equal(truncate("sts", STATEFILE_MAX_BYTES + 1), 0);
}

static const struct refusal {
	const char *name;
	arrange *arrange;
	const char *path;
	bool writes;
	int code;
	const char *text;
} refusals[] = {
	{"a file in a missing folder is not written", arrange_nothing,        "nope/sts", true,  ERR_SYSTEM,
         "nope/sts: No such file or directory"										    },
	{"a file below a file is not written",        make_file,              "sts/sts",  true,  ERR_SYSTEM,
         "sts/sts: Not a directory"											       },
	{"a folder is not replaced",                  make_folder,            "sts",      true,  ERR_SYSTEM, "sts: Is a directory"},
	{"a folder in the way stays",                 make_folder_in_the_way, "sts",      true,  ERR_SYSTEM,
         "sts: Is a directory"												    },
	{"a file below a file is not read",           make_file,              "sts/sts",  false, ERR_SYSTEM,
         "sts/sts: Not a directory"											       },
	{"a folder is not read",                      make_folder,            "sts",      false, ERR_SYSTEM, "sts: is not a file" },
	{"a pipe is not waited for",                  make_pipe,              "sts",      false, ERR_SYSTEM, "sts: is not a file" },
	{"a file over the bound is not read",         make_large,             "sts",      false, ERR_LIMIT,
         "sts: is larger than 1048576 bytes"										      },
};

static void it_is_refused(void **state)
{
	const struct refusal *row = *state;
	struct buf text;
	empty(state);
	row->arrange();
	buf_init(&text, STATEFILE_MAX_BYTES);

	int r = row->writes ? statefile_write(row->path, STR("new\n"), &err)
			    : statefile_read(row->path, &text, &err);

	assert_int_equal(r, row->code);
	assert_string_equal(err.text, row->text);
	assert_int_equal(text.n, 0);
	buf_fini(&text);
}

static const struct place {
	const char *name, *configured, *environment, *folder;
} places[] = {
	{"neither configured nor in the environment", NULL,   NULL,                          NULL          },
	{"an empty environment",                      NULL,   "",                            NULL          },
	{"by the environment",                        NULL,   "/var/lib/ebb",                "/var/lib/ebb"},
	{"the first of the environment",              NULL,   "/var/lib/ebb:/var/lib/other", "/var/lib/ebb"},
	{"configured",				"here", "/var/lib/ebb",                "here"        },
};

static void the_folder_is_found(void **state)
{
	const struct place *row = *state;
	if (row->environment)
		setenv("STATE_DIRECTORY", row->environment, 1);
	else
		unsetenv("STATE_DIRECTORY");
	char *folder = statefile_folder(row->configured);
	assert_int_equal(folder != NULL, row->folder != NULL);
	if (folder)
		assert_string_equal(folder, row->folder);
	free(folder);
}

int main(void)
{
	char folder[] = "/tmp/ebb-test-statefile-XXXXXX";
	struct check c = {0};
	if (!mkdtemp(folder) || chdir(folder) < 0)
		abort();
	check_test(&c, what_is_written_is_read);
	check_test(&c, a_text_may_hold_any_byte);
	check_test(&c, a_file_that_is_not_there_is_empty);
	check_test(&c, only_the_owner_can_read_it);
	check_test(&c, the_rest_of_a_killed_process_is_no_hindrance);
	check_test(&c, a_link_in_the_way_is_removed);
	check_test(&c, who_reads_keeps_the_old_text);
	check_test(&c, a_text_may_be_as_long_as_the_bound_and_no_longer);
	check_test(&c, a_text_that_does_not_fit_on_the_disk_leaves_the_old);
	check_test(&c, a_folder_that_is_read_only_keeps_its_file);
	check_rows(&c, refusals, it_is_refused);
	check_rows(&c, places, the_folder_is_found);
	int status = check_run(&c, "statefile");
	remove_all(".");
	if (chdir("/") < 0 || rmdir(folder) < 0)
		abort();
	return status;
}
