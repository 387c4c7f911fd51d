// SPDX-License-Identifier: MIT
/*
 * sheaf_rules.c - prefilled sheaves (MEM-21): what is set aside is there, is taken one by one
 * without any effort, and nothing is left in a caller's name when he has let go of it.
 *
 * Relies on judge.h; where the objects of a sheaf are, snapshots say (MEM-7, ACC-2). Keeps how many
 * objects are in each sheaf, by the allocator's number. Listed in listing.h.
 */
#include "sheaf_rules.h"

#include <stdlib.h>

#include "caches.h"
#include "judge.h"
#include "listing.h"
#include "objects.h"
#include "report.h"
#include "rules.h"
#include "shadow_mem.h"
#include "snap.h"
#include "zone.h"

#define ULL(x) ((unsigned long long)(x))

#define SHEAVES_MAX (1u << 20) /* a program has fewer: numbers from there on are none */

struct sf_sheaves {
	uint32_t *size;  /* by the allocator's number: objects, plus 1; 0: no caller has it */
	size_t cap;
	uint64_t objects;/* in all of them */
};

void sf_sheaves_free(struct sf_judge *j)
{
	if (!j->sheaves)
		return;
	free(j->sheaves->size);
	free(j->sheaves);
	j->sheaves = NULL;
}

void sf_sheaves_begin(struct sf_judge *j, const struct sf_event *ev)
{
	(void)ev;
	if (!j->sheaves)
		return;
	j->sheaves->objects = 0;
	for (size_t i = 0; i < j->sheaves->cap; i++)
		j->sheaves->size[i] = 0;
}

static uint32_t *size_of(struct sf_judge *j, uint32_t sheaf)
{
	if (!j->sheaves)
		j->sheaves = sf_shadow_zalloc(1, sizeof(*j->sheaves), &j->sh.bytes);
	if (sheaf >= j->sheaves->cap)
		j->sheaves->size = sf_shadow_grow(j->sheaves->size, &j->sheaves->cap,
						  (size_t)sheaf + 1, sizeof(*j->sheaves->size),
						  &j->sh.bytes);
	return &j->sheaves->size[sheaf];
}

static void set_size(struct sf_judge *j, uint32_t sheaf, uint32_t objects, bool held)
{
	uint32_t *size;

	if (sheaf >= SHEAVES_MAX)
		return;
	size = size_of(j, sheaf);
	j->sheaves->objects -= *size ? *size - 1 : 0;
	*size = held ? objects + 1 : 0;
	j->sheaves->objects += held ? objects : 0;
}

/* SHEAF, once it is judged. A refill may have put another one in its place. */
void sf_on_sheaf(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_sheaf *e = &ev->sheaf;
	struct sf_shadow_cache *c = sf_shadow_cache_at(&j->sh, e->cache);

	if (e->act == SF_SHEAF_TAKE)
		j->op.from_sheaf = true;
	if (c) {
		c->shrunk = false;
		c->prefilled = true;
	}
	j->op.slab_frees = 0; /* those that went were its own; a destroy may follow */
	if (e->was && e->was != e->sheaf)
		set_size(j, e->was, 0, false);
	if (e->sheaf)
		set_size(j, e->sheaf, e->after, e->act != SF_SHEAF_RETURN);
}

static const char *take_fault(const struct sf_judge *j, const struct sf_ev_sheaf *e)
{
	if (e->status != SF_OK)
		return e->before ? "an allocation from a sheaf of %s failed that had objects" :
				   NULL;
	if (!e->before)
		return "an allocation from a sheaf of %s that was empty";
	if (e->after != e->before - 1)
		return "an allocation took more or less than one object of a sheaf of %s";
	return sf_made_effort(j) ? "an allocation from a sheaf of %s made an effort" : NULL;
}

/* Of what could not be filled: was there a reason? */
static const char *refusal_fault(const struct sf_judge *j, const struct sf_ev_sheaf *e)
{
	if (e->status == SF_BLOCKED)
		return sf_never_fails(e->gfp) ? NULL :
						"filling a sheaf of %s blocked that may fail";
	if (sf_never_fails(e->gfp))
		return "a sheaf of %s was not filled under __GFP_NOFAIL";
	if (j->sh.zone.on && !j->op.fault && !j->op.page_fail && !j->op.warned)
		return "a sheaf of %s was not filled, without a reason";
	return NULL;
}

static const char *fill_fault(const struct sf_judge *j, const struct sf_ev_sheaf *e)
{
	if (e->after < e->before)
		return "a refill took objects out of a sheaf of %s";
	if (e->status != SF_OK)
		return refusal_fault(j, e);
	return e->after < e->asked ? "a sheaf of %s was filled with fewer objects than were asked" :
				     NULL;
}

unsigned int sf_mem_21(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_sheaf *e = &ev->sheaf;
	uint32_t held = e->was && e->was < SHEAVES_MAX ? *size_of(j, e->was) : 0;
	const char *fault = NULL;

	if (held && held - 1 != e->before)
		fault = "a sheaf of %s has not what its caller left in it";
	else if (e->act == SF_SHEAF_TAKE)
		fault = take_fault(j, e);
	else if (e->act != SF_SHEAF_RETURN)
		fault = fill_fault(j, e);
	if (!fault)
		return 1;
	sf_title(j, SF_INV_MEM_21, fault, sf_name_of_cache(&j->sh, e->cache));
	sf_report(j, ev, e->res, SF_NONE, "%u asked, %u before, %u after, status %u, gfp %#x",
		  e->asked, e->before, e->after, e->status, e->gfp);
	return 1;
}

/* SNAP_END: callers have what is in their sheaves, and nobody else has such. */
unsigned int sf_mem_21_walk(struct sf_judge *j, const struct sf_event *ev)
{
	uint64_t walked = 0, held = j->sheaves ? j->sheaves->objects : 0;

	for (size_t i = 0; i < j->snap.nr_sheaves; i++)
		if (j->snap.sheaves[i].ev.kind == SF_SHEAF_PREFILLED)
			walked += j->snap.sheaves[i].ev.nr;
	if (walked == held)
		return held != 0;
	sf_title(j, SF_INV_MEM_21, "prefilled sheaves hold more or less than their callers have");
	sf_report(j, ev, SF_NONE, SF_NONE, "%llu objects, callers have %llu", ULL(walked),
		  ULL(held));
	return 1;
}
