/* SPDX-License-Identifier: MIT */
/*
 * event_hash.h - a number for what an event says, member by member: padding does not matter, nor
 * the compiler, nor where anything lies in this process. Relies on event.h and the table of
 * settings; lockstep and the tests of determinism rely on it. An event without a row here does not
 * compile.
 */
#ifndef SLABFUZZ_EVENT_HASH_H
#define SLABFUZZ_EVENT_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "../../allocators/event.h"

static inline void mix(uint64_t *h, uint64_t x)
{
	*h = (*h ^ x) * 0x100000001b3ull;
	*h ^= *h >> 29;
}

static inline void mix_text(uint64_t *s, const char *text)
{
	for (; text && *text; text++)
		mix(s, (uint8_t)*text);
	mix(s, 256);
}

static inline void mix_array(uint64_t *s, const uint64_t *a, uint64_t nr)
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
	N(id) N(res) N(api) N(status) N(cache) N(addr) N(bad) N(verified) N(known) N(implied)     \
	N(how) N(wiped) N(left) N(left_end)
#define MEMBERS_ksize(N, T) N(id) N(addr) N(value)
#define MEMBERS_content(N, T) N(id) N(addr) N(bad) N(verified)
#define MEMBERS_cacheop(N, T)                                                                      \
	N(handle) N(cache) N(status) N(merged) N(ret) T(name) N(size) N(align) N(flags)            \
	N(usersize) N(sheaf_capacity) N(min_order)
#define MEMBERS_pagesbulk(N, T)                                                                    \
	N(res) N(gfp) N(n) N(full) N(filled) N(got) N(empty) N(beyond) N(changed) N(status)
#define MEMBERS_sheaf(N, T)                                                                        \
	N(act) N(status) N(res) N(cache) N(gfp) N(sheaf) N(was) N(asked) N(before) N(after)
#define MEMBERS_goodsize(N, T) N(size) N(value)
#define MEMBERS_trim(N, T) N(ret)
#define MEMBERS_stats(N, T) N(live) N(used) N(free) N(total) N(peak) N(final)
#define MEMBERS_integrity(N, T) T(what)
#define MEMBERS_userheap(N, T) N(act) N(status) N(heap) N(region) N(res) N(addr) N(size) N(at)
#define MEMBERS_crash(N, T) N(code) N(refusal) T(title)
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
	N(code) N(noticed) N(reached) N(res) N(partition) N(type) N(cache) N(addr) N(size) \
	N(zero)
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
	N(pfn) N(order) N(migratetype) N(list) N(cpu) N(gfp) N(pcp + 2 * e->attempt)               \
	N(reserve) N(free_before) N(mark)
#define MEMBERS_pagefail(N, T) N(order) N(migratetype) N(gfp) N(free) N(mark) N(refused)
#define MEMBERS_oom(N, T)                                                                          \
	N(policy) N(guess) N(order) N(migratetype) N(gfp) N(memcg) N(rounds) N(free) N(mark)       \
	N(pages) N(guessed)
#define MEMBERS_shrink(N, T)                                                                       \
	N(cache) N(memcg) N(priority) N(stopped) N(freeable) N(deferred) N(delta) N(total)         \
	N(scanned) N(freed)
#define MEMBERS_reclaim(N, T)                                                                      \
	N(kind) N(begin) N(order) N(gfp) N(memcg) N(priority) N(scanned) N(freed) N(progress)
#define MEMBERS_compact(N, T)                                                                      \
	N(order) N(begin) N(mode) N(migratetype) N(skipped) N(success) N(gfp)  \
	N(migrated) N(failed)
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

/* What only user space has: a model's events hash as they did before there was any. */
static inline void mix_user(uint64_t *s, const struct sf_event *ev)
{
	if (ev->type == SF_EV_FREE && ev->free.how >= SF_FREE_USER) {
		const struct sf_ev_free *e = &ev->free;

		mix(s, e->call), mix(s, e->heap), mix(s, e->size), mix(s, e->align);
		mix(s, (uint64_t)e->error);
	}
	if ((ev->type == SF_EV_ALLOC || ev->type == SF_EV_REALLOC) &&
	    ev->alloc.api == SF_API_FOREIGN) {
		const struct sf_ev_alloc *e = &ev->alloc;

		mix(s, e->call), mix(s, e->touched), mix(s, (uint64_t)e->error);
		mix(s, (uint64_t)e->ret), mix(s, e->heap);
	}
}

static inline void mix_arrays(uint64_t *s, const struct sf_event *ev)
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

/* Mixes the event into *s. */
static inline void hash_event(uint64_t *s, const struct sf_event *ev)
{
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
	mix_user(s, ev);
}

#endif
