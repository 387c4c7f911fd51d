// SPDX-License-Identifier: MIT
/*
 * user_block.c - user_block.h, out of anonymous mappings.
 */
#include "user_block.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "allocator.h"

enum {
	PAGE = 4096,
	AROUND = 64,         /* known bytes on each side, as far as there is room up to the guard */
	KNOWN = 0xb5,
	JUNK = SF_BLOCK_JUNK,
	JUNK_SIZE = 1 << 14, /* of a new block: heaps must not count on zeroes */
	BLOCK_PAGES = 4096,  /* looked at in one go */
	LOOKED_MAX = 1 << 18, /* pages of a block that is looked through, not cleared as a whole */
	WIPED_MAX = 256,     /* pages; more are dropped and mapped anew, not wiped */
	SHADOW_SCALE = 3,    /* AddressSanitizer: 8 bytes have one of shadow */
	SHADOW_PAGES = 2048, /* looked at in one go: 64 MiB of a block */
	SPARES_MAX = 16,     /* kept, clean, for the next of the same size at the same place */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct user_block spares[SPARES_MAX];
static unsigned int nr_spares; /* the oldest first */

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

/*
 * Shadow that nobody wrote has no page: to clear it takes one, and of a block of 1 GiB 32,768 of
 * them. (Once it is swapped out, what was written is not there either.)
 */
static bool shadow_is_known(size_t *offset)
{
	size_t scale;

	if (!__asan_get_shadow_mapping)
		return false;
	__asan_get_shadow_mapping(&scale, offset);
	return scale == SHADOW_SCALE && *offset % PAGE == 0;
}

/* Swap that is not there when the first block is made is not there later. */
static bool swapped(void)
{
	static atomic_bool none;
	struct sysinfo now;

	if (none)
		return false;
	if (sysinfo(&now))
		return true;
	none = !now.totalswap;
	return now.totalswap != now.freeswap;
}

/* Of SHADOW_PAGES pages of shadow at most: those that are there. */
static void unpoison_some(uintptr_t from, uintptr_t end, size_t offset)
{
	uintptr_t shadow = (from >> SHADOW_SCALE) + offset, first = shadow / PAGE;
	size_t nr = ((end - 1) >> SHADOW_SCALE) / PAGE + offset / PAGE - first + 1;
	unsigned char there[SHADOW_PAGES + 1];

	if (mincore((void *)(first * PAGE), nr * PAGE, there))
		memset(there, 1, nr);
	for (size_t i = 0; i < nr; i++) {
		uintptr_t begin = ((first + i) * PAGE - offset) << SHADOW_SCALE, stop;

		if (!(there[i] & 1))
			continue;
		while (i + 1 < nr && there[i + 1] & 1)
			i++;
		stop = ((first + i + 1) * PAGE - offset) << SHADOW_SCALE;
		begin = begin > from ? begin : from;
		stop = stop < end ? stop : end;
		__asan_unpoison_memory_region((void *)begin, stop - begin);
	}
}

/* Whole pages of shadow are given back: who touches one finds zeroes. */
static void unpoison_all(uintptr_t from, uintptr_t end, size_t offset)
{
	uintptr_t first = ((from >> SHADOW_SCALE) + offset + PAGE - 1) / PAGE * PAGE;
	uintptr_t last = ((end >> SHADOW_SCALE) + offset) / PAGE * PAGE;
	uintptr_t inner = (first - offset) << SHADOW_SCALE, outer = (last - offset) << SHADOW_SCALE;

	if (madvise((void *)first, last - first, MADV_DONTNEED))
		__asan_unpoison_memory_region((void *)inner, outer - inner);
	__asan_unpoison_memory_region((void *)from, inner - from);
	__asan_unpoison_memory_region((void *)outer, end - outer);
}

static void unpoison(uint8_t *start, size_t size)
{
	const size_t step = (size_t)SHADOW_PAGES * PAGE << SHADOW_SCALE;
	uintptr_t from = (uintptr_t)start, end = from + size;
	size_t offset = 0;

	if (!__asan_unpoison_memory_region || !size)
		return;
	if (size < (size_t)2 * PAGE << SHADOW_SCALE || !shadow_is_known(&offset)) {
		__asan_unpoison_memory_region(start, size);
		return;
	}
	if (size / PAGE > LOOKED_MAX || swapped()) {
		unpoison_all(from, end, offset);
		return;
	}
	for (; from < end; from += step)
		unpoison_some(from, end - from < step ? end : from + step, offset);
}

/* Past AddressSanitizer, which clears the shadow of all that is mapped. */
static uint8_t *map_pages(size_t size)
{
	long at = syscall(SYS_mmap, NULL, size, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0L);

	return at == -1 ? NULL : (uint8_t *)at;
}

/* Who gets these addresses next knows nothing of what is poisoned. */
static void unmap_pages(uint8_t *map, size_t size)
{
	unpoison(map, size);
	syscall(SYS_munmap, map, size);
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
}

static bool spare_take(struct user_block *b, uint64_t size, uint32_t at)
{
	bool found = false;

	pthread_mutex_lock(&lock);
	for (unsigned int i = nr_spares; i-- > 0 && !found;) {
		found = spares[i].size == size && (uintptr_t)spares[i].start % PAGE == at % PAGE;
		if (!found)
			continue;
		*b = spares[i];
		nr_spares--;
		memmove(&spares[i], &spares[i + 1], (nr_spares - i) * sizeof(*spares));
	}
	pthread_mutex_unlock(&lock);
	return found;
}

/* The oldest makes way for it. */
static void spare_keep(const struct user_block *b)
{
	struct user_block gone = { .map = NULL };

	pthread_mutex_lock(&lock);
	if (nr_spares == SPARES_MAX) {
		gone = spares[0];
		nr_spares--;
		memmove(&spares[0], &spares[1], nr_spares * sizeof(*spares));
	}
	spares[nr_spares++] = *b;
	pthread_mutex_unlock(&lock);
	if (gone.map)
		unmap_pages(gone.map, gone.map_size);
}

bool user_block_make(struct user_block *b, uint64_t size, uint32_t at)
{
	size_t inner = (at % PAGE + size + PAGE - 1) / PAGE * PAGE;

	*b = (struct user_block){ .size = size, .map_size = inner + 2 * PAGE };
	if (!size || size > UINT64_MAX / 4)
		return false;
	if (spare_take(b, size, at)) {
		begin(b);
		return true;
	}
	b->map = map_pages(b->map_size);
	if (!b->map)
		return false;
	if (mprotect(b->map + PAGE, inner, PROT_READ | PROT_WRITE)) {
		unmap_pages(b->map, b->map_size);
		b->map = NULL;
		return false;
	}
	b->start = b->map + PAGE + at % PAGE;
	surround(b);
	begin(b);
	return true;
}

/* The pages of it that are there, zeroed but for where junk goes; false: too many for that. */
static bool wipe(struct user_block *b)
{
	size_t nr = b->map_size / PAGE - 2, wiped = 0, first;
	unsigned char there[BLOCK_PAGES];

	if (nr > LOOKED_MAX || swapped())
		return false;
	memset(b->map + PAGE, 0, (uintptr_t)b->start % PAGE);
	memset(b->start + b->size, 0, -((uintptr_t)b->start + b->size) % PAGE);
	first = b->size < JUNK_SIZE ? nr : ((uintptr_t)b->start % PAGE + JUNK_SIZE) / PAGE;
	for (size_t done = first, n; done < nr; done += n) {
		uint8_t *at = b->map + PAGE + done * PAGE;

		n = nr - done < BLOCK_PAGES ? nr - done : BLOCK_PAGES;
		if (mincore(at, n * PAGE, there))
			return false;
		for (size_t i = 0; i < n; i++) {
			if (!(there[i] & 1))
				continue;
			if (++wiped > WIPED_MAX)
				return false;
			memset(at + i * PAGE, 0, PAGE);
		}
	}
	return true;
}

/*
 * As new, but for the junk: an allocator's own data may lie anywhere in it, not only near objects,
 * and it may have poisoned what it did not hand out.
 */
static void clean(struct user_block *b)
{
	unpoison(b->map + PAGE, b->map_size - 2 * PAGE);
	if (!wipe(b))
		madvise(b->map + PAGE, b->map_size - 2 * PAGE, MADV_DONTNEED);
	surround(b);
}

void user_block_renew(struct user_block *b)
{
	clean(b);
	begin(b);
}

void user_block_drop(struct user_block *b)
{
	if (!b->map)
		return;
	clean(b);
	spare_keep(b);
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
