// SPDX-License-Identifier: MIT
/*
 * test_generate.c - the generator reaches everything: over many programs each operation, size
 * class, order, CPU, setting worth having and arithmetic edge occurs, counted. A generator that
 * silently stopped making something would make every oracle of it worthless. Relies on generate.c
 * and the tables.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../harness/mutate.h"
#include "../harness/program.h"
#include "../harness/types.h"

enum {
	PROGRAMS = 3000,
	OPS = 64,
};

/* What is counted besides operations. X(field, floor) */
#define EDGES(X)                    \
	X(size_zero, 100)           \
	X(size_above_2_31, 100)     \
	X(size_above_2_32, 100)     \
	X(size_above_2_63, 50)      \
	X(size_max, 20)             \
	X(size_large, 500)          \
	X(size_4m_edge, 20)         \
	X(page_edge, 200)           \
	X(slab_multiple, 500)       \
	X(product_overflows, 300)   \
	X(product_wraps_small, 50)  \
	X(product_just_fits, 20)    \
	X(objs_overflow, 50)        \
	X(flex_types, 200)          \
	X(flex_counter_edge, 20)    \
	X(remote_free, 100)         \
	X(null_free, 20)            \
	X(bulk_sheaf, 50)           \
	X(small_heap, 500)          \
	X(default_heap, 30)         \
	X(bursts, 300)

struct tally {
#define X(field, floor) uint64_t field;
	EDGES(X)
#undef X
	uint64_t op[SF_CODE_MAX + 1], order[SF_NR_ORDERS + 1], align[32], gfp[32], slab_flag[32];
	uint64_t type[1024], fault[SF_FAULTS], setting[64];
	uint64_t class_below[13], class_at[13], class_above[13];
};

static const uint64_t classes[13] = { 8,   16,  32,  64,   96,   128, 192,
				      256, 512, 1024, 2048, 4096, 8192 };

static struct tally sum;

static bool has_arg(const struct sf_op *op, enum sf_arg_kind kind)
{
	const struct sf_arg_info *a = sf_op_table[op->code].arg;

	for (unsigned int i = 0; i < SF_OP_ARGS_MAX && a[i].kind; i++)
		if (a[i].kind == kind)
			return true;
	return false;
}

static void count_size(const struct sf_op *op)
{
	uint64_t s = op->size;

	for (unsigned int i = 0; i < 13; i++) {
		sum.class_below[i] += s == classes[i] - 1;
		sum.class_at[i] += s == classes[i];
		sum.class_above[i] += s == classes[i] + 1;
	}
	sum.size_zero += !s;
	sum.size_above_2_31 += s > 1ull << 31;
	sum.size_above_2_32 += s > 1ull << 32;
	sum.size_above_2_63 += s > 1ull << 63;
	sum.size_max += s == UINT64_MAX;
	sum.size_large += s > 8192 && s <= 4u << 20;
	sum.size_4m_edge += s + 1 >= 4u << 20 && s <= (4u << 20) + 1;
	sum.page_edge += s > 8193 && s < 1 << 20 && (s + 1) % SF_PAGE_SIZE <= 2;
	sum.slab_multiple += s > 8192 && s < 1 << 20 && s % 64 == 0;
}

static void count_product(const struct sf_op *op)
{
	uint64_t product;

	if (has_arg(op, SF_ARG_SIZE)) {
		bool over = __builtin_mul_overflow(op->n, op->size, &product);

		sum.product_overflows += over;
		sum.product_wraps_small += over && product > 0 && product <= 8192;
		sum.product_just_fits += !over && product > UINT64_MAX - op->size;
	} else if (!(sf_op_table[op->code].flags & SF_OPF_FLEX)) {
		sum.objs_overflow +=
			__builtin_mul_overflow(op->n, sf_types[op->type].size, &product);
	} else {
		sum.flex_types += sf_types[op->type].flex_elem != 0;
		sum.flex_counter_edge += op->n == 255 || op->n == 256 || op->n == 65535 ||
					 op->n == 65536;
	}
}

static void count_bits(uint64_t *tally, uint32_t bits)
{
	for (unsigned int i = 0; i < 32; i++)
		tally[i] += bits >> i & 1;
}

static void count_op(const struct sf_op *op)
{
	sum.op[op->code]++;
	if (has_arg(op, SF_ARG_SIZE))
		count_size(op);
	if (has_arg(op, SF_ARG_N))
		count_product(op);
	if (has_arg(op, SF_ARG_GFP))
		count_bits(sum.gfp, op->gfp);
	if (op->code == SF_OP_ALLOC_PAGES && op->order <= SF_NR_ORDERS)
		sum.order[op->order]++;
	if (has_arg(op, SF_ARG_ALIGN))
		count_bits(sum.align, op->align);
	if (has_arg(op, SF_ARG_SLAB_FLAGS))
		count_bits(sum.slab_flag, op->flags);
	if (has_arg(op, SF_ARG_TYPE) && op->type < 1024)
		sum.type[op->type]++;
	if (has_arg(op, SF_ARG_FAULT))
		sum.fault[op->fault]++;
	sum.null_free += sf_op_table[op->code].flags & SF_OPF_FREES && op->obj == SF_NONE;
	sum.bulk_sheaf += op->code == SF_OP_CACHE_ALLOC_BULK && op->count >= 28;
}

static void count_remote_frees(const struct sf_prog *p)
{
	static uint8_t home[OPS];
	uint8_t cpu = 0;

	for (uint32_t i = 0; i < p->nr_ops; i++) {
		const struct sf_op *op = &p->ops[i];

		if (op->code == SF_OP_CPU)
			cpu = op->cpu;
		if (sf_op_table[op->code].flags & SF_OPF_FREES && op->obj != SF_NONE)
			sum.remote_free += home[op->obj] != cpu;
		if (op->res != SF_NONE)
			home[op->res] = cpu;
	}
}

static void count_program(const struct sf_prog *p)
{
	uint32_t run = 0;

	for (size_t i = 0; i < sf_setting_count; i++) {
		const struct sf_setting_info *info = &sf_setting_table[i];
		struct sf_settings set = p->settings;

		sum.setting[info->code] += *sf_setting_slot(&set, info) != info->def;
	}
	sum.small_heap += p->settings.pages <= 2048;
	sum.default_heap += p->settings.pages == 16384;
	for (uint32_t i = 0; i < p->nr_ops; i++) {
		const struct sf_op *op = &p->ops[i];

		count_op(op);
		if (i && op->res != SF_NONE && op->code == op[-1].code && op->size == op[-1].size)
			run++;
		else
			run = 0;
		sum.bursts += run == 8;
	}
	count_remote_frees(p);
}

static int generate_all(void **state)
{
	struct sf_prog p, q;
	struct sf_rng r;

	(void)state;
	sf_prog_init(&p);
	sf_prog_init(&q);
	for (uint64_t seed = 0; seed < PROGRAMS; seed++) {
		uint32_t nr_ops = 1 + (uint32_t)(seed % OPS);
		struct sf_swarm sw;

		sf_rng_seed(&r, seed);
		sf_swarm_draw(&sw, &r);
		sf_generate(&p, nr_ops, &sw, &r);
		if (p.nr_ops != nr_ops)
			return -1;
		/* valid already, and the same again from the same seed */
		if (sf_prog_fixup(&p))
			return -1;
		sf_rng_seed(&r, seed);
		sf_swarm_draw(&sw, &r);
		sf_generate(&q, nr_ops, &sw, &r);
		if (!sf_prog_equal(&p, &q))
			return -1;
		count_program(&p);
	}
	sf_prog_free(&p);
	sf_prog_free(&q);
	return 0;
}

static void assert_floor(const char *what, uint64_t index, uint64_t count, uint64_t floor)
{
	if (count < floor)
		fail_msg("%s %llu: made %llu times, at least %llu expected", what,
			 (unsigned long long)index, (unsigned long long)count,
			 (unsigned long long)floor);
}

static void test_every_operation(void **state)
{
	(void)state;
#define X(code, id, name, res, flags, doc, ...) assert_floor(name, code, sum.op[code], 100);
	SF_OPS(X)
#undef X
}

static void test_every_size_class_and_its_edges(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 13; i++) {
		assert_floor("below class", classes[i], sum.class_below[i], 50);
		assert_floor("class", classes[i], sum.class_at[i], 50);
		assert_floor("above class", classes[i], sum.class_above[i], 50);
	}
}

static void test_every_order_and_alignment(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < SF_NR_ORDERS; i++)
		assert_floor("order", i, sum.order[i], 50);
	assert_floor("order", SF_NR_ORDERS, sum.order[SF_NR_ORDERS], 10);
	for (unsigned int i = 3; i <= 12; i++)
		assert_floor("alignment bit", i, sum.align[i], 10);
}

static void test_every_flag_fault_and_type(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < SF_FAULTS; i++)
		assert_floor("fault", i, sum.fault[i], 50);
	for (uint32_t i = 1; i < sf_type_count; i++)
		assert_floor("type", i, sum.type[i], 20);
	for (unsigned int i = 0; i < 32; i++) {
		if (SF_SLAB_USER & ~SF_SLAB_TEMPORARY & 1u << i)
			assert_floor("slab flag bit", i, sum.slab_flag[i], 5);
		/* The others come by mutation, bit by bit. */
		if ((SF_GFP_KERNEL_ACCOUNT | SF_GFP_DMA | SF_GFP_RECLAIMABLE | SF_GFP_MOVABLE |
		     SF_GFP_NOFAIL | SF_GFP_NORETRY | SF_GFP_RETRY_MAYFAIL | SF_GFP_MEMALLOC |
		     SF_GFP_ZERO | SF_GFP_HIGH | SF_GFP_NOWARN | SF_GFP_COMP) & 1u << i)
			assert_floor("gfp bit", i, sum.gfp[i], 100);
	}
}

static void test_arithmetic_edges_and_shapes(void **state)
{
	(void)state;
#define X(field, floor)                                                            \
	print_message("# %s: %llu\n", #field, (unsigned long long)sum.field);      \
	assert_floor(#field, 0, sum.field, floor);
	EDGES(X)
#undef X
}

static void test_heaps_are_few_but_varied(void **state)
{
	static const uint8_t wanted[] = {
		SF_SET_pages,         SF_SET_cpus,            SF_SET_watermarks, SF_SET_sheaves,
		SF_SET_init_on_alloc, SF_SET_pageblock_order, SF_SET_memcg,      SF_SET_nokmem,
		SF_SET_slab_nomerge,  SF_SET_slab_max_order,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wanted); i++)
		assert_floor("setting", wanted[i], sum.setting[wanted[i]], 10);
	/* No setting at random here: a seed per program would be a heap per program. */
	assert_int_equal(sum.setting[SF_SET_seed], 0);
}

/* Swarm: most programs lack some operations, and which ones differs. */
static void test_swarms_differ(void **state)
{
	unsigned int off = 0, on = 0;
	uint64_t ever_off = 0, ever_on = 0, all = 0;
	struct sf_rng r;

	(void)state;
	sf_rng_seed(&r, 3);
	for (unsigned int round = 0; round < 200; round++) {
		struct sf_swarm sw;
		uint32_t total = 0;

		sf_swarm_draw(&sw, &r);
		for (unsigned int code = 0; code <= SF_CODE_MAX; code++) {
			total += sw.weight[code];
			if (!sf_op_table[code].name) {
				assert_int_equal(sw.weight[code], 0);
				continue;
			}
			all |= 1ull << code;
			if (sw.weight[code]) {
				ever_on |= 1ull << code;
				on++;
			} else {
				ever_off |= 1ull << code;
				off++;
			}
		}
		assert_int_equal(total, sw.total);
		assert_true(total > 0);
	}
	assert_true(off > on / 4 && off < on);
	assert_int_equal(ever_on, all);
	assert_int_equal(ever_off | 1ull << SF_OP_KMALLOC, all); /* kmalloc always has a little */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_operation),
		cmocka_unit_test(test_every_size_class_and_its_edges),
		cmocka_unit_test(test_every_order_and_alignment),
		cmocka_unit_test(test_every_flag_fault_and_type),
		cmocka_unit_test(test_arithmetic_edges_and_shapes),
		cmocka_unit_test(test_heaps_are_few_but_varied),
		cmocka_unit_test(test_swarms_differ),
	};

	return cmocka_run_group_tests(tests, generate_all, NULL);
}
