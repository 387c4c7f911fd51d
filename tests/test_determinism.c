// SPDX-License-Identifier: MIT
/*
 * test_determinism.c - the same program on the same heap gives the same events, member by member:
 * run again at once, after other programs, and on a heap of its own. Relies on the executor, the
 * baseline and the generator. What fails here makes coverage guidance and every reproduction
 * doubtful.
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

struct hash {
	uint64_t h, events;
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
	T(allocator) N(caps) N(direct_map) N(pages) N(vmalloc) N(vmalloc_pages) N(exact)
#define MEMBERS_cache(N, T)                                                                        \
	T(name) N(id) N(object_size) N(stride) N(align) N(freeptr) N(flags) N(min_partial)         \
	N(sheaf_capacity) N(objects) N(min_objects) N(order) N(min_order) N(kind) N(partition)     \
	N(allocflags_mt) N(boot) N(class_size) N(usersize)
#define MEMBERS_run(N, T) T(program) N(ops)
#define MEMBERS_alloc(N, T)                                                                        \
	N(id) N(res) N(api) N(status) N(overflow) N(moved) N(type) N(token) N(gfp) N(site)         \
	N(cache) N(align) N(n) N(elem) N(size) N(addr) N(usable) N(dirty) N(zeroed) N(place.kind)  \
	N(place.order) N(place.migratetype) N(place.partition) N(place.cache) N(place.stride)      \
	N(place.object_size) N(place.index) N(place.objects) N(place.base) N(place.pfn) N(old_id)  \
	N(old_addr) N(old_size) N(bad) N(kept)
#define MEMBERS_free(N, T)                                                                         \
	N(id) N(res) N(api) N(status) N(cache) N(addr) N(bad) N(verified) N(known) N(implied)
#define MEMBERS_ksize(N, T) N(id) N(addr) N(value)
#define MEMBERS_content(N, T) N(id) N(addr) N(bad) N(verified)
#define MEMBERS_cacheop(N, T)                                                                      \
	N(handle) N(cache) N(status) N(merged) N(ret) T(name) N(size) N(align) N(flags)            \
	N(usersize) N(sheaf_capacity)
#define MEMBERS_skip(N, T) N(code) N(reason)
#define MEMBERS_owns(N, T) N(owner) N(owned)
#define MEMBERS_slab(N, T) N(cache) N(order) N(migratetype) N(objects) N(gfp) N(pfn)
#define MEMBERS_block(N, T) N(pfn) N(order) N(migratetype) N(tail)
#define MEMBERS_rmqueue(N, T)                                                                      \
	N(pfn) N(order) N(migratetype) N(from_order) N(from_type) N(mode) N(nofragment) N(to_pcp)
#define MEMBERS_claim(N, T)                                                                        \
	N(pfn) N(order) N(from) N(to) N(whole) N(merge) N(start) N(nr_pages) N(free) N(alike)  \
	N(want)
#define MEMBERS_page(N, T)                                                                         \
	N(pfn) N(order) N(migratetype) N(list) N(cpu) N(gfp) N(pcp) N(reserve) N(free_before)      \
	N(mark)
#define MEMBERS_pagefail(N, T) N(order) N(migratetype) N(gfp) N(free) N(mark) N(refused)
#define MEMBERS_fault(N, T) N(kind)
#define MEMBERS_warn(N, T) T(what) N(addr)
#define MEMBERS_map(N, T) N(addr) N(pages)
#define MEMBERS_snap(N, T) N(managed) N(final)
#define MEMBERS_snapcache(N, T)                                                                    \
	N(cache) N(refs) N(nr_slabs) N(total_objects) N(nr_partial) N(active_objs) N(num_objs)     \
	N(objsize) N(objperslab) N(pagesperslab) N(active_slabs) N(num_slabs)
#define MEMBERS_snapslab(N, T)                                                                     \
	N(cache) N(pfn) N(order) N(list) N(flag_partial) N(error) N(position) N(objects) N(inuse)  \
	N(nr_free)
#define MEMBERS_snapsheaf(N, T) N(cache) N(kind) N(cpu) N(nr) N(capacity)
#define MEMBERS_snapblock(N, T) N(pfn) N(order) N(list) N(pageblock) N(position)
#define MEMBERS_snappcp(N, T) N(cpu) N(list) N(order) N(nr) N(count) N(high) N(batch)
#define MEMBERS_snapused(N, T) N(pfn) N(order) N(kind)
#define MEMBERS_snappb(N, T) N(pfn) N(migratetype)
#define MEMBERS_counters(N, T)                                                                     \
	N(nr_free_pages) N(nr_slab_reclaimable) N(nr_slab_unreclaimable) N(watermark_min)          \
	N(watermark_low) N(watermark_high) N(watermark_boost)

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

	if (ev->op == SF_NONE && (ev->type == SF_EV_HEAP || ev->type == SF_EV_CACHE) && !s->boot)
		return;
	s->events++;
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

static struct sf_exec *make(const struct sf_settings *set, struct hash *s)
{
	static const struct sf_exec_options opt = { .end = SF_END_TEARDOWN, .contents = true,
						    .walk_every = 16 };
	struct sf_error err;
	struct sf_exec *x = sf_exec_create(sf_allocator_by_name("baseline"), set, &opt, on_event, s,
					   &err);

	if (!x)
		fail_msg("%s", err.text);
	return x;
}

static void generate(struct sf_prog *p, uint64_t seed)
{
	struct sf_swarm sw;
	struct sf_rng r;

	sf_rng_seed(&r, seed);
	sf_swarm_draw(&sw, &r);
	sf_generate(p, OPS, &sw, &r);
	/* One heap for all, so that each program runs after the others. */
	sf_settings_init(&p->settings);
	p->settings.pages = 1024;
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
	struct hash live = { 0, 0, false };
	struct sf_prog p;
	struct sf_exec *x;
	uint64_t events = 0, distinct = 0;

	(void)state;
	sf_prog_init(&p);
	generate(&p, 0);
	x = make(&p.settings, &live);
	for (uint64_t seed = 0; seed < PROGRAMS; seed++) {
		struct hash again;

		generate(&p, seed);
		first[seed] = run(x, &live, &p);
		again = run(x, &live, &p);
		assert_int_equal(again.events, first[seed].events);
		assert_true(again.h == first[seed].h);
		events += again.events;
		distinct += seed && first[seed].h != first[seed - 1].h;
	}
	/* In another order: what ran before must not show. */
	for (uint64_t seed = PROGRAMS; seed--;) {
		generate(&p, seed);
		assert_true(run(x, &live, &p).h == first[seed].h);
	}
	sf_exec_destroy(x);
	sf_prog_free(&p);
	print_message("# %llu events\n", (unsigned long long)events);
	/* The hash sees differences at all. */
	assert_int_equal(distinct, PROGRAMS - 1);
	assert_true(events > PROGRAMS * OPS);
}

static void test_fresh_heap_is_like_a_reset_one(void **state)
{
	struct hash used_live = { 0, 0, false };
	struct sf_exec *used;
	struct sf_prog p;

	(void)state;
	sf_prog_init(&p);
	generate(&p, 0);
	used = make(&p.settings, &used_live);
	for (uint64_t seed = 0; seed < PROGRAMS; seed += 10) {
		struct hash fresh_live = { 0, 0, false }, a, b;
		struct sf_exec *fresh;

		generate(&p, seed);
		fresh = make(&p.settings, &fresh_live);
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
	struct hash a = { 0, 0, true }, b = { 0, 0, true };
	struct sf_settings set;

	(void)state;
	sf_settings_init(&set);
	sf_exec_destroy(make(&set, &a));
	sf_exec_destroy(make(&set, &b));
	assert_true(a.events > 1);
	assert_int_equal(a.events, b.events);
	assert_true(a.h == b.h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_heaps_begin_the_same),
		cmocka_unit_test(test_same_events_again_and_after_others),
		cmocka_unit_test(test_fresh_heap_is_like_a_reset_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
