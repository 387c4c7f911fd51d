// SPDX-License-Identifier: MIT
/*
 * test_reduce.c - smaller programs: what is needed stays, all else goes, nothing is asked twice,
 * the same again gives the same, and an end in its midst leaves the best so far. What a program
 * shows is said by small predicates here, so that what is due is known.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../allocators/base/hash_map.h"
#include "../harness/fuzz/ddmin.h"
#include "../harness/fuzz/reduce.h"
#include "../harness/generate/mutate.h"

/* --- ddmin --- */

struct need {
	const bool *item;
	uint32_t nr, asked, most; /* most: then it is over; 0: never */
};

static bool has_all(void *ctx, bool *out)
{
	struct need *n = ctx;

	n->asked++;
	for (uint32_t i = 0; i < n->nr; i++)
		if (n->item[i] && out[i])
			return false;
	return true;
}

static bool is_over(void *ctx)
{
	const struct need *n = ctx;

	return n->most && n->asked >= n->most;
}

static void test_ddmin_leaves_what_is_needed(void **state)
{
	bool item[1000] = { [3] = true, [4] = true, [500] = true, [999] = true };
	struct need n = { .item = item, .nr = 1000 };
	struct sf_ddmin d = { has_all, is_over, &n };
	bool out[1000] = { false };

	(void)state;
	assert_int_equal(sf_ddmin(&d, out, 1000), 4);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(out[i], !item[i]);
	assert_true(n.asked < 200);
}

static void test_ddmin_of_nothing_and_of_all(void **state)
{
	bool all[3] = { true, true, true }, none[3] = { false }, out[3] = { false };
	struct need n = { .item = all, .nr = 3 };
	struct sf_ddmin d = { has_all, NULL, &n };

	(void)state;
	assert_int_equal(sf_ddmin(&d, out, 0), 0);
	assert_int_equal(sf_ddmin(&d, out, 3), 3);
	n.item = none;
	assert_int_equal(sf_ddmin(&d, out, 3), 0);
	assert_true(out[0] && out[1] && out[2]);
}

static void test_ddmin_stops(void **state)
{
	bool item[1000] = { [7] = true }, out[1000] = { false };
	struct need n = { .item = item, .nr = 1000, .most = 5 };
	struct sf_ddmin d = { has_all, is_over, &n };

	(void)state;
	assert_true(sf_ddmin(&d, out, 1000) < 1000);
	assert_false(out[7]);
	assert_int_equal(n.asked, 5);
}

/* Items that hang on others go with them. */
static bool in_pairs(void *ctx, bool *out)
{
	(void)ctx;
	for (uint32_t i = 0; i < 100; i += 2)
		out[i + 1] |= out[i];
	return !out[51];
}

static void test_ddmin_takes_more_that_goes(void **state)
{
	struct sf_ddmin d = { in_pairs, NULL, NULL };
	bool out[100] = { false };

	(void)state;
	assert_int_equal(sf_ddmin(&d, out, 100), 2);
	assert_false(out[50] || out[51]);
}

/* --- programs --- */

struct bug {
	bool (*shows)(const struct sf_prog *p, struct sf_reduce_point *at);
	struct sf_map asked;
	uint32_t runs, most;
	bool twice;
};

static bool keeps(void *ctx, const struct sf_prog *p, struct sf_reduce_point *at)
{
	struct bug *b = ctx;
	size_t len = sf_bytes_encode(p, NULL, 0);
	uint8_t *data = malloc(len);
	uint64_t hash;

	assert_non_null(data);
	sf_bytes_encode(p, data, len);
	hash = sf_fnv1a(SF_FNV_START, data, len);
	free(data);
	b->twice |= sf_map_get(&b->asked, hash) != SF_MAP_NONE;
	sf_map_put(&b->asked, hash, 1);
	b->runs++;
	return b->shows(p, at);
}

static bool stop(void *ctx)
{
	const struct bug *b = ctx;

	return b->most && b->runs >= b->most;
}

/* A free of what was asked for with more than 100 bytes, on CPU 1, with shuffle. */
static bool frees_large(const struct sf_prog *p, struct sf_reduce_point *at)
{
	bool large[4096] = { false };
	unsigned int cpu = 0;

	for (uint32_t i = 0; i < p->nr_ops; i++) {
		const struct sf_op *op = &p->ops[i];

		if (op->code == SF_OP_CPU)
			cpu = op->cpu;
		if (op->code == SF_OP_KMALLOC && op->res < 4096)
			large[op->res] = op->size > 100 && op->gfp & SF_GFP_ACCOUNT;
		if (op->code == SF_OP_KFREE && op->obj < 4096 && large[op->obj] && cpu == 1 &&
		    p->settings.shuffle) {
			at->op = i;
			at->objects[0] = op->obj;
			return true;
		}
	}
	return false;
}

static void parse(struct sf_prog *p, const char *text)
{
	struct sf_text_error err;

	sf_prog_init(p);
	if (sf_text_parse(p, text, strlen(text), &err))
		fail_msg("%u:%u: %s", err.line, err.col, err.text);
}

static char *text_of(const struct sf_prog *p)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	sf_text_write(p, f);
	fclose(f);
	return text;
}

static const char long_one[] =
	"heap pages=2048 cpus=4 shuffle=1 seed=99 slab_nomerge=1\n"
	"c0 = kmem_cache_create(\"a_name\", 192, 8, SLAB_RECLAIM_ACCOUNT)\n"
	"r0 = kmem_cache_alloc(c0, GFP_KERNEL)\n"
	"r1 = kmalloc(50, GFP_KERNEL_ACCOUNT)\n"
	"r2 = kmalloc(4031, GFP_KERNEL_ACCOUNT|__GFP_NOWARN, site=17)\n"
	"cpu(3)\n"
	"write(r2)\n"
	"owns(r0, r2)\n"
	"cpu(1)\n"
	"kfree(r1)\n"
	"kfree(r2)\n"
	"check  # live kmalloc-64 = 0\n"
	"cpu(2)\n"
	"kmem_cache_free(c0, r0)\n";

static void reduce(struct sf_prog *p, struct bug *b)
{
	const struct sf_reduce how = { .keeps = keeps, .stop = stop, .ctx = b };
	struct sf_reduce_point at = { SF_NONE, { SF_NONE, SF_NONE } };

	assert_true(b->shows(p, &at));
	sf_reduce(&how, p, &at);
	sf_map_free(&b->asked);
	assert_true(b->shows(p, &at));
}

static void test_only_what_is_needed_is_left(void **state)
{
	struct bug b = { .shows = frees_large };
	struct sf_prog p;
	char *text;

	(void)state;
	parse(&p, long_one);
	reduce(&p, &b);
	text = text_of(&p);
	assert_string_equal(text, "heap shuffle=1\n"
				  "r0 = kmalloc(128, GFP_KERNEL_ACCOUNT)\n"
				  "cpu(1)\n"
				  "kfree(r0)\n");
	assert_false(b.twice);
	free(text);
	sf_prog_free(&p);
}

static void test_stopped_it_is_the_best_so_far(void **state)
{
	(void)state;
	for (uint32_t most = 1; most < 40; most++) {
		struct bug b = { .shows = frees_large, .most = most };
		struct sf_prog p;

		parse(&p, long_one);
		reduce(&p, &b);
		assert_true(p.nr_ops < 13);
		assert_int_equal(b.runs, most);
		sf_prog_free(&p);
	}
}

/* Two caches of one size, whatever they are called: the second create shows it. */
static bool equal_caches(const struct sf_prog *p, struct sf_reduce_point *at)
{
	uint64_t size[64];
	unsigned int nr = 0;

	for (uint32_t i = 0; i < p->nr_ops; i++) {
		const struct sf_op *op = &p->ops[i];

		if (op->code != SF_OP_CACHE_CREATE || nr == 64)
			continue;
		for (unsigned int k = 0; k < nr; k++) {
			if (size[k] != op->size || op->size < 65)
				continue;
			at->op = i;
			return true;
		}
		size[nr++] = op->size;
	}
	return false;
}

static void test_names_are_canonical(void **state)
{
	struct bug b = { .shows = equal_caches };
	struct sf_prog p;
	char *text;

	(void)state;
	parse(&p, "c0 = kmem_cache_create(\"x\", 100, 64, SLAB_HWCACHE_ALIGN)\n"
		  "r0 = kmem_cache_alloc(c0, GFP_KERNEL)\n"
		  "c1 = kmem_cache_create(\"y\", 100, 0, 0)\n"
		  "r1 = kmem_cache_alloc(c1, GFP_KERNEL)\n");
	reduce(&p, &b);
	text = text_of(&p);
	/* Neither alone can become another size. */
	assert_string_equal(text, "c0 = kmem_cache_create(\"c0\", 65, 0, 0)\n"
				  "c1 = kmem_cache_create(\"c1\", 65, 0, 0)\n");
	free(text);
	sf_prog_free(&p);
}

/* Whatever programs there are: it still shows it, is no longer, and the same again. */
static void test_generated_programs(void **state)
{
	struct sf_swarm swarm;
	struct sf_rng rng;
	int shown = 0;

	(void)state;
	sf_rng_seed(&rng, 5);
	for (int i = 0; i < 400; i++) {
		struct bug b = { .shows = equal_caches }, c = b;
		struct sf_reduce_point at;
		struct sf_prog p, q;

		sf_prog_init(&p);
		sf_prog_init(&q);
		sf_swarm_draw(&swarm, SF_DRAW_KERNEL, &rng);
		sf_generate(&p, 200, &swarm, &rng);
		if (equal_caches(&p, &at)) {
			char *text = text_of(&p);

			parse(&q, text);
			free(text);
			reduce(&p, &b);
			reduce(&q, &c);
			assert_int_equal(p.nr_ops, 2);
			assert_true(sf_prog_equal(&p, &q));
			assert_false(b.twice);
			shown++;
		}
		sf_prog_free(&p);
		sf_prog_free(&q);
	}
	assert_true(shown > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ddmin_leaves_what_is_needed),
		cmocka_unit_test(test_ddmin_of_nothing_and_of_all),
		cmocka_unit_test(test_ddmin_stops),
		cmocka_unit_test(test_ddmin_takes_more_that_goes),
		cmocka_unit_test(test_only_what_is_needed_is_left),
		cmocka_unit_test(test_stopped_it_is_the_best_so_far),
		cmocka_unit_test(test_names_are_canonical),
		cmocka_unit_test(test_generated_programs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
