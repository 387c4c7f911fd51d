// SPDX-License-Identifier: MIT
/*
 * test_determinism.c - the same program on the same heap gives the same events, member by member:
 * run again at once, after other programs, and on a heap of its own; misused or not. Relies on the
 * executor, the models and the generator. What fails here makes coverage guidance and every
 * reproduction doubtful.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../harness/exec/exec.h"
#include "../harness/generate/mutate.h"
#include "../allocators/base/hash.h"
#include "../oracles/oracle.h"
#include "each_allocator.h"
#include "../harness/exec/event_hash.h"

enum {
	PROGRAMS = 200,
	OPS = 48,
};

/* What is run: an allocator, and settings as text writes them. */
struct subject {
	const char *allocator, *heap;
};

struct hash {
	uint64_t h, events, attacks;
	bool boot; /* HEAP and CACHE events of create() are counted too */
};

static void on_event(void *ctx, const struct sf_event *ev)
{
	struct hash *s = ctx;

	if (ev->op == SF_NONE && !s->boot &&
	    (ev->type == SF_EV_HEAP || ev->type == SF_EV_CACHE || ev->type == SF_EV_CTYPE))
		return;
	s->events++;
	s->attacks += ev->type == SF_EV_ATTACK;
	hash_event(&s->h, ev);
}

static struct sf_exec *make(const struct subject *of, const struct sf_settings *set,
			    struct hash *s)
{
	static const struct sf_exec_options opt = { .end = SF_END_TEARDOWN, .contents = true,
						    .walk_every = 16 };
	struct sf_error err;
	struct sf_exec *x = sf_exec_create(sf_allocator_by_name(of->allocator), set, &opt,
					   on_event, s, &err);

	if (!x)
		fail_msg("%s", err.text);
	return x;
}

static void set_heap(const struct subject *of, struct sf_settings *set)
{
	struct sf_text_error err;
	struct sf_prog heap;

	sf_prog_init(&heap);
	if (sf_text_parse(&heap, of->heap, strlen(of->heap), &err))
		fail_msg("%s", err.text);
	*set = heap.settings;
	sf_prog_free(&heap);
}

/* Operations that leave nothing behind become mistakes. */
static void go_wrong(struct sf_prog *p, struct sf_rng *r)
{
	static const uint8_t mistakes[] = {
		SF_OP_OVERFLOW, SF_OP_UNDERFLOW, SF_OP_STALE_WRITE, SF_OP_DOUBLE_FREE,
		SF_OP_INNER_FREE, SF_OP_WRONG_CACHE_FREE, SF_OP_DIRECTMAP_WRITE,
	};

	for (uint32_t i = 1; i < p->nr_ops; i++) {
		const struct sf_op_info *info = &sf_op_table[p->ops[i].code];

		if (info->res != SF_RES_NONE || (info->flags & SF_OPF_FREES) ||
		    sf_rng_below(r, 3))
			continue;
		p->ops[i] = sf_op_make(mistakes[sf_rng_below(r, sizeof(mistakes))]);
		p->ops[i].obj = (uint32_t)sf_rng_below(r, i);
		p->ops[i].obj2 = (uint32_t)sf_rng_below(r, i);
		p->ops[i].count = (uint16_t)(1 + sf_rng_below(r, 200));
	}
}

static void generate(const struct subject *of, struct sf_prog *p, uint64_t seed)
{
	struct sf_swarm sw;
	struct sf_rng r;

	sf_rng_seed(&r, seed);
	sf_swarm_draw(&sw, SF_DRAW_KERNEL, &r);
	sf_generate(p, OPS, &sw, &r);
	/* One heap for all, so that each program runs after the others. */
	set_heap(of, &p->settings);
	if (p->settings.misuse)
		go_wrong(p, &r);
	sf_prog_fixup(p);
}

static struct hash run(struct sf_exec *x, struct hash *live, const struct sf_prog *p)
{
	struct sf_error err;

	live->h = live->events = 0;
	assert_true(sf_exec_run(x, p, "p", &err) >= 0);
	assert_true(live->events > 2); /* BEGIN and END come always */
	return *live;
}

static void test_same_events_again_and_after_others(void **state)
{
	static struct hash first[PROGRAMS];
	struct hash live = { 0 };
	struct sf_prog p;
	struct sf_exec *x;
	uint64_t events = 0, distinct = 0;

	sf_prog_init(&p);
	generate(*state, &p, 0);
	x = make(*state, &p.settings, &live);
	for (uint64_t seed = 0; seed < PROGRAMS; seed++) {
		struct hash again;

		generate(*state, &p, seed);
		first[seed] = run(x, &live, &p);
		again = run(x, &live, &p);
		assert_int_equal(again.events, first[seed].events);
		assert_true(again.h == first[seed].h);
		events += again.events;
		distinct += seed && first[seed].h != first[seed - 1].h;
	}
	/* In another order: what ran before must not show. */
	for (uint64_t seed = PROGRAMS; seed--;) {
		generate(*state, &p, seed);
		assert_true(run(x, &live, &p).h == first[seed].h);
	}
	sf_exec_destroy(x);
	print_message("# %llu events\n", (unsigned long long)events);
	/* The hash sees differences at all. */
	assert_int_equal(distinct, PROGRAMS - 1);
	assert_true(events > PROGRAMS * OPS);
	assert_int_equal(live.attacks > PROGRAMS, p.settings.misuse);
	sf_prog_free(&p);
}

static void test_fresh_heap_is_like_a_reset_one(void **state)
{
	struct hash used_live = { 0 };
	struct sf_exec *used;
	struct sf_prog p;

	sf_prog_init(&p);
	generate(*state, &p, 0);
	used = make(*state, &p.settings, &used_live);
	for (uint64_t seed = 0; seed < PROGRAMS; seed += 10) {
		struct hash fresh_live = { 0 }, a, b;
		struct sf_exec *fresh;

		generate(*state, &p, seed);
		fresh = make(*state, &p.settings, &fresh_live);
		a = run(fresh, &fresh_live, &p);
		b = run(used, &used_live, &p);
		assert_int_equal(a.events, b.events);
		assert_true(a.h == b.h);
		sf_exec_destroy(fresh);
	}
	sf_exec_destroy(used);
	sf_prog_free(&p);
}

static void test_heaps_begin_the_same(void **state)
{
	struct hash a = { .boot = true }, b = { .boot = true };
	struct sf_settings set;

	set_heap(*state, &set);
	sf_exec_destroy(make(*state, &set, &a));
	sf_exec_destroy(make(*state, &set, &b));
	assert_true(a.events > 1);
	assert_int_equal(a.events, b.events);
	assert_true(a.h == b.h);
}

/* --- the judge --- */

static struct sf_exec *judged(const struct subject *of, const struct sf_settings *set,
			      struct sf_judge **judge)
{
	static const struct sf_exec_options opt = { .end = SF_END_PLAIN, .contents = true };
	static const struct sf_judge_options judging = { .only = 0 };
	struct sf_error err;
	struct sf_exec *x;

	*judge = sf_judge_create(&judging);
	x = sf_exec_create(sf_allocator_by_name(of->allocator), set, &opt, sf_judge_event, *judge,
			   &err);
	if (!x)
		fail_msg("%s", err.text);
	return x;
}

/* What the judge counts in one program more, as a number. */
static uint64_t count(struct sf_exec *x, const struct sf_judge *j, const struct sf_prog *p)
{
	struct sf_oracle_count before[SF_INV_COUNT];
	uint64_t h = SF_FNV_START;
	struct sf_error err;

	memcpy(before, sf_judge_counts(j), sizeof(before));
	assert_true(sf_exec_run(x, p, "p", &err) >= 0);
	for (int i = 0; i < SF_INV_COUNT; i++) {
		const struct sf_oracle_count *c = &sf_judge_counts(j)[i];
		/* A cache's order (MEM-16) is that of its boot: it is known from then on. */
		mix(&h, i == SF_INV_MEM_16 ? 0 : c->checked - before[i].checked);
		mix(&h, c->violations - before[i].violations);
	}
	return h;
}

/* Programs end in all ways, and leave in the judge what they may. */
static void test_used_judge_is_like_a_fresh_one(void **state)
{
	static const enum sf_end ends[] = { SF_END_PLAIN, SF_END_ONLY_TEARDOWN, SF_END_WALK };
	struct sf_judge *used_judge;
	struct sf_exec *used;
	struct sf_prog p;

	sf_prog_init(&p);
	generate(*state, &p, 0);
	used = judged(*state, &p.settings, &used_judge);
	for (uint64_t seed = 0; seed < PROGRAMS; seed++) {
		struct sf_judge *judge;
		struct sf_exec *fresh;

		generate(*state, &p, seed);
		fresh = judged(*state, &p.settings, &judge);
		sf_exec_set_end(fresh, ends[seed % 3]);
		sf_exec_set_end(used, ends[seed % 3]);
		assert_true(count(fresh, judge, &p) == count(used, used_judge, &p));
		sf_exec_destroy(fresh);
		sf_judge_destroy(judge);
	}
	sf_exec_destroy(used);
	sf_judge_destroy(used_judge);
	sf_prog_free(&p);
}

/* What one program defers and leaves behind is not what the next one's cache waits for. */
static void test_nothing_is_deferred_into_the_next(void **state)
{
	static struct subject of = { "baseline", "heap pages=1024 usercopy=0" };
	static const char *const text[] = {
		"heap pages=1024 usercopy=0\n"
		"r0 = kmalloc(64, GFP_KERNEL_ACCOUNT)\nkfree_rcu(r0)\n",
		"heap pages=1024 usercopy=0\n"
		"c0 = kmem_cache_create(\"msgs\", 64, 0, SLAB_ACCOUNT)\n"
		"r0 = kmalloc(64, GFP_KERNEL_ACCOUNT)\nkmem_cache_destroy(c0)\nkfree(r0)\n",
	};
	struct sf_text_error te;
	struct sf_judge *judge;
	struct sf_settings set;
	struct sf_exec *x;
	struct sf_prog p;

	(void)state;
	set_heap(&of, &set);
	x = judged(&of, &set, &judge);
	sf_prog_init(&p);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(sf_text_parse(&p, text[i], strlen(text[i]), &te), 0);
		count(x, judge, &p);
	}
	assert_true(sf_judge_counts(judge)[SF_INV_ACC_17].checked > 0);
	for (int i = 0; i < SF_INV_COUNT; i++)
		assert_int_equal(sf_judge_counts(judge)[i].violations, 0);
	sf_exec_destroy(x);
	sf_judge_destroy(judge);
	sf_prog_free(&p);
}

#define SUBJECTS(X)                                                                        \
	X(unhardened, "baseline", "heap pages=4096 usercopy=0")                            \
	X(random, "random", "heap pages=1024 seed=9 freelist_random=1 init_on_free=1")     \
	X(typed, "typed", "heap pages=4096 seed=7 freelist_random=1 freelist_hardened=1 "  \
	  "shuffle=1 slab_virtual=1 slot_offset=1 type_align=1 flex=implemented")          \
	X(misused, "typed", "heap pages=1024 misuse=1 sheaves=0")                          \
	X(misused_sheaves, "baseline", "heap pages=1024 misuse=1 slab_virtual=1")          \
	X(large, "large", "heap pages=4096 large_sheaf=3 large_min_partial=1")             \
	X(min_order, "large", "heap pages=2048 min_order=2")                               \
	X(sealed, "protected", "heap pages=1024 directmap=sealed init_on_free=1")          \
	X(misused_pools, "protected", "heap pages=1024 directmap=sealed misuse=1")

#define X(id, name, heap) static struct subject subject_##id = { name, heap };
SUBJECTS(X)
#undef X

enum { ALLOCATORS_MAX = 64 };

static struct CMUnitTest tests[4 * (ALLOCATORS_MAX + 16)];
static size_t nr_tests;

static void add_tests(struct subject *of)
{
	const struct CMUnitTest of_subject[] = {
		cmocka_unit_test_prestate(test_heaps_begin_the_same, of),
		cmocka_unit_test_prestate(test_same_events_again_and_after_others, of),
		cmocka_unit_test_prestate(test_fresh_heap_is_like_a_reset_one, of),
		cmocka_unit_test_prestate(test_used_judge_is_like_a_fresh_one, of),
	};

	for (size_t i = 0; i < 4; i++)
		tests[nr_tests++] = of_subject[i];
}

/* Each allocator of the build as it comes, then some with settings that draw numbers. */
int main(void)
{
	static struct subject plain[ALLOCATORS_MAX];
	size_t nr = 0;

	FOR_EACH_ALLOCATOR(a, 0) {
		if (nr == ALLOCATORS_MAX)
			abort();
		plain[nr] = (struct subject){ a->name, "heap pages=1024" };
		add_tests(&plain[nr++]);
	}
#define X(id, name, heap) add_tests(&subject_##id);
	SUBJECTS(X)
#undef X
	tests[nr_tests++] = (struct CMUnitTest)
		cmocka_unit_test(test_nothing_is_deferred_into_the_next);
	return _cmocka_run_group_tests("determinism", tests, nr_tests, NULL, NULL);
}
