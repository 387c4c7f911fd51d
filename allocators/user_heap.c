// SPDX-License-Identifier: MIT
/*
 * user_heap.c - user_heap.h: calls of allocator.h are calls of a plug-in's table. Relies on
 * user_contents.h and user_block.h; nothing here knows a library.
 *
 * A heap in a block is judged beyond what its allocator says of itself: objects lie in the block,
 * and what is around it stays as it was; integrity() tells.
 */
#include "user_heap.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/hash_map.h"
#include "user_block.h"
#include "user_contents.h"
#include "user_sizes.h"
#include "user_thread.h"

/* Heaps and regions of one program; what goes beyond is refused. */
enum {
	REGIONS_MAX = 64,
	REGIONS_BYTES = 1 << 30, /* who clears its blocks, or maps them, has not run away yet */
};

/* A heap of the plug-in, or a further block of one. */
struct region {
	struct user_block block;
	void *handle;     /* what create_at() or add() returned; NULL: gone */
	uint32_t heap;    /* it belongs to */
	bool added;
};

struct sf_heap {
	const struct slabfuzz_plugin *t;
	const struct user_source *source;
	void *first;      /* heap 0, or what stands for it */
	bool lost;        /* heap 0 could not be made again */
	bool in_block;    /* heap 0 is region 0 */
	bool keeps;       /* nothing but freeing each object makes it new */
	uint64_t size;
	struct sf_map live; /* keeps: what is alive */
	struct user_sizes sizes; /* without a free() that needs none */
	uint32_t nr;      /* regions; ids are their indices */
	struct region region[REGIONS_MAX];
	const char *fault;/* an object was where none may be */
	struct user_threads *threads;
	unsigned int thread;
	bool parallel;    /* several threads are at work: what is alive is their caller's to know */
};

/* --- where things are --- */

static int *error_of(const struct sf_heap *h)
{
	return h->source->errno_at ? h->source->errno_at() : &errno;
}

/* The region that the address lies in; NULL: in none. */
static struct region *region_of(struct sf_heap *h, uint64_t addr)
{
	for (uint32_t i = 0; i < h->nr; i++)
		if (h->region[i].handle && user_block_has(&h->region[i].block, addr, 1))
			return &h->region[i];
	return NULL;
}

static void *heap_by_id(struct sf_heap *h, uint32_t id)
{
	if (!id || id >= h->nr || !h->region[id].handle || h->region[id].added)
		return h->first;
	return h->region[id].handle;
}

static void *heap_of(struct sf_heap *h, uint64_t addr)
{
	struct region *r = h->nr > 1 ? region_of(h, addr) : NULL;

	return r ? heap_by_id(h, r->heap) : h->first;
}

/* Words of the kernel know no realloc() that frees, and ZERO_SIZE_PTR is nothing, as NULL is. */
static bool is_kernels(const struct sf_request *rq)
{
	return rq->call == SF_CALL_NONE;
}

static void arrived(struct sf_heap *h, uint64_t addr, const struct sf_request *rq)
{
	uint64_t size = rq->size * rq->n;
	const struct region *r;

	if (h->keeps && !h->parallel)
		sf_map_put(&h->live, addr, 0);
	if (!h->t->free && !h->parallel)
		user_sizes_put(&h->sizes, addr, (struct user_size){
			.size = is_kernels(rq) && !size ? 1 : size, .align = rq->align });
	if (!h->in_block)
		return;
	/* One without bytes may be where the block ends. */
	r = region_of(h, size ? addr : addr - 1);
	if (!r || !user_block_has(&r->block, size ? addr : addr - 1, size))
		__atomic_store_n(&h->fault, "an object lies outside of its heap's block",
				 __ATOMIC_RELAXED);
}

static void left(struct sf_heap *h, uint64_t addr)
{
	if (h->parallel)
		return;
	if (h->keeps)
		sf_map_del(&h->live, addr);
	if (!h->t->free)
		user_sizes_del(&h->sizes, addr);
}

static void free_by_size(struct sf_heap *h, void *heap, void *p, const struct user_size *size)
{
	if (size && size->align && h->t->free_aligned_sized)
		h->t->free_aligned_sized(heap, p, size->align, size->size);
	else
		h->t->free_sized(heap, p, size ? size->size : 0);
}

/* free(), or what the table has instead of it. */
static void call_free(struct sf_heap *h, void *heap, void *p)
{
	const struct user_size *size;

	if (h->t->free) {
		h->t->free(heap, p);
		return;
	}
	size = user_sizes_get(&h->sizes, (uintptr_t)p);
	if (size || !p)
		free_by_size(h, heap, p, size);
}

/* --- requests --- */

static uint64_t kernel_size(const struct sf_request *rq)
{
	return rq->size ? rq->size : 1;
}

static void *call_alloc(struct sf_heap *h, const struct sf_request *rq, struct sf_result *rs)
{
	const struct slabfuzz_plugin *t = h->t;
	void *heap = heap_by_id(h, rq->heap), *untouched = rs, *p = untouched;

	switch (rq->call) {
	case SF_CALL_CALLOC:
		return t->calloc(heap, rq->n, rq->size);
	case SF_CALL_ALIGNED_ALLOC:
		return t->aligned_alloc(heap, rq->align, rq->size);
	case SF_CALL_MEMALIGN:
		return t->memalign(heap, rq->align, rq->size);
	case SF_CALL_POSIX_MEMALIGN:
		rs->ret = t->posix_memalign(heap, &p, rq->align, rq->size);
		rs->touched = rs->ret && p && p != untouched;
		return rs->ret ? NULL : p;
	default:
		if (!is_kernels(rq))
			return t->malloc(heap, rq->size);
		if (rq->gfp & SF_GFP_ZERO && t->calloc)
			return t->calloc(heap, 1, kernel_size(rq));
		return t->malloc(heap, kernel_size(rq));
	}
}

/* Of which thread it is the last call nobody could say. */
static bool refused(struct sf_heap *h, void *heap)
{
	return !h->parallel && h->t->noticed && h->t->noticed(heap);
}

static void do_alloc(struct sf_heap *h, const struct sf_request *rq, struct sf_result *rs)
{
	int *error = error_of(h);
	void *p = NULL;

	*rs = (struct sf_result){ .status = SF_NULL };
	if (h->lost)
		return;
	*error = 0;
	p = call_alloc(h, rq, rs);
	rs->error = *error;
	if (!p)
		return;
	rs->status = SF_OK;
	rs->addr = (uintptr_t)p;
	arrived(h, rs->addr, rq);
}

static void *call_realloc(struct sf_heap *h, void *heap, void *p, const struct sf_request *rq)
{
	if (rq->call == SF_CALL_REALLOCARRAY)
		return h->t->reallocarray(heap, p, rq->n, rq->size);
	return h->t->realloc(heap, p, is_kernels(rq) ? kernel_size(rq) : rq->size);
}

/* NULL for 0 bytes: is the object gone? Where nothing is promised, an error says that it is not. */
static enum sf_status nothing_back(const struct sf_heap *h, const struct sf_request *rq,
				   uint64_t addr, int error)
{
	if (!addr || (rq->size && rq->n))
		return SF_NULL;
	if (h->source->traits.realloc_zero == SF_REALLOC_ZERO_NULL)
		return SF_NULL;
	if (h->source->traits.realloc_zero == SF_REALLOC_ZERO_FREED)
		return SF_FREED;
	return error ? SF_NULL : SF_FREED;
}

static void do_realloc(struct sf_heap *h, uint64_t addr, const struct sf_request *rq,
		       struct sf_result *rs)
{
	void *heap = rq->heap || !addr ? heap_by_id(h, rq->heap) : heap_of(h, addr), *p;
	int *error = error_of(h);

	*rs = (struct sf_result){ .status = SF_NULL };
	if (h->lost)
		return;
	if (is_kernels(rq) && addr == SF_ZERO_SIZE_PTR)
		addr = 0;
	*error = 0;
	p = call_realloc(h, heap, (void *)(uintptr_t)addr, rq);
	rs->error = *error;
	if (!p) {
		rs->status = refused(h, heap) ? SF_NOTICED : nothing_back(h, rq, addr, rs->error);
		if (rs->status == SF_FREED)
			left(h, addr);
		return;
	}
	rs->status = SF_OK;
	rs->addr = (uintptr_t)p;
	if (addr && rs->addr != addr)
		left(h, addr);
	arrived(h, rs->addr, rq);
}

static void do_free(struct sf_heap *h, const struct sf_free_request *rq, struct sf_result *rs)
{
	void *heap = rq->heap ? heap_by_id(h, rq->heap) : heap_of(h, rq->addr);
	void *p = (void *)(uintptr_t)rq->addr;
	int *error = error_of(h);

	*rs = (struct sf_result){ .status = SF_OK };
	if (h->lost)
		return;
	*error = 0;
	if (rq->call == SF_CALL_FREE_SIZED)
		h->t->free_sized(heap, p, rq->size);
	else if (rq->call == SF_CALL_FREE_ALIGNED)
		h->t->free_aligned_sized(heap, p, rq->align, rq->size);
	else if (h->parallel && !h->t->free)
		free_by_size(h, heap, p,
			     &(struct user_size){ .size = rq->size, .align = rq->align });
	else
		call_free(h, heap, p);
	rs->error = *error;
	if (refused(h, heap))
		rs->status = SF_NOTICED;
	else
		left(h, rq->addr);
}

/* --- on threads --- */

struct call {
	struct sf_heap *h;
	uint64_t addr;
	const struct sf_request *rq;           /* NULL: a free */
	const struct sf_free_request *free_rq;
	bool realloc;
	struct sf_result *rs;
};

static void carry_out(void *arg)
{
	struct call *c = arg;

	if (c->free_rq)
		do_free(c->h, c->free_rq, c->rs);
	else if (c->realloc)
		do_realloc(c->h, c->addr, c->rq, c->rs);
	else
		do_alloc(c->h, c->rq, c->rs);
}

static void on_its_thread(struct sf_heap *h, struct call *c)
{
	if (h->thread && !h->threads)
		h->threads = user_threads_create(&h->source->threads);
	if (!h->thread || !user_threads_run(h->threads, h->thread, carry_out, c))
		carry_out(c);
}

static void heap_alloc(struct sf_heap *h, const struct sf_request *rq, struct sf_result *rs)
{
	if (__builtin_expect(h->thread != 0, false))
		on_its_thread(h, &(struct call){ .h = h, .rq = rq, .rs = rs });
	else
		do_alloc(h, rq, rs);
}

static void heap_realloc(struct sf_heap *h, uint64_t addr, const struct sf_request *rq,
			 struct sf_result *rs)
{
	on_its_thread(h, &(struct call){ .h = h, .addr = addr, .rq = rq, .realloc = true,
					 .rs = rs });
}

static void heap_user_free(struct sf_heap *h, const struct sf_free_request *rq,
			   struct sf_result *rs)
{
	if (__builtin_expect(h->thread != 0, false))
		on_its_thread(h, &(struct call){ .h = h, .free_rq = rq, .rs = rs });
	else
		do_free(h, rq, rs);
}

static void heap_free(struct sf_heap *h, uint64_t addr, enum sf_free_how how, struct sf_result *rs)
{
	struct sf_free_request rq = { .addr = addr, .call = SF_CALL_FREE };

	*rs = (struct sf_result){ .status = SF_OK };
	if (how == SF_FREE_USER || addr > SF_ZERO_SIZE_PTR)
		heap_user_free(h, &rq, rs);
}

static void heap_set_thread(struct sf_heap *h, unsigned int nr)
{
	h->thread = nr % SF_THREADS_MAX;
}

static bool heap_parallel(struct sf_heap *h, unsigned int nr,
			  void (*fn)(void *arg, unsigned int nr), void *arg)
{
	bool ran;

	if (h->lost)
		return false;
	if (!h->threads)
		h->threads = user_threads_create(&h->source->threads);
	h->thread = 0;
	h->parallel = true;
	ran = user_threads_all(h->threads, nr, fn, arg);
	h->parallel = false;
	return ran;
}

/* --- what is asked --- */

static uint64_t heap_usable(struct sf_heap *h, uint64_t addr)
{
	return addr && !h->lost ? h->t->usable_size(heap_of(h, addr), (void *)(uintptr_t)addr) : 0;
}

static uint64_t heap_good_size(struct sf_heap *h, uint64_t size)
{
	return h->t->good_size(h->first, size);
}

static int heap_trim(struct sf_heap *h, uint64_t pad)
{
	return h->lost ? 0 : h->t->trim(h->first, pad);
}

static void add_known(uint64_t *sum, uint64_t value)
{
	*sum = *sum == SF_UNKNOWN || value == SF_UNKNOWN ? SF_UNKNOWN : *sum + value;
}

static void heap_stats(struct sf_heap *h, struct sf_stats *out)
{
	struct slabfuzz_stats s;

	*out = (struct sf_stats){ 0 };
	for (uint32_t i = 0; i < (h->nr ? h->nr : 1); i++) {
		if (h->lost || (i && (!h->region[i].handle || h->region[i].added)))
			continue;
		memset(&s, 0xff, sizeof(s)); /* SLABFUZZ_UNKNOWN */
		h->t->stats(heap_by_id(h, i), &s);
		add_known(&out->live, s.live);
		add_known(&out->used, s.used);
		add_known(&out->free, s.free);
		add_known(&out->total, s.total);
		add_known(&out->peak, s.peak);
	}
}

static const char *heap_integrity(struct sf_heap *h)
{
	const char *what = h->fault;

	for (uint32_t i = 0; i < h->nr && !what; i++)
		if (h->region[i].handle && !user_block_sound(&h->region[i].block))
			what = "bytes outside of the heap's block were written";
	for (uint32_t i = 0; i < (h->nr ? h->nr : 1) && !what && h->t->integrity; i++)
		if (!h->lost && (!i || (h->region[i].handle && !h->region[i].added)))
			what = h->t->integrity(heap_by_id(h, i));
	return what;
}

/* --- heaps in blocks --- */

/* A free place among the regions; REGIONS_MAX: there is none for one of that size. */
static uint32_t new_region(struct sf_heap *h, uint64_t size)
{
	uint64_t room = REGIONS_BYTES;

	if (!h->nr)
		h->nr = 1; /* 0 is heap 0, and no id */
	for (uint32_t i = 1; i < h->nr; i++)
		if (h->region[i].handle)
			room -= h->region[i].block.size;
	if (size > room)
		return REGIONS_MAX;
	return h->nr < REGIONS_MAX ? h->nr++ : REGIONS_MAX;
}

static uint32_t make_region(struct sf_heap *h, uint32_t heap, bool add, uint64_t size, uint32_t at)
{
	uint32_t id = h->lost ? REGIONS_MAX : new_region(h, size);
	struct region *r = &h->region[id];
	void *owner = heap_by_id(h, heap);

	if (id == REGIONS_MAX)
		return 0;
	*r = (struct region){ .heap = add ? heap : id, .added = add };
	if (!user_block_make(&r->block, size, at))
		return 0;
	r->handle = add ? h->t->add(owner, r->block.start, size) :
		    h->t->create_at(r->block.start, size);
	if (r->handle)
		return id;
	if (!user_block_sound(&r->block))
		h->fault = "a heap that was refused wrote outside of its block";
	user_block_drop(&r->block);
	return 0;
}

static uint32_t heap_create(struct sf_heap *h, uint64_t size, uint32_t at)
{
	return make_region(h, 0, false, size, at);
}

static uint32_t heap_add(struct sf_heap *h, uint32_t heap, uint64_t size, uint32_t at)
{
	return make_region(h, heap, true, size, at);
}

static void drop_region(struct sf_heap *h, struct region *r)
{
	if (r->handle && !user_block_sound(&r->block))
		h->fault = "bytes outside of the heap's block were written";
	r->handle = NULL;
	user_block_drop(&r->block);
}

static void heap_destroy_id(struct sf_heap *h, uint32_t heap)
{
	if (!heap || heap >= h->nr || !h->region[heap].handle || h->region[heap].added)
		return;
	if (h->t->destroy)
		h->t->destroy(h->region[heap].handle);
	for (uint32_t i = 1; i < h->nr; i++)
		if (h->region[i].handle && h->region[i].heap == heap)
			drop_region(h, &h->region[i]);
}

static enum sf_status heap_remove(struct sf_heap *h, uint32_t heap, uint32_t region)
{
	struct region *r = &h->region[region];

	if (region >= h->nr || !r->handle || !r->added || r->heap != heap ||
	    h->t->remove(heap_by_id(h, heap), r->handle))
		return SF_NULL;
	drop_region(h, r);
	return SF_OK;
}

static uint64_t heap_addr(struct sf_heap *h, uint32_t heap, uint32_t region)
{
	uint32_t id = region ? region : heap;

	return id < h->nr && h->region[id].handle ? (uintptr_t)h->region[id].block.start : 0;
}

static uint64_t heap_own_bytes(struct sf_heap *h)
{
	return sf_map_bytes(&h->live);
}

/* --- a whole heap --- */

static bool open_first(struct sf_heap *h)
{
	const struct slabfuzz_plugin *t = h->t;

	if (h->in_block)
		h->first = h->region[0].handle =
			t->create_at(h->region[0].block.start, h->size);
	else
		h->first = t->create ? t->create(h->size) : h->source->state;
	h->lost = !h->first && (t->create_at || t->create);
	return !h->lost;
}

static void close_first(struct sf_heap *h)
{
	if (!h->lost && h->t->destroy && (h->t->create_at || h->t->create))
		h->t->destroy(h->first);
}

static void free_all(struct sf_heap *h)
{
	for (uint32_t at = 0; h->live.mask && at <= h->live.mask; at++)
		if (sf_map_used(&h->live, at))
			call_free(h, h->first, (void *)(uintptr_t)h->live.slot[at].key);
	sf_map_clear(&h->live);
}

static void drop_regions(struct sf_heap *h)
{
	for (uint32_t i = 1; i < h->nr; i++)
		if (h->region[i].handle && !h->region[i].added)
			heap_destroy_id(h, i);
	for (uint32_t i = 1; i < h->nr; i++)
		if (h->region[i].handle)
			drop_region(h, &h->region[i]);
	h->nr = h->in_block;
}

static void heap_reset(struct sf_heap *h)
{
	drop_regions(h);
	h->thread = 0;
	h->fault = NULL;
	if (h->keeps)
		free_all(h);
	user_sizes_clear(&h->sizes);
	if (h->keeps)
		return;
	if (h->t->reset && !h->in_block && !h->lost) {
		h->t->reset(h->first);
	} else {
		close_first(h);
		if (h->in_block)
			user_block_renew(&h->region[0].block);
		open_first(h);
	}
}

static void heap_destroy(struct sf_heap *h)
{
	if (h->keeps)
		free_all(h);
	drop_regions(h);
	close_first(h);
	if (h->in_block)
		user_block_drop(&h->region[0].block);
	user_threads_destroy(h->threads);
	sf_map_free(&h->live);
	user_sizes_free(&h->sizes);
	free(h);
}

static struct sf_heap *heap_open(const struct sf_allocator *self, const struct sf_settings *set,
				 struct sf_sink *sink, struct sf_error *err)
{
	const struct user_source *s = self->instance;
	struct sf_heap *h = sf_zalloc(1, sizeof(*h));
	struct sf_event ev = {
		.type = SF_EV_HEAP, .op = SF_NONE,
		.heap = { .allocator = self->name, .caps = self->caps, .settings = set,
			  .traits = self->traits },
	};

	h->source = s;
	h->t = &s->table;
	h->size = set->pages * SF_PAGE_SIZE;
	h->in_block = h->t->create_at != NULL;
	h->keeps = !h->t->reset && !(h->t->create && h->t->destroy) && !h->in_block;
	h->nr = h->in_block;
	if (h->in_block && !user_block_make(&h->region[0].block, h->size, 0))
		snprintf(err->text, sizeof(err->text), "no memory for a heap of %llu bytes",
			 (unsigned long long)h->size);
	else if (!open_first(h))
		snprintf(err->text, sizeof(err->text), "%s refused a heap of %llu bytes",
			 self->name, (unsigned long long)h->size);
	else {
		if (sink)
			sink->emit(sink->ctx, &ev);
		return h;
	}
	heap_destroy(h);
	return NULL;
}

/* --- the table --- */

static uint64_t caps_of(const struct slabfuzz_plugin *t)
{
	const struct {
		bool there;
		uint64_t caps;
	} row[] = {
		{ true, SF_CAP_ADDRESS | SF_CAP_CONTENTS | SF_CAP_MALLOC },
		{ t->calloc, SF_CAP_CALLOC },
		{ t->realloc, SF_CAP_REALLOC },
		{ t->reallocarray, SF_CAP_REALLOCARRAY },
		{ t->aligned_alloc, SF_CAP_ALIGNED_ALLOC },
		{ t->posix_memalign, SF_CAP_POSIX_MEMALIGN },
		{ t->memalign, SF_CAP_MEMALIGN },
		{ t->free_sized, SF_CAP_FREE_SIZED },
		{ t->free_aligned_sized, SF_CAP_FREE_ALIGNED },
		{ t->usable_size, SF_CAP_USABLE },
		{ t->good_size, SF_CAP_GOOD_SIZE },
		{ t->trim, SF_CAP_TRIM },
		{ t->stats, SF_CAP_STATS },
		{ t->integrity || t->create_at, SF_CAP_INTEGRITY },
		{ t->create_at, SF_CAP_HEAPS },
		{ t->create_at && t->add && t->remove, SF_CAP_REGIONS },
		{ t->flags & (SLABFUZZ_THREADS | SLABFUZZ_PARALLEL), SF_CAP_THREADS },
		{ t->flags & SLABFUZZ_PARALLEL, SF_CAP_PARALLEL },
	};
	uint64_t caps = 0;

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		caps |= row[i].there ? row[i].caps : 0;
	return caps;
}

void user_source_finish(struct user_source *s)
{
	const struct slabfuzz_plugin *t = &s->table;

	s->allocator = (struct sf_allocator){
		.abi = SF_ALLOCATOR_ABI,
		.name = s->name,
		.summary = t->summary ? t->summary : t->name,
		.caps = caps_of(t),
		.settings = t->create_at || t->create ? 1ull << SF_SET_pages : 0,
		.reset_kind = SF_RESET_BEST_EFFORT,
		.traits = &s->traits,
		.instance = s,
		.family = s->family,
		.create = heap_open,
		.destroy = heap_destroy,
		.reset = heap_reset,
		.alloc = heap_alloc,
		.free = heap_free,
		.usable = heap_usable,
		.realloc = heap_realloc,
		.fill = user_fill,
		.verify = user_verify,
		.zeroed = user_zeroed,
		.user_free = heap_user_free,
		.good_size = heap_good_size,
		.trim = heap_trim,
		.stats = heap_stats,
		.integrity = heap_integrity,
		.heap_create = heap_create,
		.heap_destroy = heap_destroy_id,
		.heap_add = heap_add,
		.heap_remove = heap_remove,
		.heap_addr = heap_addr,
		.set_thread = heap_set_thread,
		.own_bytes = heap_own_bytes,
		.parallel = heap_parallel,
	};
	if (!(s->said >> sf_trait_by_name("history", 7)->code & 1))
		s->traits.history = !t->create_at && !t->create && !t->reset;
}
