/* SPDX-License-Identifier: MIT */
/*
 * crash.h - the title of a crash, from what a process left behind: its last words and how it ended
 * (crash.c). The same for the command, the engines, and whoever looks at their finds. Relies on the
 * operating system alone.
 *
 * A title names the kind and the innermost function that is the allocator's own: not that of a
 * sanitizer, of the C library, nor of what drives the allocator. It holds no address and no number
 * that another run would have otherwise.
 */
#ifndef SLABFUZZ_CRASH_H
#define SLABFUZZ_CRASH_H

#include <stdbool.h>
#include <stddef.h>

#include "../../oracles/oracle.h"

/* SF_CRASHES(X): X(id, key, summary). The key is for machines: for ever. */
#define SF_CRASHES(X)                                                                           \
	X(NONE, "none", "nothing: it ended by itself")                                          \
	X(VIOLATION, "violation", "an oracle's title")                                          \
	X(DIFFERENCE, "difference", "members of a lockstep differ: the property, without numbers") \
	X(ASAN, "asan", "AddressSanitizer's report: its word for the mistake")                  \
	X(UBSAN, "ubsan", "UndefinedBehaviorSanitizer's report, without its numbers")           \
	X(TSAN, "tsan", "ThreadSanitizer's report: both functions, in the order of the alphabet") \
	X(ASSERTION, "assertion", "an assertion that failed: its condition")                    \
	X(ABORT, "abort", "`abort()`: the last line before it")                                 \
	X(TRAP, "trap", "a trap instruction (SIGILL, SIGTRAP)")                                 \
	X(SEGV, "segv", "an access to memory that is not there (SIGSEGV)")                      \
	X(BUS, "bus", "an access that the machine refuses (SIGBUS)")                            \
	X(FPE, "fpe", "a division by zero (SIGFPE)")                                            \
	X(HANG, "hang", "time that ran out")                                                    \
	X(MEMORY, "memory", "memory that ran away")                                             \
	X(EXIT, "exit", "`exit()` by the allocator")                                            \
	X(CLOSED, "closed", "the process's own descriptors, closed")                            \
	X(KILLED, "killed", "any other signal")

enum sf_crash_kind {
#define X(id, key, summary) SF_CRASH_##id,
	SF_CRASHES(X)
#undef X
	SF_CRASH_KINDS,
};

struct sf_crash {
	enum sf_crash_kind kind;
	char title[SF_TITLE_MAX]; /* one line; "": nothing crashed */
	bool said;                /* by the process itself: where.h, or an oracle */
};

/* How a process ended, besides what it said. */
struct sf_crash_end {
	int status;        /* of waitpid() */
	bool hung, memory; /* why its supervisor ended it */
	bool left;         /* it ended by itself, in the midst of its work */
	bool closed;       /* descriptors that it needs were not its own any more */
};

const char *sf_crash_key(enum sf_crash_kind kind);

/* A judge's title is what it said, and repeats to the letter; a crash has a report. */
static inline bool sf_crash_is_judged(enum sf_crash_kind kind)
{
	return kind == SF_CRASH_VIOLATION || kind == SF_CRASH_DIFFERENCE;
}

/*
 * VIOLATION or DIFFERENCE if a line begins as titles of these do ("MEM-1: ", "diff usable: "); else
 * NONE.
 */
enum sf_crash_kind sf_crash_of_title(const char *title);

/* "UBSan: shift exponent N is too large for ...": the title of such a message, without a place. */
void sf_crash_undefined(char title[SF_TITLE_MAX], const char *message);

/*
 * `text` is all that the process said on standard error; `end` may be NULL: a report alone. False:
 * nothing of a crash is in either. Allocates nothing.
 */
bool sf_crash_read(struct sf_crash *c, const char *text, const struct sf_crash_end *end);

/*
 * The text with names of functions for the frames of its first stack that have only a place in a
 * file, by llvm-symbolizer or addr2line where one is there. To be freed.
 */
char *sf_crash_symbolize(const char *text);

/*
 * From now on this process says on standard error which signal ends it, and its frames, in
 * AddressSanitizer's form, and then dies of it. Signals that a sanitizer has taken stay its own;
 * SIGALRM is taken, too: for a supervisor that wants to know where a process hangs. exit() says so,
 * too, while *midst: work is not done.
 */
void sf_crash_speak(const volatile bool *midst);

#endif
