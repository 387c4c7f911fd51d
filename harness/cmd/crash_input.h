/* SPDX-License-Identifier: MIT */
/*
 * crash_input.h - a find as the commands take it that go on from one: its program, on which
 * allocator or allocators, and which title (crash_input.c). From the options, or from what the
 * find's own text says of it. Relies on input.h, members.h and crash_file.h; minimize, repro, debug
 * and triage rely on it.
 */
#ifndef SLABFUZZ_CRASH_INPUT_H
#define SLABFUZZ_CRASH_INPUT_H

#include <signal.h>

#include "../fuzz/rerun.h"
#include "members.h"

/* What the options say. Zeroed, but for the numbers: SF_CRASH_PLAN. */
struct sf_crash_plan {
	char *names;           /* -a, all of them, with commas; NULL: as the find says */
	char *traits;          /* --trait, each with '@' in front */
	struct sf_overrides overrides;
	const char *title;     /* NULL: as the find says, or the first that it shows */
	const char *target;    /* program; NULL: the command's own worker */
	uint32_t timeout, memory;
	bool bytes;
};

#define SF_CRASH_PLAN { .timeout = 10 }

int sf_crash_take_names(void *plan, const struct sf_usage *u, const char *list);
int sf_crash_take_trait(void *plan, const struct sf_usage *u, const char *text);

/* Rows that all of them have; `member` is the struct sf_crash_plan. */
#define SF_CRASH_ROWS(plan, member)                                                               \
	SF_CALL('a', "allocator", "NAME[@KEY=VALUE]…,…", plan, member, sf_crash_take_names,    \
		"on this allocator (default: the find's, or baseline); several: in lockstep"),    \
	SF_CALL(0, "trait", "KEY=VALUE", plan, member, sf_crash_take_trait,                       \
		"what malloc:LIB.so or plugin:X.so promises (list traits)"),                      \
	SF_SET_ROW(plan, member.overrides, "change a heap setting, whatever the program says"),   \
	SF_TEXT(0, "title", "TITLE", plan, member.title,                                          \
		"this, or what begins so ('ISO-2*'; default: the find's, or the first)"),         \
	SF_NUMBER("timeout", "SECONDS", plan, member.timeout, 1, 1000000,                         \
		  "an operation that takes longer hangs (default: 10)"),                          \
	SF_NUMBER("memory", "MB", plan, member.memory, 1, UINT32_MAX,                             \
		  "who takes more has run away (default: half of all)"),                          \
	SF_FLAG("bytes", plan, member.bytes,                                                      \
		"take FILE for a byte program, whatever it begins with")

struct sf_crash_input {
	const char *name;      /* of the file */
	struct sf_members on;
	char *label;           /* of them all: "A", "A,B" */
	struct sf_prog prog;
	char *title;           /* NULL: not said */
	char *said;            /* lines about it that its text begins with; "": none */
};

/* 0, or what to exit with after a message; to be closed either way. */
int sf_crash_open(struct sf_crash_input *in, const struct sf_crash_plan *p,
		  const struct sf_usage *u, const char *file);
void sf_crash_close(struct sf_crash_input *in);
void sf_crash_plan_free(struct sf_crash_plan *p);

/* How it is run again. `target` is filled in if the plan has one. */
struct sf_rerun_options sf_crash_rerun(const struct sf_crash_input *in,
				       const struct sf_crash_plan *p, struct sf_target *target);

/*
 * SIGINT and SIGTERM are counted there from now on, and end nothing: what was done so far is kept.
 * A third one is obeyed.
 */
const volatile sig_atomic_t *sf_crash_interrupts(void);

#endif
