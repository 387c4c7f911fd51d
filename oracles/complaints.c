// SPDX-License-Identifier: MIT
/*
 * complaints.c - what the allocator complains of (MEM-22): of each request that no memory could
 * grant, unless __GFP_NOWARN, and of nothing that is right.
 *
 * Which complaint it is, the kernel words as it likes; that there is one is what its users see. The
 * result of an operation excuses complaints in it, or asks for one; what is left at its end had no
 * cause (complaints.h). Relies on judge.h and requests.h; listed in listing.h.
 */
#include "complaints.h"
#include "judge.h"
#include "listing.h"
#include "report.h"
#include "requests.h"
#include "rules.h"

#include <stdio.h>

/* What alloc_pages_exact() takes off, whatever else is asked (mm/page_alloc.c). */
#define EXACT_REFUSES (SF_GFP_COMP | SF_GFP_HIGHMEM)

/*
 * Refused at once, before anything is tried: an order that does not exist
 * (mm/page_alloc.c:__alloc_frozen_pages_noprof), more pages than there are
 * (mm/vmalloc.c:__vmalloc_node_range_noprof), more than INT_MAX (mm/slub.c:kvmalloc).
 */
static bool beyond_all(const struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;

	if (a->overflow || a->status != SF_NULL || a->api == SF_API_NOLOCK ||
	    a->api == SF_API_PMALLOC || !sf_impossible(&j->sh, a))
		return false;
	/* To grow what is from vmalloc() asks for pages alone. */
	return a->api != SF_API_KVMALLOC || ev->type == SF_EV_ALLOC ||
	       (j->sh.direct.pages && a->size / SF_PAGE_SIZE > j->sh.direct.pages);
}

static const char *owed(const struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;

	if (a->status != SF_BLOCKED && a->api == SF_API_EXACT && (a->gfp & EXACT_REFUSES))
		return "alloc_pages_exact() took a flag off without a word";
	/* Of a count that its counter cannot hold, no memory need be asked (MEM-14). */
	if (!(a->gfp & SF_GFP_NOWARN) && !a->counter_size && beyond_all(j, ev))
		return "a request beyond all memory was refused without a word";
	return NULL;
}

/* Complained of in the slow path, whatever else is asked. */
static bool waits_in_vain(uint32_t gfp)
{
	return (gfp & SF_GFP_NOFAIL) && !(gfp & SF_GFP_DIRECT_RECLAIM);
}

/*
 * May there be one? Of __GFP_NOFAIL from those who cannot wait only the slow path complains; of
 * addresses that run out, only an allocator that has a window of them.
 */
static bool excused(const struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;

	if (a->api == SF_API_PMALLOC || j->sh.set.slab_virtual || j->op.from_sheaf)
		return true;
	if (waits_in_vain(a->gfp))
		return true;
	if (a->api == SF_API_EXACT && (a->gfp & EXACT_REFUSES))
		return true;
	if (a->status == SF_OK || (a->gfp & SF_GFP_NOWARN))
		return false;
	return a->overflow || beyond_all(j, ev) || a->api == SF_API_KVMALLOC;
}

/* ALLOC, REALLOC */
unsigned int sf_mem_22_alloc(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	const char *fault = owed(j, ev);

	if (a->api == SF_API_FOREIGN)
		return 0;
	j->op.excused |= excused(j, ev);
	if (!fault || j->op.warned)
		return fault != NULL;
	sf_title(j, SF_INV_MEM_22, "%s", fault);
	sf_report(j, ev, a->res, SF_NONE, "%llu bytes, gfp %#x", (unsigned long long)a->size,
		  a->gfp);
	return 1;
}

/* What no other result excuses. */
void sf_excuse_free(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_free *f = &ev->free;

	j->op.excused |= f->status == SF_NOTICED || (f->id == SF_NONE && SF_IS_ERR(f->addr));
}

void sf_excuse_bulk(struct sf_judge *j, const struct sf_event *ev)
{
	j->op.excused |= waits_in_vain(ev->pagesbulk.gfp);
}

/* A window for users beyond the object, or objects left. */
void sf_excuse_cache(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_cacheop *c = &ev->cacheop;

	j->op.excused |= c->status != SF_OK || c->usersize > c->size;
}

/* Pools are another's rules (PMA); of sheaves and of misuse it may say what it likes. */
void sf_excuse_any(struct sf_judge *j, const struct sf_event *ev)
{
	(void)ev;
	j->op.excused = true;
}

/* WARN: judged once the operation's result is known. */
unsigned int sf_mem_22_warn(struct sf_judge *j, const struct sf_event *ev)
{
	snprintf(j->complaint, sizeof(j->complaint), "%s", ev->warn.what ? ev->warn.what : "?");
	return 1;
}

void sf_complaint_settle(struct sf_judge *j, const struct sf_event *ev)
{
	if (!j->op.excused && sf_judges(j, SF_INV_MEM_22)) {
		sf_title(j, SF_INV_MEM_22, "a complaint without a cause: %s", j->complaint);
		sf_report(j, ev, SF_NONE, SF_NONE, "nothing in operation %u is wrong", j->op.nr);
	}
	j->op.excused = true;
}
