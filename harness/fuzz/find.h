/* SPDX-License-Identifier: MIT */
/*
 * find.h - what becomes of a find: files, counts, and whether the process ends (find.c).
 *
 * A find traps, in a function of its own, unless SLABFUZZ_GO_ON names a file: then it is saved and
 * counted there under its title, and the engine goes on. For a title that has its files already
 * that costs next to nothing.
 */
#ifndef SLABFUZZ_FIND_H
#define SLABFUZZ_FIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../program/program.h"

/* Reads the environment; exits with 3 if it asks for what cannot be. */
void sf_find_setup(void);
bool sf_find_goes_on(void);

/* The input in hand from now on; prog is its program, NULL if it has none (yet). */
void sf_find_take(const uint8_t *data, size_t size);
/* A process begins anew: what was run before it has no part in its finds. */
void sf_find_forget(void);
void sf_find_is(const struct sf_prog *prog, const char *allocator);

/*
 * Exit status of a target that a find left in no state to go on in: start another, it knows what it
 * is about.
 */
enum { SF_FIND_AGAIN = 88 };

/* Is that title a find? (SLABFUZZ_EXPECT) */
bool sf_find_expected(const char *title);
/* The input in hand is one. Only the first of an input counts. */
void sf_find_save(const char *title, const char *detail);
/* Something that it does not end with: another find of the same input counts, too. */
void sf_find_note(const char *title);
/* There was one since sf_find_take(). */
bool sf_find_made(void);

/*
 * What a find's files are called: "MEM-1-0123abcd-89abcdef", by the title and the bytes. The length
 * of what all finds of that title begin with.
 */
enum { SF_FIND_NAME_MAX = 64 };
int sf_find_name(char name[SF_FIND_NAME_MAX], const char *title, const uint8_t *data, size_t size);

/*
 * NAME.history, beside the first find of a title of a run that goes on: the inputs before it, the
 * oldest first, each with its length in front (4 bytes, little-endian). For what does not come
 * again alone.
 */
enum { SF_HISTORY_INPUTS = 128, SF_HISTORY_BYTES = 1 << 16 };

/*
 * FILE.input, beside the counts of a run that goes on: the input in hand, with its length in front
 * (4 bytes, little-endian). Who dies without a word, and saves nothing, has left that.
 */
enum { SF_IN_HAND_BYTES = 1 << 16 };

#endif
