// SPDX-License-Identifier: MIT
/*
 * test_user_words.c - the words of user space: what the executor says of each, on the reference,
 * which has them all, and on broken copies of it; and that programs are drawn and mutated in the
 * words that an allocator has.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../harness/exec/exec.h"
#include "../harness/generate/mutate_internal.h"
#include "../oracles/oracle.h"

enum {
	EVENTS_MAX = 512,
	PROGRAMS = 10000,
	JUDGED = 500,
	OPS = 48,
};

static struct sf_event seen[EVENTS_MAX];
static unsigned int nr_seen;

static void keep(void *ctx, const struct sf_event *ev)
{
	(void)ctx;
	if (ev->type != SF_EV_CTYPE && nr_seen < EVENTS_MAX)
		seen[nr_seen++] = *ev;
}

static const struct sf_allocator *reference(void)
{
	const struct sf_allocator *a = sf_allocator_by_name("reference");

	assert_non_null(a);
	return a;
}

static uint64_t touch_max; /* of the next run */

static void run_with(const struct sf_allocator *a, const char *text, uint32_t check_every)
{
	const struct sf_exec_options opt = { .end = SF_END_TEARDOWN, .contents = true,
					     .check_every = check_every, .touch_max = touch_max };
	struct sf_text_error where;
	struct sf_error err;
	struct sf_prog p;
	struct sf_exec *x;

	sf_prog_init(&p);
	if (sf_text_parse(&p, text, strlen(text), &where))
		fail_msg("%u:%u: %s", where.line, where.col, where.text);
	nr_seen = 0;
	x = sf_exec_create(a, &p.settings, &opt, keep, NULL, &err);
	assert_non_null(x);
	assert_true(sf_exec_run(x, &p, "p", &err) == p.nr_ops);
	sf_exec_destroy(x);
	sf_prog_free(&p);
	assert_true(nr_seen < EVENTS_MAX);
}

static void run(const char *text)
{
	run_with(reference(), text, UINT32_MAX);
}

/* The event of that type at operation `op`; there is one. */
static const struct sf_event *at(uint32_t op, uint8_t type)
{
	for (unsigned int i = 0; i < nr_seen; i++)
		if (seen[i].op == op && seen[i].type == type)
			return &seen[i];
	fail_msg("operation %u: no event of type %u", op, type);
	return NULL;
}

static unsigned int count(uint8_t type)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < nr_seen; i++)
		n += seen[i].type == type;
	return n;
}

static void test_allocations_say_how(void **state)
{
	const struct sf_ev_alloc *e;

	(void)state;
	run("r0 = malloc(100)\n"
	    "r1 = calloc(4294967296, 4294967296)\n"
	    "r2 = posix_memalign(24, 100)\n"
	    "r3 = posix_memalign(4096, 100)\n"
	    "r4 = aligned_alloc(64, SIZE_MAX-63)\n"
	    "r5 = calloc(3, 50)\n");
	e = &at(0, SF_EV_ALLOC)->alloc;
	assert_int_equal(e->api, SF_API_FOREIGN);
	assert_int_equal(e->call, SF_CALL_MALLOC);
	assert_int_equal(e->size, 100);
	assert_true(e->usable >= 100 && e->addr);
	e = &at(1, SF_EV_ALLOC)->alloc;
	assert_true(e->overflow && !e->addr);
	assert_int_equal(e->status, SF_NULL);
	assert_int_equal(e->error, ENOMEM);
	e = &at(2, SF_EV_ALLOC)->alloc;
	assert_int_equal(e->call, SF_CALL_POSIX_MEMALIGN);
	assert_int_equal(e->ret, EINVAL);
	assert_int_equal(e->error, 0);
	assert_false(e->touched);
	e = &at(3, SF_EV_ALLOC)->alloc;
	assert_int_equal(e->align, 4096);
	assert_int_equal(e->addr % 4096, 0);
	assert_int_equal(e->ret, 0);
	assert_int_equal(at(4, SF_EV_ALLOC)->alloc.status, SF_NULL);
	e = &at(5, SF_EV_ALLOC)->alloc;
	assert_int_equal(e->n, 3);
	assert_int_equal(e->zeroed, e->usable); /* the trait says: all of it */
	assert_true(e->dirty == SF_GOOD);
}

static void test_realloc_says_what_became(void **state)
{
	const struct sf_ev_alloc *e;

	(void)state;
	run("r0 = malloc(300)\n"
	    "r1 = realloc(r0, SIZE_MAX)\n"
	    "r2 = realloc(r0, 5000)\n"
	    "r3 = reallocarray(r2, 2, 9223372036854775808)\n"
	    "r4 = realloc(r2, 20)\n"
	    "r5 = realloc(r4, 0)\n"
	    "free(r4)\n"
	    "r6 = realloc(NULL, 10)\n");
	e = &at(1, SF_EV_REALLOC)->alloc;
	assert_int_equal(e->status, SF_NULL);
	assert_int_equal(e->kept, e->old_size + at(0, SF_EV_ALLOC)->alloc.usable - 300);
	assert_true(e->bad == SF_GOOD);
	e = &at(2, SF_EV_REALLOC)->alloc;
	assert_true(e->moved && e->kept == 300 && e->bad == SF_GOOD);
	assert_int_equal(e->id, e->old_id);
	assert_true(at(3, SF_EV_REALLOC)->alloc.overflow);
	assert_int_equal(at(4, SF_EV_REALLOC)->alloc.kept, 20);
	e = &at(5, SF_EV_REALLOC)->alloc;
	assert_int_equal(e->status, SF_FREED);
	assert_true(e->id == SF_NONE && e->old_id != SF_NONE);
	assert_int_equal(at(6, SF_EV_SKIP)->skip.reason, SF_SKIP_DEAD);
	assert_true(at(7, SF_EV_REALLOC)->alloc.old_id == SF_NONE);
}

/* Of bytes that are zeroed or copied; what is refused anyway is asked for. */
static void test_touches_so_much(void **state)
{
	(void)state;
	touch_max = 10000;
	run("r0 = calloc(2, 3000)\n"
	    "r1 = calloc(1, 4001)\n"
	    "r2 = malloc(3000000)\n"
	    "r3 = realloc(r2, 4001)\n"
	    "r4 = realloc(r2, 4000)\n"
	    "r5 = calloc(1, 9223372036854775808)\n"
	    "r6 = calloc(1, 1)\n"
	    "r7 = realloc(r0, 0)\n"
	    "r8 = kzalloc(1, GFP_KERNEL)\n");
	touch_max = 0;
	assert_int_equal(at(0, SF_EV_ALLOC)->alloc.status, SF_OK);
	assert_int_equal(at(1, SF_EV_SKIP)->skip.reason, SF_SKIP_BYTES);
	assert_int_equal(at(3, SF_EV_SKIP)->skip.reason, SF_SKIP_BYTES);
	assert_int_equal(at(4, SF_EV_REALLOC)->alloc.status, SF_OK);
	assert_int_equal(at(5, SF_EV_ALLOC)->alloc.status, SF_NULL);
	assert_int_equal(at(6, SF_EV_SKIP)->skip.reason, SF_SKIP_BYTES);
	assert_int_equal(at(7, SF_EV_REALLOC)->alloc.status, SF_FREED);
	assert_int_equal(at(8, SF_EV_SKIP)->skip.reason, SF_SKIP_BYTES);
	assert_int_equal(count(SF_EV_SKIP), 4);
}

/* A library's answer to what no object can be is judged, and neither read nor written. */
static uint64_t grown_addr;

static void grow_in_place(struct sf_heap *h, uint64_t addr, const struct sf_request *rq,
			  struct sf_result *rs)
{
	(void)h;
	(void)rq;
	grown_addr = addr;
	*rs = (struct sf_result){ .status = SF_OK, .addr = addr };
}

static uint64_t all_usable(struct sf_heap *h, uint64_t addr)
{
	(void)h;
	return addr == grown_addr ? SIZE_MAX - 1 : 100;
}

static void test_beyond_ptrdiff_max(void **state)
{
	struct sf_allocator a = *reference();
	const struct sf_ev_alloc *e;

	(void)state;
	a.realloc = grow_in_place;
	a.usable = all_usable;
	grown_addr = 0;
	run_with(&a, "r0 = malloc(100)\n"
		     "r1 = realloc(r0, SIZE_MAX-1)\n"
		     "verify(r1)\n", UINT32_MAX);
	e = &at(1, SF_EV_REALLOC)->alloc;
	assert_int_equal(e->status, SF_OK);
	assert_int_equal(e->kept, 0);
}

/* Not even in a kernel's words, which know of no such thing, is it freed twice. */
static void test_krealloc_may_free(void **state)
{
	(void)state;
	run("r0 = kmalloc(300, GFP_KERNEL)\n"
	    "r1 = krealloc(r0, 0, GFP_KERNEL)\n"
	    "kfree(r0)\n");
	assert_int_equal(at(1, SF_EV_REALLOC)->alloc.status, SF_FREED);
	assert_int_equal(at(2, SF_EV_SKIP)->skip.reason, SF_SKIP_DEAD);
}

static void test_frees_say_how(void **state)
{
	const struct sf_ev_free *e;

	(void)state;
	run("r0 = malloc(100)\n"
	    "r1 = aligned_alloc(64, 30)\n"
	    "r2 = malloc(33)\n"
	    "free(r0)\n"
	    "free_aligned_sized(r1)\n"
	    "free_sized(r2)\n"
	    "free(NULL)\n");
	e = &at(3, SF_EV_FREE)->free;
	assert_int_equal(e->how, SF_FREE_USER);
	assert_int_equal(e->call, SF_CALL_FREE);
	/* All that could be used was written, and is there. */
	assert_int_equal(e->verified, at(0, SF_EV_ALLOC)->alloc.usable);
	assert_true(e->verified > 100 && e->bad == SF_GOOD);
	e = &at(4, SF_EV_FREE)->free;
	assert_int_equal(e->call, SF_CALL_FREE_ALIGNED);
	assert_int_equal(e->size, 30);
	assert_int_equal(e->align, 64);
	assert_int_equal(at(5, SF_EV_FREE)->free.size, 33);
	assert_true(at(6, SF_EV_FREE)->free.id == SF_NONE);
}

static void test_heaps_go_with_what_is_in_them(void **state)
{
	unsigned int freed = 0, i = 0;

	(void)state;
	run("r0 = heap_create(10000, at=13)\n"
	    "r1 = malloc(100, heap=r0)\n"
	    "r2 = realloc(r1, 300)\n"
	    "r3 = heap_add(r0, 4096)\n"
	    "r4 = malloc(12000, heap=r0)\n"
	    "heap_remove(r3)\n"
	    "r5 = heap_create(5)\n"
	    "r6 = malloc(50)\n"
	    "heap_destroy(r0)\n"
	    "verify(r6)\n");
	assert_int_equal(at(0, SF_EV_USER_HEAP)->userheap.at, 13);
	assert_int_equal(at(1, SF_EV_ALLOC)->alloc.heap, at(0, SF_EV_USER_HEAP)->userheap.heap);
	assert_int_equal(at(2, SF_EV_REALLOC)->alloc.heap, at(1, SF_EV_ALLOC)->alloc.heap);
	assert_int_equal(at(3, SF_EV_USER_HEAP)->userheap.act, SF_HEAP_ADD);
	assert_int_equal(at(4, SF_EV_ALLOC)->alloc.status, SF_OK);
	assert_int_equal(at(5, SF_EV_USER_HEAP)->userheap.status, SF_NULL); /* it is in use */
	assert_int_equal(at(6, SF_EV_USER_HEAP)->userheap.status, SF_NULL); /* too small */
	while (seen[i].op != 8)
		i++;
	for (; seen[i].type == SF_EV_FREE; i++, freed++)
		assert_int_equal(seen[i].free.how, SF_FREE_HEAP);
	assert_int_equal(freed, 2);
	assert_int_equal(seen[i].userheap.act, SF_HEAP_DESTROY);
	assert_int_equal(at(9, SF_EV_CONTENT)->content.verified, at(7, SF_EV_ALLOC)->alloc.usable);
}

static void test_what_it_says_of_itself(void **state)
{
	const struct sf_ev_stats *st;

	(void)state;
	run_with(reference(),
		 "r0 = malloc(100)\n"
		 "malloc_stats()\n"
		 "malloc_good_size(33)\n"
		 "malloc_usable_size(r0)\n"
		 "malloc_trim(0)\n"
		 "thread(3)\n",
		 0);
	st = &at(1, SF_EV_STATS)->stats;
	assert_int_equal(st->live, 1);
	assert_int_equal(st->used, at(0, SF_EV_ALLOC)->alloc.usable);
	assert_false(st->final);
	assert_true(at(2, SF_EV_GOOD_SIZE)->goodsize.value >= 33);
	assert_int_equal(at(3, SF_EV_KSIZE)->ksize.value, at(0, SF_EV_ALLOC)->alloc.usable);
	at(4, SF_EV_TRIM);
	/* Asked before the program began as well: what was there then is nothing. */
	st = &at(SF_NONE, SF_EV_STATS)->stats;
	assert_true(!st->final && !st->live && !st->used);
	for (unsigned int i = 0; i < nr_seen; i++)
		if (seen[i].type == SF_EV_STATS)
			st = &seen[i].stats;
	assert_true(st->final && !st->live && !st->used);
	/* After each operation, and at the end. */
	assert_int_equal(count(SF_EV_INTEGRITY), 6 + 1);
	for (unsigned int i = 0; i < nr_seen; i++)
		assert_true(seen[i].type != SF_EV_INTEGRITY || !seen[i].integrity.what);
	run_with(reference(), "r0 = malloc(1)\nr1 = malloc(1)\nfree(r0)\nfree(r1)\n", 2);
	assert_int_equal(count(SF_EV_INTEGRITY), 2 + 1);
}

static void test_misuse_is_noticed(void **state)
{
	(void)state;
	run("heap misuse=1\n"
	    "r0 = heap_create(8000)\n"
	    "r1 = heap_create(8000)\n"
	    "r2 = malloc(100, heap=r0)\n"
	    "r3 = malloc(100, heap=r0)\n"
	    "r4 = malloc(100)\n"
	    "free(r4)\n"
	    "heap_free(r2, r1)\n"
	    "heap_realloc(r3, r1, 200)\n"
	    "double_free(r4)\n");
	for (uint32_t op = 6; op < 9; op++)
		assert_true(at(op, SF_EV_ATTACK)->attack.noticed);
	assert_int_equal(at(6, SF_EV_FREE)->free.heap, 2);
	at(6, SF_EV_TAINT);
}

/* Memory that it never had; and what is its own, though it shows no free lists. */
static void test_strangers_are_refused(void **state)
{
	const struct sf_ev_reach *r;

	(void)state;
	run("heap misuse=1\n"
	    "wild_free(1)\n"
	    "wild_free(4096)\n"
	    "strange_free(40)\n"
	    "strange_free(65535)\n"
	    "r0 = malloc(64)\n"
	    "r1 = malloc(16)\n"
	    "underflow(r1, 8)\n"
	    "overflow(r0, 64)\n");
	for (uint32_t op = 0; op < 4; op++) {
		assert_true(at(op, SF_EV_ATTACK)->attack.noticed);
		assert_int_equal(at(op, SF_EV_ATTACK)->attack.size, 0);
		assert_int_equal(at(op, SF_EV_ATTACK)->attack.res, SF_NONE);
	}
	assert_int_equal(at(1, SF_EV_ATTACK)->attack.addr - at(0, SF_EV_ATTACK)->attack.addr, 4095);
	r = &at(6, SF_EV_REACH)->reach;
	assert_int_equal(r->what, SF_REACH_METADATA);
	assert_int_equal(r->size, 8);
	assert_int_equal(at(6, SF_EV_ATTACK)->attack.reached, 1u << SF_REACH_METADATA);
	assert_int_equal(at(7, SF_EV_ATTACK)->attack.reached, 1u << SF_REACH_UNMAPPED);
	assert_int_equal(at(7, SF_EV_ATTACK)->attack.zero, 0);
}

/* --- broken --- */

static void realloc_forgets(struct sf_heap *h, uint64_t addr, const struct sf_request *rq,
			    struct sf_result *rs)
{
	reference()->realloc(h, addr, rq, rs);
	if (rs->addr && rq->size > 32)
		*(uint8_t *)(uintptr_t)(rs->addr + 32) ^= 1;
}

static void realloc_fails_late(struct sf_heap *h, uint64_t addr, const struct sf_request *rq,
			       struct sf_result *rs)
{
	(void)h;
	(void)rq;
	*(uint8_t *)(uintptr_t)(addr + 99) ^= 1;
	*rs = (struct sf_result){ .status = SF_NULL, .error = ENOMEM };
}

static void alloc_dirty(struct sf_heap *h, const struct sf_request *rq, struct sf_result *rs)
{
	reference()->alloc(h, rq, rs);
	if (rs->addr && rq->call == SF_CALL_CALLOC)
		*(uint8_t *)(uintptr_t)(rs->addr + 149) = 1;
}

static const struct sf_traits zeroes_request = { .align = 16, .zeroed = SF_ZEROED_REQUEST };
static const struct sf_traits zeroes_nothing = { .align = 16, .zeroed = SF_ZEROED_NONE };

static void test_what_is_lost_is_seen(void **state)
{
	struct sf_allocator a = *reference();

	(void)state;
	a.realloc = realloc_forgets;
	run_with(&a, "r0 = malloc(100)\nr1 = realloc(r0, 200)\n", 0);
	assert_int_equal(at(1, SF_EV_REALLOC)->alloc.bad, 32);
	a.realloc = realloc_fails_late;
	run_with(&a, "r0 = malloc(100)\nr1 = realloc(r0, 200)\n", 0);
	assert_int_equal(at(1, SF_EV_REALLOC)->alloc.bad, 99);
}

static void test_zeroes_are_those_promised(void **state)
{
	struct sf_allocator a = *reference();

	(void)state;
	a.alloc = alloc_dirty;
	run_with(&a, "r0 = calloc(3, 50)\n", 0);
	assert_int_equal(at(0, SF_EV_ALLOC)->alloc.dirty, 149);
	run_with(&a, "r0 = calloc(3, 49)\n", 0); /* a byte behind what was asked for */
	assert_int_equal(at(0, SF_EV_ALLOC)->alloc.dirty, 149);
	a.traits = &zeroes_request;
	run_with(&a, "r0 = calloc(3, 49)\n", 0);
	assert_true(at(0, SF_EV_ALLOC)->alloc.dirty == SF_GOOD);
	assert_int_equal(at(0, SF_EV_ALLOC)->alloc.zeroed, 147);
	a.traits = &zeroes_nothing;
	run_with(&a, "r0 = calloc(3, 50)\n", 0);
	assert_int_equal(at(0, SF_EV_ALLOC)->alloc.zeroed, 0);
}

/* --- drawing --- */

/* An allocator with alloc and free alone: addresses that go up; no object as large as memory. */
struct sf_heap {
	uint64_t next, most;
};

static void bump_reset(struct sf_heap *h)
{
	h->next = 1 << 20;
}

static struct sf_heap *bump_create(const struct sf_allocator *self, const struct sf_settings *set,
				   struct sf_sink *sink, struct sf_error *err)
{
	static struct sf_heap heap;
	struct sf_event ev = { .type = SF_EV_HEAP,
			       .heap = { .allocator = self->name, .caps = self->caps,
					 .settings = set } };

	(void)err;
	bump_reset(&heap);
	heap.most = set->pages * SF_PAGE_SIZE;
	sink->emit(sink->ctx, &ev);
	return &heap;
}

static void bump_destroy(struct sf_heap *h)
{
	(void)h;
}

static void bump_alloc(struct sf_heap *h, const struct sf_request *rq, struct sf_result *rs)
{
	*rs = (struct sf_result){ .status = SF_NULL, .error = ENOMEM };
	if (rq->size >= h->most)
		return;
	*rs = (struct sf_result){ .status = SF_OK, .addr = h->next };
	h->next += (rq->size + 16) & ~15ull;
}

static void bump_free(struct sf_heap *h, uint64_t addr, enum sf_free_how how, struct sf_result *rs)
{
	(void)h;
	(void)addr;
	(void)how;
	*rs = (struct sf_result){ .status = SF_OK };
}

static const struct sf_allocator bump = {
	.abi = SF_ALLOCATOR_ABI, .name = "bump", .summary = "malloc and free alone",
	.settings = 1ull << SF_SET_pages, .reset_kind = SF_RESET_EXACT, .create = bump_create,
	.destroy = bump_destroy, .reset = bump_reset, .alloc = bump_alloc, .free = bump_free,
};

static void ignore(void *ctx, const struct sf_event *ev)
{
	(void)ctx;
	(void)ev;
}

static void only_pages(struct sf_prog *p)
{
	uint64_t pages = p->settings.pages;

	sf_settings_init(&p->settings);
	p->settings.pages = pages;
	sf_prog_fixup(p);
}

static void draw(struct sf_prog *p, uint64_t caps, uint64_t seed, bool mutated)
{
	struct sf_swarm sw;
	struct sf_rng r;

	sf_rng_seed(&r, seed);
	sf_swarm_draw(&sw, caps, &r);
	sf_generate(p, OPS, &sw, &r);
	for (unsigned int i = 0; mutated && i < 4; i++)
		sf_mutate(p, NULL, caps, &r);
	only_pages(p);
}

/* How many of 1000 operations are skipped on an allocator that can so much. */
static unsigned int skipped(uint64_t caps, bool mutated)
{
	const struct sf_exec_options opt = { .end = SF_END_TEARDOWN };
	struct sf_allocator a = bump;
	uint64_t ops = 0, skips = 0;
	struct sf_error err;
	struct sf_exec *x;
	struct sf_prog p;

	a.caps = caps;
	sf_prog_init(&p);
	x = sf_exec_create(&a, &p.settings, &opt, ignore, NULL, &err);
	assert_non_null(x);
	for (uint64_t seed = 0; seed < (mutated ? PROGRAMS / 4 : PROGRAMS); seed++) {
		struct sf_exec_counts done;

		draw(&p, caps, seed, mutated);
		assert_true(sf_exec_run(x, &p, "p", &err) >= 0);
		sf_exec_counts(x, &done);
		ops += done.ops;
		for (unsigned int k = 0; k < SF_SKIP_REASONS; k++)
			skips += done.skipped[k];
		assert_int_equal(done.skipped[SF_SKIP_NO_CAP], 0);
	}
	sf_exec_destroy(x);
	sf_prog_free(&p);
	print_message("# %llu of %llu operations skipped\n", (unsigned long long)skips,
		      (unsigned long long)ops);
	return (unsigned int)(skips * 1000 / ops);
}

static void test_little_is_skipped(void **state)
{
	(void)state;
	assert_true(skipped(SF_CAP_ADDRESS | SF_CAP_MALLOC, false) < 20);
	assert_true(skipped(SF_CAP_ADDRESS | SF_CAP_MALLOC, true) < 20);
	/* As a kernel's allocator that can no more than that. */
	assert_true(skipped(SF_CAP_ADDRESS, false) < 20);
}

/* What a kernel's fuzzer left is said in the words of user space, and the other way round. */
static void test_other_words_are_translated(void **state)
{
	uint64_t user = reference()->caps;
	uint32_t kept = 0, before = 0;
	struct sf_prog p;
	struct sf_rng r;

	(void)state;
	sf_prog_init(&p);
	for (uint64_t seed = 0; seed < 2000; seed++) {
		uint64_t from = seed & 1 ? user : SF_DRAW_KERNEL;
		uint64_t to = seed & 1 ? SF_DRAW_KERNEL : user;

		draw(&p, from, seed, false);
		before += p.nr_ops;
		sf_rng_seed(&r, seed);
		sf_mutate(&p, NULL, to, &r);
		kept += p.nr_ops;
		assert_true(p.nr_ops > 0);
		for (uint32_t i = 0; i < p.nr_ops; i++)
			assert_true(sf_word_fits(p.ops[i].code, to));
	}
	assert_true(kept > before / 2);
	sf_prog_free(&p);
}

static void found(void *ctx, const struct sf_violation *v)
{
	print_error("%s\n", v->title);
	++*(unsigned int *)ctx;
}

/* Every word comes, with edges of its arguments, and none of it accuses the reference. */
static void test_all_words_are_drawn(void **state)
{
	uint32_t made[SF_CODE_MAX + 1] = { 0 }, huge = 0, odd = 0, in_heap = 0;
	struct sf_prog p;

	(void)state;
	sf_prog_init(&p);
	for (uint64_t seed = 0; seed < PROGRAMS; seed++) {
		struct sf_swarm sw;
		struct sf_rng r;

		sf_rng_seed(&r, seed);
		sf_swarm_draw(&sw, reference()->caps, &r);
		sf_generate(&p, OPS, &sw, &r);
		assert_int_equal(p.nr_ops, OPS);
		for (uint32_t i = 0; i < p.nr_ops; i++) {
			const struct sf_op *op = &p.ops[i];

			made[op->code]++;
			huge += op->size > INT64_MAX;
			odd += op->align && op->align & (op->align - 1);
			in_heap += op->code == SF_OP_MALLOC && op->cache != SF_NONE;
		}
	}
	sf_prog_free(&p);
	for (unsigned int code = 0; code <= SF_CODE_MAX; code++)
		if (sf_op_table[code].name && sf_word_fits(code, reference()->caps) &&
		    made[code] < (sf_op_table[code].flags & SF_OPF_MISUSE ? 20 : 300))
			fail_msg("%s: %u times", sf_op_table[code].name, made[code]);
	assert_true(huge > 2000 && odd > 200 && in_heap > 1000);
}

static void test_reference_is_right(void **state)
{
	const struct sf_exec_options opt = { .end = SF_END_TEARDOWN, .contents = true };
	struct sf_judge_options judging = { .violation = found };
	struct sf_judge *judge;
	unsigned int nr = 0;
	struct sf_error err;
	struct sf_exec *x;
	struct sf_prog p;

	(void)state;
	judging.ctx = &nr;
	sf_prog_init(&p);
	judge = sf_judge_create(&judging);
	x = sf_exec_create(reference(), &p.settings, &opt, sf_judge_event, judge, &err);
	assert_non_null(x);
	for (uint64_t seed = 0; seed < JUDGED; seed++) {
		draw(&p, reference()->caps, seed, seed & 1);
		assert_true(sf_exec_run(x, &p, "p", &err) >= 0);
	}
	assert_int_equal(nr, 0);
	sf_exec_destroy(x);
	sf_judge_destroy(judge);
	sf_prog_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_allocations_say_how),
		cmocka_unit_test(test_realloc_says_what_became),
		cmocka_unit_test(test_touches_so_much),
		cmocka_unit_test(test_beyond_ptrdiff_max),
		cmocka_unit_test(test_krealloc_may_free),
		cmocka_unit_test(test_frees_say_how),
		cmocka_unit_test(test_heaps_go_with_what_is_in_them),
		cmocka_unit_test(test_what_it_says_of_itself),
		cmocka_unit_test(test_misuse_is_noticed),
		cmocka_unit_test(test_strangers_are_refused),
		cmocka_unit_test(test_what_is_lost_is_seen),
		cmocka_unit_test(test_zeroes_are_those_promised),
		cmocka_unit_test(test_little_is_skipped),
		cmocka_unit_test(test_other_words_are_translated),
		cmocka_unit_test(test_all_words_are_drawn),
		cmocka_unit_test(test_reference_is_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
