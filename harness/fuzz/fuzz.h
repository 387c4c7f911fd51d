/* SPDX-License-Identifier: MIT */
/*
 * fuzz.h - what every fuzz target does with one input; knows no engine.
 */
#ifndef SLABFUZZ_FUZZ_H
#define SLABFUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mark.h"

/*
 * Decodes, runs on the allocators that SLABFUZZ_ALLOCATOR names, judges under all oracles, traps on
 * the first violation. Deterministic; keeps its state (a few heaps, each with its judge, and
 * buffers) between calls and resets it: call sf_fuzz_setup() once before the first.
 *
 * SLABFUZZ_ALLOCATOR is one name, or several with blanks between them: then an input with a mark
 * (mark.h) runs on the one that it names, any other on all. Without the variable it is the mark's,
 * or baseline.
 *
 * With SLABFUZZ_LOCKSTEP, members with blanks between them (member.h), "default" or "relations",
 * each of them runs in lockstep with these, and a difference is a find under its key (lockstep.h).
 *
 * If SLABFUZZ_CRASHES names a directory, then before the process ends the input is written there,
 * as bytes (NAME) and as text (NAME.txt, which begins with "# title: ..."); also when it is
 * AddressSanitizer that ends it. NAME comes from the title and the bytes, and a title has but a
 * few.
 *
 * If SLABFUZZ_GO_ON names a file, no find ends the process: it is saved and counted there
 * (counts.h), and the program is over with the operation in hand. Crashes, too, as far as a process
 * can survive them; reports of AddressSanitizer if it is told not to halt. Titles of these say
 * where in the program's file it was: an input run again without the variable has the function's
 * name.
 *
 * A program's end is cut short at random (its own: the same program always ends the same way)
 * unless SLABFUZZ_THOROUGH is set: then there is a snapshot, a teardown and another snapshot,
 * always.
 */
void sf_fuzz_setup(void);
void sf_fuzz_program(const uint8_t *data, size_t size);

/* Text parser: parses `data` as text; if it parses, the three laws must hold. Traps if not. */
void sf_fuzz_text(const uint8_t *data, size_t size);
/* Bytes laws: decodes `data`, then bytes -> text -> bytes -> text must be stable. Traps if not. */
void sf_fuzz_bytes(const uint8_t *data, size_t size);
/* Trace importer: reads `data` as a recording of any format. Traps on a broken promise. */
void sf_fuzz_trace(const uint8_t *data, size_t size);

/*
 * Of several allocators' inputs, for mutators: takes off the mark (`was`: its name, or ""); how
 * much of max_size is for the program; marks what was made of it, for the allocator whose turn it
 * is, or (`seed` decides) for `was`.
 */
size_t sf_fuzz_unmark(uint8_t *data, size_t size, char was[SF_MARK_NAME_MAX + 1]);
size_t sf_fuzz_room(size_t max_size);
size_t sf_fuzz_mark(uint8_t *data, size_t size, size_t max_size, const char *was, uint64_t seed);

/* What mutators draw for (mutate.h): what the allocators that are fuzzed can. */
uint64_t sf_fuzz_caps(void);

/*
 * For checks of a target's own: the input in hand broke the rule `title`. Prints and writes it like
 * a violation; true if the caller must now trap (in a function of its own, so that engines tell
 * bugs apart), false if SLABFUZZ_EXPECT names another title or SLABFUZZ_GO_ON is set.
 * sf_fuzz_take() says which input is in hand where sf_fuzz_program() does not.
 */
void sf_fuzz_take(const uint8_t *data, size_t size);
bool sf_fuzz_caught(const char *title, const char *detail);

/* The program of the last sf_fuzz_program(), as it ran. */
struct sf_prog;
const struct sf_prog *sf_fuzz_last(void);

/*
 * May be set by an engine's entry point: called when an input's own work begins. Coverage up to
 * there (a heap made, the previous input's traces wiped) depends on what ran before and must be
 * forgotten.
 */
extern void (*sf_fuzz_forget_coverage)(void);
/* The engine's counters, for the edges of each allocator; nothing without SLABFUZZ_GO_ON. */
void sf_fuzz_counters(uint8_t *begin, uint8_t *end);

#endif
