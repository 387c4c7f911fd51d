// SPDX-License-Identifier: MIT
/*
 * user_block.c - user_block.h, out of anonymous mappings.
 */
#include "user_block.h"

#include <string.h>
#include <sys/mman.h>

enum {
	PAGE = 4096,
	AROUND = 64,         /* known bytes on each side, as far as there is room up to the guard */
	KNOWN = 0xb5,
	JUNK = 0xcb,
	JUNK_SIZE = 1 << 16, /* of a new block: heaps must not count on zeroes */
	WIPED_MAX = 1 << 20, /* more is dropped and mapped anew, not wiped */
	SHADOW_MAX = 1 << 20, /* likewise, of what AddressSanitizer knows of memory */
	NEAR = 2 * PAGE,     /* what an allocator writes for itself lies so near to objects */
};

/* There in programs with AddressSanitizer. */
extern void __asan_poison_memory_region(const volatile void *p, size_t size)
	__attribute__((weak));
extern void __asan_unpoison_memory_region(const volatile void *p, size_t size)
	__attribute__((weak));

extern void __asan_get_shadow_mapping(size_t *scale, size_t *offset) __attribute__((weak));

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNCHECKED __attribute__((no_sanitize("address")))
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define UNCHECKED __attribute__((no_sanitize_address))
#endif
#ifndef UNCHECKED
#define UNCHECKED
#endif

static size_t head(const struct user_block *b)
{
	size_t room = (uintptr_t)b->start % PAGE;

	return room < AROUND ? room : AROUND;
}

static size_t tail(const struct user_block *b)
{
	size_t room = -((uintptr_t)b->start + b->size) % PAGE;

	return room < AROUND ? room : AROUND;
}

static void unpoison_bytes(uint8_t *from, size_t size)
{
	if (__asan_unpoison_memory_region)
		__asan_unpoison_memory_region(from, size);
}

/*
 * What is not mapped of the shadow reads as not poisoned. Writing that down for each byte of a
 * large block would cost an eighth of its size, in memory and in each program's time.
 */
static void unpoison(uint8_t *from, size_t size)
{
	uintptr_t scale = 0, offset = 0, low, high;

	if (!__asan_get_shadow_mapping || size < SHADOW_MAX) {
		unpoison_bytes(from, size);
		return;
	}
	__asan_get_shadow_mapping(&scale, &offset);
	low = (((uintptr_t)from >> scale) + offset + PAGE - 1) / PAGE * PAGE;
	high = (((uintptr_t)(from + size) >> scale) + offset) / PAGE * PAGE;
	madvise((void *)low, high - low, MADV_DONTNEED);
	low = (low - offset) << scale;
	high = (high - offset) << scale;
	unpoison_bytes(from, low - (uintptr_t)from);
	unpoison_bytes((uint8_t *)high, (uintptr_t)from + size - high);
}

/* What lies around it, up to the guards. */
static void surround(struct user_block *b)
{
	uint8_t *end = b->start + b->size;

	unpoison(b->start - head(b), head(b));
	unpoison(end, tail(b));
	memset(b->start - head(b), KNOWN, head(b));
	memset(end, KNOWN, tail(b));
	if (__asan_poison_memory_region) {
		__asan_poison_memory_region(b->start - head(b), head(b));
		__asan_poison_memory_region(end, tail(b));
	}
}

static void begin(struct user_block *b)
{
	memset(b->start, JUNK, b->size < JUNK_SIZE ? b->size : JUNK_SIZE);
	b->low = UINTPTR_MAX;
	b->high = 0;
}

bool user_block_make(struct user_block *b, uint64_t size, uint32_t at)
{
	size_t inner = (at % PAGE + size + PAGE - 1) / PAGE * PAGE;

	*b = (struct user_block){ .size = size, .map_size = inner + 2 * PAGE };
	if (!size || size > UINT64_MAX / 4)
		return false;
	b->map = mmap(NULL, b->map_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
		      0);
	if (b->map == MAP_FAILED || mprotect(b->map + PAGE, inner, PROT_READ | PROT_WRITE)) {
		if (b->map != MAP_FAILED)
			munmap(b->map, b->map_size);
		b->map = NULL;
		return false;
	}
	b->start = b->map + PAGE + at % PAGE;
	surround(b);
	begin(b);
	return true;
}

/* An allocator may have poisoned what it did not hand out. */
void user_block_renew(struct user_block *b)
{
	uintptr_t start = (uintptr_t)b->start, end = start + b->size, low = b->low, high = b->high;

	unpoison(b->start, b->size);
	if (high > low) {
		low = low - start > NEAR ? low - NEAR : start;
		high = end - high > NEAR ? high + NEAR : end;
		if (high - low <= WIPED_MAX) {
			memset((void *)low, 0, high - low);
		} else {
			madvise(b->map + PAGE, b->map_size - 2 * PAGE, MADV_DONTNEED);
			surround(b);
		}
	}
	begin(b);
}

void user_block_drop(struct user_block *b)
{
	if (!b->map)
		return;
	unpoison(b->map, b->map_size);
	munmap(b->map, b->map_size);
	b->map = NULL;
}

UNCHECKED bool user_block_sound(const struct user_block *b)
{
	for (size_t i = 1; i <= head(b); i++)
		if (b->start[-(ptrdiff_t)i] != KNOWN)
			return false;
	for (size_t i = 0; i < tail(b); i++)
		if (b->start[b->size + i] != KNOWN)
			return false;
	return true;
}
