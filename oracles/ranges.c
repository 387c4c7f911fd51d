// SPDX-License-Identifier: MIT
/*
 * ranges.c - ranges.h: shards by stripes of addresses, each with a lock and the ranges that touch
 * one of its stripes, in order. What is longer than a stripe is in a shard of its own, which is
 * looked at by all while there is any.
 *
 * A range first goes in, then looks around: of two that overlap, the later one sees the other.
 */
#include "ranges.h"

#include <sched.h>
#include <stddef.h>
#include <sys/mman.h>

enum {
	STRIPE_SHIFT = 16,
	SHARDS = 64,
	SPINS = 100,
};

struct range {
	uint64_t begin, end;
	uint32_t owner;
};

struct shard {
	int lock;
	uint32_t nr;
	struct range *v; /* by begin */
};

struct sf_ranges {
	size_t bytes; /* of all of this */
	uint32_t most;
	struct shard by_stripe[SHARDS], large;
};

/* Address space: what is never used is never there. */
struct sf_ranges *sf_ranges_create(uint32_t most)
{
	/* Each may be in two shards, and all of them in the same. */
	size_t each = (size_t)most * 2 * sizeof(struct range);
	size_t bytes = sizeof(struct sf_ranges) + (SHARDS + 1) * each;
	struct sf_ranges *r = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (r == MAP_FAILED)
		return NULL;
	r->bytes = bytes;
	r->most = most;
	for (int i = 0; i <= SHARDS; i++) {
		struct shard *s = i < SHARDS ? &r->by_stripe[i] : &r->large;

		s->v = (struct range *)((char *)(r + 1) + (size_t)i * each);
	}
	return r;
}

void sf_ranges_free(struct sf_ranges *r)
{
	if (r)
		munmap(r, r->bytes);
}

void sf_ranges_clear(struct sf_ranges *r)
{
	for (int i = 0; i < SHARDS; i++)
		r->by_stripe[i].nr = 0;
	r->large.nr = 0;
}

uint32_t sf_ranges_count(const struct sf_ranges *r)
{
	uint32_t nr = r->large.nr;

	for (int i = 0; i < SHARDS; i++)
		nr += r->by_stripe[i].nr;
	return nr;
}

static void lock(struct shard *s)
{
	for (int i = 0; __atomic_exchange_n(&s->lock, 1, __ATOMIC_ACQUIRE); i++)
		if (i % SPINS == SPINS - 1)
			sched_yield();
}

static void unlock(struct shard *s)
{
	__atomic_store_n(&s->lock, 0, __ATOMIC_RELEASE);
}

/* How many begin before `begin`. */
static uint32_t place_of(const struct shard *s, uint64_t begin)
{
	uint32_t lo = 0, hi = s->nr;

	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;

		if (s->v[mid].begin < begin)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/*
 * Another one's range that has some of that; NULL: none. Ranges that overlap have been told of: the
 * one before and those that begin within are all that need be looked at.
 */
static const struct range *meets(const struct shard *s, const struct range *x)
{
	uint32_t at = place_of(s, x->begin);

	if (at && s->v[at - 1].end > x->begin && s->v[at - 1].owner != x->owner)
		return &s->v[at - 1];
	for (; at < s->nr && s->v[at].begin < x->end; at++)
		if (s->v[at].owner != x->owner)
			return &s->v[at];
	return NULL;
}

static bool found(struct shard *s, const struct range *x, uint32_t *other)
{
	const struct range *y;

	lock(s);
	y = meets(s, x);
	if (y)
		*other = y->owner;
	unlock(s);
	return y;
}

/*
 * A place for one more at `at`; of what is there, one less. Not by memmove(): who watches that in
 * our stead (ThreadSanitizer) knows nothing of these locks.
 */
static void make_place(struct shard *s, uint32_t at)
{
	for (uint32_t i = s->nr; i > at; i--) {
		s->v[i] = s->v[i - 1];
		__asm__ __volatile__("" ::: "memory");
	}
}

static void close_place(struct shard *s, uint32_t at)
{
	for (uint32_t i = at; i < s->nr; i++) {
		s->v[i] = s->v[i + 1];
		__asm__ __volatile__("" ::: "memory");
	}
}

/* True: and it meets none there. */
static bool put(struct shard *s, const struct range *x, uint32_t most, uint32_t *other)
{
	const struct range *y;
	uint32_t at;

	lock(s);
	y = meets(s, x);
	if (y)
		*other = y->owner;
	at = place_of(s, x->begin);
	if (s->nr < most) {
		make_place(s, at);
		s->v[at] = *x;
		__atomic_store_n(&s->nr, s->nr + 1, __ATOMIC_SEQ_CST);
	}
	unlock(s);
	return !y;
}

static void take_out(struct shard *s, const struct range *x)
{
	uint32_t at;

	lock(s);
	at = place_of(s, x->begin);
	while (at < s->nr && s->v[at].begin == x->begin && s->v[at].owner != x->owner)
		at++;
	if (at < s->nr && s->v[at].begin == x->begin) {
		s->nr--;
		close_place(s, at);
	}
	unlock(s);
}

static struct shard *shard_of(struct sf_ranges *r, uint64_t addr)
{
	return &r->by_stripe[(addr >> STRIPE_SHIFT) % SHARDS];
}

static bool is_large(uint64_t size)
{
	return size > 1ull << STRIPE_SHIFT;
}

/* In both stripes that it may touch. */
static bool claim_small(struct sf_ranges *r, const struct range *x, uint32_t *other)
{
	struct shard *a = shard_of(r, x->begin), *b = shard_of(r, x->end - 1);
	bool alone = put(a, x, r->most * 2, other);

	if (b != a)
		alone = put(b, x, r->most * 2, other) && alone;
	if (__atomic_load_n(&r->large.nr, __ATOMIC_SEQ_CST))
		alone = !found(&r->large, x, other) && alone;
	return alone;
}

static bool claim_large(struct sf_ranges *r, const struct range *x, uint32_t *other)
{
	bool alone = put(&r->large, x, r->most * 2, other);

	for (int i = 0; i < SHARDS; i++)
		alone = !found(&r->by_stripe[i], x, other) && alone;
	return alone;
}

bool sf_ranges_claim(struct sf_ranges *r, uint64_t addr, uint64_t size, uint32_t owner,
		     uint32_t *other)
{
	const struct range x = { .begin = addr, .end = addr + size, .owner = owner };

	if (!size)
		return true;
	return is_large(size) ? claim_large(r, &x, other) : claim_small(r, &x, other);
}

void sf_ranges_drop(struct sf_ranges *r, uint64_t addr, uint64_t size, uint32_t owner)
{
	const struct range x = { .begin = addr, .end = addr + size, .owner = owner };
	struct shard *a = shard_of(r, addr), *b = size ? shard_of(r, x.end - 1) : a;

	if (!size)
		return;
	if (is_large(size)) {
		take_out(&r->large, &x);
		return;
	}
	take_out(a, &x);
	if (b != a)
		take_out(b, &x);
}
