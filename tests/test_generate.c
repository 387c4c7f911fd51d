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

#include "../harness/exec/exec.h"
#include "../harness/generate/mutate_internal.h"
#include "../oracles/oracle.h"
#include "../harness/program/program.h"
#include "../harness/program/types.h"

enum {
	PROGRAMS = 7000,
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
	X(bursts, 300)              \
	X(nolock_legal, 300)        \
	X(nolock_illegal, 5)        \
	X(devm_class_edge, 100)     \
	X(devm_resized, 100)        \
	X(device_with_memory, 50)   \
	X(dead_of_device, 1)        \
	X(aligned_types, 200)       \
	X(aligned_where_it_counts, 20) \
	X(misuse_heaps, 100)        \
	X(misuse_sealed, 20)        \
	X(pool_objects_across, 100) \
	X(rare_parts, 100)          \
	X(rare_beyond, 20)          \
	X(rare_wrong_pool, 20)      \
	X(rare_sealed, 200)         \
	X(writes_sealed, 50)        \
	X(pools_opened, 20)         \
	X(pools_with_memory, 20)    \
	X(large_640k, 50)           \
	X(large_edges, 200)         \
	X(large_no_gain, 20)        \
	X(large_named, 50)          \
	X(cache_min_order, 100)     \
	X(owners_reclaimable, 100)  \
	X(groups_below, 50)         \
	X(groups_charged, 100)      \
	X(movable_pages, 200)       \
	X(misuse_next_to_hardening, 30) \
	X(hardenings_together, 20)

struct tally {
#define X(field, floor) uint64_t field;
	EDGES(X)
#undef X
	uint64_t op[SF_CODE_MAX + 1], order[SF_NR_ORDERS + 1], align[32], gfp[32], slab_flag[32];
	uint64_t type[1024], fault[SF_FAULTS], setting[64], mode[SF_POOL_MODE_COUNT];
	uint64_t class_below[13], class_at[13], class_above[13], bucket_class[13];
	uint64_t token[SF_TOKENS_MAX + 1], sites[32], span[17], buckets_max;
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

/* The smallest class that holds it, 13: none. */
static unsigned int class_of(uint64_t size)
{
	unsigned int i = 0;

	while (i < 13 && classes[i] < size)
		i++;
	return i;
}

static void count_newer(const struct sf_op *op)
{
	const uint32_t legal = SF_GFP_ACCOUNT | SF_GFP_ZERO | SF_GFP_NOWARN | SF_GFP_NOMEMALLOC;

	if (has_arg(op, SF_ARG_TOKEN))
		sum.token[op->token]++;
	if (has_arg(op, SF_ARG_SITE) && op->site < 32)
		sum.sites[op->site]++;
	if (has_arg(op, SF_ARG_SPAN))
		sum.span[32 - __builtin_clz(op->count)]++;
	if (has_arg(op, SF_ARG_BUCKETS) && op->size && class_of(op->size) < 13)
		sum.bucket_class[class_of(op->size)]++;
	if (op->code == SF_OP_KMALLOC_NOLOCK) {
		sum.nolock_legal += !(op->gfp & ~legal);
		sum.nolock_illegal += (op->gfp & ~legal) != 0;
	}
	if (sf_op_table[op->code].flags & SF_OPF_DEVM && has_arg(op, SF_ARG_SIZE))
		sum.devm_class_edge += class_of(op->size + 56) != class_of(op->size + 58);
	sum.devm_resized += op->code == SF_OP_DEVM_KREALLOC && op->obj != SF_NONE;
}

static void count_large(const struct sf_op *op)
{
	bool edge = false;

	for (uint64_t n = 3; n < 64; n++)
		edge = edge || op->size + 1 - 512 / n * SF_PAGE_SIZE < 3;
	sum.large_640k += op->size == 655360;
	sum.large_edges += edge && op->size > 32768;
	sum.large_no_gain += op->size > 699050 && op->size <= 1 << 20;
	sum.large_named += op->code == SF_OP_CACHE_CREATE && op->size > SF_PAGE_SIZE &&
			   op->size < 1 << 20;
	sum.cache_min_order += op->code == SF_OP_CACHE_CREATE && op->cpu;
}

static void count_op(const struct sf_op *op)
{
	sum.op[op->code]++;
	count_newer(op);
	if (has_arg(op, SF_ARG_SIZE)) {
		count_size(op);
		count_large(op);
	}
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
	sum.groups_below += op->code == SF_OP_MEMCG_CREATE && op->obj2 != SF_NONE;
	sum.groups_charged += op->code == SF_OP_MEMCG_SET && op->obj2 != SF_NONE;
	sum.movable_pages += op->code == SF_OP_ALLOC_PAGES && op->gfp & SF_GFP_MOVABLE;
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

/* Devices that go while memory is theirs, and what is done to that memory afterwards. */
static void count_devices(const struct sf_prog *p)
{
	static uint32_t device[OPS];
	static bool gone[OPS];

	memset(gone, 0, sizeof(gone));
	for (uint32_t i = 0; i < p->nr_ops; i++) {
		const struct sf_op *op = &p->ops[i];
		bool owns = false;

		if (op->res != SF_NONE)
			device[op->res] = has_arg(op, SF_ARG_DEVICE) ? op->cache : SF_NONE;
		if (sf_op_table[op->code].flags & SF_OPF_FREES && op->obj != SF_NONE)
			device[op->obj] = SF_NONE;
		if (has_arg(op, SF_ARG_DEAD) && device[op->obj] != SF_NONE)
			sum.dead_of_device += gone[device[op->obj]];
		if (op->code != SF_OP_DEVICE_UNREGISTER)
			continue;
		gone[op->cache] = true;
		for (uint32_t k = 0; k < i; k++)
			owns = owns || (p->ops[k].res != SF_NONE &&
					device[p->ops[k].res] == op->cache);
		sum.device_with_memory += owns;
	}
}

static void count_settings(const struct sf_prog *p)
{
	const struct sf_settings *s = &p->settings;
	uint64_t hardenings = s->init_on_free + s->freelist_random + s->freelist_hardened +
			      s->shuffle + s->slab_virtual + s->slot_offset;
	uint64_t sets = 0;

	sum.misuse_heaps += s->misuse;
	sum.misuse_sealed += s->misuse && s->directmap;
	sum.misuse_next_to_hardening += s->misuse && hardenings;
	sum.hardenings_together += hardenings >= 3;
	for (uint32_t i = 0; i < p->nr_ops; i++) {
		const struct sf_op *op = &p->ops[i];
		bool aligned = has_arg(op, SF_ARG_TYPE) && op->type && sf_types[op->type].align > 8;

		sets += op->code == SF_OP_BUCKETS_CREATE;
		sum.aligned_types += aligned;
		sum.aligned_where_it_counts += aligned && (s->type_align || s->slot_offset);
	}
	if (sets > sum.buckets_max)
		sum.buckets_max = sets;
}

/* Objects that a shrinker may free and that own something. */
static void count_owners(const struct sf_prog *p)
{
	static const struct sf_op *allocated_by[OPS];

	for (uint32_t i = 0; i < p->nr_ops; i++) {
		const struct sf_op *op = &p->ops[i], *owner;

		if (op->res != SF_NONE)
			allocated_by[op->res] = op;
		if (op->code != SF_OP_OWNS)
			continue;
		owner = allocated_by[op->obj];
		sum.owners_reclaimable +=
			(owner->code == SF_OP_CACHE_ALLOC || owner->code == SF_OP_CACHE_ZALLOC) &&
			allocated_by[owner->cache]->flags & SF_SLAB_RECLAIM_ACCOUNT;
	}
}

/* What is done to pools, and to their objects once they are sealed (as far as one can tell). */
static void count_pools(const struct sf_prog *p)
{
	static const struct sf_op nothing, *allocated_by[OPS];
	static bool sealed[OPS], used[OPS];

	memset(sealed, 0, sizeof(sealed));
	memset(used, 0, sizeof(used));
	for (uint32_t i = 0; i < p->nr_ops; i++) {
		const struct sf_op *op = &p->ops[i], *obj;

		if (op->res != SF_NONE)
			allocated_by[op->res] = op;
		obj = op->obj == SF_NONE ? &nothing : allocated_by[op->obj];
		if (op->code == SF_OP_POOL_CREATE)
			sum.mode[op->fault]++;
		if (op->code == SF_OP_PMALLOC) {
			sum.pool_objects_across += op->size > SF_PAGE_SIZE && op->size < 1 << 20;
			used[op->cache] = true;
		}
		if (op->code == SF_OP_POOL_PROTECT)
			sealed[op->cache] = true;
		sum.pools_opened += op->code == SF_OP_POOL_UNPROTECT && sealed[op->cache];
		sum.pools_with_memory += op->code == SF_OP_POOL_DESTROY && used[op->cache];
		if (op->code == SF_OP_RARE_WRITE) {
			sum.rare_wrong_pool += obj->cache != op->cache;
			sum.rare_parts += op->size && op->count + op->size < obj->size;
			sum.rare_beyond += op->count + op->size > obj->size;
			sum.rare_sealed += obj->cache == op->cache && sealed[op->cache];
		}
		if (op->code == SF_OP_WRITE && sf_op_table[obj->code].flags & SF_OPF_POOL)
			sum.writes_sealed += sealed[obj->cache];
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
	count_devices(p);
	count_owners(p);
	count_pools(p);
	count_settings(p);
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
		sf_swarm_draw(&sw, SF_DRAW_KERNEL, &r);
		sf_generate(&p, nr_ops, &sw, &r);
		if (p.nr_ops != nr_ops)
			return -1;
		/* valid already, and the same again from the same seed */
		if (sf_prog_fixup(&p))
			return -1;
		sf_rng_seed(&r, seed);
		sf_swarm_draw(&sw, SF_DRAW_KERNEL, &r);
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
#define X(code, id, name, res, handler, needs, weight, flags, ...)                                 \
	if ((needs) & SF_CAP_MALLOC)                                                               \
		assert_int_equal(sum.op[code], 0); /* no kernel's */                               \
	else                                                                                       \
		assert_floor(name, code, sum.op[code], (flags) & SF_OPF_MISUSE ? 30 : 100);
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
	for (unsigned int i = 0; i < SF_POOL_MODE_COUNT; i++)
		assert_floor("mode of a pool", i, sum.mode[i], 50);
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
		SF_SET_slab_nomerge,  SF_SET_slab_max_order,  SF_SET_init_on_free,
		SF_SET_freelist_random, SF_SET_freelist_hardened, SF_SET_shuffle,
		SF_SET_slab_virtual,  SF_SET_buckets,         SF_SET_flex,
		SF_SET_type_align,    SF_SET_slot_offset,     SF_SET_misuse,
		SF_SET_accounting,    SF_SET_oom,             SF_SET_min_order,
		SF_SET_large_sheaf,   SF_SET_large_min_partial, SF_SET_directmap,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wanted); i++)
		assert_floor("setting", wanted[i], sum.setting[wanted[i]], 10);
	/* A seed per program would be a heap per program: where it matters there is one. */
	assert_true(sum.setting[SF_SET_seed] < sum.setting[SF_SET_pages] / 8);
}

static void test_partitions_and_spans(void **state)
{
	uint64_t given = 0;

	(void)state;
	for (unsigned int i = 1; i <= SF_TOKENS_MAX; i++) {
		assert_floor("token", i - 1, sum.token[i], 50);
		given += sum.token[i];
	}
	/* Mostly it is the type's. */
	assert_true(given * 8 < sum.token[0]);
	for (unsigned int i = 0; i <= 16; i++)
		assert_floor("site", i, sum.sites[i], 100);
	for (unsigned int i = 1; i <= 16; i++)
		assert_floor("misused bytes, 2^", i, sum.span[i], 5);
	for (unsigned int i = 0; i < 13; i++)
		assert_floor("class of a set of buckets", classes[i], sum.bucket_class[i], 20);
	/* Each is thirteen caches. */
	print_message("# sets of buckets in one program: at most %llu\n",
		      (unsigned long long)sum.buckets_max);
	assert_true(sum.buckets_max > 1 && sum.buckets_max < 32);
}

/* About one heap in 25 allows misuse: where it happens, most rules have stopped. */
static void test_misuse_is_rare(void **state)
{
	(void)state;
	assert_in_range(sum.misuse_heaps, PROGRAMS / 32, PROGRAMS / 16);
}

/* Swarm: most programs lack some operations, and which ones differs. */
static void test_swarms_differ(void **state)
{
	unsigned int off = 0, on = 0;
	unsigned __int128 ever_off = 0, ever_on = 0, all = 0;
	struct sf_rng r;

	(void)state;
	sf_rng_seed(&r, 3);
	for (unsigned int round = 0; round < 200; round++) {
		struct sf_swarm sw;
		uint32_t total = 0;

		sf_swarm_draw(&sw, SF_DRAW_KERNEL, &r);
		for (unsigned int code = 0; code <= SF_CODE_MAX; code++) {
			total += sw.weight[code];
			if (!sf_op_table[code].name || sf_is_user_word(code)) {
				assert_int_equal(sw.weight[code], 0);
				continue;
			}
			all |= (unsigned __int128)1 << code;
			if (sw.weight[code]) {
				ever_on |= (unsigned __int128)1 << code;
				on++;
			} else {
				ever_off |= (unsigned __int128)1 << code;
				off++;
			}
		}
		assert_int_equal(total, sw.total);
		assert_true(total > 0);
	}
	assert_true(off > on / 4 && off < on);
	assert_true(ever_on == all);
	assert_true((ever_off | 1ull << SF_OP_KMALLOC) == all); /* kmalloc always has a little */
}

/* What a run of one program of a family reports, and whether the oracles are content. */
struct family_run {
	struct sf_judge *judge;
	uint32_t seen[SF_EV_TYPES], violations;
};

static void family_event(void *ctx, const struct sf_event *ev)
{
	struct family_run *run = ctx;

	run->seen[ev->type]++;
	sf_judge_event(run->judge, ev);
}

static void family_violation(void *ctx, const struct sf_violation *v)
{
	struct family_run *run = ctx;

	print_error("%s\n", v->title);
	run->violations++;
}

static void run_family(struct family_run *run, const struct sf_prog *p)
{
	struct sf_judge_options judged = { .violation = family_violation, .ctx = run };
	struct sf_exec_options opt = { .contents = true, .end = SF_END_TEARDOWN };
	struct sf_error err;
	struct sf_exec *x;

	run->judge = sf_judge_create(&judged);
	x = sf_exec_create(&sf_baseline, &p->settings, &opt, family_event, run, &err);
	assert_non_null(x);
	assert_true(sf_exec_run(x, p, "family", &err) > 0);
	sf_exec_destroy(x);
	sf_judge_destroy(run->judge);
}

/* Each is valid as it is drawn, and comes where it is meant to. */
static void test_families_lead_somewhere(void **state)
{
	uint32_t drawn[32] = { 0 };
	struct sf_prog p;
	struct sf_rng r;

	(void)state;
	assert_in_range(sf_family_count, 1, 32);
	sf_prog_init(&p);
	sf_rng_seed(&r, 1);
	for (unsigned int n = 0; n < 1000; n++)
		drawn[sf_family_pick(&r)]++;
	for (unsigned int i = 0; i < sf_family_count; i++) {
		struct family_run run = { 0 };
		uint32_t reached = 0;

		for (unsigned int n = 0; n < 10; n++) {
			uint32_t before = run.seen[sf_families[i].reaches];

			sf_prog_clear(&p);
			sf_family_draw(&p, i, &r);
			if (sf_prog_fixup(&p))
				fail_msg("%s: drawn wrong", sf_families[i].name);
			run_family(&run, &p);
			reached += run.seen[sf_families[i].reaches] > before;
		}
		print_message("# family %s: drawn %u of 1000, %u of 10 reach it\n",
			      sf_families[i].name, drawn[i], reached);
		assert_true(drawn[i] > 10);
		assert_true(reached >= 5);
		assert_int_equal(run.violations, 0);
	}
	sf_prog_free(&p);
}

/*
 * An index answers as a walk over the program does: at each length, each operation is drawn with
 * both, from the same random numbers.
 */
static void test_index_is_a_walk(void **state)
{
	struct sf_draw with = { .rng = NULL }, without = { .rng = NULL };
	struct sf_swarm sw;
	struct sf_prog p;
	struct sf_rng r;

	(void)state;
	sf_prog_init(&p);
	for (uint64_t seed = 1; seed <= 24; seed++) {
		uint32_t nr;

		sf_rng_seed(&r, seed);
		sf_swarm_draw(&sw, seed % 4 == 3 ? UINT64_MAX : SF_DRAW_KERNEL, &r);
		sf_generate(&p, 400, &sw, &r);
		p.settings.misuse = seed & 1;
		with = without = (struct sf_draw){ .p = &p };
		with.index = sf_index_create();
		nr = p.nr_ops;
		while (with.pos < nr) {
			struct sf_rng a, b;

			sf_draw_note(&with);
			without.pos = with.pos;
			sf_rng_seed(&a, seed * 1000 + with.pos);
			b = a;
			with.rng = &a;
			without.rng = &b;
			for (unsigned int code = 0; code <= SF_CODE_MAX; code++) {
				struct sf_op x, y;

				if (!sf_op_table[code].name)
					continue;
				assert_int_equal(sf_draw_possible(&with, code),
						 sf_draw_possible(&without, code));
				x = sf_draw_op(&with, code);
				y = sf_draw_op(&without, code);
				y.name = x.name; /* a new string each time */
				assert_memory_equal(&x, &y, sizeof(x));
			}
		}
		sf_index_free(with.index);
	}
	sf_prog_free(&p);
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
		cmocka_unit_test(test_partitions_and_spans),
		cmocka_unit_test(test_misuse_is_rare),
		cmocka_unit_test(test_swarms_differ),
		cmocka_unit_test(test_families_lead_somewhere),
		cmocka_unit_test(test_index_is_a_walk),
	};

	return cmocka_run_group_tests(tests, generate_all, NULL);
}
