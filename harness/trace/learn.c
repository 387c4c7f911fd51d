// SPDX-License-Identifier: MIT
/*
 * learn.c - what kind of kernel was recorded: its least kmalloc size and alignment, debugging that
 * makes objects larger, the size of its pages.
 *
 * A recording is judged by the rules of a plain kernel, and no other kernel is to be accused by
 * them. So it is asked first which rules explain all of it: those of a plain kernel, of one with
 * another least size, of one that debugs. A size that none of these explains is a mistake if plain
 * rules explain most of the recording, and a kernel unknown here if they do not. Relies on pair.c;
 * scan.c relies on it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "private.h"

#define OVERHEAD_MAX 1024u /* what debugging adds to an object, besides twice its alignment */

/* Which sizes kmalloc has: from `least` on, and whether those between powers of two. */
struct classes {
	uint32_t least;
	bool has_96, has_192;
};

static uint32_t class_of(const struct classes *k, uint32_t bytes)
{
	uint32_t class = k->least;

	if (bytes > 64 && bytes <= 96 && k->has_96)
		return 96;
	if (bytes > 128 && bytes <= 192 && k->has_192)
		return 192;
	while (class < bytes)
		class *= 2;
	return class;
}

static bool is_class(uint32_t bytes)
{
	return bytes == 96 || bytes == 192 || (bytes >= 8 && !(bytes & (bytes - 1)));
}

static uint32_t align_of(uint32_t bytes)
{
	return bytes & -bytes;
}

/* Of a kmalloc cache: all its requests go to it. */
static bool fits(const struct classes *k, const struct sf_tr_cache *c)
{
	return class_of(k, c->req_min) == c->bytes_alloc &&
	       class_of(k, c->bytes_req) == c->bytes_alloc;
}

static const struct classes plain = { 8, true, true };

/* One class for all its requests, and room for what debugging keeps with each. */
static bool fits_debugging(const struct sf_tr_cache *c)
{
	uint32_t class = class_of(&plain, c->bytes_req);

	return class == class_of(&plain, c->req_min) && c->bytes_alloc >= class &&
	       c->bytes_alloc - class <= OVERHEAD_MAX + 2 * align_of(class);
}

/* How many allocations a rule explains, of how many. */
struct tally {
	uint64_t fit, all;
};

static struct tally count(struct sf_pair *p, const struct classes *k)
{
	struct tally t = { 0, 0 };
	uint64_t fit, unfit;

	for (uint32_t i = 0; i < sf_pair_caches(p); i++) {
		const struct sf_tr_cache *c = sf_pair_cache(p, i);

		if (c->name || !c->nr)
			continue;
		t.all += c->nr;
		t.fit += fits(k, c) ? c->nr : 0;
	}
	sf_pair_large(p, &fit, &unfit);
	t.fit += fit;
	t.all += fit + unfit;
	return t;
}

/* Whether a least size explains what plain sizes do not; the smallest that does. */
static bool find_least(struct sf_pair *p, struct classes *k)
{
	for (uint32_t least = 8; least <= 128; least *= 2) {
		for (int odd = 3; odd >= 0; odd--) {
			struct tally t;

			*k = (struct classes){ least, (odd & 1) && least <= 32,
					       (odd & 2) && least <= 64 };
			t = count(p, k);
			if (t.all && t.fit == t.all)
				return true;
		}
	}
	return false;
}

/* Whether a class is also seen as a plain kernel has it. */
static bool seen_plain(struct sf_pair *p, uint32_t class)
{
	for (uint32_t i = 0; i < sf_pair_caches(p); i++) {
		const struct sf_tr_cache *c = sf_pair_cache(p, i);

		if (!c->name && c->nr && c->bytes_alloc == class && fits(&plain, c))
			return true;
	}
	return false;
}

/*
 * Of some caches or of all (slub_debug=P,kmalloc-64). Larger objects that happen to have the size
 * of another class are debugging's only if the class has no others.
 */
static bool debugging(struct sf_pair *p)
{
	uint64_t fit, unfit;

	sf_pair_large(p, &fit, &unfit);
	if (unfit)
		return false;
	for (uint32_t i = 0; i < sf_pair_caches(p); i++) {
		const struct sf_tr_cache *c = sf_pair_cache(p, i);
		uint32_t class;

		if (c->name || !c->nr)
			continue;
		if (!fits_debugging(c))
			return false;
		class = class_of(&plain, c->bytes_req);
		if (c->bytes_alloc != class && is_class(c->bytes_alloc) && seen_plain(p, class))
			return false;
	}
	return true;
}

static void learn_sizes(struct sf_tr_kernel *k, struct sf_pair *p)
{
	struct classes other;
	struct tally t = count(p, &plain);

	if (t.fit == t.all)
		return;
	k->plain_sizes = false;
	if (find_least(p, &other)) {
		snprintf(k->why, sizeof(k->why), "kmalloc's least size is %u bytes%s "
			 "(ARCH_KMALLOC_MINALIGN, or slab instead of slub)", other.least,
			 other.least <= 32 && !other.has_96 ? ", and it has none of 96" : "");
	} else if (debugging(p)) {
		snprintf(k->why, sizeof(k->why), "kmalloc's objects are larger than their class: "
			 "red zones, poisoning or tracking (slub_debug), or KASAN");
	} else if (t.fit * 2 < t.all) {
		snprintf(k->why, sizeof(k->why), "kmalloc's sizes are of no kernel known here: "
			 "%" PRIu64 " of %" PRIu64 " allocations are of a size of their own",
			 t.all - t.fit, t.all);
	} else {
		/* It has plain sizes, and made a mistake. */
		k->plain_sizes = true;
	}
}

/* Kernels before 5.4, slab, and debugging align objects to a word; a mistake is a rare thing. */
static void learn_align(struct sf_tr_kernel *k, struct sf_pair *p)
{
	uint64_t all = 0, crooked = 0;

	for (uint32_t i = 0; i < sf_pair_caches(p); i++) {
		const struct sf_tr_cache *c = sf_pair_cache(p, i);

		if (c->name)
			continue;
		all += c->nr;
		crooked += c->crooked;
	}
	if (crooked * 8 <= all)
		return;
	k->plain_align = false;
	if (!*k->why)
		snprintf(k->why, sizeof(k->why), "kmalloc's objects are not aligned as their size "
			 "is, %" PRIu64 " of %" PRIu64 ": a kernel before 5.4, or red zones",
			 crooked, all);
}

static void say(struct sf_tr_kernel *k, const char *what)
{
	size_t n = strlen(k->why);

	snprintf(k->why + n, sizeof(k->why) - n, "%s%s", n ? "; " : "", what);
}

static void take_hints(struct sf_tr_kernel *k, const struct sf_trace_hints *h)
{
	char text[160];

	if (h->kmalloc_min > 8) {
		k->plain_sizes = false;
		snprintf(text, sizeof(text), "kmalloc's least size is %" PRIu64 " (%s)",
			 h->kmalloc_min, h->source);
		say(k, text);
	}
	if (h->slub_debug) {
		k->plain_sizes = k->plain_align = false;
		snprintf(text, sizeof(text), "its caches have red zones, poisoning or tracking "
			 "(%s)", h->source);
		say(k, text);
	}
	if (h->page_size)
		k->page_size = (uint32_t)h->page_size;
}

/* Objects of named caches that lie further apart than any alignment or constructor explains. */
static void learn_named(struct sf_tr_kernel *k, uint64_t odd, uint64_t named)
{
	char text[120];

	if (odd * 2 <= named || *k->why)
		return;
	snprintf(text, sizeof(text), "objects of %" PRIu64 " of %" PRIu64 " named caches are "
		 "larger than they must be: slub_debug, or KASAN", odd, named);
	say(k, text);
}

void sf_tr_learn(struct sf_tr_kernel *k, struct sf_pair *p, const struct sf_trace *t,
		 uint64_t odd_caches, uint64_t named_caches)
{
	const struct sf_trace_hints *h = sf_trace_hints(t);
	char text[160];

	*k = (struct sf_tr_kernel){ .plain_sizes = true, .plain_align = true };
	k->page_size = sf_trace_notes(t)->page_size;
	if (sf_pair_page_size(p))
		k->page_size = sf_pair_page_size(p);
	/* What is known need not be guessed. */
	if (h->kmalloc_min > 8 || h->slub_debug || h->page_size)
		take_hints(k, h);
	if (k->plain_sizes && !h->plain)
		learn_sizes(k, p);
	if (k->plain_align && !h->plain && !sf_trace_hashed(t))
		learn_align(k, p);
	if (!h->plain)
		learn_named(k, odd_caches, named_caches);
	if (k->page_size && k->page_size != SF_PAGE_SIZE) {
		snprintf(text, sizeof(text), "its pages are of %u bytes, replayed by order",
			 k->page_size);
		say(k, text);
	}
}
