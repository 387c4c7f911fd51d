// SPDX-License-Identifier: MIT
/*
 * malloc_rules.c - what ISO C, POSIX and the manuals promise of malloc() and its family (MAL), of
 * each call by itself. What only some libraries promise is judged where a trait says so, and
 * skipped, with the trait as the reason, where none does.
 *
 * Heaps, statistics and what is noticed are in heap_rules.c and noticed_rules.c. Relies on
 * malloc_state.h; listed in listing.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "listing.h"
#include "malloc_state.h"
#include "objects.h"
#include "report.h"
#include "requests.h"
#include "shadow_mem.h"

#define ULL(x) ((unsigned long long)(x))
#define POINTER_SIZE 8u       /* sizeof(void *) of what is judged */
#define ALIGN_LIMIT (1u << 30) /* beyond it an implementation may well say EINVAL */

struct sf_malloc_state *sf_malloc_state(struct sf_judge *j)
{
	if (!j->user)
		j->user = sf_shadow_zalloc(1, sizeof(*j->user), &j->sh.bytes);
	return j->user;
}

void sf_malloc_state_free(struct sf_judge *j)
{
	free(j->user);
	j->user = NULL;
}

/* BEGIN: of the last program nothing is left. */
void sf_malloc_begin(struct sf_judge *j, const struct sf_event *ev)
{
	(void)ev;
	if (j->user)
		memset(j->user, 0, sizeof(*j->user));
}

const char *sf_call_name(uint8_t call)
{
	static const char *const name[SF_CALLS] = {
		[SF_CALL_NONE] = "kmalloc",
		[SF_CALL_MALLOC] = "malloc",
		[SF_CALL_CALLOC] = "calloc",
		[SF_CALL_REALLOC] = "realloc",
		[SF_CALL_REALLOCARRAY] = "reallocarray",
		[SF_CALL_ALIGNED_ALLOC] = "aligned_alloc",
		[SF_CALL_POSIX_MEMALIGN] = "posix_memalign",
		[SF_CALL_MEMALIGN] = "memalign",
		[SF_CALL_FREE] = "free",
		[SF_CALL_FREE_SIZED] = "free_sized",
		[SF_CALL_FREE_ALIGNED] = "free_aligned_sized",
	};

	return call < SF_CALLS ? name[call] : "an unknown function";
}

#define CALL(a) sf_call_name((a)->call)

/* --- MAL-1 --- */

static uint64_t power_below(uint64_t n)
{
	return 1ull << (63 - __builtin_clzll(n));
}

/* Of any type that fits: no type is aligned to more than its size. */
static uint64_t type_align(const struct sf_judge *j, const struct sf_ev_alloc *a)
{
	const struct sf_traits *t = &j->sh.traits;
	uint64_t least = power_below(t->align ? t->align : 1);

	if (a->size >= least || t->align_small)
		return least;
	return a->size ? power_below(a->size) : 1;
}

/* Kernel words on a malloc library get what its own do. */
unsigned int sf_mal_1(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	uint64_t fits, asked = 1;

	if (!sf_got(a) ||
	    !(sf_is_user(a) || (sf_is_kmalloc(a->api) && !(j->sh.caps & SF_CAP_KMALLOC))))
		return 0;
	fits = type_align(j, a);
	if (sf_is_user(a) && sf_names_align(a) && sf_is_power(a->align))
		asked = a->align;
	if (!(a->addr & (fits - 1)) && !(a->addr & (asked - 1)))
		return 1;
	if (a->addr & (asked - 1))
		sf_title(j, SF_INV_MAL_1, "an object of %s is not aligned as asked", CALL(a));
	else
		sf_title(j, SF_INV_MAL_1, "an object of %s is not aligned for all that fits",
			 CALL(a));
	sf_report(j, ev, a->res, SF_NONE, "%llu bytes at %#llx, due: a multiple of %llu",
		  ULL(a->size), ULL(a->addr), ULL(a->addr & (asked - 1) ? asked : fits));
	return 1;
}

/* --- MAL-2 --- */

unsigned int sf_mal_2_alloc(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;

	if (sf_is_user(a) && a->old_id != SF_NONE && a->status == SF_NULL)
		sf_malloc_state(j)->resize_failed = true;
	if (!sf_is_user(a) || !sf_got(a) || !a->usable)
		return 0;
	if (a->usable >= a->size)
		return 1;
	sf_title(j, SF_INV_MAL_2, "the usable size of an object of %s is less than was asked",
		 CALL(a));
	sf_report(j, ev, a->res, SF_NONE, "%llu of %llu bytes", ULL(a->usable), ULL(a->size));
	return 1;
}

unsigned int sf_mal_2_ksize(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_ksize *k = &ev->ksize;
	const struct sf_shadow_obj *o = sf_shadow_alive(&j->sh, k->id);

	if (!k->addr && k->id == SF_NONE) {
		if (!k->value)
			return 1;
		sf_title(j, SF_INV_MAL_2, "the usable size of NULL is not 0");
		sf_report(j, ev, SF_NONE, SF_NONE, "it is %llu", ULL(k->value));
		return 1;
	}
	if (!o || o->api != SF_API_FOREIGN)
		return 0;
	if (o->usable ? k->value == o->usable : k->value >= o->size)
		return 1;
	/* It may have taken its neighbour in, and found that this is not enough. */
	if (k->value > o->usable && sf_malloc_state(j)->resize_failed)
		return 1;
	sf_title(j, SF_INV_MAL_2, "the usable size of an object changed");
	sf_report(j, ev, o->res, SF_NONE, "%llu now, %llu before, %llu asked", ULL(k->value),
		  ULL(o->usable), ULL(o->size));
	return 1;
}

/* What was written behind the bytes that were asked for, up to the usable size. */
static unsigned int usable_kept(struct sf_judge *j, const struct sf_event *ev, uint32_t id,
				uint64_t bad, uint64_t verified)
{
	struct sf_shadow_obj *o = sf_shadow_alive(&j->sh, id);

	if (!o || o->api != SF_API_FOREIGN || verified <= o->size)
		return 0;
	if (bad == SF_GOOD || bad < o->size || (o->flags & SF_OBJ_REPORTED)) /* MEM-5 */
		return 1;
	o->flags |= SF_OBJ_REPORTED;
	sf_title(j, SF_INV_MAL_2, "usable bytes behind what was asked for changed");
	sf_report(j, ev, o->res, SF_NONE, "byte %llu; %llu asked, %llu usable, at %#llx",
		  ULL(bad), ULL(o->size), ULL(o->usable), ULL(o->addr));
	return 1;
}

unsigned int sf_mal_2_content(struct sf_judge *j, const struct sf_event *ev)
{
	return usable_kept(j, ev, ev->content.id, ev->content.bad, ev->content.verified);
}

unsigned int sf_mal_2_free(struct sf_judge *j, const struct sf_event *ev)
{
	return usable_kept(j, ev, ev->free.id, ev->free.bad, ev->free.verified);
}

/* --- MAL-3 --- */

/* An earlier answer that this one contradicts. */
static const struct sf_ev_goodsize *contradicted(const struct sf_malloc_state *m,
						 const struct sf_ev_goodsize *g)
{
	for (uint32_t i = 0; i < m->nr_good && i < SF_GOODS; i++) {
		const struct sf_ev_goodsize *old = &m->good[i];

		if ((old->size <= g->size && old->value > g->value) ||
		    (old->size >= g->size && old->value < g->value))
			return old;
	}
	return NULL;
}

unsigned int sf_mal_3(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_goodsize *g = &ev->goodsize, *old;
	struct sf_malloc_state *m = sf_malloc_state(j);

	if (g->size > INT64_MAX || (!g->value && g->size > SF_PAGE_SIZE)) {
		sf_skip(j, SF_INV_MAL_3, "no object is that large");
		return 0;
	}
	old = contradicted(m, g);
	m->good[m->nr_good++ % SF_GOODS] = *g;
	if (g->value >= g->size && !old)
		return 1;
	if (g->value < g->size)
		sf_title(j, SF_INV_MAL_3, "a good size is less than the request");
	else
		sf_title(j, SF_INV_MAL_3, "a larger request has a smaller good size");
	sf_report(j, ev, SF_NONE, SF_NONE, "%llu of %llu bytes; earlier %llu of %llu",
		  ULL(g->value), ULL(g->size), ULL(old ? old->value : 0),
		  ULL(old ? old->size : 0));
	return 1;
}

/* --- MAL-4 --- */

unsigned int sf_mal_4(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;

	if (!sf_is_user(a) || (!a->overflow && a->size <= INT64_MAX))
		return 0;
	if (!a->addr && a->status != SF_OK)
		return 1;
	if (a->overflow)
		sf_title(j, SF_INV_MAL_4, "%s allocated a product that overflows", CALL(a));
	else
		sf_title(j, SF_INV_MAL_4, "%s allocated more than PTRDIFF_MAX bytes", CALL(a));
	sf_report(j, ev, a->res, SF_NONE, "%llu * %llu gave %#llx", ULL(a->n), ULL(a->elem),
		  ULL(a->addr));
	return 1;
}

/* --- MAL-5 --- */

unsigned int sf_mal_5(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	uint64_t promised = j->sh.traits.zeroed;

	if (a->call != SF_CALL_CALLOC || !sf_got(a) || (!a->zeroed && a->dirty == SF_GOOD))
		return 0;
	if (promised == SF_ZEROED_NONE) {
		sf_skip(j, SF_INV_MAL_5, "not promised: zeroed");
		return 0;
	}
	if (a->dirty == SF_GOOD || (a->dirty >= a->size && promised != SF_ZEROED_USABLE))
		return 1;
	if (a->dirty < a->size)
		sf_title(j, SF_INV_MAL_5, "an object of calloc holds old data");
	else
		sf_title(j, SF_INV_MAL_5, "an object of calloc is not zero up to its usable size");
	sf_report(j, ev, a->res, SF_NONE, "byte %llu of %llu is not zero, %llu were asked",
		  ULL(a->dirty), ULL(a->zeroed), ULL(a->size));
	return 1;
}

/* --- MAL-6 --- */

unsigned int sf_mal_6(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	const struct sf_shadow_obj *old = sf_shadow_find(&j->sh, a->old_id);

	if (!sf_is_user(a) || a->old_id == SF_NONE || a->status == SF_FREED)
		return 0;
	if (a->bad == SF_GOOD)
		return 1;
	if (a->addr)
		sf_title(j, SF_INV_MAL_6, "%s lost contents", CALL(a));
	else
		sf_title(j, SF_INV_MAL_6, "a %s that failed changed its object", CALL(a));
	sf_report(j, ev, a->res, old ? old->res : SF_NONE,
		  "byte %llu of %llu kept, %llu to %llu bytes", ULL(a->bad), ULL(a->kept),
		  ULL(a->old_size), ULL(a->size));
	return 1;
}

/* --- MAL-7 --- */

/*
 * An object is promised: was there no memory for it? In a small block there may be none at all; and
 * what no reset clears may be used up by the programs before, which errno alone can tell.
 */
static bool exhausted(const struct sf_judge *j, const struct sf_ev_alloc *a)
{
	if (j->sh.traits.error)
		return (j->sh.live || a->heap) && a->error == ENOMEM;
	return j->sh.live || a->heap || j->sh.traits.history;
}

static const char *malloc_zero_fault(const struct sf_judge *j, const struct sf_ev_alloc *a)
{
	switch (j->sh.traits.malloc_zero) {
	case SF_MALLOC_ZERO_OBJECT:
		return a->addr || exhausted(j, a) ? NULL : "malloc(0) gave no object";
	case SF_MALLOC_ZERO_NULL:
		return a->addr ? "malloc(0) gave an object" : NULL;
	default:
		return NULL;
	}
}

static const char *realloc_zero_fault(const struct sf_judge *j, const struct sf_ev_alloc *a)
{
	switch (j->sh.traits.realloc_zero) {
	case SF_REALLOC_ZERO_FREED:
		return a->status == SF_FREED ? NULL : "realloc(p, 0) did not free";
	case SF_REALLOC_ZERO_OBJECT:
		return a->addr || (a->status == SF_NULL && exhausted(j, a)) ? NULL :
			       "realloc(p, 0) gave no object";
	case SF_REALLOC_ZERO_NULL:
		return a->status == SF_NULL ? NULL : "realloc(p, 0) did not leave its object";
	default:
		return NULL;
	}
}

/* Before the shadow. */
unsigned int sf_mal_7(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	bool resized = a->call == SF_CALL_REALLOC && a->old_id != SF_NONE;
	const char *fault;

	if (!sf_is_user(a) || a->size || !(a->call == SF_CALL_MALLOC || resized))
		return 0;
	if (!(resized ? j->sh.traits.realloc_zero : j->sh.traits.malloc_zero)) {
		sf_skip(j, SF_INV_MAL_7, resized ? "not promised: realloc_zero" :
						   "not promised: malloc_zero");
		return 0;
	}
	fault = resized ? realloc_zero_fault(j, a) : malloc_zero_fault(j, a);
	if (!fault)
		return 1;
	sf_title(j, SF_INV_MAL_7, "%s", fault);
	sf_report(j, ev, a->res, SF_NONE, "status %u, %#llx", a->status, ULL(a->addr));
	return 1;
}

/* After it: an object without bytes is one of its own all the same. */
unsigned int sf_mal_7_taken(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	struct sf_shadow_obj *o;

	if (!sf_is_user(a) || a->size || a->usable || !sf_got(a) || j->sh.claim == SF_CLAIM_NONE)
		return 0;
	if (j->sh.claim != SF_CLAIM_OVERLAP)
		return 1;
	o = sf_shadow_find(&j->sh, a->id);
	if (o)
		o->flags |= SF_OBJ_REPORTED;
	sf_title(j, SF_INV_MAL_7, "an object of 0 bytes is another one too");
	sf_report(j, ev, a->res, SF_NONE, "%#llx", ULL(a->addr));
	return 1;
}

/* --- MAL-8 --- */

static const char *posix_refused_fault(const struct sf_judge *j, const struct sf_ev_alloc *a,
				       bool good)
{
	uint64_t most = j->sh.traits.align_max ? j->sh.traits.align_max : ALIGN_LIMIT;

	if (a->touched)
		return "a posix_memalign that failed changed its argument";
	if (!a->size) /* any error number will do */
		return NULL;
	if (a->ret != EINVAL && a->ret != ENOMEM)
		return "posix_memalign failed with what is neither EINVAL nor ENOMEM";
	if (!good && a->ret != EINVAL)
		return "posix_memalign does not say EINVAL of a bad alignment";
	if (good && a->ret == EINVAL && a->align <= most)
		return "posix_memalign says EINVAL of a good alignment";
	return NULL;
}

unsigned int sf_mal_8(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	bool good = sf_is_power(a->align) && a->align % POINTER_SIZE == 0;
	const char *fault = NULL;

	if (!sf_is_user(a) || a->call != SF_CALL_POSIX_MEMALIGN)
		return 0;
	if (!good && !j->sh.traits.align_power) {
		sf_skip(j, SF_INV_MAL_8, "not promised: align_power");
		return 0;
	}
	if (a->ret)
		fault = posix_refused_fault(j, a, good);
	else if (!good && a->size)
		fault = "posix_memalign took a bad alignment";
	else if (!a->addr && a->size)
		fault = "posix_memalign returned 0 without an object";
	if (!fault)
		return 1;
	sf_title(j, SF_INV_MAL_8, "%s", fault);
	sf_report(j, ev, a->res, SF_NONE, "alignment %llu, %llu bytes: returned %d, %#llx",
		  ULL(a->align), ULL(a->size), a->ret, ULL(a->addr));
	return 1;
}

/* --- MAL-9 --- */

unsigned int sf_mal_9(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;

	if (!sf_is_user(a) || a->call != SF_CALL_ALIGNED_ALLOC || sf_is_power(a->align))
		return 0;
	if (!j->sh.traits.align_power) {
		sf_skip(j, SF_INV_MAL_9, "not promised: align_power");
		return 0;
	}
	if (!a->addr)
		return 1;
	sf_title(j, SF_INV_MAL_9, "aligned_alloc took an alignment that is no power of two");
	sf_report(j, ev, a->res, SF_NONE, "%llu: %#llx", ULL(a->align), ULL(a->addr));
	return 1;
}

/* --- MAL-10 --- */

static const char *errno_fault(const struct sf_judge *j, const struct sf_ev_alloc *a)
{
	bool aligned = sf_names_align(a);

	if (!j->sh.traits.error || a->status != SF_NULL || !a->size)
		return NULL;
	if (a->call == SF_CALL_POSIX_MEMALIGN || (aligned && !sf_is_power(a->align)))
		return NULL; /* MAL-8; nothing is said of the other */
	/* What else is there may be left of what it did before: that is the same fault. */
	if (a->error != ENOMEM && !(aligned && a->error == EINVAL))
		return "%s failed and did not set errno to ENOMEM";
	return NULL;
}

unsigned int sf_mal_10_alloc(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	const char *fault;

	if (!sf_is_user(a) || a->call == SF_CALL_NONE)
		return 0;
	fault = errno_fault(j, a);
	if (a->addr && a->addr < SF_PAGE_SIZE && j->sh.addresses)
		fault = "%s returned what is neither NULL nor an object's address";
	if (!fault)
		return 1;
	sf_title(j, SF_INV_MAL_10, fault, CALL(a));
	sf_report(j, ev, a->res, SF_NONE, "%llu bytes: %#llx, errno %d", ULL(a->size),
		  ULL(a->addr), a->error);
	return 1;
}

unsigned int sf_mal_10_free(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_free *f = &ev->free;
	const char *fault = NULL;

	if (f->how != SF_FREE_USER)
		return 0;
	if (f->id == SF_NONE && !f->addr && f->status != SF_OK)
		fault = "a free of NULL is no no-op";
	else if (j->sh.traits.free_error && f->status == SF_OK && f->error)
		fault = "a free changed errno";
	if (!fault)
		return 1;
	sf_title(j, SF_INV_MAL_10, "%s", fault);
	sf_report(j, ev, f->res, SF_NONE, "%s: status %u, errno %d", sf_call_name(f->call),
		  f->status, f->error);
	return 1;
}

/* --- MAL-16 --- */

/*
 * Before the shadow. What all memory is free for is not known of a stranger; but what it was enough
 * for once, with nothing alive, it must be enough for again.
 */
unsigned int sf_mal_16(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	struct sf_malloc_state *m;

	if (!sf_is_user(a) || a->heap || j->sh.live || j->sh.untracked || j->op.fault || !a->size ||
	    a->size > SF_PAGE_SIZE || (a->call != SF_CALL_MALLOC && a->call != SF_CALL_CALLOC))
		return 0;
	m = sf_malloc_state(j);
	if (a->status == SF_OK && a->addr) {
		m->refused = 0;
		if (a->size > m->fitted)
			m->fitted = a->size;
		return 1;
	}
	if (a->status != SF_NULL || a->overflow || a->size > m->fitted || ++m->refused < 2)
		return 1;
	sf_title(j, SF_INV_MAL_16, "what fitted an empty heap does not fit it any more");
	sf_report(j, ev, a->res, SF_NONE, "%llu bytes, twice; %llu fitted", ULL(a->size),
		  ULL(m->fitted));
	return 1;
}
