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
#include "each_allocator.h"
#include "event_hash.h"

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
	sf_swarm_draw(&sw, &r);
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

#define SUBJECTS(X)                                                                        \
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

static struct CMUnitTest tests[3 * (ALLOCATORS_MAX + 16)];
static size_t nr_tests;

static void add_tests(struct subject *of)
{
	const struct CMUnitTest of_subject[] = {
		cmocka_unit_test_prestate(test_heaps_begin_the_same, of),
		cmocka_unit_test_prestate(test_same_events_again_and_after_others, of),
		cmocka_unit_test_prestate(test_fresh_heap_is_like_a_reset_one, of),
	};

	for (size_t i = 0; i < 3; i++)
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
	return _cmocka_run_group_tests("determinism", tests, nr_tests, NULL, NULL);
}
