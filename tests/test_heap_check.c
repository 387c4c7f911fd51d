// SPDX-License-Identifier: MIT
/*
 * test_heap_check.c - heap_check() finds each fault that is planted by hand in a heap, and none in
 * one that is sound; and a failing assertion says where.
 *
 * A heap of each kind of structure is made with the interface of a model, one field of it is
 * changed, the line that heap_check() gives is compared, and the field is put back: the heap is
 * sound again. Relies on the structures of allocators/.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#undef fail /* a member of struct sf_allocator has that name */

#include "../allocators/arena.h"
#include "../allocators/heap_assert.h"
#include "../allocators/lru.h"
#include "../allocators/memcg.h"
#include "../allocators/pool.h"
#include "../allocators/rcu.h"
#include "sound.h"

#define K SF_GFP_KERNEL

/* A heap with something of everything, and where it is. */
struct full {
	const struct sf_allocator *a;
	struct sf_heap *h;
	struct kcache *s, *typesafe;   /* of 64-byte objects; of one deferred slab */
	uint32_t free_block, pcp_page, slab, sheaf, area, pool;
	uint64_t block;                /* of alloc_pages(), order 2 */
};

static uint64_t get(struct full *f, uint8_t api, uint64_t size, uint32_t gfp)
{
	struct sf_request rq = { .api = api, .gfp = gfp, .n = 1, .size = size, .bucket = SF_NONE };
	struct sf_result rs;

	f->a->alloc(f->h, &rq, &rs);
	assert_int_equal(rs.status, SF_OK);
	return rs.addr;
}

static void put(struct full *f, uint64_t addr, enum sf_free_how how)
{
	struct sf_result rs;

	f->a->free(f->h, addr, how, &rs);
	assert_int_equal(rs.status, SF_OK);
}

static struct kcache *named(struct full *f, const char *name, uint32_t flags)
{
	struct sf_cache_request rq = { .name = name, .size = 64,
				       .flags = flags | SF_SLAB_NO_MERGE };
	bool merged;
	uint32_t id = f->a->cache_create(f->h, &rq, &merged);

	assert_int_not_equal(id, SF_NONE);
	return f->h->cache[id];
}

static uint64_t object(struct full *f, const struct kcache *s)
{
	struct sf_result rs;

	f->a->cache_alloc(f->h, s->id, K, &rs);
	assert_int_equal(rs.status, SF_OK);
	return rs.addr;
}

static void on_going(void *ctx, uint32_t cookie, uint64_t addr, enum sf_free_how how)
{
	(void)ctx;
	(void)cookie;
	(void)addr;
	(void)how;
}

static void on_gone(void *ctx, uint32_t cookie, uint64_t addr, enum sf_status status)
{
	(void)ctx;
	(void)cookie;
	(void)addr;
	(void)status;
}

static void objects(struct full *f)
{
	struct sf_result rs;
	uint64_t p[40];

	f->s = named(f, "dentry", SF_SLAB_RECLAIM_ACCOUNT);
	for (unsigned int i = 0; i < 40; i++) {
		p[i] = object(f, f->s);
		f->a->track(f->h, p[i], i, true);
	}
	assert_true(f->a->owns(f->h, p[0], p[1]));
	assert_true(f->a->owns(f->h, p[0], p[2]));
	put(f, p[39], SF_KFREE);
	put(f, get(f, SF_API_KMALLOC, 64, K), SF_KFREE_RCU);
	f->slab = addr_pfn(f->h, p[0]);
	if (f->h->arena.page[f->slab].state == PAGE_TAIL)
		f->slab = f->h->arena.page[f->slab].head;
	f->sheaf = f->s->cpu[0].main;
	/* An empty slab waits for a grace period. */
	f->typesafe = named(f, "anon_vma", SF_SLAB_TYPESAFE_BY_RCU | SF_SLAB_NOLEAKTRACE);
	f->typesafe->min_partial = 0;
	f->a->cache_free(f->h, f->typesafe->id, object(f, f->typesafe), &rs);
	assert_int_equal(rs.status, SF_OK);
}

static void pages(struct full *f)
{
	struct sf_result rs;

	f->a->pages_alloc(f->h, K, 2, &rs);
	f->block = rs.addr;
	get(f, SF_API_KVMALLOC, 6 << 20, K);
}

/* What is on lists once all is made. */
static void find_listed(struct full *f)
{
	const struct zone *z = &f->h->zone;

	f->free_block = f->pcp_page = NO_PFN;
	for (unsigned int o = 0; o < 10; o++)
		if (z->free[o][SF_MIGRATE_UNMOVABLE].nr)
			f->free_block = z->free[o][SF_MIGRATE_UNMOVABLE].head;
	for (unsigned int i = 0; i < NR_PCP_LISTS; i++)
		if (z->pcp[0].list[i].nr)
			f->pcp_page = z->pcp[0].list[i].head;
	assert_true(f->free_block != NO_PFN && f->pcp_page != NO_PFN);
}

static void groups(struct full *f)
{
	uint32_t outer = f->a->memcg_create(f->h, SF_NONE, UINT64_MAX);

	f->a->memcg_set(f->h, f->a->memcg_create(f->h, outer, UINT64_MAX));
	get(f, SF_API_KMALLOC, 200, SF_GFP_KERNEL_ACCOUNT);
	f->a->memcg_set(f->h, SF_NONE);
	assert_int_equal(f->h->nr_charged, 1);
}

static void pools(struct full *f)
{
	struct sf_pool_request rq = { .mode = SF_POOL_WR, .refill = 2 };
	struct sf_result rs;

	f->pool = f->a->pool_create(f->h, &rq);
	f->a->pool_alloc(f->h, f->pool, 1, 100, &rs);
	assert_int_equal(rs.status, SF_OK);
	assert_int_equal(f->a->pool_protect(f->h, f->pool), SF_OK);
	f->area = f->h->pools->pool[f->pool - 1].first;
}

static int setup(void **state)
{
	static const struct sf_user user = { .going = on_going, .gone = on_gone };
	struct full *f = test_calloc(1, sizeof(*f));
	struct sf_settings set;
	struct sf_error err;

	f->a = &sf_protected;
	sf_settings_init(&set);
	set.pages = 8192;
	set.cpus = 2;
	f->h = f->a->create(f->a, &set, NULL, &err);
	assert_non_null(f->h);
	f->a->set_user(f->h, &user);
	assert_sound(f->h);
	objects(f);
	assert_sound(f->h);
	pages(f);
	groups(f);
	pools(f);
	find_listed(f);
	assert_sound(f->h);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct full *f = *state;

	assert_sound(f->h);
	f->a->rcu_barrier(f->h);
	assert_sound(f->h);
	f->a->reset(f->h);
	assert_sound(f->h);
	f->a->destroy(f->h);
	test_free(f);
	return 0;
}

/* With `value` in `field` the first fault begins with `line`; with what was there it is none. */
#define plant(f, field, value, line)                                                    \
	do {                                                                            \
		__typeof__(field) plant_was = (field);                                  \
		char plant_found[160] = "";                                             \
		const char *plant_fault;                                                \
		assert_sound((f)->h);                                                   \
		(field) = (__typeof__(field))(value);                                   \
		plant_fault = heap_check((f)->h);                                       \
		if (plant_fault)                                                        \
			snprintf(plant_found, sizeof(plant_found), "%s", plant_fault);  \
		(field) = plant_was;                                                    \
		if (!strstr(plant_found, line))                                         \
			assert_string_equal(plant_found, line);                         \
		assert_sound((f)->h);                                                   \
	} while (0)

static void free_lists(void **state)
{
	struct full *f = *state;
	struct zone *z = &f->h->zone;
	struct page *pg = &f->h->arena.page[f->free_block];
	unsigned int o = pg->order;

	plant(f, z->free[o][SF_MIGRATE_UNMOVABLE].nr, 7, "free list: counts 7 pages");
	plant(f, z->free[o][SF_MIGRATE_UNMOVABLE].tail, 3, "not the tail");
	plant(f, z->free[o][SF_MIGRATE_UNMOVABLE].head, 1u << 30, "which is none");
	plant(f, z->nr_free[o], z->nr_free[o] + 1, "nr_free[");
	plant(f, z->nr_free_pages, 0, "nr_free_pages: 0");
	plant(f, z->nr_free_highatomic, 1, "nr_free_highatomic: 1, listed 0");
	plant(f, pg->state, PAGE_USED, "free list: page");
	plant(f, pg->list, SF_MIGRATE_RECLAIMABLE, "on a list of type 0");
	plant(f, pg->prev, f->free_block, "does not link back");
	plant(f, pg->order, o + 1, "on a list of order");
	plant(f, z->block_type[f->free_block >> z->pageblock_order], SF_MIGRATE_MOVABLE,
	      "in a page block of another");
}

/* Two blocks of one order, each the other's buddy: as if a merge had been forgotten. */
static void buddies(void **state)
{
	struct full *f = *state;
	struct zone *z = &f->h->zone;
	struct page *page = f->h->arena.page;
	struct page_list *l = &z->free[10][SF_MIGRATE_MOVABLE];
	uint32_t a = l->tail, b = a + 512, prev = page[a].prev;
	struct zone *was = test_malloc(sizeof(*was));
	struct page ha = page[a], hp = page[prev], hb = page[b];

	*was = *z;
	assert_true(z->free[9][SF_MIGRATE_MOVABLE].nr == 0);
	l->tail = prev;
	l->nr--;
	page[prev].next = NO_PFN;
	page[a] = (struct page){ .next = b, .prev = NO_PFN, .state = PAGE_FREE, .order = 9,
				 .list = SF_MIGRATE_MOVABLE };
	page[b] = (struct page){ .next = NO_PFN, .prev = a, .state = PAGE_FREE, .order = 9,
				 .list = SF_MIGRATE_MOVABLE };
	z->free[9][SF_MIGRATE_MOVABLE] = (struct page_list){ a, b, 2 };
	z->nr_free[9] += 2;
	z->nr_free[10]--;
	assert_non_null(strstr(heap_check(f->h), "its buddy is free too"));
	*z = *was;
	page[a] = ha;
	page[b] = hb;
	page[prev] = hp;
	test_free(was);
}

static void page_blocks(void **state)
{
	struct full *f = *state;
	struct zone *z = &f->h->zone;

	plant(f, z->nr_highatomic, 512, "nr_highatomic: 512, of page blocks 0");
	plant(f, z->nr_retyped, z->nr_retyped + 1, "page blocks:");
	plant(f, z->was_retyped[f->free_block >> z->pageblock_order], 0, "reset would not restore");
	plant(f, z->wmark[0], 1u << 20, "watermarks: not in order");
	plant(f, f->h->reclaiming, true, "reclaim: left on");
}

static void per_cpu_lists(void **state)
{
	struct full *f = *state;
	struct pcp *p = &f->h->zone.pcp[0];
	struct page *pg = &f->h->arena.page[f->pcp_page];

	assert_int_equal(pg->state, PAGE_PCP);
	plant(f, p->count, p->count + 1, "per-CPU lists of CPU 0: count");
	plant(f, p->list[pg->list].nr, 0, "per-CPU list: counts 0");
	plant(f, pg->list, 5, "says list 5");
	plant(f, pg->state, PAGE_BOOT, "per-CPU list: page");
	plant(f, f->h->zone.pcp_used, 0, "not marked as used");
}

static void pages_in_blocks(void **state)
{
	struct full *f = *state;
	uint32_t pfn = addr_pfn(f->h, f->block);
	struct page *pg = &f->h->arena.page[pfn];

	plant(f, pg->state, PAGE_BOOT, "belongs to nothing");
	plant(f, pg->state, PAGE_TAIL, "a tail without its block");
	plant(f, pg->state, PAGE_FREE, "free, and on no list");
	plant(f, pg->state, PAGE_POOL, "in no area");
	plant(f, pg->state, PAGE_LARGE, "nr_slab_unreclaimable");
	plant(f, pg->order, 1, "a tail without its block");
	plant(f, pg[1].state, PAGE_BOOT, "state 0 inside the block");
	plant(f, pg[3].head, pfn + 1, "a tail that is not of the block");
	plant(f, f->h->arena.touched[pfn / 64 / 64], 0, "reset would leave it");
	plant(f, f->h->nr_slab_reclaimable, 99, "nr_slab_reclaimable: 99");
}

static void slabs(void **state)
{
	struct full *f = *state;
	struct page *pg = &f->h->arena.page[f->slab];
	uint64_t first = pfn_addr(f->slab) + (pg->freelist - 1) * 8ull;
	uint64_t at = first + f->s->freeptr, word = raw_load(f->h, at);

	assert_int_equal(pg->state, PAGE_SLAB);
	assert_true(pg->on_partial && pg->freelist);
	plant(f, pg->inuse, pg->inuse - 1, "objects on its list");
	plant(f, pg->inuse, pg->objects + 1, "of 64 objects in use");
	plant(f, pg->objects, 63, "63 objects in order");
	plant(f, pg->on_partial, 0, "not on the partial list");
	plant(f, pg->cache, 9999, "which is none");
	plant(f, pg->freelist, pg->freelist + 1, "is no object");
	plant(f, pg->freelist, 0, "objects on its list");
	/* The list leads round; out of the slab; it ends too early. */
	raw_store(f->h, at, first);
	assert_non_null(strstr(heap_check(f->h), "is free twice"));
	raw_store(f->h, at, pfn_addr(f->slab + 512));
	assert_non_null(strstr(heap_check(f->h), "is no object"));
	raw_store(f->h, at, 0);
	assert_non_null(strstr(heap_check(f->h), "objects on its list"));
	raw_store(f->h, at, word);
}

static void caches(void **state)
{
	struct full *f = *state;

	plant(f, f->s->nr_slabs, 17, "dentry: nr_slabs 17");
	plant(f, f->s->total_objects, 1, "dentry: total_objects 1");
	plant(f, f->s->partial.nr, 0, "dentry: counts 0 pages");
	plant(f, f->s->refs, 0, "which is destroyed");
	plant(f, f->s->freeptr, 62, "the free pointer is at 62");
	plant(f, f->s->id, 3, "cache 3 in place");
	plant(f, f->s->objects, 1000, "objects");
	plant(f, f->h->nr_boot, 1u << 20, "caches:");
	plant(f, f->h->faults, true, "failures: off");
	plant(f, f->h->cpu, 2, "CPU 2: there is none");
}

static void sheaves(void **state)
{
	struct full *f = *state;
	struct sheaf *sh = &f->h->sheaves[f->sheaf];

	assert_true(sh->nr > 1);
	plant(f, sh->capacity, 3, "capacity 3");
	plant(f, sh->nr, sh->capacity + 1, "objects in");
	plant(f, sh->obj[0], sh->obj[1], "is free twice");
	plant(f, sh->obj[0], 6000 * SF_PAGE_SIZE / 8, "holds what is in no slab of it");
	plant(f, sh->obj[0], sh->obj[0] + 1, "is no object");
	plant(f, f->s->cpu[0].main, NO_SHEAF, "a spare without a main");
	plant(f, f->s->cpu[0].spare, NO_SHEAF, "belongs to nothing");
	plant(f, f->s->cpu[1].main, f->sheaf, "belongs to two");
	plant(f, f->s->barn.nr_full, 1, "barn of dentry: counts 1 sheaves");
	plant(f, f->s->barn.empty, f->sheaf, "belongs to two");
	plant(f, f->h->rcu->nr_open, 0, "RCU: 1 sheaves open, 0 counted");
}

static void callbacks(void **state)
{
	struct full *f = *state;
	struct rcu *r = f->h->rcu;

	assert_int_equal(r->nr, 1);
	assert_int_equal(r->queue[0].kind, RCU_SLAB);
	plant(f, r->queue[0].what, f->slab, "is no slab that waits");
	plant(f, r->queue[0].cpu, 9, "runs on CPU 9");
	plant(f, r->nr, 0, "RCU: 1 slabs wait, 0 are queued");
	plant(f, f->h->arena.page[r->queue[0].what].inuse, 1, "in use, and waits to go");
}

static void charges(void **state)
{
	struct full *f = *state;
	struct memcgs *m = f->h->memcgs;

	plant(f, f->h->nr_charged, 2, "charges: 1 there, 2 counted");
	plant(f, m->group[1].usage, 0, "group 1: usage 0");
	plant(f, m->group[0].usage, 0, "group 0: usage 0");
	plant(f, m->group[0].children, 0, "group 0: 0 children, 1 there");
	plant(f, m->charge[0].addr, 64, "not found by its address");
	plant(f, m->group[1].nr_lru, 5, "listed, 5 counted");
	plant(f, m->group[0].online, false, "destroyed, and has children");
	plant(f, f->h->memcg, 77, "is active and not there");
	plant(f, m->group[1].parent, 1, "group 1: below 1");
}

static void tracked_objects(void **state)
{
	struct full *f = *state;
	struct lru *l = f->h->lru;
	struct shrinker *s = &f->h->shrinker[0];

	plant(f, f->h->nr_tracked, 1, "tracked, 1 counted");
	plant(f, s->nr, 1, "shrinker 0: counts 1 objects");
	plant(f, s->tail, s->head, "shrinker 0: counts");
	plant(f, l->e[s->head].listed, false, "is not linked back");
	plant(f, l->e[s->head].pinned, true, "is held");
	plant(f, l->e[s->tail].older, s->head, "is not linked back");
	plant(f, l->e[1].owner, NO_ENTRY, "says otherwise");
	plant(f, l->e[0].last, 1, "the last that it owns");
	plant(f, l->e[0].first, NO_ENTRY, "the last that it owns");
	plant(f, l->e[3].addr, 4096, "not found by its address");
	plant(f, l->e[3].owner, 0, "have owners");
	plant(f, f->h->indirect_bytes, 64, "indirect_bytes: 64");
}

static void areas(void **state)
{
	struct full *f = *state;
	struct arena *a = &f->h->arena;
	struct pool *p = &f->h->pools->pool[f->pool - 1];
	struct vm_area *v = &a->area[f->area];

	plant(f, a->vmap[a->area[0].start - 1], 0, "its guard page says otherwise");
	plant(f, a->vmap[v->start], 0, "is not mapped");
	plant(f, a->vmap[v->start + 1], a->vmap[v->start], "is mapped twice");
	plant(f, v->pages, 1, "mapped beyond its end");
	plant(f, v->size, 1u << 30, "too small");
	plant(f, v->pool, 0, "has state 7");
	plant(f, v->sealed, false, "areas: 0 are sealed, 1 counted");
	plant(f, a->sealed, 2, "areas: 1 are sealed, 2 counted");
	plant(f, p->last, SF_NONE, "its last area is");
	plant(f, p->first, SF_NONE, "its last area is");
	plant(f, p->current, 0, "allocates from area 0");
	plant(f, p->live, false, "0 of them linked");
}

/* --- assertions --- */

/* What a child wrote before it was ended by a signal, which is returned; 0: it was not. */
static int failing(const struct sf_heap *h, char *said, size_t len)
{
	int pipe_fd[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(pipe_fd), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		signal(SIGABRT, SIG_DFL);
		dup2(pipe_fd[1], STDERR_FILENO);
		heap_assert_failed(h, "allocators/slab.c", 123, "slab_free", "x");
		_exit(0);
	}
	close(pipe_fd[1]);
	n = read(pipe_fd[0], said, len - 1);
	said[n < 0 ? 0 : n] = '\0';
	close(pipe_fd[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void a_failing_assertion_says_where(void **state)
{
	struct full *f = *state;
	char said[200];

	unsetenv("SLABFUZZ_ASSERT");
	assert_int_equal(failing(f->h, said, sizeof(said)), SIGABRT);
	assert_string_equal(said, "allocators/slab.c:123: slab_free: assertion 'x' failed\n");
	f->h->set.misuse = 1;
	assert_int_equal(failing(f->h, said, sizeof(said)), 0);
	assert_string_equal(said, "");
	f->h->set.misuse = 0;
	setenv("SLABFUZZ_ASSERT", "0", 1);
	assert_int_equal(failing(f->h, said, sizeof(said)), 0);
	assert_string_equal(said, "");
	unsetenv("SLABFUZZ_ASSERT");
}

#define test_on_full(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_on_full(free_lists),
		test_on_full(buddies),
		test_on_full(page_blocks),
		test_on_full(per_cpu_lists),
		test_on_full(pages_in_blocks),
		test_on_full(slabs),
		test_on_full(caches),
		test_on_full(sheaves),
		test_on_full(callbacks),
		test_on_full(charges),
		test_on_full(tracked_objects),
		test_on_full(areas),
		test_on_full(a_failing_assertion_says_where),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
