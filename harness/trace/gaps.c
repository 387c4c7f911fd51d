// SPDX-License-Identifier: MIT
/*
 * gaps.c - signs that a recording lacks events and does not say so, as perf's do under load.
 *
 * What is missing looks like a mistake of the kernel: without the allocation between them two frees
 * of an address are a double free. But who loses events loses some of all kinds, and some leave a
 * trace that no mistake of an allocator leaves. Each sign here is one that a complete recording
 * cannot have, whatever has no tracepoint (bulk allocation and bulk free, compaction, contiguous
 * ranges). State is kept in tables of fixed size: what falls out of them is a sign less, never one
 * too many. Relies on pair.c; scan.c relies on it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"

#define FRAMES 16384u /* direct-mapped, like what was freed */
#define FREED 4096u
#define SITES 8u

enum { UNKNOWN, HANDED_OUT, GIVEN_BACK };

struct frame {
	uint64_t pfn;
	uint8_t state;
	bool kmalloc; /* an object of kmalloc was seen on it since */
};

struct sf_gaps {
	struct sf_pair *pair;
	struct frame frame[FRAMES];
	uint64_t freed[FREED];   /* by kfree, and not handed out since */
	uint64_t single[FREED];  /* likewise, by kmem_cache_free to a cache of single() */
	uint64_t site[SITES];    /* of double frees: hashes, each once */
	unsigned int nr_sites;
	uint32_t kinds;          /* seen so far */
	uint64_t nr, caches;     /* events; of them before both of CACHE were seen */
	uint64_t signs[SF_GAP_KINDS], pending[SF_GAP_KINDS];
};

/* Events are enabled one after another: what undoes an event is recorded before it counts. */
enum { PAGES = 1u << SF_TRACE_PAGE_ALLOC | 1u << SF_TRACE_PAGE_FREE,
       KMALLOC = 1u << SF_TRACE_KMALLOC | 1u << SF_TRACE_KFREE,
       CACHE = 1u << SF_TRACE_CACHE_ALLOC | 1u << SF_TRACE_CACHE_FREE };

static bool recorded(const struct sf_gaps *g, uint32_t kinds)
{
	return (g->kinds & kinds) == kinds;
}

struct sf_gaps *sf_gaps_create(void)
{
	struct sf_gaps *g = sf_tr_alloc(sizeof(*g));

	memset(g, 0, sizeof(*g));
	return g;
}

void sf_gaps_destroy(struct sf_gaps *g)
{
	free(g);
}

static struct frame *slot(struct sf_gaps *g, uint64_t pfn)
{
	return &g->frame[pfn % FRAMES];
}

static uint64_t *entry(uint64_t *table, uint64_t ptr)
{
	return &table[(ptr * 0x9e3779b97f4a7c15ull) >> 52];
}

/*
 * Caches whose objects come and go one by one, each with a tracepoint, in all kernels: no bulk, no
 * kfree_rcu().
 */
static bool single(const char *name)
{
	static const char *const names[] = { "names_cache", "filp", "dentry", "vm_area_struct",
					     "anon_vma", "anon_vma_chain", "lsm_file_cache",
					     "task_struct", "mm_struct", "sighand_cache" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

/* A page handed out while it is: only the free in between can be missing, for all have an event. */
static void on_pages(struct sf_gaps *g, const struct sf_trace_record *rec, uint8_t state)
{
	uint64_t nr = 1ull << rec->order;
	bool twice = false;

	if (rec->no_frame || rec->pfn == SF_NO_PFN || !recorded(g, PAGES))
		return;
	for (uint64_t pfn = rec->pfn; pfn < rec->pfn + (nr < FRAMES ? nr : FRAMES); pfn++) {
		struct frame *f = slot(g, pfn);

		twice = twice || (f->pfn == pfn && f->state == HANDED_OUT);
		*f = (struct frame){ .pfn = pfn, .state = state };
	}
	if (twice && state == HANDED_OUT)
		g->pending[SF_GAP_PAGE_TWICE]++;
}

/* An object on a page that was given back: the page was handed out again unseen. */
static void on_object(struct sf_gaps *g, const struct sf_trace_record *rec)
{
	uint64_t base = sf_pair_base(g->pair), pfn;
	struct frame *f;

	if (*entry(g->freed, rec->ptr) == rec->ptr)
		*entry(g->freed, rec->ptr) = 0;
	if (*entry(g->single, rec->ptr) == rec->ptr)
		*entry(g->single, rec->ptr) = 0;
	if (!base || rec->ptr < base)
		return;
	pfn = (rec->ptr - base) >> SF_PAGE_SHIFT;
	f = slot(g, pfn);
	if (f->pfn != pfn)
		return;
	if (f->state == GIVEN_BACK) {
		g->pending[SF_GAP_NO_PAGE]++;
		f->state = UNKNOWN;
	}
	f->kmalloc = f->kmalloc || rec->kind == SF_TRACE_KMALLOC;
}

void sf_gaps_record(struct sf_gaps *g, struct sf_pair *pair, const struct sf_trace_record *rec)
{
	/* What would have prevented a sign is still recorded after it. */
	static const uint8_t proof[SF_GAP_KINDS] = {
		[SF_GAP_PAGE_TWICE] = SF_TRACE_PAGE_FREE,
		[SF_GAP_NO_PAGE] = SF_TRACE_PAGE_ALLOC,
		[SF_GAP_UNBORN] = SF_TRACE_KMALLOC,
		[SF_GAP_FREED_TWICE] = SF_TRACE_KMALLOC,
		[SF_GAP_SINGLE_FREED] = SF_TRACE_CACHE_ALLOC,
		[SF_GAP_SINGLE_TWICE] = SF_TRACE_CACHE_FREE,
	};

	g->pair = pair;
	g->kinds |= 1u << rec->kind;
	g->nr++;
	if (!recorded(g, CACHE))
		g->caches = g->nr;
	for (int i = 0; i < SF_GAP_KINDS; i++) {
		if (proof[i] != rec->kind)
			continue;
		g->signs[i] += g->pending[i];
		g->pending[i] = 0;
	}
	if (rec->kind == SF_TRACE_PAGE_ALLOC)
		on_pages(g, rec, HANDED_OUT);
	else if (rec->kind == SF_TRACE_PAGE_FREE)
		on_pages(g, rec, GIVEN_BACK);
	else if (rec->kind == SF_TRACE_KMALLOC || rec->kind == SF_TRACE_CACHE_ALLOC)
		on_object(g, rec);
}

/* Mistakes are made in one place, again and again; losses happen everywhere. */
static void freed_twice(struct sf_gaps *g, const struct sf_trace_record *rec)
{
	uint64_t site = sf_tr_hash(rec->site);

	for (unsigned int i = 0; i < g->nr_sites; i++)
		if (g->site[i] == site)
			return;
	if (g->nr_sites == SITES)
		return;
	g->site[g->nr_sites++] = site;
	g->pending[SF_GAP_FREED_TWICE]++;
}

/*
 * A kfree() of nothing alive, on a page that was handed out in this recording and has other objects
 * of kmalloc: it was allocated in the recording, and that has a tracepoint.
 */
static void on_unborn(struct sf_gaps *g, const struct sf_trace_record *rec)
{
	uint64_t base = sf_pair_base(g->pair), pfn;
	const struct frame *f;

	if (*entry(g->freed, rec->ptr) == rec->ptr) {
		freed_twice(g, rec);
		return;
	}
	if (!base || rec->ptr < base)
		return;
	pfn = (rec->ptr - base) >> SF_PAGE_SHIFT;
	f = slot(g, pfn);
	if (f->pfn == pfn && f->state == HANDED_OUT && f->kmalloc && recorded(g, KMALLOC))
		g->pending[SF_GAP_UNBORN]++;
}

static void on_kfree(struct sf_gaps *g, const struct sf_tr_event *ev)
{
	if (ev->step == SF_STEP_UNBORN)
		on_unborn(g, ev->rec);
	if (ev->step == SF_STEP_FREE_NULL || !recorded(g, KMALLOC))
		return;
	if (ev->step == SF_STEP_UNBORN || !ev->implied)
		*entry(g->freed, ev->rec->ptr) = ev->rec->ptr;
}

static void on_cache_free(struct sf_gaps *g, const struct sf_tr_event *ev)
{
	uint64_t *e = entry(g->single, ev->rec->ptr);

	if (!recorded(g, CACHE) || !single(ev->rec->cache))
		return;
	if (ev->step == SF_STEP_UNBORN && *e == ev->rec->ptr)
		g->pending[SF_GAP_SINGLE_FREED]++;
	*e = ev->rec->ptr;
}

/* An object ends because its address is handed out again, in the same cache. */
static void on_again(struct sf_gaps *g, const struct sf_tr_event *ev)
{
	const struct sf_tr_obj *o = ev->obj;
	const char *name = o->cache == SF_NONE ? NULL : sf_pair_cache(g->pair, o->cache)->name;

	if (o->key == ev->rec->ptr && o->serial > g->caches && name &&
	    !strcmp(name, ev->rec->cache) && single(name))
		g->pending[SF_GAP_SINGLE_TWICE]++;
}

void sf_gaps_event(struct sf_gaps *g, const struct sf_tr_event *ev)
{
	if (!ev->rec)
		return;
	if (ev->rec->kind == SF_TRACE_KFREE)
		on_kfree(g, ev);
	else if (ev->rec->kind == SF_TRACE_CACHE_FREE)
		on_cache_free(g, ev);
	else if (ev->step == SF_STEP_FREE && ev->rec->kind == SF_TRACE_CACHE_ALLOC)
		on_again(g, ev);
}

bool sf_gaps_found(const struct sf_gaps *g, char *why, size_t cap)
{
	static const char *const what[SF_GAP_KINDS] = {
		[SF_GAP_PAGE_TWICE] = "pages handed out twice",
		[SF_GAP_NO_PAGE] = "objects on pages given back",
		[SF_GAP_UNBORN] = "frees of what was never allocated",
		[SF_GAP_FREED_TWICE] = "places that free what is free",
		[SF_GAP_SINGLE_FREED] = "frees with no allocation",
		[SF_GAP_SINGLE_TWICE] = "allocations with no free",
	};
	uint64_t all = 0;
	size_t n;

	for (int i = 0; i < SF_GAP_KINDS; i++)
		all += g->signs[i];
	if (all < SF_GAPS_PROOF)
		return false;
	n = (size_t)snprintf(why, cap, "events are missing though nothing says so (");
	for (int i = 0; i < SF_GAP_KINDS && n < cap; i++)
		if (g->signs[i])
			n += (size_t)snprintf(why + n, cap - n, "%s%" PRIu64 " %s",
					      why[n - 1] == '(' ? "" : ", ", g->signs[i],
					      what[i]);
	if (n < cap)
		snprintf(why + n, cap - n, ")");
	return true;
}
