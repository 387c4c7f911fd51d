// SPDX-License-Identifier: MIT
/*
 * test_mutate.c - the mutator: what comes out is valid, bounded, a function of the seed, near to
 * what went in, and each kind of change happens. Relies on mutate.c, program.c, bytes.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../harness/exec/exec.h"
#include "../harness/generate/mutate.h"
#include "../harness/program/program.h"

enum {
	ROUNDS = 4000,
	MAX_SIZE = 4 + 2 * SF_FUZZ_OPS_MAX * SF_RECORD_SIZE,
};

static uint8_t buf[MAX_SIZE], again[MAX_SIZE], other[MAX_SIZE];

static size_t generated(uint8_t *out, uint32_t nr_ops, uint64_t seed)
{
	struct sf_swarm sw;
	struct sf_prog p;
	struct sf_rng r;
	size_t size;

	sf_rng_seed(&r, seed);
	sf_swarm_draw(&sw, SF_DRAW_KERNEL, &r);
	sf_prog_init(&p);
	sf_generate(&p, nr_ops, &sw, &r);
	size = sf_bytes_encode(&p, out, MAX_SIZE);
	assert_true(size <= MAX_SIZE);
	sf_prog_free(&p);
	return size;
}

static void assert_valid(const uint8_t *data, size_t size)
{
	struct sf_prog p, q;

	sf_prog_init(&p);
	sf_prog_init(&q);
	sf_bytes_decode(&p, data, size, 0);
	sf_bytes_decode(&q, data, size, 0);
	assert_int_equal(sf_prog_fixup(&q), 0);
	assert_true(sf_prog_equal(&p, &q));
	sf_prog_free(&p);
	sf_prog_free(&q);
}

static void test_mutants_are_canonical_programs(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < ROUNDS; seed++) {
		size_t size = generated(buf, 1 + seed % 64, seed), len;
		struct sf_prog p;

		size = sf_mutate_bytes(buf, size, MAX_SIZE, NULL, 0, SF_DRAW_KERNEL,
				       seed);
		assert_true(size > 4 && size <= MAX_SIZE);
		assert_valid(buf, size);
		/* What comes out is what encode() makes of it. */
		sf_prog_init(&p);
		sf_bytes_decode(&p, buf, size, 0);
		assert_true(p.nr_ops > 0 && p.nr_ops <= SF_FUZZ_OPS_MAX);
		len = sf_bytes_encode(&p, again, sizeof(again));
		assert_int_equal(len, size);
		assert_memory_equal(buf, again, len);
		sf_prog_free(&p);
	}
}

static void test_same_seed_same_mutant(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < ROUNDS; seed++) {
		size_t size = generated(buf, 32, seed), other_size = generated(other, 32, ~seed);
		size_t one;

		memcpy(again, buf, size);
		one = sf_mutate_bytes(buf, size, MAX_SIZE, other, other_size,
				       SF_DRAW_KERNEL, seed);
		assert_int_equal(sf_mutate_bytes(again, size, MAX_SIZE, other, other_size,
				       SF_DRAW_KERNEL, seed),
				 one);
		assert_memory_equal(buf, again, one);
	}
}

static void test_bounds_hold_for_any_input(void **state)
{
	struct sf_rng r;

	(void)state;
	sf_rng_seed(&r, 1);
	for (uint64_t seed = 0; seed < ROUNDS; seed++) {
		size_t size = sf_rng_below(&r, 600), max = 1 + sf_rng_below(&r, 600), n;

		for (size_t i = 0; i < size; i++)
			buf[i] = (uint8_t)sf_rng_next(&r);
		memset(again, 0x5a, sizeof(again));
		memcpy(again, buf, size);
		/* also size > max, which libFuzzer's minimisation asks for */
		n = sf_mutate_bytes(again, size, max, NULL, 0, SF_DRAW_KERNEL,
				       seed);
		assert_true(n >= 1 && n <= max);
		for (size_t i = size > max ? size : max; i < 1200; i++)
			assert_int_equal(again[i], 0x5a);
		assert_valid(again, n);
	}
}

static void test_minimising_reaches_one_record(void **state)
{
	size_t size = generated(buf, 64, 7);

	(void)state;
	/* As -minimize_crash does: ask for less each time. */
	for (uint64_t seed = 0; size > 4 + SF_RECORD_SIZE; seed++) {
		size_t less = sf_mutate_bytes(buf, size, size - 1, NULL, 0, SF_DRAW_KERNEL,
				       seed);

		assert_true(less < size && less > 0);
		size = less;
		assert_true(seed < 10000);
	}
}

static bool same_op(const struct sf_op *a, const struct sf_op *b)
{
	return a->code == b->code && a->size == b->size && a->n == b->n && a->gfp == b->gfp;
}

static bool contains(const struct sf_prog *p, const struct sf_op *op)
{
	for (uint32_t i = 0; i < p->nr_ops; i++)
		if (same_op(&p->ops[i], op))
			return true;
	return false;
}

static void test_mutations_are_small(void **state)
{
	uint64_t kept = 0, all = 0, unchanged = 0;
	struct sf_prog p, q;

	(void)state;
	sf_prog_init(&p);
	sf_prog_init(&q);
	for (uint64_t seed = 0; seed < ROUNDS; seed++) {
		size_t size = generated(buf, 32, seed);

		sf_bytes_decode(&p, buf, size, 0);
		memcpy(again, buf, size);
		size = sf_mutate_bytes(again, size, MAX_SIZE, NULL, 0, SF_DRAW_KERNEL,
				       seed);
		sf_bytes_decode(&q, again, size, 0);
		unchanged += sf_prog_equal(&p, &q);
		for (uint32_t i = 0; i < p.nr_ops; i++, all++)
			kept += contains(&q, &p.ops[i]);
	}
	sf_prog_free(&p);
	sf_prog_free(&q);
	print_message("# operations kept %.1f %%, unchanged %.1f %%\n",
		      100.0 * (double)kept / (double)all, 100.0 * (double)unchanged / ROUNDS);
	assert_true(kept * 100 > all * 75);
	assert_true(unchanged * 100 < ROUNDS * 10);
}

/* Site numbers tell whose operations are whose: the generator stays below 100. */
enum { MARK = 1000 };

static void test_splice_brings_the_others_operations(void **state)
{
	unsigned int spliced = 0, linked = 0;
	struct sf_prog p, q;
	struct sf_rng r;

	(void)state;
	sf_prog_init(&p);
	sf_prog_init(&q);
	sf_rng_seed(&r, 5);
	for (unsigned int round = 0; round < 1000; round++) {
		unsigned int found = 0;

		sf_bytes_decode(&p, buf, generated(buf, 16, round), 0);
		sf_prog_clear(&q);
		for (uint32_t i = 0; i < 8; i++) {
			struct sf_op op = sf_op_make(SF_OP_KMALLOC);

			op.size = 77;
			op.site = (uint16_t)(MARK + i);
			op.obj = sf_prog_add(&q, &op)->res;
			op.code = SF_OP_KFREE;
			op.size = op.site = 0;
			sf_prog_add(&q, &op);
		}
		sf_prog_fixup(&q);
		sf_mutate(&p, &q, SF_DRAW_KERNEL, &r);
		for (uint32_t i = 0; i < p.nr_ops; i++) {
			const struct sf_op *op = &p.ops[i];

			if (op->code == SF_OP_KMALLOC && op->site >= MARK && op->site < MARK + 8) {
				found++;
				/* Its free came along and still frees it. */
				for (uint32_t k = i + 1; k < p.nr_ops; k++)
					linked += p.ops[k].code == SF_OP_KFREE &&
						  p.ops[k].obj == op->res;
			}
		}
		spliced += found > 0;
	}
	sf_prog_free(&p);
	sf_prog_free(&q);
	print_message("# spliced %u of 1000, linked %u\n", spliced, linked);
	assert_true(spliced > 600);
	assert_true(linked > 600);
}

static uint32_t count_code(const struct sf_prog *p, enum sf_opcode code)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->nr_ops; i++)
		n += p->ops[i].code == code;
	return n;
}

static uint32_t count_end(const struct sf_prog *p)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->nr_ops; i++)
		n += (sf_op_table[p->ops[i].code].flags & SF_OPF_FREES) != 0;
	return n;
}

/* From one fixed program, each kind of change is seen: the table has no dead line. */
static void test_each_kind_of_change_happens(void **state)
{
	unsigned int shrunk = 0, grown = 0, reordered = 0, repeated = 0, migrated = 0, argument = 0;
	unsigned int repointed = 0, freed = 0, faults = 0, checks = 0, drains = 0, settings = 0;
	struct sf_prog base, p;
	struct sf_rng r;

	(void)state;
	sf_prog_init(&base);
	sf_prog_init(&p);
	for (uint32_t i = 0; i < 12; i++) {
		struct sf_op op = sf_op_make(SF_OP_KMALLOC);

		op.size = 64 + i;
		op.gfp = SF_GFP_KERNEL;
		sf_prog_add(&base, &op);
	}
	for (uint32_t i = 0; i < 4; i++) {
		struct sf_op op = sf_op_make(SF_OP_KFREE);

		op.obj = i;
		sf_prog_add(&base, &op);
	}
	assert_int_equal(sf_prog_fixup(&base), 0);
	sf_rng_seed(&r, 9);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		size_t size = sf_bytes_encode(&base, buf, sizeof(buf));
		bool same_codes;

		sf_bytes_decode(&p, buf, size, 0);
		sf_mutate(&p, NULL, SF_DRAW_KERNEL, &r);
		same_codes = p.nr_ops == base.nr_ops;
		for (uint32_t i = 0; same_codes && i < p.nr_ops; i++)
			same_codes = p.ops[i].code == base.ops[i].code;
		shrunk += p.nr_ops < base.nr_ops;
		grown += p.nr_ops > base.nr_ops;
		repeated += p.nr_ops > base.nr_ops + 24 && count_code(&p, SF_OP_KMALLOC) > 24;
		migrated += count_code(&p, SF_OP_CPU) >= 2;
		freed += count_end(&p) >= 8;
		faults += count_code(&p, SF_OP_FAIL) > 0;
		checks += count_code(&p, SF_OP_CHECK) > 0;
		drains += count_code(&p, SF_OP_DRAIN) > 0;
		settings += memcmp(&p.settings, &base.settings, sizeof(p.settings)) != 0;
		for (uint32_t i = 0; same_codes && i < p.nr_ops; i++) {
			bool known = contains(&base, &p.ops[i]);

			argument += !known;
			reordered += known && !same_op(&p.ops[i], &base.ops[i]);
			repointed += p.ops[i].code == SF_OP_KFREE &&
				     p.ops[i].obj != base.ops[i].obj;
		}
	}
	sf_prog_free(&base);
	sf_prog_free(&p);
	print_message("# shrunk %u grown %u reordered %u repeated %u migrated %u argument %u\n",
		      shrunk, grown, reordered, repeated, migrated, argument);
	print_message("# repointed %u freed %u faults %u checks %u drains %u settings %u\n",
		      repointed, freed, faults, checks, drains, settings);
	assert_true(shrunk > 100 && grown > 100 && reordered > 50 && repeated > 50);
	assert_true(migrated > 50 && argument > 100 && repointed > 50 && freed > 50);
	assert_true(faults > 30 && checks > 15 && drains > 15);
	/* rare: a new combination of settings is a new heap */
	assert_true(settings > 10 && settings < ROUNDS / 20);
}

static struct sf_op *add(struct sf_prog *p, enum sf_opcode code, uint32_t obj, uint32_t cache)
{
	struct sf_op op = sf_op_make(code);

	op.obj = obj;
	op.cache = cache;
	op.size = 64;
	return sf_prog_add(p, &op);
}

/* Something of each kind: an object that is dead, a pool, a cache, a device, buckets. */
static void small_program(struct sf_prog *p)
{
	uint32_t dev, set, obj, pool;

	obj = add(p, SF_OP_KMALLOC, SF_NONE, SF_NONE)->res;
	add(p, SF_OP_KFREE, obj, SF_NONE);
	pool = add(p, SF_OP_POOL_CREATE, SF_NONE, SF_NONE)->res;
	add(p, SF_OP_PMALLOC, SF_NONE, pool);
	add(p, SF_OP_CACHE_CREATE, SF_NONE, SF_NONE);
	add(p, SF_OP_KMALLOC, SF_NONE, SF_NONE);
	dev = add(p, SF_OP_DEVICE_REGISTER, SF_NONE, SF_NONE)->res;
	for (unsigned int i = 0; i < 4; i++)
		add(p, SF_OP_DEVM_KMALLOC, SF_NONE, dev);
	set = add(p, SF_OP_BUCKETS_CREATE, SF_NONE, SF_NONE)->res;
	add(p, SF_OP_BUCKETS_ALLOC, SF_NONE, SF_NONE)->obj2 = set;
	assert_int_equal(sf_prog_fixup(p), 0);
}

static bool is_misuse(const struct sf_op *op)
{
	return sf_op_table[op->code].flags & SF_OPF_MISUSE;
}

/*
 * Misuse comes into heaps that allow it, each kind of it, and into no other; devices go with their
 * memory; nothing makes many sets of buckets.
 */
static void test_devices_buckets_and_misuse(void **state)
{
	uint32_t misuse[SF_CODE_MAX + 1] = { 0 }, unregistered = 0, devm_freed = 0, forced = 0;
	uint32_t sealed = 0, rare = 0, destroyed = 0;
	struct sf_prog p;
	struct sf_rng r;

	(void)state;
	sf_prog_init(&p);
	sf_rng_seed(&r, 11);
	for (unsigned int round = 0; round < 2 * ROUNDS; round++) {
		sf_prog_clear(&p);
		p.settings.misuse = round & 1;
		small_program(&p);
		sf_mutate(&p, NULL, SF_DRAW_KERNEL, &r);
		for (uint32_t i = 0; i < p.nr_ops; i++) {
			misuse[p.ops[i].code] += is_misuse(&p.ops[i]);
			forced += p.ops[i].token != 0;
			assert_true(!is_misuse(&p.ops[i]) || p.settings.misuse);
		}
		unregistered += count_code(&p, SF_OP_DEVICE_UNREGISTER) > 0;
		devm_freed += count_code(&p, SF_OP_DEVM_KFREE) > 1;
		sealed += count_code(&p, SF_OP_POOL_PROTECT) > 0;
		rare += count_code(&p, SF_OP_RARE_WRITE) > 0;
		destroyed += count_code(&p, SF_OP_POOL_DESTROY) > 0;
		assert_true(count_code(&p, SF_OP_BUCKETS_CREATE) < 32);
	}
	sf_prog_free(&p);
	print_message("# unregistered %u, devm_kfree %u, tokens %u\n", unregistered, devm_freed,
		      forced);
	print_message("# sealed %u, rare writes %u, destroyed %u\n", sealed, rare, destroyed);
	assert_true(unregistered > 50 && devm_freed > 50 && forced > 50);
	assert_true(sealed > 30 && rare > 30 && destroyed > 20);
	for (unsigned int code = 0; code <= SF_CODE_MAX; code++)
		if (sf_op_table[code].flags & SF_OPF_MISUSE && misuse[code] < 20 &&
		    !(sf_exec_needs(code) & SF_CAP_MALLOC))
			fail_msg("%s(): %u times", sf_op_table[code].name, misuse[code]);
}

static void test_rng_is_the_same_everywhere(void **state)
{
	struct sf_rng r;
	uint64_t seen[8] = { 0 };

	(void)state;
	sf_rng_seed(&r, 0);
	assert_int_equal(sf_rng_below(&r, 0), 0);
	assert_int_equal(sf_rng_below(&r, 1), 0);
	for (unsigned int i = 0; i < 8000; i++)
		seen[sf_rng_below(&r, 8)]++;
	for (unsigned int i = 0; i < 8; i++)
		assert_true(seen[i] > 850 && seen[i] < 1150);
	sf_rng_seed(&r, 42);
	assert_true(sf_rng_next(&r) == 0xe6c71559e2525f98ull);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rng_is_the_same_everywhere),
		cmocka_unit_test(test_mutants_are_canonical_programs),
		cmocka_unit_test(test_same_seed_same_mutant),
		cmocka_unit_test(test_bounds_hold_for_any_input),
		cmocka_unit_test(test_minimising_reaches_one_record),
		cmocka_unit_test(test_mutations_are_small),
		cmocka_unit_test(test_splice_brings_the_others_operations),
		cmocka_unit_test(test_each_kind_of_change_happens),
		cmocka_unit_test(test_devices_buckets_and_misuse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
