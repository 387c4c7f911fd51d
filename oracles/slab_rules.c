// SPDX-License-Identifier: MIT
/*
 * slab_rules.c - balance of slabs and pages (ACC): what is counted must be there, once, and come
 * back.
 *
 * Most rules here judge a snapshot at its end. Caches of kind INTERNAL are the allocator's own
 * business. In which order slabs stand on a partial list, and objects on a slab's, follows from
 * each refill and flush of a sheaf (mm/slub.c:refill_objects, build_detached_freelist), which leave
 * no event: judged is the order after a shrink. Relies on judge.h; listed in listing.h.
 */
#include "judge.h"
#include "bitmap.h"
#include "caches.h"
#include "listing.h"
#include "report.h"
#include "rules.h"
#include "slab_rules.h"
#include "snap.h"
#include "taken.h"
#include "zone.h"

#define ULL(x) ((unsigned long long)(x))
#define SHRINK_PROMOTE_MAX 32u   /* mm/slub.c */
#define SHRINK_SLABS_MAX 2048u   /* the order of longer lists is not judged: squared time */
#define SLABINFO_EXACT_MAX 10000u /* partial slabs that get_slabinfo() counts one by one */

static const struct sf_shadow_cache *judged_cache(const struct sf_judge *j, uint32_t id)
{
	const struct sf_shadow_cache *c = sf_shadow_cache_at(&j->sh, id);

	return c && c->kind != SF_CACHE_INTERNAL ? c : NULL;
}

static void cache_fault(struct sf_judge *j, const struct sf_event *ev, enum sf_invariant inv,
			const char *title, uint32_t cache, uint64_t got, uint64_t due)
{
	sf_title(j, inv, title, sf_name_of_cache(&j->sh, cache));
	sf_report(j, ev, SF_NONE, SF_NONE, "%llu, %llu due", ULL(got), ULL(due));
}

static const char *balance_fault(const struct sf_judge *j, const struct sf_snap_slab *slab)
{
	const struct sf_ev_snapslab *ev = &slab->ev;
	const struct sf_shadow_cache *c = slab->orphan ? NULL : judged_cache(j, ev->cache);

	if (ev->list == SF_SLAB_DEFERRED)
		return ev->inuse ? "a slab of %s that waits for a grace period is in use" : NULL;
	if (ev->inuse > ev->objects)
		return "a slab of %s has more in use than objects";
	if (ev->error == SF_WALK_OK && ev->inuse + ev->nr_free != ev->objects)
		return "in use and free do not add up in a slab of %s";
	if (!c || ev->order > SF_MAX_ORDER)
		return NULL;
	if (ev->order != c->order && ev->order != c->min_order)
		return "a slab of %s has an order that is neither preferred nor smallest";
	if (c->stride && ev->objects != (SF_PAGE_SIZE << ev->order) / c->stride)
		return "a slab of %s has a wrong number of objects";
	return NULL;
}

unsigned int sf_acc_1(struct sf_judge *j, const struct sf_event *ev)
{
	for (size_t i = 0; i < j->snap.nr_slabs; i++) {
		const struct sf_snap_slab *slab = &j->snap.slabs[i];
		const char *fault = balance_fault(j, slab);

		if (!fault)
			continue;
		sf_title(j, SF_INV_ACC_1, fault, sf_name_of_cache(&j->sh, slab->ev.cache));
		sf_report(j, ev, SF_NONE, SF_NONE,
			  "pfn %#llx, order %u: %u objects, %u in use, %u on the free list",
			  ULL(slab->ev.pfn), slab->ev.order, slab->ev.objects, slab->ev.inuse,
			  slab->ev.nr_free);
	}
	return (unsigned int)j->snap.nr_slabs;
}

unsigned int sf_acc_2(struct sf_judge *j, const struct sf_event *ev)
{
	unsigned int checks = 0;

	if (!j->sh.exact || j->sh.untracked) {
		sf_skip(j, SF_INV_ACC_2, "objects of earlier programs may be left");
		return 0;
	}
	for (size_t i = 0; i < j->snap.nr_ids; i++) {
		uint32_t id = j->snap.ids[i];
		const struct sf_shadow_cache *c = judged_cache(j, id);
		const struct sf_snap_sum *sum = &j->snap.sum[id];

		if (!c || (!sum->marked && !c->live))
			continue;
		checks++;
		if (sum->inuse == c->live + sum->parked)
			continue;
		sf_title(j, SF_INV_ACC_2, "objects in use of %s are neither live nor parked",
			 sf_name_of_cache(&j->sh, id));
		sf_report(j, ev, SF_NONE, SF_NONE, "%llu in use, %u live, %llu parked",
			  ULL(sum->inuse), c->live, ULL(sum->parked));
	}
	return checks;
}

/* A snapshot that shows slabs shows their cache, and all that events made. */
static unsigned int not_shown(struct sf_judge *j, const struct sf_event *ev)
{
	bool traced = j->sh.zone.on && j->sh.exact && !j->sh.untracked && j->snap.nr_caches;

	for (size_t i = 0; i < j->snap.nr_caches; i++)
		if (judged_cache(j, j->snap.caches[i].cache))
			j->snap.sum[j->snap.caches[i].cache].shown = true;
	for (size_t i = 0; i < j->snap.nr_ids; i++) {
		uint32_t id = j->snap.ids[i];

		if (judged_cache(j, id) && j->snap.sum[id].slabs && !j->snap.sum[id].shown)
			cache_fault(j, ev, SF_INV_ACC_3, "slabs of %s are shown without it", id, 0,
				    j->snap.sum[id].slabs);
	}
	for (uint32_t w = 0; traced && w < (j->sh.nr_cache + 63) / 64; w++)
		for (uint64_t m = j->sh.touched[w]; m; m &= m - 1) {
			uint32_t id = w * 64 + (uint32_t)__builtin_ctzll(m);
			const struct sf_shadow_cache *c = judged_cache(j, id);

			if (c && c->slabs && (id >= j->snap.nr_sum || !j->snap.sum[id].slabs))
				cache_fault(j, ev, SF_INV_ACC_3, "slabs of %s are not shown", id,
					    0, c->slabs);
		}
	return (unsigned int)j->snap.nr_ids;
}

unsigned int sf_acc_3(struct sf_judge *j, const struct sf_event *ev)
{
	for (size_t i = 0; i < j->snap.nr_caches; i++) {
		const struct sf_ev_snapcache *sc = &j->snap.caches[i];
		const struct sf_shadow_cache *c = judged_cache(j, sc->cache);
		const struct sf_snap_sum *sum;

		if (!c)
			continue;
		sum = &j->snap.sum[sc->cache];
		if (sc->nr_partial != sum->partial)
			cache_fault(j, ev, SF_INV_ACC_3, "nr_partial of %s is wrong", sc->cache,
				    sc->nr_partial, sum->partial);
		if (sc->nr_slabs != sum->slabs)
			cache_fault(j, ev, SF_INV_ACC_3, "nr_slabs of %s is wrong", sc->cache,
				    sc->nr_slabs, sum->slabs);
		if (sc->total_objects != sum->objects)
			cache_fault(j, ev, SF_INV_ACC_3, "total_objects of %s is wrong", sc->cache,
				    sc->total_objects, sum->objects);
		if (j->sh.zone.on && j->sh.exact && sum->slabs != c->slabs)
			cache_fault(j, ev, SF_INV_ACC_3, "slabs of %s were lost or never made",
				    sc->cache, sum->slabs, c->slabs);
	}
	return (unsigned int)j->snap.nr_caches + not_shown(j, ev);
}

static const char *list_fault(const struct sf_snap_slab *slab)
{
	bool listed = slab->ev.list == SF_SLAB_PARTIAL,
	     has_free = slab->ev.inuse < slab->ev.objects;

	if (has_free && !listed)
		return "a slab of %s with free objects is on no partial list";
	if (!has_free && listed)
		return "a full slab of %s is on the partial list";
	if (slab->ev.flag_partial != listed)
		return "a slab of %s has SL_partial wrong";
	return NULL;
}

unsigned int sf_acc_4(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_snapshot *s = &j->snap;

	for (size_t i = 0; i < s->nr_slabs; i++) {
		const struct sf_snap_slab *slab = &s->slabs[i];
		bool judged = !slab->orphan && slab->ev.list != SF_SLAB_DEFERRED;
		const char *fault = judged ? list_fault(slab) : NULL;

		if (slab->ev.pfn < s->pages && s->owner[slab->ev.pfn] != i + 1)
			fault = "a slab of %s is on two lists";
		if (!fault)
			continue;
		sf_title(j, SF_INV_ACC_4, fault, sf_name_of_cache(&j->sh, slab->ev.cache));
		sf_report(j, ev, SF_NONE, SF_NONE, "pfn %#llx: %u of %u in use", ULL(slab->ev.pfn),
			  slab->ev.inuse, slab->ev.objects);
	}
	return (unsigned int)s->nr_slabs;
}

/*
 * SLAB_FREE, SLAB_DEFER, before the shadow. While fewer than min_partial slabs are on its list a
 * cache keeps what is empty (mm/slub.c:__slab_free); the list is no longer than it has slabs, and a
 * slab of one object is not on it. How many of the others are full, with parked objects, no event
 * says. Shrinking, destroying and the flush before OOM give everything back.
 */
unsigned int sf_acc_5_free(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_shadow_slab *slab = sf_zone_slab_at(&j->sh.zone, ev->slab.pfn);
	const struct sf_shadow_cache *c = slab ? judged_cache(j, slab->cache) : NULL;

	if (!c || slab->orphan || slab->deferred || ev->op == SF_NONE || !j->sh.exact ||
	    j->sh.untracked || j->sh.set.oom == SF_OOM_FLUSH)
		return 0;
	if (c->slabs < c->min_partial + (slab->objects == 1))
		j->op.early = slab->cache + 1;
	return 1;
}

void sf_early_forget(struct sf_judge *j, const struct sf_event *ev)
{
	(void)ev;
	j->op.early = 0;
}

void sf_early_settle(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_shadow_cache *c = sf_shadow_cache_at(&j->sh, j->op.early - 1);

	if (c && sf_judges(j, SF_INV_ACC_5))
		cache_fault(j, ev, SF_INV_ACC_5, "%s gave back an empty slab that it is to keep",
			    j->op.early - 1, c->slabs, c->min_partial);
	j->op.early = 0;
}

/*
 * What a free makes empty may have been counted itself, then one less is kept; what a refill that
 * failed brings back is not.
 */
unsigned int sf_acc_5(struct sf_judge *j, const struct sf_event *ev)
{
	unsigned int checks = 0;

	for (size_t i = 0; i < j->snap.nr_ids; i++) {
		uint32_t id = j->snap.ids[i];
		const struct sf_shadow_cache *c = judged_cache(j, id);
		const struct sf_snap_sum *sum = &j->snap.sum[id];

		if (!c || !sum->slabs)
			continue;
		checks++;
		if (sum->empty > c->min_partial)
			cache_fault(j, ev, SF_INV_ACC_5,
				    "%s keeps more empty slabs than min_partial", id, sum->empty,
				    c->min_partial);
	}
	return checks;
}

/* What kmem_cache_shrink() returns: from the slabs that tracepoints reported. */
unsigned int sf_acc_6_shrink(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_cacheop *op = &ev->cacheop;
	struct sf_shadow_cache *c = sf_shadow_cache_at(&j->sh, op->cache);

	if (!c || !j->sh.zone.on || !j->sh.exact)
		return 0;
	c->shrunk = !c->boot; /* sheaves may come from boot caches: they change by themselves */
	if ((op->ret == 0) == (c->slabs == 0))
		return 1;
	sf_title(j, SF_INV_ACC_6, "kmem_cache_shrink of %s returned the wrong thing",
		 sf_name_of_cache(&j->sh, op->cache));
	sf_report(j, ev, SF_NONE, SF_NONE, "%d with %u slabs", op->ret, c->slabs);
	return 1;
}

/* Slabs with 1..32 free objects come first, fewest free first. */
static bool shrink_order_good(const struct sf_snapshot *s, const struct sf_snap_slab *a)
{
	uint32_t free_a = a->ev.objects - a->ev.inuse;

	for (size_t i = 0; i < s->nr_slabs; i++) {
		const struct sf_snap_slab *b = &s->slabs[i];
		uint32_t free_b = b->ev.objects - b->ev.inuse;

		if (b->ev.cache == a->ev.cache && !b->orphan && b->ev.list == SF_SLAB_PARTIAL &&
		    b->ev.position > a->ev.position && free_b < free_a &&
		    free_b <= SHRINK_PROMOTE_MAX)
			return false;
	}
	return true;
}

/* Parked where a shrink looks for it: callers keep their prefilled sheaves. */
static bool is_parked(const struct sf_snapshot *s, uint32_t cache)
{
	uint64_t parked = s->sum[cache].parked;

	for (size_t i = 0; parked && i < s->nr_sheaves; i++) {
		const struct sf_ev_snapsheaf *sheaf = &s->sheaves[i].ev;

		if (sheaf->kind == SF_SHEAF_PREFILLED && sheaf->cache == cache)
			parked -= sheaf->nr < parked ? sheaf->nr : parked;
	}
	return parked != 0;
}

unsigned int sf_acc_6(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_snapshot *s = &j->snap;
	unsigned int checks = 0;

	for (size_t i = 0; i < s->nr_ids; i++) {
		uint32_t id = s->ids[i];
		const struct sf_shadow_cache *c = judged_cache(j, id);

		if (!c || !c->shrunk)
			continue;
		checks++;
		if (is_parked(s, id))
			cache_fault(j, ev, SF_INV_ACC_6, "objects of %s are parked after a shrink",
				    id, s->sum[id].parked, 0);
		if (s->sum[id].empty)
			cache_fault(j, ev, SF_INV_ACC_6, "%s keeps empty slabs after a shrink", id,
				    s->sum[id].empty, 0);
	}
	for (size_t i = 0; checks && s->nr_slabs <= SHRINK_SLABS_MAX && i < s->nr_slabs; i++) {
		const struct sf_snap_slab *slab = &s->slabs[i];
		const struct sf_shadow_cache *c = judged_cache(j, slab->ev.cache);

		if (!c || !c->shrunk || slab->orphan || slab->ev.list != SF_SLAB_PARTIAL ||
		    shrink_order_good(s, slab))
			continue;
		cache_fault(j, ev, SF_INV_ACC_6,
			    "the partial list of %s is not in order after a shrink", slab->ev.cache,
			    slab->ev.position, 0);
	}
	return checks;
}

/* A pool's pages are its areas'; of all others the shadow knows who lives there. */
static bool is_owned(const struct sf_judge *j, const struct sf_ev_snapused *u)
{
	uint64_t nr = 1ull << u->order;

	if (u->kind != SF_PLACE_POOL)
		return sf_shadow_pages_live(&j->sh, u->pfn, nr);
	return j->sh.pools.used && sf_zone_has(&j->sh.zone, u->pfn, u->order) &&
	       sf_bits_all(j->sh.pools.pages, u->pfn, nr);
}

/* Every block in use that is no slab must have an owner that this program knows. */
static void owners(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_snapshot *s = &j->snap;

	for (size_t i = 0; i < s->nr_used; i++) {
		const struct sf_ev_snapused *u = &s->used[i];

		if (u->kind == SF_PLACE_NOWHERE || u->order > SF_MAX_ORDER || is_owned(j, u))
			continue;
		sf_title(j, SF_INV_ACC_7, "pages are in use without an owner");
		sf_report(j, ev, SF_NONE, SF_NONE, "order %u at pfn %#llx, kind %u", u->order,
			  ULL(u->pfn), u->kind);
		return;
	}
}

unsigned int sf_acc_7(struct sf_judge *j, const struct sf_event *ev)
{
	static const char *const names[SF_PAGE_STATES] = {
		[SF_PAGE_NONE] = "nothing", [SF_PAGE_FREE] = "free", [SF_PAGE_PCP] = "per-CPU",
		[SF_PAGE_SLAB] = "slab", [SF_PAGE_USED] = "in use", [SF_PAGE_LOST] = "lost",
	};
	const struct sf_snapshot *s = &j->snap;

	if (!s->pages) {
		sf_skip(j, SF_INV_ACC_7, "the arena's size is unknown");
		return 0;
	}
	if (s->twice != SF_NO_PFN) {
		sf_title(j, SF_INV_ACC_7, "a page is %s and %s", names[s->twice_as[0]],
			 names[s->twice_as[1]]);
		sf_report(j, ev, SF_NONE, SF_NONE, "pfn %#llx", ULL(s->twice));
	}
	if (s->counted != s->head.managed) {
		sf_title(j, SF_INV_ACC_7, "pages are neither free nor in use");
		sf_report(j, ev, SF_NONE, SF_NONE, "%llu pages have a state, %llu are managed",
			  ULL(s->counted), ULL(s->head.managed));
	}
	for (size_t i = 0; i < s->nr_used; i++)
		if (s->used[i].kind == SF_PLACE_NOWHERE) {
			sf_title(j, SF_INV_ACC_7, "pages are neither free nor in use");
			sf_report(j, ev, SF_NONE, SF_NONE, "order %u at pfn %#llx",
				  s->used[i].order, ULL(s->used[i].pfn));
			break;
		}
	if (j->sh.exact && j->sh.addresses && !j->sh.untracked)
		owners(j, ev);
	return 1;
}

static const char *destroy_fault(const struct sf_judge *j, const struct sf_ev_cacheop *op,
				 const struct sf_shadow_cache *c)
{
	bool traced = j->sh.zone.on && j->sh.exact;

	/* On every CPU, and before anybody counts references (kvfree_rcu_barrier_on_cache). */
	if (c->deferred && (j->sh.caps & SF_CAP_RCU))
		return "destroying %s did not wait for what kfree_rcu() deferred";
	if (c->refs > 1) {
		if (op->status != SF_OK)
			return "destroying an alias of %s failed";
		/* what was deferred is freed first, and may have been the last in its slab */
		return traced && j->op.slab_frees && !j->op.grace ?
			       "destroying an alias of %s freed slabs" : NULL;
	}
	if (c->live)
		return op->status == SF_NOTICED ? NULL : "%s was destroyed with live objects";
	if (op->status != SF_OK)
		return "an empty %s could not be destroyed";
	return traced && c->slabs ? "destroying %s left slabs behind" : NULL;
}

/* Before the shadow forgets the cache. Slabs with live objects that went are ISO-14's. */
unsigned int sf_acc_17(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_cacheop *op = &ev->cacheop;
	const struct sf_shadow_cache *c = sf_shadow_cache_at(&j->sh, op->cache);
	const char *fault;

	if (!c || !j->sh.exact)
		return 0;
	fault = destroy_fault(j, op, c);
	if (!fault)
		return 1;
	sf_title(j, SF_INV_ACC_17, fault, sf_name_of_cache(&j->sh, op->cache));
	sf_report(j, ev, op->handle, SF_NONE, "%u references, %u live objects, %u slabs, status %u",
		  c->refs, c->live, c->slabs, op->status);
	return 1;
}

/* Is the memory that no leaked slab holds free, in the blocks that boot made? */
static bool merged_back(const struct sf_snapshot *s)
{
	for (uint64_t pfn = 0; pfn < s->pages;) {
		unsigned int order = sf_zone_boot_order(pfn, s->pages);

		if (s->head_at[pfn] != order + 1)
			return false;
		pfn += 1ull << order;
	}
	return true;
}

static const char *teardown_fault(const struct sf_judge *j)
{
	const struct sf_snapshot *s = &j->snap;
	/* of caches destroyed over live objects; the HIGHATOMIC reserve merges with nothing else */
	bool leaks = j->sh.zone.orphan_pages || j->sh.zone.reserved;

	for (size_t i = 0; i < s->nr_slabs; i++) {
		const struct sf_shadow_cache *c = sf_shadow_cache_at(&j->sh, s->slabs[i].ev.cache);

		if (s->slabs[i].orphan)
			continue;
		if (!c || c->kind != SF_CACHE_INTERNAL)
			return "a slab is left after teardown";
		leaks = true;
	}
	for (size_t i = 0; i < s->nr_sheaves; i++)
		if (s->sheaves[i].ev.nr && judged_cache(j, s->sheaves[i].ev.cache))
			return "objects are parked after teardown";
	for (size_t i = 0; i < s->nr_pcps; i++)
		if (s->pcps[i].ev.nr)
			return "pages are on per-CPU lists after teardown";
	if (s->nr_used)
		return "pages are in use after teardown";
	if (!leaks && !merged_back(s))
		return "free memory is not merged after teardown";
	return NULL;
}

unsigned int sf_acc_18(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_snapshot *s = &j->snap;
	const char *fault;

	if (!s->head.final)
		return 0;
	if (j->sh.live > j->sh.orphans || !j->sh.exact || j->sh.untracked || !s->pages) {
		sf_skip(j, SF_INV_ACC_18, "not everything was given back");
		return 0;
	}
	fault = teardown_fault(j);
	if (!fault)
		return 1;
	sf_title(j, SF_INV_ACC_18, "%s", fault);
	sf_report(j, ev, SF_NONE, SF_NONE,
		  "%zu slabs, %zu sheaves, %zu per-CPU lists, %zu blocks in use", s->nr_slabs,
		  s->nr_sheaves, s->nr_pcps, s->nr_used);
	return 1;
}

static unsigned int slabinfo(struct sf_judge *j, const struct sf_event *ev,
			     const struct sf_ev_snapcache *sc, const struct sf_shadow_cache *c,
			     const struct sf_snap_sum *sum)
{
	static const char *const titles[] = {
		"active_objs of %s is wrong", "num_objs of %s is wrong", "objsize of %s is wrong",
		"objperslab of %s is wrong", "pagesperslab of %s is wrong",
		"active_slabs of %s is wrong", "num_slabs of %s is wrong",
	};
	const struct {
		uint64_t got, due;
	} column[] = {
		{ sc->active_objs, sum->objects - sum->partial_free },
		{ sc->num_objs, sum->objects },
		{ sc->objsize, c->stride },
		{ sc->objperslab, c->objects },
		{ sc->pagesperslab, 1ull << (c->order & 15) },
		{ sc->active_slabs, sum->slabs },
		{ sc->num_slabs, sum->slabs },
	};
	/* of longer partial lists the kernel samples the free objects */
	size_t first = sum->partial > SLABINFO_EXACT_MAX;

	for (size_t k = first; k < sizeof(column) / sizeof(column[0]); k++)
		if (column[k].got != column[k].due)
			cache_fault(j, ev, SF_INV_ACC_20, titles[k], sc->cache, column[k].got,
				    column[k].due);
	return 1;
}

unsigned int sf_acc_20(struct sf_judge *j, const struct sf_event *ev)
{
	unsigned int checks = 0;

	for (size_t i = 0; i < j->snap.nr_caches; i++) {
		const struct sf_ev_snapcache *sc = &j->snap.caches[i];
		const struct sf_shadow_cache *c = judged_cache(j, sc->cache);

		if (c)
			checks += slabinfo(j, ev, sc, c, &j->snap.sum[sc->cache]);
	}
	return checks;
}
