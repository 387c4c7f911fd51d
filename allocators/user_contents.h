/* SPDX-License-Identifier: MIT */
/*
 * user_contents.h - CONTENTS where addresses are pointers of this process: what adapters of malloc
 * libraries, plug-ins and the reference put into their tables. Accesses are ordinary ones, so a
 * sanitizer judges each. The heap is not looked at. Patterns and what is sparse: allocator.h.
 */
#ifndef SLABFUZZ_USER_CONTENTS_H
#define SLABFUZZ_USER_CONTENTS_H

#include "allocator.h"

void user_fill(struct sf_heap *h, uint64_t addr, uint64_t size, uint64_t key, enum sf_contents how);
/* First offset that differs, SF_GOOD: none. */
uint64_t user_verify(struct sf_heap *h, uint64_t addr, uint64_t size, uint64_t key,
		     enum sf_contents how);
/*
 * First offset in [from, to) that is not zero, SF_GOOD: none. Sparse: of long ranges both ends and
 * some places between them are looked at, so that fresh memory is not touched for its own sake.
 */
uint64_t user_zeroed(struct sf_heap *h, uint64_t addr, uint64_t from, uint64_t to,
		     enum sf_contents how);

/*
 * peek() and poke() for who is to be misused: by system call, so that what is not mapped, or not
 * to be written, ends them early and is no fault of this process.
 */
uint64_t user_peek(struct sf_heap *h, uint64_t addr, void *to, uint64_t len);
uint64_t user_poke(struct sf_heap *h, uint64_t addr, const void *from, uint64_t len);
/* False: this machine does not allow that (a seccomp filter). */
bool user_can_peek(void);

#endif
