// SPDX-License-Identifier: MIT
/*
 * noticed_rules.c - misuse that an allocator of user space promises to notice, and crashes (MAL).
 *
 * What is noticed by chance is no rule's: its probability is measured (harness/measure). Relies on
 * malloc_state.h; listed in listing.h.
 */
#include "listing.h"
#include "malloc_state.h"
#include "objects.h"
#include "report.h"

#define ULL(x) ((unsigned long long)(x))

/* --- MAL-15 --- */

enum freed {
	FREED_ALIVE,   /* with the address of a live object */
	FREED_TWICE,
	FREED_WILD,    /* never handed out */
	FREED_UNKNOWN, /* one of the last two: who had it is forgotten, or another has its bytes */
};

/* Slow: an attack is rare. Ids are used again, so not all that ever was is known. */
static enum freed freed_what(const struct sf_shadow *sh, const struct sf_ev_attack *t)
{
	const struct sf_shadow_obj *o = sf_shadow_hit(sh, t->addr, 1, NULL);

	if (o && o->addr == t->addr)
		return FREED_ALIVE;
	for (size_t i = 0; i < sh->peak; i++)
		if ((sh->obj[i].flags & SF_OBJ_KNOWN) && sh->obj[i].addr == t->addr)
			return o ? FREED_UNKNOWN : FREED_TWICE;
	return o || t->res == SF_NONE ? FREED_WILD : FREED_UNKNOWN;
}

/* NULL: it is promised; else why nothing can be said. */
static const char *unpromised(uint64_t trait, const char *unsaid)
{
	if (trait == SF_NOTICE_ALWAYS)
		return NULL;
	return trait == SF_NOTICE_CHANCE ? "noticed by chance: measured, not judged" : unsaid;
}

/* Only the first misuse of a run: later on it is not known what is where. */
unsigned int sf_mal_15_attack(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_attack *t = &ev->attack;
	const struct sf_traits *promised = &j->sh.traits;
	enum freed what;
	const char *why = NULL;

	if (t->size || !t->addr || j->misuse.attacks)
		return 0;
	what = freed_what(&j->sh, t);
	if (what == FREED_ALIVE) /* in another heap, or with another size */
		return 0;
	if (what != FREED_WILD)
		why = unpromised(promised->double_free, "not promised: double_free");
	if (!why && what != FREED_TWICE)
		why = unpromised(promised->wild_free, "not promised: wild_free");
	if (why) {
		sf_skip(j, SF_INV_MAL_15, why);
		return 0;
	}
	if (t->noticed)
		return 1;
	if (what == FREED_WILD)
		sf_title(j, SF_INV_MAL_15, "a free of what was never handed out went unnoticed");
	else
		sf_title(j, SF_INV_MAL_15, "a double free went unnoticed");
	sf_report(j, ev, t->res, SF_NONE, "%#llx", ULL(t->addr));
	return 1;
}

/* FREE, before the shadow. */
unsigned int sf_mal_15_free(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_free *f = &ev->free;
	const struct sf_shadow_obj *o = sf_shadow_alive(&j->sh, f->id);

	if (!o || o->api != SF_API_FOREIGN || j->misuse.attacks ||
	    (f->call != SF_CALL_FREE_SIZED && f->call != SF_CALL_FREE_ALIGNED))
		return 0;
	if (f->size == o->size)
		return 0;
	if (!j->sh.traits.sized_free) {
		sf_skip(j, SF_INV_MAL_15, "not promised: sized_free");
		return 0;
	}
	if (f->status == SF_NOTICED)
		return 1;
	sf_title(j, SF_INV_MAL_15, "a sized free with a wrong size went unnoticed");
	sf_report(j, ev, o->res, SF_NONE, "%llu bytes, of %llu", ULL(f->size), ULL(o->size));
	return 1;
}

/* --- MAL-17 --- */

unsigned int sf_mal_17(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_crash *c = &ev->crash;

	if (c->refusal)
		return 1;
	sf_title(j, SF_INV_MAL_17, "%s", c->title ? c->title : "the allocator's process ended");
	sf_report(j, ev, SF_NONE, SF_NONE, "in operation code %u", c->code);
	return 1;
}
