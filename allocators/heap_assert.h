/* SPDX-License-Identifier: MIT */
/*
 * heap_assert.h - what must hold in a heap of the models, stated where it must hold: in pairs,
 * before and after each transition of a page, slab, sheaf, list, charge or pool.
 *
 *   heap_assert(h, cond)       a few loads; level 1
 *   heap_assert_slow(h, cond)  walks a structure; level 2
 *
 * The level is SF_ASSERT of the compiler's command line, which the Makefile sets for allocators/ by
 * flavor: 0 in plain and pic, of which the command, the benchmarks and what is installed are made
 * (no code, so that nothing is slower); 1 in asan, ubsan, fuzz, parse and afl, in which tests and
 * fuzzers run. `make SF_ASSERT=2` is for all. The plain tests share their archive with the command
 * and have none: the asan and ubsan runs of the same tests do. Whole heaps: heap_check.h, at any
 * level.
 *
 * A heap that is misused on purpose (the setting misuse) may be in any state: there a condition
 * that does not hold is passed over, so it must be one that can be evaluated in any state. The same
 * for all heaps with SLABFUZZ_ASSERT=0 in the environment: a seeded bug is to be found by an
 * oracle, whose title counts (ci/mutants.sh).
 *
 * A condition has no effects and emits nothing: events are the same at every level. An assertion is
 * no oracle: it says what the mechanism relies on, not what the kernel's rules are.
 */
#ifndef SLABFUZZ_HEAP_ASSERT_H
#define SLABFUZZ_HEAP_ASSERT_H

#include "heap.h"

#ifndef SF_ASSERT
#define SF_ASSERT 0
#endif

/*
 * Ends the process with one line: "allocators/slab.c:123: slab_free: assertion 'x' failed"; by
 * abort(), which libFuzzer and AFL++ take for a crash. Returns where the heap is misused, or
 * nothing is to be asserted.
 */
void heap_assert_failed(const struct sf_heap *h, const char *file, int line, const char *function,
			const char *cond) __attribute__((cold, noinline));

#define HEAP_ASSERT(level, h, cond)                                                             \
	do {                                                                                    \
		if (SF_ASSERT >= (level) && __builtin_expect(!(cond), false))                   \
			heap_assert_failed(h, __FILE__, __LINE__, __func__, #cond);             \
	} while (0)

#define heap_assert(h, cond) HEAP_ASSERT(1, h, cond)
#define heap_assert_slow(h, cond) HEAP_ASSERT(2, h, cond)

#endif
