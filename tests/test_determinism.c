// SPDX-License-Identifier: MIT
/*
 * test_determinism.c - the same program on the same heap gives the same events, member by member:
 * run again at once, after other programs, and on a heap of its own; misused or not. Relies on the
 * executor, the models and the generator. What fails here makes coverage guidance and every
 * reproduction doubtful.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../harness/exec.h"
#include "../harness/mutate.h"

enum {
	PROGRAMS = 200,
	OPS = 48,
};

/* What is run: an allocator, and settings as text writes them. */
struct subject {
	const char *allocator, *heap;
};

struct hash {
	uint64_t h, events, attacks;
	bool boot; /* HEAP and CACHE events of create() are counted too */
};

static void mix(struct hash *s, uint64_t x)
{
	s->h = (s->h ^ x) * 0x100000001b3ull;
	s->h ^= s->h >> 29;
}

static void mix_text(struct hash *s, const char *text)
{
	for (; text && *text; text++)
		mix(s, (uint8_t)*text);
	mix(s, 256);
}

static void mix_array(struct hash *s, const uint64_t *a, uint64_t nr)
{
	for (uint64_t i = 0; i < nr; i++)
		mix(s, a[i]);
}

/*
 * Member by member, so that padding does not matter. N: number, T: text. Payloads with arrays are
 * below.
 */
#define MEMBERS_heap(N, T)                                                                         \
	T(allocator) N(caps) N(direct_map) N(pages) N(vmalloc) N(vmalloc_pages) N(exact)           \
	N(slabs) N(slab_pages) N(partition_seed)
#define MEMBERS_cache(N, T)                                                                        \
	T(name) N(id) N(object_size) N(stride) N(align) N(freeptr) N(flags) N(min_partial)         \
	N(sheaf_capacity) N(objects) N(min_objects) N(order) N(min_order) N(kind) N(partition)     \
	N(allocflags_mt) N(boot) N(class_size) N(usersize) N(bucket) N(secret)     \
	N(large) N(asked_order)
#define MEMBERS_ctype(N, T) N(index) T(name) T(canonical) N(size) N(align) N(pointer) N(token)
#define MEMBERS_run(N, T) T(program) N(ops)
#define MEMBERS_alloc(N, T)                                                                        \
	N(id) N(res) N(api) N(status) N(overflow) N(moved) N(type) N(token) N(gfp) N(site)         \
	N(cache) N(align) N(n) N(elem) N(size) N(addr) N(usable) N(dirty) N(zeroed) N(place.kind)  \
	N(place.order) N(place.migratetype) N(place.partition) N(place.cache) N(place.stride)      \
	N(place.object_size) N(place.index) N(place.objects) N(place.base) N(place.pfn) N(old_id)  \
	N(old_addr) N(old_size) N(bad) N(kept) N(forced) N(counter_size) N(bucket) N(type_align)   \
	N(count) N(counter) N(place.offset) N(place.pool) N(lru) N(pool)
#define MEMBERS_free(N, T)                                                                         \
	N(id) N(res) N(api) N(status) N(cache) N(addr) N(bad) N(verified) N(known) N(implied)  \
	N(how)
#define MEMBERS_ksize(N, T) N(id) N(addr) N(value)
#define MEMBERS_content(N, T) N(id) N(addr) N(bad) N(verified)
#define MEMBERS_cacheop(N, T)                                                                      \
	N(handle) N(cache) N(status) N(merged) N(ret) T(name) N(size) N(align) N(flags)            \
	N(usersize) N(sheaf_capacity) N(min_order)
#define MEMBERS_skip(N, T) N(code) N(reason)
#define MEMBERS_owns(N, T) N(owner) N(owned)
#define MEMBERS_pin(N, T) N(id) N(on)
#define MEMBERS_defer(N, T) N(id) N(res) N(addr) N(how) N(bad) N(verified)
#define MEMBERS_migrate(N, T) N(id) N(from) N(to) N(bad) N(verified)
#define MEMBERS_memcg(N, T) N(act) N(status) N(id) N(parent) N(max)
#define MEMBERS_ask(N, T) N(pages) N(status)
#define MEMBERS_pool(N, T) N(pool) N(res) N(refill) N(act) N(mode) N(status)
#define MEMBERS_write(N, T) N(id) N(res) N(addr) N(size) N(status) N(bad) N(verified)
#define MEMBERS_rare(N, T)                                                                         \
	N(pool) N(id) N(res) N(addr) N(offset) N(size) N(status) N(seen) N(before) N(after)        \
	N(bad) N(verified)
#define MEMBERS_taint(N, T) N(code)
#define MEMBERS_reach(N, T)                                                                        \
	N(code) N(what) N(partition) N(type) N(id) N(res) N(cache) N(addr) N(size)
#define MEMBERS_attack(N, T)                                                                       \
	N(code) N(noticed) N(reached) N(res) N(partition) N(type) N(cache) N(addr) N(size)
#define MEMBERS_slab(N, T)                                                                         \
	N(cache) N(order) N(migratetype) N(objects) N(gfp) N(pfn) N(addr) N(dirty)
#define MEMBERS_slaborder(N, T) N(cache) N(objects) N(pfn)
#define MEMBERS_block(N, T) N(pfn) N(order) N(migratetype) N(tail)
#define MEMBERS_rmqueue(N, T)                                                                      \
	N(pfn) N(order) N(migratetype) N(from_order) N(from_type) N(mode) N(nofragment) N(to_pcp)
#define MEMBERS_claim(N, T)                                                                        \
	N(pfn) N(order) N(from) N(to) N(whole) N(merge) N(start) N(nr_pages) N(free) N(alike)  \
	N(want) N(release)
#define MEMBERS_page(N, T)                                                                         \
	N(pfn) N(order) N(migratetype) N(list) N(cpu) N(gfp) N(pcp) N(reserve) N(free_before)      \
	N(mark)
#define MEMBERS_pagefail(N, T) N(order) N(migratetype) N(gfp) N(free) N(mark) N(refused)
#define MEMBERS_oom(N, T)                                                                          \
	N(policy) N(guess) N(order) N(migratetype) N(gfp) N(memcg) N(rounds) N(free) N(mark)       \
	N(pages) N(guessed)
#define MEMBERS_shrink(N, T)                                                                       \
	N(cache) N(memcg) N(priority) N(stopped) N(freeable) N(deferred) N(delta) N(total)         \
	N(scanned) N(freed)
#define MEMBERS_reclaim(N, T)                                                                      \
	N(kind) N(begin) N(order) N(gfp) N(memcg) N(priority) N(scanned) N(freed) N(progress)
#define MEMBERS_compact(N, T) N(order) N(success) N(migrated) N(failed)
#define MEMBERS_grace(N, T) N(nr) N(barrier)
#define MEMBERS_charge(N, T) N(memcg) N(uncharge) N(refused) N(addr) N(bytes)
#define MEMBERS_fault(N, T) N(kind)
#define MEMBERS_warn(N, T) T(what) N(addr)
#define MEMBERS_map(N, T) N(addr) N(pages) N(pool) N(dirty)
#define MEMBERS_mapping(N, T) N(kind) N(read) N(write) N(exec) N(addr) N(pfn) N(pages)
#define MEMBERS_maps(N, T) N(when) N(pool) N(nr) N(addr) N(size)
#define MEMBERS_snap(N, T) N(managed) N(final)
#define MEMBERS_snapcache(N, T)                                                                    \
	N(cache) N(refs) N(nr_slabs) N(total_objects) N(nr_partial) N(active_objs) N(num_objs)     \
	N(objsize) N(objperslab) N(pagesperslab) N(active_slabs) N(num_slabs)
#define MEMBERS_snapslab(N, T)                                                                     \
	N(cache) N(pfn) N(order) N(list) N(flag_partial) N(error) N(position) N(objects) N(inuse)  \
	N(nr_free) N(addr) N(unwiped)
#define MEMBERS_snapsheaf(N, T) N(cache) N(kind) N(cpu) N(nr) N(capacity) N(unwiped)
#define MEMBERS_snapblock(N, T) N(pfn) N(order) N(list) N(pageblock) N(position)
#define MEMBERS_snappcp(N, T) N(cpu) N(list) N(order) N(nr) N(count) N(high) N(batch)
#define MEMBERS_snapused(N, T) N(pfn) N(order) N(kind)
#define MEMBERS_snappb(N, T) N(pfn) N(migratetype)
#define MEMBERS_snapmemcg(N, T) N(id) N(parent) N(online) N(usage) N(max) N(failcnt)
#define MEMBERS_counters(N, T)                                                                     \
	N(nr_free_pages) N(nr_slab_reclaimable) N(nr_slab_unreclaimable) N(watermark_min)          \
	N(watermark_low) N(watermark_high) N(watermark_boost) N(nr_free_highatomic)                \
	N(nr_highatomic) N(indirect_bytes) N(nr_kernel_misc_reclaimable) N(mem_available)          \
	N(totalreserve) N(allocstall) N(pgscan_slab) N(pgsteal_slab) N(oom_kill)                   \
	N(compact_stall) N(compact_success) N(pgmigrate_success) N(drop_slab) N(slabs_scanned)

#define NUMBER(member) mix(s, (uint64_t)e->member);
#define TEXT(member) mix_text(s, e->member);

static void mix_arrays(struct hash *s, const struct sf_event *ev)
{
	switch (ev->type) {
	case SF_EV_HEAP:
		for (size_t i = 0; i < sf_setting_count; i++) {
			struct sf_settings set = *ev->heap.settings;

			mix(s, *sf_setting_slot(&set, &sf_setting_table[i]));
		}
		break;
	case SF_EV_MAP:
		mix_array(s, ev->map.pfns, ev->map.pages);
		break;
	case SF_EV_SNAP_SLAB:
		mix_array(s, ev->snapslab.free, ev->snapslab.nr_free);
		if (ev->snapslab.stored)
			mix_array(s, ev->snapslab.stored, ev->snapslab.nr_free);
		break;
	case SF_EV_SLAB_ORDER:
		for (uint32_t i = 0; i < ev->slaborder.objects; i++)
			mix(s, ev->slaborder.index[i]);
		break;
	case SF_EV_SNAP_SHEAF:
		mix_array(s, ev->snapsheaf.objs, ev->snapsheaf.nr);
		break;
	case SF_EV_SNAP_PCP:
		mix_array(s, ev->snappcp.pfns, ev->snappcp.nr);
		break;
	case SF_EV_SNAP_COUNTERS:
		mix_array(s, ev->counters.nr_free, SF_NR_ORDERS);
		break;
	}
}

static void on_event(void *ctx, const struct sf_event *ev)
{
	struct hash *s = ctx;

	if (ev->op == SF_NONE && !s->boot &&
	    (ev->type == SF_EV_HEAP || ev->type == SF_EV_CACHE || ev->type == SF_EV_CTYPE))
		return;
	s->events++;
	s->attacks += ev->type == SF_EV_ATTACK;
	mix(s, ev->type);
	mix(s, ev->cpu);
	mix(s, ev->op);
	switch (ev->type) {
#define X(id, member, doc)                                  \
	case SF_EV_##id: {                                  \
		const __typeof__(ev->member) *e = &ev->member; \
		MEMBERS_##member(NUMBER, TEXT)              \
		break;                                      \
	}
	SF_EVENTS(X)
#undef X
	}
	mix_arrays(s, ev);
}

static struct sf_exec *make(const struct subject *of, const struct sf_settings *set,
			    struct hash *s)
{
	static const struct sf_exec_options opt = { .end = SF_END_TEARDOWN, .contents = true,
						    .walk_every = 16 };
	struct sf_error err;
	struct sf_exec *x = sf_exec_create(sf_allocator_by_name(of->allocator), set, &opt,
					   on_event, s, &err);

	if (!x)
		fail_msg("%s", err.text);
	return x;
}

static void set_heap(const struct subject *of, struct sf_settings *set)
{
	struct sf_text_error err;
	struct sf_prog heap;

	sf_prog_init(&heap);
	if (sf_text_parse(&heap, of->heap, strlen(of->heap), &err))
		fail_msg("%s", err.text);
	*set = heap.settings;
	sf_prog_free(&heap);
}

/* Operations that leave nothing behind become mistakes. */
static void go_wrong(struct sf_prog *p, struct sf_rng *r)
{
	static const uint8_t mistakes[] = {
		SF_OP_OVERFLOW, SF_OP_UNDERFLOW, SF_OP_STALE_WRITE, SF_OP_DOUBLE_FREE,
		SF_OP_INNER_FREE, SF_OP_WRONG_CACHE_FREE, SF_OP_DIRECTMAP_WRITE,
	};

	for (uint32_t i = 1; i < p->nr_ops; i++) {
		const struct sf_op_info *info = &sf_op_table[p->ops[i].code];

		if (info->res != SF_RES_NONE || (info->flags & SF_OPF_FREES) ||
		    sf_rng_below(r, 3))
			continue;
		p->ops[i] = sf_op_make(mistakes[sf_rng_below(r, sizeof(mistakes))]);
		p->ops[i].obj = (uint32_t)sf_rng_below(r, i);
		p->ops[i].obj2 = (uint32_t)sf_rng_below(r, i);
		p->ops[i].count = (uint16_t)(1 + sf_rng_below(r, 200));
	}
}

static void generate(const struct subject *of, struct sf_prog *p, uint64_t seed)
{
	struct sf_swarm sw;
	struct sf_rng r;

	sf_rng_seed(&r, seed);
	sf_swarm_draw(&sw, &r);
	sf_generate(p, OPS, &sw, &r);
	/* One heap for all, so that each program runs after the others. */
	set_heap(of, &p->settings);
	if (p->settings.misuse)
		go_wrong(p, &r);
	sf_prog_fixup(p);
}

static struct hash run(struct sf_exec *x, struct hash *live, const struct sf_prog *p)
{
	struct sf_error err;

	live->h = live->events = 0;
	assert_true(sf_exec_run(x, p, "p", &err) >= 0);
	assert_true(live->events > 2); /* BEGIN and END come always */
	return *live;
}

static void test_same_events_again_and_after_others(void **state)
{
	static struct hash first[PROGRAMS];
	struct hash live = { 0 };
	struct sf_prog p;
	struct sf_exec *x;
	uint64_t events = 0, distinct = 0;

	sf_prog_init(&p);
	generate(*state, &p, 0);
	x = make(*state, &p.settings, &live);
	for (uint64_t seed = 0; seed < PROGRAMS; seed++) {
		struct hash again;

		generate(*state, &p, seed);
		first[seed] = run(x, &live, &p);
		again = run(x, &live, &p);
		assert_int_equal(again.events, first[seed].events);
		assert_true(again.h == first[seed].h);
		events += again.events;
		distinct += seed && first[seed].h != first[seed - 1].h;
	}
	/* In another order: what ran before must not show. */
	for (uint64_t seed = PROGRAMS; seed--;) {
		generate(*state, &p, seed);
		assert_true(run(x, &live, &p).h == first[seed].h);
	}
	sf_exec_destroy(x);
	print_message("# %llu events\n", (unsigned long long)events);
	/* The hash sees differences at all. */
	assert_int_equal(distinct, PROGRAMS - 1);
	assert_true(events > PROGRAMS * OPS);
	assert_int_equal(live.attacks > PROGRAMS, p.settings.misuse);
	sf_prog_free(&p);
}

static void test_fresh_heap_is_like_a_reset_one(void **state)
{
	struct hash used_live = { 0 };
	struct sf_exec *used;
	struct sf_prog p;

	sf_prog_init(&p);
	generate(*state, &p, 0);
	used = make(*state, &p.settings, &used_live);
	for (uint64_t seed = 0; seed < PROGRAMS; seed += 10) {
		struct hash fresh_live = { 0 }, a, b;
		struct sf_exec *fresh;

		generate(*state, &p, seed);
		fresh = make(*state, &p.settings, &fresh_live);
		a = run(fresh, &fresh_live, &p);
		b = run(used, &used_live, &p);
		assert_int_equal(a.events, b.events);
		assert_true(a.h == b.h);
		sf_exec_destroy(fresh);
	}
	sf_exec_destroy(used);
	sf_prog_free(&p);
}

static void test_heaps_begin_the_same(void **state)
{
	struct hash a = { .boot = true }, b = { .boot = true };
	struct sf_settings set;

	set_heap(*state, &set);
	sf_exec_destroy(make(*state, &set, &a));
	sf_exec_destroy(make(*state, &set, &b));
	assert_true(a.events > 1);
	assert_int_equal(a.events, b.events);
	assert_true(a.h == b.h);
}

#define SUBJECTS(X)                                                                        \
	X(plain, "baseline", "heap pages=1024")                                            \
	X(random, "random", "heap pages=1024 seed=9 freelist_random=1 init_on_free=1")     \
	X(typed, "typed", "heap pages=4096 seed=7 freelist_random=1 freelist_hardened=1 "  \
	  "shuffle=1 slab_virtual=1 slot_offset=1 type_align=1 flex=implemented")          \
	X(misused, "typed", "heap pages=1024 misuse=1 sheaves=0")                          \
	X(misused_sheaves, "baseline", "heap pages=1024 misuse=1 slab_virtual=1")          \
	X(large, "large", "heap pages=4096 large_sheaf=3 large_min_partial=1")             \
	X(min_order, "large", "heap pages=2048 min_order=2")                               \
	X(open, "protected", "heap pages=1024")                                            \
	X(sealed, "protected", "heap pages=1024 directmap=sealed init_on_free=1")          \
	X(misused_pools, "protected", "heap pages=1024 directmap=sealed misuse=1")

#define X(id, name, heap) static struct subject subject_##id = { name, heap };
SUBJECTS(X)
#undef X

int main(void)
{
	const struct CMUnitTest tests[] = {
#define X(id, name, heap)                                                                         \
	cmocka_unit_test_prestate(test_heaps_begin_the_same, &subject_##id),                      \
	cmocka_unit_test_prestate(test_same_events_again_and_after_others, &subject_##id),        \
	cmocka_unit_test_prestate(test_fresh_heap_is_like_a_reset_one, &subject_##id),
		SUBJECTS(X)
#undef X
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
