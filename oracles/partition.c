// SPDX-License-Identifier: MIT
/*
 * partition.c - which kmalloc cache is due (ISO): size, flags, call site or token, and bucket
 * against the cache that an object lies in; tokens against types; halves and sites against each
 * other.
 *
 * The hash of call sites is in rules.h, that of types here: both written a second time, from their
 * definitions. Relies on judge.h; listed in listing.h.
 */
#include "partition.h"

#include <stdio.h>
#include <string.h>

#include "caches.h"
#include "consistency.h"
#include "designs.h"
#include "judge.h"
#include "listing.h"
#include "objects.h"
#include "report.h"
#include "requests.h"
#include "rules.h"
#include "shadow_mem.h"

#define ULL(x) ((unsigned long long)(x))
#define TOKENS 16u
#define HALF 8u

/* Partition of ordinary kmalloc. With nokmem, accounted memory is partition 0's whoever asks. */
static uint8_t due_partition(const struct sf_shadow *sh, const struct sf_ev_alloc *a)
{
	if (!sf_is_ordinary(&sh->set, a->gfp))
		return 0;
	return sf_design_partition(sh->design, sh->partition_seed, a);
}

static sf_selector due_selector(const struct sf_shadow *sh, const struct sf_ev_alloc *a)
{
	uint32_t slot = sf_due_slot(sh, a), class;
	enum sf_cache_kind kind = sf_kind_of(&sh->set, a->gfp);

	if (slot) /* neither flags nor tokens nor buckets have a say */
		return sf_selector_of(SF_CACHE_KMALLOC_LARGE, 0, slot << SF_PAGE_SHIFT, SF_NONE);
	class = sf_type_class(&sh->set, a->size, a->type_align);
	if (sf_of_bucket(a))
		return sf_selector_of(SF_CACHE_BUCKET, 0, class, a->bucket);
	return sf_selector_of(kind, kind == SF_CACHE_KMALLOC ? due_partition(sh, a) : 0, class,
			      SF_NONE);
}

/* The same in the next class: kmalloc_nolock() tries that, once. */
static sf_selector next_class(sf_selector due)
{
	uint32_t class = due >> 32 & 0xffff;

	return (due & ~(0xffffull << 32)) | (uint64_t)sf_class_of(class + 1) << 32;
}

/* Name of the cache that is due instead of c, as the kernel spells it. */
static void due_name(char *to, size_t size, sf_selector due, const struct sf_shadow_cache *c)
{
	static const char *const prefix[SF_CACHE_KINDS] = {
		[SF_CACHE_KMALLOC] = "kmalloc", [SF_CACHE_KMALLOC_RCL] = "kmalloc-rcl",
		[SF_CACHE_KMALLOC_DMA] = "dma-kmalloc", [SF_CACHE_KMALLOC_CG] = "kmalloc-cg",
	};
	uint32_t class = due >> 32 & 0xffff, kind = due >> 56, partition = due >> 48 & 0xff;
	bool kilo = class >= 1024;
	char part[16] = "";

	if (kind == SF_CACHE_KMALLOC_LARGE) {
		snprintf(to, size, "kmalloc-large-%uk", class << SF_PAGE_SHIFT >> 10);
		return;
	}
	if (kind == SF_CACHE_BUCKET) {
		snprintf(to, size, "%s bucket cache",
			 c && c->kind == SF_CACHE_BUCKET ? "another" : "a");
		return;
	}
	if (partition)
		snprintf(part, sizeof(part), "-part-%02u", partition);
	snprintf(to, size, "%s%s-%u%s", prefix[kind], part, kilo ? class / 1024 : class,
		 kilo ? "k" : "");
}

unsigned int sf_judge_selection(struct sf_judge *j, const struct sf_event *ev,
				enum sf_invariant inv)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	const struct sf_shadow_cache *c = sf_shadow_cache_at(&j->sh, a->place.cache);
	sf_selector due;
	char name[SF_CACHE_NAME];

	if (a->size > SF_KMALLOC_CACHE_MAX && !sf_due_slot(&j->sh, a)) /* no cache is due: ISO-17 */
		return 0;
	due = due_selector(&j->sh, a);
	if (c && (c->is == due || (a->api == SF_API_NOLOCK && c->is == next_class(due))))
		return 1;
	due_name(name, sizeof(name), due, c);
	sf_title(j, inv, "%s where %s was due", sf_name_of_cache(&j->sh, a->place.cache), name);
	sf_report(j, ev, a->res, SF_NONE, "%llu bytes, gfp %#x, token %u, site %u, at %#llx",
		  ULL(a->size), a->gfp, a->token, a->site, ULL(a->addr));
	return 1;
}

/* What no row says is due to a fresh kmalloc is not demanded. */
static unsigned int skip_own(struct sf_judge *j, const struct sf_event *ev, enum sf_invariant inv)
{
	if (sf_fresh(ev) && ev->alloc.size && sf_is_kmalloc(ev->alloc.api))
		sf_skip(j, inv, SF_NO_DESIGN);
	return 0;
}

unsigned int sf_iso_1(struct sf_judge *j, const struct sf_event *ev)
{
	if (!j->sh.design)
		return sf_judge_consistency(j, ev);
	if (!sf_in_kmalloc_slab(&ev->alloc) ||
	    (ev->type == SF_EV_REALLOC && ev->alloc.old_id != SF_NONE))
		return 0;
	return sf_judge_selection(j, ev, SF_INV_ISO_1);
}

/* After the shadow. The intruder is the one whose half it is not. */
unsigned int sf_iso_6(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	const struct sf_shadow_obj *o = sf_shadow_find(&j->sh, a->id);
	const struct sf_shadow_cache *c;

	if (!sf_fresh(ev) || !o || !(o->flags & (SF_OBJ_DATA | SF_OBJ_POINTER)))
		return 0;
	c = sf_shadow_cache_at(&j->sh, o->cache);
	if (!c || !c->half[0] || !c->half[1])
		return c != NULL;
	sf_title(j, SF_INV_ISO_6, "%s holds a %s object", sf_name_of_cache(&j->sh, o->cache),
		 sf_design_pointers(j->sh.design, c->partition) ? "pointer-free"
								: "pointer-bearing");
	sf_report(j, ev, a->res, SF_NONE, "type %u, token %u; it has %u without pointers, %u with",
		  a->type, a->token, c->half[0], c->half[1]);
	return 1;
}

#define ROTATE(x, by) ((x) << (by) | (x) >> (64 - (by)))

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = ROTATE(v[1], 13) ^ v[0];
	v[3] = ROTATE(v[3], 16) ^ v[2];
	v[0] = ROTATE(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = ROTATE(v[1], 17) ^ v[2];
	v[3] = ROTATE(v[3], 21) ^ v[0];
	v[2] = ROTATE(v[2], 32);
}

/* SipHash-2-4 under the key of llvm/lib/Support/SipHash.cpp:getStableSipHash. */
static uint64_t type_hash(const char *name)
{
	const uint64_t k0 = 0x794a1079ebc9d4b5ull, k1 = 0xd48187421b8bec6full;
	uint64_t v[4] = { k0 ^ 0x736f6d6570736575ull, k1 ^ 0x646f72616e646f6dull,
			  k0 ^ 0x6c7967656e657261ull, k1 ^ 0x7465646279746573ull };
	size_t len = strlen(name);

	for (size_t at = 0; at <= len; at += 8) {
		uint64_t word = 0;

		for (size_t i = 0; i < 8 && at + i < len; i++)
			word |= (uint64_t)(unsigned char)name[at + i] << (8 * i);
		if (len - at < 8)
			word |= (uint64_t)len << 56;
		v[3] ^= word;
		sip_round(v);
		sip_round(v);
		v[0] ^= word;
	}
	v[2] ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static const char *token_fault(uint32_t token, bool pointer)
{
	if (token >= TOKENS)
		return "a token is 16 or more";
	if ((token >= HALF) != pointer)
		return pointer ? "a type with pointers has a token of the pointer-free half"
			       : "a type without pointers has a token of the pointer-bearing half";
	return NULL;
}

/* CTYPE. */
unsigned int sf_iso_7_type(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_ctype *t = &ev->ctype;
	const char *fault = token_fault(t->token, t->pointer);

	if (!fault && t->canonical && type_hash(t->canonical) % HALF != t->token % HALF)
		fault = "a token is not the hash of its type";
	if (!fault)
		return 1;
	sf_title(j, SF_INV_ISO_7, "%s", fault);
	sf_report(j, ev, SF_NONE, SF_NONE, "%s has token %u", t->canonical ? t->canonical : "?",
		  t->token);
	return 1;
}

unsigned int sf_iso_7(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	const struct sf_shadow_type *t = sf_shadow_type_at(&j->sh, a->type);
	const char *fault = NULL;

	if (!sf_is_kmalloc(a->api))
		return 0;
	if (a->token >= TOKENS)
		fault = "a token is 16 or more";
	else if (a->forced)
		return 1;
	else if (!a->type && a->token)
		fault = "an allocation without a type has a token";
	else if (t && a->token != t->token)
		fault = token_fault(a->token, t->pointer);
	if (!fault && t && !a->forced && a->token != t->token)
		fault = "a token is not its type's";
	if (!fault)
		return 1;
	sf_title(j, SF_INV_ISO_7, "%s", fault);
	sf_report(j, ev, a->res, SF_NONE, "type %u, token %u", a->type, a->token);
	return 1;
}

/*
 * Where a site's ordinary memory lies is remembered as long as the heap lives. Sites of close
 * addresses may well share partitions: nothing is said about two of them.
 */
unsigned int sf_iso_8(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	const struct sf_shadow_cache *c;
	struct sf_shadow *sh = &j->sh;
	uint8_t now;

	if (!sf_in_kmalloc_slab(a) || !sf_fresh(ev) || sf_of_bucket(a) ||
	    !sf_is_ordinary(&sh->set, a->gfp))
		return 0;
	c = sf_shadow_cache_at(sh, a->place.cache);
	if (!c || c->kind != SF_CACHE_KMALLOC) /* ISO-1 */
		return 0;
	if (a->site >= SF_SITES) {
		sf_skip(j, SF_INV_ISO_8, "a call site's number is above 65535");
		return 0;
	}
	if (!sh->site)
		sh->site = sf_shadow_zalloc(SF_SITES, 1, &sh->bytes);
	now = (uint8_t)(1 + c->partition);
	if (!sh->site[a->site]) {
		sh->site[a->site] = now;
		sh->site_seen = true;
	}
	if (sh->site[a->site] == now)
		return 1;
	sf_title(j, SF_INV_ISO_8, "a call site changed its partition");
	sf_report(j, ev, a->res, SF_NONE, "site %u: partition %u, then %u", a->site,
		  sh->site[a->site] - 1u, c->partition);
	return 1;
}

unsigned int sf_iso_12(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	const struct sf_shadow_cache *c;
	bool asked = sf_of_bucket(a) && a->size <= SF_KMALLOC_CACHE_MAX, in;

	if (a->place.kind != SF_PLACE_SLAB || !sf_fresh(ev) || !a->size)
		return 0;
	c = sf_shadow_cache_at(&j->sh, a->place.cache);
	in = c && c->kind == SF_CACHE_BUCKET;
	if (in ? asked && c->bucket == a->bucket : !asked)
		return asked || in;
	if (asked)
		sf_title(j, SF_INV_ISO_12, "an object that was asked of a bucket lies in %s",
			 in ? "another one" : sf_name_of_cache(&j->sh, a->place.cache));
	else
		sf_title(j, SF_INV_ISO_12, "a bucket holds what was not asked of it");
	sf_report(j, ev, a->res, SF_NONE, "%llu bytes, bucket %d, in bucket %d", ULL(a->size),
		  (int)a->bucket, in ? (int)c->bucket : -1);
	return 1;
}

unsigned int sf_iso_13(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	const struct sf_shadow_cache *c;
	bool asked, in;

	if (!j->sh.design)
		return skip_own(j, ev, SF_INV_ISO_13);
	if (!sf_in_kmalloc_slab(a) || !sf_fresh(ev))
		return 0;
	c = sf_shadow_cache_at(&j->sh, a->place.cache);
	if (sf_due_slot(&j->sh, a) && c && c->kind == SF_CACHE_KMALLOC_LARGE)
		return 0;
	in = c && c->kind == SF_CACHE_KMALLOC_RCL;
	asked = (a->gfp & SF_GFP_RECLAIMABLE) && !sf_of_bucket(a) &&
		sf_kind_of(&j->sh.set, a->gfp) == SF_CACHE_KMALLOC_RCL;
	if (asked == in)
		return asked;
	if (asked)
		sf_title(j, SF_INV_ISO_13, "a reclaimable object lies in %s",
			 sf_name_of_cache(&j->sh, a->place.cache));
	else
		sf_title(j, SF_INV_ISO_13, "%s holds what is not reclaimable",
			 sf_name_of_cache(&j->sh, a->place.cache));
	sf_report(j, ev, a->res, SF_NONE, "%llu bytes, gfp %#x", ULL(a->size), a->gfp);
	return 1;
}

unsigned int sf_iso_17(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	const struct sf_shadow_cache *c;

	if (!j->sh.design)
		return skip_own(j, ev, SF_INV_ISO_17);
	if (a->size <= SF_KMALLOC_CACHE_MAX || !sf_is_kmalloc(a->api) || !sf_fresh(ev))
		return 0;
	if (a->place.kind != SF_PLACE_SLAB)
		return 1;
	c = sf_shadow_cache_at(&j->sh, a->place.cache);
	if ((j->sh.caps & SF_CAP_LARGE) && c && c->kind == SF_CACHE_KMALLOC_LARGE)
		return 1; /* the right one: BIG-4, ISO-1 */
	sf_title(j, SF_INV_ISO_17, "%s holds a request above 8 KiB",
		 sf_name_of_cache(&j->sh, a->place.cache));
	sf_report(j, ev, a->res, SF_NONE, "%llu bytes", ULL(a->size));
	return 1;
}
