// SPDX-License-Identifier: MIT
/*
 * user_families.c - how programs of user space begin: short runs of operations that belong
 * together, each the shape of a class of real bugs, with free arguments. A family is a row of a
 * table.
 *
 * Relies on program.c to number results and on words.c to say it in the words that there are;
 * generate.c and mutate.c begin programs with it.
 */
#include "mutate_internal.h"

static uint64_t upto(struct sf_rng *r, uint64_t n)
{
	return sf_rng_below(r, n);
}

/* x - 1, x or x + 1. */
static uint64_t near(struct sf_rng *r, uint64_t x)
{
	return x + upto(r, 3) - 1;
}

static struct sf_op *put(struct sf_prog *p, enum sf_opcode code, uint64_t size)
{
	struct sf_op op = sf_op_make(code);

	op.size = size;
	return sf_prog_add(p, &op);
}

static struct sf_op *put_of(struct sf_prog *p, enum sf_opcode code, uint32_t obj, uint64_t size)
{
	struct sf_op *op = put(p, code, size);

	op->obj = obj;
	return op;
}

static void put_whole(struct sf_prog *p, uint32_t obj)
{
	put_of(p, SF_OP_WRITE, obj, 0)->flag = 1;
}

/* Where a class may end: a multiple of 16, a power of two or a quarter of one, a page. */
static uint64_t class_edge(struct sf_rng *r)
{
	uint64_t power = 16ull << upto(r, sf_rng_one_in(r, 4) ? 14 : 9);

	if (sf_rng_one_in(r, 3))
		return near(r, 16 * (1 + upto(r, 66)));
	return near(r, power + power / 4 * upto(r, 4));
}

/* Of aligned memory or not: over one boundary after another, upwards, downwards, to nothing. */
static void chain(struct sf_prog *p, struct sf_rng *r)
{
	enum sf_opcode first = sf_rng_one_in(r, 3) ? SF_OP_ALIGNED_ALLOC : SF_OP_MALLOC;
	struct sf_op *op = put(p, first, class_edge(r));
	uint32_t last = op->res;

	op->align = 16u << upto(r, 9);
	for (uint64_t n = 3 + upto(r, 8); n; n--) {
		if (sf_rng_one_in(r, 4))
			put(p, SF_OP_MALLOC, class_edge(r)); /* in its way */
		op = put_of(p, SF_OP_REALLOC, last, class_edge(r));
		if (sf_rng_one_in(r, 16))
			op->size = UINT64_MAX - upto(r, 4096);
		else
			last = op->res;
	}
	put_of(p, SF_OP_VERIFY, last, 0);
	put_of(p, SF_OP_FREE, last, 0);
}

/* Memory that is dirty to its last byte is handed out as zeroes. */
static void dirty(struct sf_prog *p, struct sf_rng *r)
{
	uint64_t size = class_edge(r);
	uint32_t obj = put(p, SF_OP_MALLOC, size)->res;
	struct sf_op *op;

	put_whole(p, obj);
	if (sf_rng_one_in(r, 2)) {
		op = put_of(p, SF_OP_REALLOC, obj, 1 + upto(r, size));
		obj = op->res;
	}
	put_of(p, SF_OP_FREE, obj, 0);
	for (uint64_t n = 1 + upto(r, 3); n; n--) {
		op = put(p, SF_OP_CALLOC, size);
		op->n = 1;
		if (sf_rng_one_in(r, 3)) {
			op->n = 1 + upto(r, 8);
			op->size = size / op->n + upto(r, 2);
		}
	}
}

/* Equal ones, freed in an order that leaves holes, and asked for again. */
static void equal(struct sf_prog *p, struct sf_rng *r)
{
	uint64_t size = class_edge(r), nr = 8 + upto(r, 60), step = 1 + upto(r, 4);
	uint32_t first = p->nr_res;
	bool back = sf_rng_one_in(r, 2);

	for (uint64_t i = 0; i < nr; i++)
		put(p, SF_OP_MALLOC, size);
	for (uint64_t k = 0; k < step; k++)
		for (uint64_t i = k; i < nr; i += step)
			if (k + 1 < step || !sf_rng_one_in(r, 3))
				put_of(p, SF_OP_FREE,
				       first + (uint32_t)(back ? nr - 1 - i : i), 0);
	for (uint64_t i = 0; i < nr / 2; i++)
		put(p, SF_OP_MALLOC, sf_rng_one_in(r, 8) ? class_edge(r) : size);
}

/* Alignments one after another, of sizes that do not go with them. */
static void aligned(struct sf_prog *p, struct sf_rng *r)
{
	static const uint8_t codes[] = { SF_OP_ALIGNED_ALLOC, SF_OP_POSIX_MEMALIGN,
					 SF_OP_MEMALIGN };
	uint32_t from = (uint32_t)upto(r, 6), obj;

	for (uint32_t shift = from; shift < from + 4 + upto(r, 10); shift++) {
		enum sf_opcode code = codes[upto(r, sizeof(codes))];
		/* Next to nothing may end up beyond the block that was made room in. */
		uint64_t size = sf_rng_one_in(r, 6) ? upto(r, 17) : class_edge(r);
		struct sf_op *op = put(p, code, size);

		op->align = sf_rng_one_in(r, 12) ? (1u << shift) + (uint32_t)upto(r, 9) :
						   1u << shift;
		obj = op->res;
		if (sf_rng_one_in(r, 2))
			put_of(p, code == SF_OP_ALIGNED_ALLOC && sf_rng_one_in(r, 2) ?
				       SF_OP_FREE_ALIGNED_SIZED : SF_OP_FREE, obj, 0);
		else if (sf_rng_one_in(r, 3))
			put_of(p, SF_OP_REALLOC, obj, class_edge(r));
	}
}

/* Freed with size and alignment, where a class of that size is smaller than the alignment. */
static void sized(struct sf_prog *p, struct sf_rng *r)
{
	uint64_t nr = 8 + upto(r, 24), shift = 5 + upto(r, 8), less = 1 + upto(r, 3);
	uint32_t first = p->nr_res;
	struct sf_op *op;

	for (uint64_t i = 0; i < nr; i++) {
		op = put(p, SF_OP_ALIGNED_ALLOC, (1ull << (shift - less)) - upto(r, 2));
		op->align = 1ull << shift;
	}
	for (uint64_t i = 1; i < nr; i += 1 + upto(r, 4))
		put_of(p, SF_OP_FREE_ALIGNED_SIZED, first + (uint32_t)i, 0);
	for (uint64_t i = 0; i < nr; i++) {
		op = put(p, sf_rng_one_in(r, 2) ? SF_OP_ALIGNED_ALLOC : SF_OP_MALLOC,
			 1ull << shift);
		op->align = 1ull << shift;
	}
}

/* Products and sums that wrap to something small, then something small. */
static void wrapped(struct sf_prog *p, struct sf_rng *r)
{
	uint32_t obj = put(p, SF_OP_MALLOC, 1 + upto(r, 100))->res;

	for (uint64_t n = 2 + upto(r, 4); n; n--) {
		unsigned int k = 1 + (unsigned int)upto(r, 62);
		struct sf_op *op = put_of(p, sf_rng_one_in(r, 2) ? SF_OP_CALLOC :
								   SF_OP_REALLOCARRAY,
					  obj, (1ull << (64 - k)) + upto(r, 64));

		op->n = 1ull << k;
		op = put(p, sf_rng_one_in(r, 2) ? SF_OP_MALLOC : SF_OP_ALIGNED_ALLOC,
			 sf_rng_one_in(r, 4) ? upto(r, 300) : UINT64_MAX - upto(r, 8200));
		op->align = 16ull << upto(r, sf_rng_one_in(r, 3) ? 60 : 10);
		put(p, SF_OP_MALLOC_GOOD_SIZE, op->size);
	}
	put_of(p, SF_OP_VERIFY, obj, 0);
	put(p, SF_OP_MALLOC, class_edge(r));
}

/* A heap in an odd place is filled to the brim, grows by a block, and goes with what is in it. */
static void small_heap(struct sf_prog *p, struct sf_rng *r)
{
	uint64_t size = 1024 + upto(r, sf_rng_one_in(r, 3) ? 200000 : 20000); /* tables, too */
	struct sf_op *op = put(p, SF_OP_HEAP_CREATE, size);
	uint32_t heap = op->res, first, nr = 2 + (uint32_t)upto(r, 12);

	op->count = (uint16_t)upto(r, sf_rng_one_in(r, 2) ? 4096 : 9);
	first = p->nr_res;
	for (uint32_t i = 0; i < nr; i++)
		put(p, SF_OP_MALLOC, 1 + upto(r, 2 * size / nr))->cache = heap;
	for (uint32_t i = 0; i < nr; i += 1 + (uint32_t)upto(r, 3))
		put_of(p, SF_OP_FREE, first + i, 0);
	put(p, SF_OP_MALLOC, near(r, size - upto(r, 200)))->cache = heap;
	if (sf_rng_one_in(r, 2)) {
		op = put(p, SF_OP_HEAP_ADD, 512 + upto(r, 9000));
		op->cache = heap;
		op->count = (uint16_t)upto(r, 64);
	}
	for (uint32_t i = 0; i < nr; i++) {
		op = put(p, SF_OP_ALIGNED_ALLOC, 1 + upto(r, size / 2));
		op->cache = heap;
		op->align = 8u << upto(r, 8);
	}
	if (!sf_rng_one_in(r, 3))
		put(p, SF_OP_HEAP_DESTROY, 0)->cache = heap;
}

/* What fills most of memory, and what is left of it then. */
static void brim(struct sf_prog *p, struct sf_rng *r)
{
	uint64_t all = p->settings.pages * SF_PAGE_SIZE, size = all / 2;

	put(p, SF_OP_MALLOC, near(r, all));
	put(p, SF_OP_MALLOC, all - upto(r, 9000));
	for (uint64_t n = 6 + upto(r, 10); n; n--, size /= 2)
		put(p, SF_OP_MALLOC, near(r, size));
	put(p, SF_OP_MALLOC_TRIM, 0);
	put(p, SF_OP_MALLOC_STATS, 0);
}

/* What one thread frees was another's. */
static void threads(struct sf_prog *p, struct sf_rng *r)
{
	uint64_t size = class_edge(r);
	uint32_t first = p->nr_res, nr = 4 + (uint32_t)upto(r, 24);

	for (uint32_t i = 0; i < nr; i++)
		put(p, SF_OP_MALLOC, size);
	put(p, SF_OP_THREAD, 0)->cpu = (uint8_t)(1 + upto(r, 3));
	for (uint32_t i = 0; i < nr; i++)
		put_of(p, SF_OP_FREE, first + i, 0);
	for (uint32_t i = 0; i < nr / 2; i++)
		put(p, SF_OP_MALLOC, size);
	put(p, SF_OP_THREAD, 0)->cpu = (uint8_t)upto(r, 2);
	put(p, SF_OP_MALLOC, size);
}

static const struct {
	uint8_t weight;
	void (*emit)(struct sf_prog *p, struct sf_rng *r);
} families[] = {
	{ 5, chain }, { 3, dirty }, { 3, equal },      { 3, aligned },
	{ 2, wrapped }, { 3, small_heap }, { 1, brim }, { 2, threads },
	{ 2, sized },
};

static void heap_of(struct sf_settings *set, uint64_t caps, struct sf_rng *r)
{
	static const uint16_t pages[] = { 1024, 1024, 256, 4096, 16384 };

	sf_settings_init(set);
	set->pages = pages[upto(r, sizeof(pages) / sizeof(pages[0]))];
	set->misuse = sf_rng_one_in(r, 20) && caps & SF_CAP_MISUSE;
	sf_settings_fixup(set);
}

void sf_user_begin(struct sf_prog *p, uint32_t nr_ops, uint64_t caps, struct sf_rng *r)
{
	uint32_t total = 0, x, i = 0;

	heap_of(&p->settings, caps, r);
	if (sf_rng_one_in(r, 2))
		return;
	for (uint32_t k = 0; k < sizeof(families) / sizeof(families[0]); k++)
		total += families[k].weight;
	for (x = (uint32_t)upto(r, total); x >= families[i].weight; i++)
		x -= families[i].weight;
	families[i].emit(p, r);
	if (p->nr_ops > nr_ops)
		p->nr_ops = nr_ops; /* fix-up numbers what is left */
}
