// SPDX-License-Identifier: MIT
/*
 * arena.c - simulated memory: page frames, the windows on them, raw accessors, poison, contents.
 *
 * Relies on the operating system for one lazily populated mapping, and on trap.c where some of it
 * may be sealed. Everything else of the models touches memory only through here (pool.c's rare
 * writes excepted), so that three things hold: reset costs what was touched (dirty pages are
 * known), AddressSanitizer sees every access of a user (unowned memory is poisoned), and the
 * few accesses that must ignore poison are the raw_ functions, peek and poke, and nothing else.
 */
#include "arena.h"
#include "heap_assert.h"
#include "spare.h"
#include "trap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAVE_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define HAVE_ASAN 1
#endif

#ifdef HAVE_ASAN
#include <sanitizer/asan_interface.h>
#define RAW __attribute__((noinline, no_sanitize("address")))
#else
#define RAW
#endif

#define PAGE SF_PAGE_SIZE

/*
 * Up to 16 MiB, what fuzzers' heaps have at most, there is room for a power of two: so one that is
 * kept serves others.
 */
#define ARENA_PAGES_MIN 256u
#define ARENA_PAGES_ROUNDED 4096u
/* 64 MiB, the default heap. What a heap wrote stays in memory: larger ones are unmapped. */
#define ARENA_PAGES_KEPT 16384u

/*
 * memset() would be the sanitizer's own, which looks at poison; a plain loop becomes memset(). The
 * barrier keeps the compiler from seeing a loop it knows.
 */
RAW static void wipe(void *p, uint64_t len)
{
	typedef uint64_t vec __attribute__((vector_size(32), aligned(1), may_alias));
	uint8_t *b = p;
	uint64_t i = 0;

	for (; i + 32 <= len; i += 32) {
		*(vec *)(b + i) = (vec){ 0 };
		__asm__ volatile("" ::: "memory");
	}
	for (; i < len; i++) {
		b[i] = 0;
		__asm__ volatile("" ::: "memory");
	}
}

#ifdef HAVE_ASAN
/*
 * AddressSanitizer's shadow has a byte for 8 of memory: 0: all usable; 1..7: so many of them; 0xf7:
 * poisoned by hand (compiler-rt's asan_internal.h). Up to a page of it is written here: a call
 * costs more than the few bytes. Ranges begin at a multiple of 8 and never share a granule with
 * another owner.
 */
static uint64_t shadow_offset(void)
{
	static size_t scale, offset; /* the same for the whole process */

	if (!scale)
		__asan_get_shadow_mapping(&scale, &offset);
	return scale == 3 ? offset : 0;
}

RAW static void shadow_fill(const uint8_t *p, uint64_t len, uint8_t value, uint64_t offset)
{
	typedef uint64_t vec __attribute__((vector_size(32), aligned(1), may_alias));
	uint8_t *shadow = (uint8_t *)(((uintptr_t)p >> 3) + offset);
	uint64_t n = (len + 7) / 8, all = value * 0x0101010101010101ull, i = 0;

	for (; i + 32 <= n; i += 32) {
		*(vec *)(shadow + i) = (vec){ all, all, all, all };
		__asm__ volatile("" ::: "memory");
	}
	for (; i < n; i++) {
		shadow[i] = value;
		__asm__ volatile("" ::: "memory");
	}
	if (!value && (len & 7))
		shadow[len / 8] = (uint8_t)(len & 7);
}

/* True if all of p[0..len) is usable; len is not 0. */
RAW static bool shadow_clean(const uint8_t *p, uint64_t len, uint64_t offset)
{
	const uint8_t *shadow = (const uint8_t *)(((uintptr_t)p >> 3) + offset);
	uint8_t any = 0, last = len & 7 ? shadow[len / 8] : 0;

	for (uint64_t i = 0; i < len / 8; i++)
		any |= shadow[i];
	return !any && (!last || (last < 8 && last >= (len & 7)));
}

/* What the shadow says of p[0..len). */
static bool all_usable(const uint8_t *p, uint64_t len)
{
	uint64_t offset = (uintptr_t)p & 7 ? 0 : shadow_offset();

	return offset ? shadow_clean(p, len, offset) :
			!__asan_region_is_poisoned((void *)(uintptr_t)p, len);
}

/* 0: usable, else poisoned with that value. */
static void shade(const uint8_t *p, uint64_t len, uint8_t value)
{
	uint64_t offset = len <= PAGE ? shadow_offset() : 0;

	if (offset)
		shadow_fill(p, len, value, offset);
	else if (value)
		__asan_poison_memory_region(p, len);
	else
		__asan_unpoison_memory_region(p, len);
}

/*
 * The shadow of a page is written where it must tell bytes apart, and not before. A page that is
 * usable as a whole, or not at all, has a bit for that: most of a large object is never touched,
 * and a new arena, or a reset, writes no shadow.
 */
#define POISON 0xf7

static bool has_bit(const uint64_t *map, uint64_t pfn)
{
	return map[pfn >> 6] >> (pfn & 63) & 1;
}

static void set_whole(struct arena *a, uint32_t pfn, bool usable)
{
	uint64_t bit = 1ull << (pfn & 63);

	a->shaded[pfn >> 6] &= ~bit;
	a->open[pfn >> 6] &= ~bit;
	if (!usable)
		return;
	a->open[pfn >> 6] |= bit;
	arena_touch(a, pfn);
}

/* From here on its shadow says what its bit says until now. */
static void shade_page(struct arena *a, uint32_t pfn)
{
	uint64_t bit = 1ull << (pfn & 63);

	if (a->shaded[pfn >> 6] & bit)
		return;
	shade(a->mem + (uint64_t)pfn * PAGE, PAGE, has_bit(a->open, pfn) ? 0 : POISON);
	a->shaded[pfn >> 6] |= bit;
	arena_touch(a, pfn);
}

/* Of one page. Nothing is to be done where all of it is so already. */
static void set_part(struct arena *a, uint32_t pfn, const uint8_t *p, uint64_t n, bool usable)
{
	if (!has_bit(a->shaded, pfn) && has_bit(a->open, pfn) == usable && !(n & 7))
		return;
	shade_page(a, pfn);
	shade(p, n, usable ? 0 : POISON);
}

/* Of the frames; a pool's area has a shadow as any memory. */
static void set_usable(struct arena *a, const uint8_t *p, uint64_t n, bool usable)
{
	uint64_t off = (uint64_t)(p - a->mem), m;

	if (off >> SF_PAGE_SHIFT >= a->pages) {
		shade(p, n, usable ? 0 : POISON);
		return;
	}
	for (; n; off += m, n -= m) {
		uint32_t pfn = (uint32_t)(off >> SF_PAGE_SHIFT);

		m = PAGE - (off & (PAGE - 1));
		if (m > n)
			m = n;
		if (m == PAGE)
			set_whole(a, pfn, usable);
		else
			set_part(a, pfn, a->mem + off, m, usable);
	}
}

/*
 * May p[0..n) be touched without the sanitizer? If not, the shadow says from now on which byte is
 * the first that may not be. n is not 0.
 */
static bool known_usable(struct arena *a, const uint8_t *p, uint64_t n)
{
	uint64_t off = (uint64_t)(p - a->mem), left = n, m;
	bool usable = true;

	if (off >> SF_PAGE_SHIFT >= a->pages)
		return all_usable(p, n);
	for (; usable && left; off += m, left -= m) {
		uint64_t pfn = off >> SF_PAGE_SHIFT;

		m = PAGE - (off & (PAGE - 1));
		if (m > left)
			m = left;
		usable = has_bit(a->shaded, pfn) ? all_usable(a->mem + off, m) :
						   has_bit(a->open, pfn);
	}
	if (usable)
		return true;
	off = (uint64_t)(p - a->mem);
	for (uint64_t pfn = off >> SF_PAGE_SHIFT; pfn <= (off + n - 1) >> SF_PAGE_SHIFT; pfn++)
		shade_page(a, (uint32_t)pfn);
	return false;
}
#endif

static void *map_pages(uint64_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* Address space alone. */
static void *reserve(uint64_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/*
 * The first `pages` frames, where address space for all that there are is reserved: who reads the
 * process's memory map sees only those that the heap has.
 */
static bool map_frames(struct arena *a, uint32_t pages)
{
	uint64_t bytes = (uint64_t)pages * PAGE;

	return mmap(a->mem, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE | MAP_FIXED,
		    a->fd, 0) != MAP_FAILED;
}

/* Nothing is mapped there any more, whatever was. */
static bool unmap_window(uint8_t *at, uint64_t pages)
{
	return mmap(at, pages * PAGE, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) != MAP_FAILED;
}

/*
 * Frames that can be mapped again elsewhere. They are a child's too after fork(): who forks makes
 * heaps afterwards.
 */
static bool map_shared(struct arena *a)
{
	a->fd = memfd_create("slabfuzz", MFD_CLOEXEC);
	if (a->fd < 0)
		return false;
	a->shared = true;
	if (ftruncate(a->fd, (off_t)a->cap_pages * PAGE))
		return false;
	a->mem = reserve((uint64_t)a->cap_pages * PAGE);
	a->areas = reserve((uint64_t)VMAP_PAGES * PAGE);
	a->alias = reserve((uint64_t)ALIAS_PAGES * PAGE);
	return a->mem && a->areas && a->alias && map_frames(a, a->pages);
}

/* All mappings and tables of an arena, new. */
static bool map_arena(struct arena *a, bool shared)
{
	uint32_t groups = (a->cap_pages + 63) / 64;
	bool mapped = true;

	if (shared)
		mapped = map_shared(a);
	else
		a->mem = map_pages((uint64_t)a->cap_pages * PAGE);
	a->page = map_pages((uint64_t)groups * 64 * sizeof(*a->page));
	a->vmap = map_pages((uint64_t)VMAP_PAGES * sizeof(*a->vmap));
	a->slabs = map_pages((uint64_t)SMAP_PAGES * sizeof(*a->slabs));
	a->dirty = calloc(groups, sizeof(*a->dirty));
	a->open = calloc(groups, sizeof(*a->open));
	a->shaded = calloc(groups, sizeof(*a->shaded));
	a->touched = calloc((groups + 63) / 64, sizeof(*a->touched));
	a->used = calloc((groups + 63) / 64, sizeof(*a->used));
	a->walk_cap = a->cap_pages + 64 < MAX_SLAB_OBJECTS ? MAX_SLAB_OBJECTS : a->cap_pages + 64;
	a->walk = malloc(a->walk_cap * sizeof(*a->walk));
	a->order = malloc(MAX_SLAB_OBJECTS * sizeof(*a->order));
	return mapped && a->mem && a->page && a->vmap && a->slabs && a->dirty && a->open &&
	       a->shaded && a->touched && a->used && a->walk && a->order;
}

/*
 * What is poisoned would be so for whatever is mapped there next. Shadow that was never written is
 * left alone: to write it costs more than the rest of a heap.
 */
static void open_used(struct arena *a)
{
#ifdef HAVE_ASAN
	for (uint32_t g = 0; a->touched && a->used && g < (a->cap_pages + 63) / 64; g++) {
		uint64_t end = ((uint64_t)g + 1) * 64;

		if (!((a->used[g / 64] | a->touched[g / 64]) >> (g % 64) & 1))
			continue;
		end = end < a->cap_pages ? end : a->cap_pages;
		shade(a->mem + (uint64_t)g * 64 * PAGE, (end - (uint64_t)g * 64) * PAGE, 0);
	}
#else
	(void)a;
#endif
}

static void unmap_arena(struct arena *a)
{
	uint64_t bytes = (uint64_t)a->cap_pages * PAGE;

	if (a->mem) {
		open_used(a);
		munmap(a->mem, bytes);
	}
	if (a->page)
		munmap(a->page, (uint64_t)((a->cap_pages + 63) / 64) * 64 * sizeof(*a->page));
	if (a->vmap)
		munmap(a->vmap, (uint64_t)VMAP_PAGES * sizeof(*a->vmap));
	if (a->slabs)
		munmap(a->slabs, (uint64_t)SMAP_PAGES * sizeof(*a->slabs));
	if (a->areas)
		munmap(a->areas, (uint64_t)VMAP_PAGES * PAGE);
	if (a->alias)
		munmap(a->alias, (uint64_t)ALIAS_PAGES * PAGE);
	if (a->shared)
		close(a->fd);
	free(a->dirty);
	free(a->open);
	free(a->shaded);
	free(a->touched);
	free(a->used);
	free(a->walk);
	free(a->order);
	for (uint32_t i = 0; i < a->cap_caches; i++)
		free(a->cache[i]);
	free(a->cache);
	memset(a, 0, sizeof(*a));
}

static uint32_t room_for(uint32_t pages)
{
	uint32_t room = ARENA_PAGES_MIN;

	if (pages > ARENA_PAGES_ROUNDED)
		return pages;
	while (room < pages)
		room *= 2;
	return room;
}

static bool new_arena(struct arena *a, uint32_t pages, bool shared)
{
	a->pages = pages;
	a->cap_pages = room_for(pages);
	return map_arena(a, shared);
}

static bool spare_arena(struct arena *a, uint32_t pages, bool shared)
{
	if (!spare_take(a, pages, shared))
		return false;
	if (a->pages == pages)
		return true;
	a->pages = pages;
	if (!shared || (unmap_window(a->mem, a->cap_pages) && map_frames(a, pages)))
		return true;
	unmap_arena(a);
	return false;
}

bool arena_init(struct sf_heap *h, struct sf_error *err)
{
	bool shared = h->policy && h->policy->pools;
	uint32_t pages = (uint32_t)h->set.pages;
	struct arena *a = &h->arena;

	if (!spare_arena(a, pages, shared) && !new_arena(a, pages, shared)) {
		snprintf(err->text, sizeof(err->text), "no memory for an arena of %u pages: %s",
			 pages, strerror(errno));
		unmap_arena(a);
		return false;
	}
	a->smap = h->set.slab_virtual ? a->slabs : NULL;
	a->groups = (pages + 63) / 64;
	a->words = (uint64_t)pages * (PAGE / sizeof(uint64_t));
	return true;
}

static void reset_group(struct arena *a, uint32_t g)
{
	uint8_t *mem = a->mem + (uint64_t)g * 64 * PAGE;

	for (uint64_t bits = a->dirty[g]; bits; bits &= bits - 1)
		wipe(mem + (uint64_t)__builtin_ctzll(bits) * PAGE, PAGE);
	a->dirty[g] = 0;
	a->open[g] = a->shaded[g] = 0;
	wipe(a->page + (uint64_t)g * 64, 64 * sizeof(*a->page));
}

static void reset_touched(struct arena *a)
{
	for (uint32_t w = 0; w < (a->groups + 63) / 64; w++) {
		for (uint64_t bits = a->touched[w]; bits; bits &= bits - 1)
			reset_group(a, w * 64 + (uint32_t)__builtin_ctzll(bits));
		a->used[w] |= a->touched[w];
		a->touched[w] = 0;
	}
	memset(a->vmap, 0, a->vmap_next * sizeof(*a->vmap));
	a->vmap_next = 0;
	a->nr_areas = 0;
}

void arena_reset(struct sf_heap *h)
{
	reset_touched(&h->arena);
}

static void wipe_descriptors(struct arena *a)
{
	for (uint32_t w = 0; w < (a->groups + 63) / 64; w++)
		for (uint64_t bits = a->used[w]; bits; bits &= bits - 1) {
			uint32_t g = w * 64 + (uint32_t)__builtin_ctzll(bits);

			wipe(a->page + (uint64_t)g * 64, 64 * sizeof(*a->page));
		}
}

/*
 * As new, whatever became of the heap: only what arena.c itself keeps of it (pages written and
 * opened, groups of descriptors) and how far the windows go is relied on. False: it cannot be.
 */
static bool clean(struct arena *a)
{
	if (!a->groups || a->sealed)
		return false;
	if (a->shared && mprotect(a->mem, (uint64_t)a->pages * PAGE, PROT_READ | PROT_WRITE))
		return false;
	reset_touched(a);
	memset(a->slabs, 0, a->smap_next * sizeof(*a->slabs));
	wipe_descriptors(a);
	a->smap_next = 0;
	a->area = NULL;
	a->cap_areas = 0;
	a->traps = false;
	return true;
}

/* Others make way for it: sizes that are no longer asked for are not to fill the list. */
static bool keep(const struct arena *a)
{
	struct arena other;

	for (unsigned int i = 0; i < 4; i++) {
		if (spare_keep(a))
			return true;
		if (!spare_drop(&other))
			return false;
		unmap_arena(&other);
	}
	return false;
}

void arena_free(struct sf_heap *h)
{
	struct arena *a = &h->arena;

	free(a->area);
	if (a->cap_pages <= ARENA_PAGES_KEPT && clean(a) && keep(a))
		memset(a, 0, sizeof(*a));
	else
		unmap_arena(a);
}

/* Under misuse all raw stores go the long way while there is something to trap. */
void arena_sealed(struct sf_heap *h, int32_t more)
{
	struct arena *a = &h->arena;

	heap_assert(h, more >= 0 || a->sealed >= (uint32_t)-more);
	a->sealed += (uint32_t)more;
	a->traps = a->sealed && h->set.misuse;
	a->words = a->traps ? 0 : (uint64_t)a->pages * (PAGE / sizeof(uint64_t));
}

uint32_t addr_pfn(const struct sf_heap *h, uint64_t addr)
{
	const struct arena *a = &h->arena;
	/* What lies below a window is far above its end: differences wrap. As 0 - 1 to NO_PFN. */
	uint64_t n = (addr - SF_DIRECT_MAP) >> SF_PAGE_SHIFT;

	if (n < a->pages)
		return (uint32_t)n;
	n = (addr - SF_SLAB_WINDOW) >> SF_PAGE_SHIFT;
	if (n < a->smap_next)
		return a->smap[n] & SMAP_FREE ? NO_PFN : a->smap[n] - 1;
	n = (addr - SF_VMALLOC) >> SF_PAGE_SHIFT;
	if (n < a->vmap_next && !(a->vmap[n] & VMAP_AREA))
		return a->vmap[n] - 1;
	return NO_PFN;
}

/* Is that a page of a pool's area, and its address there (not in the direct map)? */
static bool is_pooled(const struct sf_heap *h, uint64_t addr, uint32_t pfn)
{
	return h->arena.areas && h->arena.page[pfn].state == PAGE_POOL &&
	       addr - SF_VMALLOC < (uint64_t)VMAP_PAGES << SF_PAGE_SHIFT;
}

/*
 * The host address of `addr`, NULL if nothing is mapped there; and how many bytes from there on (at
 * most len) are contiguous, or belong to a page that is not mapped. What users wrote to such a page
 * is not there afterwards: verify() finds that, and so it has a title.
 */
static uint8_t *find(const struct sf_heap *h, uint64_t addr, uint64_t len, uint64_t *n)
{
	uint64_t off = addr - SF_DIRECT_MAP, size = (uint64_t)h->arena.pages * PAGE;
	uint32_t pfn;

	if (off < size) {
		*n = len < size - off ? len : size - off;
		return h->arena.mem + off;
	}
	off = addr & (PAGE - 1);
	*n = len < PAGE - off ? len : PAGE - off;
	pfn = addr_pfn(h, addr);
	if (pfn == NO_PFN)
		return NULL;
	if (is_pooled(h, addr, pfn))
		return h->arena.areas + (addr - SF_VMALLOC);
	return h->arena.mem + pfn * PAGE + off;
}

/* The frame behind a host address that find() gave. */
static uint64_t frame_at(const struct sf_heap *h, const uint8_t *p)
{
	const struct arena *a = &h->arena;
	uint64_t n = (uint64_t)(p - a->mem) >> SF_PAGE_SHIFT;

	return n < a->pages ? n : a->vmap[(uint64_t)(p - a->areas) >> SF_PAGE_SHIFT] - 1ull;
}

static void mark(struct sf_heap *h, uint64_t *map, const uint8_t *p, uint64_t n)
{
	uint64_t first = frame_at(h, p);
	uint64_t last = first + (((uintptr_t)p & (PAGE - 1)) + n - 1) / PAGE;

	if (n == 0)
		return;
	heap_assert(h, first <= last && last < h->arena.pages);
	for (uint64_t i = first; i <= last; i++) {
		map[i >> 6] |= 1ull << (i & 63);
		arena_touch(&h->arena, (uint32_t)i);
	}
}

void arena_dirtied(struct sf_heap *h, uint32_t pfn)
{
	heap_assert(h, pfn < h->arena.pages);
	mark(h, h->arena.dirty, h->arena.mem + (uint64_t)pfn * PAGE, 1);
}

/* True if the page that p points into was written since boot. */
static bool is_dirty(const struct sf_heap *h, const uint8_t *p)
{
	uint64_t pfn = frame_at(h, p);

	return h->arena.dirty[pfn >> 6] >> (pfn & 63) & 1;
}

/* --- raw accessors --- */

typedef uint64_t word __attribute__((aligned(1), may_alias)); /* misuse aligns nothing */

RAW static void copy(uint8_t *to, const uint8_t *from, uint64_t n)
{
	uint64_t i = 0;

	for (; i + 8 <= n; i += 8) {
		*(word *)(to + i) = *(const word *)(from + i);
		__asm__ volatile("" ::: "memory");
	}
	for (; i < n; i++) {
		to[i] = from[i];
		__asm__ volatile("" ::: "memory");
	}
}

/* What there is to be stored, for trap_store(). */
struct store {
	uint8_t *to;
	const uint8_t *from; /* copies */
	uint64_t n;
	struct arena *a;     /* patterns */
	uint64_t off, key;
};

static void store_copy(void *ctx)
{
	const struct store *s = ctx;

	copy(s->to, s->from, s->n);
}

static void store_zeroes(void *ctx)
{
	const struct store *s = ctx;

	wipe(s->to, s->n);
}

uint64_t arena_peek(const struct sf_heap *h, uint64_t addr, void *to, uint64_t len)
{
	uint64_t done = 0;

	while (done < len) {
		uint64_t n;
		const uint8_t *p = find(h, addr + done, len - done, &n);

		if (!p)
			break;
		copy((uint8_t *)to + done, p, n);
		done += n;
	}
	return done;
}

/* Where some page is sealed: no more than one at a time, so that it is written or it is not. */
static bool poke_page(struct sf_heap *h, uint8_t *p, const uint8_t *from, uint64_t *n)
{
	uint64_t room = PAGE - ((uintptr_t)p & (PAGE - 1));
	struct store s = { .to = p, .from = from, .n = *n < room ? *n : room };

	*n = s.n;
	mark(h, h->arena.dirty, p, s.n);
	return trap_store(p, s.n, store_copy, &s);
}

uint64_t arena_poke(struct sf_heap *h, uint64_t addr, const void *from, uint64_t len)
{
	uint64_t done = 0;

	while (done < len) {
		uint64_t n;
		uint8_t *p = find(h, addr + done, len - done, &n);

		if (!p)
			break;
		if (!h->arena.sealed) {
			mark(h, h->arena.dirty, p, n);
			copy(p, (const uint8_t *)from + done, n);
		} else if (!poke_page(h, p, (const uint8_t *)from + done, &n)) {
			break;
		}
		done += n;
	}
	return done;
}

/* Of a window that is mapped page by page, across the end of a page, or of nothing at all. */
__attribute__((noinline)) static uint64_t load_anywhere(const struct sf_heap *h, uint64_t addr)
{
	uint64_t value = 0;

	arena_peek(h, addr, &value, sizeof(value));
	return value;
}

__attribute__((noinline)) static void store_anywhere(struct sf_heap *h, uint64_t addr,
						     uint64_t value)
{
	arena_poke(h, addr, &value, sizeof(value));
}

/* Which word of the arena: beyond all of them if it is in another window, or not aligned. */
static uint64_t word_index(uint64_t addr)
{
	uint64_t off = addr - SF_DIRECT_MAP;

	return off >> 3 | off << 61;
}

RAW uint64_t raw_load(const struct sf_heap *h, uint64_t addr)
{
	uint64_t i = word_index(addr);

	if (i >= h->arena.words)
		return load_anywhere(h, addr);
	return ((const uint64_t *)h->arena.mem)[i];
}

RAW void raw_store(struct sf_heap *h, uint64_t addr, uint64_t value)
{
	uint64_t i = word_index(addr), pfn = i / (PAGE / sizeof(uint64_t));

	if (i >= h->arena.words) {
		store_anywhere(h, addr, value);
		return;
	}
	if (!(h->arena.dirty[pfn >> 6] >> (pfn & 63) & 1)) {
		h->arena.dirty[pfn >> 6] |= 1ull << (pfn & 63);
		arena_touch(&h->arena, (uint32_t)pfn);
	}
	((uint64_t *)h->arena.mem)[i] = value;
}

/* False: it is sealed. */
static bool wiped(const struct sf_heap *h, uint8_t *p, uint64_t n)
{
	struct store s = { .to = p, .n = n };

	if (__builtin_expect(h->arena.traps, false))
		return trap_store(p, n, store_zeroes, &s);
	wipe(p, n);
	return true;
}

void raw_wipe(struct sf_heap *h, uint64_t addr, uint64_t len)
{
	while (len) {
		uint64_t n, room = PAGE - (addr & (PAGE - 1));
		uint8_t *p = find(h, addr, len < room ? len : room, &n);

		if (p && is_dirty(h, p) && wiped(h, p, n) && n == PAGE) {
			uint64_t pfn = frame_at(h, p);

			h->arena.dirty[pfn >> 6] &= ~(1ull << (pfn & 63));
		}
		addr += n;
		len -= n;
	}
}

void raw_copy(struct sf_heap *h, uint64_t to, uint64_t from, uint64_t len)
{
	while (len) {
		uint64_t n, m, room = PAGE - (to & (PAGE - 1)), room2 = PAGE - (from & (PAGE - 1));
		uint8_t *dst, *src;

		if (room > room2)
			room = room2;
		dst = find(h, to, len < room ? len : room, &n);
		src = find(h, from, n, &m);
		/* Zero on zero changes nothing: large objects are mostly pages never written. */
		if (dst && src && (is_dirty(h, src) || is_dirty(h, dst))) {
			struct store s = { .to = dst, .from = src, .n = n };

			mark(h, h->arena.dirty, dst, n);
			if (__builtin_expect(h->arena.traps, false))
				trap_store(dst, n, store_copy, &s);
			else
				copy(dst, src, n);
		}
		to += n;
		from += n;
		len -= n;
	}
}

#ifdef HAVE_ASAN
static void set_range(struct sf_heap *h, uint64_t addr, uint64_t len, bool usable)
{
	while (len) {
		uint64_t n;
		uint8_t *p = find(h, addr, len, &n);

		if (p)
			set_usable(&h->arena, p, n, usable);
		addr += n;
		len -= n;
	}
}
#else
static void set_range(struct sf_heap *h, uint64_t addr, uint64_t len, bool usable)
{
	(void)h;
	(void)addr;
	(void)len;
	(void)usable;
}
#endif

void arena_open(struct sf_heap *h, uint64_t addr, uint64_t len)
{
	set_range(h, addr, len, true);
}

void arena_close(struct sf_heap *h, uint64_t addr, uint64_t len)
{
	set_range(h, addr, len, false);
}

/* --- contents --- */

/*
 * Words of a range that is known to be usable. The pattern's product is kept as a sum, which
 * compilers turn into vectors. `off` is the position in the object of p[0], a multiple of 8.
 */
#define PATTERN_STEP 0x9e3779b97f4a7c15ull /* as in sf_pattern() */

_Static_assert(SF_SPARSE_EDGE % 8 == 0, "edges are whole words");

RAW static void fill_usable(uint8_t *p, uint64_t off, uint64_t n, uint64_t key)
{
	uint64_t sum = off / 8 * PATTERN_STEP, i, w;

	for (i = 0; i + 8 <= n; i += 8, sum += PATTERN_STEP)
		*(uint64_t *)(p + i) = (key ^ sum) | 1;
	for (w = (key ^ sum) | 1; i < n; i++, w >>= 8)
		p[i] = (uint8_t)w;
}

/* The first byte from p[from] on that differs, or n; `from` is where a word begins. */
RAW static uint64_t first_bad(const uint8_t *p, uint64_t off, uint64_t from, uint64_t n,
			      uint64_t key)
{
	for (uint64_t i = from, w = 0; i < n; i++, w >>= 8) {
		if (i % 8 == 0)
			w = sf_pattern(key, (off + i) / 8);
		if (p[i] != (uint8_t)w)
			return i;
	}
	return n;
}

RAW static uint64_t verify_usable(const uint8_t *p, uint64_t off, uint64_t n, uint64_t key)
{
	uint64_t sum = off / 8 * PATTERN_STEP, i = 0;

	for (; i + 64 <= n; i += 64) {
		uint64_t differ = 0, s = sum;

		for (unsigned int k = 0; k < 64; k += 8, s += PATTERN_STEP)
			differ |= *(const uint64_t *)(p + i + k) ^ ((key ^ s) | 1);
		if (differ)
			break;
		sum = s;
	}
	for (; i + 8 <= n; i += 8, sum += PATTERN_STEP)
		if (*(const uint64_t *)(p + i) != ((key ^ sum) | 1))
			break;
	return first_bad(p, off, i, n, key);
}

#ifdef HAVE_ASAN
/*
 * Something of it is poisoned: the sanitizer stops these at the very byte that the model should not
 * have given out. Titles name them.
 */
__attribute__((noinline)) static void fill_watched(uint8_t *p, uint64_t off, uint64_t n,
						   uint64_t key)
{
	for (uint64_t i = 0; i < n; i++)
		p[i] = (uint8_t)(sf_pattern(key, (off + i) / 8) >> i % 8 * 8);
}

__attribute__((noinline)) static uint64_t verify_watched(const uint8_t *p, uint64_t off,
							 uint64_t n, uint64_t key)
{
	for (uint64_t i = 0; i < n; i++)
		if (p[i] != (uint8_t)(sf_pattern(key, (off + i) / 8) >> i % 8 * 8))
			return i;
	return n;
}
#endif

static void fill_words(struct arena *a, uint8_t *p, uint64_t off, uint64_t n, uint64_t key)
{
#ifdef HAVE_ASAN
	if (!known_usable(a, p, n)) {
		fill_watched(p, off, n, key);
		return;
	}
#else
	(void)a;
#endif
	fill_usable(p, off, n, key);
}

static uint64_t verify_words(struct arena *a, const uint8_t *p, uint64_t off, uint64_t n,
			     uint64_t key)
{
	uint64_t good;

#ifdef HAVE_ASAN
	if (!known_usable(a, p, n)) {
		good = verify_watched(p, off, n, key);
		return good < n ? off + good : SF_GOOD;
	}
#else
	(void)a;
#endif
	good = verify_usable(p, off, n, key);
	return good < n ? off + good : SF_GOOD;
}

static void store_pattern(void *ctx)
{
	const struct store *s = ctx;

	fill_words(s->a, s->to, s->off, s->n, s->key);
}

/* False: some of it is sealed. */
static bool fill_range(struct sf_heap *h, uint64_t addr, uint64_t off, uint64_t len, uint64_t key)
{
	bool done = true;

	while (len) {
		uint64_t n;
		uint8_t *p = find(h, addr + off, len, &n);

		if (p) {
			struct store s = { .a = &h->arena, .to = p, .n = n, .off = off,
					   .key = key };

			mark(h, h->arena.dirty, p, n);
			if (__builtin_expect(h->arena.traps, false))
				done = trap_store(p, n, store_pattern, &s) && done;
			else
				fill_words(&h->arena, p, off, n, key);
		}
		off += n;
		len -= n;
	}
	return done;
}

static uint64_t verify_range(struct sf_heap *h, uint64_t addr, uint64_t off, uint64_t len,
			     uint64_t key)
{
	while (len) {
		uint64_t n, bad;
		uint8_t *p = find(h, addr + off, len, &n);

		bad = p ? verify_words(&h->arena, p, off, n, key) : off;
		if (bad != SF_GOOD)
			return bad;
		off += n;
		len -= n;
	}
	return SF_GOOD;
}

static uint64_t sparse_step(uint64_t size)
{
	return (size / SF_SPARSE_POINTS + PAGE - 1) / PAGE * PAGE;
}

/* Where the last edge begins: a multiple of 8, so that words of edge and middle coincide. */
static uint64_t last_edge(uint64_t size)
{
	return (size - SF_SPARSE_EDGE) & ~7ull;
}

static bool fill(struct sf_heap *h, uint64_t addr, uint64_t size, uint64_t key,
		 enum sf_contents how)
{
	uint64_t step, last;
	bool done;

	if (how == SF_CONTENTS_WHOLE || size <= SF_SPARSE_MIN)
		return fill_range(h, addr, 0, size, key);
	last = last_edge(size);
	done = fill_range(h, addr, 0, SF_SPARSE_EDGE, key);
	done = fill_range(h, addr, last, size - last, key) && done;
	step = sparse_step(size);
	for (uint64_t off = step; off + 8 <= last; off += step)
		done = fill_range(h, addr, off, 8, key) && done;
	return done;
}

void arena_fill(struct sf_heap *h, uint64_t addr, uint64_t size, uint64_t key,
		enum sf_contents how)
{
	fill(h, addr, size, key, how);
}

struct attempt {
	struct sf_heap *h;
	uint64_t addr, size, key;
	enum sf_contents how;
};

static void try_fill(void *ctx)
{
	const struct attempt *t = ctx;

	fill(t->h, t->addr, t->size, t->key, t->how);
}

/* One trap for all of it: an object of a pool is contiguous on the host. */
bool arena_try_fill(struct sf_heap *h, uint64_t addr, uint64_t size, uint64_t key,
		    enum sf_contents how)
{
	struct attempt t = { h, addr, size, key, how };
	uint64_t n;
	uint8_t *p;

	if (h->arena.traps)
		return fill(h, addr, size, key, how);
	p = find(h, addr, size, &n);
	return p && trap_store(p, size, try_fill, &t);
}

uint64_t arena_verify(struct sf_heap *h, uint64_t addr, uint64_t size, uint64_t key,
		      enum sf_contents how)
{
	uint64_t step, last, bad;

	if (how == SF_CONTENTS_WHOLE || size <= SF_SPARSE_MIN)
		return verify_range(h, addr, 0, size, key);
	last = last_edge(size);
	bad = verify_range(h, addr, 0, SF_SPARSE_EDGE, key);
	step = sparse_step(size);
	for (uint64_t off = step; bad == SF_GOOD && off + 8 <= last; off += step)
		bad = verify_range(h, addr, off, 8, key);
	return bad == SF_GOOD ? verify_range(h, addr, last, size - last, key) : bad;
}

RAW static uint64_t first_nonzero(const uint8_t *p, uint64_t n)
{
	uint64_t i = 0;

	for (; i < n && ((uintptr_t)(p + i) & 7); i++)
		if (p[i])
			return i;
	for (; i + 8 <= n; i += 8)
		if (*(const uint64_t *)(p + i))
			break;
	for (; i < n; i++)
		if (p[i])
			return i;
	return n;
}

/* Whole in every case: pages that were never written are zero by the arena's invariant. */
uint64_t arena_zeroed(struct sf_heap *h, uint64_t addr, uint64_t from, uint64_t to,
		      enum sf_contents how)
{
	(void)how;
	while (from < to) {
		uint64_t n, room = PAGE - ((addr + from) & (PAGE - 1)), bad;
		uint8_t *p = find(h, addr + from, to - from < room ? to - from : room, &n);

		if (!p)
			return from;
		if (is_dirty(h, p)) {
			bad = first_nonzero(p, n);
			if (bad < n)
				return from + bad;
		}
		from += n;
	}
	return SF_GOOD;
}

uint64_t arena_dirty(const struct sf_heap *h, uint32_t pfn, uint32_t nr)
{
	heap_assert(h, pfn < h->arena.pages && nr <= h->arena.pages - pfn);
	for (uint32_t i = 0; i < nr; i++) {
		const uint8_t *p = h->arena.mem + (uint64_t)(pfn + i) * PAGE;
		uint64_t bad = is_dirty(h, p) ? first_nonzero(p, PAGE) : PAGE;

		if (bad < PAGE)
			return i * PAGE + bad;
	}
	return SF_GOOD;
}
