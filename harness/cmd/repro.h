/* SPDX-License-Identifier: MIT */
/*
 * repro.h - a program as C that needs nothing of slabfuzz: repro_user.c in the words of user space,
 * for a library or a plug-in; repro_model.c for a model, through its table. cmd_repro.c builds and
 * runs what they write.
 */
#ifndef SLABFUZZ_REPRO_H
#define SLABFUZZ_REPRO_H

#include <stdio.h>

#include "../fuzz/rerun.h"

/* What is to be said in C. */
struct sf_repro {
	const struct sf_prog *prog;
	const struct sf_allocator *allocator;
	const char *label;              /* as -a has it */
	const struct sf_symptom *shows;
	bool plugin;                    /* its table, not malloc() and its family */
	/* Models: what the program sees in the end if the bug is there; 0: not known yet. */
	uint64_t fingerprint;
};

/*
 * The whole file. False with one line in `err`: an operation has no such form. What it is compiled
 * to prints "BUG: …" and exits with 1 if the bug is there (or crashes as it did), else 0.
 */
bool sf_repro_user(const struct sf_repro *r, FILE *f, struct sf_error *err);
bool sf_repro_model(const struct sf_repro *r, FILE *f, struct sf_error *err);

/* The head comment of both. */
void sf_repro_head(const struct sf_repro *r, FILE *f);
/* An operation as its text has it, as a comment in front of what it became. */
void sf_repro_comment(const struct sf_repro *r, uint32_t op, FILE *f);

#endif
