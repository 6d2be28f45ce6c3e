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

static int check(const struct config *config, const char *path)
{
	int failed = daemon_check(config);
	if (failed < 0)
		return EX_CONFIG;
	if (failed)
		fprintf(stderr, "ebbd: %s: %d of the scripts cannot be loaded\n", path, failed);
	else
		printf("%s: ok: %zu networks, %zu scripts\n", path, config->n_networks,
			config->n_scripts);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int run(const struct config *config)
{
	if (geteuid() == 0)
		log_warn("ebbd: running as root: use the systemd unit, or a user of its own");
	return daemon_run(config) < 0 ? EX_CONFIG : EXIT_SUCCESS;
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
	int status = command == COMMAND_CHECK ? check(config, path) : run(config);
	config_free(config);
	return status;
}

static int test(const struct selftest_options *options)
{
	return selftest_run(options) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
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
                {NULL,      0,                 NULL, 0  }
        };
	const char *path = "/etc/ebb/ebb.ini";
	enum command command = COMMAND_RUN;
	struct selftest_options tests = {0};
	const char *only_test = NULL; /* an option that only --test has */
	bool is_verbose = false;
	int c;
	while ((c = getopt_long(argc, argv, "c:vh", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			path = optarg;
			break;
		case 'v':
			is_verbose = true;
			break;
		case 'C':
			command = COMMAND_CHECK;
			break;
		case 'I':
			command = COMMAND_CONSOLE;
			break;
		case 'T':
			command = COMMAND_TEST;
			break;
		case 's':
			only_test = "--seed";
			if (!read_seed(optarg, &tests))
				return EXIT_USAGE;
			break;
		case 'S':
			only_test = "--shuffle";
			tests.shuffles = true;
			break;
		case 'f':
			only_test = "--filter";
			tests.filter = optarg;
			break;
		case 'V':
			puts("ebbd " EBB_VERSION);
			return EXIT_SUCCESS;
		case 'h':
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		default:
			fputs(usage, stderr);
			return EXIT_USAGE;
		}
	}
	if (only_test && command != COMMAND_TEST) {
		fprintf(stderr, "ebbd: %s: is for --test only\n%s", only_test, usage);
		return EXIT_USAGE;
	}
	if (optind < argc && command != COMMAND_CONSOLE && command != COMMAND_TEST) {
		fprintf(stderr, "ebbd: %s: unexpected argument\n%s", argv[optind], usage);
		return EXIT_USAGE;
	}
	prctl(PR_SET_DUMPABLE, 0); /* no core dump, no ptrace: secrets are in memory */
	log_init();
	if (command == COMMAND_CONSOLE)
		return console_run(argv + optind, argc - optind) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	tests.paths = argv + optind;
	tests.n_paths = argc - optind;
	tests.is_verbose = is_verbose;
	if (command == COMMAND_TEST)
		return test(&tests);
	return with_config(command, path, is_verbose);
}
