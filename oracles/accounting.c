// SPDX-License-Identifier: MIT
/*
 * accounting.c - what is counted (ACC): the kernel's counters against the slabs, blocks and objects
 * that events reported, the estimate of available memory, sheaves within their bounds, and memory
 * cgroups.
 *
 * What counts as reclaimable is explained in reclaim_rules.c. Counters of a kernel lag by what its
 * CPUs hold back; those judged here are exact. Relies on judge.h; listed in listing.h.
 */
#include "judge.h"
#include "caches.h"
#include "groups.h"
#include "listing.h"
#include "objects.h"
#include "owners.h"
#include "report.h"
#include "requests.h"
#include "rules.h"
#include "snap.h"
#include "zone.h"

#define ULL(x) ((unsigned long long)(x))
#define OBJ_EXT 8u /* bytes that obj_full_size() adds (mm/memcontrol.c) */
#define BARN_FULL_MAX 10u /* mm/slub.c:MAX_FULL_SHEAVES */
#define SHEAVES_PER_CPU 3u /* main, spare, rcu_free */

/* Counters that were reported, from a heap that was watched since boot? */
static bool counters_known(struct sf_judge *j, enum sf_invariant inv)
{
	if (j->snap.has_counters && j->sh.exact && j->sh.zone.on && !j->sh.untracked)
		return true;
	sf_skip(j, inv, "counters, or what they count, are not known");
	return false;
}

static void wrong(struct sf_judge *j, const struct sf_event *ev, enum sf_invariant inv,
		  const char *name, uint64_t got, uint64_t due)
{
	sf_title(j, inv, "%s is wrong", name);
	sf_report(j, ev, SF_NONE, SF_NONE, "%llu, %llu due", ULL(got), ULL(due));
}

unsigned int sf_acc_8(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_zone *z = &j->sh.zone;
	const struct sf_ev_counters *c = &j->snap.counters;
	uint64_t other = z->slab_pages - z->reclaim_pages + j->sh.large_pages;

	if (!counters_known(j, SF_INV_ACC_8))
		return 0;
	if (c->nr_slab_reclaimable != z->reclaim_pages)
		wrong(j, ev, SF_INV_ACC_8, "NR_SLAB_RECLAIMABLE_B", c->nr_slab_reclaimable,
		      z->reclaim_pages);
	if (c->nr_slab_unreclaimable != other)
		wrong(j, ev, SF_INV_ACC_8, "NR_SLAB_UNRECLAIMABLE_B", c->nr_slab_unreclaimable,
		      other);
	return 2;
}

/* COUNTERS(X): X(field, name, unit in bytes): none is ever more than all memory. */
#define COUNTERS(X)                                                     \
	X(nr_free_pages, "NR_FREE_PAGES", SF_PAGE_SIZE)                 \
	X(nr_slab_reclaimable, "NR_SLAB_RECLAIMABLE_B", SF_PAGE_SIZE)   \
	X(nr_slab_unreclaimable, "NR_SLAB_UNRECLAIMABLE_B", SF_PAGE_SIZE) \
	X(nr_kernel_misc_reclaimable, "NR_KERNEL_MISC_RECLAIMABLE", SF_PAGE_SIZE) \
	X(nr_free_highatomic, "nr_free_highatomic", SF_PAGE_SIZE)       \
	X(nr_highatomic, "nr_reserved_highatomic", SF_PAGE_SIZE)        \
	X(mem_available, "the available-memory estimate", SF_PAGE_SIZE) \
	X(indirect_bytes, "NR_INDIRECTLY_RECLAIMABLE_BYTES", 1u)

static void bounded(struct sf_judge *j, const struct sf_event *ev, const char *name, uint64_t value,
		    uint64_t unit)
{
	if (value <= j->snap.head.managed * SF_PAGE_SIZE / unit)
		return;
	if (value >> 63)
		sf_title(j, SF_INV_ACC_9, "%s is below 0", name);
	else
		sf_title(j, SF_INV_ACC_9, "%s is more than all memory", name);
	sf_report(j, ev, SF_NONE, SF_NONE, "%lld of %llu pages", (long long)value,
		  ULL(j->snap.head.managed));
}

unsigned int sf_acc_9(struct sf_judge *j, const struct sf_event *ev)
{
	unsigned int checks = 0;

	if (!j->snap.has_counters)
		return 0;
#define X(field, name, unit) bounded(j, ev, name, j->snap.counters.field, unit); checks++;
	COUNTERS(X)
#undef X
	for (size_t i = 0; i < j->snap.nr_memcgs; i++, checks++) {
		if (!(j->snap.memcgs[i].usage >> 63))
			continue;
		sf_title(j, SF_INV_ACC_9, "the usage of a memory cgroup is below 0");
		sf_report(j, ev, SF_NONE, SF_NONE, "group %u: %lld", j->snap.memcgs[i].id,
			  (long long)j->snap.memcgs[i].usage);
	}
	return checks;
}

/* CHARGE, before the shadow. */
unsigned int sf_acc_9_charge(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_charge *c = &ev->charge;
	const struct sf_groups *g = &j->sh.groups;

	if (!c->uncharge || !j->sh.exact)
		return 0;
	/* a page of a block that was charged as a whole is found inside it */
	if (sf_group_charged(g, c->addr) || sf_group_charged_inside(g, c->addr, c->bytes))
		return 1;
	sf_title(j, SF_INV_ACC_9, "something was uncharged that was never charged");
	sf_report(j, ev, SF_NONE, SF_NONE, "%#llx, %llu bytes, group %d", ULL(c->addr),
		  ULL(c->bytes), (int)c->memcg);
	return 1;
}

unsigned int sf_acc_10(struct sf_judge *j, const struct sf_event *ev)
{
	uint64_t got = j->snap.counters.indirect_bytes;

	if (!counters_known(j, SF_INV_ACC_10))
		return 0;
	if (got == j->sh.indirect_bytes)
		return 1;
	if (j->sh.set.accounting != SF_ACCOUNTING_INDIRECT)
		sf_title(j, SF_INV_ACC_10, "indirectly reclaimable bytes are counted in a design "
			 "that has no such counter");
	else if (!j->sh.indirect_bytes)
		sf_title(j, SF_INV_ACC_10,
			 "indirectly reclaimable bytes are left when none is owned");
	else if (got > j->sh.indirect_bytes)
		sf_title(j, SF_INV_ACC_10, "more bytes are counted as indirectly reclaimable than "
			 "are owned");
	else
		sf_title(j, SF_INV_ACC_10, "fewer bytes are counted as indirectly reclaimable than "
			 "are owned");
	sf_report(j, ev, SF_NONE, SF_NONE, "%lld bytes, %llu due", (long long)got,
		  ULL(j->sh.indirect_bytes));
	return 1;
}

unsigned int sf_acc_13(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_zone *z = &j->sh.zone;
	const struct sf_ev_counters *c = &j->snap.counters;
	uint64_t indirect = j->sh.indirect_bytes >> SF_PAGE_SHIFT;
	uint64_t reserve = sf_totalreserve(&z->marks, z->pages), available;

	if (!counters_known(j, SF_INV_ACC_13))
		return 0;
	available = sf_mem_available(z->free_pages, z->reclaim_pages, indirect, reserve,
				     z->marks.low + c->watermark_boost);
	if (c->watermark_min != z->marks.min || c->watermark_low != z->marks.low ||
	    c->watermark_high != z->marks.high)
		wrong(j, ev, SF_INV_ACC_13, "a watermark", c->watermark_low, z->marks.low);
	if (c->totalreserve != reserve)
		wrong(j, ev, SF_INV_ACC_13, "totalreserve_pages", c->totalreserve, reserve);
	if (c->nr_kernel_misc_reclaimable != indirect)
		wrong(j, ev, SF_INV_ACC_13, "NR_KERNEL_MISC_RECLAIMABLE",
		      c->nr_kernel_misc_reclaimable, indirect);
	if (c->mem_available != available)
		wrong(j, ev, SF_INV_ACC_13, "the available-memory estimate", c->mem_available,
		      available);
	return 4;
}

/* --- ACC-23: /proc/vmstat --- */

#define VMSTAT(X) X(slabs_scanned) X(pgscan_slab) X(pgsteal_slab) X(drop_slab) X(oom_kill) \
	X(pgmigrate_success) X(allocstall) X(compact_stall) X(compact_success)

unsigned int sf_acc_23(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_counters *c = &j->snap.counters;

	if (!counters_known(j, SF_INV_ACC_23))
		return 0;
#define X(field)                                                                          \
	if (c->field != j->vm.field)                                                      \
		wrong(j, ev, SF_INV_ACC_23, #field, c->field, j->vm.field);
	VMSTAT(X)
#undef X
	return 9;
}

/*
 * Sheaves that wait for a grace period are as many as that takes; callers have what they asked for.
 */
static bool in_bound(const struct sf_ev_snapsheaf *s)
{
	return s->kind != SF_SHEAF_PREFILLED && (s->kind != SF_SHEAF_RCU || s->cpu != 0xff);
}

/*
 * MAX_FULL_SHEAVES of the barn are exceeded only by what was refilled while others freed: reclaim
 * does (__pcs_replace_empty_main). What the CPUs have is bounded by their number of sheaves alone.
 */
static void parked_bound(struct sf_judge *j, const struct sf_event *ev, uint32_t id)
{
	const struct sf_shadow_cache *c = sf_shadow_cache_at(&j->sh, id);
	uint64_t most = (j->sh.set.cpus * SHEAVES_PER_CPU + BARN_FULL_MAX) * c->sheaf_capacity;

	if (j->snap.sum[id].in_barn > BARN_FULL_MAX * c->sheaf_capacity && !j->vm.direct)
		most = 0;
	if (j->snap.sum[id].in_sheaves <= most)
		return;
	sf_title(j, SF_INV_ACC_16, "more objects of %s are parked than sheaves may hold",
		 sf_name_of_cache(&j->sh, id));
	sf_report(j, ev, SF_NONE, SF_NONE, "%llu, at most %llu", ULL(j->snap.sum[id].in_sheaves),
		  ULL(most));
}

/*
 * mm/slub.c:struct slub_percpu_sheaves: a spare is empty or full, unless it was a caller's
 * (kmem_cache_return_sheaf); what the barn counts as full is; a sheaf of kfree_rcu() that is full
 * waits for its grace period and is no CPU's any more.
 */
static void sheaf_fault(struct sf_judge *j, const struct sf_event *ev,
			const struct sf_ev_snapsheaf *sheaf, const struct sf_shadow_cache *c)
{
	bool full = sheaf->nr == c->sheaf_capacity;
	const char *fault = NULL;

	if (sheaf->kind == SF_SHEAF_BARN && !full)
		fault = "a sheaf of %s in the barn is not full";
	else if (sheaf->kind == SF_SHEAF_SPARE && !full && sheaf->nr && !c->prefilled)
		fault = "a spare sheaf of %s is neither empty nor full";
	else if (sheaf->kind == SF_SHEAF_RCU && sheaf->cpu != 0xff && full)
		fault = "a full sheaf of %s does not wait for its grace period";
	if (!fault)
		return;
	sf_title(j, SF_INV_ACC_16, fault, sf_name_of_cache(&j->sh, sheaf->cache));
	sf_report(j, ev, SF_NONE, SF_NONE, "%u of %u, CPU %u", sheaf->nr, c->sheaf_capacity,
		  sheaf->cpu);
}

unsigned int sf_acc_16(struct sf_judge *j, const struct sf_event *ev)
{
	struct sf_snapshot *s = &j->snap;
	unsigned int checks = 0;

	for (size_t i = 0; i < s->nr_sheaves; i++) {
		const struct sf_ev_snapsheaf *sheaf = &s->sheaves[i].ev;
		const struct sf_shadow_cache *c = sf_shadow_cache_at(&j->sh, sheaf->cache);

		if (!c || sheaf->cache >= s->nr_sum)
			continue;
		checks++;
		if (sheaf->kind == SF_SHEAF_BARN)
			s->sum[sheaf->cache].in_barn += sheaf->nr;
		if (in_bound(sheaf))
			s->sum[sheaf->cache].in_sheaves += sheaf->nr;
		sheaf_fault(j, ev, sheaf, c);
		if (sheaf->nr <= c->sheaf_capacity ||
		    (sheaf->kind == SF_SHEAF_PREFILLED && sheaf->nr <= sheaf->capacity))
			continue;
		sf_title(j, SF_INV_ACC_16, "a sheaf of %s holds more than its capacity",
			 sf_name_of_cache(&j->sh, sheaf->cache));
		sf_report(j, ev, SF_NONE, SF_NONE, "%u of %u", sheaf->nr, c->sheaf_capacity);
	}
	for (size_t i = 0; checks && i < s->nr_ids; i++)
		if (sf_shadow_cache_at(&j->sh, s->ids[i]) && s->sum[s->ids[i]].in_sheaves)
			parked_bound(j, ev, s->ids[i]);
	return checks;
}

/* --- ACC-19: memory cgroups --- */

static void charge_fault(struct sf_judge *j, const struct sf_event *ev, const char *fault)
{
	const struct sf_ev_charge *c = &ev->charge;

	sf_title(j, SF_INV_ACC_19, "%s", fault);
	sf_report(j, ev, SF_NONE, SF_NONE, "group %d, %llu bytes at %#llx", (int)c->memcg,
		  ULL(c->bytes), ULL(c->addr));
}

/* CHARGE, before the shadow. */
unsigned int sf_acc_19_charge(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_charge *c = &ev->charge;
	const struct sf_groups *g = &j->sh.groups;
	uint32_t group = sf_group_of(g, c->memcg);

	if (!j->sh.exact)
		return 0;
	if (c->uncharge) {
		const struct sf_charged *was = sf_group_charged(g, c->addr);

		if (was && was->bytes != c->bytes &&
		    !sf_group_charged_inside(g, c->addr, c->bytes))
			charge_fault(j, ev, "other bytes were uncharged than charged");
	} else if (!j->sh.set.memcg || j->sh.set.nokmem) {
		charge_fault(j, ev, "a memory cgroup was charged though none is accounted to");
	} else if (c->refused) {
		if (!sf_group_full(g, g->active, c->bytes))
			charge_fault(j, ev, "a charge within all limits was refused");
	} else if (!group || group != g->active) {
		charge_fault(j, ev, "a memory cgroup was charged that is not the active one");
	} else if (sf_group_charged(g, c->addr)) {
		charge_fault(j, ev, "memory was charged twice");
	}
	return 1;
}

/* Bytes that an object must be charged for while some group is active. */
static uint64_t due_charge(const struct sf_judge *j, const struct sf_ev_alloc *a,
			   const struct sf_shadow_obj *o)
{
	const struct sf_shadow_cache *c = sf_shadow_cache_at(&j->sh, o->cache);
	bool slab = o->kind == SF_PLACE_SLAB;
	bool asked = (a->gfp & SF_GFP_ACCOUNT) || (slab && c && (c->flags & SF_SLAB_ACCOUNT));

	if (!asked || !j->sh.set.memcg || j->sh.set.nokmem || !j->sh.groups.active)
		return 0;
	return slab ? (c ? c->stride : a->place.stride) + OBJ_EXT : sf_shadow_pages_of(o);
}

static const char *object_fault(const struct sf_judge *j, const struct sf_ev_alloc *a,
				const struct sf_shadow_obj *o)
{
	uint32_t group;
	bool mixed;
	uint64_t due = due_charge(j, a, o), got = sf_group_of_object(&j->sh, o, &group, &mixed);

	if (got == due)
		return mixed ? "a %s object is charged to more than one memory cgroup" : NULL;
	if (!due)
		return "a %s object is charged that is not to be";
	return got ? "a %s object is charged for other bytes than it takes"
		   : "a %s object is not charged";
}

/*
 * A limit is passed only by what may not fail: __GFP_NOFAIL, and __GFP_HIGH, which has the place of
 * a reserve (mm/memcontrol.c:try_charge_memcg), and what is from a prefilled sheaf.
 */
static void limit(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	const struct sf_group *g = &j->sh.groups.group[j->op.over - 1];

	j->op.over = 0;
	if ((a->gfp & (SF_GFP_NOFAIL | SF_GFP_HIGH)) || j->op.from_sheaf || g->usage <= g->max)
		return;
	sf_title(j, SF_INV_ACC_19, "a memory cgroup went over its limit");
	sf_report(j, ev, a->res, SF_NONE, "group %u: %llu of %llu bytes, gfp %#x", g->id,
		  ULL(g->usage), ULL(g->max), a->gfp);
}

/* ALLOC and REALLOC, after the shadow. */
unsigned int sf_acc_19_alloc(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	const struct sf_shadow_obj *o;
	const char *fault;

	if (!j->sh.groups.used || !j->sh.exact)
		return 0;
	if (j->op.over && j->op.over <= j->sh.groups.nr)
		limit(j, ev);
	o = sf_shadow_alive(&j->sh, a->id);
	if (!sf_fresh(ev) || !o || o->kind == SF_PLACE_UNKNOWN)
		return 0;
	fault = object_fault(j, a, o);
	if (!fault)
		return 1;
	sf_title(j, SF_INV_ACC_19, fault, sf_name_of_event(&j->sh, a));
	sf_report(j, ev, a->res, SF_NONE, "%llu bytes due, gfp %#x", ULL(due_charge(j, a, o)),
		  a->gfp);
	return 1;
}

/* FREE, before the shadow: what was charged must not be any more, parked or not. */
unsigned int sf_acc_19_free(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_shadow_obj *o = sf_shadow_alive(&j->sh, ev->free.id);
	const struct sf_side *side;
	uint32_t group;
	bool mixed;

	if (!j->sh.groups.used || !o || ev->free.status != SF_OK)
		return 0;
	side = sf_side_at(&j->sh, o);
	if (!side || !side->group)
		return 0;
	/* the mapping of a vmalloc area is gone by now: its pages show in the sums */
	if (o->kind == SF_PLACE_VMALLOC || !sf_group_of_object(&j->sh, o, &group, &mixed))
		return 1;
	sf_title(j, SF_INV_ACC_19, "a freed %s object is still charged", sf_name_of(&j->sh, o));
	sf_report(j, ev, o->res, SF_NONE, "%#llx, %llu bytes", ULL(o->addr), ULL(side->charged));
	return 1;
}

static void group_fault(struct sf_judge *j, const struct sf_event *ev, const char *fault,
			uint32_t id, uint64_t got, uint64_t due)
{
	sf_title(j, SF_INV_ACC_19, "%s", fault);
	sf_report(j, ev, SF_NONE, SF_NONE, "group %u: %lld, %llu due", id, (long long)got,
		  ULL(due));
}

/* At the end of a snapshot: the groups' own counters, charges, and objects against each other. */
unsigned int sf_acc_19(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_groups *g = &j->sh.groups;
	unsigned int checks = 0, shown = 0, online = 0;

	if (!g->used || !j->sh.exact || j->sh.untracked)
		return 0;
	for (size_t i = 0; i < j->snap.nr_memcgs; i++) {
		const struct sf_ev_snapmemcg *m = &j->snap.memcgs[i];
		uint32_t group = m->online ? sf_group_of(g, m->id) : 0;

		if (!group)
			continue;
		checks++;
		shown++;
		if (m->usage != g->group[group - 1].usage)
			group_fault(j, ev, "the usage of a memory cgroup is wrong", m->id, m->usage,
				    g->group[group - 1].usage);
		if (m->max != g->group[group - 1].max)
			group_fault(j, ev, "the limit of a memory cgroup is wrong", m->id, m->max,
				    g->group[group - 1].max);
	}
	for (size_t i = 0; i < g->nr; i++)
		online += g->group[i].online;
	if (shown != online)
		group_fault(j, ev, "a memory cgroup is not shown", 0, shown, online);
	for (size_t i = 0; i < g->nr; i++) {
		checks++;
		if (g->group[i].direct > g->group[i].objects)
			group_fault(j, ev, "a memory cgroup is charged for what is not there",
				    g->group[i].id, g->group[i].direct, g->group[i].objects);
		else if (g->group[i].direct < g->group[i].objects)
			group_fault(j, ev, "a live object was uncharged", g->group[i].id,
				    g->group[i].direct, g->group[i].objects);
	}
	return checks;
}
