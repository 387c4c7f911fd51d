/* SPDX-License-Identifier: MIT */
/*
 * cmd.h - what every subcommand of `slabfuzz` shares: the table of subcommands, exit codes,
 * options, messages and memory. Relies on libc only; main.c dispatches through the table.
 */
#ifndef SLABFUZZ_CMD_H
#define SLABFUZZ_CMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "../../allocators/base/grow.h"

/* SF_COMMANDS(X): X(name, arguments, summary). Order is that of `slabfuzz --help`. */
#define SF_COMMANDS(X)                                                                          \
	X(list, "[allocators|oracles|types|ops|settings]", "show what there is")                \
	X(run, "FILE…", "run programs or recordings under oracles, and summarise")              \
	X(judge, "TRACE", "judge a recording as it is, without replaying it")                   \
	X(compare, "FILE…", "allocators side by side: memory, and how far attacks reach")       \
	X(inject, "FILE…", "fail each allocation of a program in turn, under oracles")           \
	X(boots, "", "judge what only many boots show: seeds, partitions, orders")               \
	X(slabinfo, "FILE", "a heap after a program, as /proc/slabinfo, meminfo … show it")     \
	X(workload, "NAME", "write a program of a family, such as dentries and names")           \
	X(types, "", "types with tokens, partitions and caches; of a real kernel with --btf")    \
	X(show, "FILE", "print a program as text")                                              \
	X(compile, "FILE -o OUT", "turn a program into bytes")                                  \
	X(import, "TRACE -o OUT", "turn a recording of a real kernel into a program")

#define X(name, args, summary) int sf_cmd_##name(int argc, char **argv);
SF_COMMANDS(X)
#undef X

enum sf_exit {
	SF_EXIT_GOOD,    /* nothing wrong */
	SF_EXIT_WRONG,   /* a violation was found, or an expectation failed */
	SF_EXIT_BAD,     /* bad usage, bad input, or output that could not be written */
	SF_EXIT_MISSING, /* this build or machine lacks something (grow.h: memory) */
};

/* One line to stderr: "slabfuzz: " and the message. */
void sf_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same, and SF_EXIT_BAD, for `return sf_bad(…)`. */
int sf_bad(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Never NULL, as all that grow.h gives: running out of memory ends the process. */
char *sf_strdup(const char *s);
char *sf_sprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
#define sf_realloc(p, n, size) sf_grow(p, n, size)

/*
 * Options of one subcommand. `key` is the short letter, or a number above 255 for an option that
 * has none. Help is made from the table; `--help` is always there.
 */
struct sf_option {
	int key;
	const char *name, *arg, *help;
};

struct sf_usage {
	const char *name;               /* of the subcommand */
	const char *args;               /* after the options */
	const char *intro;              /* what it does, and what one must know to use it */
	const struct sf_option *option; /* ends with a NULL name */
};

enum {
	SF_OPTION_END = -1,  /* argv[optind] is the first argument */
	SF_OPTION_HELP = -2, /* help was printed */
	SF_OPTION_BAD = -3,  /* a message was printed */
	SF_OPTION_JSON = 256,
	SF_OPTION_OWN, /* first number for a subcommand's own long-only options */
};

/* The next option's key, or one of the negative numbers. Its value is in getopt's `optarg`. */
int sf_option_next(const struct sf_usage *u, int argc, char **argv);
/* What to exit with when sf_option_next() returned neither a key nor SF_OPTION_END. */
static inline int sf_option_exit(int key)
{
	return key == SF_OPTION_HELP ? SF_EXIT_GOOD : SF_EXIT_BAD;
}

/* The usage of a subcommand, and where to find more: SF_EXIT_BAD. */
int sf_usage_error(const struct sf_usage *u, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* A whole number in decimal or 0x. false: it is none, or does not fit. */
bool sf_parse_number(const char *s, uint64_t *out);

#endif
