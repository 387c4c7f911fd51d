// SPDX-License-Identifier: MIT
/*
 * test_malloc_oracles.c - the rules of user space: streams of hand-made events that break one each,
 * and ones that only look like it; the kernel's rules accuse no correct malloc; and whatever a
 * broken allocator says, the judge stays whole. Relies on event_fixture.h.
 */
#include <errno.h>

#include "../oracles/oracle.h"

#define CAPS                                                                                   \
	(SF_CAP_ADDRESS | SF_CAP_MALLOC | SF_CAP_CALLOC | SF_CAP_REALLOC | SF_CAP_REALLOCARRAY | \
	 SF_CAP_ALIGNED_ALLOC | SF_CAP_POSIX_MEMALIGN | SF_CAP_MEMALIGN | SF_CAP_FREE_SIZED |  \
	 SF_CAP_FREE_ALIGNED | SF_CAP_GOOD_SIZE | SF_CAP_TRIM | SF_CAP_STATS |                 \
	 SF_CAP_INTEGRITY | SF_CAP_HEAPS | SF_CAP_REGIONS | SF_CAP_THREADS | SF_CAP_USABLE |   \
	 SF_CAP_CONTENTS | SF_CAP_ZERO | SF_CAP_ARRAY | SF_CAP_TEARDOWN)
#define FIXTURE_MEMBERS struct sf_traits traits;

#include "event_fixture.h"

#define BASE 0x7f0000000000ull
#define BLOCK (BASE + 0x100000 + 40) /* of heap 1, 4000 bytes */
#define SECOND (BASE + 0x200000)     /* its second region, or heap 2's block */

static void heap(struct fixture *f)
{
	EMIT(f, HEAP, heap, .allocator = "hand-made", .caps = f->caps, .settings = &f->set,
	     .traits = f->traits.align ? &f->traits : NULL);
	EMIT(f, BEGIN, run, .ops = 1);
}

static struct sf_traits *traits(struct fixture *f)
{
	if (!f->traits.align)
		f->traits = sf_traits_default;
	return &f->traits;
}

/* --- events --- */

/* As `call` of `size` bytes is answered that gets object `id` at `addr`. 0: NULL, ENOMEM. */
static struct sf_ev_alloc got(uint8_t call, uint32_t id, uint64_t addr, uint64_t size)
{
	return (struct sf_ev_alloc){
		.id = addr ? id : SF_NONE, .res = id, .api = SF_API_FOREIGN, .call = call,
		.status = addr ? SF_OK : SF_NULL, .bucket = SF_NONE, .cache = SF_NONE, .n = 1,
		.elem = size, .size = size, .addr = addr, .dirty = SF_GOOD, .old_id = SF_NONE,
		.bad = SF_GOOD, .error = addr ? 0 : ENOMEM,
		.place = { .cache = SF_NONE, .pfn = SF_NO_PFN },
	};
}

static void tell(struct fixture *f, struct sf_ev_alloc a)
{
	f->op++;
	emit(f, a.old_id == SF_NONE ? SF_EV_ALLOC : SF_EV_REALLOC, (struct sf_event){ .alloc = a });
}

static void get(struct fixture *f, uint32_t id, uint64_t addr, uint64_t size)
{
	tell(f, got(SF_CALL_MALLOC, id, addr, size));
}

static struct sf_ev_alloc aligned(uint8_t call, uint64_t addr, uint32_t align, uint64_t size)
{
	struct sf_ev_alloc a = got(call, 0, addr, size);

	a.align = align;
	if (call == SF_CALL_POSIX_MEMALIGN) {
		a.error = 0;
		a.ret = addr ? 0 : ENOMEM;
	}
	return a;
}

/* Object 0, of 64 bytes at BASE, by realloc. */
static struct sf_ev_alloc resized(struct fixture *f, uint64_t addr, uint64_t size)
{
	struct sf_ev_alloc a = got(SF_CALL_REALLOC, 0, addr, size);

	get(f, 0, BASE, 64);
	a.old_id = 0;
	a.old_addr = BASE;
	a.old_size = 64;
	a.kept = size < 64 ? size : 64;
	a.moved = addr != BASE;
	return a;
}

static struct sf_ev_free given(uint32_t id, uint64_t addr)
{
	return (struct sf_ev_free){ .id = id, .res = id, .api = SF_API_FOREIGN, .cache = SF_NONE,
				    .how = SF_FREE_USER, .addr = addr, .bad = SF_GOOD,
				    .known = true, .call = SF_CALL_FREE };
}

static void give(struct fixture *f, struct sf_ev_free e)
{
	f->op++;
	emit(f, SF_EV_FREE, (struct sf_event){ .free = e });
}

static void drop(struct fixture *f, uint32_t id, uint64_t addr)
{
	give(f, given(id, addr));
}

/* --- MAL-1 --- */

static void align_right(struct fixture *f)
{
	get(f, 0, BASE + 16, 16);
	get(f, 1, BASE + 40, 8);
	get(f, 2, BASE + 52, 7); /* of 4, and no larger type fits */
	get(f, 3, BASE + 65, 1);
	get(f, 4, BASE + 3, 0);
	tell(f, aligned(SF_CALL_MEMALIGN, BASE + 4096, 3, 4)); /* rounded, or not: nobody says */
	tell(f, aligned(SF_CALL_ALIGNED_ALLOC, BASE + 8192, 4096, 10));
}

static void align_small(struct fixture *f)
{
	get(f, 0, BASE + 12, 8);
}

static void align_max(struct fixture *f)
{
	get(f, 0, BASE + 8, 16);
}

static void align_after_realloc(struct fixture *f)
{
	tell(f, resized(f, BASE + 4096 + 8, 100));
}

static void align_asked(struct fixture *f)
{
	tell(f, aligned(SF_CALL_POSIX_MEMALIGN, BASE + 16, 64, 100));
}

static void in_strict(struct fixture *f)
{
	traits(f)->align_small = 1;
}

static void align_strict(struct fixture *f)
{
	get(f, 0, BASE + 8, 8);
}

/* kmalloc() on a malloc library. */
static void align_kernel_word(struct fixture *f)
{
	struct sf_ev_alloc a = got(SF_CALL_NONE, 0, BASE + 8, 100);

	a.api = SF_API_KMALLOC;
	tell(f, a);
}

/* --- MAL-2 --- */

static void sized(struct fixture *f, uint32_t id, uint64_t addr, uint64_t size, uint64_t usable)
{
	struct sf_ev_alloc a = got(SF_CALL_MALLOC, id, addr, size);

	a.usable = usable;
	tell(f, a);
}

static void usable_right(struct fixture *f)
{
	sized(f, 0, BASE, 100, 104);
	EMIT(f, KSIZE, ksize, .id = 0, .addr = BASE, .value = 104);
	EMIT(f, KSIZE, ksize, .id = SF_NONE);
	EMIT(f, CONTENT, content, .id = 0, .addr = BASE, .bad = SF_GOOD, .verified = 104);
	drop(f, 0, BASE);
	get(f, 1, BASE, 100);
	EMIT(f, KSIZE, ksize, .id = 1, .addr = BASE, .value = 112);
}

static void usable_less(struct fixture *f)
{
	sized(f, 0, BASE, 100, 96);
}

static void usable_grows(struct fixture *f, bool failed)
{
	sized(f, 0, BASE, 100, 104);
	if (failed)
		EMIT(f, REALLOC, alloc, .call = SF_CALL_REALLOC, .api = SF_API_FOREIGN,
		     .status = SF_NULL, .id = SF_NONE, .old_id = 0, .old_addr = BASE,
		     .old_size = 100, .n = 1, .elem = 1 << 20, .size = 1 << 20,
		     .error = ENOMEM, .bad = SF_GOOD, .cache = SF_NONE, .res = SF_NONE);
	EMIT(f, KSIZE, ksize, .id = 0, .addr = BASE, .value = 112);
}

static void usable_grew(struct fixture *f)
{
	usable_grows(f, true);
}

static void usable_changes(struct fixture *f)
{
	usable_grows(f, false);
}

static void usable_of_null(struct fixture *f)
{
	EMIT(f, KSIZE, ksize, .id = SF_NONE, .value = 8);
}

static void usable_not_kept(struct fixture *f)
{
	sized(f, 0, BASE, 100, 104);
	EMIT(f, CONTENT, content, .id = 0, .addr = BASE, .bad = 101, .verified = 104);
}

static void usable_not_kept_until_free(struct fixture *f)
{
	struct sf_ev_free e = given(0, BASE);

	sized(f, 0, BASE, 100, 104);
	e.bad = 100;
	e.verified = 104;
	give(f, e);
}

/* --- MAL-3 --- */

static void good(struct fixture *f, uint64_t size, uint64_t value)
{
	EMIT(f, GOOD_SIZE, goodsize, .size = size, .value = value);
}

static void good_right(struct fixture *f)
{
	good(f, 100, 112);
	good(f, 0, 16);
	good(f, 112, 112);
	good(f, 113, 128);
	good(f, 1ull << 40, 0);
	good(f, UINT64_MAX, 7);
	for (uint64_t i = 0; i < 100; i++)
		good(f, i, 16 + i);
}

static void good_less(struct fixture *f)
{
	good(f, 100, 96);
}

static void good_falls(struct fixture *f)
{
	good(f, 200, 224);
	good(f, 100, 240);
}

static void good_rises_late(struct fixture *f)
{
	good(f, 100, 240);
	good(f, 200, 224);
}

/* --- MAL-4 --- */

static struct sf_ev_alloc product(uint8_t call, uint64_t addr)
{
	struct sf_ev_alloc a = got(call, 0, addr, UINT64_MAX);

	a.n = 1ull << 33;
	a.elem = 1ull << 32;
	a.overflow = true;
	return a;
}

static void product_right(struct fixture *f)
{
	tell(f, product(SF_CALL_CALLOC, 0));
	get(f, 1, 0, UINT64_MAX);
	get(f, 1, BASE, 100);
	get(f, 2, 0, 1ull << 63);
}

static void product_overflows(struct fixture *f)
{
	tell(f, product(SF_CALL_CALLOC, BASE));
}

static void product_of_realloc(struct fixture *f)
{
	struct sf_ev_alloc a = resized(f, BASE, UINT64_MAX);

	a.call = SF_CALL_REALLOCARRAY;
	a.overflow = true;
	tell(f, a);
}

static void too_large(struct fixture *f)
{
	get(f, 0, BASE, UINT64_MAX - 20);
}

/* --- MAL-5 --- */

static struct sf_ev_alloc zeroed(uint64_t dirty)
{
	struct sf_ev_alloc a = got(SF_CALL_CALLOC, 0, BASE, 100);

	a.usable = a.zeroed = 112;
	a.dirty = dirty;
	return a;
}

static void zero_right(struct fixture *f)
{
	tell(f, zeroed(SF_GOOD));
	drop(f, 0, BASE);
	tell(f, zeroed(100)); /* only what was asked for is promised */
}

static void zero_wrong(struct fixture *f)
{
	tell(f, zeroed(99));
}

static void in_usable(struct fixture *f)
{
	traits(f)->zeroed = SF_ZEROED_USABLE;
}

static void zero_slack(struct fixture *f)
{
	tell(f, zeroed(100));
}

/* --- MAL-6 --- */

static void realloc_right(struct fixture *f)
{
	tell(f, resized(f, BASE + 4096, 100));
	tell(f, got(SF_CALL_MALLOC, 1, BASE, 64)); /* where it was */
	drop(f, 1, BASE);
	drop(f, 0, BASE + 4096);
	tell(f, resized(f, BASE + 16, 100)); /* over what it was */
	drop(f, 0, BASE + 16);
	tell(f, resized(f, BASE, 16)); /* in place: its tail is free */
	get(f, 1, BASE + 16, 48);
	drop(f, 1, BASE + 16);
	drop(f, 0, BASE);
	tell(f, resized(f, 0, 1ull << 40));
}

static void realloc_loses(struct fixture *f)
{
	struct sf_ev_alloc a = resized(f, BASE + 4096, 100);

	a.bad = 63;
	tell(f, a);
}

static void realloc_fails_badly(struct fixture *f)
{
	struct sf_ev_alloc a = resized(f, 0, 1ull << 40);

	a.bad = 0;
	tell(f, a);
}

/* --- MAL-7 --- */

static void in_objects(struct fixture *f)
{
	traits(f)->malloc_zero = SF_MALLOC_ZERO_OBJECT;
	traits(f)->realloc_zero = SF_REALLOC_ZERO_OBJECT;
}

/* What went before may have used it up, and errno says nothing. */
static void in_used_up(struct fixture *f)
{
	in_objects(f);
	traits(f)->error = 0;
	traits(f)->history = 1;
}

static void in_nulls(struct fixture *f)
{
	traits(f)->malloc_zero = SF_MALLOC_ZERO_NULL;
	traits(f)->realloc_zero = SF_REALLOC_ZERO_NULL;
}

static void in_freeing(struct fixture *f)
{
	traits(f)->realloc_zero = SF_REALLOC_ZERO_FREED;
}

static void zero_objects(struct fixture *f)
{
	get(f, 0, BASE, 0);
	get(f, 1, BASE + 16, 0);
	get(f, 2, 0, 0); /* no memory */
	drop(f, 0, BASE);
	drop(f, 1, BASE + 16);
	tell(f, resized(f, BASE + 32, 0));
}

static void zero_nulls(struct fixture *f)
{
	get(f, 1, 0, 0);
	tell(f, resized(f, 0, 0));
}

static void zero_freed(struct fixture *f)
{
	struct sf_ev_alloc a = resized(f, 0, 0);

	a.status = SF_FREED;
	tell(f, a);
	get(f, 1, BASE, 64);
}

static void zero_null(struct fixture *f)
{
	get(f, 0, 0, 0);
}

static void zero_object(struct fixture *f)
{
	get(f, 0, BASE, 0);
}

static void zero_realloc_null(struct fixture *f)
{
	struct sf_ev_alloc a = resized(f, 0, 0);

	a.error = 0;
	tell(f, a);
}

static void zero_realloc_object(struct fixture *f)
{
	tell(f, resized(f, BASE, 0));
}

static void zero_shared(struct fixture *f)
{
	get(f, 0, BASE, 0);
	get(f, 1, BASE, 0);
}

/* --- MAL-8, MAL-9 --- */

static struct sf_ev_alloc posix_failed(uint32_t align, uint64_t size, int32_t ret)
{
	struct sf_ev_alloc a = aligned(SF_CALL_POSIX_MEMALIGN, 0, align, size);

	a.ret = ret;
	return a;
}

static void posix_right(struct fixture *f)
{
	tell(f, aligned(SF_CALL_POSIX_MEMALIGN, BASE, 64, 100));
	tell(f, posix_failed(4, 100, EINVAL));
	tell(f, posix_failed(24, 100, EINVAL));
	tell(f, posix_failed(0, 100, EINVAL));
	tell(f, posix_failed(64, 1ull << 40, ENOMEM));
	tell(f, posix_failed(1u << 31, 100, EINVAL));
	tell(f, posix_failed(64, 0, 0));
	tell(f, posix_failed(64, 0, 77));
}

static void posix_takes(struct fixture *f)
{
	tell(f, aligned(SF_CALL_POSIX_MEMALIGN, BASE, 48, 100));
}

static void posix_takes_small(struct fixture *f)
{
	tell(f, aligned(SF_CALL_POSIX_MEMALIGN, BASE, 4, 100));
}

static void posix_not_einval(struct fixture *f)
{
	tell(f, posix_failed(24, 100, ENOMEM));
}

static void posix_einval(struct fixture *f)
{
	tell(f, posix_failed(64, 100, EINVAL));
}

static void posix_other(struct fixture *f)
{
	tell(f, posix_failed(64, 100, -1));
}

static void posix_nothing(struct fixture *f)
{
	tell(f, posix_failed(64, 100, 0));
}

static void posix_touches(struct fixture *f)
{
	struct sf_ev_alloc a = posix_failed(64, 1ull << 40, ENOMEM);

	a.touched = true;
	tell(f, a);
}

static void aligned_right(struct fixture *f)
{
	struct sf_ev_alloc a = aligned(SF_CALL_ALIGNED_ALLOC, 0, 48, 100);

	a.error = EINVAL;
	tell(f, a);
}

static void aligned_takes(struct fixture *f)
{
	tell(f, aligned(SF_CALL_ALIGNED_ALLOC, BASE, 48, 100));
}

/* --- MAL-10 --- */

static struct sf_ev_alloc failed(int32_t error)
{
	struct sf_ev_alloc a = got(SF_CALL_MALLOC, 0, 0, 1ull << 40);

	a.error = error;
	return a;
}

static void errno_right(struct fixture *f)
{
	struct sf_ev_alloc a = aligned(SF_CALL_ALIGNED_ALLOC, 0, 64, 1ull << 40);

	tell(f, failed(ENOMEM));
	a.error = EINVAL;
	tell(f, a);
	tell(f, aligned(SF_CALL_MEMALIGN, 0, 48, 100));
	get(f, 0, BASE, 100);
	drop(f, 0, BASE);
	drop(f, SF_NONE, 0);
}

static void errno_unset(struct fixture *f)
{
	tell(f, failed(0));
}

static void errno_other(struct fixture *f)
{
	tell(f, failed(EAGAIN));
}

static void in_careful(struct fixture *f)
{
	traits(f)->free_error = 1;
}

static void errno_lost(struct fixture *f)
{
	struct sf_ev_free e = given(0, BASE);

	get(f, 0, BASE, 100);
	e.error = EINVAL;
	give(f, e);
}

static void null_refused(struct fixture *f)
{
	struct sf_ev_free e = given(SF_NONE, 0);

	e.status = SF_NOTICED;
	give(f, e);
}

static void no_address(struct fixture *f)
{
	get(f, 0, 32, 100);
}

/* --- MAL-11, MAL-12 --- */

static void user_heap(struct fixture *f, uint8_t act, uint32_t nr, uint32_t region, uint64_t addr)
{
	f->op++;
	EMIT(f, USER_HEAP, userheap, .act = act, .heap = nr, .region = region, .addr = addr,
	     .size = 4000);
}

static void in_heap(struct fixture *f, uint32_t nr, uint32_t id, uint64_t addr, uint64_t size)
{
	struct sf_ev_alloc a = got(SF_CALL_MALLOC, id, addr, size);

	a.heap = nr;
	tell(f, a);
}

static void heaps_right(struct fixture *f)
{
	user_heap(f, SF_HEAP_CREATE, 1, 0, BLOCK);
	user_heap(f, SF_HEAP_CREATE, 2, 0, SECOND);
	in_heap(f, 1, 0, BLOCK + 8, 3992);
	in_heap(f, 2, 1, SECOND, 16);
	in_heap(f, 0, 2, BASE, 4096);
	user_heap(f, SF_HEAP_DESTROY, 2, 0, 0);
	drop(f, 1, SECOND);
	user_heap(f, SF_HEAP_ADD, 1, 1, SECOND);
	in_heap(f, 1, 1, SECOND, 16);
	drop(f, 1, SECOND);
	user_heap(f, SF_HEAP_REMOVE, 1, 1, 0);
	in_heap(f, 0, 1, SECOND, 16);
}

static void heap_overrun(struct fixture *f)
{
	user_heap(f, SF_HEAP_CREATE, 1, 0, BLOCK);
	in_heap(f, 1, 0, BLOCK + 8, 3993);
}

static void heap_mixed(struct fixture *f)
{
	user_heap(f, SF_HEAP_CREATE, 1, 0, BLOCK);
	in_heap(f, 0, 0, BLOCK + 8, 16);
}

static void heap_gone(struct fixture *f)
{
	user_heap(f, SF_HEAP_CREATE, 1, 0, BLOCK);
	user_heap(f, SF_HEAP_DESTROY, 1, 0, 0);
	in_heap(f, 1, 0, BLOCK + 8, 16);
}

/* Where the block lies is not told: nothing can be said. */
static void heap_somewhere(struct fixture *f)
{
	user_heap(f, SF_HEAP_CREATE, 1, 0, 0);
	in_heap(f, 1, 0, BASE, 16);
	in_heap(f, 1, 1, BASE + 8192, 16);
}

static void region_removed(struct fixture *f)
{
	user_heap(f, SF_HEAP_CREATE, 1, 0, BLOCK);
	user_heap(f, SF_HEAP_ADD, 1, 1, SECOND);
	in_heap(f, 1, 0, SECOND + 16, 16);
	user_heap(f, SF_HEAP_REMOVE, 1, 1, 0);
}

static void region_free(struct fixture *f)
{
	user_heap(f, SF_HEAP_CREATE, 1, 0, BLOCK);
	user_heap(f, SF_HEAP_ADD, 1, 1, SECOND);
	in_heap(f, 1, 0, BLOCK + 8, 16);
	user_heap(f, SF_HEAP_REMOVE, 1, 1, 0);
}

/* --- MAL-13, MAL-14 --- */

static void count(struct fixture *f, uint64_t live, uint64_t used)
{
	f->op++;
	EMIT(f, STATS, stats, .live = live, .used = used, .free = SF_UNKNOWN, .total = SF_UNKNOWN,
	     .peak = SF_UNKNOWN);
}

static void in_rounding(struct fixture *f)
{
	traits(f)->stats_rounding = 16;
}

/* The library itself has 3 objects of 1000 bytes. */
static void stats_right(struct fixture *f)
{
	count(f, 3, 1000);
	sized(f, 0, BASE, 100, 112);
	count(f, 4, 1128);
	sized(f, 1, BASE + 128, 100, 112);
	count(f, 5, 1200);
	drop(f, 0, BASE);
	count(f, 4, 1100);
	drop(f, 1, BASE + 128);
	count(f, 3, 1000);
	f->op++;
	EMIT(f, STATS, stats, .live = SF_UNKNOWN, .used = 1000, .total = 4096, .peak = 1200);
}

static void stats_few(struct fixture *f)
{
	get(f, 0, BASE, 100);
	count(f, 0, 100);
}

static void stats_lost(struct fixture *f)
{
	count(f, 3, 1000);
	get(f, 0, BASE, 100);
	count(f, 3, 1100);
}

static void stats_kept(struct fixture *f)
{
	get(f, 0, BASE, 100);
	count(f, 1, 100);
	drop(f, 0, BASE);
	count(f, 1, 0);
}

/* What a heap takes for itself comes and goes with it. */
static void stats_of_heaps(struct fixture *f)
{
	count(f, 1, 100);
	user_heap(f, SF_HEAP_CREATE, 1, 0, BLOCK);
	count(f, 2, 300);
	in_heap(f, 1, 0, BLOCK + 8, 16);
	count(f, 3, 316);
	drop(f, 0, BLOCK + 8);
	user_heap(f, SF_HEAP_DESTROY, 1, 0, 0);
	count(f, 1, 100);
}

static void stats_of_lost_heap(struct fixture *f)
{
	count(f, 1, 100);
	user_heap(f, SF_HEAP_CREATE, 1, 0, BLOCK);
	count(f, 2, 300);
	user_heap(f, SF_HEAP_DESTROY, 1, 0, 0);
	count(f, 2, 100);
}

static void stats_used_few(struct fixture *f)
{
	count(f, 0, 1000);
	get(f, 0, BASE, 100);
	count(f, 1, 1099);
}

static void stats_used_none(struct fixture *f)
{
	get(f, 0, BASE, 100);
	count(f, 1, 99);
}

static void stats_used_many(struct fixture *f)
{
	count(f, 0, 1000);
	sized(f, 0, BASE, 100, 112);
	count(f, 1, 1129);
}

static void stats_free_lost(struct fixture *f)
{
	f->op++;
	EMIT(f, STATS, stats, .live = 0, .used = 0, .free = 4096, .total = 4096, .peak = 0);
	get(f, 0, BASE, 100);
	drop(f, 0, BASE);
	f->op++;
	EMIT(f, STATS, stats, .live = 0, .used = 0, .free = 3984, .total = 4096, .peak = 100);
}

static void stats_free_of_less(struct fixture *f)
{
	f->op++;
	EMIT(f, STATS, stats, .live = 0, .used = 0, .free = 4096, .total = 4096, .peak = 0);
	get(f, 0, BASE, 100);
	drop(f, 0, BASE);
	f->op++;
	EMIT(f, STATS, stats, .live = 0, .used = 0, .free = 2048, .total = 2048, .peak = 100);
}

static void stats_not_back(struct fixture *f)
{
	count(f, 0, 1000);
	get(f, 0, BASE, 100);
	drop(f, 0, BASE);
	count(f, 0, 1016);
}

static void stats_below(struct fixture *f)
{
	count(f, 0, 1000);
	count(f, 0, 984);
}

static void stats_total(struct fixture *f)
{
	EMIT(f, STATS, stats, .used = 100, .total = 99, .peak = SF_UNKNOWN);
}

static void stats_peak(struct fixture *f)
{
	EMIT(f, STATS, stats, .used = 100, .total = SF_UNKNOWN, .peak = 99);
}

static void stats_peak_falls(struct fixture *f)
{
	EMIT(f, STATS, stats, .used = 100, .total = SF_UNKNOWN, .peak = 200);
	EMIT(f, STATS, stats, .used = 100, .total = SF_UNKNOWN, .peak = 100);
}

/* What a library keeps for itself may grow where nothing is said of it. */
static void in_caching(struct fixture *f)
{
	traits(f)->stats_return = 0;
}

static void stats_caching(struct fixture *f)
{
	count(f, 0, 1000);
	get(f, 0, BASE, 100);
	drop(f, 0, BASE);
	count(f, 1, 1112);
	count(f, 0, 0);
}

static void sound(struct fixture *f)
{
	EMIT(f, INTEGRITY, integrity, .what = NULL);
}

static void unsound(struct fixture *f)
{
	EMIT(f, INTEGRITY, integrity, .what = "a free block has no footer");
}

/* --- MAL-15 to MAL-17 --- */

static void in_noticing(struct fixture *f)
{
	traits(f)->double_free = traits(f)->wild_free = SF_NOTICE_ALWAYS;
	traits(f)->sized_free = 1;
}

static void attack(struct fixture *f, uint32_t res, uint64_t addr, bool noticed)
{
	f->op++;
	EMIT(f, TAINT, taint);
	EMIT(f, ATTACK, attack, .res = res, .cache = SF_NONE, .addr = addr, .noticed = noticed);
}

static void noticed(struct fixture *f)
{
	struct sf_ev_free e = given(1, BASE + 64);

	get(f, 0, BASE, 64);
	get(f, 1, BASE + 64, 64);
	e.call = SF_CALL_FREE_SIZED;
	e.size = 63;
	e.status = SF_NOTICED;
	give(f, e);
	e.size = 64;
	e.status = SF_OK;
	give(f, e);
	drop(f, 0, BASE);
	attack(f, 0, BASE, true);
	attack(f, 0, BASE, false); /* nobody knows any more */
}

static void freed_twice(struct fixture *f)
{
	get(f, 0, BASE, 64);
	drop(f, 0, BASE);
	attack(f, 0, BASE, false);
}

static void freed_inside(struct fixture *f)
{
	get(f, 0, BASE, 64);
	attack(f, 0, BASE + 16, false);
}

static void freed_wild(struct fixture *f)
{
	get(f, 0, BASE, 64);
	attack(f, SF_NONE, BASE + 4096, false);
}

static void freed_with_size(struct fixture *f)
{
	struct sf_ev_free e = given(0, BASE);

	get(f, 0, BASE, 64);
	e.call = SF_CALL_FREE_ALIGNED;
	e.size = 65;
	give(f, e);
}

static void fits_again(struct fixture *f)
{
	get(f, 0, BASE, 100);
	drop(f, 0, BASE);
	get(f, 0, 0, 100);
	get(f, 0, BASE, 100);
	get(f, 1, 0, 100);
	get(f, 1, 0, 100);
	drop(f, 0, BASE);
	get(f, 0, 0, 101);
	get(f, 0, 0, 101);
}

static void fits_no_more(struct fixture *f)
{
	get(f, 0, BASE, 100);
	drop(f, 0, BASE);
	get(f, 0, 0, 100);
	get(f, 0, 0, 99);
}

static void crashed(struct fixture *f)
{
	EMIT(f, CRASH, crash, .title = "SIGSEGV in arena_bin");
}

static void died(struct fixture *f)
{
	EMIT(f, CRASH, crash, .title = NULL);
}

static void refused(struct fixture *f)
{
	EMIT(f, CRASH, crash, .title = "abort", .refusal = true);
}

static const struct stream streams[] = {
	{ SF_INV_MAL_1, align_right, NULL, NULL },
	STREAM(MAL, 1, align_small, "an object of malloc is not aligned for all that fits"),
	STREAM(MAL, 1, align_max, "an object of malloc is not aligned for all that fits"),
	STREAM(MAL, 1, align_kernel_word, "an object of kmalloc is not aligned for all that fits"),
	STREAM(MAL, 1, align_after_realloc,
	       "an object of realloc is not aligned for all that fits"),
	STREAM(MAL, 1, align_asked, "an object of posix_memalign is not aligned as asked"),
	STREAM_IN(in_strict, MAL, 1, align_strict,
		  "an object of malloc is not aligned for all that fits"),
	{ SF_INV_MAL_1, align_strict, NULL, NULL },
	{ SF_INV_MAL_2, usable_right, NULL, NULL },
	STREAM(MAL, 2, usable_less,
	       "the usable size of an object of malloc is less than was asked"),
	{ SF_INV_MAL_2, usable_grew, NULL, NULL },
	STREAM(MAL, 2, usable_changes, "the usable size of an object changed"),
	STREAM(MAL, 2, usable_of_null, "the usable size of NULL is not 0"),
	STREAM(MAL, 2, usable_not_kept, "usable bytes behind what was asked for changed"),
	STREAM(MAL, 2, usable_not_kept_until_free,
	       "usable bytes behind what was asked for changed"),
	{ SF_INV_MAL_3, good_right, NULL, NULL },
	STREAM(MAL, 3, good_less, "a good size is less than the request"),
	STREAM(MAL, 3, good_falls, "a larger request has a smaller good size"),
	STREAM(MAL, 3, good_rises_late, "a larger request has a smaller good size"),
	{ SF_INV_MAL_4, product_right, NULL, NULL },
	STREAM(MAL, 4, product_overflows, "calloc allocated a product that overflows"),
	STREAM(MAL, 4, product_of_realloc, "reallocarray allocated a product that overflows"),
	STREAM(MAL, 4, too_large, "malloc allocated more than PTRDIFF_MAX bytes"),
	{ SF_INV_MAL_5, zero_right, NULL, NULL },
	STREAM(MAL, 5, zero_wrong, "an object of calloc holds old data"),
	STREAM_IN(in_usable, MAL, 5, zero_slack,
		  "an object of calloc is not zero up to its usable size"),
	{ SF_INV_MAL_6, realloc_right, NULL, NULL },
	{ SF_INV_MEM_1, realloc_right, NULL, NULL },
	STREAM(MAL, 6, realloc_loses, "realloc lost contents"),
	STREAM(MAL, 6, realloc_fails_badly, "a realloc that failed changed its object"),
	{ SF_INV_MAL_7, zero_objects, NULL, in_objects },
	{ SF_INV_MAL_7, zero_null, NULL, in_used_up },
	{ SF_INV_MAL_7, zero_nulls, NULL, in_nulls },
	{ SF_INV_MAL_7, zero_freed, NULL, in_freeing },
	{ SF_INV_MEM_1, zero_freed, NULL, in_freeing },
	STREAM_IN(in_objects, MAL, 7, zero_null, "malloc(0) gave no object"),
	STREAM_IN(in_nulls, MAL, 7, zero_object, "malloc(0) gave an object"),
	STREAM_IN(in_objects, MAL, 7, zero_realloc_null, "realloc(p, 0) gave no object"),
	STREAM_IN(in_objects, MAL, 7, zero_freed, "realloc(p, 0) gave no object"),
	STREAM_IN(in_freeing, MAL, 7, zero_realloc_object, "realloc(p, 0) did not free"),
	STREAM_IN(in_freeing, MAL, 7, zero_realloc_null, "realloc(p, 0) did not free"),
	STREAM_IN(in_nulls, MAL, 7, zero_freed, "realloc(p, 0) did not leave its object"),
	STREAM_IN(in_objects, MAL, 7, zero_shared, "an object of 0 bytes is another one too"),
	{ SF_INV_MAL_8, posix_right, NULL, NULL },
	STREAM(MAL, 8, posix_takes, "posix_memalign took a bad alignment"),
	STREAM(MAL, 8, posix_takes_small, "posix_memalign took a bad alignment"),
	STREAM(MAL, 8, posix_not_einval, "posix_memalign does not say EINVAL of a bad alignment"),
	STREAM(MAL, 8, posix_einval, "posix_memalign says EINVAL of a good alignment"),
	STREAM(MAL, 8, posix_other,
	       "posix_memalign failed with what is neither EINVAL nor ENOMEM"),
	STREAM(MAL, 8, posix_nothing, "posix_memalign returned 0 without an object"),
	STREAM(MAL, 8, posix_touches, "a posix_memalign that failed changed its argument"),
	{ SF_INV_MAL_9, aligned_right, NULL, NULL },
	STREAM(MAL, 9, aligned_takes, "aligned_alloc took an alignment that is no power of two"),
	{ SF_INV_MAL_10, errno_right, NULL, NULL },
	{ SF_INV_MAL_10, errno_lost, NULL, NULL },
	STREAM(MAL, 10, errno_unset, "malloc failed and did not set errno to ENOMEM"),
	STREAM(MAL, 10, errno_other, "malloc failed and did not set errno to ENOMEM"),
	STREAM_IN(in_careful, MAL, 10, errno_lost, "a free changed errno"),
	STREAM(MAL, 10, null_refused, "a free of NULL is no no-op"),
	STREAM(MAL, 10, no_address, "malloc returned what is neither NULL nor an object's address"),
	{ SF_INV_MAL_11, heaps_right, NULL, NULL },
	STREAM(MAL, 11, heap_overrun, "an object lies outside its heap's blocks"),
	STREAM(MAL, 11, heap_mixed, "an object lies in another heap's block"),
	STREAM(MAL, 11, heap_gone, "an object came from a heap that is gone"),
	{ SF_INV_MAL_12, region_free, NULL, NULL },
	STREAM(MAL, 12, region_removed, "a region with live objects was removed"),
	{ SF_INV_MAL_13, stats_right, NULL, in_rounding },
	{ SF_INV_MAL_13, stats_caching, NULL, in_caching },
	{ SF_INV_MAL_13, stats_used_many, NULL, NULL },
	{ SF_INV_MAL_13, stats_free_of_less, NULL, NULL },
	{ SF_INV_MAL_13, stats_of_heaps, NULL, NULL },
	STREAM(MAL, 13, stats_of_lost_heap, "statistics count more objects than are alive"),
	STREAM(MAL, 13, stats_few, "statistics count fewer objects than are alive"),
	STREAM(MAL, 13, stats_lost, "statistics count fewer objects than are alive"),
	STREAM(MAL, 13, stats_kept, "statistics count more objects than are alive"),
	STREAM(MAL, 13, stats_used_few,
	       "statistics have fewer bytes in use than were asked for"),
	STREAM(MAL, 13, stats_used_none,
	       "statistics have fewer bytes in use than were asked for"),
	STREAM_IN(in_rounding, MAL, 13, stats_used_many,
		  "statistics have more bytes in use than objects have"),
	STREAM(MAL, 13, stats_not_back, "statistics have bytes in use with everything freed"),
	STREAM(MAL, 13, stats_free_lost,
	       "statistics have less free than at first with everything freed"),
	STREAM(MAL, 13, stats_below, "statistics have fewer bytes in use than at first"),
	STREAM(MAL, 13, stats_total, "statistics have more in use than is held"),
	STREAM(MAL, 13, stats_peak, "statistics have a peak below what is in use"),
	STREAM(MAL, 13, stats_peak_falls, "statistics have a peak that fell"),
	{ SF_INV_MAL_14, sound, NULL, NULL },
	STREAM(MAL, 14, unsound, "the allocator finds itself unsound"),
	{ SF_INV_MAL_15, noticed, NULL, in_noticing },
	{ SF_INV_MEM_9, noticed, NULL, in_noticing },
	STREAM_IN(in_noticing, MAL, 15, freed_twice, "a double free went unnoticed"),
	STREAM_IN(in_noticing, MAL, 15, freed_inside,
		  "a free of what was never handed out went unnoticed"),
	STREAM_IN(in_noticing, MAL, 15, freed_wild,
		  "a free of what was never handed out went unnoticed"),
	STREAM_IN(in_noticing, MAL, 15, freed_with_size,
		  "a sized free with a wrong size went unnoticed"),
	{ SF_INV_MAL_16, fits_again, NULL, NULL },
	STREAM(MAL, 16, fits_no_more, "what fitted an empty heap does not fit it any more"),
	{ SF_INV_MAL_17, refused, NULL, NULL },
	STREAM(MAL, 17, crashed, "SIGSEGV in arena_bin"),
	STREAM(MAL, 17, died, "the allocator's process ended"),
};

#define NR_STREAMS (sizeof(streams) / sizeof(streams[0]))

static void test_streams_have_exact_titles(void **state)
{
	(void)state;
	check_streams(streams, NR_STREAMS);
}

/* Each rule has a stream that breaks it and one that keeps it. */
static void test_each_is_broken_and_kept(void **state)
{
	bool is[SF_INV_COUNT][2] = { { false } };

	(void)state;
	for (size_t i = 0; i < NR_STREAMS; i++)
		is[streams[i].inv][streams[i].title != NULL] = true;
	for (unsigned int inv = SF_INV_MAL_1; inv <= SF_INV_MAL_17; inv++)
		if (!is[inv][0] || !is[inv][1])
			fail_msg("%s: kept %d, broken %d", sf_invariants[inv].id, is[inv][0],
				 is[inv][1]);
}

/* Whatever keeps a rule keeps all of them. */
static void test_right_streams_are_silent(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_STREAMS; i++) {
		struct fixture *f;

		if (streams[i].title)
			continue;
		if (streams[i].run == stats_used_many || streams[i].run == refused)
			continue;
		f = play(&streams[i], 0);
		if (f->nr_titles)
			print_error("stream %zu\n", i);
		assert_no_title(f);
		fixture_close(f);
	}
}

static void no_words(struct fixture *f)
{
	f->caps = SF_CAP_ADDRESS;
}

static void test_others_are_not_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_STREAMS; i++)
		if (streams[i].inv >= SF_INV_MAL_1 && streams[i].inv <= SF_INV_MAL_17)
			check_not_judged(&streams[i], 1, SF_INV_MAL_17, no_words);
}

/* --- what is not promised is skipped, and said --- */

static void test_unpromised_is_skipped(void **state)
{
	static const struct {
		void (*run)(struct fixture *f);
		enum sf_invariant inv;
		const char *reason;
	} open[] = {
		{ zero_null, SF_INV_MAL_7, "not promised: malloc_zero" },
		{ zero_realloc_object, SF_INV_MAL_7, "not promised: realloc_zero" },
		{ freed_twice, SF_INV_MAL_15, "not promised: double_free" },
		{ freed_inside, SF_INV_MAL_15, "not promised: wild_free" },
		{ freed_with_size, SF_INV_MAL_15, "not promised: sized_free" },
		{ heap_somewhere, SF_INV_MAL_11, "where a heap's block lies is not known" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++) {
		const struct stream s = { open[i].inv, open[i].run, NULL, NULL };
		struct fixture *f = play(&s, 0);
		const struct sf_oracle_count *c = &sf_judge_counts(f->j)[open[i].inv];

		assert_no_title(f);
		assert_true(c->skipped > 0);
		assert_string_equal(c->reason, open[i].reason);
		fixture_close(f);
	}
}

static void in_modest(struct fixture *f)
{
	traits(f)->zeroed = SF_ZEROED_NONE;
	traits(f)->align_power = 0;
	traits(f)->double_free = SF_NOTICE_CHANCE;
	traits(f)->error = 0;
}

static void test_modest_promises(void **state)
{
	static void (*const run[])(struct fixture *f) = { zero_wrong, posix_takes, aligned_takes,
							  freed_twice, errno_unset };

	(void)state;
	for (size_t i = 0; i < sizeof(run) / sizeof(run[0]); i++) {
		const struct stream s = { SF_INV_MAL_1, run[i], NULL, in_modest };
		struct fixture *f = play(&s, 0);

		assert_no_title(f);
		fixture_close(f);
	}
}

/* --- the kernel's rules on a malloc library --- */

static struct sf_ev_alloc kernel(uint8_t type, uint32_t id, uint64_t addr, uint64_t size)
{
	struct sf_ev_alloc a = got(SF_CALL_NONE, id, addr, size);

	a.api = SF_API_KMALLOC;
	a.gfp = SF_GFP_KERNEL | SF_GFP_ZERO;
	a.usable = a.zeroed = size + 8;
	if (type == SF_EV_REALLOC)
		a.old_id = id;
	return a;
}

static void test_correct_malloc_is_not_accused(void **state)
{
	struct fixture *f = fixture_open(0, NULL);
	struct sf_ev_alloc a = kernel(SF_EV_ALLOC, 0, BASE, 100);

	(void)state;
	a.dirty = 100; /* slack that is not zero */
	tell(f, a);
	a = kernel(SF_EV_REALLOC, 0, BASE, 200);
	a.dirty = 100; /* nor what realloc added */
	tell(f, a);
	tell(f, kernel(SF_EV_REALLOC, 0, BASE + 4096, 0)); /* an object of 0 bytes */
	a = kernel(SF_EV_ALLOC, 1, BASE + 8192, 0);
	tell(f, a);
	a = kernel(SF_EV_ALLOC, 2, BASE + 80, 24); /* no power of two is promised */
	tell(f, a);
	assert_no_title(f);
	assert_int_equal(sf_judge_counts(f->j)[SF_INV_MEM_4].skipped, 2);
	assert_int_equal(sf_judge_counts(f->j)[SF_INV_MEM_3].checked, 0);
	assert_string_equal(sf_judge_counts(f->j)[SF_INV_MEM_3].reason,
			    "promises nothing to judge");
	a.dirty = 0;
	a.id = 3;
	a.addr = BASE + 256;
	tell(f, a);
	assert_string_equal(f->title[0], "MEM-4: a zeroed object of kmalloc holds old data");
	fixture_close(f);
}

/* --- wide objects --- */

static void test_wide_objects(void **state)
{
	struct fixture *f = fixture_open(sf_invariant_bit(SF_INV_MEM_1), NULL);
	const struct sf_oracle_count *n = &sf_judge_counts(f->j)[SF_INV_MEM_1];
	const uint64_t wide = 1ull << 20;

	(void)state;
	for (uint32_t i = 0; i < 64; i++) /* in no order */
		get(f, i, BASE + (i * 37 % 64) * 2 * wide + 8, wide);
	get(f, 64, BASE + wide + 8, 16);
	get(f, 65, BASE - 8, 16);
	assert_int_equal(n->violations, 0);
	get(f, 66, BASE + wide, 16); /* its last 8 bytes */
	assert_int_equal(n->violations, 1);
	get(f, 67, BASE + 10 * wide + wide, 2 * wide);
	assert_int_equal(n->violations, 2);
	for (uint32_t i = 0; i < 64; i += 2)
		drop(f, i, BASE + (i * 37 % 64) * 2 * wide + 8);
	get(f, 68, BASE + 8, wide - 4);
	get(f, 69, BASE + wide + 4, wide); /* over object 64 */
	assert_int_equal(n->violations, 3);
	get(f, 70, BASE + wide + 24, wide - 16);
	assert_int_equal(n->violations, 3);
	fixture_close(f);
}

/* --- whatever a broken allocator says --- */

struct drawn {
	uint64_t x;
};

static uint64_t next(struct drawn *d)
{
	d->x = d->x * 6364136223846793005ull + 1442695040888963407ull;
	return d->x >> 24;
}

/* Mostly what collides. */
static uint64_t word(struct drawn *d)
{
	static const uint64_t edge[] = { 0, 1, 7, 8, 16, 17, 4095, 4096, 1ull << 20, 1ull << 31,
					 1ull << 32, 1ull << 47, BASE, BASE + 8, BASE + 4088,
					 1ull << 63, INT64_MAX, UINT64_MAX, UINT64_MAX - 7,
					 UINT64_MAX - 4096, SF_UNKNOWN };
	uint64_t pick = next(d);

	if (pick % 4 == 0)
		return BASE + (next(d) % 64) * 8;
	if (pick % 4 == 1)
		return next(d) % 300;
	return edge[next(d) % (sizeof(edge) / sizeof(edge[0]))];
}

static struct sf_event drawn_event(struct drawn *d)
{
	static const uint8_t types[] = { SF_EV_ALLOC, SF_EV_ALLOC, SF_EV_ALLOC, SF_EV_REALLOC,
					 SF_EV_REALLOC, SF_EV_FREE, SF_EV_FREE, SF_EV_KSIZE,
					 SF_EV_CONTENT, SF_EV_GOOD_SIZE, SF_EV_TRIM, SF_EV_STATS,
					 SF_EV_INTEGRITY, SF_EV_USER_HEAP, SF_EV_USER_HEAP,
					 SF_EV_CRASH, SF_EV_ATTACK };
	struct sf_event ev;
	uint64_t raw[sizeof(ev) / 8];
	bool odd = next(d) & 1;

	for (size_t i = 0; i < sizeof(raw) / 8; i++)
		raw[i] = word(d);
	memcpy(&ev, raw, sizeof(raw));
	ev.type = types[next(d) % sizeof(types)];
	switch (ev.type) {
	case SF_EV_ALLOC:
	case SF_EV_REALLOC:
		ev.alloc.overflow = ev.alloc.moved = ev.alloc.forced = odd;
		ev.alloc.lru = false;
		ev.alloc.touched = odd;
		ev.alloc.api = odd ? SF_API_FOREIGN : ev.alloc.api;
		ev.alloc.status = (uint8_t)(ev.alloc.status % (SF_FREED + 1));
		break;
	case SF_EV_FREE:
		ev.free.known = !(ev.free.implied = false);
		break;
	case SF_EV_STATS:
		ev.stats.final = odd;
		break;
	case SF_EV_INTEGRITY:
		ev.integrity.what = odd ? "odd" : NULL;
		break;
	case SF_EV_CRASH:
		ev.crash.refusal = false;
		ev.crash.title = odd ? "odd" : NULL;
		break;
	case SF_EV_ATTACK:
		ev.attack.noticed = odd;
		break;
	default:
		break;
	}
	return ev;
}

/* Ids stay small where objects shall meet. Wide objects in number must not make it slow. */
static void hostile(void (*mode)(struct fixture *f))
{
	struct fixture *f = fixture_open(0, mode);
	struct drawn d = { 1 };

	for (unsigned int i = 0; i < 100000; i++) {
		struct sf_event ev = drawn_event(&d);

		if (ev.type == SF_EV_ALLOC || ev.type == SF_EV_REALLOC) {
			ev.alloc.id %= 512;
			ev.alloc.old_id %= 512;
			if (ev.type == SF_EV_ALLOC)
				ev.alloc.old_id = SF_NONE;
		} else if (ev.type == SF_EV_FREE) {
			ev.free.id %= 512;
		}
		ev.op = i / 4;
		if (i % 3000 == 0)
			EMIT(f, BEGIN, run, .ops = 1);
		if (i % 3000 == 2500)
			EMIT(f, TAINT, taint);
		sf_judge_event(f->j, &ev);
	}
	assert_true(f->nr_titles > 0);
	fixture_close(f);
}

static void in_huge(struct fixture *f)
{
	traits(f)->align = 1u << 20;
	traits(f)->align_small = 1;
	traits(f)->stats_rounding = 1u << 20;
}

static void test_hostile_events(void **state)
{
	(void)state;
	hostile(NULL);
	hostile(in_noticing);
	hostile(in_huge);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_streams_have_exact_titles),
		cmocka_unit_test(test_each_is_broken_and_kept),
		cmocka_unit_test(test_right_streams_are_silent),
		cmocka_unit_test(test_others_are_not_judged),
		cmocka_unit_test(test_unpromised_is_skipped),
		cmocka_unit_test(test_modest_promises),
		cmocka_unit_test(test_correct_malloc_is_not_accused),
		cmocka_unit_test(test_wide_objects),
		cmocka_unit_test(test_hostile_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
