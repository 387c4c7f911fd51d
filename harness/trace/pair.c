// SPDX-License-Identifier: MIT
/*
 * pair.c - makes sense of a recording: which free belongs to which allocation, and what else
 * happened.
 *
 * A recording begins and ends in the middle of things, misses what has no tracepoint (bulk
 * allocation and bulk free) and may name objects by 32-bit hashes of their addresses. Each kind of
 * untidiness has its rule here, stated where it is applied, and a count. Scan, import and judge all
 * see a recording through this file, so they agree. Memory: the objects alive, and one bit for each
 * page allocation.
 */
#include <stdlib.h>
#include <string.h>

#include "pair.h"

/* No block of the model is larger (mm/page_alloc.c: MAX_PAGE_ORDER). */
#define LARGEST (SF_PAGE_SIZE << (SF_NR_ORDERS - 1))

static void touch_task(struct sf_pair *p, const struct sf_trace_record *rec);

void sf_bits_push(struct sf_bits *b, bool value)
{
	if (b->nr == b->cap * 64) {
		b->cap = b->cap ? 2 * b->cap : 64;
		b->word = sf_tr_grow(b->word, b->cap * sizeof(*b->word));
	}
	if (b->nr % 64 == 0)
		b->word[b->nr / 64] = 0;
	if (value)
		b->word[b->nr / 64] |= 1ull << (b->nr % 64);
	b->nr++;
}

struct sf_pair *sf_pair_create(const struct sf_pair_options *opt)
{
	struct sf_pair *p = sf_tr_alloc(sizeof(*p));

	memset(p, 0, sizeof(*p));
	p->opt = *opt;
	p->hashed = opt->hashed;
	p->base = opt->base;
	p->free_obj = SF_NONE;
	p->go_on = true;
	return p;
}

void sf_pair_destroy(struct sf_pair *p)
{
	if (!p)
		return;
	for (uint32_t i = 0; i < p->nr_cache; i++)
		free(p->cache[i].name);
	free(p->cache);
	free(p->obj);
	free(p->backing.word);
	sf_map_free(&p->live);
	sf_map_free(&p->block);
	sf_map_free(&p->page);
	sf_map_free(&p->named);
	sf_map_free(&p->sized);
	free(p);
}

struct sf_trace_counts *sf_pair_counts(struct sf_pair *p)
{
	return &p->counts;
}

uint32_t sf_pair_caches(const struct sf_pair *p)
{
	return p->nr_cache;
}

struct sf_tr_cache *sf_pair_cache(struct sf_pair *p, uint32_t index)
{
	return &p->cache[index];
}

void sf_pair_take_backing(struct sf_pair *p, struct sf_bits *out)
{
	*out = p->backing;
	p->backing = (struct sf_bits){0};
}

uint64_t sf_pair_peak_pages(const struct sf_pair *p)
{
	return p->pages_peak;
}

uint64_t sf_pair_base(const struct sf_pair *p)
{
	return p->base;
}

void sf_pair_large(const struct sf_pair *p, uint64_t *fit, uint64_t *unfit)
{
	*fit = p->large_fit;
	*unfit = p->large_unfit;
}

uint32_t sf_pair_page_size(const struct sf_pair *p)
{
	return p->page_shift ? 1u << p->page_shift : 0;
}

static void report(struct sf_pair *p, enum sf_tr_step step, uint32_t obj, uint32_t other,
		   bool implied, const struct sf_trace_record *rec)
{
	struct sf_tr_event ev = {
		.step = step,
		.obj = obj == SF_NONE ? NULL : &p->obj[obj],
		.other = other == SF_NONE ? NULL : &p->obj[other],
		.implied = implied,
		.rec = rec,
	};

	if (p->opt.event && p->go_on)
		p->go_on = p->opt.event(p->opt.ctx, &ev);
}

/* ---- objects ---- */

static uint32_t new_obj(struct sf_pair *p)
{
	uint32_t i = p->free_obj;

	if (i != SF_NONE) {
		p->free_obj = p->obj[i].next;
	} else {
		if (p->nr_obj == p->cap_obj) {
			p->cap_obj = p->cap_obj ? 2 * p->cap_obj : 4096;
			p->obj = sf_tr_grow(p->obj, (size_t)p->cap_obj * sizeof(*p->obj));
		}
		i = p->nr_obj++;
	}
	memset(&p->obj[i], 0, sizeof(p->obj[i]));
	p->obj[i].next = p->obj[i].page_next = p->obj[i].page_prev = SF_NONE;
	p->obj[i].cache = p->obj[i].user = SF_NONE;
	p->obj[i].serial = p->serial;
	if (i >= p->top_obj)
		p->top_obj = i + 1;
	return i;
}

static void put_obj(struct sf_pair *p, uint32_t i)
{
	p->obj[i].serial = 0;
	p->obj[i].next = p->free_obj;
	p->free_obj = i;
}

static void count_bytes(struct sf_pair *p, uint64_t more, uint64_t less)
{
	p->bytes = p->bytes + more - less;
	if (p->bytes > p->counts.peak_bytes)
		p->counts.peak_bytes = p->bytes;
}

static void count_pages(struct sf_pair *p, uint64_t more)
{
	p->pages += more;
	if (p->pages > p->pages_peak)
		p->pages_peak = p->pages;
}

/* Objects by page, so that what was on a page can be found when the page changes hands. */
static void page_link(struct sf_pair *p, uint32_t i)
{
	uint64_t page = p->obj[i].key >> SF_PAGE_SHIFT;
	uint32_t head;

	if (p->hashed)
		return;
	head = sf_map_get(&p->page, page);
	if (head != SF_MAP_NONE) {
		p->obj[i].page_next = head;
		p->obj[head].page_prev = i;
	}
	p->obj[i].on_page = true;
	sf_map_put(&p->page, page, i);
}

static void page_unlink(struct sf_pair *p, uint32_t i)
{
	struct sf_tr_obj *o = &p->obj[i];
	uint64_t page = o->key >> SF_PAGE_SHIFT;

	if (!o->on_page)
		return;
	if (o->page_next != SF_NONE)
		p->obj[o->page_next].page_prev = o->page_prev;
	if (o->page_prev != SF_NONE)
		p->obj[o->page_prev].page_next = o->page_next;
	else if (o->page_next != SF_NONE)
		sf_map_put(&p->page, page, o->page_next);
	else
		sf_map_del(&p->page, page);
}

/* Takes an object off its key's chain and forgets it, after the listener has heard. */
static void end_obj(struct sf_pair *p, uint32_t i, bool implied, const struct sf_trace_record *rec)
{
	struct sf_tr_obj *o = &p->obj[i];
	uint32_t head = sf_map_get(&p->live, o->key);

	if (!o->alien)
		report(p, SF_STEP_FREE, i, SF_NONE, implied, rec);
	if (head == i) {
		if (o->next == SF_NONE)
			sf_map_del(&p->live, o->key);
		else
			sf_map_put(&p->live, o->key, o->next);
	} else {
		while (p->obj[head].next != i)
			head = p->obj[head].next;
		p->obj[head].next = o->next;
	}
	page_unlink(p, i);
	if (o->cache != SF_NONE)
		p->cache[o->cache].live--;
	else if (!o->alien)
		p->pages -= o->bytes >> SF_PAGE_SHIFT;
	if (!o->alien)
		count_bytes(p, 0, o->bytes);
	p->counts.implied_free += implied;
	p->nr_live--;
	put_obj(p, i);
}

/* ---- caches ---- */

uint64_t sf_tr_hash(const char *s)
{
	size_t len = strlen(s);
	uint64_t h = len, w;

	for (; len >= 8; s += 8, len -= 8) {
		memcpy(&w, s, 8);
		h = (h ^ w) * 0x9e3779b97f4a7c15ull;
		h ^= h >> 29;
	}
	w = 0;
	memcpy(&w, s, len);
	h = (h ^ w) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 32;
}

/* First cache of that name; another name with the same hash is stepped over. */
static uint32_t find_name(const struct sf_pair *p, const char *name, uint64_t *key)
{
	uint32_t i;

	for (*key = sf_tr_hash(name); (i = sf_map_get(&p->named, *key)) != SF_MAP_NONE; ++*key)
		if (!strcmp(p->cache[i].name, name))
			return i;
	return SF_NONE;
}

static uint32_t add_cache(struct sf_pair *p, const char *name, uint32_t bytes_alloc)
{
	struct sf_tr_cache *c;

	if (p->nr_cache == p->cap_cache) {
		p->cap_cache = p->cap_cache ? 2 * p->cap_cache : 64;
		p->cache = sf_tr_grow(p->cache, p->cap_cache * sizeof(*p->cache));
	}
	c = &p->cache[p->nr_cache];
	*c = (struct sf_tr_cache){
		.name = name ? strcpy(sf_tr_alloc(strlen(name) + 1), name) : NULL,
		.bytes_alloc = bytes_alloc,
		.req_min = UINT32_MAX,
		.next = SF_NONE,
		.user = SF_NONE,
	};
	p->counts.caches += name != NULL;
	return p->nr_cache++;
}

/*
 * Named caches: by name and stride, since two caches may share a name. Kernels before 6.1 do not
 * tell the name: then by size, too.
 */
static uint32_t named_cache(struct sf_pair *p, const struct sf_trace_record *rec)
{
	uint32_t bytes = (uint32_t)rec->bytes_alloc, first, i, last = SF_NONE;
	bool nameless = !*rec->cache;
	uint64_t key;

	first = find_name(p, rec->cache, &key);
	for (i = first; i != SF_NONE; last = i, i = p->cache[i].next)
		if (p->cache[i].bytes_alloc == bytes &&
		    (!nameless || p->cache[i].bytes_req == rec->bytes_req))
			return i;
	if (p->nr_cache >= SF_TR_CACHES_MAX)
		return SF_NONE;
	i = add_cache(p, rec->cache, bytes);
	if (last == SF_NONE)
		sf_map_put(&p->named, key, i);
	else
		p->cache[last].next = i;
	return i;
}

static uint32_t sized_cache(struct sf_pair *p, uint32_t bytes)
{
	uint32_t i = sf_map_get(&p->sized, bytes);

	if (i != SF_MAP_NONE)
		return i;
	if (p->nr_cache >= SF_TR_CACHES_MAX)
		return SF_NONE;
	i = add_cache(p, NULL, bytes);
	sf_map_put(&p->sized, bytes, i);
	return i;
}

/* ---- page blocks ---- */

/* The live block that contains a page, SF_NONE if there is none: blocks are naturally aligned. */
static uint32_t find_block(const struct sf_pair *p, uint64_t pfn)
{
	for (unsigned int o = 0; o <= SF_TR_ORDER_MAX; o++) {
		uint32_t i;

		if (!p->nr_order[o])
			continue;
		i = sf_map_get(&p->block, pfn >> o << o);
		if (i != SF_MAP_NONE && p->obj[i].order == o)
			return i;
	}
	return SF_NONE;
}

static void end_block(struct sf_pair *p, uint32_t i, bool implied,
		      const struct sf_trace_record *rec)
{
	struct sf_tr_obj *b = &p->obj[i];

	if (!b->backing && !b->alien) {
		report(p, SF_STEP_PAGES_FREE, i, SF_NONE, implied, rec);
		p->pages -= 1ull << b->order;
		count_bytes(p, 0, SF_PAGE_SIZE << b->order);
	}
	sf_map_del(&p->block, b->key);
	p->nr_order[b->order]--;
	p->counts.page_implied += implied;
	p->nr_blocks--;
	put_obj(p, i);
}

/*
 * Rule: pages that are handed out or given back hold no live objects. What is still thought alive
 * on them was freed without a tracepoint (kmem_cache_free_bulk), and its memory went with the slab.
 */
static void evict(struct sf_pair *p, uint64_t pfn, unsigned int order,
		  const struct sf_trace_record *rec)
{
	uint64_t first = (p->base >> SF_PAGE_SHIFT) + pfn;

	if (!p->base || p->hashed || !p->page.nr)
		return;
	for (uint64_t page = first; page < first + (1ull << order); page++) {
		uint32_t i;

		while ((i = sf_map_get(&p->page, page)) != SF_MAP_NONE)
			end_obj(p, i, true, rec);
	}
}

/* First pass: the block turns out to hold a slab or a large kmalloc, whose objects are counted. */
static void confirm(struct sf_pair *p, uint32_t i)
{
	struct sf_tr_obj *b = &p->obj[i];

	if (b->backing || b->alien)
		return;
	b->backing = true;
	sf_bits_set(&p->backing, b->ordinal);
	p->counts.slab_pages++;
	p->pages -= 1ull << b->order;
	count_bytes(p, 0, SF_PAGE_SIZE << b->order);
}

static struct sf_tr_task *task_of(struct sf_pair *p, const struct sf_trace_record *rec)
{
	uint32_t h = ((uint32_t)rec->pid * 0x9e3779b1u) >> 16;
	struct sf_tr_task *t = &p->task[(h ^ rec->cpu) % SF_TR_TASKS];

	if (t->pid != rec->pid || t->cpu != rec->cpu || !t->used) {
		*t = (struct sf_tr_task){ .pid = rec->pid, .cpu = rec->cpu, .used = true };
		t->dentry = SF_NONE;
	}
	return t;
}

/*
 * Rule (hashed pointers): a slab's pages are asked for with the flags of mm/slub.c:allocate_slab
 * (new slabs try, they do not insist: NORETRY and NOWARN; compound; of the caller's flags only
 * those of reclaim and constraint) and the next event of that task on that CPU is the allocation
 * that needed the slab. IO or FS with kswapd only is nobody's kmalloc: it is the network's page
 * fragments (net/core/sock.c:skb_page_frag_refill).
 */
static bool slab_shape(uint32_t gfp)
{
	const uint32_t must = SF_GFP_COMP | SF_GFP_NORETRY | SF_GFP_NOWARN;
	const uint32_t never = SF_GFP_MOVABLE | SF_GFP_HIGHMEM | SF_GFP_ZERO | SF_GFP_WRITE |
			       SF_GFP_ACCOUNT;

	if ((gfp & must) != must || (gfp & never))
		return false;
	return !(gfp & (SF_GFP_IO | SF_GFP_FS)) || !(gfp & SF_GFP_KSWAPD_RECLAIM) ||
	       (gfp & SF_GFP_DIRECT_RECLAIM);
}

/*
 * Rule (real pointers): a slab's first object shows where the direct map begins (1 GiB aligned),
 * and how large pages are: only of pages of the right size do two slabs agree. Addresses are made
 * use of where pages are those of the model.
 */
static void vote(struct sf_pair *p, const struct sf_tr_obj *b, uint64_t ptr)
{
	static const uint8_t shifts[] = { SF_PAGE_SHIFT, 14, 16 };

	for (unsigned int s = 0; s < sizeof(shifts) && !p->page_shift; s++) {
		unsigned int shift = shifts[s];
		uint64_t base = (ptr & ~((1ull << (shift + b->order)) - 1)) - (b->key << shift);

		if (base & ((1ull << 30) - 1) || !(base >> 63))
			continue;
		for (unsigned int i = 0; i < SF_TR_VOTES; i++) {
			if (p->vote[i].nr && (p->vote[i].base != base || p->vote[i].shift != shift))
				continue;
			p->vote[i].base = base;
			p->vote[i].shift = (uint8_t)shift;
			if (++p->vote[i].nr == 2) {
				p->page_shift = (uint8_t)shift;
				if (shift == SF_PAGE_SHIFT)
					p->base = base;
			}
			break;
		}
	}
}

static bool inside(const struct sf_pair *p, const struct sf_tr_obj *b, uint64_t ptr)
{
	uint64_t pfn = (ptr - p->base) >> SF_PAGE_SHIFT;

	return pfn - b->key < 1ull << b->order;
}

/*
 * The vector of charges for a new slab's objects (mm/slub.c): allocated between the slab's pages
 * and its first object. It shows that there is a slab, not where.
 */
static bool is_extension(const struct sf_trace_record *rec)
{
	return rec->kind == SF_TRACE_KMALLOC && !strncmp(rec->site, "alloc_slab_obj_exts", 19);
}

/* First pass, at each allocation: which blocks does it show to be backing? */
static void find_backing(struct sf_pair *p, const struct sf_trace_record *rec)
{
	struct sf_tr_task *t = task_of(p, rec);
	bool large = rec->kind == SF_TRACE_KMALLOC && rec->bytes_alloc > SF_TR_KMALLOC_CACHE_MAX;
	bool blind = p->hashed || is_extension(rec);

	for (unsigned int n = 0; n < t->nr_pend; n++) {
		struct sf_tr_obj *b = &p->obj[t->pend[n]];

		if (b->serial != t->serial[n] || !b->block)
			continue;
		/* Large kmalloc: the block just taken, of that size, is the object itself. */
		if (large && SF_PAGE_SIZE << b->order != rec->bytes_alloc)
			continue;
		if (large ? !(b->gfp & SF_GFP_COMP) : !slab_shape(b->gfp))
			continue;
		if (!blind)
			vote(p, b, rec->ptr);
		if (blind || !p->base || inside(p, b, rec->ptr))
			confirm(p, t->pend[n]);
	}
	if (p->base && !p->hashed && rec->ptr >= p->base) {
		uint32_t i = find_block(p, (rec->ptr - p->base) >> SF_PAGE_SHIFT);

		if (i != SF_NONE)
			confirm(p, i);
	}
}

/* Blocks wait for the next event of their task, nested slabs (an object extension's) together. */
static void pend(struct sf_pair *p, const struct sf_trace_record *rec, uint32_t i)
{
	struct sf_tr_task *t = task_of(p, rec);

	if (!slab_shape(rec->gfp) || t->nr_pend == SF_TR_PEND)
		t->nr_pend = 0;
	t->pend[t->nr_pend] = i;
	t->serial[t->nr_pend++] = p->obj[i].serial;
}

static void touch_task(struct sf_pair *p, const struct sf_trace_record *rec)
{
	task_of(p, rec)->nr_pend = 0;
}

/* ---- the events ---- */

/* dentry, then its name, both from __d_alloc() in one task (fs/dcache.c). */
static bool in_d_alloc(const struct sf_trace_record *rec)
{
	return !strncmp(rec->site, "__d_alloc", 9) && (rec->site[9] == '+' || rec->site[9] == '.');
}

static void find_owner(struct sf_pair *p, const struct sf_trace_record *rec, uint32_t i)
{
	struct sf_tr_task *t;

	if (!in_d_alloc(rec))
		return;
	t = task_of(p, rec);
	if (rec->kind == SF_TRACE_CACHE_ALLOC) {
		t->dentry = strcmp(rec->cache, "dentry") ? SF_NONE : i;
		t->dentry_serial = p->serial;
		return;
	}
	if (t->dentry == SF_NONE || !(rec->gfp & SF_GFP_RECLAIMABLE))
		return;
	if (p->obj[t->dentry].serial == t->dentry_serial) {
		p->counts.owners++;
		report(p, SF_STEP_OWNS, t->dentry, i, false, rec);
	}
	t->dentry = SF_NONE;
}

/*
 * The address is handed out while an object is still thought to be there. Rules:
 * - the same cache: an implied free. It was freed in bulk, which has no tracepoint (maple_node).
 * - another cache, real pointers: likewise; its slab has changed hands in between.
 * - another cache, hashes: two addresses with one hash. Both live on; their caches tell their
 *   frees apart. At most SF_TR_CHAIN of one hash, then the oldest is taken for gone.
 */
static void make_room(struct sf_pair *p, const struct sf_trace_record *rec, uint32_t cache)
{
	uint32_t i = sf_map_get(&p->live, rec->ptr), last = i, same = SF_NONE;
	unsigned int nr = 0;

	if (i == SF_MAP_NONE)
		return;
	for (; i != SF_NONE; last = i, i = p->obj[i].next, nr++)
		if (p->obj[i].cache == cache)
			same = i;
	if (same != SF_NONE) {
		end_obj(p, same, true, rec);
		return;
	}
	if (!p->hashed || nr >= SF_TR_CHAIN)
		end_obj(p, last, true, rec);
	p->counts.hash_collision += p->hashed;
}

static void note_cache(struct sf_pair *p, uint32_t cache, const struct sf_trace_record *rec)
{
	struct sf_tr_cache *c = &p->cache[cache];

	if (++c->live > c->peak)
		c->peak = c->live;
	if (rec->bytes_req > c->bytes_req)
		c->bytes_req = (uint32_t)rec->bytes_req;
	if (rec->bytes_req < c->req_min)
		c->req_min = (uint32_t)rec->bytes_req;
	c->nr++;
	/* As far as any kernel aligns them (mm/slab_common.c:kmalloc_caches). */
	if (rec->kind == SF_TRACE_KMALLOC)
		c->crooked += (rec->ptr & ((c->bytes_alloc & -c->bytes_alloc) - 1)) != 0;
	if (c->name && rec->accounted && !(rec->gfp & SF_GFP_ACCOUNT))
		c->account = true;
}

/* Large kmalloc takes a block of pages, whatever the size of pages. */
static void note_large(struct sf_pair *p, const struct sf_trace_record *rec)
{
	uint64_t block = SF_PAGE_SIZE;

	while (block < rec->bytes_req)
		block *= 2;
	if (block == rec->bytes_alloc)
		p->large_fit++;
	else
		p->large_unfit++;
	if (rec->bytes_alloc > LARGEST)
		return;
	count_pages(p, rec->bytes_alloc >> SF_PAGE_SHIFT);
	count_bytes(p, rec->bytes_alloc, 0);
}

static int on_alloc(struct sf_pair *p, const struct sf_trace *t, const struct sf_trace_record *rec,
		    struct sf_error *err)
{
	bool named = rec->kind == SF_TRACE_CACHE_ALLOC;
	uint32_t cache = SF_NONE, i, head;

	if (rec->no_ptr) {
		p->counts.alloc_no_ptr++;
		return 0;
	}
	if (!rec->ptr) {
		p->counts.failed++;
		report(p, SF_STEP_FAILED, SF_NONE, SF_NONE, false, rec);
		return 0;
	}
	if (named || rec->bytes_alloc <= SF_TR_KMALLOC_CACHE_MAX) {
		cache = named ? named_cache(p, rec) : sized_cache(p, (uint32_t)rec->bytes_alloc);
		if (cache == SF_NONE)
			return sf_tr_error(err, sf_trace_name(t), rec->line,
					   "more than %u caches", SF_TR_CACHES_MAX);
	}
	if (!p->opt.backing)
		find_backing(p, rec);
	make_room(p, rec, cache);
	i = new_obj(p);
	head = sf_map_get(&p->live, rec->ptr);
	p->obj[i].key = rec->ptr;
	p->obj[i].next = head == SF_MAP_NONE ? SF_NONE : head;
	p->obj[i].cache = cache;
	p->obj[i].bytes = (uint32_t)rec->bytes_alloc;
	sf_map_put(&p->live, rec->ptr, i);
	page_link(p, i);
	p->nr_live++;
	if (cache != SF_NONE) {
		note_cache(p, cache, rec);
		count_bytes(p, rec->bytes_alloc, 0);
	} else {
		note_large(p, rec);
		p->obj[i].alien = rec->bytes_alloc > LARGEST;
		p->counts.alloc_too_large += p->obj[i].alien;
	}
	if (!p->obj[i].alien) {
		report(p, SF_STEP_ALLOC, i, SF_NONE, false, rec);
		find_owner(p, rec, i);
	}
	if (!is_extension(rec))
		touch_task(p, rec);
	return 0;
}

/* Kernels before 5.12 name the cache nowhere, those before 6.1 only when something is freed. */
static bool same_name(const char *a, const char *b)
{
	return !*a || !*b || !strcmp(a, b);
}

/*
 * Which of the objects under one key a free means. kmem_cache_free() names its cache; kfree() means
 * a kmalloc object if there is one, else an object of a named cache: that is legal, the kernel
 * finds the cache from the slab (skbuff heads are freed so).
 */
static uint32_t choose(struct sf_pair *p, const struct sf_trace_record *rec, uint32_t head)
{
	for (uint32_t i = head; i != SF_NONE; i = p->obj[i].next) {
		uint32_t cache = p->obj[i].cache;
		const char *name = cache == SF_NONE ? NULL : p->cache[cache].name;

		if (rec->kind == SF_TRACE_KFREE ? !name : name && same_name(name, rec->cache))
			return i;
	}
	if (rec->kind == SF_TRACE_KFREE) {
		p->counts.kfree_of_named++;
		return head;
	}
	/*
	 * Another cache than the object's. Hashes: it is another object, born unseen, whose hash is
	 * the same. Real pointers: a mistake of the recorded kernel, and the object is gone.
	 */
	if (p->hashed) {
		p->counts.hash_collision++;
		return SF_NONE;
	}
	p->counts.wrong_cache++;
	return head;
}

static void on_free(struct sf_pair *p, const struct sf_trace_record *rec)
{
	uint32_t i = SF_MAP_NONE;

	if (rec->no_ptr) {
		p->counts.free_no_ptr++;
		return;
	}
	if (!rec->ptr || (rec->ptr == SF_ZERO_SIZE_PTR && !p->hashed)) {
		p->counts.free_null++;
		report(p, SF_STEP_FREE_NULL, SF_NONE, SF_NONE, false, rec);
		return;
	}
	i = sf_map_get(&p->live, rec->ptr);
	if (i != SF_MAP_NONE)
		i = choose(p, rec, i);
	if (i == SF_NONE) {
		p->counts.free_unborn++;
		report(p, SF_STEP_UNBORN, SF_NONE, SF_NONE, false, rec);
		return;
	}
	p->counts.paired++;
	end_obj(p, i, false, rec);
}

/* What the recording still has on these pages was given back unseen. */
static void make_page_room(struct sf_pair *p, const struct sf_trace_record *rec)
{
	uint32_t i;

	while ((i = find_block(p, rec->pfn)) != SF_NONE)
		end_block(p, i, true, rec);
	for (uint64_t k = 1; rec->order && p->block.nr && k < 1ull << rec->order; k++) {
		i = sf_map_get(&p->block, rec->pfn + k);
		if (i != SF_MAP_NONE)
			end_block(p, i, true, rec);
	}
}

static void on_page_alloc(struct sf_pair *p, const struct sf_trace_record *rec)
{
	uint64_t ordinal = p->ordinal++;
	uint32_t i;

	if (!p->opt.backing)
		sf_bits_push(&p->backing, false);
	task_of(p, rec)->page_freed = 0;
	if (rec->no_frame) {
		p->counts.page_no_frame++;
		return;
	}
	if (rec->pfn == SF_NO_PFN) {
		p->counts.page_failed++;
		report(p, SF_STEP_FAILED, SF_NONE, SF_NONE, false, rec);
		return;
	}
	make_page_room(p, rec);
	evict(p, rec->pfn, rec->order, rec);
	i = new_obj(p);
	p->obj[i].key = rec->pfn;
	p->obj[i].order = rec->order;
	p->obj[i].left = 1u << rec->order;
	p->obj[i].gfp = rec->gfp;
	p->obj[i].block = true;
	p->obj[i].ordinal = ordinal;
	p->obj[i].backing = p->opt.backing && sf_bits_get(p->opt.backing, ordinal);
	sf_map_put(&p->block, rec->pfn, i);
	p->nr_order[rec->order]++;
	p->nr_blocks++;
	if (p->obj[i].backing) {
		p->counts.slab_pages++;
	} else if (rec->order >= SF_NR_ORDERS) {
		p->counts.page_too_large++;
		p->obj[i].alien = true;
	} else {
		count_pages(p, 1ull << rec->order);
		count_bytes(p, SF_PAGE_SIZE << rec->order, 0);
		report(p, SF_STEP_PAGES, i, SF_NONE, false, rec);
	}
	if (!p->opt.backing)
		pend(p, rec, i);
}

/*
 * Rule: pages that are freed as a list are told twice, as such and each by itself, in either order
 * (kernels to 2.6.33: only the former); some of those kernels tell every page twice.
 */
static bool is_echo(struct sf_pair *p, const struct sf_trace_record *rec, bool alive)
{
	struct sf_tr_task *t = task_of(p, rec);
	bool echo = !alive && (rec->batched || (t->page_freed && t->page_freed == rec->pfn + 1));

	t->page_freed = rec->pfn != SF_NO_PFN ? rec->pfn + 1 : 0;
	p->counts.page_echo += echo;
	return echo;
}

/*
 * A block may be given back in pieces (split_page, alloc_pages_exact, folio splits): it is gone
 * when all of it is. A free larger than the block ends what begins where it begins.
 */
static void on_page_free(struct sf_pair *p, const struct sf_trace_record *rec)
{
	uint32_t i = rec->pfn == SF_NO_PFN ? SF_NONE : find_block(p, rec->pfn);
	struct sf_tr_obj *b;

	if (rec->no_frame) {
		p->counts.page_free_no_frame++;
		return;
	}
	if (is_echo(p, rec, i != SF_NONE))
		return;
	if (rec->pfn != SF_NO_PFN)
		evict(p, rec->pfn, rec->order, rec);
	if (i == SF_NONE) {
		p->counts.page_unborn++;
		report(p, SF_STEP_UNBORN, SF_NONE, SF_NONE, false, rec);
		return;
	}
	b = &p->obj[i];
	if (b->key == rec->pfn && b->order == rec->order) {
		p->counts.page_paired++;
		end_block(p, i, false, rec);
		return;
	}
	p->counts.page_mismatch++;
	b->left = b->left > 1u << rec->order ? b->left - (1u << rec->order) : 0;
	if (!b->left)
		end_block(p, i, false, rec);
}

int sf_pair_record(struct sf_pair *p, const struct sf_trace *t, const struct sf_trace_record *rec,
		   struct sf_error *err)
{
	uint64_t *const kind[SF_TRACE_KINDS] = {
		[SF_TRACE_KMALLOC] = &p->counts.kmalloc,
		[SF_TRACE_KFREE] = &p->counts.kfree,
		[SF_TRACE_CACHE_ALLOC] = &p->counts.cache_alloc,
		[SF_TRACE_CACHE_FREE] = &p->counts.cache_free,
		[SF_TRACE_PAGE_ALLOC] = &p->counts.page_alloc,
		[SF_TRACE_PAGE_FREE] = &p->counts.page_free,
	};

	p->serial++;
	p->counts.events++;
	++*kind[rec->kind];
	p->hashed = p->hashed || sf_trace_hashed(t);
	switch (rec->kind) {
	case SF_TRACE_KMALLOC:
	case SF_TRACE_CACHE_ALLOC:
		if (on_alloc(p, t, rec, err))
			return -1;
		break;
	case SF_TRACE_KFREE:
	case SF_TRACE_CACHE_FREE:
		touch_task(p, rec);
		on_free(p, rec);
		break;
	case SF_TRACE_PAGE_ALLOC:
		on_page_alloc(p, rec);
		break;
	case SF_TRACE_PAGE_FREE:
		touch_task(p, rec);
		on_page_free(p, rec);
		break;
	}
	return p->go_on;
}

/*
 * After lost events nothing that is thought alive is certain to be. From the top down, so that the
 * lowest places are taken first again: with many losses each costs what was born since the last.
 */
void sf_pair_forget(struct sf_pair *p)
{
	for (uint32_t i = p->top_obj; i-- > 0;)
		if (p->obj[i].serial && !p->obj[i].block)
			end_obj(p, i, true, NULL);
	while (p->top_obj && !p->obj[p->top_obj - 1].serial)
		p->top_obj--;
}

void sf_pair_finish(struct sf_pair *p, const struct sf_trace *t)
{
	const struct sf_tr_notes *notes = sf_trace_notes(t);

	p->counts.alive = p->nr_live;
	p->counts.page_alive = p->nr_blocks;
	p->counts.foreign_lines = notes->foreign;
	p->counts.other_events = notes->other_events;
	p->counts.cut_off = notes->damage[SF_TR_CUT];
	p->counts.torn = notes->damage[SF_TR_TORN];
	p->counts.bad_values = notes->damage[SF_TR_BAD];
	p->counts.wrapped = notes->wrapped;
	p->counts.overwritten = notes->overwritten;
	p->counts.started = notes->started;
	p->counts.backwards = notes->backwards;
	p->counts.duplicates = notes->duplicates;
	p->counts.ended_early = notes->early;
	p->counts.escapes = notes->escapes;
	p->counts.lost = notes->lost;
	p->counts.unknown_gfp = notes->unknown_gfp;
}
