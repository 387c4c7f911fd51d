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
	X(list, "[allocators|oracles|types|ops|settings|traits|properties|relations]",          \
	  "show what there is")                                                                 \
	X(run, "FILE…", "run programs or recordings under oracles, and summarise")              \
	X(fuzz, "", "fuzz allocators with libFuzzer or AFL++")                                  \
	X(minimize, "FILE [-o OUT]", "the smallest program with the same title")                 \
	X(repro, "FILE -o DIR", "a C program that shows a find without slabfuzz")               \
	X(debug, "FILE", "a debugger, stopped before the operation that shows it")              \
	X(triage, "DIR…", "what engines left, run again and sorted by title")                   \
	X(regress, "FILE", "make a test of a find that was fixed")                              \
	X(judge, "TRACE", "judge a recording as it is, without replaying it")                   \
	X(diff, "-a A,B,… [FILE…]", "allocators in lockstep: where they differ, and may not") \
	X(compare, "FILE…", "allocators side by side: memory, and how far attacks reach")       \
	X(inject, "FILE…", "fail each allocation of a program in turn, under oracles")           \
	X(boots, "", "judge what only many boots show: seeds, partitions, orders")               \
	X(slabinfo, "FILE", "a heap after a program, as /proc/slabinfo, meminfo … show it")     \
	X(report, "-o DIR [FILE…|DIR…]", "a page to look at: finds, checks, heaps as films") \
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

struct sf_usage;

enum sf_row_kind {
	SF_ROW_FLAG,   /* a bool becomes true */
	SF_ROW_NUMBER, /* min to max, into a uint64_t or uint32_t */
	SF_ROW_TEXT,   /* into a const char * */
	SF_ROW_WORD,   /* one of `words`; its number goes into a uint8_t */
	SF_ROW_CALL,   /* `take` reads it; again for each time that the option is there */
};

/*
 * An option of a subcommand: what it is called, what its value may be, where in the subcommand's
 * plan it goes, and its line of `--help`. Made with the macros below; the last row is all zero.
 */
struct sf_row {
	/* arg: what its value is called, NULL: it takes none; "[ARG]": or none (take() has NULL) */
	const char *name, *arg;
	const char *help;
	char letter;             /* 0: it has none */
	uint8_t kind;            /* enum sf_row_kind */
	uint8_t size;            /* NUMBER: of the member */
	size_t offset;           /* of the member in the plan */
	uint64_t min, max;       /* NUMBER; UINT64_MAX: no limit is named */
	const char *const *words;/* WORD; ends with NULL */
	/* CALL. 0, or what to exit with after a message. `to` is the member. */
	int (*take)(void *to, const struct sf_usage *u, const char *value);
};

/* Where a member is; a member of another type warns. */
#define SF_ROW_AT(plan, member, type)                                           \
	(offsetof(plan, member) + 0 * sizeof(&((plan *)0)->member == (type *)0))

#define SF_FLAG(name_, plan, member, help_)                                     \
	{ .name = name_, .help = help_, .kind = SF_ROW_FLAG,                    \
	  .offset = SF_ROW_AT(plan, member, bool) }
#define SF_NUMBER(name_, arg_, plan, member, min_, max_, help_)                 \
	{ .name = name_, .arg = arg_, .help = help_, .kind = SF_ROW_NUMBER,     \
	  .size = sizeof(((plan *)0)->member), .offset = offsetof(plan, member), \
	  .min = min_, .max = max_ }
#define SF_TEXT(letter_, name_, arg_, plan, member, help_)                      \
	{ .letter = letter_, .name = name_, .arg = arg_, .help = help_,         \
	  .kind = SF_ROW_TEXT, .offset = SF_ROW_AT(plan, member, const char *) }
#define SF_WORD(name_, arg_, plan, member, words_, help_)                       \
	{ .name = name_, .arg = arg_, .help = help_, .kind = SF_ROW_WORD,       \
	  .offset = SF_ROW_AT(plan, member, uint8_t), .words = words_ }
#define SF_CALL(letter_, name_, arg_, plan, member, take_, help_)               \
	{ .letter = letter_, .name = name_, .arg = arg_, .help = help_,         \
	  .kind = SF_ROW_CALL, .offset = offsetof(plan, member), .take = take_ }
#define SF_JSON(plan, member) SF_FLAG("json", plan, member, "print JSON (docs/json.md)")

/* What a subcommand is asked with. `--help` is made from it, and always there. */
struct sf_usage {
	const char *name;         /* of the subcommand */
	const char *args;         /* after the options */
	const char *intro;        /* what it does, and what one must know to use it */
	const struct sf_row *row; /* its options */
};

enum { SF_GO_ON = -1 };

/*
 * Reads all options into the plan. SF_GO_ON, and argv[optind] of <getopt.h> is the first argument;
 * or what to exit with: help was printed, or one line about what is wrong.
 */
int sf_take_options(const struct sf_usage *u, void *plan, int argc, char **argv);

/* The usage of a subcommand, and where to find more: SF_EXIT_BAD. */
int sf_usage_error(const struct sf_usage *u, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* A whole number in decimal or 0x. False: it is none, or does not fit. */
bool sf_parse_number(const char *s, uint64_t *out);

#endif
