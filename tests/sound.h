/* SPDX-License-Identifier: MIT */
/*
 * sound.h - assert_sound(): heap_check() in the tests of the models, around what they do to a heap.
 */
#ifndef SLABFUZZ_TESTS_SOUND_H
#define SLABFUZZ_TESTS_SOUND_H

#include "../allocators/heap.h"
#include "../allocators/heap_check.h"

/* All structures of the heap agree; one that is misused on purpose may be in any state. */
#define assert_sound(h)                                                             \
	do {                                                                        \
		const char *sound_fault = (h)->set.misuse ? NULL : heap_check(h);   \
		assert_string_equal(sound_fault ? sound_fault : "", "");            \
	} while (0)

#endif
