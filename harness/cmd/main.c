// SPDX-License-Identifier: MIT
/*
 * main.c - the `slabfuzz` command: dispatch to a subcommand, and the promises that hold for all of
 * them: output that could not be written is an error, never a silent success.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"

static const struct {
	const char *name, *args, *summary;
	int (*run)(int argc, char **argv);
} commands[] = {
#define X(name, args, summary) { #name, args, summary, sf_cmd_##name },
	SF_COMMANDS(X)
#undef X
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_help(void)
{
	printf("usage: slabfuzz COMMAND [OPTION]… [ARGUMENT]…\n\n"
	       "Fuzzes and differentially tests kernel-style memory allocators.\n\n");
	for (size_t i = 0; i < COMMANDS; i++)
		printf("  %-8s %s\n", commands[i].name, commands[i].summary);
	printf("\nslabfuzz COMMAND --help tells more. Exit status: 0 nothing wrong, 1 a violation\n"
	       "was found, 2 bad usage or bad input, 3 this build or machine lacks something.\n");
}

static int dispatch(int argc, char **argv)
{
	if (argc < 2)
		return sf_bad("which command? (see slabfuzz --help)");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		print_help();
		return SF_EXIT_GOOD;
	}
	for (size_t i = 0; i < COMMANDS; i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	return sf_bad("no command '%s' (see slabfuzz --help)", argv[1]);
}

/*
 * A standard stream that was closed is opened the wrong way round: else the next file that is
 * opened would take its number, and results would land in it.
 */
static void plug_closed_streams(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
		    open("/dev/null", fd ? O_RDONLY : O_WRONLY) != fd)
			_exit(SF_EXIT_BAD);
}

/*
 * With sanitizers, a plug-in's undefined behaviour is a crash like others, if nobody says
 * otherwise. Without, nobody asks.
 */
const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void)
{
	return "halt_on_error=1:print_stacktrace=1";
}

int main(int argc, char **argv)
{
	int status;

	plug_closed_streams();
	/* Both then come back as errors of write(), and are reported as such. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	status = dispatch(argc, argv);
	errno = 0;
	if (fflush(stdout) || ferror(stdout) || (close(STDOUT_FILENO) && errno != EBADF)) {
		if (errno)
			return sf_bad("standard output: %s", strerror(errno));
		return sf_bad("standard output: cannot be written");
	}
	return status;
}
