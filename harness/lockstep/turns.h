/* SPDX-License-Identifier: MIT */
/*
 * turns.h - who is next: threads that wait for each other without a word to the C library, which
 * may be another one's, or to ThreadSanitizer, which must not take our order for the allocator's.
 * Relies on the operating system alone.
 */
#ifndef SLABFUZZ_TURNS_H
#define SLABFUZZ_TURNS_H

#include <stdbool.h>
#include <stdint.h>

/* A number that goes up. Each waits for a value of its own. */
void sf_turn_wait(uint32_t *turn, uint32_t until, unsigned int thread);
/* It is `to` now, and that thread waits for it, or will. */
void sf_turn_pass(uint32_t *turn, uint32_t to, unsigned int thread);

/* Something that is done once: 0 before. */
void sf_done_wait(uint32_t *done);
void sf_done(uint32_t *done);

/*
 * What ThreadSanitizer, where it is, is told: what is before the one on its thread comes before
 * what is behind the other. An object was handed over, and `what` is where.
 */
void sf_hand_over(void *what);
void sf_take_over(void *what);

#endif
