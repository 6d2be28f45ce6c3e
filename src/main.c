#include "base/err.h"
#include "base/log.h"
#include "daemon/config.h"
#include "daemon/console.h"
#include "daemon/daemon.h"
#include "daemon/selftest.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, ERRORS_MAX_BYTES = 256 * 1024 };

enum command { COMMAND_RUN, COMMAND_CHECK, COMMAND_CONSOLE, COMMAND_TEST };

static const char usage[] =
	"usage: ebbd [-c|--config FILE] [-v]    run (default FILE: /etc/ebb/ebb.ini)\n"
	"       ebbd --check [-c FILE]          read the configuration, load every script,\n"
	"                                       connect nowhere\n"
	"       ebbd --console [SCRIPT...]      no network: the terminal is a channel with the bot\n"
	"                                       in it\n"
	"       ebbd --test [--seed N] [--shuffle] [--filter PATTERN] [-v] [PATH...]\n"
	"                                       run Lua tests of scripts in virtual time; TAP on\n"
	"                                       stdout\n"
	"       ebbd --version | --help\n";

/* Each error on a line of its own, whatever the log level. */
static void print_errors(const struct buf *errors)
{
	fputs(buf_str(errors).p, stderr);
}

static int check(struct config *config, const char *path)
{
	size_t n_networks = config->n_networks, n_scripts = config->n_scripts;
	int failed = daemon_check(config);
	if (failed < 0)
		return EX_CONFIG;
	if (failed)
		fprintf(stderr, "ebbd: %s: %d of the scripts cannot be loaded\n", path, failed);
	else
		printf("%s: ok: %zu networks, %zu scripts\n", path, n_networks, n_scripts);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int run(struct config *config, const char *path, bool is_verbose)
{
	if (geteuid() == 0)
		log_warn("ebbd: running as root: use the systemd unit, or a user of its own");
	int r = daemon_run(config, path, is_verbose);
	if (r == ERR_CONFIG)
		return EX_CONFIG;
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int with_config(enum command command, const char *path, bool is_verbose)
{
	struct config *config;
	struct buf errors;
	buf_init(&errors, ERRORS_MAX_BYTES);
	int r = config_load(path, &config, &errors);
	if (r < 0)
		print_errors(&errors);
	buf_fini(&errors);
	if (r < 0)
		return EX_CONFIG;
	enum log_level level = (enum log_level)config->daemon.log_level;
	log_set_level(is_verbose && level < LOG_DEBUG ? LOG_DEBUG : level);
	return command == COMMAND_CHECK ? check(config, path) : run(config, path, is_verbose);
}

static bool read_seed(const char *text, struct selftest_options *options)
{
	int64_t seed;
	options->has_seed = str_int(str_of(text), 0, INT64_MAX, &seed);
	options->seed = options->has_seed ? (uint64_t)seed : 0;
	if (!options->has_seed)
		fprintf(stderr, "ebbd: --seed: '%s' is no whole number\n%s", text, usage);
	return options->has_seed;
}

/* What the command line asks for. */
struct request {
	enum command command;
	const char *path;
	bool is_verbose;
	struct selftest_options tests;
	const char *only_test; /* an option that only --test has; NULL: none was given */
};

/* False: it was answered, or is wrong, and *status is the exit status. */
static bool take_option(struct request *r, int c, int *status)
{
	*status = EXIT_SUCCESS;
	switch (c) {
	case 'c':
		r->path = optarg;
		return true;
	case 'v':
		r->is_verbose = true;
		return true;
	case 'C':
		r->command = COMMAND_CHECK;
		return true;
	case 'I':
		r->command = COMMAND_CONSOLE;
		return true;
	case 'T':
		r->command = COMMAND_TEST;
		return true;
	case 's':
		r->only_test = "--seed";
		*status = EXIT_USAGE;
		return read_seed(optarg, &r->tests);
	case 'S':
		r->only_test = "--shuffle";
		r->tests.shuffles = true;
		return true;
	case 'f':
		r->only_test = "--filter";
		r->tests.filter = optarg;
		return true;
	case 'V':
		puts("ebbd " EBB_VERSION);
		return false;
	case 'h':
		fputs(usage, stdout);
		return false;
	default:
		fputs(usage, stderr);
		*status = EXIT_USAGE;
		return false;
	}
}

static bool takes_arguments(enum command command)
{
	return command == COMMAND_CONSOLE || command == COMMAND_TEST;
}

static int obey(struct request *r, char *const *arguments, int n)
{
	switch (r->command) {
	case COMMAND_CONSOLE:
		return console_run(arguments, n) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	case COMMAND_TEST:
		r->tests.paths = arguments;
		r->tests.n_paths = n;
		r->tests.is_verbose = r->is_verbose;
		return selftest_run(&r->tests) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	case COMMAND_RUN:
	case COMMAND_CHECK:
		break;
	}
	return with_config(r->command, r->path, r->is_verbose);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"config",  required_argument, NULL, 'c'},
		{"check",   no_argument,       NULL, 'C'},
		{"console", no_argument,       NULL, 'I'},
		{"test",    no_argument,       NULL, 'T'},
		{"seed",    required_argument, NULL, 's'},
		{"shuffle", no_argument,       NULL, 'S'},
		{"filter",  required_argument, NULL, 'f'},
		{"version", no_argument,       NULL, 'V'},
		{"help",    no_argument,       NULL, 'h'},
		{NULL,      0,                 NULL, 0  },
	};
	struct request r = {.command = COMMAND_RUN, .path = "/etc/ebb/ebb.ini"};
	int c, status;
	while ((c = getopt_long(argc, argv, "c:vh", options, NULL)) != -1)
		if (!take_option(&r, c, &status))
			return status;
	if (r.only_test && r.command != COMMAND_TEST) {
		fprintf(stderr, "ebbd: %s: is for --test only\n%s", r.only_test, usage);
		return EXIT_USAGE;
	}
	if (optind < argc && !takes_arguments(r.command)) {
		fprintf(stderr, "ebbd: %s: unexpected argument\n%s", argv[optind], usage);
		return EXIT_USAGE;
	}
	prctl(PR_SET_DUMPABLE, 0); /* no core dump, no ptrace: secrets are in memory */
	log_init();
	return obey(&r, argv + optind, argc - optind);
}
