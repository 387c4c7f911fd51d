// SPDX-License-Identifier: MIT
/*
 * reference.c - the obviously right allocator of user space: each object is a mapping of its own,
 * as close to the inaccessible page behind it as its alignment allows, and no address is used twice
 * in a program. Slow, and large; it is what others are compared with, and what the harness itself
 * is tried on. Every word of user space is here; what is misused is noticed.
 *
 * Relies on mmap() and user_contents.h. Not one of `-a all` (registry.h): it is asked for by name.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/grow.h"
#include "base/hash_map.h"
#include "user_contents.h"

#define PAGE SF_PAGE_SIZE
/* Address space, never memory: what is not in use cannot be touched. */
#define SPACE (64ull << 30)
#define SPACE_FLAGS (MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE)
#define LEAST_HEAP 64u /* bytes of a heap that is worth it */
#define LOOK 64u       /* objects that integrity() looks at */
#define MARK 0xa5      /* of the bytes between the guard in front and an object */

struct object {
	uint64_t addr, size, align;
	uint64_t start, span; /* its pages */
	uint32_t heap;
	bool live;
};

/* A heap, or a further block of one. Ids are indices, plus 1. */
struct block {
	uint64_t size, used;  /* of all of its blocks together, if it is a heap */
	uint32_t heap;        /* REGION: it belongs to; 0: it is a heap */
	bool live;
};

struct sf_heap {
	uint64_t base, next, space; /* the space, and what of it was handed out */
	uint64_t limit;             /* bytes in objects at once */
	struct object *obj;
	uint32_t nr_objs;
	size_t cap_objs;
	struct sf_map by_addr;      /* live objects, and dead ones */
	struct block *block;
	uint32_t nr_blocks;
	size_t cap_blocks;
	struct sf_stats stats;
	uint32_t looked;            /* integrity() goes on with this object */
};

static uint64_t round_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) & ~(to - 1);
}

/* What an object of that size needs, whoever it is of: C11 6.2.8. */
static uint64_t natural_align(uint64_t size)
{
	if (size >= _Alignof(max_align_t))
		return _Alignof(max_align_t);
	return size ? 1ull << (63 - __builtin_clzll(size)) : 1;
}

static uint64_t usable_of(const struct object *o)
{
	return o->span ? o->start + o->span - o->addr : 0;
}

/* The bytes in front of an object that nobody has. */
static uint64_t front(const struct object *o)
{
	uint64_t n = o->span ? o->addr - o->start : 0;

	return n < 16 ? n : 16;
}

static bool map(uint64_t at, uint64_t bytes, int prot)
{
	void *p = (void *)(uintptr_t)at;

	return !bytes || mmap(p, bytes, prot, SPACE_FLAGS | MAP_FIXED, -1, 0) == p;
}

/*
 * What is used counts to the ends of pages, and what lies in blocks counts, too, though it has room
 * of its own: it may be more than the limit.
 */
static uint64_t room_in(const struct sf_heap *h, const struct block *b)
{
	uint64_t all = b ? b->size : h->limit, used = b ? b->used : h->stats.used;

	return used < all ? all - used : 0;
}

/* NULL: there is no room. */
static struct object *make(struct sf_heap *h, uint64_t size, uint64_t align, uint32_t heap)
{
	struct block *b = heap ? &h->block[heap - 1] : NULL;
	struct object o = { .size = size, .heap = heap, .live = true };
	uint64_t room = room_in(h, b);

	o.align = align > natural_align(size) ? align : natural_align(size);
	if (size > room || (b && round_up(size, 16) + 16 > room))
		return NULL;
	o.span = round_up(o.align > PAGE ? size : round_up(size, o.align), PAGE);
	o.start = round_up(h->next + PAGE, o.align > PAGE ? o.align : PAGE);
	if (o.start + o.span + PAGE > h->base + h->space ||
	    !map(o.start, o.span, PROT_READ | PROT_WRITE))
		return NULL;
	o.addr = o.align > PAGE ? o.start : o.start + o.span - round_up(size, o.align);
	h->next = o.start + (o.span ? o.span : 1);
	h->obj = sf_grow_zeroed(h->obj, &h->cap_objs, h->nr_objs + 1, sizeof(*h->obj));
	h->obj[h->nr_objs] = o;
	sf_map_put(&h->by_addr, o.addr, h->nr_objs);
	memset((void *)(uintptr_t)(o.addr - front(&o)), MARK, front(&o));
	h->stats.live++;
	h->stats.used += usable_of(&o);
	if (h->stats.used > h->stats.peak)
		h->stats.peak = h->stats.used;
	if (b)
		b->used += round_up(size, 16) + 16;
	return &h->obj[h->nr_objs++];
}

/* Its pages go, and nothing will ever be there again. */
static void unmake(struct sf_heap *h, struct object *o)
{
	map(o->start, o->span, PROT_NONE);
	o->live = false;
	h->stats.live--;
	h->stats.used -= usable_of(o);
	if (o->heap)
		h->block[o->heap - 1].used -= round_up(o->size, 16) + 16;
}

/* NULL: no object, or none any more, begins there. */
static struct object *find(const struct sf_heap *h, uint64_t addr)
{
	uint32_t i = sf_map_get(&h->by_addr, addr);

	return i != SF_MAP_NONE && h->obj[i].live ? &h->obj[i] : NULL;
}

static bool heap_exists(const struct sf_heap *h, uint32_t heap)
{
	return heap - 1 < h->nr_blocks && h->block[heap - 1].live && !h->block[heap - 1].heap;
}

static void reset(struct sf_heap *h)
{
	map(h->base, h->next - h->base, PROT_NONE);
	h->next = h->base;
	h->nr_objs = h->nr_blocks = h->looked = 0;
	sf_map_clear(&h->by_addr);
	h->stats = (struct sf_stats){ .free = SF_UNKNOWN, .total = SF_UNKNOWN };
}

static void destroy(struct sf_heap *h)
{
	munmap((void *)(uintptr_t)h->base, h->space);
	free(h->obj);
	free(h->block);
	sf_map_free(&h->by_addr);
	free(h);
}

static struct sf_heap *create(const struct sf_allocator *self, const struct sf_settings *set,
			      struct sf_sink *sink, struct sf_error *err)
{
	struct sf_event ev = {
		.type = SF_EV_HEAP, .op = SF_NONE,
		.heap = { .allocator = self->name, .caps = self->caps, .settings = set,
			  .traits = self->traits },
	};
	struct sf_heap *h = sf_zalloc(1, sizeof(*h));
	void *p = mmap(NULL, SPACE, PROT_NONE, SPACE_FLAGS, -1, 0);

	if (p == MAP_FAILED) {
		*err = (struct sf_error){ "reference: no 64 GiB of address space (ulimit -v)" };
		free(h);
		return NULL;
	}
	h->base = h->next = (uintptr_t)p;
	h->space = SPACE;
	h->limit = set->pages * PAGE;
	reset(h);
	if (sink)
		sink->emit(sink->ctx, &ev);
	return h;
}

static void answer(struct sf_result *rs, const struct object *o)
{
	*rs = (struct sf_result){ .status = o ? SF_OK : SF_NULL, .addr = o ? o->addr : 0,
				  .error = o ? 0 : ENOMEM };
}

/* The alignment that a request names, or 0: it is none that may be asked for. */
static uint64_t asked_align(const struct sf_request *rq)
{
	bool names = rq->call == SF_CALL_ALIGNED_ALLOC || rq->call == SF_CALL_POSIX_MEMALIGN ||
		     rq->call == SF_CALL_MEMALIGN;

	if (!names && !rq->align)
		return 1;
	if (rq->align & (rq->align - 1))
		return 0;
	return rq->call == SF_CALL_POSIX_MEMALIGN && rq->align < sizeof(void *) ? 0 : rq->align;
}

static void alloc(struct sf_heap *h, const struct sf_request *rq, struct sf_result *rs)
{
	uint64_t align = asked_align(rq), size;
	bool fits = !__builtin_mul_overflow(rq->n, rq->size, &size);

	if (!align) {
		*rs = (struct sf_result){ .status = SF_NULL, .error = EINVAL };
	} else if (!fits || (rq->heap && !heap_exists(h, rq->heap))) {
		answer(rs, NULL);
	} else {
		answer(rs, make(h, size, align, rq->heap));
	}
	if (rq->call == SF_CALL_POSIX_MEMALIGN) {
		rs->ret = rs->error;
		rs->error = 0;
	}
}

static void user_free(struct sf_heap *h, const struct sf_free_request *rq, struct sf_result *rs)
{
	struct object *o = find(h, rq->addr);

	*rs = (struct sf_result){ .status = SF_OK };
	if (!rq->addr)
		return;
	if (!o || o->heap != rq->heap || (rq->call != SF_CALL_FREE && rq->size != o->size) ||
	    (rq->call == SF_CALL_FREE_ALIGNED && rq->align > o->align))
		rs->status = SF_NOTICED;
	else
		unmake(h, o);
}

/* A kernel's words for it: an object of the first heap, or nothing. */
static void kernel_free(struct sf_heap *h, uint64_t addr, enum sf_free_how how,
			struct sf_result *rs)
{
	struct sf_free_request rq = { .addr = addr > SF_ZERO_SIZE_PTR ? addr : 0,
				      .call = SF_CALL_FREE };

	(void)how;
	user_free(h, &rq, rs);
}

/* Always to a new place: who keeps the old address is found out. */
static void resize(struct sf_heap *h, uint64_t addr, const struct sf_request *rq,
		   struct sf_result *rs)
{
	struct object *old = addr > SF_ZERO_SIZE_PTR ? find(h, addr) : NULL, *new;
	uint64_t size, at, was;

	if (addr <= SF_ZERO_SIZE_PTR) {
		alloc(h, rq, rs);
		return;
	}
	answer(rs, NULL);
	if (!old || old->heap != rq->heap) {
		*rs = (struct sf_result){ .status = SF_NOTICED };
		return;
	}
	if (__builtin_mul_overflow(rq->n, rq->size, &size))
		return;
	if (!size) {
		unmake(h, old);
		*rs = (struct sf_result){ .status = SF_FREED };
		return;
	}
	at = old->addr;
	was = old->size;
	new = make(h, size, 1, rq->heap);
	answer(rs, new);
	if (!new)
		return;
	memcpy((void *)(uintptr_t)new->addr, (const void *)(uintptr_t)at, size < was ? size : was);
	unmake(h, find(h, at));
}

static uint64_t usable(struct sf_heap *h, uint64_t addr)
{
	const struct object *o = find(h, addr);

	return o ? usable_of(o) : 0;
}

static uint64_t good_size(struct sf_heap *h, uint64_t size)
{
	uint64_t n = round_up(size, natural_align(size));

	(void)h;
	return n < size ? size : n;
}

static int trim(struct sf_heap *h, uint64_t pad)
{
	(void)h;
	(void)pad;
	return 0; /* nothing is ever kept */
}

static void stats(struct sf_heap *h, struct sf_stats *out)
{
	uint64_t used = h->stats.used;

	*out = h->stats;
	out->total = used > h->limit ? used : h->limit;
	out->free = out->total - used;
}

static bool is_marked(const struct object *o)
{
	const uint8_t *p = (const uint8_t *)(uintptr_t)(o->addr - front(o));
	uint64_t i = 0;

	while (o->live && i < front(o) && p[i] == MARK)
		i++;
	return !o->live || i == front(o);
}

/* A stretch of objects at a time, all of them in turn: it is asked after every operation. */
static const char *integrity(struct sf_heap *h)
{
	for (uint32_t n = h->nr_objs < LOOK ? h->nr_objs : LOOK; n; n--) {
		h->looked = h->looked + 1 < h->nr_objs ? h->looked + 1 : 0;
		if (!is_marked(&h->obj[h->looked]))
			return "the bytes in front of an object are written to";
	}
	return NULL;
}

/* A heap is a limit; a block holds what it would, with a header of 16 bytes for each object. */
static uint32_t add_block(struct sf_heap *h, uint64_t size, uint32_t heap)
{
	h->block = sf_grow_zeroed(h->block, &h->cap_blocks, h->nr_blocks + 1, sizeof(*h->block));
	h->block[h->nr_blocks] = (struct block){ .size = size, .heap = heap, .live = true };
	return ++h->nr_blocks;
}

static uint32_t heap_create(struct sf_heap *h, uint64_t size, uint32_t at)
{
	(void)at;
	return size < LEAST_HEAP || size > h->limit ? 0 : add_block(h, size, 0);
}

static void heap_destroy(struct sf_heap *h, uint32_t heap)
{
	for (uint32_t i = 0; i < h->nr_objs; i++)
		if (h->obj[i].live && h->obj[i].heap == heap)
			unmake(h, &h->obj[i]);
	h->block[heap - 1].live = false;
}

static uint32_t heap_add(struct sf_heap *h, uint32_t heap, uint64_t size, uint32_t at)
{
	(void)at;
	if (size < LEAST_HEAP || size > h->limit)
		return 0;
	h->block[heap - 1].size += size;
	return add_block(h, size, heap);
}

static enum sf_status heap_remove(struct sf_heap *h, uint32_t heap, uint32_t region)
{
	struct block *b = &h->block[heap - 1], *gone = &h->block[region - 1];

	if (!gone->live || gone->heap != heap || b->used > b->size - gone->size)
		return SF_NULL;
	b->size -= gone->size;
	gone->live = false;
	return SF_OK;
}

/* Nothing here depends on who calls. */
static void set_thread(struct sf_heap *h, unsigned int nr)
{
	(void)h;
	(void)nr;
}

/* What is mapped there and how many bytes of it; NULL: nothing. */
static void *mapped(const struct sf_heap *h, uint64_t addr, uint64_t len, uint64_t *n)
{
	*n = 0;
	for (uint32_t i = 0; i < h->nr_objs; i++) {
		const struct object *o = &h->obj[i];

		if (!o->live || addr - o->start >= o->span)
			continue;
		*n = o->start + o->span - addr;
		*n = len < *n ? len : *n;
		return (void *)(uintptr_t)addr;
	}
	return NULL;
}

static uint64_t peek(struct sf_heap *h, uint64_t addr, void *to, uint64_t len)
{
	uint64_t n;
	const void *p = mapped(h, addr, len, &n);

	if (p)
		memcpy(to, p, n);
	return n;
}

static uint64_t poke(struct sf_heap *h, uint64_t addr, const void *from, uint64_t len)
{
	uint64_t n;
	void *p = mapped(h, addr, len, &n);

	if (p)
		memcpy(p, from, n);
	return n;
}

static const struct sf_traits traits = {
	.align = _Alignof(max_align_t), .zeroed = SF_ZEROED_USABLE,
	.malloc_zero = SF_MALLOC_ZERO_OBJECT, .realloc_zero = SF_REALLOC_ZERO_FREED, .error = 1,
	.free_error = 1, .double_free = SF_NOTICE_ALWAYS, .wild_free = SF_NOTICE_ALWAYS,
	.sized_free = 1, .stats_rounding = 1, .stats_return = 1, .align_power = 1,
};

const struct sf_allocator sf_reference = {
	.abi = SF_ALLOCATOR_ABI,
	.name = "reference",
	.summary = "user space: a mapping for each object, between guard pages, used once",
	.caps = SF_CAP_USABLE | SF_CAP_REALLOC | SF_CAP_ZERO | SF_CAP_CONTENTS | SF_CAP_ARRAY |
		SF_CAP_ADDRESS | SF_CAP_MISUSE | SF_CAP_MALLOC | SF_CAP_CALLOC |
		SF_CAP_REALLOCARRAY | SF_CAP_ALIGNED_ALLOC | SF_CAP_POSIX_MEMALIGN |
		SF_CAP_MEMALIGN | SF_CAP_FREE_SIZED | SF_CAP_FREE_ALIGNED | SF_CAP_GOOD_SIZE |
		SF_CAP_TRIM | SF_CAP_STATS | SF_CAP_INTEGRITY | SF_CAP_HEAPS | SF_CAP_REGIONS |
		SF_CAP_THREADS | SF_CAP_TEARDOWN,
	.settings = 1ull << SF_SET_pages | 1ull << SF_SET_misuse,
	.reset_kind = SF_RESET_BEST_EFFORT,
	.traits = &traits,
	.create = create,
	.destroy = destroy,
	.reset = reset,
	.alloc = alloc,
	.free = kernel_free,
	.usable = usable,
	.realloc = resize,
	.fill = user_fill,
	.verify = user_verify,
	.zeroed = user_zeroed,
	.peek = peek,
	.poke = poke,
	.user_free = user_free,
	.good_size = good_size,
	.trim = trim,
	.stats = stats,
	.integrity = integrity,
	.heap_create = heap_create,
	.heap_destroy = heap_destroy,
	.heap_add = heap_add,
	.heap_remove = heap_remove,
	.set_thread = set_thread,
};
